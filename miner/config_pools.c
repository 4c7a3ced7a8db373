/*
 * config_pools.c - the settings' pools: one for each url, in the order in which they are
 * tried, each with what differs from the others.
 *
 * On the command line a pool's settings follow its -o; in the file they stand in its
 * section.  What a pool does not say for itself is as it is for all.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "miner/config_table.h"
#include "pool-protocol/user.h"

/* --- making --- */

static void pool_clear(struct config_pool *pool)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        config_value_clear(&pool->values[i]);
    *pool = (struct config_pool){0};
}

void config_pools_clear(struct config_pools *pools)
{
    for (size_t i = 0; i < pools->count; i++)
        pool_clear(&pools->pools[i]);
    pools->count = 0;
}

static enum status pools_room(const struct config_pools *pools, const char *place,
                              struct error *err)
{
    if (pools->count < POOL_LINKS_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_CONFIG, "%s: there are more than %d pools", place,
                     POOL_LINKS_MAX);
}

static enum status pools_add_one(struct config_pools *pools,
                                 const struct config_origin *from, const char *url,
                                 struct error *err)
{
    const enum status status = pools_room(pools, from->place, err);

    if (status)
        return status;
    /* Before the sections, which are known before anything else in the file. */
    size_t place = 0;
    while (place < pools->count && !*pools->pools[place].name)
        place++;
    struct config_pool *pool = &pools->pools[place];
    memmove(pool + 1, pool, (pools->count - place) * sizeof *pool);
    *pool = (struct config_pool){0};
    pools->count++;
    return config_value_set(&pool->values[SETTING_url], SETTING_url, from, url, err);
}

enum status config_pools_add(struct config_pools *pools, const struct config_origin *from,
                             const char *text, struct error *err)
{
    struct config_value unused = {0};
    enum status status = STATUS_OK;

    if (from->source < pools->source) { /* it loses, but it must be right */
        status = config_value_set(&unused, SETTING_url, from, text, err);
        config_value_clear(&unused);
        return status;
    }
    if (from->source > pools->source)
        config_pools_clear(pools);
    pools->source = from->source;
    while (!status && *text) {
        char url[CONFIG_ITEM_MAX + 1];
        const size_t size = strcspn(text, ",");

        if (size > CONFIG_ITEM_MAX)
            return error_set(err, STATUS_BAD_CONFIG,
                             "%s: \"%.60s...\" has %zu characters, expected at most %d",
                             from->place, text, size, CONFIG_ITEM_MAX);
        memcpy(url, text, size);
        url[size] = 0;
        if (size)
            status = pools_add_one(pools, from, url, err);
        text += size + (text[size] == ',');
    }
    return status;
}

/* --- sections of the file --- */

static struct config_pool *pools_find(struct config_pools *pools, const char *name)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (!strcmp(pools->pools[i].name, name))
            return &pools->pools[i];
    }
    return NULL;
}

enum status config_pools_section(struct config_pools *pools, const char *line,
                                 unsigned long number, struct error *err)
{
    static const char kind[] = "[pool ";
    const size_t length = strcspn(line, "\r\n"), begin = sizeof kind - 1;
    const size_t size = strcspn(line, "]");
    char name[CONFIG_KEY_MAX];

    if (strncmp(line, kind, begin) != 0 || size >= length || size <= begin ||
        size - begin >= sizeof name || strspn(line + begin, " ") ||
        strspn(line + size + 1, " \t\r") < length - size - 1)
        return error_set(err, STATUS_BAD_CONFIG,
                         "line %lu: section %.*s: expected [pool NAME], with a name of 1 "
                         "to %zu characters",
                         number, (int)(length < 60 ? length : 60), line, sizeof name - 1);
    memcpy(name, line + begin, size - begin);
    name[size - begin] = 0;
    if (pools_find(pools, name))
        return error_set(err, STATUS_BAD_CONFIG,
                         "line %lu: there is a [pool %s] before this one", number, name);
    const enum status status = pools_room(pools, "the file", err);
    if (status)
        return status;
    struct config_pool *pool = &pools->pools[pools->count++];
    pool->line = number;
    memcpy(pool->name, name, sizeof name);
    return STATUS_OK;
}

