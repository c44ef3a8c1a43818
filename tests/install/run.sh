#!/bin/sh
# run.sh - installs goru, moves it elsewhere, and builds and runs a stranger's programs against it:
# by find_package and by pkg-config, shared and static, C and C++.
# SPDX-License-Identifier: MIT
#
#   sh tests/install/run.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/install
CC=${CC:-cc}
CXX=${CXX:-c++}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# quiet COMMAND...: shows what it said if it fails
quiet() {
	"$@" >"$dir/log" 2>&1 || {
		cat "$dir/log"
		echo "install: failed: $*"
		exit 1
	}
}

# shared FILE, not_shared FILE: is the shared library among what it loads?
shared() {
	readelf -dW "$1" | grep -q 'NEEDED.*libgoru\.so\.0' || { echo "install: $1 lacks libgoru.so.0"; exit 1; }
}
not_shared() {
	! readelf -dW "$1" | grep -q 'NEEDED.*libgoru' || { echo "install: $1 loads libgoru"; exit 1; }
}

quiet cmake -S "$root" -B "$dir/build" -DGORU_BUILD_TESTS=OFF -DGORU_BUILD_EXAMPLES=OFF \
	-DCMAKE_C_COMPILER="$CC" -DCMAKE_INSTALL_PREFIX="$dir/first" -DCMAKE_INSTALL_LIBDIR=lib/deep
quiet cmake --build "$dir/build" -j 2
quiet cmake --install "$dir/build"
rm -rf "$dir/build"
mv "$dir/first" "$dir/prefix"
prefix=$dir/prefix

# CMake leaves no path of ours behind in what is installed.
if grep -rIl -e "$root" -e "$dir/first" "$prefix/lib/deep/cmake" "$prefix/lib/deep/pkgconfig" "$prefix/include"; then
	echo "install: the files above know where goru was built"
	exit 1
fi

count=0
# run PROGRAM
run() {
	quiet "$1"
	count=$((count + 1))
}

# find_package
quiet cmake -S "$here" -B "$dir/stranger" -DCMAKE_PREFIX_PATH="$prefix" -Dgoru_DIR="$prefix/lib/deep/cmake/goru" \
	-DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX"
quiet cmake --build "$dir/stranger" -j 2
for lang in c cxx; do
	shared "$dir/stranger/${lang}_goru"
	not_shared "$dir/stranger/${lang}_goru_static"
	run "$dir/stranger/${lang}_goru"
	run "$dir/stranger/${lang}_goru_static"
done

# pkg-config
PKG_CONFIG_PATH=$prefix/lib/deep/pkgconfig
LD_LIBRARY_PATH=$prefix/lib/deep
export PKG_CONFIG_PATH LD_LIBRARY_PATH
libdir=$(cd "$(pkg-config --variable=libdir goru)" && pwd)
[ "$libdir" = "$prefix/lib/deep" ] || { echo "install: goru.pc says $libdir"; exit 1; }
flags=$(pkg-config --cflags --libs goru)
static=$(pkg-config --static --cflags --libs goru)
# shellcheck disable=SC2086 # several flags
for lang in c c++; do
	case $lang in
	c) compiler=$CC source=$here/stranger.c ;;
	c++) compiler=$CXX source=$here/stranger.cpp ;;
	esac
	quiet $compiler -o "$dir/pc_$lang" "$source" $flags
	shared "$dir/pc_$lang"
	run "$dir/pc_$lang"
	quiet $compiler -static -o "$dir/pc_static_$lang" "$source" $static
	not_shared "$dir/pc_static_$lang"
	run "$dir/pc_static_$lang"
	# Position independent without a loader, and optimized across what is the program's.
	quiet $compiler -static-pie -fPIE -o "$dir/pc_pie_$lang" "$source" $static
	readelf -hW "$dir/pc_pie_$lang" | grep -q 'Type:.*DYN' || { echo "install: $dir/pc_pie_$lang is no PIE"; exit 1; }
	run "$dir/pc_pie_$lang"
	quiet $compiler -O2 -flto -o "$dir/pc_lto_$lang" "$source" -Wl,-Bstatic $flags -Wl,-Bdynamic -pthread
	not_shared "$dir/pc_lto_$lang"
	run "$dir/pc_lto_$lang"
done
echo "install: $count programs built and run"
