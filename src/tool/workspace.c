#include "tool/workspace.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/address.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "setup/house_settings.h"
#include "setup/lookup_settings.h"
#include "tool/console.h"

bool workspace_fail(struct workspace *work, enum exit_status status, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    console_complain("%s", text);
    work->status = status;
    return false;
}

/* Who sits at the keyboard: behind sudo the one who called it. Caller frees. */
static char *find_actor(void)
{
    const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user = name == NULL ? getpwuid(getuid()) : NULL;
    struct buffer actor = {0};
    buffer_append_text(&actor, "operator:");
    if (user != NULL)
        name = user->pw_name;
    if (name != NULL)
        text_append_escaped(&actor, name);
    else
        buffer_appendf(&actor, "%u", (unsigned)getuid());
    buffer_text(&actor);
    return actor.data;
}

bool workspace_read_config(struct workspace *work, const struct call *call)
{
    struct config_problems problems = {0};
    if (!config_read(call->config_file, &work->config, &problems)) {
        for (size_t i = 0; i < problems.count; i++)
            fprintf(stderr, "%s\n", problems.lines[i]);
        config_problems_finish(&problems);
        work->status = EXIT_CONFIG;
        return false;
    }
    work->house = house_create_from_config(work->config);
    work->actor = find_actor();
    return true;
}

bool workspace_take_on_owner(struct workspace *work)
{
    struct error error = {0};
    return store_take_on_owner(work->config->cache, &error) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

bool workspace_read_keys(struct workspace *work)
{
    struct error error = {0};
    struct stat status;
    if (keyring_read(work->config->key_file, &work->ring, &error))
        return true;
    if (stat(work->config->key_file, &status) != 0 && errno == ENOENT)
        return workspace_fail(work, EXIT_FAILED, "%s; make it with lpalias key generate",
                              error.text);
    return workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

void workspace_try_keys(struct workspace *work)
{
    struct error error = {0};
    if (!keyring_read(work->config->key_file, &work->ring, &error))
        console_complain("%s; targets cannot be counted", error.text);
}

static bool open_store(struct workspace *work, enum store_access access)
{
    struct error error = {0};
    const struct config *config = work->config;
    return store_open(config->cache, access, config->cache_limit_bytes, &work->store, &error) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

/* To be said in words that help, and before a writer makes an empty one by accident. */
static bool check_cache_is_there(struct workspace *work)
{
    struct stat status;
    char *path;
    if (asprintf(&path, "%s/data.mdb", work->config->cache) < 0)
        abort();
    bool is_absent = stat(path, &status) != 0 && errno == ENOENT;
    free(path);
    return !is_absent || workspace_fail(work, EXIT_FAILED,
                                        "there is no cache in %s yet; lpalias refresh makes it",
                                        work->config->cache);
}

bool workspace_open_cache(struct workspace *work, enum store_access access)
{
    return workspace_take_on_owner(work) && check_cache_is_there(work) && open_store(work, access);
}

bool workspace_make_cache(struct workspace *work)
{
    return workspace_take_on_owner(work) && open_store(work, STORE_WRITE);
}

bool workspace_begin_snapshot(struct workspace *work)
{
    struct error error = {0};
    if (work->store == NULL && !workspace_open_cache(work, STORE_READ))
        return false;
    return snapshot_begin(work->store, &work->snapshot, &error) ||
           workspace_fail(work, EXIT_FAILED, "%s", error.text);
}

bool workspace_make_lookup(struct workspace *work)
{
    struct error ignored;
    if (!workspace_take_on_owner(work))
        return false;
    struct store_reader_settings settings = {
        .directory = work->config->cache,
        .key_file = work->config->key_file,
        .limit_bytes = work->config->cache_limit_bytes,
    };
    work->reader = store_reader_create(&settings);
    work->lookup = lookup_create_from_config(work->config, work->reader);
    /* As the server does at its start; a cache that cannot be read shows in the answers. */
    bool is_well = lookup_look_around(work->lookup, &ignored);
    (void)is_well;
    return true;
}

struct action workspace_action(const struct workspace *work)
{
    return (struct action){
        .store = work->store,
        .ring = work->ring,
        .actor = work->actor,
        .now_s = timestamp_now_s(),
        .house = work->house,
    };
}

bool workspace_read_domain(struct workspace *work, const char *text, char **ret)
{
    char domain[ADDRESS_DOMAIN_MAX_BYTES + 1];
    if (!address_domain_to_alabel(text, strlen(text), domain))
        return workspace_fail(work, EXIT_USAGE, "%s is not a domain", text);
    *ret = memory_copy_text(domain);
    return true;
}

void workspace_finish(struct workspace *work)
{
    lookup_destroy(work->lookup);
    store_reader_destroy(work->reader);
    snapshot_end(work->snapshot);
    store_close(work->store);
    keyring_destroy(work->ring);
    free(work->actor);
    house_destroy(work->house);
    config_destroy(work->config);
    *work = (struct workspace){.status = work->status};
}
