// SPDX-License-Identifier: GPL-2.0-only
/*
 * A simulated site.  It does for the core what the module's shell does there:
 * takes packets apart, finds out whether they are for this site and of the
 * sender's present incarnation, finds or makes the image of their
 * conversation, remembers closed ones, answers HELLO for what has no image,
 * and lends the core memory, time and chance.
 */
#include <stdlib.h>
#include <string.h>


#include "../../net/psync/core/wire.h"
#include "site.h"
#include "work.h"

#define PSYNC_SITE_EPOCH	1767225600000000000ULL	/* 2026-01-01 */
#define PSYNC_SITE_ID		0x70000000U
#define PSYNC_SITE_HELLO_NS	(200 * PSYNC_MSEC)
#define PSYNC_SITE_TRIES	8

u32 psync_site_id(const struct psync_sim *sim, u32 index)
{
	return (PSYNC_SITE_ID | (sim->seed & 0xffff)) ^ (index + 1);
}

/* The site of that id, or NULL. */
static struct psync_site *psync_site_find(struct psync_sim *sim, u32 id)
{
	u32 index = (id ^ (PSYNC_SITE_ID | (sim->seed & 0xffff))) - 1;

	return index < sim->nsites ? &sim->sites[index] : NULL;
}

static u64 psync_site_wall(const struct psync_site *site)
{
	return PSYNC_SITE_EPOCH + site->sim->now + site->skew;
}

static u64 psync_site_nonce(struct psync_site *site)
{
	return psync_prng_next(&site->sim->rng) | 1;
}

static void psync_site_body_put(struct psync_body *body)
{
	if (--body->refs)
		return;
	body->sim->bodies--;
	free(body);
}

