// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes wrong in a run.
 *
 * Each kind of fault draws from a stream of its own, so that leaving one out
 * changes none of the others: that is how a failing run is made smaller.  They
 * begin with a session and end together (psync_fault_heal()): after that the
 * network loses nothing, is whole, everybody runs and reads, and the
 * conversation has to come to rest within a bound.
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "fault.h"
#include "restart.h"
#include "site.h"
#include "work.h"

const char * const psync_fault_names[PSYNC_FAULT_MAX] = {
#define X(name, text) text,
	PSYNC_FAULTS(X)
#undef X
};

/* Streams 1 and 2 are the run's and the network's. */
#define PSYNC_FAULT_STREAM	16
/* Partitions, freezes and crashes in one session, at most. */
#define PSYNC_FAULT_EVENTS	3

/* Messages of a conversation with limits at their minimum, at most. */
#define PSYNC_FAULT_FEW		60
#define PSYNC_FAULT_RATE	100
/* Sites whose questions do not crowd out their messages. */
#define PSYNC_FAULT_SITES	8

void psync_fault_rng(const struct psync_sim *sim, u32 kind,
		     struct psync_prng *rng)
{
	psync_prng_seed(rng, sim->seed, PSYNC_FAULT_STREAM + kind);
}

/* One in five runs is calm; the others have about four kinds. */
static u32 psync_fault_mask(const struct psync_sim *sim)
{
	struct psync_prng rng;
	bool calm;
	u32 i, mask = 0;

	psync_fault_rng(sim, PSYNC_FAULT_MAX, &rng);
	calm = psync_prng_chance(&rng, 200);
	for (i = 0; i < PSYNC_FAULT_MAX; i++)
		if (psync_prng_chance(&rng, 220) && !calm)
			mask |= 1U << i;
	return mask;
}

/* Those the network makes by itself. */
static void psync_fault_draw_net(struct psync_sim *sim)
{
	struct psync_net_shape *shape = &sim->net.shape;
	struct psync_prng rng;

	psync_fault_rng(sim, PSYNC_FAULT_LOSS, &rng);
	shape->loss = psync_prng_chance(&rng, 500) ?
		      psync_prng_range(&rng, 1, 50) :
		      psync_prng_range(&rng, 50, 500);
	psync_fault_rng(sim, PSYNC_FAULT_BURST, &rng);
	shape->burst_in = psync_prng_range(&rng, 2, 50);
	shape->burst_out = psync_prng_range(&rng, 20, 300);
	shape->burst_loss = psync_prng_range(&rng, 500, 1000);
	psync_fault_rng(sim, PSYNC_FAULT_EDGE, &rng);
	shape->edge_first = psync_prng_chance(&rng, 500);
	shape->edge = psync_prng_range(&rng, 50, 700);
	shape->gap = psync_prng_range(&rng, 1, 20) * shape->base / 4;
	psync_fault_rng(sim, PSYNC_FAULT_LAME, &rng);
	shape->lame = psync_prng_range(&rng, 30, 300);
	shape->lame_loss = psync_prng_chance(&rng, 300) ? 1000 :
			   psync_prng_range(&rng, 50, 950);
	psync_fault_rng(sim, PSYNC_FAULT_REORDER, &rng);
	shape->hold = psync_prng_range(&rng, 10, 300);
	shape->hold_most = psync_prng_range(&rng, 1, 100);
	psync_fault_rng(sim, PSYNC_FAULT_DELAY, &rng);
	shape->slow = psync_prng_range(&rng, 1, 50);
	shape->slow_delay = psync_prng_range(&rng, 50, 5000) * PSYNC_MSEC;
	psync_fault_rng(sim, PSYNC_FAULT_FLIP, &rng);
	shape->flip = psync_prng_range(&rng, 5, 100);
	psync_fault_rng(sim, PSYNC_FAULT_TRUNCATE, &rng);
	shape->truncate = psync_prng_range(&rng, 5, 100);
	psync_fault_rng(sim, PSYNC_FAULT_MARK, &rng);
	shape->mark = psync_prng_range(&rng, 5, 200);
	psync_fault_rng(sim, PSYNC_FAULT_COPY, &rng);
	if (psync_fault_has(&sim->fault, PSYNC_FAULT_COPY))
		shape->dup = psync_prng_range(&rng, 20, 400);
}

