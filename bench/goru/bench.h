/* bench.h - what the workloads share: their table, the clock, the result lines. */
/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H

#include <goru.h>
#include <stdint.h>

GORU_CHAN_OF(longs, long);

/* n: operations or rounds. count: the size of what they are done on. */
typedef void workload_fn(long n, long count);

struct workload {
	const char *name;
	workload_fn *run;
	long n, count; /* defaults */
};

/* Each ends with a NULL name. */
extern const struct workload switch_workloads[], chan_workloads[], sync_workloads[],
	tree_workloads[], mass_workloads[];

/* From here to the result. */
struct span {
	double wall, cpu; /* ns */
};
struct span span_begin(void);
double span_ns(const struct span *s);
double span_cpu_ns(const struct span *s);

/* Prints "R name value". */
void result(const char *name, double value);

/* Prints the time of one operation in the unit of `name` (ns or ms), and the CPUs that were used. */
void result_span(const char *name, const struct span *s, double operations);

/* Prints wall_ms and cpu_ms. */
void result_cpu(const struct span *s);

/* Kilobytes of a line of /proc/self/status, such as "VmRSS:". */
double status_kb(const char *key);

_Noreturn void bad(const char *what);

/* A wait of a goroutine cannot fail here. */
void wait_for(goru_waitgroup *wg);

#endif
