// SPDX-License-Identifier: GPL-2.0-only
/* Packets in fragments: two sites, a network by hand, hostile ones. */
#include "core/frag.h"
#include "bed.h"

#define MTU	(PSYNC_WIRE_FRAG + 200)
#define SIZE	200
#define INC	77ULL
#define QUEUE	4096

/* Bytes, counted. */
struct psync_frag_bytes {
	u32	len;
	u8	*data;
};

struct psync_frag_sent {
	struct psync_pkt	pkt;
	u8			bitmap[PSYNC_FRAG_WINDOW / 8];
	struct psync_frag_bytes	*piece;
};

/* One site's side. */
struct psync_frag_end {
	struct psync_frags	f;
	u64			inc;
	u64			ids;
	u32			live;
	s64			taken[2];
	s64			packets[2];
	s64			most;
	u32			drops[PSYNC_DROP_MAX];
	u32			again;
	u32			cuts[PSYNC_CUT_MAX];
	u32			wholes;
	u8			*got;
	u32			got_len;
	u32			fail_at;
	u32			calls;
	struct psync_frag_sent	queue[QUEUE];
	u32			nqueue;
};

static u32 psync_frag_objects;

static struct psync_frag_end *psync_frag_end(struct psync_frags *f)
{
	return container_of(f, struct psync_frag_end, f);
}

static struct psync_frag_bytes *psync_frag_bytes(const void *data, u32 len)
{
	struct psync_frag_bytes *bytes = malloc(sizeof(*bytes));

	bytes->len = len;
	bytes->data = malloc(len + 1);
	if (len)
		memcpy(bytes->data, data, len);
	psync_frag_objects++;
	return bytes;
}

static void psync_frag_bytes_put(struct psync_frag_bytes *bytes)
{
	free(bytes->data);
	free(bytes);
	psync_frag_objects--;
}

static bool psync_frag_fails(struct psync_frag_end *end)
{
	return ++end->calls == end->fail_at;
}

static void *psync_frag_op_alloc(struct psync_frags *f, size_t size)
{
	if (psync_frag_fails(psync_frag_end(f)))
		return NULL;
	psync_frag_end(f)->live++;
	return calloc(1, size);
}

static void psync_frag_op_free(struct psync_frags *f, void *mem, size_t size)
{
	psync_frag_end(f)->live--;
	free(mem);
}

static bool psync_frag_op_take(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets, bool only)
{
	struct psync_frag_end *end = psync_frag_end(f);

	if (!only && end->packets[in] + packets > 1 &&
	    end->taken[in] + bytes > end->most)
		return false;
	end->taken[in] += bytes;
	end->packets[in] += packets;
	return true;
}

static void psync_frag_op_give(struct psync_frags *f, bool in, u32 bytes,
			       u32 packets)
{
	psync_frag_end(f)->taken[in] -= bytes;
	psync_frag_end(f)->packets[in] -= packets;
}

static u64 psync_frag_op_id(struct psync_frags *f)
{
	return ++psync_frag_end(f)->ids;
}

static void psync_frag_op_transmit(struct psync_frags *f,
				   struct psync_pkt *pkt, void *packet,
				   u32 offset)
{
	struct psync_frag_end *end = psync_frag_end(f);
	struct psync_frag_bytes *bytes = packet;
	struct psync_frag_sent *sent;

	assert_true(end->nqueue < QUEUE);
	sent = &end->queue[end->nqueue++];
	sent->pkt = *pkt;
	sent->pkt.src_site = 1;
	sent->pkt.dst_site = 2;
	sent->pkt.src_inc = end->inc;
	sent->piece = NULL;
	if (packet) {
		assert_true(offset + pkt->body_len <= bytes->len);
		sent->piece = psync_frag_bytes(bytes->data + offset,
					       pkt->body_len);
	} else {
		memcpy(sent->bitmap, pkt->frag_ack.bitmap,
		       sizeof(sent->bitmap));
		sent->pkt.frag_ack.bitmap = sent->bitmap;
	}
}

static void psync_frag_op_packet_put(struct psync_frags *f, void *packet)
{
	psync_frag_bytes_put(packet);
}

static void *psync_frag_op_begin(struct psync_frags *f)
{
	return psync_frag_fails(psync_frag_end(f)) ? NULL :
						     psync_frag_bytes("", 0);
}

static void psync_frag_op_append(struct psync_frags *f, void *whole,
				 void *piece)
{
	struct psync_frag_bytes *to = whole, *from = piece;

	to->data = realloc(to->data, to->len + from->len);
	memcpy(to->data + to->len, from->data, from->len);
	to->len += from->len;
	psync_frag_bytes_put(from);
}

static void psync_frag_op_put(struct psync_frags *f, void *bytes)
{
	psync_frag_bytes_put(bytes);
}

static void psync_frag_op_whole(struct psync_frags *f, void *whole, u32 total)
{
	struct psync_frag_end *end = psync_frag_end(f);
	struct psync_frag_bytes *bytes = whole;

	assert_int_equal(bytes->len, total);
	end->wholes++;
	end->got = realloc(end->got, total);
	end->got_len = total;
	memcpy(end->got, bytes->data, total);
	psync_frag_bytes_put(bytes);
}

static void psync_frag_op_arm(struct psync_frags *f, u64 deadline)
{
	assert_int_equal(f->deadline, deadline);
}

static void psync_frag_op_dropped(struct psync_frags *f,
				  enum psync_drop reason)
{
	assert_in_range(reason, 1, PSYNC_DROP_MAX - 1);
	psync_frag_end(f)->drops[reason]++;
}

