// SPDX-License-Identifier: GPL-2.0-only
/*
 * The conversation at one site: opening, closing, sending, receiving.
 *
 * A message passes, in this order: same list of participants, sender is one
 * at that site, opening (confirm.c), not a duplicate, possible by itself
 * (psync_node_decode()), context there (hold.c), within the limits, fits the
 * graph (psync_graph_check()), attached.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "expel.h"
#include "flow.h"
#include "graph.h"
#include "hold.h"
#include "mask.h"
#include "null.h"
#include "redo.h"
#include "repair.h"
#include "restart.h"
#include "skip.h"
#include "sure.h"
#include "view.h"
#include "vote.h"

/* Of each participant so many that its kernel made find room. */
#define PSYNC_IMAGE_NULLS	8
/* So many messages of each that were given back may wait to be freed. */
#define PSYNC_IMAGE_SPARE	64

void *psync_image_remember(struct psync_image *img, size_t size)
{
	void *mem;

	if (!img->opening && img->known_bytes &&
	    img->known_bytes + size > img->p.limits.max_pending)
		return NULL;
	mem = img->ops->alloc(img, size);
	if (mem)
		img->known_bytes += size;
	return mem;
}

void psync_image_unlearn(struct psync_image *img, void *mem, size_t size)
{
	if (mem)
		img->known_bytes -= size;
	img->ops->free(img, mem, size);
}

/* Room for any context: a list, or a stamp, both halves, with its bitmap. */
static size_t psync_image_scratch(u32 n)
{
	return max(PSYNC_PREDS_LIST * sizeof(struct psync_wire_mid),
		   n * (sizeof(__be32) + sizeof(__be16)) +
		   (n + 31) / 32 * 4);
}

static int psync_image_pid_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a;
	u64 y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Checks the list and gives it sorted, as site << 32 | port.  Counts the
 * sites other than ours.
 */
static int psync_image_sort(const struct psync_image *img,
			    const struct psync_pid *pids, u32 n, u64 *sorted,
			    u32 *nremotes)
{
	u32 site, last = 0;
	bool here = false;
	u32 i;

	for (i = 0; i < n; i++) {
		if (!pids[i].site || !pids[i].port)
			return -EINVAL;
		sorted[i] = (u64)pids[i].site << 32 | pids[i].port;
	}
	sort(sorted, n, sizeof(*sorted), psync_image_pid_cmp, NULL);
	*nremotes = 0;
	for (i = 0; i < n; i++) {
		if (i && sorted[i] == sorted[i - 1])
			return -EINVAL;
		site = sorted[i] >> 32;
		if (site == img->p.site)
			here = true;
		else if (site != last)
			++*nremotes;
		last = site;
	}
	return here ? 0 : -EINVAL;
}

/* The sites other than ours, once each, in ascending order. */
static void psync_image_set_remotes(struct psync_image *img, const u64 *sorted)
{
	struct psync_remote *remote = img->remotes;
	u32 site, last = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		site = sorted[i] >> 32;
		if (site != img->p.site && site != last) {
			remote->site = site;
			INIT_LIST_HEAD(&remote->early);
			remote++;
		}
		last = site;
	}
}

static void psync_image_set_parts(struct psync_image *img,
				  struct psync_pid *copy,
				  const struct psync_pid *pids)
{
	struct psync_remote *remote;
	struct psync_part *part;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		copy[i] = pids[i];
		img->wire_pids[i].site = cpu_to_be32(pids[i].site);
		img->wire_pids[i].port = cpu_to_be32(pids[i].port);
		part = &img->parts[i];
		part->pid = pids[i];
		part->seq = img->p.seq_base;
		remote = psync_remote_find(img, pids[i].site);
		part->remote = remote ? (int)(remote - img->remotes) : -1;
		img->nlocal += !remote;
	}
	img->p.pids = copy;
}

/* Gives back all that psync_image_setup() made. */
static void psync_image_clear(struct psync_image *img, struct psync_pid *pids)
{
	const struct psync_image_ops *ops = img->ops;
	u32 n = img->p.n;

	psync_hold_exit(img);
	psync_graph_exit(img);
	psync_ack_exit(img);
	ops->free(img, img->scratch, psync_image_scratch(n));
	ops->free(img, img->remotes, img->nremotes * sizeof(*img->remotes));
	ops->free(img, img->parts, n * sizeof(*img->parts));
	ops->free(img, img->wire_pids, n * sizeof(*img->wire_pids));
	ops->free(img, pids, n * sizeof(*pids));
	img->scratch = NULL;
	img->remotes = NULL;
	img->nremotes = 0;
	img->nlocal = 0;
	img->parts = NULL;
	img->wire_pids = NULL;
	img->p.pids = NULL;
	img->p.n = 0;
}

/* All that depends on the participants, in memory of its own. */
static int psync_image_alloc(struct psync_image *img, const u64 *sorted,
			     const struct psync_pid *pids, u32 n, u32 nremotes)
{
	const struct psync_image_ops *ops = img->ops;
	struct psync_pid *copy;
	int err = -ENOMEM;

	img->p.n = n;
	copy = ops->alloc(img, n * sizeof(*copy));
	img->wire_pids = ops->alloc(img, n * sizeof(*img->wire_pids));
	img->parts = ops->alloc(img, n * sizeof(*img->parts));
	if (nremotes)
		img->remotes = ops->alloc(img,
					  nremotes * sizeof(*img->remotes));
	img->scratch = ops->alloc(img, psync_image_scratch(n));
	if (!copy || !img->wire_pids || !img->parts || !img->scratch ||
	    (nremotes && !img->remotes))
		goto err_clear;
	img->nremotes = nremotes;
	psync_image_set_remotes(img, sorted);
	psync_image_set_parts(img, copy, pids);
	psync_ack_init(img);
	err = psync_graph_init(img);
	if (!err)
		err = psync_hold_init(img);
	if (!err)
		return 0;
err_clear:
	img->nremotes = nremotes;
	psync_image_clear(img, copy);
	return err;
}

