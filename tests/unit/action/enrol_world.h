/*
 * A cache whose rows a test writes as lines of words and reads back as lines of words; for the acts
 * of persons.
 *
 *   domain NAME [held] [lost] [unproven] [unfilled] [team=T]
 *   plan DOMAIN all|discarded NAME
 *   person NAME DATE [login=I] [banned] [paused] [renamed=N] [to=SOURCE+ADDRESS]...
 *   member DOMAIN NAME DATE [absent] [live] [invalid] [doubted] [extra=LOCAL]
 *   alias DOMAIN LOCAL STATE [renamed] [owner=N] [to=ADDRESS]
 *   static DOMAIN LOCAL
 */
#ifndef LPALIAS_TESTS_UNIT_ACTION_ENROL_WORLD_H
#define LPALIAS_TESTS_UNIT_ACTION_ENROL_WORLD_H

#include "../house_cache.h"
#include "action/actor.h"
#include "base/memory.h"

static const struct house_domain enrol_domains[] = {
    {.name = DOMAIN, .team = "ubuntumembers", .grace_s = 30 * 86400},
    {.name = OTHER, .team = "kubuntu-members", .grace_s = 30 * 86400, .wants_proof = true},
};
static const struct house enrol_house = {
    .domains = enrol_domains,
    .domain_count = ARRAY_LENGTH(enrol_domains),
    .recipient_delimiter = "+",
    .max_removals_percent = 10,
    .max_additions_percent = 20,
};

/* The value of "key=value", "" for the bare word, NULL if it is another word. */
static inline const char *enrol_value(const char *word, const char *key)
{
    size_t length = strlen(key);
    if (strncmp(word, key, length) != 0)
        return NULL;
    return word[length] == '=' ? word + length + 1 : word[length] == '\0' ? "" : NULL;
}

static inline void enrol_put_domain(struct changeset *changeset, char **words)
{
    struct domain_record row = {
        .is_open = true, .team_date_created_us = 7, .filled_s = 1, .proof = PROOF_SEEN};
    const struct house_domain *house_domain = house_find(&enrol_house, words[1]);
    row.team = span_of(house_domain != NULL ? house_domain->team : "former");
    for (char **word = words + 2; *word != NULL; word++) {
        if (strcmp(*word, "held") == 0)
            row.is_held = true;
        else if (strcmp(*word, "lost") == 0)
            row.proof = PROOF_LOST;
        else if (strcmp(*word, "unproven") == 0)
            row.proof = PROOF_NEVER;
        else if (strcmp(*word, "unfilled") == 0)
            row.filled_s = 0;
        else if (enrol_value(*word, "team") != NULL)
            row.team = span_of(enrol_value(*word, "team"));
        else
            fail_msg("domain: %s", *word);
    }
    changeset_put_domain(changeset, words[1], &row);
}

static inline void enrol_put_plan(struct changeset *changeset, char **words)
{
    struct buffer rows = {0};
    const struct plan_row row = {.name = span_of(words[3] != NULL ? words[3] : "somebody"),
                                 .is_seen = true,
                                 .after = ALIAS_ACTIVE};
    plan_row_append(&rows, &row);
    const struct plan_record plan = {
        .holds =
            strcmp(words[2], "all") == 0 ? PLAN_HOLDS_ALL : PLAN_HOLDS_ADDITIONS | PLAN_DISCARDED,
        .rows = {rows.data, rows.length},
    };
    changeset_put_plan(changeset, words[1], &plan);
    buffer_finish(&rows);
}

