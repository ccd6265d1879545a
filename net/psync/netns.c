// SPDX-License-Identifier: GPL-2.0-only
/*
 * The site: what a network namespace has of psync, from its start to its end,
 * and its numeric defaults (net.psync.*).
 *
 * End of a namespace.  Sockets of user space hold the namespace, so none is
 * left, and netlink cannot name it any more.  What is left comes from packets
 * and timers.  psync_netns_end() takes it away so that nobody reaches what is
 * gone already:
 *
 *  1. sysctls: unregistering waits for handlers, nobody changes values;
 *  2. peers: unpublished, their timers stopped, their parked packets dropped.
 *     A packet that still comes in finds no peer and is dropped; one that a
 *     conversation still sends likewise.  Peers go before links because each
 *     points to its link;
 *  3. links: closed; after their grace period no packet is on its way in.
 *     Their kernel sockets and device references, which are all that we have
 *     in other parts of the namespace, are given back;
 *  4. groups: plain tables that packets looked at under RCU;
 *  5. conversations: entered by packets, of which there are none any more, and
 *     by their own timers, which psync_conv_net_exit() stops; what they send
 *     finds no peer, so one that lingers is not waited for: what others lack
 *     of it is given up.  It returns when the last is destroyed;
 *  6. counters: all the others count, so they go last.
 *
 * RCU callbacks that run later only free memory; module exit waits for them.
 */

#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "psync.h"

unsigned int psync_net_id __read_mostly;

/* psync_net.users while there is no site id to rely on. */
#define PSYNC_SITE_NONE		(-1)

/*
 * One counter tells all: it is PSYNC_SITE_NONE whenever the site id is unset
 * or being changed, so a hold succeeds only on an id that then stays, and a
 * change succeeds only where nobody holds; both are one atomic operation on
 * it.  The increment is fully ordered when it succeeds: what psync_site_set()
 * wrote before its release is seen by the holder.
 */
bool psync_site_hold(struct psync_net *pnet)
{
	return atomic_inc_unless_negative(&pnet->users);
}

/**
 * psync_site_release - rely on the site id no more
 * @pnet: site
 *
 * Context: any.  Pairs with the acquire in psync_site_set(): what the holder
 * read of the site, it read before a change.
 */
void psync_site_release(struct psync_net *pnet)
{
	atomic_dec_return_release(&pnet->users);
}

/**
 * psync_site_set - give this namespace a site id, or take it away
 * @pnet: site
 * @site: the id, 0: none
 * @extack: why not
 *
 * A new id gets a new incarnation, greater than every one this namespace has
 * had since the module was loaded, whatever the clock says (S1.2).
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -EBUSY (sockets or conversations rely on the present id),
 * -EEXIST (a peer has that id).
 */
int psync_site_set(struct psync_net *pnet, u32 site,
		   struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&pnet->lock);

	if (site == pnet->site)
		return 0;
	if (site && psync_peer_find_rcu(pnet, site)) {
		NL_SET_ERR_MSG_MOD(extack, "a peer has this site id");
		return -EEXIST;
	}
	/* Remote packets alone must not hold the id. */
	if (pnet->site)
		psync_conv_evict_pending(pnet);
	/* Nor closed conversations, when nothing else does. */
	if (pnet->site &&
	    atomic_read(&pnet->users) == (int)READ_ONCE(pnet->nlinger))
		psync_conv_evict_lingering(pnet, 0);
	if (pnet->site && atomic_cmpxchg_acquire(&pnet->users, 0,
						 PSYNC_SITE_NONE) != 0) {
		NL_SET_ERR_MSG_MOD(extack,
				   "sockets or conversations use the present site id");
		return -EBUSY;
	}
	pnet->generation++;
	/*
	 * Packets are judged under RCU without a hold.  The grace periods keep
	 * them from seeing one id with the other's incarnation.
	 */
	if (pnet->site) {
		WRITE_ONCE(pnet->site, 0);
		synchronize_rcu();
	}
	if (!site)
		return 0;
	psync_port_reset(pnet);
	WRITE_ONCE(pnet->inc, max_t(u64, pnet->inc + 1, ktime_get_real_ns()));
	synchronize_rcu();
	WRITE_ONCE(pnet->site, site);
	atomic_set_release(&pnet->users, 0);
	return 0;
}

