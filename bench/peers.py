# peers.py - who is compared: how each is found, built and named.
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import subprocess

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)


class Missing(Exception):
    pass


def text(command, cwd=None):
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def first_line(command):
    return text(command).split("\n")[0]


def compiler(cc):
    """Its version line, the same whether it is called as cc, gcc or gcc-12."""
    return re.sub(r"^\S*\b(gcc|cc|g\+\+|c\+\+)(-\d+)? (?=\()", "gcc ", first_line([cc, "--version"]))


def must(command, cwd, log, env=None):
    with open(log, "a") as f:
        f.write(f"$ {' '.join(command)}\n")
        f.flush()
        done = subprocess.run(command, cwd=cwd, stdout=f, stderr=f, env={**os.environ, **(env or {})})
    if done.returncode:
        raise Missing(f"does not build, see {log}")


def need(tool, package):
    path = shutil.which(tool)
    if not path:
        raise Missing(f"no {tool} here ({package})")
    return path


class Peer:
    """build() returns what to run, or raises Missing; version is set by then."""
    name = label = version = ""
    lacks = {}     # workload: why it is not run
    threads = None  # no more workers than so many

    def build(self, out):
        raise NotImplementedError

    def size(self, row):
        return row.size(self.name)

    def without(self, row, workers):
        """Why it is not run, or nothing."""
        if self.threads and workers > self.threads:
            return "one thread" if self.threads == 1 else f"{self.threads} threads"
        return self.lacks.get(row.name)


def sources(folder):
    folder = os.path.join(BENCH, folder)
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".c"))


class Goru(Peer):
    def __init__(self, spec="goru"):
        self.name = spec
        self.root = os.path.abspath(spec.split("@", 1)[1]) if "@" in spec else ROOT
        self.label = "goru" if self.root == ROOT else f"goru@{os.path.basename(self.root)}"

    def size(self, row):
        return row.size("goru")

    def goru_lib(self, out):
        """Configures and builds the static library with the flags of a release; returns its path."""
        made = os.path.join(out, "build", re.sub(r"\W", "_", self.name))
        log = made + ".log"
        os.makedirs(made, exist_ok=True)
        flags = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DGORU_BUILD_TESTS=OFF", "-DGORU_BUILD_EXAMPLES=OFF"]
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        if not os.path.exists(os.path.join(made, "CMakeCache.txt")):
            must(["cmake", "-S", self.root, "-B", made, *generator, *flags], out, log)
        must(["cmake", "--build", made, "--target", "goru_static"], out, log)
        return os.path.join(made, "libgoru.a")

    def build(self, out):
        lib = self.goru_lib(out)
        exe, cc = lib[:-len("libgoru.a")] + "bench", os.environ.get("CC", "cc")
        must([cc, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-I" + os.path.join(self.root, "include"),
              *sources("goru"), lib, "-pthread", "-o", exe], out, exe + ".log")
        with open(os.path.join(self.root, "include/goru/debug.h")) as f:
            number = ".".join(re.findall(r"#define GORU_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", f.read()))
        commit = text(["git", "describe", "--always", "--dirty", "--exclude=*"], self.root)
        self.version = f"{number} {commit}".strip() + f", {compiler(cc)} -O2"
        return exe


class Go(Peer):
    name, label = "go", "Go"

    def build(self, out):
        go = need("go", "https://go.dev/dl")
        made = os.path.join(out, "build", "go")
        os.makedirs(made, exist_ok=True)
        exe = os.path.join(made, "bench")
        must([go, "build", "-o", exe, "."], os.path.join(BENCH, "go"), exe + ".log")
        self.version = text([go, "version"]).removeprefix("go version ")
        return exe


class BoostFiber(Peer):
    name, label = "boost_fiber", "Boost.Fiber"
    lacks = {"select": "has none"}

    def build(self, out):
        cxx = need(os.environ.get("CXX", "c++"), "a C++ compiler")
        made = os.path.join(out, "build", "boost_fiber")
        os.makedirs(made, exist_ok=True)
        found = subprocess.run([cxx, "-x", "c++", "-E", "-P", "-"], input="#include <boost/fiber/all.hpp>\n"
                               "#include <boost/version.hpp>\nversion BOOST_LIB_VERSION\n",
                               capture_output=True, text=True)
        if found.returncode:
            raise Missing("no Boost.Fiber headers here (Debian, Ubuntu: libboost-fiber-dev)")
        number = re.search(r'^version "(.*)"', found.stdout, re.M).group(1).replace("_", ".")
        exe = os.path.join(made, "bench")
        must([cxx, "-std=c++17", "-O3", "-DNDEBUG", os.path.join(BENCH, "boost_fiber/bench.cpp"), "-o", exe,
              "-lboost_fiber", "-lboost_context", "-pthread"], out, exe + ".log")
        self.version = f"{number}, {compiler(cxx)} -O3"
        return exe


