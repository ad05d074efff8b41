/* What only rows written by hand can show of a roll-back: erased people, logins, who is told. */
#include "../house_cache.h"
#include "action/rollback.h"
#include "membership/verify.h"

#define NOW_S 1000

static void fill(struct house_cache *cache, struct snapshot *snapshot, struct changeset *changeset)
{
    static const char *const names[] = {"ann", "ben", "cid"};
    struct sent_record sent = {.first_s = 1, .last_s = 1};
    (void)snapshot;
    put_domain(changeset, DOMAIN);
    put_domain(changeset, OTHER);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        put_person(cache, changeset, names[i], 5, "");
        put_member(cache, changeset, DOMAIN, names[i], true);
    }
    changeset_put_sent(changeset, DOMAIN, "ann", "leaving", &sent);
}

/* As a refresh would. */
static void two_leave(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)snapshot;
    changeset_keep_undo(changeset, NOW_S);
    put_member(cache, changeset, DOMAIN, "ann", false);
    put_member(cache, changeset, DOMAIN, "ben", false);
}

static void roll_back(struct house_cache *cache, struct rollback_result *result)
{
    struct store_update_result update;
    struct error error;
    const struct action action = {
        .store = cache->store,
        .ring = cache->ring,
        .actor = "operator:test",
        .now_s = NOW_S + 1,
        .house = &house_cache_house,
    };
    rollback_result_finish(result);
    if (!action_rollback(&action, DOMAIN, 0, false, result, &update, &error))
        fail_msg("%s", error.text);
}

static void note_difference(void *context, const char *domain, const char *subject,
                            const char *text)
{
    char *all = context;
    snprintf(all + strlen(all), 512 - strlen(all), "%s@%s %s;", subject, domain, text);
}

static void ignore_progress(void *context, size_t rows)
{
    (void)context, (void)rows;
}

static void assert_agrees(struct house_cache *cache)
{
    char differences[512] = "";
    struct error error;
    struct planning planning = {
        .house = &house_cache_house,
        .ring = cache->ring,
        .actor = "test",
        .now_s = NOW_S,
        .snapshot = house_cache_look(cache),
    };
    const struct verify_watch watch = {note_difference, ignore_progress, differences};
    assert_true(verify_cache(&planning, &watch, &error));
    snapshot_end(planning.snapshot);
    assert_string_equal(differences, "");
}

/* ---- nobody is told ---- */

static bool count_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    (void)sequence, (void)record;
    ++*(unsigned *)context;
    return true;
}

static void nobody_is_told_again(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    struct sent_record sent;
    struct error error;
    unsigned notices = 0;
    house_cache_change(cache, fill);
    house_cache_change(cache, two_leave);
    roll_back(cache, &result);
    assert_int_equal(result.restored, 2);
    struct snapshot *snapshot = house_cache_look(cache);
    assert_true(snapshot_each_notice(snapshot, count_notice, &notices, &error));
    assert_int_equal(notices, 0);
    assert_int_equal(snapshot_sent(snapshot, DOMAIN, "ann", "leaving", &sent, &error), STORE_FOUND);
    assert_int_equal(sent.stamp.generation, 1);
    snapshot_end(snapshot);
    rollback_result_finish(&result);
}

/* ---- nothing that was erased ---- */

static void erase_ann(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    changeset_delete_person(changeset, "ann");
}

static bool scrub_row(void *context, uint64_t generation, uint64_t number,
                      const struct undo_record *record)
{
    if (memmem(record->key.data, record->key.length, "ann", 3) != NULL)
        changeset_delete_undo(context, generation, number);
    return true;
}

static void scrub_ann(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    struct error error;
    (void)cache;
    assert_true(snapshot_each_undo(snapshot, 0, scrub_row, changeset, &error));
}

static void nothing_is_revived_that_was_erased(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill);
    house_cache_change(cache, two_leave);
    house_cache_change(cache, erase_ann);
    roll_back(cache, &result);
    assert_int_equal(result.restored, 1);
    assert_int_equal(result.skipped, 1);
    assert_string_equal(result.entries[0].name, "ann");
    assert_non_null(strstr(result.entries[0].skipped_because, "erased"));
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_LEAVING);
    assert_int_equal(state_of(cache, DOMAIN, "ben"), ALIAS_ACTIVE);
    rollback_result_finish(&result);
}

