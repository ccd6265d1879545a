// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in: decode (the core's), whose is it, which conversation.
 *
 * A link hands up a packet whose checksum and length it has verified.  The
 * source must be a configured peer at that address, the incarnation its
 * present one (peer.c); then the type decides.  A message of an unknown cid
 * opens a conversation if somebody here could take part in it.
 */

#include "psync.h"
#include "trace.h"

/* Refusals answered and told per peer and second; all are counted. */
#define PSYNC_REFUSE_RATE	10

void psync_drop(struct psync_net *pnet, struct sk_buff *skb,
		enum psync_drop reason)
{
	if (pnet)
		this_cpu_inc(pnet->mib->drops[reason]);
	trace_psync_drop(pnet, skb, reason);
	kfree_skb(skb);
}

/* Makes the header contiguous and decodes it. */
static enum psync_drop psync_input_decode(struct sk_buff *skb,
					  struct psync_pkt *pkt)
{
	u32 need, have = 0;

	while ((need = psync_wire_need(skb->data, have)) > have) {
		if (need > skb->len)
			return PSYNC_DROP_TOO_SHORT;
		if (!pskb_may_pull(skb, need))
			return PSYNC_DROP_NO_MEM;
		have = need;
	}
	return psync_wire_decode(skb->data, skb_headlen(skb), skb->len, pkt);
}

/* Is it for who we are now? */
static enum psync_drop psync_input_dst(const struct psync_net *pnet,
				       const struct psync_pkt *pkt)
{
	u32 site = READ_ONCE(pnet->site);

	if (!site)
		return PSYNC_DROP_NO_SITE;
	if (pkt->src_site == site)
		return PSYNC_DROP_SELF;
	if (pkt->dst_site && pkt->dst_site != site)
		return PSYNC_DROP_NOT_FOR_US;
	if (pkt->dst_inc && pkt->dst_inc != READ_ONCE(pnet->inc))
		return PSYNC_DROP_OTHER_INC;
	return PSYNC_OK;
}

/* Who says so, and to whom: what can be judged without any conversation. */
static enum psync_drop psync_input_check(struct psync_link *link,
					 const struct psync_pkt *pkt,
					 const struct psync_addr *from,
					 struct psync_peer **peer)
{
	struct psync_net *pnet = link->pnet;
	enum psync_drop reason = psync_input_dst(pnet, pkt);

	if (reason)
		return reason;
	*peer = psync_peer_find_rcu(pnet, pkt->src_site);
	if (!*peer)
		return PSYNC_DROP_UNKNOWN_PEER;
	if (((*peer)->link != link &&
	     (*peer)->link != READ_ONCE(link->twin)) ||
	    !psync_peer_addr_equal(&(*peer)->addr, from))
		return PSYNC_DROP_BAD_ADDRESS;
	return PSYNC_OK;
}

void psync_input(struct psync_link *link, struct sk_buff *skb,
		 const struct psync_addr *from)
{
	struct psync_net *pnet = link->pnet;
	struct psync_peer *peer = NULL;
	enum psync_drop reason;
	struct psync_pkt pkt;

	PSYNC_INC(pnet, RX_PACKETS);
	atomic64_inc(&link->rx_packets);
	reason = psync_input_decode(skb, &pkt);
	if (!reason)
		reason = psync_input_check(link, &pkt, from, &peer);
	if (reason) {
		psync_drop(pnet, skb, reason);
		return;
	}
	trace_psync_rx(pnet, &pkt);
	/* Only these are sent as able to take one. */
	pkt.marked = from->marked && psync_wire_is_markable(pkt.type);
	if (pkt.marked)
		PSYNC_INC(pnet, MARK_HEARD);
	/*
	 * An answer about the site is what decides which incarnation is
	 * present, so it cannot wait for that decision.
	 */
	if (pkt.type == PSYNC_PKT_HELLO_ACK && !pkt.cid) {
		reason = psync_peer_hello_ack(peer, &pkt);
		if (reason)
			psync_drop(pnet, skb, reason);
		else
			consume_skb(skb);
		return;
	}
	if (psync_peer_admit(peer, skb, &pkt))
		psync_input_pkt(pnet, peer, skb, &pkt);
}

