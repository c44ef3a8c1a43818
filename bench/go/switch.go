// switch.go - yield and spawn.
// SPDX-License-Identifier: MIT
package main

import (
	"runtime"
	"sync"
)

// count goroutines yield to one another, n times in all. They exist and have run before the clock starts.
func yield(n, count int) {
	var created, done sync.WaitGroup
	gate := make(chan struct{})
	created.Add(count)
	for range count {
		done.Go(func() {
			created.Done()
			<-gate
			for range n / count {
				runtime.Gosched()
			}
		})
	}
	created.Wait()
	s := begin()
	close(gate)
	done.Wait()
	s.result("ns", n/count*count)
}

// n goroutines, count at a time: spawned, then waited for. One function for all: a closure or a method value made at
// each go statement would be allocated.
func spawn(n, count int) {
	var wg sync.WaitGroup
	done := func() { wg.Done() }
	s := begin()
	for i := 0; i < n; i += count {
		wg.Add(count)
		for range count {
			go done()
		}
		wg.Wait()
	}
	s.result("ns", n)
}
