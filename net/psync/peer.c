// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers: the other sites, as configured, and which incarnation each is.
 *
 * What to do about an incarnation decides the core (core/peer.c); this file
 * parks the packets meanwhile, asks, and lets them go on or drops them.
 *
 * Found by site id under RCU, in a hash with a key, since whoever owns a user
 * namespace may choose the ids in a network namespace of its own; for the same
 * reason limited in number and charged to who adds them.
 *
 * Added and deleted under psync_net.lock.  The end of a peer (its deleter,
 * psync_peer_kill, psync_peer_free):
 *
 *  1. out of the hash: only readers inside rcu_read_lock() may still have it;
 *  2. dead is set under psync_peer.lock, and the parked packets are taken out.
 *     Whoever parks a packet or arms the timer does so under that lock and
 *     sees dead, so from here on neither happens;
 *  3. timer_delete_sync() waits for the timer's function, which takes the lock
 *     and thus must not be waited for while it is held; psync_frag_kill() does
 *     steps 2 and 3 for what is under way in fragments;
 *  4. a grace period: the readers of step 1 are gone;
 *  5. routes and memory are given back, in process context and not from an RCU
 *     callback: routes have callbacks of their own, which the end of the
 *     namespace must not overtake.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "psync.h"
#include "trace.h"

static struct hlist_head *psync_peer_head(struct psync_net *pnet, u32 site)
{
	return &pnet->peers[jhash_1word(site, pnet->hash_seed) %
			    PSYNC_PEER_HASH];
}

/**
 * psync_peer_find_rcu - a peer by its site id
 * @pnet: site
 * @site: its id
 *
 * Context: under RCU, or psync_net.lock; valid as long.
 * Return: the peer or NULL.
 */
struct psync_peer *psync_peer_find_rcu(struct psync_net *pnet, u32 site)
{
	struct psync_peer *peer;

	hlist_for_each_entry_rcu(peer, psync_peer_head(pnet, site), hash,
				 lockdep_is_held(&pnet->lock))
		if (peer->site == site)
			return peer;
	return NULL;
}

/**
 * psync_peer_addr_equal - is it the same address on a link?
 * @a: one
 * @b: another
 */
bool psync_peer_addr_equal(const struct psync_addr *a,
			   const struct psync_addr *b)
{
	if (a->family != b->family)
		return false;
	switch (a->family) {
	case AF_PACKET:
		return ether_addr_equal(a->mac, b->mac);
	case AF_INET:
		return a->ip4 == b->ip4 && a->port == b->port;
	case AF_INET6:
		return ipv6_addr_equal(&a->ip6, &b->ip6) && a->port == b->port;
	}
	return false;
}

/**
 * psync_peer_uses_link - does a peer need this link?
 * @pnet: site
 * @link: link
 *
 * Context: psync_net.lock held.
 */
bool psync_peer_uses_link(struct psync_net *pnet, const struct psync_link *link)
{
	struct psync_peer *peer;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry(peer, &pnet->peers[i], hash)
			if (peer->link == link)
				return true;
	return false;
}

/* Packets that arrive from here are another peer's already? */
static bool psync_peer_addr_taken(struct psync_net *pnet, u32 site,
				  const struct psync_link *link,
				  const struct psync_addr *addr)
{
	struct psync_peer *peer;
	unsigned int i;

	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry(peer, &pnet->peers[i], hash)
			if (peer->site != site && peer->link == link &&
			    psync_peer_addr_equal(&peer->addr, addr))
				return true;
	return false;
}

static bool psync_peer_addr_unicast(const struct psync_addr *addr)
{
	switch (addr->family) {
	case AF_PACKET:
		return is_valid_ether_addr(addr->mac);
	case AF_INET:
		return addr->port && !ipv4_is_zeronet(addr->ip4) &&
		       !ipv4_is_multicast(addr->ip4) &&
		       !ipv4_is_lbcast(addr->ip4);
	case AF_INET6:
		/* Link-local ones say nothing without an interface. */
		return addr->port && !ipv6_addr_any(&addr->ip6) &&
		       !(ipv6_addr_type(&addr->ip6) &
			 (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL |
			  IPV6_ADDR_MAPPED));
	}
	return false;
}

