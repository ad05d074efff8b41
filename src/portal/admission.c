#include "portal/admission.h"

#include <stdlib.h>
#include <string.h>

#include "action/login.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/timestamp.h"
#include "launchpad/person.h"
#include "openid/claimed_id.h"
#include "portal/answer.h"
#include "portal/arrival.h"
#include "portal/cache.h"
#include "portal/handover.h"
#include "state/session_end.h"

/* Somebody sits in front of it and waits: what a refresh may take is too long. */
enum {
    LOOK_TIMEOUT_MS = 20 * 1000,
    LOOK_REQUEST_TIMEOUT_MS = 8 * 1000,
    LOOK_RETRIES = 1,
    LOOK_RETRY_DELAY_MS = 500,
    LOOK_PAGES_MAX = 20, /* of teams that one person is in */
};

static void end_for_trouble(struct arrival *arrival, const struct error *error)
{
    const char *account = openid_assertion_identity(arrival->assertion)->claimed_id;
    log_error("login of %s: %s", account, error->text);
    arrival_end_by_problem(arrival, error->kind == ERROR_TEMPORARY ? "unavailable" : "other");
}

/* ---- the session ---- */

static bool is_portal_admin(const struct portal *portal, const struct person_sight *sight)
{
    return portal->config->portal.admin_team != NULL &&
           sight->teams[portal->config->domain_count].membership == PERSON_IS_MEMBER;
}

/* Whoever was logged in here is so no more, whatever copy of the cookie there is. */
static bool end_former_session(const struct call *call, struct error *error)
{
    const struct session *session = &call->session;
    return !call->is_logged_in ||
           session_end(call->portal->state,
                       (struct span){(const char *)session->id, SESSION_ID_BYTES},
                       session->begun_s + call->portal->session_limits.total_s, error);
}

static void keep_text(char *text, size_t size, const char *given)
{
    if (strlen(given) < size)
        memcpy(text, given, strlen(given) + 1);
}

static void begin_session(struct arrival *arrival, const struct login_request *request,
                          bool is_admin)
{
    struct call *call = arrival->call;
    struct error error = {0};
    int64_t epoch;
    if (!end_former_session(call, &error) ||
        !session_epoch(call->portal->state, request->identifier, &epoch, &error)) {
        end_for_trouble(arrival, &error);
        return;
    }
    call->now_s = timestamp_now_s(); /* others were asked meanwhile */
    struct session session =
        session_new(request->identifier, request->known_name, is_admin, epoch, call->now_s);
    if (request->address != NULL && request->is_address_verified)
        keep_text(session.address, sizeof(session.address), request->address);
    keep_text(session.found, sizeof(session.found), login_outcome_word(request->outcome));
    call_set_session(call, &session);
    arrival_end(arrival);
}

/* ---- what the login changes ---- */

static void conclude(struct arrival *arrival, const struct login_request *request, bool is_admin)
{
    const char *name = *request->known_name != '\0' ? request->known_name : "?";
    log_info("login of %s (%s): %s", request->identifier, name,
             login_outcome_word(request->outcome));
    if (request->outcome == LOGIN_NO_ACCOUNT)
        arrival_end_by_problem(arrival, "no-launchpad");
    else if (*request->known_name == '\0')
        arrival_end_by_problem(arrival, "unavailable"); /* nobody could be asked who it is */
    else
        begin_session(arrival, request, is_admin);
}

static bool act(struct arrival *arrival, struct login_request *request, struct error *error)
{
    struct portal *portal = arrival->call->portal;
    struct snapshot *snapshot = NULL;
    struct keyring *ring = NULL;
    struct action action;
    struct store_update_result result;
    bool is_open = cache_begin(portal->cache, &snapshot, error);
    snapshot_end(snapshot);
    bool is_done =
        is_open &&
        cache_action(portal->cache, ACTOR_PERSON, timestamp_now_s(), &ring, &action, error) &&
        action_login(&action, request, &result, error);
    keyring_destroy(ring);
    if (is_done && result.changed)
        handover_begin(portal->handover);
    return is_done;
}

/* ---- Launchpad's word ---- */

static bool is_in(const struct openid_identity *identity, const char *team)
{
    for (size_t i = 0; i < identity->team_count; i++)
        if (strcmp(identity->teams[i], team) == 0)
            return true;
    return false;
}

