/*
 * Prints what a cache holds, for the model test: cache_dump DIR KEYFILE. For each line on standard
 * input, which names domains, one JSON object in one line: all rows of a new snapshot, targets in
 * clear, and the run rows of those domains. Not what any
 * command shows but the records themselves, so that the model is compared with facts.
 *
 * cache_dump --settle DIR begins a write transaction and gives it up. A writer that was killed
 * right after its commit has not told readers yet, who see the generation before until the next
 * writer comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <lmdb.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "membership/target_list.h"
#include "store/keyring.h"
#include "store/snapshot.h"
#include "store/store.h"

#define LIMIT_BYTES ((uint64_t)1024 * 1024 * 1024)

/* One dump; a value that does not open becomes null in it, which no model expects. */
struct dump {
    const struct keyring *ring;
    json_t *rows; /* of the table that is walked over */
};

static json_t *text(struct span span)
{
    return json_stringn(span.length != 0 ? span.data : "", span.length);
}

static json_t *number(int64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *lines(const struct buffer *buffer)
{
    json_t *array = json_array();
    for (size_t at = 0; at < buffer->length;) {
        const char *line = buffer->data + at;
        const char *end = memchr(line, '\n', buffer->length - at);
        size_t length = end != NULL ? (size_t)(end - line) : buffer->length - at;
        json_array_append_new(array, json_stringn(line, length));
        at += length + 1;
    }
    return array;
}

static json_t *lines_of(struct span span)
{
    struct buffer buffer = {0};
    buffer_append(&buffer, span.data, span.length);
    json_t *array = lines(&buffer);
    buffer_finish(&buffer);
    return array;
}

static json_t *alias_targets(const struct dump *dump, const char *domain, const char *local,
                             struct span sealed)
{
    struct buffer plain = {0};
    json_t *targets = NULL;
    if (sealed.length == 0)
        return json_array();
    if (keyring_unseal_alias(dump->ring, domain, span_of(local), sealed, &plain) == UNSEAL_DONE)
        targets = lines(&plain);
    buffer_finish(&plain);
    return targets != NULL ? targets : json_null();
}

static bool add_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct dump *dump = context;
    json_array_append_new(
        dump->rows,
        json_pack("{ss ss ss ss ss sb ss sI so so}", "domain", domain, "local", local, "kind",
                  alias_kind_name(record->kind), "state", alias_state_name(record->state), "reason",
                  record->reason != REASON_NONE ? alias_reason_name(record->reason) : "", "deliver",
                  record->deliver, "extension", extension_policy_name(record->extension), "since",
                  (json_int_t)record->since_s, "owner", text(record->owner), "targets",
                  alias_targets(dump, domain, local, record->sealed_targets)));
    return true;
}

/* [source, proven, address] of each. */
static json_t *person_targets(const struct dump *dump, const char *name,
                              const struct person_record *record)
{
    struct target_list list;
    struct error error;
    bool is_open = target_list_open(dump->ring, name, record, &list, &error);
    json_t *targets = is_open ? json_array() : json_null();
    for (size_t i = 0; is_open && i < list.count; i++)
        json_array_append_new(targets,
                              json_pack("[s b s]", target_source_name(list.entries[i].source),
                                        list.entries[i].is_proven, list.entries[i].address));
    target_list_finish(&list);
    return targets;
}

static bool add_person(void *context, const char *name, const struct person_record *record)
{
    struct dump *dump = context;
    json_array_append_new(
        dump->rows,
        json_pack("{ss so sb sb sI sI ss so so so so so}", "name", name, "date",
                  number(record->date_created_us), "banned", record->is_banned, "paused",
                  record->is_paused, "banned_s", (json_int_t)record->banned_s, "paused_s",
                  (json_int_t)record->paused_s, "source", target_source_name(record->target_source),
                  "targets", person_targets(dump, name, record), "ban_reason",
                  text(record->ban_reason), "login", text(record->login_identifier), "login_name",
                  text(record->login_name), "renamed_to", text(record->renamed_to)));
    return true;
}

static bool add_membership(void *context, const char *domain, const char *name,
                           const struct membership_record *record)
{
    struct dump *dump = context;
    json_array_append_new(
        dump->rows,
        json_pack("{ss ss sb sb sb sb sb ss so sI sI sI sI sI sI si sI so}", "domain", domain,
                  "name", name, "member", record->is_member, "valid", record->is_valid, "coc",
                  record->is_ubuntu_coc_signer, "admin", record->is_admin, "allowed",
                  record->is_name_allowed, "extension", extension_policy_name(record->extension),
                  "date", number(record->date_created_us), "since", (json_int_t)record->since_s,
                  "missing_since", (json_int_t)record->missing_since_s, "invalid_since",
                  (json_int_t)record->invalid_since_s, "unsigned_since",
                  (json_int_t)record->unsigned_since_s, "live_since",
                  (json_int_t)record->live_since_s, "leaving_since",
                  (json_int_t)record->leaving_since_s, "days", (int)record->lacking_days, "day",
                  (json_int_t)record->lacking_day, "extras", lines_of(record->extras)));
    return true;
}

