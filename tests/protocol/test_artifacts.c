/*
 * Claim: what is named by a hash arrives whole or not at all: a cut transfer is
 * continued, a wrong byte refused, a partial file outlives its process, and the cache
 * stays inside its size and folder.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "pool-protocol/artifact_http.h"
#include "pool-protocol/message_manifest.h"
#include "tests/http_script.h"

enum { TENSOR_SIZE = 200000, VOCAB_SIZE = 5000 };

struct place { /* a served model and a cache to fetch it into */
    struct http_script *http;
    struct artifact_cache *cache;
    struct artifact_source source;
    atomic_bool stop;
    char url[64], folder[256];
    uint8_t tensors[2][TENSOR_SIZE], vocab[VOCAB_SIZE];
    struct blob manifest;
    char model[65], hashes[3][65];
};

static void hash_text(struct bytes data, char text[65])
{
    uint8_t digest[BLAKE3_SIZE];

    blake3_hash(data.data, data.size, NULL, digest);
    hex_encode(digest, sizeof digest, text);
}

static void serve_by_hash(struct place *place, struct bytes data, char hash[65])
{
    char path[160];

    hash_text(data, hash);
    snprintf(path, sizeof path, "/artifacts/%s", hash);
    http_script_add(place->http, path, data);
}

static void serve_model(struct place *place)
{
    struct blake3 hasher;
    uint8_t digest[BLAKE3_SIZE];
    char path[160];

    for (size_t i = 0; i < TENSOR_SIZE; i++) {
        place->tensors[0][i] = (uint8_t)(i * i >> 3);
        place->tensors[1][i] = (uint8_t)(i * 7 >> 2);
    }
    for (size_t i = 0; i < VOCAB_SIZE; i++)
        place->vocab[i] = (uint8_t)('a' + i % 26);
    serve_by_hash(place, bytes_of(place->tensors[0], TENSOR_SIZE), place->hashes[0]);
    serve_by_hash(place, bytes_of(place->tensors[1], TENSOR_SIZE - 7), place->hashes[1]);
    serve_by_hash(place, bytes_of(place->vocab, VOCAB_SIZE), place->hashes[2]);
    place->manifest = blob_empty(1 << 16);
    assert_int_equal(blob_addf(&place->manifest,
                               "{\"tensors\":[{\"dtype\":\"I8\",\"hash\":\"%s\",\"name\":"
                               "\"a\",\"shape\":[%d],"
                               "\"size\":%d},{\"dtype\":\"I8\",\"hash\":\"%s\",\"name\":"
                               "\"b\",\"shape\":[2,%d],"
                               "\"size\":%d}],\"tokenizer\":{\"vocab_hash\":\"%s\"}}",
                               place->hashes[1], TENSOR_SIZE - 7, TENSOR_SIZE - 7,
                               place->hashes[0], TENSOR_SIZE / 2, TENSOR_SIZE,
                               place->hashes[2]),
                     STATUS_OK);
    blake3_begin_derive_key(&hasher, "pouw model v1");
    blake3_add(&hasher, place->manifest.data, place->manifest.size);
    blake3_end(&hasher, digest);
    hex_encode(digest, sizeof digest, place->model);
    snprintf(path, sizeof path, "/artifacts/model/%s", place->model);
    http_script_add(place->http, path, blob_bytes(&place->manifest));
}

static int place_open(void **state)
{
    struct place *place = memory_new(struct place);

    assert_non_null(place);
    place->http = http_script_open();
    snprintf(place->folder, sizeof place->folder, "%s", "/tmp/minerva-artifacts-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(artifact_cache_open(place->folder, 20 << 20, &place->cache, NULL),
                     STATUS_OK);
    snprintf(place->url, sizeof place->url, "http://127.0.0.1:%u/artifacts",
             place->http->port);
    atomic_init(&place->stop, false);
    place->source = (struct artifact_source){
        .url = place->url, .token = "secret", .stop = &place->stop};
    serve_model(place);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;
    char command[300];

    http_script_close(place->http);
    artifact_cache_close(place->cache);
    blob_free(&place->manifest);
    snprintf(command, sizeof command, "rm -rf '%s'", place->folder);
    assert_int_equal(system(command), 0);
    memory_free(place);
    return 0;
}

