/* What the commands share that act on one person or one alias. */
#ifndef LPALIAS_TOOL_ACT_H
#define LPALIAS_TOOL_ACT_H

#include <stdbool.h>

#include <jansson.h>

#include "address/address.h"
#include "base/compiler.h"
#include "store/changeset.h"
#include "tool/workspace.h"

/* Configuration, cache for writing and keys. */
bool act_open(struct workspace *work, const struct call *call) MUST_CHECK;

/* A Launchpad name as the cache has it; caller frees. */
char *act_fold_name(const char *text);

/* Complains with EXIT_NOT_FOUND if the cache knows nobody of that name. */
bool act_check_person(struct workspace *work, const char *name) MUST_CHECK;

/* Takes an address apart; EXIT_USAGE if it can be no alias. */
bool act_read_address(struct workspace *work, const char *text, struct address *ret) MUST_CHECK;

/* Complains with EXIT_NOT_FOUND if no alias stands there. */
bool act_check_alias(struct workspace *work, const struct address *address) MUST_CHECK;

/* An object of whom or what it was done to, under key, and what came of it; a new reference. */
json_t *act_json(const char *key, const char *subject, const struct store_update_result *result);

/* "NAME is PARTICIPLE; generation 7", and what its aliases are now. */
enum exit_status act_tell_person(struct workspace *work, const char *name, const char *participle,
                                 const struct store_update_result *result, bool is_json);

/* "ADDRESS is PARTICIPLE; generation 7", and what it is now. */
enum exit_status act_tell_alias(struct workspace *work, const struct address *address,
                                const char *participle, const struct store_update_result *result,
                                bool is_json);

/* Complains of an act that failed. Returns EXIT_FAILED. */
enum exit_status act_fail(const char *subject, const struct error *error);

#endif
