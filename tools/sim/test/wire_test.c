// SPDX-License-Identifier: GPL-2.0-only
/* The wire format: round trips, and every malformed field with its reason. */
#include <linux/bitops.h>
#include "bed.h"

static u64 psync_wire_rng = 88172645463325252ULL;

static u64 psync_wire_random(void)
{
	psync_wire_rng ^= psync_wire_rng << 13;
	psync_wire_rng ^= psync_wire_rng >> 7;
	psync_wire_rng ^= psync_wire_rng << 17;
	return psync_wire_rng;
}

static u32 psync_wire_below(u32 bound)
{
	return psync_wire_random() % bound;
}

/* Arrays that a packet made here may point to. */
static struct psync_wire_pid psync_wire_pids[PSYNC_PARTICIPANTS_LIM];
static struct psync_wire_mid psync_wire_mids[PSYNC_PREDS_LIST];
static __be32 psync_wire_stamp[PSYNC_PARTICIPANTS_LIM];
static __be16 psync_wire_highs[PSYNC_PARTICIPANTS_LIM];
static u8 psync_wire_bitmap[PSYNC_PARTICIPANTS_LIM / 8];

/* Numbers of 48 bits, or, for NULL, of 32. */
static const __be16 *psync_wire_make_numbers(u32 n)
{
	bool high = psync_wire_below(2);
	u32 i;

	for (i = 0; i < n; i++) {
		psync_wire_stamp[i] = cpu_to_be32(psync_wire_random());
		psync_wire_highs[i] = high ? cpu_to_be16(psync_wire_random()) :
					     0;
	}
	return high ? psync_wire_highs : NULL;
}

static void psync_wire_make_context(struct psync_pkt *pkt)
{
	const __be16 *highs = psync_wire_make_numbers(pkt->msg.n);
	u32 n = pkt->msg.n;
	u32 i, k = 0;

	memset(psync_wire_bitmap, 0, sizeof(psync_wire_bitmap));
	/* Choose npred of n in order. */
	for (i = 0; i < n && k < pkt->msg.npred; i++) {
		if (psync_wire_below(n - i) >= pkt->msg.npred - k)
			continue;
		psync_wire_bitmap[i / 8] |= 1 << i % 8;
		if (pkt->msg.npred <= PSYNC_PREDS_LIST) {
			psync_wire_mids[k].index = cpu_to_be16(i);
			psync_wire_mids[k].seq_high = psync_wire_highs[i];
			psync_wire_mids[k].seq = psync_wire_stamp[i];
		}
		k++;
	}
	if (pkt->msg.npred <= PSYNC_PREDS_LIST) {
		pkt->msg.preds = psync_wire_mids;
		return;
	}
	pkt->msg.flags |= PSYNC_MSGF_STAMP;
	pkt->msg.stamp = psync_wire_stamp;
	pkt->msg.highs = highs;
	pkt->msg.bitmap = psync_wire_bitmap;
}

static void psync_wire_make_msg(struct psync_pkt *pkt)
{
	u32 i;

	pkt->msg.n = 2 + psync_wire_below(psync_wire_below(4) ? 30 : 1023);
	pkt->msg.npred = psync_wire_below(psync_wire_below(2) ? pkt->msg.n + 1 :
			min(pkt->msg.n, (u16)9));
	pkt->msg.sender = psync_wire_below(pkt->msg.n);
	pkt->msg.kind = PSYNC_KIND_DATA + psync_wire_below(4);
	pkt->msg.flags = psync_wire_random() &
		(PSYNC_MSGF_RESENT | PSYNC_MSGF_ASK | PSYNC_MSGF_REPEAT |
		 PSYNC_MSGF_MANUAL);
	pkt->msg.seq = PSYNC_MID_SEQ(psync_wire_random());
	pkt->msg.wave = 1 + psync_wire_below(U32_MAX);
	pkt->msg.binding = psync_wire_random();
	pkt->msg.dst_opening = psync_wire_random();
	pkt->opening |= 1;
	pkt->cid |= 1;
	if (psync_wire_below(2)) {
		pkt->msg.flags |= PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt->msg.inc = psync_wire_random() | 1;
		pkt->msg.opening = psync_wire_random() | 1;
	}
	if (pkt->msg.kind == PSYNC_KIND_DATA)
		pkt->body_len = psync_wire_below(50000);
	if (pkt->msg.kind == PSYNC_KIND_END)
		pkt->msg.op = psync_wire_below(2);
	if (pkt->msg.kind == PSYNC_KIND_MASK) {
		pkt->msg.op = PSYNC_MASK_OP_OUT + psync_wire_below(3);
		pkt->msg.about = psync_wire_below(pkt->msg.n - 1);
		pkt->msg.about += pkt->msg.about >= pkt->msg.sender;
		pkt->msg.last = psync_wire_random() >> 16;
	}
	if (pkt->msg.kind == PSYNC_KIND_DATA && psync_wire_below(2)) {
		pkt->number = 0;
		pkt->msg.flags |= PSYNC_MSGF_START;
		pkt->msg.participants = psync_wire_pids;
		for (i = 0; i < pkt->msg.n; i++) {
			psync_wire_pids[i].site =
				cpu_to_be32(1 + psync_wire_below(1000));
			psync_wire_pids[i].port = cpu_to_be32(1 + i);
		}
	}
	psync_wire_make_context(pkt);
}

static void psync_wire_make_hello(struct psync_pkt *pkt)
{
	pkt->hello.nonce = psync_wire_random() | 1;
	pkt->cid |= 1;
	if (pkt->type == PSYNC_PKT_HELLO)
		return;
	pkt->hello.known = psync_wire_random();
	pkt->hello.state = psync_wire_below(3);
	pkt->opening |= 1;
	if (pkt->hello.state == PSYNC_HELLO_NONE)
		pkt->opening = 0;
	if (pkt->hello.state == PSYNC_HELLO_CLOSED)
		pkt->hello.age = psync_wire_random();
}

static void psync_wire_make_vector(struct psync_pkt *pkt)
{
	pkt->cid |= 1;
	pkt->vector.dst_opening = psync_wire_random();
	pkt->vector.n = 2 + psync_wire_below(psync_wire_below(4) ? 30 : 1023);
	if (pkt->type == PSYNC_PKT_ACK) {
		pkt->vector.flags = psync_wire_below(4);
		pkt->vector.credit_bytes = psync_wire_random();
		pkt->vector.credit_msgs = psync_wire_random();
		pkt->vector.marks = psync_wire_random();
		if (psync_wire_below(2)) {
			pkt->vector.flags |= PSYNC_VECTORF_SLOW;
			pkt->vector.index = psync_wire_below(pkt->vector.n);
		}
	}
	if ((pkt->type == PSYNC_PKT_RR || pkt->type == PSYNC_PKT_RS) &&
	    psync_wire_below(2)) {
		pkt->vector.flags = PSYNC_VECTORF_MID;
	} else if (pkt->type == PSYNC_PKT_RR && psync_wire_below(2)) {
		pkt->vector.flags = PSYNC_VECTORF_LAST;
		pkt->vector.index = psync_wire_below(pkt->vector.n);
	}
	if (pkt->type == PSYNC_PKT_GONE) {
		pkt->opening |= 1;
		pkt->vector.seq = (u32)psync_wire_random();
	}
	if (pkt->vector.flags & PSYNC_VECTORF_ASK)
		pkt->vector.token = psync_wire_random();
	if (pkt->vector.flags & PSYNC_VECTORF_ECHO)
		pkt->vector.echo = psync_wire_random();
	if (pkt->vector.flags & PSYNC_VECTORF_MID) {
		pkt->vector.seq = PSYNC_MID_SEQ(psync_wire_random());
		pkt->vector.index = psync_wire_below(pkt->vector.n);
	}
	pkt->vector.highs = psync_wire_make_numbers(pkt->vector.n);
	pkt->vector.seqs = psync_wire_stamp;
}

static bool psync_wire_plain(u8 type)
{
	return type == PSYNC_PKT_DGRAM || type == PSYNC_PKT_FRAG ||
	       type == PSYNC_PKT_FRAG_ACK;
}

