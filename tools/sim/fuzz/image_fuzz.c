// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any input to an image: packets that a hostile member of the conversation
 * could send, between everything that participants here can do, with small
 * limits and an allocator that fails now and then.  Nothing may break, be
 * lost or exceed its limit; what the image sends must pass the decoder.
 *
 * The input is a program: one byte of operation, then its operands.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/limits.h>

#include "core/graph.h"
#include "core/image.h"
#include "core/mask.h"
#include "core/stable.h"
#include "core/view.h"
#include "core/vote.h"
#include "state.h"

#define PSYNC_FUZZ_CID		0x0123456789abcdefULL
#define PSYNC_FUZZ_SITE		1
#define PSYNC_FUZZ_INC		100
#define PSYNC_FUZZ_PARTS	24
#define PSYNC_FUZZ_OPS		400

/**
 * struct psync_fuzz_body - a message's bytes, none of them
 * @refs: references
 */
struct psync_fuzz_body {
	u32 refs;
};

/**
 * struct psync_fuzz - an image and what it lives on
 * @img: first, so that the ops find the rest
 * @data: input not yet used
 * @size: bytes of it
 * @pids: participants
 * @n: how many
 * @views: of the local participants
 * @in: which of them are joined
 * @now: time
 * @openings: given out
 * @nonce: last one given out
 * @asked: nonce of the last HELLO sent
 * @token: of the last question for an acknowledgement sent
 * @live: bytes allocated
 * @bodies: bodies alive
 * @fail: allocations until one fails, 0: none does
 */
struct psync_fuzz {
	struct psync_image img;
	const u8 *data;
	size_t size;
	struct psync_pid pids[PSYNC_FUZZ_PARTS];
	u32 n;
	struct psync_view views[PSYNC_FUZZ_PARTS];
	bool in[PSYNC_FUZZ_PARTS];
	u64 now;
	u32 openings;
	u64 nonce;
	u64 asked;
	u32 token;
	size_t live;
	u32 bodies;
	u32 fail;
};

static u8 psync_fuzz_byte(struct psync_fuzz *f)
{
	if (!f->size)
		return 0;
	f->size--;
	return *f->data++;
}

/* Mostly small numbers, but any. */
static u32 psync_fuzz_number(struct psync_fuzz *f)
{
	u8 kind = psync_fuzz_byte(f);

	if (kind < 0xf0)
		return kind & 0x1f;
	return (u32)psync_fuzz_byte(f) << 24 | psync_fuzz_byte(f) << 16 |
	       psync_fuzz_byte(f) << 8 | psync_fuzz_byte(f);
}

static struct psync_fuzz_body *psync_fuzz_body(struct psync_fuzz *f)
{
	struct psync_fuzz_body *body = malloc(sizeof(*body));

	psync_fuzz_require(body);
	body->refs = 1;
	f->bodies++;
	return body;
}

static void psync_fuzz_put(struct psync_fuzz *f, struct psync_fuzz_body *body)
{
	if (--body->refs)
		return;
	f->bodies--;
	free(body);
}

/* The ops of the core. */

static void *psync_fuzz_op_alloc(struct psync_image *img, size_t size)
{
	struct psync_fuzz *f = (struct psync_fuzz *)img;

	if (f->fail && !--f->fail)
		return NULL;
	f->live += size;
	return calloc(1, size);
}

static void psync_fuzz_op_free(struct psync_image *img, void *mem, size_t size)
{
	struct psync_fuzz *f = (struct psync_fuzz *)img;

	if (!mem)
		return;
	psync_fuzz_require(size <= f->live);
	f->live -= size;
	free(mem);
}

static void psync_fuzz_op_transmit(struct psync_image *img, u32 site,
				   struct psync_pkt *pkt, void *body)
{
	struct psync_fuzz *f = (struct psync_fuzz *)img;
	struct psync_pkt back;
	u32 len;
	u8 *buf;

