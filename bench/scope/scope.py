# scope.py - builds and runs scope.c and its Go twin, and prints a table; run.sh starts it.
# SPDX-License-Identifier: MIT
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import twins  # noqa: E402

CASES = ["children", "group", "open", "open-deadline", "cancel"]


def main():
    a = twins.options("bench/scope/run.sh", "1 2")
    a.add_argument("case", nargs="*")
    o = a.parse_args()
    for case in o.case:
        if case not in CASES:
            a.error(f"no case {case}: {' '.join(CASES)}")
    exes = twins.build(os.path.join(HERE, "scope.c"), o)
    print(f"{'case':14} {'w':>2} {'peer':12}{'ns_op':>10}")
    for case in o.case or CASES:
        for workers in o.workers.split():
            for name, done in twins.runs(exes, [case, workers], o).items():
                print(twins.row(f"{case:14} {workers:>2} {name:11}", done, ["ns_op"], 1), flush=True)


if __name__ == "__main__":
    main()