static void psync_wire_make_frag(struct psync_pkt *pkt)
{
	u32 count = 2 + psync_wire_below(9), left;

	pkt->dst_site |= 1;
	pkt->frag.lowest = 1 + psync_wire_random() / 4;
	pkt->frag.id = pkt->frag.lowest + psync_wire_below(1000);
	pkt->frag.size = PSYNC_FRAG_LEAST + psync_wire_below(60000);
	pkt->frag.total = (count - 1) * pkt->frag.size + 1 +
			  psync_wire_below(pkt->frag.size);
	pkt->frag.index = psync_wire_below(count);
	pkt->frag.turn = psync_wire_random() | 1;
	pkt->frag.wait = psync_wire_random();
	pkt->frag.flags = psync_wire_below(2);
	left = pkt->frag.total - pkt->frag.index * pkt->frag.size;
	pkt->body_len = min_t(u32, left, pkt->frag.size);
}

static void psync_wire_make_frag_ack(struct psync_pkt *pkt)
{
	u32 i;

	pkt->dst_site |= 1;
	pkt->frag_ack.id = psync_wire_random() | 1;
	pkt->frag_ack.base = psync_wire_random() | 1;
	pkt->frag_ack.turn = psync_wire_random() | 1;
	pkt->frag_ack.state = psync_wire_below(2);
	pkt->frag_ack.marks = psync_wire_random();
	memset(psync_wire_bitmap, 0, sizeof(psync_wire_bitmap));
	for (i = 0; !pkt->frag_ack.state && i < PSYNC_FRAG_WINDOW / 8; i++)
		psync_wire_bitmap[i] = psync_wire_random();
	psync_wire_bitmap[0] &= ~1;
	pkt->frag_ack.bitmap = psync_wire_bitmap;
}

static void psync_wire_make(struct psync_pkt *pkt, u8 type)
{
	*pkt = (struct psync_pkt){
		.type		= type,
		.src_site	= psync_wire_random() | 1,
		.dst_site	= psync_wire_random(),
		.src_inc	= psync_wire_random() | 1,
		.dst_inc	= psync_wire_random(),
	};
	if (!psync_wire_plain(type)) {
		pkt->cid = psync_wire_random();
		pkt->digest = psync_wire_random();
		pkt->group = psync_wire_random();
		pkt->number = psync_wire_random();
		pkt->opening = psync_wire_random();
	}
	switch (type) {
	case PSYNC_PKT_MSG:
		psync_wire_make_msg(pkt);
		break;
	case PSYNC_PKT_HELLO:
	case PSYNC_PKT_HELLO_ACK:
		psync_wire_make_hello(pkt);
		break;
	case PSYNC_PKT_REFUSE:
		pkt->cid |= 1;
		pkt->refuse.reason = 1 + psync_wire_below(3);
		pkt->refuse.opening = psync_wire_random() | 1;
		pkt->refuse.digest = psync_wire_random() | 1;
		break;
	case PSYNC_PKT_DGRAM:
		pkt->dgram.src_port = psync_wire_random() | 1;
		pkt->dgram.src_binding = psync_wire_random();
		if (psync_wire_below(2)) {
			pkt->dgram.dst_port = psync_wire_random() | 1;
			pkt->dgram.dst_binding = psync_wire_random();
		} else {
			pkt->dgram.group = psync_wire_random() | 1;
			pkt->dgram.digest = psync_wire_random() | 1;
		}
		pkt->body_len = psync_wire_below(60000);
		break;
	case PSYNC_PKT_ACK:
	case PSYNC_PKT_RR:
	case PSYNC_PKT_GONE:
		psync_wire_make_vector(pkt);
		break;
	case PSYNC_PKT_FRAG:
		psync_wire_make_frag(pkt);
		break;
	case PSYNC_PKT_FRAG_ACK:
		psync_wire_make_frag_ack(pkt);
		break;
	}
}

static void psync_wire_same_msg(const struct psync_pkt *a,
				const struct psync_pkt *b)
{
	u32 n = a->msg.n;

	assert_int_equal(a->msg.sender, b->msg.sender);
	assert_int_equal(a->msg.kind, b->msg.kind);
	assert_int_equal(a->msg.op, b->msg.op);
	assert_int_equal(a->msg.about, b->msg.about);
	assert_int_equal(a->msg.last, b->msg.last);
	assert_int_equal(a->msg.flags, b->msg.flags);
	assert_int_equal(a->msg.seq, b->msg.seq);
	assert_int_equal(a->msg.wave, b->msg.wave);
	assert_int_equal(a->msg.binding, b->msg.binding);
	assert_int_equal(a->msg.dst_opening, b->msg.dst_opening);
	assert_int_equal(a->msg.n, b->msg.n);
	assert_int_equal(a->msg.npred, b->msg.npred);
	assert_int_equal(a->msg.inc, b->msg.inc);
	assert_int_equal(a->msg.opening, b->msg.opening);
	assert_int_equal(!a->msg.participants, !b->msg.participants);
	if (a->msg.participants)
		assert_memory_equal(a->msg.participants, b->msg.participants,
				    n * sizeof(struct psync_wire_pid));
	assert_int_equal(!a->msg.stamp, !b->msg.stamp);
	if (a->msg.stamp) {
		assert_memory_equal(a->msg.stamp, b->msg.stamp, n * 4);
		assert_int_equal(!a->msg.highs, !b->msg.highs);
		if (a->msg.highs)
			assert_memory_equal(a->msg.highs, b->msg.highs, n * 2);
		assert_memory_equal(a->msg.bitmap, b->msg.bitmap,
				    DIV_ROUND_UP(n, 32) * 4);
		assert_null(b->msg.preds);
	} else {
		assert_memory_equal(a->msg.preds, b->msg.preds,
				    a->msg.npred * 8);
		assert_null(b->msg.bitmap);
	}
}

static void psync_wire_same_vector(const struct psync_pkt *a,
				   const struct psync_pkt *b)
{
	assert_int_equal(a->vector.dst_opening, b->vector.dst_opening);
	assert_int_equal(a->vector.token, b->vector.token);
	assert_int_equal(a->vector.echo, b->vector.echo);
	assert_int_equal(a->vector.seq, b->vector.seq);
	assert_int_equal(a->vector.index, b->vector.index);
	assert_int_equal(a->vector.n, b->vector.n);
	assert_int_equal(a->vector.flags, b->vector.flags);
	assert_int_equal(a->vector.credit_bytes, b->vector.credit_bytes);
	assert_int_equal(a->vector.credit_msgs, b->vector.credit_msgs);
	assert_int_equal(a->vector.marks, b->vector.marks);
	assert_memory_equal(a->vector.seqs, b->vector.seqs,
			    a->vector.n * sizeof(__be32));
	assert_int_equal(!a->vector.highs, !b->vector.highs);
	if (a->vector.highs)
		assert_memory_equal(a->vector.highs, b->vector.highs,
				    a->vector.n * sizeof(__be16));
}

static void psync_wire_same_frag(const struct psync_pkt *a,
				 const struct psync_pkt *b)
{
	assert_int_equal(a->frag.id, b->frag.id);
	assert_int_equal(a->frag.lowest, b->frag.lowest);
	assert_int_equal(a->frag.total, b->frag.total);
	assert_int_equal(a->frag.index, b->frag.index);
	assert_int_equal(a->frag.turn, b->frag.turn);
	assert_int_equal(a->frag.wait, b->frag.wait);
	assert_int_equal(a->frag.size, b->frag.size);
	assert_int_equal(a->frag.flags, b->frag.flags);
}

static void psync_wire_same_frag_ack(const struct psync_pkt *a,
				     const struct psync_pkt *b)
{
	assert_int_equal(a->frag_ack.id, b->frag_ack.id);
	assert_int_equal(a->frag_ack.base, b->frag_ack.base);
	assert_int_equal(a->frag_ack.turn, b->frag_ack.turn);
	assert_int_equal(a->frag_ack.state, b->frag_ack.state);
	assert_int_equal(a->frag_ack.marks, b->frag_ack.marks);
	assert_memory_equal(a->frag_ack.bitmap, b->frag_ack.bitmap,
			    PSYNC_FRAG_WINDOW / 8);
}

