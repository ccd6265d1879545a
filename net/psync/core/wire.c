// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire format: the only place where bytes become packets and back.
 *
 * Decoding is top-down and total: nothing is read before its length was
 * checked, nothing is accepted that an encoder of this version would not
 * write, so every packet has exactly one form.  Structures are packed, so
 * they may lie at any address.
 */
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/checksum.h>
#include "wire.h"

static_assert(sizeof(struct psync_wire_hdr) == 40);
static_assert(sizeof(struct psync_wire_conv) == 32);
static_assert(sizeof(struct psync_wire_msg) == 32);
static_assert(sizeof(struct psync_wire_pid) == 8);
static_assert(sizeof(struct psync_wire_mid) == 8);
static_assert(sizeof(struct psync_wire_hello) == 24);
static_assert(sizeof(struct psync_wire_refuse) == 16);
static_assert(sizeof(struct psync_wire_dgram) == 32);
static_assert(sizeof(struct psync_wire_vector) == 36);
static_assert(sizeof(struct psync_wire_origin) == 16);
static_assert(sizeof(struct psync_wire_gap) == 4);
static_assert(sizeof(struct psync_wire_frag) == 40);
static_assert(sizeof(struct psync_wire_frag_ack) == 56);
static_assert(sizeof_field(struct psync_wire_frag_ack, bitmap) * 8 ==
	      PSYNC_FRAG_WINDOW);
static_assert(sizeof(struct psync_wire_hdr) + sizeof(struct psync_wire_frag) ==
	      PSYNC_WIRE_FRAG);
static_assert(sizeof(struct psync_wire_mask) == 12);
static_assert(sizeof(struct psync_wire_end) == 4);
static_assert(offsetof(struct psync_wire_hdr, csum) == 6);
static_assert(offsetof(struct psync_wire_hdr, src_inc) == 16);
static_assert(offsetof(struct psync_wire_conv, opening) == 24);
static_assert(offsetof(struct psync_wire_msg, n) == 20);
static_assert(offsetof(struct psync_wire_msg, body_len) == 28);

#define PSYNC_FNV_BASIS	0xcbf29ce484222325ULL
#define PSYNC_FNV_PRIME	0x100000001b3ULL

/* Bytes of the predecessor bitmap of @n participants. */
static u32 psync_wire_bitmap_size(u32 n)
{
	return (n + 31) / 32 * 4;
}

/* Bytes of header, conversation and the type's structure; 0: unknown type. */
static u32 psync_wire_fixed(u8 type)
{
	u32 hdr = sizeof(struct psync_wire_hdr);
	u32 conv = sizeof(struct psync_wire_conv);

	switch (type) {
	case PSYNC_PKT_MSG:
		return hdr + conv + sizeof(struct psync_wire_msg);
	case PSYNC_PKT_HELLO:
	case PSYNC_PKT_HELLO_ACK:
		return hdr + conv + sizeof(struct psync_wire_hello);
	case PSYNC_PKT_REFUSE:
		return hdr + conv + sizeof(struct psync_wire_refuse);
	case PSYNC_PKT_DGRAM:
		return hdr + sizeof(struct psync_wire_dgram);
	case PSYNC_PKT_ACK:
	case PSYNC_PKT_RR:
	case PSYNC_PKT_GONE:
	case PSYNC_PKT_RS:
	case PSYNC_PKT_RS_ACK:
		return hdr + conv + sizeof(struct psync_wire_vector);
	case PSYNC_PKT_FRAG:
		return hdr + sizeof(struct psync_wire_frag);
	case PSYNC_PKT_FRAG_ACK:
		return hdr + sizeof(struct psync_wire_frag_ack);
	default:
		return 0;
	}
}

/* Bytes of what a message of the kernel says itself, behind its context. */
static u32 psync_wire_content_size(u8 kind)
{
	switch (kind) {
	case PSYNC_KIND_MASK:
		return sizeof(struct psync_wire_mask);
	case PSYNC_KIND_GAP:
		return sizeof(struct psync_wire_gap);
	case PSYNC_KIND_END:
		return sizeof(struct psync_wire_end);
	default:
		return 0;
	}
}

/* Bytes of a message's header; the counts are within their limits. */
static u32 psync_wire_msg_size(u8 kind, u8 flags, u32 n, u32 npred)
{
	u32 size = psync_wire_fixed(PSYNC_PKT_MSG) +
		   psync_wire_content_size(kind);

	if (flags & PSYNC_MSGF_FOREIGN)
		size += sizeof(struct psync_wire_origin);
	if (flags & PSYNC_MSGF_START)
		size += n * sizeof(struct psync_wire_pid);
	if (flags & PSYNC_MSGF_STAMP)
		size += n * sizeof(__be32) + psync_wire_bitmap_size(n);
	else
		size += npred * sizeof(struct psync_wire_mid);
	if (flags & PSYNC_MSGF_HIGH)
		size += n * sizeof(__be16);
	return size;
}

u64 psync_wire_seq(const __be32 *lows, const __be16 *highs, u32 i)
{
	__be16 high = 0;
	__be32 low;

	memcpy(&low, (const u8 *)lows + i * sizeof(low), sizeof(low));
	if (highs)
		memcpy(&high, (const u8 *)highs + i * sizeof(high),
		       sizeof(high));
	return (u64)be16_to_cpu(high) << 32 | be32_to_cpu(low);
}

const __be16 *psync_wire_seq_set(__be32 *lows, __be16 *highs, u32 i, u64 seq)
{
	lows[i] = cpu_to_be32((u32)seq);
	highs[i] = cpu_to_be16(seq >> 32);
	return seq >> 32 ? highs : NULL;
}