static void psync_frag_op_sent(struct psync_frags *f, bool again)
{
	psync_frag_end(f)->again += again;
}

static void psync_frag_op_cut(struct psync_frags *f, enum psync_cut why)
{
	psync_frag_end(f)->cuts[why]++;
}

static const struct psync_frag_ops psync_frag_ops = {
	.alloc		= psync_frag_op_alloc,
	.free		= psync_frag_op_free,
	.take		= psync_frag_op_take,
	.give		= psync_frag_op_give,
	.id		= psync_frag_op_id,
	.transmit	= psync_frag_op_transmit,
	.packet_put	= psync_frag_op_packet_put,
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

static struct psync_frag_end *psync_frag_open(u64 inc)
{
	struct psync_frag_end *end = calloc(1, sizeof(*end));

	psync_frags_init(&end->f, &psync_frag_ops);
	end->inc = inc;
	end->most = 1 << 30;
	end->f.size = psync_frags_size(MTU);
	end->f.limits = (struct psync_frag_limits){
		.rto_ns = 100 * PSYNC_BED_MS, .rto_min_ns = PSYNC_BED_MS,
		.rto_max_ns = 1000 * PSYNC_BED_MS,
		.keep_ns = 10000 * PSYNC_BED_MS, .bytes = 1 << 30,
	};
	return end;
}

static void psync_frag_clear(struct psync_frag_end *end)
{
	while (end->nqueue)
		if (end->queue[--end->nqueue].piece)
			psync_frag_bytes_put(end->queue[end->nqueue].piece);
}

static void psync_frag_close(struct psync_frag_end *end)
{
	psync_frag_clear(end);
	psync_frags_flush(&end->f, PSYNC_DROP_TX_NO_PEER,
			  PSYNC_DROP_FRAG_EXPIRED);
	assert_int_equal(end->live, 0);
	assert_int_equal(end->taken[0] | end->taken[1], 0);
	assert_int_equal(end->packets[0] | end->packets[1], 0);
	assert_int_equal(end->f.nout | end->f.nkept | end->f.nactive, 0);
	assert_int_equal(end->f.nopen | end->f.bytes, 0);
	free(end->got);
	free(end);
}

static u8 *psync_frag_pattern(u32 len)
{
	u8 *data = malloc(len);
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = i * 7 + i / 251;
	return data;
}

static enum psync_drop psync_frag_push(struct psync_frag_end *end, u32 len,
				       u32 seq, u64 now)
{
	u8 *data = psync_frag_pattern(len);
	struct psync_frag_packet p = {
		.packet = psync_frag_bytes(data, len), .total = len,
		.cost = len, .cid = seq ? 5 : 0, .seq = seq,
	};
	enum psync_drop reason = psync_frags_send(&end->f, &p, now);

	if (reason)
		psync_frag_bytes_put(p.packet);
	free(data);
	return reason;
}

/* One packet of @from to @to. */
static enum psync_drop psync_frag_give(struct psync_frag_end *to,
				       const struct psync_frag_sent *sent,
				       u64 now)
{
	struct psync_frag_bytes *piece;
	enum psync_drop reason;

	if (sent->pkt.type == PSYNC_PKT_FRAG_ACK)
		return psync_frags_answer(&to->f, &sent->pkt, now);
	piece = psync_frag_bytes(sent->piece->data, sent->piece->len);
	reason = psync_frags_input(&to->f, &sent->pkt, piece, piece->len, now);
	if (reason)
		psync_frag_bytes_put(piece);
	return reason;
}

/* Everything that @from has sent, but for what @lost says of the fragment. */
static void psync_frag_carry(struct psync_frag_end *from,
			     struct psync_frag_end *to, u64 now,
			     bool (*lost)(u32 turn, u32 index))
{
	u32 i, n = from->nqueue;
	struct psync_frag_sent *sent = malloc(sizeof(*sent) * (n + 1));

	memcpy(sent, from->queue, n * sizeof(*sent));
	from->nqueue = 0;
	for (i = 0; i < n; i++) {
		if (sent[i].pkt.type == PSYNC_PKT_FRAG_ACK)
			sent[i].pkt.frag_ack.bitmap = sent[i].bitmap;
		if (!lost || !lost(sent[i].pkt.frag.turn,
				   sent[i].pkt.frag.index))
			psync_frag_give(to, &sent[i], now);
		if (sent[i].piece)
			psync_frag_bytes_put(sent[i].piece);
	}
	free(sent);
}

static void psync_frag_same(const struct psync_frag_end *end, u32 len)
{
	u8 *data = psync_frag_pattern(len);

	assert_int_equal(end->got_len, len);
	assert_memory_equal(end->got, data, len);
	free(data);
}

/* Sends one packet through such a network; returns how long it took. */
static u64 psync_frag_through(u32 len, bool (*lost)(u32 turn, u32 index),
			      u32 *again)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u64 now = PSYNC_BED_MS;

	assert_int_equal(psync_frag_push(a, len, 1, now), PSYNC_OK);
	while (a->f.nout && now < 60000 * PSYNC_BED_MS) {
		psync_frag_carry(a, b, now, lost);
		now += PSYNC_BED_MS;
		psync_frag_carry(b, a, now, NULL);
		if (!a->nqueue && a->f.nout) {
			now = max(now, a->f.deadline);
			psync_frags_timer(&a->f, now);
		}
	}
	assert_int_equal(a->f.nout, 0);
	assert_int_equal(a->drops[PSYNC_DROP_TX_GIVEN_UP], 0);
	assert_int_equal(b->wholes, 1);
	psync_frag_same(b, len);
	if (again)
		*again = a->again;
	psync_frag_close(a);
	psync_frag_close(b);
	assert_int_equal(psync_frag_objects, 0);
	return now;
}

