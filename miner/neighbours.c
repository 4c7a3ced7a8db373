/*
 * neighbours.c - finds and prints nearest neighbours.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/neighbours.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

enum { SHOWN_MAX = 6, NEAREST = 3, LINE_WIDTH = 64 };

/* The lines of a text file as the tokenizer takes them apart: LF ends one, a CR before it
 * is no part of it, the last needs no LF. */
static struct bytes line_take(struct bytes *rest)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    struct bytes line = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    const size_t used = line.size + (end != NULL);

    rest->data += used;
    rest->size -= used;
    if (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

static enum status lines_take(struct bytes text, uint32_t count, struct bytes **out,
                              struct error *err)
{
    struct bytes *lines = memory_array(count, sizeof *lines);
    uint32_t found = 0;

    *out = lines;
    if (!lines)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %" PRIu32 " lines", count);
    while (text.size) {
        const struct bytes line = line_take(&text);
        if (found < count)
            lines[found] = line;
        found++;
    }
    if (found != count)
        return error_set(err, STATUS_BAD_DATA,
                         "the text has %" PRIu32 " lines, the result %" PRIu32 " vectors",
                         found, count);
    return STATUS_OK;
}

/* A line, cut between two letters, without control characters. */
static void print_line(struct bytes line)
{
    uint32_t letters = 0;
    size_t end = 0;

    for (; end < line.size; end++) {
        letters += (line.data[end] & 0xc0) != 0x80; /* the start of one */
        if (letters > LINE_WIDTH)
            break;
        putchar(line.data[end] < ' ' || line.data[end] == 0x7f ? ' ' : line.data[end]);
    }
    if (end < line.size)
        fputs("...", stdout);
}

static void print_sentence(uint32_t index, const struct bytes *lines)
{
    printf("%5" PRIu32 "  ", index + 1);
    if (lines)
        print_line(lines[index]);
    putchar('\n');
}

static double cosine(const struct embeddings *v, uint32_t a, uint32_t b)
{
    const float *left = v->values + (size_t)a * v->width;
    const float *right = v->values + (size_t)b * v->width;
    double sum = 0;

    for (uint32_t i = 0; i < v->width; i++)
        sum += (double)left[i] * (double)right[i];
    return sum; /* both are unit vectors */
}

struct neighbour {
    uint32_t index;
    double cosine;
};

/* Keeps found in its place among the nearest so far; returns how many there are. */
static size_t nearest_keep(struct neighbour *nearest, size_t count,
                           struct neighbour found)
{
    size_t place = count < NEAREST ? count : NEAREST;

    while (place > 0 && nearest[place - 1].cosine < found.cosine) {
        if (place < NEAREST)
            nearest[place] = nearest[place - 1];
        place--;
    }
    if (place < NEAREST)
        nearest[place] = found;
    return count < NEAREST ? count + 1 : NEAREST;
}

static void print_nearest(const struct embeddings *vectors, uint32_t index,
                          const struct bytes *lines)
{
    struct neighbour nearest[NEAREST];
    size_t count = 0;

    for (uint32_t other = 0; other < vectors->count; other++)
        if (other != index)
            count = nearest_keep(
                nearest, count, (struct neighbour){other, cosine(vectors, index, other)});
    print_sentence(index, lines);
    for (size_t i = 0; i < count; i++) {
        printf("    %6.3f", nearest[i].cosine);
        print_sentence(nearest[i].index, lines);
    }
}

enum status neighbours_print(const struct embeddings *vectors, struct bytes text,
                             struct error *err)
{
    struct bytes *lines = NULL;
    const uint32_t count = vectors->count;
    const uint32_t shown = count < SHOWN_MAX ? count : SHOWN_MAX;
    assert(count > 0);

    if (text.size) {
        const enum status status = lines_take(text, count, &lines, err);
        if (status) {
            memory_free(lines);
            return status;
        }
    }
    printf("nearest neighbours of %" PRIu32 " out of %" PRIu32
           " (cosine, number, sentence)\n",
           shown, count);
    for (uint32_t i = 0; i < shown; i++)
        print_nearest(vectors, (uint32_t)((uint64_t)i * count / shown), lines);
    memory_free(lines);
    return STATUS_OK;
}
