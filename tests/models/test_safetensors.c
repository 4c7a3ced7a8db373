/*
 * test_safetensors.c - claims that safetensors are read only when every range fits, that
 * the canonical form is one, and that equal tensors are equal bytes in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "miner/models/safetensors.h"

/* A file of this header and so many bytes of data. */
static struct blob file_of(const char *header, size_t data)
{
    struct blob file = blob_empty(1 << 20);
    uint8_t size[8];

    u64_store(size, strlen(header));
    assert_int_equal(blob_add(&file, size, sizeof size), STATUS_OK);
    assert_int_equal(blob_add(&file, header, strlen(header)), STATUS_OK);
    while (data--)
        assert_int_equal(blob_add(&file, "\5", 1), STATUS_OK);
    return file;
}

static void expect(const char *header, size_t data, enum status expected,
                   const char *text)
{
    struct blob file = file_of(header, data);
    struct safetensors parsed;
    struct error err = {0};

    if (safetensors_parse(blob_bytes(&file), &parsed, &err) != expected)
        fail_msg("%s: %s", header, err.text);
    if (expected) {
        if (!strstr(err.text, text))
            fail_msg("\"%s\" does not hold \"%s\"", err.text, text);
        assert_null(parsed.tensors);
    }
    safetensors_free(&parsed);
    blob_free(&file);
}

static void good_files(void **state)
{
    (void)state;
    expect("{}", 0, STATUS_OK, NULL);
    expect("{}        ", 0, STATUS_OK, NULL);
    expect("{\"__metadata__\":{\"format\":\"pt\"}}", 0, STATUS_OK, NULL);
    expect("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
           STATUS_OK, NULL);
    expect("{\"a\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[0,0]}}", 0,
           STATUS_OK, NULL);
    expect("{\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[2,4]},"
           "\"a\":{\"data_offsets\":[0,2],\"shape\":[1,2],\"dtype\":\"U8\"}}",
           4, STATUS_OK, NULL);
}

#define ONE(dtype, shape, range)                                                         \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" range "}}"

static void bad_files(void **state)
{
    const enum status bad = STATUS_BAD_DATA;

    (void)state;
    expect("", 0, bad, "does not begin");
    expect("[]", 0, bad, "does not begin");
    expect(" {}", 0, bad, "does not begin");
    expect("{", 0, bad, "no JSON");
    expect("{}{}", 0, bad, "no JSON");
    expect("{\"a\":1}", 0, bad, "tensor a");
    expect("{\"\":1}", 0, bad, "0 characters");
    expect(ONE("\"I8\"", "[2]", "[0,2]") "x", 2, bad, "no JSON");
    expect("{\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]},"
           "\"a\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
           2, bad, "no JSON");
    expect("{\"__metadata__\":{\"format\":1}}", 0, bad, "__metadata__");
    expect("{\"__metadata__\":[]}", 0, bad, "__metadata__");
    expect(ONE("\"F64\"", "[1]", "[0,8]"), 8, STATUS_NOT_SUPPORTED, "F64");
    expect(ONE("7", "[1]", "[0,8]"), 8, bad, "dtype");
    expect(ONE("\"I8\"", "2", "[0,2]"), 2, bad, "shape");
    expect(ONE("\"I8\"", "[-2]", "[0,2]"), 2, bad, "shape");
    expect(ONE("\"I8\"", "[2.0]", "[0,2]"), 2, bad, "shape");
    expect(ONE("\"I8\"", "[\"2\"]", "[0,2]"), 2, bad, "shape");
    expect(ONE("\"I8\"", "[1,1,1,1,2]", "[0,2]"), 2, bad, "5 dimensions");
    expect(ONE("\"I8\"", "[3]", "[0,2]"), 2, bad, "say otherwise");
    expect(ONE("\"F32\"", "[2]", "[0,2]"), 2, bad, "say otherwise");
    expect(ONE("\"I64\"", "[4611686018427387904,4]", "[0,0]"), 0, bad, "say otherwise");
    expect(ONE("\"I8\"", "[2]", "[0]"), 2, bad, "no pair");
    expect(ONE("\"I8\"", "[2]", "[0,2,2]"), 2, bad, "no pair");
    expect(ONE("\"I8\"", "[2]", "[2,0]"), 2, bad, "lies at");
    expect(ONE("\"I8\"", "[2]", "[0,3]"), 2, bad, "lies at");
    expect(ONE("\"I8\"", "[2]", "[-1,1]"), 2, bad, "data_offsets");
    expect(ONE("\"I8\"", "[2]", "[0,18446744073709551615]"), 2, bad, "no JSON");
    expect(ONE("\"I8\"", "[2]", "[0,2]"), 3, bad, "last 1 bytes");
    expect(ONE("\"I8\"", "[2]", "[1,3]"), 3, bad, "a gap");
    expect("{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2],\"more\":0}}",
           2, bad, "exactly");
    expect("{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]},"
           "\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
           3, bad, "overlaps");
    expect("{\"a\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]},"
           "\"b\":{\"dtype\":\"I8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
           2, bad, "overlaps");
    expect("{\"01234567890123456789012345678901234567890123456789012345678901234567890123"
           "45678901"
           "2345678901234567890\":0}",
           0, bad, "characters");
}

/* Every beginning of a good file is refused, and so is every length field that is too
 * large. */
