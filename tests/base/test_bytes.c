/*
 * test_bytes.c - claims: blobs never pass their maximum and survive failed memory; hex,
 * base64 and decimal readers give back what was written and refuse everything else.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/bytes.h"
#include "miner/base/memory.h"

static void blob_keeps_its_maximum(void **state)
{
    struct blob blob = blob_empty(1000);
    uint8_t piece[300] = {7};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(blob_add(&blob, piece, sizeof piece), STATUS_OK);
    assert_int_equal(blob_add(&blob, piece, sizeof piece), STATUS_FULL);
    assert_int_equal(blob.size, 900);
    assert_int_equal(blob_addf(&blob, "%0100d", 1), STATUS_OK);
    assert_int_equal(blob_addf(&blob, "x"), STATUS_FULL);
    assert_int_equal(blob.data[blob.size], 0);
    blob_drop_front(&blob, 900);
    assert_int_equal(blob.size, 100);
    assert_int_equal(blob.data[99], '1');
    blob_free(&blob);
    assert_int_equal(blob.size_max, 1000);
}

static void blob_survives_without_memory(void **state)
{
    struct blob blob = blob_empty(1 << 20);

    (void)state;
    assert_int_equal(blob_addf(&blob, "kept"), STATUS_OK);
    memory_fail_at(1);
    assert_int_equal(blob_reserve(&blob, 1 << 19), STATUS_NO_MEMORY);
    memory_fail_at(0);
    assert_string_equal((const char *)blob.data, "kept");
    blob_free(&blob);
}

static void memory_checks_products(void **state)
{
    uint8_t *zero = memory_array(33, 3);

    (void)state;
    assert_null(memory_array(SIZE_MAX / 2, 3));
    assert_non_null(zero);
    assert_int_equal((uintptr_t)zero % 64, 0);
    for (int i = 0; i < 99; i++)
        assert_int_equal(zero[i], 0);
    memory_free(zero);
}

static void hex_refuses_what_is_not_hex(void **state)
{
    uint8_t out[3];
    char text[7];

    (void)state;
    assert_true(hex_decode("00fFa9", out, 3));
    hex_encode(out, 3, text);
    assert_string_equal(text, "00ffa9");
    assert_false(hex_decode("00ffa", out, 3));
    assert_false(hex_decode("00ffa90", out, 3));
    assert_false(hex_decode("00ffg9", out, 3));
    assert_false(hex_decode("", out, 3));
    assert_true(hex_is_id("00ff", 4));
    assert_false(hex_is_id("00fF", 4));
    assert_false(hex_is_id("00f", 4));
    assert_false(hex_is_id("00fff", 4));
}

/* RFC 4648 section 10. */
static void base64_knows_the_published_cases(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blob there = blob_empty(64), back = blob_empty(64);

        assert_int_equal(
            base64_encode(bytes_of(cases[i][0], strlen(cases[i][0])), &there), 0);
        assert_int_equal(there.size, strlen(cases[i][1]));
        assert_memory_equal(there.size ? (char *)there.data : "", cases[i][1],
                            there.size);
        assert_int_equal(base64_decode(cases[i][1], strlen(cases[i][1]), &back),
                         STATUS_OK);
        assert_int_equal(back.size, strlen(cases[i][0]));
        assert_memory_equal(back.size ? (char *)back.data : "", cases[i][0], back.size);
        blob_free(&there);
        blob_free(&back);
    }
}

static void base64_refuses_second_spellings(void **state)
{
    static const char *const bad[] = {"Zg",   "Zg=",  "Zh==",     "Zm9=",
                                      "Z===", "====", "Zg==Zg==", "Zm9v\n",
                                      "Zm 9", "Zm9-", "=Zg="};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct blob out = blob_empty(64);

        assert_int_equal(blob_addf(&out, "before"), STATUS_OK);
        assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &out), STATUS_BAD_DATA);
        assert_int_equal(out.size, 6);
        blob_free(&out);
    }
}

static void base64_keeps_the_maximum(void **state)
{
    struct blob small = blob_empty(3);

    (void)state;
    assert_int_equal(base64_decode("Zm9v", 4, &small), STATUS_OK);
    assert_int_equal(base64_decode("Zg==", 4, &small), STATUS_FULL);
    assert_int_equal(base64_encode(bytes_of("a", 1), &small), STATUS_FULL);
    assert_int_equal(small.size, 3);
    blob_free(&small);
}

static void decimal_numbers_are_whole_and_bounded(void **state)
{
    static const char *const bad[] = {"",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "256",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    uint64_t value = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(u64_parse(bad[i], 255, &value));
    assert_true(u64_parse("255", 255, &value));
    assert_int_equal(value, 255);
    assert_true(u64_parse("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void errors_keep_the_first_cause(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(error_set(&err, STATUS_BAD_DATA, "k is %d", 7), STATUS_BAD_DATA);
    error_prefix(&err, "model %s", "x");
    assert_string_equal(error_text(&err), "model x: k is 7");
    assert_int_equal(error_set(NULL, STATUS_IO, "nobody reads this"), STATUS_IO);
    for (int s = 0; s < STATUS_COUNT; s++)
        assert_true(strlen(status_text((enum status)s)) > 0);
}

static void test_secrets(void **state)
{
    (void)state;
    assert_true(text_is_secret("secret", "secret"));
    assert_true(text_is_secret("", ""));
    for (const char *const *given =
             (const char *const[]){"secreT", "Secret", "secre", "secrets", "", NULL};
         *given; given++)
        assert_false(text_is_secret("secret", *given));
    assert_false(text_is_secret("", "s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_keeps_its_maximum),
        cmocka_unit_test(blob_survives_without_memory),
        cmocka_unit_test(memory_checks_products),
        cmocka_unit_test(hex_refuses_what_is_not_hex),
        cmocka_unit_test(base64_knows_the_published_cases),
        cmocka_unit_test(base64_refuses_second_spellings),
        cmocka_unit_test(base64_keeps_the_maximum),
        cmocka_unit_test(decimal_numbers_are_whole_and_bounded),
        cmocka_unit_test(errors_keep_the_first_cause),
        cmocka_unit_test(test_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
