// SPDX-License-Identifier: GPL-2.0-only
/*
 * The context graph: nodes, attaching, freeing (P 2, 3.1.3; S2.4).
 *
 * A node is made when its message arrives or is sent and never moves: while
 * its context is incomplete it is in the holding queue, then in the graph,
 * then perhaps freed but remembered as its participant's last freed one.  So
 * nothing after its allocation can fail for want of memory.
 *
 * A message from the wire is not believed.  What is checked before it is
 * attached: its context is here (hold.c), it follows its sender's previous
 * message, and its wave is right.  Where nodes were freed, as much as is still
 * known is checked.  What a message names and another of its entries follows is
 * no edge (psync_graph_reduce()).
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "flow.h"
#include "graph.h"
#include "history.h"
#include "redo.h"
#include "mask.h"
#include "repair.h"
#include "skip.h"
#include "restart.h"
#include "stable.h"
#include "sure.h"
#include "view.h"
#include "vote.h"

#define PSYNC_GRAPH_BUCKETS	64
#define PSYNC_GRAPH_BUCKETS_MAX	4096

size_t psync_node_size(const struct psync_image *img, u16 npred)
{
	return sizeof(struct psync_node) +
	       ((size_t)img->p.n + npred) * sizeof(u64) + psync_sure_size(img);
}

struct psync_node *psync_node_new(struct psync_image *img, u16 sender, u64 seq,
				  u16 npred)
{
	struct psync_node *node;

	node = img->ops->alloc(img, psync_node_size(img, npred));
	if (!node)
		return NULL;
	node->sender = sender;
	node->seq = seq;
	node->npred = npred;
	node->nsaid = npred;
	node->prev = seq - 1;
	node->stamp = (u64 *)(node + 1);
	node->preds = node->stamp + img->p.n;
	return node;
}

void psync_node_take_body(struct psync_image *img, struct psync_node *node,
			  void *body)
{
	node->body = body;
	node->cost = img->ops->cost(img, body, node->body_len,
				    psync_node_size(img, node->nsaid));
}

void psync_node_free(struct psync_image *img, struct psync_node *node)
{
	if (!node)
		return;
	psync_vote_free(img, node);
	psync_skip_free(img, node);
	img->ops->free(img, node, psync_node_size(img, node->nsaid));
}

static enum psync_drop psync_node_decode_list(const struct psync_image *img,
					      const struct psync_pkt *pkt,
					      struct psync_node *node)
{
	const struct psync_wire_mid *mid;
	u32 i, index;
	u64 seq;

	for (i = 0; i < node->npred; i++) {
		mid = &pkt->msg.preds[i];
		index = be16_to_cpu(mid->index);
		seq = psync_wire_mid_seq(mid);
		if (seq <= img->p.seq_base)
			return PSYNC_DROP_BAD_CONTEXT;
		if (index == node->sender && seq != node->seq - 1)
			return PSYNC_DROP_BAD_CONTEXT;
		node->preds[i] = PSYNC_MID(index, seq);
	}
	return PSYNC_OK;
}

static enum psync_drop psync_node_decode_stamp(const struct psync_image *img,
					       const struct psync_pkt *pkt,
					       struct psync_node *node)
{
	u64 base = img->p.seq_base;
	u32 k = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		node->stamp[i] = psync_wire_seq(pkt->msg.stamp, pkt->msg.highs,
						i);
		if (node->stamp[i] < base)
			return PSYNC_DROP_BAD_CONTEXT;
		if (!(pkt->msg.bitmap[i / 8] >> i % 8 & 1))
			continue;
		if (node->stamp[i] == base || k == node->npred)
			return PSYNC_DROP_BAD_CONTEXT;
		node->preds[k++] = PSYNC_MID(i, node->stamp[i]);
	}
	if (k != node->npred)
		return PSYNC_DROP_BAD_CONTEXT;
	/* Only who is back leaves numbers out (S7.1). */
	if (node->kind == PSYNC_KIND_RESTART &&
	    node->stamp[node->sender] < node->seq &&
	    node->seq - node->stamp[node->sender] <= PSYNC_RESTART_GAP)
		node->prev = node->stamp[node->sender];
	if (node->stamp[node->sender] != node->prev)
		return PSYNC_DROP_BAD_CONTEXT;
	node->stamp[node->sender] = node->seq;
	node->stamped = true;
	return PSYNC_OK;
}

