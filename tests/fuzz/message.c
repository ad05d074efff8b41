/* Mail of any subject and any text: headers stay the same ones, lines end with CRLF and are short.
 */
#include "notify/message.h"
#include "base/memory.h"
#include "fuzz.h"
#include "store/record.h"

static void check_lines(const char *at, size_t *ret_header_count)
{
    bool is_header = true;
    *ret_header_count = 0;
    while (*at != '\0') {
        const char *end = strstr(at, "\r\n");
        REQUIRE(end != NULL && end - at <= 998);
        for (const char *byte = at; byte < end; byte++)
            REQUIRE(*byte != '\r' && *byte != '\n' && (unsigned char)*byte <= 0x7e);
        is_header = is_header && end != at;
        *ret_header_count += is_header && *at != ' ';
        at = end + 2;
    }
}

/* The first part, up to a form feed, is the subject, the rest the text; a NUL ends what a text can
 * hold. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *subject = memory_copy_bytes((const char *)bytes, size);
    char *body = strchr(subject, '\f');
    if (body != NULL)
        *body++ = '\0';
    static const unsigned char id[OUTBOX_ID_BYTES] = {1};
    const struct message message = {
        .id = id,
        .from = "from@operators.example",
        .to = "to@target.example",
        .subject = subject,
        .body = body != NULL ? body : "",
        .date_s = 1795614061,
    };
    struct buffer out = {0};
    size_t header_count;
    message_write(&message, &out);
    check_lines(buffer_text(&out), &header_count);
    REQUIRE(header_count == 9);
    buffer_finish(&out);
    free(subject);
    return 0;
}
