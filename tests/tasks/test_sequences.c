/*
 * test_sequences.c - claims: sequences are packed as task-pool.md section 5 says, their
 * bytes are the canonical ones and no others are taken, and what is split at items joins
 * to the same.
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

#include "miner/models/safetensors.h"
#include "miner/tasks/embeddings.h"
#include "miner/tasks/sequences.h"

enum { INPUT_MAX = 1 << 16, MANY = 40 };

static struct blob input_of(const uint32_t *lengths, uint32_t count)
{
    static int32_t ids[MANY * 64];
    struct sequences sequences = {count, 0, (uint32_t *)lengths, ids};
    struct blob out = blob_empty(INPUT_MAX);
    for (uint32_t i = 0; i < count; i++)
        sequences.total += lengths[i];
    for (uint64_t i = 0; i < sequences.total; i++)
        ids[i] = (int32_t)(i * 7 % 100);
    assert_int_equal(sequences_write(&sequences, &out, NULL), STATUS_OK);
    return out;
}

static void bytes_are_the_canonical_ones(void **state)
{
    (void)state;
    const uint32_t lengths[] = {2, 1};
    struct blob input = input_of(lengths, 2);
    static const char header[] =
        "{\"ids\":{\"data_offsets\":[0,12],\"dtype\":\"I32\",\"shape\":[3]},"
        "\"lengths\":{\"data_offsets\":[12,20],\"dtype\":\"I32\",\"shape\":[2]}}";
    const size_t padded = (sizeof header - 1 + 7) / 8 * 8;
    static const uint8_t data[] = {0, 0, 0, 0, 7, 0, 0, 0, 14, 0,
                                   0, 0, 2, 0, 0, 0, 1, 0, 0,  0};
    assert_int_equal(input.size, 8 + padded + sizeof data);
    assert_int_equal(u64_load(input.data), padded);
    assert_memory_equal(input.data + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < padded; i++)
        assert_int_equal(input.data[8 + i], ' ');
    assert_memory_equal(input.data + 8 + padded, data, sizeof data);

    struct sequences back;
    assert_int_equal(sequences_parse(blob_bytes(&input), &back, NULL), STATUS_OK);
    assert_int_equal(back.count, 2);
    assert_int_equal(back.total, 3);
    assert_memory_equal(back.lengths, lengths, sizeof lengths);
    assert_int_equal(back.ids[2], 14);
    sequences_free(&back);

    /* One blank of the padding moved: the same tensors, other bytes. */
    input.data[8 + padded - 1] = '\n';
    assert_int_equal(sequences_parse(blob_bytes(&input), &back, NULL), STATUS_BAD_DATA);
    blob_free(&input);
}

