/*
 * status_page.h - the page for people: one file, no script from elsewhere.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_PAGE_H
#define MINERVA_MINER_STATUS_PAGE_H

#include "miner/standing.h"

/* It fills itself from /summary and /pools every two seconds; the standing is not read.
 */
MUST_CHECK enum status status_page(const struct standing *standing, struct blob *out);

#endif
