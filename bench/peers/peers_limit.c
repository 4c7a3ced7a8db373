/*
 * peers_limit.c - dots on registers alone, in assembly so that no compiler has a say.
 *
 * 14 chains hide the latency of every processor so far; each thread has its own clock and
 * the rates are added, so that starting threads costs nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "backends/cpu/cpu_features.h"
#include "bench/peers/peers.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

enum { THREADS_MAX = 256, LOOPS = 2000000 };

#define BUSD(chain) "vpdpbusd %%zmm15, %%zmm14, %%zmm" #chain "\n\t"
#define PAIR(chain, temporary)                                                           \
    "vpmaddwd %%ymm15, %%ymm14, %%ymm" #temporary "\n\t"                                 \
    "vpaddd %%ymm" #temporary ", %%ymm" #chain ", %%ymm" #chain "\n\t"
#define ALL_REGISTERS                                                                    \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",        \
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* Multiply-accumulates of one loop: 14 of 64 bytes each; 7 of 16 words each. */
enum { BUSD_MACS = 14 * 64, PAIR_MACS = 7 * 16 };

static void busd_loops(uint64_t loops)
{
    __asm__ volatile("1:\n\t" BUSD(0) BUSD(1) BUSD(2) BUSD(3) BUSD(4) BUSD(5) BUSD(6)
                         BUSD(7) BUSD(8) BUSD(9) BUSD(10) BUSD(11) BUSD(12)
                             BUSD(13) "dec %0\n\t"
                                      "jnz 1b\n\t"
                                      "vzeroupper"
                     : "+r"(loops)
                     :
                     : ALL_REGISTERS);
}

static void pair_loops(uint64_t loops)
{
    __asm__ volatile("1:\n\t" PAIR(0, 7) PAIR(1, 8) PAIR(2, 9) PAIR(3, 10) PAIR(4, 11)
                         PAIR(5, 12) PAIR(6, 13) "dec %0\n\t"
                                                 "jnz 1b\n\t"
                                                 "vzeroupper"
                     : "+r"(loops)
                     :
                     : ALL_REGISTERS);
}

struct worker {
    struct bench *bench;
    struct thread *thread;
    double rate;
};

struct bench {
    void (*loops)(uint64_t loops);
    double macs; /* of one loop */
    uint32_t threads;
    struct worker workers[THREADS_MAX];
};

static void worker_main(void *context)
{
    struct worker *worker = context;
    const uint64_t start = clock_ns();

    worker->bench->loops(LOOPS);
    worker->rate = LOOPS * worker->bench->macs / (double)(clock_ns() - start);
}

static void limit_close(struct bench *bench)
{
    memory_free(bench);
}

static enum status limit_run(struct bench *bench, double *value, struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 1; i < bench->threads && !status; i++)
        status = thread_start("limit", worker_main, &bench->workers[i],
                              &bench->workers[i].thread);
    worker_main(&bench->workers[0]);
    *value = bench->workers[0].rate;
    for (uint32_t i = 1; i < bench->threads; i++) {
        thread_join(bench->workers[i].thread);
        bench->workers[i].thread = NULL;
        *value += bench->workers[i].rate;
    }
    return status ? error_set(err, status, "a thread did not start") : STATUS_OK;
}

static enum status limit_open(const struct bench_setup *setup, struct bench **out,
                              struct error *err)
{
    struct bench *bench = *out = memory_new(struct bench);

    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    bench->threads = device_info(setup->device)->threads;
    if (bench->threads > THREADS_MAX)
        bench->threads = THREADS_MAX;
    for (uint32_t i = 0; i < bench->threads; i++)
        bench->workers[i].bench = bench;
    return STATUS_OK;
}

static enum status vnni_open(const struct bench_setup *setup, struct bench **out,
                             struct error *err)
{
    const uint32_t needed = CPU_AVX512 | CPU_VNNI;
    enum status status;

    *out = NULL;
    if ((cpu_features() & needed) != needed)
        return error_set(err, STATUS_ABSENT, "this processor has no AVX-512 VNNI");
    status = limit_open(setup, out, err);
    if (!status) {
        (*out)->loops = busd_loops;
        (*out)->macs = BUSD_MACS;
    }
    return status;
}

static enum status avx2_open(const struct bench_setup *setup, struct bench **out,
                             struct error *err)
{
    enum status status;

    *out = NULL;
    if (!(cpu_features() & CPU_AVX2))
        return error_set(err, STATUS_ABSENT, "this processor has no AVX2");
    status = limit_open(setup, out, err);
    if (!status) {
        (*out)->loops = pair_loops;
        (*out)->macs = PAIR_MACS;
    }
    return status;
}

static void limit_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    (void)bench;
    snprintf(text, BENCH_SHAPE_MAX, "registers");
}

const struct bench_kind limit_vnni = {
    .name = "limit_vpdpbusd",
    .unit = "GMAC/s",
    .open = vnni_open,
    .close = limit_close,
    .run = limit_run,
    .shape = limit_shape,
};

const struct bench_kind limit_avx2 = {
    .name = "limit_vpmaddwd",
    .unit = "GMAC/s",
    .open = avx2_open,
    .close = limit_close,
    .run = limit_run,
    .shape = limit_shape,
};
