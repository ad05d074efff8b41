#include "notify/message.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/text.h"
#include "store/record.h"

/* RFC 5322 2.1.1: lines should have at most 78 bytes, and must have at most 998. */
#define LINE_WANTED_BYTES 76
#define LINE_MAX_BYTES    998

/* RFC 2047 2: an encoded word has at most 75 bytes. */
#define WORD_BEGIN     "=?UTF-8?Q?"
#define WORD_END       "?="
#define WORD_MAX_BYTES 75

static bool is_control(unsigned char byte)
{
    return byte < ' ' || byte == 0x7f;
}

static void append_hex(struct buffer *out, unsigned char byte)
{
    buffer_appendf(out, "=%02X", byte);
}

/* Bytes of the character that text begins with; 1 for a byte that begins none. */
static size_t character_bytes(const char *text, size_t length)
{
    for (size_t bytes = 1; bytes <= 4 && bytes <= length; bytes++)
        if (text_is_utf8(text, bytes))
            return bytes;
    return 1;
}

/* ---- header ---- */

/* Can stand in a header as it is: printable, in words that lines can be folded between. */
static bool is_plain(const char *text)
{
    size_t word = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (is_control((unsigned char)*at) || (unsigned char)*at > 0x7e)
            return false;
        word = *at == ' ' ? 0 : word + 1;
        if (word > LINE_WANTED_BYTES)
            return false;
    }
    return strstr(text, "=?") == NULL && *text != ' ' && strstr(text, "  ") == NULL;
}

static void append_folded(struct buffer *out, size_t column, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (at != text && column + 1 + word > LINE_WANTED_BYTES) {
            buffer_append_text(out, "\r\n ");
            column = 1;
        } else if (at != text) {
            buffer_append_char(out, ' ');
            column++;
        }
        buffer_append(out, at, word);
        column += word;
        at += word;
        at += *at == ' ';
    }
}

/* RFC 2047 4.2 and 5 (3): what is safe in any place. */
static bool is_q_safe(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || strchr("!*+-/", byte) != NULL;
}

static void append_q(struct buffer *out, const char *character, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)character[i];
        if (is_control(byte) || byte == ' ')
            buffer_append_char(out, '_');
        else if (length == 1 && byte > 0x7f)
            buffer_append_text(out, "=3F"); /* not UTF-8: "?" */
        else if (byte <= 0x7f && is_q_safe(byte))
            buffer_append_char(out, (char)byte);
        else
            append_hex(out, byte);
    }
}

static void append_encoded(struct buffer *out, size_t column, const char *text)
{
    struct buffer character = {0};
    size_t word = 0; /* bytes of the one that is open; 0: none is */
    for (size_t at = 0, length = strlen(text); at < length;) {
        size_t bytes = character_bytes(text + at, length - at);
        buffer_clear(&character);
        append_q(&character, text + at, bytes);
        at += bytes;
        size_t end = word + character.length + strlen(WORD_END);
        if (word != 0 && (end > WORD_MAX_BYTES || column + end > LINE_WANTED_BYTES)) {
            buffer_append_text(out, WORD_END "\r\n ");
            column = 1;
            word = 0;
        }
        if (word == 0) {
            buffer_append_text(out, WORD_BEGIN);
            word = strlen(WORD_BEGIN);
        }
        buffer_append(out, character.data, character.length);
        word += character.length;
    }
    if (word != 0)
        buffer_append_text(out, WORD_END);
    buffer_finish(&character);
}

static void append_text_header(struct buffer *out, const char *name, const char *text)
{
    buffer_appendf(out, "%s: ", name);
    if (is_plain(text))
        append_folded(out, strlen(name) + 2, text);
    else
        append_encoded(out, strlen(name) + 2, text);
    buffer_append_text(out, "\r\n");
}

/* An address that was checked when it was taken in; should it hold controls, they do no harm. */
static void append_address(struct buffer *out, const char *address)
{
    for (const char *at = address; *at != '\0'; at++)
        if (!is_control((unsigned char)*at))
            buffer_append_char(out, *at);
}

static void append_date(struct buffer *out, int64_t date_s)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t time = (time_t)date_s;
    struct tm parts = {0};
    gmtime_r(&time, &parts);
    buffer_appendf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[parts.tm_wday],
                   parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                   parts.tm_min, parts.tm_sec);
}

static void append_id(struct buffer *out, const struct message *message)
{
    const char *at = strrchr(message->from, '@');
    buffer_append_text(out, "Message-ID: <");
    for (size_t i = 0; i < OUTBOX_ID_BYTES; i++)
        buffer_appendf(out, "%02x", message->id[i]);
    buffer_append_char(out, '@');
    append_address(out, at != NULL ? at + 1 : "localhost");
    buffer_append_text(out, ">\r\n");
}

/* ---- body ---- */

static bool is_plain_body(const char *body)
{
    size_t column = 0;
    for (const char *at = body; *at != '\0'; at++) {
        if ((is_control((unsigned char)*at) && *at != '\n' && *at != '\t') ||
            (unsigned char)*at > 0x7e)
            return false;
        column = *at == '\n' ? 0 : column + 1;
        if (column > LINE_MAX_BYTES - 2)
            return false;
    }
    return true;
}

static void append_plain_body(struct buffer *out, const char *body)
{
    for (const char *at = body; *at != '\0'; at++)
        if (*at == '\n')
            buffer_append_text(out, "\r\n");
        else
            buffer_append_char(out, *at);
}

/* RFC 2045 6.7. Other controls than line ends and tabs become "?". */
static void append_quoted_printable(struct buffer *out, const char *body)
{
    size_t column = 0;
    for (const char *at = body; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        bool is_blank = byte == ' ' || byte == '\t';
        bool is_bare = (byte > ' ' && byte <= 0x7e && byte != '=') ||
                       (is_blank && at[1] != '\n' && at[1] != '\0');
        if (byte == '\n') {
            buffer_append_text(out, "\r\n");
            column = 0;
            continue;
        }
        if (column + (is_bare ? 1 : 3) > LINE_WANTED_BYTES - 1) {
            buffer_append_text(out, "=\r\n");
            column = 0;
        }
        if (is_bare)
            buffer_append_char(out, (char)byte);
        else
            append_hex(out, is_control(byte) && !is_blank ? '?' : byte);
        column += is_bare ? 1 : 3;
    }
}

void message_write(const struct message *message, struct buffer *out)
{
    bool is_plain_text = is_plain_body(message->body);
    append_date(out, message->date_s);
    buffer_append_text(out, "From: lpalias <");
    append_address(out, message->from);
    buffer_append_text(out, ">\r\nTo: ");
    append_address(out, message->to);
    buffer_append_text(out, "\r\n");
    append_text_header(out, "Subject", message->subject);
    append_id(out, message);
    /* RFC 3834 5: no vacation program shall answer. */
    buffer_append_text(out, "Auto-Submitted: auto-generated\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Content-Type: text/plain; charset=UTF-8\r\n");
    buffer_appendf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
                   is_plain_text ? "7bit" : "quoted-printable");
    if (is_plain_text)
        append_plain_body(out, message->body);
    else
        append_quoted_printable(out, message->body);
    if (message->body[0] == '\0' || message->body[strlen(message->body) - 1] != '\n')
        buffer_append_text(out, "\r\n");
}