/*
 * After so long each site asks each other one again.  From a few sites on it is
 * what all these questions take that makes a shorter wait useless.
 */
static u64 psync_fault_rto(struct psync_sim *sim)
{
	u64 rto = 10 * PSYNC_MSEC + psync_net_round_trip(&sim->net);

	if (sim->nsites <= PSYNC_FAULT_SITES)
		return rto;
	return rto * sim->nsites * sim->nsites /
	       (PSYNC_FAULT_SITES * PSYNC_FAULT_SITES);
}

/*
 * Each of the limits for itself at its minimum, or all of them.  Waits that
 * are shorter than packets take only make more packets, so these are as short
 * as is of use, and many sites do not have all of them at once.
 */
static void psync_fault_draw_limits(struct psync_conv *conv,
				    struct psync_prng *rng)
{
	struct psync_limits *limits = &conv->limits;
	bool many = conv->sim->nsites > PSYNC_FAULT_SITES;
	u32 often = psync_prng_chance(rng, 100) && !many ? 1000 : 200;
	u32 few = PSYNC_FAULT_FEW;

	if (psync_prng_chance(rng, often)) {
		limits->max_nodes = 1;
		conv->exact = false;
	}
	if (psync_prng_chance(rng, often))
		limits->max_held = 1;
	if (psync_prng_chance(rng, often))
		limits->max_early = 1;
	if (psync_prng_chance(rng, often))
		limits->max_bytes = 1;
	if (psync_prng_chance(rng, often))
		limits->max_pending = 1;
	if (psync_prng_chance(rng, often))
		limits->hello_ns = PSYNC_MSEC +
			psync_net_round_trip(&conv->sim->net);
	if (psync_prng_chance(rng, often))
		limits->hello_tries = 1;
	if (psync_prng_chance(rng, often))
		limits->ack_ns = 1;
	if (psync_prng_chance(rng, often))
		limits->null_ns = 1;
	if (psync_prng_chance(rng, often))
		limits->rto_ns = PSYNC_MSEC;
	if (psync_prng_chance(rng, often))
		limits->rto_min_ns = PSYNC_MSEC / 10;
	if (psync_prng_chance(rng, often))
		limits->rto_max_ns = psync_fault_rto(conv->sim);
	if (psync_prng_chance(rng, often))
		limits->repair_rate = PSYNC_FAULT_RATE;
	if (psync_prng_chance(rng, often)) {
		limits->linger_ns = 1;
		conv->brief = true;
	}
	if (psync_prng_chance(rng, often))
		limits->max_msgs = 1;
	if (psync_prng_chance(rng, often))
		limits->first_msgs = 1;
	if (psync_prng_chance(rng, often))
		limits->first_bytes = 1;
	/* What is repaired at such rates must not be much, for all of them. */
	if (many)
		few = few * PSYNC_FAULT_SITES / conv->sim->nsites;
	if (conv->budget > few)
		conv->budget = few;
}

/* The low 32 bits overflow after a hundred messages at most. */
static void psync_fault_draw_wrap(struct psync_conv *conv, u32 only)
{
	u32 left = -(u32)conv->seq_base;

	if (left <= 100 && !(only >> PSYNC_FAULT_WRAP & 1))
		conv->seq_base = 0;
}

void psync_fault_numbered(struct psync_sim *sim, u64 seq)
{
	if (!(u32)seq)
		psync_fault_hit(&sim->fault, PSYNC_FAULT_WRAP);
}

