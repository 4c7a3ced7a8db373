/*
 * tokenizer_wordpiece.c - BERT's tokenizer: normalise, split into words, take the longest
 * pieces.
 *
 * numerics.md 3.4, the quirks of the reference library included.  Special tokens written
 * in the text are cut out of it raw, before anything else, so no rule sees across them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/tokenizer_kind.h"
#include "miner/models/unicode.h"
#include "miner/models/wordlist.h"

enum {
    WORD_POINTS_MAX = 100, /* a longer word is [UNK] */
    PIECE_PREFIX = 2,      /* "##" before every piece but a word's first */
};

enum special {
    SPECIAL_PAD,
    SPECIAL_UNK,
    SPECIAL_CLS,
    SPECIAL_SEP,
    SPECIAL_MASK,
    SPECIAL_COUNT
};

static const char *const special_words[SPECIAL_COUNT] = {"[PAD]", "[UNK]", "[CLS]",
                                                         "[SEP]", "[MASK]"};

struct wordpiece {
    struct tokenizer head;
    struct wordlist words;
    bool lowercase;
    int32_t special[SPECIAL_COUNT];
};

/* Code points of one stretch of text, with room to sort them. */
struct points {
    uint32_t *data;
    uint32_t *scratch;
    size_t count;
};

static enum status add_id(struct blob *ids, uint32_t id, struct error *err)
{
    const int32_t value = (int32_t)id;
    const enum status status = blob_add(ids, &value, sizeof value);

    return status ? error_set(err, status, "the ids do not fit %zu bytes", ids->size_max)
                  : status;
}

/* ---- normalise
 * ------------------------------------------------------------------------------- */

/* Drops what BERT drops, makes every space U+0020 and stands each CJK point alone.  A CJK
 * point has three bytes or more, so the points are never more than the bytes. */
static void clean(struct bytes text, struct points *points)
{
    uint32_t point;

    points->count = 0;
    for (size_t offset = 0; utf8_next(text, &offset, &point);) {
        const enum unicode_class class = unicode_class(point);

        if (class == UNICODE_REMOVED)
            continue;
        if (class == UNICODE_CJK)
            points->data[points->count++] = ' ';
        points->data[points->count++] = class == UNICODE_SPACE ? ' ' : point;
        if (class == UNICODE_CJK)
            points->data[points->count++] = ' ';
    }
    assert(points->count <= text.size);
}

/* NFD, without the marks, in lower case: out has room for all decompositions. */
static void fold(const struct points *from, struct points *out)
{
    size_t kept = 0;

    out->count = 0;
    for (size_t i = 0; i < from->count; i++)
        out->count += unicode_decompose(from->data[i], out->data + out->count);
    unicode_reorder(out->data, out->count, out->scratch);
    for (size_t i = 0; i < out->count; i++) {
        if (unicode_class(out->data[i]) != UNICODE_MARK)
            out->data[kept++] = unicode_lower(out->data[i]);
    }
    out->count = kept;
}

static size_t decomposed_count(const struct points *points)
{
    uint32_t parts[UNICODE_DECOMPOSED_MAX];
    size_t count = 0;

    for (size_t i = 0; i < points->count; i++)
        count += unicode_decompose(points->data[i], parts);
    return count + UNICODE_DECOMPOSED_MAX; /* the last one is written with all its room */
}

static void points_free(struct points *points)
{
    memory_free(points->data);
    memory_free(points->scratch);
    *points = (struct points){0};
}

static enum status normalise(const struct wordpiece *wordpiece, struct bytes text,
                             struct points *out, struct error *err)
{
    struct points cleaned = {.data = memory_array(text.size, sizeof(uint32_t))};
    size_t room;

    *out = (struct points){0};
    if (!cleaned.data)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu bytes of text",
                         text.size);
    clean(text, &cleaned);
    if (!wordpiece->lowercase) {
        *out = cleaned;
        return STATUS_OK;
    }
    room = decomposed_count(&cleaned);
    out->data = memory_array(room, sizeof(uint32_t));
    out->scratch = memory_array(room, sizeof(uint32_t));
    if (!out->data || !out->scratch) {
        points_free(&cleaned);
        points_free(out);
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu bytes of text",
                         text.size);
    }
    fold(&cleaned, out);
    points_free(&cleaned);
    return STATUS_OK;
}

/* ---- words
 * ----------------------------------------------------------------------------------- */

/* A word as bytes, with room for "##" in front, and where each of its points begins. */
struct word {
    uint8_t text[PIECE_PREFIX + 4 * WORD_POINTS_MAX];
    size_t starts[WORD_POINTS_MAX + 1];
    size_t count;
};

static void word_from(const uint32_t *points, size_t count, struct word *out)
{
    size_t size = PIECE_PREFIX;

    assert(count <= WORD_POINTS_MAX);
    for (size_t i = 0; i < count; i++) {
        out->starts[i] = size;
        size += utf8_write(points[i], out->text + size);
    }
    out->starts[count] = size;
    out->count = count;
}

/* The longest vocabulary entry at point first; returns the point behind it, or first if
 * none fits. */
static size_t longest_piece(const struct wordpiece *wordpiece, struct word *word,
                            size_t first, uint32_t *id)
{
    const size_t prefix = first ? PIECE_PREFIX : 0, start = word->starts[first] - prefix;
    uint8_t kept[PIECE_PREFIX];
    size_t end;

    memcpy(kept, word->text + start, prefix);
    memset(word->text + start, '#', prefix);
    for (end = word->count; end > first; end--) {
        const struct bytes piece =
            bytes_of(word->text + start, word->starts[end] - start);

        if (wordlist_find(&wordpiece->words, piece, id))
            break;
    }
    memcpy(word->text + start, kept, prefix);
    return end;
}

