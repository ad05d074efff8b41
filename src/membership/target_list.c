#include "membership/target_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define MARKS_LENGTH 3 /* "o+ " before the address */

static const char source_letters[] = {
    [TARGET_SOURCE_LAUNCHPAD] = 'l',
    [TARGET_SOURCE_PERSON] = 'p',
    [TARGET_SOURCE_OPERATOR] = 'o',
};

static enum target_source source_of(char letter)
{
    for (enum target_source source = TARGET_SOURCE_LAUNCHPAD; source <= TARGET_SOURCE_OPERATOR;
         source++)
        if (source_letters[source] == letter)
            return source;
    return TARGET_SOURCE_NONE;
}

static void insert(struct target_list *list, struct target_entry entry)
{
    list->entries =
        memory_grow(list->entries, list->count, &list->capacity, sizeof(*list->entries));
    size_t at = list->count++;
    for (; at != 0 && list->entries[at - 1].source < entry.source; at--)
        list->entries[at] = list->entries[at - 1];
    list->entries[at] = entry;
}

void target_list_add(struct target_list *list, enum target_source source, bool is_proven,
                     const char *address)
{
    for (size_t i = 0; i < list->count; i++) {
        struct target_entry *entry = &list->entries[i];
        if (entry->source == source && strcmp(entry->address, address) == 0) {
            entry->is_proven = entry->is_proven || is_proven;
            return;
        }
    }
    insert(list, (struct target_entry){source, is_proven, memory_copy_text(address)});
}

void target_list_clear_source(struct target_list *list, enum target_source source)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].source == source)
            free(list->entries[i].address);
        else
            list->entries[kept++] = list->entries[i];
    }
    list->count = kept;
}

void target_list_remove(struct target_list *list, enum target_source source, const char *address)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct target_entry *entry = &list->entries[i];
        if (entry->source == source && strcmp(entry->address, address) == 0)
            free(entry->address);
        else
            list->entries[kept++] = *entry;
    }
    list->count = kept;
}

/* One line as it is sealed; in layout 1 only the address, of the row's one source. */
static bool read_line(struct target_list *list, const struct person_record *person,
                      const char *line)
{
    if (person->stamp.layout == 1) {
        target_list_add(list, person->target_source, true, line);
        return true;
    }
    enum target_source source = source_of(line[0]);
    if (source == TARGET_SOURCE_NONE || (line[1] != '+' && line[1] != '?') || line[2] != ' ' ||
        line[MARKS_LENGTH] == '\0')
        return false;
    target_list_add(list, source, line[1] == '+', line + MARKS_LENGTH);
    return true;
}

bool target_list_open(const struct keyring *ring, const char *name,
                      const struct person_record *person, struct target_list *ret,
                      struct error *error)
{
    struct buffer plain = {0};
    *ret = (struct target_list){0};
    if (person->sealed_targets.length == 0)
        return true;
    enum unseal_result result = keyring_unseal_person(ring, name, person->sealed_targets, &plain);
    bool is_fine = result == UNSEAL_DONE || unseal_result_to_error(result, error);
    char *rest = NULL;
    buffer_text(&plain);
    for (char *line = is_fine ? strtok_r(plain.data, "\n", &rest) : NULL; line != NULL && is_fine;
         line = strtok_r(NULL, "\n", &rest))
        is_fine = read_line(ret, person, line) ||
                  error_set(error, ERROR_INVALID, "the sealed targets are no list of targets");
    buffer_finish(&plain);
    return is_fine || error_prefix(error, "person %s", name);
}

void target_list_seal(const struct target_list *list, const struct keyring *ring, const char *name,
                      struct buffer *sealed, struct person_record *person)
{
    struct buffer plain = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct target_entry *entry = &list->entries[i];
        buffer_appendf(&plain, "%s%c%c %s", i == 0 ? "" : "\n", source_letters[entry->source],
                       entry->is_proven ? '+' : '?', entry->address);
    }
    buffer_clear(sealed);
    if (plain.length != 0)
        keyring_seal_person(ring, name, (struct span){plain.data, plain.length}, sealed);
    buffer_finish(&plain);
    person->stamp.layout = RECORD_LAYOUT_VERSION;
    person->sealed_targets = (struct span){sealed->data, sealed->length};
    struct buffer unused = {0};
    person->target_source = target_list_used(list, &unused);
    buffer_finish(&unused);
}

bool target_list_equal(const struct target_list *a, const struct target_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->entries[i].source != b->entries[i].source ||
            a->entries[i].is_proven != b->entries[i].is_proven ||
            strcmp(a->entries[i].address, b->entries[i].address) != 0)
            return false;
    return true;
}

enum target_source target_list_used(const struct target_list *list, struct buffer *lines)
{
    enum target_source source = TARGET_SOURCE_NONE;
    for (size_t i = 0; i < list->count && source == TARGET_SOURCE_NONE; i++)
        if (list->entries[i].is_proven)
            source = list->entries[i].source;
    for (size_t i = 0; i < list->count; i++) {
        const struct target_entry *entry = &list->entries[i];
        if (entry->source != source || !entry->is_proven)
            continue;
        buffer_append_text(lines, lines->length == 0 ? "" : "\n");
        buffer_append_text(lines, entry->address);
    }
    return source;
}

void target_list_finish(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].address);
    free(list->entries);
    *list = (struct target_list){0};
}
