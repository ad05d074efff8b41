/* Which system calls a process may make: seccomp(2), by libseccomp. */
#ifndef LPALIAS_SANDBOX_CALLS_H
#define LPALIAS_SANDBOX_CALLS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * Allows the calls of sandbox/server_calls.h and the named ones (NULL: none) as sandbox_settings
 * says. What no server of ours ever does (another program, a debugger's, the administrator's calls)
 * kills the process. All others fail with ENOSYS. ERROR_TEMPORARY: built without libseccomp, or the
 * kernel refuses; nothing is forbidden then.
 */
bool calls_confine(const char *const *further, bool may_connect, struct error *error) MUST_CHECK;

#endif
