// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fragments: packets that do not fit the link to a peer, out and in.
 *
 * What is sent when, and what is put together, decides the core (core/frag.c);
 * this file makes packets of parts of a packet, and a packet of parts, without
 * copying either; it has the timer and the limits.  A packet that goes out is
 * an skb whose pages its fragments share; one that comes in is an empty skb
 * with the fragments on its frag_list, each of which has one of its own where IP
 * had to put it together.
 *
 * Belongs to a peer (psync_peer.frags and the fields after it) and ends with
 * it: psync_frag_kill() sets frag_dead under the lock, after which nobody puts
 * anything into the queues, takes in or arms the timer, empties these, and waits
 * for the timer.  Nothing is sent and nothing handed up while psync_peer.frag_lock
 * is held: that gathers in two queues and goes when the lock is given back, by one
 * at a time (frag_busy), who is under RCU and so done before the peer is freed.
 */

#include "psync.h"
#include "trace.h"

/* The limits are passed so many times for the only packet to a peer. */
#define PSYNC_FRAG_ONLY		4
/* So often one sends what others have gathered meanwhile. */
#define PSYNC_FRAG_ROUNDS	16

/* Linear bytes of what is put together; its header is pulled there. */
#define PSYNC_FRAG_HEAD		128

/**
 * struct psync_frag_cb - in the cb of what goes out or comes in
 * @skb: out: the piece of the packet that was looked at last; in: the last one
 * @offset: out: where in the packet @skb begins
 * @inc: in: incarnation that the fragments are of
 */
struct psync_frag_cb {
	struct sk_buff	*skb;
	u32		offset;
	u64		inc;
};

static struct psync_frag_cb *psync_frag_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct psync_frag_cb) >
		     sizeof_field(struct sk_buff, cb));
	return (struct psync_frag_cb *)skb->cb;
}

static struct psync_peer *psync_frag_peer(struct psync_frags *f)
{
	return container_of(f, struct psync_peer, frags);
}

static void *psync_frag_op_alloc(struct psync_frags *f, size_t size)
{
	return kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);
}

static void psync_frag_op_free(struct psync_frags *f, void *mem, size_t size)
{
	kfree(mem);
}

static void psync_frag_op_give(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets)
{
	struct psync_net *pnet = psync_frag_peer(f)->pnet;

	atomic_long_sub(bytes, &pnet->frag_bytes[in]);
	atomic_sub(packets, &pnet->frag_packets[in]);
}

/*
 * The only one of all peers' may always go on: what has begun must be able to end.
 * So may the only one of its own peer, far beyond the limits, so that those who are
 * dead do not keep out others; but not however many peers there are.
 */
static bool psync_frag_op_take(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets, bool only)
{
	struct psync_net *pnet = psync_frag_peer(f)->pnet;
	u64 sum = atomic_long_add_return(bytes, &pnet->frag_bytes[in]);
	u32 n = atomic_add_return(packets, &pnet->frag_packets[in]);
	u32 times = only ? PSYNC_FRAG_ONLY : 1;

	if (n <= 1 ||
	    (sum <= (u64)READ_ONCE(pnet->sysctl.frag_bytes) * times &&
	     n <= READ_ONCE(pnet->sysctl.frag_max) * times))
		return true;
	psync_frag_op_give(f, in, bytes, packets);
	return false;
}

static u64 psync_frag_op_id(struct psync_frags *f)
{
	return atomic64_inc_return(&psync_frag_peer(f)->pnet->frag_id);
}

/* Bytes of a packet itself, without those of its further pieces. */
static u32 psync_frag_own(const struct sk_buff *packet)
{
	u32 len = skb_headlen(packet), i;

	for (i = 0; i < skb_shinfo(packet)->nr_frags; i++)
		len += skb_frag_size(&skb_shinfo(packet)->frags[i]);
	return len;
}

