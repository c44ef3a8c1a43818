#!/bin/sh
# repeat.sh - runs all stress programs over and over, pinned to one CPU and to two, with 1, 2, 4 and 16 Ps.
# SPDX-License-Identifier: MIT
#
#   sh tests/stress/repeat.sh [N] [CPUS...]     N: 20; CPUS: lists as taskset has them, 0 and 0,1 by themselves
#
# GORU_BUILD     the build to run, ./build by itself; its tests/test_stress_* are run
# GORU_PROGRAMS  or these programs
# GORU_PROCS_OF  numbers of Ps, "1 2 4 16" by itself
# Stops at the first failure, with its output, the seed and the line that repeats it.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
n=${1:-20}
[ $# -gt 0 ] && shift
cpus=${*:-0 0,1}
programs=${GORU_PROGRAMS:-${GORU_BUILD:-$root/build}/tests/test_stress_*}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM

i=0
while [ "$i" -lt "$n" ]; do
	i=$((i + 1))
	for cpu in $cpus; do
		for procs in ${GORU_PROCS_OF:-1 2 4 16}; do
			for program in $programs; do
				[ -x "$program" ] || { echo "repeat.sh: no program $program" >&2; exit 2; }
				GORU_PROCS=$procs nice -n 5 taskset -c "$cpu" timeout 600 "$program" \
					>"$log" 2>&1 </dev/null
				rc=$?
				[ $rc -eq 0 ] && continue
				tail -n 60 "$log"
				seed=$(sed -n 's/.*GORU_TEST_SEED=\([0-9]*\).*/\1/p' "$log" | head -n 1)
				echo "FAILED ($rc) at repetition $i; to repeat it:"
				echo "  GORU_PROCS=$procs GORU_TEST_SEED=$seed taskset -c $cpu $program"
				exit 1
			done
		done
	done
	echo "repetition $i of $n passed"
done
