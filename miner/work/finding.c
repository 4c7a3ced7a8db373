/*
 * finding.c - the end of a finding.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/finding.h"

#include "miner/base/memory.h"

void finding_free(struct finding *finding)
{
    if (!finding)
        return;
    job_release(finding->job);
    proof_free(&finding->proof);
    memory_free(finding);
}
