#include "launchpad/credentials.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "launchpad/link.h"

#define FILE_MAX_BYTES 8192
#define NONCE_BYTES    16

/* What a value may grow to: encoded in the signature, and that encoded in the header. */
#define ENCODED_MAX_FACTOR 5

enum credential { CONSUMER_KEY, CONSUMER_SECRET, ACCESS_TOKEN, ACCESS_SECRET, CREDENTIAL_COUNT };

static const char *const key_names[CREDENTIAL_COUNT] = {
    [CONSUMER_KEY] = "consumer_key",
    [CONSUMER_SECRET] = "consumer_secret",
    [ACCESS_TOKEN] = "access_token",
    [ACCESS_SECRET] = "access_secret",
};

/* In memory of sodium_malloc, text and all: locked, guarded, wiped. */
struct credentials {
    const char *values[CREDENTIAL_COUNT]; /* into text */
    size_t length;
    char text[FILE_MAX_BYTES + 1];
};

void credentials_destroy(struct credentials *credentials)
{
    sodium_free(credentials);
}

/* ---- the file ---- */

static bool read_text(int fd, const char *path, struct credentials *credentials,
                      struct error *error)
{
    while (credentials->length <= FILE_MAX_BYTES) {
        ssize_t got = read(fd, credentials->text + credentials->length,
                           FILE_MAX_BYTES + 1 - credentials->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERROR_TEMPORARY, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        credentials->length += (size_t)got;
    }
    if (credentials->length > FILE_MAX_BYTES)
        return error_set(error, ERROR_INVALID, "%s is larger than %d bytes", path, FILE_MAX_BYTES);
    credentials->text[credentials->length] = '\0';
    return strlen(credentials->text) == credentials->length ||
           error_set(error, ERROR_INVALID, "%s holds a NUL byte, so it is not text", path);
}

/* Of the open file, so that it is the one that is read. */
static bool check_mode(int fd, const char *path, struct error *error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_TEMPORARY, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "%s is not a regular file", path);
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return error_set(error, ERROR_INVALID,
                         "credentials file %s has mode %04o, so others than its owner may use it; "
                         "chmod 0600 %s",
                         path, status.st_mode & 07777, path);
    return true;
}

static bool load(const char *path, struct credentials *credentials, struct error *error)
{
    /* Not to be kept waiting by a pipe, which is refused then. */
    CLEANUP(file_close_at) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, ERROR_TEMPORARY, "cannot open credentials file %s: %s", path,
                         strerror(errno));
    return check_mode(fd, path, error) && read_text(fd, path, credentials, error);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\f' || byte == '\v';
}

