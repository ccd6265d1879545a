// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flow control between sites (S6.6): credits, who is slow, and the window.
 *
 * Each site grants each other one how many of its messages, and how many bytes
 * of them, may be on their way to it beyond what its vector covers: what its
 * share is, less what is kept here of that site's messages because a local
 * participant has yet to take them, or another site lacks them.  A message may
 * be sent while the credit is not used up, so the last one may exceed it, and
 * one of any size may be sent when nothing is kept.  A share is one message at
 * least.  Only programs' messages use credit: what frees memory is always sent
 * and taken (S2.5), and so is what others lack.
 *
 * A grant goes with a vector.  Since what is kept of a site only grows by its
 * messages, the end of what was granted never moves back: of two grants the
 * greater one is right, whatever the order of arrival and the losses.  The
 * sending site only uses a grant whose vector is the latest, and then counts
 * down with every message, so it need not remember where each grant ended.
 *
 * A message of a site says what it holds and not what it grants.  The granting
 * site counts down, too; an ACK is sent as soon as half a share is there that
 * the other does not know of.  Should that be lost, a site whose send was
 * refused asks, with growing waits, as long as it has no credit.
 *
 * When sends have been refused for too long, somebody is: who did not receive
 * what a site without credit keeps, which it names when it grants nothing; or
 * the site that lacks the oldest message sent here; or a participant here.  That
 * is told, and again when sends are accepted; under "block" that is all, under
 * "skip" a site is not waited for any more (skip.c).  Under "mask" everybody here
 * masks out all who are at that site, and at any other one that holds back, for
 * each had the whole time; as if their programs had done so, and without a cut,
 * so that those who go on give their programs the same of theirs.  A site that
 * grants nothing because another lacks what it keeps does the same to that one,
 * and is not to blame itself.
 *
 * The window is the network's part: one for all that is sent here, since each
 * message goes to all, in bytes under way.  It doubles with every round trip
 * until the first loss, then grows by one packet's bytes per round trip, both
 * only while it is what limits the sender (RFC 7661).  It is halved when a site
 * asks for a message of the latest window, or says that one came with a
 * congestion mark (RFC 3168), once for all that was under way then (RFC 6582);
 * after a time without an answer it begins again with one packet.  What a site
 * asks for that it was there too late for is no loss.  Marks are counted by the
 * receiver and the count is said in every ACK, so that none gets lost and nobody
 * need confirm that it was heeded.  Something can be sent whenever nothing is
 * under way.  What is sent again to one site is not more at once than the window.
 * A message longer than a packet goes in fragments, which have a window of their
 * own (frag.c) that heeds what is lost or marked of them: to ask for such a
 * message, or to be silent about it, only says that it is not there yet.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "flow.h"
#include "graph.h"
#include "mask.h"
#include "skip.h"

/*
 * Of the limit on bytes of memory, so much is granted as bytes of messages; the
 * rest is for what it takes to keep them.
 */
#define PSYNC_FLOW_BODIES	2
/* What a packet carries, and the least window. */
#define PSYNC_FLOW_STEP		1500

void psync_flow_init(const struct psync_image *img,
		     struct psync_remote *remote)
{
	remote->credit_bytes = U32_MAX;
	remote->credit_msgs = max(img->p.limits.first_msgs, 1U);
	remote->left_bytes = U32_MAX;
	remote->left_msgs = remote->credit_msgs;
}

void psync_flow_reset(struct psync_remote *remote)
{
	remote->credit_bytes = 0;
	remote->credit_msgs = 0;
	remote->granted = false;
	remote->skipped = false;
	remote->slow = 0;
}

static u32 psync_flow_less(u32 from, u32 what)
{
	return from > what ? from - what : 0;
}

/* What one other site may have kept here. */
static void psync_flow_share(const struct psync_image *img, u32 *bytes,
			     u32 *msgs)
{
	u32 limit = img->nopen ? img->p.limits.max_bytes :
				 img->p.limits.max_pending;
	u32 sites = img->nremotes + 1;

	*bytes = max(limit / PSYNC_FLOW_BODIES / sites, 1U);
	*msgs = max(img->p.limits.max_msgs / sites, 1U);
}

