# build.sh - configures and builds into a directory. Read by other scripts, after deps.sh.
# SPDX-License-Identifier: MIT

# build_jobs: how many at once.
build_jobs() {
	nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

# build_into SOURCE DIR [CMAKE-ARG...]: quiet unless it fails.
build_into() {
	build_src=$1 build_dir=$2
	shift 2
	if [ ! -e "$build_dir/CMakeCache.txt" ] && command -v ninja >/dev/null 2>&1; then
		set -- -G Ninja "$@"
	fi
	mkdir -p "$build_dir" || return 1
	echo "Building in $build_dir" >&2
	(cd "$build_src" && cmake -S . -B "$build_dir" "$@") >"$build_dir/build.log" 2>&1 &&
		cmake --build "$build_dir" -j "$(build_jobs)" >>"$build_dir/build.log" 2>&1 || {
		tail -n 60 "$build_dir/build.log" >&2
		echo "The build failed; all of it: $build_dir/build.log" >&2
		return 1
	}
}
