#!/bin/sh
# run.sh - how much later than asked for sleepers wake, goru beside Go; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/lateness/run.sh [--runs N] [--workers LIST] [--peers LIST] [--out DIR] [CASE...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
install=no
deps_need cmake cc make python3
exec python3 -B "$root/bench/lateness/lateness.py" "$@"
