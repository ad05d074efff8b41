/* What a refresh did, for people and as JSON. */
#ifndef LPALIAS_TOOL_REFRESH_REPORT_H
#define LPALIAS_TOOL_REFRESH_REPORT_H

#include <stdbool.h>

#include "membership/refresh_plan.h"
#include "store/changeset.h"
#include "tool/command.h"

/* What became of a refresh as a whole. */
struct refresh_result {
    struct store_update_result update;
    int64_t apply_ms; /* planning and writing, after the fetch */
    bool is_dry;
};

/* A table with a row a domain, and what was changed. */
void refresh_report_print(const struct refresh_request *request,
                          const struct refresh_result *result);

void refresh_report_print_json(const struct refresh_request *request,
                               const struct refresh_result *result);

/* A line on standard error for each domain that was not applied: team, URL and reason. */
void refresh_report_complain(const struct refresh_request *request);

/* The worst outcome decides: failed, unusable, held, applied. */
enum exit_status refresh_report_status(const struct refresh_request *request);

/* The same for one outcome, and the worse of two. */
enum exit_status exit_status_of_outcome(enum run_outcome outcome);
enum exit_status exit_status_worse(enum exit_status a, enum exit_status b);

#endif
