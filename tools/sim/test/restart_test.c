// SPDX-License-Identifier: GPL-2.0-only
/* Participants that come back (P 5; S7). */
#include <linux/bitmap.h>
#include "bed.h"
#include "core/mask.h"
#include "core/vote.h"
#include "core/restart.h"

#define MS	PSYNC_BED_MS
#define SEC	(1000 * PSYNC_BED_MS)
#define SITES	3
#define NUMBER	4

static const u32 psync_restart_sites[SITES] = { 1, 2, 3 };

/**
 * struct psync_restart_lab - three sites and what is between them
 * @beds: the sites
 * @views: one participant at each
 * @up: it has the conversation
 * @cut: nothing gets there or from there
 * @number: of the rendezvous, or 0
 * @inc: counts incarnations
 * @opening: counts openings
 * @loss: percent of all packets that get lost
 * @seed: of what gets lost and what happens
 * @now: time
 */
struct psync_restart_lab {
	struct psync_bed	beds[SITES];
	struct psync_view	views[SITES];
	bool			up[SITES];
	bool			cut[SITES];
	u32			number;
	u32			inc;
	u32			opening;
	u32			loss;
	u64			seed;
	u64			now;
};

static void psync_restart_answer(struct psync_restart_lab *lab, u32 from,
				 u32 to, const struct psync_bed_packet *packet)
{
	struct psync_bed_packet reply = {};
	struct psync_pkt pkt, out;

	assert_int_equal(psync_wire_decode(packet->data, packet->len, U16_MAX,
					   &pkt), PSYNC_OK);
	if (!psync_image_absence(&pkt, &out))
		return;
	out.src_site = to + 1;
	out.src_inc = 1;
	reply.len = psync_wire_hdr_size(&out);
	reply.data = malloc(reply.len);
	psync_wire_encode(&out, reply.data);
	psync_bed_give(&lab->beds[from], &reply, lab->now);
	psync_bed_packet_free(&reply);
}

static u32 psync_restart_random(struct psync_restart_lab *lab, u32 below)
{
	lab->seed = lab->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (lab->seed >> 33) % below;
}

static void psync_restart_carry(struct psync_restart_lab *lab, u32 from)
{
	struct psync_bed_packet packet = psync_bed_pop(&lab->beds[from]);
	u32 to;

	for (to = 0; to < SITES; to++) {
		if (to == from || (packet.site && packet.site != to + 1) ||
		    lab->cut[to] || lab->cut[from] ||
		    psync_restart_random(lab, 100) < lab->loss)
			continue;
		if (lab->up[to])
			psync_bed_give(&lab->beds[to], &packet, lab->now);
		else
			psync_restart_answer(lab, from, to, &packet);
	}
	psync_bed_packet_free(&packet);
}

/* All packets arrive at once; then time goes on. */
static void psync_restart_run(struct psync_restart_lab *lab, u64 until)
{
	u64 next;
	u32 i;

	for (;;) {
		for (i = 0; i < SITES; i++) {
			if (!lab->up[i] || !lab->beds[i].nsent)
				continue;
			psync_restart_carry(lab, i);
			i = -1;
		}
		next = U64_MAX;
		for (i = 0; i < SITES; i++)
			if (lab->up[i])
				next = min(next, lab->beds[i].img.deadline);
		if (next > until)
			break;
		lab->now = max(lab->now, next);
		for (i = 0; i < SITES; i++)
			if (lab->up[i] &&
			    lab->beds[i].img.deadline <= lab->now)
				psync_image_timer(&lab->beds[i].img, lab->now);
	}
	lab->now = until;
	for (i = 0; i < SITES; i++)
		if (lab->up[i])
			lab->beds[i].img.now = until;
}

static void psync_restart_pass(struct psync_restart_lab *lab, u64 time)
{
	psync_restart_run(lab, lab->now + time);
}

static void psync_restart_boot(struct psync_restart_lab *lab, u32 i)
{
	struct psync_image_params p;
	struct psync_pid pids[SITES];

	psync_bed_params(&p, pids, psync_restart_sites, SITES, lab->number);
	psync_bed_times(&p);
	p.limits.slow = PSYNC_SLOW_SUSPECT;
	assert_int_equal(psync_bed_init(&lab->beds[i], &p, i + 1), 0);
	lab->beds[i].muted = 0;
	lab->beds[i].inc = 5000 + 10 * ++lab->inc;
	lab->beds[i].img.p.inc = lab->beds[i].inc;
	lab->beds[i].nonce += 100000 * lab->inc;
	memset(&lab->views[i], 0, sizeof(lab->views[i]));
	lab->up[i] = true;
}

static void psync_restart_join(struct psync_restart_lab *lab, u32 i)
{
	psync_restart_boot(lab, i);
	assert_int_equal(psync_image_join(&lab->beds[i].img, &lab->views[i], i,
					  ++lab->inc, ++lab->opening, lab->now),
			 0);
}

/* The first @count of them. */
static void psync_restart_lab_begin(struct psync_restart_lab *lab, u32 number,
				    u32 count)
{
	u32 i;

	memset(lab, 0, sizeof(*lab));
	lab->number = number;
	for (i = 0; i < count; i++)
		psync_restart_join(lab, i);
	psync_restart_pass(lab, MS);
}

static void psync_restart_lab_open(struct psync_restart_lab *lab, u32 number)
{
	psync_restart_lab_begin(lab, number, SITES);
}

static void psync_restart_crash(struct psync_restart_lab *lab, u32 i)
{
	psync_bed_leave(&lab->beds[i], &lab->views[i]);
	psync_bed_exit(&lab->beds[i]);
	lab->up[i] = false;
}

static void psync_restart_lab_close(struct psync_restart_lab *lab)
{
	u32 i;

	for (i = 0; i < SITES; i++)
		if (lab->up[i])
			psync_restart_crash(lab, i);
	assert_int_equal(psync_bed_bodies, 0);
}

static int psync_restart_back(struct psync_restart_lab *lab, u32 i,
			      const u64 *leaves, u32 nleaves, bool all)
{
	struct psync_restart_how how = {
		.leaves = leaves, .nleaves = nleaves, .all = all,
	};

	memset(&lab->views[i], 0, sizeof(lab->views[i]));
	return psync_image_rejoin(&lab->beds[i].img, &lab->views[i], i,
				  ++lab->inc, ++lab->opening, &how, lab->now);
}

/* A new incarnation of a site that crashed, with an empty image. */
static void psync_restart_reboot(struct psync_restart_lab *lab, u32 i,
				 const u64 *leaves, u32 nleaves, bool all)
{
	psync_restart_boot(lab, i);
	assert_int_equal(psync_restart_back(lab, i, leaves, nleaves, all), 0);
}

static u64 psync_restart_send(struct psync_restart_lab *lab, u32 i)
{
	struct psync_image *img = &lab->beds[i].img;
	u32 rounds = 0;

	/* Who was absent, or is back, is asked for credit first. */
	while (!psync_image_may_send(img, 0)) {
		assert_true(++rounds < 1000);
		psync_image_block(img, lab->now);
		psync_restart_pass(lab, MS);
	}
	return psync_bed_send(&lab->beds[i], &lab->views[i], 100);
}

/* How many events of that type site @i has had. */
static u32 psync_restart_events(const struct psync_restart_lab *lab, u32 i,
				u32 type)
{
	const struct psync_bed *bed = &lab->beds[i];
	u32 count = 0;
	u32 k;

	for (k = 0; k < min_t(u32, bed->nevents, PSYNC_BED_EVENTS); k++)
		count += bed->events[k].type == type;
	return count;
}

/* Two images are the same graph. */
static void psync_restart_same(const struct psync_restart_lab *lab, u32 a,
			       u32 b)
{
	const struct psync_image *one = &lab->beds[a].img;
	const struct psync_image *two = &lab->beds[b].img;
	const struct psync_node *node, *other;
	u32 i;

	for (i = 0; i < SITES; i++)
		assert_int_equal(one->parts[i].seq, two->parts[i].seq);
	assert_int_equal(one->nnodes, two->nnodes);
	list_for_each_entry(node, &one->order, order) {
		other = psync_graph_find(two, node->sender, node->seq);
		assert_non_null(other);
		assert_int_equal(node->kind, other->kind);
		assert_int_equal(node->wave, other->wave);
		assert_int_equal(node->npred, other->npred);
		assert_memory_equal(node->preds, other->preds,
				    node->npred * sizeof(*node->preds));
		assert_memory_equal(node->stamp, other->stamp,
				    SITES * sizeof(*node->stamp));
	}
}

/*
 * What was not read by everybody is still there.  It comes from the others,
 * own messages included; then the numbers go on, and RESTART says so.
 */
static void psync_restart_test_crash(void **state, u32 number)
{
	struct psync_restart_lab lab;
	const struct psync_node *node;
	u64 mid, a1, b1, a2;

	psync_restart_lab_open(&lab, number);
	/* Site 3 reads nothing, so everything is kept there. */
	a1 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, 2 * MS);
	assert_int_equal(psync_bed_receive(&lab.views[1]), a1);
	b1 = psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, 2 * MS);
	assert_int_equal(psync_bed_receive(&lab.views[0]), b1);
	a2 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	assert_true(lab.beds[0].img.recover);
	assert_false(psync_image_may_send(&lab.beds[0].img, 0));
	assert_int_equal(psync_image_send(&lab.beds[0].img, &lab.views[0],
					  NULL, 0, &mid, lab.now), -EAGAIN);
	psync_restart_pass(&lab, SEC);
	assert_false(lab.beds[0].img.recover);
	assert_int_equal(lab.beds[0].writable, 1);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_RESTARTED), 1);
	assert_int_equal(psync_restart_events(&lab, 2, PSYNC_EV_RESTARTED), 1);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_RESTARTED), 0);
	/* Its own come back to it, too, in their places. */
	assert_int_equal(psync_bed_receive(&lab.views[0]), a1);
	assert_int_equal(psync_bed_receive(&lab.views[0]), b1);
	assert_int_equal(psync_bed_receive(&lab.views[0]), a2);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	mid = psync_restart_send(&lab, 0);
	assert_true(PSYNC_MID_SEQ(mid) >
		    PSYNC_MID_SEQ(a2) + PSYNC_RESTART_SKIP);
	psync_restart_pass(&lab, SEC);
	node = psync_graph_find(&lab.beds[1].img, 0, PSYNC_MID_SEQ(mid) - 1);
	assert_non_null(node);
	assert_int_equal(node->kind, PSYNC_KIND_RESTART);
	assert_true(node->prev >= PSYNC_MID_SEQ(a2));
	psync_restart_same(&lab, 1, 2);
	assert_int_equal(psync_bed_drain(&lab.views[2]), 4);
	psync_restart_lab_close(&lab);
}

