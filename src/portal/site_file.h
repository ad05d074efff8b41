/* The files of src/portal/pages, put into the program when it is built. */
#ifndef LPALIAS_PORTAL_SITE_FILE_H
#define LPALIAS_PORTAL_SITE_FILE_H

#include <stddef.h>

struct site_file {
    const char
        *path; /* "/" of index.html, "/status" of status.html, "/static/site.css" of site.css */
    const char *content_type;
    const char *etag; /* in its quotes, made of the content */
    const char *bytes;
    size_t length;
};

extern const struct site_file site_files[];
extern const size_t site_file_count;

/* The page of exactly that path, or NULL. */
const struct site_file *site_file_find(const char *path);

#endif
