/* What a table of Postfix holds of a real cache, and what it is said to lose. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/changeset.h"
#include "tool/native_table.h"

#define DOMAIN "ubuntu.com"

static const struct alias_record
    dropping = {.kind = ALIAS_MEMBER, .state = ALIAS_ACTIVE, .extension = EXTENSION_DROP},
    refusing = {.kind = ALIAS_STATIC, .state = ALIAS_ACTIVE, .extension = EXTENSION_REFUSE},
    appending = {.kind = ALIAS_MEMBER, .state = ALIAS_ACTIVE, .extension = EXTENSION_APPEND},
    operators = {.kind = ALIAS_STATIC, .state = ALIAS_ACTIVE, .extension = EXTENSION_DROP},
    delivered = {.kind = ALIAS_MEMBER,
                 .state = ALIAS_LEAVING,
                 .deliver = true,
                 .extension = EXTENSION_APPEND},
    rejected = {.kind = ALIAS_MEMBER, .state = ALIAS_LEAVING, .extension = EXTENSION_APPEND},
    gone = {.kind = ALIAS_MEMBER, .state = ALIAS_GONE, .extension = EXTENSION_APPEND},
    taken = {.kind = ALIAS_MEMBER,
             .state = ALIAS_REFUSED,
             .reason = REASON_TAKEN,
             .extension = EXTENSION_APPEND};

struct named_alias {
    const char *local; /* NULL: the end */
    const struct alias_record *record;
};

static const struct {
    const char *name;
    struct named_alias aliases[4];
    char *catch_all, *delimiter;
    bool is_text;
    const char *entries; /* keys that are no role, in the order of the table */
    const char *losses;  /* "KIND:COUNT" */
} cases[] = {
    {"append", {{"jdoe", &appending}}, NULL, "+", false, "jdoe@", ""},
    {"leaving and delivered", {{"jdoe", &delivered}}, NULL, "+", false, "jdoe@", ""},
    {"leaving and refused", {{"jdoe", &rejected}}, NULL, "+", false, "", ""},
    {"a member's choice to drop", {{"jdoe", &dropping}}, NULL, "+", false, "jdoe@", "3:1"},
    {"a refused extension", {{"press", &refusing}}, NULL, "+", false, "press@", "3:1"},
    {"without extensions", {{"a", &refusing}, {"b+c", &dropping}}, NULL, "", false, "a@ b+c@", ""},
    {"the operator's", {{"press", &operators}}, NULL, "+", false, "press@", ""},
    {"a catch-all alone", {{"jdoe", &appending}}, "all@x.org", "+", false, "@ jdoe@", ""},
    {"a catch-all beside the dead",
     {{"a", &gone}, {"b", &rejected}, {"c", &taken}},
     "all@x.org",
     "+",
     false,
     "@",
     "2:2"},
    {"a delimiter in a live name", {{"a+b", &appending}}, NULL, "+", false, "a+b@", "4:1"},
    {"a dead one behind a live name",
     {{"a", &appending}, {"a+b", &gone}},
     NULL,
     "+",
     false,
     "a@",
     "4:1"},
    {"one that gives way", {{"a", &appending}, {"a+b", &taken}}, NULL, "+", false, "a@", ""},
    {"a dead one behind nobody", {{"a+b", &gone}}, NULL, "+", false, "", ""},
    {"behind a role", {{"abuse", &appending}, {"abuse+b", &gone}}, NULL, "+", false, "", ""},
    {"a comment in a text", {{"#a", &appending}}, NULL, "+", true, "", "6:1"},
    {"none in a database", {{"#a", &appending}}, NULL, "+", false, "#a@", ""},
};

struct planning {
    const struct named_alias *aliases;
    const struct keyring *ring;
};

static bool plan(void *context, struct snapshot *snapshot, struct changeset *changeset,
                 struct error *error)
{
    const struct planning *planning = context;
    (void)snapshot, (void)error;
    changeset_put_domain(changeset, DOMAIN, &(struct domain_record){.is_open = true});
    for (const struct named_alias *alias = planning->aliases; alias->local != NULL; alias++) {
        CLEANUP(buffer_finish) struct buffer sealed = {0};
        struct alias_record record = *alias->record;
        keyring_seal_alias(planning->ring, DOMAIN, span_of(alias->local), span_of("to@x.org"),
                           &sealed);
        record.sealed_targets = (struct span){sealed.data, sealed.length};
        changeset_put_alias(changeset, DOMAIN, alias->local, &record);
    }
    return true;
}

static bool is_shipped_role(const char *key)
{
    return strcmp(key, DOMAIN) == 0 || strncmp(key, "abuse@", 6) == 0 ||
           strncmp(key, "postmaster@", 11) == 0;
}

