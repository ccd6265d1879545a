// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a seed makes.  Most seeds have all the sites and one conversation; the
 * rarer shapes are there because each has a rule of the protocol behind it.
 */
#include <stdlib.h>

#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "shape.h"
#include "site.h"
#include "suspect.h"
#include "work.h"

/* What is too long is drawn from numbers of its own. */
#define PSYNC_SHAPE_STREAM	6
/* ... and so is where who is slow is masked out. */
#define PSYNC_SHAPE_SLOW	10

/* In half of the seeds, packets are too long for their links. */
static void psync_shape_mtu(struct psync_sim *sim)
{
	struct psync_prng rng;

	psync_prng_seed(&rng, sim->seed, PSYNC_SHAPE_STREAM);
	if (psync_prng_chance(&rng, 500))
		return;
	sim->net.shape.mtu = psync_prng_range(&rng, PSYNC_WIRE_FRAG +
					      PSYNC_FRAG_LEAST, 1000);
	if (psync_prng_chance(&rng, 250)) {
		sim->net.shape.mtu = psync_prng_range(&rng, PSYNC_WIRE_FRAG +
						      PSYNC_FRAG_LEAST, 300);
		sim->large = psync_prng_range(&rng, 2000, 60000);
	}
}

static void psync_shape_net(struct psync_sim *sim)
{
	static const u64 bases[] = { 20, 100, 500, 2000, 10000 };
	struct psync_prng *rng = &sim->rng;
	struct psync_net_shape *shape = &sim->net.shape;

	shape->base = bases[psync_prng_below(rng, 5)] * PSYNC_USEC;
	shape->jitter = shape->base * psync_prng_below(rng, 30) / 10;
	shape->tail = psync_prng_chance(rng, 600) ?
		      psync_prng_range(rng, 5, 100) : 0;
	shape->tail_delay = shape->base * psync_prng_range(rng, 5, 60);
	shape->dup = psync_prng_chance(rng, 600) ?
		     psync_prng_range(rng, 5, 150) : 0;
	shape->late = psync_prng_chance(rng, 500) ?
		      psync_prng_range(rng, 10, 500) : 0;
	shape->late_delay = psync_prng_range(rng, 1, 20) * PSYNC_SEC;
	shape->pad = psync_prng_chance(rng, 300) ? 60 : 0;
}

/* Sequence numbers cross 32 bits in many seeds and never 48. */
static u64 psync_shape_seq_base(struct psync_prng *rng)
{
	switch (psync_prng_below(rng, 6)) {
	case 0:
		return (1ULL << 32) - psync_prng_range(rng, 1, 100);
	case 1:
		return (psync_prng_range(rng, 1, 0xfffe) << 32) -
		       psync_prng_range(rng, 1, 100);
	case 2:
		return psync_prng_below(rng, 1ULL << 47);
	case 3:
		return (1ULL << 48) - 1000000;
	default:
		return 0;
	}
}

/* Credits, from a stream of their own: other draws stay what they were. */
static void psync_shape_flow(struct psync_conv *conv)
{
	struct psync_limits *limits = &conv->limits;
	struct psync_prng rng;

	psync_prng_seed(&rng, conv->sim->seed, PSYNC_SHAPE_FLOW);
	limits->max_msgs = psync_prng_chance(&rng, 500) ? 1 << 20 :
			   conv->sim->nsites * psync_prng_range(&rng, 1, 40);
	limits->first_msgs = psync_prng_range(&rng, 1, 32);
	limits->first_bytes = psync_prng_chance(&rng, 300) ? 1 << 20 :
			      psync_prng_range(&rng, 1, 20000);
	limits->slow = psync_prng_below(&rng, PSYNC_SLOW_SUSPECT + 1);
	limits->slow_ns = psync_prng_range(&rng, 1, 2000) * PSYNC_MSEC;
}