static void psync_wire_same(const struct psync_pkt *a,
			    const struct psync_pkt *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->src_site, b->src_site);
	assert_int_equal(a->dst_site, b->dst_site);
	assert_int_equal(a->src_inc, b->src_inc);
	assert_int_equal(a->dst_inc, b->dst_inc);
	assert_int_equal(a->body_len, b->body_len);
	if (!psync_wire_plain(a->type)) {
		assert_int_equal(a->cid, b->cid);
		assert_int_equal(a->digest, b->digest);
		assert_int_equal(a->group, b->group);
		assert_int_equal(a->number, b->number);
		assert_int_equal(a->opening, b->opening);
	}
	switch (a->type) {
	case PSYNC_PKT_MSG:
		psync_wire_same_msg(a, b);
		break;
	case PSYNC_PKT_HELLO:
	case PSYNC_PKT_HELLO_ACK:
		assert_int_equal(a->hello.nonce, b->hello.nonce);
		assert_int_equal(a->hello.known, b->hello.known);
		assert_int_equal(a->hello.age, b->hello.age);
		assert_int_equal(a->hello.state, b->hello.state);
		break;
	case PSYNC_PKT_REFUSE:
		assert_int_equal(a->refuse.reason, b->refuse.reason);
		assert_int_equal(a->refuse.opening, b->refuse.opening);
		assert_int_equal(a->refuse.digest, b->refuse.digest);
		break;
	case PSYNC_PKT_DGRAM:
		assert_int_equal(a->dgram.src_port, b->dgram.src_port);
		assert_int_equal(a->dgram.src_binding, b->dgram.src_binding);
		assert_int_equal(a->dgram.dst_port, b->dgram.dst_port);
		assert_int_equal(a->dgram.dst_binding, b->dgram.dst_binding);
		assert_int_equal(a->dgram.group, b->dgram.group);
		assert_int_equal(a->dgram.digest, b->dgram.digest);
		break;
	case PSYNC_PKT_ACK:
	case PSYNC_PKT_RR:
	case PSYNC_PKT_GONE:
		psync_wire_same_vector(a, b);
		break;
	case PSYNC_PKT_FRAG:
		psync_wire_same_frag(a, b);
		break;
	case PSYNC_PKT_FRAG_ACK:
		psync_wire_same_frag_ack(a, b);
		break;
	}
}

/* Encodes into memory that ASan watches, odd bytes off alignment. */
static u8 *psync_wire_pack(const struct psync_pkt *pkt, u32 odd, u32 *len)
{
	u8 *mem;

	*len = psync_wire_hdr_size(pkt);
	mem = malloc(*len + odd);
	assert_non_null(mem);
	memset(mem, 0xa5, *len + odd);
	psync_wire_encode(pkt, mem + odd);
	return mem;
}

static void psync_wire_test_round_trip(void **state)
{
	struct psync_pkt in, out;
	u32 len, i, need, odd;
	u8 *mem;

	for (i = 0; i < 20000; i++) {
		psync_wire_make(&in, 1 + i % PSYNC_PKT_FRAG_ACK);
		odd = i % 4;
		mem = psync_wire_pack(&in, odd, &len);
		assert_true(len <= PSYNC_WIRE_MAX);
		for (need = 0; psync_wire_need(mem + odd, need) > need;)
			need = psync_wire_need(mem + odd, need);
		assert_int_equal(need, len);
		/* Padding after the packet is no matter. */
		assert_int_equal(psync_wire_decode(mem + odd, len,
						   len + in.body_len + i % 3,
						   &out), PSYNC_OK);
		assert_int_equal(out.hdr_len, len);
		psync_wire_same(&in, &out);
		free(mem);
	}
}

/* What was cut off anywhere is never read and never accepted. */
static void psync_wire_test_truncated(void **state)
{
	struct psync_pkt in, out;
	enum psync_drop drop;
	u32 len, i, cut;
	u8 *mem, *part;

	for (i = 0; i < 300; i++) {
		psync_wire_make(&in, 1 + i % PSYNC_PKT_FRAG_ACK);
		mem = psync_wire_pack(&in, 0, &len);
		for (cut = 0; cut < len; cut += 1 + cut / 100) {
			part = malloc(cut + 1);
			assert_non_null(part);
			memcpy(part + 1, mem, cut);
			assert_true(psync_wire_need(part + 1, cut) > cut);
			drop = psync_wire_decode(part + 1, cut, cut, &out);
			assert_true(drop == PSYNC_DROP_TOO_SHORT ||
				    drop == PSYNC_DROP_BAD_LENGTH);
			if (cut < 72)
				assert_int_equal(drop, PSYNC_DROP_TOO_SHORT);
			drop = psync_wire_decode(part + 1, cut,
						 len + in.body_len, &out);
			assert_int_equal(drop, PSYNC_DROP_TOO_SHORT);
			free(part);
		}
		/* One byte of the body is missing. */
		if (in.body_len)
			assert_int_equal(psync_wire_decode(mem, len,
							   len + in.body_len - 1,
							   &out),
					 PSYNC_DROP_BAD_LENGTH);
		free(mem);
	}
}

/* Any single flipped bit is either refused or gives what encodes to it. */
static void psync_wire_test_canonical(void **state)
{
	struct psync_pkt in, out;
	u32 len, again, i, bit;
	u8 *mem, *copy;

	for (i = 0; i < 140; i++) {
		psync_wire_make(&in, 1 + i % PSYNC_PKT_FRAG_ACK);
		if (psync_wire_hdr_size(&in) > 500)
			continue;
		mem = psync_wire_pack(&in, 0, &len);
		for (bit = 0; bit < len * 8; bit++) {
			mem[bit / 8] ^= 1 << bit % 8;
			if (!psync_wire_decode(mem, len, 65535, &out)) {
				copy = psync_wire_pack(&out, 0, &again);
				assert_int_equal(again, out.hdr_len);
				/* The checksum is the link's. */
				copy[6] = mem[6];
				copy[7] = mem[7];
				assert_memory_equal(copy, mem, again);
				free(copy);
			}
			mem[bit / 8] ^= 1 << bit % 8;
		}
		free(mem);
	}
}

/* What will be dropped anyway needs no more bytes. */
static void psync_wire_test_need(void **state)
{
	struct psync_pkt in;
	u32 len;
	u8 *mem;

	psync_wire_make(&in, PSYNC_PKT_MSG);
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_need(mem, 39), 40);
	assert_int_equal(psync_wire_need(mem, 40), PSYNC_WIRE_FIXED);
	assert_int_equal(psync_wire_need(mem, PSYNC_WIRE_FIXED), len);
	mem[0] = 2;
	assert_int_equal(psync_wire_need(mem, len), 40);
	mem[0] = PSYNC_WIRE_VERSION;
	mem[1] = PSYNC_PKT_FRAG_ACK + 1;
	assert_int_equal(psync_wire_need(mem, len), 40);
	mem[1] = PSYNC_PKT_MSG;
	mem[92] = 0xff;
	assert_int_equal(psync_wire_need(mem, len), PSYNC_WIRE_FIXED);
	mem[92] = 0;
	mem[93] = 10;
	mem[94] = 0;
	mem[95] = PSYNC_PREDS_LIST + 1;
	mem[74] = PSYNC_KIND_DATA;
	mem[75] = 0;
	assert_int_equal(psync_wire_need(mem, len), PSYNC_WIRE_FIXED);
	mem[95] = PSYNC_PREDS_LIST;
	assert_int_equal(psync_wire_need(mem, len),
			 PSYNC_WIRE_FIXED + PSYNC_PREDS_LIST * 8);
	mem[75] = PSYNC_MSGF_FOREIGN;
	assert_int_equal(psync_wire_need(mem, len),
			 PSYNC_WIRE_FIXED + 16 + PSYNC_PREDS_LIST * 8);
	free(mem);

	psync_wire_make(&in, PSYNC_PKT_RR);
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_need(mem, 40), 108);
	assert_int_equal(psync_wire_need(mem, 107), 108);
	assert_int_equal(psync_wire_need(mem, 108), len);
	mem[90] = 4;
	mem[91] = 0;
	mem[92] = 0;
	assert_int_equal(psync_wire_need(mem, 108), 108 + 1024 * 4);
	mem[92] = PSYNC_VECTORF_HIGH;
	assert_int_equal(psync_wire_need(mem, 108), 108 + 1024 * 6);
	mem[91] = 1;
	assert_int_equal(psync_wire_need(mem, 108), 108);
	free(mem);
}