static int psync_image_setup(struct psync_image *img,
			     const struct psync_pid *pids, u32 n)
{
	u32 nremotes;
	u64 *sorted;
	int err;

	if (n < PSYNC_PARTICIPANTS_MIN || n > PSYNC_PARTICIPANTS_LIM)
		return -EINVAL;
	sorted = img->ops->alloc(img, n * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	err = psync_image_sort(img, pids, n, sorted, &nremotes);
	if (!err)
		err = psync_image_alloc(img, sorted, pids, n, nremotes);
	img->ops->free(img, sorted, n * sizeof(*sorted));
	return err;
}

int psync_image_init(struct psync_image *img,
		     const struct psync_image_params *p,
		     const struct psync_image_ops *ops)
{
	img->ops = ops;
	img->p = *p;
	img->p.pids = NULL;
	img->p.n = 0;
	INIT_LIST_HEAD(&img->views);
	INIT_LIST_HEAD(&img->watches);
	INIT_LIST_HEAD(&img->order);
	INIT_LIST_HEAD(&img->embryo);
	INIT_LIST_HEAD(&img->gaps);
	img->deadline = U64_MAX;
	img->rs_at = U64_MAX;
	img->slow_at = U64_MAX;
	img->full_at = U64_MAX;
	img->window = max(p->limits.first_bytes, 1U);
	img->threshold = U64_MAX;
	img->repairs = p->limits.repair_rate;
	return p->pids ? psync_image_setup(img, p->pids, p->n) : 0;
}

void psync_image_destroy(struct psync_image *img)
{
	u32 i;

	psync_early_purge(img, &img->embryo, U32_MAX, PSYNC_DROP_LEFT_OVER);
	for (i = 0; i < img->nremotes; i++)
		psync_early_purge(img, &img->remotes[i].early, U32_MAX,
				  PSYNC_DROP_LEFT_OVER);
	if (img->p.pids)
		psync_image_clear(img, (struct psync_pid *)img->p.pids);
	img->deadline = U64_MAX;
}

int psync_image_start(struct psync_image *img, const struct psync_pid *pids,
		      u32 n, u64 now)
{
	int err;

	if (img->p.pids)
		return -EINVAL;
	img->now = now;
	err = psync_image_setup(img, pids, n);
	if (!err)
		psync_early_feed(img, &img->embryo, now);
	return err;
}

void psync_image_opened(struct psync_image *img, struct psync_view *view,
			u32 opening, u64 now)
{
	if (view->gap)
		psync_image_event(img, view, PSYNC_EV_GAP, 0,
				  view->next ? psync_node_mid(view->next) : 0,
				  0);
	view->gap = false;
	if (!img->opening) {
		img->opening = opening;
		img->opened = now;
	}
	if (!img->nopen++) {
		img->absent_at = now + img->p.limits.absent_ns;
		psync_image_arm(img, img->absent_at);
		if (!img->restart)
			psync_confirm_opened(img, now);
	}
	psync_ack_resume(img);
	/* Its kernel receives what it can for it, from now on. */
	psync_view_skip(view);
	psync_graph_trim(img);
}

void psync_image_settle(struct psync_image *img, struct psync_view *view)
{
	psync_view_begin(view);
	img->parts[view->index].view = view;
	list_add_tail(&view->link, &img->views);
	img->nviews++;
	img->joined = true;
	view->gap = view->count;
	psync_mask_review(img);
}

int psync_image_join(struct psync_image *img, struct psync_view *view,
		     u32 index, u32 binding, u32 opening, u64 now)
{
	struct psync_part *part;
	int err;

	if (index >= img->p.n || img->parts[index].remote >= 0)
		return -EINVAL;
	part = &img->parts[index];
	if (part->view)
		return -EBUSY;
	if (part->seq != img->p.seq_base || img->recover)
		return -ESTALE;
	img->now = now;
	view->index = index;
	err = psync_view_init(view, img);
	if (!err)
		err = psync_sure_join(view);
	if (err) {
		psync_view_exit(view);
		return err;
	}
	view->binding = binding;
	psync_image_settle(img, view);
	if (!view->pending)
		psync_image_opened(img, view, opening, now);
	return 0;
}

void psync_view_accept(struct psync_view *view, u32 binding, u32 opening,
		       u64 now)
{
	if (!view->pending)
		return;
	view->pending = false;
	view->binding = binding;
	view->img->now = now;
	psync_image_opened(view->img, view, opening, now);
}

void psync_image_leave(struct psync_image *img, struct psync_view *view,
		       u64 now)
{
	img->now = now;
	psync_null_end(view);
	list_del(&view->link);
	img->nviews--;
	psync_mask_review(img);
	if (!view->pending && !--img->nopen) {
		img->linger_end = now + img->p.limits.linger_ns;
		psync_image_arm(img, img->linger_end);
	}
	psync_ack_resume(img);
	img->parts[view->index].view = NULL;
	psync_view_end(view);
	psync_view_exit(view);
	psync_graph_trim(img);
	psync_flow_settle(img);
}

bool psync_image_over(const struct psync_image *img)
{
	/* Whom an acknowledgement is owed would ask in vain for it. */
	return !img->nopen &&
	       ((!img->nowed && img->ack_at == U64_MAX) || img->refused ||
		img->now >= img->linger_end);
}

void psync_image_arm(struct psync_image *img, u64 deadline)
{
	if (deadline >= img->deadline)
		return;
	img->deadline = deadline;
	img->ops->arm(img, deadline);
}

void psync_image_timer(struct psync_image *img, u64 now)
{
	img->now = now;
	img->deadline = U64_MAX;
	if (!img->p.pids)
		return;
	psync_confirm_timer(img, now);
	/* Who is not heard any more (S1.4) has nothing to say or to ask. */
	if (!img->refused) {
		psync_mask_timer(img);
		psync_null_timer(img);
		psync_ack_timer(img);
		psync_flow_timer(img);
		if (!psync_image_lingers(img)) {
			psync_repair_timer(img);
			psync_restart_timer(img);
		}
	}
	if (psync_image_lingers(img) && now < img->linger_end)
		psync_image_arm(img, img->linger_end);
	psync_flow_settle(img);
}

int psync_image_part_index(const struct psync_image *img,
			   const struct psync_pid *pid)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].pid.site == pid->site &&
		    img->parts[i].pid.port == pid->port)
			return i;
	return -1;
}

