/*
 * import_tensor.c - tensors of the checkpoint into tensors of the artifact.
 *
 * Quantising runs the shared kernel text compiled as C, so that a weight is the same
 * everywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/kernels.h"
#include "miner/base/memory.h"
#include "miner/models/import_kind.h"

enum { TENSORS_FIRST = 64, K_MULTIPLE = 64, NO_FAULT_BYTE = 0xff };

static enum status check_finite(const struct tensor *tensor, struct error *err)
{
    const uint64_t count = tensor->data.size / dtype_size(tensor->dtype);

    for (uint64_t i = 0; i < count; i++) {
        const float value = dtype_load_f32(tensor->dtype, tensor->data.data, i);

        if (!isfinite(value))
            return error_set(err, STATUS_BAD_DATA, "tensor %s: element %llu is %g",
                             tensor->name, (unsigned long long)i, (double)value);
    }
    return STATUS_OK;
}

enum status import_find(const struct import *import, const char *name, uint64_t rows,
                        uint64_t columns, const struct tensor **out, struct error *err)
{
    const struct tensor *tensor = safetensors_find(&import->source, name);

    if (!tensor)
        return error_set(err, STATUS_BAD_DATA, "tensor %s is missing", name);
    if (tensor->dtype != DTYPE_F32 && tensor->dtype != DTYPE_F16 &&
        tensor->dtype != DTYPE_BF16)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "tensor %s: its type is %s, expected F32, F16 or BF16", name,
                         dtype_name(tensor->dtype));
    if (tensor->rank != (columns ? 2u : 1u) || tensor->shape[0] != rows ||
        (columns && tensor->shape[1] != columns))
        return error_set(
            err, STATUS_BAD_DATA,
            "tensor %s: its shape is not what config.json says, expected %llu x %llu",
            name, (unsigned long long)rows, (unsigned long long)(columns ? columns : 1));
    *out = tensor;
    return check_finite(tensor, err);
}

void import_load(const struct tensor *tensor, float *to)
{
    const uint64_t count = tensor->data.size / dtype_size(tensor->dtype);

    for (uint64_t i = 0; i < count; i++)
        to[i] = dtype_load_f32(tensor->dtype, tensor->data.data, i);
}

/* Room for one more tensor in both lists. */
static enum status grow(struct import *import, struct error *err)
{
    const size_t count = import->manifest.tensor_count;
    const size_t capacity = import->capacity ? 2 * import->capacity : TENSORS_FIRST;
    struct tensor *tensors;
    void **owned;

    if (count < import->capacity)
        return STATUS_OK;
    if (count == MANIFEST_TENSORS_MAX)
        return error_set(err, STATUS_BAD_DATA, "the model has more than %d tensors",
                         MANIFEST_TENSORS_MAX);
    tensors = memory_array(capacity, sizeof *tensors);
    owned = memory_array(capacity, sizeof *owned);
    if (!tensors || !owned) {
        memory_free(tensors);
        memory_free(owned);
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu tensors", capacity);
    }
    if (count) {
        memcpy(tensors, import->manifest.tensors, count * sizeof *tensors);
        memcpy(owned, import->owned, count * sizeof *owned);
    }
    memory_free(import->manifest.tensors);
    memory_free(import->owned);
    import->manifest.tensors = tensors;
    import->owned = owned;
    import->capacity = capacity;
    return STATUS_OK;
}

static struct tensor *add(struct import *import, const char *name)
{
    struct tensor *tensor = &import->manifest.tensors[import->manifest.tensor_count++];

    assert(strlen(name) <= TENSOR_NAME_MAX);
    memcpy(tensor->name, name, strlen(name) + 1);
    return tensor;
}

enum status import_make(struct import *import, const char *name,
                        struct import_shape wanted, void **data, struct error *err)
{
    const struct tensor shape = {.dtype = wanted.dtype,
                                 .rank = wanted.columns ? 2 : 1,
                                 .shape = {wanted.rows, wanted.columns}};
    struct tensor *tensor;
    uint64_t size;
    enum status status = grow(import, err);

    if (status)
        return status;
    *data = tensor_size(&shape, &size) ? memory_array(size, 1) : NULL;
    if (!*data)
        return error_set(err, STATUS_NO_MEMORY, "no memory for tensor %s", name);
    import->owned[import->manifest.tensor_count] = *data;
    tensor = add(import, name);
    tensor->dtype = shape.dtype;
    tensor->rank = shape.rank;
    memcpy(tensor->shape, shape.shape, sizeof shape.shape);
    tensor->data = bytes_of(*data, size);
    return STATUS_OK;
}

enum status import_take(struct import *import, const char *name,
                        const struct tensor *tensor, struct error *err)
{
    struct tensor *taken;
    const enum status status = grow(import, err);

    if (status)
        return status;
    taken = add(import, name);
    taken->dtype = tensor->dtype;
    taken->rank = tensor->rank;
    memcpy(taken->shape, tensor->shape, sizeof tensor->shape);
    taken->data = tensor->data;
    return STATUS_OK;
}

void import_flush(float *values, uint64_t count, float least)
{
    for (uint64_t i = 0; i < count; i++) {
        if (fabsf(values[i]) < least)
            values[i] = 0.0f;
    }
}

/* One launch of quantise7 or quantise14 over all rows, by the definition. */
static uint32_t run_quantise(enum precision precision, const float *matrix, uint32_t rows,
                             uint32_t columns, void *q, void *scales)
{
    const uint32_t padded = (columns + K_MULTIPLE - 1) / K_MULTIPLE * K_MULTIPLE;
    uint32_t fault;
    void *const views[] = {(void *)(uintptr_t)matrix, q, scales, &fault};
    const union scalar seven[] = {{.u32 = columns}, {.u32 = padded}, {.u32 = 0}};
    const union scalar fourteen[] = {
        {.u32 = columns}, {.u32 = padded}, {.u32 = rows}, {.u32 = 0}};

    memset(&fault, NO_FAULT_BYTE, sizeof fault);
    if (precision == PRECISION_W14A14)
        kernel_table[KERNEL_quantise14].run(0, rows, views, fourteen);
    else
        kernel_table[KERNEL_quantise7].run(0, rows, views, seven);
    return fault;
}

enum status import_quantise(struct import *import, const char *name, const float *matrix,
                            uint32_t rows, uint32_t columns, struct error *err)
{
    const uint64_t limbs = import->precision == PRECISION_W14A14 ? 2 : 1;
    const uint64_t padded = (columns + K_MULTIPLE - 1) / K_MULTIPLE * K_MULTIPLE;
    char full[TENSOR_NAME_MAX + 1];
    void *q, *scales;
    uint32_t fault;
    enum status status;

    snprintf(full, sizeof full, "%s.q", name);
    status = import_make(import, full,
                         (struct import_shape){DTYPE_I8, limbs * rows, padded}, &q, err);
    if (status)
        return status;
    snprintf(full, sizeof full, "%s.s", name);
    status = import_make(import, full, (struct import_shape){DTYPE_F32, rows, 0}, &scales,
                         err);
    if (status)
        return status;
    fault = run_quantise(import->precision, matrix, rows, columns, q, scales);
    import_flush(scales, rows, 0x1p-40f);
    if (fault != UINT32_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "matrix %s: row %u holds a weight of 2^40 or more", name, fault);
    return STATUS_OK;
}
