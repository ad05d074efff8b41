/* config_read: what is taken, what is refused, and in which line. */
#include "config_file.h"

/* Two lines that make a file complete: a case begins at line 3. */
#define BASE                         \
    "alerts = \"ops@example.net\"\n" \
    "domain \"example.org\" { team = \"people\" }\n"

/* The example of the design, with what it leaves to defaults left out. */
static const char example[] =
    "cache    = \"/srv/cache\"\n"
    "key-file = \"/srv/keys\"\n"
    "alerts   = \"mail-alerts@Example.ORG\"             # must lie outside the domains below\n"
    "\n"
    "launchpad {\n"
    "  api          = \"https://api.launchpad.net/1.0/\"\n"
    "  credentials  = \"/etc/lpalias/launchpad.ini\"     # optional, launchpadlib's own format\n"
    "}\n"
    "\n"
    "server {\n"
    "  socketmap = { \"unix:/var/spool/postfix/lpalias/lookup\" }   # directory 2750\n"
    "  tcp-table \"inet:127.0.0.1:10042\" { map = alias } /* any local\n"
    "     user can ask an inet port */\n"
    "  recipient-delimiter = \"+\"\n"
    "}\n"
    "\n"
    "domain \"Ubuntu.com\"       { team = \"ubuntumembers\"      proof = "
    "\"forward-email-site-verification=6IsURgl2t7\" }\n"
    "domain \"kubuntu.org\"      { team = \"kubuntu-members\" }\n"
    "domain \"lubuntu.me\"       { team = \"lubuntu-members\" }\n"
    "domain \"edubuntu.org\"     { team = \"edubuntu-members\"\n"
    "  catch-all = \"desk@example.net\"\n"
    "  role \"postmaster\" { targets = { \"a@example.net\",\n"
    "    \"b@example.net\" } } // two\n"
    "  role \"abuse\" { targets = \"c@example.net\" } }\n"
    "domain \"ubuntustudio.com\" { team = \"ubuntustudio-core\" }\n"
    "domain \"ubuntu.net\"       { team = \"ubuntu-smtp-test\" }\n";

static struct config *read_good(const char *text)
{
    struct config *config = NULL;
    struct config_problems problems = {0};
    if (!read_bytes(text, strlen(text), &config, &problems))
        fail_msg("refused: %s", problems.lines[0]);
    assert_int_equal(problems.count, 0);
    return config;
}

static void the_example_is_read(void **state)
{
    (void)state;
    struct config *config = read_good(example);
    assert_non_null(strstr(config->file, "lpalias-config-"));
    assert_string_equal(config->cache, "/srv/cache");
    assert_string_equal(config->key_file, "/srv/keys");
    assert_string_equal(config->alerts, "mail-alerts@example.org");
    assert_string_equal(config->launchpad.api, "https://api.launchpad.net/1.0");
    assert_string_equal(config->launchpad.credentials, "/etc/lpalias/launchpad.ini");
    assert_string_equal(config->server.recipient_delimiter, "+");
    assert_int_equal(config->server.listener_count, 2);
    const struct config_listener *tcp = &config->server.listeners[0];
    assert_int_equal(tcp->protocol, CONFIG_TCP_TABLE);
    assert_string_equal(tcp->text, "inet:127.0.0.1:10042");
    assert_string_equal(tcp->inet_address, "127.0.0.1");
    assert_int_equal(tcp->inet_port, 10042);
    assert_null(tcp->unix_path);
    assert_string_equal(tcp->map, "alias");
    const struct config_listener *unix_socket = &config->server.listeners[1];
    assert_int_equal(unix_socket->protocol, CONFIG_SOCKETMAP);
    assert_string_equal(unix_socket->unix_path, "/var/spool/postfix/lpalias/lookup");
    assert_null(unix_socket->inet_address);
    assert_null(unix_socket->map);
    assert_int_equal(config->domain_count, 6);
    assert_string_equal(config->domains[0].name, "ubuntu.com");
    assert_string_equal(config->domains[0].proof, "forward-email-site-verification=6IsURgl2t7");
    assert_null(config->domains[0].catch_all);
    const struct config_domain *edubuntu = config_find_domain(config, "edubuntu.org");
    assert_non_null(edubuntu);
    assert_string_equal(edubuntu->team, "edubuntu-members");
    assert_null(edubuntu->proof);
    assert_string_equal(edubuntu->catch_all, "desk@example.net");
    assert_int_equal(edubuntu->role_count, 2);
    assert_string_equal(edubuntu->roles[0].name, "postmaster");
    assert_int_equal(edubuntu->roles[0].targets.count, 2);
    assert_string_equal(edubuntu->roles[0].targets.items[1], "b@example.net");
    assert_int_equal(edubuntu->roles[1].targets.count, 1);
    assert_null(config_find_domain(config, "example.org"));
    config_destroy(config);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    struct config *config = read_good(BASE);
    assert_string_equal(config->cache, "/var/lib/lpalias");
    assert_string_equal(config->key_file, "/etc/lpalias/keys");
    assert_true(config->cache_limit_bytes == 16ULL << 30);
    assert_string_equal(config->launchpad.api, "https://api.launchpad.net/1.0");
    assert_null(config->launchpad.credentials);
    assert_int_equal(config->launchpad.page_size, 300);
    assert_int_equal(config->launchpad.concurrency, 4);
    assert_int_equal(config->launchpad.retries, 4);
    assert_int_equal(config->launchpad.retry_delay_ms, 1000);
    assert_int_equal(config->launchpad.request_timeout_ms, 30000);
    assert_int_equal(config->launchpad.total_timeout_ms, 600000);
    assert_int_equal(config->launchpad.response_limit_bytes, 16 << 20);
    assert_int_equal(config->server.listener_count, 0);
    assert_string_equal(config->server.recipient_delimiter, "+");
    assert_false(config->server.allow_remote);
    assert_null(config->server.user);
    assert_int_equal(config->server.connection_limit, 1024);
    assert_int_equal(config->server.idle_limit_ms, 600000);
    assert_int_equal(config->server.stall_limit_ms, 10000);
    assert_int_equal(config->refresh.max_removals_percent, 10);
    assert_int_equal(config->refresh.max_additions_percent, 20);
    assert_int_equal(config->refresh.stale_after_ms, 6 * 3600000);
    assert_string_equal(config->notify.smtp, "smtp://127.0.0.1:25");
    assert_int_equal(config->notify.starttls, CONFIG_STARTTLS_MAY);
    assert_true(config->notify.null_sender);
    assert_null(config->notify.from);
    assert_int_equal(config->dns.servers.count, 0);
    assert_true(config->domains[0].grace_ms == INT64_C(30) * 86400000);
    assert_false(config->domains[0].rejects_in_grace);
    assert_int_equal(config->domains[0].admins.count, 0);
    config_destroy(config);
}