void psync_input_parked(struct psync_peer *peer, struct sk_buff *skb)
{
	enum psync_drop reason;
	struct psync_pkt pkt;

	/* The header is as contiguous as when it was decoded first. */
	reason = psync_wire_decode(skb->data, skb_headlen(skb), skb->len, &pkt);
	if (!reason)
		reason = psync_input_dst(peer->pnet, &pkt);
	if (reason)
		psync_drop(peer->pnet, skb, reason);
	else if (psync_peer_admit(peer, skb, &pkt))
		psync_input_pkt(peer->pnet, peer, skb, &pkt);
}

/* Is it what its fragments said: that site's, for this one, and all of it? */
static enum psync_drop psync_input_check_whole(const struct psync_peer *peer,
					       const struct sk_buff *skb,
					       const struct psync_pkt *pkt,
					       u64 inc)
{
	if (pkt->type != PSYNC_PKT_MSG && !psync_wire_is_vector(pkt->type))
		return PSYNC_DROP_BAD_FRAG;
	if (pkt->src_site != peer->site || pkt->src_inc != inc ||
	    pkt->dst_site != READ_ONCE(peer->pnet->site) ||
	    pkt->hdr_len + pkt->body_len != skb->len)
		return PSYNC_DROP_BAD_FRAG;
	if (pkt->dst_inc && pkt->dst_inc != READ_ONCE(peer->pnet->inc))
		return PSYNC_DROP_OTHER_INC;
	return PSYNC_OK;
}

void psync_input_whole(struct psync_peer *peer, struct sk_buff *skb, u64 inc)
{
	enum psync_drop reason;
	struct psync_pkt pkt;

	reason = psync_input_decode(skb, &pkt);
	if (!reason)
		reason = psync_input_check_whole(peer, skb, &pkt, inc);
	if (reason) {
		psync_drop(peer->pnet, skb, reason);
		return;
	}
	trace_psync_rx(peer->pnet, &pkt);
	if (psync_peer_admit(peer, skb, &pkt))
		psync_input_pkt(peer->pnet, peer, skb, &pkt);
}

static void psync_input_reply(struct psync_net *pnet, u32 site,
			      struct psync_pkt *pkt)
{
	struct sk_buff *skb;

	skb = psync_output_build(pnet, site, pkt, NULL);
	if (skb)
		psync_output_send(pnet, skb);
}

/* What this site has of the conversation that a HELLO asks about. */
static void psync_input_hello_conv(struct psync_net *pnet,
				   const struct psync_pkt *pkt,
				   struct psync_pkt *ack)
{
	struct psync_closed_info closed = {};
	struct psync_conv *conv;

	psync_closed_find(pnet, pkt->cid, &closed);
	conv = psync_conv_find_get(pnet, pkt->cid);
	if (!conv) {
		psync_image_hello_answer(NULL, closed.opening, closed.age_ms,
					 pkt, ack);
		return;
	}
	psync_conv_lock(conv);
	/* What lingers was closed, also when that is forgotten. */
	if (conv->lingering) {
		closed.opening = conv->img.opening;
		closed.age_ms = div_u64(ktime_get_ns() - conv->closed_at,
					NSEC_PER_MSEC);
	}
	psync_image_hello_answer(conv->dead ? NULL : &conv->img,
				 closed.opening, closed.age_ms, pkt, ack);
	if (!conv->dead && conv->img.p.pids)
		psync_image_greeted(&conv->img, pkt, ktime_get_ns());
	psync_conv_unlock(conv);
	psync_conv_put(conv);
}