static void what_was_scrubbed_is_not_missed(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill);
    house_cache_change(cache, two_leave);
    house_cache_change(cache, scrub_ann);
    roll_back(cache, &result);
    assert_int_equal(result.count, 1);
    assert_string_equal(result.entries[0].name, "ben");
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_LEAVING);
    assert_agrees(cache);
    rollback_result_finish(&result);
}

/* ---- an interrupted one goes on ---- */

static bool put_back(void *context, uint64_t generation, uint64_t number,
                     const struct undo_record *record)
{
    struct alias_record alias;
    (void)generation, (void)number;
    if (record->table == UNDO_ALIAS && memmem(record->key.data, record->key.length, "ann", 3)) {
        assert_true(alias_record_decode(record->value, &alias));
        changeset_put_alias(context, DOMAIN, "ann", &alias);
    }
    return true;
}

/* What a roll-back that was killed between two pieces has put already. */
static void put_ann_back(struct house_cache *cache, struct snapshot *snapshot,
                         struct changeset *changeset)
{
    struct error error;
    (void)cache;
    put_membership(changeset, DOMAIN, "ann", 5, true);
    assert_true(snapshot_each_undo(snapshot, 0, put_back, changeset, &error));
}

static void what_is_as_before_already_counts_as_done(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill);
    house_cache_change(cache, two_leave);
    house_cache_change(cache, put_ann_back);
    roll_back(cache, &result);
    assert_int_equal(result.already, 1);
    assert_int_equal(result.restored, 1);
    assert_int_equal(result.skipped, 0);
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_ACTIVE);
    assert_int_equal(state_of(cache, DOMAIN, "ben"), ALIAS_ACTIVE);
    assert_agrees(cache);
    rollback_result_finish(&result);
}

/* ---- logins ---- */

#define LOGIN "https://login.example/+id/a"

static void fill_with_login(struct house_cache *cache, struct snapshot *snapshot,
                            struct changeset *changeset)
{
    struct login_record login = {.name = span_of("ann")};
    fill(cache, snapshot, changeset);
    put_person(cache, changeset, "ann", 5, LOGIN);
    changeset_put_login(changeset, LOGIN, &login);
}

/* ann goes by the name of anna; the login with her. */
static void rename_ann(struct house_cache *cache, struct snapshot *snapshot,
                       struct changeset *changeset)
{
    struct login_record login = {.name = span_of("anna")};
    struct person_record ann;
    struct error error;
    changeset_keep_undo(changeset, NOW_S);
    put_person(cache, changeset, "anna", 5, LOGIN);
    put_member(cache, changeset, DOMAIN, "anna", true);
    assert_int_equal(snapshot_person(snapshot, "ann", &ann, &error), STORE_FOUND);
    ann.login_identifier = (struct span){"", 0};
    ann.renamed_to = span_of("anna");
    changeset_put_person(changeset, "ann", &ann);
    put_member(cache, changeset, DOMAIN, "ann", false);
    changeset_put_login(changeset, LOGIN, &login);
}

static void change_anna(struct house_cache *cache, struct snapshot *snapshot,
                        struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    put_membership(changeset, DOMAIN, "anna", 5, true);
    put_alias(cache, changeset, DOMAIN, "anna", true);
}

static void assert_login(struct house_cache *cache, const char *wanted)
{
    struct login_record login;
    struct error error;
    struct snapshot *snapshot = house_cache_look(cache);
    assert_int_equal(snapshot_login(snapshot, LOGIN, &login, &error), STORE_FOUND);
    assert_int_equal(login.name.length, strlen(wanted));
    assert_memory_equal(login.name.data, wanted, login.name.length);
    snapshot_end(snapshot);
}

static void a_login_goes_back_with_its_name(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill_with_login);
    house_cache_change(cache, rename_ann);
    assert_login(cache, "anna");
    roll_back(cache, &result);
    assert_int_equal(result.restored, 2);
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_ACTIVE);
    assert_int_equal(state_of(cache, DOMAIN, "anna"), 0);
    assert_login(cache, "ann");
    assert_agrees(cache);
    rollback_result_finish(&result);
}

