#include "state/token.h"

#include <sodium.h>

_Static_assert(TOKEN_TEXT_BYTES ==
                   sodium_base64_ENCODED_LEN(TOKEN_RANDOM_BYTES,
                                             sodium_base64_VARIANT_URLSAFE_NO_PADDING),
               "text of a token");

const char *token_make(char text[TOKEN_TEXT_BYTES])
{
    unsigned char bytes[TOKEN_RANDOM_BYTES];
    randombytes_buf(bytes, sizeof(bytes));
    sodium_bin2base64(text, TOKEN_TEXT_BYTES, bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof(bytes));
    return text;
}