/* About a third of the participants read slowly, or stop. */
static void psync_fault_draw_readers(struct psync_conv *conv)
{
	const struct psync_faults *faults = &conv->sim->fault;
	struct psync_agent *agent;
	struct psync_prng slow, stop;
	u32 i;

	psync_fault_rng(conv->sim, PSYNC_FAULT_SLOW, &slow);
	psync_fault_rng(conv->sim, PSYNC_FAULT_STOP, &stop);
	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		agent->slow = psync_prng_chance(&slow, 300) ?
			      psync_prng_range(&slow, 10, 300) : 0;
		if (!psync_fault_has(faults, PSYNC_FAULT_SLOW))
			agent->slow = 0;
		agent->stops = psync_prng_chance(&stop, 300) ?
			       psync_prng_range(&stop, 1, 100) : 0;
		if (!psync_fault_has(faults, PSYNC_FAULT_STOP))
			agent->stops = 0;
	}
}

/* Who is not heard soon holds nothing back, and lacks it when it comes. */
static void psync_fault_draw_unheard(struct psync_sim *sim)
{
	struct psync_conv *conv = &sim->convs[0];
	struct psync_prng rng;

	psync_fault_rng(sim, PSYNC_FAULT_UNHEARD, &rng);
	if (!psync_fault_has(&sim->fault, PSYNC_FAULT_UNHEARD))
		return;
	conv->limits.absent_ns = psync_prng_range(&rng, 1, 1000) * PSYNC_MSEC;
	conv->loses = true;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_UNHEARD);
}

void psync_fault_draw(struct psync_sim *sim, u32 only)
{
	struct psync_faults *faults = &sim->fault;
	struct psync_limits before;
	struct psync_conv *conv;
	struct psync_prng rng;
	u32 i;

	faults->only = only;
	faults->mask = psync_fault_mask(sim) & only;
	if (sim->convs[0].sessions > 1)
		faults->mask &= ~(1U << PSYNC_FAULT_CRASH |
				  1U << PSYNC_FAULT_UNHEARD);
	psync_restart_draw(sim);
	psync_fault_draw_net(sim);
	psync_fault_rng(sim, PSYNC_FAULT_LIMIT, &rng);
	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		psync_fault_draw_readers(conv);
		psync_fault_draw_wrap(conv, only);
		if (!psync_fault_has(faults, PSYNC_FAULT_LIMIT))
			continue;
		before = conv->limits;
		psync_fault_draw_limits(conv, &rng);
		if (memcmp(&before, &conv->limits, sizeof(before)))
			psync_fault_hit(faults, PSYNC_FAULT_LIMIT);
	}
	psync_fault_draw_unheard(sim);
	psync_restart_draw_history(sim);
	psync_fault_rng(sim, PSYNC_FAULT_MEMORY, &rng);
	if (psync_prng_chance(&rng, 700))
		faults->memory = psync_prng_range(&rng, 1, 60);
	else
		faults->nth = psync_prng_exp(&rng, 300);
	psync_fault_rng(sim, PSYNC_FAULT_CRASH, &rng);
	faults->crashes = psync_prng_chance(&rng, 700) ? 1 :
			  psync_prng_range(&rng, 1, sim->nsites - 1);
	psync_fault_rng(sim, PSYNC_FAULT_MAX + 1, &rng);
	faults->until = psync_prng_range(&rng, 2, 15) * PSYNC_SEC;
	faults->tail = psync_prng_exp(&rng, psync_prng_chance(&rng, 700) ?
				      20 * sim->net.shape.base : PSYNC_SEC);
	faults->side = psync_sim_alloc(sim->nsites, sizeof(*faults->side));
}

void psync_fault_free(struct psync_sim *sim)
{
	free(sim->fault.side);
	sim->fault.side = NULL;
}

