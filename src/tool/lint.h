/*
 * What `lpalias lint` looks at and what it finds: how a Postfix is set up, held against
 * lpalias.conf. A check is a function that adds findings; lint_checks names them all.
 */
#ifndef LPALIAS_TOOL_LINT_H
#define LPALIAS_TOOL_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/config.h"
#include "tool/map_reference.h"
#include "tool/postfix_config.h"
#include "tool/words.h"

struct lint_finding {
    const char *check; /* its name */
    char *found;       /* what is wrong and what comes of it */
    char *change;      /* what to do about it */
};

struct lint {
    const struct config *config;
    struct postfix_config postfix;
    char *queue_directory;
    bool may_ask;                 /* programs of Postfix: it is of this machine */
    const char *config_directory; /* for those programs; NULL: their own default */
    struct words table_types;     /* that this Postfix knows; empty: not known */
    const char *check;            /* that runs now */
    struct lint_finding *findings;
    size_t finding_count, finding_capacity;
};

struct lint_check {
    const char *name;
    void (*run)(struct lint *lint);
};

extern const struct lint_check lint_checks[];
extern const size_t lint_check_count;

/* Adds a finding, and then what to change about it. */
void lint_find(struct lint *lint, const char *format, ...) PRINTF_LIKE(2, 3);
void lint_advise(struct lint *lint, const char *format, ...) PRINTF_LIKE(2, 3);

/* Tables that a parameter names. Caller finishes. */
struct map_references {
    struct map_reference *items;
    size_t count, capacity;
};
void lint_get_references(const struct lint *lint, const struct postfix_service *service,
                         const char *parameter, struct map_references *ret);
void map_references_finish(struct map_references *references);

/* The listener of lpaliasd that it leads to, or NULL. */
const struct config_listener *lint_find_listener(const struct lint *lint,
                                                 const struct map_reference *reference);

/* Does the parameter name a table that is asked of lpaliasd? */
bool lint_asks_us(const struct lint *lint, const struct postfix_service *service,
                  const char *parameter);

/* How main.cf should name our map; out is appended to. */
void lint_append_reference(const struct lint *lint, const char *map, struct buffer *out);

/*
 * Calls visit for each smtpd service; once with NULL, for main.cf alone, when master.cf is not
 * known.
 */
typedef void lint_service_visit(struct lint *lint, const struct postfix_service *service);
void lint_each_smtpd(struct lint *lint, lint_service_visit *visit);

/* "smtp/inet", or "main.cf" for NULL; text holds 64 bytes. Returns text. */
const char *lint_service_name(const struct postfix_service *service, char text[64]);

/* The restriction lists of smtpd, in the order in which they are gone through. */
extern const char *const lint_restriction_lists[];
extern const size_t lint_restriction_list_count;

void lint_finish(struct lint *lint);

/* ---- the checks ---- */

void lint_map_missing(struct lint *lint);
void lint_map_type(struct lint *lint);
void lint_map_protocol(struct lint *lint);
void lint_map_order(struct lint *lint);
void lint_map_proxy(struct lint *lint);
void lint_access_order(struct lint *lint);
void lint_socket_chroot(struct lint *lint);
void lint_socket_rights(struct lint *lint);
void lint_domain_class(struct lint *lint);
void lint_domain_list(struct lint *lint);
void lint_delimiter(struct lint *lint);
void lint_srs(struct lint *lint);
void lint_sender_login(struct lint *lint);
void lint_unlisted_sender(struct lint *lint);

#endif
