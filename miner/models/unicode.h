/*
 * unicode.h - what tokenizers need to know of code points, out of tables and never of the
 * system.
 *
 * numerics.md 3.4.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_UNICODE_H
#define MINERVA_MODELS_UNICODE_H

#include "miner/base/bytes.h"

enum unicode_class {
    UNICODE_LETTER, /* everything that is none of the others */
    UNICODE_REMOVED,
    UNICODE_SPACE,
    UNICODE_MARK,
    UNICODE_PUNCTUATION,
    UNICODE_CJK,
};

enum { UNICODE_DECOMPOSED_MAX = 4 };

/* Decodes the code point at *offset and moves it on; false (nothing moved) where there is
 * no valid one: overlong forms, surrogates, points past U+10FFFF and cut sequences. */
bool utf8_next(struct bytes text, size_t *offset, uint32_t *point);
/* BAD_DATA naming the offset of the first byte that is no UTF-8. */
MUST_CHECK enum status utf8_check(struct bytes text, struct error *err);
/* Writes 1 to 4 bytes; point must be valid. */
size_t utf8_write(uint32_t point, uint8_t out[4]);

enum unicode_class unicode_class(uint32_t point);
uint32_t unicode_lower(uint32_t point);
/* The canonical decomposition, 1 to 4 points (itself where it has none). */
size_t unicode_decompose(uint32_t point, uint32_t out[UNICODE_DECOMPOSED_MAX]);
/* Stable sort of each run of marks by combining class: the second half of NFD.  scratch:
 * count. */
void unicode_reorder(uint32_t *points, size_t count, uint32_t *scratch);

#endif
