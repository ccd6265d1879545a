// SPDX-License-Identifier: GPL-2.0-only
/*
 * A participant: opens, thinks, receives, answers, speaks, asks about the
 * graph and closes; all that it does and is told goes into the history.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../net/psync/core/graph.h"
#include "../../net/psync/core/mask.h"
#include "../../net/psync/core/vote.h"
#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "place.h"
#include "site.h"
#include "work.h"

/* Room for the mids of a whole view. */
#define PSYNC_AGENT_MIDS	65536

/* No slow reader is slower. */
#define PSYNC_AGENT_SLOWEST	(2 * PSYNC_SEC)
/* A victim is masked in again so often at most. */
#define PSYNC_AGENT_SPARES	3

static void psync_agent_tick(void *ctx, uint64_t session);

void psync_agent_at(struct psync_agent *agent, u64 delay,
		    void (*run)(void *ctx, uint64_t session))
{
	struct psync_sim *sim = agent->conv->sim;

	psync_heap_push(&sim->heap, sim->now + delay, run, agent,
			agent->conv->session);
}

/* Act after a while; now and then after a long silence. */
static void psync_agent_plan(struct psync_agent *agent)
{
	struct psync_prng *rng = &agent->conv->sim->rng;
	u64 delay = psync_prng_exp(rng, agent->think);
	struct psync_sim *sim = agent->conv->sim;

	if (agent->ticking)
		return;
	if (psync_prng_chance(rng, 20))
		delay *= 30;
	if (agent->slow && psync_fault_now(&sim->fault, PSYNC_FAULT_SLOW)) {
		delay *= agent->slow;
		if (delay > PSYNC_AGENT_SLOWEST)
			delay = PSYNC_AGENT_SLOWEST;
		psync_fault_hit(&sim->fault, PSYNC_FAULT_SLOW);
	}
	agent->ticking = true;
	psync_agent_at(agent, delay, psync_agent_tick);
}

/* The set of mids of the last record; @n is how many the core said. */
static void psync_agent_set(struct psync_agent *agent, const u64 *mids, u32 n)
{
	if (n > PSYNC_AGENT_MIDS) {
		psync_sim_fail(agent->conv->sim, "room", "%u mids", n);
		n = 0;
	}
	psync_hist_set(agent->conv->sim->hist, mids, n);
}

static struct psync_rec *psync_agent_rec(struct psync_agent *agent,
					 enum psync_rec_type type)
{
	struct psync_sim *sim = agent->conv->sim;

	psync_restart_sync(agent);
	return psync_hist_add(sim->hist, sim->now, type, agent->seat);
}

/* Questions. */

static u64 psync_agent_mid(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u32 part = psync_prng_below(rng, conv->n);
	u32 sent = conv->agents[part].sent;

	/* numbers are left out when somebody is back */
	if (conv->restarts) {
		const struct psync_part *at = &agent->view.img->parts[part];
		u64 last = at->seq - conv->seq_base + 1;

		return PSYNC_MID(part, at->seq + 1 -
				 psync_prng_below(rng, last < 12 ? last : 12));
	}
	/* mostly one that was sent, mostly one of the last */
	if (psync_prng_chance(rng, 500) && sent > 8)
		sent -= psync_prng_below(rng, 8);
	else
		sent = psync_prng_range(rng, 1, sent + 1);
	return PSYNC_MID(part, conv->seq_base + sent);
}

static void psync_agent_ask_stable(struct psync_agent *agent, u64 mid)
{
	struct psync_stats *stats = agent->conv->sim->stats;
	struct psync_rec *rec;
	u32 others = 0, sites = 0;

	rec = psync_agent_rec(agent, PSYNC_REC_STABLE);
	rec->mid = mid;
	rec->answer = psync_view_stable(&agent->view, mid, &others, &sites);
	rec->others = others;
	rec->sites = sites;
	stats->stable += rec->answer == 1;
}

static void psync_agent_ask_precedes(struct psync_agent *agent, u64 mid)
{
	struct psync_stats *stats = agent->conv->sim->stats;
	struct psync_rec *rec;

	rec = psync_agent_rec(agent, PSYNC_REC_PRECEDES);
	rec->mid = mid;
	rec->mid2 = psync_agent_mid(agent);
	rec->answer = psync_view_precedes(&agent->view, mid, rec->mid2);
	stats->freed += rec->answer == PSYNC_EFREED;
}

static void psync_agent_ask_step(struct psync_agent *agent, u64 mid,
				 bool forward)
{
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	struct psync_rec *rec;
	int n;

	rec = psync_agent_rec(agent, forward ? PSYNC_REC_NEXT : PSYNC_REC_PREV);
	n = psync_view_step(&agent->view, mid, forward, mids,
			    PSYNC_PARTICIPANTS_LIM);
	rec->mid = mid;
	rec->answer = n;
	psync_agent_set(agent, mids, n > 0 ? n : 0);
}