/* What it may have on its way. */
static void psync_flow_room(const struct psync_image *img,
			    const struct psync_remote *remote, u32 *bytes,
			    u32 *msgs)
{
	psync_flow_share(img, bytes, msgs);
	*bytes = *bytes > remote->kept_bytes ? *bytes - remote->kept_bytes : 0;
	*msgs = psync_flow_less(*msgs, remote->kept_msgs);
}

/* Is a site that counts granted nothing? */
static bool psync_flow_is_full(const struct psync_image *img,
			       const struct psync_remote *remote)
{
	u32 bytes, msgs;

	psync_flow_room(img, remote, &bytes, &msgs);
	return psync_ack_counts(remote) && (!bytes || !msgs);
}

/* A site's share was used up, or some of it given back: who is to blame? */
static void psync_flow_fill(struct psync_image *img)
{
	u64 ns;
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (psync_flow_is_full(img, &img->remotes[k]))
			break;
	if (k == img->nremotes || !img->nopen ||
	    psync_image_slow(img, &ns) != PSYNC_SLOW_MASK) {
		img->full_at = U64_MAX;
	} else if (img->full_at == U64_MAX) {
		img->full_at = img->now + ns;
		psync_image_arm(img, img->full_at);
	}
}

/* Is half a share there that the site does not know of? */
static bool psync_flow_more(const struct psync_image *img,
			    const struct psync_remote *remote)
{
	u32 bytes, msgs, all_bytes, all_msgs;

	psync_flow_share(img, &all_bytes, &all_msgs);
	psync_flow_room(img, remote, &bytes, &msgs);
	return psync_flow_less(bytes, remote->left_bytes) >=
	       (all_bytes + 1) / 2 ||
	       psync_flow_less(msgs, remote->left_msgs) >= (all_msgs + 1) / 2;
}

void psync_flow_keep(struct psync_image *img, const struct psync_node *node)
{
	struct psync_remote *remote;

	if (node->kind != PSYNC_KIND_DATA)
		return;
	remote = &img->remotes[img->parts[node->sender].remote];
	if (!remote->kept_msgs)
		remote->oldest = node;
	remote->kept_bytes += node->body_len;
	remote->kept_msgs++;
	remote->left_bytes = psync_flow_less(remote->left_bytes,
					     node->body_len);
	remote->left_msgs = psync_flow_less(remote->left_msgs, 1);
	if (!remote->left_bytes || !remote->left_msgs)
		psync_flow_fill(img);
}

/* Is it one of the messages of programs that are kept for somebody? */
static bool psync_flow_is_kept(const struct psync_node *node)
{
	return node->kind == PSYNC_KIND_DATA && !node->gone && !node->kept;
}

/*
 * The first of what is kept of @remote behind @node.  What was passed over once
 * is never looked at again: messages are kept in the order they came in.
 */
static const struct psync_node *
psync_flow_second(const struct psync_image *img,
		  const struct psync_remote *remote,
		  const struct psync_node *node)
{
	list_for_each_entry_continue(node, &img->order, order)
		if (img->parts[node->sender].remote == remote - img->remotes &&
		    psync_flow_is_kept(node))
			return node;
	return NULL;
}

void psync_flow_free(struct psync_image *img, const struct psync_node *node)
{
	struct psync_remote *remote;
	bool full;

	if (node->kind != PSYNC_KIND_DATA)
		return;
	remote = &img->remotes[img->parts[node->sender].remote];
	full = img->full_at != U64_MAX && psync_flow_is_full(img, remote);
	remote->kept_bytes -= node->body_len;
	remote->kept_msgs--;
	if (remote->oldest == node)
		remote->oldest = remote->kept_msgs ?
				 psync_flow_second(img, remote, node) : NULL;
	img->granting |= psync_flow_more(img, remote);
	if (!full)
		return;
	/* Something moves. */
	img->full_at = U64_MAX;
	psync_flow_fill(img);
}

/* The oldest message of a program here that is kept. */
static const struct psync_node *psync_flow_oldest(const struct psync_image *img)
{
	const struct psync_node *node;

	list_for_each_entry(node, &img->order, order)
		if (img->parts[node->sender].remote < 0 &&
		    psync_flow_is_kept(node))
			return node;
	return NULL;
}

