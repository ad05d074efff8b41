#include "server/watchdog.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "loop/canary.h"
#include "manager/manager.h"
#include "wire/netstring.h"

/* No domain is ever named so: RFC 6761 section 6.4. */
#define KEY "canary@lpaliasd.invalid"

enum {
    REPLY_MAX_BYTES = 4096,
    /* Of the manager's limit: an answer may be late by two periods and another one get lost. */
    PERIODS_PER_LIMIT = 4,
};

struct watchdog {
    struct listener *listener;
    struct canary *canary;
    bool is_silent;
};

static bool is_netstring(struct span reply)
{
    struct span value;
    size_t taken;
    return netstring_take(reply.data, reply.length, REPLY_MAX_BYTES, &value, &taken) ==
           WIRE_COMPLETE;
}

static bool ends_with(struct span reply, const char *end)
{
    size_t length = strlen(end);
    return reply.length >= length && memcmp(reply.data + reply.length - length, end, length) == 0;
}

static bool is_line(struct span reply)
{
    return ends_with(reply, "\n");
}

static bool is_paragraph(struct span reply)
{
    return ends_with(reply, "\n\n");
}

static const struct {
    const char *question;
    bool (*is_whole)(struct span reply);
} protocols[] = {
    [CONFIG_SOCKETMAP] = {"29:alias " KEY ",", is_netstring},
    [CONFIG_TCP_TABLE] = {"get " KEY "\n", is_line},
    [CONFIG_POLICY] = {"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=" KEY "\n\n",
                       is_paragraph},
};

static void on_answered(void *context)
{
    struct watchdog *watchdog = context;
    manager_tell_alive();
    if (watchdog->is_silent)
        log_with(LOG_LEVEL_INFO, LOG_FIELDS({"listener", listener_name(watchdog->listener)}),
                 "the server answers itself again");
    watchdog->is_silent = false;
}

static void on_silent(void *context, const char *why)
{
    struct watchdog *watchdog = context;
    watchdog->is_silent = true;
    log_with(LOG_LEVEL_ERROR, LOG_FIELDS({"listener", listener_name(watchdog->listener)}),
             "the server does not answer itself (%s): unless that ends, the service manager "
             "restarts it",
             why);
}

static void on_out_of_reach(void *context, const char *why)
{
    struct watchdog *watchdog = context;
    log_with(LOG_LEVEL_WARNING, LOG_FIELDS({"listener", listener_name(watchdog->listener)}),
             "%s: the watchdog proves that questions are answered, and not that connections are "
             "accepted",
             why);
}

struct watchdog *watchdog_start(struct loop *loop, struct listener *listener,
                                enum config_protocol protocol)
{
    int64_t limit_ms = manager_watchdog_ms();
    if (limit_ms < PERIODS_PER_LIMIT)
        return NULL;
    struct watchdog *watchdog = memory_new(1, sizeof(*watchdog));
    watchdog->listener = listener;
    const char *question = protocols[protocol].question;
    struct canary_settings settings = {
        .listener = listener,
        .question = {question, strlen(question)},
        .is_whole = protocols[protocol].is_whole,
        .period_ms = limit_ms / PERIODS_PER_LIMIT,
        .answered = on_answered,
        .silent = on_silent,
        .out_of_reach = on_out_of_reach,
        .context = watchdog,
    };
    watchdog->canary = canary_create(loop, &settings);
    return watchdog;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    canary_destroy(watchdog->canary);
    free(watchdog);
}

bool watchdog_is_key(struct span key)
{
    return span_is_text(key, KEY);
}
