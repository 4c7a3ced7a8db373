/*
 * plain_proof.c - the share's bytes: PlainProof, bincode with fixed-width little-endian
 * integers.
 *
 * Decoding an opening walks its lengths first, then allocates once: what is allocated is
 * never larger than what came.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/plain_proof.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum { NUMBER_SIZE = 8, CHUNK_FIELD = NUMBER_SIZE + CHUNK_SIZE };

struct reader {
    const uint8_t *at;
    size_t left;
    const char *side; /* "A" or "B", for sentences */
    struct error *err;
};

static enum status reader_number(struct reader *reader, const char *what, uint64_t *out)
{
    if (reader->left < NUMBER_SIZE)
        return error_set(
            reader->err, STATUS_BAD_PROOF,
            "%s: the proof ends inside the %s: %zu bytes are left, expected 8",
            reader->side, what, reader->left);
    *out = u64_load(reader->at);
    reader->at += NUMBER_SIZE;
    reader->left -= NUMBER_SIZE;
    return STATUS_OK;
}

/* A count and that many fields of size bytes: remembers where they lie, steps over. */
static enum status reader_list(struct reader *reader, const char *what, size_t size,
                               uint64_t *count, const uint8_t **items)
{
    const enum status status = reader_number(reader, what, count);

    if (status)
        return status;
    if (*count > reader->left / size)
        return error_set(reader->err, STATUS_BAD_PROOF,
                         "%s: the %s number %" PRIu64
                         ", but the %zu bytes left hold at most %zu",
                         reader->side, what, *count, reader->left, reader->left / size);
    *items = reader->at;
    reader->at += *count * size;
    reader->left -= (size_t)*count * size;
    return STATUS_OK;
}

static enum status reader_root(struct reader *reader, uint8_t root[DIGEST_SIZE])
{
    if (reader->left < DIGEST_SIZE)
        return error_set(
            reader->err, STATUS_BAD_PROOF,
            "%s: the proof ends inside the root: %zu bytes are left, expected 32",
            reader->side, reader->left);
    memcpy(root, reader->at, DIGEST_SIZE);
    reader->at += DIGEST_SIZE;
    reader->left -= DIGEST_SIZE;
    return STATUS_OK;
}

/* Every chunk carries its own length. */
static enum status chunks_check(const struct reader *reader, const uint8_t *fields,
                                uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t size = u64_load(fields + i * CHUNK_FIELD);
        if (size != CHUNK_SIZE)
            return error_set(reader->err, STATUS_BAD_PROOF,
                             "%s: chunk %" PRIu64 " has %" PRIu64 " bytes, expected 1024",
                             reader->side, i, size);
    }
    return STATUS_OK;
}

/* Where an opening's lists lie in the bytes. */
struct opening_fields {
    const uint8_t *chunks, *chunk_indices, *siblings, *rows;
};

static enum status opening_copy(const struct opening_fields *fields, struct opening *out)
{
    const enum status status = opening_reserve(out);

    if (status)
        return status;
    for (uint64_t i = 0; i < out->chunk_count; i++) {
        memcpy(out->chunks + i * CHUNK_SIZE,
               fields->chunks + i * CHUNK_FIELD + NUMBER_SIZE, CHUNK_SIZE);
        out->chunk_indices[i] = u64_load(fields->chunk_indices + i * NUMBER_SIZE);
    }
    memcpy(out->siblings, fields->siblings, out->sibling_count * DIGEST_SIZE);
    for (uint64_t i = 0; i < out->row_count; i++)
        out->rows[i] = u64_load(fields->rows + i * NUMBER_SIZE);
    return STATUS_OK;
}

static enum status opening_decode(struct reader *reader, struct opening *out)
{
    struct opening_fields fields = {0};
    uint64_t index_count = 0;
    enum status status;

    status =
        reader_list(reader, "chunks", CHUNK_FIELD, &out->chunk_count, &fields.chunks);
    if (!status)
        status = chunks_check(reader, fields.chunks, out->chunk_count);
    if (!status)
        status = reader_list(reader, "chunk indices", NUMBER_SIZE, &index_count,
                             &fields.chunk_indices);
    if (status)
        return status;
    if (index_count != out->chunk_count)
        return error_set(reader->err, STATUS_BAD_PROOF,
                         "%s: %" PRIu64 " chunk indices for %" PRIu64 " chunks",
                         reader->side, index_count, out->chunk_count);
    status = reader_number(reader, "count of all chunks", &out->chunk_total);
    if (!status)
        status = reader_root(reader, out->root);
    if (!status)
        status = reader_list(reader, "siblings", DIGEST_SIZE, &out->sibling_count,
                             &fields.siblings);
    if (!status)
        status = reader_list(reader, "rows", NUMBER_SIZE, &out->row_count, &fields.rows);
    return status ? status : opening_copy(&fields, out);
}

