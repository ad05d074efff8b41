#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "report/record_json.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/show_person.h"
#include "tool/targets.h"
#include "tool/workspace.h"

static void print_alias(const char *address, const struct alias_record *record,
                        const struct targets *targets, bool is_shown)
{
    char since[TIMESTAMP_TEXT_BYTES];
    CLEANUP(buffer_finish) struct buffer owner = {0};
    buffer_append(&owner, record->owner.data, record->owner.length);
    console_print_field("address", address);
    console_print_field("kind", alias_kind_name(record->kind));
    console_print_field("state", alias_state_name(record->state));
    if (record->reason != REASON_NONE)
        console_print_field("reason", alias_reason_name(record->reason));
    console_print_field("since", timestamp_format(record->since_s, since));
    if (owner.length != 0)
        console_print_field("owner", buffer_text(&owner));
    console_print_field("extension", extension_policy_name(record->extension));
    targets_print(targets, is_shown);
}

static void print_alias_json(const char *address, const struct alias_record *record,
                             const struct targets *targets, bool is_shown)
{
    json_t *object = json_from_alias(record);
    json_object_set_new(object, "address", json_from_span(span_of(address)));
    targets_set_json(object, targets, is_shown);
    json_print(object);
}

static enum exit_status show_record(const struct workspace *work, const struct address *address,
                                    const struct alias_record *record, bool is_json, bool is_shown)
{
    CLEANUP(buffer_finish) struct buffer whole = {0};
    CLEANUP(targets_finish) struct targets targets;
    buffer_appendf(&whole, "%s@%s", address->local, address->domain);
    targets_open_alias(work->ring, address->domain, address->local, record, &targets);
    if (is_json)
        print_alias_json(buffer_text(&whole), record, &targets, is_shown);
    else
        print_alias(buffer_text(&whole), record, &targets, is_shown);
    return EXIT_DONE;
}

static enum exit_status show_address(const struct workspace *work, const char *text, bool is_json,
                                     bool is_shown)
{
    struct address address;
    struct alias_record record;
    struct error error = {0};
    if (address_parse(text, strlen(text), &address) != ADDRESS_FULL) {
        console_complain("%s: not an address that can be an alias", text);
        return EXIT_NOT_FOUND;
    }
    switch (snapshot_alias(work->snapshot, address.domain,
                           (struct span){address.local, address.local_length}, &record, &error)) {
    case STORE_FOUND:
        return show_record(work, &address, &record, is_json, is_shown);
    case STORE_ABSENT:
        console_complain("%s: no such alias; lpalias explain says how it is answered", text);
        return EXIT_NOT_FOUND;
    case STORE_TROUBLE:
        break;
    }
    console_complain("%s", error.text);
    return EXIT_FAILED;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    bool is_shown = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    CLEANUP(memory_free_at) char *name = NULL;
    const struct option_row rows[] = {
        {0, "json", .help = "print one JSON object", .flag = &is_json},
        {0, "show-targets", .help = "print the targets and not only their number",
         .flag = &is_shown},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 1, 1))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_take_on_owner(&work))
        return work.status;
    workspace_try_keys(&work);
    if (!workspace_begin_snapshot(&work))
        return work.status;
    name = memory_copy_text(options.operands[0]);
    text_lower_ascii(name, strlen(name));
    return strchr(name, '@') != NULL ? show_address(&work, name, is_json, is_shown)
                                     : show_person(&work, name, is_json, is_shown);
}

const struct command command_show = {
    .name = "show",
    .usage = "NAME|ADDRESS [--json] [--show-targets]",
    .help = "show a person or an alias",
    .run = run,
};
