/*
 * fuzz_message_submit.c - any message as a share.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_submit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_line *line = NULL;
    struct error err = {0};

    if (message_line_parse(bytes_of(data, size), &line, &err))
        return 0;
    struct message_submit submit;
    struct blob again = blob_empty(16 << 20);

    if (!message_submit_decode(line, &submit, &err)) {
        if (message_submit_encode(1, &submit, &again))
            abort(); /* what was taken can be said again */
        message_submit_free(&submit);
    }
    blob_free(&again);
    message_line_free(line);
    return 0;
}