enum status config_pools_set(struct config_pools *pools, const char *section,
                             const char *key, const char *text, struct error *err)
{
    const struct config_origin from = {.source = FROM_FILE, .place = key};
    struct config_pool *pool =
        pools_find(pools, strlen(section) > 5 ? section + 5 : section);
    char name[CONFIG_KEY_MAX];

    assert(pool); /* the file was looked through for sections */
    for (int i = 0; i < SETTING_COUNT; i++) {
        config_key(config_table[i].name, name);
        if (config_table[i].of_pool && !strcmp(name, key))
            return config_value_set(&pool->values[i], (enum setting)i, &from, text, err);
    }
    return error_set(err, STATUS_BAD_CONFIG,
                     "\"%.60s\" is no setting of a pool, `minerva --print-config` shows "
                     "them",
                     key);
}

enum status config_pools_check(const struct config_pools *pools, struct error *err)
{
    for (size_t i = 0; i < pools->count; i++) {
        const struct config_pool *pool = &pools->pools[i];
        const struct config_value *url = &pool->values[SETTING_url];

        if (!url->count || !*url->items[0])
            return error_set(err, STATUS_BAD_CONFIG,
                             "line %lu: [pool %s] names no pool: expected a line "
                             "`url = ...` in it",
                             pool->line, pool->name);
    }
    return STATUS_OK;
}

/* --- what is left to say --- */

static const struct config_value *pool_value(const struct config *config, size_t index,
                                             enum setting setting)
{
    const struct config_value *all = &config->values[setting];

    if (!config_table[setting].of_pool || index >= config->pools.count)
        return all;
    const struct config_value *own = &config->pools.pools[index].values[setting];
    /* The command line wins over the file, where it speaks for all pools, too. */
    return own->source && own->source >= all->source ? own : all;
}

/* Whether -u stands before the first -o and after one as well. */
static enum status finish_order(const struct config *config, struct error *err)
{
    char key[CONFIG_KEY_MAX];

    for (size_t i = 0; i < config->pools.count; i++) {
        for (int setting = 0; setting < SETTING_COUNT; setting++) {
            if (setting == SETTING_url ||
                config->values[setting].source != FROM_COMMAND_LINE ||
                config->pools.pools[i].values[setting].source != FROM_COMMAND_LINE)
                continue;
            config_key(config_table[setting].name, key);
            return error_set(err, STATUS_USAGE,
                             "--%s stands before the first --url and after one: expected "
                             "it after the --url it belongs to",
                             key);
        }
    }
    return STATUS_OK;
}

static enum status finish_set(struct config_pool *pool, enum setting setting,
                              const char *place, const char *text, struct error *err)
{
    const struct config_origin from = {.source = FROM_COMMAND_LINE, .place = place};

    return config_value_set(&pool->values[setting], setting, &from, text, err);
}

/* The user of a neighbour on the command line, where a pool has none of its own. */
static enum status finish_user(struct config *config, size_t to, size_t from,
                               struct error *err)
{
    struct config_pool *pool = &config->pools.pools[to];
    enum status status = STATUS_OK;

    if (config->pools.source != FROM_COMMAND_LINE ||
        *config_pool_text(config, to, SETTING_user) ||
        !*config_pool_text(config, from, SETTING_user))
        return STATUS_OK;
    status = finish_set(pool, SETTING_user, "--user",
                        config_pool_text(config, from, SETTING_user), err);
    if (!status && config_pool_flag(config, from, SETTING_account))
        status = finish_set(pool, SETTING_account, "--account", "yes", err);
    if (!status && *config_pool_text(config, from, SETTING_worker))
        status = finish_set(pool, SETTING_worker, "--worker",
                            config_pool_text(config, from, SETTING_worker), err);
    return status;
}

/* Without a name of its own the worker has the one in the user, or else the host's. */
static enum status worker_name(const char *user_text, char name[WORKER_MAX + 1],
                               struct error *err)
{
    struct user user;
    const enum status status = user_split(user_text, &user, err);

    if (status)
        return status;
    memcpy(name, user.worker, sizeof user.worker);
    if (!*name && (gethostname(name, WORKER_MAX) || !*name))
        snprintf(name, WORKER_MAX + 1, "worker");
    name[WORKER_MAX] = 0;
    return STATUS_OK;
}

static enum status finish_worker(struct config *config, size_t index, struct error *err)
{
    const struct config_origin from = {.source = FROM_COMMAND_LINE, .place = "worker"};
    struct config_value *value = index < config->pools.count
                                     ? &config->pools.pools[index].values[SETTING_worker]
                                     : &config->values[SETTING_worker];
    char name[WORKER_MAX + 1];

    if (*config_pool_text(config, index, SETTING_worker))
        return STATUS_OK;
    const enum status status =
        worker_name(config_pool_text(config, index, SETTING_user), name, err);
    return status ? status : config_value_set(value, SETTING_worker, &from, name, err);
}

