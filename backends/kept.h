/*
 * kept.h - what backends keep in a folder from one start to the next, such as compiled
 * programs: a magic, the payload's length and BLAKE3, then the payload.
 *
 * A file is read whole and checked before a driver, say, sees any of it, for some drivers
 * crash on a damaged binary; it is written under another name and renamed.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_KEPT_H
#define MINERVA_BACKENDS_KEPT_H

#include "miner/base/bytes.h"

enum { KEPT_MAX = 256 << 20 };

/* The payload kept under this name into out; NOT_FOUND: there is none, or it is damaged.
 */
MUST_CHECK enum status kept_get(const char *folder, const char *name, struct blob *out);
MUST_CHECK enum status kept_put(const char *folder, const char *name,
                                struct bytes payload, struct error *err);

#endif
