/* state: what counts once, until when, and for all processes. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "state_directory.h"

#include "state/bucket.h"
#include "state/nonce.h"
#include "state/pending_login.h"
#include "state/proof_link.h"
#include "state/sample.h"
#include "state/session_end.h"
#include "state/token.h"

#define NOW_S    1700000000
#define ENDPOINT "https://login.example/+openid"
#define ACCOUNT  "https://login.example/+id/AbC1234"

static struct state_directory directory;
static struct error error;

static int make(void **unused)
{
    (void)unused;
    error = (struct error){0};
    state_make(&directory);
    return 0;
}

static int take_away(void **unused)
{
    (void)unused;
    state_remove(&directory);
    return 0;
}

static void the_key_stays_and_the_directory_is_closed(void **unused)
{
    (void)unused;
    unsigned char key[STATE_KEY_BYTES];
    struct stat there;
    struct state *none = NULL;
    memcpy(key, state_key(directory.state), sizeof(key));
    state_close(directory.state);
    state_reopen(&directory);
    assert_memory_equal(state_key(directory.state), key, sizeof(key));
    assert_return_code(stat(directory.path, &there), 0);
    assert_int_equal(there.st_mode & 0777, 0700);
    assert_return_code(chmod(directory.path, 0750), 0);
    assert_false(state_open(directory.path, &none, &error));
    assert_error(error, ERROR_INVALID, "open to others");
    assert_return_code(chmod(directory.path, 0700), 0);
}

static void a_database_that_cannot_be_read_is_no_empty_one(void **unused)
{
    (void)unused;
    char path[80];
    struct state *none = NULL;
    state_close(directory.state);
    directory.state = NULL;
    snprintf(path, sizeof(path), "%s/data.mdb", directory.path);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_return_code(write(fd, "not a database", 14), 0);
    close(fd);
    assert_false(state_open(directory.path, &none, &error));
    assert_int_equal(error.kind, ERROR_TEMPORARY);
}

static void a_nonce_counts_once(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    const char *nonce = "2026-01-12T10:00:00ZabcDEF";
    assert_int_equal(nonce_use(state, ENDPOINT, nonce, NOW_S + 600, NOW_S, &error), STATE_YES);
    assert_int_equal(nonce_use(state, ENDPOINT, nonce, NOW_S + 600, NOW_S, &error), STATE_NO);
    assert_int_equal(nonce_use(state, ENDPOINT "2", nonce, NOW_S + 600, NOW_S, &error), STATE_YES);
    state_close(state);
    state = state_reopen(&directory);
    assert_int_equal(nonce_use(state, ENDPOINT, nonce, NOW_S + 600, NOW_S + 1, &error), STATE_NO);
}

static void a_nonce_of_any_length_is_its_own(void **unused)
{
    (void)unused;
    char nonce[300];
    memset(nonce, 'x', sizeof(nonce));
    for (size_t length = 250; length < sizeof(nonce); length++) {
        char one[300];
        memcpy(one, nonce, length);
        one[length] = '\0';
        assert_int_equal(nonce_use(directory.state, ENDPOINT, one, NOW_S + 1, NOW_S, &error),
                         STATE_YES);
    }
}

/* Of many processes that come with the same nonces, each nonce counts for one. */
static void a_nonce_counts_once_in_all_processes(void **unused)
{
    (void)unused;
    enum { PROCESSES = 4, NONCES = 50 };
    int *taken = mmap(NULL, sizeof(int) * PROCESSES, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    state_close(directory.state);
    directory.state = NULL; /* LMDB does not go through fork() */
    for (int process = 0; process < PROCESSES; process++) {
        if (fork() != 0)
            continue;
        struct state *state = NULL;
        if (!state_open(directory.path, &state, &error))
            _exit(1);
        for (int i = 0; i < NONCES; i++) {
            char nonce[20];
            snprintf(nonce, sizeof(nonce), "nonce %d", i);
            taken[process] +=
                nonce_use(state, ENDPOINT, nonce, NOW_S + 60, NOW_S, &error) == STATE_YES;
        }
        state_close(state);
        _exit(0);
    }
    int sum = 0;
    for (int process = 0; process < PROCESSES; process++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (int process = 0; process < PROCESSES; process++)
        sum += taken[process];
    assert_int_equal(sum, NONCES);
    munmap(taken, sizeof(int) * PROCESSES);
}

static void pruning_takes_what_is_over_and_nothing_else(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    assert_int_equal(nonce_use(state, ENDPOINT, "a", NOW_S + 10, NOW_S, &error), STATE_YES);
    assert_int_equal(nonce_use(state, ENDPOINT, "b", NOW_S + 20, NOW_S, &error), STATE_YES);
    unsigned char key[STATE_KEY_BYTES];
    memcpy(key, state_key(state), sizeof(key));
    assert_true(session_end_all(state, ACCOUNT, &error));
    assert_true(state_prune(state, NOW_S + 10, &error));
    /* Asked as of a time when it still counted, only pruning can have taken it. */
    assert_int_equal(nonce_use(state, ENDPOINT, "a", NOW_S + 10, NOW_S, &error), STATE_YES);
    assert_int_equal(nonce_use(state, ENDPOINT, "b", NOW_S + 20, NOW_S, &error), STATE_NO);
    assert_true(state_prune(state, INT64_MAX - 1, &error));
    int64_t epoch;
    assert_true(session_epoch(state, ACCOUNT, &epoch, &error));
    assert_int_equal(epoch, 1);
    state_close(state);
    assert_memory_equal(state_key(state_reopen(&directory)), key, sizeof(key));
}

static void a_login_is_finished_once_and_by_its_browser(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    struct buffer path = {0};
    assert_true(pending_login_begin(state, "login", "browser", "/me", NOW_S, &error));
    assert_int_equal(pending_login_take(state, "other", "browser", NOW_S, &path, &error),
                     PENDING_LOGIN_ABSENT);
    assert_int_equal(pending_login_take(state, "login", "thief", NOW_S, &path, &error),
                     PENDING_LOGIN_FOREIGN);
    assert_int_equal(path.length, 0);
    assert_int_equal(pending_login_take(state, "login", "browser", NOW_S + 1, &path, &error),
                     PENDING_LOGIN_TAKEN);
    assert_string_equal(buffer_text(&path), "/me");
    assert_int_equal(pending_login_take(state, "login", "browser", NOW_S + 1, &path, &error),
                     PENDING_LOGIN_ABSENT);
    buffer_finish(&path);
}

static void a_login_is_over_in_time(void **unused)
{
    (void)unused;
    struct buffer path = {0};
    assert_true(pending_login_begin(directory.state, "a", "browser", "/", NOW_S, &error));
    assert_int_equal(pending_login_take(directory.state, "a", "browser",
                                        NOW_S + PENDING_LOGIN_LIMIT_S, &path, &error),
                     PENDING_LOGIN_ABSENT);
    assert_int_equal(pending_login_take(directory.state, "a", "browser",
                                        NOW_S + PENDING_LOGIN_LIMIT_S - 1, &path, &error),
                     PENDING_LOGIN_TAKEN);
    char longest[2002];
    memset(longest, 'x', sizeof(longest));
    longest[2001] = '\0';
    assert_false(pending_login_begin(directory.state, "b", "browser", longest, NOW_S, &error));
    assert_error(error, ERROR_INVALID, "too long");
    buffer_finish(&path);
}

static void sessions_end_alone_or_all_together(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    struct span one = span_of("0123456789abcdef"), two = span_of("fedcba9876543210");
    int64_t epoch;
    assert_true(session_epoch(state, ACCOUNT, &epoch, &error));
    assert_int_equal(epoch, 0);
    assert_true(session_end(state, one, NOW_S + 100, &error));
    assert_int_equal(session_goes_on(state, one, ACCOUNT, 0, NOW_S, &error), STATE_NO);
    assert_int_equal(session_goes_on(state, two, ACCOUNT, 0, NOW_S, &error), STATE_YES);
    assert_true(session_end_all(state, ACCOUNT, &error));
    assert_int_equal(session_goes_on(state, two, ACCOUNT, 0, NOW_S, &error), STATE_NO);
    assert_int_equal(session_goes_on(state, two, ACCOUNT, 1, NOW_S, &error), STATE_YES);
    assert_int_equal(session_goes_on(state, two, ACCOUNT, 2, NOW_S, &error), STATE_NO);
    assert_int_equal(session_goes_on(state, two, "somebody else", 0, NOW_S, &error), STATE_YES);
    assert_true(session_end_all(state, ACCOUNT, &error));
    assert_int_equal(session_goes_on(state, two, ACCOUNT, 1, NOW_S, &error), STATE_NO);
}

static const struct bucket_rate three_a_minute = {"test", 3, 20};

static void a_bucket_gives_its_tokens_and_gets_them_back(void **unused)
{
    (void)unused;
    static const struct {
        int64_t after_s;
        enum state_answer answer;
        int64_t wait_s;
    } steps[] = {
        {0, STATE_YES, 0},    {0, STATE_YES, 0},    {5, STATE_YES, 0},    {5, STATE_NO, 15},
        {19, STATE_NO, 1},    {20, STATE_YES, 0},   {20, STATE_NO, 20},   {39, STATE_NO, 1},
        {40, STATE_YES, 0},   {1000, STATE_YES, 0}, {1000, STATE_YES, 0}, {1000, STATE_YES, 0},
        {1000, STATE_NO, 20},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int64_t wait_s = -1;
        enum state_answer answer = bucket_take(directory.state, &three_a_minute, "192.0.2.1",
                                               NOW_S + steps[i].after_s, &wait_s, &error);
        if (answer != steps[i].answer || wait_s != steps[i].wait_s)
            fail_msg("step %zu: %d, wait %lld", i, answer, (long long)wait_s);
        if (i == 3) { /* a restart gives nothing back */
            state_close(directory.state);
            state_reopen(&directory);
        }
    }
}

static void buckets_are_apart(void **unused)
{
    (void)unused;
    static const struct bucket_rate other = {"other", 3, 20};
    int64_t wait_s;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bucket_take(directory.state, &three_a_minute, "a", NOW_S, &wait_s, &error),
                         STATE_YES);
    assert_int_equal(bucket_take(directory.state, &three_a_minute, "a", NOW_S, &wait_s, &error),
                     STATE_NO);
    assert_int_equal(bucket_take(directory.state, &three_a_minute, "b", NOW_S, &wait_s, &error),
                     STATE_YES);
    assert_int_equal(bucket_take(directory.state, &other, "a", NOW_S, &wait_s, &error), STATE_YES);
}

static void a_clock_that_goes_back_closes_no_bucket(void **unused)
{
    (void)unused;
    int64_t wait_s;
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            bucket_take(directory.state, &three_a_minute, "a", NOW_S + 100000, &wait_s, &error),
            STATE_YES);
    assert_int_equal(bucket_take(directory.state, &three_a_minute, "a", NOW_S, &wait_s, &error),
                     STATE_NO);
    assert_int_equal(wait_s, 20);
    assert_int_equal(
        bucket_take(directory.state, &three_a_minute, "a", NOW_S + 20, &wait_s, &error), STATE_YES);
}

