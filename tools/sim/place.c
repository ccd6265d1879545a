// SPDX-License-Identifier: GPL-2.0-only
/*
 * A conversation at a simulated site: its image, the memory, time and chance
 * that the core is lent, who listens for it, and what programs do with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/minmax.h>

#include "../../net/psync/core/graph.h"
#include "../../net/psync/core/mask.h"
#include "../../net/psync/core/vote.h"
#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "place.h"
#include "site.h"
#include "suspect.h"
#include "work.h"

static void psync_place_body_put(struct psync_body *body)
{
	if (--body->refs)
		return;
	body->sim->bodies--;
	free(body);
}

static struct psync_body *psync_place_body(struct psync_sim *sim,
					   const void *data, u32 len)
{
	struct psync_body *body = malloc(sizeof(*body) + len);

	if (!body)
		abort();
	body->sim = sim;
	body->refs = 1;
	body->len = len;
	if (len)
		memcpy(body->data, data, len);
	sim->bodies++;
	return body;
}

/* The ops of the core. */

static struct psync_place *psync_place_of(struct psync_image *img)
{
	return (struct psync_place *)img;
}

static void *psync_place_op_alloc(struct psync_image *img, size_t size)
{
	struct psync_sim *sim = psync_place_of(img)->site->sim;

	if (psync_fault_memory(sim))
		return NULL;
	sim->blocks++;
	sim->bytes += size;
	psync_place_of(img)->bytes += size;
	return psync_sim_alloc(1, size);
}

static void psync_place_op_free(struct psync_image *img, void *mem, size_t size)
{
	struct psync_sim *sim = psync_place_of(img)->site->sim;

	if (!mem)
		return;
	sim->blocks--;
	sim->bytes -= size;
	psync_place_of(img)->bytes -= size;
	free(mem);
}

static void psync_place_op_transmit(struct psync_image *img, u32 to,
				    struct psync_pkt *pkt, void *body)
{
	struct psync_site *site = psync_place_of(img)->site;
	u32 i;

	if (to) {
		psync_image_address(img, to, pkt);
		psync_site_transmit(site, to, pkt, body);
		return;
	}
	for (i = 0; i < img->nremotes; i++) {
		psync_image_address(img, img->remotes[i].site, pkt);
		psync_site_transmit(site, img->remotes[i].site, pkt, body);
	}
}

static void psync_place_op_body_put(struct psync_image *img, void *body)
{
	(void)img;
	psync_place_body_put(body);
}

static void psync_place_op_readable(struct psync_image *img,
				    struct psync_view *view)
{
	(void)img;
	if (!view->pending)
		psync_agent_readable(view->user);
}

/* Does another site not wait for @place's with messages of @part up to @seq? */
static bool psync_place_unawaited(const struct psync_place *place, u32 part,
				  u64 seq)
{
	const struct psync_sim *sim = place->site->sim;
	const struct psync_remote *remote;
	const struct psync_image *img;
	u32 i, k;

	for (i = 0; i < sim->nsites; i++) {
		img = &sim->sites[i].places[place->conv->index].img;
		if (!sim->sites[i].places[place->conv->index].used)
			continue;
		for (k = 0; k < img->nremotes; k++) {
			remote = &img->remotes[k];
			if (remote->site == place->site->id &&
			    (remote->absent ||
			     (remote->skip && remote->skip[part] >= seq)))
				return true;
		}
	}
	return false;
}

/*
 * Messages are lost here: was that announced?  What was lost before was found so
 * then; since then who announced it may have closed.
 */
static void psync_place_announced(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	struct psync_sim *sim = place->site->sim;
	u64 gap;
	u32 i;

	/* Who masks somebody in loses what was given back meanwhile. */
	if (place->conv->masks)
		return;
	if (!place->announced)
		place->announced = psync_sim_alloc(img->p.n,
						   sizeof(*place->announced));
	for (i = 0; i < img->p.n; i++) {
		gap = img->parts[i].gap;
		if (gap != img->p.seq_base && gap != place->announced[i] &&
		    !psync_place_unawaited(place, i, gap))
			psync_sim_fail(sim, "announced", "site %u lost %u:%llu",
				       place->site->index, i, gap);
		place->announced[i] = gap;
	}
	sim->stats->forgone++;
}

static void psync_place_op_event(struct psync_image *img,
				 struct psync_view *view,
				const struct psync_event *ev)
{
	struct psync_place *place = psync_place_of(img);

	if (ev->type == PSYNC_EV_GAP && ev->site && !place->conv->loses)
		psync_place_announced(place);
	psync_suspect_event(place, ev);
	psync_agent_event(place->conv, place->site, view ? view->user : NULL,
			  ev);
}

static void psync_place_op_writable(struct psync_image *img)
{
	const struct psync_place *place = psync_place_of(img);
	u32 i;

	for (i = 0; i < place->conv->n; i++)
		if (place->conv->agents[i].site == place->site)
			psync_agent_writable(&place->conv->agents[i]);
}