static enum psync_drop psync_node_decode_mask(const struct psync_image *img,
					      const struct psync_pkt *pkt,
					      struct psync_node *node)
{
	if (pkt->msg.last < img->p.seq_base)
		return PSYNC_DROP_BAD_CONTEXT;
	node->last = pkt->msg.last;
	return PSYNC_OK;
}

enum psync_drop psync_node_decode(struct psync_image *img,
				  const struct psync_pkt *pkt,
				  struct psync_node **out)
{
	struct psync_node *node;
	enum psync_drop drop;

	node = psync_node_new(img, pkt->msg.sender, pkt->msg.seq,
			      pkt->msg.npred);
	if (!node)
		return PSYNC_DROP_NO_MEM;
	node->kind = pkt->msg.kind;
	node->wave = pkt->msg.wave;
	node->binding = pkt->msg.binding;
	node->about = pkt->msg.about;
	node->start = pkt->msg.flags & PSYNC_MSGF_START;
	node->manual = pkt->msg.flags & PSYNC_MSGF_MANUAL;
	node->repeated = pkt->msg.flags & PSYNC_MSGF_REPEAT;
	node->resent = pkt->msg.flags & PSYNC_MSGF_RESENT;
	node->foreign = pkt->msg.flags & PSYNC_MSGF_FOREIGN;
	node->body_len = pkt->body_len;
	node->op = pkt->msg.op;
	node->about = pkt->msg.about;
	if (pkt->msg.flags & PSYNC_MSGF_STAMP)
		drop = psync_node_decode_stamp(img, pkt, node);
	else
		drop = psync_node_decode_list(img, pkt, node);
	if (!drop && node->kind == PSYNC_KIND_MASK)
		drop = psync_node_decode_mask(img, pkt, node);
	if (drop) {
		psync_node_free(img, node);
		return drop;
	}
	*out = node;
	return PSYNC_OK;
}

bool psync_node_follows(const struct psync_node *node, u64 mid)
{
	u32 lo = 0, hi = node->npred;
	u32 half;

	while (lo < hi) {
		half = lo + (hi - lo) / 2;
		if (node->preds[half] < mid)
			lo = half + 1;
		else
			hi = half;
	}
	return lo < node->npred && node->preds[lo] == mid;
}

static struct hlist_head *psync_graph_bucket(const struct psync_image *img,
					     u32 index, u64 seq)
{
	u64 hash = (seq ^ (u64)index << 40) * 0x9e3779b97f4a7c15ULL;

	/* Bits below that one are the same for all who have sent as much. */
	return &img->nodes[(hash >> 40) & (img->nbuckets - 1)];
}

int psync_graph_init(struct psync_image *img)
{
	int err;

	img->nodes = img->ops->alloc(img, PSYNC_GRAPH_BUCKETS *
				     sizeof(*img->nodes));
	if (!img->nodes)
		return -ENOMEM;
	img->nbuckets = PSYNC_GRAPH_BUCKETS;
	err = psync_view_init(&img->floor, img);
	if (err) {
		img->ops->free(img, img->nodes,
			       img->nbuckets * sizeof(*img->nodes));
		img->nodes = NULL;
		img->nbuckets = 0;
	}
	return err;
}

void psync_graph_exit(struct psync_image *img)
{
	struct psync_node *node;
	u32 i;

	while (!list_empty(&img->order)) {
		node = list_first_entry(&img->order, struct psync_node, order);
		if (!node->gone)
			psync_graph_release(img, node);
		list_del(&node->order);
		psync_node_free(img, node);
	}
	img->nnodes = 0;
	for (i = 0; img->parts && i < img->p.n; i++)
		psync_node_free(img, img->parts[i].freed);
	psync_vote_exit(img);
	psync_view_exit(&img->floor);
	img->ops->free(img, img->nodes, img->nbuckets * sizeof(*img->nodes));
	img->nodes = NULL;
	img->nbuckets = 0;
}

/* A longer table when there are many nodes; without memory the old one does. */
static void psync_graph_grow(struct psync_image *img)
{
	struct hlist_head *old = img->nodes;
	u32 nbuckets = img->nbuckets;
	struct psync_node *node;

	img->nodes = img->ops->alloc(img, 2 * nbuckets * sizeof(*old));
	if (!img->nodes) {
		img->nodes = old;
		return;
	}
	img->nbuckets = 2 * nbuckets;
	list_for_each_entry(node, &img->order, order)
		hlist_add_head(&node->hash,
			       psync_graph_bucket(img, node->sender, node->seq));
	img->ops->free(img, old, nbuckets * sizeof(*old));
}

