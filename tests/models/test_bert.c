/*
 * test_bert.c - claims that an imported BERT gives the worked cases' vectors bit for bit
 * in all three precisions, alone, together and in packs of any size, and that a value out
 * of range is a fault record that names its operation.
 *
 * Cases: tests/vectors/models/tiny-bert (random weights; made with the oracle of DET-1).
 * labels: tsan avx2 portable
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/bert_case.h"
#include "tests/hf_folder.h"

static const char *const classes[PRECISION_COUNT] = {"C1", "C2", "C3"};

static void every_case_alone_and_together(void **state)
{
    struct device *device = bert_device(2);

    (void)state;
    for (enum precision precision = 0; precision < PRECISION_COUNT; precision++) {
        struct artifact *artifact = bert_import(TEST_DATA "/models/tiny-bert", precision);
        struct bert_cases cases = bert_cases_read(
            TEST_DATA "/models/tiny-bert/expected.json", classes[precision]);

        bert_expect(device, artifact, &cases, 96);
        bert_expect(device, artifact, &cases, 137);
        bert_expect(device, artifact, &cases, 4096);
        bert_cases_free(&cases);
        artifact_close(artifact);
    }
    device_close(device);
}

static void threads_change_nothing(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A14);
    struct bert_cases cases =
        bert_cases_read(TEST_DATA "/models/tiny-bert/expected.json", "C2");

    (void)state;
    for (uint32_t threads = 1; threads <= 8; threads *= 2) {
        struct device *device = bert_device(threads);

        bert_expect(device, artifact, &cases, 256);
        device_close(device);
    }
    bert_cases_free(&cases);
    artifact_close(artifact);
}

/* Products are numbered through the pack and have the shapes that model_kind says. */
struct watching_port {
    struct matmul_port port; /* first, so that run() finds the rest */
    struct matmul_port plain;
    const struct artifact *artifact;
    uint64_t tokens;
    uint32_t pack, next;
};

static enum status watch(struct matmul_port *port, const struct matmul *product)
{
    struct watching_port *watching = (struct watching_port *)port;
    const struct model_kind *kind =
        model_kind_find(artifact_architecture(watching->artifact));
    const struct model_shape shape =
        kind->product_shape(watching->artifact, watching->next, watching->tokens);
    const struct bytes stored = kind->product_weights(watching->artifact, watching->next);
    uint8_t *held = memory_array(stored.size, 1);

    assert_int_equal(product->site.pack, watching->pack);
    assert_int_equal(product->site.pass, 0);
    assert_int_equal(product->site.product, watching->next);
    assert_int_equal(product->site.item, 0);
    assert_non_null(product->made_by);
    assert_memory_equal(&product->made_by->views[1], &product->a, sizeof product->a);
    assert_int_equal(product->m, shape.m);
    assert_int_equal(product->b->n, shape.n);
    assert_int_equal(product->b->k, shape.k);
    assert_int_equal(stored.size, shape.n * shape.k);
    assert_int_equal(device_read(port->device, product->b->values.buffer,
                                 product->b->values.offset, held, stored.size),
                     STATUS_OK);
    assert_memory_equal(held, stored.data, stored.size);
    memory_free(held);
    watching->next++;
    return matmul_run(&watching->plain, product);
}

static enum status watch_drain(struct matmul_port *port)
{
    (void)port;
    return STATUS_OK;
}

static void products_are_numbered_and_shaped(void **state)
{
    const uint32_t lengths[] = {3, 5};
    const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 210};
    const struct model_pack pack = {
        .index = 9, .items = 2, .lengths = lengths, .ids = ids};
    struct device *device = bert_device(1);

    (void)state;
    for (enum precision precision = 0; precision < PRECISION_COUNT; precision++) {
        struct artifact *artifact = bert_import(TEST_DATA "/models/tiny-bert", precision);
        struct watching_port watching = {
            .port = {.run = watch, .drain = watch_drain, .device = device},
            .artifact = artifact,
            .tokens = 8,
            .pack = 9,
        };
        struct model *model;
        struct model_fault fault;
        struct error err = {0};
        float vectors[2 * 64];

        matmul_port_plain(&watching.plain, device);
        assert_int_equal(model_open(device, artifact, 8, &model, &err), STATUS_OK);
        assert_int_equal(model_embed(model, &pack, &watching.port, vectors, &fault),
                         STATUS_OK);
        assert_int_equal(watching.next, 12);
        assert_int_equal(model_kind_find("bert")->product_count(artifact), 12);
        for (uint32_t i = 0; i < 12; i++)
            assert_int_equal(model_weights(model, i)->n,
                             model_kind_find("bert")->product_shape(artifact, i, 1).n);
        model_close(model);
        artifact_close(artifact);
    }
    device_close(device);
}

static void packs_that_do_not_fit_are_refused(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A7);
    struct device *device = bert_device(1);
    const int32_t zeros[128] = {0}, below[] = {-1}, beyond[] = {211};
    const struct {
        uint32_t items;
        uint32_t lengths[2];
        const int32_t *ids;
    } bad[] = {
        {0, {0, 0}, zeros},  {1, {0, 0}, zeros},   {2, {4, 0}, zeros},
        {1, {97, 0}, zeros}, {2, {60, 41}, zeros}, {1, {1, 0}, below},
        {1, {1, 0}, beyond}, {2, {96, 96}, zeros},
    };
    struct matmul_port port;
    struct model *model;
    struct model_fault fault;
    struct error err = {0};
    float vectors[128];

    (void)state;
    matmul_port_plain(&port, device);
    assert_int_equal(model_open(device, artifact, 100, &model, &err), STATUS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct model_pack pack = {
            .items = bad[i].items, .lengths = bad[i].lengths, .ids = bad[i].ids};

        assert_int_equal(model_embed(model, &pack, &port, vectors, &fault),
                         STATUS_BAD_DATA);
    }
    model_close(model);
    device_close(device);
    artifact_close(artifact);
}