static void psync_place_op_stable(struct psync_image *img,
				  struct psync_watch *watch)
{
	(void)img;
	psync_agent_stable(watch->user);
}

static u64 psync_place_op_hash(struct psync_image *img, const void *body,
			       u32 len)
{
	const struct psync_body *bytes = body;

	return bytes ? psync_hist_hash(bytes->data, len) : 0;
}

/* Bodies belong to nobody here. */
static void psync_place_op_rest(struct psync_image *img, void *body)
{
}

static void psync_place_op_passed(struct psync_image *img,
				  struct psync_view *view,
				  const struct psync_node *node)
{
	(void)img;
	psync_agent_passed(view->user, node);
}

/* The history: what the image has attached, what it knows of others. */

/* By whom does a site go in the history? */
static u32 psync_place_first(const struct psync_conv *conv, u32 site)
{
	u32 i = 0;

	while (conv->agents[i].home != site)
		i++;
	return i;
}

/* Room for it, once the participants are known. */
static void psync_place_record(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	size_t n = (size_t)img->p.n * (1 + img->nremotes), i;
	u32 site = place->site->index;

	place->record = psync_hist_image_add(place->site->sim->hist,
					     place->conv->index, site,
					     psync_place_first(place->conv,
							       site),
					     img->p.inc);
	place->known = psync_sim_alloc(n, sizeof(*place->known));
	place->ids = psync_sim_alloc(img->p.n, sizeof(*place->ids));
	place->gaps = psync_sim_alloc(img->p.n, sizeof(*place->gaps));
	place->unbound = psync_sim_alloc(img->nremotes,
					 sizeof(*place->unbound));
	for (i = 0; i < n; i++)
		place->known[i] = img->p.seq_base;
}

/* What is missing of participant @index up to its last gap, and is not known. */
static void psync_place_lose(struct psync_place *place, u32 index)
{
	const struct psync_image *img = &place->img;
	u64 seq = max(place->known[index], place->gaps[index]);

	place->gaps[index] = img->parts[index].gap;
	while (seq++ < place->gaps[index]) {
		/* it may have come and be freed at once */
		if (psync_graph_find(img, index, seq) ||
		    (img->parts[index].freed &&
		     img->parts[index].freed->seq == seq))
			continue;
		place->lost = realloc(place->lost, (place->nlost + 1) *
				      sizeof(*place->lost));
		if (!place->lost)
			abort();
		place->lost[place->nlost++] = PSYNC_MID(index, seq);
	}
}

void psync_place_lost(struct psync_place *place, u32 told)
{
	const struct psync_image *img = &place->img;
	u32 i, before = place->nlost;

	/* Who is back is told otherwise (tools/sim/restart.c). */
	if (!img->p.n || place->site->dead || place->conv->restarts)
		return;
	if (!place->known)
		psync_place_record(place);
	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].gap > place->gaps[i] &&
		    img->parts[i].gap > place->known[i])
			psync_place_lose(place, i);
	place->told += told;
	if (told && place->told != place->nlost)
		psync_sim_fail(place->site->sim, "gap",
			       "%u told to be lost at site %u, %u are",
			       place->told, place->site->index, place->nlost);
	for (i = 0; i < place->conv->n && place->nlost > before; i++)
		if (place->conv->agents[i].site == place->site)
			psync_agent_lost(&place->conv->agents[i],
					 place->lost + before,
					 place->nlost - before);
}

void psync_place_came(struct psync_place *place, const struct psync_node *node)
{
	psync_place_lost(place, 0);
	if (place->gaps)
		place->gaps[node->sender] = max(place->gaps[node->sender],
						node->seq);
}

/* What is more in @now than in @known; returns how many entries are. */
static u32 psync_place_news(struct psync_place *place, u64 *known,
			    const u64 *now)
{
	u32 i, n = 0;

	for (i = 0; i < place->img.p.n; i++) {
		if (known[i] == now[i])
			continue;
		known[i] = now[i];
		place->ids[n++] = PSYNC_MID(i, now[i]);
	}
	return n;
}

static void psync_place_note_own(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	struct psync_sim *sim = place->site->sim;
	u32 i, n = 0;

	for (i = 0; i < img->p.n; i++) {
		if (place->known[i] == img->parts[i].seq)
			continue;
		place->known[i] = img->parts[i].seq;
		place->ids[n++] = PSYNC_MID(i, img->parts[i].seq);
	}
	if (!n)
		return;
	psync_hist_add(sim->hist, sim->now, PSYNC_REC_ATTACHED, place->record);
	psync_hist_set(sim->hist, place->ids, n);
}

/* Whom does the image not wait for, since one of the two masks the other out? */
static void psync_place_unbind(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	u32 i;

	for (i = 0; place->conv->masks && i < img->nremotes; i++)
		place->unbound[i] |= !img->remotes[i].nlive;
}

