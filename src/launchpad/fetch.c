#include "launchpad/fetch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "launchpad/judge.h"
#include "launchpad/link.h"
#include "launchpad/outcome.h"
#include "launchpad/page.h"
#include "launchpad/retry.h"
#include "transfer/transfer.h"

/* How often a team is read again from its first page because the table moved. */
#define RESTARTS_MAX 2

struct fetch {
    const struct fetch_settings *settings;
    const struct fetch_progress *progress;
    struct transfer_pool *pool;
    int64_t deadline_ms;
};

/* One team under way: first `~team`, then its pages one after the other. */
struct team_fetch {
    struct fetch *fetch;
    struct listing *listing;
    char *team_url;
    char *collection;
    struct judge judge;
    bool is_team_known; /* `~team` was read and is what it should be */
    unsigned restarts;
    unsigned tries; /* of the request that is under way */
    enum transfer_family family;
    int64_t began_ms;
};

static const char *current_url(const struct team_fetch *team)
{
    return team->is_team_known ? team->judge.url : team->team_url;
}

static void end_unusable(struct team_fetch *team, const char *what)
{
    struct listing *listing = team->listing;
    struct buffer reason = {0};
    buffer_appendf(&reason, "~%s: %s: %s", listing->team, current_url(team), what);
    buffer_text(&reason);
    listing->verdict = LISTING_UNUSABLE;
    listing->reason = reason.data;
    listing->url = memory_copy_text(current_url(team));
    listing->total_size = team->judge.total_size;
    listing->duration_ms = timestamp_monotonic_ms() - team->began_ms;
}

static void end_usable(struct team_fetch *team)
{
    judge_fill(&team->judge, team->listing);
    team->listing->verdict = LISTING_USABLE;
    team->listing->duration_ms = timestamp_monotonic_ms() - team->began_ms;
}

static void team_answered(void *context, const struct transfer_result *result);

/* With a header of its own, as no nonce is used twice. */
static void request_send(struct team_fetch *team, int64_t start_at_ms)
{
    const struct fetch_settings *settings = team->fetch->settings;
    struct buffer authorization = {0};
    if (settings->credentials != NULL)
        credentials_append_header(settings->credentials, settings->api, timestamp_now_s(),
                                  &authorization);
    team->tries++;
    transfer_pool_start(
        team->fetch->pool,
        &(struct transfer_request){
            .url = current_url(team),
            .accept = "application/json",
            .authorization = authorization.length != 0 ? buffer_text(&authorization) : NULL,
            .family = team->family,
            .start_at_ms = start_at_ms,
            .timeout_ms = settings->request_timeout_ms,
            .limit_bytes = settings->response_limit_bytes,
            .finished = team_answered,
            .context = team,
        });
    if (authorization.data != NULL)
        sodium_memzero(authorization.data, authorization.capacity);
    buffer_finish(&authorization);
}

static void request_begin(struct team_fetch *team, int64_t start_at_ms)
{
    team->tries = 0;
    team->family = TRANSFER_ANY_FAMILY;
    request_send(team, start_at_ms);
}

static void pages_begin(struct team_fetch *team, int64_t start_at_ms)
{
    const struct fetch_settings *settings = team->fetch->settings;
    judge_finish(&team->judge);
    judge_begin(&team->judge, team->collection, settings->page_size, settings->page_limit);
    request_begin(team, start_at_ms);
}

static void report_progress(struct team_fetch *team)
{
    const struct fetch_progress *progress = team->fetch->progress;
    if (progress != NULL)
        progress->report(progress->context, team->listing->team, team->judge.entry_count,
                         team->judge.total_size);
}

static void end_expired(struct team_fetch *team)
{
    char what[128];
    snprintf(what, sizeof(what),
             "took longer than %g s for all teams; %zu of %zu entries were read",
             (double)team->fetch->settings->total_timeout_ms / 1000, team->judge.entry_count,
             team->judge.total_size);
    end_unusable(team, what);
}

/* The request failed and is not sent again; why_not says why, unless it is "". */
static void end_failed(struct team_fetch *team, const struct transfer_result *result,
                       const char *why_not)
{
    struct buffer what = {0};
    bool is_logged_in = team->fetch->settings->credentials != NULL;
    outcome_append(&what, result, is_logged_in);
    if (team->tries > 1)
        buffer_appendf(&what, ", tried %u times", team->tries);
    if (is_logged_in && result->outcome == TRANSFER_ANSWERED && result->status == 401)
        buffer_append_text(&what, ": Launchpad refuses the credentials");
    if (*why_not != '\0')
        buffer_appendf(&what, "; %s", why_not);
    end_unusable(team, buffer_text(&what));
    buffer_finish(&what);
}

static void handle_failure(struct team_fetch *team, const struct transfer_result *result)
{
    const struct fetch *fetch = team->fetch;
    struct error why_not = {0};
    int64_t now_ms = timestamp_monotonic_ms();
    int64_t wait_ms;
    if (!retry_is_transient(result) || team->tries > fetch->settings->retries ||
        !retry_wait_ms(result, team->tries, fetch->settings->retry_delay_ms,
                       fetch->deadline_ms - now_ms, &wait_ms, &why_not)) {
        end_failed(team, result, why_not.text);
        return;
    }
    team->listing->retries++;
    team->family = retry_family(result, team->family);
    request_send(team, now_ms + wait_ms);
}

