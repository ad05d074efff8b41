#include "state/proof_link.h"

#include <sodium.h>
#include <string.h>

#include "state/table.h"

/* used (1), nonce, sealed: length of the account (2), account, target */
#define NONCE_BYTES       crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES         crypto_aead_xchacha20poly1305_ietf_ABYTES
#define PLAIN_MAX         (2 + PROOF_ACCOUNT_MAX_BYTES + PROOF_TARGET_MAX_BYTES)
#define WAITING_KEY_BYTES (2 * STATE_HASH_BYTES)
#define NUMBER_BYTES      8
#define VALUE_MAX         (1 + NONCE_BYTES + PLAIN_MAX + TAG_BYTES)

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

/*
 * A row of STATE_WAITING: account and target, both hashed, to the key of the link and what the
 * caller sealed; the rows of an account lie together.
 */
static struct span waiting_key(unsigned char key[WAITING_KEY_BYTES], const char *account,
                               const char *target)
{
    state_hash(key, "waiting account", span_of(account));
    state_hash(key + STATE_HASH_BYTES, "waiting target", span_of(target));
    return (struct span){(const char *)key, WAITING_KEY_BYTES};
}

static bool delete_row(struct state *state, MDB_txn *transaction, enum state_table table,
                       struct span key, struct error *error)
{
    MDB_val name = {key.length, (void *)key.data};
    int code = mdb_del(transaction, state_table_handle(state, table), &name, NULL);
    return code == 0 || code == MDB_NOTFOUND || state_error(error, code, "a change");
}

/* With the link. STATE_NO: nothing waits there. */
static enum state_answer delete_waiting(struct state *state, MDB_txn *transaction, struct span key,
                                        int64_t now_s, struct error *error)
{
    struct state_row row;
    unsigned char link[STATE_HASH_BYTES];
    enum state_answer found = state_get(state, transaction, STATE_WAITING, key, now_s, &row, error);
    if (found != STATE_YES)
        return found;
    memcpy(link, row.value.data, STATE_HASH_BYTES); /* a change moves the row */
    bool is_done = delete_row(state, transaction, STATE_PROOF,
                              (struct span){(const char *)link, STATE_HASH_BYTES}, error) &&
                   delete_row(state, transaction, STATE_WAITING, key, error);
    return is_done ? STATE_YES : STATE_TROUBLE;
}

static bool put_waiting(struct state *state, MDB_txn *transaction, struct span key,
                        struct span link, struct span sealed, int64_t until_s, struct error *error)
{
    unsigned char value[STATE_VALUE_BYTES];
    memcpy(value, link.data, STATE_HASH_BYTES);
    memcpy(value + STATE_HASH_BYTES, sealed.data, sealed.length);
    struct state_row row = {until_s, {(const char *)value, STATE_HASH_BYTES + sealed.length}};
    return state_put(state, transaction, STATE_WAITING, key, row, error);
}

bool proof_link_make(struct state *state, const char *token, const char *account,
                     const char *target, struct span sealed, int64_t until_s, struct error *error)
{
    MDB_txn *transaction;
    unsigned char hash[STATE_HASH_BYTES], value[VALUE_MAX], bytes[WAITING_KEY_BYTES];
    if (strlen(account) > PROOF_ACCOUNT_MAX_BYTES || strlen(target) > PROOF_TARGET_MAX_BYTES ||
        sealed.length > STATE_VALUE_BYTES - STATE_HASH_BYTES)
        return error_set(error, ERROR_INVALID, "the account or the target is too long");
    size_t length = seal(token, account, target, value);
    struct span link = link_key(hash, token);
    struct span waiting = waiting_key(bytes, account, target);
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    if (delete_waiting(state, transaction, waiting, INT64_MIN, error) != STATE_TROUBLE &&
        state_put(state, transaction, STATE_PROOF, link,
                  (struct state_row){until_s, {(const char *)value, length}}, error) &&
        put_waiting(state, transaction, waiting, link, sealed, until_s, error))
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
    unsigned char hash[STATE_HASH_BYTES], bytes[WAITING_KEY_BYTES];
    size_t account_begin = account->length, target_begin = target->length;
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return PROOF_TROUBLE;
    enum proof_answer answer =
        read_link(state, transaction, token, now_s, account, target, &row, error);
    if (answer == PROOF_OPEN) {
        struct state_row after = {row.until_s, {used, sizeof(used)}};
        struct span waiting = waiting_key(bytes, buffer_text(account) + account_begin,
                                          buffer_text(target) + target_begin);
        if (state_put(state, transaction, STATE_PROOF, link_key(hash, token), after, error) &&
            delete_row(state, transaction, STATE_WAITING, waiting, error))
            return state_commit(transaction, error) ? PROOF_OPEN : PROOF_TROUBLE;
        answer = PROOF_TROUBLE;
    }
    mdb_txn_abort(transaction);
    return answer;
}

