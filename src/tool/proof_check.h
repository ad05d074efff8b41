/* Asking the DNS for the proof of the configured domains. */
#ifndef LPALIAS_TOOL_PROOF_CHECK_H
#define LPALIAS_TOOL_PROOF_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "domaincheck/answer.h"

/* The answers about some domains; names and texts are borrowed from the configuration. */
struct proof_check {
    struct domaincheck_answer *answers;
    size_t count;
};

/* Room for all domains of config. Caller finishes. */
struct proof_check proof_check_begin(const struct config *config);

/* Adds the domain; passed over if it is not configured or asks for no proof. */
void proof_check_add(struct proof_check *check, const struct config *config, const char *domain);

/*
 * Asks for all of them, for as long as the configuration lets it. is_quiet: tells nobody who waits
 * at a terminal.
 */
void proof_check_ask(struct proof_check *check, const struct config *config, bool is_quiet);

void proof_check_finish(struct proof_check *check);

#endif
