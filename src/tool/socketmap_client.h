/* One connection to a running lpaliasd: questions and answers, one after the other. */
#ifndef LPALIAS_TOOL_SOCKETMAP_CLIENT_H
#define LPALIAS_TOOL_SOCKETMAP_CLIENT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "wire/frame.h"

struct socketmap_client {
    int fd; /* -1: not connected */
    struct buffer received;
    size_t consumed; /* of received, by the last reply */
    const char *name;
};

/* ERROR_TEMPORARY: nobody answers there. name is borrowed for error texts. */
bool socketmap_client_connect(struct socketmap_client *client,
                              const struct config_listener *listener,
                              struct error *error) MUST_CHECK;

/*
 * Asks one question; the text of *ret is borrowed until the next one. ERROR_TEMPORARY: no answer
 * within 10 s, or not one of this protocol; ERROR_INVALID: the question cannot be sent.
 */
bool socketmap_client_ask(struct socketmap_client *client, const char *map, const char *key,
                          struct wire_reply *ret, struct error *error) MUST_CHECK;

void socketmap_client_finish(struct socketmap_client *client);

#endif
