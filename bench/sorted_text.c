/*
 * sorted_text.c - a text file as token ids, sorted by length.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/sorted_text.h"

#include <stdlib.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/tokenizer.h"

enum { TEXT_SIZE_MAX = 256 << 20 };

struct line {
    uint32_t length, number; /* the number keeps lines of one length in their order */
    uint64_t at;
};

static int compare(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void sorted_text_free(struct sorted_text *text)
{
    memory_free(text->lengths);
    memory_free(text->ids);
    *text = (struct sorted_text){.count = 0};
}

static void lines_take(const struct token_lines *lines, struct line *sorted,
                       struct sorted_text *out)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < lines->count; at += lines->lengths[i++])
        sorted[i] = (struct line){.length = lines->lengths[i], .number = i, .at = at};
    qsort(sorted, lines->count, sizeof *sorted, compare);
    out->count = lines->count;
    for (uint32_t i = 0; i < lines->count; i++) {
        out->lengths[i] = sorted[i].length;
        memcpy(out->ids + out->total, lines->ids + sorted[i].at,
               sorted[i].length * sizeof *out->ids);
        out->total += sorted[i].length;
    }
}

static enum status lines_sort(const struct token_lines *lines, struct sorted_text *out,
                              struct error *err)
{
    struct line *sorted = memory_array(lines->count, sizeof *sorted);
    enum status status = STATUS_NO_MEMORY;

    *out =
        (struct sorted_text){.lengths = memory_array(lines->count, sizeof *out->lengths),
                             .ids = memory_array((size_t)lines->total, sizeof *out->ids)};
    if (sorted && out->lengths && out->ids) {
        lines_take(lines, sorted, out);
        status = STATUS_OK;
    }
    memory_free(sorted);
    if (status)
        sorted_text_free(out);
    return status ? error_set(err, status, "no memory for the text's ids") : STATUS_OK;
}

enum status sorted_text_read(const char *path, const struct artifact *artifact,
                             struct sorted_text *out, struct error *err)
{
    struct blob text = blob_empty(TEXT_SIZE_MAX);
    struct tokenizer *tokenizer = NULL;
    struct token_lines lines = {.count = 0};
    enum status status = file_read(path, &text, err);

    if (!status)
        status = tokenizer_open(artifact_tokenizer(artifact), artifact_vocab(artifact),
                                &tokenizer, err);
    if (!status) {
        status = tokenizer_lines(tokenizer, blob_bytes(&text), &lines, err);
        if (status)
            error_prefix(err, "%s", path);
    }
    if (!status && !lines.count)
        status = error_set(err, STATUS_BAD_DATA,
                           "%s: no line of text, expected at least one", path);
    if (!status) {
        status = lines_sort(&lines, out, err);
        token_lines_free(&lines);
    }
    tokenizer_close(tokenizer);
    blob_free(&text);
    return status;
}
