/*
 * gpu_instructions.cu - every word of ptx.h on a card, beside the executor: random and
 * extreme operands, one verdict a line, at the end "N passed, N failed".
 *
 *     cmake --build build --target gpu_instructions && build/gpu_instructions
 *
 * Exit status 0: no bit differs; 1: some do, and what the executor says of kernels with those
 * words does not hold for this card; 77: no card.  A word that this card does not have is left
 * out.  Every case runs in a process of its own, so that one that breaks, or never ends, takes
 * no other with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/executor/hopper_cases.cu"
#include "tests/executor/instruction_cases.cu"
#undef CASE
#include "tests/executor/executor.h"
#include "tests/executor/instruction_cases.h"

static const void *const kernels[] = {
#define CASE(name, ...) (const void *)case_##name,
#include "tests/executor/instruction_cases.def"
#undef CASE
};

/* cuTensorMapEncodeTiled: bytes, two dimensions, no interleave, zeros outside. */
typedef int tensor_encode(void *map, int type, uint32_t rank, void *base,
                          const uint64_t *size, const uint64_t *stride, const uint32_t *box,
                          const uint32_t *step, int interleave, int swizzle, int promotion,
                          int fill);

struct sides {
    uint32_t *in, *out;                 /* on the host, of the executor's memory */
    void *device_in, *device_out;
    uint32_t *answer; /* what the card left in device_out */
    struct tensor_map map, device_map;
};

static int map_make(const struct instruction_case *c, struct sides *s)
{
    const int plain = strcmp(c->name, "case_tma_load") == 0;
    const int halves = strcmp(c->name, "case_tma_many") == 0;
    const uint64_t size[2] = {TENSOR_WIDTH, TENSOR_HEIGHT}, stride[1] = {TENSOR_WIDTH};
    const uint32_t box[2] = {plain ? 64u : 128u, plain || halves ? 64u : 128u};
    const uint32_t step[2] = {1, 1};
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    tensor_encode *encode =
        library ? (tensor_encode *)dlsym(library, "cuTensorMapEncodeTiled") : NULL;

    executor_tensor_map(&s->map, s->in, size, TENSOR_WIDTH, box, !plain);
    if (c->arch != 90)
        return 0;
    if (!encode)
        return -1;
    return encode(&s->device_map, 0, 2, s->device_in, size, stride, box, step, 0,
                  plain ? 0 : 3, 0, 0);
}

static const char *device_run(const struct instruction_case *c, const void *kernel,
                              struct sides *s)
{
    const size_t in_bytes = 4 * (size_t)c->in_words + 4, out_bytes = 4 * (size_t)c->out_words;
    void *arguments[] = {&s->device_in, &s->device_out, &s->device_map};
    cudaLaunchConfig_t config = {};
    cudaLaunchAttribute cluster = {};
    uint32_t grid[3];
    cudaError_t error;

    instruction_grid(c, grid);
    cudaMemcpy(s->device_in, s->in, in_bytes, cudaMemcpyHostToDevice);
    cudaMemcpy(s->device_out, s->out, out_bytes, cudaMemcpyHostToDevice);
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         (int)c->shared_bytes);
    config.gridDim = dim3(grid[0], grid[1], grid[2]);
    config.blockDim = dim3(c->threads);
    config.dynamicSmemBytes = c->shared_bytes;
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = c->cluster;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    config.attrs = &cluster;
    config.numAttrs = c->cluster ? 1 : 0;
    cudaLaunchKernelExC(&config, kernel, arguments);
    error = cudaMemcpy(s->answer, s->device_out, out_bytes, cudaMemcpyDeviceToHost);
    if (!error)
        error = cudaGetLastError();
    return error ? cudaGetErrorString(error) : NULL;
}

static const char *host_run(const struct instruction_case *c, struct sides *s)
{
    void *arguments[] = {&s->in, &s->out, &s->map};
    struct executor_launch launch = {c->name,         {1, 1, 1}, c->threads,
                                     c->shared_bytes, arguments, c->cluster};

    instruction_grid(c, launch.grid);
    return executor_run(&launch, executor_mode(0));
}

/* 1: the round was alike on both sides; else it was told why not. */
static int round_run(const struct instruction_case *c, const void *kernel, uint32_t round,
                     struct sides *s)
{
    const char *fault;