static int psync_peer_check_addr(struct psync_net *pnet, u32 site,
				 const struct psync_link *link,
				 const struct psync_addr *addr,
				 struct netlink_ext_ack *extack)
{
	u16 family = link->ops->type == PSYNC_LINK_ETH ? AF_PACKET :
							 link->local.family;

	if (addr->family != family) {
		NL_SET_ERR_MSG_MOD(extack,
				   "the link reaches another kind of address");
		return -EAFNOSUPPORT;
	}
	if (!psync_peer_addr_unicast(addr)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "not the address (and port) of one host");
		return -EINVAL;
	}
	if (family != AF_PACKET &&
	    psync_peer_addr_equal(addr, &link->local)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "this is the link's own address");
		return -EINVAL;
	}
	if (psync_peer_addr_taken(pnet, site, link, addr)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "another peer has this address on this link");
		return -EADDRINUSE;
	}
	return 0;
}

/**
 * psync_peer_check_link - may a link take the place of another?
 * @pnet: this site
 * @from: link in use
 * @to: link that is not open yet
 * @extack: why not
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -EAFNOSUPPORT or -EADDRINUSE when the address of one of the peers
 * does not fit @to.
 */
int psync_peer_check_link(struct psync_net *pnet,
			  const struct psync_link *from,
			  const struct psync_link *to,
			  struct netlink_ext_ack *extack)
{
	struct psync_peer *peer;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	if (to->ops->type != PSYNC_LINK_UDP)
		return 0;
	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry(peer, &pnet->peers[i], hash) {
			if (peer->link != from)
				continue;
			if (peer->addr.family != to->local.family) {
				NL_SET_ERR_MSG_MOD(extack,
						   "a peer on this link has another kind of address");
				return -EAFNOSUPPORT;
			}
			if (psync_peer_addr_equal(&peer->addr, &to->local)) {
				NL_SET_ERR_MSG_MOD(extack,
						   "a peer on this link has this address");
				return -EADDRINUSE;
			}
		}
	return 0;
}

/* Drops what was parked. */
static void psync_peer_purge(struct psync_net *pnet,
			     struct sk_buff_head *parked,
			     enum psync_drop reason)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(parked)))
		psync_drop(pnet, skb, reason);
}

/* By site id: the question goes where the configuration says by now. */
static void psync_peer_ask(struct psync_net *pnet, u32 site, u64 nonce)
{
	struct psync_pkt pkt = {
		.type	= PSYNC_PKT_HELLO,
		.hello	= { .nonce = nonce },
	};
	struct sk_buff *skb;

	skb = psync_output_build(pnet, site, &pkt, NULL);
	if (!skb)
		return;
	PSYNC_INC(pnet, HELLO_SENT);
	trace_psync_hello(pnet, site, 0, nonce, false);
	psync_output_send(pnet, skb);
}

static void psync_peer_arm(struct psync_peer *peer, u64 now)
{
	u64 wait = 0;

	lockdep_assert_held(&peer->lock);
	if (peer->dead || peer->inc.deadline == U64_MAX)
		return;
	if (peer->inc.deadline > now)
		wait = peer->inc.deadline - now;
	mod_timer(&peer->timer, jiffies + nsecs_to_jiffies(wait) + 1);
}

/* The timer: no answer yet. */
static void psync_peer_expire(struct timer_list *timer)
{
	struct psync_peer *peer = container_of(timer, struct psync_peer, timer);
	struct psync_net *pnet = peer->pnet;
	u64 nonce, now = ktime_get_ns();
	struct sk_buff_head given_up;
	int again;

	__skb_queue_head_init(&given_up);
	spin_lock(&peer->lock);
	again = psync_peer_timer(&peer->inc, now,
				 READ_ONCE(pnet->sysctl.hello_tries));
	if (again < 0)
		skb_queue_splice_init(&peer->parked, &given_up);
	nonce = peer->inc.nonce;
	psync_peer_arm(peer, now);
	spin_unlock(&peer->lock);

	psync_peer_purge(pnet, &given_up, PSYNC_DROP_STALE_INC);
	if (again > 0)
		psync_peer_ask(pnet, peer->site, nonce);
}

