#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/replacement.h"
#include "tool/alias_output.h"
#include "tool/caller.h"
#include "tool/console.h"
#include "tool/domain_standing.h"
#include "tool/native_table.h"
#include "tool/options.h"
#include "tool/workspace.h"

struct export;

struct export_format {
    const char *name;
    bool is_native;   /* a static table of Postfix, which holds the targets */
    bool is_database; /* a file that only a library writes, and so nothing for a pipe */
    bool (*render)(struct export *export, struct error *error);
};

/* One export on its way. */
struct export
{
    struct workspace work;
    struct caller caller;
    const struct export_format *format;
    const char *path; /* NULL: standard output */
    bool is_shown, is_lossy;
    struct option_values domain_texts;
    struct domain_standings standings; /* of the domains to be exported */
    struct native_table table;
    struct buffer text;
    size_t alias_count;
    bool is_failed; /* in the middle of a walk */
    struct error *error;
    struct console_progress progress;
};

static void export_finish(struct export *export)
{
    option_values_finish(&export->domain_texts);
    domain_standings_finish(&export->standings);
    native_table_finish(&export->table);
    buffer_finish(&export->text);
    workspace_finish(&export->work);
    caller_finish(&export->caller);
}

/* ---- rows for programs ---- */

static bool is_csv(const struct export *export)
{
    return strcmp(export->format->name, "csv") == 0;
}

static bool add_row(void *context, const char *domain, const char *local,
                    const struct alias_record *record)
{
    struct export *export = context;
    CLEANUP(targets_finish) struct targets targets;
    const struct alias_row row = {domain, local, record, &targets, export->is_shown};
    console_progress_step(&export->progress, export->alias_count);
    targets_open_alias(export->work.ring, domain, local, record, &targets);
    if (export->is_shown && !targets.is_known) {
        export->is_failed = true;
        return error_set(export->error, ERROR_TEMPORARY, "no key opens the targets of %s@%s", local,
                         domain);
    }
    if (is_csv(export)) {
        alias_output_csv(&export->text, &row);
    } else {
        buffer_append_text(&export->text, export->alias_count == 0 ? "[\n" : ",\n");
        alias_output_json(&export->text, &row);
    }
    export->alias_count++;
    return true;
}

static bool render_rows(struct export *export, struct error *error)
{
    if (is_csv(export))
        alias_output_csv_heading(&export->text, export->is_shown);
    export->error = error;
    for (size_t i = 0; i < export->standings.count; i++)
        if (!snapshot_each_alias(export->work.snapshot, export->standings.items[i].name, add_row,
                                 export, error) ||
            export->is_failed)
            return false;
    if (!is_csv(export))
        buffer_append_text(&export->text, export->alias_count == 0 ? "[]\n" : "\n]\n");
    return true;
}

/* ---- tables for Postfix ---- */

static bool render_table(struct export *export, struct error *error)
{
    const struct native_source source = {
        .config = export->work.config,
        .ring = export->work.ring,
        .snapshot = export->work.snapshot,
        .progress = &export->progress,
        .is_text = !export->format->is_database,
    };
    for (size_t i = 0; i < export->standings.count; i++)
        if (!native_table_add_domain(&export->table, &source, &export->standings.items[i], error))
            return false;
    for (size_t i = 0; !export->format->is_database && i < export->table.entry_count; i++)
        buffer_appendf(&export->text, "%s\t%s\n", export->table.entries[i].key,
                       export->table.entries[i].value);
    export->alias_count = export->table.entry_count;
    return true;
}

static void tell_losses(const struct native_table *table)
{
    for (size_t i = 0; i < table->loss_count; i++) {
        const struct native_loss *loss = &table->losses[i];
        if (loss->name_count != 0)
            console_remark("%s, %zu name(s): %s", loss->domain, loss->name_count,
                           native_loss_text(loss->kind));
        else
            console_remark("%s: %s", loss->domain, native_loss_text(loss->kind));
    }
}

