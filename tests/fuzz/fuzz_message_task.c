/*
 * fuzz_message_task.c - any message as an assignment, an answer, a verdict and a
 * cancellation.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_line *line = NULL;
    struct error err = {0};

    if (message_line_parse(bytes_of(data, size), &line, &err))
        return 0;
    struct assignment *work = NULL;
    struct message_answer answer;
    struct message_result result;
    struct blob again = blob_empty(16 << 20);
    char task_id[TASK_ID_SIZE + 1];

    if (!message_assign_decode(line, &work, &err) && message_assign_encode(work, &again))
        abort(); /* what was taken can be said again */
    assignment_free(work);
    if (!message_answer_decode(line, &answer, &err)) {
        if (message_answer_encode(1, &answer.answer, &again))
            abort();
        message_answer_free(&answer);
    }
    if (!message_result_decode(line, &result, &err) &&
        message_result_encode(message_line_id(line), &result, &again))
        abort();
    if (!message_cancel_decode(line, task_id, &err) &&
        message_cancel_encode(task_id, &again))
        abort();
    blob_free(&again);
    message_line_free(line);
    return 0;
}
