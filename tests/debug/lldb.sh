#!/bin/sh
# lldb.sh - the lldb commands, in a live process and in its core file. Ends with 77 where lldb cannot be used.
# SPDX-License-Identifier: MIT
#
#   sh tests/debug/lldb.sh PROGRAM GORU_LLDB.PY      LLDB: another lldb than the newest in PATH
set -u
program=$1
script=$2
lldb=${LLDB:-}
for l in lldb lldb-20 lldb-19 lldb-18 lldb-17 lldb-16 lldb-15 lldb-14; do
	[ -n "$lldb" ] || lldb=$(command -v "$l")
done
[ -n "$lldb" ] || { echo "no lldb here"; exit 77; }
# Debian's does not find its own module where it looks for it.
module=$(find "$(dirname "$(dirname "$(readlink -f "$(command -v "$lldb")")")")" \
	-path '*-packages/lldb/embedded_interpreter.py' 2>/dev/null | head -n 1)
PYTHONPATH=${module%/lldb/*}${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
timeout 60 "$lldb" --no-lldbinit --batch -o "script print(lldb.eStateStopped + 1000)" 2>&1 | grep -q '^1005' ||
	{ echo "lldb has no Python"; exit 77; }
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
	want "^  thread #[0-9]+: .*name = 'goroutine 1 \(stuck\) \[waiting: chan recv\]'"
	want 'frame #[0-9]+: .*`inner\(depth='
	want 'frame #[0-9]+: .*`outer\('
	want 'frame #[0-9]+: .*`worker[ (]'
	want 'frame #[0-9]+: .*`grt_g_main'
	want "local = .*'42'"
	want 'frame #[0-9]+: .*`(computes|runs)'
	want 'no goroutine 9'
	grep -n 'Traceback\|Error:' "$out" && bad=1
	[ "$bad" -eq 0 ] || cat "$out"
}

inner='script print("local =", [f.FindVariable("local").value for t in
lldb.debugger.GetSelectedTarget().GetProcess() for f in t if f.name == "inner"])'
inner=$(echo "$inner" | tr '\n' ' ')
out=$dir/live
timeout 100 "$lldb" --no-lldbinit --batch -o "command script import $script" -o "breakpoint set -n stop_here" -o run \
	-o goroutines -o "goroutine 1" -o "$inner" -o "goroutine 3 bt" -o "thread list" -o "goroutine 9" "$program" \
	>"$out" 2>&1
if grep -q 'error: .*\(ptrace\|not permitted\|failed to launch\|personality\)' "$out"; then
	echo "lldb may not trace here"
	exit 77
fi
check
case $(cat /proc/sys/kernel/core_pattern) in
"|"* | /*) echo "lldb: live; cores go elsewhere here"; exit "$bad" ;;
esac
(cd "$dir" && ulimit -c unlimited && "$program" abort) >/dev/null 2>&1
set -- "$dir"/core*
[ -f "$1" ] || { echo "lldb: live; no core file here"; exit "$bad"; }
out=$dir/of-core
timeout 100 "$lldb" --no-lldbinit --batch -o "command script import $script" -o "target create --core $1 $program" \
	-o goroutines -o "goroutine 1" -o "$inner" -o "goroutine 3 bt" -o "thread list" -o "goroutine 9" >"$out" 2>&1
check
[ "$bad" -eq 0 ] && echo "lldb: live and core agree"
exit "$bad"
