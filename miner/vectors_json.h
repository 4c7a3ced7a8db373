/*
 * vectors_json.h - worked cases of exact arithmetic and of the proof of work, read from
 * JSON.
 *
 * Three forms: {"cases": [{"op": ..., tensors as {"dtype", "shape", "hex"}, ...}]}, one
 * such case, and one case of the proof of work, which has a "matrix_seed".  What a case
 * holds is flattened into named members; members of other kinds are left out.  Everything
 * is bounded and checked.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_VECTORS_JSON_H
#define MINERVA_MINER_VECTORS_JSON_H

#include "miner/base/bytes.h"

enum { VECTOR_NAME_MAX = 31, VECTOR_NOTE_MAX = 95, VECTOR_MEMBERS_MAX = 40 };

enum vector_kind { VECTOR_TENSOR, VECTOR_NUMBER, VECTOR_TEXT, VECTOR_LIST };

struct vector_member {
    char name[VECTOR_NAME_MAX + 1];
    enum vector_kind kind;
    uint64_t number;        /* NUMBER; true is 1 */
    uint64_t rows, columns; /* TENSOR: the first and the second extent, 1 where none */
    struct blob data;       /* TENSOR: its bytes; TEXT; LIST: of uint64_t */
};

struct vector_case {
    char op[VECTOR_NAME_MAX + 1]; /* "pow" for a proof of work */
    char note[VECTOR_NOTE_MAX + 1];
    size_t count;
    struct vector_member members[VECTOR_MEMBERS_MAX];
};

struct vectors_json;
/* NOT_FOUND: JSON, but no worked cases. */
MUST_CHECK enum status vectors_json_parse(struct bytes text, struct vectors_json **out,
                                          struct error *err);
void vectors_json_free(struct vectors_json *vectors); /* NULL is fine */
size_t vectors_json_count(const struct vectors_json *vectors);

MUST_CHECK enum status vectors_json_case(const struct vectors_json *vectors, size_t index,
                                         struct vector_case *out, struct error *err);
void vector_case_free(struct vector_case *c);
/* NULL: the case has none of that name and kind. */
const struct vector_member *vector_case_find(const struct vector_case *c,
                                             const char *name, enum vector_kind kind);

#endif
