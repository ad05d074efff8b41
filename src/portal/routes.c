#include "portal/route.h"

#include "base/compiler.h"
#include "portal/arrival.h"
#include "portal/bans_api.h"
#include "portal/choice_api.h"
#include "portal/confirm_api.h"
#include "portal/domains_api.h"
#include "portal/events_api.h"
#include "portal/history_api.h"
#include "portal/login.h"
#include "portal/me_api.h"
#include "portal/members_api.h"
#include "portal/notices_api.h"
#include "portal/own_data_api.h"
#include "portal/plans_api.h"
#include "portal/session_api.h"
#include "portal/status.h"
#include "portal/targets_api.h"

const struct route portal_routes[] = {
    {"GET", "/status.json", .access = ROUTE_ANYONE, .handle = status_show},
    {"GET", "/api/session", .access = ROUTE_ANYONE, .handle = session_api_show},
    {"GET", "/login", .access = ROUTE_ANYONE, .rate = ROUTE_RATE_LOGIN, .handle = login_begin},
    {"GET", LOGIN_RETURN_PATH, .access = ROUTE_ANYONE, .rate = ROUTE_RATE_LOGIN,
     .handle = arrival_begin},
    {"POST", LOGIN_RETURN_PATH, .access = ROUTE_ANYONE, .is_posted_by_provider = true,
     .rate = ROUTE_RATE_LOGIN, .handle = arrival_begin},
    {"POST", "/logout", .access = ROUTE_MEMBER, .handle = session_api_log_out},
    {"POST", "/logout/everywhere", .access = ROUTE_MEMBER,
     .handle = session_api_log_out_everywhere},
    {"GET", "/api/me", .access = ROUTE_MEMBER, .handle = me_api_show},
    {"POST", "/api/me/targets", .access = ROUTE_MEMBER, .rate = ROUTE_RATE_PROOF_MAIL,
     .handle = targets_api_add},
    {"POST", "/api/me/targets/remove", .access = ROUTE_MEMBER, .handle = targets_api_remove},
    {"POST", "/api/confirm", .access = ROUTE_ANYONE, .handle = confirm_api_use},
    {"POST", "/api/me/pause", .access = ROUTE_MEMBER, .handle = choice_api_pause},
    {"POST", "/api/me/resume", .access = ROUTE_MEMBER, .handle = choice_api_resume},
    {"POST", "/api/me/extension", .access = ROUTE_MEMBER, .handle = choice_api_set_extension},
    {"GET", "/api/me/history", .access = ROUTE_MEMBER, .rate = ROUTE_RATE_LONG_READ,
     .handle = history_api_list},
    {"GET", "/api/me/export", .access = ROUTE_MEMBER, .rate = ROUTE_RATE_LONG_READ,
     .handle = own_data_api_export},
    {"POST", "/api/me/erase", .access = ROUTE_MEMBER, .handle = own_data_api_erase},
    {"GET", "/api/admin/domains", .access = ROUTE_ADMIN, .handle = domains_api_list},
    {"GET", "/api/admin/members", .access = ROUTE_ADMIN, .handle = members_api_list},
    {"GET", "/api/admin/plans/{domain}", .access = ROUTE_ADMIN, .handle = plans_api_show},
    {"POST", "/api/admin/plans/{domain}/release", .access = ROUTE_ADMIN,
     .handle = plans_api_release},
    {"POST", "/api/admin/plans/{domain}/discard", .access = ROUTE_ADMIN,
     .handle = plans_api_discard},
    {"GET", "/api/admin/bans", .access = ROUTE_ADMIN, .handle = bans_api_list},
    {"POST", "/api/admin/bans", .access = ROUTE_ADMIN, .handle = bans_api_add},
    {"POST", "/api/admin/bans/remove", .access = ROUTE_ADMIN, .handle = bans_api_remove},
    {"GET", "/api/admin/events", .access = ROUTE_ADMIN, .handle = events_api_list},
    {"GET", "/api/admin/notices", .access = ROUTE_ADMIN, .handle = notices_api_list},
};
const size_t portal_route_count = ARRAY_LENGTH(portal_routes);
