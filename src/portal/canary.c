#include "portal/canary.h"

#include <stdlib.h>

#include "base/memory.h"
#include "loop/inquiry.h"
#include "wire/socketmap.h"

#define LIMIT_MS 1000

/* No Launchpad name and no legal local part of a member begins so. */
#define NAME_OF_NOBODY "_lpalias-portal-asks"

struct canary {
    struct loop *loop;
    const struct config *config;
    struct inquiry *inquiry; /* NULL: none is under way */
    void (*done)(void *context, enum canary_answer answer);
    void *context;
};

struct canary *canary_create(struct loop *loop, const struct config *config)
{
    struct canary *canary = memory_new(1, sizeof(*canary));
    canary->loop = loop;
    canary->config = config;
    return canary;
}

void canary_destroy(struct canary *canary)
{
    if (canary == NULL)
        return;
    inquiry_cancel(canary->inquiry);
    free(canary);
}

static bool is_over(struct span bytes)
{
    struct wire_reply reply;
    size_t consumed;
    return socketmap_take_reply(bytes.data, bytes.length, &reply, &consumed) != WIRE_NEED_MORE;
}

static enum canary_answer judge(struct span bytes)
{
    struct wire_reply reply;
    size_t consumed;
    if (socketmap_take_reply(bytes.data, bytes.length, &reply, &consumed) != WIRE_COMPLETE)
        return CANARY_UNKNOWN;
    return reply.status == WIRE_OK || reply.status == WIRE_NOTFOUND ? CANARY_ANSWERING
                                                                    : CANARY_TROUBLED;
}

static void on_finished(void *context, struct span bytes)
{
    struct canary *canary = context;
    canary->inquiry = NULL;
    canary->done(canary->context, judge(bytes));
}

/* The zeroed address when it listens on no socketmap, or on a port that is not known before. */
static struct listener_address find_address(const struct config *config)
{
    for (size_t i = 0; i < config->server.listener_count; i++) {
        const struct config_listener *listener = &config->server.listeners[i];
        if (listener->protocol == CONFIG_SOCKETMAP &&
            (listener->unix_path != NULL || listener->inet_port != 0))
            return (struct listener_address){listener->unix_path, listener->inet_address,
                                             listener->inet_port};
    }
    return (struct listener_address){.inet_address = ""};
}

void canary_ask(struct canary *canary, const char *domain,
                void (*done)(void *context, enum canary_answer answer), void *context)
{
    CLEANUP(buffer_finish) struct buffer key = {0};
    CLEANUP(buffer_finish) struct buffer question = {0};
    if (domain != NULL)
        buffer_appendf(&key, NAME_OF_NOBODY "@%s", domain);
    else if (canary->config->domain_count != 0)
        buffer_appendf(&key, "postmaster@%s", canary->config->domains[0].name);
    canary->done = done;
    canary->context = context;
    if (!socketmap_append_request(&question, span_of("alias"), span_of(buffer_text(&key))))
        buffer_clear(&question); /* which nobody answers */
    struct inquiry_request request = {
        .address = find_address(canary->config),
        .question = {buffer_text(&question), question.length},
        .limit_ms = LIMIT_MS,
        .limit_bytes = WIRE_SOCKETMAP_REPLY_MAX_BYTES + 100,
        .is_over = is_over,
        .finished = on_finished,
        .context = canary,
    };
    canary->inquiry = inquiry_start(canary->loop, &request);
}

const char *canary_answer_name(enum canary_answer answer)
{
    switch (answer) {
    case CANARY_ANSWERING:
        return "answering";
    case CANARY_TROUBLED:
        return "troubled";
    case CANARY_UNKNOWN:
        break;
    }
    return "unknown";
}
