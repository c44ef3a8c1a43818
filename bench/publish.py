# publish.py - puts a run's figures between the markers of README.md and docs/performance.md; no figure there is typed.
# SPDX-License-Identifier: MIT
#
#   python3 bench/publish.py [results.json] [growth.json]    as run.py and growth.py left them; draws the charts, too
#   python3 bench/publish.py                                 again from docs/performance.json, which keeps all figures
#   python3 bench/publish.py --check                         1 if the documents are not what that would write
import argparse
import json
import os
import re
import shutil
import sys
import tempfile

import peers
import report
import run
from guard.guard import COUNTS, read
from rows import ROWS

DOCS = os.path.join(peers.ROOT, "docs")
KEPT = os.path.join(DOCS, "performance.json")
README, PAGE = os.path.join(peers.ROOT, "README.md"), os.path.join(DOCS, "performance.md")
NOTHING = ["*No run has been published yet.*"]
TIMES = "times as fast as Go, by workload"
NBSP = "\N{NO-BREAK SPACE}"


def table(head, lines):
    return [f"| {' | '.join(head)} |", "|---" + "|--:" * (len(head) - 1) + "|",
            *(f"| {' | '.join(line)} |" for line in lines)]


def there(results):
    """Peers that ran and that anyone can run: not a program given by hand."""
    known = ["goru", *peers.KNOWN]
    return [p for p in known if p in results["peers"] and "skipped" not in results["peers"][p]]


def titles(results):
    return [results["peers"][p]["label"] for p in there(results)]


def same_work(row, cell):
    return row.scales or cell["count"] == row.count


def value(row, cell, metric=None):
    """The median, or nothing; a figure of less work than the row says is one only if it is per operation."""
    if not cell or "error" in cell:
        return None
    m = cell["metrics"].get(metric or row.metric)
    if not m or not same_work(row, cell) or row.per_item and cell["count"] != row.count and not metric:
        return None
    return m["median"]


def bold_least(values):
    """As text, the least bold."""
    least = min((v for v in values if v is not None), default=None)
    return ["-" if v is None else f"**{report.number(v)}**" if v == least else report.number(v) for v in values]


def caveats(results):
    return (" A quick run, for looking only." if results.get("quick") else "") + \
        (" The machine was not quiet: some runs were disturbed." if disturbed(results) else "")


def machine(results):
    """When, on what, with what."""
    runs = f"{results['runs']} run{'s' if results['runs'] != 1 else ''} of each."
    return [f"Measured on {results['date']}, {runs}{caveats(results)}", "",
            *(f"- {line.replace('-dirty', ' with changes')}" for line in report.head(results))]


def brief(results):
    m = results["machine"]
    number = [f"{results['peers'][p]['label']} {re.search('[0-9][0-9.]*', results['peers'][p]['version']).group()}"
              for p in there(results) if p != "pthread" and re.search("[0-9]", results["peers"][p]["version"])]
    return f"Measured on {results['date']}, {m['cpus']} CPUs {m['cpu']}{' (virtual)' if m['virtual'] else ''}, " \
           f"{', '.join(number)}; medians. `-`: has none, or takes too long at this size.{caveats(results)}"


def disturbed(results):
    return any(c.get("disturbed") for row in results["results"].values() for cells in row.values()
               for c in cells.values())


def chart(name, what, beside):
    """The line that shows it, if it has been drawn; beside: the folder of the document."""
    path = os.path.join(DOCS, name + ".svg")
    return [f"![{what}]({os.path.relpath(path, beside)})", ""] if os.path.exists(path) else []


def short(data):
    """README: what an operation costs, everyone, one and two workers."""
    results = data.get("results")
    if not results:
        return NOTHING
    lines = []
    for row in ROWS:
        for workers, cells in sorted(results["results"].get(row.name, {}).items()):
            if int(workers) in row.workers:
                lines.append([f"{row.title} ({row.unit})", workers,
                              *bold_least([value(row, cells.get(p)) for p in there(results)])])
    return [brief(results), "", *table(["", "workers", *titles(results)], lines), "",
            *chart("performance", TIMES, peers.ROOT)][:-1]


def full(data):
    """With the spread, the floor and the ratio to Go."""
    results = data.get("results")
    if not results:
        return NOTHING
    out = [*chart("performance", TIMES, DOCS), *machine(results), ""]
    for workers in ("1", "2"):
        lines = []
        for row in ROWS:
            cells = results["results"].get(row.name, {}).get(workers)
            if not cells:
                continue
            values = bold_least([value(row, cells.get(p)) for p in there(results)])
            for i, p in enumerate(there(results)):
                values[i] = spread(row, cells.get(p), values[i])
            ratio = cells.get("goru", {}).get("times_as_go")
            floor = [report.number(row.floor) if row.floor else "-"] if workers == "1" else []
            lines.append([f"{row.title} ({row.unit})", *floor, *values, report.number(ratio) if ratio else "-"])
            for metric, title, unit in row.extra:
                extra = [value(row, cells.get(p), metric) for p in there(results)]
                lines.append([f"- {title} ({unit})", *(["-"] if floor else []), *bold_least(extra), "-"])
        head = ["1 worker", "floor"] if workers == "1" else [f"{workers} workers"]
        out += [*table([*head, *titles(results), "Go / goru"], lines), ""]
    return [*out, "Median, [least to greatest]; in brackets the size where it is less; `~`: some of the runs were "
            "disturbed. The least of each line is bold."]


