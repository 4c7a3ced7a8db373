/*
 * pool_sides.c - the pools of the settings, as one or two pool threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pool_sides.h"

#include <assert.h>

#include "miner/base/memory.h"
#include "miner/work/outgoing.h"
#include "pool-protocol/pool_target.h"

enum { OUTBOX_MAX = 64 };

/* The words of the setting, and none of them. */
enum role { ROLE_BOTH, ROLE_TASKS, ROLE_PROOFS, ROLE_NONE };

static enum role role_of(const struct config *config, size_t pool)
{
    return (enum role)config_pool_choice(config, pool, SETTING_role);
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

void pool_sides_options(const struct config *config, size_t pool,
                        struct pool_options *out)
{
    static const enum user_form forms[] = {USER_SPLIT, USER_DOT, USER_SLASH, USER_ARRAY};
    static const enum pool_wish passwords[] = {WISH_AS_KNOWN, WISH_NO, WISH_YES};
    const uint32_t login = config_pool_choice(config, pool, SETTING_login);

    *out = (struct pool_options){
        .url = config_pool_text(config, pool, SETTING_url),
        .number = (uint32_t)pool,
        .user = config_pool_text(config, pool, SETTING_user),
        .worker = config_pool_text(config, pool, SETTING_worker),
        .pass = config_pool_text(config, pool, SETTING_pass),
        .agent = "minerva/" MINERVA_VERSION,
        .is_account = config_pool_flag(config, pool, SETTING_account),
        .job_timeout_s = (uint32_t)config_pool_number(config, pool, SETTING_job_timeout),
        .dialect = (enum dialect_pin)config_pool_choice(config, pool, SETTING_dialect),
        .has_jsonrpc = (enum pool_wish)config_pool_choice(config, pool, SETTING_jsonrpc),
        .asks_gzip = (enum pool_wish)config_pool_choice(config, pool, SETTING_gzip),
        .is_password = passwords[config_pool_choice(config, pool, SETTING_pass_key)],
        .difficulty = config_pool_number(config, pool, SETTING_difficulty),
        .cert_version = (uint32_t)config_pool_number(config, pool, SETTING_cert_version),
        .pin = config_pool_text(config, pool, SETTING_tls_pin),
        .form = login ? &forms[login - 1] : NULL,
        .proxy = text_or_null(config_text(config, SETTING_proxy)),
        .ca_file = text_or_null(config_text(config, SETTING_ca_file)),
        .keep = config_text(config, SETTING_cache)};
}

static enum status check_one(const struct config *config, size_t pool, struct error *err)
{
    struct pool_options *options = memory_new(struct pool_options);
    struct pool_target *target = memory_new(struct pool_target);
    enum status status = STATUS_NO_MEMORY;

    if (options && target) {
        pool_sides_options(config, pool, options);
        status = pool_target_read(options, target, err);
        if (status && config_pool_count(config) > 1)
            error_prefix(err, "pool %s", config_pool_name(config, pool));
    } else {
        error_set(err, status, "out of memory");
    }
    memory_free(options);
    memory_free(target);
    return status;
}

enum status pool_sides_check(const struct config *config, struct error *err)
{
    enum status status = STATUS_OK;

    if (!config_pool_count(config))
        return error_set(
            err, STATUS_USAGE,
            "no pool: give -o URL, for example -o pouw+tcp://127.0.0.1:3370");
    for (size_t i = 0; !status && i < config_pool_count(config); i++)
        status = check_one(config, i, err);
    return status;
}

static enum status wire_hide(struct wire_log *wire, const struct config *config,
                             size_t pool)
{
    struct user user;
    struct error err = {0};
    enum status status =
        user_split(config_pool_text(config, pool, SETTING_user), &user, &err);

    if (!status)
        status = wire_log_hide(wire, user.address, false);
    if (!status)
        status = wire_log_hide(wire, config_pool_text(config, pool, SETTING_pass), true);
    return status;
}

enum status pool_sides_wire(const struct config *config, struct wire_log **out,
                            struct error *err)
{
    const char *path = config_text(config, SETTING_log_wire);
    enum status status = STATUS_OK;

