// SPDX-License-Identifier: GPL-2.0-only
/* What one packet may cost, and what no packets may bring about. */
#include <time.h>
#include "bed.h"
#include "core/confirm.h"
#include "core/hash.h"
#include "core/restart.h"

#define MS	PSYNC_BED_MS
#define SEC	(1000 * PSYNC_BED_MS)
#define MOST	8

/* Participant i at site i + 1; the one at site @me has opened. */
static void psync_bound_open(struct psync_bed *bed, struct psync_view *view,
			     u32 n, u32 me,
			     const struct psync_limits *limits)
{
	struct psync_pid pids[MOST];
	struct psync_image_params p;
	u32 sites[MOST];
	u32 i;

	for (i = 0; i < n; i++)
		sites[i] = i + 1;
	psync_bed_params(&p, pids, sites, n, 0);
	if (limits)
		p.limits = *limits;
	assert_int_equal(psync_bed_init(bed, &p, me), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, me - 1, 1, 1, 0), 0);
}

static void psync_bound_close(struct psync_bed *bed, struct psync_view *view)
{
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
}

/* Numbers of which no id can be made are not used (S1.4). */
static void psync_bound_test_numbers(void **state)
{
	u64 last = (1ULL << PSYNC_MID_SEQ_BITS) - 1;
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	/* As after very many. */
	bed.img.parts[0].seq = last;
	assert_int_equal(psync_image_send(&bed.img, &view, NULL, 0, &mid, 2),
			 -EOVERFLOW);
	bed.img.parts[0].seq = 0;
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* Nor are those up to the base. */
static void psync_bound_test_base(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	u64 held[3] = { 10, 9, 10 }, low = PSYNC_MID(2, 9);
	__be32 stamp[3] = { cpu_to_be32(9), cpu_to_be32(11), cpu_to_be32(10) };
	struct psync_image_params p;
	struct psync_pid pids[3];
	struct psync_view view = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	u8 bitmap[4] = { 2 };
	__be32 wire[3];

	psync_bed_params(&p, pids, sites, 3, 0);
	p.seq_base = 10;
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 1, 0), 0);
	assert_int_equal(psync_bed_msg(&bed, 1, 9, 1, 0, NULL),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_bed_msg(&bed, 1, 11, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 12, 2, 1, &low),
			 PSYNC_DROP_BAD_CONTEXT);
	psync_bed_craft(&bed, 1, 12, 2, 0, NULL, NULL, &pkt);
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_RESTART;
	pkt.msg.npred = 1;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_CONTEXT);
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_VECTOR);
	held[1] = 11;
	psync_bed_vector(&bed, PSYNC_PKT_RR, 2, held, wire, &pkt);
	pkt.vector.flags = PSYNC_VECTORF_MID;
	pkt.vector.seq = 9;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_CONTEXT);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

#define FAR	(1ULL << 33)

/* Site 2 answers a request with GONE, and says how deep that is. */
static enum psync_drop psync_bound_answer(struct psync_bed *bed,
					  const u64 *held, u32 depth)
{
	static __be32 wire[PSYNC_PARTICIPANTS_LIM];
	struct psync_pkt pkt;

	bed->muted = ~0U;
	psync_image_timer(&bed->img, bed->img.rr_at);
	bed->muted = 0;
	assert_true(bed->img.remotes[0].requested);
	psync_bed_vector(bed, PSYNC_PKT_GONE, 2, held, wire, &pkt);
	pkt.vector.seq = depth;
	return psync_bed_input(bed, &pkt, bed->img.now);
}

/* The numbers in the oldest packet of @type that was sent; freed. */
static void psync_bound_sent(struct psync_bed *bed, u8 type, u64 first,
			     u64 second)
{
	struct psync_bed_packet packet = psync_bed_pop_type(bed, type);
	struct psync_pkt pkt;

	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len,
					   &pkt), PSYNC_OK);
	if (type == PSYNC_PKT_MSG) {
		assert_true(pkt.msg.seq == second);
		assert_true(psync_wire_seq(pkt.msg.stamp, pkt.msg.highs, 0) ==
			    first);
	} else {
		assert_true(psync_ack_said(&pkt, 0) == first);
		assert_true(psync_ack_said(&pkt, 1) == second);
	}
	psync_bed_packet_free(&packet);
}

/* Who comes back knows none of the numbers, however far they are (S7). */
static void psync_bound_test_far_back(void **state)
{
	static const u32 sites[2] = { 1, 2 };
	static const u64 fars[] = { 1ULL << 31, 3ULL << 31, FAR, FAR + FAR };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_pid pids[2];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[2];
	u64 held[2], mid;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fars); i++) {
		held[0] = fars[i] + 7;
		held[1] = fars[ARRAY_SIZE(fars) - 1 - i] + 5;
		psync_bed_params(&p, pids, sites, 2, 0);
		assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
		memset(&view, 0, sizeof(view));
		assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7,
						    &how, 0), 0);
		psync_bed_forget(&bed);
		psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, 2, held, wire, &pkt);
		pkt.vector.dst_opening = 7;
		pkt.vector.flags = PSYNC_VECTORF_KNOWN;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		assert_int_equal(psync_bound_answer(&bed, held, 100), PSYNC_OK);
		assert_false(bed.img.recover);
		psync_bound_sent(&bed, PSYNC_PKT_MSG, held[0],
				 held[0] + 1 + PSYNC_RESTART_SKIP);
		mid = PSYNC_MID(1, held[1]);
		assert_int_equal(psync_bed_msg(&bed, 1, held[1] + 1, 101, 1,
					       &mid), PSYNC_OK);
		assert_true(psync_bed_receive(&view) ==
			    PSYNC_MID(1, held[1] + 1));
		psync_bed_send(&bed, &view, 1);
		psync_bed_forget(&bed);
		psync_bound_close(&bed, &view);
	}
}

/* Nor does who opens late: by a message, a vector, and what is gone. */
static void psync_bound_test_far_late(void **state)
{
	static const u64 fars[] = { 1ULL << 31, 3ULL << 31, 1ULL << 32, FAR };
	u64 held[2] = {}, preds[2];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[2];
	u32 i, ack;

	for (i = 0; i < 2 * ARRAY_SIZE(fars); i++) {
		ack = i % 2;
		held[1] = fars[i / 2];
		preds[0] = PSYNC_MID(1, held[1]);
		psync_bound_open(&bed, &view, 2, 1, NULL);
		if (ack) {
			psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire,
					 &pkt);
			assert_int_equal(psync_bed_input(&bed, &pkt, 0),
					 PSYNC_OK);
		} else {
			assert_int_equal(psync_bed_msg(&bed, 1, held[1] + 1, 9,
						       1, preds),
					 PSYNC_DROP_HELD_FULL);
		}
		assert_int_equal(bed.img.nlack, 1);
		assert_int_equal(psync_bound_answer(&bed, held, 8), PSYNC_OK);
		assert_int_equal(psync_bed_msg(&bed, 1, held[1] + 1, 9, 1,
					       preds), PSYNC_OK);
		assert_int_equal(psync_bed_msg(&bed, 1, held[1] + 1, 9, 1,
					       preds), PSYNC_DROP_DUPLICATE);
		psync_bed_drain(&view);
		psync_bed_forget(&bed);
		psync_ack_grant(&bed.img, &bed.img.remotes[0]);
		psync_bound_sent(&bed, PSYNC_PKT_ACK, 0, held[1] + 1);
		psync_bound_close(&bed, &view);
	}
}

/* Nobody leaves out more numbers than one who is back has to (S7.1). */
static void psync_bound_test_gap(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_restart(&bed, 1, 2 + PSYNC_RESTART_GAP, 1,
					     2), PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_restart(&bed, 1, 1 + PSYNC_RESTART_GAP, 1,
					     2), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* Site 2 says that all up to @held is gone, in answer to a request. */
static enum psync_drop psync_bound_gone(struct psync_bed *bed, const u64 *held,
					u32 depth)
{
	static __be32 wire[PSYNC_PARTICIPANTS_LIM];
	struct psync_pkt pkt;

	psync_bed_vector(bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_OK);
	bed->muted = ~0U;
	psync_image_timer(&bed->img, bed->img.rr_at);
	assert_true(bed->img.remotes[0].requested);
	psync_bed_vector(bed, PSYNC_PKT_GONE, 2, held, wire, &pkt);
	pkt.vector.seq = depth;
	return psync_bed_input(bed, &pkt, bed->img.now);
}

/* A vector costs as much as there are messages, not as there are numbers. */
static void psync_bound_test_vector(void **state)
{
	u64 held[3] = { 0, S32_MAX, 0 };
	const struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	clock_t began;
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bound_gone(&bed, held, 1), PSYNC_OK);
	mid = PSYNC_MID(1, held[1]);
	assert_int_equal(psync_bed_msg(&bed, 1, held[1] + 1, 2, 1, &mid),
			 PSYNC_OK);
	node = bed.img.parts[1].last;
	assert_int_equal(node->unheld, 1);
	assert_int_equal(bed.img.remotes[1].lag, 1);
	began = clock();
	held[1]++;
	held[2] = 1;
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 3, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now), PSYNC_OK);
	assert_true(clock() - began < CLOCKS_PER_SEC);
	assert_int_equal(node->unheld, 0);
	assert_int_equal(bed.img.remotes[1].lag, 0);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* What was sent while a site was down is there when it is back (S7.3). */
