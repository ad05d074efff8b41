/* Telling: looks for alarms, then hands over what waits; the same at the end of every refresh. */
#ifndef LPALIAS_TOOL_NOTIFY_RUN_H
#define LPALIAS_TOOL_NOTIFY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify/delivery.h"
#include "tool/workspace.h"

struct notify_run_result {
    size_t alarm_count; /* conditions that are there */
    struct delivery_report report;
};

/*
 * Needs work's store, open for writing; without keys only admins and operators are told. is_shown:
 * a terminal sees how far a long run is. False: complained, and work->status is EXIT_BUSY (somebody
 * else hands over) or EXIT_FAILED.
 */
bool notify_run(struct workspace *work, int64_t limit_ms, bool is_shown,
                struct notify_run_result *ret) MUST_CHECK;

/* For a command whose own end does not hang on it: complains at most. */
void notify_run_after(struct workspace *work, bool is_shown);

/* Sends a test mail to that address. False: complained, as above. */
bool notify_send_test(struct workspace *work, const char *recipient) MUST_CHECK;

/* Complains about each file of notify { templates } that cannot be used. */
bool notify_check_templates(const struct config *config) MUST_CHECK;

#endif