static struct psync_body *psync_site_body(struct psync_sim *sim,
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

/* Reasons that a network which only delays and duplicates can give. */
static bool psync_site_drop_fair(enum psync_drop reason)
{
	switch (reason) {
	case PSYNC_DROP_STALE_INC:
	case PSYNC_DROP_OTHER_INC:
	case PSYNC_DROP_BAD_NONCE:
	case PSYNC_DROP_NO_CONV:
	case PSYNC_DROP_CLOSED:
	case PSYNC_DROP_NO_LISTENER:
	case PSYNC_DROP_DIGEST:
	case PSYNC_DROP_STALE_OPENING:
	case PSYNC_DROP_REOPENED:
	case PSYNC_DROP_DUPLICATE:
	case PSYNC_DROP_LEFT_OVER:
		return true;
	default:
		return false;
	}
}

static const char *psync_site_drop_name(enum psync_drop reason)
{
	static const char * const names[PSYNC_DROP_MAX] = {
#define X(name, counter, text) [PSYNC_DROP_##name] = counter,
		PSYNC_DROPS(X)
#undef X
	};

	return reason < PSYNC_DROP_MAX && names[reason] ? names[reason] : "?";
}

static void psync_site_drop(struct psync_site *site, enum psync_drop reason)
{
	struct psync_sim *sim = site->sim;

	if (reason > PSYNC_OK && reason < PSYNC_DROP_MAX)
		sim->stats->drops[reason]++;
	/* the run goes on: what the checker finds says more */
	if (!psync_site_drop_fair(reason) && !sim->unfair)
		sim->unfair = psync_site_drop_name(reason);
	psync_sim_trace(sim, "  site %u drops: %s", site->index,
			psync_site_drop_name(reason));
}

/* Fill in what the shell knows and send. */
static void psync_site_transmit(struct psync_site *site, u32 to,
				struct psync_pkt *pkt,
				const struct psync_body *body)
{
	struct psync_site *dst = psync_site_find(site->sim, to);
	struct psync_frame *frame;
	u32 size, len;

	if (!dst || dst == site) {
		psync_sim_fail(site->sim, "fair-drop",
			       "site %u sends to unknown site %x", site->index,
			       to);
		return;
	}
	pkt->src_site = site->id;
	pkt->src_inc = site->inc;
	pkt->dst_site = to;
	pkt->body_len = body ? body->len : 0;
	size = psync_wire_hdr_size(pkt);
	len = size + pkt->body_len;
	frame = psync_net_frame(site->sim, len);
	psync_wire_encode(pkt, frame->data);
	if (pkt->body_len)
		memcpy(frame->data + size, body->data, pkt->body_len);
	psync_wire_csum_set(frame->data, len);
	if (pkt->type == PSYNC_PKT_MSG && pkt->msg.flags & PSYNC_MSGF_STAMP)
		site->sim->stats->stamps++;
	psync_net_post(frame, site->index, dst->index);
}

/* The ops of the core. */

static struct psync_place *psync_site_place(struct psync_image *img)
{
	return (struct psync_place *)img;
}

static void *psync_site_op_alloc(struct psync_image *img, size_t size)
{
	struct psync_sim *sim = psync_site_place(img)->site->sim;

	sim->blocks++;
	sim->bytes += size;
	return psync_sim_alloc(1, size);
}

static void psync_site_op_free(struct psync_image *img, void *mem, size_t size)
{
	struct psync_sim *sim = psync_site_place(img)->site->sim;

	if (!mem)
		return;
	sim->blocks--;
	sim->bytes -= size;
	free(mem);
}

static void psync_site_op_transmit(struct psync_image *img, u32 to,
				   struct psync_pkt *pkt, void *body)
{
	struct psync_site *site = psync_site_place(img)->site;
	u32 i, opening;
	u64 inc;

	for (i = 0; i < img->nremotes; i++) {
		if (to && img->remotes[i].site != to)
			continue;
		opening = psync_image_opening(img, img->remotes[i].site, &inc);
		pkt->dst_inc = 0;
		if (pkt->type == PSYNC_PKT_MSG) {
			pkt->dst_inc = inc;
			pkt->msg.dst_opening = opening;
		}
		psync_site_transmit(site, img->remotes[i].site, pkt, body);
	}
	if (!to)
		return;
	for (i = 0; i < img->nremotes; i++)
		if (img->remotes[i].site == to)
			return;
	pkt->dst_inc = 0;
	psync_site_transmit(site, to, pkt, body);
}

static void psync_site_op_body_put(struct psync_image *img, void *body)
{
	(void)img;
	psync_site_body_put(body);
}

static void psync_site_op_readable(struct psync_image *img,
				   struct psync_view *view)
{
	(void)img;
	if (!view->pending)
		psync_work_readable(view->user);
}

static void psync_site_op_event(struct psync_image *img,
				struct psync_view *view,
				const struct psync_event *ev)
{
	struct psync_place *place = psync_site_place(img);

	psync_work_event(place->conv, place->site, view ? view->user : NULL,
			 ev);
}

static void psync_site_timer(void *ctx, uint64_t deadline)
{
	struct psync_place *place = ctx;
	u64 now = place->site->sim->now;

	if (place->timer != deadline)
		return;
	place->timer = U64_MAX;
	if (place->used && place->img.deadline <= now)
		psync_image_timer(&place->img, now);
}

static void psync_site_op_arm(struct psync_image *img, u64 deadline)
{
	struct psync_place *place = psync_site_place(img);
	struct psync_sim *sim = place->site->sim;

	if (deadline < sim->now)
		deadline = sim->now;
	place->timer = deadline;
	psync_heap_push(&sim->heap, deadline, psync_site_timer, place,
			deadline);
}

static void psync_site_op_dropped(struct psync_image *img,
				  enum psync_drop reason)
{
	psync_site_drop(psync_site_place(img)->site, reason);
}

static u64 psync_site_op_nonce(struct psync_image *img)
{
	return psync_site_nonce(psync_site_place(img)->site);
}

static const struct psync_image_ops psync_site_ops = {
	.alloc = psync_site_op_alloc,
	.free = psync_site_op_free,
	.transmit = psync_site_op_transmit,
	.body_put = psync_site_op_body_put,
	.readable = psync_site_op_readable,
	.event = psync_site_op_event,
	.arm = psync_site_op_arm,
	.dropped = psync_site_op_dropped,
	.nonce = psync_site_op_nonce,
};

/* Conversations at a site. */

/* Participants that listen see the conversation pending from now on. */
static void psync_site_listen(struct psync_place *place,
			      const struct psync_agent *but)
{
	struct psync_conv *conv = place->conv;
	struct psync_site *site = place->site;
	struct psync_agent *agent;
	u32 i;
	int err;

	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		if (agent->site != site || agent == but || agent->joined ||
		    !agent->listens || agent->state != PSYNC_AGENT_WAITING)
			continue;
		agent->view = (struct psync_view){ .pending = true,
						   .user = agent };
		err = psync_image_join(&place->img, &agent->view, i,
				       agent->openings + 1,
				       site->openings + 1, site->sim->now);
		if (err)
			continue;
		agent->joined = true;
		psync_work_pending(agent);
	}
}

