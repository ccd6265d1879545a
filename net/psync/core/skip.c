// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sites that are not waited for any more (S6.6, skip).
 *
 * A site that has held back senders here for too long is skipped: a message of
 * the kernel (GAP) announces in the graph that it is not waited for with what
 * the GAP has in its context.  Whoever attaches the GAP gives back what only
 * that site lacked.  As all of a context is given up and not some of it, what
 * the site has is closed downwards again as soon as it has the GAP, and no
 * message follows another by way of one that is lost.
 *
 * What says who takes part, END and RESTART, is not given up; it has no body.
 * Nor is the GAP itself, but by a later one.  A site that is waited for with
 * what only an announcement that got lost gave up is not waited for long: it was
 * told, too.
 *
 * Who is skipped goes on asking, and takes what is sent again as ever.  What
 * nobody keeps any more is answered with the GAP, with what is not given up, and
 * with GONE.  Then it takes for lost what it lacks of the GAP's context, all at
 * once, attaches what was not given up, and the GAP, and goes on from there.
 * No program receives these: they enter a view together, so whatever is sent
 * after a loss follows the GAP.  That is why others know what a participant has
 * not acknowledged, though a message of it has it in its context: what was
 * announced of its site before the first such message.
 *
 * As long as the site has not caught up its credit is not waited for either, and
 * whenever sends are refused while it lacks something that is announced, too.
 */
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "graph.h"
#include "hold.h"
#include "mask.h"
#include "repair.h"
#include "restart.h"
#include "skip.h"
#include "view.h"

enum psync_drop psync_skip_check(const struct psync_image *img,
				 const struct psync_pkt *pkt)
{
	return img->parts[pkt->msg.about].pid.site !=
	       img->parts[pkt->msg.sender].pid.site ? PSYNC_OK :
						      PSYNC_DROP_NOT_MEMBER;
}

/* Room for what it says, before its stamp has more. */
static bool psync_skip_keep(struct psync_image *img, struct psync_node *gap)
{
	size_t size = img->p.n * sizeof(*gap->said);

	if (gap->said)
		return true;
	gap->said = img->ops->alloc(img, size);
	if (!gap->said)
		return false;
	memcpy(gap->said, gap->stamp, size);
	return true;
}

/* It follows all that is in @stamp, too. */
static bool psync_skip_raise(struct psync_image *img, struct psync_node *gap,
			     const u64 *stamp)
{
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (i == gap->sender || stamp[i] <= gap->stamp[i])
			continue;
		if (!psync_skip_keep(img, gap))
			return false;
		gap->stamp[i] = stamp[i];
	}
	return true;
}

enum psync_drop psync_skip_follow(struct psync_image *img,
				  struct psync_node *gap, const u64 *before)
{
	bool done = !before || psync_skip_raise(img, gap, before);
	const struct psync_node *pred;
	u32 i;

	if (gap->npred > PSYNC_GRAPH_EDGES)
		return done ? PSYNC_OK : PSYNC_DROP_NO_MEM;
	for (i = 0; done && i < gap->npred; i++) {
		pred = psync_graph_known(img, PSYNC_MID_INDEX(gap->preds[i]),
					 PSYNC_MID_SEQ(gap->preds[i]));
		if (pred)
			done = psync_skip_raise(img, gap, pred->stamp);
	}
	return done ? PSYNC_OK : PSYNC_DROP_NO_MEM;
}

void psync_skip_free(struct psync_image *img, struct psync_node *node)
{
	if (node->said)
		img->ops->free(img, node->said,
			       img->p.n * sizeof(*node->said));
	node->said = NULL;
}

void psync_skip_attached(struct psync_image *img, struct psync_node *node)
{
	int remote = img->parts[node->about].remote;

	list_add_tail(&node->gaps, &img->gaps);
	/* Who is skipped itself goes on asking. */
	if (remote >= 0 && !psync_ack_skip(img, &img->remotes[remote], node))
		img->ops->dropped(img, PSYNC_DROP_NO_MEM);
}

void psync_skip_forget(struct psync_image *img, struct psync_node *node)
{
	list_del(&node->gaps);
	img->faded = true;
}

/* The last message of a program that @remote lacks and is waited for. */
static u64 psync_skip_last(const struct psync_image *img,
			   const struct psync_remote *remote, u32 index)
{
	u64 from = max(psync_ack_passed(img, remote, index),
		       img->floor.stamp[index]);
	const struct psync_node *node;

	/* There may be far fewer messages than numbers: the rest is lost. */
	for (node = psync_graph_newest(img, index); node && node->seq > from;
	     node = psync_graph_below(img, node))
		if (node->kind == PSYNC_KIND_DATA)
			return node->seq;
	return 0;
}

