// switch.rs - yield and spawn.
// SPDX-License-Identifier: MIT
use crate::Span;
use std::sync::Arc;
use tokio::sync::Barrier;

/// count tasks yield to one another, n times in all. They exist and have run before the clock starts.
pub async fn yields(n: u64, count: u64) {
    let gate = Arc::new(Barrier::new(count as usize + 1));
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let gate = gate.clone();
            tokio::spawn(async move {
                gate.wait().await;
                for _ in 0..n / count {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    gate.wait().await;
    let s = Span::begin();
    for t in tasks {
        t.await.unwrap();
    }
    s.end("ns", n / count * count);
}

/// n tasks, count at a time: spawned, then waited for.
pub async fn spawn(n: u64, count: u64) {
    let mut tasks = Vec::with_capacity(count as usize);
    let s = Span::begin();
    for _ in 0..n / count {
        tasks.extend((0..count).map(|_| tokio::spawn(async {})));
        for t in tasks.drain(..) {
            t.await.unwrap();
        }
    }
    s.end("ns", n / count * count);
}
