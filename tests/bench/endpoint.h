/* Sockets for the two bench programs: "unix:PATH" or "inet:ADDRESS:PORT" (numeric). */
#ifndef LPALIAS_TESTS_BENCH_ENDPOINT_H
#define LPALIAS_TESTS_BENCH_ENDPOINT_H

/* Both return a descriptor; any fault ends the program with a message. */
int endpoint_connect(const char *endpoint);
int endpoint_listen(const char *endpoint); /* non-blocking */

#endif
