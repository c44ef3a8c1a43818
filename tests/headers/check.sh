#!/bin/sh
# check.sh - compiles the public headers alone and together in every language mode they promise.
# SPDX-License-Identifier: MIT
#
#	sh tests/headers/check.sh [CC...]
#
# CC: C compilers, each with its C++ sister found by name; default: those of gcc, clang, clang-14
# that exist. Every header alone, then pass.c, without a warning; then every case of fail.c, which
# has to fail and to say why.
set -u
cd "$(dirname "$0")/../.." || exit 2
include=$PWD/include
tests=$PWD/tests/headers
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

strict="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"
done_count=0
failed=0

report() {
	failed=$((failed + 1))
	echo "FAIL $*"
	head -n 12 "$work/log"
}

# quiet NAME COMMAND...: has to succeed and to say nothing
quiet() {
	name=$1
	shift
	done_count=$((done_count + 1))
	if ! "$@" >"$work/log" 2>&1 || [ -s "$work/log" ]; then
		report "$name: $*"
	fi
}

sister() {
	case ${1##*/} in
	*gcc*) echo "$1" | sed 's/gcc\([^/]*\)$/g++\1/' ;;
	*clang*) echo "$1" | sed 's/clang\([^/]*\)$/clang++\1/' ;;
	esac
}

# modes LANGUAGE: the -std names; the oldest compilers know C23 as c2x only
modes() {
	if [ "$1" = c ]; then
		echo c11 gnu11 c17 c2x
	else
		echo c++17 gnu++17 c++20
	fi
}

# headers COMPILER LANGUAGE OPTIONS: all modes without and, where given, with the options
headers() {
	cc=$1 lang=$2
	for std in $(modes "$lang"); do
		for way in "" ${3:+"$3"}; do
			# a header alone; twice, for its guard
			for h in goru.h $(cd "$include" && echo goru/*.h); do
				printf '#include <%s>\n#include <%s>\n' "$h" "$h" >"$work/alone.c"
				quiet "$h" $cc -x "$lang" -std="$std" $strict $way -I"$include" \
					-fsyntax-only "$work/alone.c"
			done
			quiet pass $cc -x "$lang" -std="$std" $strict $way -I"$include" \
				-fsyntax-only "$tests/pass.c"
		done
	done
	# some warnings come from the optimiser only, some only without; as a system header, too
	for way in "-O0 -I" "-O2 -I" "-O1 -isystem "; do
		quiet pass $cc -x "$lang" $strict ${way}"$include" -c "$tests/pass.c" -o "$work/out.o"
	done
	printf '#include <goru.h>\nint go;\n' >"$work/alone.c"
	quiet GORU_NO_SHORT_NAMES $cc -x "$lang" -DGORU_NO_SHORT_NAMES $strict -I"$include" \
		-fsyntax-only "$work/alone.c"
}

# refusals COMPILER LANGUAGE NAMES: the cases of fail.c for one of the names
refusals() {
	cc=$1 lang=$2 tags=$3
	for way in -I -isystem; do
		quiet "fail.c itself" $cc -x "$lang" $way "$include" -c "$tests/fail.c" \
			-o "$work/out.o"
		sed -n 's/^CASE(\([a-z_]*\), \([a-z ]*\)) \(.*\) ERR \(.*\)$/\1|\2|\3|\4/p' \
			"$tests/fail.c" >"$work/cases"
		while IFS='|' read -r name langs statement phrase; do
			wanted=no
			for tag in $tags; do
				case " $langs " in *" $tag "*) wanted=yes ;; esac
			done
			[ $wanted = yes ] || continue
			done_count=$((done_count + 1))
			if $cc -x "$lang" -Werror $way "$include" "-DSTATEMENT=$statement" \
				-O1 -c "$tests/fail.c" -o "$work/out.o" >"$work/log" 2>&1; then
				report "$name: compiles with $cc $way: $statement"
			elif ! grep -E 'error:|note:' "$work/log" | grep -E -i -q -e "$phrase"; then
				report "$name: $cc $way does not say \"$phrase\""
			fi
		done <"$work/cases"
	done
	if [ ! -s "$work/cases" ]; then
		: >"$work/log"
		report "fail.c: no cases found"
	fi
}

if [ $# = 0 ]; then
	for cc in gcc clang clang-14; do
		command -v $cc >/dev/null && set -- "$@" $cc
	done
fi
[ $# -gt 0 ] || { echo "check.sh: no compiler found" >&2; exit 2; }
for cc in "$@"; do
	headers "$cc" c ""
	case ${cc##*/} in
	*gcc*) refusals "$cc" c "c gcc" ;;
	*) refusals "$cc" c c ;;
	esac
	cxx=$(sister "$cc")
	if [ -n "$cxx" ] && command -v "$cxx" >/dev/null; then
		headers "$cxx" c++ "-fno-exceptions -fno-rtti"
		refusals "$cxx" c++ cpp
	else
		echo "check.sh: no C++ compiler beside $cc: C only"
	fi
done
echo "headers: $done_count compilations, $failed failed"
[ $failed = 0 ]
