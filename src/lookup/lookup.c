#include "lookup/lookup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "address/role.h"
#include "base/memory.h"

struct role {
    char *name;
    char *targets; /* one a line */
};

/* A domain that is ours: configured, or standing in the cache's domain table, or both. */
struct ours {
    char *name;
    bool is_configured;
    bool is_cached; /* stands in the cache's domain table */
    bool is_open;   /* configured and opened, as far as the cache that was last read says */
    char *catch_all;
    struct role *roles;
    size_t role_count;
};

struct lookup {
    struct store_reader *reader;
    struct ours **domains; /* pointers, as a question holds one while more are learnt */
    size_t domain_count, domain_capacity;
    char *role_default_target;
    char *recipient_delimiter;
    uint64_t known_view; /* the reader's view that is_open was learnt from */
    bool is_view_known;
    struct buffer targets; /* scratch */
};

/* One question on its way. */
struct question {
    struct lookup *lookup;
    const struct lookup_trace *trace;
    struct address address;
    struct ours *domain;
    struct buffer *out;
};

static void trace_step(const struct question *question, const char *format, ...) PRINTF_LIKE(2, 3);

static void trace_step(const struct question *question, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    question->trace->step(question->trace->context, text);
}

/* Costs nothing, not even the words, when nobody listens. */
#define trace(question, ...)                   \
    do {                                       \
        if ((question)->trace != NULL)         \
            trace_step(question, __VA_ARGS__); \
    } while (0)

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
    buffer_finish(&lookup->targets);
    free(lookup);
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

/* `lpalias domain remove` has taken the row, and the configuration does not name it either. */
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

static bool wake(struct lookup *lookup, struct error *error)
{
    return store_reader_wake(lookup->reader, error) && learn_domains(lookup, error);
}

void lookup_rest(struct lookup *lookup)
{
    store_reader_rest(lookup->reader);
}

bool lookup_look_around(struct lookup *lookup, struct error *error)
{
    bool is_well = wake(lookup, error);
    if (is_well && store_reader_is_trusted(lookup->reader))
        forget_removed_domains(lookup);
    lookup_rest(lookup);
    return is_well && store_reader_check_keys(lookup->reader, error);
}

/* ---- answers ---- */

static enum lookup_answer cannot_tell(const struct question *question, const char *why)
{
    trace(question, "cannot tell: %s", why);
    return LOOKUP_TEMPORARY;
}

/* Nobody gets the mail: known to be so only in an open domain. */
static enum lookup_answer miss(const struct question *question)
{
    const struct ours *domain = question->domain;
    if (domain->is_open) {
        trace(question, "%s is open, so the address is known to be absent", domain->name);
        return LOOKUP_ABSENT;
    }
    return cannot_tell(question, domain->is_configured
                                     ? "the domain is closed"
                                     : "the domain is not in the configuration any more");
}

/* Appends targets (one a line) as Postfix wants them, each with the extension. */
static void append_targets(struct buffer *out, struct span targets, struct span extension)
{
    bool is_first = true;
    for (const char *at = targets.data, *end = at + targets.length; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            line_end = end;
        if (line_end != at) {
            if (!is_first)
                buffer_append_char(out, ',');
            is_first = false;
            address_append_extended(out, (struct span){at, (size_t)(line_end - at)}, extension);
        }
        at = line_end + 1;
    }
}

static enum lookup_answer found_targets(const struct question *question, struct span targets,
                                        struct span extension)
{
    size_t before = question->out->length;
    append_targets(question->out, targets, extension);
    if (question->out->length == before)
        return cannot_tell(question, "the record has no target");
    trace(question, "it answers with its targets");
    return LOOKUP_FOUND;
}

/* Targets of a role of this domain, or NULL when local is none. */
static const char *role_targets(const struct question *question, const char *local, size_t length)
{
    const struct ours *domain = question->domain;
    for (size_t i = 0; i < domain->role_count; i++)
        if (strlen(domain->roles[i].name) == length &&
            memcmp(domain->roles[i].name, local, length) == 0)
            return domain->roles[i].targets;
    return address_is_role(local, length) ? question->lookup->role_default_target : NULL;
}

/* A role address, with or without extension, from the configuration. */
static const char *find_role(const struct question *question)
{
    const struct address *address = &question->address;
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(address->local, length, question->lookup->recipient_delimiter)) {
        const char *targets = role_targets(question, address->local, length);
        if (targets == NULL)
            continue;
        trace(question, "%.*s is a role address (RFC 2142), answered from the configuration",
              (int)length, address->local);
        return targets;
    }
    return NULL;
}

