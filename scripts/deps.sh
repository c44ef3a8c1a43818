# deps.sh - finds what is missing to build and test goru, and installs it. Read by other scripts.
# SPDX-License-Identifier: MIT
#
#   . scripts/deps.sh
#   deps_need cmake cc make cmocka     install=no: only say what is missing
#
# Asks first on a terminal. Everything is looked for by using it, not by package name, so what was
# installed by other means counts too.

install=${install:-yes}

deps_say() {
	printf '%s\n' "$*" >&2
}

deps_found() {
	command -v "$1" >/dev/null 2>&1
}

# deps_compiles COMPILER LANGUAGE TEXT [FLAG...]: does it compile and link?
deps_compiles() {
	deps_found "$1" || return 1
	deps_out=$(mktemp) || return 1
	deps_cc=$1 deps_lang=$2 deps_text=$3
	shift 3
	printf '%s\n' "$deps_text" | "$deps_cc" -x "$deps_lang" - -o "$deps_out" "$@" >/dev/null 2>&1
	deps_rc=$?
	rm -f "$deps_out"
	return $deps_rc
}

deps_cmake_is_new() {
	deps_found cmake || return 1
	cmake --version | awk 'NR == 1 { split($3, v, "."); exit !(v[1] > 3 || (v[1] == 3 && v[2] >= 22)) }'
}

# First of the given commands that exists.
deps_first() {
	for deps_one in "$@"; do
		if deps_found "$deps_one"; then
			printf '%s\n' "$deps_one"
			return 0
		fi
	done
	return 1
}

deps_have() {
	case $1 in
	cmake) deps_cmake_is_new ;;
	cc) deps_compiles "${CC:-cc}" c '#include <linux/futex.h>
#include <pthread.h>
int main(void) { return 0; }' ;;
	c++) deps_compiles "${CXX:-c++}" c++ '#include <vector>
int main() { return 0; }' ;;
	make) deps_found ninja || deps_found make ;;
	cmocka) deps_compiles "${CC:-cc}" c '#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
int main(void) { return 0; }' -lcmocka ;;
	deb) deps_found dpkg-buildpackage && deps_found dh ;;
	pkg-config | python3 | spin | gdb | readelf | nm | objdump | valgrind | lintian) deps_found "$1" ;;
	sqlite3 | zlib) deps_found pkg-config && pkg-config --exists "$1" ;;
	pcre2) deps_found pkg-config && pkg-config --exists libpcre2-8 ;;
	clang) deps_compiles "$(deps_first clang clang-14)" c 'int main(void) { return 0; }' -fsanitize=thread ;;
	clang-format) deps_found clang-format-14 ;;
	qemu) deps_found qemu-aarch64 ;;
	cross) deps_compiles aarch64-linux-gnu-gcc c '#include <stdio.h>
int main(void) { return 0; }' ;;
	cross-c++) deps_compiles aarch64-linux-gnu-g++ c++ '#include <vector>
int main() { return 0; }' ;;
	musl) deps_compiles musl-gcc c 'int main(void) { return 0; }' && [ -e /usr/include/linux/futex.h ] ;;
	xz) deps_found xz ;;
	*) deps_say "deps.sh: $1?"; exit 2 ;;
	esac
}

# Package names, by manager. What only continuous integration uses is known to apt-get alone.
deps_packages() {
	case $1:$2 in
	*:cmake) echo cmake ;;
	*:make) echo make ;;
	pacman:python3) echo python ;;
	*:python3) echo python3 ;;
	apt-get:cc) echo gcc libc6-dev ;;
	dnf:cc | zypper:cc) echo gcc glibc-devel ;;
	apk:cc) echo gcc musl-dev linux-headers ;;
	pacman:cc) echo gcc ;;
	apt-get:c++ | apk:c++) echo g++ ;;
	dnf:c++ | zypper:c++) echo gcc-c++ ;;
	pacman:c++) echo gcc ;;
	apt-get:cmocka) echo libcmocka-dev ;;
	dnf:cmocka | zypper:cmocka) echo libcmocka-devel ;;
	apk:cmocka) echo cmocka-dev ;;
	pacman:cmocka) echo cmocka ;;
	apt-get:pkg-config) echo pkg-config ;;
	apk:pkg-config | pacman:pkg-config) echo pkgconf ;;
	dnf:pkg-config | zypper:pkg-config) echo pkgconf-pkg-config ;;
	apt-get:clang) echo clang-14 libclang-rt-14-dev ;;
	apt-get:clang-format) echo clang-format-14 ;;
	apt-get:qemu) echo qemu-user ;;
	apt-get:cross) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	apt-get:cross-c++) echo g++-aarch64-linux-gnu ;;
	apt-get:musl) echo musl-tools linux-libc-dev ;;
	apt-get:xz) echo xz-utils ;;
	apt-get:spin) echo spin ;;
	apt-get:sqlite3) echo libsqlite3-dev ;;
	apt-get:zlib) echo zlib1g-dev ;;
	apt-get:pcre2) echo libpcre2-dev ;;
	apt-get:deb) echo dpkg-dev debhelper ;;
	apt-get:lintian) echo lintian ;;
	*:valgrind | *:gdb) echo "$2" ;;
	*:readelf | *:nm | *:objdump) echo binutils ;;
	*) deps_say "deps.sh: the package of $2 for $1 is not known"; return 1 ;;
	esac
}