static void psync_bound_test_back(void **state)
{
	const struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 held[2] = { 0, 1 };
	__be32 wire[2];

	psync_bound_open(&bed, &view, 2, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bed_send(&bed, &view, 100);
	psync_bed_forget(&bed);
	node = psync_graph_find(&bed.img, 0, 1);
	assert_int_equal(node->unheld, 1);
	held[1] = 0;
	psync_bed_vector(&bed, PSYNC_PKT_RS, 2, held, wire, &pkt);
	pkt.opening = 2;
	pkt.vector.index = 1;
	pkt.vector.token = 9;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_false(node->gone);
	assert_int_equal(node->unheld, 1);
	assert_int_equal(bed.img.nowed, 1);
	psync_bed_forget(&bed);
	psync_bed_vector(&bed, PSYNC_PKT_RR, 2, held, wire, &pkt);
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&bed, &pkt, 2), PSYNC_OK);
	psync_bed_take(&bed, &pkt, NULL);
	assert_int_equal(pkt.type, PSYNC_PKT_MSG);
	assert_int_equal(pkt.msg.sender, 0);
	psync_bound_close(&bed, &view);
}

/* A site that held a message holds it no more when it is back. */
static void psync_bound_test_back_without(void **state)
{
	const struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 held[3] = { 1, 1, 0 };
	__be32 wire[3];

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bed_send(&bed, &view, 100);
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	node = psync_graph_find(&bed.img, 0, 1);
	assert_int_equal(node->unheld, 1);
	assert_int_equal(bed.img.remotes[0].lag, 0);
	psync_bed_vector(&bed, PSYNC_PKT_RS, 2, held, wire, &pkt);
	pkt.opening = 2;
	pkt.vector.index = 1;
	pkt.vector.token = 9;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(node->unheld, 2);
	assert_int_equal(bed.img.nowed, 1);
	/* What the third one lacks it lacks, too, its own included. */
	assert_int_equal(bed.img.remotes[0].lag, 2);
	held[0] = 1;
	held[1] = 1;
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 3, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_true(node->gone);
	assert_int_equal(bed.img.remotes[0].lag, 0);
	assert_int_equal(bed.img.nowed, 0);
	psync_bound_close(&bed, &view);
}

static void psync_bound_limits(struct psync_limits *limits)
{
	struct psync_image_params p;
	struct psync_pid pids[2];
	u32 sites[2] = { 1, 2 };

	psync_bed_params(&p, pids, sites, 2, 0);
	*limits = p.limits;
	limits->max_nodes = 64;
	limits->max_held = 64;
	limits->max_bytes = 1 << 16;
}

static enum psync_drop psync_bound_next(struct psync_bed *bed, u32 sender,
					u8 kind)
{
	const struct psync_part *part = &bed->img.parts[sender];
	u64 pred = PSYNC_MID(sender, part->seq);
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	struct psync_pkt pkt;

	psync_bed_craft(bed, sender, part->seq + 1, part->last->wave + 1, 1,
			&pred, mids, &pkt);
	pkt.msg.kind = kind;
	if (kind != PSYNC_KIND_DATA)
		pkt.body_len = 0;
	return psync_bed_input(bed, &pkt, 1);
}

/*
 * Behind a message that the other site lacks nothing can be freed.  It does not
 * get to send without end for all that, but to say that it ends.
 */
static void psync_bound_test_spare(void **state)
{
	struct psync_limits limits;
	struct psync_view view;
	struct psync_bed bed;
	enum psync_drop drop;
	u32 count;
	u8 kind;

	for (kind = PSYNC_KIND_DATA; kind <= PSYNC_KIND_NULL; kind++) {
		psync_bound_limits(&limits);
		psync_bound_open(&bed, &view, 2, 1, &limits);
		bed.muted = ~0U;
		assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL),
				 PSYNC_OK);
		psync_bed_drain(&view);
		psync_bed_send(&bed, &view, 100);
		count = 0;
		do {
			drop = psync_bound_next(&bed, 1, kind);
			psync_bed_drain(&view);
			assert_true(++count < 4096);
		} while (!drop);
		assert_int_equal(drop, PSYNC_DROP_IMAGE_FULL);
		assert_true(bed.img.nnodes >= 2 * limits.max_nodes);
		assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END),
				 PSYNC_OK);
		/* What that one waits for is held at last. */
		psync_bed_held(&bed);
		assert_true(bed.img.nnodes <= limits.max_nodes);
		psync_bound_close(&bed, &view);
	}
}

/* Message 1 of @sender with @len bytes. */
static enum psync_drop psync_bound_large(struct psync_bed *bed, u32 sender,
					 u32 len, u8 flags)
{
	struct psync_wire_pid pids[MOST];
	struct psync_pkt pkt;
	u32 i;

	for (i = 0; i < bed->img.p.n; i++)
		pids[i] = bed->img.wire_pids[i];
	psync_bed_craft(bed, sender, 1, 1, 0, NULL, NULL, &pkt);
	pkt.body_len = len;
	pkt.msg.flags = flags;
	if (flags & PSYNC_MSGF_START)
		pkt.msg.participants = pids;
	return psync_bed_input(bed, &pkt, 1);
}

/*
 * Room for one message of each participant, and for the first one, is no room
 * for any that is larger than what the site may have here: for that there must
 * be memory, and a reader with nothing else to read.
 */
static void psync_bound_test_large(void **state)
{
	struct psync_limits limits;
	struct psync_view view;
	struct psync_bed bed;
	u32 share, start;

	psync_bound_limits(&limits);
	share = limits.max_bytes / 4;
	for (start = 0; start < 2; start++) {
		psync_bound_open(&bed, &view, 4, 1, &limits);
		bed.muted = ~0U;
		bed.room = 1000;
		assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL),
				 PSYNC_OK);
		bed.poor = true;
		assert_int_equal(psync_bound_large(&bed, 3, share, 0),
				 PSYNC_OK);
		bed.poor = false;
		assert_int_equal(psync_bound_large(&bed, 2, 60000, start ?
						   PSYNC_MSGF_START : 0),
				 PSYNC_DROP_IMAGE_FULL);
		psync_bed_drain(&view);
		bed.poor = true;
		assert_int_equal(psync_bound_large(&bed, 2, 60000, start ?
						   PSYNC_MSGF_START : 0),
				 PSYNC_DROP_IMAGE_FULL);
		bed.poor = false;
		assert_int_equal(psync_bound_large(&bed, 2, 60000, start ?
						   PSYNC_MSGF_START : 0),
				 PSYNC_OK);
		psync_bed_drain(&view);
		psync_bound_close(&bed, &view);
	}
}

/* Likewise while nobody here has opened. */
static void psync_bound_test_pending(void **state)
{
	struct psync_limits limits;
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_limits(&limits);
	limits.max_pending = 1000;
	psync_bound_open(&bed, &view, 3, 1, &limits);
	psync_bed_leave(&bed, &view);
	bed.muted = ~0U;
	bed.poor = true;
	assert_int_equal(psync_bound_large(&bed, 1, 1001, PSYNC_MSGF_START),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(psync_bound_large(&bed, 1, 1000, PSYNC_MSGF_START),
			 PSYNC_OK);
	psync_bed_exit(&bed);
}

#define SITE_N	64

/* Participant 0 is here, all others are at site 2, and none needs much memory. */
static void psync_bound_site(struct psync_bed *bed, struct psync_view *view)
{
	struct psync_pid pids[SITE_N];
	struct psync_limits limits;
	struct psync_image_params p;
	u32 sites[SITE_N];
	u32 i;

	for (i = 0; i < SITE_N; i++)
		sites[i] = i ? 2 : 1;
	psync_bound_limits(&limits);
	psync_bed_params(&p, pids, sites, SITE_N, 0);
	p.limits = limits;
	p.limits.max_bytes = 1 << 20;
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 1, 0), 0);
}

/*
 * Nor does it help a site that it has many participants: there is room for as
 * many of theirs as it could have sent, and for few when nobody pays.
 */
static void psync_bound_test_site(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 most = 2 * 64 + 1;
	u32 i, poor;

	for (poor = 0; poor < 2; poor++) {
		psync_bound_site(&bed, &view);
		bed.muted = ~0U;
		bed.poor = poor;
		most += poor ? 8 * SITE_N :
			(1 << 19) / psync_node_size(&bed.img, 0) + 64 * SITE_N;
		psync_bed_send(&bed, &view, 100);
		for (i = 1; i < SITE_N; i++)
			assert_int_equal(psync_bed_msg(&bed, i, 1, 1, 0, NULL),
					 PSYNC_OK);
		psync_bed_drain(&view);
		for (i = 1; i < SITE_N; i++)
			while (!psync_bound_next(&bed, i, PSYNC_KIND_NULL))
				assert_true(bed.img.nnodes <= most);
		assert_true(bed.img.nnodes > 2 * 64);
		psync_bed_held(&bed);
		assert_true(bed.img.nnodes <= 64);
		psync_bound_close(&bed, &view);
		most = 2 * 64 + 1;
	}
}

/* Nor does it help that a third site lacks them; nor that nobody pays. */
static void psync_bound_test_nulls(void **state)
{
	struct psync_limits limits;
	struct psync_view view;
	struct psync_bed bed;
	u32 count = 0;

	psync_bound_limits(&limits);
	psync_bound_open(&bed, &view, 3, 1, &limits);
	bed.muted = ~0U;
	bed.poor = true;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	while (!psync_bound_next(&bed, 1, PSYNC_KIND_NULL))
		assert_true(++count < 4096);
	assert_true(bed.img.body_bytes <= 2 * limits.max_bytes);
	assert_true(bed.img.body_bytes > limits.max_bytes);
	/* Some of another participant are taken all the same. */
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	for (count = 1; count < 8; count++)
		assert_int_equal(psync_bound_next(&bed, 2, PSYNC_KIND_NULL),
				 PSYNC_OK);
	assert_int_equal(psync_bound_next(&bed, 2, PSYNC_KIND_NULL),
			 PSYNC_DROP_IMAGE_FULL);
	psync_bed_drain(&view);
	psync_bed_held(&bed);
	assert_int_equal(psync_bound_next(&bed, 2, PSYNC_KIND_NULL), PSYNC_OK);
	psync_bound_close(&bed, &view);
}

