#include "server/confinement.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "sandbox/sandbox.h"

/*
 * Seen of lpaliasd after its start (strace, in the tests of blackbox, fault and postfix), and what
 * the C library makes of the same on another processor, kernel or release.
 */
static const char *const calls[] = {
    /* connections; out to unix sockets, for messages to systemd and the watchdog's question */
    "accept4",
    "connect",
    "getsockname",
    "getsockopt",
    "recvfrom",
    "recvmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socket",
    "socketpair",
    /* the loop */
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "poll",
    "ppoll",
    /* files: the cache, its locks, keys, configuration, log */
    "access",
    "close",
    "faccessat",
    "faccessat2",
    "fcntl",
    "fstat",
    "fstatfs",
    "ftruncate",
    "ioctl",
    "lseek",
    "lstat",
    "newfstatat",
    "open",
    "openat",
    "pread64",
    "pwrite64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "stat",
    "statx",
    "uname",
    "unlink",
    "unlinkat",
    "write",
    "writev",
    /* memory: malloc, the cache's map, the guarded memory of keys */
    "brk",
    "madvise",
    "mlock",
    "mmap",
    "mprotect",
    "mremap",
    "munlock",
    "munmap",
    /* time, signals, itself */
    "clock_gettime",
    "clock_nanosleep",
    "exit_group",
    "futex",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getrandom",
    "getrlimit",
    "gettid",
    "gettimeofday",
    "getuid",
    "nanosleep",
    "prlimit64",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_yield",
    "set_robust_list",
    "sysinfo",
    "tgkill",
    "time",
    NULL,
};

struct directories {
    struct sandbox_directory *items; /* their paths are ours */
    size_t count, capacity;
};

static void add(struct directories *directories, char *path, unsigned rights)
{
    directories->items = memory_grow(directories->items, directories->count, &directories->capacity,
                                     sizeof(*directories->items));
    directories->items[directories->count++] = (struct sandbox_directory){path, rights};
}

static void finish(struct directories *directories)
{
    for (size_t i = 0; i < directories->count; i++)
        free((char *)directories->items[i].path);
    free(directories->items);
}

/* Caller frees. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_text(".");
    return slash == path ? memory_copy_text("/") : memory_copy_bytes(path, (size_t)(slash - path));
}

/* The file may be replaced, and may be a link to one that is. */
static void add_directory_of(struct directories *directories, const char *path, unsigned rights)
{
    CLEANUP(memory_free_at) char *real = realpath(path, NULL);
    add(directories, directory_of(path), rights);
    if (real != NULL)
        add(directories, directory_of(real), rights);
}

/*
 * The directory of the cache may itself be replaced, and a rule knows the old one only. Where the
 * directory above is the same owner's, the rule is on that, too. In the package's place, below a
 * directory of the system's, it is root who replaces it, and restarts the server.
 */
static void add_cache(struct directories *directories, const char *path)
{
    char *above = directory_of(path);
    struct stat own, parent;
    add(directories, memory_copy_text(path), SANDBOX_READ | SANDBOX_WRITE);
    if (strcmp(above, "/") != 0 && stat(path, &own) == 0 && stat(above, &parent) == 0 &&
        own.st_uid == parent.st_uid)
        add(directories, above, SANDBOX_READ | SANDBOX_WRITE);
    else
        free(above);
}

/* path: of the socket, or NULL. It is removed at the end. */
static void add_socket(struct directories *directories, const char *path)
{
    if (path != NULL)
        add(directories, directory_of(path), SANDBOX_REMOVE);
}

void confinement_enter(const struct config *config)
{
    if (!config->server.is_sandboxed) {
        log_warning("running without a sandbox, as \"sandbox\" is false");
        return;
    }
    struct directories directories = {0};
    add_cache(&directories, config->cache);
    add_directory_of(&directories, config->key_file, SANDBOX_READ);
    add_directory_of(&directories, config->file, SANDBOX_READ);
    for (size_t i = 0; i < config->server.listener_count; i++)
        add_socket(&directories, config->server.listeners[i].unix_path);
    add_socket(&directories, config->server.metrics.unix_path);
    CLEANUP(buffer_finish) struct buffer missing = {0};
    const struct sandbox_settings settings = {
        .directories = directories.items,
        .directory_count = directories.count,
        .calls = calls,
    };
    sandbox_enter(&settings, &missing);
    if (missing.length != 0)
        log_warning("the sandbox is not complete: %s", buffer_text(&missing));
    finish(&directories);
}
