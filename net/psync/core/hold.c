// SPDX-License-Identifier: GPL-2.0-only
/*
 * The holding queue (P 3.1.3).
 *
 * Each held message waits for exactly one missing message: its sender's
 * previous one, then its predecessors (or the entries of its stamp) in
 * order.  When that one is attached, only those that wait for it are looked
 * at again, from where they stopped, since what was found once stays.  What
 * becomes complete is attached at once and may complete others in turn: a
 * list of work, no recursion, however long the chain.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include "graph.h"
#include "hold.h"

#define PSYNC_HOLD_BUCKETS_MAX	256

struct psync_hold_bucket {
	struct hlist_head	seen;	/* held messages by their own number */
	struct hlist_head	waits;	/* by what they wait for */
};

/**
 * struct psync_hold - the holding queue's hash table
 * @nbuckets: a power of two
 * @buckets: the table
 */
struct psync_hold {
	u32				nbuckets;
	struct psync_hold_bucket	buckets[];
};

static size_t psync_hold_size(u32 nbuckets)
{
	return sizeof(struct psync_hold) +
	       nbuckets * sizeof(struct psync_hold_bucket);
}

static struct psync_hold_bucket *psync_hold_bucket(const struct psync_image *img,
						   u32 index, u64 seq)
{
	u64 hash = (seq ^ (u64)index << 40) * 0x9e3779b97f4a7c15ULL;

	return &img->held->buckets[(hash >> 32) & (img->held->nbuckets - 1)];
}

int psync_hold_init(struct psync_image *img)
{
	u32 nbuckets = 8;

	while (nbuckets < img->p.limits.max_held &&
	       nbuckets < PSYNC_HOLD_BUCKETS_MAX)
		nbuckets *= 2;
	img->held = img->ops->alloc(img, psync_hold_size(nbuckets));
	if (!img->held)
		return -ENOMEM;
	img->held->nbuckets = nbuckets;
	return 0;
}

/* Takes a message out of the queue; its bytes no longer wait. */
static void psync_hold_del(struct psync_image *img, struct psync_node *node)
{
	hlist_del(&node->hash);
	img->nheld--;
	img->parts[node->sender].nheld--;
	img->waiting_bytes -= node->cost;
	if (!node->beside)
		return;
	node->beside = false;
	img->nbeside--;
	img->parts[node->sender].nbeside--;
	img->beside_bytes -= node->cost;
}

void psync_hold_drop(struct psync_image *img, struct psync_node *node,
		     enum psync_drop reason)
{
	img->body_bytes -= node->cost;
	if (node->body)
		img->ops->body_put(img, node->body);
	psync_node_free(img, node);
	img->ops->dropped(img, reason);
}

void psync_hold_exit(struct psync_image *img)
{
	struct psync_hold_bucket *bucket;
	struct psync_node *node;
	struct hlist_node *next;
	u32 i;

	if (!img->held)
		return;
	for (i = 0; i < img->held->nbuckets; i++) {
		bucket = &img->held->buckets[i];
		hlist_for_each_entry_safe(node, next, &bucket->seen, hash) {
			psync_hold_del(img, node);
			psync_hold_drop(img, node, PSYNC_DROP_LEFT_OVER);
		}
	}
	img->ops->free(img, img->held, psync_hold_size(img->held->nbuckets));
	img->held = NULL;
}

bool psync_hold_has(const struct psync_image *img, u32 index, u64 seq)
{
	const struct psync_node *node;

	hlist_for_each_entry(node, &psync_hold_bucket(img, index, seq)->seen,
			     hash)
		if (node->seq == seq && node->sender == index)
			return true;
	return false;
}

const struct psync_node *psync_hold_waiting(const struct psync_image *img,
					    u32 index, u64 seq)
{
	const struct psync_node *node;

	hlist_for_each_entry(node, &psync_hold_bucket(img, index, seq)->waits,
			     wait)
		if (node->wait_seq == seq && node->wait_index == index)
			return node;
	return NULL;
}

