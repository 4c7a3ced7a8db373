#!/bin/sh
# Claim: test_conformance and test_limbs hold on CUDA too, as far as a stand-in for the driver and its executor can show it,
# on a card of one multiprocessor as on one of many; and one wrong bit in one launch does not pass.
# labels: plain
# Other rows are shown by test_cuda_products, which launches them without a driver.
[ -e "$BUILD/stand-in/libcuda.so.1" ] || {
    echo "the stand-in for libcuda.so.1 is not built here"
    exit 77
}
conformance() { # switches of the stand-in, row, longest k
    CUDA_STAND_IN=$1 SUBJECTS=$2 CONFORMANCE_K_MAX=$3 "$BUILD/test_conformance"
}
conformance "" mma_lane 1024 || exit 1
SUBJECTS=mma_any LIMBS_STEP=7 "$BUILD/test_limbs" || exit 1 # 32512 in X, -32513 in Y
for processors in 1 7; do
    conformance "processors=$processors" plain 100 || exit 1
done
if conformance "wrong_at=300" plain 100 >/dev/null 2>&1; then
    echo "does not hold: a wrong bit is seen"
    exit 1
fi
