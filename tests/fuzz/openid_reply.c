/* The provider's replies to a verification: only the exact word makes an answer good. */
#include "fuzz.h"
#include "openid/assertion.h"

static struct openid_assertion *create_assertion(void)
{
    struct openid_form form;
    REQUIRE(
        openid_form_parse(span_of("openid.signed=claimed_id&openid.claimed_id=x"), &form, NULL));
    return openid_assertion_create(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span reply = {(const char *)bytes, size};
    struct openid_refusal refusal = {0};
    struct openid_assertion *assertion = create_assertion();
    bool is_good = openid_assertion_verify(assertion, 200, reply, &refusal);
    if (is_good) {
        REQUIRE(size != 0 && bytes[size - 1] == '\n');
        REQUIRE(memmem(bytes, size, "is_valid:true\n", 14) != NULL);
        REQUIRE(memmem(bytes, size, "\nis_valid:false\n", 16) == NULL);
    } else {
        REQUIRE(refusal.reason == OPENID_REFUSAL_SIGNATURE ||
                refusal.reason == OPENID_REFUSAL_CANNOT_VERIFY);
    }
    openid_assertion_destroy(assertion);
    return 0;
}
