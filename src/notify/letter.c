#include "notify/letter.h"

#include <string.h>

#include "base/timestamp.h"
#include "notify/reason.h"

#define DATE_BYTES 10 /* of "2026-11-22T10:00:00Z" */

const char *notice_audience_name(enum notice_audience audience)
{
    switch (audience) {
    case AUDIENCE_PERSON:
        return "person";
    case AUDIENCE_ADMINS:
        return "admins";
    case AUDIENCE_ALERTS:
        break;
    }
    return "alerts";
}

const struct notify_domain *notify_find_domain(const struct notify_settings *settings,
                                               struct span domain)
{
    for (size_t i = 0; i < settings->domain_count; i++)
        if (strlen(settings->domains[i].name) == domain.length &&
            memcmp(settings->domains[i].name, domain.data, domain.length) == 0)
            return &settings->domains[i];
    return NULL;
}

void letter_finish(struct letter *letter)
{
    buffer_finish(&letter->subject);
    buffer_finish(&letter->body);
}

/* ---- values ---- */

static void set_span(struct template_values *values, enum template_value value, struct span text)
{
    buffer_append(&values->texts[value], text.data, text.length);
}

static void set_text(struct template_values *values, enum template_value value, const char *text)
{
    buffer_append_text(&values->texts[value], text);
}

static void set_contact(struct template_values *values, const struct notify_settings *settings,
                        const struct notify_domain *domain)
{
    struct buffer *contact = &values->texts[VALUE_CONTACT];
    for (size_t i = 0; domain != NULL && i < domain->notice_count; i++)
        buffer_appendf(contact, "%s%s", i != 0 ? ", " : "", domain->notices[i]);
    if (contact->length == 0)
        buffer_append_text(contact, settings->alerts);
}

static void set_grace(struct template_values *values, const struct outbox_record *fact,
                      const struct notify_domain *domain)
{
    char end[TIMESTAMP_TEXT_BYTES];
    timestamp_format(fact->at_s + (domain != NULL ? domain->grace_s : 0), end);
    end[DATE_BYTES] = '\0';
    set_text(values, VALUE_GRACE_END, end);
    buffer_appendf(&values->texts[VALUE_GRACE],
                   domain != NULL && domain->rejects_in_grace
                       ? "Mail to it is refused from now on; what was set is kept until %s."
                       : "Mail to it is still delivered until %s.",
                   end);
}

/* What stands in the fact itself; the sentences are made of it. */
static void set_facts(struct template_values *values, const struct outbox_record *fact,
                      const struct notify_domain *domain)
{
    char date[TIMESTAMP_TEXT_BYTES];
    set_span(values, VALUE_DOMAIN, fact->domain);
    set_span(values, VALUE_NAME, fact->subject);
    set_span(values, VALUE_KIND, fact->kind);
    set_span(values, VALUE_REASON_WORD, fact->reason);
    set_span(values, VALUE_DETAIL, fact->detail);
    set_text(values, VALUE_DATE, timestamp_format(fact->at_s, date));
    if (domain != NULL)
        set_text(values, VALUE_TEAM, domain->team);
    if (fact->subject.length != 0) {
        set_span(values, VALUE_ADDRESS, fact->subject);
        set_text(values, VALUE_ADDRESS, "@");
    }
    set_span(values, VALUE_ADDRESS, fact->domain);
}

static void set_sentences(struct template_values *values, const struct outbox_record *fact)
{
    const struct reason *reason = reason_find(fact->reason);
    template_fill(reason->topic, values, &values->texts[VALUE_TOPIC]);
    template_fill(reason->clause, values, &values->texts[VALUE_REASON]);
    template_fill(reason->advice, values, &values->texts[VALUE_ADVICE]);
}

/* ---- the text ---- */

/* One line, broken between words; what follows a break is indented as its beginning is. */
static void append_wrapped(struct buffer *out, const char *line, size_t length)
{
    size_t indent = 0;
    while (indent < length && line[indent] == ' ')
        indent++;
    buffer_append(out, line, indent);
    size_t column = indent;
    for (size_t at = indent; at < length;) {
        size_t word = 0;
        while (at + word < length && line[at + word] != ' ')
            word++;
        if (column > indent && column + 1 + word > LETTER_LINE_BYTES) {
            buffer_append_char(out, '\n');
            buffer_append(out, line, indent);
            column = indent;
        } else if (at > indent) {
            buffer_append_char(out, ' ');
            column++;
        }
        buffer_append(out, line + at, word);
        column += word;
        at += word + (at + word < length);
    }
}

/* Values may be empty, and paragraphs with them: no blanks at line ends, no two empty lines. */
static void append_tidy(struct buffer *out, const char *text)
{
    unsigned empty_lines = 0;
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *next = line + length + (line[length] == '\n');
        while (length != 0 && line[length - 1] == ' ')
            length--;
        if (length == 0) {
            empty_lines++;
        } else {
            if (empty_lines != 0 && out->length != 0)
                buffer_append_char(out, '\n');
            append_wrapped(out, line, length);
            buffer_append_char(out, '\n');
            empty_lines = 0;
        }
        line = next;
    }
}

void letter_write(const struct template_set *templates, const struct notify_settings *settings,
                  const struct outbox_record *fact, const char *link, struct letter *ret)
{
    const struct notify_domain *domain = notify_find_domain(settings, fact->domain);
    const struct template *template =
        template_set_find(templates, fact->kind, notice_audience_name(fact->audience));
    struct template_values values = {0};
    struct buffer body = {0};
    set_contact(&values, settings, domain);
    set_grace(&values, fact, domain);
    set_facts(&values, fact, domain);
    set_sentences(&values, fact);
    set_text(&values, VALUE_LINK, link);
    template_fill(template->subject, &values, &ret->subject);
    template_fill(template->body, &values, &body);
    append_tidy(&ret->body, buffer_text(&body));
    buffer_text(&ret->subject);
    buffer_text(&ret->body);
    buffer_finish(&body);
    template_values_finish(&values);
}
