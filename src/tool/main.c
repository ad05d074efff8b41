/* lpalias: the operator's command. */
#include <getopt.h>
#include <stdio.h>

#include "config/config.h"
#include "tool/command.h"
#include "tool/console.h"

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    const char *config_file = CONFIG_DEFAULT_FILE;
    int option;
    /* "+": what stands behind the command is the command's. */
    while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config_file = optarg;
            break;
        case 'h':
            command_print_help();
            return EXIT_DONE;
        case 'V':
            puts("lpalias " LPALIAS_VERSION);
            return EXIT_DONE;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind == argc) {
        fputs("Usage: lpalias [-c FILE] COMMAND ...\nSee lpalias --help\n", stderr);
        return EXIT_USAGE;
    }
    enum exit_status status = command_dispatch(config_file, argv + optind);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        console_complain("cannot write to standard output");
        return EXIT_FAILED;
    }
    return (int)status;
}
