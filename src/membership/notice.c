#include "membership/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The person is told of some kinds, and one more audience of most; 0: nobody else. */
static const struct {
    const char *word;
    bool is_for_person;
    enum notice_audience others;
} kinds[NOTICE_KIND_COUNT] = {
    [NOTICE_BANNED] = {"banned", false, AUDIENCE_ADMINS},
    [NOTICE_NAME_REFUSED] = {"name-refused", true, AUDIENCE_ADMINS},
    [NOTICE_ANOTHER_PERSON] = {"another-person", false, AUDIENCE_ADMINS},
    [NOTICE_RENAMED] = {"renamed", true, AUDIENCE_ADMINS},
    [NOTICE_LEAVING] = {"leaving", true, AUDIENCE_ADMINS},
    [NOTICE_GONE] = {"gone", false, AUDIENCE_ADMINS},
    [NOTICE_REFUSED] = {"refused", true, AUDIENCE_ADMINS},
    [NOTICE_ACTIVE] = {"active", false, AUDIENCE_ADMINS},
    [NOTICE_LOGIN_BANNED] = {"login-banned", false, AUDIENCE_ALERTS},
    [NOTICE_LOGIN_REFUSED] = {"login-refused", true, 0},
    [NOTICE_PROOF_LINK] = {"proof-link", true, 0},
    [NOTICE_DIGEST] = {"digest", false, AUDIENCE_ADMINS},
};

const char *notice_kind_word(enum notice_kind kind)
{
    return kinds[kind].word;
}

bool notice_kind_is_for(enum notice_kind kind, enum notice_audience audience)
{
    return audience == AUDIENCE_PERSON ? kinds[kind].is_for_person : kinds[kind].others == audience;
}

/* Offsets of NUL-terminated texts in the list's arena; a hundred thousand events are usual. */
struct happening {
    enum notice_kind kind;
    bool is_due; /* not told before */
    size_t order;
    size_t domain, name, reason, detail;
    size_t targets, targets_length;
};

struct notice_list {
    const struct keyring *ring;
    int64_t now_s;
    struct buffer arena;
    struct happening *items;
    size_t count, capacity;
};

struct notice_list *notice_list_create(const struct keyring *ring, int64_t now_s)
{
    struct notice_list *list = memory_new(1, sizeof(*list));
    *list = (struct notice_list){.ring = ring, .now_s = now_s};
    return list;
}

void notice_list_destroy(struct notice_list *list)
{
    if (list == NULL)
        return;
    buffer_finish(&list->arena);
    free(list->items);
    free(list);
}

void notice_list_clear(struct notice_list *list)
{
    buffer_clear(&list->arena);
    list->count = 0;
}

static size_t keep(struct notice_list *list, const char *bytes, size_t length)
{
    size_t at = list->arena.length;
    if (length != 0)
        buffer_append(&list->arena, bytes, length);
    buffer_append_char(&list->arena, '\0');
    return at;
}

static const char *text_at(const struct notice_list *list, size_t at)
{
    return list->arena.data + at;
}

void notice_list_add(struct notice_list *list, enum notice_kind kind, const char *domain,
                     const char *name, const char *reason, const char *detail, struct span targets)
{
    list->items = memory_grow(list->items, list->count, &list->capacity, sizeof(*list->items));
    list->items[list->count] = (struct happening){
        .kind = kind,
        .order = list->count,
        .domain = keep(list, domain, strlen(domain)),
        .name = keep(list, name, strlen(name)),
        .reason = keep(list, reason, strlen(reason)),
        .detail = keep(list, detail, strlen(detail)),
        .targets = keep(list, targets.data, targets.length),
        .targets_length = targets.length,
    };
    list->count++;
}

/* ---- what is due ---- */

/* What belongs to one name stands together, in the order it happened. */
static int compare(const void *left, const void *right, void *context)
{
    const struct notice_list *list = context;
    const struct happening *a = left;
    const struct happening *b = right;
    int order = strcmp(text_at(list, a->domain), text_at(list, b->domain));
    if (order == 0)
        order = strcmp(text_at(list, a->name), text_at(list, b->name));
    return order != 0 ? order : a->order < b->order ? -1 : 1;
}

static bool is_same_text(const struct notice_list *list, size_t a, size_t b)
{
    return strcmp(text_at(list, a), text_at(list, b)) == 0;
}

