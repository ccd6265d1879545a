// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversation ids that were closed here, remembered for a while (S1.4), so
 * that a late start message does not open them again and a HELLO about them
 * gets an honest answer.  Bounded in number and time; the oldest goes first.
 */

#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "psync.h"

#define PSYNC_CLOSED_HASH	256
/* What is too old goes so many at a time: each call does a bounded work. */
#define PSYNC_CLOSED_PRUNE	16

struct psync_closed_entry {
	struct hlist_node	hash;
	struct list_head	list;
	u64			cid;
	u32			opening;
	u64			when;
};

/**
 * struct psync_closed - the memory of a namespace; under table_lock
 * @hash: by cid
 * @list: oldest first
 * @count: entries
 * @seed: of the hash; cids are of the peers' choosing
 */
struct psync_closed {
	struct hlist_head	hash[PSYNC_CLOSED_HASH];
	struct list_head	list;
	unsigned int		count;
	u32			seed;
};

static struct hlist_head *psync_closed_bucket(struct psync_closed *closed,
					      u64 cid)
{
	return &closed->hash[jhash_2words(cid, cid >> 32, closed->seed) %
			     PSYNC_CLOSED_HASH];
}

static void psync_closed_forget(struct psync_closed *closed,
				struct psync_closed_entry *entry)
{
	hlist_del(&entry->hash);
	list_del(&entry->list);
	closed->count--;
	kfree(entry);
}

/* Forgets what is too old or too many; table_lock held. */
static void psync_closed_prune(struct psync_net *pnet, unsigned int max)
{
	u64 keep = (u64)READ_ONCE(pnet->sysctl.closed_ms) * NSEC_PER_MSEC;
	struct psync_closed *closed = pnet->closed;
	struct psync_closed_entry *entry;
	u64 now = ktime_get_ns();
	int budget = PSYNC_CLOSED_PRUNE;

	lockdep_assert_held(&pnet->table_lock);
	while (budget-- &&
	       (entry = list_first_entry_or_null(&closed->list,
						 struct psync_closed_entry,
						 list))) {
		if (closed->count <= max &&
		    now - entry->when < keep)
			break;
		psync_closed_forget(closed, entry);
	}
}

static struct psync_closed_entry *
psync_closed_lookup(struct psync_closed *closed, u64 cid)
{
	struct psync_closed_entry *entry;

	hlist_for_each_entry(entry, psync_closed_bucket(closed, cid), hash)
		if (entry->cid == cid)
			return entry;
	return NULL;
}

int psync_closed_init(struct psync_net *pnet)
{
	pnet->closed = kzalloc(sizeof(*pnet->closed), GFP_KERNEL);
	if (!pnet->closed)
		return -ENOMEM;
	INIT_LIST_HEAD(&pnet->closed->list);
	pnet->closed->seed = get_random_u32();
	return 0;
}

void psync_closed_exit(struct psync_net *pnet)
{
	struct psync_closed_entry *entry, *next;

	list_for_each_entry_safe(entry, next, &pnet->closed->list, list)
		psync_closed_forget(pnet->closed, entry);
	kfree(pnet->closed);
	pnet->closed = NULL;
}

/**
 * psync_closed_add - remember a conversation that ends here
 * @pnet: site
 * @cid: its id
 * @opening: of its image, 0 if nobody had opened it
 *
 * Context: any, without table_lock.  Without memory it is not remembered: a
 * late packet then meets the same answer as one that comes after closed_ms.
 */
void psync_closed_add(struct psync_net *pnet, u64 cid, u32 opening)
{
	struct psync_closed *closed = pnet->closed;
	struct psync_closed_entry *entry, *old;

	entry = kmalloc(sizeof(*entry), GFP_ATOMIC | __GFP_NOWARN);
	if (!entry)
		return;
	entry->cid = cid;
	entry->opening = opening;
	entry->when = ktime_get_ns();

	spin_lock_bh(&pnet->table_lock);
	old = psync_closed_lookup(closed, cid);
	if (old)
		psync_closed_forget(closed, old);
	hlist_add_head(&entry->hash, psync_closed_bucket(closed, cid));
	list_add_tail(&entry->list, &closed->list);
	closed->count++;
	psync_closed_prune(pnet, READ_ONCE(pnet->sysctl.closed_max));
	spin_unlock_bh(&pnet->table_lock);
}

/**
 * psync_closed_find - was this conversation closed here?
 * @pnet: site
 * @cid: its id
 * @info: filled in when it was
 *
 * Context: any, without table_lock.
 */
bool psync_closed_find(struct psync_net *pnet, u64 cid,
		       struct psync_closed_info *info)
{
	u64 keep = (u64)READ_ONCE(pnet->sysctl.closed_ms) * NSEC_PER_MSEC;
	struct psync_closed_entry *entry;

	spin_lock_bh(&pnet->table_lock);
	psync_closed_prune(pnet, READ_ONCE(pnet->sysctl.closed_max));
	entry = psync_closed_lookup(pnet->closed, cid);
	if (entry && ktime_get_ns() - entry->when >= keep)
		entry = NULL;
	if (entry) {
		info->opening = entry->opening;
		info->age_ms = div_u64(ktime_get_ns() - entry->when,
				       NSEC_PER_MSEC);
	}
	spin_unlock_bh(&pnet->table_lock);
	return entry;
}
