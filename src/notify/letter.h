/* From the facts of a notice to what people read: subject and text. */
#ifndef LPALIAS_NOTIFY_LETTER_H
#define LPALIAS_NOTIFY_LETTER_H

#include "base/buffer.h"
#include "notify/settings.h"
#include "notify/template.h"
#include "store/record.h"

/* A zeroed one is empty; both are NUL-terminated by buffer_text(). */
struct letter {
    struct buffer subject;
    struct buffer body; /* lines of at most LETTER_LINE_BYTES where words allow it */
};

#define LETTER_LINE_BYTES 72

/* link: what the sealed recipients had with them, or "". */
void letter_write(const struct template_set *templates, const struct notify_settings *settings,
                  const struct outbox_record *fact, const char *link, struct letter *ret);
void letter_finish(struct letter *letter);

/* The domain as configured, or NULL. */
const struct notify_domain *notify_find_domain(const struct notify_settings *settings,
                                               struct span domain);

/* "person", "admins", "alerts". */
const char *notice_audience_name(enum notice_audience audience);

#endif
