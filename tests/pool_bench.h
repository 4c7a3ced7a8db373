/*
 * pool_bench.h - a pool thread under test, the scripted pool it speaks to, and both ends
 * of its queues.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_POOL_BENCH_H
#define MINERVA_TESTS_POOL_BENCH_H

#include "pool-protocol/pool.h"
#include "tests/pool_script.h"

#define BENCH_SESSION "0123456789abcdef0123456789abcdef"
#define BENCH_TASK    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BENCH_WELCOME                                                                    \
    "\"result\":true,\"error\":null,\"protocol\":\"pouw/1\",\"artifacts\":\"/"           \
    "artifacts\","                                                                       \
    "\"http_port\":3380,\"session\":\"" BENCH_SESSION "\"}"
#define BENCH_ACCEPTED        "\"result\":true,\"error\":null}"
#define BENCH_RESULT_ACCEPTED "\"result\":{\"status\":\"accepted\"},\"error\":null}"

struct bench { /* a pool thread, the pool it speaks to, and the two ends of its queues */
    struct pool_script script;
    struct pool_ports ports;
    struct pool *pool;
    uint32_t shares; /* put, each with a proof of its own */
};

void bench_connect(struct bench *bench, const char *scheme);
int bench_open(void **state);
int bench_close(void **state);
struct news *bench_news(struct bench *bench, enum news_kind kind);
void bench_expect_news(struct bench *bench, enum news_kind kind, const char *part);
void bench_expect_verdict(struct bench *bench, enum news_kind kind, enum verdict verdict);
void bench_put_answer(struct bench *bench, enum answer_kind kind, size_t size);
void bench_put_share(struct bench *bench, const char *job_id);
void bench_say_job(struct bench *bench, const char *id);
void bench_say_assign(struct bench *bench);
int64_t bench_hear_hello(struct bench *bench, const char *part);
void bench_welcome(struct bench *bench);
void bench_answer_line(struct bench *bench, const char *part, const char *rest);
void bench_take_assignment(struct bench *bench);

#endif