/* HELLO: who are you now, as a site or in a conversation?  S1.2, S1.4 */
static void psync_input_hello(struct psync_net *pnet,
			      const struct psync_pkt *pkt)
{
	struct psync_pkt ack = {};

	if (pkt->cid)
		psync_input_hello_conv(pnet, pkt, &ack);
	else
		psync_image_hello_answer(NULL, 0, 0, pkt, &ack);
	PSYNC_INC(pnet, HELLO_ANSWERED);
	trace_psync_hello(pnet, pkt->src_site, pkt->cid, pkt->hello.nonce,
			  true);
	psync_input_reply(pnet, pkt->src_site, &ack);
}

/* At most PSYNC_REFUSE_RATE times a second and peer is more said than counted. */
static bool psync_input_may_refuse(struct psync_peer *peer)
{
	bool may;

	spin_lock_bh(&peer->lock);
	if (!peer->refuse_count ||
	    time_after(jiffies, peer->refuse_start + HZ)) {
		peer->refuse_start = jiffies;
		peer->refuse_count = 0;
	}
	may = peer->refuse_count < PSYNC_REFUSE_RATE;
	peer->refuse_count += may;
	spin_unlock_bh(&peer->lock);
	return may;
}

/* S1.5: who waits for an answer is told that nobody here has it. */
static void psync_input_absence(struct psync_net *pnet, struct psync_peer *peer,
				const struct psync_pkt *pkt,
				enum psync_drop reason)
{
	struct psync_pkt refuse;

	if ((reason != PSYNC_DROP_NO_CONV && reason != PSYNC_DROP_CLOSED &&
	     reason != PSYNC_DROP_NO_LISTENER) ||
	    !psync_image_absence(pkt, &refuse) || !psync_input_may_refuse(peer))
		return;
	PSYNC_INC(pnet, REFUSE_SENT);
	psync_input_reply(pnet, pkt->src_site, &refuse);
}

/* Tell the sockets that take part in our idea of the conversation. */
static void psync_input_tell(struct psync_net *pnet, u64 cid,
			     const struct psync_event *ev)
{
	struct psync_participant *part;
	struct psync_conv *conv;
	struct psync_view *view;

	conv = psync_conv_find_get(pnet, cid);
	if (!conv)
		return;
	psync_conv_lock(conv);
	list_for_each_entry(view, &conv->img.views, link) {
		part = container_of(view, struct psync_participant, view);
		if (part->sk)
			psync_event_queue(part->sk, ev);
	}
	psync_conv_unlock(conv);
	psync_conv_put(conv);
}

/* S1.3: two ideas of a group never mix; both sides hear of it. */
static void psync_input_mismatch(struct psync_net *pnet,
				 struct psync_peer *peer,
				 const struct psync_pkt *pkt, u64 digest)
{
	struct psync_event ev = {
		.type	= PSYNC_EV_MISMATCH,
		.site	= pkt->src_site,
		.cid	= pkt->cid,
		.mid	= PSYNC_MID(pkt->msg.sender, pkt->msg.seq),
		.group	= pkt->group,
		.number	= pkt->number,
	};
	struct psync_pkt refuse;

	if (!psync_input_may_refuse(peer))
		return;
	PSYNC_INC(pnet, REFUSE_SENT);
	psync_image_refusal(pkt, digest, 0, PSYNC_REFUSE_DIGEST, &refuse);
	psync_input_reply(pnet, pkt->src_site, &refuse);
	psync_netlink_event(pnet, &ev);
	if (pkt->number)
		psync_input_tell(pnet, psync_wire_cid(pkt->group, pkt->number,
						      digest), &ev);
}

/* Copies the list of a start message. */
static struct psync_pid *psync_input_pids(const struct psync_pkt *pkt)
{
	struct psync_pid *pids;
	u32 i;

	pids = kmalloc_array(pkt->msg.n, sizeof(*pids),
			     GFP_ATOMIC | __GFP_NOWARN);
	for (i = 0; pids && i < pkt->msg.n; i++) {
		pids[i].site = be32_to_cpu(pkt->msg.participants[i].site);
		pids[i].port = be32_to_cpu(pkt->msg.participants[i].port);
	}
	return pids;
}