static void psync_restart_test_random(void **state)
{
	psync_restart_test_crash(state, 0);
}

static void psync_restart_test_rendezvous(void **state)
{
	psync_restart_test_crash(state, NUMBER);
}

#define AGE	50

static void psync_restart_age_view(struct psync_view *view, const u64 *said)
{
	u32 i;

	memcpy(view->stamp, said, SITES * sizeof(*said));
	for (i = 0; i < SITES; i++)
		if (said[i])
			__set_bit(i, view->leaves);
	view->nleaves = 2;
	view->max_wave = AGE;
}

/* As if they had said so much, which all have and nobody keeps. */
static void psync_restart_age(struct psync_restart_lab *lab, u32 at,
			      const u64 *said)
{
	struct psync_image *img = &lab->beds[at].img;
	u32 i;

	psync_restart_age_view(&img->floor, said);
	psync_restart_age_view(&lab->views[at], said);
	for (i = 0; i < SITES; i++) {
		img->parts[i].seq = said[i];
		img->parts[i].claimed = said[i];
		img->parts[i].gap = said[i];
		img->parts[i].nowhere = said[i];
	}
	img->max_depth = AGE;
	img->attached = 1;
	img->begun = true;
	img->holes = true;
}

/* Each site speaks in turn, and all that are up receive it. */
static void psync_restart_talk(struct psync_restart_lab *lab, u32 rounds)
{
	u32 i, k;
	u64 mid;

	for (i = 0; i < rounds * SITES; i++) {
		if (!lab->up[i % SITES])
			continue;
		mid = psync_restart_send(lab, i % SITES);
		psync_restart_pass(lab, SEC);
		for (k = 0; k < SITES; k++)
			if (k != i % SITES && lab->up[k])
				assert_true(psync_bed_receive(&lab->views[k]) ==
					    mid);
	}
}

/* One who opens late, then one who is back, among numbers that are far. */
static void psync_restart_test_old(const u64 *said, u32 number)
{
	struct psync_restart_lab lab;
	u32 i;

	psync_restart_lab_begin(&lab, number, 2);
	for (i = 0; i < 2; i++)
		psync_restart_age(&lab, i, said);
	psync_restart_talk(&lab, 4);
	psync_restart_join(&lab, 2);
	psync_restart_pass(&lab, 5 * SEC);
	assert_int_equal(psync_bed_drain(&lab.views[2]), 8);
	for (i = 0; i < SITES; i++)
		assert_true(lab.beds[2].img.parts[i].seq ==
			    lab.beds[0].img.parts[i].seq);
	psync_restart_crash(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, 5 * SEC);
	for (i = 0; i < SITES; i++)
		psync_bed_drain(&lab.views[i]);
	assert_false(lab.beds[0].img.recover);
	psync_restart_talk(&lab, 2);
	assert_true(lab.beds[0].img.parts[0].seq > said[0] + 4);
	for (i = 0; i < SITES; i++) {
		assert_true(lab.beds[0].img.parts[i].seq ==
			    lab.beds[1].img.parts[i].seq);
		assert_true(lab.beds[2].img.parts[i].seq ==
			    lab.beds[1].img.parts[i].seq);
	}
	psync_restart_lab_close(&lab);
}

static void psync_restart_test_far(void **state)
{
	static const u64 said[][SITES] = {
		{ 1000, 1000, 0 },
		{ 1ULL << 31, 1000, 0 },
		{ (1ULL << 32) - 2, 3ULL << 31, 0 },
		{ 1ULL << 33, (1ULL << 32) - 6, 0 },
		{ (5ULL << 32) + (1ULL << 31), 7ULL << 32, 0 },
	};
	u32 i;

	for (i = 0; i < 2 * ARRAY_SIZE(said); i++)
		psync_restart_test_old(said[i / 2], i % 2 ? NUMBER : 0);
}

/* From a checkpoint's leaves: what follows them, and nothing else. */
static void psync_restart_test_leaves(void **state)
{
	struct psync_restart_lab lab;
	u64 leaves[SITES], mids[6];
	u32 nleaves = 0, i;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < 6; i++) {
		mids[i] = psync_restart_send(&lab, i % 2);
		psync_restart_pass(&lab, 2 * MS);
		if (i < 5)
			assert_int_equal(psync_bed_receive(&lab.views[1 - i % 2]),
					 mids[i]);
		if (i == 2)
			nleaves = psync_view_leaves(&lab.views[0], leaves,
						    SITES);
	}
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, leaves, nleaves, false);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	psync_restart_pass(&lab, SEC);
	assert_null(lab.views[0].leaf);
	for (i = 3; i < 6; i++)
		assert_int_equal(psync_bed_receive(&lab.views[0]), mids[i]);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[2]);
	psync_restart_same(&lab, 1, 2);
	psync_restart_lab_close(&lab);
}

/* Leaves that nobody has, or that cannot be. */
static void psync_restart_test_unknown(void **state)
{
	struct psync_restart_lab lab;
	u64 leaves[] = { PSYNC_MID(1, 77), PSYNC_MID(2, 1) };

	psync_restart_lab_open(&lab, NUMBER);
	leaves[1] = psync_restart_send(&lab, 2);
	psync_restart_send(&lab, 2);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, leaves, 2, false);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_GAP), 1);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 1);
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	leaves[0] = PSYNC_MID(SITES, 1);
	assert_int_equal(psync_restart_back(&lab, 0, leaves, 1, false),
			 -EINVAL);
	leaves[0] = PSYNC_MID(1, 0);
	assert_int_equal(psync_restart_back(&lab, 0, leaves, 1, false),
			 -EINVAL);
	psync_bed_exit(&lab.beds[0]);
	lab.up[0] = false;
	psync_restart_lab_close(&lab);
}

/* A leaf that its sender left out when it came back without it. */
static void psync_restart_test_leaf_void(void **state)
{
	struct psync_restart_lab lab;
	u64 leaf, mid;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	lab.cut[2] = true;
	leaf = psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, 0);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 2);
	psync_restart_crash(&lab, 0);
	psync_restart_crash(&lab, 1);
	lab.cut[2] = false;
	psync_restart_reboot(&lab, 1, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	mid = psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_reboot(&lab, 0, &leaf, 1, false);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[0].img.parts[1].seq, PSYNC_MID_SEQ(mid));
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_GAP), 1);
	/* What came before the leaf is in the view. */
	assert_int_equal(psync_bed_receive(&lab.views[0]), mid);
	psync_restart_lab_close(&lab);
}

/* There is no room for what it may not receive before it has its leaves. */
static void psync_restart_test_leaf_room(void **state)
{
	struct psync_restart_lab lab;
	u64 leaf = PSYNC_MID(2, 77);
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < 4; i++)
		psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	lab.beds[0].img.p.limits.max_bytes = 1;
	assert_int_equal(psync_restart_back(&lab, 0, &leaf, 1, false), 0);
	psync_restart_pass(&lab, 10 * SEC);
	assert_false(lab.beds[0].img.recover);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_GAP), 1);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 4);
	psync_restart_lab_close(&lab);
}

/* One that was heard dies before it answers: it is waited for so long only. */
static void psync_restart_test_silent(void **state)
{
	struct psync_bed_packet packet;
	struct psync_restart_lab lab;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_crash(&lab, 0);
	psync_restart_crash(&lab, 1);
	lab.cut[1] = true;
	psync_restart_boot(&lab, 0);
	lab.beds[0].img.p.limits.silent_ns = 60 * SEC;
	/* Those who are back do not wait for ever, though others may. */
	lab.beds[0].img.p.limits.slow = PSYNC_SLOW_BLOCK;
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_reboot(&lab, 1, NULL, 0, false);
	do {
		packet = psync_bed_pop_type(&lab.beds[1], PSYNC_PKT_RS);
		if (packet.site == 1)
			assert_int_equal(psync_bed_give(&lab.beds[0], &packet,
							lab.now), PSYNC_OK);
		psync_bed_packet_free(&packet);
	} while (!lab.beds[0].img.remotes[0].heard);
	psync_restart_crash(&lab, 1);
	psync_restart_pass(&lab, 50 * SEC);
	assert_true(lab.beds[0].img.recover);
	psync_restart_pass(&lab, 30 * SEC);
	assert_false(lab.beds[0].img.recover);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_ABSENT), 1);
	psync_restart_lab_close(&lab);
}

/* What waits is of a life that is over: what it waits for nobody has (S7.1). */
static void psync_restart_test_held(void **state)
{
	struct psync_restart_lab lab;
	struct psync_bed *bed;

	psync_restart_lab_open(&lab, NUMBER);
	bed = &lab.beds[0];
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_send(&lab, 1);
	psync_bed_forget(&lab.beds[1]);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, 0);
	assert_true(psync_hold_has(&bed->img, 1, 3));
	psync_restart_crash(&lab, 1);
	psync_restart_reboot(&lab, 1, NULL, 0, false);
	psync_restart_pass(&lab, 0);
	assert_false(psync_hold_has(&bed->img, 1, 3));
	assert_int_equal(bed->drops[PSYNC_DROP_STALE_OPENING], 1);
	psync_restart_lab_close(&lab);
}

