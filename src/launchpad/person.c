#include "launchpad/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timestamp.h"
#include "launchpad/judge.h"
#include "launchpad/link.h"
#include "launchpad/listing.h"
#include "launchpad/outcome.h"
#include "launchpad/page.h"
#include "launchpad/retry.h"

/* How often the teams are read again from their first page because the table moved. */
#define RESTARTS_MAX 1

struct person_look {
    struct transfer_pool *pool;
    struct person_settings settings;
    int64_t deadline_ms;
    char *login_url;
    char *collection; /* of the teams; NULL until it is known whose */
    struct judge judge;
    struct page_entry person;
    char **names; /* of the teams that are asked about */
    struct person_team *teams;
    size_t team_count;
    enum person_answer answer;
    unsigned tries; /* of the request that is under way */
    unsigned restarts;
    enum transfer_family family;
    void (*finished)(void *context, const struct person_sight *sight);
    void *context;
};

void person_look_abandon(struct person_look *look)
{
    if (look == NULL)
        return;
    for (size_t i = 0; i < look->team_count; i++)
        free(look->names[i]);
    free(look->names);
    free(look->teams);
    judge_finish(&look->judge);
    free(look->person.name);
    free(look->collection);
    free(look->login_url);
    free(look);
}

static void end(struct person_look *look, const char *problem)
{
    struct person_sight sight = {
        .answer = look->answer,
        .name = look->person.name,
        .date_created_us = look->person.date_created_us,
        .is_valid = look->person.is_valid,
        .is_ubuntu_coc_signer = look->person.is_ubuntu_coc_signer,
        .teams = look->teams,
        .problem = problem,
    };
    look->finished(look->context, &sight);
    person_look_abandon(look);
}

static const char *current_url(const struct person_look *look)
{
    return look->collection != NULL ? look->judge.url : look->login_url;
}

static void end_failed(struct person_look *look, const char *what)
{
    CLEANUP(buffer_finish) struct buffer problem = {0};
    buffer_appendf(&problem, "%s: %s", current_url(look), what);
    end(look, buffer_text(&problem));
}

static void answered(void *context, const struct transfer_result *result);

/* start_at_ms 0: now. */
static void request_send(struct person_look *look, int64_t start_at_ms)
{
    const struct person_settings *settings = &look->settings;
    int64_t now_ms = timestamp_monotonic_ms();
    int64_t left_ms = look->deadline_ms - (start_at_ms > now_ms ? start_at_ms : now_ms);
    if (left_ms <= 0) {
        end_failed(look, "no time is left for it");
        return;
    }
    look->tries++;
    transfer_pool_start(look->pool, &(struct transfer_request){
                                        .url = current_url(look),
                                        .accept = "application/json",
                                        .family = look->family,
                                        .start_at_ms = start_at_ms,
                                        .timeout_ms = settings->request_timeout_ms < left_ms
                                                          ? settings->request_timeout_ms
                                                          : left_ms,
                                        .limit_bytes = settings->response_limit_bytes,
                                        .finished = answered,
                                        .context = look,
                                    });
}

static void request_begin(struct person_look *look, int64_t start_at_ms)
{
    look->tries = 0;
    look->family = TRANSFER_ANY_FAMILY;
    request_send(look, start_at_ms);
}

static void pages_begin(struct person_look *look, int64_t start_at_ms)
{
    judge_finish(&look->judge);
    judge_begin(&look->judge, look->collection, look->settings.page_size,
                look->settings.page_limit);
    request_begin(look, start_at_ms);
}

static void say_no_where_unknown(struct person_look *look)
{
    for (size_t i = 0; i < look->team_count; i++)
        if (look->teams[i].membership == PERSON_MEMBERSHIP_UNKNOWN)
            look->teams[i].membership = PERSON_IS_NO_MEMBER;
}

static void handle_login(struct person_look *look, struct span body)
{
    struct error error = {0};
    bool is_there;
    if (!page_read_person(body, &look->person, &is_there, &error)) {
        end_failed(look, error.text);
        return;
    }
    if (!is_there) {
        look->answer = PERSON_ABSENT;
        end(look, "");
        return;
    }
    if (strlen(look->person.name) > LISTING_NAME_MAX_BYTES) {
        end_failed(look, "the name is too long for a mail address");
        return;
    }
    look->answer = PERSON_FOUND;
    look->collection = link_to_super_teams(look->settings.api, look->person.name);
    pages_begin(look, 0);
}