# The line that installs packages: deps_line MANAGER SUDO PACKAGE...
deps_line() {
	deps_manager=$1 deps_sudo=$2
	shift 2
	case $deps_manager in
	apt-get)
		deps_apt=apt-get
		[ -t 0 ] || deps_apt="env DEBIAN_FRONTEND=noninteractive apt-get"
		echo "$deps_sudo$deps_apt update; $deps_sudo$deps_apt install -y --no-install-recommends $*" ;;
	dnf) echo "${deps_sudo}dnf install -y $*" ;;
	apk) echo "${deps_sudo}apk add $*" ;;
	pacman) echo "${deps_sudo}pacman -Sy --needed --noconfirm $*" ;;
	zypper) echo "${deps_sudo}zypper --non-interactive install $*" ;;
	esac
}

deps_missing() {
	for deps_thing in "$@"; do
		deps_have "$deps_thing" || printf '%s ' "$deps_thing"
	done
}

# deps_need THING...: returns when all of them are there, else ends the script.
deps_need() {
	deps_lack=$(deps_missing "$@") || exit 2
	[ -n "$deps_lack" ] || return 0
	deps_say "goru needs, and does not find: $deps_lack"

	deps_manager=$(deps_first apt-get dnf apk pacman zypper) || {
		deps_say "No package manager that this script knows: install them by hand and try again."
		exit 1
	}
	deps_list=
	for deps_thing in $deps_lack; do
		deps_pkgs=$(deps_packages "$deps_manager" "$deps_thing") || exit 1
		deps_list="$deps_list $deps_pkgs"
	done
	# shellcheck disable=SC2086 # several words
	deps_list=$(printf '%s\n' $deps_list | LC_ALL=C sort -u | tr '\n' ' ' | sed 's/ $//')

	deps_sudo=
	deps_root=yes
	if [ "$(id -u)" -ne 0 ]; then
		deps_root=no
		if deps_found sudo; then
			deps_sudo="sudo "
			[ -t 0 ] || deps_sudo="sudo -n "
			deps_root=sudo
		fi
	fi
	# shellcheck disable=SC2086 # several words
	deps_cmd=$(deps_line "$deps_manager" "$deps_sudo" $deps_list)

	if [ "$install" != yes ]; then
		deps_say "Not installed because of --no-install. The line that does it:"
		deps_say "    $deps_cmd"
		exit 1
	fi
	if [ "$deps_root" = no ]; then
		deps_say "Installing needs root, and there is no sudo. Run this as root, then try again:"
		deps_say "    $deps_cmd"
		exit 1
	fi
	deps_say "    $deps_cmd"
	if [ -t 0 ]; then
		printf 'Run this line now? [Y/n] ' >&2
		read -r deps_answer || deps_answer=n
		case $deps_answer in
		'' | [Yy]*) ;;
		*)
			deps_say "Nothing was installed. Run the line yourself, then try again."
			exit 1 ;;
		esac
	fi
	sh -c "$deps_cmd" >&2 || {
		deps_say "That failed. Run it yourself, then try again:"
		deps_say "    $deps_cmd"
		exit 1
	}
	deps_lack=$(deps_missing "$@")
	[ -z "$deps_lack" ] || {
		deps_say "Installed, and still not usable: $deps_lack"
		case " $deps_lack" in
		*" cmake "*)
			deps_say "CMake 3.22 or newer is needed; this system packages an older one." ;;
		esac
		exit 1
	}
}
