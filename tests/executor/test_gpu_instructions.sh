#!/bin/sh
# Claim: the program that shows instructions on a card has code for every architecture that products have kernels for.
# labels: plain
# 8.6 and 8.9 run what was compiled for 8.0.
cd "${BUILD:?}" || exit 1
[ -e gpu_instructions ] || { echo "skipped  gpu_instructions is not built here"; exit 77; }
failed=0
for ptx in cuda/cuda_peak.*.ptx cuda/cuda_peak_wgmma.*.ptx; do
    [ -e "$ptx" ] || continue
    arch=${ptx%.ptx}
    arch=${arch##*.}
    case $arch in 86 | 89) continue ;; esac
    if ! grep 'COMMAND = .*-o .*gpu_instructions ' build.ninja | grep -q "arch=compute_$arch,code=sm_$arch "; then
        echo "FAILED   gpu_instructions has no code for sm_$arch"
        failed=1
    fi
done
exit $failed
