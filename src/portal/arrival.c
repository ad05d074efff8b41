#include "portal/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "launchpad/person.h"
#include "openid/answer.h"
#include "portal/admission.h"
#include "portal/answer.h"
#include "portal/cookie.h"
#include "portal/login.h"
#include "portal/rate.h"
#include "state/bucket.h"
#include "state/nonce.h"
#include "state/pending_login.h"
#include "transfer/transfer.h"

enum {
    VERIFICATION_TIMEOUT_MS = 10 * 1000,
    VERIFICATION_MAX_BYTES = 16 * 1024, /* it is two lines */
};

static void arrival_free(struct arrival *arrival)
{
    LIST_REMOVE(arrival, entry);
    openid_assertion_destroy(arrival->assertion);
    buffer_finish(&arrival->return_path);
    free(arrival);
}

static void leave(struct arrival *arrival, const char *location)
{
    struct call *call = arrival->call;
    cookie_append(call_add_cookie(call), COOKIE_LOGIN, "", COOKIE_NONE, 0);
    answer_redirect(call, location);
    arrival_free(arrival);
}

void arrival_end_by_problem(struct arrival *arrival, const char *code)
{
    CLEANUP(buffer_finish) struct buffer location = {0};
    buffer_appendf(&location, LOGIN_PROBLEM "%s", code);
    leave(arrival, buffer_text(&location));
}

void arrival_end(struct arrival *arrival)
{
    leave(arrival, buffer_text(&arrival->return_path));
}

void arrival_abandon_all(struct portal *portal)
{
    struct arrival *arrival;
    while ((arrival = LIST_FIRST(&portal->arrivals)) != NULL) {
        person_look_abandon(arrival->look);
        call_free(arrival->call);
        arrival_free(arrival);
    }
}

/* ---- refusals ---- */

static const char *problem_of(enum openid_refusal_reason reason)
{
    switch (reason) {
    case OPENID_REFUSAL_STATE:
    case OPENID_REFUSAL_NONCE_TIME:
        return "expired";
    case OPENID_REFUSAL_CANNOT_VERIFY:
        return "unavailable";
    case OPENID_REFUSAL_PROVIDER_ERROR:
        return "other";
    default:
        return "refused";
    }
}

/* account: the claimed identifier once the provider has confirmed it, else NULL. */
static void end_refused(struct arrival *arrival, const char *account,
                        const struct openid_refusal *refusal)
{
    log_warning("a login of %s from %s is refused: %s: %s", account != NULL ? account : "somebody",
                buffer_text(&arrival->call->address), openid_refusal_name(refusal->reason),
                refusal->error.text);
    arrival_end_by_problem(arrival, problem_of(refusal->reason));
}

static void end_for_trouble(struct arrival *arrival, const struct error *error)
{
    log_error("%s", error->text);
    arrival_end_by_problem(arrival, "unavailable");
}

/* ---- the provider's word ---- */

/* False: the arrival has ended. */
static bool use_nonce(struct arrival *arrival)
{
    struct openid_refusal refusal = {0};
    struct error error = {0};
    const char *nonce;
    int64_t until_s, now_s = timestamp_now_s();
    const struct portal *portal = arrival->call->portal;
    if (!openid_assertion_check_nonce(arrival->assertion, now_s, &nonce, &until_s, &refusal)) {
        end_refused(arrival, NULL, &refusal);
        return false;
    }
    switch (nonce_use(portal->state, portal->config->portal.openid_endpoint, nonce, until_s, now_s,
                      &error)) {
    case STATE_YES:
        return true;
    case STATE_NO:
        (void)openid_refusal_set(&refusal, OPENID_REFUSAL_NONCE_USED, "the nonce was used before");
        end_refused(arrival, openid_assertion_identity(arrival->assertion)->claimed_id, &refusal);
        return false;
    case STATE_TROUBLE:
        break;
    }
    end_for_trouble(arrival, &error);
    return false;
}

/* A limit of its own: one may come from very many addresses. False: the arrival has ended. */
static bool is_within_rate(struct arrival *arrival)
{
    struct error error = {0};
    int64_t wait_s;
    const char *account = openid_assertion_identity(arrival->assertion)->claimed_id;
    switch (bucket_take(arrival->call->portal->state, &rate_by_person[RATE_LOGIN], account,
                        timestamp_now_s(), &wait_s, &error)) {
    case STATE_YES:
        return true;
    case STATE_NO:
        log_warning("%s logs in too often", account);
        arrival_end_by_problem(arrival, "too-often");
        return false;
    case STATE_TROUBLE:
        break;
    }
    end_for_trouble(arrival, &error);
    return false;
}

