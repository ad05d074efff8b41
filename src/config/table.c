#include "config/table.h"

#include <string.h>

#include "base/compiler.h"
#include "config/config.h"

#define SECOND_MS 1000ULL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define KIB       (1ULL << 10)
#define MIB       (1ULL << 20)
#define GIB       (1ULL << 30)
#define TIB       (1ULL << 40)

const struct config_key config_keys[] = {
    {
        .section = SECTION_TOP,
        .name = "cache",
        .type = CONFIG_PATH,
        .fallback = "/var/lib/lpalias",
        .program = "all",
        .help = "Directory of the cache.",
        .needs_restart = true,
        .offset = offsetof(struct config, cache),
    },
    {
        .section = SECTION_TOP,
        .name = "key-file",
        .type = CONFIG_PATH,
        .fallback = "/etc/lpalias/keys",
        .program = "all",
        .help = "File of the keys that seal targets.",
        .needs_restart = true,
        .offset = offsetof(struct config, key_file),
    },
    {
        .section = SECTION_TOP,
        .name = "alerts",
        .type = CONFIG_ADDRESS,
        .required = true,
        .program = "all",
        .help = "Mail address of the operators, outside all domains below; role addresses go "
                "there unless told otherwise.",
        .offset = offsetof(struct config, alerts),
    },
    {
        .section = SECTION_TOP,
        .name = "cache-limit",
        .type = CONFIG_BYTES,
        .min = MIB,
        .max = 16 * TIB,
        .fallback = "16G",
        .program = "all",
        .help = "Address space set aside for the cache: the size that it can never pass.",
        .needs_restart = true,
        .offset = offsetof(struct config, cache_limit_bytes),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "api",
        .type = CONFIG_URL,
        .fallback = "https://api.launchpad.net/1.0",
        .program = "lpalias",
        .help = "Root of the web service, version included.",
        .offset = offsetof(struct config, launchpad.api),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "credentials",
        .type = CONFIG_PATH,
        .program = "lpalias",
        .help = "OAuth credentials in launchpadlib's own format; without it requests are "
                "anonymous.",
        .offset = offsetof(struct config, launchpad.credentials),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "page-size",
        .type = CONFIG_NUMBER,
        .min = 1,
        .max = 300,
        .fallback = "300",
        .program = "lpalias",
        .help = "People asked for in one request.",
        .offset = offsetof(struct config, launchpad.page_size),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "concurrency",
        .type = CONFIG_NUMBER,
        .min = 1,
        .max = 16,
        .fallback = "4",
        .program = "lpalias",
        .help = "Requests under way at a time.",
        .offset = offsetof(struct config, launchpad.concurrency),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "retries",
        .type = CONFIG_NUMBER,
        .min = 0,
        .max = 20,
        .fallback = "4",
        .program = "lpalias",
        .help = "How often a failed request is sent again.",
        .offset = offsetof(struct config, launchpad.retries),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "retry-delay",
        .type = CONFIG_DURATION,
        .min = 1,
        .max = 10 * MINUTE_MS,
        .fallback = "1s",
        .program = "lpalias",
        .help = "Pause before the first retry; it doubles with each further one.",
        .offset = offsetof(struct config, launchpad.retry_delay_ms),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "request-timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = 10 * MINUTE_MS,
        .fallback = "30s",
        .program = "lpalias",
        .help = "Longest time for one request.",
        .offset = offsetof(struct config, launchpad.request_timeout_ms),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "total-timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = DAY_MS,
        .fallback = "10m",
        .program = "lpalias",
        .help = "Longest time for fetching all teams.",
        .offset = offsetof(struct config, launchpad.total_timeout_ms),
    },
    {
        .section = SECTION_LAUNCHPAD,
        .name = "response-limit",
        .type = CONFIG_BYTES,
        .min = 64 * KIB,
        .max = GIB,
        .fallback = "16M",
        .program = "lpalias",
        .help = "Largest answer to one request, after decompression.",
        .offset = offsetof(struct config, launchpad.response_limit_bytes),
    },
    {
        .section = SECTION_REFRESH,
        .name = "max-removals",
        .type = CONFIG_PERCENT,
        .min = 0,
        .max = 100,
        .fallback = "10%",
        .program = "lpalias",
        .help = "Share of a domain's live aliases that refreshes may take within 24 hours; more is "
                "held, but two are always free.",
        .offset = offsetof(struct config, refresh.max_removals_percent),
    },
    {
        .section = SECTION_REFRESH,
        .name = "max-additions",
        .type = CONFIG_PERCENT,
        .min = 0,
        .max = 100000,
        .fallback = "20%",
        .program = "lpalias",
        .help = "Share by which one refresh may let a domain grow; more is held, but twenty are "
                "always free.",
        .offset = offsetof(struct config, refresh.max_additions_percent),
    },
    {
        .section = SECTION_REFRESH,
        .name = "stale-after",
        .type = CONFIG_DURATION,
        .min = MINUTE_MS,
        .max = 90 * DAY_MS,
        .fallback = "6h",
        .program = "lpalias",
        .help = "Age of the last good listing of a team at which alerts is told.",
        .offset = offsetof(struct config, refresh.stale_after_ms),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "smtp",
        .type = CONFIG_SMTP_URL,
        .fallback = "smtp://127.0.0.1:25",
        .program = "lpalias",
        .help = "Server that notices are handed to.",
        .offset = offsetof(struct config, notify.smtp),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "starttls",
        .type = CONFIG_STARTTLS,
        .fallback = "may",
        .program = "lpalias",
        .help = "Whether smtp:// is encrypted: never, may (if offered) or must.",
        .offset = offsetof(struct config, notify.starttls),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "ca-file",
        .type = CONFIG_PATH,
        .program = "lpalias",
        .help = "Certificates that the server's is checked against in place of the system's.",
        .offset = offsetof(struct config, notify.ca_file),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "user",
        .type = CONFIG_TEXT,
        .min = 1,
        .max = 200,
        .program = "lpalias",
        .help = "Name to log in to the server with.",
        .offset = offsetof(struct config, notify.user),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "password-file",
        .type = CONFIG_PATH,
        .program = "lpalias",
        .help = "File whose first line is the password, closed to others.",
        .offset = offsetof(struct config, notify.password_file),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "from",
        .type = CONFIG_ADDRESS,
        .program = "lpalias",
        .help = "Sender of notices; without it alerts.",
        .offset = offsetof(struct config, notify.from),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "null-sender",
        .type = CONFIG_BOOLEAN,
        .fallback = "true",
        .program = "lpalias",
        .help = "Whether the envelope has no sender, so that no bounce comes back.",
        .offset = offsetof(struct config, notify.null_sender),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "templates",
        .type = CONFIG_PATH,
        .program = "lpalias",
        .help = "Directory of texts that stand in for the built-in ones.",
        .offset = offsetof(struct config, notify.templates),
    },
    {
        .section = SECTION_NOTIFY,
        .name = "timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = 10 * MINUTE_MS,
        .fallback = "30s",
        .program = "lpalias",
        .help = "Longest time for handing over one notice.",
        .offset = offsetof(struct config, notify.timeout_ms),
    },
    {
        .section = SECTION_DNS,
        .name = "servers",
        .type = CONFIG_DNS_SERVER,
        .list = true,
        .program = "lpalias",
        .help = "Resolvers to ask; without them those of the system.",
        .offset = offsetof(struct config, dns.servers),
    },
    {
        .section = SECTION_DNS,
        .name = "trust-anchors",
        .type = CONFIG_PATH,
        .fallback = "/usr/share/dns/root.key",
        .program = "lpalias",
        .help = "File of the DNSSEC trust anchors.",
        .offset = offsetof(struct config, dns.trust_anchors),
    },
    {
        .section = SECTION_DNS,
        .name = "timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = 5 * MINUTE_MS,
        .fallback = "10s",
        .program = "lpalias",
        .help = "Longest time for the answer about one domain.",
        .offset = offsetof(struct config, dns.timeout_ms),
    },
    {
        .section = SECTION_SERVER,
        .name = "socketmap",
        .type = CONFIG_LISTENER,
        .list = true,
        .program = "lpaliasd",
        .help = "Where Postfix asks with its socketmap protocol, all maps on each listener.",
        .needs_restart = true,
        .protocol = CONFIG_SOCKETMAP,
    },
    {
        .section = SECTION_SERVER,
        .name = "policy",
        .type = CONFIG_LISTENER,
        .list = true,
        .program = "lpaliasd",
        .help = "Where Postfix asks with its policy protocol, whether to refuse a recipient.",
        .needs_restart = true,
        .protocol = CONFIG_POLICY,
    },
    {
        .section = SECTION_SERVER,
        .name = "metrics",
        .type = CONFIG_LISTENER,
        .program = "lpaliasd",
        .help = "Where /metrics, /healthz and /readyz are served over HTTP.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.metrics),
    },
    {
        .section = SECTION_SERVER,
        .name = "recipient-delimiter",
        .type = CONFIG_DELIMITERS,
        .fallback = "+",
        .program = "all",
        .help = "Each character begins an address extension, as in Postfix; \"\" for none.",
        .offset = offsetof(struct config, server.recipient_delimiter),
    },
    {
        .section = SECTION_SERVER,
        .name = "allow-remote",
        .type = CONFIG_BOOLEAN,
        .fallback = "false",
        .program = "lpaliasd",
        .help = "Whether an inet listener may be reached from other hosts.",
        .offset = offsetof(struct config, server.allow_remote),
    },
    {
        .section = SECTION_SERVER,
        .name = "user",
        .type = CONFIG_TEXT,
        .min = 1,
        .max = 32,
        .program = "lpaliasd",
        .help = "User to become when started as root.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.user),
    },
    {
        .section = SECTION_SERVER,
        .name = "sandbox",
        .type = CONFIG_BOOLEAN,
        .fallback = "true",
        .program = "lpaliasd",
        .help = "Whether lpaliasd gives up what it does not need once it is ready; false is for a "
                "system on which it needs more.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.is_sandboxed),
    },
    {
        .section = SECTION_SERVER,
        .name = "connection-limit",
        .type = CONFIG_NUMBER,
        .min = 1,
        .max = 65536,
        .fallback = "1024",
        .program = "lpaliasd",
        .help = "Connections at a time; one more drops the longest-idle one.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.connection_limit),
    },
    {
        .section = SECTION_SERVER,
        .name = "idle-limit",
        .type = CONFIG_DURATION,
        .min = SECOND_MS,
        .max = DAY_MS,
        .fallback = "600s",
        .program = "lpaliasd",
        .help = "A connection that asked nothing for so long is closed.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.idle_limit_ms),
    },
    {
        .section = SECTION_SERVER,
        .name = "stall-limit",
        .type = CONFIG_DURATION,
        .min = SECOND_MS,
        .max = DAY_MS,
        .fallback = "10s",
        .program = "lpaliasd",
        .help = "Longest time to finish a request once begun, or to take the replies.",
        .needs_restart = true,
        .offset = offsetof(struct config, server.stall_limit_ms),
    },
    {
        .section = SECTION_SERVER,
        .name = "log-level",
        .type = CONFIG_LOG_LEVEL,
        .fallback = "info",
        .program = "lpaliasd",
        .help = "The least important lines that are logged; debug has one for every lookup.",
        .offset = offsetof(struct config, server.log_level),
    },
    {
        .section = SECTION_SERVER,
        .name = "log-addresses",
        .type = CONFIG_BOOLEAN,
        .fallback = "false",
        .program = "lpaliasd",
        .help = "Whether debug lines show the address that was asked for, which is personal data, "
                "and not a hash of it that only links the lines of one run.",
        .offset = offsetof(struct config, server.logs_addresses),
    },
    {
        .section = SECTION_TCP_TABLE,
        .name = "map",
        .type = CONFIG_MAP,
        .required = true,
        .program = "lpaliasd",
        .help = "The map that this listener serves.",
        .needs_restart = true,
        .offset = offsetof(struct config_listener, map),
    },
    {
        .section = SECTION_PORTAL,
        .name = "listen",
        .type = CONFIG_LISTENER,
        .required = true,
        .program = "lpalias-portal",
        .help = "Where the TLS proxy in front of the site connects.",
        .offset = offsetof(struct config, portal.listen),
    },
    {
        .section = SECTION_PORTAL,
        .name = "url",
        .type = CONFIG_SITE_URL,
        .required = true,
        .program = "lpalias-portal",
        .help = "The site as browsers see it; https, or http on this host.",
        .offset = offsetof(struct config, portal.url),
    },
    {
        .section = SECTION_PORTAL,
        .name = "openid-endpoint",
        .type = CONFIG_WEB_URL,
        .fallback = "https://login.ubuntu.com/+openid",
        .program = "lpalias-portal",
        .help = "Where people log in.",
        .offset = offsetof(struct config, portal.openid_endpoint),
    },
    {
        .section = SECTION_PORTAL,
        .name = "openid-identifiers",
        .type = CONFIG_WEB_URL,
        .fallback = "https://login.ubuntu.com/+id/",
        .program = "lpalias-portal",
        .help = "What the identifier of everyone who logs in begins with.",
        .offset = offsetof(struct config, portal.openid_identifiers),
    },
    {
        .section = SECTION_PORTAL,
        .name = "launchpad-web",
        .type = CONFIG_SITE_URL,
        .fallback = "https://launchpad.net",
        .program = "lpalias-portal",
        .help = "Launchpad's web site, for links.",
        .offset = offsetof(struct config, portal.launchpad_web),
    },
    {
        .section = SECTION_PORTAL,
        .name = "trusted-proxy",
        .type = CONFIG_IP_ADDRESS,
        .list = true,
        .program = "lpalias-portal",
        .help = "Addresses of proxies on other hosts whose X-Forwarded-For is believed.",
        .offset = offsetof(struct config, portal.trusted_proxies),
    },
    {
        .section = SECTION_PORTAL,
        .name = "admins",
        .type = CONFIG_TEAM,
        .list = true,
        .program = "lpalias-portal",
        .help = "Launchpad names of the admins of all domains.",
        .offset = offsetof(struct config, portal.admins),
    },
    {
        .section = SECTION_PORTAL,
        .name = "admin-team",
        .type = CONFIG_TEAM,
        .program = "lpalias-portal",
        .help = "Launchpad team whose members are admins of all domains, too.",
        .offset = offsetof(struct config, portal.admin_team),
    },
    {
        .section = SECTION_PORTAL,
        .name = "state",
        .type = CONFIG_PATH,
        .fallback = "/var/lib/lpalias-portal",
        .program = "lpalias-portal",
        .help = "Directory of the portal's own database.",
        .offset = offsetof(struct config, portal.state),
    },
    {
        .section = SECTION_PORTAL,
        .name = "session-idle",
        .type = CONFIG_DURATION,
        .min = SECOND_MS,
        .max = 30 * DAY_MS,
        .fallback = "1h",
        .program = "lpalias-portal",
        .help = "A login that is not used for so long ends.",
        .offset = offsetof(struct config, portal.session_idle_ms),
    },
    {
        .section = SECTION_PORTAL,
        .name = "session-limit",
        .type = CONFIG_DURATION,
        .min = SECOND_MS,
        .max = 30 * DAY_MS,
        .fallback = "12h",
        .program = "lpalias-portal",
        .help = "Longest time that a login lasts.",
        .offset = offsetof(struct config, portal.session_limit_ms),
    },
    {
        .section = SECTION_PORTAL,
        .name = "connection-limit",
        .type = CONFIG_NUMBER,
        .min = 1,
        .max = 65536,
        .fallback = "512",
        .program = "lpalias-portal",
        .help = "Connections at a time; one more closes an idle one, or waits.",
        .offset = offsetof(struct config, portal.connection_limit),
    },
    {
        .section = SECTION_PORTAL,
        .name = "request-timeout",
        .type = CONFIG_DURATION,
        .min = 100,
        .max = 10 * MINUTE_MS,
        .fallback = "15s",
        .program = "lpalias-portal",
        .help = "Longest time for sending a request, and for taking its answer.",
        .offset = offsetof(struct config, portal.request_timeout_ms),
    },
    {
        .section = SECTION_PORTAL,
        .name = "user",
        .type = CONFIG_TEXT,
        .min = 1,
        .max = 32,
        .program = "lpalias-portal",
        .help = "User to become when started as root.",
        .offset = offsetof(struct config, portal.user),
    },
    {
        .section = SECTION_PORTAL,
        .name = "sandbox",
        .type = CONFIG_BOOLEAN,
        .fallback = "true",
        .program = "lpalias-portal",
        .help = "Whether lpalias-portal gives up what it does not need once it is ready; false is "
                "for a system on which it needs more.",
        .offset = offsetof(struct config, portal.is_sandboxed),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "team",
        .type = CONFIG_TEAM,
        .required = true,
        .program = "lpalias",
        .help = "Launchpad team whose members get an alias, without \"~\".",
        .offset = offsetof(struct config_domain, team),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "proof",
        .type = CONFIG_TEXT,
        .min = 1,
        .max = 1000,
        .program = "lpalias",
        .help = "Text of the TXT record that proves the domain; without it there is no check.",
        .offset = offsetof(struct config_domain, proof),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "catch-all",
        .type = CONFIG_ADDRESS,
        .program = "all",
        .help = "Target of every address of the domain that nobody has.",
        .offset = offsetof(struct config_domain, catch_all),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "grace",
        .type = CONFIG_DURATION,
        .min = 0,
        .max = 3650 * DAY_MS,
        .fallback = "30d",
        .program = "lpalias",
        .help = "How long a name stays known after its owner has left.",
        .offset = offsetof(struct config_domain, grace_ms),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "during-grace",
        .type = CONFIG_GRACE,
        .fallback = "deliver",
        .program = "all",
        .help = "Whether mail to who has left is still delivered in that time, or refused: deliver "
                "or reject.",
        .offset = offsetof(struct config_domain, rejects_in_grace),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "reserved",
        .type = CONFIG_LOCAL_PART,
        .list = true,
        .program = "lpalias",
        .help = "Names that no member gets, besides the shipped list.",
        .offset = offsetof(struct config_domain, reserved),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "admins",
        .type = CONFIG_TEAM,
        .list = true,
        .program = "lpalias",
        .help = "Launchpad names of the domain's admins, who keep their alias without membership.",
        .offset = offsetof(struct config_domain, admins),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "admin-team",
        .type = CONFIG_TEAM,
        .program = "lpalias",
        .help = "Launchpad team whose members are admins of the domain, too.",
        .offset = offsetof(struct config_domain, admin_team),
    },
    {
        .section = SECTION_DOMAIN,
        .name = "notices",
        .type = CONFIG_ADDRESS,
        .list = true,
        .program = "lpalias",
        .help = "Where notices to the domain's admins go; without it to alerts.",
        .offset = offsetof(struct config_domain, notices),
    },
    {
        .section = SECTION_ROLE,
        .name = "targets",
        .type = CONFIG_ADDRESS,
        .required = true,
        .list = true,
        .program = "all",
        .help = "Where mail to this role address goes.",
        .offset = offsetof(struct config_role, targets),
    },
};
const size_t config_key_count = ARRAY_LENGTH(config_keys);

