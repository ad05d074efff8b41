/* Landlock, landlock(7): which files a process may open, and no network, whoever its user is. */
#ifndef LPALIAS_SANDBOX_LANDLOCK_H
#define LPALIAS_SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "sandbox/sandbox.h"

/*
 * Takes away, of all that this kernel's Landlock knows, what the directories do not give: files,
 * binding and, unless may_connect, connecting over TCP, abstract unix sockets and signals to
 * others. New privileges must be forbidden already. A directory that cannot be looked at gives
 * nothing. ERROR_TEMPORARY: no Landlock here, and nothing was taken away.
 */
bool landlock_confine(const struct sandbox_directory *directories, size_t count, bool may_connect,
                      struct error *error) MUST_CHECK;

#endif
