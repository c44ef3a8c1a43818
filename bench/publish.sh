#!/bin/sh
# publish.sh - measures anew all figures of README.md and docs/performance.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/publish.sh [OPTION...]      the options of run.sh, such as --quick
#
# run.sh, growth.py and publish.py, one after the other; an hour or so, on a machine that has nothing else to do.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
sh "$root/bench/run.sh" --no-chart "$@"
quick=
for arg; do
	[ "$arg" != --quick ] || quick=--quick
done
python3 -B "$root/bench/growth.py" --no-chart $quick
python3 -B "$root/bench/publish.py" "$root/build-bench/results.json" "$root/build-bench/growth.json"
