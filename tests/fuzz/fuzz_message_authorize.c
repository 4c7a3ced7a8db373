/*
 * fuzz_message_authorize.c - any message as a hello and as its answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_authorize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_line *line = NULL;
    struct error err = {0};

    if (message_line_parse(bytes_of(data, size), &line, &err))
        return 0;
    struct message_authorize hello;
    struct message_welcome welcome;
    struct blob again = blob_empty(1 << 20);

    /* What was taken can be said again. */
    if (!message_authorize_decode(line, &hello, &err) &&
        message_authorize_encode(1, &hello, &again))
        abort();
    if (!message_welcome_decode(line, &welcome, &err) &&
        message_welcome_encode(message_line_id(line), &welcome, &again))
        abort();
    blob_free(&again);
    message_line_free(line);
    return 0;
}
