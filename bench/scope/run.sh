#!/bin/sh
# run.sh - what scopes cost, goru beside Go's errgroup and context; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/scope/run.sh [--runs N] [--workers LIST] [--peers LIST] [--out DIR] [CASE...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
install=no
deps_need cmake cc make python3
exec python3 -B "$root/bench/scope/scope.py" "$@"
