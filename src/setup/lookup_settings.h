/* From the configuration to the lookup, which knows nothing of configuration files. */
#ifndef LPALIAS_SETUP_LOOKUP_SETTINGS_H
#define LPALIAS_SETUP_LOOKUP_SETTINGS_H

#include "config/config.h"
#include "lookup/lookup.h"
#include "store/reader.h"

/*
 * A lookup for the configured domains over reader, which is borrowed and must outlive it; config
 * is needed no longer. Never NULL.
 */
struct lookup *lookup_create_from_config(const struct config *config, struct store_reader *reader);

#endif
