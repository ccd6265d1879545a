// SPDX-License-Identifier: GPL-2.0-only
/* The holding queue: order of arrival, checks, limits. */
#include "bed.h"
#include "core/confirm.h"
#include "core/skip.h"

/* Site 1 has participant 0, which is open; 1 to 3 are remote. */
static const u32 psync_hold_sites[] = { 1, 2, 3, 4 };

static void psync_hold_open(struct psync_bed *bed, struct psync_view *view,
			    u32 max_held, u32 max_bytes)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	psync_bed_params(&p, pids, psync_hold_sites, 4, 0);
	p.limits.max_held = max_held;
	p.limits.max_bytes = max_bytes;
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 1, 0), 0);
}

static void psync_hold_close(struct psync_bed *bed, struct psync_view *view,
			     u32 left_over)
{
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
	assert_int_equal(bed->drops[PSYNC_DROP_LEFT_OVER], left_over);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The chain b1 c1 b2 c2 ...: message @i and its one predecessor. */
static enum psync_drop psync_hold_chain(struct psync_bed *bed, u32 i)
{
	u64 pred = PSYNC_MID(1 + (i + 1) % 2, (i + 1) / 2);

	return psync_bed_msg(bed, 1 + i % 2, 1 + i / 2, 1 + i, !!i, &pred);
}

/* All orders of arrival of six messages give the same graph. */
static void psync_hold_test_orders(void **state)
{
	u32 order[6] = { 0, 1, 2, 3, 4, 5 };
	struct psync_view view;
	struct psync_bed bed;
	u32 i, j, k, c[6] = {};

	for (;;) {
		psync_hold_open(&bed, &view, 100, 10000);
		for (i = 0; i < 6; i++)
			assert_int_equal(psync_hold_chain(&bed, order[i]),
					 PSYNC_OK);
		assert_int_equal(bed.img.nheld, 0);
		assert_int_equal(bed.img.waiting_bytes, 0);
		assert_int_equal(bed.img.body_bytes, 600);
		assert_int_equal(bed.img.max_depth, 6);
		for (i = 0; i < 6; i++)
			assert_int_equal(psync_bed_receive(&view),
					 PSYNC_MID(1 + i % 2, 1 + i / 2));
		psync_hold_close(&bed, &view, 0);
		/* The next permutation (Heap). */
		for (k = 1; k < 6 && c[k] == k; k++)
			c[k] = 0;
		if (k == 6)
			return;
		j = k % 2 ? c[k] : 0;
		swap(order[j], order[k]);
		c[k]++;
	}
}

/* A chain of 50,000 backwards: no recursion, and each is looked at twice. */
static void psync_hold_test_long(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u32 i, n = 50000;

	psync_hold_open(&bed, &view, n, n * 100);
	for (i = n; --i;)
		assert_int_equal(psync_hold_chain(&bed, i), PSYNC_OK);
	assert_int_equal(bed.img.nheld, n - 1);
	assert_int_equal(bed.img.attached, 0);
	assert_int_equal(psync_hold_chain(&bed, 0), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(bed.img.attached, n);
	assert_int_equal(bed.readable, 1);
	assert_int_equal(psync_bed_drain(&view), n);
	psync_hold_close(&bed, &view, 0);
}

static void psync_hold_test_duplicates(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_hold_open(&bed, &view, 100, 10000);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_hold_chain(&bed, 0), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 0), PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_hold_chain(&bed, 1), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_DROP_DUPLICATE);
	/* Number zero is before the first. */
	assert_int_equal(psync_bed_msg(&bed, 3, 0, 1, 0, NULL),
			 PSYNC_DROP_DUPLICATE);
	psync_hold_close(&bed, &view, 0);
}