static void psync_agent_ask_ends(struct psync_agent *agent, bool roots)
{
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	u32 n;

	psync_agent_rec(agent, roots ? PSYNC_REC_ROOTS : PSYNC_REC_LEAVES);
	if (roots)
		n = psync_view_roots(&agent->view, mids,
				     PSYNC_PARTICIPANTS_LIM);
	else
		n = psync_view_leaves(&agent->view, mids,
				      PSYNC_PARTICIPANTS_LIM);
	psync_agent_set(agent, mids, n);
}

static void psync_agent_ask_outstanding(struct psync_agent *agent)
{
	struct psync_rec *rec = psync_agent_rec(agent, PSYNC_REC_OUTSTANDING);

	rec->answer = agent->view.outstanding;
	rec->others = !!psync_view_next(&agent->view);
}

static void psync_agent_free(struct psync_agent *agent, u64 mid)
{
	struct psync_sim *sim = agent->conv->sim;
	struct psync_rec *rec;

	rec = psync_agent_rec(agent, PSYNC_REC_FREE);
	rec->mid = mid;
	rec->answer = psync_view_free(&agent->view, mid, sim->now);
	sim->stats->frees += !rec->answer;
}

/* It was told; nothing was asked that has an answer at once. */
void psync_agent_stable(struct psync_agent *agent)
{
	struct psync_watch *watch = &agent->watch;
	struct psync_rec *rec;

	/* what happens while it is cleared away is never heard */
	if (agent->site->dead)
		return;
	rec = psync_agent_rec(agent, PSYNC_REC_AWAITED);
	rec->mid = watch->mid;
	rec->answer = watch->answer;
	rec->others = watch->participants;
	rec->sites = watch->sites;
	agent->conv->sim->stats->awaited += watch->answer == 1;
}

/* Waits until so many others, or sites, have a message. */
static void psync_agent_await(struct psync_agent *agent, u64 mid)
{
	struct psync_prng *rng = &agent->conv->sim->rng;
	struct psync_watch *watch = &agent->watch;

	psync_stable_unwatch(watch);
	watch->mid = mid;
	watch->participants = psync_prng_range(rng, 1, agent->conv->n - 1);
	watch->sites = psync_prng_range(rng, 0, agent->view.img->nremotes + 1);
	watch->user = agent;
	if (psync_stable_watch(&agent->view, watch) && watch->answer == 1)
		psync_agent_stable(agent);
}

/* Nothing moves any more: is there something it was not told? */
static void psync_agent_untold(struct psync_agent *agent)
{
	const struct psync_watch *watch = &agent->watch;
	u32 participants, sites;

	if (!watch->view || watch->answer ||
	    psync_stable_count(&agent->view, watch->mid, &participants,
			       &sites) < 0)
		return;
	if (participants >= watch->participants && sites >= watch->sites)
		psync_sim_fail(agent->conv->sim, "stable-told",
			       "%u others, %u sites have %llx", participants,
			       sites, watch->mid);
}

static void psync_agent_ask(struct psync_agent *agent)
{
	u64 mid = psync_agent_mid(agent);

	/* Its view has not begun. */
	if (agent->view.leaf)
		return;
	if (psync_prng_chance(&agent->conv->sim->rng, 50)) {
		psync_agent_await(agent, mid);
		return;
	}
	if (agent->conv->frees &&
	    psync_prng_chance(&agent->conv->sim->rng, 100)) {
		psync_agent_free(agent, mid);
		return;
	}

	switch (psync_prng_below(&agent->conv->sim->rng, 8)) {
	case 0:
		psync_agent_ask_ends(agent, true);
		break;
	case 1:
		psync_agent_ask_ends(agent, false);
		break;
	case 2:
		psync_agent_ask_step(agent, mid, true);
		break;
	case 3:
		psync_agent_ask_step(agent, mid, false);
		break;
	case 4:
		psync_agent_ask_outstanding(agent);
		break;
	case 5:
		psync_agent_ask_precedes(agent, mid);
		break;
	default:
		psync_agent_ask_stable(agent, mid);
		break;
	}
}

/* At rest: everything that can be asked, about some, and the whole view. */
void psync_agent_rest(struct psync_agent *agent)
{
	static u64 mids[PSYNC_AGENT_MIDS];
	struct psync_rec *rec;
	u32 i;
	int n;

	psync_agent_untold(agent);
	for (i = 0; i < 48; i++)
		psync_agent_ask(agent);
	psync_agent_ask_outstanding(agent);
	n = psync_view_mids(&agent->view, 0, mids, PSYNC_AGENT_MIDS);
	rec = psync_agent_rec(agent, PSYNC_REC_REST);
	rec->answer = agent->view.count;
	psync_agent_set(agent, mids, n);
}

