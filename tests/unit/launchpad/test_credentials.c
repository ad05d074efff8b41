/* credentials: launchpadlib's file, who may read it, the header, and where it may be sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"
#include "launchpad/credentials.h"

#define API "https://api.launchpad.net/1.0"
/* As Python's ConfigParser writes it. */
#define WHOLE                                          \
    "[1]\nconsumer_key = System-wide: Debian (host)\n" \
    "consumer_secret = \naccess_token = T0ken\naccess_secret = S3cret\n\n"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    strcpy(path, "/tmp/lpalias-credentials-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_return_code(fclose(file), 0);
    assert_return_code(chmod(path, mode), 0);
}

static char *header_of(const char *text, int64_t now_s)
{
    struct credentials *credentials;
    struct error error = {0};
    struct buffer header = {0};
    write_file(text, 0600);
    if (!credentials_read(path, &credentials, &error))
        fail_msg("%s", error.text);
    credentials_append_header(credentials, API, now_s, &header);
    credentials_destroy(credentials);
    buffer_text(&header);
    return header.data;
}

static void the_header_is_that_of_plaintext(void **state)
{
    (void)state;
    static const char before[] =
        "OAuth realm=\"https://api.launchpad.net/\", "
        "oauth_consumer_key=\"System-wide%3A%20Debian%20%28host%29\", oauth_token=\"T0ken\", "
        "oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"%26S3cret\", "
        "oauth_timestamp=\"1700000000\", oauth_nonce=\"";
    static const char after[] = "\", oauth_version=\"1.0\"";
    char *header = header_of(WHOLE, 1700000000);
    char *again = header_of(WHOLE, 1700000000);
    assert_memory_equal(header, before, strlen(before));
    const char *nonce = header + strlen(before);
    size_t length = strspn(nonce, "0123456789abcdef");
    assert_int_equal(length, 32);
    assert_string_equal(nonce + length, after);
    assert_string_not_equal(header, again);
    free(header);
    free(again);
}

static void values_are_read_as_python_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted; /* what the header then holds */
    } cases[] = {
        {"[1]\nconsumer_key=k\nconsumer_secret=\naccess_token=t\naccess_secret=s",
         "oauth_signature=\"%26s\""},
        {"# written by hand\r\n[other]\naccess_secret = wrong\n  stray\n\n[1]\r\n; more\n"
         "Consumer_Key: k\r\nCONSUMER_SECRET: c\nextra = 1\naccess_token: t:=t\naccess_secret=s\n",
         "oauth_token=\"t%3A%3Dt\", oauth_signature_method=\"PLAINTEXT\", "
         "oauth_signature=\"c%26s\""},
        {"[1]\nconsumer_key = k\nconsumer_secret = \naccess_token = 50%%\naccess_secret = %%+ %%\n",
         "oauth_token=\"50%25\", oauth_signature_method=\"PLAINTEXT\", "
         "oauth_signature=\"%26%2525%252B%2520%2525\""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *header = header_of(cases[i].text, 1);
        if (strstr(header, cases[i].wanted) == NULL)
            fail_msg("%s lacks %s", header, cases[i].wanted);
        free(header);
    }
}

