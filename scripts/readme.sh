#!/bin/sh
# readme.sh - checks README.md against the files it speaks of: its program, its output, its examples, its links.
# SPDX-License-Identifier: MIT
#
#   sh scripts/readme.sh [README]
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
readme=${1:-$root/README.md}
program=$root/examples/readme.c
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
bad=0

# block LANGUAGE: the README's first block of that language
block() {
	awk -v open="\`\`\`$1" '$0 == "```" && inside { exit } inside { print } $0 == open { inside = 1 }' "$readme"
}

# same WHAT: the README has what the file has, and there is something
same() {
	[ -s "$dir/want" ] && diff -u "$dir/want" "$dir/got" || {
		echo "readme: $1 is not that of examples/readme.c" >&2
		bad=1
	}
}

# From the first #include to the closing brace.
sed -n '/^#include/,/^\/\* Output:$/p' "$program" | sed '/^\/\* Output:$/d' | sed '$d' >"$dir/want"
block c >"$dir/got"
same "the program"
lines=$(wc -l <"$dir/want")
[ "$lines" -eq 18 ] || { echo "readme: the program has $lines lines, not 18" >&2; bad=1; }

sed -n '/^\/\* Output:$/,/^ \*\/$/s/^ \* //p' "$program" >"$dir/want"
block text >"$dir/got"
same "the output"

# Each example with the sentence of its first line, and no other.
for source in "$root"/examples/*.c "$root"/examples/*.cpp; do
	name=$(basename "$source")
	[ "$name" = readme.c ] && continue
	sed -n "1s,^/\* $name - \(.*\)\. \*/\$,| [${name%.*}](examples/$name) | \1 |,p" "$source"
done | LC_ALL=C sort >"$dir/want"
grep '^| \[[a-z_]*\](examples/' "$readme" | LC_ALL=C sort >"$dir/got"
[ -s "$dir/want" ] && diff -u "$dir/want" "$dir/got" || {
	echo "readme: the table of examples (+) is not that of their first lines (-)" >&2
	bad=1
}

for link in $(grep -o '](\([^)#]*\)' "$readme" | sed 's/^](//'); do
	case $link in
	http*) ;;
	*) [ -e "$root/$link" ] || { echo "readme: $link does not exist" >&2; bad=1; } ;;
	esac
done
[ "$bad" -eq 0 ] && echo "readme: as it should be"
exit "$bad"