/* Opening and closing. */

void psync_agent_lost(struct psync_agent *agent, const u64 *mids, u32 n)
{
	/* Without masks the announcement says it. */
	if (!n || !agent->conv->masks || agent->state != PSYNC_AGENT_OPEN)
		return;
	psync_agent_rec(agent, PSYNC_REC_GAP);
	psync_agent_set(agent, mids, n);
}

/* Its seat in the history, once it has a view that is not pending. */
static void psync_agent_sit(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_sim *sim = conv->sim;
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	u32 n;

	agent->state = PSYNC_AGENT_OPEN;
	agent->seat = psync_hist_seat_add(sim->hist, sim->now, conv->index,
					  agent->part, PSYNC_REC_OPEN);
	/* empty, unless what came earlier was given up: a gap */
	n = psync_view_leaves(&agent->view, mids, PSYNC_PARTICIPANTS_LIM);
	psync_agent_set(agent, mids, n);
	sim->stats->gaps += n != 0;
	psync_agent_lost(agent, agent->site->places[conv->index].lost,
			 agent->site->places[conv->index].nlost);
	psync_restart_missing(agent);
}

static void psync_agent_opened(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_sim *sim = conv->sim;

	/* unless its kernel has received something for it meanwhile */
	if (agent->state != PSYNC_AGENT_OPEN)
		psync_agent_sit(agent);
	agent->refused = false;
	agent->blocked = false;
	sim->stats->openings++;
	sim->stats->reopenings += agent->openings > 1;
	conv->open++;
	psync_sim_trace(sim, "open %u:%u at site %u opening %u", conv->index,
			agent->part, agent->home,
			agent->site->places[conv->index].img.opening);
	psync_agent_plan(agent);
}

void psync_agent_returned(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	agent->state = PSYNC_AGENT_OPEN;
	agent->refused = false;
	agent->blocked = false;
	agent->nsilent = 0;
	conv->sim->stats->openings++;
	conv->open++;
	psync_agent_plan(agent);
}

void psync_agent_open(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;
	struct psync_conv *conv = agent->conv;
	int err;

	if (session != conv->session || conv->closing ||
	    agent->state != PSYNC_AGENT_WAITING ||
	    psync_site_defer(agent->site, psync_agent_open, ctx, session))
		return;
	err = psync_place_open(agent);
	if (!err) {
		psync_agent_opened(agent);
		return;
	}
	/* it tries again */
	if (err == -ENOMEM) {
		psync_agent_at(agent, PSYNC_MSEC + agent->think,
			       psync_agent_open);
		return;
	}
	/* coming back beside another participant of the site: a restart */
	if (err != -ESTALE)
		psync_sim_fail(conv->sim, "open", "error %d", err);
	conv->sim->stats->restarts++;
	agent->state = PSYNC_AGENT_ABSENT;
}

void psync_agent_close(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	psync_sim_trace(conv->sim, "close %u:%u at site %u", conv->index,
			agent->part, agent->home);
	/* what its kernel still says for it comes before */
	psync_place_close(agent);
	psync_agent_rec(agent, PSYNC_REC_CLOSE);
	agent->state = PSYNC_AGENT_ABSENT;
	conv->open--;
}

void psync_agent_crash(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	psync_stable_unwatch(&agent->watch);
	/* what its site kept of an earlier life dies, too */
	if (agent->state == PSYNC_AGENT_OPEN ||
	    agent->state == PSYNC_AGENT_DOWN)
		psync_hist_add(conv->sim->hist, conv->sim->now, PSYNC_REC_CRASH,
			       agent->seat);
	if (agent->state == PSYNC_AGENT_OPEN)
		conv->open--;
	agent->state = agent->absent ? PSYNC_AGENT_ABSENT : PSYNC_AGENT_DOWN;
}

/*
 * Nobody at its site waits to open: that one would find its conversation
 * closed here.  And nobody is coming back there: see psync_agent_may_return().
 */
static bool psync_agent_may_leave(const struct psync_agent *agent)
{
	const struct psync_conv *conv = agent->conv;
	u32 i;

	if (conv->returner == agent->home)
		return false;
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].home == agent->home &&
		    conv->agents[i].state == PSYNC_AGENT_WAITING)
			return false;
	return true;
}

/*
 * Others who go on can refuse a site that comes back because they know its
 * earlier opening.  One who has not heard of that, or opens later, cannot, and
 * would take what both openings sent for one sequence.  So only one comes
 * back in a session, and when all are open and know it; or beside another
 * participant of its site, which refuses it at once.
 */
