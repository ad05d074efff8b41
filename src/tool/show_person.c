#include "tool/show_person.h"
#include "report/record_json.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "tool/console.h"
#include "tool/json_output.h"
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

/* What operators and the person have said about the aliases here. */
static void add_words(struct table *table, const struct membership_record *membership)
{
    CLEANUP(buffer_finish) struct buffer words = {0};
    if (membership->is_admin)
        buffer_append_text(&words, "admin, ");
    if (membership->is_name_allowed)
        buffer_append_text(&words, "name allowed, ");
    if (membership->extension == EXTENSION_DROP || membership->extension == EXTENSION_REFUSE)
        buffer_appendf(&words, "extension %s, ", extension_policy_name(membership->extension));
    if (membership->extras.length != 0)
        buffer_append_text(&words, "extra: ");
    for (size_t i = 0; i < membership->extras.length; i++)
        buffer_append_char(&words,
                           membership->extras.data[i] == '\n' ? ' ' : membership->extras.data[i]);
    if (words.length >= 2 && words.data[words.length - 1] == ' ')
        words.length -= 2;
    table_add(table, buffer_text(&words));
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
    add_words(&view->table, membership);
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

static void print_span(const char *title, struct span text)
{
    CLEANUP(buffer_finish) struct buffer copy = {0};
    buffer_append(&copy, text.data, text.length);
    if (text.length != 0)
        console_print_field(title, buffer_text(&copy));
}

/* "operator 2, person 1 and 1 unproven". */
static void print_sources(const struct source_count *counts)
{
    CLEANUP(buffer_finish) struct buffer text = {0};
    for (enum target_source source = TARGET_SOURCE_OPERATOR; source != TARGET_SOURCE_NONE;
         source--) {
        if (counts[source].proven + counts[source].waiting == 0)
            continue;
        buffer_appendf(&text, "%s%s %zu", text.length != 0 ? ", " : "", target_source_name(source),
                       counts[source].proven);
        if (counts[source].waiting != 0)
            buffer_appendf(&text, " and %zu unproven", counts[source].waiting);
    }
    if (text.length != 0)
        console_print_field("sources", buffer_text(&text));
}

static void print_person(const struct person_view *view, const struct person_record *person,
                         const struct targets *targets)
{
    char date[TIMESTAMP_TEXT_BYTES];
    struct source_count counts[TARGET_SOURCE_OPERATOR + 1];
    console_print_field("person", view->name);
    console_print_field("created", person->date_created_us != 0
                                       ? timestamp_format(person->date_created_us / 1000000, date)
                                       : "not seen yet");
    if (person->is_banned)
        console_print_field("banned", timestamp_format(person->banned_s, date));
    print_span("ban reason", person->ban_reason);
    if (person->is_paused)
        console_print_field("paused", timestamp_format(person->paused_s, date));
    print_span("login", person->login_identifier);
    print_span("login name", person->login_name);
    print_span("renamed to", person->renamed_to);
    console_print_field("source", target_source_name(person->target_source));
    if (targets_count_sources(view->work->ring, view->name, person, counts))
        print_sources(counts);
    targets_print(targets, view->is_shown);
    putchar('\n');
    table_print(&view->table);
}

static json_t *json_from_sources(const struct person_view *view, const struct person_record *person)
{
    struct source_count counts[TARGET_SOURCE_OPERATOR + 1];
    if (!targets_count_sources(view->work->ring, view->name, person, counts))
        return json_null();
    json_t *object = json_object();
    for (enum target_source source = TARGET_SOURCE_LAUNCHPAD; source <= TARGET_SOURCE_OPERATOR;
         source++)
        json_object_set_new(object, target_source_name(source),
                            json_pack("{s:I, s:I}", "proven", (json_int_t)counts[source].proven,
                                      "unproven", (json_int_t)counts[source].waiting));
    return object;
}

static void print_person_json(const struct person_view *view, const struct person_record *person,
                              const struct targets *targets)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", json_from_span(span_of(view->name)));
    json_object_set_new(object, "date_created", json_from_time(person->date_created_us / 1000000));
    json_object_set_new(object, "target_source",
                        json_string(target_source_name(person->target_source)));
    json_object_set_new(object, "sources", json_from_sources(view, person));
    json_object_set_new(object, "is_banned", json_boolean(person->is_banned));
    json_object_set_new(object, "banned_since", json_from_time(person->banned_s));
    json_object_set_new(object, "ban_reason", json_from_optional(person->ban_reason));
    json_object_set_new(object, "is_paused", json_boolean(person->is_paused));
    json_object_set_new(object, "paused_since", json_from_time(person->paused_s));
    json_object_set_new(object, "login_identifier", json_from_optional(person->login_identifier));
    json_object_set_new(object, "login_name", json_from_optional(person->login_name));
    json_object_set_new(object, "renamed_to", json_from_optional(person->renamed_to));
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
        {"DOMAIN"}, {"MEMBER"}, {"VALID"}, {"COC"},  {"DOUBTS"},
        {"STATE"},  {"REASON"}, {"SINCE"}, {"ALSO"},
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