/* The piece of @packet that has the byte at @offset, and where it begins. */
static struct sk_buff *psync_frag_find(struct sk_buff *packet, u32 offset,
				       u32 *begin)
{
	struct psync_frag_cb *cb = psync_frag_cb(packet);
	u32 len = psync_frag_own(packet);
	struct sk_buff *piece;

	*begin = 0;
	if (offset < len)
		return packet;
	if (!cb->skb || offset < cb->offset) {
		cb->skb = skb_shinfo(packet)->frag_list;
		cb->offset = len;
	}
	for (piece = cb->skb; offset - cb->offset >= piece->len;
	     piece = piece->next)
		cb->offset += piece->len;
	cb->skb = piece;
	*begin = cb->offset;
	return piece;
}

/*
 * Shares the pages of @from, from its byte @offset on, at most @len bytes.
 * Linear bytes are copied, if they come first of all.  Returns how many bytes,
 * 0: it cannot be done so.
 */
static u32 psync_frag_share(struct sk_buff *skb, const struct sk_buff *from,
			    u32 offset, u32 len)
{
	const struct skb_shared_info *shinfo = skb_shinfo(from);
	u32 begin = skb_headlen(from), done = 0, part, i, n;
	const skb_frag_t *frag;

	if (offset < begin) {
		done = min(begin - offset, len);
		if (skb->data_len || skb_tailroom(skb) < done)
			return 0;
		skb_put_data(skb, from->data + offset, done);
	}
	for (i = 0; i < shinfo->nr_frags && done < len; i++) {
		frag = &shinfo->frags[i];
		part = skb_frag_size(frag);
		if (offset + done < begin + part) {
			n = skb_shinfo(skb)->nr_frags;
			if (n == MAX_SKB_FRAGS || !skb_frag_page(frag))
				return 0;
			part = min(begin + part - offset - done, len - done);
			skb_fill_page_desc(skb, n, skb_frag_page(frag),
					   skb_frag_off(frag) + offset + done -
					   begin, part);
			get_page(skb_frag_page(frag));
			skb->len += part;
			skb->data_len += part;
			skb->truesize += part;
			done += part;
		}
		begin += skb_frag_size(frag);
	}
	return done;
}

/*
 * Piece by piece: skb_copy_bits() would go through all that are before @offset, for
 * each fragment anew.
 */
static bool psync_frag_bits(struct sk_buff *packet, u32 offset, u8 *to, u32 len)
{
	struct sk_buff *piece;
	u32 begin, part;

	for (; len; offset += part, to += part, len -= part) {
		piece = psync_frag_find(packet, offset, &begin);
		part = piece == packet ? psync_frag_own(packet) : piece->len;
		part = min(begin + part - offset, len);
		if (skb_copy_bits(piece, offset - begin, to, part))
			return false;
	}
	return true;
}

/* Fragments are small, or the device's packets are large and it has memory. */
static struct sk_buff *psync_frag_copy(struct sk_buff *packet, u32 offset,
				       u32 len)
{
	struct sk_buff *skb;
	u32 i, part, done;
	int err;

	skb = alloc_skb_with_frags(PSYNC_LINK_HEADROOM + PSYNC_WIRE_FRAG, len,
				   PAGE_ALLOC_COSTLY_ORDER, &err, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, PSYNC_LINK_HEADROOM + PSYNC_WIRE_FRAG);
	for (i = 0, done = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		part = skb_frag_size(&skb_shinfo(skb)->frags[i]);
		if (!psync_frag_bits(packet, offset + done,
				     skb_frag_address(&skb_shinfo(skb)->frags[i]),
				     part))
			break;
		done += part;
	}
	skb->len += len;
	skb->data_len = len;
	if (done == len)
		return skb;
	kfree_skb(skb);
	return NULL;
}

/* Room for a link's headers, @size bytes of ours, and @len to follow. */
static struct sk_buff *psync_frag_head(u32 size, u32 len)
{
	struct sk_buff *skb;

	skb = alloc_skb(PSYNC_LINK_HEADROOM + size + len, GFP_ATOMIC);
	if (skb)
		skb_reserve(skb, PSYNC_LINK_HEADROOM + size);
	return skb;
}