/* One dies when it has answered what it holds, and before it sent that. */
static void psync_restart_test_died_with(void **state)
{
	struct psync_bed_packet packet;
	struct psync_restart_lab lab;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	lab.cut[2] = true;
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	lab.beds[0].img.p.limits.silent_ns = 60 * SEC;
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	do {
		packet = psync_bed_pop_type(&lab.beds[0], PSYNC_PKT_RS);
		if (packet.site == 2)
			assert_int_equal(psync_bed_give(&lab.beds[1], &packet,
							lab.now), PSYNC_OK);
		psync_bed_packet_free(&packet);
	} while (packet.site != 2);
	packet = psync_bed_pop_type(&lab.beds[1], PSYNC_PKT_RS_ACK);
	assert_int_equal(psync_bed_give(&lab.beds[0], &packet, lab.now),
			 PSYNC_OK);
	psync_bed_packet_free(&packet);
	psync_restart_crash(&lab, 1);
	lab.cut[2] = false;
	psync_restart_pass(&lab, 50 * SEC);
	assert_true(lab.beds[0].img.recover);
	psync_restart_pass(&lab, 30 * SEC);
	assert_false(lab.beds[0].img.recover);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_ABSENT), 1);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 1);
	psync_restart_lab_close(&lab);
}

/* Crash between send and first receipt: nobody has it, nobody will. */
static void psync_restart_test_unsent(void **state)
{
	struct psync_restart_lab lab;
	struct psync_bed_packet late;
	u64 first, mid;

	psync_restart_lab_open(&lab, NUMBER);
	first = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_send(&lab, 0);
	late = psync_bed_pop_type(&lab.beds[0], PSYNC_PKT_MSG);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	mid = psync_restart_send(&lab, 0);
	assert_true(mid > first + 1);
	psync_restart_pass(&lab, SEC);
	/* What was under way for so long is of an earlier opening. */
	assert_int_equal(psync_bed_give(&lab.beds[1], &late, lab.now),
			 PSYNC_DROP_STALE_OPENING);
	psync_bed_packet_free(&late);
	assert_int_equal(psync_bed_drain(&lab.views[1]), 2);
	psync_restart_same(&lab, 1, 2);
	psync_restart_lab_close(&lab);
}

/* One message reached a site that comes back late: void, and both are told. */
static void psync_restart_test_void(void **state)
{
	struct psync_restart_lab lab;
	u64 old, mid;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	lab.cut[1] = true;
	old = psync_restart_send(&lab, 0);
	lab.cut[1] = false;
	lab.cut[2] = true;
	psync_restart_pass(&lab, 0);
	psync_restart_crash(&lab, 0);
	/* Site 2 is away while it restarts, for as long as makes it absent. */
	lab.cut[1] = true;
	lab.cut[2] = false;
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, 10 * SEC);
	assert_true(lab.beds[0].img.recover);
	psync_restart_pass(&lab, 30 * SEC);
	assert_false(lab.beds[0].img.recover);
	mid = psync_restart_send(&lab, 0);
	assert_true(mid > old);
	psync_restart_pass(&lab, SEC);
	lab.cut[1] = false;
	psync_restart_pass(&lab, 60 * SEC);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_VOID), 1);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_VOID), 1);
	assert_int_equal(lab.beds[1].img.parts[0].seq,
			 lab.beds[2].img.parts[0].seq);
	/* It goes on, its own messages after the void one included. */
	psync_bed_drain(&lab.views[1]);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[1].img.parts[1].seq,
			 lab.beds[2].img.parts[1].seq);
	psync_restart_lab_close(&lab);
}

/* Closed, with null messages and END in the graph; the kernel lived on. */
static void psync_restart_test_lingering(void **state)
{
	struct psync_view other = {};
	struct psync_restart_lab lab;
	u64 a1, b1, mid;

	psync_restart_lab_open(&lab, NUMBER);
	a1 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[1]), a1);
	b1 = psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[0]), b1);
	psync_restart_pass(&lab, SEC);
	lab.cut[2] = true;
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	psync_restart_pass(&lab, SEC);
	assert_true(lab.beds[1].img.parts[0].ended);
	/* Asking for all of what has been given back, for some of it. */
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, true), -ENODATA);
	mid = PSYNC_MID(0, 99);
	assert_int_equal(psync_restart_back(&lab, 0, &mid, 1, false), -ENOENT);
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	assert_int_equal(psync_image_rejoin(&lab.beds[0].img, &other, 0, 1, 1,
					    &(struct psync_restart_how){},
					    lab.now), -EBUSY);
	psync_restart_pass(&lab, SEC);
	assert_false(lab.beds[1].img.parts[0].ended);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_RESTARTED), 1);
	mid = psync_restart_send(&lab, 0);
	assert_true(PSYNC_MID_SEQ(mid) < PSYNC_RESTART_SKIP);
	lab.cut[2] = false;
	psync_restart_pass(&lab, 20 * SEC);
	assert_int_equal(psync_restart_events(&lab, 2, PSYNC_EV_RESTARTED), 1);
	psync_bed_drain(&lab.views[1]);
	psync_bed_drain(&lab.views[2]);
	psync_restart_pass(&lab, 20 * SEC);
	psync_restart_same(&lab, 1, 2);
	psync_restart_lab_close(&lab);
}

/* Closed and forgotten; what all have received is given back everywhere. */
static void psync_restart_test_gone(void **state)
{
	struct psync_restart_lab lab;
	const struct psync_node *node;
	u64 mid;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < 10; i++) {
		psync_restart_send(&lab, i % SITES);
		psync_restart_pass(&lab, SEC);
		for (u32 k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
	}
	psync_restart_pass(&lab, SEC);
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	psync_restart_pass(&lab, SEC);
	assert_true(psync_image_over(&lab.beds[0].img));
	psync_bed_exit(&lab.beds[0]);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_GAP), 1);
	mid = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[1]);
	psync_bed_drain(&lab.views[2]);
	psync_restart_pass(&lab, SEC);
	psync_restart_same(&lab, 1, 2);
	node = psync_graph_find(&lab.beds[1].img, 0, PSYNC_MID_SEQ(mid) - 1);
	assert_int_equal(node->kind, PSYNC_KIND_RESTART);
	/* Its context is at least that of what it had said. */
	for (i = 0; i < SITES; i++)
		assert_true(node->stamp[i] >= 3);
	/* All or nothing: nothing. */
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, true);
	psync_restart_pass(&lab, SEC);
	assert_true(lab.views[0].lost);
	assert_int_equal(psync_image_send(&lab.beds[0].img, &lab.views[0],
					  NULL, 0, &mid, lab.now), -ENODATA);
	psync_restart_lab_close(&lab);
}

/*
 * With a history nothing is gone: the same comes from a checkpoint's leaves,
 * after what was before them, as from nothing.
 */
static void psync_restart_test_history(void **state)
{
	u64 leaves[SITES], mids[12], got[12];
	struct psync_restart_lab lab;
	u32 nleaves = 0;
	u32 i, k;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < SITES; i++)
		psync_image_history(&lab.beds[i].img, 1 << 20);
	for (i = 0; i < 12; i++) {
		mids[i] = psync_restart_send(&lab, i % SITES);
		psync_restart_pass(&lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
		if (i == 6)
			nleaves = psync_view_leaves(&lab.views[0], leaves,
						    SITES);
	}
	assert_int_equal(lab.beds[1].img.nuntaken, 0);
	assert_true(lab.beds[1].rested >= 12);
	assert_int_equal(lab.beds[1].img.own_bytes, 0);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, true);
	psync_image_history(&lab.beds[0].img, 1 << 20);
	psync_restart_pass(&lab, 5 * SEC);
	assert_false(lab.views[0].lost);
	for (i = 0; i < 12; i++)
		got[i] = psync_bed_receive(&lab.views[0]);
	assert_memory_equal(got, mids, sizeof(mids));
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, leaves, nleaves, true);
	psync_restart_pass(&lab, 5 * SEC);
	for (i = 7; i < 12; i++)
		assert_int_equal(psync_bed_receive(&lab.views[0]), mids[i]);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[1]);
	psync_bed_drain(&lab.views[2]);
	psync_restart_pass(&lab, 5 * SEC);
	assert_int_equal(lab.beds[1].img.nuntaken, 0);
	psync_restart_same(&lab, 1, 2);
	psync_restart_lab_close(&lab);
}

/* Its bound: the oldest go first, but not what somebody recovers. */
static void psync_restart_test_bound(void **state)
{
	struct psync_restart_lab lab;
	struct psync_image *img;
	u64 gone = 0;
	u32 i, k;

	psync_restart_lab_open(&lab, NUMBER);
	img = &lab.beds[1].img;
	psync_image_history(img, 1000);
	for (i = 0; i < 30; i++) {
		psync_restart_send(&lab, 0);
		psync_restart_pass(&lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
		assert_true(img->history_bytes <= 1000);
	}
	for (i = 0; i < img->parts[0].seq; i++)
		if (psync_graph_find(img, 0, i + 1)->gone)
			gone = i + 1;
	assert_in_range(gone, 10, img->parts[0].seq - 4);
	for (i = 0; i < gone; i++)
		assert_true(psync_graph_find(img, 0, i + 1)->gone);
	/* Others have less; who is back gets what this one has. */
	psync_restart_crash(&lab, 2);
	psync_restart_reboot(&lab, 2, NULL, 0, false);
	psync_restart_pass(&lab, 5 * SEC);
	assert_int_equal(lab.beds[2].img.parts[0].gap, gone);
	assert_true(psync_bed_drain(&lab.views[2]) >= 4);
	/* Turned off, all goes; one that is too big is not kept. */
	psync_image_history(img, 0);
	assert_int_equal(img->history_bytes, 0);
	psync_image_history(img, 50);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[1]);
	psync_bed_drain(&lab.views[2]);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(img->history_bytes, 0);
	psync_restart_lab_close(&lab);
}

