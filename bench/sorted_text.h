/*
 * sorted_text.h - a text file as token ids, its lines sorted by length, the shortest
 * first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_SORTED_TEXT_H
#define MINERVA_BENCH_SORTED_TEXT_H

#include "miner/models/artifact.h"

struct sorted_text { /* both arrays are owned */
    uint32_t count;
    uint64_t total;
    uint32_t *lengths; /* [count] */
    int32_t *ids;      /* [total] */
};

/* With the model's own tokenizer; at least one line, or a sentence why not. */
MUST_CHECK enum status sorted_text_read(const char *path, const struct artifact *artifact,
                                        struct sorted_text *out, struct error *err);
void sorted_text_free(struct sorted_text *text); /* the arrays; a zeroed one is fine */

#endif
