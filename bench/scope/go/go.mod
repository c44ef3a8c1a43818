// go.mod - errgroup is golang.org/x/sync's.
// SPDX-License-Identifier: MIT
module goru/scope

go 1.26.0

require golang.org/x/sync v0.25.0
