#include "portal/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

#define PROGRAM "lpalias" /* by PATH */

struct handover {
    int wanted_fd; /* a byte for each wish */
};

/* What the portal catches or ignores by now is for the portal. */
static void reset_signals(void)
{
    static const int all[] = {SIGTERM, SIGINT, SIGPIPE, SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t none;
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        signal(all[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Keeps of our files the pipe, as standard input, and standard error. */
static bool keep_only(int wanted_fd)
{
    int nowhere = open("/dev/null", O_WRONLY);
    return nowhere >= 0 && dup2(wanted_fd, STDIN_FILENO) >= 0 &&
           dup2(nowhere, STDOUT_FILENO) >= 0 && close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

static void run(const char *config_file)
{
    pid_t child = fork();
    if (child == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        if (nothing >= 0)
            dup2(nothing, STDIN_FILENO);
        execlp(PROGRAM, PROGRAM, "-c", config_file, "notify", "-q", (char *)NULL);
        log_error("cannot run " PROGRAM " notify: %s; the timer does it later", strerror(errno));
        _exit(EXIT_FAILURE);
    }
    if (child < 0)
        log_error("cannot run " PROGRAM " notify: %s; the timer does it later", strerror(errno));
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* The process beside. Of wishes that came during a run, one run is made. */
static void serve(const char *config_file)
{
    char wishes[64];
    ssize_t got;
    do {
        got = read(STDIN_FILENO, wishes, sizeof(wishes));
        if (got > 0)
            run(config_file);
    } while (got > 0 || (got < 0 && errno == EINTR));
}

bool handover_create(const char *config_file, struct handover **ret, struct error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot make a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        reset_signals();
        if (keep_only(ends[0]))
            serve(config_file);
        _exit(EXIT_SUCCESS);
    }
    int code = errno;
    close(ends[0]);
    /* A pipe that is full holds a wish already. */
    if (child < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        close(ends[1]);
        return error_set(error, ERROR_TEMPORARY, "cannot start a process for mail: %s",
                         strerror(child < 0 ? code : errno));
    }
    struct handover *handover = memory_new(1, sizeof(*handover));
    handover->wanted_fd = ends[1];
    *ret = handover;
    return true;
}

void handover_begin(struct handover *handover)
{
    if (write(handover->wanted_fd, "", 1) < 0 && errno != EAGAIN)
        log_error("cannot ask for the mail that waits: %s; the timer does it later",
                  strerror(errno));
}

void handover_destroy(struct handover *handover)
{
    if (handover == NULL)
        return;
    close(handover->wanted_fd);
    free(handover);
}