/* Does anybody at this site listen as one of these? */
static bool psync_input_wanted(struct psync_net *pnet,
			       const struct psync_pid *pids, u32 n)
{
	bool wanted = false;
	struct sock *sk;
	u32 i;

	for (i = 0; i < n && !wanted; i++) {
		if (pids[i].site != pnet->site)
			continue;
		sk = psync_port_find_get(pnet, pids[i].port, SOCK_SEQPACKET);
		if (!sk)
			continue;
		wanted = READ_ONCE(sk->sk_state) == TCP_LISTEN;
		sock_put(sk);
	}
	return wanted;
}

/*
 * Who takes part, according to the message or to our configuration?  On
 * success *pids is a list that the caller frees, or NULL: not known yet, the
 * message overtook the start message.
 */
static enum psync_drop psync_input_list(struct psync_net *pnet,
					struct psync_peer *peer,
					const struct psync_pkt *pkt,
					struct psync_pid **pids)
{
	const struct psync_group *group = NULL;

	*pids = NULL;
	if (pkt->group)
		group = psync_group_find_rcu(pnet, pkt->group);
	if (group && group->digest != pkt->digest) {
		psync_input_mismatch(pnet, peer, pkt, group->digest);
		return PSYNC_DROP_DIGEST;
	}
	if (pkt->msg.participants) {
		*pids = psync_input_pids(pkt);
		if (!*pids)
			return PSYNC_DROP_NO_MEM;
		if (psync_wire_digest(*pids, pkt->msg.n) == pkt->digest)
			return PSYNC_OK;
		kfree(*pids);
		return PSYNC_DROP_BAD_PARTICIPANTS;
	}
	if (group && group->n == pkt->msg.n) {
		*pids = kmemdup(group->pids, group->n * sizeof(**pids),
				GFP_ATOMIC | __GFP_NOWARN);
		return *pids ? PSYNC_OK : PSYNC_DROP_NO_MEM;
	}
	if (group)
		return PSYNC_DROP_BAD_PARTICIPANTS;
	/* Only the configuration tells who takes part in a rendezvous. */
	return pkt->number ? PSYNC_DROP_NO_GROUP : PSYNC_OK;
}

/* May a message of this unknown cid open a conversation here?  */
static enum psync_drop psync_input_open(struct psync_net *pnet,
					struct psync_peer *peer,
					const struct psync_pkt *pkt,
					struct psync_conv **conv)
{
	struct psync_image_params p = {
		.cid	= pkt->cid,
		.digest	= pkt->digest,
		.group	= pkt->group,
		.number	= pkt->number,
	};
	struct psync_closed_info closed;
	struct psync_pid *pids = NULL;
	enum psync_drop reason;

	/* S1.3: else a peer could take the name of another rendezvous. */
	if (pkt->number && pkt->cid != psync_wire_cid(pkt->group, pkt->number,
						      pkt->digest))
		return PSYNC_DROP_BAD_HEADER;
	/* To an opening of this site (S1.4): none of those to come. */
	if (pkt->msg.dst_opening)
		return PSYNC_DROP_CLOSED;
	/* S1.4; a rendezvous may open again, then HELLO tells old from new. */
	if (!pkt->number && psync_closed_find(pnet, pkt->cid, &closed))
		return PSYNC_DROP_CLOSED;
	reason = psync_input_list(pnet, peer, pkt, &pids);
	if (reason)
		return reason;
	p.pids = pids;
	p.n = pids ? pkt->msg.n : 0;
	if (!pkt->number &&
	    (pids ? !psync_input_wanted(pnet, pids, p.n) :
		    !psync_port_listening(pnet))) {
		kfree(pids);
		return PSYNC_DROP_NO_LISTENER;
	}
	switch (psync_conv_open(pnet, &p, pkt->src_site, conv)) {
	case 0:
	case -EEXIST:
		break;
	case -EINVAL:
		reason = PSYNC_DROP_BAD_PARTICIPANTS;
		break;
	case -ENETDOWN:
		reason = PSYNC_DROP_NO_SITE;
		break;
	case -ENOMEM:
		reason = PSYNC_DROP_NO_MEM;
		break;
	default:
		reason = PSYNC_DROP_PENDING_FULL;
	}
	kfree(pids);
	return reason;
}

