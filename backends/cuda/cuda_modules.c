/*
 * cuda_modules.c - loads the embedded kernels and finds their entry points.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>

#include "backends/cuda/cuda_calls.h"
#include "backends/cuda/cuda_images.h"

struct cuda_function *cuda_entry_find(const struct device *device, const char *name)
{
    struct cuda_function *found = NULL;

    for (size_t i = 0; i < cuda_image_count; i++)
        if (device->modules[i] &&
            !device->driver.module_function(&found, device->modules[i], name))
            return found;
    return NULL;
}

/* A file may hold nothing for this card: then it has no module. */
static enum status images_load(struct device *device, struct error *err)
{
    char text[CUDA_SENTENCE_MAX];

    assert(cuda_image_count <= CUDA_MODULES_MAX);
    for (size_t i = 0; i < cuda_image_count; i++) {
        const int code =
            device->driver.module_load(&device->modules[i], cuda_images[i].data);

        if (code == CUDA_OK)
            continue;
        device->modules[i] = NULL;
        if (code != CUDA_NO_BINARY)
            return error_set(
                err, code == CUDA_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_NO_DEVICE,
                "cuda: the kernels %s cannot be loaded: %s", cuda_images[i].name,
                cuda_driver_text(&device->driver, code, text, sizeof text));
    }
    return STATUS_OK;
}

/* A product's blocks fill a processor together only where its first cache is shared
 * memory for the most part. */
static int product_find(struct device *device, const char *name,
                        struct cuda_function **out)
{
    *out = cuda_entry_find(device, name);
    return *out ? device->driver.function_set(*out, CUDA_FUNCTION_SHARED_SHARE, 100)
                : CUDA_OK;
}

/* A way whose preparation is missing cannot make a useful product. */
static enum status row_find(struct device *device, size_t row, struct error *err)
{
    const struct cuda_matmul *way = cuda_rows[row];
    char text[128];
    int code = CUDA_OK;

    if (!cuda_row_runs(way, device->traits.capability))
        return STATUS_OK;
    for (enum cuda_mode mode = 0; !code && mode < CUDA_MODES; mode++)
        if (way->entries[mode])
            code = product_find(device, way->entries[mode], &device->products[row][mode]);
    if (code)
        return error_set(err, STATUS_NO_DEVICE, "cuda: %s cannot be set up: %s",
                         way->name,
                         cuda_driver_text(&device->driver, code, text, sizeof text));
    if (!way->prepare)
        return STATUS_OK;
    device->prepares[row] = cuda_entry_find(device, way->prepare);
    if (!device->prepares[row])
        device->products[row][CUDA_USEFUL] = NULL;
    return STATUS_OK;
}

static enum status required_find(struct device *device, const char *name,
                                 struct cuda_function **out, struct error *err)
{
    *out = cuda_entry_find(device, name);
    if (*out)
        return STATUS_OK;
    return error_set(err, STATUS_NO_DEVICE,
                     "cuda: this build has no %s for compute capability %u.%u: use a "
                     "release, or OpenCL",
                     name, device->traits.capability / 10,
                     device->traits.capability % 10);
}

static enum status texts_find(struct device *device, struct error *err)
{
    static const char *const support[CUDA_SUPPORT_COUNT] = {
        "cuda_rows_pad", "cuda_hits_take", "cuda_hits_order"};
    enum status status = STATUS_OK;
    char name[64];

    for (size_t i = 0; !status && i < KERNEL_COUNT; i++) {
        snprintf(name, sizeof name, "kernel_%s", kernel_table[i].name);
        status = required_find(device, name, &device->texts[i], err);
    }
    for (size_t i = 0; !status && i < CUDA_SUPPORT_COUNT; i++)
        status = required_find(device, support[i], &device->support[i], err);
    return status;
}

enum status cuda_modules_load(struct device *device, struct error *err)
{
    enum status status = images_load(device, err);

    if (!status)
        status = texts_find(device, err);
    if (status)
        return status;
    assert(cuda_row_count <= CUDA_ROWS_MAX);
    assert(cuda_tuned_count <= CUDA_TUNED_MAX);
    assert(cuda_joint_count <= CUDA_JOINT_MAX);
    for (size_t i = 0; !status && i < cuda_row_count; i++)
        status = row_find(device, i, err);
    for (size_t i = 0; i < cuda_tuned_count; i++)
        if (cuda_tuned_rows[i].capability_min <= device->traits.capability)
            device->tuned[i] = cuda_entry_find(device, cuda_tuned_rows[i].entry);
    for (size_t i = 0; i < cuda_joint_count; i++)
        if (cuda_joint_rows[i].capability_min <= device->traits.capability)
            device->joint[i] = cuda_entry_find(device, cuda_joint_rows[i].entry);
    return status;
}

void cuda_modules_unload(struct device *device)
{
    for (size_t i = 0; i < CUDA_MODULES_MAX; i++)
        if (device->modules[i])
            (void)device->driver.module_unload(device->modules[i]);
}