/* Not zero: that would be no nonce. */
static u64 psync_peer_nonce(void)
{
	return get_random_u64() ?: 1;
}

/* Parks skb; the caller has made sure that an answer is awaited. */
static enum psync_drop psync_peer_park(struct psync_peer *peer,
				       struct sk_buff *skb)
{
	lockdep_assert_held(&peer->lock);
	if (peer->dead)
		return PSYNC_DROP_UNKNOWN_PEER;
	if (skb_queue_len(&peer->parked) >=
	    READ_ONCE(peer->pnet->sysctl.park_max))
		return PSYNC_DROP_PARK_FULL;
	__skb_queue_tail(&peer->parked, skb);
	return PSYNC_OK;
}

bool psync_peer_admit(struct psync_peer *peer, struct sk_buff *skb,
		      const struct psync_pkt *pkt)
{
	struct psync_net *pnet = peer->pnet;
	enum psync_drop reason = PSYNC_OK;
	enum psync_peer_verdict verdict;
	u64 wait, nonce, now;

	/*
	 * The usual packet changes nothing and needs no lock.  (On 32 bits a
	 * torn value is most likely neither incarnation and is judged below.)
	 */
	if (likely(READ_ONCE(peer->inc.inc) == pkt->src_inc))
		return true;
	/*
	 * "Who are you now?" is answered whoever asks: two sites that doubt
	 * each other would park each other's question for ever.
	 */
	if (pkt->type == PSYNC_PKT_HELLO && !pkt->cid)
		return true;

	wait = (u64)READ_ONCE(pnet->sysctl.hello_ms) * NSEC_PER_MSEC;
	nonce = psync_peer_nonce();
	now = ktime_get_ns();

	spin_lock_bh(&peer->lock);
	verdict = psync_peer_check(&peer->inc, pkt->src_inc, now, wait, nonce);
	if (verdict == PSYNC_PEER_PARK || verdict == PSYNC_PEER_ASK)
		reason = psync_peer_park(peer, skb);
	if (verdict == PSYNC_PEER_ASK)
		psync_peer_arm(peer, now);
	spin_unlock_bh(&peer->lock);

	if (verdict == PSYNC_PEER_TAKE)
		return true;
	if (verdict == PSYNC_PEER_DROP)
		reason = PSYNC_DROP_STALE_INC;
	if (reason)
		psync_drop(pnet, skb, reason);
	if (verdict == PSYNC_PEER_ASK)
		psync_peer_ask(pnet, peer->site, nonce);
	return false;
}

enum psync_drop psync_peer_hello_ack(struct psync_peer *peer,
				     const struct psync_pkt *pkt)
{
	struct sk_buff_head parked;
	struct sk_buff *skb;
	bool ours;

	__skb_queue_head_init(&parked);
	spin_lock_bh(&peer->lock);
	ours = psync_peer_answer(&peer->inc, pkt);
	if (ours)
		skb_queue_splice_init(&peer->parked, &parked);
	spin_unlock_bh(&peer->lock);
	if (!ours)
		return PSYNC_DROP_BAD_NONCE;

	while ((skb = __skb_dequeue(&parked)))
		psync_input_parked(peer, skb);
	return PSYNC_OK;
}

static struct psync_peer *psync_peer_alloc(struct psync_net *pnet, u32 site,
					   struct psync_link *link,
					   const struct psync_addr *addr)
{
	struct psync_peer *peer;

	peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return NULL;
	peer->pnet = pnet;
	peer->site = site;
	peer->link = link;
	peer->addr = *addr;
	peer->addr.routes = NULL;
	spin_lock_init(&peer->lock);
	psync_peer_init(&peer->inc);
	__skb_queue_head_init(&peer->parked);
	timer_setup(&peer->timer, psync_peer_expire, 0);
	psync_frag_init(peer);
	if (addr->family != AF_PACKET) {
		if (dst_cache_init(&peer->routes, GFP_KERNEL_ACCOUNT)) {
			kfree(peer);
			return NULL;
		}
		peer->addr.routes = &peer->routes;
	}
	return peer;
}

