/*
 * attention.cl - softmax(q k' * scale + bias) v with exact integers in the middle; unit =
 * row * heads + head.
 *
 * numerics.md 1.4, ATTN steps 2 to 7, in three passes over the keys (largest score, sums,
 * weights) that compute the scores anew, so that no scratch is needed.  A key left out
 * enters no pass.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/exact_math.h"

#define HEAD_DIM_MAX 256
#define BLOCK        64 /* keys looked at together; any number gives the same bits */

/* One query's view of its keys: the same in all passes. */
struct attention_row {
    GLOBAL ci16 *q, *k, *v;
    GLOBAL ci32 *k_exponents, *v_exponents;
    GLOBAL cf32 *bias;
    u64 stride;   /* between keys of k and v */
    u32 kv_heads; /* between their exponents */
    u32 head_dim, keys, has_bias;
    f32 factor;
};

/* What a row's passes have found so far. */
struct attention_state {
    f32 largest;      /* score */
    i32 exponent;     /* the largest of v */
    u64 sum, brought; /* of the weights; of the weights brought to that exponent */
};

DEVICE_FN u32 attention_block(const struct attention_row *row, u32 first)
{
    return row->keys - first < BLOCK ? row->keys - first : BLOCK;
}

DEVICE_FN i32 attention_dot(GLOBAL ci16 *q, GLOBAL ci16 *k, u32 head_dim)
{
    i32 sum = 0;

    for (u32 d = 0; d < head_dim; d++)
        sum += (i32)q[d] * (i32)k[d];
    return sum;
}

/* t: the scores of a block of keys. */
DEVICE_FN void attention_scores(const struct attention_row *row, u32 first, u32 count,
                                f32 *t)
{
    GLOBAL ci32 *exponents = row->k_exponents + (u64)first * row->kv_heads;
    i32 s[BLOCK];

    for (u32 i = 0; i < count; i++)
        s[i] = attention_dot(row->q, row->k + (first + i) * row->stride, row->head_dim);
    for (u32 i = 0; i < count; i++)
        t[i] = MUL(MUL(I2F(s[i]), det_p2(exponents[i * row->kv_heads])), row->factor);
    for (u32 i = 0; row->has_bias && i < count; i++)
        t[i] = ADD(t[i], MUL(row->bias[first + i], as_f32(0x3fb8aa3bu))); /* log2(e) */
}

/* Pass 1: the largest score and the largest exponent of v. */
DEVICE_FN void attention_find_largest(const struct attention_row *row,
                                      struct attention_state *state)
{
    f32 t[BLOCK];

    for (u32 first = 0; first < row->keys; first += BLOCK) {
        const u32 count = attention_block(row, first);
        GLOBAL ci32 *exponents = row->v_exponents + (u64)first * row->kv_heads;

        attention_scores(row, first, count, t);
        if (first == 0) {
            state->largest = t[0];
            state->exponent = exponents[0];
        }
        for (u32 i = 0; i < count; i++)
            state->largest = t[i] > state->largest ? t[i] : state->largest;
        for (u32 i = 0; i < count; i++) {
            const i32 e = exponents[i * row->kv_heads];

            state->exponent = e > state->exponent ? e : state->exponent;
        }
    }
}

/* The weights of a block of keys, plain and brought to the largest exponent of v. */
DEVICE_FN void attention_weights(const struct attention_row *row, u32 first, u32 count,
                                 const struct attention_state *state, u32 *u, u32 *g)
{
    GLOBAL ci32 *exponents = row->v_exponents + (u64)first * row->kv_heads;
    f32 t[BLOCK];

    attention_scores(row, first, count, t);
    for (u32 i = 0; i < count; i++)
        u[i] = det_expw(SUB(t[i], state->largest));
    for (u32 i = 0; i < count; i++) {
        const i32 below = state->exponent - exponents[i * row->kv_heads];

        g[i] = u[i] >> (below < 31 ? below : 31);
    }
}

/* Pass 2: the sums of the weights. */
DEVICE_FN void attention_sum_weights(const struct attention_row *row,
                                     struct attention_state *state)
{
    u32 u[BLOCK], g[BLOCK];

