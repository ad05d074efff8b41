#include "action/person.h"

#include "membership/target_list.h"

/* The sealed list of layout 1 has another form. */
static bool renew(const struct planning *planning, const char *name, struct buffer *sealed,
                  struct person_record *person, struct error *error)
{
    struct target_list list;
    bool is_open = target_list_open(planning->ring, name, person, &list, error);
    if (is_open)
        target_list_seal(&list, planning->ring, name, sealed, person);
    target_list_finish(&list);
    return is_open;
}

enum store_result person_begin_change(const struct planning *planning, const char *name,
                                      struct buffer *sealed, struct person_record *ret,
                                      struct error *error)
{
    enum store_result result = snapshot_person(planning->snapshot, name, ret, error);
    if (result == STORE_FOUND && ret->stamp.layout != RECORD_LAYOUT_VERSION &&
        !renew(planning, name, sealed, ret, error))
        return STORE_TROUBLE;
    return result;
}

bool person_find(const struct planning *planning, const char *name, struct buffer *sealed,
                 struct person_record *ret, struct error *error)
{
    enum store_result result = person_begin_change(planning, name, sealed, ret, error);
    return result == STORE_FOUND ||
           (result == STORE_ABSENT &&
            error_set(error, ERROR_INVALID,
                      "no person of the name %s is known; a refresh brings members", name));
}
