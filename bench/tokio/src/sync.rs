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

/// What is done with the mutex held, and as much without. LLVM would make one step of many, but for the empty asm.
fn steps(mut x: u64) -> u64 {
    for _ in 0..500 {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        unsafe { std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack)) };
    }
    x
}

/// n times lock, compute, unlock, compute as long, by count tasks.
pub async fn mutex_held(n: u64, count: u64) {
    let shared = Arc::new(Mutex::new((0, 1)));
    let each = n / count;
    let s = Span::begin();
    let all: Vec<_> = (0..count)
        .map(|_| {
            let shared = shared.clone();
            tokio::spawn(async move {
                let mut mine = 1;
                for _ in 0..each {
                    {
                        let mut held = shared.lock().await;
                        held.1 = steps(held.1) ^ mine;
                        held.0 += 1;
                    }
                    mine = steps(mine);
                }
                mine
            })
        })
        .collect();
    let mut last = 0;
    for t in all {
        last ^= t.await.unwrap();
    }
    s.end("ns", each * count);
    std::hint::black_box(last);
    assert_eq!(shared.lock().await.0, each * count);
}