/* What was kept of one site names the next, and so on: one after the other. */
static void psync_bound_test_early(void **state)
{
	static const u32 sites[MOST] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct psync_pid pids[MOST];
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pkt pkt;
	struct psync_bed bed;
	u32 i;

	psync_bed_params(&p, pids, sites, MOST, 4);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 1, 0), 0);
	/* Each of a participant at the next site. */
	for (i = 2; i < MOST; i++) {
		psync_bed_craft(&bed, i, 1, 1, 0, NULL, NULL, &pkt);
		pkt.src_site = i;
		pkt.src_inc = 5000 + i;
		pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt.msg.inc = 5001 + i;
		pkt.msg.opening = 1;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	}
	assert_int_equal(bed.img.nearly, MOST - 2);
	pkt = (struct psync_pkt){
		.type		= PSYNC_PKT_HELLO_ACK,
		.src_site	= 2,
		.src_inc	= 5002,
		.cid		= bed.img.p.cid,
		.digest		= bed.img.p.digest,
		.group		= 7,
		.number		= 4,
		.opening	= 1,
		.hello		= {
			.nonce	= bed.img.remotes[0].nonce,
			.state	= PSYNC_HELLO_OPEN,
		},
	};
	assert_int_equal(psync_bed_input(&bed, &pkt, 2), PSYNC_OK);
	assert_int_equal(bed.img.attached, 1);
	psync_bed_run(&bed, 2);
	assert_int_equal(bed.img.attached, MOST - 2);
	assert_int_equal(bed.img.nearly, 0);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* As sent again by site 2 for site 1, in its second opening. */
static enum psync_drop psync_bound_relay(struct psync_bed *bed,
					 struct psync_pkt *pkt)
{
	pkt->src_site = 2;
	pkt->src_inc = 5002;
	pkt->msg.flags |= PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt->msg.inc = 5001;
	pkt->msg.opening = 2;
	return psync_bed_input(bed, pkt, 1);
}

/* The RESTART that has its site count again is lacked there once. */
static void psync_bound_test_once(void **state)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	__be32 stamp[3] = { cpu_to_be32(2) };
	u64 first = PSYNC_MID(0, 1);
	u64 held[3] = { 3, 0, 0 };
	const struct psync_node *node;
	u8 bitmap[4] = { 1 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 site;

	psync_bound_open(&bed, &view, 3, 3, NULL);
	psync_bed_craft(&bed, 0, 1, 1, 0, NULL, mids, &pkt);
	assert_int_equal(psync_bound_relay(&bed, &pkt), PSYNC_OK);
	psync_bed_craft(&bed, 0, 2, 2, 1, &first, mids, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bound_relay(&bed, &pkt), PSYNC_OK);
	psync_bed_craft(&bed, 0, 3, 3, 0, NULL, mids, &pkt);
	pkt.msg.kind = PSYNC_KIND_RESTART;
	pkt.body_len = 0;
	pkt.msg.binding = 4;
	pkt.msg.npred = 1;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.preds = NULL;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bound_relay(&bed, &pkt), PSYNC_OK);
	psync_bed_drain(&view);
	node = psync_graph_find(&bed.img, 0, 3);
	assert_int_equal(node->unheld, 2);
	assert_int_equal(bed.img.remotes[0].lag, 3);
	for (site = 1; site <= 2; site++) {
		psync_bed_vector(&bed, PSYNC_PKT_ACK, site, held, wire, &pkt);
		pkt.opening = site == 1 ? 2 : 1;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	}
	assert_int_equal(node->unheld, 0);
	assert_int_equal(bed.img.remotes[0].lag, 0);
	assert_true(node->gone);
	assert_int_equal(bed.img.nuntaken, 0);
	psync_bound_close(&bed, &view);
}

/* Who is back in a rendezvous says so before anything else. */
static void psync_bound_test_first(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	struct psync_pkt pkt;
	struct psync_bed bed;
	u64 held[3] = { 1 };
	__be32 wire[3];
	u32 i;

	psync_bed_params(&p, pids, sites, 3, 4);
	assert_int_equal(psync_bed_init(&bed, &p, 2), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 1, 5, 2, &how, 0),
			 0);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RS], 2);
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 1, held, wire, &pkt);
	pkt.vector.dst_opening = 1;
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	pkt.vector.token = 3;
	assert_int_equal(psync_bed_input(&bed, &pkt, PSYNC_BED_NEVER),
			 PSYNC_DROP_UNCONFIRMED);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RS], 3);
	/* Another site, which is not known either, names the first one. */
	bed.img.remotes[1].state = PSYNC_REMOTE_CONFIRMED;
	bed.img.remotes[1].inc = 5003;
	bed.img.remotes[1].opening = 1;
	for (i = 1; i <= 2; i++) {
		psync_bed_craft(&bed, 0, i, 1, 0, NULL, NULL, &pkt);
		pkt.src_site = 3;
		pkt.src_inc = 5003;
		pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt.msg.inc = 5000 + i;
		pkt.msg.opening = 1;
		psync_bed_input(&bed, &pkt, i * PSYNC_BED_NEVER * 2);
	}
	assert_true(bed.img.remotes[0].hearsay);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RS], 4);
	assert_int_equal(bed.ntypes[PSYNC_PKT_HELLO], 0);
	psync_bound_close(&bed, &view);
}

/* Nor does a site without which it recovered hear anything else of it first. */
static void psync_bound_test_absent(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	struct psync_pkt pkt;
	struct psync_bed bed;
	u64 held[3] = {};
	__be32 wire[3];
	u32 i, said;

	psync_bed_params(&p, pids, sites, 3, 4);
	p.limits.absent_ns = 1000 * MS;
	assert_int_equal(psync_bed_init(&bed, &p, 2), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 1, 5, 2, &how, 0),
			 0);
	psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, 3, held, wire, &pkt);
	pkt.vector.dst_opening = 2;
	assert_int_equal(psync_bed_input(&bed, &pkt, MS), PSYNC_OK);
	assert_true(bed.img.recover);
	psync_bed_run(&bed, 1000 * MS);
	assert_true(bed.img.remotes[0].absent);
	assert_false(bed.img.recover);
	said = bed.ntypes[PSYNC_PKT_RS];
	for (i = 1; i <= 2; i++) {
		psync_bed_craft(&bed, 0, i, 1, 0, NULL, NULL, &pkt);
		pkt.src_site = 3;
		pkt.src_inc = 5003;
		pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt.msg.inc = 5000 + i;
		pkt.msg.opening = 1;
		psync_bed_input(&bed, &pkt, i * PSYNC_BED_NEVER * 2);
	}
	assert_true(bed.img.remotes[0].hearsay);
	assert_int_equal(bed.ntypes[PSYNC_PKT_HELLO], 0);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RS], said + 1);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* Nor does it doubt one that is back, too, for what others said of that one. */
static void psync_bound_test_doubt(void **state)
{
	static const u32 sites[2] = { 1, 2 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_remote *remote;
	struct psync_pid pids[2];
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 held[2] = {};
	__be32 wire[2];

	psync_bed_params(&p, pids, sites, 2, 4);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 5, 7, &how, 0),
			 0);
	remote = &bed.img.remotes[0];
	remote->state = PSYNC_REMOTE_CONFIRMED;
	remote->inc = 4999;
	remote->opening = 1;
	remote->hearsay = true;
	psync_bed_vector(&bed, PSYNC_PKT_RS, 2, held, wire, &pkt);
	pkt.opening = 5;
	pkt.vector.index = 1;
	pkt.vector.token = 9;
	assert_int_equal(psync_bed_input(&bed, &pkt, 2 * SEC), PSYNC_OK);
	assert_int_equal(remote->opening, 5);
	assert_false(remote->hearsay);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Another site that is back, too, need not hold what its earlier life did. */
static void psync_bound_test_both(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	u64 held[3] = { 0, 3, 0 };
	struct psync_pkt pkt;
	struct psync_bed bed;
	__be32 wire[3];
	u32 opening;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	for (opening = 5; opening <= 6; opening++) {
		held[1] = opening == 5 ? 3 : 0;
		psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, 2, held, wire, &pkt);
		pkt.opening = opening;
		pkt.vector.dst_opening = 7;
		assert_int_equal(psync_bed_input(&bed, &pkt, 2 * opening * SEC),
				 PSYNC_OK);
		assert_int_equal(psync_ack_held(&bed.img, &bed.img.remotes[0],
						1), held[1]);
	}
	assert_int_equal(bed.img.remotes[0].opening, 6);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Who was never here says nothing when that turns out, but what it owes. */
static void psync_bound_test_owes(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	u64 held[3] = {};
	struct psync_pkt pkt;
	struct psync_bed bed;
	__be32 wire[3];
	u32 site;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	for (site = 2; site <= 3; site++) {
		psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, site, held, wire, &pkt);
		pkt.vector.dst_opening = 7;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		if (site == 3)
			break;
		assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL),
				 PSYNC_OK);
		psync_bed_drain(&view);
		assert_true(view.null_at == U64_MAX);
	}
	assert_false(view.restart);
	assert_true(view.null_at != U64_MAX);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Participant 1, at site 2, is back for the first time: RS. */