/* Each contradiction, attached at once or out of the holding queue. */
static void psync_hold_test_context(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1), b2 = PSYNC_MID(1, 2);
	u64 d1 = PSYNC_MID(3, 1), a1 = PSYNC_MID(0, 1), c2 = PSYNC_MID(2, 2);
	struct psync_view view;
	struct psync_bed bed;
	u64 preds[3];

	psync_hold_open(&bed, &view, 100, 10000);
	/* A predecessor of this site that was never sent. */
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &a1),
			 PSYNC_DROP_BAD_CONTEXT);
	/* A root with a wave that is none. */
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 0, NULL),
			 PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	/* Not the first, and not after the first. */
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 1, 0, NULL),
			 PSYNC_DROP_BAD_CONTEXT);
	/* Its own predecessor, or itself, or a later one. */
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 2, 1, &b1),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, &b2),
			 PSYNC_DROP_BAD_CONTEXT);
	/* A predecessor before every number. */
	preds[0] = PSYNC_MID(2, 0);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, preds),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 1, preds),
			 PSYNC_DROP_BAD_CONTEXT);
	/* Held; when complete, its wave is wrong. */
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 7, 1, &c1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(bed.drops[PSYNC_DROP_BAD_WAVE], 1);
	assert_int_equal(bed.img.nheld, 0);
	/* Held for c2, then for a1, which this site has not sent. */
	preds[0] = a1;
	preds[1] = c2;
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 7, 2, preds),
			 PSYNC_DROP_BAD_CONTEXT);
	/* c2 after b1, which c1 follows already. */
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 2, 1, &b1),
			 PSYNC_DROP_BAD_CONTEXT);
	/* b2 after c1 alone: b1 is in the context of c1. */
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 3, 1, &c1), PSYNC_OK);
	/* Nothing of the refused stays: the true d1 is taken, with one edge. */
	preds[0] = b1;
	preds[1] = c1;
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 3, 2, preds), PSYNC_OK);
	assert_int_equal(bed.img.parts[3].last->npred, 1);
	assert_int_equal(bed.img.parts[3].last->preds[0], c1);
	assert_int_equal(psync_bed_drain(&view), 4);
	/* c2 after d1 only, fine; b3 after d1 only: b2 is not before d1. */
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 4, 1, &d1),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 4, 1, &d1), PSYNC_OK);
	psync_hold_close(&bed, &view, 0);
}

