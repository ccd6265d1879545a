// SPDX-License-Identifier: GPL-2.0-only
/*
 * Views: what one participant has sent or received, and questions about it
 * (P 2; S2.1, S2.2).
 *
 * A view is closed downwards and, but for its participant's own messages, a
 * prefix of the attach order: the first node in that order that is not in the
 * view has all its predecessors there, so it may be received next.
 *
 * Leaves: when a message enters, whatever is in its context is no leaf any
 * more.  (Of an honest sender, those are its immediate predecessors: every
 * other message of the context precedes one.  A stamp that names too few
 * predecessors must not leave two leaves of which one precedes the other, or
 * our own next message would be refused by all.)
 */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/string.h>
#include "flow.h"
#include "graph.h"
#include "history.h"
#include "null.h"
#include "redo.h"
#include "skip.h"
#include "sure.h"
#include "view.h"

static size_t psync_view_size(const struct psync_image *img)
{
	return img->p.n * sizeof(u64) +
	       BITS_TO_LONGS(img->p.n) * sizeof(unsigned long);
}

int psync_view_init(struct psync_view *view, struct psync_image *img)
{
	u32 i;

	view->stamp = img->ops->alloc(img, psync_view_size(img));
	if (!view->stamp)
		return -ENOMEM;
	view->img = img;
	view->null_at = U64_MAX;
	view->leaves = (unsigned long *)(view->stamp + img->p.n);
	for (i = 0; i < img->p.n; i++)
		view->stamp[i] = img->p.seq_base;
	return 0;
}

void psync_view_exit(struct psync_view *view)
{
	if (!view->stamp)
		return;
	psync_redo_exit(view);
	view->img->ops->free(view->img, view->stamp,
			     psync_view_size(view->img));
	view->img->ops->free(view->img, view->leaf,
			     view->img->p.n * sizeof(*view->leaf));
	view->leaf = NULL;
	view->stamp = NULL;
	view->leaves = NULL;
	psync_mask_exit(view);
}

static void psync_view_add(struct psync_view *view,
			   const struct psync_node *node)
{
	unsigned long i;

	for_each_set_bit(i, view->leaves, view->img->p.n) {
		if (node->stamp[i] >= view->stamp[i]) {
			__clear_bit(i, view->leaves);
			view->nleaves--;
		}
	}
	/* Who was skipped has all that was announced, or has lost it. */
	for (i = 0; node->kind == PSYNC_KIND_GAP && i < view->img->p.n; i++)
		view->stamp[i] = max(view->stamp[i], node->stamp[i]);
	view->stamp[node->sender] = node->seq;
	if (!test_bit(node->sender, view->leaves)) {
		__set_bit(node->sender, view->leaves);
		view->nleaves++;
	}
	view->max_wave = max(view->max_wave, node->wave);
	view->count++;
}

void psync_view_enter(struct psync_view *view, const struct psync_node *node)
{
	/* What is before its leaves it begins with, all at once. */
	if (node->kind == PSYNC_KIND_RESTART && view->masks && !view->leaf)
		psync_sure_keep(view);
	psync_view_add(view, node);
}

/* The node after @node in attach order, or NULL. */
static struct psync_node *psync_view_after(const struct psync_view *view,
					   struct psync_node *node)
{
	if (list_is_last(&node->order, &view->img->order))
		return NULL;
	return list_next_entry(node, order);
}

const struct psync_node *psync_view_behind(struct psync_view *view,
					   const struct psync_node *bar)
{
	struct psync_image *img = view->img;
	const struct psync_view *floor = &img->floor;
	const struct psync_node *node, *gone = NULL;

	memcpy(view->stamp, floor->stamp, psync_view_size(img));
	view->nleaves = floor->nleaves;
	view->count = floor->count;
	view->max_wave = floor->max_wave;
	list_for_each_entry(node, &img->order, order) {
		if (node == bar)
			break;
		if (node->gone)
			gone = node;
	}
	if (!gone)
		return NULL;
	/* All at once, too: nothing was stable in it before somebody came back. */
	list_for_each_entry(node, &img->order, order) {
		psync_view_add(view, node);
		if (node == gone)
			break;
	}
	return gone;
}

/* Is it of a kind that is for programs to receive? */
static bool psync_view_shows(const struct psync_view *view,
			     const struct psync_node *node)
{
	if (node->kind == PSYNC_KIND_DATA)
		return true;
	/* Of the rest events tell: as messages they would look like empty ones. */
	return view->nulls && !node->quiet &&
	       (node->kind == PSYNC_KIND_NULL || node->kind == PSYNC_KIND_END);
}

/* Does the program know of it because it has sent it, or will? */
static bool psync_view_own(const struct psync_view *view,
			   const struct psync_node *node)
{
	return node->sender == view->index && (node->made || view->redo);
}

