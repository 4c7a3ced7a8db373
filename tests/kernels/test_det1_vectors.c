/*
 * test_det1_vectors.c - claim: the kernels reproduce every worked case of
 * tests/vectors/det1 bit for bit, whether 1, 2, 3 or 8 threads share the range.
 *
 * Origin of the cases: see the "origin" of each file.  Heads, spans and sequences are
 * laid out twice or behind others, so that strides and offsets are seen too.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/blake3_host.h"
#include "kernels/kernels_c.h"
#include "tests/kernels/vector_cases.h"

static uint32_t threads; /* of the running pass */

static bool same(const void *got, const void *want, size_t size)
{
    return want && memcmp(got, want, size) == 0;
}

/* ---- scalar cores ---- */

static const char *const core_names[CORE_COUNT] = {[CORE_RCP] = "rcp",
                                                   [CORE_RSQRT] = "rsqrt",
                                                   [CORE_EXP2] = "exp2",
                                                   [CORE_EXPW] = "expw",
                                                   [CORE_SIGMOID] = "sigmoid",
                                                   [CORE_SILU] = "silu",
                                                   [CORE_TANH] = "tanh",
                                                   [CORE_GELU] = "gelu",
                                                   [CORE_GELU_TANH] = "gelu_tanh",
                                                   [CORE_SIN_Q30] = "sincos_q30",
                                                   [CORE_COS_Q30] = ""};

static uint32_t core_find(const char *op)
{
    for (uint32_t core = 0; core < CORE_COUNT; core++)
        if (strcmp(core_names[core], op) == 0)
            return core;
    return CORE_COUNT;
}

static void core_run(uint32_t core, void *x, uint32_t *y, size_t count)
{
    kernel_split(KERNEL_scalar_core, count, threads, VIEWS(x, y), SCALARS({.u32 = core}));
}

static bool core_case(const json_t *item, uint32_t core)
{
    const bool is_angle = core == CORE_SIN_Q30;
    struct values x = values_read(item, "x"),
                  y = values_read(item, is_angle ? "sin" : "y");
    uint32_t *got = room(x.rows, 4);
    bool ok;

    core_run(core, x.data, got, x.rows);
    ok = same(got, y.data, y.size);
    if (is_angle) {
        struct values cosines = values_read(item, "cos");

        core_run(CORE_COS_Q30, x.data, got, x.rows);
        ok = ok && same(got, cosines.data, cosines.size);
    }
    if (core == CORE_SILU || core == CORE_GELU) { /* the kernels proper, in place */
        kernel_split(core == CORE_SILU ? KERNEL_silu : KERNEL_gelu, x.rows, threads,
                     VIEWS(x.data, x.data), NULL);
        ok = ok && same(x.data, y.data, y.size);
    }
    return ok;
}

/* Domains of the sweep: numerics.md 5.2. */
static bool is_in_domain(uint32_t core, uint32_t bits)
{
    const uint32_t magnitude = bits & 0x7fffffff, sign = bits >> 31;

    switch (core) {
    case CORE_RCP:
    case CORE_RSQRT:
        return !sign && magnitude >= 0x21800000 && magnitude <= 0x5d800000;
    case CORE_EXP2:
        return bits == 0 || (magnitude >= 0x21800000 && magnitude <= 0x42fa0000);
    case CORE_EXPW:
        return bits == 0 || (sign && magnitude >= 0x21800000 && magnitude <= 0x537fffff);
    case CORE_SIN_Q30:
        return true;
    default:
        return bits == 0 || (magnitude >= 0x21800000 && magnitude <= 0x537fffff);
    }
}

static size_t domain_list(uint32_t core, uint64_t step, uint32_t *x)
{
    size_t count = 0;

    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += step)
        if (is_in_domain(core, (uint32_t)bits))
            x[count++] = (uint32_t)bits;
    return count;
}

static bool sweep_case(const json_t *item, uint32_t core)
{
    const uint64_t step = (uint64_t)json_integer_value(json_object_get(item, "step"));
    const size_t most = (size_t)((UINT64_C(1) << 32) / step + 1);
    uint32_t *x = room(most, 4), *y = room(most, 8), *z = room(most, 4);
    const size_t count = domain_list(core, step, x);
    size_t size = 4 * count;
    uint8_t digest[BLAKE3_SIZE];

    core_run(core, x, y, count);
    if (core == CORE_SIN_Q30) { /* pairs of sine and cosine */
        core_run(CORE_COS_Q30, x, z, count);
        for (size_t i = count; i-- > 0;) {
            y[2 * i] = y[i];
            y[2 * i + 1] = z[i];
        }
        size = 8 * count;
    }
    blake3_hash(y, size, NULL, digest);
    return count == (size_t)json_integer_value(json_object_get(item, "count")) &&
           hex_equal("digest", digest,
                     json_string_value(json_object_get(item, "blake3")));
}