static bool is_same_word(const struct notice_list *list, const struct happening *a,
                         const struct happening *b)
{
    return a->kind == b->kind && is_same_text(list, a->reason, b->reason);
}

/* The word in the key of the table of sent: "leaving/not-member", "active". */
static void write_word(enum notice_kind kind, const char *reason, struct buffer *word)
{
    buffer_clear(word);
    buffer_appendf(word, *reason != '\0' ? "%s/%s" : "%s%s", kinds[kind].word, reason);
}

/* Where the run of items [from, count) with the same text at that place ends. */
static size_t end_of_domain(const struct notice_list *list, size_t from)
{
    size_t to = from + 1;
    while (to < list->count && is_same_text(list, list->items[to].domain, list->items[from].domain))
        to++;
    return to;
}

static size_t end_of_name(const struct notice_list *list, size_t from, size_t domain_end)
{
    size_t to = from + 1;
    while (to < domain_end && is_same_text(list, list->items[to].name, list->items[from].name))
        to++;
    return to;
}

bool notice_was_told(struct snapshot *snapshot, int64_t now_s, enum notice_kind kind,
                     const char *domain, const char *name, const char *reason, bool *ret,
                     struct error *error)
{
    struct sent_record sent;
    struct buffer word = {0};
    write_word(kind, reason, &word);
    enum store_result result =
        snapshot_sent(snapshot, domain, name, buffer_text(&word), &sent, error);
    buffer_finish(&word);
    *ret = result == STORE_FOUND && now_s - sent.last_s < NOTICE_AGAIN_S;
    return result != STORE_TROUBLE;
}

static bool was_told(const struct notice_list *list, const struct happening *item,
                     struct snapshot *snapshot, bool *ret, struct error *error)
{
    return notice_was_told(snapshot, list->now_s, item->kind, text_at(list, item->domain),
                           text_at(list, item->name), text_at(list, item->reason), ret, error);
}

/* Marks what is due of one name's items [from, to). */
static bool find_due(struct notice_list *list, size_t from, size_t to, struct snapshot *snapshot,
                     size_t *due_count, struct error *error)
{
    bool has_left = false;
    for (size_t i = from; i < to; i++) {
        struct happening *item = &list->items[i];
        bool is_told = false;
        for (size_t earlier = from; earlier < i && !is_told; earlier++)
            is_told = is_same_word(list, &list->items[earlier], item);
        bool is_forgotten = has_left && item->kind != NOTICE_LEAVING;
        if (!is_told && !is_forgotten && !was_told(list, item, snapshot, &is_told, error))
            return false;
        item->is_due = !is_told;
        *due_count += item->is_due;
        has_left = has_left || item->kind == NOTICE_LEAVING;
    }
    return true;
}

/* ---- facts ---- */

static void put_fact(const struct notice_list *list, struct changeset *changeset,
                     const struct happening *item, enum notice_audience audience)
{
    struct buffer sealed = {0};
    struct outbox_record fact = {
        .at_s = list->now_s,
        .audience = audience,
        .kind = span_of(kinds[item->kind].word),
        .domain = span_of(text_at(list, item->domain)),
        .subject = span_of(text_at(list, item->name)),
        .reason = span_of(text_at(list, item->reason)),
        .detail = span_of(text_at(list, item->detail)),
    };
    changeset_make_notice_id(fact.id);
    if (audience == AUDIENCE_PERSON) {
        keyring_seal_notice(list->ring, fact.id,
                            (struct span){text_at(list, item->targets), item->targets_length},
                            &sealed);
        fact.sealed_recipients = (struct span){sealed.data, sealed.length};
    }
    changeset_notice(changeset, &fact);
    buffer_finish(&sealed);
}

