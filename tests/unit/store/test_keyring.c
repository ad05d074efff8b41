/* keyring: what is in the file, what a sealed value is bound to, and what opens it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "../unit.h"
#include "base/file.h"
#include "store/keyring.h"
#include "store/keyring_file.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

struct fixture {
    char directory[48];
    char path[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    strcpy(f->directory, "/tmp/lpalias-keyring-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof(f->path), "%s/keys", f->directory);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void write_ring(const struct fixture *f, const char *text, size_t length)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    assert_int_equal(chmod(f->path, 0640), 0);
}

static struct keyring *read_ring(const struct fixture *f, const char *text)
{
    struct keyring *ring = NULL;
    struct error error;
    write_ring(f, text, strlen(text));
    if (!keyring_read(f->path, &ring, &error))
        fail_msg("%s", error.text);
    return ring;
}

static struct span bytes_of(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->length};
}

/* ---- deterministic bytes ---- */

static const char *fixed_name(void)
{
    return "fixed";
}

static uint32_t fixed_random(void)
{
    return 0x77777777;
}

static void fixed_buf(void *buf, size_t size)
{
    memset(buf, 0x77, size);
}

static randombytes_implementation fixed_bytes = {
    .implementation_name = fixed_name,
    .random = fixed_random,
    .buf = fixed_buf,
};

static void use_fixed_bytes(bool is_fixed)
{
    randombytes_set_implementation(is_fixed ? &fixed_bytes : &randombytes_sysrandom_implementation);
}

/* ---- the file ---- */

static void a_ring_is_lines_of_id_and_hex(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *wanted; /* words of the error, or NULL */
    } cases[] = {
        {"1 " KEY_A "\n", NULL},
        {"1 " KEY_A, NULL},
        {"\n# a comment\n  # another\n\t4294967295\t" KEY_A "  \r\n\n", NULL},
        {"2 " KEY_A "\n1 " KEY_B "\n", NULL},
        {"#1 " KEY_A "\n", "holds no key"},
        {"", "holds no key"},
        {"\n\n", "holds no key"},
        {"0 " KEY_A "\n", ":1: not a key"},
        {"4294967296 " KEY_A "\n", ":1: not a key"},
        {"-1 " KEY_A "\n", ":1: not a key"},
        {"x " KEY_A "\n", ":1: not a key"},
        {"1\n", ":1: not a key"},
        {KEY_A "\n", ":1: not a key"},
        {"1 " KEY_A "00\n", ":1: not a key"},
        {"1 0001\n", ":1: not a key"},
        {"1 g" KEY_A "\n", ":1: not a key"},
        {"1 zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", ":1: not a key"},
        {"1 " KEY_A " more\n", ":1: not a key"},
        {"# first\n1 " KEY_A "\nnonsense\n", ":3: not a key"},
        {"1 " KEY_A "\n2 " KEY_B "\n1 " KEY_B "\n", ":3: key id 1 stands there twice"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct keyring *ring = NULL;
        struct error error = {0};
        write_ring(f, cases[i].text, strlen(cases[i].text));
        bool is_read = keyring_read(f->path, &ring, &error);
        if (cases[i].wanted == NULL) {
            if (!is_read)
                fail_msg("case %zu: %s", i, error.text);
            keyring_destroy(ring);
        } else {
            assert_false(is_read);
            assert_error(error, ERROR_INVALID, cases[i].wanted);
        }
    }
}

static void an_error_in_the_file_never_shows_a_key(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring;
    struct error error;
    static const char text[] = "1 " KEY_A "\n1 " KEY_A "\n";
    write_ring(f, text, sizeof(text) - 1);
    assert_false(keyring_read(f->path, &ring, &error));
    assert_null(strstr(error.text, "000102"));
}

static void a_file_that_is_not_text_is_refused(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring;
    struct error error;
    static const char with_nul[] = "1 " KEY_A "\n\0";
    write_ring(f, with_nul, sizeof(with_nul));
    assert_false(keyring_read(f->path, &ring, &error));
    assert_error(error, ERROR_INVALID, "NUL");
    char *large = malloc(70000);
    assert_non_null(large);
    memset(large, '\n', 70000);
    write_ring(f, large, 70000);
    free(large);
    assert_false(keyring_read(f->path, &ring, &error));
    assert_error(error, ERROR_INVALID, "larger than");
}

