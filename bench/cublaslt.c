/*
 * cublaslt.c - NVIDIA's own int8 product.
 *
 * The library counts in columns: its product is (c transposed) = (bt transposed)
 * transposed times (a transposed), "TN", which is how it is fastest.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/cublaslt.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

enum { /* numbers of the library's interface; they do not change */
       LT_OK = 0,
       LT_TYPE_I8 = 3,
       LT_TYPE_I32 = 10,
       LT_COMPUTE_I32 = 72,
       LT_TRANSPOSED = 1,
       LT_DESC_TRANSPOSE_A = 3,
       LT_PREFERENCE_WORKSPACE = 1,
       NAME_SIZE = 256,
};

struct cublaslt_way { /* cublasLtMatmulHeuristicResult_t */
    uint64_t algorithm[8];
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};
_Static_assert(sizeof(struct cublaslt_way) == 96, "the library's own layout");

struct cublaslt {
    void *library;
#define CUBLASLT_CALL(slot, symbol, parameters) int(*slot) parameters;
#include "bench/cublaslt.def"
#undef CUBLASLT_CALL
    char name[NAME_SIZE];
    void *handle, *desc, *a, *b, *c, *preference;
    struct cublaslt_product product;
    struct cublaslt_way ways[CUBLASLT_WAYS_MAX];
    int count;
};

static enum status refuse(struct error *err, const char *what, int code)
{
    return error_set(err, STATUS_NOT_SUPPORTED, "cuBLASLt: %s failed (status %d)", what,
                     code);
}

static bool symbol_find(void *library, const char *symbol, void *slot)
{
    void *found = dlsym(library, symbol);

    memcpy(slot, &found, sizeof found);
    return found != NULL;
}

static enum status symbols_find(struct cublaslt *lt, struct error *err)
{
#define CUBLASLT_CALL(slot, symbol, parameters)                                          \
    if (!symbol_find(lt->library, #symbol, &lt->slot))                                   \
        return error_set(err, STATUS_ABSENT, "%s has no " #symbol, lt->name);
#include "bench/cublaslt.def"
#undef CUBLASLT_CALL
    return STATUS_OK;
}

static enum status library_open(struct cublaslt *lt, const char *path, struct error *err)
{
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12",
                                        "libcublasLt.so.11"};
    const size_t count = path ? 1 : sizeof names / sizeof names[0];

    for (size_t i = 0; i < count && !lt->library; i++) {
        snprintf(lt->name, sizeof lt->name, "%s", path ? path : names[i]);
        lt->library = dlopen(lt->name, RTLD_NOW | RTLD_LOCAL);
    }
    if (lt->library)
        return symbols_find(lt, err);
    if (path)
        return error_set(err, STATUS_ABSENT, "%s cannot be opened", path);
    return error_set(
        err, STATUS_ABSENT,
        "libcublasLt.so.13, .12 and .11 are not found: give --cublaslt PATH");
}

static enum status descriptions_make(struct cublaslt *lt, struct error *err)
{
    const struct cublaslt_product *p = &lt->product;
    const int transposed = LT_TRANSPOSED;
    const uint64_t workspace = CUBLASLT_WORKSPACE;
    int code = lt->create(&lt->handle);

    if (!code)
        code = lt->desc_create(&lt->desc, LT_COMPUTE_I32, LT_TYPE_I32);
    if (!code)
        code =
            lt->desc_set(lt->desc, LT_DESC_TRANSPOSE_A, &transposed, sizeof transposed);
    if (!code)
        code = lt->layout_create(&lt->a, LT_TYPE_I8, p->k, p->n, p->k);
    if (!code)
        code = lt->layout_create(&lt->b, LT_TYPE_I8, p->k, p->m, p->k);
    if (!code)
        code = lt->layout_create(&lt->c, LT_TYPE_I32, p->n, p->m, p->n);
    if (!code)
        code = lt->preference_create(&lt->preference);
    if (!code)
        code = lt->preference_set(lt->preference, LT_PREFERENCE_WORKSPACE, &workspace,
                                  sizeof workspace);
    return code == LT_OK ? STATUS_OK : refuse(err, "making ready", code);
}

static enum status ways_find(struct cublaslt *lt, struct error *err)
{
    const struct cublaslt_product *p = &lt->product;
    const int code =
        lt->heuristic(lt->handle, lt->desc, lt->a, lt->b, lt->c, lt->c, lt->preference,
                      CUBLASLT_WAYS_MAX, lt->ways, &lt->count);

    if (code || lt->count <= 0)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "%s knows no int8 product of %u x %u x %u (status %d)", lt->name,
                         p->m, p->n, p->k, code);
    assert(lt->count <= CUBLASLT_WAYS_MAX);
    return STATUS_OK;
}

enum status cublaslt_open(const char *path, const struct cublaslt_product *product,
                          struct cublaslt **out, struct error *err)
{
    struct cublaslt *lt = memory_new(struct cublaslt);
    enum status status;

    *out = NULL;
    if (!lt)
        return error_set(err, STATUS_NO_MEMORY, "no memory for cuBLASLt");
    lt->product = *product;
    status = library_open(lt, path, err);
    if (!status)
        status = descriptions_make(lt, err);
    if (!status)
        status = ways_find(lt, err);
    if (status) {
        cublaslt_close(lt);
        return status;
    }
    *out = lt;
    return STATUS_OK;
}

/* What was made has its way back; whatever it answers, nothing could be done about it. */
void cublaslt_close(struct cublaslt *lt)
{
    if (!lt)
        return;
    if (lt->preference)
        (void)lt->preference_destroy(lt->preference);
    if (lt->c)
        (void)lt->layout_destroy(lt->c);
    if (lt->b)
        (void)lt->layout_destroy(lt->b);
    if (lt->a)
        (void)lt->layout_destroy(lt->a);
    if (lt->desc)
        (void)lt->desc_destroy(lt->desc);
    if (lt->handle)
        (void)lt->destroy(lt->handle);
    /* The library stays: it does not stand being loaded twice in one process. */
    memory_free(lt);
}

uint32_t cublaslt_ways(const struct cublaslt *lt)
{
    return (uint32_t)lt->count;
}

enum status cublaslt_run(struct cublaslt *lt, uint32_t way, struct error *err)
{
    const struct cublaslt_product *p = &lt->product;
    const int32_t one = 1, none = 0;
    void *c = (void *)(uintptr_t)p->c;
    int code;

    assert(way < (uint32_t)lt->count);
    code = lt->matmul(lt->handle, lt->desc, &one, (const void *)(uintptr_t)p->bt, lt->a,
                      (const void *)(uintptr_t)p->a, lt->b, &none, c, lt->c, c, lt->c,
                      lt->ways[way].algorithm, (void *)(uintptr_t)p->workspace,
                      CUBLASLT_WORKSPACE, p->stream);
    return code == LT_OK ? STATUS_OK : refuse(err, "the product", code);
}

const char *cublaslt_name(const struct cublaslt *lt)
{
    const char *slash = strrchr(lt->name, '/');

    return slash ? slash + 1 : lt->name;
}
