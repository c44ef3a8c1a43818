# guard.py - instructions and locked instructions an operation, by callgrind; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import os
import platform
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import peers  # noqa: E402

COUNTS = os.path.join(HERE, "counts.txt")
# Two runs differ only in how often the path was taken, so that what start and end cost falls out.
FEW, MANY = 2000, 22000
TOLERANCE = 0.03  # and at least one instruction: the monitor's ticks are in the count

LOCKED = {
    "x86_64": re.compile(r"\tlock |\txchg\w* .*\(|\tmfence"),
    "aarch64": re.compile(r"\t(ldax?r|stlx?r|swp|cas|ldadd|ldset|ldclr)\w*\s|\tdmb\s"),
}


def locked_addresses(exe):
    """Where the program has locked instructions and full fences. callgrind sees what is inlined, and so does this."""
    pattern, found = LOCKED.get(platform.machine()), set()
    if not pattern:
        return found
    for line in peers.text(["objdump", "-d", "--no-show-raw-insn", exe]).splitlines():
        m = re.match(r"\s*([0-9a-f]+):(\t.*)", line)
        if m and pattern.search(m.group(2)):
            found.add(int(m.group(1), 16))
    return found


def count(exe, path, n, out, locked):
    """(all, locked) instructions of one run."""
    file = os.path.join(out, f"callgrind.{path}.{n}")
    done = subprocess.run(["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no",
                           "--compress-strings=no", f"--callgrind-out-file={file}", exe, path, str(n)],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"guard: {path} failed under valgrind:\n{done.stderr[-2000:]}")
    total = sure = 0
    mine = skip = False
    with open(file) as f:
        for line in f:
            if line.startswith("ob="):
                mine = line[3:].strip() == exe  # not the C library: no hot path needs it, and its start-up varies
            elif line.startswith("calls="):
                skip = True  # the next line is what the call cost, counted in the function called
            elif line.startswith("0x"):
                address, _, cost = line.split()
                if mine and not skip:
                    total += int(cost)
                    sure += int(cost) if int(address, 16) in locked else 0
                skip = False
    return total, sure


def read(path):
    taken, counts = {}, {}
    if os.path.exists(path):
        with open(path) as f:
            for line in f:
                if line.startswith(("compiler ", "machine ", "flags ")):
                    key, value = line.rstrip("\n").split(" ", 1)
                    taken[key] = value
                elif not line.startswith("#") and line.strip():
                    name, instructions, sure = line.split()
                    counts[name] = (float(instructions), float(sure))
    return taken, counts


def main():
    a = argparse.ArgumentParser(prog="bench/guard/run.sh")
    a.add_argument("path", nargs="*")
    a.add_argument("--update", action="store_true", help="write what was counted to counts.txt")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    args = a.parse_args()
    out = os.path.join(os.path.abspath(args.out), "guard")
    os.makedirs(out, exist_ok=True)
    os.makedirs(os.path.join(args.out, "build"), exist_ok=True)

    cc = os.environ.get("CC", "cc")
    here = {"compiler": peers.compiler(cc), "machine": platform.machine()}
    taken, old = read(COUNTS)
    if taken != here and not args.update:
        print(f"guard: skipped, counts.txt is of {taken.get('compiler')} on {taken.get('machine')}, "
              f"here is {here['compiler']} on {here['machine']}")
        return 0

    exe = os.path.join(out, "hot")
    try:
        library = peers.Goru().goru_lib(os.path.abspath(args.out))
        peers.must([cc, "-std=gnu11", "-O2", "-I" + os.path.join(peers.ROOT, "include"), os.path.join(HERE, "hot.c"),
                    library, "-pthread", "-o", exe], out, exe + ".log")
    except peers.Missing as why:
        raise SystemExit(f"guard: {why}")
    # without arguments it names its paths
    names = args.path or subprocess.run([exe], capture_output=True, text=True).stdout.split()
    locked, new, grown = locked_addresses(exe), {}, []
    print(f"{'path':14}{'instructions':>13}{'was':>9}{'locked':>9}{'was':>7}")
    for name in names:
        few, many = count(exe, name, FEW, out, locked), count(exe, name, MANY, out, locked)
        new[name] = tuple((m - f) / (MANY - FEW) for m, f in zip(many, few))
        was = old.get(name)
        worse = was and (new[name][0] > was[0] + max(1, was[0] * TOLERANCE) or new[name][1] > was[1] + 0.1)
        better = was and new[name][0] < was[0] - max(1, was[0] * TOLERANCE)
        if worse:
            grown.append(name)
        print(f"{name:14}{new[name][0]:13.1f}{was[0] if was else 0:9.1f}{new[name][1]:9.2f}{was[1] if was else 0:7.2f}"
              + ("  grown" if worse else "  shrunk: --update" if better else ""))
    if args.update:
        with open(COUNTS, "w") as f:
            f.write("# counts.txt - instructions and locked instructions an operation; bench/guard/run.sh --update.\n"
                    "# A path may grow only together with this file, in a change that says why.\n")
            f.writelines(f"{k} {v}\n" for k, v in here.items())
            f.writelines(f"{k} {v[0]:.1f} {v[1]:.2f}\n" for k, v in {**old, **new}.items())
        return 0
    if grown:
        print(f"guard: grown: {' '.join(grown)}. What runs there: callgrind_annotate {out}/callgrind.PATH.{MANY}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
