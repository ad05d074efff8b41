#include "portal/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "state/proof_link.h"

struct reading {
    const struct keyring *ring;
    const char *identifier;
    struct waiting_list *list;
};

static void add(void *context, struct span sealed, int64_t until_s)
{
    const struct reading *reading = context;
    struct waiting_list *list = reading->list;
    struct buffer address = {0};
    list->targets =
        memory_grow(list->targets, list->count, &list->capacity, sizeof(*list->targets));
    struct waiting_target *target = &list->targets[list->count++];
    *target = (struct waiting_target){NULL, until_s};
    if (keyring_unseal_waiting(reading->ring, reading->identifier, sealed, &address) == UNSEAL_DONE)
        target->address = memory_copy_bytes(address.data, address.length);
    buffer_finish(&address);
}

bool waiting_read(struct state *state, const struct keyring *ring, const char *identifier,
                  int64_t now_s, struct waiting_list *ret, struct error *error)
{
    struct reading reading = {ring, identifier, ret};
    *ret = (struct waiting_list){0};
    return proof_link_each(state, identifier, now_s, add, &reading, error);
}

size_t waiting_count_others(const struct waiting_list *list, const char *address)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->targets[i].address != NULL && strcmp(list->targets[i].address, address) != 0)
            count++;
    return count;
}

void waiting_finish(struct waiting_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->targets[i].address);
    free(list->targets);
    *list = (struct waiting_list){0};
}
