/*
 * Claim: a refusal is understood by its code, and without one by its words, of which the
 * first rule that fits decides.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool-protocol/refusal.h"

static void codes_and_words_are_understood(void **state)
{
    static const struct {
        int code;
        const char *text;
        enum refusal means;
    } rows[] = {
        {21, "invalid proof", REFUSAL_STALE},
        {22, "", REFUSAL_DUPLICATE},
        {23, "stale", REFUSAL_LOW},
        {24, "", REFUSAL_LOGIN},
        {25, "invalid wallet", REFUSAL_LOGIN},
        {25, "bad submit params (need [worker, job_id])", REFUSAL_FORMAT},
        {26, "", REFUSAL_INVALID},
        {27, "", REFUSAL_LOGIN},
        {20, "Invalid share", REFUSAL_INVALID},
        {20, "Stale job", REFUSAL_STALE},
        {-32000, "proof submission queue full", REFUSAL_BUSY},
        {-32000, "invalid proof", REFUSAL_INVALID},
        {0, "proof submission queue full", REFUSAL_OTHER},
        {0, "", REFUSAL_OTHER},
        {0, "no", REFUSAL_OTHER},
        {-1, "you are BANNED: stale", REFUSAL_BANNED},
        {0, "Job not found", REFUSAL_STALE},
        {0, "unknown job", REFUSAL_STALE},
        {0, "Duplicate share, low difficulty", REFUSAL_DUPLICATE},
        {0, "Unauthorized worker", REFUSAL_LOGIN},
        {0, "invalid worker", REFUSAL_LOGIN},
        {0, "Jackpot condition not satisfied: hash does not meet difficulty target",
         REFUSAL_LOW},
        {0, "low diff", REFUSAL_LOW},
        {0, "cannot DECODE: invalid", REFUSAL_FORMAT},
        {0, "malformed proof", REFUSAL_FORMAT},
        {0, "verification failed", REFUSAL_INVALID},
        {0, "too many bad proofs", REFUSAL_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (refusal_of(rows[i].code, rows[i].text) != rows[i].means)
            fail_msg("%d \"%s\" is taken for %d", rows[i].code, rows[i].text,
                     (int)refusal_of(rows[i].code, rows[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes_and_words_are_understood)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
