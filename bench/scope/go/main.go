// main.go - ../scope.c in Go: scope CASE WORKERS.
// SPDX-License-Identifier: MIT
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const rounds, children, scopes, waiting = 5, 100000, 100000, 100000

var never = make(chan uint64)

func nothing() error { return nil }

func startChildren() (int, time.Duration) {
	t := time.Now()
	g, _ := errgroup.WithContext(context.Background())
	for i := 0; i < children; i++ {
		g.Go(nothing)
	}
	g.Wait()
	return children, time.Since(t)
}

func group() (int, time.Duration) {
	var wg sync.WaitGroup
	t := time.Now()
	for i := 0; i < children; i++ {
		wg.Add(1)
		go wg.Done()
	}
	wg.Wait()
	return children, time.Since(t)
}

func open() (int, time.Duration) {
	t := time.Now()
	for i := 0; i < scopes; i++ {
		g, _ := errgroup.WithContext(context.Background())
		g.Wait()
	}
	return scopes, time.Since(t)
}

func openDeadline() (int, time.Duration) {
	t := time.Now()
	for i := 0; i < scopes; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		g, _ := errgroup.WithContext(ctx)
		g.Wait()
		cancel()
	}
	return scopes, time.Since(t)
}

func cancelAll() (int, time.Duration) {
	var begun atomic.Int32
	ctx, cancel := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	for i := 0; i < waiting; i++ {
		g.Go(func() error {
			begun.Add(1)
			select {
			case <-never:
			case <-ctx.Done():
			}
			return nil
		})
	}
	for begun.Load() < waiting {
		runtime.Gosched()
	}
	time.Sleep(10 * time.Millisecond)
	t := time.Now()
	cancel()
	g.Wait()
	return waiting, time.Since(t)
}

var cases = map[string]func() (int, time.Duration){
	"children": startChildren, "group": group, "open": open, "open-deadline": openDeadline, "cancel": cancelAll,
}

func main() {
	workers, err := strconv.Atoi(os.Args[2])
	fn := cases[os.Args[1]]
	if err != nil || fn == nil {
		os.Exit(2)
	}
	runtime.GOMAXPROCS(workers)
	best := 0.0
	for i := 0; i < rounds; i++ {
		n, d := fn()
		if one := float64(d.Nanoseconds()) / float64(n); i == 0 || one < best {
			best = one
		}
	}
	fmt.Printf("R ns_op %.2f\n", best)
}
