#!/bin/sh
# cmocka-source.sh - Debian's CMocka from its source: for musl-gcc, and a static library for cc, which Debian does not have.
# SPDX-License-Identifier: MIT
#
#   sh scripts/cmocka-source.sh DIR
#       cmake --preset musl -DGORU_TARGET_ROOT=DIR/musl [-DGORU_STATIC=ON]
#       cmake --preset release -DCMAKE_PREFIX_PATH=DIR/glibc -DGORU_STATIC=ON
#
# musl-gcc looks neither into /usr/include nor into /usr/lib, where everything is glibc's: DIR/musl has the kernel's headers
# too, and what makes gcc's unwinder link. Needs no root: apt works on lists of its own in DIR/apt, for the sources of
# whatever the system's own lists name.
set -eu
[ $# -eq 1 ] || { echo "usage: cmocka-source.sh DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/complete" ] || exit 0

rm -rf "$dir/apt" "$dir/src"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/apt/parts" "$dir/src"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	case $list in
	*.sources) sed 's/^Types:.*/Types: deb-src/' "$list" >"$dir/apt/parts/$(basename "$list")" ;;
	*.list) [ ! -e "$list" ] || sed -n 's/^deb[[:blank:]]/deb-src /p' "$list" >"$dir/apt/parts/$(basename "$list")" ;;
	esac
done
own() {
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/apt/parts" \
		-o Dir::State::lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" -o Acquire::Languages=none \
		-o APT::Sandbox::User= "$@"
}
cd "$dir/apt"
own update || : # a list that has no sources is no matter
own source --download-only cmocka
tar -xf cmocka_*.orig.tar.?z -C "$dir/src" --strip-components=1

# compile LIBRARY COMPILER...
compile() {
	root=$dir/$1
	shift
	mkdir -p "$root/include" "$root/lib"
	"$@" -O2 -g -w -DHAVE_INTTYPES_H -DHAVE_MALLOC_H -DHAVE_STDINT_H -DHAVE_STDIO_H -DHAVE_STDLIB_H -DHAVE_STRING_H \
		-DHAVE_STRINGS_H -DHAVE_UNISTD_H -DHAVE_SETJMP_H -DHAVE_SIGNAL_H -DHAVE_TIME_H -DHAVE_STRUCT_TIMESPEC \
		-DHAVE_CLOCK_REALTIME -DHAVE_SIGLONGJMP -DHAVE_GCC_THREAD_LOCAL_STORAGE -DHAVE_SNPRINTF -DHAVE_VSNPRINTF \
		-I"$dir/src/include" -c "$dir/src/src/cmocka.c" -o "$root/lib/cmocka.o"
	ar rcs "$root/lib/libcmocka.a" "$root/lib/cmocka.o"
	cp "$dir/src/include/cmocka.h" "$root/include"
}
compile glibc "${CC:-cc}"
compile musl musl-gcc
for one in linux asm-generic x86_64-linux-gnu/asm; do
	ln -sfn "/usr/include/$one" "$dir/musl/include/$(basename "$one")"
done
musl-gcc -O2 -fPIC -Wall -Wextra -Werror -c "$here/../tests/support/musl/find_object.c" -o "$dir/musl/lib/find_object.o"
rm -rf "$dir/apt" "$dir/src"
: >"$dir/complete"
