// go.mod - the standard library only.
// SPDX-License-Identifier: MIT
module goru/lateness

go 1.26
