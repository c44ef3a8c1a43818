# lateness.py - builds and runs lateness.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import measure  # noqa: E402
import peers  # noqa: E402

CASES = ["one", "few", "many", "turns", "hog"]
METRICS = ["min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "cpu_ms"]


def build_goru(spec, out):
    goru = peers.Goru(spec)
    lib = goru.goru_lib(out)
    exe = lib[:-len("libgoru.a")] + "lateness"
    peers.must([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                "-I" + os.path.join(goru.root, "include"), os.path.join(HERE, "lateness.c"), lib, "-pthread",
                "-o", exe], out, exe + ".log")
    return exe


def build_go(out):
    go = peers.need("go", "https://go.dev/dl")
    exe = os.path.join(out, "build", "lateness_go")
    peers.must([go, "build", "-o", exe, "."], os.path.join(HERE, "go"), exe + ".log")
    return exe


def build(names, out):
    exes = {}
    os.makedirs(os.path.join(out, "build"), exist_ok=True)
    for name in names:
        try:
            exes[name] = build_go(out) if name == "go" else build_goru(name, out)
        except peers.Missing as e:
            print(f"lateness: {name} left out: {e}")
    return exes


def main():
    a = argparse.ArgumentParser(prog="bench/lateness/run.sh")
    a.add_argument("case", nargs="*")
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--workers", default="1 2")
    a.add_argument("--peers", default="goru go", help='also "goru@DIR", another checkout')
    a.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine before each run")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    o = a.parse_args()
    for case in o.case:
        if case not in CASES:
            a.error(f"no case {case}: {' '.join(CASES)}")
    exes = build(o.peers.split(), os.path.abspath(o.out))
    print(f"{'case':6} {'w':>2} {'peer':12}" + "".join(f"{m:>10}" for m in METRICS))
    for case in o.case or CASES:
        for workers in o.workers.split():
            if case == "hog" and workers == "1":
                continue  # one that never yields keeps the only worker
            runs = {name: [] for name in exes}
            for _ in range(o.runs):
                for name, exe in exes.items():
                    measure.wait_until_quiet(o.patience)
                    runs[name].append(measure.run([exe, case, workers], 120))
            for name, done in runs.items():
                good = [r for r in done if not r.error]
                if not good:
                    print(f"{case:6} {workers:>2} {name:12} {done[0].error}")
                    continue
                noisy = "~" if 2 * sum(r.disturbed for r in good) > len(good) else ""
                cells = "".join(f"{statistics.median(r.metrics[m] for r in good):10.1f}" for m in METRICS)
                print(f"{case:6} {workers:>2} {name + noisy:12}{cells}", flush=True)


if __name__ == "__main__":
    main()
