#include "launchpad/page.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "launchpad/link.h"

#define SMALL  "abcdefghijklmnopqrstuvwxyz"
#define LARGE  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define ADDRESS_LOCAL_MAX_BYTES  64  /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_DOMAIN_MAX_BYTES 253 /* RFC 1035 2.3.4 */

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",  [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static bool is_redacted(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), PAGE_REDACTED) == 0;
}

/* Says what is there instead of the wanted type. */
static bool refuse_field(const json_t *value, const char *key, const char *wanted,
                         struct error *error)
{
    if (value == NULL)
        return error_set(error, ERROR_INVALID, "%s is missing", key);
    if (is_redacted(value))
        return error_set(error, ERROR_INVALID, "%s is redacted", key);
    return error_set(error, ERROR_INVALID, "%s is %s, not %s", key, type_name(value), wanted);
}

static bool read_bool(const json_t *object, const char *key, bool *ret, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        return refuse_field(value, key, "true or false", error);
    *ret = json_is_true(value);
    return true;
}

static bool read_count(const json_t *object, const char *key, size_t *ret, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return refuse_field(value, key, "a whole number", error);
    if (json_integer_value(value) < 0)
        return error_set(error, ERROR_INVALID, "%s is negative", key);
    *ret = (size_t)json_integer_value(value);
    return true;
}

static bool read_text(const json_t *object, const char *key, const char **ret, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) || is_redacted(value))
        return refuse_field(value, key, "a string", error);
    *ret = json_string_value(value);
    return true;
}

static bool read_date_us(const json_t *object, const char *key, int64_t *ret_us,
                         struct error *error)
{
    const char *text;
    if (!read_text(object, key, &text, error))
        return false;
    if (!timestamp_parse_iso_us(text, ret_us))
        return error_set(error, ERROR_INVALID, "%s is no date", key);
    return true;
}

bool page_is_name(const char *name)
{
    static const char first[] = SMALL DIGITS;
    static const char others[] = SMALL DIGITS "+.-";
    return *name != '\0' && strchr(first, *name) != NULL && name[strspn(name, others)] == '\0';
}

static bool is_domain_label(const char *label, size_t length)
{
    return length != 0 && label[0] != '-' && label[length - 1] != '-';
}

bool page_is_address(const char *address)
{
    size_t local_length = strspn(address, SMALL LARGE DIGITS "_.-+=");
    if (local_length == 0 || local_length > ADDRESS_LOCAL_MAX_BYTES || address[local_length] != '@')
        return false;
    const char *label = address + local_length + 1;
    if (strlen(label) > ADDRESS_DOMAIN_MAX_BYTES)
        return false;
    for (;;) {
        size_t length = strspn(label, SMALL LARGE DIGITS "-");
        if (!is_domain_label(label, length) || (label[length] != '.' && label[length] != '\0'))
            return false;
        if (label[length] == '\0')
            return true;
        label += length + 1;
    }
}

static bool read_name(const json_t *object, char **ret_name, struct error *error)
{
    const char *name;
    if (!read_text(object, "name", &name, error))
        return false;
    if (!page_is_name(name))
        return error_set(error, ERROR_INVALID, "name is no Launchpad name");
    *ret_name = memory_copy_text(name);
    return true;
}

/* Puts the address behind the name: a listing of very many people is one allocation a person. */
static void keep_address(struct page_entry *entry, const char *address)
{
    size_t name_bytes = strlen(entry->name) + 1, address_bytes = strlen(address) + 1;
    entry->name = memory_resize(entry->name, name_bytes + address_bytes, 1);
    memcpy(entry->name + name_bytes, address, address_bytes);
    entry->preferred = LISTING_PREFERRED_ADDRESS;
    entry->address = entry->name + name_bytes;
}

/* An address by another rule is nothing that we use, and no sign of a broken listing. */
static bool read_preferred(const json_t *object, const char *email_api, struct page_entry *entry,
                           struct error *error)
{
    static const char key[] = "preferred_email_address_link";
    const json_t *value = json_object_get(object, key);
    const char *link;
    struct buffer address = {0};
    if (is_redacted(value))
        return true;
    if (json_is_null(value)) {
        entry->preferred = LISTING_PREFERRED_NONE;
        return true;
    }
    if (!read_text(object, key, &link, error))
        return false;
    bool is_read = link_read_email(email_api, entry->name, link, &address, error);
    if (is_read && page_is_address(buffer_text(&address)))
        keep_address(entry, buffer_text(&address));
    buffer_finish(&address);
    return is_read || error_prefix(error, "%s", key);
}

