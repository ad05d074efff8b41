#include "store/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "store/key.h"

#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* A sealed value: format (1), key id (4, little-endian), nonce, ciphertext with its tag. */
#define SEALED_FORMAT       1
#define SEALED_HEADER_BYTES (1 + 4 + NONCE_BYTES)

struct ring_key {
    uint32_t id;
    unsigned char bytes[KEY_BYTES];
};

struct keyring {
    struct ring_key *keys; /* in memory of sodium_malloc: locked, guarded, wiped */
    size_t count;
};

void keyring_destroy(struct keyring *ring)
{
    if (ring == NULL)
        return;
    sodium_free(ring->keys);
    free(ring);
}

static const struct ring_key *find_key(const struct keyring *ring, uint32_t id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (ring->keys[i].id == id)
            return &ring->keys[i];
    return NULL;
}

size_t keyring_count(const struct keyring *ring)
{
    return ring->count;
}

uint32_t keyring_id(const struct keyring *ring, size_t index)
{
    return ring->keys[index].id;
}

bool keyring_has(const struct keyring *ring, uint32_t id)
{
    return find_key(ring, id) != NULL;
}

/* One line "ID HEX"; empty lines and comments are skipped. */
static bool add_line(struct keyring *ring, char *line, const char *path, unsigned line_number,
                     struct error *error)
{
    char *rest = NULL;
    const char *id_text = strtok_r(line, " \t\r", &rest);
    if (id_text == NULL || *id_text == '#')
        return true;
    const char *hex = strtok_r(NULL, " \t\r", &rest);
    uint64_t id;
    size_t bytes;
    if (ring->count == KEYRING_MAX_KEYS)
        return error_set(error, ERROR_INVALID, "%s: more than %d keys", path, KEYRING_MAX_KEYS);
    struct ring_key *key = &ring->keys[ring->count];
    if (hex == NULL || strtok_r(NULL, " \t\r", &rest) != NULL ||
        !text_parse_number(id_text, 1, UINT32_MAX, &id) || strlen(hex) != 2 * KEY_BYTES ||
        sodium_hex2bin(key->bytes, KEY_BYTES, hex, strlen(hex), NULL, &bytes, NULL) != 0 ||
        bytes != KEY_BYTES)
        return error_set(error, ERROR_INVALID, "%s:%u: not a key: wanted \"ID HEX\", %d hex digits",
                         path, line_number, 2 * KEY_BYTES);
    if (find_key(ring, (uint32_t)id) != NULL)
        return error_set(error, ERROR_INVALID, "%s:%u: key id %u stands there twice", path,
                         line_number, (unsigned)id);
    key->id = (uint32_t)id;
    ring->count++;
    return true;
}

static bool add_lines(struct keyring *ring, char *text, const char *path, struct error *error)
{
    unsigned line_number = 0;
    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        if (!add_line(ring, line, path, ++line_number, error))
            return false;
        line = end != NULL ? end + 1 : NULL;
    }
    return ring->count != 0 || error_set(error, ERROR_INVALID, "%s holds no key", path);
}

static bool refuse_readable_by_others(const char *path, struct error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot read key file %s: %s", path,
                         strerror(errno));
    if ((status.st_mode & S_IRWXO) != 0)
        return error_set(error, ERROR_INVALID,
                         "key file %s has mode %04o, so others may use it; chmod 0640 %s", path,
                         status.st_mode & 07777, path);
    return true;
}

bool keyring_read(const char *path, struct keyring **ret, struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "libsodium cannot start");
    if (!refuse_readable_by_others(path, error))
        return false;
    struct keyring *ring = memory_new(1, sizeof(*ring));
    ring->keys = sodium_allocarray(KEYRING_MAX_KEYS, sizeof(*ring->keys));
    /* The text of the file is as secret as the keys. */
    char *text = sodium_malloc(KEYRING_FILE_MAX_BYTES + 1);
    size_t length;
    bool is_read = ring->keys == NULL || text == NULL
                       ? error_set(error, ERROR_TEMPORARY, "no memory for the keys of %s", path)
                       : file_read_into(path, text, KEYRING_FILE_MAX_BYTES + 1, &length, error) &&
                             add_lines(ring, text, path, error);
    sodium_free(text);
    if (!is_read) {
        keyring_destroy(ring);
        return false;
    }
    *ret = ring;
    return true;
}

