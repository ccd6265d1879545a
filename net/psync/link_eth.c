// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links straight over Ethernet, with an EtherType of their own.
 *
 * The device.  A link is configured by a device's name and attached to the
 * device while there is one of that name (psync_link.dev): at open, and when
 * the notifier tells of one that was registered or renamed.  It is detached
 * when the device loses the name, leaves the namespace or is unregistered, and
 * when the link closes.  All of that is under RTNL, so one attach is followed
 * by one detach.  The reference to the device is taken by the one and given
 * back by the other, after the grace period in dev_remove_pack(): those who
 * found psync_link.dev before are gone, those who come later find NULL.
 *
 * The checksum.  The 16-bit Internet checksum over the whole packet, without a
 * pseudo header.  0x0000 and 0xffff are the same number to it and both are
 * accepted; 0 does not mean "none" as it does with UDP.  It is always summed up
 * here and never left to the device (CHECKSUM_PARTIAL): of those that claim to
 * sum up anything (NETIF_F_HW_CSUM) some do so for IP packets only (e1000e sends
 * ours with a zero), and a software device passes what it cannot do on to one
 * of those, through a bridge for instance.  On the way in CHECKSUM_COMPLETE, a
 * plain sum, is used, but not CHECKSUM_UNNECESSARY: no device knows this
 * protocol.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <net/checksum.h>

#include "psync.h"

static bool psync_link_eth_csum_ok(const struct sk_buff *skb)
{
	if (skb->ip_summed == CHECKSUM_COMPLETE && !csum_fold(skb->csum))
		return true;
	return !csum_fold(skb_checksum(skb, 0, skb->len, 0));
}

/* Softirq, under RCU; consumes skb, whose data is at our header. */
static int psync_link_eth_rcv(struct sk_buff *skb, struct net_device *dev,
			      struct packet_type *pt, struct net_device *orig)
{
	struct psync_link *link = container_of(pt, struct psync_link, ptype);
	struct psync_addr from = { .family = AF_PACKET };
	enum psync_drop reason;

	if (skb->pkt_type == PACKET_OTHERHOST ||
	    skb->pkt_type == PACKET_LOOPBACK ||
	    skb->pkt_type == PACKET_OUTGOING) {
		psync_drop(link->pnet, skb, PSYNC_DROP_NOT_FOR_US);
		return NET_RX_DROP;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		psync_drop(link->pnet, NULL, PSYNC_DROP_NO_MEM);
		return NET_RX_DROP;
	}
	reason = psync_link_frame(skb);
	if (!reason && !psync_link_eth_csum_ok(skb))
		reason = PSYNC_DROP_BAD_CSUM;
	if (reason) {
		psync_drop(link->pnet, skb, reason);
		return NET_RX_DROP;
	}

	/* What is left of its way here must not outlive the handler. */
	skb_orphan(skb);
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	nf_reset_ct(skb);
	skb->ip_summed = CHECKSUM_NONE;
	skb->dev = NULL;
	ether_addr_copy(from.mac, eth_hdr(skb)->h_source);
	psync_input(link, skb, &from);
	return NET_RX_SUCCESS;
}

static void psync_link_eth_attach(struct psync_link *link,
				  struct net_device *dev)
{
	ASSERT_RTNL();
	netdev_hold(dev, &link->dev_tracker, GFP_KERNEL);
	WRITE_ONCE(link->headroom, LL_RESERVED_SPACE(dev));
	rcu_assign_pointer(link->dev, dev);
	link->ptype.type = htons(link->ethertype);
	link->ptype.dev = dev;
	dev_add_pack(&link->ptype);
	pr_debug("link %s attached to %s\n", link->name, dev->name);
}

static void psync_link_eth_detach(struct psync_link *link)
{
	struct net_device *dev = rtnl_dereference(link->dev);

	RCU_INIT_POINTER(link->dev, NULL);
	dev_remove_pack(&link->ptype); /* waits for a grace period */
	netdev_put(dev, &link->dev_tracker);
	pr_debug("link %s detached\n", link->name);
}

/* Would the device's packets come to two links? */
static bool psync_link_eth_taken(const struct psync_link *link)
{
	const struct psync_link *other;

	list_for_each_entry(other, &link->pnet->links, list)
		if (other != link && other->ops == link->ops &&
		    other->ethertype == link->ethertype &&
		    !strcmp(other->dev_name, link->dev_name))
			return true;
	return false;
}

/* From here on (ptype.func) the notifier attaches the link, too. */
static int psync_link_eth_open_dev(struct psync_link *link,
				   struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	ASSERT_RTNL();
	dev = __dev_get_by_name(link->pnet->net, link->dev_name);
	if (!dev) {
		NL_SET_ERR_MSG_MOD(extack, "no device has this name");
		return -ENODEV;
	}
	if (dev->type != ARPHRD_ETHER) {
		NL_SET_ERR_MSG_MOD(extack, "not an Ethernet device");
		return -EINVAL;
	}
	link->ptype.func = psync_link_eth_rcv;
	psync_link_eth_attach(link, dev);
	return 0;
}

