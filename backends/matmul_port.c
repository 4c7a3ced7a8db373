/*
 * matmul_port.c - the seam's plain end, and what is kept beside a right operand.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/matmul.h"

#include <assert.h>

#include "miner/base/memory.h"

enum status weights_new(struct device *device, struct view values, uint32_t n, uint32_t k,
                        struct weights **out)
{
    struct weights *weights = memory_new(struct weights);

    if (!weights)
        return STATUS_NO_MEMORY;
    weights->device = device;
    weights->values = values;
    weights->n = n;
    weights->k = k;
    *out = weights;
    return STATUS_OK;
}

void weights_free(struct weights *weights)
{
    if (!weights)
        return;
    device_packed_free(weights->device, weights->packed);
    device_packed_free(weights->device, weights->noised);
    device_buffer_free(weights->device, weights->commitment.tree);
    memory_free(weights);
}

enum status weights_pack(struct weights *weights)
{
    struct packed *packed = NULL;
    enum status status;

    if (weights->packed)
        return STATUS_OK;
    status = device_packed_new(weights->device, weights->n, weights->k, &packed);
    if (!status)
        status = device_pack(weights->device, packed, weights->values, NULL);
    if (status) {
        device_packed_free(weights->device, packed);
        return status;
    }
    weights->packed = packed;
    return STATUS_OK;
}

enum status weights_reserve_noised(struct weights *weights, size_t tree_size)
{
    struct weights_commitment *commitment = &weights->commitment;
    enum status status = STATUS_OK;

    if (!weights->noised)
        status =
            device_packed_new(weights->device, weights->n, weights->k, &weights->noised);
    if (status)
        return status;
    if (commitment->tree && device_buffer_size(commitment->tree) >= tree_size)
        return STATUS_OK;
    device_buffer_free(weights->device, commitment->tree);
    commitment->tree = NULL;
    commitment->is_set = false;
    return device_buffer_new(weights->device, tree_size, &commitment->tree);
}

static enum status plain_run(struct matmul_port *port, const struct matmul *product)
{
    struct multiply multiply = {.m = product->m, .a = product->a, .c = product->c};
    enum status status = weights_pack(product->b);

    if (!status)
        status = matmul_port_make(port, product);
    multiply.b = product->b->packed;
    return status ? status : device_multiply(port->device, &multiply);
}

static enum status plain_drain(struct matmul_port *port)
{
    (void)port; /* finds nothing */
    return STATUS_OK;
}

void matmul_port_plain(struct matmul_port *port, struct device *device)
{
    *port = (struct matmul_port){
        .run = plain_run,
        .drain = plain_drain,
        .device = device,
    };
}

enum status matmul_run(struct matmul_port *port, const struct matmul *product)
{
    enum status status;

    assert(product->b->device == port->device);
    assert(!product->made_by || !product->change.size);
    status = port->run(port, product);
    if (!status)
        port->macs += (uint64_t)product->m * product->b->n * product->b->k;
    return status;
}

enum status matmul_drain(struct matmul_port *port)
{
    return port->drain(port);
}

enum status matmul_port_make(const struct matmul_port *port, const struct matmul *product)
{
    return product->made_by ? device_launch(port->device, product->made_by) : STATUS_OK;
}