/* Where Launchpad could not tell, "yes" of the provider is as good: it has asked Launchpad. */
static enum login_membership membership_of(const struct person_team *team, const char *name,
                                           const struct openid_identity *identity)
{
    switch (team->membership) {
    case PERSON_IS_MEMBER:
        return LOGIN_MEMBERSHIP_YES;
    case PERSON_IS_NO_MEMBER:
        return LOGIN_MEMBERSHIP_NO;
    case PERSON_MEMBERSHIP_UNKNOWN:
        break;
    }
    return is_in(identity, name) ? LOGIN_MEMBERSHIP_YES : LOGIN_MEMBERSHIP_UNKNOWN;
}

static struct login_request request_of(const struct arrival *arrival,
                                       const struct person_sight *sight)
{
    static const enum login_answer answers[] = {
        [PERSON_CANNOT_TELL] = LOGIN_ANSWER_NONE,
        [PERSON_ABSENT] = LOGIN_ANSWER_NO_ACCOUNT,
        [PERSON_FOUND] = LOGIN_ANSWER_ACCOUNT,
    };
    const struct openid_identity *identity = openid_assertion_identity(arrival->assertion);
    return (struct login_request){
        .identifier = identity->claimed_id,
        .answer = answers[sight->answer],
        .name = sight->name,
        .date_created_us = sight->date_created_us,
        .is_valid = sight->is_valid,
        .is_ubuntu_coc_signer = sight->is_ubuntu_coc_signer,
        .address = identity->email,
        .is_address_verified = identity->email_verified == OPENID_IDENTITY_VERIFIED,
        .asked_s = arrival->asked_s,
        .asked_generation = arrival->asked_generation,
    };
}

static void looked(void *context, const struct person_sight *sight)
{
    struct arrival *arrival = context;
    const struct config *config = arrival->call->portal->config;
    const struct openid_identity *identity = openid_assertion_identity(arrival->assertion);
    struct error error = {0};
    struct login_request request = request_of(arrival, sight);
    struct login_sighting *sightings = memory_new(config->domain_count, sizeof(*sightings));
    for (size_t i = 0; i < config->domain_count; i++)
        sightings[i] = (struct login_sighting){
            config->domains[i].name,
            membership_of(&sight->teams[i], config->domains[i].team, identity),
            sight->teams[i].date_created_us,
        };
    request.sightings = sightings;
    request.sighting_count = config->domain_count;
    arrival->look = NULL;
    if (*sight->problem != '\0')
        log_warning("login of %s: %s", request.identifier, sight->problem);
    if (act(arrival, &request, &error))
        conclude(arrival, &request, is_portal_admin(arrival->call->portal, sight));
    else
        end_for_trouble(arrival, &error);
    free(sightings);
}

static void begin_look(struct arrival *arrival)
{
    const struct portal *portal = arrival->call->portal;
    const struct config *config = portal->config;
    const struct openid_provider provider = {config->portal.openid_endpoint,
                                             config->portal.openid_identifiers};
    const struct person_settings settings = {
        .api = config->launchpad.api,
        .page_size = config->launchpad.page_size,
        .page_limit = LOOK_PAGES_MAX,
        .retries = LOOK_RETRIES,
        .retry_delay_ms = LOOK_RETRY_DELAY_MS,
        .request_timeout_ms = LOOK_REQUEST_TIMEOUT_MS,
        .total_timeout_ms = LOOK_TIMEOUT_MS,
        .response_limit_bytes = config->launchpad.response_limit_bytes,
    };
    CLEANUP(buffer_finish) struct buffer identifier = {0};
    openid_claimed_id_append_for_launchpad(
        &provider, openid_assertion_identity(arrival->assertion)->claimed_id, &identifier);
    const char **teams = memory_new(config->domain_count + 1, sizeof(*teams));
    size_t count = 0;
    for (size_t i = 0; i < config->domain_count; i++)
        teams[count++] = config->domains[i].team;
    if (config->portal.admin_team != NULL)
        teams[count++] = config->portal.admin_team;
    arrival->look = person_look_begin(portal->transfers, &settings, buffer_text(&identifier), teams,
                                      count, looked, arrival);
    free(teams);
}

void admission_begin(struct arrival *arrival)
{
    struct error error = {0};
    struct snapshot *snapshot;
    if (!cache_begin(arrival->call->portal->cache, &snapshot, &error)) {
        end_for_trouble(arrival, &error);
        return;
    }
    arrival->asked_generation = snapshot_generation(snapshot);
    arrival->asked_s = timestamp_now_s();
    snapshot_end(snapshot);
    begin_look(arrival);
}
