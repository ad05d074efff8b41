#include "portal/page.h"

#include <string.h>

const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < page_count; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}
