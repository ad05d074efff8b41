#include "server/reload.h"

#include "base/buffer.h"
#include "base/log.h"
#include "config/restart.h"

bool reload_read(const struct config *running, struct config **ret)
{
    struct config *next = NULL;
    struct config_problems problems = {0};
    struct buffer names = {0};
    if (!config_read(running->file, &next, &problems)) {
        for (size_t i = 0; i < problems.count; i++)
            log_error("%s", problems.lines[i]);
    } else if (config_differs_by_restart(running, next, &names)) {
        log_error("%s: needs a restart, as these differ from when lpaliasd was started: %s",
                  running->file, buffer_text(&names));
        config_destroy(next);
        next = NULL;
    } else {
        *ret = next;
    }
    if (next == NULL)
        log_error("%s was not taken over; lpaliasd goes on as before", running->file);
    config_problems_finish(&problems);
    buffer_finish(&names);
    return next != NULL;
}
