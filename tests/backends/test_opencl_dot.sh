#!/bin/sh
# Claim: the product with the device's own dot product compiles, takes the packed signed dot and never its saturating
# form (sums wrap), and without it no dot product is called; the other ways to multiply compile without a complaint;
# and where ptxas is there: on a card, sums stay in registers.
# labels: plain
set -u
texts=$BUILD/backends/opencl_texts.c
[ -f "$texts" ] || { echo "this build has no OpenCL backend"; exit 77; }
command -v clang >/dev/null || { echo "clang is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
python3 - "$texts" >"$work/all.cl" <<'END'
import re, sys
for line in re.findall(r'^    "((?:[^"\\]|\\.)*)",$', open(sys.argv[1]).read(), re.M):
    sys.stdout.write(line.encode().decode("unicode_escape"))
END
# made NAME OPTIONS...: as code of no particular machine, calls by name
made() {
    name=$1
    shift
    clang -x cl -Xclang -finclude-default-header -Wall -Werror -Wno-unused-function -O2 -emit-llvm -S \
        --target=spir64 "$@" "$work/all.cl" -o "$work/$name.ll" || { echo "FAILED   $name does not compile"; exit 1; }
}
made dot -cl-std=CL3.0 -Xclang -cl-ext=+cl_khr_integer_dot_product -D__opencl_c_integer_dot_product_input_4x8bit_packed=1 \
    -DBLOCK_LOCAL -DDOT_KHR
made local -cl-std=CL1.2 -DBLOCK_LOCAL -DDOT_NONE
made vector -cl-std=CL1.2 -DBLOCK_VECTOR -DDOT_NONE
made barrier -cl-std=CL1.2 -DBLOCK_VECTOR -DDOT_NONE -DKERNEL_BARRIER
grep -q 'call.*dot_4x8packed_ss_int' "$work/dot.ll" || { echo "FAILED   the dot product is not taken"; exit 1; }
if grep -q 'dot_acc_sat\|_sat_' "$work/dot.ll" || grep -q 'dot_' "$work/local.ll" "$work/vector.ll"; then
    echo "FAILED   a saturating dot product, or one where there is none"
    exit 1
fi
echo "ok       dot, local, vector, barrier"

cat "$SOURCE/tests/stand_in/opencl_builtins.cl" "$work/all.cl" >"$work/card.cl"
# card OPTION: what ptxas says of the product
card() {
    clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header --target=nvptx64-nvidia-nvcl -Xclang -target-cpu \
        -Xclang sm_75 -Xclang -target-feature -Xclang +ptx63 -O3 -S -w -DBLOCK_LOCAL "$1" "$work/card.cl" \
        -o "$work/card.ptx" || { echo "FAILED   $1 does not compile for a card"; exit 1; }
    ptxas -arch=sm_75 -v "$work/card.ptx" -o "$work/card.cubin" 2>&1 | grep -A3 "entry function 'opencl_multiply'" \
        >"$work/said"
    grep -q ' 0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads' "$work/said" || {
        echo "FAILED   $1: sums leave their registers"
        cat "$work/said"
        exit 1
    }
    echo "ok       $1: $(grep -o 'Used [0-9]* registers' "$work/said"), no stack"
}
PATH=$PATH:/usr/local/cuda/bin
command -v ptxas >/dev/null || { echo "skipped  a card's registers: there is no ptxas"; exit 0; }
card -DDOT_NVIDIA
[ "$(grep -c 'dp4a.s32.s32' "$work/card.ptx")" -ge 128 ] || { echo "FAILED   dp4a is not taken"; exit 1; }
card -DDOT_NONE
