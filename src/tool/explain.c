#include <stdio.h>
#include <string.h>

#include "address/address.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

static void add_step(void *context, const char *text)
{
    json_array_append_new(context, json_from_span(span_of(text)));
}

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
    const char *key;
    enum lookup_answer answer;
    const char *value; /* of LOOKUP_FOUND */
    bool is_address;
    bool is_ours;
    bool is_shown; /* targets may be */
};

static bool has_targets(const struct explanation *it)
{
    return it->answer == LOOKUP_FOUND && it->map == LOOKUP_MAP_ALIAS && it->is_address;
}

static void print_answer(const struct explanation *it)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    switch (it->answer) {
    case LOOKUP_FOUND:
        if (!has_targets(it) || it->is_shown)
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

static const char *outcome_of(const struct explanation *it)
{
    if (!it->is_address && (it->map == LOOKUP_MAP_ALIAS || it->map == LOOKUP_MAP_DOMAIN))
        return it->is_ours ? "Postfix takes mail for this domain"
                           : "not a domain that Postfix takes mail for through us";
    if (!it->is_address || it->map == LOOKUP_MAP_DOMAIN)
        return "Postfix asks this map nothing of the kind";
    if (!it->is_ours)
        return "not ours, Postfix treats it as any foreign address";
    if (it->map == LOOKUP_MAP_SENDER)
        return outcome_for_sender(it);
    return it->map == LOOKUP_MAP_ACCESS ? outcome_of_access(it) : outcome_for_recipient(it);
}

/* A name that the map of aliases only calls absent may get a better reply before. */
static bool find_refusal(struct lookup *lookup, const struct explanation *it, struct buffer *out)
{
    return it->map == LOOKUP_MAP_ALIAS && it->answer == LOOKUP_ABSENT &&
           lookup_ask(lookup, LOOKUP_MAP_ACCESS, it->key, strlen(it->key), out, NULL) ==
               LOOKUP_FOUND;
}

static void print_text(struct lookup *lookup, const struct explanation *it)
{
    CLEANUP(buffer_finish) struct buffer refusal = {0};
    putchar('\n');
    print_answer(it);
    printf("SMTP:   %s\n", outcome_of(it));
    if (find_refusal(lookup, it, &refusal))
        printf("Access: where Postfix asks that map first, RCPT gets %s\n", buffer_text(&refusal));
}

/* As print_text: "value" holds no target unless they may be shown. */
static void print_json(struct lookup *lookup, const struct explanation *it, json_t *steps)
{
    static const char *const words[] = {
        [LOOKUP_FOUND] = "found",
        [LOOKUP_ABSENT] = "absent",
        [LOOKUP_TEMPORARY] = "cannot-tell",
    };
    CLEANUP(buffer_finish) struct buffer refusal = {0};
    bool is_hidden = has_targets(it) && !it->is_shown;
    bool is_refused = find_refusal(lookup, it, &refusal);
    (void)is_refused; /* else it is empty */
    json_t *object = json_object();
    json_object_set_new(object, "key", json_from_span(span_of(it->key)));
    json_object_set_new(object, "steps", steps);
    json_object_set_new(object, "answer", json_string(words[it->answer]));
    json_object_set_new(object, "value", json_from_optional(span_of(is_hidden ? "" : it->value)));
    json_object_set_new(object, "target_count",
                        has_targets(it) ? json_integer((json_int_t)count_targets(it->value))
                                        : json_null());
    json_object_set_new(object, "smtp", json_string(outcome_of(it)));
    json_object_set_new(object, "access", json_from_optional(span_of(buffer_text(&refusal))));
    json_print(object);
}

/* How it was called. */
struct wish {
    enum lookup_map map;
    const char *key;
    bool is_shown, is_json;
};

static enum exit_status explain(struct workspace *work, const struct wish *wish)
{
    static const enum exit_status statuses[] = {
        [LOOKUP_FOUND] = EXIT_DONE,
        [LOOKUP_ABSENT] = EXIT_NOT_FOUND,
        [LOOKUP_TEMPORARY] = EXIT_TEMPORARY,
    };
    unsigned number = 0;
    json_t *steps = wish->is_json ? json_array() : NULL;
    const struct lookup_trace tracer = {wish->is_json ? add_step : print_step,
                                        wish->is_json ? (void *)steps : &number};
    CLEANUP(buffer_finish) struct buffer value = {0};
    struct explanation it = {
        .map = wish->map,
        .key = wish->key,
        .answer =
            lookup_ask(work->lookup, wish->map, wish->key, strlen(wish->key), &value, &tracer),
        .is_address = strchr(wish->key, '@') != NULL,
        .is_ours = is_ours(work->lookup, wish->key),
        .is_shown = wish->is_shown,
    };
    it.value = buffer_text(&value);
    if (wish->is_json)
        print_json(work->lookup, &it, steps);
    else
        print_text(work->lookup, &it);
    lookup_rest(work->lookup);
    return statuses[it.answer];
}

static enum exit_status run(const struct call *call)
{
    struct wish wish = {0};
    const char *map_name = "alias";
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "map", "MAP", "explain what MAP says of it; without it alias", .value = &map_name},
        {0, "show-targets", .help = "print the targets and not only their number",
         .flag = &wish.is_shown},
        {0, "json", .help = "print one JSON object", .flag = &wish.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    wish.key = options.operands[0];
    if (!lookup_map_from_name(map_name, strlen(map_name), &wish.map))
        return options_refuse(call, "there is no map \"%s\"", map_name);
    if (!workspace_read_config(&work, call) || !workspace_make_lookup(&work))
        return work.status;
    return explain(&work, &wish);
}

const struct command command_explain = {
    .name = "explain",
    .usage = "[--map MAP] [--show-targets] [--json] ADDRESS",
    .help = "say step by step how an address comes to its answer",
    .run = run,
};