/* A new node in the context of the view's leaves (P 2, send). */
static struct psync_node *psync_image_compose(struct psync_image *img,
					      const struct psync_view *view,
					      u8 kind)
{
	u64 prev = img->parts[view->index].seq;
	/* Until it has caught up, a restart's view lacks its last message. */
	bool level = view->stamp[view->index] == prev;
	u32 npred = view->nleaves;
	struct psync_node *node;

	if (!level)
		npred = psync_restart_preds(view, NULL, 0);
	node = psync_node_new(img, view->index, prev + 1, npred);
	if (!node)
		return NULL;
	node->kind = kind;
	node->made = true;
	node->wave = view->max_wave + 1;
	node->binding = view->binding;
	node->start = !img->p.number && !img->attached && !img->restart;
	node->manual = view->manual;
	memcpy(node->stamp, view->stamp, img->p.n * sizeof(*node->stamp));
	if (level) {
		psync_view_leaves(view, node->preds, npred);
	} else {
		psync_restart_preds(view, node->preds, npred);
		psync_restart_context(view, node);
	}
	if (kind == PSYNC_KIND_RESTART)
		node->seq = psync_restart_seq(view);
	node->stamp[view->index] = node->seq;
	return node;
}

/*
 * Is all of a context named, not the predecessors alone?  Who asks for a message
 * may not have what these are: they may have been left out by one that is back
 * (S7.1), and what they follow is not void.  And who took messages for lost may not
 * have all that its leaves follow (S2.4).
 */
static bool psync_image_is_stamped(const struct psync_image *img,
				   const struct psync_node *node, bool again)
{
	return node->nsaid > PSYNC_PREDS_LIST ||
	       psync_wire_is_stamped(node->kind) ||
	       (node->nsaid && (node->stamped || (again && img->holes) ||
				(node->made && img->lost_depth)));
}

/* The context of a message in wire order, in the image's scratch memory. */
static void psync_image_context(struct psync_image *img,
				const struct psync_node *node,
				struct psync_pkt *pkt, bool again)
{
	struct psync_wire_mid *mids = (void *)img->scratch;
	__be32 *stamp = (void *)img->scratch;
	__be16 *highs = (void *)(stamp + img->p.n);
	u8 *bitmap = (u8 *)(highs + img->p.n);
	u32 i, at, index;
	u64 seq;

	if (!psync_image_is_stamped(img, node, again)) {
		for (i = 0; i < node->nsaid; i++) {
			index = PSYNC_MID_INDEX(node->preds[i]);
			/* Those that are no edges stand behind the others. */
			for (at = i; at && be16_to_cpu(mids[at - 1].index) >
					   index; at--)
				mids[at] = mids[at - 1];
			seq = PSYNC_MID_SEQ(node->preds[i]);
			mids[at].index = cpu_to_be16(index);
			mids[at].seq_high = cpu_to_be16(seq >> 32);
			mids[at].seq = cpu_to_be32((u32)seq);
		}
		pkt->msg.preds = mids;
		return;
	}
	for (i = 0; i < img->p.n; i++) {
		seq = psync_skip_context(node, i);
		if (psync_wire_seq_set(stamp, highs, i, seq))
			pkt->msg.highs = highs;
	}
	memset(bitmap, 0, (img->p.n + 31) / 32 * 4);
	for (i = 0; i < node->npred; i++) {
		index = PSYNC_MID_INDEX(node->preds[i]);
		bitmap[index / 8] |= 1 << index % 8;
	}
	pkt->msg.flags |= PSYNC_MSGF_STAMP;
	pkt->msg.npred = node->npred;
	pkt->msg.stamp = stamp;
	pkt->msg.bitmap = bitmap;
}

