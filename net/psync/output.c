// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets out: one skb per destination, its head written here, a body of more
 * than PSYNC_COPY_MAX bytes shared and never copied nor written to.
 */

#include "psync.h"
#include "trace.h"

/* What an outgoing skb's cb says between building and sending. */
struct psync_output_cb {
	u32	site;
};

static struct psync_output_cb *psync_output_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct psync_output_cb) > sizeof_field(struct sk_buff, cb));
	return (struct psync_output_cb *)skb->cb;
}

struct sk_buff *psync_output_build(struct psync_net *pnet, u32 site,
				   struct psync_pkt *pkt, struct sk_buff *body)
{
	struct sk_buff *skb;
	u32 size;

	pkt->src_site = READ_ONCE(pnet->site);
	pkt->src_inc = READ_ONCE(pnet->inc);
	/* Who only answers holds no site: it may have gone meanwhile. */
	if (!pkt->src_site) {
		psync_drop(pnet, NULL, PSYNC_DROP_NO_SITE);
		return NULL;
	}
	pkt->dst_site = site;
	pkt->body_len = body ? body->len : 0;
	size = psync_wire_hdr_size(pkt);
	if (body)
		skb = __pskb_copy_fclone(body, PSYNC_LINK_HEADROOM + size,
					 GFP_ATOMIC, false);
	else
		skb = alloc_skb(PSYNC_LINK_HEADROOM + size, GFP_ATOMIC);
	if (!skb) {
		psync_drop(pnet, NULL, PSYNC_DROP_TX_NO_MEM);
		return NULL;
	}
	if (body) {
		/* How and when it came is no business of where it goes. */
		skb_clear_tstamp(skb);
		skb->mark = 0;
	} else {
		skb_reserve(skb, PSYNC_LINK_HEADROOM + size);
	}
	psync_wire_encode(pkt, skb_push(skb, size));
	memset(skb->cb, 0, sizeof(skb->cb));
	psync_output_cb(skb)->site = site;
	return skb;
}

void psync_output_xmit(struct psync_peer *peer, struct sk_buff *skb)
{
	PSYNC_INC(peer->pnet, TX_PACKETS);
	trace_psync_tx(peer->pnet, peer->site, skb);
	atomic64_inc(&peer->link->tx_packets);
	peer->link->ops->xmit(peer->link, skb, &peer->addr);
}

/*
 * Is it longer than the link carries?  Datagrams are not cut: nobody would
 * repair them.
 */
static bool psync_output_cuts(struct psync_peer *peer,
			      const struct sk_buff *skb)
{
	const struct psync_wire_hdr *hdr = (const void *)skb->data;
	unsigned int mtu;

	if (skb->len <= PSYNC_WIRE_FRAG + PSYNC_FRAG_LEAST ||
	    hdr->type == PSYNC_PKT_DGRAM)
		return false;
	mtu = peer->link->ops->mtu(peer->link, &peer->addr);
	return mtu && skb->len > mtu;
}

void psync_output_send(struct psync_net *pnet, struct sk_buff *skb)
{
	struct psync_peer *peer;

	rcu_read_lock();
	peer = psync_peer_find_rcu(pnet, psync_output_cb(skb)->site);
	if (!peer)
		psync_drop(pnet, skb, PSYNC_DROP_TX_NO_PEER);
	else if (psync_output_cuts(peer, skb))
		psync_frag_send(peer, skb);
	else
		psync_output_xmit(peer, skb);
	rcu_read_unlock();
}

unsigned int psync_output_mtu(struct psync_net *pnet, u32 site)
{
	struct psync_peer *peer;
	unsigned int mtu = 0;

	rcu_read_lock();
	peer = psync_peer_find_rcu(pnet, site);
	if (peer)
		mtu = peer->link->ops->mtu(peer->link, &peer->addr);
	rcu_read_unlock();
	return mtu;
}
