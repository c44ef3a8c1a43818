#!/bin/sh
# python.sh - runs a script with a Python that has matplotlib: the system's, or one in a virtual environment.
# SPDX-License-Identifier: MIT
#
#   sh bench/python.sh DIR SCRIPT [ARG...]      DIR/venv is made if need be, with pip
set -u
dir=$1
shift
for py in python3 /usr/bin/python3 "$dir/venv/bin/python"; do
	if "$py" -c 'import matplotlib' 2>/dev/null; then
		exec "$py" -B "$@"
	fi
done
echo "matplotlib is not here; getting it into $dir/venv" >&2
if python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q matplotlib==3.10.7 >&2; then
	exec "$dir/venv/bin/python" -B "$@"
fi
echo "python.sh: no matplotlib: install python3-matplotlib (the package's name on Debian, Fedora, openSUSE)" >&2
exit 1
