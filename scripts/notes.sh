#!/bin/sh
# notes.sh - checks that no stack is executable and that every object is marked for IBT or BTI.
# SPDX-License-Identifier: MIT
#
#   sh scripts/notes.sh BUILD-DIR
#   sh scripts/notes.sh --selftest
set -u
READELF=${READELF:-readelf}
CC=${CC:-cc}

# One object that lacks a mark takes it from the whole program it is linked into.
check() {
	bad=0
	dir=$(mktemp -d) || return 1
	archive=$(cd "$1" && pwd)/libgoru.a
	(cd "$dir" && ar x "$archive") || return 1
	count=0
	for object in "$dir"/*.o; do
		name=$(basename "$object")
		$READELF -n "$object" 2>/dev/null | grep -Eq 'x86 feature:.*IBT|AArch64 feature:.*BTI' || {
			echo "$name: not marked for IBT or BTI"
			bad=1
		}
		$READELF -n "$object" 2>/dev/null | grep -q SHSTK && {
			echo "$name: marked for shadow stacks, which the switch leaves behind"
			bad=1
		}
		$READELF -SW "$object" | awk '
			/\.note\.GNU-stack/ { seen = 1; sub(/^ *\[ *[0-9]+\]/, ""); if ($7 ~ /X/) exec = 1 }
			END { exit !(seen && !exec) }' || {
			echo "$name: wants an executable stack"
			bad=1
		}
		count=$((count + 1))
	done
	rm -rf "$dir"
	$READELF -lW "$1/libgoru.so" | grep GNU_STACK | grep -q 'RW ' || {
		echo "libgoru.so: wants an executable stack"
		bad=1
	}
	$READELF -dW "$1/libgoru.so" | grep -q 'BIND_NOW\|Flags:.*NOW' || { echo "libgoru.so: binds lazily"; bad=1; }
	$READELF -dW "$1/libgoru.so" | grep -q 'Flags:.*NODELETE' || { echo "libgoru.so: can be unloaded"; bad=1; }
	# The room that a C library has for libraries loaded later is small, and shared by all. A checks build wants more.
	tls=$($READELF -lW "$1/libgoru.so" | awk '$1 == "TLS" { print $6 }')
	[ $((${tls:-0})) -le "${TLS_MOST:-112}" ] || { echo "libgoru.so: $((tls)) bytes of thread-local words"; bad=1; }
	[ "$bad" -eq 0 ] || return 1
	echo "notes: $count objects marked, no executable stack"
}

# plant NAME FLAGS TEXT LINK-FLAGS WORDS
plant() {
	# shellcheck disable=SC2086 # several flags
	printf '%s\n' "$3" | $CC $2 -fPIC -x assembler-with-cpp -c - -o "$work/$1.o" &&
		echo 'int goru_a;' | $CC -fcf-protection=branch -fPIC -x c -c - -o "$work/c.o" &&
		$CC -shared "$work/c.o" "$work/$1.o" -o "$work/libgoru.so" $4 2>/dev/null &&
		rm -f "$work/libgoru.a" && ar rcs "$work/libgoru.a" "$work/c.o" "$work/$1.o" || exit 1
	if said=$(check "$work"); then
		[ -z "$5" ] && return
	elif [ -n "$5" ] && printf '%s\n' "$said" | grep -q "$5"; then
		return
	fi
	echo "notes.sh: $1 said: $said"
	exit 1
}

if [ "${1:-}" = --selftest ]; then
	if [ "$(uname -m)" != x86_64 ]; then
		echo "notes.sh: the self test is for x86-64"
		exit 0
	fi
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	good='-Wl,-z,now -Wl,-z,nodelete'
	stack='.section .note.GNU-stack,"",@progbits'
	# note FEATURES: the property an assembler file has to carry itself
	note() {
		printf '%s\n' '.section .note.gnu.property,"a"' '.p2align 3' '.long 4, 16, 5' '.asciz "GNU"' \
			".long 0xc0000002, 4, $1, 0"
	}
	plant good "" "$(note 1)
$stack" "$good" ""
	plant unmarked "" "$stack" "$good" "unmarked.o: not marked"
	plant shadow "" "$(note 3)
$stack" "$good" "shadow.o: marked for shadow"
	plant silent "" "$(note 1)" "$good" "silent.o: wants an executable stack"
	plant exec "" "$(note 1)
.section .note.GNU-stack,\"x\",@progbits" "$good" "libgoru.so: wants an executable stack"
	plant lazy "" "$(note 1)
$stack" "-Wl,-z,lazy -Wl,-z,nodelete" "binds lazily"
	plant loose "" "$(note 1)
$stack" "-Wl,-z,now" "can be unloaded"
	plant greedy "" "$(note 1)
$stack
.section .tbss,\"awT\",@nobits
.zero 128" "$good" "128 bytes of thread-local"
	echo "notes.sh: 7 violations planted, 7 found"
	exit 0
fi
[ $# -eq 1 ] || { echo "usage: notes.sh BUILD-DIR" >&2; exit 2; }
check "$1"
