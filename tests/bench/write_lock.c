/*
 * Asks for the cache's write lock over and over until standard input ends, and prints the longest
 * wait in milliseconds: how long the other writers held it.
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "store/changeset.h"

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    struct store *store = NULL;
    struct error error = {0};
    double longest_ms = 0;
    if (argc != 2 || !store_open(argv[1], STORE_WRITE, 16ULL << 30, &store, &error)) {
        fprintf(stderr, "write_lock: %s\n", argc == 2 ? error.text : "usage: write_lock DIRECTORY");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 1) == 0) {
        /* Its own run row: outside generations, so that nobody has to plan again. */
        const struct store_run_row row = {.domain = "bench.example",
                                          .record = {.outcome = RUN_APPLIED}};
        double began_ms = now_ms();
        if (!store_note_runs(store, &row, 1, &error)) {
            fprintf(stderr, "write_lock: %s\n", error.text);
            return 1;
        }
        double waited_ms = now_ms() - began_ms;
        if (waited_ms > longest_ms)
            longest_ms = waited_ms;
    }
    printf("%.1f\n", longest_ms);
    store_close(store);
    return 0;
}
