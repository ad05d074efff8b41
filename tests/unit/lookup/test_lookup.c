/* lookup: the whole order in which an address is answered, as tables of keys and answers. */
#include <sodium.h>

#include "../store/cache.h"
#include "../store/clock.h"
#include "lookup/lookup.h"

/* ---- fixture ---- */

struct fixture {
    struct cache cache;
    struct store_reader *reader;
    struct lookup *lookup;
    struct buffer out;
};

#define ALERTS "alerts@corp.example"

static const struct lookup_role ubuntu_roles[] = {
    {"abuse", "desk@corp.example"},
    {"press", "one@corp.example\ntwo@corp.example"},
    {"www", ""},
};

static const struct lookup_domain domains[] = {
    {"ubuntu.com", NULL, ubuntu_roles, ARRAY_LENGTH(ubuntu_roles)},
    {"kubuntu.org", "catch@corp.example", NULL, 0},
    {"closed.example", "catch@corp.example", NULL, 0},
    {"unseen.example", "catch@corp.example", NULL, 0}, /* not in the cache yet */
    {"xn--bcher-kva.example", NULL, NULL, 0},
};

/* "left.example" is in the cache, but not in the configuration any more. */
static const char *const cache_lines[] = {
    "open ubuntu.com\nopen kubuntu.org\nclose closed.example\nopen left.example\n"
    "open xn--bcher-kva.example\n"
    "alias xn--bcher-kva.example leser active append leser@x.example\n",

    "alias ubuntu.com jdoe active append me@x.example\n"
    "alias ubuntu.com deliver deliver append me@x.example\n"
    "alias ubuntu.com leaving leaving append me@x.example\n"
    "alias ubuntu.com pending pending append\n"
    "alias ubuntu.com refused refused append me@x.example\n"
    "alias ubuntu.com paused paused append me@x.example\n"
    "alias ubuntu.com gone gone append\n"
    "alias ubuntu.com keen active append\n"
    "alias kubuntu.org jdoe active append me@x.example\n"
    "alias kubuntu.org deliver deliver append me@x.example\n"
    "alias kubuntu.org leaving leaving append me@x.example\n"
    "alias kubuntu.org pending pending append\n"
    "alias kubuntu.org refused refused append me@x.example\n"
    "alias kubuntu.org paused paused append me@x.example\n"
    "alias kubuntu.org gone gone append\n",

    "alias closed.example jdoe active append me@x.example\n"
    "alias closed.example deliver deliver append me@x.example\n"
    "alias closed.example leaving leaving append me@x.example\n"
    "alias closed.example pending pending append\n"
    "alias closed.example refused refused append me@x.example\n"
    "alias closed.example paused paused append me@x.example\n"
    "alias closed.example gone gone append\n"
    "alias left.example jdoe active append me@x.example\n"
    "alias left.example deliver deliver append me@x.example\n"
    "alias left.example leaving leaving append me@x.example\n"
    "alias left.example pending pending append\n"
    "alias left.example refused refused append me@x.example\n"
    "alias left.example paused paused append me@x.example\n"
    "alias left.example gone gone append\n",

    /* Records that a role or an extension comes before. */
    "alias ubuntu.com postmaster active append member@x.example\n"
    "alias ubuntu.com abuse+x active append member@x.example\n"
    "alias ubuntu.com press active append member@x.example\n"
    "alias ubuntu.com plus active append plus@x.example\n"
    "alias ubuntu.com plus+exact active append exact@x.example\n"
    "alias ubuntu.com plus+dead gone append\n"
    "alias ubuntu.com plus+dead+deep active append deep@x.example\n"
    "alias ubuntu.com drop active drop drop@x.example,drop@y.example\n"
    "alias ubuntu.com refuse active refuse refuse@x.example\n"
    "alias ubuntu.com quoted active append \"odd me\"@x.example,\"a@b\"@y.example\n"
    "alias ubuntu.com three active append a@x.example,b@y.example,c@z.example\n",

    "alias ubuntu.com sixty active append "
    "123456789012345678901234567890123456789012345678901234567890@x.example,s@y.example\n"
    "alias ubuntu.com quotedsixty active append "
    "\"34567890123456789012345678901234567890123456789012345678901\"@x.example\n"
    "alias ubuntu.com "
    "1234567890123456789012345678901234567890123456789012345678901234 active append "
    "long@x.example\n",
};

static void make_lookup(struct fixture *f, const char *delimiter)
{
    const struct lookup_settings settings = {domains, ARRAY_LENGTH(domains), ALERTS, delimiter};
    lookup_destroy(f->lookup);
    f->lookup = lookup_create(&settings, f->reader);
}

static int setup_empty(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    clock_ms = 5;
    cache_make(&f->cache);
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
    make_lookup(f, "+");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    setup_empty(state);
    struct fixture *f = *state;
    struct error error;
    for (size_t i = 0; i < ARRAY_LENGTH(cache_lines); i++)
        cache_change(&f->cache, cache_lines[i]);
    assert_true(lookup_look_around(f->lookup, &error));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    lookup_destroy(f->lookup);
    store_reader_destroy(f->reader);
    buffer_finish(&f->out);
    cache_remove(&f->cache);
    free(f);
    return 0;
}

/* ---- asking ---- */

struct steps {
    char all[4096];
    char last[1024];
    unsigned count;
};

static void note_step(void *context, const char *text)
{
    struct steps *steps = context;
    if (steps->count++ != 0)
        strncat(steps->all, " | ", sizeof(steps->all) - strlen(steps->all) - 1);
    strncat(steps->all, text, sizeof(steps->all) - strlen(steps->all) - 1);
    snprintf(steps->last, sizeof(steps->last), "%s", text);
}

static bool has(const char *text, const char *words)
{
    return strstr(text, words) != NULL;
}

/* The last step gives the reason of the answer, whatever it is. */
static void assert_reason(const char *key, enum lookup_answer answer, const struct steps *steps)
{
    bool is_fine = answer == LOOKUP_FOUND ? has(steps->last, "answers with its targets") ||
                                                has(steps->last, "is a domain of ours") ||
                                                has(steps->last, "so mail to it is taken") ||
                                                has(steps->last, "may send as it") ||
                                                has(steps->last, "so mail to it is refused")
                   : answer == LOOKUP_ABSENT ? has(steps->last, "absent")
                                             : has(steps->last, "cannot tell: ") &&
                                                   strlen(steps->last) > strlen("cannot tell: ");
    if (!is_fine)
        fail_msg("%s: the last step is \"%s\"", key, steps->last);
}