/* Did @remote once not wait for this site?  Then it sent without credit. */
static bool psync_place_unasked(const struct psync_place *place,
				const struct psync_remote *remote)
{
	struct psync_sim *sim = place->site->sim;
	const struct psync_place *there;
	u32 i;

	there = &psync_site_find(sim, remote->site)->places[place->conv->index];
	for (i = 0; there->unbound && i < there->img.nremotes; i++)
		if (there->img.remotes[i].site == place->img.p.site)
			return there->unbound[i];
	return place->conv->masks;
}

/* How often have participants of a site come back? */
static u32 psync_place_returns(const struct psync_conv *conv, u32 site)
{
	u32 i, n = 0;

	for (i = 0; i < conv->n; i++)
		if (conv->agents[i].site->id == site)
			n += conv->agents[i].life.returns;
	return n;
}

/*
 * Who keeps within what it was granted fills no more than its share, or what it
 * may send before it was heard; the last message may go beyond in bytes.
 */
static void psync_place_credit(const struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	const struct psync_limits *limits = &img->p.limits;
	u32 sites = img->nremotes + 1, msgs, first, i;
	const struct psync_remote *remote;
	u64 bytes;

	bytes = limits->max_bytes / 2 / sites + place->conv->max_body;
	/*
	 * Who is skipped, absent, or masked out, is asked for no credit; who is
	 * back gets all.
	 */
	if (limits->slow == PSYNC_SLOW_SKIP || img->masking ||
	    psync_fault_has(&place->site->sim->fault, PSYNC_FAULT_UNHEARD) ||
	    psync_place_returns(place->conv, place->site->id))
		return;
	for (i = 0; img->nopen && i < img->nremotes; i++) {
		remote = &img->remotes[i];
		msgs = limits->max_msgs / sites;
		if (remote->kept_msgs <= msgs && remote->kept_bytes <= bytes)
			continue;
		/* Each time it comes back it begins before it is heard. */
		first = psync_place_returns(place->conv, remote->site);
		first = limits->first_msgs * (first + 1);
		if (first > limits->first_msgs)
			msgs += first;
		else if (msgs < first)
			msgs = first;
		if ((remote->kept_msgs > msgs ||
		     remote->kept_bytes > bytes + (u64)first *
					  place->conv->max_body) &&
		    !psync_place_unasked(place, remote))
			psync_sim_fail(place->site->sim, "credit",
				       "%u messages, %llu bytes of site %x at site %u",
				       remote->kept_msgs, remote->kept_bytes,
				       remote->site, place->site->index);
	}
}

/* Who knows of marks sends less, and who was refused for long has been told. */
static void psync_place_heed(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	struct psync_sim *sim = place->site->sim;
	u32 i, marks = 0, cuts = 0;

	for (i = 0; i < PSYNC_CUT_MAX; i++)
		cuts += img->cuts[i];
	sim->stats->cuts += cuts - place->cuts;
	place->cuts = cuts;
	for (i = 0; i < img->nremotes; i++)
		marks += img->remotes[i].marks_told;
	if (marks && !img->cuts[PSYNC_CUT_MARK] && !img->cut_at)
		psync_sim_fail(sim, "mark-heeded",
			       "site %u knows of %u marks", place->site->index,
			       marks);
	if (img->blocked && img->nopen && !img->slow_told &&
	    img->slow_at == U64_MAX)
		psync_sim_fail(sim, "slow-told", "site %u waits untold",
			       place->site->index);
	if (!img->blocked && img->slow_told)
		psync_sim_fail(sim, "slow-told", "site %u waits no more",
			       place->site->index);
}

/* After the core was called: put down what has changed. */
static void psync_place_note(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	struct psync_sim *sim = place->site->sim;
	const struct psync_conv *conv = place->conv;
	const struct psync_remote *remote;
	struct psync_rec *rec;
	u32 k, n;
	u64 *at;

	if (!place->used || !img->p.n || place->site->dead)
		return;
	if (!place->known)
		psync_place_record(place);
	psync_hist_image_opened(sim->hist, place->record, img->opening);
	if (img->nheld - img->nbeside > img->p.limits.max_held ||
	    img->nbeside > PSYNC_SKIP_HELD * img->p.n ||
	    img->nearly > img->p.limits.max_early)
		psync_sim_fail(sim, "limit", "%u held, %u early", img->nheld,
			       img->nearly);
	psync_place_note_own(place);
	psync_place_unbind(place);
	psync_place_credit(place);
	psync_place_heed(place);
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		at = place->known + (size_t)img->p.n * (k + 1);
		if (!remote->vec ||
		    !memcmp(at, remote->vec, img->p.n * sizeof(*at)))
			continue;
		n = psync_place_news(place, at, remote->vec);
		rec = psync_hist_add(sim->hist, sim->now, PSYNC_REC_HOLDS,
				     place->record);
		rec->sites = psync_site_find(sim, remote->site)->index;
		rec->others = psync_place_first(conv, rec->sites);
		rec->mid = remote->inc;
		rec->mid2 = remote->opening;
		psync_hist_set(sim->hist, place->ids, n);
	}
}

