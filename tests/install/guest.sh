#!/bin/sh
# guest.sh - goru's sources within other projects: built and run there, with settings of theirs that it has to bear, and
# none of them changed; no tests, nothing installed unless asked.
# SPDX-License-Identifier: MIT
#
#   sh tests/install/guest.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/install/guest
export CC="${CC:-cc}" CXX="${CXX:-c++}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
if [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja >/dev/null 2>&1; then
	export CMAKE_GENERATOR=Ninja
fi

# quiet COMMAND...: shows what it said if it fails
quiet() {
	"$@" >"$dir/log" 2>&1 || {
		cat "$dir/log"
		echo "guest: failed: $*"
		exit 1
	}
}

# unchanged BUILD ALLOWED: nothing but what the pattern allows is there that was not, or is gone or different.
unchanged() {
	[ -s "$1/before" ] && [ -s "$1/after" ] || { echo "guest: nothing was written down"; exit 1; }
	diff "$1/before" "$1/after" | grep '^[<>]' | grep -Ev "^> ($2)" >"$dir/log" || return 0
	cat "$dir/log"
	echo "guest: goru changed the above in the project around it"
	exit 1
}

# By add_subdirectory, in C alone.
quiet cmake -S "$here/c" -B "$dir/c" -DGORU_SOURCE="$root" \
	-DCMAKE_C_FLAGS="-std=c99 -O1 -flto -fno-pic -fcf-protection=full -funsigned-char -fno-asynchronous-unwind-tables"
unchanged "$dir/c" 'GORU_|goru_|CMAKE_ASM_'
quiet cmake --build "$dir/c" -j 2
if grep -i 'warning' "$dir/log"; then
	echo "guest: goru's files are not built in silence"
	exit 1
fi
(cd "$dir/c" && quiet ctest && quiet ctest -N)
grep -qx 'Total Tests: 2' "$dir/log" || { cat "$dir/log"; echo "guest: not the project's own 2 tests"; exit 1; }
quiet env DESTDIR="$dir/c.root" cmake --install "$dir/c"
installed=$(cd "$dir/c.root" && find . -type f)
[ "$installed" = ./usr/local/share/host/CMakeLists.txt ] || { echo "guest: installs $installed"; exit 1; }

# By FetchContent, in C++; and installed, as asked.
quiet cmake -S "$here/cxx" -B "$dir/cxx" -DGORU_SOURCE="$root" -DCMAKE_INSTALL_PREFIX="$dir/cxx.prefix"
# (FetchContent is a macro with variables of its own.)
unchanged "$dir/cxx" 'GORU_|goru_|CMAKE_ASM_|CMAKE_C_|CMAKE_INSTALL_|_GNUInstallDirs_|FETCHCONTENT_|__cmake_'
if grep -e -Werror "$dir/cxx/compile_commands.json"; then
	echo "guest: goru makes warnings errors"
	exit 1
fi
quiet cmake --build "$dir/cxx" -j 2
quiet "$dir/cxx/cxx_goru"
quiet "$dir/cxx/cxx_goru_static"
quiet cmake --install "$dir/cxx"
for file in include/goru.h lib*/libgoru.a lib*/libgoru.so lib*/cmake/goru/goruConfig.cmake lib*/pkgconfig/goru.pc \
	lib/cmake/host/host.cmake; do
	# shellcheck disable=SC2086 # a pattern
	ls "$dir/cxx.prefix"/$file >/dev/null || { echo "guest: $file is not installed"; exit 1; }
done
echo "guest: in 2 projects, 4 programs built and run"
