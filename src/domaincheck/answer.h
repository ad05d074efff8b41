/* What the DNS says of the TXT record that proves a domain. Data only: who decides needs no more.
 */
#ifndef LPALIAS_DOMAINCHECK_ANSWER_H
#define LPALIAS_DOMAINCHECK_ANSWER_H

#include <stdbool.h>

enum domaincheck_verdict {
    DOMAINCHECK_CANNOT_TELL = 0, /* no answer, or none that says anything of the domain */
    DOMAINCHECK_SEEN,
    DOMAINCHECK_ABSENT, /* answered: no such name, no TXT record, or other texts only */
    DOMAINCHECK_BOGUS,  /* answered, and its DNSSEC signatures do not hold */
};

/* "seen", "absent", "bogus", "cannot tell". */
const char *domaincheck_verdict_name(enum domaincheck_verdict verdict);

struct domaincheck_answer {
    const char *domain; /* A-label */
    const char *wanted; /* text of the record */

    /* Filled by domaincheck_ask. */
    enum domaincheck_verdict verdict;
    bool is_secure;   /* the answer was signed, and the signatures hold */
    char reason[256]; /* of anything but DOMAINCHECK_SEEN; one line, from strangers in part */
};

#endif
