// SPDX-License-Identifier: GPL-2.0-only
/* Netlink operations on links, and addresses in messages. */

#include <linux/rculist.h>
#include <linux/slab.h>

#include "nl.h"

static bool psync_nl_link_up(const struct psync_link *link)
{
	const struct net_device *dev;
	bool up;

	if (link->ops->type != PSYNC_LINK_ETH)
		return true;
	rcu_read_lock();
	dev = rcu_dereference(link->dev);
	up = dev && (READ_ONCE(dev->flags) & IFF_UP);
	rcu_read_unlock();
	return up;
}

static int psync_nl_ifindex(const struct psync_link *link)
{
	const struct net_device *dev;
	int ifindex;

	rcu_read_lock();
	dev = rcu_dereference(link->dev);
	ifindex = dev ? dev->ifindex : 0;
	rcu_read_unlock();
	return ifindex;
}

static int psync_nl_link_where(struct sk_buff *skb,
			       const struct psync_link *link)
{
	const struct psync_addr *local = &link->local;
	int ifindex;

	if (link->ops->type == PSYNC_LINK_ETH) {
		ifindex = psync_nl_ifindex(link);
		if (nla_put_string(skb, PSYNC_A_LINK_DEV, link->dev_name) ||
		    nla_put_u16(skb, PSYNC_A_LINK_ETHERTYPE, link->ethertype) ||
		    (ifindex &&
		     nla_put_u32(skb, PSYNC_A_LINK_IFINDEX, ifindex)))
			return -EMSGSIZE;
		return 0;
	}
	if (local->family == AF_INET6 ?
	    nla_put_in6_addr(skb, PSYNC_A_LINK_IP6, &local->ip6) :
	    nla_put_in_addr(skb, PSYNC_A_LINK_IP4, local->ip4))
		return -EMSGSIZE;
	return nla_put_u16(skb, PSYNC_A_LINK_PORT, ntohs(local->port));
}

static int psync_nl_link_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_link *link = object;

	if (nla_put_string(skb, PSYNC_A_LINK_NAME, link->name) ||
	    nla_put_u32(skb, PSYNC_A_LINK_KIND, link->ops->type) ||
	    psync_nl_link_where(skb, link) ||
	    (psync_nl_link_up(link) && nla_put_flag(skb, PSYNC_A_LINK_UP)) ||
	    nla_put_u64_64bit(skb, PSYNC_A_LINK_RX_PACKETS,
			      atomic64_read(&link->rx_packets),
			      PSYNC_A_LINK_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_LINK_TX_PACKETS,
			      atomic64_read(&link->tx_packets),
			      PSYNC_A_LINK_PAD))
		return -EMSGSIZE;
	return 0;
}

/* The link an operation is about, or an ERR_PTR with the reason told. */
static struct psync_link *psync_nl_link_named(struct psync_net *pnet,
					      struct genl_info *info)
{
	struct nlattr *name = info->attrs[PSYNC_A_LINK_NAME];
	struct psync_link *link;

	lockdep_assert_held(&pnet->lock);
	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_LINK_NAME)) {
		GENL_SET_ERR_MSG(info, "link name missing");
		return ERR_PTR(-EINVAL);
	}
	link = psync_link_find(pnet, nla_data(name));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(info->extack, name, "no such link");
		return ERR_PTR(-ENOENT);
	}
	return link;
}

/**
 * psync_nl_link_get_doit - PSYNC_CMD_LINK_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_link *link;
	int err;

	mutex_lock(&pnet->lock);
	link = psync_nl_link_named(pnet, info);
	if (IS_ERR(link))
		err = PTR_ERR(link);
	else
		err = psync_nl_reply(info, PSYNC_CMD_LINK_GET, 0,
				     psync_nl_link_fill, link);
	mutex_unlock(&pnet->lock);
	return err;
}

/* The link with the smallest name after @name. */
static struct psync_link *psync_nl_link_next(struct psync_net *pnet,
					     const char *name)
{
	struct psync_link *link, *best = NULL;

	lockdep_assert_held(&pnet->lock);
	list_for_each_entry(link, &pnet->links, list)
		if (strcmp(link->name, name) > 0 &&
		    (!best || strcmp(link->name, best->name) < 0))
			best = link;
	return best;
}

/**
 * psync_nl_link_get_dumpit - PSYNC_CMD_LINK_GET, all by name
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL.
 */
