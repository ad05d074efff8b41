#include "tool/virtual_text.h"

#include <string.h>

#include "address/address.h"

#define BLANKS     " \t\r\v\f"
#define SEPARATORS BLANKS "\n,"

/* Where reading stands. */
struct virtual_text {
    struct span rest; /* lines not read yet */
    unsigned line;    /* number of the line that was taken last */
};

static bool is_blank(char byte)
{
    return byte != '\0' && strchr(BLANKS, byte) != NULL;
}

static struct span trim(struct span text)
{
    while (text.length != 0 && is_blank(text.data[0]))
        text = (struct span){text.data + 1, text.length - 1};
    while (text.length != 0 && is_blank(text.data[text.length - 1]))
        text.length--;
    return text;
}

/* The next line without its newline; false at the end. */
static bool take_line(struct virtual_text *reader, struct span *ret)
{
    if (reader->rest.length == 0)
        return false;
    const char *end = memchr(reader->rest.data, '\n', reader->rest.length);
    size_t length = end != NULL ? (size_t)(end - reader->rest.data) : reader->rest.length;
    size_t used = end != NULL ? length + 1 : length;
    *ret = (struct span){reader->rest.data, length};
    reader->rest = (struct span){reader->rest.data + used, reader->rest.length - used};
    reader->line++;
    return true;
}

static bool is_ignored(struct span line)
{
    struct span text = trim(line);
    return text.length == 0 || text.data[0] == '#';
}

/*
 * The next logical line, continuations and all, into out. An ignored line does not end it, as it
 * does not for Postfix. False at the end.
 */
static bool take_logical_line(struct virtual_text *reader, struct buffer *out, unsigned *ret_line)
{
    struct span line;
    buffer_clear(out);
    do
        if (!take_line(reader, &line))
            return false;
    while (is_ignored(line));
    *ret_line = reader->line;
    buffer_append(out, line.data, line.length);
    for (;;) {
        struct virtual_text ahead = *reader;
        if (!take_line(&ahead, &line) || (!is_ignored(line) && !is_blank(line.data[0])))
            return true;
        *reader = ahead;
        if (is_ignored(line))
            continue;
        buffer_append_char(out, '\n');
        buffer_append(out, line.data, line.length);
    }
}

/* "example.org anything" declares a domain; with a target it is an alias without a domain. */
static bool is_domain_line(struct span key, struct span value)
{
    char ignored[ADDRESS_DOMAIN_MAX_BYTES + 1];
    return memchr(key.data, '.', key.length) != NULL &&
           address_domain_to_alabel(key.data, key.length, ignored) &&
           (value.length == 0 || memchr(value.data, '@', value.length) == NULL);
}

static void add_line(struct alias_file *file, unsigned number, struct span text)
{
    struct span key = {text.data, alias_file_word_length(text, BLANKS "\n")};
    struct span value = {text.data + key.length, text.length - key.length};
    if (memchr(key.data, '@', key.length) == NULL) {
        if (is_domain_line(key, value))
            file->domain_lines++;
        else
            alias_file_add_fault(file, number, "the address has no domain");
        return;
    }
    alias_file_add_row(file, number, key);
    alias_file_add_targets(file, value, SEPARATORS);
    if (file->rows[file->row_count - 1].target_count == 0)
        alias_file_drop_row(file, "there is no target");
}

void virtual_text_read(struct span text, struct alias_file *file)
{
    struct virtual_text reader = {.rest = text};
    CLEANUP(buffer_finish) struct buffer logical = {0};
    unsigned line;
    while (take_logical_line(&reader, &logical, &line)) {
        if (is_blank(logical.data[0]))
            alias_file_add_fault(file, line, "it continues a line, but there is none before it");
        else
            add_line(file, line, (struct span){logical.data, logical.length});
    }
}
