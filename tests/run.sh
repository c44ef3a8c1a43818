#!/bin/sh
# run.sh - builds goru, its tests and its examples, and runs them.
# SPDX-License-Identifier: MIT
#
#   sh tests/run.sh [--no-install] [CTEST-ARG...]      such as -R unit or -L stress
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
. "$root/scripts/deps.sh"
. "$root/scripts/build.sh"

if [ "${1:-}" = --no-install ]; then
	install=no
	shift
fi

deps_need cmake cc c++ make cmocka
build_into "$root" "$root/build" -DGORU_BUILD_EXAMPLES=ON -DGORU_BUILD_TESTS=ON || exit 1
ctest --test-dir "$root/build" --no-tests=error --output-on-failure -j "$(build_jobs)" "$@"
