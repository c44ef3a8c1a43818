// mass.go - very many at once: goroutines parked and asleep, timers.
// SPDX-License-Identifier: MIT
package main

import (
	"runtime"
	"sync"
	"time"
)

// count goroutines wait on one channel; then each is sent a value.
func park(_, count int) {
	var inside, done sync.WaitGroup
	c := make(chan int)
	rss, tables := statusKB("VmRSS:"), statusKB("VmPTE:")
	inside.Add(count)
	done.Add(count)
	s := begin()
	for range count {
		go func() {
			inside.Done()
			<-c
			done.Done()
		}()
	}
	inside.Wait()
	runtime.Gosched()
	result("create_ns", float64(time.Since(s.wall))/float64(count))
	result("bytes", (statusKB("VmRSS:")-rss)*1024/float64(count))
	result("table_bytes", (statusKB("VmPTE:")-tables)*1024/float64(count))
	s = begin()
	for i := range count {
		c <- i
	}
	done.Wait()
	s.result("wake_ns", count)
}

// count goroutines sleep n times each, 1 to 100 ms. What counts is the CPU time.
func sleepers(n, count int) {
	var wg sync.WaitGroup
	s := begin()
	wg.Add(count)
	for seed := range count {
		go func() {
			x := uint64(seed)*2654435761 + 12345
			for range n {
				x = x*6364136223846793005 + 1442695040888963407
				time.Sleep(time.Duration(1+(x>>33)%100) * time.Millisecond)
			}
			wg.Done()
		}()
	}
	wg.Wait()
	result("cpu_ms", float64(cpu()-s.cpu)/1e6)
	result("wall_ms", float64(time.Since(s.wall))/1e6)
}

// count timers are started, far away; stopped; then as many go off within a second, 5 s later so that none does while
// they are started.
func timers(_, count int) {
	var fired sync.WaitGroup
	t := make([]*time.Timer, count)
	x, per := uint64(12345), float64(count)
	after := func() time.Duration {
		x = x*6364136223846793005 + 1442695040888963407
		return time.Duration((x >> 33) % uint64(time.Second))
	}
	fires := func() { fired.Done() }
	for i := range t {
		t[i] = nil // the pages
	}
	rss := statusKB("VmRSS:")
	s := begin()
	for i := range t {
		t[i] = time.AfterFunc(time.Hour+after(), fires)
	}
	result("start_ns", float64(time.Since(s.wall))/per)
	result("bytes", (statusKB("VmRSS:")-rss)*1024/per)
	s = begin()
	for i := range t {
		t[i].Stop()
	}
	result("stop_ns", float64(time.Since(s.wall))/per)
	fired.Add(count)
	at := time.Now().Add(5 * time.Second)
	for i := range t {
		t[i].Reset(time.Until(at) + after())
	}
	s = begin()
	fired.Wait()
	result("fire_cpu_ns", float64(cpu()-s.cpu)/per)
}
