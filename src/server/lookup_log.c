#include "server/lookup_log.h"

#include <sodium.h>
#include <stdint.h>

#include "base/log.h"

static bool shows_addresses;

static const char *const answer_names[] = {
    [LOOKUP_FOUND] = "found",
    [LOOKUP_ABSENT] = "absent",
    [LOOKUP_TEMPORARY] = "temporary",
};

void lookup_log_show_addresses(bool is_shown)
{
    shows_addresses = is_shown;
}

static void append_hash(struct buffer *out, struct span key)
{
    static unsigned char secret[crypto_shorthash_KEYBYTES];
    static bool has_secret;
    if (!has_secret && sodium_init() >= 0) {
        crypto_shorthash_keygen(secret);
        has_secret = true;
    }
    unsigned char hash[crypto_shorthash_BYTES];
    char hex[2 * sizeof(hash) + 1];
    crypto_shorthash(hash, (const unsigned char *)key.data, key.length, secret);
    buffer_append_text(out, sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash)));
}

void lookup_log_note(enum lookup_map map, struct span key, enum lookup_answer answer)
{
    if (log_get_level() < LOG_LEVEL_DEBUG)
        return;
    struct buffer text = {0};
    if (shows_addresses)
        buffer_append(&text, key.data, key.length);
    else
        append_hash(&text, key);
    log_with(LOG_LEVEL_DEBUG,
             LOG_FIELDS({"map", lookup_map_name(map)},
                        {shows_addresses ? "key" : "key_hash", buffer_text(&text)},
                        {"answer", answer_names[answer]}),
             "asked");
    buffer_finish(&text);
}
