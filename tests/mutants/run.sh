#!/bin/sh
# run.sh - takes one step of a protocol out at a time and sees that a test or model notices.
# SPDX-License-Identifier: MIT
#
#   sh tests/mutants/run.sh [--sample] [--list] [NAME...]     all patches by themselves
#
# NAME.patch begins with lines for the reader and for this script, then a diff against the top of the tree:
#
#   Removes: what is left out
#   Caught by: KIND WHAT [WORD...]      several such lines: any of them may catch it, tried in this order
#   Sample: yes                         among those of --sample
#
#   unit|api|arch|fault|stress NAME     tests/KIND/NAME.c, with these words:
#       procs=N    GORU_PROCS       chaos  built with -DGRT_CHAOS=1       checks  with -DGRT_CHECKS=1
#       cpus=LIST  pinned to those  asan   with AddressSanitizer          env=NAME=V
#       only=PAT   those of its tests whose names match
#   spin FILE -DMACRO                   tests/model/FILE.pml with the same omission
#   model NAME                          tests/model/run.sh NAME in the changed tree
#
# The unchanged tree must pass whatever a patch names. A program is run again until it fails, GORU_MUTANT_SECONDS (40)
# at most; a hang counts. Builds lie in a directory that is removed at the end (GORU_MUTANT_DIR keeps it).
# Ends with 1 if a mutant survived, did not apply, or what should catch it fails by itself.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
here=$root/tests/mutants
seconds=${GORU_MUTANT_SECONDS:-40}
cc=${CC:-cc}
cpu=$(uname -m)
bad=0
names=
list=no
sample=no

while [ $# -gt 0 ]; do
	case $1 in
	--sample) sample=yes ;;
	--list) list=yes ;;
	*) names="$names $(basename "$1" .patch)" ;;
	esac
	shift