u64 psync_wire_mid_seq(const struct psync_wire_mid *mid)
{
	return (u64)be16_to_cpu(mid->seq_high) << 32 | be32_to_cpu(mid->seq);
}

bool psync_wire_is_vector(u8 type)
{
	return type == PSYNC_PKT_ACK || type == PSYNC_PKT_RR ||
	       type == PSYNC_PKT_GONE || type == PSYNC_PKT_RS ||
	       type == PSYNC_PKT_RS_ACK;
}

bool psync_wire_is_markable(u8 type)
{
	return type == PSYNC_PKT_MSG || type == PSYNC_PKT_FRAG;
}

/* Bytes of a vector's numbers. */
static u32 psync_wire_vector_size(u8 flags, u32 n)
{
	return n * sizeof(__be32) +
	       (flags & PSYNC_VECTORF_HIGH ? n * sizeof(__be16) : 0);
}

/* Bytes of an ACK or the like whose fixed part is at hand. */
static u32 psync_wire_need_vector(const u8 *data, u32 fixed)
{
	const struct psync_wire_vector *vector;
	u32 n;

	vector = (const void *)(data + fixed - sizeof(*vector));
	n = be16_to_cpu(vector->n);
	if (n > PSYNC_PARTICIPANTS_LIM)
		return fixed;
	return fixed + psync_wire_vector_size(vector->flags, n);
}

u32 psync_wire_need(const u8 *data, u32 len)
{
	const struct psync_wire_hdr *hdr = (const void *)data;
	const struct psync_wire_msg *msg;
	u32 fixed, n, npred;

	if (len < sizeof(*hdr))
		return sizeof(*hdr);
	fixed = psync_wire_fixed(hdr->type);
	if (hdr->version != PSYNC_WIRE_VERSION || !fixed)
		return sizeof(*hdr);
	if (len >= fixed && psync_wire_is_vector(hdr->type))
		return psync_wire_need_vector(data, fixed);
	if (len < fixed || hdr->type != PSYNC_PKT_MSG)
		return fixed;
	msg = (const void *)(data + fixed - sizeof(*msg));
	n = be16_to_cpu(msg->n);
	npred = be16_to_cpu(msg->npred);
	if (n > PSYNC_PARTICIPANTS_LIM)
		return fixed;
	if (!(msg->flags & PSYNC_MSGF_STAMP) && npred > PSYNC_PREDS_LIST)
		return fixed;
	if (msg->flags & PSYNC_MSGF_START && msg->kind != PSYNC_KIND_DATA)
		return fixed;
	return psync_wire_msg_size(msg->kind, msg->flags, n, npred);
}

/*
 * Bytes of the packet.  What the field cannot say comes in fragments only,
 * whose header says it; 0: it contradicts @total.
 */
static u32 psync_wire_len(const struct psync_wire_hdr *hdr, u32 total)
{
	if (total > U16_MAX)
		return hdr->len ? 0 : total;
	return be16_to_cpu(hdr->len);
}

static enum psync_drop psync_wire_decode_hdr(const struct psync_wire_hdr *hdr,
					     u32 total, struct psync_pkt *pkt)
{
	u32 fixed, wire;

	if (hdr->version != PSYNC_WIRE_VERSION)
		return PSYNC_DROP_BAD_VERSION;
	fixed = psync_wire_fixed(hdr->type);
	if (!fixed)
		return PSYNC_DROP_BAD_TYPE;
	if (total < fixed)
		return PSYNC_DROP_TOO_SHORT;
	wire = psync_wire_len(hdr, total);
	if (wire < fixed || wire > total)
		return PSYNC_DROP_BAD_LENGTH;
	if (hdr->flags || hdr->seal || !hdr->src_site || !hdr->src_inc)
		return PSYNC_DROP_BAD_HEADER;
	pkt->type = hdr->type;
	pkt->src_site = be32_to_cpu(hdr->src_site);
	pkt->dst_site = be32_to_cpu(hdr->dst_site);
	pkt->src_inc = be64_to_cpu(hdr->src_inc);
	pkt->marked = false;
	pkt->dst_inc = be64_to_cpu(hdr->dst_inc);
	pkt->cid = 0;
	return PSYNC_OK;
}

static enum psync_drop psync_wire_decode_conv(const struct psync_wire_conv *conv,
					      struct psync_pkt *pkt)
{
	if (conv->view)
		return PSYNC_DROP_BAD_HEADER;
	pkt->cid = be64_to_cpu(conv->cid);
	pkt->digest = be64_to_cpu(conv->digest);
	pkt->group = be32_to_cpu(conv->group);
	pkt->number = be32_to_cpu(conv->number);
	pkt->opening = be32_to_cpu(conv->opening);
	return PSYNC_OK;
}

static enum psync_drop psync_wire_check_participants(const struct psync_pkt *pkt)
{
	u32 i;

	for (i = 0; i < pkt->msg.n; i++)
		if (!pkt->msg.participants[i].site ||
		    !pkt->msg.participants[i].port)
			return PSYNC_DROP_BAD_PARTICIPANTS;
	return PSYNC_OK;
}

static enum psync_drop psync_wire_check_list(const struct psync_pkt *pkt)
{
	int before = -1;
	int index;
	u32 i;

	for (i = 0; i < pkt->msg.npred; i++) {
		index = be16_to_cpu(pkt->msg.preds[i].index);
		if (index <= before || index >= pkt->msg.n)
			return PSYNC_DROP_BAD_CONTEXT;
		before = index;
	}
	return PSYNC_OK;
}

static enum psync_drop psync_wire_check_bitmap(const struct psync_pkt *pkt)
{
	u32 size = psync_wire_bitmap_size(pkt->msg.n);
	u32 n = pkt->msg.n;
	u32 weight = 0;
	u32 i;

