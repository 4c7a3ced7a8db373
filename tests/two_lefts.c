/*
 * two_lefts.c - makes the operands and the run, and multiplies.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/two_lefts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* T = 2^237. */
#define TARGET "200000000000000000000000000000000000000000000000000000000000"

static struct buffer *matrix(struct device *device, uint64_t size, uint64_t seed)
{
    struct buffer *buffer;

    assert_int_equal(device_buffer_new(device, size, &buffer), STATUS_OK);
    const struct launch launch = {.kernel = KERNEL_test_matrix,
                                  .last = size,
                                  .views = {{buffer, 0}},
                                  .scalars = {{.u64 = seed}}};
    assert_int_equal(device_launch(device, &launch), STATUS_OK);
    return buffer;
}

void two_lefts_open(struct two_lefts *bench, const char *backend, const char *variant)
{
    const struct device_options options = {.threads = 2, .variant = variant};
    const struct pow_limits limits = {LEFT_M, LEFT_N, LEFT_K, .hits = 64};
    struct error err = {0};

    *bench = (struct two_lefts){.c = NULL};
    if (device_open(backend_find(backend), 0, &options, &bench->device, &err))
        fail_msg("%s", error_text(&err));
    easy_mine_open(&bench->mine, bench->device, &limits, 32, TARGET);
    for (uint32_t i = 0; i < 2; i++)
        bench->left[i] = matrix(bench->device, (uint64_t)LEFT_M * LEFT_K, i + 1);
    bench->right = matrix(bench->device, (uint64_t)LEFT_N * LEFT_K, 3);
    assert_int_equal(
        device_buffer_new(bench->device, (size_t)LEFT_M * LEFT_N * 4, &bench->c),
        STATUS_OK);
    assert_int_equal(weights_new(bench->device, (struct view){bench->right, 0}, LEFT_N,
                                 LEFT_K, &bench->weights),
                     STATUS_OK);
}

void two_lefts_close(struct two_lefts *bench)
{
    easy_mine_close(&bench->mine);
    weights_free(bench->weights);
    device_buffer_free(bench->device, bench->right);
    device_buffer_free(bench->device, bench->c);
    for (uint32_t i = 0; i < 2; i++)
        device_buffer_free(bench->device, bench->left[i]);
    device_close(bench->device);
}

void two_lefts_job(struct two_lefts *bench, char number)
{
    struct job job = {
        .cert_version = 3, .min_rank = 32, .target = bench->mine.check.target};

    memset(job.header, number, sizeof job.header);
    job.id[0] = number;
    mailbox_put(bench->mine.jobs, job_new(&job));
}

enum status two_lefts_mine(struct two_lefts *bench, uint32_t left,
                           struct matmul_change change)
{
    const struct matmul product = {
        .m = LEFT_M, .a = {bench->left[left], 0}, .b = bench->weights, .change = change};

    return matmul_run(bench->mine.port, &product);
}

void two_lefts_rank(struct two_lefts *bench, uint32_t rank)
{
    const struct noisy_gemm_choice choice = {rank, {pattern_range(8), pattern_range(16)}};

    noisy_gemm_dictate(bench->mine.run, &choice);
}

/* All of a finding that is not time or place. */
static void finding_digest(const struct finding *finding, uint8_t out[BLAKE3_SIZE])
{
    const struct opening *sides[] = {&finding->proof.a, &finding->proof.b};
    struct blake3 hasher;

    blake3_begin(&hasher);
    blake3_add(&hasher, finding->ticket, sizeof finding->ticket);
    blake3_add(&hasher, (const uint8_t *)&finding->site, sizeof finding->site);
    blake3_add(&hasher, (const uint8_t *)finding->task_id, strlen(finding->task_id));
    blake3_add(&hasher, (const uint8_t *)finding->job->id, 1);
    for (int i = 0; i < 2; i++) {
        blake3_add(&hasher, sides[i]->root, sizeof sides[i]->root);
        blake3_add(&hasher, (const uint8_t *)sides[i]->rows,
                   sides[i]->row_count * sizeof *sides[i]->rows);
        blake3_add(&hasher, sides[i]->chunks, sides[i]->chunk_count * CHUNK_SIZE);
        blake3_add(&hasher, sides[i]->siblings, sides[i]->sibling_count * DIGEST_SIZE);
    }
    blake3_end(&hasher, out);
}

void two_lefts_take(struct two_lefts *bench, struct two_lefts_found *found)
{
    void *thing;

    while (!queue_take(bench->mine.found, 0, &thing)) {
        struct outgoing *out = thing;
        struct share *share;
        struct error err = {0};

        assert_true(found->count < TWO_LEFTS_FOUND_MAX);
        if (scheme_noisy_gemm.prove(out->as.finding, &share, &err))
            fail_msg("%s", error_text(&err));
        finding_digest(out->as.finding, found->digests[found->count++]);
        share_free(share);
        outgoing_free(out);
    }
}
