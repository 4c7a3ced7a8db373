/*
 * cpu_matmul.c - walks the table of ways to multiply, best first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_matmul.h"

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

enum status cpu_matmul_choose(const char *name, const struct cpu_matmul **out,
                              struct error *err)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (name && strcmp(rows[i]->name, name) != 0)
            continue;
        enum status status = row_check(rows[i], name ? err : NULL);
        if (!status)
            *out = rows[i];
        if (!status || name)
            return status;
    }
    return error_set(err, STATUS_NOT_FOUND, "cpu: no variant \"%s\", expected one of %s",
                     name, "avx512, avx2, portable");
}
