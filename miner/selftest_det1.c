/*
 * selftest_det1.c - worked cases of the exact arithmetic, each through the kernels of a
 * device.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "kernels/blake3_host.h"
#include "kernels/kernels_c.h"
#include "miner/selftest_cases.h"

enum { FAULT_NONE = -1, HEAD_DIM_MAX = 256 };

/* A tensor of the case that must have exactly this many bytes: kernels do not ask. */
static struct vector_member sized(struct trial *t, const char *name, uint64_t size)
{
    const struct vector_member member = trial_tensor(t, name);

    if (!t->status && member.data.size != size)
        trial_fail(t, STATUS_BAD_DATA, "\"%s\" has %zu bytes, expected %llu", name,
                   member.data.size, (unsigned long long)size);
    return member;
}

/* A matrix of floats. */
static struct vector_member floats(struct trial *t, const char *name)
{
    const struct vector_member member = trial_tensor(t, name);

    return sized(t, name, 4 * member.rows * member.columns);
}

/* A view of the case's tensor of that many bytes. */
static struct view put_sized(struct trial *t, const char *name, uint64_t size)
{
    const struct vector_member member = sized(t, name, size);

    return trial_put(t, member.data.data, member.data.size);
}

static const char *const core_names[CORE_COUNT] = {
    [CORE_RCP] = "rcp",
    [CORE_RSQRT] = "rsqrt",
    [CORE_EXP2] = "exp2",
    [CORE_EXPW] = "expw",
    [CORE_SIGMOID] = "sigmoid",
    [CORE_SILU] = "silu",
    [CORE_TANH] = "tanh",
    [CORE_GELU] = "gelu",
    [CORE_GELU_TANH] = "gelu_tanh",
    [CORE_SIN_Q30] = "sincos_q30",
    [CORE_COS_Q30] = "",
};

static bool core_find(const char *op, uint32_t *core)
{
    for (*core = 0; *core < CORE_COUNT; ++*core) {
        if (!strcmp(core_names[*core], op))
            return true;
    }
    return false;
}

static struct view core_run(struct trial *t, uint32_t core, struct view x, uint64_t count)
{
    const struct view y = trial_room(t, 4 * count);

    trial_launch(t, KERNEL_scalar_core, count, VIEWS(x, y), SCALARS({.u32 = core}));
    return y;
}

static void core_case(struct trial *t, uint32_t core)
{
    const bool is_angle = core == CORE_SIN_Q30;
    const struct vector_member x = trial_tensor(t, "x"),
                               want = sized(t, is_angle ? "sin" : "y", x.data.size);
    const uint64_t count = x.data.size / 4;
    const struct view in = trial_put(t, x.data.data, x.data.size);

    trial_expect(t, core_names[core], core_run(t, core, in, count), want.data.data,
                 want.data.size);
    if (is_angle) {
        const struct vector_member cosines = sized(t, "cos", x.data.size);
        trial_expect(t, "cos_q30", core_run(t, CORE_COS_Q30, in, count),
                     cosines.data.data, cosines.data.size);
    }
}

/* Domains of the sweep: which bit patterns a core is asked about. */
static bool is_in_domain(uint32_t core, uint32_t bits)
{
    const uint32_t magnitude = bits & 0x7fffffff;
    const bool is_negative = bits >> 31;

    if (core == CORE_SIN_Q30)
        return true;
    if (core == CORE_RCP || core == CORE_RSQRT)
        return !is_negative && magnitude >= 0x21800000 && magnitude <= 0x5d800000;
    if (bits == 0)
        return true;
    if (core == CORE_EXPW && !is_negative)
        return false;
    return magnitude >= 0x21800000 &&
           magnitude <= (core == CORE_EXP2 ? 0x42fa0000u : 0x537fffffu);
}

