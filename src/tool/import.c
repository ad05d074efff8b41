#include "action/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/alias_file.h"
#include "tool/console.h"
#include "tool/csv.h"
#include "tool/input.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/virtual_text.h"
#include "tool/workspace.h"

/* One import on its way. */
struct import {
    struct workspace work;
    bool is_static, is_dry, is_json;
    const char *path;
    struct alias_file file;
    struct store_update_result result;
};

/* How many rows met which fate; those that could not be read count as refused. */
struct import_sums {
    size_t matched, statics, refused;
};

static void import_finish(struct import *import)
{
    alias_file_finish(&import->file);
    workspace_finish(&import->work);
}

static struct import_sums sum_up(const struct alias_file *file)
{
    struct import_sums sums = {.refused = file->fault_count};
    for (size_t i = 0; i < file->row_count; i++)
        switch (file->rows[i].fate) {
        case IMPORT_MATCHED:
            sums.matched++;
            break;
        case IMPORT_STATIC:
            sums.statics++;
            break;
        case IMPORT_REFUSED:
            sums.refused++;
            break;
        }
    return sums;
}

/* Refused rows and rows that could not be read, in the order of the file. */
static void complain_of_rows(const struct import *import)
{
    const struct alias_file *file = &import->file;
    const char *path = strcmp(import->path, "-") == 0 ? "standard input" : import->path;
    size_t row = 0, fault = 0;
    while (row < file->row_count || fault < file->fault_count) {
        bool is_fault = row == file->row_count || (fault < file->fault_count &&
                                                   file->faults[fault].line < file->rows[row].line);
        if (is_fault)
            console_remark("%s:%u: %s", path, file->faults[fault].line, file->faults[fault].reason);
        else if (file->rows[row].fate == IMPORT_REFUSED)
            console_remark("%s:%u: %s", path, file->rows[row].line, file->rows[row].reason);
        if (is_fault)
            fault++;
        else
            row++;
    }
}

static void print_sums(const struct import *import, const struct import_sums *sums)
{
    printf("rows read: %zu = matched %zu + static %zu + refused %zu\n",
           import->file.row_count + import->file.fault_count, sums->matched, sums->statics,
           sums->refused);
    if (import->file.domain_lines != 0)
        printf("lines that only declare a domain: %zu\n", import->file.domain_lines);
    if (import->is_dry)
        printf("nothing was written; %zu records would change\n", import->result.records);
    else
        printf("%zu records changed; generation %" PRIu64 "\n", import->result.records,
               import->result.generation);
}

static void print_sums_json(const struct import *import, const struct import_sums *sums)
{
    const struct {
        const char *name;
        size_t count;
    } counts[] = {
        {"rows", import->file.row_count + import->file.fault_count},
        {"matched", sums->matched},
        {"static", sums->statics},
        {"refused", sums->refused},
        {"domain_lines", import->file.domain_lines},
        {"records", import->result.records},
        {"generation", import->result.generation},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++)
        json_object_set_new(object, counts[i].name, json_integer((json_int_t)counts[i].count));
    json_object_set_new(object, "dry_run", json_boolean(import->is_dry));
    json_object_set_new(object, "changed", json_boolean(import->result.changed));
    json_print(object);
}

/* The file is the caller's: it is read before a command run as root becomes somebody else. */
static bool read_rows(struct import *import, void (*read)(struct span, struct alias_file *))
{
    char *text;
    size_t length;
    struct error error = {0};
    if (!input_read(import->path, ALIAS_FILE_MAX_BYTES, &text, &length, &error))
        return workspace_fail(&import->work, EXIT_FAILED, "%s", error.text);
    read((struct span){text, length}, &import->file);
    free(text);
    return true;
}

static bool take_over(struct import *import)
{
    struct workspace *work = &import->work;
    struct error error = {0};
    if (!workspace_take_on_owner(work) || !workspace_read_keys(work) ||
        !(import->is_dry ? workspace_open_cache(work, STORE_READ) : workspace_make_cache(work)))
        return false;
    struct action action = workspace_action(work);
    struct import_request request = {
        .rows = import->file.rows,
        .row_count = import->file.row_count,
        .is_all_static = import->is_static,
    };
    struct stopwatch watch;
    stopwatch_begin(&watch, "importing");
    bool is_done = action_import(&action, &request, import->is_dry, &import->result, &error);
    stopwatch_end(&watch);
    return is_done || workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

static enum exit_status import_rows(struct import *import, const struct call *call,
                                    void (*read)(struct span, struct alias_file *))
{
    if (!workspace_read_config(&import->work, call) || !read_rows(import, read) ||
        !take_over(import))
        return import->work.status;
    struct import_sums sums = sum_up(&import->file);
    if (import->is_json)
        print_sums_json(import, &sums);
    else
        print_sums(import, &sums);
    complain_of_rows(import);
    return sums.refused != 0 ? EXIT_UNUSABLE : EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    static const struct {
        const char *name;
        void (*read)(struct span, struct alias_file *);
    } formats[] = {{"csv", csv_read}, {"virtual", virtual_text_read}};
    const char *format = NULL;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(import_finish) struct import import = {0};
    const struct option_row rows[] = {
        {'f', "format", "csv|virtual", "virtual: as in Postfix's virtual(5)", .value = &format},
        {0, "static", .help = "match no members: all rows become static aliases",
         .flag = &import.is_static},
        {'n', "dry-run", .help = "write nothing, say what would change", .flag = &import.is_dry},
        {0, "json", .help = "print one JSON object", .flag = &import.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (format == NULL)
        return options_refuse(call, "--format is missing: csv or virtual");
    import.path = options.operands[0];
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
        if (strcmp(format, formats[i].name) == 0)
            return import_rows(&import, call, formats[i].read);
    return options_refuse(call, "there is no format \"%s\"; csv and virtual are known", format);
}

const struct command command_import = {
    .name = "import",
    .usage = "--format csv|virtual [--static] [--dry-run] [--json] FILE|-",
    .help = "take over an alias file: members get targets, all else becomes static aliases",
    .run = run,
};