static void psync_frag_test_whole(void **state)
{
	static const u32 lens[] = { SIZE + 1, 2 * SIZE, 2 * SIZE + 1, 50 * SIZE,
				    1000 * SIZE + 17, 3000 * SIZE };
	u32 i, again;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		psync_frag_through(lens[i], NULL, &again);
		assert_int_equal(again, 0);
	}
}

static bool psync_frag_lose_some(u32 turn, u32 index)
{
	return turn * 2654435761U >> 24 < 51; /* one in five */
}

static bool psync_frag_lose_first(u32 turn, u32 index)
{
	return turn == 1;
}

static bool psync_frag_lose_tenth(u32 turn, u32 index)
{
	return turn == 10;
}

static bool psync_frag_lose_last(u32 turn, u32 index)
{
	return index == 49 && turn < 53;
}

/* Only what is missing is sent again, and without waiting for a timer. */
static void psync_frag_test_lost(void **state)
{
	u32 again;

	psync_frag_through(3000 * SIZE, psync_frag_lose_some, &again);
	assert_in_range(again, 300, 1500);
	assert_true(psync_frag_through(50 * SIZE, psync_frag_lose_first,
				       &again) < 10 * PSYNC_BED_MS);
	assert_int_equal(again, 1);
	assert_true(psync_frag_through(50 * SIZE, psync_frag_lose_tenth,
				       &again) < 10 * PSYNC_BED_MS);
	assert_int_equal(again, 1);
	/* Nothing follows it: a timer that is about a round trip. */
	assert_true(psync_frag_through(50 * SIZE, psync_frag_lose_last,
				       &again) < 300 * PSYNC_BED_MS);
	assert_in_range(again, 1, 4);
}

