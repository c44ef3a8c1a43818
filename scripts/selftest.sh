#!/bin/sh
# selftest.sh - plants what each checking script looks for and sees it found.
# SPDX-License-Identifier: MIT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

python3 "$here/layers.py" --selftest
python3 "$here/pairs.py" --selftest
sh "$here/symbols.sh" --selftest
sh "$here/notes.sh" --selftest
sh "$here/reproduce.sh" --selftest

printf 'Text.\n```c\nstatic int f(void) { return GORU_MSEC; }\n```\n```text\nno C\n```\n' >"$dir/right.md"
printf '```c\nint f(void) { return goru_yeild(); }\n```\n' >"$dir/wrong.md"
sh "$here/blocks.sh" "$dir/right.md" >/dev/null || { echo "blocks.sh: refuses what compiles"; exit 1; }
for page in wrong.md selftest.none; do
	! sh "$here/blocks.sh" "$dir/$page" >/dev/null 2>&1 || { echo "blocks.sh: takes $page"; exit 1; }
done
echo "blocks.sh: 2 violations planted, 2 found"

# expect VERDICT BLOCK PRINTED [STATUS]: expect.sh on a program that prints, against a comment
count=0
expect() {
	printf '%b' "/* x.c - x. */\n$2" >"$dir/x.c"
	printf '%b' "$3" >"$dir/printed"
	verdict=right
	sh "$here/expect.sh" "$dir/x.c" sh -c "cat '$dir/printed'; exit ${4:-0}" >"$dir/said" 2>&1 || verdict=wrong
	[ "$verdict" = "$1" ] || {
		echo "expect.sh: $verdict, not $1: '$2' and '$3'"
		cat "$dir/said"
		exit 1
	}
	count=$((count + 1))
}
expect right '/* Output:\n * a\n *\n *  b * c\n */\n' 'a\n\n b * c\n'
expect wrong '/* Output:\n * a\n * b\n */\n' 'b\na\n'
expect right '/* Output (any order):\n * a\n * b\n */\n' 'b\na\n'
expect wrong '/* Output (any order):\n * a\n * b\n */\n' 'b\nb\n'
expect wrong '/* Output:\n * a\n */\n' 'a\nb\n'
expect wrong '/* Output:\n * a\n */\n' 'a\n' 3
expect wrong 'int a;\n' ''
expect wrong '/* Output:\n * a\n' 'a\n'
expect right '/* Output:\n * a\n */\nint b;\n/* Output:\n * b\n */\n' 'b\n'
expect right '/* Output:\n */\n' ''
echo "expect.sh: $count cases as they should be"
