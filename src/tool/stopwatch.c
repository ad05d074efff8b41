#include "tool/stopwatch.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void show(const struct stopwatch *watch, unsigned seconds)
{
    fprintf(stderr, "\r%s, %u s", watch->what, seconds);
    fflush(stderr);
}

static void *tick(void *context)
{
    struct stopwatch *watch = context;
    struct timespec next;
    unsigned seconds = 0;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_over) {
        next.tv_sec++;
        while (!watch->is_over && pthread_cond_timedwait(&watch->changed, &watch->lock, &next) == 0)
            ;
        if (!watch->is_over)
            show(watch, ++seconds);
    }
    pthread_mutex_unlock(&watch->lock);
    if (seconds != 0)
        fputs("\r\033[K", stderr);
    return NULL;
}

void stopwatch_begin(struct stopwatch *watch, const char *what)
{
    pthread_condattr_t monotonic;
    *watch = (struct stopwatch){.what = what};
    if (!isatty(STDERR_FILENO))
        return;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* Without a thread there is no line, and the step is done all the same. */
    watch->is_running = pthread_create(&watch->thread, NULL, tick, watch) == 0;
}

void stopwatch_end(struct stopwatch *watch)
{
    if (!watch->is_running)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->is_over = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    watch->is_running = false;
}
