#include <stdio.h>

#include "action/key.h"
#include "base/file.h"
#include "store/keyring_file.h"
#include "tool/as_owner.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

/* One rotation on its way. */
struct rotation {
    struct workspace work;
    bool is_json;
    int keys_lock_fd, refresh_lock_fd;
};

static void rotation_finish(struct rotation *rotation)
{
    workspace_finish(&rotation->work);
    file_close_at(&rotation->keys_lock_fd);
    file_close_at(&rotation->refresh_lock_fd);
}

static bool lock_keys(struct rotation *rotation)
{
    struct error error;
    return keyring_file_lock(rotation->work.config->key_file, &rotation->keys_lock_fd, &error) ||
           workspace_fail(&rotation->work, error.kind == ERROR_BUSY ? EXIT_BUSY : EXIT_FAILED, "%s",
                          error.text);
}

/* EXIT_HELD: a rotation that was not done waits to go on; EXIT_DONE: none does. */
static enum exit_status look_for_unfinished(struct workspace *work, void *context)
{
    struct key_census census = {0};
    struct error error = {0};
    (void)context;
    if (!workspace_open_cache(work, STORE_WRITE) || !workspace_begin_snapshot(work))
        return work->status;
    enum exit_status status = EXIT_DONE;
    if (!key_census_take(work->snapshot, work->ring, true, &census, &error)) {
        console_complain("%s", error.text);
        status = EXIT_FAILED;
    } else if (key_census_is_mixed(&census)) {
        status = EXIT_HELD;
    }
    key_census_finish(&census);
    return status;
}

/* The new ring is in its place before anything is sealed by its first key. */
static bool add_key(struct rotation *rotation)
{
    struct workspace *work = &rotation->work;
    struct error error = {0};
    uint32_t id;
    enum exit_status status = run_as_owner(work, look_for_unfinished, NULL);
    if (status == EXIT_HELD) {
        if (!rotation->is_json)
            printf("a rotation to key %u was not finished: it goes on\n",
                   (unsigned)keyring_id(work->ring, 0));
        return true;
    }
    if (status != EXIT_DONE) {
        work->status = status;
        return false;
    }
    if (!keyring_file_add(work->config->key_file, &id, &error))
        return workspace_fail(work, EXIT_FAILED, "%s", error.text);
    keyring_destroy(work->ring);
    work->ring = NULL;
    return workspace_read_keys(work);
}

static bool lock_refresh(struct rotation *rotation)
{
    struct workspace *work = &rotation->work;
    struct error error = {0};
    if (store_lock_refresh(work->config->cache, &rotation->refresh_lock_fd, &error))
        return true;
    if (error.kind == ERROR_BUSY)
        return workspace_fail(work, EXIT_BUSY,
                              "a refresh is running; lpalias key rotate goes on when it is over");
    return workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

static void show_progress(void *context, size_t resealed)
{
    console_progress_step(context, resealed);
}

static void print_result(const struct rotation *rotation, const struct reseal_result *result)
{
    uint32_t id = keyring_id(rotation->work.ring, 0);
    if (!rotation->is_json) {
        printf("key %u seals; %zu values sealed anew\n", (unsigned)id, result->resealed);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "key", json_integer(id));
    json_object_set_new(object, "resealed", json_integer((json_int_t)result->resealed));
    json_object_set_new(object, "unopened", json_integer((json_int_t)result->unopened));
    json_object_set_new(object, "generation", json_integer((json_int_t)result->generation));
    json_print(object);
}

static bool reseal(struct rotation *rotation)
{
    struct workspace *work = &rotation->work;
    struct reseal_result result;
    struct error error = {0};
    const struct action action = workspace_action(work);
    struct console_progress progress;
    console_progress_begin(&progress, "values sealed anew");
    bool is_done = action_key_reseal(&action, show_progress, &progress, &result, &error);
    console_progress_end(&progress);
    if (!is_done)
        return workspace_fail(
            work, EXIT_FAILED,
            "%s; %zu values are sealed anew, lpalias key rotate goes on with the rest", error.text,
            result.resealed);
    print_result(rotation, &result);
    if (result.unopened != 0)
        return workspace_fail(work, EXIT_FAILED,
                              "%zu values do not open and stay as they are; see lpalias key check",
                              result.unopened);
    return true;
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(rotation_finish)
    struct rotation rotation = {.keys_lock_fd = -1, .refresh_lock_fd = -1};
    struct workspace *work = &rotation.work;
    const struct option_row rows[] = {
        {0, "json", .help = "one JSON value", .flag = &rotation.is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(work, call) || !lock_keys(&rotation) || !workspace_read_keys(work) ||
        !add_key(&rotation) || !workspace_open_cache(work, STORE_WRITE) ||
        !lock_refresh(&rotation) || !reseal(&rotation))
        return work->status;
    return EXIT_DONE;
}

const struct command command_key_rotate = {
    .name = "key rotate",
    .usage = "[--json]",
    .help = "add a new key to the key file and seal every target by it, or go on where that ended",
    .run = run,
};
