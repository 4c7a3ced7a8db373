/*
 * status_parts_json.h - what the status_*json.c files share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_PARTS_JSON_H
#define MINERVA_MINER_STATUS_PARTS_JSON_H

#include <jansson.h>

#include "miner/base/bytes.h"

/* Takes the object; NULL: there was no memory for it. */
MUST_CHECK enum status status_json_write(json_t *object, struct blob *out);

#endif
