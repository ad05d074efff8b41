#include "state/proof_link.h"

#include <sodium.h>
#include <string.h>

#include "state/table.h"

/* used (1), nonce, sealed: length of the account (2), account, target */
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PLAIN_MAX   (2 + PROOF_ACCOUNT_MAX_BYTES + PROOF_TARGET_MAX_BYTES)
#define VALUE_MAX   (1 + NONCE_BYTES + PLAIN_MAX + TAG_BYTES)

_Static_assert(STATE_HASH_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key's length");
_Static_assert(VALUE_MAX <= STATE_VALUE_BYTES, "a link fits in a row");

static struct span link_key(unsigned char hash[STATE_HASH_BYTES], const char *token)
{
    return state_hash(hash, "proof link", span_of(token));
}

static void sealing_key(unsigned char key[STATE_HASH_BYTES], const char *token)
{
    state_hash(key, "proof target", span_of(token));
}

static size_t seal(const char *token, const char *account, const char *target,
                   unsigned char value[VALUE_MAX])
{
    unsigned char key[STATE_HASH_BYTES], plain[PLAIN_MAX];
    size_t account_length = strlen(account), target_length = strlen(target);
    unsigned long long length;
    plain[0] = (unsigned char)(account_length >> 8);
    plain[1] = (unsigned char)account_length;
    memcpy(plain + 2, account, account_length);
    memcpy(plain + 2 + account_length, target, target_length);
    value[0] = 0;
    randombytes_buf(value + 1, NONCE_BYTES);
    sealing_key(key, token);
    crypto_aead_xchacha20poly1305_ietf_encrypt(value + 1 + NONCE_BYTES, &length, plain,
                                               2 + account_length + target_length, NULL, 0, NULL,
                                               value + 1, key);
    sodium_memzero(plain, sizeof(plain));
    sodium_memzero(key, sizeof(key));
    return 1 + NONCE_BYTES + (size_t)length;
}

static bool unseal(const char *token, struct span value, struct buffer *account,
                   struct buffer *target)
{
    unsigned char key[STATE_HASH_BYTES], plain[VALUE_MAX];
    const unsigned char *bytes = (const unsigned char *)value.data;
    unsigned long long length;
    if (value.length < 1 + NONCE_BYTES + TAG_BYTES || value.length > VALUE_MAX)
        return false;
    sealing_key(key, token);
    bool is_opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
                         plain, &length, NULL, bytes + 1 + NONCE_BYTES,
                         value.length - 1 - NONCE_BYTES, NULL, 0, bytes + 1, key) == 0;
    sodium_memzero(key, sizeof(key));
    size_t account_length = is_opened && length >= 2 ? (size_t)(plain[0] << 8 | plain[1]) : 0;
    if (!is_opened || length < 2 + account_length)
        return false;
    buffer_append(account, plain + 2, account_length);
    buffer_append(target, plain + 2 + account_length, (size_t)length - 2 - account_length);
    sodium_memzero(plain, sizeof(plain));
    return true;
}

bool proof_link_make(struct state *state, const char *token, const char *account,
                     const char *target, int64_t until_s, struct error *error)
{
    MDB_txn *transaction;
    unsigned char hash[STATE_HASH_BYTES], value[VALUE_MAX];
    if (strlen(account) > PROOF_ACCOUNT_MAX_BYTES || strlen(target) > PROOF_TARGET_MAX_BYTES)
        return error_set(error, ERROR_INVALID, "the account or the target is too long");
    size_t length = seal(token, account, target, value);
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    if (state_put(state, transaction, STATE_PROOF, link_key(hash, token),
                  (struct state_row){until_s, {(const char *)value, length}}, error))
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}

static enum proof_answer read_link(struct state *state, MDB_txn *transaction, const char *token,
                                   int64_t now_s, struct buffer *account, struct buffer *target,
                                   struct state_row *ret, struct error *error)
{
    unsigned char hash[STATE_HASH_BYTES];
    enum state_answer found =
        state_get(state, transaction, STATE_PROOF, link_key(hash, token), now_s, ret, error);
    if (found != STATE_YES)
        return found == STATE_NO ? PROOF_ABSENT : PROOF_TROUBLE;
    if (ret->value.length > 0 && ret->value.data[0] != 0)
        return PROOF_USED;
    if (unseal(token, ret->value, account, target))
        return PROOF_OPEN;
    error_set(error, ERROR_TEMPORARY, "a proof link in the portal's database cannot be opened");
    return PROOF_TROUBLE;
}

enum proof_answer proof_link_look(struct state *state, const char *token, int64_t now_s,
                                  struct buffer *account, struct buffer *target,
                                  struct error *error)
{
    MDB_txn *transaction;
    struct state_row row;
    if (!state_begin(state, STATE_READ, &transaction, error))
        return PROOF_TROUBLE;
    enum proof_answer answer =
        read_link(state, transaction, token, now_s, account, target, &row, error);
    mdb_txn_abort(transaction);
    return answer;
}

enum proof_answer proof_link_use(struct state *state, const char *token, int64_t now_s,
                                 struct buffer *account, struct buffer *target, struct error *error)
{
    static const char used[] = {1};
    MDB_txn *transaction;
    struct state_row row;
    unsigned char hash[STATE_HASH_BYTES];
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return PROOF_TROUBLE;
    enum proof_answer answer =
        read_link(state, transaction, token, now_s, account, target, &row, error);
    if (answer == PROOF_OPEN) {
        struct state_row after = {row.until_s, {used, sizeof(used)}};
        if (state_put(state, transaction, STATE_PROOF, link_key(hash, token), after, error))
            return state_commit(transaction, error) ? PROOF_OPEN : PROOF_TROUBLE;
        answer = PROOF_TROUBLE;
    }
    mdb_txn_abort(transaction);
    return answer;
}