/* Has a held message this one in what is known of its context? */
static bool psync_hold_follows(const struct psync_node *node, u32 index,
			       u64 seq)
{
	u32 i;

	if (node->sender == index)
		return node->seq > seq;
	if (node->stamped)
		return node->stamp[index] >= seq;
	for (i = 0; i < node->npred; i++)
		if (PSYNC_MID_INDEX(node->preds[i]) == index)
			return PSYNC_MID_SEQ(node->preds[i]) >= seq;
	return false;
}

const struct psync_node *psync_hold_follower(const struct psync_image *img,
					     u32 index, u64 seq)
{
	const struct psync_node *node;
	u32 i;

	for (i = 0; img->nheld && i < img->held->nbuckets; i++)
		hlist_for_each_entry(node, &img->held->buckets[i].seen, hash)
			if (psync_hold_follows(node, index, seq))
				return node;
	return NULL;
}

/* Step @cursor of a context; returns false when there are no more. */
static bool psync_hold_step(const struct psync_image *img,
			    const struct psync_node *node, u16 *index, u64 *seq)
{
	u32 at = node->cursor;

	if (!at) {
		*index = node->sender;
		*seq = node->prev;
		return true;
	}
	at--;
	if (node->stamped) {
		if (at == img->p.n)
			return false;
		*index = at;
		*seq = at == node->sender ? node->prev : node->stamp[at];
		return true;
	}
	if (at == node->npred)
		return false;
	*index = PSYNC_MID_INDEX(node->preds[at]);
	*seq = PSYNC_MID_SEQ(node->preds[at]);
	return true;
}

enum psync_hold_state psync_hold_scan(const struct psync_image *img,
				      struct psync_node *node)
{
	while (psync_hold_step(img, node, &node->wait_index, &node->wait_seq)) {
		const struct psync_part *part = &img->parts[node->wait_index];

		if (part->seq < node->wait_seq) {
			/* Whatever was sent at this site is attached. */
			return part->remote < 0 && !img->recover ?
			       PSYNC_HOLD_FALSE : PSYNC_HOLD_WAIT;
		}
		node->cursor++;
	}
	return PSYNC_HOLD_READY;
}

static void psync_hold_wait(struct psync_image *img, struct psync_node *node)
{
	struct psync_hold_bucket *bucket;

	bucket = psync_hold_bucket(img, node->wait_index, node->wait_seq);
	hlist_add_head(&node->wait, &bucket->waits);
}

void psync_hold_add(struct psync_image *img, struct psync_node *node)
{
	struct psync_hold_bucket *bucket;

	bucket = psync_hold_bucket(img, node->sender, node->seq);
	hlist_add_head(&node->hash, &bucket->seen);
	psync_hold_wait(img, node);
	img->nheld++;
	img->parts[node->sender].nheld++;
	img->waiting_bytes += node->cost;
	if (!node->beside)
		return;
	img->nbeside++;
	img->parts[node->sender].nbeside++;
	img->beside_bytes += node->cost;
}

/* Moves those that wait for one of @index up to @seq to @ready; n: all. */
static void psync_hold_gather(struct psync_image *img, u32 index, u64 seq,
			      struct hlist_head *ready)
{
	struct psync_node *node;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < img->held->nbuckets; i++)
		hlist_for_each_entry_safe(node, next,
					  &img->held->buckets[i].waits, wait) {
			if (index < img->p.n && (node->wait_index != index ||
						 node->wait_seq > seq))
				continue;
			hlist_del(&node->wait);
			hlist_add_head(&node->wait, ready);
		}
}

/*
 * Moves those that wait for (@index, @seq) to @ready, and those that wait for
 * one of the numbers after @last, which it leaves out (S7.1).
 */
static void psync_hold_collect(struct psync_image *img, u32 index, u64 last,
			       u64 seq, struct hlist_head *ready)
{
	struct psync_hold_bucket *bucket = psync_hold_bucket(img, index, seq);
	struct psync_node *node;
	struct hlist_node *next;

	if (seq - last > 1) {
		psync_hold_gather(img, index, seq, ready);
		return;
	}
	hlist_for_each_entry_safe(node, next, &bucket->waits, wait) {
		if (node->wait_seq != seq || node->wait_index != index)
			continue;
		hlist_del(&node->wait);
		hlist_add_head(&node->wait, ready);
	}
}

