/*
 * message_submit.h - a share on its way to the pool.
 *
 * Both ends; any thread, no state.  The reply is an envelope (message_line_reply).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_SUBMIT_H
#define MINERVA_PROTOCOL_MESSAGE_SUBMIT_H

#include "miner/work/job.h"
#include "miner/work/share.h"
#include "pool-protocol/message_authorize.h"

#define MESSAGE_SUBMIT "mining.submit"

struct message_submit {
    char wallet[WALLET_MAX + 1]; /* "" where the worker sent none */
    char worker[WORKER_MAX + 1];
    char job_id[JOB_ID_MAX + 1];
    char task_id[TASK_ID_SIZE + 1]; /* "" without a task; then site is all 0 */
    struct site site;
    double hash_rate;        /* claimed, display only */
    struct blob plain_proof; /* PlainProof bytes, owned */
    bool is_gzip;            /* it travels in gzip, and so it came */
    bool has_jsonrpc;        /* the request names its version; not read */
};

void message_submit_free(struct message_submit *submit); /* what it holds; NULL is fine */
/* FULL: the line would be longer than MESSAGE_LINE_MAX. */
MUST_CHECK enum status
message_submit_encode(int64_t id, const struct message_submit *from, struct blob *out);
/* BAD_MESSAGE: no use of out.  BAD_PROOF: plain_proof is missing or no base64 (of gzip,
 * where it begins so), the rest is read; so an unknown job can be answered before an
 * undecodable proof.  On OK the caller frees out. */
MUST_CHECK enum status message_submit_decode(const struct message_line *line,
                                             struct message_submit *out,
                                             struct error *err);

#endif