/* An image of @conv here; an embryo when @pids is NULL. */
static int psync_site_image(struct psync_place *place,
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
	place->timer = U64_MAX;
	err = psync_image_init(&place->img, &params, &psync_site_ops);
	if (err)
		return err;
	place->used = true;
	if (!pids)
		place->site->sim->stats->embryos++;
	return 0;
}

/* Nobody here is open any more: what HELLO is answered from now on. */
static void psync_site_remember(struct psync_place *place)
{
	place->closed = place->img.opening;
	place->closed_at = place->site->sim->now;
}

/* Nobody here waits for the conversation any more, either. */
static void psync_site_forget(struct psync_place *place)
{
	place->used = false;
	psync_image_destroy(&place->img);
}

static u32 psync_site_listeners(const struct psync_place *place)
{
	const struct psync_conv *conv = place->conv;
	u32 i, n = 0;

	for (i = 0; i < conv->n; i++)
		n += conv->agents[i].site == place->site &&
		     conv->agents[i].listens &&
		     conv->agents[i].state == PSYNC_AGENT_WAITING;
	return n;
}

/* The site's own idea of a group: a conversation whose list it is. */
static const struct psync_conv *psync_site_group(const struct psync_site *site,
						 u32 group)
{
	const struct psync_sim *sim = site->sim;
	const struct psync_conv *conv, *found = NULL;
	u32 i;

	for (i = 0; i < sim->nconvs; i++) {
		conv = &sim->convs[i];
		if (conv->group != group)
			continue;
		if (conv->owner == site->index)
			return conv;
		if (conv->owner == U32_MAX)
			found = conv;
	}
	return found;
}

static void psync_site_refuse(struct psync_site *site,
			      const struct psync_pkt *pkt, u64 digest)
{
	struct psync_event ev = {
		.type = PSYNC_EV_MISMATCH,
		.site = pkt->src_site,
		.cid = pkt->cid,
		.group = pkt->group,
		.number = pkt->number,
	};
	struct psync_pkt out = { 0 };

	psync_image_refusal(pkt, digest, 0, PSYNC_REFUSE_DIGEST, &out);
	out.dst_inc = 0;
	psync_site_transmit(site, pkt->src_site, &out, NULL);
	psync_work_event(NULL, site, NULL, &ev);
}

/* A message of a conversation that has no image here: may it have one? */
static enum psync_drop psync_site_admit(struct psync_place *place,
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
	if (!psync_site_listeners(place))
		return PSYNC_DROP_NO_LISTENER;
	if (pkt->number &&
	    !psync_site_image(place, known->pids, known->n))
		psync_site_listen(place, NULL);
	else if (!pkt->number && psync_site_image(place, NULL, 0))
		return PSYNC_DROP_NO_MEM;
	return place->used ? PSYNC_OK : PSYNC_DROP_NO_MEM;
}

/* The start message of an embryo. */
static enum psync_drop psync_site_start(struct psync_place *place,
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
	err = -1;
	if (psync_wire_digest(pids, pkt->msg.n) == img->p.digest)
		err = psync_image_start(img, pids, pkt->msg.n,
					place->site->sim->now);
	free(pids);
	if (err)
		return PSYNC_DROP_BAD_PARTICIPANTS;
	psync_site_listen(place, NULL);
	return PSYNC_OK;
}

/* To the core; the counts of what it keeps tell what became of the packet. */
static enum psync_drop psync_site_input(struct psync_place *place,
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
		body = psync_site_body(sim, data + pkt->hdr_len,
				       pkt->body_len);
	err = psync_image_input(img, pkt, body, sim->now);
	if (err && body)
		psync_site_body_put(body);
	if (img->nearly > early)
		sim->stats->early++;
	if (img->nheld > held)
		sim->stats->held++;
	return err;
}

