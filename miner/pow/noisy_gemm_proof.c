/*
 * noisy_gemm_proof.c - prove and verify, plain C, the definition (pow.md section 9).
 *
 * A verifier reads hostile numbers: every step relies only on what the steps before it
 * have checked, and each refusal has its own sentence.  Proving a finding is verifying it
 * and comparing tickets, so that nothing leaves that a verifier would refuse.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/noisy_gemm_proof.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"
#include "miner/pow/merkle.h"
#include "miner/pow/row_noise.h"
#include "miner/pow/shape.h"
#include "miner/work/plain_proof.h"

enum { TICKET_WORDS = 16, VALUE_MAX = 64 };

/* One side of a proof on its way to a ticket. */
struct side {
    enum noise_side name;
    const struct opening *opening;
    uint64_t rows_total; /* m or n */
    uint8_t seed[DIGEST_SIZE];
    int16_t *values; /* [row_count][depth], noised in the end */
};

struct verification {
    const struct proof *proof;
    const struct pow_check *check;
    struct configuration configuration;
    uint8_t job_key[DIGEST_SIZE];
    uint32_t k, depth;        /* depth: values of a row that enter a ticket, d * r */
    struct noise_pair *pairs; /* [k], one side after the other */
    struct side a, b;
};

static const char *side_name(const struct side *side)
{
    return side->name == NOISE_A ? "A" : "B";
}

static enum status version_check(uint32_t cert_version, struct error *err)
{
    if (cert_version < CERT_VERSION_MIN || cert_version > CERT_VERSION_MAX)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "certificate version is %u, expected %d to %d", cert_version,
                         CERT_VERSION_MIN, CERT_VERSION_MAX);
    return STATUS_OK;
}

static enum status shape_check(const struct proof *proof, uint32_t min_rank,
                               struct error *err)
{
    const struct pow_shape shape = {.m = proof->m,
                                    .n = proof->n,
                                    .k = proof->k,
                                    .rank = proof->rank,
                                    .h = proof->a.row_count,
                                    .w = proof->b.row_count};
    const enum status status = pow_shape_check(&shape, min_rank, err);

    if (status)
        return status;
    if (proof->a.rows[shape.h - 1] >= proof->m)
        return error_set(err, STATUS_BAD_PROOF,
                         "the last row is %" PRIu64 ", expected below m = %" PRIu64,
                         proof->a.rows[shape.h - 1], proof->m);
    if (proof->b.rows[shape.w - 1] >= proof->n)
        return error_set(err, STATUS_BAD_PROOF,
                         "the last column is %" PRIu64 ", expected below n = %" PRIu64,
                         proof->b.rows[shape.w - 1], proof->n);
    return STATUS_OK;
}

/* The whole tree is as large as m, n and k say. */
static enum status side_check_total(const struct side *side, uint64_t k,
                                    struct error *err)
{
    const uint64_t expected = merkle_chunks(side->rows_total, k);

    if (side->opening->chunk_total != expected)
        return error_set(err, STATUS_BAD_PROOF,
                         "%s: %" PRIu64 " chunks in all, expected %" PRIu64,
                         side_name(side), side->opening->chunk_total, expected);
    return STATUS_OK;
}

/* Exactly the chunks that cover the rows, and zeros behind the operand's end. */
static enum status side_check_chunks(const struct side *side, uint64_t k,
                                     struct error *err)
{
    const struct opening *opening = side->opening;
    uint64_t at = 0, next = 0; /* next: the first chunk not yet accounted for */

    for (uint64_t i = 0; i < opening->row_count; i++) {
        const uint64_t first = opening->rows[i] * k / CHUNK_SIZE;
        const uint64_t last = ((opening->rows[i] + 1) * k - 1) / CHUNK_SIZE;
        for (uint64_t chunk = first > next ? first : next; chunk <= last; chunk++) {
            if (at == opening->chunk_count || opening->chunk_indices[at++] != chunk)
                return error_set(err, STATUS_BAD_PROOF,
                                 "%s: opened chunk %" PRIu64 " is not number %" PRIu64
                                 ", which its rows need",
                                 side_name(side), at, chunk);
            next = chunk + 1;
        }
    }
    if (at != opening->chunk_count)
        return error_set(err, STATUS_BAD_PROOF,
                         "%s: %" PRIu64 " opened chunks, expected %" PRIu64,
                         side_name(side), opening->chunk_count, at);
    return STATUS_OK;
}