	if (pkt->type == PSYNC_PKT_HELLO)
		f->asked = pkt->hello.nonce;
	pkt->src_site = PSYNC_FUZZ_SITE;
	pkt->src_inc = PSYNC_FUZZ_INC;
	pkt->dst_site = site;
	psync_image_address(img, site, pkt);
	psync_fuzz_require(!body == (pkt->type != PSYNC_PKT_MSG ||
				     pkt->msg.kind != PSYNC_KIND_DATA));
	if (pkt->type == PSYNC_PKT_MSG && pkt->msg.flags & PSYNC_MSGF_ASK)
		f->token = pkt->msg.seq;
	if (pkt->type == PSYNC_PKT_RS ||
	    (pkt->type == PSYNC_PKT_ACK &&
	     pkt->vector.flags & PSYNC_VECTORF_ASK))
		f->token = pkt->vector.token;
	len = psync_wire_hdr_size(pkt);
	buf = malloc(len);
	psync_fuzz_require(buf);
	psync_wire_encode(pkt, buf);
	psync_fuzz_require(!psync_wire_decode(buf, len, len + pkt->body_len,
					      &back));
	free(buf);
}

static void psync_fuzz_op_body_put(struct psync_image *img, void *body)
{
	psync_fuzz_put((struct psync_fuzz *)img, body);
}

static u64 psync_fuzz_op_hash(struct psync_image *img, const void *body,
			      u32 len)
{
	return len;
}

static void psync_fuzz_op_rest(struct psync_image *img, void *body)
{
	psync_fuzz_require(body);
}

static void psync_fuzz_op_readable(struct psync_image *img,
				   struct psync_view *view)
{
	psync_fuzz_require(view->img == img);
}

static void psync_fuzz_op_event(struct psync_image *img,
				struct psync_view *view,
				const struct psync_event *ev)
{
	psync_fuzz_require(!view || view->img == img);
	psync_fuzz_require(ev->type && !ev->reserved);
}

static void psync_fuzz_op_arm(struct psync_image *img, u64 deadline)
{
	psync_fuzz_require(deadline == img->deadline);
}

static void psync_fuzz_op_writable(struct psync_image *img)
{
	psync_fuzz_require(psync_image_may_send(img, 0));
}

static void psync_fuzz_op_stable(struct psync_image *img,
				 struct psync_watch *watch)
{
	psync_fuzz_require(watch->view->img == img && watch->answer);
}

static void psync_fuzz_op_passed(struct psync_image *img,
				 struct psync_view *view,
				 const struct psync_node *node)
{
	psync_fuzz_require(view->img == img && (!view->pending || view->nulls));
	/* A program's message is passed over where it is void; others may not. */
	if (node->kind == PSYNC_KIND_DATA)
		psync_fuzz_require(view->masks);
	else
		psync_fuzz_require(!node->body);
}

static void psync_fuzz_op_dropped(struct psync_image *img,
				  enum psync_drop reason)
{
	(void)img;
	psync_fuzz_require(reason > PSYNC_OK && reason < PSYNC_DROP_MAX);
}

static u64 psync_fuzz_op_nonce(struct psync_image *img)
{
	return ++((struct psync_fuzz *)img)->nonce;
}

static u32 psync_fuzz_op_cost(struct psync_image *img, void *body, u32 len,
			      size_t size)
{
	return len + size;
}

static u32 psync_fuzz_op_room(struct psync_image *img, struct psync_view *view)
{
	psync_fuzz_require(view->img == img && view->unread);
	return view->index % 2 ? 2000 : U32_MAX;
}

static bool psync_fuzz_op_afford(struct psync_image *img)
{
	return img->body_bytes < 1 << 20;
}

static const struct psync_image_ops psync_fuzz_ops = {
	.alloc = psync_fuzz_op_alloc,
	.free = psync_fuzz_op_free,
	.transmit = psync_fuzz_op_transmit,
	.body_put = psync_fuzz_op_body_put,
	.readable = psync_fuzz_op_readable,
	.event = psync_fuzz_op_event,
	.arm = psync_fuzz_op_arm,
	.cost = psync_fuzz_op_cost,
	.room = psync_fuzz_op_room,
	.afford = psync_fuzz_op_afford,
	.writable = psync_fuzz_op_writable,
	.hash = psync_fuzz_op_hash,
	.rest = psync_fuzz_op_rest,
	.stable = psync_fuzz_op_stable,
	.passed = psync_fuzz_op_passed,
	.dropped = psync_fuzz_op_dropped,
	.nonce = psync_fuzz_op_nonce,
};

/* Packets. */

