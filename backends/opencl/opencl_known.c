/*
 * opencl_known.c - known answers that a device must reproduce.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_known.h"

#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"

enum {
    DIGEST_SIZE = BLAKE3_SIZE,
    CORES = 11,
    INPUTS = 4096,
    M = 24,
    N = 48,
    K = 1024,
    RANK = 64, /* its slices number 16: each of a ticket's words is used */
    HITS_MAX = M / 8 * N / 16,
};

/* Bit patterns that a core takes (numerics.md, end of 5.2): magnitudes of a range, with
 * which signs. */
struct domain {
    uint32_t first, last;
    enum { SIGN_PLUS, SIGN_MINUS, SIGN_BOTH, SIGN_BITS } sign;
};

static const struct domain domains[CORES] = {
    {0x21800000, 0x5d800000, SIGN_PLUS},  /* rcp */
    {0x21800000, 0x5d800000, SIGN_PLUS},  /* rsqrt */
    {0x21800000, 0x42fa0000, SIGN_BOTH},  /* exp2 */
    {0x21800000, 0x537fffff, SIGN_MINUS}, /* expw */
    {0x21800000, 0x537fffff, SIGN_BOTH},  /* sigmoid */
    {0x21800000, 0x537fffff, SIGN_BOTH},  /* silu */
    {0x21800000, 0x537fffff, SIGN_BOTH},  /* tanh */
    {0x21800000, 0x537fffff, SIGN_BOTH},  /* gelu */
    {0x21800000, 0x537fffff, SIGN_BOTH},  /* gelu_tanh */
    {0, 0xffffffff, SIGN_BITS},           /* sin */
    {0, 0xffffffff, SIGN_BITS},           /* cos */
};

/* Half of them spread over the whole domain, half around one, where curves bend. */
static uint32_t input_make(const struct domain *domain, uint32_t i)
{
    const uint32_t near = 0x3c000000 + i * 0x4c67, wide = domain->last - domain->first;
    uint32_t bits = domain->first + (uint32_t)((uint64_t)wide * i / (INPUTS - 1));

    if (i % 2 && domain->sign != SIGN_BITS)
        bits = near;
    if (domain->sign == SIGN_MINUS || (domain->sign == SIGN_BOTH && i % 4 < 2))
        bits |= 0x80000000;
    return bits;
}

static enum status core_run(struct device *device, uint32_t core,
                            struct buffer *const buffers[2], uint32_t *values)
{
    const struct launch launch = {.kernel = KERNEL_scalar_core,
                                  .last = INPUTS,
                                  .views = {{buffers[0], 0}, {buffers[1], 0}},
                                  .scalars = {{.u32 = core}}};
    enum status status;

    for (uint32_t i = 0; i < INPUTS; i++)
        values[i] = input_make(&domains[core], i);
    status = device_write(device, buffers[0], 0, values, INPUTS * sizeof *values);
    if (!status)
        status = device_launch(device, &launch);
    return status ? status
                  : device_read(device, buffers[1], 0, values, INPUTS * sizeof *values);
}

static enum status known_cores(struct device *device, uint8_t out[DIGEST_SIZE])
{
    uint32_t *values = memory_array(INPUTS, sizeof *values);
    struct buffer *buffers[2] = {NULL, NULL};
    struct blake3 hasher;
    enum status status = values ? STATUS_OK : STATUS_NO_MEMORY;

    blake3_begin(&hasher);
    for (size_t i = 0; !status && i < 2; i++)
        status = device_buffer_new(device, INPUTS * sizeof *values, &buffers[i]);
    for (uint32_t core = 0; !status && core < CORES; core++) {
        status = core_run(device, core, buffers, values);
        if (!status)
            blake3_add(&hasher, values, INPUTS * sizeof *values);
    }
    blake3_end(&hasher, out);
    device_buffer_free(device, buffers[0]);
    device_buffer_free(device, buffers[1]);
    memory_free(values);
    return status;
}

struct product {
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    uint8_t *host; /* the largest of them */
};

enum {
    C_SIZE = M * N * (int)sizeof(int32_t),
    HITS_SIZE = (int)sizeof(struct hits) + HITS_MAX * (int)sizeof(struct hit),
    HOST_SIZE = N * K
};

static enum status operand_make(struct product *p, uint64_t seed, size_t size,
                                struct buffer **out)
{
    void *const views[] = {p->host};
    const union scalar scalars[] = {{.u64 = seed}};
    enum status status = device_buffer_new(p->device, size, out);

    kernel_table[KERNEL_test_matrix].run(0, size, views, scalars);
    return status ? status : device_write(p->device, *out, 0, p->host, size);
}

