/*
 * site.h - the name of one product of one task (task-pool.md section 5).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_SITE_H
#define MINERVA_WORK_SITE_H

#include <stdint.h>

struct site {
    uint32_t pack;    /* which pack of items, from 0 */
    uint32_t pass;    /* generation only: which run of the model */
    uint32_t product; /* in the order the architecture uses them, from 0 */
    uint32_t item;    /* which of several equal products */
};

#endif
