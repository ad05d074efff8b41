/*
 * Hands waiting notices over, one by one: sends a mail, then takes its recipient off the fact, or
 * the fact out of the outbox, in a changeset of its own. A crash between the two repeats that one
 * mail (with the same Message-ID) and loses none.
 *
 * What a server says decides: nothing of this mail (unreachable, no login, closing) ends the run
 * and counts for no notice; 4xx puts it off, 1 minute at first and doubled up to 4 hours; 5xx puts
 * it off for a day. After DELIVERY_GIVE_UP_S of answers like that it is dropped, with an event.
 */
#ifndef LPALIAS_NOTIFY_DELIVERY_H
#define LPALIAS_NOTIFY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "notify/settings.h"
#include "notify/template.h"
#include "store/keyring.h"
#include "store/store.h"

#define DELIVERY_GIVE_UP_S (30 * INT64_C(86400))

struct delivery {
    struct store *store;
    const struct keyring *ring;
    const struct notify_settings *settings;
    const struct template_set *templates;
    const char *actor;   /* of the events */
    int64_t now_s;       /* decides what is due, and is the mails' date */
    int64_t deadline_ms; /* by timestamp_monotonic_ms(): no mail is begun later */
    /* Tells of a notice that was not handed over, one line; no address is in it. */
    void (*complain)(void *context, const char *text);
    /* Called after each mail that was handed over, with how many there are; or NULL. */
    void (*progress)(void *context, size_t mails);
    void *context;
};

struct delivery_report {
    size_t mails;    /* handed over */
    size_t waiting;  /* notices that are left in the outbox, all of the following included */
    size_t deferred; /* of this run: put off by the server */
    size_t refused;
    size_t unopened;     /* recipients that do not open */
    size_t dropped;      /* given up, and not in the outbox any more */
    bool is_unavailable; /* the run ended early, as no server took anything */
};

/*
 * One run. To be called under store_lock_notify(). What is wrong with single notices is told by
 * complain and counted. ERROR_TEMPORARY: the cache, curl, or the password file cannot be read;
 * ERROR_INVALID: as smtp_session_create.
 */
bool delivery_run(const struct delivery *delivery, struct delivery_report *ret,
                  struct error *error) MUST_CHECK;

/* Sends one mail that says it is a test, whatever waits. Errors: what the server said, or as above.
 */
bool delivery_send_test(const struct delivery *delivery, const char *recipient,
                        struct error *error) MUST_CHECK;

#endif