/* In reverse, twice: put together once, and nothing is taken for lost twice. */
static void psync_frag_test_mixed(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u32 i;

	psync_frag_push(a, 100 * SIZE, 1, 0);
	assert_int_equal(a->nqueue, 100);
	for (i = 100; i--; ) {
		assert_int_equal(psync_frag_give(b, &a->queue[i], 5), PSYNC_OK);
		assert_int_equal(psync_frag_give(b, &a->queue[i], 5),
				 PSYNC_DROP_DUPLICATE);
	}
	assert_int_equal(b->wholes, 1);
	psync_frag_same(b, 100 * SIZE);
	/* Late copies are answered, not begun anew. */
	psync_frag_clear(b);
	assert_int_equal(psync_frag_give(b, &a->queue[99], 6),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(b->nqueue, 1);
	assert_int_equal(b->queue[0].pkt.frag_ack.state, PSYNC_FRAG_WHOLE);
	psync_frag_clear(a);
	psync_frag_carry(b, a, 7, NULL);
	assert_int_equal(a->f.nout, 0);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* The answer names just what is missing. */
static void psync_frag_test_bitmap(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	const struct psync_pkt *ack;
	u32 i;

	psync_frag_push(a, 20 * SIZE, 1, 0);
	for (i = 0; i < 20; i++)
		if (i != 3 && i != 9)
			psync_frag_give(b, &a->queue[i], 0);
	ack = &b->queue[b->nqueue - 1].pkt;
	assert_int_equal(ack->frag_ack.base, 3);
	assert_int_equal(ack->frag_ack.state, PSYNC_FRAG_PART);
	for (i = 0; i < PSYNC_FRAG_WINDOW; i++)
		assert_int_equal(ack->frag_ack.bitmap[i / 8] >> i % 8 & 1,
				 3 + i < 20 && i != 0 && i != 6);
	psync_frag_clear(a);
	psync_frag_carry(b, a, PSYNC_BED_MS, NULL);
	assert_int_equal(a->nqueue, 2);
	assert_int_equal(a->queue[0].pkt.frag.index, 3);
	assert_int_equal(a->queue[1].pkt.frag.index, 9);
	assert_true(a->queue[1].pkt.frag.flags & PSYNC_FRAGF_ASK);
	psync_frag_carry(a, b, 2 * PSYNC_BED_MS, NULL);
	assert_int_equal(b->wholes, 1);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* No more than a window is ahead of the first that is missing. */
static void psync_frag_test_window(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	struct psync_frag_sent first;
	struct psync_frag_out *out;
	u32 i, sent = 0;

	psync_frag_push(a, 5000 * SIZE, 1, 0);
	/* 64 KiB to begin with. */
	assert_int_equal(a->nqueue, PSYNC_FRAG_WINDOW);
	a->f.size = 2000;
	psync_frag_push(a, 5000 * SIZE, 2, 0);
	assert_int_equal(a->nqueue, PSYNC_FRAG_WINDOW + 32);
	first = a->queue[0];
	first.piece = psync_frag_bytes(first.piece->data, SIZE);
	for (i = 0; i < 40; i++) {
		psync_frag_carry(a, b, i * PSYNC_BED_MS, psync_frag_lose_first);
		psync_frag_carry(b, a, i * PSYNC_BED_MS, psync_frag_lose_first);
		list_for_each_entry(out, &a->f.out, link) {
			assert_true(out->next <= out->base +
				    PSYNC_FRAG_WINDOW);
			assert_true(out->flight <= PSYNC_FRAG_WINDOW);
		}
		sent += a->nqueue;
	}
	assert_true(sent > 1000);
	/* One that is further ahead, of one whose beginning was given up. */
	first.pkt.frag.id = 3;
	first.pkt.frag.lowest = 1;
	assert_int_equal(psync_frag_give(b, &first, 0), PSYNC_OK);
	first.pkt.frag.index = PSYNC_FRAG_WINDOW + 1;
	assert_int_equal(psync_frag_give(b, &first, 0), PSYNC_DROP_FRAG_STALE);
	/* The same when nothing is known of it. */
	first.pkt.frag.id = 4;
	assert_int_equal(psync_frag_give(b, &first, 0), PSYNC_DROP_FRAG_STALE);
	/* Another idea of the same packet. */
	first.pkt.frag.id = 3;
	first.pkt.frag.index = 1;
	first.pkt.frag.total++;
	assert_int_equal(psync_frag_give(b, &first, 0), PSYNC_DROP_BAD_FRAG);
	first.pkt.frag.total--;
	first.pkt.frag.size++;
	assert_int_equal(psync_frag_give(b, &first, 0), PSYNC_DROP_BAD_FRAG);
	psync_frag_bytes_put(first.piece);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* Nobody answers: it is given up in the end, and so is what waits for it. */
static void psync_frag_test_given_up(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	u64 now = 0;
	u32 i;

	for (i = 0; i < 20; i++)
		assert_int_equal(psync_frag_push(a, 500 * SIZE, i + 1, 1),
				 PSYNC_OK);
	assert_int_equal(a->f.nactive, PSYNC_FRAG_ACTIVE);
	psync_frag_clear(a);
	while (a->f.deadline != U64_MAX) {
		assert_true(a->f.deadline > now);
		now = a->f.deadline;
		psync_frags_timer(&a->f, now);
		psync_frag_clear(a);
	}
	assert_in_range(now, 1000 * PSYNC_BED_MS, 10000 * PSYNC_BED_MS);
	assert_int_equal(a->drops[PSYNC_DROP_TX_GIVEN_UP], 20);
	/* Few are sent again and again: not the window each time. */
	assert_in_range(a->again, PSYNC_FRAG_ACTIVE * PSYNC_FRAG_TRIES,
			PSYNC_FRAG_ACTIVE * PSYNC_FRAG_TRIES * 2);
	psync_frag_close(a);
}

/* The rest does not come: what has is freed, when its sender's waits say so. */
static void psync_frag_test_expired(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u32 i;

	psync_frag_push(a, 20 * SIZE, 1, 0);
	for (i = 0; i < 19; i++)
		psync_frag_give(b, &a->queue[i], 0);
	assert_int_equal(b->f.deadline, 6400 * PSYNC_BED_MS);
	assert_true(b->taken[1] > 19 * SIZE);
	psync_frags_timer(&b->f, 6400 * PSYNC_BED_MS);
	assert_int_equal(b->drops[PSYNC_DROP_FRAG_EXPIRED], 1);
	assert_int_equal(b->taken[1], 0);
	assert_int_equal(b->f.nkept, 0);
	/* Not longer than the limit, whatever the sender says. */
	a->queue[0].pkt.frag.wait = U32_MAX;
	psync_frag_give(b, &a->queue[0], 0);
	assert_int_equal(b->f.deadline, 10000 * PSYNC_BED_MS);
	/* The sender begins anew when it hears that all is gone. */
	psync_frag_clear(b);
	psync_frag_give(b, &a->queue[19], 0);
	psync_frag_clear(a);
	psync_frag_carry(b, a, 1, NULL);
	psync_frag_clear(a);
	psync_frags_flush(&b->f, PSYNC_DROP_TX_NO_PEER, PSYNC_DROP_FRAG_EXPIRED);
	psync_frags_timer(&a->f, a->f.deadline);
	for (i = 0; i < 100 && a->f.nout; i++) {
		psync_frag_carry(a, b, i, NULL);
		psync_frag_carry(b, a, i, NULL);
		if (!a->nqueue && a->f.nout)
			psync_frags_timer(&a->f, a->f.deadline);
	}
	assert_int_equal(a->f.nout, 0);
	assert_int_equal(b->wholes, 1);
	psync_frag_same(b, 20 * SIZE);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* A slow drip does not keep it for ever, nor one that moves a bit. */
static void psync_frag_test_life(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u64 now = 0;
	u32 i;

	psync_frag_push(a, 200 * SIZE, 1, 0);
	for (i = 0; i < 199; i++) {
		a->queue[i].pkt.frag.wait = U32_MAX;
		now = i * 1000 * PSYNC_BED_MS;
		if (b->f.deadline <= now)
			psync_frags_timer(&b->f, now);
		if (!b->f.nkept && i)
			break;
		psync_frag_give(b, &a->queue[i], now);
	}
	assert_int_equal(now, PSYNC_FRAG_LIFE_NS);
	assert_int_equal(b->drops[PSYNC_DROP_FRAG_EXPIRED], 1);
	psync_frags_timer(&a->f, PSYNC_FRAG_LIFE_NS + 1);
	assert_int_equal(a->drops[PSYNC_DROP_TX_GIVEN_UP], 1);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* Another incarnation, or the sender's word, ends what is incomplete. */
static void psync_frag_test_outdated(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	struct psync_frag_sent *sent = a->queue;

	psync_frag_push(a, 3 * SIZE, 1, 0);
	psync_frag_push(a, 3 * SIZE, 2, 0);
	psync_frag_give(b, &sent[0], 0);
	psync_frag_give(b, &sent[3], 0);
	assert_int_equal(b->f.nopen, 2);
	sent[4].pkt.frag.lowest = sent[4].pkt.frag.id;
	psync_frag_give(b, &sent[4], 0);
	assert_int_equal(b->f.nopen, 1);
	assert_int_equal(b->drops[PSYNC_DROP_FRAG_EXPIRED], 1);
	sent[5].pkt.src_inc++;
	psync_frag_give(b, &sent[5], 0);
	assert_int_equal(b->f.nopen, 1);
	assert_int_equal(b->drops[PSYNC_DROP_FRAG_EXPIRED], 2);
	assert_int_equal(b->wholes, 0);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* Memory: one is always taken, more only within the limits. */
static void psync_frag_test_limits(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u32 i, k, full = 0;

	b->most = 1;
	psync_frag_push(a, 20 * SIZE, 1, 0);
	psync_frag_push(a, 20 * SIZE, 2, 0);
	for (i = 0; i < 40; i++)
		if (psync_frag_give(b, &a->queue[i], 0) ==
		    PSYNC_DROP_FRAG_FULL)
			full++;
	assert_int_equal(b->wholes, 2);
	assert_int_equal(full, 0);
	psync_frags_flush(&b->f, PSYNC_DROP_TX_NO_PEER, PSYNC_DROP_FRAG_EXPIRED);
	for (i = 0; i < 20; i++)
		for (k = 0; k < 40; k += 20)
			if (psync_frag_give(b, &a->queue[i + k], 0) ==
			    PSYNC_DROP_FRAG_FULL)
				full++;
	assert_int_equal(full, 19);
	assert_int_equal(b->wholes, 3);
	/* The peer's own. */
	b->most = 1 << 30;
	b->f.limits.bytes = 1;
	psync_frags_flush(&b->f, PSYNC_DROP_TX_NO_PEER, PSYNC_DROP_FRAG_EXPIRED);
	psync_frag_give(b, &a->queue[0], 0);
	assert_int_equal(psync_frag_give(b, &a->queue[20], 0),
			 PSYNC_DROP_FRAG_FULL);
	psync_frag_clear(a);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* The only one is bound when its buffers take far more than it brings. */
static void psync_frag_test_waste(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	struct psync_frag_bytes *piece;
	enum psync_drop reason;
	u32 cost, total, i;

	b->f.limits.bytes = 1000;
	for (cost = SIZE; cost <= 10 * SIZE; cost += 9 * SIZE) {
		total = 400 * SIZE;
		for (i = 0; i < 400; i++) {
			struct psync_pkt pkt = {
				.type = PSYNC_PKT_FRAG, .src_inc = INC,
				.frag = { .id = cost, .lowest = cost,
					  .total = total, .index = i,
					  .size = SIZE, .turn = i + 1 },
				.body_len = SIZE,
			};

			piece = psync_frag_bytes(a->queue, SIZE);
			reason = psync_frags_input(&b->f, &pkt, piece, cost, 0);
			if (!reason)
				continue;
			psync_frag_bytes_put(piece);
			break;
		}
		assert_int_equal(reason, cost == SIZE ? PSYNC_OK :
							PSYNC_DROP_FRAG_FULL);
		assert_true(b->f.bytes <= 4 * total);
	}
	assert_int_equal(b->wholes, 1);
	assert_true(i > 100);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* Those that wait their turn while there is no way out do not stay for ever. */
static void psync_frag_test_no_way(void **state)
{
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {};
	struct psync_frag_end *a;
	struct psync_pkt ack = {
		.type = PSYNC_PKT_FRAG_ACK,
		.frag_ack = { .id = 1, .base = 1, .turn = 1,
			      .state = PSYNC_FRAG_PART, .bitmap = bitmap },
	};
	u64 now = 1;
	bool back;
	u32 i;

	for (back = false; ; back = true) {
		a = psync_frag_open(INC);
		for (i = 0; i < PSYNC_FRAG_ACTIVE + 2; i++)
			assert_int_equal(psync_frag_push(a, 5 * SIZE, i + 1,
							 now), PSYNC_OK);
		assert_int_equal(psync_frags_answer(&a->f, &ack, now + 1),
				 PSYNC_OK);
		a->f.size = 0;
		while (a->f.nactive) {
			now = a->f.deadline;
			assert_true(now != U64_MAX);
			psync_frags_timer(&a->f, now);
		}
		assert_int_equal(a->f.nout, 2);
		assert_true(a->f.deadline != U64_MAX);
		if (back)
			break;
		psync_frags_timer(&a->f, a->f.deadline);
		assert_int_equal(a->f.nout, 0);
		assert_int_equal(a->drops[PSYNC_DROP_TX_GIVEN_UP],
				 PSYNC_FRAG_ACTIVE + 2);
		psync_frag_close(a);
	}
	/* There is one again: whoever sends one of them once more finds out. */
	a->f.size = psync_frags_size(MTU);
	psync_frag_clear(a);
	assert_int_equal(psync_frag_push(a, 5 * SIZE, PSYNC_FRAG_ACTIVE + 1,
					 now + 5), PSYNC_DROP_DUPLICATE);
	assert_int_equal(a->f.nactive, 2);
	assert_true(a->nqueue > 0);
	psync_frag_close(a);
}

/* No more at a time than any sender may have under way, and some. */
static void psync_frag_test_many(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	struct psync_frag_sent *sent = a->queue;
	u32 i;

	psync_frag_push(a, 2 * SIZE, 1, 0);
	for (i = 0; i < PSYNC_FRAG_OPEN; i++) {
		sent->pkt.frag.id = 10 + i;
		assert_int_equal(psync_frag_give(b, sent, 0), PSYNC_OK);
	}
	sent->pkt.frag.id = 99;
	assert_int_equal(psync_frag_give(b, sent, 0), PSYNC_DROP_FRAG_FULL);
	/* A name of one that is complete makes way. */
	sent[1].pkt.frag.id = 12;
	sent[1].pkt.frag.lowest = 1;
	assert_int_equal(psync_frag_give(b, &sent[1], 0), PSYNC_OK);
	assert_int_equal(b->wholes, 1);
	assert_int_equal(psync_frag_give(b, sent, 0), PSYNC_OK);
	assert_int_equal(b->f.nkept, PSYNC_FRAG_OPEN);
	/* So much may wait to be sent. */
	psync_frag_clear(a);
	for (i = 1; i < PSYNC_FRAG_QUEUE; i++)
		assert_int_equal(psync_frag_push(a, 2 * SIZE, 0, 0), PSYNC_OK);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 0, 0),
			 PSYNC_DROP_TX_FRAG_FULL);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* What cannot be sent so, and what is sent already. */
static void psync_frag_test_refused(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);

	assert_int_equal(psync_frags_size(PSYNC_WIRE_FRAG + PSYNC_FRAG_LEAST -
					  1), 0);
	assert_int_equal(psync_frags_size(PSYNC_WIRE_FRAG + PSYNC_FRAG_LEAST),
			 PSYNC_FRAG_LEAST);
	assert_int_equal(psync_frags_size(1 << 20), U16_MAX - PSYNC_WIRE_FRAG);
	assert_int_equal(psync_frag_push(a, SIZE, 1, 0),
			 PSYNC_DROP_TX_TOO_BIG);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 1, 0), PSYNC_OK);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 1, 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 2, 0), PSYNC_OK);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 0, 0), PSYNC_OK);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 0, 0), PSYNC_OK);
	a->most = 1;
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 0, 0),
			 PSYNC_DROP_TX_FRAG_FULL);
	a->f.size = 0;
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 3, 0),
			 PSYNC_DROP_TX_TOO_BIG);
	psync_frag_clear(a);
	psync_frag_close(a);
	/* What is under way to others does not keep out the first to this one. */
	a = psync_frag_open(INC);
	a->most = 1;
	a->packets[false] = 5;
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 1, 0), PSYNC_OK);
	assert_int_equal(psync_frag_push(a, 2 * SIZE, 2, 0),
			 PSYNC_DROP_TX_FRAG_FULL);
	a->packets[false] -= 5;
	psync_frag_close(a);
}

