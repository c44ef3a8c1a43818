# guard.py - instructions and locked instructions an operation, by callgrind; run.sh starts it.
# SPDX-License-Identifier: MIT
import argparse
import glob
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
TOLERANCE = 0.02  # and at least one instruction

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


def own(file, exe, locked):
    """(all, locked) instructions in the program and goru, of one thread."""
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


def count(exe, path, n, out, locked):
    """(all, locked) instructions of one run: of the thread that had the most, the worker. The monitor's ticks come by
    the clock and are left out, so that a busy machine counts the same."""
    file = os.path.join(out, f"callgrind.{path}.{n}")
    for old in glob.glob(glob.escape(file) + "-*"):
        os.remove(old)
    done = subprocess.run(["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no",
                           "--compress-strings=no", "--separate-threads=yes", f"--callgrind-out-file={file}", exe,
                           path, str(n)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"guard: {path} failed under valgrind:\n{done.stderr[-2000:]}")
    return max(own(f, exe, locked) for f in glob.glob(glob.escape(file) + "-*"))


def cost(exe, path, out):
    """(all, locked) instructions of one operation."""
    locked = locked_addresses(exe)
    few, many = count(exe, path, FEW, out, locked), count(exe, path, MANY, out, locked)
    return tuple(max(0.0, (m - f) / (MANY - FEW)) for m, f in zip(many, few))


def verdict(was, new):
    """1: grown, -1: shrunk, 0: the same."""
    slack = max(1, was[0] * TOLERANCE)
    if new[0] > was[0] + slack or new[1] > was[1] + 0.1:
        return 1
    return -1 if new[0] < was[0] - slack else 0


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


def program(cc, library, out, *flags):
    exe = os.path.join(out, "hot" + "".join(flags))
    peers.must([cc, "-std=gnu11", "-O2", *flags, "-I" + os.path.join(peers.ROOT, "include"),
                os.path.join(HERE, "hot.c"), library, "-pthread", "-o", exe], out, exe + ".log")
    return exe


def selftest(cc, library, out, exe):
    """What PLANT adds to each yield: one locked instruction, a few plain ones; nothing."""
    clean, wrong = cost(exe, "yield", out), 0
    for flag, want in (("-DPLANT=0", 0), ("-DPLANT=1", 1), ("-DPLANT=2", 1)):
        got = cost(program(cc, library, out, flag), "yield", out)
        wrong += verdict(clean, got) != want
        print(f"yield {flag}: {got[0]:.1f} instructions, {got[1]:.2f} locked, after {clean[0]:.1f}, {clean[1]:.2f}: "
              + ("grown" if verdict(clean, got) > 0 else "not grown"))
    print("guard: " + ("DOES NOT SEE WHAT IT SHOULD" if wrong else "sees what is planted, and nothing else"))
    return 1 if wrong else 0


def main():
    a = argparse.ArgumentParser(prog="bench/guard/run.sh")
    a.add_argument("path", nargs="*")
    a.add_argument("--update", action="store_true", help="write what was counted to counts.txt")
    a.add_argument("--selftest", action="store_true", help="slow a path down and see it caught")
    a.add_argument("--out", default=os.path.join(peers.ROOT, "build-bench"))
    args = a.parse_args()
    out = os.path.join(os.path.abspath(args.out), "guard")
    os.makedirs(out, exist_ok=True)
    os.makedirs(os.path.join(args.out, "build"), exist_ok=True)

    cc = os.environ.get("CC", "cc")
    here = {"compiler": peers.compiler(cc), "machine": platform.machine()}
    taken, old = read(COUNTS)
    if taken != here and not args.update and not args.selftest:
        print(f"guard: skipped, counts.txt is of {taken.get('compiler')} on {taken.get('machine')}, "
              f"here is {here['compiler']} on {here['machine']}")
        return 0
    try:
        library = peers.Goru().goru_lib(os.path.abspath(args.out))
        exe = program(cc, library, out)
        if args.selftest:
            return selftest(cc, library, out, exe)
    except peers.Missing as why:
        raise SystemExit(f"guard: {why}")

    # without arguments it names its paths
    names = args.path or subprocess.run([exe], capture_output=True, text=True).stdout.split()
    new, grown = {}, []
    print(f"{'path':14}{'instructions':>13}{'was':>9}{'locked':>9}{'was':>7}")
    for name in names:
        new[name] = cost(exe, name, out)
        was = old.get(name)
        if not was:
            print(f"{name:14}{new[name][0]:13.1f}{'':9}{new[name][1]:9.2f}{'':7}  new: --update")
            continue
        found = verdict(was, new[name])
        if found > 0:
            grown.append(name)
        print(f"{name:14}{new[name][0]:13.1f}{was[0]:9.1f}{new[name][1]:9.2f}{was[1]:7.2f}"
              + ("  grown" if found > 0 else "  shrunk: --update" if found < 0 else ""))
    if args.update:
        with open(COUNTS, "w") as f:
            f.write("# counts.txt - instructions and locked instructions an operation; bench/guard/run.sh --update.\n"
                    "# A path may grow only together with this file, in a change that says why.\n")
            f.writelines(f"{k} {v}\n" for k, v in here.items())
            f.writelines(f"{k} {v[0]:.1f} {v[1]:.2f}\n" for k, v in {**old, **new}.items())
        return 0
    if grown:
        print(f"guard: grown: {' '.join(grown)}. What runs there: callgrind_annotate {out}/callgrind.PATH.{MANY}-01")
    else:
        print(f"guard: {len(names)} paths, none has grown")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