bool psync_fault_memory(struct psync_sim *sim)
{
	struct psync_faults *faults = &sim->fault;
	bool fails;

	if (!psync_fault_now(faults, PSYNC_FAULT_MEMORY))
		return false;
	if (faults->nth)
		fails = !--faults->nth;
	else
		fails = psync_prng_chance(&sim->net.rng, faults->memory);
	if (fails)
		psync_fault_hit(faults, PSYNC_FAULT_MEMORY);
	return fails;
}

bool psync_fault_cut(struct psync_sim *sim, u32 from, u32 to)
{
	struct psync_faults *faults = &sim->fault;
	u32 a, b, cut, i;

	if (!faults->on || !faults->cut)
		return false;
	a = faults->side[from];
	b = faults->side[to];
	/* one way: from the first side to the second nothing comes through */
	cut = (a ^ b) & ~(a & 1U << PSYNC_FAULT_HALF) & faults->cut;
	for (i = 0; i < PSYNC_FAULT_MAX; i++)
		if (cut >> i & 1)
			psync_fault_hit(faults, i);
	return cut;
}

/* Timers carry the phase they belong to, and a number. */
static u64 psync_fault_arg(const struct psync_faults *faults, u32 number)
{
	return (u64)faults->phase << 32 | number;
}

bool psync_fault_over(const struct psync_faults *faults, u64 arg)
{
	return !faults->on || arg >> 32 != faults->phase;
}

static void psync_fault_heal(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;
	struct psync_faults *faults = &sim->fault;
	u32 i;

	if (psync_fault_over(faults, arg))
		return;
	psync_sim_trace(sim, "healed");
	faults->on = false;
	faults->cut = 0;
	faults->healed = sim->now;
	for (i = 0; i < sim->nsites; i++)
		psync_site_thaw(&sim->sites[i]);
	psync_work_healed(sim);
}

/* A partition begins or ends; one that flaps does so all the time. */
static void psync_fault_toggle(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;
	struct psync_faults *faults = &sim->fault;
	u32 kind = (u32)arg;
	u64 wait;

	if (psync_fault_over(faults, arg))
		return;
	faults->cut ^= 1U << kind;
	psync_sim_trace(sim, "%s %s", psync_fault_names[kind],
			faults->cut >> kind & 1 ? "begins" : "ends");
	if (kind != PSYNC_FAULT_FLAP)
		return;
	wait = sim->net.shape.base +
	       psync_prng_below(&sim->net.rng, faults->span / 4);
	psync_heap_push(&sim->heap, sim->now + wait, psync_fault_toggle, sim,
			arg);
}

static void psync_fault_freeze(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;

	if (psync_fault_over(&sim->fault, arg))
		return;
	psync_site_freeze(&sim->sites[(u32)arg]);
}

static void psync_fault_thaw(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;

	if (psync_fault_over(&sim->fault, arg))
		return;
	psync_site_thaw(&sim->sites[(u32)arg]);
}

static void psync_fault_crash(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;

	if (psync_fault_over(&sim->fault, arg))
		return;
	psync_site_crash(&sim->sites[(u32)arg]);
}

void psync_fault_push(struct psync_sim *sim, u64 wait,
		      void (*run)(void *ctx, uint64_t arg), u32 number)
{
	psync_heap_push(&sim->heap, sim->now + wait, run, sim,
			psync_fault_arg(&sim->fault, number));
}

/* Mostly a part of the time that all takes, now and then seconds. */
static u64 psync_fault_time(struct psync_sim *sim, struct psync_prng *rng)
{
	const struct psync_faults *faults = &sim->fault;

	if (psync_prng_chance(rng, 250))
		return psync_prng_below(rng, faults->until);
	return sim->net.shape.base + psync_prng_below(rng, faults->span);
}

