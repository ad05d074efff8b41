#include "sandbox/calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "sandbox/server_calls.h"

/*
 * A call that is in no list fails and does not kill: the C library of the next release may make one
 * that we have never seen, and a server that is killed by it each time it starts answers nobody.
 * ENOSYS and not EPERM, as the library then takes the older call that it knows from older kernels.
 */
#define UNLISTED SCMP_ACT_ERRNO(ENOSYS)

/* Nothing but a break-in asks for these. */
static const char *const killing[] = {
    "acct",
    "add_key",
    "bpf",
    "chroot",
    "clock_adjtime",
    "clock_settime",
    "create_module",
    "delete_module",
    "execve",
    "execveat",
    "finit_module",
    "fork",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setdomainname",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "sethostname",
    "setns",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "settimeofday",
    "setuid",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vfork",
    "vhangup",
};

/* Of these calls only what the argument says is allowed; else they fail with EPERM. */
static const struct partial {
    const char *name;
    struct scmp_arg_cmp allowed, refused;
} partial[] = {
    /* Another thread, and no other process; clone3() hides its flags, so it is in no list. */
    {"clone", SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD),
     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)},
    {"socket", SCMP_A0(SCMP_CMP_EQ, AF_UNIX), SCMP_A0(SCMP_CMP_NE, AF_UNIX)},
    {"ioctl", SCMP_A1(SCMP_CMP_EQ, FIONREAD), SCMP_A1(SCMP_CMP_NE, FIONREAD)},
    {"mmap", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)},
    {"mprotect", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)},
};

/* A call that this kind of processor does not have needs no rule. */
static int add_rule(scmp_filter_ctx filter, uint32_t action, int number,
                    const struct scmp_arg_cmp *argument)
{
    if (number < 0)
        return 0;
    return argument == NULL ? seccomp_rule_add(filter, action, number, 0)
                            : seccomp_rule_add_array(filter, action, number, 1, argument);
}

static int add_partial(scmp_filter_ctx filter, int number, const struct scmp_arg_cmp *allowed,
                       const struct scmp_arg_cmp *refused)
{
    int code = add_rule(filter, SCMP_ACT_ALLOW, number, allowed);
    return code != 0 ? code : add_rule(filter, SCMP_ACT_ERRNO(EPERM), number, refused);
}

static int allow(scmp_filter_ctx filter, const char *name, bool may_connect)
{
    int number = seccomp_syscall_resolve_name(name);
    if (may_connect && strcmp(name, "socket") == 0)
        return add_rule(filter, SCMP_ACT_ALLOW, number, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(partial); i++)
        if (strcmp(partial[i].name, name) == 0)
            return add_partial(filter, number, &partial[i].allowed, &partial[i].refused);
    if (strcmp(name, "tgkill") == 0) {
        const scmp_datum_t own = (scmp_datum_t)getpid();
        return add_partial(filter, number, &SCMP_A0(SCMP_CMP_EQ, own), &SCMP_A0(SCMP_CMP_NE, own));
    }
    return add_rule(filter, SCMP_ACT_ALLOW, number, NULL);
}

/* names may be NULL. */
static int allow_all(scmp_filter_ctx filter, const char *const *names, bool may_connect)
{
    int code = 0;
    for (; code == 0 && names != NULL && *names != NULL; names++)
        code = allow(filter, *names, may_connect);
    return code;
}

static int fill(scmp_filter_ctx filter, const char *const *further, bool may_connect)
{
    /* What is refused is in the kernel's log, for who misses something. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; code == 0 && i < ARRAY_LENGTH(killing); i++)
        code =
            add_rule(filter, SCMP_ACT_KILL_PROCESS, seccomp_syscall_resolve_name(killing[i]), NULL);
    if (code == 0)
        code = allow_all(filter, server_calls, may_connect);
    return code != 0 ? code : allow_all(filter, further, may_connect);
}

bool calls_confine(const char *const *further, bool may_connect, struct error *error)
{
    scmp_filter_ctx filter = seccomp_init(UNLISTED);
    if (filter == NULL)
        return error_set(error, ERROR_TEMPORARY,
                         "system calls are not confined, as libseccomp fails");
    int code = fill(filter, further, may_connect);
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code == 0 ||
           error_set(error, ERROR_TEMPORARY,
                     "system calls are not confined, as seccomp refuses: %s", strerror(-code));
}
