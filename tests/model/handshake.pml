/* handshake.pml - taking a P without a signal (PROTOCOL handshake in src/rt/self.h), on a machine with store buffers. */
/* SPDX-License-Identifier: MIT */
/*
 * One M enters and leaves; the monitor takes its P, works with it and gives it back. crit counts who works with the P.
 * Left out, each of these breaks it, and run.sh expects that:
 *   NO_BARRIER  neither membarrier nor fence        NO_LOOK  the monitor does not look at in_rt
 *   REREAD      the M reads m.p again inside, instead of m.held, and takes NULL for "none"
 * FENCE is the fallback: the M's own fence instead of the monitor's membarrier.
 */
byte in_rt = 0, p = 1, crit = 0;
bool lock = false;
bool pending = false; /* the M's store buffer: one store to in_rt */
byte value = 0;

inline flush()
{
	if
	:: pending -> in_rt = value; pending = false
	:: else -> skip
	fi
}

/* An older store goes out first. */
inline store_in_rt(v) { atomic { flush(); value = v; pending = true } }

active proctype Buffer()
{
end:	do
	:: atomic { pending -> flush() }
	od
}

active proctype M()
{
	byte n = 0, held;

	do
	:: n < 3 ->
		n++;
		store_in_rt(1);
#ifdef FENCE
		atomic { flush() };
#endif
		held = p;
		if
		:: held == 0 ->
			if
			:: skip /* a call that cannot wait does without */
			:: atomic { !lock -> lock = true; flush() }; /* one that may wait asks under the lock */
			   assert(p == 1);
			   held = p;
			   lock = false
			fi
		:: else -> skip
		fi;
		if
		:: held == 1 ->
			crit++;
			assert(crit == 1);
#ifdef REREAD
			assert(p == 1); /* it would go idle, or on, without its P */
#endif
			crit--
		:: else -> skip
		fi;
		store_in_rt(0)
	:: else -> break
	od
}

active proctype Monitor()
{
	byte n = 0, inside;

	do
	:: n < 2 ->
		n++;
		atomic { !lock -> lock = true };
		p = 0;
#ifndef FENCE
#ifndef NO_BARRIER
		atomic { flush() }; /* membarrier: a fence on the M */
#endif
#endif
		inside = in_rt;
#ifdef NO_LOOK
		inside = 0;
#endif
		if
		:: inside == 1 -> skip
		:: else -> crit++; assert(crit == 1); crit--
		fi;
		p = 1;
		lock = false
	:: else -> break
	od
}
