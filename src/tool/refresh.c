#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "action/proof.h"
#include "action/refresh.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "launchpad/fetch.h"
#include "tool/console.h"
#include "tool/notify_run.h"
#include "tool/options.h"
#include "tool/proof_check.h"
#include "tool/refresh_report.h"
#include "tool/stopwatch.h"
#include "tool/workspace.h"

/* 300 000 people with the usual page; what comes after it is a fault and not a team. */
#define PAGE_LIMIT 1000

/* One refresh on its way. */
struct refresh {
    struct workspace work;
    bool is_dry, is_quiet, is_json;
    int lock_fd;
    struct refresh_request request;  /* domains are those that were chosen */
    struct credentials *credentials; /* NULL: anonymous */
    const char **teams;              /* of the domains and their admins, each once */
    struct listing *listings;        /* of teams, in the same order */
    size_t team_count;
};

static void refresh_finish(struct refresh *refresh)
{
    for (size_t i = 0; i < refresh->team_count && refresh->listings != NULL; i++)
        listing_finish(&refresh->listings[i]);
    free(refresh->listings);
    free(refresh->teams);
    credentials_destroy(refresh->credentials);
    free(refresh->request.domains);
    workspace_finish(&refresh->work);
    file_close_at(&refresh->lock_fd);
}

/* ---- what is to be refreshed ---- */

static bool is_wanted(const char *domain, const char *const *wanted, size_t wanted_count)
{
    for (size_t i = 0; i < wanted_count; i++)
        if (strcmp(domain, wanted[i]) == 0)
            return true;
    return wanted_count == 0;
}

static void add_team(struct refresh *refresh, const char *team)
{
    for (size_t i = 0; i < refresh->team_count; i++)
        if (strcmp(refresh->teams[i], team) == 0)
            return;
    refresh->teams[refresh->team_count++] = team;
}

static void choose_domains(struct refresh *refresh, const char *const *wanted, size_t wanted_count)
{
    const struct config *config = refresh->work.config;
    refresh->request.domains = memory_new(config->domain_count, sizeof(struct refresh_domain));
    refresh->teams = memory_new(2 * config->domain_count, sizeof(*refresh->teams));
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        if (!is_wanted(domain->name, wanted, wanted_count))
            continue;
        add_team(refresh, domain->team);
        if (domain->admin_team != NULL)
            add_team(refresh, domain->admin_team);
        refresh->request.domains[refresh->request.domain_count++] =
            (struct refresh_domain){.domain = domain->name, .team = domain->team};
    }
}

/* --domain as it was written: each must be a configured one. */
static bool read_domains(struct refresh *refresh, const struct option_values *wanted)
{
    char **names = memory_new(wanted->count, sizeof(*names));
    bool is_fine = true;
    for (size_t i = 0; i < wanted->count && is_fine; i++)
        is_fine = workspace_read_domain(&refresh->work, wanted->items[i], &names[i]) &&
                  (config_find_domain(refresh->work.config, names[i]) != NULL ||
                   workspace_fail(&refresh->work, EXIT_USAGE, "%s is not in the configuration",
                                  names[i]));
    if (is_fine)
        choose_domains(refresh, (const char *const *)names, wanted->count);
    for (size_t i = 0; i < wanted->count; i++)
        free(names[i]);
    free(names);
    return is_fine;
}

/* ---- fetching ---- */

/* Before the owner of the cache is taken on: the file belongs to the one who calls. */
static bool read_credentials(struct refresh *refresh)
{
    const char *path = refresh->work.config->launchpad.credentials;
    struct error error = {0};
    return path == NULL || credentials_read(path, &refresh->credentials, &error) ||
           workspace_fail(&refresh->work, EXIT_FAILED, "%s", error.text);
}

/* One line, written over and over. */
static void show_progress(void *context, const char *team, size_t seen, size_t total)
{
    (void)context;
    if (total != 0)
        fprintf(stderr, "\r\033[K~%s %zu/%zu", team, seen, total);
    else
        fprintf(stderr, "\r\033[K~%s %zu", team, seen);
    fflush(stderr);
}

static const struct listing *listing_of(const struct refresh *refresh, const char *team)
{
    for (size_t i = 0; i < refresh->team_count; i++)
        if (strcmp(refresh->teams[i], team) == 0)
            return &refresh->listings[i];
    return NULL;
}

static void hand_out_listings(struct refresh *refresh)
{
    for (size_t i = 0; i < refresh->request.domain_count; i++) {
        struct refresh_domain *domain = &refresh->request.domains[i];
        const char *admin_team =
            config_find_domain(refresh->work.config, domain->domain)->admin_team;
        domain->listing = listing_of(refresh, domain->team);
        domain->admin_listing = admin_team != NULL ? listing_of(refresh, admin_team) : NULL;
    }
}