static void psync_site_hello(struct psync_site *site,
			     struct psync_place *place,
			     const struct psync_pkt *pkt)
{
	struct psync_pkt ack = { 0 };
	u32 closed = 0, age = 0;

	if (place && place->closed) {
		closed = place->closed;
		age = (site->sim->now - place->closed_at) / PSYNC_MSEC;
	}
	psync_image_hello_answer(place && place->used ? &place->img : NULL,
				 closed, age, pkt, &ack);
	ack.dst_inc = pkt->src_inc;
	psync_site_transmit(site, pkt->src_site, &ack, NULL);
}

/* A packet of the sender's present incarnation. */
static enum psync_drop psync_site_dispatch(struct psync_site *site,
					   const struct psync_pkt *pkt,
					   const u8 *data)
{
	struct psync_place *place = NULL;
	enum psync_drop err;
	u32 i;

	for (i = 0; i < site->sim->nconvs; i++)
		if (site->sim->convs[i].cid == pkt->cid)
			place = &site->places[i];
	if (pkt->type == PSYNC_PKT_HELLO) {
		psync_site_hello(site, place, pkt);
		return PSYNC_OK;
	}
	if (!place)
		return PSYNC_DROP_NO_CONV;
	if (!place->used) {
		if (pkt->type != PSYNC_PKT_MSG)
			return PSYNC_DROP_NO_CONV;
		err = psync_site_admit(place, pkt);
		if (err)
			return err;
	}
	if (!place->img.p.n && pkt->type == PSYNC_PKT_MSG &&
	    pkt->msg.flags & PSYNC_MSGF_START) {
		err = psync_site_start(place, pkt);
		if (err)
			return err;
	}
	return psync_site_input(place, pkt, data);
}

/* Incarnations. */

static void psync_site_ask(struct psync_site_peer *peer)
{
	struct psync_pkt pkt = { .type = PSYNC_PKT_HELLO };

	pkt.hello.nonce = peer->inc.nonce;
	psync_site_transmit(peer->site,
			    psync_site_id(peer->site->sim, peer->index), &pkt,
			    NULL);
}

static void psync_site_peer_timer(void *ctx, uint64_t inc);

static void psync_site_peer_arm(struct psync_site_peer *peer)
{
	psync_heap_push(&peer->site->sim->heap, peer->inc.deadline,
			psync_site_peer_timer, peer, peer->site->inc);
}

/* Parked packets go on, or are dropped when the peer could not be asked. */
static void psync_site_unpark(struct psync_site_peer *peer, bool confirmed)
{
	struct psync_parked *parked, *next;
	LIST_HEAD(list);

	list_splice_init(&peer->parked, &list);
	list_for_each_entry_safe(parked, next, &list, list) {
		if (confirmed && parked->inc == peer->inc.inc)
			psync_site_receive(peer->site, parked->data,
					   parked->len);
		else
			psync_site_drop(peer->site, PSYNC_DROP_STALE_INC);
		free(parked);
	}
}

static void psync_site_peer_timer(void *ctx, uint64_t inc)
{
	struct psync_site_peer *peer = ctx;
	int verdict;

	if (inc != peer->site->inc)
		return;
	verdict = psync_peer_timer(&peer->inc, peer->site->sim->now,
				   PSYNC_SITE_TRIES);
	if (verdict > 0) {
		psync_site_ask(peer);
		psync_site_peer_arm(peer);
	} else if (verdict < 0) {
		psync_site_unpark(peer, false);
	}
}

static void psync_site_park(struct psync_site_peer *peer,
			    const struct psync_pkt *pkt, const u8 *data,
			    u32 len)
{
	struct psync_parked *parked = psync_sim_alloc(1, sizeof(*parked) + len);

	parked->inc = pkt->src_inc;
	parked->len = len;
	memcpy(parked->data, data, len);
	list_add_tail(&parked->list, &peer->parked);
	peer->site->sim->stats->parked++;
}

/* May the packet be used now?  PSYNC_DROP_MAX: it waits. */
static enum psync_drop psync_site_peer_admit(struct psync_site_peer *peer,
					     const struct psync_pkt *pkt,
					     const u8 *data, u32 len)
{
	struct psync_site *site = peer->site;

	switch (psync_peer_check(&peer->inc, pkt->src_inc,
				 psync_site_wall(site), site->sim->now,
				 PSYNC_SITE_HELLO_NS,
				 psync_site_nonce(site))) {
	case PSYNC_PEER_TAKE:
		return PSYNC_OK;
	case PSYNC_PEER_ASK:
		psync_site_ask(peer);
		psync_site_peer_arm(peer);
		psync_site_park(peer, pkt, data, len);
		return PSYNC_DROP_MAX;
	case PSYNC_PEER_PARK:
		psync_site_park(peer, pkt, data, len);
		return PSYNC_DROP_MAX;
	case PSYNC_PEER_DROP:
		break;
	}
	return PSYNC_DROP_STALE_INC;
}