struct poke {
    const char *name;
    uint64_t index;
};

/* One value becomes 2^41, beyond the contract's range. */
static void poke_large(struct tensor *tensors, size_t *count, const void *context)
{
    static uint8_t room[1 << 17];
    const struct poke *poke = context;
    struct tensor *tensor = hf_tensor(tensors, *count, poke->name);

    assert_true(tensor->data.size <= sizeof room);
    memcpy(room, tensor->data.data, tensor->data.size);
    u32_store(room + 4 * poke->index, 0x54000000);
    tensor->data.data = room;
}

static void expect_fault(const char *name, uint64_t index, int32_t product, int32_t row)
{
    const struct poke poke = {name, index};
    const uint32_t lengths[] = {3, 3};
    const int32_t ids[] = {1, 2, 3, 4, 9, 9};
    const struct model_pack pack = {.items = 2, .lengths = lengths, .ids = ids};
    struct device *device = bert_device(2);
    struct artifact *artifact;
    struct matmul_port port;
    struct model *model;
    struct model_fault fault = {0};
    struct error err = {0};
    char folder[64];
    float vectors[128];

    hf_folder_new(folder);
    hf_folder_edit(folder, poke_large, &poke);
    artifact = bert_import(folder, PRECISION_W7A14);
    hf_folder_remove(folder);
    matmul_port_plain(&port, device);
    assert_int_equal(model_open(device, artifact, 6, &model, &err), STATUS_OK);
    assert_int_equal(model_embed(model, &pack, &port, vectors, &fault), STATUS_FAULT);
    assert_true(fault.is_set);
    assert_int_equal(fault.product, product);
    assert_int_equal(fault.row, row);
    model_close(model);
    artifact_close(artifact);
    device_close(device);
}

static void values_out_of_range_are_faults(void **state)
{
    (void)state;
    /* Token 9 stands in rows 4 and 5, position 2 in rows 2 and 5. */
    expect_fault("embeddings.word_embeddings.weight", 9 * 64, -1, 4);
    expect_fault("embeddings.position_embeddings.weight", 2 * 64 + 5, -1, 2);
    expect_fault("embeddings.LayerNorm.bias", 7, -1, 0);                  /* quantise */
    expect_fault("encoder.layer.0.attention.self.query.bias", 3, 0, 0);   /* attention */
    expect_fault("encoder.layer.1.attention.self.value.bias", 3, 4, 0);   /* attention */
    expect_fault("encoder.layer.1.attention.output.dense.bias", 3, 5, 0); /* norm */
    expect_fault("encoder.layer.1.attention.output.LayerNorm.bias", 63, 5,
                 0);                                                     /* quantise */
    expect_fault("encoder.layer.2.intermediate.dense.bias", 159, 10, 0); /* quantise */
    expect_fault("encoder.layer.2.output.dense.bias", 0, 11, 0);         /* norm */
}

/* Memory, and a device that fails, at every point of open and embed: said, and nothing
 * leaks. */
static void every_failure_is_said(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A14);
    const uint32_t length = 4;
    const int32_t ids[] = {1, 2, 3, 4};
    const struct model_pack pack = {.items = 1, .lengths = &length, .ids = ids};
    enum status status = STATUS_DEVICE_LOST;

    (void)state;
    for (uint64_t n = 1; status; n += 3) {
        struct device *device = bert_device(1);
        struct model *model = NULL;
        struct matmul_port port;
        struct model_fault fault;
        struct error err = {0};
        float vectors[64];

        matmul_port_plain(&port, device);
        device_fail_at(device, n);
        status = model_open(device, artifact, 4, &model, &err);
        if (status)
            assert_string_not_equal(err.text, "");
        else
            status = model_embed(model, &pack, &port, vectors, &fault);
        assert_true(status == STATUS_OK || status == STATUS_DEVICE_LOST);
        device_fail_at(device, 0);
        model_close(model);
        device_close(device);
    }
    artifact_close(artifact);
}

static void want_of_memory_is_said(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A14);
    struct device *device = bert_device(1);
    enum status status = STATUS_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; status; n++) {
        struct model *model = NULL;
        struct error err = {0};

        assert_true(n < 2000);
        memory_fail_at(n);
        status = model_open(device, artifact, 4, &model, &err);
        memory_fail_at(0);
        if (status) {
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_string_not_equal(err.text, "");
        }
        model_close(model);
        assert_int_equal(device_counters(device)->bytes_held, 0);
    }
    device_close(device);
    artifact_close(artifact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_alone_and_together),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(products_are_numbered_and_shaped),
        cmocka_unit_test(packs_that_do_not_fit_are_refused),
        cmocka_unit_test(values_out_of_range_are_faults),
        cmocka_unit_test(every_failure_is_said),
        cmocka_unit_test(want_of_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
