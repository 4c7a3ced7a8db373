/*
 * test_config_pools.c - claimed: pools are tried in the order in which they were written,
 * on the command line or in sections; each has its own settings and otherwise those of
 * all; what cannot be told apart, or names no pool, is refused with its place.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/config_case.h"

/* "URL USER PASS WORKER" of each pool, joined by commas. */
static void pools_are(const struct config *config, const char *expected)
{
    char text[512] = "";

    for (size_t i = 0; i < config_pool_count(config); i++) {
        const size_t used = strlen(text);

        snprintf(text + used, sizeof text - used, "%s%s %s %s %s", i ? ", " : "",
                 config_pool_text(config, i, SETTING_url),
                 config_pool_text(config, i, SETTING_user),
                 config_pool_text(config, i, SETTING_pass),
                 config_pool_text(config, i, SETTING_worker));
    }
    assert_string_equal(text, expected);
}

static void test_words_follow_their_pool(void **state)
{
    struct config *config;
    struct error err;

    (void)state;
    assert_int_equal(LOAD(&config, &err, "-o", "a:1", "-u", "me", "-w", "rig", "-o",
                          "b:2", "-u", "you.rig2", "-p", "d=5"),
                     STATUS_OK);
    pools_are(config, "a:1 me x rig, b:2 you.rig2 d=5 rig2");
    assert_string_equal(config_pool_name(config, 1), "b:2");
    assert_string_equal(config_text(config, SETTING_url), "a:1");
    config_free(config);

    /* One user is everybody's, wherever it stands. */
    assert_int_equal(LOAD(&config, &err, "-o", "a:1", "-o", "b:2", "-u", "me.rig"),
                     STATUS_OK);
    pools_are(config, "a:1 me.rig x rig, b:2 me.rig x rig");
    config_free(config);
    assert_int_equal(LOAD(&config, &err, "-u", "me.rig", "-o", "a:1,b:2", "-p", "y"),
                     STATUS_OK);
    pools_are(config, "a:1 me.rig x rig, b:2 me.rig y rig");
    config_free(config);
    assert_int_equal(LOAD(&config, &err, "-o", "a:1", "-u", "me", "--account", "-w", "w",
                          "-o", "b:2", "--role", "proofs"),
                     STATUS_OK);
    pools_are(config, "a:1 me x w, b:2 me x w");
    assert_true(config_pool_flag(config, 1, SETTING_account));
    assert_string_equal(config_pool_text(config, 0, SETTING_role), "both");
    assert_int_equal(config_pool_choice(config, 1, SETTING_role), 2);
    config_free(config);

    config_case_refused(
        LOAD(&config, &err, "-u", "me", "-o", "a:1", "-u", "you", "-o", "b:2"), &err,
        STATUS_USAGE, "--user stands before the first --url and after one");
    config_case_refused(LOAD(&config, &err, "-o", "a:1", "-p", "x", "-o", "b:2", "-p",
                             "stratum+tcp://c:3"),
                        &err, STATUS_BAD_CONFIG, "-o (--url)");
    config_case_refused(
        LOAD(&config, &err, "-o", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"), &err,
        STATUS_USAGE, "more than 16 pools");
}

static void test_a_user_in_the_url(void **state)
{
    static const struct {
        const char *url, *pool;
    } rows[] = {
        {"stratum+tcp://me.rig:secret@a:1", "stratum+tcp://a:1 me.rig secret rig"},
        {"me.rig@a:1", "a:1 me.rig x rig"},
        {"s://solo:me.rig@a:1", "s://a:1 solo:me.rig x rig"},
        {"s://solo:me.rig:y@a:1", "s://a:1 solo:me.rig y rig"},
        {"s://me.rig:@a:1", "s://a:1 me.rig x rig"},
        {"gateway+unix:///tmp/a@b", "gateway+unix:///tmp/a@b me.rig x rig"},
    };
    struct config *config;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool is_path = strstr(rows[i].url, "unix") != NULL;

        assert_int_equal(is_path ? LOAD(&config, &err, "-o", rows[i].url, "-u", "me.rig")
                                 : LOAD(&config, &err, "-o", rows[i].url),
                         STATUS_OK);
        pools_are(config, rows[i].pool);
        assert_int_equal(config_pool_is_exposed(config, 0), !is_path);
        config_free(config);
    }
    config_case_refused(LOAD(&config, &err, "-o", "s://me@a:1", "-u", "you"), &err,
                        STATUS_USAGE,
                        "--url names a user before its '@', and so does --user");
    setenv("MINERVA_URL", "s://me.rig:y@a:1", 1);
    assert_int_equal(LOAD(&config, &err, "-t", "1"), STATUS_OK);
    pools_are(config, "s://a:1 me.rig y rig");
    assert_false(config_pool_is_exposed(config, 0));
    config_free(config);
    unsetenv("MINERVA_URL");
}