static void pruning_gives_no_tokens(void **unused)
{
    (void)unused;
    int64_t wait_s;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bucket_take(directory.state, &three_a_minute, "a", NOW_S, &wait_s, &error),
                         STATE_YES);
    assert_true(state_prune(directory.state, NOW_S + 10, &error));
    assert_int_equal(
        bucket_take(directory.state, &three_a_minute, "a", NOW_S + 10, &wait_s, &error), STATE_NO);
}

static void a_proof_link_is_used_once(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    struct buffer account = {0}, target = {0};
    assert_true(proof_link_make(state, "token", ACCOUNT, "me@example.net", span_of("sealed"),
                                NOW_S + 10, &error));
    for (int i = 0; i < 2; i++) { /* a scanner looks as often as it likes */
        assert_int_equal(proof_link_look(state, "token", NOW_S, &account, &target, &error),
                         PROOF_OPEN);
        assert_string_equal(buffer_text(&account), ACCOUNT);
        assert_string_equal(buffer_text(&target), "me@example.net");
        buffer_clear(&account);
        buffer_clear(&target);
    }
    assert_int_equal(proof_link_use(state, "tokem", NOW_S, &account, &target, &error),
                     PROOF_ABSENT);
    assert_int_equal(proof_link_use(state, "token", NOW_S + 10, &account, &target, &error),
                     PROOF_ABSENT);
    assert_int_equal(target.length, 0);
    assert_int_equal(proof_link_use(state, "token", NOW_S + 9, &account, &target, &error),
                     PROOF_OPEN);
    assert_string_equal(buffer_text(&target), "me@example.net");
    assert_int_equal(proof_link_use(state, "token", NOW_S + 9, &account, &target, &error),
                     PROOF_USED);
    assert_int_equal(proof_link_look(state, "token", NOW_S + 9, &account, &target, &error),
                     PROOF_USED);
    buffer_finish(&account);
    buffer_finish(&target);
}