/* What only lingers here is forgotten when it is over. */
static void psync_place_check(struct psync_place *place)
{
	psync_place_note(place);
	if (place->used && place->img.opening && !place->img.nviews &&
	    psync_image_over(&place->img))
		psync_place_forget(place);
}

static void psync_place_timer(void *ctx, uint64_t deadline)
{
	struct psync_place *place = ctx;
	u64 now = place->site->sim->now;

	if (place->timer != deadline ||
	    psync_site_defer(place->site, psync_place_timer, ctx, deadline))
		return;
	place->timer = U64_MAX;
	if (place->used && place->img.deadline <= now)
		psync_image_timer(&place->img, now);
	psync_place_check(place);
}

static void psync_place_op_arm(struct psync_image *img, u64 deadline)
{
	struct psync_place *place = psync_place_of(img);
	struct psync_sim *sim = place->site->sim;

	if (deadline < sim->now)
		deadline = sim->now;
	place->timer = deadline;
	psync_heap_push(&sim->heap, deadline, psync_place_timer, place,
			deadline);
}

static void psync_place_op_dropped(struct psync_image *img,
				   enum psync_drop reason)
{
	psync_site_drop(psync_place_of(img)->site, reason);
}

static u64 psync_place_op_nonce(struct psync_image *img)
{
	return psync_site_nonce(psync_place_of(img)->site);
}

static u32 psync_place_op_cost(struct psync_image *img, void *body, u32 len,
			       size_t size)
{
	return len + size;
}

static u32 psync_place_op_room(struct psync_image *img, struct psync_view *view)
{
	const struct psync_agent *agent = view->user;
	const struct psync_sim *sim = psync_place_of(img)->site->sim;

	return agent->room && psync_fault_has(&sim->fault, PSYNC_FAULT_LIMIT) ?
	       agent->room : U32_MAX;
}

static bool psync_place_op_afford(struct psync_image *img)
{
	return !psync_fault_memory(psync_place_of(img)->site->sim);
}

static const struct psync_image_ops psync_place_ops = {
	.cost = psync_place_op_cost,
	.room = psync_place_op_room,
	.afford = psync_place_op_afford,
	.alloc = psync_place_op_alloc,
	.free = psync_place_op_free,
	.transmit = psync_place_op_transmit,
	.body_put = psync_place_op_body_put,
	.readable = psync_place_op_readable,
	.event = psync_place_op_event,
	.arm = psync_place_op_arm,
	.writable = psync_place_op_writable,
	.hash = psync_place_op_hash,
	.rest = psync_place_op_rest,
	.stable = psync_place_op_stable,
	.passed = psync_place_op_passed,
	.dropped = psync_place_op_dropped,
	.nonce = psync_place_op_nonce,
};

/* Images. */

/* Participants that listen see the conversation pending from now on. */
static void psync_place_listen(struct psync_place *place,
			       const struct psync_agent *but)
{
	struct psync_conv *conv = place->conv;
	struct psync_site *site = place->site;
	struct psync_agent *agent;
	u32 i;
	int err;

	place->deaf = false;
	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->site != site || agent == but || agent->joined ||
		    !agent->listens || agent->state != PSYNC_AGENT_WAITING)
			continue;
		agent->view = (struct psync_view){ .nulls = agent->nulls,
						   .pending = true,
						   .user = agent };
		err = psync_image_join(&place->img, &agent->view, i,
				       agent->openings + 1,
				       site->openings + 1, site->sim->now);
		place->deaf |= err == -ENOMEM;
		if (err)
			continue;
		agent->joined = true;
		psync_agent_pending(agent);
	}
}

/* An image of @conv here; an embryo when @pids is NULL. */
static int psync_place_image(struct psync_place *place,
			     const struct psync_pid *pids, u32 n)
{
	const struct psync_conv *conv = place->conv;
	struct psync_image_params params = {
		.cid = conv->cid,
		.digest = conv->digest,
		.group = conv->group,
		.number = conv->number,
		.site = place->site->id,
		.inc = place->site->inc,
		.pids = pids,
		.n = n,
		.seq_base = conv->seq_base,
		.limits = conv->limits,
	};
	int err;

	memset(&place->img, 0, sizeof(place->img));
	place->cuts = 0;
	place->timer = U64_MAX;
	err = psync_image_init(&place->img, &params, &psync_place_ops);
	if (err)
		return err;
	place->used = true;
	if (!pids)
		place->site->sim->stats->embryos++;
	return 0;
}

