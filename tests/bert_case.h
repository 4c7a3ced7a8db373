/*
 * bert_case.h - worked cases of embeddings: read, imported, run in packs, compared bit
 * for bit.
 *
 * For tests: every refusal ends the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_BERT_CASE_H
#define MINERVA_TESTS_BERT_CASE_H

#include "miner/base/memory.h"
#include "miner/models/import.h"
#include "miner/models/model.h"

struct bert_cases {
    uint32_t count, width;
    uint32_t *lengths; /* [count] */
    int32_t *ids;      /* the cases one after the other */
    float *vectors;    /* [count][width] */
};

/* field: "C1", "C2" or "C3". */
struct bert_cases bert_cases_read(const char *path, const char *field);
void bert_cases_free(struct bert_cases *cases);

struct device *bert_device(uint32_t threads);
/* Imported into a folder of this process's own, opened, and the folder removed again. */
struct artifact *bert_import(const char *folder, enum precision precision);
/* A folder of this process's own, empty. */
void bert_folder_new(char path[64]);
void bert_folder_remove(const char *path); /* and the files in it */

/* All cases in packs of at most rows rows, packed greedily, then each alone. */
void bert_expect(struct device *device, const struct artifact *artifact,
                 const struct bert_cases *cases, uint32_t rows);

#endif