/* The answer as the server would word it; asked with and without a trace. */
static const char *ask_bytes(struct fixture *f, enum lookup_map map, const char *key, size_t length)
{
    static char texts[2][8192];
    for (unsigned traced = 0; traced < 2; traced++) {
        struct steps steps = {0};
        struct lookup_trace trace = {note_step, &steps};
        buffer_clear(&f->out);
        buffer_append_text(&f->out, "OK ");
        /* Memory of exactly that size, so that a sanitizer sees a read past the end. */
        char *copy = malloc(length != 0 ? length : 1);
        assert_non_null(copy);
        memcpy(copy, key, length);
        enum lookup_answer answer =
            lookup_ask(f->lookup, map, copy, length, &f->out, traced ? &trace : NULL);
        free(copy);
        if (answer == LOOKUP_FOUND)
            assert_true(f->out.length > 3);
        else
            assert_int_equal(f->out.length, 3); /* nothing was appended */
        if (traced)
            assert_reason(key, answer, &steps);
        snprintf(texts[traced], sizeof(texts[traced]), "%s",
                 answer == LOOKUP_FOUND    ? buffer_text(&f->out)
                 : answer == LOOKUP_ABSENT ? "NOTFOUND"
                                           : "TEMP");
    }
    assert_string_equal(texts[0], texts[1]);
    return texts[0];
}

static const char *ask(struct fixture *f, const char *key)
{
    return ask_bytes(f, LOOKUP_MAP_ALIAS, key, strlen(key));
}

struct question_and_answer {
    const char *key;
    const char *wanted;
};

static void assert_answers(struct fixture *f, const struct question_and_answer *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *answer = ask(f, cases[i].key);
        if (strcmp(answer, cases[i].wanted) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].key, answer, cases[i].wanted);
    }
}

static void rest_and_tick(struct fixture *f)
{
    lookup_rest(f->lookup);
    clock_ms += 1000;
}

/* ---- before storage ---- */

static const struct question_and_answer from_memory[] = {
    /* odd */
    {"", "NOTFOUND"},
    {"@", "NOTFOUND"},
    {"@ubuntu.com", "NOTFOUND"},
    {"jdoe@", "NOTFOUND"},
    {"jdoe", "NOTFOUND"},
    {"\"jdoe\"@ubuntu.com", "NOTFOUND"},
    {"\"a@b\"@ubuntu.com", "NOTFOUND"},
    {"a@b@ubuntu.com", "NOTFOUND"},
    {"j doe@ubuntu.com", "NOTFOUND"},
    {".jdoe@ubuntu.com", "NOTFOUND"},
    {"jdoe.@ubuntu.com", "NOTFOUND"},
    {"j..doe@ubuntu.com", "NOTFOUND"},
    {"jdoe@[192.0.2.1]", "NOTFOUND"},
    {"jdoe@ubuntu.com.", "NOTFOUND"},
    {"jdoe@ubuntu..com", "NOTFOUND"},
    {"j\xff"
     "doe@ubuntu.com",
     "NOTFOUND"},
    {"jdoe@ubuntu\xff.com", "NOTFOUND"},
    {"<jdoe@ubuntu.com>", "NOTFOUND"},
    {"jdoe\n@ubuntu.com", "NOTFOUND"},
    /* foreign */
    {"jdoe@example.org", "NOTFOUND"},
    {"example.org", "NOTFOUND"},
    {"jdoe@sub.ubuntu.com", "NOTFOUND"},
    {"jdoe@ubuntu.co", "NOTFOUND"},
    {"postmaster@example.org", "NOTFOUND"},
    {".ubuntu.com", "NOTFOUND"},
    /* bare */
    {"ubuntu.com", "OK ubuntu.com"},
    {"Ubuntu.COM", "OK ubuntu.com"},
    {"closed.example", "OK closed.example"},
    {"unseen.example", "OK unseen.example"},
    {"b\xc3\xbc"
     "cher.example",
     "OK xn--bcher-kva.example"},
    /* roles */
    {"postmaster@ubuntu.com", "OK " ALERTS},
    {"PostMaster@Ubuntu.Com", "OK " ALERTS},
    {"postmaster+tag@ubuntu.com", "OK " ALERTS},
    {"postmaster+a+b@ubuntu.com", "OK " ALERTS},
    {"abuse@ubuntu.com", "OK desk@corp.example"},
    {"abuse+x@ubuntu.com", "OK desk@corp.example"},
    {"press@ubuntu.com", "OK one@corp.example,two@corp.example"},
    {"press+x@ubuntu.com", "OK one@corp.example,two@corp.example"},
    {"abuse@kubuntu.org", "OK " ALERTS},
    {"hostmaster@closed.example", "OK " ALERTS},
    {"webmaster@unseen.example", "OK " ALERTS},
    {"www@ubuntu.com", "TEMP"}, /* configured with nothing: never an empty reply */
};

static void what_needs_no_storage_is_answered_without_it(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    char key[700];
    assert_int_equal(stat(f->cache.directory, &status), -1);
    assert_answers(f, from_memory, ARRAY_LENGTH(from_memory));
    /* Overlong: 512 bytes of local part are looked at, 513 are odd. */
    memset(key, 'x', sizeof(key));
    strcpy(key + 512, "@ubuntu.com");
    assert_string_equal(ask(f, key), "TEMP");
    memset(key, 'x', sizeof(key));
    strcpy(key + 513, "@ubuntu.com");
    assert_string_equal(ask(f, key), "NOTFOUND");
    assert_string_equal(ask_bytes(f, LOOKUP_MAP_ALIAS, "jdoe\0@ubuntu.com", 16), "NOTFOUND");
    assert_string_equal(ask_bytes(f, LOOKUP_MAP_ALIAS, "jdoe@ubuntu.com\0", 16), "NOTFOUND");
    /* And with storage it is answered in the same way. */
    for (size_t i = 0; i < ARRAY_LENGTH(cache_lines); i++)
        cache_change(&f->cache, cache_lines[i]);
    rest_and_tick(f);
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "OK me@x.example");
    assert_answers(f, from_memory, ARRAY_LENGTH(from_memory));
}