/* The depth threshold is one for the history, too. */
static void psync_restart_test_depth(void **state)
{
	struct psync_restart_lab lab;
	struct psync_image *img;
	u32 i, k;

	psync_restart_lab_open(&lab, NUMBER);
	img = &lab.beds[1].img;
	img->p.limits.max_nodes = 10;
	psync_image_history(img, 1 << 20);
	for (i = 0; i < 20; i++) {
		psync_restart_send(&lab, 0);
		psync_restart_pass(&lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
	}
	assert_int_equal(img->nnodes, 10);
	assert_true(img->history_bytes >= 5 * PSYNC_BODY_LEAST);
	img->p.limits.max_bytes = 400;
	psync_image_history(img, 1000);
	assert_int_equal(img->history, 200);
	assert_true(img->history_bytes <= 200);
	psync_restart_lab_close(&lab);
}

/* Null messages of its own are between its messages. */
static void psync_restart_redo_past(struct psync_restart_lab *lab, u64 *said,
				    u64 *heard)
{
	u32 i, k;

	for (i = 0; i < SITES; i++)
		psync_image_history(&lab->beds[i].img, 1 << 20);
	for (i = 0; i < 3; i++) {
		said[i] = psync_bed_send(&lab->beds[0], &lab->views[0], 10 + i);
		psync_restart_pass(lab, SEC);
		heard[i] = psync_restart_send(lab, 1);
		psync_restart_pass(lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab->views[k]);
		psync_restart_pass(lab, SEC);
	}
	assert_true(PSYNC_MID_SEQ(said[2]) > 3);
	psync_restart_crash(lab, 0);
	psync_restart_boot(lab, 0);
}

/* P 5.2: it runs again from its beginning, and says nothing twice. */
static void psync_restart_test_redo(void **state)
{
	struct psync_restart_how how = { .redo = true };
	struct psync_bed_body *body;
	struct psync_restart_lab lab;
	u64 said[3], heard[3], mid;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_redo_past(&lab, said, heard);
	assert_int_equal(psync_image_rejoin(&lab.beds[0].img, &lab.views[0], 0,
					    77, 77, &how, lab.now), 0);
	psync_restart_pass(&lab, 5 * SEC);
	for (i = 0; i < 2; i++) {
		mid = psync_bed_send(&lab.beds[0], &lab.views[0], 10 + i);
		assert_int_equal(mid, said[i]);
		assert_int_equal(psync_bed_receive(&lab.views[0]), heard[i]);
	}
	/* Something else than before. */
	body = psync_bed_body_new();
	assert_int_equal(psync_image_send(&lab.beds[0].img, &lab.views[0],
					  body, 99, &mid, lab.now), -EPROTO);
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_DIFFERS), 1);
	psync_bed_body_put(body);
	assert_int_equal(psync_bed_send(&lab.beds[0], &lab.views[0], 12),
			 said[2]);
	assert_int_equal(psync_bed_receive(&lab.views[0]), heard[2]);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_drain(&lab.views[1]), 0);
	/* From here on it is new. */
	mid = psync_bed_send(&lab.beds[0], &lab.views[0], 13);
	assert_true(mid > said[2]);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_drain(&lab.views[1]), 1);
	/* In the middle of it, it dies again; and what remains is forgotten. */
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	assert_int_equal(psync_image_rejoin(&lab.beds[0].img, &lab.views[0], 0,
					    78, 78, &how, lab.now), 0);
	psync_restart_pass(&lab, 5 * SEC);
	mid = psync_bed_send(&lab.beds[0], &lab.views[0], 10);
	assert_int_equal(mid, said[0]);
	/* Leaves and all from the beginning do not go together. */
	how.leaves = said;
	how.nleaves = 1;
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	assert_int_equal(psync_image_rejoin(&lab.beds[0].img, &lab.views[0], 0,
					    79, 79, &how, lab.now), -EINVAL);
	psync_bed_exit(&lab.beds[0]);
	lab.up[0] = false;
	psync_restart_lab_close(&lab);
}

/* Its image is there still: nothing has to be recovered. */
static void psync_restart_test_redo_kept(void **state)
{
	struct psync_restart_how how = { .redo = true };
	struct psync_restart_lab lab;
	u64 said;

	psync_restart_lab_open(&lab, NUMBER);
	psync_image_history(&lab.beds[0].img, 1 << 20);
	said = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	lab.cut[2] = true;
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	memset(&lab.views[0], 0, sizeof(lab.views[0]));
	assert_int_equal(psync_image_rejoin(&lab.beds[0].img, &lab.views[0], 0,
					    77, 77, &how, lab.now), 0);
	assert_int_equal(psync_restart_send(&lab, 0), said);
	assert_true(psync_restart_send(&lab, 0) > said);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	lab.cut[2] = false;
	psync_restart_pass(&lab, 20 * SEC);
	psync_restart_lab_close(&lab);
}

/* Two of three are down at the same time; the third has it all. */
static void psync_restart_test_overlap(void **state)
{
	struct psync_restart_lab lab;
	u32 i;

	psync_restart_lab_open(&lab, 0);
	for (i = 0; i < 6; i++) {
		psync_restart_send(&lab, i % 2);
		psync_restart_pass(&lab, MS);
		psync_bed_drain(&lab.views[0]);
		psync_bed_drain(&lab.views[1]);
	}
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_crash(&lab, 1);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_reboot(&lab, 1, NULL, 0, false);
	psync_restart_pass(&lab, 5 * SEC);
	assert_false(lab.beds[0].img.recover);
	assert_false(lab.beds[1].img.recover);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 6);
	assert_int_equal(psync_bed_drain(&lab.views[1]), 6);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_same(&lab, 0, 1);
	psync_restart_same(&lab, 1, 2);
	psync_restart_lab_close(&lab);
}

/* A single survivor, which closes while the restart is under way. */
static void psync_restart_test_survivor(void **state)
{
	struct psync_restart_lab lab;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_crash(&lab, 1);
	psync_bed_drain(&lab.views[2]);
	psync_restart_send(&lab, 2);
	psync_image_leave(&lab.beds[2].img, &lab.views[2], lab.now);
	assert_false(psync_image_over(&lab.beds[2].img));
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, 3 * SEC);
	assert_false(lab.beds[0].img.recover);
	/* What all had received is gone, the rest is there. */
	assert_int_equal(psync_restart_events(&lab, 0, PSYNC_EV_GAP), 1);
	assert_int_equal(psync_bed_drain(&lab.views[0]), 1);
	assert_true(lab.beds[0].img.parts[2].ended);
	psync_bed_exit(&lab.beds[2]);
	lab.up[2] = false;
	psync_restart_lab_close(&lab);
}

/* Nobody has it: it is a new conversation, and nothing is said of a restart. */
static void psync_restart_test_nobody(void **state)
{
	struct psync_restart_lab lab;
	u64 mid;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_crash(&lab, 1);
	psync_restart_crash(&lab, 2);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	assert_false(lab.beds[0].img.recover);
	mid = psync_restart_send(&lab, 0);
	assert_int_equal(PSYNC_MID_SEQ(mid), 1);
	psync_restart_lab_close(&lab);
}

/* Two participants at one site: one is killed, the other keeps the image. */
static void psync_restart_test_shared(void **state)
{
	static const u32 sites[] = { 1, 1, 2 };
	struct psync_restart_how how = {};
	struct psync_view a = {}, b = {};
	struct psync_image_params p;
	struct psync_pid pids[3];
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 first, mid;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = 0;
	psync_image_join(&bed.img, &a, 0, 1, 7, 0);
	psync_image_join(&bed.img, &b, 1, 1, 7, 0);
	first = psync_bed_send(&bed, &a, 100);
	psync_image_leave(&bed.img, &a, 1);
	psync_bed_forget(&bed);
	memset(&a, 0, sizeof(a));
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 2, 8, 2), -ESTALE);
	memset(&a, 0, sizeof(a));
	assert_int_equal(psync_image_rejoin(&bed.img, &a, 0, 2, 8, &how, 2), 0);
	psync_bed_take(&bed, &pkt, NULL);
	assert_int_equal(pkt.type, PSYNC_PKT_RS);
	assert_int_equal(pkt.opening, 7);
	assert_int_equal(pkt.vector.token, 2);
	psync_bed_take(&bed, &pkt, NULL);
	assert_int_equal(pkt.type, PSYNC_PKT_MSG);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_RESTART);
	assert_int_equal(pkt.msg.seq, 3);
	/* Its neighbour is told. */
	assert_int_equal(bed.events[bed.nevents - 1].type,
			 PSYNC_EV_RESTARTED);
	/* It reads what it had said, and goes on. */
	assert_int_equal(psync_bed_receive(&a), first);
	mid = psync_bed_send(&bed, &a, 100);
	assert_int_equal(PSYNC_MID_SEQ(mid), 4);
	assert_int_equal(psync_bed_receive(&a), 0);
	assert_int_equal(a.stamp[0], 4);
	assert_int_equal(psync_bed_drain(&b), 2);
	psync_bed_leave(&bed, &a);
	psync_bed_leave(&bed, &b);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What is said of participants at this site by @site. */
static void psync_restart_hear(struct psync_bed *bed, u32 site, u64 own)
{
	u64 held[] = { 0, own, 0, 0 };
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(bed, PSYNC_PKT_RS_ACK, site, held, wire, &pkt);
	pkt.vector.dst_opening = bed->img.opening;
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
}

/*
 * Who did not count when one of a site was back has what another one there sent:
 * that one, back when it counts, asks for it.
 */
