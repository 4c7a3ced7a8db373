/*
 * config.c - settings out of one table: default, file, environment, command line.
 *
 * Each value remembers where it came from, and a later place only replaces an earlier one
 * of lower rank; so the places may be read in any order, and each is checked in full even
 * where it loses. The only file that includes inih.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/config_table.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"

enum { FILE_MAX_SIZE = 65536 };

/* --- the environment --- */

static enum status environment_list(struct config *config, enum setting setting,
                                    const char *place, const char *text,
                                    struct error *err)
{
    enum status status = STATUS_OK;

    for (const char *next = text; !status && next; next = strchr(next, ',')) {
        char item[CONFIG_ITEM_MAX + 1];
        next += *next == ',' && next != text;
        const size_t size = strcspn(next, ",");
        if (size > CONFIG_ITEM_MAX)
            return error_set(err, STATUS_BAD_CONFIG,
                             "%s: an item has %zu characters, expected at most %d", place,
                             size, CONFIG_ITEM_MAX);
        memcpy(item, next, size);
        item[size] = 0;
        status = config_set(config, setting, FROM_ENVIRONMENT, place, item, err);
    }
    return status;
}

static enum status environment_read(struct config *config, struct error *err)
{
    enum status status = STATUS_OK;

    for (int i = 0; !status && i < SETTING_COUNT; i++) {
        char name[CONFIG_KEY_MAX + 8] = "MINERVA_";
        for (size_t j = 0; config_table[i].name[j] && j + 9 < sizeof(name); j++) {
            const char c = config_table[i].name[j];
            name[8 + j] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        }
        const char *text = getenv(name);
        if (!text)
            continue;
        status =
            config_table[i].type == LIST
                ? environment_list(config, (enum setting)i, name, text, err)
                : config_set(config, (enum setting)i, FROM_ENVIRONMENT, name, text, err);
    }
    return status;
}

/* --- the file --- */

struct reading {
    struct config *config;
    struct config_pools *pools; /* of the file */
    struct error *err;
    enum status status; /* of the first refusal */
};

static enum status file_set(struct reading *reading, const char *key, const char *text)
{
    const struct config_origin from = {.source = FROM_FILE, .place = key};
    char name[CONFIG_KEY_MAX];

    for (int i = 0; i < SETTING_COUNT; i++) {
        config_key(config_table[i].name, name);
        if (strcmp(name, key) != 0)
            continue;
        if (i == SETTING_url)
            return config_pools_add(reading->pools, &from, text, reading->err);
        return config_set(reading->config, (enum setting)i, FROM_FILE, name, text,
                          reading->err);
    }
    return error_set(reading->err, STATUS_BAD_CONFIG,
                     "\"%.60s\" is no setting, `minerva --print-config` shows them", key);
}

static int file_line(void *context, const char *section, const char *key,
                     const char *text)
{
    struct reading *reading = context;

    if (reading->status)
        return 1;
    if (*section)
        reading->status =
            config_pools_set(reading->pools, section, key, text, reading->err);
    else
        reading->status = file_set(reading, key, text);
    return !reading->status;
}

/* What inih would cut, join or swallow without a word. */
static enum status file_check(const char *text, size_t size, struct config_pools *pools,
                              struct error *err)
{
    enum status status = STATUS_OK;
    unsigned long number = 1;

    if (memchr(text, 0, size))
        return error_set(err, STATUS_BAD_CONFIG,
                         "a NUL byte at offset %zu, expected text",
                         (size_t)((const char *)memchr(text, 0, size) - text));
    for (const char *line = text; !status && line < text + size; number++) {
        const size_t length = strcspn(line, "\n"), blanks = strspn(line, " \t\r");
        if (length > CONFIG_ITEM_MAX)
            return error_set(err, STATUS_BAD_CONFIG,
                             "line %lu has %zu bytes, expected at most %d", number,
                             length, CONFIG_ITEM_MAX);
        if (blanks && blanks < length && !strchr("#;", line[blanks]))
            return error_set(
                err, STATUS_BAD_CONFIG,
                "line %lu begins with a blank, expected the key at its start", number);
        if (*line == '[')
            status = config_pools_section(pools, line, number, err);
        line += length + 1;
    }
    return status;
}

