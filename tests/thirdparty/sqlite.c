/* sqlite.c - SQLite in 50 goroutines on stacks of the default size: databases of their own, and one for all. */
/* SPDX-License-Identifier: MIT */
/* test: pkg=sqlite3 procs=1,2,16 not=thread */
#include <sqlite3.h>

#include "test.h"

enum { GOROUTINES = 50, ROWS = 60 };

static goru_waitgroup wg;
static goru_mutex lock;
static sqlite3 *shared;

static void run(sqlite3 *db, const char *sql)
{
	char *err = NULL;

	if (!CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, &err), SQLITE_OK))
		print_message("%s: %s\n", sql, err ? err : "?");
	sqlite3_free(err);
}

static void insert(sqlite3 *db, int owner)
{
	sqlite3_stmt *st;

	if (!CHECK_EQ(sqlite3_prepare_v2(
			      db,
			      "insert into t values (?1, ?2, printf('%d-%08.3f', ?1, ?2 / 7.0))",
			      -1, &st, NULL),
		      SQLITE_OK))
		return;
	for (int i = 0; i < ROWS; i++) {
		sqlite3_bind_int(st, 1, owner);
		sqlite3_bind_int(st, 2, i);
		CHECK_EQ(sqlite3_step(st), SQLITE_DONE);
		sqlite3_reset(st);
		if (i % 10 == 0)
			goru_yield();
	}
	sqlite3_finalize(st);
}

/* Row by row, with waits between: the query's state is the goroutine's. */
static void select_all(sqlite3 *db, int owner)
{
	static const char sql[] =
		"with recursive n(i) as (select 0 union all select i + 1 from n where i < 59) "
		"select t.v, t.text, count(*) over (order by t.v desc) from n join t on t.v = n.i "
		"where t.owner = ?1 and t.text like '%.%' group by t.v order by t.v desc";
	sqlite3_stmt *st;
	int rows = 0, rc;

	if (!CHECK_EQ(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK))
		return;
	sqlite3_bind_int(st, 1, owner);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		char want[40];
		int v = ROWS - 1 - rows++;

		snprintf(want, sizeof(want), "%d-%08.3f", owner, v / 7.0);
		CHECK_EQ(sqlite3_column_int(st, 0), v);
		CHECK(!strcmp((const char *)sqlite3_column_text(st, 1), want));
		CHECK_EQ(sqlite3_column_int(st, 2), rows);
		goru_yield();
	}
	CHECK_EQ(rc, SQLITE_DONE);
	CHECK_EQ(rows, ROWS);
	sqlite3_finalize(st);
}

static void works(int n)
{
	sqlite3 *db;

	CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
	run(db, "create table t (owner int, v int, text text)");
	run(db, "create index i on t (v, text)");
	run(db, "begin");
	insert(db, n);
	run(db, "commit");
	select_all(db, n);
	CHECK_EQ(sqlite3_close(db), SQLITE_OK);

	/* one connection for all: a transaction is held over waits, so by a lock that may be */
	CHECK_EQ(goru_mutex_lock(&lock), 0);
	run(shared, "begin");
	insert(shared, n);
	run(shared, "commit");
	goru_mutex_unlock(&lock);
	select_all(shared, n);
	goru_waitgroup_done(&wg);
}

static void fifty(void)
{
	CHECK_EQ(sqlite3_open(":memory:", &shared), SQLITE_OK);
	run(shared, "create table t (owner int, v int, text text)");
	goru_waitgroup_add(&wg, GOROUTINES);
	for (int n = 0; n < GOROUTINES; n++)
		CHECK_EQ(go(works, n), 0);
	CHECK_EQ(goru_waitgroup_wait(&wg), 0);
	CHECK_EQ(sqlite3_close(shared), SQLITE_OK);
}

TEST_MAIN(TEST_BOTH(fifty))
