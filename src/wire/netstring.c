#include "wire/netstring.h"

enum wire_result netstring_take(const char *data, size_t length, size_t max_bytes,
                                struct span *ret_payload, size_t *ret_consumed)
{
    size_t payload_bytes = 0;
    size_t at = 0;
    for (; at < length && data[at] != ':'; at++) {
        bool leading_zero = at > 0 && payload_bytes == 0;
        if (data[at] < '0' || data[at] > '9' || leading_zero)
            return WIRE_BAD;
        payload_bytes = payload_bytes * 10 + (size_t)(data[at] - '0');
        if (payload_bytes > max_bytes)
            return WIRE_BAD;
    }
    if (at == length)
        return WIRE_NEED_MORE;
    if (at == 0)
        return WIRE_BAD;
    size_t start = at + 1;
    if (length - start <= payload_bytes)
        return WIRE_NEED_MORE;
    if (data[start + payload_bytes] != ',')
        return WIRE_BAD;
    *ret_payload = (struct span){data + start, payload_bytes};
    *ret_consumed = start + payload_bytes + 1;
    return WIRE_COMPLETE;
}

void netstring_append(struct buffer *out, struct span payload)
{
    char prefix[NETSTRING_PREFIX_MAX_BYTES];
    size_t prefix_bytes = netstring_format_prefix(payload.length, prefix);
    buffer_reserve(out, prefix_bytes + payload.length + 1);
    buffer_append(out, prefix, prefix_bytes);
    buffer_append(out, payload.data, payload.length);
    buffer_append_char(out, ',');
}

size_t netstring_format_prefix(size_t payload_bytes, char ret[NETSTRING_PREFIX_MAX_BYTES])
{
    size_t digits = 1;
    for (size_t rest = payload_bytes; rest >= 10; rest /= 10)
        digits++;
    ret[digits] = ':';
    for (size_t at = digits; at > 0; payload_bytes /= 10)
        ret[--at] = (char)('0' + payload_bytes % 10);
    return digits + 1;
}