/* Nobody here is open any more: what HELLO is answered from now on. */
static void psync_place_remember(struct psync_place *place)
{
	place->closed = place->img.opening;
	place->closed_at = place->site->sim->now;
}

/* Nobody here waits for the conversation any more, either. */
void psync_place_forget(struct psync_place *place)
{
	struct psync_sim *sim = place->site->sim;

	place->used = false;
	if (place->known)
		psync_hist_add(sim->hist, sim->now, PSYNC_REC_FORGOTTEN,
			       place->record);
	psync_image_destroy(&place->img);
	psync_suspect_forget(place);
	free(place->known);
	free(place->ids);
	free(place->gaps);
	free(place->announced);
	free(place->lost);
	free(place->missing);
	free(place->unbound);
	place->known = NULL;
	place->ids = NULL;
	place->gaps = NULL;
	place->announced = NULL;
	place->lost = NULL;
	place->missing = NULL;
	place->unbound = NULL;
	place->nlost = 0;
	place->told = 0;
}

static u32 psync_place_listeners(const struct psync_place *place)
{
	const struct psync_conv *conv = place->conv;
	u32 i, n = 0;

	for (i = 0; i < conv->n; i++)
		n += conv->agents[i].site == place->site &&
		     conv->agents[i].listens &&
		     conv->agents[i].state == PSYNC_AGENT_WAITING;
	return n;
}

/* A message of a conversation that has no image here: may it have one? */
static enum psync_drop psync_place_admit(struct psync_place *place,
					 const struct psync_pkt *pkt)
{
	struct psync_site *site = place->site;
	const struct psync_conv *known = NULL;

	if (pkt->group) {
		known = psync_site_group(site, pkt->group);
		if (!known)
			return PSYNC_DROP_NO_GROUP;
		if (known->digest != pkt->digest) {
			psync_site_refuse(site, pkt, known->digest);
			return PSYNC_DROP_DIGEST;
		}
	}
	if (pkt->number) {
		if (!known || pkt->cid != psync_wire_cid(pkt->group,
							 pkt->number,
							 pkt->digest))
			return PSYNC_DROP_BAD_PARTICIPANTS;
	} else if (place->closed) {
		return PSYNC_DROP_CLOSED;
	}
	/* To an opening of this site: none of those to come. */
	if (pkt->msg.dst_opening)
		return PSYNC_DROP_CLOSED;
	if (!psync_place_listeners(place))
		return PSYNC_DROP_NO_LISTENER;
	if (pkt->number &&
	    !psync_place_image(place, known->pids, known->n))
		psync_place_listen(place, NULL);
	else if (!pkt->number && psync_place_image(place, NULL, 0))
		return PSYNC_DROP_NO_MEM;
	return place->used ? PSYNC_OK : PSYNC_DROP_NO_MEM;
}

/* The start message of an embryo. */
static enum psync_drop psync_place_start(struct psync_place *place,
					 const struct psync_pkt *pkt)
{
	struct psync_image *img = &place->img;
	struct psync_pid *pids;
	u32 i;
	int err;

	pids = psync_sim_alloc(pkt->msg.n, sizeof(*pids));
	for (i = 0; i < pkt->msg.n; i++) {
		pids[i].site = be32_to_cpu(pkt->msg.participants[i].site);
		pids[i].port = be32_to_cpu(pkt->msg.participants[i].port);
	}
	err = -EINVAL;
	if (psync_wire_digest(pids, pkt->msg.n) == img->p.digest)
		err = psync_image_start(img, pids, pkt->msg.n,
					place->site->sim->now);
	free(pids);
	if (err)
		return err == -ENOMEM ? PSYNC_DROP_NO_MEM :
					PSYNC_DROP_BAD_PARTICIPANTS;
	psync_place_listen(place, NULL);
	return PSYNC_OK;
}

/* To the core; the counts of what it keeps tell what became of the packet. */
static enum psync_drop psync_place_input(struct psync_place *place,
					 const struct psync_pkt *pkt,
					const u8 *data)
{
	struct psync_sim *sim = place->site->sim;
	struct psync_image *img = &place->img;
	struct psync_body *body = NULL;
	u32 early = img->nearly;
	u32 held = img->nheld;
	enum psync_drop err;

	if (pkt->type == PSYNC_PKT_MSG)
		body = psync_place_body(sim, data + pkt->hdr_len,
					pkt->body_len);
	err = psync_image_input(img, pkt, body, sim->now);
	psync_suspect_input(place, pkt, err);
	if (err && body)
		psync_place_body_put(body);
	if (img->nearly > early)
		sim->stats->early++;
	if (img->nheld > held)
		sim->stats->held++;
	psync_place_check(place);
	return err;
}

