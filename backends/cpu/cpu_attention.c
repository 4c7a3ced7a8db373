/*
 * cpu_attention.c - spans, heads and queries of attention, and packing for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_attention.h"

#include <string.h>

#include "kernels/exact_math.h"

enum {
    LANES = CPU_ATTENTION_LANES,
    CHUNK = CPU_ATTENTION_CHUNK,
    QUERIES = CPU_ATTENTION_QUERIES,
    QUERIES_MIN = 2, /* fewer are not worth packing the keys */
};

struct call {
    const struct cpu_attention *steps;
    const int16_t *q, *k, *v; /* [..][heads][dim], of k and v [..][kv_heads][dim] */
    const int32_t *q_exponents, *k_exponents, *v_exponents;
    const uint32_t *spans;
    float *out;
    uint32_t heads, kv_heads, dim;
    float scale;
    uint32_t causal;
    uint64_t first, last; /* units */
};

/* ---- arithmetic that all instruction sets share ---- */

float cpu_attention_rho(uint64_t sum, uint64_t brought, int32_t shares, int32_t exponent)
{
    return MUL(MUL(I2F((int64_t)brought), det_rcp(I2F((int64_t)sum))),
               MUL(det_rcp(I2F(shares)), det_p2(exponent)));
}

void cpu_attention_nothing(struct cpu_attention_queries *queries, uint32_t query)
{
    const size_t keys = (size_t)queries->blocks * LANES;

    queries->rho[query] = 0.0f;
    memset(queries->low[query], 0, keys * sizeof **queries->low);
    memset(queries->high[query], 0, keys * sizeof **queries->high);
}

struct cpu_attention_share cpu_attention_share(uint64_t brought)
{
    const uint32_t top = 63u - (uint32_t)__builtin_clzll(brought);
    const uint64_t normal = top >= 31 ? brought >> (top - 31) : brought << (31 - top);

    return (struct cpu_attention_share){.inverse = (uint32_t)(INT64_MAX / normal),
                                        .shift = 13 + top,
                                        .half = (uint64_t)1 << (12 + top)};
}

/* ---- packing ---- */

/* The sizes for span[0] to span[1]; whether that fits. */
static int pack_plan(const struct call *call, const uint32_t *span,
                     struct cpu_attention_pack *pack)
{
    const uint32_t count = span[1] - span[0];

    if (count == 0 || count > CPU_ATTENTION_KEYS_MAX || call->dim == 0 ||
        call->dim > CPU_ATTENTION_DIM_MAX)
        return 0;
    pack->count = count;
    pack->blocks = (count + LANES - 1) / LANES;
    pack->pairs = (call->dim + 1) / 2;
    pack->chunks = (call->dim + CHUNK - 1) / CHUNK;
    return pack->blocks * LANES * pack->chunks * CHUNK <= CPU_ATTENTION_VALUES_MAX;
}

/* One key into its lane. */
static void pack_key(const int16_t *from, uint32_t dim, int16_t *to)
{
    for (uint32_t d = 0; d + 1 < dim; d += 2)
        memcpy(to + (size_t)d * LANES, from + d, 2 * sizeof *to);
    if (dim % 2) {
        to[(size_t)(dim - 1) * LANES] = from[dim - 1];
        to[(size_t)(dim - 1) * LANES + 1] = 0;
    }
}

static void pack_keys(const int16_t *from, size_t stride, uint32_t dim,
                      struct cpu_attention_pack *to)
{
    const size_t block = (size_t)2 * to->pairs * LANES;

    if (to->count % LANES)
        memset(to->keys + (to->blocks - 1) * block, 0, block * sizeof *to->keys);
    for (uint32_t i = 0; i < to->count; i++)
        pack_key(from + i * stride, dim,
                 to->keys + i / LANES * block + (ptrdiff_t)2 * (i % LANES));
}

static uint32_t chunk_dims(uint32_t dim, uint32_t chunk)
{
    const uint32_t left = dim - chunk * CHUNK;

    return left < CHUNK ? left : CHUNK;
}

/* After pack_plan(): one head; what is missing in the last block is zero. */
static void pack_head(const struct call *call, uint32_t first, uint32_t head,
                      struct cpu_attention_pack *pack)
{
    const size_t stride = (size_t)call->kv_heads * call->dim;
    const uint64_t entry = (uint64_t)first * call->kv_heads + head;
    const int16_t *v = call->v + entry * call->dim;