/* Is it given to the program when its turn comes? */
static bool psync_view_gives(const struct psync_view *view,
			     const struct psync_node *node)
{
	return psync_view_shows(view, node) && !node->gone &&
	       psync_mask_keeps(view, node) && !psync_view_own(view, node);
}

bool psync_view_counts(const struct psync_view *view,
		       const struct psync_node *node)
{
	return psync_view_gives(view, node) && !view->leaf;
}

void psync_view_want(struct psync_view *view, struct psync_node *node)
{
	node->wanted++;
	view->unread += node->cost;
}

void psync_view_begin(struct psync_view *view)
{
	const struct psync_node *behind = psync_view_behind(view, NULL);
	struct psync_node *node;

	list_for_each_entry_reverse(node, &view->img->order, order) {
		if (node == behind)
			break;
		psync_view_want(view, node);
		view->outstanding += psync_view_counts(view, node);
		view->next = node;
	}
}

void psync_view_unwant(struct psync_view *view, struct psync_node *node)
{
	view->unread -= node->cost;
	if (!--node->wanted && !node->unheld)
		psync_history_rest(view->img, node);
}

/* What is not given to the program enters by itself. */
static void psync_view_pass(struct psync_view *view, struct psync_node *node)
{
	bool own = psync_view_own(view, node);
	bool voided = node->kind == PSYNC_KIND_DATA && !own;
	struct psync_image *img = view->img;

	if (!own)
		img->ops->passed(img, view, node);
	if (voided)
		img->ops->dropped(img, PSYNC_DROP_VOID);
	psync_view_enter(view, node);
	psync_mask_entered(view, node);
	if (psync_mask_keeps(view, node) && !node->gone)
		psync_view_unwant(view, node);
	/* It is void here, others wait for an answer. */
	if (voided)
		psync_null_due(view);
}

void psync_view_skip(struct psync_view *view)
{
	struct psync_node *node;

	while ((node = view->next)) {
		if (!psync_view_has(view, node) && psync_mask_due(view, node)) {
			if (psync_view_gives(view, node) || view->pending ||
			    view->leaf)
				return;
			psync_view_pass(view, node);
		}
		view->next = psync_view_after(view, node);
	}
}

void psync_view_end(struct psync_view *view)
{
	struct psync_node *node;

	/* What was left out comes before the next one. */
	list_for_each_entry(node, &view->img->order, order)
		if (!psync_view_has(view, node) &&
		    psync_mask_keeps(view, node) && node->wanted)
			psync_view_unwant(view, node);
	view->next = NULL;
	view->outstanding = 0;
}

void psync_view_offer(struct psync_view *view, struct psync_node *node)
{
	if (psync_mask_keeps(view, node))
		psync_view_want(view, node);
	if (view->masks) {
		psync_mask_offer(view, node);
		return;
	}
	if (!view->next)
		view->next = node;
	if (!psync_view_counts(view, node))
		psync_view_skip(view);
	else if (!view->outstanding++)
		view->img->ops->readable(view->img, view);
}

void psync_view_established(struct psync_view *view)
{
	struct psync_image *img = view->img;
	struct psync_node *node;

	img->ops->free(img, view->leaf, img->p.n * sizeof(*view->leaf));
	view->leaf = NULL;
	for (node = view->next; node; node = psync_view_after(view, node))
		if (!psync_view_has(view, node) && psync_mask_due(view, node) &&
		    psync_view_counts(view, node) && !view->outstanding++)
			img->ops->readable(img, view);
	psync_view_skip(view);
	psync_graph_trim(img);
}

/* Is a leaf still to come, or here and not in the view yet? */
static bool psync_view_awaits(const struct psync_view *view, u32 index)
{
	u64 leaf = view->leaf[index];

	/* What is up to the gap is lost, but not all of it. */
	return leaf > view->stamp[index] &&
	       (leaf > view->img->parts[index].gap ||
		psync_graph_find(view->img, index, leaf));
}

void psync_view_absorb(struct psync_view *view, const u64 *stamp)
{
	struct psync_image *img = view->img;
	struct psync_node *node;
	u32 i;

	for (node = view->next; node; node = psync_view_after(view, node)) {
		if (psync_view_has(view, node) ||
		    node->seq > stamp[node->sender])
			continue;
		psync_view_enter(view, node);
		if (psync_mask_keeps(view, node) && !node->gone)
			psync_view_unwant(view, node);
	}
	psync_view_skip(view);
	for (i = 0; i < img->p.n; i++)
		if (psync_view_awaits(view, i))
			return;
	psync_view_established(view);
}

