#!/bin/sh
# Claim: test_conformance holds on CUDA too, as far as a stand-in for the driver and its executor can show it.
# labels: plain
# Other rows are shown by test_cuda_products, which launches them without a driver.
[ -e "$BUILD/stand-in/libcuda.so.1" ] || {
    echo "the stand-in for libcuda.so.1 is not built here"
    exit 77
}
SUBJECTS=mma_lane CONFORMANCE_K_MAX=1024 exec "$BUILD/test_conformance"