static void other_files_are_refused_without_a_word_of_theirs(void **state)
{
    (void)state;
    static const char three[] = "[1]\nconsumer_key = k\nconsumer_secret =\naccess_token = SECRET\n";
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no section [1]"},
        {"[2]\nconsumer_key = k\n", "no section [1]"},
        {"access_secret = SECRET\n", "no section [1]"},
        {three, "lacks access_secret"},
        {"[1]\naccess_secret = SECRET\n", "lacks consumer_key"},
        {"[1]\nconsumer_key =\nconsumer_secret =\naccess_token = t\naccess_secret = SECRET\n",
         "consumer_key is empty"},
        {"[1]\nconsumer_key = k\nconsumer_secret =\naccess_token =\naccess_secret = SECRET\n",
         "access_token is empty"},
        {"[1]\naccess_secret = a%SECRET\n", ":2: a percent sign is written as %%"},
        {"[1]\naccess_secret = %(SECRET)s\n", ":2: a percent sign"},
        {"[1]\naccess_secret = SECRET%\n", ":2: a percent sign"},
        {"[1]\naccess_secret = SECRET\naccess_secret = SECRET\n", ":3: the key stands there twice"},
        {"[1]\nSECRET\n", ":2: not of the form KEY = VALUE"},
        {"[1]\n= SECRET\n", ":2: not of the form"},
        {"[1]\naccess_secret = a\n  SECRET\n", ":3: not of the form"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct credentials *credentials;
        struct error error = {0};
        write_file(cases[i].text, 0600);
        if (credentials_read(path, &credentials, &error))
            fail_msg("accepted: %s", cases[i].text);
        assert_error(error, ERROR_INVALID, cases[i].words);
        assert_null(strstr(error.text, "SECRET"));
    }
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    struct credentials *credentials;
    struct error error = {0};
    char text[10000];
    memset(text, '#', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    write_file(text, 0600);
    assert_false(credentials_read(path, &credentials, &error));
    assert_error(error, ERROR_INVALID, "larger than 8192 bytes");
}

static void only_the_owner_may_use_the_file(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool wanted;
    } cases[] = {
        {0600, true},  {0400, true},  {0640, false}, {0604, false},
        {0620, false}, {0602, false}, {0610, false}, {0644, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct credentials *credentials = NULL;
        struct error error = {0};
        write_file(WHOLE, cases[i].mode);
        assert_int_equal(credentials_read(path, &credentials, &error), cases[i].wanted);
        if (!cases[i].wanted)
            assert_error(error, ERROR_INVALID, "chmod 0600 ");
        credentials_destroy(credentials);
        assert_return_code(chmod(path, 0600), 0);
    }
}

static void what_cannot_be_read_is_temporary(void **state)
{
    (void)state;
    struct credentials *credentials;
    struct error error = {0};
    assert_false(credentials_read("/tmp/lpalias-no-such-file", &credentials, &error));
    assert_error(error, ERROR_TEMPORARY, "cannot open credentials file /tmp/lpalias-no-such-file");
    assert_false(credentials_read("/dev/null", &credentials, &error));
    assert_error(error, ERROR_INVALID, "not a regular file");
}

static void they_are_sent_where_nobody_listens(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool wanted;
    } cases[] = {
        {API, true},
        {"HTTPS://api.launchpad.net/1.0", true},
        {"http://127.0.0.1:8080/1.0", true},
        {"http://127.1.2.3/1.0", true},
        {"http://[::1]:8080/1.0", true},
        {"http://localhost:8080/1.0", true},
        {"http://api.launchpad.net/1.0", false},
        {"http://127.0.0.1.example/1.0", false},
        {"http://localhost.example/1.0", false},
        {"http://127.0.0.1@example/1.0", false},
        {"http://10.0.0.1/1.0", false},
        {"http://[::2]/1.0", false},
        {"http://127.1/1.0", false},
        {"httpsx://127.0.0.1/1.0", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (credentials_are_safe_to_send(cases[i].url) != cases[i].wanted)
            fail_msg("%s", cases[i].url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_that_of_plaintext),
        cmocka_unit_test(values_are_read_as_python_reads_them),
        cmocka_unit_test(other_files_are_refused_without_a_word_of_theirs),
        cmocka_unit_test(a_file_that_is_too_large_is_refused),
        cmocka_unit_test(only_the_owner_may_use_the_file),
        cmocka_unit_test(what_cannot_be_read_is_temporary),
        cmocka_unit_test(they_are_sent_where_nobody_listens),
    };
    return cmocka_run_group_tests_name("launchpad/credentials", tests, make_path, remove_path);
}
