// main.go - ../handoff.c in Go: handoff CASE WORKERS [ROUNDS].
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	stuck = 30 * time.Millisecond
	until = 3 * time.Millisecond
)

var (
	pipe         [2]int
	lockA, lockB int
	sem          uint32
	begin        = make(chan bool, 1)
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func again(f func() error) {
	err := syscall.EINTR
	for e := error(err); e == syscall.EINTR; {
		e = f()
		if e != nil && e != syscall.EINTR {
			panic(e)
		}
	}
}

func futex(op, val uintptr) {
	syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&sem)), op, val, 0, 0, 0)
}

func semWait() {
	for !takeSem() {
		futex(128, 0) // FUTEX_WAIT_PRIVATE
	}
}

func sleep(d time.Duration) {
	ts := syscall.NsecToTimespec(d.Nanoseconds())
	syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
}

func releaser() {
	for range begin {
		sleep(stuck)
		_, err := syscall.Write(pipe[1], []byte("x"))
		must(err)
		must(syscall.Flock(lockA, syscall.LOCK_UN))
		postSem()
		futex(129, 1) // FUTEX_WAKE_PRIVATE
	}
}

func read() {
	var b [1]byte
	again(func() error { _, err := syscall.Read(pipe[0], b[:]); return err })
}

var cases = map[string]func(){
	"usleep": func() { sleep(stuck) },
	"read":   read,
	"flock": func() {
		again(func() error { return syscall.Flock(lockB, syscall.LOCK_EX) })
		must(syscall.Flock(lockB, syscall.LOCK_UN))
	},
	"sem_wait": semWait,
	"waitpid": func() {
		c := exec.Command("sleep", "0.03")
		must(c.Start())
		again(func() error { _, err := syscall.Wait4(c.Process.Pid, nil, 0, nil); return err })
	},
	"loop": func() {
		for start := time.Now(); time.Since(start) < stuck; {
		}
	},
}

func us(d time.Duration) float64 {
	return float64(d) / 1e3
}

func report(name string, late []time.Duration) {
	slices.Sort(late)
	n := len(late)
	fmt.Printf("R %s_p50 %.0f\nR %s_p90 %.0f\nR %s_max %.0f\n", name, us(late[n/2]), name, us(late[n*9/10]), name,
		us(late[n-1]))
	for k, limit := 0, time.Microsecond; k < n; limit *= 2 { // less than so many us: how many
		from := k
		for k < n && late[k] < limit {
			k++
		}
		if k > from {
			fmt.Printf("H %s %d %d\n", name, limit/time.Microsecond, k-from)
		}
	}
}

func main() {
	rounds, workers := 100, 0
	var block func()
	if len(os.Args) > 2 {
		block = cases[os.Args[1]]
		workers, _ = strconv.Atoi(os.Args[2])
	}
	if len(os.Args) > 3 {
		rounds, _ = strconv.Atoi(os.Args[3])
	}
	if block == nil || workers < 1 || rounds < 1 {
		fmt.Fprintln(os.Stderr, "usage: handoff usleep|read|flock|sem_wait|waitpid|loop WORKERS [ROUNDS]")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(workers)
	must(syscall.Pipe(pipe[:]))
	f, err := os.CreateTemp("", "goru-handoff")
	must(err)
	lockA = int(f.Fd())
	lockB, err = syscall.Open(f.Name(), syscall.O_RDWR, 0)
	must(err)
	must(os.Remove(f.Name()))
	ready, due := make([]time.Duration, rounds), make([]time.Duration, rounds)
	n, naps := 0, make(chan time.Time)
	var asleep, done sync.WaitGroup
	go releaser()
	go func() {
		for at := range naps {
			asleep.Done()
			time.Sleep(time.Until(at))
			due[n] = time.Since(at)
			done.Done()
		}
	}()
	for n = range rounds {
		must(syscall.Flock(lockA, syscall.LOCK_EX))
		done.Add(2)
		asleep.Add(1)
		naps <- time.Now().Add(until)
		asleep.Wait()
		runtime.Gosched()
		begin <- true
		runtime.Gosched()
		start := time.Now()
		go func() {
			ready[n] = time.Since(start)
			done.Done()
		}()
		block()
		done.Wait()
		if os.Args[1] != "read" {
			read()
		}
		if os.Args[1] != "sem_wait" {
			semWait()
		}
		time.Sleep(2 * time.Millisecond)
	}
	report("ready", ready)
	report("due", due)
}
