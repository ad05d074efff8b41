#include "membership/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const char *notice_kind_word(enum notice_kind kind)
{
    static const char *const words[NOTICE_KIND_COUNT] = {
        [NOTICE_BANNED] = "banned",
        [NOTICE_NAME_REFUSED] = "name-refused",
        [NOTICE_ANOTHER_PERSON] = "another-person",
        [NOTICE_RENAMED] = "renamed",
        [NOTICE_LEAVING] = "leaving",
        [NOTICE_GONE] = "gone",
        [NOTICE_REFUSED] = "refused",
        [NOTICE_ACTIVE] = "active",
        [NOTICE_DIGEST] = "digest",
    };
    return words[kind];
}

struct notice_list {
    const struct keyring *ring;
    int64_t now_s;
};

struct notice_list *notice_list_create(const struct keyring *ring, int64_t now_s)
{
    struct notice_list *list = memory_new(1, sizeof(*list));
    *list = (struct notice_list){ring, now_s};
    return list;
}

void notice_list_destroy(struct notice_list *list)
{
    free(list);
}

void notice_list_clear(struct notice_list *list)
{
    (void)list;
}

void notice_list_add(struct notice_list *list, enum notice_kind kind, const char *domain,
                     const char *name, const char *reason, const char *detail, struct span targets)
{
    (void)list, (void)kind, (void)domain, (void)name, (void)reason, (void)detail, (void)targets;
}

bool notice_list_flush(struct notice_list *list, struct snapshot *snapshot,
                       struct changeset *changeset, struct error *error)
{
    (void)list, (void)snapshot, (void)changeset, (void)error;
    return true;
}