static void foreign_questions_do_not_wake_the_reader(void **state)
{
    struct fixture *f = *state;
    struct error error;
    /* Were the cache looked at, this second would be over for everybody. */
    assert_string_equal(ask(f, "jdoe@example.org"), "NOTFOUND");
    assert_string_equal(ask(f, "postmaster@ubuntu.com"), "OK " ALERTS);
    assert_string_equal(ask(f, "ubuntu.com"), "OK ubuntu.com");
    cache_change(&f->cache, cache_lines[0]);
    assert_true(lookup_look_around(f->lookup, &error));
}

static void the_domain_map_answers_from_memory(void **state)
{
    struct fixture *f = *state;
    static const struct question_and_answer cases[] = {
        {"ubuntu.com", "OK ubuntu.com"},
        {"UBUNTU.com", "OK ubuntu.com"},
        {"closed.example", "OK closed.example"},
        {"unseen.example", "OK unseen.example"},
        {"example.org", "NOTFOUND"},
        {"jdoe@ubuntu.com", "NOTFOUND"},
        {"@ubuntu.com", "NOTFOUND"},
        {"", "NOTFOUND"},
        {"*", "NOTFOUND"},
        {"[192.0.2.1]", "NOTFOUND"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(ask_bytes(f, LOOKUP_MAP_DOMAIN, cases[i].key, strlen(cases[i].key)),
                            cases[i].wanted);
}

static void only_maps_that_exist_have_a_name(void **state)
{
    (void)state;
    enum lookup_map map;
    assert_true(lookup_map_from_name("alias", 5, &map) && map == LOOKUP_MAP_ALIAS);
    assert_true(lookup_map_from_name("domain", 6, &map) && map == LOOKUP_MAP_DOMAIN);
    assert_true(lookup_map_from_name("recipient", 9, &map) && map == LOOKUP_MAP_RECIPIENT);
    assert_true(lookup_map_from_name("sender", 6, &map) && map == LOOKUP_MAP_SENDER);
    assert_true(lookup_map_from_name("access", 6, &map) && map == LOOKUP_MAP_ACCESS);
    static const char *const others[] = {"", "Alias", "alia", "aliasx", "virtual", "domain "};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(lookup_map_from_name(others[i], strlen(others[i]), &map));
    assert_true(lookup_map_from_name("aliasx", 5, &map));
}

/* ---- each state in each kind of domain ---- */

struct standing {
    const char *domain;
    const char *live, *dead, *absent;
};

static void assert_standing(struct fixture *f, const struct standing *standing)
{
    static const char *const live[] = {"jdoe", "deliver", "JDoe", "jdoe+tag"};
    static const char *const dead[] = {"leaving", "pending", "refused",     "paused",
                                       "gone",    "Gone",    "pending+tag", "gone+tag"};
    static const char *const absent[] = {"nobody", "nobody+tag", "+jdoe", "jdoe-tag", "jdo"};
    struct {
        const char *const *locals;
        size_t count;
        const char *wanted;
    } rows[] = {{live, ARRAY_LENGTH(live), standing->live},
                {dead, ARRAY_LENGTH(dead), standing->dead},
                {absent, ARRAY_LENGTH(absent), standing->absent}};
    for (size_t row = 0; row < ARRAY_LENGTH(rows); row++)
        for (size_t i = 0; i < rows[row].count; i++) {
            char key[128];
            snprintf(key, sizeof(key), "%s@%s", rows[row].locals[i], standing->domain);
            const char *wanted = rows[row].wanted;
            if (strcmp(wanted, "OK") == 0)
                wanted = strchr(key, '+') != NULL ? "OK me+tag@x.example" : "OK me@x.example";
            const char *answer = ask(f, key);
            if (strcmp(answer, wanted) != 0)
                fail_msg("%s: \"%s\" instead of \"%s\"", key, answer, wanted);
        }
}

static void live_names_answer_and_the_rest_depends_on_whether_the_domain_is_open(void **state)
{
    struct fixture *f = *state;
    static const struct standing standings[] = {
        {"ubuntu.com", "OK", "NOTFOUND", "NOTFOUND"},
        {"kubuntu.org", "OK", "NOTFOUND", "OK catch@corp.example"},
        {"closed.example", "OK", "TEMP", "TEMP"},
        {"left.example", "OK", "TEMP", "TEMP"},
        {"unseen.example", "TEMP", "TEMP", "TEMP"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(standings); i++)
        assert_standing(f, &standings[i]);
}

static void in_a_cache_that_is_not_trusted_every_domain_is_closed(void **state)
{
    struct fixture *f = *state;
    static const struct standing distrusted[] = {
        {"ubuntu.com", "OK", "TEMP", "TEMP"},
        {"kubuntu.org", "OK", "TEMP", "TEMP"},
        {"closed.example", "OK", "TEMP", "TEMP"},
        {"left.example", "OK", "TEMP", "TEMP"},
    };
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND");
    lookup_rest(f->lookup);
    copy_file(f->cache.data, beside(&f->cache, "first"));
    unlink(f->cache.data);
    for (size_t i = 0; i < ARRAY_LENGTH(cache_lines); i++)
        cache_change(&f->cache, cache_lines[i]);
    rest_and_tick(f);
    for (size_t i = 0; i < ARRAY_LENGTH(distrusted); i++)
        assert_standing(f, &distrusted[i]);
    assert_answers(f, from_memory, ARRAY_LENGTH(from_memory));
    /* Opened again, one by one. */
    cache_change(&f->cache, "open kubuntu.org\nopen left.example");
    lookup_rest(f->lookup);
    static const struct standing reopened[] = {
        {"ubuntu.com", "OK", "TEMP", "TEMP"},
        {"kubuntu.org", "OK", "NOTFOUND", "OK catch@corp.example"},
        {"left.example", "OK", "TEMP", "TEMP"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(reopened); i++)
        assert_standing(f, &reopened[i]);
    /* Put back. */
    copy_file(beside(&f->cache, "first"), f->cache.data);
    rest_and_tick(f);
    assert_standing(f, &(struct standing){"ubuntu.com", "OK", "NOTFOUND", "NOTFOUND"});
}

static void without_a_cache_all_that_is_ours_is_temp_and_the_rest_goes_on(void **state)
{
    struct fixture *f = *state;
    lookup_rest(f->lookup);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    rest_and_tick(f);
    static const char *const ours[] = {"ubuntu.com", "kubuntu.org", "closed.example",
                                       "left.example"};
    for (size_t i = 0; i < ARRAY_LENGTH(ours); i++)
        assert_standing(f, &(struct standing){ours[i], "TEMP", "TEMP", "TEMP"});
    assert_answers(f, from_memory, ARRAY_LENGTH(from_memory));
    assert_string_equal(ask(f, "left.example"), "OK left.example");
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.data), 0);
    rest_and_tick(f);
    assert_standing(f, &(struct standing){"ubuntu.com", "OK", "NOTFOUND", "NOTFOUND"});
}

static void what_cannot_be_read_or_unsealed_is_temp(void **state)
{
    struct fixture *f = *state;
    static const char broken[] = "ubuntu.com\0broken";
    cache_put_raw(&f->cache, TABLE_ALIAS, (struct span){broken, sizeof(broken) - 1},
                  span_of("\1what"));
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "broken@ubuntu.com"), "TEMP");
    assert_string_equal(ask(f, "broken+tag@ubuntu.com"), "TEMP");
    assert_string_equal(ask(f, "keen@ubuntu.com"), "TEMP"); /* active without a target */
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "OK me@x.example");
    /* Another ring of the same ids: nothing opens, dead names are dead all the same. */
    struct error error;
    unlink(f->cache.keys);
    assert_true(keyring_generate(f->cache.keys, (gid_t)-1, &error));
    store_reader_destroy(f->reader);
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
    make_lookup(f, "+");
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "TEMP");
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND");
    assert_string_equal(ask(f, "postmaster@ubuntu.com"), "OK " ALERTS);
}

