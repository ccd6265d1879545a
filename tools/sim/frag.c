// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in fragments: what a simulated site lends the core for them, and the
 * limits that it has.
 */
#include <stdlib.h>
#include <string.h>

#include "frag.h"
#include "place.h"
#include "site.h"
#include "work.h"

/* Memory of one site for them, in bytes and packets. */
#define PSYNC_FRAG_BYTES	(1 << 30)
#define PSYNC_FRAG_PACKETS	(1 << 16)

/**
 * struct psync_frag_bytes - a packet, a piece or what was put together
 * @conv: conversation that waits for the packet, or NULL
 * @len: bytes
 * @data: they
 */
struct psync_frag_bytes {
	struct psync_conv *conv;
	u32 len;
	u8 *data;
};

static struct psync_site_peer *psync_frag_peer(struct psync_frags *f)
{
	return container_of(f, struct psync_site_peer, frags);
}

static struct psync_frag_bytes *psync_frag_bytes(struct psync_sim *sim,
						 const u8 *data, u32 len)
{
	struct psync_frag_bytes *bytes = psync_sim_alloc(1, sizeof(*bytes));

	bytes->data = psync_sim_alloc(1, len);
	bytes->len = len;
	if (len)
		memcpy(bytes->data, data, len);
	sim->bodies++;
	return bytes;
}

static void psync_frag_op_put(struct psync_frags *f, void *mem)
{
	struct psync_frag_bytes *bytes = mem;

	if (bytes->conv)
		bytes->conv->moving--;
	psync_frag_peer(f)->site->sim->bodies--;
	free(bytes->data);
	free(bytes);
}

static void *psync_frag_op_alloc(struct psync_frags *f, size_t size)
{
	struct psync_sim *sim = psync_frag_peer(f)->site->sim;

	if (psync_fault_memory(sim))
		return NULL;
	sim->blocks++;
	sim->bytes += size;
	return psync_sim_alloc(1, size);
}

static void psync_frag_op_free(struct psync_frags *f, void *mem, size_t size)
{
	struct psync_sim *sim = psync_frag_peer(f)->site->sim;

	sim->blocks--;
	sim->bytes -= size;
	free(mem);
}

static bool psync_frag_op_take(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets, bool only)
{
	struct psync_site *site = psync_frag_peer(f)->site;
	bool limit = psync_fault_has(&site->sim->fault, PSYNC_FAULT_LIMIT);
	u64 most = limit ? 1 : PSYNC_FRAG_BYTES;
	u32 n = limit ? 1 : PSYNC_FRAG_PACKETS;

	if (!only && site->frag_packets[in] + packets > 1 &&
	    (site->frag_bytes[in] + bytes > most ||
	     site->frag_packets[in] + packets > n))
		return false;
	site->frag_bytes[in] += bytes;
	site->frag_packets[in] += packets;
	return true;
}

static void psync_frag_op_give(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets)
{
	struct psync_site *site = psync_frag_peer(f)->site;

	if (site->frag_bytes[in] < bytes || site->frag_packets[in] < packets)
		psync_sim_fail(site->sim, "leak", "fragments given back twice");
	site->frag_bytes[in] -= bytes;
	site->frag_packets[in] -= packets;
}

static u64 psync_frag_op_id(struct psync_frags *f)
{
	return ++psync_frag_peer(f)->site->frag_id;
}

static void psync_frag_op_transmit(struct psync_frags *f,
				   struct psync_pkt *pkt, void *packet,
				   u32 offset)
{
	struct psync_frag_bytes *bytes = packet;

	psync_site_fragment(psync_frag_peer(f), pkt,
			    bytes ? bytes->data + offset : NULL);
}

static void *psync_frag_op_begin(struct psync_frags *f)
{
	struct psync_sim *sim = psync_frag_peer(f)->site->sim;

	if (psync_fault_memory(sim))
		return NULL;
	return psync_frag_bytes(sim, NULL, 0);
}

static void psync_frag_op_append(struct psync_frags *f, void *whole,
				 void *piece)
{
	struct psync_frag_bytes *to = whole, *from = piece;

	to->data = realloc(to->data, to->len + from->len);
	if (!to->data)
		abort();
	memcpy(to->data + to->len, from->data, from->len);
	to->len += from->len;
	psync_frag_op_put(f, from);
}

/* It is looked at when the core has returned. */
static void psync_frag_op_whole(struct psync_frags *f, void *whole, u32 total)
{
	struct psync_site_peer *peer = psync_frag_peer(f);

	if (peer->whole)
		psync_sim_fail(peer->site->sim, "leak", "two packets at once");
	peer->whole = whole;
	peer->site->sim->stats->wholes++;
}

static void psync_frag_timer(void *ctx, uint64_t deadline);

static void psync_frag_op_arm(struct psync_frags *f, u64 deadline)
{
	struct psync_site_peer *peer = psync_frag_peer(f);
	struct psync_sim *sim = peer->site->sim;

	if (deadline < sim->now)
		deadline = sim->now;
	peer->timer = deadline;
	psync_heap_push(&sim->heap, deadline, psync_frag_timer, peer, deadline);
}

static void psync_frag_op_dropped(struct psync_frags *f,
				  enum psync_drop reason)
{
	psync_site_drop(psync_frag_peer(f)->site, reason);
}

