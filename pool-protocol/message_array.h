/*
 * message_array.h - the messages of pearl/v1, whose params are lists (pearl-pools.md
 * 2.11).
 *
 * The pool asks for the answer to a puzzle, dictates the shape of the problem and says
 * targets as compact numbers.  A worker's end; any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_ARRAY_H
#define MINERVA_PROTOCOL_MESSAGE_ARRAY_H

#include "pool-protocol/message_authorize.h"
#include "pool-protocol/message_notify.h"
#include "pool-protocol/message_submit.h"
#include "pool-protocol/puzzle.h"

#define MESSAGE_CHALLENGE  "pearl.challenge"
#define MESSAGE_SHAPE      "pearl.set_mining_params"
#define MESSAGE_DIFFICULTY "mining.set_difficulty"

/* Whether only a pool of this kind says such a line. */
bool message_array_is_sign(const struct message_line *line);
MUST_CHECK enum status message_puzzle_decode(const struct message_line *line,
                                             struct puzzle_task *out, struct error *err);
/* Rank, k, m and n within what any proof can have, patterns that are progressions.
 * Whether they go together is the verifier's to say. */
MUST_CHECK enum status message_shape_decode(const struct message_line *line,
                                            struct job_shape *out, struct error *err);
/* At least 1, rounded up. */
MUST_CHECK enum status message_difficulty_decode(const struct message_line *line,
                                                 uint64_t *out, struct error *err);
/* Without a certificate version: has_cert_version is false.  is_clean: the jobs before it
 * are void. */
MUST_CHECK enum status message_array_notify_decode(const struct message_line *line,
                                                   struct message_notify *out,
                                                   bool *is_clean, struct error *err);

MUST_CHECK enum status message_puzzle_encode(int64_t id, const struct puzzle_task *task,
                                             uint64_t nonce, struct blob *out);
MUST_CHECK enum status message_configure_encode(int64_t id, struct blob *out);
MUST_CHECK enum status message_subscribe_encode(int64_t id, const char *agent,
                                                struct blob *out);
/* [wallet, pass] */
MUST_CHECK enum status
message_array_authorize_encode(int64_t id, const struct message_authorize *from,
                               struct blob *out);
/* [wallet, job_id, plain_proof] */
MUST_CHECK enum status message_array_submit_encode(int64_t id,
                                                   const struct message_submit *from,
                                                   struct blob *out);

#endif