int psync_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_link *link;
	int err;

	err = psync_nl_dump_plain(cb, PSYNC_A_LINK_NAME);
	if (err)
		return err;
	mutex_lock(&pnet->lock);
	psync_nl_dump_config(cb, pnet);
	while ((link = psync_nl_link_next(pnet, cur->name))) {
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_LINK_GET,
					psync_nl_link_fill, link);
		if (err)
			break;
		strscpy(cur->name, link->name, sizeof(cur->name));
	}
	mutex_unlock(&pnet->lock);
	return skb->len ?: err;
}

/**
 * psync_nl_addr_get - an address from its attributes
 * @from: attributes
 * @addr: where it goes
 * @extack: says why not
 *
 * Return: 1, 0 when there is none, -EINVAL.
 */
int psync_nl_addr_get(const struct psync_nl_addr *from,
		      struct psync_addr *addr, struct netlink_ext_ack *extack)
{
	int n = !!from->mac + !!from->ip4 + !!from->ip6;

	memset(addr, 0, sizeof(*addr));
	if (n > 1) {
		NL_SET_ERR_MSG(extack, "more than one address");
		return -EINVAL;
	}
	if (from->port && !from->ip4 && !from->ip6) {
		NL_SET_ERR_MSG_ATTR(extack, from->port,
				    "a UDP port needs an IP address");
		return -EINVAL;
	}
	if (!n)
		return 0;
	if (from->mac) {
		addr->family = AF_PACKET;
		nla_memcpy(addr->mac, from->mac, ETH_ALEN);
		return 1;
	}
	addr->port = htons(from->port ? nla_get_u16(from->port) :
			   PSYNC_PORT_UDP);
	if (from->ip4) {
		addr->family = AF_INET;
		addr->ip4 = nla_get_in_addr(from->ip4);
	} else {
		addr->family = AF_INET6;
		addr->ip6 = nla_get_in6_addr(from->ip6);
	}
	return 1;
}

/* Over what is in @link already, if anything is. */
static int psync_nl_link_eth(struct psync_link *link, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;

	if (attrs[PSYNC_A_LINK_IP4] || attrs[PSYNC_A_LINK_IP6] ||
	    attrs[PSYNC_A_LINK_PORT]) {
		GENL_SET_ERR_MSG(info,
				 "an Ethernet link has no IP address or port");
		return -EINVAL;
	}
	if (attrs[PSYNC_A_LINK_DEV]) {
		nla_strscpy(link->dev_name, attrs[PSYNC_A_LINK_DEV],
			    sizeof(link->dev_name));
	} else if (!link->dev_name[0] &&
		   GENL_REQ_ATTR_CHECK(info, PSYNC_A_LINK_DEV)) {
		GENL_SET_ERR_MSG(info, "an Ethernet link needs a device");
		return -EINVAL;
	}
	if (attrs[PSYNC_A_LINK_ETHERTYPE])
		link->ethertype = nla_get_u16(attrs[PSYNC_A_LINK_ETHERTYPE]);
	return 0;
}

/* Likewise. */
static int psync_nl_link_udp(struct psync_link *link, struct genl_info *info)
{
	const __be16 port = link->local.port;
	struct nlattr **attrs = info->attrs;
	const struct psync_nl_addr from = {
		.ip4	= attrs[PSYNC_A_LINK_IP4],
		.ip6	= attrs[PSYNC_A_LINK_IP6],
		.port	= attrs[PSYNC_A_LINK_PORT],
	};
	int err;

	if (attrs[PSYNC_A_LINK_DEV] || attrs[PSYNC_A_LINK_ETHERTYPE]) {
		GENL_SET_ERR_MSG(info, "a UDP link has no device or EtherType");
		return -EINVAL;
	}
	if (port && !from.ip4 && !from.ip6) {
		if (from.port)
			link->local.port = htons(nla_get_u16(from.port));
		return 0;
	}
	err = psync_nl_addr_get(&from, &link->local, info->extack);
	if (err < 0)
		return err;
	if (port && !from.port)
		link->local.port = port;
	if (!err) {
		GENL_SET_ERR_MSG(info, "a UDP link needs a local address");
		return -EINVAL;
	}
	return 0;
}