/* Looks at those in @ready again, and at what becomes complete by them. */
static void psync_hold_settle(struct psync_image *img, struct hlist_head *ready)
{
	enum psync_hold_state state;
	struct psync_node *node;
	enum psync_drop drop;
	u64 last, seq;
	u32 index;

	while (!hlist_empty(ready)) {
		node = hlist_entry(ready->first, struct psync_node, wait);
		hlist_del(&node->wait);
		state = psync_hold_scan(img, node);
		if (state == PSYNC_HOLD_WAIT) {
			psync_hold_wait(img, node);
			continue;
		}
		psync_hold_del(img, node);
		drop = PSYNC_DROP_BAD_CONTEXT;
		if (node->seq <= img->parts[node->sender].seq)
			drop = PSYNC_DROP_DUPLICATE;
		else if (state == PSYNC_HOLD_READY)
			drop = psync_graph_check(img, node);
		if (drop) {
			psync_hold_drop(img, node, drop);
			continue;
		}
		/* Attaching may free the node. */
		index = node->sender;
		last = img->parts[index].seq;
		seq = node->seq;
		psync_graph_attach(img, node);
		psync_hold_collect(img, index, last, seq, ready);
	}
}

void psync_hold_wake(struct psync_image *img, u32 index, u64 last, u64 seq)
{
	HLIST_HEAD(ready);

	psync_hold_collect(img, index, last, seq, &ready);
	psync_hold_settle(img, &ready);
}

void psync_hold_review(struct psync_image *img)
{
	HLIST_HEAD(ready);

	psync_hold_gather(img, img->p.n, 0, &ready);
	psync_hold_settle(img, &ready);
}

void psync_hold_each(struct psync_image *img,
		     void (*look)(struct psync_image *img,
				  struct psync_node *node, void *arg),
		     void *arg)
{
	struct psync_node *node;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < img->held->nbuckets; i++)
		hlist_for_each_entry_safe(node, next,
					  &img->held->buckets[i].seen, hash)
			look(img, node, arg);
}

void psync_hold_take_one(struct psync_image *img, struct psync_node *node)
{
	hlist_del(&node->wait);
	psync_hold_del(img, node);
}

static int psync_hold_wave_cmp(const void *a, const void *b)
{
	const struct psync_node *x = *(const struct psync_node * const *)a;
	const struct psync_node *y = *(const struct psync_node * const *)b;

	return x->wave < y->wave ? -1 : x->wave > y->wave;
}

u32 psync_hold_take(struct psync_image *img, const u64 *until,
		    struct psync_node **nodes)
{
	struct psync_node *node;
	struct hlist_node *next;
	u32 i, count = 0;

	for (i = 0; i < img->held->nbuckets; i++)
		hlist_for_each_entry_safe(node, next,
					  &img->held->buckets[i].waits, wait) {
			if (node->seq > until[node->sender])
				continue;
			hlist_del(&node->wait);
			psync_hold_del(img, node);
			nodes[count++] = node;
		}
	/* What a message follows has lower waves. */
	sort(nodes, count, sizeof(*nodes), psync_hold_wave_cmp, NULL);
	return count;
}

void psync_hold_forget(struct psync_image *img, int site)
{
	struct psync_hold_bucket *bucket;
	struct psync_node *node;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < img->held->nbuckets; i++) {
		bucket = &img->held->buckets[i];
		hlist_for_each_entry_safe(node, next, &bucket->waits, wait) {
			if (img->parts[node->sender].remote != site)
				continue;
			hlist_del(&node->wait);
			psync_hold_del(img, node);
			psync_hold_drop(img, node, PSYNC_DROP_STALE_OPENING);
		}
	}
}

void psync_hold_discard(struct psync_image *img)
{
	struct psync_hold_bucket *bucket;
	struct psync_node *node;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < img->held->nbuckets; i++) {
		bucket = &img->held->buckets[i];
		hlist_for_each_entry_safe(node, next, &bucket->waits, wait) {
			if (node->wait_seq <=
			    img->parts[node->wait_index].claimed)
				continue;
			hlist_del(&node->wait);
			psync_hold_del(img, node);
			psync_hold_drop(img, node, PSYNC_DROP_CONTEXT_LOST);
		}
	}
}