static void a_login_stays_with_a_name_that_stays(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill_with_login);
    house_cache_change(cache, rename_ann);
    house_cache_change(cache, change_anna);
    roll_back(cache, &result);
    assert_int_equal(result.restored, 1);
    assert_int_equal(result.skipped, 1);
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_ACTIVE);
    assert_int_equal(state_of(cache, DOMAIN, "anna"), ALIAS_ACTIVE);
    assert_login(cache, "anna");
    assert_agrees(cache);
    rollback_result_finish(&result);
}

/* ---- extras ---- */

static void put_extra(struct house_cache *cache, struct changeset *changeset, bool is_live)
{
    struct membership_record membership = {.is_member = is_live,
                                           .is_valid = true,
                                           .is_ubuntu_coc_signer = true,
                                           .extension = EXTENSION_APPEND,
                                           .date_created_us = 5,
                                           .since_s = 1,
                                           .live_since_s = 1,
                                           .leaving_since_s = is_live ? 0 : 2,
                                           .extras = span_of("a.nn")};
    struct buffer sealed = {0};
    keyring_seal_alias(cache->ring, DOMAIN, span_of("a.nn"), span_of("ann@home.example"), &sealed);
    struct alias_record extra = {.kind = ALIAS_EXTRA,
                                 .state = is_live ? ALIAS_ACTIVE : ALIAS_LEAVING,
                                 .reason = is_live ? REASON_NONE : REASON_NOT_MEMBER,
                                 .deliver = !is_live,
                                 .extension = EXTENSION_DROP,
                                 .since_s = 1,
                                 .owner = span_of("ann"),
                                 .sealed_targets = {sealed.data, sealed.length}};
    changeset_put_membership(changeset, DOMAIN, "ann", &membership);
    changeset_put_alias(changeset, DOMAIN, "a.nn", &extra);
    buffer_finish(&sealed);
}

static void fill_with_extra(struct house_cache *cache, struct snapshot *snapshot,
                            struct changeset *changeset)
{
    fill(cache, snapshot, changeset);
    put_extra(cache, changeset, true);
}

static void all_of_ann_leave(struct house_cache *cache, struct snapshot *snapshot,
                             struct changeset *changeset)
{
    (void)snapshot;
    changeset_keep_undo(changeset, NOW_S);
    put_member(cache, changeset, DOMAIN, "ann", false);
    put_extra(cache, changeset, false);
}

static void touch_extra(struct house_cache *cache, struct snapshot *snapshot,
                        struct changeset *changeset)
{
    struct alias_record extra;
    struct error error;
    (void)cache;
    assert_int_equal(snapshot_alias(snapshot, DOMAIN, span_of("a.nn"), &extra, &error),
                     STORE_FOUND);
    extra.extension = EXTENSION_REFUSE;
    changeset_put_alias(changeset, DOMAIN, "a.nn", &extra);
}

static void all_aliases_of_a_name_go_back_together(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill_with_extra);
    house_cache_change(cache, all_of_ann_leave);
    roll_back(cache, &result);
    assert_int_equal(result.restored, 1);
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_ACTIVE);
    assert_int_equal(state_of(cache, DOMAIN, "a.nn"), ALIAS_ACTIVE);
    assert_agrees(cache);
    rollback_result_finish(&result);
}

static void one_that_was_changed_since_keeps_the_others(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    house_cache_change(cache, fill_with_extra);
    house_cache_change(cache, all_of_ann_leave);
    house_cache_change(cache, touch_extra);
    roll_back(cache, &result);
    assert_int_equal(result.restored, 0);
    assert_int_equal(result.skipped, 1);
    assert_int_equal(state_of(cache, DOMAIN, "ann"), ALIAS_LEAVING);
    assert_agrees(cache);
    rollback_result_finish(&result);
}

/* ---- rows that the refresh left alone ---- */

static void ann_is_doubted(struct house_cache *cache, struct snapshot *snapshot,
                           struct changeset *changeset)
{
    struct membership_record membership;
    struct error error;
    (void)cache;
    changeset_keep_undo(changeset, NOW_S);
    put_member(cache, changeset, DOMAIN, "ben", false);
    assert_int_equal(snapshot_membership(snapshot, DOMAIN, "ann", &membership, &error),
                     STORE_FOUND);
    membership.missing_since_s = NOW_S;
    changeset_put_membership(changeset, DOMAIN, "ann", &membership);
}