static bool psync_agent_may_return(const struct psync_agent *agent)
{
	const struct psync_conv *conv = agent->conv;
	u32 i;

	if (conv->returner != U32_MAX)
		return false;
	for (i = 0; i < conv->n; i++)
		if (&conv->agents[i] != agent &&
		    conv->agents[i].home == agent->home &&
		    conv->agents[i].state == PSYNC_AGENT_OPEN)
			return true;
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].state == PSYNC_AGENT_WAITING)
			return false;
	return psync_place_known(agent->site, conv->index) != U32_MAX;
}

/* Closes in the middle of a session; some come back. */
static void psync_agent_leave(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	bool back = agent->back && psync_agent_may_return(agent);

	psync_agent_close(agent);
	agent->quit = 0;
	if (!back)
		return;
	conv->returner = agent->home;
	agent->state = PSYNC_AGENT_WAITING;
	agent->must_talk = 1;
	psync_agent_at(agent, agent->back, psync_agent_open);
}

void psync_agent_pending(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	/* in a rendezvous everybody opens at its own time */
	if (!conv->number)
		psync_agent_at(agent, agent->delay, psync_agent_open);
}

/* Messages. */

static void psync_agent_receive(struct psync_agent *agent,
				struct psync_node *node)
{
	struct psync_sim *sim = agent->conv->sim;
	const struct psync_body *body = node->body;
	struct psync_rec *rec;

	/* what the kernel made is put down when it enters the view */
	if (node->kind != PSYNC_KIND_DATA) {
		if (!agent->nulls)
			psync_sim_fail(sim, "null-shown", "%u:%llu",
				       node->sender, node->seq);
		psync_view_take(&agent->view, psync_node_mid(node), sim->now);
		return;
	}
	rec = psync_agent_rec(agent, PSYNC_REC_RECV);
	rec->mid = PSYNC_MID(node->sender, node->seq);
	rec->wave = node->wave;
	rec->len = node->body_len;
	if (!body || body->len != node->body_len)
		psync_sim_fail(sim, "body", "%u:%llu has not its bytes",
			       node->sender, node->seq);
	else
		rec->hash = psync_hist_hash(body->data, body->len);
	psync_agent_set(agent, node->preds, node->npred);
	psync_sim_trace(sim, "recv %u:%u gets %u:%llu", agent->conv->index,
			agent->part, node->sender, node->seq);
	psync_view_take(&agent->view, psync_node_mid(node), sim->now);
	sim->stats->deliveries++;
}

/*
 * Its kernel sent a null message or END.  Each null message acknowledges at
 * least one that is none (S3.1): else there is no end of them.
 */
static void psync_agent_speaks(struct psync_agent *agent, u8 kind)
{
	struct psync_sim *sim = agent->conv->sim;

	agent->sent++;
	if (kind != PSYNC_KIND_NULL) {
		agent->conv->said++;
		sim->stats->ends += kind == PSYNC_KIND_END;
		return;
	}
	sim->stats->nulls++;
	if (++agent->nsilent > agent->conv->said)
		psync_sim_fail(sim, "null-sake",
			       "%llu of one participant for %llu messages",
			       agent->nsilent, agent->conv->said);
}

/*
 * The last record is of a message that is being sent: is it in the view of its
 * sender, and what is its context when something was lost?
 */
static void psync_agent_sends(struct psync_agent *agent,
			      const struct psync_node *node)
{
	struct psync_hist *hist = agent->conv->sim->hist;
	struct psync_rec *rec = &hist->recs[hist->nrecs - 1];
	const u64 *stamp = agent->view.stamp;
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	u32 i, n = agent->conv->n;

	rec->wave = node->wave;
	rec->ahead = stamp[node->sender] != node->prev &&
		     stamp[node->sender] < node->seq;
	if (!rec->ahead)
		agent->life.own = node->seq;
	if (node->kind != PSYNC_KIND_RESTART)
		return;
	rec->alone = psync_restart_alone(agent);
	psync_restart_spoke(agent, PSYNC_MID(node->sender, node->prev));
	if (!agent->life.gapped)
		return;
	psync_hist_add(hist, agent->conv->sim->now, PSYNC_REC_CONTEXT,
		       agent->seat);
	for (i = 0; i < n; i++)
		mids[i] = PSYNC_MID(i, i == node->sender ? node->prev :
				    node->stamp[i]);
	psync_agent_set(agent, mids, n);
}

