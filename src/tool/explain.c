#include <stdio.h>
#include <string.h>

#include "address/address.h"
#include "tool/console.h"
#include "tool/options.h"
#include "tool/workspace.h"

static void print_step(void *context, const char *text)
{
    unsigned *number = context;
    CLEANUP(buffer_finish) struct buffer line = {0};
    buffer_appendf(&line, "%2u. ", ++*number);
    console_append_visible(&line, text);
    puts(buffer_text(&line));
}

/* Targets in an answer: commas outside quotes lie between them. */
static size_t count_targets(const char *value)
{
    size_t count = 1;
    bool is_quoted = false;
    for (; *value != '\0'; value++) {
        if (is_quoted && *value == '\\' && value[1] != '\0')
            value++;
        else if (*value == '"')
            is_quoted = !is_quoted;
        else if (*value == ',' && !is_quoted)
            count++;
    }
    return count;
}

/* Does Postfix take the key for one of our domains? */
static bool is_ours(struct lookup *lookup, const char *key)
{
    CLEANUP(buffer_finish) struct buffer ignored = {0};
    const char *at = strrchr(key, '@');
    const char *domain = at != NULL ? at + 1 : key;
    return lookup_ask(lookup, LOOKUP_MAP_DOMAIN, domain, strlen(domain), &ignored, NULL) ==
           LOOKUP_FOUND;
}

static void print_answer(enum lookup_answer answer, const char *value, bool is_address,
                         bool is_shown)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    switch (answer) {
    case LOOKUP_FOUND:
        if (!is_address || is_shown)
            console_append_visible(&line, value);
        else
            buffer_appendf(&line, "%zu target(s); --show-targets names them", count_targets(value));
        printf("Answer: found: %s\n", buffer_text(&line));
        break;
    case LOOKUP_ABSENT:
        puts("Answer: NOTFOUND, known to be absent");
        break;
    case LOOKUP_TEMPORARY:
        puts("Answer: TEMP, cannot tell now");
        break;
    }
}

/* What the sender's mail server hears from Postfix when it names the recipient. */
static void print_outcome(enum lookup_answer answer, bool is_address, bool is_domain_ours)
{
    if (!is_address)
        printf("SMTP:   %s\n", is_domain_ours
                                   ? "Postfix takes mail for this domain"
                                   : "not a domain that Postfix takes mail for through us");
    else if (answer == LOOKUP_TEMPORARY)
        puts("SMTP:   RCPT gets 451 4.3.0, the sender tries again later");
    else if (answer == LOOKUP_FOUND)
        puts("SMTP:   RCPT gets 250");
    else if (is_domain_ours)
        puts("SMTP:   RCPT gets 550 5.1.1, user unknown");
    else
        puts("SMTP:   not ours, Postfix treats it as any foreign address");
}

static enum exit_status explain(struct workspace *work, const char *key, bool is_shown)
{
    static const enum exit_status statuses[] = {
        [LOOKUP_FOUND] = EXIT_DONE,
        [LOOKUP_ABSENT] = EXIT_NOT_FOUND,
        [LOOKUP_TEMPORARY] = EXIT_TEMPORARY,
    };
    unsigned number = 0;
    const struct lookup_trace tracer = {print_step, &number};
    CLEANUP(buffer_finish) struct buffer value = {0};
    bool is_address = strchr(key, '@') != NULL;
    enum lookup_answer answer =
        lookup_ask(work->lookup, LOOKUP_MAP_ALIAS, key, strlen(key), &value, &tracer);
    putchar('\n');
    print_answer(answer, buffer_text(&value), is_address, is_shown);
    print_outcome(answer, is_address, is_ours(work->lookup, key));
    lookup_rest(work->lookup);
    return statuses[answer];
}

static enum exit_status run(const struct call *call)
{
    bool is_shown = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "show-targets", .help = "print the targets and not only their number",
         .flag = &is_shown},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_make_lookup(&work))
        return work.status;
    return explain(&work, options.operands[0], is_shown);
}

const struct command command_explain = {
    .name = "explain",
    .usage = "[--show-targets] ADDRESS",
    .help = "say step by step how an address comes to its answer",
    .run = run,
};
