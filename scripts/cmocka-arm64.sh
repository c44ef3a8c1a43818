#!/bin/sh
# cmocka-arm64.sh - unpacks Debian's CMocka for arm64 into a directory, for the cross-compiled tests.
# SPDX-License-Identifier: MIT
#
#   sh scripts/cmocka-arm64.sh DIR      then cmake --preset aarch64 -DGORU_TARGET_ROOT=DIR
#
# A foreign architecture's packages can be had without installing them (which would add that
# architecture, and its C library, to the machine): apt works on lists of its own in DIR/apt.
# Needs no root. apt's ordinary sources must carry arm64: Debian's do, Ubuntu keeps it elsewhere.
set -eu
[ $# -eq 1 ] || { echo "usage: cmocka-arm64.sh DIR" >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
lib=$dir/usr/lib/aarch64-linux-gnu/libcmocka.so
[ ! -e "$lib" ] || exit 0

mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
: >"$dir/apt/status"
own() {
	apt-get -q -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 \
		-o Dir::State::lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" \
		-o Dir::State::status="$dir/apt/status" -o Acquire::Languages=none \
		-o APT::Sandbox::User= "$@"
}
cd "$dir/apt"
own update
own download libcmocka-dev:arm64 libcmocka0:arm64
for deb in *_arm64.deb; do
	dpkg-deb -x "$deb" "$dir"
done
rm -rf "$dir/apt"
[ -e "$lib" ] || { echo "cmocka-arm64.sh: no $lib in the packages" >&2; exit 1; }