/* A held message that turns out to follow a local one that does not exist. */
static void psync_hold_test_false(void **state)
{
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[4];
	struct psync_bed bed;
	u64 preds[2] = { PSYNC_MID(0, 1), PSYNC_MID(3, 1) };
	const u32 sites[] = { 2, 2, 3, 1 };

	/* Site 1 has participant 3 only. */
	psync_bed_params(&p, pids, sites, 4, 0);
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &view, 3, 1, 1, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 2, preds), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 1);
	assert_int_equal(psync_bed_msg(&bed, 0, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(bed.drops[PSYNC_DROP_BAD_CONTEXT], 1);
	assert_int_equal(bed.img.attached, 1);
	psync_hold_close(&bed, &view, 0);
}

/**
 * struct psync_hold_lab - messages with stamps, made by hand
 * @bed: site 1
 * @view: participant 0
 * @pkt: participant 10's message, in the context of those of 1 to 9
 * @stamp: its stamp
 * @bitmap: its predecessors
 */
struct psync_hold_lab {
	struct psync_bed	bed;
	struct psync_view	view;
	struct psync_pkt	pkt;
	__be32			stamp[12];
	u8			bitmap[4];
};

static void psync_hold_stamp_good(struct psync_hold_lab *lab)
{
	u32 i;

	for (i = 0; i < 12; i++)
		lab->stamp[i] = cpu_to_be32(i && i < 10);
}

static void psync_hold_stamp_open(struct psync_hold_lab *lab)
{
	struct psync_image_params p;
	struct psync_pid pids[12];
	u32 sites[12];
	u32 i;

	memset(lab, 0, sizeof(*lab));
	for (i = 0; i < 12; i++)
		sites[i] = 1 + i;
	psync_bed_params(&p, pids, sites, 12, 0);
	psync_bed_init(&lab->bed, &p, 1);
	psync_image_join(&lab->bed.img, &lab->view, 0, 1, 1, 0);
	psync_bed_craft(&lab->bed, 10, 1, 2, 0, NULL, NULL, &lab->pkt);
	psync_hold_stamp_good(lab);
	lab->bitmap[0] = 0xfe;
	lab->bitmap[1] = 0x03;
	lab->pkt.msg.flags = PSYNC_MSGF_STAMP;
	lab->pkt.msg.npred = 9;
	lab->pkt.msg.stamp = lab->stamp;
	lab->pkt.msg.bitmap = lab->bitmap;
}

/* Gives the message with one entry changed. */
static enum psync_drop psync_hold_stamp_try(struct psync_hold_lab *lab,
					    u32 index, u32 seq)
{
	__be32 good = lab->stamp[index];
	enum psync_drop drop;

	lab->stamp[index] = cpu_to_be32(seq);
	drop = psync_bed_input(&lab->bed, &lab->pkt, 0);
	lab->stamp[index] = good;
	return drop;
}

/* The same checks for a context that comes as a stamp. */
static void psync_hold_test_stamp(void **state)
{
	struct psync_hold_lab lab;
	u32 i;

	psync_hold_stamp_open(&lab);
	/* Its own entry must be its previous number. */
	assert_int_equal(psync_hold_stamp_try(&lab, 10, 1),
			 PSYNC_DROP_BAD_CONTEXT);
	/* A predecessor that is none: the entry says there is no message. */
	assert_int_equal(psync_hold_stamp_try(&lab, 9, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	/* An entry of this site that was never sent. */
	assert_int_equal(psync_hold_stamp_try(&lab, 0, 1),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(lab.bed.img.body_bytes, 0);
	/* Held until the last of its context, whatever the order. */
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0), PSYNC_OK);
	assert_non_null(psync_hold_follower(&lab.bed.img, 9, 1));
	assert_null(psync_hold_follower(&lab.bed.img, 9, 2));
	assert_null(psync_hold_follower(&lab.bed.img, 11, 1));
	for (i = 9; i; i--) {
		assert_int_equal(lab.bed.img.nheld, 1);
		assert_int_equal(psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	}
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(psync_bed_drain(&lab.view), 10);
	assert_int_equal(lab.view.nleaves, 1);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* What waits for a number that a RESTART leaves out waits no more. */
static void psync_hold_test_left_out(void **state)
{
	struct psync_hold_lab lab;
	u32 i;

	psync_hold_stamp_open(&lab);
	for (i = 1; i < 10; i++)
		assert_int_equal(psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	/* It follows 1:3, but not immediately. */
	lab.bitmap[0] = 0xfc;
	lab.pkt.msg.npred = 8;
	lab.pkt.msg.wave = 4;
	assert_int_equal(psync_hold_stamp_try(&lab, 1, 3), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(psync_bed_restart(&lab.bed, 1, 5, 1, 2), PSYNC_OK);
	assert_int_equal(lab.bed.img.parts[1].seq, 5);
	assert_int_equal(lab.bed.img.nheld, 0);
	psync_bed_drain(&lab.view);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* A second stamp of the same sender. */
static void psync_hold_test_stamp_grows(void **state)
{
	struct psync_hold_lab lab;
	u64 pred;
	u32 i;

	psync_hold_stamp_open(&lab);
	for (i = 1; i < 10; i++)
		psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL);
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0), PSYNC_OK);
	lab.pkt.msg.seq = 2;
	lab.pkt.msg.wave = 3;
	lab.stamp[10] = cpu_to_be32(1);
	/* The same predecessors as before: they are in its own context. */
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	for (i = 1; i < 9; i++) {
		pred = PSYNC_MID(i, 1);
		assert_int_equal(psync_bed_msg(&lab.bed, i, 2, 2, 1, &pred),
				 PSYNC_OK);
		lab.stamp[i] = cpu_to_be32(2);
	}
	assert_int_equal(psync_bed_msg(&lab.bed, 11, 1, 1, 0, NULL), PSYNC_OK);
	lab.stamp[11] = cpu_to_be32(1);
	/* Predecessors 1 to 8 and 11, but none after its own first. */
	lab.bitmap[1] = 0x09;
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	lab.bitmap[1] = 0x0d;
	lab.pkt.msg.npred = 10;
	lab.pkt.msg.wave = 4;
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0),
			 PSYNC_DROP_BAD_WAVE);
	lab.pkt.msg.wave = 3;
	/* An entry that shrank: its sender lost what its last one follows. */
	lab.stamp[9] = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.parts[lab.pkt.msg.sender].stamp[9], 1);
	psync_bed_drain(&lab.view);
	assert_int_equal(lab.view.nleaves, 1);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* Participants 1 to 9 speak, 9 after 1 and 2, and then 10 with a stamp. */
static const struct psync_node *psync_hold_stamp_after(struct psync_hold_lab *lab)
{
	const u64 preds[] = { PSYNC_MID(1, 1), PSYNC_MID(2, 1) };
	u32 i;

	for (i = 1; i < 9; i++)
		assert_int_equal(psync_bed_msg(&lab->bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab->bed, 9, 1, 2, 2, preds),
			 PSYNC_OK);
	lab->pkt.msg.wave = 3;
	assert_int_equal(psync_bed_input(&lab->bed, &lab->pkt, 0), PSYNC_OK);
	assert_int_equal(lab->bed.img.parts[10].seq, 1);
	return lab->bed.img.parts[10].last;
}

/* Takes what was sent first; its stamp goes to the lab's. */
static struct psync_pkt psync_hold_stamp_sent(struct psync_hold_lab *lab)
{
	struct psync_bed_packet packet = psync_bed_pop(&lab->bed);
	struct psync_pkt pkt;

	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len,
					   &pkt), PSYNC_OK);
	memcpy(lab->stamp, pkt.msg.stamp, sizeof(lab->stamp));
	psync_bed_packet_free(&packet);
	return pkt;
}

