/*
 * opencl_operands.c - lines into the layout of the main loop, and what corrects them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_product.h"

enum status opencl_left_make(const struct opencl_product *product,
                             struct opencl_range band, bool has_noise)
{
    struct device *device = product->device;
    const struct opencl_scratch *scratch = &device->scratch;
    const struct opencl_lines lines = {.first = band.first,
                                       .slots = band.slots,
                                       .lines = product->ask->m,
                                       .k = product->k,
                                       .k_padded = product->k_padded,
                                       .rank = product->rank,
                                       .has_order = 1,
                                       .has_noise = has_noise};
    struct opencl_call call = opencl_call_begin(device, &device->own[OWN_left]);

    opencl_call_view(&call, product->ask->a);
    opencl_call_memory(&call, product->rows->room.memory);
    opencl_call_memory(&call, scratch->dense.memory);
    opencl_call_memory(&call, scratch->pairs.memory);
    opencl_call_memory(&call, scratch->left.memory);
    opencl_call_value(&call, &lines, sizeof lines);
    return opencl_call_run(&call, 0, (uint64_t)band.slots * (product->k_padded / K_UNIT));
}

enum status opencl_right_make(const struct opencl_product *product,
                              struct opencl_range window)
{
    struct device *device = product->device;
    const struct opencl_lines lines = {
        .first = window.first, .slots = window.slots, .k_padded = product->k_padded};
    struct opencl_call call = opencl_call_begin(device, &device->own[OWN_reorder]);

    if (!product->reorders)
        return STATUS_OK;
    opencl_call_memory(&call, product->b->values);
    opencl_call_memory(&call, product->columns->room.memory);
    opencl_call_memory(&call, device->scratch.right.memory);
    opencl_call_value(&call, &lines, sizeof lines);
    return opencl_call_run(&call, 0,
                           (uint64_t)window.slots * (product->k_padded / K_UNIT));
}

static enum status sparse_make(const struct opencl_product *product, cl_mem pairs,
                               const struct opencl_room *out,
                               struct opencl_kernel *kernel)
{
    struct device *device = product->device;
    struct opencl_call call = opencl_call_begin(device, kernel);
    const cl_uint zero = 0;
    const cl_int code =
        device->api.clEnqueueFillBuffer(device->queue, out->memory, &zero, sizeof zero, 0,
                                        (size_t)(out->size / 4 * 4), 0, NULL, NULL);

    opencl_call_memory(&call, pairs);
    opencl_call_memory(&call, out->memory);
    opencl_call_value(&call, &product->k_padded, sizeof product->k_padded);
    return code ? opencl_status(code) : opencl_call_run(&call, 0, product->k);
}

enum status opencl_sparse_make(const struct opencl_product *product)
{
    struct device *device = product->device;
    const enum status status =
        sparse_make(product, device->scratch.pairs.memory, &device->scratch.sparse_left,
                    &device->own[OWN_sparse_left]);

    return status ? status
                  : sparse_make(product, product->b->pairs, &device->scratch.sparse_right,
                                &device->own[OWN_sparse_right]);
}

/* A side's dense factor as the first extra columns. */
static enum status extra_make(const struct opencl_product *product, bool is_left,
                              struct opencl_range range)
{
    struct device *device = product->device;
    const struct opencl_scratch *scratch = &device->scratch;
    const struct opencl_extra extra = {.first = range.first,
                                       .slots = range.slots,
                                       .lines =
                                           is_left ? product->ask->m : product->b->head.n,
                                       .rank = product->rank,
                                       .limbs = product->limbs,
                                       .has_order = 1};
    struct opencl_call call = opencl_call_begin(
        device, &device->own[is_left ? OWN_extra_left : OWN_extra_right]);

    opencl_call_memory(&call, is_left ? scratch->dense.memory : product->b->dense);
    opencl_call_memory(&call, is_left ? product->rows->room.memory
                                      : product->columns->room.memory);
    opencl_call_memory(&call, is_left ? scratch->left_extra.memory
                                      : scratch->right_extra.memory);
    opencl_call_value(&call, &extra, sizeof extra);
    return opencl_call_run(&call, 0, (uint64_t)range.slots * (product->rank / K_UNIT));
}

/* One side times the other's sparse factor, as limbs. */
static enum status limbs_make(const struct opencl_product *product, bool is_left,
                              const struct opencl_part *part)
{
    struct device *device = product->device;
    const struct opencl_scratch *scratch = &device->scratch;
    struct opencl_call call = opencl_call_begin(
        device, &device->own[is_left ? OWN_limbs_left : OWN_limbs_right]);
    cl_mem right = product->reorders ? scratch->right.memory : product->b->values;

    opencl_call_memory(&call,
                       is_left ? scratch->left.memory : scratch->sparse_left.memory);
    opencl_call_memory(&call, is_left ? scratch->sparse_right.memory : right);
    opencl_call_memory(&call, product->columns->room.memory);
    opencl_call_memory(&call, is_left ? scratch->left_extra.memory
                                      : scratch->right_extra.memory);
    opencl_call_memory(&call, scratch->flag.memory);
    opencl_call_value(&call, part, sizeof *part);
    call.items = device->row->cell_items;
    call.work = product->k_padded;
    return opencl_call_run(&call, 0, (uint64_t)part->cells_down * part->cells_across);
}

enum status opencl_left_correct(const struct opencl_product *product,
                                struct opencl_range band)
{
    const struct opencl_matmul *row = product->device->row;
    const struct opencl_part part = {
        .k_padded = product->k_padded,
        .rank = product->rank,
        .limbs = product->limbs,
        .cells_down = band.slots / row->cell_rows,
        .cells_across = opencl_pad(product->rank, row->cell_columns) / row->cell_columns};
    const enum status status = extra_make(product, true, band);

    return status ? status : limbs_make(product, true, &part);
}

enum status opencl_right_correct(const struct opencl_product *product,
                                 struct opencl_range window)
{
    const struct opencl_matmul *row = product->device->row;
    const struct opencl_part part = {
        .k_padded = product->k_padded,
        .rank = product->rank,
        .limbs = product->limbs,
        .column_first = window.first,
        .right_first = product->reorders ? 0 : window.first,
        .cells_down = opencl_pad(product->rank, row->cell_rows) / row->cell_rows,
        .cells_across = window.slots / row->cell_columns,
        .has_columns = !product->columns->is_plain};
    const enum status status = extra_make(product, false, window);

    return status ? status : limbs_make(product, false, &part);
}
