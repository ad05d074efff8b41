#include "tool/targets.h"

#include <string.h>

#include "membership/target_list.h"
#include "tool/console.h"
#include "tool/json_output.h"

static void count_lines(struct targets *targets)
{
    targets->is_known = true;
    for (size_t i = 0; i < targets->lines.length; i++)
        if (targets->lines.data[i] != '\n' && (i == 0 || targets->lines.data[i - 1] == '\n'))
            targets->count++;
}

void targets_open_alias(const struct keyring *ring, const char *domain, const char *local,
                        const struct alias_record *record, struct targets *ret)
{
    *ret = (struct targets){0};
    if (record->sealed_targets.length == 0 ||
        (ring != NULL && keyring_unseal_alias(ring, domain, span_of(local), record->sealed_targets,
                                              &ret->lines) == UNSEAL_DONE))
        count_lines(ret);
}

void targets_open_person(const struct keyring *ring, const char *name,
                         const struct person_record *record, struct targets *ret)
{
    struct target_list list;
    struct error ignored;
    *ret = (struct targets){0};
    if (record->sealed_targets.length == 0) {
        count_lines(ret);
    } else if (ring != NULL && target_list_open(ring, name, record, &list, &ignored)) {
        target_list_used(&list, &ret->lines);
        count_lines(ret);
        target_list_finish(&list);
    }
}

bool targets_count_sources(const struct keyring *ring, const char *name,
                           const struct person_record *record,
                           struct source_count ret[TARGET_SOURCE_OPERATOR + 1])
{
    struct target_list list = {0};
    struct error ignored;
    memset(ret, 0, (TARGET_SOURCE_OPERATOR + 1) * sizeof(*ret));
    if (record->sealed_targets.length == 0)
        return true;
    bool is_open = ring != NULL && target_list_open(ring, name, record, &list, &ignored);
    for (size_t i = 0; is_open && i < list.count; i++) {
        struct source_count *count = &ret[list.entries[i].source];
        if (list.entries[i].is_proven)
            count->proven++;
        else
            count->waiting++;
    }
    target_list_finish(&list);
    return is_open;
}

void targets_finish(struct targets *targets)
{
    buffer_finish(&targets->lines);
}

/* The line at *at and moves *at behind it; false at the end. */
static bool next_line(const struct targets *targets, size_t *at, struct span *ret)
{
    while (*at < targets->lines.length && targets->lines.data[*at] == '\n')
        ++*at;
    if (*at >= targets->lines.length)
        return false;
    const char *line = targets->lines.data + *at;
    const char *end = memchr(line, '\n', targets->lines.length - *at);
    *ret = (struct span){line, end != NULL ? (size_t)(end - line) : targets->lines.length - *at};
    *at += ret->length;
    return true;
}

void targets_append(struct buffer *out, const struct targets *targets, bool is_shown)
{
    struct span line;
    if (!targets->is_known)
        buffer_append_char(out, '?');
    else if (!is_shown || targets->count == 0)
        buffer_appendf(out, "%zu", targets->count);
    else
        for (size_t at = 0, count = 0; next_line(targets, &at, &line); count++) {
            buffer_append_text(out, count == 0 ? "" : ", ");
            buffer_append(out, line.data, line.length);
        }
}

void targets_print(const struct targets *targets, bool is_shown)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    targets_append(&text, targets, is_shown);
    console_print_field("targets", buffer_text(&text));
}

void targets_set_json(json_t *object, const struct targets *targets, bool is_shown)
{
    struct span line;
    json_object_set_new(object, "target_count",
                        targets->is_known ? json_integer((json_int_t)targets->count) : json_null());
    if (!is_shown)
        return;
    json_t *list = json_array();
    for (size_t at = 0; targets->is_known && next_line(targets, &at, &line);)
        json_array_append_new(list, json_from_span(line));
    json_object_set_new(object, "targets", list);
}