/* The text without blanks at both ends, in place. */
static char *strip(char *text)
{
    while (is_blank(*text))
        text++;
    size_t length = strlen(text);
    while (length != 0 && is_blank(text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* "%%" becomes "%", in place. False: a percent sign that means something else, or nothing. */
static bool resolve_percent(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        if (*text == '%' && *++text != '%')
            return false;
        *to++ = *text;
    }
    *to = '\0';
    return true;
}

static const char *take_value(struct credentials *credentials, const char *key, char *value)
{
    for (size_t i = 0; i < CREDENTIAL_COUNT; i++) {
        if (strcasecmp(key, key_names[i]) != 0)
            continue;
        if (credentials->values[i] != NULL)
            return "the key stands there twice";
        if (!resolve_percent(value))
            return "a percent sign is written as %%";
        credentials->values[i] = value;
    }
    return NULL;
}

/* One line of the section; what is wrong with it, or NULL. */
static const char *take_line(struct credentials *credentials, char *line)
{
    char *mark = strpbrk(line, "=:");
    if (is_blank(*line) || mark == NULL || mark == line)
        return "not of the form KEY = VALUE";
    *mark = '\0';
    return take_value(credentials, strip(line), strip(mark + 1));
}

static bool is_comment(const char *line)
{
    while (is_blank(*line))
        line++;
    return *line == '\0' || *line == '#' || *line == ';';
}

static bool parse(const char *path, struct credentials *credentials, struct error *error)
{
    bool is_in_section = false, is_known_version = false;
    unsigned number = 0;
    char *rest = credentials->text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        number++;
        if (is_comment(line))
            continue;
        if (*line == '[') {
            is_in_section = strcmp(strip(line), "[1]") == 0;
            is_known_version = is_known_version || is_in_section;
            continue;
        }
        const char *wrong = is_in_section ? take_line(credentials, line) : NULL;
        if (wrong != NULL)
            return error_set(error, ERROR_INVALID, "%s:%u: %s", path, number, wrong);
    }
    return is_known_version ||
           error_set(error, ERROR_INVALID,
                     "%s has no section [1], so launchpadlib did not write it", path);
}

static bool check_all_there(const char *path, const struct credentials *credentials,
                            struct error *error)
{
    for (size_t i = 0; i < CREDENTIAL_COUNT; i++) {
        const char *value = credentials->values[i];
        if (value == NULL)
            return error_set(error, ERROR_INVALID, "%s lacks %s", path, key_names[i]);
        if (*value == '\0' && i != CONSUMER_SECRET)
            return error_set(error, ERROR_INVALID, "%s: %s is empty", path, key_names[i]);
    }
    return true;
}

bool credentials_read(const char *path, struct credentials **ret, struct error *error)
{
    if (sodium_init() < 0)
        return error_set(error, ERROR_TEMPORARY, "libsodium cannot start");
    struct credentials *credentials = sodium_allocarray(1, sizeof(*credentials));
    if (credentials == NULL)
        return error_set(error, ERROR_TEMPORARY, "no memory for the credentials of %s", path);
    memset(credentials, 0, sizeof(*credentials));
    if (!load(path, credentials, error) || !parse(path, credentials, error) ||
        !check_all_there(path, credentials, error)) {
        credentials_destroy(credentials);
        return false;
    }
    *ret = credentials;
    return true;
}

/* ---- the header ---- */

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void append_byte_encoded(struct buffer *out, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    if (is_unreserved(byte)) {
        buffer_append_char(out, byte);
        return;
    }
    const char encoded[] = {'%', digits[(unsigned char)byte >> 4], digits[byte & 0xf]};
    buffer_append(out, encoded, sizeof(encoded));
}

/* Percent-encoding of RFC 5849 3.6. */
static void append_encoded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        append_byte_encoded(out, *text);
}

/* Encoded once as a part of the signature, and once more as the value of a parameter. */
static void append_encoded_twice(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            buffer_append_char(out, *text);
        } else {
            buffer_append_text(out, "%25");
            buffer_appendf(out, "%02X", (unsigned char)*text);
        }
    }
}

static void append_nonce(struct buffer *out)
{
    unsigned char bytes[NONCE_BYTES];
    char hex[2 * NONCE_BYTES + 1];
    randombytes_buf(bytes, sizeof(bytes));
    buffer_append_text(out, sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes)));
}

void credentials_append_header(const struct credentials *credentials, const char *api,
                               int64_t now_s, struct buffer *out)
{
    struct span origin = link_origin(api);
    size_t room = origin.length + 512;
    for (size_t i = 0; i < CREDENTIAL_COUNT; i++)
        room += ENCODED_MAX_FACTOR * strlen(credentials->values[i]);
    buffer_reserve(out, room);
    buffer_appendf(out, "OAuth realm=\"%.*s/\", oauth_consumer_key=\"", (int)origin.length,
                   origin.data);
    append_encoded(out, credentials->values[CONSUMER_KEY]);
    buffer_append_text(out, "\", oauth_token=\"");
    append_encoded(out, credentials->values[ACCESS_TOKEN]);
    buffer_append_text(out, "\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"");
    append_encoded_twice(out, credentials->values[CONSUMER_SECRET]);
    buffer_append_text(out, "%26");
    append_encoded_twice(out, credentials->values[ACCESS_SECRET]);
    buffer_appendf(out, "\", oauth_timestamp=\"%" PRId64 "\", oauth_nonce=\"", now_s);
    append_nonce(out);
    buffer_append_text(out, "\", oauth_version=\"1.0\"");
}

bool credentials_are_safe_to_send(const char *url)
{
    static const char https[] = "https://", http[] = "http://";
    if (strncasecmp(url, https, sizeof(https) - 1) == 0)
        return true;
    struct span host = link_host(url);
    char text[INET6_ADDRSTRLEN];
    struct in_addr address;
    if (strncasecmp(url, http, sizeof(http) - 1) != 0 || host.length >= sizeof(text))
        return false;
    memcpy(text, host.data, host.length);
    text[host.length] = '\0';
    return strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0 ||
           (inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}
