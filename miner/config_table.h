/*
 * config_table.h - the inside of a config, for config*.c alone: rows of the table,
 * values, their rank.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_CONFIG_TABLE_H
#define MINERVA_MINER_CONFIG_TABLE_H

#include "miner/config.h"

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
};

extern const struct config_row config_table[SETTING_COUNT];

struct config_value {
    enum config_source source;
    size_t count;
    char *items[CONFIG_ITEMS_MAX]; /* owned */
    uint64_t number;               /* NUMBER, FLAG, CHOICE: which word */
};

struct config {
    enum config_action action;
    char path[CONFIG_PATH_MAX];
    struct config_value values[SETTING_COUNT];
};

/* "cache_size" as people write it: "cache-size". */
void config_key(const char *name, char key[CONFIG_KEY_MAX]);

/* Checks text and, where source outranks what is there, takes it.  place names where it
 * stands. */
MUST_CHECK enum status config_set(struct config *config, enum setting setting,
                                  enum config_source source, const char *place,
                                  const char *text, struct error *err);

/* config_options.c */
MUST_CHECK enum status config_options_read(struct config *config, int argc, char **argv,
                                           struct error *err);

#endif