/* Noise: the decoder survives, and need never exceeds its bound. */
static void psync_wire_test_noise(void **state)
{
	struct psync_pkt out;
	u32 i, j, len;
	u8 *mem;

	for (i = 0; i < 20000; i++) {
		len = psync_wire_below(300);
		mem = malloc(len + 1);
		assert_non_null(mem);
		for (j = 0; j < len; j++)
			mem[j] = psync_wire_random();
		if (len > 1) {
			mem[0] = PSYNC_WIRE_VERSION;
			mem[1] = 1 + i % PSYNC_PKT_FRAG_ACK;
		}
		assert_true(psync_wire_need(mem, len) <= PSYNC_WIRE_MAX);
		psync_wire_decode(mem, len, len, &out);
		free(mem);
	}
}

/**
 * struct psync_wire_break - one malformed byte and what becomes of it
 * type: of the packet
 * form: of a message: with a list, with a stamp, or sent for another
 * at: offset of the byte
 * mask: bits of it that are flipped
 * drop: the reason
 */
struct psync_wire_break {
	u8		type;
	u8		form;
	u32		at;
	u8		mask;
	enum psync_drop	drop;
};

#define MSG	PSYNC_PKT_MSG
#define HELLO	PSYNC_PKT_HELLO
#define ANSWER	PSYNC_PKT_HELLO_ACK
#define REFUSE	PSYNC_PKT_REFUSE
#define DGRAM	PSYNC_PKT_DGRAM
#define ACK	PSYNC_PKT_ACK
#define RR	PSYNC_PKT_RR
#define GONE	PSYNC_PKT_GONE
#define FRAG	PSYNC_PKT_FRAG
#define ANSWERED PSYNC_PKT_FRAG_ACK
/* Forms of a message. */
#define LIST	0
#define STAMP	1
#define FOREIGN	2

/*
 * The message: n 10, START, sender 3, wave 2, 2 predecessors (1, 4), or with a
 * stamp 9 of them, all but 9.  Its list is at 104 + 80.  Of another, its
 * origin is at 104.  ACK and RR: n 10, the vector at 108.
 */
