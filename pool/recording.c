/*
 * recording.c - runs a pack on this machine's processor through a port that writes
 * operands down.
 *
 * A pack is run as an assignment of its own: packs are greedy and in order, so the part
 * of the input that makes pack p is the p-th part of the input split at `rows`.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/matmul.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

enum { RECORDINGS_KEPT = 4, PIECE_SIZE = 1 << 20, OUTPUT_SIZE_MAX = 512 << 20 };
/* Above it only the operand that is asked for is written down. */
#define RECORDING_SIZE_MAX ((uint64_t)1 << 30)

struct recorder {
    struct matmul_port port; /* first: the port is the recorder */
    struct matmul_port plain;
    struct device *device;
    struct station *station;
    const struct task_kind *kind; /* what the station is of */
    const struct artifact *artifact;
    uint32_t rows;
    const atomic_bool *stop;
    struct recording *into; /* while a pack runs */
    uint8_t *piece;         /* PIECE_SIZE */
    uint64_t uses;
    struct recording *kept[RECORDINGS_KEPT];
};

static void recording_free(struct recording *recording)
{
    if (!recording)
        return;
    if (recording->file >= 0)
        close(recording->file);
    memory_free(recording->operands);
    blob_free(&recording->output);
    memory_free(recording);
}

static int recording_file(void)
{
    FILE *file = tmpfile();
    const int fd = file ? dup(fileno(file)) : -1;

    if (file)
        fclose(file);
    return fd;
}

/* Places for all operands of a pack, or for the one that is asked for where all are too
 * many. */
static enum status recording_new(const struct work *work, const struct site *site,
                                 struct recording **out, struct error *err)
{
    struct recording *recording = memory_new(struct recording);
    uint64_t size = 0;

    if (!recording)
        return error_set(err, STATUS_NO_MEMORY, "no memory for an audit");
    snprintf(recording->task, sizeof recording->task, "%s", work->assignment.id);
    recording->pack = site->pack;
    recording->count = work->layout.products;
    recording->output = blob_empty(OUTPUT_SIZE_MAX);
    recording->operands = memory_array(recording->count, sizeof *recording->operands);
    recording->file = recording_file();
    if (!recording->operands || recording->file < 0) {
        recording_free(recording);
        return error_set(err, STATUS_IO, "no temporary file for an audit: %s",
                         strerror(errno));
    }
    for (uint32_t i = 0; i < recording->count; i++) {
        const struct site one = {.pack = site->pack, .product = i};
        const struct model_shape shape = work_shape(work, &one);
        recording->operands[i] = (struct operand){size, shape.m, shape.k};
        size += shape.m * shape.k;
    }
    for (uint32_t i = 0; size > RECORDING_SIZE_MAX && i < recording->count; i++) {
        if (i != site->product)
            recording->operands[i].rows = 0;
    }
    *out = recording;
    return STATUS_OK;
}

static enum status recorder_write(struct recorder *recorder,
                                  const struct operand *operand, struct view from)
{
    const uint64_t total = operand->rows * operand->k;

    for (uint64_t done = 0; done < total;) {
        const size_t size =
            total - done < PIECE_SIZE ? (size_t)(total - done) : (size_t)PIECE_SIZE;
        const enum status status = device_read(recorder->device, from.buffer,
                                               from.offset + done, recorder->piece, size);
        if (status)
            return status;
        if (pwrite(recorder->into->file, recorder->piece, size,
                   (off_t)(operand->offset + done)) != (ssize_t)size)
            return STATUS_IO;
        done += size;
    }
    return STATUS_OK;
}

static enum status recorder_run(struct matmul_port *port, const struct matmul *product)
{
    struct recorder *recorder = (struct recorder *)port;
    struct matmul made = *product;
    enum status status = matmul_port_make(port, product);

    made.made_by = NULL;
    if (!status && product->site.product < recorder->into->count) {
        const struct operand *operand = &recorder->into->operands[product->site.product];
        if (operand->rows && operand->rows == product->m && operand->k == product->b->k)
            status = recorder_write(recorder, operand, product->a);
        else if (operand->rows)
            status = STATUS_BAD_DATA;
    }
    return status ? status : matmul_run(port->below, &made);
}

static enum status recorder_drain(struct matmul_port *port)
{
    return matmul_drain(port->below);
}

enum status recorder_open(const atomic_bool *stop, struct recorder **out,
                          struct error *err)
{
    const uint32_t threads = (thread_processors() + 1) / 2;
    const struct device_options options = {.threads = threads};
    struct recorder *recorder = memory_new(struct recorder);

    if (recorder)
        recorder->piece = memory_array(PIECE_SIZE, 1);
    if (!recorder || !recorder->piece) {
        memory_free(recorder);
        return error_set(err, STATUS_NO_MEMORY, "no memory for audits");
    }
    const enum status status =
        device_open(&backend_cpu, 0, &options, &recorder->device, err);
    if (status) {
        recorder->device = NULL;
        recorder_close(recorder);
        return status;
    }
    recorder->stop = stop;
    matmul_port_plain(&recorder->plain, recorder->device);
    recorder->port = (struct matmul_port){.run = recorder_run,
                                          .drain = recorder_drain,
                                          .below = &recorder->plain,
                                          .device = recorder->device};
    *out = recorder;
    return STATUS_OK;
}

void recorder_rest(struct recorder *recorder)
{
    if (recorder->station)
        station_teardown(recorder->station);
    recorder->station = NULL;
}

