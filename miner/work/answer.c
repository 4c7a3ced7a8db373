/*
 * answer.c - the hash that names a result, and the end of an answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/work/answer.h"

#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    blob_free(&answer->output);
    memory_free(answer);
}

static void add_counted(struct blake3 *hasher, const char *text)
{
    uint8_t size[4];

    u32_store(size, (uint32_t)strlen(text));
    blake3_add(hasher, size, sizeof size);
    blake3_add(hasher, text, strlen(text));
}

/* task-pool.md section 9: four strings, each behind its length, then the output's bytes.
 */
void answer_result_hash(const char *model, const char *task_id, struct bytes output,
                        char out[65])
{
    struct blake3 hasher;
    uint8_t digest[BLAKE3_SIZE];

    blake3_begin(&hasher);
    add_counted(&hasher, "pouw/1 result");
    add_counted(&hasher, "DET-1");
    add_counted(&hasher, model);
    add_counted(&hasher, task_id);
    blake3_add(&hasher, output.data, output.size);
    blake3_end(&hasher, digest);
    hex_encode(digest, sizeof digest, out);
}
