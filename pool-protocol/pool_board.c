/*
 * pool_board.c - sheets of what other threads may ask the pool thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool_board.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

struct board_copy {
    atomic_uint holders;
    struct board_sheet sheet;
};

static void *copy_keep(void *thing)
{
    struct board_copy *copy = thing;

    atomic_fetch_add(&copy->holders, 1);
    return copy;
}

static void copy_release(void *thing)
{
    struct board_copy *copy = thing;

    if (copy && atomic_fetch_sub(&copy->holders, 1) == 1)
        memory_free(copy);
}

enum status board_open(struct pool_board *board)
{
    return mailbox_new(copy_keep, copy_release, &board->sheets);
}

void board_close(struct pool_board *board)
{
    mailbox_free(board->sheets);
    board->sheets = NULL;
}

/* Without memory the old sheet stays up: a cancelled task is then worked to its end. */
static void board_pin(struct pool_board *board)
{
    struct board_copy *copy = memory_new(struct board_copy);

    if (!copy)
        return;
    atomic_init(&copy->holders, 1);
    copy->sheet = board->next;
    mailbox_put(board->sheets, copy);
}

static uint32_t sheet_find(const struct board_sheet *sheet, const char *task_id)
{
    uint32_t i = 0;

    while (i < BOARD_CANCELLED_MAX && strcmp(sheet->cancelled[i], task_id))
        i++;
    return i;
}

void board_cancel(struct pool_board *board, const char *task_id)
{
    struct board_sheet *next = &board->next;

    if (!*task_id || sheet_find(next, task_id) < BOARD_CANCELLED_MAX)
        return;
    snprintf(next->cancelled[next->cancelled_next], TASK_ID_SIZE + 1, "%s", task_id);
    next->cancelled_next = (next->cancelled_next + 1) % BOARD_CANCELLED_MAX;
    board_pin(board);
}

void board_assign(struct pool_board *board, const char *task_id)
{
    const uint32_t place = sheet_find(&board->next, task_id);

    if (place == BOARD_CANCELLED_MAX)
        return;
    board->next.cancelled[place][0] = 0;
    board_pin(board);
}

void board_set_artifacts(struct pool_board *board, const struct pool_artifacts *artifacts)
{
    board->next.artifacts = *artifacts;
    board_pin(board);
}

bool board_is_cancelled(struct pool_board *board, const char *task_id)
{
    uint64_t generation = 0;
    struct board_copy *copy = *task_id ? mailbox_take(board->sheets, &generation) : NULL;
    const bool is_cancelled =
        copy && sheet_find(&copy->sheet, task_id) < BOARD_CANCELLED_MAX;

    copy_release(copy);
    return is_cancelled;
}

void board_artifacts(struct pool_board *board, struct pool_artifacts *out)
{
    uint64_t generation = 0;
    struct board_copy *copy = mailbox_take(board->sheets, &generation);

    *out = copy ? copy->sheet.artifacts : (struct pool_artifacts){0};
    copy_release(copy);
}
