// go.mod - the standard library only.
// SPDX-License-Identifier: MIT
module goru/handoff

go 1.26
