# growth.py - what an operation costs against how many goroutines, and how many workers, there are: growth.json, a plot.
# SPDX-License-Identifier: MIT
#
#   python3 bench/growth.py [--quick] [--runs N] [--workers N] [--max COUNT] [--procs "1 2 4"] [--out DIR] [CURVE...]
import argparse
import json
import os
import statistics
import sys
import time

import measure
import peers
import report
import run

# name: title, workload, operations for a count, what of the result is one operation in ns
CURVES = {
    "yield": ("yield", "yield2", lambda c: max(2_000_000, 5 * c), lambda m, n, c: m["ns"]),
    "spawn": ("spawn, so many outstanding", "spawn1", lambda c: max(1_000_000, 4 * c), lambda m, n, c: m["ns"]),
    "ring": ("channel ring, per hop", "ring", lambda c: max(2_000_000, 4 * c), lambda m, n, c: m["ns"]),
    "shared": ("one channel of 128, half send, half receive", "buffered44", lambda c: max(2_000_000, 30 * c),
               lambda m, n, c: m["ns"]),
    "create": ("create and park (first use of the stack)", "park", lambda c: 1, lambda m, n, c: m["create_ns"]),
    "wake": ("wake and exit", "park", lambda c: 1, lambda m, n, c: m["wake_ns"]),
    "sleep": ("sleep 1..100 ms, CPU time of each", "sleep", lambda c: 5, lambda m, n, c: m["cpu_ms"] * 1e6 / n / c),
}


# The same work with more and more workers: name: title, workload, operations, count, metric, its unit in ns.
WORKERS = {
    "p-pingpong": ("ping-pong, round trip", "pingpong", 2_000_000, 2, "ns", 1),
    "p-spawn": ("spawn, 1000 outstanding", "spawn1000", 2_000_000, 1000, "ns", 1),
    "p-shared": ("channel of 128, 4 to 4", "buffered44", 4_000_000, 4, "ns", 1),
    "p-ring": ("ring of 1000, per hop", "ring", 4_000_000, 1000, "ns", 1),
    "p-sieve": ("prime sieve, 1500 primes", "sieve", 3, 1500, "ms", 1e6),
    "p-fib": ("fork-join fib(32)", "fib", 1, 32, "ms", 1e6),
    "p-skynet": ("skynet, 1,000,000 leaves", "skynet", 1, 1_000_000, "ms", 1e6),
}


def main():
    a = argparse.ArgumentParser(prog="bench/growth.py", description=__doc__)
    a.add_argument("curve", nargs="*", help=" ".join([*CURVES, *WORKERS]))
    a.add_argument("--quick", action="store_true", help="one run a point, up to 100,000")
    a.add_argument("--runs", type=int, help="runs a point (3)")
    a.add_argument("--retries", type=int, default=4, help="disturbed runs thrown away for each (4)")
    a.add_argument("--workers", type=int, default=1)
    a.add_argument("--max", type=int, help="the largest count (1,000,000)")
    a.add_argument("--procs", default="1 2 4 8 16 32", help="worker counts of the p- curves, also more than CPUs")
    a.add_argument("--stack", default="", help="GORU_STACK_SIZE, such as 16K")
    a.add_argument("--no-chart", action="store_true", help="no plot, and no look for matplotlib")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    args = a.parse_args()
    patience = measure.Patience(600, 5)
    args.runs = args.runs or (1 if args.quick else 3)
    args.max = args.max or (100_000 if args.quick else 1_000_000)
    if args.stack:
        os.environ["GORU_STACK_SIZE"] = args.stack
    out = os.path.abspath(args.out)
    os.makedirs(os.path.join(out, "build"), exist_ok=True)
    goru = peers.Goru()
    try:
        program = goru.build(out)
    except peers.Missing as why:
        raise SystemExit(f"growth: {why}")
    data = {"date": time.strftime("%Y-%m-%d"), "machine": peers.machine(), "version": goru.version,
            "workers": args.workers, "stack": args.stack, "titles": {}, "curves": {}}
    counts = [10 ** e * f for e in range(1, 8) for f in (1, 3) if 10 ** e * f <= args.max]

    def point(name, count, command, one):
        """What one operation costs, in ns; None when it fails."""
        values = []
        for _ in range(args.runs):
            r, _ = measure.quiet_run([program, *map(str, command)], 120, 0 if args.quick else args.retries, patience)
            if r.error:
                print(f"{name} {count}: {r.error}", file=sys.stderr)
                return None
            values.append(one(r.metrics))
        p = {"count": count, "median": statistics.median(values), "min": min(values), "max": max(values)}
        print(f"{name:12}{count:>10,}{report.number(p['median']):>16} ns", flush=True)
        return p

    for name in args.curve or [*CURVES, *WORKERS]:
        points = []
        if name in CURVES:
            title, workload, operations, one = CURVES[name]
            for c in counts:
                n, size = operations(c), c // 2 if name == "shared" else c
                points.append(point(name, c, [workload, args.workers, n, size], lambda m: one(m, n, c)))
        elif name in WORKERS:
            title, workload, n, size, metric, unit = WORKERS[name]
            for procs in map(int, args.procs.split()):
                points.append(point(name, procs, [workload, procs, n, size], lambda m: m[metric] * unit))
        else:
            raise SystemExit(f"no curve {name}; there are: {' '.join([*CURVES, *WORKERS])}")
        data["titles"][name], data["curves"][name] = title, [p for p in points if p]
    run.write(os.path.join(out, "growth.json"), json.dumps(data, indent=1) + "\n")
    if not args.no_chart:
        run.chart(out, "growth")
    return 0


if __name__ == "__main__":
    sys.exit(main())