static enum status side_check_padding(const struct side *side, uint64_t k,
                                      struct error *err)
{
    const struct opening *opening = side->opening;
    const uint64_t pad = opening->chunk_total * CHUNK_SIZE - side->rows_total * k;
    const uint8_t *end = opening->chunks + opening->chunk_count * CHUNK_SIZE;

    assert(pad < CHUNK_SIZE);
    if (opening->chunk_indices[opening->chunk_count - 1] != opening->chunk_total - 1)
        return STATUS_OK;
    for (const uint8_t *byte = end - pad; byte < end; byte++) {
        if (*byte)
            return error_set(err, STATUS_BAD_PROOF,
                             "%s: the padding holds %u, expected zeros", side_name(side),
                             *byte);
    }
    return STATUS_OK;
}

static enum status side_check_root(const struct side *side,
                                   const uint8_t job_key[DIGEST_SIZE], struct error *err)
{
    uint8_t root[DIGEST_SIZE];
    char claimed_text[2 * DIGEST_SIZE + 1], root_text[2 * DIGEST_SIZE + 1];
    const enum status status = merkle_root(side->opening, job_key, root, err);

    if (status) {
        error_prefix(err, "%s", side_name(side));
        return status;
    }
    if (memcmp(root, side->opening->root, DIGEST_SIZE) == 0)
        return STATUS_OK;
    hex_encode(side->opening->root, DIGEST_SIZE, claimed_text);
    hex_encode(root, DIGEST_SIZE, root_text);
    return error_set(err, STATUS_BAD_PROOF,
                     "%s: the chunks lead to root %s, the proof says %s", side_name(side),
                     root_text, claimed_text);
}

/* Bytes [start, start + size) of the operand, all of them in the opening: chunk at is the
 * first of them. */
static void opening_copy_row(const struct opening *opening, uint64_t at, uint64_t start,
                             uint32_t size, int16_t *values)
{
    const uint8_t *bytes = opening->chunks + at * CHUNK_SIZE + start % CHUNK_SIZE;

    assert(opening->chunk_indices[at] == start / CHUNK_SIZE);
    for (uint32_t i = 0; i < size; i++) /* a row's chunks are neighbours in the opening */
        values[i] = (int16_t)(int8_t)bytes[i];
}

static enum status side_check_values(const struct side *side, uint32_t depth,
                                     struct error *err)
{
    const struct opening *opening = side->opening;

    for (uint64_t i = 0; i < opening->row_count; i++) {
        const int16_t *row = side->values + i * depth;
        for (uint32_t l = 0; l < depth; l++) {
            if (row[l] < -VALUE_MAX || row[l] > VALUE_MAX)
                return error_set(err, STATUS_BAD_PROOF,
                                 "%s: value %u of row %" PRIu64
                                 " is %d, expected -64 to 64",
                                 side_name(side), l, opening->rows[i], row[l]);
        }
    }
    return STATUS_OK;
}

static enum status side_read_rows(struct side *side, uint32_t k, uint32_t depth,
                                  struct error *err)
{
    const struct opening *opening = side->opening;
    uint64_t at = 0;

    for (uint64_t i = 0; i < opening->row_count; i++) {
        const uint64_t start = opening->rows[i] * k;
        while (opening->chunk_indices[at] < start / CHUNK_SIZE)
            at++;
        opening_copy_row(opening, at, start, depth, side->values + i * depth);
    }
    return side_check_values(side, depth, err);
}

static void side_add_noise(struct side *side, const struct verification *v)
{
    const struct row_noise noise = {side->name, side->seed, v->configuration.rank};

    row_noise_pairs(&noise, v->k, v->pairs);
    for (uint64_t i = 0; i < side->opening->row_count; i++)
        row_noise_add(&noise, (uint32_t)side->opening->rows[i], v->pairs, v->depth,
                      side->values + i * v->depth);
}

