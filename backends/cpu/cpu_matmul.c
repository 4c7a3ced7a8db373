/*
 * cpu_matmul.c - walks the table of ways to multiply, best first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_matmul.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cpu/cpu_features.h"

static const struct cpu_matmul *const rows[] = {
#define CPU_MATMUL(row) &cpu_matmul_##row,
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct cpu_matmul *cpu_matmul_row(size_t index)
{
    return index < ROW_COUNT ? rows[index] : NULL;
}

/* "a, b, c". */
static void row_names(char *text, size_t cap)
{
    size_t size = 0;

    for (size_t i = 0; i < ROW_COUNT && size < cap; i++)
        size += (size_t)snprintf(text + size, cap - size, "%s%s", i ? ", " : "",
                                 rows[i]->name);
}

static size_t row_find(const char *name)
{
    size_t i = 0;

    while (i < ROW_COUNT && strcmp(rows[i]->name, name) != 0)
        i++;
    return i;
}

/* OK, or ABSENT with the sentence why this row cannot run here. */
static enum status row_check(const struct cpu_matmul *row, struct error *err)
{
    uint32_t missing = row->needs & ~cpu_features();
    char names[64];

    if (row->absent)
        return error_set(err, STATUS_ABSENT, "%s: %s", row->name, row->absent);
    if (!missing)
        return STATUS_OK;
    cpu_features_text(missing, names, sizeof names);
    return error_set(err, STATUS_ABSENT,
                     "%s: needs %s, not offered by this processor and system", row->name,
                     names);
}

/* The best row that the environment leaves, or the end when it names none. */
static size_t row_best(void)
{
    const char *name = getenv("MINERVA_CPU");

    return name && *name ? row_find(name) : 0;
}

enum status cpu_matmul_choose(const char *name, const struct cpu_matmul **out,
                              struct error *err)
{
    const size_t best = row_best(), named = name ? row_find(name) : best;
    enum status status = STATUS_ABSENT;
    char names[128];

    if (best == ROW_COUNT || named == ROW_COUNT) {
        row_names(names, sizeof names);
        return error_set(err, STATUS_NOT_FOUND,
                         "%s: no variant \"%s\", expected one of %s",
                         best == ROW_COUNT ? "MINERVA_CPU" : "cpu",
                         best == ROW_COUNT ? getenv("MINERVA_CPU") : name, names);
    }
    if (named < best)
        return error_set(err, STATUS_ABSENT, "%s: switched off by MINERVA_CPU=%s",
                         rows[named]->name, rows[best]->name);
    for (size_t i = named; i < ROW_COUNT && status; i++) {
        status = row_check(rows[i], err);
        if (!status)
            *out = rows[i];
        if (name)
            break;
    }
    return status;
}
