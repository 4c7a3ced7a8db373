/*
 * pool_target.c - reads a pool's URL and the user's words.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pool-protocol/known_pools.h"
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

static bool target_wish(enum pool_wish wish, uint32_t manners, enum pool_manner manner)
{
    return wish == WISH_AS_KNOWN ? (manners & manner) != 0 : wish == WISH_YES;
}

/* A difficulty is asked for in the password: instead of one that says nothing, or behind
 * it. */
static enum status target_difficulty(const struct pool_options *options,
                                     const struct known_pool *known,
                                     struct pool_target *out, struct error *err)
{
    struct message_authorize *hello = &out->login.hello;
    const bool is_nothing = !strcmp(hello->pass, "x") &&
                            out->row->dialect != &dialect_array &&
                            out->login.pin != DIALECT_ARRAY;
    const char *pass = is_nothing ? "" : hello->pass;
    char text[PASS_MAX + 32];

    if (!options->difficulty)
        return STATUS_OK;
    if (*known->name && options->difficulty < known->difficulty_min)
        return error_set(err, STATUS_BAD_CONFIG,
                         "difficulty is %" PRIu64 ", pool:%s takes %" PRIu64 " and more",
                         options->difficulty, known->name, known->difficulty_min);
    if (*known->name && !known->difficulty_min)
        return error_set(err, STATUS_BAD_CONFIG,
                         "difficulty is %" PRIu64 ", but pool:%s lets nobody choose it",
                         options->difficulty, known->name);
    snprintf(text, sizeof text, "%s%sd=%" PRIu64, pass, *pass ? ";" : "",
             options->difficulty);
    return target_text("pass", text, PASS_MAX, hello->pass, err);
}

/* In what this pool differs, as it is known or as a person says. */
static enum status target_manners(const struct pool_options *options,
                                  const struct known_pool *known, struct pool_target *out,
                                  struct error *err)
{
    struct message_authorize *hello = &out->login.hello;

    if (options->cert_version > 3)
        return error_set(err, STATUS_BAD_CONFIG,
                         "cert-version is %" PRIu32 ", expected 1 to 3, or 0 for none",
                         options->cert_version);
    out->login.cert_version = options->cert_version;
    hello->has_jsonrpc =
        target_wish(options->has_jsonrpc, known->manners, MANNER_JSONRPC);
    hello->asks_gzip = target_wish(options->asks_gzip, known->manners, MANNER_GZIP);
    hello->is_password =
        target_wish(options->is_password, known->manners, MANNER_PASSWORD);
    return target_difficulty(options, known, out, err);
}

/* What a stratum+... pool speaks. */
static enum status target_pin_dialect(const struct pool_options *options,
                                      const struct known_pool *known,
                                      struct pool_target *out, struct error *err)
{
    const bool has_choice = out->row->dialect == &dialect_detect;

    if (options->dialect != DIALECT_DETECTED && !has_choice)
        return error_set(err, STATUS_BAD_CONFIG,
                         "dialect is set, but %s:// names one already", out->row->scheme);
    out->login.pin = options->dialect;
    if (has_choice && options->dialect == DIALECT_DETECTED && *known->name)
        out->login.pin = DIALECT_OBJECT;
    if (out->login.pin == DIALECT_ARRAY && !options->form)
        out->login.form = USER_DOT;
    return STATUS_OK;
}

/* The wallet as a login with lists has it, if it turns out that one is wanted. */
static void target_joined(const struct pool_options *options, const struct user *user,
                          struct dialect_login *login)
{
    struct message_authorize hello = {0};

    if (login->pin == DIALECT_DETECTED && !options->form &&
        !user_login(user, USER_DOT, &hello, NULL))
        memcpy(login->joined, hello.wallet, sizeof login->joined);
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
    target_joined(options, &user, &out->login);
    return user_login(&user, out->login.form, &out->login.hello, err);
}

