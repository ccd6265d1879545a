// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the participants do: open, think, receive, answer, speak, ask about
 * the graph and close.  A conversation goes through one or more sessions; a
 * session ends at rest, when all was received, or is cut off with packets
 * under way, which the next session of a rendezvous then finds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../net/psync/core/wire.h"
#include "site.h"
#include "work.h"

#define PSYNC_WORK_CHECK	(20 * PSYNC_MSEC)
#define PSYNC_WORK_LIMIT	(3600 * PSYNC_SEC)
#define PSYNC_WORK_MIDS		4096

static void psync_work_tick(void *ctx, uint64_t session);
static void psync_work_session(void *ctx, uint64_t session);

static void psync_work_at(struct psync_agent *agent, u64 delay,
			  void (*run)(void *ctx, uint64_t session))
{
	struct psync_sim *sim = agent->conv->sim;

	psync_heap_push(&sim->heap, sim->now + delay, run, agent,
			agent->conv->session);
}

/* Act after a while; now and then after a long silence. */
static void psync_work_plan(struct psync_agent *agent)
{
	struct psync_prng *rng = &agent->conv->sim->rng;
	u64 delay = psync_prng_exp(rng, agent->think);

	if (agent->ticking)
		return;
	if (psync_prng_chance(rng, 20))
		delay *= 30;
	agent->ticking = true;
	psync_work_at(agent, delay, psync_work_tick);
}

/* The set of mids of the last record; @n is how many the core said. */
static void psync_work_set(struct psync_agent *agent, const u64 *mids, u32 n)
{
	if (n > PSYNC_WORK_MIDS) {
		psync_sim_fail(agent->conv->sim, "room", "%u mids", n);
		n = 0;
	}
	psync_hist_set(agent->conv->sim->hist, mids, n);
}

static struct psync_rec *psync_work_rec(struct psync_agent *agent,
					enum psync_rec_type type)
{
	struct psync_sim *sim = agent->conv->sim;

	return psync_hist_add(sim->hist, sim->now, type, agent->seat);
}

/* Questions. */

static u64 psync_work_mid(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u32 part = psync_prng_below(rng, conv->n);
	u32 sent = conv->agents[part].sent;

	/* mostly one that was sent, mostly one of the last */
	if (psync_prng_chance(rng, 500) && sent > 8)
		sent -= psync_prng_below(rng, 8);
	else
		sent = psync_prng_range(rng, 1, sent + 1);
	return PSYNC_MID(part, conv->seq_base + sent);
}

static void psync_work_ask_stable(struct psync_agent *agent, u64 mid)
{
	struct psync_stats *stats = agent->conv->sim->stats;
	struct psync_rec *rec;
	u32 others = 0, sites = 0;

	rec = psync_work_rec(agent, PSYNC_REC_STABLE);
	rec->mid = mid;
	rec->answer = psync_view_stable(&agent->view, mid, &others, &sites);
	rec->others = others;
	rec->sites = sites;
	stats->stable += rec->answer == 1;
}

static void psync_work_ask_precedes(struct psync_agent *agent, u64 mid)
{
	struct psync_stats *stats = agent->conv->sim->stats;
	struct psync_rec *rec;

	rec = psync_work_rec(agent, PSYNC_REC_PRECEDES);
	rec->mid = mid;
	rec->mid2 = psync_work_mid(agent);
	rec->answer = psync_view_precedes(&agent->view, mid, rec->mid2);
	stats->freed += rec->answer == PSYNC_EFREED;
}

static void psync_work_ask_step(struct psync_agent *agent, u64 mid,
				bool forward)
{
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	struct psync_rec *rec;
	int n;

	rec = psync_work_rec(agent, forward ? PSYNC_REC_NEXT : PSYNC_REC_PREV);
	n = psync_view_step(&agent->view, mid, forward, mids,
			    PSYNC_PARTICIPANTS_LIM);
	rec->mid = mid;
	rec->answer = n;
	psync_work_set(agent, mids, n > 0 ? n : 0);
}

static void psync_work_ask_ends(struct psync_agent *agent, bool roots)
{
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	u32 n;

	psync_work_rec(agent, roots ? PSYNC_REC_ROOTS : PSYNC_REC_LEAVES);
	if (roots)
		n = psync_view_roots(&agent->view, mids,
				     PSYNC_PARTICIPANTS_LIM);
	else
		n = psync_view_leaves(&agent->view, mids,
				      PSYNC_PARTICIPANTS_LIM);
	psync_work_set(agent, mids, n);
}

