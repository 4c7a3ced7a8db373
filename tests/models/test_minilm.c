/*
 * test_minilm.c - claims that the real all-MiniLM-L6-v2 gives the worked cases' vectors
 * bit for bit in all three precisions, and its tokenizer the worked cases' ids.
 *
 * The weights are not in the repository: `make fetch` puts them into MINERVA_CACHE (by
 * default
 * ~/.cache/minerva/all-MiniLM-L6-v2).  Without them the test is skipped.
 *
 * labels: avx2
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "miner/base/file.h"
#include "miner/models/tokenizer.h"
#include "tests/bert_case.h"

enum { EXIT_SKIPPED = 77 };

static void cache_folder(char path[512])
{
    const char *set = getenv("MINERVA_CACHE"), *home = getenv("HOME");

    if (set && *set)
        snprintf(path, 512, "%s", set);
    else
        snprintf(path, 512, "%s/.cache/minerva/all-MiniLM-L6-v2", home ? home : "");
}

static void expect_precision(enum precision precision, const char *field)
{
    struct device *device = bert_device(2);
    struct artifact *artifact;
    struct bert_cases cases = bert_cases_read(TEST_DATA "/models/minilm.json", field);
    char folder[512];

    cache_folder(folder);
    artifact = bert_import(folder, precision);
    bert_expect(device, artifact, &cases, 512);
    bert_cases_free(&cases);
    artifact_close(artifact);
    device_close(device);
}

static void w7a7_equals_c1(void **state)
{
    (void)state;
    expect_precision(PRECISION_W7A7, "C1");
}

static void w7a14_equals_c2(void **state)
{
    (void)state;
    expect_precision(PRECISION_W7A14, "C2");
}

static void w14a14_equals_c3(void **state)
{
    (void)state;
    expect_precision(PRECISION_W14A14, "C3");
}

static void texts_become_the_cases_ids(void **state)
{
    struct artifact *artifact;
    struct tokenizer *tokenizer;
    json_t *file = json_load_file(TEST_DATA "/models/minilm.json", 0, NULL);
    const json_t *entry;
    struct error err = {0};
    char folder[512];
    size_t index;

    (void)state;
    cache_folder(folder);
    artifact = bert_import(folder, PRECISION_W7A7);
    assert_int_equal(artifact_tokenizer(artifact)->max_sequence, 256);
    assert_true(artifact_tokenizer(artifact)->lowercase);
    assert_int_equal(tokenizer_open(artifact_tokenizer(artifact),
                                    artifact_vocab(artifact), &tokenizer, &err),
                     STATUS_OK);
    json_array_foreach(json_object_get(file, "cases"), index, entry)
    {
        const char *text = json_string_value(json_object_get(entry, "text"));
        const json_t *ids = json_object_get(entry, "ids");
        struct blob got = blob_empty(1 << 20);

        assert_int_equal(
            tokenizer_encode(tokenizer, bytes_of(text, strlen(text)), &got, &err),
            STATUS_OK);
        assert_int_equal(got.size / sizeof(int32_t), json_array_size(ids));
        for (size_t i = 0; i < json_array_size(ids); i++)
            assert_int_equal(((const int32_t *)(const void *)got.data)[i],
                             json_integer_value(json_array_get(ids, i)));
        blob_free(&got);
    }
    json_decref(file);
    tokenizer_close(tokenizer);
    artifact_close(artifact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(w7a7_equals_c1),
        cmocka_unit_test(w7a14_equals_c2),
        cmocka_unit_test(w14a14_equals_c3),
        cmocka_unit_test(texts_become_the_cases_ids),
    };
    char folder[512], config[600];

    cache_folder(folder);
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (!file_exists(config)) {
        printf("skipped: %s holds no all-MiniLM-L6-v2; `make fetch` gets it\n", folder);
        return EXIT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
