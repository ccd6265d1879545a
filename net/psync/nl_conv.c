// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink operations on conversations and the views of their participants.
 *
 * A dump of conversations takes references to a few at a time, in the order in
 * which they were opened, and looks at each under its own lock.  A dump of one
 * conversation's views takes its lock for one message at a time.
 */

#include "nl.h"

/* References a dump takes at a time. */
#define PSYNC_NL_CONV_BATCH	16

static u32 psync_nl_conv_state(const struct psync_conv *conv)
{
	lockdep_assert_held(&conv->lock);
	if (!conv->img.p.pids)
		return PSYNC_CONV_STATE_EMBRYO;
	if (conv->img.refused)
		return PSYNC_CONV_STATE_REFUSED;
	if (conv->lingering)
		return PSYNC_CONV_STATE_LINGERING;
	if (conv->img.recover)
		return PSYNC_CONV_STATE_RECOVERING;
	return conv->pending ? PSYNC_CONV_STATE_PENDING : PSYNC_CONV_STATE_OPEN;
}

static int psync_nl_conv_who(struct sk_buff *skb,
			     const struct psync_image *img)
{
	struct nlattr *attr;
	u64 *seqs;
	u32 i;

	if (!img->p.pids)
		return 0;
	if (nla_put(skb, PSYNC_A_CONV_PIDS, img->p.n * sizeof(*img->p.pids),
		    img->p.pids))
		return -EMSGSIZE;
	attr = nla_reserve_64bit(skb, PSYNC_A_CONV_SEQS,
				 img->p.n * sizeof(*seqs), PSYNC_A_CONV_PAD);
	if (!attr)
		return -EMSGSIZE;
	seqs = nla_data(attr);
	for (i = 0; i < img->p.n; i++)
		seqs[i] = img->parts[i].seq;
	return 0;
}

/* What becomes of slow members here, and who holds senders back (S6.6). */
static int psync_nl_conv_put_slow(struct sk_buff *skb,
				  const struct psync_image *img)
{
	u32 policy, site, index;
	u64 ns;

	policy = psync_image_slow(img, &ns);
	site = psync_image_blocker(img, &index);
	if (nla_put_u32(skb, PSYNC_A_CONV_SLOW, policy) ||
	    nla_put_u32(skb, PSYNC_A_CONV_SLOW_MS,
			div_u64(ns, NSEC_PER_MSEC)) ||
	    nla_put_u32(skb, PSYNC_A_CONV_BLOCKER_SITE, site) ||
	    nla_put_u32(skb, PSYNC_A_CONV_BLOCKER, index) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_WINDOW, img->window,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_FLIGHT, img->flight,
			      PSYNC_A_CONV_PAD))
		return -EMSGSIZE;
	return 0;
}

static int psync_nl_conv_counts(struct sk_buff *skb,
				const struct psync_conv *conv)
{
	const struct psync_image *img = &conv->img;
	u32 i, confirmed = 0;

	for (i = 0; i < img->nremotes; i++)
		confirmed += img->remotes[i].state == PSYNC_REMOTE_CONFIRMED;
	if (nla_put_u32(skb, PSYNC_A_CONV_VIEWS, img->nviews) ||
	    nla_put_u32(skb, PSYNC_A_CONV_SITES, img->nremotes) ||
	    nla_put_u32(skb, PSYNC_A_CONV_CONFIRMED, confirmed) ||
	    nla_put_u32(skb, PSYNC_A_CONV_NODES, img->nnodes) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_ATTACHED, img->attached,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u32(skb, PSYNC_A_CONV_HELD, img->nheld) ||
	    nla_put_u32(skb, PSYNC_A_CONV_EARLY, img->nearly) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_BODY_BYTES, img->body_bytes,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u32(skb, PSYNC_A_CONV_DEPTH, img->max_depth) ||
	    nla_put_u32(skb, PSYNC_A_CONV_UNHELD, img->nowed) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_LACKING,
			      psync_conv_lacking(conv), PSYNC_A_CONV_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_CHARGED, conv->charge.paid,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_OWED, conv->charge.owed,
			      PSYNC_A_CONV_PAD))
		return -EMSGSIZE;
	return psync_nl_conv_put_slow(skb, img);
}