static void a_ring_has_at_most_256_keys(void **state)
{
    struct fixture *f = *state;
    for (unsigned count = 256; count <= 257; count++) {
        struct buffer text = {0};
        struct keyring *ring = NULL;
        struct error error;
        for (unsigned id = 1; id <= count; id++)
            buffer_appendf(&text, "%u %s\n", id, KEY_A);
        write_ring(f, text.data, text.length);
        assert_int_equal(keyring_read(f->path, &ring, &error), count == 256);
        if (count == 256)
            keyring_destroy(ring);
        else
            assert_error(error, ERROR_INVALID, "more than 256 keys");
        buffer_finish(&text);
    }
}

static void a_file_that_others_may_use_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        mode_t mode;
        bool is_fine;
    } cases[] = {{0600, true},  {0640, true},  {0400, true},  {0644, false},
                 {0642, false}, {0641, false}, {0666, false}, {0604, false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct keyring *ring = NULL;
        struct error error;
        write_ring(f, "1 " KEY_A "\n", 67);
        assert_int_equal(chmod(f->path, cases[i].mode), 0);
        assert_int_equal(keyring_read(f->path, &ring, &error), cases[i].is_fine);
        if (cases[i].is_fine)
            keyring_destroy(ring);
        else
            assert_error(error, ERROR_INVALID, "chmod 0640");
    }
}

static void an_absent_file_is_trouble_that_may_pass(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring;
    struct error error;
    assert_false(keyring_read(f->path, &ring, &error));
    assert_error(error, ERROR_TEMPORARY, f->path);
}

static void a_new_ring_has_one_key_and_mode_0640(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = NULL;
    struct error error;
    struct stat status;
    mode_t previous = umask(0);
    assert_true(keyring_generate(f->path, (gid_t)-1, &error));
    umask(previous);
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_true(keyring_read(f->path, &ring, &error));
    keyring_destroy(ring);
    unlink(f->path);
    previous = umask(0777);
    assert_true(keyring_generate(f->path, getegid(), &error));
    umask(previous);
    assert_int_equal(stat(f->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_gid, getegid());
}

static void a_ring_is_never_overwritten(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "7 " KEY_A "\n");
    struct error error;
    char text[80] = "";
    assert_false(keyring_generate(f->path, (gid_t)-1, &error));
    assert_error(error, ERROR_INVALID, "File exists");
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "7 " KEY_A "\n");
    unlink(f->path);
    assert_int_equal(symlink("/nonexistent/keys", f->path), 0);
    assert_false(keyring_generate(f->path, (gid_t)-1, &error));
    assert_error(error, ERROR_INVALID, "File exists");
    keyring_destroy(ring);
}

static void a_ring_that_cannot_be_made_is_trouble(void **state)
{
    (void)state;
    struct error error;
    assert_false(keyring_generate("/nonexistent/keys", (gid_t)-1, &error));
    assert_error(error, ERROR_TEMPORARY, "/nonexistent/keys");
}

static void a_ring_is_made_from_random_bytes(void **state)
{
    struct fixture *f = *state;
    struct error error;
    char text[80] = "";
    use_fixed_bytes(true);
    assert_true(keyring_generate(f->path, (gid_t)-1, &error));
    use_fixed_bytes(false);
    FILE *file = fopen(f->path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "4318074 "
                              "7777777777777777777777777777777777777777777777777777777777777777\n");
}

/* ---- sealing ---- */

#define ALIAS_GOLDEN_HEX \
    "0101000000"         \
    "777777777777777777777777777777777777777777777777"
#define PLAIN "jdoe@example.org"

/* Counted again here with libsodium alone: format, id, nonce, ciphertext, bound to table and key.
 */
static void a_sealed_value_is_these_bytes(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0};
    use_fixed_bytes(true);
    keyring_seal_alias(ring, "ubuntu.com", span_of("jdoe"), span_of(PLAIN), &sealed);
    use_fixed_bytes(false);

    unsigned char wanted[256], key[32], nonce[24];
    size_t header_bytes;
    unsigned long long cipher_bytes;
    static const char binding[] = "alias\0ubuntu.com\0jdoe";
    sodium_hex2bin(wanted, sizeof(wanted), ALIAS_GOLDEN_HEX, strlen(ALIAS_GOLDEN_HEX), NULL,
                   &header_bytes, NULL);
    sodium_hex2bin(key, sizeof(key), KEY_A, 64, NULL, NULL, NULL);
    memset(nonce, 0x77, sizeof(nonce));
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        wanted + header_bytes, &cipher_bytes, (const unsigned char *)PLAIN, strlen(PLAIN),
        (const unsigned char *)binding, sizeof(binding) - 1, NULL, nonce, key);
    assert_int_equal(sealed.length, header_bytes + cipher_bytes);
    assert_int_equal(sealed.length, 29 + strlen(PLAIN) + 16);
    assert_memory_equal(sealed.data, wanted, sealed.length);
    buffer_finish(&sealed);
    keyring_destroy(ring);
}