    *out = NULL;
    if (!*path)
        return STATUS_OK;
    status = wire_log_open(path, out, err);
    if (status)
        return status;
    for (size_t i = 0; !status && i < config_pool_count(config); i++)
        status = wire_hide(*out, config, i);
    if (!status)
        return STATUS_OK;
    wire_log_close(*out);
    *out = NULL;
    return error_set(err, status, "the record of --log-wire: %s", status_text(status));
}

enum status pool_sides_open(struct pool_sides *sides, const struct config *config)
{
    enum status status;

    *sides = (struct pool_sides){.config = config};
    for (size_t i = 0; i < config_pool_count(config); i++)
        sides->is_split |= role_of(config, i) != ROLE_BOTH;
    status = queue_new(OUTBOX_MAX, outgoing_free, &sides->shares);
    if (!status && sides->is_split)
        status = queue_new(OUTBOX_MAX, outgoing_free, &sides->answers);
    else
        sides->answers = sides->shares;
    return status;
}

/* Starts one thread for all pools but those of the other role; *out stays NULL where none
 * is left. */
static enum status side_begin(const struct pool_sides *sides, enum role other,
                              const struct pool_options *common,
                              const struct pool_ports *ports, struct pool **out,
                              struct error *err)
{
    const size_t count = config_pool_count(sides->config);
    struct pool_options *list = memory_array(count, sizeof *list);
    enum status status = STATUS_OK;
    size_t used = 0;

    if (!list)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        if (role_of(sides->config, i) == other)
            continue;
        pool_sides_options(sides->config, i, &list[used]);
        list[used].wire = common->wire;
        if (ports->assignments)
            list[used].offer = common->offer;
        if (used)
            list[used - 1].next = &list[used];
        used++;
    }
    if (used)
        status = pool_start(list, ports, out, err);
    memory_free(list);
    return status;
}

static enum status sides_begin(struct pool_sides *sides,
                               const struct pool_options *common,
                               const struct pool_sides_ports *ports, struct error *err)
{
    struct pool_ports tasks = {
        .assignments = ports->assignments, .outbox = sides->answers, .news = ports->news};
    const struct pool_ports proofs = {
        .jobs = ports->jobs, .outbox = sides->shares, .news = ports->news};
    enum status status;

    if (!sides->is_split) {
        tasks.jobs = ports->jobs;
        status = side_begin(sides, ROLE_NONE, common, &tasks, &sides->tasks, err);
        sides->proofs = sides->tasks;
        return status;
    }
    status = side_begin(sides, ROLE_PROOFS, common, &tasks, &sides->tasks, err);
    if (!status)
        status = side_begin(sides, ROLE_TASKS, common, &proofs, &sides->proofs, err);
    return status;
}

enum status pool_sides_begin(struct pool_sides *sides, const struct message_offer *offer,
                             const struct pool_sides_ports *ports, struct error *err)
{
    struct pool_options *common = memory_new(struct pool_options);

    if (!common)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    common->offer = *offer;
    common->wire = ports->wire;
    const enum status status = sides_begin(sides, common, ports, err);
    memory_free(common);
    return status;
}

void pool_sides_next(struct pool_sides *sides)
{
    if (sides->tasks)
        pool_next(sides->tasks);
    if (sides->proofs && sides->proofs != sides->tasks)
        pool_next(sides->proofs);
}

uint32_t pool_sides_count(const struct pool_sides *sides)
{
    const bool has_two = sides->tasks && sides->proofs && sides->proofs != sides->tasks;

    return has_two ? 2 : 1;
}

void pool_sides_hush(struct pool_sides *sides)
{
    if (sides->shares)
        queue_close(sides->shares);
    if (sides->answers)
        queue_close(sides->answers);
}

uint32_t pool_sides_stop(struct pool_sides *sides, uint64_t wait_ms)
{
    uint32_t left = 0;

    if (sides->proofs)
        pool_end(sides->proofs, wait_ms); /* while the other one ends */
    if (sides->tasks)
        left = pool_stop(sides->tasks, wait_ms);
    if (sides->proofs && sides->proofs != sides->tasks)
        left += pool_stop(sides->proofs, wait_ms);
    return left;
}

void pool_sides_close(struct pool_sides *sides)
{
    if (sides->proofs != sides->tasks)
        pool_free(sides->proofs);
    pool_free(sides->tasks);
    if (sides->answers != sides->shares)
        queue_free(sides->answers);
    queue_free(sides->shares);
    *sides = (struct pool_sides){0};
}
