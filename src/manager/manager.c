#include "manager/manager.h"

#if LPALIAS_HAS_SYSTEMD

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void manager_tell_ready(void)
{
    sd_notify(0, "READY=1");
}

/* The manager does not heed a reload that began before it has sent the signal, so the time is exact
 * to the microsecond. */
void manager_tell_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
               (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void manager_tell_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void manager_tell_status(const char *text)
{
    sd_notifyf(0, "STATUS=%s", text);
}

void manager_tell_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

int64_t manager_watchdog_ms(void)
{
    uint64_t limit_us = 0;
    return sd_watchdog_enabled(0, &limit_us) > 0 ? (int64_t)(limit_us / 1000) : 0;
}

#else

void manager_tell_ready(void)
{
}

void manager_tell_reloading(void)
{
}

void manager_tell_stopping(void)
{
}

void manager_tell_status(const char *text)
{
    (void)text;
}

void manager_tell_alive(void)
{
}

int64_t manager_watchdog_ms(void)
{
    return 0;
}

#endif