struct psync_node *psync_graph_find(const struct psync_image *img, u32 index,
				    u64 seq)
{
	const struct psync_part *part = &img->parts[index];
	struct psync_node *node;

	if (seq <= img->floor.stamp[index] || seq > part->seq)
		return NULL;
	if (seq == part->seq)
		return part->last;
	hlist_for_each_entry(node, psync_graph_bucket(img, index, seq), hash)
		if (node->seq == seq && node->sender == index)
			return node;
	return NULL;
}

struct psync_node *psync_graph_newest(const struct psync_image *img, u32 index)
{
	return psync_graph_find(img, index, img->parts[index].newest);
}

struct psync_node *psync_graph_below(const struct psync_image *img,
				     const struct psync_node *node)
{
	return psync_graph_find(img, node->sender, node->below);
}

struct psync_node *psync_graph_above(const struct psync_image *img, u32 index,
				     u64 seq)
{
	struct psync_node *node, *above = NULL;

	seq = max(seq, img->floor.stamp[index]);
	node = psync_graph_find(img, index, seq + 1);
	if (node || img->parts[index].newest <= seq)
		return node;
	/* The next number need not be that of a message. */
	for (node = psync_graph_newest(img, index); node && node->seq > seq;
	     node = psync_graph_below(img, node))
		above = node;
	return above;
}

const struct psync_node *psync_graph_known(const struct psync_image *img,
					   u32 index, u64 seq)
{
	const struct psync_node *freed = img->parts[index].freed;

	if (freed && freed->seq == seq)
		return freed;
	return psync_graph_find(img, index, seq);
}

/*
 * A stamp from the wire: the sender's context only grows, and nothing in it is
 * as deep as the message itself.  What its sender took for lost it does not
 * know to be before it, but who knows that of its last message does.
 */
static enum psync_drop psync_graph_check_stamp(const struct psync_image *img,
					       struct psync_node *node,
					       const u64 *before)
{
	const struct psync_node *last;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (before)
			node->stamp[i] = max(node->stamp[i], before[i]);
		if (i == node->sender)
			continue;
		last = psync_graph_known(img, i, node->stamp[i]);
		if (last && last->wave >= node->wave)
			return PSYNC_DROP_BAD_WAVE;
	}
	return PSYNC_OK;
}

/* Is an entry of another in the context of the sender's previous message? */
static bool psync_graph_is_old(const struct psync_node *node, u64 mid,
			       const u64 *before)
{
	u32 index = PSYNC_MID_INDEX(mid);

	return before && index != node->sender &&
	       PSYNC_MID_SEQ(mid) <= before[index];
}

/* Which entries has @pred, the one at @at, in its context? */
static u64 psync_graph_covered(const struct psync_node *node,
			       const struct psync_node *pred, u32 at)
{
	u64 known = 0;
	u32 i;

	for (i = 0; i < node->npred; i++)
		if (i != at && pred->stamp[PSYNC_MID_INDEX(node->preds[i])] >=
			       PSYNC_MID_SEQ(node->preds[i]))
			known |= 1ULL << i;
	return known;
}

/*
 * Transitive reduction: the entries whose bits are in @known are in the
 * context of others or of the sender's previous message.  A sender that took
 * messages for lost cannot know that.  Who has the graph can, and all who do
 * come to the same edges.  What was said stays, to be sent again as it was: it
 * tells more to those who lack the same messages.
 */
static enum psync_drop psync_graph_reduce(struct psync_node *node, u64 known)
{
	u64 mid;
	u32 i;

	if (!known)
		return PSYNC_OK;
	node->npred = 0;
	for (i = 0; i < node->nsaid; i++) {
		if (known >> i & 1)
			continue;
		mid = node->preds[i];
		memmove(node->preds + node->npred + 1,
			node->preds + node->npred,
			(i - node->npred) * sizeof(mid));
		node->preds[node->npred++] = mid;
	}
	return node->npred ? PSYNC_OK : PSYNC_DROP_BAD_CONTEXT;
}

