/*
 * message_task.h - useful work on the wire: assigned, taken, declined, in progress, done,
 * cancelled.
 *
 * The nouns are those of miner/work.  Both ends; any thread, no state.  Replies to
 * accept, decline and progress are envelopes (message_line_reply); the reply to a result
 * is a verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_TASK_H
#define MINERVA_PROTOCOL_MESSAGE_TASK_H

#include "miner/work/answer.h"
#include "miner/work/assignment.h"
#include "pool-protocol/message_line.h"

#define MESSAGE_TASK_ASSIGN   "task.assign"
#define MESSAGE_TASK_ACCEPT   "task.accept"
#define MESSAGE_TASK_DECLINE  "task.decline"
#define MESSAGE_TASK_PROGRESS "task.progress"
#define MESSAGE_TASK_RESULT   "task.result"
#define MESSAGE_TASK_CANCEL   "task.cancel"
#define MESSAGE_CONTRACT      "DET-1"

enum {
    TASK_INLINE_MAX = 256 << 10, /* larger inputs and outputs travel over HTTP */
    TASK_INPUT_MAX = 64 << 20,
    TASK_OUTPUT_MAX = 1 << 30,
    TASK_ROWS_MAX = 1 << 20,
    TASK_LEASE_S_MAX = 7 * 24 * 3600
};

/* Inline where input holds bytes or there is no input, by input_hash and input_size
 * otherwise. */
MUST_CHECK enum status message_assign_encode(const struct assignment *from,
                                             struct blob *out);
/* On OK the caller frees *out with assignment_free().  On NOT_SUPPORTED (another
 * contract, unknown parameters) and on BAD_MESSAGE *out is set too where the task's id
 * could be read, so that the task can be declined with the sentence; otherwise it is
 * NULL. */
MUST_CHECK enum status message_assign_decode(const struct message_line *line,
                                             struct assignment **out, struct error *err);

/* What a worker says.  A DONE whose output is above TASK_INLINE_MAX names it by its hash
 * alone. */
struct message_answer {
    struct answer answer; /* its output is owned; empty where output_hash is set */
    char output_hash[65]; /* BLAKE3 of the output's bytes, "" where it came inline */
    uint64_t output_size;
};
void message_answer_free(struct message_answer *answer); /* what it holds; NULL is fine */
MUST_CHECK enum status message_answer_encode(int64_t id, const struct answer *from,
                                             struct blob *out);
/* line is one of accept, decline, progress, result; another is BAD_MESSAGE.  A result
 * that could not be read leaves answer.task_id where it was legal.  On OK the caller
 * frees out. */
MUST_CHECK enum status message_answer_decode(const struct message_line *line,
                                             struct message_answer *out,
                                             struct error *err);

enum result_status { RESULT_ACCEPTED, RESULT_PENDING, RESULT_REJECTED };
struct message_result { /* the pool's verdict on a result */
    enum result_status status;
    char reason[MESSAGE_TEXT_MAX + 1];
};
MUST_CHECK enum status message_result_encode(const struct message_id *id,
                                             const struct message_result *from,
                                             struct blob *out);
/* line is a reply that is_ok. */
MUST_CHECK enum status message_result_decode(const struct message_line *line,
                                             struct message_result *out,
                                             struct error *err);

MUST_CHECK enum status message_cancel_encode(const char *task_id, struct blob *out);
MUST_CHECK enum status message_cancel_decode(const struct message_line *line,
                                             char task_id[TASK_ID_SIZE + 1],
                                             struct error *err);

#endif