static void psync_fault_partition(struct psync_sim *sim, u32 kind)
{
	struct psync_faults *faults = &sim->fault;
	struct psync_prng rng;
	u32 i, other = 0;
	u64 at;

	psync_fault_rng(sim, kind, &rng);
	for (i = 0; i < sim->nsites; i++) {
		faults->side[i] &= ~(1U << kind);
		if (!psync_prng_chance(&rng, 500))
			continue;
		faults->side[i] |= 1U << kind;
		other++;
	}
	if (!other || other == sim->nsites)
		faults->side[psync_prng_below(&rng, sim->nsites)] ^= 1U << kind;
	at = psync_prng_below(&rng, faults->span);
	psync_fault_push(sim, at, psync_fault_toggle, kind);
	if (kind == PSYNC_FAULT_FLAP)
		return;
	/* Some end before all is healed, and there may be a second one. */
	for (i = psync_prng_below(&rng, PSYNC_FAULT_EVENTS + 1); i; i--) {
		at += psync_fault_time(sim, &rng);
		psync_fault_push(sim, at, psync_fault_toggle, kind);
	}
}

static void psync_fault_freezes(struct psync_sim *sim)
{
	struct psync_prng rng;
	u32 i, k;
	u64 at;

	psync_fault_rng(sim, PSYNC_FAULT_FREEZE, &rng);
	for (i = psync_prng_range(&rng, 1, PSYNC_FAULT_EVENTS); i; i--) {
		k = psync_prng_below(&rng, sim->nsites);
		at = psync_prng_below(&rng, sim->fault.span);
		psync_fault_push(sim, at, psync_fault_freeze, k);
		psync_fault_push(sim, at + psync_fault_time(sim, &rng),
				 psync_fault_thaw, k);
	}
}

static void psync_fault_crashes(struct psync_sim *sim)
{
	struct psync_prng rng;
	u32 i;

	psync_fault_rng(sim, PSYNC_FAULT_CRASH, &rng);
	for (i = sim->fault.crashes; i; i--)
		psync_fault_push(sim, psync_prng_below(&rng, sim->fault.span),
				 psync_fault_crash,
				 psync_prng_below(&rng, sim->nsites));
}

/* About the time that the main conversation takes. */
static u64 psync_fault_span(const struct psync_sim *sim)
{
	const struct psync_conv *conv = &sim->convs[0];
	u64 think = 0;
	u32 i;

	for (i = 0; i < conv->n; i++)
		think += conv->agents[i].think / conv->n;
	return 4 * sim->net.shape.base +
	       think * (conv->budget - conv->keep) / conv->n;
}

void psync_fault_begin(struct psync_sim *sim)
{
	struct psync_faults *faults = &sim->fault;

	/* Others go on, and have been promised that all is well by now. */
	if (!faults->mask || (faults->phase && sim->nconvs > 1))
		return;
	faults->on = true;
	faults->phase++;
	faults->spent = false;
	faults->cut = 0;
	faults->span = psync_fault_span(sim);
	if (psync_fault_has(faults, PSYNC_FAULT_PARTITION))
		psync_fault_partition(sim, PSYNC_FAULT_PARTITION);
	if (psync_fault_has(faults, PSYNC_FAULT_HALF))
		psync_fault_partition(sim, PSYNC_FAULT_HALF);
	if (psync_fault_has(faults, PSYNC_FAULT_FLAP))
		psync_fault_partition(sim, PSYNC_FAULT_FLAP);
	if (psync_fault_has(faults, PSYNC_FAULT_FREEZE))
		psync_fault_freezes(sim);
	if (psync_fault_has(faults, PSYNC_FAULT_CRASH))
		psync_fault_crashes(sim);
	psync_restart_begin(sim);
	psync_fault_push(sim, faults->until, psync_fault_heal, 0);
}

void psync_fault_spent(struct psync_sim *sim)
{
	struct psync_faults *faults = &sim->fault;

	if (faults->spent || !faults->on)
		return;
	faults->spent = true;
	psync_fault_push(sim, faults->tail, psync_fault_heal, 0);
}
