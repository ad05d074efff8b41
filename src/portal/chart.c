#include "portal/chart.h"

#include <string.h>

#include "report/json_value.h"
#include "state/sample.h"

#define KEPT_S (24 * 60 * 60)

static const char series_live[] = "live";
static const char series_lookups[] = "lookups";
static const char series_refresh[] = "refresh-ms";

static bool note_duration(void *context, const char *domain, const struct run_record *run)
{
    int64_t *longest_ms = context;
    (void)domain;
    if (run->duration_ms > *longest_ms)
        *longest_ms = run->duration_ms;
    return true;
}

/* A figure that is not known leaves no sample. */
static bool put(struct state *state, const char *series, int64_t at_s, int64_t value,
                struct error *error)
{
    return value < 0 || sample_put(state, series, at_s, value, at_s + KEPT_S, error);
}

bool chart_note(struct state *state, struct snapshot *snapshot, size_t live,
                int64_t lookups_per_minute, int64_t now_s, struct error *error)
{
    int64_t at_s = now_s - now_s % CHART_PERIOD_S;
    int64_t longest_ms = -1;
    return snapshot_each_run(snapshot, note_duration, &longest_ms, error) &&
           put(state, series_live, at_s, (int64_t)live, error) &&
           put(state, series_lookups, at_s, lookups_per_minute, error) &&
           put(state, series_refresh, at_s, longest_ms, error);
}

struct collection {
    json_t *samples;
    const char *field; /* of a sample, that is being filled */
    size_t place;      /* of the first sample that is not before the one at hand */
};

static void add_live(void *context, int64_t at_s, int64_t value)
{
    struct collection *collection = context;
    json_t *sample = json_pack("{s:o,s:I,s:n,s:n}", "time", json_from_time(at_s), "live",
                               (json_int_t)value, "lookups", "refresh_ms");
    json_array_append_new(collection->samples, sample);
}

/* Both series are by time, which as text sorts alike. */
static void add_figure(void *context, int64_t at_s, int64_t value)
{
    struct collection *collection = context;
    json_t *time = json_from_time(at_s);
    json_t *sample = json_array_get(collection->samples, collection->place);
    while (sample != NULL &&
           strcmp(json_string_value(json_object_get(sample, "time")), json_string_value(time)) < 0)
        sample = json_array_get(collection->samples, ++collection->place);
    if (sample != NULL && json_equal(json_object_get(sample, "time"), time))
        json_object_set_new(sample, collection->field, json_integer(value));
    json_decref(time);
}

static bool fill(struct collection *collection, struct state *state, const char *series,
                 const char *field, int64_t now_s, struct error *error)
{
    collection->field = field;
    collection->place = 0;
    return sample_each(state, series, now_s - KEPT_S, now_s, add_figure, collection, error);
}

json_t *chart_samples(struct state *state, int64_t now_s, struct error *error)
{
    struct collection collection = {.samples = json_array()};
    if (sample_each(state, series_live, now_s - KEPT_S, now_s, add_live, &collection, error) &&
        fill(&collection, state, series_lookups, "lookups", now_s, error) &&
        fill(&collection, state, series_refresh, "refresh_ms", now_s, error))
        return collection.samples;
    json_decref(collection.samples);
    return NULL;
}
