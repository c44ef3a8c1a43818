// tree.go - fork-join and skynet: goroutines that start goroutines.
// SPDX-License-Identifier: MIT
package main

import "time"

// One of the two calls is a goroutine. A channel costs less here than a wait group and a variable that both escape.
func fib(n int) int {
	if n < 2 {
		return n
	}
	left := make(chan int)
	go func() { left <- fib(n - 1) }()
	right := fib(n - 2)
	return <-left + right
}

// n times fib(count).
func forkJoin(n, count int) {
	s := begin()
	got := 0
	for range n {
		got = fib(count)
	}
	ns := float64(time.Since(s.wall))
	s.result("ms", n)
	// fib(k) starts one goroutine, and what its two halves start
	a, b, spawned, before := 0, 1, 0, 0
	for i := range count {
		a, b = b, a+b
		if i > 0 {
			spawned, before = spawned+before+1, spawned
		}
	}
	if got != a {
		bad("a wrong sum")
	}
	result("ns", ns/float64(n)/float64(max(spawned, 1)))
}

const children = 10

func node(out chan<- int, first, leaves int) {
	if leaves == 1 {
		out <- first
		return
	}
	in := make(chan int)
	leaves /= children
	for i := range children {
		go node(in, first+i*leaves, leaves)
	}
	sum := 0
	for range children {
		sum += <-in
	}
	out <- sum
}

// n times: a tree of ten children a node, count leaves, their numbers added up through channels.
func skynet(n, count int) {
	s := begin()
	out := make(chan int)
	for range n {
		go node(out, 0, count)
		if sum := <-out; sum != count*(count-1)/2 {
			bad("a wrong sum")
		}
	}
	s.result("ms", n)
	result("peak_mb", statusKB("VmHWM:")/1024)
}