/* The packet (P figures 3 and 4) that carries a message. */
static void psync_image_packet(struct psync_image *img,
			       const struct psync_node *node,
			       struct psync_pkt *pkt, bool again)
{
	*pkt = (struct psync_pkt){
		.type		= PSYNC_PKT_MSG,
		.cid		= img->p.cid,
		.digest		= img->p.digest,
		.group		= img->p.group,
		.number		= img->p.number,
		.opening	= img->opening,
		.msg = {
			.sender		= node->sender,
			.kind		= node->kind,
			.seq		= node->seq,
			.wave		= node->wave,
			.binding	= node->binding,
			.n		= img->p.n,
			.npred		= node->nsaid,
			.op		= node->op,
			.about		= node->about,
			.last		= node->last,
		},
		.body_len	= node->body_len,
	};
	if (node->manual)
		pkt->msg.flags |= PSYNC_MSGF_MANUAL;
	if (node->start) {
		pkt->msg.flags |= PSYNC_MSGF_START;
		pkt->msg.participants = img->wire_pids;
	}
	psync_image_context(img, node, pkt, again);
}

void psync_image_repeat(struct psync_image *img, const struct psync_node *node,
			u32 site, u8 flags)
{
	const struct psync_part *part = &img->parts[node->sender];
	const struct psync_remote *origin;
	struct psync_pkt pkt;

	psync_image_packet(img, node, &pkt, true);
	pkt.msg.flags |= flags | PSYNC_MSGF_REPEAT;
	if (part->remote >= 0) {
		origin = &img->remotes[part->remote];
		pkt.msg.flags |= PSYNC_MSGF_FOREIGN;
		pkt.msg.inc = origin->inc;
		pkt.msg.opening = origin->opening;
	}
	img->ops->transmit(img, site, &pkt, node->body);
}

/* What a site may have in an image, of its own or as another's. */
static u64 psync_image_share(const struct psync_image *img)
{
	return img->p.limits.max_bytes / (img->nremotes + 1);
}

bool psync_image_may_send(const struct psync_image *img, u32 cost)
{
	u64 share = psync_image_share(img);

	if (img->recover || !psync_flow_may_send(img))
		return false;
	/* Who was refused is called when half of it is free again. */
	if (!cost)
		return img->own_bytes <= share / 2;
	return !img->own_bytes || img->own_bytes + cost <= share;
}

void psync_image_block(struct psync_image *img, u64 now)
{
	img->now = now;
	psync_flow_block(img);
}

/* A new node leaves; the image and all views have it when this returns. */
static void psync_image_transmit(struct psync_image *img,
				 const struct psync_view *view,
				 struct psync_node *node,
				 struct psync_pkt *pkt)
{
	if (!view->manual && psync_ack_token(img, node->sender, node->seq))
		pkt->msg.flags |= PSYNC_MSGF_ASK;
	if (img->nremotes)
		img->ops->transmit(img, 0, pkt, node->body);
	/* It has all in its context that is attached here. */
	if (!view->next && !view->masks)
		psync_ack_sent(img);
	if (node->kind != PSYNC_KIND_DATA)
		img->ops->passed(img, img->parts[view->index].view, node);
}

/* A composed node with its body, of @len bytes, becomes the view's next. */
static int psync_image_issue(struct psync_image *img, struct psync_view *view,
			     struct psync_node *node, void *body, u32 len,
			     u64 *mid)
{
	struct psync_pkt pkt;
	int err = 0;

	node->body_len = len;
	psync_node_take_body(img, node, body);
	psync_image_packet(img, node, &pkt, false);
	if (len > PSYNC_BODY_MAX)
		err = -EMSGSIZE;
	else if (node->kind == PSYNC_KIND_RESTART && !psync_sure_prepare(img))
		err = -ENOMEM;
	else if (node->kind == PSYNC_KIND_DATA &&
		 !psync_image_may_send(img, node->cost))
		err = -EAGAIN;
	if (err) {
		if (err == -EAGAIN)
			psync_image_block(img, img->now);
		psync_node_free(img, node);
		return err;
	}
	*mid = psync_node_mid(node);
	img->body_bytes += node->cost;
	view->null_at = U64_MAX;
	view->owes = false;
	psync_image_transmit(img, view, node, &pkt);
	psync_graph_attach(img, node);
	return 0;
}

int psync_image_emit(struct psync_image *img, struct psync_view *view, u8 kind,
		     u8 op, u16 about, void *body, u32 len, u64 *mid)
{
	struct psync_node *node;

	if (view->max_wave == U32_MAX)
		return -EOVERFLOW;
	node = psync_image_compose(img, view, kind);
	if (!node)
		return -ENOMEM;
	if (!node->wave || node->seq >> PSYNC_MID_SEQ_BITS) {
		psync_node_free(img, node);
		return -EOVERFLOW;
	}
	node->op = op;
	node->about = about;
	if (kind == PSYNC_KIND_MASK) {
		node->last = psync_mask_last(view, about);
		if (psync_vote_prepare(img, node)) {
			psync_node_free(img, node);
			return -ENOMEM;
		}
	}
	return psync_image_issue(img, view, node, body, len, mid);
}