static void the_house_rules_are_taken(void **state)
{
    (void)state;
    struct config *config = read_good(
        "alerts = \"a@b.c\"\n"
        "refresh { max-removals = \"0%\" max-additions = \"1000%\" stale-after = 2h }\n"
        "notify { smtp = \"smtps://[::1]:465\" starttls = must user = u password-file = \"/p\"\n"
        "from = \"F@X.example\" null-sender = false templates = \"/t\" timeout = 5s }\n"
        "dns { servers = { \"127.0.0.1:5353\", \"[0::1]:53\" } trust-anchors = \"/k\" }\n"
        "domain x.org { team = t grace = 0ms during-grace = reject reserved = { a, b }\n"
        "admins = { jdoe } admin-team = board notices = { \"n@y.example\" } }\n"
        "domain y.org { team = t }\n");
    assert_int_equal(config->refresh.max_removals_percent, 0);
    assert_int_equal(config->refresh.max_additions_percent, 1000);
    assert_string_equal(config->notify.smtp, "smtps://[::1]:465");
    assert_int_equal(config->notify.starttls, CONFIG_STARTTLS_MUST);
    assert_string_equal(config->notify.from, "F@x.example");
    assert_false(config->notify.null_sender);
    assert_int_equal(config->dns.servers.count, 2);
    assert_string_equal(config->dns.servers.items[0], "127.0.0.1@5353");
    assert_string_equal(config->dns.servers.items[1], "::1@53");
    assert_int_equal(config->domains[0].grace_ms, 0);
    assert_true(config->domains[0].rejects_in_grace);
    assert_int_equal(config->domains[0].reserved.count, 2);
    assert_string_equal(config->domains[0].reserved.items[1], "b");
    assert_string_equal(config->domains[0].admins.items[0], "jdoe");
    assert_string_equal(config->domains[0].admin_team, "board");
    assert_string_equal(config->domains[0].notices.items[0], "n@y.example");
    assert_true(config->domains[1].grace_ms == INT64_C(30) * 86400000);
    config_destroy(config);
}

static void what_is_given_is_taken(void **state)
{
    (void)state;
    struct config *config =
        read_good("cache-limit = 64M\n" BASE "launchpad { api = 'http://[::1]:8085/beta'\n"
                  "page-size = 7 concurrency = 2 retries = 0 retry-delay = 5ms\n"
                  "request-timeout = 2s total-timeout = 1h response-limit = \"64k\" }\n"
                  "server { recipient-delimiter = \"\" allow-remote = true user = lpaliasd\n"
                  "connection-limit = 10 idle-limit = 5m stall-limit = 20s\n"
                  "socketmap = { \"inet:0.0.0.0:0\", \"inet:0.0.0.0:0\" }\n"
                  "socketmap += { \"inet:[0::0:1]:25\" }\n"
                  "tcp-table \"inet:[::]:10042\" { map = domain }\n"
                  "policy = { \"unix:/p\", \"inet:127.0.0.1:0\" }\nmetrics = \"unix:/m\"\n"
                  "tcp-table \"inet:127.9.9.9:10042\" { map = access } }\n");
    assert_true(config->cache_limit_bytes == 64 << 20);
    assert_string_equal(config->launchpad.api, "http://[::1]:8085/beta");
    assert_int_equal(config->launchpad.page_size, 7);
    assert_int_equal(config->launchpad.concurrency, 2);
    assert_int_equal(config->launchpad.retries, 0);
    assert_int_equal(config->launchpad.retry_delay_ms, 5);
    assert_int_equal(config->launchpad.request_timeout_ms, 2000);
    assert_int_equal(config->launchpad.total_timeout_ms, 3600000);
    assert_int_equal(config->launchpad.response_limit_bytes, 65536);
    assert_string_equal(config->server.recipient_delimiter, "");
    assert_true(config->server.allow_remote);
    assert_string_equal(config->server.user, "lpaliasd");
    assert_int_equal(config->server.connection_limit, 10);
    assert_int_equal(config->server.idle_limit_ms, 300000);
    assert_int_equal(config->server.stall_limit_ms, 20000);
    const struct config_listener *listeners = config->server.listeners;
    static const enum config_protocol protocols[] = {
        CONFIG_TCP_TABLE, CONFIG_TCP_TABLE, CONFIG_SOCKETMAP, CONFIG_SOCKETMAP,
        CONFIG_SOCKETMAP, CONFIG_POLICY,    CONFIG_POLICY};
    assert_int_equal(config->server.listener_count, ARRAY_LENGTH(protocols));
    for (size_t i = 0; i < ARRAY_LENGTH(protocols); i++)
        assert_int_equal(listeners[i].protocol, protocols[i]);
    assert_string_equal(listeners[0].map, "domain");
    assert_string_equal(listeners[1].map, "access");
    assert_string_equal(listeners[4].inet_address, "::1");
    assert_string_equal(listeners[5].unix_path, "/p");
    assert_string_equal(config->server.metrics.unix_path, "/m");
    config_destroy(config);
}