/*
 * A sender that lost messages does not know that one of its leaves precedes
 * another; who knows it leaves out the edge, however many there are.
 */
static void psync_hold_test_stamp_edges(void **state)
{
	const struct psync_node *node;
	struct psync_hold_lab lab;
	u64 mids[12];
	u32 i;

	psync_hold_stamp_open(&lab);
	node = psync_hold_stamp_after(&lab);
	assert_int_equal(node->npred, 7);
	assert_int_equal(node->nsaid, 9);
	for (i = 1; i < 10; i++)
		assert_int_equal(psync_node_follows(node, PSYNC_MID(i, 1)),
				 i > 2);
	assert_int_equal(node->preds[7], PSYNC_MID(1, 1));
	assert_int_equal(node->preds[8], PSYNC_MID(2, 1));
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_step(&lab.view, PSYNC_MID(10, 1), false,
					 mids, 12), 7);
	assert_int_equal(psync_view_step(&lab.view, PSYNC_MID(1, 1), true,
					 mids, 12), 1);
	assert_int_equal(mids[0], PSYNC_MID(9, 1));
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* One of them in the context of what it said before, which it had lost. */
static void psync_hold_test_stamp_before(void **state)
{
	const u64 preds[] = { PSYNC_MID(11, 1) };
	const struct psync_node *node;
	struct psync_hold_lab lab;
	u32 i;

	psync_hold_stamp_open(&lab);
	assert_int_equal(psync_bed_msg(&lab.bed, 11, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 10, 1, 2, 1, preds), PSYNC_OK);
	for (i = 1; i < 9; i++)
		assert_int_equal(psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	/* 1 to 8, its own, and 11, which that one follows. */
	lab.stamp[9] = 0;
	lab.stamp[10] = cpu_to_be32(1);
	lab.stamp[11] = cpu_to_be32(1);
	lab.bitmap[1] = 0x0d;
	lab.pkt.msg.npred = 10;
	lab.pkt.msg.seq = 2;
	lab.pkt.msg.wave = 3;
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0), PSYNC_OK);
	node = lab.bed.img.parts[10].last;
	assert_int_equal(node->npred, 9);
	assert_true(psync_node_follows(node, PSYNC_MID(10, 1)));
	assert_false(psync_node_follows(node, PSYNC_MID(11, 1)));
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* What one of them follows was lost to its sender, who follows it nevertheless. */
static void psync_hold_test_stamp_lost(void **state)
{
	const u64 pred = PSYNC_MID(11, 1);
	const struct psync_node *node;
	struct psync_hold_lab lab;
	u32 i;

	psync_hold_stamp_open(&lab);
	assert_int_equal(psync_bed_msg(&lab.bed, 11, 1, 1, 0, NULL), PSYNC_OK);
	for (i = 1; i < 9; i++)
		assert_int_equal(psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 9, 1, 2, 1, &pred), PSYNC_OK);
	lab.pkt.msg.wave = 3;
	assert_int_equal(psync_bed_input(&lab.bed, &lab.pkt, 0), PSYNC_OK);
	node = lab.bed.img.parts[10].last;
	assert_int_equal(node->npred, 9);
	assert_int_equal(node->stamp[11], 1);
	assert_int_equal(node->stamp[10], 1);
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_precedes(&lab.view, pred,
					     PSYNC_MID(10, 1)), 1);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/*
 * Nor has a GAP such an edge.  It follows what its predecessors do, but gives up,
 * and is sent again with, no more than it says.
 */
