/*
 * tokenizer_kind.h - what a kind of tokenizer must do; for tokenizer*.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_TOKENIZER_KIND_H
#define MINERVA_MODELS_TOKENIZER_KIND_H

#include "miner/models/tokenizer.h"

struct tokenizer_kind {
    const char *name; /* the word in the manifest */
    enum status (*open)(const struct tokenizer_info *info, struct bytes vocab,
                        struct tokenizer **out, struct error *err);
    void (*close)(struct tokenizer *tokenizer);
    /* text is UTF-8 of at most TOKENIZER_TEXT_MAX bytes.  Appends at least the opening
     * and the closing special token. */
    enum status (*encode)(const struct tokenizer *tokenizer, struct bytes text,
                          struct blob *ids, struct error *err);
};

/* Keeps the working memory of one text below half a gigabyte. */
enum { TOKENIZER_TEXT_MAX = 16 << 20 };

/* The first member of every kind's own struct. */
struct tokenizer {
    const struct tokenizer_kind *kind;
    uint32_t max_sequence;
    bool ignores_special;
};

extern const struct tokenizer_kind tokenizer_wordpiece;

#endif
