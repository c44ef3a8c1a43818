# rows.py - the workloads: what is run, how large, what is read from it.
# SPDX-License-Identifier: MIT
from dataclasses import dataclass, field


@dataclass
class Row:
    name: str                # as the programs know it
    title: str
    unit: str
    metric: str              # the result line that the tables show
    n: int                   # operations or rounds: the same work each time
    count: int               # the size of what they are done on
    goal: tuple = ()         # times as fast as Go 1.19, per worker count
    floor: float = 0         # what the least that could do it takes on one worker; see docs/performance.md
    workers: tuple = (1, 2)
    per_item: str = ""       # a metric that may be compared where count differs; "": the same metric, if `scales`
    serial: bool = False     # is there work for one worker only? Then a second one should cost no CPU time
    scales: bool = True      # is the metric per operation, and may it be compared where count differs?
    extra: tuple = ()        # further metrics to show: (metric, title, unit)
    sizes: dict = field(default_factory=dict)  # peer: (n, count), where the usual size takes too long

    def size(self, peer):
        return self.sizes.get(peer, (self.n, self.count))


# Sizes make a run 0.2 to 2 s.
ROWS = [
    Row("yield2", "yield, 2 goroutines", "ns", "ns", 20_000_000, 2, (6.7,), floor=3.6, workers=(1,),
        sizes={"go": (10_000_000, 2), "tokio": (10_000_000, 2), "boost_fiber": (10_000_000, 2),
               "pthread": (1_000_000, 2)}),
    Row("yield1000", "yield, 1000 goroutines", "ns", "ns", 20_000_000, 1000, (6.5,), floor=6.4, workers=(1,),
        sizes={"go": (10_000_000, 1000), "boost_fiber": (10_000_000, 1000), "pthread": (500_000, 1000)}),
    Row("spawn1", "spawn + join, one at a time", "ns", "ns", 5_000_000, 1, (8, 6.7), floor=12, serial=True,
        sizes={"go": (2_000_000, 1), "tokio": (2_000_000, 1), "boost_fiber": (500_000, 1), "pthread": (20_000, 1)}),
    Row("spawn1000", "spawn, 1000 outstanding, wait group", "ns", "ns", 5_000_000, 1000, (8.5, 8), floor=16,
        sizes={"go": (2_000_000, 1000), "tokio": (2_000_000, 1000), "boost_fiber": (200_000, 1000),
               "pthread": (20_000, 1000)}),
    Row("pingpong", "unbuffered ping-pong, round trip", "ns", "ns", 5_000_000, 2, (5, 5), floor=30, serial=True,
        sizes={"go": (2_000_000, 2), "tokio": (2_000_000, 2), "boost_fiber": (500_000, 2), "pthread": (20_000, 2)}),
    Row("buffered11", "buffered channel (128), 1 to 1, per element", "ns", "ns", 20_000_000, 1, (2.4, 2), floor=15,
        serial=True,
        sizes={"tokio": (8_000_000, 1), "boost_fiber": (2_000_000, 1), "pthread": (4_000_000, 1)}),
    Row("buffered44", "buffered channel (128), 4 to 4, per element", "ns", "ns", 20_000_000, 4, (2, 2.8), floor=10,
        sizes={"tokio": (8_000_000, 4), "boost_fiber": (2_000_000, 4), "pthread": (1_000_000, 4)}),
    Row("ring", "ring of 1000, unbuffered, per hop", "ns", "ns", 10_000_000, 1000, (7, 7), floor=11, serial=True,
        sizes={"go": (4_000_000, 1000), "tokio": (4_000_000, 1000), "boost_fiber": (400_000, 1000),
               "pthread": (20_000, 1000)}),
    Row("sieve", "prime sieve, 1500 primes", "ms", "ms", 5, 1500, (6.5, 5), floor=23, scales=False,
        sizes={"go": (3, 1500), "tokio": (3, 1500), "boost_fiber": (3, 1500), "pthread": (1, 300)}),
    Row("select", "select over 4 channels, per element", "ns", "ns", 4_000_000, 4, (5, 4.8), floor=12, serial=True),
    Row("mutex", "mutex, 8 goroutines, per lock+unlock", "ns", "ns", 40_000_000, 8, (2, 7), floor=2.2,
        sizes={"go": (10_000_000, 8), "tokio": (8_000_000, 8), "pthread": (8_000_000, 8)}),
    Row("mutexheld", "mutex held for half a microsecond, 8 goroutines, per turn", "ns", "ns", 1_000_000, 8),
    Row("fib", "fork-join fib(32), a goroutine a call", "ms", "ms", 3, 32, (32, 50), floor=45, per_item="ns",
        extra=(("ns", "per goroutine", "ns"),),
        sizes={"go": (1, 32), "tokio": (1, 32), "boost_fiber": (1, 27), "pthread": (1, 16)}),
    Row("skynet", "skynet, 1,000,000 leaves", "ms", "ms", 3, 1_000_000, (10, 13), floor=37, scales=False,
        extra=(("peak_mb", "peak memory", "MB"),),
        sizes={"go": (1, 1_000_000), "tokio": (1, 1_000_000), "boost_fiber": (1, 100_000), "pthread": (1, 10_000)}),
    Row("park", "1,000,000 parked: bytes each (resident)", "B", "bytes", 1, 1_000_000, (), floor=4096, workers=(1,),
        extra=(("table_bytes", "page tables", "B"), ("create_ns", "create", "ns"),
               ("wake_ns", "wake + exit", "ns")),
        sizes={"boost_fiber": (1, 100_000), "pthread": (1, 10_000)}),
    Row("sleep", "100,000 sleepers, 5 sleeps of 1..100 ms, CPU time", "ms", "cpu_ms", 5, 100_000, (3, 3), scales=False,
        extra=(("wall_ms", "wall", "ms"),), sizes={"pthread": (5, 10_000)}),
    # timers (a workload of goru's and Go's programs; no row yet), echo: with goru's I/O
]


def chosen(names):
    if not names:
        return ROWS
    known = {r.name: r for r in ROWS}
    for n in names:
        if n not in known:
            raise SystemExit(f"no workload {n}; there are: {' '.join(known)}")
    return [known[n] for n in names]
