#include "portal/lookup_probe.h"

#include <stdlib.h>

#include "base/memory.h"
#include "loop/inquiry.h"
#include "wire/socketmap.h"

#define LIMIT_MS 1000

/* No Launchpad name and no legal local part of a member begins so. */
#define NAME_OF_NOBODY "_lpalias-portal-asks"

struct lookup_probe {
    struct loop *loop;
    const struct config *config;
    struct inquiry *inquiry; /* NULL: none is under way */
    void (*done)(void *context, enum probe_answer answer);
    void *context;
};

struct lookup_probe *lookup_probe_create(struct loop *loop, const struct config *config)
{
    struct lookup_probe *probe = memory_new(1, sizeof(*probe));
    probe->loop = loop;
    probe->config = config;
    return probe;
}

void lookup_probe_destroy(struct lookup_probe *probe)
{
    if (probe == NULL)
        return;
    inquiry_cancel(probe->inquiry);
    free(probe);
}

static bool is_over(struct span bytes)
{
    struct wire_reply reply;
    size_t consumed;
    return socketmap_take_reply(bytes.data, bytes.length, &reply, &consumed) != WIRE_NEED_MORE;
}

static enum probe_answer judge(struct span bytes)
{
    struct wire_reply reply;
    size_t consumed;
    if (socketmap_take_reply(bytes.data, bytes.length, &reply, &consumed) != WIRE_COMPLETE)
        return PROBE_UNKNOWN;
    return reply.status == WIRE_OK || reply.status == WIRE_NOTFOUND ? PROBE_ANSWERING
                                                                    : PROBE_TROUBLED;
}

static void on_finished(void *context, struct span bytes)
{
    struct lookup_probe *probe = context;
    probe->inquiry = NULL;
    probe->done(probe->context, judge(bytes));
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

void lookup_probe_ask(struct lookup_probe *probe, const char *domain,
                      void (*done)(void *context, enum probe_answer answer), void *context)
{
    CLEANUP(buffer_finish) struct buffer key = {0};
    CLEANUP(buffer_finish) struct buffer question = {0};
    if (domain != NULL)
        buffer_appendf(&key, NAME_OF_NOBODY "@%s", domain);
    else if (probe->config->domain_count != 0)
        buffer_appendf(&key, "postmaster@%s", probe->config->domains[0].name);
    probe->done = done;
    probe->context = context;
    if (!socketmap_append_request(&question, span_of("alias"), span_of(buffer_text(&key))))
        buffer_clear(&question); /* which nobody answers */
    struct inquiry_request request = {
        .address = find_address(probe->config),
        .question = {buffer_text(&question), question.length},
        .limit_ms = LIMIT_MS,
        .limit_bytes = WIRE_SOCKETMAP_REPLY_MAX_BYTES + 100,
        .is_over = is_over,
        .finished = on_finished,
        .context = probe,
    };
    probe->inquiry = inquiry_start(probe->loop, &request);
}

const char *probe_answer_name(enum probe_answer answer)
{
    switch (answer) {
    case PROBE_ANSWERING:
        return "answering";
    case PROBE_TROUBLED:
        return "troubled";
    case PROBE_UNKNOWN:
        break;
    }
    return "unknown";
}