/* The link carries less: the packet begins anew in smaller fragments. */
static void psync_frag_test_shrunk(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	u64 now = 1;
	u32 i;

	psync_frag_push(a, 40 * SIZE, 1, now);
	psync_frag_carry(a, b, now, psync_frag_lose_tenth);
	a->f.size = PSYNC_FRAG_LEAST;
	psync_frag_carry(b, a, now, NULL);
	assert_true(a->nqueue > 40);
	for (i = 0; i < a->nqueue; i++) {
		assert_int_equal(a->queue[i].pkt.frag.size, PSYNC_FRAG_LEAST);
		assert_int_equal(a->queue[i].pkt.frag.id, 2);
	}
	for (i = 0; i < 100 && a->f.nout; i++) {
		psync_frag_carry(a, b, now, NULL);
		psync_frag_carry(b, a, now, NULL);
	}
	assert_int_equal(b->wholes, 1);
	psync_frag_same(b, 40 * SIZE);
	/* The other half is not kept. */
	assert_int_equal(b->drops[PSYNC_DROP_FRAG_EXPIRED], 1);
	assert_int_equal(b->f.nopen, 0);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* Answers that cannot be true change nothing. */
static void psync_frag_test_answers(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {};
	struct psync_frag_out *out;
	struct psync_pkt ack = {
		.type = PSYNC_PKT_FRAG_ACK,
		.frag_ack = { .id = 1, .base = 0, .turn = 1,
			      .bitmap = bitmap },
	};

	psync_frag_push(a, 400 * SIZE, 1, 0);
	out = list_first_entry(&a->f.out, struct psync_frag_out, link);
	psync_frag_clear(a);
	ack.frag_ack.id = 9;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_FRAG_STALE);
	ack.frag_ack.id = 1;
	ack.frag_ack.base = 257;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_BAD_FRAG);
	ack.frag_ack.base = 256;
	bitmap[0] = 2;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_BAD_FRAG);
	bitmap[0] = 0;
	ack.frag_ack.state = PSYNC_FRAG_WHOLE;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_BAD_FRAG);
	ack.frag_ack.state = PSYNC_FRAG_PART;
	ack.frag_ack.turn = 257;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_BAD_FRAG);
	ack.frag_ack.base = 400;
	ack.frag_ack.turn = 256;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1),
			 PSYNC_DROP_BAD_FRAG);
	assert_int_equal(out->base, 0);
	assert_int_equal(a->nqueue, 0);
	psync_frag_close(a);
}

