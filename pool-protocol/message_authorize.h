/*
 * message_authorize.h - the hello: who works, what it offers, and what the pool answers.
 *
 * The plain Pearl hello is the same message without protocol, session and offer; the
 * login as a list of two texts that one pool wants is read too.  Both ends; any thread,
 * no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_AUTHORIZE_H
#define MINERVA_PROTOCOL_MESSAGE_AUTHORIZE_H

#include "miner/work/assignment.h"
#include "pool-protocol/message_line.h"

#define MESSAGE_AUTHORIZE "mining.authorize"
#define MESSAGE_PROTOCOL  "pouw/1"

enum {
    WALLET_MAX = 128,
    WORKER_MAX = 128,
    PASS_MAX = 128,
    AGENT_MAX = 64,
    PROTOCOL_MAX = 32,
    SESSION_SIZE = 32, /* hex digits */
    ARTIFACTS_MAX = 255,
    OFFER_TASKS_MAX = 32,
    OFFER_MODELS_MAX = 64,
    OFFER_BACKENDS_MAX = 8,
    OFFER_SLOTS_MAX = 64,
    BACKEND_NAME_MAX = 31
};

struct message_offer { /* what a worker can take */
    uint32_t slots;    /* assignments wanted at once */
    uint64_t memory_bytes;
    uint32_t task_count, model_count, backend_count;
    char tasks[OFFER_TASKS_MAX][TASK_KIND_MAX + 1];
    char models[OFFER_MODELS_MAX][MODEL_ID_SIZE + 1]; /* those it holds already */
    char backends[OFFER_BACKENDS_MAX][BACKEND_NAME_MAX + 1];
};

struct message_authorize {
    char wallet[WALLET_MAX + 1]; /* "" after decoding: the message had none (code 24) */
    char worker[WORKER_MAX + 1];
    char pass[PASS_MAX + 1];
    char agent[AGENT_MAX + 1];
    char protocol[PROTOCOL_MAX +
                  1]; /* "" for a plain Pearl worker; then no session, no offer */
    char session[SESSION_SIZE + 1]; /* "" for a new one */
    struct message_offer offer;
    /* What some pools differ in. */
    bool asks_gzip;   /* for proofs in gzip: "type":"v2" */
    bool is_password; /* pass is called password */
    bool has_jsonrpc; /* the request names its version; not read */
};

MUST_CHECK enum status message_authorize_encode(int64_t id,
                                                const struct message_authorize *from,
                                                struct blob *out);
MUST_CHECK enum status message_authorize_decode(const struct message_line *line,
                                                struct message_authorize *out,
                                                struct error *err);

struct message_welcome { /* the reply of a pool that agrees */
    char protocol[PROTOCOL_MAX +
                  1]; /* "" from a plain Pearl pool; then only is_gzip is said */
    char artifacts[ARTIFACTS_MAX +
                   1]; /* a path on the connection's host, or a whole URL */
    uint32_t http_port;
    char session[SESSION_SIZE + 1];
    bool is_gzip; /* proofs come in gzip from now on: "type":"v2" */
};

MUST_CHECK enum status message_welcome_encode(const struct message_id *id,
                                              const struct message_welcome *from,
                                              struct blob *out);
/* line is a reply that is_ok (message_line_reply). */
MUST_CHECK enum status message_welcome_decode(const struct message_line *line,
                                              struct message_welcome *out,
                                              struct error *err);

/* Whether the reply, which is_ok, agrees to proofs in gzip; any other type means that it
 * does not. */
bool message_welcome_is_gzip(const struct message_line *line);

#endif
