/* key generate. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/keyring.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

/* lpaliasd and the commands read the file as members of the cache's group. */
static gid_t group_of_cache(const char *directory)
{
    struct stat status;
    return geteuid() == 0 && stat(directory, &status) == 0 ? status.st_gid : (gid_t)-1;
}

static void print_json(const char *file)
{
    json_t *object = json_object();
    json_object_set_new(object, "key_file", json_from_span(span_of(file)));
    json_print(object);
}

static enum exit_status run(const struct call *call)
{
    const char *file = NULL;
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "file", "F", "make this file and not the one of the configuration", .value = &file},
        {0, "json", .help = "print one JSON object", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call))
        return work.status;
    struct error error = {0};
    if (file == NULL)
        file = work.config->key_file;
    if (!keyring_generate(file, group_of_cache(work.config->cache), &error)) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (is_json)
        print_json(file);
    else
        printf("made %s; keep a copy in a safe place, without it no target can be read\n", file);
    return EXIT_DONE;
}

const struct command command_key_generate = {
    .name = "key generate",
    .usage = "[--file F] [--json]",
    .help = "make the key file that seals targets; never over an existing one",
    .run = run,
};