static void psync_restart_test_shared_more(void **state)
{
	static const u32 sites[] = { 1, 1, 2, 3 };
	struct psync_restart_how how = {};
	struct psync_view a = {}, b = {};
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	struct psync_image *img = &bed.img;

	psync_bed_params(&p, pids, sites, 4, NUMBER);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_rejoin(img, &a, 0, 1, 7, &how, MS), 0);
	assert_int_equal(psync_view_mask_out(&a, 2, PSYNC_MASK_NO_CUT, MS), 0);
	psync_restart_hear(&bed, 2, 5);
	psync_restart_hear(&bed, 3, 0);
	/* It is asked all the same, in vain. */
	psync_bed_run(&bed, 60 * SEC);
	assert_false(img->recover);
	assert_int_equal(img->nlack, 0);
	assert_int_equal(psync_view_mask_in(&a, 2, img->now), 0);
	/* It counts, but nobody here says that this was sent here. */
	assert_int_equal(img->nlack, 0);
	assert_int_equal(psync_image_rejoin(img, &b, 1, 2, 7, &how, img->now),
			 0);
	assert_true(img->recover);
	assert_int_equal(img->parts[1].claimed, 5);
	assert_int_equal(img->nlack, 1);
	psync_bed_leave(&bed, &b);
	psync_bed_leave(&bed, &a);
	psync_bed_exit(&bed);
}

/*
 * Nobody is here any more, and who was here masked somebody out: what was not
 * asked for then is recovered, and leaves that are not here may be there.
 */
static void psync_restart_test_masked_kept(void **state)
{
	u64 leaf = PSYNC_MID(0, 5);
	struct psync_restart_how how = { .leaves = &leaf, .nleaves = 1 };
	struct psync_view a = {};
	struct psync_image_params p;
	struct psync_pid pids[SITES];
	struct psync_bed bed;
	struct psync_image *img = &bed.img;
	struct psync_pkt pkt;
	u32 masked, i;

	for (masked = 0; masked < 2; masked++) {
		psync_bed_params(&p, pids, psync_restart_sites, SITES, 0);
		psync_bed_times(&p);
		assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
		bed.muted = ~0U;
		assert_int_equal(psync_image_join(img, &a, 0, 1, 7, 0), 0);
		if (masked)
			assert_int_equal(psync_view_mask_out(&a, 1,
							     PSYNC_MASK_NO_CUT,
							     1), 0);
		psync_bed_leave(&bed, &a);
		memset(&a, 0, sizeof(a));
		bed.muted = ~(1U << PSYNC_PKT_MSG);
		assert_int_equal(psync_image_rejoin(img, &a, 0, 2, 8, &how, 2),
				 masked ? 0 : -ENOENT);
		assert_int_equal(img->recover, masked);
		assert_int_equal(bed.nsent, 0);
		for (i = 2; masked && i <= SITES; i++)
			psync_restart_hear(&bed, i, 0);
		if (masked) {
			assert_false(img->recover);
			psync_bed_take(&bed, &pkt, NULL);
			assert_int_equal(pkt.msg.kind, PSYNC_KIND_RESTART);
			assert_false(pkt.msg.flags & PSYNC_MSGF_START);
			psync_bed_leave(&bed, &a);
		}
		psync_bed_exit(&bed);
	}
}

/* A leaf that is here is had, also where others of its participant are lost. */
static void psync_restart_test_leaf_saved(void **state)
{
	static const u32 sites[] = { 1, 1, 2, 3 };
	u64 leaves[] = { PSYNC_MID(2, 1), PSYNC_MID(3, 1) };
	const u64 until[] = { 0, 0, 0, 1 };
	struct psync_restart_how how = { .leaves = leaves, .nleaves = 2 };
	struct psync_view a = {}, b = {};
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	u32 i;

	psync_bed_params(&p, pids, sites, 4, 0);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 7, 0), 0);
	for (i = 2; i < 4; i++)
		assert_int_equal(psync_bed_msg(&bed, i, 1, 1, 0, NULL),
				 PSYNC_OK);
	psync_repair_fade(&bed.img, until);
	assert_int_equal(psync_image_rejoin(&bed.img, &b, 1, 2, 8, &how, 2), 0);
	assert_null(b.leaf);
	for (i = 2; i < 4; i++)
		assert_true(psync_view_has(&b, psync_graph_find(&bed.img, i,
								1)));
	psync_bed_leave(&bed, &b);
	psync_bed_leave(&bed, &a);
	psync_bed_exit(&bed);
}

/* What the decoder says to a packet. */
static enum psync_drop psync_restart_decode(struct psync_pkt *pkt)
{
	struct psync_pkt out;
	u8 data[256];

	pkt->src_site = 2;
	pkt->src_inc = 5;
	assert_in_range(psync_wire_hdr_size(pkt), 1, sizeof(data));
	psync_wire_encode(pkt, data);
	return psync_wire_decode(data, psync_wire_hdr_size(pkt),
				 psync_wire_hdr_size(pkt), &out);
}

/* RS, RS_ACK and RESTART have one form each. */
static void psync_restart_test_wire(void **state)
{
	__be32 seqs[SITES] = { 0 };
	u8 bitmap[4] = { 0 };
	struct psync_pkt rs = {
		.type = PSYNC_PKT_RS, .cid = 1, .digest = 1, .opening = 1,
		.vector = { .n = SITES, .token = 7, .index = 2, .seqs = seqs },
	};
	struct psync_pkt msg = {
		.type = PSYNC_PKT_MSG, .cid = 1, .digest = 1, .opening = 1,
		.msg = { .kind = PSYNC_KIND_RESTART, .n = SITES, .wave = 1,
			 .seq = 5, .flags = PSYNC_MSGF_STAMP, .stamp = seqs,
			 .bitmap = bitmap },
	};

	assert_int_equal(psync_restart_decode(&rs), PSYNC_OK);
	rs.vector.token = 0;
	assert_int_equal(psync_restart_decode(&rs), PSYNC_DROP_BAD_HEADER);
	rs.vector.token = 7;
	rs.vector.flags = PSYNC_VECTORF_KNOWN;
	assert_int_equal(psync_restart_decode(&rs), PSYNC_DROP_BAD_HEADER);
	rs.type = PSYNC_PKT_RS_ACK;
	assert_int_equal(psync_restart_decode(&rs), PSYNC_DROP_BAD_HEADER);
	rs.vector.token = 0;
	rs.vector.index = 0;
	assert_int_equal(psync_restart_decode(&rs), PSYNC_OK);
	rs.opening = 0;
	assert_int_equal(psync_restart_decode(&rs), PSYNC_DROP_BAD_HEADER);
	assert_int_equal(psync_restart_decode(&msg), PSYNC_OK);
	msg.msg.flags = 0;
	assert_int_equal(psync_restart_decode(&msg), PSYNC_DROP_BAD_CONTEXT);
	msg.msg.flags = PSYNC_MSGF_STAMP;
	msg.msg.kind = PSYNC_KIND_RESTART + 1;
	assert_int_equal(psync_restart_decode(&msg), PSYNC_DROP_BAD_KIND);
}

/* Before it has caught up its context is that of what it said before. */
static void psync_restart_test_lag(void **state)
{
	struct psync_restart_lab lab;
	u64 mids[4], mid;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < 4; i++) {
		mids[i] = psync_restart_send(&lab, i % 2);
		psync_restart_pass(&lab, 2 * MS);
		assert_int_equal(psync_bed_receive(&lab.views[1 - i % 2]),
				 mids[i]);
	}
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[0]), mids[0]);
	mid = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[1].img.parts[0].seq, PSYNC_MID_SEQ(mid));
	assert_true(lab.beds[1].img.parts[0].stamp[1] >=
		    PSYNC_MID_SEQ(mids[3]));
	/* It goes on reading where it was, without what it says now. */
	for (i = 1; i < 4; i++)
		assert_int_equal(psync_bed_receive(&lab.views[0]), mids[i]);
	assert_int_equal(psync_bed_receive(&lab.views[0]), 0);
	assert_int_equal(lab.views[0].stamp[0], PSYNC_MID_SEQ(mid));
	assert_int_equal(lab.views[0].nleaves, 1);
	psync_restart_lab_close(&lab);
}

/*
 * Nobody waited for one that had ended, until it was back: who begins with leaves
 * behind that has never been in between.
 */
static void psync_restart_test_between(void **state)
{
	struct psync_restart_how how = { .redo = true };
	struct psync_restart_lab lab;
	u64 first, leaves[2];
	u32 i, n;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < SITES; i++)
		psync_image_history(&lab.beds[i].img, 1 << 20);
	first = psync_restart_send(&lab, 2);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[0]), first);
	leaves[0] = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_image_leave(&lab.beds[1].img, &lab.views[1], lab.now);
	psync_restart_pass(&lab, SEC);
	memset(&lab.views[1], 0, sizeof(lab.views[1]));
	assert_int_equal(psync_image_rejoin(&lab.beds[1].img, &lab.views[1], 1,
					    77, 77, &how, lab.now), 0);
	psync_restart_pass(&lab, SEC);
	/* It was there, and it stays so. */
	assert_int_equal(psync_view_stable(&lab.views[0], first, &n, &n), 1);
	leaves[1] = PSYNC_MID(1, lab.beds[0].img.parts[1].seq);
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_restart_back(&lab, 0, leaves, 2, false), 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_view_stable(&lab.views[0], first, &n, &n), 0);
	psync_restart_lab_close(&lab);
}

