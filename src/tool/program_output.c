#include "tool/program_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tool/console.h"

#define NOT_RUN                127 /* as a shell says it */
#define LAST_MESSAGE_MAX_BYTES 400

/* After fork() of a program that has no threads. The administrator's programs are not in every
 * path. */
static void become_program(const char *const *words, int output, int messages)
{
    int null = open("/dev/null", O_RDWR);
    const char *path = getenv("PATH");
    char extended[4096];
    snprintf(extended, sizeof(extended), "%s:/usr/sbin:/usr/local/sbin:/sbin",
             path != NULL ? path : "/usr/bin:/bin");
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(messages >= 0 ? messages : null, STDERR_FILENO) < 0 ||
        setenv("PATH", extended, 1) != 0)
        _exit(NOT_RUN);
    execvp(words[0], (char *const *)words);
    _exit(NOT_RUN);
}

static bool read_pipe(int fd, struct buffer *out)
{
    for (;;) {
        buffer_reserve(out, 4096);
        ssize_t got = read(fd, out->data + out->length, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->length += (size_t)got;
        if (out->length > PROGRAM_OUTPUT_MAX_BYTES)
            return false;
    }
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The last line that it wrote as its messages, as ": LINE"; nothing if there is none. */
static void append_last_message(struct buffer *out, int messages)
{
    char text[LAST_MESSAGE_MAX_BYTES + 1];
    off_t end = messages >= 0 ? lseek(messages, 0, SEEK_END) : -1;
    off_t start = end > (off_t)LAST_MESSAGE_MAX_BYTES ? end - (off_t)LAST_MESSAGE_MAX_BYTES : 0;
    ssize_t got = end > 0 ? pread(messages, text, LAST_MESSAGE_MAX_BYTES, start) : 0;
    while (got > 0 && text[got - 1] == '\n')
        got--;
    if (got <= 0)
        return;
    text[got] = '\0';
    const char *line = strrchr(text, '\n');
    buffer_append_text(out, ": ");
    console_append_visible(out, line != NULL ? line + 1 : text);
}

bool program_output_read(const char *const *words, struct buffer *out, struct error *error)
{
    int ends[2];
    CLEANUP(buffer_finish) struct buffer message = {0};
    CLEANUP(file_close_at) int messages = memfd_create("messages", MFD_CLOEXEC);
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot run %s: %s", words[0], strerror(errno));
    pid_t child = fork();
    if (child == 0)
        become_program(words, ends[1], messages);
    close(ends[1]);
    bool is_read = child > 0 && read_pipe(ends[0], out);
    close(ends[0]);
    int status = child > 0 ? wait_for(child) : -1;
    if (status == NOT_RUN || child < 0)
        return error_set(error, ERROR_TEMPORARY, "%s cannot be run", words[0]);
    if (is_read && status == 0)
        return true;
    append_last_message(&message, messages);
    return error_set(error, ERROR_TEMPORARY, "%s failed with status %d%s", words[0], status,
                     buffer_text(&message));
}
