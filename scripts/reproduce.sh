#!/bin/sh
# reproduce.sh - builds goru once more, elsewhere and with all else different that must not count, and compares.
# SPDX-License-Identifier: MIT
#
#   sh scripts/reproduce.sh BUILD-DIR     with the libraries there, built with the default settings
#   sh scripts/reproduce.sh --selftest
#
# What differs: time, both directories, HOME, mask of modes, locale, time zone, what __DATE__ is.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
CC=${CC:-cc}
. "$root/scripts/build.sh"

# elsewhere SOURCE DIR COMMAND...: copies SOURCE to DIR/source; then the command, given that and DIR/build
elsewhere() {
	from=$1 to=$2
	shift 2
	(
		umask 077
		mkdir -p "$to/source" "$to/home" &&
			tar -C "$from" --exclude-vcs --exclude='./build*' -cf - . |
			tar -C "$to/source" --no-same-permissions -xmf - || exit 1
		export HOME="$to/home" TZ=XYZ-13:45 LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1000000000
		cd / && "$@" "$to/source" "$to/build"
	)
}

# same DIR DIR: the libraries of both are, byte by byte
same() {
	bad=0
	for lib in libgoru.so libgoru.a; do
		[ -s "$1/$lib" ] && [ -s "$2/$lib" ] || { echo "reproduce: no $lib to compare"; return 1; }
		cmp "$1/$lib" "$2/$lib" && continue
		echo "reproduce: $lib is another one when built elsewhere"
		bad=1
	done
	return $bad
}

goru() {
	build_into "$1" "$2" -DGORU_BUILD_TESTS=OFF -DGORU_BUILD_EXAMPLES=OFF
}

# little SOURCE BUILD: libraries of one file, with paths as $map says
little() {
	mkdir -p "$2" && cd "$2" || return 1
	case $map in
	yes) set -- "$1" "-ffile-prefix-map=$1=." "-ffile-prefix-map=$2=." ;;
	no) set -- "$1" ;;
	esac
	from=$1
	shift
	$CC -g -fPIC "$@" -c "$from/a.c" -o a.o && $CC -shared a.o -o libgoru.so && rm -f libgoru.a && ar "$ar" libgoru.a a.o
}

# plant VERDICT TEXT: what two builds of the text are
plant() {
	rm -rf "$dir/1" "$dir/2"
	mkdir -p "$dir/1/source"
	printf '%s\n' "$2" >"$dir/1/source/a.c"
	(little "$dir/1/source" "$dir/1/build") && elsewhere "$dir/1/source" "$dir/2" little || exit 1
	verdict=different
	! same "$dir/1/build" "$dir/2/build" >/dev/null || verdict=same
	[ "$verdict" = "$1" ] || { echo "reproduce.sh: $verdict, not $1: '$2'"; exit 1; }
}

case $#:${1:-} in
1:--selftest)
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	map=yes ar=rcsD
	plant same 'const char *goru_a = __FILE__;'
	plant different 'const char *goru_a = __DATE__;'
	plant different 'const char *goru_a = __TIME__;'
	map=no
	plant different 'const char *goru_a = __FILE__;'
	plant different 'int goru_a;' # in what debuggers read
	map=yes ar=rcsU
	plant different 'int goru_a;'
	echo "reproduce.sh: 5 violations planted, 5 found" ;;
1:*)
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 130' INT TERM
	elsewhere "$root" "$dir" goru && same "$1" "$dir/build" || exit 1
	echo "reproduce: libgoru.so and libgoru.a are the same, byte by byte" ;;
*)
	echo "usage: reproduce.sh BUILD-DIR" >&2
	exit 2 ;;
esac