/* What a record found under the first length bytes of the local part says. */
static enum lookup_answer answer_from_record(const struct question *question,
                                             const struct alias_record *record, size_t length)
{
    const struct address *address = &question->address;
    struct lookup *lookup = question->lookup;
    struct error error;
    struct span local = {address->local, length};
    struct span extension = {address->local + length, address->local_length - length};
    trace(question, "%.*s@%s is there: %s, %s%s%s", (int)length, address->local, address->domain,
          alias_kind_name(record->kind), alias_state_name(record->state),
          record->reason != REASON_NONE ? ", " : "", alias_reason_name(record->reason));
    if (!alias_record_is_live(record))
        return miss(question);
    if (extension.length != 0) {
        trace(question, "its policy for the extension %.*s: %s", (int)extension.length,
              extension.data, extension_policy_name(record->extension));
        if (record->extension == EXTENSION_REFUSE)
            return miss(question);
        if (record->extension == EXTENSION_DROP)
            extension.length = 0;
    }
    buffer_clear(&lookup->targets);
    if (!store_reader_open_targets(lookup->reader, address->domain, local, record, &lookup->targets,
                                   &error))
        return cannot_tell(question, error.text);
    return found_targets(question, (struct span){lookup->targets.data, lookup->targets.length},
                         extension);
}

static bool takes_catch_all(const struct address *address)
{
    return strcmp(address->local, "double-bounce") != 0 &&
           strcmp(address->local, "mailer-daemon") != 0;
}

static enum lookup_answer answer_without_record(const struct question *question)
{
    const struct ours *domain = question->domain;
    /* In a closed domain the name may be somebody's whom we do not know yet. */
    if (domain->catch_all != NULL && domain->is_open && takes_catch_all(&question->address)) {
        trace(question, "the catch-all of %s takes it", domain->name);
        return found_targets(question, span_of(domain->catch_all), (struct span){"", 0});
    }
    return miss(question);
}

static enum lookup_answer answer_from_store(const struct question *question)
{
    const struct address *address = &question->address;
    struct lookup *lookup = question->lookup;
    struct error error;
    if (!wake(lookup, &error))
        return cannot_tell(question, error.text);
    for (size_t length = address->local_length; length != 0;
         length = address_next_cut(address->local, length, lookup->recipient_delimiter)) {
        struct alias_record record;
        if (length > ADDRESS_LOCAL_MAX_BYTES)
            continue; /* no record can have it */
        enum store_result result =
            store_reader_alias(lookup->reader, address->domain,
                               (struct span){address->local, length}, &record, &error);
        if (result == STORE_TROUBLE)
            return cannot_tell(question, error.text);
        if (result == STORE_FOUND && !alias_record_gives_way(&record))
            return answer_from_record(question, &record, length);
        if (result == STORE_FOUND)
            trace(question, "%.*s@%s is refused, as the address is another's", (int)length,
                  address->local, address->domain);
        else
            trace(question, "%.*s@%s has no record", (int)length, address->local, address->domain);
    }
    return answer_without_record(question);
}

static enum lookup_answer answer_domain(const struct question *question)
{
    trace(question, "%s is a domain of ours", question->domain->name);
    buffer_append_text(question->out, question->domain->name);
    return LOOKUP_FOUND;
}

bool lookup_map_from_name(const char *name, size_t length, enum lookup_map *ret)
{
    static const struct {
        const char *name;
        enum lookup_map map;
    } maps[] = {{"alias", LOOKUP_MAP_ALIAS}, {"domain", LOOKUP_MAP_DOMAIN}};
    for (size_t i = 0; i < ARRAY_LENGTH(maps); i++)
        if (strlen(maps[i].name) == length && memcmp(maps[i].name, name, length) == 0) {
            *ret = maps[i].map;
            return true;
        }
    return false;
}

enum lookup_answer lookup_ask(struct lookup *lookup, enum lookup_map map, const char *key,
                              size_t length, struct buffer *out, const struct lookup_trace *tracer)
{
    struct question question; /* too large to be zeroed for each lookup */
    question.lookup = lookup;
    question.trace = tracer;
    question.out = out;
    enum address_form form = address_parse(key, length, &question.address);
    if (form == ADDRESS_ODD || (form == ADDRESS_FULL && map == LOOKUP_MAP_DOMAIN)) {
        trace(&question, "not a key that this map can hold, so it is absent");
        return LOOKUP_ABSENT;
    }
    trace(&question, "folded to %s%s%s", question.address.local, form == ADDRESS_FULL ? "@" : "",
          question.address.domain);
    question.domain = find_domain(lookup, question.address.domain);
    if (question.domain == NULL) {
        trace(&question, "%s is not ours, so it is absent", question.address.domain);
        return LOOKUP_ABSENT;
    }
    if (form == ADDRESS_BARE)
        return answer_domain(&question);
    const char *role = find_role(&question);
    if (role != NULL)
        return found_targets(&question, span_of(role), (struct span){"", 0});
    return answer_from_store(&question);
}
