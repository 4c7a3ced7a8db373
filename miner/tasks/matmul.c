/*
 * matmul.c - the kind `matmul`: one product of generated matrices, answered with its
 * hash.
 *
 * For idle mining, benchmarks and tests: A has the task's seed and Bt the next one
 * (pow.md section 11), made on the device by the shared text, so that every machine has
 * the same.  The answer is BLAKE3 of the int32 product, row major, little-endian.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/models/safetensors.h"
#include "miner/tasks/generated.h"

enum { READ_SIZE = 1 << 20 };
/* Of both operands and the product: what a pool that checks a result must hold as well.
 */
#define MATMUL_BYTES_MAX ((uint64_t)8 << 30)

struct station {
    struct station_head head;
};

struct task {
    struct task_head head;
    struct generated matrices;
    struct buffer *product;
    uint8_t *piece; /* READ_SIZE bytes of the product on their way into the hash */
    uint8_t digest[BLAKE3_SIZE];
};

static struct model_shape matmul_shape_of(const struct assignment *work)
{
    return (struct model_shape){work->parameters.m, work->parameters.n,
                                work->parameters.k};
}

/* Of the two operands and the product; the shape is within its limits. */
static uint64_t matmul_bytes(struct model_shape s)
{
    return s.m * s.k + s.n * s.k + 4 * s.m * s.n;
}

static enum status matmul_check(const struct assignment *work, struct error *err)
{
    const struct model_shape s = matmul_shape_of(work);
    if (!work->parameters.has_shape)
        return error_set(err, STATUS_BAD_DATA, "matmul needs m, n, k and seed");
    if (work->input.size)
        return error_set(err, STATUS_BAD_DATA,
                         "matmul takes no input, %zu bytes were given", work->input.size);
    const enum status status = generated_check(s, err);
    if (status)
        return status;
    if (matmul_bytes(s) > MATMUL_BYTES_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "the operands and the product of %" PRIu64 " x %" PRIu64
                         " x %" PRIu64 " take %" PRIu64 " bytes, at most %" PRIu64
                         " are allowed",
                         s.m, s.n, s.k, matmul_bytes(s), MATMUL_BYTES_MAX);
    return STATUS_OK;
}

static uint64_t matmul_output_size(void)
{
    static const char header[] =
        "{\"blake3\":{\"data_offsets\":[0,32],\"dtype\":\"U8\",\"shape\":[32]}}";
    return 8 + (sizeof header - 1 + 7) / 8 * 8 + BLAKE3_SIZE;
}

static enum status matmul_layout(const struct artifact *artifact,
                                 const struct assignment *work, struct task_layout *out,
                                 struct error *err)
{
    (void)artifact;
    const enum status status = matmul_check(work, err);
    if (status)
        return status;
    const struct model_shape s = matmul_shape_of(work);
    out->pack_items = memory_array(2, sizeof *out->pack_items);
    out->pack_rows = memory_array(1, sizeof *out->pack_rows);
    if (!out->pack_items || !out->pack_rows)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a layout");
    out->items = out->packs = out->products = 1;
    out->pack_items[1] = 1;
    out->pack_rows[0] = out->rows = out->rows_longest = s.m;
    out->work_units = s.m * s.n * s.k;
    out->output_size = matmul_output_size();
    return STATUS_OK;
}

static struct model_shape matmul_shape(const struct artifact *artifact,
                                       const struct assignment *work,
                                       const struct task_layout *layout, struct site site)
{
    (void)artifact;
    assert(site.pack < layout->packs);
    assert(site.product < layout->products);
    return matmul_shape_of(work);
}

static enum status matmul_weights(const struct artifact *artifact,
                                  const struct assignment *work, uint32_t product,
                                  struct blob *out)
{
    (void)artifact;
    assert(product == 0);
    const struct model_shape s = matmul_shape_of(work);
    const size_t size = (size_t)(s.n * s.k), before = out->size;
    static const uint8_t zeros[4096];
    enum status status = blob_reserve(out, before + size);
    for (size_t done = 0; done < size && !status; done += sizeof zeros)
        status =
            blob_add(out, zeros, size - done < sizeof zeros ? size - done : sizeof zeros);
    if (!status)
        generated_fill(out->data + before, size, work->parameters.seed + 1);
    return status;
}

static void matmul_teardown(struct station *station)
{
    memory_free(station);
}

static enum status matmul_setup(struct device *device, const struct task_options *options,
                                struct station **out, struct error *err)
{
    struct station *station = memory_new(struct station);
    if (!station)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a station");
    station->head =
        (struct station_head){&task_matmul, device, options->artifact, options->rows};
    *out = station;
    return STATUS_OK;
}