static void a_domain_row_that_cannot_be_read_is_temp_for_what_needs_the_cache(void **state)
{
    struct fixture *f = *state;
    struct error error;
    cache_put_raw(&f->cache, TABLE_DOMAIN, span_of("broken.example"), span_of("\1what"));
    cache_change(&f->cache, "close moved.example");
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "gone@ubuntu.com"), "TEMP");
    assert_string_equal(ask(f, "gone@ubuntu.com"), "TEMP");
    assert_false(lookup_look_around(f->lookup, &error));
    assert_error(error, ERROR_TEMPORARY, "\"domain\"");
    assert_string_equal(ask(f, "jdoe@left.example"), "TEMP"); /* and not foreign */
    assert_string_equal(ask(f, "jdoe@example.org"), "NOTFOUND");
    cache_change(&f->cache, "remove broken.example");
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND");
}

/* ---- roles, cuts, extensions ---- */

static void the_exact_name_comes_first_and_then_each_cut_from_the_right(void **state)
{
    struct fixture *f = *state;
    static const struct question_and_answer cases[] = {
        /* No member can take a role. */
        {"postmaster@ubuntu.com", "OK " ALERTS},
        {"abuse+x@ubuntu.com", "OK desk@corp.example"},
        {"press@ubuntu.com", "OK one@corp.example,two@corp.example"},
        /* The exact local part, extension and all. */
        {"plus@ubuntu.com", "OK plus@x.example"},
        {"plus+exact@ubuntu.com", "OK exact@x.example"},
        {"PLUS+Exact@ubuntu.com", "OK exact@x.example"},
        /* From right to left. */
        {"plus+other@ubuntu.com", "OK plus+other@x.example"},
        {"plus+exact+more@ubuntu.com", "OK exact+more@x.example"},
        {"plus+other+more@ubuntu.com", "OK plus+other+more@x.example"},
        {"plus++more@ubuntu.com", "OK plus++more@x.example"},
        {"plus+@ubuntu.com", "OK plus+@x.example"},
        /* The first record ends the search, in whatever state. */
        {"plus+dead@ubuntu.com", "NOTFOUND"},
        {"plus+dead+more@ubuntu.com", "NOTFOUND"},
        {"plus+dead+deep@ubuntu.com", "OK deep@x.example"},
        {"plus+dead+deep+more@ubuntu.com", "OK deep+more@x.example"},
        /* Never to nothing. */
        {"+@ubuntu.com", "NOTFOUND"},
        {"+plus@ubuntu.com", "NOTFOUND"},
        {"++@ubuntu.com", "NOTFOUND"},
        /* "-" is no delimiter here. */
        {"plus-other@ubuntu.com", "NOTFOUND"},
    };
    assert_answers(f, cases, ARRAY_LENGTH(cases));
}

static void the_delimiters_are_those_of_the_configuration(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *delimiters;
        const char *key, *wanted;
    } cases[] = {
        {"", "jdoe@ubuntu.com", "OK me@x.example"},
        {"", "jdoe+tag@ubuntu.com", "NOTFOUND"},
        {"", "plus+exact@ubuntu.com", "OK exact@x.example"},
        {"", "postmaster+tag@ubuntu.com", "NOTFOUND"},
        {"-", "jdoe-tag@ubuntu.com", "OK me-tag@x.example"},
        {"-", "jdoe+tag@ubuntu.com", "NOTFOUND"},
        {"-", "postmaster-tag@ubuntu.com", "OK " ALERTS},
        {"+-", "jdoe+a-b@ubuntu.com", "OK me+a-b@x.example"},
        {"+-", "jdoe-a+b@ubuntu.com", "OK me-a+b@x.example"},
        {"+-", "plus+exact-more@ubuntu.com", "OK exact-more@x.example"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        make_lookup(f, cases[i].delimiters);
        const char *answer = ask(f, cases[i].key);
        if (strcmp(answer, cases[i].wanted) != 0)
            fail_msg("\"%s\", %s: \"%s\" instead of \"%s\"", cases[i].delimiters, cases[i].key,
                     answer, cases[i].wanted);
    }
}

