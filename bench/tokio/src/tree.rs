// tree.rs - fork-join and skynet: tasks that start tasks.
// SPDX-License-Identifier: MIT
use crate::{result, status_kb, Span};
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc::{channel, Sender};

/// One of the two calls is a task; the other is boxed, as a future cannot hold itself.
fn fib(n: u64) -> impl Future<Output = u64> + Send {
    async move {
        if n < 2 {
            return n;
        }
        let left = tokio::spawn(fib(n - 1));
        let right = Box::pin(fib(n - 2)).await;
        left.await.unwrap() + right
    }
}

/// n times fib(count).
pub async fn fork_join(n: u64, count: u64) {
    let s = Span::begin();
    let mut got = 0;
    for _ in 0..n {
        got = fib(count).await;
    }
    let ns = s.ns();
    s.end("ms", n);
    // fib(k) starts one task, and what its two halves start
    let (mut a, mut b, mut spawned, mut before) = (0, 1, 0, 0);
    for i in 0..count {
        (a, b) = (b, a + b);
        if i > 0 {
            (spawned, before) = (spawned + before + 1, spawned);
        }
    }
    assert_eq!(got, a);
    result("ns", ns / n as f64 / spawned.max(1) as f64);
}

const CHILDREN: u64 = 10;

fn node(out: Sender<u64>, first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            out.send(first).await.unwrap();
            return;
        }
        let (tx, mut rx) = channel(CHILDREN as usize);
        for i in 0..CHILDREN {
            let leaves = leaves / CHILDREN;
            tokio::spawn(node(tx.clone(), first + i * leaves, leaves));
        }
        drop(tx);
        let mut sum = 0;
        while let Some(v) = rx.recv().await {
            sum += v;
        }
        out.send(sum).await.unwrap();
    })
}

/// n times: a tree of ten children a node, count leaves, their numbers added up through channels.
pub async fn skynet(n: u64, count: u64) {
    let s = Span::begin();
    for _ in 0..n {
        let (tx, mut rx) = channel(1);
        tokio::spawn(node(tx, 0, count));
        assert_eq!(rx.recv().await, Some(count * (count - 1) / 2));
    }
    s.end("ms", n);
    result("peak_mb", status_kb("VmHWM:") / 1024.0);
}