/* Its clock went back while it was down: it is back all the same. */
static void psync_restart_test_clock(void **state)
{
	struct psync_restart_lab lab;
	u64 first, mid, roots[SITES];

	psync_restart_lab_open(&lab, NUMBER);
	first = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 0);
	lab.beds[0].inc = 7;
	lab.beds[0].img.p.inc = 7;
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	psync_restart_pass(&lab, SEC);
	assert_false(lab.beds[0].img.recover);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_RESTARTED), 1);
	mid = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	/* Numbers that were left out are no messages; roots are. */
	psync_bed_drain(&lab.views[1]);
	assert_int_equal(psync_view_stable(&lab.views[1], mid - 2, &(u32){ 0 },
					   &(u32){ 0 }), PSYNC_EUNKNOWN);
	assert_int_equal(psync_view_precedes(&lab.views[1], first, mid - 2),
			 PSYNC_EUNKNOWN);
	assert_int_equal(psync_view_roots(&lab.views[1], roots, SITES), 1);
	assert_int_equal(roots[0], first);
	psync_restart_lab_close(&lab);
}

/* Nothing of what it said got anywhere: its RESTART is a root. */
static void psync_restart_test_root(void **state)
{
	struct psync_restart_lab lab;
	u64 roots[SITES];

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[1]);
	assert_int_equal(psync_view_roots(&lab.views[1], roots, SITES), 1);
	assert_int_equal(roots[0], PSYNC_MID(0, PSYNC_RESTART_SKIP + 1));
	psync_restart_lab_close(&lab);
}

/* Sites of which @away has not come yet. */
static void psync_restart_lab_without(struct psync_restart_lab *lab, u32 away)
{
	u32 i;

	memset(lab, 0, sizeof(*lab));
	lab->number = NUMBER;
	for (i = 0; i < SITES; i++) {
		if (i == away)
			continue;
		psync_restart_boot(lab, i);
		assert_int_equal(psync_image_join(&lab->beds[i].img,
						  &lab->views[i], i, ++lab->inc,
						  ++lab->opening, 0), 0);
	}
	psync_restart_pass(lab, MS);
}

/* It has heard nothing of one that is back: then it is told a little later. */
static void psync_restart_test_untold(void **state)
{
	struct psync_restart_lab lab;

	psync_restart_lab_without(&lab, 1);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	psync_restart_boot(&lab, 1);
	assert_int_equal(psync_image_join(&lab.beds[1].img, &lab.views[1], 1,
					  ++lab.inc, ++lab.opening, lab.now),
			 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	lab.cut[2] = true;
	psync_restart_pass(&lab, SEC);
	assert_true(lab.beds[1].img.parts[0].untold);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_RESTARTED), 0);
	lab.cut[2] = false;
	psync_restart_pass(&lab, 10 * SEC);
	assert_int_equal(psync_restart_events(&lab, 1, PSYNC_EV_RESTARTED), 1);
	assert_int_equal(psync_restart_events(&lab, 2, PSYNC_EV_RESTARTED), 1);
	psync_restart_lab_close(&lab);
}

/* It asks to be back and never was there: nobody is told, not later either. */
static void psync_restart_test_never(void **state)
{
	struct psync_bed_packet late;
	struct psync_restart_lab lab;
	u64 mid;
	u32 i;

	psync_restart_lab_without(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	late = psync_bed_pop_type(&lab.beds[0], PSYNC_PKT_RS);
	psync_restart_pass(&lab, 10 * SEC);
	assert_false(lab.beds[0].img.recover);
	mid = psync_restart_send(&lab, 0);
	assert_int_equal(mid, PSYNC_MID(0, 1));
	psync_restart_pass(&lab, SEC);
	i = late.site - 1;
	assert_int_equal(psync_bed_receive(&lab.views[i]), mid);
	assert_int_equal(psync_bed_give(&lab.beds[i], &late, lab.now),
			 PSYNC_OK);
	psync_bed_packet_free(&late);
	assert_int_equal(psync_restart_events(&lab, i, PSYNC_EV_RESTARTED), 0);
	psync_restart_lab_close(&lab);
}

/*
 * It ended, and others tell that it is back, message by message, before it
 * does: what it has to hold is counted once.
 */
static void psync_restart_test_relayed(void **state)
{
	struct psync_restart_lab lab;
	u64 a1, b1;

	psync_restart_lab_open(&lab, NUMBER);
	a1 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[2]), a1);
	lab.cut[2] = true;
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	psync_restart_pass(&lab, SEC);
	/* Now it is away, and only the other one is there to tell. */
	lab.cut[2] = false;
	lab.cut[0] = true;
	b1 = psync_restart_send(&lab, 1);
	psync_restart_pass(&lab, 20 * SEC);
	assert_int_equal(psync_restart_events(&lab, 2, PSYNC_EV_RESTARTED), 1);
	lab.cut[0] = false;
	psync_restart_pass(&lab, 60 * SEC);
	psync_bed_drain(&lab.views[0]);
	psync_bed_drain(&lab.views[1]);
	assert_int_equal(psync_bed_receive(&lab.views[2]), b1);
	psync_restart_pass(&lab, 60 * SEC);
	assert_int_equal(lab.beds[2].img.remotes[0].lag, 0);
	assert_int_equal(lab.beds[2].img.nuntaken, 0);
	psync_restart_lab_close(&lab);
}

#define HISTORIES	150
#define STEPS		120
#define NUMBERS		65536

/**
 * struct psync_restart_past - what was seen of a random run
 * @lab: the sites
 * @content: what each number of each participant was used for
 * @seen: what each site's program has received since it was started
 * @stamp: the view that each last started with
 * @saved: the view of each at its last checkpoint
 * @leaves: its leaves then
 * @nleaves: how many
 * @said: messages sent
 */
struct psync_restart_past {
	struct psync_restart_lab lab;
	u16	content[SITES][NUMBERS];
	bool	seen[SITES][SITES][NUMBERS];
	u64	stamp[SITES][SITES];
	u64	saved[SITES][SITES];
	u64	leaves[SITES][SITES];
	u32	nleaves[SITES];
	u32	said;
};

/* No number is used for two messages. */
static void psync_restart_used(struct psync_restart_past *past,
			       const struct psync_node *node)
{
	u16 *content = &past->content[node->sender][node->seq];

	assert_in_range(node->seq, 1, NUMBERS - 1);
	if (!*content)
		*content = node->kind << 12 | node->body_len;
	assert_int_equal(*content, node->kind << 12 | node->body_len);
}

/* A leaf of its checkpoint is nowhere: what was before it is not known. */
static bool psync_restart_vague(const struct psync_restart_lab *lab, u32 i)
{
	return lab->beds[i].nevents > PSYNC_BED_EVENTS ||
	       psync_restart_events(lab, i, PSYNC_EV_GAP);
}

static void psync_restart_receive(struct psync_restart_past *past, u32 i)
{
	struct psync_view *view = &past->lab.views[i];
	struct psync_node *node = psync_view_next(view);

	if (!node)
		return;
	psync_restart_used(past, node);
	assert_false(past->seen[i][node->sender][node->seq]);
	assert_true(node->seq > past->stamp[i][node->sender] ||
		    psync_restart_vague(&past->lab, i));
	past->seen[i][node->sender][node->seq] = true;
	psync_view_take(view, psync_node_mid(node), past->lab.now);
}

static void psync_restart_remember(struct psync_restart_past *past, u32 i)
{
	struct psync_view *view = &past->lab.views[i];

	past->nleaves[i] = psync_view_leaves(view, past->leaves[i], SITES);
	memcpy(past->saved[i], view->stamp, sizeof(past->saved[i]));
}

static void psync_restart_begin(struct psync_restart_past *past, u32 i)
{
	struct psync_restart_lab *lab = &past->lab;
	bool point = past->nleaves[i] && psync_restart_random(lab, 2);

	memset(past->seen[i], 0, sizeof(past->seen[i]));
	memset(past->stamp[i], 0, sizeof(past->stamp[i]));
	if (point)
		memcpy(past->stamp[i], past->saved[i], sizeof(past->stamp[i]));
	psync_restart_reboot(lab, i, past->leaves[i],
			     point ? past->nleaves[i] : 0, false);
	psync_image_history(&lab->beds[i].img, 1 << 20);
}

/* Of two, the one that stays has all that the other has. */
static bool psync_restart_spare(const struct psync_restart_lab *lab, u32 i,
				u32 others)
{
	const struct psync_part *one, *two;
	u32 j, k;

	for (j = 0; j < SITES; j++) {
		if (!lab->up[j])
			continue;
		if (lab->beds[j].img.recover)
			return false;
		for (k = 0; j != i && others == 1 && k < SITES; k++) {
			one = &lab->beds[i].img.parts[k];
			two = &lab->beds[j].img.parts[k];
			if (two->seq < one->seq)
				return false;
		}
	}
	return others;
}

static void psync_restart_step(struct psync_restart_past *past)
{
	struct psync_restart_lab *lab = &past->lab;
	u32 i = psync_restart_random(lab, SITES);
	u32 others = lab->up[0] + lab->up[1] + lab->up[2] - lab->up[i];

	if (!lab->up[i]) {
		if (!psync_restart_random(lab, 3))
			psync_restart_begin(past, i);
		return;
	}
	switch (psync_restart_random(lab, 16)) {
	case 0:
		if (psync_restart_spare(lab, i, others))
			psync_restart_crash(lab, i);
		break;
	case 1:
		if (!lab->views[i].leaf && !lab->views[i].restart)
			psync_restart_remember(past, i);
		break;
	case 2 ... 6:
		psync_restart_receive(past, i);
		break;
	case 7 ... 10:
		psync_restart_pass(lab, psync_restart_random(lab, 200) * MS);
		break;
	default:
		if (psync_image_may_send(&lab->beds[i].img, 0))
			psync_bed_send(&lab->beds[i], &lab->views[i],
				       ++past->said);
		else
			psync_image_block(&lab->beds[i].img, lab->now);
	}
}

