#include "store/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "store/changeset.h"
#include "store/transaction.h"

/* A line has at most 87 bytes; what is longer is none of ours. */
#define MAX_FILE_BYTES 256

#define HEX_BYTES (2 * (size_t)CACHE_ID_BYTES + 1)

/* ---- reading ---- */

static bool parse_hex(const char *word, unsigned char ret[CACHE_ID_BYTES])
{
    size_t length;
    return word != NULL && strlen(word) == HEX_BYTES - 1 &&
           sodium_hex2bin(ret, CACHE_ID_BYTES, word, HEX_BYTES - 1, NULL, &length, NULL) == 0 &&
           length == CACHE_ID_BYTES;
}

/* "CACHE-ID GENERATION STAMP\n" and nothing behind it. Takes text apart. */
static bool parse_line(char *text, struct cache_state *ret)
{
    const char *cache_id = strsep(&text, " ");
    const char *generation = strsep(&text, " ");
    const char *stamp = strsep(&text, "\n");
    return text != NULL && *text == '\0' && parse_hex(cache_id, ret->cache_id) &&
           text_parse_number(generation, 0, UINT64_MAX, &ret->generation) &&
           parse_hex(stamp, ret->stamp);
}

void generation_read(const struct store *store, struct generation_file *ret)
{
    CLEANUP(memory_free_at) char *text = NULL;
    size_t length;
    struct stat status;
    memset(ret, 0, sizeof(*ret));
    if (store->generation_path == NULL ||
        (stat(store->generation_path, &status) != 0 && errno == ENOENT))
        ret->what = GENERATION_ABSENT;
    else if (file_read(store->generation_path, MAX_FILE_BYTES, &text, &length, &ret->trouble))
        ret->what = parse_line(text, &ret->state) ? GENERATION_READ : GENERATION_MALFORMED;
    else
        ret->what =
            ret->trouble.kind == ERROR_INVALID ? GENERATION_MALFORMED : GENERATION_UNREADABLE;
}

bool generation_fits(const struct generation_file *file, const struct cache_state *state)
{
    return file->what == GENERATION_ABSENT ||
           (file->what == GENERATION_READ && environment_goes_on_from(state, &file->state));
}

/* ---- writing ---- */

/* Whoever may read the data file may read this one, also where the directory gives no group. */
static bool set_rights(const struct store *store, int fd)
{
    struct stat data, own;
    if (stat(store->data_path, &data) != 0 || fstat(fd, &own) != 0)
        return false;
    return (own.st_gid == data.st_gid || fchown(fd, (uid_t)-1, data.st_gid) == 0) &&
           fchmod(fd, 0640) == 0;
}

static bool write_line(int fd, const struct cache_state *state)
{
    char line[MAX_FILE_BYTES], cache_id[HEX_BYTES], stamp[HEX_BYTES];
    sodium_bin2hex(cache_id, sizeof(cache_id), state->cache_id, CACHE_ID_BYTES);
    sodium_bin2hex(stamp, sizeof(stamp), state->stamp, CACHE_ID_BYTES);
    int length =
        snprintf(line, sizeof(line), "%s %" PRIu64 " %s\n", cache_id, state->generation, stamp);
    return write(fd, line, (size_t)length) == length && fsync(fd) == 0;
}

void generation_write(const struct store *store, const struct cache_state *state)
{
    CLEANUP(memory_free_at) char *fresh_path = NULL;
    if (asprintf(&fresh_path, "%s.XXXXXX", store->generation_path) < 0)
        abort();
    CLEANUP(file_close_at) int fd = mkostemp(fresh_path, O_CLOEXEC);
    if (fd >= 0 && set_rights(store, fd) && write_line(fd, state) &&
        rename(fresh_path, store->generation_path) == 0)
        return;
    if (fd >= 0)
        unlink(fresh_path);
}

/* ---- a cache that went back ---- */

static bool close_domain(void *context, const char *domain, const struct domain_record *record)
{
    struct domain_record row = *record;
    row.is_open = false;
    if (record->is_open)
        changeset_put_domain(context, domain, &row);
    return true;
}

static void tell(struct changeset *changeset, const struct generation_file *file,
                 const struct cache_state *state)
{
    struct buffer detail = {0};
    if (file->what == GENERATION_MALFORMED)
        buffer_append_text(&detail, "the file \"generation\" is malformed");
    else if (memcmp(file->state.cache_id, state->cache_id, CACHE_ID_BYTES) != 0)
        buffer_append_text(&detail, "another cache than before");
    else
        buffer_appendf(&detail, "generation %" PRIu64 " was written before, now it is %s%" PRIu64,
                       file->state.generation,
                       file->state.generation == state->generation ? "another " : "",
                       state->generation);
    const struct event_record event = {
        .at_s = timestamp_now_s(),
        .actor = span_of("lpalias"),
        .act = span_of("cache.went-back"),
        .detail = span_of(buffer_text(&detail)),
    };
    changeset_event(changeset, &event);
    buffer_finish(&detail);
}

/*
 * The file may be ahead of a snapshot that is not the newest any more, but nothing planned on
 * such a one is applied.
 */
static bool plan_closing(void *context, struct snapshot *snapshot, struct changeset *changeset,
                         struct error *error)
{
    struct generation_file file;
    generation_read(context, &file);
    if (generation_fits(&file, &snapshot->state))
        return true;
    if (file.what == GENERATION_UNREADABLE) {
        *error = file.trouble;
        return false;
    }
    changeset_begin_group(changeset, false);
    tell(changeset, &file, &snapshot->state);
    return snapshot_each_domain(snapshot, close_domain, changeset, error);
}

bool store_went_back(struct store *store, bool *ret, struct error *error)
{
    struct generation_file file;
    generation_read(store, &file);
    if (file.what == GENERATION_UNREADABLE) {
        *error = file.trouble;
        return false;
    }
    *ret = !generation_fits(&file, &store->opened);
    return true;
}

bool generation_settle(struct store *store, struct error *error)
{
    struct store_update_result result;
    return store_update(store, plan_closing, store, &result, error);
}
