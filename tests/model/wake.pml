/* wake.pml - the wake rule (PROTOCOL wake in src/rt/idle.c): no work stays behind while workers sleep. */
/* SPDX-License-Identifier: MIT */
/*
 * NW workers with as many Ps; one submitter without a P, and goroutines that submit more while they run. q is all that
 * thieves can see; a store of the submitter may sit in its CPU's store buffer (qb), as may the stores an M makes under
 * rt.lock: they and the unlock come out in order, so an M that looks before its fence looks as if it had not unlocked yet.
 * Each of these, left out, loses work or sleeps for ever, and run.sh expects that:
 *   NO_SUBMIT_FENCE  the submitter's fence          NO_IDLE_FENCE  the fence of one who goes idle
 *   NO_IDLE_LOOK     his look at the queues after   SPINNERS_LOOK  only those who were spinning look
 *   NO_SPIN_END      the look of one who stops to spin because he found something
 * The first goroutine to run computes until all others are done: one worker alone would never get there.
 */
#ifndef NW
#define NW 2
#endif
#ifndef NT
#define NT 3 /* submitted from outside */
#endif
#ifndef NI
#define NI 2 /* submitted by goroutines that run */
#endif

byte q = 0, qb = 0, more = NI, done = 0;
byte npidle = 0, nmidle = 0, nmspinning = 0;
bool hog = false;
bool isidle[NW], sem[NW], given[NW];

inline drain() { q = q + qb; qb = 0 }

/* CAS, then the section under the lock, which may come much later. */
inline wake_one()
{
	if
	:: atomic { nmspinning == 0 -> nmspinning = 1 };
	   atomic {
		if
		:: npidle == 0 -> nmspinning-- /* all are busy; who goes idle looks */
		:: npidle > 0 ->
			assert(nmidle > 0); /* as many Ms as Ps: an idle P has an idle M */
			npidle--; nmidle--;
			if
			:: isidle[0] -> isidle[0] = false; sem[0] = true
			:: isidle[1] -> isidle[1] = false; sem[1] = true
			:: isidle[NW - 1] -> isidle[NW - 1] = false; sem[NW - 1] = true
			fi
		fi
	   }
	:: nmspinning > 0 -> skip
	fi
}

/* Two reads, at two moments. */
inline wake_if_idle()
{
	if
	:: npidle > 0 ->
		if
		:: nmspinning == 0 -> wake_one()
		:: else -> skip
		fi
	:: else -> skip
	fi
}

inline look_and_wake()
{
	if
	:: npidle > 0 && q > 0 -> wake_one()
	:: else -> skip
	fi
}

active proctype Buffer()
{
end:	do
	:: atomic { qb > 0 -> drain() }
	od
}

active proctype Submit()
{
	byte i = 0;

	do
	:: i < NT ->
		i++;
		atomic { qb++ };
#ifndef NO_SUBMIT_FENCE
		atomic { drain() };
#endif
		wake_if_idle()
	:: else -> break
	od
}

active [NW] proctype M()
{
	byte id = _pid - 2;
	bool spinning = false, spun, saw, got;

again:	got = false;
	atomic { if :: q > 0 -> q--; got = true :: else -> skip fi };
	if
	:: got ->
		if
		:: spinning ->
			spinning = false;
			atomic { nmspinning-- };
#ifndef NO_SPIN_END
			look_and_wake()
#endif
		:: else -> skip
		fi;
		if
		:: atomic { !hog -> hog = true }; done + 1 == NT + NI - more && q + qb == 0
		:: hog -> skip
		fi;
		done++;
		if
		:: atomic { more > 0 -> more--; q++ }; /* its ring; an M's own fence is a locked instruction */
		   wake_if_idle()
		:: more == 0 -> skip
		fi;
		goto again
	:: !got && !spinning ->
		if
		:: atomic { nmspinning == 0 -> nmspinning++ }; spinning = true; goto again
		:: nmspinning > 0 -> skip
		fi
	:: !got && spinning -> skip
	fi;

	/* grt_idle */
	saw = false;
#ifdef NO_IDLE_FENCE
	saw = q > 0; /* looked before the stores under the lock came out */
#endif
	atomic {
		npidle++; nmidle++; isidle[id] = true; spun = spinning; spinning = false
	};
	if
	:: spun -> atomic { nmspinning-- } /* a locked instruction: the stores are out */
	:: else -> skip
	fi;
#ifndef NO_IDLE_LOOK
#ifdef NO_IDLE_FENCE
	if
	:: !spun && saw -> wake_one()
	:: !spun && !saw -> skip
	:: spun -> look_and_wake()
	fi;
#else
#ifdef SPINNERS_LOOK
	if
	:: spun -> look_and_wake()
	:: else -> skip
	fi;
#else
	look_and_wake();
#endif
#endif
#endif
endsleep:
	sem[id];
	sem[id] = false;
	spinning = true; /* whoever woke us counted us */
	goto again
}

active proctype Judge()
{
	timeout -> assert(q + qb == 0 && done == NT + NI - more)
}