/* A late one changes nothing; one that lacks what had come begins it anew. */
static void psync_frag_test_given_up_there(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {};
	struct psync_frag_out *out;
	u64 id;
	struct psync_pkt ack = {
		.type = PSYNC_PKT_FRAG_ACK,
		.frag_ack = { .id = 1, .base = 100, .turn = 200,
			      .bitmap = bitmap },
	};

	psync_frag_push(a, 400 * SIZE, 1, 0);
	out = list_first_entry(&a->f.out, struct psync_frag_out, link);
	psync_frag_clear(a);
	/* True, then an older one. */
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1), PSYNC_OK);
	assert_int_equal(out->base, 100);
	ack.frag_ack.base = 50;
	ack.frag_ack.turn = 150;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1), PSYNC_OK);
	assert_int_equal(out->base, 100);
	assert_int_equal(out->id, 1);
	/* A newer one that lacks what was there: it was given up there. */
	ack.frag_ack.turn = 201;
	assert_int_equal(psync_frags_answer(&a->f, &ack, 1), PSYNC_OK);
	assert_int_equal(out->base, 0);
	assert_int_equal(out->id, 2);
	/* Nobody has it begin anew for ever. */
	for (id = 2; a->f.nout; id++) {
		assert_in_range(id, 2, 20);
		psync_frag_clear(a);
		ack.frag_ack.id = id;
		ack.frag_ack.base = 10;
		ack.frag_ack.turn = 10;
		assert_int_equal(psync_frags_answer(&a->f, &ack, 1), PSYNC_OK);
		ack.frag_ack.base = 9;
		ack.frag_ack.turn = 11;
		assert_int_equal(psync_frags_answer(&a->f, &ack, 1), PSYNC_OK);
	}
	assert_int_equal(a->drops[PSYNC_DROP_TX_GIVEN_UP], 1);
	psync_frag_close(a);
}

