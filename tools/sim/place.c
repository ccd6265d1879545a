// SPDX-License-Identifier: GPL-2.0-only
/*
 * A conversation at a simulated site: its image, the memory, time and chance
 * that the core is lent, who listens for it, and what programs do with it.
 */
#include <stdlib.h>
#include <string.h>

#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "place.h"
#include "site.h"
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

	sim->blocks++;
	sim->bytes += size;
	return psync_sim_alloc(1, size);
}

static void psync_place_op_free(struct psync_image *img, void *mem, size_t size)
{
	struct psync_sim *sim = psync_place_of(img)->site->sim;

	if (!mem)
		return;
	sim->blocks--;
	sim->bytes -= size;
	free(mem);
}

static void psync_place_op_transmit(struct psync_image *img, u32 to,
				    struct psync_pkt *pkt, void *body)
{
	struct psync_site *site = psync_place_of(img)->site;
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

static void psync_place_op_event(struct psync_image *img,
				 struct psync_view *view,
				const struct psync_event *ev)
{
	struct psync_place *place = psync_place_of(img);

	psync_agent_event(place->conv, place->site, view ? view->user : NULL,
			  ev);
}

static void psync_place_timer(void *ctx, uint64_t deadline)
{
	struct psync_place *place = ctx;
	u64 now = place->site->sim->now;

	if (place->timer != deadline)
		return;
	place->timer = U64_MAX;
	if (place->used && place->img.deadline <= now)
		psync_image_timer(&place->img, now);
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

static const struct psync_image_ops psync_place_ops = {
	.cost = psync_place_op_cost,
	.alloc = psync_place_op_alloc,
	.free = psync_place_op_free,
	.transmit = psync_place_op_transmit,
	.body_put = psync_place_op_body_put,
	.readable = psync_place_op_readable,
	.event = psync_place_op_event,
	.arm = psync_place_op_arm,
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
	place->used = false;
	psync_image_destroy(&place->img);
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
	err = -1;
	if (psync_wire_digest(pids, pkt->msg.n) == img->p.digest)
		err = psync_image_start(img, pids, pkt->msg.n,
					place->site->sim->now);
	free(pids);
	if (err)
		return PSYNC_DROP_BAD_PARTICIPANTS;
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
	if (err && body)
		psync_place_body_put(body);
	if (img->nearly > early)
		sim->stats->early++;
	if (img->nheld > held)
		sim->stats->held++;
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
	return psync_place_input(place, pkt, data);
}

/* What programs do. */

int psync_place_open(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_conv *conv = agent->conv;
	struct psync_place *place = &site->places[conv->index];
	int err = 0;

	if (!place->used)
		err = psync_place_image(place, conv->pids, conv->n);
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
			psync_place_forget(place);
		return err;
	}
	agent->joined = true;
	agent->openings++;
	if (place->img.opening == site->openings + 1)
		site->openings++;
	psync_place_listen(place, agent);
	return 0;
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
		psync_image_leave(&place->img, &conv->agents[i].view);
		conv->agents[i].joined = false;
	}
}

void psync_place_close(struct psync_agent *agent)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	bool pending;

	pending = agent->view.pending;
	psync_image_leave(&place->img, &agent->view);
	agent->joined = false;
	if (!pending && !place->img.nopen) {
		psync_place_remember(place);
		psync_place_dismiss(place);
	}
	if (!place->img.nviews)
		psync_place_forget(place);
}

int psync_place_send(struct psync_agent *agent, const void *data, u32 len,
		     u64 *mid)
{
	struct psync_site *site = agent->site;
	struct psync_place *place = &site->places[agent->conv->index];
	struct psync_body *body = psync_place_body(site->sim, data, len);
	int err;

	err = psync_image_send(&place->img, &agent->view, body, len, mid);
	if (err)
		psync_place_body_put(body);
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

bool psync_place_busy(const struct psync_site *site, u32 conv)
{
	const struct psync_place *place = &site->places[conv];

	return place->used && place->img.deadline != U64_MAX;
}
