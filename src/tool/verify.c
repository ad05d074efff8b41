/* verify: recomputes what follows from the rows of the cache, and lists what is another. */
#include "membership/verify.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/options.h"
#include "tool/workspace.h"

#define PROGRESS_ROWS 1000 /* between two looks at the clock */

/* What is told of the walk. */
struct verify_view {
    json_t *differences; /* NULL: lines */
    size_t count;
    size_t rows;
    struct console_progress progress;
};

static void differs(void *context, const char *domain, const char *subject, const char *text)
{
    struct verify_view *view = context;
    CLEANUP(buffer_finish) struct buffer visible = {0};
    view->count++;
    if (view->differences != NULL) {
        json_t *object = json_object();
        json_object_set_new(object, "domain", json_from_optional(span_of(domain)));
        json_object_set_new(object, "subject", json_from_span(span_of(subject)));
        json_object_set_new(object, "difference", json_string(text));
        json_array_append_new(view->differences, object);
        return;
    }
    console_append_visible(&visible, subject);
    if (*domain != '\0') {
        buffer_append_char(&visible, '@');
        console_append_visible(&visible, domain);
    }
    console_progress_end(&view->progress);
    printf("%s %s\n", buffer_text(&visible), text);
}

static void progress(void *context, size_t rows)
{
    struct verify_view *view = context;
    view->rows = rows;
    if (rows % PROGRESS_ROWS == 0)
        console_progress_step(&view->progress, rows);
}

static enum exit_status verify(struct workspace *work, struct verify_view *view)
{
    struct error error = {0};
    const struct planning planning = {
        .house = work->house,
        .ring = work->ring,
        .actor = work->actor,
        .now_s = timestamp_now_s(),
        .is_time_trusted = false, /* no grace ends by looking */
        .snapshot = work->snapshot,
    };
    const struct verify_watch watch = {differs, progress, view};
    console_progress_begin(&view->progress, "rows compared");
    bool is_done = verify_cache(&planning, &watch, &error);
    console_progress_end(&view->progress);
    if (!is_done) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    if (view->differences != NULL)
        json_print(json_incref(view->differences));
    else if (view->count == 0)
        printf("%zu rows; nothing differs\n", view->rows);
    else
        printf("%zu rows; %zu differ\n", view->rows, view->count);
    return view->count == 0 ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status run(const struct call *call)
{
    bool is_json = false;
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(workspace_finish) struct workspace work = {0};
    const struct option_row rows[] = {
        {0, "json", .help = "print a JSON array of what differs", .flag = &is_json},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    if (!workspace_read_config(&work, call) || !workspace_take_on_owner(&work) ||
        !workspace_read_keys(&work) || !workspace_begin_snapshot(&work))
        return work.status;
    struct verify_view view = {.differences = is_json ? json_array() : NULL};
    enum exit_status status = verify(&work, &view);
    json_decref(view.differences);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .usage = "[--json]",
    .help = "recompute all aliases from what they follow from; 1 if one differs",
    .run = run,
};
