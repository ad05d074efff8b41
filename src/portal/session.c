#include "portal/session.h"

#include <sodium.h>
#include <string.h>

#define FORMAT        2
#define NUMBER_BYTES  8
#define SESSION_BYTES (1 + SESSION_ID_BYTES + 3 * NUMBER_BYTES + 1 + 4 * 2)
#define PLAIN_MAX                                                         \
    (SESSION_BYTES + SESSION_ACCOUNT_MAX_BYTES + SESSION_NAME_MAX_BYTES + \
     SESSION_ADDRESS_MAX_BYTES + SESSION_FOUND_MAX_BYTES)
#define NONCE_BYTES   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES     crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_MAX    (NONCE_BYTES + PLAIN_MAX + TAG_BYTES)
#define BASE64        sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define RENEWALS      16 /* in an idle time, at most */
#define CLOCK_SLACK_S 60 /* between two portal hosts */

_Static_assert(STATE_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's length");
_Static_assert(SESSION_CSRF_TEXT_BYTES == sodium_base64_ENCODED_LEN(32, BASE64), "a token's text");

struct session session_new(const char *account, const char *name, bool is_admin, int64_t epoch,
                           int64_t now_s)
{
    struct session session = {
        .begun_s = now_s, .used_s = now_s, .epoch = epoch, .is_admin = is_admin};
    randombytes_buf(session.id, sizeof(session.id));
    strncpy(session.account, account, SESSION_ACCOUNT_MAX_BYTES);
    strncpy(session.name, name, SESSION_NAME_MAX_BYTES);
    return session;
}

static void append_number(struct buffer *out, int64_t number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        buffer_append_char(out, (char)((uint64_t)number >> (8 * (i - 1))));
}

static void append_short_text(struct buffer *out, const char *text)
{
    append_number(out, (int64_t)strlen(text), 2);
    buffer_append_text(out, text);
}

static int64_t take_number(struct span *bytes, size_t length)
{
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | (unsigned char)bytes->data[i];
    *bytes = (struct span){bytes->data + length, bytes->length - length};
    return (int64_t)number;
}

static bool take_short_text(struct span *bytes, char *text, size_t max_bytes)
{
    if (bytes->length < 2)
        return false;
    size_t length = (size_t)take_number(bytes, 2);
    if (length > max_bytes || length > bytes->length)
        return false;
    memcpy(text, bytes->data, length);
    text[length] = '\0';
    *bytes = (struct span){bytes->data + length, bytes->length - length};
    return true;
}

static void encode(const struct session *session, struct buffer *out)
{
    buffer_append_char(out, FORMAT);
    buffer_append(out, session->id, SESSION_ID_BYTES);
    append_number(out, session->begun_s, NUMBER_BYTES);
    append_number(out, session->used_s, NUMBER_BYTES);
    append_number(out, session->epoch, NUMBER_BYTES);
    buffer_append_char(out, session->is_admin);
    append_short_text(out, session->account);
    append_short_text(out, session->name);
    append_short_text(out, session->address);
    append_short_text(out, session->found);
}

static bool decode(struct span plain, struct session *ret)
{
    *ret = (struct session){0};
    if (plain.length < SESSION_BYTES || take_number(&plain, 1) != FORMAT)
        return false;
    memcpy(ret->id, plain.data, SESSION_ID_BYTES);
    plain = (struct span){plain.data + SESSION_ID_BYTES, plain.length - SESSION_ID_BYTES};
    ret->begun_s = take_number(&plain, NUMBER_BYTES);
    ret->used_s = take_number(&plain, NUMBER_BYTES);
    ret->epoch = take_number(&plain, NUMBER_BYTES);
    ret->is_admin = take_number(&plain, 1) != 0;
    return take_short_text(&plain, ret->account, SESSION_ACCOUNT_MAX_BYTES) &&
           take_short_text(&plain, ret->name, SESSION_NAME_MAX_BYTES) &&
           take_short_text(&plain, ret->address, SESSION_ADDRESS_MAX_BYTES) &&
           take_short_text(&plain, ret->found, SESSION_FOUND_MAX_BYTES) && plain.length == 0;
}

void session_seal(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                  const char *cookie_name, struct buffer *out)
{
    struct buffer plain = {0};
    unsigned char sealed[SEALED_MAX];
    char text[sodium_base64_ENCODED_LEN(SEALED_MAX, BASE64)];
    unsigned long long length;
    encode(session, &plain);
    randombytes_buf(sealed, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed + NONCE_BYTES, &length, (const unsigned char *)plain.data, plain.length,
        (const unsigned char *)cookie_name, strlen(cookie_name), NULL, sealed, key);
    sodium_memzero(plain.data, plain.length);
    buffer_finish(&plain);
    buffer_append_text(
        out, sodium_bin2base64(text, sizeof(text), sealed, NONCE_BYTES + (size_t)length, BASE64));
}

static bool is_in_time(const struct session *session, const struct session_limits *limits,
                       int64_t now_s)
{
    return session->begun_s <= now_s + CLOCK_SLACK_S && session->used_s <= now_s + CLOCK_SLACK_S &&
           now_s - session->begun_s < limits->total_s && now_s - session->used_s < limits->idle_s;
}

bool session_open(const char *sealed, const unsigned char key[STATE_KEY_BYTES],
                  const char *cookie_name, const struct session_limits *limits, int64_t now_s,
                  struct session *ret)
{
    unsigned char bytes[SEALED_MAX], plain[SEALED_MAX];
    size_t length;
    unsigned long long plain_length;
    if (sodium_base642bin(bytes, sizeof(bytes), sealed, strlen(sealed), NULL, &length, NULL,
                          BASE64) != 0 ||
        length < NONCE_BYTES + TAG_BYTES)
        return false;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, &plain_length, NULL, bytes + NONCE_BYTES, length - NONCE_BYTES,
            (const unsigned char *)cookie_name, strlen(cookie_name), bytes, key) != 0)
        return false;
    return decode((struct span){(const char *)plain, (size_t)plain_length}, ret) &&
           is_in_time(ret, limits, now_s);
}

bool session_wants_renewal(const struct session *session, const struct session_limits *limits,
                           int64_t now_s)
{
    return now_s - session->used_s > limits->idle_s / RENEWALS;
}

const char *session_csrf(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                         char text[SESSION_CSRF_TEXT_BYTES])
{
    static const char purpose[] = "csrf";
    unsigned char hash[32];
    crypto_generichash_state hashing;
    crypto_generichash_init(&hashing, key, STATE_KEY_BYTES, sizeof(hash));
    crypto_generichash_update(&hashing, (const unsigned char *)purpose, sizeof(purpose));
    crypto_generichash_update(&hashing, session->id, SESSION_ID_BYTES);
    crypto_generichash_final(&hashing, hash, sizeof(hash));
    sodium_bin2base64(text, SESSION_CSRF_TEXT_BYTES, hash, sizeof(hash), BASE64);
    return text;
}

bool session_csrf_is(const struct session *session, const unsigned char key[STATE_KEY_BYTES],
                     const char *given)
{
    char wanted[SESSION_CSRF_TEXT_BYTES];
    session_csrf(session, key, wanted);
    return given != NULL && strlen(given) == sizeof(wanted) - 1 &&
           sodium_memcmp(given, wanted, sizeof(wanted) - 1) == 0;
}
