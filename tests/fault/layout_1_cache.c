/*
 * Makes a cache of layout 1, byte by byte as the release that wrote it did (docs/cache-format.md of
 * that time), with nothing of today's encoders but the sealed values, which are the same:
 *   layout_1_cache DIR KEYS     ubuntu.com open with jdoe (active), late (pending), press (static)
 *   layout_1_cache DIR KEYS N   and N more members with targets
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lmdb.h>

#include "base/buffer.h"
#include "store/keyring.h"

#define DOMAIN "ubuntu.com"

static void require(int code, const char *what)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, mdb_strerror(code));
    exit(1);
}

static void put_number(struct buffer *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buffer_append_char(out, (char)(number >> (8 * i)));
}

static void put_string(struct buffer *out, struct span text)
{
    put_number(out, text.length, 2);
    buffer_append(out, text.data, text.length);
}

/* Layout and generation, which every record begins with. */
static struct buffer begin_record(uint64_t generation)
{
    struct buffer out = {0};
    put_number(&out, 1, 1);
    put_number(&out, generation, 8);
    return out;
}

/* Ends bytes. */
static void put_row(MDB_txn *transaction, const char *table, const void *key, size_t key_length,
                    struct buffer *bytes)
{
    MDB_dbi handle;
    MDB_val key_value = {key_length, (void *)key};
    MDB_val value = {bytes->length, bytes->data};
    require(mdb_dbi_open(transaction, table, MDB_CREATE, &handle), table);
    require(mdb_put(transaction, handle, &key_value, &value, 0), table);
    buffer_finish(bytes);
}

static size_t pair_key(char key[128], const char *second)
{
    return (size_t)sprintf(key, DOMAIN "%c%s", 0, second);
}

/* kind 1 member, 3 static; state 1 active, 3 pending; reason 4 no target. */
static void put_alias(MDB_txn *transaction, const struct keyring *ring, const char *local,
                      unsigned kind, const char *target)
{
    char key[128];
    struct buffer sealed = {0};
    struct buffer row = begin_record(2);
    if (target != NULL)
        keyring_seal_alias(ring, DOMAIN, span_of(local), span_of(target), &sealed);
    put_number(&row, kind, 1);
    put_number(&row, target != NULL ? 1 : 3, 1);
    put_number(&row, target != NULL ? 0 : 4, 1);
    put_number(&row, 0, 1);
    put_number(&row, kind == 3 ? 2 : 1, 1); /* extension: drop, append */
    put_number(&row, 1700000000, 8);
    put_string(&row, span_of(kind == 3 ? "" : local));
    put_string(&row, (struct span){sealed.data, sealed.length});
    put_row(transaction, "alias", key, pair_key(key, local), &row);
    buffer_finish(&sealed);
}

static void put_person(MDB_txn *transaction, const struct keyring *ring, const char *name,
                       const char *target)
{
    struct buffer sealed = {0};
    struct buffer row = begin_record(2);
    if (target != NULL)
        keyring_seal_person(ring, name, span_of(target), &sealed);
    put_number(&row, 1100000000000000, 8);
    put_number(&row, 1, 1);                      /* extension: append */
    put_number(&row, target != NULL ? 3 : 0, 1); /* source: operator, none */
    put_string(&row, (struct span){sealed.data, sealed.length});
    put_row(transaction, "person", name, strlen(name), &row);
    buffer_finish(&sealed);
}

static void put_membership(MDB_txn *transaction, const char *name, bool is_live)
{
    char key[128];
    struct buffer row = begin_record(2);
    put_number(&row, 1 | 2 | 4, 1); /* member, valid, signed */
    put_number(&row, 1100000000000000, 8);
    put_number(&row, 1700000000, 8);
    put_number(&row, 0, 8);
    put_number(&row, 0, 8);
    put_number(&row, 0, 8);
    put_number(&row, is_live ? 1700000000 : 0, 8);
    put_number(&row, 0, 8);
    put_row(transaction, "membership", key, pair_key(key, name), &row);
}