/* Everything up to the incarnation. */
static enum psync_drop psync_site_parse(struct psync_site *site,
					const u8 *data, u32 len,
					struct psync_pkt *pkt)
{
	u32 need = 0, asked;
	enum psync_drop err;

	do {
		asked = need;
		need = psync_wire_need(data, asked);
		if (need > len)
			return PSYNC_DROP_TOO_SHORT;
	} while (need > asked);
	err = psync_wire_decode(data, asked, len, pkt);
	if (err)
		return err;
	if (!psync_wire_csum_ok(data, pkt->hdr_len + pkt->body_len))
		return PSYNC_DROP_BAD_CSUM;
	if (pkt->src_site == site->id)
		return PSYNC_DROP_SELF;
	if (pkt->dst_site && pkt->dst_site != site->id)
		return PSYNC_DROP_NOT_FOR_US;
	if (!psync_site_find(site->sim, pkt->src_site))
		return PSYNC_DROP_UNKNOWN_PEER;
	if (pkt->dst_inc && pkt->dst_inc != site->inc)
		return PSYNC_DROP_OTHER_INC;
	return PSYNC_OK;
}

void psync_site_receive(struct psync_site *site, const u8 *data, u32 len)
{
	struct psync_site_peer *peer;
	struct psync_pkt pkt;
	enum psync_drop err;

	err = psync_site_parse(site, data, len, &pkt);
	if (err) {
		psync_site_drop(site, err);
		return;
	}
	peer = &site->peers[psync_site_find(site->sim, pkt.src_site)->index];
	psync_sim_trace(site->sim,
			"  site %u < %u type %u opening %u%s %u:%u", site->index,
			peer->index, pkt.type, pkt.opening,
			pkt.type == PSYNC_PKT_MSG ? " mid" : "",
			pkt.type == PSYNC_PKT_MSG ? pkt.msg.sender : 0,
			pkt.type == PSYNC_PKT_MSG ? pkt.msg.seq : 0);
	if (pkt.type == PSYNC_PKT_HELLO || pkt.type == PSYNC_PKT_HELLO_ACK)
		site->sim->stats->hellos++;
	if (pkt.type == PSYNC_PKT_REFUSE)
		site->sim->stats->refused++;
	/* These two must pass, or two sites would ask each other in vain. */
	if (pkt.type == PSYNC_PKT_HELLO && !pkt.cid) {
		psync_site_hello(site, NULL, &pkt);
		return;
	}
	if (pkt.type == PSYNC_PKT_HELLO_ACK && !pkt.cid) {
		if (psync_peer_answer(&peer->inc, &pkt))
			psync_site_unpark(peer, true);
		else
			psync_site_drop(site, PSYNC_DROP_BAD_NONCE);
		return;
	}
	err = psync_site_peer_admit(peer, &pkt, data, len);
	if (err == PSYNC_OK)
		err = psync_site_dispatch(site, &pkt, data);
	if (err && err != PSYNC_DROP_MAX)
		psync_site_drop(site, err);
}

/* What programs do. */

int psync_site_open(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_conv *conv = agent->conv;
	struct psync_place *place = &site->places[conv->index];
	int err = 0;

	if (!place->used)
		err = psync_site_image(place, conv->pids, conv->n);
	if (err)
		return err;
	if (agent->joined) {
		psync_view_accept(&agent->view, agent->openings + 1,
				  site->openings + 1, site->sim->now);
	} else {
		agent->view = (struct psync_view){ .user = agent };
		err = psync_image_join(&place->img, &agent->view, agent->part,
				       agent->openings + 1,
				       site->openings + 1, site->sim->now);
	}
	if (err) {
		if (!place->img.nviews)
			psync_site_forget(place);
		return err;
	}
	agent->joined = true;
	agent->openings++;
	if (place->img.opening == site->openings + 1)
		site->openings++;
	psync_site_listen(place, agent);
	return 0;
}

