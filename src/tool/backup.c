#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/replacement.h"
#include "base/timestamp.h"
#include "tool/as_owner.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/workspace.h"

/* Copies the cache into the file of the caller that is open already. */
static enum exit_status copy_cache(struct workspace *work, void *context)
{
    const struct replacement *file = context;
    struct error error = {0};
    if (!workspace_open_cache(work, STORE_READ))
        return work->status;
    struct stopwatch watch;
    stopwatch_begin(&watch, "copying the cache");
    bool is_copied = store_backup(work->store, file->fd, &error);
    stopwatch_end(&watch);
    if (is_copied)
        return EXIT_DONE;
    console_complain("%s: %s", file->path, error.text);
    return EXIT_FAILED;
}

/* The file itself, or one named after the time in the directory. Caller frees. */
static char *name_file(const char *operand, int64_t now_s)
{
    struct stat status;
    char time[TIMESTAMP_TEXT_BYTES];
    char *path;
    if (stat(operand, &status) != 0 || !S_ISDIR(status.st_mode))
        return memory_copy_text(operand);
    timestamp_format(now_s, time);
    for (char *colon = strchr(time, ':'); colon != NULL; colon = strchr(colon, ':'))
        *colon = '-'; /* which scp would take for the end of a host's name */
    if (asprintf(&path, "%s/lpalias-%s.mdb", operand, time) < 0)
        abort();
    return path;
}

static bool is_in_cache(const char *cache, const char *path)
{
    CLEANUP(memory_free_at) char *directory = memory_copy_text(path);
    struct stat own, other;
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory] = '\0';
    return stat(cache, &own) == 0 && stat(slash != NULL ? directory : ".", &other) == 0 &&
           own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static void print_result(const char *path, const char *key_file, bool is_json)
{
    if (!is_json) {
        printf("the cache is copied to %s; the keys that its targets are sealed by are not in it, "
               "they are in %s\n",
               path, key_file);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "file", json_from_span(span_of(path)));
    json_object_set_new(object, "key_file", json_from_span(span_of(key_file)));
    json_print(object);
}

static enum exit_status back_up(struct workspace *work, const char *path, bool is_json)
{
    CLEANUP(replacement_drop) struct replacement file = {0};
    struct error error = {0};
    if (!replacement_begin(&file, path, &error)) {
        console_complain("%s", error.text);
        return error.kind == ERROR_BUSY ? EXIT_BUSY : EXIT_FAILED;
    }
    enum exit_status status = run_as_owner(work, copy_cache, &file);
    if (status != EXIT_DONE)
        return status;
    if (fchmod(file.fd, 0640) != 0) {
        console_complain("cannot set the mode of %s: %s", file.part_path, strerror(errno));
        return EXIT_FAILED;
    }
    if (!replacement_commit(&file, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    print_result(path, work->config->key_file, is_json);
    return EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "one JSON value", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!workspace_read_config(&work, call))
        return work.status;
    CLEANUP(memory_free_at) char *path = name_file(options.operands[0], timestamp_now_s());
    if (is_in_cache(work.config->cache, path))
        return options_refuse(call, "a backup does not belong into the cache's own directory");
    return back_up(&work, path, is_json);
}

const struct command command_backup = {
    .name = "backup",
    .usage = "[--json] FILE | DIRECTORY",
    .help = "copy the cache as it is at one moment, while everything goes on",
    .run = run,
};