static void psync_shape_limits(struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;
	struct psync_limits *limits = &conv->limits;

	conv->exact = !psync_prng_chance(rng, 250);
	conv->frees = psync_prng_chance(rng, 300);
	limits->max_nodes = 1 << 20;
	if (!conv->exact)
		limits->max_nodes =
			psync_prng_range(rng, 1, 1 + 4 * conv->n);
	limits->max_held = 1 << 16;
	limits->max_early = 1 << 16;
	limits->max_bytes = 1 << 30;
	limits->max_pending = 1 << 30;
	limits->hello_ns = psync_prng_range(rng, 20, 300) * PSYNC_MSEC;
	limits->hello_tries = 10;
	limits->ack_ns = psync_prng_range(rng, 100, 20000) * PSYNC_USEC;
	limits->null_ns = psync_prng_range(rng, 1, 100) * PSYNC_MSEC;
	limits->rto_ns = psync_prng_range(rng, 10, 500) * PSYNC_MSEC;
	limits->rto_min_ns = psync_prng_range(rng, 200, 5000) * PSYNC_USEC;
	limits->rto_max_ns = psync_prng_range(rng, 500, 2000) * PSYNC_MSEC;
	limits->silent_ns = 600 * PSYNC_SEC;
	/* Many sites send much as long as they wait for one that is absent. */
	limits->absent_ns = (conv->sim->nsites > 8 ? 200 : 600) * PSYNC_SEC;
	limits->linger_ns = 60 * PSYNC_SEC;
	limits->repair_rate = psync_prng_range(rng, 100, 100000);
	psync_shape_flow(conv);
	psync_suspect_draw(conv);
}

/* One participant, now and then two or three, at each site. */
static void psync_shape_parts(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	struct psync_prng *rng = &sim->rng;
	u32 crowded = psync_prng_chance(rng, 450) ?
		      psync_prng_range(rng, 100, 700) : 0;
	u32 *site, i, k, swap, more;

	site = psync_sim_alloc(3 * (size_t)sim->nsites, sizeof(*site));
	for (i = 0; i < sim->nsites; i++) {
		more = psync_prng_chance(rng, crowded) ?
		       psync_prng_range(rng, 2, 3) : 1;
		while (more-- && conv->n < PSYNC_PARTICIPANTS_LIM)
			site[conv->n++] = i;
	}
	for (i = conv->n - 1; i; i--) {
		k = psync_prng_below(rng, i + 1);
		swap = site[i];
		site[i] = site[k];
		site[k] = swap;
	}
	conv->pids = psync_sim_alloc(conv->n, sizeof(*conv->pids));
	conv->agents = psync_sim_alloc(conv->n, sizeof(*conv->agents));
	for (i = 0; i < conv->n; i++) {
		conv->pids[i].site = psync_site_id(sim, site[i]);
		conv->pids[i].port = 1000 + i;
		conv->agents[i].home = site[i];
	}
	free(site);
}

/* At least half of the sites speak, and whoever begins. */
static void psync_shape_talkers(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	struct psync_prng *rng = &sim->rng;
	u32 i, speaking = 0, left = sim->nsites;
	bool *talks;

	talks = psync_sim_alloc(sim->nsites, sizeof(*talks));
	for (i = 0; i < sim->nsites; i++, left--) {
		talks[i] = psync_prng_chance(rng, 800) ||
			   speaking + left <= (sim->nsites + 1) / 2;
		speaking += talks[i];
	}
	for (i = 0; i < conv->n; i++)
		conv->agents[i].talks = talks[conv->agents[i].home];
	conv->opener = psync_prng_below(rng, conv->n);
	conv->agents[conv->opener].talks = true;
	free(talks);
}

static void psync_shape_agents(struct psync_conv *conv)
{
	static const u32 bursts[] = { 1, 1, 1, 3, 10 };
	struct psync_prng *rng = &conv->sim->rng;
	u64 think = psync_prng_range(rng, 50, 5000) * PSYNC_USEC;
	u32 mood = psync_prng_below(rng, 4);
	struct psync_agent *agent;
	u32 i;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		agent->conv = conv;
		agent->part = i;
		agent->taste = mood < PSYNC_AGENT_TASTES ? mood :
			       psync_prng_below(rng, PSYNC_AGENT_TASTES);
		agent->think = think * psync_prng_range(rng, 1, 6);
		agent->reply = psync_prng_range(rng, 0, 600);
		agent->speak = psync_prng_range(rng, 20, 500);
		agent->burst = bursts[psync_prng_below(rng, 5)];
		agent->ask = psync_prng_range(rng, 50, 900);
		agent->nulls = psync_prng_chance(rng, 200);
		if (psync_prng_chance(rng, 500))
			agent->room = psync_prng_range(rng, 1, 20000);
		agent->absent = psync_prng_chance(rng, 10) &&
				i != conv->opener;
	}
}

