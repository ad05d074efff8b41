#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

/* Of kernels that may be newer than the headers we are built with. */
#define FILE_TRUNCATE  (UINT64_C(1) << 14)
#define FILE_IOCTL     (UINT64_C(1) << 15)
#define TCP_BIND       (UINT64_C(1) << 0)
#define TCP_CONNECT    (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0)
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)

/* struct landlock_ruleset_attr as of version 6; an older kernel takes it if the rest is zero. */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

static struct ruleset known_to(long version)
{
    struct ruleset known = {.files = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1};
    if (version >= 2)
        known.files |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        known.files |= FILE_TRUNCATE;
    if (version >= 4)
        known.network = TCP_BIND | TCP_CONNECT;
    if (version >= 5)
        known.files |= FILE_IOCTL;
    if (version >= 6)
        known.scopes = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    return known;
}

/* The service manager's socket may be an abstract one: sd_notify(3). */
static bool is_notified_abstractly(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    return path != NULL && *path == '@';
}

static uint64_t rights_of(const struct sandbox_directory *directory)
{
    uint64_t rights = 0;
    if ((directory->rights & SANDBOX_READ) != 0)
        rights |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    if ((directory->rights & SANDBOX_WRITE) != 0)
        rights |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | FILE_TRUNCATE;
    if ((directory->rights & SANDBOX_REMOVE) != 0)
        rights |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
    return rights;
}

/* The directory, or the next one above that is there. */
static int open_nearest(const char *path)
{
    CLEANUP(memory_free_at) char *at = memory_copy_text(path);
    for (;;) {
        int fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
        char *slash = strrchr(at, '/');
        if (fd >= 0 || errno != ENOENT || slash == NULL || strcmp(at, "/") == 0)
            return fd;
        slash[slash == at] = '\0';
    }
}

static bool add_rule(int ruleset, const struct sandbox_directory *directory, uint64_t known)
{
    CLEANUP(file_close_at) int fd = open_nearest(directory->path);
    const struct landlock_path_beneath_attr rule = {
        .allowed_access = rights_of(directory) & known,
        .parent_fd = fd,
    };
    return fd < 0 ||
           syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool landlock_confine(const struct sandbox_directory *directories, size_t count, bool may_connect,
                      struct error *error)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return error_set(error, ERROR_TEMPORARY,
                         "files are not confined, as there is no Landlock: %s", strerror(errno));
    struct ruleset known = known_to(version);
    if (may_connect)
        known.network &= ~TCP_CONNECT;
    if (is_notified_abstractly())
        known.scopes &= ~SCOPE_ABSTRACT;
    CLEANUP(file_close_at)
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &known, sizeof(known), 0);
    bool is_made = ruleset >= 0;
    for (size_t i = 0; is_made && i < count; i++)
        is_made = add_rule(ruleset, &directories[i], known.files);
    return (is_made && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0) ||
           error_set(error, ERROR_TEMPORARY, "files are not confined, as Landlock refuses: %s",
                     strerror(errno));
}
