/*
 * Fetches teams and prints each listing as a line of JSON, for test_fetch.py:
 * fetch_probe ROOT [--page-size N] [--page-limit N] [--concurrency N] [--retries N]
 * [--retry-delay-ms N] [--timeout-ms N] [--total-ms N] [--limit BYTES] [--progress]
 * [--credentials FILE] TEAM...
 * With credentials each person has "preferred": null (unknown), false (none), or the address.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "launchpad/fetch.h"

struct option {
    const char *name;
    uint64_t value;
};

enum { PAGE_SIZE, PAGE_LIMIT, CONCURRENCY, RETRIES, RETRY_DELAY, TIMEOUT, TOTAL, LIMIT, COUNT };

static struct option options[COUNT] = {
    [PAGE_SIZE] = {"--page-size", 300},         [PAGE_LIMIT] = {"--page-limit", 1000},
    [CONCURRENCY] = {"--concurrency", 4},       [RETRIES] = {"--retries", 4},
    [RETRY_DELAY] = {"--retry-delay-ms", 1000}, [TIMEOUT] = {"--timeout-ms", 60000},
    [TOTAL] = {"--total-ms", 300000},           [LIMIT] = {"--limit", 16 << 20},
};

static void set_option(const char *name, const char *value)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(name, options[i].name) == 0 && value != NULL &&
            text_parse_number(value, 0, INT64_MAX, &options[i].value))
            return;
    fprintf(stderr, "fetch_probe: bad option %s\n", name);
    exit(2);
}

static void print_progress(void *context, const char *team, size_t seen, size_t total)
{
    (void)context;
    fprintf(stderr, "%s %zu %zu\n", team, seen, total);
}

static json_t *preferred_as_json(const struct listing_person *person)
{
    switch (person->preferred) {
    case LISTING_PREFERRED_ADDRESS:
        return json_string(person->address);
    case LISTING_PREFERRED_NONE:
        return json_false();
    case LISTING_PREFERRED_UNKNOWN:
        break;
    }
    return json_null();
}

static json_t *people_as_json(const struct listing *listing, bool is_logged_in)
{
    json_t *people = json_array();
    for (size_t i = 0; i < listing->person_count; i++) {
        const struct listing_person *person = &listing->people[i];
        json_t *object =
            json_pack("{s:s, s:I, s:b, s:b}", "name", person->name, "date_created_us",
                      (json_int_t)person->date_created_us, "is_valid", person->is_valid,
                      "is_ubuntu_coc_signer", person->is_ubuntu_coc_signer);
        if (is_logged_in || person->preferred != LISTING_PREFERRED_UNKNOWN)
            json_object_set_new(object, "preferred", preferred_as_json(person));
        json_array_append_new(people, object);
    }
    return people;
}

static void print_listing(const struct listing *listing, bool is_logged_in)
{
    json_t *line = json_pack(
        "{s:s, s:b, s:s?, s:s?, s:I, s:o, s:I, s:I, s:I, s:I, s:i, s:i, s:I, s:I}", "team",
        listing->team, "usable", listing->verdict == LISTING_USABLE, "reason", listing->reason,
        "url", listing->url, "team_date_created_us", (json_int_t)listing->team_date_created_us,
        "people", people_as_json(listing, is_logged_in), "total_size",
        (json_int_t)listing->total_size, "subteams", (json_int_t)listing->subteams, "hidden",
        (json_int_t)listing->hidden, "overlong", (json_int_t)listing->overlong, "requests",
        (int)listing->requests, "retries", (int)listing->retries, "fetch_began_s",
        (json_int_t)listing->fetch_began_s, "duration_ms", (json_int_t)listing->duration_ms);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static int fetch_and_print(const struct fetch_settings *settings, const char *const *teams,
                           size_t count, const struct fetch_progress *progress)
{
    struct error error;
    struct listing *listings = memory_new(count, sizeof(*listings));
    if (!fetch_listings(settings, teams, count, timestamp_now_s(), progress, listings, &error)) {
        fprintf(stderr, "fetch_probe: %s\n", error.text);
        free(listings);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        print_listing(&listings[i], settings->credentials != NULL);
        listing_finish(&listings[i]);
    }
    free(listings);
    return 0;
}

int main(int argc, char **argv)
{
    const struct fetch_progress printer = {print_progress, NULL};
    const struct fetch_progress *progress = NULL;
    struct credentials *credentials = NULL;
    struct error error;
    int at = 2;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--progress") == 0) {
            progress = &printer;
        } else if (strcmp(argv[at], "--credentials") == 0) {
            if (!credentials_read(argv[++at], &credentials, &error)) {
                fprintf(stderr, "fetch_probe: %s\n", error.text);
                return 1;
            }
        } else {
            set_option(argv[at], argv[at + 1]);
            at++;
        }
    }
    if (at >= argc)
        return 2;
    const struct fetch_settings settings = {
        .api = argv[1],
        .credentials = credentials,
        .page_size = (unsigned)options[PAGE_SIZE].value,
        .concurrency = (unsigned)options[CONCURRENCY].value,
        .retries = (unsigned)options[RETRIES].value,
        .retry_delay_ms = (int64_t)options[RETRY_DELAY].value,
        .request_timeout_ms = (int64_t)options[TIMEOUT].value,
        .total_timeout_ms = (int64_t)options[TOTAL].value,
        .response_limit_bytes = options[LIMIT].value,
        .page_limit = (unsigned)options[PAGE_LIMIT].value,
    };
    int status =
        fetch_and_print(&settings, (const char *const *)(argv + at), (size_t)(argc - at), progress);
    credentials_destroy(credentials);
    return status;
}
