# lateness.py - builds and runs lateness.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import twins  # noqa: E402

CASES = ["one", "few", "many", "turns", "hog"]
CASES += ["timers-" + c for c in CASES]
METRICS = ["min_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "cpu_ms"]


def main():
    a = twins.options("bench/lateness/run.sh", "1 2")
    a.add_argument("case", nargs="*")
    o = a.parse_args()
    for case in o.case:
        if case not in CASES:
            a.error(f"no case {case}: {' '.join(CASES)}")
    exes = twins.build(os.path.join(HERE, "lateness.c"), o)
    print(f"{'case':12} {'w':>2} {'peer':12}" + "".join(f"{m:>10}" for m in METRICS))
    for case in o.case or CASES:
        for workers in o.workers.split():
            if case.endswith("hog") and workers == "1":
                continue  # one that never yields keeps the only worker
            for name, done in twins.runs(exes, [case, workers], o).items():
                print(twins.row(f"{case:12} {workers:>2} {name:11}", done, METRICS, 1), flush=True)


if __name__ == "__main__":
    main()