/* What the request says, or an ERR_PTR with the reason told. */
static struct psync_link *psync_nl_link_parse(struct genl_info *info)
{
	struct psync_link *link;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_LINK_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, PSYNC_A_LINK_KIND)) {
		GENL_SET_ERR_MSG(info, "link name or kind missing");
		return ERR_PTR(-EINVAL);
	}
	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(-ENOMEM);
	nla_strscpy(link->name, info->attrs[PSYNC_A_LINK_NAME],
		    sizeof(link->name));
	if (nla_get_u32(info->attrs[PSYNC_A_LINK_KIND]) == PSYNC_LINK_KIND_ETH) {
		link->ops = &psync_link_eth_ops;
		link->ethertype = PSYNC_ETHERTYPE_DEFAULT;
		err = psync_nl_link_eth(link, info);
	} else {
		link->ops = &psync_link_udp_ops;
		err = psync_nl_link_udp(link, info);
	}
	if (err) {
		kfree(link);
		return ERR_PTR(err);
	}
	return link;
}

/* A link as it is, but for what the request says, or an ERR_PTR likewise. */
static struct psync_link *psync_nl_link_parse_over(const struct psync_link *old,
						   struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct psync_link *link;
	int err;

	if (!attrs[PSYNC_A_LINK_DEV] && !attrs[PSYNC_A_LINK_ETHERTYPE] &&
	    !attrs[PSYNC_A_LINK_IP4] && !attrs[PSYNC_A_LINK_IP6] &&
	    !attrs[PSYNC_A_LINK_PORT]) {
		GENL_SET_ERR_MSG(info,
				 "no device, EtherType, address or port to change");
		return ERR_PTR(-EINVAL);
	}
	link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->ops = old->ops;
	strscpy(link->name, old->name, sizeof(link->name));
	strscpy(link->dev_name, old->dev_name, sizeof(link->dev_name));
	link->ethertype = old->ethertype;
	link->local = old->local;
	if (link->ops->type == PSYNC_LINK_ETH)
		err = psync_nl_link_eth(link, info);
	else
		err = psync_nl_link_udp(link, info);
	if (err) {
		kfree(link);
		return ERR_PTR(err);
	}
	return link;
}

/**
 * psync_nl_link_add_doit - PSYNC_CMD_LINK_ADD
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOMEM, what psync_link_add() returned.
 */
int psync_nl_link_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_link *link;
	int err;

	BUILD_BUG_ON((int)PSYNC_LINK_KIND_ETH != (int)PSYNC_LINK_ETH);
	BUILD_BUG_ON((int)PSYNC_LINK_KIND_UDP != (int)PSYNC_LINK_UDP);
	link = psync_nl_link_parse(info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	mutex_lock(&pnet->lock);
	err = psync_link_add(pnet, link, info->extack);
	if (err)
		kfree(link);
	else
		psync_nl_changed(pnet, PSYNC_CMD_LINK_ADD_NTF, 0,
				 psync_nl_link_fill, link);
	mutex_unlock(&pnet->lock);
	return err;
}

static int psync_nl_link_set(struct psync_net *pnet, struct genl_info *info)
{
	const unsigned int before = pnet->generation;
	struct psync_link *link;
	int err;

	link = psync_nl_link_named(pnet, info);
	if (!IS_ERR(link))
		link = psync_nl_link_parse_over(link, info);
	if (IS_ERR(link))
		return PTR_ERR(link);
	err = psync_link_set(pnet, link, info->extack);
	if (err)
		kfree(link);
	else if (pnet->generation != before)
		psync_nl_changed(pnet, PSYNC_CMD_LINK_SET_NTF, 0,
				 psync_nl_link_fill, link);
	return err;
}

/**
 * psync_nl_link_set_doit - PSYNC_CMD_LINK_SET
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM, what psync_link_set() returned.
 */
int psync_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	int err;

	mutex_lock(&pnet->lock);
	err = psync_nl_link_set(pnet, info);
	mutex_unlock(&pnet->lock);
	return err;
}

/* What is left to say of a deleted object: its key. */
static int psync_nl_link_name_fill(struct sk_buff *skb, const void *object)
{
	return nla_put_string(skb, PSYNC_A_LINK_NAME, object);
}

/**
 * psync_nl_link_del_doit - PSYNC_CMD_LINK_DEL
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, what psync_link_del() returned.
 */
int psync_nl_link_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	const char *name;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_LINK_NAME)) {
		GENL_SET_ERR_MSG(info, "link name missing");
		return -EINVAL;
	}
	name = nla_data(info->attrs[PSYNC_A_LINK_NAME]);
	mutex_lock(&pnet->lock);
	err = psync_link_del(pnet, name, info->extack);
	if (!err)
		psync_nl_changed(pnet, PSYNC_CMD_LINK_DEL_NTF, 0,
				 psync_nl_link_name_fill, name);
	mutex_unlock(&pnet->lock);
	return err;
}
