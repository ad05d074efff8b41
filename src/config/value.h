/* One value as written, checked by the type of its key and turned into what the programs use. */
#ifndef LPALIAS_CONFIG_VALUE_H
#define LPALIAS_CONFIG_VALUE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "config/table.h"

/*
 * Stores text in *ret_field, whose C type table.h says for each type; memory in it belongs to the
 * caller, as does what was in there before. False: *ret_field is left alone and what is wrong was
 * appended to wrong as "is ...; hint", to be read behind the value.
 */
bool value_parse(const struct config_key *key, const char *text, void *ret_field,
                 struct buffer *wrong) MUST_CHECK;

#endif