static void psync_hold_test_stamp_gap(void **state)
{
	const struct psync_node *node;
	struct psync_hold_lab lab;
	struct psync_pkt pkt;

	psync_hold_stamp_open(&lab);
	lab.bed.img.p.limits.slow = PSYNC_SLOW_SKIP;
	lab.pkt.msg.kind = PSYNC_KIND_GAP;
	lab.pkt.msg.about = 11;
	lab.pkt.body_len = 0;
	/* It names 1 and 9, and knows nothing of 2. */
	lab.stamp[2] = 0;
	lab.bitmap[0] = 0x02;
	lab.bitmap[1] = 0x02;
	lab.pkt.msg.npred = 2;
	node = psync_hold_stamp_after(&lab);
	assert_int_equal(node->npred, 1);
	assert_int_equal(node->nsaid, 2);
	assert_true(psync_node_follows(node, PSYNC_MID(9, 1)));
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_precedes(&lab.view, PSYNC_MID(2, 1),
					     PSYNC_MID(10, 1)), 1);
	assert_int_equal(psync_skip_context(node, 1), 1);
	assert_int_equal(psync_skip_context(node, 2), 0);
	assert_int_equal(psync_remote_find(&lab.bed.img, 12)->skip[2], 0);
	psync_bed_forget(&lab.bed);
	psync_image_repeat(&lab.bed.img, node, 12, 0);
	pkt = psync_hold_stamp_sent(&lab);
	assert_int_equal(pkt.msg.npred, 1);
	assert_int_equal(lab.stamp[1], cpu_to_be32(1));
	assert_int_equal(lab.stamp[2], 0);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* A stamp that names too few predecessors harms nobody but its sender. */
static void psync_hold_test_stamp_false(void **state)
{
	struct psync_hold_lab lab;
	u64 pred = PSYNC_MID(11, 1);
	u64 mid, leaf;
	u32 i;

	psync_hold_stamp_open(&lab);
	for (i = 1; i < 10; i++)
		psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL);
	psync_bed_msg(&lab.bed, 11, 1, 1, 0, NULL);
	psync_bed_msg(&lab.bed, 11, 2, 2, 1, &pred);
	/* As deep as what it claims to follow. */
	assert_int_equal(psync_hold_stamp_try(&lab, 11, 2),
			 PSYNC_DROP_BAD_WAVE);
	/* In the context of l1 without following it. */
	assert_int_equal(psync_hold_stamp_try(&lab, 11, 1), PSYNC_OK);
	psync_bed_drain(&lab.view);
	/* l2 is concurrent; none of the leaves precedes another. */
	assert_int_equal(lab.view.nleaves, 2);
	mid = psync_bed_send(&lab.bed, &lab.view, 5);
	assert_int_equal(psync_view_leaves(&lab.view, &leaf, 1), 1);
	assert_true(leaf == mid);
	psync_hold_close(&lab.bed, &lab.view, 0);

	psync_hold_stamp_open(&lab);
	for (i = 1; i < 10; i++)
		psync_bed_msg(&lab.bed, i, 1, 1, 0, NULL);
	psync_bed_msg(&lab.bed, 11, 1, 1, 0, NULL);
	assert_int_equal(psync_hold_stamp_try(&lab, 11, 1), PSYNC_OK);
	psync_bed_drain(&lab.view);
	assert_int_equal(lab.view.nleaves, 1);
	psync_hold_close(&lab.bed, &lab.view, 0);
}

