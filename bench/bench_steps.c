/*
 * bench_steps.c - the steps of steps.h as benchmarks.
 *
 * In the clock: the step alone, from its launch to the device's end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "bench/steps.h"
#include "bench/sweep.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"

typedef enum status step_function(struct steps *steps);
typedef enum status step_check(struct steps *steps, struct error *err);

struct bench {
    struct steps steps;
    struct sweep *sweep;
    step_function *run;
    bool renews; /* the left operand is another one each time */
};

struct step {
    step_function *run, *before; /* before all runs; NULL: nothing */
    step_check *check;
    unsigned rooms;
    bool is_ahead; /* only where products are prepared while others run */
    bool keeps;    /* the left operand, which the step itself writes */
};

static void step_close(struct bench *bench)
{
    if (!bench)
        return;
    sweep_close(bench->sweep);
    steps_close(&bench->steps);
    memory_free(bench);
}

static enum status step_run(struct bench *bench, double *value, struct error *err)
{
    struct steps *steps = &bench->steps;
    enum status status = sweep_run(bench->sweep);

    if (!status && bench->renews)
        status =
            generated_left(&steps->operands, ++steps->seed_a, steps->operands.shape.m);
    if (!status)
        status = device_finish(steps->device);
    const uint64_t start = clock_ns();
    if (!status)
        status = bench->run(steps);
    if (!status)
        status = device_finish(steps->device);
    *value = (double)(clock_ns() - start) / 1e6;
    return status ? error_set(err, status, "the step failed: %s", status_text(status))
                  : STATUS_OK;
}

static enum status step_open(const struct step *step, const struct bench_setup *setup,
                             struct bench **out, struct error *err)
{
    struct bench *bench;
    double value;
    enum status status;

    *out = NULL;
    if (step->is_ahead && !device_info(setup->device)->products_ahead)
        return error_set(err, STATUS_ABSENT,
                         "this device prepares no product while another one runs");
    bench = *out = memory_new(struct bench);
    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    bench->run = step->run;
    bench->renews = !step->keeps;
    status = steps_open(setup, step->rooms, &bench->steps, err);
    if (!status)
        status = sweep_open(setup, &bench->sweep, err);
    if (!status && step->before && step->before(&bench->steps))
        status = error_set(err, STATUS_DEVICE_LOST, "the step before it failed");
    if (!status)
        status = step_run(bench, &value, err);
    if (!status)
        status = step->check(&bench->steps, err);
    if (status && !err->text[0])
        error_set(err, status, "the step cannot be checked: %s", status_text(status));
    return status;
}

static void step_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    const struct model_shape s = bench->steps.operands.shape;

    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u,%u", (unsigned)s.m, (unsigned)s.n,
             (unsigned)s.k, bench->steps.rank);
}

/* The clean right operand, as products read it. */
static enum status clean_pack(struct steps *steps)
{
    return device_pack(steps->device, steps->packed,
                       (struct view){steps->operands.right, 0}, NULL);
}

#define STEP(word, ...)                                                                  \
    static enum status word##_open(const struct bench_setup *setup, struct bench **out,  \
                                   struct error *err)                                    \
    {                                                                                    \
        static const struct step step = {.run = steps_##word, __VA_ARGS__};              \
                                                                                         \
        return step_open(&step, setup, out, err);                                        \
    }                                                                                    \
    const struct bench_kind bench_steps_##word = {                                       \
        .name = "steps_" #word,                                                          \
        .unit = "ms",                                                                    \
        .open = word##_open,                                                             \
        .close = step_close,                                                             \
        .run = step_run,                                                                 \
        .shape = step_shape,                                                             \
    };
STEP(quantise, .check = steps_check_values, .rooms = STEPS_FLOATS, .keeps = true)
STEP(hash_a, .check = steps_check_root_a, .rooms = STEPS_TREE)
STEP(quantise_hash, .check = steps_check_root_a, .rooms = STEPS_FLOATS | STEPS_TREE,
     .keeps = true)
STEP(draw, .check = steps_check_factors)
STEP(noise_x, .check = steps_check_x, .rooms = STEPS_SUMS)
STEP(y, .check = steps_check_y, .rooms = STEPS_SUMS)
STEP(prepare, .before = steps_renoise, .check = steps_check_useful,
     .rooms = STEPS_PRODUCT, .is_ahead = true)
STEP(product, .before = clean_pack, .check = steps_check_product, .rooms = STEPS_PRODUCT)
STEP(hash_b, .check = steps_check_root_b, .rooms = STEPS_TREE, .keeps = true)
STEP(renoise, .check = steps_check_useful, .rooms = STEPS_PRODUCT, .keeps = true)
