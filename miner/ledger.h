/*
 * ledger.h - the books: shares by verdict, tasks, hashes, and what follows from them.
 *
 * Workers and the prover write what they did, the main thread writes what the pool said
 * and reads the totals.  Any thread; time is the caller's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_LEDGER_H
#define MINERVA_MINER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

enum {
    LEDGER_DEVICES_MAX = 64,
    LEDGER_REASONS_MAX = 16, /* different ones; what comes after is counted as the last */
    LEDGER_REASON_SIZE = 96,
    LEDGER_STATE_SIZE = 200,
    LEDGER_WINDOWS = 3
};
extern const uint32_t ledger_windows[LEDGER_WINDOWS]; /* seconds: 10, 60, 900 */

enum ledger_verdict { LEDGER_ACCEPTED, LEDGER_STALE, LEDGER_REJECTED, LEDGER_VERDICTS };
enum ledger_task {
    LEDGER_TASK_DONE,     /* the pool has taken the result */
    LEDGER_TASK_REJECTED, /* ... or not */
    LEDGER_TASK_DECLINED,
    LEDGER_TASK_CANCELLED,
    LEDGER_TASKS
};

struct ledger_shares {
    uint64_t verdicts[LEDGER_VERDICTS];
    uint64_t invalid; /* findings that did not verify here and were never sent */
    uint64_t kept;    /* proved, and not sent because nothing is to be sent */
};

struct ledger_device {
    struct ledger_shares shares;
    double hashes, hashes_assigned;
    bool is_known[LEDGER_WINDOWS]; /* the window is full */
    double rates[LEDGER_WINDOWS];  /* hashes a second */
    double rate_max;               /* highest 60 s */
    bool is_lost;
    uint64_t restarts;             /* it was lost and works again */
    char state[LEDGER_STATE_SIZE]; /* why it was lost and what follows; "": it works */
};

struct ledger_reason {
    char text[LEDGER_REASON_SIZE];
    uint64_t count;
};

struct ledger_totals {
    struct ledger_device all; /* of all devices together */
    uint64_t tasks[LEDGER_TASKS];
    double usefulness;      /* 0 to 1; 0 before the first hash */
    double effective;       /* hashes a second that accepted shares stand for */
    double effective_error; /* per cent; 0: no share yet */
    double seconds;         /* since the first job */
    double work;            /* hashes a share costs now; 0: no job yet */
    size_t reason_count;    /* why shares were stale or rejected */
    struct ledger_reason reasons[LEDGER_REASONS_MAX];
};

struct ledger;
MUST_CHECK enum status ledger_new(size_t devices, uint64_t now_ms, struct ledger **out);
void ledger_free(struct ledger *ledger); /* NULL is fine */

/* A job came: what a share costs under it.  The first one starts the effective rate's
 * clock. */
void ledger_job(struct ledger *ledger, double work, uint64_t now_ms);
void ledger_hashes(struct ledger *ledger, size_t device, double hashes, bool assigned,
                   uint64_t now_ms);
/* work: what the share cost under its own job.  reason may be NULL or "". */
void ledger_share(struct ledger *ledger, size_t device, enum ledger_verdict verdict,
                  double work, const char *reason);
void ledger_invalid(struct ledger *ledger, size_t device);
void ledger_kept(struct ledger *ledger, size_t device);
/* How many of the device's findings did not verify so far. */
uint64_t ledger_invalid_count(struct ledger *ledger, size_t device);
/* The device is out of work for that reason; it works again. */
void ledger_lost(struct ledger *ledger, size_t device, const char *state);
void ledger_back(struct ledger *ledger, size_t device);
void ledger_task(struct ledger *ledger, enum ledger_task what);

void ledger_read(struct ledger *ledger, uint64_t now_ms, struct ledger_totals *out);
void ledger_read_device(struct ledger *ledger, size_t device, uint64_t now_ms,
                        struct ledger_device *out);

/* "252.1 TH/s" in the unit that fits; "n/a" when it is not known.  text holds 32
 * characters. */
void ledger_format_rate(bool is_known, double rate, char text[32]);

#endif
