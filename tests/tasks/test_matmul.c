/*
 * test_matmul.c - claims: a matmul task answers with the hash of the exact product of the
 * worked cases, whether or not it is mined, its weights are those matrices, and shapes
 * outside the limits, or the memory, are refused with a sentence.
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

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/models/safetensors.h"
#include "miner/tasks/generated.h"
#include "miner/tasks/idle.h"
#include "tests/easy_mine.h"
#include "tests/pow_case.h"

static struct device *cpu_new(uint32_t threads)
{
    const struct device_options options = {.threads = threads};
    struct device *device = NULL;
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &device, NULL),
                     STATUS_OK);
    return device;
}

static struct assignment work_of(uint64_t m, uint64_t n, uint64_t k, uint64_t seed)
{
    return (struct assignment){.kind = "matmul",
                               .parameters = {true, m, n, k, seed},
                               .rows = ASSIGNMENT_ROWS_DEFAULT};
}

/* The answer's bytes, through port. */
static struct blob answer_of(struct matmul_port *port, const struct assignment *work)
{
    const struct task_options options = {.rows = 0}; /* it has no token rows */
    struct station *station = NULL;
    struct task *task = NULL;
    struct blob out = blob_empty(1 << 16);
    struct error err = {0};
    enum status status;
    uint64_t done, total;
    assert_int_equal(station_setup(&task_matmul, port->device, &options, &station, &err),
                     STATUS_OK);
    if (task_open(station, work, &task, &err))
        fail_msg("%s", error_text(&err));
    task_progress(task, &done, &total);
    assert_int_equal(done, 0);
    assert_int_equal(total, 1);
    do
        status = task_step(task, port);
    while (status == STATUS_OK);
    assert_int_equal(status, STATUS_DONE);
    task_progress(task, &done, &total);
    assert_int_equal(done, 1);
    assert_int_equal(task_answer(task, &out), STATUS_OK);
    task_close(task);
    station_teardown(station);
    return out;
}

/* Seeds of the worked cases, in pow_case's order. */
static uint64_t seed_of(const struct pow_case *c)
{
    for (uint64_t seed = 20260000; seed < 20270000; seed++) {
        uint32_t same = 0;
        while (same < 64 && pow_case_element(seed, same) == c->a[same])
            same++;
        if (same == 64)
            return seed;
    }
    fail_msg("%s: its matrix has another seed", c->name);
    return 0;
}

static void the_worked_products_have_their_hashes(void **state)
{
    (void)state;
    struct device *device = cpu_new(2);
    struct matmul_port port;
    matmul_port_plain(&port, device);
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        pow_case_open(i, &c);
        const struct assignment work = work_of(c.m, c.n, c.k, seed_of(&c));
        struct blob answer = answer_of(&port, &work), weights = blob_empty(1 << 24);
        struct safetensors file;
        struct task_layout layout;
        assert_int_equal(safetensors_parse_canonical(blob_bytes(&answer), &file, NULL),
                         STATUS_OK);
        assert_int_equal(file.count, 1);
        assert_string_equal(file.tensors[0].name, "blake3");
        assert_int_equal(file.tensors[0].dtype, DTYPE_U8);
        assert_int_equal(file.tensors[0].data.size, 32);
        assert_memory_equal(file.tensors[0].data.data, c.product_hash, 32);

        assert_int_equal(task_layout_make(NULL, &work, &layout, NULL), STATUS_OK);
        assert_int_equal(layout.output_size, answer.size);
        assert_int_equal(layout.work_units, (uint64_t)c.m * c.n * c.k);
        assert_int_equal(layout.products, 1);
        assert_int_equal(task_matmul.weights(NULL, &work, 0, &weights), STATUS_OK);
        assert_int_equal(weights.size, (size_t)c.n * c.k);
        assert_memory_equal(weights.data, c.b, weights.size);

        task_layout_free(&layout);
        safetensors_free(&file);
        blob_free(&weights);
        blob_free(&answer);
        pow_case_close(&c);
    }
    device_close(device);
}

/* T = 2^232: a tile of 2^20 multiply-accumulates wins one time in sixteen. */
#define TARGET "10000000000000000000000000000000000000000000000000000000000"

