/*
 * The yardstick of the portal: libevent's HTTP server that answers everything with the same few
 * bytes of JSON and knows nothing else. What lpalias-portal adds to this is the price of sessions,
 * limits and the cache.
 */
#include <err.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <signal.h>

#include "endpoint.h"

static const char body[] = "{\"logged_in\":true,\"name\":\"m00000\",\"is_admin\":false}";

static void answer(struct evhttp_request *request, void *context)
{
    struct evbuffer *buffer = context;
    evbuffer_add_reference(buffer, body, strlen(body), NULL, NULL);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    evhttp_send_reply(request, HTTP_OK, NULL, buffer);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: %s ENDPOINT", argv[0]);
    /* Whoever started it may be killed: it must not stay behind. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct event_base *base = event_base_new();
    struct evhttp *http = base != NULL ? evhttp_new(base) : NULL;
    struct evbuffer *buffer = evbuffer_new();
    if (http == NULL || buffer == NULL || evhttp_accept_socket(http, endpoint_listen(argv[1])) != 0)
        errx(1, "cannot make an HTTP server");
    evhttp_set_gencb(http, answer, buffer);
    event_base_dispatch(base);
    return 1;
}
