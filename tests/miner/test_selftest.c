/*
 * test_selftest.c - claimed: a device passes its built-in known answers, and not one of
 * them passes with a digit of its answer changed, or with a hit that is missing, wrong or
 * there twice; worked cases that make no sense are refused, not run.
 *
 * labels: avx2 portable
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
#include "miner/device_list.h"
#include "miner/selftest.h"

static struct device *device;

static enum status run_text(const char *text, struct error *err)
{
    struct vectors_json *vectors = NULL;
    struct vector_case given = {0};
    enum status status = vectors_json_parse(bytes_of(text, strlen(text)), &vectors, err);

    if (!status)
        status = vectors_json_case(vectors, 0, &given, err);
    if (!status)
        status = selftest_case(device, &given, err);
    vector_case_free(&given);
    vectors_json_free(vectors);
    return status;
}

static void test_known_answers_hold(void **state)
{
    struct error err = {0};

    (void)state;
    assert_true(selftest_builtin_count() > 20);
    if (selftest_short(device, &err))
        fail_msg("%s", error_text(&err));
}

/* The last hexadecimal digit of what the case answers; NULL where that member is not
 * there. */
static char *answer_digit(char *text, const char *member)
{
    char *at = strstr(text, member), *end;

    if (!at)
        return NULL;
    at += strlen(member);
    end = strstr(at, "\"hex\":\"");
    at = end ? end + 7 : at + 2;
    return at + strspn(at, "0123456789abcdef") - 1;
}

static void test_a_wrong_answer_is_seen(void **state)
{
    /* A digit in a low byte of the last number: never only the sign of a zero. */
    static const char *const members[] = {"\"y\":",
                                          "\"sin\":",
                                          "\"cos\":",
                                          "\"q\":{\"dtype\":\"i8\"",
                                          "\"hi\":",
                                          "\"lo\":",
                                          "\"out\":",
                                          "\"blake3\":",
                                          "\"blake3_of_noised_a\":",
                                          "\"hash_b\":",
                                          "\"blake3_of_clean_product_i32le\":",
                                          "\"best_jackpot_le_hex\":"};
    uint32_t changed = 0;

    (void)state;
    for (size_t i = 0; i < selftest_builtin_count(); i++) {
        uint32_t of_case = 0;
        for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
            char *text = memory_text(selftest_answers[i]), *digit;
            struct error err = {0};
            assert_non_null(text);
            digit = answer_digit(text, members[m]);
            if (digit) {
                *digit = *digit == '0' ? '1' : '0';
                if (run_text(text, &err) != STATUS_MISMATCH)
                    fail_msg("case %zu, %s: %s", i, members[m], error_text(&err));
                assert_true(err.text[0]);
                of_case++;
            }
            memory_free(text);
        }
        assert_true(of_case > 0);
        changed += of_case;
    }
    assert_true(changed > selftest_builtin_count());
}

/* A device that lies about the hits of its useful products, or about its tickets. */
enum lie { LIE_NONE, LIE_TWICE, LIE_FEWER, LIE_TICKET, LIE_PLACE, LIE_BEST };
static enum lie lie;

static enum status lying_multiply(struct device *of, const struct multiply *ask)
{
    _Alignas(struct hits) uint8_t bytes[sizeof(struct hits) + 2 * sizeof(struct hit)];
    struct hits *found = (struct hits *)(void *)bytes;
    const enum status status = backend_cpu.multiply(of, ask);

    if (status || !ask->mining || !ask->c.buffer)
        return status;
    const struct view hits = ask->mining->hits;
    assert_int_equal(backend_cpu.read(of, hits.buffer, hits.offset, bytes, sizeof bytes),
                     STATUS_OK);
    assert_true(found->count > 2);
    if (lie == LIE_TWICE)
        found->hit[1] = found->hit[0];
    found->count -= lie == LIE_FEWER;
    found->hit[1].ticket[31] ^= lie == LIE_TICKET;
    found->hit[1].row += lie == LIE_PLACE ? 1000 : 0;
    return backend_cpu.write(of, hits.buffer, hits.offset, bytes, sizeof bytes);
}

/* Another ticket than the best one is zero. */
static enum status lying_launch(struct device *of, const struct launch *launch)
{
    static const uint8_t zero[32];
    const enum status status = backend_cpu.launch(of, launch);

    if (status || lie != LIE_BEST || launch->kernel != KERNEL_ticket_hash)
        return status;
    return backend_cpu.write(of, launch->views[2].buffer, 32 * (launch->last - 1), zero,
                             sizeof zero);
}