/* Who here has yet to receive a message?  NULL: nobody. */
static const struct psync_view *psync_flow_laggard(const struct psync_image *img,
						   const struct psync_node *node)
{
	const struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->stamp[node->sender] < node->seq)
			return view;
	return NULL;
}

void psync_flow_grant(struct psync_image *img, struct psync_remote *remote,
		      struct psync_pkt *pkt)
{
	const struct psync_node *node;
	const struct psync_view *view;

	psync_flow_room(img, remote, &remote->left_bytes, &remote->left_msgs);
	pkt->vector.credit_bytes = remote->left_bytes;
	pkt->vector.credit_msgs = remote->left_msgs;
	pkt->vector.marks = remote->marks;
	if (remote->left_bytes && remote->left_msgs)
		return;
	node = remote->oldest;
	view = node ? psync_flow_laggard(img, node) : NULL;
	if (view) {
		pkt->vector.flags |= PSYNC_VECTORF_SLOW;
		pkt->vector.index = view->index;
	}
}

/* Does the vector say of our messages what we know? */
static bool psync_flow_is_latest(const struct psync_image *img,
				 const struct psync_remote *remote,
				 const struct psync_pkt *pkt)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].remote < 0 &&
		    psync_ack_said(pkt, i) != psync_ack_held(img, remote, i))
			return false;
	return true;
}

u32 psync_flow_size(const struct psync_node *node)
{
	return node->body_len + PSYNC_WIRE_FIXED;
}

void psync_flow_depart(struct psync_image *img, const struct psync_node *node)
{
	if (node->kind == PSYNC_KIND_DATA)
		img->flight += psync_flow_size(node);
}

void psync_flow_arrive(struct psync_image *img, const struct psync_node *node)
{
	u64 before = img->flight;
	u32 size = psync_flow_size(node);

	if (node->kind != PSYNC_KIND_DATA)
		return;
	img->flight -= size;
	/* A window that was not needed proves nothing, nor do earlier ones. */
	if (2 * before < img->window || node->ordinal <= img->cut_at ||
	    img->window >= img->p.limits.max_bytes)
		return;
	if (img->window < img->threshold) {
		img->window += size;
		return;
	}
	img->landed += size;
	if (img->landed < img->window)
		return;
	img->landed = 0;
	img->window += PSYNC_FLOW_STEP;
}

/* Does it go in fragments? */
static bool psync_flow_is_long(const struct psync_node *node)
{
	return psync_flow_size(node) > PSYNC_FLOW_STEP;
}

/* Once for all that was under way: @ordinal is of one that was. */
static void psync_flow_cut(struct psync_image *img, u64 ordinal,
			   enum psync_cut why)
{
	if (ordinal <= img->cut_at)
		return;
	img->cut_at = img->attached;
	img->threshold = max_t(u64, img->window / 2, PSYNC_FLOW_STEP);
	img->window = why == PSYNC_CUT_TIMEOUT ? PSYNC_FLOW_STEP :
						 img->threshold;
	img->landed = 0;
	img->cuts[why]++;
}

void psync_flow_lost(struct psync_image *img, const struct psync_remote *remote,
		     const struct psync_node *node)
{
	if (img->parts[node->sender].remote < 0 && !remote->skipped &&
	    !psync_flow_is_long(node) && node->ordinal > remote->since)
		psync_flow_cut(img, node->ordinal, PSYNC_CUT_LOSS);
}

void psync_flow_timeout(struct psync_image *img,
			const struct psync_remote *remote)
{
	const struct psync_node *node;
	u64 latest = 0;
	u32 i;

	if (!remote->heard || !remote->flight_msgs || remote->skipped)
		return;
	for (i = 0; i < img->p.n; i++) {
		if (img->parts[i].remote >= 0)
			continue;
		node = psync_graph_find(img, i,
					psync_ack_passed(img, remote, i) + 1);
		if (node && psync_flow_is_long(node))
			return;
		node = img->parts[i].last;
		if (node)
			latest = max(latest, node->ordinal);
	}
	psync_flow_cut(img, latest, PSYNC_CUT_TIMEOUT);
}

/* More of what was sent here came to @remote with a congestion mark. */
static void psync_flow_marked(struct psync_image *img,
			      struct psync_remote *remote, u32 marks)
{
	const struct psync_node *node;
	u32 i;

