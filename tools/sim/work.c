// SPDX-License-Identifier: GPL-2.0-only
/*
 * A conversation goes through one or more sessions.  A session ends at rest,
 * when all was received, or is cut off with packets under way, which the next
 * session of a rendezvous then finds.  Between two, sites may restart.
 */
#include <stdlib.h>

#include "agent.h"
#include "place.h"
#include "site.h"
#include "work.h"

#define PSYNC_WORK_CHECK	(20 * PSYNC_MSEC)
#define PSYNC_WORK_LIMIT	(3600 * PSYNC_SEC)

/* When and how each participant opens in this session. */
static void psync_work_cast(struct psync_agent *agent, bool together,
			    bool solo)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u64 span = agent->think * (conv->budget - conv->keep) / conv->n;

	agent->quit = 0;
	agent->back = 0;
	agent->sent = 0;
	agent->must_talk = 0;
	agent->ticking = false;
	agent->delay = together ? 0 : psync_prng_exp(rng, conv->spread);
	if (psync_prng_chance(rng, 120) && agent->part != conv->opener)
		agent->delay += psync_prng_below(rng, span);
	if (psync_prng_chance(rng, 20) && agent->part != conv->opener)
		agent->quit = psync_prng_range(rng, 1, conv->budget);
	/* Whoever does not listen needs another one of its site who does. */
	agent->listens = solo || agent->part == conv->opener ||
			 !conv->number || !psync_prng_chance(rng, 200);
	agent->state = agent->absent ? PSYNC_AGENT_ABSENT :
				       PSYNC_AGENT_WAITING;
	if (agent->absent)
		agent->listens = false;
	if (agent->joined && !agent->listens)
		psync_place_close(agent);
	if (agent->absent || (!conv->number && agent->part != conv->opener))
		return;
	psync_agent_at(agent, agent->delay, psync_agent_open);
}

/* One who will close and come back while others go on. */
static void psync_work_returner(struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;
	struct psync_agent *agent;

	if (!conv->number || !psync_prng_chance(rng, 250))
		return;
	agent = &conv->agents[psync_prng_below(rng, conv->n)];
	agent->quit = psync_prng_range(rng, 1, 1 + conv->budget / 2);
	agent->back = psync_prng_range(rng, 1, 200) * agent->think / 10;
}

/*
 * How many messages are left to later sessions.  One that is cut off after a
 * few leaves roots under way, which fit any later graph.
 */
static u32 psync_work_keep(const struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;

	if (conv->sessions == 1)
		return 0;
	if (!conv->cut)
		return conv->budget - conv->budget / conv->sessions;
	if (!conv->hasty && psync_prng_chance(rng, 500))
		return conv->budget - conv->budget / 6;
	return conv->budget - psync_prng_range(rng, 1, 12);
}

static void psync_work_check(void *ctx, uint64_t session);

/* A session that is cut off ends soon after its messages are spent. */
static void psync_work_watch(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	u64 wait = conv->cut ? sim->net.shape.base : PSYNC_WORK_CHECK;

	psync_heap_push(&sim->heap, sim->now + wait, psync_work_check, conv,
			conv->session);
}

static void psync_work_session(void *ctx, uint64_t session)
{
	struct psync_conv *conv = ctx;
	struct psync_sim *sim = conv->sim;
	bool together, first;
	u32 i, k;

	conv->session = session;
	conv->closing = false;
	conv->returner = U32_MAX;
	conv->cut = conv->sessions > 1 &&
		    (conv->hasty || psync_prng_chance(&sim->rng, 600));
	conv->keep = psync_work_keep(conv);
	conv->deadline = sim->now + PSYNC_WORK_LIMIT;
	together = psync_prng_chance(&sim->rng, 400);
	conv->spread = !conv->hasty && psync_prng_chance(&sim->rng, 500) ?
		       5 * PSYNC_MSEC : 2 * sim->net.shape.base;
	psync_sim_trace(sim,
			"conversation %u session %u: %u messages, %s, %u nodes",
			conv->index, conv->session, conv->budget - conv->keep,
			conv->cut ? "cut off" : "to rest",
			conv->limits.max_nodes);
	for (i = 0; i < conv->n; i++) {
		first = true;
		for (k = 0; k < i; k++)
			first &= conv->agents[k].absent ||
				 conv->agents[k].home != conv->agents[i].home;
		psync_work_cast(&conv->agents[i], together, first);
	}
	psync_work_returner(conv);
	psync_work_watch(conv);
}

/* Between two sessions some sites restart and forget everything. */
static void psync_work_reboots(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	u32 permille, i, k, c;
	bool busy;

	permille = psync_prng_chance(&sim->rng, 400) ?
		   psync_prng_range(&sim->rng, 100, 600) : 0;
	for (i = 0; i < sim->nsites; i++) {
		busy = !psync_prng_chance(&sim->rng, permille);
		for (c = 0; c < sim->nconvs; c++)
			for (k = 0; k < sim->convs[c].n; k++)
				busy |= sim->convs[c].agents[k].home == i &&
					(c != conv->index ||
					 sim->convs[c].agents[k].state ==
					 PSYNC_AGENT_OPEN);
		if (!busy)
			psync_site_reboot(&sim->sites[i]);
	}
}

