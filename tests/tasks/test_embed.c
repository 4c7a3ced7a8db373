/*
 * test_embed.c - claims: an embed task answers with the worked vectors of tiny-bert,
 * whatever the packs; mining it changes no bit, and every proof is one of the task's own
 * sites; a value that leaves the numeric range is answered with where; all that cannot
 * run is refused.
 *
 * labels: avx2 portable
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
#include <jansson.h>

#include "miner/base/memory.h"
#include "miner/models/import.h"
#include "miner/pow/commitment.h"
#include "miner/tasks/embeddings.h"
#include "miner/tasks/sequences.h"
#include "tests/easy_mine.h"
#include "tests/made_model.h"

enum { BYTES_MAX = 1 << 20, FOLDER_SIZE = 256, TINY_CASES = 5, TINY_WIDTH = 64 };

static const uint32_t all_rows[] = {1, 7, 64, 4096};
enum { ROWS_COUNT = sizeof all_rows / sizeof all_rows[0] };

static struct device *cpu_new(void)
{
    const struct device_options options = {.threads = 2};
    struct device *device = NULL;
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &device, NULL),
                     STATUS_OK);
    return device;
}

static struct assignment work_of(const struct artifact *artifact, uint32_t rows,
                                 const struct blob *input)
{
    struct assignment work = {.kind = "embed", .rows = rows, .input = *input};
    (void)snprintf(work.model, sizeof work.model, "%s", artifact_id(artifact));
    return work;
}

/* Runs work through port to its end; progress only grows, and each step is a pack. */
static struct blob answer_of(const struct artifact *artifact, struct matmul_port *port,
                             const struct assignment *work)
{
    const struct task_options options = {.artifact = artifact, .rows = work->rows};
    struct station *station = NULL;
    struct task *task = NULL;
    struct task_layout layout;
    struct blob out = blob_empty(BYTES_MAX);
    struct error err = {0};
    enum status status;
    uint32_t steps = 0;
    if (station_setup(&task_embed, port->device, &options, &station, &err) ||
        task_open(station, work, &task, &err) ||
        task_layout_make(artifact, work, &layout, &err))
        fail_msg("%s", error_text(&err));
    do {
        uint64_t done, total;
        task_progress(task, &done, &total);
        assert_int_equal(done, layout.pack_items[steps]);
        assert_int_equal(total, layout.items);
        status = task_step(task, port);
        steps++;
    } while (status == STATUS_OK);
    assert_int_equal(status, STATUS_DONE);
    assert_int_equal(task_answer(task, &out), STATUS_OK);
    struct fault_record fault;
    if (!fault_record_parse(blob_bytes(&out), &fault)) {
        assert_int_equal(steps, layout.packs);
        assert_int_equal(out.size, layout.output_size);
        assert_int_equal(((const struct task_head *)(void *)task)->macs,
                         layout.work_units);
    }
    task_layout_free(&layout);
    task_close(task);
    station_teardown(station);
    return out;
}

/* The worked cases: ids and vectors of one precision. */
struct tiny {
    struct blob input; /* canonical */
    float vectors[TINY_CASES][TINY_WIDTH];
};

static json_t *tiny_cases(void)
{
    json_t *file = json_load_file(TEST_DATA "/models/tiny-bert/expected.json", 0, NULL);
    assert_non_null(file);
    assert_int_equal(json_array_size(json_object_get(file, "cases")), TINY_CASES);
    return file;
}

