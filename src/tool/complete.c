/*
 * What a shell may put in the place of the word under the cursor: `lpalias complete -- WORD...`
 * prints candidates, one a line, for the last of the words. Options come from the commands
 * themselves and operands from their usage, so that nothing goes stale. Never a target.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lookup/lookup.h"
#include "tool/console.h"
#include "tool/domain_standing.h"
#include "tool/options.h"
#include "tool/workspace.h"

struct completion {
    struct call call; /* for the configuration that the words name */
    char **words;     /* behind the options of lpalias itself; the last one is to be completed */
    size_t word_count;
    struct span before; /* "--option=" of the last word */
    const char *begun;  /* the rest of it */
};

static void offer(const struct completion *completion, const char *candidate)
{
    CLEANUP(buffer_finish) struct buffer line = {0};
    if (strncmp(candidate, completion->begun, strlen(completion->begun)) != 0)
        return;
    buffer_append(&line, completion->before.data, completion->before.length);
    console_append_visible(&line, candidate);
    puts(buffer_text(&line));
}

static void offer_each_of(const struct completion *completion, const char *choices)
{
    for (const char *at = choices; *at != '\0'; at += *at == '|') {
        CLEANUP(memory_free_at) char *choice = memory_copy_bytes(at, strcspn(at, "|"));
        offer(completion, choice);
        at += strlen(choice);
    }
}

/* ---- names of the configuration and the cache ---- */

static void offer_domains(struct completion *completion, struct workspace *work)
{
    struct error ignored;
    CLEANUP(domain_standings_finish) struct domain_standings standings = {0};
    if (!workspace_begin_snapshot(work) ||
        !domain_standings_read(work->config, work->snapshot, &standings, &ignored)) {
        for (size_t i = 0; i < work->config->domain_count; i++)
            offer(completion, work->config->domains[i].name);
        return;
    }
    for (size_t i = 0; i < standings.count; i++)
        offer(completion, standings.items[i].name);
}

static bool offer_person(void *context, const char *name, const struct person_record *record)
{
    (void)record;
    offer(context, name);
    return true;
}

static void offer_people(struct completion *completion, struct workspace *work)
{
    struct error ignored;
    bool is_read = workspace_begin_snapshot(work) &&
                   snapshot_each_person(work->snapshot, offer_person, completion, &ignored);
    (void)is_read; /* a shell has no place for what went wrong */
}

static bool offer_alias(void *context, const char *domain, const char *local,
                        const struct alias_record *record)
{
    CLEANUP(buffer_finish) struct buffer address = {0};
    (void)record;
    buffer_appendf(&address, "%s@%s", local, domain);
    offer(context, buffer_text(&address));
    return true;
}

static void offer_aliases(struct completion *completion, struct workspace *work)
{
    struct error ignored;
    bool is_read = workspace_begin_snapshot(work) &&
                   snapshot_each_alias(work->snapshot, NULL, offer_alias, completion, &ignored);
    (void)is_read;
}

static void offer_maps(struct completion *completion, struct workspace *work)
{
    static const char *const names[] = {"alias", "domain", "recipient", "sender", "access"};
    enum lookup_map map;
    (void)work;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (lookup_map_from_name(names[i], strlen(names[i]), &map))
            offer(completion, names[i]);
}

/* What a word of a usage stands for: "NAME", or "NAME|ADDRESS". */
static void offer_for(struct completion *completion, const char *placeholder)
{
    static const struct {
        const char *placeholder;
        void (*offer)(struct completion *completion, struct workspace *work);
    } kinds[] = {
        {"DOMAIN", offer_domains},  {"D", offer_domains},   {"NAME", offer_people},
        {"ADDRESS", offer_aliases}, {"KEY", offer_aliases}, {"MAP", offer_maps},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        CLEANUP(workspace_finish) struct workspace work = {0};
        size_t length = strlen(kinds[i].placeholder);
        bool is_named = false;
        for (const char *at = placeholder; *at != '\0'; at += strspn(at, "|")) {
            is_named |=
                strcspn(at, "|") == length && strncmp(at, kinds[i].placeholder, length) == 0;
            at += strcspn(at, "|");
        }
        if (is_named && workspace_read_config(&work, &completion->call))
            kinds[i].offer(completion, &work);
    }
}

/* ---- commands ---- */

/* First words of all commands, or the second ones of a group; each once. */
static void offer_commands(const struct completion *completion, const char *group)
{
    char previous[64] = "";
    for (size_t i = 0; i < command_row_count; i++) {
        const char *name = command_rows[i]->name;
        size_t length = strcspn(name, " ");
        char word[64];
        if (command_rows[i]->help == NULL ||
            (group != NULL && (strlen(group) != length || strncmp(name, group, length) != 0 ||
                               name[length] == '\0')))
            continue;
        snprintf(word, sizeof(word), "%s", group != NULL ? name + length + 1 : name);
        word[strcspn(word, " ")] = '\0';
        if (strcmp(word, previous) != 0)
            offer(completion, word);
        strcpy(previous, word);
    }
}

/* ---- options and operands of one command ---- */

static const struct option_row *find_option(const struct option_probe *probe, const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < probe->row_count; i++) {
        const struct option_row *row = &probe->rows[i];
        bool is_long = strncmp(word, "--", 2) == 0 && strlen(row->name) == length - 2 &&
                       strncmp(word + 2, row->name, length - 2) == 0;
        bool is_short = word[0] == '-' && row->letter != '\0' && word[1] == row->letter;
        if (is_long || (is_short && word[2] == '\0'))
            return row;
    }
    return NULL;
}

static bool takes_next_word(const struct option_probe *probe, const char *word)
{
    const struct option_row *row = word[0] == '-' ? find_option(probe, word) : NULL;
    return row != NULL && row->argument != NULL && strchr(word, '=') == NULL;
}

