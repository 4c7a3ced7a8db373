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

DEVICE_FN i32 attention_dot(GLOBAL ci16 *q, GLOBAL ci16 *k, u32 head_dim)
{
    i32 sum = 0;

    for (u32 d = 0; d < head_dim; d++)
        sum += (i32)q[d] * (i32)k[d];
    return sum;
}

DEVICE_FN f32 attention_score(const struct attention_row *row, u32 key)
{
    const i32 s = attention_dot(row->q, row->k + key * row->stride, row->head_dim);
    const f32 t =
        MUL(MUL(I2F(s), det_p2(row->k_exponents[(u64)key * row->kv_heads])), row->factor);

    return row->has_bias ? ADD(t, MUL(row->bias[key], as_f32(0x3fb8aa3bu)))
                         : t; /* log2(e) */
}

/* Pass 1: the largest score and the largest exponent of v. */
DEVICE_FN f32 attention_largest(const struct attention_row *row, i32 *exponent)
{
    f32 largest = attention_score(row, 0);

    *exponent = row->v_exponents[0];
    for (u32 key = 1; key < row->keys; key++) {
        const f32 t = attention_score(row, key);
        const i32 e = row->v_exponents[(u64)key * row->kv_heads];

        largest = t > largest ? t : largest;
        *exponent = e > *exponent ? e : *exponent;
    }
    return largest;
}

/* A key's weight, and the same brought to the largest exponent of v. */
DEVICE_FN u32 attention_weight(const struct attention_row *row, u32 key, f32 largest,
                               i32 exponent, u32 *brought)
{
    const u32 u = det_expw(SUB(attention_score(row, key), largest));
    const i32 below = exponent - row->v_exponents[(u64)key * row->kv_heads];

    *brought = u >> (below < 31 ? below : 31);
    return u;
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
DEVICE_FN i32 attention_sums(const struct attention_row *row, f32 largest, i32 exponent,
                             u64 total, i32 *sums)
{
    const u32 top = attention_top_bit(total);
    const u64 normal = top >= 31 ? total >> (top - 31) : total << (31 - top);
    const u64 inverse = 0x7fffffffffffffffu / normal;
    i32 weights = 0;

    for (u32 d = 0; d < row->head_dim; d++)
        sums[d] = 0;
    for (u32 key = 0; key < row->keys; key++) {
        GLOBAL ci16 *v = row->v + key * row->stride;
        u32 g;

        attention_weight(row, key, largest, exponent, &g);

        const i32 p = (i32)((g * inverse + ((u64)1 << (12 + top))) >> (13 + top));

        weights += p;
        for (u32 d = 0; d < row->head_dim; d++)
            sums[d] += p * (i32)v[d];
    }
    return weights;
}

DEVICE_FN void attention_run(const struct attention_row *row, GLOBAL f32 *out)
{
    i32 sums[HEAD_DIM_MAX], exponent = 0;
    u64 u_total = 0, g_total = 0;
    f32 largest = 0.0f, rho = 0.0f;

    if (row->keys)
        largest = attention_largest(row, &exponent);
    for (u32 key = 0; key < row->keys; key++) {
        u32 g;

        u_total += attention_weight(row, key, largest, exponent, &g);
        g_total += g;
    }
    if (g_total == 0) {
        for (u32 d = 0; d < row->head_dim; d++)
            out[d] = 0.0f;
        return;
    }

    const i32 weights = attention_sums(row, largest, exponent, g_total, sums);

    rho = MUL(MUL(I2F((i64)g_total), det_rcp(I2F((i64)u_total))),
              MUL(det_rcp(I2F(weights)), det_p2(exponent)));
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
