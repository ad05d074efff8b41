#include "domaincheck/domaincheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "domaincheck/resolver.h"

#define STRING_MAX_BYTES 255 /* of one character-string (RFC 1035 section 3.3) */

/* One check of several domains. */
struct check {
    const struct domaincheck_settings *settings;
    int64_t deadline_ms;
};

const char *domaincheck_verdict_name(enum domaincheck_verdict verdict)
{
    static const char *const words[] = {
        [DOMAINCHECK_CANNOT_TELL] = "cannot tell",
        [DOMAINCHECK_SEEN] = "seen",
        [DOMAINCHECK_ABSENT] = "absent",
        [DOMAINCHECK_BOGUS] = "bogus",
    };
    return words[verdict];
}

static void conclude(struct domaincheck_answer *answer, enum domaincheck_verdict verdict,
                     const char *format, ...) PRINTF_LIKE(3, 4);

static void conclude(struct domaincheck_answer *answer, enum domaincheck_verdict verdict,
                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    answer->verdict = verdict;
    vsnprintf(answer->reason, sizeof(answer->reason), format, args);
    va_end(args);
}

static void conclude_all(struct domaincheck_answer *const *answers, size_t count,
                         const char *reason)
{
    for (size_t i = 0; i < count; i++)
        conclude(answers[i], DOMAINCHECK_CANNOT_TELL, "%s", reason);
}

/* ---- what an answer says ---- */

/* True if the strings of one TXT record, joined, are text. */
static bool is_text(const unsigned char *record, size_t length, const char *text)
{
    size_t text_length = strlen(text);
    size_t matched = 0;
    for (size_t at = 0; at < length;) {
        size_t string_length = record[at++];
        if (string_length > length - at || string_length > text_length - matched ||
            memcmp(record + at, text + matched, string_length) != 0)
            return false;
        at += string_length;
        matched += string_length;
    }
    return matched == text_length;
}

static void judge_records(struct domaincheck_answer *answer, const struct ub_result *result)
{
    size_t count = 0;
    for (; result->data[count] != NULL; count++)
        if (is_text((unsigned char *)result->data[count], (size_t)result->len[count],
                    answer->wanted)) {
            conclude(answer, DOMAINCHECK_SEEN, "%s", "");
            return;
        }
    conclude(answer, DOMAINCHECK_ABSENT,
             count == 1 ? "the one TXT record says something else"
                        : "none of the %zu TXT records says it",
             count);
}

static void judge(struct domaincheck_answer *answer, const struct resolver_question *question)
{
    const struct ub_result *result = question->result;
    answer->is_secure = result != NULL && result->secure;
    if (result == NULL)
        conclude(answer, DOMAINCHECK_CANNOT_TELL, "%s", question->trouble);
    else if (result->bogus)
        conclude(answer, DOMAINCHECK_BOGUS, "%s",
                 result->why_bogus != NULL ? result->why_bogus : "DNSSEC validation failed");
    else if (result->havedata)
        judge_records(answer, result);
    else
        conclude(answer, DOMAINCHECK_ABSENT, "%s",
                 result->nxdomain ? "there is no such name in the DNS"
                                  : "the name has no TXT record");
}

/* ---- asking ---- */

/* Fills all questions in; false: none could be asked, for the reason in error. */
static bool ask(const struct check *check, bool is_validating, struct resolver_question *questions,
                size_t count, struct error *error)
{
    struct resolver *resolver;
    if (!resolver_create(check->settings, is_validating, &resolver, error))
        return false;
    resolver_ask(resolver, questions, count, check->deadline_ms);
    resolver_destroy(resolver);
    return true;
}

static void finish_questions(struct resolver_question *questions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        resolver_question_finish(&questions[i]);
    free(questions);
}

static void name_question(struct resolver_question *question, const char *name, ns_type type)
{
    snprintf(question->name, sizeof(question->name), "%s", name);
    question->type = type;
}

/*
 * Asks for the TXT records and judges them. The root's keys are asked for along: if not even they
 * hold, nothing that is bogus says anything of the domain.
 */