static void psync_frag_op_sent(struct psync_frags *f, bool again)
{
	struct psync_stats *stats = psync_frag_peer(f)->site->sim->stats;

	stats->fragments++;
	stats->again += again;
}

static void psync_frag_op_cut(struct psync_frags *f, enum psync_cut why)
{
	psync_frag_peer(f)->site->sim->stats->cuts++;
}

static const struct psync_frag_ops psync_frag_ops = {
	.alloc = psync_frag_op_alloc,
	.free = psync_frag_op_free,
	.take = psync_frag_op_take,
	.give = psync_frag_op_give,
	.id = psync_frag_op_id,
	.transmit = psync_frag_op_transmit,
	.packet_put = psync_frag_op_put,
	.begin = psync_frag_op_begin,
	.append = psync_frag_op_append,
	.piece_put = psync_frag_op_put,
	.whole_put = psync_frag_op_put,
	.whole = psync_frag_op_whole,
	.arm = psync_frag_op_arm,
	.dropped = psync_frag_op_dropped,
	.sent = psync_frag_op_sent,
	.cut = psync_frag_op_cut,
};

static void psync_frag_prepare(struct psync_site_peer *peer)
{
	const struct psync_site *site = peer->site;

	peer->frags.size = psync_frags_size(psync_net_mtu(&site->sim->net,
							  site->index,
							  peer->index));
}

static void psync_frag_timer(void *ctx, uint64_t deadline)
{
	struct psync_site_peer *peer = ctx;

	if (peer->timer != deadline ||
	    psync_site_defer(peer->site, psync_frag_timer, ctx, deadline))
		return;
	peer->timer = U64_MAX;
	psync_frag_prepare(peer);
	psync_frags_timer(&peer->frags, peer->site->sim->now);
}

void psync_frag_open(struct psync_site_peer *peer)
{
	bool limit = psync_fault_has(&peer->site->sim->fault,
				     PSYNC_FAULT_LIMIT);

	peer->timer = U64_MAX;
	psync_frags_init(&peer->frags, &psync_frag_ops);
	peer->frags.limits = (struct psync_frag_limits){
		.rto_ns = 100 * PSYNC_MSEC,
		.rto_min_ns = PSYNC_MSEC,
		.rto_max_ns = PSYNC_SEC,
		.keep_ns = 10 * PSYNC_SEC,
		.bytes = limit ? 1 : PSYNC_FRAG_BYTES,
	};
}

void psync_frag_clear(struct psync_site_peer *peer)
{
	if (!peer->frags.ops)
		return;
	psync_frags_flush(&peer->frags, PSYNC_DROP_TX_GIVEN_UP,
			  PSYNC_DROP_FRAG_EXPIRED);
	peer->timer = U64_MAX;
}

void psync_frag_send(struct psync_site_peer *peer, const struct psync_pkt *pkt,
		     const u8 *data, u32 len, struct psync_conv *conv)
{
	struct psync_sim *sim = peer->site->sim;
	struct psync_frag_bytes *bytes = psync_frag_bytes(sim, data, len);
	struct psync_frag_packet p = {
		.packet = bytes, .total = len, .cost = len,
		.dst_inc = pkt->dst_inc,
	};
	enum psync_drop reason;

	if (pkt->type == PSYNC_PKT_MSG) {
		p.cid = pkt->cid;
		p.seq = pkt->msg.seq;
		p.sender = pkt->msg.sender;
	}
	bytes->conv = conv;
	if (conv)
		conv->moving++;
	psync_frag_prepare(peer);
	reason = psync_frags_send(&peer->frags, &p, sim->now);
	if (!reason)
		return;
	psync_frag_op_put(&peer->frags, bytes);
	/* Else it is under way already. */
	if (reason != PSYNC_DROP_DUPLICATE)
		psync_site_drop(peer->site, reason);
}

static enum psync_drop psync_frag_piece(struct psync_site_peer *peer,
					const struct psync_pkt *pkt,
					const u8 *data)
{
	struct psync_sim *sim = peer->site->sim;
	struct psync_frag_bytes *bytes;
	enum psync_drop reason;

	bytes = psync_frag_bytes(sim, data + pkt->hdr_len, pkt->body_len);
	reason = psync_frags_input(&peer->frags, pkt, bytes, bytes->len,
				   sim->now);
	if (reason)
		psync_frag_op_put(&peer->frags, bytes);
	bytes = peer->whole;
	peer->whole = NULL;
	if (!bytes)
		return reason;
	psync_site_whole(peer, bytes->data, bytes->len, pkt->src_inc);
	psync_frag_op_put(&peer->frags, bytes);
	return reason;
}

/* Who knows of marks sends less. */
static void psync_frag_heed(const struct psync_site_peer *peer)
{
	const struct psync_frag_out *out;

	list_for_each_entry(out, &peer->frags.out, link)
		if (out->marks && !out->halved)
			psync_sim_fail(peer->site->sim, "mark-heeded",
				       "site %u knows of %u marked fragments",
				       peer->site->index, out->marks);
}

enum psync_drop psync_frag_receive(struct psync_site_peer *peer,
				   const struct psync_pkt *pkt, const u8 *data)
{
	enum psync_drop reason;

	psync_frag_prepare(peer);
	if (pkt->type == PSYNC_PKT_FRAG)
		return psync_frag_piece(peer, pkt, data);
	reason = psync_frags_answer(&peer->frags, pkt, peer->site->sim->now);
	psync_frag_heed(peer);
	return reason;
}
