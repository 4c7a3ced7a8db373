/*
 * bench_json.c - what was timed, for programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/bench_json.h"

#include <jansson.h>

static json_t *row_object(const struct bench_row *row)
{
    const struct bench_result *result = &row->result;

    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:f, s:f, s:f, s:i}", "device",
                     row->device, "name", row->kind->name, "shape", result->shape,
                     "threads", (int)row->threads, "unit", row->kind->unit, "min",
                     result->min, "median", result->median, "max", result->max, "runs",
                     (int)result->runs);
}

static int append(const char *text, size_t size, void *out)
{
    return blob_add(out, text, size) ? -1 : 0;
}

enum status bench_json(const char *cpu, const struct bench_row *rows, size_t count,
                       struct blob *out)
{
    json_t *results = json_array();
    int failed = !results;

    for (size_t i = 0; !failed && i < count; i++)
        failed = json_array_append_new(results, row_object(&rows[i]));
    json_t *object = failed ? NULL
                            : json_pack("{s:s, s:s, s:O}", "minerva", MINERVA_VERSION,
                                        "cpu", cpu, "results", results);
    failed = !object ||
             json_dump_callback(object, append, out,
                                JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ||
             append("\n", 1, out);
    json_decref(object);
    json_decref(results);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}
