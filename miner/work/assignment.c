/*
 * assignment.c - the end of an assignment.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/assignment.h"

#include "miner/base/memory.h"

void assignment_free(struct assignment *assignment)
{
    if (!assignment)
        return;
    blob_free(&assignment->input);
    memory_free(assignment);
}
