// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links: the ways this site reaches others.
 *
 * A link is in psync_net.links from before it opens until before it closes,
 * so that the netdevice notifier misses no device of an open link.  Life ends
 * so (psync_link_end): out of the list, where only readers under RCU may still
 * have it; closed, after which no packet comes in or goes out through it; freed
 * after a grace period.  No peer points to it then: it is refused to delete a
 * link that one uses, and at the end of the namespace peers go first.
 *
 * A link is never changed.  Another of its name takes its place
 * (psync_link_set): that one is opened, the peers are replaced by such as point
 * to it, and only then the old one ends as above.  So nothing is lost when the
 * new one cannot be opened, and between the first step and the last packets come
 * in through both (psync_link.twin).
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "psync.h"

/**
 * psync_link_find - a link by its name
 * @pnet: site
 * @name: the name
 *
 * Context: process, psync_net.lock held; valid as long as it is.
 * Return: the link or NULL.
 */
struct psync_link *psync_link_find(struct psync_net *pnet, const char *name)
{
	struct psync_link *link;

	lockdep_assert_held(&pnet->lock);
	list_for_each_entry(link, &pnet->links, list)
		if (!strcmp(link->name, name))
			return link;
	return NULL;
}

/* Names are typed by people and printed one to a line. */
static bool psync_link_name_ok(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if (!isgraph(*p))
			return false;
	return p != name;
}

/* The notifier walks the list under RTNL alone. */
static void psync_link_publish(struct psync_link *link)
{
	rtnl_lock();
	list_add_tail_rcu(&link->list, &link->pnet->links);
	rtnl_unlock();
}

static void psync_link_unpublish(struct psync_link *link)
{
	rtnl_lock();
	list_del_rcu(&link->list);
	rtnl_unlock();
}

static int psync_link_open(struct psync_link *link, struct psync_link *old,
			   struct netlink_ext_ack *extack)
{
	int err;

	psync_link_publish(link);
	err = link->ops->open(link, old, extack);
	if (err) {
		psync_link_unpublish(link);
		synchronize_rcu(); /* the caller may free it at once */
	}
	return err;
}

static void psync_link_close(struct psync_link *link)
{
	psync_link_unpublish(link);
	link->ops->close(link);
}

/**
 * psync_link_add - open a link
 * @pnet: site
 * @tmpl: zeroed memory of kmalloc() with ops, name and what the kind asks for
 *	(dev_name and ethertype, or local); taken over on success only
 * @extack: why not
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -EINVAL, -EEXIST (name, or device and EtherType, in use), -ENOSPC
 * (too many), -ENODEV, -EADDRINUSE, -EADDRNOTAVAIL, -EAFNOSUPPORT, -ENOMEM.
 */
int psync_link_add(struct psync_net *pnet, struct psync_link *tmpl,
		   struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&pnet->lock);
	if (!psync_link_name_ok(tmpl->name)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "a link's name is printable, without blanks");
		return -EINVAL;
	}
	if (psync_link_find(pnet, tmpl->name)) {
		NL_SET_ERR_MSG_MOD(extack, "there is a link of this name");
		return -EEXIST;
	}
	if (pnet->nlinks >= READ_ONCE(pnet->sysctl.links_max)) {
		NL_SET_ERR_MSG_MOD(extack,
				   "too many links (sysctl net.psync.links_max)");
		return -ENOSPC;
	}

	tmpl->pnet = pnet;
	err = psync_link_open(tmpl, NULL, extack);
	if (err)
		return err;
	pnet->nlinks++;
	pnet->generation++;
	pr_debug("link %s created\n", tmpl->name);
	return 0;
}

static void psync_link_end(struct psync_link *link)
{
	psync_link_close(link);
	link->pnet->nlinks--;
	pr_debug("link %s destroyed\n", link->name);
	kfree_rcu(link, rcu);
}

static bool psync_link_same(const struct psync_link *a,
			    const struct psync_link *b)
{
	if (a->ops->type == PSYNC_LINK_UDP)
		return psync_peer_addr_equal(&a->local, &b->local);
	return a->ethertype == b->ethertype &&
	       !strcmp(a->dev_name, b->dev_name);
}

/* Opens @link and makes the peers of @old use it; else all is as before. */
static int psync_link_take_over(struct psync_link *link, struct psync_link *old,
				struct netlink_ext_ack *extack)
{
	int err;