/* A link that it replaces has another device or EtherType: none in the way. */
static int psync_link_eth_open(struct psync_link *link, struct psync_link *old,
			       struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&link->pnet->lock);
	if (link->ethertype < ETH_P_802_3_MIN) {
		NL_SET_ERR_MSG_MOD(extack, "an EtherType is at least 0x600");
		return -EINVAL;
	}
	if (psync_link_eth_taken(link)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "another link has this device and EtherType");
		return -EEXIST;
	}
	rtnl_lock();
	err = psync_link_eth_open_dev(link, extack);
	rtnl_unlock();
	return err;
}

static void psync_link_eth_close(struct psync_link *link)
{
	rtnl_lock();
	if (rtnl_dereference(link->dev))
		psync_link_eth_detach(link);
	rtnl_unlock();
}

static void psync_link_eth_csum_set(struct sk_buff *skb)
{
	struct psync_wire_hdr *hdr = (struct psync_wire_hdr *)skb->data;

	skb->ip_summed = CHECKSUM_NONE;
	hdr->csum = csum_fold(skb_checksum(skb, 0, skb->len, 0));
}

/* Puts everything on the packet that precedes our header. */
static enum psync_drop psync_link_eth_frame(struct sk_buff *skb,
					    struct net_device *dev,
					    u16 ethertype, const u8 *mac)
{
	if (skb->len > READ_ONCE(dev->mtu) || skb->len > U16_MAX)
		return PSYNC_DROP_TX_TOO_BIG;
	if (skb_cow_head(skb, LL_RESERVED_SPACE(dev)))
		return PSYNC_DROP_TX_NO_MEM;
	skb->dev = dev;
	skb->protocol = htons(ethertype);
	skb_reset_network_header(skb);
	psync_link_eth_csum_set(skb);
	if (dev_hard_header(skb, dev, ethertype, mac, dev->dev_addr,
			    skb->len) < 0)
		return PSYNC_DROP_TX_NO_ROUTE;
	return PSYNC_OK;
}

static void psync_link_eth_xmit(struct psync_link *link, struct sk_buff *skb,
				const struct psync_addr *addr)
{
	enum psync_drop reason = PSYNC_DROP_TX_NO_ROUTE;
	struct net_device *dev;

	dev = rcu_dereference(link->dev);
	if (dev && READ_ONCE(dev->flags) & IFF_UP)
		reason = psync_link_eth_frame(skb, dev, link->ethertype,
					      addr->mac);
	if (reason)
		psync_drop(link->pnet, skb, reason);
	else
		dev_queue_xmit(skb); /* what it drops, the device counts */
}

static unsigned int psync_link_eth_mtu(const struct psync_link *link,
				       const struct psync_addr *addr)
{
	struct net_device *dev = rcu_dereference(link->dev);

	return dev ? min_t(unsigned int, READ_ONCE(dev->mtu), U16_MAX) : 0;
}

const struct psync_link_ops psync_link_eth_ops = {
	.type	= PSYNC_LINK_ETH,
	.open	= psync_link_eth_open,
	.close	= psync_link_eth_close,
	.xmit	= psync_link_eth_xmit,
	.mtu	= psync_link_eth_mtu,
};

/* Attach or detach one link as the device's state now demands. */
static void psync_link_eth_update(struct psync_link *link,
				  struct net_device *dev, bool there)
{
	bool attached = rtnl_dereference(link->dev) == dev;
	bool wanted = there && link->ptype.func &&
		      dev->type == ARPHRD_ETHER &&
		      !strcmp(dev->name, link->dev_name);

	if (attached && !wanted)
		psync_link_eth_detach(link);
	else if (!attached && wanted && !rtnl_dereference(link->dev))
		psync_link_eth_attach(link, dev);
}

/* Called under RTNL; a move to another namespace is UNREGISTER, REGISTER. */
static int psync_link_eth_notify(struct notifier_block *nb,
				 unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct psync_net *pnet = psync_pernet(dev_net(dev));
	struct psync_link *link;

	ASSERT_RTNL();
	switch (event) {
	case NETDEV_REGISTER:
	case NETDEV_CHANGENAME:
	case NETDEV_POST_TYPE_CHANGE:
	case NETDEV_UNREGISTER:
		list_for_each_entry(link, &pnet->links, list)
			if (link->ops == &psync_link_eth_ops)
				psync_link_eth_update(link, dev,
						      event != NETDEV_UNREGISTER);
	}
	return NOTIFY_DONE;
}

static struct notifier_block psync_link_eth_notifier = {
	.notifier_call = psync_link_eth_notify,
};

/**
 * psync_link_eth_init - hear of devices that come and go
 *
 * Return: 0 or an errno.
 */
int __init psync_link_eth_init(void)
{
	return register_netdevice_notifier(&psync_link_eth_notifier);
}

/**
 * psync_link_eth_exit - hear of them no more; detaches all links
 */
void psync_link_eth_exit(void)
{
	unregister_netdevice_notifier(&psync_link_eth_notifier);
}
