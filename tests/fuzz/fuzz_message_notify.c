/*
 * fuzz_message_notify.c - any message as a job.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_line *line = NULL;
    struct error err = {0};

    if (message_line_parse(bytes_of(data, size), &line, &err))
        return 0;
    struct message_notify notify;
    struct blob again = blob_empty(1 << 16);

    if (!message_notify_decode(line, &notify, &err) &&
        message_notify_encode(&notify, &again))
        abort(); /* what was taken can be said again */
    blob_free(&again);
    message_line_free(line);
    return 0;
}
