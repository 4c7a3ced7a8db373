/*
 * wire_log.h - a record of what is said with pools, fit to be shown to others.
 *
 * One line a message: when, which pool, which way, the text.  Words that somebody named
 * as private are shortened wherever they stand, a session's token is not shown, long
 * texts (proofs, results) are cut to their beginning and their length, and what is no
 * printable character is a dot.  Any thread, after the words were named.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_WIRE_LOG_H
#define MINERVA_PROTOCOL_WIRE_LOG_H

#include <stdbool.h>

#include "miner/base/bytes.h"

struct wire_log;

enum wire_way { WIRE_SAID, WIRE_HEARD };

/* Appends to the file.  BAD_CONFIG where it cannot be written. */
MUST_CHECK enum status wire_log_open(const char *path, struct wire_log **out,
                                     struct error *err);
void wire_log_close(struct wire_log *log); /* NULL is fine */
/* A wallet, which is shortened, or a secret, of which nothing is shown: at least 8
 * characters, or it is none. */
MUST_CHECK enum status wire_log_hide(struct wire_log *log, const char *word,
                                     bool is_secret);
/* Whole lines, the last one's end may be missing.  NULL is fine. */
void wire_log_write(struct wire_log *log, uint32_t pool, enum wire_way way,
                    struct bytes lines);

#endif
