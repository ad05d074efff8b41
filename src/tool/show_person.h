/* `lpalias show NAME`: a person, and each domain that has to do with the person. */
#ifndef LPALIAS_TOOL_SHOW_PERSON_H
#define LPALIAS_TOOL_SHOW_PERSON_H

#include <stdbool.h>

#include "base/compiler.h"
#include "tool/command.h"
#include "tool/workspace.h"

/* work has a snapshot; is_shown: the targets themselves and not only their number. */
enum exit_status show_person(const struct workspace *work, const char *name, bool is_json,
                             bool is_shown);

#endif
