#include "tool/caller.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static bool note_groups(struct caller *caller)
{
    int count = getgroups(0, NULL);
    if (count < 0)
        return false;
    caller->group = getegid();
    caller->groups = memory_new((size_t)count + 1, sizeof(*caller->groups));
    count = getgroups(count, caller->groups);
    caller->group_count = count > 0 ? (size_t)count : 0;
    return count >= 0;
}

static bool become(const struct stat *status)
{
    const struct passwd *owner = getpwuid(status->st_uid);
    int code =
        owner != NULL ? initgroups(owner->pw_name, status->st_gid) : setgroups(1, &status->st_gid);
    return code == 0 && setegid(status->st_gid) == 0 && seteuid(status->st_uid) == 0;
}

bool caller_step_aside(struct caller *caller, const char *directory, struct error *error)
{
    struct stat status;
    if (geteuid() != 0 || stat(directory, &status) != 0 || status.st_uid == 0)
        return true;
    if (!note_groups(caller) || !become(&status))
        return error_set(error, ERROR_TEMPORARY, "cannot become the owner of %s (uid %u): %s",
                         directory, (unsigned)status.st_uid, strerror(errno));
    caller->is_away = true;
    return true;
}

bool caller_return(struct caller *caller, struct error *error)
{
    if (!caller->is_away)
        return true;
    if (seteuid(0) != 0 || setegid(caller->group) != 0 ||
        setgroups(caller->group_count, caller->groups) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot become root again: %s", strerror(errno));
    caller->is_away = false;
    return true;
}

void caller_finish(struct caller *caller)
{
    free(caller->groups);
    *caller = (struct caller){0};
}