static bool fetch(struct refresh *refresh)
{
    const struct config_launchpad *config = &refresh->work.config->launchpad;
    const struct fetch_settings settings = {
        .api = config->api,
        .credentials = refresh->credentials,
        .page_size = config->page_size,
        .concurrency = config->concurrency,
        .retries = config->retries,
        .retry_delay_ms = config->retry_delay_ms,
        .request_timeout_ms = config->request_timeout_ms,
        .total_timeout_ms = config->total_timeout_ms,
        .response_limit_bytes = config->response_limit_bytes,
        .page_limit = PAGE_LIMIT,
    };
    static const struct fetch_progress progress = {show_progress, NULL};
    bool is_shown = isatty(STDERR_FILENO) && !refresh->is_quiet;
    struct error error = {0};
    refresh->listings = memory_new(refresh->team_count, sizeof(*refresh->listings));
    bool is_fetched =
        fetch_listings(&settings, refresh->teams, refresh->team_count, timestamp_now_s(),
                       is_shown ? &progress : NULL, refresh->listings, &error);
    if (is_shown)
        fputs("\r\033[K", stderr);
    if (!is_fetched)
        return workspace_fail(&refresh->work, EXIT_FAILED, "%s", error.text);
    hand_out_listings(refresh);
    return true;
}

/* ---- the whole ---- */

static bool lock(struct refresh *refresh)
{
    struct error error = {0};
    if (refresh->is_dry ||
        store_lock_refresh(refresh->work.config->cache, &refresh->lock_fd, &error))
        return true;
    return error.kind == ERROR_BUSY
               ? workspace_fail(&refresh->work, EXIT_BUSY, "another refresh is running")
               : workspace_fail(&refresh->work, EXIT_FAILED, "%s", error.text);
}

static bool open_cache(struct refresh *refresh)
{
    struct workspace *work = &refresh->work;
    return workspace_read_keys(work) &&
           (refresh->is_dry ? workspace_open_cache(work, STORE_READ) : workspace_make_cache(work));
}

/* What cannot be told is said and changes nothing; only a cache that cannot be written fails. */
static bool verify_domains(struct refresh *refresh)
{
    struct workspace *work = &refresh->work;
    CLEANUP(proof_check_finish) struct proof_check check = proof_check_begin(work->config);
    struct action action = workspace_action(work);
    struct store_update_result result;
    struct error error = {0};
    if (refresh->is_dry)
        return true;
    for (size_t i = 0; i < refresh->request.domain_count; i++)
        proof_check_add(&check, work->config, refresh->request.domains[i].domain);
    proof_check_ask(&check, work->config, refresh->is_quiet);
    for (size_t i = 0; i < check.count; i++)
        if (check.answers[i].verdict == DOMAINCHECK_CANNOT_TELL)
            console_complain("%s: cannot tell whether its TXT record is there: %s",
                             check.answers[i].domain, check.answers[i].reason);
    return action_proof(&action, check.answers, check.count, &result, &error) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

/* Rows that somebody changes from now on are left alone. */
static bool note_generation(struct refresh *refresh)
{
    struct workspace *work = &refresh->work;
    if (!workspace_begin_snapshot(work))
        return false;
    refresh->request.fetch_generation = snapshot_generation(work->snapshot);
    snapshot_end(work->snapshot);
    work->snapshot = NULL;
    return true;
}

static enum exit_status apply(struct refresh *refresh)
{
    struct action action = workspace_action(&refresh->work);
    struct refresh_result result = {.is_dry = refresh->is_dry};
    struct error error = {0};
    struct stopwatch watch;
    int64_t began_ms = timestamp_monotonic_ms();
    stopwatch_begin(&watch, "planning and writing");
    bool is_done =
        action_refresh(&action, &refresh->request, refresh->is_dry, &result.update, &error);
    stopwatch_end(&watch);
    if (!is_done) {
        console_complain("%s", error.text);
        return EXIT_FAILED;
    }
    result.apply_ms = timestamp_monotonic_ms() - began_ms;
    if (refresh->is_json)
        refresh_report_print_json(&refresh->request, &result);
    else if (!refresh->is_quiet)
        refresh_report_print(&refresh->request, &result);
    refresh_report_complain(&refresh->request);
    return refresh_report_status(&refresh->request);
}

static enum exit_status refresh_domains(struct refresh *refresh, const struct call *call,
                                        const struct option_values *wanted)
{
    if (!workspace_read_config(&refresh->work, call) || !read_domains(refresh, wanted) ||
        !read_credentials(refresh) || !workspace_take_on_owner(&refresh->work) || !lock(refresh) ||
        !open_cache(refresh) || !verify_domains(refresh) || !note_generation(refresh) ||
        !fetch(refresh))
        return refresh->work.status;
    return apply(refresh);
}

static enum exit_status run(const struct call *call)
{
    CLEANUP(options_finish) struct options options = {0};
    CLEANUP(option_values_finish) struct option_values wanted = {0};
    CLEANUP(refresh_finish) struct refresh refresh = {.lock_fd = -1};
    const struct option_row rows[] = {
        {'n', "dry-run", .help = "write nothing, say what would change", .flag = &refresh.is_dry},
        {'d', "domain", "D", "this domain only; may be given several times", .values = &wanted},
        {0, "json", .help = "print one JSON object", .flag = &refresh.is_json},
        {'q', "quiet", .help = "say only what went wrong", .flag = &refresh.is_quiet},
    };
    if (!options_take(&options, call, rows, ARRAY_LENGTH(rows), 0, 0))
        return options.status;
    enum exit_status status = refresh_domains(&refresh, call, &wanted);
    if (!refresh.is_dry) {
        file_close_at(&refresh.lock_fd); /* no refresh waits for a mail server */
        notify_run_after(&refresh.work, !refresh.is_quiet);
    }
    return status;
}

const struct command command_refresh = {
    .name = "refresh",
    .usage = "[--dry-run] [--domain D]... [--json] [-q]",
    .help = "fetch the teams from Launchpad and bring the aliases up to date",
    .run = run,
};
