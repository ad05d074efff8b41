#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

bool user_become(const char *name, struct error *error)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (user == NULL)
        return errno != 0 ? error_set(error, ERROR_TEMPORARY, "cannot look up the user %s: %s",
                                      name, strerror(errno))
                          : error_set(error, ERROR_INVALID, "there is no user %s", name);
    if (user->pw_uid == 0)
        return error_set(error, ERROR_INVALID, "the user %s is root", name);
    uid_t uid = user->pw_uid;
    gid_t gid = user->pw_gid;
    if (initgroups(name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot become the user %s: %s", name,
                         strerror(errno));
    if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
        return error_set(error, ERROR_TEMPORARY, "could become root again after becoming %s", name);
    return true;
}