static void read_file(const char *folder, const char *name, struct blob *out)
{
    char path[1200];

    assert_int_equal(file_join(folder, name, path, sizeof path, NULL), STATUS_OK);
    assert_int_equal(file_read(path, out, NULL), STATUS_OK);
}

/* The folder holds exactly the model: head, b (whole lines first), a, and the rest. */
static void expect_model(const struct place *place, const char *folder)
{
    struct message_manifest manifest;
    struct blob file = blob_empty(1 << 20), head = blob_empty(1 << 16);

    assert_int_equal(
        message_manifest_decode(blob_bytes(&place->manifest), &manifest, NULL),
        STATUS_OK);
    assert_string_equal(manifest.tensors[0].name, "b");
    assert_int_equal(message_manifest_file_head(&manifest, &head), STATUS_OK);
    assert_int_equal(head.size % 64, 0);
    assert_non_null(strstr((const char *)head.data + 8,
                           "\"a\":{\"data_offsets\":[200000,399993],"
                           "\"dtype\":\"I8\",\"shape\":[199993]}"));
    read_file(folder, "model.safetensors", &file);
    assert_int_equal(file.size, head.size + 2 * TENSOR_SIZE - 7);
    assert_memory_equal(file.data, head.data, head.size);
    assert_memory_equal(file.data + head.size, place->tensors[0], TENSOR_SIZE);
    assert_memory_equal(file.data + head.size + TENSOR_SIZE, place->tensors[1],
                        TENSOR_SIZE - 7);
    read_file(folder, "vocab.txt", &file);
    assert_int_equal(file.size, VOCAB_SIZE);
    assert_memory_equal(file.data, place->vocab, VOCAB_SIZE);
    read_file(folder, "manifest.json", &file);
    assert_int_equal(file.size, place->manifest.size);
    message_manifest_free(&manifest);
    blob_free(&file);
    blob_free(&head);
}

static void fetch(struct place *place, enum status expected, const char *part)
{
    char folder[ARTIFACT_PATH_MAX];
    struct error err = {0};
    const enum status status =
        artifact_http_model(&place->source, place->cache, place->model, folder, &err);

    if (status != expected || (part && !strstr(err.text, part)))
        fail_msg("%s: %s", status_text(status), err.text);
    if (!status)
        expect_model(place, folder);
}

static void a_model_is_fetched_once(void **state)
{
    struct place *place = *state;
    char ids[4][ARTIFACT_ID_SIZE + 1];

    assert_int_equal(artifact_cache_models(place->cache, ids, 4), 0);
    fetch(place, STATUS_OK, NULL);
    const unsigned gets = atomic_load(&place->http->gets);
    assert_int_equal(gets, 4);
    fetch(place, STATUS_OK, NULL);
    assert_int_equal(atomic_load(&place->http->gets), gets);
    assert_int_equal(artifact_cache_models(place->cache, ids, 4), 1);
    assert_string_equal(ids[0], place->model);
}

static void a_cut_transfer_is_continued(void **state)
{
    struct place *place = *state;

    atomic_store(&place->http->cut_after, 123456);
    fetch(place, STATUS_OK, NULL);
    assert_int_equal(atomic_load(&place->http->ranges), 1);
    /* All bodies once, and what was cut off a second time. */
    assert_int_equal(atomic_load(&place->http->sent),
                     place->manifest.size + 2 * TENSOR_SIZE - 7 + VOCAB_SIZE +
                         TENSOR_SIZE - 123456);
}

static void a_server_without_ranges_begins_again(void **state)
{
    struct place *place = *state;

    atomic_store(&place->http->ignores_ranges, true);
    atomic_store(&place->http->cut_after, 123456);
    fetch(place, STATUS_OK, NULL);
}

static void a_busy_server_is_asked_again(void **state)
{
    struct place *place = *state;

    atomic_store(&place->http->refuse, 1);
    fetch(place, STATUS_OK, NULL);
}

