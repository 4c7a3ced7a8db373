/*
 * config_table.h - the inside of a config, for config*.c alone: rows of the table,
 * values, their rank.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_CONFIG_TABLE_H
#define MINERVA_MINER_CONFIG_TABLE_H

#include "miner/config.h"
#include "pool-protocol/pool.h"

enum {
    CONFIG_ITEM_MAX = 190,
    CONFIG_ITEMS_MAX = 8,
    CONFIG_KEY_MAX = 32,
    CONFIG_PATH_MAX = 256
};

/* Where a value came from; a later one of these wins. */
enum config_source {
    FROM_NOWHERE,
    FROM_DEFAULT,
    FROM_FILE,
    FROM_ENVIRONMENT,
    FROM_COMMAND_LINE
};
enum config_type { TEXT, LIST, NUMBER, CHOICE, FLAG };

struct config_row {
    const char *name;
    int letter;
    enum config_type type;
    const char *initial;
    uint64_t min, max;
    const char *word;
    const char *help;
    bool of_pool; /* may differ from pool to pool */
};

extern const struct config_row config_table[SETTING_COUNT];

struct config_value {
    enum config_source source;
    size_t count;
    char *items[CONFIG_ITEMS_MAX]; /* owned */
    uint64_t number;               /* NUMBER, FLAG, CHOICE: which word */
};

struct config_pool {
    char name[CONFIG_KEY_MAX]; /* of its section, or "" */
    unsigned long line;        /* where that begins */
    bool is_exposed;           /* its URL named a user on the command line */
    struct config_value values[SETTING_COUNT]; /* those of a pool, where they differ */
};

struct config_pools {
    enum config_source source; /* all pools come from one place */
    size_t count;
    struct config_pool pools[POOL_LINKS_MAX];
};

struct config {
    enum config_action action;
    char path[CONFIG_PATH_MAX];
    struct config_value values[SETTING_COUNT];
    struct config_pools pools;
};

struct config_origin {
    enum config_source source;
    const char *place; /* names it in a refusal */
};

/* "cache_size" as people write it: "cache-size". */
void config_key(const char *name, char key[CONFIG_KEY_MAX]);

/* Checks text and, where source outranks what is there, takes it.  place names where it
 * stands. */
MUST_CHECK enum status config_set(struct config *config, enum setting setting,
                                  enum config_source source, const char *place,
                                  const char *text, struct error *err);

MUST_CHECK enum status config_value_set(struct config_value *value, enum setting setting,
                                        const struct config_origin *from,
                                        const char *text, struct error *err);
void config_value_clear(struct config_value *value);

/* config_pools.c */
/* The pools of an URL, or of several with commas between.  An empty text is none. */
MUST_CHECK enum status config_pools_add(struct config_pools *pools,
                                        const struct config_origin *from,
                                        const char *text, struct error *err);
/* A pool by its section, which must not be there yet; what is in it is set by its key. */
MUST_CHECK enum status config_pools_section(struct config_pools *pools, const char *line,
                                            unsigned long number, struct error *err);
MUST_CHECK enum status config_pools_set(struct config_pools *pools, const char *section,
                                        const char *key, const char *text,
                                        struct error *err);
/* Each section must have named its pool. */
MUST_CHECK enum status config_pools_check(const struct config_pools *pools,
                                          struct error *err);
void config_pools_clear(struct config_pools *pools);
/* What one pool takes over from another or from the machine; the mix-ups. */
MUST_CHECK enum status config_pools_finish(struct config *config, struct error *err);

/* config_options.c */
MUST_CHECK enum status config_options_read(struct config *config, int argc, char **argv,
                                           struct error *err);

#endif
