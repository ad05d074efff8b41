/* lpalias-portal: the web site where members look after their aliases. */
#include <sysexits.h>

#include "base/log.h"
#include "config/config.h"
#include "manager/journal.h"
#include "portal/portal.h"
#include "setup/daemon.h"

static const char help[] =
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
    "or go on, 78 wrong configuration.";

static void be_verbose(void)
{
    log_set_level(LOG_LEVEL_DEBUG);
}

static int serve(const struct config *config)
{
    struct error error = {0};
    struct portal *portal = NULL;
    if (config->portal.listen.text == NULL) {
        log_error("%s has no portal section; add portal { ... }", config->file);
        return EX_CONFIG;
    }
    bool ended_well = portal_create(config, &portal, &error) &&
                      daemon_become_user(config->portal.user, "portal", &error) &&
                      portal_run(portal, &error);
    portal_destroy(portal);
    if (!ended_well) {
        log_error("%s", error.text);
        return EX_OSERR;
    }
    log_info("stopped");
    return EX_OK;
}

int main(int argc, char **argv)
{
    static const struct daemon daemon = {"lpalias-portal", help, be_verbose, serve};
    journal_take_lines();
    return daemon_run(&daemon, argc, argv);
}