/* The start message of an embryo has come: now it is known who takes part. */
static enum psync_drop psync_input_start(struct psync_conv *conv,
					 const struct psync_pid *pids,
					 const struct psync_pkt *pkt)
{
	int err;

	if (conv->img.p.digest != pkt->digest)
		return PSYNC_DROP_DIGEST;
	err = psync_conv_start(conv, pids, pkt->msg.n);
	if (err)
		return err == -ENOMEM ? PSYNC_DROP_NO_MEM :
					PSYNC_DROP_BAD_PARTICIPANTS;
	return PSYNC_OK;
}

/* The nodes that a packet let into the image. */
static void psync_input_trace(const struct psync_conv *conv, u64 before)
{
	const struct psync_node *node;

	if (!trace_psync_attach_enabled())
		return;
	list_for_each_entry_reverse(node, &conv->img.order, order) {
		if (node->ordinal <= before)
			break;
		trace_psync_attach(conv->pnet, conv->cid,
				   PSYNC_MID(node->sender, node->seq),
				   node->wave);
	}
}

/* What has come of a packet, since the image had attached and held so many. */
static void psync_input_count(const struct psync_conv *conv, u64 attached,
			      u32 held)
{
	const struct psync_image *img = &conv->img;

	if (img->nheld > held)
		this_cpu_add(conv->pnet->mib->counters[PSYNC_MIB_MSG_HELD],
			     img->nheld - held);
	if (img->attached == attached)
		return;
	this_cpu_add(conv->pnet->mib->counters[PSYNC_MIB_MSG_ATTACHED],
		     img->attached - attached);
	psync_input_trace(conv, attached);
}

/*
 * Was a conversation made for nothing?  Nobody here has it, and either nobody
 * could be told of it (every backlog is full) or its message was refused.
 */
static bool psync_input_useless(const struct psync_conv *conv)
{
	const struct psync_image *img = &conv->img;

	if (!conv->pending || img->nviews)
		return false;
	return (img->p.pids && !img->p.number) ||
	       !(img->attached || img->nheld || img->nearly);
}

/*
 * Feeds a packet to a conversation, which takes a reference to the body if it
 * is that of a message that is used.
 */
static enum psync_drop psync_input_feed(struct psync_conv *conv,
					struct sk_buff *skb,
					const struct psync_pkt *pkt,
					const struct psync_pid *pids)
{
	struct psync_image *img = &conv->img;
	enum psync_drop reason = PSYNC_OK;
	u64 attached = img->attached;
	u32 held = img->nheld;

	lockdep_assert_held(&conv->lock);
	if (conv->dead)
		return PSYNC_DROP_CLOSED;
	if (pkt->type != PSYNC_PKT_MSG) {
		/* An answer may let in what waited for it. */
		reason = psync_image_input(img, pkt, NULL, ktime_get_ns());
		psync_input_count(conv, attached, held);
		psync_conv_check(conv);
		return reason;
	}
	if (pids && !img->p.pids)
		reason = psync_input_start(conv, pids, pkt);
	if (reason)
		return reason;
	skb_get(skb);
	psync_charge_body(conv, skb);
	reason = psync_image_input(img, pkt, skb, ktime_get_ns());
	if (reason) {
		psync_charge_body_put(conv, skb);
		consume_skb(skb);
	} else {
		psync_conv_announce(conv);
	}
	if (psync_input_useless(conv)) {
		psync_conv_kill(conv);
		return reason ?: PSYNC_DROP_PENDING_FULL;
	}
	psync_input_count(conv, attached, held);
	psync_conv_check(conv);
	return reason;
}

