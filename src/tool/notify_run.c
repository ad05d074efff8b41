#include "tool/notify_run.h"

#include <stdlib.h>

#include "action/alarm.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "tool/console.h"

/* A refresh comes every ten minutes and goes on where the one before has ended. */
#define AFTER_LIMIT_MS 120000

/* ---- settings ---- */

static enum smtp_starttls starttls_of(enum config_starttls starttls)
{
    switch (starttls) {
    case CONFIG_STARTTLS_NEVER:
        return SMTP_STARTTLS_NEVER;
    case CONFIG_STARTTLS_MAY:
        return SMTP_STARTTLS_MAY;
    case CONFIG_STARTTLS_MUST:
        break;
    }
    return SMTP_STARTTLS_MUST;
}

static struct notify_domain *make_domains(const struct config *config)
{
    struct notify_domain *domains = memory_new(config->domain_count, sizeof(*domains));
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        domains[i] = (struct notify_domain){
            .name = domain->name,
            .team = domain->team,
            .notices = (const char *const *)domain->notices.items,
            .notice_count = domain->notices.count,
            .grace_s = domain->grace_ms / 1000,
            .rejects_in_grace = domain->rejects_in_grace,
        };
    }
    return domains;
}

static void make_settings(const struct config *config, struct notify_settings *ret)
{
    const struct config_notify *notify = &config->notify;
    const char *from = notify->from != NULL ? notify->from : config->alerts;
    *ret = (struct notify_settings){
        .domains = make_domains(config),
        .domain_count = config->domain_count,
        .alerts = config->alerts,
        .from = from,
        .sender = notify->null_sender ? "" : from,
        .templates = notify->templates,
        .server =
            {
                .url = notify->smtp,
                .starttls = starttls_of(notify->starttls),
                .ca_file = notify->ca_file,
                .user = notify->user,
                .password_file = notify->password_file,
                .timeout_ms = notify->timeout_ms,
            },
    };
}

static void settings_finish(struct notify_settings *settings)
{
    free((void *)settings->domains);
}

/* ---- the run ---- */

/* On a line of its own, and not behind what tells how far the run is. */
static void complain(void *context, const char *text)
{
    console_progress_end(context);
    console_complain("%s", text);
}

static void show_progress(void *context, size_t mails)
{
    console_progress_step(context, mails);
}

static bool look_for_alarms(struct workspace *work, size_t *ret_count)
{
    const struct action action = workspace_action(work);
    const struct alarm_limits limits = {
        .stale_s = work->config->refresh.stale_after_ms / 1000,
        .cache_limit_bytes = work->config->cache_limit_bytes,
    };
    struct store_update_result result;
    struct error error = {0};
    return action_alarm(&action, &limits, ret_count, &result, &error) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

static struct delivery make_delivery(const struct workspace *work,
                                     const struct notify_settings *settings,
                                     const struct template_set *templates, int64_t limit_ms,
                                     struct console_progress *progress)
{
    return (struct delivery){
        .store = work->store,
        .ring = work->ring,
        .settings = settings,
        .templates = templates,
        .actor = "notify",
        .now_s = timestamp_now_s(),
        .deadline_ms = limit_ms == INT64_MAX ? INT64_MAX : timestamp_monotonic_ms() + limit_ms,
        .complain = complain,
        .context = progress,
    };
}

static bool drain(struct workspace *work, int64_t limit_ms, bool is_shown,
                  struct delivery_report *ret)
{
    CLEANUP(settings_finish) struct notify_settings settings = {0};
    struct console_progress progress;
    struct error error = {0};
    make_settings(work->config, &settings);
    console_progress_begin(&progress, "mails handed over");
    struct template_set *templates = template_set_create(settings.templates, complain, &progress);
    struct delivery delivery = make_delivery(work, &settings, templates, limit_ms, &progress);
    delivery.progress = is_shown ? show_progress : NULL;
    bool is_run = delivery_run(&delivery, ret, &error);
    console_progress_end(&progress);
    template_set_destroy(templates);
    return is_run || workspace_fail(work, EXIT_FAILED, "notices wait: %s", error.text);
}

bool notify_run(struct workspace *work, int64_t limit_ms, bool is_shown,
                struct notify_run_result *ret)
{
    CLEANUP(file_close_at) int lock_fd = -1;
    struct error error = {0};
    *ret = (struct notify_run_result){0};
    if (!look_for_alarms(work, &ret->alarm_count))
        return false;
    if (!store_lock_notify(work->config->cache, &lock_fd, &error)) {
        if (error.kind != ERROR_BUSY)
            return workspace_fail(work, EXIT_FAILED, "%s", error.text);
        work->status = EXIT_BUSY;
        return false;
    }
    return drain(work, limit_ms, is_shown, &ret->report);
}

void notify_run_after(struct workspace *work, bool is_shown)
{
    struct notify_run_result result;
    if (work->store == NULL)
        return;
    enum exit_status status = work->status;
    /* What went wrong has been told, and a drain that runs elsewhere is as good. */
    bool is_run = notify_run(work, AFTER_LIMIT_MS, is_shown, &result);
    (void)is_run;
    work->status = status;
}

bool notify_send_test(struct workspace *work, const char *recipient)
{
    CLEANUP(settings_finish) struct notify_settings settings = {0};
    struct console_progress progress = {0}; /* of one mail there is none */
    struct error error = {0};
    make_settings(work->config, &settings);
    struct template_set *templates = template_set_create(settings.templates, complain, &progress);
    const struct delivery delivery =
        make_delivery(work, &settings, templates, INT64_MAX, &progress);
    bool is_sent = delivery_send_test(&delivery, recipient, &error) ||
                   workspace_fail(work, EXIT_FAILED, "not sent: %s", error.text);
    template_set_destroy(templates);
    return is_sent;
}

static void count_complaint(void *context, const char *text)
{
    size_t *count = context;
    ++*count;
    console_complain("%s", text);
}

bool notify_check_templates(const struct config *config)
{
    size_t complaints = 0;
    if (config->notify.templates != NULL)
        template_set_destroy(
            template_set_create(config->notify.templates, count_complaint, &complaints));
    return complaints == 0;
}