static int psync_nl_conv_put(struct sk_buff *skb, const struct psync_conv *conv)
{
	const struct psync_image *img = &conv->img;

	lockdep_assert_held(&conv->lock);
	if (conv->dead)
		return -ENOENT;
	if (nla_put_u64_64bit(skb, PSYNC_A_CONV_CID, conv->cid,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u32(skb, PSYNC_A_CONV_STATE, psync_nl_conv_state(conv)) ||
	    nla_put_u32(skb, PSYNC_A_CONV_GROUP, img->p.group) ||
	    nla_put_u32(skb, PSYNC_A_CONV_NUMBER, img->p.number) ||
	    nla_put_u64_64bit(skb, PSYNC_A_CONV_DIGEST, img->p.digest,
			      PSYNC_A_CONV_PAD) ||
	    nla_put_u32(skb, PSYNC_A_CONV_SITE, img->p.site) ||
	    nla_put_u32(skb, PSYNC_A_CONV_OPENING, img->opening) ||
	    psync_nl_conv_who(skb, img))
		return -EMSGSIZE;
	return psync_nl_conv_counts(skb, conv);
}

static int psync_nl_conv_fill(struct sk_buff *skb, const void *object)
{
	/* Its lock is taken, nothing is changed. */
	struct psync_conv *conv = (struct psync_conv *)object;
	int err;

	psync_conv_lock(conv);
	err = psync_nl_conv_put(skb, conv);
	psync_conv_unlock(conv);
	return err;
}

/**
 * psync_nl_conv_get_doit - PSYNC_CMD_CONV_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_conv_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_conv *conv;
	int err = -ENOENT;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_CONV_CID)) {
		GENL_SET_ERR_MSG(info, "conversation id missing");
		return -EINVAL;
	}
	conv = psync_conv_find_get(pnet,
				   nla_get_u64(info->attrs[PSYNC_A_CONV_CID]));
	if (conv) {
		err = psync_nl_reply(info, PSYNC_CMD_CONV_GET,
				     PSYNC_NL_MSG_MAX, psync_nl_conv_fill,
				     conv);
		psync_conv_put(conv);
	}
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "no such conversation");
	return err;
}

/* References to the next conversations after @serial.  Returns how many. */
static unsigned int psync_nl_conv_batch(struct psync_net *pnet, u64 serial,
					struct psync_conv **batch)
{
	struct psync_conv *conv;
	unsigned int n = 0;

	spin_lock_bh(&pnet->table_lock);
	list_for_each_entry(conv, &pnet->conv_list, list) {
		if (conv->serial <= serial ||
		    !kref_get_unless_zero(&conv->ref))
			continue;
		batch[n++] = conv;
		if (n == PSYNC_NL_CONV_BATCH)
			break;
	}
	spin_unlock_bh(&pnet->table_lock);
	return n;
}

/* Puts what fits and all references back. */
static int psync_nl_conv_dump(struct sk_buff *skb, struct netlink_callback *cb,
			      struct psync_conv **batch, unsigned int n)
{
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	unsigned int i;
	int err = 0;

	for (i = 0; i < n; i++) {
		if (!err)
			err = psync_nl_dump_one(skb, cb, PSYNC_CMD_CONV_GET,
						psync_nl_conv_fill, batch[i]);
		if (err == -ENOENT)
			err = 0;	/* closed meanwhile */
		if (!err)
			cur->last = batch[i]->serial;
		psync_conv_put(batch[i]);
	}
	return err;
}

/**
 * psync_nl_conv_get_dumpit - PSYNC_CMD_CONV_GET, all, oldest first
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL.
 */
int psync_nl_conv_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_conv *batch[PSYNC_NL_CONV_BATCH];
	unsigned int n;
	int err;

	err = psync_nl_dump_plain(cb, PSYNC_A_CONV_CID);
	if (err)
		return err;
	do {
		n = psync_nl_conv_batch(pnet, cur->last, batch);
		err = psync_nl_conv_dump(skb, cb, batch, n);
	} while (n && !err);
	return skb->len ?: err;
}

