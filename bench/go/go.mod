// go.mod - the Go programs need the standard library only.
// SPDX-License-Identifier: MIT
module goru/bench

go 1.26