/* From decoded to decoded again, as over a wire, perhaps with a wrong bit. */
static void psync_fuzz_feed(struct psync_fuzz *f, struct psync_pkt *pkt)
{
	struct psync_fuzz_body *body = NULL;
	u32 len = psync_wire_hdr_size(pkt), at;
	enum psync_drop drop = PSYNC_DROP_BAD_HEADER;
	u8 *buf = malloc(len);
	u8 flip;

	psync_fuzz_require(buf);
	/* As long as the length field can say. */
	pkt->body_len = min(pkt->body_len, U16_MAX - len);
	psync_wire_encode(pkt, buf);
	flip = psync_fuzz_byte(f);
	if (flip > 0xf0) {
		at = (u32)psync_fuzz_byte(f) << 8 | psync_fuzz_byte(f);
		buf[at % len] ^= flip & 0xf;
	}
	if (psync_wire_need(buf, len) <= len)
		drop = psync_wire_decode(buf, len, len + pkt->body_len, pkt);
	if (!drop && pkt->cid == PSYNC_FUZZ_CID &&
	    pkt->src_site != PSYNC_FUZZ_SITE &&
	    pkt->type != PSYNC_PKT_DGRAM) {
		if (pkt->type == PSYNC_PKT_MSG &&
		    pkt->msg.kind == PSYNC_KIND_DATA)
			body = psync_fuzz_body(f);
		drop = psync_image_input(&f->img, pkt, body, f->now);
		if (drop && body)
			psync_fuzz_put(f, body);
	}
	free(buf);
}

static void psync_fuzz_head(struct psync_fuzz *f, struct psync_pkt *pkt,
			    u8 type)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->type = type;
	pkt->src_site = 2 + psync_fuzz_byte(f) % 4;
	pkt->src_inc = 1 + psync_fuzz_byte(f) % 4;
	pkt->cid = PSYNC_FUZZ_CID;
	pkt->digest = f->img.p.digest;
	pkt->group = f->img.p.group;
	pkt->number = f->img.p.number;
	pkt->opening = psync_fuzz_byte(f) % 4;
}

/* GAP, MASK or RESTART. */
static void psync_fuzz_rare(struct psync_fuzz *f, struct psync_pkt *pkt)
{
	u8 about = psync_fuzz_byte(f);

	pkt->msg.about = about % f->n;
	if (!(about & 0x80))
		return;
	pkt->msg.kind = PSYNC_KIND_RESTART;
	if (about & 0x40)
		return;
	pkt->msg.kind = PSYNC_KIND_MASK;
	pkt->msg.op = PSYNC_MASK_OP_OUT + psync_fuzz_byte(f) % 3;
	pkt->msg.last = f->img.p.seq_base + psync_fuzz_number(f);
}

/* Its kind and who sends it: its own site, or another that has it. */
static void psync_fuzz_kind(struct psync_fuzz *f, struct psync_pkt *pkt)
{
	static const u8 kinds[] = { PSYNC_KIND_DATA, PSYNC_KIND_NULL,
				    PSYNC_KIND_END, PSYNC_KIND_GAP };
	u8 what = psync_fuzz_byte(f);

	pkt->msg.kind = kinds[what & 3];
	if (pkt->msg.kind == PSYNC_KIND_GAP)
		psync_fuzz_rare(f, pkt);
	pkt->msg.flags = what & (PSYNC_MSGF_RESENT | PSYNC_MSGF_ASK |
				 PSYNC_MSGF_REPEAT | PSYNC_MSGF_MANUAL);
	if (pkt->msg.kind != PSYNC_KIND_DATA)
		pkt->body_len = 0;
	pkt->src_site = f->pids[pkt->msg.sender].site;
	if (!(what & PSYNC_MSGF_FOREIGN))
		return;
	pkt->msg.flags |= PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt->src_site = 2 + (what >> 6) % 3;
	pkt->msg.inc = 1 + psync_fuzz_byte(f) % 4;
	pkt->msg.opening = 1 + psync_fuzz_byte(f) % 4;
}

