/*
 * bench_json.c - what was timed, for programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/bench_json.h"

#include "miner/write_json.h"

#define STYLE (JSON_INDENT(2) | JSON_REAL_PRECISION(6))

static json_t *figure_value(const struct bench_figure *figure)
{
    return figure->is_known ? json_real(figure->value) : json_null();
}

/* What rows and rungs have in common, into object, which is freed where that fails. */
static json_t *gauged_add(json_t *object, const struct bench_result *result)
{
    if (!object ||
        json_object_set_new(object, "slow_is",
                            json_string(result->is_p99 ? "p99" : "worst")) ||
        json_object_set_new(object, "clock_mhz", figure_value(&result->clock_mhz)) ||
        json_object_set_new(object, "power_w", figure_value(&result->power_w)) ||
        json_object_set_new(object, "j_per_tmac", figure_value(&result->j_per_tmac)) ||
        json_object_set_new(object, "of_peak", figure_value(&result->of_peak))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *row_object(const struct bench_row *row)
{
    const struct bench_result *result = &row->result;

    json_t *object = gauged_add(
        json_pack("{s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:f, s:i, s:f}", "device",
                  row->device, "name", row->kind->name, "shape", result->shape, "threads",
                  (int)row->threads, "unit", row->kind->unit, "min", result->min,
                  "median", result->median, "max", result->max, "runs", (int)result->runs,
                  "slow", result->slow),
        result);

    if (object && row->name[0] &&
        json_object_set_new(object, "device_name", json_string(row->name))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *ratio_object(const struct bench_ratio *ratio)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:f, s:f}", "name", ratio->name, "shape",
                               ratio->shape, "threads", (int)ratio->threads, "best",
                               ratio->best, "median", ratio->median);

    if (object && ratio->at_least > 0 &&
        (json_object_set_new(object, ratio->is_time ? "at_most" : "at_least",
                             json_real(ratio->at_least)) ||
         json_object_set_new(object, "aim", json_real(ratio->aim)))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *rows_array(const struct bench_row *rows, size_t count)
{
    json_t *array = json_array();
    int failed = !array;

    for (size_t i = 0; !failed && i < count; i++)
        failed = json_array_append_new(array, row_object(&rows[i]));
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *ratios_array(const struct bench_ratio *ratios, size_t count)
{
    json_t *array = json_array();
    int failed = !array;

    for (size_t i = 0; !failed && i < count; i++)
        failed = json_array_append_new(array, ratio_object(&ratios[i]));
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *rung_object(const struct rung *rung)
{
    const struct bench_result *result = &rung->result;

    return gauged_add(
        json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:i}", "name", rung->kind->name,
                  "adds", rung->adds, "ms", rung->ms, "tmac_s", rung->tmac_s, "of_first",
                  rung->of_first, "delta_ms", rung->delta_ms, "slow",
                  rung->ms * result->median / result->slow, "runs", (int)result->runs),
        result);
}

static json_t *rungs_object(const struct rungs *rungs)
{
    json_t *steps = json_array();
    int failed = !steps;

    for (uint32_t i = 0; !failed && i < rungs->count; i++)
        failed = json_array_append_new(steps, rung_object(&rungs->rungs[i]));
    if (failed) {
        json_decref(steps);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:o, s:o}", "device", rungs->device,
                     "device_name", rungs->name, "kernels", rungs->variant, "shape",
                     rungs->shape, "apart", rungs->is_apart, "operands_bytes",
                     (json_int_t)rungs->operands_bytes, "cache_bytes",
                     rungs->cache_bytes ? json_integer((json_int_t)rungs->cache_bytes)
                                        : json_null(),
                     "steps", steps);
}

static json_t *ladders_array(const struct rungs *ladders, size_t count)
{
    json_t *array = json_array();
    int failed = !array;

    for (size_t i = 0; !failed && i < count; i++)
        failed = json_array_append_new(array, rungs_object(&ladders[i]));
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

enum status bench_json(const char *cpu, const struct bench_report *report,
                       struct blob *out)
{
    return write_json(
        json_pack("{s:s, s:s, s:o, s:o, s:o}", "minerva", MINERVA_VERSION, "cpu", cpu,
                  "results", rows_array(report->rows, report->count), "ladder",
                  ratios_array(report->ratios, report->ratio_count), "ablation",
                  ladders_array(report->ladders, report->ladder_count)),
        STYLE, out);
}

enum status bench_json_beside(const char *cpu, const struct bench_row *rows, size_t count,
                              const struct bench_ratio *ratios, size_t ratio_count,
                              struct blob *out)
{
    return write_json(json_pack("{s:s, s:s, s:o, s:o}", "minerva", MINERVA_VERSION, "cpu",
                                cpu, "results", rows_array(rows, count), "ratios",
                                ratios_array(ratios, ratio_count)),
                      STYLE, out);
}
