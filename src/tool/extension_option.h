/* The option --extension of several commands. */
#ifndef LPALIAS_TOOL_EXTENSION_OPTION_H
#define LPALIAS_TOOL_EXTENSION_OPTION_H

#include <stdbool.h>

#include "base/compiler.h"
#include "store/record.h"

#define EXTENSION_OPTION_CHOICES "append|drop|refuse"
#define EXTENSION_OPTION_HELP    "append it to each target, drop it, or refuse such mail"

/* False: there is no policy of that name. */
bool extension_option_read(const char *text, enum extension_policy *ret) MUST_CHECK;

#endif
