// main.rs - runs one workload: bench WORKLOAD WORKERS [N [COUNT]].
// SPDX-License-Identifier: MIT
mod chan;
mod mass;
mod switch;
mod sync;
mod tree;

use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// From here to the result.
pub struct Span {
    cpu: Duration,
    wall: Instant,
}

fn cpu() -> Duration {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) };
    let of = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    of(u.ru_utime) + of(u.ru_stime)
}

pub fn result(name: &str, value: f64) {
    println!("R {name} {value:.4}");
}

impl Span {
    pub fn begin() -> Span {
        Span {
            cpu: cpu(),
            wall: Instant::now(),
        }
    }

    pub fn ns(&self) -> f64 {
        self.wall.elapsed().as_nanos() as f64
    }

    pub fn cpu_ns(&self) -> f64 {
        (cpu() - self.cpu).as_nanos() as f64
    }

    /// The time of one operation in the unit of the name (ns or ms), and the CPUs that were used.
    pub fn end(&self, name: &str, operations: u64) {
        let (ns, used) = (self.ns(), self.cpu_ns());
        let unit = if name == "ms" { 1e6 } else { 1.0 };
        result(name, ns / operations as f64 / unit);
        result("cpus", used / ns);
    }
}

/// Kilobytes of a line of /proc/self/status, such as "VmRSS:".
pub fn status_kb(key: &str) -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|l| l.strip_prefix(key)?.split_whitespace().next()?.parse().ok())
        .unwrap_or(0.0)
}

async fn run(name: &str, n: u64, count: u64) {
    let or = |default: u64| if n > 0 { n } else { default };
    let of = |default: u64| if count > 0 { count } else { default };
    match name {
        "yield2" => switch::yields(or(10_000_000), of(2)).await,
        "yield1000" => switch::yields(or(10_000_000), of(1000)).await,
        "spawn1" => switch::spawn(or(2_000_000), of(1)).await,
        "spawn1000" => switch::spawn(or(2_000_000), of(1000)).await,
        "pingpong" => chan::pingpong(or(2_000_000)).await,
        "buffered11" => chan::buffered11(or(20_000_000)).await,
        "buffered44" => chan::buffered44(or(8_000_000), of(4)).await,
        "ring" => chan::ring(or(4_000_000), of(1000)).await,
        "sieve" => chan::sieve(or(3), of(1500)).await,
        "select" => chan::select4(or(4_000_000)).await,
        "mutex" => sync::mutex(or(8_000_000), of(8)).await,
        "mutexheld" => sync::mutex_held(or(1_000_000), of(8)).await,
        "fib" => tree::fork_join(or(1), of(32)).await,
        "skynet" => tree::skynet(or(1), of(1_000_000)).await,
        "park" => mass::park(of(1_000_000)).await,
        "sleep" => mass::sleepers(or(5), of(100_000)).await,
        _ => panic!("no such workload"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() < 3 {
        eprintln!("usage: bench WORKLOAD WORKERS [N [COUNT]]");
        std::process::exit(2);
    }
    let number = |i: usize| args.get(i).map_or(0, |a| a.parse().expect("a number"));
    let (workers, n, count) = (number(2), number(3), number(4));
    let name = args[1].clone();
    // for one thread the runtime made for one, but where the other is faster
    let single =
        workers == 1 && !["spawn1", "buffered44", "fib", "skynet"].contains(&name.as_str());
    let mut builder = if single {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    let runtime = builder
        .worker_threads(workers as usize)
        .enable_time()
        .build()
        .expect("a runtime");

    // as a task of its own, on a worker: what block_on runs itself is not one
    let work = runtime.spawn(async move { run(&name, n, count).await });
    runtime.block_on(work).expect("a result");
    // what still waits ends with the process
    std::process::exit(0);
}
