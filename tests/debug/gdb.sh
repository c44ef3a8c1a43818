#!/bin/sh
# gdb.sh - the gdb commands, in a live process and in its core file. Ends with 77 where gdb cannot be used.
# SPDX-License-Identifier: MIT
#
#   sh tests/debug/gdb.sh PROGRAM GORU-GDB.PY
set -u
program=$1
script=$2
command -v gdb >/dev/null 2>&1 || { echo "no gdb here"; exit 77; }
gdb -nx -q -batch -ex "python import gdb.unwinder" 2>&1 | grep -q . && { echo "gdb has no Python"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
bad=0

want() {
	grep -Eq "$1" "$out" || {
		echo "missing in $out: $1"
		bad=1
	}
}

check() {
	want '^  goroutine 1 \(stuck\) \[waiting: chan recv\] in '
	want '^  goroutine 2 \[waiting: chan recv\] in '
	want '^  goroutine 3 \[running\]'
	want '^#[0-9]+ .* inner \(depth=(1|<optimized out>)\)'
	want '^#[0-9]+ .* outer \('
	want '^#[0-9]+ .* worker '
	want '^#[0-9]+ .* grt_g_main '
	want 'local = 42'
	want '(#0|^#[0-9]+ ).*(computes|runs) '
	want 'goroutine 9: no|no goroutine 9'
	grep -n 'Python Exception\|Error while executing Python\|Traceback' "$out" && bad=1
	[ "$bad" -eq 0 ] || cat "$out"
}

out=$dir/live
gdb -nx -q -batch -ex "source $script" -ex "break stop_here" -ex run -ex "info goroutines" -ex "goroutine 1 bt" \
	-ex "goroutine 2 bt full" -ex "goroutine 3" -ex "bt" -ex "goroutine 9" \
	 "$program" >"$out" 2>&1
if grep -q 'ptrace\|Could not trace\|Operation not permitted' "$out"; then
	echo "gdb may not trace here"
	exit 77
fi
check
# The kernel's: gdb's own generate-core-file stops at the first guard page of a stack arena (gdb 13).
case $(cat /proc/sys/kernel/core_pattern) in
"|"* | /*) echo "gdb: live; cores go elsewhere here"; exit "$bad" ;;
esac
(cd "$dir" && ulimit -c unlimited && "$program" abort) >/dev/null 2>&1
set -- "$dir"/core*
[ -f "$1" ] || { echo "gdb: live; no core file here"; exit "$bad"; }
out=$dir/of-core
gdb -nx -q -batch -ex "source $script" -ex "info goroutines" -ex "goroutine 1 bt" -ex "goroutine 2 bt full" \
	-ex "goroutine 3" -ex "goroutine 9" "$program" "$1" >"$out" 2>&1
check
[ "$bad" -eq 0 ] && echo "gdb: live and core agree"
exit "$bad"
