/*
 * The rules and acts over a real cache in a temporary directory: rows of the rule table, doubts,
 * held teams, rows changed during a fetch, targets, import and domains.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "action/domain.h"
#include "action/extra_alias.h"
#include "action/import.h"
#include "action/plan.h"
#include "action/refresh.h"
#include "action/target.h"

#define DOMAIN       "ubuntu.com"
#define TEAM         "ubuntumembers"
#define OTHER_DOMAIN "kubuntu.org"

struct world {
    char directory[64];
    char key_file[96];
    struct store *store;
    struct keyring *ring;
    struct action action;
};

static const struct house_domain our_domains[] = {
    {.name = DOMAIN, .team = TEAM, .grace_s = 30 * 86400},
    {.name = OTHER_DOMAIN, .team = "kubuntu-members", .grace_s = 30 * 86400},
};
static const struct house house = {
    .domains = our_domains,
    .domain_count = ARRAY_LENGTH(our_domains),
    .recipient_delimiter = "+",
    .max_removals_percent = 10,
    .max_additions_percent = 20,
};
static const struct house no_house = {.recipient_delimiter = "+"};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct error error = {0};
    strcpy(world->directory, "/tmp/lpalias-unit-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->key_file, sizeof(world->key_file), "%s/keys", world->directory);
    if (!keyring_generate(world->key_file, (gid_t)-1, &error) ||
        !keyring_read(world->key_file, &world->ring, &error) ||
        !store_open(world->directory, STORE_WRITE, 64 << 20, &world->store, &error))
        fail_msg("%s", error.text);
    world->action = (struct action){
        .store = world->store,
        .ring = world->ring,
        .actor = "operator:test",
        .now_s = 1000,
        .house = &house,
    };
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

/* A listing of people given as words "name", "name!" (invalid) or "name~" (no CoC). */
static struct listing listing_of(const char *words, int64_t at_s)
{
    struct listing listing = {.team = strdup(TEAM),
                              .verdict = LISTING_USABLE,
                              .team_date_created_us = 7,
                              .fetch_began_s = at_s};
    char *copy = strdup(words);
    char *rest = NULL;
    listing.people = calloc(64, sizeof(*listing.people));
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char mark = word[strlen(word) - 1];
        if (mark == '!' || mark == '~')
            word[strlen(word) - 1] = '\0';
        listing.people[listing.person_count++] = (struct listing_person){
            strdup(word), 100 + (int64_t)strlen(word), mark != '!', mark != '~'};
    }
    free(copy);
    return listing;
}

static void free_listing(struct listing *listing)
{
    for (size_t i = 0; i < listing->person_count; i++)
        free(listing->people[i].name);
    free(listing->people);
    free(listing->team);
}

static uint64_t generation(struct world *world)
{
    struct snapshot *snapshot;
    struct error error;
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    uint64_t now = snapshot_generation(snapshot);
    snapshot_end(snapshot);
    return now;
}

static struct refresh_domain apply(struct world *world, struct listing *listing,
                                   uint64_t fetch_generation)
{
    struct error error = {0};
    struct store_update_result result;
    struct refresh_domain domain = {.domain = DOMAIN, .team = TEAM, .listing = listing};
    struct refresh_request request = {
        .domains = &domain,
        .domain_count = 1,
        .fetch_generation = fetch_generation,
    };
    world->action.now_s = listing->fetch_began_s;
    if (!action_refresh(&world->action, &request, false, &result, &error))
        fail_msg("%s", error.text);
    return domain;
}

static struct refresh_domain refresh(struct world *world, const char *words, int64_t at_s)
{
    struct listing listing = listing_of(words, at_s);
    struct refresh_domain domain = apply(world, &listing, generation(world));
    free_listing(&listing);
    domain.listing = NULL;
    return domain;
}

/* "active", "refused not-valid", ... or "absent". */
static const char *state_of(struct world *world, const char *name)
{
    static char text[64];
    struct snapshot *snapshot;
    struct error error;
    struct alias_record alias;
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    enum store_result result = snapshot_alias(snapshot, DOMAIN, span_of(name), &alias, &error);
    assert_int_not_equal(result, STORE_TROUBLE);
    if (result == STORE_ABSENT)
        strcpy(text, "absent");
    else
        snprintf(text, sizeof(text), "%s%s%s", alias_state_name(alias.state),
                 alias.reason != REASON_NONE ? " " : "", alias_reason_name(alias.reason));
    snapshot_end(snapshot);
    return text;
}

static void give_target(struct world *world, const char *name, const char *target)
{
    struct store_update_result result;
    struct error error = {0};
    if (!action_target_set(&world->action, name, &target, 1, &result, &error))
        fail_msg("%s", error.text);
}

