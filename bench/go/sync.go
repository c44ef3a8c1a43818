// sync.go - a mutex that several goroutines want all the time, held for an addition or for long.
// SPDX-License-Identifier: MIT
package main

import "sync"

// n times lock, add one, unlock, by count goroutines.
func mutex(n, count int) {
	var shared struct {
		sync.Mutex
		n int
	}
	var wg sync.WaitGroup
	each := n / count
	s := begin()
	for range count {
		wg.Go(func() {
			for range each {
				shared.Lock()
				shared.n++
				shared.Unlock()
			}
		})
	}
	wg.Wait()
	s.result("ns", each*count)
	if shared.n != each*count {
		bad("a wrong count")
	}
}

// What is done with the mutex held, and as much without.
func steps(x uint64) uint64 {
	for range 500 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// n times lock, compute, unlock, compute as long, by count goroutines.
func mutexHeld(n, count int) {
	var shared struct {
		sync.Mutex
		n int
		x uint64
	}
	var wg sync.WaitGroup
	each := n / count
	s := begin()
	for range count {
		wg.Go(func() {
			mine := uint64(1)
			for range each {
				shared.Lock()
				shared.x = steps(shared.x) ^ mine
				shared.n++
				shared.Unlock()
				mine = steps(mine)
			}
		})
	}
	wg.Wait()
	s.result("ns", each*count)
	if shared.n != each*count {
		bad("a wrong count")
	}
}
