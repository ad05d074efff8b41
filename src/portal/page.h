/* The files of src/portal/pages, put into the program when it is built. */
#ifndef LPALIAS_PORTAL_PAGE_H
#define LPALIAS_PORTAL_PAGE_H

#include <stddef.h>

struct page {
    const char
        *path; /* "/" of index.html, "/status" of status.html, "/static/site.css" of site.css */
    const char *content_type;
    const char *etag; /* in its quotes, made of the content */
    const char *bytes;
    size_t length;
};

extern const struct page pages[];
extern const size_t page_count;

/* The page of exactly that path, or NULL. */
const struct page *page_find(const char *path);

#endif
