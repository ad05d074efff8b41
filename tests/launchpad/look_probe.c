/*
 * Looks at one person and prints what was seen as a line of JSON, for test_look.py:
 * look_probe ROOT TIMEOUT-MS TOTAL-MS IDENTIFIER TEAM...
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timestamp.h"
#include "launchpad/person.h"

struct asked {
    char **teams;
    size_t count;
};

static void print_sight(void *context, const struct person_sight *sight)
{
    static const char *const answers[] = {"cannot-tell", "absent", "found"};
    static const char *const memberships[] = {"unknown", "no", "yes"};
    const struct asked *asked = context;
    json_t *teams = json_object();
    json_t *dates = json_object();
    for (size_t i = 0; i < asked->count; i++) {
        json_object_set_new(teams, asked->teams[i],
                            json_string(memberships[sight->teams[i].membership]));
        json_object_set_new(dates, asked->teams[i], json_integer(sight->teams[i].date_created_us));
    }
    json_t *seen =
        json_pack("{s:s,s:s?,s:I,s:b,s:b,s:o,s:o,s:s}", "answer", answers[sight->answer], "name",
                  sight->name, "date_created_us", (json_int_t)sight->date_created_us, "is_valid",
                  sight->is_valid, "is_signer", sight->is_ubuntu_coc_signer, "teams", teams,
                  "dates", dates, "problem", sight->problem);
    json_dumpf(seen, stdout, 0);
    putchar('\n');
    json_decref(seen);
}

int main(int argc, char **argv)
{
    struct transfer_pool *pool;
    struct error error;
    if (argc < 5 || !transfer_pool_create(4, &pool, &error))
        return 2;
    const struct person_settings settings = {
        .api = argv[1],
        .page_size = 10,
        .page_limit = 5,
        .retries = 1,
        .retry_delay_ms = 10,
        .request_timeout_ms = atoll(argv[2]),
        .total_timeout_ms = atoll(argv[3]),
        .response_limit_bytes = 1 << 20,
    };
    struct asked asked = {argv + 5, (size_t)argc - 5};
    (void)person_look_begin(pool, &settings, argv[4], (const char *const *)asked.teams, asked.count,
                            print_sight, &asked);
    transfer_pool_run(pool, timestamp_monotonic_ms() + 300000);
    transfer_pool_destroy(pool);
    return 0;
}
