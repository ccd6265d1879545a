// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink operations on context graphs.
 *
 * Nodes are reported in the order of attachment, which extends precedes, so a
 * reader meets predecessors first; those that were freed before are named in
 * predecessor lists only.  The conversation is locked for one message of the
 * dump at a time.  What was reported last is found again in constant time;
 * when it was freed meanwhile, so was all before it, and the dump goes on with
 * the oldest node that is left.
 */

#include "core/graph.h"
#include "nl.h"

static int psync_nl_node_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_node *node = object;
	u32 flags = 0;

	if (node->body)
		flags |= PSYNC_NODE_FLAGS_BODY;
	if (node->wanted)
		flags |= PSYNC_NODE_FLAGS_WANTED;
	if (node->unheld)
		flags |= PSYNC_NODE_FLAGS_UNHELD;
	if (node->kind == PSYNC_KIND_NULL)
		flags |= PSYNC_NODE_FLAGS_NULL;
	else if (node->kind == PSYNC_KIND_END)
		flags |= PSYNC_NODE_FLAGS_END;
	else if (node->kind == PSYNC_KIND_RESTART)
		flags |= PSYNC_NODE_FLAGS_RESTART;
	else if (node->kind == PSYNC_KIND_MASK)
		flags |= PSYNC_NODE_FLAGS_MASK;
	else if (node->kind == PSYNC_KIND_GAP)
		flags |= PSYNC_NODE_FLAGS_GAP;
	if (nla_put_u64_64bit(skb, PSYNC_A_NODE_MID, psync_node_mid(node),
			      PSYNC_A_NODE_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_NODE_ORDINAL, node->ordinal,
			      PSYNC_A_NODE_PAD) ||
	    nla_put_u32(skb, PSYNC_A_NODE_SENDER, node->sender) ||
	    nla_put_u32(skb, PSYNC_A_NODE_WAVE, node->wave) ||
	    nla_put_u32(skb, PSYNC_A_NODE_BODY_LEN, node->body_len) ||
	    nla_put_u32(skb, PSYNC_A_NODE_FLAGS, flags))
		return -EMSGSIZE;
	if (node->npred &&
	    nla_put_64bit(skb, PSYNC_A_NODE_PREDS,
			  node->npred * sizeof(*node->preds), node->preds,
			  PSYNC_A_NODE_PAD))
		return -EMSGSIZE;
	return 0;
}

/* A message of a conversation, named. */
struct psync_nl_node_key {
	struct psync_conv	*conv;
	u64			mid;
};

static int psync_nl_node_find_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_nl_node_key *key = object;
	const struct psync_image *img = &key->conv->img;
	u32 index = PSYNC_MID_INDEX(key->mid);
	const struct psync_node *node = NULL;
	int err = -ENOENT;

	psync_conv_lock(key->conv);
	if (!key->conv->dead && img->p.pids && index < img->p.n)
		node = psync_graph_find(img, index, PSYNC_MID_SEQ(key->mid));
	if (node)
		err = psync_nl_node_fill(skb, node);
	psync_conv_unlock(key->conv);
	return err;
}

/**
 * psync_nl_graph_get_doit - PSYNC_CMD_GRAPH_GET, one message
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_graph_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_nl_node_key key;
	u64 cid;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_NODE_CID) ||
	    GENL_REQ_ATTR_CHECK(info, PSYNC_A_NODE_MID)) {
		GENL_SET_ERR_MSG(info, "conversation or message id missing");
		return -EINVAL;
	}
	key.mid = nla_get_u64(info->attrs[PSYNC_A_NODE_MID]);
	cid = nla_get_u64(info->attrs[PSYNC_A_NODE_CID]);
	key.conv = psync_conv_find_get(pnet, cid);
	if (!key.conv) {
		GENL_SET_ERR_MSG(info, "no such conversation");
		return -ENOENT;
	}
	err = psync_nl_reply(info, PSYNC_CMD_GRAPH_GET,
			     PSYNC_PARTICIPANTS_LIM * sizeof(u64),
			     psync_nl_node_find_fill, &key);
	psync_conv_put(key.conv);
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "the message is not in the image");
	return err;
}

/* The node after the one that was reported last, or the list's head. */
static const struct list_head *
psync_nl_graph_resume(const struct psync_image *img,
		      const struct psync_nl_cursor *cur)
{
	const struct psync_node *node = NULL;

	if (cur->last)
		node = psync_graph_find(img, PSYNC_MID_INDEX(cur->last),
					PSYNC_MID_SEQ(cur->last));
	return node ? node->order.next : img->order.next;
}

static int psync_nl_graph_dump(struct sk_buff *skb, struct netlink_callback *cb,
			       const struct psync_conv *conv)
{
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	const struct psync_image *img = &conv->img;
	const struct psync_node *node;
	const struct list_head *pos;
	int err;

	lockdep_assert_held(&conv->lock);
	if (!img->p.pids)
		return 0;
	for (pos = psync_nl_graph_resume(img, cur); pos != &img->order;
	     pos = pos->next) {
		node = list_entry(pos, struct psync_node, order);
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_GRAPH_GET,
					psync_nl_node_fill, node);
		if (err)
			return err;
		cur->last = psync_node_mid(node);
	}
	return 0;
}

/**
 * psync_nl_graph_get_dumpit - PSYNC_CMD_GRAPH_GET, all of a conversation
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL, -ENOENT.
 */
int psync_nl_graph_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct nlattr **attrs = psync_genl_dump_attrs(cb);
	struct psync_conv *conv;
	int err;

	if (attrs[PSYNC_A_NODE_MID]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[PSYNC_A_NODE_MID],
				    "this dump takes a conversation id alone");
		return -EINVAL;
	}
	conv = psync_nl_dump_conv_get(pnet, cb, attrs[PSYNC_A_NODE_CID]);
	if (IS_ERR(conv))
		return PTR_ERR(conv);
	psync_conv_lock(conv);
	err = psync_nl_graph_dump(skb, cb, conv);
	psync_conv_unlock(conv);
	psync_conv_put(conv);
	return skb->len ?: err;
}
