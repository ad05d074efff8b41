#include "tool/native_table.h"

#include <stdlib.h>
#include <string.h>

#include "address/address.h"
#include "address/role.h"
#include "base/memory.h"

/* A name of the domain, whatever its state. */
struct name {
    char *local;
    bool is_live;
    bool gives_way;
};

/* One domain on its way into the table. */
struct collection {
    struct native_table *table;
    const struct native_source *source;
    const struct config_domain *domain; /* NULL: not configured any more */
    const char *domain_name;
    const char *delimiters;
    struct name *names; /* sorted once all are there */
    size_t name_count, name_capacity;
    size_t changed_extension_count, comment_count;
    struct error *error;
    bool is_failed;
};

static void collection_finish(struct collection *collection)
{
    for (size_t i = 0; i < collection->name_count; i++)
        free(collection->names[i].local);
    free(collection->names);
}

static void add_loss(struct collection *collection, enum native_loss_kind kind, size_t name_count)
{
    struct native_table *table = collection->table;
    table->losses = memory_grow(table->losses, table->loss_count, &table->loss_capacity,
                                sizeof(*table->losses));
    table->losses[table->loss_count++] =
        (struct native_loss){kind, memory_copy_text(collection->domain_name), name_count};
}

/* The key is local@domain, or the domain when local is NULL; targets stand one a line. */
static void add_entry(struct collection *collection, const char *local, struct span targets)
{
    struct native_table *table = collection->table;
    struct buffer key = {0};
    struct buffer value = {0};
    if (local != NULL)
        buffer_appendf(&key, "%s@", local);
    buffer_append_text(&key, collection->domain_name);
    for (size_t i = 0; i < targets.length; i++)
        if (targets.data[i] != '\n')
            buffer_append_char(&value, targets.data[i]);
        else if (i + 1 < targets.length)
            buffer_append_char(&value, ',');
    buffer_text(&key);
    buffer_text(&value);
    table->entries = memory_grow(table->entries, table->entry_count, &table->entry_capacity,
                                 sizeof(*table->entries));
    table->entries[table->entry_count++] = (struct postfix_map_entry){key.data, value.data};
}

/* ---- roles ---- */

static const struct config_role *find_own_role(const struct config_domain *domain,
                                               const char *local, size_t length)
{
    for (size_t i = 0; domain != NULL && i < domain->role_count; i++)
        if (strlen(domain->roles[i].name) == length &&
            memcmp(domain->roles[i].name, local, length) == 0)
            return &domain->roles[i];
    return NULL;
}

/* A lookup never comes to the record of such a name. */
static bool is_role_with_extension(const struct collection *collection, const char *local)
{
    for (size_t length = strlen(local); length != 0;
         length = address_next_cut(local, length, collection->delimiters))
        if (address_is_role(local, length) ||
            find_own_role(collection->domain, local, length) != NULL)
            return true;
    return false;
}

static void add_own_role(struct collection *collection, const struct config_role *role)
{
    CLEANUP(buffer_finish) struct buffer lines = {0};
    for (size_t i = 0; i < role->targets.count; i++)
        buffer_appendf(&lines, "%s%s", i == 0 ? "" : "\n", role->targets.items[i]);
    add_entry(collection, role->name, span_of(buffer_text(&lines)));
    collection->table->dropped_extension_count++;
}

static void add_roles(struct collection *collection)
{
    const struct config_domain *domain = collection->domain;
    for (size_t i = 0; domain != NULL && i < domain->role_count; i++)
        add_own_role(collection, &domain->roles[i]);
    for (size_t i = 0; i < address_role_name_count; i++) {
        const char *name = address_role_names[i];
        if (find_own_role(domain, name, strlen(name)) != NULL)
            continue;
        add_entry(collection, name, span_of(collection->source->config->alerts));
        collection->table->dropped_extension_count++;
    }
}

/* ---- aliases ---- */

static void note_extension(struct collection *collection, const struct alias_record *record)
{
    if (*collection->delimiters == '\0' || record->extension == EXTENSION_APPEND)
        return;
    if (record->extension == EXTENSION_DROP && record->kind == ALIAS_STATIC)
        collection->table->dropped_extension_count++;
    else
        collection->changed_extension_count++;
}

static bool add_live(struct collection *collection, const char *local,
                     const struct alias_record *record)
{
    CLEANUP(buffer_finish) struct buffer targets = {0};
    enum unseal_result result =
        keyring_unseal_alias(collection->source->ring, collection->domain_name, span_of(local),
                             record->sealed_targets, &targets);
    if (result != UNSEAL_DONE) {
        collection->is_failed = true;
        unseal_result_to_error(result, collection->error);
        return error_prefix(collection->error, "the targets of %s@%s", local,
                            collection->domain_name);
    }
    if (collection->source->is_text && local[0] == '#')
        collection->comment_count++;
    else
        add_entry(collection, local, (struct span){targets.data, targets.length});
    note_extension(collection, record);
    return true;
}

