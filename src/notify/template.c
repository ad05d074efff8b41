#include "notify/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "notify/builtin.h"

#define SUBJECT "Subject:"
#define SUFFIX  ".txt"
#define OTHER   "other" /* the text for what has none of its own */

static const char *const names[VALUE_COUNT] = {
    [VALUE_ADDRESS] = "address",
    [VALUE_ADVICE] = "advice",
    [VALUE_CONTACT] = "contact",
    [VALUE_DATE] = "date",
    [VALUE_DETAIL] = "detail",
    [VALUE_DOMAIN] = "domain",
    [VALUE_GRACE] = "grace",
    [VALUE_GRACE_END] = "grace-end",
    [VALUE_KIND] = "kind",
    [VALUE_LINK] = "link",
    [VALUE_NAME] = "name",
    [VALUE_REASON] = "reason",
    [VALUE_REASON_WORD] = "reason-word",
    [VALUE_TEAM] = "team",
    [VALUE_TOPIC] = "topic",
};

void template_values_finish(struct template_values *values)
{
    for (size_t i = 0; i < VALUE_COUNT; i++)
        buffer_finish(&values->texts[i]);
}

void template_finish(struct template *template)
{
    free(template->subject);
    free(template->body);
    *template = (struct template){0};
}

/* ---- placeholders ---- */

/* The value of the placeholder whose name begins at text, or VALUE_COUNT. */
static enum template_value find_value(const char *text, size_t length)
{
    size_t i = 0;
    while (i < VALUE_COUNT && (strlen(names[i]) != length || strncmp(names[i], text, length) != 0))
        i++;
    return (enum template_value)i;
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;
    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static bool check_placeholders(const char *text, struct error *error)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at, '{')) {
        size_t length = strcspn(at + 1, "{}\n");
        if (at[1] == '{') {
            at += 2;
            continue;
        }
        if (at[1 + length] != '}')
            return error_set(error, ERROR_INVALID,
                             "line %u: \"{\" without \"}\"; write \"{{\" for a brace",
                             line_of(text, at));
        if (find_value(at + 1, length) == VALUE_COUNT)
            return error_set(error, ERROR_INVALID, "line %u: unknown placeholder {%.*s}",
                             line_of(text, at), length < 40 ? (int)length : 40, at + 1);
        at += 1 + length;
    }
    return true;
}

static void append_value(struct buffer *out, const struct buffer *value)
{
    for (size_t i = 0; i < value->length; i++) {
        unsigned char byte = (unsigned char)value->data[i];
        buffer_append_char(out, byte < ' ' || byte == 0x7f ? ' ' : (char)byte);
    }
}