/* The roots of the left matrices of all that was found; returns how many. */
static uint32_t take_roots(struct easy_mine *mine, uint8_t (*roots)[32], uint32_t max)
{
    uint32_t count = 0;
    struct share *share = NULL;
    struct proof proof;
    while (easy_mine_take(mine, &share, &proof)) {
        assert_int_equal(share->site.pack, 0);
        assert_int_equal(share->site.product, 0);
        assert_true(count < max);
        memcpy(roots[count++], proof.a.root, 32);
        proof_free(&proof);
        share_free(share);
    }
    return count;
}

static void mining_a_task_changes_nothing(void **state)
{
    (void)state;
    enum { FOUND_MAX = 256 };
    static uint8_t roots[FOUND_MAX][32];
    struct device *device = cpu_new(2);
    const struct assignment work = work_of(256, 192, 2048, 77);
    struct easy_mine mine;
    easy_mine_open(&mine, device, &(struct pow_limits){256, 192, 2048, FOUND_MAX}, 128,
                   TARGET);
    struct blob plain = answer_of(&mine.plain, &work);
    struct blob mined = answer_of(mine.port, &work);
    assert_int_equal(plain.size, mined.size);
    assert_memory_equal(plain.data, mined.data, plain.size);
    assert_int_equal(mine.port->proved_macs, (uint64_t)256 * 192 * 2048);
    assert_in_range(take_roots(&mine, roots, FOUND_MAX), 1, FOUND_MAX);
    blob_free(&plain);
    blob_free(&mined);
    easy_mine_close(&mine);
    device_close(device);
}

static void shapes_outside_the_limits_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t m, n, k;
        const char *says;
    } cases[] = {
        {0, 1, 64, "m is 0, expected 1 to 16777216"},
        {16777217, 1, 64, "m is 16777217"},
        {1, 0, 64, "n is 0"},
        {1, UINT64_MAX, 64, "n is 18446744073709551615"},
        {1, 1, 0, "k is 0, expected a multiple of 64 up to 65536"},
        {1, 1, 63, "k is 63"},
        {1, 1, 65600, "k is 65600"},
        {16777216, 16777216, 64, "take 1125902054326272 bytes, at most 8589934592 are"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct assignment work = work_of(cases[i].m, cases[i].n, cases[i].k, 1);
        struct task_layout layout;
        struct error err = {0};
        assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_BAD_DATA);
        if (!strstr(err.text, cases[i].says))
            fail_msg("says \"%s\", expected \"%s\"", err.text, cases[i].says);
    }
}

static void foreign_assignments_are_refused(void **state)
{
    (void)state;
    struct task_layout layout;
    struct error err = {0};
    struct assignment work = work_of(64, 64, 1024, 1);
    (void)snprintf(work.model, sizeof work.model, "%064d", 0);
    assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_BAD_DATA);
    assert_non_null(strstr(err.text, "the task is for the model \"000"));

    work = work_of(64, 64, 1024, 1);
    work.parameters.has_shape = false;
    assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "matmul needs m, n, k and seed");

    work = work_of(64, 64, 1024, 1);
    work.input = blob_empty(16);
    assert_int_equal(blob_add(&work.input, "x", 1), STATUS_OK);
    assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "matmul takes no input, 1 bytes were given");
    blob_free(&work.input);

    work = work_of(64, 64, 1024, 1);
    (void)snprintf(work.kind, sizeof work.kind, "dream");
    assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_NOT_SUPPORTED);
    assert_string_equal(err.text, "no kind of task is called \"dream\"");

    work = work_of(64, 64, 1024, 1);
    (void)snprintf(work.kind, sizeof work.kind, "embed");
    assert_int_equal(task_layout_make(NULL, &work, &layout, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "embed needs a model, none is given");
}

