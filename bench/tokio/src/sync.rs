// sync.rs - a mutex that several tasks want all the time: tokio's own, the one that may be held across an await.
// SPDX-License-Identifier: MIT
use crate::Span;
use std::sync::Arc;
use tokio::sync::Mutex;

/// n times lock, add one, unlock, by count tasks.
pub async fn mutex(n: u64, count: u64) {
    let shared = Arc::new(Mutex::new(0));
    let each = n / count;
    let s = Span::begin();
    let all: Vec<_> = (0..count)
        .map(|_| {
            let shared = shared.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    *shared.lock().await += 1;
                }
            })
        })
        .collect();
    for t in all {
        t.await.unwrap();
    }
    s.end("ns", each * count);
    assert_eq!(*shared.lock().await, each * count);
}
