/*
 * refusal.c - codes and words of refusals.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/refusal.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "pool-protocol/message_line.h"

enum { CODE_GATEWAY = -32000 }; /* JSON-RPC: whatever else is wrong */

struct refusal_word {
    const char *word;
    enum refusal means;
};

/* The first that occurs counts. */
static const struct refusal_word refusal_words[] = {
    {"ban", REFUSAL_BANNED},
    {"blacklist", REFUSAL_BANNED},
    {"stale", REFUSAL_STALE},
    {"job not found", REFUSAL_STALE},
    {"unknown job", REFUSAL_STALE},
    {"old job", REFUSAL_STALE},
    {"expired job", REFUSAL_STALE},
    {"chain advanced", REFUSAL_STALE},
    {"duplicate", REFUSAL_DUPLICATE},
    {"unauthor", REFUSAL_LOGIN},
    {"invalid worker", REFUSAL_LOGIN},
    {"low diff", REFUSAL_LOW},
    {"above target", REFUSAL_LOW},
    {"does not meet", REFUSAL_LOW},
    {"difficulty", REFUSAL_LOW},
    {"format", REFUSAL_FORMAT},
    {"decode", REFUSAL_FORMAT},
    {"base64", REFUSAL_FORMAT},
    {"deserializ", REFUSAL_FORMAT},
    {"malformed", REFUSAL_FORMAT},
    {"bad submit params", REFUSAL_FORMAT},
    {"invalid", REFUSAL_INVALID},
    {"verif", REFUSAL_INVALID},
    {"bad proof", REFUSAL_INVALID},
};

static enum refusal refusal_of_words(const char *text)
{
    char lower[MESSAGE_TEXT_MAX + 1];
    size_t size = 0;

    for (; text[size] && size < MESSAGE_TEXT_MAX; size++)
        lower[size] = (char)(tolower)((unsigned char)text[size]);
    lower[size] = 0;
    for (size_t i = 0; i < sizeof refusal_words / sizeof *refusal_words; i++) {
        if (strstr(lower, refusal_words[i].word))
            return refusal_words[i].means;
    }
    return REFUSAL_OTHER;
}

enum refusal refusal_of(int code, const char *text)
{
    const enum refusal words = refusal_of_words(text);

    switch (code) {
    case CODE_GATEWAY:
        return strstr(text, "queue full") ? REFUSAL_BUSY : words;
    case MESSAGE_CODE_STALE:
        return REFUSAL_STALE;
    case MESSAGE_CODE_DUPLICATE:
        return REFUSAL_DUPLICATE;
    case MESSAGE_CODE_LOW:
        return REFUSAL_LOW;
    case MESSAGE_CODE_BAD_WALLET:
        /* pearl/v1 means by it that it cannot read the list */
        return words == REFUSAL_FORMAT ? REFUSAL_FORMAT : REFUSAL_LOGIN;
    case MESSAGE_CODE_NO_WALLET:
    case MESSAGE_CODE_UNAUTHORISED:
        return REFUSAL_LOGIN;
    case MESSAGE_CODE_BAD_PROOF:
        return REFUSAL_INVALID;
    default:
        return words;
    }
}