/* What its predecessor follows the message follows, too. */
static void psync_graph_raise(const struct psync_image *img,
			      struct psync_node *node,
			      const struct psync_node *pred)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (i != node->sender)
			node->stamp[i] = max(node->stamp[i], pred->stamp[i]);
}

/*
 * The same for a stamp: of one who may have lost messages, and know less than this
 * site does, also where the message was first sent with a list.  To compare very
 * many with one another would take more than a list does.  A GAP's is raised
 * where what it says is kept, psync_skip_follow().
 */
static enum psync_drop psync_graph_check_edges(const struct psync_image *img,
					       struct psync_node *node,
					       const u64 *before)
{
	const struct psync_node *pred;
	u64 mid, known = 0;
	u32 i;

	if (node->npred > PSYNC_GRAPH_EDGES)
		return PSYNC_OK;
	for (i = 0; i < node->npred; i++) {
		mid = node->preds[i];
		if (psync_graph_is_old(node, mid, before))
			known |= 1ULL << i;
		pred = psync_graph_known(img, PSYNC_MID_INDEX(mid),
					 PSYNC_MID_SEQ(mid));
		if (!pred)
			continue;
		known |= psync_graph_covered(node, pred, i);
		if (node->kind != PSYNC_KIND_GAP)
			psync_graph_raise(img, node, pred);
	}
	return psync_graph_reduce(node, known);
}

/* Was a message left out by one that is back, before it came (S7.1)? */
static bool psync_graph_is_void(const struct psync_image *img, u32 index,
				u64 seq)
{
	const struct psync_part *part = &img->parts[index];

	return img->holes && seq <= part->seq &&
	       seq > max(part->gap, img->floor.stamp[index]) &&
	       !psync_graph_find(img, index, seq);
}

/* What its predecessors follow the message follows, too; reduces the list. */
static enum psync_drop psync_graph_check_list(const struct psync_image *img,
					      struct psync_node *node,
					      const u64 *before)
{
	const struct psync_node *pred;
	u64 known = 0;
	u32 i, index;
	u64 seq;

	for (i = 0; i < img->p.n; i++)
		node->stamp[i] = max(node->stamp[i],
				     before ? before[i] : img->p.seq_base);
	for (i = 0; i < node->npred; i++) {
		index = PSYNC_MID_INDEX(node->preds[i]);
		seq = PSYNC_MID_SEQ(node->preds[i]);
		if (psync_graph_is_old(node, node->preds[i], before))
			known |= 1ULL << i;
		pred = psync_graph_known(img, index, seq);
		/* What that follows is not known: it is asked for with a stamp. */
		if (!pred && psync_graph_is_void(img, index, seq))
			return PSYNC_DROP_CONTEXT_LOST;
		if (!pred) {
			node->stamp[index] = max(node->stamp[index], seq);
			continue;
		}
		known |= psync_graph_covered(node, pred, i);
		psync_graph_raise(img, node, pred);
	}
	node->stamp[node->sender] = node->seq;
	return psync_graph_reduce(node, known);
}

/* Nothing is deeper than there are messages, as far as is known. */
static u64 psync_graph_deepest(const struct psync_image *img)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		sum += max(img->parts[i].seq, img->parts[i].claimed) -
		       img->p.seq_base;
	return sum;
}

u32 psync_graph_lost_depth(const struct psync_image *img)
{
	return img->lost_depth ? min_t(u64, img->lost_depth,
				       psync_graph_deepest(img)) : 0;
}

/* How deep may what is here be, or what of it is lost? */
static u32 psync_graph_depth(const struct psync_image *img)
{
	return max(img->max_depth, psync_graph_lost_depth(img));
}

