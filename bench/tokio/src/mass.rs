// mass.rs - very many tasks at once: parked, asleep.
// SPDX-License-Identifier: MIT
use crate::{result, status_kb, Span};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// count tasks wait on one semaphore (a channel has one receiver only); then each is let go.
pub async fn park(count: u64) {
    let gate = Arc::new(Semaphore::new(0));
    let inside = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::with_capacity(count as usize);
    let (rss, tables) = (status_kb("VmRSS:"), status_kb("VmPTE:"));
    let s = Span::begin();
    for _ in 0..count {
        let (gate, inside) = (gate.clone(), inside.clone());
        tasks.push(tokio::spawn(async move {
            inside.fetch_add(1, Ordering::Relaxed);
            gate.acquire().await.unwrap().forget();
        }));
    }
    while inside.load(Ordering::Relaxed) < count {
        tokio::task::yield_now().await;
    }
    result("create_ns", s.ns() / count as f64);
    result("bytes", (status_kb("VmRSS:") - rss) * 1024.0 / count as f64);
    result(
        "table_bytes",
        (status_kb("VmPTE:") - tables) * 1024.0 / count as f64,
    );
    let s = Span::begin();
    for _ in 0..count {
        gate.add_permits(1);
    }
    for t in tasks {
        t.await.unwrap();
    }
    s.end("wake_ns", count);
}

/// count tasks sleep n times each, 1 to 100 ms. What counts is the CPU time.
pub async fn sleepers(n: u64, count: u64) {
    let s = Span::begin();
    let tasks: Vec<_> = (0..count)
        .map(|seed| {
            tokio::spawn(async move {
                let mut x = seed.wrapping_mul(2654435761).wrapping_add(12345);
                for _ in 0..n {
                    x = x
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    tokio::time::sleep(Duration::from_millis(1 + (x >> 33) % 100)).await;
                }
            })
        })
        .collect();
    for t in tasks {
        t.await.unwrap();
    }
    result("cpu_ms", s.cpu_ns() / 1e6);
    result("wall_ms", s.ns() / 1e6);
}