struct psync_node *psync_view_next(struct psync_view *view)
{
	psync_view_skip(view);
	psync_graph_trim(view->img);
	return view->leaf ? NULL : view->next;
}

bool psync_view_take(struct psync_view *view, u64 mid, u64 now)
{
	struct psync_node *node = psync_view_next(view);
	struct psync_image *img = view->img;
	bool data;

	if (!node || psync_node_mid(node) != mid)
		return false;
	data = node->kind == PSYNC_KIND_DATA;
	img->now = now;
	view->next = psync_view_after(view, node);
	view->outstanding--;
	if (!data)
		img->ops->passed(img, view, node);
	psync_view_enter(view, node);
	psync_mask_entered(view, node);
	psync_view_unwant(view, node);
	psync_view_skip(view);
	/* A null message acknowledges no other (S3.1). */
	if (data)
		psync_null_due(view);
	psync_graph_trim(img);
	psync_flow_settle(img);
	return true;
}

void psync_view_manual(struct psync_view *view, bool manual, u64 now)
{
	view->img->now = now;
	view->manual = manual;
	if (manual)
		view->null_at = U64_MAX;
	/* What fell due meanwhile is looked for. */
	else
		psync_image_arm(view->img, now);
}

void psync_view_nulls(struct psync_view *view, bool nulls, u64 now)
{
	u32 outstanding = view->outstanding;
	struct psync_node *node;

	view->img->now = now;
	view->nulls = nulls;
	psync_view_skip(view);
	view->outstanding = 0;
	for (node = view->next; node; node = psync_view_after(view, node))
		if (!psync_view_has(view, node) &&
		    psync_mask_due(view, node) && psync_view_counts(view, node))
			view->outstanding++;
	if (!outstanding && view->outstanding)
		view->img->ops->readable(view->img, view);
	psync_graph_trim(view->img);
}

/*
 * Is that a number that its participant left out when it came back?  Of what
 * is freed or lost nobody knows.
 */
static bool psync_view_void(const struct psync_view *view, u32 index, u64 seq)
{
	const struct psync_image *img = view->img;

	return seq > max(img->floor.stamp[index], img->parts[index].gap) &&
	       seq <= img->parts[index].seq &&
	       !psync_graph_find(img, index, seq);
}

static int psync_view_lookup(const struct psync_view *view, u64 mid,
			     const struct psync_node **node)
{
	const struct psync_image *img = view->img;
	u32 index = PSYNC_MID_INDEX(mid);
	u64 seq = PSYNC_MID_SEQ(mid);

	if (index >= img->p.n || seq <= img->p.seq_base ||
	    seq > view->stamp[index])
		return PSYNC_EUNKNOWN;
	*node = psync_graph_find(img, index, seq);
	if (*node)
		return 0;
	return psync_view_void(view, index, seq) ? PSYNC_EUNKNOWN :
						   PSYNC_EFREED;
}

int psync_view_resend(struct psync_view *view, u64 mid, u64 now)
{
	const struct psync_node *node;
	u32 participants, sites;
	int err;

	view->img->now = now;
	err = psync_view_lookup(view, mid, &node);
	if (!err && !node->gone && !psync_history_idle(node) &&
	    psync_view_stable(view, mid, &participants, &sites) != 1)
		psync_image_repeat(view->img, node, 0, PSYNC_MSGF_RESENT);
	return err;
}

int psync_view_free(struct psync_view *view, u64 mid, u64 now)
{
	const struct psync_node *node;
	u32 participants, sites;
	int err;

	view->img->now = now;
	err = psync_view_find(view, mid, &node);
	if (err)
		return err;
	if (psync_view_stable(view, mid, &participants, &sites) != 1 ||
	    !psync_graph_free(view->img, node))
		return PSYNC_EWANTED;
	return 0;
}

int psync_view_find(const struct psync_view *view, u64 mid,
		    const struct psync_node **node)
{
	int err = psync_view_lookup(view, mid, node);

	/* Among what is lost nobody here knows what follows what. */
	if (!err && psync_skip_faded(view, PSYNC_MID_INDEX(mid),
				     PSYNC_MID_SEQ(mid)))
		err = PSYNC_EFREED;
	return err;
}

static void psync_view_put(u64 *mids, u32 room, u32 *count, u64 mid)
{
	if (*count < room)
		mids[*count] = mid;
	++*count;
}

