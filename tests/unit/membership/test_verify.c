/* What verify_cache finds in rows that do not belong together. */
#include "../house_cache.h"
#include "membership/verify.h"

static void fill(struct house_cache *cache, struct snapshot *snapshot, struct changeset *changeset)
{
    (void)snapshot;
    put_domain(changeset, DOMAIN);
    put_person(cache, changeset, "ann", 5, "");
    put_member(cache, changeset, DOMAIN, "ann", true);
    put_person(cache, changeset, "ben", 5, "");
    put_member(cache, changeset, DOMAIN, "ben", false);
}

static struct alias_record alias_of(struct snapshot *snapshot, const char *name)
{
    struct alias_record alias;
    struct error error;
    assert_int_equal(snapshot_alias(snapshot, DOMAIN, span_of(name), &alias, &error), STORE_FOUND);
    return alias;
}

static struct membership_record membership_of(struct snapshot *snapshot, const char *name)
{
    struct membership_record membership;
    struct error error;
    assert_int_equal(snapshot_membership(snapshot, DOMAIN, name, &membership, &error), STORE_FOUND);
    return membership;
}

static void nothing(struct house_cache *cache, struct snapshot *snapshot,
                    struct changeset *changeset)
{
    struct event_record event = {.act = span_of("nothing")};
    (void)cache, (void)snapshot;
    changeset_event(changeset, &event);
}

static void another_state(struct house_cache *cache, struct snapshot *snapshot,
                          struct changeset *changeset)
{
    (void)snapshot;
    put_alias(cache, changeset, DOMAIN, "ann", false);
}

static void no_alias(struct house_cache *cache, struct snapshot *snapshot,
                     struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    changeset_delete_alias(changeset, DOMAIN, "ben");
}

static void other_targets(struct house_cache *cache, struct snapshot *snapshot,
                          struct changeset *changeset)
{
    struct alias_record alias = alias_of(snapshot, "ann");
    struct buffer sealed = {0};
    keyring_seal_alias(cache->ring, DOMAIN, span_of("ann"), span_of("evil@target.example"),
                       &sealed);
    alias.sealed_targets = (struct span){sealed.data, sealed.length};
    changeset_put_alias(changeset, DOMAIN, "ann", &alias);
    buffer_finish(&sealed);
}

static void another_policy(struct house_cache *cache, struct snapshot *snapshot,
                           struct changeset *changeset)
{
    struct alias_record alias = alias_of(snapshot, "ann");
    (void)cache;
    alias.extension = EXTENSION_REFUSE;
    changeset_put_alias(changeset, DOMAIN, "ann", &alias);
}

static void another_owner(struct house_cache *cache, struct snapshot *snapshot,
                          struct changeset *changeset)
{
    struct alias_record alias = alias_of(snapshot, "ann");
    (void)cache;
    alias.owner = span_of("ben");
    changeset_put_alias(changeset, DOMAIN, "ann", &alias);
}

static void live_for_no_reason(struct house_cache *cache, struct snapshot *snapshot,
                               struct changeset *changeset)
{
    struct membership_record membership = membership_of(snapshot, "ann");
    (void)cache;
    membership.live_since_s = 0;
    changeset_put_membership(changeset, DOMAIN, "ann", &membership);
}

static void no_membership(struct house_cache *cache, struct snapshot *snapshot,
                          struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    changeset_delete_membership(changeset, DOMAIN, "ann");
}

static void no_person(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)cache, (void)snapshot;
    changeset_delete_person(changeset, "ann");
}

static void no_domain(struct house_cache *cache, struct snapshot *snapshot,
                      struct changeset *changeset)
{
    (void)snapshot;
    put_person(cache, changeset, "cid", 5, "");
    put_member(cache, changeset, "gone.example", "cid", true);
}

static void an_extra_that_is_not_there(struct house_cache *cache, struct snapshot *snapshot,
                                       struct changeset *changeset)
{
    struct membership_record membership = membership_of(snapshot, "ann");
    (void)cache;
    membership.extras = span_of("a.nn\nben");
    changeset_put_membership(changeset, DOMAIN, "ann", &membership);
}