/* ---- rows ---- */

static uint32_t padded(size_t k)
{
    return (uint32_t)((k + 63) / 64 * 64);
}

/* Rows of x in one or two limbs. */
static void quantise(const struct values *x, uint32_t limbs, int8_t **q, float **scale)
{
    const uint32_t k = (uint32_t)x->columns;
    uint32_t fault = UINT32_MAX;

    *q = room(limbs * x->rows, padded(k));
    memset(*q, 0x55, limbs * x->rows * padded(k)); /* so that missing padding shows */
    *scale = room(x->rows, 4);
    if (limbs == 1)
        kernel_split(KERNEL_quantise7, x->rows, threads,
                     VIEWS(x->data, *q, *scale, &fault),
                     SCALARS({.u32 = k}, {.u32 = padded(k)}, {.u32 = 0}));
    else
        kernel_split(KERNEL_quantise14, x->rows, threads,
                     VIEWS(x->data, *q, *scale, &fault),
                     SCALARS({.u32 = k}, {.u32 = padded(k)}, {.u32 = (uint32_t)x->rows},
                             {.u32 = 0}));
    if (fault != UINT32_MAX)
        abort();
}

static bool limb_same(const int8_t *q, const struct values *want)
{
    bool ok = true;

    for (size_t row = 0; row < want->rows; row++) {
        const int8_t *of_row = q + row * padded(want->columns);

        ok = ok && same(of_row, (const int8_t *)want->data + row * want->columns,
                        want->columns);
        for (size_t i = want->columns; i < padded(want->columns); i++)
            ok = ok && of_row[i] == 0;
    }
    return ok;
}

static bool quantise_case(const json_t *item)
{
    const bool is_wide = json_object_get(item, "hi") != NULL;
    struct values x = values_read(item, "x"), s = values_read(item, "scale");
    struct values high = values_read(item, is_wide ? "hi" : "q"),
                  low = values_read(item, "lo");
    int8_t *q;
    float *scale;
    bool ok;

    quantise(&x, is_wide ? 2 : 1, &q, &scale);
    ok = same(scale, s.data, s.size) && limb_same(q, &high);
    if (is_wide)
        ok = ok && limb_same(q + x.rows * padded(x.columns), &low);
    return ok;
}

static bool linear_case(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "cls"));
    const uint32_t limbs_a = strcmp(name, "C1") == 0 ? 1 : 2;
    const uint32_t limbs_w = strcmp(name, "C3") == 0 ? 2 : 1;
    struct values x = values_read(item, "x"), w = values_read(item, "w");
    struct values bias = values_read(item, "bias"), y = values_read(item, "y");
    int32_t *acc = room(limbs_a * x.rows * limbs_w * w.rows, 4);
    float *got = room(x.rows * w.rows, 4), *s_a, *s_w;
    int8_t *a, *b;
    bool ok;

    quantise(&x, limbs_a, &a, &s_a);
    quantise(&w, limbs_w, &b, &s_w);
    kernel_split(
        KERNEL_matmul_i8, limbs_a * x.rows, threads, VIEWS(a, b, acc),
        SCALARS({.u32 = limbs_w * (uint32_t)w.rows}, {.u32 = padded(x.columns)}));
    kernel_split(KERNEL_dequantise, x.rows, threads, VIEWS(acc, s_a, s_w, bias.data, got),
                 SCALARS({.u32 = (uint32_t)x.rows}, {.u32 = (uint32_t)w.rows},
                         {.u32 = limbs_a}, {.u32 = limbs_w}, {.u32 = bias.data != NULL}));
    ok = same(got, y.data, y.size);
    return ok;
}

