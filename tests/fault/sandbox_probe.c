/*
 * Does what a server must not be able to do; built for lpaliasd and for lpalias-portal:
 *   sandbox_probe free ACT [ARGUMENT]              without a sandbox
 *   sandbox_probe confined CONFIG ACT [ARGUMENT]   in the sandbox that it enters with CONFIG
 *   sandbox_probe connecting ACT [ARGUMENT]        in one that may connect to other hosts
 *   sandbox_probe without CALL,... COMMAND...      runs COMMAND as on a kernel without these calls
 * Says "done", or the name of the error; what kills it kills it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "config/config.h"
#include "sandbox/sandbox.h"
#include CONFINEMENT

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#define PAGE 4096

static int prepared = -1; /* an inet socket from before the sandbox */

static bool open_with(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC, 0600) >= 0;
}

static bool do_read(const char *path)
{
    return open_with(path, O_RDONLY);
}

static bool do_write(const char *path)
{
    return open_with(path, O_WRONLY);
}

static bool do_make(const char *path)
{
    return open_with(path, O_WRONLY | O_CREAT | O_EXCL);
}

static bool do_truncate(const char *path)
{
    return open_with(path, O_RDWR | O_TRUNC);
}

static bool do_unlink(const char *path)
{
    return unlink(path) == 0;
}

static bool do_rename(const char *path)
{
    char other[PATH_MAX];
    snprintf(other, sizeof(other), "%s.renamed", path);
    return rename(path, other) == 0;
}

static bool do_chmod(const char *path)
{
    return chmod(path, 0644) == 0;
}

static bool do_socket_inet(const char *unused)
{
    (void)unused;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool do_socket_udp(const char *unused)
{
    (void)unused;
    return socket(AF_INET6, SOCK_DGRAM, 0) >= 0;
}

static bool do_socket_packet(const char *unused)
{
    (void)unused;
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool do_socket_unix(const char *unused)
{
    (void)unused;
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* With a socket from before, so that it is the connecting that is refused. */
static bool do_connect(const char *port)
{
    const struct sockaddr_in address = loopback(port);
    return connect(prepared, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool do_bind(const char *unused)
{
    (void)unused;
    const struct sockaddr_in address = loopback("0");
    return bind(prepared, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool do_connect_unix(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (strlen(path) >= sizeof(name.sun_path))
        abort();
    memcpy(name.sun_path, path, strlen(path));
    return connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
}

static bool do_execve(const char *unused)
{
    (void)unused;
    char *const arguments[] = {"echo", "done", NULL};
    execv("/bin/echo", arguments);
    return false;
}

static bool do_fork(const char *unused)
{
    (void)unused;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool do_fork_call(const char *unused)
{
    (void)unused;
#ifdef SYS_fork
    long child = syscall(SYS_fork);
    if (child == 0)
        _exit(0);
    return child > 0;
#else
    return do_fork(unused);
#endif
}

static bool do_ptrace(const char *unused)
{
    (void)unused;
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool do_read_memory(const char *unused)
{
    (void)unused;
    char from = 1;
    char to = 0;
    struct iovec local = {&to, 1};
    struct iovec remote = {&from, 1};
    return syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0) == 1;
}

/* As curl does, in a thread. */
static void *resolve(void *name)
{
    struct addrinfo *found = NULL;
    int code = getaddrinfo(name, "https", NULL, &found);
    if (code == 0)
        freeaddrinfo(found);
    return code == 0 ? name : NULL;
}

static bool do_resolve(const char *name)
{
    pthread_t thread;
    void *resolved = NULL;
    errno = pthread_create(&thread, NULL, resolve, (void *)name);
    return errno == 0 && pthread_join(thread, &resolved) == 0 && resolved != NULL;
}

static bool do_setuid(const char *unused)
{
    (void)unused;
    return setuid(geteuid()) == 0;
}

static bool do_unshare(const char *unused)
{
    (void)unused;
    return unshare(CLONE_NEWNS) == 0;
}

/* The parent, which waits for us. */
static bool do_signal(const char *unused)
{
    (void)unused;
    return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0;
}

static bool do_map_code(const char *unused)
{
    (void)unused;
    return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool do_make_code(const char *unused)
{
    (void)unused;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0;
}

/* One of those that are in no list. */
static bool do_memfd(const char *unused)
{
    (void)unused;
    return memfd_create("probe", 0) >= 0;
}

static bool do_abort(const char *unused)
{
    (void)unused;
    abort();
}

static const struct act {
    const char *name;
    bool (*act)(const char *argument);
} acts[] = {
    {"abort", do_abort},
    {"bind", do_bind},
    {"chmod", do_chmod},
    {"connect", do_connect},
    {"connect-unix", do_connect_unix},
    {"execve", do_execve},
    {"fork", do_fork},
    {"fork-call", do_fork_call},
    {"make", do_make},
    {"make-code", do_make_code},
    {"map-code", do_map_code},
    {"memfd", do_memfd},
    {"ptrace", do_ptrace},
    {"read", do_read},
    {"read-memory", do_read_memory},
    {"rename", do_rename},
    {"resolve", do_resolve},
    {"setuid", do_setuid},
    {"signal", do_signal},
    {"socket-inet", do_socket_inet},
    {"socket-packet", do_socket_packet},
    {"socket-udp", do_socket_udp},
    {"socket-unix", do_socket_unix},
    {"truncate", do_truncate},
    {"unlink", do_unlink},
    {"unshare", do_unshare},
    {"write", do_write},
};

static int try(const char *name, const char *argument)
{
    for (size_t i = 0; i < ARRAY_LENGTH(acts); i++) {
        if (strcmp(acts[i].name, name) != 0)
            continue;
        puts(acts[i].act(argument) ? "done" : strerrorname_np(errno));
        return 0;
    }
    return EXIT_FAILURE;
}

static void confine(const char *file)
{
    struct config *config = NULL;
    struct config_problems problems = {0};
    if (!config_read(file, &config, &problems))
        exit(EXIT_FAILURE);
    confinement_enter(config);
    config_destroy(config);
}

static void confine_but_connect(void)
{
    struct buffer missing = {0};
    const struct sandbox_settings settings = {.may_connect = true};
    sandbox_enter(&settings, &missing);
    if (missing.length != 0)
        exit(EXIT_FAILURE);
}

/* ENOSYS is what a kernel says that does not have them. */
static int run_without(char *calls, char **command)
{
#ifdef HAVE_SECCOMP
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    for (char *rest = NULL, *name = strtok_r(calls, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest)) {
        int code = strcmp(name, "prctl-seccomp") == 0
                       ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                                          SCMP_A0(SCMP_CMP_EQ, 22 /* PR_SET_SECCOMP */))
                       : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
                                          seccomp_syscall_resolve_name(name), 0);
        if (code != 0)
            return EXIT_FAILURE;
    }
    if (seccomp_load(filter) != 0)
        return EXIT_FAILURE;
    execvp(command[0], command);
#else
    (void)calls, (void)command;
#endif
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return EXIT_FAILURE;
    if (strcmp(argv[1], "without") == 0)
        return run_without(argv[2], argv + 3);
    bool is_confined = strcmp(argv[1], "confined") == 0;
    int at = is_confined ? 3 : 2;
    prepared = socket(AF_INET, SOCK_STREAM, 0);
    if (is_confined)
        confine(argv[2]);
    else if (strcmp(argv[1], "connecting") == 0)
        confine_but_connect();
    return at < argc ? try(argv[at], at + 1 < argc ? argv[at + 1] : "") : EXIT_FAILURE;
}
