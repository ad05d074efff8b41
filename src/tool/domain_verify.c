/* domain verify: asks the DNS for the proof of domains now, writes it down, and says what is
 * missing. */
#include <stdio.h>

#include "action/proof.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "domaincheck/domaincheck.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/proof_check.h"
#include "tool/table.h"
#include "tool/workspace.h"

/* One domain with its answer and what the cache holds of it now. */
struct verified {
    const struct domaincheck_answer *answer;
    struct domain_record row; /* zeroed if there is none */
};

/* ---- what is asked ---- */

static bool add_named(struct workspace *work, struct proof_check *check, const char *text)
{
    CLEANUP(memory_free_at) char *domain = NULL;
    if (!workspace_read_domain(work, text, &domain))
        return false;
    const struct config_domain *found = config_find_domain(work->config, domain);
    if (found == NULL)
        return workspace_fail(work, EXIT_USAGE, "%s is not in the configuration", domain);
    if (found->proof == NULL)
        return workspace_fail(work, EXIT_USAGE, "no proof is asked of %s; the key is proof",
                              domain);
    proof_check_add(check, work->config, domain);
    return true;
}

static bool choose(struct workspace *work, struct proof_check *check, const struct options *options)
{
    for (size_t i = 0; i < options->operand_count; i++)
        if (!add_named(work, check, options->operands[i]))
            return false;
    for (size_t i = 0; i < work->config->domain_count && options->operand_count == 0; i++)
        proof_check_add(check, work->config, work->config->domains[i].name);
    return true;
}

/* The rows are borrowed from the snapshot. */
static bool read_rows(struct workspace *work, const struct proof_check *check,
                      struct verified *domains)
{
    struct error error = {0};
    if (!workspace_begin_snapshot(work))
        return false;
    for (size_t i = 0; i < check->count; i++) {
        domains[i] = (struct verified){.answer = &check->answers[i]};
        if (snapshot_domain(work->snapshot, check->answers[i].domain, &domains[i].row, &error) ==
            STORE_TROUBLE)
            return workspace_fail(work, EXIT_FAILED, "%s", error.text);
    }
    return true;
}

/* ---- what is said ---- */

/* Said to be missing goes before not known. */
static enum exit_status status_of(const struct verified *domains, size_t count)
{
    enum exit_status status = EXIT_DONE;
    for (size_t i = 0; i < count; i++) {
        enum domaincheck_verdict verdict = domains[i].answer->verdict;
        if (verdict == DOMAINCHECK_ABSENT || verdict == DOMAINCHECK_BOGUS)
            return EXIT_HELD;
        if (verdict == DOMAINCHECK_CANNOT_TELL)
            status = EXIT_TEMPORARY;
    }
    return status;
}

static void add_row(struct table *table, const struct verified *domain)
{
    const struct domaincheck_answer *answer = domain->answer;
    char since[TIMESTAMP_TEXT_BYTES];
    table_add(table, answer->domain);
    table_add(table, domaincheck_verdict_name(answer->verdict));
    table_add(table, answer->verdict == DOMAINCHECK_CANNOT_TELL ? ""
                     : answer->is_secure                        ? "yes"
                                                                : "no");
    table_add(table, proof_state_name(domain->row.proof));
    table_add(table, domain->row.proof_since_s != 0
                         ? timestamp_format(domain->row.proof_since_s, since)
                         : "");
    table_add(table, answer->reason);
}

static void print_missing(const struct domaincheck_answer *answer)
{
    CLEANUP(buffer_finish) struct buffer record = {0};
    if (answer->verdict != DOMAINCHECK_ABSENT)
        return;
    domaincheck_append_record(&record, answer->domain, answer->wanted);
    printf("\nPut this line into the zone, beside what is there:\n  %s\n", buffer_text(&record));
}

static void print_people(const struct verified *domains, size_t count)
{
    static const struct table_column columns[] = {
        {"DOMAIN"}, {"ANSWER"}, {"VALIDATED"}, {"PROOF"}, {"SINCE"}, {"REASON"},
    };
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    if (count == 0) {
        printf("No proof is asked of any domain.\n");
        return;
    }
    for (size_t i = 0; i < count; i++)
        add_row(&table, &domains[i]);
    table_print(&table);
    for (size_t i = 0; i < count; i++)
        print_missing(domains[i].answer);
}

static json_t *json_from_verified(const struct verified *domain)
{
    const struct domaincheck_answer *answer = domain->answer;
    CLEANUP(buffer_finish) struct buffer record = {0};
    domaincheck_append_record(&record, answer->domain, answer->wanted);
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(answer->domain)));
    json_object_set_new(object, "wanted", json_from_span(span_of(answer->wanted)));
    json_object_set_new(object, "record", json_from_span(span_of(buffer_text(&record))));
    json_object_set_new(object, "answer", json_string(domaincheck_verdict_name(answer->verdict)));
    json_object_set_new(
        object, "validated",
        answer->verdict == DOMAINCHECK_CANNOT_TELL ? json_null() : json_boolean(answer->is_secure));
    json_object_set_new(object, "reason", json_from_optional(span_of(answer->reason)));
    json_object_set_new(object, "proof", json_string(proof_state_name(domain->row.proof)));
    json_object_set_new(object, "proof_since", json_from_time(domain->row.proof_since_s));
    return object;
}

static void print_json(const struct verified *domains, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_from_verified(&domains[i]));
    json_print(list);
}

/* ---- the whole ---- */

static enum exit_status verify(struct workspace *work, struct proof_check *check, bool is_json)
{
    struct store_update_result result;
    struct error error = {0};
    CLEANUP(memory_free_at)
    struct verified *domains = memory_new(check->count, sizeof(struct verified));
    if (!workspace_make_cache(work))
        return work->status;
    proof_check_ask(check, work->config, false);
    struct action action = workspace_action(work);
    if (!action_proof(&action, check->answers, check->count, &result, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (!read_rows(work, check, domains))
        return work->status;
    (is_json ? print_json : print_people)(domains, check->count);
    return status_of(domains, check->count);
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(proof_check_finish) struct proof_check check = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print a JSON array", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, SIZE_MAX))
        return options.status;
    if (!workspace_read_config(&work, call))
        return work.status;
    check = proof_check_begin(work.config);
    if (!choose(&work, &check, &options))
        return work.status;
    return verify(&work, &check, is_json);
}

const struct command command_domain_verify = {
    .name = "domain verify",
    .usage = "[--json] [DOMAIN...]",
    .help = "ask the DNS for the TXT records that prove the domains; 3: missing, 75: cannot tell",
    .run = run,
};
