// main.go - spread.c for Go.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

const tasks, rounds = 8, 200

func batch(work time.Duration) time.Duration {
	var wg sync.WaitGroup
	from := time.Now()

	for range tasks {
		wg.Go(func() {
			for end := time.Now().Add(work); time.Now().Before(end); {
			}
		})
	}
	wg.Wait()
	return time.Since(from)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: spread WORKERS MICROSECONDS-A-TASK MICROSECONDS-BETWEEN")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(number(os.Args[1]))
	work := time.Duration(number(os.Args[2])) * time.Microsecond
	pause := time.Duration(number(os.Args[3])) * time.Microsecond
	took := make([]time.Duration, rounds)
	for i := range took {
		if pause > 0 {
			time.Sleep(pause)
		}
		took[i] = batch(work)
	}
	slices.Sort(took)
	for _, p := range []int{50, 90, 99} {
		fmt.Printf("R p%d_us %.1f\n", p, float64(took[rounds*p/100].Nanoseconds())/1e3)
	}
}
