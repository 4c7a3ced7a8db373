/*
 * way_trial.c - what a way on trial must show, in the process that was started for it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/way_trial.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "bench/turns.h"
#include "miner/base/clock.h"
#include "miner/commands.h"
#include "miner/selftest.h"
#include "miner/way_products.h"

enum {
    TURN_NS = 100000000,
    ROUNDS_MAX = 6,
    ROUNDS_MS = 1000, /* no further one begins after that */
    RANKS = 32,       /* in k */
};

static enum status side_open(const struct device_entry *entry, const char *variant,
                             struct device **out, struct error *err)
{
    const struct device_options options = {.variant = variant};

    return device_open(entry->backend, entry->index, &options, out, err);
}

/* The more processors, the more waves: then the last one weighs little. */
static struct bench_setup setup_of(const struct way_sides *sides)
{
    const uint64_t processors = device_info(sides->trial)->threads;
    const uint64_t tiles = processors * processors / 8;
    const uint32_t columns = way_tile_columns(tiles);

    return (struct bench_setup){
        .m = WAY_TILE_ROWS * (uint32_t)(tiles > columns ? tiles / columns : 1),
        .n = WAY_TILE_COLUMNS * columns,
        .k = RANKS * sides->way->rank,
        .rank = sides->way->rank,
        .tile = {way_pattern(&sides->way->rows), way_pattern(&sides->way->columns)}};
}

static enum status rates_measure(const struct way_sides *sides, uint32_t *permille,
                                 struct error *err)
{
    struct turns turns = {.turn_ns = TURN_NS};
    struct bench_setup setup = setup_of(sides);
    struct bench_result given, rival;
    const uint64_t end = clock_ms() + ROUNDS_MS;
    enum status status;

    setup.device = sides->trial;
    status = turns_join(&turns, 0, &bench_mining, &setup, err);
    setup.device = sides->rival;
    if (!status)
        status = turns_join(&turns, 1, &bench_mining, &setup, err);
    for (uint32_t i = 0; !status && i < ROUNDS_MAX && (!i || clock_ms() < end); i++)
        status = turns_round(&turns, err);
    if (!status && turns_result(&turns, 0, &given) && turns_result(&turns, 1, &rival) &&
        rival.median > 0)
        *permille = (uint32_t)(1000 * given.median / rival.median);
    turns_close(&turns);
    return status;
}

static enum status sides_try(const struct way_sides *sides, struct way_verdict *out,
                             struct error *err)
{
    enum status status = selftest_short(sides->trial, err);

    if (status) {
        error_prefix(err, "it failed its self-test");
        return status;
    }
    status = way_products_check(sides, &out->products, err);
    if (!status)
        status = rates_measure(sides, &out->permille, err);
    return status;
}

/* What came of a device or a comparison, and not of how things stand. */
static bool is_fault(enum status status)
{
    return status == STATUS_MISMATCH || status == STATUS_DEVICE_LOST ||
           status == STATUS_BAD_PROOF;
}

static enum status way_try(const struct device_entry *entry, const char *name,
                           struct way_verdict *out, struct error *err)
{
    struct way_sides sides = {.way = NULL};
    struct ways ways;
    enum status status = side_open(entry, name, &sides.trial, err);

    if (!status) {
        ways = device_info(sides.trial)->ways;
        sides.way = ways_find(&ways, name);
        if (!sides.way)
            status = error_set(err, STATUS_NOT_FOUND, "%s is not on trial here", name);
    }
    if (!status)
        status = side_open(entry, sides.way->rival, &sides.rival, err);
    if (!status)
        status = side_open(entry, "plain", &sides.text, err);
    if (!status) {
        status = sides_try(&sides, out, err);
        if (is_fault(status))
            out->state = WAY_WRONG;
    }
    device_close(sides.text);
    device_close(sides.rival);
    device_close(sides.trial);
    return status;
}

int way_trial_print(const struct device_entry *entry, const char *name)
{
    struct way_verdict verdict = {.state = WAY_UNTRIED};
    struct error err = {0};
    enum status status;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would end it any more */
    status = way_try(entry, name, &verdict, &err);

    if (!status)
        printf("right %u %u\n", verdict.products, verdict.permille);
    else
        printf("%s %.300s\n", verdict.state == WAY_WRONG ? "wrong" : "untried",
               error_text(&err));
    return fflush(stdout) || status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

void way_trial_parse(const char *line, struct way_verdict *out)
{
    const char *rest = strchr(line, ' ');
    const int length = (int)strcspn(line, "\n");

    *out = (struct way_verdict){.state = WAY_WRONG};
    if (sscanf(line, "right %9u %9u", &out->products, &out->permille) == 2 &&
        out->products)
        out->state = WAY_SLOWER;
    else if (rest && !strncmp(line, "untried ", 8))
        out->state = WAY_UNTRIED;
    if (out->state == WAY_SLOWER)
        return;
    if (rest && (out->state == WAY_UNTRIED || !strncmp(line, "wrong ", 6)))
        snprintf(out->why, sizeof out->why, "%.*s", length - (int)(rest + 1 - line),
                 rest + 1);
    else
        snprintf(out->why, sizeof out->why, "it ended without a verdict");
}