/* Who can say it of @index: it itself, or another here who knows of it. */
static struct psync_view *psync_skip_herald(const struct psync_image *img,
					    u32 index)
{
	struct psync_view *view, *found = NULL;

	list_for_each_entry(view, &img->views, link) {
		if (view->pending || view->manual || view->restart)
			continue;
		if (view->index == index)
			return view;
		if (!found || view->stamp[index] > found->stamp[index])
			found = view;
	}
	return found;
}

/* Announces that @remote is not waited for with what was sent here. */
static void psync_skip_announce(struct psync_image *img,
				struct psync_remote *remote)
{
	struct psync_view *view;
	u32 i, about = 0;
	u64 last, mid;

	while (img->parts[about].remote != remote - img->remotes)
		about++;
	for (i = 0; i < img->p.n; i++) {
		if (img->parts[i].remote >= 0)
			continue;
		last = psync_skip_last(img, remote, i);
		view = last ? psync_skip_herald(img, i) : NULL;
		if (!view || min(last, view->stamp[i]) <=
			     psync_ack_passed(img, remote, i))
			continue;
		/* Without memory it is tried again. */
		if (psync_image_emit(img, view, PSYNC_KIND_GAP, 0, about, NULL,
				     0, &mid))
			img->ops->dropped(img, PSYNC_DROP_NO_MEM);
	}
}

bool psync_skip_begin(struct psync_image *img, u32 site, u32 index)
{
	struct psync_remote *remote = psync_remote_find(img, site);

	/* Who was never heard is not slow, but absent in the end (S1.5). */
	if (!remote || !remote->heard || psync_ack_manual(img))
		return false;
	if (!remote->skipped)
		psync_image_event(img, NULL, PSYNC_EV_SKIPPED, site, 0, index);
	remote->skipped = true;
	psync_skip_announce(img, remote);
	return true;
}

void psync_skip_go_on(struct psync_image *img)
{
	struct psync_remote *remote;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (remote->skipped && remote->flight_msgs)
			psync_skip_announce(img, remote);
	}
}

void psync_skip_caught_up(const struct psync_image *img,
			  struct psync_remote *remote)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].remote < 0 &&
		    psync_ack_held(img, remote, i) <
		    psync_ack_passed(img, remote, i))
			return;
	remote->skipped = false;
}

bool psync_skip_unacked(const struct psync_image *img, u32 index, u64 last,
			u32 sender, u64 seq)
{
	const struct psync_node *gap, *node = img->parts[index].freed;
	u32 site = img->parts[index].pid.site;

	if (node && node->stamp[sender] >= seq)
		return false;
	/* To look for its first message with that in its context takes time. */
	node = NULL;
	list_for_each_entry(gap, &img->gaps, gaps) {
		if (img->parts[gap->about].pid.site != site ||
		    psync_skip_context(gap, sender) < seq)
			continue;
		if (!node)
			node = psync_graph_first(img, index, sender, seq);
		if (!node || node->seq > last)
			return false;
		if (node->stamp[gap->sender] >= gap->seq)
			return true;
	}
	return false;
}

bool psync_skip_unknown(const struct psync_image *img, u32 index, u64 seq)
{
	return img->p.limits.slow == PSYNC_SLOW_SKIP &&
	       seq <= img->parts[index].nowhere;
}

void psync_skip_losing(struct psync_image *img, const u64 *until)
{
	if (img->p.limits.slow == PSYNC_SLOW_SKIP)
		img->losing = until;
}

bool psync_skip_faded(const struct psync_view *view, u32 index, u64 seq)
{
	const u64 *losing = view->img->losing;
	const struct psync_node *gap;

	/* What it follows comes before the announcement. */
	if (losing && losing[index] >= seq)
		return true;
	list_for_each_entry(gap, &view->img->gaps, gaps)
		if (gap->quiet && psync_skip_context(gap, index) >= seq &&
		    (!view->stamp || psync_view_has(view, gap)))
			return true;
	return false;
}

/* Those who answer. */

bool psync_skip_lacks(const struct psync_image *img,
		      const struct psync_remote *remote)
{
	const struct psync_node *node;
	u64 held;
	u32 i;

	if (!remote->skip)
		return false;
	for (i = 0; i < img->p.n; i++) {
		held = psync_ack_held(img, remote, i);
		if (remote->skip[i] > held &&
		    max(img->floor.stamp[i], img->parts[i].gap) > held)
			return true;
	}
	list_for_each_entry(node, &img->order, order)
		if (node->gone && psync_ack_skips(remote, node) &&
		    psync_ack_held(img, remote, node->sender) < node->seq)
			return true;
	return false;
}

