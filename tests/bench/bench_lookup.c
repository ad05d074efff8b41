/*
 * A load generator that asks as Postfix does: socketmap, one request in flight per connection. It
 * compares every reply byte by byte with what it must be; one wrong byte ends the run with status
 * 1. Prints one line of JSON.
 *
 * Key number n is "a%06zu@ubuntu.com" with the value "target%zu@example.org"; a miss is
 * "m%06zu@ubuntu.com". tests/bench/run fills a cache with just these.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "endpoint.h"
#include "wire/socketmap.h"

#define CONNECTIONS_MAX 4096
#define REPLY_MAX_BYTES 256
#define STALL_MS        10000

/* Latencies are counted in steps of this up to half a second; the last step takes the rest. */
#define LATENCY_STEP_NS 500
#define LATENCY_STEPS   1000000

struct options {
    const char *endpoint;
    const char *fixed_value; /* the value of every reply, or NULL: that of the key */
    size_t connections;
    size_t keys;
    unsigned miss_percent;
    double seconds;
    double warm_up_seconds;
    size_t max_requests;
};

/* One question with the bytes that ask it and the bytes that must come back. */
struct question {
    struct span request;
    struct span reply;
};

struct connection {
    int fd;
    const struct question *asked;
    int64_t asked_at_ns;
    size_t got_bytes;
    char got[REPLY_MAX_BYTES];
};

struct run {
    const struct options *options;
    struct buffer bytes;        /* of all questions */
    struct question *questions; /* hits, then as many misses */
    struct connection *connections;
    uint64_t random;
    size_t requests; /* answered since warm-up */
    uint32_t *latencies;
    int64_t latency_max_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* xorshift64: the same questions in each run. */
static uint64_t random_next(struct run *run)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return run->random;
}

static void append_question(struct run *run, size_t number, bool is_hit)
{
    char key[64], value[64];
    snprintf(key, sizeof(key), "%c%06zu@ubuntu.com", is_hit ? 'a' : 'm', number);
    snprintf(value, sizeof(value), "target%zu@example.org", number);
    enum wire_status status = is_hit ? WIRE_OK : WIRE_NOTFOUND;
    const char *text = value;
    if (run->options->fixed_value != NULL) {
        status = WIRE_OK;
        text = run->options->fixed_value;
    }
    struct question *question =
        &run->questions[is_hit ? number - 1 : run->options->keys + number - 1];
    size_t start = run->bytes.length;
    bool fits = socketmap_append_request(&run->bytes, span_of("alias"), span_of(key));
    question->request.length = run->bytes.length - start;
    start = run->bytes.length;
    fits = fits && socketmap_append_reply(&run->bytes, status, span_of(text));
    question->reply.length = run->bytes.length - start;
    if (!fits || question->reply.length > REPLY_MAX_BYTES)
        errx(2, "not a value that can be asked for: %s", text);
}

static void make_questions(struct run *run)
{
    size_t keys = run->options->keys;
    run->questions = memory_new(2 * keys, sizeof(*run->questions));
    for (size_t number = 1; number <= keys; number++)
        append_question(run, number, true);
    for (size_t number = 1; number <= keys; number++)
        append_question(run, number, false);
    const char *at = run->bytes.data; /* final only now */
    for (size_t i = 0; i < 2 * keys; i++) {
        run->questions[i].request.data = at;
        run->questions[i].reply.data = at + run->questions[i].request.length;
        at += run->questions[i].request.length + run->questions[i].reply.length;
    }
}

