/*
 * message_notify.h - a job as it is announced.
 *
 * Both ends; any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_NOTIFY_H
#define MINERVA_PROTOCOL_MESSAGE_NOTIFY_H

#include "miner/work/job.h"
#include "pool-protocol/message_line.h"

#define MESSAGE_NOTIFY "mining.notify"

struct message_notify {
    struct job job;        /* received_ms is the receiver's to fill */
    bool has_cert_version; /* some Pearl pools say none: job.cert_version is 0 then */
    double difficulty;     /* a label for people, 0 where there is none */
};

/* min_rank and unassigned are written only where they differ from what a Pearl pool
 * means. */
MUST_CHECK enum status message_notify_encode(const struct message_notify *from,
                                             struct blob *out);
/* Judges types and bounds.  Whether the certificate version can be worked on is the
 * caller's. */
MUST_CHECK enum status message_notify_decode(const struct message_line *line,
                                             struct message_notify *out,
                                             struct error *err);

#endif