def spread(row, cell, text):
    if not cell or "error" in cell:
        return (cell or {}).get("error", "-")
    m = cell["metrics"].get(row.metric)
    if not m:
        return "-"
    if text == "-":
        text = report.number(m["median"])
    text += f"{NBSP}[{report.number(m['min'])}-{report.number(m['max'])}]"
    if cell["count"] != row.count:
        text += f" (of{NBSP}{cell['count']:,})"
    return text + ("~" if cell["disturbed"] else "")


def cpu(data):
    """CPUs kept busy with two workers, and what that is in CPU time beside one."""
    results = data.get("results")
    if not results:
        return NOTHING
    lines = []
    for row in ROWS:
        cells = results["results"].get(row.name, {}).get("2", {})
        used = [report.median(c, "cpus") if (c := cells.get(p)) and "error" not in c else None for p in there(results)]
        if not any(used):
            continue
        texts = [f"{u:.2f}" if u else "-" for u in used]
        if row.serial:
            more = [cells.get(p, {}).get("cpu_2_by_1") for p in there(results)]
            texts = [f"{t}; **{m:.2f}**" if m else t for t, m in zip(texts, more)]
        lines.append([row.title, *texts])
    return table(["2 workers", *titles(results)], lines)


def of_curves(data, workers):
    growth = data.get("growth")
    curves = {n: c for n, c in (growth or {}).get("curves", {}).items() if c and n.startswith("p-") == workers}
    if not curves:
        return NOTHING
    counts = sorted({p["count"] for c in curves.values() for p in c})
    lines = []
    for name, points in curves.items():
        at = {p["count"]: p["median"] for p in points}
        ms = all(v >= 1e6 for v in at.values())
        cells = [report.number(at[c] / (1e6 if ms else 1)) if c in at else "-" for c in counts]
        lines.append([f"{growth['titles'][name]} ({'ms' if ms else 'ns'})", *cells])
    with_ = f", {growth['workers']} worker{'s' if growth['workers'] != 1 else ''}" if not workers else ""
    return [*([] if workers else chart("growth", "time of an operation by goroutines and by workers", DOCS)),
            f"Measured on {growth['date']}, goru {growth['version'].replace('-dirty', ' with changes')}{with_}.", "",
            *table(["workers" if workers else "goroutines", *(f"{c:,}" for c in counts)], lines)]


def counted(_):
    """The guard's counts: of this checkout, not of a run."""
    taken, counts = read(COUNTS)
    return [f"Counted with {taken['compiler']} on {taken['machine']}, one worker:", "",
            *table(["operation (bench/README.md says what it is made of)", "instructions", "locked"],
                   [[name, f"{all_:.0f}", f"{locked:.2f}".rstrip("0").rstrip(".")]
                    for name, (all_, locked) in counts.items()])]


BLOCKS = {
    README: {"table": short},
    PAGE: {"tables": full, "cpu": cpu, "growth": lambda d: of_curves(d, False), "workers": lambda d: of_curves(d, True),
           "counts": counted},
}


def filled(path, blocks, data):
    """The document with each block, <!-- bench NAME --> to <!-- end -->, written anew."""
    with open(path) as f:
        text = f.read()
    for name, write in blocks.items():
        text, n = re.subn(rf"(<!-- bench {name} -->\n).*?(<!-- end -->)",
                          lambda m: m.group(1) + "\n".join([*write(data), ""]) + m.group(2), text, flags=re.S)
        if n != 1:
            raise SystemExit(f"publish: {n} blocks {name} in {path}")
    return text


def slim(data):
    """Without each single run: the median, least and greatest are enough to keep."""
    for row in data.get("results", {}).values():
        for cells in row.values():
            for cell in cells.values():
                for m in cell.get("metrics", {}).values():
                    m.pop("all", None)
    return data


def main():
    a = argparse.ArgumentParser(prog="bench/publish.py", description=__doc__)
    a.add_argument("json", nargs="*", help="results.json, growth.json")
    a.add_argument("--check", action="store_true")
    args = a.parse_args()
    data = {}
    if os.path.exists(KEPT):
        with open(KEPT) as f:
            data = json.load(f)
    for path in args.json:
        with open(path) as f:
            one = json.load(f)
        which = "growth" if "curves" in one else "results"
        data[which] = slim(one)
    if args.json:
        draw(data)
    new = {path: filled(path, blocks, data) for path, blocks in BLOCKS.items()}
    if args.check:
        stale = []
        for path, text in new.items():
            with open(path) as f:
                if f.read() != text:
                    stale.append(os.path.relpath(path, peers.ROOT))
        print(f"publish: {' '.join(stale)}: not what python3 bench/publish.py writes" if stale
              else "publish: the documents have the figures of docs/performance.json")
        return 1 if stale else 0
    for path, text in new.items():
        with open(path, "w") as f:
            f.write(text)
    if args.json:
        with open(KEPT, "w") as f:
            f.write(json.dumps(data, indent=1) + "\n")
    return 0


def draw(data):
    for which, name in (("results", "performance"), ("growth", "growth")):
        if which in data:
            with tempfile.TemporaryDirectory() as d:
                source = os.path.join(d, name + ".json")
                run.write(source, json.dumps(data[which]))
                if run.drawn(source, os.path.join(d, name), os.path.join(peers.ROOT, "build-bench")):
                    shutil.copy(os.path.join(d, name + ".svg"), DOCS)


if __name__ == "__main__":
    sys.exit(main())
