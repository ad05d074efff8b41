/*
 * Signs of life for the service manager: one is sent each time lpaliasd has answered itself over
 * one of its listeners, and nothing else sends any. What is asked is foreign, so it is answered
 * whatever state the cache is in: a restart mends no cache.
 */
#ifndef LPALIAS_SERVER_WATCHDOG_H
#define LPALIAS_SERVER_WATCHDOG_H

#include <stdbool.h>

#include "base/buffer.h"
#include "config/config.h"
#include "loop/listener.h"
#include "loop/loop.h"

struct watchdog;

/*
 * Begins to ask over listener, which speaks protocol and is borrowed. NULL: the service manager
 * wants no signs of life.
 */
struct watchdog *watchdog_start(struct loop *loop, struct listener *listener,
                                enum config_protocol protocol);

/* To be called before the listener stops. NULL is fine. */
void watchdog_stop(struct watchdog *watchdog);

/* The key is what the watchdog asks for: no mail is behind it, so it is neither logged nor counted.
 */
bool watchdog_is_key(struct span key);

#endif