    instruction_operands(s->in, c->in_words, round);
    for (uint32_t i = 0; i < c->out_words; i++)
        s->out[i] = instruction_before(i);
    if (map_make(c, s) != 0) {
        printf("FAILED   %s: the driver makes no tensor map\n", c->name + 5);
        return 0;
    }
    fault = device_run(c, kernel, s);
    if (!fault)
        fault = host_run(c, s);
    if (fault) {
        printf("FAILED   %s, round %u: %s\n", c->name + 5, round, fault);
        return 0;
    }
    for (uint32_t i = 0; i < c->out_words; i++) {
        if (s->answer[i] == s->out[i])
            continue;
        printf("FAILED   %s, round %u, word %u: the card says %08x, the executor %08x\n",
               c->name + 5, round, i, s->answer[i], s->out[i]);
        return 0;
    }
    return 1;
}

static int case_run(const struct instruction_case *c, const void *kernel)
{
    const size_t in_bytes = 4 * (size_t)c->in_words + 4, out_bytes = 4 * (size_t)c->out_words;
    struct sides s;
    int passed = 1;

    memset(&s, 0, sizeof s);
    s.in = (uint32_t *)executor_memory_new(in_bytes);
    s.out = (uint32_t *)executor_memory_new(out_bytes);
    s.answer = (uint32_t *)malloc(out_bytes);
    cudaMalloc(&s.device_in, in_bytes);
    cudaMalloc(&s.device_out, out_bytes);
    for (uint32_t round = 0; passed && round < INSTRUCTION_ROUNDS; round++)
        passed = round_run(c, kernel, round, &s);
    if (passed)
        printf("passed   %s\n", c->name + 5);
    cudaFree(s.device_in);
    cudaFree(s.device_out);
    free(s.answer);
    executor_memory_free(s.in);
    executor_memory_free(s.out);
    return passed;
}

/* What a process that ran a case, or looked at a card, ends with. */
enum { CASE_PASSED, CASE_FAILED, CASE_LEFT_OUT, CASE_LOST, CASE_SECONDS = 60 };

static uint32_t card_arch(int card, cudaDeviceProp *properties)
{
    if (cudaSetDevice(card) || cudaGetDeviceProperties(properties, card))
        return 0;
    return (uint32_t)(properties->major * 10 + properties->minor);
}

static int card_case(int card, size_t which)
{
    const struct instruction_case *c = &instruction_cases[which];
    cudaDeviceProp properties;
    const uint32_t arch = card_arch(card, &properties);

    if (c->arch > arch || (c->arch == 90 && arch != 90)) {
        printf("left out %s: for compute capability %u.%u\n", c->name + 5, c->arch / 10,
               c->arch % 10);
        return CASE_LEFT_OUT;
    }
    return case_run(c, kernels[which]) ? CASE_PASSED : CASE_FAILED;
}

static int card_show(int card, size_t unused)
{
    cudaDeviceProp properties;

    (void)unused;
    if (card_arch(card, &properties) == 0)
        return CASE_FAILED;
    printf("card     %s, compute capability %d.%d\n", properties.name, properties.major,
           properties.minor);
    return CASE_PASSED;
}

/* Where even this breaks there seem to be some, on which everything fails. */
static int cards_count(int unused, size_t unused_too)
{
    int count = 0;

    (void)unused, (void)unused_too;
    return cudaGetDeviceCount(&count) ? 0 : count;
}

/* The work's answer, given in a process of its own. */
static int apart(int (*work)(int card, size_t which), int card, size_t which)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(CASE_SECONDS);
        status = work(card, which);
        fflush(stdout);
        _exit(status);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return CASE_LOST;
    return WEXITSTATUS(status);
}

static int card_run(int card)
{
    uint32_t passed = 0, failed = 0;

    apart(card_show, card, 0);
    for (size_t i = 0; i < INSTRUCTION_CASES; i++) {
        const int answer = apart(card_case, card, i);

        if (answer == CASE_LOST)
            printf("FAILED   %s: its process broke, or did not end within %d s\n",
                   instruction_cases[i].name + 5, CASE_SECONDS);
        passed += answer == CASE_PASSED;
        failed += answer != CASE_PASSED && answer != CASE_LEFT_OUT;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0;
}

int main(void)
{
    const int count = apart(cards_count, 0, 0);
    int same = 1;

    if (count == 0) {
        printf("skipped  no CUDA card\n");
        return 77;
    }
    for (int card = 0; card < count; card++)
        same &= card_run(card);
    return same ? 0 : 1;
}
