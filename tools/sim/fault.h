/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes wrong in a run, until it is healed. */
#ifndef _PSYNC_SIM_FAULT_H
#define _PSYNC_SIM_FAULT_H

#include <linux/types.h>

#include "prng.h"

struct psync_sim;

/* X(name, what it is) */
#define PSYNC_FAULTS(X)							\
	X(LOSS,		"loss, each packet for itself")			\
	X(BURST,	"loss in bursts")				\
	X(EDGE,		"loss of a train's first or last")		\
	X(LAME,		"loss on some links, one way")			\
	X(COPY,		"duplication")					\
	X(REORDER,	"held back behind 1 to 100 others")		\
	X(DELAY,	"delays up to seconds")				\
	X(FLIP,		"bits flipped")					\
	X(TRUNCATE,	"truncation")					\
	X(PARTITION,	"partition")					\
	X(HALF,		"partition, one way")				\
	X(FLAP,		"partition that comes and goes")		\
	X(FREEZE,	"site frozen and thawed")			\
	X(SLOW,		"slow reader")					\
	X(STOP,		"stopped reader")				\
	X(WRAP,		"sequence numbers near the wrap")		\
	X(LIMIT,	"limits at their minimum")			\
	X(MEMORY,	"allocation failed")				\
	X(CRASH,	"site crashed")					\
	X(MARK,		"congestion marks")				\
	X(RESTART,	"site crashed and restarted")			\
	X(REJOIN,	"process killed and restarted")			\
	X(LEAVES,	"restarted from a checkpoint's leaves")		\
	X(NOTHING,	"restarted from nothing")			\
	X(REDO,		"restarted to run again")			\
	X(UNHEARD,	"absent sites hold nothing back")

enum psync_fault {
#define X(name, text) PSYNC_FAULT_##name,
	PSYNC_FAULTS(X)
#undef X
	PSYNC_FAULT_MAX
};

#define PSYNC_FAULT_ALL		((1U << PSYNC_FAULT_MAX) - 1)
/* Those in which participants come back (P 5); how, is drawn each time. */
#define PSYNC_FAULT_RESTARTING						\
	(1U << PSYNC_FAULT_RESTART | 1U << PSYNC_FAULT_REJOIN)
/* Those that keep packets from arriving. */
#define PSYNC_FAULT_LOSING						\
	(1U << PSYNC_FAULT_LOSS | 1U << PSYNC_FAULT_BURST |		\
	 1U << PSYNC_FAULT_EDGE | 1U << PSYNC_FAULT_LAME |		\
	 1U << PSYNC_FAULT_FLIP | 1U << PSYNC_FAULT_TRUNCATE |		\
	 1U << PSYNC_FAULT_PARTITION | 1U << PSYNC_FAULT_HALF |		\
	 1U << PSYNC_FAULT_FLAP | 1U << PSYNC_FAULT_LIMIT |		\
	 1U << PSYNC_FAULT_MEMORY | 1U << PSYNC_FAULT_CRASH |		\
	 PSYNC_FAULT_RESTARTING)
/* Those that make it late or early by more than the network is. */
#define PSYNC_FAULT_DELAYING						\
	(PSYNC_FAULT_LOSING | 1U << PSYNC_FAULT_REORDER |		\
	 1U << PSYNC_FAULT_DELAY | 1U << PSYNC_FAULT_FREEZE)

/**
 * struct psync_faults - faults of a run
 * @mask: kinds that this run has, a bit each
 * @only: kinds that it may have
 * @on: they happen now; else all is healed
 * @phase: how often they began, which tells old timers from new ones
 * @healed: when they last ended
 * @span: about how long the messages of a run take without them
 * @until: they end so long after they began at the latest
 * @tail: and so long after all was sent
 * @spent: all was sent
 * @side: of the partitions: by site, a bit per kind of fault
 * @cut: which partitions are there now, likewise
 * @memory: permille of allocations that fail
 * @nth: else the one that fails, 0: none; counts down
 * @crashes: sites that crash
 * @hits: how often each happened
 */
struct psync_faults {
	u32 mask;
	u32 only;
	bool on;
	u32 phase;
	u64 healed;
	u64 span;
	u64 until;
	u64 tail;
	bool spent;
	u32 *side;
	u32 cut;
	u32 memory;
	u32 nth;
	u32 crashes;
	u64 hits[PSYNC_FAULT_MAX];
};

extern const char * const psync_fault_names[PSYNC_FAULT_MAX];

/* When sites, network, conversations are drawn: what will go wrong? */
void psync_fault_draw(struct psync_sim *sim, u32 only);
void psync_fault_free(struct psync_sim *sim);

/* The numbers that one kind of fault draws from. */
void psync_fault_rng(const struct psync_sim *sim, u32 kind,
		     struct psync_prng *rng);

/* @run is called after @wait with an argument for psync_fault_over(). */
void psync_fault_push(struct psync_sim *sim, u64 wait,
		      void (*run)(void *ctx, uint64_t arg), u32 number);

/* What goes wrong no longer does; else the number is the low half of @arg. */
bool psync_fault_over(const struct psync_faults *faults, u64 arg);

/* A session begins: from now on it may go wrong. */
void psync_fault_begin(struct psync_sim *sim);

/* All was sent: what is left are the losses at the end. */
void psync_fault_spent(struct psync_sim *sim);

/* Is the way from one site to the other cut?  Counts it. */
bool psync_fault_cut(struct psync_sim *sim, u32 from, u32 to);

/* A message was sent: counts when its number's low half begins again. */
void psync_fault_numbered(struct psync_sim *sim, u64 seq);

/* Does this allocation fail? */
bool psync_fault_memory(struct psync_sim *sim);

static inline bool psync_fault_has(const struct psync_faults *faults,
				   enum psync_fault kind)
{
	return faults->mask >> kind & 1;
}

/* It is drawn, and it may happen now. */
static inline bool psync_fault_now(const struct psync_faults *faults,
				   enum psync_fault kind)
{
	return faults->on && psync_fault_has(faults, kind);
}

static inline void psync_fault_hit(struct psync_faults *faults,
				   enum psync_fault kind)
{
	faults->hits[kind]++;
}

#endif /* _PSYNC_SIM_FAULT_H */