static void tiny_open(const char *precision, struct tiny *out)
{
    uint32_t lengths[TINY_CASES];
    int32_t ids[1024];
    struct sequences sequences = {TINY_CASES, 0, lengths, ids};
    json_t *file = tiny_cases();
    for (size_t i = 0; i < TINY_CASES; i++) {
        const json_t *one = json_array_get(json_object_get(file, "cases"), i);
        const json_t *list = json_object_get(one, "ids");
        const json_t *vector = json_object_get(json_object_get(one, precision), "hex");
        lengths[i] = (uint32_t)json_array_size(list);
        for (size_t j = 0; j < lengths[i]; j++)
            ids[sequences.total++] = (int32_t)json_integer_value(json_array_get(list, j));
        assert_true(hex_decode(json_string_value(vector), out->vectors[i],
                               sizeof out->vectors[i]));
    }
    out->input = blob_empty(BYTES_MAX);
    assert_int_equal(sequences_write(&sequences, &out->input, NULL), STATUS_OK);
    json_decref(file);
}

static void worked_vectors_come_out_of_any_packs(void **state)
{
    (void)state;
    static const char *const names[PRECISION_COUNT] = {"C1", "C2", "C3"};
    struct device *device = cpu_new();
    struct matmul_port port;
    char folder[FOLDER_SIZE], id[65];
    matmul_port_plain(&port, device);
    for (unsigned p = 0; p < PRECISION_COUNT; p++) {
        struct artifact *artifact = NULL;
        struct tiny tiny;
        struct error err = {0};
        made_folder(folder, sizeof folder);
        if (model_import(TEST_DATA "/models/tiny-bert", folder, (enum precision)p, id,
                         &err) ||
            artifact_open(folder, &artifact, &err))
            fail_msg("%s", error_text(&err));
        tiny_open(names[p], &tiny);
        for (size_t r = 0; r < ROWS_COUNT; r++) {
            const struct assignment work = work_of(artifact, all_rows[r], &tiny.input);
            struct blob answer = answer_of(artifact, &port, &work);
            struct embeddings vectors;
            assert_int_equal(embeddings_parse(blob_bytes(&answer), &vectors, NULL),
                             STATUS_OK);
            assert_int_equal(vectors.count, TINY_CASES);
            assert_int_equal(vectors.width, TINY_WIDTH);
            assert_memory_equal(vectors.values, tiny.vectors, sizeof tiny.vectors);
            blob_free(&answer);
        }
        blob_free(&tiny.input);
        artifact_close(artifact);
        made_folder_remove(folder);
    }
    device_close(device);
}

/* count sequences of many lengths, none with the word `but`. */
static struct blob random_input(uint32_t count, int32_t but)
{
    static uint32_t lengths[64];
    static int32_t ids[64 * MADE_SEQUENCE_MAX];
    struct sequences sequences = {count, 0, lengths, ids};
    struct blob out = blob_empty(BYTES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        lengths[i] = 1 + (i * 29 + 11) % MADE_SEQUENCE_MAX;
        for (uint32_t j = 0; j < lengths[i]; j++) {
            int32_t word = (int32_t)((i * 131 + j * 17 + 5) % MADE_VOCABULARY);
            ids[sequences.total++] = word == but ? 0 : word;
        }
    }
    assert_int_equal(sequences_write(&sequences, &out, NULL), STATUS_OK);
    return out;
}

/* T = 2^233: a tile of 2^18 multiply-accumulates wins one time in 32. */
#define TARGET  "20000000000000000000000000000000000000000000000000000000000"
#define TASK_ID "0123456789abcdef0123456789abcdef"

/* One proof: its site is in the layout, its B is the task's. */
static void check_proof(const struct share *share, const struct proof *proof,
                        const struct artifact *artifact, const struct assignment *work,
                        const struct task_layout *layout)
{
    struct configuration configuration;
    struct blob weights = blob_empty(BYTES_MAX);
    uint8_t key[32], root[32];
    assert_string_equal(share->task_id, TASK_ID);
    assert_true(share->site.pack < layout->packs);
    assert_true(share->site.product < layout->products);
    assert_int_equal(share->site.product % 4, 3); /* the others are too short */

    const struct model_shape shape =
        task_embed.shape(artifact, work, layout, share->site);
    assert_int_equal(proof->m, shape.m);
    assert_int_equal(proof->n, shape.n);
    assert_int_equal(proof->k, shape.k);
    assert_int_equal(task_embed.weights(artifact, work, share->site.product, &weights),
                     STATUS_OK);
    assert_int_equal(configuration_of(proof, &configuration, NULL), STATUS_OK);
    commitment_job_key(share->job->header, &configuration, key);
    commitment_root(blob_bytes(&weights), key, root);
    assert_memory_equal(root, proof->b.root, sizeof root);
    blob_free(&weights);
}