done
if [ $sample = yes ]; then
	names=$(grep -l '^Sample: yes' "$here"/*.patch | sed 's,.*/,,; s,\.patch$,,')
elif [ -z "$names" ]; then
	names=$(ls "$here" | sed -n 's,\.patch$,,p')
fi

if [ $list = yes ]; then
	for name in $names; do
		printf '%-28s %s\n' "$name" "$(sed -n 's/^Removes: //p' "$here/$name.patch")"
	done
	exit 0
fi

if [ -n "${GORU_MUTANT_DIR:-}" ]; then
	work=$GORU_MUTANT_DIR
	mkdir -p "$work" && work=$(cd "$work" && pwd) || exit 1
else
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
fi

# copy_tree DIR: what builds and tests need
copy_tree() {
	rm -rf "$1"
	mkdir -p "$1/tests"
	cp -a "$root/src" "$root/arch" "$root/include" "$1"
	for d in unit api arch fault stress support model; do
		[ -d "$root/tests/$d" ] && cp -a "$root/tests/$d" "$1/tests"
	done
	cat >"$1/Makefile" <<'END'
.RECIPEPREFIX = >
# made by tests/mutants/run.sh: O, the objects' directory; X, further flags
F = -std=gnu11 -O2 -g -Wall -fvisibility=hidden -ftls-model=initial-exec -fPIC $(CF) \
	-Iinclude -Isrc -Iarch/$(CPU) -Itests/support -Itests $(X)
ifeq ($(CPU),x86_64)
CF = -fcf-protection=branch
endif
SRC := $(shell find src arch/$(CPU) -name '*.c' -o -name '*.S' | grep -v '^src.*\.S$$')
SUP := $(wildcard tests/support/*.c)
OBJ := $(patsubst %,$(O)/%.o,$(SRC))
SOBJ := $(patsubst %,$(O)/%.o,$(SUP))
all: $(O)/goru.a $(O)/support.a
$(O)/goru.a: $(OBJ)
> @rm -f $@; ar rc $@ $^
$(O)/support.a: $(SOBJ)
> @rm -f $@; ar rc $@ $^
$(O)/%.o: %
> @mkdir -p $(dir $@)
> @$(CC) $(F) -MMD -c $< -o $@
$(O)/program-%: tests/%.c $(O)/goru.a $(O)/support.a
> @mkdir -p $(dir $@)
> @$(CC) $(F) $(PF) $< $(PW) $(O)/support.a $(O)/goru.a $(PL) -lcmocka -lm -ldl -lpthread -o $@
-include $(patsubst %,$(O)/%.d,$(SRC) $(SUP))
.PRECIOUS: $(O)/program-%
END
}

# word KEY LINE: the value of KEY=... in a `Caught by:` line, or KEY itself if it stands there alone
word() {
	for w in $(echo "$2" | cut -d " " -f 3-); do
		case $w in
		"$1"=*) echo "${w#*=}" ;;
		"$1") echo "$1" ;;
		esac
	done
}

# of_test KEY FILE: the words of KEY=... in a test's first lines, apart by blanks (tests/CMakeLists.txt)
of_test() {
	sed -n 's,^/\* test: \(.*\) \*/$,\1,p' "$2" | tr ' ' '\n' | sed -n "s/^$1=//p" | tr , ' '
}

# flags LINE: of the build that it wants; its directory's name
flags() {
	f=
	[ -z "$(word chaos "$1")" ] || f="$f -DGRT_CHAOS=1"
	[ -z "$(word checks "$1")" ] || f="$f -DGRT_CHECKS=1"
	[ -z "$(word asan "$1")" ] || f="$f -fsanitize=address -DGRT_CHECKS=1"
	echo "$f"
}
build_of() {
	echo "o$(flags "$1" | tr -d ' =' | sed 's/-DGRT_/-/g; s/-fsanitize/-/; y/ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/')"
}

# build TREE LINE: the library and the program of a line
build() {
	kind=${2%% *}
	what=$(echo "$2" | cut -d ' ' -f 2)
	file=$1/tests/$kind/$what.c
	[ -f "$file" ] || { echo "no tests/$kind/$what.c"; return 1; }
	wrap=
	for s in $(of_test wrap "$file"); do wrap="$wrap -Wl,--wrap=$s"; done
	make -s -j "$(nproc)" -C "$1" "O=$(build_of "$2")" "X=$(flags "$2")" "CC=$cc" "CPU=$cpu" all &&
		make -s -C "$1" "O=$(build_of "$2")" "X=$(flags "$2")" "CC=$cc" "CPU=$cpu" \
			"PF=$(of_test cflags "$file")" "PW=$wrap $(of_test with "$file")" \
			"PL=$(for l in $(of_test libs "$file"); do printf -- '-l%s ' "$l"; done)" \
			"$(build_of "$2")/program-$kind/$what"
}

# run_once TREE LINE: 0 if it passes
run_once() {
	kind=${2%% *}
	what=$(echo "$2" | cut -d ' ' -f 2)
	case $kind in
	spin | model) "run_$kind" "$@"; return ;;
	esac
	pin=$(word cpus "$2")
	procs=$(word procs "$2")
	only=$(word only "$2")
	(
		cd "$1" || exit 1
		[ -z "$procs" ] || export "GORU_PROCS=$procs"
		[ -z "$only" ] || export "GORU_TEST_ONLY=$only"
		for v in $(of_test env "tests/$kind/$what.c") $(word env "$2"); do export "${v?}"; done
		export "GORU_TEST_SECONDS=${GORU_TEST_SECONDS:-2.5}" "GORU_TEST_STUCK=${GORU_TEST_STUCK:-3}"
		ulimit -c 0
		timeout -k 2 30 ${pin:+taskset -c "$pin"} "$(build_of "$2")/program-$kind/$what" \
			</dev/null >"$work/log" 2>&1
	) 2>/dev/null
}

run_spin() {
	what=$(echo "$2" | cut -d ' ' -f 2)
	pml=$root/tests/model/$what.pml
	omit=$(echo "$2" | cut -s -d ' ' -f 3-)
	mkdir -p "$work/spin"
	# shellcheck disable=SC2086 # several words
	(cd "$work/spin" && rm -f pan* && spin -a $omit "$pml" && $cc -O2 -w -DSAFETY -o pan pan.c &&
		timeout 300 ./pan -m200000) >"$work/log" 2>&1 || return 1
	! grep -q 'max search depth' "$work/log" && grep -q 'errors: 0' "$work/log"
}

run_model() {
	what=$(echo "$2" | cut -d ' ' -f 2)
	(cd "$1" && timeout 300 sh tests/model/run.sh "$what") >"$work/log" 2>&1
}

# usable LINE: is there such a test? (models are made one by one)
usable() {
	what=$(echo "$1" | cut -d ' ' -f 2)
	case ${1%% *} in
	spin) [ -f "$root/tests/model/$what.pml" ] && command -v spin >/dev/null ;;
	model) [ -f "$root/tests/model/$what.c" ] && [ -s "$root/tests/model/run.sh" ] ;;
	*) true ;;
	esac
}