int psync_image_send(struct psync_image *img, struct psync_view *view,
		     void *body, u32 len, u64 *mid, u64 now)
{
	int err;

	img->now = now;
	if (view->pending)
		return -EINVAL;
	psync_expel_look(view);
	if (img->refused || view->out)
		return -ESTALE;
	if (view->lost)
		return -ENODATA;
	if (img->recover) {
		psync_image_block(img, now);
		return -EAGAIN;
	}
	if (view->restart) {
		err = psync_restart_speak(img);
		if (view->barred)
			return -EAGAIN;
		if (view->restart)
			return err == -ENOMEM ? err : -EOVERFLOW;
	}
	if (view->redo) {
		err = psync_redo_match(view, body, len, mid);
		if (err < 0)
			return err;
		if (err) {
			view->redone = *mid;
			img->ops->body_put(img, body);
			return 0;
		}
	}
	err = psync_image_emit(img, view, PSYNC_KIND_DATA, 0, 0, body, len,
			       mid);
	/* What was masked out before there was anything is announced now. */
	if (!err && view->announce)
		psync_image_arm(img, now);
	if (!err && img->masking)
		psync_expel_insist(img, NULL, view->index);
	if (!err)
		psync_flow_settle(img);
	return err;
}

/* A start message: the first of the conversation, with the list we know. */
static enum psync_drop psync_image_check_start(const struct psync_image *img,
					       const struct psync_pkt *pkt)
{
	if (memcmp(pkt->msg.participants, img->wire_pids,
		   img->p.n * sizeof(*img->wire_pids)))
		return PSYNC_DROP_BAD_PARTICIPANTS;
	if (pkt->msg.npred || pkt->msg.seq != img->p.seq_base + 1)
		return PSYNC_DROP_BAD_CONTEXT;
	return PSYNC_OK;
}

/*
 * The holding queue has room for a message: by number, and one participant
 * gets no more than half of it, nor room for what is so far ahead of it that
 * all between would not fit either, unless it must be there with others (@due).
 */
static bool psync_image_may_hold(const struct psync_image *img,
				 const struct psync_node *node, bool due)
{
	const struct psync_part *part = &img->parts[node->sender];
	u32 max = img->p.limits.max_held;

	return img->nheld - img->nbeside < max &&
	       part->nheld - part->nbeside <= max / 2 &&
	       (due || node->prev <= part->seq + max);
}

/*
 * Has each participant here room for another message that it has yet to take?
 * What waits will be one, and what that waits for is not refused then.  One
 * that waits for its leaves can take none, until what precedes them is here.
 */
static bool psync_image_room(struct psync_image *img,
			     const struct psync_node *node,
			     enum psync_hold_state state)
{
	u64 waiting = img->waiting_bytes - img->beside_bytes;
	struct psync_view *view;

	if (state == PSYNC_HOLD_READY)
		waiting = 0;
	list_for_each_entry(view, &img->views, link)
		if (view->unread && !view->leaf &&
		    view->unread + waiting + node->cost >
		    img->ops->room(img, view))
			return false;
	return true;
}

/*
 * Is there room for it whatever else is kept?  For what its site may have here,
 * as long as its readers and who pays have room, for the start message, and for
 * one message of each participant.  Of those that some site lacks, take one all
 * before which are held everywhere: what its participant sent before is given
 * back once it was received, so this one is taken in the end, since whoever lacks
 * it is answered in the end (psync_repair_may_answer()), and so on with the next.
 * Without this two sites could each be full of what the other has no room for.
 * One that is more than a share waits for readers and memory all the same.
 */
static bool psync_image_owes(struct psync_image *img,
			     const struct psync_node *node, bool start)
{
	const struct psync_part *part = &img->parts[node->sender];
	bool first = (start && !img->begun) || (img->nopen && !part->nkept);
	u64 share = img->nopen ? psync_image_share(img) :
				 img->p.limits.max_pending;
	u64 bytes;

	if (first && node->cost <= share)
		return true;
	/* Who recovers takes what it has sent itself, too. */
	bytes = part->remote < 0 ? img->own_bytes :
				   img->remotes[part->remote].bytes;
	return (first || (img->nopen && bytes + node->cost <= share)) &&
	       psync_image_room(img, node, PSYNC_HOLD_READY) &&
	       img->ops->afford(img);
}

/* Has the site of @node's participant no room for more that was given back? */
static bool psync_image_filled(const struct psync_image *img,
			       const struct psync_node *node)
{
	u64 room = (u32)psync_image_share(img) / (u32)psync_node_size(img, 0);
	int site = img->parts[node->sender].remote;
	u64 count = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (img->parts[i].remote != site)
			continue;
		count += img->parts[i].nnodes - img->parts[i].nkept;
		room += PSYNC_IMAGE_SPARE;
	}
	return count >= room;
}

/*
 * Too much was given back that cannot be freed, because something before it was
 * not, and its sender has its part in that?  Of each site there is room for as
 * many as it may send before they are held.  So no two sites each wait for the
 * other to take what they refuse: of what they refuse, let X have been sent
 * first.  Who refuses X has that many of its site's messages behind one that was
 * sent after X.  They were sent before X, so when X was sent all of them were
 * under way.  Their nodes are no less memory for that: beyond a few of each
 * participant somebody must pay.
 */
static bool psync_image_crowded(struct psync_image *img,
				const struct psync_node *node)
{
	const struct psync_part *part = &img->parts[node->sender];

	if (img->nnodes - img->nuntaken <
	    2 * max(img->p.limits.max_nodes, img->p.limits.max_held))
		return false;
	return psync_image_filled(img, node) ||
	       (part->nnodes - part->nkept >= PSYNC_IMAGE_NULLS &&
		!img->ops->afford(img));
}

/*
 * What a kernel made (S2.5: no limit stops what frees memory).  An END is always
 * taken; others are while they are as much as all else may be, and some of each
 * participant: one who has said nothing else needs no more of them.
 */