static inline void enrol_put_person(struct house_cache *cache, struct changeset *changeset,
                                    char **words)
{
    struct person_record person = {.date_created_us = atoi(words[2])};
    struct target_list list = {0};
    struct buffer sealed = {0};
    for (char **word = words + 3; *word != NULL; word++) {
        const char *to = enrol_value(*word, "to");
        if (to != NULL)
            target_list_add(&list,
                            *to == 'o'   ? TARGET_SOURCE_OPERATOR
                            : *to == 'p' ? TARGET_SOURCE_PERSON
                                         : TARGET_SOURCE_LAUNCHPAD,
                            to[1] == '+', to + 2);
        else if (enrol_value(*word, "login") != NULL)
            person.login_identifier = span_of(enrol_value(*word, "login"));
        else if (enrol_value(*word, "renamed") != NULL)
            person.renamed_to = span_of(enrol_value(*word, "renamed"));
        else if (strcmp(*word, "banned") == 0)
            person.is_banned = true;
        else if (strcmp(*word, "paused") == 0)
            person.is_paused = true;
        else
            fail_msg("person: %s", *word);
    }
    target_list_seal(&list, cache->ring, words[1], &sealed, &person);
    changeset_put_person(changeset, words[1], &person);
    if (person.login_identifier.length != 0) {
        const struct login_record login = {.name = span_of(words[1])};
        char *identifier =
            memory_copy_bytes(person.login_identifier.data, person.login_identifier.length);
        changeset_put_login(changeset, identifier, &login);
        free(identifier);
    }
    target_list_finish(&list);
    buffer_finish(&sealed);
}

static inline void enrol_put_member(struct changeset *changeset, char **words)
{
    struct membership_record row = {
        .is_member = true,
        .is_valid = true,
        .is_ubuntu_coc_signer = true,
        .extension = EXTENSION_APPEND,
        .date_created_us = atoi(words[3]),
        .since_s = 1,
    };
    for (char **word = words + 4; *word != NULL; word++) {
        if (strcmp(*word, "absent") == 0)
            row.is_member = false;
        else if (strcmp(*word, "live") == 0)
            row.live_since_s = 1;
        else if (strcmp(*word, "invalid") == 0)
            row.is_valid = false;
        else if (strcmp(*word, "doubted") == 0)
            row.missing_since_s = row.invalid_since_s = 500;
        else if (enrol_value(*word, "extra") != NULL)
            row.extras = span_of(enrol_value(*word, "extra"));
        else
            fail_msg("member: %s", *word);
    }
    if (!row.is_member && row.live_since_s != 0)
        row.leaving_since_s = 2;
    changeset_put_membership(changeset, words[1], words[2], &row);
}

