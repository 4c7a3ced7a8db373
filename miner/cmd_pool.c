/*
 * cmd_pool.c - `minerva pool`: the reference pool, until a signal or a fault that cannot
 * be lived with.
 *
 * Exit 0 when stopped by SIGINT or SIGTERM, 1 when it cannot start or go on, 2 for wrong
 * usage.  A second signal leaves at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/bytes.h"
#include "miner/base/log.h"
#include "miner/commands.h"
#include "pool/pool_run.h"

enum { TICK_NS = 200 * 1000 * 1000, LEASE_S_MAX = 7 * 24 * 3600 };
static const uint64_t share_macs_max = (uint64_t)1 << 60;

static const char usage[] =
    "usage: minerva pool [OPTIONS]      the reference pool, speaking pouw/1 and plain "
    "Pearl\n\n"
    "  --listen ADDR:PORT      mining socket (127.0.0.1:3370; port 0: any)\n"
    "  --http ADDR:PORT        requesters and artifacts (127.0.0.1:3380; port 0: any)\n"
    "  --db FILE               database (minerva-pool.db)\n"
    "  --models DIR            every subfolder with a manifest.json is a model\n"
    "  --audit RATE            part of the shares and results done over, 0 to 1 (0.05)\n"
    "  --share-macs N          multiply-accumulates a share costs at first (4294967296)\n"
    "  --no-vardiff            a share costs the same for everybody\n"
    "  --min-rank N            smallest noise rank: 32, 64 or 128 (64)\n"
    "  --unassigned            shares without a task count\n"
    "  --http-token-file FILE  bearer token for /v1; without it: loopback only\n"
    "  --lease SECONDS         a worker's time without progress (600)\n";

enum {
    OPTION_LISTEN = 1,
    OPTION_HTTP,
    OPTION_DB,
    OPTION_MODELS,
    OPTION_AUDIT,
    OPTION_MACS,
    OPTION_NO_VARDIFF,
    OPTION_RANK,
    OPTION_UNASSIGNED,
    OPTION_TOKEN,
    OPTION_LEASE
};

static const struct option option_table[] = {
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"http", required_argument, NULL, OPTION_HTTP},
    {"db", required_argument, NULL, OPTION_DB},
    {"models", required_argument, NULL, OPTION_MODELS},
    {"audit", required_argument, NULL, OPTION_AUDIT},
    {"share-macs", required_argument, NULL, OPTION_MACS},
    {"no-vardiff", no_argument, NULL, OPTION_NO_VARDIFF},
    {"min-rank", required_argument, NULL, OPTION_RANK},
    {"unassigned", no_argument, NULL, OPTION_UNASSIGNED},
    {"http-token-file", required_argument, NULL, OPTION_TOKEN},
    {"lease", required_argument, NULL, OPTION_LEASE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool audit_parse(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *text && !*end && isfinite(*out) && *out >= 0 && *out <= 1;
}

static enum status take_number(const char *name, const char *text,
                               const uint64_t range[2], uint64_t *out, struct error *err)
{
    if (u64_parse(text, range[1], out) && *out >= range[0])
        return STATUS_OK;
    return error_set(err, STATUS_USAGE, "--%s: \"%s\", expected %llu to %llu", name, text,
                     (unsigned long long)range[0], (unsigned long long)range[1]);
}

static enum status take_rank(const char *text, uint32_t *out, struct error *err)
{
    uint64_t rank;

    if (!u64_parse(text, 128, &rank) || (rank != 32 && rank != 64 && rank != 128))
        return error_set(err, STATUS_USAGE, "--min-rank: \"%s\", expected 32, 64 or 128",
                         text);
    *out = (uint32_t)rank;
    return STATUS_OK;
}

static enum status take_value(int option, const char *text, struct pool_options *out,
                              struct error *err)
{
    const uint64_t macs[2] = {2, share_macs_max}, lease[2] = {1, LEASE_S_MAX};
    uint64_t number = 0;
    enum status status = STATUS_OK;

    switch (option) {
    case OPTION_AUDIT:
        if (!audit_parse(text, &out->audit))
            return error_set(err, STATUS_USAGE, "--audit: \"%s\", expected 0 to 1", text);
        return STATUS_OK;
    case OPTION_MACS:
        return take_number("share-macs", text, macs, &out->share_macs, err);
    case OPTION_RANK:
        return take_rank(text, &out->min_rank, err);
    default:
        status = take_number("lease", text, lease, &number, err);
        out->lease_s = (uint32_t)number;
        return status;
    }
}

static enum status take_option(int option, const char *text, struct pool_options *out,
                               struct error *err)
{
    switch (option) {
    case OPTION_LISTEN:
        out->listen = text;
        return STATUS_OK;
    case OPTION_HTTP:
        out->http = text;
        return STATUS_OK;
    case OPTION_DB:
        out->database = text;
        return STATUS_OK;
    case OPTION_MODELS:
        out->models = text;
        return STATUS_OK;
    case OPTION_TOKEN:
        out->token_file = text;
        return STATUS_OK;
    case OPTION_NO_VARDIFF:
        out->is_vardiff = false;
        return STATUS_OK;
    case OPTION_UNASSIGNED:
        out->is_unassigned = true;
        return STATUS_OK;
    default:
        return take_value(option, text, out, err);
    }
}

/* OK, DONE when help was asked for, or USAGE with a sentence ("" where getopt said it).
 */
