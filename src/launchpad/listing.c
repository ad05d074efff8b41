#include "launchpad/listing.h"

#include <stdlib.h>

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