/* The kernel sent a null message or END for it, or received one. */
void psync_agent_passed(struct psync_agent *agent,
			const struct psync_node *node)
{
	struct psync_sim *sim = agent->conv->sim;
	bool own = node->sender == agent->part && node->made;
	struct psync_rec *rec;
	u32 i;

	/* what it says when it is cleared away is never heard */
	if (agent->site->dead)
		return;
	/* it is just opening */
	if (agent->state == PSYNC_AGENT_WAITING)
		psync_agent_sit(agent);
	psync_place_came(&agent->site->places[agent->conv->index], node);
	if (node->kind == PSYNC_KIND_DATA) {
		rec = psync_agent_rec(agent, PSYNC_REC_VOID);
		rec->mid = PSYNC_MID(node->sender, node->seq);
		sim->stats->voided++;
		return;
	}
	rec = psync_agent_rec(agent, own ? PSYNC_REC_SEND : PSYNC_REC_RECV);
	rec->mid = PSYNC_MID(node->sender, node->seq);
	rec->wave = node->wave;
	rec->hash = psync_hist_hash(NULL, 0);
	rec->end = node->kind == PSYNC_KIND_END;
	rec->null = node->kind == PSYNC_KIND_NULL;
	rec->gap = node->kind == PSYNC_KIND_GAP;
	rec->quiet = node->quiet;
	rec->others = rec->gap ? node->about : 0;
	rec->mask = node->kind == PSYNC_KIND_MASK;
	if (rec->mask) {
		rec->others = node->about;
		rec->answer = node->op == PSYNC_MASK_OP_IN ?
			      PSYNC_REC_MASK_IN : PSYNC_REC_MASK_OUT;
	}
	rec->back = node->kind == PSYNC_KIND_RESTART;
	psync_agent_set(agent, node->preds, node->npred);
	if (own)
		psync_agent_sends(agent, node);
	psync_sim_trace(sim, "%s %u:%u %u:%llu kind %u op %u about %u%s",
			own ? "null" : "pass", agent->conv->index, agent->part,
			node->sender, node->seq, node->kind, node->op,
			node->about, node->quiet ? " quiet" : "");
	for (i = 0; own && i < node->npred; i++)
		psync_sim_trace(sim, "     %u:%llu",
				PSYNC_MID_INDEX(node->preds[i]),
				PSYNC_MID_SEQ(node->preds[i]));
	if (!own)
		return;
	psync_fault_numbered(sim, node->seq);
	if (node->kind != PSYNC_KIND_RESTART)
		psync_agent_speaks(agent, node->kind);
}

/* A reader that has stopped, until all is healed. */
static bool psync_agent_stopped(const struct psync_agent *agent)
{
	return agent->stops && agent->view.count >= agent->stops &&
	       psync_fault_now(&agent->conv->sim->fault, PSYNC_FAULT_STOP);
}

static u32 psync_agent_appetite(struct psync_agent *agent)
{
	struct psync_sim *sim = agent->conv->sim;
	struct psync_prng *rng = &sim->rng;

	if (psync_agent_stopped(agent)) {
		if (agent->view.outstanding)
			psync_fault_hit(&sim->fault, PSYNC_FAULT_STOP);
		return 0;
	}
	switch (agent->taste) {
	case PSYNC_AGENT_EAGER:
		return U32_MAX;
	case PSYNC_AGENT_SINGLE:
		return 1;
	default:
		return psync_prng_chance(rng, 150) ?
		       psync_prng_range(rng, 5, 100) : 0;
	}
}

static u32 psync_agent_length(struct psync_conv *conv)
{
	struct psync_prng *rng = &conv->sim->rng;
	u32 r = psync_prng_below(rng, 100);

	if (r < 5)
		return 0;
	if (r < 90)
		return psync_prng_range(rng, 8, 80);
	if (r < 98)
		return psync_prng_range(rng, 0, conv->max_body / 4);
	return psync_prng_range(rng, 0, conv->max_body);
}

static void psync_agent_refused(struct psync_agent *agent)
{
	if (agent->refused || agent->state != PSYNC_AGENT_OPEN)
		return;
	agent->refused = true;
	agent->conv->sim->stats->excluded++;
	psync_agent_rec(agent, PSYNC_REC_REFUSED);
	psync_sim_trace(agent->conv->sim, "refused %u:%u", agent->conv->index,
			agent->part);
}

/* Its program sent what it had sent before. */
static void psync_agent_again(struct psync_agent *agent, u64 mid,
			      const u64 *words, u32 len)
{
	struct psync_sim *sim = agent->conv->sim;
	struct psync_rec *rec;

	rec = psync_agent_rec(agent, PSYNC_REC_AGAIN);
	rec->mid = mid;
	rec->len = len;
	rec->hash = psync_hist_hash(words, len);
	psync_sim_trace(sim, "again %u:%u sends %llu, %u bytes",
			agent->conv->index, agent->part, PSYNC_MID_SEQ(mid),
			len);
	sim->stats->repeats++;
}

