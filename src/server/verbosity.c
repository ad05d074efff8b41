#include "server/verbosity.h"

#include <signal.h>
#include <stddef.h>

#include "base/log.h"
#include "server/lookup_log.h"

void verbosity_ignore_signals(void)
{
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
}

static bool is_debug_forced;

void verbosity_force_debug(void)
{
    is_debug_forced = true;
}

void verbosity_apply(const struct config *config)
{
    log_set_level(is_debug_forced ? LOG_LEVEL_DEBUG : config->server.log_level);
    lookup_log_show_addresses(config->server.logs_addresses);
}

/* Told while the more verbose of the two levels is set, and at a level that this one lets pass. */
static void change_level(int step)
{
    int before = (int)log_get_level();
    int after = before + step;
    if (after < LOG_LEVEL_ERROR || after > LOG_LEVEL_DEBUG)
        return;
    enum log_level more = (enum log_level)(after > before ? after : before);
    log_set_level(more);
    log_with(more < LOG_LEVEL_INFO ? more : LOG_LEVEL_INFO,
             LOG_FIELDS({"before", log_level_name((enum log_level)before)},
                        {"now", log_level_name((enum log_level)after)}),
             "the log level was changed by a signal, until the configuration is read again");
    log_set_level((enum log_level)after);
}

static void on_more(void *context)
{
    (void)context;
    change_level(1);
}

static void on_less(void *context)
{
    (void)context;
    change_level(-1);
}

bool verbosity_watch_signals(struct loop *loop, struct error *error)
{
    return loop_watch_signal(loop, SIGUSR1, on_more, NULL, error) &&
           loop_watch_signal(loop, SIGUSR2, on_less, NULL, error);
}