static bool psync_image_serves(const struct psync_image *img,
			       const struct psync_node *node, u64 kept,
			       u64 limit)
{
	if (node->kind == PSYNC_KIND_DATA)
		return false;
	return node->kind == PSYNC_KIND_END || kept + node->cost <= 2 * limit ||
	       img->parts[node->sender].nkept < PSYNC_IMAGE_NULLS;
}

/*
 * Who begins with leaves receives nothing before it has them all, or all that
 * there is: what is on the way there must not be kept out by what it may not
 * receive yet.  Who pays must have room all the same.
 */
static bool psync_image_begins(const struct psync_image *img)
{
	const struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->leaf)
			return img->recover;
	return false;
}

/*
 * What waits.  One that must find room has that of its own first, and that which
 * nobody else uses when there is none for others.
 */
static enum psync_drop psync_image_admit_held(struct psync_image *img,
					      struct psync_node *node,
					      u64 limit)
{
	u64 kept = img->waiting_bytes - img->beside_bytes;
	bool due = psync_skip_may_hold(img, node);
	enum psync_drop drop = PSYNC_DROP_HELD_FULL;

	node->beside = due && psync_skip_has_room(img, node);
	if (node->beside)
		return PSYNC_OK;
	if (psync_image_may_hold(img, node, due)) {
		if ((!kept || kept + node->cost <= limit) &&
		    psync_image_room(img, node, PSYNC_HOLD_WAIT) &&
		    img->ops->afford(img))
			return PSYNC_OK;
		if (!img->nopen)
			drop = PSYNC_DROP_PENDING_FULL;
	}
	node->beside = due && psync_skip_make_room(img, node);
	return node->beside ? PSYNC_OK : drop;
}

/*
 * Limits (S2.5).  What is attached and what waits (held, early) are bounded
 * each for itself, so that messages which wait never keep out those that are
 * complete.  Anything is taken when nothing is kept and there is memory; one that
 * a held message waits for has twice the room.
 */
static enum psync_drop psync_image_admit(struct psync_image *img,
					 struct psync_node *node,
					 enum psync_hold_state state, bool start)
{
	u64 limit = img->nopen ? img->p.limits.max_bytes :
				 img->p.limits.max_pending;
	u64 kept = img->body_bytes - img->waiting_bytes - img->history_bytes;

	if (state != PSYNC_HOLD_READY)
		return psync_image_admit_held(img, node, limit);
	if (node->kind != PSYNC_KIND_END && psync_image_crowded(img, node))
		return PSYNC_DROP_IMAGE_FULL;
	if (psync_image_serves(img, node, kept, limit))
		return PSYNC_OK;
	if ((!kept || kept + node->cost <= limit || psync_image_begins(img)) &&
	    psync_image_room(img, node, state) && img->ops->afford(img))
		return PSYNC_OK;
	if (psync_image_owes(img, node, start))
		return PSYNC_OK;
	/* Even these not without end: what waits may be a lie. */
	if (kept + node->cost <= 2 * limit &&
	    psync_hold_follower(img, node->sender, node->seq))
		return PSYNC_OK;
	return img->nopen ? PSYNC_DROP_IMAGE_FULL : PSYNC_DROP_PENDING_FULL;
}

/* The limits, and then memory for what it announces. */
static enum psync_drop psync_image_accept(struct psync_image *img,
					  struct psync_node *node,
					  enum psync_hold_state state,
					  bool start)
{
	enum psync_drop drop = psync_image_admit(img, node, state, start);

	if (!drop && node->kind == PSYNC_KIND_MASK &&
	    psync_vote_prepare(img, node))
		drop = PSYNC_DROP_NO_MEM;
	return drop;
}

/* Masked out or not: somebody depends on it (P 3.2.4). */
static void psync_image_depends(struct psync_image *img,
				const struct psync_node *node, u32 index,
				u64 seq)
{
	struct psync_part *part = &img->parts[index];

	if (index != node->sender)
		part->need = max(part->need, seq);
	psync_ack_claim(img, index, seq);
}

/* A message that waits tells that there is what it follows, and itself. */
static void psync_image_claims(struct psync_image *img,
			       const struct psync_node *node)
{
	u32 i;

	psync_ack_claim(img, node->sender, node->seq);
	/* Of those that are listed, what they follow is not known yet. */
	for (i = 0; i < node->npred; i++)
		psync_image_depends(img, node, PSYNC_MID_INDEX(node->preds[i]),
				    PSYNC_MID_SEQ(node->preds[i]));
	for (i = 0; node->stamped && i < img->p.n; i++)
		if (i != node->sender)
			psync_image_depends(img, node, i, node->stamp[i]);
}

/* A message that waits; not for what nobody is going to ask for. */
static enum psync_drop psync_image_expects(const struct psync_image *img,
					   const struct psync_node *node)
{
	const struct psync_part *part = &img->parts[node->sender];

	/* What it follows may be gone, unless somebody keeps that for us. */
	if (part->shut && node->seq > max(part->need, part->claimed))
		return PSYNC_DROP_MASKED;
	/* All else that it waits for it depends on. */
	if (node->wait_index == node->sender && part->claimed < node->prev &&
	    psync_ack_ignored(part) &&
	    node->seq > psync_ack_asked_for(img, node->sender))
		return PSYNC_DROP_MASKED;
	return PSYNC_OK;
}

/*
 * A message that waits is not kept, for want of room.  What it says of others
 * is not used: only its own site proves that there is something to ask for.
 */
static void psync_image_notice(struct psync_image *img,
			       const struct psync_node *node)
{
	if (!node->foreign)
		psync_ack_claim(img, node->sender, node->seq);
}