static void psync_bound_rs(struct psync_bed *bed, u32 opening, __be32 *wire,
			   struct psync_pkt *pkt)
{
	u64 held[MOST] = { 0, 1 };

	psync_bed_vector(bed, PSYNC_PKT_RS, 2, held, wire, pkt);
	pkt->opening = opening;
	pkt->vector.index = 1;
	pkt->vector.token = 9;
}

/* All that a site is known to hold is not looked at for every RS. */
static void psync_bound_test_often(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[2];

	psync_bound_open(&bed, &view, 2, 1, NULL);
	bed.img.p.limits.rto_min_ns = 0;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bound_rs(&bed, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	psync_bound_rs(&bed, 3, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, SEC),
			 PSYNC_DROP_RR_RATE);
	assert_int_equal(bed.img.remotes[0].opening, 2);
	psync_bound_rs(&bed, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, SEC), PSYNC_OK);
	psync_bound_rs(&bed, 3, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, SEC + 1), PSYNC_OK);
	assert_int_equal(bed.img.remotes[0].opening, 3);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Who says again and again that it is back is not believed as often. */
static void psync_bound_test_again(void **state)
{
	struct psync_image_params p;
	struct psync_pid pids[2];
	u32 sites[2] = { 1, 2 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[2];
	u32 i;

	psync_bed_params(&p, pids, sites, 2, 0);
	psync_bed_times(&p);
	psync_bound_open(&bed, &view, 2, 1, &p.limits);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	bed.muted = ~0U;
	for (i = 0; i < 100; i++) {
		psync_bound_rs(&bed, 2, wire, &pkt);
		pkt.vector.token = 9 + i;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1 + i * MS / 5),
				 i % 50 ? PSYNC_DROP_RR_RATE : PSYNC_OK);
	}
	assert_int_equal(bed.ntypes[PSYNC_PKT_RS_ACK], 2);
	assert_int_equal(bed.nevents, 2);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* Nor does one of an incarnation that was not heard before, if it says so. */
