/*
 * commitment.c - what a product is bound to before its noise is known (pow.md sections 2
 * and 4).
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/commitment.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "kernels/blake3_host.h"

void configuration_encode(const struct configuration *configuration,
                          uint8_t out[CONFIGURATION_SIZE])
{
    assert(configuration->rank <= UINT16_MAX);
    memset(out, 0, CONFIGURATION_SIZE);
    u32_store(out, configuration->k);
    u32_store(out + 4, configuration->rank); /* u16 rank, u16 0 */
    pattern_encode(&configuration->rows, out + 8);
    pattern_encode(&configuration->columns, out + 8 + PATTERN_BYTES);
}

/* The pattern behind a tile's rows, which are only trusted to be at most 128. */
static enum status pattern_of(const struct opening *opening, const char *what,
                              struct pattern *out, struct error *err)
{
    uint32_t offsets[PATTERN_COUNT_MAX];

    assert(opening->row_count >= 1);
    assert(opening->row_count <= PATTERN_COUNT_MAX);
    for (uint64_t i = 0; i < opening->row_count; i++) {
        if (i && opening->rows[i] <= opening->rows[i - 1])
            return error_set(err, STATUS_BAD_PROOF,
                             "%s %" PRIu64 " follows %s %" PRIu64
                             ", expected an ascending list",
                             what, opening->rows[i], what, opening->rows[i - 1]);
        if (opening->rows[i] - opening->rows[0] > UINT32_MAX)
            return error_set(err, STATUS_BAD_PROOF, "%s %" PRIu64 " is out of range",
                             what, opening->rows[i]);
        offsets[i] = (uint32_t)(opening->rows[i] - opening->rows[0]);
    }
    if (!pattern_from_offsets(offsets, (uint32_t)opening->row_count, out))
        return error_set(err, STATUS_BAD_PROOF,
                         "the %" PRIu64 " %ss from %" PRIu64
                         " on are no pattern: expected an up to three-fold progression",
                         opening->row_count, what, opening->rows[0]);
    if (!pattern_is_start(out, opening->rows[0]))
        return error_set(err, STATUS_BAD_PROOF,
                         "%s %" PRIu64 " is no legal start of its pattern", what,
                         opening->rows[0]);
    return STATUS_OK;
}

enum status configuration_of(const struct proof *proof, struct configuration *out,
                             struct error *err)
{
    enum status status;

    out->k = (uint32_t)proof->k;
    out->rank = (uint32_t)proof->rank;
    status = pattern_of(&proof->a, "row", &out->rows, err);
    return status ? status : pattern_of(&proof->b, "column", &out->columns, err);
}

void commitment_job_key(const uint8_t header[JOB_HEADER_SIZE],
                        const struct configuration *configuration,
                        uint8_t out[DIGEST_SIZE])
{
    uint8_t message[JOB_HEADER_SIZE + CONFIGURATION_SIZE];

    memcpy(message, header, JOB_HEADER_SIZE);
    configuration_encode(configuration, message + JOB_HEADER_SIZE);
    blake3_hash(message, sizeof message, NULL, out);
}

void commitment_root(struct bytes operand, const uint8_t job_key[DIGEST_SIZE],
                     uint8_t out[DIGEST_SIZE])
{
    static const uint8_t zeros[CHUNK_SIZE];
    struct blake3 hasher;

    blake3_begin_keyed(&hasher, job_key);
    blake3_add(&hasher, operand.data, operand.size);
    blake3_add(&hasher, zeros, (CHUNK_SIZE - operand.size % CHUNK_SIZE) % CHUNK_SIZE);
    blake3_end(&hasher, out);
}

/* Version 3 binds the noise to the operand's height as well. */
static void root_salt(const char *label, const uint8_t root[DIGEST_SIZE], uint32_t rows,
                      uint8_t out[DIGEST_SIZE])
{
    uint8_t message[2 * DIGEST_SIZE] = {0}, salt[DIGEST_SIZE];

    memcpy(message, root, DIGEST_SIZE);
    u32_store(message + DIGEST_SIZE, rows);
    blake3_hash(label, strlen(label), NULL, salt);
    blake3_hash(message, sizeof message, salt, out);
}

static void seed_of(const uint8_t before[DIGEST_SIZE], const uint8_t root[DIGEST_SIZE],
                    uint8_t out[DIGEST_SIZE])
{
    uint8_t message[2 * DIGEST_SIZE];

    memcpy(message, before, DIGEST_SIZE);
    memcpy(message + DIGEST_SIZE, root, DIGEST_SIZE);
    blake3_hash(message, sizeof message, NULL, out);
}

void commitment_seed_b(const uint8_t job_key[DIGEST_SIZE],
                       const uint8_t root_b[DIGEST_SIZE], uint32_t n,
                       uint32_t cert_version, uint8_t out[DIGEST_SIZE])
{
    uint8_t root[DIGEST_SIZE];

    assert(cert_version >= CERT_VERSION_MIN && cert_version <= CERT_VERSION_MAX);
    memcpy(root, root_b, sizeof root);
    if (cert_version >= 3)
        root_salt("pearl/cert-v3/noise-seed/B", root_b, n, root);
    seed_of(job_key, root, out);
}

void commitment_seed_a(const uint8_t seed_b[DIGEST_SIZE],
                       const uint8_t root_a[DIGEST_SIZE], uint32_t m,
                       uint32_t cert_version, uint8_t out[DIGEST_SIZE])
{
    uint8_t root[DIGEST_SIZE];

    assert(cert_version >= CERT_VERSION_MIN && cert_version <= CERT_VERSION_MAX);
    memcpy(root, root_a, sizeof root);
    if (cert_version >= 3)
        root_salt("pearl/cert-v3/noise-seed/A", root_a, m, root);
    seed_of(seed_b, root, out);
}