static const struct psync_wire_break psync_wire_breaks[] = {
	{ MSG, 0, 0, 0x03, PSYNC_DROP_BAD_VERSION },
	{ MSG, 0, 1, 0x0a, PSYNC_DROP_BAD_TYPE },
	{ MSG, 0, 1, 0xff, PSYNC_DROP_BAD_TYPE },
	{ MSG, 0, 2, 0x80, PSYNC_DROP_BAD_HEADER },	/* flags */
	{ MSG, 0, 3, 0x01, PSYNC_DROP_BAD_HEADER },
	{ MSG, 0, 4, 0x80, PSYNC_DROP_BAD_LENGTH },	/* len */
	{ MSG, 0, 5, 0x01, PSYNC_DROP_BAD_LENGTH },
	{ MSG, 0, 11, 0x01, PSYNC_DROP_BAD_HEADER },	/* src_site 1 */
	{ MSG, 0, 23, 0x05, PSYNC_DROP_BAD_HEADER },	/* src_inc 5 */
	{ MSG, 0, 32, 0x01, PSYNC_DROP_BAD_HEADER },	/* seal */
	{ MSG, 0, 39, 0x80, PSYNC_DROP_BAD_HEADER },
	{ MSG, 0, 47, 0x09, PSYNC_DROP_BAD_HEADER },	/* cid 9 */
	{ MSG, 0, 63, 0x01, PSYNC_DROP_BAD_HEADER },	/* number with START */
	{ MSG, 0, 67, 0x04, PSYNC_DROP_BAD_HEADER },	/* opening 4 */
	{ MSG, 0, 68, 0x01, PSYNC_DROP_BAD_HEADER },	/* view */
	{ MSG, 0, 71, 0x01, PSYNC_DROP_BAD_HEADER },
	{ MSG, 0, 72, 0x01, PSYNC_DROP_NOT_MEMBER },	/* sender */
	{ MSG, 0, 73, 0x09, PSYNC_DROP_NOT_MEMBER },	/* 3 ^ 9 = 10 = n */
	{ MSG, 0, 74, 0x01, PSYNC_DROP_BAD_KIND },
	{ MSG, 0, 74, 0x05, PSYNC_DROP_BAD_KIND },
	{ MSG, 0, 74, 0x02, PSYNC_DROP_BAD_KIND },	/* END with START */
	{ MSG, 0, 74, 0x03, PSYNC_DROP_BAD_KIND },	/* null with START */
	{ MSG, 0, 75, 0x80, PSYNC_DROP_BAD_HEADER },	/* message flags */
	{ MSG, 0, 75, 0x20, PSYNC_DROP_BAD_HEADER },	/* not sent before */
	{ MSG, FOREIGN, 75, 0x10, PSYNC_DROP_BAD_HEADER },
	{ MSG, FOREIGN, 75, 0x20, PSYNC_DROP_BAD_LENGTH },
	{ MSG, FOREIGN, 111, 0x07, PSYNC_DROP_BAD_HEADER }, /* inc 7 */
	{ MSG, FOREIGN, 115, 0x08, PSYNC_DROP_BAD_HEADER }, /* opening 8 */
	{ MSG, FOREIGN, 116, 0x01, PSYNC_DROP_BAD_HEADER }, /* reserved */
	{ MSG, FOREIGN, 119, 0x80, PSYNC_DROP_BAD_HEADER },
	{ MSG, FOREIGN, 123, 0x65, PSYNC_DROP_BAD_PARTICIPANTS },
	{ MSG, 0, 75, 0x01, PSYNC_DROP_BAD_LENGTH },	/* no list then */
	{ MSG, 0, 75, 0x02, PSYNC_DROP_TOO_SHORT },	/* a stamp */
	{ MSG, 0, 83, 0x02, PSYNC_DROP_BAD_WAVE },
	{ MSG, 0, 92, 0x04, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 1034 */
	{ MSG, 0, 92, 0xff, PSYNC_DROP_BAD_PARTICIPANTS },
	{ MSG, 0, 93, 0x0a, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 0 */
	{ MSG, 0, 93, 0x0b, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 1 */
	{ MSG, 0, 94, 0x01, PSYNC_DROP_BAD_CONTEXT },	/* npred > n */
	{ MSG, 0, 95, 0x08, PSYNC_DROP_BAD_CONTEXT },	/* list of 10 */
	{ MSG, 0, 95, 0x02, PSYNC_DROP_BAD_LENGTH },	/* list of 0 */
	{ MSG, 0, 96, 0x01, PSYNC_DROP_BAD_HEADER },	/* class */
	{ MSG, 0, 97, 0x01, PSYNC_DROP_BAD_HEADER },
	{ MSG, 0, 100, 0x80, PSYNC_DROP_BAD_LENGTH },	/* body_len */
	{ MSG, 0, 103, 0x01, PSYNC_DROP_BAD_LENGTH },
	{ MSG, 0, 107, 0x65, PSYNC_DROP_BAD_PARTICIPANTS }, /* site 0x65 */
	{ MSG, 0, 183, 0x0a, PSYNC_DROP_BAD_PARTICIPANTS }, /* last port */
	{ MSG, 0, 185, 0x05, PSYNC_DROP_BAD_CONTEXT },	/* 4, 4 */
	{ MSG, 0, 185, 0x04, PSYNC_DROP_BAD_CONTEXT },	/* 5, 4 */
	{ MSG, 0, 193, 0x0e, PSYNC_DROP_BAD_CONTEXT },	/* 1, 10 */
	{ MSG, 0, 192, 0x80, PSYNC_DROP_BAD_CONTEXT },
	{ MSG, 1, 75, 0x02, PSYNC_DROP_BAD_CONTEXT },	/* list of 9 */
	{ MSG, 1, 75, 0x80, PSYNC_DROP_TOO_SHORT },	/* no high halves */
	{ MSG, 1, 95, 0x01, PSYNC_DROP_BAD_CONTEXT },	/* stamp with 8 */
	{ MSG, 1, 95, 0x03, PSYNC_DROP_BAD_CONTEXT },	/* 9 bits, not 10 */
	{ MSG, 1, 104 + 80 + 40, 0x01, PSYNC_DROP_BAD_CONTEXT },
	{ MSG, 1, 104 + 80 + 41, 0x02, PSYNC_DROP_BAD_CONTEXT },
	{ FRAG, 0, 15, 0x02, PSYNC_DROP_BAD_HEADER },	/* dst_site 2 */
	{ FRAG, 0, 47, 0x02, PSYNC_DROP_BAD_HEADER },	/* id below lowest */
	{ FRAG, 0, 48, 0x80, PSYNC_DROP_BAD_HEADER },	/* lowest above id */
	{ FRAG, 0, 56, 0x04, PSYNC_DROP_BAD_FRAG },	/* total beyond most */
	{ FRAG, 0, 58, 0x03, PSYNC_DROP_BAD_FRAG },	/* total 232, index 6 */
	{ FRAG, 1, 59, 0x68, PSYNC_DROP_BAD_FRAG },	/* index 7 of 7 */
	{ FRAG, 1, 59, 0x01, PSYNC_DROP_BAD_LENGTH },	/* the last is longer */
	{ FRAG, 0, 60, 0x80, PSYNC_DROP_BAD_FRAG },	/* index */
	{ FRAG, 0, 63, 0x0e, PSYNC_DROP_BAD_FRAG },
	{ FRAG, 0, 63, 0x01, PSYNC_DROP_BAD_LENGTH },	/* it is the last */
	{ FRAG, 0, 67, 0x08, PSYNC_DROP_BAD_HEADER },	/* turn 8 */
	{ FRAG, 0, 73, 0x80, PSYNC_DROP_BAD_FRAG },	/* size 0 */
	{ FRAG, 0, 73, 0xff, PSYNC_DROP_BAD_FRAG },	/* size 127 */
	{ FRAG, 0, 72, 0x04, PSYNC_DROP_BAD_FRAG },	/* size beyond total */
	{ FRAG, 0, 73, 0x01, PSYNC_DROP_BAD_LENGTH },	/* size 129 */
	{ FRAG, 0, 74, 0x02, PSYNC_DROP_BAD_HEADER },	/* flags */
	{ FRAG, 0, 75, 0x01, PSYNC_DROP_BAD_HEADER },	/* reserved */
	{ FRAG, 0, 79, 0x80, PSYNC_DROP_BAD_HEADER },
	{ FRAG, 0, 5, 0x10, PSYNC_DROP_BAD_LENGTH },
	{ ANSWERED, 0, 15, 0x02, PSYNC_DROP_BAD_HEADER }, /* dst_site 2 */
	{ ANSWERED, 0, 55, 0x08, PSYNC_DROP_BAD_HEADER }, /* turn 8 */
	{ ANSWERED, 0, 56, 0x02, PSYNC_DROP_BAD_HEADER }, /* state */
	{ ANSWERED, 1, 51, 0x06, PSYNC_DROP_BAD_HEADER }, /* whole of none */
	{ ANSWERED, 1, 95, 0x80, PSYNC_DROP_BAD_HEADER }, /* and more than it */
	{ ANSWERED, 0, 57, 0x01, PSYNC_DROP_BAD_HEADER }, /* reserved */
	{ ANSWERED, 0, 59, 0x80, PSYNC_DROP_BAD_HEADER },
	{ ANSWERED, 0, 64, 0x01, PSYNC_DROP_BAD_HEADER }, /* not the first */
	{ ANSWERED, 0, 5, 0x80, PSYNC_DROP_BAD_LENGTH },
	{ HELLO, 0, 5, 0x80, PSYNC_DROP_BAD_LENGTH },
	{ HELLO, 0, 79, 0x06, PSYNC_DROP_BAD_HEADER },	/* nonce 6 */
	{ HELLO, 0, 83, 0x01, PSYNC_DROP_BAD_HEADER },	/* known */
	{ HELLO, 0, 87, 0x01, PSYNC_DROP_BAD_HEADER },	/* age */
	{ HELLO, 0, 88, 0x01, PSYNC_DROP_BAD_HEADER },	/* state */
	{ HELLO, 0, 89, 0x01, PSYNC_DROP_BAD_HEADER },	/* reserved */
	{ HELLO, 0, 91, 0x01, PSYNC_DROP_BAD_HEADER },
	{ HELLO, 0, 92, 0x01, PSYNC_DROP_BAD_HEADER },
	{ HELLO, 0, 95, 0x01, PSYNC_DROP_BAD_HEADER },
	{ HELLO, 0, 47, 0x09, PSYNC_DROP_BAD_HEADER },	/* no cid, the rest */
	{ HELLO, 0, 71, 0x01, PSYNC_DROP_BAD_HEADER },
	{ ANSWER, 0, 88, 0x03, PSYNC_DROP_BAD_HEADER },	/* NONE, has opening */
	{ ANSWER, 0, 88, 0x06, PSYNC_DROP_BAD_HEADER },	/* state 5 */
	{ ANSWER, 0, 88, 0x02, PSYNC_DROP_BAD_HEADER },	/* OPEN, has age */
	{ ANSWER, 0, 67, 0x04, PSYNC_DROP_BAD_HEADER },	/* opening 0 */
	{ ANSWER, 0, 79, 0x06, PSYNC_DROP_BAD_HEADER },
	{ REFUSE, 0, 4, 0x01, PSYNC_DROP_BAD_LENGTH },
	{ REFUSE, 0, 73, 0x01, PSYNC_DROP_BAD_HEADER },	/* reason 0 */
	{ REFUSE, 0, 73, 0x05, PSYNC_DROP_BAD_HEADER },	/* reason 4 */
	{ REFUSE, 0, 72, 0x01, PSYNC_DROP_BAD_HEADER },
	{ REFUSE, 0, 74, 0x01, PSYNC_DROP_BAD_HEADER },	/* reserved */
	{ REFUSE, 0, 79, 0x07, PSYNC_DROP_BAD_HEADER },	/* opening 7 */
	{ REFUSE, 0, 87, 0x08, PSYNC_DROP_BAD_HEADER },	/* digest 8 */
	{ REFUSE, 0, 47, 0x09, PSYNC_DROP_BAD_HEADER },	/* cid */
	{ DGRAM, 0, 43, 0x01, PSYNC_DROP_BAD_HEADER },	/* src_port 1 */
	{ DGRAM, 0, 51, 0x02, PSYNC_DROP_BAD_HEADER },	/* dst_port 2 */
	{ DGRAM, 0, 59, 0x01, PSYNC_DROP_BAD_HEADER },	/* group too */
	{ DGRAM, 0, 63, 0x01, PSYNC_DROP_BAD_LENGTH },	/* body_len */
	{ DGRAM, 0, 60, 0x80, PSYNC_DROP_BAD_LENGTH },
	{ DGRAM, 0, 71, 0x01, PSYNC_DROP_BAD_HEADER },	/* digest */
	{ ACK, 0, 4, 0x01, PSYNC_DROP_BAD_LENGTH },
	{ ACK, 0, 5, 0x01, PSYNC_DROP_BAD_LENGTH },
	{ ACK, 0, 47, 0x09, PSYNC_DROP_BAD_HEADER },	/* no cid */
	{ ACK, 0, 71, 0x01, PSYNC_DROP_BAD_HEADER },	/* view */
	{ ACK, 0, 87, 0x01, PSYNC_DROP_BAD_HEADER },	/* seq, no mid */
	{ ACK, 0, 89, 0x01, PSYNC_DROP_BAD_HEADER },	/* index, no mid */
	{ ACK, 0, 90, 0x04, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 1034 */
	{ ACK, 0, 91, 0x0a, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 0 */
	{ ACK, 0, 91, 0x0b, PSYNC_DROP_BAD_PARTICIPANTS }, /* n 1 */
	{ ACK, 0, 91, 0x01, PSYNC_DROP_TOO_SHORT },	/* n 11 */
	{ ACK, 0, 91, 0x02, PSYNC_DROP_BAD_LENGTH },	/* n 8 */
	{ ACK, 0, 92, 0x01, PSYNC_DROP_BAD_HEADER },	/* token, no ASK */
	{ ACK, 0, 92, 0x02, PSYNC_DROP_BAD_HEADER },	/* echo, no ECHO */
	{ ACK, 0, 92, 0x04, PSYNC_DROP_BAD_HEADER },	/* MID */
	{ ACK, 0, 92, 0x10, PSYNC_DROP_BAD_HEADER },
	{ ACK, 0, 92, 0x80, PSYNC_DROP_TOO_SHORT },	/* no high halves */
	{ ACK, 0, 93, 0x01, PSYNC_DROP_BAD_HEADER },	/* reserved */
	{ ACK, 0, 94, 0x10, PSYNC_DROP_BAD_HEADER },
	{ ACK, 0, 95, 0x80, PSYNC_DROP_BAD_HEADER },
	{ RR, 0, 5, 0x80, PSYNC_DROP_BAD_LENGTH },
	{ RR, 0, 47, 0x09, PSYNC_DROP_BAD_HEADER },	/* no cid */
	{ RR, 0, 79, 0x01, PSYNC_DROP_BAD_HEADER },	/* token */
	{ RR, 0, 83, 0x01, PSYNC_DROP_BAD_HEADER },	/* echo */
	{ RR, 0, 89, 0x08, PSYNC_DROP_NOT_MEMBER },	/* 2 ^ 8 = 10 = n */
	{ RR, 0, 88, 0x80, PSYNC_DROP_NOT_MEMBER },
	{ RR, 0, 91, 0x0b, PSYNC_DROP_BAD_PARTICIPANTS },
	{ RR, 0, 91, 0x01, PSYNC_DROP_TOO_SHORT },
	{ RR, 0, 92, 0x01, PSYNC_DROP_BAD_HEADER },	/* ASK */
	{ RR, 0, 92, 0x02, PSYNC_DROP_BAD_HEADER },	/* ECHO */
	{ RR, 0, 92, 0x04, PSYNC_DROP_BAD_HEADER },	/* seq, no MID */
	{ RR, 0, 92, 0x20, PSYNC_DROP_BAD_HEADER },	/* MID and LAST */
	{ RR, 0, 92, 0x08, PSYNC_DROP_BAD_HEADER },	/* SLOW */
	{ RR, 0, 92, 0x40, PSYNC_DROP_BAD_HEADER },
	{ RR, 0, 93, 0x01, PSYNC_DROP_BAD_HEADER },	/* reserved */
	{ RR, 0, 96, 0x01, PSYNC_DROP_BAD_HEADER },	/* credits */
	{ RR, 0, 103, 0x80, PSYNC_DROP_BAD_HEADER },
	{ RR, 0, 104, 0x80, PSYNC_DROP_BAD_HEADER },	/* marks */
	{ GONE, 0, 67, 0x04, PSYNC_DROP_BAD_HEADER },	/* no opening */
	{ GONE, 0, 79, 0x01, PSYNC_DROP_BAD_HEADER },	/* token */
	{ GONE, 0, 83, 0x01, PSYNC_DROP_BAD_HEADER },	/* echo */
	{ GONE, 0, 89, 0x01, PSYNC_DROP_BAD_HEADER },	/* index */
	{ GONE, 0, 91, 0x0b, PSYNC_DROP_BAD_PARTICIPANTS },
	{ GONE, 0, 91, 0x02, PSYNC_DROP_BAD_LENGTH },
	{ GONE, 0, 92, 0x01, PSYNC_DROP_BAD_HEADER },	/* ASK */
	{ GONE, 0, 92, 0x04, PSYNC_DROP_BAD_HEADER },	/* MID */
	{ GONE, 0, 94, 0x01, PSYNC_DROP_BAD_HEADER },
	{ GONE, 0, 99, 0x01, PSYNC_DROP_BAD_HEADER },	/* credits */
	{ GONE, 0, 100, 0x80, PSYNC_DROP_BAD_HEADER },
	{ GONE, 0, 107, 0x01, PSYNC_DROP_BAD_HEADER },	/* marks */
};

static void psync_wire_fixed_msg(struct psync_pkt *pkt, u8 form)
{
	u32 i;

	pkt->msg.sender = 3;
	pkt->msg.kind = PSYNC_KIND_DATA;
	pkt->msg.flags = PSYNC_MSGF_START;
	pkt->msg.seq = 77;
	pkt->msg.wave = 2;
	pkt->msg.n = 10;
	pkt->msg.npred = form == STAMP ? 9 : 2;
	pkt->msg.participants = psync_wire_pids;
	for (i = 0; i < 10; i++) {
		psync_wire_pids[i].site = cpu_to_be32(0x65 + i);
		psync_wire_pids[i].port = cpu_to_be32(1 + i);
	}
	psync_wire_mids[0] = (struct psync_wire_mid){
		.index = cpu_to_be16(1), .seq = cpu_to_be32(5) };
	psync_wire_mids[1] = (struct psync_wire_mid){
		.index = cpu_to_be16(4), .seq = cpu_to_be32(6) };
	pkt->msg.preds = psync_wire_mids;
	pkt->body_len = 50;
	if (form == FOREIGN) {
		pkt->msg.flags |= PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt->msg.inc = 7;
		pkt->msg.opening = 8;
	}
	if (form != STAMP)
		return;
	pkt->msg.flags |= PSYNC_MSGF_STAMP;
	memset(psync_wire_bitmap, 0, sizeof(psync_wire_bitmap));
	psync_wire_bitmap[0] = 0xff;
	psync_wire_bitmap[1] = 0x01;
	pkt->msg.stamp = psync_wire_stamp;
	pkt->msg.bitmap = psync_wire_bitmap;
}

static void psync_wire_fixed_vector(struct psync_pkt *pkt)
{
	u32 i;

	pkt->vector.dst_opening = 12;
	pkt->vector.n = 10;
	for (i = 0; i < 10; i++)
		psync_wire_stamp[i] = cpu_to_be32(0x100 + i);
	pkt->vector.seqs = psync_wire_stamp;
	if (pkt->type == PSYNC_PKT_ACK) {
		pkt->vector.flags = PSYNC_VECTORF_ASK | PSYNC_VECTORF_ECHO;
		pkt->vector.token = 5;
		pkt->vector.echo = 6;
		pkt->vector.credit_bytes = 7;
		pkt->vector.credit_msgs = 8;
		pkt->vector.marks = 9;
	} else if (pkt->type == PSYNC_PKT_GONE) {
		pkt->vector.seq = 3;
	} else {
		pkt->vector.flags = PSYNC_VECTORF_MID;
		pkt->vector.seq = 3;
		pkt->vector.index = 2;
	}
}

static void psync_wire_fixed_make(struct psync_pkt *pkt, u8 type, u8 form)
{
	*pkt = (struct psync_pkt){
		.type = type, .src_site = 1, .src_inc = 5,
	};
	if (!psync_wire_plain(type)) {
		pkt->cid = 9;
		pkt->digest = 10;
		pkt->group = 11;
		pkt->opening = 4;
	}
	switch (type) {
	case PSYNC_PKT_MSG:
		psync_wire_fixed_msg(pkt, form);
		break;
	case PSYNC_PKT_HELLO_ACK:
		pkt->hello.known = 2;
		pkt->hello.age = 3;
		pkt->hello.state = PSYNC_HELLO_CLOSED;
		fallthrough;
	case PSYNC_PKT_HELLO:
		pkt->hello.nonce = 6;
		break;
	case PSYNC_PKT_REFUSE:
		pkt->refuse.reason = PSYNC_REFUSE_DIGEST;
		pkt->refuse.opening = 7;
		pkt->refuse.digest = 8;
		break;
	case PSYNC_PKT_DGRAM:
		pkt->dgram.src_port = 1;
		pkt->dgram.dst_port = 2;
		pkt->body_len = 20;
		break;
	case PSYNC_PKT_ACK:
	case PSYNC_PKT_RR:
	case PSYNC_PKT_GONE:
		psync_wire_fixed_vector(pkt);
		break;
	case PSYNC_PKT_FRAG:
		pkt->dst_site = 2;
		pkt->frag.id = 0x103;
		pkt->frag.lowest = 0x102;
		pkt->frag.total = 1000;
		pkt->frag.size = 128;
		pkt->frag.index = form ? 7 : 6;
		pkt->frag.turn = 8;
		pkt->frag.wait = 9;
		pkt->body_len = form ? 1000 - 7 * 128 : 128;
		break;
	case PSYNC_PKT_FRAG_ACK:
		pkt->dst_site = 2;
		pkt->frag_ack.id = 0x103;
		pkt->frag_ack.base = 6;
		pkt->frag_ack.turn = 8;
		pkt->frag_ack.state = form ? PSYNC_FRAG_WHOLE :
					     PSYNC_FRAG_PART;
		memset(psync_wire_bitmap, 0, sizeof(psync_wire_bitmap));
		pkt->frag_ack.bitmap = psync_wire_bitmap;
		break;
	}
}

static void psync_wire_test_malformed(void **state)
{
	const struct psync_wire_break *b;
	struct psync_pkt in, out;
	enum psync_drop drop;
	u32 i, len;
	u8 *mem;

	for (i = 0; i < ARRAY_SIZE(psync_wire_breaks); i++) {
		b = &psync_wire_breaks[i];
		psync_wire_fixed_make(&in, b->type, b->form);
		mem = psync_wire_pack(&in, 0, &len);
		assert_int_equal(psync_wire_decode(mem, len, len + in.body_len,
						   &out), PSYNC_OK);
		assert_true(b->at < len);
		mem[b->at] ^= b->mask;
		drop = psync_wire_decode(mem, len, len + in.body_len, &out);
		if (drop != b->drop)
			print_error("type %u byte %u mask %#x\n", b->type,
				    b->at, b->mask);
		assert_int_equal(drop, b->drop);
		free(mem);
	}
}

/* What needs more than one changed byte. */
static void psync_wire_test_malformed_more(void **state)
{
	struct psync_pkt in, out;
	u32 len;
	u8 *mem;

	/* The bitmap's population is right, but a bit is beyond n. */
	psync_wire_fixed_make(&in, PSYNC_PKT_MSG, STAMP);
	mem = psync_wire_pack(&in, 0, &len);
	mem[len - 4] = 0xfe;
	mem[len - 3] = 0x05;
	assert_int_equal(psync_wire_decode(mem, len, len + in.body_len, &out),
			 PSYNC_DROP_BAD_HEADER);
	mem[len - 3] = 0x01;
	mem[len - 1] = 0x80;
	assert_int_equal(psync_wire_decode(mem, len, len + in.body_len, &out),
			 PSYNC_DROP_BAD_HEADER);
	free(mem);

	/* A datagram to a group names no binding and has the digest. */
	psync_wire_fixed_make(&in, PSYNC_PKT_DGRAM, LIST);
	in.dgram.dst_port = 0;
	in.dgram.group = 3;
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_decode(mem, len, len + in.body_len, &out),
			 PSYNC_DROP_BAD_HEADER);
	mem[71] = 1;
	assert_int_equal(psync_wire_decode(mem, len, len + in.body_len, &out),
			 PSYNC_OK);
	mem[55] = 1;
	assert_int_equal(psync_wire_decode(mem, len, len + in.body_len, &out),
			 PSYNC_DROP_BAD_HEADER);
	free(mem);

	/* About the site itself: no conversation at all. */
	in = (struct psync_pkt){ .type = PSYNC_PKT_HELLO, .src_site = 1,
				 .src_inc = 5, .hello.nonce = 6 };
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_decode(mem, len, len, &out), PSYNC_OK);
	mem[1] = PSYNC_PKT_HELLO_ACK;
	assert_int_equal(psync_wire_decode(mem, len, len, &out), PSYNC_OK);
	mem[67] = 1;
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_BAD_HEADER);
	free(mem);
}

/* What a GAP says, and what it may not say. */
static void psync_wire_test_gap(void **state)
{
	struct psync_pkt in, out;
	u32 len, at;
	u8 *mem;

	psync_wire_fixed_make(&in, PSYNC_PKT_MSG, STAMP);
	in.msg.kind = PSYNC_KIND_GAP;
	in.msg.flags = PSYNC_MSGF_STAMP;
	in.msg.participants = NULL;
	in.msg.sender = 0;
	in.msg.about = 1;
	in.body_len = 0;
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_need(mem, len), len);
	at = len - sizeof(struct psync_wire_gap);
	assert_int_equal(psync_wire_decode(mem, len, len, &out), PSYNC_OK);
	assert_int_equal(out.msg.about, 1);
	assert_int_equal(out.hdr_len, len);
	assert_int_equal(psync_wire_decode(mem, len - 1, len, &out),
			 PSYNC_DROP_TOO_SHORT);
	/* About itself, about nobody, with something in what is reserved. */
	mem[at + 1] = 0;
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_NOT_MEMBER);
	mem[at] = 0x80;
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_NOT_MEMBER);
	mem[at] = 0;
	mem[at + 1] = 1;
	mem[at + 3] = 1;
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_BAD_HEADER);
	free(mem);
	/* It has a stamp always. */
	in.msg.npred = 0;
	memset(psync_wire_bitmap, 0, sizeof(psync_wire_bitmap));
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_decode(mem, len, len, &out), PSYNC_OK);
	free(mem);
	in.msg.flags = 0;
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_BAD_CONTEXT);
	free(mem);
	/* Every other kind that is not known. */
	in.msg.kind = PSYNC_KIND_RESTART + 1;
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(psync_wire_decode(mem, len, len, &out),
			 PSYNC_DROP_BAD_KIND);
	free(mem);
}