	for (i = 0; i < size; i++)
		weight += hweight8(pkt->msg.bitmap[i]);
	if (weight != pkt->msg.npred)
		return PSYNC_DROP_BAD_CONTEXT;
	if (n % 8 && pkt->msg.bitmap[n / 8] >> n % 8)
		return PSYNC_DROP_BAD_HEADER;
	for (i = (n + 7) / 8; i < size; i++)
		if (pkt->msg.bitmap[i])
			return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

/* The fixed part of a message. */
static bool psync_wire_is_kind(u8 kind)
{
	return kind >= PSYNC_KIND_DATA && kind <= PSYNC_KIND_RESTART;
}

bool psync_wire_is_stamped(u8 kind)
{
	return kind == PSYNC_KIND_GAP || kind == PSYNC_KIND_RESTART;
}

static enum psync_drop psync_wire_decode_fixed(const struct psync_wire_msg *msg,
					       struct psync_pkt *pkt)
{
	bool few;

	if (!psync_wire_is_kind(msg->kind))
		return PSYNC_DROP_BAD_KIND;
	if (msg->class || !pkt->cid || !pkt->opening)
		return PSYNC_DROP_BAD_HEADER;
	/* What a list names is whole. */
	if (msg->flags & PSYNC_MSGF_HIGH && !(msg->flags & PSYNC_MSGF_STAMP))
		return PSYNC_DROP_BAD_HEADER;
	/* Only programs' messages begin a conversation or have bodies. */
	if (msg->kind != PSYNC_KIND_DATA &&
	    (msg->flags & PSYNC_MSGF_START || msg->body_len))
		return PSYNC_DROP_BAD_KIND;
	/* What is sent again for another site was sent before. */
	if (msg->flags & PSYNC_MSGF_FOREIGN &&
	    !(msg->flags & PSYNC_MSGF_REPEAT))
		return PSYNC_DROP_BAD_HEADER;
	/* A rendezvous' members know one another: nobody carries the list. */
	if (msg->flags & PSYNC_MSGF_START && pkt->number)
		return PSYNC_DROP_BAD_HEADER;
	pkt->msg.sender = be16_to_cpu(msg->sender);
	pkt->msg.kind = msg->kind;
	pkt->msg.flags = msg->flags;
	pkt->msg.seq = (u64)be16_to_cpu(msg->seq_high) << 32 |
		       be32_to_cpu(msg->seq);
	pkt->msg.wave = be32_to_cpu(msg->wave);
	pkt->msg.binding = be32_to_cpu(msg->binding);
	pkt->msg.dst_opening = be32_to_cpu(msg->dst_opening);
	pkt->msg.n = be16_to_cpu(msg->n);
	pkt->msg.npred = be16_to_cpu(msg->npred);
	pkt->body_len = be32_to_cpu(msg->body_len);
	if (pkt->msg.n < PSYNC_PARTICIPANTS_MIN ||
	    pkt->msg.n > PSYNC_PARTICIPANTS_LIM)
		return PSYNC_DROP_BAD_PARTICIPANTS;
	if (pkt->msg.sender >= pkt->msg.n)
		return PSYNC_DROP_NOT_MEMBER;
	if (!pkt->msg.wave)
		return PSYNC_DROP_BAD_WAVE;
	if (pkt->msg.npred > pkt->msg.n)
		return PSYNC_DROP_BAD_CONTEXT;
	/* Who lost messages says of few predecessors, too, what it has. */
	few = pkt->msg.npred <= PSYNC_PREDS_LIST &&
	      !psync_wire_is_stamped(msg->kind);
	if (!few && !(msg->flags & PSYNC_MSGF_STAMP))
		return PSYNC_DROP_BAD_CONTEXT;
	return PSYNC_OK;
}

static enum psync_drop
psync_wire_decode_origin(const struct psync_wire_origin *origin,
			 struct psync_pkt *pkt)
{
	pkt->msg.inc = be64_to_cpu(origin->inc);
	pkt->msg.opening = be32_to_cpu(origin->opening);
	if (origin->reserved || !pkt->msg.inc || !pkt->msg.opening)
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

static enum psync_drop psync_wire_decode_mask(const struct psync_wire_mask *mask,
					      struct psync_pkt *pkt)
{
	pkt->msg.op = mask->op;
	pkt->msg.about = be16_to_cpu(mask->last.index);
	pkt->msg.last = psync_wire_mid_seq(&mask->last);
	if (memchr_inv(mask->reserved, 0, sizeof(mask->reserved)) ||
	    mask->op < PSYNC_MASK_OP_OUT || mask->op > PSYNC_MASK_OP_KEPT)
		return PSYNC_DROP_BAD_HEADER;
	/* Nobody masks itself (S5.1). */
	if (pkt->msg.about >= pkt->msg.n || pkt->msg.about == pkt->msg.sender)
		return PSYNC_DROP_NOT_MEMBER;
	return PSYNC_OK;
}

static enum psync_drop psync_wire_decode_gap(const struct psync_wire_gap *gap,
					     struct psync_pkt *pkt)
{
	pkt->msg.about = be16_to_cpu(gap->index);
	if (gap->reserved)
		return PSYNC_DROP_BAD_HEADER;
	return pkt->msg.about < pkt->msg.n &&
	       pkt->msg.about != pkt->msg.sender ? PSYNC_OK :
						   PSYNC_DROP_NOT_MEMBER;
}

/* What a message of the kernel says itself, behind its context. */
static enum psync_drop psync_wire_decode_content(const u8 *data,
						 struct psync_pkt *pkt)
{
	const struct psync_wire_end *end = (const void *)data;