static void an_extension_goes_back_is_dropped_or_refuses(void **state)
{
    struct fixture *f = *state;
    static const struct question_and_answer cases[] = {
        {"three+t@ubuntu.com", "OK a+t@x.example,b+t@y.example,c+t@z.example"},
        {"three@ubuntu.com", "OK a@x.example,b@y.example,c@z.example"},
        {"drop+t@ubuntu.com", "OK drop@x.example,drop@y.example"},
        {"drop@ubuntu.com", "OK drop@x.example,drop@y.example"},
        {"refuse@ubuntu.com", "OK refuse@x.example"},
        {"refuse+t@ubuntu.com", "NOTFOUND"},
        {"refuse+@ubuntu.com", "NOTFOUND"},
        /* Inside the quotes. */
        {"quoted+t@ubuntu.com", "OK \"odd me+t\"@x.example,\"a@b+t\"@y.example"},
        /* 60 bytes and four more are 64; one more is left off that target only. */
        {"sixty+123@ubuntu.com",
         "OK 123456789012345678901234567890123456789012345678901234567890+123@x.example,"
         "s+123@y.example"},
        {"sixty+1234@ubuntu.com",
         "OK 123456789012345678901234567890123456789012345678901234567890@x.example,"
         "s+1234@y.example"},
        {"quotedsixty+12@ubuntu.com",
         "OK \"34567890123456789012345678901234567890123456789012345678901+12\"@x.example"},
        {"quotedsixty+123@ubuntu.com",
         "OK \"34567890123456789012345678901234567890123456789012345678901\"@x.example"},
        /* The case of an extension is not kept: keys are folded. */
        {"jdoe+TaG@ubuntu.com", "OK me+tag@x.example"},
        /* A name of 64 bytes with an extension behind it. */
        {"1234567890123456789012345678901234567890123456789012345678901234@ubuntu.com",
         "OK long@x.example"},
        {"1234567890123456789012345678901234567890123456789012345678901234+t@ubuntu.com",
         "OK long+t@x.example"},
        {"12345678901234567890123456789012345678901234567890123456789012345@ubuntu.com",
         "NOTFOUND"},
    };
    assert_answers(f, cases, ARRAY_LENGTH(cases));
    cache_change(&f->cache, "alias closed.example refuse active refuse refuse@x.example");
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "refuse+t@closed.example"), "TEMP");
}

static void the_catch_all_takes_what_is_absent_and_only_in_an_open_domain(void **state)
{
    struct fixture *f = *state;
    static const struct question_and_answer cases[] = {
        {"nobody@kubuntu.org", "OK catch@corp.example"},
        {"nobody+tag@kubuntu.org", "OK catch@corp.example"},
        {"jdoe@kubuntu.org", "OK me@x.example"},
        {"gone@kubuntu.org", "NOTFOUND"},
        {"gone+tag@kubuntu.org", "NOTFOUND"},
        {"postmaster@kubuntu.org", "OK " ALERTS},
        {"double-bounce@kubuntu.org", "NOTFOUND"},
        {"mailer-daemon@kubuntu.org", "NOTFOUND"},
        {"MAILER-DAEMON@kubuntu.org", "NOTFOUND"},
        {"double-bounce@closed.example", "TEMP"},
        {"nobody@closed.example", "TEMP"},
        {"nobody@unseen.example", "TEMP"},
        {"nobody@ubuntu.com", "NOTFOUND"},
    };
    assert_answers(f, cases, ARRAY_LENGTH(cases));
}

static void an_international_domain_is_found_in_both_its_forms(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "leser@b\xc3\xbc"
                               "cher.example"),
                        "OK leser@x.example");
    assert_string_equal(ask(f, "leser@B\xc3\x9c"
                               "cher.Example"),
                        "OK leser@x.example");
    assert_string_equal(ask(f, "leser@xn--bcher-kva.example"), "OK leser@x.example");
    assert_string_equal(ask(f, "l\xc3\xa4ser@b\xc3\xbc"
                               "cher.example"),
                        "NOTFOUND");
}

/* ---- many targets ---- */

struct many {
    char directory[64];
    char keys[64];
    unsigned count;
};

static void append_many(struct buffer *out, unsigned count, char separator)
{
    for (unsigned i = 0; i < count; i++)
        buffer_appendf(out, "%.*stargets-%05u@host.example.org", i != 0 ? 1 : 0, &separator, i);
}

struct many_planning {
    const struct many *many;
    struct keyring *ring;
};

static bool plan_many(void *context, struct snapshot *snapshot, struct changeset *changeset,
                      struct error *error)
{
    const struct many_planning *planning = context;
    struct buffer plain = {0}, sealed = {0};
    (void)snapshot, (void)error;
    append_many(&plain, planning->many->count, '\n');
    keyring_seal_alias(planning->ring, "ubuntu.com", span_of("many"),
                       (struct span){plain.data, plain.length}, &sealed);
    const struct alias_record record = {
        .kind = ALIAS_STATIC,
        .state = ALIAS_ACTIVE,
        .extension = EXTENSION_DROP,
        .sealed_targets = {sealed.data, sealed.length},
    };
    changeset_put_alias(changeset, "ubuntu.com", "many", &record);
    buffer_finish(&plain);
    buffer_finish(&sealed);
    return true;
}

static int put_many(const void *argument)
{
    struct many_planning planning = {argument, NULL};
    struct store *store;
    struct store_update_result result;
    struct error error;
    must(keyring_read(planning.many->keys, &planning.ring, &error));
    must(store_open(planning.many->directory, STORE_WRITE, LIMIT_BYTES, &store, &error));
    must(store_update(store, plan_many, &planning, &result, &error));
    store_close(store);
    keyring_destroy(planning.ring);
    return 0;
}

static void many_targets_are_answered_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct many many = {.count = 2000};
    strcpy(many.directory, f->cache.directory);
    strcpy(many.keys, f->cache.keys);
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, put_many, &many, sizeof(many)), 0);
    lookup_rest(f->lookup);
    struct buffer wanted = {0}, out = {0};
    append_many(&wanted, many.count, ',');
    assert_int_equal(lookup_ask(f->lookup, LOOKUP_MAP_ALIAS, "many@ubuntu.com", 15, &out, NULL),
                     LOOKUP_FOUND);
    assert_int_equal(out.length, wanted.length);
    assert_memory_equal(out.data, wanted.data, wanted.length);
    /* More than a record can hold: it does not open, and is never answered in part. */
    many.count = 2500;
    assert_int_equal(elsewhere_run(&f->cache.elsewhere, put_many, &many, sizeof(many)), 0);
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "many@ubuntu.com"), "TEMP");
    buffer_finish(&wanted);
    buffer_finish(&out);
}

/* ---- domains that come and go in the cache ---- */

