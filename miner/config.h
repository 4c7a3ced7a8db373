/*
 * config.h - the settings of `minerva mine`, out of four places and one table
 * (config.def).
 *
 * The command line wins over the environment (MINERVA_NAME), that over the file, that
 * over the default.  A wrong value is refused wherever it stands, with a sentence that
 * names the place.  A loaded config never changes: any thread may read it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_CONFIG_H
#define MINERVA_MINER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "miner/base/bytes.h"

enum setting {
#define SETTING(name, letter, type, initial, min, max, word, help) SETTING_##name,
#define POOL_SETTING                                               SETTING
#define ALIAS(name, setting)
#include "miner/config.def"
#undef SETTING
#undef POOL_SETTING
#undef ALIAS
    SETTING_COUNT
};

enum config_action { CONFIG_RUN, CONFIG_HELP, CONFIG_PRINT, CONFIG_VERSION };

struct config;

/* argv[0] is skipped.  USAGE for a wrong command line, BAD_CONFIG for the other places.
 */
MUST_CHECK enum status config_load(int argc, char **argv, struct config **out,
                                   struct error *err);
void config_free(struct config *config); /* NULL is fine */

enum config_action config_action(const struct config *config);
const char *
config_path(const struct config *config); /* the file that was read, "" for none */
/* A TEXT or CHOICE; "" when there is none. */
const char *config_text(const struct config *config, enum setting setting);
uint64_t config_number(const struct config *config, enum setting setting);
bool config_flag(const struct config *config, enum setting setting);
/* Which of its words a CHOICE is, from 0. */
uint32_t config_choice(const struct config *config, enum setting setting);
/* The pools in the order in which they are tried; 0 where none was named.  A setting that
 * may differ from pool to pool is asked for with the pool's number; without it, it is the
 * first one's. */
size_t config_pool_count(const struct config *config);
const char *config_pool_name(const struct config *config, size_t pool); /* of its section,
                                                                          or its URL */
/* Whether its user stood in a URL on the command line, for every process to read. */
bool config_pool_is_exposed(const struct config *config, size_t pool);
const char *config_pool_text(const struct config *config, size_t pool,
                             enum setting setting);
uint64_t config_pool_number(const struct config *config, size_t pool,
                            enum setting setting);
bool config_pool_flag(const struct config *config, size_t pool, enum setting setting);
uint32_t config_pool_choice(const struct config *config, size_t pool,
                            enum setting setting);
/* A LIST, in the order given. */
size_t config_count(const struct config *config, enum setting setting);
const char *config_item(const struct config *config, enum setting setting, size_t index);

/* The example file, and the list of options: appended to out. */
MUST_CHECK enum status config_print(struct blob *out);
MUST_CHECK enum status config_help(struct blob *out);

#endif