/* Is @node what a site that is skipped is sent all the same? */
static bool psync_skip_spares(const struct psync_image *img,
			      const struct psync_remote *remote,
			      const struct psync_node *node)
{
	return psync_ack_held(img, remote, node->sender) < node->seq &&
	       !psync_ack_skips(remote, node) &&
	       (node->seq <= remote->skip[node->sender] ||
		(node->kind == PSYNC_KIND_GAP &&
		 img->parts[node->about].remote == remote - img->remotes));
}

/* So many of these, from the one at @from on and then from the first. */
static void psync_skip_send(struct psync_image *img,
			    struct psync_remote *remote, u32 from, u32 count)
{
	const struct psync_node *node;
	u32 round, at;

	for (round = 0; round < 2; round++) {
		at = 0;
		list_for_each_entry(node, &img->order, order) {
			if (!psync_skip_spares(img, remote, node))
				continue;
			if (round ? at++ >= from : at++ < from)
				continue;
			if (!count--)
				return;
			psync_image_repeat(img, node, remote->site, 0);
			img->repairs--;
		}
	}
}

void psync_skip_answer(struct psync_image *img, struct psync_remote *remote)
{
	const struct psync_node *node;
	u32 i, room, all = 0, spared = 0, wave = 0;
	struct psync_pkt pkt;

	list_for_each_entry(node, &img->order, order) {
		if (!psync_skip_spares(img, remote, node))
			continue;
		all++;
		spared += node->seq <= remote->skip[node->sender];
		wave = max(wave, node->wave);
	}
	/* Should they not all find room, others do the next time. */
	room = psync_repair_room(img);
	psync_skip_send(img, remote, all > room ?
			(u32)(img->ops->nonce(img) >> 32) % all : 0,
			min(all, room));
	psync_ack_build(img, PSYNC_PKT_GONE, &pkt);
	pkt.vector.flags = PSYNC_VECTORF_SKIP;
	pkt.vector.echo = spared;
	pkt.vector.seq = wave;
	for (i = 0; i < img->p.n; i++)
		psync_ack_put(img, &pkt, i, remote->skip[i]);
	img->ops->transmit(img, remote->site, &pkt, NULL);
}

/* Who is skipped itself. */

/**
 * struct psync_skip_loss - what this site is not waited for with
 * @until: as GONE says it, greatest sequence numbers
 * @context: of the GAPs that are held here and no further
 * @take: the same, and the GAPs themselves
 * @ngaps: how many GAPs
 * @spared: messages held that are not given up, up to @until
 * @wave: the greatest that is lost
 * @nodes: room for all that is held
 */
struct psync_skip_loss {
	const u64		*until;
	u64			*context;
	u64			*take;
	u32			ngaps;
	u32			spared;
	u32			wave;
	struct psync_node	**nodes;
};

static bool psync_skip_is_ours(const struct psync_image *img,
			       const struct psync_node *node)
{
	return node->kind == PSYNC_KIND_GAP &&
	       img->parts[node->about].remote < 0;
}

/**
 * struct psync_skip_held - which GAPs about this site are held beside another
 * @gap: that one
 * @covered: a later one is
 * @older: some that it covers are
 */
struct psync_skip_held {
	const struct psync_node	*gap;
	bool			covered;
	bool			older;
};

static void psync_skip_compare(struct psync_image *img,
			       struct psync_node *node, void *arg)
{
	struct psync_skip_held *held = arg;

	if (!psync_skip_is_ours(img, node))
		return;
	if (psync_skip_context(node, held->gap->sender) >= held->gap->seq)
		held->covered = true;
	else if (psync_skip_context(held->gap, node->sender) >= node->seq)
		held->older = true;
}

static void psync_skip_replace(struct psync_image *img,
			       struct psync_node *node, void *arg)
{
	const struct psync_skip_held *held = arg;

	if (!psync_skip_is_ours(img, node) ||
	    psync_skip_context(held->gap, node->sender) < node->seq)
		return;
	psync_hold_take_one(img, node);
	psync_hold_drop(img, node, PSYNC_DROP_DUPLICATE);
}

/**
 * struct psync_skip_far - what is held beside the limit and is furthest ahead
 * @index: of this participant; psync_image.n: of those who hold more of that
 *	than their own room
 * @node: it, or NULL
 */
struct psync_skip_far {
	u32			index;
	struct psync_node	*node;
};

static void psync_skip_furthest(struct psync_image *img,
				struct psync_node *node, void *arg)
{
	struct psync_skip_far *far = arg;

	if (!node->beside || (far->node && far->node->seq >= node->seq))
		return;
	if (far->index == img->p.n ?
	    img->parts[node->sender].nbeside > PSYNC_SKIP_HELD :
	    far->index == node->sender)
		far->node = node;
}