/* Mines work under an easy job; returns the answer, and how many proofs held. */
static struct blob mined_answer(const struct artifact *artifact, struct device *device,
                                const struct assignment *work, uint32_t *found)
{
    struct easy_mine mine;
    struct task_layout layout;
    struct share *share = NULL;
    struct proof proof;
    assert_int_equal(task_layout_make(artifact, work, &layout, NULL), STATUS_OK);
    const struct model_shape most = task_shape_max(artifact, work, &layout);
    const struct pow_limits limits = {(uint32_t)most.m, (uint32_t)most.n,
                                      (uint32_t)most.k, 512};
    easy_mine_open(&mine, device, &limits, 64, TARGET);
    scheme_noisy_gemm.assign(mine.run, TASK_ID);
    struct blob answer = answer_of(artifact, mine.port, work);
    for (*found = 0; easy_mine_take(&mine, &share, &proof); ++*found) {
        check_proof(share, &proof, artifact, work, &layout);
        proof_free(&proof);
        share_free(share);
    }
    easy_mine_close(&mine);
    task_layout_free(&layout);
    return answer;
}

static void mining_changes_no_bit(void **state)
{
    (void)state;
    static const enum precision precisions[] = {PRECISION_W7A7, PRECISION_W7A14};
    const struct made_model model = {.seed = 1, .huge_word = -1};
    struct device *device = cpu_new();
    struct matmul_port port;
    char folder[FOLDER_SIZE];
    matmul_port_plain(&port, device);
    for (size_t p = 0; p < 2; p++) {
        made_folder(folder, sizeof folder);
        struct artifact *artifact = made_model_open(&model, folder, precisions[p]);
        struct blob input = random_input(12, -1), first = {0};
        uint32_t found_all = 0;
        for (size_t r = 0; r < ROWS_COUNT; r++) {
            const struct assignment work = work_of(artifact, all_rows[r], &input);
            uint32_t found;
            struct blob plain = answer_of(artifact, &port, &work);
            struct blob mined = mined_answer(artifact, device, &work, &found);
            assert_int_equal(plain.size, mined.size);
            assert_memory_equal(plain.data, mined.data, plain.size);
            if (r > 0)
                assert_memory_equal(plain.data, first.data, first.size);
            found_all += found;
            blob_free(&mined);
            if (r == 0)
                first = plain;
            else
                blob_free(&plain);
        }
        assert_true(found_all > 20);
        blob_free(&first);
        blob_free(&input);
        artifact_close(artifact);
        made_folder_remove(folder);
    }
    device_close(device);
}

/* The fault record that input is answered with. */
static struct fault_record fault_of(const struct made_model *model, uint32_t rows,
                                    const struct blob *input)
{
    struct device *device = cpu_new();
    struct matmul_port port;
    struct fault_record record = {0};
    char folder[FOLDER_SIZE];
    made_folder(folder, sizeof folder);
    struct artifact *artifact = made_model_open(model, folder, PRECISION_W7A14);
    const struct assignment work = work_of(artifact, rows, input);
    matmul_port_plain(&port, device);
    struct blob answer = answer_of(artifact, &port, &work);
    assert_true(fault_record_parse(blob_bytes(&answer), &record));
    assert_int_equal(answer.size, fault_record_size());
    blob_free(&answer);
    artifact_close(artifact);
    made_folder_remove(folder);
    device_close(device);
    return record;
}

