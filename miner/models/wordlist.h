/*
 * wordlist.h - a tokenizer's words: bytes to id.
 *
 * Sorted, not hashed: a vocabulary made to collide costs no more than any other.
 * Read-only once it is open: any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_WORDLIST_H
#define MINERVA_MODELS_WORDLIST_H

#include "miner/base/bytes.h"

enum { WORDLIST_ENTRIES_MAX = 1 << 20, WORDLIST_SIZE_MAX = 64 << 20 };

struct wordlist_entry {
    struct bytes word;
    uint32_t id;
};

struct wordlist {
    uint8_t *text;                  /* the words' bytes, owned */
    struct wordlist_entry *entries; /* sorted by word */
    uint32_t count;
    size_t word_size_max;
};

/* One word a line, its number from 0 is its id; the last line needs no LF.  Empty words,
 * words twice and text that is no UTF-8 are refused. */
MUST_CHECK enum status wordlist_open(struct bytes lines, struct wordlist *out,
                                     struct error *err);
void wordlist_close(struct wordlist *list);
bool wordlist_find(const struct wordlist *list, struct bytes word, uint32_t *id);

#endif