static void psync_fuzz_msg(struct psync_fuzz *f)
{
	struct psync_wire_pid pids[PSYNC_FUZZ_PARTS];
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	__be32 stamp[PSYNC_FUZZ_PARTS];
	__be16 highs[PSYNC_FUZZ_PARTS];
	u8 bitmap[4] = { 0 };
	u64 base = f->img.p.seq_base, seq;
	u32 i;
	struct psync_pkt pkt;
	u8 flags;

	psync_fuzz_head(f, &pkt, PSYNC_PKT_MSG);
	flags = psync_fuzz_byte(f);
	pkt.msg.sender = psync_fuzz_byte(f) % f->n;
	pkt.msg.seq = base + psync_fuzz_number(f);
	pkt.msg.wave = psync_fuzz_number(f);
	pkt.msg.n = f->n;
	pkt.msg.dst_opening = flags & 4 ? psync_fuzz_number(f) : 0;
	pkt.body_len = flags & 8 ? psync_fuzz_number(f) & 0xffff : 1;
	if (flags & 0x10)
		pkt.body_len = U16_MAX;
	psync_fuzz_kind(f, &pkt);
	for (i = 0; i < f->n; i++) {
		pids[i].site = cpu_to_be32(f->pids[i].site);
		pids[i].port = cpu_to_be32(f->pids[i].port);
	}
	if (flags & 1) {
		pkt.msg.flags |= PSYNC_MSGF_START;
		pkt.msg.participants = pids;
	}
	if (flags & 2 || psync_wire_is_stamped(pkt.msg.kind)) {
		pkt.msg.flags |= PSYNC_MSGF_STAMP;
		for (i = 0; i < f->n; i++) {
			if (psync_wire_seq_set(stamp, highs, i, base +
					       psync_fuzz_number(f)))
				pkt.msg.highs = highs;
			if (psync_fuzz_byte(f) & 1) {
				bitmap[i / 8] |= 1 << i % 8;
				pkt.msg.npred++;
			}
		}
		pkt.msg.stamp = stamp;
		pkt.msg.bitmap = bitmap;
		psync_fuzz_feed(f, &pkt);
		return;
	}
	for (i = 0; i < f->n && pkt.msg.npred < PSYNC_PREDS_LIST; i++) {
		if (!(psync_fuzz_byte(f) & 1))
			continue;
		seq = base + psync_fuzz_number(f);
		mids[pkt.msg.npred].index = cpu_to_be16(i);
		mids[pkt.msg.npred].seq_high = cpu_to_be16(seq >> 32);
		mids[pkt.msg.npred++].seq = cpu_to_be32((u32)seq);
	}
	pkt.msg.preds = mids;
	psync_fuzz_feed(f, &pkt);
}

/* What an ACK, RR, GONE, RS or RS_ACK says beside its numbers. */
static void psync_fuzz_about(struct psync_fuzz *f, struct psync_pkt *pkt,
			     u8 what)
{
	switch (pkt->type) {
	case PSYNC_PKT_ACK:
		pkt->vector.flags = what >> 2 & 3;
		if (what & 4)
			pkt->vector.token = psync_fuzz_byte(f);
		if (what & 8)
			pkt->vector.echo = what & 0x10 ? f->token :
							 psync_fuzz_byte(f);
		break;
	case PSYNC_PKT_GONE:
		pkt->vector.seq = psync_fuzz_number(f);
		if (!(what & 4))
			break;
		pkt->vector.flags = PSYNC_VECTORF_SKIP;
		pkt->vector.echo = psync_fuzz_byte(f) % 4;
		break;
	case PSYNC_PKT_RS:
	case PSYNC_PKT_RS_ACK:
		pkt->vector.token = 1 + psync_fuzz_byte(f) % 4;
		if (what & 4 && pkt->type == PSYNC_PKT_RS_ACK)
			pkt->vector.echo = f->token;
		pkt->vector.index = psync_fuzz_byte(f) % f->n;
		pkt->vector.seq = psync_fuzz_number(f);
		pkt->vector.flags = psync_fuzz_byte(f);
		break;
	default:
		if (!(what & 4))
			break;
		pkt->vector.flags = PSYNC_VECTORF_MID;
		pkt->vector.index = psync_fuzz_byte(f) % f->n;
		pkt->vector.seq = f->img.p.seq_base + psync_fuzz_number(f);
	}
}

/*
 * An ACK, RR, GONE, RS or RS_ACK: true to what this image has, more or less, or
 * any.
 */