/* The next session, or the end: then nobody listens any more. */
static void psync_work_turn(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	struct psync_agent *agent;
	u64 gap;
	u32 i;

	psync_sim_trace(sim, "conversation %u session %u is over", conv->index,
			conv->session);
	conv->sessions--;
	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		agent->state = PSYNC_AGENT_ABSENT;
		if (conv->sessions && !agent->absent && agent->listens)
			agent->state = PSYNC_AGENT_WAITING;
		else if (agent->joined)
			psync_place_close(agent);
	}
	if (!conv->sessions)
		return;
	psync_work_reboots(conv);
	/* often so short that packets of this session are still under way */
	gap = psync_prng_exp(&sim->rng, conv->hasty ||
			     psync_prng_chance(&sim->rng, 500) ?
			     sim->net.shape.base : 200 * PSYNC_MSEC);
	conv->session++;
	psync_heap_push(&sim->heap, sim->now + gap, psync_work_session, conv,
			conv->session);
}

static void psync_work_bye(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;

	if (session != agent->conv->session)
		return;
	psync_agent_close(agent);
	if (!agent->conv->open)
		psync_work_turn(agent->conv);
}

static void psync_work_end(struct psync_conv *conv, bool rest)
{
	struct psync_sim *sim = conv->sim;
	u64 spread = psync_prng_chance(&sim->rng, 500) ? 0 : 20 * PSYNC_MSEC;
	u32 i;

	conv->closing = true;
	for (i = 0; i < conv->n; i++) {
		if (conv->agents[i].state != PSYNC_AGENT_OPEN)
			continue;
		if (rest)
			psync_agent_rest(&conv->agents[i]);
		psync_agent_at(&conv->agents[i],
			       psync_prng_exp(&sim->rng, spread),
			      psync_work_bye);
	}
	if (!conv->open)
		psync_work_turn(conv);
}

/* Nobody acts or waits, nothing is under way. */
static bool psync_work_quiet(const struct psync_conv *conv)
{
	const struct psync_sim *sim = conv->sim;
	const struct psync_agent *agent;
	u32 i;

	if (sim->net.moving)
		return false;
	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->state == PSYNC_AGENT_WAITING ||
		    (agent->state == PSYNC_AGENT_OPEN && agent->ticking))
			return false;
	}
	for (i = 0; i < sim->nsites; i++)
		if (psync_place_busy(&sim->sites[i], conv->index))
			return false;
	return true;
}

static bool psync_work_speakers(const struct psync_conv *conv)
{
	const struct psync_agent *agent;
	u32 i;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->talks && agent->state != PSYNC_AGENT_ABSENT &&
		    !(agent->state == PSYNC_AGENT_OPEN && agent->refused))
			return true;
	}
	return false;
}

static void psync_work_check(void *ctx, uint64_t session)
{
	struct psync_conv *conv = ctx;
	struct psync_sim *sim = conv->sim;

	if (session != conv->session || conv->closing)
		return;
	if (!psync_work_speakers(conv))
		conv->budget = conv->keep;
	if (conv->budget <= conv->keep && conv->cut) {
		psync_work_end(conv, false);
		return;
	}
	if (conv->budget <= conv->keep && psync_work_quiet(conv)) {
		psync_work_end(conv, true);
		return;
	}
	if (sim->now > conv->deadline) {
		psync_sim_fail(sim, "quiescence",
			       "conversation %u goes on for ever",
			       conv->index);
		return;
	}
	psync_work_watch(conv);
}

void psync_work_init(struct psync_sim *sim)
{
	struct psync_conv *conv;
	uint64_t *sites;
	u32 i, k, part;

	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		sites = psync_hist_conv_add(sim->hist,
					    &(struct psync_hist_conv){
				.n = conv->n, .seq_base = conv->seq_base,
				.exact = conv->exact,
				.named = conv->number != 0,
				.blur = psync_net_round_trip(&sim->net) +
					2 * PSYNC_MSEC });
		for (part = 0; part < conv->n; part++) {
			for (k = 0; conv->agents[k].home !=
			     conv->agents[part].home; k++)
				;
			sites[part] = k;
		}
		psync_heap_push(&sim->heap, conv->start, psync_work_session,
				conv, 1);
	}
}

void psync_work_exit(struct psync_sim *sim)
{
	const u32 both = 1 << PSYNC_EV_REFUSED | 1 << PSYNC_EV_MISMATCH;
	struct psync_conv *conv;
	u32 i, k, sent;

	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		if (conv->sessions)
			psync_sim_fail(sim, "quiescence",
				       "conversation %u never ends", i);
		for (sent = 0, k = 0; k < conv->n; k++)
			sent += conv->agents[k].sent;
		if (conv->owner != U32_MAX && sent &&
		    (conv->told & both) != both)
			psync_sim_fail(sim, "refusal-told",
				       "%u messages with another list, told %x",
				       sent, conv->told);
	}
}
