#!/bin/sh
# deb.sh - makes the Debian packages twice, compares the two, and what is in them with what should be; installs them into
# a root of their own, builds and runs a stranger's programs against them, and removes them without a trace.
# SPDX-License-Identifier: MIT
#
#   sh tests/install/deb.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/install
export CC="${CC:-cc}" CXX="${CXX:-c++}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

fail() {
	echo "deb: $*"
	exit 1
}

# quiet COMMAND...: shows what it said if it fails; refused COMMAND...: has to fail
quiet() {
	"$@" >"$dir/log" 2>&1 || {
		cat "$dir/log"
		fail "failed: $*"
	}
}
refused() {
	! "$@" >"$dir/log" 2>&1 || fail "not refused: $*"
}

# alike WHAT: two files, wanted and found
alike() {
	diff "$dir/wanted" "$dir/found" || fail "$1: not as wanted (<) but otherwise (>)"
}

# The same tree elsewhere, with files as old as they are there, and all else different that must not count.
export DEB_BUILD_OPTIONS=nocheck
quiet env LC_ALL=C TZ=UTC sh "$root/scripts/deb.sh" "$dir/debs"
(
	umask 077
	mkdir -p "$dir/elsewhere/source" "$dir/elsewhere/tmp"
	tar -C "$root" --exclude-vcs --exclude='./build*' -cf - . | tar -C "$dir/elsewhere/source" --no-same-permissions -xmf -
	cd /
	quiet env HOME="$dir" TMPDIR="$dir/elsewhere/tmp" TZ=XYZ-13:45 LC_ALL=C.UTF-8 \
		sh "$dir/elsewhere/source/scripts/deb.sh" "$dir/again"
)
rm -rf "$dir/elsewhere"
debs=$(cd "$dir/debs" && ls -- *.*deb)
for deb in $debs; do
	cmp "$dir/debs/$deb" "$dir/again/$deb" || fail "$deb is another one when built elsewhere"
done

upstream=$(sed -n 's/^#define GORU_VERSION_[A-Z]* *//p' "$root/include/goru/debug.h" | paste -sd.)
version=$(cd "$root" && dpkg-parsechangelog -S Version)
arch=$(dpkg --print-architecture)
triplet=$(dpkg-architecture -q DEB_HOST_MULTIARCH)
printf '%s\n' "libgoru-dev_${version}_$arch.deb" "libgoru0_${version}_$arch.deb" \
	"libgoru0-dbgsym_${version}_$arch.deb" | LC_ALL=C sort >"$dir/wanted"
printf '%s\n' $debs | sed 's/\.ddeb$/.deb/' | LC_ALL=C sort >"$dir/found"
alike "the packages"

# deb PACKAGE: its file
deb() {
	echo "$dir/debs/$1_${version}_$arch".*deb
}

# field PACKAGE NAME REGEX
field() {
	found=$(dpkg-deb -f "$(deb "$1")" "$2")
	printf '%s\n' "$found" | grep -qxE "$3" || fail "$1: $2: '$found' is not $3"
}
for package in libgoru0 libgoru-dev libgoru0-dbgsym; do
	field $package Version "$version"
	field $package Architecture "$arch"
	field $package Multi-Arch same
	field $package Source goru
done
exactly=$(printf '%s\n' "libgoru0 (= $version)" | sed 's/[().+]/\\&/g')
field libgoru0 Depends 'libc6 \(>= 2\.[0-9]+\)(, libgcc-s1 \(>= [0-9.]+\))?' # what its symbols need, found out by dpkg-shlibdeps
field libgoru-dev Depends "$exactly"
field libgoru0-dbgsym Depends "$exactly"

# control PACKAGE FILE...: the files that dpkg itself reads; no scripts
control() {
	package=$1
	shift
	printf './%s\n' '' control md5sums "$@" | LC_ALL=C sort >"$dir/wanted"
	dpkg-deb --ctrl-tarfile "$(deb "$package")" | tar -tf - | LC_ALL=C sort >"$dir/found"
	alike "$package's control files"
}
control libgoru0 shlibs symbols triggers
control libgoru-dev
control libgoru0-dbgsym
dpkg-deb -I "$(deb libgoru0)" triggers | grep -qx 'activate-noawait ldconfig' || fail "libgoru0 does not have ldconfig run"
dpkg-deb -I "$(deb libgoru0)" shlibs | grep -q '^libgoru 0 libgoru0 ' || fail "libgoru0's shlibs do not name libgoru.so.0"
cp "$root/cmake/libgoru0.symbols" "$dir/wanted"
dpkg-deb -I "$(deb libgoru0)" symbols >"$dir/found"
alike "libgoru0's symbols"