class Tokio(Peer):
    name, label = "tokio", "tokio"

    def build(self, out):
        cargo = need("cargo", "https://rustup.rs")
        made = os.path.join(out, "build", "tokio")
        os.makedirs(made, exist_ok=True)
        must([cargo, "build", "--release", "--locked", "--target-dir", made], os.path.join(BENCH, "tokio"),
             os.path.join(made, "bench.log"))
        with open(os.path.join(BENCH, "tokio/Cargo.lock")) as f:
            number = re.search(r'name = "tokio"\nversion = "(.*)"', f.read()).group(1)
        self.version = f"{number}, {first_line(['rustc', '--version'])}"
        return os.path.join(made, "release", "bench")


class Pthread(Peer):
    name, label = "pthread", "pthreads"
    lacks = {"select": "has none"}

    def build(self, out):
        made = os.path.join(out, "build", "pthread")
        os.makedirs(made, exist_ok=True)
        exe = os.path.join(made, "bench")
        must([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", *sources("pthread"), "-pthread", "-o", exe], out,
             exe + ".log")
        self.version = first_line(["getconf", "GNU_LIBC_VERSION"]) or "C library unknown"
        return exe


class Program(Peer):
    """A ready-built program, --program NAME=PATH. What it can tell of itself it prints when called with --about:
    lines "version TEXT", "threads N", "size WORKLOAD N COUNT", "lacks WORKLOAD WHY"."""

    def __init__(self, spec):
        name, _, path = spec.partition("=")
        if not name or not path:
            raise SystemExit(f"--program {spec}: NAME=PATH is wanted")
        self.name = self.label = name
        self.path, self.sizes, self.lacks = os.path.abspath(path), {}, {}

    def build(self, out):
        if not os.access(self.path, os.X_OK):
            raise Missing(f"no program {self.path}")
        self.version = "as given"
        for line in text([self.path, "--about"]).splitlines():
            key, _, rest = line.partition(" ")
            word = rest.split()
            if key == "version":
                self.version = rest
            elif key == "threads":
                self.threads = int(rest)
            elif key == "size":
                self.sizes[word[0]] = (int(word[1]), int(word[2]))
            elif key == "lacks":
                self.lacks[word[0]] = " ".join(word[1:])
        return self.path

    def size(self, row):
        return self.sizes.get(row.name, (row.n, row.count))


KNOWN = {c.name: c for c in (Go, BoostFiber, Tokio, Pthread)}
DEFAULT = ["goru", *KNOWN]


def find(spec):
    """goru, goru@DIR (the library of another checkout), or a peer's name."""
    if spec == "goru" or spec.startswith("goru@"):
        return Goru(spec)
    if spec not in KNOWN:
        raise SystemExit(f"no peer {spec}; there are: goru goru@DIR {' '.join(KNOWN)}")
    return KNOWN[spec]()


def machine():
    def of(path, pattern):
        try:
            with open(path) as f:
                found = re.search(pattern, f.read(), re.M)
        except OSError:
            return ""
        return found.group(1).strip() if found else ""

    uname = os.uname()
    governor = of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", r"(.*)")
    return {
        "cpu": of("/proc/cpuinfo", r"^model name\s*:\s*(.*)") or uname.machine,
        "cpus": len(os.sched_getaffinity(0)),
        "virtual": bool(re.search(r"^flags.*\bhypervisor\b", open("/proc/cpuinfo").read(), re.M)),
        "memory_mb": int(of("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0) // 1024,
        "kernel": f"{uname.sysname} {uname.release} {uname.machine}",
        "system": of("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "libc": first_line(["getconf", "GNU_LIBC_VERSION"]),
        "governor": governor or "not to be seen",
        "thp": of("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]"),
        "max_map_count": of("/proc/sys/vm/max_map_count", r"(\d+)"),
    }
