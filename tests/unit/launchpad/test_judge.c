/* judge: rows of pages as they could come, and what a listing of them is worth. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/memory.h"
#include "launchpad/judge.h"

#define COLLECTION "http://h/1.0/~t/participants"
#define PAGES_MAX  5

/* Names are separated by blanks; a capital T in front makes a team. next "-": absent. */
struct row {
    size_t start, total;
    const char *names, *next;
};

static void page_fill(struct page *page, const struct row *row)
{
    *page = (struct page){.start = row->start, .total_size = row->total};
    if (strcmp(row->next, "-") != 0)
        page->next = memory_copy_text(row->next);
    page->entries = memory_new(strlen(row->names) + 1, sizeof(*page->entries));
    CLEANUP(memory_free_at) char *names = memory_copy_text(row->names);
    char *rest = names;
    for (char *name; (name = strsep(&rest, " ")) != NULL;) {
        if (*name == '\0')
            continue;
        struct page_entry *entry = &page->entries[page->entry_count++];
        entry->is_team = *name == 'T';
        entry->is_valid = true;
        entry->date_created_us = *name;
        entry->name = memory_copy_text(name + (entry->is_team ? 1 : 0));
    }
}

static enum judge_verdict judge_rows(struct judge *judge, const struct row *rows,
                                     struct error *error)
{
    for (size_t i = 0; i < PAGES_MAX && rows[i].names != NULL; i++) {
        struct page page;
        page_fill(&page, &rows[i]);
        enum judge_verdict verdict = judge_page(judge, &page, error);
        page_finish(&page);
        if (verdict != JUDGE_MORE)
            return verdict;
        assert_string_equal(judge->url, rows[i].next);
    }
    return JUDGE_MORE;
}

#define NEXT(n) COLLECTION "?ws.size=3&memo=" #n

