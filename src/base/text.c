#include "base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

char text_lower_ascii_char(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

void text_lower_ascii(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        text[i] = text_lower_ascii_char(text[i]);
}

/* Bytes of the well-formed character at text, or 0. The table is RFC 3629 section 4. */
static size_t utf8_character_bytes(const unsigned char *text, size_t length)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t bytes;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (text[0] < 0x80)
        return text[0] != 0 ? 1 : 0;
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (text[0] < forms[i].first_low || text[0] > forms[i].first_high)
            continue;
        if (length < forms[i].bytes || text[1] < forms[i].second_low ||
            text[1] > forms[i].second_high)
            return 0;
        for (size_t at = 2; at < forms[i].bytes; at++)
            if ((text[at] & 0xc0) != 0x80)
                return 0;
        return forms[i].bytes;
    }
    return 0;
}

bool text_is_utf8(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    while (at < end) {
        /* Nearly all text is ASCII, and each lookup comes by here three times. */
        size_t bytes = *at - 1U < 0x7f ? 1 : utf8_character_bytes(at, (size_t)(end - at));
        if (bytes == 0)
            return false;
        at += bytes;
    }
    return true;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char small = text_lower_ascii_char(digit);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool text_append_percent_decoded(struct buffer *out, struct span text, enum text_plus plus)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            int high = text.length - i > 2 ? hex_value(text.data[i + 1]) : -1;
            int low = text.length - i > 2 ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            i += 2;
        } else if (byte == '+' && plus == TEXT_PLUS_IS_BLANK) {
            byte = ' ';
        }
        buffer_append_char(out, byte);
    }
    return true;
}

void text_append_escaped(struct buffer *out, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length;) {
        const unsigned char *here = (const unsigned char *)text + at;
        size_t bytes = utf8_character_bytes(here, length - at);
        bool control = *here < 0x20 || *here == 0x7f || (*here == 0xc2 && here[1] < 0xa0);
        if (bytes == 0 || control) {
            buffer_appendf(out, "\\x%02x", *here);
            at++;
            continue;
        }
        if (*here == '"' || *here == '\\')
            buffer_append_char(out, '\\');
        buffer_append(out, here, bytes);
        at += bytes;
    }
}

/* The digits at the start of text as a number; *ret_unit is what follows them. */
static bool leading_number(const char *text, uint64_t *ret_number, const char **ret_unit)
{
    uint64_t number = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (number > UINT64_MAX / 10 - 1)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *ret_number = number;
    *ret_unit = at;
    return at != text;
}

bool text_parse_duration_ms(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {
        {"ms", 1},          {"s", 1000},         {"m", 60 * 1000},
        {"h", 3600 * 1000}, {"d", 86400 * 1000}, {"w", 604800000},
    };
    const uint64_t limit_ms = 10000ULL * 86400 * 1000;
    uint64_t number;
    const char *unit;
    if (!leading_number(text, &number, &unit))
        return false;
    if (number == 0 && *unit == '\0') {
        *ret_ms = 0;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        if (number > limit_ms / units[i].ms)
            return false;
        *ret_ms = (int64_t)(number * units[i].ms);
        return true;
    }
    return false;
}

bool text_parse_bytes(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "bkmgt";
    uint64_t number;
    const char *unit;
    if (!leading_number(text, &number, &unit))
        return false;
    if (*unit == '\0') {
        *ret_bytes = 0;
        return number == 0;
    }
    const char *found = strchr(units, text_lower_ascii_char(*unit));
    if (found == NULL || unit[1] != '\0')
        return false;
    unsigned shift = (unsigned)(found - units) * 10;
    if (number > UINT64_MAX >> shift)
        return false;
    *ret_bytes = number << shift;
    return true;
}

bool text_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t number;
    const char *rest;
    if (!leading_number(text, &number, &rest) || *rest != '\0' || number < min || number > max)
        return false;
    *ret = number;
    return true;
}