/* Being on one page is enough to be in a team, whatever the other pages are worth. */
static void note_team(struct person_look *look, const struct page_entry *entry)
{
    for (size_t i = 0; entry->is_team && i < look->team_count; i++)
        if (strcmp(look->names[i], entry->name) == 0)
            look->teams[i] = (struct person_team){PERSON_IS_MEMBER, entry->date_created_us};
}

/* The table moved under the paging; it may be calmer after a moment. */
static void handle_move(struct person_look *look, const struct error *error)
{
    if (look->restarts == RESTARTS_MAX) {
        end_failed(look, error->text);
        return;
    }
    look->restarts++;
    pages_begin(look, timestamp_monotonic_ms() +
                          retry_backoff_ms(look->restarts, look->settings.retry_delay_ms));
}

static void handle_page(struct person_look *look, struct span body)
{
    struct error error = {0};
    struct page page;
    if (!page_read(body, NULL, &page, &error)) {
        end_failed(look, error.text);
        return;
    }
    for (size_t i = 0; i < page.entry_count; i++)
        note_team(look, &page.entries[i]);
    enum judge_verdict verdict = judge_page(&look->judge, &page, &error);
    page_finish(&page);
    switch (verdict) {
    case JUDGE_MORE:
        request_begin(look, 0);
        break;
    case JUDGE_COMPLETE:
        say_no_where_unknown(look);
        end(look, "");
        break;
    case JUDGE_MOVED:
        handle_move(look, &error);
        break;
    case JUDGE_UNUSABLE:
        end_failed(look, error.text);
        break;
    }
}

static void handle_failure(struct person_look *look, const struct transfer_result *result)
{
    CLEANUP(buffer_finish) struct buffer what = {0};
    int64_t now_ms = timestamp_monotonic_ms();
    int64_t wait_ms;
    if (retry_is_transient(result) && look->tries <= look->settings.retries &&
        retry_wait_ms(result, look->tries, look->settings.retry_delay_ms,
                      look->deadline_ms - now_ms, &wait_ms, NULL)) {
        look->family = retry_family(result, look->family);
        request_send(look, now_ms + wait_ms);
        return;
    }
    outcome_append(&what, result, false);
    end_failed(look, buffer_text(&what));
}

static void answered(void *context, const struct transfer_result *result)
{
    struct person_look *look = context;
    if (result->outcome != TRANSFER_ANSWERED || result->status != 200) {
        /* All pages of a suspended account say so (facts 4.1): it is as good as in no team. */
        if (look->collection != NULL && result->outcome == TRANSFER_ANSWERED &&
            result->status == 410) {
            look->person.is_valid = false;
            say_no_where_unknown(look);
            end(look, "");
            return;
        }
        handle_failure(look, result);
    } else if (!outcome_is_json(result)) {
        end_failed(look, "answered 200 with no JSON");
    } else if (look->collection != NULL) {
        handle_page(look, result->body);
    } else {
        handle_login(look, result->body);
    }
}

struct person_look *
person_look_begin(struct transfer_pool *pool, const struct person_settings *settings,
                  const char *identifier, const char *const *teams, size_t team_count,
                  void (*finished)(void *context, const struct person_sight *sight), void *context)
{
    struct person_look *look = memory_new(1, sizeof(*look));
    *look = (struct person_look){
        .pool = pool,
        .settings = *settings,
        .deadline_ms = timestamp_monotonic_ms() + settings->total_timeout_ms,
        .login_url = link_to_login(settings->api, identifier),
        .names = memory_new(team_count, sizeof(*look->names)),
        .teams = memory_new(team_count, sizeof(*look->teams)),
        .team_count = team_count,
        .finished = finished,
        .context = context,
    };
    for (size_t i = 0; i < team_count; i++)
        look->names[i] = memory_copy_text(teams[i]);
    request_begin(look, 0);
    return look;
}