/* Each wanted line is "FILE:" + what is written here. */
static const struct {
    const char *name, *text, *wanted;
} refusals[] = {
    {"empty file", "",
     "1: the file has no alerts; add alerts = \"...\"\n"
     "1: no domain is given; add domain \"example.org\" { team = \"...\" }\n"},
    {"no domain", "alerts = \"a@example.net\"",
     "1: no domain is given; add domain \"example.org\" { team = \"...\" }\n"},
    {"misspelt key", BASE "cahce = \"/x\"\n",
     "3: unknown key \"cahce\"; did you mean \"cache\"?\n"},
    {"misspelt keys, all told, and values with them",
     BASE "cahce = \"/x\"\nlaunchpad {\n  retires = 3\n  retries = x\n}\nkeyfile = /x\n",
     "3: unknown key \"cahce\"; did you mean \"cache\"?\n"
     "5: unknown key \"retires\" in section launchpad; did you mean \"retries\"?\n"
     "6: retries \"x\" is not a number; give a number from 0 to 20\n"
     "8: unknown key \"keyfile\"; did you mean \"key-file\"?\n"},
    {"key in another section", BASE "server {\n\nteam = \"x\" }\n",
     "5: unknown key \"team\" in section server; it belongs in section domain\n"},
    {"top key in a section", BASE "server { cache = \"/x\" }\n",
     "3: unknown key \"cache\" in section server; it belongs outside all sections\n"},
    {"unknown key without a likeness", BASE "domain x.org { wibble = 1\nteam = t }\n",
     "3: unknown key \"wibble\" in section domain; known here: team, proof, catch-all, "
     "grace, during-grace, reserved, admins, admin-team, notices, role { }\n"},
    {"a user without a password", BASE "notify { user = u }\n",
     "3: section notify has user and no password-file; give both or none\n"},
    {"key of a later release", BASE "server { metering = \"inet:127.0.0.1:1\" }\n",
     "3: unknown key \"metering\" in section server; known here: socketmap, policy, metrics, "
     "recipient-delimiter, "
     "allow-remote, user, sandbox, connection-limit, idle-limit, stall-limit, "
     "log-level, log-addresses, tcp-table { }\n"},
    {"unknown list", BASE "\nsokketmap = { a }\n",
     "4: unknown key \"sokketmap\"; known here: cache, key-file, alerts, cache-limit, "
     "launchpad { }, refresh { }, "
     "notify { }, dns { }, server { }, portal { }, domain { }\n"},
    {"unknown section", BASE "\nsevrer { }\n",
     "4: unknown section \"sevrer\"; did you mean \"server\"?\n"},
    {"unknown section with a title", BASE "mysql \"x\" { }\n",
     "3: unknown section \"mysql\"; known here: cache, key-file, alerts, cache-limit, "
     "launchpad { }, refresh { }, "
     "notify { }, dns { }, server { }, portal { }, domain { }\n"},
    {"include is not offered", BASE "include(\"/etc/passwd\")\n",
     "3: \"(\" may not stand outside a string; put the value in double quotes\n"
     "3: \")\" may not stand outside a string; put the value in double quotes\n"},
    {"list for a single value", BASE "cache = { \"/x\" }\n",
     "3: unexpected token '{'; write name = \"value\", or name = { \"a\", \"b\" } for a list\n"},
    {"value for a section", BASE "server = \"x\"\n",
     "3: missing opening brace for section 'server'; write section { ... }, with a title in "
     "quotes for tcp-table, domain and role only\n"},
    {"section for a value", BASE "cache { }\n",
     "3: missing equal sign after option 'cache'; write name = \"value\"\n"},
    {"title missing", BASE "domain { team = x }\n",
     "3: missing title for section 'domain'; write its title in quotes before the {\n"},
    {"append to a single value", BASE "cache += \"/x\"\n",
     "3: attempt to append to non-list option 'cache'; write = in place of +=\n"},
    {"end in a statement", BASE "cache =", "3: premature end of file; complete the last line\n"},
    {"value without unit", BASE "launchpad { request-timeout = 10\n total-timeout = 5 }\n",
     "3: request-timeout \"10\" has no unit; write 10s or 10m\n"
     "4: total-timeout \"5\" has no unit; write 5s or 5m\n"},
    {"size without unit", BASE "cache-limit = 64\n",
     "3: cache-limit \"64\" has no unit; write 64k or 64M\n"},
    {"out of limits",
     BASE "launchpad {\npage-size = 301\nretry-delay = 11m\nresponse-limit = 1T\nretries = 21 }\n",
     "4: page-size \"301\" is out of its limits; give a number from 1 to 300\n"
     "5: retry-delay \"11m\" is out of its limits; give a duration from 1ms to 10m\n"
     "6: response-limit \"1T\" is out of its limits; give a size from 64k to 1G\n"
     "7: retries \"21\" is out of its limits; give a number from 0 to 20\n"},
    {"duplicate domain",
     BASE "\ndomain \"Example.ORG\" {\n team = \"x\" }\ndomain 'example.org' "
          "{ team = y }\n",
     "4: domain \"Example.ORG\" is given twice, first in line 2; keep one\n"
     "6: domain \"example.org\" is given twice, first in line 2; keep one\n"},
    {"domain without team", BASE "# one\n# two\n/* a\n b */ domain \"x.org\"\n{\nproof = p }\n",
     "7: domain \"x.org\" has no team; add team = \"...\"\n"},
    {"domain names",
     BASE "domain \"localhost\" { team = t }\ndomain \"b\xc3\xbc"
          "cher.de\" { team = t }\ndomain \"a..b\" { team = t }\ndomain \"-a.b\" { team = t }\n"
          "domain \"\" { team = t }\ndomain \"a_b.c\" { team = t }\n",
     "3: domain \"localhost\" is not a domain name; write it as example.org\n"
     "4: domain \"b\xc3\xbc"
     "cher.de\" is not ASCII; write its A-label form (xn--...)\n"
     "5: domain \"a..b\" is not a domain name; write it as example.org\n"
     "6: domain \"-a.b\" is not a domain name; write it as example.org\n"
     "7: domain \"\" is empty; give a value or remove it\n"
     "8: domain \"a_b.c\" is not a domain name; write it as example.org\n"},
    {"team names",
     BASE "domain \"a.b\" { team = \"~t\" }\ndomain \"b.b\" { team = \"T\" }\n"
          "domain \"c.b\" { team = \"-t\" }\ndomain \"d.b\" { team = \"t/x\" }\n",
     "3: team \"~t\" is not a team name; write it without \"~\"\n"
     "4: team \"T\" is not a team name; those have lower-case letters, digits, \"+\", \".\" and "
     "\"-\", and begin with a letter or digit\n"
     "5: team \"-t\" is not a team name; those have lower-case letters, digits, \"+\", \".\" and "
     "\"-\", and begin with a letter or digit\n"
     "6: team \"t/x\" is not a team name; those have lower-case letters, digits, \"+\", \".\" and "
     "\"-\", and begin with a letter or digit\n"},
    {"duplicate listeners, however written",
     BASE "server { socketmap = { \"unix:/a\",\n\"inet:[::1]:1\",\n\"unix:/a\",\n"
          "\"inet:[0:0::1]:1\" }\ntcp-table \"inet:[::1]:2\" { map = alias }\n"
          "tcp-table \"inet:[0::1]:2\" { map = domain }\npolicy = { \"unix:/a\" } }\n",
     "5: listener \"unix:/a\" is given twice, first in line 3; keep one\n"
     "6: listener \"inet:[0:0::1]:1\" is given twice, first in line 4; keep one\n"
     "8: listener \"inet:[0::1]:2\" is given twice, first in line 7; keep one\n"
     "9: listener \"unix:/a\" is given twice, first in line 3; keep one\n"},
    {"metrics on a listener of lookups, and where others can reach it",
     BASE "server { socketmap = { \"unix:/a\",\n\"inet:127.0.0.1:1\" }\nmetrics = "
          "\"inet:127.0.0.1:1\" }\n",
     "5: metrics \"inet:127.0.0.1:1\" is the listener of line 4; give it one of its own\n"},
    {"metrics that others can reach", BASE "server {\nmetrics = \"inet:0.0.0.0:1\" }\n",
     "4: listener \"inet:0.0.0.0:1\" can be reached from other hosts; use a unix socket or a "
     "loopback address, or set allow-remote = true\n"},
    {"metrics that are no listener", BASE "server {\nmetrics = \"/run/metrics\"\n}\n",
     "4: metrics \"/run/metrics\" is not a listener; write unix:/path or inet:127.0.0.1:10041\n"},
    {"listeners that are none",
     BASE "server { socketmap = {\n\"unix:a\",\n\"unix:/a/\",\n\"tcp:127.0.0.1:1\",\n"
          "\"inet:127.0.0.1\",\n\"inet:127.0.0.1:65536\",\n\"inet:localhost:1\",\n"
          "\"inet:::1:1\",\n\"inet::1\",\n\"inet:[127.0.0.1]:1\",\n\"/a\",\n\"\" } }\n",
     "4: socketmap \"unix:a\" has a relative path; begin it with \"/\": unix:/path\n"
     "5: socketmap \"unix:/a/\" names a directory; add the name of the socket\n"
     "6: socketmap \"tcp:127.0.0.1:1\" is not a listener; write unix:/path or "
     "inet:127.0.0.1:10041\n"
     "7: socketmap \"inet:127.0.0.1\" has no port from 0 to 65535; write inet:127.0.0.1:10041\n"
     "8: socketmap \"inet:127.0.0.1:65536\" has no port from 0 to 65535; write "
     "inet:127.0.0.1:10041\n"
     "9: socketmap \"inet:localhost:1\" has no numeric address; write inet:127.0.0.1:10041 or "
     "inet:[::1]:10041\n"
     "10: socketmap \"inet:::1:1\" has an IPv6 address without brackets; write "
     "inet:[::1]:10041\n"
     "11: socketmap \"inet::1\" has no numeric address; write inet:127.0.0.1:10041 or "
     "inet:[::1]:10041\n"
     "12: socketmap \"inet:[127.0.0.1]:1\" has no numeric address; write inet:127.0.0.1:10041 or "
     "inet:[::1]:10041\n"
     "13: socketmap \"/a\" is not a listener; write unix:/path or inet:127.0.0.1:10041\n"
     "14: socketmap \"\" is empty; give a value or remove it\n"},
    {"listeners that others can reach",
     BASE "server { socketmap = { \"inet:0.0.0.0:1\",\n\"inet:[::]:1\", \"inet:10.0.0.1:1\",\n"
          "\"inet:127.8.8.8:1\", \"inet:[::1]:1\", \"inet:[::ffff:127.0.0.1]:1\" } }\n",
     "3: listener \"inet:0.0.0.0:1\" can be reached from other hosts; use a unix socket or a "
     "loopback address, or set allow-remote = true\n"
     "4: listener \"inet:[::]:1\" can be reached from other hosts; use a unix socket or a "
     "loopback address, or set allow-remote = true\n"
     "4: listener \"inet:10.0.0.1:1\" can be reached from other hosts; use a unix socket or a "
     "loopback address, or set allow-remote = true\n"},
    {"a portal that others can reach",
     BASE "portal { url = \"https://a.b\"\nlisten = \"inet:10.0.0.1:1\" }\n",
     "4: listen can be reached from other hosts; name the proxy's address in trusted-proxy, or "
     "listen on 127.0.0.1 or a unix socket\n"},
    {"a portal without what it needs", BASE "portal { }\n",
     "3: section portal has no listen; add listen = \"...\"\n"
     "3: section portal has no url; add url = \"...\"\n"},
    {"sites that are none",
     BASE "portal { listen = \"unix:/a\" url = \"https://A.b\"\nopenid-endpoint = "
          "\"https://a:0/x\"\nopenid-identifiers = \"https://a/x?y\"\nlaunchpad-web = "
          "\"https://u@a\"\ntrusted-proxy = { \"1.2.3\" } }\n",
     "3: url \"https://A.b\" has no host in lower case, with a port or none; write it as "
     "https://example.org\n"
     "4: openid-endpoint \"https://a:0/x\" has no host in lower case, with a port or none; write "
     "it as https://example.org\n"
     "5: openid-identifiers \"https://a/x?y\" has no plain path; write it as "
     "https://example.org/path\n"
     "6: launchpad-web \"https://u@a\" has no host in lower case, with a port or none; write it "
     "as https://example.org\n"
     "7: trusted-proxy \"1.2.3\" is not a numeric address; write it as 192.0.2.1 or "
     "2001:db8::1\n"},
    {"http that leaves this host",
     BASE "portal { listen = \"unix:/a\" url = \"http://127.evil.example\"\n}\n",
     "3: url \"http://127.evil.example\" is not encrypted; write https://, as http:// is for this "
     "host only\n"},
    {"tcp tables",
     BASE "server { tcp-table \"inet:127.0.0.1:1\" { }\ntcp-table \"inet:127.0.0.1:2\" "
          "{ map = virtual }\ntcp-table \"unix:/a\" { map = alias } }\n",
     "3: tcp-table \"inet:127.0.0.1:1\" has no map; add map = \"...\"\n"
     "4: map \"virtual\" is not a map; write alias, domain, recipient, sender or access\n"
     "5: tcp-table \"unix:/a\" is a unix socket, which Postfix's tcp_table cannot ask; write "
     "inet:127.0.0.1:10042, or use socketmap\n"},
    {"keys given twice",
     BASE "alerts = \"x@example.net\"\nserver { user = a\nuser = b\nsocketmap = { \"unix:/a\" }\n"
          "socketmap = { \"unix:/b\" } }\n",
     "3: alerts is given twice, first in line 1; keep one\n"
     "5: user is given twice, first in line 4; keep one\n"
     "7: socketmap is given twice, first in line 6; keep one\n"},
    {"section given twice", BASE "server { }\n\nserver { }\n",
     "5: section server is given twice, first in line 3; keep one\n"},
    {"environment", BASE "cache = \"${HOME}/x\" # ${\n# ${X}\n",
     "3: \"${\" is refused, as nothing is taken from the environment; write the value itself\n"
     "3: \"${\" is refused, as nothing is taken from the environment; write the value itself\n"
     "4: \"${\" is refused, as nothing is taken from the environment; write the value itself\n"},
    {"alerts in a domain of ours",
     "domain \"Example.org\" { team = t }\nalerts = \"a@EXAMPLE.org\"\n",
     "2: alerts lies in our own domain \"example.org\"; give an address elsewhere\n"},
    {"addresses are never shown",
     BASE "domain x.org { team = t\ncatch-all = \"a\" }\ndomain y.org { team = t\n"
          "catch-all = \"@b.c\" }\ndomain z.org { team = t catch-all = \"a b@c.d\" }\n"
          "domain w.org { team = t catch-all = \"a@b c\" }\n"
          "domain v.org { team = t catch-all = \"a@\xc3\xbc.de\" }\n"
          "domain u.org { team = t catch-all = \"\" }\n"
          "domain t.org { team = t catch-all = \"a@b.c\x01\" }\n",
     "4: catch-all is not a mail address; write it as name@example.org\n"
     "6: catch-all is not a mail address; write it as name@example.org\n"
     "7: catch-all holds a character that no plain address has; write it as "
     "name@example.org\n"
     "8: catch-all has no domain name behind its \"@\"; write it as name@example.org\n"
     "9: catch-all has a domain that is not ASCII; write its A-label form "
     "(xn--...)\n"
     "10: catch-all is empty; give a value or remove it\n"
     "11: catch-all is not text; remove what is neither printable nor UTF-8\n"},
    {"addresses, none of RFC 5321",
     BASE "domain x.org { team = t role abuse { targets = {\n\"jane@@home\",\n\"x@@y.example\",\n"
          "\"x@y@z.example\",\n\".jane@x.example\",\n\"jane.@x.example\",\n\"j..d@x.example\",\n"
          "\"j\xc3\xa4ne@x.example\",\n\"root@localhost\",\n\"root@x.example.\",\n"
          "'\"a b\"@x.example',\n\"jane@\" } } }\n",
     "4: targets has more than one \"@\"; write it as name@example.org\n"
     "5: targets has more than one \"@\"; write it as name@example.org\n"
     "6: targets has more than one \"@\"; write it as name@example.org\n"
     "7: targets has a dot at an end of its name or two in a row; write it as "
     "first.last@example.org\n"
     "8: targets has a dot at an end of its name or two in a row; write it as "
     "first.last@example.org\n"
     "9: targets has a dot at an end of its name or two in a row; write it as "
     "first.last@example.org\n"
     "10: targets holds a character that no plain address has; write it as name@example.org\n"
     "11: targets has no domain name behind its \"@\"; write it as name@example.org\n"
     "12: targets has no domain name behind its \"@\"; write it as name@example.org\n"
     "13: targets holds a character that no plain address has; write it as name@example.org\n"
     "14: targets is not a mail address; write it as name@example.org\n"},
    {"alerts", "alerts = root@localhost\ndomain x.org { team = t }\n",
     "1: alerts has no domain name behind its \"@\"; write it as name@example.org\n"},
    {"an address where a key stands", BASE "domain x.org { team = t\ncatch-all = a@b.c d@e.f\n}\n",
     "4: unknown key with an \"@\" in it in section domain; known here: team, proof, catch-all, "
     "grace, during-grace, reserved, admins, admin-team, notices, role { }\n"
     "5: missing equal sign after option with an \"@\" in it; write name = \"value\"\n"},
    {"an address where a mark stands",
     BASE "domain x.org { team = t role abuse { targets = { \"a@b.c\"\n\"d@e.f\" } } }\n",
     "4: unexpected token with an \"@\" in it; write name = \"value\", or name = { \"a\", \"b\" } "
     "for a list\n"},
    {"roles",
     "alerts = \"a@example.net\"\ndomain \"x.org\" { team = t\nrole \"Abuse\" { targets = "
     "\"a@b.c\" }\nrole \"a..b\" { targets = { \"a@b.c\" } }\nrole \"abuse\" { }\n"
     "role \"abuse\" { targets = { \"a@b.c\",\n\"b\" } } }\n",
     "3: role \"Abuse\" is not in lower case; write it so\n"
     "4: role \"a..b\" cannot stand before an \"@\"; write a name such as postmaster\n"
     "5: role \"abuse\" has no targets; add targets = { \"...\" }\n"
     "6: role \"abuse\" is given twice, first in line 5; keep one\n"
     "7: targets is not a mail address; write it as name@example.org\n"},
    {"urls",
     BASE "launchpad { api = \"ftp://x/1.0\" }\nlaunchpad { api = \"https://x/\" }\n"
          "launchpad { api = \"https:///1.0\" }\nlaunchpad { api = \"https://x/1.0?y\" }\n"
          "launchpad { api = \"https://u@x/1.0\" }\nlaunchpad { api = \"https://1.0\" }\n",
     "3: api \"ftp://x/1.0\" does not begin with https:// or http://; write it as "
     "https://api.launchpad.net/1.0\n"
     "4: section launchpad is given twice, first in line 3; keep one\n"
     "4: api \"https://x/\" does not end in a version; write it as "
     "https://api.launchpad.net/1.0\n"
     "5: section launchpad is given twice, first in line 3; keep one\n"
     "5: api \"https:///1.0\" is not a plain URL (host and path, nothing else); write it as "
     "https://api.launchpad.net/1.0\n"
     "6: section launchpad is given twice, first in line 3; keep one\n"
     "6: api \"https://x/1.0?y\" is not a plain URL (host and path, nothing else); write it as "
     "https://api.launchpad.net/1.0\n"
     "7: section launchpad is given twice, first in line 3; keep one\n"
     "7: api \"https://u@x/1.0\" is not a plain URL (host and path, nothing else); write it as "
     "https://api.launchpad.net/1.0\n"
     "8: section launchpad is given twice, first in line 3; keep one\n"
     "8: api \"https://1.0\" does not end in a version; write it as "
     "https://api.launchpad.net/1.0\n"},
    {"string without end", BASE "cache = \"/x\nuser\n",
     "3: a string is not closed in its line; end it with \"\n"},
    {"section without end", BASE "server {\n  user = x\n",
     "3: the \"{\" of this line is not closed; end it with }\n"},
    {"brace too many", BASE "server { } }\n", "3: \"}\" closes nothing; remove it\n"},
    {"comment without end", BASE "\n/* server {\n",
     "4: the comment that begins here is not "
     "closed; end it with */\n"},
    {"values before a section without end",
     BASE "server { idle-limit = \"5\" }\n\ndomain x.org { team = \"~t\" }\n\n"
          "domain y.org {\n  team = \"~t\"\n",
     "3: idle-limit \"5\" has no unit; write 5s or 5m\n"
     "5: team \"~t\" is not a team name; write it without \"~\"\n"
     "7: the \"{\" of this line is not closed; end it with }\n"},
    {"values before a string without end",
     BASE "server {\nidle-limit = \"5\"\nwibble = 3\nsocketmap = { \"a\",\n\"unix:/x }\n",
     "4: idle-limit \"5\" has no unit; write 5s or 5m\n"
     "5: unknown key \"wibble\" in section server; known here: socketmap, policy, metrics, "
     "recipient-delimiter, "
     "allow-remote, user, sandbox, connection-limit, idle-limit, stall-limit, "
     "log-level, log-addresses, tcp-table { }\n"
     "6: socketmap \"a\" is not a listener; write unix:/path or inet:127.0.0.1:10041\n"
     "7: a string is not closed in its line; end it with \"\n"},
    {"a statement that the cut would end", BASE "idle-limit = 5s\ncache =\n\"/x\n",
     "3: unknown key \"idle-limit\"; it belongs in section server\n"
     "5: a string is not closed in its line; end it with \"\n"},
    {"grammar before a section without end", BASE "cache { }\ncache-limit = 1\nserver {\n",
     "3: missing equal sign after option 'cache'; write name = \"value\"\n"
     "5: the \"{\" of this line is not closed; end it with }\n"},
    {"what may stand behind the cut is not missed",
     "server { socketmap = \"inet:0.0.0.0:1\"\nallow-remote = \"${X}\" }\n" BASE,
     "2: \"${\" is refused, as nothing is taken from the environment; write the value itself\n"},
    {"braces too deep", BASE "{{{{{{{{{}}}}}}}}}\n",
     "3: braces are nested too deeply; close some before\n"},
    {"escapes", BASE "cache = \"/\\x00\\n\\\\\"\n",
     "3: a string holds an unknown escape; only \\\" and \\\\ are known\n"
     "3: a string holds an unknown escape; only \\\" and \\\\ are known\n"},
    {"marks that libConfuse would drop", BASE "server { recipient-delimiter = +- }\n",
     "3: \"+\" may not stand outside a string; put the value in double quotes\n"},
    {"key in quotes", BASE "\"\" = \"x\"\n",
     "3: a key in quotes is not known; write keys without quotes\n"},
    {"key by a path", BASE "domain=example.org|team = x\n",
     "3: missing title for section 'domain'; write its title in quotes before the {\n"},
    {"key by a path, quoted", BASE "\"domain=example.org|role\" y { targets = \"a@b.c\" }\n",
     "3: \"role\" is named by a path; write it inside its own section\n"},
    {"delimiters", BASE "server { recipient-delimiter = \"+a\" }\n",
     "3: recipient-delimiter \"+a\" holds what cannot delimit an extension; use marks such as "
     "\"+\"\n"},
    {"bytes that would forge a line", BASE "cache = \"/x\ry\x01\"\n\x1b[2J = \"\xff\"\n",
     "3: cache \"/x\\x0dy\\x01\" is not text; remove what is neither printable nor UTF-8\n"
     "4: unknown key \"\\x1b[2J\"; known here: cache, key-file, alerts, cache-limit, "
     "launchpad { }, refresh { }, "
     "notify { }, dns { }, server { }, portal { }, domain { }\n"},
    {"bytes in libConfuse's own words", BASE "cache \x01\n",
     "3: missing equal sign after option 'cache'; write name = \"value\"\n"},
};

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
        struct buffer wanted = {0};
        for (const char *line = refusals[i].wanted; *line != '\0';) {
            size_t length = (size_t)(strchr(line, '\n') + 1 - line);
            buffer_appendf(&wanted, "FILE:%.*s", (int)length, line);
            line += length;
        }
        char *problems = problems_of(refusals[i].text);
        if (strcmp(problems, buffer_text(&wanted)) != 0)
            fail_msg("%s: got\n%swanted\n%s", refusals[i].name, problems, buffer_text(&wanted));
        free(problems);
        buffer_finish(&wanted);
    }
}

