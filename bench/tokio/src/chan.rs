// chan.rs - channels: ping-pong, buffered, ring, sieve, select. tokio has no unbuffered channel: one of capacity 1
// stands for it, which is less work than a rendezvous.
// SPDX-License-Identifier: MIT
use crate::Span;
use tokio::sync::mpsc::{channel, Receiver, Sender};

/// n round trips.
pub async fn pingpong(n: u64) {
    let (to, mut to_rx) = channel::<u64>(1);
    let (from, mut from_rx) = channel::<u64>(1);
    let s = Span::begin();
    tokio::spawn(async move {
        while let Some(v) = to_rx.recv().await {
            from.send(v + 1).await.unwrap();
        }
    });
    for i in 0..n {
        to.send(i).await.unwrap();
        assert_eq!(from_rx.recv().await, Some(i + 1));
    }
    s.end("ns", n);
}

/// n values through a channel of 128.
pub async fn buffered11(n: u64) {
    let (tx, mut rx) = channel::<u64>(128);
    let s = Span::begin();
    let taker = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(v) = rx.recv().await {
            sum += v;
        }
        sum
    });
    tokio::spawn(async move {
        for i in 0..n {
            tx.send(i).await.unwrap();
        }
    });
    let sum = taker.await.unwrap();
    s.end("ns", n);
    assert_eq!(sum, n * (n - 1) / 2);
}

/// tokio's channels have one receiver; async-channel is what its users take for more.
pub async fn buffered44(n: u64, count: u64) {
    let (tx, rx) = async_channel::bounded::<u64>(128);
    let each = n / count;
    let s = Span::begin();
    let takers: Vec<_> = (0..count)
        .map(|_| {
            let rx = rx.clone();
            tokio::spawn(async move {
                let mut sum = 0;
                while let Ok(v) = rx.recv().await {
                    sum += v;
                }
                sum
            })
        })
        .collect();
    for _ in 0..count {
        let tx = tx.clone();
        tokio::spawn(async move {
            for i in 0..each {
                tx.send(i).await.unwrap();
            }
        });
    }
    drop(tx);
    let mut sum = 0;
    for t in takers {
        sum += t.await.unwrap();
    }
    s.end("ns", each * count);
    assert_eq!(sum, count * (each * (each - 1) / 2));
}

/// One value goes round count tasks, n hops in all.
pub async fn ring(n: u64, count: u64) {
    let (first, mut last) = channel::<u64>(1);
    for _ in 1..count {
        let (tx, rx) = channel::<u64>(1);
        let mut from = std::mem::replace(&mut last, rx);
        tokio::spawn(async move {
            while let Some(v) = from.recv().await {
                if tx.send(v + 1).await.is_err() {
                    break;
                }
            }
        });
    }
    let s = Span::begin();
    for _ in 0..n / count {
        first.send(0).await.unwrap();
        assert_eq!(last.recv().await, Some(count - 1));
    }
    s.end("ns", n / count * count);
}

async fn generate(out: Sender<u64>) {
    let mut i = 2;
    while out.send(i).await.is_ok() {
        i += 1;
    }
}

async fn filter(mut from: Receiver<u64>, to: Sender<u64>, prime: u64) {
    while let Some(v) = from.recv().await {
        if v % prime != 0 && to.send(v).await.is_err() {
            break;
        }
    }
}

/// n times: the first count primes, a task for each.
pub async fn sieve(n: u64, count: u64) {
    let s = Span::begin();
    let mut prime = 0;
    for _ in 0..n {
        let (tx, mut rx) = channel(1);
        tokio::spawn(generate(tx));
        for _ in 0..count {
            prime = rx.recv().await.unwrap();
            let (tx, next) = channel(1);
            tokio::spawn(filter(std::mem::replace(&mut rx, next), tx, prime));
        }
    }
    s.end("ms", n);
    assert!(count != 1500 || prime == 12553);
}

/// n values by select from four channels, each with its sender.
pub async fn select4(n: u64) {
    let each = n / 4;
    let s = Span::begin();
    let feed = || {
        let (tx, rx) = channel::<u64>(1);
        tokio::spawn(async move {
            for i in 0..each {
                tx.send(i).await.unwrap();
            }
        });
        rx
    };
    let (mut a, mut b, mut c, mut d) = (feed(), feed(), feed(), feed());
    let mut sum = 0;
    for _ in 0..4 * each {
        tokio::select! {
            Some(v) = a.recv() => sum += v,
            Some(v) = b.recv() => sum += v,
            Some(v) = c.recv() => sum += v,
            Some(v) = d.recv() => sum += v,
        }
    }
    s.end("ns", 4 * each);
    assert_eq!(sum, 4 * (each * (each - 1) / 2));
}
