/* launchpad_target: what a seen address makes of a person's targets, over a real cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "membership/launchpad_target.h"
#include "membership/target_list.h"

#define NAME     "ann"
#define IDENTITY 77

static const struct house_domain our_domains[] = {{.name = "ubuntu.com", .team = "ubuntumembers"}};
static const struct house house = {
    .domains = our_domains,
    .domain_count = 1,
    .recipient_delimiter = "+",
};

struct world {
    char directory[64];
    char key_file[96];
    struct store *store;
    struct keyring *ring;
};

/* Two domains; in the second one, which is not configured any more, "live" was live once. */
static bool plan_rows(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    (void)context, (void)snapshot, (void)error;
    const struct domain_record domain = {.team = span_of("team")};
    const struct membership_record never = {
        .is_member = true, .extension = EXTENSION_APPEND, .date_created_us = IDENTITY};
    struct membership_record live = never;
    live.live_since_s = 5;
    changeset_put_domain(changeset, "ubuntu.com", &domain);
    changeset_put_domain(changeset, "former.example", &domain);
    changeset_put_membership(changeset, "ubuntu.com", NAME, &never);
    changeset_put_membership(changeset, "ubuntu.com", "live", &never);
    changeset_put_membership(changeset, "former.example", "live", &live);
    return true;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct store_update_result result;
    struct error error = {0};
    strcpy(world->directory, "/tmp/lpalias-unit-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->key_file, sizeof(world->key_file), "%s/keys", world->directory);
    if (!keyring_generate(world->key_file, (gid_t)-1, &error) ||
        !keyring_read(world->key_file, &world->ring, &error) ||
        !store_open(world->directory, STORE_WRITE, 64 << 20, &world->store, &error) ||
        !store_update(world->store, plan_rows, NULL, &result, &error))
        fail_msg("%s", error.text);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    store_close(world->store);
    keyring_destroy(world->ring);
    static const char *const files[] = {"keys", "data.mdb", "lock.mdb", "generation"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", world->directory, files[i]);
        unlink(path);
    }
    rmdir(world->directory);
    free(world);
    return 0;
}

/* ---- targets as words: "o+a@h.example p?b@h.example" ---- */

static const char letters[] = {
    [TARGET_SOURCE_LAUNCHPAD] = 'l', [TARGET_SOURCE_PERSON] = 'p', [TARGET_SOURCE_OPERATOR] = 'o'};

static void seal_words(const struct world *world, const char *name, const char *words,
                       struct person_record *person, struct buffer *sealed)
{
    struct target_list list = {0};
    char *copy = strdup(words);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        for (enum target_source source = 1; source <= TARGET_SOURCE_OPERATOR; source++)
            if (letters[source] == word[0])
                target_list_add(&list, source, word[1] == '+', word + 2);
    target_list_seal(&list, world->ring, name, sealed, person);
    target_list_finish(&list);
    free(copy);
}

static char *words_of(const struct world *world, const char *name,
                      const struct person_record *person)
{
    struct target_list list;
    struct error error = {0};
    struct buffer words = {0};
    if (!target_list_open(world->ring, name, person, &list, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < list.count; i++)
        buffer_appendf(&words, "%s%c%c%s", i == 0 ? "" : " ", letters[list.entries[i].source],
                       list.entries[i].is_proven ? '+' : '?', list.entries[i].address);
    target_list_finish(&list);
    buffer_text(&words);
    return words.data;
}

struct folding {
    bool is_fine, is_changed;
    char *after;
    struct error error;
};

static struct folding fold(struct world *world, const char *name, const char *before,
                           const struct listing_person *const *seen, size_t count)
{
    struct folding folding = {.is_changed = true};
    struct person_record person = {.date_created_us = IDENTITY};
    struct buffer was_sealed = {0}, sealed = {0};
    struct error error;
    struct planning planning = {
        .house = &house,
        .ring = world->ring,
        .actor = "refresh",
        .now_s = 1000,
    };
    seal_words(world, name, before, &person, &was_sealed);
    assert_true(snapshot_begin(world->store, &planning.snapshot, &error));
    folding.is_fine = launchpad_target_fold(&planning, name, seen, count, &person, &sealed,
                                            &folding.is_changed, &folding.error);
    folding.after = words_of(world, name, &person);
    snapshot_end(planning.snapshot);
    buffer_finish(&was_sealed);
    buffer_finish(&sealed);
    return folding;
}

static struct listing_person person_who(enum listing_preferred preferred, const char *address)
{
    return (struct listing_person){.name = (char *)"ann",
                                   .date_created_us = IDENTITY,
                                   .is_valid = true,
                                   .preferred = preferred,
                                   .address = address};
}

#define UNKNOWN LISTING_PREFERRED_UNKNOWN
#define NONE    LISTING_PREFERRED_NONE
#define ADDRESS LISTING_PREFERRED_ADDRESS

static void each_sighting_counts_by_the_sources_there_are(void **state)
{
    static const struct {
        const char *words, *name, *before;
        enum listing_preferred preferred;
        const char *address;
        const char *after;
    } cases[] = {
        {"unknown changes nothing", NAME, "l+a@h.example", UNKNOWN, NULL, "l+a@h.example"},
        {"unknown brings nothing", NAME, "", UNKNOWN, NULL, ""},
        {"an address is proven", NAME, "", ADDRESS, "A@H.Example", "l+A@h.example"},
        {"another one replaces it", NAME, "l+a@h.example", ADDRESS, "b@h.example", "l+b@h.example"},
        {"also of the live", "live", "l+a@h.example", ADDRESS, "b@h.example", "l+b@h.example"},
        {"the same one changes nothing", NAME, "l+a@h.example", ADDRESS, "a@H.EXAMPLE",
         "l+a@h.example"},
        {"none takes it away", NAME, "l+a@h.example", NONE, NULL, ""},
        {"but not from the live", "live", "l+a@h.example", NONE, NULL, "l+a@h.example"},
        {"an operator is stronger", NAME, "o+o@h.example", ADDRESS, "a@h.example", "o+o@h.example"},
        {"the person is stronger", NAME, "p+p@h.example", ADDRESS, "a@h.example", "p+p@h.example"},
        {"once proven", NAME, "p?p@h.example", ADDRESS, "a@h.example",
         "p?p@h.example l+a@h.example"},
        {"what is not needed goes", NAME, "o+o@h.example l+a@h.example", ADDRESS, "a@h.example",
         "o+o@h.example"},
        {"of the live too", "live", "p+p@h.example l+a@h.example", NONE, NULL, "p+p@h.example"},
        {"none leaves others alone", NAME, "p?p@h.example l+a@h.example", NONE, NULL,
         "p?p@h.example"},
        {"our own domain is no target", NAME, "", ADDRESS, "ann@Ubuntu.COM", ""},
        {"and replaces none", NAME, "l+a@h.example", ADDRESS, "ann+x@ubuntu.com", "l+a@h.example"},
        {"nor is one that the cache serves", NAME, "", ADDRESS, "x@former.example", ""},
        {"a domain without a dot is none", NAME, "l+a@h.example", ADDRESS, "x@h", "l+a@h.example"},
        {"nor is a dot at the end", NAME, "", ADDRESS, "x.@h.example", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct listing_person person = person_who(cases[i].preferred, cases[i].address);
        const struct listing_person *const seen[] = {&person};
        struct folding folding = fold(*state, cases[i].name, cases[i].before, seen, 1);
        bool is_changed = strcmp(cases[i].before, cases[i].after) != 0;
        if (!folding.is_fine || strcmp(folding.after, cases[i].after) != 0 ||
            folding.is_changed != is_changed)
            fail_msg("%s: \"%s\", %d", cases[i].words, folding.after, folding.is_changed);
        free(folding.after);
    }
}

static void the_listing_that_says_most_counts(void **state)
{
    const struct listing_person unknown = person_who(UNKNOWN, NULL), none = person_who(NONE, NULL),
                                address = person_who(ADDRESS, "b@h.example");
    struct listing_person another = address;
    another.date_created_us = IDENTITY + 1;
    const struct {
        const struct listing_person *seen[3];
        const char *after;
    } cases[] = {
        {{NULL, NULL, NULL}, "l+a@h.example"},
        {{NULL, &unknown, NULL}, "l+a@h.example"},
        {{NULL, &unknown, &none}, ""},
        {{&address, &none, &unknown}, "l+b@h.example"},
        {{&unknown, NULL, &address}, "l+b@h.example"},
        {{&another, NULL, NULL}, "l+a@h.example"},
        {{&another, &none, NULL}, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct folding folding = fold(*state, NAME, "l+a@h.example", cases[i].seen, 3);
        assert_true(folding.is_fine);
        assert_string_equal(folding.after, cases[i].after);
        free(folding.after);
    }
}

static void targets_that_do_not_open_are_left(void **state)
{
    struct world *world = *state;
    const struct listing_person address = person_who(ADDRESS, "b@h.example");
    const struct listing_person *const seen[] = {&address};
    struct buffer was_sealed = {0}, sealed = {0};
    struct person_record person = {.date_created_us = IDENTITY};
    struct error error = {0};
    bool is_changed = true;
    struct planning planning = {.house = &house, .ring = world->ring, .actor = "refresh"};
    assert_true(snapshot_begin(world->store, &planning.snapshot, &error));
    seal_words(world, "somebody-else", "l+a@h.example", &person, &was_sealed);
    assert_true(
        launchpad_target_fold(&planning, NAME, seen, 1, &person, &sealed, &is_changed, &error));
    assert_false(is_changed);
    assert_ptr_equal(person.sealed_targets.data, was_sealed.data);
    /* The id of a key that the ring does not have. */
    was_sealed.data[1] ^= 1;
    assert_false(
        launchpad_target_fold(&planning, NAME, seen, 1, &person, &sealed, &is_changed, &error));
    assert_int_equal(error.kind, ERROR_TEMPORARY);
    snapshot_end(planning.snapshot);
    buffer_finish(&was_sealed);
    buffer_finish(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_sighting_counts_by_the_sources_there_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_listing_that_says_most_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(targets_that_do_not_open_are_left, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("membership/launchpad_target", tests, NULL, NULL);
}
