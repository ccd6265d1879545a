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
#include "suspect.h"
#include "work.h"

#define PSYNC_WORK_CHECK	(20 * PSYNC_MSEC)
/* Readers are lazy: they take so long at most until they have read all. */
#define PSYNC_WORK_LAZY		(60 * PSYNC_SEC)
/* ... and speakers: so long at most from one message to the next. */
#define PSYNC_WORK_TURN		(2 * PSYNC_SEC)
/* With limits at their minimum everything takes so many times longer. */
#define PSYNC_WORK_CRAMPED	10
/* Messages that are still sent after all is healed, at most. */
#define PSYNC_WORK_AFTER	40

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
	if (!conv->steady && psync_prng_chance(rng, 120) &&
	    agent->part != conv->opener)
		agent->delay += psync_prng_below(rng, span);
	if (!conv->steady && psync_prng_chance(rng, 20) &&
	    agent->part != conv->opener)
		agent->quit = psync_prng_range(rng, 1, conv->budget);
	if (conv->restarts)
		agent->quit = 0;
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

	if (conv->steady || conv->restarts || !conv->number ||
	    !psync_prng_chance(rng, 250))
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

static void psync_work_watch(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;

	psync_heap_push(&sim->heap, sim->now + PSYNC_WORK_CHECK,
			psync_work_check, conv, conv->session);
}

/*
 * How long it may take to come to rest.  A round of repair or of questions
 * takes the longest wait, the delay of acknowledgements and a round trip; in a
 * few rounds for each site everybody knows what it lacks and has it, and the
 * rate of repair is the other bound.  Confirmation, null messages, and readers
 * add theirs.
 */
static u64 psync_work_bound(const struct psync_conv *conv)
{
	const struct psync_limits *limits = &conv->limits;
	const struct psync_sim *sim = conv->sim;
	u64 bound, round, sent = 0;
	u32 i;

	for (i = 0; i < conv->n; i++)
		sent += conv->agents[i].sent;
	round = limits->rto_max_ns + limits->ack_ns +
		psync_net_round_trip(&sim->net);
	bound = (8 + 4 * sim->nsites) * round + psync_net_drain(&sim->net);
	bound += (sent + PSYNC_WORK_AFTER) * conv->n * PSYNC_SEC /
		 limits->repair_rate;
	bound += conv->n * (limits->null_ns + round);
	bound += limits->hello_ns * ((2ULL << 6) + limits->hello_tries * 64);
	bound += PSYNC_SEC + limits->linger_ns + PSYNC_WORK_LAZY;
	/* Who is back waits for those who are not, and who died since. */
	if (conv->restarts)
		bound += limits->absent_ns + limits->silent_ns + 8 * round;
	/* Without room what comes is sent again many times. */
	if (psync_fault_has(&sim->fault, PSYNC_FAULT_LIMIT))
		bound *= PSYNC_WORK_CRAMPED;
	return bound;
}

/* From now on time is counted, unless something still goes wrong. */
static void psync_work_expect(struct psync_conv *conv)
{
	const struct psync_sim *sim = conv->sim;

	conv->since = sim->now;
	conv->deadline = U64_MAX;
	if (sim->fault.on)
		return;
	conv->deadline = sim->now + psync_work_bound(conv) +
			 (conv->budget - conv->keep) * PSYNC_WORK_TURN;
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
	conv->spent = false;
	if (!conv->index)
		psync_fault_begin(sim);
	psync_work_expect(conv);
	together = psync_prng_chance(&sim->rng, 400);
	conv->spread = !conv->hasty && psync_prng_chance(&sim->rng, 500) ?
		       5 * PSYNC_MSEC : 2 * sim->net.shape.base;
	psync_sim_trace(sim,
			"conversation %u session %u: %u messages, %s, %u nodes",
			conv->index, conv->session, conv->budget - conv->keep,
			conv->cut ? "cut off" : "to rest",
			conv->limits.max_nodes);
	psync_sim_trace(sim, "  held %u early %u bytes %u pending %u hello %llu %u",
			conv->limits.max_held, conv->limits.max_early,
			conv->limits.max_bytes, conv->limits.max_pending,
			conv->limits.hello_ns, conv->limits.hello_tries);
	psync_sim_trace(sim, "  ack %llu null %llu rto %llu %llu %llu linger %llu rate %u",
			conv->limits.ack_ns, conv->limits.null_ns,
			conv->limits.rto_ns, conv->limits.rto_min_ns,
			conv->limits.rto_max_ns, conv->limits.linger_ns,
			conv->limits.repair_rate);
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
		busy = !psync_prng_chance(&sim->rng, permille) ||
		       sim->sites[i].dead;
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

	if (session != agent->conv->session ||
	    psync_site_defer(agent->site, psync_work_bye, ctx, session))
		return;
	if (agent->state == PSYNC_AGENT_OPEN)
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
	for (i = 0; rest && i < sim->nsites; i++)
		psync_place_rest(&sim->sites[i], conv->index);
	for (i = 0; rest && i < conv->n; i++)
		if (conv->agents[i].state == PSYNC_AGENT_OPEN)
			psync_agent_rest(&conv->agents[i]);
	for (i = 0; i < conv->n; i++) {
		if (conv->agents[i].state != PSYNC_AGENT_OPEN)
			continue;
		psync_agent_at(&conv->agents[i],
			       psync_prng_exp(&sim->rng, spread),
			      psync_work_bye);
	}
	if (!conv->open)
		psync_work_turn(conv);
}