const struct config_section config_sections[SECTION_COUNT] = {
    [SECTION_TOP] = {.name = "root", .parent = SECTION_TOP, .help = "Outside all sections."},
    [SECTION_LAUNCHPAD] =
        {
            .name = "launchpad",
            .parent = SECTION_TOP,
            .help = "How the teams are fetched.",
        },
    [SECTION_REFRESH] =
        {
            .name = "refresh",
            .parent = SECTION_TOP,
            .help = "How much a refresh may change by itself.",
        },
    [SECTION_NOTIFY] =
        {
            .name = "notify",
            .parent = SECTION_TOP,
            .help = "How notices leave by mail.",
        },
    [SECTION_DNS] =
        {
            .name = "dns",
            .parent = SECTION_TOP,
            .help = "How the TXT records are asked for that prove domains.",
        },
    [SECTION_SERVER] =
        {
            .name = "server",
            .parent = SECTION_TOP,
            .help = "How Postfix is answered.",
        },
    [SECTION_TCP_TABLE] =
        {
            .name = "tcp-table",
            .parent = SECTION_SERVER,
            .many = true,
            .title = {.name = "listener",
                      .type = CONFIG_INET_LISTENER,
                      .protocol = CONFIG_TCP_TABLE},
            .help = "A listener for Postfix's tcp_table protocol; any local user can ask it.",
        },
    [SECTION_PORTAL] =
        {
            .name = "portal",
            .parent = SECTION_TOP,
            .help = "The web site where members look after their aliases.",
        },
    [SECTION_DOMAIN] =
        {
            .name = "domain",
            .parent = SECTION_TOP,
            .many = true,
            .title = {.name = "name",
                      .type = CONFIG_DOMAIN_NAME,
                      .offset = offsetof(struct config_domain, name)},
            .help = "A mail domain that is ours; at least one is needed.",
        },
    [SECTION_ROLE] =
        {
            .name = "role",
            .parent = SECTION_DOMAIN,
            .many = true,
            .title = {.name = "local part",
                      .type = CONFIG_LOCAL_PART,
                      .offset = offsetof(struct config_role, name)},
            .help = "A role address of the domain, such as postmaster; no member can take it.",
        },
};

