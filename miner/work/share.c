/*
 * share.c - the end of a share.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/share.h"

#include "miner/base/memory.h"

void share_free(struct share *share)
{
    if (!share)
        return;
    job_release(share->job);
    blob_free(&share->plain_proof);
    memory_free(share);
}