static void psync_work_ask_outstanding(struct psync_agent *agent)
{
	struct psync_rec *rec = psync_work_rec(agent, PSYNC_REC_OUTSTANDING);

	rec->answer = agent->view.outstanding;
	rec->others = psync_view_next(&agent->view) != NULL;
}

static void psync_work_ask(struct psync_agent *agent)
{
	u64 mid = psync_work_mid(agent);

	switch (psync_prng_below(&agent->conv->sim->rng, 8)) {
	case 0:
		psync_work_ask_ends(agent, true);
		break;
	case 1:
		psync_work_ask_ends(agent, false);
		break;
	case 2:
		psync_work_ask_step(agent, mid, true);
		break;
	case 3:
		psync_work_ask_step(agent, mid, false);
		break;
	case 4:
		psync_work_ask_outstanding(agent);
		break;
	case 5:
		psync_work_ask_precedes(agent, mid);
		break;
	default:
		psync_work_ask_stable(agent, mid);
		break;
	}
}

/* At rest: everything that can be asked, about some, and the whole view. */
static void psync_work_rest(struct psync_agent *agent)
{
	static u64 mids[PSYNC_WORK_MIDS];
	struct psync_rec *rec;
	u32 i;
	int n;

	for (i = 0; i < 48; i++)
		psync_work_ask(agent);
	psync_work_ask_outstanding(agent);
	n = psync_view_mids(&agent->view, 0, mids, PSYNC_WORK_MIDS);
	rec = psync_work_rec(agent, PSYNC_REC_REST);
	rec->answer = agent->view.count;
	psync_work_set(agent, mids, n);
}

/* Opening and closing. */

static void psync_work_opened(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	struct psync_sim *sim = conv->sim;
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	u32 n;

	agent->state = PSYNC_AGENT_OPEN;
	agent->refused = false;
	agent->seat = psync_hist_seat_add(sim->hist, sim->now, conv->index,
					  agent->part);
	/* empty, unless what came earlier was given up: a gap */
	n = psync_view_leaves(&agent->view, mids, PSYNC_PARTICIPANTS_LIM);
	psync_work_set(agent, mids, n);
	sim->stats->gaps += n != 0;
	sim->stats->openings++;
	sim->stats->reopenings += agent->openings > 1;
	conv->open++;
	psync_sim_trace(sim, "open %u:%u at site %u opening %u", conv->index,
			agent->part, agent->home,
			agent->site->places[conv->index].img.opening);
	psync_work_plan(agent);
}

static void psync_work_open(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;
	struct psync_conv *conv = agent->conv;
	int err;

	if (session != conv->session || conv->closing ||
	    agent->state != PSYNC_AGENT_WAITING)
		return;
	err = psync_site_open(agent);
	if (!err) {
		psync_work_opened(agent);
		return;
	}
	/* coming back beside another participant of the site: a restart */
	if (err != -ESTALE)
		psync_sim_fail(conv->sim, "open", "error %d", err);
	conv->sim->stats->restarts++;
	agent->state = PSYNC_AGENT_ABSENT;
}

static void psync_work_close(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	psync_sim_trace(conv->sim, "close %u:%u at site %u", conv->index,
			agent->part, agent->home);
	psync_work_rec(agent, PSYNC_REC_CLOSE);
	agent->state = PSYNC_AGENT_ABSENT;
	conv->open--;
	psync_site_close(agent);
}

/*
 * Nobody at its site waits to open: that one would find its conversation
 * closed here.  And nobody is coming back there: see psync_work_may_return().
 */
static bool psync_work_may_leave(const struct psync_agent *agent)
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
static bool psync_work_may_return(const struct psync_agent *agent)
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
	return psync_site_known(agent->site, conv->index) != U32_MAX;
}

/* Closes in the middle of a session; some come back. */
static void psync_work_leave(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;
	bool back = agent->back && psync_work_may_return(agent);

	psync_work_close(agent);
	agent->quit = 0;
	if (!back)
		return;
	conv->returner = agent->home;
	agent->state = PSYNC_AGENT_WAITING;
	agent->must_talk = 1;
	psync_work_at(agent, agent->back, psync_work_open);
}