static void cut_files(void **state)
{
    struct blob file = file_of(ONE("\"I8\"", "[2]", "[0,2]"), 2);
    struct safetensors parsed;
    struct error err = {0};

    (void)state;
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(safetensors_parse(bytes_of(file.data, size), &parsed, &err),
                         STATUS_BAD_DATA);
    for (int bit = 7; bit < 64; bit++) {
        u64_store(file.data, (uint64_t)1 << bit);
        assert_int_equal(safetensors_parse(blob_bytes(&file), &parsed, &err),
                         STATUS_BAD_DATA);
    }
    blob_free(&file);
}

/* ---- the canonical form
 * ---------------------------------------------------------------------- */

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct tensor named(const char *name, enum dtype dtype, uint64_t count)
{
    struct tensor tensor = {.dtype = dtype, .rank = 1, .shape = {count}};

    memcpy(tensor.name, name, strlen(name) + 1);
    tensor.data = bytes_of(bytes, count * dtype_size(dtype));
    return tensor;
}

static void equal_tensors_are_equal_bytes(void **state)
{
    static const char known[] =
        "\x78\0\0\0\0\0\0\0"
        "{\"ids\":{\"data_offsets\":[0,8],\"dtype\":\"I32\",\"shape\":[2]},"
        "\"lengths\":{\"data_offsets\":[8,12],\"dtype\":\"I32\",\"shape\":[1]}}    "
        "\1\2\3\4\5\6\7\10\1\2\3\4";
    const struct tensor there[] = {named("ids", DTYPE_I32, 2),
                                   named("lengths", DTYPE_I32, 1)};
    const struct tensor back[] = {there[1], there[0]};
    struct blob a = blob_empty(1 << 12), b = blob_empty(1 << 12);
    struct safetensors parsed;
    struct error err = {0};

    (void)state;
    assert_int_equal(safetensors_write(there, 2, &a, &err), STATUS_OK);
    assert_int_equal(safetensors_write(back, 2, &b, &err), STATUS_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(u64_load(a.data) % 8, 0);
    assert_int_equal(a.size, sizeof known - 1);
    assert_memory_equal(a.data, known, a.size);
    assert_int_equal(safetensors_parse_canonical(blob_bytes(&a), &parsed, &err),
                     STATUS_OK);
    assert_int_equal(parsed.count, 2);
    assert_memory_equal(safetensors_find(&parsed, "lengths")->data.data, bytes, 4);
    assert_null(safetensors_find(&parsed, "length"));
    safetensors_free(&parsed);
    blob_free(&a);
    blob_free(&b);
}

static void expect_uncanonical(const char *header, size_t data)
{
    struct blob file = file_of(header, data);
    struct safetensors parsed;
    struct error err = {0};

    assert_int_equal(safetensors_parse(blob_bytes(&file), &parsed, &err), STATUS_OK);
    safetensors_free(&parsed);
    assert_int_equal(safetensors_parse_canonical(blob_bytes(&file), &parsed, &err),
                     STATUS_BAD_DATA);
    assert_string_equal(err.text, "the safetensors are not in canonical form");
    assert_null(parsed.tensors);
    blob_free(&file);
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    expect_uncanonical("{}", 0);               /* not padded */
    expect_uncanonical("{}              ", 0); /* padded too far */
    expect_uncanonical("{ }     ", 0);
    expect_uncanonical("{}\n     ", 0);
    expect_uncanonical("{\"__metadata__\":{}}     ", 0);
    expect_uncanonical(
        "{\"a\":{\"dtype\":\"I8\",\"data_offsets\":[0,1],\"shape\":[1]}}   ", 1);
    expect_uncanonical("{\"a\":{\"data_offsets\":[1,2],\"dtype\":\"I8\",\"shape\":[1]},"
                       "\"b\":{\"data_offsets\":[0,1],\"dtype\":\"I8\",\"shape\":[1]}}",
                       2); /* data not in the order of names */
    expect_uncanonical(
        "{\"\\u0061\":{\"data_offsets\":[0,1],\"dtype\":\"I8\",\"shape\":[1]}} ", 1);
    expect_uncanonical(
        "{\"\xc3\xa9\":{\"data_offsets\":[0,1],\"dtype\":\"I8\",\"shape\":[1]}}    ", 1);
}

static void bad_tensors_are_not_written(void **state)
{
    struct tensor tensors[2] = {named("a", DTYPE_I8, 2), named("a", DTYPE_I8, 3)};
    struct blob out = blob_empty(1 << 12), small = blob_empty(64);
    struct error err = {0};

    (void)state;
    assert_int_equal(safetensors_write(tensors, 2, &out, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "two tensors are called a");
    tensors[1] = named("b\"", DTYPE_I8, 1);
    assert_int_equal(safetensors_write(tensors, 2, &out, &err), STATUS_BAD_DATA);
    tensors[1] = named("b", DTYPE_I8, 3);
    tensors[1].shape[0] = 2;
    assert_int_equal(safetensors_write(tensors, 2, &out, &err), STATUS_BAD_DATA);
    tensors[1].shape[0] = 3;
    assert_int_equal(safetensors_write(tensors, 2, &small, &err), STATUS_FULL);
    blob_free(&out);
    blob_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(cut_files),
        cmocka_unit_test(equal_tensors_are_equal_bytes),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(bad_tensors_are_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