/* "2 leaving, 11 active": counts and no names, as no mail carries a list of members. */
static void put_digest(const struct notice_list *list, struct changeset *changeset, size_t from,
                       size_t to)
{
    size_t counts[NOTICE_KIND_COUNT] = {0};
    struct buffer detail = {0};
    for (size_t i = from; i < to; i++)
        counts[list->items[i].kind] += list->items[i].is_due;
    for (size_t kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        if (counts[kind] != 0)
            buffer_appendf(&detail, "%s%zu %s", detail.length != 0 ? ", " : "", counts[kind],
                           kinds[kind].word);
    struct outbox_record fact = {
        .at_s = list->now_s,
        .audience = AUDIENCE_ADMINS,
        .kind = span_of(kinds[NOTICE_DIGEST].word),
        .domain = span_of(text_at(list, list->items[from].domain)),
        .detail = {detail.data, detail.length},
    };
    changeset_make_notice_id(fact.id);
    changeset_begin_front_group(changeset);
    changeset_notice(changeset, &fact);
    buffer_finish(&detail);
}

static void put_sent(const struct notice_list *list, struct changeset *changeset,
                     const struct happening *item)
{
    struct buffer word = {0};
    write_word(item->kind, text_at(list, item->reason), &word);
    const struct sent_record sent = {.first_s = list->now_s, .last_s = list->now_s};
    changeset_put_sent(changeset, text_at(list, item->domain), text_at(list, item->name),
                       buffer_text(&word), &sent);
    buffer_finish(&word);
}

/* What was told of a name that leaves is forgotten, but for its leaving. */
static bool forget_word(void *changeset, const char *domain, const char *name, const char *word,
                        const struct sent_record *record)
{
    (void)record;
    const char *leaving = kinds[NOTICE_LEAVING].word;
    if (strncmp(word, leaving, strlen(leaving)) != 0)
        changeset_delete_sent(changeset, domain, name, word);
    return true;
}

/* One name's items [from, to). */
static bool put_name(const struct notice_list *list, size_t from, size_t to, bool is_digested,
                     struct snapshot *snapshot, struct changeset *changeset, struct error *error)
{
    changeset_begin_front_group(changeset);
    for (size_t i = from; i < to; i++) {
        const struct happening *item = &list->items[i];
        if (item->kind == NOTICE_LEAVING &&
            !snapshot_each_sent_about(snapshot, text_at(list, item->domain),
                                      text_at(list, item->name), forget_word, changeset, error))
            return false;
        if (!item->is_due)
            continue;
        put_sent(list, changeset, item);
        if (kinds[item->kind].is_for_person && item->targets_length != 0 && list->ring != NULL)
            put_fact(list, changeset, item, AUDIENCE_PERSON);
        if (!is_digested && kinds[item->kind].others != 0)
            put_fact(list, changeset, item, kinds[item->kind].others);
    }
    return true;
}

/* One domain's items [from, to). */
static bool flush_domain(struct notice_list *list, size_t from, size_t to,
                         struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    size_t due_count = 0;
    for (size_t at = from, end; at < to; at = end) {
        end = end_of_name(list, at, to);
        if (!find_due(list, at, end, snapshot, &due_count, error))
            return false;
    }
    bool is_digested = due_count >= NOTICE_DIGEST_MIN;
    if (is_digested)
        put_digest(list, changeset, from, to);
    for (size_t at = from, end; at < to; at = end) {
        end = end_of_name(list, at, to);
        if (!put_name(list, at, end, is_digested, snapshot, changeset, error))
            return false;
    }
    return true;
}

bool notice_list_flush(struct notice_list *list, struct snapshot *snapshot,
                       struct changeset *changeset, struct error *error)
{
    if (list->count == 0)
        return true;
    qsort_r(list->items, list->count, sizeof(*list->items), compare, list);
    for (size_t from = 0, to; from < list->count; from = to) {
        to = end_of_domain(list, from);
        if (!flush_domain(list, from, to, snapshot, changeset, error))
            return false;
    }
    return true;
}

void notice_put_proof_link(struct changeset *changeset, const struct keyring *ring, int64_t now_s,
                           const char *name, const char *address, const char *link)
{
    struct buffer plain = {0}, sealed = {0};
    struct outbox_record fact = {
        .at_s = now_s,
        .audience = AUDIENCE_PERSON,
        .kind = span_of(kinds[NOTICE_PROOF_LINK].word),
        .subject = span_of(name),
    };
    buffer_appendf(&plain, "%s\n%c%s", address, OUTBOX_LINK_MARK, link);
    changeset_make_notice_id(fact.id);
    keyring_seal_notice(ring, fact.id, (struct span){plain.data, plain.length}, &sealed);
    fact.sealed_recipients = (struct span){sealed.data, sealed.length};
    changeset_notice(changeset, &fact);
    buffer_finish(&plain);
    buffer_finish(&sealed);
}