static void row_7_refuses_members_who_are_not_entitled(void **state)
{
    refresh(*state, "ann bob! cid~", 1000);
    assert_string_equal(state_of(*state, "bob"), "refused not-valid");
    assert_string_equal(state_of(*state, "cid"), "refused coc-not-signed");
}

static void row_9_and_10_pending_until_there_is_a_target(void **state)
{
    refresh(*state, "ann", 1000);
    assert_string_equal(state_of(*state, "ann"), "pending no-target");
    give_target(*state, "ann", "ann@home.example");
    assert_string_equal(state_of(*state, "ann"), "active");
}

static void row_2_refuses_names_that_are_no_local_part_or_taken(void **state)
{
    refresh(*state, "a..b dot. postmaster", 1000);
    assert_string_equal(state_of(*state, "a..b"), "refused illegal-local-part");
    assert_string_equal(state_of(*state, "dot."), "refused illegal-local-part");
    assert_string_equal(state_of(*state, "postmaster"), "refused taken");
}

static void row_5_keeps_a_live_alias_delivering_while_it_leaves(void **state)
{
    struct world *world = *state;
    refresh(world, "ann bob", 1000);
    give_target(world, "ann", "ann@home.example");
    refresh(world, "bob", 2000);
    assert_string_equal(state_of(world, "ann"), "active");
    struct refresh_domain domain = refresh(world, "bob", 2060);
    assert_string_equal(state_of(world, "ann"), "leaving not-member");
    assert_int_equal(domain.lost, 1);
    struct snapshot *snapshot;
    struct error error;
    struct alias_record alias;
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, DOMAIN, span_of("ann"), &alias, &error), STORE_FOUND);
    assert_true(alias_record_is_live(&alias));
    struct buffer plain = {0};
    assert_int_equal(
        keyring_unseal_alias(world->ring, DOMAIN, span_of("ann"), alias.sealed_targets, &plain),
        UNSEAL_DONE);
    assert_string_equal(buffer_text(&plain), "ann@home.example");
    buffer_finish(&plain);
    snapshot_end(snapshot);
    refresh(world, "ann bob", 3000);
    assert_string_equal(state_of(world, "ann"), "active");
}

static void who_leaves_without_having_been_live_is_gone(void **state)
{
    refresh(*state, "ann bob", 1000);
    refresh(*state, "bob", 2000);
    refresh(*state, "bob", 3000);
    assert_string_equal(state_of(*state, "ann"), "gone not-member");
}

static void the_same_listing_again_keeps_the_generation(void **state)
{
    struct world *world = *state;
    refresh(world, "a..b ann bob! cid~", 1000);
    give_target(world, "ann", "ann@home.example");
    uint64_t before = generation(world);
    struct refresh_domain domain = refresh(world, "a..b ann bob! cid~", 2000);
    assert_int_equal(generation(world), before);
    assert_int_equal(domain.states[ALIAS_ACTIVE], 1);
    assert_int_equal(domain.states[ALIAS_REFUSED], 3);
}

/* Puts the alias row of name with sealed targets that do not open. */
static bool plan_broken(void *context, struct snapshot *snapshot, struct changeset *changeset,
                        struct error *error)
{
    struct person_record person;
    if (snapshot_person(snapshot, context, &person, error) != STORE_FOUND)
        return false;
    struct buffer sealed = {0};
    buffer_append(&sealed, person.sealed_targets.data, person.sealed_targets.length);
    sealed.data[sealed.length - 1] ^= 1;
    person.sealed_targets = (struct span){sealed.data, sealed.length};
    changeset_put_person(changeset, context, &person);
    buffer_finish(&sealed);
    return true;
}

static void row_2_refuses_a_name_that_is_another_members_extension(void **state)
{
    struct world *world = *state;
    refresh(world, "jdoe zed+a", 1000);
    give_target(world, "jdoe", "jdoe@home.example");
    give_target(world, "zed+a", "a@home.example");
    assert_string_equal(state_of(world, "zed+a"), "active");
    /* Both at once, one after the other, behind two delimiters, behind a role. */
    refresh(world, "abuse+x ben ben+b jdoe jdoe+lists jdoe+x+y zed+a", 2000);
    assert_string_equal(state_of(world, "jdoe+lists"), "refused taken");
    assert_string_equal(state_of(world, "jdoe+x+y"), "refused taken");
    assert_string_equal(state_of(world, "ben+b"), "refused taken");
    assert_string_equal(state_of(world, "abuse+x"), "refused taken");
    give_target(world, "jdoe+lists", "evil@elsewhere.example");
    assert_string_equal(state_of(world, "jdoe+lists"), "refused taken");
    /* Who was live first keeps the address. */
    refresh(world, "abuse+x ben ben+b jdoe jdoe+lists jdoe+x+y zed zed+a", 3000);
    assert_string_equal(state_of(world, "zed+a"), "active");
    uint64_t before = generation(world);
    refresh(world, "abuse+x ben ben+b jdoe jdoe+lists jdoe+x+y zed zed+a", 4000);
    assert_int_equal(generation(world), before);
}

