/*
 * The event loop of a program: turns until it is stopped, signals that ask it to stop, timers, and
 * a hook that runs before every sleep. Only this folder knows libevent. One thread; one loop a
 * process, since signals belong to the process.
 */
#ifndef LPALIAS_LOOP_LOOP_H
#define LPALIAS_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct event_base;
struct loop;

/*
 * Makes a loop and ignores SIGPIPE for the whole process. ERROR_TEMPORARY: the system gives no
 * event queue.
 */
bool loop_create(struct loop **ret, struct error *error) MUST_CHECK;

/* Everything that lives on the loop must be gone. NULL is fine. */
void loop_destroy(struct loop *loop);

/* Borrowed, for the other files of this folder. */
struct event_base *loop_base(struct loop *loop);

/*
 * Calls stop once, at the first SIGTERM or SIGINT; later ones are swallowed. stop decides when to
 * call loop_stop(). ERROR_TEMPORARY: the signals cannot be watched.
 */
bool loop_on_signal(struct loop *loop, void (*stop)(void *context), void *context,
                    struct error *error) MUST_CHECK;

/* Keeps a signal that comes before it is watched, which would end the process. */
void loop_hold_signal(int signal_number);

/*
 * Calls hook for each signal of that number from now on, also for one that was held, until the loop
 * is destroyed; several that come together may be one call. ERROR_TEMPORARY: it cannot be watched.
 */
bool loop_watch_signal(struct loop *loop, int signal_number, void (*hook)(void *context),
                       void *context, struct error *error) MUST_CHECK;

/* Calls hook at the end of every turn, just before the loop sleeps. One hook a loop. */
void loop_before_sleep(struct loop *loop, void (*hook)(void *context), void *context);

/*
 * Calls tick every period_ms (more than 0), first one period from now, until the loop is
 * destroyed.
 */
void loop_every(struct loop *loop, int64_t period_ms, void (*tick)(void *context), void *context);

/* Calls tick once, delay_ms (0: in the next turn) from now, unless the loop is destroyed before. */
void loop_once(struct loop *loop, int64_t delay_ms, void (*tick)(void *context), void *context);

/* Turns until loop_stop() was called. ERROR_TEMPORARY: the event queue itself failed. */
bool loop_run(struct loop *loop, struct error *error) MUST_CHECK;

/* Ends loop_run() after the turn at hand. */
void loop_stop(struct loop *loop);

#endif