static void a_fault_is_answered_with_where(void **state)
{
    (void)state;
    enum { WORD = 100 };
    const struct made_model bad_word = {.seed = 2, .huge_word = WORD};
    const struct made_model bad_bias = {
        .seed = 3, .huge_word = -1, .has_huge_bias = true};
    uint32_t lengths[] = {3, 4, 5, 2};
    int32_t ids[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, WORD, WORD, 10, WORD, 11};
    const struct sequences sequences = {4, 14, lengths, ids};
    struct blob input = blob_empty(BYTES_MAX);
    assert_int_equal(sequences_write(&sequences, &input, NULL), STATUS_OK);

    /* One pack: the first bad word is row 9, and no product came before its norm. */
    struct fault_record f = fault_of(&bad_word, 4096, &input);
    assert_int_equal(f.pack, 0);
    assert_int_equal(f.product, -1);
    assert_int_equal(f.row, 9);
    /* Packs 3 4 | 5 2: it is row 2 of the second. */
    f = fault_of(&bad_word, 7, &input);
    assert_int_equal(f.pack, 1);
    assert_int_equal(f.product, -1);
    assert_int_equal(f.row, 2);
    /* In layer 1 the output of the attention is product 4 + 1, and every row is bad. */
    f = fault_of(&bad_bias, 7, &input);
    assert_int_equal(f.pack, 0);
    assert_int_equal(f.product, 5);
    assert_int_equal(f.row, 0);
    blob_free(&input);
}

static void split_tasks_join_to_the_whole(void **state)
{
    (void)state;
    const struct made_model model = {.seed = 4, .huge_word = -1};
    struct device *device = cpu_new();
    struct matmul_port port;
    char folder[FOLDER_SIZE];
    struct blob *parts, answers[64], joined = blob_empty(BYTES_MAX);
    struct bytes views[64];
    uint32_t count;
    made_folder(folder, sizeof folder);
    struct artifact *artifact = made_model_open(&model, folder, PRECISION_W7A7);
    struct blob input = random_input(20, -1);
    matmul_port_plain(&port, device);
    struct assignment work = work_of(artifact, 256, &input);
    struct blob whole = answer_of(artifact, &port, &work);

    assert_int_equal(task_embed.split(blob_bytes(&input), 150, &parts, &count, NULL),
                     STATUS_OK);
    assert_in_range(count, 2, 20);
    for (uint32_t i = 0; i < count; i++) {
        work = work_of(artifact, 256, &parts[i]);
        answers[i] = answer_of(artifact, &port, &work);
        views[i] = blob_bytes(&answers[i]);
    }
    assert_int_equal(task_embed.join(views, count, &joined, NULL), STATUS_OK);
    assert_int_equal(joined.size, whole.size);
    assert_memory_equal(joined.data, whole.data, whole.size);
    for (uint32_t i = 0; i < count; i++)
        blob_free(&answers[i]);
    task_parts_free(parts, count);
    blob_free(&joined);
    blob_free(&whole);
    blob_free(&input);
    artifact_close(artifact);
    made_folder_remove(folder);
    device_close(device);
}

static void expect_refusal(const struct artifact *artifact, const struct assignment *work,
                           const char *says)
{
    struct task_layout layout;
    struct error err = {0};
    assert_int_equal(task_layout_make(artifact, work, &layout, &err), STATUS_BAD_DATA);
    assert_null(layout.pack_items);
    if (!strstr(err.text, says))
        fail_msg("says \"%s\", expected \"%s\"", err.text, says);
}