static enum status take_options(int argc, char **argv, struct pool_options *out,
                                struct error *err)
{
    enum status status = STATUS_OK;
    int option;

    *out = (struct pool_options){.listen = "127.0.0.1:3370",
                                 .http = "127.0.0.1:3380",
                                 .database = "minerva-pool.db",
                                 .audit = 0.05,
                                 .share_macs = (uint64_t)1 << 32,
                                 .is_vardiff = true,
                                 .min_rank = 64,
                                 .lease_s = 600};
    optind = 1;
    while (!status && (option = getopt_long(argc, argv, "h", option_table, NULL)) != -1) {
        if (option == 'h')
            return STATUS_DONE;
        status = option == '?' ? STATUS_USAGE : take_option(option, optarg, out, err);
    }
    if (!status && optind < argc)
        status =
            error_set(err, STATUS_USAGE, "\"%s\": pool takes options only", argv[optind]);
    return status;
}

/* Ticks until a signal comes (OK) or the pool cannot go on. */
static enum status pool_wait(struct pool *pool, const sigset_t *signals)
{
    const struct timespec tick = {.tv_nsec = TICK_NS};

    for (;;) {
        const int number = sigtimedwait(signals, NULL, &tick);
        const enum status status = number > 0 ? STATUS_DONE : pool_tick(pool);
        if (number > 0)
            log_info("pool", "stopping");
        if (status)
            return status == STATUS_DONE ? STATUS_OK : status;
    }
}

static int pool_run(const struct pool_options *options)
{
    struct error err = {0};
    struct pool *pool;
    sigset_t signals;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* inherited by every thread */
    enum status status = pool_open(options, &pool, &err);
    if (status) {
        log_error("pool", "%s", error_text(&err));
        return status == STATUS_USAGE || status == STATUS_BAD_CONFIG ? EXIT_CODE_USAGE
                                                                     : EXIT_CODE_FAILED;
    }
    status = pool_wait(pool, &signals);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL); /* a second one leaves at once */
    pool_close(pool);
    if (status)
        log_error("pool", "cannot go on; what was answered is kept");
    return status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int cmd_pool(int argc, char **argv)
{
    struct pool_options options;
    struct error err = {0};
    enum status status = take_options(argc, argv, &options, &err);

    if (status == STATUS_DONE) {
        fputs(usage, stdout);
        return EXIT_CODE_OK;
    }
    if (!status)
        status = log_open(LOG_INFO, NULL, 1, &err);
    if (status) {
        if (*err.text)
            fprintf(stderr, "minerva pool: %s\n", err.text);
        return EXIT_CODE_USAGE;
    }
    const int code = pool_run(&options);
    log_close();
    return code;
}