static void who_leaves_without_targets_is_not_delivered(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct error error = {0};
    struct snapshot *snapshot;
    struct alias_record alias;
    refresh(world, "ann bob", 1000);
    give_target(world, "ann", "ann@home.example");
    refresh(world, "bob", 2000);
    refresh(world, "bob", 3000);
    assert_string_equal(state_of(world, "ann"), "leaving not-member");
    assert_true(action_target_clear(&world->action, "ann", &result, &error));
    assert_string_equal(state_of(world, "ann"), "leaving not-member");
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, DOMAIN, span_of("ann"), &alias, &error), STORE_FOUND);
    assert_false(alias_record_is_live(&alias));
    snapshot_end(snapshot);
}

static void coming_back_ends_the_leaving(void **state)
{
    struct world *world = *state;
    struct snapshot *snapshot;
    struct membership_record row;
    struct error error = {0};
    refresh(world, "ann bob", 1000);
    give_target(world, "ann", "ann@home.example");
    refresh(world, "bob", 2000);
    refresh(world, "bob", 3000);
    for (int64_t wanted_s = 3000;; wanted_s = 0) {
        assert_true(snapshot_begin(world->store, &snapshot, &error));
        assert_int_equal(snapshot_membership(snapshot, DOMAIN, "ann", &row, &error), STORE_FOUND);
        assert_int_equal(row.leaving_since_s, wanted_s);
        snapshot_end(snapshot);
        if (wanted_s == 0)
            break;
        refresh(world, "ann bob", 4000);
    }
}

static void one_broken_value_costs_nobody_else_the_refresh(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct error error = {0};
    refresh(world, "ann bob", 1000);
    give_target(world, "ann", "ann@home.example");
    assert_true(store_update(world->store, plan_broken, (void *)"ann", &result, &error));
    struct refresh_domain domain = refresh(world, "ann bob cid", 2000);
    assert_int_equal(domain.outcome, RUN_APPLIED);
    assert_int_equal(domain.left_alone, 1);
    assert_string_equal(state_of(world, "ann"), "active");
    assert_string_equal(state_of(world, "cid"), "pending no-target");
}

static void a_missing_key_fails_the_refresh(void **state)
{
    struct world *world = *state;
    char other[128];
    struct error error = {0};
    refresh(world, "ann", 1000);
    give_target(world, "ann", "ann@home.example");
    snprintf(other, sizeof(other), "%s/other", world->directory);
    keyring_destroy(world->ring);
    assert_true(keyring_generate(other, (gid_t)-1, &error));
    assert_true(keyring_read(other, &world->ring, &error));
    unlink(other);
    struct listing listing = listing_of("ann", 2000);
    struct refresh_domain domain = {.domain = DOMAIN, .team = TEAM, .listing = &listing};
    struct refresh_request request = {
        .domains = &domain,
        .domain_count = 1,
        .fetch_generation = generation(world),
    };
    struct store_update_result result;
    world->action.ring = world->ring;
    assert_false(action_refresh(&world->action, &request, false, &result, &error));
    assert_error(error, ERROR_TEMPORARY, "a key that is not in the key file");
    assert_int_equal(domain.outcome, RUN_FAILED);
    free_listing(&listing);
}

static void an_empty_team_is_never_believed(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    give_target(world, "ann", "ann@home.example");
    for (int64_t at_s = 2000; at_s < 2500; at_s += 100) {
        struct refresh_domain domain = refresh(world, "", at_s);
        assert_int_equal(domain.outcome, RUN_HELD);
    }
    assert_string_equal(state_of(world, "ann"), "active");
}

static void an_unusable_listing_changes_nothing_but_the_run_row(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    uint64_t before = generation(world);
    struct listing listing = {.team = (char *)TEAM,
                              .verdict = LISTING_UNUSABLE,
                              .reason = (char *)"~" TEAM ": URL: answered 503",
                              .fetch_began_s = 2000};
    struct refresh_domain domain = apply(world, &listing, before);
    assert_int_equal(domain.outcome, RUN_UNUSABLE);
    assert_int_equal(generation(world), before);
    struct snapshot *snapshot;
    struct error error;
    struct run_record run;
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_run(snapshot, DOMAIN, &run, &error), STORE_FOUND);
    assert_int_equal(run.outcome, RUN_UNUSABLE);
    assert_int_equal(run.success_s, 1000);
    assert_int_equal(run.attempt_s, 2000);
    assert_non_null(memmem(run.error.data, run.error.length, "answered 503", 12));
    snapshot_end(snapshot);
}

