/*
 * vocabulary.h - a tokenizer's words: bytes to id.
 *
 * Sorted, not hashed: a vocabulary made to collide costs no more than any other.
 * Read-only once it is open: any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_VOCABULARY_H
#define MINERVA_MODELS_VOCABULARY_H

#include "miner/base/bytes.h"

enum { VOCABULARY_ENTRIES_MAX = 1 << 20, VOCABULARY_SIZE_MAX = 64 << 20 };

struct vocabulary_entry {
    struct bytes word;
    uint32_t id;
};

struct vocabulary {
    uint8_t *text;                    /* the words' bytes, owned */
    struct vocabulary_entry *entries; /* sorted by word */
    uint32_t count;
    size_t word_size_max;
};

/* One word a line, its number from 0 is its id; the last line needs no LF.  Empty words,
 * words twice and text that is no UTF-8 are refused. */
MUST_CHECK enum status vocabulary_open(struct bytes lines, struct vocabulary *out,
                                       struct error *err);
void vocabulary_close(struct vocabulary *vocabulary);
bool vocabulary_find(const struct vocabulary *vocabulary, struct bytes word,
                     uint32_t *id);

#endif
