#include "wire/tcp_table.h"

#include <string.h>

/* "get ", "put ", "200 " and the like. */
#define WORD_BYTES 4

static const char hex_digits[] = "0123456789ABCDEF";

static bool needs_escape(char byte)
{
    return byte <= ' ' || byte > '~' || byte == '%';
}

static size_t escaped_bytes(struct span text)
{
    size_t bytes = text.length;
    for (size_t i = 0; i < text.length; i++)
        if (needs_escape(text.data[i]))
            bytes += 2;
    return bytes;
}

/* Escapes what out holds from start on; from the end, so that no byte is overwritten unread. */
static void escape_tail(struct buffer *out, size_t start)
{
    size_t text_bytes = out->length - start;
    size_t extra_bytes = escaped_bytes((struct span){out->data + start, text_bytes}) - text_bytes;
    buffer_reserve(out, extra_bytes);
    const char *from = out->data + out->length;
    char *to = out->data + out->length + extra_bytes;
    while (to != from) {
        unsigned char byte = (unsigned char)*--from;
        if (!needs_escape((char)byte)) {
            *--to = (char)byte;
            continue;
        }
        *--to = hex_digits[byte & 15];
        *--to = hex_digits[byte >> 4];
        *--to = '%';
    }
    out->length += extra_bytes;
}

/* The value of a hex digit of either case, or -1. */
static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Writes text without its escapes to out. False: a "%" without two hex digits. */
static bool unescape(struct span text, struct buffer *out)
{
    buffer_clear(out);
    buffer_reserve(out, text.length + 1); /* empty text is a place too */
    for (size_t at = 0; at < text.length; at++) {
        char byte = text.data[at];
        if (byte == '%') {
            if (text.length - at < 3)
                return false;
            int high = hex_value(text.data[at + 1]);
            int low = hex_value(text.data[at + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            at += 2;
        }
        out->data[out->length++] = byte;
    }
    return true;
}

/* Finds the line that data begins with; ret_line is without its newline. */
static enum wire_result take_line(const char *data, size_t length, size_t max_bytes,
                                  struct span *ret_line)
{
    size_t searched = length < max_bytes ? length : max_bytes;
    const char *newline = searched != 0 ? memchr(data, '\n', searched) : NULL;
    if (newline == NULL)
        return length < max_bytes ? WIRE_NEED_MORE : WIRE_BAD;
    *ret_line = (struct span){data, (size_t)(newline - data)};
    return WIRE_COMPLETE;
}

/* True if data begins with word, as far as data goes. */
static bool may_begin_with(const char *data, size_t length, const char word[WORD_BYTES])
{
    return length == 0 || memcmp(data, word, length < WORD_BYTES ? length : WORD_BYTES) == 0;
}

static bool decode_key(struct span text, struct buffer *decoded)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != '%' && needs_escape(text.data[i]))
            return false;
    return unescape(text, decoded) && decoded->length <= WIRE_QUERY_MAX_BYTES &&
           (decoded->length == 0 || memchr(decoded->data, '\0', decoded->length) == NULL);
}

enum wire_result tcp_table_take_request(const char *data, size_t length, struct buffer *decoded,
                                        struct tcp_table_request *ret, size_t *ret_consumed)
{
    bool is_get = may_begin_with(data, length, "get ");
    if (!is_get && !may_begin_with(data, length, "put "))
        return WIRE_BAD;
    struct span line;
    enum wire_result result = take_line(data, length, TCP_TABLE_REQUEST_MAX_BYTES, &line);
    if (result != WIRE_COMPLETE)
        return result;
    if (!is_get) {
        *ret = (struct tcp_table_request){.verb = TCP_TABLE_PUT};
    } else {
        if (!decode_key((struct span){line.data + WORD_BYTES, line.length - WORD_BYTES}, decoded))
            return WIRE_BAD;
        *ret = (struct tcp_table_request){TCP_TABLE_GET, {decoded->data, decoded->length}};
    }
    *ret_consumed = line.length + 1;
    return WIRE_COMPLETE;
}

size_t tcp_table_begin_reply(struct buffer *out)
{
    size_t mark = out->length;
    buffer_append(out, "400 ", WORD_BYTES);
    return mark;
}

bool tcp_table_end_reply(struct buffer *out, size_t mark, enum wire_status status)
{
    static const char codes[] = {
        [WIRE_OK] = '2', [WIRE_NOTFOUND] = '5', [WIRE_TEMP] = '4', [WIRE_PERM] = '4'};
    size_t text_start = mark + WORD_BYTES;
    struct span text = {out->data + text_start, out->length - text_start};
    if (WORD_BYTES + escaped_bytes(text) + 1 > WIRE_TCP_TABLE_REPLY_MAX_BYTES ||
        !wire_is_sendable(status, text)) {
        out->length = mark;
        buffer_append_text(out,
                           "400 the%20answer%20cannot%20be%20sent%20in%20a%20tcp_table%20reply\n");
        return false;
    }
    out->data[mark] = codes[status];
    escape_tail(out, text_start);
    buffer_append_char(out, '\n');
    return true;
}

bool tcp_table_append_reply(struct buffer *out, enum wire_status status, struct span text)
{
    size_t mark = tcp_table_begin_reply(out);
    buffer_append(out, text.data, text.length);
    return tcp_table_end_reply(out, mark, status);
}

bool tcp_table_append_request(struct buffer *out, struct span key)
{
    if (key.length > WIRE_QUERY_MAX_BYTES)
        return false;
    if (key.length != 0 && memchr(key.data, '\0', key.length) != NULL)
        return false;
    buffer_append(out, "get ", WORD_BYTES);
    size_t key_start = out->length;
    buffer_append(out, key.data, key.length);
    escape_tail(out, key_start);
    buffer_append_char(out, '\n');
    return true;
}

enum wire_result tcp_table_take_reply(const char *data, size_t length, struct buffer *decoded,
                                      struct wire_reply *ret, size_t *ret_consumed)
{
    static const struct {
        const char *word;
        enum wire_status status;
    } words[] = {{"200 ", WIRE_OK}, {"500 ", WIRE_NOTFOUND}, {"400 ", WIRE_TEMP}};
    size_t found = 0;
    while (found < ARRAY_LENGTH(words) && !may_begin_with(data, length, words[found].word))
        found++;
    if (found == ARRAY_LENGTH(words))
        return WIRE_BAD;
    struct span line;
    enum wire_result result = take_line(data, length, WIRE_TCP_TABLE_REPLY_MAX_BYTES, &line);
    if (result != WIRE_COMPLETE)
        return result;
    struct span text = {line.data + WORD_BYTES, line.length - WORD_BYTES};
    if (!unescape(text, decoded))
        return WIRE_BAD;
    text = (struct span){decoded->data, decoded->length};
    if (!wire_is_sendable(words[found].status, text))
        return WIRE_BAD;
    *ret = (struct wire_reply){words[found].status, text};
    *ret_consumed = line.length + 1;
    return WIRE_COMPLETE;
}