static void another_team_behind_the_name_holds_everything(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    struct listing listing = listing_of("mallory", 2000);
    listing.team_date_created_us = 8;
    struct refresh_domain domain = apply(world, &listing, generation(world));
    free_listing(&listing);
    assert_int_equal(domain.outcome, RUN_HELD);
    assert_string_equal(state_of(world, "mallory"), "absent");
}

static void rows_changed_during_the_fetch_are_left_alone(void **state)
{
    struct world *world = *state;
    refresh(world, "ann bob", 1000);
    uint64_t fetch_generation = generation(world);
    give_target(world, "ann", "ann@home.example");
    struct listing listing = listing_of("ann! bob", 2000);
    struct refresh_domain domain = apply(world, &listing, fetch_generation);
    free_listing(&listing);
    assert_int_equal(domain.left_alone, 1);
    assert_int_equal(domain.doubted, 0);
    assert_string_equal(state_of(world, "ann"), "active");
}

static void row_3_another_account_under_a_known_name_inherits_nothing(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    give_target(world, "ann", "ann@home.example");
    struct listing listing = listing_of("ann", 2000);
    listing.people[0].date_created_us = 9999;
    struct refresh_domain domain = apply(world, &listing, generation(world));
    free_listing(&listing);
    assert_int_equal(domain.outcome, RUN_APPLIED);
    assert_string_equal(state_of(world, "ann"), "pending no-target");
    give_target(world, "ann", "another@home.example");
    assert_string_equal(state_of(world, "ann"), "active");
}

static void set_date(struct listing *listing, const char *name, int64_t date_us)
{
    for (size_t i = 0; i < listing->person_count; i++)
        if (strcmp(listing->people[i].name, name) == 0)
            listing->people[i].date_created_us = date_us;
}

/* Both domains at once; of the first one, name is an account of that date. */
static void refresh_both(struct world *world, const char *words, const char *other_words,
                         const char *name, int64_t date_us, int64_t at_s)
{
    struct error error = {0};
    struct store_update_result result;
    struct listing listings[] = {listing_of(words, at_s), listing_of(other_words, at_s)};
    struct refresh_domain domains[] = {
        {.domain = DOMAIN, .team = TEAM, .listing = &listings[0]},
        {.domain = OTHER_DOMAIN, .team = "kubuntu-members", .listing = &listings[1]},
    };
    struct refresh_request request = {domains, 2, generation(world)};
    set_date(&listings[0], name, date_us);
    world->action.now_s = at_s;
    if (!action_refresh(&world->action, &request, false, &result, &error))
        fail_msg("%s", error.text);
    free_listing(&listings[0]);
    free_listing(&listings[1]);
}

static void nothing_is_noted_of_a_name_whose_domain_waits(void **state)
{
    struct world *world = *state;
    struct snapshot *snapshot;
    struct membership_record row;
    struct plan_record plan;
    struct plan_row name;
    struct error error = {0};
    refresh_both(world, "ann bob", "ann", "ann", 103, 1000);
    refresh_both(world, "ann bob", "", "ann", 9999, 2000);
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_membership(snapshot, OTHER_DOMAIN, "ann", &row, &error), STORE_FOUND);
    assert_int_equal(row.missing_since_s, 0);
    assert_int_equal(snapshot_plan(snapshot, OTHER_DOMAIN, &plan, &error), STORE_FOUND);
    assert_true(plan_row_take(&plan.rows, &name));
    assert_int_equal(name.after, ALIAS_GONE);
    snapshot_end(snapshot);
}

static void a_release_gives_nothing_of_an_account_to_the_address_of_another(void **state)
{
    struct world *world = *state;
    struct snapshot *snapshot;
    struct alias_record alias;
    struct held_plan_result names;
    struct store_update_result result;
    struct error error = {0};
    refresh_both(world, "ann bob", "ann bert cyril daniel", "ann", 103, 1000);
    give_target(world, "ann", "first@home.example");
    give_target(world, "bert", "bert@home.example");
    give_target(world, "cyril", "cyril@home.example");
    refresh_both(world, "ann bob", "daniel", "ann", 9999, 2000);
    refresh_both(world, "ann bob", "daniel", "ann", 9999, 3000);
    give_target(world, "ann", "second@home.example");
    if (!action_plan_release(&world->action, OTHER_DOMAIN, 0, &names, &result, &error))
        fail_msg("%s", error.text);
    assert_int_equal(names.applied, 3);
    buffer_finish(&names.skipped_names);
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, OTHER_DOMAIN, span_of("ann"), &alias, &error),
                     STORE_FOUND);
    assert_int_equal(alias.state, ALIAS_LEAVING);
    assert_false(alias_record_is_live(&alias));
    snapshot_end(snapshot);
}

