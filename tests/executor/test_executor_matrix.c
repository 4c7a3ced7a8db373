/*
 * test_executor_matrix.c - claim: matrix fragments, their products, tensor copies and
 * mbarriers give what plain loops over whole matrices give, in every mode, with the
 * layouts of the PTX ISA.
 *
 * labels: plain
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/instruction_runner.h"

#define THREADS 128u

/* What lane `lane` of a warp gets of matrix m: `rows` holds its kilobyte, of which lane l
 * named the row l * 5 % 32, or the one 32 beyond that. */
static uint32_t fragment(const uint8_t *kilobyte, uint32_t lane, uint32_t m, uint32_t odd,
                         bool trans)
{
    uint16_t matrix[8][8], halves[2];
    uint32_t word;

    for (uint32_t row = 0; row < 8; row++)
        memcpy(matrix[row], kilobyte + 16 * ((8 * m + row) * 5 % 32) + 512 * odd, 16);
    for (uint32_t i = 0; i < 2; i++)
        halves[i] = trans ? matrix[2 * (lane % 4) + i][lane / 4]
                          : matrix[lane / 4][2 * (lane % 4) + i];
    memcpy(&word, halves, 4);
    return word;
}

static void fragments(const uint32_t *in, uint32_t *out, uint32_t count, bool trans)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        const uint8_t *kilobyte = (const uint8_t *)(in + 256 * (i / 32));

        for (uint32_t m = 0; m < 4; m++)
            out[8 * i + m] =
                m < count ? fragment(kilobyte, i % 32, m, i / 32 % 2, trans) : 0;
    }
}

static void loop_ldmatrix_x1(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 1, false);
}

static void loop_ldmatrix_x2(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 2, false);
}

static void loop_ldmatrix_x4(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 4, false);
}

static void loop_ldmatrix_x1_trans(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 1, true);
}

static void loop_ldmatrix_x2_trans(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 2, true);
}

static void loop_ldmatrix_x4_trans(const uint32_t *in, uint32_t *out)
{
    fragments(in, out, 4, true);
}

static int8_t byte_of(uint32_t word, uint32_t i)
{
    return (int8_t)(word >> (8 * i));
}

/* One element of a product of a warp: the operands of every lane are at `lanes`, 16 words
 * each; A's register for (row, k) and B's for (k, column) as the PTX ISA counts them. */
static uint32_t element_m8n8k16(const uint32_t *lanes, uint32_t row, uint32_t column,
                                uint32_t word, uint32_t sum)
{
    for (uint32_t k = 0; k < 16; k++) {
        const uint32_t a = lanes[16 * (4 * row + k / 4) + word];
        const uint32_t b = lanes[16 * (4 * column + k / 4) + word + 1];

        sum += (uint32_t)(byte_of(a, k % 4) * byte_of(b, k % 4));
    }
    return sum;
}

static void loop_mma_m8n8k16(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        const uint32_t *lanes = in + 16 * (i / 32 * 32);

        for (uint32_t e = 0; e < 2; e++) {
            const uint32_t row = i % 32 / 4, column = 2 * (i % 4) + e;
            const uint32_t first =
                element_m8n8k16(lanes, row, column, 0, in[16 * i + 2 + e]);

            out[8 * i + e] = element_m8n8k16(lanes, row, column, 4, first);
        }
    }
}

static uint32_t element_m16n8k32(const uint32_t *lanes, uint32_t row, uint32_t column,
                                 uint32_t sum)
{
    for (uint32_t k = 0; k < 32; k++) {
        const uint32_t quarter = k % 16 / 4;
        const uint32_t a = lanes[16 * (4 * (row % 8) + quarter) + row / 8 + k / 16 * 2];
        const uint32_t b = lanes[16 * (4 * column + quarter) + 4 + k / 16];

        sum += (uint32_t)(byte_of(a, k % 4) * byte_of(b, k % 4));
    }
    return sum;
}

static void loop_mma_m16n8k32(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        const uint32_t *lanes = in + 16 * (i / 32 * 32);

        for (uint32_t e = 0; e < 4; e++)
            out[8 * i + e] = element_m16n8k32(lanes, i % 32 / 4 + e / 2 * 8,
                                              2 * (i % 4) + e % 2, in[16 * i + 6 + e]);
    }
}

static void loop_mbarrier(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        for (uint32_t turn = 0; turn < 2; turn++)
            out[8 * i + turn] = in[8 * ((i + 32) % 128) + turn];
    }
}

static void loop_registers(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < 384; i++)
        out[i] = in[i] + 1;
}

static uint8_t tensor_byte(const uint32_t *in, uint32_t x, uint32_t y)
{
    if (x >= TENSOR_WIDTH || y >= TENSOR_HEIGHT)
        return 0;
    return ((const uint8_t *)in)[y * TENSOR_WIDTH + x];
}

static void loop_tma_load(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < 64 * 64; i++)
        ((uint8_t *)out)[i] = tensor_byte(in, 64 + i % 64, 3 + i / 64);
}

