/* handshake.pml - taking a P without a signal (PROTOCOL handshake in src/rt/self.h), on a machine with store buffers. */
/* SPDX-License-Identifier: MIT */
/*
 * One M enters and leaves; the monitor takes its P, works with it and gives it back, or passes it on to a second M, which
 * puts it on the idle list when it has nothing more to run. The first M's goroutine comes back by a call that waits: with
 * the P given back, with the idle one, or queued until the second M runs it (which is drawn here as the P coming over).
 * crit counts who works with the P; a goroutine that waits for ever is an invalid end. Left out, each of these breaks it,
 * and run.sh expects that:
 *   NO_BARRIER  neither membarrier nor fence        NO_LOOK  the monitor does not look at in_rt
 *   REREAD      the M reads m.p again inside, instead of m.held, and takes NULL for "none"
 *   P_STAYS     who passes the P on leaves it to the first M too
 *   NO_QUEUE_LOOK  who queues for a P does not look whether one went idle meanwhile
 *   NO_IDLE_LOOK   who goes idle does not look at the queue again
 *   IDLE_UNLOCKED  an idle P is taken without the lock
 * FENCE is the fallback: the M's own fence instead of the monitor's membarrier.
 */
byte in_rt = 0, p = 1, crit = 0;
bool idle = false, given = false, queued = false, resumed = false;
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

/* Wakes the second M with the idle P, if there still is one. */
inline wake()
{
	atomic { !lock -> lock = true };
	if
	:: idle -> idle = false; given = true
	:: else -> skip
	fi;
	lock = false
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
#ifndef IDLE_UNLOCKED
			:: atomic { !lock -> lock = true; flush() }; /* one that may wait asks under the lock */
#else
			:: atomic { !lock -> flush() };
#endif
			   if
			   :: p == 1 -> skip
			   :: p == 0 && idle -> idle = false; p = 1
			   :: p == 0 && !idle -> skip
			   fi;
			   held = p;
			   lock = false;
			   if
			   :: held == 0 ->
				queued = true;
#ifndef NO_QUEUE_LOOK
				if
				:: idle -> wake()
				:: else -> skip
				fi;
#endif
				resumed;
				resumed = false;
				held = 1
			   :: else -> skip
			   fi
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
		if
		:: p == 0 -> goto out /* it is elsewhere */
		:: else -> skip
		fi;
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
		:: inside == 1 -> p = 1
		:: else ->
			crit++; assert(crit == 1); crit--;
			if
			:: p = 1
			:: given = true
#ifdef P_STAYS
			   ; p = 1
#endif
			fi
		fi;
out:		lock = false
	:: else -> break
	od
}

active proctype M2()
{
end:	given;
	given = false;
	crit++;
	assert(crit == 1);
	crit--;
	if
	:: queued ->
		atomic { !lock -> lock = true };
		queued = false;
		p = 1;
		resumed = true;
		lock = false;
		goto end
	:: else -> skip
	fi;
	atomic { !lock -> lock = true };
	idle = true;
	lock = false;
#ifndef NO_IDLE_LOOK
	if
	:: queued -> wake()
	:: else -> skip
	fi;
#endif
	goto end
}