static void a_hundred_domains_are_learnt_in_the_middle_of_a_question(void **state)
{
    struct fixture *f = *state;
    struct buffer lines = {0};
    for (unsigned i = 0; i < 100; i++)
        buffer_appendf(&lines, "open d%u.example\n", i);
    cache_change(&f->cache, buffer_text(&lines));
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "jdoe@d7.example"), "NOTFOUND"); /* foreign so far */
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND");
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "OK me@x.example");
    for (unsigned i = 0; i < 100; i++) {
        char key[64];
        snprintf(key, sizeof(key), "jdoe@d%u.example", i);
        assert_string_equal(ask(f, key), "TEMP"); /* ours, but not configured */
    }
    buffer_finish(&lines);
}

static void a_domain_that_the_cache_gains_is_learnt_by_looking_around(void **state)
{
    struct fixture *f = *state;
    struct error error;
    cache_change(&f->cache, "open gained.example\n"
                            "alias gained.example jdoe active append me@x.example");
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "jdoe@gained.example"), "NOTFOUND");
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "jdoe@gained.example"), "OK me@x.example");
    assert_string_equal(ask(f, "gained.example"), "OK gained.example");
    assert_string_equal(ask(f, "postmaster@gained.example"), "OK " ALERTS);
}

static void a_domain_that_is_removed_is_forgotten_by_looking_around(void **state)
{
    struct fixture *f = *state;
    struct error error;
    cache_change(&f->cache, "remove left.example\nunalias left.example jdoe");
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "jdoe@left.example"), "TEMP");
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "jdoe@left.example"), "NOTFOUND");
    assert_string_equal(ask(f, "left.example"), "NOTFOUND");
    /* One that is configured is ours as before. */
    cache_change(&f->cache, "remove ubuntu.com");
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "OK me@x.example");
    assert_string_equal(ask(f, "gone@ubuntu.com"), "TEMP");
}

static void a_cache_that_is_not_trusted_makes_no_domain_foreign(void **state)
{
    struct fixture *f = *state;
    struct error error;
    unlink(f->cache.data);
    rest_and_tick(f);
    assert_false(lookup_look_around(f->lookup, &error));
    assert_error(error, ERROR_TEMPORARY, "No such file");
    assert_string_equal(ask(f, "jdoe@left.example"), "TEMP");
    cache_change(&f->cache, "open ubuntu.com");
    rest_and_tick(f);
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "jdoe@left.example"), "TEMP");
    assert_string_equal(ask(f, "jdoe@ubuntu.com"), "TEMP");
}

/* As a server does whose configuration was read again: only "ubuntu.com" is left, without roles. */
static void replace_by_one_domain(struct fixture *f)
{
    static const struct lookup_domain left = {"ubuntu.com", NULL, NULL, 0};
    const struct lookup_settings settings = {&left, 1, ALERTS, "+"};
    struct lookup *next = lookup_create(&settings, f->reader);
    lookup_remember(next, f->lookup);
    lookup_destroy(f->lookup);
    f->lookup = next;
}

static void assert_unconfigured(struct fixture *f, const char *wanted)
{
    struct buffer names = {0};
    assert_int_equal(lookup_has_unconfigured(f->lookup, &names), wanted[0] != '\0');
    assert_string_equal(buffer_text(&names), wanted);
    buffer_finish(&names);
}

static void a_lookup_that_takes_anothers_place_serves_what_the_cache_has(void **state)
{
    struct fixture *f = *state;
    struct error error;
    replace_by_one_domain(f);
    assert_string_equal(ask(f, "jdoe@kubuntu.org"), "OK me@x.example");
    assert_string_equal(ask(f, "nobody@kubuntu.org"), "TEMP"); /* the catch-all went */
    assert_string_equal(ask(f, "abuse@ubuntu.com"), "OK " ALERTS);
    assert_string_equal(ask(f, "nobody@ubuntu.com"), "NOTFOUND");
    /* Not forgotten before the cache was looked at. */
    assert_string_equal(ask(f, "unseen.example"), "OK unseen.example");
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "unseen.example"), "NOTFOUND");
    assert_string_equal(ask(f, "jdoe@unseen.example"), "NOTFOUND");
    assert_unconfigured(f, "kubuntu.org, closed.example, xn--bcher-kva.example, left.example");
}

/* Twice, as the second one has only the first to learn from. */
static void with_an_unreadable_cache_a_lookup_remembers_its_predecessors_domains(void **state)
{
    struct fixture *f = *state;
    struct error error;
    lookup_rest(f->lookup);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    rest_and_tick(f);
    for (int i = 0; i < 2; i++) {
        replace_by_one_domain(f);
        assert_false(lookup_look_around(f->lookup, &error));
        static const char *const ours[] = {"kubuntu.org", "closed.example", "left.example",
                                           "unseen.example"};
        for (size_t at = 0; at < ARRAY_LENGTH(ours); at++)
            assert_standing(f, &(struct standing){ours[at], "TEMP", "TEMP", "TEMP"});
        assert_string_equal(ask(f, "kubuntu.org"), "OK kubuntu.org");
        assert_string_equal(ask(f, "jdoe@foreign.example"), "NOTFOUND");
    }
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.data), 0);
    rest_and_tick(f);
    assert_true(lookup_look_around(f->lookup, &error));
    assert_string_equal(ask(f, "jdoe@kubuntu.org"), "OK me@x.example");
    assert_string_equal(ask(f, "jdoe@unseen.example"), "NOTFOUND");
}

static void a_domain_that_is_closed_again_is_temp_at_once(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND");
    cache_change(&f->cache, "close ubuntu.com");
    assert_string_equal(ask(f, "gone@ubuntu.com"), "NOTFOUND"); /* the snapshot is held */
    lookup_rest(f->lookup);
    assert_string_equal(ask(f, "gone@ubuntu.com"), "TEMP");
}

/* ---- the maps beside each other ---- */

static const char more_lines[] = "alias ubuntu.com login active append me@x.example\n"
                                 "person login other-login\n"
                                 "alias ubuntu.com plain active append me@x.example\n"
                                 "person plain\n"
                                 "extra ubuntu.com more active append me@x.example\n"
                                 "extra ubuntu.com lost gone append\n"
                                 "static ubuntu.com team active drop me@x.example\n"
                                 "static ubuntu.com old gone drop\n"
                                 "static closed.example team active drop me@x.example\n"
                                 "taken ubuntu.com jdoe+taken refused append\n"
                                 "taken ubuntu.com nobody-yet refused append\n"
                                 "taken ubuntu.com gone+taken refused append\n";