static void psync_fuzz_vector(struct psync_fuzz *f)
{
	__be32 seqs[PSYNC_FUZZ_PARTS];
	__be16 highs[PSYNC_FUZZ_PARTS];
	u8 what = psync_fuzz_byte(f);
	struct psync_pkt pkt;
	u64 seq;
	u32 i;

	psync_fuzz_head(f, &pkt, what & 1 ? PSYNC_PKT_RR : PSYNC_PKT_ACK);
	if ((what & 0xc1) == 0x81)
		pkt.type = PSYNC_PKT_GONE;
	else if ((what & 0xc1) == 0xc1)
		pkt.type = what & 8 ? PSYNC_PKT_RS : PSYNC_PKT_RS_ACK;
	pkt.vector.n = f->n;
	pkt.vector.dst_opening = what & 2 ? f->img.opening : 0;
	psync_fuzz_about(f, &pkt, what);
	for (i = 0; i < f->n; i++) {
		seq = f->img.p.seq_base + psync_fuzz_number(f);
		if (what & 0x20 && f->img.p.pids)
			seq = f->img.parts[i].seq -
			      min_t(u64, psync_fuzz_byte(f) % 4,
				    f->img.parts[i].seq - f->img.p.seq_base);
		if (psync_wire_seq_set(seqs, highs, i, seq))
			pkt.vector.highs = highs;
	}
	if (pkt.type == PSYNC_PKT_ACK) {
		pkt.vector.credit_bytes = psync_fuzz_byte(f) << 8;
		pkt.vector.credit_msgs = psync_fuzz_byte(f);
		pkt.vector.marks = psync_fuzz_byte(f) % 4;
		if (!pkt.vector.credit_msgs) {
			pkt.vector.flags |= PSYNC_VECTORF_SLOW;
			pkt.vector.index = psync_fuzz_byte(f) % f->n;
		}
	}
	pkt.vector.seqs = seqs;
	psync_fuzz_feed(f, &pkt);
}

static void psync_fuzz_hello(struct psync_fuzz *f)
{
	struct psync_pkt pkt;
	u8 kind = psync_fuzz_byte(f);

	if (kind % 3 == 2) {
		psync_fuzz_head(f, &pkt, PSYNC_PKT_REFUSE);
		pkt.refuse.reason = 1 + kind / 3 % 3;
		pkt.refuse.opening = psync_fuzz_byte(f) % 4;
		pkt.refuse.digest = f->img.p.digest;
		psync_fuzz_feed(f, &pkt);
		return;
	}
	psync_fuzz_head(f, &pkt, kind % 3 ? PSYNC_PKT_HELLO_ACK :
					    PSYNC_PKT_HELLO);
	pkt.hello.nonce = kind & 0x80 ? 1 + psync_fuzz_number(f) : f->asked;
	if (pkt.type == PSYNC_PKT_HELLO_ACK) {
		pkt.hello.known = psync_fuzz_byte(f) % 4;
		pkt.hello.state = psync_fuzz_byte(f) % 3;
		if (pkt.hello.state == PSYNC_HELLO_CLOSED)
			pkt.hello.age = psync_fuzz_number(f);
	}
	psync_fuzz_feed(f, &pkt);
}

static void psync_fuzz_raw(struct psync_fuzz *f)
{
	u32 len = (u32)psync_fuzz_byte(f) << 8 | psync_fuzz_byte(f);
	struct psync_fuzz_body *body = NULL;
	enum psync_drop drop;
	struct psync_pkt pkt;
	u8 *buf;

	if (len > f->size)
		len = f->size;
	buf = malloc(len ? len : 1);
	psync_fuzz_require(buf);
	memcpy(buf, f->data, len);
	f->data += len;
	f->size -= len;
	if (psync_wire_need(buf, len) <= len &&
	    !psync_wire_decode(buf, len, len, &pkt) &&
	    pkt.cid == PSYNC_FUZZ_CID && pkt.type != PSYNC_PKT_DGRAM) {
		if (pkt.type == PSYNC_PKT_MSG &&
		    pkt.msg.kind == PSYNC_KIND_DATA)
			body = psync_fuzz_body(f);
		drop = psync_image_input(&f->img, &pkt, body, f->now);
		if (drop && body)
			psync_fuzz_put(f, body);
	}
	free(buf);
}

/* Participants. */