void template_fill(const char *text, const struct template_values *values, struct buffer *out)
{
    for (const char *at = text; *at != '\0';) {
        size_t plain = strcspn(at, "{");
        buffer_append(out, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        size_t length = strcspn(at + 1, "{}\n");
        enum template_value value = find_value(at + 1, length);
        if (at[1] == '{' || at[1 + length] != '}' || value == VALUE_COUNT) {
            buffer_append_char(out, '{');
            at += at[1] == '{' ? 2 : 1;
            continue;
        }
        append_value(out, &values->texts[value]);
        at += length + 2;
    }
}

/* ---- one text ---- */

static void drop_carriage_returns(char *text)
{
    char *out = text;
    for (const char *at = text; *at != '\0'; at++)
        if (*at != '\r' || at[1] != '\n')
            *out++ = *at;
    *out = '\0';
}

bool template_parse(const char *text, struct template *ret, struct error *error)
{
    CLEANUP(memory_free_at) char *copy = memory_copy_text(text);
    drop_carriage_returns(copy);
    if (!text_is_utf8(copy, strlen(copy)))
        return error_set(error, ERROR_INVALID, "is not UTF-8");
    if (!check_placeholders(copy, error))
        return false;
    char *end = strchr(copy, '\n');
    const char *subject = copy + strlen(SUBJECT);
    if (strncmp(copy, SUBJECT, strlen(SUBJECT)) != 0 || end == NULL)
        return error_set(error, ERROR_INVALID, "line 1: wanted \"" SUBJECT " ...\"");
    *end = '\0';
    subject += strspn(subject, " \t");
    if (*subject == '\0')
        return error_set(error, ERROR_INVALID, "line 1: the subject is empty");
    if (end[1] != '\n')
        return error_set(error, ERROR_INVALID, "line 2: wanted an empty line behind the subject");
    const char *body = end + 1 + strspn(end + 1, "\n");
    if (*body == '\0')
        return error_set(error, ERROR_INVALID, "there is no text behind the subject");
    *ret = (struct template){memory_copy_text(subject), memory_copy_text(body)};
    return true;
}

/* ---- all texts ---- */

struct template_set {
    struct template *items; /* in the order of builtin_texts */
};

static void read_builtin(struct template_set *set)
{
    struct error error;
    for (size_t i = 0; i < builtin_text_count; i++)
        if (!template_parse(builtin_texts[i].text, &set->items[i], &error))
            abort(); /* tests/unit/notify parses each of them */
}

/* The place of the text that a file of that name stands in for; builtin_text_count: of none. */
static size_t find_text(const char *name, size_t length)
{
    size_t i = 0;
    while (i < builtin_text_count && (strlen(builtin_texts[i].name) != length ||
                                      strncmp(builtin_texts[i].name, name, length) != 0))
        i++;
    return i;
}

static bool read_file(struct template_set *set, const char *directory, const char *name,
                      struct error *error)
{
    struct buffer path = {0};
    char *text = NULL;
    size_t length;
    struct template read;
    size_t place = find_text(name, strlen(name) - strlen(SUFFIX));
    if (place == builtin_text_count)
        return error_set(error, ERROR_INVALID, "%s/%s: there is no text of that name", directory,
                         name);
    buffer_appendf(&path, "%s/%s", directory, name);
    bool is_fine =
        file_read(buffer_text(&path), TEMPLATE_FILE_MAX_BYTES, &text, &length, error) &&
        (template_parse(text, &read, error) || error_prefix(error, "%s", buffer_text(&path)));
    if (is_fine) {
        template_finish(&set->items[place]);
        set->items[place] = read;
    }
    free(text);
    buffer_finish(&path);
    return is_fine;
}

static bool has_suffix(const char *name)
{
    size_t length = strlen(name);
    return length > strlen(SUFFIX) && strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void read_directory(struct template_set *set, const char *directory,
                           template_complain *complain, void *context)
{
    struct error error = {0};
    DIR *files = opendir(directory);
    if (files == NULL) {
        error_set(&error, ERROR_TEMPORARY, "cannot read %s: %s", directory, strerror(errno));
        complain(context, error.text);
        return;
    }
    for (const struct dirent *entry = readdir(files); entry != NULL; entry = readdir(files))
        if (entry->d_name[0] != '.' && has_suffix(entry->d_name) &&
            !read_file(set, directory, entry->d_name, &error))
            complain(context, error.text);
    closedir(files);
}

struct template_set *template_set_create(const char *directory, template_complain *complain,
                                         void *context)
{
    struct template_set *set = memory_new(1, sizeof(*set));
    set->items = memory_new(builtin_text_count, sizeof(*set->items));
    read_builtin(set);
    if (directory != NULL)
        read_directory(set, directory, complain, context);
    return set;
}

void template_set_destroy(struct template_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < builtin_text_count; i++)
        template_finish(&set->items[i]);
    free(set->items);
    free(set);
}

const struct template *template_set_find(const struct template_set *set, struct span kind,
                                         const char *audience)
{
    struct buffer name = {0};
    buffer_appendf(&name, "%.*s.%s", (int)kind.length, kind.data, audience);
    size_t place = find_text(name.data, name.length);
    buffer_finish(&name);
    if (place == builtin_text_count)
        place = find_text(OTHER, strlen(OTHER));
    return &set->items[place];
}