/* It could not be sent now: why? */
static void psync_agent_unsent(struct psync_agent *agent, int err)
{
	struct psync_sim *sim = agent->conv->sim;

	if (err == -ESTALE) {
		psync_agent_refused(agent);
	} else if (err == -EAGAIN) {
		agent->blocked = true;
		sim->stats->blocked++;
	} else if (err == -ENODATA && agent->life.again && agent->conv->loses) {
		agent->life.lost = true;
	} else if (err != -ENOMEM ||
		   !psync_fault_has(&sim->fault, PSYNC_FAULT_MEMORY)) {
		psync_sim_fail(sim, "send", "error %d", err);
	}
}

/* False when it could not be sent now. */
static bool psync_agent_send(struct psync_agent *agent)
{
	static u64 words[65536 / sizeof(u64)];
	struct psync_conv *conv = agent->conv;
	const struct psync_node *node;
	struct psync_sim *sim = conv->sim;
	struct psync_rec *rec;
	u64 mid = 0, seed;
	u32 len, i;
	int err;

	len = psync_agent_length(conv);
	/* what came back sends nothing that its earlier opening can have */
	if (conv->returner == agent->home && len < 8)
		len = 8;
	if (conv->restarts)
		len = psync_restart_compose(agent, len, words, &seed);
	for (i = 0; i < (len + 7) / 8 && !conv->restarts; i++)
		words[i] = psync_prng_next(&sim->rng);
	psync_restart_sync(agent);
	node = agent->view.img->parts[agent->part].last;
	err = psync_place_send(agent, words, len, &mid);
	if (err) {
		psync_agent_unsent(agent, err);
		return false;
	}
	if (conv->restarts)
		psync_restart_said(agent, seed, len, mid);
	/* its RESTART may have been sent first */
	if (node == agent->view.img->parts[agent->part].last ||
	    mid != PSYNC_MID(agent->part,
			     agent->view.img->parts[agent->part].seq)) {
		psync_agent_again(agent, mid, words, len);
		return true;
	}
	node = agent->view.img->parts[agent->part].last;
	rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_SEND, agent->seat);
	rec->mid = mid;
	rec->len = len;
	rec->hash = psync_hist_hash(words, len);
	psync_fault_numbered(sim, PSYNC_MID_SEQ(mid));
	psync_agent_set(agent, node->preds, node->nsaid);
	psync_agent_sends(agent, node);
	psync_sim_trace(sim, "send %u:%u sends %llu, %u bytes, after",
			conv->index, agent->part, PSYNC_MID_SEQ(mid), len);
	for (i = 0; i < node->nsaid; i++)
		psync_sim_trace(sim, "     %u:%llu",
				PSYNC_MID_INDEX(node->preds[i]),
				PSYNC_MID_SEQ(node->preds[i]));
	agent->sent++;
	conv->said++;
	sim->stats->messages++;
	psync_work_said(conv);
	return true;
}

static u32 psync_agent_urge(struct psync_agent *agent, bool received)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u32 must = agent->must_talk, n;

	if (agent->refused || conv->closing || agent->life.lost)
		return 0;
	agent->must_talk = 0;
	/* its program has not come to anything new yet */
	if (psync_restart_repeats(agent))
		must = 1;
	if (!agent->talks || conv->budget <= conv->keep)
		return must;
	if (!psync_prng_chance(rng, received ? agent->reply : agent->speak))
		return must;
	n = psync_prng_range(rng, 1, agent->burst);
	if (n > conv->budget - conv->keep)
		n = conv->budget - conv->keep;
	return n > must ? n : must;
}

/* Masks somebody out, mostly one of the victims, with a cut or without. */
static void psync_agent_mask_out(struct psync_agent *agent, u32 index)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u64 cut = PSYNC_MASK_NO_CUT;
	struct psync_rec *rec;
	size_t at;
	int err;

	/* not what is void already */
	if (psync_view_masked(&agent->view, index))
		cut = agent->view.masks[index].limit;
	if (psync_prng_chance(rng, 300) && cut == PSYNC_MASK_NO_CUT)
		cut = agent->view.stamp[index] + psync_prng_below(rng, 3);
	/* before what is told meanwhile */
	rec = psync_agent_rec(agent, PSYNC_REC_MASK);
	rec->answer = cut == PSYNC_MASK_NO_CUT ? PSYNC_REC_MASK_OUT :
						 PSYNC_REC_MASK_CUT;
	rec->others = index;
	rec->mid = cut == PSYNC_MASK_NO_CUT ? 0 : PSYNC_MID(index, cut);
	at = conv->sim->hist->nrecs - 1;
	err = psync_place_mask(agent, index, cut);
	conv->sim->stats->masked += !err;
	if (err)
		conv->sim->hist->recs[at].answer = PSYNC_REC_MASK_NONE;
	if (err && err != -ESHUTDOWN &&
	    !(err == -ENOMEM && psync_fault_has(&conv->sim->fault,
						PSYNC_FAULT_MEMORY)))
		psync_sim_fail(conv->sim, "mask", "error %d", err);
	psync_sim_trace(conv->sim, "mask %u:%u masks %u out up to %lld: %d",
			conv->index, agent->part, index, (s64)cut, err);
}