/* In place, as models do. */
static bool norm_case(const json_t *item)
{
    struct values x = values_read(item, "x"), weight = values_read(item, "weight");
    struct values bias = values_read(item, "bias"), y = values_read(item, "y");
    struct values eps = values_read(item, "eps");
    uint32_t fault = UINT32_MAX;
    const union scalar scalars[] = {{.u32 = (uint32_t)x.columns},
                                    {.f32 = (float)(1.0 / (double)x.columns)},
                                    {.f32 = *(float *)eps.data},
                                    {.u32 = 0}};
    bool ok;

    if (bias.data)
        kernel_split(KERNEL_layer_norm, x.rows, threads,
                     VIEWS(x.data, weight.data, bias.data, x.data, &fault), scalars);
    else
        kernel_split(KERNEL_rms_norm, x.rows, threads,
                     VIEWS(x.data, weight.data, x.data, &fault), scalars);
    ok = same(x.data, y.data, y.size) && fault == UINT32_MAX;
    return ok;
}

static bool residual_case(const json_t *item)
{
    struct values h = values_read(item, "h"), y = values_read(item, "y");
    struct values out = values_read(item, "out");
    bool ok;

    kernel_split(KERNEL_residual, h.rows * h.columns, threads,
                 VIEWS(h.data, y.data, h.data), NULL);
    ok = same(h.data, out.data, out.size);
    return ok;
}

/* Each row twice, side by side: two heads of the same content. */
static float *twice(const struct values *x, size_t spare_rows)
{
    const size_t size = x->columns * 4;
    uint8_t *out = room((x->rows + spare_rows) * 2, size);

    memset(out, 0x3f, spare_rows * 2 * size);
    for (size_t row = 0; row < x->rows; row++)
        for (size_t copy = 0; copy < 2; copy++)
            memcpy(out + ((spare_rows + row) * 2 + copy) * size,
                   (const uint8_t *)x->data + row * size, size);
    return (float *)out;
}

static bool rope_case(const json_t *item)
{
    struct values x = values_read(item, "x"), y = values_read(item, "y");
    struct values increments = values_read(item, "increments");
    struct values positions = values_read(item, "positions");
    float *heads = twice(&x, 0), *want = twice(&y, 0);
    bool ok;

    kernel_split(KERNEL_rope, 2 * x.rows, threads,
                 VIEWS(heads, increments.data, positions.data, heads),
                 SCALARS({.u32 = 2}, {.u32 = (uint32_t)x.columns}));
    ok = same(heads, want, 2 * y.size);
    return ok;
}

/* The sequence twice in a batch. */
static bool mean_pool_case(const json_t *item)
{
    struct values h = values_read(item, "h"), y = values_read(item, "y");
    uint8_t *batch = room(2, h.size);
    float *got = room(2, y.size);
    uint32_t starts[] = {0, (uint32_t)h.rows, 2 * (uint32_t)h.rows};
    bool ok;

    memcpy(batch, h.data, h.size);
    memcpy(batch + h.size, h.data, h.size);
    kernel_split(
        KERNEL_mean_pool, 2, threads, VIEWS(batch, starts, got),
        SCALARS({.u32 = (uint32_t)h.columns}, {.f32 = (float)(1.0 / (double)h.columns)}));
    ok = same(got, y.data, y.size) && same((uint8_t *)got + y.size, y.data, y.size);
    return ok;
}

/* ---- attention ---- */

enum { SPARE = 3 }; /* keys of another sequence before this one's */

struct blocks { /* block floating point of two heads side by side */
    int16_t *q;
    int32_t *exponents;
};

static struct blocks bfp12(const struct values *x, size_t spare_rows)
{
    const size_t rows = x->rows + spare_rows;
    const uint32_t columns = (uint32_t)x->columns;
    float *heads = twice(x, spare_rows);
    struct blocks out = {room(2 * rows, 2 * x->columns), room(2 * rows, 4)};
    uint32_t fault = UINT32_MAX;

    /* One head at a time, to see stride and offset: the second launch fills what the
     * first left. */
    for (uint32_t head = 0; head < 2; head++) {
        int16_t *q = room(rows, 2 * x->columns);
        int32_t *exponents = room(rows, 4);

        kernel_split(KERNEL_bfp12, rows, threads, VIEWS(heads, q, exponents, &fault),
                     SCALARS({.u32 = 1}, {.u32 = columns}, {.u32 = 2 * columns},
                             {.u32 = head * columns}, {.u32 = 0}));
        for (size_t row = 0; row < rows; row++) {
            memcpy(out.q + (2 * row + head) * columns, q + row * columns, 2 * x->columns);
            out.exponents[2 * row + head] = exponents[row];
        }
    }
    return out;
}