static void psync_bound_test_late_life(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 i;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bound_rs(&bed, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(psync_bed_returns(&bed, 1, 2, 1, 2, 2), PSYNC_OK);
	assert_int_equal(bed.nevents, 1);
	for (i = 0; i < 2; i++) {
		psync_bound_rs(&bed, 2, wire, &pkt);
		pkt.src_inc += 1 + i;
		pkt.vector.flags = PSYNC_VECTORF_MID;
		pkt.vector.seq = 2 + i;
		assert_int_equal(psync_bed_input(&bed, &pkt, (2 + 2 * i) * SEC),
				 PSYNC_OK);
		assert_int_equal(bed.img.parts[1].back, i);
		assert_int_equal(bed.nevents, 1 + i);
	}
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* What others keep of one that is back does not say what it has now. */
static void psync_bound_test_past(void **state)
{
	struct psync_wire_mid wire_mid[1];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	mid = psync_bed_send(&bed, &view, 10);
	psync_bound_rs(&bed, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	psync_bed_craft(&bed, 1, 1, 2, 1, &mid, wire_mid, &pkt);
	pkt.msg.flags = PSYNC_MSGF_REPEAT | PSYNC_MSGF_FOREIGN;
	pkt.msg.inc = bed.img.remotes[0].inc;
	pkt.msg.opening = 2;
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(bed.img.parts[1].seq, 1);
	assert_int_equal(psync_ack_held(&bed.img, &bed.img.remotes[0], 0), 0);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* An RS that comes after its RESTART does not announce another one. */
static void psync_bound_test_late(void **state)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	u64 mid = PSYNC_MID(1, 2);
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 i;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.img.p.limits.rto_min_ns = 0;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	for (i = 0; i < 2; i++) {
		psync_bound_rs(&bed, 2, wire, &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		assert_int_equal(psync_bed_returns(&bed, 1, 2, 1, 2, 2),
				 i ? PSYNC_DROP_DUPLICATE : PSYNC_OK);
		assert_false(bed.img.parts[1].back);
	}
	/* Nor does one of an earlier life of it, and nobody is told again. */
	assert_int_equal(bed.nevents, 1);
	psync_bound_rs(&bed, 2, wire, &pkt);
	pkt.vector.token = 8;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_false(bed.img.parts[1].back);
	assert_int_equal(bed.nevents, 1);
	psync_bed_craft(&bed, 1, 3, 3, 1, &mid, mids, &pkt);
	pkt.opening = 2;
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_END;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(bed.img.remotes[0].nlive, 0);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* What follows the last message of @sender, which is lost. */
static enum psync_drop psync_bound_follow(struct psync_bed *bed, u32 sender,
					  u32 wave)
{
	u64 seq = bed->img.parts[sender].seq;
	u64 mid = PSYNC_MID(sender, seq);

	return psync_bed_msg(bed, sender, seq + 1, wave, 1, &mid);
}

/* What is lost is no deeper than there are messages, whatever is said. */
static void psync_bound_test_depth(void **state)
{
	u64 held[2] = { 0, 5 };
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	assert_int_equal(psync_bound_gone(&bed, held, U32_MAX), PSYNC_OK);
	assert_int_equal(bed.img.parts[1].seq, 5);
	assert_int_equal(bed.img.max_depth, 1);
	assert_int_equal(psync_graph_lost_depth(&bed.img), 5);
	assert_int_equal(psync_bound_follow(&bed, 1, 7), PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bound_follow(&bed, 1, 6), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* It may follow what is not lost, which is not named then. */
static void psync_bound_test_deep(void **state)
{
	u64 held[4] = { 0, 0, 1, 0 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[4];
	u64 mid;
	u32 i;

	psync_bound_open(&bed, &view, 4, 1, NULL);
	for (i = 1; i <= 3; i++) {
		mid = PSYNC_MID(1, i - 1);
		assert_int_equal(psync_bed_msg(&bed, 1, i, i, i > 1, &mid),
				 PSYNC_OK);
	}
	psync_bed_drain(&view);
	assert_int_equal(psync_bound_gone(&bed, held, 4), PSYNC_OK);
	assert_int_equal(bed.img.parts[2].seq, 1);
	assert_int_equal(psync_bound_follow(&bed, 2, 5), PSYNC_OK);
	psync_bed_drain(&view);
	/* Nor is it when somebody asks here. */
	held[2] = 0;
	bed.muted = 0;
	psync_bed_vector(&bed, PSYNC_PKT_RR, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now), PSYNC_OK);
	psync_bed_take(&bed, &pkt, NULL);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	assert_int_equal(pkt.vector.seq, 4);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/*
 * b1 <- c1 <- c2 <- b2, where c1 is lost here: what b2 follows is not known to
 * follow b1, and is taken.  Where nothing is lost it is not.
 */
static void psync_bound_test_between(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c2 = PSYNC_MID(2, 2);
	u64 held[3] = { 0, 1, 1 };
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bound_gone(&bed, held, 2), PSYNC_OK);
	assert_int_equal(psync_bound_follow(&bed, 2, 3), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 4, 1, &c2), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bound_follow(&bed, 2, 2), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 3, 1, &c2),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

/* After an END what is lost is a RESTART: what follows is taken, and its END. */
static void psync_bound_lost(u32 token)
{
	u64 held[3] = { 0, 0, 0 };
	struct psync_remote *remote;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];

	psync_bound_open(&bed, &view, 3, 1, NULL);
	remote = &bed.img.remotes[1];
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bound_next(&bed, 2, PSYNC_KIND_END), PSYNC_OK);
	assert_int_equal(remote->nlive, 0);
	if (token) {
		psync_bed_vector(&bed, PSYNC_PKT_RS, 3, held, wire, &pkt);
		pkt.opening = 2;
		pkt.vector.index = 2;
		pkt.vector.token = token;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		assert_int_equal(remote->nlive, 1);
	}
	held[2] = 3;
	assert_int_equal(psync_bound_gone(&bed, held, 3), PSYNC_OK);
	assert_int_equal(remote->nlive, 1);
	psync_bed_craft(&bed, 2, 4, 4, 1, &(u64){ PSYNC_MID(2, 3) },
			(struct psync_wire_mid[PSYNC_PREDS_LIST]){}, &pkt);
	pkt.opening = token ? 2 : 1;
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.msg.binding = token;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&bed, &pkt, 2), PSYNC_OK);
	assert_int_equal(remote->nlive, 0);
	psync_bed_drain(&view);
	psync_bound_close(&bed, &view);
}

static void psync_bound_test_lost(void **state)
{
	psync_bound_lost(0);
	psync_bound_lost(9);
}

/*
 * Who is back and lost its last message takes all that is lost for its context:
 * what it has of that is no predecessor.
 */
static void psync_bound_context(bool kept)
{
	static const u32 sites[3] = { 1, 2, 3 };
	const u64 before = PSYNC_MID(1, 3);
	struct psync_restart_how how = {};
	const struct psync_node *node;
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	struct psync_bed bed;
	u64 mid;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	/* As after a GONE: a3 and b5 are lost, b2 and c1 are here. */
	bed.img.recover = false;
	bed.img.parts[0].seq = 3;
	bed.img.parts[0].gap = 3;
	bed.img.parts[1].seq = 5;
	bed.img.parts[1].gap = 5;
	bed.img.parts[2].seq = 1;
	bed.img.lost_depth = 4;
	view.stamp[1] = 2;
	view.stamp[2] = 1;
	view.leaves[0] = 6;
	view.nleaves = 2;
	if (kept) {
		/* b4 is, too, and still to be received. */
		bed.img.parts[1].seq = 3;
		assert_int_equal(psync_bed_msg(&bed, 1, 4, 4, 1, &before),
				 PSYNC_OK);
		bed.img.parts[1].seq = 5;
		bed.img.parts[1].last = NULL;
	}
	assert_int_equal(psync_image_emit(&bed.img, &view, PSYNC_KIND_RESTART, 0,
					  0, NULL, 0, &mid), 0);
	node = bed.img.parts[0].last;
	assert_int_equal(node->stamp[1], kept ? 3 : 5);
	assert_int_equal(node->wave, 5);
	assert_int_equal(node->npred, 2);
	assert_int_equal(node->preds[0], PSYNC_MID(0, 3));
	assert_int_equal(node->preds[1], PSYNC_MID(2, 1));
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

static void psync_bound_test_context(void **state)
{
	psync_bound_context(false);
	psync_bound_context(true);
}

/* Who is back does not begin at depth 0 when there is no greater one. */
static void psync_bound_test_deepest(void **state)
{
	static const u32 sites[2] = { 1, 2 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[2];
	struct psync_bed bed;
	u64 mid;

	psync_bed_params(&p, pids, sites, 2, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	/* As after a GONE. */
	bed.img.recover = false;
	bed.img.parts[0].seq = U32_MAX;
	bed.img.parts[0].gap = U32_MAX;
	bed.img.parts[0].claimed = U32_MAX;
	bed.img.lost_depth = U32_MAX;
	assert_int_equal(psync_image_emit(&bed.img, &view, PSYNC_KIND_RESTART, 0,
					  0, NULL, 0, &mid), -EOVERFLOW);
	assert_int_equal(bed.img.attached, 0);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Nor does it try for ever: what it sends is refused, and it goes on. */
static void psync_bound_test_mute(void **state)
{
	static const u32 sites[3] = { 1, 2, 2 };
	u64 held[3] = { S32_MAX, S32_MAX, 1 };
	struct psync_restart_how how = {};
	struct psync_bed_body *body;
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	struct psync_pkt pkt;
	struct psync_bed bed;
	__be32 wire[3];
	u64 mid;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, 2, held, wire, &pkt);
	pkt.vector.dst_opening = 7;
	pkt.vector.flags = PSYNC_VECTORF_KNOWN;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	psync_image_timer(&bed.img, bed.img.rr_at);
	assert_true(bed.img.remotes[0].requested);
	psync_bed_vector(&bed, PSYNC_PKT_GONE, 2, held, wire, &pkt);
	pkt.vector.seq = U32_MAX;
	assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now), PSYNC_OK);
	assert_int_equal(bed.img.lost_depth, U32_MAX);
	assert_false(bed.img.recover);
	assert_int_equal(bed.img.rs_at, U64_MAX);
	body = psync_bed_body_new();
	assert_int_equal(psync_image_send(&bed.img, &view, body, 1, &mid,
					  bed.img.now), -EOVERFLOW);
	psync_bed_body_put(body);
	assert_int_equal(bed.img.attached, 0);
	psync_bound_close(&bed, &view);
}

/* Who is masked out is not waited for; one who is back counts again. */
static void psync_bound_test_stable_masked(void **state)
{
	u32 participants, sites;
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_view_mask_out(&view, 2, 1, 1), 0);
	assert_int_equal(psync_bed_restart(&bed, 1, 3, 2, 3), PSYNC_OK);
	assert_int_equal(view.stamp[1], 2);
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_view_stable(&view, mid, &participants, &sites),
			 1);
	assert_int_equal(psync_bed_drain(&view), 1);
	assert_int_equal(view.stamp[1], 3);
	assert_int_equal(psync_view_stable(&view, mid, &participants, &sites),
			 1);
	psync_bound_close(&bed, &view);
}

/* So many messages of participant 1, each of which is received. */
static clock_t psync_bound_receive(struct psync_bed *bed,
				   struct psync_view *view, u32 count)
{
	clock_t began = clock();

	while (count--) {
		assert_int_equal(psync_bound_next(bed, 1, PSYNC_KIND_DATA),
				 PSYNC_OK);
		psync_bed_drain(view);
	}
	return clock() - began;
}

/* What left the history is not looked at again for all that follows it. */
static void psync_bound_test_history(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	clock_t first, last;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	bed.muted = ~0U;
	psync_image_history(&bed.img, 1000);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	/* It is not held, so it stays. */
	psync_bed_send(&bed, &view, 100);
	first = psync_bound_receive(&bed, &view, 5000);
	psync_bound_receive(&bed, &view, 20000);
	last = psync_bound_receive(&bed, &view, 5000);
	assert_true(last < 4 * first + CLOCKS_PER_SEC / 50);
	assert_in_range(bed.img.history_bytes, 900, 1000);
	/* Then it is the oldest. */
	psync_bed_held(&bed);
	assert_true(psync_graph_find(&bed.img, 0, 1)->gone);
	assert_in_range(bed.img.history_bytes, 900, 1000);
	psync_bound_close(&bed, &view);
}

/* A message that is sent again and again is not answered as often. */
static void psync_bound_test_ask(void **state)
{
	struct psync_image_params p;
	struct psync_pid pids[2];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 sites[2] = { 1, 2 };
	u32 i;

	psync_bed_params(&p, pids, sites, 2, 0);
	psync_bed_times(&p);
	psync_bound_open(&bed, &view, 2, 1, &p.limits);
	for (i = 0; i < 100; i++) {
		psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
		pkt.msg.flags = PSYNC_MSGF_ASK | PSYNC_MSGF_REPEAT;
		assert_int_equal(psync_bed_input(&bed, &pkt, i * MS / 5),
				 i ? PSYNC_DROP_DUPLICATE : PSYNC_OK);
	}
	/* Once as it was taken, and twice in 20 ms. */
	assert_int_equal(bed.ntypes[PSYNC_PKT_ACK], 3);
	assert_int_equal(psync_bed_receive(&view), PSYNC_MID(1, 1));
	psync_bound_close(&bed, &view);
}

/* The hash of @len bytes, of which the first @cut come by themselves. */
static u64 psync_bound_hash(const u8 *data, u32 len, u32 cut)
{
	struct psync_hash hash = {};
	u32 at;

	psync_hash_add(&hash, data, cut);
	/* One by one, then the rest. */
	for (at = cut; at < len && at < cut + 5; at++)
		psync_hash_add(&hash, data + at, 1);
	psync_hash_add(&hash, data + at, len - at);
	return psync_hash_end(&hash);
}

/* It is the same wherever the bytes are cut, and another of other bytes. */
static void psync_bound_test_hash(void **state)
{
	u8 data[40];
	u32 len, cut, bit;
	u64 hash;

	for (len = 0; len < sizeof(data); len++)
		data[len] = len * 37;
	for (len = 0; len <= sizeof(data); len++) {
		hash = psync_bound_hash(data, len, 0);
		for (cut = 1; cut <= len; cut++)
			assert_true(psync_bound_hash(data, len, cut) == hash);
		for (bit = 0; bit < 8 * len; bit++) {
			data[bit / 8] ^= 1 << bit % 8;
			assert_true(psync_bound_hash(data, len, 0) != hash);
			data[bit / 8] ^= 1 << bit % 8;
		}
		/* Nor is one the beginning of another. */
		if (len)
			assert_true(psync_bound_hash(data, len - 1, 0) != hash);
	}
	memset(data, 0, sizeof(data));
	assert_true(psync_bound_hash(data, 8, 0) !=
		    psync_bound_hash(data, 16, 0));
}

static bool psync_bound_is_stable(const struct psync_view *view, u64 mid)
{
	u32 participants, sites;
	int stable;

	stable = psync_view_stable(view, mid, &participants, &sites);
	assert_int_equal(psync_stable_count(view, mid, &participants, &sites),
			 stable);
	return stable == 1;
}

/* What was stable because somebody had ended stays so when it is back (S2.2). */
static void psync_bound_test_stable(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 first, later;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	first = psync_bed_send(&bed, &view, 100);
	assert_false(psync_bound_is_stable(&view, first));
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, first));
	assert_int_equal(psync_bed_restart(&bed, 1, 3, 2, 3), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, first));
	later = psync_bed_send(&bed, &view, 100);
	assert_false(psync_bound_is_stable(&view, later));
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, later));
	psync_bound_close(&bed, &view);
}

/* Whoever lost what a RESTART follows, here all that is known. */
static void psync_bound_test_follows(void **state)
{
	const u64 first = PSYNC_MID(2, 1), back = PSYNC_MID(1, 3);
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &first), PSYNC_OK);
	/* It does not know any more what its own message followed. */
	assert_int_equal(psync_bed_restart(&bed, 1, 3, 1, 3), PSYNC_OK);
	assert_int_equal(bed.img.parts[1].last->stamp[2], 1);
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 4, 1, &back), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* One is back again and again; who lacked something then has it, or ends. */
static void psync_bound_test_stable_again(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_int_equal(psync_bed_restart(&bed, 1, 3, 2, 3), PSYNC_OK);
	assert_int_equal(view.masks[0].lacks[0], 2);
	assert_int_equal(view.masks[0].lacks[1], 2);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_false(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 3, 1, &mid), PSYNC_OK);
	psync_bed_drain(&view);
	assert_true(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bed_restart(&bed, 1, 5, 4, 5), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, mid));
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_int_equal(psync_bed_restart(&bed, 1, 7, 6, 7), PSYNC_OK);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_false(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bound_next(&bed, 2, PSYNC_KIND_END), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bed_restart(&bed, 1, 9, 8, 9), PSYNC_OK);
	assert_true(psync_bound_is_stable(&view, mid));
	psync_bound_close(&bed, &view);
}

