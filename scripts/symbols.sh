#!/bin/sh
# symbols.sh - checks what leaves the libraries: goru_* from the shared one, goru_* and grt_* from the static one;
# and that the headers, and the list of all that was ever promised (cmake/libgoru0.symbols), say the same.
# SPDX-License-Identifier: MIT
#
#   sh scripts/symbols.sh BUILD-DIR
#   sh scripts/symbols.sh --update BUILD-DIR    writes the list: Debian's format, as it goes into the package
#   sh scripts/symbols.sh --selftest
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
NM=${NM:-nm}
READELF=${READELF:-readelf}
CC=${CC:-cc}
list=$root/cmake/libgoru0.symbols
include=$root/include

# The functions that the headers declare for programs, one a line.
declared() {
	for header in "$1"/*.h "$1"/goru/*.h; do
		[ -e "$header" ] || continue
		$CC -E -P -I"$1" -DGORU_API=@declared "$header" || return 1
	done | tr '\n' ' ' | grep -o '@declared[^(;]*[(;]' | sed 's/ *[(;]$//; s/.*[ *]//' | sort -u
}

# Prints each name that does not belong; fails if there is one.
check() {
	bad=0
	names=$($NM -D --defined-only "$1/libgoru.so" | awk '$2 != "A" { sub(/@@/, "@", $3); print $3 }') || return 1
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
	# A plug-in that carries the static library must not offer its functions to others, nor take theirs.
	for name in $($READELF -sW "$1/libgoru.a" | awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }' |
		grep -e '^goru_' -e '^grt_' | sort -u); do
		echo "libgoru.a: $name is visible"
		bad=1
	done
	# What the static library's public half is, the shared one has to have too.
	for name in $(printf '%s\n' "$static" | grep '^goru_' | sort -u); do
		printf '%s\n' "$names" | sed 's/@.*//' | grep -qx "$name" || {
			echo "libgoru.so: $name is hidden"
			bad=1
		}
	done
	headers=$(declared "$include") || return 1
	for name in $(printf '%s\n' "$names" | sed 's/@.*//'); do
		printf '%s\n' "$headers" | grep -qx "$name" || {
			echo "libgoru.so: $name leaves it, and no header declares it GORU_API"
			bad=1
		}
	done
	for name in $headers; do
		printf '%s\n' "$names" | grep -q "^$name@" || printf '%s\n' "$names" | grep -qx "$name" || {
			echo "libgoru.so: lacks $name, which a header declares GORU_API"
			bad=1
		}
	done
	listed "$1" || bad=1
	[ "$bad" -eq 0 ] || return 1
	echo "symbols: $(printf '%s\n' "$names" | wc -l) leave the shared library, $(printf '%s\n' "$static" | sort -u | wc -l) the static one"
}