/* Kinds: what null messages, END and GAP may have and may not. */
static void psync_wire_test_kinds(void **state)
{
	struct psync_pkt in, out;
	u8 kind, flags, stamp;
	u32 len;
	u8 *mem;

	for (kind = PSYNC_KIND_NULL; kind <= PSYNC_KIND_GAP; kind++) {
		stamp = psync_wire_is_stamped(kind) ? PSYNC_MSGF_STAMP : 0;
		psync_wire_fixed_make(&in, PSYNC_PKT_MSG, stamp ? STAMP : LIST);
		in.msg.kind = kind;
		in.msg.op = kind == PSYNC_KIND_MASK ? PSYNC_MASK_OP_IN : 0;
		in.msg.about = kind == PSYNC_KIND_MASK && !in.msg.sender;
		in.msg.flags = stamp;
		in.msg.participants = NULL;
		in.msg.about = kind == PSYNC_KIND_GAP;
		in.body_len = 0;
		/* All flags but START: sent again, asking, for another. */
		for (flags = 0; flags < PSYNC_MSGF_HIGH; flags += 4) {
			in.msg.flags = flags | stamp;
			in.msg.inc = flags & PSYNC_MSGF_FOREIGN ? 7 : 0;
			in.msg.opening = in.msg.inc;
			mem = psync_wire_pack(&in, 0, &len);
			assert_int_equal(psync_wire_decode(mem, len, len, &out),
					 flags & PSYNC_MSGF_FOREIGN &&
					 !(flags & PSYNC_MSGF_REPEAT) ?
					 PSYNC_DROP_BAD_HEADER : PSYNC_OK);
			free(mem);
		}
		in.msg.flags = stamp;
		in.body_len = 1;
		mem = psync_wire_pack(&in, 0, &len);
		assert_int_equal(psync_wire_decode(mem, len, len + 1, &out),
				 PSYNC_DROP_BAD_KIND);
		free(mem);
	}
}