void keyring_append_new_key(const struct keyring *ring, struct buffer *text, uint32_t *ret_id)
{
    unsigned char key[KEY_BYTES];
    char hex[2 * KEY_BYTES + 1];
    do
        *ret_id = 1 + randombytes_uniform(999999999);
    while (ring != NULL && keyring_has(ring, *ret_id));
    randombytes_buf(key, sizeof(key));
    sodium_bin2hex(hex, sizeof(hex), key, sizeof(key));
    buffer_reserve(text, sizeof(hex) + 16); /* not moved any more: no copy stays behind */
    buffer_appendf(text, "%u %s\n", (unsigned)*ret_id, hex);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(hex, sizeof(hex));
}

bool keyring_generate(const char *path, gid_t group, struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "libsodium cannot start");
    CLEANUP(file_close_at) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set(error, errno == EEXIST ? ERROR_INVALID : ERROR_TEMPORARY,
                         "cannot make key file %s: %s", path, strerror(errno));
    struct buffer line = {0};
    uint32_t id;
    keyring_append_new_key(NULL, &line, &id);
    bool is_written = write(fd, line.data, line.length) == (ssize_t)line.length &&
                      fchmod(fd, 0640) == 0 &&
                      (group == (gid_t)-1 || fchown(fd, (uid_t)-1, group) == 0) && fsync(fd) == 0;
    int failure = errno;
    sodium_memzero(line.data, line.length);
    buffer_finish(&line);
    if (is_written)
        return true;
    unlink(path);
    return error_set(error, ERROR_TEMPORARY, "cannot write key file %s: %s", path,
                     strerror(failure));
}

/* Associated data: table, NUL, key. A value moved to another record does not open. */
struct binding {
    size_t length;
    unsigned char bytes[16 + KEY_MAX_BYTES];
};

static struct binding bind_to(const char *table, const struct key *key)
{
    struct binding binding;
    size_t table_bytes = strlen(table) + 1;
    memcpy(binding.bytes, table, table_bytes);
    memcpy(binding.bytes + table_bytes, key->bytes, key->length);
    binding.length = table_bytes + key->length;
    return binding;
}

static void seal(const struct keyring *ring, const char *table, const struct key *key,
                 struct span plain, struct buffer *out)
{
    struct binding binding = bind_to(table, key);
    const struct ring_key *sealing = &ring->keys[0];
    buffer_reserve(out, SEALED_HEADER_BYTES + plain.length + TAG_BYTES);
    buffer_append_char(out, SEALED_FORMAT);
    for (unsigned i = 0; i < 4; i++)
        buffer_append_char(out, (char)(sealing->id >> (8 * i)));
    unsigned char *nonce = (unsigned char *)out->data + out->length;
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        nonce + NONCE_BYTES, NULL, (const unsigned char *)plain.data, plain.length, binding.bytes,
        binding.length, NULL, nonce, sealing->bytes);
    out->length += NONCE_BYTES + plain.length + TAG_BYTES;
}

bool keyring_sealed_id(struct span sealed, uint32_t *ret)
{
    const unsigned char *bytes = (const unsigned char *)sealed.data;
    if (sealed.length < SEALED_HEADER_BYTES + TAG_BYTES || bytes[0] != SEALED_FORMAT)
        return false;
    *ret = 0;
    for (unsigned i = 0; i < 4; i++)
        *ret |= (uint32_t)bytes[1 + i] << (8 * i);
    return true;
}