static bool add_alias(void *context, const char *domain, const char *local,
                      const struct alias_record *record)
{
    struct collection *collection = context;
    (void)domain;
    console_progress_step(collection->source->progress, collection->table->entry_count);
    if (is_role_with_extension(collection, local))
        return true;
    collection->names = memory_grow(collection->names, collection->name_count,
                                    &collection->name_capacity, sizeof(*collection->names));
    collection->names[collection->name_count++] = (struct name){
        memory_copy_text(local), alias_record_is_live(record), alias_record_gives_way(record)};
    return !alias_record_is_live(record) || add_live(collection, local, record);
}

/* ---- what the table cannot say ---- */

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct name *)left)->local, ((const struct name *)right)->local);
}

static bool is_live_name(const struct collection *collection, const char *local, size_t length)
{
    CLEANUP(memory_free_at) char *copy = memory_copy_bytes(local, length);
    struct name wanted = {.local = copy};
    const struct name *found =
        bsearch(&wanted, collection->names, collection->name_count, sizeof(wanted), compare_names);
    return found != NULL && found->is_live;
}

/*
 * With extensions of its own Postfix does not come to a live name that holds a delimiter, as it
 * cuts at the first one; and a dead one does not keep it from the name before that.
 */
static bool is_cut_otherwise(const struct collection *collection, const struct name *name)
{
    size_t first = strcspn(name->local, collection->delimiters);
    if (name->gives_way || first == 0 || name->local[first] == '\0')
        return false;
    return name->is_live || is_live_name(collection, name->local, first);
}

static void note_names(struct collection *collection)
{
    size_t dead = 0, cut = 0;
    if (collection->name_count != 0)
        qsort(collection->names, collection->name_count, sizeof(*collection->names), compare_names);
    for (size_t i = 0; i < collection->name_count; i++) {
        const struct name *name = &collection->names[i];
        dead += !name->is_live && !name->gives_way;
        cut += is_cut_otherwise(collection, name);
    }
    if (dead != 0 && collection->domain != NULL && collection->domain->catch_all != NULL)
        add_loss(collection, NATIVE_CATCH_ALL, dead);
    if (cut != 0)
        add_loss(collection, NATIVE_DELIMITER, cut);
    if (collection->changed_extension_count != 0)
        add_loss(collection, NATIVE_EXTENSION, collection->changed_extension_count);
    if (collection->comment_count != 0)
        add_loss(collection, NATIVE_COMMENT, collection->comment_count);
}

static bool is_in_other_script(const char *domain)
{
    return strncmp(domain, "xn--", 4) == 0 || strstr(domain, ".xn--") != NULL;
}

static void note_domain(struct collection *collection, const struct domain_standing *standing)
{
    if (!standing->is_configured)
        add_loss(collection, NATIVE_NOT_CONFIGURED, 0);
    else if (!standing->is_open || !snapshot_is_trusted(collection->source->snapshot))
        add_loss(collection, NATIVE_CLOSED, 0);
    if (is_in_other_script(collection->domain_name))
        add_loss(collection, NATIVE_OTHER_SCRIPT, 0);
}

bool native_table_add_domain(struct native_table *table, const struct native_source *source,
                             const struct domain_standing *standing, struct error *error)
{
    CLEANUP(collection_finish)
    struct collection collection = {
        .table = table,
        .source = source,
        .domain = config_find_domain(source->config, standing->name),
        .domain_name = standing->name,
        .delimiters = source->config->server.recipient_delimiter,
        .error = error,
    };
    note_domain(&collection, standing);
    add_entry(&collection, NULL, span_of(standing->name));
    add_roles(&collection);
    if (collection.domain != NULL && collection.domain->catch_all != NULL) {
        add_entry(&collection, "", span_of(collection.domain->catch_all));
        table->has_catch_all = true;
    }
    if (!snapshot_each_alias(source->snapshot, standing->name, add_alias, &collection, error) ||
        collection.is_failed)
        return false;
    note_names(&collection);
    return true;
}

const char *native_loss_text(enum native_loss_kind kind)
{
    static const char *const texts[] = {
        [NATIVE_CLOSED] = "is closed: lpalias says \"try again later\" of an unknown name, the "
                          "table says \"unknown\"; lpalias domain open",
        [NATIVE_NOT_CONFIGURED] = "is not in the configuration any more: lpalias says \"try again "
                                  "later\" of an unknown name, the table says \"unknown\"",
        [NATIVE_CATCH_ALL] = "the catch-all would take mail that nobody gets: for names that are "
                             "refused, paused, pending, leaving or gone",
        [NATIVE_EXTENSION] = "lpalias drops or refuses the extension, Postfix appends it",
        [NATIVE_DELIMITER] = "the name holds a delimiter, and Postfix cuts an address at the first "
                             "one only",
        [NATIVE_OTHER_SCRIPT] = "Postfix does not turn a domain in another script into its "
                                "A-label, which alone the table holds",
        [NATIVE_COMMENT] = "a line of the table cannot begin with \"#\"",
    };
    return texts[kind];
}

void native_table_finish(struct native_table *table)
{
    for (size_t i = 0; i < table->entry_count; i++) {
        free(table->entries[i].key);
        free(table->entries[i].value);
    }
    for (size_t i = 0; i < table->loss_count; i++)
        free(table->losses[i].domain);
    free(table->entries);
    free(table->losses);
    *table = (struct native_table){0};
}