/*
 * A rendezvous that nobody here has open any more is over here, although some
 * may be pending: what they waited for is this conversation, and when others
 * have closed it too the next one under its name must begin with nothing.
 */
static void psync_site_dismiss(struct psync_place *place)
{
	struct psync_conv *conv = place->conv;
	u32 i;

	if (!conv->number)
		return;
	for (i = 0; i < conv->n; i++) {
		if (conv->agents[i].site != place->site ||
		    !conv->agents[i].joined)
			continue;
		psync_image_leave(&place->img, &conv->agents[i].view);
		conv->agents[i].joined = false;
	}
}

void psync_site_close(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	bool pending;

	pending = agent->view.pending;
	psync_image_leave(&place->img, &agent->view);
	agent->joined = false;
	if (!pending && !place->img.nopen) {
		psync_site_remember(place);
		psync_site_dismiss(place);
	}
	if (!place->img.nviews)
		psync_site_forget(place);
}

int psync_site_send(struct psync_agent *agent, const void *data, u32 len,
		    u64 *mid)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	struct psync_body *body = psync_site_body(site->sim, data, len);
	int err;

	err = psync_image_send(&place->img, &agent->view, body, len, mid);
	if (err)
		psync_site_body_put(body);
	return err;
}

u32 psync_site_known(const struct psync_site *site, u32 conv)
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

bool psync_site_busy(const struct psync_site *site, u32 conv)
{
	const struct psync_place *place = &site->places[conv];

	return place->used && place->img.deadline != U64_MAX;
}

/* Starts and ends. */

static void psync_site_boot(struct psync_site *site)
{
	u32 i;

	site->inc = psync_site_wall(site);
	site->openings = 0;
	for (i = 0; i < site->sim->nsites; i++)
		psync_peer_init(&site->peers[i].inc);
}

static void psync_site_clear(struct psync_site *site)
{
	struct psync_place *place;
	struct psync_agent *agent;
	u32 i, k;

	for (i = 0; i < site->sim->nsites; i++)
		psync_site_unpark(&site->peers[i], false);
	for (i = 0; i < site->sim->nconvs; i++) {
		place = &site->places[i];
		for (k = 0; k < place->conv->n && place->used; k++) {
			agent = &place->conv->agents[k];
			if (agent->site == site && agent->joined)
				psync_site_close(agent);
		}
		if (place->used)
			psync_site_forget(place);
		place->closed = 0;
	}
}

void psync_site_reboot(struct psync_site *site)
{
	struct psync_sim *sim = site->sim;

	psync_site_clear(site);
	/* Clocks are set, forward and back, and may be wrong by an hour. */
	if (psync_prng_chance(&sim->rng, 500))
		site->skew = (s64)psync_prng_below(&sim->rng,
						   7200 * PSYNC_SEC) -
			     (s64)(3600 * PSYNC_SEC);
	psync_site_boot(site);
	sim->stats->reboots++;
	psync_sim_trace(sim, "site %u restarts, skew %lld ns", site->index,
			site->skew);
}

void psync_site_init_all(struct psync_sim *sim)
{
	struct psync_site *site;
	u32 i, k;

	sim->sites = psync_sim_alloc(sim->nsites, sizeof(*sim->sites));
	for (i = 0; i < sim->nsites; i++) {
		site = &sim->sites[i];
		site->sim = sim;
		site->index = i;
		site->id = psync_site_id(sim, i);
		site->peers = psync_sim_alloc(sim->nsites,
					      sizeof(*site->peers));
		site->places = psync_sim_alloc(sim->nconvs,
					       sizeof(*site->places));
		for (k = 0; k < sim->nsites; k++) {
			site->peers[k].site = site;
			site->peers[k].index = k;
			INIT_LIST_HEAD(&site->peers[k].parked);
		}
		for (k = 0; k < sim->nconvs; k++) {
			site->places[k].site = site;
			site->places[k].conv = &sim->convs[k];
			site->places[k].timer = U64_MAX;
		}
		psync_site_boot(site);
	}
}

void psync_site_exit_all(struct psync_sim *sim)
{
	u32 i;

	for (i = 0; i < sim->nsites; i++) {
		psync_site_clear(&sim->sites[i]);
		free(sim->sites[i].peers);
		free(sim->sites[i].places);
	}
	free(sim->sites);
}
