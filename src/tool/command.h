/*
 * The commands of lpalias. Each is a row that says how it is called and a function that runs it,
 * in a file of its own; command.c lists them all.
 */
#ifndef LPALIAS_TOOL_COMMAND_H
#define LPALIAS_TOOL_COMMAND_H

#include <stddef.h>
#include <sysexits.h>

#include "base/compiler.h"

/* How lpalias ends, whatever the command. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the cache, the network, a server; or verify and the like found something */
    EXIT_NOT_FOUND = 2, /* answered "no": a key without value, a name that nobody has */
    EXIT_HELD = 3,      /* some change waits for an operator */
    EXIT_UNUSABLE = 4,  /* some team's listing was unusable, some row or notice refused */
    EXIT_BUSY = 5,      /* another process is at the same: a refresh, the keys, the outbox */
    EXIT_USAGE = EX_USAGE,
    EXIT_TEMPORARY = EX_TEMPFAIL, /* the answer is TEMP: cannot tell now */
    EXIT_CONFIG = EX_CONFIG,
};

struct command;
struct option_probe;

/* One command as it was called. */
struct call {
    const struct command *command;
    const char *config_file;
    char **arguments; /* behind the command's name, NULL-terminated */
    size_t argument_count;
    struct option_probe *probe; /* not NULL: it only wants to know the options (tool/options.h) */
};

struct command {
    const char *name;  /* one word or two: "refresh", "domain open" */
    const char *usage; /* what may follow the name; completion reads it, too (tool/complete.c) */
    const char *help;  /* one sentence without a full stop; NULL: for programs, not listed */
    enum exit_status (*run)(const struct call *call); /* first of all calls options_take() */
};

extern const size_t command_row_count;
extern const struct command *const command_rows[];
extern const struct command command_alias_add;
extern const struct command command_alias_allow;
extern const struct command command_alias_remove;
extern const struct command command_alias_set;
extern const struct command command_backup;
extern const struct command command_ban;
extern const struct command command_cache_upgrade;
extern const struct command command_check;
extern const struct command command_complete;
extern const struct command command_domain_close;
extern const struct command command_domain_list;
extern const struct command command_domain_open;
extern const struct command command_domain_remove;
extern const struct command command_domain_verify;
extern const struct command command_erase;
extern const struct command command_explain;
extern const struct command command_export;
extern const struct command command_export_person;
extern const struct command command_help;
extern const struct command command_history;
extern const struct command command_import;
extern const struct command command_key_check;
extern const struct command command_key_generate;
extern const struct command command_key_retire;
extern const struct command command_key_rotate;
extern const struct command command_lint;
extern const struct command command_list;
extern const struct command command_login_set;
extern const struct command command_pause;
extern const struct command command_notify;
extern const struct command command_plan_discard;
extern const struct command command_plan_release;
extern const struct command command_plan_show;
extern const struct command command_postfix_config;
extern const struct command command_query;
extern const struct command command_refresh;
extern const struct command command_reserve;
extern const struct command command_restore;
extern const struct command command_resume;
extern const struct command command_rollback;
extern const struct command command_show;
extern const struct command command_status;
extern const struct command command_target_clear;
extern const struct command command_target_set;
extern const struct command command_unban;
extern const struct command command_verify;

/*
 * Finds the command that words (NULL-terminated) begin with and runs it with the rest of them.
 * No such command: says so, with the name it may have been meant for.
 */
enum exit_status command_dispatch(const char *config_file, char **words);

/* The command that words (NULL-terminated) begin with, and how many of them spell it; NULL: none.
 */
const struct command *command_find(char **words, size_t *ret_used);

/* Prints what `lpalias --help` says. */
void command_print_help(void);

/* Prints usage and help sentence of all commands that begin with group; NULL: of all. */
void command_print_list(const char *group);

#endif