/* @len bytes of @packet behind room for headers; its pages are shared. */
static struct sk_buff *psync_frag_part(struct sk_buff *packet, u32 offset,
				       u32 len)
{
	u32 head = offset < skb_headlen(packet) ?
		   min(skb_headlen(packet) - offset, len) : 0;
	struct sk_buff *skb, *piece;
	u32 begin, part;

	skb = psync_frag_head(PSYNC_WIRE_FRAG, head);
	if (!skb)
		return NULL;
	while (skb->len < len) {
		piece = psync_frag_find(packet, offset + skb->len, &begin);
		part = psync_frag_share(skb, piece, offset + skb->len - begin,
					len - skb->len);
		if (part)
			continue;
		kfree_skb(skb);
		return psync_frag_copy(packet, offset, len);
	}
	return skb;
}

static void psync_frag_op_transmit(struct psync_frags *f,
				   struct psync_pkt *pkt, void *packet,
				   u32 offset)
{
	struct psync_peer *peer = psync_frag_peer(f);
	struct psync_net *pnet = peer->pnet;
	struct sk_buff *skb;

	pkt->src_site = READ_ONCE(pnet->site);
	pkt->src_inc = READ_ONCE(pnet->inc);
	pkt->dst_site = peer->site;
	if (!pkt->src_site) {
		psync_drop(pnet, NULL, PSYNC_DROP_NO_SITE);
		return;
	}
	if (packet)
		skb = psync_frag_part(packet, offset, pkt->body_len);
	else
		skb = psync_frag_head(psync_wire_hdr_size(pkt), 0);
	if (!skb) {
		psync_drop(pnet, NULL, PSYNC_DROP_TX_NO_MEM);
		return;
	}
	if (pkt->type == PSYNC_PKT_FRAG_ACK)
		PSYNC_INC(pnet, FRAG_ACK_SENT);
	psync_wire_encode(pkt, skb_push(skb, psync_wire_hdr_size(pkt)));
	__skb_queue_tail(&peer->frag_txq, skb);
}

static void psync_frag_op_put(struct psync_frags *f, void *skb)
{
	consume_skb(skb);
}

static void *psync_frag_op_begin(struct psync_frags *f)
{
	struct sk_buff *skb = alloc_skb(PSYNC_FRAG_HEAD, GFP_ATOMIC);

	if (skb)
		psync_frag_cb(skb)->inc = f->inc;
	return skb;
}

static void psync_frag_op_append(struct psync_frags *f, void *whole,
				 void *piece)
{
	struct psync_frag_cb *cb = psync_frag_cb(whole);
	struct sk_buff *head = whole, *skb = piece;

	if (skb_shinfo(head)->frag_list)
		cb->skb->next = skb;
	else
		skb_shinfo(head)->frag_list = skb;
	cb->skb = skb;
	skb->next = NULL;
	head->len += skb->len;
	head->data_len += skb->len;
	head->truesize += skb->truesize;
}

static void psync_frag_op_whole(struct psync_frags *f, void *whole, u32 total)
{
	struct psync_peer *peer = psync_frag_peer(f);

	PSYNC_INC(peer->pnet, FRAG_WHOLE);
	__skb_queue_tail(&peer->frag_rxq, whole);
}

static void psync_frag_op_arm(struct psync_frags *f, u64 deadline)
{
	hrtimer_start(&psync_frag_peer(f)->frag_timer, ns_to_ktime(deadline),
		      HRTIMER_MODE_ABS_SOFT);
}

static void psync_frag_op_dropped(struct psync_frags *f,
				  enum psync_drop reason)
{
	psync_drop(psync_frag_peer(f)->pnet, NULL, reason);
}

static void psync_frag_op_sent(struct psync_frags *f, bool again)
{
	struct psync_net *pnet = psync_frag_peer(f)->pnet;

	PSYNC_INC(pnet, FRAG_SENT);
	if (again)
		PSYNC_INC(pnet, FRAG_REPEATED);
}

static void psync_frag_op_cut(struct psync_frags *f, enum psync_cut why)
{
	psync_count_cuts(psync_frag_peer(f)->pnet, why, 1);
}

static const struct psync_frag_ops psync_frag_ops = {
	.alloc		= psync_frag_op_alloc,
	.free		= psync_frag_op_free,
	.take		= psync_frag_op_take,
	.give		= psync_frag_op_give,
	.id		= psync_frag_op_id,
	.transmit	= psync_frag_op_transmit,
	.packet_put	= psync_frag_op_put,
	.begin		= psync_frag_op_begin,
	.append		= psync_frag_op_append,
	.piece_put	= psync_frag_op_put,
	.whole_put	= psync_frag_op_put,
	.whole		= psync_frag_op_whole,
	.arm		= psync_frag_op_arm,
	.dropped	= psync_frag_op_dropped,
	.sent		= psync_frag_op_sent,
	.cut		= psync_frag_op_cut,
};

