#include "lookup/lookup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lookup/answer.h"
#include "lookup/finding.h"
#include "lookup/question.h"

void question_trace_step(const struct question *question, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    question->trace->step(question->trace->context, text);
}

/* ---- domains ---- */

static struct ours *find_domain(const struct lookup *lookup, const char *name)
{
    for (size_t i = 0; i < lookup->domain_count; i++)
        if (strcmp(lookup->domains[i]->name, name) == 0)
            return lookup->domains[i];
    return NULL;
}

static struct ours *add_domain(struct lookup *lookup, const char *name)
{
    lookup->domains = memory_grow(lookup->domains, lookup->domain_count, &lookup->domain_capacity,
                                  sizeof(*lookup->domains));
    struct ours *domain = memory_new(1, sizeof(*domain));
    domain->name = memory_copy_text(name);
    lookup->domains[lookup->domain_count++] = domain;
    return domain;
}

static void destroy_domain(struct ours *domain)
{
    for (size_t i = 0; i < domain->role_count; i++) {
        free(domain->roles[i].name);
        free(domain->roles[i].targets);
    }
    free(domain->roles);
    free(domain->catch_all);
    free(domain->name);
    free(domain);
}

struct lookup *lookup_create(const struct lookup_settings *settings, struct store_reader *reader)
{
    struct lookup *lookup = memory_new(1, sizeof(*lookup));
    lookup->reader = reader;
    lookup->role_default_target = memory_copy_text(settings->role_default_target);
    lookup->recipient_delimiter = memory_copy_text(settings->recipient_delimiter);
    for (size_t i = 0; i < settings->domain_count; i++) {
        const struct lookup_domain *from = &settings->domains[i];
        struct ours *domain = add_domain(lookup, from->name);
        domain->is_configured = true;
        domain->catch_all = memory_copy_text(from->catch_all);
        domain->role_count = from->role_count;
        domain->roles = memory_new(from->role_count, sizeof(*domain->roles));
        for (size_t role = 0; role < from->role_count; role++)
            domain->roles[role] = (struct role){memory_copy_text(from->roles[role].name),
                                                memory_copy_text(from->roles[role].targets)};
    }
    return lookup;
}

void lookup_destroy(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    for (size_t i = 0; i < lookup->domain_count; i++)
        destroy_domain(lookup->domains[i]);
    free(lookup->domains);
    free(lookup->role_default_target);
    free(lookup->recipient_delimiter);
    buffer_finish(&lookup->scratch);
    free(lookup);
}

void lookup_remember(struct lookup *lookup, const struct lookup *before)
{
    for (size_t i = 0; i < before->domain_count; i++)
        if (find_domain(lookup, before->domains[i]->name) == NULL)
            add_domain(lookup, before->domains[i]->name);
}

bool lookup_has_unconfigured(const struct lookup *lookup, struct buffer *names)
{
    bool has = false;
    for (size_t i = 0; i < lookup->domain_count; i++) {
        if (lookup->domains[i]->is_configured)
            continue;
        buffer_appendf(names, "%s%s", has ? ", " : "", lookup->domains[i]->name);
        has = true;
    }
    return has;
}

static bool learn_domain(void *context, const char *name, const struct domain_record *record)
{
    struct lookup *lookup = context;
    struct ours *domain = find_domain(lookup, name);
    if (domain == NULL)
        domain = add_domain(lookup, name);
    domain->is_cached = true;
    domain->is_open = domain->is_configured && store_reader_is_open(lookup->reader, record);
    return true;
}

/* Neither the configuration nor the cache has it: after `lpalias domain remove`, or when it left
 * the configuration before it came into the cache. */
static void forget_removed_domains(struct lookup *lookup)
{
    size_t kept = 0;
    for (size_t i = 0; i < lookup->domain_count; i++) {
        struct ours *domain = lookup->domains[i];
        if (domain->is_configured || domain->is_cached)
            lookup->domains[kept++] = domain;
        else
            destroy_domain(domain);
    }
    lookup->domain_count = kept;
}