/* What the predecessors say about their being ones, and about the wave. */
static enum psync_drop psync_graph_check_preds(const struct psync_image *img,
					       const struct psync_node *node)
{
	/*
	 * Its sender's previous message is in the context of a predecessor.
	 * Were that message freed here, or anything between the two never had,
	 * the predecessor's stamp may lack it.
	 */
	bool follows = img->lost_depth ||
		       node->prev <= img->floor.stamp[node->sender];
	bool all = true, left_out = false;
	const struct psync_node *pred;
	u64 seq, deepest;
	u32 wave = 0;
	u32 i, index;

	/* Nothing follows an END of the same participant (S3.2). */
	if (img->parts[node->sender].ended)
		return PSYNC_DROP_BAD_CONTEXT;
	for (i = 0; i < node->npred; i++) {
		index = PSYNC_MID_INDEX(node->preds[i]);
		seq = PSYNC_MID_SEQ(node->preds[i]);
		pred = psync_graph_known(img, index, seq);
		if (!pred) {
			all = false;
			left_out |= psync_graph_is_void(img, index, seq);
			continue;
		}
		wave = max(wave, pred->wave);
		if (pred->stamp[node->sender] == node->prev)
			follows = true;
	}
	if (!follows && all)
		return PSYNC_DROP_BAD_CONTEXT;
	/* How deep that was which a RESTART left out nobody here knows. */
	deepest = left_out ? psync_graph_deepest(img) : psync_graph_depth(img);
	if (all ? node->wave != wave + 1 :
		  node->wave <= wave || node->wave - 1 > deepest)
		return PSYNC_DROP_BAD_WAVE;
	return PSYNC_OK;
}

/*
 * Its sender may not know any more what its predecessors follow.  What it says of
 * these themselves stays: they are sent as part of its stamp.
 */
static void psync_graph_follow(const struct psync_image *img,
			       struct psync_node *node)
{
	const struct psync_node *pred;
	u32 i, j, k;

	for (i = 0; i < node->npred; i++) {
		pred = psync_graph_known(img, PSYNC_MID_INDEX(node->preds[i]),
					 PSYNC_MID_SEQ(node->preds[i]));
		for (j = 0, k = 0; pred && j < img->p.n; j++) {
			if (k < node->npred &&
			    PSYNC_MID_INDEX(node->preds[k]) == j)
				k++;
			else if (j != node->sender)
				node->stamp[j] = max(node->stamp[j],
						     pred->stamp[j]);
		}
	}
}

/*
 * Who is back may have lost what it had, so its context need not grow, nor does
 * it know which of the messages that are gone follow which.
 */
static enum psync_drop
psync_graph_check_restart(struct psync_image *img, struct psync_node *node)
{
	enum psync_drop drop;

	/* What its sender lost may be deeper than what came here by now. */
	if (node->wave - 1 > psync_graph_depth(img) &&
	    node->wave - 1 > psync_graph_deepest(img))
		return PSYNC_DROP_BAD_WAVE;
	psync_graph_follow(img, node);
	drop = psync_graph_check_stamp(img, node, NULL);
	if (!drop && !psync_sure_prepare(img))
		drop = PSYNC_DROP_NO_MEM;
	return drop;
}

/* Does a message say what its sender's site holds? */
static bool psync_graph_speaks(const struct psync_image *img,
			       const struct psync_node *node)
{
	const struct psync_part *part = &img->parts[node->sender];

	/* What others send of it may be older than the site's image. */
	return part->remote >= 0 && !(node->foreign && part->past);
}

void psync_graph_heed(struct psync_image *img, const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	if (!psync_graph_speaks(img, node))
		return;
	if (node->stamped)
		psync_ack_holds(img, &img->remotes[part->remote], node->sender,
				node->seq);
	else
		psync_ack_context(img, &img->remotes[part->remote],
				  node->stamp);
}

/*
 * What comes with a stamp is from one who may not have all that its predecessors
 * follow, but has what it says itself, and all of that is here; others may say
 * more of it.  Whether the message itself fits is not known yet.
 */
static void psync_graph_heed_stamp(struct psync_image *img,
				   struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	if (!node->stamped || node->foreign || !psync_graph_speaks(img, node))
		return;
	node->stamp[node->sender] = node->prev;
	psync_ack_context(img, &img->remotes[part->remote], node->stamp);
	node->stamp[node->sender] = node->seq;
}

enum psync_drop psync_graph_check(struct psync_image *img,
				  struct psync_node *node)
{
	const u64 *before = img->parts[node->sender].stamp;
	enum psync_drop drop;

	psync_graph_heed_stamp(img, node);
	if (node->kind == PSYNC_KIND_RESTART)
		return psync_graph_check_restart(img, node);
	drop = psync_graph_check_preds(img, node);
	if (drop)
		return drop;
	if (node->stamped)
		drop = psync_graph_check_edges(img, node, before);
	else
		drop = psync_graph_check_list(img, node, before);
	if (!drop && node->kind == PSYNC_KIND_GAP)
		drop = psync_skip_follow(img, node, before);
	if (!drop && node->stamped)
		drop = psync_graph_check_stamp(img, node, before);
	/*
	 * A site holds what its participants know, and where messages were lost
	 * there, perhaps more than it knows.
	 */
	if (node->kind == PSYNC_KIND_MASK && node->op != PSYNC_MASK_OP_KEPT)
		node->last = max(node->last, node->stamp[node->about]);
	return drop;
}

