// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: registration, messages, events.
 *
 * The interface is Documentation/netlink/specs/psync.yaml, from which the
 * policies and the table of operations (nl_gen.c) are generated.  The handlers
 * are in nl_<noun>.c.
 *
 * Every change of the configuration is made and announced under
 * psync_net.lock, so that listeners hear of changes in the order in which they
 * happened, and moves psync_net.generation, by which dumps tell their readers
 * that something changed.  A dump holds that lock for one message at a time
 * and goes on after the key it reported last.
 *
 * A message is made by a function of type psync_nl_fill_t, the same for
 * replies, dumps and notifications, so that an object looks alike in all.
 */

#include "nl.h"

static int psync_nl_put(struct sk_buff *skb, u32 portid, u32 seq, int flags,
			struct netlink_callback *cb, u8 cmd,
			psync_nl_fill_t fill, const void *object)
{
	void *hdr;
	int err;

	hdr = genlmsg_put(skb, portid, seq, &psync_nl_family, flags, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);
	err = fill(skb, object);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * psync_nl_reply - answer a request with one object
 * @info: request
 * @cmd: PSYNC_CMD_* of the answer
 * @room: bytes of attributes beyond the ordinary
 * @fill: puts the attributes
 * @object: for @fill
 *
 * Context: process.
 * Return: 0, -ENOMEM, -EMSGSIZE, what @fill returned.
 */
int psync_nl_reply(struct genl_info *info, u8 cmd, size_t room,
		   psync_nl_fill_t fill, const void *object)
{
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE + room, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = psync_nl_put(msg, info->snd_portid, info->snd_seq, 0, NULL, cmd,
			   fill, object);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/**
 * psync_nl_dump_one - add an object to a dump
 * @skb: message of the dump
 * @cb: dump
 * @cmd: PSYNC_CMD_* of the object
 * @fill: puts the attributes
 * @object: for @fill
 *
 * Return: 0, -EMSGSIZE when @skb is full, what @fill returned.
 */
int psync_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		      psync_nl_fill_t fill, const void *object)
{
	return psync_nl_put(skb, NETLINK_CB(cb->skb).portid,
			    cb->nlh->nlmsg_seq, NLM_F_MULTI, cb, cmd, fill,
			    object);
}

/* The family's groups are ours: while packets come in it comes and goes. */
static bool psync_nl_registered;

/* Without memory the listeners' sockets report ENOBUFS. */
static void psync_nl_notify(struct psync_net *pnet, u8 cmd, size_t room,
			    gfp_t gfp, psync_nl_fill_t fill,
			    const void *object)
{
	struct sk_buff *msg;

	if (!genl_has_listeners(&psync_nl_family, pnet->net,
				PSYNC_NLGRP_EVENTS))
		return;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE + room, gfp);
	if (!msg || psync_nl_put(msg, 0, 0, 0, NULL, cmd, fill, object)) {
		nlmsg_free(msg);
		genl_set_err(&psync_nl_family, pnet->net, 0,
			     PSYNC_NLGRP_EVENTS, -ENOBUFS);
		return;
	}
	genlmsg_multicast_netns(&psync_nl_family, pnet->net, msg, 0,
				PSYNC_NLGRP_EVENTS, gfp);
}

/**
 * psync_nl_changed - announce a change of the configuration
 * @pnet: site
 * @cmd: PSYNC_CMD_*_NTF
 * @room: bytes of attributes beyond the ordinary
 * @fill: puts the attributes
 * @object: what was changed
 *
 * Context: process, psync_net.lock, under which the change was made.
 */
void psync_nl_changed(struct psync_net *pnet, u8 cmd, size_t room,
		      psync_nl_fill_t fill, const void *object)
{
	lockdep_assert_held(&pnet->lock);
	psync_nl_notify(pnet, cmd, room, GFP_KERNEL, fill, object);
}

/**
 * psync_nl_dump_config - begin a message of a dump of the configuration
 * @cb: dump
 * @pnet: site
 *
 * Context: process, psync_net.lock.
 */
void psync_nl_dump_config(struct netlink_callback *cb,
			  const struct psync_net *pnet)
{
	lockdep_assert_held(&pnet->lock);
	/* Zero would mean that it is not compared. */
	cb->seq = pnet->generation ?: 1;
}

