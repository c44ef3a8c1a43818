# report.py - medians, spread and ratios, as text, Markdown and JSON.
# SPDX-License-Identifier: MIT
import statistics


def cell(runs, thrown_away, size):
    """What is kept of the runs of one program: by metric the median, least, greatest, and each."""
    metrics = {}
    for name in runs[0].metrics if runs else ():
        values = [r.metrics[name] for r in runs if name in r.metrics]
        metrics[name] = {"median": statistics.median(values), "min": min(values), "max": max(values), "all": values}
    return {
        "n": size[0], "count": size[1], "runs": len(runs), "thrown_away": thrown_away,
        "disturbed": sum(r.disturbed for r in runs),
        "process_cpu_s": statistics.median(r.cpu for r in runs) if runs else 0,
        "process_wall_s": statistics.median(r.wall for r in runs) if runs else 0,
        "metrics": metrics,
    }


def number(x):
    if x >= 1000:
        return f"{x:,.0f}"
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def compared(row, a, b):
    """The metric by which two cells may be compared, or None."""
    if a["count"] == b["count"] or row.scales and not row.per_item:
        return row.metric
    return row.per_item or None


def median(c, metric):
    return c["metrics"].get(metric, {}).get("median")


def add_ratios(data, rows):
    """Into each cell: how many times as fast as Go with as many workers (or as small)."""
    for row in rows:
        for workers, cells in data["results"].get(row.name, {}).items():
            go = cells.get("go")
            for c in cells.values():
                if "error" in c or not go or "error" in go:
                    continue
                metric = compared(row, c, go)
                mine, its = median(c, metric), median(go, metric)
                if metric and mine and its:
                    c["times_as_go"] = its / mine


def cpu(row, c):
    """CPU time of one operation, in the unit of the row."""
    used, time = median(c, "cpus"), median(c, row.metric)
    return used * time if used and time else None


def add_serial_cpu(data, rows):
    """Into the cells of rows with work for one worker only: CPU time with 2 workers by that with 1."""
    for row in rows:
        by = data["results"].get(row.name, {})
        for peer, two in by.get("2", {}).items() if row.serial else ():
            one = by.get("1", {}).get(peer)
            if one and "error" not in one and "error" not in two and cpu(row, one) and cpu(row, two):
                two["cpu_2_by_1"] = cpu(row, two) / cpu(row, one)


def show(row, c):
    if c is None:
        return ""
    if "error" in c:
        return c["error"]
    m = c["metrics"].get(row.metric)
    if not m:
        return "no such result"
    text = f"{number(m['median'])} [{number(m['min'])}-{number(m['max'])}]"
    if c["count"] != row.count:
        text += f" (of {c['count']:,})"
    if "times_as_go" in c:
        text += f" {number(c['times_as_go'])}x"
    if c["disturbed"]:
        text += " ~"
    return text


def head(data):
    m = data["machine"]
    yield f"{m['cpus']} CPUs {m['cpu']}{' (virtual machine)' if m['virtual'] else ''}, {m['memory_mb']} MB"
    yield f"{m['system']}, {m['kernel']}, {m['libc']}, governor {m['governor']}, THP {m['thp']}, " \
          f"max_map_count {m['max_map_count']}"
    for p in data["peers"].values():
        yield f"{p['label']}: {p.get('version') or 'skipped, ' + p['skipped']}"


NOTE = "Median [least-greatest] of {runs} runs, x: times as fast as Go; ~: at least one of the runs was disturbed."


def text(data, rows):
    out = [*head(data), "", NOTE.format(runs=data["runs"]), ""]
    for row in rows:
        for workers, cells in data["results"].get(row.name, {}).items():
            goal = row.goal[row.workers.index(int(workers))] if int(workers) in row.workers and row.goal else None
            out.append(f"{row.title} ({row.unit}), {workers} worker{'s' if workers != '1' else ''}"
                       + (f", goal {goal}x" if goal else ""))
            for peer, c in cells.items():
                line = f"  {data['peers'][peer]['label']:12} {show(row, c)}"
                cpus = c.get("metrics", {}).get("cpus")
                if cpus:
                    line += f", {cpus['median']:.2f} CPUs"
                if "cpu_2_by_1" in c:
                    line += f", CPU time {c['cpu_2_by_1']:.2f}x that of 1 worker"
                for metric, title, unit in row.extra:
                    v = c.get("metrics", {}).get(metric)
                    if v:
                        line += f", {title} {number(v['median'])} {unit}"
                out.append(line)
            out.append("")
    return "\n".join(out)


def markdown(data, rows):
    there = [p for p, d in data["peers"].items() if "skipped" not in d]
    titles = [data["peers"][p]["label"] for p in there]
    out = [f"- {line}" for line in head(data)] + ["", NOTE.format(runs=data["runs"]), ""]
    out += [f"| workload | unit | workers | {' | '.join(titles)} |", "|---" * (3 + len(there)) + "|"]

    def line(title, unit, workers, texts):
        out.append(f"| {title} | {unit} | {workers} | {' | '.join(texts)} |")

    for row in rows:
        for workers, cells in data["results"].get(row.name, {}).items():
            line(row.title, row.unit, workers, [show(row, cells.get(p)) or "-" for p in there])
            for metric, title, unit in row.extra:
                values = [cells.get(p, {}).get("metrics", {}).get(metric) for p in there]
                line(f"- {title}", unit, workers, [number(v["median"]) if v else "-" for v in values])
    out += ["", "CPUs used (process CPU time by wall time):", "",
            f"| workload | workers | {' | '.join(titles)} |", "|---" * (2 + len(there)) + "|"]
    for row in rows:
        for workers, cells in data["results"].get(row.name, {}).items():
            values = [cells.get(p, {}).get("metrics", {}).get("cpus") for p in there]
            if any(values):
                out.append(f"| {row.title} | {workers} | "
                           f"{' | '.join(f'{v_:.2f}' if (v_ := v and v['median']) else '-' for v in values)} |")
    return "\n".join(out) + "\n"
