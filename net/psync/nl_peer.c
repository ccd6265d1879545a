// SPDX-License-Identifier: GPL-2.0-only
/* Netlink operations on peers. */

#include "nl.h"

static int psync_nl_peer_addr_fill(struct sk_buff *skb,
				   const struct psync_addr *addr)
{
	switch (addr->family) {
	case AF_PACKET:
		return nla_put(skb, PSYNC_A_PEER_MAC, ETH_ALEN, addr->mac);
	case AF_INET:
		if (nla_put_in_addr(skb, PSYNC_A_PEER_IP4, addr->ip4))
			return -EMSGSIZE;
		break;
	default:
		if (nla_put_in6_addr(skb, PSYNC_A_PEER_IP6, &addr->ip6))
			return -EMSGSIZE;
	}
	return nla_put_u16(skb, PSYNC_A_PEER_PORT, ntohs(addr->port));
}

static int psync_nl_peer_fill(struct sk_buff *skb, const void *object)
{
	/* Its lock is taken, nothing is changed. */
	struct psync_peer *peer = (struct psync_peer *)object;
	u64 inc, candidate;
	u32 parked;

	spin_lock_bh(&peer->lock);
	inc = peer->inc.inc;
	candidate = peer->inc.candidate;
	parked = skb_queue_len(&peer->parked);
	spin_unlock_bh(&peer->lock);

	if (nla_put_u32(skb, PSYNC_A_PEER_SITE, peer->site) ||
	    nla_put_string(skb, PSYNC_A_PEER_LINK, peer->link->name) ||
	    psync_nl_peer_addr_fill(skb, &peer->addr) ||
	    nla_put_u32(skb, PSYNC_A_PEER_PARKED, parked))
		return -EMSGSIZE;
	if (inc && nla_put_u64_64bit(skb, PSYNC_A_PEER_INCARNATION, inc,
				     PSYNC_A_PEER_PAD))
		return -EMSGSIZE;
	if (candidate && nla_put_u64_64bit(skb, PSYNC_A_PEER_CANDIDATE,
					   candidate, PSYNC_A_PEER_PAD))
		return -EMSGSIZE;
	return 0;
}

/* The site id an operation is about; false with the reason told. */
static bool psync_nl_peer_site(struct genl_info *info, u32 *site)
{
	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_PEER_SITE)) {
		GENL_SET_ERR_MSG(info, "the peer's site id missing");
		return false;
	}
	*site = nla_get_u32(info->attrs[PSYNC_A_PEER_SITE]);
	return true;
}

static struct psync_peer *psync_nl_peer_find(struct psync_net *pnet, u32 site)
{
	struct psync_peer *peer;

	/* psync_net.lock keeps what is found; RCU is for the look-up. */
	lockdep_assert_held(&pnet->lock);
	rcu_read_lock();
	peer = psync_peer_find_rcu(pnet, site);
	rcu_read_unlock();
	return peer;
}

/**
 * psync_nl_peer_get_doit - PSYNC_CMD_PEER_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_peer *peer;
	int err = -ENOENT;
	u32 site;

	if (!psync_nl_peer_site(info, &site))
		return -EINVAL;
	mutex_lock(&pnet->lock);
	peer = psync_nl_peer_find(pnet, site);
	if (peer)
		err = psync_nl_reply(info, PSYNC_CMD_PEER_GET, 0,
				     psync_nl_peer_fill, peer);
	else
		GENL_SET_ERR_MSG(info, "no such peer");
	mutex_unlock(&pnet->lock);
	return err;
}

/* The peer with the smallest site id after @after. */
static struct psync_peer *psync_nl_peer_next(struct psync_net *pnet, u64 after)
{
	struct psync_peer *peer, *best = NULL;
	unsigned int i;

	lockdep_assert_held(&pnet->lock);
	for (i = 0; i < PSYNC_PEER_HASH; i++)
		hlist_for_each_entry(peer, &pnet->peers[i], hash)
			if (peer->site > after &&
			    (!best || peer->site < best->site))
				best = peer;
	return best;
}

/**
 * psync_nl_peer_get_dumpit - PSYNC_CMD_PEER_GET, all by site id
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL.
 */