	/* An ACK that was overtaken says less. */
	if ((s32)(marks - remote->marks_told) < 0)
		return;
	remote->marks_told = marks;
	/* Does it still lack what was under way when the window was cut? */
	for (i = 0; i < img->p.n; i++) {
		if (img->parts[i].remote >= 0)
			continue;
		node = psync_graph_find(img, i,
					psync_ack_held(img, remote, i) + 1);
		if (node && node->ordinal <= img->cut_at)
			return;
	}
	psync_flow_cut(img, U64_MAX, PSYNC_CUT_MARK);
}

void psync_flow_granted(struct psync_image *img, struct psync_remote *remote,
			const struct psync_pkt *pkt)
{
	u32 bytes, msgs;

	if (pkt->vector.marks != remote->marks_told)
		psync_flow_marked(img, remote, pkt->vector.marks);
	if (!psync_flow_is_latest(img, remote, pkt))
		return;
	bytes = psync_flow_less(pkt->vector.credit_bytes,
				min_t(u64, remote->flight_bytes, U32_MAX));
	msgs = psync_flow_less(pkt->vector.credit_msgs, remote->flight_msgs);
	/* Of what it was skipped for nothing is under way, so that is too much. */
	if (remote->granted && !remote->skipped) {
		bytes = max(bytes, remote->credit_bytes);
		msgs = max(msgs, remote->credit_msgs);
	}
	remote->granted = true;
	remote->slow = 0;
	if (pkt->vector.flags & PSYNC_VECTORF_SLOW)
		remote->slow = pkt->vector.index + 1;
	remote->credit_bytes = bytes;
	remote->credit_msgs = msgs;
	if (remote->skipped && bytes && msgs)
		psync_skip_caught_up(img, remote);
	if (!remote->lag)
		psync_ack_replan(img, remote);
}

static bool psync_flow_is_own(const struct psync_image *img,
			      const struct psync_node *node)
{
	return node->kind == PSYNC_KIND_DATA &&
	       img->parts[node->sender].remote < 0;
}

void psync_flow_launch(const struct psync_image *img,
		       struct psync_remote *remote,
		       const struct psync_node *node)
{
	if (!psync_flow_is_own(img, node))
		return;
	remote->flight_bytes += node->body_len;
	remote->flight_msgs++;
}

void psync_flow_send(const struct psync_image *img,
		     struct psync_remote *remote,
		     const struct psync_node *node)
{
	psync_flow_launch(img, remote, node);
	if (!psync_flow_is_own(img, node))
		return;
	remote->credit_bytes = psync_flow_less(remote->credit_bytes,
					       node->body_len);
	remote->credit_msgs = psync_flow_less(remote->credit_msgs, 1);
}

void psync_flow_land(const struct psync_image *img,
		     struct psync_remote *remote,
		     const struct psync_node *node)
{
	if (!psync_flow_is_own(img, node))
		return;
	remote->flight_bytes -= node->body_len;
	remote->flight_msgs--;
}

static bool psync_flow_has_credit(const struct psync_remote *remote)
{
	return !psync_ack_counts(remote) || remote->skipped ||
	       (remote->credit_bytes && remote->credit_msgs);
}

bool psync_flow_may_send(const struct psync_image *img)
{
	u32 k;

	/* Who neither asks nor is told has only its own limit. */
	if (psync_ack_manual(img))
		return true;
	if (img->flight && img->flight >= img->window)
		return false;
	for (k = 0; k < img->nremotes; k++)
		if (!psync_flow_has_credit(&img->remotes[k]))
			return false;
	return true;
}

bool psync_flow_starves(const struct psync_image *img,
			const struct psync_remote *remote)
{
	/* Who lingers has nothing more to send that needs any. */
	return img->nopen && img->blocked && !psync_flow_has_credit(remote);
}

bool psync_image_slow_ok(const struct psync_image *img, u32 policy, u64 ns)
{
	const struct psync_limits *limits = &img->p.limits;

	if (!ns)
		return true;
	/*
	 * To skip gives up what others sent, too, and all who are here mask
	 * somebody out or none: the group has to say so.
	 */
	if (limits->slow == PSYNC_SLOW_BLOCK)
		return policy != PSYNC_SLOW_SKIP && policy != PSYNC_SLOW_MASK;
	return policy == limits->slow && ns <= limits->slow_ns;
}