/* Everybody has what is there, each message once, but for its checkpoint. */
static void psync_restart_rest(struct psync_restart_past *past, u32 i)
{
	const struct psync_image *img = &past->lab.beds[i].img;
	const struct psync_node *node;
	bool had;
	u32 k;

	assert_false(img->recover);
	assert_int_equal(img->nlack, 0);
	assert_int_equal(img->nheld, 0);
	for (k = 0; k < SITES; k++)
		assert_int_equal(past->lab.views[i].stamp[k],
				 img->parts[k].seq);
	list_for_each_entry(node, &img->order, order) {
		psync_restart_used(past, node);
		if (node->kind != PSYNC_KIND_DATA ||
		    (node->made && node->sender == i))
			continue;
		had = node->seq <= past->stamp[i][node->sender];
		if (!psync_restart_vague(&past->lab, i))
			assert_int_equal(past->seen[i][node->sender][node->seq],
					 !had);
	}
}

static void psync_restart_random_run(struct psync_restart_past *past, u32 seed)
{
	struct psync_restart_lab *lab = &past->lab;
	u32 i, k;

	memset(past, 0, sizeof(*past));
	psync_restart_lab_open(lab, seed % 2 ? NUMBER : 0);
	lab->seed = seed;
	lab->loss = seed % 3 * 10;
	for (i = 0; i < SITES; i++)
		psync_image_history(&lab->beds[i].img, 1 << 20);
	for (i = 0; i < STEPS; i++)
		psync_restart_step(past);
	lab->loss = 0;
	for (i = 0; i < SITES; i++)
		if (!lab->up[i])
			psync_restart_begin(past, i);
	for (k = 0; k < 3; k++) {
		psync_restart_pass(lab, 60 * SEC);
		for (i = 0; i < SITES; i++)
			while (psync_view_next(&lab->views[i]))
				psync_restart_receive(past, i);
	}
	for (i = 0; i < SITES; i++)
		psync_restart_rest(past, i);
	psync_restart_same(lab, 0, 1);
	psync_restart_same(lab, 1, 2);
	psync_restart_lab_close(lab);
}

/* Crashes, restarts, checkpoints and losses in any order. */
static void psync_restart_test_any(void **state)
{
	struct psync_restart_past *past = calloc(1, sizeof(*past));
	u32 seed;

	assert_non_null(past);
	for (seed = 1; seed <= HISTORIES; seed++)
		psync_restart_random_run(past, seed);
	free(past);
}

static int psync_restart_mask(struct psync_restart_lab *lab, u32 who, u32 whom,
			      bool out)
{
	return out ? psync_view_mask_out(&lab->views[who], whom,
					 PSYNC_MASK_NO_CUT, lab->now) :
		     psync_view_mask_in(&lab->views[who], whom, lab->now);
}

/* S5.3: who is agreed out says nothing until all have masked it in. */
static void psync_restart_barred(struct psync_restart_lab *lab, bool kept)
{
	u64 a1, a2, b1, mid;
	u32 i;

	psync_restart_lab_open(lab, NUMBER);
	a1 = psync_restart_send(lab, 0);
	psync_restart_pass(lab, SEC);
	assert_int_equal(psync_bed_receive(&lab->views[1]), a1);
	for (i = 2; i < SITES; i++)
		assert_int_equal(psync_bed_drain(&lab->views[i]), 1);
	if (!kept)
		psync_restart_crash(lab, 0);
	for (i = 1; i < SITES; i++)
		assert_int_equal(psync_restart_mask(lab, i, 0, true), 0);
	psync_restart_pass(lab, SEC);
	for (i = 1; i < SITES; i++) {
		assert_true(lab->views[i].masks[0].agreed);
		assert_int_equal(psync_restart_mask(lab, i, 0, false), -EPERM);
	}
	if (kept) {
		psync_image_leave(&lab->beds[0].img, &lab->views[0], lab->now);
		assert_int_equal(psync_restart_back(lab, 0, NULL, 0, false), 0);
	} else {
		psync_restart_reboot(lab, 0, NULL, 0, false);
	}
	psync_restart_pass(lab, SEC);
	assert_false(lab->beds[0].img.recover);
	assert_int_equal(psync_image_send(&lab->beds[0].img, &lab->views[0],
					  NULL, 0, &mid, lab->now), -EAGAIN);
	assert_true(lab->views[0].barred);
	for (i = 1; i < SITES; i++) {
		assert_int_equal(lab->beds[0].writable, 0);
		assert_true(lab->views[0].restart);
		assert_int_equal(psync_restart_mask(lab, i, 0, false), 0);
		psync_restart_pass(lab, SEC);
	}
	assert_false(lab->views[0].barred);
	assert_int_equal(lab->beds[0].writable, 1);
	psync_bed_drain(&lab->views[0]);
	a2 = psync_restart_send(lab, 0);
	psync_restart_pass(lab, SEC);
	b1 = psync_restart_send(lab, 1);
	psync_restart_pass(lab, SEC);
	for (i = 0; i < SITES; i++) {
		psync_bed_drain(&lab->views[i]);
		assert_true(lab->views[i].stamp[0] >= PSYNC_MID_SEQ(a2));
		assert_int_equal(lab->views[i].stamp[1], PSYNC_MID_SEQ(b1));
		/* What its earlier life had received was given back there. */
		assert_int_equal(psync_restart_events(lab, i, PSYNC_EV_GAP),
				 !i);
	}
	psync_restart_pass(lab, SEC);
	psync_restart_same(lab, 1, 2);
	/* It is out for a second time, and that is agreed anew. */
	for (i = 1; i < SITES; i++)
		assert_int_equal(psync_restart_mask(lab, i, 0, true), 0);
	psync_restart_pass(lab, SEC);
	for (i = 1; i < SITES; i++)
		assert_true(lab->views[i].masks[0].agreed);
	psync_restart_lab_close(lab);
}

static void psync_restart_test_barred(void **state)
{
	struct psync_restart_lab lab;

	psync_restart_barred(&lab, false);
	psync_restart_barred(&lab, true);
}

/* One alone that goes on without it bars nobody: nothing is agreed. */
static void psync_restart_test_shunned(void **state)
{
	struct psync_restart_lab lab;
	u64 mid;

	psync_restart_lab_open(&lab, NUMBER);
	mid = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	assert_int_equal(psync_restart_mask(&lab, 1, 0, true), 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[0]), mid);
	assert_false(lab.views[0].restart);
	mid = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_bed_drain(&lab.views[2]);
	assert_int_equal(lab.views[2].stamp[0], PSYNC_MID_SEQ(mid));
	assert_true(lab.views[1].stamp[0] < PSYNC_MID_SEQ(mid));
	/* It is taken in again while it runs, and nothing was lost. */
	assert_int_equal(psync_restart_mask(&lab, 1, 0, false), 0);
	psync_restart_pass(&lab, 10 * SEC);
	psync_bed_drain(&lab.views[1]);
	psync_restart_pass(&lab, 10 * SEC);
	assert_false(psync_view_masked(&lab.views[1], 0));
	psync_bed_drain(&lab.views[1]);
	assert_true(lab.views[1].stamp[0] >= PSYNC_MID_SEQ(mid));
	psync_restart_lab_close(&lab);
}

/* Who is back masks nobody, whatever its earlier life has announced. */
static void psync_restart_test_masks(void **state)
{
	struct psync_restart_lab lab;
	u64 mid;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_restart_mask(&lab, 0, 2, true), 0);
	psync_restart_pass(&lab, SEC);
	for (i = 1; i < SITES; i++) {
		psync_bed_drain(&lab.views[i]);
		assert_true(psync_mask_by(&lab.beds[i].img, 0, 2));
	}
	psync_restart_crash(&lab, 0);
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	for (i = 0; i < SITES; i++) {
		psync_bed_drain(&lab.views[i]);
		assert_false(psync_mask_by(&lab.beds[i].img, 0, 2));
		assert_true(lab.beds[i].img.parts[2].live);
		assert_int_equal(psync_restart_events(&lab, i,
						      PSYNC_EV_UNMASKED), !!i);
	}
	mid = psync_restart_send(&lab, 2);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(psync_bed_receive(&lab.views[0]), mid);
	psync_restart_lab_close(&lab);
}

/* The last of a site that was never heard, from one that has it. */
static void psync_restart_test_last(void **state)
{
	static const u64 held[] = { 0, 1, 0 };
	struct psync_image_params p;
	struct psync_pid pids[SITES];
	struct psync_view view = {};
	__be32 wire[SITES];
	struct psync_bed bed;
	struct psync_pkt pkt;

	psync_bed_params(&p, pids, psync_restart_sites, SITES, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 7, 0), 0);
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 3, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.body_len = 0;
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 5002;
	pkt.msg.opening = 1;
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	/* Who does not count any more lacks it, so it is given back: once. */
	assert_true(bed.img.parts[1].ended);
	assert_int_equal(bed.npassed, 1);
	assert_int_equal(bed.img.nuntaken, 0);
	assert_int_equal(bed.img.parts[1].nkept, 0);
	assert_int_equal(bed.img.body_bytes, 0);
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
}

/* Masks are announced again when one who restarts is new to them. */
static void psync_restart_test_masks_again(void **state)
{
	struct psync_restart_lab lab;
	u32 i, k;

	psync_restart_lab_open(&lab, NUMBER);
	for (i = 0; i < SITES; i++) {
		psync_restart_send(&lab, i);
		psync_restart_pass(&lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
	}
	assert_int_equal(psync_restart_mask(&lab, 0, 2, true), 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 1);
	psync_restart_reboot(&lab, 1, NULL, 0, false);
	for (i = 0; i < 3; i++) {
		psync_restart_pass(&lab, SEC);
		for (k = 0; k < SITES; k++)
			psync_bed_drain(&lab.views[k]);
	}
	assert_int_equal(psync_restart_mask(&lab, 1, 2, true), 0);
	psync_restart_pass(&lab, SEC);
	for (k = 0; k < 2; k++) {
		psync_bed_drain(&lab.views[k]);
		assert_true(lab.views[k].masks[2].agreed);
	}
	psync_restart_lab_close(&lab);
}

/* Who is back hears the END of another that has not got its RESTART yet. */
static void psync_restart_test_farewell(void **state)
{
	struct psync_restart_lab lab;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	for (i = 1; i < SITES; i++)
		psync_image_leave(&lab.beds[i].img, &lab.views[i], lab.now);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[0].img.nended, 2);
	lab.beds[1].muted = 1 << PSYNC_PKT_MSG;
	assert_int_equal(psync_restart_back(&lab, 1, NULL, 0, false), 0);
	psync_restart_pass(&lab, MS);
	assert_int_equal(lab.beds[0].img.nended, 2);
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	assert_int_equal(lab.beds[0].img.parts[0].last->kind, PSYNC_KIND_END);
	lab.beds[1].muted = 0;
	psync_restart_pass(&lab, 10 * SEC);
	assert_true(lab.beds[1].img.parts[0].ended);
	for (i = 0; i < SITES; i += 2) {
		psync_bed_exit(&lab.beds[i]);
		lab.up[i] = false;
	}
	psync_restart_lab_close(&lab);
}