static void test_lies_are_seen(void **state)
{
    static const char *const says[] = {NULL,
                                       "two hits at 0, 0",
                                       " tiles, expected ",
                                       "ticket of the mining product differs at byte 31",
                                       "where no tile starts",
                                       "2 tickets as good as the best, expected 1"};
    struct backend liar = backend_cpu;
    struct device_head *head = (struct device_head *)device;

    (void)state;
    liar.multiply = lying_multiply;
    liar.launch = lying_launch;
    for (lie = LIE_NONE; lie <= LIE_BEST; lie++) {
        struct error err = {0};

        head->backend = &liar;
        const enum status status = selftest_short(device, &err);
        head->backend = &backend_cpu;
        if (status != (lie ? STATUS_MISMATCH : STATUS_OK) ||
            (lie && !strstr(err.text, says[lie])))
            fail_msg("lie %d: %s", (int)lie, error_text(&err));
    }
}

static void test_nonsense_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"", STATUS_BAD_DATA},
        {"[1, 2]", STATUS_NOT_FOUND},
        {"{\"cases\":[]}", STATUS_NOT_FOUND},
        {"{\"op\":\"no such thing\"}", STATUS_NOT_SUPPORTED},
        {"{\"op\":\"rcp\"}", STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u32\",\"shape\":[2],\"hex\":\"00\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u32\",\"shape\":[-2],\"hex\":\"00\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u3\",\"shape\":[1],\"hex\":\"00000000\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u32\",\"shape\":[1],\"hex\":\"0000zz00\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u32\",\"shape\":[4611686018427387904,4],"
         "\"hex\":\"\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"x\":{\"dtype\":\"u32\",\"shape\":[1],\"hex\":\"0000803f\"},"
         "\"y\":{\"dtype\":\"u32\",\"shape\":[2],\"hex\":\"0000803f0000803f\"}}",
         STATUS_BAD_DATA},
        {"{\"op\":\"rcp\",\"step\":0,\"count\":3,\"blake3\":"
         "\"207b59ad6d6da19c306aad48ca75c6602ded857a5ad200e17ea0e8ca530ae7f6\"}",
         STATUS_BAD_DATA},
        {"{\"matrix_seed\":1,\"best_tile\":[0,0],\"m\":64,\"n\":64,\"k\":4294967296,"
         "\"rank\":128}",
         STATUS_BAD_DATA},
        {"{\"matrix_seed\":1,\"best_tile\":[0,0],\"m\":1048576,\"n\":64,\"k\":2048,"
         "\"rank\":128,"
         "\"rows_pattern\":[0,1],\"cols_pattern\":[0,1]}",
         STATUS_BAD_DATA},
        {"{\"matrix_seed\":1,\"best_tile\":[0,0],\"m\":64,\"n\":64,\"k\":2048,\"rank\":"
         "100,"
         "\"rows_pattern\":[0,3],\"cols_pattern\":[0,1]}",
         STATUS_BAD_DATA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error err = {0};
        const enum status status = run_text(rows[i].text, &err);
        if (status != rows[i].status || !err.text[0])
            fail_msg("row %zu gives %d (%s), expected %d", i, status, error_text(&err),
                     rows[i].status);
    }
}

static void test_devices_are_picked_by_word_and_number(void **state)
{
    struct device_list all, some;
    struct error err = {0};

    (void)state;
    assert_int_equal(device_list_probe(&all, &err), STATUS_OK);
    assert_true(all.count > 0);
    some = all;
    assert_int_equal(device_list_select(&some, "cpu", &err), STATUS_OK);
    assert_int_equal(some.count, 1);
    const uint32_t number = some.entries[0].number;
    char words[64];
    snprintf(words, sizeof(words), "%u,cpu,%u", number, number);
    some = all;
    assert_int_equal(device_list_select(&some, words, &err), STATUS_OK);
    assert_int_equal(some.count, 1);
    assert_int_equal(some.entries[0].number, number);
    static const struct {
        const char *words;
        enum status status;
    } rows[] = {{"", STATUS_USAGE},
                {"cpu,", STATUS_USAGE},
                {",cpu", STATUS_USAGE},
                {"gpu", STATUS_USAGE},
                {"-1", STATUS_USAGE},
                {"99", STATUS_NO_DEVICE},
                {"cpu cpu", STATUS_USAGE},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", STATUS_USAGE}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        some = all;
        err.text[0] = 0;
        assert_int_equal(device_list_select(&some, rows[i].words, &err), rows[i].status);
        assert_true(err.text[0]);
    }
}

static int begin(void **state)
{
    const struct device_options options = {.threads = 2};

    (void)state;
    return device_open(backend_find("cpu"), 0, &options, &device, NULL) != STATUS_OK;
}

static int end(void **state)
{
    (void)state;
    device_close(device);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers_hold),
        cmocka_unit_test(test_a_wrong_answer_is_seen),
        cmocka_unit_test(test_lies_are_seen),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_devices_are_picked_by_word_and_number),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
