#include "tool/show_person.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/json_output.h"
#include "tool/record_json.h"
#include "tool/table.h"
#include "tool/targets.h"

/* A person as far as the cache knows. */
struct person_view {
    const struct workspace *work;
    const char *name;
    bool is_json, is_shown;
    struct table table; /* of the domains */
    json_t *domains;    /* the same */
    struct error error;
};

/* One domain that the person has to do with. */
struct belonging {
    const char *domain;
    const struct membership_record *membership; /* or NULL */
    const struct alias_record *alias;           /* or NULL */
};

static void add_json(struct person_view *view, const struct belonging *belonging)
{
    json_t *object = json_object();
    json_object_set_new(object, "domain", json_from_span(span_of(belonging->domain)));
    json_object_set_new(object, "membership",
                        belonging->membership != NULL ? json_from_membership(belonging->membership)
                                                      : json_null());
    json_object_set_new(object, "alias",
                        belonging->alias != NULL ? json_from_alias(belonging->alias) : json_null());
    json_array_append_new(view->domains, object);
}

/* What the listing said last and is not believed yet. */
static void add_doubts(struct table *table, const struct membership_record *membership)
{
    CLEANUP(buffer_finish) struct buffer doubts = {0};
    const struct {
        int64_t since_s;
        const char *name;
    } all[] = {
        {membership->missing_since_s, "missing"},
        {membership->invalid_since_s, "not valid"},
        {membership->unsigned_since_s, "CoC not signed"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        char since[TIMESTAMP_TEXT_BYTES];
        if (all[i].since_s != 0)
            buffer_appendf(&doubts, "%s%s since %s", doubts.length != 0 ? ", " : "", all[i].name,
                           timestamp_format(all[i].since_s, since));
    }
    table_add(table, buffer_text(&doubts));
}

static void add_row(struct person_view *view, const struct belonging *belonging)
{
    static const struct membership_record none;
    const struct membership_record *membership =
        belonging->membership != NULL ? belonging->membership : &none;
    const struct alias_record *alias = belonging->alias;
    char since[TIMESTAMP_TEXT_BYTES];
    table_add(&view->table, belonging->domain);
    table_add(&view->table, membership->is_member ? "yes" : "no");
    table_add(&view->table, membership->is_valid ? "yes" : "no");
    table_add(&view->table, membership->is_ubuntu_coc_signer ? "yes" : "no");
    add_doubts(&view->table, membership);
    table_add(&view->table, alias != NULL ? alias_state_name(alias->state) : "");
    table_add(&view->table, alias != NULL && alias->reason != REASON_NONE
                                ? alias_reason_name(alias->reason)
                                : "");
    table_add(&view->table, alias != NULL ? timestamp_format(alias->since_s, since) : "");
}

static bool add_domain(void *context, const char *domain, const struct domain_record *row)
{
    struct person_view *view = context;
    struct membership_record membership;
    struct alias_record alias;
    (void)row;
    enum store_result is_member =
        snapshot_membership(view->work->snapshot, domain, view->name, &membership, &view->error);
    enum store_result has_alias =
        snapshot_alias(view->work->snapshot, domain, span_of(view->name), &alias, &view->error);
    if (is_member == STORE_TROUBLE || has_alias == STORE_TROUBLE)
        return false;
    struct belonging belonging = {
        domain,
        is_member == STORE_FOUND ? &membership : NULL,
        has_alias == STORE_FOUND && alias.kind != ALIAS_STATIC ? &alias : NULL,
    };
    if (belonging.membership == NULL && belonging.alias == NULL)
        return true;
    if (view->is_json)
        add_json(view, &belonging);
    else
        add_row(view, &belonging);
    return true;
}

static void print_person(const struct person_view *view, const struct person_record *person,
                         const struct targets *targets)
{
    char date[TIMESTAMP_TEXT_BYTES];
    console_print_field("person", view->name);
    console_print_field("created", timestamp_format(person->date_created_us / 1000000, date));
    console_print_field("source", target_source_name(person->target_source));
    targets_print(targets, view->is_shown);
    putchar('\n');
    table_print(&view->table);
}

static void print_person_json(const struct person_view *view, const struct person_record *person,
                              const struct targets *targets)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_from_span(span_of(view->name)));
    json_object_set_new(object, "date_created", json_from_time(person->date_created_us / 1000000));
    json_object_set_new(object, "target_source",
                        json_string(target_source_name(person->target_source)));
    json_object_set(object, "domains", view->domains);
    targets_set_json(object, targets, view->is_shown);
    json_print(object);
}

static enum exit_status show_record(struct person_view *view, const struct person_record *person)
{
    CLEANUP(targets_finish) struct targets targets = {0};
    if (!snapshot_each_domain(view->work->snapshot, add_domain, view, &view->error) ||
        view->error.kind != ERROR_NONE) {
        console_complain("%s", view->error.text);
        return EXIT_FAILED;
    }
    targets_open_person(view->work->ring, view->name, person, &targets);
    if (view->is_json)
        print_person_json(view, person, &targets);
    else
        print_person(view, person, &targets);
    return EXIT_DONE;
}

static void view_finish(struct person_view *view)
{
    table_finish(&view->table);
    json_decref(view->domains);
}

enum exit_status show_person(const struct workspace *work, const char *name, bool is_json,
                             bool is_shown)
{
    static const struct table_column columns[] = {
        {"DOMAIN"}, {"MEMBER"}, {"VALID"}, {"COC"}, {"DOUBTS"}, {"STATE"}, {"REASON"}, {"SINCE"},
    };
    CLEANUP(view_finish)
    struct person_view view = {.work = work,
                               .name = name,
                               .is_json = is_json,
                               .is_shown = is_shown,
                               .table = {columns, ARRAY_LENGTH(columns)},
                               .domains = json_array()};
    struct person_record person;
    switch (snapshot_person(work->snapshot, name, &person, &view.error)) {
    case STORE_FOUND:
        return show_record(&view, &person);
    case STORE_ABSENT:
        console_complain("%s: nobody of that name is known", name);
        return EXIT_NOT_FOUND;
    case STORE_TROUBLE:
        break;
    }
    console_complain("%s", view.error.text);
    return EXIT_FAILED;
}
