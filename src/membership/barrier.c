#include "membership/barrier.h"

const char *barrier_word(enum barrier barrier)
{
    switch (barrier) {
    case BARRIER_NONE:
        break;
    case BARRIER_UNCONFIGURED:
        return "domain-not-configured";
    case BARRIER_NOT_PROVEN:
    case BARRIER_FROZEN:
        return "domain-frozen";
    case BARRIER_NOT_FILLED:
        return "domain-not-filled";
    case BARRIER_ROLLED_BACK:
    case BARRIER_ANOTHER_TEAM:
    case BARRIER_ALL_HELD:
        return "domain-held";
    case BARRIER_DISCARDED:
        return "discarded";
    }
    return "";
}

static bool plan_has_name(const struct plan_record *plan, const char *name)
{
    struct span rest = plan->rows;
    struct plan_row row;
    while (plan_row_take(&rest, &row))
        if (span_is_text(row.name, name))
            return true;
    return false;
}

static bool find_in_plan(struct snapshot *snapshot, const char *domain, const char *name,
                         enum barrier *ret, struct error *error)
{
    struct plan_record plan;
    enum store_result result = snapshot_plan(snapshot, domain, &plan, error);
    *ret = BARRIER_NONE;
    if (result != STORE_FOUND)
        return result == STORE_ABSENT;
    if ((plan.holds & PLAN_HOLDS_ALL) != 0)
        *ret = BARRIER_ALL_HELD;
    else if ((plan.holds & PLAN_DISCARDED) != 0 && plan_has_name(&plan, name))
        *ret = BARRIER_DISCARDED;
    return true;
}

static enum barrier find_in_row(const struct house_domain *house_domain,
                                const struct domain_record *row, int64_t team_date_created_us)
{
    if (row->is_held)
        return BARRIER_ROLLED_BACK;
    if (house_domain->wants_proof && row->proof != PROOF_SEEN)
        return row->proof == PROOF_LOST ? BARRIER_FROZEN : BARRIER_NOT_PROVEN;
    if (row->filled_s == 0)
        return BARRIER_NOT_FILLED;
    if (!span_is_text(row->team, house_domain->team) ||
        (team_date_created_us != 0 && row->team_date_created_us != 0 &&
         team_date_created_us != row->team_date_created_us))
        return BARRIER_ANOTHER_TEAM;
    return BARRIER_NONE;
}

bool barrier_find(const struct house *house, struct snapshot *snapshot, const char *domain,
                  const char *name, int64_t team_date_created_us, enum barrier *ret,
                  struct error *error)
{
    const struct house_domain *house_domain = house_find(house, domain);
    struct domain_record row = {0};
    *ret = BARRIER_UNCONFIGURED;
    if (house_domain == NULL)
        return true;
    if (snapshot_domain(snapshot, domain, &row, error) == STORE_TROUBLE)
        return false;
    *ret = find_in_row(house_domain, &row, team_date_created_us);
    return *ret != BARRIER_NONE || find_in_plan(snapshot, domain, name, ret, error);
}
