# measure.py - runs a program when the machine is quiet, and tells whether it stayed so.
# SPDX-License-Identifier: MIT
import os
import subprocess
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """CPU time of everybody since boot, interrupts and time stolen by the hypervisor included."""
    with open("/proc/stat") as f:
        t = [int(x) for x in f.readline().split()[1:9]]
    return (sum(t) - t[3] - t[4]) / TICK  # less idle and iowait


def wait_until_quiet(patience):
    """Until others use less than a tenth of one CPU over 0.2 s; False: patience (seconds) is over."""
    end = time.monotonic() + patience
    while True:
        busy, at = busy_seconds(), time.monotonic()
        time.sleep(0.2)
        if busy_seconds() - busy <= 0.1 * (time.monotonic() - at):
            return True
        if time.monotonic() >= end:
            return False


class Run:
    def __init__(self, metrics, wall, cpu, others, error=""):
        self.metrics, self.wall, self.cpu, self.others, self.error = metrics, wall, cpu, others, error

    @property
    def disturbed(self):
        return self.others > max(0.040, 0.08 * self.wall)


def run(command, timeout):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before, start = busy_seconds(), time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        status, usage, late = wait(child, start + timeout)
        wall, busy = time.monotonic() - start, busy_seconds() - before
        cpu = usage.ru_utime + usage.ru_stime
        out.seek(0)
        err.seek(0)
        metrics = {}
        for line in out.read().decode().splitlines():
            word = line.split()
            if len(word) == 3 and word[0] == "R":
                metrics[word[1]] = float(word[2])
        error = ""
        if late:
            error = f"longer than {timeout} s"
        elif status:
            last = err.read().decode(errors="replace").strip().splitlines()[-1:]
            error = f"exit status {os.waitstatus_to_exitcode(status)} {' '.join(last)}".strip()
        elif not metrics:
            error = "printed no result"
        return Run(metrics, wall, cpu, max(0.0, busy - cpu), error)


def wait(child, deadline):
    """wait4 with a deadline: (status, usage, was it too late). Sleeps in steps that cost next to nothing."""
    late, step = False, 0.002
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return status, usage, late
        if time.monotonic() > deadline and not late:
            late = True
            child.kill()
        time.sleep(step)
        step = min(step * 1.5, 0.05)


class Patience:
    """Seconds that may yet be spent on waiting for a quiet machine and on runs thrown away, in all."""

    def __init__(self, seconds, each=10):
        self.left, self.each = seconds, each

    def wait(self):
        start = time.monotonic()
        wait_until_quiet(min(self.left, self.each))
        self.left -= max(0, time.monotonic() - start - 0.2)


def quiet_run(command, timeout, retries, patience):
    """The first undisturbed run, else the least disturbed one; and how many were thrown away."""
    best = None
    for tried in range(retries + 1):
        if retries and patience.left > 0:
            patience.wait()
        r = run(command, timeout)
        if r.error:
            return r, tried
        if best is None or r.others / r.wall < best.others / best.wall:
            best = r
        if not r.disturbed:
            return r, tried
        if patience.left <= 0:
            return best, tried
        patience.left -= r.wall
    return best, retries
