#include "wire/socketmap.h"

#include <string.h>

#include "wire/netstring.h"

/* Room in front of a text for the longest "LENGTH:STATUS ". */
#define HEADER_ROOM_BYTES (NETSTRING_PREFIX_MAX_BYTES + sizeof("NOTFOUND ") - 1)

static const struct {
    const char *word;
    size_t bytes;
} status_words[] = {
    [WIRE_OK] = {"OK ", 3},
    [WIRE_NOTFOUND] = {"NOTFOUND ", 9},
    [WIRE_TEMP] = {"TEMP ", 5},
    [WIRE_PERM] = {"PERM ", 5},
};

enum wire_result socketmap_take_request(const char *data, size_t length,
                                        struct socketmap_request *ret, size_t *ret_consumed)
{
    struct span payload;
    size_t consumed;
    enum wire_result result =
        netstring_take(data, length, WIRE_QUERY_MAX_BYTES, &payload, &consumed);
    if (result != WIRE_COMPLETE)
        return result;
    const char *space = memchr(payload.data, ' ', payload.length);
    if (space == NULL)
        return WIRE_BAD;
    size_t map_bytes = (size_t)(space - payload.data);
    ret->map = (struct span){payload.data, map_bytes};
    ret->key = (struct span){space + 1, payload.length - map_bytes - 1};
    *ret_consumed = consumed;
    return WIRE_COMPLETE;
}

size_t socketmap_begin_reply(struct buffer *out)
{
    size_t mark = out->length;
    buffer_reserve(out, HEADER_ROOM_BYTES);
    out->length += HEADER_ROOM_BYTES;
    return mark;
}

bool socketmap_end_reply(struct buffer *out, size_t mark, enum wire_status status)
{
    size_t text_start = mark + HEADER_ROOM_BYTES;
    size_t text_bytes = status == WIRE_NOTFOUND ? 0 : out->length - text_start;
    size_t word_bytes = status_words[status].bytes;
    if (word_bytes + text_bytes > WIRE_SOCKETMAP_REPLY_MAX_BYTES ||
        !wire_is_sendable(status, (struct span){out->data + text_start, text_bytes})) {
        out->length = mark;
        netstring_append(out, span_of("TEMP the answer cannot be sent in a socketmap reply"));
        return false;
    }
    char prefix[NETSTRING_PREFIX_MAX_BYTES];
    size_t prefix_bytes = netstring_format_prefix(word_bytes + text_bytes, prefix);
    char *frame = out->data + mark;
    memcpy(frame, prefix, prefix_bytes);
    memcpy(frame + prefix_bytes, status_words[status].word, word_bytes);
    memmove(frame + prefix_bytes + word_bytes, out->data + text_start, text_bytes);
    out->length = mark + prefix_bytes + word_bytes + text_bytes;
    buffer_append_char(out, ',');
    return true;
}

bool socketmap_append_reply(struct buffer *out, enum wire_status status, struct span text)
{
    size_t mark = socketmap_begin_reply(out);
    buffer_append(out, text.data, text.length);
    return socketmap_end_reply(out, mark, status);
}

bool socketmap_append_request(struct buffer *out, struct span map, struct span key)
{
    if (map.length >= WIRE_QUERY_MAX_BYTES || key.length > WIRE_QUERY_MAX_BYTES - map.length - 1)
        return false;
    if (map.length != 0 && memchr(map.data, ' ', map.length) != NULL)
        return false;
    char prefix[NETSTRING_PREFIX_MAX_BYTES];
    buffer_append(out, prefix, netstring_format_prefix(map.length + 1 + key.length, prefix));
    buffer_append(out, map.data, map.length);
    buffer_append_char(out, ' ');
    buffer_append(out, key.data, key.length);
    buffer_append_char(out, ',');
    return true;
}

static bool status_from_word(struct span word, enum wire_status *ret)
{
    static const struct {
        const char *word;
        enum wire_status status;
    } words[] = {
        {"OK", WIRE_OK},     {"NOTFOUND", WIRE_NOTFOUND}, {"TEMP", WIRE_TEMP},
        {"PERM", WIRE_PERM}, {"TIMEOUT", WIRE_TEMP},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (strlen(words[i].word) != word.length ||
            memcmp(words[i].word, word.data, word.length) != 0)
            continue;
        *ret = words[i].status;
        return true;
    }
    return false;
}

enum wire_result socketmap_take_reply(const char *data, size_t length, struct wire_reply *ret,
                                      size_t *ret_consumed)
{
    struct span payload;
    size_t consumed;
    enum wire_result result =
        netstring_take(data, length, WIRE_SOCKETMAP_REPLY_MAX_BYTES, &payload, &consumed);
    if (result != WIRE_COMPLETE)
        return result;
    const char *end = payload.data + payload.length;
    const char *space = memchr(payload.data, ' ', payload.length);
    struct span word = {payload.data, (size_t)((space != NULL ? space : end) - payload.data)};
    struct span text = {end, 0};
    if (space != NULL)
        text = (struct span){space + 1, (size_t)(end - space) - 1};
    enum wire_status status;
    if (!status_from_word(word, &status) || !wire_is_sendable(status, text))
        return WIRE_BAD;
    *ret = (struct wire_reply){status, text};
    *ret_consumed = consumed;
    return WIRE_COMPLETE;
}
