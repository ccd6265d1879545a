// SPDX-License-Identifier: GPL-2.0-only
/*
 * Participants that come back (P 5; S7).
 *
 * In some runs sites crash and come back as new incarnations, or processes are
 * killed while their sites live, up to all but one at the same time.  A
 * participant begins again with the leaves of a checkpoint, with nothing, or
 * its program runs again from its beginning: then it sends the same messages,
 * by their ordinals, whether they had got anywhere or not.  That begins when
 * all have opened and know one another, as the paper has it: whoever comes
 * later cannot tell a participant that is back from one that is new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../net/psync/core/graph.h"
#include "agent.h"
#include "place.h"
#include "restart.h"
#include "site.h"
#include "work.h"

/* Those that fall in one run, but for runs in which all but one do. */
#define PSYNC_RESTART_EVENTS	4
/* Who crashed while others wait for it is given up after this time. */
#define PSYNC_RESTART_ABSENT	(60 * PSYNC_SEC)
/* More than is ever sent. */
#define PSYNC_RESTART_HISTORY	(1U << 29)
/* What is sent again is told by its bytes. */
#define PSYNC_RESTART_LEAST	8

/* A number for psync_fault_push(): who, and how. */
#define PSYNC_RESTART_SITE	(1U << 31)

void psync_restart_draw(struct psync_sim *sim)
{
	struct psync_faults *faults = &sim->fault;
	struct psync_conv *conv = &sim->convs[0];

	if (conv->sessions > 1)
		faults->mask &= ~PSYNC_FAULT_RESTARTING;
	/* What else goes on at a site that crashes would have to come back. */
	if (sim->nconvs > 1)
		faults->mask &= ~(1U << PSYNC_FAULT_RESTART);
	faults->mask &= ~(1U << PSYNC_FAULT_LEAVES | 1U << PSYNC_FAULT_REDO |
			  1U << PSYNC_FAULT_NOTHING);
	conv->restarts = faults->mask & PSYNC_FAULT_RESTARTING;
	if (!conv->restarts)
		return;
	faults->mask &= ~(1U << PSYNC_FAULT_UNHEARD);
	conv->frees = false;
	conv->masks = false;
	conv->limits.absent_ns = PSYNC_RESTART_ABSENT;
}

void psync_restart_draw_history(struct psync_sim *sim)
{
	const struct psync_faults *faults = &sim->fault;
	struct psync_conv *conv = &sim->convs[0];
	struct psync_prng rng;

	psync_fault_rng(sim, PSYNC_FAULT_LEAVES, &rng);
	if (!conv->restarts)
		return;
	conv->history = PSYNC_RESTART_HISTORY;
	if (psync_prng_chance(&rng, 300)) {
		conv->history = psync_prng_chance(&rng, 400) ? 0 :
				psync_prng_range(&rng, 1, 20000);
		conv->loses = true;
	}
	conv->loses |= !conv->exact || conv->limits.slow == PSYNC_SLOW_SKIP ||
		       psync_fault_has(faults, PSYNC_FAULT_LIMIT) ||
		       psync_fault_has(faults, PSYNC_FAULT_MEMORY);
}

void psync_restart_free(struct psync_sim *sim)
{
	struct psync_life *life;
	u32 i, k;

	for (i = 0; i < sim->nconvs; i++)
		for (k = 0; k < sim->convs[i].n; k++) {
			life = &sim->convs[i].agents[k].life;
			free(life->said);
			free(life->saved);
		}
}

/* Falling. */

/* Have all who will open, and does everybody know it? */
static bool psync_restart_met(struct psync_conv *conv)
{
	const struct psync_sim *sim = conv->sim;
	u32 i;

	if (conv->met)
		return true;
	if (conv->open < 2)
		return false;
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].state == PSYNC_AGENT_WAITING)
			return false;
	for (i = 0; i < sim->nsites; i++)
		if (sim->sites[i].places[conv->index].used &&
		    psync_place_known(&sim->sites[i], conv->index) == U32_MAX)
			return false;
	conv->met = true;
	return true;
}

/* Is anybody open but @but, or but those at @site? */
static bool psync_restart_survived(const struct psync_conv *conv,
				   const struct psync_agent *but,
				   const struct psync_site *site)
{
	const struct psync_agent *agent;
	u32 i;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent != but && agent->site != site &&
		    agent->state == PSYNC_AGENT_OPEN)
			return true;
	}
	return false;
}