/* One finds room in any case; of more somebody must pay the memory. */
static bool psync_skip_pays(struct psync_image *img,
			    const struct psync_node *node)
{
	return !img->parts[node->sender].nbeside || img->ops->afford(img);
}

bool psync_skip_has_room(struct psync_image *img, const struct psync_node *node)
{
	return img->parts[node->sender].nbeside < PSYNC_SKIP_HELD &&
	       img->nbeside < PSYNC_SKIP_HELD * img->p.n &&
	       psync_skip_pays(img, node);
}

/*
 * Of one participant the next that can be attached counts: it replaces what is
 * further ahead, which may be a lie.
 */
bool psync_skip_make_room(struct psync_image *img,
			  const struct psync_node *node)
{
	struct psync_skip_far far = { .index = node->sender };

	if (psync_skip_pays(img, node)) {
		if (img->nbeside < PSYNC_SKIP_HELD * img->p.n)
			return true;
		if (img->parts[node->sender].nbeside < PSYNC_SKIP_HELD)
			far.index = img->p.n;
	}
	psync_hold_each(img, psync_skip_furthest, &far);
	if (!far.node ||
	    (far.index == node->sender && far.node->seq < node->seq))
		return false;
	psync_hold_take_one(img, far.node);
	psync_hold_drop(img, far.node, PSYNC_DROP_HELD_FULL);
	return true;
}

bool psync_skip_may_hold(struct psync_image *img, const struct psync_node *node)
{
	struct psync_skip_held held = { .gap = node };
	bool ours = psync_skip_is_ours(img, node);

	if (!ours)
		return !psync_ack_given_up(node);
	psync_hold_each(img, psync_skip_compare, &held);
	/* Nothing is dropped for one that is not kept itself. */
	if (held.older && !held.covered)
		psync_hold_each(img, psync_skip_replace, &held);
	return !held.covered;
}

static void psync_skip_look(struct psync_image *img, struct psync_node *node,
			    void *arg)
{
	struct psync_skip_loss *loss = arg;
	u32 i;

	if (!psync_ack_given_up(node)) {
		loss->spared += node->seq <= loss->until[node->sender];
		return;
	}
	if (!psync_skip_is_ours(img, node))
		return;
	for (i = 0; i < img->p.n; i++)
		if (psync_skip_context(node, i) > loss->until[i])
			return;
	for (i = 0; i < img->p.n; i++) {
		loss->context[i] = max(loss->context[i],
				       psync_skip_context(node, i));
		loss->take[i] = max(loss->take[i], loss->context[i]);
	}
	loss->take[node->sender] = max(loss->take[node->sender], node->seq);
	loss->wave = max(loss->wave, node->wave - 1);
	loss->ngaps++;
}

/* What the GAPs have in their contexts is lost. */
static void psync_skip_lose(struct psync_image *img,
			    struct psync_skip_loss *loss)
{
	u32 i, count = psync_hold_take(img, loss->take, loss->nodes);
	struct psync_node *node;

	img->lost_depth = max(img->lost_depth, loss->wave);
	/* In a view they come behind all that they follow. */
	psync_mask_follow(img, loss->take);
	img->losing = loss->context;
	for (i = 0; i < count; i++) {
		node = loss->nodes[i];
		if (psync_ack_given_up(node) &&
		    node->seq <= loss->context[node->sender]) {
			psync_hold_drop(img, node, PSYNC_DROP_CONTEXT_LOST);
			continue;
		}
		node->quiet = true;
		psync_repair_save(img, node, loss->take);
	}
	img->losing = NULL;
	psync_repair_fade(img, loss->context);
}

enum psync_drop psync_skip_gone(struct psync_image *img,
				struct psync_remote *remote,
				const u64 *until, u32 spared)
{
	size_t size = img->p.n * sizeof(u64);
	size_t room = max(img->nheld, 1U) * sizeof(struct psync_node *);
	struct psync_skip_loss loss = {
		.until		= until,
		.context	= img->ops->alloc(img, size),
		.take		= img->ops->alloc(img, size),
		.nodes		= img->ops->alloc(img, room),
	};
	enum psync_drop drop = PSYNC_DROP_NO_MEM;

	if (loss.context && loss.take && loss.nodes) {
		psync_hold_each(img, psync_skip_look, &loss);
		/* More of the answer is on its way, or is asked for again. */
		drop = PSYNC_DROP_DUPLICATE;
		if (loss.ngaps && loss.spared >= spared) {
			drop = PSYNC_OK;
			psync_skip_lose(img, &loss);
		}
	}
	img->ops->free(img, loss.context, size);
	img->ops->free(img, loss.take, size);
	img->ops->free(img, loss.nodes, room);
	if (!drop)
		psync_repair_lost(img, remote);
	return drop;
}