/* Message @seq of a participant, which follows its own previous one alone. */
static enum psync_drop psync_hold_line(struct psync_bed *bed, u32 index,
				       u32 seq)
{
	u64 pred = PSYNC_MID(index, seq - 1);

	return psync_bed_msg(bed, index, seq, seq, seq > 1, &pred);
}

/* One who always has something held does not get round the limit. */
static void psync_hold_test_lies(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u32 full = 0;
	u32 i;

	psync_hold_open(&bed, &view, 4, 1);
	/* So far ahead that all between would not fit either. */
	assert_int_equal(psync_hold_line(&bed, 1, 7), PSYNC_DROP_HELD_FULL);
	for (i = 1; i < 100; i++) {
		psync_hold_line(&bed, 1, i + 3);
		full += psync_hold_line(&bed, 1, i) == PSYNC_DROP_IMAGE_FULL;
		assert_true(view.outstanding <= 1 + 1);
	}
	assert_true(full > 0);
	psync_hold_close(&bed, &view, bed.img.nheld);
}

/* One participant leaves room for the others' messages. */
static void psync_hold_test_share(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u32 i;

	psync_hold_open(&bed, &view, 8, 100000);
	for (i = 2; i <= 6; i++)
		assert_int_equal(psync_hold_line(&bed, 1, i), PSYNC_OK);
	assert_int_equal(psync_hold_line(&bed, 1, 7), PSYNC_DROP_HELD_FULL);
	assert_int_equal(psync_hold_line(&bed, 2, 2), PSYNC_OK);
	assert_int_equal(psync_hold_line(&bed, 1, 1), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 1);
	assert_int_equal(bed.img.parts[1].nheld, 0);
	psync_hold_close(&bed, &view, 1);
}

/* Held messages never keep out what is complete (S2.5). */
static void psync_hold_test_limits(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 pred;

	/* One held message; 250 bytes attached, 250 waiting. */
	psync_hold_open(&bed, &view, 1, 250);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 3), PSYNC_DROP_HELD_FULL);
	pred = PSYNC_MID(3, 1);
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 3, 2, 2, 1, &pred), PSYNC_OK);
	assert_int_equal(bed.img.body_bytes, 300);
	pred = PSYNC_MID(3, 2);
	assert_int_equal(psync_bed_msg(&bed, 3, 3, 3, 1, &pred),
			 PSYNC_DROP_IMAGE_FULL);
	/* b2 is held and follows both: they are taken over the limit. */
	assert_int_equal(psync_hold_chain(&bed, 0), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 1);
	assert_int_equal(psync_hold_chain(&bed, 1), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(bed.img.body_bytes, 500);
	assert_int_equal(psync_bed_msg(&bed, 3, 3, 3, 1, &pred),
			 PSYNC_DROP_IMAGE_FULL);
	/* Received is not enough: the others have to hold them. */
	assert_int_equal(psync_bed_drain(&view), 5);
	assert_int_equal(bed.img.body_bytes, 500);
	psync_bed_held(&bed);
	assert_int_equal(bed.img.body_bytes, 0);
	assert_int_equal(psync_bed_msg(&bed, 3, 3, 3, 1, &pred), PSYNC_OK);
	psync_hold_close(&bed, &view, 0);

	/* By bytes: the first that waits is held whatever its size. */
	psync_hold_open(&bed, &view, 100, 1);
	assert_int_equal(psync_hold_chain(&bed, 3), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_DROP_HELD_FULL);
	/* c2 is held and follows all of the chain before it. */
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 0), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 1), PSYNC_OK);
	/* That it is waited for is no reason to take ever more of them. */
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(bed.img.body_bytes, 400);
	psync_bed_drain(&view);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_DROP_IMAGE_FULL);
	psync_bed_held(&bed);
	assert_int_equal(psync_hold_chain(&bed, 2), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(psync_hold_chain(&bed, 4), PSYNC_DROP_IMAGE_FULL);
	psync_hold_close(&bed, &view, 0);
}