static void offer_options(const struct completion *completion, const struct option_probe *probe)
{
    offer(completion, "--help");
    for (size_t i = 0; i < probe->row_count; i++) {
        char option[64];
        snprintf(option, sizeof(option), "--%s", probe->rows[i].name);
        offer(completion, option);
    }
}

static void offer_value(struct completion *completion, const struct option_row *row)
{
    if (strchr(row->argument, '|') != NULL)
        offer_each_of(completion, row->argument);
    else if (strcmp(row->argument, "ADDRESS") != 0) /* that one is of a server */
        offer_for(completion, row->argument);
}

/* The next word of a usage without the brackets around it; false: it ends, or an alternative. */
static bool take_usage_word(const char **usage, int *depth, struct buffer *out)
{
    *usage += strspn(*usage, " ");
    size_t length = strcspn(*usage, " ");
    buffer_clear(out);
    for (size_t i = 0; i < length; i++) {
        *depth += ((*usage)[i] == '[') - ((*usage)[i] == ']');
        if (strchr("[]", (*usage)[i]) == NULL)
            buffer_append_char(out, (*usage)[i]);
    }
    *usage += length;
    return length != 0 && !(*depth == 0 && strcmp(buffer_text(out), "|") == 0);
}

/* The placeholder of the operand at index, "..." taken off, into out; empty: there is none. */
static void find_placeholder(const char *usage, const struct option_probe *probe, size_t index,
                             struct buffer *out)
{
    int depth = 0;
    while (take_usage_word(&usage, &depth, out)) {
        const char *word = buffer_text(out);
        if (takes_next_word(probe, word)) {
            CLEANUP(buffer_finish) struct buffer value = {0};
            (void)take_usage_word(&usage, &depth, &value);
        } else if (word[0] != '-' && word[0] != '|' && word[0] != '.') {
            bool is_repeated = out->length > 3 && strcmp(word + out->length - 3, "...") == 0;
            if (is_repeated)
                out->length -= 3;
            if (is_repeated || index-- == 0)
                return;
        }
    }
    buffer_clear(out);
}

/* How many of the words before the last are operands. */
static size_t count_operands(const struct completion *completion, const struct option_probe *probe,
                             size_t first)
{
    size_t count = 0;
    for (size_t i = first; i + 1 < completion->word_count; i++) {
        if (takes_next_word(probe, completion->words[i]))
            i++;
        else
            count += completion->words[i][0] != '-';
    }
    return count;
}

/* "--option=begun": what stands behind the "=" is completed. */
static const struct option_row *take_assignment(struct completion *completion,
                                                const struct option_probe *probe)
{
    const char *equals = strchr(completion->begun, '=');
    const struct option_row *row = find_option(probe, completion->begun);
    if (strncmp(completion->begun, "--", 2) != 0 || equals == NULL || row == NULL ||
        row->argument == NULL)
        return NULL;
    completion->before = (struct span){completion->begun, (size_t)(equals + 1 - completion->begun)};
    completion->begun = equals + 1;
    return row;
}

static void complete_command(struct completion *completion, const struct command *command,
                             size_t used)
{
    CLEANUP(option_probe_finish) struct option_probe probe = {0};
    CLEANUP(buffer_finish) struct buffer placeholder = {0};
    struct call call = {.command = command, .probe = &probe};
    command->run(&call);
    const char *previous = completion->words[completion->word_count - 2];
    bool is_value = completion->word_count - 1 > used && takes_next_word(&probe, previous);
    const struct option_row *assigned = is_value ? NULL : take_assignment(completion, &probe);
    if (is_value || assigned != NULL) {
        offer_value(completion, is_value ? find_option(&probe, previous) : assigned);
    } else if (completion->begun[0] == '-') {
        offer_options(completion, &probe);
    } else {
        find_placeholder(command->usage, &probe, count_operands(completion, &probe, used),
                         &placeholder);
        if (strcmp(buffer_text(&placeholder), "COMMAND") == 0)
            offer_commands(completion, NULL);
        else
            offer_for(completion, buffer_text(&placeholder));
    }
}

/* Takes lpalias' own options out; false: the last word is the value of one. */
static bool take_own_options(struct completion *completion)
{
    while (completion->word_count > 1 && completion->words[0][0] == '-') {
        const char *word = completion->words[0];
        bool has_value = strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0;
        size_t used = has_value ? 2 : 1;
        if (completion->word_count <= used)
            return false;
        if (has_value)
            completion->call.config_file = completion->words[1];
        if (strncmp(word, "--config=", strlen("--config=")) == 0)
            completion->call.config_file = word + strlen("--config=");
        completion->words += used;
        completion->word_count -= used;
    }
    return true;
}

static void complete(struct completion *completion)
{
    size_t used;
    if (!take_own_options(completion))
        return;
    completion->begun = completion->words[completion->word_count - 1];
    if (completion->word_count == 1 && completion->begun[0] == '-') {
        offer_each_of(completion, "--config|--help|--version");
        return;
    }
    const struct command *command =
        completion->word_count > 1 ? command_find(completion->words, &used) : NULL;
    if (command != NULL && command->help != NULL && used < completion->word_count)
        complete_command(completion, command, used);
    else if (completion->word_count <= 2)
        offer_commands(completion, completion->word_count == 2 ? completion->words[0] : NULL);
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    if (!options_take(&options, call, NULL, 0, 1, SIZE_MAX))
        return options.status;
    struct completion completion = {
        .call = *call,
        .words = options.operands,
        .word_count = options.operand_count,
        .before = {"", 0},
    };
    complete(&completion);
    return EXIT_DONE;
}

const struct command command_complete = {
    .name = "complete",
    .usage = "-- WORD...",
    .run = run,
};