	link->twin = old;
	WRITE_ONCE(old->twin, link);
	err = psync_link_open(link, old, extack);
	if (err)
		goto out;
	err = psync_peer_move(link->pnet, old, link);
	if (err) {
		psync_link_close(link);
		synchronize_rcu(); /* as in psync_link_open() */
	}
out:
	if (err)
		WRITE_ONCE(old->twin, NULL);
	return err;
}

/**
 * psync_link_set - change a link
 * @pnet: site
 * @tmpl: as for psync_link_add(), with the name and the kind of a link that
 *	there is; taken over on success only
 * @extack: why not
 *
 * The link goes on as it was when this fails.  Nothing happens, not even to
 * psync_net.generation, when @tmpl is what the link is already; @tmpl is freed
 * then.
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -ENOENT (no such link), -EAFNOSUPPORT, -EADDRINUSE (a peer's
 * address), else as psync_link_add().
 */
int psync_link_set(struct psync_net *pnet, struct psync_link *tmpl,
		   struct netlink_ext_ack *extack)
{
	struct psync_link *old;
	int err;

	lockdep_assert_held(&pnet->lock);
	old = psync_link_find(pnet, tmpl->name);
	if (!old) {
		NL_SET_ERR_MSG_MOD(extack, "no link has this name");
		return -ENOENT;
	}
	if (psync_link_same(old, tmpl)) {
		kfree(tmpl);
		return 0;
	}
	err = psync_peer_check_link(pnet, old, tmpl, extack);
	if (err)
		return err;
	tmpl->pnet = pnet;
	err = psync_link_take_over(tmpl, old, extack);
	if (err)
		return err;

	/* Its peers are gone since a grace period: nobody sends through it. */
	psync_link_close(old);
	WRITE_ONCE(tmpl->twin, NULL);
	/* It is the same link to whoever looks at it. */
	atomic64_add(atomic64_read(&old->rx_packets), &tmpl->rx_packets);
	atomic64_add(atomic64_read(&old->tx_packets), &tmpl->tx_packets);
	kfree_rcu(old, rcu);
	pnet->generation++;
	pr_debug("link %s changed\n", tmpl->name);
	return 0;
}

/**
 * psync_link_del - close a link
 * @pnet: site
 * @name: its name
 * @extack: why not
 *
 * Context: process, psync_net.lock held.
 * Return: 0, -ENOENT, -EBUSY (a peer uses it).
 */
int psync_link_del(struct psync_net *pnet, const char *name,
		   struct netlink_ext_ack *extack)
{
	struct psync_link *link;

	link = psync_link_find(pnet, name);
	if (!link) {
		NL_SET_ERR_MSG_MOD(extack, "no link has this name");
		return -ENOENT;
	}
	if (psync_peer_uses_link(pnet, link)) {
		NL_SET_ERR_MSG_MOD(extack, "peers use this link");
		return -EBUSY;
	}
	psync_link_end(link);
	pnet->generation++;
	return 0;
}

/**
 * psync_link_flush - close all links
 * @pnet: site without peers
 *
 * Context: process, psync_net.lock held.  Nothing comes in when it returns.
 */
void psync_link_flush(struct psync_net *pnet)
{
	struct psync_link *link, *next;

	lockdep_assert_held(&pnet->lock);
	list_for_each_entry_safe(link, next, &pnet->links, list)
		psync_link_end(link);
}

/*
 * The cheap checks come before anybody sums up a checksum.  Whatever follows
 * the packet is padding of the link and is not looked at.
 */
enum psync_drop psync_link_frame(struct sk_buff *skb)
{
	const struct psync_wire_hdr *hdr;
	u32 len;

	if (!pskb_may_pull(skb, sizeof(*hdr)))
		return PSYNC_DROP_TOO_SHORT;
	hdr = (const struct psync_wire_hdr *)skb->data;
	if (hdr->version != PSYNC_WIRE_VERSION)
		return PSYNC_DROP_BAD_VERSION;
	len = ntohs(hdr->len);
	if (len < sizeof(*hdr) || len > skb->len)
		return PSYNC_DROP_BAD_LENGTH;
	if (pskb_trim_rcsum(skb, len))
		return PSYNC_DROP_NO_MEM;
	return PSYNC_OK;
}