static void put_member(MDB_txn *transaction, const struct keyring *ring, const char *name,
                       const char *target)
{
    put_alias(transaction, ring, name, 1, target);
    put_person(transaction, ring, name, target);
    put_membership(transaction, name, target != NULL);
}

static void put_domain(MDB_txn *transaction)
{
    struct buffer row = begin_record(2);
    put_number(&row, 1, 1);
    put_number(&row, 2, 8);
    put_number(&row, 1200000000000000, 8);
    put_number(&row, 1700000000, 8);
    put_string(&row, span_of("ubuntumembers"));
    put_row(transaction, "domain", DOMAIN, strlen(DOMAIN), &row);
}

static void put_event(MDB_txn *transaction, unsigned char sequence)
{
    const unsigned char key[8] = {0, 0, 0, 0, 0, 0, 0, sequence};
    struct buffer row = begin_record(2);
    put_number(&row, 1700000000, 8);
    put_string(&row, span_of("operator:root"));
    put_string(&row, span_of("domain.open"));
    put_string(&row, span_of(DOMAIN));
    put_string(&row, span_of(""));
    put_string(&row, span_of(""));
    put_row(transaction, "event", key, sizeof(key), &row);
}

static void put_run(MDB_txn *transaction)
{
    struct buffer row = begin_record(0);
    put_number(&row, 1, 1);
    put_number(&row, 1700000000, 8);
    put_number(&row, 1700000000, 8);
    put_number(&row, 250, 8);
    put_number(&row, 2, 4);
    put_number(&row, 0, 4);
    put_string(&row, span_of(""));
    put_row(transaction, "run", DOMAIN, strlen(DOMAIN), &row);
}

static void put_state(MDB_txn *transaction)
{
    struct buffer row = {0};
    put_number(&row, 1, 1);
    buffer_append(&row, "0123456789abcdef", 16); /* cache id */
    buffer_append(&row, "fedcba9876543210", 16); /* stamp */
    put_number(&row, 2, 8);
    put_number(&row, 2, 8); /* next event */
    put_row(transaction, "meta", "state", 5, &row);
}

static void fill(MDB_txn *transaction, const struct keyring *ring, unsigned more)
{
    put_member(transaction, ring, "jdoe", "jdoe@target.example\njdoe2@target.example");
    put_member(transaction, ring, "late", NULL);
    put_alias(transaction, ring, "press", 3, "press@target.example");
    for (unsigned i = 0; i < more; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%06u", i);
        put_member(transaction, ring, name, "member@target.example");
    }
    put_domain(transaction);
    put_event(transaction, 1);
    put_run(transaction);
    put_state(transaction);
}

/* What writers wrote last, in hex as they wrote it. */
static void write_generation(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/generation", directory);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        exit(1);
    fputs("30313233343536373839616263646566 2 66656463626139383736353433323130\n", file);
    fclose(file);
}

int main(int argc, char **argv)
{
    struct keyring *ring;
    struct error error;
    MDB_env *environment;
    MDB_txn *transaction;
    if (argc < 3 || mkdir(argv[1], 0750) != 0 || !keyring_read(argv[2], &ring, &error))
        return 1;
    umask(0007);
    require(mdb_env_create(&environment), "environment");
    require(mdb_env_set_maxdbs(environment, 7), "tables");
    require(mdb_env_set_mapsize(environment, (size_t)1 << 30), "size");
    require(mdb_env_open(environment, argv[1], 0, 0660), "open");
    require(mdb_txn_begin(environment, NULL, 0, &transaction), "begin");
    fill(transaction, ring, argc == 4 ? (unsigned)atoi(argv[3]) : 0);
    require(mdb_txn_commit(transaction), "commit");
    mdb_env_close(environment);
    write_generation(argv[1]);
    keyring_destroy(ring);
    return 0;
}
