#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "tool/console.h"
#include "tool/input.h"
#include "tool/json_output.h"
#include "tool/lint.h"
#include "tool/options.h"
#include "tool/program_output.h"
#include "tool/workspace.h"

#define CONFIG_MAX_BYTES ((size_t)4 << 20)

/* Where the configuration of Postfix comes from; NULL: from the installed one. */
struct sources {
    const char *directory;
    const char *postconf_file;
    const char *master_file;
};

/* Runs postconf with up to two words more. */
static bool ask_postconf(const struct sources *sources, const char *first, const char *second,
                         struct buffer *out, struct error *error)
{
    const char *words[] = {"postconf", first, second, NULL, NULL, NULL};
    size_t count = second != NULL ? 3 : 2;
    if (sources->directory != NULL) {
        words[count] = "-c";
        words[count + 1] = sources->directory;
    }
    return program_output_read(words, out, error);
}

static bool read_file(const char *path, struct buffer *out, struct error *error)
{
    char *text;
    size_t length;
    if (!input_read(path, CONFIG_MAX_BYTES, &text, &length, error))
        return false;
    buffer_append(out, text, length);
    free(text);
    return true;
}

/* Postfix 3.1 and later expand "$name" in what they print. */
static bool read_main(struct lint *lint, const struct sources *sources, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (sources->postconf_file != NULL) {
        if (!read_file(sources->postconf_file, &text, error))
            return false;
    } else if (!ask_postconf(sources, "-n", "-x", &text, error)) {
        buffer_clear(&text);
        if (!ask_postconf(sources, "-n", NULL, &text, error))
            return false;
    }
    if (postfix_config_read_main(&lint->postfix, buffer_text(&text)) != 0)
        return true;
    return error_set(error, ERROR_INVALID, "%s has no line \"name = value\"",
                     sources->postconf_file != NULL ? sources->postconf_file : "postconf -n");
}

/* The path of master.cf; caller frees. NULL: it is not known. */
static char *find_master(const struct lint *lint, const struct sources *sources,
                         struct error *error)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (sources->master_file != NULL)
        return memory_copy_text(sources->master_file);
    if (sources->directory != NULL)
        buffer_append_text(&text, sources->directory);
    else if (postfix_config_is_set(&lint->postfix, "config_directory")) {
        CLEANUP(memory_free_at)
        char *directory = postfix_config_get(&lint->postfix, NULL, "config_directory");
        buffer_append_text(&text, directory);
    } else if (!ask_postconf(sources, "-h", "config_directory", &text, error)) {
        return NULL;
    }
    buffer_text(&text);
    text.length = strcspn(text.data, "\n");
    buffer_append_text(&text, "/master.cf");
    return memory_copy_text(buffer_text(&text));
}

static bool read_master(struct lint *lint, const struct sources *sources, struct error *error)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (sources->postconf_file != NULL && sources->master_file == NULL) {
        console_remark("note: without --master it is not known who runs chrooted");
        return true;
    }
    CLEANUP(memory_free_at) char *path = find_master(lint, sources, error);
    if (path == NULL || !read_file(path, &text, error))
        return false;
    return postfix_config_read_master(&lint->postfix, buffer_text(&text)) != 0 ||
           error_set(error, ERROR_INVALID, "%s has no service", path);
}

static void read_table_types(struct lint *lint, const struct sources *sources)
{
    struct error ignored;
    CLEANUP(buffer_finish) struct buffer text = {0};
    if (ask_postconf(sources, "-m", NULL, &text, &ignored))
        words_split(&lint->table_types, buffer_text(&text));
}

static bool read_postfix(struct lint *lint, const struct sources *sources, struct error *error)
{
    lint->may_ask = sources->postconf_file == NULL;
    lint->config_directory = sources->directory;
    if (!read_main(lint, sources, error) || !read_master(lint, sources, error))
        return false;
    lint->queue_directory = postfix_config_get(&lint->postfix, NULL, "queue_directory");
    if (lint->may_ask)
        read_table_types(lint, sources);
    return true;
}

/* ---- what was found ---- */

static void print_json(const struct lint *lint)
{
    json_t *checks = json_array();
    json_t *findings = json_array();
    json_t *object = json_object();
    for (size_t i = 0; i < lint_check_count; i++)
        json_array_append_new(checks, json_string(lint_checks[i].name));
    for (size_t i = 0; i < lint->finding_count; i++) {
        json_t *finding = json_object();
        json_object_set_new(finding, "check", json_string(lint->findings[i].check));
        json_object_set_new(finding, "found", json_from_span(span_of(lint->findings[i].found)));
        json_object_set_new(finding, "change", json_from_span(span_of(lint->findings[i].change)));
        json_array_append_new(findings, finding);
    }
    json_object_set_new(object, "checks", checks);
    json_object_set_new(object, "findings", findings);
    json_print(object);
}

static void print_text(const struct lint *lint)
{
    for (size_t i = 0; i < lint->finding_count; i++) {
        const struct lint_finding *finding = &lint->findings[i];
        CLEANUP(buffer_finish) struct buffer text = {0};
        buffer_appendf(&text, "%s: ", finding->check);
        console_append_visible(&text, finding->found);
        buffer_append_text(&text, "\n    change: ");
        console_append_visible(&text, finding->change);
        puts(buffer_text(&text));
    }
    if (lint->finding_count == 0)
        printf("fine: %zu checks found nothing\n", lint_check_count);
}

static enum exit_status lint_all(struct lint *lint, const struct sources *sources, bool is_json)
{
    struct error error = {0};
    if (!read_postfix(lint, sources, &error)) {
        console_complain("%s", error.text);
        return error.kind == ERROR_INVALID ? EXIT_USAGE : EXIT_TEMPORARY;
    }
    for (size_t i = 0; i < lint_check_count; i++) {
        lint->check = lint_checks[i].name;
        lint_checks[i].run(lint);
    }
    if (is_json)
        print_json(lint);
    else
        print_text(lint);
    return lint->finding_count != 0 ? EXIT_FAILED : EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    struct sources sources = {0};
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(lint_finish) struct lint lint = {0};
    const struct option_row rows[] = {
        {0, "config-directory", "DIR", "ask the Postfix that is configured in DIR",
         .value = &sources.directory},
        {0, "postconf", "FILE", "read FILE, what postconf -n printed, and ask no program",
         .value = &sources.postconf_file},
        {0, "master", "FILE", "read FILE and not the master.cf of that Postfix",
         .value = &sources.master_file},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (sources.directory != NULL && sources.postconf_file != NULL)
        return options_refuse(call, "either --config-directory or --postconf");
    if (!workspace_read_config(&work, call))
        return work.status;
    lint.config = work.config;
    return lint_all(&lint, &sources, is_json);
}

const struct command command_lint = {
    .name = "lint",
    .usage = "[--config-directory DIR | --postconf FILE] [--master FILE] [--json]",
    .help = "look for faults in how Postfix is set up for lpalias",
    .run = run,
};
