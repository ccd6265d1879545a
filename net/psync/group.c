// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: named, numbered, ordered sets of pids.
 *
 * A group never changes once it is published: a change puts a new one in its
 * place and frees the old one after a grace period.  Conversations copy the
 * list when they are opened, so deleting or changing a group leaves those
 * going on alone; their packets carry the digest of their own list (S1.3).
 *
 * Writers hold psync_net.lock, readers rcu_read_lock() or that lock.
 *
 * Whoever owns a user namespace may add groups in a network namespace of its
 * own, and choose their numbers: so they are limited in number, charged to who
 * adds them, and their hash has a key that nobody knows.
 */

#include <linux/ctype.h>
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "psync.h"

static struct hlist_head *psync_group_bucket(struct psync_net *pnet,
					     u32 number)
{
	return &pnet->groups[jhash_1word(number, pnet->hash_seed) %
			     PSYNC_GROUP_HASH];
}

static struct psync_group *psync_group_lookup(struct psync_net *pnet,
					      u32 number)
{
	struct psync_group *group;

	hlist_for_each_entry_rcu(group, psync_group_bucket(pnet, number), hash,
				 lockdep_is_held(&pnet->lock))
		if (group->number == number)
			return group;
	return NULL;
}

/**
 * psync_group_find_rcu - look a group up by its number
 * @pnet: site
 * @number: group number
 *
 * Context: rcu_read_lock() or psync_net.lock, which the result is good under.
 * Return: the group or NULL.
 */
const struct psync_group *psync_group_find_rcu(struct psync_net *pnet,
					       u32 number)
{
	return psync_group_lookup(pnet, number);
}

/**
 * psync_group_find_name - look a group up by its name
 * @pnet: site
 * @name: name
 *
 * Context: psync_net.lock.
 * Return: the group or NULL.
 */
const struct psync_group *psync_group_find_name(struct psync_net *pnet,
						const char *name)
{
	struct psync_group *group;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_GROUP_HASH; i++)
		hlist_for_each_entry(group, &pnet->groups[i], hash)
			if (!strcmp(group->name, name))
				return group;
	return NULL;
}

/**
 * psync_group_next - the group with the smallest number after a given one
 * @pnet: site
 * @after: number, 0 to begin
 *
 * Context: psync_net.lock.
 * Return: the group or NULL.
 */
const struct psync_group *psync_group_next(struct psync_net *pnet, u32 after)
{
	struct psync_group *group, *best = NULL;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_GROUP_HASH; i++)
		hlist_for_each_entry(group, &pnet->groups[i], hash)
			if (group->number > after &&
			    (!best || group->number < best->number))
				best = group;
	return best;
}

static int psync_group_name_check(const char *name,
				  struct netlink_ext_ack *extack)
{
	size_t i, len = strnlen(name, PSYNC_NAME_LEN);

	if (!len || len >= PSYNC_NAME_LEN) {
		NL_SET_ERR_MSG(extack,
			       "the group's name must have 1 to 15 characters");
		return -EINVAL;
	}
	/* Else a name could not be told from a number. */
	if (isdigit(name[0])) {
		NL_SET_ERR_MSG(extack,
			       "the group's name must not begin with a digit");
		return -EINVAL;
	}
	for (i = 0; i < len; i++) {
		if (isascii(name[i]) &&
		    (isalnum(name[i]) || strchr("._-", name[i])))
			continue;
		NL_SET_ERR_MSG(extack,
			       "the group's name may have letters, digits, dot, dash and underscore only");
		return -EINVAL;
	}
	return 0;
}

static int psync_group_pid_cmp(const void *a, const void *b)
{
	const struct psync_pid *x = a, *y = b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return 0;
}

static int psync_group_pids_check(const struct psync_pid *pids, u32 n,
				  struct netlink_ext_ack *extack)
{
	struct psync_pid *sorted;
	int err = 0;
	u32 i;

	if (n < PSYNC_PARTICIPANTS_MIN || n > PSYNC_PARTICIPANTS_LIM) {
		NL_SET_ERR_MSG(extack, "a group has 2 to 1024 members");
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		if (pids[i].site && pids[i].port)
			continue;
		NL_SET_ERR_MSG(extack,
			       "site and port of a member must not be zero");
		return -EINVAL;
	}
	sorted = kmemdup(pids, n * sizeof(*pids), GFP_KERNEL);
	if (!sorted)
		return -ENOMEM;
	sort(sorted, n, sizeof(*sorted), psync_group_pid_cmp, NULL);
	for (i = 1; i < n; i++) {
		if (psync_group_pid_cmp(&sorted[i - 1], &sorted[i]))
			continue;
		NL_SET_ERR_MSG(extack, "a pid is in the group twice");
		err = -EINVAL;
		break;
	}
	kfree(sorted);
	return err;
}

/* A checked group that nobody knows yet, or an ERR_PTR. */
static struct psync_group *psync_group_make(struct psync_net *pnet, u32 number,
					    const char *name,
					    const struct psync_pid *pids, u32 n,
					    const struct psync_slow *slow,
					    struct netlink_ext_ack *extack)
{
	const struct psync_group *other;
	struct psync_group *group;
	int err;