/* What MASK and END say has one form, too. */
static void psync_wire_test_content(void **state)
{
	static const struct {
		u8 kind;
		u8 at;		/* byte, from the end */
		u8 value;
		u8 drop;
	} cases[] = {
		{ PSYNC_KIND_END, 4, 1, PSYNC_OK },
		{ PSYNC_KIND_END, 4, 2, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_END, 3, 1, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_END, 1, 1, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_MASK, 12, 1, PSYNC_OK },
		{ PSYNC_KIND_MASK, 12, 2, PSYNC_OK },
		{ PSYNC_KIND_MASK, 12, 0, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_MASK, 12, 3, PSYNC_OK },
		{ PSYNC_KIND_MASK, 12, 4, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_MASK, 11, 1, PSYNC_DROP_BAD_HEADER },
		{ PSYNC_KIND_MASK, 7, 1, PSYNC_OK },
		{ PSYNC_KIND_MASK, 7, 2, PSYNC_DROP_NOT_MEMBER },
		{ PSYNC_KIND_MASK, 7, 3, PSYNC_DROP_NOT_MEMBER },
		{ PSYNC_KIND_MASK, 1, 0xff, PSYNC_OK },
	};
	struct psync_pkt in = {
		.type = PSYNC_PKT_MSG, .src_site = 1, .src_inc = 5, .cid = 6,
		.digest = 7, .opening = 1,
		.msg = { .sender = 2, .seq = 1, .wave = 1, .n = 3 },
	}, out;
	u32 len, i;
	u8 *mem;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		in.msg.kind = cases[i].kind;
		in.msg.op = in.msg.kind == PSYNC_KIND_MASK;
		mem = psync_wire_pack(&in, 0, &len);
		mem[len - cases[i].at] = cases[i].value;
		assert_int_equal(psync_wire_decode(mem, len, len, &out),
				 cases[i].drop);
		free(mem);
	}
}