static void a_socket_path_has_a_limit(void **state)
{
    (void)state;
    for (int length = 107; length <= 108; length++) {
        char text[512];
        snprintf(text, sizeof(text), BASE "server { socketmap = \"unix:/%0*d\" }\n", length - 1, 0);
        char *problems = problems_of(text);
        if (length == 107)
            assert_string_equal(problems, "");
        else
            assert_non_null(strstr(problems, "has a path of 108 bytes; a socket's path can have "
                                             "107\n"));
        free(problems);
    }
}

static void a_long_value_is_cut_in_the_message(void **state)
{
    (void)state;
    char text[8192];
    snprintf(text, sizeof(text), BASE "cache = \"%04000d\"\n", 0);
    char *problems = problems_of(text);
    assert_true(strlen(problems) < 200);
    assert_non_null(strstr(problems, "000...\" is not an absolute path"));
    free(problems);
}

/* What a cut file still says must be what the whole file says. */
static void assert_part_of(const struct config *part, const struct config *whole)
{
    assert_string_equal(part->alerts, whole->alerts);
    assert_true(part->domain_count > 0);
    for (size_t i = 0; i < part->domain_count; i++) {
        const struct config_domain *domain = config_find_domain(whole, part->domains[i].name);
        assert_non_null(domain);
        assert_string_equal(part->domains[i].team, domain->team);
        assert_int_equal(part->domains[i].role_count, domain->role_count);
    }
}

