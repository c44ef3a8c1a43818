# spread.py - builds and runs spread.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import measure  # noqa: E402
import peers  # noqa: E402

TASKS = [20, 50, 100, 300, 1000]  # microseconds each
PAUSES = [0, 3000]                # microseconds between two batches
METRICS = ["p50_us", "p90_us", "p99_us"]


def build_goru(spec, out):
    goru = peers.Goru(spec)
    lib = goru.goru_lib(out)
    exe = lib[:-len("libgoru.a")] + "spread"
    peers.must([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                "-I" + os.path.join(goru.root, "include"), os.path.join(HERE, "spread.c"), lib, "-pthread",
                "-o", exe], out, exe + ".log")
    return exe


def build_go(out):
    go = peers.need("go", "https://go.dev/dl")
    exe = os.path.join(out, "build", "spread_go")
    peers.must([go, "build", "-o", exe, "."], os.path.join(HERE, "go"), exe + ".log")
    return exe


def build(names, out):
    exes = {}
    os.makedirs(os.path.join(out, "build"), exist_ok=True)
    for name in names:
        try:
            exes[name] = build_go(out) if name == "go" else build_goru(name, out)
        except peers.Missing as e:
            print(f"spread: {name} left out: {e}")
    return exes


def row(title, done):
    good = [r for r in done if not r.error]
    if not good:
        return f"{title} {done[0].error}"
    noisy = "~" if 2 * sum(r.disturbed for r in good) > len(good) else " "
    return title + noisy + "".join(f"{statistics.median(r.metrics[m] for r in good):10.0f}" for m in METRICS)


def main():
    a = argparse.ArgumentParser(prog="bench/spread/run.sh")
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--workers", default="2")
    a.add_argument("--peers", default="goru go", help='also "goru@DIR", another checkout')
    a.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine before each run")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    o = a.parse_args()
    exes = build(o.peers.split(), os.path.abspath(o.out))
    print(f"{'pause us':>8} {'task us':>8} {'serial':>8} {'peer':12}" + "".join(f"{m:>10}" for m in METRICS))
    for pause in PAUSES:
        for task in TASKS:
            runs = {name: [] for name in exes}
            for _ in range(o.runs):
                for name, exe in exes.items():
                    measure.wait_until_quiet(o.patience)
                    runs[name].append(measure.run([exe, o.workers, str(task), str(pause)], 120))
            for name, done in runs.items():
                print(row(f"{pause:8} {task:8} {8 * task:8} {name:12}", done), flush=True)


if __name__ == "__main__":
    main()