/* sha256// and base64 of 32 bytes. */
static enum status target_pin(const struct dialect_row *row, const char *text,
                              char pin[POOL_PIN_MAX + 1], struct error *err)
{
    static const char prefix[] = "sha256//";
    const size_t size = strlen(prefix);
    struct blob key = blob_empty(64);
    const bool is_key = !strncmp(text, prefix, size) &&
                        !base64_decode(text + size, strlen(text + size), &key) &&
                        key.size == 32;

    blob_free(&key);
    if (!is_key)
        return error_set(err, STATUS_BAD_CONFIG,
                         "tls-pin is \"%.100s\", expected sha256// and base64 of 32 "
                         "bytes",
                         text);
    if (!row->has_tls)
        return error_set(err, STATUS_BAD_CONFIG,
                         "tls-pin names a key, but %s:// is not encrypted", row->scheme);
    snprintf(pin, POOL_PIN_MAX + 1, "%s", text);
    return STATUS_OK;
}

/* A Unix socket: the host is this machine. */
static enum status target_path(struct pool_target *out, struct error *err)
{
    const char *path = out->login.address;

    if (path[0] != '/' || !path[1] || strlen(path) > POOL_PATH_MAX)
        return error_set(err, STATUS_BAD_CONFIG,
                         "the gateway's socket is \"%s\", expected %s:///PATH of at most "
                         "%d characters",
                         path, out->row->scheme, (int)POOL_PATH_MAX);
    memcpy(out->path, path, strlen(path) + 1); /* fits: checked above */
    snprintf(out->host, sizeof out->host, "localhost");
    return STATUS_OK;
}

/* Where it is, by what follows the scheme. */
static enum status target_place(const char *url, struct pool_target *out,
                                struct error *err)
{
    const enum status status = target_text("url", strstr(url, "://") + 3,
                                           DIALECT_ADDRESS_MAX, out->login.address, err);

    if (status || !out->row->dialect->has_socket)
        return status;
    return strstr(out->row->scheme, "+unix")
               ? target_path(out, err)
               : pool_url_parse(url, out->row->port, out->host, &out->port, err);
}

/* HOST:PORT alone is a Pearl pool, encrypted if it can be: with the scheme that says so.
 */
static const char *target_url(const char *url, char full[DIALECT_ADDRESS_MAX + 16])
{
    const char *colon = strrchr(url, ':');
    const bool is_bare = colon && colon > url && colon[1] &&
                         strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
                         !strstr(url, "://") && strlen(url) <= DIALECT_ADDRESS_MAX;

    if (!is_bare)
        return url;
    snprintf(full, DIALECT_ADDRESS_MAX + 16, "stratum+ssl://%s", url);
    return full;
}

enum status pool_target_read(const struct pool_options *options, struct pool_target *out,
                             struct error *err)
{
    static const struct known_pool unknown = {.name = "", .pin = ""};
    const struct known_pool *known = known_pool_find(options->url, err);
    char full[DIALECT_ADDRESS_MAX + 16];
    const char *url = known ? known->url : target_url(options->url, full);
    struct message_authorize *hello = &out->login.hello;
    enum status status = STATUS_OK;

    *out = (struct pool_target){0};
    if (!known && !strncmp(url, KNOWN_POOL_SCHEME, strlen(KNOWN_POOL_SCHEME)))
        return STATUS_BAD_CONFIG;
    out->row = dialect_find(url, err);
    if (!out->row)
        return STATUS_BAD_CONFIG;
    out->login.form = known ? known->form : out->row->dialect->form;
    if (options->form)
        out->login.form = *options->form;
    known = known ? known : &unknown;
    status = target_pin_dialect(options, known, out, err);
    out->login.job_timeout_s =
        options->job_timeout_s ? options->job_timeout_s : known->job_timeout_s;
    const char *pin = options->pin && *options->pin ? options->pin : known->pin;
    if (!status && *pin)
        status = target_pin(out->row, pin, out->pin, err);
    out->may_be_plain = url == full && !*pin; /* who has a key means it */
    hello->offer = options->offer;
    if (!status)
        status = target_place(url, out, err);
    if (!status)
        status = target_text("pass", options->pass, PASS_MAX, hello->pass, err);
    if (!status)
        status = target_text("agent", options->agent, AGENT_MAX, hello->agent, err);
    if (!status)
        status = target_manners(options, known, out, err);
    return status ? status : target_user(options, out, err);
}