/* Under RCU.  What the namespace says now goes for what is under way, too. */
static void psync_frag_lock(struct psync_peer *peer)
	__acquires(&peer->frag_lock)
{
	unsigned int mtu = peer->link->ops->mtu(peer->link, &peer->addr);
	const struct psync_sysctl *ctl = &peer->pnet->sysctl;
	struct psync_frags *f = &peer->frags;

	spin_lock_bh(&peer->frag_lock);
	f->size = psync_frags_size(mtu);
	f->limits.rto_ns = (u64)READ_ONCE(ctl->rto_ms) * NSEC_PER_MSEC;
	f->limits.rto_min_ns = (u64)READ_ONCE(ctl->rto_min_us) * NSEC_PER_USEC;
	f->limits.rto_max_ns = (u64)READ_ONCE(ctl->rto_max_ms) * NSEC_PER_MSEC;
	f->limits.keep_ns = (u64)READ_ONCE(ctl->frag_ms) * NSEC_PER_MSEC;
	f->limits.bytes = READ_ONCE(ctl->frag_bytes) / 2;
}

/*
 * What gathered leaves, or is handed up, without the lock, but with softirqs off:
 * nobody else does it as long as this takes.
 */
static void psync_frag_flush(struct psync_peer *peer)
	__must_hold(&peer->frag_lock)
{
	struct sk_buff_head txq, rxq;
	struct sk_buff *skb;

	__skb_queue_head_init(&txq);
	__skb_queue_head_init(&rxq);
	skb_queue_splice_tail_init(&peer->frag_txq, &txq);
	skb_queue_splice_tail_init(&peer->frag_rxq, &rxq);
	spin_unlock(&peer->frag_lock);
	while ((skb = __skb_dequeue(&txq)))
		psync_output_xmit(peer, skb);
	while ((skb = __skb_dequeue(&rxq)))
		psync_input_whole(peer, skb, psync_frag_cb(skb)->inc);
	spin_lock(&peer->frag_lock);
}

static bool psync_frag_gathered(const struct psync_peer *peer)
{
	return !skb_queue_empty(&peer->frag_txq) ||
	       !skb_queue_empty(&peer->frag_rxq);
}

/*
 * Under RCU.  Sends and hands up what gathered, and gives the lock back.  One does
 * it at a time: an answer that comes meanwhile would let others overtake what is
 * on its way here, and what is overtaken is taken for lost.  Nobody does it for
 * others for ever: what is left then is the timer's.
 */
static void psync_frag_unlock(struct psync_peer *peer)
	__releases(&peer->frag_lock)
{
	unsigned int left = PSYNC_FRAG_ROUNDS;

	if (peer->frag_busy) {
		spin_unlock_bh(&peer->frag_lock);
		return;
	}
	peer->frag_busy = true;
	while (psync_frag_gathered(peer) && left--)
		psync_frag_flush(peer);
	peer->frag_busy = false;
	if (psync_frag_gathered(peer) && !peer->frag_dead)
		hrtimer_start(&peer->frag_timer, 0, HRTIMER_MODE_ABS_SOFT);
	spin_unlock_bh(&peer->frag_lock);
}

static enum hrtimer_restart psync_frag_expire(struct hrtimer *timer)
{
	struct psync_peer *peer;

	peer = container_of(timer, struct psync_peer, frag_timer);
	rcu_read_lock();
	psync_frag_lock(peer);
	if (!peer->frag_dead)
		psync_frags_timer(&peer->frags, ktime_get_ns());
	psync_frag_unlock(peer);
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/* Which message it is, so that it is not sent twice at a time. */
static void psync_frag_name(const struct sk_buff *skb,
			    struct psync_frag_packet *p)
{
	const struct psync_wire_hdr *hdr = (const void *)skb->data;
	const struct psync_wire_conv *conv = (const void *)(hdr + 1);
	const struct psync_wire_msg *msg = (const void *)(conv + 1);