/*
 * Brings what is known of the domains up to the snapshot just woken to. A cache that is not
 * trusted must not turn our addresses into foreign ones by having no row for their domain.
 */
static bool learn_domains(struct lookup *lookup, struct error *error)
{
    if (lookup->is_view_known && lookup->known_view == store_reader_view(lookup->reader))
        return true;
    lookup->is_view_known = false;
    for (size_t i = 0; i < lookup->domain_count; i++)
        lookup->domains[i]->is_open = lookup->domains[i]->is_cached = false;
    if (!store_reader_each_domain(lookup->reader, learn_domain, lookup, error))
        return false;
    lookup->known_view = store_reader_view(lookup->reader);
    lookup->is_view_known = true;
    return true;
}

bool lookup_wake(struct lookup *lookup, struct error *error)
{
    return store_reader_wake(lookup->reader, error) && learn_domains(lookup, error);
}

void lookup_rest(struct lookup *lookup)
{
    store_reader_rest(lookup->reader);
}

bool lookup_look_around(struct lookup *lookup, struct error *error)
{
    bool is_well = lookup_wake(lookup, error);
    if (is_well && store_reader_is_trusted(lookup->reader))
        forget_removed_domains(lookup);
    lookup_rest(lookup);
    return is_well && store_reader_check_keys(lookup->reader, error);
}

/* ---- maps ---- */

static const struct {
    const char *name;
    /* NULL: the map knows domains and no addresses. */
    enum lookup_answer (*answer)(const struct question *question, const struct finding *finding);
    bool takes_domains;
} maps[] = {
    [LOOKUP_MAP_ALIAS] = {"alias", answer_alias, true},
    [LOOKUP_MAP_DOMAIN] = {"domain", NULL, true},
    [LOOKUP_MAP_RECIPIENT] = {"recipient", answer_recipient, false},
    [LOOKUP_MAP_SENDER] = {"sender", answer_sender, false},
    [LOOKUP_MAP_ACCESS] = {"access", answer_access, false},
};

bool lookup_map_from_name(const char *name, size_t length, enum lookup_map *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(maps); i++)
        if (strlen(maps[i].name) == length && memcmp(maps[i].name, name, length) == 0) {
            *ret = (enum lookup_map)i;
            return true;
        }
    return false;
}

const char *lookup_map_name(enum lookup_map map)
{
    return maps[map].name;
}

static bool can_hold(enum lookup_map map, enum address_form form)
{
    if (form == ADDRESS_BARE)
        return maps[map].takes_domains;
    return form == ADDRESS_FULL && maps[map].answer != NULL;
}

static enum lookup_answer answer_domain(const struct question *question)
{
    question_trace(question, "%s is a domain of ours", question->domain->name);
    buffer_append_text(question->out, question->domain->name);
    return LOOKUP_FOUND;
}

enum lookup_answer lookup_ask(struct lookup *lookup, enum lookup_map map, const char *key,
                              size_t length, struct buffer *out, const struct lookup_trace *tracer)
{
    struct question question; /* this and finding are too large to be zeroed for each lookup */
    struct finding finding;
    question.lookup = lookup;
    question.trace = tracer;
    question.out = out;
    enum address_form form = address_parse(key, length, &question.address);
    if (!can_hold(map, form)) {
        question_trace(&question, "not a key that this map can hold, so it is absent");
        return LOOKUP_ABSENT;
    }
    question_trace(&question, "folded to %s%s%s", question.address.local,
                   form == ADDRESS_FULL ? "@" : "", question.address.domain);
    question.domain = find_domain(lookup, question.address.domain);
    if (question.domain == NULL) {
        question_trace(&question, "%s is not ours, so it is absent", question.address.domain);
        return LOOKUP_ABSENT;
    }
    if (form == ADDRESS_BARE)
        return answer_domain(&question);
    finding_make(&question, &finding);
    return maps[map].answer(&question, &finding);
}