static void what_does_not_fit_is_refused_with_both_figures(void **state)
{
    (void)state;
    struct device *device = cpu_new(1);
    struct device_head *head = (struct device_head *)(void *)device;
    struct model_shape shape;
    struct error err = {0};
    head->info.memory_bytes = (uint64_t)64 << 20;
    assert_int_equal(generated_fits(device, (struct model_shape){4096, 4096, 4096},
                                    (uint64_t)64 << 20, &err),
                     STATUS_NO_MEMORY);
    assert_string_equal(err.text, "a product of 4096 x 4096 x 4096 needs 194 MiB, the "
                                  "device has 64");
    assert_int_equal(idle_shape(device, 2048, 4096, &shape, &err), STATUS_OK);
    assert_in_range(shape.m, 128, 512); /* a quarter of the 64 MiB */
    assert_int_equal(idle_fits(device, (struct model_shape){1024, 1024, 4096}, &err),
                     STATUS_OK);
    assert_int_equal(idle_fits(device, (struct model_shape){4096, 4096, 4096}, &err),
                     STATUS_NO_MEMORY);
    assert_string_equal(err.text, "mining 4096 x 4096 x 4096 needs 130 MiB, the device "
                                  "has 48 to spare for it");
    head->info.memory_free_bytes = (uint64_t)32 << 20; /* others have taken half of it */
    assert_int_equal(idle_fits(device, (struct model_shape){1024, 1024, 4096}, &err),
                     STATUS_NO_MEMORY);
    head->info.memory_bytes = (uint64_t)1 << 20;
    assert_int_equal(idle_shape(device, 2048, 4096, &shape, &err), STATUS_NO_MEMORY);
    assert_non_null(strstr(err.text, "the device has 0 to spare"));
    head->info.memory_bytes = 0;
    head->info.piece_bytes = (uint64_t)4 << 20;
    assert_int_equal(
        generated_fits(device, (struct model_shape){4096, 512, 4096}, 0, &err),
        STATUS_NO_MEMORY);
    assert_string_equal(err.text, "a product of 4096 x 512 x 4096 needs 16 MiB in one "
                                  "piece, the device gives at most 4");
    assert_int_equal(generated_fits(device, (struct model_shape){512, 512, 4096},
                                    (uint64_t)8 << 20, &err),
                     STATUS_NO_MEMORY);
    assert_int_equal(idle_shape(device, 4096, 4096, &shape, &err), STATUS_OK);
    assert_int_equal(shape.m, 512);
    device_close(device);
}

static void one_product_is_indivisible(void **state)
{
    (void)state;
    struct blob *parts, out = blob_empty(64);
    uint32_t count;
    const struct bytes one[] = {bytes_of("abc", 3), bytes_of("d", 1)};
    assert_int_equal(task_matmul.split(bytes_of("", 0), 10, &parts, &count, NULL),
                     STATUS_NOT_SUPPORTED);
    assert_null(parts);
    assert_int_equal(task_matmul.join(one, 1, &out, NULL), STATUS_OK);
    assert_string_equal((char *)out.data, "abc");
    assert_int_equal(task_matmul.join(one, 2, &out, NULL), STATUS_NOT_SUPPORTED);
    blob_free(&out);
}

static void a_lost_device_ends_the_task(void **state)
{
    (void)state;
    struct device *device = cpu_new(1);
    struct matmul_port port;
    const struct assignment work = work_of(64, 64, 1024, 1);
    const struct task_options options = {.rows = 1};
    struct station *station = NULL;
    matmul_port_plain(&port, device);
    assert_int_equal(station_setup(&task_matmul, device, &options, &station, NULL),
                     STATUS_OK);
    bool ended = false;
    for (uint64_t n = 1; n < 64 && !ended; n++) {
        struct task *task = NULL;
        device_fail_at(device, n);
        enum status status = task_open(station, &work, &task, NULL);
        if (!status)
            status = task_step(task, &port);
        assert_true(status == STATUS_DONE || status == STATUS_DEVICE_LOST);
        ended = status == STATUS_DONE;
        device_fail_at(device, 0);
        task_close(task);
    }
    assert_true(ended);
    station_teardown(station);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_products_have_their_hashes),
        cmocka_unit_test(mining_a_task_changes_nothing),
        cmocka_unit_test(shapes_outside_the_limits_are_refused),
        cmocka_unit_test(foreign_assignments_are_refused),
        cmocka_unit_test(what_does_not_fit_is_refused_with_both_figures),
        cmocka_unit_test(one_product_is_indivisible),
        cmocka_unit_test(a_lost_device_ends_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
