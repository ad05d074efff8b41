/* lpaliasd: answers Postfix's questions about aliases. */
#include <signal.h>
#include <sysexits.h>

#include "base/log.h"
#include "config/config.h"
#include "loop/loop.h"
#include "manager/journal.h"
#include "server/confinement.h"
#include "server/server.h"
#include "server/verbosity.h"
#include "setup/daemon.h"

static const char help[] =
    "Usage: lpaliasd [-v] [-c FILE]\n"
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
    "configuration.";

static int serve(const struct config *config)
{
    struct error error = {0};
    struct server *server = NULL;
    verbosity_apply(config);
    bool ended_well = server_create(config, &server, &error) &&
                      daemon_become_user(config->server.user, "server", &error);
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

int main(int argc, char **argv)
{
    static const struct daemon daemon = {"lpaliasd", help, verbosity_force_debug, serve};
    verbosity_ignore_signals();
    loop_hold_signal(SIGHUP);
    journal_take_lines();
    return daemon_run(&daemon, argc, argv);
}
