/*
 * stand_in_find.h - the switches of the stand-in that this process will find as
 * libcuda.so.1.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_STAND_IN_FIND_H
#define MINERVA_TESTS_STAND_IN_FIND_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "tests/stand_in/cuda_stand_in.h"

/* Ends the program as skipped where the library is not there, or this build has no CUDA
 * kernels.  It stays open. */
static inline struct cuda_stand_in *stand_in_find(void)
{
    struct cuda_stand_in *(*find)(void);
    void *library = dlopen("libcuda.so.1", RTLD_NOW), *symbol;

    symbol = library ? dlsym(library, "cuda_stand_in") : NULL;
    if (!symbol || backend_find("cuda")->absent) {
        puts(symbol ? "this build has no CUDA kernels"
                    : "the stand-in for libcuda.so.1 is not there");
        exit(77);
    }
    memcpy(&find, &symbol, sizeof find);
    return find();
}

/* A cmocka test whose state is `stand_in`. */
#define STAND_IN_TEST(name)                                                              \
    {                                                                                    \
#name, name, NULL, NULL, stand_in                                                \
    }

#endif
