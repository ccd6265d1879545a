// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink operations on the other sites of a conversation: who was heard, who
 * lacks what, how far away they are.
 *
 * A dump takes the conversation's lock for one message at a time and goes on
 * by place: the sites of a conversation never change.
 */

#include "nl.h"

/* What may be sent to it, and what is on its way. */
static int psync_nl_remote_put_flow(struct sk_buff *skb,
				    const struct psync_remote *remote)
{
	if (nla_put_u32(skb, PSYNC_A_REMOTE_CREDIT_BYTES,
			remote->credit_bytes) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_CREDIT_MSGS,
			remote->credit_msgs) ||
	    nla_put_u64_64bit(skb, PSYNC_A_REMOTE_FLIGHT_BYTES,
			      remote->flight_bytes, PSYNC_A_REMOTE_PAD) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_FLIGHT_MSGS,
			remote->flight_msgs))
		return -EMSGSIZE;
	return 0;
}

/* The conversation is locked by the caller. */
static int psync_nl_remote_put(struct sk_buff *skb, u64 cid,
			       const struct psync_remote *remote)
{
	bool known = remote->state == PSYNC_REMOTE_CONFIRMED;

	if (nla_put_u64_64bit(skb, PSYNC_A_REMOTE_CID, cid,
			      PSYNC_A_REMOTE_PAD) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_SITE, remote->site) ||
	    nla_put_u64_64bit(skb, PSYNC_A_REMOTE_INCARNATION,
			      known ? remote->inc : 0, PSYNC_A_REMOTE_PAD) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_OPENING,
			known ? remote->opening : 0) ||
	    (remote->heard && nla_put_flag(skb, PSYNC_A_REMOTE_HEARD)) ||
	    (remote->absent && nla_put_flag(skb, PSYNC_A_REMOTE_ABSENT)) ||
	    (remote->moved && nla_put_flag(skb, PSYNC_A_REMOTE_MOVED)) ||
	    (remote->suspect && nla_put_flag(skb, PSYNC_A_REMOTE_SUSPECT)) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_LACKS, remote->lag) ||
	    nla_put_u32(skb, PSYNC_A_REMOTE_ASKED, remote->probes) ||
	    nla_put_u64_64bit(skb, PSYNC_A_REMOTE_RTT, remote->srtt,
			      PSYNC_A_REMOTE_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_REMOTE_RTT_VAR, remote->rttvar,
			      PSYNC_A_REMOTE_PAD))
		return -EMSGSIZE;
	return psync_nl_remote_put_flow(skb, remote);
}

/* A site of a conversation, by its place among them. */
struct psync_nl_remote_key {
	const struct psync_conv	*conv;
	u32			place;
};

static int psync_nl_remote_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_nl_remote_key *key = object;

	lockdep_assert_held(&key->conv->lock);
	return psync_nl_remote_put(skb, key->conv->cid,
				   &key->conv->img.remotes[key->place]);
}

/* A site of a conversation, by its id. */
struct psync_nl_remote_name {
	struct psync_conv	*conv;
	u32			site;
};

static int psync_nl_remote_find_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_nl_remote_name *name = object;
	const struct psync_image *img = &name->conv->img;
	int err = -ENOENT;
	u32 i;

	psync_conv_lock(name->conv);
	for (i = 0; !name->conv->dead && i < img->nremotes; i++) {
		if (img->remotes[i].site != name->site)
			continue;
		err = psync_nl_remote_put(skb, name->conv->cid,
					  &img->remotes[i]);
	}
	psync_conv_unlock(name->conv);
	return err;
}

/**
 * psync_nl_remote_get_doit - PSYNC_CMD_REMOTE_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_remote_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_nl_remote_name name;
	u64 cid;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_REMOTE_CID) ||
	    GENL_REQ_ATTR_CHECK(info, PSYNC_A_REMOTE_SITE)) {
		GENL_SET_ERR_MSG(info, "conversation id or site missing");
		return -EINVAL;
	}
	name.site = nla_get_u32(info->attrs[PSYNC_A_REMOTE_SITE]);
	cid = nla_get_u64(info->attrs[PSYNC_A_REMOTE_CID]);
	name.conv = psync_conv_find_get(pnet, cid);
	if (!name.conv) {
		GENL_SET_ERR_MSG(info, "no such conversation");
		return -ENOENT;
	}
	err = psync_nl_reply(info, PSYNC_CMD_REMOTE_GET, 0,
			     psync_nl_remote_find_fill, &name);
	psync_conv_put(name.conv);
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "no such other site in it");
	return err;
}

static int psync_nl_remote_dump(struct sk_buff *skb,
				struct netlink_callback *cb,
				const struct psync_conv *conv)
{
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_nl_remote_key key = { .conv = conv };
	int err;

	lockdep_assert_held(&conv->lock);
	for (; cur->last < conv->img.nremotes; cur->last++) {
		key.place = cur->last;
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_REMOTE_GET,
					psync_nl_remote_fill, &key);
		if (err)
			return err;
	}
	return 0;
}

/**
 * psync_nl_remote_get_dumpit - PSYNC_CMD_REMOTE_GET, all of a conversation
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL, -ENOENT.
 */
int psync_nl_remote_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct nlattr **attrs = psync_genl_dump_attrs(cb);
	struct psync_conv *conv;
	int err;

	if (attrs[PSYNC_A_REMOTE_SITE]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[PSYNC_A_REMOTE_SITE],
				    "this dump takes a conversation id alone");
		return -EINVAL;
	}
	conv = psync_nl_dump_conv_get(pnet, cb, attrs[PSYNC_A_REMOTE_CID]);
	if (IS_ERR(conv))
		return PTR_ERR(conv);
	psync_conv_lock(conv);
	err = psync_nl_remote_dump(skb, cb, conv);
	psync_conv_unlock(conv);
	psync_conv_put(conv);
	return skb->len ?: err;
}
