/* migrate.c - GORU_DEBUG=migrate=1: who parked goes on on another thread. */
/* SPDX-License-Identifier: MIT */
#include "engine/migrate.h"

#include "rt/idle.h"

bool grt_migrate(struct m *m, struct g *g)
{
	struct p *p = m->held;

	/* grt_next, which counts, is not asked under ATT_MIGRATE */
	if (p->to_loop)
		p->to_loop--;
	if (g->ran_on == m->id + 1 && grt_idle_giving(m, g))
		return true;
	g->ran_on = m->id + 1;
	return false;
}

struct g *grt_migrate_given(struct m *m)
{
	struct g *g = m->given;

	m->given = NULL;
	if (g)
		g->ran_on = m->id + 1;
	return g;
}
