/*
 * opencl_builtins.cl - the functions of OpenCL that the kernels call, for NVIDIA's
 * instruction set, so that ptxas can say what a card would spend on them.
 *
 * For test_opencl_dot.sh; nothing of this runs.
 *
 * SPDX-License-Identifier: MIT
 */
#define WORD __attribute__((overloadable, always_inline))

__attribute__((convergent)) void barrier_of_a_block(void) __asm("llvm.nvvm.barrier0");

WORD size_t get_group_id(uint side)
{
    return __nvvm_read_ptx_sreg_ctaid_x();
}
WORD size_t get_local_id(uint side)
{
    return __nvvm_read_ptx_sreg_tid_x();
}
WORD size_t get_global_id(uint side)
{
    return get_group_id(0) * __nvvm_read_ptx_sreg_ntid_x() + get_local_id(0);
}
WORD size_t get_global_size(uint side)
{
    return (size_t)__nvvm_read_ptx_sreg_nctaid_x() * __nvvm_read_ptx_sreg_ntid_x();
}
WORD void barrier(uint fence)
{
    barrier_of_a_block();
}
WORD uint min(uint a, uint b)
{
    return a < b ? a : b;
}
WORD float convert_float_rte(int x)
{
    return (float)x;
}
WORD float convert_float_rte(long x)
{
    return (float)x;
}
WORD uint atomic_inc(volatile __global uint *word)
{
    return (*word)++;
}
WORD uint atomic_min(volatile __global uint *word, uint x)
{
    return *word = x;
}
WORD int4 vload4(size_t i, const __local int *from)
{
    return *(const __local int4 *)(from + 4 * i);
}
WORD int8 vload8(size_t i, const __local int *from)
{
    return (int8)(vload4(2 * i, from), vload4(2 * i + 1, from));
}
WORD int8 vload8(size_t i, const __global int *from)
{
    return *(const __global int8 *)(from + 8 * i);
}
WORD void vstore2(uint2 x, size_t i, __global uint *to)
{
    *(__global uint2 *)(to + 2 * i) = x;
}
WORD void vstore4(uint4 x, size_t i, __global uint *to)
{
    *(__global uint4 *)(to + 4 * i) = x;
}
WORD void vstore8(uint8 x, size_t i, __global uint *to)
{
    *(__global uint8 *)(to + 8 * i) = x;
}
WORD void vstore16(int16 x, size_t i, __global int *to)
{
    for (int j = 0; j < 16; j++)
        to[j] = x[j];
}
WORD void vstore16(int16 x, size_t i, int *to)
{
    for (int j = 0; j < 16; j++)
        to[j] = x[j];
}
WORD void vstore16(uint16 x, size_t i, uint *to)
{
    for (int j = 0; j < 16; j++)
        to[j] = x[j];
}
WORD int16 mad24(int16 a, int16 b, int16 c)
{
    return a * b + c;
}