void recorder_close(struct recorder *recorder)
{
    if (!recorder)
        return;
    recorder_rest(recorder);
    for (size_t i = 0; i < RECORDINGS_KEPT; i++)
        recording_free(recorder->kept[i]);
    device_close(recorder->device);
    memory_free(recorder->piece);
    memory_free(recorder);
}

static enum status recorder_station(struct recorder *recorder, const struct work *work,
                                    struct error *err)
{
    const struct task_options options = {.artifact = work->artifact,
                                         .rows = (uint32_t)work->layout.rows_longest};

    if (recorder->station && recorder->kind == work->kind &&
        recorder->artifact == work->artifact && recorder->rows >= options.rows)
        return STATUS_OK;
    recorder_rest(recorder);
    const enum status status =
        station_setup(work->kind, recorder->device, &options, &recorder->station, err);
    if (status)
        recorder->station = NULL;
    recorder->kind = work->kind;
    recorder->artifact = work->artifact;
    recorder->rows = options.rows;
    return status;
}

static enum status recorder_work(struct recorder *recorder, const struct assignment *part,
                                 struct recording *into, struct error *err)
{
    struct task *task = NULL;
    enum status status = task_open(recorder->station, part, &task, err);

    if (status)
        return status;
    recorder->into = into;
    do {
        status = atomic_load(recorder->stop) ? STATUS_CANCELLED
                                             : task_step(task, &recorder->port);
    } while (status == STATUS_OK);
    recorder->into = NULL;
    status = status == STATUS_DONE ? task_answer(task, &into->output) : status;
    task_close(task);
    if (status)
        error_set(err, status, "the audit's own run failed: %s", status_text(status));
    return status;
}

/* The pack as an assignment of its own. */
static enum status recorder_make(struct recorder *recorder, const struct work *work,
                                 struct recording *into, struct error *err)
{
    struct assignment part = work->assignment; /* lent */
    struct blob *parts = NULL;
    uint32_t count = 0;
    enum status status = recorder_station(recorder, work, err);

    if (!status && work->layout.packs > 1) {
        status = work->kind->split(blob_bytes(&work->assignment.input),
                                   work->assignment.rows, &parts, &count, err);
        if (!status && count != work->layout.packs)
            status = error_set(err, STATUS_BAD_DATA, "%u parts, expected %u packs", count,
                               work->layout.packs);
        if (!status)
            part.input = parts[into->pack];
    }
    if (!status)
        status = recorder_work(recorder, &part, into, err);
    task_parts_free(parts, count);
    return status;
}

static struct recording **recorder_oldest(struct recorder *recorder)
{
    struct recording **oldest = &recorder->kept[0];

    for (size_t i = 0; i < RECORDINGS_KEPT; i++) {
        if (!recorder->kept[i])
            return &recorder->kept[i];
        if (recorder->kept[i]->used < (*oldest)->used)
            oldest = &recorder->kept[i];
    }
    return oldest;
}

enum status recorder_pack(struct recorder *recorder, const struct work *work,
                          const struct site *site, const struct recording **out,
                          struct error *err)
{
    struct recording *fresh;

    for (size_t i = 0; i < RECORDINGS_KEPT; i++) {
        struct recording *kept = recorder->kept[i];
        if (kept && !strcmp(kept->task, work->assignment.id) &&
            kept->pack == site->pack && kept->operands[site->product].rows) {
            kept->used = ++recorder->uses;
            *out = kept;
            return STATUS_OK;
        }
    }
    enum status status = recording_new(work, site, &fresh, err);
    if (status)
        return status;
    status = recorder_make(recorder, work, fresh, err);
    if (status) {
        recording_free(fresh);
        return status;
    }
    struct recording **place = recorder_oldest(recorder);
    recording_free(*place);
    fresh->used = ++recorder->uses;
    *out = *place = fresh;
    return STATUS_OK;
}

enum status recording_read(const struct recording *recording, uint32_t product,
                           uint64_t offset, struct blob *out, uint64_t size,
                           struct error *err)
{
    const struct operand *operand = &recording->operands[product];

    if (offset + size > operand->rows * operand->k)
        return error_set(err, STATUS_BAD_DATA, "product %u was not written down",
                         product);
    blob_clear(out);
    if (blob_reserve(out, (size_t)size))
        return error_set(err, STATUS_NO_MEMORY, "no memory for an audit");
    if (pread(recording->file, out->data, (size_t)size,
              (off_t)(operand->offset + offset)) != (ssize_t)size)
        return error_set(err, STATUS_IO, "an audit's file cannot be read: %s",
                         strerror(errno));
    out->size = (size_t)size;
    return STATUS_OK;
}

enum status recording_root(const struct recording *recording, uint32_t product,
                           const uint8_t *key, uint8_t root[BLAKE3_SIZE],
                           struct error *err)
{
    static const uint8_t zeros[BLAKE3_CHUNK];
    const uint64_t total =
        recording->operands[product].rows * recording->operands[product].k;
    struct blob piece = blob_empty(PIECE_SIZE);
    enum status status = STATUS_OK;
    struct blake3 hasher;

    blake3_begin_keyed(&hasher, key);
    for (uint64_t done = 0; !status && done < total;) {
        const uint64_t size = total - done < PIECE_SIZE ? total - done : PIECE_SIZE;
        status = recording_read(recording, product, done, &piece, size, err);
        if (!status)
            blake3_add(&hasher, piece.data, piece.size);
        done += size;
    }
    blake3_add(&hasher, zeros,
               (size_t)((BLAKE3_CHUNK - total % BLAKE3_CHUNK) % BLAKE3_CHUNK));
    blake3_end(&hasher, root);
    blob_free(&piece);
    return status;
}
