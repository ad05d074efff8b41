#include "action/alias_row.h"

#include <string.h>

#include "address/address.h"

bool alias_find(const struct planning *planning, const struct alias_request *request,
                struct alias_record *ret, struct error *error)
{
    enum store_result result =
        snapshot_alias(planning->snapshot, request->domain, span_of(request->local), ret, error);
    return result == STORE_FOUND ||
           (result == STORE_ABSENT && error_set(error, ERROR_INVALID, "there is no such alias"));
}

bool alias_is_reservation(const struct alias_record *row)
{
    return row->kind == ALIAS_STATIC && row->state == ALIAS_REFUSED &&
           row->reason == REASON_RESERVED;
}

bool alias_ensure_domain(const struct planning *planning, const char *domain, struct error *error)
{
    const struct house_domain *configured = house_find(planning->house, domain);
    struct domain_record row;
    if (configured == NULL)
        return error_set(error, ERROR_INVALID, "%s is not in the configuration", domain);
    enum store_result result = snapshot_domain(planning->snapshot, domain, &row, error);
    if (result != STORE_ABSENT)
        return result == STORE_FOUND;
    row = (struct domain_record){.team = span_of(configured->team)};
    changeset_begin_group(planning->changeset, true);
    changeset_put_domain(planning->changeset, domain, &row);
    return true;
}

bool alias_check_name(const struct planning *planning, const struct alias_request *request,
                      struct error *error)
{
    bool is_extension;
    if (!address_is_legal_local(request->local, strlen(request->local)))
        return error_set(error, ERROR_INVALID, "it is no legal local part");
    if (house_is_role(house_find(planning->house, request->domain), request->local))
        return error_set(error, ERROR_INVALID, "it is a role address, set in the configuration");
    if (!projection_is_extension(planning, request->domain, request->local, NULL, &is_extension,
                                 error))
        return false;
    return !is_extension || error_set(error, ERROR_INVALID,
                                      "it is an address with extension of a name that is known");
}