/* Steps 2 and 3 of the end; see the head of this file. */
static void psync_peer_kill(struct psync_peer *peer)
{
	struct sk_buff_head parked;

	__skb_queue_head_init(&parked);
	spin_lock_bh(&peer->lock);
	peer->dead = true;
	skb_queue_splice_init(&peer->parked, &parked);
	spin_unlock_bh(&peer->lock);
	psync_peer_purge(peer->pnet, &parked, PSYNC_DROP_UNKNOWN_PEER);
	timer_delete_sync(&peer->timer);
	psync_frag_kill(peer);
}

/* Step 5. */
static void psync_peer_free(struct psync_peer *peer)
{
	pr_debug("peer %u destroyed\n", peer->site);
	if (peer->addr.routes)
		dst_cache_destroy(&peer->routes);
	kfree(peer);
}

/* Steps 1 to 3; @peer is found from now on, of the same incarnation. */
static void psync_peer_replace(struct psync_peer *old, struct psync_peer *peer)
{
	spin_lock_bh(&old->lock);
	peer->inc.inc = old->inc.inc;
	spin_unlock_bh(&old->lock);
	hlist_replace_rcu(&old->hash, &peer->hash);
	pr_debug("peer %u created\n", peer->site);
	psync_peer_kill(old);
}

static void psync_peer_free_list(struct list_head *list)
{
	struct psync_peer *peer, *next;

	list_for_each_entry_safe(peer, next, list, gone)
		psync_peer_free(peer);
}

/* One for each that uses @from, the same but on @to; false: out of memory. */
static bool psync_peer_alloc_moved(struct psync_net *pnet,
				   const struct psync_link *from,
				   struct psync_link *to,
				   struct list_head *moved)
{
	struct psync_peer *old, *peer;
	unsigned int i;

	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry(old, &pnet->peers[i], hash) {
			if (old->link != from)
				continue;
			peer = psync_peer_alloc(pnet, old->site, to,
						&old->addr);
			if (!peer)
				return false;
			list_add(&peer->gone, moved);
		}
	return true;
}

/**
 * psync_peer_move - from one link to another, all of its peers or none
 * @pnet: this site
 * @from: link that nobody uses any more afterwards
 * @to: open link that psync_peer_check_link() has approved of
 *
 * Routes and the way to a peer go with it and the link, so this makes new ones
 * as psync_peer_set() does.
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -ENOMEM.
 */
int psync_peer_move(struct psync_net *pnet, const struct psync_link *from,
		    struct psync_link *to)
{
	struct psync_peer *old, *peer, *next;
	LIST_HEAD(moved);
	LIST_HEAD(gone);

	lockdep_assert_held(&pnet->lock);
	if (!psync_peer_alloc_moved(pnet, from, to, &moved)) {
		psync_peer_free_list(&moved);
		return -ENOMEM;
	}
	list_for_each_entry_safe(peer, next, &moved, gone) {
		list_del(&peer->gone);
		old = psync_peer_find_rcu(pnet, peer->site);
		psync_peer_replace(old, peer);
		list_add(&old->gone, &gone);
	}
	synchronize_rcu();
	psync_peer_free_list(&gone);
	return 0;
}

static struct psync_link *psync_peer_link(struct psync_net *pnet,
					  const char *name,
					  struct netlink_ext_ack *extack)
{
	struct psync_link *link = psync_link_find(pnet, name);

	if (!link)
		NL_SET_ERR_MSG_MOD(extack, "no link has this name");
	return link;
}

/**
 * psync_peer_add - configure another site
 * @pnet: this site
 * @site: its id
 * @link: name of the link that reaches it
 * @addr: where it is on that link
 * @extack: why not
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -EINVAL (id zero or our own, address), -EEXIST, -ENOSPC (too many),
 * -ENODEV (no such link), -EAFNOSUPPORT, -EADDRINUSE, -ENOMEM.
 */
int psync_peer_add(struct psync_net *pnet, u32 site, const char *link,
		   const struct psync_addr *addr,
		   struct netlink_ext_ack *extack)
{
	struct psync_link *found;
	struct psync_peer *peer;
	int err;

