/* Launchpad's JSON: what is accepted has every field, legal names, and a reason when it is not. */
#include "launchpad/page.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span body = {(const char *)bytes, size};
    struct error error = {0};
    struct page page;
    struct page_team team;
    if (page_read(body, NULL, &page, &error)) {
        for (size_t i = 0; i < page.entry_count; i++)
            REQUIRE(page_is_name(page.entries[i].name));
        page_finish(&page);
    } else {
        REQUIRE(error.kind == ERROR_INVALID && error.text[0] != '\0');
    }
    error = (struct error){0};
    if (page_read_team(body, &team, &error)) {
        REQUIRE(page_is_name(team.name));
        page_team_finish(&team);
    } else {
        REQUIRE(error.kind == ERROR_INVALID && error.text[0] != '\0');
    }
    return 0;
}
