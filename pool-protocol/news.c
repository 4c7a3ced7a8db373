/*
 * news.c - birth and end of a piece of news.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/news.h"

#include "miner/base/clock.h"
#include "miner/base/memory.h"

struct news *news_new(enum news_kind kind)
{
    struct news *news = memory_new(struct news);

    if (news) {
        news->kind = kind;
        news->at_ms = clock_ms();
    }
    return news;
}

void news_free(void *thing)
{
    struct news *news = thing;

    if (news)
        job_release(news->job);
    memory_free(news);
}