static void a_cut_file_never_means_something_else(void **state)
{
    (void)state;
    struct config *whole = read_good(example);
    size_t good = 0;
    for (size_t length = 0; length < strlen(example); length++) {
        struct config *part = NULL;
        struct config_problems problems = {0};
        if (read_bytes(example, length, &part, &problems)) {
            assert_part_of(part, whole);
            good++;
        } else {
            assert_true(problems.count > 0);
            assert_null(part);
        }
        config_problems_finish(&problems);
        config_destroy(part);
    }
    assert_true(good > 0);
    config_destroy(whole);
}

static void a_damaged_file_does_no_harm(void **state)
{
    (void)state;
    static const char damage[] = "\"'{}=,#+|\\\n\x01\xff$/*";
    char text[sizeof(example)];
    for (size_t at = 0; at < strlen(example); at++)
        for (size_t i = 0; i < strlen(damage); i++) {
            memcpy(text, example, sizeof(text));
            text[at] = damage[i];
            free(problems_of(text));
        }
    /* Nothing of the damage stays behind in libConfuse's scanner. */
    config_destroy(read_good(example));
}

static void a_file_that_cannot_be_read_is_no_wrong_file(void **state)
{
    (void)state;
    struct config *config = NULL;
    struct config_problems problems = {0};
    assert_false(config_read("/nonexistent/lpalias\n.conf", &config, &problems));
    assert_true(problems.unreadable);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.lines[0], "cannot open /nonexistent/lpalias\\x0a.conf: No such "
                                           "file or directory");
    config_problems_finish(&problems);
    assert_int_equal(problems.count, 0);

    assert_false(config_read("/", &config, &problems));
    assert_true(problems.unreadable);
    assert_string_equal(problems.lines[0], "cannot read /: Is a directory");
    config_problems_finish(&problems);

    assert_false(read_bytes(BASE "\0", sizeof(BASE), &config, &problems));
    assert_false(problems.unreadable);
    assert_string_equal(problems.lines[0], "FILE holds a NUL byte, so it is not text");
    config_problems_finish(&problems);
    assert_null(config);
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    struct config_problems none = {0};
    config_problems_finish(&none);
    config_problems_finish(NULL);
    config_destroy(NULL);
}

