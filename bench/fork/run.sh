#!/bin/sh
# run.sh - what fork costs beside many goroutines; see ../README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/fork/run.sh [N...]     so many parked goroutines; 0, 1000, 10000 and 100000 by themselves
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/deps.sh"
. "$root/scripts/build.sh"
install=no
deps_need cmake cc make
out=$root/build/bench-fork
build_into "$root" "$out" -DCMAKE_BUILD_TYPE=Release -DGORU_BUILD_TESTS=OFF -DGORU_BUILD_EXAMPLES=OFF
${CC:-cc} -O2 -Wall -Wextra -I"$root/include" "$root/bench/fork/fork.c" -o "$out/fork" "$out/libgoru.a" -pthread -ldl
[ $# -gt 0 ] || set -- 0 1000 10000 100000
printf '%-12s %8s %10s %10s %10s\n' "" goroutines "call, ms" "child, ms" "wake, ns"
for n; do
	"$out/fork" "$n"
done
