/*
 * wordlist.c - reads one word a line and finds words by halving.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/unicode.h"
#include "miner/models/wordlist.h"

static int compare_words(struct bytes a, struct bytes b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size ? memcmp(a.data, b.data, size) : 0;

    if (order)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

static int compare_entries(const void *left, const void *right)
{
    return compare_words(((const struct wordlist_entry *)left)->word,
                         ((const struct wordlist_entry *)right)->word);
}

static size_t count_lines(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '\n';
    return count + (text.size && text.data[text.size - 1] != '\n');
}

static enum status read_lines(struct wordlist *list, struct bytes text, struct error *err)
{
    size_t start = 0;

    for (uint32_t id = 0; id < list->count; id++) {
        const uint8_t *end = memchr(text.data + start, '\n', text.size - start);
        const size_t size = (end ? (size_t)(end - text.data) : text.size) - start;

        if (size == 0)
            return error_set(err, STATUS_BAD_DATA, "line %u of the vocabulary is empty",
                             id + 1);
        list->entries[id].word = bytes_of(text.data + start, size);
        list->entries[id].id = id;
        if (size > list->word_size_max)
            list->word_size_max = size;
        start += size + 1;
    }
    return STATUS_OK;
}

static enum status check_unique(const struct wordlist *list, struct error *err)
{
    for (uint32_t i = 1; i < list->count; i++) {
        const struct wordlist_entry *a = &list->entries[i - 1], *b = a + 1;

        if (compare_words(a->word, b->word) == 0)
            return error_set(
                err, STATUS_BAD_DATA, "lines %u and %u of the vocabulary are equal",
                (a->id < b->id ? a->id : b->id) + 1, (a->id < b->id ? b->id : a->id) + 1);
    }
    return STATUS_OK;
}

enum status wordlist_open(struct bytes lines, struct wordlist *out, struct error *err)
{
    const size_t count = count_lines(lines);
    enum status status;

    *out = (struct wordlist){0};
    if (count == 0 || count > WORDLIST_ENTRIES_MAX || lines.size > WORDLIST_SIZE_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "the vocabulary has %zu words, expected 1 to %d", count,
                         WORDLIST_ENTRIES_MAX);
    status = utf8_check(lines, err);
    if (status) {
        error_prefix(err, "vocabulary");
        return status;
    }
    out->text = memory_array(lines.size, 1);
    out->entries = memory_array(count, sizeof *out->entries);
    if (!out->text || !out->entries) {
        wordlist_close(out);
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu words", count);
    }
    memcpy(out->text, lines.data, lines.size);
    out->count = (uint32_t)count;
    status = read_lines(out, bytes_of(out->text, lines.size), err);
    if (!status) {
        qsort(out->entries, count, sizeof *out->entries, compare_entries);
        status = check_unique(out, err);
    }
    if (status)
        wordlist_close(out);
    return status;
}

void wordlist_close(struct wordlist *list)
{
    memory_free(list->text);
    memory_free(list->entries);
    *list = (struct wordlist){0};
}

bool wordlist_find(const struct wordlist *list, struct bytes word, uint32_t *id)
{
    size_t first = 0, end = list->count;

    if (word.size > list->word_size_max)
        return false;
    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        const int order = compare_words(word, list->entries[middle].word);

        if (order == 0) {
            *id = list->entries[middle].id;
            return true;
        }
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return false;
}