static void ask_txt(const struct check *check, struct domaincheck_answer *const *answers,
                    size_t count)
{
    struct error error = {0};
    struct resolver_question *questions = memory_new(count + 1, sizeof(*questions));
    struct resolver_question *root = &questions[count];
    for (size_t i = 0; i < count; i++)
        name_question(&questions[i], answers[i]->domain, ns_t_txt);
    name_question(root, ".", ns_t_dnskey);
    if (!ask(check, true, questions, count + 1, &error)) {
        conclude_all(answers, count, error.text);
        free(questions);
        return;
    }
    bool is_root_fine = root->result != NULL && !root->result->bogus;
    for (size_t i = 0; i < count; i++) {
        judge(answers[i], &questions[i]);
        if (answers[i]->verdict == DOMAINCHECK_BOGUS && !is_root_fine)
            conclude(answers[i], DOMAINCHECK_CANNOT_TELL,
                     "not even the root validates: trust anchors, clock or resolver are wrong");
    }
    finish_questions(questions, count + 1);
}

/* ---- bogus, or only unlucky ---- */

/*
 * libunbound says bogus also where a key of the chain could not be fetched, which is as passing as
 * any failure. So each key from the domain up is asked for once, and taken as it is.
 */
static bool can_fetch_keys(const struct check *check, struct domaincheck_answer *answer)
{
    struct error error = {0};
    size_t label_count = 1;
    for (const char *dot = answer->domain; (dot = strchr(dot, '.')) != NULL; dot++)
        label_count++;
    size_t count = 0;
    struct resolver_question *questions = memory_new(2 * label_count, sizeof(*questions));
    for (const char *name = answer->domain; name != NULL;) {
        name_question(&questions[count++], name, ns_t_ds);
        name_question(&questions[count++], name, ns_t_dnskey);
        name = strchr(name, '.');
        if (name != NULL)
            name++;
    }
    bool is_fine = ask(check, false, questions, count, &error);
    if (!is_fine)
        conclude(answer, DOMAINCHECK_CANNOT_TELL, "%s", error.text);
    for (size_t i = 0; i < count && is_fine; i++) {
        is_fine = questions[i].result != NULL;
        if (!is_fine)
            conclude(answer, DOMAINCHECK_CANNOT_TELL, "its keys cannot be fetched: %s of %s: %s",
                     questions[i].type == ns_t_ds ? "DS" : "DNSKEY", questions[i].name,
                     questions[i].trouble);
    }
    finish_questions(questions, count);
    return is_fine;
}

/* Those that are bogus while their keys are to be had, asked again from nothing. */
static void ask_bogus_again(const struct check *check, struct domaincheck_answer *const *answers,
                            size_t count)
{
    size_t bogus_count = 0;
    struct domaincheck_answer **bogus = memory_new(count, sizeof(struct domaincheck_answer *));
    for (size_t i = 0; i < count; i++)
        if (answers[i]->verdict == DOMAINCHECK_BOGUS && can_fetch_keys(check, answers[i]))
            bogus[bogus_count++] = answers[i];
    if (bogus_count != 0)
        ask_txt(check, bogus, bogus_count);
    free(bogus);
}

void domaincheck_ask(const struct domaincheck_settings *settings,
                     struct domaincheck_answer *answers, size_t count)
{
    if (count == 0)
        return;
    const struct check check = {settings, timestamp_monotonic_ms() + settings->timeout_ms};
    struct domaincheck_answer **all = memory_new(count, sizeof(struct domaincheck_answer *));
    for (size_t i = 0; i < count; i++)
        all[i] = &answers[i];
    ask_txt(&check, all, count);
    ask_bogus_again(&check, all, count);
    free(all);
}

/* ---- the record as it stands in a zone file ---- */

static void append_byte(struct buffer *out, unsigned char byte)
{
    if (byte == '"' || byte == '\\')
        buffer_appendf(out, "\\%c", byte);
    else if (byte < ' ' || byte > '~')
        buffer_appendf(out, "\\%03u", byte);
    else
        buffer_append_char(out, (char)byte);
}

void domaincheck_append_record(struct buffer *out, const char *domain, const char *text)
{
    buffer_appendf(out, "%s. IN TXT \"", domain);
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i != 0 && i % STRING_MAX_BYTES == 0)
            buffer_append_text(out, "\" \"");
        append_byte(out, (unsigned char)text[i]);
    }
    buffer_append_char(out, '"');
}
