// main.go - ../lateness.c in Go: lateness CASE WORKERS.
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type load struct {
	sleepers, naps int
	least, most    time.Duration
	turns, hogs    int // goroutines for each worker that yield every 20 us; that never do
}

var loads = map[string]load{
	"one":   {1, 1000, time.Millisecond, 3 * time.Millisecond, 0, 0},
	"few":   {100, 200, time.Millisecond, 20 * time.Millisecond, 0, 0},
	"many":  {10000, 20, time.Millisecond, 100 * time.Millisecond, 0, 0},
	"turns": {100, 200, time.Millisecond, 20 * time.Millisecond, 4, 0},
	"hog":   {100, 200, time.Millisecond, 20 * time.Millisecond, 0, 1},
}

var (
	late         []time.Duration
	asleep, busy sync.WaitGroup
	ended        atomic.Bool
	timers       bool // not goroutines that sleep, but timers whose functions start them again
)

// How long the next nap is.
func (l *load) next(x *uint64) time.Duration {
	*x = *x*6364136223846793005 + 1442695040888963407
	return l.least + time.Duration(*x>>20%uint64(l.most-l.least))
}

func seed(i int) uint64 {
	return uint64(i)*2654435761 + 12345
}

// A timer whose function starts it again.
func clock(l load, i int) {
	x, k, d := seed(i), 0, time.Duration(0)
	var start time.Time
	var rings func()
	rings = func() {
		if d != 0 {
			late[i*l.naps+k] = time.Since(start) - d
			k++
		}
		if k == l.naps {
			asleep.Done()
			return
		}
		d = l.next(&x)
		start = time.Now()
		time.AfterFunc(d, rings)
	}
	rings()
}

func sleeper(l load, i int) {
	x := seed(i)
	for k := range l.naps {
		d := l.next(&x)
		start := time.Now()
		time.Sleep(d)
		late[i*l.naps+k] = time.Since(start) - d
	}
	asleep.Done()
}

func turner() {
	for ; !ended.Load(); runtime.Gosched() {
		for start := time.Now(); time.Since(start) < 20*time.Microsecond && !ended.Load(); {
		}
	}
	busy.Done()
}

func hog() {
	for !ended.Load() {
		time.Now()
	}
	busy.Done()
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func us(d time.Duration) float64 {
	return float64(d) / 1e3
}

func report(used time.Duration) {
	slices.Sort(late)
	n := len(late)
	fmt.Printf("R min_us %.1f\n", us(late[0]))
	for _, at := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}} {
		fmt.Printf("R %s_us %.1f\n", at.name, us(late[int(at.share*float64(n))]))
	}
	fmt.Printf("R max_us %.1f\nR cpu_ms %.1f\n", us(late[n-1]), us(used)/1e3)
	for k, limit := 0, time.Microsecond; k < n; limit *= 2 { // less than so many us: how many
		from := k
		for k < n && late[k] < limit {
			k++
		}
		if k > from {
			fmt.Printf("H %d %d\n", limit/time.Microsecond, k-from)
		}
	}
}

func main() {
	var l load
	workers, known := 0, false
	if len(os.Args) == 3 {
		l, known = loads[strings.TrimPrefix(os.Args[1], "timers-")]
		timers = strings.HasPrefix(os.Args[1], "timers-")
		workers, _ = strconv.Atoi(os.Args[2])
	}
	if !known || workers < 1 {
		fmt.Fprintln(os.Stderr, "usage: lateness [timers-]one|few|many|turns|hog WORKERS")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(workers)
	late = make([]time.Duration, l.sleepers*l.naps)
	for i := range late {
		late[i] = 1 // no page fault later
	}
	used := cpu()
	asleep.Add(l.sleepers)
	busy.Add(l.turns*workers + l.hogs)
	for range l.turns * workers {
		go turner()
	}
	for range l.hogs {
		go hog()
	}
	for i := range l.sleepers {
		if timers {
			clock(l, i)
		} else {
			go sleeper(l, i)
		}
	}
	asleep.Wait()
	ended.Store(true)
	used = cpu() - used
	busy.Wait()
	report(used)
}