static int psync_view_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a;
	u64 y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u32 psync_view_roots(const struct psync_view *view, u64 *mids, u32 room)
{
	const struct psync_image *img = view->img;
	const struct psync_node *node;
	u32 count = 0, first;
	u32 i;

	/* A participant's first message can be without predecessors, ... */
	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].root && view->stamp[i] >= img->parts[i].root)
			psync_view_put(mids, room, &count,
				       PSYNC_MID(i, img->parts[i].root));
	first = count;
	/* ... or the RESTART of one that nobody could tell of any (S7.1). */
	if (!img->bare)
		return count;
	list_for_each_entry(node, &img->order, order)
		if (node->kind == PSYNC_KIND_RESTART && !node->npred &&
		    node->seq != img->parts[node->sender].root &&
		    psync_view_has(view, node))
			psync_view_put(mids, room, &count,
				       psync_node_mid(node));
	if (count > first)
		sort(mids, min(count, room), sizeof(*mids), psync_view_cmp,
		     NULL);
	return count;
}

u32 psync_view_leaves(const struct psync_view *view, u64 *mids, u32 room)
{
	unsigned long i;
	u32 count = 0;

	for_each_set_bit(i, view->leaves, view->img->p.n)
		psync_view_put(mids, room, &count,
			       PSYNC_MID(i, view->stamp[i]));
	return count;
}

int psync_view_step(const struct psync_view *view, u64 mid, bool forward,
		    u64 *mids, u32 room)
{
	const struct psync_node *node, *next;
	u32 count = 0;
	int err;
	u32 i;

	err = psync_view_find(view, mid, &node);
	if (err)
		return err;
	for (i = 0; !forward && i < node->npred; i++)
		psync_view_put(mids, room, &count, node->preds[i]);
	for (next = node; forward && next;) {
		next = psync_graph_next(view->img, node, next);
		if (next && psync_view_has(view, next))
			psync_view_put(mids, room, &count,
				       psync_node_mid(next));
	}
	if (forward && room)
		sort(mids, min(count, room), sizeof(*mids), psync_view_cmp,
		     NULL);
	return count;
}

int psync_view_mids(const struct psync_view *view, u64 after, u64 *mids,
		    u32 room)
{
	const struct psync_image *img = view->img;
	const struct psync_node *node;
	u32 count = 0;
	int err;

	node = list_entry(&img->order, struct psync_node, order);
	if (after) {
		err = psync_view_lookup(view, after, &node);
		if (err)
			return err;
	}
	list_for_each_entry_continue(node, &img->order, order)
		if (psync_view_has(view, node))
			psync_view_put(mids, room, &count,
				       psync_node_mid(node));
	return count;
}

int psync_view_precedes(const struct psync_view *view, u64 first, u64 second)
{
	const struct psync_node *a, *b;
	int err;

	err = psync_view_find(view, first, &a);
	if (!err)
		err = psync_view_find(view, second, &b);
	if (err)
		return err;
	return a != b && b->stamp[a->sender] >= a->seq;
}

/* The last message of a participant in the view. */
static const struct psync_node *psync_view_last(const struct psync_view *view,
						u32 index)
{
	if (!view->stamp)
		return view->img->parts[index].last;
	return psync_graph_known(view->img, index, view->stamp[index]);
}

int psync_view_stable(const struct psync_view *view, u64 mid,
		      u32 *participants, u32 *sites)
{
	DECLARE_BITMAP(seen, PSYNC_PARTICIPANTS_LIM);
	const struct psync_image *img = view->img;
	u32 index = PSYNC_MID_INDEX(mid);
	u64 seq = PSYNC_MID_SEQ(mid);
	const struct psync_node *last;
	u32 ended = 0;
	u32 i;

	if (index >= img->p.n || seq <= img->p.seq_base ||
	    (view->stamp && seq > view->stamp[index]) ||
	    psync_view_void(view, index, seq))
		return PSYNC_EUNKNOWN;
	if (psync_skip_faded(view, index, seq) ||
	    (img->faded && seq <= img->floor.stamp[index]) ||
	    psync_skip_unknown(img, index, seq))
		return PSYNC_EFREED;
	bitmap_zero(seen, PSYNC_PARTICIPANTS_LIM);
	*participants = 0;
	*sites = 0;
	for (i = 0; i < img->p.n; i++) {
		if (i != index) {
			last = psync_view_last(view, i);
			if (!last || last->stamp[index] < seq ||
			    psync_skip_unacked(img, i, last->seq, index, seq)) {
				if (psync_mask_ignores(view, i)) {
					ended++;
					continue;
				}
				/* After its END nobody waits for it (S3.2). */
				ended += last && last->kind == PSYNC_KIND_END;
				continue;
			}
			++*participants;
		}
		/* Our own site counts as one more than the last remote. */
		if (!__test_and_set_bit(img->parts[i].remote < 0 ?
					img->nremotes : img->parts[i].remote,
					seen))
			++*sites;
	}
	if (*participants + ended == img->p.n - 1 ||
	    psync_sure_has(view, index, seq))
		return 1;
	return psync_sure_forgets(view, index, seq) ? PSYNC_EFREED : 0;
}
