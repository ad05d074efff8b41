#include "action/login_name.h"

#include <string.h>
#include <strings.h>

#include "action/person.h"
#include "action/update.h"

struct login_name_request {
    const char *name;
    const char *login; /* "": the Launchpad name */
};

static const char *find_fault(const char *login)
{
    size_t length = strlen(login);
    if (length > LOGIN_NAME_MAX_BYTES)
        return "the login is too long";
    if (login[0] == '!')
        return "a login that begins with \"!\" means nobody";
    for (size_t i = 0; i < length; i++)
        if (login[i] <= ' ' || login[i] > '~' || login[i] == ',')
            return "a login is printable ASCII without blanks and commas";
    return NULL;
}

/* Somebody else who logs in so. */
struct search {
    const struct login_name_request *request;
    bool is_found;
};

static bool is_login(struct span text, const char *login)
{
    return text.length == strlen(login) && strncasecmp(text.data, login, text.length) == 0;
}

static bool visit_person(void *context, const char *name, const struct person_record *person)
{
    struct search *search = context;
    const struct login_name_request *request = search->request;
    struct span login = person->login_name.length != 0 ? person->login_name : span_of(name);
    search->is_found = strcmp(name, request->name) != 0 && is_login(login, request->login);
    return !search->is_found;
}

static bool plan_login_name(void *context, const struct planning *planning, struct error *error)
{
    const struct login_name_request *request = context;
    struct search search = {request, false};
    struct person_record person;
    const char *login = strcmp(request->login, request->name) != 0 ? request->login : "";
    if (!person_find(planning, request->name, &person, error) ||
        (*request->login != '\0' &&
         !snapshot_each_person(planning->snapshot, visit_person, &search, error)))
        return false;
    if (search.is_found)
        return error_set(error, ERROR_INVALID, "another person logs in so");
    if (span_is_text(person.login_name, login))
        return true;
    person.login_name = span_of(login);
    changeset_begin_group(planning->changeset, false);
    changeset_put_person(planning->changeset, request->name, &person);
    action_event(planning, "person.login-name", "", request->name,
                 *login != '\0' ? "a login of its own" : "the Launchpad name");
    return true;
}

bool action_login_name_set(const struct action *action, const char *name, const char *login,
                           struct store_update_result *ret, struct error *error)
{
    struct login_name_request request = {name, login};
    const char *fault = find_fault(login);
    if (fault != NULL)
        return error_set(error, ERROR_INVALID, "%s", fault);
    return action_update(action, plan_login_name, &request, ret, error);
}
