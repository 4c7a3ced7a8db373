/*
 * test_blake3_host.c - claim: the host's BLAKE3 gives the published answers in its three
 * modes, in one piece or many, and its chunk and parent values, and the kernels', build
 * the same root.
 *
 * Answers: tests/vectors/blake3/blake3.json, with its origin.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "tests/kernels/vector_cases.h"

enum { INPUT_MAX = 102400 };

static const char *text(const json_t *item, const char *name)
{
    return json_string_value(json_object_get(item, name));
}

static uint8_t *input_new(void)
{
    uint8_t *input = room(INPUT_MAX, 1);

    for (size_t i = 0; i < INPUT_MAX; i++)
        input[i] = (uint8_t)(i % 251); /* 251: the largest prime in a byte */
    return input;
}

static size_t size_of(const json_t *item)
{
    return (size_t)json_integer_value(json_object_get(item, "size"));
}

static void gives_known_answers(void **state)
{
    json_t *root = cases_read("blake3/blake3.json"), *item;
    const uint8_t *key = (const uint8_t *)text(root, "key");
    const uint8_t *input = input_new();
    size_t index;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(root, "cases")), 35);
    json_array_foreach(json_object_get(root, "cases"), index, item)
    {
        struct blake3 hasher;
        uint8_t out[BLAKE3_SIZE];

        blake3_hash(input, size_of(item), NULL, out);
        assert_true(hex_equal("hash", out, text(item, "hash")));
        blake3_hash(input, size_of(item), key, out);
        assert_true(hex_equal("keyed", out, text(item, "keyed")));
        blake3_begin_derive_key(&hasher, text(root, "context"));
        blake3_add(&hasher, input, size_of(item));
        blake3_end(&hasher, out);
        assert_true(hex_equal("derived", out, text(item, "derived")));
    }
    json_decref(root);
}

/* The answers written down elsewhere, so that the file alone cannot be wrong. */
static void knows_empty_and_abc(void **state)
{
    uint8_t out[BLAKE3_SIZE];

    (void)state;
    blake3_hash("", 0, NULL, out);
    assert_true(
        hex_equal("empty", out,
                  "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"));
    blake3_hash("abc", 3, NULL, out);
    assert_true(hex_equal(
        "abc", out, "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"));
}

static void pieces_do_not_matter(void **state)
{
    static const size_t pieces[] = {1,    3,    63,   64,   65,   1000,
                                    1023, 1024, 1025, 2048, 2049, 5000};
    static const size_t sizes[] = {1, 64, 1024, 1025, 2048, 2049, 4096, 7168, 31744};
    const uint8_t *input = input_new();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t whole[BLAKE3_SIZE], out[BLAKE3_SIZE];

        blake3_hash(input, sizes[i], NULL, whole);
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            struct blake3 hasher;

            blake3_begin(&hasher);
            for (size_t at = 0; at < sizes[i]; at += pieces[j])
                blake3_add(&hasher, input + at,
                           sizes[i] - at < pieces[j] ? sizes[i] - at : pieces[j]);
            blake3_end(&hasher, out);
            assert_memory_equal(out, whole, BLAKE3_SIZE);
        }
    }
}

static void may_go_on_after_an_end(void **state)
{
    const uint8_t *input = input_new();
    struct blake3 hasher;
    uint8_t whole[BLAKE3_SIZE], out[BLAKE3_SIZE];

    (void)state;
    blake3_begin_keyed(&hasher, input);
    for (size_t at = 0; at < 5000; at += 500) {
        blake3_hash(input, at, input, whole);
        blake3_end(&hasher, out);
        assert_memory_equal(out, whole, BLAKE3_SIZE);
        blake3_add(&hasher, input + at, 500);
    }
}

/* Three chunks: ((0, 1), 2). */
static void nodes_build_the_root(void **state)
{
    const uint8_t *input = input_new(), *const keys[] = {NULL, input + 100};
    uint8_t value[3][BLAKE3_SIZE], left[BLAKE3_SIZE], out[BLAKE3_SIZE],
        whole[BLAKE3_SIZE];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t chunk = 0; chunk < 3; chunk++)
            blake3_chunk_value(input + chunk * BLAKE3_CHUNK, chunk, keys[i], 0,
                               value[chunk]);
        blake3_parent_value(value[0], value[1], keys[i], 0, left);
        blake3_parent_value(left, value[2], keys[i], 1, out);
        blake3_hash(input, 3 * BLAKE3_CHUNK, keys[i], whole);
        assert_memory_equal(out, whole, BLAKE3_SIZE);
        blake3_chunk_value(input, 0, keys[i], 1, out);
        blake3_hash(input, BLAKE3_CHUNK, keys[i], whole);
        assert_memory_equal(out, whole, BLAKE3_SIZE);
    }
}

/* The kernels' keyed tree is the hash of the data padded to whole chunks. */
static void kernels_build_the_padded_root(void **state)
{
    static const size_t sizes[] = {1,    63,   64,   65,   1023, 1024,
                                   1025, 2049, 3072, 5121, 7200, 31744};
    uint8_t *input = input_new(), key[BLAKE3_SIZE];

    (void)state;
    memcpy(key, input + 7, sizeof key);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t count = (sizes[i] + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
        uint8_t *data = room(count, BLAKE3_CHUNK), *level = room(count, BLAKE3_SIZE);
        uint8_t whole[BLAKE3_SIZE];

        memcpy(data, input, sizes[i]);
        blake3_hash(data, count * BLAKE3_CHUNK, key, whole);
        /* what lies behind the data must not be read as such */
        memset(data + sizes[i], 0xff, count * BLAKE3_CHUNK - sizes[i]);
        kernel_split(KERNEL_blake3_chunks, count, 2, VIEWS(data, key, level),
                     SCALARS({.u64 = sizes[i]}, {.u32 = count == 1}));
        for (; count > 1; count = (count + 1) / 2) {
            uint8_t *above = room(count, BLAKE3_SIZE);

            kernel_split(KERNEL_blake3_parents, (count + 1) / 2, 2,
                         VIEWS(level, key, above),
                         SCALARS({.u64 = count}, {.u32 = count == 2}));
            level = above;
        }
        assert_memory_equal(level, whole, BLAKE3_SIZE);
    }
}

static int clear(void **state)
{
    (void)state;
    room_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gives_known_answers, clear),
        cmocka_unit_test_teardown(knows_empty_and_abc, clear),
        cmocka_unit_test_teardown(pieces_do_not_matter, clear),
        cmocka_unit_test_teardown(may_go_on_after_an_end, clear),
        cmocka_unit_test_teardown(nodes_build_the_root, clear),
        cmocka_unit_test_teardown(kernels_build_the_padded_root, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