/* Chunk c of 16 bytes of row r lies where chunk c ^ r % 8 would. */
static void swizzled(const uint32_t *in, uint32_t *out, uint32_t x, uint32_t y)
{
    for (uint32_t row = 0; row < 128; row++) {
        for (uint32_t column = 0; column < 128; column++) {
            const uint32_t chunk = (column / 16) ^ (row % 8);

            ((uint8_t *)out)[row * 128 + chunk * 16 + column % 16] =
                tensor_byte(in, x + column, y + row);
        }
    }
}

static void loop_tma_swizzled(const uint32_t *in, uint32_t *out)
{
    swizzled(in, out, 128, 0);
}

static void loop_tma_edges(const uint32_t *in, uint32_t *out)
{
    swizzled(in, out, 448, 64);
}

/* Rows of `stride` bytes, 128 of k; d as the PTX ISA lays it over a warp group. */
static uint32_t row_dot(const uint32_t *a, const uint32_t *b, uint32_t sum)
{
    for (uint32_t k = 0; k < 128; k++)
        sum += (uint32_t)(((const int8_t *)a)[k] * ((const int8_t *)b)[k]);
    return sum;
}

static void product_of_rows(const uint32_t *in, uint32_t *out, uint32_t count)
{
    for (uint32_t i = 0; i < THREADS * count; i++) {
        const uint32_t thread = i / count, e = i % count;
        const uint32_t row = thread / 32 * 16 + thread % 32 / 4 + (e & 2 ? 8 : 0);
        const uint32_t column = e / 4 * 8 + thread % 4 * 2 + (e & 1);

        out[i] = row_dot(in + 32 * row, in + 2048 + 32 * column, in[10240 + i]);
    }
}

static void loop_wgmma_n64(const uint32_t *in, uint32_t *out)
{
    product_of_rows(in, out, 32);
}

static void loop_wgmma_n128(const uint32_t *in, uint32_t *out)
{
    product_of_rows(in, out, 64);
}

static void loop_wgmma_n256(const uint32_t *in, uint32_t *out)
{
    product_of_rows(in, out, 128);
}

static void loop_tma_many(const uint32_t *in, uint32_t *out)
{
    swizzled(in, out, 256, 0);
    swizzled(in, out + 4096, 256, 0);
}

/* Word i of a block, and what its partner has there. */
static void loop_cluster(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < 2 * THREADS; i++) {
        const uint32_t rank = i / THREADS, thread = i % THREADS;
        uint32_t *y = out + 1024 * rank + 2 * thread;

        y[0] = in[8 * thread + rank] ^ rank;
        y[1] = in[8 * thread + 1 - rank] ^ (1 - rank);
    }
}

static void loop_mbarrier_in(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < 2 * THREADS; i++) {
        const uint32_t rank = i / THREADS, thread = i % THREADS;

        out[1024 * rank + thread] = in[8 * thread + rank];
        out[1024 * rank + 128 + thread] = in[8 * thread + 1 - rank];
    }
}

static void loop_wgmma_tma(const uint32_t *in, uint32_t *out)
{
    for (uint32_t i = 0; i < THREADS * 32; i++) {
        const uint32_t thread = i / 32, e = i % 32;
        const uint32_t row = thread / 32 * 16 + thread % 32 / 4 + (e & 2 ? 8 : 0);
        const uint32_t column = e / 4 * 8 + thread % 4 * 2 + (e & 1);

        out[i] = row_dot(in + 128 * row, in + 128 * (64 + column), 0);
    }
}

static void matrices_are_those_of_plain_loops(void **state)
{
    static const struct instruction_expectation list[] = {
        {"ldmatrix_x1", loop_ldmatrix_x1},
        {"ldmatrix_x2", loop_ldmatrix_x2},
        {"ldmatrix_x4", loop_ldmatrix_x4},
        {"ldmatrix_x1_trans", loop_ldmatrix_x1_trans},
        {"ldmatrix_x2_trans", loop_ldmatrix_x2_trans},
        {"ldmatrix_x4_trans", loop_ldmatrix_x4_trans},
        {"mma_m8n8k16", loop_mma_m8n8k16},
        {"mma_m16n8k32", loop_mma_m16n8k32},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        assert_true(instruction_expect(list[i].name, list[i].loop));
}

static void hopper_is_that_of_plain_loops(void **state)
{
    static const struct instruction_expectation list[] = {
        {"mbarrier", loop_mbarrier},       {"registers", loop_registers},
        {"tma_load", loop_tma_load},       {"tma_swizzled", loop_tma_swizzled},
        {"tma_edges", loop_tma_edges},     {"wgmma_n64", loop_wgmma_n64},
        {"wgmma_n128", loop_wgmma_n128},   {"wgmma_n256", loop_wgmma_n256},
        {"wgmma_tma", loop_wgmma_tma},     {"cluster", loop_cluster},
        {"mbarrier_in", loop_mbarrier_in}, {"tma_many", loop_tma_many},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        assert_true(instruction_expect(list[i].name, list[i].loop));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matrices_are_those_of_plain_loops),
        cmocka_unit_test(hopper_is_that_of_plain_loops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
