#include "portal/admin_rights.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "membership/login_plan.h"

static bool is_listed(const struct config_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

static void add(struct admin_rights *rights, const char *domain)
{
    if (admin_rights_have(rights, domain))
        return;
    rights->domains =
        memory_resize(rights->domains, rights->domain_count + 1, sizeof(*rights->domains));
    rights->domains[rights->domain_count++] = memory_copy_text(domain);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_of_another(const struct person_record *person, const struct session *session)
{
    return person->login_identifier.length != 0 &&
           !span_is_text(person->login_identifier, session->account);
}

/* Whether the name still is the account's, and may have rights at all. */
static enum store_result look_at_person(const struct session *session, struct snapshot *snapshot,
                                        bool *ret_is_fit, struct error *error)
{
    struct login_record login;
    struct person_record person;
    enum store_result found = snapshot_login(snapshot, session->account, &login, error);
    *ret_is_fit = found != STORE_FOUND || span_is_text(login.name, session->name);
    if (found == STORE_TROUBLE)
        return found;
    found = snapshot_person(snapshot, session->name, &person, error);
    if (found == STORE_FOUND && (person.is_banned || is_of_another(&person, session)))
        *ret_is_fit = false;
    return found;
}

/* What the last refresh found; the list of the configuration counts as it is now. */
static bool read_team(const struct config_domain *domain, const char *name,
                      struct snapshot *snapshot, bool *ret, struct error *error)
{
    struct membership_record membership;
    *ret = false;
    if (domain->admin_team == NULL || snapshot == NULL)
        return true;
    enum store_result found = snapshot_membership(snapshot, domain->name, name, &membership, error);
    *ret = found == STORE_FOUND && membership.is_admin;
    return found != STORE_TROUBLE;
}

static bool add_cached(void *context, const char *domain, const struct domain_record *row)
{
    (void)row;
    add(context, domain);
    return true;
}

static bool add_domains(const struct config *config, const char *name, struct snapshot *snapshot,
                        struct admin_rights *rights, struct error *error)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *domain = &config->domains[i];
        bool is_in_team;
        if (!read_team(domain, name, snapshot, &is_in_team, error))
            return false;
        if (rights->is_of_portal || is_in_team || is_listed(&domain->admins, name))
            add(rights, domain->name);
    }
    /* One that is not configured any more is still served. */
    if (rights->is_of_portal && snapshot != NULL &&
        !snapshot_each_domain(snapshot, add_cached, rights, error))
        return false;
    if (rights->domain_count > 1)
        qsort(rights->domains, rights->domain_count, sizeof(*rights->domains), compare_names);
    return true;
}

bool admin_rights_read(const struct config *config, const struct session *session,
                       struct snapshot *snapshot, struct admin_rights *ret, struct error *error)
{
    /* Of a name that another account has here it is not known yet whose it is. */
    bool is_fit =
        *session->name != '\0' && strcmp(session->found, login_outcome_word(LOGIN_WAITS)) != 0;
    *ret = (struct admin_rights){0};
    if (is_fit && snapshot != NULL &&
        look_at_person(session, snapshot, &is_fit, error) == STORE_TROUBLE)
        return false;
    if (!is_fit)
        return true;
    ret->is_of_portal = is_listed(&config->portal.admins, session->name) ||
                        (config->portal.admin_team != NULL && session->is_admin);
    return add_domains(config, session->name, snapshot, ret, error);
}

bool admin_rights_are_some(const struct admin_rights *rights)
{
    return rights->is_of_portal || rights->domain_count != 0;
}

bool admin_rights_have(const struct admin_rights *rights, const char *domain)
{
    for (size_t i = 0; i < rights->domain_count; i++)
        if (strcmp(rights->domains[i], domain) == 0)
            return true;
    return false;
}

bool admin_rights_cover(const struct admin_rights *rights, struct span domain)
{
    for (size_t i = 0; i < rights->domain_count; i++)
        if (span_is_text(domain, rights->domains[i]))
            return true;
    return rights->is_of_portal;
}

void admin_rights_finish(struct admin_rights *rights)
{
    for (size_t i = 0; i < rights->domain_count; i++)
        free(rights->domains[i]);
    free(rights->domains);
    *rights = (struct admin_rights){0};
}
