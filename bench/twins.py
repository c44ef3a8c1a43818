# twins.py - what lateness and spread share: one C program against goru, its Go twin beside it, both built and run in turn.
# SPDX-License-Identifier: MIT
import argparse
import os
import statistics

import measure
import peers


def options(prog, workers):
    """The options both have; the caller may add its own before it parses."""
    a = argparse.ArgumentParser(prog=prog)
    a.add_argument("--runs", type=int, default=5)
    a.add_argument("--workers", default=workers)
    a.add_argument("--peers", default="goru go", help='also "goru@DIR", another checkout')
    a.add_argument("--patience", type=float, default=10, help="seconds to wait for a quiet machine before each run")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    return a


def _build_goru(source, spec, out):
    goru = peers.Goru(spec)
    lib = goru.goru_lib(out)
    exe = lib[:-len("libgoru.a")] + os.path.basename(source)[:-len(".c")]
    peers.must([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                "-I" + os.path.join(goru.root, "include"), source, lib, "-pthread", "-o", exe], out, exe + ".log")
    return exe


def _build_go(source, out):
    go = peers.need("go", "https://go.dev/dl")
    exe = os.path.join(out, "build", os.path.basename(source)[:-len(".c")] + "_go")
    peers.must([go, "build", "-o", exe, "."], os.path.join(os.path.dirname(source), "go"), exe + ".log")
    return exe


def build(source, o):
    """The C source, and the folder go/ beside it: {peer: program} for those of o.peers that can be had."""
    exes = {}
    out = os.path.abspath(o.out)
    os.makedirs(os.path.join(out, "build"), exist_ok=True)
    for name in o.peers.split():
        try:
            exes[name] = _build_go(source, out) if name == "go" else _build_goru(source, name, out)
        except peers.Missing as e:
            print(f"{os.path.basename(source)}: {name} left out: {e}")
    return exes


def runs(exes, args, o):
    """{peer: o.runs results of `program args...`}, the peers taking turns."""
    done = {name: [] for name in exes}
    for _ in range(o.runs):
        for name, exe in exes.items():
            measure.wait_until_quiet(o.patience)
            done[name].append(measure.run([exe, *args], 120))
    return done


def row(title, done, metrics, digits):
    """The medians of those that ended well; ~ behind the title where most runs were disturbed."""
    good = [r for r in done if not r.error]
    if not good:
        return f"{title} {done[0].error}"
    noisy = "~" if 2 * sum(r.disturbed for r in good) > len(good) else " "
    return title + noisy + "".join(f"{statistics.median(r.metrics[m] for r in good):10.{digits}f}" for m in metrics)
