/*
 * test_target.c - claims: targets are read, written, scaled and compared as 256-bit
 * integers, exactly; what does not fit is refused, never saturated.
 *
 * Known values: the worked targets of published pool difficulties (network documents).
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/pow/scheme.h"
#include "miner/work/target.h"

static struct target from_hex(const char *text)
{
    struct target target;
    struct error err = {0};

    if (target_from_hex(text, &target, &err))
        fail_msg("%s", error_text(&err));
    return target;
}

static void assert_hex(const struct target *target, const char *expected)
{
    char text[65];

    target_to_hex(target, text);
    assert_string_equal(text, expected);
}

static void hex_is_padded_and_prefixed(void **state)
{
    struct target target = from_hex("0x1fF");

    (void)state;
    assert_hex(&target,
               "00000000000000000000000000000000000000000000000000000000000001ff");
    target = from_hex("7");
    assert_int_equal(target.le[0], 7);
    target = from_hex("ff00000000000000000000000000000000000000000000000000000000000001");
    assert_int_equal(target.le[31], 0xff);
    assert_int_equal(target.le[0], 1);
}

static void hex_refuses(void **state)
{
    static const char *const wrong[] = {
        "",
        "0x",
        "xyz",
        "12 ",
        "-1",
        "0x0x1",
        "10000000000000000000000000000000000000000000000000000000000000000"};
    struct target target;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        assert_int_equal(target_from_hex(wrong[i], &target, &err), STATUS_BAD_DATA);
        assert_true(err.text[0]);
    }
}

static void compact_forms(void **state)
{
    static const struct {
        uint32_t nbits;
        const char *hex;
        uint32_t back;
    } cases[] = {
        {0x1d00ffff, "00000000ffff0000000000000000000000000000000000000000000000000000",
         0x1d00ffff},
        {0x1b0404cb, "00000000000404cb000000000000000000000000000000000000000000000000",
         0x1b0404cb},
        {0x03123456, "0000000000000000000000000000000000000000000000000000000000123456",
         0x03123456},
        {0x02123456, "0000000000000000000000000000000000000000000000000000000000001234",
         0x02123400},
        {0x01123456, "0000000000000000000000000000000000000000000000000000000000000012",
         0x01120000},
        {0x01003456, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
        {0x00123456, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
        {0x1d000000, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
        {0x1d800000, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
        {0x2077ffff, "77ffff0000000000000000000000000000000000000000000000000000000000",
         0x2077ffff},
        {0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000",
         0x2100ffff},
        {0x2101ffff, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
        {0xff7fffff, "0000000000000000000000000000000000000000000000000000000000000000",
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct target target = target_from_nbits(cases[i].nbits);
        assert_hex(&target, cases[i].hex);
        assert_int_equal(target_to_nbits(&target), cases[i].back);
    }
}

static void pool_difficulties(void **state)
{
    static const struct {
        const char *hex;
        uint32_t nbits;
    } cases[] = {
        {"00000000000012dfc4f19db99f37d40a259665fad0e50948673cdc376f2dfc4f", 0x1a12dfc4},
        {"00000000000007ffffffffffffffffffffffffffffffffffffffffffffffffff", 0x1a07ffff},
        {"000000000218def416bdb1a6d698fe69270b06c43f5f91600f345069a4df47f9", 0x1c0218de},
        {"00000000000007fff80000000000000000000000000000000000000000000000", 0x1a07fff8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct target target = from_hex(cases[i].hex);
        assert_int_equal(target_to_nbits(&target), cases[i].nbits);
    }
}

/* floor(0xffff * 2^208 / d), worked out apart from this program. */
static void labels_of_pools(void **state)
{
    static const struct {
        uint64_t difficulty;
        const char *hex;
    } cases[] = {
        {1, "00000000ffff0000000000000000000000000000000000000000000000000000"},
        {3, "0000000055550000000000000000000000000000000000000000000000000000"},
        {50000, "0000000000014f8a0902de00d1b71758e219652bd3c36113404ea4a8c154c985"},
        {888888, "00000000000012dfc4f19db99f37d40a259665fad0e50948673cdc376f2dfc4f"},
        {2097152, "00000000000007fff80000000000000000000000000000000000000000000000"},
        {4611686018427387903,
         "000000000000000000000003fffc00000000000ffff000000000003fffc00000"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct target target = target_from_difficulty(cases[i].difficulty);
        assert_hex(&target, cases[i].hex);
    }
}

static void decimals(void **state)
{
    static const char *const cases[][2] = {
        {"0", "0"},
        {"7", "7"},
        {"a", "10"},
        {"ff", "255"},
        {"52f31000000000000000000000000000000000000000000",
         "127119681997103336036301353586820360970577739963921596416"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
         "11579208923731619542357098500868790785326998466564056403945758400791312963993"
         "5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct target target = from_hex(cases[i][0]);
        char text[TARGET_DECIMAL_MAX + 1];
        target_to_decimal(&target, text);
        assert_string_equal(text, cases[i][1]);
    }
}

/* 2097152 at HeroMiners: three tiles of the same worth and their one bound. */
static void bound_of_a_pool(void **state)
{
    const struct target target =
        from_hex("00000000000007fff80000000000000000000000000000000000000000000000");
    struct target bound;

    (void)state;
    assert_int_equal(pow_work_factor(8, 16, 4096, 128), 1 << 19);
    assert_int_equal(pow_work_factor(2, 64, 4096, 128), 1 << 19);
    assert_int_equal(pow_work_factor(16, 16, 4096, 256), 1 << 19);
    assert_int_equal(pow_work_factor(8, 16, 1280, 64), 128 * 1280);
    assert_int_equal(pow_work_factor(4, 8, 2112, 128), 32 * 2048);
    assert_true(target_scale(&target, 1 << 19, &bound));
    assert_hex(&bound,
               "000000003fffc000000000000000000000000000000000000000000000000000");
}

static void scaling_never_saturates(void **state)
{
    struct target target =
        from_hex("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    struct target out, most = from_hex("ffffffffffffffffffffffffffffffff"
                                       "ffffffffffffffffffffffffffffffff");

    (void)state;
    assert_true(target_scale(&target, (uint64_t)1 << 32, &out));
    assert_hex(&out, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff00000000");
    assert_false(target_scale(&target, ((uint64_t)1 << 32) + 1, &out));
    target = target_from_work(3);
    assert_true(target_scale(&target, 3, &out));
    assert_memory_equal(out.le, most.le, 32);
    assert_false(target_scale(&target, 4, &out));
    assert_false(target_scale(&target, UINT64_MAX, &out));
    assert_true(target_scale(&most, 1, &out));
    assert_false(target_scale(&most, 2, &out));
    assert_true(target_scale(&most, 0, &out));
    assert_true(target_is_zero(&out));
}

static void work_and_back(void **state)
{
    struct target target = target_from_work((uint64_t)1 << 32);

    (void)state;
    assert_hex(&target,
               "0000000100000000000000000000000000000000000000000000000000000000");
    assert_true(fabs(target_work(&target) - 4294967296.0) < 1e-3);
    target = target_from_work(3);
    assert_hex(&target,
               "5555555555555555555555555555555555555555555555555555555555555555");
    target =
        target_from_work(UINT64_MAX); /* 2^256 / (2^64 - 1) = 2^192 + 2^128 + 2^64 + 1 */
    assert_hex(&target,
               "0000000000000001000000000000000100000000000000010000000000000001");
    assert_true(fabs(target_work(&target) / 18446744073709551615.0 - 1) < 1e-12);
    memset(target.le, 0, sizeof target.le);
    assert_true(isinf(target_work(&target)));
}

static void a_ticket_on_the_bound_wins(void **state)
{
    const struct target bound =
        from_hex("0100000000000000000000000000000000000000000000000000000000"
                 "000005");
    uint8_t ticket[32];

    (void)state;
    memcpy(ticket, bound.le, sizeof ticket);
    assert_true(target_met(ticket, &bound));
    ticket[0]++;
    assert_false(target_met(ticket, &bound));
    ticket[31] = 0;
    assert_true(target_met(ticket, &bound));
    assert_int_equal(target_compare(&bound, &bound), 0);
}

static void ranks_of_jobs(void **state)
{
    (void)state;
    assert_int_equal(pow_rank(1024, 32), 32);
    assert_int_equal(pow_rank(1024, 64), 64);
    assert_int_equal(pow_rank(1024, 128), 0);
    assert_int_equal(pow_rank(1536, 64), 64);
    assert_int_equal(pow_rank(2048, 128), 128);
    assert_int_equal(pow_rank(4096, 32), 32);
    assert_int_equal(pow_rank(4160, 32), 64);
    assert_int_equal(pow_rank(4096, 100), 128);
    assert_int_equal(pow_rank(65536, 32), 128);
    assert_int_equal(pow_rank(65536, 1024), 1024);
    assert_int_equal(pow_rank(65536, 2048), 0);
    assert_int_equal(pow_rank(65600, 128), 0);
    assert_int_equal(pow_rank(960, 32), 0);
    assert_int_equal(pow_rank(4100, 128), 0);
    assert_int_equal(pow_rank(384, 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_padded_and_prefixed),
        cmocka_unit_test(hex_refuses),
        cmocka_unit_test(compact_forms),
        cmocka_unit_test(pool_difficulties),
        cmocka_unit_test(decimals),
        cmocka_unit_test(labels_of_pools),
        cmocka_unit_test(bound_of_a_pool),
        cmocka_unit_test(scaling_never_saturates),
        cmocka_unit_test(work_and_back),
        cmocka_unit_test(a_ticket_on_the_bound_wins),
        cmocka_unit_test(ranks_of_jobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
