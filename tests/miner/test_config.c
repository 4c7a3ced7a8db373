/*
 * test_config.c - claimed: settings come from the table alone, the command line wins over
 * the environment, that over the file, that over the default; whatever is wrong is
 * refused with a sentence that names the place; and no failing allocation leaks or
 * crashes.
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

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "tests/config_case.h"

static void test_defaults(void **state)
{
    struct config *config;
    struct error err;

    (void)state;
    assert_int_equal(config_case_load(&config, &err, (const char *const[]){NULL}),
                     STATUS_OK);
    assert_int_equal(config_action(config), CONFIG_RUN);
    assert_string_equal(config_text(config, SETTING_pass), "x");
    assert_string_equal(config_text(config, SETTING_user), "");
    assert_string_equal(config_text(config, SETTING_idle), "mine");
    assert_int_equal(config_choice(config, SETTING_idle), 0);
    assert_int_equal(config_count(config, SETTING_models), 0);
    assert_int_equal(config_number(config, SETTING_print_time), 60);
    assert_false(config_flag(config, SETTING_no_color));
    assert_true(config_text(config, SETTING_worker)[0]);
    config_free(config);
}

static void test_precedence(void **state)
{
    struct config *config;
    struct error err;

    (void)state;
    config_case_file("# a comment\nuser = file\npass = file\nworker = file\nthreads=3\n"
                     "models = a\nmodels = b\nno-color = yes\n");
    setenv("MINERVA_PASS", "environment", 1);
    setenv("MINERVA_WORKER", "environment", 1);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path(), "--worker", "words"),
                     STATUS_OK);
    assert_string_equal(config_text(config, SETTING_user), "file");
    assert_string_equal(config_text(config, SETTING_pass), "environment");
    assert_string_equal(config_text(config, SETTING_worker), "words");
    assert_int_equal(config_number(config, SETTING_threads), 3);
    assert_true(config_flag(config, SETTING_no_color));
    assert_int_equal(config_count(config, SETTING_models), 2);
    assert_string_equal(config_item(config, SETTING_models, 1), "b");
    assert_string_equal(config_path(config), config_case_path());
    config_free(config);

    /* A list is replaced as a whole. */
    setenv("MINERVA_MODELS", "c,d", 1);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path()), STATUS_OK);
    assert_int_equal(config_count(config, SETTING_models), 2);
    assert_string_equal(config_item(config, SETTING_models, 0), "c");
    assert_string_equal(config_item(config, SETTING_models, 1), "d");
    config_free(config);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path(), "--models", "e",
                          "--models", "f", "--models", "g"),
                     STATUS_OK);
    assert_int_equal(config_count(config, SETTING_models), 3);
    assert_string_equal(config_item(config, SETTING_models, 1), "f");
    config_free(config);
    unsetenv("MINERVA_PASS");
    unsetenv("MINERVA_WORKER");
    unsetenv("MINERVA_MODELS");
}

static void test_words_refused(void **state)
{
    struct config *config;
    struct error err;

    (void)state;
    config_case_refused(LOAD(&config, &err, "--speed", "9"), &err, STATUS_USAGE,
                        "--speed: no such option");
    config_case_refused(LOAD(&config, &err, "-k"), &err, STATUS_USAGE,
                        "-k: no such option");
    config_case_refused(LOAD(&config, &err, "-o"), &err, STATUS_USAGE,
                        "-o: expected a value");
    config_case_refused(LOAD(&config, &err, "--user"), &err, STATUS_USAGE,
                        "--user: expected a value");
    config_case_refused(LOAD(&config, &err, "words"), &err, STATUS_USAGE, "\"words\"");
    config_case_refused(LOAD(&config, &err, "-t", "many"), &err, STATUS_USAGE,
                        "--threads: \"many\" is no number from 0 to 1024");
    config_case_refused(LOAD(&config, &err, "-t", "-1"), &err, STATUS_USAGE, "\"-1\"");
    config_case_refused(LOAD(&config, &err, "-t", "1025"), &err, STATUS_USAGE, "1024");
    config_case_refused(LOAD(&config, &err, "--print-time", "0"), &err, STATUS_USAGE,
                        "from 1 to");
    config_case_refused(LOAD(&config, &err, "--idle", "sleep"), &err, STATUS_USAGE,
                        "--idle: \"sleep\" is none of mine|wait");
    config_case_refused(LOAD(&config, &err, "--idle", "min"), &err, STATUS_USAGE,
                        "mine|wait");
    config_case_refused(LOAD(&config, &err, "-d", ""), &err, STATUS_USAGE, "--devices");
    config_case_refused(LOAD(&config, &err, "-p", "stratum+tcp://a:1"), &err,
                        STATUS_BAD_CONFIG, "-o (--url)");
    config_case_refused(LOAD(&config, &err, "-c", "/nowhere/miner.conf"), &err,
                        STATUS_BAD_CONFIG, "/nowhere/miner.conf");
    config_case_refused(LOAD(&config, &err, "--models", "1", "--models", "2", "--models",
                             "3", "--models", "4", "--models", "5"),
                        &err, STATUS_USAGE, "--models: given more than 4 times");
    assert_int_equal(LOAD(&config, &err, "--pool", "a:1", "--wallet", "me"), STATUS_OK);
    assert_string_equal(config_text(config, SETTING_url), "a:1");
    assert_string_equal(config_text(config, SETTING_user), "me");
    config_free(config);
}

