#include "action/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/keyring_file.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/stopwatch.h"
#include "tool/workspace.h"

/* One restoration on its way. */
struct restoration {
    struct workspace work;
    bool is_json;
    struct store *backup;
    struct key_census keys; /* of the backup */
    int keys_lock_fd;
};

static void restoration_finish(struct restoration *restoration)
{
    workspace_finish(&restoration->work);
    store_close(restoration->backup);
    key_census_finish(&restoration->keys);
    file_close_at(&restoration->keys_lock_fd);
}

/* No key may be retired while values come that it seals. */
static bool lock_keys(struct restoration *restoration)
{
    struct workspace *work = &restoration->work;
    struct error error;
    return keyring_file_lock(work->config->key_file, &restoration->keys_lock_fd, &error) ||
           workspace_fail(work, error.kind == ERROR_BUSY ? EXIT_BUSY : EXIT_FAILED, "%s",
                          error.text);
}

/* Of the caller, and so before the owner of the cache is taken on. */
static bool open_backup(struct restoration *restoration, const char *path)
{
    struct workspace *work = &restoration->work;
    struct stat status;
    struct error error = {0};
    if (store_is_data_file(work->config->cache, path))
        return workspace_fail(work, EXIT_FAILED, "%s is the cache itself", path);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return workspace_fail(work, EXIT_FAILED, "%s is no file", path);
    return (store_open_backup(path, work->config->cache_limit_bytes, &restoration->backup,
                              &error) &&
            restore_check_keys(restoration->backup, work->ring, &restoration->keys, &error)) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

static void print_json(const struct restore_result *result)
{
    json_t *object = json_object();
    json_object_set_new(object, "backup_generation",
                        json_integer((json_int_t)result->backup_generation));
    json_object_set_new(object, "generation", json_integer((json_int_t)result->generation));
    json_object_set_new(object, "aliases", json_integer((json_int_t)result->aliases));
    json_object_set_new(object, "people", json_integer((json_int_t)result->people));
    json_object_set_new(object, "domains", json_integer((json_int_t)result->domains));
    json_object_set_new(object, "unopened", json_integer((json_int_t)result->unopened));
    json_object_set_new(object, "another_cache", json_boolean(result->is_another_cache));
    json_object_set_new(object, "was_empty", json_boolean(result->was_empty));
    json_print(object);
}

static void print_text(const struct restore_result *result)
{
    printf("generation %" PRIu64 " of the backup is generation %" PRIu64
           " now: %zu aliases, %zu people, %zu domains\n",
           result->backup_generation, result->generation, result->aliases, result->people,
           result->domains);
    if (result->is_another_cache && !result->was_empty)
        printf("the backup was made of another cache\n");
    printf("all domains are closed: unknown names are put off until lpalias domain open\n");
}

static bool restore(struct restoration *restoration)
{
    struct workspace *work = &restoration->work;
    struct restore_result result;
    struct error error = {0};
    if (!workspace_make_cache(work))
        return false;
    const struct action action = workspace_action(work);
    struct stopwatch watch;
    stopwatch_begin(&watch, "restoring");
    bool is_restored =
        action_restore(&action, restoration->backup, &restoration->keys, &result, &error);
    stopwatch_end(&watch);
    if (!is_restored)
        return workspace_fail(work, EXIT_FAILED, "%s; the cache is as it was", error.text);
    if (restoration->is_json)
        print_json(&result);
    else
        print_text(&result);
    if (result.unopened != 0)
        console_complain("%zu of its sealed values do not open; see lpalias key check",
                         result.unopened);
    return true;
}

static enum exit_status run(const struct call *call)
{
    bool is_yes = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(restoration_finish) struct restoration restoration = {.keys_lock_fd = -1};
    struct workspace *work = &restoration.work;
    const struct option_row rows[] = {
        {'y', "yes", .help = "do not ask", .flag = &is_yes},
        {0, "json", .help = "one JSON value", .flag = &restoration.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!is_yes && !console_is_interactive())
        return options_refuse(call, "there is no terminal to ask on; say --yes");
    if (!workspace_read_config(work, call) || !lock_keys(&restoration) ||
        !workspace_read_keys(work) || !open_backup(&restoration, options.operands[0]))
        return work->status;
    if (!is_yes &&
        !console_ask("Replace all aliases by those of the backup and close all domains?")) {
        console_complain("the cache is left as it is");
        return EXIT_FAILED;
    }
    return restore(&restoration) ? EXIT_DONE : work->status;
}

const struct command command_restore = {
    .name = "restore",
    .usage = "[--yes] [--json] FILE",
    .help = "put the aliases and people of a backup in the place of those of the cache",
    .run = run,
};