struct waiting {
    char texts[80];
    int64_t until_s;
};

static void note_waiting(void *context, struct span sealed, int64_t until_s)
{
    struct waiting *waiting = context;
    size_t length = strlen(waiting->texts);
    snprintf(waiting->texts + length, sizeof(waiting->texts) - length, "%.*s ", (int)sealed.length,
             sealed.data);
    waiting->until_s = until_s;
}

static size_t count_waiting(const char *account, int64_t now_s, struct waiting *waiting)
{
    *waiting = (struct waiting){0};
    assert_true(proof_link_each(directory.state, account, now_s, note_waiting, waiting, &error));
    size_t count = 0;
    for (const char *at = waiting->texts; *at != '\0'; at++)
        count += *at == ' ';
    return count;
}

static void make_link(const char *token, const char *account, const char *target,
                      const char *sealed)
{
    assert_true(proof_link_make(directory.state, token, account, target, span_of(sealed),
                                NOW_S + 10, &error));
}

static enum proof_answer use_link(const char *token)
{
    struct buffer account = {0}, target = {0};
    enum proof_answer answer =
        proof_link_use(directory.state, token, NOW_S, &account, &target, &error);
    buffer_finish(&account);
    buffer_finish(&target);
    return answer;
}

static void targets_that_wait_are_those_of_the_account(void **unused)
{
    (void)unused;
    struct waiting waiting;
    make_link("one", ACCOUNT, "one@example.net", "1");
    make_link("two", ACCOUNT, "two@example.net", "2");
    make_link("other", "somebody else", "one@example.net", "3");
    assert_int_equal(count_waiting(ACCOUNT, NOW_S, &waiting), 2);
    assert_int_equal(waiting.until_s, NOW_S + 10);
    assert_int_equal(count_waiting(ACCOUNT, NOW_S + 10, &waiting), 0);
    assert_int_equal(count_waiting("nobody", NOW_S, &waiting), 0);

    make_link("one again", ACCOUNT, "one@example.net", "4");
    assert_int_equal(count_waiting(ACCOUNT, NOW_S, &waiting), 2);
    assert_int_equal(use_link("one"), PROOF_ABSENT);
    assert_int_equal(use_link("one again"), PROOF_OPEN);
    assert_int_equal(count_waiting(ACCOUNT, NOW_S, &waiting), 1);
    assert_string_equal(waiting.texts, "2 ");
}

