/*
 * safetensors.h - reading foreign safetensors files, and writing the canonical form of
 * tasks.
 *
 * Reading is strict (numerics.md 3.1): every length, range and overlap is checked.  The
 * canonical form (task-pool.md section 4): compact JSON, keys in byte order, padded with
 * spaces to 8 bytes, tensors in the order of their names without gaps, so that equal
 * tensors are equal bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_SAFETENSORS_H
#define MINERVA_MODELS_SAFETENSORS_H

#include "miner/models/artifact.h"

struct safetensors {
    size_t count;
    struct tensor
        *tensors; /* sorted by name; data points into the file's bytes; no hashes */
};

/* file must outlive out. */
MUST_CHECK enum status safetensors_parse(struct bytes file, struct safetensors *out,
                                         struct error *err);
void safetensors_free(struct safetensors *file);
const struct tensor *safetensors_find(const struct safetensors *file, const char *name);
/* Parsed as above, and exactly the canonical bytes of what it holds; else BAD_DATA. */
MUST_CHECK enum status safetensors_parse_canonical(struct bytes file,
                                                   struct safetensors *out,
                                                   struct error *err);
/* Writes the canonical form of tensors (any order; name, dtype, rank, shape and data are
 * read). */
MUST_CHECK enum status safetensors_write(const struct tensor *tensors, size_t count,
                                         struct blob *out, struct error *err);
/* The length field and header alone, for tensors that will lie in the order given, data
 * at a multiple of align (8 or 64): who has the tensors one by one writes them behind it.
 */
MUST_CHECK enum status safetensors_header(const struct tensor *tensors, size_t count,
                                          uint32_t align, struct blob *out,
                                          struct error *err);
/* Product of the shape times the size of an element; false when that overflows. */
bool tensor_size(const struct tensor *tensor, uint64_t *out);

MUST_CHECK enum status dtype_parse(const char *text,
                                   enum dtype *out); /* NOT_SUPPORTED: none */
size_t dtype_size(enum dtype dtype);
const char *dtype_name(enum dtype dtype); /* "F32" */
/* Reads one element of a float tensor (F32, F16, BF16) exactly as f32. */
float dtype_load_f32(enum dtype dtype, const uint8_t *data, uint64_t index);

#endif