void psync_work_pending(struct psync_agent *agent)
{
	struct psync_conv *conv = agent->conv;

	/* in a rendezvous everybody opens at its own time */
	if (!conv->number)
		psync_work_at(agent, agent->delay, psync_work_open);
}

/* Messages. */

static void psync_work_receive(struct psync_agent *agent,
			       struct psync_node *node)
{
	struct psync_sim *sim = agent->conv->sim;
	const struct psync_body *body = node->body;
	struct psync_rec *rec;

	rec = psync_work_rec(agent, PSYNC_REC_RECV);
	rec->mid = PSYNC_MID(node->sender, node->seq);
	rec->wave = node->wave;
	rec->len = node->body_len;
	if (!body || body->len != node->body_len)
		psync_sim_fail(sim, "body", "%u:%llu has not its bytes",
			       node->sender, node->seq);
	else
		rec->hash = psync_hist_hash(body->data, body->len);
	psync_work_set(agent, node->preds, node->npred);
	psync_sim_trace(sim, "recv %u:%u gets %u:%llu", agent->conv->index,
			agent->part, node->sender, node->seq);
	psync_view_take(&agent->view, node);
	sim->stats->deliveries++;
}

static u32 psync_work_appetite(struct psync_agent *agent)
{
	struct psync_prng *rng = &agent->conv->sim->rng;

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

static u32 psync_work_length(struct psync_conv *conv)
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

static void psync_work_refused(struct psync_agent *agent)
{
	if (agent->refused || agent->state != PSYNC_AGENT_OPEN)
		return;
	agent->refused = true;
	agent->conv->sim->stats->excluded++;
	psync_work_rec(agent, PSYNC_REC_REFUSED);
	psync_sim_trace(agent->conv->sim, "refused %u:%u", agent->conv->index,
			agent->part);
}

static void psync_work_send(struct psync_agent *agent)
{
	static u64 words[65536 / sizeof(u64)];
	u64 mids[PSYNC_PARTICIPANTS_LIM];
	struct psync_conv *conv = agent->conv;
	struct psync_sim *sim = conv->sim;
	struct psync_rec *rec;
	u32 len, i, n;
	u64 mid = 0;
	int err;

	len = psync_work_length(conv);
	/* what came back sends nothing that its earlier opening can have sent */
	if (conv->returner == agent->home && len < 8)
		len = 8;
	for (i = 0; i < (len + 7) / 8; i++)
		words[i] = psync_prng_next(&sim->rng);
	n = psync_view_leaves(&agent->view, mids, PSYNC_PARTICIPANTS_LIM);
	err = psync_site_send(agent, words, len, &mid);
	if (err == -ESTALE) {
		psync_work_refused(agent);
		return;
	}
	if (err)
		psync_sim_fail(sim, "send", "error %d", err);
	rec = psync_work_rec(agent, PSYNC_REC_SEND);
	rec->mid = mid;
	rec->len = len;
	rec->hash = psync_hist_hash(words, len);
	psync_work_set(agent, mids, n);
	psync_sim_trace(sim, "send %u:%u sent %llu, %u bytes, after", conv->index,
			agent->part, PSYNC_MID_SEQ(mid), len);
	for (i = 0; i < n; i++)
		psync_sim_trace(sim, "     %u:%llu", PSYNC_MID_INDEX(mids[i]),
				PSYNC_MID_SEQ(mids[i]));
	agent->sent++;
	sim->stats->messages++;
	if (conv->budget > conv->keep)
		conv->budget--;
}

static u32 psync_work_urge(struct psync_agent *agent, bool received)
{
	struct psync_conv *conv = agent->conv;
	struct psync_prng *rng = &conv->sim->rng;
	u32 must = agent->must_talk, n;

	if (agent->refused || conv->closing)
		return 0;
	agent->must_talk = 0;
	if (!agent->talks || conv->budget <= conv->keep)
		return must;
	if (!psync_prng_chance(rng, received ? agent->reply : agent->speak))
		return must;
	n = psync_prng_range(rng, 1, agent->burst);
	if (n > conv->budget - conv->keep)
		n = conv->budget - conv->keep;
	return n > must ? n : must;
}

static void psync_work_tick(void *ctx, uint64_t session)
{
	struct psync_agent *agent = ctx;
	struct psync_conv *conv = agent->conv;
	struct psync_node *node;
	u32 want, got = 0, n;

	if (session != conv->session)
		return;
	agent->ticking = false;
	if (agent->state != PSYNC_AGENT_OPEN)
		return;
	want = psync_work_appetite(agent);
	while (got < want && (node = psync_view_next(&agent->view))) {
		psync_work_receive(agent, node);
		if (psync_prng_chance(&conv->sim->rng, agent->ask))
			psync_work_ask(agent);
		got++;
	}
	for (n = psync_work_urge(agent, got); n; n--)
		psync_work_send(agent);
	if (psync_prng_chance(&conv->sim->rng, agent->ask))
		psync_work_ask(agent);
	if (agent->quit && agent->view.count >= agent->quit &&
	    !conv->closing && psync_work_may_leave(agent)) {
		psync_work_leave(agent);
		return;
	}
	if (agent->view.outstanding ||
	    (agent->talks && !agent->refused && conv->budget > conv->keep))
		psync_work_plan(agent);
}

void psync_work_readable(struct psync_agent *agent)
{
	if (agent->state == PSYNC_AGENT_OPEN)
		psync_work_plan(agent);
}

void psync_work_event(struct psync_conv *conv, struct psync_site *site,
		      struct psync_agent *agent, const struct psync_event *ev)
{
	struct psync_sim *sim = site->sim;
	u32 i;

	psync_sim_trace(sim, "event %u at site %u: other %x reason %u",
			ev->type, site->index, ev->site, ev->reason);
	for (i = 0; i < sim->nconvs; i++)
		if (sim->convs[i].cid == ev->cid &&
		    (ev->type == PSYNC_EV_REFUSED ||
		     ev->type == PSYNC_EV_MISMATCH))
			sim->convs[i].told |= 1 << ev->type;
	if (!conv || !site->places[conv->index].img.refused)
		return;
	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].site == site &&
		    (!agent || agent == &conv->agents[i]))
			psync_work_refused(&conv->agents[i]);
}