static void test_sections_in_order(void **state)
{
    struct config *config;
    struct error err;

    (void)state;
    config_case_file(
        "url = a:1\nuser = me.rig\nthreads = 3\n"
        "[pool second]\nurl = b:2\npass = y\r\nrole = tasks\n"
        "; a comment\n[pool third one]  \nuser = you\nworker = w\nurl = c:3\n"
        "job-timeout = 30\n");
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path()), STATUS_OK);
    pools_are(config, "a:1 me.rig x rig, b:2 me.rig y rig, c:3 you x w");
    assert_string_equal(config_pool_name(config, 2), "third one");
    assert_int_equal(config_pool_number(config, 1, SETTING_job_timeout), 0);
    assert_int_equal(config_pool_number(config, 2, SETTING_job_timeout), 30);
    assert_int_equal(config_pool_choice(config, 1, SETTING_role), 1);
    assert_int_equal(config_number(config, SETTING_threads), 3);
    config_free(config);

    /* A better place brings its own pools, or speaks for those of the file. */
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path(), "-o", "d:4"),
                     STATUS_OK);
    pools_are(config, "d:4 me.rig x rig");
    config_free(config);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path(), "-u", "he", "-w", "v"),
                     STATUS_OK);
    pools_are(config, "a:1 he x v, b:2 he y v, c:3 he x v");
    config_free(config);
    setenv("MINERVA_URL", "e:5,f:6", 1);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path()), STATUS_OK);
    pools_are(config, "e:5 me.rig x rig, f:6 me.rig x rig");
    config_free(config);
    unsetenv("MINERVA_URL");
}

static void test_sections_refused(void **state)
{
    static const struct {
        const char *file, *says;
    } rows[] = {
        {"[pool one]\nurl = a:1\n[pool two]\nuser = u\n", "line 3: [pool two] names no"},
        {"[pool one]\n", "line 1: [pool one] names no pool"},
        {"user = u\n[pool one]\nurl =\n", "line 2: [pool one] names no pool"},
        {"[device 0]\nurl = a:1\n", "section [device 0]: expected [pool NAME]"},
        {"[pool]\nurl = a:1\n", "section [pool]: expected [pool NAME]"},
        {"[pool ]\nurl = a:1\n", "expected [pool NAME]"},
        {"[pool one\nurl = a:1\n", "expected [pool NAME]"},
        {"[pool one] url\n", "expected [pool NAME]"},
        {"[]\n", "section []"},
        {"[pool aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nurl = a:1\n", "1 to 31 characters"},
        {"[pool a]\nurl = a:1\n[pool a]\nurl = b:1\n", "line 3: there is a [pool a]"},
        {"[pool a]\nurl = a:1\nthreads = 4\n", "line 3: \"threads\" is no setting of a"},
        {"[pool a]\nurl = a:1\nrole = miner\n", "line 3: role: \"miner\" is none of"},
        {"[pool a]\nurl = a:1\nspeed = 4\n", "line 3: \"speed\" is no setting"},
    };
    struct config *config;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        config_case_file(rows[i].file);
        config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                            STATUS_BAD_CONFIG, rows[i].says);
        /* Even where the command line would win. */
        config_case_refused(LOAD(&config, &err, "-c", config_case_path(), "-o", "z:1"),
                            &err, STATUS_BAD_CONFIG, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_follow_their_pool),
        cmocka_unit_test(test_a_user_in_the_url),
        cmocka_unit_test(test_sections_in_order),
        cmocka_unit_test(test_sections_refused),
    };
    return cmocka_run_group_tests(tests, config_case_begin, config_case_end);
}
