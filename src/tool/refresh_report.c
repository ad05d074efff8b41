#include "tool/refresh_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/table.h"

/* A domain that is not applied has no counts. */
static void add_count(struct table *table, const struct refresh_domain *domain, size_t count)
{
    if (domain->is_applied)
        table_addf(table, "%zu", count);
    else
        table_add(table, "");
}

static void add_row(struct table *table, const struct refresh_domain *domain)
{
    const struct listing *listing = domain->listing;
    table_add(table, domain->domain);
    table_add(table, domain->team);
    if (listing->verdict == LISTING_USABLE)
        table_addf(table, "%zu", listing->person_count);
    else
        table_add(table, "");
    add_count(table, domain, domain->states[ALIAS_ACTIVE]);
    add_count(table, domain, domain->states[ALIAS_PENDING]);
    add_count(table, domain, domain->states[ALIAS_REFUSED]);
    add_count(table, domain, domain->states[ALIAS_LEAVING]);
    add_count(table, domain, domain->gained);
    add_count(table, domain, domain->lost);
    add_count(table, domain, domain->doubted);
    table_addf(table, "%zu", domain->held);
    table_addf(table, "%u", listing->requests);
    table_addf(table, "%" PRId64 ".%03" PRId64 " s", listing->duration_ms / 1000,
               listing->duration_ms % 1000);
    table_add(table, run_outcome_name(domain->outcome));
}

void refresh_report_print(const struct refresh_request *request,
                          const struct refresh_result *result)
{
    static const struct table_column columns[] = {
        {"DOMAIN"},        {"TEAM"},          {"PEOPLE", true},  {"ACTIVE", true},
        {"PENDING", true}, {"REFUSED", true}, {"LEAVING", true}, {"GAINED", true},
        {"LOST", true},    {"DOUBTED", true}, {"HELD", true},    {"REQUESTS", true},
        {"TIME", true},    {"OUTCOME"},
    };
    CLEANUP(table_finish) struct table table = {columns, ARRAY_LENGTH(columns)};
    for (size_t i = 0; i < request->domain_count; i++)
        add_row(&table, &request->domains[i]);
    table_print(&table);
    if (!result->update.changed)
        printf("\nNothing %s; generation %" PRIu64 ".\n",
               result->is_dry ? "would change" : "changed", result->update.generation);
    else if (result->is_dry)
        printf("\n%zu records would change; nothing was written, generation %" PRIu64 ".\n",
               result->update.records, result->update.generation);
    else
        printf("\n%zu records changed; generation %" PRIu64 ".\n", result->update.records,
               result->update.generation);
}

static json_t *json_from_states(const struct refresh_domain *domain)
{
    json_t *states = json_object();
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        json_object_set_new(states, alias_state_name((enum alias_state)state),
                            json_integer((json_int_t)domain->states[state]));
    return states;
}

static json_t *json_from_domain(const struct refresh_domain *domain)
{
    const struct listing *listing = domain->listing;
    bool is_usable = listing->verdict == LISTING_USABLE;
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(domain->domain)));
    json_object_set_new(object, "team", json_from_span(span_of(domain->team)));
    json_object_set_new(object, "outcome", json_string(run_outcome_name(domain->outcome)));
    json_object_set_new(object, "reason", json_from_optional(span_of(domain->reason)));
    json_object_set_new(object, "requests", json_integer(listing->requests));
    json_object_set_new(object, "retries", json_integer(listing->retries));
    json_object_set_new(object, "duration_ms", json_integer(listing->duration_ms));
    json_object_set_new(object, "people",
                        is_usable ? json_integer((json_int_t)listing->person_count) : json_null());
    json_object_set_new(object, "held", json_integer((json_int_t)domain->held));
    if (!domain->is_applied)
        return object;
    const struct {
        const char *name;
        size_t count;
    } counts[] = {
        {"subteams", listing->subteams}, {"hidden", listing->hidden},
        {"overlong", listing->overlong}, {"gained", domain->gained},
        {"lost", domain->lost},          {"changed", domain->changed},
        {"doubted", domain->doubted},    {"left_alone", domain->left_alone},
        {"renamed", domain->renamed},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++)
        json_object_set_new(object, counts[i].name, json_integer((json_int_t)counts[i].count));
    json_object_set_new(object, "states", json_from_states(domain));
    return object;
}

void refresh_report_print_json(const struct refresh_request *request,
                               const struct refresh_result *result)
{
    json_t *domains = json_array();
    for (size_t i = 0; i < request->domain_count; i++)
        json_array_append_new(domains, json_from_domain(&request->domains[i]));
    json_t *object = json_object();
    json_object_set_new(object, "generation", json_integer((json_int_t)result->update.generation));
    json_object_set_new(object, "changed", json_boolean(result->update.changed));
    json_object_set_new(object, "dry_run", json_boolean(result->is_dry));
    json_object_set_new(object, "apply_ms", json_integer(result->apply_ms));
    json_object_set_new(object, "domains", domains);
    json_print(object);
}

/* The admins of the domain are then as they were. */
static bool lacks_admins(const struct refresh_domain *domain)
{
    return domain->admin_listing != NULL && domain->admin_listing->verdict == LISTING_UNUSABLE;
}

void refresh_report_complain(const struct refresh_request *request)
{
    for (size_t i = 0; i < request->domain_count; i++) {
        const struct refresh_domain *domain = &request->domains[i];
        if (domain->outcome != RUN_APPLIED)
            console_complain("%s: %s: %s", domain->domain, run_outcome_name(domain->outcome),
                             domain->reason);
        if (domain->left_alone != 0)
            console_complain("%s: %zu left alone: changed since the fetch began, listings that "
                             "contradict each other, or targets that do not open",
                             domain->domain, domain->left_alone);
        if (lacks_admins(domain))
            console_complain("%s: admins are left as they are: %s", domain->domain,
                             domain->admin_listing->reason);
    }
}

enum exit_status exit_status_of_outcome(enum run_outcome outcome)
{
    switch (outcome) {
    case RUN_APPLIED:
        return EXIT_DONE;
    case RUN_UNUSABLE:
        return EXIT_UNUSABLE;
    case RUN_HELD:
        return EXIT_HELD;
    case RUN_FAILED:
        break;
    }
    return EXIT_FAILED;
}

enum exit_status exit_status_worse(enum exit_status a, enum exit_status b)
{
    static const enum exit_status worst_first[] = {EXIT_FAILED, EXIT_UNUSABLE, EXIT_HELD};
    for (size_t i = 0; i < ARRAY_LENGTH(worst_first); i++)
        if (a == worst_first[i] || b == worst_first[i])
            return worst_first[i];
    return EXIT_DONE;
}

enum exit_status refresh_report_status(const struct refresh_request *request)
{
    enum exit_status status = EXIT_DONE;
    for (size_t i = 0; i < request->domain_count; i++) {
        const struct refresh_domain *domain = &request->domains[i];
        status = exit_status_worse(status, exit_status_of_outcome(domain->outcome));
        if (lacks_admins(domain))
            status = exit_status_worse(status, EXIT_UNUSABLE);
    }
    return status;
}
