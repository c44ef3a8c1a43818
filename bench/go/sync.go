// sync.go - a mutex that several goroutines want all the time.
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