int psync_view_slow(struct psync_view *view, u32 policy, u64 ns, u64 now)
{
	if (!psync_image_slow_ok(view->img, policy, ns))
		return -EINVAL;
	view->img->now = now;
	view->slow = policy;
	view->slow_ns = ns;
	/* Who waits already is looked at by what applies now. */
	if (view->img->slow_at != U64_MAX) {
		view->img->slow_at = now;
		psync_image_arm(view->img, now);
	}
	return 0;
}

u32 psync_image_slow(const struct psync_image *img, u64 *ns)
{
	const struct psync_view *view;
	u32 policy = img->p.limits.slow;

	*ns = img->p.limits.slow_ns;
	list_for_each_entry(view, &img->views, link) {
		if (!view->slow_ns)
			continue;
		if (policy == PSYNC_SLOW_BLOCK)
			policy = view->slow;
		*ns = min(*ns, view->slow_ns);
	}
	return policy;
}

/*
 * The only participant of a site that has not ended, and one.  0: several, or the
 * site itself was not heard for as long as is waited, nor answers what it is asked
 * meanwhile: that says nothing of who is there.
 */
static u32 psync_flow_only(const struct psync_image *img, u32 k)
{
	u32 found = 0;
	u64 ns;
	u32 i;

	psync_image_slow(img, &ns);
	ns = max(ns, psync_ack_patience(img, &img->remotes[k]));
	if (img->now >= img->remotes[k].heard_at + ns)
		return 0;
	for (i = 0; img->remotes[k].nlive == 1 && i < img->p.n; i++)
		if (img->parts[i].remote == k && !img->parts[i].ended)
			found = i + 1;
	return found;
}

/* The first site that counts and lacks a message; img->nremotes: none. */
static u32 psync_flow_lacking(const struct psync_image *img,
			      const struct psync_node *node)
{
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (psync_ack_counts(&img->remotes[k]) &&
		    psync_ack_passed(img, &img->remotes[k], node->sender) <
		    node->seq)
			break;
	return k;
}

/* As psync_image_blocker(); @innocent: it keeps what another one lacks. */
static u32 psync_flow_blocker(const struct psync_image *img, u32 *index,
			      bool *innocent)
{
	const struct psync_node *node;
	const struct psync_view *view;
	u32 k;

	*index = 0;
	*innocent = false;
	if (!img->blocked)
		return 0;
	for (k = 0; k < img->nremotes; k++) {
		if (!img->remotes[k].slow ||
		    psync_flow_has_credit(&img->remotes[k]))
			continue;
		*index = img->remotes[k].slow;
		return img->remotes[k].site;
	}
	node = psync_flow_oldest(img);
	k = node ? psync_flow_lacking(img, node) : img->nremotes;
	view = node ? psync_flow_laggard(img, node) : NULL;
	if (k == img->nremotes && view) {
		*index = view->index + 1;
		return img->p.site;
	}
	if (k == img->nremotes) {
		*innocent = true;
		for (k = 0; k < img->nremotes; k++)
			if (!psync_flow_has_credit(&img->remotes[k]))
				break;
	}
	if (k == img->nremotes)
		return 0;
	*index = psync_flow_only(img, k);
	return img->remotes[k].site;
}

u32 psync_image_blocker(const struct psync_image *img, u32 *index)
{
	bool innocent;

	return psync_flow_blocker(img, index, &innocent);
}

/* Who lacks what fills a site's share here; 0: nobody, or one who is here. */
static u32 psync_flow_culprit(const struct psync_image *img, u32 *index)
{
	const struct psync_node *node;
	u32 k, at;

	for (k = 0; k < img->nremotes; k++) {
		if (!psync_flow_is_full(img, &img->remotes[k]))
			continue;
		node = img->remotes[k].oldest;
		if (!node || psync_flow_laggard(img, node))
			continue;
		at = psync_flow_lacking(img, node);
		if (at == img->nremotes)
			continue;
		*index = psync_flow_only(img, at);
		return img->remotes[at].site;
	}
	return 0;
}

