/*
 * Claim: every known pool can be reached by its name and asks for what its dialect can
 * give; what a person writes beside it counts more; what does not go together is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool-protocol/known_pools.h"
#include "pool-protocol/pool_target.h"

#define ADDRESS "prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69prym"
#define PIN     "sha256//MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

static struct pool_target read_target(const struct pool_options *options)
{
    struct pool_target target;
    struct error err = {0};

    if (pool_target_read(options, &target, &err))
        fail_msg("%s: %s", options->url, err.text);
    return target;
}

static void refused(const struct pool_options *options, enum status status,
                    const char *sentence)
{
    struct pool_target target;
    struct error err = {0};

    assert_int_equal(pool_target_read(options, &target, &err), status);
    if (!strstr(err.text, sentence))
        fail_msg("%s: \"%s\" does not say \"%s\"", options->url, err.text, sentence);
}

static void every_known_pool_is_reached(void **state)
{
    const struct known_pool *pool;
    uint32_t count = 0;

    (void)state;
    for (; (pool = known_pool_at(count)); count++) {
        char url[128], expected[128];

        snprintf(url, sizeof url, "pool:%s", pool->name);
        const struct pool_target target =
            read_target(&(struct pool_options){.url = url, .user = ADDRESS ".rig7"});
        assert_true(target.port);
        assert_non_null(strstr(pool->url, target.host));
        assert_int_equal(target.login.job_timeout_s, pool->job_timeout_s);
        assert_string_equal(target.pin, pool->pin);
        snprintf(expected, sizeof expected, "%s%s", ADDRESS,
                 pool->form == USER_SLASH ? "/rig7"
                 : pool->form == USER_DOT ? ".rig7"
                                          : "");
        assert_string_equal(target.login.hello.wallet, expected);
        assert_string_equal(target.login.hello.worker, "rig7");
        for (uint32_t i = 0; i < count; i++)
            assert_string_not_equal(known_pool_at(i)->name, pool->name);
    }
    assert_true(count > 20);
}

static void what_is_written_counts_more(void **state)
{
    const enum user_form dot = USER_DOT;
    const struct pool_options options = {.url = "pool:luckypool-eu",
                                         .user = "solo:" ADDRESS "/rig7",
                                         .worker = "rig8",
                                         .form = &dot,
                                         .job_timeout_s = 5,
                                         .pin = PIN};

    (void)state;
    const struct pool_target target = read_target(&options);
    assert_string_equal(target.login.hello.wallet, "solo:" ADDRESS ".rig8");
    assert_string_equal(target.login.hello.worker, "rig8");
    assert_string_equal(target.pin, PIN);
    assert_int_equal(target.login.job_timeout_s, 5);
    assert_string_equal(target.host, "pearl-eu1.luckypool.io");
    assert_int_equal(target.port, 3360);
}

/* What a pool differs in is known, and a person's word counts more. */
static void manners_are_kept(void **state)
{
    struct pool_options options = {.url = "pool:luckypool-eu", .user = ADDRESS};
    struct pool_target target = read_target(&options);

    (void)state;
    assert_true(target.login.hello.has_jsonrpc);
    assert_false(target.login.hello.asks_gzip || target.login.hello.is_password);
    options.has_jsonrpc = WISH_NO;
    options.asks_gzip = options.is_password = WISH_YES;
    options.cert_version = 2;
    target = read_target(&options);
    assert_false(target.login.hello.has_jsonrpc);
    assert_true(target.login.hello.asks_gzip && target.login.hello.is_password);
    assert_int_equal(target.login.cert_version, 2);
    options = (struct pool_options){.url = "pool:prlforge", .user = ADDRESS};
    assert_true(read_target(&options).login.hello.asks_gzip);
    options.asks_gzip = WISH_NO;
    assert_false(read_target(&options).login.hello.asks_gzip);
    options.cert_version = 4;
    refused(&options, STATUS_BAD_CONFIG, "cert-version is 4, expected 1 to 3");
}

static void what_stratum_speaks_is_known_said_or_found_out(void **state)
{
    struct pool_options options = {.url = "pool:luckypool-eu", .user = ADDRESS ".w"};
    struct pool_target target = read_target(&options);

    (void)state;
    assert_int_equal(target.login.pin, DIALECT_OBJECT);
    assert_string_equal(target.login.joined, "");
    options.url = "stratum+ssl://h:1";
    target = read_target(&options);
    assert_int_equal(target.login.pin, DIALECT_DETECTED);
    assert_string_equal(target.login.hello.wallet, ADDRESS);
    assert_string_equal(target.login.joined, ADDRESS ".w");
    options.dialect = DIALECT_ARRAY;
    options.pass = "x";
    options.difficulty = 7;
    target = read_target(&options);
    assert_int_equal(target.login.pin, DIALECT_ARRAY);
    assert_string_equal(target.login.hello.wallet, ADDRESS ".w");
    assert_string_equal(target.login.hello.pass, "x;d=7");
    options.url = "pearl-v1+tcp://h:1";
    refused(&options, STATUS_BAD_CONFIG, "pearl-v1+tcp:// names one already");
}