int psync_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_peer *peer;
	int err;

	err = psync_nl_dump_plain(cb, PSYNC_A_PEER_SITE);
	if (err)
		return err;
	mutex_lock(&pnet->lock);
	psync_nl_dump_config(cb, pnet);
	while ((peer = psync_nl_peer_next(pnet, cur->last))) {
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_PEER_GET,
					psync_nl_peer_fill, peer);
		if (err)
			break;
		cur->last = peer->site;
	}
	mutex_unlock(&pnet->lock);
	return skb->len ?: err;
}

/* Returns whether there is an address (1, 0) or an errno. */
static int psync_nl_peer_addr(struct genl_info *info, struct psync_addr *addr)
{
	const struct psync_nl_addr from = {
		.mac	= info->attrs[PSYNC_A_PEER_MAC],
		.ip4	= info->attrs[PSYNC_A_PEER_IP4],
		.ip6	= info->attrs[PSYNC_A_PEER_IP6],
		.port	= info->attrs[PSYNC_A_PEER_PORT],
	};

	return psync_nl_addr_get(&from, addr, info->extack);
}

static void psync_nl_peer_changed(struct psync_net *pnet, u8 cmd, u32 site)
{
	psync_nl_changed(pnet, cmd, 0, psync_nl_peer_fill,
			 psync_nl_peer_find(pnet, site));
}

/**
 * psync_nl_peer_add_doit - PSYNC_CMD_PEER_ADD
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_peer_add() returned.
 */
int psync_nl_peer_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct nlattr *link = info->attrs[PSYNC_A_PEER_LINK];
	struct psync_addr addr;
	u32 site;
	int err;

	if (!psync_nl_peer_site(info, &site))
		return -EINVAL;
	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_PEER_LINK)) {
		GENL_SET_ERR_MSG(info, "the peer's link missing");
		return -EINVAL;
	}
	err = psync_nl_peer_addr(info, &addr);
	if (err < 0)
		return err;
	if (!err) {
		GENL_SET_ERR_MSG(info, "the peer's address missing");
		return -EINVAL;
	}
	mutex_lock(&pnet->lock);
	err = psync_peer_add(pnet, site, nla_data(link), &addr, info->extack);
	if (!err)
		psync_nl_peer_changed(pnet, PSYNC_CMD_PEER_ADD_NTF, site);
	mutex_unlock(&pnet->lock);
	return err;
}

/**
 * psync_nl_peer_set_doit - PSYNC_CMD_PEER_SET
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_peer_set() returned.
 */
int psync_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct nlattr *link = info->attrs[PSYNC_A_PEER_LINK];
	struct psync_addr addr;
	u32 site;
	int err;

	if (!psync_nl_peer_site(info, &site))
		return -EINVAL;
	err = psync_nl_peer_addr(info, &addr);
	if (err < 0)
		return err;
	if (!err && !link) {
		GENL_SET_ERR_MSG(info, "neither link nor address to change");
		return -EINVAL;
	}
	mutex_lock(&pnet->lock);
	err = psync_peer_set(pnet, site, link ? nla_data(link) : NULL,
			     err ? &addr : NULL, info->extack);
	if (!err)
		psync_nl_peer_changed(pnet, PSYNC_CMD_PEER_SET_NTF, site);
	mutex_unlock(&pnet->lock);
	return err;
}

static int psync_nl_peer_site_fill(struct sk_buff *skb, const void *object)
{
	return nla_put_u32(skb, PSYNC_A_PEER_SITE, *(const u32 *)object);
}

/**
 * psync_nl_peer_del_doit - PSYNC_CMD_PEER_DEL
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, what psync_peer_del() returned.
 */
int psync_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	u32 site;
	int err;

	if (!psync_nl_peer_site(info, &site))
		return -EINVAL;
	mutex_lock(&pnet->lock);
	err = psync_peer_del(pnet, site, info->extack);
	if (!err)
		psync_nl_changed(pnet, PSYNC_CMD_PEER_DEL_NTF, 0,
				 psync_nl_peer_site_fill, &site);
	mutex_unlock(&pnet->lock);
	return err;
}
