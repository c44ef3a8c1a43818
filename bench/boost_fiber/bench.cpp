// bench.cpp - the workloads for Boost.Fiber: bench WORKLOAD WORKERS [N [COUNT]].
// SPDX-License-Identifier: MIT
#include <boost/fiber/all.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>
#include <sys/resource.h>

namespace fibers = boost::fibers;
using fibers::fiber;
using unbuffered = fibers::unbuffered_channel<long>;
using fibers::channel_op_status;

// Stacks of 16 KiB, half of what is touched lies in the first page. From a pool where the stacks come and go; a pool
// serves one thread only, and gives all stacks the same alignment, so it is not used elsewhere.
static const size_t stack_bytes = 16384;
static int workers;

static double wall()
{
	using namespace std::chrono;
	return duration<double, std::nano>(steady_clock::now().time_since_epoch()).count();
}

static double cpu()
{
	rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static void result(const char *name, double value)
{
	std::printf("R %s %.4f\n", name, value);
}

// From here to the result.
struct span {
	double cpu_begin = cpu(), begin = wall();

	double ns() const
	{
		return wall() - begin;
	}
	void end(const char *name, double operations) const
	{
		double t = ns(), used = cpu() - cpu_begin;
		result(name, t / operations / (std::strcmp(name, "ms") ? 1 : 1e6));
		result("cpus", used / t);
	}
};

static double status_kb(const char *key)
{
	std::ifstream f("/proc/self/status");
	for (std::string line; std::getline(f, line);)
		if (line.rfind(key, 0) == 0)
			return std::strtod(line.c_str() + std::strlen(key), nullptr);
	return 0;
}

[[noreturn]] static void bad(const char *what)
{
	std::fprintf(stderr, "bench: %s\n", what);
	std::exit(1);
}

// The library has barriers and futures but nothing that counts down. Only the last one takes the mutex: locking it costs
// a page of stack.
class wait_group
{
	fibers::mutex lock;
	fibers::condition_variable zero;
	std::atomic<long> count;
	bool none = false;

public:
	explicit wait_group(long n) : count(n) {}
	void done()
	{
		if (count.fetch_sub(1) == 1) {
			std::unique_lock<fibers::mutex> held(lock);
			none = true;
			zero.notify_all();
		}
	}
	void wait()
	{
		std::unique_lock<fibers::mutex> held(lock);
		zero.wait(held, [this] { return none; });
	}
};

template <class F>
static fiber start(F &&f)
{
	return fiber(std::allocator_arg, fibers::fixedsize_stack(stack_bytes), std::forward<F>(f));
}

static void yield(long n, long count)
{
	wait_group created(count);
	unbuffered gate;
	std::vector<fiber> all;
	for (long i = 0; i < count; i++)
		all.push_back(start([&, n, count] {
			long none;
			created.done();
			gate.pop(none);
			for (long k = 0; k < n / count; k++)
				boost::this_fiber::yield();
		}));
	created.wait();
	span s;
	gate.close();
	for (auto &f : all)
		f.join();
	s.end("ns", n / count * count);
}

template <class Stack>
static void spawn_on(Stack stack, long n, long count)
{
	std::vector<fiber> all;
	all.reserve(count);
	span s;
	for (long i = 0; i < n; i += count) {
		for (long j = 0; j < count; j++)
			all.emplace_back(count == 1 ? fibers::launch::dispatch :
						      fibers::launch::post,
					 std::allocator_arg, stack, [] {});
		for (auto &f : all)
			f.join();
		all.clear();
	}
	s.end("ns", n);
}

static void spawn(long n, long count)
{
	if (workers == 1)
		spawn_on(fibers::pooled_fixedsize_stack(stack_bytes), n, count);
	else
		spawn_on(fibers::fixedsize_stack(stack_bytes), n, count);
}

static void pingpong(long n, long)
{
	unbuffered to, from;
	span s;
	fiber pong = start([&] {
		for (long v : to)
			from.push(v + 1);
	});
	for (long i = 0; i < n; i++) {
		to.push(i);
		if (from.value_pop() != i + 1)
			bad("a wrong value");
	}
	s.end("ns", n);
	to.close();
	pong.join();
}

static void buffered(long n, long count)
{
	fibers::buffered_channel<long> c(128); // it holds 127
	std::vector<fiber> makers, takers;
	std::atomic<long> sum{ 0 };
	long each = n / count;
	span s;
	for (long i = 0; i < count; i++)
		takers.push_back(start([&] {
			long total = 0;
			for (long v : c)
				total += v;
			sum += total;
		}));
	for (long i = 0; i < count; i++)
		makers.push_back(start([&] {
			for (long k = 0; k < each; k++)
				c.push(k);
		}));
	for (auto &f : makers)
		f.join();
	c.close();
	for (auto &f : takers)
		f.join();
	s.end("ns", each * count);
	if (sum != count * (each * (each - 1) / 2))
		bad("a wrong sum");
}

static void ring(long n, long count)
{
	std::vector<std::unique_ptr<unbuffered>> c;
	for (long i = 0; i < count; i++)
		c.push_back(std::make_unique<unbuffered>());
	for (long i = 1; i < count; i++)
		start([&in = *c[i - 1], &out = *c[i]] {
			for (long v : in)
				out.push(v + 1);
		}).detach();
	boost::this_fiber::yield();
	span s;
	for (long i = 0; i < n / count; i++) {
		c[0]->push(0);
		if (c[count - 1]->value_pop() != count - 1)
			bad("a wrong value");
	}
	s.end("ns", n / count * count);
	std::fflush(stdout);
	std::_Exit(0); // the others still wait
}

static void sieve(long n, long count)
{
	span s;
	long prime = 0;
	for (long round = 0; round < n; round++) {
		auto in = std::make_shared<unbuffered>();
		start([in] {
			for (long i = 2;; i++)
				in->push(i);
		}).detach();
		for (long i = 0; i < count; i++) {
			auto out = std::make_shared<unbuffered>();
			prime = in->value_pop();
			start([in, out, prime] {
				for (long v : *in)
					if (v % prime)
						out->push(v);
			}).detach();
			in = out;
		}
	}
	s.end("ms", n);
	if (count == 1500 && prime != 12553)
		bad("a wrong prime");
	std::fflush(stdout);
	std::_Exit(0);
}

// n times lock, add one, unlock, by count fibers.
static void mutex(long n, long count)
{
	fibers::mutex lock;
	std::vector<fiber> all;
	long each = n / count, sum = 0;
	span s;
	for (long i = 0; i < count; i++)
		all.push_back(start([&] {
			for (long k = 0; k < each; k++) {
				lock.lock();
				sum++;
				lock.unlock();
			}
		}));
	for (auto &f : all)
		f.join();
	s.end("ns", each * count);
	if (sum != each * count)
		bad("a wrong count");
}

static unsigned long steps(unsigned long x)
{
	for (int i = 0; i < 500; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	return x;
}

// n times lock, compute, unlock, compute as long, by count fibers.
static void mutex_held(long n, long count)
{
	fibers::mutex lock;
	std::vector<fiber> all;
	long each = n / count, sum = 0;
	unsigned long x = 1;
	span s;
	for (long i = 0; i < count; i++)
		all.push_back(start([&] {
			unsigned long mine = 1;
			for (long k = 0; k < each; k++) {
				lock.lock();
				x = steps(x) ^ mine;
				sum++;
				lock.unlock();
				mine = steps(mine);
			}
		}));
	for (auto &f : all)
		f.join();
	s.end("ns", each * count);
	if (sum != each * count)
		bad("a wrong count");
}

static long fib(long n)
{
	if (n < 2)
		return n;
	long left;
	fiber f = start([&left, n] { left = fib(n - 1); });
	long right = fib(n - 2);
	f.join();
	return left + right;
}

static void fork_join(long n, long count)
{
	long a = 0, b = 1, spawned = 0, before = 0, got = 0;
	span s;
	for (long i = 0; i < n; i++)
		got = fib(count);
	double ns = s.ns();
	s.end("ms", n);
	for (long i = 0; i < count; i++) {
		long next = a + b, more = spawned + before + 1;
		a = b;
		b = next;
		before = spawned;
		spawned = i ? more : 0;
	}
	if (got != a)
		bad("a wrong sum");
	result("ns", ns / n / (spawned > 0 ? spawned : 1));
}

static void node(unbuffered &out, long first, long leaves)
{
	if (leaves == 1) {
		out.push(first);
		return;
	}
	unbuffered in;
	long sum = 0;
	leaves /= 10;
	std::vector<fiber> all;
	for (long i = 0; i < 10; i++)
		all.push_back(
			start([&in, first, leaves, i] { node(in, first + i * leaves, leaves); }));
	for (long i = 0; i < 10; i++)
		sum += in.value_pop();
	for (auto &f : all)
		f.join();
	out.push(sum);
}

static void skynet(long n, long count)
{
	span s;
	for (long i = 0; i < n; i++) {
		unbuffered out;
		fiber f = start([&] { node(out, 0, count); });
		if (out.value_pop() != count * (count - 1) / 2)
			bad("a wrong sum");
		f.join();
	}
	s.end("ms", n);
	result("peak_mb", status_kb("VmHWM:") / 1024);
}

static void park(long, long count)
{
	unbuffered c;
	wait_group inside(count), done(count);
	double rss = status_kb("VmRSS:"), tables = status_kb("VmPTE:");
	{
		span s;
		for (long i = 0; i < count; i++)
			start([&] {
				long v;
				inside.done();
				c.pop(v);
				done.done();
			}).detach();
		inside.wait();
		boost::this_fiber::yield();
		result("create_ns", s.ns() / count);
	}
	result("bytes", (status_kb("VmRSS:") - rss) * 1024 / count);
	result("table_bytes", (status_kb("VmPTE:") - tables) * 1024 / count);
	span s;
	for (long i = 0; i < count; i++)
		c.push(i);
	done.wait();
	s.end("wake_ns", count);
}

static void sleepers(long n, long count)
{
	wait_group wg(count);
	span s;
	for (long i = 0; i < count; i++)
		start([&wg, i, n] {
			uint64_t x = (uint64_t)i * 2654435761u + 12345;
			for (long k = 0; k < n; k++) {
				x = x * 6364136223846793005u + 1442695040888963407u;
				boost::this_fiber::sleep_for(
					std::chrono::milliseconds(1 + (x >> 33) % 100));
			}
			wg.done();
		}).detach();
	wg.wait();
	result("cpu_ms", (cpu() - s.cpu_begin) / 1e6);
	result("wall_ms", s.ns() / 1e6);
}

static const struct {
	const char *name;
	void (*run)(long, long);
	long n, count;
	bool suspend; // do idle workers sleep? The better of both for the workload
} workloads[] = {
	{ "yield2", yield, 10000000, 2, false },
	{ "yield1000", yield, 10000000, 1000, false },
	{ "spawn1", spawn, 2000000, 1, true },
	{ "spawn1000", spawn, 1000000, 1000, false },
	{ "pingpong", pingpong, 2000000, 2, true },
	{ "buffered11", buffered, 20000000, 1, true },
	{ "buffered44", buffered, 20000000, 4, true },
	{ "ring", ring, 4000000, 1000, true },
	{ "sieve", sieve, 3, 1500, true },
	{ "mutex", mutex, 10000000, 8, true },
	{ "mutexheld", mutex_held, 1000000, 8, true },
	{ "fib", fork_join, 1, 27, false },
	{ "skynet", skynet, 1, 100000, false },
	{ "park", park, 1, 100000, false },
	{ "sleep", sleepers, 5, 100000, false },
};

int main(int argc, char **argv)
{
	for (auto &w : workloads) {
		if (argc < 3 || std::strcmp(argv[1], w.name))
			continue;
		workers = std::atoi(argv[2]);
		std::vector<std::thread> others;
		fibers::mutex lock;
		fibers::condition_variable_any ended;
		bool end = false;
		for (int i = 1; i < workers; i++)
			others.emplace_back([&] {
				fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(
					workers, w.suspend);
				std::unique_lock<fibers::mutex> held(lock);
				ended.wait(held, [&] { return end; });
			});
		if (workers > 1)
			fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(workers,
										      w.suspend);
		w.run(argc > 3 ? std::atol(argv[3]) : w.n, argc > 4 ? std::atol(argv[4]) : w.count);
		std::fflush(stdout);
		{
			std::unique_lock<fibers::mutex> held(lock);
			end = true;
		}
		ended.notify_all();
		for (auto &t : others)
			t.join();
		return 0;
	}
	std::fprintf(stderr, "usage: bench WORKLOAD WORKERS [N [COUNT]]\n");
	return 2;
}
