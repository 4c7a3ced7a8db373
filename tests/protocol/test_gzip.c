/*
 * Claim: what is packed is unpacked again, what Python's gzip packed too; anything else
 * is refused, and a small message never becomes more than its bound.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool-protocol/gzip.h"

/* python3 -c 'import gzip; print(gzip.compress(b"a proof, a proof, a proof",
 * mtime=0).hex())' */
static const char known[] =
    "1f8b08000000000002034b542828cacf4fd3514844630000df4a6c7f19000000";
static const char known_text[] = "a proof, a proof, a proof";

static struct blob unpacked(struct bytes from, size_t size_max, enum status expected)
{
    struct blob to = blob_empty(size_max);

    assert_int_equal(gzip_unpack(from, &to), expected);
    assert_true(to.size <= size_max);
    return to;
}

static void there_and_back(void **state)
{
    enum { SIZE = 300000 };
    static uint8_t data[SIZE];
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, SIZE};
    uint32_t word = 1;

    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        word = word * 1664525 + 1013904223;
        data[i] = i < SIZE / 2 ? (uint8_t)(word >> 24) : 7;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct blob packed = blob_empty(2 * SIZE);

        assert_int_equal(gzip_pack(bytes_of(data, sizes[i]), &packed), STATUS_OK);
        assert_true(gzip_is_packed(blob_bytes(&packed)));
        struct blob back = unpacked(blob_bytes(&packed), sizes[i] + 1, STATUS_OK);
        assert_int_equal(back.size, sizes[i]);
        if (sizes[i])
            assert_memory_equal(back.data, data, sizes[i]);
        blob_free(&back);
        blob_free(&packed);
    }
}

static void what_others_packed_is_read(void **state)
{
    uint8_t packed[sizeof known / 2];
    struct blob to;

    (void)state;
    assert_true(hex_decode(known, packed, sizeof packed));
    to = unpacked(bytes_of(packed, sizeof packed), 1000, STATUS_OK);
    assert_string_equal((const char *)to.data, known_text);
    blob_free(&to);
}

/* Cut anywhere, changed anywhere in what counts, or with something behind it. */
static void the_broken_is_refused(void **state)
{
    uint8_t packed[sizeof known / 2 + 1] = {0};
    const size_t size = sizeof known / 2;
    struct blob to;

    (void)state;
    assert_true(hex_decode(known, packed, size));
    for (size_t i = 0; i < size; i++) {
        to = unpacked(bytes_of(packed, i), 1000, STATUS_BAD_DATA);
        blob_free(&to);
    }
    to = unpacked(bytes_of(packed, size + 1), 1000, STATUS_BAD_DATA);
    blob_free(&to);
    for (size_t i = size - 8; i < size; i++) { /* its sum and its size */
        packed[i] ^= 1;
        to = unpacked(bytes_of(packed, size), 1000, STATUS_BAD_DATA);
        blob_free(&to);
        packed[i] ^= 1;
    }
    to = unpacked(bytes_of("no member", 9), 1000, STATUS_BAD_DATA);
    blob_free(&to);
}

static void a_bomb_ends_at_its_bound(void **state)
{
    struct blob zeros = blob_empty(16 << 20), packed = blob_empty(1 << 20);

    (void)state;
    assert_int_equal(blob_reserve(&zeros, 16 << 20), STATUS_OK);
    memset(zeros.data, 0, 16 << 20);
    zeros.size = 16 << 20;
    assert_int_equal(gzip_pack(blob_bytes(&zeros), &packed), STATUS_OK);
    struct blob to = unpacked(blob_bytes(&packed), 100000, STATUS_FULL);
    assert_true(to.capacity <= 200000);
    blob_free(&to);
    struct blob small = blob_empty(100);
    assert_int_equal(gzip_pack(blob_bytes(&zeros), &small), STATUS_FULL);
    blob_free(&small);
    blob_free(&packed);
    blob_free(&zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(what_others_packed_is_read),
        cmocka_unit_test(the_broken_is_refused),
        cmocka_unit_test(a_bomb_ends_at_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
