#!/bin/sh
# blocks.sh - compiles the C and C++ examples of a Markdown page, each by itself.
# SPDX-License-Identifier: MIT
#
#   sh scripts/blocks.sh [FILE...]     docs/pitfalls.md by itself
#
# A block is what stands between ```c or ```cpp and ```; the headers below come before it.
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
[ $# -gt 0 ] || set -- "$root/docs/pitfalls.md"
mkdir "$dir/it"
bad=0
n=0

for page in "$@"; do
	awk -v dir="$dir" '
		/^```/ && file { close(file); file = ""; next }
		/^```(c|cpp)$/ { file = sprintf("%s/%03d.%s", dir, NR, substr($0, 4)); printf "#line %d\n", NR + 1 >file; next }
		file { print >file }' "$page"
	for block in "$dir"/*.c "$dir"/*.cpp; do
		[ -e "$block" ] || continue
		{
			[ "${block##*.}" = c ] && printf '#define _GNU_SOURCE\n'
			for h in errno.h fenv.h pthread.h setjmp.h spawn.h stdio.h stdlib.h string.h sys/wait.h unistd.h goru.h goru/spawn.h; do
				printf '#include <%s>\n' "$h"
			done
			[ "${block##*.}" = c ] || printf '#include <stdexcept>\n'
			cat "$block"
		} >"$dir/it/it.${block##*.}"
		case $block in
		*.c) compiler="${CC:-cc} -std=gnu11" ;;
		*) compiler="${CXX:-c++} -std=c++17" ;;
		esac
		n=$((n + 1))
		$compiler -O2 -Wall -Wextra -Werror -Wno-unused-function -I"$root/include" -c "$dir/it/it.${block##*.}" \
			-o "$dir/it/it.o" >"$dir/log" 2>&1 || {
			echo "blocks: $page: an example does not compile" >&2
			cat "$dir/log" >&2
			bad=1
		}
		rm -f "$block"
	done
done
[ "$n" -gt 0 ] || { echo "blocks: no example found" >&2; exit 1; }
[ "$bad" -eq 0 ] && echo "blocks: $n examples compile"
exit "$bad"