	p->dst_inc = be64_to_cpu(hdr->dst_inc);
	if (hdr->type != PSYNC_PKT_MSG)
		return;
	p->cid = be64_to_cpu(conv->cid);
	p->seq = be32_to_cpu(msg->seq);
	p->sender = be16_to_cpu(msg->sender);
}

/**
 * psync_frag_send - a packet that is too long for the link
 * @peer: where to, under RCU
 * @skb: consumed; a packet of a conversation, its header is linear
 *
 * Context: any, without locks.
 */
void psync_frag_send(struct psync_peer *peer, struct sk_buff *skb)
{
	struct psync_frag_packet p = {
		.packet	= skb,
		.total	= skb->len,
		.cost	= skb->truesize,
	};
	enum psync_drop reason = PSYNC_DROP_TX_NO_PEER;

	psync_frag_name(skb, &p);
	/* The message itself is its socket's; this must not hold that. */
	skb_orphan(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	psync_frag_lock(peer);
	if (!peer->frag_dead)
		reason = psync_frags_send(&peer->frags, &p, ktime_get_ns());
	psync_frag_unlock(peer);
	if (!reason)
		PSYNC_INC(peer->pnet, FRAG_CUT);
	else if (reason == PSYNC_DROP_DUPLICATE)
		consume_skb(skb); /* it is on its way */
	else
		psync_drop(peer->pnet, skb, reason);
}

/**
 * psync_frag_input - a FRAG or FRAG_ACK of the peer's present incarnation
 * @peer: sender, under RCU
 * @skb: consumed; data at the psync header
 * @pkt: decoded from @skb
 *
 * Context: softirq.
 */
void psync_frag_input(struct psync_peer *peer, struct sk_buff *skb,
		      const struct psync_pkt *pkt)
{
	bool piece = pkt->type == PSYNC_PKT_FRAG;
	enum psync_drop reason = PSYNC_DROP_UNKNOWN_PEER;
	u64 now = ktime_get_ns();

	psync_frag_lock(peer);
	if (!peer->frag_dead && piece) {
		PSYNC_INC(peer->pnet, FRAG_HEARD);
		/* From here on the skb is the piece. */
		skb_pull(skb, pkt->hdr_len);
		reason = psync_frags_input(&peer->frags, pkt, skb,
					   skb->truesize, now);
	} else if (!peer->frag_dead) {
		PSYNC_INC(peer->pnet, FRAG_ACK_HEARD);
		reason = psync_frags_answer(&peer->frags, pkt, now);
	}
	psync_frag_unlock(peer);
	if (reason)
		psync_drop(peer->pnet, skb, reason);
	else if (!piece)
		consume_skb(skb);
}

/**
 * psync_frag_init - nothing is under way with a new peer
 * @peer: not yet found by anybody
 */
void psync_frag_init(struct psync_peer *peer)
{
	spin_lock_init(&peer->frag_lock);
	psync_frags_init(&peer->frags, &psync_frag_ops);
	__skb_queue_head_init(&peer->frag_txq);
	__skb_queue_head_init(&peer->frag_rxq);
	hrtimer_setup(&peer->frag_timer, psync_frag_expire, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}

/**
 * psync_frag_kill - nothing is under way any more, and nothing will be
 * @peer: not found any more
 *
 * Context: process.
 */
void psync_frag_kill(struct psync_peer *peer)
{
	struct sk_buff *skb;

	spin_lock_bh(&peer->frag_lock);
	peer->frag_dead = true;
	psync_frags_flush(&peer->frags, PSYNC_DROP_TX_NO_PEER,
			  PSYNC_DROP_FRAG_EXPIRED);
	/* What one who gave up left for the timer. */
	while ((skb = __skb_dequeue(&peer->frag_txq)))
		psync_drop(peer->pnet, skb, PSYNC_DROP_TX_NO_PEER);
	while ((skb = __skb_dequeue(&peer->frag_rxq)))
		psync_drop(peer->pnet, skb, PSYNC_DROP_UNKNOWN_PEER);
	spin_unlock_bh(&peer->frag_lock);
	hrtimer_cancel(&peer->frag_timer);
}