/* Calls visit for each row of the account, with its key; false stops. Returns LMDB's code. */
typedef bool row_visit(void *context, struct span key, struct span bytes);
static int each_of_account(struct state *state, MDB_txn *transaction, const char *account,
                           row_visit *visit, void *context)
{
    unsigned char first[WAITING_KEY_BYTES] = {0};
    MDB_cursor *cursor;
    MDB_val key = {sizeof(first), first}, value;
    state_hash(first, "waiting account", span_of(account));
    int code = mdb_cursor_open(transaction, state_table_handle(state, STATE_WAITING), &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && key.mv_size == WAITING_KEY_BYTES &&
           memcmp(key.mv_data, first, STATE_HASH_BYTES) == 0 &&
           visit(context, (struct span){key.mv_data, key.mv_size},
                 (struct span){value.mv_data, value.mv_size}))
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

struct open_links {
    int64_t now_s;
    proof_link_visit *visit;
    void *context;
};

static bool visit_open(void *context, struct span key, struct span bytes)
{
    const struct open_links *links = context;
    const size_t head = NUMBER_BYTES + STATE_HASH_BYTES;
    (void)key;
    int64_t until_s = bytes.length >= head ? state_read_number(bytes.data) : INT64_MIN;
    if (until_s > links->now_s)
        links->visit(links->context, (struct span){bytes.data + head, bytes.length - head},
                     until_s);
    return true;
}

bool proof_link_each(struct state *state, const char *account, int64_t now_s,
                     proof_link_visit *visit, void *context, struct error *error)
{
    MDB_txn *transaction;
    struct open_links links = {now_s, visit, context};
    if (!state_begin(state, STATE_READ, &transaction, error))
        return false;
    int code = each_of_account(state, transaction, account, visit_open, &links);
    mdb_txn_abort(transaction);
    return code == 0 || state_error(error, code, "proof links");
}

enum state_answer proof_link_drop(struct state *state, const char *account, const char *target,
                                  int64_t now_s, struct error *error)
{
    MDB_txn *transaction;
    unsigned char bytes[WAITING_KEY_BYTES];
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return STATE_TROUBLE;
    enum state_answer found =
        delete_waiting(state, transaction, waiting_key(bytes, account, target), now_s, error);
    if (found == STATE_YES)
        return state_commit(transaction, error) ? STATE_YES : STATE_TROUBLE;
    mdb_txn_abort(transaction);
    return found;
}

static bool take_first(void *context, struct span key, struct span bytes)
{
    (void)bytes;
    memcpy(context, key.data, key.length);
    return false;
}

bool proof_link_drop_all(struct state *state, const char *account, struct error *error)
{
    MDB_txn *transaction;
    bool is_fine = true;
    if (!state_begin(state, STATE_DURABLE, &transaction, error))
        return false;
    for (bool is_more = true; is_more && is_fine;) {
        unsigned char key[WAITING_KEY_BYTES] = {0};
        int code = each_of_account(state, transaction, account, take_first, key);
        is_fine = code == 0 || state_error(error, code, "proof links");
        is_more = is_fine && !sodium_is_zero(key, sizeof(key));
        if (is_more)
            is_fine =
                delete_waiting(state, transaction, (struct span){(const char *)key, sizeof(key)},
                               INT64_MIN, error) == STATE_YES;
    }
    if (is_fine)
        return state_commit(transaction, error);
    mdb_txn_abort(transaction);
    return false;
}
