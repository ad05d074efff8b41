#include "address/address.h"
#include "base/text.h"
#include "fuzz.h"

#define DELIMITERS "+-"

static void require_lower_utf8(const char *text, size_t length)
{
    REQUIRE(strlen(text) == length);
    REQUIRE(text_is_utf8(text, length));
    for (size_t i = 0; i < length; i++)
        REQUIRE(text[i] == text_lower_ascii_char(text[i]));
}

/* What was normalised once stays as it is. */
static void parse_again(enum address_form form, const struct address *address)
{
    struct buffer key = {0};
    if (form == ADDRESS_FULL) {
        buffer_append(&key, address->local, address->local_length);
        buffer_append_char(&key, '@');
    }
    buffer_append(&key, address->domain, address->domain_length);
    struct address again;
    REQUIRE(address_parse(key.data, key.length, &again) == form);
    require_same((struct span){again.local, again.local_length},
                 (struct span){address->local, address->local_length});
    require_same((struct span){again.domain, again.domain_length},
                 (struct span){address->domain, address->domain_length});
    buffer_finish(&key);
}

static void check_cuts(const struct address *address)
{
    size_t length = address->local_length;
    for (;;) {
        size_t cut = address_next_cut(address->local, length, DELIMITERS);
        if (cut == 0)
            return;
        REQUIRE(cut < length && strchr(DELIMITERS, address->local[cut]) != NULL);
        length = cut;
    }
}

static void check_target(const char *data, size_t size)
{
    struct buffer target = {0}, again = {0};
    if (address_check_target(data, size, &target) == NULL) {
        REQUIRE(target.length != 0 && text_is_utf8(target.data, target.length));
        REQUIRE(memchr(target.data, '\n', target.length) == NULL);
        REQUIRE(address_check_target(target.data, target.length, &again) == NULL);
        require_same((struct span){again.data, again.length},
                     (struct span){target.data, target.length});
        buffer_clear(&again);
        address_append_extended(&again, (struct span){target.data, target.length}, span_of("+tag"));
        REQUIRE(again.length == target.length || again.length == target.length + 4);
    }
    buffer_finish(&target);
    buffer_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *data = (const char *)bytes;
    check_target(data, size);

    struct address address;
    enum address_form form = address_parse(data, size, &address);
    if (form == ADDRESS_ODD)
        return 0;
    REQUIRE(address.local_length <= ADDRESS_KEY_LOCAL_MAX_BYTES);
    REQUIRE(address.domain_length <= ADDRESS_DOMAIN_MAX_BYTES);
    REQUIRE((form == ADDRESS_FULL) == (address.local_length != 0));
    require_lower_utf8(address.local, address.local_length);
    require_lower_utf8(address.domain, address.domain_length);
    if (address.domain_length != 0)
        parse_again(form, &address);
    check_cuts(&address);
    return 0;
}
