/* export-person. */
#include "base/memory.h"
#include "report/person_json.h"
#include "tool/act.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"

static enum exit_status print_person(const struct workspace *work, const char *name)
{
    struct error error = {0};
    json_t *person;
    if (!person_json_read(work->ring, work->snapshot, name, &person, &error))
        return act_fail(name, &error);
    if (person == NULL) {
        console_complain("%s: nobody of that name is known", name);
        return EXIT_NOT_FOUND;
    }
    json_print(person);
    return EXIT_DONE;
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = NULL;
    if (!options_take(&options, call, NULL, 0, 1, 1))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_take_on_owner(&work))
        return work.status;
    workspace_try_keys(&work);
    if (!workspace_begin_snapshot(&work))
        return work.status;
    name = act_fold_name(options.operands[0]);
    return print_person(&work, name);
}

const struct command command_export_person = {
    .name = "export-person",
    .usage = "NAME",
    .help =
        "print all that is held about a person as JSON, targets included, for the person to have",
    .run = run,
};
