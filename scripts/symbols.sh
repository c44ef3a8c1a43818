#!/bin/sh
# symbols.sh - checks what leaves the libraries: goru_* from the shared one, goru_* and grt_* from the static one.
# SPDX-License-Identifier: MIT
#
#   sh scripts/symbols.sh BUILD-DIR
#   sh scripts/symbols.sh --selftest
set -u
NM=${NM:-nm}
CC=${CC:-cc}

# Prints each name that does not belong; fails if there is one.
check() {
	bad=0
	names=$($NM -D --defined-only "$1/libgoru.so" | awk '$2 != "A" { print $3 }') || return 1
	static=$($NM -g --defined-only "$1/libgoru.a" | awk 'NF == 3 { print $3 }') || return 1
	[ -n "$names" ] && [ -n "$static" ] || { echo "symbols: nothing found in $1" >&2; return 1; }
	for name in $(printf '%s\n' "$names" | grep -v '^goru_' | sed 's/@.*//'); do
		echo "libgoru.so: $name leaves it"
		bad=1
	done
	for name in $(printf '%s\n' "$static" | grep -v -e '^goru_' -e '^grt_' | sort -u); do
		echo "libgoru.a: $name leaves it"
		bad=1
	done
	# What the static library's public half is, the shared one has to have too.
	for name in $(printf '%s\n' "$static" | grep '^goru_' | sort -u); do
		printf '%s\n' "$names" | sed 's/@.*//' | grep -qx "$name" || {
			echo "libgoru.so: $name is hidden"
			bad=1
		}
	done
	[ "$bad" -eq 0 ] || return 1
	echo "symbols: $(printf '%s\n' "$names" | wc -l) leave the shared library, $(printf '%s\n' "$static" | sort -u | wc -l) the static one"
}

# plant TEXT WORDS: a library of TEXT is refused with WORDS, or accepted if there are none.
plant() {
	printf '%s\n' "$1" | $CC -fPIC -x c -c - -o "$dir/a.o" && $CC -shared "$dir/a.o" -o "$dir/libgoru.so" &&
		rm -f "$dir/libgoru.a" && ar rcs "$dir/libgoru.a" "$dir/a.o" || exit 1
	if said=$(check "$dir"); then
		[ -z "$2" ] && return
	elif [ -n "$2" ] && printf '%s\n' "$said" | grep -q "$2"; then
		return
	fi
	echo "symbols.sh: '$1' said: $said"
	exit 1
}

if [ "${1:-}" = --selftest ]; then
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	hide='__attribute__((visibility("hidden")))'
	plant "int goru_a; $hide int grt_b; static int c; int goru_d(void) { return c + grt_b; }" ""
	plant "int goru_a; int grt_b;" "libgoru.so: grt_b leaves"
	plant "int goru_a; $hide int helper;" "libgoru.a: helper leaves"
	plant "int goru_a; $hide int goru_b;" "goru_b is hidden"
	echo "symbols.sh: 3 violations planted, 3 found"
	exit 0
fi
[ $# -eq 1 ] || { echo "usage: symbols.sh BUILD-DIR" >&2; exit 2; }
check "$1"
