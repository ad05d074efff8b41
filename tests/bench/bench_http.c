/*
 * A load generator of browsers: HTTP/1.1 over connections that are kept, one request in flight on
 * each. Prints one line of JSON; an answer with another status than wanted ends the run with 1.
 *
 * What is sent stands on standard input, a line for each request:
 *
 *     CONNECTION WEIGHT STATUS HEX
 *
 * where WEIGHT is how often it is taken beside the others of its connection, and 0 a write: those
 * of a connection are sent in turn, one in each interval (-w).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "endpoint.h"

#define CONNECTIONS_MAX 4096
#define REQUESTS_MAX    64 /* of one connection, of each kind */
#define STALL_MS        30000
#define READ_BYTES      65536

/* Latencies are counted in steps of this up to ten seconds; the last step takes the rest. */
#define LATENCY_STEP_NS 5000
#define LATENCY_STEPS   2000000

struct options {
    const char *endpoint;
    size_t connections;
    double seconds;
    double warm_up_seconds;
    double pause_seconds; /* between an answer and the next request */
    double write_seconds; /* between two writes of a connection */
};

struct request {
    unsigned weight;
    unsigned status;
    struct buffer bytes;
};

struct requests {
    struct request rows[REQUESTS_MAX];
    size_t count;
    unsigned weight; /* of all */
};

struct connection {
    int fd;
    struct requests reads, writes;
    size_t next_write;
    int64_t write_due_ns;
    int64_t due_ns; /* of the next request, while none is in flight */
    int64_t asked_at_ns;
    const struct request *asked; /* NULL: none is in flight */
    struct buffer got;
};

struct counts {
    size_t answers;
    uint32_t *latencies;
    int64_t max_ns;
};

struct run {
    const struct options *options;
    struct connection *connections;
    uint64_t random;
    struct counts all, writes;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* xorshift64: the same requests in each run. */
static uint64_t random_next(struct run *run)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return run->random;
}

static int64_t random_part(struct run *run, double seconds)
{
    return (int64_t)(seconds * 1e9 * (double)(random_next(run) % 1000) / 1000);
}

/* ---- what is sent ---- */

static void append_hex(struct buffer *out, const char *hex)
{
    for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        buffer_append_char(out, (char)byte);
}

static void read_request(struct run *run, const char *line, char *hex)
{
    size_t place;
    struct request request = {0};
    if (sscanf(line, "%zu %u %u %s", &place, &request.weight, &request.status, hex) != 4 ||
        place >= run->options->connections)
        errx(2, "not a request: %.60s", line);
    struct connection *connection = &run->connections[place];
    struct requests *requests = request.weight > 0 ? &connection->reads : &connection->writes;
    if (requests->count == REQUESTS_MAX)
        errx(2, "more than %d requests", REQUESTS_MAX);
    append_hex(&request.bytes, hex);
    requests->weight += request.weight;
    requests->rows[requests->count++] = request;
}

static void read_requests(struct run *run)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        char *hex = memory_new((size_t)length + 1, 1);
        read_request(run, line, hex);
        free(hex);
    }
    free(line);
}

static const struct request *choose(struct run *run, struct connection *connection, int64_t at_ns)
{
    if (connection->writes.count > 0 && at_ns >= connection->write_due_ns) {
        connection->write_due_ns = at_ns + (int64_t)(run->options->write_seconds * 1e9);
        return &connection->writes.rows[connection->next_write++ % connection->writes.count];
    }
    const struct request *request = connection->reads.rows;
    uint64_t left = random_next(run) % connection->reads.weight;
    while (left >= request->weight)
        left -= request++->weight;
    return request;
}

static void ask(struct run *run, struct connection *connection, int64_t at_ns)
{
    connection->asked = choose(run, connection, at_ns);
    connection->asked_at_ns = at_ns;
    buffer_clear(&connection->got);
    const struct buffer *bytes = &connection->asked->bytes;
    if (send(connection->fd, bytes->data, bytes->length, MSG_NOSIGNAL) != (ssize_t)bytes->length)
        err(1, "cannot send a request");
}

/* ---- what comes ---- */

/* The length of the whole answer, or 0 while its headers are not complete. */
static size_t answer_length(const char *text)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL)
        return 0;
    const char *length = strcasestr(text, name);
    return (size_t)(end + 4 - text) +
           (length != NULL && length < end ? (size_t)atol(length + sizeof(name) - 1) : 0);
}

/* Takes what has come; true when the answer is whole. */
static bool take_answer(struct connection *connection)
{
    static char bytes[READ_BYTES];
    ssize_t got = recv(connection->fd, bytes, sizeof(bytes), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0)
        errx(1, "the server hung up");
    buffer_append(&connection->got, bytes, (size_t)got);
    const char *text = buffer_text(&connection->got);
    size_t wanted = answer_length(text);
    if (wanted == 0 || connection->got.length < wanted)
        return false;
    unsigned status = 0;
    if (sscanf(text, "HTTP/1.1 %u ", &status) != 1 || status != connection->asked->status)
        errx(1, "asked %.200s wanted %u got %s", connection->asked->bytes.data,
             connection->asked->status, text);
    return true;
}

