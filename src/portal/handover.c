#include "portal/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

#define PROGRAM "lpalias" /* by PATH */

extern char **environ;

struct handover {
    const char *config_file;
    pid_t child; /* 0: none */
    bool is_wanted_again;
};

/* Of ours the child gets nothing but standard error. Errors are numbers. */
static int prepare_files(posix_spawn_file_actions_t *files)
{
    int code = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    return code;
}

/* The signals that we ignore or block are not its. */
static int prepare_signals(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    return code;
}

static int spawn(const char *config_file, pid_t *ret_child)
{
    char *const arguments[] = {PROGRAM, "-c", (char *)config_file, "notify", "-q", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&files);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code == 0) {
        code = prepare_files(&files);
        if (code == 0)
            code = prepare_signals(&attributes);
        if (code == 0)
            code = posix_spawnp(ret_child, PROGRAM, &files, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return code;
}

void handover_begin(struct handover *handover)
{
    if (handover->child != 0) {
        handover->is_wanted_again = true;
        return;
    }
    int code = spawn(handover->config_file, &handover->child);
    if (code == 0)
        return;
    handover->child = 0;
    log_error("cannot run " PROGRAM " notify: %s; the timer does it later", strerror(code));
}

static void on_child(void *context)
{
    struct handover *handover = context;
    int status;
    if (handover->child == 0 || waitpid(handover->child, &status, WNOHANG) != handover->child)
        return;
    handover->child = 0;
    if (handover->is_wanted_again) {
        handover->is_wanted_again = false;
        handover_begin(handover);
    }
}

bool handover_create(struct loop *loop, const char *config_file, struct handover **ret,
                     struct error *error)
{
    struct handover *handover = memory_new(1, sizeof(*handover));
    handover->config_file = config_file;
    if (!loop_watch_signal(loop, SIGCHLD, on_child, handover, error)) {
        free(handover);
        return false;
    }
    *ret = handover;
    return true;
}

void handover_destroy(struct handover *handover)
{
    free(handover);
}
