/*
 * bench_json.c - what was timed, for programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/bench_json.h"

#include "miner/write_json.h"

#define STYLE (JSON_INDENT(2) | JSON_REAL_PRECISION(6))

static json_t *row_object(const struct bench_row *row)
{
    const struct bench_result *result = &row->result;

    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:f, s:i}", "device", row->device, "name",
        row->kind->name, "shape", result->shape, "threads", (int)row->threads, "unit",
        row->kind->unit, "min", result->min, "median", result->median, "max", result->max,
        "runs", (int)result->runs);

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

enum status bench_json(const char *cpu, const struct bench_report *report,
                       struct blob *out)
{
    return write_json(json_pack("{s:s, s:s, s:o, s:o}", "minerva", MINERVA_VERSION, "cpu",
                                cpu, "results", rows_array(report->rows, report->count),
                                "ladder",
                                ratios_array(report->ratios, report->ratio_count)),
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
