// chan.go - channels: ping-pong, buffered, ring, sieve, select.
// SPDX-License-Identifier: MIT
package main

import "sync"

// n round trips over two unbuffered channels.
func pingpong(n, _ int) {
	to, from := make(chan int), make(chan int)
	s := begin()
	go func() {
		for v := range to {
			from <- v + 1
		}
	}()
	for i := range n {
		to <- i
		if v := <-from; v != i+1 {
			bad("a wrong value")
		}
	}
	s.result("ns", n)
	close(to)
}

// n values through one channel of 128, from count producers to as many consumers.
func buffered(n, count int) {
	c := make(chan int, 128)
	sums := make(chan int, count)
	each := n / count
	var made sync.WaitGroup
	s := begin()
	for range count {
		go func() {
			sum := 0
			for v := range c {
				sum += v
			}
			sums <- sum
		}()
	}
	for range count {
		made.Go(func() {
			for i := range each {
				c <- i
			}
		})
	}
	made.Wait()
	close(c)
	sum := 0
	for range count {
		sum += <-sums
	}
	s.result("ns", each*count)
	if sum != count*(each*(each-1)/2) {
		bad("a wrong sum")
	}
}

// One value goes round count goroutines, n hops in all.
func ring(n, count int) {
	first := make(chan int)
	last := first
	for range count - 1 {
		in, out := last, make(chan int)
		go func() {
			for v := range in {
				out <- v + 1
			}
		}()
		last = out
	}
	s := begin()
	for range n / count {
		first <- 0
		if v := <-last; v != count-1 {
			bad("a wrong value")
		}
	}
	s.result("ns", n/count*count)
}

func generate(out chan<- int) {
	for i := 2; ; i++ {
		out <- i
	}
}

func filter(in <-chan int, out chan<- int, prime int) {
	for v := range in {
		if v%prime != 0 {
			out <- v
		}
	}
}

// n times: the first count primes, a goroutine for each. Those of earlier rounds stay parked.
func sieve(n, count int) {
	s := begin()
	prime := 0
	for range n {
		c := make(chan int)
		go generate(c)
		for range count {
			prime = <-c
			next := make(chan int)
			go filter(c, next, prime)
			c = next
		}
	}
	s.result("ms", n)
	if count == 1500 && prime != 12553 {
		bad("a wrong prime")
	}
}

// n values by select from four unbuffered channels, each with its sender.
func select4(n, _ int) {
	each := n / 4
	var c [4]chan int
	s := begin()
	for k := range c {
		c[k] = make(chan int)
		go func() {
			for i := range each {
				c[k] <- i
			}
		}()
	}
	a, b, d, e := c[0], c[1], c[2], c[3]
	sum := 0
	for range 4 * each {
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum += v
		case v := <-d:
			sum += v
		case v := <-e:
			sum += v
		}
	}
	s.result("ns", 4*each)
	if sum != 4*(each*(each-1)/2) {
		bad("a wrong sum")
	}
}
