/*
 * selftest.c - runs worked cases on a device: those compiled in, or one from outside.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/selftest.h"

#include <assert.h>
#include <string.h>

#include "miner/selftest_cases.h"

enum status selftest_case(struct device *device, const struct vector_case *given,
                          struct error *err)
{
    struct trial trial = {.device = device, .given = given};

    if (!selftest_det1(&trial) && !selftest_pow(&trial))
        trial_fail(&trial, STATUS_NOT_SUPPORTED, "there is no such operation");
    trial_end(&trial);
    return trial.status ? error_set(err, trial.status, "%s%s%s%s: %s", given->op,
                                    *given->note ? " (" : "", given->note,
                                    *given->note ? ")" : "", error_text(&trial.err))
                        : STATUS_OK;
}

size_t selftest_builtin_count(void)
{
    size_t count = 0;

    while (selftest_answers[count])
        count++;
    return count;
}

enum status selftest_builtin(struct device *device, size_t index, struct error *err)
{
    const char *text = selftest_answers[index];
    struct vectors_json *vectors = NULL;
    struct vector_case given = {0};
    enum status status;

    assert(index < selftest_builtin_count());
    status = vectors_json_parse(bytes_of(text, strlen(text)), &vectors, err);
    if (!status)
        status = vectors_json_case(vectors, 0, &given, err);
    if (!status)
        status = selftest_case(device, &given, err);
    vector_case_free(&given);
    vectors_json_free(vectors);
    return status;
}

enum status selftest_short(struct device *device, struct error *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && selftest_answers[i]; i++)
        status = selftest_builtin(device, i, err);
    return status;
}