static void packs_close_before_the_item_too_many(void **state)
{
    (void)state;
    static const struct {
        uint32_t rows, count, lengths[6], packs, first[7];
    } cases[] = {
        {10, 4, {4, 6, 1, 9}, 2, {0, 2, 4}},    /* full to the row */
        {10, 4, {4, 7, 3, 1}, 3, {0, 1, 3, 4}}, /* 4 | 7 3 | 1 */
        {10, 3, {25, 1, 9}, 2, {0, 1, 3}},      /* one item alone may exceed it */
        {10, 3, {1, 25, 1}, 3, {0, 1, 2, 3}},
        {1, 3, {1, 1, 1}, 3, {0, 1, 2, 3}},
        {1, 2, {5, 5}, 2, {0, 1, 2}},
        {4096, 6, {1, 2, 3, 4, 5, 6}, 1, {0, 6}},
        {6, 6, {1, 2, 3, 4, 5, 6}, 4, {0, 3, 4, 5, 6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob input = input_of(cases[i].lengths, cases[i].count);
        struct sequences sequences;
        struct task_layout layout = {0};
        uint64_t longest = 0, total = 0;
        assert_int_equal(sequences_parse(blob_bytes(&input), &sequences, NULL),
                         STATUS_OK);
        assert_int_equal(sequences_pack(&sequences, cases[i].rows, &layout, NULL),
                         STATUS_OK);
        assert_int_equal(layout.items, cases[i].count);
        assert_int_equal(layout.packs, cases[i].packs);
        for (uint32_t p = 0; p <= layout.packs; p++)
            assert_int_equal(layout.pack_items[p], cases[i].first[p]);
        for (uint32_t p = 0; p < layout.packs; p++) {
            uint64_t rows = 0;
            for (uint32_t item = layout.pack_items[p]; item < layout.pack_items[p + 1];
                 item++)
                rows += cases[i].lengths[item];
            assert_int_equal(layout.pack_rows[p], rows);
            longest = rows > longest ? rows : longest;
            total += rows;
        }
        assert_int_equal(layout.rows_longest, longest);
        assert_int_equal(layout.rows, total);
        task_layout_free(&layout);
        sequences_free(&sequences);
        blob_free(&input);
    }
}

static void rows_of_nothing_are_refused(void **state)
{
    (void)state;
    const uint32_t lengths[] = {2};
    struct blob input = input_of(lengths, 1);
    struct sequences sequences;
    struct task_layout layout = {0};
    assert_int_equal(sequences_parse(blob_bytes(&input), &sequences, NULL), STATUS_OK);
    assert_int_equal(sequences_pack(&sequences, 0, &layout, NULL), STATUS_BAD_DATA);
    sequences_free(&sequences);
    blob_free(&input);
}

/* A file of up to three tensors of little numbers. */
struct made {
    const char *name;
    enum dtype dtype;
    uint32_t rank, count;
    int32_t values[4];
};

static struct blob file_of(const struct made *made, size_t count)
{
    struct tensor tensors[3] = {0};
    struct blob out = blob_empty(INPUT_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(tensors[i].name, sizeof tensors[i].name, "%s", made[i].name);
        tensors[i].dtype = made[i].dtype;
        tensors[i].rank = made[i].rank;
        for (uint32_t d = 0; d < made[i].rank; d++)
            tensors[i].shape[d] = d ? 1 : made[i].count;
        tensors[i].data = bytes_of(made[i].values, made[i].count * sizeof(int32_t));
    }
    assert_int_equal(safetensors_write(tensors, count, &out, NULL), STATUS_OK);
    return out;
}

static void bad_inputs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        size_t count;
        struct made made[3];
    } cases[] = {
        {"no tensor \"ids\"", 1, {{"lengths", DTYPE_I32, 1, 1, {1}}}},
        {"no tensor \"lengths\"", 1, {{"ids", DTYPE_I32, 1, 1, {1}}}},
        {"ids is F32",
         2,
         {{"ids", DTYPE_F32, 1, 1, {1}}, {"lengths", DTYPE_I32, 1, 1, {1}}}},
        {"lengths is I32 of 2 dimensions",
         2,
         {{"ids", DTYPE_I32, 1, 1, {1}}, {"lengths", DTYPE_I32, 2, 1, {1}}}},
        {"3 tensors",
         3,
         {{"ids", DTYPE_I32, 1, 1, {1}},
          {"lengths", DTYPE_I32, 1, 1, {1}},
          {"more", DTYPE_I32, 1, 1, {1}}}},
        {"no sequences",
         2,
         {{"ids", DTYPE_I32, 1, 0, {0}}, {"lengths", DTYPE_I32, 1, 0, {0}}}},
        {"sequence 1 has 0 tokens",
         2,
         {{"ids", DTYPE_I32, 1, 2, {1, 1}}, {"lengths", DTYPE_I32, 1, 2, {2, 0}}}},
        {"sequence 0 has -1 tokens",
         2,
         {{"ids", DTYPE_I32, 1, 2, {1, 1}}, {"lengths", DTYPE_I32, 1, 2, {-1, 3}}}},
        {"add up to 3, ids has 2",
         2,
         {{"ids", DTYPE_I32, 1, 2, {1, 1}}, {"lengths", DTYPE_I32, 1, 2, {2, 1}}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct blob file = file_of(cases[i].made, cases[i].count);
        struct sequences out;
        struct error err = {0};
        assert_int_equal(sequences_parse(blob_bytes(&file), &out, &err), STATUS_BAD_DATA);
        if (!strstr(err.text, cases[i].says))
            fail_msg("says \"%s\", expected \"%s\"", err.text, cases[i].says);
        assert_null(out.ids);
        blob_free(&file);
    }
}

static void ids_and_lengths_have_limits(void **state)
{
    (void)state;
    uint32_t lengths[] = {3, 5};
    int32_t ids[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const struct sequences sequences = {2, 8, lengths, ids};
    const struct sequence_limits fit = {5, 8};
    const struct sequence_limits short_ = {4, 8}, small = {5, 7};
    struct error err = {0};
    assert_int_equal(sequences_check(&sequences, &fit, &err), STATUS_OK);
    assert_int_equal(sequences_check(&sequences, &short_, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "input: sequence 1 has 5 tokens, the model holds 4");
    assert_int_equal(sequences_check(&sequences, &small, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text,
                        "input: sequence 1 holds the id 7, the vocabulary has 7");
    ids[1] = -1;
    assert_int_equal(sequences_check(&sequences, &fit, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text,
                        "input: sequence 0 holds the id -1, the vocabulary has 8");
}

/* A stand-in for a model: every sequence's vector is its length and its first id. */
static struct blob output_of(struct bytes input)
{
    struct sequences sequences;
    float values[MANY][2];
    struct blob out = blob_empty(INPUT_MAX);
    assert_int_equal(sequences_parse(input, &sequences, NULL), STATUS_OK);
    const int32_t *ids = sequences.ids;
    for (uint32_t i = 0; i < sequences.count; i++) {
        values[i][0] = (float)sequences.lengths[i];
        values[i][1] = (float)ids[0];
        ids += sequences.lengths[i];
    }
    const struct embeddings vectors = {sequences.count, 2, &values[0][0]};
    assert_int_equal(embeddings_write(&vectors, &out, NULL), STATUS_OK);
    assert_int_equal(out.size, embeddings_size(sequences.count, 2));
    sequences_free(&sequences);
    return out;
}

static void what_is_split_joins_to_the_same(void **state)
{
    (void)state;
    uint32_t lengths[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        lengths[i] = 1 + i * 11 % 37;
    struct blob input = input_of(lengths, MANY);
    struct blob whole = output_of(blob_bytes(&input));
    static const uint64_t rows_max[] = {1, 17, 37, 100, 65536};
    for (size_t r = 0; r < sizeof rows_max / sizeof rows_max[0]; r++) {
        struct blob *parts, outputs[MANY], joined = blob_empty(INPUT_MAX);
        struct bytes views[MANY];
        uint32_t count, items = 0;
        assert_int_equal(
            sequences_split(blob_bytes(&input), rows_max[r], &parts, &count, NULL),
            STATUS_OK);
        assert_true(count >= 1 && count <= MANY);
        for (uint32_t i = 0; i < count; i++) {
            struct sequences part;
            assert_int_equal(sequences_parse(blob_bytes(&parts[i]), &part, NULL),
                             STATUS_OK);
            assert_true(part.total <= rows_max[r] || part.count == 1);
            items += part.count;
            sequences_free(&part);
            outputs[i] = output_of(blob_bytes(&parts[i]));
            views[i] = blob_bytes(&outputs[i]);
        }
        assert_int_equal(items, MANY);
        assert_int_equal(embeddings_join(views, count, &joined, NULL), STATUS_OK);
        assert_int_equal(joined.size, whole.size);
        assert_memory_equal(joined.data, whole.data, whole.size);
        for (uint32_t i = 0; i < count; i++)
            blob_free(&outputs[i]);
        task_parts_free(parts, count);
        blob_free(&joined);
    }
    blob_free(&whole);
    blob_free(&input);
}

static void a_fault_among_the_parts_is_the_whole_answer(void **state)
{
    (void)state;
    const float values[] = {1, 2};
    const struct embeddings vectors = {1, 2, values}, wider = {2, 1, values};
    const struct fault_record record = {3, -1, 9};
    struct fault_record back;
    struct blob good = blob_empty(INPUT_MAX), bad = blob_empty(INPUT_MAX);
    struct blob other = blob_empty(INPUT_MAX), joined = blob_empty(INPUT_MAX);
    struct error err = {0};
    assert_int_equal(embeddings_write(&vectors, &good, NULL), STATUS_OK);
    assert_int_equal(embeddings_write(&wider, &other, NULL), STATUS_OK);
    assert_int_equal(fault_record_write(&record, &bad, NULL), STATUS_OK);
    assert_int_equal(bad.size, fault_record_size());

    const struct bytes parts[] = {blob_bytes(&good), blob_bytes(&bad),
                                  blob_bytes(&other)};
    assert_int_equal(embeddings_join(parts, 3, &joined, NULL), STATUS_OK);
    assert_true(fault_record_parse(blob_bytes(&joined), &back));
    assert_memory_equal(&record, &back, sizeof back);
    assert_false(fault_record_parse(blob_bytes(&good), &back));

    struct embeddings read;
    assert_int_equal(embeddings_parse(blob_bytes(&bad), &read, &err), STATUS_FAULT);
    assert_string_equal(
        err.text, "a value left the numeric range in pack 3, row 9, after product -1");

    const struct bytes uneven[] = {blob_bytes(&good), blob_bytes(&other)};
    assert_int_equal(embeddings_join(uneven, 2, &joined, &err), STATUS_BAD_DATA);
    assert_string_equal(err.text, "part 1 is 1 wide, the first 2");
    blob_free(&good);
    blob_free(&bad);
    blob_free(&other);
    blob_free(&joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_canonical_ones),
        cmocka_unit_test(packs_close_before_the_item_too_many),
        cmocka_unit_test(rows_of_nothing_are_refused),
        cmocka_unit_test(bad_inputs_are_refused),
        cmocka_unit_test(ids_and_lengths_have_limits),
        cmocka_unit_test(what_is_split_joins_to_the_same),
        cmocka_unit_test(a_fault_among_the_parts_is_the_whole_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
