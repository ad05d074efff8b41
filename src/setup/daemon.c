#include "setup/daemon.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"

bool daemon_become_user(const char *user, const char *section, struct error *error)
{
    if (geteuid() != 0)
        return true;
    if (user != NULL)
        return user_become(user, error);
    log_warning("running as root; set \"user\" in the %s section", section);
    return true;
}

static int read_config_and_serve(const struct daemon *daemon, const char *file)
{
    struct config *config = NULL;
    struct config_problems problems = {0};
    if (!config_read(file, &config, &problems)) {
        for (size_t i = 0; i < problems.count; i++)
            log_error("%s", problems.lines[i]);
        config_problems_finish(&problems);
        return EX_CONFIG;
    }
    int status = daemon->serve(config);
    config_destroy(config);
    return status;
}

int daemon_run(const struct daemon *daemon, int argc, char **argv)
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
    while ((option = getopt_long(argc, argv, "c:vhV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'v':
            daemon->be_verbose();
            break;
        case 'h':
            puts(daemon->help);
            return EX_OK;
        case 'V':
            printf("%s " LPALIAS_VERSION "\n", daemon->name);
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: what is \"%s\"? See %s --help\n", daemon->name, argv[optind],
                daemon->name);
        return EX_USAGE;
    }
    return read_config_and_serve(daemon, file);
}