	pkt->msg.op = 0;
	pkt->msg.about = 0;
	pkt->msg.last = 0;
	if (pkt->msg.kind == PSYNC_KIND_MASK)
		return psync_wire_decode_mask((const void *)data, pkt);
	if (pkt->msg.kind == PSYNC_KIND_GAP)
		return psync_wire_decode_gap((const void *)data, pkt);
	if (pkt->msg.kind != PSYNC_KIND_END)
		return PSYNC_OK;
	pkt->msg.op = end->reason;
	if (end->reason > PSYNC_END_DIED ||
	    memchr_inv(end->reserved, 0, sizeof(end->reserved)))
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

static enum psync_drop psync_wire_decode_msg(const u8 *data, u32 len, u32 wire,
					     struct psync_pkt *pkt)
{
	u32 at = psync_wire_fixed(PSYNC_PKT_MSG);
	enum psync_drop drop;

	drop = psync_wire_decode_fixed((const void *)(data + at -
				       sizeof(struct psync_wire_msg)), pkt);
	if (drop)
		return drop;
	pkt->hdr_len = psync_wire_msg_size(pkt->msg.kind, pkt->msg.flags,
					   pkt->msg.n, pkt->msg.npred);
	if (len < pkt->hdr_len)
		return PSYNC_DROP_TOO_SHORT;
	if (wire < pkt->hdr_len || wire - pkt->hdr_len != pkt->body_len)
		return PSYNC_DROP_BAD_LENGTH;
	if (pkt->body_len > PSYNC_BODY_MAX)
		return PSYNC_DROP_BAD_LENGTH;
	pkt->msg.participants = NULL;
	pkt->msg.preds = NULL;
	pkt->msg.stamp = NULL;
	pkt->msg.highs = NULL;
	pkt->msg.bitmap = NULL;
	pkt->msg.inc = 0;
	pkt->msg.opening = 0;
	drop = psync_wire_decode_content(data + pkt->hdr_len -
					 psync_wire_content_size(pkt->msg.kind),
					 pkt);
	if (drop)
		return drop;
	if (pkt->msg.flags & PSYNC_MSGF_FOREIGN) {
		drop = psync_wire_decode_origin((const void *)(data + at), pkt);
		if (drop)
			return drop;
		at += sizeof(struct psync_wire_origin);
	}
	if (pkt->msg.flags & PSYNC_MSGF_START) {
		pkt->msg.participants = (const void *)(data + at);
		at += pkt->msg.n * sizeof(struct psync_wire_pid);
		drop = psync_wire_check_participants(pkt);
		if (drop)
			return drop;
	}
	if (pkt->msg.flags & PSYNC_MSGF_STAMP) {
		pkt->msg.stamp = (const void *)(data + at);
		at += pkt->msg.n * sizeof(__be32);
		if (pkt->msg.flags & PSYNC_MSGF_HIGH) {
			pkt->msg.highs = (const void *)(data + at);
			at += pkt->msg.n * sizeof(__be16);
		}
		pkt->msg.flags &= ~PSYNC_MSGF_HIGH;
		pkt->msg.bitmap = data + at;
		return psync_wire_check_bitmap(pkt);
	}
	pkt->msg.preds = (const void *)(data + at);
	return psync_wire_check_list(pkt);
}

static enum psync_drop psync_wire_decode_hello(const struct psync_wire_hello *h,
					       struct psync_pkt *pkt)
{
	bool none;

	if (memchr_inv(h->reserved, 0, sizeof(h->reserved)) || h->reserved2)
		return PSYNC_DROP_BAD_HEADER;
	pkt->hello.nonce = be64_to_cpu(h->nonce);
	pkt->hello.known = be32_to_cpu(h->known);
	pkt->hello.age = be32_to_cpu(h->age);
	pkt->hello.state = h->state;
	pkt->body_len = 0;
	if (!pkt->hello.nonce)
		return PSYNC_DROP_BAD_HEADER;
	if (!pkt->cid && (pkt->digest || pkt->group || pkt->number ||
			  pkt->opening || pkt->hello.known ||
			  pkt->hello.state != PSYNC_HELLO_NONE))
		return PSYNC_DROP_BAD_HEADER;
	if (pkt->hello.age && pkt->hello.state != PSYNC_HELLO_CLOSED)
		return PSYNC_DROP_BAD_HEADER;
	if (pkt->type == PSYNC_PKT_HELLO)
		return pkt->hello.known || pkt->hello.state != PSYNC_HELLO_NONE ?
			PSYNC_DROP_BAD_HEADER : PSYNC_OK;
	if (pkt->hello.state > PSYNC_HELLO_CLOSED)
		return PSYNC_DROP_BAD_HEADER;
	/* An opening is named exactly when there is, or was, one. */
	none = pkt->hello.state == PSYNC_HELLO_NONE;
	if (none == !!pkt->opening)
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

static enum psync_drop
psync_wire_decode_refuse(const struct psync_wire_refuse *refuse,
			 struct psync_pkt *pkt)
{
	pkt->refuse.reason = be16_to_cpu(refuse->reason);
	pkt->refuse.opening = be32_to_cpu(refuse->opening);
	pkt->refuse.digest = be64_to_cpu(refuse->digest);
	pkt->body_len = 0;
	if (refuse->reserved || !pkt->cid || !pkt->refuse.opening ||
	    !pkt->refuse.digest)
		return PSYNC_DROP_BAD_HEADER;
	if (pkt->refuse.reason < PSYNC_REFUSE_DIGEST ||
	    pkt->refuse.reason > PSYNC_REFUSE_ABSENT)
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

static enum psync_drop
psync_wire_decode_dgram(const struct psync_wire_dgram *dgram, u32 wire,
			struct psync_pkt *pkt)
{
	pkt->dgram.src_port = be32_to_cpu(dgram->src_port);
	pkt->dgram.src_binding = be32_to_cpu(dgram->src_binding);
	pkt->dgram.dst_port = be32_to_cpu(dgram->dst_port);
	pkt->dgram.dst_binding = be32_to_cpu(dgram->dst_binding);
	pkt->dgram.group = be32_to_cpu(dgram->group);
	pkt->dgram.digest = be64_to_cpu(dgram->digest);
	pkt->body_len = be32_to_cpu(dgram->body_len);
	if (wire - pkt->hdr_len != pkt->body_len)
		return PSYNC_DROP_BAD_LENGTH;
	/* To a port or to a group, never both or neither. */
	if (!pkt->dgram.src_port || !pkt->dgram.dst_port == !pkt->dgram.group ||
	    !pkt->dgram.digest != !pkt->dgram.group ||
	    (pkt->dgram.group && pkt->dgram.dst_binding))
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

/* A part, not the whole: it has its place there and just the bytes for it. */
static enum psync_drop
psync_wire_decode_frag(const struct psync_wire_frag *frag, u32 wire,
		       struct psync_pkt *pkt)
{
	u32 left;