static void a_password_asks_for_a_difficulty(void **state)
{
    struct pool_options options = {
        .url = "pool:kryptex", .user = ADDRESS, .pass = "x", .difficulty = 4194304};
    struct pool_target target = read_target(&options);

    (void)state;
    assert_string_equal(target.login.hello.pass, "d=4194304");
    assert_true(target.login.hello.is_password);
    options.pass = "secret";
    target = read_target(&options);
    assert_string_equal(target.login.hello.pass, "secret;d=4194304");
    options.difficulty = 2097151;
    refused(&options, STATUS_BAD_CONFIG, "pool:kryptex takes 2097152 and more");
    options.url = "pool:herominers-de";
    refused(&options, STATUS_BAD_CONFIG, "pool:herominers-de lets nobody choose it");
    options.url = "pearl-v1+tcp://h:1";
    options.pass = "x";
    target = read_target(&options);
    assert_string_equal(target.login.hello.pass, "x;d=2097151");
    options.url = "stratum+tcp://h:1";
    options.pass = "01234567890123456789012345678901234567890123456789012345678901234"
                   "567890123456789012345678901234567890123456789012345678901";
    refused(&options, STATUS_BAD_CONFIG, "pool.pass is");
}

static void urls_are_read(void **state)
{
    struct pool_target target;

    (void)state;
    target =
        read_target(&(struct pool_options){.url = "stratum+ssl://h:1", .user = ADDRESS});
    assert_string_equal(target.pin, "");
    assert_int_equal(target.login.job_timeout_s, 0);
    assert_int_equal(target.login.form, USER_SPLIT);
    target = read_target(&(struct pool_options){
        .url = "pearl-v1+tcp://h:1", .user = ADDRESS, .worker = "w"});
    assert_string_equal(target.login.hello.wallet, ADDRESS ".w");
    target =
        read_target(&(struct pool_options){.url = "pouw+tcp://h", .user = "anybody"});
    assert_int_equal(target.port, 3370);
    target = read_target(&(struct pool_options){.url = "gateway+unix:///tmp/gw.sock"});
    assert_string_equal(target.path, "/tmp/gw.sock");
    assert_string_equal(target.login.hello.wallet, "");
    target = read_target(&(struct pool_options){.url = "gateway+tcp://127.0.0.1"});
    assert_int_equal(target.port, 8337);
    assert_string_equal(target.path, "");
    target = read_target(&(struct pool_options){.url = "simulate://7"});
    assert_string_equal(target.login.address, "7");
}

static void the_rest_is_refused(void **state)
{
    (void)state;
    refused(&(struct pool_options){.url = "gateway+unix://tmp/gw.sock"},
            STATUS_BAD_CONFIG, "expected gateway+unix:///PATH");
    refused(&(struct pool_options){.url = "gateway+unix:///"}, STATUS_BAD_CONFIG,
            "expected gateway+unix:///PATH");
    refused(&(struct pool_options){.url = "pool:nobody", .user = ADDRESS},
            STATUS_BAD_CONFIG, "no pool is known as \"nobody\"");
    refused(&(struct pool_options){.url = "pool:", .user = ADDRESS}, STATUS_BAD_CONFIG,
            "no pool is known as \"\"");
    refused(&(struct pool_options){.url = "pool:suprnova", .user = "me"}, STATUS_REFUSED,
            "character 1 is 'm'");
    refused(&(struct pool_options){.url = "pool:suprnova"}, STATUS_BAD_CONFIG, "no user");
    refused(
        &(struct pool_options){.url = "stratum+tcp://h:1", .user = ADDRESS, .pin = PIN},
        STATUS_BAD_CONFIG, "not encrypted");
    refused(&(struct pool_options){.url = "stratum+ssl://h:1",
                                   .user = ADDRESS,
                                   .pin = "sha256//AAAA"},
            STATUS_BAD_CONFIG, "tls-pin is \"sha256//AAAA\"");
    refused(&(struct pool_options){.url = "stratum+ssl://h:1",
                                   .user = ADDRESS,
                                   .pin = "md5//AAAA"},
            STATUS_BAD_CONFIG, "tls-pin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_pool_is_reached),
        cmocka_unit_test(what_is_written_counts_more),
        cmocka_unit_test(manners_are_kept),
        cmocka_unit_test(what_stratum_speaks_is_known_said_or_found_out),
        cmocka_unit_test(a_password_asks_for_a_difficulty),
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(the_rest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