/* What @end has said last of congestion marks. */
static u32 psync_frag_said(const struct psync_frag_end *end)
{
	assert_true(end->nqueue > 0);
	return end->queue[end->nqueue - 1].pkt.frag_ack.marks;
}

/* Every answer says how many came with a mark, whether they were used or not. */
static void psync_frag_test_marks(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_end *b = psync_frag_open(INC + 1);
	struct psync_frag_sent *sent = a->queue;
	u32 i;

	psync_frag_push(a, 5 * SIZE, 1, 0);
	psync_frag_push(a, 5 * SIZE, 2, 0);
	for (i = 0; i < 10; i++)
		sent[i].pkt.frag.flags |= PSYNC_FRAGF_ASK;
	psync_frag_give(b, &sent[0], 0);
	assert_int_equal(psync_frag_said(b), 0);
	sent[1].pkt.marked = true;
	psync_frag_give(b, &sent[1], 0);
	assert_int_equal(psync_frag_said(b), 1);
	/* Again, with one, and without. */
	assert_int_equal(psync_frag_give(b, &sent[1], 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_frag_said(b), 2);
	assert_int_equal(psync_frag_give(b, &sent[0], 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_frag_said(b), 2);
	/* Of another packet, and of another idea of this one. */
	sent[5].pkt.marked = true;
	psync_frag_give(b, &sent[5], 0);
	assert_int_equal(psync_frag_said(b), 1);
	sent[3].pkt.marked = true;
	sent[3].pkt.frag.total++;
	assert_int_equal(psync_frag_give(b, &sent[3], 0), PSYNC_DROP_BAD_FRAG);
	sent[3].pkt.frag.total--;
	sent[3].pkt.marked = false;
	psync_frag_give(b, &sent[2], 0);
	psync_frag_give(b, &sent[3], 0);
	assert_int_equal(psync_frag_said(b), 2);
	/* The last one, then one of what is complete. */
	sent[4].pkt.marked = true;
	psync_frag_give(b, &sent[4], 0);
	assert_int_equal(b->wholes, 1);
	assert_int_equal(psync_frag_said(b), 3);
	assert_int_equal(psync_frag_give(b, &sent[4], 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_frag_said(b), 4);
	/* Of another incarnation: nothing is known of that one. */
	sent[6].pkt.src_inc++;
	psync_frag_give(b, &sent[6], 0);
	assert_int_equal(psync_frag_said(b), 0);
	psync_frag_close(a);
	psync_frag_close(b);
}

/* An answer: it has come up to @base, @turn asked, so many had a mark. */
static void psync_frag_marked(struct psync_frag_end *end, u32 base, u32 turn,
			      u32 marks)
{
	u8 bitmap[PSYNC_FRAG_WINDOW / 8] = {};
	struct psync_pkt ack = {
		.type = PSYNC_PKT_FRAG_ACK,
		.frag_ack = { .id = 1, .base = base, .turn = turn,
			      .marks = marks, .bitmap = bitmap },
	};

	assert_int_equal(psync_frags_answer(&end->f, &ack, 1), PSYNC_OK);
}

/* The window halves once for what was under way, and nothing is sent again. */
static void psync_frag_test_marked(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_out *out;
	u32 turn;

	psync_frag_push(a, 5000 * SIZE, 1, 0);
	out = list_first_entry(&a->f.out, struct psync_frag_out, link);
	psync_frag_clear(a);
	assert_int_equal(out->window, PSYNC_FRAG_WINDOW);
	psync_frag_marked(a, 10, 10, 0);
	assert_int_equal(a->cuts[PSYNC_CUT_MARK], 0);
	assert_int_equal(out->window, PSYNC_FRAG_WINDOW);
	turn = out->turn;
	assert_int_equal(turn, PSYNC_FRAG_WINDOW + 10);
	psync_frag_marked(a, 20, 20, 1);
	assert_int_equal(a->cuts[PSYNC_CUT_MARK], 1);
	assert_int_equal(a->again, 0);
	assert_int_equal(out->window, PSYNC_FRAG_WINDOW / 2);
	/* More of the same window; the same again; one that was overtaken. */
	psync_frag_marked(a, 21, 21, 5);
	psync_frag_marked(a, 21, turn, 7);
	psync_frag_marked(a, 21, turn, 7);
	psync_frag_marked(a, 20, 20, 6);
	assert_int_equal(a->cuts[PSYNC_CUT_MARK], 1);
	assert_int_equal(out->marks, 7);
	assert_int_equal(out->window, PSYNC_FRAG_WINDOW / 2);
	psync_frag_close(a);
}

/* Once for each round trip, never below the least; with a loss it is one. */
static void psync_frag_test_marked_often(void **state)
{
	struct psync_frag_end *a = psync_frag_open(INC);
	struct psync_frag_out *out;
	u32 window, base, i;

	psync_frag_push(a, 5000 * SIZE, 1, 0);
	out = list_first_entry(&a->f.out, struct psync_frag_out, link);
	for (i = 1; i < 12; i++) {
		psync_frag_clear(a);
		window = out->window;
		base = out->next;
		psync_frag_marked(a, base, out->turn, i);
		assert_int_equal(a->cuts[PSYNC_CUT_MARK], i);
		assert_in_range(out->window, max(window / 2, 2U),
				max(window / 2, 2U) + 1);
		assert_int_equal(a->nqueue, out->window);
		assert_int_equal(a->again, 0);
	}
	assert_in_range(out->window, 2, 3);
	/* What was noted before does not count, nor does less. */
	window = out->window;
	psync_frag_marked(a, out->next, out->turn, i - 1);
	psync_frag_marked(a, out->next, out->turn, 1);
	assert_int_equal(a->cuts[PSYNC_CUT_MARK], i - 1);
	assert_true(out->window >= window);
	/* Lost and marked at once. */
	while (out->window < 8)
		psync_frag_marked(a, out->next, out->turn, i - 1);
	psync_frag_clear(a);
	psync_frag_marked(a, out->base, out->turn, i);
	assert_int_equal(out->window, 4);
	assert_int_equal(a->cuts[PSYNC_CUT_MARK], i - 1);
	assert_true(a->again > 0);
	psync_frag_close(a);
}

/* All that @from has sent comes with a mark, or is said to. */
static void psync_frag_mark_all(struct psync_frag_end *from, u32 *marks)
{
	u32 i;

	for (i = 0; i < from->nqueue; i++)
		if (marks)
			from->queue[i].pkt.frag_ack.marks = *marks += 1000;
		else
			from->queue[i].pkt.marked = true;
}

/* Everything is marked, or the receiver says so: it is slow, and that is all. */
static void psync_frag_test_marked_all(void **state)
{
	struct psync_frag_end *a, *b;
	u32 lies, marks, rounds;

	for (lies = 0; lies < 2; lies++) {
		a = psync_frag_open(INC);
		b = psync_frag_open(INC + 1);
		psync_frag_push(a, 1000 * SIZE, 1, 0);
		marks = 0;
		for (rounds = 0; a->f.nout && rounds < 1000; rounds++) {
			if (!lies)
				psync_frag_mark_all(a, NULL);
			psync_frag_carry(a, b, rounds, NULL);
			if (lies)
				psync_frag_mark_all(b, &marks);
			psync_frag_carry(b, a, rounds, NULL);
		}
		assert_int_equal(a->f.nout, 0);
		assert_int_equal(a->again, 0);
		assert_int_equal(b->wholes, 1);
		psync_frag_same(b, 1000 * SIZE);
		assert_in_range(rounds, 100, 500);
		assert_in_range(a->cuts[PSYNC_CUT_MARK], rounds / 2, rounds);
		psync_frag_close(a);
		psync_frag_close(b);
	}
}

/* Every allocation fails once; the packet comes all the same. */
static void psync_frag_test_memory(void **state)
{
	struct psync_frag_end *a, *b;
	u32 fail, i;

	for (fail = 1; fail < 4; fail++) {
		a = psync_frag_open(INC);
		b = psync_frag_open(INC + 1);
		a->fail_at = b->fail_at = fail;
		if (psync_frag_push(a, 30 * SIZE, 1, 0))
			assert_int_equal(psync_frag_push(a, 30 * SIZE, 1, 0),
					 PSYNC_OK);
		for (i = 0; i < 100 && a->f.nout; i++) {
			psync_frag_carry(a, b, i, NULL);
			psync_frag_carry(b, a, i, NULL);
			if (!a->nqueue && a->f.nout)
				psync_frags_timer(&a->f, a->f.deadline);
		}
		assert_int_equal(b->wholes, 1);
		psync_frag_close(a);
		psync_frag_close(b);
	}
	assert_int_equal(psync_frag_objects, 0);
}

const struct CMUnitTest psync_frag_tests[] = {
	cmocka_unit_test(psync_frag_test_whole),
	cmocka_unit_test(psync_frag_test_lost),
	cmocka_unit_test(psync_frag_test_mixed),
	cmocka_unit_test(psync_frag_test_bitmap),
	cmocka_unit_test(psync_frag_test_window),
	cmocka_unit_test(psync_frag_test_given_up),
	cmocka_unit_test(psync_frag_test_expired),
	cmocka_unit_test(psync_frag_test_life),
	cmocka_unit_test(psync_frag_test_outdated),
	cmocka_unit_test(psync_frag_test_limits),
	cmocka_unit_test(psync_frag_test_waste),
	cmocka_unit_test(psync_frag_test_no_way),
	cmocka_unit_test(psync_frag_test_many),
	cmocka_unit_test(psync_frag_test_refused),
	cmocka_unit_test(psync_frag_test_shrunk),
	cmocka_unit_test(psync_frag_test_answers),
	cmocka_unit_test(psync_frag_test_given_up_there),
	cmocka_unit_test(psync_frag_test_marks),
	cmocka_unit_test(psync_frag_test_marked),
	cmocka_unit_test(psync_frag_test_marked_often),
	cmocka_unit_test(psync_frag_test_marked_all),
	cmocka_unit_test(psync_frag_test_memory),
};
const size_t psync_frag_ntests = ARRAY_SIZE(psync_frag_tests);
