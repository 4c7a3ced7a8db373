/*
 * assignment.c - the end of an assignment.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/assignment.h"

#include "miner/base/memory.h"

void assignment_free(void *assignment)
{
    struct assignment *freed = assignment;

    if (!freed)
        return;
    blob_free(&freed->input);
    memory_free(freed);
}
