/*
 * share_case.h - one share under judgement; shared by shares.c and share_checks.c alone.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_SHARE_CASE_H
#define MINERVA_POOL_SHARE_CASE_H

#include "pool-protocol/message_submit.h"
#include "pool/audit.h"
#include "pool/sessions.h"
#include "pool/shares.h"
#include "pool/store_leases.h"

enum { CODE_NONE = 0 };

struct share_case {
    struct pool *pool;
    struct connection *connection; /* held */
    struct message_id id;
    char session[SESSION_SIZE + 1];
    struct message_submit submit;
    struct session_job job;
    struct proof proof;
    struct stored_share share; /* as it will be stored */
    struct stored_lease lease; /* id 0: without a task */
    struct work *work;         /* NULL: without a task */
    uint8_t job_key[DIGEST_SIZE];
    struct audit audit;
    bool was_audited;
};

/* From the first check to the last that needs no run of the pool's own.  CODE_NONE: it
 * holds so far; otherwise the code, with a sentence.  No lock held. */
int share_check(struct share_case *c, const struct message_line *line, struct error *err);

#endif