static enum status file_parse(struct config *config, struct config_pools *pools,
                              struct blob *text, struct error *err)
{
    struct reading reading = {.config = config, .pools = pools, .err = err};
    const enum status status =
        text->size ? file_check((const char *)text->data, text->size, pools, err)
                   : STATUS_OK;

    if (status || !text->size)
        return status;
    const int line = ini_parse_string((const char *)text->data, file_line, &reading);
    if (reading.status)
        error_prefix(err, "line %d", line);
    else if (line)
        reading.status =
            error_set(err, STATUS_BAD_CONFIG, "line %d: expected `key = value`", line);
    return reading.status ? reading.status : config_pools_check(pools, err);
}

/* Pools of the file are taken where no better place names one. */
static enum status file_take(struct config *config, struct blob *text, struct error *err)
{
    struct config_pools *pools = memory_new(struct config_pools);
    enum status status;

    if (!pools)
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the settings");
    pools->source = FROM_FILE;
    status = file_parse(config, pools, text, err);
    if (!status && config->pools.source <= FROM_FILE) {
        const struct config_pools old = config->pools;

        config->pools = *pools;
        *pools = old;
    }
    config_pools_clear(pools);
    memory_free(pools);
    return status;
}

/* The file named, or the usual one where it exists. */
static enum status file_find(struct config *config, struct error *err)
{
    const char *named = getenv("MINERVA_CONFIG"), *home = getenv("XDG_CONFIG_HOME");
    const char *below = "minerva/miner.conf";

    if (config->path[0])
        return STATUS_OK;
    if (named && strlen(named) >= CONFIG_PATH_MAX)
        return error_set(err, STATUS_BAD_CONFIG,
                         "MINERVA_CONFIG: a path of %zu characters, expected at most %d",
                         strlen(named), CONFIG_PATH_MAX - 1);
    if (named && *named) {
        memcpy(config->path, named, strlen(named) + 1);
        return STATUS_OK;
    }
    if (!home || !*home) {
        home = getenv("HOME");
        below = ".config/minerva/miner.conf";
    }
    if (!home || !*home)
        return STATUS_OK;
    const enum status status =
        file_join(home, below, config->path, sizeof(config->path), err);
    if (!status && !file_exists(config->path))
        config->path[0] = 0;
    return status;
}

static enum status file_load(struct config *config, struct error *err)
{
    struct blob text = blob_empty(FILE_MAX_SIZE);
    enum status status = file_find(config, err);

    if (!status && config->path[0]) {
        status = file_read(config->path, &text, err);
        if (!status) {
            status = file_take(config, &text, err);
            if (status)
                error_prefix(err, "%s", config->path);
        } else if (status != STATUS_NO_MEMORY) {
            status = STATUS_BAD_CONFIG;
        }
    }
    blob_free(&text);
    return status;
}

/* --- all of it --- */

/* What no table can say: the values that depend on the machine. */
static enum status finish(struct config *config, struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char text[CONFIG_PATH_MAX];
    const enum status status = config_pools_finish(config, err);

    if (status)
        return status;
    if (*config_text(config, SETTING_cache))
        return STATUS_OK;
    if (cache && *cache)
        snprintf(text, sizeof(text), "%.140s/minerva", cache);
    else
        snprintf(text, sizeof(text), "%.140s/.cache/minerva",
                 home && *home ? home : "/tmp");
    return config_set(config, SETTING_cache, FROM_COMMAND_LINE, "cache", text, err);
}

static enum status defaults_read(struct config *config, struct error *err)
{
    enum status status = STATUS_OK;

    for (int i = 0; !status && i < SETTING_COUNT; i++)
        status = config_set(config, (enum setting)i, FROM_DEFAULT, config_table[i].name,
                            config_table[i].initial, err);
    return status;
}

enum status config_load(int argc, char **argv, struct config **out, struct error *err)
{
    struct config *config = memory_new(struct config);
    enum status status;

    assert(out);
    *out = NULL;
    if (!config)
        return error_set(err, STATUS_NO_MEMORY, "out of memory for the settings");
    status = config_options_read(config, argc, argv, err);
    if (!status)
        status = defaults_read(config, err);
    if (!status && config->action == CONFIG_RUN)
        status = environment_read(config, err);
    if (!status && config->action == CONFIG_RUN)
        status = file_load(config, err);
    if (!status)
        status = finish(config, err);
    if (status) {
        config_free(config);
        return status;
    }
    *out = config;
    return STATUS_OK;
}
