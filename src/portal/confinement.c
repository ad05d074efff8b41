#include "portal/confinement.h"

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/log.h"
#include "sandbox/directories.h"
#include "sandbox/sandbox.h"

/*
 * Seen of lpalias-portal after its start (strace, in the tests of portal), and what the C library
 * and curl make of the same on another processor, kernel or release.
 *
 * Another program is none of it: what runs "lpalias notify" is a process of its own, see
 * portal/handover.h.
 */
static const char *const calls[] = {
    /* connections: in from the proxy, out to the login provider, Launchpad, the DNS and systemd */
    "accept4",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "recvfrom",
    "recvmsg",
    "sendmmsg",
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
    "eventfd2",
    "pipe2",
    "poll",
    "ppoll",
    /* files: the cache, its locks, keys, configuration, certificates, the state, log */
    "access",
    "close",
    "faccessat",
    "faccessat2",
    "fallocate",
    "fchmod",
    "fchown",
    "fcntl",
    "fdatasync",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getdents64",
    "ioctl",
    "lseek",
    "lstat",
    "mkdir", /* of the cache, which is there: only then not an error */
    "mkdirat",
    "msync",
    "newfstatat",
    "open",
    "openat",
    "pread64",
    "pwrite64",
    "pwritev",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
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
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sysinfo",
    "tgkill",
    "time",
    /* curl asks the DNS in threads */
    "clone",
    "exit",
    NULL,
};

/*
 * What curl reads for each connection: names and how they are asked for, and whom to trust. The
 * links of certificates lead to the last two.
 */
static const char *const of_transfers[] = {
    "/etc",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
};

/* The portal changes the cache, as its owner: its records, its locks, its file of the generation.
 */
static void add_directories(struct sandbox_directories *directories, const struct config *config)
{
    const unsigned all = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_REMOVE;
    sandbox_directories_add_replaceable(directories, config->cache, all);
    sandbox_directories_add(directories, config->portal.state, SANDBOX_READ | SANDBOX_WRITE);
    sandbox_directories_add_of_file(directories, config->key_file, SANDBOX_READ);
    sandbox_directories_add_of_file(directories, config->file, SANDBOX_READ);
    for (size_t i = 0; i < ARRAY_LENGTH(of_transfers); i++)
        sandbox_directories_add(directories, of_transfers[i], SANDBOX_READ);
    sandbox_directories_add_of_file(directories, "/etc/resolv.conf", SANDBOX_READ);
    if (config->portal.listen.unix_path != NULL)
        sandbox_directories_add_of_file(directories, config->portal.listen.unix_path,
                                        SANDBOX_REMOVE);
}

void confinement_enter(const struct config *config)
{
    if (!config->portal.is_sandboxed) {
        log_warning("running without a sandbox, as \"sandbox\" is false");
        return;
    }
    struct sandbox_directories directories = {0};
    CLEANUP(buffer_finish) struct buffer missing = {0};
    add_directories(&directories, config);
    const struct sandbox_settings settings = {
        .directories = directories.items,
        .directory_count = directories.count,
        .calls = calls,
        .may_connect = true,
    };
    sandbox_enter(&settings, &missing);
    if (missing.length != 0)
        log_warning("the sandbox is not complete: %s", buffer_text(&missing));
    sandbox_directories_finish(&directories);
}
