/*
 * easy_mine.c - begins and ends a run, and judges what it found.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/easy_mine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FOUND_MAX = 8192 };

void easy_mine_open(struct easy_mine *mine, struct device *device,
                    const struct pow_limits *limits, uint32_t min_rank,
                    const char *target)
{
    struct job job = {.cert_version = 3, .min_rank = min_rank, .unassigned = true};
    struct error err = {0};
    for (size_t i = 0; i < JOB_HEADER_SIZE; i++)
        job.header[i] = (uint8_t)(i * 5 + 1);
    assert_int_equal(target_from_hex(target, &job.target, NULL), STATUS_OK);
    mine->check =
        (struct pow_check){.cert_version = 3, .min_rank = min_rank, .target = job.target};
    memcpy(mine->check.header, job.header, JOB_HEADER_SIZE);
    matmul_port_plain(&mine->plain, device);
    assert_int_equal(mailbox_new(job_hold, job_drop, &mine->jobs), STATUS_OK);
    assert_int_equal(queue_new(FOUND_MAX, outgoing_free, &mine->found), STATUS_OK);
    mailbox_put(mine->jobs, job_new(&job));
    const struct pow_outlet outlet = {.findings = mine->found};
    if (scheme_noisy_gemm.begin(mine->jobs, &mine->plain, limits, &outlet, &mine->run,
                                &err))
        fail_msg("%s", error_text(&err));
    mine->port = scheme_noisy_gemm.port(mine->run);
}

void easy_mine_close(struct easy_mine *mine)
{
    scheme_noisy_gemm.end(mine->run);
    queue_free(mine->found);
    mailbox_free(mine->jobs);
}

bool easy_mine_take(struct easy_mine *mine, struct share **share, struct proof *proof)
{
    struct error err = {0};
    uint8_t ticket[DIGEST_SIZE];
    void *thing;
    if (queue_take(mine->found, 0, &thing))
        return false;
    const struct outgoing *outgoing = thing;
    assert_int_equal(outgoing->kind, OUTGOING_FINDING);
    if (scheme_noisy_gemm.prove(outgoing->as.finding, share, &err) ||
        plain_proof_decode(blob_bytes(&(*share)->plain_proof), proof, &err) ||
        scheme_noisy_gemm.verify(proof, &mine->check, ticket, &err))
        fail_msg("%s", error_text(&err));
    assert_memory_equal(ticket, (*share)->ticket, sizeof ticket);
    outgoing_free(thing);
    return true;
}
