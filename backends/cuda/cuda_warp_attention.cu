/*
 * cuda_warp_attention.cu - attention.cl with a warp a query's head: lanes are keys while
 * there are scores, and columns of v while weights are summed.
 *
 * A warp keeps its first ATTENTION_KEPT scores in shared memory; the others are computed
 * anew in every pass, as the text does.  Between passes lanes keep their keys, so only
 * the query is shown to other lanes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_warp.h"

#include "kernels/attention/attention.cl"

enum { ATTENTION_PARTS = HEAD_DIM_MAX / 32 };

/* A query's head in its warp. */
struct attention_warp {
    struct attention_row row;
    i32 *query;   /* shared: [head_dim] */
    f32 *scores;  /* shared: [ATTENTION_KEPT] */
    u32 is_whole; /* keys begin on 16 bytes and are multiples of 8 values */
};

DEVICE_FN i32 attention_eight(const u32 key[4], const i32 *query)
{
    i32 sum = 0;

    UNROLL
    for (u32 i = 0; i < 4; i++) {
        sum += (i32)(i16)key[i] * query[2 * i];
        sum += ((i32)key[i] >> 16) * query[2 * i + 1];
    }
    return sum;
}

DEVICE_FN f32 attention_score(const struct attention_warp *warp, u32 key)
{
    const struct attention_row *row = &warp->row;
    GLOBAL ci16 *k = row->k + key * row->stride;
    i32 sum = 0;
    f32 t;

    if (warp->is_whole) {
        for (u32 d = 0; d < row->head_dim; d += 8) {
            u32 words[4];

            load_16(words, k + d);
            sum += attention_eight(words, warp->query + d);
        }
    } else {
        for (u32 d = 0; d < row->head_dim; d++)
            sum += (i32)k[d] * warp->query[d];
    }
    t = MUL(MUL(I2F(sum), det_p2(row->k_exponents[(u64)key * row->kv_heads])),
            row->factor);
    return row->has_bias ? ADD(t, MUL(row->bias[key], as_f32(0x3fb8aa3bu))) : t;
}

DEVICE_FN f32 attention_kept(const struct attention_warp *warp, u32 key)
{
    return key < ATTENTION_KEPT ? warp->scores[key] : attention_score(warp, key);
}

/* Pass 1: all scores; the largest one and the largest exponent of v. */
DEVICE_FN void attention_warp_largest(const struct attention_warp *warp,
                                      struct attention_state *state)
{
    const struct attention_row *row = &warp->row;
    f32 largest = as_f32(0xff800000u); /* -infinity */
    i32 exponent = -0x7fffffff - 1;

    EACH_LANE (key, row->keys) {
        const f32 t = attention_score(warp, key);
        const i32 e = row->v_exponents[(u64)key * row->kv_heads];

        if (key < ATTENTION_KEPT)
            warp->scores[key] = t;
        largest = t > largest ? t : largest;
        exponent = e > exponent ? e : exponent;
    }
    for (u32 by = 16; by > 0; by /= 2) {
        const f32 other = as_f32(shuffle_xor(as_u32(largest), by));

        largest = other > largest ? other : largest;
    }
    state->largest = largest;
    state->exponent = warp_max_signed(exponent);
}

/* The weight of a key, brought to the largest exponent of v; u: the plain one. */
DEVICE_FN u32 attention_weight(const struct attention_warp *warp,
                               const struct attention_state *state, u32 key, u32 *u)
{
    const struct attention_row *row = &warp->row;
    const i32 below = state->exponent - row->v_exponents[(u64)key * row->kv_heads];

    *u = det_expw(SUB(attention_kept(warp, key), state->largest));
    return *u >> (below < 31 ? below : 31);
}

/* Pass 2. */
DEVICE_FN void attention_warp_sums(const struct attention_warp *warp,
                                   struct attention_state *state)
{
    u64 sum = 0, brought = 0;

    EACH_LANE (key, warp->row.keys) {
        u32 u;

        brought += attention_weight(warp, state, key, &u);
        sum += u;
    }
    state->sum = warp_sum_64(sum);
    state->brought = warp_sum_64(brought);
}

/* What turns a weight into 19 bits. */
struct attention_norm {
    u32 inverse, top;
};

DEVICE_FN void attention_norm_make(const struct attention_state *state,
                                   struct attention_norm *norm)
{
    const u32 top = attention_top_bit(state->brought);
    const u64 normal =
        top >= 31 ? state->brought >> (top - 31) : state->brought << (31 - top);

    norm->top = top;
    norm->inverse = (u32)(0x7fffffffffffffffu / normal);
}