/* Nor does it matter that the RESTART is in the view only later. */
static void psync_bound_test_stable_later(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~0U;
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &mid), PSYNC_OK);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 1, &mid), PSYNC_OK);
	psync_bed_drain(&view);
	assert_true(psync_bound_is_stable(&view, mid));
	mid = psync_bed_send(&bed, &view, 100);
	assert_false(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 5, 1, &mid), PSYNC_OK);
	assert_int_equal(psync_bed_restart(&bed, 1, 3, 2, 4), PSYNC_OK);
	assert_int_equal(view.stamp[1], 2);
	assert_int_equal(psync_bed_drain(&view), 1);
	assert_int_equal(view.stamp[1], 3);
	assert_true(psync_bound_is_stable(&view, mid));
	psync_bound_close(&bed, &view);
}

/* Who is back need not know that it has sent in that context. */
static void psync_bound_test_stable_void(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 3, 1, &mid), PSYNC_OK);
	psync_bed_drain(&view);
	assert_true(psync_bound_is_stable(&view, mid));
	assert_int_equal(psync_bed_restart(&bed, 1, 9, 1, 2), PSYNC_OK);
	assert_int_equal(view.stamp[1], 9);
	assert_true(psync_bound_is_stable(&view, mid));
	psync_bound_close(&bed, &view);
}

/* Without memory for that it is not attached, and comes again. */
static void psync_bound_test_stable_memory(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	enum psync_drop drop;
	u32 tries = 0;
	u64 mid;

	psync_bound_open(&bed, &view, 2, 1, NULL);
	bed.muted = ~0U;
	mid = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &mid), PSYNC_OK);
	assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_END), PSYNC_OK);
	psync_bed_drain(&view);
	mid = psync_bed_send(&bed, &view, 100);
	do {
		assert_int_equal(bed.img.parts[1].seq, 2);
		bed.fail_at = bed.allocs + ++tries;
		drop = psync_bed_restart(&bed, 1, 3, 2, 4);
	} while (drop == PSYNC_DROP_NO_MEM);
	assert_int_equal(drop, PSYNC_OK);
	assert_int_equal(tries, 3);
	assert_int_equal(bed.img.parts[1].seq, 3);
	assert_true(psync_bound_is_stable(&view, mid));
	psync_bound_close(&bed, &view);
}

/* One that is back again says so with a RESTART that comes before its RS. */
static void psync_bound_test_newer(void **state)
{
	__be32 stamp[3] = { 0, cpu_to_be32(1) };
	u8 bitmap[4] = { 2 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 binding;

	for (binding = 8; binding <= 10; binding++) {
		psync_bound_open(&bed, &view, 3, 1, NULL);
		bed.img.p.limits.rto_min_ns = 0;
		assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL),
				 PSYNC_OK);
		psync_bound_rs(&bed, 2, wire, &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		psync_bed_craft(&bed, 1, 2, 2, 0, NULL, NULL, &pkt);
		pkt.opening = 2;
		pkt.body_len = 0;
		pkt.msg.kind = PSYNC_KIND_RESTART;
		pkt.msg.binding = binding;
		pkt.msg.npred = 1;
		pkt.msg.flags = PSYNC_MSGF_STAMP;
		pkt.msg.stamp = stamp;
		pkt.msg.bitmap = bitmap;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		/* An earlier one than the one told of is not awaited. */
		assert_int_equal(bed.img.parts[1].back, binding < 9);
		assert_int_equal(bed.nevents, binding > 9 ? 2 : 1);
		psync_bed_drain(&view);
		psync_bed_forget(&bed);
		psync_bound_close(&bed, &view);
	}
}

/* What follows a number left out is attached when its context is known. */
static void psync_bound_test_void_context(void **state)
{
	const u64 lost = PSYNC_MID(1, 5);
	__be32 stamp[3] = { 0, cpu_to_be32(5), cpu_to_be32(1) };
	u8 bitmap[4] = { 2 };
	struct psync_wire_mid mids[1];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_restart(&bed, 1, 9, 1, 2), PSYNC_OK);
	/* Nobody knows how deep that was, but that there were so many messages. */
	psync_bed_craft(&bed, 2, 2, 12, 1, &lost, mids, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_DROP_BAD_WAVE);
	psync_bed_craft(&bed, 2, 2, 11, 1, &lost, mids, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1),
			 PSYNC_DROP_CONTEXT_LOST);
	psync_bed_craft(&bed, 2, 2, 11, 0, NULL, NULL, &pkt);
	pkt.msg.npred = 1;
	pkt.msg.preds = NULL;
	pkt.msg.flags = PSYNC_MSGF_STAMP | PSYNC_MSGF_REPEAT;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(bed.img.parts[2].seq, 2);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Participant 2 follows 1:1, and says no more than that. */
static enum psync_drop psync_bound_stamped(struct psync_bed *bed, u64 seq,
					   u32 site)
{
	const u32 prev = (u32)seq - 1;
	__be32 stamp[3] = { cpu_to_be32(site != 3), cpu_to_be32(1),
			    cpu_to_be32(prev) };
	u8 bitmap[4] = { seq == 1 ? 2 : 6 };
	struct psync_pkt pkt;

	psync_bed_craft(bed, 2, seq, seq + 2, 0, NULL, NULL, &pkt);
	pkt.msg.npred = seq == 1 ? 1 : 2;
	pkt.msg.preds = NULL;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	if (site != 3) {
		pkt.src_site = site;
		pkt.msg.flags |= PSYNC_MSGF_REPEAT | PSYNC_MSGF_FOREIGN;
		pkt.msg.inc = pkt.src_inc;
		pkt.msg.opening = pkt.opening;
		pkt.src_inc = bed->img.remotes[0].inc;
	}
	return psync_bed_input(bed, &pkt, 1);
}

/* A site that lost something has what it says itself, not what that follows. */
static void psync_bound_test_claims(void **state)
{
	const struct psync_remote *remote;
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	remote = &bed.img.remotes[1];
	mid = psync_bed_send(&bed, &view, 10);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &mid), PSYNC_OK);
	assert_int_equal(psync_bound_stamped(&bed, 1, 3), PSYNC_OK);
	assert_int_equal(bed.img.parts[2].last->stamp[0], 1);
	assert_int_equal(psync_ack_held(&bed.img, remote, 0), 0);
	assert_int_equal(psync_ack_held(&bed.img, remote, 1), 1);
	assert_int_equal(psync_ack_held(&bed.img, remote, 2), 1);
	/* What another one says of it is not what it has. */
	assert_int_equal(psync_bound_stamped(&bed, 2, 2), PSYNC_OK);
	assert_int_equal(psync_ack_held(&bed.img, remote, 0), 0);
	assert_int_equal(psync_ack_held(&bed.img, remote, 2), 2);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Who has numbers left out says all of a context when it says it again. */
static void psync_bound_test_void_repeat(void **state)
{
	const u64 first = PSYNC_MID(1, 1);
	struct psync_view view;
	struct psync_bed bed;
	u32 len[2], i;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~(1U << PSYNC_PKT_MSG);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 1, &first), PSYNC_OK);
	for (i = 0; i < 2; i++) {
		psync_bed_forget(&bed);
		psync_image_repeat(&bed.img, bed.img.parts[2].last, 2, 0);
		assert_int_equal(bed.nsent, 1);
		len[i] = bed.sent[0].len;
		if (!i)
			assert_int_equal(psync_bed_restart(&bed, 1, 9, 1, 2),
					 PSYNC_OK);
	}
	/* A stamp of three numbers and a bitmap for one mid. */
	assert_int_equal(len[1], len[0] - 8 + 3 * 4 + 4);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Who says a message again with a stamp may have lost what it follows. */
static void psync_bound_test_repeat_stamp(void **state)
{
	const u64 preds[1] = { PSYNC_MID(3, 1) };
	__be32 stamp[4] = { 0, 0, cpu_to_be32(1) };
	const struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u8 bitmap[4] = { 4 };

	psync_bound_open(&bed, &view, 4, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 1, preds), PSYNC_OK);
	psync_bed_craft(&bed, 1, 1, 3, 0, NULL, NULL, &pkt);
	pkt.msg.npred = 1;
	pkt.msg.preds = NULL;
	pkt.msg.flags = PSYNC_MSGF_STAMP | PSYNC_MSGF_REPEAT;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(bed.img.parts[1].last->stamp[3], 1);
	/* What it names beside that, since it does not know better. */
	pkt.msg.seq++;
	pkt.msg.wave++;
	pkt.msg.npred = 3;
	stamp[1] = cpu_to_be32(1);
	stamp[3] = cpu_to_be32(1);
	bitmap[0] = 14;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	node = bed.img.parts[1].last;
	assert_int_equal(node->seq, 2);
	assert_int_equal(node->npred, 1);
	assert_int_equal(node->preds[0], PSYNC_MID(1, 1));
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* What a site had that is back others may have by now: they are asked again. */
static void psync_bound_test_asked_again(void **state)
{
	static const u32 sites[3] = { 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	const u64 held[3] = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 1, 7, &how, 0),
			 0);
	bed.muted = ~0U;
	psync_bed_vector(&bed, PSYNC_PKT_RS_ACK, 2, held, wire, &pkt);
	pkt.vector.dst_opening = 7;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_true(bed.img.remotes[0].answers);
	psync_bed_vector(&bed, PSYNC_PKT_RS, 3, held, wire, &pkt);
	pkt.opening = 5;
	pkt.vector.index = 2;
	pkt.vector.token = 9;
	assert_int_equal(psync_bed_input(&bed, &pkt, SEC), PSYNC_OK);
	assert_false(bed.img.remotes[0].answers);
	assert_true(bed.img.recover);
	psync_bound_close(&bed, &view);
}

