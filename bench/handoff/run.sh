#!/bin/sh
# run.sh - how long others wait for one that blocks or computes, goru beside Go; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/handoff/run.sh [--runs N] [--workers LIST] [--peers LIST] [--histograms] [--out DIR] [CASE...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
install=no
deps_need cmake cc make python3
exec python3 -B "$root/bench/handoff/handoff.py" "$@"
