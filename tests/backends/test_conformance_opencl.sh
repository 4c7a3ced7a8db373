#!/bin/sh
# Claim: test_conformance holds on OpenCL too, by every way to multiply that a device has.
# labels: plain opencl
# Skipped where there is no usable device, unless MINERVA_TEST_OPENCL says that there must be one.
"$MINERVA" devices --quick --json | python3 -c '
import json, sys
sys.exit(not any(d["backend"] == "opencl" and d["usable"] for d in json.load(sys.stdin)["devices"]))' || {
    echo "no usable OpenCL device"
    [ -z "${MINERVA_TEST_OPENCL:-}" ] && exit 77
    exit 1
}
SUBJECTS=opencl exec "$BUILD/test_conformance"