/* Columns lane + 32 i of v, 32 keys from `first` on, each weighed by its lane's p. */
DEVICE_FN void attention_add(const struct attention_row *row, u32 first, i32 p,
                             i32 sums[ATTENTION_PARTS])
{
    const u32 count = row->keys - first < 32 ? row->keys - first : 32;

    for (u32 key = 0; key < count; key++) {
        const i32 weight = (i32)shuffle((u32)p, key);
        GLOBAL ci16 *v = row->v + (first + key) * row->stride + lane_index();

        UNROLL
        for (u32 i = 0; i < ATTENTION_PARTS; i++)
            if (lane_index() + 32 * i < row->head_dim)
                sums[i] += weight * (i32)v[32 * i];
    }
}

/* Pass 3; the sum of the weights. */
DEVICE_FN i32 attention_warp_values(const struct attention_warp *warp,
                                    const struct attention_state *state,
                                    i32 sums[ATTENTION_PARTS])
{
    struct attention_norm norm;
    u32 total = 0;

    attention_norm_make(state, &norm);
    UNROLL
    for (u32 i = 0; i < ATTENTION_PARTS; i++)
        sums[i] = 0;
    for (u32 first = 0; first < warp->row.keys; first += 32) {
        const u32 key = first + lane_index();
        i32 p = 0;

        if (key < warp->row.keys) {
            u32 u;
            const u64 g = attention_weight(warp, state, key, &u);

            p = (i32)((g * norm.inverse + ((u64)1 << (12 + norm.top))) >>
                      (13 + norm.top));
        }
        total += (u32)p;
        attention_add(&warp->row, first, p, sums);
    }
    return (i32)warp_sum(total);
}

DEVICE_FN void attention_warp_run(const struct attention_warp *warp, GLOBAL f32 *out)
{
    struct attention_state state;
    i32 sums[ATTENTION_PARTS];

    attention_warp_largest(warp, &state);
    attention_warp_sums(warp, &state);
    if (state.brought == 0) {
        EACH_LANE (d, warp->row.head_dim)
            out[d] = 0.0f;
        return;
    }
    const i32 total = attention_warp_values(warp, &state, sums);
    const f32 rho = MUL(MUL(I2F((i64)state.brought), det_rcp(I2F((i64)state.sum))),
                        MUL(det_rcp(I2F(total)), det_p2(state.exponent)));

    UNROLL
    for (u32 i = 0; i < ATTENTION_PARTS; i++)
        if (lane_index() + 32 * i < warp->row.head_dim)
            out[lane_index() + 32 * i] = MUL(I2F(sums[i]), rho);
}

/* Query by query of a head, so that neighbouring warps share its keys, where the range
 * holds whole rows. */
DEVICE_FN u64 attention_unit(u64 first, u64 last, u32 heads, u64 item)
{
    const u64 rows = (last - first) / heads;

    if (first % heads || last % heads)
        return first + item;
    return first + item % rows * heads + item / rows;
}

/* Shared: ATTENTION_SHARED. */
KERNEL(attention_warps, ATTENTION_THREADS, 4, u64 first, u64 last, GLOBAL ci16 *q,
       GLOBAL ci32 *q_exponents, GLOBAL ci16 *k, GLOBAL ci32 *k_exponents, GLOBAL ci16 *v,
       GLOBAL ci32 *v_exponents, GLOBAL cu32 *spans, GLOBAL cf32 *bias, GLOBAL f32 *out,
       u32 heads, u32 kv_heads, u32 head_dim, f32 scale, u32 causal, u32 bias_stride)
{
    struct attention_warp warp;

    warp.query = SHARED(i32, warp_index() * ATTENTION_WARP_SHARED);
    warp.scores = SHARED(f32, warp_index() * ATTENTION_WARP_SHARED + HEAD_DIM_MAX * 4);
    EACH_WARP (item, 0, last - first) {
        const u64 unit = attention_unit(first, last, heads, item);
        const u32 head = (u32)(unit % heads), kv_head = head / (heads / kv_heads);
        GLOBAL cu32 *span = spans + unit / heads * 4;
        const u64 entry = (u64)span[0] * kv_heads + kv_head;
        struct attention_row *row = &warp.row;

        row->k = k + entry * head_dim;
        row->v = v + entry * head_dim;
        row->k_exponents = k_exponents + entry;
        row->v_exponents = v_exponents + entry;
        row->bias = bias + ((u64)span[3] * heads + head) * bias_stride;
        row->stride = (u64)kv_heads * head_dim;
        row->kv_heads = kv_heads;
        row->head_dim = head_dim;
        row->keys = attention_keys(span, causal);
        row->has_bias = bias_stride != 0;
        row->factor = MUL(MUL(as_f32(0x3fb8aa3bu), scale), det_p2(q_exponents[unit]));
        warp.is_whole = head_dim % 8 == 0 && (u64)row->k % 16 == 0;
        warp_sync(); /* the last query was read */
        EACH_LANE (d, head_dim)
            warp.query[d] = q[unit * head_dim + d];
        warp_sync();
        attention_warp_run(&warp, out + unit * head_dim);
    }
}