static void psync_restart_return(void *ctx, uint64_t session);

/* Mostly soon, now and then after seconds. */
static u64 psync_restart_pause(struct psync_sim *sim)
{
	struct psync_prng *rng = &sim->rng;

	if (psync_prng_chance(rng, 150))
		return psync_prng_below(rng, sim->fault.until / 2);
	return psync_prng_exp(rng, 20 * sim->net.shape.base);
}

static void psync_restart_rise(void *ctx, uint64_t session)
{
	struct psync_site *site = ctx;
	struct psync_conv *conv = &site->sim->convs[0];
	u32 i;

	if (session != conv->session || !site->down)
		return;
	psync_site_rise(site);
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].site == site)
			psync_agent_at(&conv->agents[i], psync_prng_chance(
				       &site->sim->rng, 500) ? 0 :
				       psync_restart_pause(site->sim),
				       psync_restart_return);
}

static void psync_restart_fall_site(struct psync_conv *conv,
				    struct psync_site *site)
{
	struct psync_sim *sim = conv->sim;

	if (site->dead || !psync_restart_survived(conv, NULL, site))
		return;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_RESTART);
	psync_site_fall(site);
	psync_heap_push(&sim->heap, sim->now + psync_restart_pause(sim),
			psync_restart_rise, site, conv->session);
}

static void psync_restart_fall_process(struct psync_conv *conv,
				       struct psync_agent *agent)
{
	struct psync_sim *sim = conv->sim;

	if (agent->state != PSYNC_AGENT_OPEN || agent->site->frozen ||
	    !psync_restart_survived(conv, agent, NULL))
		return;
	psync_fault_hit(&sim->fault, PSYNC_FAULT_REJOIN);
	psync_agent_close(agent);
	agent->state = PSYNC_AGENT_DOWN;
	psync_agent_at(agent, psync_restart_pause(sim), psync_restart_return);
}

static void psync_restart_fall(void *ctx, uint64_t arg)
{
	struct psync_sim *sim = ctx;
	struct psync_conv *conv = &sim->convs[0];
	u32 who = (u32)arg & ~PSYNC_RESTART_SITE;

	if (psync_fault_over(&sim->fault, arg) || conv->closing)
		return;
	if (!psync_restart_met(conv))
		psync_fault_push(sim, PSYNC_MSEC + sim->net.shape.base,
				 psync_restart_fall, (u32)arg);
	else if ((u32)arg & PSYNC_RESTART_SITE)
		psync_restart_fall_site(conv, &sim->sites[who]);
	else
		psync_restart_fall_process(conv, &conv->agents[who]);
}

/* All but one at about the same time, or some now and then. */
static void psync_restart_plan(struct psync_sim *sim, u32 kind, u32 n,
			       u32 flag)
{
	u32 i, who, spared = U32_MAX, count;
	struct psync_prng rng;
	u64 span, at = 0;

	psync_fault_rng(sim, kind, &rng);
	span = sim->fault.span;
	count = psync_prng_range(&rng, 1, PSYNC_RESTART_EVENTS);
	if (psync_prng_chance(&rng, 250)) {
		spared = psync_prng_below(&rng, n);
		at = psync_prng_below(&rng, span);
		span = 1 + psync_prng_below(&rng, 40 * sim->net.shape.base);
		count = n;
	}
	for (i = 0; i < count; i++) {
		who = count == n ? i : psync_prng_below(&rng, n);
		if (who != spared)
			psync_fault_push(sim, at + psync_prng_below(&rng, span),
					 psync_restart_fall, who | flag);
	}
}

void psync_restart_begin(struct psync_sim *sim)
{
	if (psync_fault_has(&sim->fault, PSYNC_FAULT_RESTART))
		psync_restart_plan(sim, PSYNC_FAULT_RESTART, sim->nsites,
				   PSYNC_RESTART_SITE);
	if (psync_fault_has(&sim->fault, PSYNC_FAULT_REJOIN))
		psync_restart_plan(sim, PSYNC_FAULT_REJOIN, sim->convs[0].n, 0);
}

