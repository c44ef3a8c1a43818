#!/bin/sh
# expect.sh - runs a program and compares its standard output with the last comment of its source.
# SPDX-License-Identifier: MIT
#
#   sh scripts/expect.sh SOURCE PROGRAM [ARG...]
#
# The comment begins with a line `/* Output:`, or `/* Output (any order):` to compare sorted lines;
# each further line is ` * text`; it ends with ` */`.
set -u
[ $# -ge 2 ] || { echo "usage: expect.sh SOURCE PROGRAM [ARG...]" >&2; exit 2; }
source=$1
shift

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# The last such comment, without its ` * `; its first line is the order.
awk '
	/^\/\* Output( \(any order\))?:$/ { n = 0; inside = 1; order = ($0 ~ /any order/) ? "any" : "given"; next }
	inside && /^ \*\/$/ { inside = 0; whole = 1; next }
	inside && /^ \*( |$)/ { sub(/^ \* ?/, ""); text[++n] = $0; next }
	inside { broken = 1 }
	END {
		if (!whole || inside || broken) exit 1
		print order
		for (i = 1; i <= n; i++) print text[i]
	}
' "$source" >"$dir/block" || {
	echo "$source: no whole /* Output: comment at its end" >&2
	exit 1
}
sed 1d "$dir/block" >"$dir/want"

"$@" >"$dir/got"
status=$?
if [ "$status" -ne 0 ]; then
	cat "$dir/got"
	echo "$source: exit status $status" >&2
	exit 1
fi
if [ "$(sed -n 1p "$dir/block")" = any ]; then
	LC_ALL=C sort -o "$dir/want" "$dir/want"
	LC_ALL=C sort -o "$dir/got" "$dir/got"
fi
diff -u "$dir/want" "$dir/got" || {
	echo "$source: printed (+) something else than its last comment says (-)" >&2
	exit 1
}