static void pages_are_judged_together(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct row rows[PAGES_MAX];
        enum judge_verdict wanted;
        const char *words; /* in the error of MOVED and UNUSABLE; people of COMPLETE */
    } cases[] = {
        {"one page", {{0, 3, "b a c", "-"}}, JUDGE_COMPLETE, "a b c"},
        {"an empty team", {{0, 0, "", "-"}}, JUDGE_COMPLETE, ""},
        {"teams are skipped", {{0, 3, "b Ta c", "-"}}, JUDGE_COMPLETE, "b c"},
        {"two pages", {{0, 5, "e d c", NEXT(3)}, {3, 5, "b a", "-"}}, JUDGE_COMPLETE, "a b c d e"},
        {"full last page", {{0, 4, "d c", NEXT(2)}, {2, 4, "b a", "-"}}, JUDGE_COMPLETE, "a b c d"},
        {"hidden on the only page", {{0, 3, "a b", "-"}}, JUDGE_COMPLETE, "a b"},
        {"hidden midway",
         {{0, 7, "a b c", NEXT(3)}, {3, 7, "d e", NEXT(6)}, {6, 7, "g", "-"}},
         JUDGE_COMPLETE,
         "a b c d e g"},
        {"the last page is one hidden entry",
         {{0, 4, "a b c", NEXT(3)}, {3, 4, "", "-"}},
         JUDGE_COMPLETE,
         "a b c"},
        {"smaller pages than asked for",
         {{0, 3, "a", NEXT(1)}, {1, 3, "b", NEXT(2)}, {2, 3, "c", "-"}},
         JUDGE_COMPLETE,
         "a b c"},
        {"a larger page than asked for", {{0, 5, "a b c d e", "-"}}, JUDGE_COMPLETE, "a b c d e"},
        {"total changes",
         {{0, 5, "a b c", NEXT(3)}, {3, 6, "d e", "-"}},
         JUDGE_MOVED,
         "from 5 to 6"},
        {"total falls so that start is beyond it",
         {{0, 5, "a b c", NEXT(3)}, {3, 3, "", "-"}},
         JUDGE_MOVED,
         "from 5 to 3"},
        {"a name twice",
         {{0, 5, "a b c", NEXT(3)}, {3, 5, "c d", "-"}},
         JUDGE_MOVED,
         "c is listed"},
        {"a name twice on a page", {{0, 3, "a b a", "-"}}, JUDGE_MOVED, "a is listed twice"},
        {"a team twice", {{0, 3, "a Tb Tb", "-"}}, JUDGE_MOVED, "b is listed twice"},
        {"a name too many and twice",
         {{0, 4, "a b c", NEXT(3)}, {3, 4, "c d", "-"}},
         JUDGE_MOVED,
         "c is listed"},
        {"more than total", {{0, 2, "a b c", "-"}}, JUDGE_UNUSABLE, "3 entries are listed"},
        {"more than none", {{0, 0, "a", "-"}}, JUDGE_UNUSABLE, "total_size is 0"},
        {"the first page is missing", {{3, 5, "d e", "-"}}, JUDGE_UNUSABLE, "starts at 3"},
        {"the last page is missing", {{0, 5, "a b c", "-"}}, JUDGE_UNUSABLE, "a page is missing"},
        {"a later last page is missing",
         {{0, 7, "a b c", NEXT(3)}, {3, 7, "d e f", "-"}},
         JUDGE_UNUSABLE,
         "the pages end at 6 of 7"},
        {"a page in the middle is missing",
         {{0, 10, "a b c", NEXT(3)}, {3, 10, "d e f", NEXT(9)}, {9, 10, "j", "-"}},
         JUDGE_UNUSABLE,
         "starts at 9 instead of 6"},
        {"more entries than slots",
         {{0, 9, "a b c", NEXT(2)}, {2, 9, "d", NEXT(3)}},
         JUDGE_UNUSABLE,
         "3 entries are listed before the page at 2"},
        {"start goes back",
         {{0, 9, "a b c", NEXT(3)}, {3, 9, "d e f", NEXT(6)}, {0, 9, "g", "-"}},
         JUDGE_UNUSABLE,
         "starts at 0 of 9"},
        {"start stands still",
         {{0, 5, "a b c", NEXT(3)}, {0, 5, "d", "-"}},
         JUDGE_UNUSABLE,
         "at 0"},
        {"pages beyond the end",
         {{0, 3, "a b c", NEXT(3)}, {3, 3, "", "-"}},
         JUDGE_UNUSABLE,
         "starts at 3 of 3"},
        {"a few hidden entries fill a page",
         {{0, 12, "a b c", NEXT(3)},
          {3, 12, "", NEXT(6)},
          {6, 12, "g", NEXT(9)},
          {9, 12, "j", "-"}},
         JUDGE_COMPLETE,
         "a b c g j"},
        {"nothing is shown midway",
         {{0, 27, "a b c", NEXT(10)}, {10, 27, "", NEXT(20)}},
         JUDGE_UNUSABLE,
         "no entry on the page at 10 of 27"},
        {"nothing is shown on the last page",
         {{0, 16, "a b c", NEXT(10)}, {10, 16, "", "-"}},
         JUDGE_UNUSABLE,
         "no entry on the page at 10 of 16"},
        {"a foreign link",
         {{0, 5, "a b c", "http://x/1.0/~t/participants?a"}},
         JUDGE_UNUSABLE,
         "host"},
        {"an empty link", {{0, 5, "a b c", ""}}, JUDGE_UNUSABLE, "not a plain absolute URL"},
        {"a link to itself",
         {{0, 5, "a b c", COLLECTION "?ws.size=3"}},
         JUDGE_UNUSABLE,
         "leads back"},
        {"a loop",
         {{0, 9, "a b c", NEXT(3)}, {3, 9, "d e f", NEXT(3)}},
         JUDGE_UNUSABLE,
         "leads back"},
        {"too many pages",
         {{0, 9, "a", NEXT(1)}, {1, 9, "b", NEXT(2)}, {2, 9, "c", NEXT(3)}, {3, 9, "d", NEXT(4)}},
         JUDGE_UNUSABLE,
         "more than 4 pages"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct judge judge;
        struct error error = {0};
        judge_begin(&judge, COLLECTION, 3, 4);
        assert_string_equal(judge.url, COLLECTION "?ws.size=3");
        enum judge_verdict verdict = judge_rows(&judge, cases[i].rows, &error);
        if (verdict != cases[i].wanted)
            fail_msg("%s: verdict %d, %s", cases[i].name, (int)verdict, error.text);
        if (verdict != JUDGE_COMPLETE) {
            if (strstr(error.text, cases[i].words) == NULL)
                fail_msg("%s: \"%s\" lacks \"%s\"", cases[i].name, error.text, cases[i].words);
            judge_finish(&judge);
            continue;
        }
        struct listing listing = {0};
        judge_fill(&judge, &listing);
        struct buffer names = {0};
        for (size_t at = 0; at < listing.person_count; at++)
            buffer_appendf(&names, "%s%s", at != 0 ? " " : "", listing.people[at].name);
        assert_string_equal(buffer_text(&names), cases[i].words);
        buffer_finish(&names);
        listing_finish(&listing);
        judge_finish(&judge);
    }
}

