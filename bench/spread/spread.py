# spread.py - builds and runs spread.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import twins  # noqa: E402

TASKS = [20, 50, 100, 300, 1000]  # microseconds each
PAUSES = [0, 3000]                # microseconds between two batches
METRICS = ["p50_us", "p90_us", "p99_us"]


def main():
    o = twins.options("bench/spread/run.sh", "2").parse_args()
    exes = twins.build(os.path.join(HERE, "spread.c"), o)
    print(f"{'pause us':>8} {'task us':>8} {'serial':>8} {'peer':12}" + "".join(f"{m:>10}" for m in METRICS))
    for pause in PAUSES:
        for task in TASKS:
            for name, done in twins.runs(exes, [o.workers, str(task), str(pause)], o).items():
                print(twins.row(f"{pause:8} {task:8} {8 * task:8} {name:11}", done, METRICS, 0), flush=True)


if __name__ == "__main__":
    main()