enum psync_drop psync_place_receive(struct psync_place *place,
				    const struct psync_pkt *pkt,
				    const u8 *data)
{
	enum psync_drop err;

	if (!place->used) {
		if (pkt->type != PSYNC_PKT_MSG)
			return PSYNC_DROP_NO_CONV;
		err = psync_place_admit(place, pkt);
		if (err)
			return err;
	}
	if (!place->img.p.n && pkt->type == PSYNC_PKT_MSG &&
	    pkt->msg.flags & PSYNC_MSGF_START) {
		err = psync_place_start(place, pkt);
		if (err)
			return err;
	}
	if (place->deaf)
		psync_place_listen(place, NULL);
	return psync_place_input(place, pkt, data);
}

/* What programs do. */

int psync_place_open(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_conv *conv = agent->conv;
	struct psync_place *place = &site->places[conv->index];
	int err = 0;

	/* What lingers of an earlier conversation of that name is given up. */
	if (place->used && place->img.opening && !place->img.nopen)
		psync_place_forget(place);
	if (!place->used)
		err = psync_place_image(place, conv->pids, conv->n);
	if (err)
		return err;
	if (agent->joined) {
		psync_view_accept(&agent->view, agent->openings + 1,
				  site->openings + 1, site->sim->now);
	} else {
		agent->view = (struct psync_view){ .nulls = agent->nulls,
						   .user = agent };
		err = psync_image_join(&place->img, &agent->view, agent->part,
				       agent->openings + 1,
				       site->openings + 1, site->sim->now);
	}
	if (err) {
		if (!place->img.nviews)
			psync_place_forget(place);
		return err;
	}
	agent->joined = true;
	agent->openings++;
	if (place->img.opening == site->openings + 1)
		site->openings++;
	psync_image_history(&place->img, conv->history);
	psync_place_listen(place, agent);
	return 0;
}

int psync_place_rejoin(struct psync_agent *agent,
		       const struct psync_restart_how *how)
{
	struct psync_site *site = agent->site;
	struct psync_conv *conv = agent->conv;
	struct psync_place *place = &site->places[conv->index];
	int err = 0;

	if (!place->used)
		err = psync_place_image(place, conv->pids, conv->n);
	if (err)
		return err;
	agent->view = (struct psync_view){ .nulls = agent->nulls,
					   .user = agent };
	err = psync_image_rejoin(&place->img, &agent->view, agent->part,
				 agent->openings + 1, site->openings + 1, how,
				 site->sim->now);
	if (err) {
		if (!place->img.nviews && !place->img.opening)
			psync_place_forget(place);
		return err;
	}
	agent->joined = true;
	agent->openings++;
	if (place->img.opening == site->openings + 1)
		site->openings++;
	psync_image_history(&place->img, conv->history);
	psync_place_check(place);
	return 0;
}

u32 psync_place_missing(struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	const struct psync_node *node, *after;
	u32 i, n = 0;
	u64 seq, room = 0;

	for (i = 0; i < img->p.n; i++)
		room += img->parts[i].gap - img->p.seq_base;
	free(place->missing);
	place->missing = psync_sim_alloc(room, sizeof(*place->missing));
	place->missed = 0;
	for (i = 0; i < img->p.n; i++) {
		after = psync_graph_find(img, i, img->parts[i].gap + 1);
		for (seq = img->parts[i].gap; seq > img->floor.stamp[i];
		     seq--) {
			node = psync_graph_find(img, i, seq);
			if (!node)
				place->missing[n++] = PSYNC_MID(i, seq);
			if (!node && !(after && after->prev < seq))
				place->missed++;
			if (node)
				after = node;
		}
	}
	return n;
}

/*
 * A rendezvous that nobody here has open any more is over here, although some
 * may be pending: what they waited for is this conversation, and when others
 * have closed it too the next one under its name must begin with nothing.
 */
static void psync_place_dismiss(struct psync_place *place)
{
	struct psync_conv *conv = place->conv;
	u32 i;

	if (!conv->number)
		return;
	for (i = 0; i < conv->n; i++) {
		if (conv->agents[i].site != place->site ||
		    !conv->agents[i].joined)
			continue;
		psync_image_leave(&place->img, &conv->agents[i].view,
				  place->site->sim->now);
		conv->agents[i].joined = false;
	}
}

void psync_place_close(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	bool pending;

	pending = agent->view.pending;
	psync_stable_unwatch(&agent->watch);
	psync_image_leave(&place->img, &agent->view, site->sim->now);
	agent->joined = false;
	if (!pending && !place->img.nopen) {
		psync_place_remember(place);
		psync_place_dismiss(place);
	}
	if (!place->img.nviews && !place->img.opening)
		psync_place_forget(place);
	psync_place_check(place);
}