/* ... or in again: often soon, so that others count on it already. */
static void psync_agent_mask_in(struct psync_agent *agent, u32 index)
{
	struct psync_conv *conv = agent->conv;
	struct psync_rec *rec;
	size_t at;
	int err;

	rec = psync_agent_rec(agent, PSYNC_REC_MASK);
	rec->answer = PSYNC_REC_MASK_IN;
	rec->others = index;
	at = conv->sim->hist->nrecs - 1;
	err = psync_place_unmask(agent, index);
	conv->sim->stats->unmasked += !err;
	if (!err)
		agent->spares[index != conv->victims[0]]++;
	/* it is told when all who count know of it */
	if (err || psync_view_masked(&agent->view, index))
		conv->sim->hist->recs[at].answer = PSYNC_REC_MASK_NONE;
	/* or it is, and that is told next */
	if (err && (err != -EPERM ||
		    (!agent->view.masks[index].agreed &&
		     agent->view.masks[index].cut == PSYNC_MASK_NO_CUT)))
		psync_sim_fail(conv->sim, "mask", "error %d", err);
	psync_sim_trace(conv->sim, "mask %u:%u masks %u in: %d", conv->index,
			agent->part, index, err);
}

/* Out, in, and so on; in the end, out or in. */
static void psync_agent_waver(struct psync_agent *agent, u32 index, u32 spared)
{
	struct psync_conv *conv = agent->conv;

	if (!psync_view_masked(&agent->view, index)) {
		if (spared < PSYNC_AGENT_SPARES)
			psync_agent_mask_out(agent, index);
	} else if (agent->view.masks[index].asked) {
		/* before that is done */
		if (spared < PSYNC_AGENT_SPARES &&
		    psync_prng_chance(&conv->sim->rng, 200))
			psync_agent_mask_out(agent, index);
	} else if (conv->hesitates && spared < PSYNC_AGENT_SPARES) {
		psync_agent_mask_in(agent, index);
	}
}

static void psync_agent_mask(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u32 index;

	if (!conv->masks || agent->refused || conv->closing ||
	    psync_fault_has(&conv->sim->fault, PSYNC_FAULT_LIMIT) ||
	    !psync_prng_chance(rng, 60))
		return;
	index = conv->victims[psync_prng_chance(rng, 250)];
	if (index != agent->part)
		psync_agent_waver(agent, index,
				  agent->spares[index != conv->victims[0]]);
}

static void psync_agent_tick(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;
	struct psync_conv *conv = agent->conv;
	struct psync_node *node;
	u32 want, got = 0, n;

	if (session != conv->session ||
	    psync_site_defer(agent->site, psync_agent_tick, ctx, session))
		return;
	agent->ticking = false;
	if (agent->state != PSYNC_AGENT_OPEN)
		return;
	if (agent->life.untold)
		psync_sim_fail(conv->sim, "gap-told",
			       "%u:%u is not told that something is lost",
			       conv->index, agent->part);
	psync_restart_sync(agent);
	psync_restart_save(agent);
	want = psync_agent_appetite(agent);
	while (got < want && (node = psync_view_next(&agent->view))) {
		psync_agent_receive(agent, node);
		if (psync_prng_chance(&conv->sim->rng, agent->ask))
			psync_agent_ask(agent);
		got++;
	}
	psync_agent_mask(agent);
	n = agent->blocked ? 0 : psync_agent_urge(agent, got);
	while (n && psync_agent_send(agent))
		n--;
	/* what has to be said is said later */
	if (n && conv->returner == agent->home)
		agent->must_talk = 1;
	if (psync_prng_chance(&conv->sim->rng, agent->ask))
		psync_agent_ask(agent);
	if (agent->quit && agent->view.count >= agent->quit &&
	    !conv->closing && psync_agent_may_leave(agent)) {
		psync_agent_leave(agent);
		return;
	}
	if ((agent->view.outstanding && !psync_agent_stopped(agent)) ||
	    (psync_restart_repeats(agent) && !agent->blocked) ||
	    (agent->talks && !agent->refused && !agent->blocked &&
	     conv->budget > conv->keep))
		psync_agent_plan(agent);
}

void psync_agent_wake(struct psync_agent *agent)
{
	if (agent->state == PSYNC_AGENT_OPEN)
		psync_agent_plan(agent);
}

void psync_agent_writable(struct psync_agent *agent)
{
	if (!agent->blocked)
		return;
	agent->blocked = false;
	psync_agent_wake(agent);
}