/* The table moved under the paging; it may be calmer after a moment. */
static void handle_move(struct team_fetch *team, const struct error *error)
{
    if (team->restarts == RESTARTS_MAX) {
        struct error whole = *error;
        error_prefix(&whole, "read %d times", RESTARTS_MAX + 1);
        end_unusable(team, whole.text);
        return;
    }
    team->restarts++;
    pages_begin(team, timestamp_monotonic_ms() +
                          retry_backoff_ms(team->restarts, team->fetch->settings->retry_delay_ms));
}

static void handle_team(struct team_fetch *team, struct span body)
{
    struct error error;
    struct page_team entry;
    if (!page_read_team(body, &entry, &error)) {
        end_unusable(team, error.text);
        return;
    }
    bool ok = judge_team(&entry, team->listing->team, &error);
    team->listing->team_date_created_us = ok ? entry.date_created_us : 0;
    page_team_finish(&entry);
    if (!ok) {
        end_unusable(team, error.text);
        return;
    }
    team->is_team_known = true;
    pages_begin(team, 0);
}

static void handle_verdict(struct team_fetch *team, enum judge_verdict verdict,
                           const struct error *error)
{
    switch (verdict) {
    case JUDGE_MORE:
        report_progress(team);
        request_begin(team, 0);
        break;
    case JUDGE_COMPLETE:
        report_progress(team);
        end_usable(team);
        break;
    case JUDGE_MOVED:
        handle_move(team, error);
        break;
    case JUDGE_UNUSABLE:
        end_unusable(team, error->text);
        break;
    }
}

static void handle_page(struct team_fetch *team, struct span body)
{
    struct error error = {0};
    struct page page;
    const struct fetch_settings *settings = team->fetch->settings;
    const char *email_api = settings->credentials != NULL ? settings->api : NULL;
    if (!page_read(body, email_api, &page, &error)) {
        end_unusable(team, error.text);
        return;
    }
    enum judge_verdict verdict = judge_page(&team->judge, &page, &error);
    page_finish(&page);
    handle_verdict(team, verdict, &error);
}

static void handle_answer(struct team_fetch *team, const struct transfer_result *result)
{
    if (!outcome_is_json(result)) {
        struct buffer what = {0};
        buffer_append_text(&what, "answered 200 with no JSON but \"");
        text_append_escaped(&what, result->content_type);
        buffer_append_char(&what, '"');
        end_unusable(team, buffer_text(&what));
        buffer_finish(&what);
    } else if (team->is_team_known) {
        handle_page(team, result->body);
    } else {
        handle_team(team, result->body);
    }
}

static void team_answered(void *context, const struct transfer_result *result)
{
    struct team_fetch *team = context;
    if (result->sent)
        team->listing->requests++;
    if (result->outcome == TRANSFER_EXPIRED)
        end_expired(team);
    else if (result->outcome == TRANSFER_ANSWERED && result->status == 200)
        handle_answer(team, result);
    else
        handle_failure(team, result);
}

static void team_begin(struct team_fetch *team, struct fetch *fetch, const char *name,
                       int64_t now_s, struct listing *listing)
{
    *listing = (struct listing){.team = memory_copy_text(name), .fetch_began_s = now_s};
    *team = (struct team_fetch){
        .fetch = fetch,
        .listing = listing,
        .team_url = link_to_team(fetch->settings->api, name),
        .collection = link_to_participants(fetch->settings->api, name),
        .began_ms = timestamp_monotonic_ms(),
    };
    request_begin(team, 0);
}

static void team_finish(struct team_fetch *team)
{
    judge_finish(&team->judge);
    free(team->team_url);
    free(team->collection);
}

bool fetch_listings(const struct fetch_settings *settings, const char *const *teams, size_t count,
                    int64_t now_s, const struct fetch_progress *progress, struct listing *listings,
                    struct error *error)
{
    struct fetch fetch = {.settings = settings, .progress = progress};
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot set up libsodium");
    if (settings->credentials != NULL && !credentials_are_safe_to_send(settings->api))
        return error_set(error, ERROR_INVALID,
                         "credentials are not sent to %s: only https keeps them secret",
                         settings->api);
    if (!transfer_pool_create(settings->concurrency, &fetch.pool, error))
        return false;
    fetch.deadline_ms = timestamp_monotonic_ms() + settings->total_timeout_ms;
    struct team_fetch *fetches = memory_new(count, sizeof(*fetches));
    for (size_t i = 0; i < count; i++)
        team_begin(&fetches[i], &fetch, teams[i], now_s, &listings[i]);
    transfer_pool_run(fetch.pool, fetch.deadline_ms);
    for (size_t i = 0; i < count; i++)
        team_finish(&fetches[i]);
    free(fetches);
    transfer_pool_destroy(fetch.pool);
    return true;
}
