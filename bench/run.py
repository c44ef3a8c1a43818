# run.py - builds what there is, runs it in turn, writes the tables; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import json
import os
import subprocess
import sys
import time

import measure
import peers
import report
import rows


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def arguments():
    a = argparse.ArgumentParser(prog="bench/run.sh", description="Measures goru and its peers.")
    a.add_argument("workload", nargs="*", help=" ".join(r.name for r in rows.ROWS))
    a.add_argument("--quick", action="store_true", help="one run of a quarter of the size, no warm-up, no retries")
    a.add_argument("--runs", type=int, help="runs that count, each (5)")
    a.add_argument("--retries", type=int, help="for each run: how many disturbed ones are thrown away (8)")
    a.add_argument("--patience", type=float, default=30,
                   help="minutes for waiting until the machine is quiet and for runs thrown away, in all (30)")
    a.add_argument("--timeout", type=float, default=120, help="seconds a run may take (120)")
    a.add_argument("--workers", help="worker counts instead of each row's own, such as \"1 2 8\"")
    a.add_argument("--peers", default=" ".join(peers.DEFAULT),
                   help="who, in the order of the columns; goru@DIR is the library of another checkout")
    a.add_argument("--program", action="append", default=[], metavar="NAME=PATH",
                   help="a ready-built program as one more peer (README.md says what it must answer)")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"), help="where everything goes (build-bench)")
    a.add_argument("--no-chart", action="store_true", help="no chart, and no look for matplotlib")
    a.add_argument("--build-only", action="store_true", help="build, run nothing")
    args = a.parse_args()
    args.runs = args.runs or (1 if args.quick else 5)
    args.retries = args.retries if args.retries is not None else 0 if args.quick else 8
    args.out = os.path.abspath(args.out)
    args.patience = measure.Patience(60 * args.patience)
    return args


def build(args):
    """name: (peer, program) of those that are there; what to tell of all."""
    ready, told = {}, {}
    for peer in [peers.find(s) for s in args.peers.split()] + [peers.Program(s) for s in args.program]:
        told[peer.name] = {"label": peer.label}
        try:
            ready[peer.name] = (peer, peer.build(args.out))
            told[peer.name]["version"] = peer.version
            say(f"{peer.label}: {peer.version}")
        except peers.Missing as why:
            told[peer.name]["skipped"] = str(why)
            say(f"{peer.label}: skipped, {why}")
    return ready, told


def command(row, peer, program, workers, quick):
    n, count = peer.size(row)
    if quick and n > 1000:
        n //= 4
    return [program, row.name, str(workers), str(n), str(count)]


def measure_row(args, row, ready, workers):
    """One row with one worker count: every peer once a round, in turn."""
    cells, runs, thrown = {}, {}, {}
    for turn in range(0 if args.quick else -1, args.runs):  # -1: to warm up
        for name, (peer, program) in ready.items():
            why = peer.without(row, workers)
            if why:
                cells[name] = {"error": why}
            if name in cells:
                continue
            what = command(row, peer, program, workers, args.quick)
            if turn < 0:
                r, lost = measure.run(what, args.timeout), 0
            else:
                r, lost = measure.quiet_run(what, args.timeout, args.retries, args.patience)
            if r.error:
                cells[name] = {"error": r.error}
                say(f"  {row.name} {workers} {peer.label}: {r.error}")
                continue
            if turn < 0:
                continue
            runs.setdefault(name, []).append(r)
            thrown[name] = thrown.get(name, 0) + lost
            say(f"  {row.name} {workers} {peer.label}: {report.number(r.metrics.get(row.metric, 0))} {row.unit}"
                + (f", {lost} thrown away" if lost else "") + (", disturbed" if r.disturbed else ""))
    return {name: cells.get(name) or report.cell(runs[name], thrown[name], ready[name][0].size(row))
            for name in ready if name in cells or name in runs}


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def main():
    args = arguments()
    todo = rows.chosen(args.workload)
    os.makedirs(os.path.join(args.out, "build"), exist_ok=True)
    ready, told = build(args)
    if args.build_only:
        return 1 if any("does not build" in t.get("skipped", "") for t in told.values()) else 0
    data = {"date": time.strftime("%Y-%m-%d"), "machine": peers.machine(), "peers": told, "runs": args.runs,
            "quick": args.quick, "results": {}}
    for row in todo:
        for workers in [int(w) for w in args.workers.split()] if args.workers else row.workers:
            data["results"].setdefault(row.name, {})[str(workers)] = measure_row(args, row, ready, workers)
    report.add_ratios(data, todo)
    report.add_serial_cpu(data, todo)
    text = report.text(data, todo)
    write(os.path.join(args.out, "results.txt"), text)
    write(os.path.join(args.out, "results.md"), report.markdown(data, todo))
    write(os.path.join(args.out, "results.json"), json.dumps(data, indent=1) + "\n")
    print(text)
    if not args.no_chart:
        chart(args.out, "results")
    say(f"{args.out}/results.txt .md .json")
    return 0


def drawn(data, to, out):
    """By whichever Python has matplotlib, one in out/venv if need be. A chart is an extra: its absence is only told."""
    os.makedirs(out, exist_ok=True)
    done = subprocess.run(["sh", os.path.join(peers.BENCH, "python.sh"), out, os.path.join(peers.BENCH, "plot.py"),
                           data, to])
    if done.returncode:
        say("No chart.")
    return done.returncode == 0


def chart(out, what):
    drawn(os.path.join(out, what + ".json"), os.path.join(out, what), out)


if __name__ == "__main__":
    sys.exit(main())