/* What an earlier process left: a part, with its tensors whole, cut, or damaged. */
static void leave_part(struct place *place, size_t cut, size_t damaged)
{
    struct message_manifest manifest;
    struct blob file = blob_empty(1 << 20);
    char folder[ARTIFACT_PATH_MAX], path[1200];

    assert_int_equal(
        message_manifest_decode(blob_bytes(&place->manifest), &manifest, NULL),
        STATUS_OK);
    assert_int_equal(message_manifest_file_head(&manifest, &file), STATUS_OK);
    const size_t head = file.size;
    assert_int_equal(blob_add(&file, place->tensors[0], TENSOR_SIZE), STATUS_OK);
    assert_int_equal(blob_add(&file, place->tensors[1], TENSOR_SIZE - 7), STATUS_OK);
    if (damaged)
        file.data[head + damaged] ^= 1;
    assert_int_equal(artifact_cache_gather(place->cache, place->model, folder, NULL),
                     STATUS_OK);
    assert_int_equal(file_join(folder, "model.safetensors", path, sizeof path, NULL),
                     STATUS_OK);
    assert_int_equal(file_write(path, bytes_of(file.data, head + cut), NULL), STATUS_OK);
    message_manifest_free(&manifest);
    blob_free(&file);
}

static void a_part_outlives_its_process(void **state)
{
    struct place *place = *state;

    leave_part(place, TENSOR_SIZE + 50000, 0);
    fetch(place, STATUS_OK, NULL);
    assert_int_equal(atomic_load(&place->http->sent),
                     place->manifest.size + VOCAB_SIZE + TENSOR_SIZE - 7 - 50000);
}

static void a_damaged_part_is_fetched_anew(void **state)
{
    struct place *place = *state;

    leave_part(place, TENSOR_SIZE, 777);
    fetch(place, STATUS_OK, NULL);
}

static void a_damaged_cut_part_is_fetched_anew(void **state)
{
    struct place *place = *state;

    leave_part(place, 100000, 777);
    fetch(place, STATUS_OK, NULL);
}

static void a_wrong_byte_is_refused(void **state)
{
    struct place *place = *state;
    char folder[ARTIFACT_PATH_MAX];

    place->tensors[1][5] ^= 1;
    fetch(place, STATUS_BAD_DATA, "have another hash");
    assert_int_equal(artifact_cache_model(place->cache, place->model, folder, NULL),
                     STATUS_NOT_FOUND);
    place->tensors[1][5] ^= 1;
    fetch(place, STATUS_OK, NULL); /* nothing wrong was kept */
}

static void a_wrong_manifest_is_refused(void **state)
{
    struct place *place = *state;

    place->manifest.data[place->manifest.size - 1] ^= 1;
    fetch(place, STATUS_BAD_DATA, "a manifest with another hash");
}

static void what_the_pool_lacks_is_said(void **state)
{
    struct place *place = *state;
    char folder[ARTIFACT_PATH_MAX];
    struct error err = {0};

    snprintf(place->model, sizeof place->model, "%064d", 1);
    fetch(place, STATUS_REFUSED, "404 no such blob");
    assert_int_equal(artifact_http_model(&place->source, place->cache,
                                         "../../../../../../../../../../etc/passwd",
                                         folder, &err),
                     STATUS_BAD_DATA);
    place->source.url = "";
    fetch(place, STATUS_NOT_FOUND, "no place for artifacts");
}

static void inputs_and_results_travel(void **state)
{
    struct place *place = *state;
    struct blob got = blob_empty(16);
    struct error err = {0};
    char path[160];

    assert_int_equal(
        artifact_http_get(&place->source, place->hashes[0], TENSOR_SIZE, &got, &err),
        STATUS_OK);
    assert_memory_equal(got.data, place->tensors[0], TENSOR_SIZE);
    /* The size is part of the promise. */
    assert_int_equal(
        artifact_http_get(&place->source, place->hashes[0], TENSOR_SIZE - 1, &got, &err),
        STATUS_FULL);
    assert_int_equal(
        artifact_http_get(&place->source, place->hashes[0], TENSOR_SIZE + 1, &got, &err),
        STATUS_BAD_DATA);
    assert_int_equal(got.size, 0);
    blob_free(&got);

    assert_int_equal(artifact_http_put(&place->source,
                                       bytes_of(place->tensors[1], TENSOR_SIZE - 7),
                                       &err),
                     STATUS_OK);
    snprintf(path, sizeof path, "/artifacts/%s", place->hashes[1]);
    assert_string_equal(place->http->put_path, path);
    assert_string_equal(place->http->put_token, "Bearer secret");
    assert_int_equal(place->http->put.size, TENSOR_SIZE - 7);
    assert_memory_equal(place->http->put.data, place->tensors[1], TENSOR_SIZE - 7);
}