/*
 * It ended and was back before it crashed; when it has that again there may be more
 * of it, which a site has that answers later.
 */
static void psync_restart_test_more(void **state)
{
	struct psync_restart_lab lab;
	u64 a2;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	psync_restart_pass(&lab, SEC);
	lab.cut[1] = true;
	a2 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	psync_restart_crash(&lab, 0);
	lab.cut[1] = false;
	lab.cut[2] = true;
	psync_restart_reboot(&lab, 0, NULL, 0, false);
	psync_restart_pass(&lab, SEC);
	assert_true(lab.beds[0].img.recover);
	assert_int_equal(lab.beds[0].img.parts[0].last->kind,
			 PSYNC_KIND_RESTART);
	lab.cut[2] = false;
	psync_restart_pass(&lab, 10 * SEC);
	assert_false(lab.beds[0].img.recover);
	assert_non_null(psync_graph_find(&lab.beds[0].img, 0,
					 PSYNC_MID_SEQ(a2)));
	psync_restart_lab_close(&lab);
}

/*
 * A view that begins behind a gap has never seen that one who is back was away:
 * what was stable only then is not in that view.
 */
static void psync_restart_test_behind(void **state)
{
	struct psync_restart_lab lab;
	u32 participants, sites;
	u64 c1;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, SEC);
	for (i = 1; i < SITES; i++)
		psync_bed_drain(&lab.views[i]);
	psync_image_leave(&lab.beds[1].img, &lab.views[1], lab.now);
	psync_restart_pass(&lab, SEC);
	lab.cut[1] = true;
	c1 = psync_restart_send(&lab, 2);
	psync_restart_pass(&lab, MS);
	assert_int_equal(psync_bed_receive(&lab.views[0]), c1);
	psync_restart_send(&lab, 0);
	assert_int_equal(psync_restart_back(&lab, 1, NULL, 0, false), 0);
	lab.cut[1] = false;
	psync_restart_pass(&lab, 20 * SEC);
	assert_int_equal(psync_view_stable(&lab.views[0], c1, &participants,
					   &sites), 1);
	assert_true(lab.beds[0].img.parts[1].last->stamp[2] <
		    PSYNC_MID_SEQ(c1));
	assert_true(lab.beds[0].img.parts[1].last->gone);
	psync_image_leave(&lab.beds[0].img, &lab.views[0], lab.now);
	assert_int_equal(psync_restart_back(&lab, 0, NULL, 0, false), 0);
	assert_int_equal(psync_view_stable(&lab.views[0], c1, &participants,
					   &sites), 0);
	psync_restart_lab_close(&lab);
}

/* What was received when all others had ended is acknowledged to who is back. */
static void psync_restart_test_owes(void **state)
{
	struct psync_restart_lab lab;
	u64 a1;
	u32 i;

	psync_restart_lab_open(&lab, NUMBER);
	a1 = psync_restart_send(&lab, 0);
	psync_restart_pass(&lab, MS);
	for (i = 0; i < SITES; i += 2)
		psync_image_leave(&lab.beds[i].img, &lab.views[i], lab.now);
	psync_restart_pass(&lab, MS);
	assert_int_equal(lab.beds[1].img.nended, 2);
	assert_int_equal(psync_bed_receive(&lab.views[1]), a1);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[1].img.parts[1].seq, 0);
	assert_int_equal(psync_restart_back(&lab, 2, NULL, 0, false), 0);
	psync_restart_pass(&lab, SEC);
	assert_int_equal(lab.beds[2].img.parts[1].seq, 1);
	assert_int_equal(lab.beds[2].img.parts[1].last->kind,
			 PSYNC_KIND_NULL);
	psync_bed_exit(&lab.beds[0]);
	lab.up[0] = false;
	psync_restart_lab_close(&lab);
}

/* No memory to say that it is back, and its program says nothing more. */
static void psync_restart_test_silence(void **state)
{
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_pid pids[SITES];
	struct psync_view view = {};
	struct psync_bed bed;
	u32 tries = 0;

	psync_bed_params(&p, pids, psync_restart_sites, SITES, 0);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 7, 0), 0);
	bed.muted = ~0U;
	psync_bed_send(&bed, &view, 100);
	while (!view.restart) {
		psync_image_leave(&bed.img, &view, 0);
		do {
			bed.fail_at = bed.allocs + ++tries;
			memset(&view, 0, sizeof(view));
		} while (psync_image_rejoin(&bed.img, &view, 0, 1 + tries, 7,
					    &how, 0));
		assert_true(tries < 20);
	}
	psync_bed_run(&bed, SEC);
	assert_false(view.restart);
	assert_int_equal(bed.img.parts[0].last->kind, PSYNC_KIND_RESTART);
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
}

/* One heard first when we are back may be back, too, and lack what it sent. */
static void psync_restart_test_first(void **state)
{
	static const u64 held[SITES] = {};
	struct psync_restart_how how = {};
	struct psync_image_params p;
	struct psync_pid pids[SITES];
	struct psync_view view = {};
	__be32 wire[SITES];
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 i;

	for (i = 0; i < 2; i++) {
		psync_bed_params(&p, pids, psync_restart_sites, SITES, 0);
		assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
		assert_int_equal(psync_image_rejoin(&bed.img, &view, 0, 2, 7,
						    &how, 0), 0);
		bed.muted = ~0U;
		if (i)
			psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
		else
			psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire,
					 &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
		psync_bed_craft(&bed, 1, 1 + i, 1 + i, i,
				(u64[]){ PSYNC_MID(1, 1) },
				(struct psync_wire_mid[1]){}, &pkt);
		pkt.src_site = 3;
		pkt.src_inc = 5003;
		pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
		pkt.msg.inc = 5002;
		pkt.msg.opening = 1;
		assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
		assert_int_equal(bed.img.parts[1].seq, 1 + i);
		/* What it sent itself it has. */
		assert_int_equal(psync_ack_held(&bed.img, &bed.img.remotes[0],
						1), i);
		psync_bed_leave(&bed, &view);
		psync_bed_exit(&bed);
	}
}

const struct CMUnitTest psync_restart_tests[] = {
	cmocka_unit_test(psync_restart_test_random),
	cmocka_unit_test(psync_restart_test_rendezvous),
	cmocka_unit_test(psync_restart_test_far),
	cmocka_unit_test(psync_restart_test_leaves),
	cmocka_unit_test(psync_restart_test_unknown),
	cmocka_unit_test(psync_restart_test_leaf_void),
	cmocka_unit_test(psync_restart_test_leaf_room),
	cmocka_unit_test(psync_restart_test_silent),
	cmocka_unit_test(psync_restart_test_held),
	cmocka_unit_test(psync_restart_test_died_with),
	cmocka_unit_test(psync_restart_test_farewell),
	cmocka_unit_test(psync_restart_test_more),
	cmocka_unit_test(psync_restart_test_behind),
	cmocka_unit_test(psync_restart_test_owes),
	cmocka_unit_test(psync_restart_test_silence),
	cmocka_unit_test(psync_restart_test_first),
	cmocka_unit_test(psync_restart_test_unsent),
	cmocka_unit_test(psync_restart_test_void),
	cmocka_unit_test(psync_restart_test_lingering),
	cmocka_unit_test(psync_restart_test_gone),
	cmocka_unit_test(psync_restart_test_history),
	cmocka_unit_test(psync_restart_test_bound),
	cmocka_unit_test(psync_restart_test_depth),
	cmocka_unit_test(psync_restart_test_redo),
	cmocka_unit_test(psync_restart_test_redo_kept),
	cmocka_unit_test(psync_restart_test_overlap),
	cmocka_unit_test(psync_restart_test_survivor),
	cmocka_unit_test(psync_restart_test_nobody),
	cmocka_unit_test(psync_restart_test_shared),
	cmocka_unit_test(psync_restart_test_shared_more),
	cmocka_unit_test(psync_restart_test_masked_kept),
	cmocka_unit_test(psync_restart_test_leaf_saved),
	cmocka_unit_test(psync_restart_test_between),
	cmocka_unit_test(psync_restart_test_clock),
	cmocka_unit_test(psync_restart_test_root),
	cmocka_unit_test(psync_restart_test_relayed),
	cmocka_unit_test(psync_restart_test_untold),
	cmocka_unit_test(psync_restart_test_never),
	cmocka_unit_test(psync_restart_test_wire),
	cmocka_unit_test(psync_restart_test_lag),
	cmocka_unit_test(psync_restart_test_last),
	cmocka_unit_test(psync_restart_test_any),
	cmocka_unit_test(psync_restart_test_barred),
	cmocka_unit_test(psync_restart_test_shunned),
	cmocka_unit_test(psync_restart_test_masks),
	cmocka_unit_test(psync_restart_test_masks_again),
};

const size_t psync_restart_ntests = ARRAY_SIZE(psync_restart_tests);
