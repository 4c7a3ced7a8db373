/*
 * naive_i8.cl - c = a b' as one would write it down: a work item makes 8 x 8 outputs from
 * char4 loads widened to int4, without local memory.
 *
 * What the OpenCL backend's products are measured against.  m and n are multiples of 8, k
 * of 4.
 *
 * SPDX-License-Identifier: MIT
 */
__kernel void naive_i8(__global const char *a, __global const char *bt, __global int *c,
                       uint n, uint k)
{
    const size_t row = 8 * get_global_id(0), column = 8 * get_global_id(1);
    int sums[8][8];

    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            sums[i][j] = 0;
    for (uint l = 0; l < k; l += 4) {
        int4 x[8], y[8];

        for (int i = 0; i < 8; i++) {
            x[i] = convert_int4(vload4(0, a + (row + i) * k + l));
            y[i] = convert_int4(vload4(0, bt + (column + i) * k + l));
        }
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 8; j++) {
                const int4 p = x[i] * y[j];

                sums[i][j] += p.x + p.y + p.z + p.w;
            }
    }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            c[(row + i) * n + column + j] = sums[i][j];
}