static enum unseal_result unseal(const struct keyring *ring, const char *table,
                                 const struct key *key, struct span sealed, struct buffer *out)
{
    const unsigned char *bytes = (const unsigned char *)sealed.data;
    uint32_t id;
    if (!keyring_sealed_id(sealed, &id))
        return UNSEAL_BROKEN;
    const struct ring_key *opening = find_key(ring, id);
    if (opening == NULL)
        return UNSEAL_UNKNOWN_KEY;
    struct binding binding = bind_to(table, key);
    size_t plain_bytes = sealed.length - SEALED_HEADER_BYTES - TAG_BYTES;
    buffer_reserve(out, plain_bytes + 1);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (unsigned char *)out->data + out->length, NULL, NULL, bytes + SEALED_HEADER_BYTES,
            sealed.length - SEALED_HEADER_BYTES, binding.bytes, binding.length, bytes + 5,
            opening->bytes) != 0)
        return UNSEAL_BROKEN;
    out->length += plain_bytes;
    return UNSEAL_DONE;
}

void keyring_seal_alias(const struct keyring *ring, const char *domain, struct span local,
                        struct span plain, struct buffer *out)
{
    struct key key;
    if (!key_of_pair(&key, domain, local))
        abort();
    seal(ring, "alias", &key, plain, out);
}

enum unseal_result keyring_unseal_alias(const struct keyring *ring, const char *domain,
                                        struct span local, struct span sealed, struct buffer *out)
{
    struct key key;
    if (!key_of_pair(&key, domain, local))
        return UNSEAL_BROKEN;
    return unseal(ring, "alias", &key, sealed, out);
}

void keyring_seal_person(const struct keyring *ring, const char *name, struct span plain,
                         struct buffer *out)
{
    struct key key;
    if (!key_of_name(&key, span_of(name)))
        abort();
    seal(ring, "person", &key, plain, out);
}

enum unseal_result keyring_unseal_person(const struct keyring *ring, const char *name,
                                         struct span sealed, struct buffer *out)
{
    struct key key;
    if (!key_of_name(&key, span_of(name)))
        return UNSEAL_BROKEN;
    return unseal(ring, "person", &key, sealed, out);
}

void keyring_seal_waiting(const struct keyring *ring, const char *identifier, struct span plain,
                          struct buffer *out)
{
    struct key key;
    if (!key_of_name(&key, span_of(identifier)))
        abort();
    seal(ring, "waiting", &key, plain, out);
}

enum unseal_result keyring_unseal_waiting(const struct keyring *ring, const char *identifier,
                                          struct span sealed, struct buffer *out)
{
    struct key key;
    if (!key_of_name(&key, span_of(identifier)))
        return UNSEAL_BROKEN;
    return unseal(ring, "waiting", &key, sealed, out);
}

static struct key notice_key(const unsigned char id[OUTBOX_ID_BYTES])
{
    struct key key = {.length = OUTBOX_ID_BYTES};
    memcpy(key.bytes, id, OUTBOX_ID_BYTES);
    return key;
}

void keyring_seal_notice(const struct keyring *ring, const unsigned char id[OUTBOX_ID_BYTES],
                         struct span plain, struct buffer *out)
{
    const struct key key = notice_key(id);
    seal(ring, "outbox", &key, plain, out);
}

enum unseal_result keyring_unseal_notice(const struct keyring *ring,
                                         const unsigned char id[OUTBOX_ID_BYTES],
                                         struct span sealed, struct buffer *out)
{
    const struct key key = notice_key(id);
    return unseal(ring, "outbox", &key, sealed, out);
}

bool unseal_result_to_error(enum unseal_result result, struct error *error)
{
    if (result == UNSEAL_UNKNOWN_KEY)
        return error_set(error, ERROR_TEMPORARY,
                         "the targets are sealed by a key that is not in the key file");
    return error_set(error, ERROR_INVALID,
                     "the sealed targets are broken or belong to another record");
}
