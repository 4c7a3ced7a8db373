/*
 * fuzz_vocab.c - a vocabulary and a text, parted by a zero byte: refused, or ids of the
 * vocabulary that begin and end with their special tokens.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/models/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t count_lines(struct bytes text)
{
    uint32_t count = text.size && text.data[text.size - 1] != '\n';

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n';
    return count;
}

static void check_lines(const struct token_lines *lines,
                        const struct tokenizer_info *info)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < lines->count; i++) {
        assert(lines->lengths[i] >= 2 && lines->lengths[i] <= info->max_sequence);
        total += lines->lengths[i];
    }
    assert(total == lines->total);
    for (uint64_t i = 0; i < total; i++)
        assert(lines->ids[i] >= 0 && (uint32_t)lines->ids[i] < info->vocab_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    const size_t vocab_size = zero ? (size_t)(zero - data) : size;
    const struct bytes vocab = bytes_of(data, vocab_size);
    const struct bytes text =
        zero ? bytes_of(zero + 1, size - vocab_size - 1) : bytes_of(data, 0);
    const struct tokenizer_info info = {.kind = "wordpiece",
                                        .lowercase = size % 2 == 0,
                                        .max_sequence = 8,
                                        .vocab_size = count_lines(vocab)};
    struct tokenizer *tokenizer;
    struct token_lines lines;
    struct error err = {0};

    if (tokenizer_open(&info, vocab, &tokenizer, &err)) {
        assert(err.text[0]);
        return 0;
    }
    if (size % 3 == 0)
        tokenizer_ignore_special(tokenizer);
    if (tokenizer_lines(tokenizer, text, &lines, &err) == STATUS_OK) {
        check_lines(&lines, &info);
        token_lines_free(&lines);
    } else {
        assert(err.text[0]);
    }
    tokenizer_close(tokenizer);
    return 0;
}
