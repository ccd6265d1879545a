/* SPDX-License-Identifier: GPL-2.0-only */
/* One simulation: everything that a seed makes. */
#ifndef _PSYNC_SIM_SIM_H
#define _PSYNC_SIM_SIM_H

#include <stdio.h>

#include <linux/types.h>

#include "fault.h"
#include "heap.h"
#include "history.h"
#include "net.h"
#include "prng.h"

#include "../../net/psync/core/drop.h"

#define PSYNC_USEC	1000ULL
#define PSYNC_MSEC	(1000 * PSYNC_USEC)
#define PSYNC_SEC	(1000 * PSYNC_MSEC)

/*
 * X(name, how it adds up, how soon it must not be zero, what it is).  A zero
 * means that a run has not tested what it should: OFTEN from a few seeds on,
 * RARE in long runs with many sites.
 */
#define PSYNC_STATS(X)							\
	X(messages, ADD, OFTEN, "messages")				\
	X(deliveries, ADD, OFTEN, "deliveries")				\
	X(nulls, ADD, OFTEN, "null messages")				\
	X(ends, ADD, OFTEN, "ENDs")					\
	X(packets, ADD, OFTEN, "packets")				\
	X(held, ADD, OFTEN, "held for their context")			\
	X(reordered, ADD, OFTEN, "reordered packets")			\
	X(copies, ADD, OFTEN, "packets duplicated")			\
	X(duplicates, ADD, OFTEN, "duplicates dropped")			\
	X(depth, MAX, OFTEN, "greatest depth")				\
	X(width, MAX, OFTEN, "greatest width")				\
	X(openings, ADD, OFTEN, "openings")				\
	X(reopenings, ADD, RARE, "reopenings")				\
	X(late, ADD, RARE, "late openings")				\
	X(gaps, ADD, RARE, "openings after a gap")			\
	X(losses, ADD, RARE, "participants told of a gap")		\
	X(repeats, ADD, RARE, "messages sent again by programs")		\
	X(backs, ADD, RARE, "participants told who is back")		\
	X(restarts, ADD, RARE, "openings that need a restart")		\
	X(excluded, ADD, RARE, "participants that came back refused")	\
	X(reboots, ADD, RARE, "sites restarted")			\
	X(embryos, ADD, RARE, "embryos")				\
	X(early, ADD, RARE, "early packets")				\
	X(hellos, ADD, RARE, "packets of confirmation")			\
	X(over, ADD, RARE, "of them: it is closed here")		\
	X(fragments, ADD, OFTEN, "fragments")				\
	X(again, ADD, RARE, "of them, sent again")			\
	X(wholes, ADD, OFTEN, "packets put together")			\
	X(parked, ADD, RARE, "parked for their incarnation")		\
	X(stale, ADD, RARE, "of earlier openings, dropped")		\
	X(closed, ADD, RARE, "for closed ones, dropped")		\
	X(deaf, ADD, RARE, "not listened to, dropped")			\
	X(refused, ADD, RARE, "refused packets")			\
	X(stamps, ADD, RARE, "packets with a stamp")			\
	X(freed, ADD, RARE, "answers: freed")				\
	X(masked, ADD, RARE, "participants masked out")			\
	X(unmasked, ADD, RARE, "... and in again")			\
	X(agreed, ADD, RARE, "... out by all who remain")		\
	X(expelled, ADD, RARE, "... and told so, who then sends no more")		\
	X(lost, ADD, RARE, "told that messages are lost")		\
	X(voided, ADD, RARE, "messages beyond a cut that others follow") \
	X(stable, ADD, RARE, "answers: stable")				\
	X(frees, ADD, RARE, "freed on request")				\
	X(awaited, ADD, RARE, "became stable as awaited")		\
	X(blocked, ADD, RARE, "sends refused for now")			\
	X(named, ADD, RARE, "slow members named")			\
	X(suspects, ADD, RARE, "sites suspect, as they are silent")	\
	X(skipped, ADD, RARE, "slow members skipped")			\
	X(shut, ADD, RARE, "slow members masked out")			\
	X(forgone, ADD, RARE, "losses of who was skipped")		\
	X(cuts, ADD, RARE, "windows made smaller")			\
	X(damaged, ADD, RARE, "damaged packets dropped")		\
	X(farthest, MAX, OFTEN, "packets overtaken by, at most")	\
	X(rest, MAX, OFTEN, "greatest time to rest in ms")

/**
 * struct psync_stats - figures
 * @seeds: runs
 * @drops: packets dropped, by reason
 * @hits: how often each kind of fault happened
 * @struck: in how many runs
 */
struct psync_stats {
#define X(name, how, often, text) u64 name;
	PSYNC_STATS(X)
#undef X
	u64 seeds;
	u64 drops[PSYNC_DROP_MAX];
	u64 hits[PSYNC_FAULT_MAX];
	u64 struck[PSYNC_FAULT_MAX];
};

struct psync_site;
struct psync_conv;

/**
 * struct psync_sim - a simulation
 * @seed: where all of it comes from
 * @only: kinds of faults that may happen, a bit each
 * @most: messages of the main conversation at most, 0: as drawn
 * @large: bodies of so many bytes at most, 0: as conversations are
 * @now: virtual time in ns
 * @trace: where the schedule is printed, or NULL
 * @heap: what happens next
 * @rng: for the shape and the participants
 * @net: network
 * @fault: what goes wrong
 * @nsites: sites
 * @sites: they
 * @nconvs: conversations
 * @convs: they
 * @hist: what the checker will read
 * @stats: counted so far
 * @blocks: allocations of the core not yet freed
 * @bytes: their sizes
 * @bodies: message bodies alive
 * @invariant: first one violated, or NULL
 * @text: how
 * @unfair: a reason to drop a packet that the network cannot have given
 */
struct psync_sim {
	u64 seed;
	u32 only;
	u32 most;
	u32 large;
	u64 now;
	FILE *trace;
	struct psync_heap heap;
	struct psync_prng rng;
	struct psync_net net;
	struct psync_faults fault;
	u32 nsites;
	struct psync_site *sites;
	u32 nconvs;
	struct psync_conv *convs;
	struct psync_hist *hist;
	struct psync_stats *stats;
	u64 blocks;
	u64 bytes;
	u64 bodies;
	const char *invariant;
	char text[240];
	const char *unfair;
};

/**
 * psync_sim_run - run one seed
 * @sim: seed, only, most, trace, hist and stats set, zero otherwise
 * @max_sites: at most so many sites
 *
 * Return: true when nothing was found; else @sim says what.
 */
bool psync_sim_run(struct psync_sim *sim, u32 max_sites);

/* The first violation is kept. */
__attribute__((format(printf, 3, 4)))
void psync_sim_fail(struct psync_sim *sim, const char *invariant,
		    const char *fmt, ...);

/* Print a line of the schedule, when it is wanted. */
__attribute__((format(printf, 2, 3)))
void psync_sim_trace(struct psync_sim *sim, const char *fmt, ...);

/* Like calloc(), but does not return without memory. */
void *psync_sim_alloc(size_t n, size_t size);

#endif /* _PSYNC_SIM_SIM_H */
