/*
 * fuzz_message_line.c - any bytes as a line: parsed, or refused with a sentence.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "pool-protocol/message_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_line *line = NULL;
    struct message_reply reply;
    struct error err = {0};
    int64_t number;

    if (message_line_parse(bytes_of(data, size), &line, &err)) {
        if (!*err.text)
            abort();
        return 0;
    }
    (void)message_id_number(message_line_id(line), &number);
    if (message_line_kind(line) == MESSAGE_REPLY)
        message_line_reply(line, &reply);
    message_line_free(line);
    return 0;
}
