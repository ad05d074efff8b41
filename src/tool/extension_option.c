#include "tool/extension_option.h"

#include <string.h>

bool extension_option_read(const char *text, enum extension_policy *ret)
{
    for (enum extension_policy policy = EXTENSION_APPEND; policy <= EXTENSION_REFUSE; policy++)
        if (strcmp(text, extension_policy_name(policy)) == 0) {
            *ret = policy;
            return true;
        }
    return false;
}