static void stopping_ends_a_fetch(void **state)
{
    struct place *place = *state;

    atomic_store(&place->http->refuse, 1000000);
    atomic_store(&place->stop, true);
    fetch(place, STATUS_CANCELLED, NULL);
}

/* A model of one file of that size, used at that time. */
static void leave_model(const struct place *place, char digit, size_t size, time_t used)
{
    const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};
    struct blob data = blob_empty(16 << 20);
    char folder[600], path[700];

    snprintf(folder, sizeof folder, "%s/", place->folder);
    memset(folder + strlen(folder), digit, 64);
    folder[strlen(place->folder) + 65] = 0;
    assert_int_equal(blob_reserve(&data, size), STATUS_OK);
    while (data.size < size)
        assert_int_equal(blob_add(&data, "0123456789abcdef", 16), STATUS_OK);
    assert_int_equal(file_make_folder(folder, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    assert_int_equal(file_write(path, blob_bytes(&data), NULL), STATUS_OK);
    assert_int_equal(utimensat(AT_FDCWD, folder, times, 0), 0);
    blob_free(&data);
}

static void the_least_recently_used_goes_first(void **state)
{
    struct place *place = *state;
    char ids[8][ARTIFACT_ID_SIZE + 1], folder[ARTIFACT_PATH_MAX], stranger[600];
    struct error err = {0};

    leave_model(place, 'a', 6 << 20, 1000);
    leave_model(place, 'b', 6 << 20, 3000);
    leave_model(place, 'c', 6 << 20, 2000);
    snprintf(stranger, sizeof stranger, "%s/stranger", place->folder);
    assert_int_equal(file_write(stranger, bytes_of("x", 1), NULL), STATUS_OK);
    snprintf(ids[0], sizeof ids[0], "%.*s", 64,
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    /* Asked for: now the youngest. */
    assert_int_equal(artifact_cache_model(place->cache, ids[0], folder, &err), STATUS_OK);
    assert_int_equal(artifact_cache_make_room(place->cache, 7 << 20, NULL, &err),
                     STATUS_OK);
    assert_int_equal(artifact_cache_models(place->cache, ids, 8), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(ids[i][0] == 'a' || ids[i][0] == 'b');
    /* What is kept is not removed, and not counted. */
    memset(ids[0], 'b', 64);
    assert_int_equal(artifact_cache_make_room(place->cache, 19 << 20, ids[0], &err),
                     STATUS_OK);
    assert_int_equal(artifact_cache_models(place->cache, ids, 8), 1);
    assert_int_equal(ids[0][0], 'b');
    assert_int_equal(artifact_cache_make_room(place->cache, 21 << 20, NULL, &err),
                     STATUS_FULL);
    assert_non_null(strstr(err.text, "20971520"));
    assert_true(file_exists(stranger));
}

static void a_model_too_big_for_the_cache_is_refused(void **state)
{
    struct place *place = *state;

    artifact_cache_close(place->cache);
    assert_int_equal(artifact_cache_open(place->folder, 1 << 20, &place->cache, NULL),
                     STATUS_OK);
    fetch(place, STATUS_FULL, "may hold 1048576 bytes");
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, place_open, place_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(a_model_is_fetched_once),
        WITH_PLACE(a_cut_transfer_is_continued),
        WITH_PLACE(a_server_without_ranges_begins_again),
        WITH_PLACE(a_busy_server_is_asked_again),
        WITH_PLACE(a_part_outlives_its_process),
        WITH_PLACE(a_damaged_part_is_fetched_anew),
        WITH_PLACE(a_damaged_cut_part_is_fetched_anew),
        WITH_PLACE(a_wrong_byte_is_refused),
        WITH_PLACE(a_wrong_manifest_is_refused),
        WITH_PLACE(what_the_pool_lacks_is_said),
        WITH_PLACE(inputs_and_results_travel),
        WITH_PLACE(stopping_ends_a_fetch),
        WITH_PLACE(the_least_recently_used_goes_first),
        WITH_PLACE(a_model_too_big_for_the_cache_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
