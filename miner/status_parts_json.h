/*
 * status_parts_json.h - what the status_*json.c files share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_PARTS_JSON_H
#define MINERVA_MINER_STATUS_PARTS_JSON_H

#include "miner/write_json.h"

/* write_json() with the digits that rates of any size need. */
MUST_CHECK static inline enum status status_json_write(json_t *object, struct blob *out)
{
    return write_json(object, JSON_REAL_PRECISION(12), out);
}

#endif