/* Both heads at once give what one at a time gives. */
static bool bfp12_same(const struct values *x, const struct blocks *want)
{
    const uint32_t columns = (uint32_t)x->columns;
    float *heads = twice(x, 0);
    int16_t *q = room(2 * x->rows, 2 * x->columns);
    int32_t *exponents = room(2 * x->rows, 4);
    uint32_t fault = UINT32_MAX;
    bool ok;

    kernel_split(KERNEL_bfp12, x->rows, threads, VIEWS(heads, q, exponents, &fault),
                 SCALARS({.u32 = 2}, {.u32 = columns}, {.u32 = 2 * columns}, {.u32 = 0},
                         {.u32 = 0}));
    ok = same(q, want->q, 4 * x->rows * x->columns) &&
         same(exponents, want->exponents, 8 * x->rows);
    return ok;
}

static uint32_t *spans_of(size_t queries, size_t keys)
{
    uint32_t *spans = room(4 * queries, 4);

    for (size_t row = 0; row < queries; row++) {
        spans[4 * row] = SPARE;
        spans[4 * row + 1] = (uint32_t)(SPARE + keys);
        spans[4 * row + 2] =
            (uint32_t)(row + keys - queries); /* may wrap: then it is not causal */
        spans[4 * row + 3] = (uint32_t)row;
    }
    return spans;
}

static bool attention_case(const json_t *item)
{
    struct values x[3] = {values_read(item, "q"), values_read(item, "k"),
                          values_read(item, "v")};
    struct values y = values_read(item, "y"), scale = values_read(item, "scale");
    struct values bias = values_read(item, "bias");
    struct blocks q = bfp12(&x[0], 0), k = bfp12(&x[1], SPARE), v = bfp12(&x[2], SPARE);
    uint32_t *spans = spans_of(x[0].rows, x[1].rows);
    float *both = bias.data ? twice(&bias, 0) : NULL, *want = twice(&y, 0);
    float *got = room(2, y.size);
    bool ok = bfp12_same(&x[0], &q);

    kernel_split(
        KERNEL_attention, 2 * x[0].rows, threads,
        VIEWS(q.q, q.exponents, k.q, k.exponents, v.q, v.exponents, spans, both, got),
        SCALARS({.u32 = 2}, {.u32 = 2}, {.u32 = (uint32_t)y.columns},
                {.f32 = *(float *)scale.data},
                {.u32 = json_is_true(json_object_get(item, "causal"))},
                {.u32 = bias.data ? (uint32_t)bias.columns : 0}));
    ok = ok && same(got, want, 2 * y.size);
    return ok;
}

/* ---- files ---- */

static const struct {
    const char *op;
    bool (*run)(const json_t *item);
} row_ops[] = {
    {"quant7", quantise_case},        {"quant14", quantise_case},
    {"linear", linear_case},          {"layernorm", norm_case},
    {"rmsnorm", norm_case},           {"residual", residual_case},
    {"attention", attention_case},    {"rope", rope_case},
    {"mean_pool_l2", mean_pool_case},
};

static bool run_case(const json_t *item)
{
    const char *op = json_string_value(json_object_get(item, "op"));
    const uint32_t core = core_find(op);

    if (json_object_get(item, "step"))
        return core < CORE_COUNT && sweep_case(item, core);
    if (core < CORE_COUNT)
        return core_case(item, core);
    for (size_t i = 0; i < sizeof row_ops / sizeof row_ops[0]; i++)
        if (strcmp(row_ops[i].op, op) == 0)
            return row_ops[i].run(item);
    printf("no kernel for \"%s\"\n", op);
    return false;
}

/* Runs a file's cases; how many fail. */
static size_t run_file(const char *name, size_t *count)
{
    json_t *root = cases_read(name), *item;
    size_t index, failed = 0;

    json_array_foreach(json_object_get(root, "cases"), index, item)
    {
        const char *note = json_string_value(json_object_get(item, "note"));

        ++*count;
        if (!run_case(item)) {
            failed++;
            printf("FAILED %s %zu: %s, %s, %u threads\n", name, index,
                   json_string_value(json_object_get(item, "op")), note ? note : "",
                   threads);
        }
        room_clear();
    }
    json_decref(root);
    return failed;
}

int main(void)
{
    size_t count = 0, failed = 0;

    for (size_t i = 0; i < THREAD_COUNTS; i++) {
        threads = thread_counts[i];
        failed += run_file("det1/cores.json", &count);
        failed += run_file("det1/rows.json", &count);
        failed += run_file("det1/attention.json", &count);
    }
    threads = 2; /* once: seventeen million inputs */
    failed += run_file("det1/sweep.json", &count);
    printf("%zu cases, %zu failed\n", count, failed);
    return failed || count == 0;
}