/* docs/cache-format.md: entries of an i64 and a u32, little-endian. */
static json_t *losses_of(struct span span)
{
    json_t *array = json_array();
    for (size_t at = 0; at + 12 <= span.length; at += 12) {
        uint64_t at_s = 0, count = 0;
        for (size_t i = 0; i < 8; i++)
            at_s |= (uint64_t)(unsigned char)span.data[at + i] << (8 * i);
        for (size_t i = 0; i < 4; i++)
            count |= (uint64_t)(unsigned char)span.data[at + 8 + i] << (8 * i);
        json_array_append_new(array, json_pack("[I I]", (json_int_t)at_s, (json_int_t)count));
    }
    return array;
}

static bool add_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct dump *dump = context;
    json_array_append_new(
        dump->rows,
        json_pack("{ss sb sI so sI sb ss sI so so so}", "domain", domain, "open", record->is_open,
                  "opened", (json_int_t)record->opened_generation, "pin",
                  number(record->team_date_created_us), "filled", (json_int_t)record->filled_s,
                  "held", record->is_held, "proof", proof_state_name(record->proof), "proof_since",
                  (json_int_t)record->proof_since_s, "team", text(record->team), "hold_reason",
                  text(record->hold_reason), "losses", losses_of(record->losses)));
    return true;
}

static json_t *plan_names(struct span rows)
{
    json_t *array = json_array();
    struct plan_row row;
    while (plan_row_take(&rows, &row))
        json_array_append_new(
            array, json_pack("{so sb sb sb so ss ss ss}", "name", text(row.name), "seen",
                             row.is_seen, "valid", row.is_valid, "coc", row.is_ubuntu_coc_signer,
                             "date", number(row.date_created_us), "before",
                             row.before != 0 ? alias_state_name(row.before) : "", "after",
                             row.after != 0 ? alias_state_name(row.after) : "", "reason",
                             row.reason != REASON_NONE ? alias_reason_name(row.reason) : ""));
    return array;
}

static bool add_plan(void *context, const char *domain, const struct plan_record *record)
{
    struct dump *dump = context;
    json_array_append_new(
        dump->rows,
        json_pack("{ss sb sb sb sb sI sI so sI sI so so}", "domain", domain, "losses_held",
                  (record->holds & PLAN_HOLDS_LOSSES) != 0, "additions_held",
                  (record->holds & PLAN_HOLDS_ADDITIONS) != 0, "all_held",
                  (record->holds & PLAN_HOLDS_ALL) != 0, "discarded",
                  (record->holds & PLAN_DISCARDED) != 0, "made", (json_int_t)record->made_s,
                  "listing", (json_int_t)record->listing_s, "pin",
                  number(record->team_date_created_us), "losses", (json_int_t)record->losses,
                  "additions", (json_int_t)record->additions, "team", text(record->team), "names",
                  plan_names(record->rows)));
    return true;
}

static json_t *recipients_of(const struct dump *dump, const struct outbox_record *record)
{
    struct buffer plain = {0};
    json_t *recipients = NULL;
    if (record->sealed_recipients.length == 0)
        return json_array();
    if (keyring_unseal_notice(dump->ring, record->id, record->sealed_recipients, &plain) ==
        UNSEAL_DONE)
        recipients = lines(&plain);
    buffer_finish(&plain);
    return recipients != NULL ? recipients : json_null();
}

static bool add_notice(void *context, uint64_t sequence, const struct outbox_record *record)
{
    struct dump *dump = context;
    static const char *const audiences[] = {
        [AUDIENCE_PERSON] = "person",
        [AUDIENCE_ADMINS] = "admins",
        [AUDIENCE_ALERTS] = "alerts",
    };
    (void)sequence;
    json_array_append_new(dump->rows,
                          json_pack("{ss so so so so so sI sb so}", "audience",
                                    audiences[record->audience], "kind", text(record->kind),
                                    "domain", text(record->domain), "subject",
                                    text(record->subject), "reason", text(record->reason), "detail",
                                    text(record->detail), "at", (json_int_t)record->at_s, "overdue",
                                    record->is_overdue, "recipients", recipients_of(dump, record)));
    return true;
}