/* Sessions. */

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
	agent->delay = together ? 0 : psync_prng_exp(rng, 5 * PSYNC_MSEC);
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
		psync_site_close(agent);
	if (agent->absent || (!conv->number && agent->part != conv->opener))
		return;
	psync_work_at(agent, agent->delay, psync_work_open);
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

static void psync_work_check(void *ctx, uint64_t session);

static void psync_work_session(void *ctx, uint64_t session)
{
	struct psync_conv *conv = ctx;
	struct psync_sim *sim = conv->sim;
	bool together, first;
	u32 i, k;

	conv->session = session;
	conv->closing = false;
	conv->returner = U32_MAX;
	conv->cut = conv->sessions > 1 && psync_prng_chance(&sim->rng, 600);
	conv->keep = conv->sessions > 1 ? conv->budget -
		     conv->budget / (conv->cut ? 6 : conv->sessions) : 0;
	conv->deadline = sim->now + PSYNC_WORK_LIMIT;
	together = psync_prng_chance(&sim->rng, 500);
	psync_sim_trace(sim,
			"conversation %u session %u: %u messages, %s, %u nodes",
			conv->index, conv->session, conv->budget - conv->keep,
			conv->cut ? "cut off" : "to rest",
			conv->limits.max_nodes);
	for (i = 0; i < conv->n; i++) {
		first = true;
		for (k = 0; k < i; k++)
			first &= conv->agents[k].home != conv->agents[i].home;
		psync_work_cast(&conv->agents[i], together, first);
	}
	psync_work_returner(conv);
	psync_heap_push(&sim->heap, sim->now + PSYNC_WORK_CHECK,
			psync_work_check, conv, session);
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
			psync_site_close(agent);
	}
	if (!conv->sessions)
		return;
	psync_work_reboots(conv);
	/* often so short that packets of this session are still under way */
	gap = psync_prng_exp(&sim->rng, psync_prng_chance(&sim->rng, 500) ?
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
	psync_work_close(agent);
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
			psync_work_rest(&conv->agents[i]);
		psync_work_at(&conv->agents[i],
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
		if (psync_site_busy(&sim->sites[i], conv->index))
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
	psync_heap_push(&sim->heap, sim->now + PSYNC_WORK_CHECK,
			psync_work_check, conv, session);
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
