/*
 * manifest.h - what manifest.json says, as a struct; for artifact*.c and import*.c.
 *
 * RFC 8785 canonical JSON of integers, printable ASCII strings and hex bits of f32
 * (numerics.md 3.3), so that one manifest has one text, and the text's hash names the
 * model.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_MANIFEST_H
#define MINERVA_MODELS_MANIFEST_H

#include "miner/models/artifact.h"

enum {
    MANIFEST_SIZE_MAX = 4 << 20,
    MANIFEST_NAME_MAX = 63,
    MANIFEST_FIELDS_MAX = 24,
    MANIFEST_SOURCES_MAX = 8,
    MANIFEST_TENSORS_MAX = 8192,
};

struct manifest_field {
    char name[MANIFEST_NAME_MAX + 1];
    uint64_t
        value; /* of a constant: the bits of the f32; of a precision: enum precision */
};

struct manifest_fields { /* names ascending */
    size_t count;
    struct manifest_field field[MANIFEST_FIELDS_MAX];
};

struct manifest_source { /* a file the import read */
    char name[MANIFEST_NAME_MAX + 1];
    char hash[65];
    uint64_t size;
};

struct manifest {
    char architecture[MANIFEST_NAME_MAX + 1];
    struct manifest_fields config, constants,
        precision; /* precision: class of each matrix */
    size_t source_count;
    struct manifest_source sources[MANIFEST_SOURCES_MAX]; /* names ascending */
    size_t tensor_count;
    struct tensor
        *tensors; /* owned; names ascending; data.size is set, data.data is not */
    struct tokenizer_info tokenizer;
};

/* Refuses everything that is not exactly what manifest_write() would have written. */
MUST_CHECK enum status manifest_parse(struct bytes text, struct manifest *out,
                                      struct error *err);
MUST_CHECK enum status manifest_write(const struct manifest *manifest, struct blob *out,
                                      struct error *err);
void manifest_free(struct manifest *manifest);

/* Takes the place that keeps names ascending; FULL, or BAD_DATA when the name is there.
 */
MUST_CHECK enum status manifest_set(struct manifest_fields *fields, const char *name,
                                    uint64_t value);
const struct manifest_field *manifest_find(const struct manifest_fields *fields,
                                           const char *name);

#endif
