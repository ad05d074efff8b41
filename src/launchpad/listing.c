#include "launchpad/listing.h"

#include <stdlib.h>
#include <string.h>

void listing_finish(struct listing *listing)
{
    for (size_t i = 0; i < listing->person_count; i++)
        free(listing->people[i].name);
    free(listing->people);
    free(listing->team);
    free(listing->reason);
    free(listing->url);
    *listing = (struct listing){0};
}

static int compare_name(const void *name, const void *person)
{
    return strcmp(name, ((const struct listing_person *)person)->name);
}

const struct listing_person *listing_find(const struct listing *listing, const char *name)
{
    if (listing->person_count == 0)
        return NULL;
    return bsearch(name, listing->people, listing->person_count, sizeof(*listing->people),
                   compare_name);
}
