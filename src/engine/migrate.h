/* migrate.h - GORU_DEBUG=migrate=1: who parked goes on on another thread. */
/* SPDX-License-Identifier: MIT */
#ifndef GRT_ENGINE_MIGRATE_H
#define GRT_ENGINE_MIGRATE_H

#include "rt/rt.h"

/*
 * A goroutine that keeps the address of something of its thread over a wait goes wrong only when it changes threads,
 * which it seldom does. So every P has ATT_MIGRATE set for good, by which each switch goes over the loop; there a
 * goroutine that ran on this M last is handed, with the P and so with its turn, to an idle M. There is one M more than
 * Ps, and who hands over becomes idle in the same moment: so an idle one is missing only while goroutines are between
 * goru_block_enter and goru_block_exit, and then they stay where they are. m.given is stored under rt.lock by who took
 * the M off the idle list, and read after the note (PROTOCOL note in rt/idle.c).
 */

/* True: m has given away its P, and g to run there first; it has slept. */
bool grt_migrate(struct m *m, struct g *g);

/* What m was given to run first, or NULL. */
struct g *grt_migrate_given(struct m *m);

#endif