	pkt->frag.id = be64_to_cpu(frag->id);
	pkt->frag.lowest = be64_to_cpu(frag->lowest);
	pkt->frag.total = be32_to_cpu(frag->total);
	pkt->frag.index = be32_to_cpu(frag->index);
	pkt->frag.turn = be32_to_cpu(frag->turn);
	pkt->frag.wait = be32_to_cpu(frag->wait);
	pkt->frag.size = be16_to_cpu(frag->size);
	pkt->frag.flags = frag->flags;
	pkt->body_len = wire - pkt->hdr_len;
	if (memchr_inv(frag->reserved, 0, sizeof(frag->reserved)) ||
	    frag->flags & ~PSYNC_FRAGF_ASK || !pkt->dst_site ||
	    !pkt->frag.turn || !pkt->frag.lowest ||
	    pkt->frag.lowest > pkt->frag.id)
		return PSYNC_DROP_BAD_HEADER;
	if (pkt->frag.size < PSYNC_FRAG_LEAST ||
	    pkt->frag.total <= pkt->frag.size ||
	    pkt->frag.total > PSYNC_FRAG_MAX ||
	    pkt->frag.index > (pkt->frag.total - 1) / pkt->frag.size)
		return PSYNC_DROP_BAD_FRAG;
	left = pkt->frag.total - pkt->frag.index * pkt->frag.size;
	return pkt->body_len == min_t(u32, left, pkt->frag.size) ?
		PSYNC_OK : PSYNC_DROP_BAD_LENGTH;
}

static enum psync_drop
psync_wire_decode_frag_ack(const struct psync_wire_frag_ack *ack, u32 wire,
			   struct psync_pkt *pkt)
{
	pkt->frag_ack.id = be64_to_cpu(ack->id);
	pkt->frag_ack.base = be32_to_cpu(ack->base);
	pkt->frag_ack.turn = be32_to_cpu(ack->turn);
	pkt->frag_ack.state = ack->state;
	pkt->frag_ack.marks = be32_to_cpu(ack->marks);
	pkt->frag_ack.bitmap = ack->bitmap;
	pkt->body_len = 0;
	if (wire != pkt->hdr_len)
		return PSYNC_DROP_BAD_LENGTH;
	if (memchr_inv(ack->reserved, 0, sizeof(ack->reserved)) ||
	    ack->state > PSYNC_FRAG_WHOLE || !pkt->dst_site ||
	    !pkt->frag_ack.id || !pkt->frag_ack.turn || ack->bitmap[0] & 1)
		return PSYNC_DROP_BAD_HEADER;
	if (ack->state == PSYNC_FRAG_WHOLE &&
	    (!pkt->frag_ack.base ||
	     memchr_inv(ack->bitmap, 0, sizeof(ack->bitmap))))
		return PSYNC_DROP_BAD_HEADER;
	return PSYNC_OK;
}

/* Each type has flags of its own, and a field is zero unless a flag says so. */
static enum psync_drop
psync_wire_check_vector(const struct psync_wire_vector *vector,
			const struct psync_pkt *pkt)
{
	static const u8 known[] = {
		[PSYNC_PKT_ACK] = PSYNC_VECTORF_ASK | PSYNC_VECTORF_ECHO |
				  PSYNC_VECTORF_SLOW,
		[PSYNC_PKT_RR] = PSYNC_VECTORF_MID | PSYNC_VECTORF_LAST,
		[PSYNC_PKT_GONE] = PSYNC_VECTORF_SKIP,
		[PSYNC_PKT_RS] = PSYNC_VECTORF_MID,
		[PSYNC_PKT_RS_ACK] = PSYNC_VECTORF_KNOWN,
	};
	bool rs = pkt->type == PSYNC_PKT_RS;
	bool seq = pkt->vector.flags & PSYNC_VECTORF_MID ||
		   pkt->type == PSYNC_PKT_GONE;
	u8 flags = pkt->vector.flags;

	if (vector->reserved || !pkt->cid ||
	    (vector->seq_high && !(flags & PSYNC_VECTORF_MID)))
		return PSYNC_DROP_BAD_HEADER;
	if (flags & ~known[pkt->type] ||
	    (pkt->type >= PSYNC_PKT_GONE && !pkt->opening) ||
	    (rs && !pkt->vector.token))
		return PSYNC_DROP_BAD_HEADER;
	if ((pkt->vector.token && !(flags & PSYNC_VECTORF_ASK) && !rs) ||
	    (pkt->vector.echo &&
	     !(flags & (PSYNC_VECTORF_ECHO | PSYNC_VECTORF_SKIP))) ||
	    (pkt->vector.seq && !seq) ||
	    (pkt->vector.index && !rs &&
	     !(flags & (PSYNC_VECTORF_MID | PSYNC_VECTORF_SLOW |
			PSYNC_VECTORF_LAST))) ||
	    (flags & PSYNC_VECTORF_MID && flags & PSYNC_VECTORF_LAST))
		return PSYNC_DROP_BAD_HEADER;
	if ((pkt->vector.credit_bytes || pkt->vector.credit_msgs ||
	     pkt->vector.marks) && pkt->type != PSYNC_PKT_ACK)
		return PSYNC_DROP_BAD_HEADER;
	if (pkt->vector.n < PSYNC_PARTICIPANTS_MIN ||
	    pkt->vector.n > PSYNC_PARTICIPANTS_LIM)
		return PSYNC_DROP_BAD_PARTICIPANTS;
	return pkt->vector.index < pkt->vector.n ? PSYNC_OK :
						   PSYNC_DROP_NOT_MEMBER;
}

static enum psync_drop
psync_wire_decode_vector(const struct psync_wire_vector *vector, u32 len,
			 u32 wire, struct psync_pkt *pkt)
{
	enum psync_drop drop;

	pkt->vector.dst_opening = be32_to_cpu(vector->dst_opening);
	pkt->vector.token = be32_to_cpu(vector->token);
	pkt->vector.echo = be32_to_cpu(vector->echo);
	pkt->vector.seq = (u64)be16_to_cpu(vector->seq_high) << 32 |
			  be32_to_cpu(vector->seq);
	pkt->vector.index = be16_to_cpu(vector->index);
	pkt->vector.n = be16_to_cpu(vector->n);
	pkt->vector.flags = vector->flags & ~PSYNC_VECTORF_HIGH;
	pkt->vector.credit_bytes = be32_to_cpu(vector->credit_bytes);
	pkt->vector.credit_msgs = be32_to_cpu(vector->credit_msgs);
	pkt->vector.marks = be32_to_cpu(vector->marks);
	pkt->body_len = 0;
	drop = psync_wire_check_vector(vector, pkt);
	if (drop)
		return drop;
	pkt->hdr_len += psync_wire_vector_size(vector->flags, pkt->vector.n);
	if (len < pkt->hdr_len)
		return PSYNC_DROP_TOO_SHORT;
	pkt->vector.seqs = (const void *)(vector + 1);
	pkt->vector.highs = NULL;
	if (vector->flags & PSYNC_VECTORF_HIGH)
		pkt->vector.highs = (const void *)(pkt->vector.seqs +
						   pkt->vector.n);
	return wire == pkt->hdr_len ? PSYNC_OK : PSYNC_DROP_BAD_LENGTH;
}

enum psync_drop psync_wire_decode(const u8 *data, u32 len, u32 total,
				  struct psync_pkt *pkt)
{
	const struct psync_wire_hdr *hdr = (const void *)data;
	enum psync_drop drop;
	u32 wire;