/* Coming back. */

/* How does it come back?  One of the kinds of faults. */
static enum psync_fault psync_restart_how(struct psync_agent *agent)
{
	const struct psync_life *life = &agent->life;
	const struct psync_sim *sim = agent->conv->sim;
	static const enum psync_fault kinds[] = {
		PSYNC_FAULT_LEAVES, PSYNC_FAULT_NOTHING, PSYNC_FAULT_REDO };
	enum psync_fault kind;

	kind = kinds[psync_prng_below(&agent->conv->sim->rng, 3)];
	if (life->plain || !(sim->fault.only >> kind & 1) ||
	    (kind == PSYNC_FAULT_LEAVES && !life->nsaved))
		return PSYNC_FAULT_NOTHING;
	return kind;
}

/* Its seat, before anything is told to it. */
static void psync_restart_sit(struct psync_agent *agent, u32 nleaves)
{
	struct psync_conv *conv = agent->conv;
	struct psync_sim *sim = conv->sim;
	struct psync_life *life = &agent->life;

	life->again = true;
	life->returns++;
	life->settled = !nleaves;
	life->gapped = false;
	life->spoke = false;
	life->untold = false;
	life->gaps = 0;
	life->missed = 0;
	life->lost = false;
	life->at = 0;
	life->own = conv->seq_base;
	agent->seat = psync_hist_seat_add(sim->hist, sim->now, conv->index,
					  agent->part, PSYNC_REC_RESTART);
	sim->hist->recs[sim->hist->nrecs - 1].answer = life->redo;
	psync_hist_set(sim->hist, life->saved, nleaves);
	psync_restart_missing(agent);
}

/* It could not: only what was asked for may be the reason. */
static void psync_restart_failed(struct psync_agent *agent, u32 nleaves,
				 int err)
{
	struct psync_life *life = &agent->life;
	struct psync_conv *conv = agent->conv;
	u64 wait = 0;

	psync_hist_add(conv->sim->hist, conv->sim->now, PSYNC_REC_CLOSE,
		       agent->seat);
	if (err == -ENOMEM)
		wait = PSYNC_MSEC + agent->think;
	else if (err == -ENODATA && (life->all || life->redo) && conv->loses)
		life->plain = true;
	else if (err == -ENOENT && nleaves)
		life->plain = true;
	else
		psync_sim_fail(conv->sim, "restart", "error %d", err);
	psync_agent_at(agent, wait, psync_restart_return);
}

static void psync_restart_return(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;
	struct psync_life *life = &agent->life;
	struct psync_conv *conv = agent->conv;
	struct psync_restart_how how = { 0 };
	enum psync_fault kind;
	int err;

	if (session != conv->session || conv->closing ||
	    agent->state != PSYNC_AGENT_DOWN || agent->site->dead ||
	    psync_site_defer(agent->site, psync_restart_return, ctx, session))
		return;
	kind = psync_restart_how(agent);
	life->redo = kind == PSYNC_FAULT_REDO;
	life->all = kind == PSYNC_FAULT_NOTHING && !life->plain &&
		    psync_prng_chance(&conv->sim->rng, 300);
	how.all = life->all;
	how.redo = life->redo;
	how.nleaves = kind == PSYNC_FAULT_LEAVES ? life->nsaved : 0;
	how.leaves = life->saved;
	psync_sim_trace(conv->sim, "back %u:%u at site %u, %s%s", conv->index,
			agent->part, agent->home, psync_fault_names[kind],
			life->all ? ", all" : "");
	psync_restart_sit(agent, how.nleaves);
	err = psync_place_rejoin(agent, &how);
	if (err) {
		psync_restart_failed(agent, how.nleaves, err);
		return;
	}
	life->plain = false;
	psync_fault_hit(&conv->sim->fault, kind);
	psync_agent_returned(agent);
}

/* The history. */

/* Has its image lost more than the history has?  Then it is told at once. */
static void psync_restart_gaps(struct psync_agent *agent)
{
	const struct psync_image *img = agent->view.img;
	struct psync_life *life = &agent->life;
	u64 sum = 0, missed = life->missed;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		sum += img->parts[i].gap - img->p.seq_base;
	if (sum == life->gaps)
		return;
	psync_restart_missing(agent);
	life->untold |= life->missed > missed;
}