static void add_extra(struct world *world, const char *domain, const char *name)
{
    struct store_update_result result;
    struct error error = {0};
    const struct extra_alias alias = {domain, "chief", name, EXTENSION_APPEND, false};
    if (!action_add_extra_alias(&world->action, &alias, &result, &error))
        fail_msg("%s", error.text);
}

static void assert_chief_is(struct world *world, const char *domain, const char *owner)
{
    struct snapshot *snapshot;
    struct alias_record alias;
    struct error error = {0};
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, domain, span_of("chief"), &alias, &error),
                     STORE_FOUND);
    assert_int_equal(alias.state, ALIAS_ACTIVE);
    assert_true(span_is_text(alias.owner, owner));
    snapshot_end(snapshot);
}

/* zed is amy now and another account is zed, in that very refresh; amy comes before zed. */
static void row_4_further_aliases_go_on_although_the_old_name_has_another_account(void **state)
{
    struct world *world = *state;
    refresh_both(world, "bert zed", "bert zed", "zed", 103, 1000);
    give_target(world, "zed", "zed@home.example");
    add_extra(world, DOMAIN, "zed");
    refresh_both(world, "amy bert zed", "amy bert", "zed", 9999, 2000);
    assert_string_equal(state_of(world, "amy"), "active");
    assert_string_equal(state_of(world, "zed"), "pending no-target");
    assert_chief_is(world, DOMAIN, "amy");
}

/* As above, where the other account is no member. */
static void row_4_further_aliases_outlive_the_row_of_the_old_name(void **state)
{
    struct world *world = *state;
    refresh_both(world, "bert zed", "bert zed", "zed", 103, 1000);
    give_target(world, "zed", "zed@home.example");
    add_extra(world, OTHER_DOMAIN, "zed");
    for (int64_t at_s = 2000; at_s < 4000; at_s += 1000)
        refresh_both(world, "amy bert zed", "amy bert", "zed", 9999, at_s);
    assert_chief_is(world, OTHER_DOMAIN, "amy");
}

/* The old name has left the other domain before, and nothing is known of that one now. */
static void row_4_is_said_in_domains_whose_listing_is_unusable(void **state)
{
    struct world *world = *state;
    struct snapshot *snapshot;
    struct alias_record alias;
    struct error error = {0};
    refresh_both(world, "bert zed", "bert zed", "zed", 103, 1000);
    give_target(world, "zed", "zed@home.example");
    refresh_both(world, "bert zed", "bert", "zed", 103, 2000);
    refresh_both(world, "bert zed", "bert", "zed", 103, 3000);
    refresh(world, "amy bert", 4000);
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_alias(snapshot, OTHER_DOMAIN, span_of("zed"), &alias, &error),
                     STORE_FOUND);
    assert_int_equal(alias.reason, REASON_RENAMED);
    snapshot_end(snapshot);
}

static void row_4_listings_that_contradict_each_other_rename_nobody(void **state)
{
    struct world *world = *state;
    refresh_both(world, "bert zed", "bert", "zed", 103, 1000);
    give_target(world, "zed", "zed@home.example");
    refresh_both(world, "amy bert", "amy bert", "amy", 9999, 4000);
    assert_string_equal(state_of(world, "zed"), "active");
    refresh_both(world, "amy bert", "amy bert", "amy", 103, 4030);
    assert_string_equal(state_of(world, "amy"), "active");
}

static void targets_are_checked_before_anything_is_written(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *targets[7];
        size_t count;
        const char *words;
    } cases[] = {
        {{"nonsense"}, 1, "target 1: it is not a mail address"},
        {{"a@home.example", "b@" DOMAIN}, 2, "target 2 lies in a domain of ours"},
        {{"b@KUBUNTU.org"}, 1, "lies in a domain of ours"},
        {{"a@h.example", "b@h.example", "c@h.example", "d@h.example", "e@h.example", "f@h.example"},
         6,
         "more than 5 targets"},
        {{""}, 1, "target 1"},
    };
    refresh(world, "ann", 1000);
    uint64_t before = generation(world);
    struct store_update_result result;
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_false(action_target_set(&world->action, "ann", cases[i].targets, cases[i].count,
                                       &result, &error));
        assert_error(error, ERROR_INVALID, cases[i].words);
    }
    assert_false(action_target_set(&world->action, "nobody", (const char *[]){"a@h.example"}, 1,
                                   &result, &error));
    assert_error(error, ERROR_INVALID, "no person of the name nobody");
    assert_int_equal(generation(world), before);
}

