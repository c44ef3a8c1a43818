#!/bin/sh
# run.sh - how soon other workers help with eight tasks that one goroutine starts, goru beside Go; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/spread/run.sh [--runs N] [--workers N] [--peers LIST] [--out DIR]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
install=no
deps_need cmake cc make python3
exec python3 -B "$root/bench/spread/spread.py" "$@"
