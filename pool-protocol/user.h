/*
 * user.h - what a person writes to be paid: ADDRESS, ADDRESS.WORKER or ADDRESS/WORKER,
 * perhaps with solo: in front.
 *
 * Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_USER_H
#define MINERVA_PROTOCOL_USER_H

#include <stdbool.h>

#include "pool-protocol/message_authorize.h"

struct user {
    bool is_solo; /* solo: stood in front, and will again */
    char address[WALLET_MAX + 1];
    char worker[WORKER_MAX + 1]; /* "" where none was named */
};

/* How a pool wants to be told. */
enum user_form {
    USER_SPLIT, /* wallet and worker apart */
    USER_DOT,   /* ADDRESS.WORKER as the wallet */
    USER_SLASH, /* ADDRESS/WORKER as the wallet */
    USER_ARRAY  /* as DOT, in a login that is a list of two texts */
};

/* Cuts text at its first '.' or '/'.  BAD_CONFIG for what is too long. */
MUST_CHECK enum status user_split(const char *text, struct user *out, struct error *err);
/* Fills wallet and worker of hello.  BAD_CONFIG when both together are too long. */
MUST_CHECK enum status user_login(const struct user *user, enum user_form form,
                                  struct message_authorize *hello, struct error *err);

#endif