static int32_t dot(const int16_t *a, const int16_t *b, uint32_t count)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Adds one slice of k to every accumulator; the XOR of all of them afterwards. */
static uint32_t tile_slice(const struct verification *v, uint32_t slice, int32_t *sums)
{
    const uint32_t rank = v->configuration.rank;
    const uint64_t h = v->proof->a.row_count, w = v->proof->b.row_count;
    const int16_t *a = v->a.values + (size_t)slice * rank;
    const int16_t *b = v->b.values + (size_t)slice * rank;
    uint32_t fold = 0;

    for (uint64_t row = 0; row < h; row++) {
        for (uint64_t column = 0; column < w; column++) {
            int32_t *sum = &sums[row * w + column];
            *sum += dot(a + row * v->depth, b + column * v->depth, rank);
            fold ^= (uint32_t)*sum;
        }
    }
    return fold;
}

static void tile_ticket(const struct verification *v, uint8_t ticket[DIGEST_SIZE])
{
    int32_t sums[TILE_WORK_MAX] = {0};
    uint32_t words[TICKET_WORDS] = {0};
    uint8_t message[4 * TICKET_WORDS];

    for (uint32_t slice = 0; slice < v->depth / v->configuration.rank; slice++) {
        uint32_t *word = &words[slice % TICKET_WORDS];
        *word = (*word << 13 | *word >> 19) ^ tile_slice(v, slice, sums);
    }
    for (uint32_t i = 0; i < TICKET_WORDS; i++)
        u32_store(message + 4 * i, words[i]);
    blake3_hash(message, sizeof message, v->a.seed, ticket);
}

static enum status bound_check(const struct verification *v,
                               const uint8_t ticket[DIGEST_SIZE], struct error *err)
{
    const struct proof *proof = v->proof;
    const uint64_t factor =
        pow_work_factor(proof->a.row_count, proof->b.row_count, proof->k, proof->rank);
    struct target bound, value;
    char bound_text[65], ticket_text[65];

    if (!target_scale(&v->check->target, factor, &bound))
        return error_set(
            err, STATUS_BAD_PROOF,
            "the target times the tile's work of %" PRIu64 " passes 256 bits", factor);
    if (target_met(ticket, &bound))
        return STATUS_OK;
    memcpy(value.le, ticket, DIGEST_SIZE);
    target_to_hex(&value, ticket_text);
    target_to_hex(&bound, bound_text);
    return error_set(err, STATUS_LOW, "the ticket %s is above the bound %s", ticket_text,
                     bound_text);
}

/* What can be said of the openings before anything is hashed; then their roots. */
static enum status openings_check(const struct verification *v, struct error *err)
{
    const uint64_t k = v->proof->k;
    enum status status = side_check_total(&v->a, k, err);

    if (!status)
        status = side_check_total(&v->b, k, err);
    if (!status)
        status = side_check_chunks(&v->a, k, err);
    if (!status)
        status = side_check_chunks(&v->b, k, err);
    if (!status)
        status = side_check_padding(&v->a, k, err);
    if (!status)
        status = side_check_padding(&v->b, k, err);
    if (!status)
        status = side_check_root(&v->a, v->job_key, err);
    return status ? status : side_check_root(&v->b, v->job_key, err);
}

static enum status ticket_check(struct verification *v, uint8_t ticket[DIGEST_SIZE],
                                struct error *err)
{
    const struct proof *proof = v->proof;
    const uint32_t version = v->check->cert_version;
    enum status status = side_read_rows(&v->a, v->k, v->depth, err);

    if (!status)
        status = side_read_rows(&v->b, v->k, v->depth, err);
    if (status)
        return status;
    commitment_seed_b(v->job_key, proof->b.root, (uint32_t)proof->n, version, v->b.seed);
    commitment_seed_a(v->b.seed, proof->a.root, (uint32_t)proof->m, version, v->a.seed);
    side_add_noise(&v->a, v);
    side_add_noise(&v->b, v);
    tile_ticket(v, ticket);
    return bound_check(v, ticket, err);
}

