/* cpp.cpp - goru in C++: lambdas, typed channels, exceptions, a wait that cannot be forgotten. */
/* SPDX-License-Identifier: MIT */
#include <goru.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

GORU_CHAN_OF(ints, int);

struct unref {
	void operator()(ints *c) const
	{
		ints_unref(c);
	}
};
using ints_ptr = std::unique_ptr<ints, unref>;

/* Goroutines that may use what stands before it: leaving the block waits for them. */
class group
{
public:
	group() = default;
	group(const group &) = delete;
	group &operator=(const group &) = delete;
	~group()
	{
		if (goru_waitgroup_wait(&running) != 0)
			std::abort();
	}

	/* go takes functions and lambdas without captures; one with captures goes by pointer. */
	template <class F>
	void start(F f)
	{
		struct job {
			F f;
			group *in;
		};
		auto own = std::make_unique<job>(job{ std::move(f), this });
		int err;

		goru_waitgroup_add(&running, 1);
		err = go([](job *j) { run(std::unique_ptr<job>(j)); }, own.get());
		if (err != 0) {
			goru_waitgroup_done(&running);
			throw std::bad_alloc();
		}
		own.release();
	}

private:
	/* An exception that left the goroutine's function would end the program. */
	template <class J>
	static void run(std::unique_ptr<J> j)
	{
		goru_waitgroup &running = j->in->running;

		try {
			j->f();
		} catch (const std::exception &e) {
			/* Waiting is allowed in here, too. */
			goru_yield();
			std::printf("a goroutine failed: %s\n", e.what());
		}
		j.reset();
		goru_waitgroup_done(&running);
	}

	goru_waitgroup running = GORU_WAITGROUP_INIT;
};

int main()
{
	ints_ptr numbers(ints_make(0));
	int sum = 0;
	{
		group workers;

		workers.start([c = numbers.get()] {
			for (int n = 1; n <= 100; n++)
				ints_send(c, n);
			ints_close(c);
		});
		workers.start([c = numbers.get(), &sum] {
			for (int n; ints_recv(c, &n) > 0;)
				sum += n;
		});
		workers.start([] { throw std::runtime_error("thrown in one, caught in it"); });
	}
	std::printf("the sum is %d\n", sum);
	return 0;
}

/* Output:
 * a goroutine failed: thrown in one, caught in it
 * the sum is 5050
 */
