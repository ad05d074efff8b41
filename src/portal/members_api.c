#include "portal/members_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "portal/answer.h"
#include "portal/cache.h"
#include "portal/call.h"
#include "portal/query.h"
#include "report/json_value.h"

enum {
    PAGE_ROWS = 100,
    LOOKED_AT_MAX = 5000, /* in one request, so that a search holds up nobody */
    NAME_MAX_BYTES = 200,
    ADDRESS_MAX_BYTES = 512,
    WORD_MAX_BYTES = 40,
};

enum { FIELD_DOMAIN, FIELD_STATE, FIELD_REASON, FIELD_SEARCH, FIELD_AFTER, FIELD_COUNT };

/* What is looked for, and what was found. */
struct search {
    struct snapshot *snapshot;
    const struct keyring *ring; /* NULL: targets cannot be counted */
    const char *state, *reason; /* words; NULL: any */
    char *part;                 /* of a name, lower-case; NULL: any */
    struct span team;           /* of the domain at hand */
    size_t looked_at;
    json_t *members;
    struct buffer last; /* that was looked at */
    bool is_more;       /* behind it */
    struct error error;
    bool is_fine;
};

static bool is_any(const char *wanted, const char *word)
{
    return wanted == NULL || strcmp(wanted, word) == 0;
}

static bool has_part(const struct search *search, const char *local, struct span owner)
{
    return search->part == NULL || strstr(local, search->part) != NULL ||
           (owner.length != 0 &&
            memmem(owner.data, owner.length, search->part, strlen(search->part)) != NULL);
}

/* Null: they do not open. */
static json_t *count_targets(const struct search *search, const char *domain, const char *local,
                             const struct alias_record *alias)
{
    CLEANUP(buffer_finish) struct buffer lines = {0};
    json_int_t count = 0;
    if (alias->sealed_targets.length == 0)
        return json_integer(0);
    if (search->ring == NULL || keyring_unseal_alias(search->ring, domain, span_of(local),
                                                     alias->sealed_targets, &lines) != UNSEAL_DONE)
        return json_null();
    for (size_t i = 0; i < lines.length; i++)
        count += lines.data[i] != '\n' && (i == 0 || lines.data[i - 1] == '\n');
    return json_integer(count);
}

static bool is_banned(struct search *search, struct span owner)
{
    CLEANUP(memory_free_at) char *name = memory_copy_bytes(owner.data, owner.length);
    struct person_record person;
    enum store_result found = name != NULL
                                  ? snapshot_person(search->snapshot, name, &person, &search->error)
                                  : STORE_ABSENT;
    search->is_fine = found != STORE_TROUBLE;
    return found == STORE_FOUND && person.is_banned;
}

static void add_member(struct search *search, const char *domain, const char *local,
                       const struct alias_record *alias)
{
    CLEANUP(buffer_finish) struct buffer address = {0};
    json_t *object = json_object();
    buffer_appendf(&address, "%s@%s", local, domain);
    json_object_set_new(object, "name", json_from_optional(alias->owner));
    json_object_set_new(object, "domain", json_from_span(span_of(domain)));
    json_object_set_new(object, "team", json_from_span(search->team));
    json_object_set_new(object, "address", json_from_span(span_of(buffer_text(&address))));
    json_object_set_new(object, "kind", json_string(alias_kind_name(alias->kind)));
    json_object_set_new(object, "state", json_string(alias_state_name(alias->state)));
    json_object_set_new(object, "reason", json_from_reason(alias->reason));
    json_object_set_new(object, "since", json_from_time(alias->since_s));
    json_object_set_new(object, "targets", count_targets(search, domain, local, alias));
    json_object_set_new(object, "banned", json_boolean(is_banned(search, alias->owner)));
    json_array_append_new(search->members, object);
}

static bool is_page_full(const struct search *search)
{
    return json_array_size(search->members) == PAGE_ROWS || search->looked_at == LOOKED_AT_MAX;
}

static bool visit_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *alias)
{
    struct search *search = context;
    search->is_more = is_page_full(search);
    if (search->is_more)
        return false;
    search->looked_at++;
    buffer_clear(&search->last);
    buffer_appendf(&search->last, "%s@%s", local, domain);
    if (is_any(search->state, alias_state_name(alias->state)) &&
        (search->reason == NULL || (alias->reason != REASON_NONE &&
                                    is_any(search->reason, alias_reason_name(alias->reason)))) &&
        has_part(search, local, alias->owner))
        add_member(search, domain, local, alias);
    return search->is_fine;
}

