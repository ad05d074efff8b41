/*
 * What the service manager is told (sd_notify(3)). Without one, which NOTIFY_SOCKET would name, and
 * in a build without libsystemd, all of it does nothing: a manager that cannot be told is no reason
 * to stop answering.
 */
#ifndef LPALIAS_MANAGER_MANAGER_H
#define LPALIAS_MANAGER_MANAGER_H

#include <stdint.h>

/* Requests are answered from now on; also after manager_tell_reloading(). */
void manager_tell_ready(void);

/* The configuration is being read again; ends with manager_tell_ready(), whatever came of it. */
void manager_tell_reloading(void);

void manager_tell_stopping(void);

/* One line for "systemctl status". */
void manager_tell_status(const char *text);

/* A sign of life, which manager_watchdog_ms() wants. */
void manager_tell_alive(void);

/* How long it waits for a sign of life before it ends the process; 0: it wants none. */
int64_t manager_watchdog_ms(void);

#endif
