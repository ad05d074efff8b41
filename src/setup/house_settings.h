/* From the configuration to the house rules, which know nothing of configuration files. */
#ifndef LPALIAS_SETUP_HOUSE_SETTINGS_H
#define LPALIAS_SETUP_HOUSE_SETTINGS_H

#include "config/config.h"
#include "membership/house.h"

/* Never NULL. Texts are borrowed from config, which must outlive it. */
struct house *house_create_from_config(const struct config *config);
void house_destroy(struct house *house);

#endif
