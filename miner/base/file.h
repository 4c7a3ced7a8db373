/*
 * file.h - whole files: read with a bound, write so that a crash leaves the old or the
 * new.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_FILE_H
#define MINERVA_BASE_FILE_H

#include <stdbool.h>

#include "miner/base/bytes.h"

/* The whole file into out (replaced); "-" is standard input.  Larger than out->size_max:
 * FULL with both sizes in the sentence. */
MUST_CHECK enum status file_read(const char *path, struct blob *out, struct error *err);
/* Through a temporary name in the same folder, synced, renamed. */
MUST_CHECK enum status file_write(const char *path, struct bytes data, struct error *err);
/* The folder and its missing parents; fine if it is there. */
MUST_CHECK enum status file_make_folder(const char *path, struct error *err);
/* folder + "/" + name into out (cap characters); BAD_DATA when it does not fit. */
MUST_CHECK enum status file_join(const char *folder, const char *name, char *out,
                                 size_t cap, struct error *err);
bool file_exists(const char *path);
/* size bytes of the system's randomness. */
MUST_CHECK enum status random_bytes(void *out, size_t size, struct error *err);

#endif
