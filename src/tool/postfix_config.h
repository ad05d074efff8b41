/*
 * The configuration of a Postfix: main.cf as `postconf -n` prints it and master.cf as it is
 * written (postconf(5), master(5)).
 */
#ifndef LPALIAS_TOOL_POSTFIX_CONFIG_H
#define LPALIAS_TOOL_POSTFIX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "tool/words.h"

struct postfix_parameter {
    char *name;
    char *value;
};

struct postfix_parameters {
    struct postfix_parameter *items;
    size_t count, capacity;
};

/* A line of master.cf. */
struct postfix_service {
    char *name, *type;
    char *command; /* the daemon: "smtpd" */
    bool is_chrooted;
    struct postfix_parameters overrides; /* its -o options */
};

/* Zeroed to begin with. */
struct postfix_config {
    struct postfix_parameters parameters;
    struct postfix_service *services;
    size_t service_count, service_capacity;
};

/* Adds the lines "name = value". Returns how many there were. */
size_t postfix_config_read_main(struct postfix_config *config, const char *text);

/* Adds the services of master.cf. To be called after main.cf was read. Returns how many. */
size_t postfix_config_read_master(struct postfix_config *config, const char *text);

bool postfix_config_is_set(const struct postfix_config *config, const char *name);

/*
 * The value of a parameter as the service has it (NULL: as main.cf has it), "$name" in it
 * expanded; what is not set has Postfix's default where a check needs that, or is empty. Caller
 * frees.
 */
char *postfix_config_get(const struct postfix_config *config, const struct postfix_service *service,
                         const char *name);

/* As above, its words. Caller finishes *ret. */
void postfix_config_get_words(const struct postfix_config *config,
                              const struct postfix_service *service, const char *name,
                              struct words *ret);

/* Is there a service with that command that runs in the chroot, or one that runs outside? */
bool postfix_config_has_service(const struct postfix_config *config, const char *command,
                                bool is_chrooted);

void postfix_config_finish(struct postfix_config *config);

#endif