static void count(struct counts *counts, int64_t latency_ns)
{
    int64_t step = latency_ns / LATENCY_STEP_NS;
    counts->latencies[step < LATENCY_STEPS ? step : LATENCY_STEPS - 1]++;
    counts->answers++;
    if (latency_ns > counts->max_ns)
        counts->max_ns = latency_ns;
}

static void count_answer(struct run *run, const struct connection *connection, int64_t at_ns)
{
    count(&run->all, at_ns - connection->asked_at_ns);
    if (connection->asked->weight == 0)
        count(&run->writes, at_ns - connection->asked_at_ns);
}

/* ---- the run ---- */

static int connect_all(struct run *run, int64_t begin_ns)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < run->options->connections; i++) {
        struct connection *connection = &run->connections[i];
        if (connection->reads.weight == 0)
            errx(2, "nothing to read on connection %zu", i);
        connection->fd = endpoint_connect(run->options->endpoint);
        connection->due_ns = begin_ns + random_part(run, run->options->pause_seconds);
        connection->write_due_ns = begin_ns + random_part(run, run->options->write_seconds);
        fcntl(connection->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
            err(1, "epoll");
    }
    return epoll_fd;
}

static void ask_who_is_due(struct run *run, int64_t at_ns)
{
    for (size_t i = 0; i < run->options->connections; i++) {
        struct connection *connection = &run->connections[i];
        if (connection->asked == NULL && connection->due_ns <= at_ns)
            ask(run, connection, at_ns);
        else if (connection->asked != NULL &&
                 at_ns - connection->asked_at_ns > STALL_MS * INT64_C(1000000))
            errx(1, "no answer for %d ms", STALL_MS);
    }
}

/* Returns the measured time. */
static double browse(struct run *run)
{
    const struct options *options = run->options;
    int64_t now = now_ns();
    int epoll_fd = connect_all(run, now);
    int64_t begin_ns = now + (int64_t)(options->warm_up_seconds * 1e9);
    int64_t end_ns = begin_ns + (int64_t)(options->seconds * 1e9);
    while (now < end_ns) {
        struct epoll_event events[256];
        ask_who_is_due(run, now);
        int ready = epoll_wait(epoll_fd, events, ARRAY_LENGTH(events), 1);
        now = now_ns();
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!take_answer(connection))
                continue;
            now = now_ns();
            if (now >= begin_ns)
                count_answer(run, connection, now);
            connection->asked = NULL;
            connection->due_ns = now + (int64_t)(options->pause_seconds * 1e9);
            if (options->pause_seconds == 0)
                ask(run, connection, now);
        }
    }
    close(epoll_fd);
    return (double)(now - begin_ns) / 1e9;
}

static double percentile_us(const struct counts *counts, double part)
{
    size_t wanted = (size_t)((double)counts->answers * part);
    size_t seen = 0;
    for (size_t step = 0; step < LATENCY_STEPS; step++) {
        seen += counts->latencies[step];
        if (seen > wanted)
            return (double)(step + 1) * LATENCY_STEP_NS / 1e3;
    }
    return 0;
}

static void print_result(const struct run *run, double seconds)
{
    printf(
        "{\"answers\": %zu, \"writes\": %zu, \"rate\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
        "\"p999_us\": %.1f, \"max_us\": %.1f, \"write_p99_us\": %.1f}\n",
        run->all.answers, run->writes.answers, (double)run->all.answers / seconds,
        percentile_us(&run->all, 0.5), percentile_us(&run->all, 0.99),
        percentile_us(&run->all, 0.999), (double)run->all.max_ns / 1e3,
        percentile_us(&run->writes, 0.99));
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
        .connections = 200, .seconds = 5, .warm_up_seconds = 0.5, .write_seconds = 10};
    int option;
    while ((option = getopt(argc, argv, "c:p:t:u:w:")) != -1) {
        switch (option) {
        case 'c':
            options.connections = (size_t)number_option(optarg, 1, CONNECTIONS_MAX);
            break;
        case 'p':
            options.pause_seconds = number_option(optarg, 0, 3600);
            break;
        case 't':
            options.seconds = number_option(optarg, 0.1, 3600);
            break;
        case 'u':
            options.warm_up_seconds = number_option(optarg, 0, 60);
            break;
        case 'w':
            options.write_seconds = number_option(optarg, 0, 3600);
            break;
        default:
            exit(2);
        }
    }
    if (optind != argc - 1)
        errx(2,
             "usage: %s [-c CONNECTIONS] [-p PAUSE-SECONDS] [-t SECONDS] [-u WARM-UP-SECONDS] "
             "[-w WRITE-SECONDS] ENDPOINT < REQUESTS",
             argv[0]);
    options.endpoint = argv[optind];
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct run run = {.options = &options, .random = 0x9e3779b97f4a7c15};
    run.connections = memory_new(options.connections, sizeof(*run.connections));
    run.all.latencies = memory_new(LATENCY_STEPS, sizeof(*run.all.latencies));
    run.writes.latencies = memory_new(LATENCY_STEPS, sizeof(*run.writes.latencies));
    read_requests(&run);
    double seconds = browse(&run);
    print_result(&run, seconds);
    return 0;
}
