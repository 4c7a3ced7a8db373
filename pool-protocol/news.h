/*
 * news.h - what the pool thread has to tell: the main thread makes the ledger and log
 * lines of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_NEWS_H
#define MINERVA_PROTOCOL_NEWS_H

#include "pool-protocol/dialect.h"

enum news_kind {
    NEWS_CONNECTED, /* logged in. text: how; latency_ms: from the first packet to the
                       hello's answer */
    NEWS_LOST,      /* text: why, and when it is tried again */
    NEWS_REFUSED,   /* the pool refused the login. code, text */
    NEWS_JOB,       /* job is set (held): already in the mailbox */
    NEWS_ASSIGNED,  /* task_id, task_kind, model, work_units */
    NEWS_CANCELLED, /* task_id: the pool took a task back */
    NEWS_SHARE,  /* verdict, code, text, latency_ms, device, task_id, work, ticket, ... */
    NEWS_RESULT, /* verdict, code, text, latency_ms, task_id */
    NEWS_TOO_NEW,  /* text: the pool asks for what only a newer program can do */
    NEWS_CURRENT,  /* this pool is the one that is worked for now. text: why */
    NEWS_LEFT,     /* no longer connected, because another pool is worked for */
    NEWS_HOPELESS, /* every pool of the list has refused since the start, and none ever
                      took the login. code: STATUS_REFUSED, or STATUS_NOT_SUPPORTED where
                      it is for what only a newer program can do */
    NEWS_NOTICE /* text: something a person may want to know, such as a dropped message */
};

struct news {
    enum news_kind kind;
    uint64_t at_ms; /* clock_ms() */
    uint32_t pool;  /* whose: its number in the person's order */
    char text[ERROR_TEXT_MAX];
    struct job *job;                /* NEWS_JOB and NEWS_SHARE: held by the news */
    char task_id[TASK_ID_SIZE + 1]; /* "" for a share without a task */
    char task_kind[TASK_KIND_MAX + 1];
    char model[MODEL_ID_SIZE + 1];
    uint64_t work_units;
    enum verdict verdict;
    int code;             /* the pool's; 0 where it gave none */
    enum refusal refusal; /* NEWS_SHARE: what a stale or rejected one is refused for */
    uint64_t latency_ms;  /* from leaving the outbox to the answer */
    uint32_t device;
    struct site site;
    uint8_t ticket[DIGEST_SIZE];

    double work; /* NEWS_SHARE: multiply-accumulates a share costs under its job */
};
void news_free(void *news); /* struct news *; fits queue_release */

struct news *news_new(enum news_kind kind); /* NULL without memory */

#endif
