#!/bin/sh
# Claim: test_conformance holds on OpenCL too, by every way to multiply that a device has; and its texts and products
# with work groups of half the size, with few work items at a time, and in many short slices.
# labels: plain opencl
# Skipped where there is no usable device, unless MINERVA_TEST_OPENCL says that there must be one.
"$MINERVA" devices --quick --json | python3 -c '
import json, sys
sys.exit(not any(d["backend"] == "opencl" and d["usable"] for d in json.load(sys.stdin)["devices"]))' || {
    echo "no usable OpenCL device"
    [ -z "${MINERVA_TEST_OPENCL:-}" ] && exit 77
    exit 1
}
SUBJECTS=opencl "$BUILD/test_conformance" || exit 1
[ -e "$BUILD/stand-in/libopencl_shim.so" ] || {
    echo "other sizes are not seen: the stand-in for the loader is not built here"
    exit 0
}
# Sizes that the loader's stand-in gives instead (tests/stand_in/opencl_shim.h).  8 is what the known answers at the
# start take on a processor, so it is not compiled for this alone.
for widths in "items=8 lanes=24" "lanes=1" "slow=1000"; do
    echo "with $widths"
    MINERVA_OPENCL=$BUILD/stand-in/libopencl_shim.so OPENCL_SHIM=$widths SUBJECTS=vector CONFORMANCE_K_MAX=1024 \
        "$BUILD/test_conformance" || exit 1
done
