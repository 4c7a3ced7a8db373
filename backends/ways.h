/*
 * ways.h - ways to multiply that are on trial: right by construction, not yet seen to be
 * so on the card at hand.
 *
 * A backend lists those of an open device (device_info.h) and uses one only once it was
 * seen to be right and faster than what it would take instead.  Whoever tries them keeps
 * what was seen in the folder of compiled kernels, where the next open finds it.  Plain
 * data, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_WAYS_H
#define MINERVA_BACKENDS_WAYS_H

#include <stdint.h>

#include "kernels/pattern.h"
#include "miner/base/error.h"

enum { WAYS_MAX = 8, WAY_NAME_SIZE = 32, WAYS_KEY_SIZE = 32 };

enum way_state { /* as numbers in files: only append */
                 WAY_UNTRIED,
                 WAY_USED,   /* right, and the fastest of its pattern */
                 WAY_SLOWER, /* right */
                 WAY_WRONG,
                 WAY_STUCK, /* did not end */
                 WAY_STATES
};

struct way_pattern { /* as pattern_from_pairs() takes it */
    uint32_t length[3], stride[3];
};

struct way {
    char name[WAY_NAME_SIZE];  /* as device_options takes it */
    char rival[WAY_NAME_SIZE]; /* the established one that its products go to meanwhile */
    struct way_pattern rows, columns; /* of the tiles it mines */
    uint32_t rank;                    /* of products that it mines, at least */
    enum way_state state;
    uint32_t permille; /* its rate of mining by the rival's; 0: not measured */
};

struct ways {
    uint32_t count;
    struct way list[WAYS_MAX];
    uint8_t key[WAYS_KEY_SIZE]; /* of card, driver and kernels: others, another trial */
};

struct way_pattern way_pattern_of(const struct pattern *pattern);
struct way *ways_find(struct ways *ways, const char *name); /* NULL: none */
/* Of those that are right the fastest of each pattern is used, if it beats its rival. */
void ways_choose(struct ways *ways);

/* States and rates as they were kept under this key; nothing, or nothing whole: as they
 * are.  */
MUST_CHECK enum status ways_load(struct ways *ways, const char *folder);
MUST_CHECK enum status ways_keep(const struct ways *ways, const char *folder,
                                 struct error *err);

#endif
