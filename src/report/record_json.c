#include "report/record_json.h"

#include <string.h>

#include "report/json_value.h"

json_t *json_from_alias(const struct alias_record *record)
{
    json_t *object = json_object();
    json_object_set_new(object, "kind", json_string(alias_kind_name(record->kind)));
    json_object_set_new(object, "state", json_string(alias_state_name(record->state)));
    json_object_set_new(object, "reason", json_from_reason(record->reason));
    json_object_set_new(object, "extension", json_string(extension_policy_name(record->extension)));
    json_object_set_new(object, "live", json_boolean(alias_record_is_live(record)));
    json_object_set_new(object, "since", json_from_time(record->since_s));
    json_object_set_new(object, "owner", json_from_optional(record->owner));
    return object;
}

json_t *json_from_lines(struct span text)
{
    json_t *list = json_array();
    for (size_t at = 0; at < text.length;) {
        const char *line = text.data + at;
        const char *end = memchr(line, '\n', text.length - at);
        size_t length = end != NULL ? (size_t)(end - line) : text.length - at;
        json_array_append_new(list, json_from_span((struct span){line, length}));
        at += length + 1;
    }
    return list;
}

json_t *json_from_membership(const struct membership_record *membership)
{
    json_t *object = json_object();
    json_object_set_new(object, "is_member", json_boolean(membership->is_member));
    json_object_set_new(object, "is_valid", json_boolean(membership->is_valid));
    json_object_set_new(object, "is_ubuntu_coc_signer",
                        json_boolean(membership->is_ubuntu_coc_signer));
    json_object_set_new(object, "is_admin", json_boolean(membership->is_admin));
    json_object_set_new(object, "is_name_allowed", json_boolean(membership->is_name_allowed));
    json_object_set_new(object, "extension",
                        json_string(extension_policy_name(membership->extension)));
    json_object_set_new(object, "extras", json_from_lines(membership->extras));
    json_object_set_new(object, "lacking_days", json_integer(membership->lacking_days));
    json_object_set_new(object, "since", json_from_time(membership->since_s));
    json_object_set_new(object, "missing_since", json_from_time(membership->missing_since_s));
    json_object_set_new(object, "invalid_since", json_from_time(membership->invalid_since_s));
    json_object_set_new(object, "unsigned_since", json_from_time(membership->unsigned_since_s));
    json_object_set_new(object, "live_since", json_from_time(membership->live_since_s));
    json_object_set_new(object, "leaving_since", json_from_time(membership->leaving_since_s));
    return object;
}
