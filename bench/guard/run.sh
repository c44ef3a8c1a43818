#!/bin/sh
# run.sh - counts the instructions of goru's hot paths and compares them with counts.txt; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/guard/run.sh [--update] [--out DIR] [PATH...]
#
# Ends with 0 when all is well and when the counts cannot be compared here, which it says; 1 when a path has grown.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
install=no
deps_need cmake cc make python3
if ! command -v valgrind >/dev/null 2>&1; then
	echo "guard: skipped, no valgrind here"
	exit 0
fi
exec python3 -B "$root/bench/guard/guard.py" "$@"
