/*
 * made_model.h - a small random network of the BERT family, made and imported by the test
 * itself.
 *
 * tiny-bert's products are too short for a proof; with an inner width of 1024 the second
 * product of a feed-forward is long enough at rank 64.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_MADE_MODEL_H
#define MINERVA_TESTS_MADE_MODEL_H

#include "miner/models/artifact.h"

enum {
    MADE_HIDDEN = 64,
    MADE_INTERMEDIATE = 1024,
    MADE_LAYERS = 2,
    MADE_VOCABULARY = 120,
    MADE_SEQUENCE_MAX = 96,
};

struct made_model {
    uint64_t seed;
    int32_t huge_word; /* whose embedding leaves the numeric range; -1: none */
    bool
        has_huge_bias; /* of the attention's output in layer 1: so does every row there */
};

/* An empty folder of this process's own, below the system's for temporary files. */
void made_folder(char *out, size_t cap);
void made_folder_remove(const char *folder); /* and all that is in it */
/* Writes the Hugging Face form into folder/hf, imports it into folder/artifact, opens
 * that. */
struct artifact *made_model_open(const struct made_model *model, const char *folder,
                                 enum precision precision);

#endif