void psync_agent_readable(struct psync_agent *agent)
{
	if (agent->state == PSYNC_AGENT_OPEN)
		psync_agent_plan(agent);
}

/* Nobody takes what it sends: it can send no more. */
static void psync_agent_expelled(struct psync_agent *agent)
{
	if (!agent->view.out || agent->refused)
		return;
	agent->refused = true;
	agent->conv->sim->stats->expelled++;
}

/* What was told is part of the history when it takes something back. */
static void psync_agent_told(struct psync_conv *conv, struct psync_site *site,
			     const struct psync_agent *agent,
			     const struct psync_event *ev)
{
	struct psync_agent *each;
	struct psync_rec *rec;
	u32 i;

	for (i = 0; i < conv->n && !site->dead; i++) {
		each = &conv->agents[i];
		if (each->site != site || (agent && agent != each) ||
		    each->state != PSYNC_AGENT_OPEN)
			continue;
		if (ev->type == PSYNC_EV_GAP && ev->site) {
			if (agent && conv->masks) {
				rec = psync_agent_rec(each, PSYNC_REC_GAP);
				rec->answer = ev->reason;
			}
			conv->sim->stats->lost++;
		} else if (ev->type == PSYNC_EV_UNMASKED &&
			   PSYNC_MID_INDEX(ev->mid) == each->part) {
			rec = psync_agent_rec(each, PSYNC_REC_MASK);
			rec->answer = PSYNC_REC_MASK_IN;
			rec->others = ev->reason;
		} else if (ev->type == PSYNC_EV_AGREED) {
			psync_agent_expelled(each);
			rec = psync_agent_rec(each, PSYNC_REC_MASK);
			rec->answer = PSYNC_MID_INDEX(ev->mid) == each->part ?
				      PSYNC_REC_MASK_OWN :
				      PSYNC_REC_MASK_AGREED;
			rec->others = PSYNC_MID_INDEX(ev->mid);
			rec->mid = ev->mid;
			conv->sim->stats->agreed++;
		}
	}
}

/* Who is too slow is masked out by all who are at the site (S6.6). */
static void psync_agent_shut(struct psync_conv *conv, struct psync_site *site,
			     const struct psync_event *ev)
{
	const struct psync_image *img = &site->places[conv->index].img;
	struct psync_agent *agent;
	struct psync_rec *rec;
	bool asked;
	u32 i, k;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->site != site || agent->state != PSYNC_AGENT_OPEN)
			continue;
		for (k = 0; k < conv->n; k++) {
			asked = psync_view_masked(&agent->view, k) &&
				agent->view.masks[k].asked;
			if (!asked && (img->parts[k].pid.site != ev->site ||
				       img->parts[k].ended ||
				       psync_view_masked(&agent->view, k)))
				continue;
			rec = psync_agent_rec(agent, PSYNC_REC_MASK);
			rec->answer = PSYNC_REC_MASK_OUT;
			rec->others = k;
			conv->sim->stats->shut++;
		}
	}
}

void psync_agent_event(struct psync_conv *conv, struct psync_site *site,
		       struct psync_agent *agent, const struct psync_event *ev)
{
	struct psync_sim *sim = site->sim;
	u32 i;

	psync_sim_trace(sim, "event %u at site %u: other %x reason %u, %u:%llu",
			ev->type, site->index, ev->site, ev->reason,
			(u32)PSYNC_MID_INDEX(ev->mid), PSYNC_MID_SEQ(ev->mid));
	sim->stats->named += ev->type == PSYNC_EV_BLOCKED ||
			     ev->type == PSYNC_EV_SUSPECT;
	sim->stats->skipped += ev->type == PSYNC_EV_SKIPPED;
	for (i = 0; i < sim->nconvs; i++)
		if (sim->convs[i].cid == ev->cid &&
		    (ev->type == PSYNC_EV_REFUSED ||
		     ev->type == PSYNC_EV_MISMATCH))
			sim->convs[i].told |= 1 << ev->type;
	if (conv && ev->type == PSYNC_EV_GAP && ev->site && !agent)
		psync_place_lost(&site->places[conv->index], ev->reason);
	if (conv && ev->type == PSYNC_EV_SUSPECT &&
	    conv->limits.slow == PSYNC_SLOW_MASK)
		psync_agent_shut(conv, site, ev);
	if (conv)
		psync_agent_told(conv, site, agent, ev);
	for (i = 0; conv && i < conv->n; i++)
		if (conv->agents[i].site == site &&
		    (!agent || agent == &conv->agents[i]))
			psync_restart_event(&conv->agents[i], ev,
					    agent != NULL);
	if (!conv || !site->places[conv->index].img.refused)
		return;
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].site == site &&
		    (!agent || agent == &conv->agents[i]))
			psync_agent_refused(&conv->agents[i]);
}
