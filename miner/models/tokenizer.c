/*
 * tokenizer.c - the checked face of tokenizers, and text files taken apart into lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/tokenizer_kind.h"
#include "miner/models/unicode.h"

static const struct tokenizer_kind *const tokenizer_kinds[] = {&tokenizer_wordpiece};

enum status tokenizer_open(const struct tokenizer_info *info, struct bytes vocab,
                           struct tokenizer **out, struct error *err)
{
    if (info->max_sequence < 2)
        return error_set(err, STATUS_BAD_DATA, "max_sequence is %u, expected at least 2",
                         info->max_sequence);
    for (size_t i = 0; i < sizeof tokenizer_kinds / sizeof *tokenizer_kinds; i++) {
        const struct tokenizer_kind *kind = tokenizer_kinds[i];
        enum status status;

        if (strcmp(info->kind, kind->name) != 0)
            continue;
        status = kind->open(info, vocab, out, err);
        if (!status) {
            (*out)->kind = kind;
            (*out)->max_sequence = info->max_sequence;
        }
        return status;
    }
    return error_set(err, STATUS_NOT_SUPPORTED,
                     "the tokenizer's kind is \"%s\", expected wordpiece", info->kind);
}

void tokenizer_close(struct tokenizer *tokenizer)
{
    if (tokenizer)
        tokenizer->kind->close(tokenizer);
}

void tokenizer_ignore_special(struct tokenizer *tokenizer)
{
    tokenizer->ignores_special = true;
}

enum status tokenizer_encode(const struct tokenizer *tokenizer, struct bytes text,
                             struct blob *ids, struct error *err)
{
    enum status status;

    if (text.size > TOKENIZER_TEXT_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "the text has %zu bytes, at most %d are allowed", text.size,
                         TOKENIZER_TEXT_MAX);
    status = utf8_check(text, err);
    return status ? status : tokenizer->kind->encode(tokenizer, text, ids, err);
}

/* The line at *offset without its end; moves on to the next one. */
static struct bytes next_line(struct bytes text, size_t *offset)
{
    const size_t start = *offset;
    const uint8_t *end = memchr(text.data + start, '\n', text.size - start);
    size_t size = (end ? (size_t)(end - text.data) : text.size) - start;

    *offset = start + size + 1;
    if (end && size && text.data[start + size - 1] == '\r')
        size--;
    return bytes_of(text.data + start, size);
}

static enum status count_lines(struct bytes text, uint32_t *out, struct error *err)
{
    uint32_t count = 0;

    for (size_t offset = 0; offset < text.size; count++) {
        if (count == UINT32_MAX)
            return error_set(err, STATUS_BAD_DATA, "the text has more than %u lines",
                             count);
        next_line(text, &offset);
    }
    *out = count;
    return STATUS_OK;
}

/* Appends one line's ids, cut to the tokenizer's length with its last id kept. */
static enum status add_line(const struct tokenizer *tokenizer, struct bytes line,
                            struct blob *ids, struct token_lines *out, struct error *err)
{
    const size_t start = ids->size, longest = tokenizer->max_sequence * sizeof(int32_t);
    enum status status = tokenizer_encode(tokenizer, line, ids, err);
    size_t size;

    if (status)
        return status;
    size = ids->size - start;
    if (size > longest) {
        memmove(ids->data + start + longest - sizeof(int32_t),
                ids->data + ids->size - sizeof(int32_t), sizeof(int32_t));
        ids->size = start + longest;
        size = longest;
        out->truncated++;
    }
    out->lengths[out->count++] = (uint32_t)(size / sizeof(int32_t));
    out->total += size / sizeof(int32_t);
    return STATUS_OK;
}

enum status tokenizer_lines(const struct tokenizer *tokenizer, struct bytes text,
                            struct token_lines *out, struct error *err)
{
    struct blob ids = blob_empty(SIZE_MAX / 4);
    uint32_t lines = 0;
    enum status status;

    *out = (struct token_lines){0};
    status =
        utf8_check(text, err); /* of the whole file, so that the offset is the file's */
    if (!status)
        status = count_lines(text, &lines, err);
    if (status)
        return status;
    out->lengths = memory_array(lines, sizeof *out->lengths);
    if (!out->lengths)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %u lines", lines);
    for (size_t offset = 0; offset < text.size && !status;) {
        const struct bytes line = next_line(text, &offset);

        status = add_line(tokenizer, line, &ids, out, err);
        if (status)
            error_prefix(err, "line %u", out->count + 1);
    }
    out->ids = memory_array(out->total, sizeof *out->ids);
    if (!status && !out->ids)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for %llu ids",
                           (unsigned long long)out->total);
    if (!status && out->total)
        memcpy(out->ids, ids.data, out->total * sizeof *out->ids);
    blob_free(&ids);
    if (status)
        token_lines_free(out);
    return status;
}

void token_lines_free(struct token_lines *lines)
{
    memory_free(lines->lengths);
    memory_free(lines->ids);
    *lines = (struct token_lines){0};
}
