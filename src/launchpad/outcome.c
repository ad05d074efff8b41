#include "launchpad/outcome.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

/* Of an error's text in a reason: enough for the name of an exception. */
#define EXCERPT_MAX_BYTES 120

/* The first line of a plain text, which is where Launchpad names the exception (facts 4.1). */
static void append_excerpt(struct buffer *out, const struct transfer_result *result)
{
    if (strncasecmp(result->content_type, "text/plain", 10) != 0)
        return;
    size_t length =
        result->body.length < EXCERPT_MAX_BYTES ? result->body.length : EXCERPT_MAX_BYTES;
    CLEANUP(memory_free_at) char *line = memory_copy_bytes(result->body.data, length);
    line[strcspn(line, "\r\n")] = '\0';
    text_append_escaped(out, line);
}

/* An answer about the credentials names them: "Unknown access token (...)." */
static bool is_about_credentials(const struct transfer_result *result)
{
    return result->status == 400 || result->status == 401 || result->status == 403;
}

static void append_details(struct buffer *out, const struct transfer_result *result,
                           bool is_logged_in)
{
    struct buffer details = {0};
    if (!is_logged_in || !is_about_credentials(result))
        append_excerpt(&details, result);
    const char *oops = transfer_header(result, "X-Lazr-OopsId");
    if (oops != NULL) {
        buffer_append_text(&details, details.length != 0 ? ", " : "");
        text_append_escaped(&details, oops);
    }
    if (details.length != 0)
        buffer_appendf(out, " (%s)", buffer_text(&details));
    buffer_finish(&details);
}

void outcome_append(struct buffer *out, const struct transfer_result *result, bool is_logged_in)
{
    switch (result->outcome) {
    case TRANSFER_ANSWERED:
        buffer_appendf(out, "answered %u", result->status);
        append_details(out, result, is_logged_in);
        return;
    case TRANSFER_TIMED_OUT:
        buffer_append_text(out, "timed out");
        break;
    case TRANSFER_EXPIRED:
        break;
    case TRANSFER_NETWORK:
        buffer_append_text(out, "network error");
        break;
    case TRANSFER_TLS:
        buffer_append_text(out, "TLS error");
        break;
    case TRANSFER_TOO_LARGE:
        buffer_append_text(out, "the answer is too large");
        return;
    case TRANSFER_PROTOCOL:
        buffer_append_text(out, "protocol error");
        break;
    }
    buffer_append_text(out, ": ");
    text_append_escaped(out, result->problem);
}

bool outcome_is_json(const struct transfer_result *result)
{
    const char *content_type = result->content_type;
    static const char wanted[] = "application/json";
    size_t length = sizeof(wanted) - 1;
    return strncasecmp(content_type, wanted, length) == 0 &&
           (content_type[length] == '\0' || strchr("; \t", content_type[length]) != NULL);
}
