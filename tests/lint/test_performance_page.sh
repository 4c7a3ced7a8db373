#!/bin/sh
# Claim: docs/performance.md is what bench/page.py renders from the kept measurements; nobody typed a number.
# labels: plain
cd "${SOURCE:-.}" || exit 1
bench/page.py print | diff docs/performance.md - || {
    echo "docs/performance.md differs from what bench/page.py renders: run \`bench/page.py render\`"
    exit 1
}