static void psync_input_heard(struct psync_net *pnet,
			      const struct psync_pkt *pkt)
{
	switch (pkt->type) {
	case PSYNC_PKT_REFUSE:
		PSYNC_INC(pnet, REFUSE_HEARD);
		break;
	case PSYNC_PKT_ACK:
		PSYNC_INC(pnet, ACK_HEARD);
		break;
	case PSYNC_PKT_RR:
		PSYNC_INC(pnet, RR_HEARD);
		break;
	case PSYNC_PKT_GONE:
		PSYNC_INC(pnet, GONE_HEARD);
		break;
	case PSYNC_PKT_RS:
		PSYNC_INC(pnet, RS_HEARD);
		break;
	case PSYNC_PKT_RS_ACK:
		PSYNC_INC(pnet, RS_ACK_HEARD);
		break;
	}
}

/* MSG, HELLO_ACK, REFUSE, ACK, RR, GONE, RS and RS_ACK of a conversation. */
static void psync_input_conv(struct psync_net *pnet, struct psync_peer *peer,
			     struct sk_buff *skb, const struct psync_pkt *pkt)
{
	enum psync_drop reason = PSYNC_OK;
	struct psync_pid *pids = NULL;
	struct psync_conv *conv;

	psync_input_heard(pnet, pkt);
	conv = psync_conv_find_get(pnet, pkt->cid);
	/* What the kernel says for participants is about something. */
	if (!conv && pkt->type == PSYNC_PKT_MSG &&
	    pkt->msg.kind == PSYNC_KIND_DATA)
		reason = psync_input_open(pnet, peer, pkt, &conv);
	else if (!conv)
		reason = PSYNC_DROP_NO_CONV;
	/* Judged before the lock is taken, since a refusal is sent at once. */
	if (!reason && pkt->type == PSYNC_PKT_MSG && pkt->msg.participants &&
	    !READ_ONCE(conv->img.p.pids)) {
		reason = psync_input_list(pnet, peer, pkt, &pids);
		if (reason)
			psync_conv_put(conv);
	}
	if (!reason) {
		if (pkt->type == PSYNC_PKT_MSG) {
			/* From here on the skb is the body. */
			skb_pull(skb, pkt->hdr_len);
			skb_orphan(skb);
		}
		psync_conv_lock(conv);
		reason = psync_input_feed(conv, skb, pkt, pids);
		psync_conv_unlock(conv);
		psync_conv_put(conv);
		kfree(pids);
	}
	psync_input_absence(pnet, peer, pkt, reason);
	if (reason)
		psync_drop(pnet, skb, reason);
	else
		consume_skb(skb);
}

void psync_input_pkt(struct psync_net *pnet, struct psync_peer *peer,
		     struct sk_buff *skb, const struct psync_pkt *pkt)
{
	switch (pkt->type) {
	case PSYNC_PKT_MSG:
	case PSYNC_PKT_HELLO_ACK:
	case PSYNC_PKT_REFUSE:
	case PSYNC_PKT_ACK:
	case PSYNC_PKT_RR:
	case PSYNC_PKT_GONE:
	case PSYNC_PKT_RS:
	case PSYNC_PKT_RS_ACK:
		psync_input_conv(pnet, peer, skb, pkt);
		break;
	case PSYNC_PKT_HELLO:
		psync_input_hello(pnet, pkt);
		consume_skb(skb);
		break;
	case PSYNC_PKT_DGRAM:
		skb_pull(skb, pkt->hdr_len);
		psync_dgram_input(pnet, skb, pkt);
		break;
	case PSYNC_PKT_FRAG:
	case PSYNC_PKT_FRAG_ACK:
		psync_frag_input(peer, skb, pkt);
		break;
	}
}