/* A message of the opening that we go by. */
static enum psync_drop psync_image_take(struct psync_image *img,
					const struct psync_pkt *pkt, void *body)
{
	const struct psync_part *part = &img->parts[pkt->msg.sender];
	bool start = pkt->msg.flags & PSYNC_MSGF_START;
	u64 last, seq = pkt->msg.seq;
	enum psync_hold_state state;
	struct psync_node *node;
	enum psync_drop drop;

	/* Perhaps held since before anybody was here whom it concerns. */
	if (seq > part->seq && pkt->msg.kind == PSYNC_KIND_MASK)
		psync_mask_told(img, pkt, seq);
	if (seq <= part->seq)
		return PSYNC_DROP_DUPLICATE;
	if (psync_hold_has(img, pkt->msg.sender, seq)) {
		if (pkt->msg.flags & PSYNC_MSGF_REPEAT)
			psync_repair_vain(img);
		return PSYNC_DROP_DUPLICATE;
	}
	if (!psync_mask_takes(img, pkt->msg.sender, seq))
		return PSYNC_DROP_MASKED;
	drop = psync_node_decode(img, pkt, &node);
	if (drop)
		return drop;
	state = psync_hold_scan(img, node);
	drop = PSYNC_DROP_BAD_CONTEXT;
	psync_node_take_body(img, node, body);
	if (state == PSYNC_HOLD_READY)
		drop = psync_graph_check(img, node);
	else if (state == PSYNC_HOLD_WAIT)
		drop = PSYNC_OK;
	/* It may find no room, but what it says of its sender holds (S2.5). */
	if (!drop && state == PSYNC_HOLD_READY)
		psync_graph_heed(img, node);
	else if (!drop)
		drop = psync_image_expects(img, node);
	if (!drop) {
		drop = psync_image_accept(img, node, state, start);
		if (drop && state == PSYNC_HOLD_WAIT)
			psync_image_notice(img, node);
	}
	if (drop) {
		psync_node_free(img, node);
		psync_graph_trim(img);
		return drop;
	}
	img->body_bytes += node->cost;
	if (state == PSYNC_HOLD_WAIT) {
		psync_image_claims(img, node);
		psync_hold_add(img, node);
		return PSYNC_OK;
	}
	last = part->seq;
	psync_graph_attach(img, node);
	psync_hold_wake(img, pkt->msg.sender, last, seq);
	return PSYNC_OK;
}

/*
 * Whose message is it?  One that a site sent again for another is judged by
 * the opening of its sender's site that the answerer goes by.
 */
static enum psync_drop psync_image_check_sender(struct psync_image *img,
						struct psync_remote *remote,
						const struct psync_pkt *pkt,
						u64 now)
{
	const struct psync_part *part = &img->parts[pkt->msg.sender];

	if (!(pkt->msg.flags & PSYNC_MSGF_FOREIGN))
		return PSYNC_OK;
	if (part->remote >= 0)
		return psync_confirm_foreign(img, &img->remotes[part->remote],
					     pkt, now);
	if (img->recover)
		return psync_restart_foreign(img, pkt);
	/* What was sent here is here. */
	return pkt->msg.seq <= part->seq ? PSYNC_DROP_DUPLICATE :
					   PSYNC_DROP_BAD_CONTEXT;
}

/* The answers that a message asks for, whether we could use it or not. */
static void psync_image_answer(struct psync_image *img,
			       struct psync_remote *remote,
			       const struct psync_pkt *pkt,
			       enum psync_drop drop)
{
	if (drop == PSYNC_DROP_DUPLICATE && pkt->msg.flags & PSYNC_MSGF_RESENT)
		psync_repair_successors(img, remote, pkt->msg.sender,
					pkt->msg.seq);
	if (drop == PSYNC_DROP_MASKED && pkt->msg.kind == PSYNC_KIND_DATA &&
	    !(pkt->msg.flags & PSYNC_MSGF_FOREIGN))
		psync_expel_insist(img, remote, pkt->msg.sender);
	if (!(pkt->msg.flags & PSYNC_MSGF_ASK) ||
	    (drop && img->now < remote->told_at))
		return;
	/* A vector may be far more than the packet that is sent again. */
	if (drop)
		remote->told_at = img->now + img->p.limits.rto_min_ns;
	if (drop == PSYNC_DROP_MASKED && pkt->msg.flags & PSYNC_MSGF_REPEAT)
		psync_mask_insist(img, remote);
	psync_ack_answer(img, remote, (u32)pkt->msg.seq);
}

/*
 * Is it for an earlier opening of ours, or are we refused (S1.4)?  Either way
 * nobody here has the conversation that it is of.
 */
static bool psync_image_is_past(const struct psync_image *img, u32 dst_opening)
{
	return img->refused || (dst_opening && dst_opening != img->opening);
}

/* Says so to who asks, once in a while. */
static enum psync_drop psync_image_past(struct psync_image *img,
					struct psync_remote *remote,
					const struct psync_pkt *pkt)
{
	struct psync_pkt out;

	psync_restart_remind(img, remote);
	if (img->now >= remote->quiet_past && psync_image_absence(pkt, &out)) {
		remote->quiet_past = img->now + PSYNC_CONFIRM_QUIET_NS;
		img->ops->transmit(img, remote->site, &out, NULL);
	}
	return PSYNC_DROP_STALE_OPENING;
}

