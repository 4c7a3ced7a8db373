/*
 * parameters.c - copies an artifact to a device, a block at a time.
 *
 * One buffer a tensor: no device refuses them for their size before the model is too
 * large for it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/models/parameters.h"

#include <assert.h>

#include "miner/base/memory.h"
#include "miner/models/safetensors.h"

enum { UPLOAD_BLOCK = 1 << 18 }; /* floats converted at a time */

static bool is_half(enum dtype dtype)
{
    return dtype == DTYPE_F16 || dtype == DTYPE_BF16;
}

static enum status upload_half(struct device *device, const struct tensor *tensor,
                               float *block, struct buffer *to)
{
    const uint64_t count = tensor->data.size / dtype_size(tensor->dtype);
    enum status status = STATUS_OK;

    for (uint64_t first = 0; first < count && !status; first += UPLOAD_BLOCK) {
        const uint64_t left = count - first,
                       size = left < UPLOAD_BLOCK ? left : UPLOAD_BLOCK;

        for (uint64_t i = 0; i < size; i++)
            block[i] = dtype_load_f32(tensor->dtype, tensor->data.data, first + i);
        status =
            device_write(device, to, first * sizeof *block, block, size * sizeof *block);
    }
    return status;
}

static enum status upload(struct device *device, const struct tensor *tensor,
                          float *block, struct buffer **out)
{
    const uint64_t size =
        tensor->data.size / dtype_size(tensor->dtype) *
        (is_half(tensor->dtype) ? sizeof(float) : dtype_size(tensor->dtype));
    enum status status = device_buffer_new(device, size, out);

    if (status)
        return status;
    if (is_half(tensor->dtype))
        return upload_half(device, tensor, block, *out);
    return device_write(device, *out, 0, tensor->data.data, tensor->data.size);
}

enum status parameters_open(struct device *device, const struct artifact *artifact,
                            struct parameters *out, struct error *err)
{
    const size_t count = artifact_tensor_count(artifact);
    float *block = memory_array(UPLOAD_BLOCK, sizeof *block);
    enum status status = STATUS_OK;

    *out = (struct parameters){.device = device, .artifact = artifact};
    out->buffers = memory_array(count, sizeof(struct buffer *));
    if (!block || !out->buffers)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a list of %zu tensors",
                           count);
    for (size_t i = 0; i < count && !status; i++) {
        const struct tensor *tensor = artifact_tensor_at(artifact, i);

        status = upload(device, tensor, block, &out->buffers[i]);
        if (status)
            error_set(err, status, "tensor %s (%zu bytes): %s", tensor->name,
                      tensor->data.size, status_text(status));
    }
    memory_free(block);
    artifact_forget_pages(artifact);
    if (status)
        parameters_close(out);
    return status;
}

void parameters_close(struct parameters *parameters)
{
    for (size_t i = 0;
         parameters->buffers && i < artifact_tensor_count(parameters->artifact); i++)
        device_buffer_free(parameters->device, parameters->buffers[i]);
    memory_free(parameters->buffers);
    *parameters = (struct parameters){0};
}

struct view parameters_view(const struct parameters *parameters, const char *name)
{
    const struct tensor *first = artifact_tensor_at(parameters->artifact, 0);
    const struct tensor *tensor = artifact_tensor(parameters->artifact, name);

    assert(tensor);
    return (struct view){.buffer = parameters->buffers[tensor - first]};
}
