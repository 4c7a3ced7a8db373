#!/bin/sh
# Claim: no CUDA kernel moves memory behind the executor's back: compiled for it, none of them calls memcpy or memmove.
# labels: plain
cd "${BUILD:?}" || exit 1
objects=$(find CMakeFiles/cuda_host_kernels.dir CMakeFiles/executor_case_kernels.dir -name '*.cu.o' 2>/dev/null)
[ -n "$objects" ] || { echo "skipped  no kernel was compiled for the executor"; exit 77; }
failed=0
for object in $objects; do
    if ! nm -u "$object" | grep -q __tsan_; then
        echo "FAILED   $object tells the executor of no access"
        failed=1
    fi
    if nm -u "$object" | grep -E ' (memcpy|memmove)$'; then
        echo "FAILED   $object: copy words one by one, or with load_16 and store_16"
        failed=1
    fi
done
echo "checked  $(echo "$objects" | wc -l) files of kernels"
exit $failed