/*
 * Has an image the start message to send?  Of one whom all masked out it may have
 * been given back before somebody wants to have that one in again (S6.6).
 */
static bool psync_work_starts(const struct psync_conv *conv,
			      const struct psync_image *img)
{
	const struct psync_node *node;

	list_for_each_entry(node, &img->order, order)
		if (node->start && !node->gone)
			return true;
	return !conv->masks;
}

/*
 * Has some site that lives the conversation open, and not masked out all who
 * are where @agent is?
 */
static bool psync_work_alive(const struct psync_agent *agent)
{
	const struct psync_conv *conv = agent->conv;
	const struct psync_sim *sim = conv->sim;
	const struct psync_image *img;
	u32 i;
	int k;

	for (i = 0; i < sim->nsites; i++) {
		if (!sim->sites[i].places[conv->index].used)
			continue;
		img = &sim->sites[i].places[conv->index].img;
		if (!img->nopen)
			continue;
		k = img->parts[agent->part].remote;
		if (k < 0 || (img->remotes[k].nlive &&
			      psync_work_starts(conv, img)))
			return true;
	}
	return false;
}

/*
 * Will it open?  In a rendezvous at its own time, else when a message of the
 * conversation comes, which only the dead may have, or those who owe it none.
 */
static bool psync_work_awaited(const struct psync_agent *agent)
{
	if (agent->state == PSYNC_AGENT_DOWN)
		return true;
	/* Nobody sends it anything that could open it. */
	if (agent->conv->loses && !agent->conv->number && !agent->joined &&
	    psync_place_given_up(agent->site, agent->conv->index))
		return false;
	return agent->state == PSYNC_AGENT_WAITING &&
	       (agent->conv->number || agent->joined ||
		agent->part == agent->conv->opener ||
		psync_work_alive(agent));
}

/* Whom does it wait for?  NULL: nobody acts, nothing is under way. */
static const char *psync_work_busy(const struct psync_conv *conv, u32 *which)
{
	const struct psync_sim *sim = conv->sim;
	const struct psync_agent *agent;

	if (conv->moving)
		return "packets";
	for (*which = 0; *which < conv->n; ++*which) {
		agent = &conv->agents[*which];
		if (psync_work_awaited(agent))
			return "the opening of participant";
		if (agent->state == PSYNC_AGENT_OPEN && agent->ticking)
			return "participant";
	}
	for (*which = 0; *which < sim->nsites; ++*which)
		if (psync_place_busy(&sim->sites[*which], conv->index))
			return "the core at site";
	return NULL;
}

/* Nobody is there, and nobody will come. */
static bool psync_work_deserted(const struct psync_conv *conv,
				const struct psync_site *site)
{
	u32 i;

	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].site == site &&
		    ((conv->agents[i].state == PSYNC_AGENT_OPEN &&
		      !conv->agents[i].refused) ||
		     psync_work_awaited(&conv->agents[i])))
			return false;
	return true;
}

/*
 * It was refused a send for the sake of those who will never answer: its own
 * site waits for them, or another that keeps what they lack.
 */
static bool psync_work_stuck(const struct psync_agent *agent)
{
	const struct psync_conv *conv = agent->conv;
	const struct psync_sim *sim = conv->sim;
	u32 i, k;

	for (i = 0; agent->blocked && i < sim->nsites; i++)
		for (k = 0; psync_work_deserted(conv, &sim->sites[i]) &&
		     k < sim->nsites; k++)
			if (psync_place_waits(&sim->sites[k], conv->index, i))
				return true;
	return false;
}

