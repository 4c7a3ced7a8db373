/*
 * pool_board.h - what other threads may ask the pool thread: tasks taken back, where
 * artifacts lie.
 *
 * The pool thread pins up a new sheet whenever something changed; a sheet never changes
 * after that, so readers need no lock but the mailbox's.  set, cancel and assign are for
 * the pool thread, the questions for any.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_POOL_BOARD_H
#define MINERVA_PROTOCOL_POOL_BOARD_H

#include "miner/base/mailbox.h"
#include "pool-protocol/pool.h"

enum {
    BOARD_CANCELLED_MAX = 128
}; /* older ones are forgotten: nobody works on them any more */

struct board_sheet {
    uint32_t cancelled_next;
    char cancelled[BOARD_CANCELLED_MAX][TASK_ID_SIZE + 1];
    struct pool_artifacts artifacts;
};

struct pool_board {
    struct mailbox *sheets;
    struct board_sheet next; /* what the next sheet will say; the pool thread's own */
};

MUST_CHECK enum status board_open(struct pool_board *board);
void board_close(struct pool_board *board);
void board_cancel(struct pool_board *board, const char *task_id);
void board_assign(struct pool_board *board,
                  const char *task_id); /* no longer cancelled */
void board_set_artifacts(struct pool_board *board,
                         const struct pool_artifacts *artifacts);
bool board_is_cancelled(struct pool_board *board, const char *task_id);
void board_artifacts(struct pool_board *board, struct pool_artifacts *out);

#endif