/* Nothing is left (the oldest form), or the one byte that says "dense". */
static enum status tail_check(const struct reader *reader)
{
    if (!reader->left || (reader->left == 1 && !reader->at[0]))
        return STATUS_OK;
    if (reader->at[0] == 1)
        return error_set(reader->err, STATUS_BAD_PROOF,
                         "the proof is of a mixture of experts, expected a dense one");
    if (reader->at[0])
        return error_set(reader->err, STATUS_BAD_PROOF,
                         "the last field's tag is %u, expected 0 or nothing",
                         reader->at[0]);
    return error_set(reader->err, STATUS_BAD_PROOF,
                     "%zu bytes follow the end of the proof", reader->left - 1);
}

static enum status proof_decode(struct reader *reader, struct proof *out)
{
    enum status status;

    reader->side = "shape";
    status = reader_number(reader, "m", &out->m);
    if (!status)
        status = reader_number(reader, "n", &out->n);
    if (!status)
        status = reader_number(reader, "k", &out->k);
    if (!status)
        status = reader_number(reader, "rank", &out->rank);
    reader->side = "A";
    if (!status)
        status = opening_decode(reader, &out->a);
    reader->side = "B";
    if (!status)
        status = opening_decode(reader, &out->b);
    return status ? status : tail_check(reader);
}

enum status plain_proof_decode(struct bytes from, struct proof *out, struct error *err)
{
    struct reader reader = {.at = from.data, .left = from.size, .err = err};
    enum status status;

    *out = (struct proof){0};
    if (from.size > PLAIN_PROOF_SIZE_MAX)
        return error_set(err, STATUS_BAD_PROOF,
                         "the proof has %zu bytes, expected at most %d", from.size,
                         PLAIN_PROOF_SIZE_MAX);
    status = proof_decode(&reader, out);
    if (status == STATUS_NO_MEMORY)
        error_set(err, status, "no memory for a proof of %zu bytes", from.size);
    if (status) {
        proof_free(out);
        *out = (struct proof){0};
    }
    return status;
}

static uint8_t *put_number(uint8_t *to, uint64_t value)
{
    u64_store(to, value);
    return to + NUMBER_SIZE;
}

static uint8_t *put_bytes(uint8_t *to, const void *data, size_t size)
{
    if (size)
        memcpy(to, data, size);
    return to + size;
}

static uint8_t *put_numbers(uint8_t *to, const uint64_t *values, uint64_t count)
{
    to = put_number(to, count);
    for (uint64_t i = 0; i < count; i++)
        to = put_number(to, values[i]);
    return to;
}

static size_t opening_size(const struct opening *opening)
{
    return 5 * NUMBER_SIZE + DIGEST_SIZE +
           opening->chunk_count * (CHUNK_FIELD + NUMBER_SIZE) +
           opening->sibling_count * DIGEST_SIZE + opening->row_count * NUMBER_SIZE;
}

static uint8_t *opening_encode(const struct opening *opening, uint8_t *to)
{
    to = put_number(to, opening->chunk_count);
    for (uint64_t i = 0; i < opening->chunk_count; i++) {
        to = put_number(to, CHUNK_SIZE);
        to = put_bytes(to, opening->chunks + i * CHUNK_SIZE, CHUNK_SIZE);
    }
    to = put_numbers(to, opening->chunk_indices, opening->chunk_count);
    to = put_number(to, opening->chunk_total);
    to = put_bytes(to, opening->root, DIGEST_SIZE);
    to = put_number(to, opening->sibling_count);
    to = put_bytes(to, opening->siblings, opening->sibling_count * DIGEST_SIZE);
    return put_numbers(to, opening->rows, opening->row_count);
}

enum status plain_proof_encode(const struct proof *proof, struct blob *out)
{
    const size_t size =
        4 * NUMBER_SIZE + opening_size(&proof->a) + opening_size(&proof->b) + 1;
    const enum status status = blob_reserve(out, out->size + size);
    uint8_t *to;

    if (status)
        return status;
    to = out->data + out->size;
    to = put_number(to, proof->m);
    to = put_number(to, proof->n);
    to = put_number(to, proof->k);
    to = put_number(to, proof->rank);
    to = opening_encode(&proof->a, to);
    to = opening_encode(&proof->b, to);
    *to++ = 0; /* no mixture of experts: the current form */
    assert(to == out->data + out->size + size);
    out->size += size;
    *to = 0; /* blobs end with a NUL beyond their size */
    return STATUS_OK;
}