static void a_team_that_shows_nobody_proves_nothing(void **state)
{
    (void)state;
    static const struct row seen[][2] = {{{0, 5, "", "-"}}, {{0, 6, "", "-"}}};
    static const enum judge_verdict wanted[] = {JUDGE_COMPLETE, JUDGE_UNUSABLE};
    for (size_t i = 0; i < ARRAY_LENGTH(seen); i++) {
        struct judge judge;
        struct error error = {0};
        judge_begin(&judge, COLLECTION, 300, 4);
        assert_int_equal(judge_rows(&judge, seen[i], &error), wanted[i]);
        judge_finish(&judge);
    }
}

static void a_listing_counts_what_it_skips(void **state)
{
    (void)state;
    char names[LISTING_NAME_MAX_BYTES + 64];
    memset(names, 'a', LISTING_NAME_MAX_BYTES + 1);
    memcpy(names + LISTING_NAME_MAX_BYTES + 1, " Tb c", 6);
    const struct row rows[PAGES_MAX] = {{0, 5, names, "-"}};
    struct judge judge;
    struct error error = {0};
    judge_begin(&judge, COLLECTION, 300, 4);
    assert_int_equal(judge_rows(&judge, rows, &error), JUDGE_COMPLETE);
    struct listing listing = {0};
    judge_fill(&judge, &listing);
    judge_finish(&judge);
    assert_int_equal(listing.total_size, 5);
    assert_int_equal(listing.person_count, 1);
    assert_int_equal(listing.overlong, 1);
    assert_int_equal(listing.subteams, 1);
    assert_int_equal(listing.hidden, 2);
    const struct listing_person *found = &listing.people[0];
    assert_string_equal(found->name, "c");
    assert_int_equal(found->date_created_us, 'c');
    assert_true(found->is_valid);
    assert_false(found->is_ubuntu_coc_signer);
    listing_finish(&listing);
    assert_null(listing.people);
}

static void a_team_must_be_the_one_asked_for(void **state)
{
    (void)state;
    char name[] = "right";
    struct error error = {0};
    struct page_team team = {.name = name, .is_team = true};
    assert_true(judge_team(&team, "right", &error));
    assert_false(judge_team(&team, "wrong", &error));
    assert_error(error, ERROR_INVALID, "about ~right");
    team.is_team = false;
    assert_false(judge_team(&team, "right", &error));
    assert_error(error, ERROR_INVALID, "a person, not a team");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_judged_together),
        cmocka_unit_test(a_team_that_shows_nobody_proves_nothing),
        cmocka_unit_test(a_listing_counts_what_it_skips),
        cmocka_unit_test(a_team_must_be_the_one_asked_for),
    };
    return cmocka_run_group_tests_name("launchpad/judge", tests, NULL, NULL);
}