built() { case ${1%% *} in spin | model) false ;; *) true ;; esac; }

# sound LINE: does it pass on the unchanged tree? Asked once for each. A spin line: the same model without the macro.
sound() {
	case $1 in
	spin*) set -- "$(echo "$1" | cut -d ' ' -f 1,2)" ;;
	esac
	key=$work/sound/$(echo "$1" | tr -c 'a-z0-9=\n' _)
	mkdir -p "$work/sound"
	if [ ! -f "$key" ]; then
		rc=0
		if built "$1"; then build "$work/base" "$1" >"$work/log" 2>&1 || rc=2; fi
		for i in 1 2; do
			[ $rc -eq 0 ] || break
			run_once "$work/base" "$1" || rc=1
			built "$1" || break
		done
		# the machine may have been busy: a hang of 3 seconds is no proof here
		if [ $rc -eq 1 ]; then
			cp "$work/log" "$key.log"
			rc=0
			(GORU_TEST_STUCK=20 && export GORU_TEST_STUCK && run_once "$work/base" "$1") || rc=1
		fi
		[ $rc -eq 0 ] || { echo "BROKEN without any change: $1"; tail -n 5 "$work/log"; }
		echo $rc >"$key"
	fi
	return "$(cat "$key")"
}

caught_by() { sed -n 's/^Caught by: //p; /^--- /q' "$here/$1.patch"; }

# mutant NAME
mutant() {
	start=$(date +%s)
	[ -f "$here/$1.patch" ] || { echo "no tests/mutants/$1.patch"; return 1; }
	lines=$(caught_by "$1")
	tried=
	applied=no
	while read -r line; do
		usable "$line" || continue
		tried="$tried, $line"
		sound "$line" || return 1
		if [ $applied = no ]; then
			rm -rf "$work/mutant"
			cp -a "$work/base" "$work/mutant"
			patch -s -p1 -d "$work/mutant" <"$here/$1.patch" >"$work/log" 2>&1 || {
				echo "STALE $1: the patch does not apply"
				return 1
			}
			applied=yes
		fi
		if built "$line" && ! build "$work/mutant" "$line" >"$work/log" 2>&1; then
			echo "BROKEN $1: does not compile"
			cat "$work/log"
			return 1
		fi
		end=$(($(date +%s) + seconds))
		while :; do
			if ! run_once "$work/mutant" "$line"; then
				now=$(date +%s)
				printf 'caught   %-28s by %s in %d s\n' "$1" "$line" $((now - start))
				[ -z "${GORU_MUTANT_VERBOSE:-}" ] || tail -n 4 "$work/log"
				return 0
			fi
			built "$line" || break
			[ "$(date +%s)" -lt $end ] || break
		done
	done <<-END
		$lines
	END
	if [ -z "$tried" ]; then
		printf 'skipped  %-28s %s: not there\n' "$1" "$(echo "$lines" | head -n 1)"
		return 0
	fi
	printf 'SURVIVED %-28s%s in %d s\n' "$1" "${tried#,}" $(($(date +%s) - start))
	return 1
}

command -v patch >/dev/null && command -v make >/dev/null || { echo "run.sh: patch and make are needed" >&2; exit 1; }
copy_tree "$work/base"
n=0
for name in $names; do
	n=$((n + 1))
	mutant "$name" || bad=$((bad + 1))
done
echo "mutants: $n, $bad not caught"
[ $bad -eq 0 ]
