/* What the configuration says about notices; everything is borrowed. */
#ifndef LPALIAS_NOTIFY_SETTINGS_H
#define LPALIAS_NOTIFY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/smtp.h"

struct notify_domain {
    const char *name; /* A-label */
    const char *team;
    const char *const *notices; /* where the admins are told; none: alerts */
    size_t notice_count;
    int64_t grace_s;
    bool rejects_in_grace;
};

struct notify_settings {
    const struct notify_domain *domains;
    size_t domain_count;
    const char *alerts;
    const char *from;      /* of the header */
    const char *sender;    /* of the envelope; "": none */
    const char *templates; /* directory, or NULL */
    struct smtp_server server;
};

#endif