static void a_target_that_waits_can_be_taken_away(void **unused)
{
    (void)unused;
    struct waiting waiting;
    struct state *state = directory.state;
    make_link("one", ACCOUNT, "one@example.net", "1");
    make_link("two", ACCOUNT, "two@example.net", "2");
    make_link("three", ACCOUNT, "three@example.net", "3");
    make_link("other", "somebody else", "one@example.net", "4");
    assert_int_equal(proof_link_drop(state, ACCOUNT, "four@example.net", NOW_S, &error), STATE_NO);
    assert_int_equal(proof_link_drop(state, ACCOUNT, "one@example.net", NOW_S, &error), STATE_YES);
    assert_int_equal(proof_link_drop(state, ACCOUNT, "one@example.net", NOW_S, &error), STATE_NO);
    assert_int_equal(use_link("one"), PROOF_ABSENT);
    assert_int_equal(count_waiting(ACCOUNT, NOW_S, &waiting), 2);

    assert_true(proof_link_drop_all(state, ACCOUNT, &error));
    assert_true(proof_link_drop_all(state, ACCOUNT, &error));
    assert_int_equal(count_waiting(ACCOUNT, NOW_S, &waiting), 0);
    assert_int_equal(use_link("two"), PROOF_ABSENT);
    assert_int_equal(use_link("three"), PROOF_ABSENT);
    assert_int_equal(use_link("other"), PROOF_OPEN);
}