const struct config_key *config_find_key(enum config_section_id section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].section == section && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

struct unit {
    const char *name;
    uint64_t size;
};

/* units begin with the largest and end with one of size 1. */
static void append_in_unit(struct buffer *out, uint64_t quantity, const struct unit *units)
{
    while (units->size > 1 && (quantity == 0 || quantity % units->size != 0))
        units++;
    buffer_appendf(out, "%llu%s", (unsigned long long)(quantity / units->size), units->name);
}

void config_append_duration(struct buffer *out, uint64_t ms)
{
    static const struct unit units[] = {
        {"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1},
    };
    append_in_unit(out, ms, units);
}

void config_append_bytes(struct buffer *out, uint64_t bytes)
{
    static const struct unit units[] = {
        {"T", TIB}, {"G", GIB}, {"M", MIB}, {"k", KIB}, {"b", 1},
    };
    append_in_unit(out, bytes, units);
}

static void append_limits(struct buffer *out, const struct config_key *key)
{
    if (key->type == CONFIG_DURATION) {
        buffer_append_text(out, " from ");
        config_append_duration(out, key->min);
        buffer_append_text(out, " to ");
        config_append_duration(out, key->max);
    } else if (key->type == CONFIG_BYTES) {
        buffer_append_text(out, " from ");
        config_append_bytes(out, key->min);
        buffer_append_text(out, " to ");
        config_append_bytes(out, key->max);
    } else if (key->type == CONFIG_PERCENT) {
        buffer_appendf(out, " from %llu%% to %llu%%", (unsigned long long)key->min,
                       (unsigned long long)key->max);
    } else if (key->type == CONFIG_NUMBER) {
        buffer_appendf(out, " from %llu to %llu", (unsigned long long)key->min,
                       (unsigned long long)key->max);
    } else if (key->type == CONFIG_TEXT) {
        buffer_appendf(out, " of at most %llu bytes", (unsigned long long)key->max);
    }
}

void config_append_type(struct buffer *out, const struct config_key *key)
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_PATH] = "absolute path",
        [CONFIG_ADDRESS] = "mail address",
        [CONFIG_URL] = "http or https URL",
        [CONFIG_SITE_URL] = "web site",
        [CONFIG_WEB_URL] = "web address",
        [CONFIG_IP_ADDRESS] = "numeric address",
        [CONFIG_SMTP_URL] = "smtp or smtps URL",
        [CONFIG_DNS_SERVER] = "DNS server",
        [CONFIG_DELIMITERS] = "delimiter characters",
        [CONFIG_MAP] = "map name",
        [CONFIG_TEAM] = "team name",
        [CONFIG_DOMAIN_NAME] = "domain name",
        [CONFIG_LOCAL_PART] = "local part",
        [CONFIG_LISTENER] = "listener",
        [CONFIG_INET_LISTENER] = "inet listener",
        [CONFIG_DURATION] = "duration",
        [CONFIG_BYTES] = "size",
        [CONFIG_NUMBER] = "number",
        [CONFIG_PERCENT] = "share",
        [CONFIG_BOOLEAN] = "boolean",
        [CONFIG_GRACE] = "deliver or reject",
        [CONFIG_STARTTLS] = "never, may or must",
        [CONFIG_LOG_LEVEL] = "error, warning, info or debug",
    };
    buffer_appendf(out, "%s%s", key->list ? "list, each " : "", names[key->type]);
    append_limits(out, key);
}

