#!/bin/sh
# run.sh - explores the models of goru's protocols, and checks the Spin models beside them.
# SPDX-License-Identifier: MIT
#
#   sh tests/model/run.sh [NAME...]      NAME.c, or pml for the Spin models; default: all
#
# A model is one C file here, explored by explore/ over goru's own sources, which are compiled as they are but for
# -fsanitize=thread, whose calls explore/ answers. What it needs stands in its first lines:
#
#   /* model: with=FILE,... */     sources from the top of the tree; core: all but what is below os and above sync
#
# What no model calls need not be there: a call to it ends in a crash. GORU_MODEL_DIR keeps the objects. MODEL_SLOW=1
# does without the shortcut that explore/explorer.h explains: as many ends, more states. Ends with 1 if a model fails, 2 if one
# does not compile.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
cd "$root" || exit 1
cc=${CC:-cc}
cpu=$(uname -m)
if [ -n "${GORU_MODEL_DIR:-}" ]; then
	out=$GORU_MODEL_DIR
	mkdir -p "$out"
else
	out=$(mktemp -d) || exit 1
	trap 'rm -rf "$out"' EXIT
	trap 'exit 130' INT TERM
fi

core="src/base/spin.c $(echo src/part/*.c src/rt/*.c src/sched/*.c src/sync/*.c | sed 's,src/rt/hooks.c,,')"
plain="-std=gnu11 -g -Wall -Wno-tsan -Wno-unknown-warning-option -Werror=implicit-function-declaration
	-fno-pie -fno-stack-protector -Isrc -Iinclude -Itests/model"
flags="$plain -O1 -fsanitize=thread -ffunction-sections -fdata-sections -DGRT_RUNQ_LEN=4u -DGRT_LANE_LEN=4u -DGRT_SEARCH_ROUNDS=1
	-Itests/model/port -include tests/model/model.h"

sources_of() {
	# shellcheck disable=SC2086 # a list
	sed -n 's,^/\* model: with=\(.*\) \*/$,\1,p' "$1" | tr , '\n' | while read -r f; do
		if [ "$f" = core ]; then echo $core; else echo "$f"; fi
	done
}

object_of() {
	echo "$out/$(echo "$1" | tr / _).o"
}

# one FILE: its object
one() {
	o=$(object_of "$1")
	# shellcheck disable=SC2086 # lists
	case $1 in
	tests/model/explore/*.c) $cc $plain -O2 "-Iarch/$cpu" -c "$1" -o "$o" ;;
	src/sched/switch.c) $cc $flags -DMODEL_IMPATIENT -c "$1" -o "$o" ;;
	src/engine/pick.c) $cc $flags -DMODEL_YIELD_IS_A_STEP -c "$1" -o "$o" ;;
	*) $cc $flags -c "$1" -o "$o" ;;
	esac
}

if [ "${1:-}" = --compile ]; then
	GORU_MODEL_DIR=$out
	one "$2"
	exit
fi

names=$*
[ -n "$names" ] || names="$(cd tests/model && grep -l '^int main' ./*.c | sed 's,^\./,,; s,\.c$,,') pml"
failed=0
explorer=$(echo tests/model/explore/*.c)
all="$explorer tests/model/kit.c"
for n in $names; do
	[ "$n" = pml ] || all="$all tests/model/$n.c $(sources_of "tests/model/$n.c")"
done
export GORU_MODEL_DIR="$out"
# shellcheck disable=SC2086 # a list
printf '%s\n' $all | sort -u | xargs -P "$(nproc)" -n 1 sh tests/model/run.sh --compile || exit 2
for n in $names; do
	if [ "$n" = pml ]; then
		sh tests/model/spin.sh || failed=1
		continue
	fi
	objects=
	for f in $explorer tests/model/kit.c "tests/model/$n.c" $(sources_of "tests/model/$n.c"); do
		objects="$objects $(object_of "$f")"
	done
	# shellcheck disable=SC2086 # a list
	$cc -no-pie -o "$out/$n" $objects "arch/$cpu/entry.S" \
		-Wl,--gc-sections,--unresolved-symbols=ignore-all \
		-Wl,--wrap=malloc,--wrap=realloc,--wrap=free,--wrap=aligned_alloc || exit 2
	"$out/$n" || failed=1
done
exit $failed