/**
 * psync_nl_dump_conv_get - the conversation that a dump is about
 * @pnet: site
 * @cb: dump
 * @cid: attribute that names it, or NULL
 *
 * A dump that began with one conversation does not go on with another that was
 * opened under the same id.
 *
 * Context: process.
 * Return: the conversation with a reference, or ERR_PTR of -EINVAL, -ENOENT
 * with the reason told.
 */
struct psync_conv *psync_nl_dump_conv_get(struct psync_net *pnet,
					  struct netlink_callback *cb,
					  const struct nlattr *cid)
{
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	struct psync_conv *conv;

	if (!cid) {
		NL_SET_ERR_MSG(cb->extack, "conversation id missing");
		return ERR_PTR(-EINVAL);
	}
	conv = psync_conv_find_get(pnet, nla_get_u64(cid));
	if (!conv) {
		NL_SET_ERR_MSG(cb->extack, "no such conversation");
		return ERR_PTR(-ENOENT);
	}
	if (cur->serial && cur->serial != conv->serial) {
		psync_conv_put(conv);
		NL_SET_ERR_MSG(cb->extack, "the conversation was closed");
		return ERR_PTR(-ENOENT);
	}
	cur->serial = conv->serial;
	return conv;
}

/* Sets of participants: whom it masks out, for good or no longer; by whom it is. */
static int psync_nl_view_masks(struct sk_buff *skb,
			       const struct psync_view *view)
{
	u8 by[PSYNC_PARTICIPANTS_LIM / 8] = {};
	u8 agreed[PSYNC_PARTICIPANTS_LIM / 8] = {};
	u8 asked[PSYNC_PARTICIPANTS_LIM / 8] = {};
	u8 out[PSYNC_PARTICIPANTS_LIM / 8] = {};
	const struct psync_image *img = view->img;
	u32 size = DIV_ROUND_UP(img->p.n, 8);
	u32 i;

	if (!img->masking)
		return 0;
	for (i = 0; i < img->p.n; i++) {
		if (psync_mask_against(view, i))
			by[i / 8] |= 1 << i % 8;
		if (!psync_view_masked(view, i))
			continue;
		out[i / 8] |= 1 << i % 8;
		if (view->masks[i].agreed)
			agreed[i / 8] |= 1 << i % 8;
		if (view->masks[i].asked)
			asked[i / 8] |= 1 << i % 8;
	}
	if (nla_put(skb, PSYNC_A_VIEW_MASKED, size, out) ||
	    nla_put(skb, PSYNC_A_VIEW_AGREED, size, agreed) ||
	    nla_put(skb, PSYNC_A_VIEW_MASKED_BY, size, by) ||
	    nla_put(skb, PSYNC_A_VIEW_ASKED, size, asked))
		return -EMSGSIZE;
	return 0;
}

/* The participant's lock is its conversation's, held by the caller. */
static int psync_nl_view_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_view *view = object;
	const struct psync_image *img = view->img;

	if (nla_put_u64_64bit(skb, PSYNC_A_VIEW_CID, img->p.cid,
			      PSYNC_A_VIEW_PAD) ||
	    nla_put_u32(skb, PSYNC_A_VIEW_INDEX, view->index) ||
	    nla_put_u32(skb, PSYNC_A_VIEW_PORT,
			img->p.pids[view->index].port) ||
	    nla_put_u32(skb, PSYNC_A_VIEW_BINDING, view->binding) ||
	    (!view->pending && nla_put_flag(skb, PSYNC_A_VIEW_ACCEPTED)) ||
	    nla_put_u32(skb, PSYNC_A_VIEW_OUTSTANDING, view->outstanding) ||
	    nla_put_u64_64bit(skb, PSYNC_A_VIEW_COUNT, view->count,
			      PSYNC_A_VIEW_PAD) ||
	    nla_put_u32(skb, PSYNC_A_VIEW_LEAVES, view->nleaves))
		return -EMSGSIZE;
	return psync_nl_view_masks(skb, view);
}

