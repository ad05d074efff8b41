#include "action/proof.h"

#include "action/update.h"

struct proof_request {
    const struct domaincheck_answer *answers;
    size_t count;
};

static enum proof_state state_after(enum proof_state before, enum domaincheck_verdict verdict)
{
    switch (verdict) {
    case DOMAINCHECK_CANNOT_TELL:
        return before;
    case DOMAINCHECK_SEEN:
        return PROOF_SEEN;
    case DOMAINCHECK_ABSENT:
    case DOMAINCHECK_BOGUS:
        break;
    }
    return before == PROOF_SEEN ? PROOF_LOST : before;
}

static const char *event_detail(const struct domaincheck_answer *answer)
{
    if (answer->verdict != DOMAINCHECK_SEEN)
        return answer->reason;
    return answer->is_secure ? "signed" : "not signed";
}

static bool plan_domain(const struct planning *planning, const struct domaincheck_answer *answer,
                        struct error *error)
{
    const struct house_domain *domain = house_find(planning->house, answer->domain);
    if (domain == NULL || !domain->wants_proof)
        return true;
    struct domain_record row = {.team = span_of(domain->team)};
    if (snapshot_domain(planning->snapshot, answer->domain, &row, error) == STORE_TROUBLE)
        return false;
    enum proof_state after = state_after(row.proof, answer->verdict);
    if (after == row.proof)
        return true;
    row.proof = after;
    row.proof_since_s = planning->now_s;
    changeset_begin_group(planning->changeset, false);
    changeset_put_domain(planning->changeset, answer->domain, &row);
    action_event(planning, after == PROOF_SEEN ? "domain.proof-seen" : "domain.proof-lost",
                 answer->domain, "", event_detail(answer));
    return true;
}

static bool plan_proof(void *context, const struct planning *planning, struct error *error)
{
    const struct proof_request *request = context;
    for (size_t i = 0; i < request->count; i++)
        if (!plan_domain(planning, &request->answers[i], error))
            return false;
    return true;
}

bool action_proof(const struct action *action, const struct domaincheck_answer *answers,
                  size_t count, struct store_update_result *ret, struct error *error)
{
    struct proof_request request = {answers, count};
    return action_update(action, plan_proof, &request, ret, error);
}