static void touch_ann(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)snapshot;
    put_alias(cache, changeset, DOMAIN, "ann", true);
}

static void must_have_been_left_alone_since(void **state)
{
    struct house_cache *cache = *state;
    for (int is_touched = 0; is_touched <= 1; is_touched++) {
        struct rollback_result result = {0};
        house_cache_change(cache, fill);
        house_cache_change(cache, ann_is_doubted);
        if (is_touched)
            house_cache_change(cache, touch_ann);
        roll_back(cache, &result);
        assert_int_equal(result.restored, is_touched ? 1 : 2);
        assert_int_equal(result.skipped, is_touched);
        rollback_result_finish(&result);
    }
}

/* ---- in pieces ---- */

#define MANY 30000 /* two rows each: more than a piece holds */

/* Not delivered, so that what comes back is live again and comes first. */
static void put_gone(struct changeset *changeset, const char *name)
{
    struct membership_record membership = {.is_valid = true,
                                           .is_ubuntu_coc_signer = true,
                                           .extension = EXTENSION_APPEND,
                                           .date_created_us = 5,
                                           .since_s = 1};
    struct alias_record alias = {.kind = ALIAS_MEMBER,
                                 .state = ALIAS_GONE,
                                 .reason = REASON_NOT_MEMBER,
                                 .extension = EXTENSION_APPEND,
                                 .since_s = 1,
                                 .owner = span_of(name)};
    changeset_begin_group(changeset, false);
    changeset_put_membership(changeset, DOMAIN, name, &membership);
    changeset_put_alias(changeset, DOMAIN, name, &alias);
}

static void each_of_many(struct house_cache *cache, struct changeset *changeset, bool is_active)
{
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%05u", i);
        if (!is_active) {
            put_gone(changeset, name);
            continue;
        }
        put_person(cache, changeset, name, 5, "");
        put_member(cache, changeset, DOMAIN, name, true);
    }
}

static void fill_many(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)snapshot;
    put_domain(changeset, DOMAIN);
    each_of_many(cache, changeset, true);
}

static void many_leave(struct house_cache *cache, struct snapshot *snapshot,
                       struct changeset *changeset)
{
    (void)snapshot;
    changeset_keep_undo(changeset, NOW_S);
    each_of_many(cache, changeset, false);
}

static void a_large_one_holds_the_domain_with_its_first_piece(void **state)
{
    struct house_cache *cache = *state;
    struct rollback_result result = {0};
    struct domain_record domain;
    struct alias_record last;
    struct error error;
    house_cache_change(cache, fill_many);
    uint64_t before = house_cache_change(cache, many_leave);
    roll_back(cache, &result);
    assert_int_equal(result.restored, MANY);
    struct snapshot *snapshot = house_cache_look(cache);
    assert_int_equal(snapshot_domain(snapshot, DOMAIN, &domain, &error), STORE_FOUND);
    assert_true(domain.is_held);
    assert_int_equal(domain.stamp.generation, before + 1);
    assert_int_equal(snapshot_alias(snapshot, DOMAIN, span_of("m29999"), &last, &error),
                     STORE_FOUND);
    assert_true(last.stamp.generation > domain.stamp.generation);
    assert_int_equal(last.state, ALIAS_ACTIVE);
    snapshot_end(snapshot);
    assert_agrees(cache);
    rollback_result_finish(&result);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, house_cache_set_up, house_cache_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nobody_is_told_again),
        CASE(nothing_is_revived_that_was_erased),
        CASE(what_was_scrubbed_is_not_missed),
        CASE(what_is_as_before_already_counts_as_done),
        CASE(a_login_goes_back_with_its_name),
        CASE(a_login_stays_with_a_name_that_stays),
        CASE(all_aliases_of_a_name_go_back_together),
        CASE(one_that_was_changed_since_keeps_the_others),
        CASE(must_have_been_left_alone_since),
        CASE(a_large_one_holds_the_domain_with_its_first_piece),
    };
    return cmocka_run_group_tests_name("action/rollback", tests, NULL, NULL);
}
