#include "config/value.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/listener.h"

#define DOMAIN_MAX_BYTES 253
#define LABEL_MAX_BYTES  63
#define LOCAL_MAX_BYTES  64
#define TEAM_MAX_BYTES   128
#define SMALL            "abcdefghijklmnopqrstuvwxyz"
#define LARGE            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS           "0123456789"
/* RFC 5322 3.2.3, without letters and digits */
#define ATEXT_MARKS "!#$%&'*+-/=?^_`{|}~"

/* For `return refuse(...)`. */
static bool refuse(struct buffer *wrong, const char *text)
{
    buffer_append_text(wrong, text);
    return false;
}

static bool consists_of(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void store_text(void *ret_field, const char *text)
{
    *(char **)ret_field = memory_copy_text(text);
}

static bool parse_text(const struct config_key *key, const char *text, void *ret_field,
                       struct buffer *wrong)
{
    if (strlen(text) > key->max) {
        buffer_appendf(wrong, "is too long; give at most %llu bytes", (unsigned long long)key->max);
        return false;
    }
    store_text(ret_field, text);
    return true;
}

static bool parse_path(const struct config_key *key, const char *text, void *ret_field,
                       struct buffer *wrong)
{
    (void)key;
    if (*text != '/')
        return refuse(wrong, "is not an absolute path; begin it with \"/\"");
    store_text(ret_field, text);
    return true;
}

/* Labels of letters, digits and hyphens; *ret_labels says how many. */
static bool is_domain(const char *text, size_t *ret_labels)
{
    size_t labels = 0;
    if (strlen(text) > DOMAIN_MAX_BYTES)
        return false;
    for (const char *label = text;; label++) {
        size_t length = strspn(label, SMALL LARGE DIGITS "-");
        if (length == 0 || length > LABEL_MAX_BYTES || label[0] == '-' || label[length - 1] == '-')
            return false;
        labels++;
        label += length;
        if (*label == '\0')
            break;
        if (*label != '.')
            return false;
    }
    *ret_labels = labels;
    return true;
}

static bool parse_domain_name(const struct config_key *key, const char *text, void *ret_field,
                              struct buffer *wrong)
{
    (void)key;
    size_t labels = 0;
    if (!is_ascii(text))
        return refuse(wrong, "is not ASCII; write its A-label form (xn--...)");
    if (!is_domain(text, &labels) || labels < 2)
        return refuse(wrong, "is not a domain name; write it as example.org");
    char *name = memory_copy_text(text);
    text_lower_ascii(name, strlen(name));
    *(char **)ret_field = name;
    return true;
}

/* RFC 5321 4.1.2: atoms of those bytes with a dot between them, in the length that may be had. */
static bool is_dot_atom(const char *text, size_t length, const char *allowed)
{
    if (length == 0 || length > LOCAL_MAX_BYTES || strspn(text, allowed) < length)
        return false;
    return text[0] != '.' && text[length - 1] != '.' && memmem(text, length, "..", 2) == NULL;
}

static bool parse_address(const struct config_key *key, const char *text, void *ret_field,
                          struct buffer *wrong)
{
    (void)key;
    size_t labels = 0;
    size_t length = strcspn(text, "@");
    const char *at = text + length;
    if (*at == '\0' || length == 0 || at[1] == '\0')
        return refuse(wrong, "is not a mail address; write it as name@example.org");
    if (strchr(at + 1, '@') != NULL)
        return refuse(wrong, "has more than one \"@\"; write it as name@example.org");
    if (length > LOCAL_MAX_BYTES)
        return refuse(wrong, "is too long; 64 bytes may stand before the \"@\"");
    if (strspn(text, SMALL LARGE DIGITS ATEXT_MARKS ".") < length)
        return refuse(wrong, "holds a character that no plain address has; write it as "
                             "name@example.org");
    if (!is_dot_atom(text, length, SMALL LARGE DIGITS ATEXT_MARKS "."))
        return refuse(wrong, "has a dot at an end of its name or two in a row; write it as "
                             "first.last@example.org");
    if (!is_ascii(at))
        return refuse(wrong, "has a domain that is not ASCII; write its A-label form (xn--...)");
    if (!is_domain(at + 1, &labels) || labels < 2)
        return refuse(wrong, "has no domain name behind its \"@\"; write it as name@example.org");
    char *address = memory_copy_text(text);
    text_lower_ascii(address + length, strlen(at));
    *(char **)ret_field = address;
    return true;
}

/* Launchpad's versions: "1.0", and the moving ones. */
static bool is_api_version(const char *text, size_t length)
{
    if ((length == 4 && memcmp(text, "beta", 4) == 0) ||
        (length == 5 && memcmp(text, "devel", 5) == 0))
        return true;
    return length > 0 && text[0] != '.' && text[length - 1] != '.' &&
           strspn(text, DIGITS ".") >= length;
}

static bool parse_url(const struct config_key *key, const char *text, void *ret_field,
                      struct buffer *wrong)
{
    (void)key;
    static const char sample[] = "; write it as https://api.launchpad.net/1.0";
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;
    if (scheme == 0) {
        buffer_appendf(wrong, "does not begin with https:// or http://%s", sample);
        return false;
    }
    size_t length = strlen(text);
    while (length > scheme && text[length - 1] == '/')
        length--;
    size_t host = strspn(text + scheme, SMALL LARGE DIGITS ".-_:[]");
    if (host == 0 || !consists_of(text + scheme + host, SMALL LARGE DIGITS ".-_~/")) {
        buffer_appendf(wrong, "is not a plain URL (host and path, nothing else)%s", sample);
        return false;
    }
    const char *last = memrchr(text, '/', length);
    if (last < text + scheme + host ||
        !is_api_version(last + 1, length - (size_t)(last + 1 - text))) {
        buffer_appendf(wrong, "does not end in a version%s", sample);
        return false;
    }
    *(char **)ret_field = memory_copy_bytes(text, length);
    return true;
}

/*
 * Scheme, host and port of a web address that may be trusted: https, or http where no network lies
 * between. *ret_path is what follows. RFC 3986 3.2, without user names.
 */
static bool parse_web_root(const char *text, const char **ret_path, struct buffer *wrong)
{
    bool is_secure = strncmp(text, "https://", 8) == 0;
    const char *host = text + (is_secure ? 8 : 7);
    uint64_t port;
    if (!is_secure && strncmp(text, "http://", 7) != 0)
        return refuse(wrong, "does not begin with https://; write it as https://example.org");
    size_t length =
        *host == '[' ? 1 + strspn(host + 1, ":" DIGITS "abcdef") : strspn(host, SMALL DIGITS ".-");
    if (*host == '[' && host[length] == ']')
        length++;
    const char *colon = host + length;
    size_t port_length = *colon == ':' ? strspn(colon + 1, DIGITS) : 0;
    *ret_path = colon + (*colon == ':' ? 1 + port_length : 0);
    CLEANUP(memory_free_at) char *name = memory_copy_bytes(host, length);
    CLEANUP(memory_free_at)
    char *number = memory_copy_bytes(colon + 1, *colon == ':' ? port_length : 0);
    if (length == 0 || (**ret_path != '\0' && **ret_path != '/') ||
        (*host == '[' && name[length - 1] != ']') ||
        (*colon == ':' && !text_parse_number(number, 1, UINT16_MAX, &port)))
        return refuse(wrong, "has no host in lower case, with a port or none; write it as "
                             "https://example.org");
    bool is_here = strcmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0 ||
                   (strncmp(name, "127.", 4) == 0 && consists_of(name, DIGITS "."));
    return is_secure || is_here ||
           refuse(wrong, "is not encrypted; write https://, as http:// is for this host only");
}

static bool parse_site_url(const struct config_key *key, const char *text, void *ret_field,
                           struct buffer *wrong)
{
    (void)key;
    const char *path;
    if (!parse_web_root(text, &path, wrong))
        return false;
    if (*path != '\0' && strcmp(path, "/") != 0)
        return refuse(wrong, "has a path; give the site a host name of its own");
    *(char **)ret_field = memory_copy_bytes(text, (size_t)(path - text));
    return true;
}

static bool parse_web_url(const struct config_key *key, const char *text, void *ret_field,
                          struct buffer *wrong)
{
    (void)key;
    const char *path;
    if (!parse_web_root(text, &path, wrong))
        return false;
    if (*path == '\0' || !consists_of(path, SMALL LARGE DIGITS "+.-_~/"))
        return refuse(wrong, "has no plain path; write it as https://example.org/path");
    store_text(ret_field, text);
    return true;
}

static bool parse_ip_address(const struct config_key *key, const char *text, void *ret_field,
                             struct buffer *wrong)
{
    (void)key;
    char *canonical = listener_canonical_address(text);
    if (canonical == NULL)
        return refuse(wrong, "is not a numeric address; write it as 192.0.2.1 or 2001:db8::1");
    *(char **)ret_field = canonical;
    return true;
}

static bool parse_smtp_url(const struct config_key *key, const char *text, void *ret_field,
                           struct buffer *wrong)
{
    (void)key;
    uint64_t port;
    size_t scheme = strncmp(text, "smtps://", 8) == 0  ? 8
                    : strncmp(text, "smtp://", 7) == 0 ? 7
                                                       : 0;
    const char *colon = strrchr(text, ':');
    size_t host = scheme != 0 ? strspn(text + scheme, SMALL LARGE DIGITS ".-:[]") : 0;
    if (scheme == 0 || text[scheme + host] != '\0' || colon <= text + scheme ||
        !text_parse_number(colon + 1, 1, 65535, &port))
        return refuse(wrong, "is not a mail server; write it as smtp://127.0.0.1:25");
    store_text(ret_field, text);
    return true;
}

/* In libunbound's form, the port behind "@". */
static bool parse_dns_server(const struct config_key *key, const char *text, void *ret_field,
                             struct buffer *wrong)
{
    (void)key;
    struct config_listener at = {0};
    struct buffer unused = {0};
    struct buffer server = {0};
    buffer_appendf(&server, "inet:%s", text);
    bool is_fine = listener_parse(buffer_text(&server), &at, &unused) && at.inet_port != 0;
    buffer_finish(&unused);
    buffer_clear(&server);
    if (is_fine) {
        buffer_appendf(&server, "%s@%u", at.inet_address, (unsigned)at.inet_port);
        store_text(ret_field, buffer_text(&server));
    }
    buffer_finish(&server);
    listener_finish(&at);
    return is_fine || refuse(wrong, "is not a DNS server; write it as 127.0.0.1:53 or [::1]:53");
}

static bool parse_delimiters(const struct config_key *key, const char *text, void *ret_field,
                             struct buffer *wrong)
{
    (void)key;
    if (!consists_of(text, ATEXT_MARKS "."))
        return refuse(wrong, "holds what cannot delimit an extension; use marks such as \"+\"");
    store_text(ret_field, text);
    return true;
}

static bool parse_team(const struct config_key *key, const char *text, void *ret_field,
                       struct buffer *wrong)
{
    (void)key;
    if (*text == '~')
        return refuse(wrong, "is not a team name; write it without \"~\"");
    if (!consists_of(text, SMALL DIGITS "+.-") || strchr("+.-", *text) != NULL ||
        strlen(text) > TEAM_MAX_BYTES)
        return refuse(wrong, "is not a team name; those have lower-case letters, digits, \"+\", "
                             "\".\" and \"-\", and begin with a letter or digit");
    store_text(ret_field, text);
    return true;
}

static bool parse_local_part(const struct config_key *key, const char *text, void *ret_field,
                             struct buffer *wrong)
{
    (void)key;
    size_t length = strlen(text);
    if (strcspn(text, LARGE) != length)
        return refuse(wrong, "is not in lower case; write it so");
    if (!is_dot_atom(text, length, SMALL DIGITS ATEXT_MARKS "."))
        return refuse(wrong, "cannot stand before an \"@\"; write a name such as postmaster");
    store_text(ret_field, text);
    return true;
}

static bool parse_listener(const struct config_key *key, const char *text, void *ret_field,
                           struct buffer *wrong)
{
    if (key->type == CONFIG_INET_LISTENER && strncmp(text, "unix:", 5) == 0)
        return refuse(wrong, "is a unix socket, which Postfix's tcp_table cannot ask; write "
                             "inet:127.0.0.1:10042, or use socketmap");
    return listener_parse(text, ret_field, wrong);
}

static bool parse_duration(const struct config_key *key, const char *text, void *ret_field,
                           struct buffer *wrong)
{
    int64_t ms = 0;
    if (!text_parse_duration_ms(text, &ms)) {
        if (!consists_of(text, DIGITS))
            return refuse(wrong, "is not a duration; write a number and a unit: 500ms, 10s, 10m, "
                                 "2h or 1d");
        buffer_appendf(wrong, "has no unit; write %.9ss or %.9sm", text, text);
        return false;
    }
    if (ms < 0 || (uint64_t)ms < key->min || (uint64_t)ms > key->max) {
        buffer_append_text(wrong, "is out of its limits; give a ");
        config_append_type(wrong, key);
        return false;
    }
    *(int64_t *)ret_field = ms;
    return true;
}

static bool parse_bytes(const struct config_key *key, const char *text, void *ret_field,
                        struct buffer *wrong)
{
    uint64_t bytes = 0;
    if (!text_parse_bytes(text, &bytes)) {
        if (!consists_of(text, DIGITS))
            return refuse(wrong, "is not a size; write a number and a unit: 64k, 16M or 1G");
        buffer_appendf(wrong, "has no unit; write %.9sk or %.9sM", text, text);
        return false;
    }
    if (bytes < key->min || bytes > key->max) {
        buffer_append_text(wrong, "is out of its limits; give a ");
        config_append_type(wrong, key);
        return false;
    }
    *(uint64_t *)ret_field = bytes;
    return true;
}

static bool parse_number(const struct config_key *key, const char *text, void *ret_field,
                         struct buffer *wrong)
{
    uint64_t number = 0;
    if (!text_parse_number(text, key->min, key->max, &number)) {
        buffer_append_text(wrong, consists_of(text, DIGITS) ? "is out of its limits; give a "
                                                            : "is not a number; give a ");
        config_append_type(wrong, key);
        return false;
    }
    *(unsigned *)ret_field = (unsigned)number;
    return true;
}

static bool parse_percent(const struct config_key *key, const char *text, void *ret_field,
                          struct buffer *wrong)
{
    size_t length = strlen(text);
    uint64_t number = 0;
    CLEANUP(memory_free_at) char *digits = memory_copy_bytes(text, length - 1);
    if (text[length - 1] != '%' || !text_parse_number(digits, key->min, key->max, &number)) {
        buffer_append_text(wrong, "is not such a share; give a ");
        config_append_type(wrong, key);
        return false;
    }
    *(unsigned *)ret_field = (unsigned)number;
    return true;
}

/* The place of text among words, which end with NULL; false: it is none of them. */
static bool parse_choice(const char *text, const char *const *words, size_t *ret)
{
    for (*ret = 0; words[*ret] != NULL; ++*ret)
        if (strcmp(words[*ret], text) == 0)
            return true;
    return false;
}

static bool parse_map(const struct config_key *key, const char *text, void *ret_field,
                      struct buffer *wrong)
{
    (void)key;
    static const char *const words[] = {"alias", "domain", "recipient", "sender", "access", NULL};
    size_t place;
    if (!parse_choice(text, words, &place))
        return refuse(wrong, "is not a map; write alias, domain, recipient, sender or access");
    store_text(ret_field, text);
    return true;
}

static bool parse_grace(const struct config_key *key, const char *text, void *ret_field,
                        struct buffer *wrong)
{
    (void)key;
    static const char *const words[] = {"deliver", "reject", NULL};
    size_t place;
    if (!parse_choice(text, words, &place))
        return refuse(wrong, "is neither deliver nor reject; write one of them");
    *(bool *)ret_field = place == 1;
    return true;
}

static bool parse_starttls(const struct config_key *key, const char *text, void *ret_field,
                           struct buffer *wrong)
{
    (void)key;
    static const char *const words[] = {
        [CONFIG_STARTTLS_NEVER] = "never",
        [CONFIG_STARTTLS_MAY] = "may",
        [CONFIG_STARTTLS_MUST] = "must",
        NULL,
    };
    size_t place;
    if (!parse_choice(text, words, &place))
        return refuse(wrong, "is none of never, may and must; write one of them");
    *(enum config_starttls *)ret_field = (enum config_starttls)place;
    return true;
}

static bool parse_log_level(const struct config_key *key, const char *text, void *ret_field,
                            struct buffer *wrong)
{
    (void)key;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++)
        if (strcmp(text, log_level_name((enum log_level)level)) == 0) {
            *(enum log_level *)ret_field = (enum log_level)level;
            return true;
        }
    return refuse(wrong, "is none of error, warning, info and debug; write one of them");
}

