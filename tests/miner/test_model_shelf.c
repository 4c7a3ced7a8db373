/*
 * test_model_shelf.c - claimed: a model is found by its id in a folder of its own or
 * among others; a folder without models, an unknown id and a model that changed are
 * refused with a sentence.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/model_shelf.h"
#include "tests/made_model.h"

static char folder[256], artifact_folder[300], id[MODEL_ID_SIZE + 1];

static enum status open_shelf(const char *models, struct model_shelf **out,
                              struct error *err)
{
    const struct model_shelf_options options = {
        .folders = {models}, .folder_count = 1, .cache = ""};

    *err = (struct error){0};
    return model_shelf_open(&options, out, err);
}

static void expect_found(const char *models)
{
    struct model_shelf *shelf;
    struct message_offer *offer = test_calloc(1, sizeof(*offer));
    struct artifact *artifact = NULL;
    struct error err;

    assert_int_equal(open_shelf(models, &shelf, &err), STATUS_OK);
    model_shelf_offer(shelf, offer);
    assert_int_equal(offer->model_count, 1);
    assert_string_equal(offer->models[0], id);
    if (model_shelf_find(shelf, id, NULL, &artifact, &err))
        fail_msg("%s", error_text(&err));
    assert_string_equal(artifact_id(artifact), id);
    artifact_close(artifact);
    model_shelf_close(shelf);
    test_free(offer);
}

static void test_found_alone_and_among_others(void **state)
{
    (void)state;
    expect_found(artifact_folder);
    expect_found(folder); /* beside it lies a folder that is no model */
}

static void test_refused(void **state)
{
    static const struct {
        const char *id;
        enum status status;
    } rows[] = {
        {"", STATUS_BAD_DATA},
        {"../../etc", STATUS_BAD_DATA},
        {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeE",
         STATUS_BAD_DATA},
        {"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
         STATUS_NOT_FOUND},
    };
    struct model_shelf *shelf;
    struct error err;
    char empty[300];

    (void)state;
    snprintf(empty, sizeof(empty), "%s/hf", folder);
    assert_int_equal(open_shelf(empty, &shelf, &err), STATUS_BAD_CONFIG);
    assert_non_null(strstr(err.text, "holds no model"));
    assert_int_equal(open_shelf("/nowhere", &shelf, &err), STATUS_BAD_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere"));

    assert_int_equal(open_shelf(folder, &shelf, &err), STATUS_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct artifact *artifact = NULL;
        err.text[0] = 0;
        assert_int_equal(model_shelf_find(shelf, rows[i].id, NULL, &artifact, &err),
                         rows[i].status);
        assert_null(artifact);
        assert_true(err.text[0]);
    }
    model_shelf_close(shelf);
}

/* The model's file is written over while the worker runs. */
static void test_a_changed_model_is_refused(void **state)
{
    struct model_shelf *shelf;
    struct artifact *artifact = NULL;
    struct blob manifest = blob_empty(1 << 20);
    struct error err;
    char path[400];

    (void)state;
    assert_int_equal(open_shelf(folder, &shelf, &err), STATUS_OK);
    snprintf(path, sizeof(path), "%s/manifest.json", artifact_folder);
    assert_int_equal(file_read(path, &manifest, &err), STATUS_OK);
    assert_int_equal(file_write(path, bytes_of("{}", 2), &err), STATUS_OK);
    assert_int_not_equal(model_shelf_find(shelf, id, NULL, &artifact, &err), STATUS_OK);
    assert_null(artifact);
    assert_true(err.text[0]);
    assert_int_equal(file_write(path, blob_bytes(&manifest), &err), STATUS_OK);
    assert_int_equal(model_shelf_find(shelf, id, NULL, &artifact, &err), STATUS_OK);
    artifact_close(artifact);
    blob_free(&manifest);
    model_shelf_close(shelf);
}

static int begin(void **state)
{
    const struct made_model model = {.seed = 5, .huge_word = -1};

    (void)state;
    made_folder(folder, sizeof(folder));
    struct artifact *artifact = made_model_open(&model, folder, PRECISION_W7A7);
    snprintf(id, sizeof(id), "%s", artifact_id(artifact));
    snprintf(artifact_folder, sizeof(artifact_folder), "%s/artifact", folder);
    artifact_close(artifact);
    return 0;
}

static int end(void **state)
{
    (void)state;
    made_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_alone_and_among_others),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_changed_model_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