/* The outputs of one core over count inputs, every width-th word of out from first. */
static void sweep_core(struct trial *t, uint32_t core, struct view x, uint64_t count,
                       uint32_t *out, uint32_t width)
{
    uint32_t *got = trial_block(t, 4 * count);

    trial_get(t, core_run(t, core, x, count), got, 4 * count);
    if (t->status || !out)
        return;
    for (uint64_t i = 0; i < count; i++)
        out[i * width] = got[i];
}

static void sweep_case(struct trial *t, uint32_t core)
{
    const uint64_t step = trial_number(t, "step", UINT32_MAX),
                   expected = trial_number(t, "count", UINT32_MAX);
    const uint32_t width = core == CORE_SIN_Q30 ? 2 : 1;
    uint8_t want[BLAKE3_SIZE], got[BLAKE3_SIZE];
    uint64_t count = 0;

    trial_hex(t, "blake3", want, sizeof(want));
    if (!t->status && (step == 0 || expected > UINT32_MAX / step + 1))
        trial_fail(t, STATUS_BAD_DATA, "a step of %llu does not give %llu inputs",
                   (unsigned long long)step, (unsigned long long)expected);
    uint32_t *x = trial_block(t, 4 * expected),
             *out = trial_block(t, 4 * expected * width);
    for (uint64_t bits = 0; !t->status && bits <= UINT32_MAX; bits += step) {
        if (!is_in_domain(core, (uint32_t)bits))
            continue;
        if (count < expected)
            x[count] = (uint32_t)bits;
        count++;
    }
    if (!t->status && count != expected)
        trial_fail(t, STATUS_BAD_DATA, "the domain has %llu inputs, the case says %llu",
                   (unsigned long long)count, (unsigned long long)expected);
    const struct view in = trial_put(t, x, 4 * count);
    sweep_core(t, core, in, count, out, width);
    if (width == 2)
        sweep_core(t, CORE_COS_Q30, in, count, out ? out + 1 : out, width);
    if (t->status)
        return;
    blake3_hash(out, 4 * count * width, NULL, got);
    trial_expect_host(t, "digest", got, want, sizeof(want));
}

/* --- rows --- */

static uint32_t padded(uint64_t k)
{
    return (uint32_t)((k + 63) / 64 * 64);
}

static struct view fault_new(struct trial *t)
{
    const int32_t none = FAULT_NONE;

    return trial_put(t, &none, sizeof(none));
}

static void fault_expect_none(struct trial *t, struct view fault)
{
    const int32_t none = FAULT_NONE;

    trial_expect(t, "fault", fault, &none, sizeof(none));
}

struct quantised {
    struct view q, scale, fault;
    uint64_t rows;
    uint32_t k;
    struct launch launch; /* that makes it */
};

/* Room for it, and how it is made. */
static struct quantised quantiser(struct trial *t, const struct vector_member *x,
                                  uint32_t limbs)
{
    const uint32_t k = (uint32_t)x->columns, rows = (uint32_t)x->rows;
    const struct view in = trial_put(t, x->data.data, x->data.size);
    struct quantised out = {.q = trial_room(t, (size_t)limbs * rows * padded(k)),
                            .scale = trial_room(t, (size_t)4 * rows),
                            .fault = fault_new(t),
                            .rows = rows,
                            .k = padded(k)};

    out.launch =
        (struct launch){.kernel = limbs == 1 ? KERNEL_quantise7 : KERNEL_quantise14,
                        .last = rows,
                        .views = {in, out.q, out.scale, out.fault},
                        .scalars = {{.u32 = k}, {.u32 = padded(k)}}};
    if (limbs == 2)
        out.launch.scalars[2].u32 = rows;
    return out;
}

static struct quantised quantise(struct trial *t, const struct vector_member *x,
                                 uint32_t limbs)
{
    const struct quantised out = quantiser(t, x, limbs);

    trial_launch(t, out.launch.kernel, out.rows, out.launch.views, out.launch.scalars);
    fault_expect_none(t, out.fault);
    return out;
}

