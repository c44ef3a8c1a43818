#!/bin/sh
# run.sh - builds the examples and runs them all; wordcount runs over the given directories.
# SPDX-License-Identifier: MIT
#
#   sh examples/run.sh [--no-install] [DIR...]      without DIR: this repository's own files
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$root/scripts/deps.sh"
. "$root/scripts/build.sh"

while [ $# -gt 0 ]; do
	case $1 in
	--no-install) install=no ;;
	--) shift; break ;;
	-*) echo "usage: sh examples/run.sh [--no-install] [DIR...]" >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done

deps_need cmake cc c++ make
build_into "$root" "$root/build" -DGORU_BUILD_EXAMPLES=ON -DGORU_BUILD_TESTS=OFF || exit 1

if [ $# -eq 0 ]; then
	for dir in include src arch examples tests scripts docs; do
		[ ! -d "$root/$dir" ] || set -- "$@" "$root/$dir"
	done
fi

failed=
for source in "$root"/examples/*.c "$root"/examples/*.cpp "$root/examples/wordcount.c"; do
	name=$(basename "$source")
	name=${name%.*}
	[ -x "$root/build/examples/$name" ] || continue
	# wordcount comes last, with the directories.
	if [ "$name" = wordcount ] && [ -z "${last:-}" ]; then
		last=yes
		continue
	fi
	echo
	sed -n '1s|^/\* *\(.*\) \*/$|== \1|p' "$source"
	if [ "$name" = wordcount ]; then
		"$root/build/examples/$name" "$@"
	else
		"$root/build/examples/$name"
	fi || failed="$failed $name"
done
if [ -n "$failed" ]; then
	echo "Failed:$failed" >&2
	exit 1
fi
