/*
 * Logs somebody in without a login provider: session_probe STATE-DIRECTORY ACCOUNT NAME ADMIN AGE-S
 * prints a session cookie and its CSRF token, of a session that began so long ago and was not used
 * since.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "portal/cookie.h"
#include "portal/session.h"
#include "state/session_end.h"

int main(int argc, char **argv)
{
    struct state *state = NULL;
    struct error error = {0};
    int64_t epoch;
    char csrf[SESSION_CSRF_TEXT_BYTES];
    struct buffer cookie = {0};
    if (argc != 6 || !state_open(argv[1], &state, &error) ||
        !session_epoch(state, argv[2], &epoch, &error)) {
        fprintf(stderr, "session_probe: %s\n", error.text);
        return 1;
    }
    struct session session = session_new(argv[2], argv[3], strcmp(argv[4], "admin") == 0, epoch,
                                         timestamp_now_s() - atoll(argv[5]));
    session_seal(&session, state_key(state), COOKIE_SESSION, &cookie);
    printf("%s=%s\n%s\n", COOKIE_SESSION, buffer_text(&cookie),
           session_csrf(&session, state_key(state), csrf));
    buffer_finish(&cookie);
    state_close(state);
    return 0;
}
