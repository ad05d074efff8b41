#include <stdio.h>

#include "action/key.h"
#include "base/file.h"
#include "base/text.h"
#include "store/keyring_file.h"
#include "tool/as_owner.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

static enum exit_status retire_in_cache(struct workspace *work, void *context)
{
    const uint32_t *id = context;
    struct store_update_result result;
    struct error error = {0};
    if (!workspace_open_cache(work, STORE_WRITE))
        return work->status;
    const struct action action = workspace_action(work);
    if (action_key_retire(&action, *id, &result, &error))
        return EXIT_DONE;
    console_complain("%s", error.text);
    return EXIT_FAILED;
}

static void print_json(const char *file, uint32_t id)
{
    json_t *object = json_object();
    json_object_set_new(object, "key_file", json_from_span(span_of(file)));
    json_object_set_new(object, "retired", json_integer(id));
    json_print(object);
}

/* The cache first: from then on nothing can be sealed by the key that is about to go. */
static enum exit_status retire(struct workspace *work, uint32_t id, bool is_json)
{
    CLEANUP(file_close_at) int lock_fd = -1;
    struct error error = {0};
    if (!keyring_file_lock(work->config->key_file, &lock_fd, &error)) {
        console_complain("%s", error.text);
        return error.kind == ERROR_BUSY ? EXIT_BUSY : EXIT_FAILED;
    }
    if (!workspace_read_keys(work))
        return work->status;
    enum exit_status status = run_as_owner(work, retire_in_cache, &id);
    if (status != EXIT_DONE)
        return status;
    if (!keyring_file_remove(work->config->key_file, id, &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (is_json)
        print_json(work->config->key_file, id);
    else
        printf("key %u is taken out of %s; backups that are older than its rotation need it to be "
               "read\n",
               (unsigned)id, work->config->key_file);
    return EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    uint64_t id;
    bool is_json = false;
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!text_parse_number(options.operands[0], 1, UINT32_MAX, &id))
        return options_refuse(call, "%s is no key id; lpalias key check lists them",
                              options.operands[0]);
    if (!workspace_read_config(&work, call))
        return work.status;
    return retire(&work, (uint32_t)id, is_json);
}

const struct command command_key_retire = {
    .name = "key retire",
    .usage = "ID [--json]",
    .help = "take a key out of the key file that nothing is sealed by any more",
    .run = run,
};