static bool parse_boolean(const struct config_key *key, const char *text, void *ret_field,
                          struct buffer *wrong)
{
    (void)key;
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return refuse(wrong, "is neither true nor false; write one of them");
    *(bool *)ret_field = yes;
    return true;
}

static bool holds_control_byte(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

bool value_parse(const struct config_key *key, const char *text, void *ret_field,
                 struct buffer *wrong)
{
    static bool (*const parsers[])(const struct config_key *key, const char *text, void *ret_field,
                                   struct buffer *wrong) = {
        [CONFIG_TEXT] = parse_text,
        [CONFIG_PATH] = parse_path,
        [CONFIG_ADDRESS] = parse_address,
        [CONFIG_URL] = parse_url,
        [CONFIG_SITE_URL] = parse_site_url,
        [CONFIG_WEB_URL] = parse_web_url,
        [CONFIG_IP_ADDRESS] = parse_ip_address,
        [CONFIG_SMTP_URL] = parse_smtp_url,
        [CONFIG_DNS_SERVER] = parse_dns_server,
        [CONFIG_DELIMITERS] = parse_delimiters,
        [CONFIG_MAP] = parse_map,
        [CONFIG_TEAM] = parse_team,
        [CONFIG_DOMAIN_NAME] = parse_domain_name,
        [CONFIG_LOCAL_PART] = parse_local_part,
        [CONFIG_LISTENER] = parse_listener,
        [CONFIG_INET_LISTENER] = parse_listener,
        [CONFIG_DURATION] = parse_duration,
        [CONFIG_BYTES] = parse_bytes,
        [CONFIG_NUMBER] = parse_number,
        [CONFIG_PERCENT] = parse_percent,
        [CONFIG_BOOLEAN] = parse_boolean,
        [CONFIG_GRACE] = parse_grace,
        [CONFIG_STARTTLS] = parse_starttls,
        [CONFIG_LOG_LEVEL] = parse_log_level,
    };
    if (*text == '\0' && key->type != CONFIG_DELIMITERS)
        return refuse(wrong, "is empty; give a value or remove it");
    if (holds_control_byte(text) || !text_is_utf8(text, strlen(text)))
        return refuse(wrong, "is not text; remove what is neither printable nor UTF-8");
    return parsers[key->type](key, text, ret_field, wrong);
}
