/*
 * The options of one command as a table: getopt_long and the command's help are fed from it.
 * Options and operands may stand in any order.
 */
#ifndef LPALIAS_TOOL_OPTIONS_H
#define LPALIAS_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "tool/command.h"

/* The values of an option that may be given several times; borrowed from the call. */
struct option_values {
    const char **items;
    size_t count;
    size_t capacity;
};

/* One of flag, value and values says where it goes. */
struct option_row {
    char letter; /* or 0 */
    const char *name;
    const char *argument; /* what its value is called, or "one|other"; NULL for a flag */
    const char *help;
    bool *flag;
    const char **value;
    struct option_values *values;
};

/* Put into a call to learn which options a command has, without running it; zeroed before. */
struct option_probe {
    struct option_row *rows; /* without where they go */
    size_t row_count;
};
void option_probe_finish(struct option_probe *probe);

/* What is left after options_take; zeroed before. */
struct options {
    enum exit_status status; /* of options_take() that returned false */
    char **operands;         /* borrowed from words */
    size_t operand_count;
    char *program; /* for getopt's messages */
    char **words;
};

/*
 * Takes the options of call out and leaves between min and max operands. False: the command is
 * over with options->status, as its help was asked for and printed, it was used wrongly, or the
 * call was a probe.
 */
bool options_take(struct options *options, const struct call *call, const struct option_row *rows,
                  size_t row_count, size_t min_operands, size_t max_operands) MUST_CHECK;

/* Says what is wrong with how the command was called. Returns EXIT_USAGE. */
enum exit_status options_refuse(const struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

void options_finish(struct options *options);
void option_values_finish(struct option_values *values);

#endif