/* The shape holds: what the rest needs is bounded now. */
static enum status verification_reserve(struct verification *v, struct error *err)
{
    const struct proof *proof = v->proof;

    v->k = (uint32_t)proof->k;
    v->depth = (uint32_t)(proof->k - proof->k % proof->rank);
    v->pairs = memory_array(v->k, sizeof *v->pairs);
    v->a = (struct side){.name = NOISE_A, .opening = &proof->a, .rows_total = proof->m};
    v->b = (struct side){.name = NOISE_B, .opening = &proof->b, .rows_total = proof->n};
    v->a.values = memory_array(proof->a.row_count * v->depth, sizeof(int16_t));
    v->b.values = memory_array(proof->b.row_count * v->depth, sizeof(int16_t));
    if (v->pairs && v->a.values && v->b.values)
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY, "no memory to verify a proof of k %u", v->k);
}

enum status noisy_gemm_verify(const struct proof *proof, const struct pow_check *check,
                              uint8_t ticket[32], struct error *err)
{
    struct verification v = {.proof = proof, .check = check};
    enum status status = version_check(check->cert_version, err);

    if (!status)
        status = shape_check(proof, check->min_rank, err);
    if (!status)
        status = configuration_of(proof, &v.configuration, err);
    if (status)
        return status;
    status = verification_reserve(&v, err);
    if (status)
        goto out;
    commitment_job_key(check->header, &v.configuration, v.job_key);
    status = openings_check(&v, err);
    if (!status)
        status = ticket_check(&v, ticket, err);
out:
    memory_free(v.pairs);
    memory_free(v.a.values);
    memory_free(v.b.values);
    return status;
}

static struct share *share_of(const struct finding *finding, struct error *err)
{
    const struct proof *proof = &finding->proof;
    struct share *share = memory_new(struct share);

    if (!share)
        goto fail;
    share->plain_proof = blob_empty(PLAIN_PROOF_SIZE_MAX);
    if (plain_proof_encode(proof, &share->plain_proof))
        goto fail;
    share->job = job_keep(finding->job);
    memcpy(share->task_id, finding->task_id, sizeof share->task_id);
    share->site = finding->site;
    memcpy(share->ticket, finding->ticket, sizeof share->ticket);
    share->m = proof->m;
    share->n = proof->n;
    share->k = proof->k;
    share->rank = proof->rank;
    share->row_count = (uint32_t)proof->a.row_count;
    share->column_count = (uint32_t)proof->b.row_count;
    for (uint32_t i = 0; i < share->row_count; i++)
        share->rows[i] = (uint32_t)proof->a.rows[i];
    for (uint32_t i = 0; i < share->column_count; i++)
        share->columns[i] = (uint32_t)proof->b.rows[i];
    share->device = finding->device;
    share->found_ms = finding->found_ms;
    share->proved_ms = clock_ms();
    return share;
fail:
    share_free(share);
    error_set(err, STATUS_NO_MEMORY, "no memory to encode a proof");
    return NULL;
}

enum status noisy_gemm_prove(const struct finding *finding, struct share **out,
                             struct error *err)
{
    const struct job *job = finding->job;
    struct pow_check check = {.cert_version = job->cert_version,
                              .min_rank = job->min_rank,
                              .target = job->target};
    uint8_t ticket[DIGEST_SIZE];
    char device_text[2 * DIGEST_SIZE + 1], ticket_text[2 * DIGEST_SIZE + 1];
    enum status status;

    *out = NULL;
    memcpy(check.header, job->header, sizeof check.header);
    status = noisy_gemm_verify(&finding->proof, &check, ticket, err);
    if (status)
        return status;
    if (memcmp(ticket, finding->ticket, sizeof ticket) != 0) {
        hex_encode(finding->ticket, DIGEST_SIZE, device_text);
        hex_encode(ticket, DIGEST_SIZE, ticket_text);
        return error_set(err, STATUS_BAD_PROOF,
                         "the device's ticket is %s, the proof's is %s", device_text,
                         ticket_text);
    }
    *out = share_of(finding, err);
    return *out ? STATUS_OK : STATUS_NO_MEMORY;
}