void psync_graph_release(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	if (node->kept)
		img->history_bytes -= node->cost;
	else
		psync_graph_settle(img, node);
	node->kept = false;
	img->body_bytes -= node->cost;
	if (node->body)
		img->ops->body_put(img, node->body);
	node->body = NULL;
	node->gone = true;
	part->released = max(part->released, node->seq);
}

void psync_graph_settle(struct psync_image *img, const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	img->nuntaken--;
	part->nkept--;
	if (part->remote >= 0) {
		img->remotes[part->remote].bytes -= node->cost;
		psync_flow_free(img, node);
	} else {
		img->own_bytes -= node->cost;
	}
}

/* The node is its sender's last one now. */
static void psync_graph_last(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	bool lacked = part->claimed > part->seq;

	/* That of one that was back may leave numbers out. */
	if (!node->npred && part->seq == img->p.seq_base)
		part->root = node->seq;
	else if (!node->npred)
		img->bare = true;
	part->seq = node->seq;
	node->below = part->newest;
	part->newest = node->seq;
	part->stamp = node->stamp;
	part->last = node;
	part->claimed = max(part->claimed, node->seq);
	if (!lacked)
		return;
	if (part->claimed == part->seq)
		img->nlack--;
	psync_repair_came(img);
}

/* What the graph's other users are to know of a new node. */
static void psync_graph_tell(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	part->nkept++;
	img->begun |= node->start;
	if (part->remote < 0)
		img->own_bytes += node->cost;
	else
		img->remotes[part->remote].bytes += node->cost;
	psync_ack_expect(img, node);
	if (part->remote >= 0) {
		psync_flow_keep(img, node);
		psync_ack_due(img, &img->remotes[part->remote]);
	}
	if (node->kind == PSYNC_KIND_END || node->kind == PSYNC_KIND_RESTART)
		psync_vote_turn(img, node);
	if (node->kind == PSYNC_KIND_END)
		psync_ack_ended(img, node);
	else if (node->kind == PSYNC_KIND_GAP)
		psync_skip_attached(img, node);
	else if (node->kind == PSYNC_KIND_MASK)
		psync_vote_attached(img, node);
	psync_stable_attached(img, node);
}

void psync_graph_attach(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	struct psync_view *view;

	psync_graph_heed(img, node);
	if (img->nnodes >= 2 * img->nbuckets &&
	    img->nbuckets < PSYNC_GRAPH_BUCKETS_MAX)
		psync_graph_grow(img);
	/* Whose site counts again lacks what is here before it. */
	if (node->kind == PSYNC_KIND_RESTART)
		psync_restart_attach(img, node);
	list_add_tail(&node->order, &img->order);
	hlist_add_head(&node->hash,
		       psync_graph_bucket(img, node->sender, node->seq));
	img->nnodes++;
	part->nnodes++;
	img->nuntaken++;
	node->ordinal = ++img->attached;
	img->max_depth = max(img->max_depth, node->wave);
	img->holes |= node->seq != node->prev + 1;
	psync_graph_last(img, node);
	/* Not to be given back before all views were offered it. */
	node->wanted++;
	psync_graph_tell(img, node);
	list_for_each_entry(view, &img->views, link)
		if (view == part->view && node->made &&
		    view->stamp[node->sender] == node->prev)
			psync_view_enter(view, node);
		else
			psync_view_offer(view, node);
	view = part->view;
	if (view && view->redo && !node->made)
		psync_redo_record(view, node);
	list_for_each_entry(view, &img->views, link)
		if (view->leaf && node->seq <= view->leaf[node->sender])
			psync_view_absorb(view, node->stamp);
	psync_mask_attached(img, node);
	/* Before anybody has joined, whoever comes is to have everything. */
	if (!--node->wanted && !node->unheld && img->joined)
		psync_history_rest(img, node);
	psync_graph_trim(img);
}

