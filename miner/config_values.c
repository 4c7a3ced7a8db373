/*
 * config_values.c - one value of the settings: checked, taken, read, and all of them
 * printed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/config_table.h"
#include "pool-protocol/dialect.h"
#include "pool-protocol/known_pools.h"

enum { HELP_COLUMNS = 90 };

const struct config_row config_table[SETTING_COUNT] = {
#define SETTING(name, letter, type, initial, min, max, word, help)                       \
    {#name, letter, type, initial, min, max, word, help, false},
#define POOL_SETTING(name, letter, type, initial, min, max, word, help)                  \
    {#name, letter, type, initial, min, max, word, help, true},
#define ALIAS(name, setting)
#include "miner/config.def"
#undef SETTING
#undef POOL_SETTING
#undef ALIAS
};

void config_key(const char *name, char key[CONFIG_KEY_MAX])
{
    size_t i = 0;

    for (; name[i] && i + 1 < CONFIG_KEY_MAX; i++)
        key[i] = name[i] == '_' ? '-' : name[i];
    key[i] = 0;
}

/* --- one value --- */

static bool choice_parse(const char *words, const char *text, uint64_t *out)
{
    const size_t size = strlen(text);

    for (uint64_t index = 0; *words; index++) {
        const size_t length = strcspn(words, "|");
        if (length == size && !memcmp(words, text, size)) {
            *out = index;
            return true;
        }
        words += length + (words[length] == '|');
    }
    return false;
}

static bool flag_parse(const char *text, uint64_t *out)
{
    *out = !strcmp(text, "yes") || !strcmp(text, "true") || !strcmp(text, "1");
    return *out || !strcmp(text, "no") || !strcmp(text, "false") || !strcmp(text, "0");
}

/* Whether text is a value of row; place names where it stands. */
static enum status value_check(const struct config_row *row, const char *place,
                               const char *text, uint64_t *number, struct error *err)
{
    const size_t size = strlen(text);

    switch (row->type) {
    case TEXT:
        if (size < row->min || size > row->max)
            return error_set(err, STATUS_BAD_CONFIG,
                             "%s: \"%.60s\" has %zu characters, expected %llu to %llu",
                             place, text, size, (unsigned long long)row->min,
                             (unsigned long long)row->max);
        return STATUS_OK;
    case LIST:
        if (size > CONFIG_ITEM_MAX)
            return error_set(err, STATUS_BAD_CONFIG,
                             "%s: \"%.60s...\" has %zu characters, expected at most %d",
                             place, text, size, CONFIG_ITEM_MAX);
        return STATUS_OK;
    case NUMBER:
        if (u64_parse(text, row->max, number) && *number >= row->min)
            return STATUS_OK;
        return error_set(err, STATUS_BAD_CONFIG,
                         "%s: \"%.60s\" is no number from %llu to %llu", place, text,
                         (unsigned long long)row->min, (unsigned long long)row->max);
    case CHOICE:
    case FLAG:
        if (row->type == FLAG ? flag_parse(text, number)
                              : choice_parse(row->word, text, number))
            return STATUS_OK;
        return error_set(err, STATUS_BAD_CONFIG, "%s: \"%.60s\" is none of %s", place,
                         text, row->word);
    }
    return STATUS_OK;
}

void config_value_clear(struct config_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        memory_free(value->items[i]);
    *value = (struct config_value){0};
}

enum status config_value_set(struct config_value *value, enum setting setting,
                             const struct config_origin *from, const char *text,
                             struct error *err)
{
    const struct config_row *row = &config_table[setting];
    const enum config_source source = from->source;
    const char *place = from->place;
    uint64_t number = 0;
    const enum status status = value_check(row, place, text, &number, err);

    if (status || source < value->source)
        return status;
    if (source > value->source || row->type != LIST)
        config_value_clear(value);
    value->source = source;
    value->number = number;
    if (row->type == LIST && !*text)
        return STATUS_OK; /* an empty list */
    if (value->count == (row->type == LIST ? row->max : 1))
        return error_set(err, STATUS_BAD_CONFIG, "%s: given more than %llu times", place,
                         (unsigned long long)row->max);
    char *copy = memory_text(text);
    if (!copy)
        return error_set(err, STATUS_NO_MEMORY, "%s: out of memory", place);
    value->items[value->count++] = copy;
    return STATUS_OK;
}

enum status config_set(struct config *config, enum setting setting,
                       enum config_source source, const char *place, const char *text,
                       struct error *err)
{
    const struct config_origin from = {.source = source, .place = place};
    struct config_pools *pools = &config->pools;
    struct config_value *value = &config->values[setting];

    if (setting == SETTING_url)
        return config_pools_add(pools, &from, text, err);
    /* On the command line it belongs to the pool before it. */
    if (config_table[setting].of_pool && source == FROM_COMMAND_LINE && pools->count)
        value = &pools->pools[pools->count - 1].values[setting];
    return config_value_set(value, setting, &from, text, err);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (int i = 0; i < SETTING_COUNT; i++)
        config_value_clear(&config->values[i]);
    config_pools_clear(&config->pools);
    memory_free(config);
}

