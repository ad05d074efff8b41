/* From the parsed file to a struct config: values, defaults, and what must hold between them. */
#ifndef LPALIAS_CONFIG_BUILD_H
#define LPALIAS_CONFIG_BUILD_H

#include "config/config.h"
#include "config/parse.h"
#include "config/problem.h"

/*
 * Fills the zeroed config. All of parsed is looked at whatever goes wrong; unless problems is
 * still empty, config is of use for config_destroy() only.
 */
void config_build(const struct parsed *parsed, struct config *config,
                  struct problem_list *problems);

#endif