static void psync_fuzz_join(struct psync_fuzz *f, u32 i)
{
	bool pending = psync_fuzz_byte(f) & 1;

	if (f->in[i]) {
		psync_view_accept(&f->views[i], 1, ++f->openings, f->now);
		return;
	}
	memset(&f->views[i], 0, sizeof(f->views[i]));
	f->views[i].pending = pending;
	f->in[i] = !psync_image_join(&f->img, &f->views[i], i, 1,
				     ++f->openings, f->now);
}

/* A message that a checkpoint may name, or invent. */
static u64 psync_fuzz_leaf(struct psync_fuzz *f)
{
	u32 i = psync_fuzz_byte(f) % f->n;

	return PSYNC_MID(i, f->img.p.seq_base + psync_fuzz_number(f));
}

/* Is back, from up to three leaves, or from nothing. */
static void psync_fuzz_rejoin(struct psync_fuzz *f, u32 i)
{
	u8 what = psync_fuzz_byte(f);
	u64 leaves[3];
	struct psync_restart_how how = {
		.leaves = leaves,
		.nleaves = what % 4,
		.all = what & 0x10,
		.redo = what & 0x20,
	};
	u32 k;

	if (f->in[i] || !f->img.p.pids || f->pids[i].site != PSYNC_FUZZ_SITE)
		return;
	for (k = 0; k < how.nleaves; k++)
		leaves[k] = psync_fuzz_leaf(f);
	memset(&f->views[i], 0, sizeof(f->views[i]));
	f->in[i] = !psync_image_rejoin(&f->img, &f->views[i], i, 1,
				       ++f->openings, &how, f->now);
}

/* S5: out, with a cut or without, and in again. */
static void psync_fuzz_mask(struct psync_fuzz *f, u32 i)
{
	u8 what = psync_fuzz_byte(f);
	u32 index = what % f->n;
	u64 cut = PSYNC_MASK_NO_CUT;

	if (!f->in[i] || f->views[i].pending)
		return;
	if (what & 0x40)
		cut = f->img.p.seq_base + psync_fuzz_number(f);
	if (what & 0x80)
		psync_view_mask_in(&f->views[i], index, f->now);
	else
		psync_view_mask_out(&f->views[i], index, cut, f->now);
}

/* Whom it awaits to announce what it has. */
static void psync_fuzz_await(struct psync_fuzz *f, struct psync_view *view,
			     u32 index, u32 about)
{
	u64 stamp[PSYNC_FUZZ_PARTS];
	u32 others[PSYNC_FUZZ_PARTS];
	struct psync_announced said = { .stamp = stamp, .about = others };

	psync_mask_announced(view, about, &said);
	psync_fuzz_require(said.count <= f->n);
	psync_fuzz_require(!psync_mask_awaited(&f->img, index, &said) ||
			   said.count);
}

/* What a participant asks of its site. */
static void psync_fuzz_wish(struct psync_fuzz *f, u32 i)
{
	u8 what = psync_fuzz_byte(f);
	u64 arg = psync_fuzz_number(f);
	u64 ns;

	switch (what % 4) {
	case 0:
		psync_image_history(&f->img, arg << 8);
		break;
	case 1:
		if (f->in[i])
			psync_view_slow(&f->views[i], what / 4 %
					(PSYNC_SLOW_SUSPECT + 1),
					arg * 1000000, f->now);
		psync_image_slow(&f->img, &ns);
		break;
	case 2:
		if (f->in[i] && !f->views[i].pending && f->img.p.pids)
			psync_fuzz_await(f, &f->views[i], arg % f->n,
					 what / 4 % f->n);
		break;
	default:
		psync_fuzz_require(!f->img.p.pids ||
				   psync_image_part_index(&f->img,
							  &f->pids[i]) == i);
	}
}

static void psync_fuzz_send(struct psync_fuzz *f, u32 i)
{
	struct psync_fuzz_body *body;
	u64 mid;

	if (!f->in[i])
		return;
	body = psync_fuzz_body(f);
	if (psync_image_send(&f->img, &f->views[i], body,
			     psync_fuzz_number(f), &mid, f->now))
		psync_fuzz_put(f, body);
}

