/* lpalias: the operator's command. */
#include <getopt.h>
#include <stdio.h>

#include "config/config.h"
#include "tool/command.h"
#include "tool/console.h"

static void print_help(void)
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
         "Exit status: 0 done, 1 failed, 2 not found, 3 something is held for an operator, 4 a\n"
         "team was unusable or a row refused, 5 another refresh is running, 64 wrong usage, 75\n"
         "cannot tell now, 78 wrong configuration.");
}

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
            print_help();
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
