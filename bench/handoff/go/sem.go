// sem.go - the count of a semaphore whose waiters sleep in the kernel, as sem_wait's do.
// SPDX-License-Identifier: MIT
package main

import "sync/atomic"

func takeSem() bool {
	return atomic.CompareAndSwapUint32(&sem, 1, 0)
}

func postSem() {
	atomic.StoreUint32(&sem, 1)
}