    state->sum = 0;
    state->brought = 0;
    for (u32 first = 0; first < row->keys; first += BLOCK) {
        const u32 count = attention_block(row, first);

        attention_weights(row, first, count, state, u, g);
        for (u32 i = 0; i < count; i++) {
            state->sum += u[i];
            state->brought += g[i];
        }
    }
}

DEVICE_FN u32 attention_top_bit(u64 x)
{
    u32 bit = 0;

    for (u32 step = 32; step > 0; step /= 2) {
        if (x >> step) {
            x >>= step;
            bit += step;
        }
    }
    return bit;
}

/* Pass 3: 19-bit weights times v; the sum of the weights. */
DEVICE_FN i32 attention_sum_values(const struct attention_row *row,
                                   const struct attention_state *state, i32 *sums)
{
    const u32 top = attention_top_bit(state->brought);
    const u64 normal =
        top >= 31 ? state->brought >> (top - 31) : state->brought << (31 - top);
    const u32 inverse = (u32)(0x7fffffffffffffffu / normal); /* normal >= 2^31 */
    const u64 half_unit = (u64)1 << (12 + top);
    u32 u[BLOCK], g[BLOCK];
    i32 total = 0;

    for (u32 d = 0; d < row->head_dim; d++)
        sums[d] = 0;
    for (u32 first = 0; first < row->keys; first += BLOCK) {
        const u32 count = attention_block(row, first);

        attention_weights(row, first, count, state, u, g);
        for (u32 i = 0; i < count; i++) {
            GLOBAL ci16 *v = row->v + (first + i) * row->stride;
            const i32 p = (i32)(((u64)g[i] * inverse + half_unit) >> (13 + top));

            total += p;
            for (u32 d = 0; d < row->head_dim; d++)
                sums[d] += p * (i32)v[d];
        }
    }
    return total;
}

DEVICE_FN void attention_run(const struct attention_row *row, GLOBAL f32 *out)
{
    struct attention_state state = {0.0f, 0, 0, 0};
    i32 sums[HEAD_DIM_MAX];

    attention_find_largest(row, &state);
    attention_sum_weights(row, &state);
    if (state.brought == 0) {
        for (u32 d = 0; d < row->head_dim; d++)
            out[d] = 0.0f;
        return;
    }

    const i32 total = attention_sum_values(row, &state, sums);
    const f32 rho = MUL(MUL(I2F((i64)state.brought), det_rcp(I2F((i64)state.sum))),
                        MUL(det_rcp(I2F(total)), det_p2(state.exponent)));

    for (u32 d = 0; d < row->head_dim; d++)
        out[d] = MUL(I2F(sums[d]), rho);
}

/* Keys of a span that this query may see. */
DEVICE_FN u32 attention_keys(GLOBAL cu32 *span, u32 causal)
{
    const u32 count = span[1] - span[0];
    const u32 seen = span[2] + 1;

    return causal && seen < count ? seen : count;
}

KERNEL_FN void kernel_attention(u64 first, u64 last, GLOBAL ci16 *q,
                                GLOBAL ci32 *q_exponents, GLOBAL ci16 *k,
                                GLOBAL ci32 *k_exponents, GLOBAL ci16 *v,
                                GLOBAL ci32 *v_exponents, GLOBAL cu32 *spans,
                                GLOBAL cf32 *bias, GLOBAL f32 *out, u32 heads,
                                u32 kv_heads, u32 head_dim, f32 scale, u32 causal,
                                u32 bias_stride)
{
    EACH (unit, first, last) {
        const u32 head = (u32)(unit % heads), kv_head = head / (heads / kv_heads);
        GLOBAL cu32 *span = spans + unit / heads * 4;
        const u64 entry = (u64)span[0] * kv_heads + kv_head;
        const u64 bias_row = ((u64)span[3] * heads + head) * bias_stride;

        const struct attention_row row = {
            q + unit * head_dim,
            k + entry * head_dim,
            v + entry * head_dim,
            k_exponents + entry,
            v_exponents + entry,
            bias_stride ? bias + bias_row : bias,
            (u64)kv_heads * head_dim,
            kv_heads,
            head_dim,
            attention_keys(span, causal),
            bias_stride != 0,
            MUL(MUL(as_f32(0x3fb8aa3bu), scale), det_p2(q_exponents[unit]))};

        attention_run(&row, out + unit * head_dim);
    }
}
