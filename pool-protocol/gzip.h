/*
 * gzip.h - bytes in one member of gzip (RFC 1952), as some pools want proofs.
 *
 * The only file that knows zlib.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_GZIP_H
#define MINERVA_PROTOCOL_GZIP_H

#include "miner/base/bytes.h"

/* Appends from, compressed; to's errors. */
MUST_CHECK enum status gzip_pack(struct bytes from, struct blob *to);
/* Whether that is how a member begins; no proof begins so. */
bool gzip_is_packed(struct bytes from);
/* Appends what from holds: one whole member with nothing behind it.  BAD_DATA; FULL where
 * it is more than to may hold, found out without holding more. */
MUST_CHECK enum status gzip_unpack(struct bytes from, struct blob *to);

#endif
