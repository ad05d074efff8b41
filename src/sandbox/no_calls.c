/* In place of calls.c where the build has no libseccomp. */
#include "sandbox/calls.h"

bool calls_confine(const char *const *further, bool may_connect, struct error *error)
{
    (void)further;
    (void)may_connect;
    return error_set(error, ERROR_TEMPORARY,
                     "system calls are not confined, as this program is built without seccomp");
}