	if (!number) {
		NL_SET_ERR_MSG(extack, "the group's number must not be zero");
		return ERR_PTR(-EINVAL);
	}
	err = psync_group_name_check(name, extack);
	if (err)
		return ERR_PTR(err);
	err = psync_group_pids_check(pids, n, extack);
	if (err)
		return ERR_PTR(err);
	other = psync_group_find_name(pnet, name);
	if (other && other->number != number) {
		NL_SET_ERR_MSG(extack, "another group has this name");
		return ERR_PTR(-EEXIST);
	}
	group = kzalloc(struct_size(group, pids, n), GFP_KERNEL_ACCOUNT);
	if (!group)
		return ERR_PTR(-ENOMEM);
	group->number = number;
	strscpy(group->name, name, sizeof(group->name));
	group->slow = *slow;
	group->n = n;
	memcpy(group->pids, pids, n * sizeof(*pids));
	group->digest = psync_wire_digest(pids, n);
	return group;
}

/**
 * psync_group_add - make a group known
 * @pnet: site
 * @number: its number, not zero
 * @name: its name
 * @pids: its members, in order
 * @n: how many
 * @slow: how long a member may hold back the others
 * @extack: says why not
 *
 * Context: process, psync_net.lock.
 * Return: 0, -EINVAL, -EEXIST (number or name taken), -ENOSPC (too many),
 * -ENOMEM.
 */
int psync_group_add(struct psync_net *pnet, u32 number, const char *name,
		    const struct psync_pid *pids, u32 n,
		    const struct psync_slow *slow,
		    struct netlink_ext_ack *extack)
{
	struct psync_group *group;

	lockdep_assert_held(&pnet->lock);
	if (psync_group_lookup(pnet, number)) {
		NL_SET_ERR_MSG(extack, "another group has this number");
		return -EEXIST;
	}
	if (pnet->ngroups >= READ_ONCE(pnet->sysctl.groups_max)) {
		NL_SET_ERR_MSG(extack,
			       "too many groups (sysctl net.psync.groups_max)");
		return -ENOSPC;
	}
	group = psync_group_make(pnet, number, name, pids, n, slow,
				 extack);
	if (IS_ERR(group))
		return PTR_ERR(group);
	hlist_add_head_rcu(&group->hash, psync_group_bucket(pnet, number));
	pnet->ngroups++;
	pnet->generation++;
	return 0;
}

/**
 * psync_group_set - put a group in the place of the one of the same number
 * @pnet: site
 * @number: its number
 * @name: its name from now on; may be the present one's memory
 * @pids: its members from now on; may be the present one's memory
 * @n: how many
 * @slow: how long a member may hold back the others
 * @extack: says why not
 *
 * Context: process, psync_net.lock.
 * Return: 0, -ENOENT, -EINVAL, -EEXIST (name taken), -ENOMEM.
 */
int psync_group_set(struct psync_net *pnet, u32 number, const char *name,
		    const struct psync_pid *pids, u32 n,
		    const struct psync_slow *slow,
		    struct netlink_ext_ack *extack)
{
	struct psync_group *old, *group;

	lockdep_assert_held(&pnet->lock);
	old = psync_group_lookup(pnet, number);
	if (!old) {
		NL_SET_ERR_MSG(extack, "no such group");
		return -ENOENT;
	}
	group = psync_group_make(pnet, number, name, pids, n, slow,
				 extack);
	if (IS_ERR(group))
		return PTR_ERR(group);
	hlist_replace_rcu(&old->hash, &group->hash);
	kfree_rcu(old, rcu);
	pnet->generation++;
	return 0;
}

/**
 * psync_group_del - forget a group
 * @pnet: site
 * @number: its number
 * @extack: says why not
 *
 * Context: process, psync_net.lock.
 * Return: 0, -ENOENT.
 */
int psync_group_del(struct psync_net *pnet, u32 number,
		    struct netlink_ext_ack *extack)
{
	struct psync_group *group;

	lockdep_assert_held(&pnet->lock);
	group = psync_group_lookup(pnet, number);
	if (!group) {
		NL_SET_ERR_MSG(extack, "no such group");
		return -ENOENT;
	}
	hlist_del_rcu(&group->hash);
	kfree_rcu(group, rcu);
	pnet->ngroups--;
	pnet->generation++;
	return 0;
}

/**
 * psync_group_flush - forget all groups
 * @pnet: site whose namespace ends
 *
 * Context: process, psync_net.lock.
 */
void psync_group_flush(struct psync_net *pnet)
{
	struct psync_group *group;
	struct hlist_node *next;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_GROUP_HASH; i++) {
		hlist_for_each_entry_safe(group, next, &pnet->groups[i], hash) {
			hlist_del_rcu(&group->hash);
			kfree_rcu(group, rcu);
		}
	}
	pnet->ngroups = 0;
}
