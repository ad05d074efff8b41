/*
 * Texts of notices: a line "Subject: ...", an empty line, the body; {placeholders} in both, "{{"
 * for a brace. The built-in ones are src/notify/texts; an operator's file of the same name in the
 * directory of `notify { templates }` stands in for one. docs/notices.md lists both.
 */
#ifndef LPALIAS_NOTIFY_TEMPLATE_H
#define LPALIAS_NOTIFY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

#define TEMPLATE_FILE_MAX_BYTES 65536

/* What a placeholder stands for; index of template_values. */
enum template_value {
    VALUE_ADDRESS,   /* "jdoe@ubuntu.com" */
    VALUE_ADVICE,    /* what to do, sentences; or empty */
    VALUE_CONTACT,   /* who can help: addresses */
    VALUE_DATE,      /* when it happened, UTC */
    VALUE_DETAIL,    /* as the fact has it; or empty */
    VALUE_DOMAIN,    /* "ubuntu.com" */
    VALUE_GRACE,     /* what becomes of mail meanwhile, a sentence */
    VALUE_GRACE_END, /* "2026-12-22" */
    VALUE_KIND,      /* the word of the kind */
    VALUE_LINK,      /* a secret one, of a mail to an address that is to be proven; or empty */
    VALUE_NAME,      /* Launchpad name */
    VALUE_REASON,    /* why, a clause; of an alarm a sentence */
    VALUE_REASON_WORD,
    VALUE_TEAM,  /* Launchpad name without "~" */
    VALUE_TOPIC, /* of an alarm: what is wrong where, for the subject */
    VALUE_COUNT,
};

/* A zeroed one says nothing; an empty buffer is an empty text. */
struct template_values {
    struct buffer texts[VALUE_COUNT];
};
void template_values_finish(struct template_values *values);

struct template
{
    char *subject;
    char *body;
};

/*
 * Takes the text of a file apart; ret is the caller's to finish. ERROR_INVALID, with the line: no
 * subject, an unknown placeholder, a brace that is not closed, not UTF-8.
 */
bool template_parse(const char *text, struct template *ret, struct error *error) MUST_CHECK;
void template_finish(struct template *template);

/* Appends text with each placeholder replaced; control bytes in a value become blanks. */
void template_fill(const char *text, const struct template_values *values, struct buffer *out);

struct template_set;

/* Tells of a file that cannot be used, one line. */
typedef void template_complain(void *context, const char *text);

/*
 * All texts: of each file of directory (or NULL) that is fine, else the built-in one. complain is
 * called for each file that is not fine, or that has the name of no text. Never NULL.
 */
struct template_set *template_set_create(const char *directory, template_complain *complain,
                                         void *context);
void template_set_destroy(struct template_set *set);

/* The text for that kind and audience ("person", "admins", "alerts"), else the one for all else. */
const struct template *template_set_find(const struct template_set *set, struct span kind,
                                         const char *audience);

#endif