/* The table in words. */
static void describe(const struct native_table *table, struct buffer *entries,
                     struct buffer *losses)
{
    for (size_t i = 0; i < table->entry_count; i++) {
        const struct postfix_map_entry *entry = &table->entries[i];
        if (strcmp(entry->value, "alerts@x.org") == 0 || is_shipped_role(entry->key))
            continue;
        buffer_appendf(entries, "%s%.*s", entries->length == 0 ? "" : " ",
                       (int)(strlen(entry->key) - strlen(DOMAIN)), entry->key);
    }
    for (size_t i = 0; i < table->loss_count; i++)
        buffer_appendf(losses, "%s%d:%zu", i == 0 ? "" : " ", table->losses[i].kind,
                       table->losses[i].name_count);
}

static void check_case(size_t number, struct store *store, const struct keyring *ring)
{
    struct error error = {0};
    struct store_update_result result;
    struct planning planning = {cases[number].aliases, ring};
    struct config_domain domain = {.name = DOMAIN, .catch_all = cases[number].catch_all};
    struct config config = {.alerts = "alerts@x.org",
                            .domains = &domain,
                            .domain_count = 1,
                            .server = {.recipient_delimiter = cases[number].delimiter}};
    struct domain_standing standing = {.name = DOMAIN, .is_configured = true, .is_open = true};
    struct console_progress progress;
    CLEANUP(native_table_finish) struct native_table table = {0};
    CLEANUP(buffer_finish) struct buffer entries = {0};
    CLEANUP(buffer_finish) struct buffer losses = {0};
    struct snapshot *snapshot = NULL;
    console_progress_begin(&progress, "");
    if (!store_update(store, plan, &planning, &result, &error) ||
        !snapshot_begin(store, &snapshot, &error))
        fail_msg("%s", error.text);
    struct native_source source = {&config, ring, snapshot, &progress, cases[number].is_text};
    bool is_added = native_table_add_domain(&table, &source, &standing, &error);
    snapshot_end(snapshot);
    if (!is_added)
        fail_msg("%s", error.text);
    describe(&table, &entries, &losses);
    if (strcmp(buffer_text(&entries), cases[number].entries) != 0 ||
        strcmp(buffer_text(&losses), cases[number].losses) != 0)
        fail_msg("%s: entries \"%s\", losses \"%s\"", cases[number].name, buffer_text(&entries),
                 buffer_text(&losses));
}

static void remove_cache(const char *directory)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "generation"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        unlink(path);
    }
    rmdir(directory);
}

static void check_all(const char *directory, const struct keyring *ring)
{
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = {0};
        struct store *store;
        char path[96];
        snprintf(path, sizeof(path), "%s/%zu", directory, i);
        if (!store_open(path, STORE_WRITE, 16 << 20, &store, &error))
            fail_msg("%s", error.text);
        check_case(i, store, ring);
        store_close(store);
        remove_cache(path);
    }
}

static void tables_hold_what_postfix_can_say(void **state)
{
    struct error error = {0};
    struct keyring *ring = NULL;
    char directory[] = "/tmp/lpalias-unit-XXXXXX";
    char keys[64];
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(keys, sizeof(keys), "%s/keys", directory);
    if (!keyring_generate(keys, (gid_t)-1, &error) || !keyring_read(keys, &ring, &error))
        fail_msg("%s", error.text);
    check_all(directory, ring);
    keyring_destroy(ring);
    unlink(keys);
    rmdir(directory);
}

/* A value that no key opens is no empty target. */
static void a_table_without_a_target_is_none(void **state)
{
    struct error error = {0};
    struct keyring *ring = NULL, *other = NULL;
    struct store *store;
    struct snapshot *snapshot = NULL;
    struct store_update_result result;
    char directory[] = "/tmp/lpalias-unit-XXXXXX";
    char keys[64];
    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(keys, sizeof(keys), "%s/keys", directory);
    assert_true(keyring_generate(keys, (gid_t)-1, &error) && keyring_read(keys, &ring, &error));
    unlink(keys);
    assert_true(keyring_generate(keys, (gid_t)-1, &error) && keyring_read(keys, &other, &error));
    struct planning planning = {cases[0].aliases, other};
    assert_true(store_open(directory, STORE_WRITE, 16 << 20, &store, &error));
    assert_true(store_update(store, plan, &planning, &result, &error));
    assert_true(snapshot_begin(store, &snapshot, &error));
    CLEANUP(native_table_finish) struct native_table table = {0};
    struct config config = {.alerts = "alerts@x.org", .server = {.recipient_delimiter = "+"}};
    struct domain_standing standing = {.name = DOMAIN};
    struct console_progress progress;
    console_progress_begin(&progress, "");
    struct native_source source = {&config, ring, snapshot, &progress, false};
    assert_false(native_table_add_domain(&table, &source, &standing, &error));
    assert_true(strncmp(error.text, "the targets of jdoe@ubuntu.com: ", 32) == 0);
    snapshot_end(snapshot);
    store_close(store);
    keyring_destroy(ring);
    keyring_destroy(other);
    unlink(keys);
    remove_cache(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_hold_what_postfix_can_say),
        cmocka_unit_test(a_table_without_a_target_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
