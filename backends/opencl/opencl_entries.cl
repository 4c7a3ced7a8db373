/*
 * opencl_entries.cl - a kernel for each row of kernels.def, which follows: views are
 * a buffer and an offset in bytes, since buffers of OpenCL 1.2 have no inner pointers.
 *
 * SPDX-License-Identifier: MIT
 */
#define P_VIEW(index)                   GLOBAL u8 *v##index, u64 o##index
#define P_VIEWS1(a)                     P_VIEW(0)
#define P_VIEWS2(a, b)                  P_VIEWS1(a), P_VIEW(1)
#define P_VIEWS3(a, b, c)               P_VIEWS2(a, b), P_VIEW(2)
#define P_VIEWS4(a, b, c, d)            P_VIEWS3(a, b, c), P_VIEW(3)
#define P_VIEWS5(a, b, c, d, e)         P_VIEWS4(a, b, c, d), P_VIEW(4)
#define P_VIEWS6(a, b, c, d, e, f)      P_VIEWS5(a, b, c, d, e), P_VIEW(5)
#define P_VIEWS9(a, b, c, d, e, f, g, h, i)                                              \
    P_VIEWS6(a, b, c, d, e, f), P_VIEW(6), P_VIEW(7), P_VIEW(8)
#define P_SCALARS0()
#define P_SCALARS1(a)                   , a s0
#define P_SCALARS2(a, b)                P_SCALARS1(a), b s1
#define P_SCALARS3(a, b, c)             P_SCALARS2(a, b), c s2
#define P_SCALARS4(a, b, c, d)          P_SCALARS3(a, b, c), d s3
#define P_SCALARS5(a, b, c, d, e)       P_SCALARS4(a, b, c, d), e s4
#define P_SCALARS6(a, b, c, d, e, f)    P_SCALARS5(a, b, c, d, e), f s5
#define A_VIEW(type, index)             (GLOBAL type *)(v##index + o##index)
#define A_VIEWS1(a)                     A_VIEW(a, 0)
#define A_VIEWS2(a, b)                  A_VIEWS1(a), A_VIEW(b, 1)
#define A_VIEWS3(a, b, c)               A_VIEWS2(a, b), A_VIEW(c, 2)
#define A_VIEWS4(a, b, c, d)            A_VIEWS3(a, b, c), A_VIEW(d, 3)
#define A_VIEWS5(a, b, c, d, e)         A_VIEWS4(a, b, c, d), A_VIEW(e, 4)
#define A_VIEWS6(a, b, c, d, e, f)      A_VIEWS5(a, b, c, d, e), A_VIEW(f, 5)
#define A_VIEWS9(a, b, c, d, e, f, g, h, i)                                              \
    A_VIEWS6(a, b, c, d, e, f), A_VIEW(g, 6), A_VIEW(h, 7), A_VIEW(i, 8)
#define A_SCALARS0()
#define A_SCALARS1(a)                   , s0
#define A_SCALARS2(a, b)                A_SCALARS1(a), s1
#define A_SCALARS3(a, b, c)             A_SCALARS2(a, b), s2
#define A_SCALARS4(a, b, c, d)          A_SCALARS3(a, b, c), s3
#define A_SCALARS5(a, b, c, d, e)       A_SCALARS4(a, b, c, d), s4
#define A_SCALARS6(a, b, c, d, e, f)    A_SCALARS5(a, b, c, d, e), s5
#define KERNEL(name, folder, file, views, scalars)                                       \
    __kernel void entry_##name(u64 first, u64 last, P_##views P_##scalars)               \
    {                                                                                    \
        kernel_##name(first, last, A_##views A_##scalars);                               \
    }
