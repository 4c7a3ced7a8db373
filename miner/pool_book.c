/*
 * pool_book.c - one pool's counts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pool_book.h"

#include <stdio.h>

static void note_end(struct pool_book *book, enum pool_book_state state,
                     const struct news *news)
{
    book->disconnects += book->state == POOL_BOOK_CONNECTED;
    if (book->state !=
        POOL_BOOK_REFUSED) /* what follows is only when it is tried again */
        book->state = state;
    book->is_current = false;
    snprintf(book->why, sizeof book->why, "%.*s", POOL_BOOK_WHY_SIZE - 1, news->text);
}

static void note_share(struct pool_book *book, const struct news *news)
{
    if (news->verdict > VERDICT_LOST)
        return;
    book->shares[news->verdict]++;
    if (news->verdict != VERDICT_ACCEPTED)
        return;
    book->accepted_ms = news->at_ms;
    book->accepted_work += news->work;
}

void pool_book_note(struct pool_book *book, const struct news *news)
{
    switch (news->kind) {
    case NEWS_CONNECTED:
        book->state = POOL_BOOK_CONNECTED;
        book->connects++;
        book->latency_ms = news->latency_ms;
        book->connected_ms = news->at_ms;
        book->why[0] = 0;
        break;
    case NEWS_CURRENT:
        book->is_current = true;
        break;
    case NEWS_LOST:
        note_end(book, POOL_BOOK_AWAY, news);
        break;
    case NEWS_LEFT:
        note_end(book, POOL_BOOK_AWAY, news);
        break;
    case NEWS_REFUSED:
        note_end(book, POOL_BOOK_REFUSED, news);
        break;
    case NEWS_JOB:
        book->job_ms = news->at_ms;
        book->height = news->job->height;
        book->work = target_work(&news->job->target);
        break;
    case NEWS_SHARE:
        note_share(book, news);
        break;
    case NEWS_RESULT:
        if (news->verdict <= VERDICT_LOST)
            book->results[news->verdict]++;
        break;
    case NEWS_ASSIGNED:
    case NEWS_CANCELLED:
    case NEWS_TOO_NEW:
    case NEWS_HOPELESS:
    case NEWS_NOTICE:
        break;
    }
}

const char *pool_book_state_name(enum pool_book_state state)
{
    static const char *const names[POOL_BOOK_STATES] = {[POOL_BOOK_AWAY] = "away",
                                                        [POOL_BOOK_CONNECTED] =
                                                            "connected",
                                                        [POOL_BOOK_REFUSED] = "refused"};

    return names[state];
}
