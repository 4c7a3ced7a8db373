/*
 * user.c - takes a user string apart, and puts it together as a pool wants it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/user.h"

#include <stdio.h>
#include <string.h>

static const char solo[] = "solo:";

enum status user_split(const char *text, struct user *out, struct error *err)
{
    *out = (struct user){.is_solo = !strncmp(text, solo, strlen(solo))};
    if (out->is_solo)
        text += strlen(solo);

    const size_t size = strcspn(text, "./");
    const char *worker = text[size] ? text + size + 1 : "";
    if (size > WALLET_MAX || strlen(worker) > WORKER_MAX)
        return error_set(err, STATUS_BAD_CONFIG,
                         "pool.user has %zu characters before its worker and %zu in it, "
                         "expected at most %d and %d",
                         size, strlen(worker), (int)WALLET_MAX, (int)WORKER_MAX);
    snprintf(out->address, sizeof out->address, "%.*s", (int)size, text);
    snprintf(out->worker, sizeof out->worker, "%s", worker);
    return STATUS_OK;
}

enum status user_login(const struct user *user, enum user_form form,
                       struct message_authorize *hello, struct error *err)
{
    const char *between = form == USER_SLASH ? "/" : ".";
    const bool is_joined = form != USER_SPLIT && *user->worker;
    const int size = snprintf(hello->wallet, sizeof hello->wallet, "%s%s%s%s",
                              user->is_solo ? solo : "", user->address,
                              is_joined ? between : "", is_joined ? user->worker : "");

    snprintf(hello->worker, sizeof hello->worker, "%s", user->worker);
    if (size > WALLET_MAX)
        return error_set(err, STATUS_BAD_CONFIG,
                         "pool.user and worker make a wallet of %d characters, expected "
                         "at most %d",
                         size, (int)WALLET_MAX);
    return STATUS_OK;
}