static void the_same_targets_again_are_not_sealed_again(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    give_target(world, "ann", "ann@home.example");
    uint64_t before = generation(world);
    give_target(world, "ann", "ann@HOME.example");
    assert_int_equal(generation(world), before);
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_target_clear(&world->action, "ann", &result, &error));
    assert_string_equal(state_of(world, "ann"), "pending no-target");
}

static void import_sorts_each_row_and_says_why(void **state)
{
    struct world *world = *state;
    refresh(world, "ann bob! cid", 1000);
    static char *one[] = {(char *)"x@home.example"};
    static char *other[] = {(char *)"y@home.example"};
    static char *loop[] = {(char *)"ann@" DOMAIN};
    struct import_row rows[] = {
        {1, (char *)"Ann@Ubuntu.com", one, 1, 0, ""},
        {2, (char *)"bob@" DOMAIN, other, 1, 0, ""},
        {3, (char *)"press@" DOMAIN, loop, 1, 0, ""},
        {4, (char *)"cid@" DOMAIN, loop, 1, 0, ""},
        {5, (char *)"ann@" DOMAIN, other, 1, 0, ""},
        {6, (char *)"postmaster@" DOMAIN, one, 1, 0, ""},
        {7, (char *)"@" DOMAIN, one, 1, 0, ""},
        {8, (char *)"x@elsewhere.example", one, 1, 0, ""},
        {9, (char *)"zoe@kubuntu.org", one, 1, 0, ""},
        {10, (char *)"not an address", one, 1, 0, ""},
    };
    static const struct {
        enum import_fate fate;
        const char *words;
    } wanted[] = {
        {IMPORT_MATCHED, ""},
        {IMPORT_MATCHED, ""},
        {IMPORT_STATIC, ""},
        {IMPORT_MATCHED, ""},
        {IMPORT_REFUSED, "stands in line 1 already"},
        {IMPORT_REFUSED, "role address"},
        {IMPORT_REFUSED, "catch-all"},
        {IMPORT_REFUSED, "not in the configuration"},
        {IMPORT_REFUSED, "no refresh has filled"},
        {IMPORT_REFUSED, "not an address"},
    };
    struct import_request request = {rows, ARRAY_LENGTH(rows), false};
    struct store_update_result result;
    struct error error = {0};
    uint64_t before = generation(world);
    assert_true(action_import(&world->action, &request, true, &result, &error));
    assert_int_equal(generation(world), before);
    assert_true(action_import(&world->action, &request, false, &result, &error));
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_int_equal(rows[i].fate, wanted[i].fate);
        if (strstr(rows[i].reason, wanted[i].words) == NULL)
            fail_msg("row %u: %s", rows[i].line, rows[i].reason);
    }
    assert_string_equal(state_of(world, "ann"), "active");
    assert_string_equal(state_of(world, "bob"), "refused not-valid");
    assert_string_equal(state_of(world, "press"), "active");
    assert_string_equal(state_of(world, "cid"), "active");
    uint64_t after = generation(world);
    assert_true(action_import(&world->action, &request, false, &result, &error));
    assert_int_equal(generation(world), after);
}

static void a_static_alias_is_never_touched_by_a_refresh(void **state)
{
    struct world *world = *state;
    static char *targets[] = {(char *)"x@home.example"};
    struct import_row row = {1, (char *)"ann@" DOMAIN, targets, 1, 0, ""};
    struct import_request request = {&row, 1, true};
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_import(&world->action, &request, false, &result, &error));
    assert_int_equal(row.fate, IMPORT_STATIC);
    struct refresh_domain domain = refresh(world, "ann", 1000);
    assert_int_equal(domain.states[ALIAS_REFUSED], 1);
    assert_string_equal(state_of(world, "ann"), "active");
    uint64_t before = generation(world);
    refresh(world, "ann", 2000);
    assert_int_equal(generation(world), before);
}

static enum import_fate import_one(struct world *world, const char *address, const char *target,
                                   bool is_all_static)
{
    char *targets[] = {(char *)target};
    struct import_row row = {1, (char *)address, targets, 1, 0, ""};
    struct import_request request = {&row, 1, is_all_static};
    struct store_update_result result;
    struct error error = {0};
    if (!action_import(&world->action, &request, false, &result, &error))
        fail_msg("%s", error.text);
    return row.fate;
}

/* The old name would be told to have gone on, and the new one not have its targets. */
static void row_4_waits_where_an_alias_was_made_during_the_fetch(void **state)
{
    struct world *world = *state;
    refresh(world, "bert zed", 1000);
    give_target(world, "zed", "zed@home.example");
    uint64_t fetch_generation = generation(world);
    assert_int_equal(import_one(world, "amy@" DOMAIN, "x@home.example", false), IMPORT_STATIC);
    struct listing listing = listing_of("amy bert", 2000);
    apply(world, &listing, fetch_generation);
    assert_string_equal(state_of(world, "zed"), "active");
    listing.fetch_began_s = 3000;
    struct refresh_domain domain = apply(world, &listing, generation(world));
    free_listing(&listing);
    assert_int_equal(domain.renamed, 1);
    assert_string_equal(state_of(world, "zed"), "leaving renamed");
}

