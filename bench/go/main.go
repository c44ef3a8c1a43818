// main.go - runs one workload: bench WORKLOAD WORKERS [N [COUNT]].
// SPDX-License-Identifier: MIT
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// n: operations or rounds. count: the size of what they are done on.
type workload struct {
	run      func(n, count int)
	n, count int
}

var workloads = map[string]workload{
	"yield2":     {yield, 10_000_000, 2},
	"yield1000":  {yield, 10_000_000, 1000},
	"spawn1":     {spawn, 2_000_000, 1},
	"spawn1000":  {spawn, 2_000_000, 1000},
	"pingpong":   {pingpong, 2_000_000, 2},
	"buffered11": {buffered, 20_000_000, 1},
	"buffered44": {buffered, 20_000_000, 4},
	"ring":       {ring, 4_000_000, 1000},
	"sieve":      {sieve, 3, 1500},
	"select":     {select4, 4_000_000, 4},
	"mutex":      {mutex, 10_000_000, 8},
	"mutexheld":  {mutexHeld, 1_000_000, 8},
	"fib":        {forkJoin, 1, 32},
	"skynet":     {skynet, 1, 1_000_000},
	"park":       {park, 1, 1_000_000},
	"sleep":      {sleepers, 5, 100_000},
	"timers":     {timers, 1, 1_000_000},
}

// From here to the result.
type span struct {
	wall time.Time
	cpu  time.Duration
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func begin() span {
	return span{cpu: cpu(), wall: time.Now()}
}

func result(name string, value float64) {
	fmt.Printf("R %s %.4f\n", name, value)
}

// The time of one operation in the unit of the name (ns or ms), and the CPUs that were used.
func (s span) result(name string, operations int) {
	wall, used := time.Since(s.wall), cpu()-s.cpu
	value := float64(wall) / float64(operations)
	if name == "ms" {
		value /= 1e6
	}
	result(name, value)
	result("cpus", float64(used)/float64(wall))
}

// Kilobytes of a line of /proc/self/status, such as "VmRSS:".
func statusKB(key string) float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), key); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb
		}
	}
	return 0
}

func bad(what string) {
	fmt.Fprintln(os.Stderr, "bench:", what)
	os.Exit(1)
}

func main() {
	var number []int
	for _, arg := range os.Args[min(2, len(os.Args)):] {
		n, err := strconv.Atoi(arg)
		if err != nil {
			bad(err.Error())
		}
		number = append(number, n)
	}
	if len(number) < 1 {
		fmt.Fprintln(os.Stderr, "usage: bench WORKLOAD WORKERS [N [COUNT]]")
		os.Exit(2)
	}
	w, ok := workloads[os.Args[1]]
	if !ok {
		bad("no such workload")
	}
	if len(number) > 1 {
		w.n = number[1]
	}
	if len(number) > 2 {
		w.count = number[2]
	}
	runtime.GOMAXPROCS(number[0])
	w.run(w.n, w.count)
}