/* One participant of a conversation, named. */
struct psync_nl_view_key {
	struct psync_conv	*conv;
	u32			index;
};

static int psync_nl_view_find_fill(struct sk_buff *skb, const void *object)
{
	const struct psync_nl_view_key *key = object;
	const struct psync_image *img = &key->conv->img;
	int err = -ENOENT;

	psync_conv_lock(key->conv);
	if (!key->conv->dead && img->p.pids && key->index < img->p.n &&
	    img->parts[key->index].view)
		err = psync_nl_view_fill(skb, img->parts[key->index].view);
	psync_conv_unlock(key->conv);
	return err;
}

/**
 * psync_nl_view_get_doit - PSYNC_CMD_VIEW_GET, one
 * @skb: request
 * @info: request, parsed
 *
 * Return: 0, -EINVAL, -ENOENT, -ENOMEM.
 */
int psync_nl_view_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct psync_net *pnet = psync_pernet(genl_info_net(info));
	struct psync_nl_view_key key;
	u64 cid;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, PSYNC_A_VIEW_CID) ||
	    GENL_REQ_ATTR_CHECK(info, PSYNC_A_VIEW_INDEX)) {
		GENL_SET_ERR_MSG(info, "conversation id or index missing");
		return -EINVAL;
	}
	key.index = nla_get_u32(info->attrs[PSYNC_A_VIEW_INDEX]);
	cid = nla_get_u64(info->attrs[PSYNC_A_VIEW_CID]);
	key.conv = psync_conv_find_get(pnet, cid);
	if (!key.conv) {
		GENL_SET_ERR_MSG(info, "no such conversation");
		return -ENOENT;
	}
	err = psync_nl_reply(info, PSYNC_CMD_VIEW_GET, 0,
			     psync_nl_view_find_fill, &key);
	psync_conv_put(key.conv);
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "no such participant at this site");
	return err;
}

static int psync_nl_view_dump(struct sk_buff *skb, struct netlink_callback *cb,
			      const struct psync_conv *conv)
{
	struct psync_nl_cursor *cur = psync_nl_cursor(cb);
	const struct psync_image *img = &conv->img;
	int err;

	lockdep_assert_held(&conv->lock);
	if (!img->p.pids)
		return 0;
	for (; cur->last < img->p.n; cur->last++) {
		if (!img->parts[cur->last].view)
			continue;
		err = psync_nl_dump_one(skb, cb, PSYNC_CMD_VIEW_GET,
					psync_nl_view_fill,
					img->parts[cur->last].view);
		if (err)
			return err;
	}
	return 0;
}

/**
 * psync_nl_view_get_dumpit - PSYNC_CMD_VIEW_GET, all of a conversation by
 * index
 * @skb: message to fill
 * @cb: dump
 *
 * Return: bytes put, -EINVAL, -ENOENT.
 */
int psync_nl_view_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct psync_net *pnet = psync_pernet(sock_net(skb->sk));
	struct nlattr **attrs = psync_genl_dump_attrs(cb);
	struct psync_conv *conv;
	int err;

	if (attrs[PSYNC_A_VIEW_INDEX]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[PSYNC_A_VIEW_INDEX],
				    "this dump takes a conversation id alone");
		return -EINVAL;
	}
	conv = psync_nl_dump_conv_get(pnet, cb, attrs[PSYNC_A_VIEW_CID]);
	if (IS_ERR(conv))
		return PTR_ERR(conv);
	psync_conv_lock(conv);
	err = psync_nl_view_dump(skb, cb, conv);
	psync_conv_unlock(conv);
	psync_conv_put(conv);
	return skb->len ?: err;
}