/* Configured, or what the cache has kept of one that is not any more. */
static bool find_team(struct call *call, const char *domain, struct search *search)
{
    const struct config_domain *config = config_find_domain(call->portal->config, domain);
    struct domain_record row = {0};
    if (config != NULL) {
        search->team = span_of(config->team);
        return true;
    }
    enum store_result found = snapshot_domain(call->snapshot, domain, &row, &search->error);
    search->team = row.team;
    return found != STORE_TROUBLE;
}

/* Over the domains from the one that after stands in; only_domain NULL: all. */
static bool walk(struct call *call, struct search *search, const char *only_domain,
                 const char *after)
{
    const char *at = after != NULL ? strrchr(after, '@') : NULL;
    const char *from_domain = at != NULL ? at + 1 : "";
    CLEANUP(memory_free_at)
    char *from_local = at != NULL ? memory_copy_bytes(after, (size_t)(at - after)) : NULL;
    for (size_t i = 0; i < call->rights.domain_count; i++) {
        const char *domain = call->rights.domains[i];
        int order = strcmp(domain, from_domain);
        if (order < 0 || (only_domain != NULL && strcmp(domain, only_domain) != 0))
            continue;
        const char *local = order == 0 && from_local != NULL ? from_local : "";
        if (!find_team(call, domain, search) ||
            !snapshot_each_alias_after(call->snapshot, domain, local, visit_alias, search,
                                       &search->error) ||
            !search->is_fine)
            return false;
    }
    return true;
}

static bool is_state(const char *word)
{
    for (int state = ALIAS_ACTIVE; state <= ALIAS_GONE; state++)
        if (strcmp(word, alias_state_name((enum alias_state)state)) == 0)
            return true;
    return false;
}

static bool is_reason(const char *word)
{
    for (int reason = REASON_NONE + 1; reason <= REASON_ANOTHER_PERSON; reason++)
        if (strcmp(word, alias_reason_name((enum alias_reason)reason)) == 0)
            return true;
    return false;
}

static bool makes_sense(const struct query_field *fields)
{
    return (fields[FIELD_STATE].value == NULL || is_state(fields[FIELD_STATE].value)) &&
           (fields[FIELD_REASON].value == NULL || is_reason(fields[FIELD_REASON].value)) &&
           (fields[FIELD_AFTER].value == NULL || strchr(fields[FIELD_AFTER].value, '@') != NULL);
}

static void answer(struct call *call, const struct query_field *fields)
{
    struct error ignored;
    struct keyring *ring = NULL;
    struct search search = {
        .snapshot = call->snapshot,
        .state = fields[FIELD_STATE].value,
        .reason = fields[FIELD_REASON].value,
        .part = fields[FIELD_SEARCH].value,
        .members = json_array(),
        .is_fine = true,
    };
    if (search.part != NULL)
        text_lower_ascii(search.part, strlen(search.part));
    search.ring = cache_read_keys(call->portal->cache, &ring, &ignored) ? ring : NULL;
    bool is_walked = walk(call, &search, fields[FIELD_DOMAIN].value, fields[FIELD_AFTER].value);
    if (is_walked) {
        json_t *next =
            search.is_more ? json_from_span(span_of(buffer_text(&search.last))) : json_null();
        answer_json(call, 200,
                    json_pack("{s:O,s:o}", "members", search.members, "next_after", next));
    } else {
        answer_trouble(call, &search.error);
    }
    keyring_destroy(ring);
    buffer_finish(&search.last);
    json_decref(search.members);
}

void members_api_list(struct call *call)
{
    struct query_field fields[FIELD_COUNT] = {
        [FIELD_DOMAIN] = {"domain", NAME_MAX_BYTES, NULL},
        [FIELD_STATE] = {"state", WORD_MAX_BYTES, NULL},
        [FIELD_REASON] = {"reason", WORD_MAX_BYTES, NULL},
        [FIELD_SEARCH] = {"search", NAME_MAX_BYTES, NULL},
        [FIELD_AFTER] = {"after", ADDRESS_MAX_BYTES, NULL},
    };
    const char *query = http_request_query(call->request);
    if (!query_read(query, fields, FIELD_COUNT) || !makes_sense(fields))
        answer_refusal(call, REFUSAL_BAD_REQUEST, 0);
    else if (fields[FIELD_DOMAIN].value != NULL &&
             !admin_rights_have(&call->rights, fields[FIELD_DOMAIN].value))
        answer_refusal(call, REFUSAL_NOT_FOUND, 0);
    else
        answer(call, fields);
    query_finish(fields, FIELD_COUNT);
}