void psync_restart_sync(struct psync_agent *agent)
{
	struct psync_life *life = &agent->life;
	struct psync_sim *sim = agent->conv->sim;
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	struct psync_rec *rec;
	u64 own;
	u32 i, n;

	if (agent->state == PSYNC_AGENT_OPEN && agent->view.stamp)
		psync_restart_gaps(agent);
	if (!life->again || agent->view.leaf || !agent->view.stamp)
		return;
	own = agent->view.stamp[agent->part];
	if (!life->settled) {
		life->settled = true;
		life->own = own;
		rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_SETTLED,
				     agent->seat);
		rec->answer = life->gapped;
		n = psync_view_leaves(&agent->view, mids,
				      PSYNC_PARTICIPANTS_LIM);
		/* Who lost something does not know all that precedes a leaf. */
		for (i = 0; life->gapped && i < agent->conv->n; i++)
			mids[i] = PSYNC_MID(i, agent->view.stamp[i]);
		if (life->gapped)
			n = agent->conv->n;
		psync_hist_set(sim->hist, mids, n);
	}
	if (own <= life->own)
		return;
	life->own = own;
	rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_CAUGHT,
			     agent->seat);
	rec->mid = PSYNC_MID(agent->part, own);
}

void psync_restart_save(struct psync_agent *agent)
{
	struct psync_life *life = &agent->life;

	if (!agent->conv->restarts || agent->view.leaf ||
	    !psync_prng_chance(&agent->conv->sim->rng, 50))
		return;
	if (!life->saved)
		life->saved = psync_sim_alloc(agent->conv->n,
					      sizeof(*life->saved));
	life->nsaved = psync_view_leaves(&agent->view, life->saved,
					 agent->conv->n);
}

/* The last message before @agent's own first one is not in the graph. */
static u64 psync_restart_before(const struct psync_agent *agent)
{
	return PSYNC_MID(agent->part, agent->conv->seq_base);
}

/* Programs. */

bool psync_restart_repeats(const struct psync_agent *agent)
{
	return agent->life.redo && !agent->life.lost &&
	       agent->life.at < agent->life.nsaid;
}

u32 psync_restart_compose(struct psync_agent *agent, u32 len, u64 *words,
			  u64 *seed)
{
	const struct psync_life *life = &agent->life;
	struct psync_prng rng;
	u32 i;

	*seed = psync_prng_next(&agent->conv->sim->rng);
	if (len < PSYNC_RESTART_LEAST)
		len = PSYNC_RESTART_LEAST;
	if (psync_restart_repeats(agent)) {
		*seed = life->said[life->at].seed;
		len = life->said[life->at].len;
	}
	psync_prng_seed(&rng, *seed, 0);
	for (i = 0; i < (len + 7) / 8; i++)
		words[i] = psync_prng_next(&rng);
	return len;
}

void psync_restart_said(struct psync_agent *agent, u64 seed, u32 len, u64 mid)
{
	struct psync_life *life = &agent->life;

	if (life->again && !life->spoke)
		psync_restart_spoke(agent, psync_restart_before(agent));
	if (psync_restart_repeats(agent)) {
		life->said[life->at++].mid = mid;
		return;
	}
	if (life->nsaid == life->room) {
		life->room = 2 * life->room + 16;
		life->said = realloc(life->said,
				     life->room * sizeof(*life->said));
		if (!life->said)
			abort();
	}
	life->said[life->nsaid++] = (struct psync_said){
		.seed = seed, .len = len, .mid = mid };
	life->at = life->nsaid;
}

void psync_restart_spoke(struct psync_agent *agent, u64 prev)
{
	struct psync_life *life = &agent->life;
	u32 i, kept = 0;

	life->spoke = true;
	for (i = 0; i < life->nsaid; i++) {
		if (life->said[i].mid > prev)
			life->said[i].mid = U64_MAX;
		else
			kept = i + 1;
	}
	/* It does not know of the others and will not say them again. */
	if (!life->redo) {
		life->nsaid = kept;
		life->at = kept;
	}
}

/* Events. */

