#!/bin/sh
# run.sh - measures goru and its peers; see README.md.
# SPDX-License-Identifier: MIT
#
#   sh bench/run.sh [OPTION...] [WORKLOAD...]      --help tells the options
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/deps.sh"

# Peers that are missing are skipped, only goru itself is needed. Nothing is installed from here.
install=no
deps_need cmake cc make python3
exec python3 -B "$root/bench/run.py" "$@"
