/*
 * Launchpad's JSON: what is accepted has every field, legal names and addresses, and a reason when
 * it is not; whoever is not logged in sees no address.
 */
#include "launchpad/page.h"
#include "fuzz.h"

static void read_page(struct span body, const char *email_api)
{
    struct error error = {0};
    struct page page;
    if (!page_read(body, email_api, &page, &error)) {
        REQUIRE(error.kind == ERROR_INVALID && error.text[0] != '\0');
        return;
    }
    for (size_t i = 0; i < page.entry_count; i++) {
        const struct page_entry *entry = &page.entries[i];
        bool has_address = entry->preferred == LISTING_PREFERRED_ADDRESS;
        REQUIRE(page_is_name(entry->name));
        REQUIRE(has_address == (entry->address != NULL));
        REQUIRE(!has_address || (email_api != NULL && page_is_address(entry->address)));
    }
    page_finish(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span body = {(const char *)bytes, size};
    struct error error = {0};
    struct page_team team;
    read_page(body, NULL);
    read_page(body, "https://h/1.0");
    if (page_read_team(body, &team, &error)) {
        REQUIRE(page_is_name(team.name));
        page_team_finish(&team);
    } else {
        REQUIRE(error.kind == ERROR_INVALID && error.text[0] != '\0');
    }
    return 0;
}