static void tell_remarks(const struct export *export)
{
    const struct native_table *table = &export->table;
    if (table->dropped_extension_count != 0 &&
        *export->work.config->server.recipient_delimiter != '\0')
        console_remark("note: lpalias drops an extension of a role or static address, Postfix "
                       "appends it to the target: %zu address(es)",
                       table->dropped_extension_count);
    if (table->has_catch_all)
        console_remark("note: mail to double-bounce and mailer-daemon goes to the catch-all, too");
    console_remark("note: what was exported holds the targets in clear");
}

/* May the table be written? A table that loses something only on the operator's word. */
static bool may_write(const struct export *export)
{
    if (!export->format->is_native)
        return true;
    tell_losses(&export->table);
    if (export->table.loss_count != 0 && !export->is_lossy) {
        console_complain("a table of Postfix cannot say what the cache says, so nothing was "
                         "written; --lossy exports what it can");
        return false;
    }
    tell_remarks(export);
    return true;
}

/* ---- where it comes from ---- */

static bool is_wanted(const struct option_values *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (strcmp(wanted->items[i], name) == 0)
            return true;
    return wanted->count == 0;
}

/* Puts the A-label in the place of each domain as it was written; they are made. */
static bool read_domains(struct export *export, struct option_values *ret)
{
    for (size_t i = 0; i < export->domain_texts.count; i++) {
        char *domain;
        if (!workspace_read_domain(&export->work, export->domain_texts.items[i], &domain))
            return false;
        ret->items = memory_grow(ret->items, ret->count, &ret->capacity, sizeof(*ret->items));
        ret->items[ret->count++] = domain;
    }
    return true;
}

static void domains_finish(struct option_values *domains)
{
    for (size_t i = 0; i < domains->count; i++)
        free((char *)domains->items[i]);
    option_values_finish(domains);
}

static bool check_domains_are_ours(struct export *export, const struct option_values *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        bool is_ours = false;
        for (size_t own = 0; own < export->standings.count; own++)
            is_ours |= strcmp(export->standings.items[own].name, wanted->items[i]) == 0;
        if (!is_ours)
            return workspace_fail(&export->work, EXIT_NOT_FOUND, "%s is no domain of ours",
                                  wanted->items[i]);
    }
    return true;
}

static bool choose_domains(struct export *export)
{
    struct error error = {0};
    CLEANUP(domains_finish) struct option_values wanted = {0};
    if (!read_domains(export, &wanted))
        return false;
    struct domain_standings *standings = &export->standings;
    if (!domain_standings_read(export->work.config, export->work.snapshot, standings, &error))
        return workspace_fail(&export->work, EXIT_FAILED, "%s", error.text);
    if (!check_domains_are_ours(export, &wanted))
        return false;
    for (size_t i = standings->count; i-- > 0;)
        if (!is_wanted(&wanted, standings->items[i].name))
            domain_standings_drop(standings, i);
    return true;
}

static bool read_keys(struct export *export)
{
    if (export->format->is_native || export->is_shown)
        return workspace_read_keys(&export->work);
    workspace_try_keys(&export->work);
    return true;
}