static void a_sealed_value_never_comes_out_twice_the_same(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer first = {0}, second = {0};
    keyring_seal_person(ring, "jdoe", span_of(PLAIN), &first);
    keyring_seal_person(ring, "jdoe", span_of(PLAIN), &second);
    assert_int_equal(first.length, second.length);
    assert_memory_not_equal(first.data + 5, second.data + 5, 24);
    assert_memory_not_equal(first.data + 29, second.data + 29, strlen(PLAIN));
    assert_null(memmem(first.data, first.length, "jdoe", 4));
    buffer_finish(&first);
    buffer_finish(&second);
    keyring_destroy(ring);
}

static void a_value_opens_for_its_record_only(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    static const struct {
        const char *domain, *local;
        enum unseal_result wanted;
    } cases[] = {
        {"ubuntu.com", "jdoe", UNSEAL_DONE},   {"ubuntu.com", "jdo", UNSEAL_BROKEN},
        {"ubuntu.com", "JDOE", UNSEAL_BROKEN}, {"ubuntu.net", "jdoe", UNSEAL_BROKEN},
        {"ubuntu.comj", "doe", UNSEAL_BROKEN}, {"ubuntu.com", "", UNSEAL_BROKEN},
    };
    keyring_seal_alias(ring, "ubuntu.com", span_of("jdoe"), span_of(PLAIN), &sealed);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        buffer_clear(&out);
        buffer_append_text(&out, "before:");
        assert_int_equal(keyring_unseal_alias(ring, cases[i].domain, span_of(cases[i].local),
                                              bytes_of(&sealed), &out),
                         cases[i].wanted);
        assert_string_equal(buffer_text(&out),
                            cases[i].wanted == UNSEAL_DONE ? "before:" PLAIN : "before:");
    }
    /* Not for a record of the same key in another table either. */
    assert_int_equal(keyring_unseal_person(ring, "jdoe", bytes_of(&sealed), &out), UNSEAL_BROKEN);
    buffer_clear(&sealed);
    keyring_seal_person(ring, "jdoe", span_of(PLAIN), &sealed);
    assert_int_equal(keyring_unseal_alias(ring, "", span_of("jdoe"), bytes_of(&sealed), &out),
                     UNSEAL_BROKEN);
    assert_int_equal(keyring_unseal_person(ring, "jdoe2", bytes_of(&sealed), &out), UNSEAL_BROKEN);
    buffer_clear(&out);
    assert_int_equal(keyring_unseal_person(ring, "jdoe", bytes_of(&sealed), &out), UNSEAL_DONE);
    assert_string_equal(buffer_text(&out), PLAIN);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void a_value_with_a_flipped_bit_or_cut_short_does_not_open(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    keyring_seal_alias(ring, "ubuntu.com", span_of("jdoe"), span_of(PLAIN), &sealed);
    for (size_t bit = 0; bit < 8 * sealed.length; bit++) {
        bool is_key_id = bit / 8 >= 1 && bit / 8 < 5;
        sealed.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(
            keyring_unseal_alias(ring, "ubuntu.com", span_of("jdoe"), bytes_of(&sealed), &out),
            is_key_id ? UNSEAL_UNKNOWN_KEY : UNSEAL_BROKEN);
        sealed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t length = 0; length < sealed.length; length++) {
        char *copy = malloc(length != 0 ? length : 1);
        assert_non_null(copy);
        memcpy(copy, sealed.data, length);
        assert_int_equal(keyring_unseal_alias(ring, "ubuntu.com", span_of("jdoe"),
                                              (struct span){copy, length}, &out),
                         UNSEAL_BROKEN);
        free(copy);
    }
    assert_int_equal(out.length, 0);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void the_first_key_seals_and_all_open(void **state)
{
    struct fixture *f = *state;
    struct buffer by_old = {0}, by_new = {0}, out = {0};
    struct keyring *old_ring = read_ring(f, "1 " KEY_A "\n");
    struct keyring *both = read_ring(f, "300 " KEY_B "\n1 " KEY_A "\n");
    struct keyring *new_ring = read_ring(f, "300 " KEY_B "\n");
    struct keyring *forged = read_ring(f, "300 " KEY_A "\n");
    keyring_seal_person(old_ring, "jdoe", span_of("old"), &by_old);
    keyring_seal_person(both, "jdoe", span_of("new"), &by_new);
    assert_memory_equal(by_new.data + 1, "\x2c\x01\0\0", 4);
    const struct {
        struct keyring *ring;
        struct buffer *sealed;
        enum unseal_result wanted;
    } cases[] = {
        {old_ring, &by_old, UNSEAL_DONE},
        {old_ring, &by_new, UNSEAL_UNKNOWN_KEY},
        {both, &by_old, UNSEAL_DONE},
        {both, &by_new, UNSEAL_DONE},
        {new_ring, &by_old, UNSEAL_UNKNOWN_KEY},
        {new_ring, &by_new, UNSEAL_DONE},
        {forged, &by_new, UNSEAL_BROKEN},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(
            keyring_unseal_person(cases[i].ring, "jdoe", bytes_of(cases[i].sealed), &out),
            cases[i].wanted);
    keyring_destroy(old_ring);
    keyring_destroy(both);
    keyring_destroy(new_ring);
    keyring_destroy(forged);
    buffer_finish(&by_old);
    buffer_finish(&by_new);
    buffer_finish(&out);
}

static void the_recipients_of_a_notice_open_for_that_notice_only(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    const unsigned char id[OUTBOX_ID_BYTES] = {1, 2, 3};
    const unsigned char other[OUTBOX_ID_BYTES] = {1, 2, 3, 4};
    keyring_seal_notice(ring, id, span_of(PLAIN), &sealed);
    assert_int_equal(keyring_unseal_notice(ring, other, bytes_of(&sealed), &out), UNSEAL_BROKEN);
    assert_int_equal(keyring_unseal_person(ring, "jdoe", bytes_of(&sealed), &out), UNSEAL_BROKEN);
    assert_int_equal(out.length, 0);
    assert_int_equal(keyring_unseal_notice(ring, id, bytes_of(&sealed), &out), UNSEAL_DONE);
    assert_string_equal(buffer_text(&out), PLAIN);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void nothing_can_be_sealed_too(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    keyring_seal_person(ring, "jdoe", span_of(""), &sealed);
    assert_int_equal(keyring_unseal_person(ring, "jdoe", bytes_of(&sealed), &out), UNSEAL_DONE);
    assert_int_equal(out.length, 0);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void a_key_that_no_table_can_hold_opens_nothing(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    char name[600];
    memset(name, 'x', sizeof(name));
    keyring_seal_person(ring, "jdoe", span_of(PLAIN), &sealed);
    assert_int_equal(keyring_unseal_alias(ring, "ubuntu.com", (struct span){name, sizeof(name)},
                                          bytes_of(&sealed), &out),
                     UNSEAL_BROKEN);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void the_text_tells_a_missing_key_from_a_broken_value(void **state)
{
    (void)state;
    struct error error;
    assert_false(unseal_result_to_error(UNSEAL_UNKNOWN_KEY, &error));
    assert_error(error, ERROR_TEMPORARY, "not in the key file");
    assert_false(unseal_result_to_error(UNSEAL_BROKEN, &error));
    assert_error(error, ERROR_INVALID, "broken");
}

static void a_sealed_value_names_its_key(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "300 " KEY_B "\n1 " KEY_A "\n");
    struct buffer sealed = {0};
    uint32_t id = 0;
    keyring_seal_person(ring, "jdoe", span_of(PLAIN), &sealed);
    assert_true(keyring_sealed_id(bytes_of(&sealed), &id));
    assert_int_equal(id, 300);
    assert_int_equal(keyring_count(ring), 2);
    assert_int_equal(keyring_id(ring, 0), 300);
    assert_int_equal(keyring_id(ring, 1), 1);
    assert_true(keyring_has(ring, 1));
    assert_false(keyring_has(ring, 2));
    for (size_t length = 0; length < 1 + 4 + 24 + 16; length++)
        assert_false(keyring_sealed_id((struct span){sealed.data, length}, &id));
    sealed.data[0] = 2;
    assert_false(keyring_sealed_id(bytes_of(&sealed), &id));
    buffer_finish(&sealed);
    keyring_destroy(ring);
}

static void a_target_that_waits_opens_for_its_login_only(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    keyring_seal_waiting(ring, "https://l/+id/a", span_of(PLAIN), &sealed);
    assert_int_equal(keyring_unseal_waiting(ring, "https://l/+id/b", bytes_of(&sealed), &out),
                     UNSEAL_BROKEN);
    assert_int_equal(keyring_unseal_person(ring, "https://l/+id/a", bytes_of(&sealed), &out),
                     UNSEAL_BROKEN);
    assert_int_equal(out.length, 0);
    assert_int_equal(keyring_unseal_waiting(ring, "https://l/+id/a", bytes_of(&sealed), &out),
                     UNSEAL_DONE);
    assert_string_equal(buffer_text(&out), PLAIN);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

static void recipients_open_for_their_notice_only(void **state)
{
    struct fixture *f = *state;
    struct keyring *ring = read_ring(f, "1 " KEY_A "\n");
    struct buffer sealed = {0}, out = {0};
    unsigned char id[OUTBOX_ID_BYTES] = {0, 1, 2};
    keyring_seal_notice(ring, id, span_of(PLAIN), &sealed);
    assert_int_equal(keyring_unseal_notice(ring, id, bytes_of(&sealed), &out), UNSEAL_DONE);
    assert_string_equal(buffer_text(&out), PLAIN);
    buffer_clear(&out);
    id[OUTBOX_ID_BYTES - 1] = 1;
    assert_int_equal(keyring_unseal_notice(ring, id, bytes_of(&sealed), &out), UNSEAL_BROKEN);
    assert_int_equal(keyring_unseal_person(ring, "jdoe", bytes_of(&sealed), &out), UNSEAL_BROKEN);
    assert_int_equal(out.length, 0);
    buffer_finish(&sealed);
    buffer_finish(&out);
    keyring_destroy(ring);
}

/* ---- changes of the file ---- */

static void assert_file(const struct fixture *f, const char *wanted)
{
    char *text;
    size_t length;
    struct error error;
    assert_true(file_read(f->path, 70000, &text, &length, &error));
    assert_string_equal(text, wanted);
    free(text);
}

static void a_new_key_comes_first_and_leaves_the_rest_to_the_byte(void **state)
{
    struct fixture *f = *state;
    static const char old[] = "# ours\n\n1\t" KEY_A "  \r\n # more\n2 " KEY_B;
    struct error error;
    struct stat before, after;
    uint32_t id = 0;
    write_ring(f, old, sizeof(old) - 1);
    assert_int_equal(chmod(f->path, 0600), 0);
    assert_int_equal(stat(f->path, &before), 0);
    assert_true(keyring_file_add(f->path, &id, &error));
    assert_int_equal(stat(f->path, &after), 0);
    assert_int_not_equal(after.st_ino, before.st_ino); /* another file, not a changed one */
    assert_int_equal(after.st_mode, before.st_mode);
    char *text;
    size_t length;
    assert_true(file_read(f->path, 70000, &text, &length, &error));
    char *line_end = strchr(text, '\n');
    assert_non_null(line_end);
    assert_string_equal(line_end + 1, old);
    free(text);
    struct keyring *ring = NULL;
    assert_true(keyring_read(f->path, &ring, &error));
    assert_int_equal(keyring_count(ring), 3);
    assert_int_equal(keyring_id(ring, 0), id);
    keyring_destroy(ring);
}

static void a_key_is_taken_out_unless_it_seals(void **state)
{
    struct fixture *f = *state;
    struct error error;
    static const char ring[] =
        "# 12\n1 " KEY_A "\n12 " KEY_B "\n  2 " KEY_B "\n #2\n22 " KEY_A "\n";
    write_ring(f, ring, sizeof(ring) - 1);
    assert_false(keyring_file_remove(f->path, 1, &error));
    assert_error(error, ERROR_INVALID, "key 1 seals");
    assert_false(keyring_file_remove(f->path, 3, &error));
    assert_error(error, ERROR_INVALID, "has no key 3");
    assert_file(f, ring);
    assert_true(keyring_file_remove(f->path, 2, &error));
    assert_file(f, "# 12\n1 " KEY_A "\n12 " KEY_B "\n #2\n22 " KEY_A "\n");
    assert_true(keyring_file_remove(f->path, 22, &error));
    assert_true(keyring_file_remove(f->path, 12, &error));
    assert_file(f, "# 12\n1 " KEY_A "\n #2\n");
}

static void a_full_ring_takes_no_key(void **state)
{
    struct fixture *f = *state;
    struct buffer text = {0};
    struct error error;
    uint32_t id;
    for (unsigned i = 1; i <= KEYRING_MAX_KEYS; i++)
        buffer_appendf(&text, "%u %s\n", i, KEY_A);
    write_ring(f, text.data, text.length);
    assert_false(keyring_file_add(f->path, &id, &error));
    assert_error(error, ERROR_INVALID, "holds 256 keys already");
    assert_file(f, buffer_text(&text));
    buffer_finish(&text);
}

static void a_key_file_that_cannot_be_written_stays(void **state)
{
    struct fixture *f = *state;
    struct error error;
    uint32_t id;
    static const char ring[] = "1 " KEY_A "\n2 " KEY_B "\n";
    char part[80];
    write_ring(f, ring, sizeof(ring) - 1);
    snprintf(part, sizeof(part), "%s.part", f->path);
    assert_int_equal(mkdir(part, 0700), 0);
    assert_false(keyring_file_add(f->path, &id, &error));
    assert_error(error, ERROR_TEMPORARY, "keys.part");
    assert_false(keyring_file_remove(f->path, 2, &error));
    assert_error(error, ERROR_TEMPORARY, "keys.part");
    assert_int_equal(rmdir(part), 0);
    assert_file(f, ring);
}

/* What a kill leaves behind is written over. */
static void a_left_over_part_is_in_nobodys_way(void **state)
{
    struct fixture *f = *state;
    struct fixture part = *f;
    struct error error;
    static const char ring[] = "1 " KEY_A "\n2 " KEY_B "\n";
    strcat(part.path, ".part");
    write_ring(f, ring, sizeof(ring) - 1);
    write_ring(&part, ring, sizeof(ring) - 1);
    assert_true(keyring_file_remove(f->path, 2, &error));
    assert_file(f, "1 " KEY_A "\n");
    assert_int_equal(access(part.path, F_OK), -1);
}

static void one_at_a_time_changes_the_keys(void **state)
{
    struct fixture *f = *state;
    struct error error;
    int first = -1, second = -1;
    assert_true(keyring_file_lock(f->path, &first, &error));
    assert_false(keyring_file_lock(f->path, &second, &error));
    assert_int_equal(error.kind, ERROR_BUSY);
    file_close_at(&first);
    assert_true(keyring_file_lock(f->path, &second, &error));
    file_close_at(&second);
    assert_false(keyring_file_lock("/nonexistent/keys", &first, &error));
    assert_int_equal(error.kind, ERROR_TEMPORARY);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ring_is_lines_of_id_and_hex, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_in_the_file_never_shows_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_text_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ring_has_at_most_256_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_use_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(an_absent_file_is_trouble_that_may_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_ring_has_one_key_and_mode_0640, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ring_is_never_overwritten, setup, teardown),
        cmocka_unit_test(a_ring_that_cannot_be_made_is_trouble),
        cmocka_unit_test_setup_teardown(a_ring_is_made_from_random_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sealed_value_is_these_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sealed_value_never_comes_out_twice_the_same, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_value_opens_for_its_record_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_with_a_flipped_bit_or_cut_short_does_not_open,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_key_seals_and_all_open, setup, teardown),
        cmocka_unit_test_setup_teardown(the_recipients_of_a_notice_open_for_that_notice_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_can_be_sealed_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_no_table_can_hold_opens_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_sealed_value_names_its_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_target_that_waits_opens_for_its_login_only, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(recipients_open_for_their_notice_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_key_comes_first_and_leaves_the_rest_to_the_byte,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_is_taken_out_unless_it_seals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_ring_takes_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_file_that_cannot_be_written_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_left_over_part_is_in_nobodys_way, setup, teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time_changes_the_keys, setup, teardown),
        cmocka_unit_test(the_text_tells_a_missing_key_from_a_broken_value),
    };
    return cmocka_run_group_tests_name("store/keyring", tests, NULL, NULL);
}
