#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "tool/command.h"
#include "tool/options.h"

void command_print_help(void)
{
    puts("Usage: lpalias [-c FILE] COMMAND ...\n"
         "\n"
         "  -c, --config FILE  read FILE and not " CONFIG_DEFAULT_FILE "\n"
         "  -h, --help         this text; lpalias COMMAND --help says more of one command\n"
         "  -V, --version      the version\n"
         "\n"
         "Commands:\n");
    command_print_list(NULL);
    puts("\n"
         "Exit status: 0 done, 1 failed, or verify, lint or key check found something, 2 not "
         "found,\n"
         "3 something is held for an operator, 4 a team was unusable, a row or a notice refused,\n"
         "5 another process is at the same, 64 wrong usage, 75 cannot tell now, 78 wrong\n"
         "configuration.");
}

/* Each command prints its own help, options and all. */
static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    if (!options_take(&options, call, NULL, 0, 0, 2))
        return options.status;
    if (options.operand_count == 0) {
        command_print_help();
        return EXIT_DONE;
    }
    char *words[] = {NULL, NULL, NULL, NULL};
    for (size_t i = 0; i < options.operand_count; i++)
        words[i] = options.operands[i];
    words[options.operand_count] = "--help";
    return command_dispatch(call->config_file, words);
}

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .help = "say how a command is used",
    .run = run,
};