static bool psync_work_speakers(const struct psync_conv *conv)
{
	const struct psync_agent *agent;
	u32 i;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->talks &&
		    (psync_work_awaited(agent) ||
		     (agent->state == PSYNC_AGENT_OPEN && !agent->refused &&
		      !agent->life.lost && !psync_work_stuck(agent))))
			return true;
	}
	return false;
}

/*
 * A session that is cut off ends soon after its messages are spent: so soon
 * that some are under way.  Nothing looks for that so often: until a site that
 * never opens is absent, others may be kept from sending for many minutes.
 */
static void psync_work_cut(void *ctx, uint64_t session)
{
	struct psync_conv *conv = ctx;

	if (session == conv->session && !conv->closing &&
	    conv->budget <= conv->keep)
		psync_work_end(conv, false);
}

void psync_work_said(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	u64 base = sim->net.shape.base;

	if (conv->budget > conv->keep)
		conv->budget--;
	if (conv->cut && conv->budget <= conv->keep)
		psync_heap_push(&sim->heap, sim->now + base - sim->now % base,
				psync_work_cut, conv, conv->session);
}

/* There is nothing more to say: it must come to rest. */
static void psync_work_spent(struct psync_conv *conv)
{
	if (!conv->index)
		psync_fault_spent(conv->sim);
	if (!conv->spent)
		psync_work_expect(conv);
	conv->spent = true;
}

void psync_work_healed(struct psync_sim *sim)
{
	struct psync_conv *conv;
	u32 i, k;

	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		if (!conv->cut && conv->budget > conv->keep + PSYNC_WORK_AFTER)
			conv->budget = conv->keep + PSYNC_WORK_AFTER;
		psync_work_expect(conv);
		for (k = 0; k < conv->n; k++)
			psync_agent_wake(&conv->agents[k]);
	}
}

static void psync_work_rest(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	u64 ms = (sim->now - conv->since) / PSYNC_MSEC;

	if (ms > sim->stats->rest)
		sim->stats->rest = ms;
	psync_work_end(conv, true);
}

static void psync_work_suspects(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	u32 i;

	for (i = 0; i < sim->nsites; i++)
		if (!sim->sites[i].dead && sim->sites[i].places[conv->index].used)
			psync_suspect_rest(&sim->sites[i].places[conv->index]);
}

static void psync_work_check(void *ctx, uint64_t session)
{
	struct psync_conv *conv = ctx;
	struct psync_sim *sim = conv->sim;
	const char *whom;
	u32 which = 0;

	if (session != conv->session || conv->closing)
		return;
	if (!psync_work_speakers(conv))
		conv->budget = conv->keep;
	if (conv->budget <= conv->keep) {
		if (conv->cut) {
			psync_work_end(conv, false);
			return;
		}
		psync_work_spent(conv);
		if (!sim->fault.on && !psync_work_busy(conv, &which)) {
			psync_work_suspects(conv);
			psync_work_rest(conv);
			return;
		}
	}
	if (sim->now > conv->deadline) {
		whom = psync_work_busy(conv, &which);
		psync_sim_fail(sim, "liveness",
			       "%llu ms after %s conversation %u waits for %s %u",
			       (sim->now - conv->since) / PSYNC_MSEC,
			       conv->spent ? "the last message" : "healing",
			       conv->index, whom ? whom : "messages", which);
		return;
	}
	psync_work_watch(conv);
}

/*
 * For so long two sites may disagree about which of them acted first: as long
 * as a question and its answer take.
 */
static u64 psync_work_blur(const struct psync_sim *sim)
{
	if (sim->fault.mask & PSYNC_FAULT_DELAYING)
		return sim->fault.until + PSYNC_WORK_LAZY;
	return psync_net_round_trip(&sim->net) + 2 * PSYNC_MSEC;
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
				.restarts = conv->restarts,
				.loses = conv->loses,
				.named = conv->number != 0,
				.brief = conv->brief,
				.starved = psync_fault_has(&sim->fault,
							   PSYNC_FAULT_MEMORY),
				.blur = psync_work_blur(sim) });
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
		    !(sim->fault.mask & PSYNC_FAULT_LOSING) &&
		    (conv->told & both) != both)
			psync_sim_fail(sim, "refusal-told",
				       "%u messages with another list, told %x",
				       sent, conv->told);
	}
}