/**
 * psync_nl_dump_plain - refuse attributes in a dump that takes none
 * @cb: dump
 * @maxattr: greatest attribute the policy lets through
 *
 * Return: 0, -EINVAL.
 */
int psync_nl_dump_plain(struct netlink_callback *cb, int maxattr)
{
	struct nlattr **attrs = psync_genl_dump_attrs(cb);
	int i;

	for (i = 1; i <= maxattr; i++) {
		if (!attrs[i])
			continue;
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[i],
				    "this dump takes no attributes");
		return -EINVAL;
	}
	return 0;
}

static int psync_nl_event_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_event *ev = object;

	if (nla_put_u32(skb, PSYNC_A_EVENT_TYPE, ev->type) ||
	    nla_put_u32(skb, PSYNC_A_EVENT_SITE, ev->site) ||
	    nla_put_u64_64bit(skb, PSYNC_A_EVENT_CID, ev->cid,
			      PSYNC_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_EVENT_MID, ev->mid,
			      PSYNC_A_EVENT_PAD) ||
	    nla_put_u32(skb, PSYNC_A_EVENT_GROUP, ev->group) ||
	    nla_put_u32(skb, PSYNC_A_EVENT_NUMBER, ev->number) ||
	    nla_put_u32(skb, PSYNC_A_EVENT_REASON, ev->reason) ||
	    nla_put_u64_64bit(skb, PSYNC_A_EVENT_OTHER, ev->other,
			      PSYNC_A_EVENT_PAD))
		return -EMSGSIZE;
	return 0;
}

/**
 * psync_netlink_event - tell the listeners of the namespace about an event
 * @pnet: site
 * @ev: event, copied
 *
 * Context: any.
 */
void psync_netlink_event(struct psync_net *pnet, const struct psync_event *ev)
{
	/* Pairs with psync_netlink_exit(). */
	rcu_read_lock();
	if (READ_ONCE(psync_nl_registered))
		psync_nl_notify(pnet, PSYNC_CMD_EVENT_NTF, 0,
				GFP_ATOMIC | __GFP_NOWARN, psync_nl_event_fill,
				ev);
	rcu_read_unlock();
}

/* Room for the largest message, whatever the reader's buffer has been. */
static int psync_nl_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = PSYNC_NL_MSG_MAX;
	return 0;
}

/* psync_nl_ops with what the generator has no word for. */
static struct genl_ops psync_nl_full_ops[ARRAY_SIZE(psync_nl_ops)]
	__ro_after_init;

static const struct genl_multicast_group psync_nl_groups[] = {
	[PSYNC_NLGRP_EVENTS] = { .name = PSYNC_MCGRP_EVENTS, },
};

struct genl_family psync_nl_family __ro_after_init = {
	.name		= PSYNC_FAMILY_NAME,
	.version	= PSYNC_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= psync_nl_full_ops,
	.n_ops		= ARRAY_SIZE(psync_nl_full_ops),
	.mcgrps		= psync_nl_groups,
	.n_mcgrps	= ARRAY_SIZE(psync_nl_groups),
};

/**
 * psync_netlink_init - register the family
 *
 * Return: 0 or errno.
 */
int __init psync_netlink_init(void)
{
	unsigned int i;
	int err;

	BUILD_BUG_ON(sizeof_field(struct psync_link, name) !=
		     PSYNC_NAME_MAX + 1);
	BUILD_BUG_ON(sizeof_field(struct psync_link, dev_name) !=
		     PSYNC_NAME_MAX + 1);
	BUILD_BUG_ON(PSYNC_PIDS_LEN_MAX !=
		     PSYNC_PARTICIPANTS_LIM * sizeof(struct psync_pid));
	for (i = 0; i < ARRAY_SIZE(psync_nl_ops); i++) {
		psync_nl_full_ops[i] = psync_nl_ops[i];
		if (psync_nl_ops[i].dumpit)
			psync_nl_full_ops[i].start = psync_nl_dump_start;
	}
	err = genl_register_family(&psync_nl_family);
	WRITE_ONCE(psync_nl_registered, !err);
	return err;
}

/**
 * psync_netlink_exit - take the family back
 */
void psync_netlink_exit(void)
{
	/* Packets still come in; what they tell must not reach our successor. */
	WRITE_ONCE(psync_nl_registered, false);
	synchronize_rcu();
	genl_unregister_family(&psync_nl_family);
}
