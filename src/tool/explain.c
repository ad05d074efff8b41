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

/* One address and what a map says of it. */
struct explanation {
    enum lookup_map map;
    enum lookup_answer answer;
    const char *value; /* of LOOKUP_FOUND */
    bool is_address;
    bool is_ours;
    bool is_shown; /* targets may be */
};

static void print_answer(const struct explanation *it)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    bool has_targets = it->map == LOOKUP_MAP_ALIAS && it->is_address;
    switch (it->answer) {
    case LOOKUP_FOUND:
        if (!has_targets || it->is_shown)
            console_append_visible(&line, it->value);
        else
            buffer_appendf(&line, "%zu target(s); --show-targets names them",
                           count_targets(it->value));
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
static const char *outcome_for_recipient(const struct explanation *it)
{
    if (it->answer == LOOKUP_TEMPORARY)
        return "RCPT gets 451 4.3.0, the sender tries again later";
    if (it->answer == LOOKUP_FOUND)
        return "RCPT gets 250";
    return "RCPT gets 550 5.1.1, user unknown";
}

static const char *outcome_for_sender(const struct explanation *it)
{
    if (it->answer == LOOKUP_TEMPORARY)
        return "who has logged in gets 451 4.3.0 and tries again later";
    if (it->answer == LOOKUP_ABSENT)
        return "no login owns it; reject_authenticated_sender_login_mismatch gives everybody "
               "553 5.7.1";
    return strcmp(it->value, LOOKUP_NO_LOGIN) == 0 ? "nobody may send as it: 553 5.7.1"
                                                   : "any other login gets 553 5.7.1";
}

static const char *outcome_of_access(const struct explanation *it)
{
    return it->answer == LOOKUP_FOUND ? "RCPT gets this reply"
                                      : "not refused here; the map alias decides";
}

static void print_outcome(const struct explanation *it)
{
    const char *outcome = "not ours, Postfix treats it as any foreign address";
    if (!it->is_address && (it->map == LOOKUP_MAP_ALIAS || it->map == LOOKUP_MAP_DOMAIN))
        outcome = it->is_ours ? "Postfix takes mail for this domain"
                              : "not a domain that Postfix takes mail for through us";
    else if (!it->is_address || it->map == LOOKUP_MAP_DOMAIN)
        outcome = "Postfix asks this map nothing of the kind";
    else if (it->map == LOOKUP_MAP_SENDER && it->is_ours)
        outcome = outcome_for_sender(it);
    else if (it->map == LOOKUP_MAP_ACCESS && it->is_ours)
        outcome = outcome_of_access(it);
    else if (it->is_ours)
        outcome = outcome_for_recipient(it);
    printf("SMTP:   %s\n", outcome);
}

/* A name that the map of aliases only calls absent may get a better reply before. */
static void print_refusal(struct lookup *lookup, const struct explanation *it, const char *key)
{
    CLEANUP(buffer_finish) struct buffer value = {0};
    if (it->map == LOOKUP_MAP_ALIAS && it->answer == LOOKUP_ABSENT &&
        lookup_ask(lookup, LOOKUP_MAP_ACCESS, key, strlen(key), &value, NULL) == LOOKUP_FOUND)
        printf("Access: where Postfix asks that map first, RCPT gets %s\n", buffer_text(&value));
}

static enum exit_status explain(struct workspace *work, enum lookup_map map, const char *key,
                                bool is_shown)
{
    static const enum exit_status statuses[] = {
        [LOOKUP_FOUND] = EXIT_DONE,
        [LOOKUP_ABSENT] = EXIT_NOT_FOUND,
        [LOOKUP_TEMPORARY] = EXIT_TEMPORARY,
    };
    unsigned number = 0;
    const struct lookup_trace tracer = {print_step, &number};
    CLEANUP(buffer_finish) struct buffer value = {0};
    struct explanation it = {
        .map = map,
        .answer = lookup_ask(work->lookup, map, key, strlen(key), &value, &tracer),
        .is_address = strchr(key, '@') != NULL,
        .is_ours = is_ours(work->lookup, key),
        .is_shown = is_shown,
    };
    it.value = buffer_text(&value);
    putchar('\n');
    print_answer(&it);
    print_outcome(&it);
    print_refusal(work->lookup, &it, key);
    lookup_rest(work->lookup);
    return statuses[it.answer];
}

static enum exit_status run(const struct call *call)
{
    bool is_shown = false;
    const char *map_name = "alias";
    enum lookup_map map;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "map", "MAP", "explain what MAP says of it; without it alias", .value = &map_name},
        {0, "show-targets", .help = "print the targets and not only their number",
         .flag = &is_shown},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!lookup_map_from_name(map_name, strlen(map_name), &map))
        return options_refuse(call, "there is no map \"%s\"", map_name);
    if (!workspace_read_config(&work, call) || !workspace_make_lookup(&work))
        return work.status;
    return explain(&work, map, options.operands[0], is_shown);
}

const struct command command_explain = {
    .name = "explain",
    .usage = "[--map MAP] [--show-targets] ADDRESS",
    .help = "say step by step how an address comes to its answer",
    .run = run,
};
