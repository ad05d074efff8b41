#include "tool/as_owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/console.h"

enum exit_status run_as_owner(struct workspace *work, owner_job *job, void *context)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        enum exit_status done = job(work, context);
        workspace_finish(work);
        fflush(NULL);
        _exit(done);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status))
        return (enum exit_status)WEXITSTATUS(status);
    if (pid < 0)
        console_complain("cannot start a process: %s", strerror(errno));
    else
        console_complain("the process that works on the cache was ended by signal %d",
                         WTERMSIG(status));
    return EXIT_FAILED;
}
