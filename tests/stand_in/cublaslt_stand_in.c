/*
 * cublaslt_stand_in.c - as much of libcublasLt as bench/cublaslt.c asks for, on the
 * processor, for the stand-in of the driver, whose device memory is the machine's.
 *
 * It knows one product only, the one that is wanted of the real one: int8 in, int32 out,
 * the first operand transposed; anything else is refused as the library would.  With
 * CUBLASLT_STAND_IN=wrong one element is off by one, with =none it proposes no way.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { OK = 0, NOT_INITIALISED = 1, INVALID = 7, NOT_SUPPORTED = 15 };
enum { I8 = 3, I32 = 10, COMPUTE_I32 = 72, TRANSPOSE_A = 3, WORKSPACE = 1 };

struct desc {
    int transposed_a;
};
struct layout {
    int type;
    uint64_t rows, columns;
    int64_t stride;
};
struct way {
    uint64_t algorithm[8];
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

static int made(void **out, const void *from, size_t size)
{
    *out = aligned_alloc(64, 64);
    if (!*out)
        return NOT_INITIALISED;
    memcpy(*out, from, size);
    return OK;
}

static int gone(void *what)
{
    free(what);
    return OK;
}

EXPORT int cublasLtCreate(void **handle)
{
    return made(handle, "handle", 7);
}

EXPORT int cublasLtDestroy(void *handle)
{
    return gone(handle);
}

EXPORT int cublasLtMatmulDescCreate(void **desc, int compute, int scale)
{
    const struct desc plain = {0};

    return compute == COMPUTE_I32 && scale == I32 ? made(desc, &plain, sizeof plain)
                                                  : NOT_SUPPORTED;
}

EXPORT int cublasLtMatmulDescDestroy(void *desc)
{
    return gone(desc);
}

EXPORT int cublasLtMatmulDescSetAttribute(void *desc, int attribute, const void *value,
                                          size_t size)
{
    if (attribute != TRANSPOSE_A || size != sizeof(int))
        return INVALID;
    memcpy(&((struct desc *)desc)->transposed_a, value, size);
    return OK;
}

EXPORT int cublasLtMatrixLayoutCreate(void **layout, int type, uint64_t rows,
                                      uint64_t columns, int64_t stride)
{
    const struct layout made_of = {type, rows, columns, stride};

    return stride >= (int64_t)rows ? made(layout, &made_of, sizeof made_of) : INVALID;
}

EXPORT int cublasLtMatrixLayoutDestroy(void *layout)
{
    return gone(layout);
}

EXPORT int cublasLtMatmulPreferenceCreate(void **preference)
{
    return made(preference, "preference", 11);
}

EXPORT int cublasLtMatmulPreferenceDestroy(void *preference)
{
    return gone(preference);
}

EXPORT int cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute,
                                                const void *value, size_t size)
{
    return preference && value && attribute == WORKSPACE && size == sizeof(uint64_t)
               ? OK
               : INVALID;
}

/* "TN" of bytes to 32 bits, of sides that fit; k by 16, as the real one's fast ways. */
static int is_known(const struct desc *desc, const struct layout *a,
                    const struct layout *b, const struct layout *c)
{
    return desc->transposed_a == 1 && a->type == I8 && b->type == I8 && c->type == I32 &&
           a->rows == b->rows && a->columns == c->rows && b->columns == c->columns &&
           a->rows % 16 == 0;
}

EXPORT int cublasLtMatmulAlgoGetHeuristic(void *handle, void *desc, void *a, void *b,
                                          void *c, void *d, void *preference, int wanted,
                                          struct way *ways, int *count)
{
    const char *mode = getenv("CUBLASLT_STAND_IN");

    *count = 0;
    if (!handle || !preference || c != d || wanted < 2)
        return INVALID;
    if ((mode && !strcmp(mode, "none")) || !is_known(desc, a, b, c))
        return NOT_SUPPORTED;
    for (; *count < 2; ++*count)
        ways[*count] = (struct way){.algorithm = {0x77 + (uint64_t)*count}};
    return OK;
}

/* Everything queued before is done, as the driver's own order would have it. */
static int stream_wait(void *stream)
{
    int (*wait)(void *) = NULL;
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD), *symbol;

    symbol = library ? dlsym(library, "cuStreamSynchronize") : NULL;
    memcpy(&wait, &symbol, sizeof wait);
    return wait ? wait(stream) : NOT_INITIALISED;
}

EXPORT int cublasLtMatmul(void *handle, void *desc, const void *alpha, const void *a,
                          void *a_layout, const void *b, void *b_layout, const void *beta,
                          const void *c, void *c_layout, void *d, void *d_layout,
                          const void *way, void *workspace, size_t workspace_size,
                          void *stream)
{
    const struct layout *of_a = a_layout, *of_b = b_layout, *of_d = d_layout;
    const char *mode = getenv("CUBLASLT_STAND_IN");
    const int8_t *left = a, *right = b;
    int32_t *to = d;

    if (!handle || !is_known(desc, of_a, of_b, of_d) || c != d || c_layout != d_layout ||
        *(const int32_t *)alpha != 1 || *(const int32_t *)beta != 0 || !workspace ||
        !workspace_size || *(const uint64_t *)way < 0x77 || *(const uint64_t *)way > 0x78)
        return INVALID;
    if (stream_wait(stream))
        return NOT_INITIALISED;
    for (uint64_t j = 0; j < of_d->columns; j++)
        for (uint64_t i = 0; i < of_d->rows; i++) {
            int32_t sum = 0;
            for (uint64_t l = 0; l < of_a->rows; l++)
                sum += left[i * (uint64_t)of_a->stride + l] *
                       right[j * (uint64_t)of_b->stride + l];
            to[j * (uint64_t)of_d->stride + i] = sum;
        }
    if (mode && !strcmp(mode, "wrong"))
        to[5] += 1;
    return OK;
}
