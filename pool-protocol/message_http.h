/*
 * message_http.h - the JSON bodies of the pool's /v1 interface (task-pool.md section 8),
 * both ends.
 *
 * The pool decodes what a requester encodes and the other way round.  Bodies come from
 * strangers: every field is checked for type and size, and a refusal names the field.  No
 * state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_PROTOCOL_MESSAGE_HTTP_H
#define MINERVA_POOL_PROTOCOL_MESSAGE_HTTP_H

#include "miner/work/assignment.h"

enum {
    HTTP_INPUT_SIZE_MAX = 64 << 20, /* of one request, before base64 */
    HTTP_BODY_SIZE_MAX = HTTP_INPUT_SIZE_MAX / 3 * 4 + 65536,
    HTTP_REASON_MAX = 255,
    HTTP_CODE_COUNT = 64, /* refusal codes counted in /v1/status are below it */
};

/* POST /v1/tasks. */
struct http_submit {
    char kind[TASK_KIND_MAX + 1];
    char model[MODEL_ID_SIZE + 1]; /* "" for kinds without a model */
    struct task_parameters parameters;
    struct blob input; /* owned; empty for kinds without an input */
};
void http_submit_free(struct http_submit *submit); /* what it owns; NULL is fine */
MUST_CHECK enum status message_http_submit_encode(const struct http_submit *submit,
                                                  struct blob *out);
/* On OK the caller frees out's input with http_submit_free(); otherwise it owns nothing.
 */
MUST_CHECK enum status
message_http_submit_decode(struct bytes body, struct http_submit *out, struct error *err);

/* The reply 201: the task's id. */
MUST_CHECK enum status message_http_id_encode(const char *id, struct blob *out);
MUST_CHECK enum status
message_http_id_decode(struct bytes body, char id[TASK_ID_SIZE + 1], struct error *err);

/* GET /v1/tasks/ID. */
enum http_task_state {
    HTTP_TASK_QUEUED,
    HTTP_TASK_LEASED,
    HTTP_TASK_CHECKING,
    HTTP_TASK_DONE,
    HTTP_TASK_FAILED,
    HTTP_TASK_STATE_COUNT
};
const char *http_task_state_name(enum http_task_state state); /* "queued" */
struct http_task {
    char id[TASK_ID_SIZE + 1];
    char kind[TASK_KIND_MAX + 1];
    char model[MODEL_ID_SIZE + 1];
    enum http_task_state state;
    uint64_t done, total;             /* items */
    char reason[HTTP_REASON_MAX + 1]; /* why it failed, or "" */
};
MUST_CHECK enum status message_http_task_encode(const struct http_task *task,
                                                struct blob *out);
MUST_CHECK enum status message_http_task_decode(struct bytes body, struct http_task *out,
                                                struct error *err);

/* GET /v1/status.  Shares are totals of the pool's life: none ever decreases. */
struct http_status {
    uint64_t workers;
    uint64_t tasks[HTTP_TASK_STATE_COUNT];
    double usefulness; /* 0 to 1: the part of the hashes out of assigned tasks */
    double hashes_per_s_10s, hashes_per_s_60s, hashes_per_s_15m;
    uint64_t accepted, unassigned, stale;
    uint64_t rejected[HTTP_CODE_COUNT]; /* by code; only those above 0 are written */
    uint64_t voided, surplus, credited; /* credited: in hashes */
};
MUST_CHECK enum status message_http_status_encode(const struct http_status *status,
                                                  struct blob *out);
MUST_CHECK enum status
message_http_status_decode(struct bytes body, struct http_status *out, struct error *err);

/* What any refusal says: {"error":"..."}. */
MUST_CHECK enum status message_http_error_encode(const char *reason, struct blob *out);
/* The sentence, or a plain one when the body holds none; cut to its room. */
void message_http_error_decode(struct bytes body, char reason[HTTP_REASON_MAX + 1]);

#endif