#define UNKNOWN "OK 550 5.1.1 User unknown in virtual alias table"
#define GONE    "OK 550 5.1.6 The address is no longer in use"
#define PAUSED  "OK 550 5.2.1 The address takes no mail at present"

struct maps_case {
    const char *key;
    const char *alias, *recipient, *sender, *access;
};

static void assert_maps(struct fixture *f, const struct maps_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct {
            enum lookup_map map;
            const char *name, *wanted;
        } maps[] = {
            {LOOKUP_MAP_ALIAS, "alias", cases[i].alias},
            {LOOKUP_MAP_RECIPIENT, "recipient", cases[i].recipient},
            {LOOKUP_MAP_SENDER, "sender", cases[i].sender},
            {LOOKUP_MAP_ACCESS, "access", cases[i].access},
        };
        for (size_t map = 0; map < ARRAY_LENGTH(maps); map++) {
            const char *answer = ask_bytes(f, maps[map].map, cases[i].key, strlen(cases[i].key));
            if (strcmp(answer, maps[map].wanted) != 0)
                fail_msg("%s %s: \"%s\" instead of \"%s\"", maps[map].name, cases[i].key, answer,
                         maps[map].wanted);
        }
    }
}

static void each_map_says_its_own_of_each_state_in_each_kind_of_domain(void **state)
{
    struct fixture *f = *state;
    static const struct maps_case cases[] = {
        /* open */
        {"jdoe@ubuntu.com", "OK me@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"JDoe+Tag@Ubuntu.com", "OK me+tag@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"login@ubuntu.com", "OK me@x.example", "OK OK", "OK other-login", "NOTFOUND"},
        {"login+tag@ubuntu.com", "OK me+tag@x.example", "OK OK", "OK other-login", "NOTFOUND"},
        {"plain@ubuntu.com", "OK me@x.example", "OK OK", "OK plain", "NOTFOUND"},
        {"more@ubuntu.com", "OK me@x.example", "OK OK", "OK owner-of-more", "NOTFOUND"},
        {"lost@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"deliver@ubuntu.com", "OK me@x.example", "OK OK", "OK !nobody", "NOTFOUND"},
        {"leaving@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", UNKNOWN},
        {"pending@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", UNKNOWN},
        {"refused@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", UNKNOWN},
        {"refused+tag@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", UNKNOWN},
        {"paused@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", PAUSED},
        {"gone@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"Gone+Tag@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"refuse@ubuntu.com", "OK refuse@x.example", "OK OK", "OK refuse", "NOTFOUND"},
        {"refuse+t@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK refuse", "NOTFOUND"},
        {"drop+t@ubuntu.com", "OK drop@x.example,drop@y.example", "OK OK", "OK drop", "NOTFOUND"},
        {"keen@ubuntu.com", "TEMP", "TEMP", "OK keen", "NOTFOUND"}, /* active without a target */
        {"team@ubuntu.com", "OK me@x.example", "OK OK", "NOTFOUND", "NOTFOUND"},
        {"old@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"plus+dead+more@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"jdoe+taken@ubuntu.com", "OK me+taken@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"nobody-yet@ubuntu.com", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"gone+taken@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"nobody@ubuntu.com", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"postmaster@ubuntu.com", "OK " ALERTS, "OK OK", "NOTFOUND", "NOTFOUND"},
        {"abuse+x@ubuntu.com", "OK desk@corp.example", "OK OK", "NOTFOUND", "NOTFOUND"},
        {"www@ubuntu.com", "TEMP", "TEMP", "NOTFOUND", "NOTFOUND"},
        /* open, with a catch-all */
        {"jdoe@kubuntu.org", "OK me@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"paused@kubuntu.org", "NOTFOUND", "NOTFOUND", "OK !nobody", PAUSED},
        {"refused@kubuntu.org", "NOTFOUND", "NOTFOUND", "OK !nobody", UNKNOWN},
        {"nobody@kubuntu.org", "OK catch@corp.example", "OK OK", "NOTFOUND", "NOTFOUND"},
        {"double-bounce@kubuntu.org", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        /* closed: nothing is said against anybody */
        {"jdoe@closed.example", "OK me@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"team@closed.example", "OK me@x.example", "OK OK", "NOTFOUND", "NOTFOUND"},
        {"deliver@closed.example", "OK me@x.example", "OK OK", "TEMP", "NOTFOUND"},
        {"leaving@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"pending@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"refused@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"paused@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"gone@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"nobody@closed.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"postmaster@closed.example", "OK " ALERTS, "OK OK", "NOTFOUND", "NOTFOUND"},
        /* in the cache and not configured any more */
        {"jdoe@left.example", "OK me@x.example", "OK OK", "OK jdoe", "NOTFOUND"},
        {"deliver@left.example", "OK me@x.example", "OK OK", "TEMP", "NOTFOUND"},
        {"gone@left.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"nobody@left.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        /* configured and not in the cache yet */
        {"jdoe@unseen.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        /* foreign, bare, odd */
        {"jdoe@example.org", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"postmaster@example.org", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"ubuntu.com", "OK ubuntu.com", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"example.org", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"<>", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"@ubuntu.com", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
        {"\"gone\"@ubuntu.com", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
    };
    cache_change(&f->cache, more_lines);
    lookup_rest(f->lookup);
    assert_maps(f, cases, ARRAY_LENGTH(cases));
}

static void with_an_ill_cache_no_map_says_anything_against_anybody(void **state)
{
    struct fixture *f = *state;
    static const struct maps_case missing[] = {
        {"jdoe@ubuntu.com", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"gone@ubuntu.com", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"paused@kubuntu.org", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"nobody@kubuntu.org", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"gone@left.example", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"postmaster@ubuntu.com", "OK " ALERTS, "OK OK", "NOTFOUND", "NOTFOUND"},
        {"jdoe@example.org", "NOTFOUND", "NOTFOUND", "NOTFOUND", "NOTFOUND"},
    };
    lookup_rest(f->lookup);
    assert_int_equal(rename(f->cache.data, beside(&f->cache, "away")), 0);
    rest_and_tick(f);
    assert_maps(f, missing, ARRAY_LENGTH(missing));
    assert_int_equal(rename(beside(&f->cache, "away"), f->cache.data), 0);
    rest_and_tick(f);

    /* Records that cannot be read: of a name, and of a person. */
    static const char broken[] = "ubuntu.com\0broken";
    cache_put_raw(&f->cache, TABLE_ALIAS, (struct span){broken, sizeof(broken) - 1},
                  span_of("\1what"));
    cache_put_raw(&f->cache, TABLE_PERSON, span_of("jdoe"), span_of("\1what"));
    static const struct maps_case unreadable[] = {
        {"broken@ubuntu.com", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"broken+tag@ubuntu.com", "TEMP", "TEMP", "TEMP", "NOTFOUND"},
        {"jdoe@ubuntu.com", "OK me@x.example", "OK OK", "TEMP", "NOTFOUND"},
        {"gone@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
    };
    lookup_rest(f->lookup);
    assert_maps(f, unreadable, ARRAY_LENGTH(unreadable));

    /* Targets that no key opens; what is no secret is told as before. */
    struct error error;
    unlink(f->cache.keys);
    assert_true(keyring_generate(f->cache.keys, (gid_t)-1, &error));
    store_reader_destroy(f->reader);
    const struct store_reader_settings settings = {f->cache.directory, f->cache.keys, LIMIT_BYTES};
    f->reader = store_reader_create(&settings);
    make_lookup(f, "+");
    static const struct maps_case unopened[] = {
        {"deliver@ubuntu.com", "TEMP", "TEMP", "OK !nobody", "NOTFOUND"},
        {"plus@ubuntu.com", "TEMP", "TEMP", "OK plus", "NOTFOUND"},
        {"gone@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", GONE},
        {"paused@ubuntu.com", "NOTFOUND", "NOTFOUND", "OK !nobody", PAUSED},
    };
    assert_maps(f, unopened, ARRAY_LENGTH(unopened));
}

/* ---- trace ---- */

static void a_trace_tells_each_step_and_the_reason(void **state)
{
    struct fixture *f = *state;
    static const struct question_and_answer cases[] = {
        {"JDoe+Tag@Ubuntu.COM",
         "folded to jdoe+tag@ubuntu.com | jdoe+tag@ubuntu.com has no record | "
         "jdoe@ubuntu.com is there: member, active | its policy for the extension +tag: append | "
         "it answers with its targets"},
        {"gone@closed.example", "folded to gone@closed.example | gone@closed.example is there: "
                                "member, gone | cannot tell: the domain is closed"},
        {"gone@left.example",
         "folded to gone@left.example | gone@left.example is there: member, gone | "
         "cannot tell: the domain is not in the configuration any more"},
        {"nobody@kubuntu.org",
         "folded to nobody@kubuntu.org | nobody@kubuntu.org has no record | "
         "the catch-all of kubuntu.org takes it | it answers with its targets"},
        {"gone@ubuntu.com", "folded to gone@ubuntu.com | gone@ubuntu.com is there: member, gone | "
                            "ubuntu.com is open, so the address is known to be absent"},
        {"a@example.org", "folded to a@example.org | example.org is not ours, so it is absent"},
        {"abuse+x@ubuntu.com",
         "folded to abuse+x@ubuntu.com | abuse is a role address (RFC 2142), answered from the "
         "configuration | it answers with its targets"},
        {"\"a\"@ubuntu.com", "not a key that this map can hold, so it is absent"},
        {"ubuntu.com", "folded to ubuntu.com | ubuntu.com is a domain of ours"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct steps steps = {0};
        struct lookup_trace trace = {note_step, &steps};
        struct buffer out = {0};
        enum lookup_answer answer = lookup_ask(f->lookup, LOOKUP_MAP_ALIAS, cases[i].key,
                                               strlen(cases[i].key), &out, &trace);
        assert_string_equal(steps.all, cases[i].wanted);
        assert_reason(cases[i].key, answer, &steps);
        /* Targets are personal data and no part of a trace. */
        assert_null(strstr(steps.all, "x.example"));
        buffer_finish(&out);
    }
}

#define CASE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define EMPTY(test) cmocka_unit_test_setup_teardown(test, setup_empty, teardown)

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        EMPTY(what_needs_no_storage_is_answered_without_it),
        EMPTY(foreign_questions_do_not_wake_the_reader),
        EMPTY(the_domain_map_answers_from_memory),
        cmocka_unit_test(only_maps_that_exist_have_a_name),
        CASE(live_names_answer_and_the_rest_depends_on_whether_the_domain_is_open),
        CASE(in_a_cache_that_is_not_trusted_every_domain_is_closed),
        CASE(without_a_cache_all_that_is_ours_is_temp_and_the_rest_goes_on),
        CASE(what_cannot_be_read_or_unsealed_is_temp),
        CASE(a_domain_row_that_cannot_be_read_is_temp_for_what_needs_the_cache),
        CASE(the_exact_name_comes_first_and_then_each_cut_from_the_right),
        CASE(the_delimiters_are_those_of_the_configuration),
        CASE(an_extension_goes_back_is_dropped_or_refuses),
        CASE(the_catch_all_takes_what_is_absent_and_only_in_an_open_domain),
        CASE(an_international_domain_is_found_in_both_its_forms),
        CASE(many_targets_are_answered_whole_or_not_at_all),
        CASE(a_hundred_domains_are_learnt_in_the_middle_of_a_question),
        CASE(a_domain_that_the_cache_gains_is_learnt_by_looking_around),
        CASE(a_domain_that_is_removed_is_forgotten_by_looking_around),
        CASE(a_cache_that_is_not_trusted_makes_no_domain_foreign),
        CASE(a_lookup_that_takes_anothers_place_serves_what_the_cache_has),
        CASE(each_map_says_its_own_of_each_state_in_each_kind_of_domain),
        CASE(with_an_ill_cache_no_map_says_anything_against_anybody),
        CASE(a_trace_tells_each_step_and_the_reason),
        CASE(with_an_unreadable_cache_a_lookup_remembers_its_predecessors_domains),
        CASE(each_map_says_its_own_of_each_state_in_each_kind_of_domain),
        CASE(with_an_ill_cache_no_map_says_anything_against_anybody),
        CASE(a_trace_tells_each_step_and_the_reason),
        CASE(a_domain_that_is_closed_again_is_temp_at_once),
        CASE(each_map_says_its_own_of_each_state_in_each_kind_of_domain),
        CASE(with_an_ill_cache_no_map_says_anything_against_anybody),
        CASE(a_trace_tells_each_step_and_the_reason),
    };
    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