static void no_import_makes_a_members_address_static(void **state)
{
    struct world *world = *state;
    refresh(world, "ann bob", 1000);
    give_target(world, "ann", "ann@home.example");
    assert_int_equal(import_one(world, "ann@" DOMAIN, "x@home.example", true), IMPORT_REFUSED);
    assert_int_equal(import_one(world, "bob@" DOMAIN, "x@home.example", true), IMPORT_REFUSED);
}

static void a_static_alias_stays_one_when_a_member_of_its_name_joins(void **state)
{
    struct world *world = *state;
    refresh(world, "ann", 1000);
    assert_int_equal(import_one(world, "press@" DOMAIN, "x@home.example", false), IMPORT_STATIC);
    refresh(world, "ann press", 2000);
    assert_int_equal(import_one(world, "press@" DOMAIN, "y@home.example", false), IMPORT_STATIC);
}

static void a_name_that_went_before_it_was_live_can_become_static(void **state)
{
    struct world *world = *state;
    refresh(world, "ann bob", 1000);
    refresh(world, "bob", 2000);
    refresh(world, "bob", 3000);
    assert_string_equal(state_of(world, "ann"), "gone not-member");
    assert_int_equal(import_one(world, "ann@" DOMAIN, "x@home.example", false), IMPORT_STATIC);
    assert_string_equal(state_of(world, "ann"), "active");
}

static void an_import_leaves_the_domain_as_it_is(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct error error = {0};
    struct snapshot *snapshot;
    struct domain_record row;
    refresh(world, "ann", 1000);
    assert_true(action_domain_open(&world->action, DOMAIN, &result, &error));
    assert_int_equal(import_one(world, "press@" DOMAIN, "x@home.example", true), IMPORT_STATIC);
    assert_true(snapshot_begin(world->store, &snapshot, &error));
    assert_int_equal(snapshot_domain(snapshot, DOMAIN, &row, &error), STORE_FOUND);
    assert_true(row.is_open);
    assert_int_equal(row.filled_s, 1000);
    assert_int_equal(row.team_date_created_us, 7);
    snapshot_end(snapshot);
}

static void of_two_rows_of_one_person_the_first_in_the_file_counts(void **state)
{
    struct world *world = *state;
    static char *first[] = {(char *)"first@home.example"};
    static char *second[] = {(char *)"second@home.example"};
    refresh(world, "ann", 1000);
    struct listing listing = listing_of("ann", 1000);
    struct refresh_domain domain = {
        .domain = "kubuntu.org", .team = "kubuntu-members", .listing = &listing};
    struct refresh_request request = {&domain, 1, generation(world)};
    struct store_update_result result;
    struct error error = {0};
    assert_true(action_refresh(&world->action, &request, false, &result, &error));
    free_listing(&listing);
    struct import_row rows[] = {
        {1, (char *)"ann@" DOMAIN, first, 1, 0, ""},
        {2, (char *)"ann@kubuntu.org", second, 1, 0, ""},
    };
    struct import_request import = {rows, 2, false};
    assert_true(action_import(&world->action, &import, false, &result, &error));
    assert_int_equal(rows[0].fate, IMPORT_MATCHED);
    assert_int_equal(rows[1].fate, IMPORT_REFUSED);
    assert_non_null(strstr(rows[1].reason, "line 1 gives the same person other targets"));
}

static void a_target_in_a_domain_that_is_still_served_is_refused(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct error error = {0};
    const char *target = "bob@" DOMAIN;
    refresh(world, "ann bob", 1000);
    world->action.house = &no_house;
    assert_false(action_target_set(&world->action, "ann", &target, 1, &result, &error));
    assert_error(error, ERROR_INVALID, "a domain that the cache still serves");
}

static void a_team_mistyped_before_the_first_fill_can_be_corrected(void **state)
{
    struct world *world = *state;
    const struct house_domain wrong_domain = {.name = DOMAIN, .team = "ubuntumembrs", .grace_s = 1};
    const struct house wrong_house = {&wrong_domain, 1, "+", 10, 20};
    static char *targets[] = {(char *)"x@home.example"};
    struct import_row row = {1, (char *)"press@" DOMAIN, targets, 1, 0, ""};
    struct import_request request = {&row, 1, true};
    struct store_update_result result;
    struct error error = {0};
    world->action.house = &wrong_house;
    assert_true(action_import(&world->action, &request, false, &result, &error));
    struct refresh_domain domain = refresh(world, "ann", 1000);
    assert_int_equal(domain.outcome, RUN_APPLIED);
    assert_string_equal(state_of(world, "ann"), "pending no-target");
}