/* As the owner of the cache; what comes of it is written as the caller. */
static bool render(struct export *export)
{
    struct workspace *work = &export->work;
    struct error error = {0};
    if (!caller_step_aside(&export->caller, work->config->cache, &error))
        return workspace_fail(work, EXIT_FAILED, "%s", error.text);
    if (!read_keys(export) || !workspace_begin_snapshot(work) || !choose_domains(export))
        return false;
    console_progress_begin(&export->progress, "aliases read");
    bool is_rendered = export->format->render(export, &error);
    console_progress_end(&export->progress);
    return (is_rendered && caller_return(&export->caller, &error)) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

/* ---- where it goes ---- */

/* As Postfix names a map: lmdb:FILE is in FILE.lmdb. Caller frees. */
static char *name_of_file(const struct export *export)
{
    static const char suffix[] = ".lmdb";
    size_t length = strlen(export->path);
    bool has_suffix =
        length >= strlen(suffix) && strcmp(export->path + length - strlen(suffix), suffix) == 0;
    struct buffer name = {0};
    buffer_append_text(&name, export->path);
    if (export->format->is_database && !has_suffix)
        buffer_append_text(&name, suffix);
    buffer_text(&name);
    return name.data;
}

static bool fill_file(const struct export *export, struct replacement *file, struct error *error)
{
    if (fchown(file->fd, (uid_t)-1, file->group) != 0 || fchmod(file->fd, 0640) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot set the rights of %s: %s", file->part_path,
                         strerror(errno));
    if (export->format->is_database)
        return postfix_map_write(file->part_path, export->table.entries, export->table.entry_count,
                                 error);
    return replacement_write(file, (struct span){export->text.data, export->text.length}, error);
}

static enum exit_status write_file(const struct export *export)
{
    struct error error = {0};
    CLEANUP(memory_free_at) char *path = name_of_file(export);
    CLEANUP(replacement_drop) struct replacement file = {0};
    if (!replacement_begin(&file, path, &error) || !fill_file(export, &file, &error) ||
        !replacement_commit(&file, &error)) {
        console_complain("%s", error.text);
        return error.kind == ERROR_BUSY ? EXIT_BUSY : EXIT_FAILED;
    }
    console_remark("%s: %zu %s", path, export->alias_count,
                   export->format->is_native ? "entries" : "aliases");
    return EXIT_DONE;
}

static enum exit_status export_all(struct export *export, const struct call *call)
{
    if (!workspace_read_config(&export->work, call) || !render(export))
        return export->work.status;
    if (!may_write(export))
        return EXIT_FAILED;
    if (export->path != NULL)
        return write_file(export);
    fwrite(export->text.data, 1, export->text.length, stdout);
    return EXIT_DONE;
}

static const struct export_format formats[] = {
    {"json", .render = render_rows},
    {"csv", .render = render_rows},
    {"text", .is_native = true, .render = render_table},
    {"lmdb", .is_native = true, .is_database = true, .render = render_table},
};

static const struct export_format *find_format(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static enum exit_status run(const struct call *call)
{
    const char *format = NULL;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(export_finish) struct export export = {0};
    const struct option_row rows[] = {
        {'f', "format", "json|csv|text|lmdb",
         "text: as in Postfix's virtual(5); lmdb: one of its lmdb: maps", .value = &format},
        {'o', "output", "FILE", "write FILE, as a whole or not at all; lmdb appends .lmdb",
         .value = &export.path},
        {'d', "domain", "D", "of this domain only; may be given several times",
         .values = &export.domain_texts},
        {0, "show-targets", .help = "json and csv: the targets and not only their number",
         .flag = &export.is_shown},
        {0, "lossy", .help = "text and lmdb: even where the table cannot say what the cache says",
         .flag = &export.is_lossy},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (format == NULL)
        return options_refuse(call, "--format is missing: json, csv, text or lmdb");
    export.format = find_format(format);
    if (export.format == NULL)
        return options_refuse(call, "there is no format \"%s\"; json, csv, text and lmdb are known",
                              format);
    if (export.format->is_database && export.path == NULL)
        return options_refuse(call, "%s needs --output FILE", format);
    if (export.format->is_native && export.is_shown)
        return options_refuse(call, "%s holds the targets anyway", format);
    if (!export.format->is_native && export.is_lossy)
        return options_refuse(call, "%s loses nothing", format);
    return export_all(&export, call);
}

const struct command command_export = {
    .name = "export",
    .usage = "--format json|csv|text|lmdb [--output FILE] [--domain D]... [--show-targets] "
             "[--lossy]",
    .help = "write all aliases for another program, or as a table of Postfix",
    .run = run,
};