/* What is waited for; what is left over at the end is counted. */
static void psync_hold_test_waited(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_hold_open(&bed, &view, 100, 1);
	assert_int_equal(psync_hold_chain(&bed, 5), PSYNC_OK);
	assert_null(psync_hold_follower(&bed.img, 3, 1));
	assert_non_null(psync_hold_follower(&bed.img, 2, 1));
	assert_non_null(psync_hold_follower(&bed.img, 1, 3));
	assert_null(psync_hold_follower(&bed.img, 1, 4));
	assert_null(psync_hold_follower(&bed.img, 2, 3));
	psync_hold_close(&bed, &view, 1);

	/* What is left over at the end is counted. */
	psync_hold_open(&bed, &view, 100, 1000);
	assert_int_equal(psync_hold_chain(&bed, 3), PSYNC_OK);
	assert_int_equal(psync_hold_chain(&bed, 5), PSYNC_OK);
	psync_hold_close(&bed, &view, 2);
}

/* What is not kept says that it was sent, by its own site, and nothing else. */
static void psync_hold_test_refused(void **state)
{
	u64 preds[] = { PSYNC_MID(1, 7), PSYNC_MID(2, 9) };
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 i;

	psync_hold_open(&bed, &view, 2, 10000);
	for (i = 4; i < 6; i++)
		assert_int_equal(psync_hold_chain(&bed, i), PSYNC_OK);
	psync_bed_craft(&bed, 3, 2, 11, 2, preds, wire, &pkt);
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = pkt.src_inc;
	pkt.msg.opening = 1;
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_HELD_FULL);
	assert_int_equal(bed.img.nlack, 2);
	psync_bed_craft(&bed, 3, 3, 11, 2, preds, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_HELD_FULL);
	/* What is held claims itself, c2 and b3. */
	assert_int_equal(bed.img.parts[1].claimed, 3);
	assert_int_equal(bed.img.parts[1].need, 3);
	assert_int_equal(bed.img.parts[2].claimed, 3);
	assert_int_equal(bed.img.parts[2].need, 2);
	assert_int_equal(bed.img.parts[3].claimed, 3);
	assert_int_equal(bed.img.parts[3].need, 0);
	assert_int_equal(bed.img.nlack, 3);
	psync_hold_close(&bed, &view, 2);
}

const struct CMUnitTest psync_hold_tests[] = {
	cmocka_unit_test(psync_hold_test_orders),
	cmocka_unit_test(psync_hold_test_long),
	cmocka_unit_test(psync_hold_test_duplicates),
	cmocka_unit_test(psync_hold_test_context),
	cmocka_unit_test(psync_hold_test_false),
	cmocka_unit_test(psync_hold_test_stamp),
	cmocka_unit_test(psync_hold_test_left_out),
	cmocka_unit_test(psync_hold_test_stamp_grows),
	cmocka_unit_test(psync_hold_test_stamp_edges),
	cmocka_unit_test(psync_hold_test_stamp_before),
	cmocka_unit_test(psync_hold_test_stamp_lost),
	cmocka_unit_test(psync_hold_test_stamp_gap),
	cmocka_unit_test(psync_hold_test_limits),
	cmocka_unit_test(psync_hold_test_waited),
	cmocka_unit_test(psync_hold_test_stamp_false),
	cmocka_unit_test(psync_hold_test_lies),
	cmocka_unit_test(psync_hold_test_share),
	cmocka_unit_test(psync_hold_test_refused),
};

const size_t psync_hold_ntests = ARRAY_SIZE(psync_hold_tests);