static void an_extra_of_nobody(struct house_cache *cache, struct snapshot *snapshot,
                               struct changeset *changeset)
{
    struct alias_record alias = {.kind = ALIAS_EXTRA,
                                 .state = ALIAS_PENDING,
                                 .reason = REASON_NO_TARGET,
                                 .extension = EXTENSION_APPEND,
                                 .owner = span_of("ann")};
    (void)cache, (void)snapshot;
    changeset_put_alias(changeset, DOMAIN, "a.nn", &alias);
    alias.state = ALIAS_GONE; /* a tombstone needs nobody */
    alias.reason = REASON_REMOVED;
    changeset_put_alias(changeset, DOMAIN, "an.n", &alias);
}

static void a_static_alias_sealed_for_another(struct house_cache *cache, struct snapshot *snapshot,
                                              struct changeset *changeset)
{
    struct alias_record alias = alias_of(snapshot, "ann");
    (void)cache;
    alias.kind = ALIAS_STATIC;
    alias.owner = (struct span){"", 0};
    changeset_put_alias(changeset, DOMAIN, "press", &alias);
}

static void a_login_that_leads_astray(struct house_cache *cache, struct snapshot *snapshot,
                                      struct changeset *changeset)
{
    struct login_record login = {.name = span_of("ben")};
    (void)snapshot;
    put_person(cache, changeset, "ann", 5, "id:a");
    changeset_put_login(changeset, "id:a", &login);
}

/* It waits for that domain's listing. */
static void an_account_that_lost_its_name(struct house_cache *cache, struct snapshot *snapshot,
                                          struct changeset *changeset)
{
    (void)snapshot;
    put_person(cache, changeset, "ann", 99, "");
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

static void assert_finds(struct house_cache *cache, const char *wanted)
{
    char differences[512] = "";
    struct error error;
    struct planning planning = {
        .house = &house_cache_house,
        .ring = cache->ring,
        .actor = "test",
        .now_s = 1000,
        .snapshot = house_cache_look(cache),
    };
    const struct verify_watch watch = {note_difference, ignore_progress, differences};
    assert_true(verify_cache(&planning, &watch, &error));
    snapshot_end(planning.snapshot);
    assert_string_equal(differences, wanted);
}

static void it_finds(void **state)
{
    static const struct {
        house_change *change;
        const char *wanted;
    } cases[] = {
        {nothing, ""},
        {another_state, "ann@ubuntu.com is leaving (not-member), delivered; by the rules it is "
                        "active;"},
        {no_alias, "ben@ubuntu.com has no alias; by the rules it is leaving (not-member), "
                   "delivered;"},
        {other_targets, "ann@ubuntu.com has other targets than its person;"},
        {another_policy, "ann@ubuntu.com has another extension policy than its membership;"},
        {another_owner, "ann@ubuntu.com belongs to another name;"
                        "ann@ubuntu.com is a member's alias and belongs to another name;"},
        {live_for_no_reason,
         "ann@ubuntu.com has a membership that is live or leaving for no reason;"},
        {no_membership, "ann@ubuntu.com is an alias without the membership of its owner;"},
        {no_person, "ann@ubuntu.com has a membership and no person;"},
        {no_domain, "cid@gone.example stands in a domain that the cache does not have;"
                    "cid@gone.example stands in a domain that the cache does not have;"},
        {an_extra_that_is_not_there,
         "a.nn@ubuntu.com is an extra alias of a membership and not there;"
         "ben@ubuntu.com is an extra alias of a membership and another's;"},
        {an_extra_of_nobody,
         "a.nn@ubuntu.com is an extra alias that its owner's membership lacks;"},
        {a_static_alias_sealed_for_another,
         "press@ubuntu.com is a static alias whose targets do not open;"},
        {a_login_that_leads_astray, "ann@ has a login that does not lead to it;"
                                    "ben@ is led to by a login that it does not have;"},
        {an_account_that_lost_its_name, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct house_cache *cache = *state;
        house_cache_change(cache, fill);
        house_cache_change(cache, cases[i].change);
        assert_finds(cache, cases[i].wanted);
        house_cache_tear_down(state);
        house_cache_set_up(state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_finds, house_cache_set_up, house_cache_tear_down),
    };
    return cmocka_run_group_tests_name("membership/verify", tests, NULL, NULL);
}