static inline void enrol_put_alias(struct house_cache *cache, struct changeset *changeset,
                                   char **words)
{
    struct alias_record row = {.kind = ALIAS_MEMBER,
                               .extension = EXTENSION_APPEND,
                               .since_s = 1,
                               .owner = span_of(words[2])};
    struct buffer sealed = {0};
    for (enum alias_state state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        if (strcmp(alias_state_name(state), words[3]) == 0)
            row.state = state;
    row.deliver = row.state == ALIAS_LEAVING;
    row.reason = row.state == ALIAS_LEAVING ? REASON_NOT_MEMBER : REASON_NONE;
    for (char **word = words + 4; *word != NULL; word++) {
        if (enrol_value(*word, "owner") != NULL) {
            row.owner = span_of(enrol_value(*word, "owner"));
            row.kind = ALIAS_EXTRA;
        } else if (strcmp(*word, "renamed") == 0) {
            row.reason = REASON_RENAMED;
        } else if (enrol_value(*word, "to") != NULL) {
            keyring_seal_alias(cache->ring, words[1], span_of(words[2]),
                               span_of(enrol_value(*word, "to")), &sealed);
            row.sealed_targets = (struct span){sealed.data, sealed.length};
        } else {
            fail_msg("alias: %s", *word);
        }
    }
    changeset_put_alias(changeset, words[1], words[2], &row);
    buffer_finish(&sealed);
}

struct enrol_setting {
    struct house_cache *cache;
    const char *lines;
};

static inline void enrol_put_line(struct enrol_setting *setting, struct changeset *changeset,
                                  char *line)
{
    char *words[12] = {0};
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (strcmp(words[0], "domain") == 0) {
        enrol_put_domain(changeset, words);
    } else if (strcmp(words[0], "plan") == 0) {
        enrol_put_plan(changeset, words);
    } else if (strcmp(words[0], "person") == 0) {
        enrol_put_person(setting->cache, changeset, words);
    } else if (strcmp(words[0], "member") == 0) {
        enrol_put_member(changeset, words);
    } else if (strcmp(words[0], "alias") == 0) {
        enrol_put_alias(setting->cache, changeset, words);
    } else if (strcmp(words[0], "static") == 0) {
        const struct alias_record row = {
            .kind = ALIAS_STATIC, .state = ALIAS_ACTIVE, .extension = EXTENSION_DROP};
        changeset_put_alias(changeset, words[1], words[2], &row);
    } else {
        fail_msg("%s", words[0]);
    }
}

static inline bool enrol_plan_lines(void *context, struct snapshot *snapshot,
                                    struct changeset *changeset, struct error *error)
{
    struct enrol_setting *setting = context;
    char *copy = strdup(setting->lines);
    char *rest = NULL;
    (void)snapshot, (void)error;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        enrol_put_line(setting, changeset, line);
    free(copy);
    return true;
}

/* Returns the generation. */
static inline uint64_t enrol_set(struct house_cache *cache, const char *lines)
{
    struct enrol_setting setting = {cache, lines};
    struct store_update_result result;
    struct error error;
    if (!store_update(cache->store, enrol_plan_lines, &setting, &result, &error))
        fail_msg("%s", error.text);
    return result.generation;
}

/* ---- what is there ---- */

struct enrol_reading {
    struct house_cache *cache;
    struct buffer text;
};

#define SPAN(span) (int)(span).length, (span).data

static inline bool enrol_read_person(void *context, const char *name,
                                     const struct person_record *person)
{
    struct enrol_reading *reading = context;
    struct target_list list;
    struct error error;
    buffer_appendf(&reading->text, "person %s %d", name, (int)person->date_created_us);
    if (person->login_identifier.length != 0)
        buffer_appendf(&reading->text, " login=%.*s", SPAN(person->login_identifier));
    if (person->login_name.length != 0)
        buffer_appendf(&reading->text, " login-name=%.*s", SPAN(person->login_name));
    buffer_append_text(&reading->text, person->is_banned ? " banned" : "");
    buffer_append_text(&reading->text, person->is_paused ? " paused" : "");
    if (person->renamed_to.length != 0)
        buffer_appendf(&reading->text, " renamed=%.*s", SPAN(person->renamed_to));
    if (!target_list_open(reading->cache->ring, name, person, &list, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < list.count; i++)
        buffer_appendf(&reading->text, " to=%c%c%s", " lpo"[list.entries[i].source],
                       list.entries[i].is_proven ? '+' : '?', list.entries[i].address);
    target_list_finish(&list);
    buffer_append_char(&reading->text, '\n');
    return true;
}

static inline bool enrol_read_login(void *context, const char *identifier,
                                    const struct login_record *login)
{
    struct enrol_reading *reading = context;
    buffer_appendf(&reading->text, "login %s %.*s\n", identifier, SPAN(login->name));
    return true;
}

static inline bool enrol_read_member(void *context, const char *domain, const char *name,
                                     const struct membership_record *row)
{
    struct enrol_reading *reading = context;
    buffer_appendf(&reading->text, "member %s %s %d", domain, name, (int)row->date_created_us);
    buffer_append_text(&reading->text, row->is_member ? "" : " absent");
    buffer_append_text(&reading->text, row->live_since_s != 0 ? " live" : "");
    buffer_append_text(&reading->text, row->is_valid ? "" : " invalid");
    buffer_append_text(&reading->text, row->is_ubuntu_coc_signer ? "" : " unsigned");
    buffer_append_text(&reading->text, row->missing_since_s != 0 ? " missing" : "");
    buffer_append_text(&reading->text, row->invalid_since_s != 0 ? " doubted" : "");
    if (row->extras.length != 0)
        buffer_appendf(&reading->text, " extra=%.*s", SPAN(row->extras));
    buffer_append_char(&reading->text, '\n');
    return true;
}

static inline bool enrol_read_alias(void *context, const char *domain, const char *local,
                                    const struct alias_record *row)
{
    struct enrol_reading *reading = context;
    struct buffer plain = {0};
    if (row->kind == ALIAS_STATIC)
        return true;
    buffer_appendf(&reading->text, "alias %s %s %s", domain, local, alias_state_name(row->state));
    if (row->reason != REASON_NONE)
        buffer_appendf(&reading->text, " %s", alias_reason_name(row->reason));
    if (row->extension != EXTENSION_APPEND)
        buffer_appendf(&reading->text, " %s", extension_policy_name(row->extension));
    if (!span_is_text(row->owner, local))
        buffer_appendf(&reading->text, " owner=%.*s", SPAN(row->owner));
    if (row->sealed_targets.length != 0) {
        assert_int_equal(keyring_unseal_alias(reading->cache->ring, domain, span_of(local),
                                              row->sealed_targets, &plain),
                         UNSEAL_DONE);
        buffer_appendf(&reading->text, " to=%s", buffer_text(&plain));
    }
    buffer_finish(&plain);
    buffer_append_char(&reading->text, '\n');
    return true;
}

static inline bool enrol_read_notice(void *context, uint64_t sequence,
                                     const struct outbox_record *fact)
{
    static const char *const audiences[] = {
        [AUDIENCE_PERSON] = "person", [AUDIENCE_ADMINS] = "admins", [AUDIENCE_ALERTS] = "alerts"};
    struct enrol_reading *reading = context;
    struct buffer plain = {0};
    (void)sequence;
    buffer_appendf(&reading->text, "tell %s %.*s", audiences[fact->audience], SPAN(fact->kind));
    const struct span words[] = {fact->domain, fact->subject, fact->reason};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (words[i].length != 0)
            buffer_appendf(&reading->text, " %.*s", SPAN(words[i]));
    if (fact->audience == AUDIENCE_PERSON) {
        assert_int_equal(
            keyring_unseal_notice(reading->cache->ring, fact->id, fact->sealed_recipients, &plain),
            UNSEAL_DONE);
        buffer_appendf(&reading->text, " -> %s", buffer_text(&plain));
    }
    buffer_finish(&plain);
    buffer_append_char(&reading->text, '\n');
    return true;
}

static inline bool enrol_read_event(void *context, uint64_t sequence,
                                    const struct event_record *event)
{
    struct enrol_reading *reading = context;
    (void)sequence;
    buffer_appendf(&reading->text, "event %.*s %.*s%s%.*s\n", SPAN(event->act), SPAN(event->domain),
                   event->domain.length != 0 ? " " : "", SPAN(event->subject));
    return true;
}

/* All of it: people, logins, members, aliases, notices, events. Caller finishes. */
static inline struct buffer enrol_read(struct house_cache *cache)
{
    struct enrol_reading reading = {.cache = cache};
    struct snapshot *snapshot = house_cache_look(cache);
    struct error error;
    if (!snapshot_each_person(snapshot, enrol_read_person, &reading, &error) ||
        !snapshot_each_login(snapshot, enrol_read_login, &reading, &error) ||
        !snapshot_each_membership(snapshot, NULL, enrol_read_member, &reading, &error) ||
        !snapshot_each_alias(snapshot, NULL, enrol_read_alias, &reading, &error) ||
        !snapshot_each_notice(snapshot, enrol_read_notice, &reading, &error) ||
        !snapshot_each_event(snapshot, enrol_read_event, &reading, &error))
        fail_msg("%s", error.text);
    snapshot_end(snapshot);
    buffer_text(&reading.text);
    return reading.text;
}

static inline void enrol_expect(struct house_cache *cache, const char *label, const char *wanted)
{
    struct buffer text = enrol_read(cache);
    if (strcmp(buffer_text(&text), wanted) != 0)
        fail_msg("%s:\n%swanted:\n%s", label, buffer_text(&text), wanted);
    buffer_finish(&text);
}

static inline struct action enrol_action(struct house_cache *cache, int64_t now_s)
{
    return (struct action){
        .store = cache->store,
        .ring = cache->ring,
        .actor = "operator:test",
        .now_s = now_s,
        .house = &enrol_house,
    };
}

#endif