static struct psync_conv *psync_shape_conv(struct psync_sim *sim)
{
	struct psync_conv *conv = &sim->convs[sim->nconvs];

	conv->sim = sim;
	conv->index = sim->nconvs++;
	conv->owner = U32_MAX;
	conv->seq_base = psync_shape_seq_base(&sim->rng);
	conv->max_body = psync_prng_chance(&sim->rng, 100) ? 40000 : 1400;
	if (sim->large)
		conv->max_body = sim->large;
	conv->sessions = 1;
	psync_shape_parts(conv);
	psync_shape_talkers(conv);
	psync_shape_agents(conv);
	psync_shape_limits(conv);
	return conv;
}

/* The conversation's name, once the list is what it is. */
static void psync_shape_name(struct psync_conv *conv)
{
	conv->digest = psync_wire_digest(conv->pids, conv->n);
	if (conv->number)
		conv->cid = psync_wire_cid(conv->group, conv->number,
					   conv->digest);
	else
		conv->cid = psync_prng_next(&conv->sim->rng) | 1;
}

/*
 * Opened more than once: with many copies that come late, so that the next
 * session finds them, and often soon enough to find it opening; or hastily
 * many times, each time closed after a few messages.
 */
static void psync_shape_sessions(struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;
	struct psync_net_shape *shape = &conv->sim->net.shape;

	u32 i;

	conv->sessions = psync_prng_range(rng, 2, 3);
	shape->dup = psync_prng_range(rng, 20, 200);
	shape->late = psync_prng_range(rng, 100, 600);
	if (psync_prng_chance(rng, 500))
		shape->late_delay = 50 * shape->base +
				    psync_prng_below(rng, PSYNC_SEC);
	conv->hasty = psync_prng_chance(rng, 500);
	if (!conv->hasty)
		return;
	conv->sessions = psync_prng_range(rng, 4, 10);
	shape->late_delay = 20 * shape->base;
	for (i = 0; i < conv->n; i++)
		conv->agents[i].think = 1 + psync_prng_below(rng, shape->base);
}

static void psync_shape_main(struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;
	u32 most;

	conv->budget = psync_prng_range(rng, PSYNC_SHAPE_LEAST,
					PSYNC_SHAPE_MOST);
	most = PSYNC_SHAPE_PACKETS / (conv->n * conv->sim->nsites);
	if (conv->budget > most)
		conv->budget = most;
	conv->group = psync_prng_below(rng, 3) ? 7 : 0;
	if (psync_prng_chance(rng, 600)) {
		conv->group = 7;
		conv->number = psync_prng_range(rng, 1, 1000);
		if (psync_prng_chance(rng, 450))
			psync_shape_sessions(conv);
	}
	psync_shape_name(conv);
}

/* A short one beside the main one, among the same participants. */
static void psync_shape_second(struct psync_conv *conv)
{
	conv->budget = psync_prng_range(&conv->sim->rng, 20, 60);
	conv->start = psync_prng_below(&conv->sim->rng, 300) * PSYNC_MSEC;
	psync_shape_name(conv);
}

/*
 * One site has another list for the group: it takes no part in the main
 * conversation, and nobody takes part in its own.
 */
static void psync_shape_foreign(struct psync_conv *conv,
				struct psync_conv *main)
{
	struct psync_sim *sim = conv->sim;
	u32 i, owner, port;

	do {
		owner = psync_prng_below(&sim->rng, sim->nsites);
	} while (owner == main->agents[main->opener].home);
	conv->owner = owner;
	conv->group = main->group;
	conv->number = main->number;
	conv->budget = psync_prng_range(&sim->rng, 1, 6);
	conv->start = psync_prng_below(&sim->rng, 100) * PSYNC_MSEC;
	for (i = 0; i < conv->n; i++) {
		conv->agents[i].absent = conv->agents[i].home != owner;
		conv->agents[i].talks = !conv->agents[i].absent;
		if (conv->agents[i].talks)
			conv->opener = i;
	}
	for (i = 0; i < main->n; i++)
		if (main->agents[i].home == owner)
			main->agents[i].absent = true;
	port = conv->pids[0].port;
	conv->pids[0].port = conv->pids[1].port;
	conv->pids[1].port = port;
	psync_shape_name(conv);
}

