/*
 * For one long step that cannot say how far it is: after a second the terminal shows what is being
 * done and for how long, on a line that is taken away again. Nothing is written where standard
 * error is no terminal.
 */
#ifndef LPALIAS_TOOL_STOPWATCH_H
#define LPALIAS_TOOL_STOPWATCH_H

#include <pthread.h>
#include <stdbool.h>

struct stopwatch {
    const char *what; /* "rolling back" */
    bool is_running;
    bool is_over; /* under the lock */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* what is borrowed. The step may not fork, nor write to the terminal, before stopwatch_end. */
void stopwatch_begin(struct stopwatch *watch, const char *what);
void stopwatch_end(struct stopwatch *watch);

#endif