/* Values of all namespaces; writers and the list are under the mutex. */
static DEFINE_MUTEX(psync_sysctl_mutex);
static LIST_HEAD(psync_sysctl_nets);

static const struct psync_sysctl psync_sysctl_defaults = {
	.graph_depth	= 4096,
	.held_max	= 1024,
	.early_max	= 256,
	.image_bytes	= 4 << 20,
	.pending_bytes	= 256 << 10,
	.hello_ms	= 200,
	.hello_tries	= 6,
	.pending_max	= 64,
	.embryo_ms	= 10 * 1000,
	.closed_ms	= 120 * 1000,
	.closed_max	= 4096,
	.park_max	= 64,
	.peers_max	= 4096,
	.groups_max	= 1024,
	.links_max	= 64,
	.convs_max	= 4096,
	.linger_max	= 1024,
	.linger_ms	= 30 * 1000,
	.absent_ms	= 5 * 1000,
	.repair_rate	= 10000,
	.max_message	= 1 << 20,
	.frag_bytes	= 64 << 20,
	.frag_max	= 1024,
	.frag_ms	= 10 * 1000,
	.owed_bytes	= 8 << 20,
	.image_msgs	= 2048,
	.ack_us		= 1000,
	.null_ms	= 20,
	.rto_ms		= 100,
	.rto_min_us	= 1000,
	.rto_max_ms	= 1000,
	.silent_ms	= 30 * 1000,
	.suspect_ms	= 1000,
	.first_msgs	= 64,
	.first_bytes	= 15000,
	.slow_ms	= 1000,
};

/* The least number of microseconds between two things that a timer does. */
static const unsigned int psync_sysctl_least_us = 100;

/*
 * Greatest values in the initial namespace; the least is 1, but for microseconds,
 * or 0: for ever or never.
 */
static const struct psync_sysctl psync_sysctl_highest = {
	.graph_depth	= 1 << 20,
	.held_max	= 1 << 16,
	.early_max	= 1 << 16,
	.image_bytes	= 1 << 30,
	.pending_bytes	= 1 << 30,
	.hello_ms	= 60 * 1000,
	.hello_tries	= 100,
	.pending_max	= 1 << 16,
	.embryo_ms	= 3600 * 1000,
	.closed_ms	= 24 * 3600 * 1000,
	.closed_max	= 1 << 20,
	.park_max	= 1 << 16,
	.peers_max	= 1 << 16,
	.groups_max	= 1 << 16,
	.links_max	= 1 << 12,
	.convs_max	= 1 << 20,
	.linger_max	= 1 << 20,
	.linger_ms	= 3600 * 1000,
	.absent_ms	= 3600 * 1000,
	.repair_rate	= 10 * 1000 * 1000,
	.max_message	= PSYNC_BODY_MAX,
	.frag_bytes	= 1 << 30,
	.frag_max	= 1 << 16,
	.frag_ms	= 60 * 1000,
	.owed_bytes	= 1 << 30,
	.image_msgs	= 1 << 20,
	.ack_us		= 10 * 1000 * 1000,
	.null_ms	= 60 * 1000,
	.rto_ms		= 60 * 1000,
	.rto_min_us	= 10 * 1000 * 1000,
	.rto_max_ms	= 600 * 1000,
	.silent_ms	= 24 * 3600 * 1000,
	.suspect_ms	= 3600 * 1000,
	.first_msgs	= 1 << 16,
	.first_bytes	= 1 << 30,
	.slow_ms	= 24 * 3600 * 1000,
};

/*
 * Values from here on cost nobody memory: each namespace sets its own.  No wait
 * is so short that the host would do nothing else.
 */
#define PSYNC_SYSCTL_FREE	offsetof(struct psync_sysctl, ack_us)

