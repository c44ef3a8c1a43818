#!/bin/sh
# run.sh - compares what each misuse and each report writes, and how it ends, with the text beside it.
# SPDX-License-Identifier: MIT
#
#   sh tests/reports/run.sh [--update] [EMULATOR...] PROGRAM
#
# Replaced before comparing, since they differ from build to build or from run to run: addresses (0x...), offsets into
# functions, the program's name and goroutines' numbers. Left out: ages, frames that repeat, in backtraces what is not
# the program's own, and that a goroutine has lost its processor, as one may on a busy
# machine (one in some 400 runs under ASan).
set -u
here=$(cd "$(dirname "$0")" && pwd)
update=no
[ "$1" != --update ] || { update=yes; shift; }
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
ulimit -c 0
bad=0
n=0
# Each P gives out numbers of its own: they become the order in which they are met.
numbered() {
	awk '{
		out = ""
		while (match($0, /goroutine [0-9]+/)) {
			id = substr($0, RSTART, RLENGTH)
			if (!(id in seen))
				seen[id] = "goroutine " ++n
			out = out substr($0, 1, RSTART - 1) seen[id]
			$0 = substr($0, RSTART + RLENGTH)
		}
		print out $0
	}'
}

for name in $("$@"); do
	timeout -k 5 60 "$@" "$name" </dev/null >/dev/null 2>"$out/raw"
	status=$?
	sed -E -e '/^qemu: uncaught target signal/d' -e '/^Aborted/d' \
		-e '/^    (in |started by )?app_/!{/^    /d;}' \
		-e 's/\+0x[0-9a-f]+ \([^()]*\)$/+OFFSET (PROGRAM)/' \
		-e 's/0x[0-9a-f]+/ADDRESS/g' \
		-e 's/ \[(running without a processor|blocked)\]$/ [running]/' \
		-e 's/, [0-9.]+ (to [0-9.]+ )?s\]$/]/' "$out/raw" | uniq | numbered >"$out/text"
	case $status in
	134) echo "(aborted)" ;;
	*) echo "(exit status $status)" ;;
	esac >>"$out/text"
	n=$((n + 1))
	if [ "$update" = yes ]; then
		cp "$out/text" "$here/$name.txt"
	elif ! diff -u "$here/$name.txt" "$out/text"; then
		echo "$name: not what is in tests/reports/$name.txt; as written:"
		cat "$out/raw"
		bad=$((bad + 1))
	fi
done 2>/dev/null
[ "$n" -gt 0 ] || { echo "no cases: does $* run?"; exit 1; }
echo "reports: $n, $bad wrong"
[ "$bad" -eq 0 ]