static void psync_fuzz_receive(struct psync_fuzz *f, u32 i)
{
	u32 count = psync_fuzz_byte(f) % 8;
	struct psync_node *node;

	while (f->in[i] && count-- &&
	       (node = psync_view_next(&f->views[i]))) {
		/* To one who only listens, what the kernel made waits, too. */
		if (!psync_view_counts(&f->views[i], node)) {
			psync_fuzz_require(f->views[i].pending);
			return;
		}
		psync_fuzz_require(!node->body ==
				   (node->kind != PSYNC_KIND_DATA) &&
				   f->views[i].outstanding);
		psync_view_take(&f->views[i], psync_node_mid(node), f->now);
	}
}

static void psync_fuzz_ask(struct psync_fuzz *f, u32 i)
{
	u64 mids[PSYNC_FUZZ_PARTS * 4];
	struct psync_view *view = &f->views[i];
	const struct psync_node *node;
	u32 others, sites, room;
	u64 mid, mid2;

	if (!f->in[i])
		return;
	room = psync_fuzz_byte(f) % ARRAY_SIZE(mids);
	mid = PSYNC_MID(psync_fuzz_byte(f) % (f->n + 1),
			f->img.p.seq_base + psync_fuzz_number(f));
	mid2 = PSYNC_MID(psync_fuzz_byte(f) % (f->n + 1),
			 f->img.p.seq_base + psync_fuzz_number(f));
	psync_view_roots(view, mids, room);
	psync_view_leaves(view, mids, room);
	psync_view_step(view, mid, true, mids, room);
	psync_view_step(view, mid, false, mids, room);
	psync_view_mids(view, 0, mids, room);
	psync_view_mids(view, mid, mids, room);
	psync_view_precedes(view, mid, mid2);
	psync_view_stable(view, mid, &others, &sites);
	psync_view_find(view, mid, &node);
	/* Who only listens has no socket that these could be asked of. */
	if (view->pending)
		return;
	psync_view_resend(view, mid, f->now);
	if (psync_fuzz_byte(f) & 1)
		psync_view_free(view, mid, f->now);
}

/* Time passes; the timer may run late. */
static void psync_fuzz_time(struct psync_fuzz *f, bool deadline)
{
	f->now += (u64)psync_fuzz_number(f) * (deadline ? 1 : 100000);
	if (deadline && f->img.deadline != U64_MAX)
		f->now = max(f->now, f->img.deadline);
	psync_image_timer(&f->img, f->now);
}

/* What a site without the image, or with it, says to a packet. */
static void psync_fuzz_absence(struct psync_fuzz *f)
{
	struct psync_pkt pkt, out;

	psync_fuzz_head(f, &pkt, psync_fuzz_byte(f) % (PSYNC_PKT_GONE + 1));
	if (pkt.type == PSYNC_PKT_MSG)
		pkt.msg.flags = psync_fuzz_byte(f);
	else if (pkt.type == PSYNC_PKT_ACK)
		pkt.vector.flags = psync_fuzz_byte(f);
	if (!psync_image_absence(&pkt, &out))
		return;
	out.src_site = pkt.src_site;
	out.src_inc = pkt.src_inc;
	psync_fuzz_feed(f, &out);
}

static void psync_fuzz_more(struct psync_fuzz *f, u8 op, u32 i)
{
	switch (op % 24) {
	case 16:
		if (f->in[i])
			psync_view_manual(&f->views[i], op & 0x80, f->now);
		if (f->in[i])
			psync_view_nulls(&f->views[i], op & 0x40, f->now);
		break;
	case 20:
		psync_fuzz_rejoin(f, i);
		break;
	case 21:
	case 22:
		psync_fuzz_mask(f, i);
		break;
	case 23:
		psync_fuzz_wish(f, i);
		break;
	default:
		psync_fuzz_msg(f);
		break;
	}
}

static void psync_fuzz_op(struct psync_fuzz *f)
{
	u8 op = psync_fuzz_byte(f);
	u32 i = psync_fuzz_byte(f) % f->n;

	switch (op % 24) {
	case 0:
		psync_fuzz_raw(f);
		break;
	case 1:
		psync_fuzz_hello(f);
		break;
	case 2:
		psync_fuzz_join(f, i);
		break;
	case 3:
		if (f->in[i])
			psync_image_leave(&f->img, &f->views[i], f->now);
		f->in[i] = false;
		break;
	case 4:
	case 12:
		psync_fuzz_time(f, op & 0x80);
		break;
	case 5:
		psync_image_start(&f->img, f->pids, f->n, f->now);
		break;
	case 6:
		f->fail = psync_fuzz_byte(f) % 32;
		break;
	case 7:
	case 8:
		psync_fuzz_send(f, i);
		break;
	case 9:
	case 10:
		psync_fuzz_receive(f, i);
		break;
	case 11:
		psync_fuzz_ask(f, i);
		break;
	case 13:
	case 14:
		psync_fuzz_vector(f);
		break;
	case 15:
		psync_fuzz_absence(f);
		break;
	default:
		psync_fuzz_more(f, op, i);
		break;
	}
	psync_image_over(&f->img);
	psync_fuzz_state(&f->img);
}

