# plot.py - draws results.json as bars, growth.json as curves: plot.py DATA.json OUTPUT-WITHOUT-SUFFIX.
# SPDX-License-Identifier: MIT
import json
import sys

import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from rows import ROWS  # noqa: E402

COLOURS = ["#1b6ca8", "#7f7f7f", "#e08e0b", "#8c4a32", "#2a9d5c", "#9467bd", "#17becf"]

plt.rcParams.update({"font.size": 9, "svg.hashsalt": "goru", "svg.fonttype": "none", "axes.spines.top": False,
                     "axes.spines.right": False})


def save(fig, path):
    fig.savefig(path + ".svg", metadata={"Date": None})
    fig.savefig(path + ".png", dpi=120)


def bars(data, path):
    """Times as fast as Go, a group of bars a row, on a logarithmic axis: 1 is Go."""
    shown = [p for p, d in data["peers"].items() if p != "go" and "skipped" not in d]
    counts = sorted({w for r in data["results"].values() for w in r}, key=int)
    shown_rows = [r for r in ROWS if r.name in data["results"]]
    fig, axes = plt.subplots(1, len(counts), figsize=(5.5 * len(counts) + 2, 1.2 + 0.55 * len(shown_rows)), sharey=True,
                             squeeze=False, layout="constrained")
    for axis, workers in zip(axes[0], counts):
        height = 0.8 / max(1, len(shown))
        for i, peer in enumerate(shown):
            for y, row in enumerate(shown_rows):
                cell = data["results"][row.name].get(workers, {}).get(peer, {})
                times = cell.get("times_as_go")
                if times is None:
                    continue
                at = y - 0.4 + (i + 0.5) * height
                axis.barh(at, times - 1, height * 0.9, left=1, color=COLOURS[i % len(COLOURS)])
                axis.text(times, at, f" {times:.2g} " if times < 100 else f" {times:.0f} ", va="center", fontsize=7,
                          ha="left" if times >= 1 else "right")
        axis.set_xscale("log")
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(f"{workers} worker{'s' if workers != '1' else ''}")
        axis.set_xlabel("times as fast as Go (park: as small)")
        low, high = axis.get_xlim()
        axis.set_xlim(min(low, 0.5) / 1.6, max(high, 2) * 1.6)
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    axes[0][0].set_yticks(range(len(shown_rows)), [r.title for r in shown_rows])
    axes[0][0].invert_yaxis()
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[i % len(COLOURS)]) for i in range(len(shown))]
    fig.legend(handles, [data["peers"][p]["label"] for p in shown], loc="outside lower center", ncols=len(shown) or 1,
               frameon=False)
    save(fig, path)


def lines(axis, data, names, of):
    for i, name in enumerate(names):
        points = data["curves"][name]
        at, scale = [p["count"] for p in points], of(points)
        colour = COLOURS[i % len(COLOURS)]
        axis.plot(at, [p["median"] / scale for p in points], marker="o", markersize=3, color=colour,
                  label=data["titles"][name])
        axis.fill_between(at, [p["min"] / scale for p in points], [p["max"] / scale for p in points], color=colour,
                          alpha=0.15, linewidth=0)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    axis.yaxis.set_major_formatter(lambda v, _: f"{v:,g}")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2)


def curves(data, path):
    """Time of one operation against how many goroutines there are, and against how many workers."""
    drawn = [n for n, points in data["curves"].items() if points]
    by_count = [n for n in drawn if not n.startswith("p-")]
    by_workers = [n for n in drawn if n.startswith("p-")]
    groups = [g for g in (by_count, by_workers) if g]
    fig, axes = plt.subplots(1, len(groups), figsize=(6.2 * len(groups), 6), squeeze=False, layout="constrained")
    for axis, names in zip(axes[0], groups):
        if names is by_count:
            lines(axis, data, names, lambda points: 1)
            axis.set_yscale("log")
            axis.set_xlabel("goroutines")
            axis.set_ylabel("ns an operation")
            axis.set_title(f"{data['workers']} worker{'s' if data['workers'] != 1 else ''}")
        else:
            lines(axis, data, names, lambda points: points[0]["median"])
            axis.set_xlabel(f"workers, on {data['machine']['cpus']} CPUs")
            axis.set_ylabel("time, that of the first point being 1")
            axis.set_title("more and more workers")
            axis.set_ylim(0)
            at = sorted({p["count"] for n in names for p in data["curves"][n]})
            axis.set_xticks(at, [str(x) for x in at])
            axis.minorticks_off()
    save(fig, path)


def main():
    with open(sys.argv[1]) as f:
        data = json.load(f)
    (curves if "curves" in data else bars)(data, sys.argv[2])
    print(f"{sys.argv[2]}.svg .png", file=sys.stderr)


main()
