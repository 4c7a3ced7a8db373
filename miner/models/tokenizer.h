/*
 * tokenizer.h - text into token ids, on the requester's side only (numerics.md 3.4).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_TOKENIZER_H
#define MINERVA_MODELS_TOKENIZER_H

#include "miner/models/artifact.h"

struct tokenizer;
/* The vocabulary is copied. Any thread may encode with an open tokenizer. */
MUST_CHECK enum status tokenizer_open(const struct tokenizer_info *info,
                                      struct bytes vocab, struct tokenizer **out,
                                      struct error *err);
void tokenizer_close(struct tokenizer *tokenizer);
/* From now on "[SEP]" and its like in a text are words like any others.  The reference
 * library makes special tokens of them even in text of users, and so does this one unless
 * it is told. */
void tokenizer_ignore_special(struct tokenizer *tokenizer);
/* All ids of text, special tokens included, not truncated: appended to ids as int32 in
 * native order. Text that is no UTF-8: BAD_DATA naming the offset. */
MUST_CHECK enum status tokenizer_encode(const struct tokenizer *tokenizer,
                                        struct bytes text, struct blob *ids,
                                        struct error *err);

/* A text file taken apart as numerics.md 3.3 says, one sequence a line, each truncated to
 * max_sequence with the closing special token kept. */
struct token_lines {
    uint32_t count;
    uint32_t *lengths; /* [count] */
    int32_t *ids;      /* the lines one after the other */
    uint64_t total;
    uint32_t truncated; /* how many lines were cut */
};
MUST_CHECK enum status tokenizer_lines(const struct tokenizer *tokenizer,
                                       struct bytes text, struct token_lines *out,
                                       struct error *err);
void token_lines_free(struct token_lines *lines);

#endif