/* Participants at four sites, the first of them ours. */
static int psync_fuzz_open(struct psync_fuzz *f)
{
	u8 kind = psync_fuzz_byte(f);
	struct psync_image_params p = {
		.cid = PSYNC_FUZZ_CID,
		.group = 5,
		.site = PSYNC_FUZZ_SITE,
		.inc = PSYNC_FUZZ_INC,
	};
	u32 i;

	f->n = 2 + psync_fuzz_byte(f) % (PSYNC_FUZZ_PARTS - 1);
	for (i = 0; i < f->n; i++) {
		f->pids[i].site = i ? 1 + psync_fuzz_byte(f) % 4 :
				      PSYNC_FUZZ_SITE;
		f->pids[i].port = 10 + i;
	}
	p.digest = psync_wire_digest(f->pids, f->n);
	p.number = kind & 1;
	p.seq_base = kind & 2 ? 0xfffffff0 : 0;
	if (!(kind & 4) || p.number) {
		p.pids = f->pids;
		p.n = f->n;
	}
	p.limits.max_nodes = 1 + psync_fuzz_byte(f) % 16;
	p.limits.max_held = 1 + psync_fuzz_byte(f) % 16;
	p.limits.max_early = 1 + psync_fuzz_byte(f) % 16;
	p.limits.max_bytes = 1 + (psync_fuzz_byte(f) << 4);
	p.limits.max_pending = 1 + (psync_fuzz_byte(f) << 4);
	p.limits.hello_ns = 1000000;
	p.limits.hello_tries = 1 + psync_fuzz_byte(f) % 4;
	p.limits.ack_ns = 1 + psync_fuzz_byte(f) * 10000;
	p.limits.null_ns = 1 + psync_fuzz_byte(f) * 100000;
	p.limits.rto_ns = 1 + psync_fuzz_byte(f) * 100000;
	p.limits.rto_min_ns = 1 + psync_fuzz_byte(f) * 10000;
	p.limits.rto_max_ns = p.limits.rto_min_ns +
			      psync_fuzz_byte(f) * 1000000;
	p.limits.absent_ns = 1 + psync_fuzz_byte(f) * 1000000;
	p.limits.silent_ns = psync_fuzz_byte(f) * 1000000;
	p.limits.linger_ns = 1 + psync_fuzz_byte(f) * 1000000;
	p.limits.repair_rate = 1 + psync_fuzz_byte(f) * 16;
	p.limits.max_msgs = 1 + psync_fuzz_byte(f) % 32;
	p.limits.first_msgs = 1 + psync_fuzz_byte(f) % 32;
	p.limits.first_bytes = 1 + (psync_fuzz_byte(f) << 4);
	p.limits.slow = psync_fuzz_byte(f) % (PSYNC_SLOW_MASK + 1);
	p.limits.slow_ns = 1 + psync_fuzz_byte(f) * 1000000;
	p.limits.suspect_ns = psync_fuzz_byte(f) * 1000000;
	return psync_image_init(&f->img, &p, &psync_fuzz_ops);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psync_fuzz *f = calloc(1, sizeof(*f));
	u32 i;

	psync_fuzz_require(f);
	f->data = data;
	f->size = size;
	if (!psync_fuzz_open(f)) {
		for (i = 0; f->size && i < PSYNC_FUZZ_OPS; i++)
			psync_fuzz_op(f);
		for (i = 0; i < f->n; i++)
			if (f->in[i])
				psync_image_leave(&f->img, &f->views[i],
						  f->now);
		psync_image_destroy(&f->img);
	}
	psync_fuzz_require(!f->live && !f->bodies);
	free(f);
	return 0;
}
