#include "portal/route.h"

#include "base/compiler.h"
#include "portal/session_api.h"

const struct route portal_routes[] = {
    {"GET", "/api/session", .access = ROUTE_ANYONE, .handle = session_api_show},
    {"POST", "/logout", .access = ROUTE_MEMBER, .handle = session_api_log_out},
    {"POST", "/logout/everywhere", .access = ROUTE_MEMBER,
     .handle = session_api_log_out_everywhere},
};
const size_t portal_route_count = ARRAY_LENGTH(portal_routes);