static bool add_sent(void *context, const char *domain, const char *name, const char *word,
                     const struct sent_record *record)
{
    struct dump *dump = context;
    json_array_append_new(dump->rows, json_pack("{ss ss ss sI}", "domain", domain, "name", name,
                                                "word", word, "last", (json_int_t)record->last_s));
    return true;
}

/* The run rows of the domains named, between spaces; there is no walk over that table. */
static bool add_runs(struct snapshot *snapshot, char *domains, json_t *rows, struct error *error)
{
    char *rest = NULL;
    for (char *domain = strtok_r(domains, " \n", &rest); domain != NULL;
         domain = strtok_r(NULL, " \n", &rest)) {
        struct run_record run;
        enum store_result result = snapshot_run(snapshot, domain, &run, error);
        if (result == STORE_TROUBLE)
            return false;
        if (result == STORE_FOUND)
            json_array_append_new(rows, json_pack("{ss ss sI sI}", "domain", domain, "outcome",
                                                  run_outcome_name(run.outcome), "attempt",
                                                  (json_int_t)run.attempt_s, "success",
                                                  (json_int_t)run.success_s));
    }
    return true;
}

static json_t *add_table(json_t *root, struct dump *dump, const char *table)
{
    dump->rows = json_array();
    json_object_set_new(root, table, dump->rows);
    return dump->rows;
}

static bool dump_snapshot(struct snapshot *snapshot, const struct keyring *ring, char *domains,
                          json_t *root, struct error *error)
{
    struct dump dump = {.ring = ring};
    json_object_set_new(root, "generation", number((int64_t)snapshot_generation(snapshot)));
    add_table(root, &dump, "alias");
    if (!snapshot_each_alias(snapshot, NULL, add_alias, &dump, error))
        return false;
    add_table(root, &dump, "person");
    if (!snapshot_each_person(snapshot, add_person, &dump, error))
        return false;
    add_table(root, &dump, "membership");
    if (!snapshot_each_membership(snapshot, NULL, add_membership, &dump, error))
        return false;
    add_table(root, &dump, "plan");
    if (!snapshot_each_plan(snapshot, add_plan, &dump, error))
        return false;
    add_table(root, &dump, "outbox");
    if (!snapshot_each_notice(snapshot, add_notice, &dump, error))
        return false;
    add_table(root, &dump, "sent");
    if (!snapshot_each_sent(snapshot, NULL, add_sent, &dump, error))
        return false;
    add_table(root, &dump, "domain");
    return snapshot_each_domain(snapshot, add_domain, &dump, error) &&
           add_runs(snapshot, domains, add_table(root, &dump, "run"), error);
}

static bool print_dump(struct store *store, const struct keyring *ring, char *domains,
                       struct error *error)
{
    struct snapshot *snapshot;
    if (!snapshot_begin(store, &snapshot, error))
        return false;
    json_t *root = json_object();
    bool is_read = dump_snapshot(snapshot, ring, domains, root, error);
    snapshot_end(snapshot);
    if (is_read && json_dumpf(root, stdout, JSON_COMPACT) == 0)
        putchar('\n');
    fflush(stdout);
    json_decref(root);
    return is_read;
}

static int settle(const char *directory)
{
    MDB_env *environment;
    MDB_txn *transaction;
    int code = mdb_env_create(&environment);
    if (code == 0)
        code = mdb_env_open(environment, directory, 0, 0640);
    if (code == 0)
        code = mdb_txn_begin(environment, NULL, 0, &transaction);
    if (code == 0)
        mdb_txn_abort(transaction);
    else
        fprintf(stderr, "%s\n", mdb_strerror(code));
    mdb_env_close(environment);
    return code == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--settle") == 0)
        return settle(argv[2]);
    struct store *store;
    struct keyring *ring;
    struct error error;
    char line[1024];
    if (argc != 3) {
        fprintf(stderr, "usage: cache_dump DIR KEYFILE | --settle DIR\n");
        return 2;
    }
    bool is_fine = keyring_read(argv[2], &ring, &error);
    if (is_fine && store_open(argv[1], STORE_READ, LIMIT_BYTES, &store, &error)) {
        while (is_fine && fgets(line, sizeof(line), stdin) != NULL)
            is_fine = print_dump(store, ring, line, &error);
        store_close(store);
    } else {
        is_fine = false;
    }
    if (!is_fine)
        fprintf(stderr, "%s\n", error.text);
    return is_fine ? 0 : 1;
}
