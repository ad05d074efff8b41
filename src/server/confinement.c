#include "server/confinement.h"

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "sandbox/directories.h"
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

/* path: of the socket, or NULL. It is removed at the end. */
static void add_socket(struct sandbox_directories *directories, const char *path)
{
    if (path != NULL)
        sandbox_directories_add_of_file(directories, path, SANDBOX_REMOVE);
}

void confinement_enter(const struct config *config)
{
    if (!config->server.is_sandboxed) {
        log_warning("running without a sandbox, as \"sandbox\" is false");
        return;
    }
    struct sandbox_directories directories = {0};
    sandbox_directories_add_replaceable(&directories, config->cache, SANDBOX_READ | SANDBOX_WRITE);
    sandbox_directories_add_of_file(&directories, config->key_file, SANDBOX_READ);
    sandbox_directories_add_of_file(&directories, config->file, SANDBOX_READ);
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
    sandbox_directories_finish(&directories);
}
