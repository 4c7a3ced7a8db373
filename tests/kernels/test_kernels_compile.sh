#!/bin/bash
# Claim: every text of kernels.def is OpenCL C 1.2 and CUDA as well as C, and as CUDA holds no
# operation that could round differently: no fused or unmarked float operation, no approximation, no
# flushing, no double.
# labels: plain
set -u
cd "${SOURCE:-$(dirname "$0")/../..}" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
texts=$(sed -n 's/^KERNEL([a-z0-9_]*, *\([a-z_]*\), *\([a-z0-9_]*\),.*/kernels\/\1\/\2.cl/p' kernels/kernels.def | uniq)
count=$(echo "$texts" | wc -l)
forbidden='fma\.|mad\.[a-z.]*f32|(mul|add|sub)\.f32|\.ftz|\.approx|div\.[a-z.]*f32|sqrt\.|ex2\.|lg2\.|sin\.|cos\.|\.f64'

if [ "$(find kernels -name '*.cl' | sort)" != "$(echo "$texts" | sort)" ]; then
    echo "FAILED   kernels.def and the .cl files differ:"
    diff <(find kernels -name '*.cl' | sort) <(echo "$texts" | sort)
    failed=1
fi

if command -v clang >/dev/null; then
    for text in $texts; do
        for barrier in "" -DKERNEL_BARRIER; do
            # shellcheck disable=SC2086
            clang -I. -x cl -cl-std=CL1.2 -fsyntax-only -Xclang -finclude-default-header -Wall -Wextra \
                -Wpedantic -Wshadow -Wconversion -Werror $barrier "$text" || failed=1
        done
    done
    echo "checked  $count texts as OpenCL C 1.2, with and without the barrier"
else
    echo "skipped  clang is not installed: no text was checked as OpenCL C"
fi

if ! command -v nvcc >/dev/null && [ -x /usr/local/cuda/bin/nvcc ]; then
    PATH=$PATH:/usr/local/cuda/bin
fi
if command -v nvcc >/dev/null; then
    for text in $texts; do echo "#include \"$text\""; done >"$work/texts.cu"
    # nvcc's own default is to contract: the words of the vocabulary must forbid it by themselves.
    if nvcc -I. -ptx -Werror all-warnings "$work/texts.cu" -o "$work/texts.ptx"; then
        if grep -nE "$forbidden" "$work/texts.ptx"; then
            echo "FAILED   these operations may round differently"
            failed=1
        fi
        kernels=$(grep -c '\.visible \.entry' "$work/texts.ptx")
        rounded=$(grep -cE '(mul|add|sub)\.rn\.f32' "$work/texts.ptx")
        [ "$kernels" = "$(grep -c '^KERNEL(' kernels/kernels.def)" ] && [ "$rounded" -gt 100 ] || failed=1
        echo "checked  $kernels kernels as CUDA: $rounded marked float operations, none unmarked"
    else
        failed=1
    fi
    # The search must see what it forbids.
    echo 'extern "C" __global__ void f(float *x) { x[0] = x[1] * x[2] + x[3]; x[4] = x[5] / x[6]; }' >"$work/control.cu"
    nvcc -ptx "$work/control.cu" -o "$work/control.ptx" && grep -qE 'fma\.' "$work/control.ptx" &&
        grep -qE "$forbidden" "$work/control.ptx" || { echo "FAILED   the search is blind"; failed=1; }
else
    echo "skipped  nvcc is missing: no text was checked as CUDA"
fi
exit $failed
