#include "address/role.h"

#include <string.h>

const char *const address_role_names[] = {
    "abuse", "ftp",      "hostmaster", "info",   "marketing", "news",      "noc", "postmaster",
    "sales", "security", "support",    "usenet", "uucp",      "webmaster", "www",
};
const size_t address_role_name_count = ARRAY_LENGTH(address_role_names);

bool address_is_role(const char *local, size_t length)
{
    for (size_t i = 0; length != 0 && i < address_role_name_count; i++)
        if (address_role_names[i][0] == local[0] && strlen(address_role_names[i]) == length &&
            memcmp(address_role_names[i], local, length) == 0)
            return true;
    return false;
}