/* Some conversations have masks; whether draws nothing from the others' luck. */
static void psync_shape_masks(struct psync_conv *conv)
{
	struct psync_prng rng;
	bool apart = true;
	u32 i, k;

	for (i = 0; i < conv->n; i++)
		for (k = 0; k < i; k++)
			apart &= conv->agents[i].home != conv->agents[k].home;
	psync_prng_seed(&rng, conv->sim->seed, 4);
	conv->masks = conv->sessions == 1 && conv->n > 2 && conv->exact &&
		      apart && psync_prng_chance(&rng, 500);
	conv->hesitates = psync_prng_chance(&rng, 500);
	conv->victims[0] = psync_prng_below(&rng, conv->n);
	conv->victims[1] = psync_prng_below(&rng, conv->n);
}

u32 psync_shape_sites(u64 seed)
{
	struct psync_prng rng;
	u32 from, to;

	psync_prng_seed(&rng, seed, PSYNC_SHAPE_SIZE);
	from = PSYNC_SHAPE_SITES << psync_prng_below(&rng, PSYNC_SHAPE_SIZES);
	to = 2 * from;
	/* Each doubling begins where the one before ends, and the last ends. */
	if (to != PSYNC_SHAPE_SITES << PSYNC_SHAPE_SIZES)
		to--;
	return psync_prng_range(&rng, from, to);
}

/*
 * Where there are masks, who is slow may be masked out, too: then a participant
 * does so whom nobody asks.  Whether it could is known by what is told before, so
 * nothing may fail there.
 */
static void psync_shape_slow(struct psync_conv *conv)
{
	struct psync_prng rng;

	psync_prng_seed(&rng, conv->sim->seed, PSYNC_SHAPE_SLOW);
	if (!conv->masks || conv->limits.slow == PSYNC_SLOW_SKIP ||
	    psync_prng_chance(&rng, 500) ||
	    psync_fault_has(&conv->sim->fault, PSYNC_FAULT_MEMORY) ||
	    psync_fault_has(&conv->sim->fault, PSYNC_FAULT_LIMIT))
		return;
	/* Who is silent is told by the same event, which would not mean a mask. */
	conv->limits.suspect_ns = 0;
	conv->limits.slow = PSYNC_SLOW_MASK;
	conv->limits.slow_ns = psync_prng_range(&rng, 1, 500) * PSYNC_MSEC;
	conv->limits.max_msgs = conv->sim->nsites *
				psync_prng_range(&rng, 1, 8);
}

void psync_shape_draw(struct psync_sim *sim, u32 max_sites)
{
	struct psync_prng *rng = &sim->rng;
	struct psync_conv *main, *conv;
	u32 i, k;

	psync_prng_seed(rng, sim->seed, 1);
	psync_prng_seed(&sim->net.rng, sim->seed, 2);
	sim->nsites = psync_prng_chance(rng, 800) ? max_sites :
		      psync_prng_range(rng, 2, max_sites);
	psync_shape_net(sim);
	psync_shape_mtu(sim);
	sim->convs = psync_sim_alloc(PSYNC_SHAPE_CONVS, sizeof(*sim->convs));
	main = psync_shape_conv(sim);
	psync_shape_main(main);
	if (psync_prng_chance(rng, 120))
		psync_shape_second(psync_shape_conv(sim));
	if (main->group && sim->nsites > 2 && psync_prng_chance(rng, 80)) {
		conv = psync_shape_conv(sim);
		psync_shape_foreign(conv, main);
	}
	psync_shape_masks(main);
	if (sim->most && main->budget > sim->most)
		main->budget = sim->most;
	psync_fault_draw(sim, sim->only);
	psync_shape_slow(main);
	psync_site_init_all(sim);
	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		for (k = 0; k < conv->n; k++)
			conv->agents[k].site =
				&sim->sites[conv->agents[k].home];
	}
}

void psync_shape_free(struct psync_sim *sim)
{
	u32 i;

	psync_restart_free(sim);
	for (i = 0; i < sim->nconvs; i++) {
		free(sim->convs[i].pids);
		free(sim->convs[i].agents);
	}
	free(sim->convs);
	psync_fault_free(sim);
}