/* What others sent could not be given back for so long (S6.6, mask). */
static void psync_flow_relieve(struct psync_image *img)
{
	u32 site, index;
	u64 ns;

	if (img->full_at > img->now) {
		psync_image_arm(img, img->full_at);
		return;
	}
	img->full_at = U64_MAX;
	site = psync_flow_culprit(img, &index);
	if (site && psync_image_slow(img, &ns) == PSYNC_SLOW_MASK &&
	    psync_mask_may_shut(img, site)) {
		psync_image_event(img, NULL, PSYNC_EV_SUSPECT, site, 0, index);
		psync_mask_shut(img, site);
	}
	psync_flow_fill(img);
}

/* Whoever holds back is masked out, until sends are accepted (S6.6). */
static void psync_flow_mask(struct psync_image *img)
{
	u32 k, site, index;
	bool innocent;

	for (k = 0; k < img->nremotes && !psync_image_may_send(img, 0); k++) {
		site = psync_flow_blocker(img, &index, &innocent);
		if (!site)
			return;
		if (innocent || !psync_mask_may_shut(img, site)) {
			if (!img->slow_told)
				psync_image_event(img, NULL, PSYNC_EV_BLOCKED,
						  site, 0, index);
			img->slow_told = true;
			return;
		}
		img->slow_told = true;
		psync_image_event(img, NULL, PSYNC_EV_SUSPECT, site, 0, index);
		/* Without memory it is tried again. */
		if (!psync_mask_shut(img, site))
			return;
	}
}

/* Sends were refused for so long: who is it? */
void psync_flow_timer(struct psync_image *img)
{
	u32 policy, site = 0, index;
	u64 ns;

	psync_flow_relieve(img);
	/* Nobody is left who could want to send; others may come back. */
	if (!img->nopen) {
		img->slow_at = U64_MAX;
		img->slow_told = false;
		img->blocked = false;
	}
	if (img->nopen && img->blocked)
		psync_skip_go_on(img);
	if (img->slow_at > img->now) {
		psync_image_arm(img, img->slow_at);
		return;
	}
	policy = psync_image_slow(img, &ns);
	if (policy == PSYNC_SLOW_MASK)
		psync_flow_mask(img);
	else
		site = psync_image_blocker(img, &index);
	if (!site || (policy == PSYNC_SLOW_SKIP &&
		      psync_skip_begin(img, site, index))) {
		/* Nobody yet, or not any more: an answer is under way. */
		img->slow_at = img->now + ns;
		psync_image_arm(img, img->slow_at);
		return;
	}
	img->slow_at = U64_MAX;
	img->slow_told = true;
	if (policy == PSYNC_SLOW_SUSPECT)
		psync_image_event(img, NULL, PSYNC_EV_SUSPECT, site, 0, index);
	else
		psync_image_event(img, NULL, PSYNC_EV_BLOCKED, site, 0, index);
}

/* A send is accepted again. */
static void psync_flow_resume(struct psync_image *img)
{
	img->blocked = false;
	img->slow_at = U64_MAX;
	if (img->slow_told)
		psync_image_event(img, NULL, PSYNC_EV_RESUMED, 0, 0, 0);
	img->slow_told = false;
	img->ops->writable(img);
}

void psync_flow_block(struct psync_image *img)
{
	struct psync_remote *remote;
	u64 ns;
	u32 k;

	if (!img->blocked) {
		img->blocked = true;
		psync_image_slow(img, &ns);
		img->slow_at = img->now + ns;
		psync_image_arm(img, img->slow_at);
	}
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (remote->probe_at == U64_MAX &&
		    psync_flow_starves(img, remote))
			psync_ack_replan(img, remote);
		/* Who is skipped already is not waited for again. */
		if (remote->skipped && remote->flight_msgs)
			psync_image_arm(img, img->now);
	}
}

/* There is room again here. */
static void psync_flow_update(struct psync_image *img)
{
	struct psync_remote *remote;
	u32 k;

	img->granting = false;
	if (psync_ack_manual(img) || psync_image_lingers(img))
		return;
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (remote->heard && psync_ack_counts(remote) &&
		    psync_flow_more(img, remote))
			psync_ack_grant(img, remote);
	}
}

void psync_flow_settle(struct psync_image *img)
{
	if (img->granting)
		psync_flow_update(img);
	if (img->blocked && psync_image_may_send(img, 0))
		psync_flow_resume(img);
}
