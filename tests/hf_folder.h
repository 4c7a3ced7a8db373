/*
 * hf_folder.h - copies of the tiny checkpoint that tests may spoil.
 *
 * For tests: every refusal ends the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_HF_FOLDER_H
#define MINERVA_TESTS_HF_FOLDER_H

#include <jansson.h>

#include "miner/models/safetensors.h"

enum { HF_TENSORS_MORE = 4 }; /* an edit may add so many */

/* A copy of tests/vectors/models/tiny-bert in a folder of this process's own. */
void hf_folder_new(char path[64]);
void hf_folder_remove(const char *path); /* with the files in it */
/* A field of a JSON file in it; takes value; NULL removes the field. The file is made if
 * need be. */
void hf_folder_set(const char *path, const char *file, const char *field, json_t *value);
void hf_folder_write(const char *path, const char *file, const void *data, size_t size);
void hf_folder_delete(const char *path, const char *file);

/* Writes model.safetensors anew after an edit of its list of tensors. */
typedef void hf_edit(struct tensor *tensors, size_t *count, const void *context);
void hf_folder_edit(const char *path, hf_edit *edit, const void *context);
struct tensor *hf_tensor(struct tensor *tensors, size_t count, const char *name);

#endif