/* Has another site's image that message? */
static bool psync_restart_kept(const struct psync_agent *agent, u32 part,
			       u64 seq)
{
	const struct psync_sim *sim = agent->conv->sim;
	const struct psync_place *place;
	const struct psync_node *node;
	u32 i;

	for (i = 0; i < sim->nsites; i++) {
		place = &sim->sites[i].places[agent->conv->index];
		if (&sim->sites[i] == agent->site || sim->sites[i].dead ||
		    !place->used || !place->img.p.n || !place->img.opening ||
		    place->img.refused)
			continue;
		node = psync_graph_find(&place->img, part, seq);
		if (node && !node->gone)
			return true;
	}
	return false;
}

/*
 * A leaf of its checkpoint is nowhere; or its sender, who came back without it,
 * left it out: then it is void (S7.1), though a site may still have it.
 */
static void psync_restart_leaf_lost(struct psync_agent *agent, u64 mid)
{
	struct psync_sim *sim = agent->conv->sim;
	u64 seq = PSYNC_MID_SEQ(mid);
	u32 part = PSYNC_MID_INDEX(mid);
	struct psync_rec *rec;

	if (seq > agent->view.img->parts[part].seq &&
	    psync_restart_kept(agent, part, seq))
		psync_sim_fail(sim, "gap-needless",
			       "%u:%llu, a leaf, is kept elsewhere", part, seq);
	rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_LOST, agent->seat);
	rec->answer = 1;
	psync_hist_set(sim->hist, &mid, 1);
}

bool psync_restart_alone(const struct psync_agent *agent)
{
	const struct psync_image *img = agent->view.img;
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (img->remotes[k].absent)
			return true;
	return false;
}

/* What its image has lost. */
void psync_restart_missing(struct psync_agent *agent)
{
	struct psync_place *place = &agent->site->places[agent->conv->index];
	struct psync_sim *sim = agent->conv->sim;
	u32 i, n;

	if (!place->used || !place->img.p.n || agent->conv->masks)
		return;
	/* Where nothing else is lost, the announcement tells what is (S6.6). */
	if (!agent->conv->loses &&
	    agent->conv->limits.slow == PSYNC_SLOW_SKIP)
		return;
	n = psync_place_missing(place);
	agent->life.missed = place->missed;
	agent->life.gaps = 0;
	for (i = 0; i < place->img.p.n; i++)
		agent->life.gaps += place->img.parts[i].gap -
				    place->img.p.seq_base;
	if (!n)
		return;
	agent->life.gapped = true;
	psync_hist_add(sim->hist, sim->now, PSYNC_REC_LOST, agent->seat);
	psync_hist_set(sim->hist, place->missing, n);
	psync_sim_trace(sim, "gap %u:%u lost %u, %u:%llu to %u:%llu",
			agent->conv->index, agent->part, n,
			(u32)PSYNC_MID_INDEX(place->missing[0]),
			PSYNC_MID_SEQ(place->missing[0]),
			(u32)PSYNC_MID_INDEX(place->missing[n - 1]),
			PSYNC_MID_SEQ(place->missing[n - 1]));
}

void psync_restart_event(struct psync_agent *agent,
			 const struct psync_event *ev, bool alone)
{
	struct psync_sim *sim = agent->conv->sim;
	struct psync_life *life = &agent->life;
	struct psync_rec *rec;

	if (ev->type == PSYNC_EV_DIFFERS)
		psync_sim_fail(sim, "again-match", "%u:%u is told it differs",
			       agent->conv->index, agent->part);
	if (ev->type == PSYNC_EV_RESTARTED && agent->state == PSYNC_AGENT_OPEN) {
		psync_restart_sync(agent);
		rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_BACK,
				     agent->seat);
		rec->others = PSYNC_MID_INDEX(ev->mid);
		sim->stats->backs++;
	}
	if (ev->type != PSYNC_EV_GAP)
		return;
	if (alone && ev->site && agent->view.leaf) {
		psync_restart_leaf_lost(agent, ev->mid);
		return;
	}
	/* What it begins behind is what its view has. */
	if (alone && life->again && !ev->site) {
		life->gapped = true;
		life->settled = false;
		psync_restart_sync(agent);
		return;
	}
	if (!alone && agent->state == PSYNC_AGENT_OPEN) {
		psync_restart_sync(agent);
		life->untold = false;
		sim->stats->losses++;
	}
}