/* Bytes of messages that some site that counts is not known to hold. */
static u64 psync_place_flight(const struct psync_place *place)
{
	const struct psync_image *img = &place->img;
	const struct psync_remote *remote;
	const struct psync_node *node;
	u64 flight = 0;
	bool lacks;
	u32 i;

	list_for_each_entry(node, &img->order, order) {
		if (node->gone || node->spared ||
		    node->kind != PSYNC_KIND_DATA ||
		    img->parts[node->sender].remote >= 0)
			continue;
		lacks = false;
		for (i = 0; i < img->nremotes; i++) {
			remote = &img->remotes[i];
			lacks |= remote->nlive && !remote->absent &&
				 !remote->moved &&
				 (!remote->vec ||
				  remote->vec[node->sender] < node->seq) &&
				 (!remote->skip ||
				  remote->skip[node->sender] < node->seq);
		}
		if (lacks)
			flight += PSYNC_WIRE_FIXED + node->body_len;
	}
	return flight;
}

int psync_place_send(struct psync_agent *agent, const void *data, u32 len,
		     u64 *mid)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	struct psync_body *body = psync_place_body(site->sim, data, len);
	u64 flight, attached;
	int err;

	flight = psync_place_flight(place);
	attached = place->img.attached;
	err = psync_image_send(&place->img, &agent->view, body, len, mid,
			       site->sim->now);
	/* What a program that runs again had sent before is not sent. */
	if (!err && place->img.attached != attached &&
	    place->img.parts[agent->part].seq == PSYNC_MID_SEQ(*mid) &&
	    flight && flight >= place->img.window)
		psync_sim_fail(site->sim, "window",
			       "site %u sends with %llu bytes under way",
			       site->index, flight);
	if (err)
		psync_place_body_put(body);
	psync_place_note(place);
	return err;
}

int psync_place_mask(struct psync_agent *agent, u32 index, u64 cut)
{
	struct psync_place *place = &agent->site->places[agent->conv->index];
	int err;

	err = psync_view_mask_out(&agent->view, index, cut,
				  agent->site->sim->now);
	psync_place_note(place);
	return err;
}

int psync_place_unmask(struct psync_agent *agent, u32 index)
{
	struct psync_place *place = &agent->site->places[agent->conv->index];
	int err;

	err = psync_view_mask_in(&agent->view, index, agent->site->sim->now);
	psync_place_note(place);
	return err;
}

u32 psync_place_known(const struct psync_site *site, u32 conv)
{
	const struct psync_sim *sim = site->sim;
	const struct psync_image *img;
	u32 i, n = 0;
	u64 inc;

	for (i = 0; i < sim->nsites; i++) {
		img = &sim->sites[i].places[conv].img;
		if (!sim->sites[i].places[conv].used || !img->nopen ||
		    &sim->sites[i] == site)
			continue;
		if (!psync_image_opening(img, site->id, &inc))
			return U32_MAX;
		n++;
	}
	return n;
}

bool psync_place_given_up(const struct psync_site *site, u32 conv)
{
	const struct psync_sim *sim = site->sim;
	const struct psync_image *img;
	u32 i, k;

	for (i = 0; i < sim->nsites; i++) {
		img = &sim->sites[i].places[conv].img;
		if (!sim->sites[i].places[conv].used || !img->nopen)
			continue;
		for (k = 0; k < img->nremotes; k++)
			if (img->remotes[k].site == site->id &&
			    !img->remotes[k].absent)
				return false;
	}
	return true;
}

/* Is there somebody at a site who answers? */
static bool psync_place_is_there(const struct psync_site *site, u32 conv)
{
	const struct psync_place *place = &site->places[conv];

	return !site->dead && place->used && place->img.nopen &&
	       !place->img.refused;
}

/* Is there somebody at @remote who will answer @img? */
static bool psync_place_answers(const struct psync_place *place,
				const struct psync_remote *remote)
{
	struct psync_sim *sim = place->site->sim;

	return !remote->moved &&
	       psync_place_is_there(psync_site_find(sim, remote->site),
				    place->conv->index);
}

/* Has an image not masked out all who are at @site? */
static bool psync_place_owes(const struct psync_image *img, u32 site)
{
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (img->remotes[k].site == site)
			return img->remotes[k].nlive;
	return false;
}

/*
 * What is missing here and some other image has will come.  What nobody has,
 * since it died with its sender or was refused, is asked for in vain, and so is
 * what only those have who owe us nothing; until who is dead is absent (S1.5).
 */
static bool psync_place_lacks(const struct psync_place *place)
{
	const struct psync_image *img = &place->img, *other;
	struct psync_sim *sim = place->site->sim;
	u32 i, k;

	if (img->rr_at == U64_MAX)
		return false;
	for (k = 0; k < sim->nsites; k++) {
		other = &sim->sites[k].places[place->conv->index].img;
		if (!sim->sites[k].places[place->conv->index].used ||
		    !other->p.n || other->refused || !other->opening ||
		    !psync_place_owes(other, img->p.site))
			continue;
		for (i = 0; i < img->p.n; i++)
			if (img->parts[i].claimed > img->parts[i].seq &&
			    other->parts[i].seq > img->parts[i].seq)
				return true;
	}
	return false;
}