static void test_file_refused(void **state)
{
    struct config *config;
    struct error err;
    char longest[256] = "user = ";

    (void)state;
    config_case_file("user = a\nspeed = 9\n");
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 2: \"speed\" is no");
    config_case_file("user = a\n\n\nthreads = x\n");
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 4: threads: \"x\"");
    /* A wrong line is refused even where the command line would win. */
    config_case_refused(LOAD(&config, &err, "-c", config_case_path(), "-t", "1"), &err,
                        STATUS_BAD_CONFIG, "line 4");
    config_case_file("user = a\nnonsense\n");
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 2: expected `key");
    config_case_file("[pool one]\nuser = a\n");
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 1: [pool one] names no pool");
    config_case_file("user = a\n  pass = b\n");
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 2 begins with a blank");
    memset(longest + 7, 'a', 190 - 7);
    config_case_file(longest);
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "183 characters");
    longest[190] = 'a';
    config_case_file(longest);
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "line 1 has 191 bytes");
    assert_int_equal(file_write(config_case_path(), bytes_of("user = a\0b\n", 11), &err),
                     STATUS_OK);
    config_case_refused(LOAD(&config, &err, "-c", config_case_path()), &err,
                        STATUS_BAD_CONFIG, "NUL");
    config_case_refused(LOAD(&config, &err, "-c", config_case_folder()), &err,
                        STATUS_BAD_CONFIG, config_case_folder());
    config_case_file("");
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path()), STATUS_OK);
    config_free(config);
}

/* What is printed can be read, and says what the defaults say. */
static void test_printed_file_reads(void **state)
{
    struct blob text = blob_empty(65536);
    struct config *config;
    struct error err;

    (void)state;
    assert_int_equal(config_print(&text), STATUS_OK);
    assert_int_equal(file_write(config_case_path(), blob_bytes(&text), &err), STATUS_OK);
    assert_int_equal(LOAD(&config, &err, "-c", config_case_path()), STATUS_OK);
    assert_string_equal(config_text(config, SETTING_devices), "auto");
    config_free(config);
    blob_clear(&text);
    assert_int_equal(config_help(&text), STATUS_OK);
    assert_non_null(strstr((const char *)text.data, "-o, --url URL"));
    assert_non_null(strstr((const char *)text.data, "--exit-when-idle S"));
    for (const char *line = (const char *)text.data; *line;
         line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    blob_free(&text);
}

static void test_allocation_failures(void **state)
{
    struct config *config = NULL;
    struct error err;
    uint64_t n = 1;

    (void)state;
    config_case_file("user = a\nmodels = b\nmodels = c\nmodels = d\nurl = a:1\n"
                     "[pool one]\nurl = b:2\nuser = c\n");
    setenv("MINERVA_PASS", "environment", 1);
    for (;; n++) {
        memory_fail_at(n);
        const enum status status =
            LOAD(&config, &err, "-c", config_case_path(), "-w", "rig", "-w", "rig7");
        memory_fail_at(0);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_null(config);
        assert_true(err.text[0]);
    }
    assert_true(n > 10);
    assert_string_equal(config_text(config, SETTING_worker), "rig7");
    config_free(config);
    unsetenv("MINERVA_PASS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_words_refused),
        cmocka_unit_test(test_file_refused),
        cmocka_unit_test(test_printed_file_reads),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, config_case_begin, config_case_end);
}