static void matmul_close(struct task *task)
{
    device_buffer_free(task->head.station->head.device, task->product);
    generated_free(&task->matrices);
    memory_free(task->piece);
    memory_free(task);
}

static enum status matmul_fill(struct task *task, struct device *device,
                               struct error *err)
{
    const struct assignment *work = task->head.work;
    const struct model_shape s = matmul_shape_of(work);
    enum status status = matmul_check(work, err);
    if (!status)
        status = generated_fits(device, s, 4 * s.m * s.n, err);
    if (!status)
        status = generated_new(&task->matrices, device, s, err);
    if (!status)
        status = generated_left(&task->matrices, work->parameters.seed, s.m);
    if (!status)
        status = generated_right(&task->matrices, work->parameters.seed + 1);
    if (!status)
        status = device_buffer_new(device, (size_t)(4 * s.m * s.n), &task->product);
    task->piece = memory_array(READ_SIZE, 1);
    if (!status && !task->piece)
        status = STATUS_NO_MEMORY;
    if (status && err && !err->text[0])
        return error_set(err, status,
                         "a product of %" PRIu64 " x %" PRIu64 " x %" PRIu64 ": %s", s.m,
                         s.n, s.k, status_text(status));
    return status;
}

static enum status matmul_open(struct station *station, const struct assignment *work,
                               struct task **out, struct error *err)
{
    struct task *task = memory_new(struct task);
    if (!task)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a task");
    task->head =
        (struct task_head){.kind = &task_matmul, .station = station, .work = work};
    const enum status status = matmul_fill(task, station->head.device, err);
    if (status) {
        matmul_close(task);
        return status;
    }
    *out = task;
    return STATUS_OK;
}

static struct weights *matmul_operand(const struct task *task, uint32_t product)
{
    assert(product == 0);
    return task->matrices.weights;
}

static enum status matmul_hash(struct task *task)
{
    struct device *device = task->head.station->head.device;
    const size_t size = device_buffer_size(task->product);
    struct blake3 hasher;
    blake3_begin(&hasher);
    for (size_t done = 0; done < size; done += READ_SIZE) {
        const size_t part = size - done < READ_SIZE ? size - done : READ_SIZE;
        const enum status status =
            device_read(device, task->product, done, task->piece, part);
        if (status)
            return status;
        blake3_add(&hasher, task->piece, part);
    }
    blake3_end(&hasher, task->digest);
    return STATUS_OK;
}

static enum status matmul_step(struct task *task, struct matmul_port *port)
{
    enum status status =
        generated_run(&task->matrices, port, (struct view){task->product, 0});
    if (!status)
        status = matmul_drain(port);
    if (!status)
        status = matmul_hash(task);
    return status ? status : STATUS_DONE;
}

static void matmul_progress(const struct task *task, uint64_t *done, uint64_t *total)
{
    *done = task->head.is_done;
    *total = 1;
}

static enum status matmul_answer(const struct task *task, struct blob *output)
{
    const struct tensor tensor = {
        .name = "blake3",
        .dtype = DTYPE_U8,
        .rank = 1,
        .shape = {BLAKE3_SIZE},
        .data = bytes_of(task->digest, BLAKE3_SIZE),
    };
    return safetensors_write(&tensor, 1, output, NULL);
}

static enum status matmul_split(struct bytes input, uint64_t rows_max,
                                struct blob **parts, uint32_t *count, struct error *err)
{
    (void)input, (void)rows_max;
    *parts = NULL;
    *count = 0;
    return error_set(err, STATUS_NOT_SUPPORTED, "a matmul is one product, indivisible");
}

static enum status matmul_join(const struct bytes *parts, uint32_t count,
                               struct blob *out, struct error *err)
{
    if (count != 1)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "a matmul is one product, it has no %" PRIu32 " parts", count);
    return blob_add(out, parts[0].data, parts[0].size);
}

const struct task_kind task_matmul = {
    .name = "matmul",
    .needs_model = false,
    .layout = matmul_layout,
    .shape = matmul_shape,
    .weights = matmul_weights,
    .setup = matmul_setup,
    .teardown = matmul_teardown,
    .open = matmul_open,
    .close = matmul_close,
    .step = matmul_step,
    .operand = matmul_operand,
    .progress = matmul_progress,
    .answer = matmul_answer,
    .split = matmul_split,
    .join = matmul_join,
};