/* What some site that counts lacks is kept, and nobody grants more. */
static bool psync_place_forsaken(const struct psync_place *place)
{
	const struct psync_remote *remote;
	u32 i;

	for (i = 0; i < place->img.nremotes; i++) {
		remote = &place->img.remotes[i];
		if (remote->nlive && !remote->absent && !remote->moved &&
		    !psync_place_answers(place, remote))
			return true;
	}
	return false;
}

/* Is somebody at every site of a conversation?  Mostly, and soon found out. */
static bool psync_place_all_there(const struct psync_conv *conv)
{
	u32 i;

	for (i = 0; i < conv->n; i++)
		if (!psync_place_is_there(conv->agents[i].site, conv->index))
			return false;
	return true;
}

bool psync_place_stalled(const struct psync_place *place)
{
	const struct psync_sim *sim = place->site->sim;
	const struct psync_place *other;
	u32 i;

	/* With each packet that acknowledges this is asked. */
	if (psync_place_all_there(place->conv))
		return false;
	for (i = 0; i < sim->nsites; i++) {
		other = &sim->sites[i].places[place->conv->index];
		if (other->used && other->img.p.n && !sim->sites[i].dead &&
		    psync_place_forsaken(other))
			return true;
	}
	return false;
}

/* Is @remote asked, and not in vain for credit that it cannot give? */
static bool psync_place_asks(const struct psync_place *place,
			     const struct psync_remote *remote)
{
	return remote->probe_at != U64_MAX &&
	       (remote->lag || !psync_place_stalled(place));
}

/* Asking those who are not there is no business. */
bool psync_place_busy(const struct psync_site *site, u32 conv)
{
	const struct psync_place *place = &site->places[conv];
	const struct psync_image *img = &place->img;
	const struct psync_view *view;
	u32 i;

	if (!place->used || !img->p.n || img->refused || !img->opening)
		return false;
	for (i = 0; i < img->nremotes; i++)
		if ((psync_place_asks(place, &img->remotes[i]) ||
		     img->remotes[i].state == PSYNC_REMOTE_ASKED) &&
		    psync_place_answers(place, &img->remotes[i]))
			return true;
	if (!img->nopen)
		return false;
	if (img->ack_at != U64_MAX || psync_place_lacks(place) || img->recover)
		return true;
	list_for_each_entry(view, &img->views, link)
		if (view->null_at != U64_MAX)
			return true;
	return false;
}

/*
 * Is a body kept for nobody but those who mask its sender out?  They may yet need
 * it, also while they ask whether they may mask that one in, and nobody answers
 * who masks them out.
 */
static bool psync_place_left_out(const struct psync_image *img,
				 const struct psync_node *node)
{
	const struct psync_view *view;

	if (img->parts[node->sender].muted)
		return true;
	list_for_each_entry(view, &img->views, link)
		if (node->seq > view->stamp[node->sender] &&
		    !psync_view_masked(view, node->sender))
			return false;
	return !node->unheld;
}

/*
 * Bodies that somebody may still want.  What kernels said for one who is masked
 * out somewhere is not acknowledged there.
 */
static u32 psync_place_kept(const struct psync_image *img)
{
	const struct psync_node *node;
	u32 kept = 0;

	if (!img->masking)
		return img->nuntaken;
	list_for_each_entry(node, &img->order, order)
		kept += !node->gone && node->kind == PSYNC_KIND_DATA &&
			!node->spared && !psync_place_left_out(img, node);
	return kept;
}

bool psync_place_waits(const struct psync_site *site, u32 conv, u32 other)
{
	const struct psync_image *img = &site->places[conv].img;
	u32 id = site->sim->sites[other].id;
	u32 i;

	if (site->dead || !site->places[conv].used)
		return false;
	for (i = 0; i < img->nremotes; i++)
		if (img->remotes[i].site == id)
			return img->remotes[i].nlive &&
			       !img->remotes[i].absent &&
			       !img->remotes[i].moved;
	return false;
}

void psync_place_rest(const struct psync_site *site, u32 conv)
{
	const struct psync_place *place = &site->places[conv];
	const struct psync_image *img = &place->img;
	struct psync_sim *sim = site->sim;
	u32 i, kept;

	if (!place->used || !img->p.n || img->refused || !img->nopen ||
	    img->nopen != img->nviews)
		return;
	if (psync_place_forsaken(place))
		return;
	kept = psync_place_kept(img);
	if (kept)
		psync_sim_fail(sim, "body-kept", "%u bodies at rest at site %u",
			       kept, site->index);
	for (i = 0; i < place->conv->n; i++)
		if (place->conv->agents[i].site == site &&
		    place->conv->agents[i].blocked &&
		    !psync_place_stalled(place))
			psync_sim_fail(sim, "writable",
				       "%u:%u is not told that it may send",
				       conv, i);
}