static enum status product_load(struct product *p, const struct noise *noise)
{
    enum status status = p->host ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status)
        status = operand_make(p, 1, (size_t)M * K, &p->a);
    if (!status)
        status = operand_make(p, 2, (size_t)N * K, &p->b);
    if (!status)
        status = device_buffer_new(p->device, C_SIZE, &p->c);
    if (!status)
        status = device_buffer_new(p->device, HITS_SIZE, &p->hits);
    if (!status)
        status = device_reserve(p->device, M, N, K, RANK);
    if (!status)
        status = device_packed_new(p->device, N, K, &p->packed);
    return status ? status
                  : device_pack(p->device, p->packed, (struct view){p->b, 0}, noise);
}

static enum status product_run(struct product *p, uint8_t out[DIGEST_SIZE])
{
    const struct pattern rows = pattern_range(8), columns = pattern_range(16);
    struct mining mining = {.a.rank = RANK,
                            .b.rank = RANK,
                            .rows = &rows,
                            .columns = &columns,
                            .hits_max = HITS_MAX};
    struct blake3 hasher;
    enum status status;

    memset(mining.a.seed, 0xa5, sizeof mining.a.seed);
    memset(mining.b.seed, 0x5a, sizeof mining.b.seed);
    memset(mining.bound, 0xff, sizeof mining.bound); /* every ticket is a hit */
    status = product_load(p, &mining.b);
    mining.hits.buffer = p->hits;
    const struct multiply multiply = {
        .m = M, .a = {p->a, 0}, .b = p->packed, .c = {p->c, 0}, .mining = &mining};
    if (!status)
        status = device_multiply(p->device, &multiply);
    blake3_begin(&hasher);
    if (!status)
        status = device_read(p->device, p->c, 0, p->host, C_SIZE);
    if (!status)
        blake3_add(&hasher, p->host, C_SIZE);
    if (!status)
        status = device_read(p->device, p->hits, 0, p->host, HITS_SIZE);
    if (!status)
        blake3_add(&hasher, p->host, HITS_SIZE);
    blake3_end(&hasher, out);
    return status;
}

static enum status known_product(struct device *device, uint8_t out[DIGEST_SIZE])
{
    struct product product = {.device = device, .host = memory_array(HOST_SIZE, 1)};
    const enum status status = product_run(&product, out);

    device_packed_free(device, product.packed);
    device_buffer_free(device, product.a);
    device_buffer_free(device, product.b);
    device_buffer_free(device, product.c);
    device_buffer_free(device, product.hits);
    memory_free(product.host);
    return status;
}

/* Made by the processor's backend; a test makes them again. */
static const uint8_t cores_digest[DIGEST_SIZE] = {
    0xbf, 0xba, 0x96, 0x9f, 0xd2, 0xf1, 0x0e, 0x04, 0xa5, 0x5e, 0x5b,
    0xc9, 0xe0, 0x8f, 0x04, 0x3b, 0x2e, 0xf3, 0xb1, 0x33, 0xe3, 0xe5,
    0x81, 0xb9, 0xc5, 0x36, 0x87, 0x11, 0xa0, 0x7c, 0xa6, 0xc6};
static const uint8_t product_digest[DIGEST_SIZE] = {
    0xfc, 0x9c, 0x4a, 0x50, 0x66, 0xd7, 0x4a, 0xdf, 0x27, 0x93, 0x93,
    0xca, 0xf6, 0xc1, 0x0c, 0x66, 0xf6, 0x02, 0x09, 0x0c, 0xe9, 0x4e,
    0x69, 0x1c, 0x18, 0x3a, 0x2e, 0x1d, 0x35, 0xc8, 0x3e, 0xd8};

static enum status digest_check(enum status status, const uint8_t *got,
                                const uint8_t *want, const char *what, struct error *err)
{
    if (status)
        return error_set(err, status, "%s: %s", what, status_text(status));
    if (memcmp(got, want, DIGEST_SIZE) != 0)
        return error_set(err, STATUS_MISMATCH, "%s: %s", what,
                         status_text(STATUS_MISMATCH));
    return STATUS_OK;
}

enum status opencl_known_cores_check(struct device *device, struct error *err)
{
    uint8_t digest[DIGEST_SIZE];
    const enum status status = known_cores(device, digest);

    return digest_check(status, digest, cores_digest, "scalar cores", err);
}

enum status opencl_known_product_check(struct device *device, struct error *err)
{
    uint8_t digest[DIGEST_SIZE];
    const enum status status = known_product(device, digest);

    return digest_check(status, digest, product_digest, "a mined product", err);
}
