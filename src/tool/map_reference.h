/* A lookup table as main.cf names it: "type:name", with an endpoint when a server is asked. */
#ifndef LPALIAS_TOOL_MAP_REFERENCE_H
#define LPALIAS_TOOL_MAP_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "config/config.h"

struct map_reference {
    char *text;      /* as written */
    bool is_proxied; /* proxy:, asked by proxymap(8) */
    char *type;      /* behind proxy: */
    char *unix_path; /* socketmap:unix: */
    char *host;      /* socketmap:inet:, tcp:; without brackets */
    uint16_t port;   /* 0: not a number */
    char *map;       /* the name of the socketmap, or NULL */
};

/* False: text names no table, but is a plain word. Caller finishes *ret in either case. */
bool map_reference_parse(const char *text, struct map_reference *ret) MUST_CHECK;

/* Does it lead to the listener, whatever the protocol? queue_directory is where Postfix works. */
bool map_reference_leads_to(const struct map_reference *reference,
                            const struct config_listener *listener, const char *queue_directory);

void map_reference_finish(struct map_reference *reference);

#endif