/* One mix-up of other miners. */
static enum status finish_pass(const struct config *config, size_t index,
                               struct error *err)
{
    if (!strstr(config_pool_text(config, index, SETTING_pass), "://"))
        return STATUS_OK;
    return error_set(
        err, STATUS_BAD_CONFIG,
        "--pass: this looks like a pool's address, which belongs to -o (--url)");
}

/* What stands before the '@', as a user and perhaps his password. */
static enum status finish_login(struct config *config, size_t index, char *login,
                                struct error *err)
{
    struct config_pool *pool = &config->pools.pools[index];
    char *colon = strrchr(login, ':');
    enum status status = STATUS_OK;

    if (colon && colon - login == 4 && !strncmp(login, "solo", 4))
        colon = NULL; /* that one belongs to the user */
    if (colon)
        *colon = 0;
    if (*config_pool_text(config, index, SETTING_user))
        return error_set(
            err, STATUS_USAGE,
            "--url names a user before its '@', and so does --user: expected "
            "one of them");
    status = finish_set(pool, SETTING_user, "--url", login, err);
    if (!status && colon && colon[1])
        status = finish_set(pool, SETTING_pass, "--url", colon + 1, err);
    return status;
}

/* SCHEME://USER:PASS@HOST:PORT: the user is taken out, so that nobody sees him again. */
static enum status finish_url(struct config *config, size_t index, struct error *err)
{
    struct config_pool *pool = &config->pools.pools[index];
    struct config_value *value = &pool->values[SETTING_url];
    const char *url = value->items[0], *scheme = strstr(url, "://");
    const char *begin = scheme ? scheme + 3 : url, *at = strrchr(begin, '@');
    char login[CONFIG_ITEM_MAX + 1], rest[CONFIG_ITEM_MAX + 1];
    const struct config_origin from = {.source = value->source, .place = "--url"};

    if (!at || at == begin || memchr(begin, '/', (size_t)(at - begin)))
        return STATUS_OK;
    snprintf(login, sizeof login, "%.*s", (int)(at - begin), begin);
    snprintf(rest, sizeof rest, "%.*s%s", (int)(begin - url), url, at + 1);
    const enum status status = finish_login(config, index, login, err);
    pool->is_exposed = value->source == FROM_COMMAND_LINE;
    return status ? status : config_value_set(value, SETTING_url, &from, rest, err);
}

enum status config_pools_finish(struct config *config, struct error *err)
{
    const size_t count = config->pools.count;
    enum status status = finish_order(config, err);

    for (size_t i = 0; !status && i < count; i++)
        status = finish_url(config, i, err);
    for (size_t i = 1; !status && i < count; i++)
        status = finish_user(config, i, i - 1, err);
    for (size_t i = count; !status && i-- > 1;)
        status = finish_user(config, i - 1, i, err);
    for (size_t i = 0; !status && i < (count ? count : 1); i++) {
        status = finish_pass(config, i, err);
        if (!status)
            status = finish_worker(config, i, err);
    }
    return status;
}

/* --- reading --- */

size_t config_pool_count(const struct config *config)
{
    return config->pools.count;
}

const char *config_pool_name(const struct config *config, size_t pool)
{
    assert(pool < config->pools.count);
    return *config->pools.pools[pool].name ? config->pools.pools[pool].name
                                           : config_pool_text(config, pool, SETTING_url);
}

bool config_pool_is_exposed(const struct config *config, size_t pool)
{
    assert(pool < config->pools.count);
    return config->pools.pools[pool].is_exposed;
}

const char *config_pool_text(const struct config *config, size_t pool,
                             enum setting setting)
{
    const struct config_value *value = pool_value(config, pool, setting);

    assert(config_table[setting].type != LIST);
    return value->count ? value->items[0] : "";
}

uint64_t config_pool_number(const struct config *config, size_t pool,
                            enum setting setting)
{
    assert(config_table[setting].type == NUMBER);
    return pool_value(config, pool, setting)->number;
}

bool config_pool_flag(const struct config *config, size_t pool, enum setting setting)
{
    assert(config_table[setting].type == FLAG);
    return pool_value(config, pool, setting)->number != 0;
}

uint32_t config_pool_choice(const struct config *config, size_t pool,
                            enum setting setting)
{
    assert(config_table[setting].type == CHOICE);
    return (uint32_t)pool_value(config, pool, setting)->number;
}
