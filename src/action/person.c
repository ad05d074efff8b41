#include "action/person.h"

bool person_find(const struct planning *planning, const char *name, struct person_record *ret,
                 struct error *error)
{
    enum store_result result = snapshot_person(planning->snapshot, name, ret, error);
    return result == STORE_FOUND ||
           (result == STORE_ABSENT &&
            error_set(error, ERROR_INVALID,
                      "no person of the name %s is known; a refresh brings members", name));
}