static enum status add_word(const struct wordpiece *wordpiece, const uint32_t *points,
                            size_t count, struct blob *ids, struct error *err)
{
    const size_t before = ids->size;
    const uint32_t unknown = (uint32_t)wordpiece->special[SPECIAL_UNK];
    struct word word;
    enum status status = STATUS_OK;
    uint32_t id;

    if (count == 0)
        return STATUS_OK;
    if (count > WORD_POINTS_MAX)
        return add_id(ids, unknown, err);
    word_from(points, count, &word);
    for (size_t first = 0; first < count && !status;) {
        const size_t end = longest_piece(wordpiece, &word, first, &id);

        if (end == first) {
            ids->size = before;
            return add_id(ids, unknown, err);
        }
        status = add_id(ids, id, err);
        first = end;
    }
    return status;
}

/* Splits at spaces, which vanish, and at punctuation, each of which is a word. */
static enum status add_words(const struct wordpiece *wordpiece,
                             const struct points *points, struct blob *ids,
                             struct error *err)
{
    size_t start = 0;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < points->count && !status; i++) {
        const enum unicode_class class = unicode_class(points->data[i]);

        if (class != UNICODE_SPACE && class != UNICODE_PUNCTUATION)
            continue;
        status = add_word(wordpiece, points->data + start, i - start, ids, err);
        if (!status && class == UNICODE_PUNCTUATION)
            status = add_word(wordpiece, points->data + i, 1, ids, err);
        start = i + 1;
    }
    if (status)
        return status;
    return add_word(wordpiece, points->data + start, points->count - start, ids, err);
}

/* ---- texts
 * ----------------------------------------------------------------------------------- */

/* The special token that text begins with, or SPECIAL_COUNT.  None is the beginning of
 * another. */
static enum special special_at(struct bytes text)
{
    for (enum special special = 0; special < SPECIAL_COUNT; special++) {
        const size_t size = strlen(special_words[special]);

        if (text.size >= size && memcmp(text.data, special_words[special], size) == 0)
            return special;
    }
    return SPECIAL_COUNT;
}

static enum status add_stretch(const struct wordpiece *wordpiece, struct bytes text,
                               struct blob *ids, struct error *err)
{
    struct points points;
    enum status status;

    if (text.size == 0)
        return STATUS_OK;
    status = normalise(wordpiece, text, &points, err);
    if (!status)
        status = add_words(wordpiece, &points, ids, err);
    points_free(&points);
    return status;
}

static enum status add_text(const struct wordpiece *wordpiece, struct bytes text,
                            struct blob *ids, struct error *err)
{
    size_t start = 0;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < text.size && !status;) {
        const enum special special =
            text.data[i] == '[' && !wordpiece->head.ignores_special
                ? special_at(bytes_of(text.data + i, text.size - i))
                : SPECIAL_COUNT;

        if (special == SPECIAL_COUNT) {
            i++;
            continue;
        }
        status = add_stretch(wordpiece, bytes_of(text.data + start, i - start), ids, err);
        if (!status)
            status = add_id(ids, (uint32_t)wordpiece->special[special], err);
        i += strlen(special_words[special]);
        start = i;
    }
    if (status)
        return status;
    return add_stretch(wordpiece, bytes_of(text.data + start, text.size - start), ids,
                       err);
}

static enum status wordpiece_encode(const struct tokenizer *tokenizer, struct bytes text,
                                    struct blob *ids, struct error *err)
{
    const struct wordpiece *wordpiece = (const struct wordpiece *)tokenizer;
    enum status status = add_id(ids, (uint32_t)wordpiece->special[SPECIAL_CLS], err);

    if (!status)
        status = add_text(wordpiece, text, ids, err);
    if (!status)
        status = add_id(ids, (uint32_t)wordpiece->special[SPECIAL_SEP], err);
    return status;
}

/* ---- open and close
 * -------------------------------------------------------------------------- */

static void wordpiece_close(struct tokenizer *tokenizer)
{
    struct wordpiece *wordpiece = (struct wordpiece *)tokenizer;

    wordlist_close(&wordpiece->words);
    memory_free(wordpiece);
}

static enum status find_special(struct wordpiece *wordpiece, struct error *err)
{
    for (enum special special = 0; special < SPECIAL_COUNT; special++) {
        const char *word = special_words[special];
        uint32_t id;

        if (!wordlist_find(&wordpiece->words, bytes_of(word, strlen(word)), &id))
            return error_set(err, STATUS_BAD_DATA, "the vocabulary has no %s", word);
        wordpiece->special[special] = (int32_t)id;
    }
    return STATUS_OK;
}

static enum status wordpiece_open(const struct tokenizer_info *info, struct bytes vocab,
                                  struct tokenizer **out, struct error *err)
{
    struct wordpiece *wordpiece = memory_new(struct wordpiece);
    enum status status;

    if (!wordpiece)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a tokenizer");
    wordpiece->lowercase = info->lowercase;
    status = wordlist_open(vocab, &wordpiece->words, err);
    if (!status && wordpiece->words.count != info->vocab_size)
        status =
            error_set(err, STATUS_BAD_DATA, "the vocabulary has %u words, expected %u",
                      wordpiece->words.count, info->vocab_size);
    if (!status)
        status = find_special(wordpiece, err);
    if (status) {
        wordpiece_close(&wordpiece->head);
        return status;
    }
    *out = &wordpiece->head;
    return STATUS_OK;
}

const struct tokenizer_kind tokenizer_wordpiece = {
    .name = "wordpiece",
    .open = wordpiece_open,
    .close = wordpiece_close,
    .encode = wordpiece_encode,
};