/*
 * The initial namespace's value was lowered: lower the others', too.  @offset
 * is where in struct psync_sysctl.
 */
static void psync_sysctl_clamp(size_t offset, unsigned int limit)
{
	struct psync_net *pnet;
	unsigned int *value;

	lockdep_assert_held(&psync_sysctl_mutex);
	list_for_each_entry(pnet, &psync_sysctl_nets, sysctl_list) {
		value = (void *)&pnet->sysctl + offset;
		if (*value > limit)
			WRITE_ONCE(*value, limit);
	}
}

static int psync_sysctl_handler(PSYNC_CTL_CONST struct ctl_table *ctl,
				int write, void *buffer, size_t *lenp,
				loff_t *ppos)
{
	void *init_values = &psync_pernet(&init_net)->sysctl;
	size_t offset = ctl->data - init_values;
	int err;

	/* With the mutex, @extra2, another namespace's value, stands still. */
	mutex_lock(&psync_sysctl_mutex);
	err = proc_douintvec_minmax(ctl, write, buffer, lenp, ppos);
	if (!err && write && offset < PSYNC_SYSCTL_FREE)
		psync_sysctl_clamp(offset, *(unsigned int *)ctl->data);
	mutex_unlock(&psync_sysctl_mutex);
	return err;
}

/* @data is an offset here; psync_sysctl_init() binds each namespace's copy. */
#define PSYNC_SYSCTL_FROM(name, least) {				\
	.procname	= #name,					\
	.data		= (void *)offsetof(struct psync_sysctl, name),	\
	.maxlen		= sizeof(unsigned int),				\
	.mode		= 0644,						\
	.proc_handler	= psync_sysctl_handler,				\
	.extra1		= least,					\
}

#define PSYNC_SYSCTL(name)	PSYNC_SYSCTL_FROM(name, SYSCTL_ONE)

static const struct ctl_table psync_sysctl_table[] = {
	PSYNC_SYSCTL(graph_depth),
	PSYNC_SYSCTL(held_max),
	PSYNC_SYSCTL(early_max),
	PSYNC_SYSCTL(image_bytes),
	PSYNC_SYSCTL(pending_bytes),
	PSYNC_SYSCTL(hello_ms),
	PSYNC_SYSCTL(hello_tries),
	PSYNC_SYSCTL(pending_max),
	PSYNC_SYSCTL(embryo_ms),
	PSYNC_SYSCTL(closed_ms),
	PSYNC_SYSCTL(closed_max),
	PSYNC_SYSCTL(park_max),
	PSYNC_SYSCTL(peers_max),
	PSYNC_SYSCTL(groups_max),
	PSYNC_SYSCTL(links_max),
	PSYNC_SYSCTL(convs_max),
	PSYNC_SYSCTL(linger_max),
	PSYNC_SYSCTL(linger_ms),
	PSYNC_SYSCTL(absent_ms),
	PSYNC_SYSCTL(repair_rate),
	PSYNC_SYSCTL(max_message),
	PSYNC_SYSCTL(frag_bytes),
	PSYNC_SYSCTL(frag_max),
	PSYNC_SYSCTL(frag_ms),
	PSYNC_SYSCTL(owed_bytes),
	PSYNC_SYSCTL(image_msgs),
	PSYNC_SYSCTL_FROM(ack_us, (void *)&psync_sysctl_least_us),
	PSYNC_SYSCTL(null_ms),
	PSYNC_SYSCTL(rto_ms),
	PSYNC_SYSCTL_FROM(rto_min_us, (void *)&psync_sysctl_least_us),
	PSYNC_SYSCTL(rto_max_ms),
	PSYNC_SYSCTL_FROM(silent_ms, SYSCTL_ZERO),
	PSYNC_SYSCTL_FROM(suspect_ms, SYSCTL_ZERO),
	PSYNC_SYSCTL(first_msgs),
	PSYNC_SYSCTL(first_bytes),
	PSYNC_SYSCTL(slow_ms),
	{}
};