# listed BUILD-DIR: the list names just what leaves the shared library, each with its version, for its soname.
listed() {
	listed_bad=0
	soname=$($READELF -dW "$1/libgoru.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
	[ "$(sed -n '1s/ .*//p' "$list")" = "$soname" ] || {
		echo "libgoru.so: its soname is '$soname', not that of $list"
		listed_bad=1
	}
	for name in $(printf '%s\n' "$names"); do
		grep -q "^ $name " "$list" || {
			echo "libgoru.so: $name is new, and not in $list"
			listed_bad=1
		}
	done
	for name in $(awk 'NR > 1 && $1 !~ /^GORU_[0-9]+@/ { print $1 }' "$list"); do
		printf '%s\n' "$names" | grep -qx "$name" || {
			echo "libgoru.so: $name is gone, and in $list: programs that use it will not start any more"
			listed_bad=1
		}
	done
	[ "$listed_bad" -eq 0 ] || {
		echo "symbols: if that is meant, write the list anew and commit it: sh scripts/symbols.sh --update $1"
		echo "symbols: (what has been in a release may go with a new soname only)"
		return 1
	}
}

# update BUILD-DIR: the list anew. Who has been in it keeps the version of goru that had it first.
update() {
	version=$(sed -n 's/^#define GORU_VERSION_[A-Z]* *//p' "$root/include/goru/debug.h" | paste -sd.)
	new=$({
		$NM -D --defined-only "$1/libgoru.so" | awk '{ sub(/@@/, "@", $3); print $3 }' |
			sed 's/^\(GORU_[0-9]*\)$/\1@\1/'
	} | LC_ALL=C sort -u | while read -r name; do
		since=$(sed -n "s/^ $name //p" "$list")
		echo " $name ${since:-$version}"
	done)
	soname=$($READELF -dW "$1/libgoru.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
	[ -n "$soname" ] && [ -n "$new" ] || { echo "symbols: nothing found in $1" >&2; return 1; }
	printf '%s libgoru%s #MINVER#\n%s\n' "$soname" "${soname##*.}" "$new" >"$list"
	git -C "$root" --no-pager diff --stat -- "$list" 2>/dev/null || :
}

# plant TEXT WORDS: libraries of TEXT are refused with WORDS, or accepted if there are none. P: what a public name carries.
plant() {
	printf '%s\n' "$1" | $CC -DP= -fPIC -x c -c - -o "$dir/a.o" &&
		$CC -shared -Wl,-soname,libgoru.so.0 -Wl,--version-script="$dir/map" "$dir/a.o" -o "$dir/libgoru.so" &&
		printf '%s\n' "$1" | $CC "-DP=$hide" -fPIC -x c -c - -o "$dir/a.o" &&
		rm -f "$dir/libgoru.a" && ar rcs "$dir/libgoru.a" "$dir/a.o" || exit 1
	if said=$(check "$dir"); then
		[ -z "$2" ] && return
	elif [ -n "$2" ] && printf '%s\n' "$said" | grep -q "$2"; then
		count=$((count + 1))
		return
	fi
	echo "symbols.sh: '$1' said: $said"
	exit 1
}

if [ "${1:-}" = --selftest ]; then
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	count=0
	hide='__attribute__((visibility("hidden")))'
	right="P int goru_a(void) { return 0; } $hide int grt_b; static int c; P int goru_d(void) { return c + grt_b; }"
	include=$dir/include list=$dir/list
	mkdir "$include"
	echo 'GORU_0 { *; };' >"$dir/map"
	printf '%s\n' 'GORU_API int goru_a(void); /* GORU_API int goru_c(void); */' 'int goru_b(void);' 'GORU_API' \
		'int goru_d(void) __attribute__((const));' >"$include/goru.h"
	printf '%s\n' 'libgoru.so.0 libgoru0 #MINVER#' ' GORU_0@GORU_0 0.1.0' ' goru_a@GORU_0 0.1.0' ' goru_d@GORU_0 0.1.0' >"$list"
	plant "$right" ""
	plant "$right P int grt_e;" "libgoru.so: grt_e leaves"
	plant "$right $hide int helper;" "libgoru.a: helper leaves"
	plant "$right $hide int goru_b;" "goru_b is hidden"
	plant "$right int goru_c;" "libgoru.a: goru_c is visible"
	plant "$right P int goru_c;" "goru_c leaves it, and no header"
	plant "$right P int goru_c;" "goru_c@GORU_0 is new"
	plant "P int goru_a;" "lacks goru_d, which a header"
	plant "P int goru_a;" "goru_d@GORU_0 is gone"
	echo 'GORU_1 { *; };' >"$dir/map"
	plant "$right" "goru_d@GORU_1 is new"
	# Written anew it is right again, and goru_a is as old as it was.
	sed -i 's/@GORU_0/@GORU_1/; /goru_d/d; s/goru_a@GORU_1 .*/goru_a@GORU_1 0.0.7/' "$list"
	plant "$right" "goru_d@GORU_1 is new"
	update "$dir" >/dev/null 2>&1
	plant "$right" ""
	grep -qx ' goru_a@GORU_1 0.0.7' "$list" || { echo "symbols.sh: --update wrote"; cat "$list"; exit 1; }
	sed -i '1s/so.0/so.1/' "$list"
	plant "$right" "its soname is 'libgoru.so.0'"
	echo "symbols.sh: $count violations planted, $count found"
	exit 0
fi
case $#:${1:-} in
2:--update) update "$2" ;;
1:*) check "$1" ;;
*) echo "usage: symbols.sh [--update] BUILD-DIR" >&2; exit 2 ;;
esac