/* What stands on the disk says neither the target nor the link. */
static void a_stolen_database_shows_no_target(void **unused)
{
    (void)unused;
    char path[80], token[TOKEN_TEXT_BYTES];
    static char bytes[1 << 20];
    token_make(token);
    assert_int_equal(strlen(token), TOKEN_TEXT_BYTES - 1);
    assert_true(proof_link_make(directory.state, token, ACCOUNT, "secret-target@example.net",
                                span_of("sealed"), NOW_S + 10, &error));
    assert_true(pending_login_begin(directory.state, "a-login-text", "a-browser-text", "/kept-path",
                                    NOW_S, &error));
    snprintf(path, sizeof(path), "%s/data.mdb", directory.path);
    FILE *file = fopen(path, "rb");
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_non_null(memmem(bytes, length, "/kept-path", 10));
    assert_null(memmem(bytes, length, "secret-target", 13));
    assert_null(memmem(bytes, length, "AbC1234", 7));
    assert_null(memmem(bytes, length, token, strlen(token)));
    assert_null(memmem(bytes, length, "a-browser-text", 14));
    assert_null(memmem(bytes, length, "a-login-text", 12));
}

static void append_sample(void *context, int64_t at_s, int64_t value)
{
    buffer_appendf(context, "%lld=%lld ", (long long)(at_s - NOW_S), (long long)value);
}

static void samples_come_in_order_and_of_their_series(void **unused)
{
    (void)unused;
    struct state *state = directory.state;
    struct buffer seen = {0};
    static const struct {
        const char *series;
        int64_t after_s, value;
    } samples[] = {{"a", 300, 3}, {"a", 0, -1},  {"ab", 100, 9},
                   {"a", 200, 2}, {"a", 200, 5}, {"a", 70000, 8}};
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        assert_true(sample_put(state, samples[i].series, NOW_S + samples[i].after_s,
                               samples[i].value, NOW_S + samples[i].after_s + 1000, &error));
    assert_true(sample_each(state, "a", NOW_S, NOW_S + 300, append_sample, &seen, &error));
    assert_string_equal(buffer_text(&seen), "0=-1 200=5 300=3 ");
    buffer_clear(&seen);
    assert_true(sample_each(state, "none", 0, INT64_MAX, append_sample, &seen, &error));
    assert_string_equal(buffer_text(&seen), "");
    assert_true(state_prune(state, NOW_S + 1200, &error));
    assert_true(sample_each(state, "a", 0, INT64_MAX, append_sample, &seen, &error));
    assert_string_equal(buffer_text(&seen), "300=3 70000=8 ");
    buffer_finish(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_key_stays_and_the_directory_is_closed, make, take_away),
        cmocka_unit_test_setup_teardown(a_database_that_cannot_be_read_is_no_empty_one, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(a_nonce_counts_once, make, take_away),
        cmocka_unit_test_setup_teardown(a_nonce_of_any_length_is_its_own, make, take_away),
        cmocka_unit_test_setup_teardown(a_nonce_counts_once_in_all_processes, make, take_away),
        cmocka_unit_test_setup_teardown(pruning_takes_what_is_over_and_nothing_else, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(a_login_is_finished_once_and_by_its_browser, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(a_login_is_over_in_time, make, take_away),
        cmocka_unit_test_setup_teardown(sessions_end_alone_or_all_together, make, take_away),
        cmocka_unit_test_setup_teardown(a_bucket_gives_its_tokens_and_gets_them_back, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(buckets_are_apart, make, take_away),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_closes_no_bucket, make, take_away),
        cmocka_unit_test_setup_teardown(pruning_gives_no_tokens, make, take_away),
        cmocka_unit_test_setup_teardown(a_proof_link_is_used_once, make, take_away),
        cmocka_unit_test_setup_teardown(targets_that_wait_are_those_of_the_account, make,
                                        take_away),
        cmocka_unit_test_setup_teardown(a_target_that_waits_can_be_taken_away, make, take_away),
        cmocka_unit_test_setup_teardown(a_stolen_database_shows_no_target, make, take_away),
        cmocka_unit_test_setup_teardown(samples_come_in_order_and_of_their_series, make, take_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