	if (len < sizeof(*hdr))
		return PSYNC_DROP_TOO_SHORT;
	drop = psync_wire_decode_hdr(hdr, total, pkt);
	if (drop)
		return drop;
	pkt->hdr_len = psync_wire_fixed(pkt->type);
	if (len < pkt->hdr_len)
		return PSYNC_DROP_TOO_SHORT;
	wire = psync_wire_len(hdr, total);
	data += sizeof(*hdr);
	if (pkt->type == PSYNC_PKT_DGRAM)
		return psync_wire_decode_dgram((const void *)data, wire, pkt);
	if (pkt->type == PSYNC_PKT_FRAG)
		return psync_wire_decode_frag((const void *)data, wire, pkt);
	if (pkt->type == PSYNC_PKT_FRAG_ACK)
		return psync_wire_decode_frag_ack((const void *)data, wire,
						  pkt);
	drop = psync_wire_decode_conv((const void *)data, pkt);
	if (drop)
		return drop;
	data += sizeof(struct psync_wire_conv);
	if (pkt->type == PSYNC_PKT_MSG)
		return psync_wire_decode_msg((const u8 *)hdr, len, wire, pkt);
	if (psync_wire_is_vector(pkt->type))
		return psync_wire_decode_vector((const void *)data, len, wire,
						pkt);
	if (wire != pkt->hdr_len)
		return PSYNC_DROP_BAD_LENGTH;
	if (pkt->type == PSYNC_PKT_REFUSE)
		return psync_wire_decode_refuse((const void *)data, pkt);
	return psync_wire_decode_hello((const void *)data, pkt);
}

static u8 psync_wire_msg_flags(const struct psync_pkt *pkt)
{
	return pkt->msg.flags | (pkt->msg.highs ? PSYNC_MSGF_HIGH : 0);
}

static u8 psync_wire_vector_flags(const struct psync_pkt *pkt)
{
	return pkt->vector.flags |
	       (pkt->vector.highs ? PSYNC_VECTORF_HIGH : 0);
}

u32 psync_wire_hdr_size(const struct psync_pkt *pkt)
{
	if (pkt->type == PSYNC_PKT_MSG)
		return psync_wire_msg_size(pkt->msg.kind,
					   psync_wire_msg_flags(pkt),
					   pkt->msg.n, pkt->msg.npred);
	if (psync_wire_is_vector(pkt->type))
		return psync_wire_fixed(pkt->type) +
		       psync_wire_vector_size(psync_wire_vector_flags(pkt),
					      pkt->vector.n);
	return psync_wire_fixed(pkt->type);
}

static u8 *psync_wire_encode_hdr(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_hdr *hdr = (void *)buf;
	u32 len;

	hdr->version = PSYNC_WIRE_VERSION;
	hdr->type = pkt->type;
	hdr->flags = 0;
	len = psync_wire_hdr_size(pkt) + pkt->body_len;
	hdr->len = cpu_to_be16(len > U16_MAX ? 0 : len);
	hdr->csum = 0;
	hdr->src_site = cpu_to_be32(pkt->src_site);
	hdr->dst_site = cpu_to_be32(pkt->dst_site);
	hdr->src_inc = cpu_to_be64(pkt->src_inc);
	hdr->dst_inc = cpu_to_be64(pkt->dst_inc);
	hdr->seal = 0;
	return buf + sizeof(*hdr);
}

static u8 *psync_wire_encode_conv(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_conv *conv = (void *)buf;

	conv->cid = cpu_to_be64(pkt->cid);
	conv->digest = cpu_to_be64(pkt->digest);
	conv->group = cpu_to_be32(pkt->group);
	conv->number = cpu_to_be32(pkt->number);
	conv->opening = cpu_to_be32(pkt->opening);
	conv->view = 0;
	return buf + sizeof(*conv);
}

static u8 *psync_wire_put(u8 *buf, const void *from, u32 size)
{
	if (size)
		memcpy(buf, from, size);
	return buf + size;
}

static u8 *psync_wire_encode_origin(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_origin *origin = (void *)buf;

	origin->inc = cpu_to_be64(pkt->msg.inc);
	origin->opening = cpu_to_be32(pkt->msg.opening);
	origin->reserved = 0;
	return buf + sizeof(*origin);
}

static void psync_wire_encode_content(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_mask *mask = (void *)buf;
	struct psync_wire_end *end = (void *)buf;
	struct psync_wire_gap *gap = (void *)buf;

	if (pkt->msg.kind == PSYNC_KIND_MASK) {
		mask->op = pkt->msg.op;
		memset(mask->reserved, 0, sizeof(mask->reserved));
		mask->last.index = cpu_to_be16(pkt->msg.about);
		mask->last.seq_high = cpu_to_be16(pkt->msg.last >> 32);
		mask->last.seq = cpu_to_be32((u32)pkt->msg.last);
	} else if (pkt->msg.kind == PSYNC_KIND_GAP) {
		gap->index = cpu_to_be16(pkt->msg.about);
		gap->reserved = 0;
	} else if (pkt->msg.kind == PSYNC_KIND_END) {
		end->reason = pkt->msg.op;
		memset(end->reserved, 0, sizeof(end->reserved));
	}
}

static void psync_wire_encode_msg(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_msg *msg = (void *)buf;
	u32 n = pkt->msg.n;

	msg->sender = cpu_to_be16(pkt->msg.sender);
	msg->kind = pkt->msg.kind;
	msg->flags = psync_wire_msg_flags(pkt);
	msg->seq = cpu_to_be32((u32)pkt->msg.seq);
	msg->wave = cpu_to_be32(pkt->msg.wave);
	msg->binding = cpu_to_be32(pkt->msg.binding);
	msg->dst_opening = cpu_to_be32(pkt->msg.dst_opening);
	msg->n = cpu_to_be16(pkt->msg.n);
	msg->npred = cpu_to_be16(pkt->msg.npred);
	msg->class = 0;
	msg->seq_high = cpu_to_be16(pkt->msg.seq >> 32);
	msg->body_len = cpu_to_be32(pkt->body_len);
	buf += sizeof(*msg);
	if (pkt->msg.flags & PSYNC_MSGF_FOREIGN)
		buf = psync_wire_encode_origin(pkt, buf);
	if (pkt->msg.flags & PSYNC_MSGF_START)
		buf = psync_wire_put(buf, pkt->msg.participants,
				     n * sizeof(struct psync_wire_pid));
	if (pkt->msg.flags & PSYNC_MSGF_STAMP) {
		buf = psync_wire_put(buf, pkt->msg.stamp, n * sizeof(__be32));
		if (pkt->msg.highs)
			buf = psync_wire_put(buf, pkt->msg.highs,
					     n * sizeof(__be16));
		buf = psync_wire_put(buf, pkt->msg.bitmap,
				     psync_wire_bitmap_size(n));
	} else {
		buf = psync_wire_put(buf, pkt->msg.preds, pkt->msg.npred *
				     sizeof(struct psync_wire_mid));
	}
	psync_wire_encode_content(pkt, buf);
}

static void psync_wire_encode_hello(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_hello *hello = (void *)buf;

	hello->nonce = cpu_to_be64(pkt->hello.nonce);
	hello->known = cpu_to_be32(pkt->hello.known);
	hello->age = cpu_to_be32(pkt->hello.age);
	hello->state = pkt->hello.state;
	memset(hello->reserved, 0, sizeof(hello->reserved));
	hello->reserved2 = 0;
}

static void psync_wire_encode_refuse(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_refuse *refuse = (void *)buf;

	refuse->reason = cpu_to_be16(pkt->refuse.reason);
	refuse->reserved = 0;
	refuse->opening = cpu_to_be32(pkt->refuse.opening);
	refuse->digest = cpu_to_be64(pkt->refuse.digest);
}

static void psync_wire_encode_dgram(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_dgram *dgram = (void *)buf;

	dgram->src_port = cpu_to_be32(pkt->dgram.src_port);
	dgram->src_binding = cpu_to_be32(pkt->dgram.src_binding);
	dgram->dst_port = cpu_to_be32(pkt->dgram.dst_port);
	dgram->dst_binding = cpu_to_be32(pkt->dgram.dst_binding);
	dgram->group = cpu_to_be32(pkt->dgram.group);
	dgram->body_len = cpu_to_be32(pkt->body_len);
	dgram->digest = cpu_to_be64(pkt->dgram.digest);
}

static void psync_wire_encode_vector(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_vector *vector = (void *)buf;

	vector->dst_opening = cpu_to_be32(pkt->vector.dst_opening);
	vector->token = cpu_to_be32(pkt->vector.token);
	vector->echo = cpu_to_be32(pkt->vector.echo);
	vector->seq = cpu_to_be32((u32)pkt->vector.seq);
	vector->index = cpu_to_be16(pkt->vector.index);
	vector->n = cpu_to_be16(pkt->vector.n);
	vector->flags = psync_wire_vector_flags(pkt);
	vector->reserved = 0;
	vector->seq_high = cpu_to_be16(pkt->vector.seq >> 32);
	vector->credit_bytes = cpu_to_be32(pkt->vector.credit_bytes);
	vector->credit_msgs = cpu_to_be32(pkt->vector.credit_msgs);
	vector->marks = cpu_to_be32(pkt->vector.marks);
	buf = psync_wire_put((u8 *)(vector + 1), pkt->vector.seqs,
			     pkt->vector.n * sizeof(__be32));
	if (pkt->vector.highs)
		psync_wire_put(buf, pkt->vector.highs,
			       pkt->vector.n * sizeof(__be16));
}

static void psync_wire_encode_frag(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_frag *frag = (void *)buf;

	frag->id = cpu_to_be64(pkt->frag.id);
	frag->lowest = cpu_to_be64(pkt->frag.lowest);
	frag->total = cpu_to_be32(pkt->frag.total);
	frag->index = cpu_to_be32(pkt->frag.index);
	frag->turn = cpu_to_be32(pkt->frag.turn);
	frag->wait = cpu_to_be32(pkt->frag.wait);
	frag->size = cpu_to_be16(pkt->frag.size);
	frag->flags = pkt->frag.flags;
	memset(frag->reserved, 0, sizeof(frag->reserved));
}

static void psync_wire_encode_frag_ack(const struct psync_pkt *pkt, u8 *buf)
{
	struct psync_wire_frag_ack *ack = (void *)buf;

	ack->id = cpu_to_be64(pkt->frag_ack.id);
	ack->base = cpu_to_be32(pkt->frag_ack.base);
	ack->turn = cpu_to_be32(pkt->frag_ack.turn);
	ack->state = pkt->frag_ack.state;
	memset(ack->reserved, 0, sizeof(ack->reserved));
	ack->marks = cpu_to_be32(pkt->frag_ack.marks);
	memcpy(ack->bitmap, pkt->frag_ack.bitmap, sizeof(ack->bitmap));
}

/* What is of no conversation; false: it is of one. */
static bool psync_wire_encode_plain(const struct psync_pkt *pkt, u8 *buf)
{
	switch (pkt->type) {
	case PSYNC_PKT_DGRAM:
		psync_wire_encode_dgram(pkt, buf);
		return true;
	case PSYNC_PKT_FRAG:
		psync_wire_encode_frag(pkt, buf);
		return true;
	case PSYNC_PKT_FRAG_ACK:
		psync_wire_encode_frag_ack(pkt, buf);
		return true;
	default:
		return false;
	}
}

void psync_wire_encode(const struct psync_pkt *pkt, u8 *buf)
{
	buf = psync_wire_encode_hdr(pkt, buf);
	if (psync_wire_encode_plain(pkt, buf))
		return;
	buf = psync_wire_encode_conv(pkt, buf);
	if (pkt->type == PSYNC_PKT_MSG)
		psync_wire_encode_msg(pkt, buf);
	else if (pkt->type == PSYNC_PKT_REFUSE)
		psync_wire_encode_refuse(pkt, buf);
	else if (psync_wire_is_vector(pkt->type))
		psync_wire_encode_vector(pkt, buf);
	else
		psync_wire_encode_hello(pkt, buf);
}

static u64 psync_wire_fnv(u64 hash, const void *data, u32 len)
{
	const u8 *p = data;

	while (len--)
		hash = (hash ^ *p++) * PSYNC_FNV_PRIME;
	return hash;
}

u64 psync_wire_digest(const struct psync_pid *pids, u32 n)
{
	u64 hash = PSYNC_FNV_BASIS;
	struct psync_wire_pid pid;
	u32 i;

	for (i = 0; i < n; i++) {
		pid.site = cpu_to_be32(pids[i].site);
		pid.port = cpu_to_be32(pids[i].port);
		hash = psync_wire_fnv(hash, &pid, sizeof(pid));
	}
	return hash ? hash : PSYNC_FNV_BASIS;
}

u64 psync_wire_cid(u32 group, u32 number, u64 digest)
{
	struct {
		__be32	group;
		__be32	number;
		__be64	digest;
	} __packed name = {
		.group = cpu_to_be32(group),
		.number = cpu_to_be32(number),
		.digest = cpu_to_be64(digest),
	};
	u64 hash = psync_wire_fnv(PSYNC_FNV_BASIS, &name, sizeof(name));

	return hash ? hash : PSYNC_FNV_BASIS;
}

bool psync_wire_csum_ok(const u8 *data, u32 len)
{
	return !csum_fold(csum_partial(data, len, 0));
}

void psync_wire_csum_set(u8 *data, u32 len)
{
	struct psync_wire_hdr *hdr = (void *)data;

	hdr->csum = csum_fold(csum_partial(data, len, 0));
}