static void a_domain_is_closed_until_it_is_opened(void **state)
{
    struct world *world = *state;
    struct snapshot *snapshot;
    struct store_update_result result;
    struct domain_record row;
    struct error error = {0};
    assert_false(action_domain_open(&world->action, DOMAIN, &result, &error));
    assert_error(error, ERROR_INVALID, "the cache has no domain");
    refresh(world, "ann", 1000);
    for (int round = 0; round < 2; round++) {
        assert_true(action_domain_open(&world->action, DOMAIN, &result, &error));
        assert_true(snapshot_begin(world->store, &snapshot, &error));
        assert_int_equal(snapshot_domain(snapshot, DOMAIN, &row, &error), STORE_FOUND);
        assert_true(row.is_open);
        assert_int_equal(row.opened_generation, result.generation);
        snapshot_end(snapshot);
    }
    assert_true(action_domain_close(&world->action, DOMAIN, &result, &error));
    assert_true(result.changed);
    assert_true(action_domain_close(&world->action, DOMAIN, &result, &error));
    assert_false(result.changed);
}

static void only_a_domain_out_of_the_configuration_can_be_removed(void **state)
{
    struct world *world = *state;
    struct store_update_result result;
    struct error error = {0};
    refresh(world, "ann bob", 1000);
    assert_false(action_domain_remove(&world->action, DOMAIN, &result, &error));
    assert_error(error, ERROR_INVALID, "still stands in the configuration");
    world->action.house = &no_house;
    assert_true(action_domain_remove(&world->action, DOMAIN, &result, &error));
    assert_string_equal(state_of(world, "ann"), "absent");
    assert_false(action_domain_remove(&world->action, DOMAIN, &result, &error));
}

#define over_a_cache(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        over_a_cache(row_2_refuses_names_that_are_no_local_part_or_taken),
        over_a_cache(row_5_keeps_a_live_alias_delivering_while_it_leaves),
        over_a_cache(row_7_refuses_members_who_are_not_entitled),
        over_a_cache(row_9_and_10_pending_until_there_is_a_target),
        over_a_cache(who_leaves_without_having_been_live_is_gone),
        over_a_cache(the_same_listing_again_keeps_the_generation),
        over_a_cache(an_empty_team_is_never_believed),
        over_a_cache(an_unusable_listing_changes_nothing_but_the_run_row),
        over_a_cache(another_team_behind_the_name_holds_everything),
        over_a_cache(rows_changed_during_the_fetch_are_left_alone),
        over_a_cache(row_3_another_account_under_a_known_name_inherits_nothing),
        over_a_cache(nothing_is_noted_of_a_name_whose_domain_waits),
        over_a_cache(a_release_gives_nothing_of_an_account_to_the_address_of_another),
        over_a_cache(row_4_further_aliases_go_on_although_the_old_name_has_another_account),
        over_a_cache(row_4_further_aliases_outlive_the_row_of_the_old_name),
        over_a_cache(row_4_is_said_in_domains_whose_listing_is_unusable),
        over_a_cache(row_4_listings_that_contradict_each_other_rename_nobody),
        over_a_cache(targets_are_checked_before_anything_is_written),
        over_a_cache(the_same_targets_again_are_not_sealed_again),
        over_a_cache(import_sorts_each_row_and_says_why),
        over_a_cache(row_4_waits_where_an_alias_was_made_during_the_fetch),
        over_a_cache(a_static_alias_is_never_touched_by_a_refresh),
        over_a_cache(row_2_refuses_a_name_that_is_another_members_extension),
        over_a_cache(who_leaves_without_targets_is_not_delivered),
        over_a_cache(coming_back_ends_the_leaving),
        over_a_cache(one_broken_value_costs_nobody_else_the_refresh),
        over_a_cache(a_missing_key_fails_the_refresh),
        over_a_cache(no_import_makes_a_members_address_static),
        over_a_cache(a_static_alias_stays_one_when_a_member_of_its_name_joins),
        over_a_cache(a_name_that_went_before_it_was_live_can_become_static),
        over_a_cache(an_import_leaves_the_domain_as_it_is),
        over_a_cache(of_two_rows_of_one_person_the_first_in_the_file_counts),
        over_a_cache(a_target_in_a_domain_that_is_still_served_is_refused),
        over_a_cache(a_team_mistyped_before_the_first_fill_can_be_corrected),
        over_a_cache(a_domain_is_closed_until_it_is_opened),
        over_a_cache(only_a_domain_out_of_the_configuration_can_be_removed),
    };
    return cmocka_run_group_tests_name("membership and acts", tests, NULL, NULL);
}
