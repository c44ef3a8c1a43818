#!/bin/sh
# deb.sh - makes Debian packages of this tree: libgoru0, libgoru-dev, and the debugger's libgoru0-dbgsym.
# SPDX-License-Identifier: MIT
#
#   sh scripts/deb.sh [--no-install] [DIR]     they come into DIR, or build-deb
#
# Runs the tests that the packages' builders run, unless DEB_BUILD_OPTIONS says nocheck. Builds in a copy.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/deps.sh"

if [ "${1:-}" = --no-install ]; then
	install=no
	shift
fi
out=${1:-$root/build-deb}
case " ${DEB_BUILD_OPTIONS:-} " in
*" nocheck "*) deps_need cmake cc make deb ;;
*) deps_need cmake cc c++ make cmocka deb ;;
esac

version=$(sed -n 's/^#define GORU_VERSION_[A-Z]* *//p' "$root/include/goru/debug.h" | paste -sd.)
listed=$(cd "$root" && dpkg-parsechangelog -S Version)
[ "${listed%-*}" = "$version" ] || { echo "deb.sh: goru is $version, debian/changelog says $listed" >&2; exit 1; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$out" "$dir/goru-$version"
# Files are as old as the package says it is, whenever they were checked out.
tar -C "$root" --exclude-vcs --exclude='./build*' --mtime="@$(cd "$root" && dpkg-parsechangelog -S Timestamp)" -cf - . |
	tar -C "$dir/goru-$version" --no-same-permissions -xf -

# -d: what is needed was looked for above, by using it; not by the names of packages.
(cd "$dir/goru-$version" && dpkg-buildpackage -b -us -uc -d) >"$out/build.log" 2>&1 || {
	tail -n 60 "$out/build.log" >&2
	echo "The build failed; all of it: $out/build.log" >&2
	exit 1
}
rm -f "$out"/*.*deb "$out"/*.changes "$out"/*.buildinfo
mv "$dir"/*.*deb "$dir"/*.changes "$dir"/*.buildinfo "$out" # .ddeb: Ubuntu's, with debug symbols
(cd "$out" && ls -- *.*deb)