enum config_action config_action(const struct config *config)
{
    return config->action;
}

const char *config_path(const struct config *config)
{
    return config->path;
}

/* What a setting of a pool is for the first one, that is it for all that know one pool.
 */
const char *config_text(const struct config *config, enum setting setting)
{
    return config_pool_text(config, 0, setting);
}

uint64_t config_number(const struct config *config, enum setting setting)
{
    return config_pool_number(config, 0, setting);
}

bool config_flag(const struct config *config, enum setting setting)
{
    return config_pool_flag(config, 0, setting);
}

uint32_t config_choice(const struct config *config, enum setting setting)
{
    return config_pool_choice(config, 0, setting);
}

size_t config_count(const struct config *config, enum setting setting)
{
    assert(config_table[setting].type == LIST);
    return config->values[setting].count;
}

const char *config_item(const struct config *config, enum setting setting, size_t index)
{
    assert(config_table[setting].type == LIST);
    assert(index < config->values[setting].count);
    return config->values[setting].items[index];
}

enum status config_print(struct blob *out)
{
    enum status status =
        blob_addf(out,
                  "# miner.conf - every setting of `minerva mine` with its default; "
                  "`minerva mine -c FILE` reads it.\n"
                  "# The command line wins over the environment (MINERVA_NAME), that "
                  "over this file.  Lines have\n"
                  "# at most %d bytes; a blank and a ';' begin a comment.\n",
                  CONFIG_ITEM_MAX);

    for (int i = 0; !status && i < SETTING_COUNT; i++) {
        const struct config_row *row = &config_table[i];
        char key[CONFIG_KEY_MAX];
        config_key(row->name, key);
        status = blob_addf(out, "\n# %s", row->help);
        if (!status && (row->type == CHOICE || row->type == FLAG))
            status = blob_addf(out, " (%s)", row->word);
        if (!status)
            status = blob_addf(out, *row->initial ? "\n%s%s = %s\n" : "\n%s%s =%s\n",
                               *row->initial ? "" : "#", key, row->initial);
    }
    if (!status)
        status = blob_addf(
            out,
            "\n# More pools, each in a section of its own, tried in this order after "
            "`url`.  What\n# a section does not say is as above.  Its settings:");
    for (int i = 0; !status && i < SETTING_COUNT; i++) {
        char key[CONFIG_KEY_MAX];
        config_key(config_table[i].name, key);
        if (config_table[i].of_pool)
            status = blob_addf(out, " %s", key);
    }
    return status ? status : blob_addf(out, "\n#[pool NAME]\n#url =\n#user =\n");
}

/* Words of a list, as many on a line as fit. */
static enum status help_word(struct blob *out, const char *word, size_t *column)
{
    const bool is_full = *column + 1 + strlen(word) > HELP_COLUMNS;
    const enum status status =
        blob_addf(out, "%s%s", is_full || !*column ? "\n  " : " ", word);

    *column = (is_full || !*column ? 2 : *column + 1) + strlen(word);
    return status;
}

static enum status help_pools(struct blob *out)
{
    const struct known_pool *pool;
    const char *scheme;
    size_t column = 0;
    enum status status = blob_addf(out, "\nschemes of -o:");

    for (uint32_t i = 0; !status && (scheme = dialect_scheme_at(i)); i++)
        status = help_word(out, scheme, &column);
    if (!status)
        status = blob_addf(out, "\n\npools of -o pool:NAME:");
    column = 0;
    for (uint32_t i = 0; !status && (pool = known_pool_at(i)); i++)
        status = help_word(out, pool->name, &column);
    return status ? status : blob_addf(out, "\n");
}

enum status config_help(struct blob *out)
{
    enum status status =
        blob_addf(out, "usage: minerva mine -o URL -u USER [OPTIONS]\n\n");

    for (int i = 0; !status && i < SETTING_COUNT; i++) {
        const struct config_row *row = &config_table[i];
        char key[CONFIG_KEY_MAX], left[64];
        config_key(row->name, key);
        snprintf(left, sizeof(left), "%s%s%s", key, row->type == FLAG ? "" : " ",
                 row->type == FLAG        ? ""
                 : strlen(row->word) > 12 ? "WORD"
                                          : row->word);
        status = blob_addf(out, "  %c%c%c --%-22s %s\n", row->letter ? '-' : ' ',
                           row->letter ? row->letter : ' ', row->letter ? ',' : ' ', left,
                           row->help);
    }
    if (!status)
        status = blob_addf(out,
                           "  -c, --%-22s %s\n      --%-22s %s\n  -h, --%-22s %s\n"
                           "  -V, --%-22s %s\n",
                           "config FILE", "settings; see --print-config", "print-config",
                           "all settings with their defaults, as a file", "help",
                           "this list", "version", "the version");
    return status ? status : help_pools(out);
}