static bool read_person(const json_t *object, const char *email_api, struct page_entry *entry,
                        struct error *error)
{
    return read_bool(object, "is_valid", &entry->is_valid, error) &&
           read_bool(object, "is_ubuntu_coc_signer", &entry->is_ubuntu_coc_signer, error) &&
           read_date_us(object, "date_created", &entry->date_created_us, error) &&
           (email_api == NULL || read_preferred(object, email_api, entry, error));
}

static bool read_entry(const json_t *object, const char *email_api, struct page_entry *entry,
                       struct error *error)
{
    if (!json_is_object(object))
        return error_set(error, ERROR_INVALID, "it is %s, not an object", type_name(object));
    if (!read_bool(object, "is_team", &entry->is_team, error) ||
        !read_name(object, &entry->name, error))
        return false;
    if (!entry->is_team)
        return read_person(object, email_api, entry, error);
    /* A sub-team that we may not look at is no sign of a broken listing. */
    struct error ignored;
    if (!read_date_us(object, "date_created", &entry->date_created_us, &ignored))
        entry->date_created_us = 0;
    return true;
}

static bool read_entries(const json_t *root, const char *email_api, struct page *page,
                         struct error *error)
{
    const json_t *array = json_object_get(root, "entries");
    if (!json_is_array(array))
        return refuse_field(array, "entries", "an array", error);
    size_t count = json_array_size(array);
    page->entries = memory_new(count, sizeof(*page->entries));
    for (size_t i = 0; i < count; i++) {
        page->entry_count++; /* its name is freed, whatever follows */
        if (!read_entry(json_array_get(array, i), email_api, &page->entries[i], error))
            return error_prefix(error, "entry %zu", i);
    }
    return true;
}

/* Absent on the last page; null is something else (facts 3.1). */
static bool read_next(const json_t *root, char **ret_next, struct error *error)
{
    const char *next;
    *ret_next = NULL;
    if (json_object_get(root, "next_collection_link") == NULL)
        return true;
    if (!read_text(root, "next_collection_link", &next, error))
        return false;
    *ret_next = memory_copy_text(next);
    return true;
}

/* The body as a JSON object, to be released by the caller. jansson limits the depth itself. */
static bool load_object(struct span body, json_t **ret_root, struct error *error)
{
    json_error_t problem;
    json_t *root = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL && body.length == 0)
        return error_set(error, ERROR_INVALID, "the body is empty");
    if (root == NULL)
        return error_set(error, ERROR_INVALID, "no JSON at byte %d of %zu: %s", problem.position,
                         body.length, problem.text);
    if (!json_is_object(root)) {
        error_set(error, ERROR_INVALID, "the body is %s, not an object", type_name(root));
        json_decref(root);
        return false;
    }
    *ret_root = root;
    return true;
}

bool page_read(struct span body, const char *email_api, struct page *ret_page, struct error *error)
{
    json_t *root;
    if (!load_object(body, &root, error))
        return false;
    struct page page = {0};
    bool ok = read_count(root, "total_size", &page.total_size, error) &&
              read_count(root, "start", &page.start, error) && read_next(root, &page.next, error) &&
              read_entries(root, email_api, &page, error);
    json_decref(root);
    if (ok)
        *ret_page = page;
    else
        page_finish(&page);
    return ok;
}

void page_finish(struct page *page)
{
    for (size_t i = 0; i < page->entry_count; i++)
        free(page->entries[i].name);
    free(page->entries);
    free(page->next);
    *page = (struct page){0};
}

bool page_read_team(struct span body, struct page_team *ret_team, struct error *error)
{
    json_t *root;
    if (!load_object(body, &root, error))
        return false;
    struct page_team team = {0};
    bool ok = read_bool(root, "is_team", &team.is_team, error) &&
              read_date_us(root, "date_created", &team.date_created_us, error) &&
              read_name(root, &team.name, error);
    json_decref(root);
    if (ok)
        *ret_team = team;
    return ok;
}

bool page_read_person(struct span body, struct page_entry *ret_person, bool *ret_is_there,
                      struct error *error)
{
    json_t *root = json_loadb(body.data, body.length, JSON_DECODE_ANY, NULL);
    struct page_entry person = {0};
    bool is_null = json_is_null(root);
    json_decref(root);
    *ret_is_there = !is_null;
    if (is_null)
        return true;
    if (!load_object(body, &root, error))
        return false;
    bool ok = read_entry(root, NULL, &person, error);
    json_decref(root);
    if (ok && person.is_team)
        ok = error_set(error, ERROR_INVALID, "it is a team, not a person");
    if (ok)
        *ret_person = person;
    else
        free(person.name);
    return ok;
}

void page_team_finish(struct page_team *team)
{
    free(team->name);
    *team = (struct page_team){0};
}
