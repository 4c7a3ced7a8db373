/*
 * ptx_host.h - the words of ptx.h under a host C++ compiler: calls into the executor
 * (tests/executor), and the list of kernels it can launch.
 *
 * Kernels are compiled with -fsanitize=thread: the executor answers those callbacks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_HOST_H
#define MINERVA_BACKENDS_CUDA_PTX_HOST_H

#include <stddef.h>
#include <utility>

#define KERNEL_FN extern "C" __attribute__((noinline))
#define EACH(index, from, to)                                                            \
    for (u64 index = (from) + (u64)block_index() * thread_count() + thread_index();      \
         index < (to); index += (u64)block_count() * thread_count())
#include "kernels/vocabulary.h"

#include "backends/cuda/ptx_executor.h"

#define KERNEL(name, threads, blocks, ...)                                               \
    extern "C" void name(__VA_ARGS__);                                                   \
    EXECUTOR_ENTRY(name, threads)                                                        \
    extern "C" __attribute__((noinline)) void name(__VA_ARGS__)
#define EXECUTOR_ENTRY(name, threads)                                                    \
    static struct executor_kernel name##_entry = {                                       \
        #name,                                                                           \
        executor_call<decltype(&name), &name>,                                           \
        threads,                                                                         \
        executor_arguments<decltype(&name)>::count,                                      \
        executor_arguments<decltype(&name)>::sizes,                                      \
        nullptr};                                                                        \
    __attribute__((constructor)) static void name##_enters()                             \
    {                                                                                    \
        executor_register(&name##_entry);                                                \
    }

#define UNROLL
#define SHARED_BYTES     executor_shared()
#define SHARED(type, at) ((type *)(executor_shared() + (at)))
#define TENSOR_MAP(name) const struct tensor_map name

struct tensor_map {
    u64 words[16];
};

/* How large they are, for whoever keeps them until the launch happens. */
template <typename F> struct executor_arguments;
template <typename... P> struct executor_arguments<void (*)(P...)> {
    static constexpr u32 count = sizeof...(P);
    static constexpr size_t sizes[] = {sizeof(P)..., 0};
};

/* Unpacks the arguments as cuLaunchKernel gives them: a pointer to each. */
template <typename F, F kernel> struct executor_caller;
template <typename... P, void (*kernel)(P...)>
struct executor_caller<void (*)(P...), kernel> {
    template <size_t... I>
    __attribute__((no_sanitize("thread"), noinline)) static void
    call(void *const *arguments, std::index_sequence<I...>)
    {
        (void)arguments;
        kernel(*(P *)arguments[I]...);
    }
};
template <typename... P>
constexpr std::index_sequence_for<P...> executor_places(void (*)(P...))
{
    return {};
}
template <typename F, F kernel>
__attribute__((no_sanitize("thread"))) void executor_call(void *const *arguments)
{
    executor_caller<F, kernel>::call(arguments, executor_places(kernel));
}

template <u32 TABLE> DEVICE_FN u32 lop3(u32 a, u32 b, u32 c)
{
    return executor_lop3(a, b, c, TABLE);
}

template <u32 SIZE> DEVICE_FN void copy_async_part(u32 to, const void *from, u32 bytes)
{
    static_assert(SIZE == 4 || SIZE == 8 || SIZE == 16, "4, 8 or 16 bytes");
    executor_copy_async(to, from, SIZE, bytes);
}

template <u32 SIZE> DEVICE_FN void copy_async(u32 to, const void *from)
{
    copy_async_part<SIZE>(to, from, SIZE);
}

template <u32 PENDING> DEVICE_FN void copy_async_wait(void)
{
    executor_copy_async_wait(PENDING);
}

template <u32 COUNT> DEVICE_FN void registers_take(void)
{
    executor_registers(COUNT, 1);
}

template <u32 COUNT> DEVICE_FN void registers_give(void)
{
    executor_registers(COUNT, 0);
}

template <u32 PENDING, u32 COUNT> DEVICE_FN void wgmma_wait(i32 (&d)[COUNT])
{
    (void)d;
    executor_wgmma_wait(PENDING);
}

template <u32 COUNT> DEVICE_FN void wgmma_k32(i32 (&d)[COUNT], u64 a, u64 b, u32 add)
{
    static_assert(COUNT == 32 || COUNT == 64 || COUNT == 128, "places of a product");
    executor_wgmma(d, COUNT * 2, a, b, add);
}

#endif
