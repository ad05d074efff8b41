/* lpalias-portal: the web site where members look after their aliases. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "config/config.h"
#include "manager/journal.h"
#include "portal/portal.h"

static void print_help(void)
{
    puts(
        "Usage: lpalias-portal [-v] [-c FILE]\n"
        "Serves the web site where members look after their aliases, behind a TLS proxy.\n"
        "\n"
        "  -c, --config FILE  read FILE and not " CONFIG_DEFAULT_FILE "\n"
        "  -v, --verbose      log more\n"
        "  -h, --help         this text\n"
        "  -V, --version      the version\n"
        "\n"
        "Runs in the foreground and logs to standard error. SIGTERM and SIGINT end it after the\n"
        "requests at hand were answered. Exit status: 0 ended so, 64 wrong usage, 71 cannot start\n"
        "or go on, 78 wrong configuration.");
}

static bool become_configured_user(const struct config *config, struct error *error)
{
    if (geteuid() != 0)
        return true;
    if (config->portal.user != NULL)
        return user_become(config->portal.user, error);
    log_warning("running as root; set \"user\" in the portal section");
    return true;
}

static int serve(const struct config *config)
{
    struct error error = {0};
    struct portal *portal = NULL;
    bool ended_well = portal_create(config, &portal, &error) &&
                      become_configured_user(config, &error) && portal_run(portal, &error);
    portal_destroy(portal);
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
    int status = EX_CONFIG;
    if (config->portal.listen.text != NULL)
        status = serve(config);
    else
        log_error("%s has no portal section; add portal { ... }", config->file);
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
    int option = 0;
    journal_take_lines();
    while ((option = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'v':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'h':
            print_help();
            return EX_OK;
        case 'V':
            puts("lpalias-portal " LPALIAS_VERSION);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "lpalias-portal: what is \"%s\"? See lpalias-portal --help\n",
                argv[optind]);
        return EX_USAGE;
    }
    return read_config_and_serve(file);
}
