/* What a running lpaliasd cannot take over from another configuration. */
#ifndef LPALIAS_CONFIG_RESTART_H
#define LPALIAS_CONFIG_RESTART_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/config.h"

/*
 * Compares the keys that the table marks with needs_restart. True: some differ between running and
 * next, and their names are appended to names: "cache, server socketmap". Listeners may stand in
 * another order.
 */
bool config_differs_by_restart(const struct config *running, const struct config *next,
                               struct buffer *names) MUST_CHECK;

#endif