/* What is freed was taken by every view, so the floor is in all of them. */
static void psync_graph_forget(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	struct psync_node *next = NULL;
	struct psync_view *view;

	if (!list_is_last(&node->order, &img->order))
		next = list_next_entry(node, order);
	list_for_each_entry(view, &img->views, link) {
		/* What is void there is not wanted, but below its floor. */
		if (!psync_view_has(view, node)) {
			img->ops->passed(img, view, node);
			psync_view_enter(view, node);
		}
		if (view->next == node)
			view->next = next;
	}
	if (img->oldest == node)
		img->oldest = next;
	list_del(&node->order);
	hlist_del(&node->hash);
	if (node->kind == PSYNC_KIND_GAP)
		psync_skip_forget(img, node);
	img->nnodes--;
	part->nnodes--;
	psync_view_enter(&img->floor, node);
	psync_node_free(img, part->freed);
	part->freed = node;
}

/* Among what is not there is nothing to search by. */
static const struct psync_node *psync_graph_walk(const struct psync_image *img,
						 u32 index, u32 sender, u64 seq)
{
	const struct psync_node *node = psync_graph_find(img, sender, seq);

	/* What it follows was attached before. */
	if (!node)
		node = list_first_entry(&img->order, struct psync_node, order);
	list_for_each_entry_from(node, &img->order, order)
		if (node->sender == index && node->stamp[sender] >= seq)
			return node;
	return NULL;
}

const struct psync_node *psync_graph_first(const struct psync_image *img,
					   u32 index, u32 sender, u64 seq)
{
	u64 lo = img->floor.stamp[index] + 1;
	u64 hi = img->parts[index].seq + 1;
	const struct psync_node *node;
	u64 half;

	if (img->holes)
		return psync_graph_walk(img, index, sender, seq);
	while (lo < hi) {
		half = lo + (hi - lo) / 2;
		node = psync_graph_find(img, index, half);
		if (!node || node->stamp[sender] < seq)
			lo = half + 1;
		else
			hi = half;
	}
	return psync_graph_find(img, index, lo);
}

/* The first message of @index in whose context @node is, if it names it. */
static const struct psync_node *
psync_graph_successor(const struct psync_image *img,
		      const struct psync_node *node, u32 index)
{
	const struct psync_node *next;

	/*
	 * Only that one can follow it immediately.  All in whose context it is
	 * were attached after @node, which is kept, so they are kept, too.
	 */
	if (index == node->sender)
		next = psync_graph_find(img, index, node->seq + 1);
	else
		next = psync_graph_first(img, index, node->sender, node->seq);
	return next && psync_node_follows(next, psync_node_mid(node)) ? next : NULL;
}

const struct psync_node *
psync_graph_next(const struct psync_image *img, const struct psync_node *node,
		 const struct psync_node *after)
{
	u64 mid = psync_node_mid(node);
	const struct psync_node *next;
	u32 i;

	if (!img->holes) {
		i = after == node ? 0 : after->sender + 1;
		for (; i < img->p.n; i++) {
			next = psync_graph_successor(img, node, i);
			if (next)
				return next;
		}
		return NULL;
	}
	next = after;
	list_for_each_entry_continue(next, &img->order, order)
		if (psync_node_follows(next, mid))
			return next;
	return NULL;
}

/* Is @node in the context of @last, or that one itself? */
static bool psync_graph_before(const struct psync_node *node,
			       const struct psync_node *last)
{
	return node->seq <= last->stamp[node->sender];
}

bool psync_graph_free(struct psync_image *img, const struct psync_node *last)
{
	struct psync_node *node, *next;

	list_for_each_entry(node, &img->order, order) {
		if (psync_graph_before(node, last) && !node->gone &&
		    !psync_history_idle(node))
			return false;
		if (node == last)
			break;
	}
	/* In attach order: each after all that it follows. */
	list_for_each_entry_safe(node, next, &img->order, order) {
		if (psync_graph_before(node, last)) {
			/* Not for those who come back, either. */
			if (!node->gone)
				psync_graph_release(img, node);
			psync_graph_forget(img, node);
		}
		if (node == last)
			break;
	}
	return true;
}

void psync_graph_trim(struct psync_image *img)
{
	struct psync_node *node;

	while (img->nnodes > img->p.limits.max_nodes) {
		node = list_first_entry(&img->order, struct psync_node, order);
		if (psync_history_idle(node))
			psync_graph_release(img, node);
		if (!node->gone)
			return;
		psync_graph_forget(img, node);
	}
}
