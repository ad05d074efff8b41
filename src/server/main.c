/* lpaliasd: answers Postfix's questions about aliases. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "config/config.h"
#include "loop/loop.h"
#include "manager/journal.h"
#include "server/confinement.h"
#include "server/server.h"
#include "server/verbosity.h"

static void print_help(void)
{
    puts("Usage: lpaliasd [-v] [-c FILE]\n"
         "Answers Postfix's socketmap, tcp_table and policy questions from the lpalias cache.\n"
         "\n"
         "  -c, --config FILE  read FILE and not " CONFIG_DEFAULT_FILE "\n"
         "  -v, --verbose      log every lookup, whatever log-level says\n"
         "  -h, --help         this text\n"
         "  -V, --version      the version\n"
         "\n"
         "Runs in the foreground and logs to standard error. SIGTERM and SIGINT end it after the\n"
         "requests at hand were answered. SIGHUP makes it read the configuration again, SIGUSR1\n"
         "makes it log more, SIGUSR2 less.\n"
         "Exit status: 0 ended so, 64 wrong usage, 71 cannot start or go on, 78 wrong\n"
         "configuration.");
}

static bool become_configured_user(const struct config *config, struct error *error)
{
    if (geteuid() != 0)
        return true;
    if (config->server.user != NULL)
        return user_become(config->server.user, error);
    log_warning("running as root; set \"user\" in the server section");
    return true;
}

static int serve(const struct config *config)
{
    verbosity_apply(config);
    struct error error = {0};
    struct server *server = NULL;
    bool ended_well =
        server_create(config, &server, &error) && become_configured_user(config, &error);
    if (ended_well) {
        confinement_enter(config);
        ended_well = server_run(server, &error);
    }
    server_destroy(server);
    if (!ended_well) {
        log_error("%s", error.text);
        return EX_OSERR;
    }
    log_info("stopped");
    return EX_OK;
}

static int read_config_and_serve(const char *file)
{
    struct config *config = NULL;
    struct config_problems problems = {0};
    if (!config_read(file, &config, &problems)) {
        for (size_t i = 0; i < problems.count; i++)
            log_error("%s", problems.lines[i]);
        config_problems_finish(&problems);
        return EX_CONFIG;
    }
    int status = serve(config);
    config_destroy(config);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    const char *file = CONFIG_DEFAULT_FILE;
    verbosity_ignore_signals();
    loop_hold_signal(SIGHUP);
    journal_take_lines();
    int option = 0;
    while ((option = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'v':
            verbosity_force_debug();
            break;
        case 'h':
            print_help();
            return EX_OK;
        case 'V':
            puts("lpaliasd " LPALIAS_VERSION);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "lpaliasd: what is \"%s\"? See lpaliasd --help\n", argv[optind]);
        return EX_USAGE;
    }
    return read_config_and_serve(file);
}
