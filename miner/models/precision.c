/*
 * precision.c - the words for the precision classes of numerics.md 2.1 (C1, C2, C3).
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/artifact.h"

static const char *const precision_names[PRECISION_COUNT] = {
    [PRECISION_W7A7] = "w7a7",
    [PRECISION_W7A14] = "w7a14",
    [PRECISION_W14A14] = "w14a14",
};

const char *precision_name(enum precision precision)
{
    assert(precision < PRECISION_COUNT);
    return precision_names[precision];
}

enum status precision_parse(const char *text, enum precision *out, struct error *err)
{
    for (enum precision precision = 0; precision < PRECISION_COUNT; precision++) {
        if (strcmp(text, precision_names[precision]) == 0) {
            *out = precision;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_BAD_DATA,
                     "precision is \"%.32s\", expected one of w7a7, w7a14, w14a14", text);
}
