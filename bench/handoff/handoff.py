# handoff.py - builds and runs handoff.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import measure  # noqa: E402
import peers  # noqa: E402

CASES = ["usleep", "read", "flock", "sem_wait", "waitpid", "loop"]
METRICS = ["ready_p50", "ready_p90", "ready_max", "due_p50", "due_p90", "due_max"]


def build_goru(spec, out):
    goru = peers.Goru(spec)
    lib = goru.goru_lib(out)
    exe = lib[:-len("libgoru.a")] + "handoff"
    peers.must([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                "-I" + os.path.join(goru.root, "include"), os.path.join(HERE, "handoff.c"), lib, "-pthread",
                "-o", exe], out, exe + ".log")
    return exe


def build_go(out):
    go = peers.need("go", "https://go.dev/dl")
    exe = os.path.join(out, "build", "handoff_go")
    peers.must([go, "build", "-o", exe, "."], os.path.join(HERE, "go"), exe + ".log")
    return exe


def build(names, out):
    exes = {}
    os.makedirs(os.path.join(out, "build"), exist_ok=True)
    for name in names:
        try:
            exes[name] = build_go(out) if name == "go" else build_goru(name, out)
        except peers.Missing as e:
            print(f"handoff: {name} left out: {e}")
    return exes


def histogram(exe, case, workers):
    """One run's own lines `H`: so many waited less than so many microseconds, and not less than the line before."""
    text = subprocess.run([exe, case, workers], capture_output=True, text=True, timeout=300, check=True).stdout
    for line in text.splitlines():
        word = line.split()
        if word[0] == "H":
            print(f"    {word[1]:6}{'<' + word[2]:>9} us {word[3]:>5} {'#' * (int(word[3]) // 2)}")


def main():
    a = argparse.ArgumentParser(prog="bench/handoff/run.sh")
    a.add_argument("case", nargs="*")
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--workers", default="1")
    a.add_argument("--peers", default="goru go", help='also "goru@DIR", another checkout')
    a.add_argument("--histograms", action="store_true", help="of one more run each")
    a.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine before each run")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    o = a.parse_args()
    for case in o.case:
        if case not in CASES:
            a.error(f"no case {case}: {' '.join(CASES)}")
    exes = build(o.peers.split(), os.path.abspath(o.out))
    print(f"{'case':9} {'w':>2} {'peer':12}" + "".join(f"{m:>10}" for m in METRICS) + "   us; max: of all runs")
    for case in o.case or CASES:
        for workers in o.workers.split():
            runs = {name: [] for name in exes}
            for _ in range(o.runs):
                for name, exe in exes.items():
                    measure.wait_until_quiet(o.patience)
                    runs[name].append(measure.run([exe, case, workers], 120))
            for name, done in runs.items():
                good = [r for r in done if not r.error]
                if not good:
                    print(f"{case:9} {workers:>2} {name:12} {done[0].error}")
                    continue
                noisy = "~" if 2 * sum(r.disturbed for r in good) > len(good) else ""
                cells = "".join(
                    f"{(max if m.endswith('max') else statistics.median)(r.metrics[m] for r in good):10.0f}"
                    for m in METRICS)
                print(f"{case:9} {workers:>2} {name + noisy:12}{cells}", flush=True)
                if o.histograms:
                    histogram(exes[name], case, workers)


if __name__ == "__main__":
    main()