static void a_portal_is_read(void **state)
{
    (void)state;
    struct config *config =
        read_good(BASE "portal { listen = \"inet:10.0.0.1:80\" url = \"https://a.example:8443/\" "
                       "trusted-proxy = { 10.0.0.2, \"2001:DB8:0::1\" } session-idle = 10m\n"
                       "admins = { jdoe } admin-team = admins }\n");
    const struct config_portal *portal = &config->portal;
    assert_string_equal(portal->listen.inet_address, "10.0.0.1");
    assert_string_equal(portal->url, "https://a.example:8443");
    assert_string_equal(portal->trusted_proxies.items[1], "2001:db8::1");
    assert_string_equal(portal->openid_endpoint, "https://login.ubuntu.com/+openid");
    assert_string_equal(portal->openid_identifiers, "https://login.ubuntu.com/+id/");
    assert_string_equal(portal->launchpad_web, "https://launchpad.net");
    assert_string_equal(portal->admins.items[0], "jdoe");
    assert_string_equal(portal->admin_team, "admins");
    assert_int_equal(portal->session_idle_ms, 600000);
    assert_int_equal(portal->session_limit_ms, 12 * 3600000);
    config_destroy(config);
}

static void http_is_for_this_host(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://localhost:8080/", "http://127.0.0.1",
                                       "http://[::1]:1/"};
    for (size_t i = 0; i < ARRAY_LENGTH(urls); i++) {
        char text[300];
        snprintf(text, sizeof(text), BASE "portal { listen = \"unix:/a\" url = \"%s\" }\n",
                 urls[i]);
        config_destroy(read_good(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_portal_is_read),
        cmocka_unit_test(http_is_for_this_host),
        cmocka_unit_test(the_example_is_read),
        cmocka_unit_test(what_is_left_out_has_its_default),
        cmocka_unit_test(what_is_given_is_taken),
        cmocka_unit_test(the_house_rules_are_taken),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_socket_path_has_a_limit),
        cmocka_unit_test(a_long_value_is_cut_in_the_message),
        cmocka_unit_test(a_cut_file_never_means_something_else),
        cmocka_unit_test(a_damaged_file_does_no_harm),
        cmocka_unit_test(a_file_that_cannot_be_read_is_no_wrong_file),
        cmocka_unit_test(nothing_can_be_freed),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