/* One whom nobody could tell of any message begins once more: a root. */
static void psync_bound_test_roots(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	__be32 stamp[3] = {};
	struct psync_pkt pkt;
	u8 bitmap[4] = {};
	u64 mids[4];

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_craft(&bed, 1, 9, 1, 0, NULL, NULL, &pkt);
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_RESTART;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.preds = NULL;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	psync_bed_drain(&view);
	assert_int_equal(psync_view_roots(&view, mids, 4), 3);
	assert_int_equal(mids[0], PSYNC_MID(1, 1));
	assert_int_equal(mids[1], PSYNC_MID(1, 9));
	assert_int_equal(mids[2], PSYNC_MID(2, 1));
	psync_bound_close(&bed, &view);
}

#define CROWD	512

static void psync_bound_crowd(struct psync_bed *bed, struct psync_view *view,
			      u32 n)
{
	static struct psync_pid pids[CROWD];
	static u32 sites[CROWD];
	struct psync_image_params p;
	u32 i;

	for (i = 0; i < n; i++)
		sites[i] = i + 1;
	psync_bed_params(&p, pids, sites, n, 0);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 1, 0), 0);
}

/* What follows a message is looked for once, not once for each participant. */
static void psync_bound_test_next(void **state)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	static u64 held[CROWD], found[CROWD];
	u64 mid = PSYNC_MID(1, 5);
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	clock_t began;
	u32 i;

	psync_bound_crowd(&bed, &view, CROWD);
	/* Of every participant something is lost. */
	for (i = 1; i < CROWD; i++)
		held[i] = 5;
	assert_int_equal(psync_bound_gone(&bed, held, 5), PSYNC_OK);
	psync_bed_craft(&bed, 1, 6, 6, 1, &mid, mids, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now), PSYNC_OK);
	mid = PSYNC_MID(1, 6);
	/* Those that follow it, the last participant first; then many more. */
	for (i = CROWD - 1; i > CROWD - 4; i--) {
		psync_bed_craft(&bed, i, 6, 7, 1, &mid, mids, &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now),
				 PSYNC_OK);
	}
	for (i = 7; i < 4096; i++)
		assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_DATA),
				 PSYNC_OK);
	psync_bed_drain(&view);
	assert_int_equal(psync_view_step(&view, mid, true, found, CROWD), 4);
	assert_int_equal(found[0], PSYNC_MID(1, 7));
	for (i = 1; i < 4; i++)
		assert_int_equal(found[i], PSYNC_MID(CROWD - 4 + i, 6));
	began = clock();
	for (i = 0; i < 100; i++) {
		psync_bed_craft(&bed, 1, 6, 6, 1, &mid, mids, &pkt);
		mids[0].seq = cpu_to_be32(5);
		pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
		assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now + SEC),
				 PSYNC_DROP_DUPLICATE);
	}
	assert_true(clock() - began < CLOCKS_PER_SEC);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 400);
	/* No more than a window at once, nor than there is room for. */
	for (i = 1; i < 3; i++) {
		bed.img.window = i == 1 ? 1 : U64_MAX;
		bed.img.p.limits.repair_rate = 0;
		bed.img.repairs = i == 1 ? 64 : 3;
		assert_int_equal(psync_bed_input(&bed, &pkt,
						 bed.img.now + SEC),
				 PSYNC_DROP_DUPLICATE);
		assert_int_equal(bed.ntypes[PSYNC_PKT_MSG],
				 i == 1 ? 401 : 403);
	}
	psync_bound_close(&bed, &view);
}

/*
 * Of everybody far more numbers are lost than there are messages: a vector costs
 * as much as these are, not so much for each participant.
 */
static void psync_bound_test_vectors(void **state)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	static u64 held[CROWD];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	clock_t began;
	u64 mid;
	u32 i;

	psync_bound_crowd(&bed, &view, CROWD);
	for (i = 1; i < CROWD; i++)
		held[i] = S32_MAX;
	assert_int_equal(psync_bound_gone(&bed, held, 1), PSYNC_OK);
	for (i = 1; i < CROWD; i++) {
		mid = PSYNC_MID(i, held[i]);
		psync_bed_craft(&bed, i, held[i] + 1, 2, 1, &mid, mids, &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, bed.img.now),
				 PSYNC_OK);
	}
	for (i = 0; i < 4096; i++)
		assert_int_equal(psync_bound_next(&bed, 1, PSYNC_KIND_DATA),
				 PSYNC_OK);
	psync_bed_drain(&view);
	began = clock();
	psync_bed_held(&bed);
	assert_true(clock() - began < CLOCKS_PER_SEC);
	assert_int_equal(bed.img.nuntaken, 0);
	for (i = 0; i < bed.img.nremotes; i++)
		assert_int_equal(bed.img.remotes[i].lag, 0);
	psync_bound_close(&bed, &view);
}

/* @sender's next message follows its last one alone, and has a stamp. */
static void psync_bound_alone(struct psync_bed *bed, u32 sender, u8 kind,
			      u32 about)
{
	const struct psync_part *part = &bed->img.parts[sender];
	u8 bitmap[CROWD / 8] = {};
	static __be32 stamp[CROWD];
	struct psync_pkt pkt;

	psync_bed_craft(bed, sender, part->seq + 1, part->last->wave + 1, 0,
			NULL, NULL, &pkt);
	memset(stamp, 0, sizeof(stamp));
	stamp[sender] = cpu_to_be32((u32)part->seq);
	bitmap[sender / 8] = 1 << sender % 8;
	pkt.body_len = 0;
	pkt.msg.kind = kind;
	pkt.msg.about = about;
	pkt.msg.binding = kind == PSYNC_KIND_RESTART ? 9 : 0;
	pkt.msg.npred = 1;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.preds = NULL;
	pkt.msg.stamp = stamp;
	pkt.msg.bitmap = bitmap;
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
}

#define SKIPPED	40

/*
 * Site 4 with most participants is skipped very often, and participant 1 is back:
 * each of the GAPs is looked at once, not with all messages for each participant.
 */
static void psync_bound_test_skips(void **state)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	struct psync_pid pids[SKIPPED + 3];
	struct psync_image_params p;
	struct psync_view view = {};
	u32 sites[SKIPPED + 3];
	u32 participants, count;
	struct psync_bed bed;
	struct psync_pkt pkt;
	clock_t began;
	u64 mid;
	u32 i;

	for (i = 0; i < SKIPPED + 3; i++)
		sites[i] = i < 3 ? i + 1 : 4;
	psync_bed_params(&p, pids, sites, SKIPPED + 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 1, 0), 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	for (i = 0; i < 2048; i++)
		psync_bound_alone(&bed, 2, PSYNC_KIND_GAP, 3);
	mid = PSYNC_MID(2, bed.img.parts[2].seq);
	for (i = 1; i < SKIPPED + 3; i++) {
		if (i == 2)
			continue;
		psync_bed_craft(&bed, i, 1, 2050, 1, &mid, mids, &pkt);
		/* Of the one that they name nothing is awaited. */
		if (i == 3) {
			pkt.msg.kind = PSYNC_KIND_END;
			pkt.body_len = 0;
		}
		assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	}
	psync_bed_drain(&view);
	psync_bed_send(&bed, &view, 100);
	began = clock();
	psync_bound_alone(&bed, 1, PSYNC_KIND_RESTART, 0);
	assert_true(clock() - began < CLOCKS_PER_SEC / 2);
	/* What was lost with them is not acknowledged, but the last of them is. */
	mid = PSYNC_MID(2, 1);
	assert_int_equal(psync_view_stable(&view, mid, &participants, &count),
			 0);
	mid = PSYNC_MID(2, bed.img.parts[2].seq);
	assert_int_equal(psync_view_stable(&view, mid, &participants, &count),
			 1);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Nor is it acknowledged when something else came between. */
static void psync_bound_test_behind(void **state)
{
	const u64 preds[] = { PSYNC_MID(2, 2), PSYNC_MID(3, 1) };
	const u64 last = PSYNC_MID(3, 2);
	u32 participants, sites;
	struct psync_view view;
	struct psync_bed bed;

	psync_bound_open(&bed, &view, 4, 1, NULL);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bound_alone(&bed, 2, PSYNC_KIND_GAP, 3);
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 3, 2, 3, 2, preds), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 4, 1, &last), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bed_send(&bed, &view, 100);
	psync_bound_alone(&bed, 1, PSYNC_KIND_RESTART, 0);
	assert_int_equal(psync_view_stable(&view, PSYNC_MID(2, 1),
					   &participants, &sites), 0);
	assert_int_equal(psync_view_stable(&view, PSYNC_MID(2, 2),
					   &participants, &sites), 1);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Participant @sender's first message is a MASK, without context. */
static enum psync_drop psync_bound_masks(struct psync_bed *bed, u32 sender,
					 u32 wave)
{
	struct psync_pkt pkt;

	psync_bed_craft(bed, sender, 1, wave, 0, NULL, NULL, &pkt);
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	pkt.msg.about = sender == 1 ? 2 : 1;
	return psync_bed_input(bed, &pkt, 0);
}

