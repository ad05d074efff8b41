/* What an address of a domain of ours leads to, whatever the map. */
#ifndef LPALIAS_LOOKUP_FINDING_H
#define LPALIAS_LOOKUP_FINDING_H

#include <stddef.h>

#include "base/error.h"
#include "lookup/question.h"
#include "store/record.h"

enum finding_kind {
    FINDING_ROLE,    /* a role address: known without the cache */
    FINDING_RECORD,  /* the record that ends the search, in whatever state it is */
    FINDING_NOBODY,  /* the cache can be read, and has no record of the name */
    FINDING_TROUBLE, /* the cache cannot be read */
};

struct finding {
    enum finding_kind kind;
    const char *role_targets;   /* one a line; ROLE */
    struct alias_record record; /* borrowed until the reader rests; RECORD */
    size_t local_length;        /* of the part of the local part that it stands under; RECORD */
    struct error trouble;       /* TROUBLE */
};

/* Fills ret, as far as its kind says. */
void finding_make(const struct question *question, struct finding *ret);

#endif