# contents PACKAGE: from standard input what should be in it: with the directories' modes, no date and no size
contents() {
	LC_ALL=C sort >"$dir/wanted"
	dpkg-deb -c "$(deb "$1")" | awk '{
		mode = $1; owner = $2; $1 = $2 = $3 = $4 = $5 = ""; sub(/^ +/, "")
		if (mode == "drwxr-xr-x" && owner == "root/root") next
		print mode, owner, $0
	}' | LC_ALL=C sort >"$dir/found"
	alike "$1's files"
}
file='-rw-r--r-- root/root ./usr'
link='lrwxrwxrwx root/root ./usr'
lib=lib/$triplet
# doc PACKAGE: what each has
doc() {
	printf -- "$file/share/doc/$1/%s\n" changelog.Debian.gz changelog.gz copyright
}
{
	doc libgoru0
	echo "$file/$lib/libgoru.so.$upstream"
	echo "$link/$lib/libgoru.so.0 -> libgoru.so.$upstream"
} | contents libgoru0
{
	doc libgoru-dev
	(cd "$root/include" && find . -name '*.h') | sed "s|^\.|$file/include|"
	(cd "$root/docs" && printf -- "$file/share/doc/libgoru-dev/%s.gz\n" containers.md pitfalls.md scopes.md)
	(cd "$root/examples" && printf -- "$file/share/doc/libgoru-dev/examples/%s\n" ./*.c ./*.cpp) | sed 's|/\./|/|'
	printf -- "$file/$lib/cmake/goru/goru%s.cmake\n" Config ConfigVersion Targets Targets-none
	echo "$file/$lib/libgoru.a"
	echo "$file/$lib/pkgconfig/goru.pc"
	echo "$link/$lib/libgoru.so -> libgoru.so.0"
	# gdb looks for the full name of the library's own file.
	echo "$file/share/gdb/auto-load/usr/$lib/libgoru.so.$upstream-gdb.py"
	printf -- "$file/share/goru/%s\n" goru-gdb.py goru_lldb.py
} | contents libgoru-dev

# A root with nothing in it but the names of what libgoru0 depends on, as new as this system's.
system=$dir/root
info=$system/var/lib/dpkg/info
mkdir -p "$info" "$system/var/lib/dpkg/updates"
echo 1 >"$info/format"
for package in libc6 libgcc-s1; do
	: >"$info/$package:$arch.list" >"$info/$package:$arch.md5sums"
	dpkg-query -W -f 'Package: ${Package}\nStatus: install ok installed\nMaintainer: none\nArchitecture: ${Architecture}\nMulti-Arch: same\nVersion: ${Version}\nDescription: none\n\n' "$package:$arch"
done >"$system/var/lib/dpkg/status"
PATH=$PATH:/usr/sbin:/sbin
in_root() {
	dpkg --root="$system" --log="$dir/dpkg.log" --path-include='/*' --force-not-root "$@"
}
tree() {
	(cd "$system" && find . -path ./var/lib/dpkg -prune -o -print | LC_ALL=C sort)
}
tree >"$dir/before"

refused in_root -i "$(deb libgoru-dev)"
grep -q "depends on libgoru0 (= $version)" "$dir/log" || fail "libgoru-dev alone: $(cat "$dir/log")"
quiet in_root -i "$(deb libgoru0)" "$(deb libgoru0-dbgsym)"
quiet in_root --configure -a
quiet in_root --audit
[ ! -s "$dir/log" ] || fail "$(cat "$dir/log")"
quiet in_root --verify
[ ! -s "$dir/log" ] || fail "$(cat "$dir/log")"

installed=$system/usr/$lib
quiet sh "$root/scripts/notes.sh" "$installed"
quiet sh "$root/scripts/symbols.sh" "$installed"
id=$(readelf -nW "$installed/libgoru.so" | sed -n 's/.*Build ID: //p')
debug=$system/usr/lib/debug/.build-id/$(echo "$id" | sed 's|^..|&/|').debug
readelf -SW "$debug" | grep -q '\.debug_info' || fail "libgoru0-dbgsym does not have what belongs to libgoru.so"

# find_package
export LD_LIBRARY_PATH="$installed"
quiet cmake -S "$here" -B "$dir/stranger" -DCMAKE_PREFIX_PATH="$system/usr"
grep -qx "goru_DIR:PATH=$installed/cmake/goru" "$dir/stranger/CMakeCache.txt" || fail "find_package found another goru"
quiet cmake --build "$dir/stranger" -j 2
for program in c_goru c_goru_static cxx_goru cxx_goru_static; do
	quiet "$dir/stranger/$program"
done

# pkg-config: where the package belongs no directory is needed
export PKG_CONFIG_LIBDIR="$installed/pkgconfig"
flags=$(pkg-config --cflags --libs goru | sed 's/ *$//')
[ "$flags" = -lgoru ] || fail "goru.pc says '$flags'"
export PKG_CONFIG_SYSROOT_DIR="$system" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
flags=$(pkg-config --cflags --libs goru)
# shellcheck disable=SC2086 # several flags
for one in "$CC $here/stranger.c" "$CXX $here/stranger.cpp"; do
	quiet $one -o "$dir/pc" $flags
	readelf -dW "$dir/pc" | grep -q 'NEEDED.*libgoru\.so\.0' || fail "$one: not linked to libgoru.so.0"
	quiet "$dir/pc"
done

refused in_root -r libgoru0 # while libgoru-dev is there
quiet in_root --purge libgoru-dev libgoru0-dbgsym libgoru0
tree >"$dir/after"
mv "$dir/before" "$dir/wanted"
mv "$dir/after" "$dir/found"
alike "the root after all is removed"
! grep -rl --exclude=status-old goru "$system/var/lib/dpkg" || fail "dpkg still knows of goru in the above"

# (There is no wish for a package in Debian's bug tracker to close.)
quiet lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$dir/debs"/*.*deb
echo "deb: 3 packages, the same twice, installed, 6 programs built and run, removed"
