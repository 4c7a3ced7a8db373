/*
 * write_json.h - a finished object as text; for the files of this room that make JSON.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_WRITE_JSON_H
#define MINERVA_MINER_WRITE_JSON_H

#include <jansson.h>

#include "miner/base/bytes.h"

/* Appends the object, which it takes, and a line end.  flags are json_dumps().
 * NO_MEMORY where there is no object, or no room for it. */
MUST_CHECK enum status write_json(json_t *object, size_t flags, struct blob *out);

#endif