static void verified(void *context, const struct transfer_result *result)
{
    struct arrival *arrival = context;
    struct openid_refusal refusal = {0};
    unsigned status = result->outcome == TRANSFER_ANSWERED ? result->status : 0;
    if (status == 0)
        log_warning("%s: %s", result->url, result->problem);
    if (!openid_assertion_verify(arrival->assertion, status, result->body, &refusal))
        end_refused(arrival, NULL, &refusal);
    else if (use_nonce(arrival) && is_within_rate(arrival))
        admission_begin(arrival);
}

/* Once and never again: the second answer would be "no" (facts 7.4). */
static void verify(struct arrival *arrival)
{
    struct span form = openid_assertion_verification(arrival->assertion);
    CLEANUP(memory_free_at) char *text = memory_copy_bytes(form.data, form.length);
    transfer_pool_start(arrival->call->portal->transfers,
                        &(struct transfer_request){
                            .url = arrival->call->portal->config->portal.openid_endpoint,
                            .accept = "text/plain",
                            .form = text,
                            .timeout_ms = VERIFICATION_TIMEOUT_MS,
                            .limit_bytes = VERIFICATION_MAX_BYTES,
                            .finished = verified,
                            .context = arrival,
                        });
}

/* ---- the browser's answer ---- */

static struct openid_answer answer_of(const struct call *call, const char *url)
{
    return (struct openid_answer){
        .url = url,
        .query = span_of(http_request_query(call->request)),
        .is_post = strcmp(http_request_method(call->request), "POST") == 0,
        .body = http_request_body(call->request),
    };
}

static void judge(struct arrival *arrival, const char *state)
{
    const struct config_portal *config = &arrival->call->portal->config->portal;
    const struct openid_provider provider = {config->openid_endpoint, config->openid_identifiers};
    CLEANUP(buffer_finish) struct buffer url = {0};
    struct openid_refusal refusal = {0};
    /* Also where the answer came to: the call was asked for its host, and its route is the path. */
    buffer_appendf(&url, "%s" LOGIN_RETURN_PATH, config->url);
    const struct openid_login login = {buffer_text(&url), config->url, state};
    const struct openid_answer answer = answer_of(arrival->call, buffer_text(&url));
    switch (openid_answer_judge(&answer, &login, &provider, &arrival->assertion, &refusal)) {
    case OPENID_ANSWER_REFUSED:
        end_refused(arrival, NULL, &refusal);
        break;
    case OPENID_ANSWER_CANCELLED:
        arrival_end_by_problem(arrival, "cancelled");
        break;
    case OPENID_ANSWER_SETUP_NEEDED:
        log_warning("the login provider would have to ask the person first");
        arrival_end_by_problem(arrival, "other");
        break;
    case OPENID_ANSWER_PENDING:
        verify(arrival);
        break;
    }
}

/* The login that the browser says it has begun, or "": none, or more than one. */
static void read_state(const struct call *call, struct buffer *state)
{
    struct openid_form form;
    struct error error;
    if (!openid_form_parse(span_of(http_request_query(call->request)), &form, &error))
        return;
    if (openid_form_count(&form, "state") == 1)
        buffer_append_text(state, openid_form_value(&form, "state"));
    openid_form_finish(&form);
}

static enum pending_login_answer take_pending(struct arrival *arrival, struct buffer *state,
                                              struct error *error)
{
    const struct call *call = arrival->call;
    CLEANUP(buffer_finish) struct buffer browser = {0};
    read_state(call, state);
    if (state->length == 0 ||
        !cookie_find(http_request_header(call->request, "Cookie"), COOKIE_LOGIN, &browser))
        return PENDING_LOGIN_ABSENT;
    return pending_login_take(call->portal->state, buffer_text(state), buffer_text(&browser),
                              call->now_s, &arrival->return_path, error);
}

void arrival_begin(struct call *call)
{
    struct error error = {0};
    CLEANUP(buffer_finish) struct buffer state = {0};
    struct arrival *arrival = memory_new(1, sizeof(*arrival));
    arrival->call = call;
    LIST_INSERT_HEAD(&call->portal->arrivals, arrival, entry);
    switch (take_pending(arrival, &state, &error)) {
    case PENDING_LOGIN_TAKEN:
        judge(arrival, buffer_text(&state));
        break;
    case PENDING_LOGIN_ABSENT:
    case PENDING_LOGIN_FOREIGN:
        log_info("an answer from %s to no login of that browser", buffer_text(&call->address));
        arrival_end_by_problem(arrival, "expired");
        break;
    case PENDING_LOGIN_TROUBLE:
        end_for_trouble(arrival, &error);
        break;
    }
}
