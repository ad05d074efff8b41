#include "pieces.h"
#include "wire/bare_http.h"

static enum wire_result take(const char *data, size_t length, size_t *ret_consumed)
{
    struct bare_http_request request;
    return bare_http_take_request(data, length, &request, ret_consumed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    pieces_check(take, data, size, BARE_HTTP_REQUEST_MAX_BYTES);

    struct bare_http_request request;
    size_t consumed;
    if (bare_http_take_request(data, size, &request, &consumed) != WIRE_COMPLETE)
        return 0;
    REQUIRE(data[consumed - 1] == '\n' && memchr(data, '\0', consumed) == NULL);
    REQUIRE(request.method.data == data && request.method.length != 0);
    REQUIRE(request.path.length != 0 && request.path.data[0] == '/');
    REQUIRE(request.path.data == data + request.method.length + 1);
    for (size_t i = 0; i < request.path.length; i++)
        REQUIRE((unsigned char)request.path.data[i] > 0x20 && request.path.data[i] != '?');
    return 0;
}