    pack_keys(call->k + entry * call->dim, stride, call->dim, pack);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        call->steps->interleave(
            v + (size_t)chunk * CHUNK, stride, chunk_dims(call->dim, chunk), pack,
            pack->values + (size_t)chunk * pack->blocks * LANES * CHUNK);
    for (uint32_t i = 0; i < pack->blocks * LANES; i++) {
        const uint64_t at = entry + (uint64_t)i * call->kv_heads;

        pack->scales[i] = i < pack->count ? det_p2(call->k_exponents[at]) : 0.0f;
        pack->exponents[i] = i < pack->count ? call->v_exponents[at] : INT32_MIN;
    }
}

/* ---- queries ---- */

static uint32_t keys_seen(const uint32_t *span, uint32_t causal)
{
    const uint32_t count = span[1] - span[0], seen = span[2] + 1;

    return causal && seen < count ? seen : count;
}

/* Up to QUERIES rows of one head; where there are fewer the last one is computed again.
 */
static void queries_run(const struct call *call, const struct cpu_attention_pack *pack,
                        uint64_t row, uint32_t head,
                        struct cpu_attention_queries *queries)
{
    float *out[QUERIES];
    uint32_t most = 0;

    for (uint32_t i = 0; i < QUERIES; i++) {
        const uint64_t at = row + (i < queries->count ? i : queries->count - 1);
        const uint64_t unit = at * call->heads + head;

        memcpy(queries->q[i], call->q + unit * call->dim, call->dim * sizeof(int16_t));
        if (call->dim % 2)
            queries->q[i][call->dim] = 0;
        queries->factor[i] =
            MUL(MUL(as_f32(0x3fb8aa3bu), call->scale), det_p2(call->q_exponents[unit]));
        queries->seen[i] = keys_seen(call->spans + at * 4, call->causal);
        most = queries->seen[i] > most ? queries->seen[i] : most;
        out[i] = call->out + unit * call->dim;
    }
    queries->blocks = (most + LANES - 1) / LANES;
    call->steps->score(pack, queries);
    call->steps->weigh(pack, queries);
    for (uint32_t chunk = 0; chunk < pack->chunks; chunk++)
        call->steps->write(pack, queries, chunk, chunk_dims(call->dim, chunk), out);
}

/* The rows [row, end) see the same span; of its first and last row maybe not all heads
 * are wanted. */
static void span_run(const struct call *call, uint64_t row, uint64_t end,
                     struct cpu_attention_pack *pack,
                     struct cpu_attention_queries *queries)
{
    const uint32_t *span = call->spans + row * 4;
    uint32_t packed = UINT32_MAX;

    for (uint32_t head = 0; head < call->heads; head++) {
        const uint32_t kv_head = head / (call->heads / call->kv_heads);
        const uint64_t from = row * call->heads + head < call->first ? row + 1 : row;
        const uint64_t to = (end - 1) * call->heads + head < call->last ? end : end - 1;

        if (kv_head != packed && from < to) {
            pack_head(call, span[0], kv_head, pack);
            packed = kv_head;
        }
        for (uint64_t at = from; at < to; at += QUERIES) {
            queries->count = to - at < QUERIES ? (uint32_t)(to - at) : QUERIES;
            queries_run(call, pack, at, head, queries);
        }
    }
}

static uint64_t span_end(const struct call *call, uint64_t row)
{
    const uint32_t *span = call->spans + row * 4;
    uint64_t end = row + 1;

    while (end * call->heads < call->last && call->spans[end * 4] == span[0] &&
           call->spans[end * 4 + 1] == span[1])
        end++;
    return end;
}

void cpu_attention_run(const struct cpu_attention *steps, uint64_t first, uint64_t last,
                       void *const *views, const union scalar *scalars)
{
    const struct call call = {
        .steps = steps,
        .q = views[0],
        .q_exponents = views[1],
        .k = views[2],
        .k_exponents = views[3],
        .v = views[4],
        .v_exponents = views[5],
        .spans = views[6],
        .out = views[8],
        .heads = scalars[0].u32,
        .kv_heads = scalars[1].u32,
        .dim = scalars[2].u32,
        .scale = scalars[3].f32,
        .causal = scalars[4].u32,
        .first = first,
        .last = last,
    };
    struct cpu_attention_pack pack;
    struct cpu_attention_queries queries;

    if (scalars[5].u32) { /* a bias */
        steps->text(first, last, views, scalars);
        return;
    }
    for (uint64_t row = first / call.heads; row * call.heads < last;) {
        const uint64_t end = span_end(&call, row);

        if (end - row >= QUERIES_MIN && pack_plan(&call, call.spans + row * 4, &pack)) {
            span_run(&call, row, end, &pack, &queries);
        } else {
            const uint64_t from = row * call.heads, to = end * call.heads;

            steps->text(from < first ? first : from, to > last ? last : to, views,
                        scalars);
        }
        row = end;
    }
}
