#!/bin/sh
# spin.sh - the Spin models: each must hold, and each planted omission must be found.
# SPDX-License-Identifier: MIT
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# check holds|breaks FILE DEFINES...
check() {
	want=$1 file=$2
	shift 2
	(cd "$work" && rm -f pan* ./*.trail && spin -a "$@" "$here/$file" >spin.log 2>&1 &&
		${CC:-cc} -O2 -w -DSAFETY -o pan pan.c 2>>spin.log && ./pan -m200000 >pan.log 2>&1)
	if ! grep -q 'errors:' "$work/pan.log" 2>/dev/null || grep -q 'max search depth' "$work/pan.log"; then
		echo "spin: $file $*: did not run to its end"
		cat "$work/spin.log" "$work/pan.log" 2>/dev/null
		failed=1
		return
	fi
	states=$(sed -n 's/^ *\([0-9][0-9]*\) states, stored.*/\1/p' "$work/pan.log")
	got=holds
	grep -q 'errors: 0' "$work/pan.log" || got=breaks
	if [ "$got" = "$want" ]; then
		echo "spin: $file $* $got as it should ($states states)"
	else
		echo "spin: $file $* $got, and should not"
		failed=1
	fi
	rm -f "$work/pan.log"
}

command -v spin >/dev/null || { echo "spin: not installed (Debian: apt-get install spin)"; exit 1; }
check holds wake.pml
check holds wake.pml -DNT=4 -DNI=1
check holds wake.pml -DNW=3 -DNT=3 -DNI=1
for left_out in NO_SUBMIT_FENCE NO_IDLE_FENCE NO_IDLE_LOOK SPINNERS_LOOK NO_SPIN_END; do
	check breaks wake.pml -D$left_out
done
check holds handshake.pml
check holds handshake.pml -DFENCE
for left_out in NO_BARRIER NO_LOOK REREAD P_STAYS NO_QUEUE_LOOK NO_IDLE_LOOK IDLE_UNLOCKED; do
	check breaks handshake.pml -D$left_out
done
exit $failed