static void ask(struct run *run, struct connection *connection, int64_t at_ns)
{
    const struct options *options = run->options;
    uint64_t random = random_next(run);
    bool is_miss = random % 100 < options->miss_percent;
    size_t number = (random >> 16) % options->keys;
    connection->asked = &run->questions[(is_miss ? options->keys : 0) + number];
    connection->asked_at_ns = at_ns;
    connection->got_bytes = 0;
    struct span request = connection->asked->request;
    if (send(connection->fd, request.data, request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
        err(1, "cannot send a request");
}

/* Takes what has come; true when the reply is whole. */
static bool take_reply(struct connection *connection)
{
    struct span wanted = connection->asked->reply;
    ssize_t got = recv(connection->fd, connection->got + connection->got_bytes,
                       REPLY_MAX_BYTES - connection->got_bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0)
        errx(1, "the server hung up");
    connection->got_bytes += (size_t)got;
    if (connection->got_bytes > wanted.length ||
        memcmp(connection->got, wanted.data, connection->got_bytes) != 0)
        errx(1, "wrong reply: asked %.*s wanted %.*s got %.*s",
             (int)connection->asked->request.length, connection->asked->request.data,
             (int)wanted.length, wanted.data, (int)connection->got_bytes, connection->got);
    return connection->got_bytes == wanted.length;
}

static void count_latency(struct run *run, int64_t latency_ns)
{
    int64_t step = latency_ns / LATENCY_STEP_NS;
    run->latencies[step < LATENCY_STEPS ? step : LATENCY_STEPS - 1]++;
    run->requests++;
    if (latency_ns > run->latency_max_ns)
        run->latency_max_ns = latency_ns;
}

static int connect_all(struct run *run)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    run->connections = memory_new(run->options->connections, sizeof(*run->connections));
    for (size_t i = 0; i < run->options->connections; i++) {
        struct connection *connection = &run->connections[i];
        connection->fd = endpoint_connect(run->options->endpoint);
        fcntl(connection->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
            err(1, "epoll");
    }
    return epoll_fd;
}

/* Runs for the warm-up and the time, or until max_requests; returns the measured time. */
static double ask_and_check(struct run *run)
{
    const struct options *options = run->options;
    int epoll_fd = connect_all(run);
    int64_t now = now_ns();
    int64_t begin_ns = now + (int64_t)(options->warm_up_seconds * 1e9);
    int64_t end_ns = begin_ns + (int64_t)(options->seconds * 1e9);
    for (size_t i = 0; i < options->connections; i++)
        ask(run, &run->connections[i], now);
    while (now < end_ns && run->requests < options->max_requests) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll_fd, events, ARRAY_LENGTH(events), STALL_MS);
        if (count == 0)
            errx(1, "no reply for %d ms", STALL_MS);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!take_reply(connection))
                continue;
            now = now_ns();
            if (now >= begin_ns)
                count_latency(run, now - connection->asked_at_ns);
            ask(run, connection, now);
        }
    }
    close(epoll_fd);
    return (double)(now - begin_ns) / 1e9;
}

static double percentile_us(const struct run *run, double part)
{
    size_t wanted = (size_t)((double)run->requests * part);
    size_t seen = 0;
    for (size_t step = 0; step < LATENCY_STEPS; step++) {
        seen += run->latencies[step];
        if (seen > wanted)
            return (double)(step + 1) * LATENCY_STEP_NS / 1e3;
    }
    return 0;
}

static void print_result(const struct run *run, double seconds)
{
    printf("{\"requests\": %zu, \"seconds\": %.3f, \"rate\": %.0f, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n",
           run->requests, seconds, (double)run->requests / seconds, percentile_us(run, 0.5),
           percentile_us(run, 0.99), percentile_us(run, 0.999), (double)run->latency_max_ns / 1e3);
}

static double number_option(const char *text, double min, double max)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= min && number <= max))
        errx(2, "not a number from %g to %g: %s", min, max, text);
    return number;
}

static struct options parse_options(int argc, char **argv)
{
    struct options options = {
        .connections = 64,
        .keys = 100000,
        .miss_percent = 20,
        .seconds = 5,
        .warm_up_seconds = 0.5,
        .max_requests = SIZE_MAX,
    };
    int option;
    while ((option = getopt(argc, argv, "c:f:k:m:n:t:w:")) != -1) {
        switch (option) {
        case 'c':
            options.connections = (size_t)number_option(optarg, 1, CONNECTIONS_MAX);
            break;
        case 'f':
            options.fixed_value = optarg;
            break;
        case 'k':
            options.keys = (size_t)number_option(optarg, 1, 999999);
            break;
        case 'm':
            options.miss_percent = (unsigned)number_option(optarg, 0, 100);
            break;
        case 'n':
            options.max_requests = (size_t)number_option(optarg, 1, 1e12);
            break;
        case 't':
            options.seconds = number_option(optarg, 0.1, 3600);
            break;
        case 'w':
            options.warm_up_seconds = number_option(optarg, 0, 60);
            break;
        default:
            exit(2);
        }
    }
    if (optind != argc - 1)
        errx(2,
             "usage: %s [-c CONNECTIONS] [-k KEYS] [-m MISS-PERCENT] [-t SECONDS] "
             "[-w WARM-UP-SECONDS] [-n MAX-REQUESTS] [-f FIXED-VALUE] ENDPOINT",
             argv[0]);
    options.endpoint = argv[optind];
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct run run = {.options = &options, .random = 0x9e3779b97f4a7c15};
    make_questions(&run);
    run.latencies = memory_new(LATENCY_STEPS, sizeof(*run.latencies));
    double seconds = ask_and_check(&run);
    print_result(&run, seconds);
    return 0;
}
