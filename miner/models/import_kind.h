/*
 * import_kind.h - an import under way, and what a family of networks does in it; for
 * import*.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_IMPORT_KIND_H
#define MINERVA_MODELS_IMPORT_KIND_H

#include <jansson.h>

#include "miner/models/import.h"
#include "miner/models/manifest.h"
#include "miner/models/safetensors.h"

struct import {
    const char *from;
    enum precision precision;
    json_t *config;            /* config.json */
    struct blob file;          /* model.safetensors as it came */
    struct safetensors source; /* in file */
    struct blob vocab;         /* as the artifact will hold it */
    struct manifest manifest;  /* grows; its tensors hold their data */
    void **owned;              /* one a tensor that was made and not taken as it was */
    size_t capacity;           /* of manifest.tensors and owned */
};

struct import_kind {
    const char *model_type; /* in config.json */
    /* Fills the manifest's config, constants, precision, tokenizer and tensors (any
     * order). */
    enum status (*run)(struct import *import, struct error *err);
};
extern const struct import_kind import_bert;

/* ---- import.c ---- */

/* A file of the folder into out, and into the manifest's sources.  NOT_FOUND is left to
 * the caller. */
MUST_CHECK enum status import_read(struct import *import, const char *name,
                                   struct blob *out, struct error *err);
/* The same as JSON; *out NULL where there is no such file. */
MUST_CHECK enum status import_read_json(struct import *import, const char *name,
                                        size_t size_max, json_t **out, struct error *err);

/* ---- import_config.c ---- */

/* An integer of config.json from min to max, and into the manifest under the same name.
 */
MUST_CHECK enum status import_integer(struct import *import, const char *name,
                                      uint64_t min, uint64_t max, uint64_t *out,
                                      struct error *err);
/* config.json says expected, or nothing where that is optional. */
MUST_CHECK enum status import_expect_text(const struct import *import, const char *name,
                                          const char *expected, bool is_optional,
                                          struct error *err);
MUST_CHECK enum status import_constant(struct import *import, const char *name,
                                       float value, struct error *err);

/* ---- import_tensor.c ---- */

/* The source's tensor of that name, two-dimensional (columns 0: a vector of rows),
 * floats, finite. */
MUST_CHECK enum status import_find(const struct import *import, const char *name,
                                   uint64_t rows, uint64_t columns,
                                   const struct tensor **out, struct error *err);
/* Rows of a found tensor as f32, written to to. */
void import_load(const struct tensor *tensor, float *to);
/* What is smaller than least becomes 0: the contract has no room for it
 * (numerics.md 1.2). */
void import_flush(float *values, uint64_t count, float least);
struct import_shape {
    enum dtype dtype;
    uint64_t rows, columns; /* columns 0: a vector */
};
/* Room for one more tensor that the import makes: zeroed, of that type and shape. */
MUST_CHECK enum status import_make(struct import *import, const char *name,
                                   struct import_shape wanted, void **data,
                                   struct error *err);
/* A found tensor taken as it is. */
MUST_CHECK enum status import_take(struct import *import, const char *name,
                                   const struct tensor *tensor, struct error *err);
/* rows x columns f32 as `name.q` and `name.s` in the import's precision
 * (numerics.md 2.1). */
MUST_CHECK enum status import_quantise(struct import *import, const char *name,
                                       const float *matrix, uint32_t rows,
                                       uint32_t columns, struct error *err);

/* ---- import_wordpiece.c ---- */

/* The vocabulary and what the manifest says of it.  positions: the longest sequence of
 * the network. */
MUST_CHECK enum status import_wordpiece(struct import *import, uint64_t vocab_size,
                                        uint64_t positions, struct error *err);

/* ---- import_write.c ---- */

/* Sorts, hashes and checks what was gathered, and puts the artifact into folder. */
MUST_CHECK enum status import_write(struct import *import, const char *folder,
                                    char id[65], struct error *err);

#endif