/* Every member of the struct is an entry: none can be forgotten. */
static_assert(ARRAY_SIZE(psync_sysctl_table) - 1 ==
	      sizeof(struct psync_sysctl) / sizeof(unsigned int));

/*
 * A namespace starts with the initial one's values and has those that mean
 * memory or work for its upper bounds: whoever owns a user namespace cannot
 * make the host spend more.
 */
static int psync_sysctl_init(struct psync_net *pnet)
{
	struct psync_net *init = psync_pernet(&init_net);
	struct ctl_table *table, *entry;
	const void *highest;
	size_t offset;

	table = kmemdup(psync_sysctl_table, sizeof(psync_sysctl_table),
			GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (entry = table; entry->procname; entry++) {
		offset = (size_t)entry->data;
		highest = pnet == init || offset >= PSYNC_SYSCTL_FREE ?
			  &psync_sysctl_highest : &init->sysctl;
		entry->extra2 = (void *)highest + offset;
		entry->data = (void *)&pnet->sysctl + offset;
	}

	mutex_lock(&psync_sysctl_mutex);
	pnet->sysctl = pnet == init ? psync_sysctl_defaults : init->sysctl;
	list_add_tail(&pnet->sysctl_list, &psync_sysctl_nets);
	mutex_unlock(&psync_sysctl_mutex);

	pnet->sysctl_hdr = register_net_sysctl_sz(pnet->net, "net/psync", table,
						  ARRAY_SIZE(psync_sysctl_table) - 1);
	if (pnet->sysctl_hdr)
		return 0;
	mutex_lock(&psync_sysctl_mutex);
	list_del(&pnet->sysctl_list);
	mutex_unlock(&psync_sysctl_mutex);
	kfree(table);
	return -ENOMEM;
}

static void psync_sysctl_exit(struct psync_net *pnet)
{
	const struct ctl_table *table = pnet->sysctl_hdr->ctl_table_arg;

	unregister_net_sysctl_table(pnet->sysctl_hdr);
	kfree(table);
	mutex_lock(&psync_sysctl_mutex);
	list_del(&pnet->sysctl_list);
	mutex_unlock(&psync_sysctl_mutex);
}

/* The initial namespace is started first; the others copy its values. */
static int __net_init psync_netns_start(struct net *net)
{
	struct psync_net *pnet = psync_pernet(net);
	int err;

	pnet->net = net;
	mutex_init(&pnet->lock);
	atomic_set(&pnet->users, PSYNC_SITE_NONE);
	INIT_LIST_HEAD(&pnet->links);
	pnet->hash_seed = get_random_u32();

	err = psync_mib_init(pnet);
	if (err)
		return err;
	err = psync_conv_net_init(pnet);
	if (err)
		goto err_mib;
	err = psync_sysctl_init(pnet);
	if (err)
		goto err_conv;
	return 0;

err_conv:
	psync_conv_net_exit(pnet);
err_mib:
	psync_mib_exit(pnet);
	return err;
}

/* The proof is at the head of this file. */
static void __net_exit psync_netns_end(struct net *net)
{
	struct psync_net *pnet = psync_pernet(net);

	psync_sysctl_exit(pnet);
	mutex_lock(&pnet->lock);
	psync_peer_flush(pnet);
	psync_link_flush(pnet);
	psync_group_flush(pnet);
	mutex_unlock(&pnet->lock);
	psync_conv_net_exit(pnet);
	psync_mib_exit(pnet);
}

static struct pernet_operations psync_netns_ops = {
	.init	= psync_netns_start,
	.exit	= psync_netns_end,
	.id	= &psync_net_id,
	.size	= sizeof(struct psync_net),
};

/**
 * psync_netns_init - start in every namespace there is and will be
 *
 * Return: 0 or an errno; then none has anything of us.
 */
int __init psync_netns_init(void)
{
	return register_pernet_subsys(&psync_netns_ops);
}

/**
 * psync_netns_exit - end in every namespace
 */
void psync_netns_exit(void)
{
	unregister_pernet_subsys(&psync_netns_ops);
}
