/*
 * fuzz_dialect.c - any lines as a pool's side of a conversation, in every dialect with a
 * socket.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "pool-protocol/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hears line after line, with a share and a second between them. */
static void converse(const struct dialect *dialect, struct bytes rest)
{
    const struct dialect_login login = {.hello = {.wallet = "w"}};
    struct dialect_session *session = NULL;
    struct dialect_turn turn = {.lines = blob_empty(1 << 20)};
    struct job job = {.id = "j"};
    struct share share = {.job = &job};
    struct error err = {0};

    if (dialect->open(&login, &session, &err) || dialect->greet(session, &turn))
        abort();
    for (uint64_t now = 1000; rest.size; now += 1000) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        const size_t size = end ? (size_t)(end - rest.data) : rest.size;
        enum status status =
            dialect->receive(session, bytes_of(rest.data, size), &turn, &err);

        dialect_turn_clear(&turn);
        if (status == STATUS_NETWORK || status == STATUS_REFUSED)
            status = dialect->greet(session, &turn);
        status = dialect->submit(session, &share, now, &turn);
        dialect_turn_clear(&turn);
        status = dialect->tick(session, now, &turn, &err);
        dialect_turn_clear(&turn);
        rest =
            bytes_of(rest.data + size + (end != NULL), rest.size - size - (end != NULL));
    }
    dialect->close(session);
    dialect_turn_free(&turn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    converse(&dialect_task, bytes_of(data, size));
    converse(&dialect_pearl, bytes_of(data, size));
    converse(&dialect_detect, bytes_of(data, size));
    converse(&dialect_gateway, bytes_of(data, size));
    converse(&dialect_array, bytes_of(data, size));
    return 0;
}