/* Where nobody has opened what others say takes no more than is set (S1.5). */
static void psync_bound_test_known(void **state)
{
	static __be32 wire[CROWD];
	static u64 held[CROWD];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 i, taken = 0, heeded = 0;

	psync_bound_crowd(&bed, &view, CROWD);
	bed.muted = ~0U;
	/* One that cannot be leaves nothing behind. */
	assert_int_equal(psync_bound_masks(&bed, 1, 2), PSYNC_DROP_BAD_WAVE);
	assert_null(bed.img.parts[1].notes);
	/* As if it had not been accepted yet. */
	bed.img.opening = 0;
	bed.img.p.limits.max_pending = 1 << 16;
	for (i = 1; i < CROWD; i++) {
		taken += !psync_bound_masks(&bed, i, 1);
		held[i] = bed.img.parts[i].seq;
		psync_bed_vector(&bed, PSYNC_PKT_ACK, i + 1, held, wire, &pkt);
		heeded += !psync_bed_input(&bed, &pkt, 0);
	}
	assert_true(taken && taken < CROWD / 2);
	assert_in_range(heeded, taken, CROWD / 2);
	assert_true(bed.img.known_bytes <= 1 << 16);
	bed.img.opening = 1;
	assert_int_equal(psync_bound_masks(&bed, CROWD - 1, 1), PSYNC_OK);
	psync_bound_close(&bed, &view);
}

/* Participant @sender, who has all of ours, announces to mask @about out. */
static void psync_bound_vote(struct psync_bed *bed, u32 sender, u32 about)
{
	const struct psync_node *last = bed->img.parts[sender].last;
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	struct psync_pkt pkt;
	u64 pred;

	if (!last)
		last = bed->img.parts[0].last;
	pred = psync_node_mid(last);
	psync_bed_craft(bed, sender, bed->img.parts[sender].seq + 1,
			last->wave + 1, 1, &pred, mids, &pkt);
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	pkt.msg.about = about;
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
}

#define VOTERS	128
#define VOTING	4

/*
 * Many are masked out, and those who remain announce it one after the other:
 * what each message costs does not grow with the square of how many they are.
 */
static void psync_bound_test_votes(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	clock_t began;
	u32 i, k;

	psync_bound_crowd(&bed, &view, VOTERS);
	bed.muted = ~0U;
	for (i = 1; i <= VOTERS - VOTING; i++)
		assert_int_equal(psync_view_mask_out(&view, i,
						     PSYNC_MASK_NO_CUT, 0), 0);
	began = clock();
	psync_bed_send(&bed, &view, 100);
	psync_bed_run(&bed, 0);
	assert_int_equal(bed.img.parts[0].seq, 2 * (VOTERS - VOTING));
	for (k = i; k < VOTERS; k++) {
		for (i = 1; i <= VOTERS - VOTING; i++)
			psync_bound_vote(&bed, k, i);
		/* Knowing that it masks the others out, too. */
		for (i = 1; i < VOTERS - VOTING; i++)
			psync_bound_vote(&bed, k, i);
		assert_false(view.masks[1].agreed);
		psync_bed_send(&bed, &view, 100);
		psync_bed_run(&bed, 0);
	}
	assert_true(clock() - began < CLOCKS_PER_SEC);
	for (i = 1; i < VOTERS; i++)
		assert_int_equal(view.masks[i].agreed, i <= VOTERS - VOTING);
	psync_bound_close(&bed, &view);
}

/* The RESTART of a binding that was told is no news in a later incarnation. */
static void psync_bound_test_told_before(void **state)
{
	static const u32 bindings[2] = { 9, 2 };
	__be32 stamp[3] = { 0, cpu_to_be32(1) };
	u8 bitmap[4] = { 2 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 i;

	psync_bound_open(&bed, &view, 3, 1, NULL);
	bed.img.p.limits.rto_min_ns = 0;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	for (i = 0; i < 2; i++) {
		psync_bound_rs(&bed, 1, wire, &pkt);
		pkt.src_inc += 1 + i;
		pkt.vector.token = bindings[i];
		assert_int_equal(psync_bed_input(&bed, &pkt, 1 + 2 * i * SEC),
				 PSYNC_OK);
		assert_int_equal(bed.nevents, 1 + i);
	}
	/* Its numbers begin anew. */
	for (i = 0; i < 2; i++) {
		psync_bed_craft(&bed, 1, 2 + i, 2 + i, 0, NULL, NULL, &pkt);
		stamp[1] = cpu_to_be32(1 + i);
		pkt.src_inc += 2;
		pkt.body_len = 0;
		pkt.msg.kind = PSYNC_KIND_RESTART;
		pkt.msg.binding = bindings[i];
		pkt.msg.npred = 1;
		pkt.msg.flags = PSYNC_MSGF_STAMP;
		pkt.msg.stamp = stamp;
		pkt.msg.bitmap = bitmap;
		assert_int_equal(psync_bed_input(&bed, &pkt, 3 * SEC),
				 PSYNC_OK);
		assert_int_equal(bed.img.parts[1].back, !i);
		assert_int_equal(bed.nevents, 2);
	}
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	psync_bound_close(&bed, &view);
}

/* Site 3 sends the next message of the first opening of site 2. */
static enum psync_drop psync_bound_kept(struct psync_bed *bed, u64 inc)
{
	struct psync_wire_mid mids[PSYNC_PREDS_LIST];
	const u64 first = PSYNC_MID(1, 1);
	struct psync_pkt pkt;

	psync_bed_craft(bed, 1, 2, 2, 1, &first, mids, &pkt);
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = inc;
	pkt.msg.opening = 1;
	return psync_bed_input(bed, &pkt, 2);
}

/*
 * One that is back may die before it has told all: what these keep is taken,
 * whichever incarnation they go by.
 */
static void psync_bound_test_lives(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];
	int i;

	for (i = -1; i <= 1; i += 2) {
		psync_bound_open(&bed, &view, 3, 1, NULL);
		assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL),
				 PSYNC_OK);
		/* Of one that is not known to be back: it is asked. */
		assert_int_equal(psync_bound_kept(&bed, 5002 - i),
				 PSYNC_DROP_STALE_OPENING);
		psync_bound_rs(&bed, 1, wire, &pkt);
		pkt.src_inc += i;
		assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
		assert_int_equal(psync_bound_kept(&bed, 5002), PSYNC_OK);
		assert_int_equal(bed.img.parts[1].seq, 2);
		assert_true(bed.img.remotes[0].inc == 5002 + i);
		psync_bed_drain(&view);
		psync_bed_forget(&bed);
		psync_bound_close(&bed, &view);
	}
}

const struct CMUnitTest psync_bound_tests[] = {
	cmocka_unit_test(psync_bound_test_numbers),
	cmocka_unit_test(psync_bound_test_base),
	cmocka_unit_test(psync_bound_test_far_back),
	cmocka_unit_test(psync_bound_test_far_late),
	cmocka_unit_test(psync_bound_test_gap),
	cmocka_unit_test(psync_bound_test_vector),
	cmocka_unit_test(psync_bound_test_back),
	cmocka_unit_test(psync_bound_test_back_without),
	cmocka_unit_test(psync_bound_test_spare),
	cmocka_unit_test(psync_bound_test_large),
	cmocka_unit_test(psync_bound_test_pending),
	cmocka_unit_test(psync_bound_test_site),
	cmocka_unit_test(psync_bound_test_nulls),
	cmocka_unit_test(psync_bound_test_early),
	cmocka_unit_test(psync_bound_test_once),
	cmocka_unit_test(psync_bound_test_first),
	cmocka_unit_test(psync_bound_test_absent),
	cmocka_unit_test(psync_bound_test_doubt),
	cmocka_unit_test(psync_bound_test_both),
	cmocka_unit_test(psync_bound_test_often),
	cmocka_unit_test(psync_bound_test_again),
	cmocka_unit_test(psync_bound_test_owes),
	cmocka_unit_test(psync_bound_test_past),
	cmocka_unit_test(psync_bound_test_late_life),
	cmocka_unit_test(psync_bound_test_late),
	cmocka_unit_test(psync_bound_test_depth),
	cmocka_unit_test(psync_bound_test_deep),
	cmocka_unit_test(psync_bound_test_between),
	cmocka_unit_test(psync_bound_test_lost),
	cmocka_unit_test(psync_bound_test_context),
	cmocka_unit_test(psync_bound_test_follows),
	cmocka_unit_test(psync_bound_test_deepest),
	cmocka_unit_test(psync_bound_test_mute),
	cmocka_unit_test(psync_bound_test_history),
	cmocka_unit_test(psync_bound_test_ask),
	cmocka_unit_test(psync_bound_test_hash),
	cmocka_unit_test(psync_bound_test_next),
	cmocka_unit_test(psync_bound_test_vectors),
	cmocka_unit_test(psync_bound_test_skips),
	cmocka_unit_test(psync_bound_test_behind),
	cmocka_unit_test(psync_bound_test_known),
	cmocka_unit_test(psync_bound_test_votes),
	cmocka_unit_test(psync_bound_test_stable),
	cmocka_unit_test(psync_bound_test_stable_again),
	cmocka_unit_test(psync_bound_test_stable_later),
	cmocka_unit_test(psync_bound_test_stable_masked),
	cmocka_unit_test(psync_bound_test_newer),
	cmocka_unit_test(psync_bound_test_void_context),
	cmocka_unit_test(psync_bound_test_claims),
	cmocka_unit_test(psync_bound_test_void_repeat),
	cmocka_unit_test(psync_bound_test_repeat_stamp),
	cmocka_unit_test(psync_bound_test_asked_again),
	cmocka_unit_test(psync_bound_test_roots),
	cmocka_unit_test(psync_bound_test_stable_void),
	cmocka_unit_test(psync_bound_test_stable_memory),
	cmocka_unit_test(psync_bound_test_told_before),
	cmocka_unit_test(psync_bound_test_lives),
};
const size_t psync_bound_ntests = ARRAY_SIZE(psync_bound_tests);
