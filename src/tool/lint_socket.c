/* Can the user of Postfix's daemons reach the socket? */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "tool/lint.h"

#define GROUP_MAX 256

/* Who the daemons run as, with all groups (Postfix, src/util/chroot_uid.c). */
struct daemon_user {
    const char *name;
    uid_t uid;
    gid_t groups[GROUP_MAX];
    int group_count;
};

static bool find_user(const char *name, struct daemon_user *ret)
{
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL)
        return false;
    *ret = (struct daemon_user){.name = name, .uid = entry->pw_uid, .group_count = GROUP_MAX};
    if (getgrouplist(name, entry->pw_gid, ret->groups, &ret->group_count) < 0)
        ret->group_count = GROUP_MAX;
    return true;
}

/* right: 1 to search a directory, 2 to write, as in the mode bits. */
static bool has_right(const struct daemon_user *user, const struct stat *status, mode_t right)
{
    if (user->uid == status->st_uid)
        return (status->st_mode >> 6 & right) != 0;
    for (int i = 0; i < user->group_count; i++)
        if (user->groups[i] == status->st_gid)
            return (status->st_mode >> 3 & right) != 0;
    return (status->st_mode & right) != 0;
}

static bool look_at(struct lint *lint, const char *path, struct stat *ret)
{
    if (stat(path, ret) == 0)
        return true;
    lint_find(lint, "%s: %s", path, strerror(errno));
    if (errno == EACCES)
        lint_advise(lint, "run lpalias lint as root, else it cannot tell");
    else
        lint_advise(lint, "start lpaliasd, and make the directory of its socket before: 2750 "
                          "lpalias:postfix");
    return false;
}

/* Each directory on the way down; false: it ends before the socket. */
static bool check_directories(struct lint *lint, const struct daemon_user *user, const char *path)
{
    for (const char *slash = path; slash != NULL; slash = strchr(slash + 1, '/')) {
        struct stat status;
        size_t length = slash == path ? 1 : (size_t)(slash - path);
        CLEANUP(memory_free_at) char *directory = memory_copy_bytes(path, length);
        if (!look_at(lint, directory, &status))
            return false;
        if (has_right(user, &status, 1))
            continue;
        lint_find(lint, "the user %s may not enter %s, on the way to the socket %s", user->name,
                  directory, path);
        lint_advise(lint, "chgrp postfix %s; chmod 2750 %s", directory, directory);
        return false;
    }
    return true;
}

static void check_socket(struct lint *lint, const struct daemon_user *user, const char *path)
{
    struct stat status;
    if (!check_directories(lint, user, path) || !look_at(lint, path, &status))
        return;
    if (!S_ISSOCK(status.st_mode)) {
        lint_find(lint, "%s is no socket", path);
        lint_advise(lint, "take it away and start lpaliasd");
    } else if (!has_right(user, &status, 2)) {
        lint_find(lint, "the user %s may not write to the socket %s", user->name, path);
        lint_advise(lint, "give it the group postfix and mode 0660; after a change of groups "
                          "postfix restart");
    }
}

void lint_socket_rights(struct lint *lint)
{
    CLEANUP(memory_free_at)
    char *name = postfix_config_get(&lint->postfix, NULL, "mail_owner");
    CLEANUP(map_references_finish) struct map_references references = {0};
    struct daemon_user user;
    lint_get_references(lint, NULL, "virtual_alias_maps", &references);
    if (!lint->may_ask || !find_user(name, &user))
        return;
    for (size_t i = 0; i < references.count; i++) {
        const struct config_listener *listener = lint_find_listener(lint, &references.items[i]);
        if (listener != NULL && listener->unix_path != NULL)
            check_socket(lint, &user, listener->unix_path);
    }
}