static void what_cannot_run_is_refused(void **state)
{
    (void)state;
    const struct made_model model = {.seed = 5, .huge_word = -1};
    uint32_t lengths[] = {2, MADE_SEQUENCE_MAX + 1};
    int32_t ids[MADE_SEQUENCE_MAX + 3] = {0, MADE_VOCABULARY};
    const struct sequences word = {1, 2, lengths, ids},
                           length = {1, MADE_SEQUENCE_MAX + 1, lengths + 1, ids + 2};
    struct blob bad_word = blob_empty(BYTES_MAX), bad_length = blob_empty(BYTES_MAX);
    struct blob empty = blob_empty(BYTES_MAX), good = random_input(2, -1);
    char folder[FOLDER_SIZE];
    made_folder(folder, sizeof folder);
    struct artifact *artifact = made_model_open(&model, folder, PRECISION_W7A7);
    assert_int_equal(sequences_write(&word, &bad_word, NULL), STATUS_OK);
    assert_int_equal(sequences_write(&length, &bad_length, NULL), STATUS_OK);

    struct assignment work = work_of(artifact, 64, &bad_word);
    expect_refusal(artifact, &work,
                   "sequence 0 holds the id 120, the vocabulary has 120");
    work = work_of(artifact, 64, &bad_length);
    expect_refusal(artifact, &work, "sequence 0 has 97 tokens, the model holds 96");
    work = work_of(artifact, 64, &empty);
    expect_refusal(artifact, &work, "input: ");
    work = work_of(artifact, 0, &good);
    expect_refusal(artifact, &work, "rows is 0");
    work = work_of(artifact, 64, &good);
    work.parameters.has_shape = true;
    expect_refusal(artifact, &work, "embed takes no parameters");
    work = work_of(artifact, 64, &good);
    work.model[0] = work.model[0] == '0' ? '1' : '0';
    expect_refusal(artifact, &work, "the task is for the model");
    expect_refusal(NULL, &work, "embed needs a model, none is given");

    blob_free(&bad_word);
    blob_free(&bad_length);
    blob_free(&good);
    artifact_close(artifact);
    made_folder_remove(folder);
}

static void a_lost_device_or_no_memory_ends_the_task(void **state)
{
    (void)state;
    const struct made_model model = {.seed = 6, .huge_word = -1};
    struct device *device = cpu_new();
    struct matmul_port port;
    struct station *station = NULL;
    char folder[FOLDER_SIZE];
    made_folder(folder, sizeof folder);
    struct artifact *artifact = made_model_open(&model, folder, PRECISION_W7A7);
    struct blob input = random_input(2, -1);
    const struct assignment work = work_of(artifact, 64, &input);
    const struct task_options options = {.artifact = artifact, .rows = 64};
    matmul_port_plain(&port, device);

    /* Setting up fails at every request for memory in turn, and leaves nothing behind. */
    enum status status = STATUS_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct error err = {0};
        memory_fail_at(n);
        status = station_setup(&task_embed, device, &options, &station, &err);
        memory_fail_at(0);
        assert_true(n < 1000);
        assert_true(!status || err.text[0]);
    }
    status = STATUS_NO_MEMORY;
    for (uint64_t n = 1; status; n++) {
        struct task *task = NULL;
        struct error err = {0};
        memory_fail_at(n);
        status = task_open(station, &work, &task, &err);
        memory_fail_at(0);
        assert_true(n < 100);
        assert_true(!status || err.text[0]);
        task_close(task);
    }
    for (uint64_t n = 1; n < 200; n += 13) {
        struct task *task = NULL;
        device_fail_at(device, n);
        assert_int_equal(task_open(station, &work, &task, NULL), STATUS_OK);
        do
            status = task_step(task, &port);
        while (status == STATUS_OK);
        assert_true(status == STATUS_DONE || status == STATUS_DEVICE_LOST);
        device_fail_at(device, 0);
        task_close(task);
        if (n == 1)
            assert_int_equal(status, STATUS_DEVICE_LOST);
    }
    station_teardown(station);
    blob_free(&input);
    artifact_close(artifact);
    made_folder_remove(folder);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_vectors_come_out_of_any_packs),
        cmocka_unit_test(mining_changes_no_bit),
        cmocka_unit_test(a_fault_is_answered_with_where),
        cmocka_unit_test(split_tasks_join_to_the_whole),
        cmocka_unit_test(what_cannot_run_is_refused),
        cmocka_unit_test(a_lost_device_or_no_memory_ends_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