static enum psync_drop psync_image_check_member(const struct psync_image *img,
						const struct psync_remote *remote,
						const struct psync_pkt *pkt)
{
	bool own;

	if (!remote)
		return PSYNC_DROP_NOT_MEMBER;
	own = img->parts[pkt->msg.sender].pid.site == pkt->src_site;
	if (own == !!(pkt->msg.flags & PSYNC_MSGF_FOREIGN))
		return PSYNC_DROP_NOT_MEMBER;
	if (pkt->msg.flags & PSYNC_MSGF_START)
		return psync_image_check_start(img, pkt);
	return pkt->msg.kind == PSYNC_KIND_GAP ? psync_skip_check(img, pkt) :
						 PSYNC_OK;
}

static enum psync_drop psync_image_input_msg(struct psync_image *img,
					     struct psync_remote *remote,
					     const struct psync_pkt *pkt,
					     void *body, u64 now)
{
	enum psync_drop drop;
	bool kept = false;

	drop = psync_image_check_member(img, remote, pkt);
	if (!drop)
		drop = psync_confirm_msg(img, remote, pkt, body, now, &kept);
	if (drop || kept)
		return drop;
	remote->marks += pkt->marked;
	if (psync_image_is_past(img, pkt->msg.dst_opening))
		return psync_image_past(img, remote, pkt);
	drop = psync_image_check_sender(img, remote, pkt, now);
	if (!drop)
		drop = psync_image_take(img, pkt, body);
	psync_image_answer(img, remote, pkt, drop);
	return drop;
}

static enum psync_drop psync_image_input_vector(struct psync_image *img,
						struct psync_remote *remote,
						const struct psync_pkt *pkt,
						u64 now)
{
	enum psync_drop drop;

	if (!remote)
		return PSYNC_DROP_NOT_MEMBER;
	if (pkt->type == PSYNC_PKT_RS)
		return psync_restart_input(img, remote, pkt);
	if (pkt->type == PSYNC_PKT_RS_ACK)
		return psync_restart_answered(img, remote, pkt);
	drop = psync_confirm_vector(img, remote, pkt, now);
	if (drop)
		return drop;
	if (psync_image_is_past(img, pkt->vector.dst_opening))
		return psync_image_past(img, remote, pkt);
	if (pkt->type == PSYNC_PKT_RR)
		return psync_repair_input(img, remote, pkt);
	if (pkt->type == PSYNC_PKT_GONE)
		return psync_repair_gone(img, remote, pkt);
	return psync_ack_input(img, remote, pkt);
}

/* What both kinds of packets that belong to one list say of it. */
static enum psync_drop psync_image_check_list(struct psync_image *img,
					      const struct psync_pkt *pkt,
					      u64 now)
{
	u16 n = pkt->type == PSYNC_PKT_MSG ? pkt->msg.n : pkt->vector.n;

	if (n != img->p.n || pkt->digest != img->p.digest)
		return psync_confirm_mismatch(img, pkt, now);
	if (pkt->group != img->p.group || pkt->number != img->p.number)
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

static enum psync_drop psync_image_input_hello(struct psync_image *img,
					       const struct psync_pkt *pkt,
					       u64 now)
{
	struct psync_pkt ack;

	psync_image_hello_answer(img, 0, 0, pkt, &ack);
	img->ops->transmit(img, pkt->src_site, &ack, NULL);
	psync_image_greeted(img, pkt, now);
	return PSYNC_OK;
}

/* An embryo keeps messages that agree with the first one and nothing else. */
static enum psync_drop psync_image_input_embryo(struct psync_image *img,
						const struct psync_pkt *pkt,
						void *body)
{
	if (pkt->type != PSYNC_PKT_MSG)
		return PSYNC_DROP_NO_CONV;
	if (pkt->digest != img->p.digest)
		return PSYNC_DROP_DIGEST;
	return psync_early_keep(img, &img->embryo, pkt, body);
}

/* A packet of any type of a conversation whose participants are known. */
static enum psync_drop psync_image_input_any(struct psync_image *img,
					     const struct psync_pkt *pkt,
					     void *body, u64 now)
{
	struct psync_remote *remote = psync_remote_find(img, pkt->src_site);
	enum psync_drop drop;

	if (pkt->type == PSYNC_PKT_MSG || psync_wire_is_vector(pkt->type)) {
		drop = psync_image_check_list(img, pkt, now);
		if (drop)
			return drop;
		drop = pkt->type == PSYNC_PKT_MSG ?
		       psync_image_input_msg(img, remote, pkt, body, now) :
		       psync_image_input_vector(img, remote, pkt, now);
		psync_restart_check(img);
		return drop;
	}
	if (!remote)
		return PSYNC_DROP_NOT_MEMBER;
	switch (pkt->type) {
	case PSYNC_PKT_HELLO:
		return psync_image_input_hello(img, pkt, now);
	case PSYNC_PKT_HELLO_ACK:
		return psync_confirm_ack(img, remote, pkt, now);
	case PSYNC_PKT_REFUSE:
		return psync_confirm_refused(img, remote, pkt, now);
	default:
		return PSYNC_DROP_BAD_TYPE;
	}
}

enum psync_drop psync_image_input(struct psync_image *img,
				  const struct psync_pkt *pkt, void *body,
				  u64 now)
{
	enum psync_drop drop;

	img->now = now;
	if (!img->p.pids)
		return psync_image_input_embryo(img, pkt, body);
	drop = psync_image_input_any(img, pkt, body, now);
	psync_flow_settle(img);
	return drop;
}