static void print_key(FILE *out, const struct config_key *key, const char *indent)
{
    struct buffer type = {0};
    config_append_type(&type, key);
    fprintf(out, "%s%s\n%s    %s; ", indent, key->name, indent, buffer_text(&type));
    if (key->required)
        fputs("required", out);
    else if (key->fallback == NULL)
        fputs("no default", out);
    else
        fprintf(out, "default \"%s\"", key->fallback);
    fprintf(out, "; used by %s%s\n%s    %s\n",
            strcmp(key->program, "all") == 0 ? "all programs" : key->program,
            key->needs_restart ? "; needs a restart" : "", indent, key->help);
    buffer_finish(&type);
}

static void print_section(FILE *out, enum config_section_id id, const char *indent)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_keys[i].section == id)
            print_key(out, &config_keys[i], indent);
    for (int child = SECTION_TOP + 1; child < SECTION_COUNT; child++) {
        const struct config_section *section = &config_sections[child];
        if (section->parent != id)
            continue;
        fprintf(out, "\n%s%s", indent, section->name);
        if (section->many)
            fprintf(out, " \"%s\"", section->title.name);
        fprintf(out, " { ... }%s\n%s    %s\n", section->many ? " (may be given several times)" : "",
                indent, section->help);
        print_section(out, (enum config_section_id)child, id == SECTION_TOP ? "    " : "        ");
    }
}

void config_print_keys(FILE *out)
{
    print_section(out, SECTION_TOP, "");
}