	lockdep_assert_held(&pnet->lock);
	if (!site) {
		NL_SET_ERR_MSG_MOD(extack, "a site id is not zero");
		return -EINVAL;
	}
	if (site == pnet->site) {
		NL_SET_ERR_MSG_MOD(extack, "this is our own site id");
		return -EINVAL;
	}
	if (psync_peer_find_rcu(pnet, site)) {
		NL_SET_ERR_MSG_MOD(extack, "there is a peer of this site id");
		return -EEXIST;
	}
	if (pnet->npeers >= READ_ONCE(pnet->sysctl.peers_max)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "too many peers (sysctl net.psync.peers_max)");
		return -ENOSPC;
	}
	found = psync_peer_link(pnet, link, extack);
	if (!found)
		return -ENODEV;
	err = psync_peer_check_addr(pnet, site, found, addr, extack);
	if (err)
		return err;
	peer = psync_peer_alloc(pnet, site, found, addr);
	if (!peer)
		return -ENOMEM;
	hlist_add_head_rcu(&peer->hash, psync_peer_head(pnet, site));
	pnet->npeers++;
	pnet->generation++;
	pr_debug("peer %u created\n", site);
	return 0;
}

/**
 * psync_peer_set - say where a configured site is now
 * @pnet: this site
 * @site: its id
 * @link: name of the link that reaches it, NULL: the present one
 * @addr: where it is on that link, NULL: the present address
 * @extack: why not
 *
 * What is known of its incarnation stays: that is the site's, wherever it is.
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -ENOENT (no such peer), else as psync_peer_add().
 */
int psync_peer_set(struct psync_net *pnet, u32 site, const char *link,
		   const struct psync_addr *addr,
		   struct netlink_ext_ack *extack)
{
	struct psync_peer *old, *peer;
	struct psync_link *found;
	int err;

	lockdep_assert_held(&pnet->lock);
	old = psync_peer_find_rcu(pnet, site);
	if (!old) {
		NL_SET_ERR_MSG_MOD(extack, "no peer has this site id");
		return -ENOENT;
	}
	found = link ? psync_peer_link(pnet, link, extack) : old->link;
	if (!found)
		return -ENODEV;
	addr = addr ?: &old->addr;
	err = psync_peer_check_addr(pnet, site, found, addr, extack);
	if (err)
		return err;
	peer = psync_peer_alloc(pnet, site, found, addr);
	if (!peer)
		return -ENOMEM;

	psync_peer_replace(old, peer);
	pnet->generation++;
	synchronize_rcu();
	psync_peer_free(old);
	return 0;
}

/**
 * psync_peer_del - forget another site
 * @pnet: this site
 * @site: its id
 * @extack: why not
 *
 * Conversations with participants there go on; what they send there is dropped
 * and counted.
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -ENOENT.
 */
int psync_peer_del(struct psync_net *pnet, u32 site,
		   struct netlink_ext_ack *extack)
{
	struct psync_peer *peer;

	lockdep_assert_held(&pnet->lock);
	peer = psync_peer_find_rcu(pnet, site);
	if (!peer) {
		NL_SET_ERR_MSG_MOD(extack, "no peer has this site id");
		return -ENOENT;
	}
	hlist_del_rcu(&peer->hash);
	pnet->npeers--;
	pnet->generation++;
	psync_peer_kill(peer);
	synchronize_rcu();
	psync_peer_free(peer);
	return 0;
}

/**
 * psync_peer_flush - forget all other sites
 * @pnet: this site
 *
 * Context: process, psync_net.lock held.
 */
void psync_peer_flush(struct psync_net *pnet)
{
	struct psync_peer *peer;
	struct hlist_node *tmp;
	LIST_HEAD(gone);
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry_safe(peer, tmp, &pnet->peers[i], hash) {
			hlist_del_rcu(&peer->hash);
			psync_peer_kill(peer);
			list_add(&peer->gone, &gone);
		}
	pnet->npeers = 0;
	if (list_empty(&gone))
		return;
	synchronize_rcu();
	psync_peer_free_list(&gone);
}
