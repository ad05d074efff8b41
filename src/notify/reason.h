/* The words of reasons and alarms as sentences, with placeholders of notify/template.h in them. */
#ifndef LPALIAS_NOTIFY_REASON_H
#define LPALIAS_NOTIFY_REASON_H

#include "base/buffer.h"

struct reason {
    const char *word;
    const char *topic;  /* of an alarm: for the subject */
    const char *clause; /* why: behind "since"; of an alarm a sentence */
    const char *advice; /* what to do, or "" */
};

/* Never NULL: a word that is not known has a clause that says it as it is. */
const struct reason *reason_find(struct span word);

#endif