/*
 * A packet longer than its field can say has a zero there, and says its length
 * nowhere else: it comes in fragments.  No body is longer than the limit.
 */
static void psync_wire_test_longest(void **state)
{
	static const u32 lens[] = { U16_MAX, U16_MAX + 1, 1 << 20 };
	struct psync_pkt in, out;
	u32 form, head, total, i;
	u8 *mem;

	for (form = LIST; form <= FOREIGN; form++) {
		psync_wire_fixed_make(&in, PSYNC_PKT_MSG, form);
		head = psync_wire_hdr_size(&in);
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			total = lens[i];
			in.body_len = total - head;
			mem = psync_wire_pack(&in, 0, &head);
			assert_int_equal(mem[4] << 8 | mem[5],
					 total > U16_MAX ? 0 : total);
			assert_int_equal(psync_wire_decode(mem, head, total,
							   &out), PSYNC_OK);
			assert_int_equal(out.body_len, total - head);
			assert_int_equal(psync_wire_decode(mem, head,
							   total - 1, &out),
					 PSYNC_DROP_BAD_LENGTH);
			mem[5] ^= 1;
			assert_int_equal(psync_wire_decode(mem, head, total,
							   &out),
					 PSYNC_DROP_BAD_LENGTH);
			free(mem);
		}
		in.body_len = PSYNC_BODY_MAX;
		mem = psync_wire_pack(&in, 0, &head);
		assert_int_equal(psync_wire_decode(mem, head,
						   head + in.body_len, &out),
				 PSYNC_OK);
		free(mem);
		in.body_len++;
		mem = psync_wire_pack(&in, 0, &head);
		assert_int_equal(psync_wire_decode(mem, head,
						   head + in.body_len, &out),
				 PSYNC_DROP_BAD_LENGTH);
		free(mem);
	}
}

/* Where each field is: what an independent implementation must write. */
static void psync_wire_test_layout(void **state)
{
	static const u8 ack[] = {
		0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 0,
		0, 0, 0, 10, 3, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 8,
		0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 1, 1,
	};
	static const u8 rr[] = {
		0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 2, 0, 10, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1,
	};
	static const u8 origin[] = {
		0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x65,
	};
	struct psync_pkt in;
	u32 len;
	u8 *mem;

	psync_wire_fixed_make(&in, PSYNC_PKT_ACK, LIST);
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(len, 148);
	assert_int_equal(mem[1], 6);
	assert_memory_equal(mem + 72, ack, sizeof(ack));
	free(mem);
	psync_wire_fixed_make(&in, PSYNC_PKT_RR, LIST);
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(len, 148);
	assert_int_equal(mem[1], 7);
	assert_memory_equal(mem + 72, rr, sizeof(rr));
	free(mem);
	psync_wire_fixed_make(&in, PSYNC_PKT_MSG, FOREIGN);
	mem = psync_wire_pack(&in, 0, &len);
	assert_int_equal(len, 104 + 16 + 80 + 16);
	assert_int_equal(mem[75], 0x31);
	assert_memory_equal(mem + 104, origin, sizeof(origin));
	free(mem);
}

/* Known values: an independent implementation must get the same. */
static void psync_wire_test_digest(void **state)
{
	struct psync_pid pids[3] = { { 1, 100 }, { 2, 200 }, { 3, 300 } };
	u64 digest = psync_wire_digest(pids, 3);

	assert_int_equal(digest, 0x149698e624de771cULL);
	assert_int_not_equal(digest, psync_wire_digest(pids, 2));
	swap(pids[0], pids[1]);
	assert_int_not_equal(digest, psync_wire_digest(pids, 3));
	assert_int_not_equal(psync_wire_digest(pids, 0), 0);
	assert_int_equal(psync_wire_cid(7, 1, digest), 0xedf7fe9267415566ULL);
	assert_int_not_equal(psync_wire_cid(7, 1, digest),
			     psync_wire_cid(7, 2, digest));
	assert_int_not_equal(psync_wire_cid(7, 1, digest),
			     psync_wire_cid(8, 1, digest));
}

static void psync_wire_test_csum(void **state)
{
	struct psync_pkt in;
	u32 i, len, bit;
	u8 *mem;

	for (i = 0; i < 200; i++) {
		psync_wire_make(&in, 1 + i % PSYNC_PKT_FRAG_ACK);
		mem = psync_wire_pack(&in, i % 2, &len);
		len -= i % 3;	/* odd lengths too */
		psync_wire_csum_set(mem + i % 2, len);
		assert_true(psync_wire_csum_ok(mem + i % 2, len));
		bit = psync_wire_below(len * 8);
		mem[i % 2 + bit / 8] ^= 1 << bit % 8;
		assert_false(psync_wire_csum_ok(mem + i % 2, len));
		free(mem);
	}
}

const struct CMUnitTest psync_wire_tests[] = {
	cmocka_unit_test(psync_wire_test_round_trip),
	cmocka_unit_test(psync_wire_test_truncated),
	cmocka_unit_test(psync_wire_test_canonical),
	cmocka_unit_test(psync_wire_test_need),
	cmocka_unit_test(psync_wire_test_noise),
	cmocka_unit_test(psync_wire_test_malformed),
	cmocka_unit_test(psync_wire_test_malformed_more),
	cmocka_unit_test(psync_wire_test_kinds),
	cmocka_unit_test(psync_wire_test_content),
	cmocka_unit_test(psync_wire_test_gap),
	cmocka_unit_test(psync_wire_test_longest),
	cmocka_unit_test(psync_wire_test_layout),
	cmocka_unit_test(psync_wire_test_digest),
	cmocka_unit_test(psync_wire_test_csum),
};

const size_t psync_wire_ntests = ARRAY_SIZE(psync_wire_tests);
