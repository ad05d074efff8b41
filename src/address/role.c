#include "address/role.h"

#include <string.h>

bool address_is_role(const char *local, size_t length)
{
    static const char *const roles[] = {
        "abuse", "ftp",      "hostmaster", "info",   "marketing", "news",      "noc", "postmaster",
        "sales", "security", "support",    "usenet", "uucp",      "webmaster", "www",
    };
    for (size_t i = 0; length != 0 && i < ARRAY_LENGTH(roles); i++)
        if (roles[i][0] == local[0] && strlen(roles[i]) == length &&
            memcmp(roles[i], local, length) == 0)
            return true;
    return false;
}
