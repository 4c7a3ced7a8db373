/*
 * pool_target.c - reads a pool's URL and the user's words.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool_target.h"

#include <stdio.h>
#include <string.h>

#include "pool-protocol/wallet.h"

static enum status target_text(const char *name, const char *from, size_t max, char *to,
                               struct error *err)
{
    const size_t size = from ? strlen(from) : 0;

    if (size > max)
        return error_set(err, STATUS_BAD_CONFIG,
                         "pool.%s is %zu characters long, expected at most %zu", name,
                         size, max);
    snprintf(to, max + 1, "%s", size ? from : "");
    return STATUS_OK;
}

static enum status target_user(const struct pool_options *options,
                               struct pool_target *out, struct error *err)
{
    const enum dialect_user wanted = out->row->dialect->user;
    struct user user;
    enum status status = user_split(options->user ? options->user : "", &user, err);

    if (status)
        return status;
    if (!*user.address && wanted != DIALECT_USER_NONE)
        return error_set(
            err, STATUS_BAD_CONFIG,
            "no user: give -u, the address that is paid, or any name where nothing is");
    if (wanted == DIALECT_USER_ADDRESS && !options->is_account)
        status = wallet_check(user.address, err);
    if (!status && options->worker && *options->worker)
        status = target_text("worker", options->worker, WORKER_MAX, user.worker, err);
    if (status)
        return status;
    return user_login(&user, out->login.form, &out->login.hello, err);
}

enum status pool_target_read(const struct pool_options *options, struct pool_target *out,
                             struct error *err)
{
    struct message_authorize *hello = &out->login.hello;
    enum status status = STATUS_OK;

    *out = (struct pool_target){.row = dialect_find(options->url, err)};
    if (!out->row)
        return STATUS_BAD_CONFIG;
    out->login.form = options->form ? *options->form : out->row->dialect->form;
    hello->offer = options->offer;
    status = target_text("url", strstr(options->url, "://") + 3, DIALECT_ADDRESS_MAX,
                         out->login.address, err);
    if (!status && out->row->dialect->has_socket)
        status = pool_url_parse(options->url, out->row->port, out->host, &out->port, err);
    if (!status)
        status = target_text("pass", options->pass, PASS_MAX, hello->pass, err);
    if (!status)
        status = target_text("agent", options->agent, AGENT_MAX, hello->agent, err);
    return status ? status : target_user(options, out, err);
}