/* The same bytes where they are hashed as soon as they are written, and their chunks. */
static void leaves_expect(struct trial *t, const struct vector_member *x,
                          const struct vector_member *scale, uint32_t limbs, int8_t *q)
{
    uint8_t key[BLAKE3_SIZE] = {1, 2, 3};
    const struct quantised got = quantiser(t, x, limbs);
    const uint64_t size = limbs * got.rows * got.k,
                   chunks = (size + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
    const struct launch hash = {.kernel = KERNEL_blake3_chunks,
                                .last = chunks,
                                .views = {got.q, trial_put(t, key, sizeof(key)),
                                          trial_room(t, chunks * BLAKE3_SIZE)},
                                .scalars = {{.u64 = size}, {.u32 = chunks == 1}}};
    uint8_t *values = trial_block(t, chunks * BLAKE3_SIZE);

    if (t->status)
        return;
    kernel_table[hash.kernel].run(0, chunks, (void *const[]){q, key, values},
                                  hash.scalars);
    trial_launch_then(t, &got.launch, &hash);
    trial_expect(t, "the operand that is hashed", got.q, q, size);
    trial_expect(t, "its chunks", hash.views[2], values, chunks * BLAKE3_SIZE);
    trial_expect(t, "its scale", got.scale, scale->data.data, scale->data.size);
    fault_expect_none(t, got.fault);
}

/* A limb of x without its padding is the case's, and the padding is zero. */
static void limb_expect(struct trial *t, const char *name, const int8_t *q,
                        const struct vector_member *x)
{
    static const int8_t zeros[64];
    const uint64_t k = x->columns;
    const struct vector_member want = sized(t, name, x->rows * k);

    for (uint64_t row = 0; !t->status && row < x->rows; row++) {
        trial_expect_host(t, name, q + row * padded(k), want.data.data + row * k, k);
        trial_expect_host(t, "padding", q + row * padded(k) + k, zeros, padded(k) - k);
    }
}

static void quantise_case(struct trial *t)
{
    const bool is_wide = !strcmp(t->given->op, "quant14");
    const struct vector_member x = floats(t, "x"), scale = sized(t, "scale", 4 * x.rows);
    const struct quantised got = quantise(t, &x, is_wide ? 2 : 1);
    const size_t limb = got.rows * got.k;
    int8_t *q = trial_block(t, 2 * limb);

    trial_get(t, got.q, q, is_wide ? 2 * limb : limb);
    limb_expect(t, is_wide ? "hi" : "q", q, &x);
    if (is_wide)
        limb_expect(t, "lo", q ? q + limb : q, &x);
    trial_expect(t, "scale", got.scale, scale.data.data, scale.data.size);
    leaves_expect(t, &x, &scale, is_wide ? 2 : 1, q);
}

/* The device's own product, as models use it. */
static struct view product(struct trial *t, const struct quantised *a,
                           const struct quantised *b, uint32_t m, uint32_t n)
{
    const struct view c = trial_room(t, (size_t)4 * m * n);
    struct packed *packed = NULL;
    enum status status = t->status;

    if (status)
        return c;
    status = device_packed_new(t->device, n, a->k, &packed);
    if (!status)
        status = device_pack(t->device, packed, b->q, NULL);
    if (!status)
        status = device_reserve(t->device, m, n, a->k, 0);
    if (!status)
        status = device_multiply(
            t->device, &(struct multiply){.m = m, .a = a->q, .b = packed, .c = c});
    if (!status)
        status = device_finish(t->device);
    if (status)
        trial_fail(t, status, "multiply: %s", status_text(status));
    device_packed_free(t->device, packed);
    return c;
}

static void linear_case(struct trial *t)
{
    const struct vector_member *class = vector_case_find(t->given, "cls", VECTOR_TEXT);
    const char *name = class && class->data.size ? (const char *)class->data.data : "C1";
    const uint32_t limbs_a = strcmp(name, "C1") ? 2 : 1,
                   limbs_w = strcmp(name, "C3") ? 1 : 2;
    const struct vector_member x = floats(t, "x"),
                               w = sized(t, "w",
                                         4 * trial_tensor(t, "w").rows * x.columns),
                               y = sized(t, "y", 4 * x.rows * w.rows);
    const struct vector_member *bias = trial_maybe(t, "bias");
    const uint32_t rows = (uint32_t)x.rows, n = (uint32_t)w.rows;
    const struct quantised a = quantise(t, &x, limbs_a), b = quantise(t, &w, limbs_w);
    const struct view acc = product(t, &a, &b, limbs_a * rows, limbs_w * n),
                      got = trial_room(t, (size_t)4 * rows * n);
    const struct view added = bias ? put_sized(t, "bias", 4 * w.rows) : (struct view){0};

    trial_launch(t, KERNEL_dequantise, rows, VIEWS(acc, a.scale, b.scale, added, got),
                 SCALARS({.u32 = rows}, {.u32 = n}, {.u32 = limbs_a}, {.u32 = limbs_w},
                         {.u32 = bias != NULL}));
    trial_expect(t, "y", got, y.data.data, y.data.size);
}

static float number_f32(struct trial *t, const char *name)
{
    const struct vector_member member = trial_tensor(t, name);
    float out = 0;

    if (member.data.size == sizeof(out))
        memcpy(&out, member.data.data, sizeof(out));
    return out;
}

static void norm_case(struct trial *t)
{
    const bool has_bias = !strcmp(t->given->op, "layernorm");
    const struct vector_member x = floats(t, "x"), y = sized(t, "y", x.data.size);
    const struct view in = trial_put(t, x.data.data, x.data.size), fault = fault_new(t),
                      gain = put_sized(t, "weight", 4 * x.columns),
                      bias = has_bias ? put_sized(t, "bias", 4 * x.columns) : in,
                      got = trial_room(t, x.data.size);
    const union scalar *scalars =
        SCALARS({.u32 = (uint32_t)x.columns}, {.f32 = (float)(1.0 / (double)x.columns)},
                {.f32 = number_f32(t, "eps")}, {.u32 = 0});

    if (has_bias)
        trial_launch(t, KERNEL_layer_norm, x.rows, VIEWS(in, gain, bias, got, fault),
                     scalars);
    else
        trial_launch(t, KERNEL_rms_norm, x.rows, VIEWS(in, gain, got, fault), scalars);
    trial_expect(t, "y", got, y.data.data, y.data.size);
    fault_expect_none(t, fault);
}

static void residual_case(struct trial *t)
{
    const struct vector_member h = floats(t, "h"), out = sized(t, "out", h.data.size);
    const struct view got = trial_room(t, h.data.size);

    trial_launch(t, KERNEL_residual, h.rows * h.columns,
                 VIEWS(trial_put(t, h.data.data, h.data.size),
                       put_sized(t, "y", h.data.size), got),
                 SCALARS({0}));
    trial_expect(t, "out", got, out.data.data, out.data.size);
}

static void rope_case(struct trial *t)
{
    const struct vector_member x = floats(t, "x"), y = sized(t, "y", x.data.size);
    const struct view got = trial_room(t, x.data.size);

    trial_launch(t, KERNEL_rope, x.rows,
                 VIEWS(trial_put(t, x.data.data, x.data.size),
                       put_sized(t, "increments", 8 * (x.columns / 2)),
                       put_sized(t, "positions", 4 * x.rows), got),
                 SCALARS({.u32 = 1}, {.u32 = (uint32_t)x.columns}));
    trial_expect(t, "y", got, y.data.data, y.data.size);
}

static void mean_pool_case(struct trial *t)
{
    const struct vector_member h = floats(t, "h"), y = sized(t, "y", 4 * h.columns);
    const uint32_t starts[] = {0, (uint32_t)h.rows};
    const struct view got = trial_room(t, 4 * h.columns);

    trial_launch(
        t, KERNEL_mean_pool, 1,
        VIEWS(trial_put(t, h.data.data, h.data.size),
              trial_put(t, starts, sizeof(starts)), got),
        SCALARS({.u32 = (uint32_t)h.columns}, {.f32 = (float)(1.0 / (double)h.columns)}));
    trial_expect(t, "y", got, y.data.data, y.data.size);
}

/* --- attention --- */

struct blocks {
    struct view q, exponents;
};

static struct blocks bfp12(struct trial *t, const struct vector_member *x)
{
    const uint32_t columns = (uint32_t)x->columns;
    const struct view in = trial_put(t, x->data.data, x->data.size), fault = fault_new(t);
    const struct blocks out = {.q = trial_room(t, 2 * x->rows * x->columns),
                               .exponents = trial_room(t, 4 * x->rows)};

    trial_launch(
        t, KERNEL_bfp12, x->rows, VIEWS(in, out.q, out.exponents, fault),
        SCALARS({.u32 = 1}, {.u32 = columns}, {.u32 = columns}, {.u32 = 0}, {.u32 = 0}));
    fault_expect_none(t, fault);
    return out;
}

static struct view spans_put(struct trial *t, uint64_t queries, uint64_t keys)
{
    uint32_t *spans = trial_block(t, 16 * queries);

    for (uint64_t row = 0; !t->status && row < queries; row++) {
        spans[4 * row + 1] = (uint32_t)keys;
        spans[4 * row + 2] = (uint32_t)(row + keys - queries);
        spans[4 * row + 3] = (uint32_t)row;
    }
    return trial_put(t, spans, 16 * queries);
}

static void attention_case(struct trial *t)
{
    const struct vector_member xq = floats(t, "q"), xk = floats(t, "k"),
                               xv = sized(t, "v", xk.data.size),
                               y = sized(t, "y", xq.data.size);
    const uint64_t keys = xk.rows;
    const bool has_bias = trial_maybe(t, "bias") != NULL;

    if (xk.columns != xq.columns || xv.columns != xq.columns || xq.columns > HEAD_DIM_MAX)
        trial_fail(t, STATUS_BAD_DATA, "q, k and v are not of one width up to %d",
                   HEAD_DIM_MAX);
    const struct blocks q = bfp12(t, &xq), k = bfp12(t, &xk), v = bfp12(t, &xv);
    const struct view got = trial_room(t, y.data.size),
                      spans = spans_put(t, xq.rows, keys),
                      added = has_bias ? put_sized(t, "bias", 4 * xq.rows * keys)
                                       : (struct view){0};

    trial_launch(
        t, KERNEL_attention, xq.rows,
        VIEWS(q.q, q.exponents, k.q, k.exponents, v.q, v.exponents, spans, added, got),
        SCALARS({.u32 = 1}, {.u32 = 1}, {.u32 = (uint32_t)y.columns},
                {.f32 = number_f32(t, "scale")},
                {.u32 = (uint32_t)trial_number(t, "causal", 1)},
                {.u32 = has_bias ? (uint32_t)keys : 0}));
    trial_expect(t, "y", got, y.data.data, y.data.size);
}

/* --- which is which --- */

static const struct {
    const char *op;
    void (*run)(struct trial *trial);
} op_table[] = {
    {"quant7", quantise_case},        {"quant14", quantise_case},
    {"linear", linear_case},          {"layernorm", norm_case},
    {"rmsnorm", norm_case},           {"residual", residual_case},
    {"attention", attention_case},    {"rope", rope_case},
    {"mean_pool_l2", mean_pool_case},
};

bool selftest_det1(struct trial *trial)
{
    uint32_t core;

    if (core_find(trial->given->op, &core) && *trial->given->op) {
        if (vector_case_find(trial->given, "step", VECTOR_NUMBER))
            sweep_case(trial, core);
        else
            core_case(trial, core);
        return true;
    }
    for (size_t i = 0; i < sizeof(op_table) / sizeof(op_table[0]); i++) {
        if (strcmp(op_table[i].op, trial->given->op))
            continue;
        op_table[i].run(trial);
        return true;
    }
    return false;
}
