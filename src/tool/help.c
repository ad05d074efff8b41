#include <stdio.h>
#include <string.h>

#include "tool/command.h"
#include "tool/options.h"

/* Each command prints its own help, options and all. */
static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    if (!options_take(&options, call, NULL, 0, 0, 2))
        return options.status;
    char *words[] = {"help", "--help", NULL, NULL};
    for (size_t i = 0; i < options.operand_count; i++)
        words[i] = options.operands[i];
    if (options.operand_count != 0)
        words[options.operand_count] = "--help";
    return command_dispatch(call->config_file, words);
}

const struct command command_help = {
    .name = "help",
    .usage = "COMMAND",
    .help = "say how a command is used",
    .run = run,
};
