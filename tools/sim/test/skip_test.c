// SPDX-License-Identifier: GPL-2.0-only
/* Sites that are not waited for any more (S6.6, skip). */
#include "bed.h"
#include "core/confirm.h"
#include "core/flow.h"
#include "core/mask.h"
#include "core/skip.h"

#define MS	PSYNC_BED_MS
#define SLOW	(500 * MS)

/* Participants 0 and 1 are at our site, 2 at site 2, 3 at site 3. */
static const u32 psync_skip_sites[] = { 1, 1, 2, 3 };

struct psync_skip_lab {
	struct psync_bed	bed;
	struct psync_view	views[2];
};

/* Ours have opened; sites 2 and 3 were heard and grant two messages each. */
static void psync_skip_open(struct psync_skip_lab *lab)
{
	struct psync_image_params p;
	struct psync_pid pids[4];
	u32 i;

	memset(lab, 0, sizeof(*lab));
	psync_bed_params(&p, pids, psync_skip_sites, 4, 0);
	psync_bed_times(&p);
	p.limits.null_ns = PSYNC_BED_NEVER;
	p.limits.max_msgs = 300;
	p.limits.first_msgs = 2;
	p.limits.first_bytes = 1 << 20;
	p.limits.slow = PSYNC_SLOW_SKIP;
	p.limits.slow_ns = SLOW;
	assert_int_equal(psync_bed_init(&lab->bed, &p, 1), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_image_join(&lab->bed.img, &lab->views[i],
						  i, 1, 7, 0), 0);
	lab->bed.muted = ~0U;
}

static void psync_skip_close(struct psync_skip_lab *lab)
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (lab->views[i].stamp)
			psync_bed_leave(&lab->bed, &lab->views[i]);
	psync_bed_exit(&lab->bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* @site holds the messages of each participant up to @a, @b, ... */
static void psync_skip_ack(struct psync_skip_lab *lab, u32 site, u64 a, u64 b,
			   u64 c, u64 d, u32 msgs)
{
	const u64 held[] = { a, b, c, d };
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(&lab->bed, PSYNC_PKT_ACK, site, held, wire, &pkt);
	pkt.vector.credit_msgs = msgs;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

/* A send that must fail for want of room. */
static void psync_skip_refused(struct psync_skip_lab *lab)
{
	struct psync_bed_body *body = psync_bed_body_new();
	u64 mid;

	assert_int_equal(psync_image_send(&lab->bed.img, &lab->views[0], body,
					  10, &mid, lab->bed.img.now), -EAGAIN);
	psync_bed_body_put(body);
}

/* The next packet sent is a GAP. */
static void psync_skip_expect(struct psync_skip_lab *lab, u32 sender, u64 seq,
			      u32 to)
{
	struct psync_bed_packet packet;
	struct psync_pkt pkt;
	u32 site;

	packet = psync_bed_pop(&lab->bed);
	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len,
					   &pkt), PSYNC_OK);
	site = packet.site;
	psync_bed_packet_free(&packet);
	assert_int_equal(site, to);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_GAP);
	assert_true(pkt.msg.flags & PSYNC_MSGF_STAMP);
	assert_int_equal(pkt.msg.sender, sender);
	assert_int_equal(pkt.msg.seq, seq);
	assert_int_equal(pkt.msg.about, 3);
	assert_int_equal(pkt.body_len, 0);
}

/* The next packet says that what was announced is gone, up to @a and @b. */
static void psync_skip_expect_gone(struct psync_skip_lab *lab, u64 a, u64 b,
				   u32 spared)
{
	struct psync_bed_packet packet = psync_bed_pop(&lab->bed);
	struct psync_pkt pkt;

	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len,
					   &pkt), PSYNC_OK);
	assert_int_equal(packet.site, 3);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_SKIP);
	assert_int_equal(pkt.vector.echo, spared);
	assert_int_equal(be32_to_cpu(pkt.vector.seqs[0]), a);
	assert_int_equal(be32_to_cpu(pkt.vector.seqs[1]), b);
	psync_bed_packet_free(&packet);
}

/* Site 3 asks for all that it lacks, who has the messages up to @held. */
static void psync_skip_request(struct psync_skip_lab *lab, const u64 *held,
			       u8 flags, u32 index)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	lab->bed.muted = 0;
	psync_bed_forget(&lab->bed);
	psync_bed_vector(&lab->bed, PSYNC_PKT_RR, 3, held, wire, &pkt);
	pkt.vector.flags = flags;
	pkt.vector.index = index;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

static void psync_skip_asks(struct psync_skip_lab *lab, const u64 *held)
{
	psync_skip_request(lab, held, 0, 0);
}

/* All others were asked for what is lacked of participant @index. */
static void psync_skip_asks_last(struct psync_skip_lab *lab, const u64 *held,
				 u32 index)
{
	psync_skip_request(lab, held, PSYNC_VECTORF_LAST, index);
}

/* Site 3 lacks two messages and is skipped for them. */
static void psync_skip_site3(struct psync_skip_lab *lab)
{
	psync_bed_send(&lab->bed, &lab->views[0], 10);
	psync_bed_send(&lab->bed, &lab->views[0], 10);
	psync_skip_ack(lab, 2, 2, 0, 0, 0, 100);
	psync_skip_ack(lab, 3, 0, 0, 0, 0, 2);
	psync_bed_drain(&lab->views[1]);
	assert_int_equal(psync_bed_bodies, 2);
	psync_skip_refused(lab);
	psync_bed_run(&lab->bed, SLOW - 1);
	assert_int_equal(lab->bed.nevents, 0);
	lab->bed.muted = ~(1U << PSYNC_PKT_MSG);
	psync_bed_forget(&lab->bed);
	psync_image_timer(&lab->bed.img, SLOW);
}

/* Numbers that are lost are no messages that are looked through. */
static void psync_skip_test_hole(void **state)
{
	struct psync_remote *remote;
	struct psync_skip_lab lab;
	struct psync_part *part;

	psync_skip_open(&lab);
	remote = &lab.bed.img.remotes[1];
	part = &lab.bed.img.parts[1];
	psync_bed_send(&lab.bed, &lab.views[1], 10);
	psync_skip_ack(&lab, 2, 0, 1, 0, 0, 100);
	psync_skip_ack(&lab, 3, 0, 0, 0, 0, 1);
	psync_bed_drain(&lab.views[0]);
	/* As who was back may be told by others. */
	part->seq = 1ULL << 40;
	part->claimed = part->seq;
	part->gap = part->seq;
	part->last = NULL;
	lab.bed.img.holes = true;
	psync_skip_refused(&lab);
	psync_bed_run(&lab.bed, SLOW);
	assert_true(remote->skipped);
	assert_true(psync_ack_passed(&lab.bed.img, remote, 1) >= 1);
	assert_int_equal(psync_bed_bodies, 0);
	psync_skip_close(&lab);
}

/* It is announced, nobody waits for it, and it gets what is left later. */
static void psync_skip_test_announced(void **state)
{
	struct psync_skip_lab lab;
	struct psync_remote *remote;
	u32 participants, sites, i;

	psync_skip_open(&lab);
	remote = &lab.bed.img.remotes[1];
	psync_skip_site3(&lab);
	psync_skip_expect(&lab, 0, 3, 0);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_SKIPPED);
	assert_int_equal(lab.bed.events[0].site, 3);
	assert_int_equal(lab.bed.events[0].reason, 0);
	assert_int_equal(lab.bed.writable, 1);
	/* The bodies are given back; what says so is kept for it. */
	assert_int_equal(psync_bed_bodies, 0);
	assert_true(remote->skipped);
	assert_int_equal(remote->lag, 1);
	assert_int_equal(remote->flight_msgs, 0);
	assert_int_equal(lab.bed.img.flight, 0);
	/* It has not acknowledged anything. */
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(0, 1),
					   &participants, &sites), 0);
	assert_int_equal(psync_ack_held(&lab.bed.img, remote, 0), 0);
	/* What is sent now needs none of its credit and waits for it again. */
	for (i = 0; i < 3; i++)
		psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_bed_forget(&lab.bed);
	psync_skip_ack(&lab, 2, 6, 0, 0, 0, 100);
	assert_int_equal(remote->flight_msgs, 3);
	/* Refused because of it: at once it is skipped for more. */
	lab.bed.img.window = 1;
	psync_skip_refused(&lab);
	psync_image_timer(&lab.bed.img, lab.bed.img.now);
	psync_skip_expect(&lab, 0, 7, 0);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.writable, 2);
	assert_int_equal(remote->flight_msgs, 0);
	psync_bed_forget(&lab.bed);
	psync_skip_close(&lab);
}

/* Back again it is told what is gone; then it is waited for as before. */
static void psync_skip_test_back(void **state)
{
	const u64 none[4] = {};
	struct psync_skip_lab lab;
	struct psync_remote *remote;

	psync_skip_open(&lab);
	remote = &lab.bed.img.remotes[1];
	psync_skip_site3(&lab);
	psync_skip_asks(&lab, none);
	psync_skip_expect(&lab, 0, 3, 3);
	psync_skip_expect_gone(&lab, 2, 0, 0);
	lab.bed.muted = ~0U;
	psync_bed_forget(&lab.bed);
	/* A grant of before: it has yet to hear of the gap. */
	psync_skip_ack(&lab, 3, 0, 0, 0, 0, 5);
	assert_true(remote->skipped);
	psync_skip_ack(&lab, 3, 3, 0, 0, 0, 0);
	assert_true(remote->skipped);
	psync_skip_ack(&lab, 3, 3, 0, 0, 0, 1);
	assert_false(remote->skipped);
	psync_skip_ack(&lab, 2, 3, 0, 0, 0, 100);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_refused(&lab);
	/* And is skipped again, not before the same time. */
	psync_bed_run(&lab.bed, 2 * SLOW - 1);
	assert_int_equal(lab.bed.nevents, 1);
	psync_bed_run(&lab.bed, 2 * SLOW);
	assert_int_equal(lab.bed.nevents, 2);
	assert_int_equal(lab.bed.events[1].type, PSYNC_EV_SKIPPED);
	psync_skip_close(&lab);
}

/* So it is where a mask that it lacks bars that anything else is told to be gone. */
static void psync_skip_test_back_mask(void **state)
{
	const u64 first[] = { 1, 0, 0, 0 };
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	u32 site;

	psync_skip_open(&lab);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_ack(&lab, 2, 1, 0, 0, 0, 100);
	psync_skip_ack(&lab, 3, 1, 0, 0, 0, 2);
	assert_int_equal(psync_view_mask_out(&lab.views[0], 1,
					     PSYNC_MASK_NO_CUT, 0), 0);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_ack(&lab, 2, 4, 0, 0, 0, 100);
	psync_bed_drain(&lab.views[1]);
	psync_skip_refused(&lab);
	psync_bed_run(&lab.bed, SLOW - 1);
	psync_image_timer(&lab.bed.img, SLOW);
	assert_int_equal(psync_bed_bodies, 0);
	assert_int_equal(lab.bed.img.remotes[1].skip[0], 4);
	/* As who was told so by another. */
	lab.bed.img.parts[0].nowhere = 5;
	psync_skip_asks(&lab, first);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_MASK);
	psync_skip_expect(&lab, 0, 5, 3);
	psync_skip_expect_gone(&lab, 4, 0, 1);
	psync_bed_forget(&lab.bed);
	psync_skip_close(&lab);
}

/* What others sent is given up if the announcement follows it, only then. */
static void psync_skip_test_kept(void **state)
{
	const u64 none[4] = {};
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	u32 i, site;

	for (i = 0; i < 2; i++) {
		psync_skip_open(&lab);
		assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL),
				 PSYNC_OK);
		if (i)
			psync_bed_drain(&lab.views[0]);
		psync_bed_send(&lab.bed, &lab.views[0], 10);
		psync_bed_send(&lab.bed, &lab.views[0], 10);
		psync_bed_drain(&lab.views[0]);
		psync_bed_drain(&lab.views[1]);
		psync_skip_ack(&lab, 2, 2, 0, 1, 0, 100);
		psync_skip_ack(&lab, 3, 0, 0, 0, 0, 2);
		lab.views[0].manual = true;
		psync_skip_refused(&lab);
		/* Who does without says nothing: another here who knows of it. */
		psync_bed_run(&lab.bed, SLOW);
		assert_int_equal(psync_bed_bodies, 0);
		psync_skip_asks(&lab, none);
		psync_bed_take(&lab.bed, &pkt, &site);
		assert_int_equal(pkt.msg.sender, 1);
		psync_skip_expect_gone(&lab, 2, 0, 0);
		psync_bed_forget(&lab.bed);
		psync_skip_close(&lab);
	}
}

/* Who has closed cannot say it; another of the site does, but not for END. */
static void psync_skip_test_closed(void **state)
{
	const u64 none[4] = {};
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	u32 site;

	psync_skip_open(&lab);
	psync_bed_send(&lab.bed, &lab.views[1], 10);
	psync_bed_drain(&lab.views[0]);
	psync_bed_leave(&lab.bed, &lab.views[1]);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_ack(&lab, 2, 1, 2, 0, 0, 100);
	psync_skip_ack(&lab, 3, 0, 0, 0, 0, 2);
	psync_skip_refused(&lab);
	psync_bed_run(&lab.bed, SLOW - 1);
	lab.bed.muted = ~(1U << PSYNC_PKT_MSG);
	psync_bed_forget(&lab.bed);
	psync_image_timer(&lab.bed.img, SLOW);
	psync_skip_expect(&lab, 0, 2, 0);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(psync_bed_bodies, 0);
	/* END and the announcement. */
	assert_int_equal(lab.bed.img.remotes[1].lag, 2);
	psync_skip_asks(&lab, none);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_END);
	psync_skip_expect(&lab, 0, 2, 3);
	psync_skip_expect_gone(&lab, 1, 2, 1);
	psync_bed_forget(&lab.bed);
	psync_skip_close(&lab);
}

/* Who holds all and grants nothing: there is nothing to announce. */
static void psync_skip_test_credit(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_bed_drain(&lab.views[1]);
	psync_skip_ack(&lab, 2, 1, 0, 0, 0, 100);
	psync_skip_ack(&lab, 3, 1, 0, 0, 0, 0);
	lab.bed.img.remotes[1].credit_msgs = 0;
	psync_skip_refused(&lab);
	psync_bed_run(&lab.bed, SLOW);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_SKIPPED);
	assert_int_equal(lab.bed.img.attached, 1);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_close(&lab);
}

/* A participant here cannot be skipped; a site that does not count need not. */
static void psync_skip_test_local(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	lab.bed.img.p.limits.max_bytes = 400;
	psync_bed_send(&lab.bed, &lab.views[0], 100);
	psync_skip_ack(&lab, 2, 1, 0, 0, 0, 100);
	psync_skip_ack(&lab, 3, 1, 0, 0, 0, 100);
	psync_skip_refused(&lab);
	psync_bed_run(&lab.bed, SLOW);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_BLOCKED);
	assert_int_equal(lab.bed.events[0].site, 1);
	psync_bed_drain(&lab.views[1]);
	assert_int_equal(lab.bed.events[1].type, PSYNC_EV_RESUMED);
	psync_skip_close(&lab);
}

/*
 * A GAP of participant @sender, its @seq-th, about @about, that follows what
 * @stamp says, all of it by its own last message.
 */
static enum psync_drop psync_skip_gap_of(struct psync_skip_lab *lab,
					 u32 sender, u64 seq, u32 wave,
					 u32 about, const u64 *stamp)
{
	struct psync_wire_mid none[1];
	u8 bitmap[4] = { 1 << sender };
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 i;

	psync_bed_craft(&lab->bed, sender, seq, wave, 0, NULL, none, &pkt);
	for (i = 0; i < 4; i++)
		wire[i] = cpu_to_be32((u32)stamp[i]);
	pkt.msg.kind = PSYNC_KIND_GAP;
	pkt.msg.flags = PSYNC_MSGF_STAMP;
	pkt.msg.stamp = wire;
	pkt.msg.bitmap = bitmap;
	pkt.msg.npred = 1;
	pkt.msg.about = about;
	pkt.body_len = 0;
	return psync_bed_input(&lab->bed, &pkt, lab->bed.img.now);
}

/* Of participant 2 at site 2. */
static enum psync_drop psync_skip_gap(struct psync_skip_lab *lab, u64 seq,
				      u32 wave, u32 about, const u64 *stamp)
{
	return psync_skip_gap_of(lab, 2, seq, wave, about, stamp);
}

/* Its third, behind the second. */
static enum psync_drop psync_skip_heard(struct psync_skip_lab *lab, u32 wave,
					u32 about)
{
	const u64 stamp[] = { 0, 0, 2, 0 };

	return psync_skip_gap(lab, 3, wave, about, stamp);
}

/* Site 2 says that what is up to there is gone. */
static enum psync_drop psync_skip_gone_to(struct psync_skip_lab *lab,
					  const u64 *until, u32 spared)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(&lab->bed, PSYNC_PKT_GONE, 2, until, wire, &pkt);
	pkt.vector.flags = PSYNC_VECTORF_SKIP;
	pkt.vector.echo = spared;
	psync_remote_find(&lab->bed.img, 2)->requested = true;
	return psync_bed_input(&lab->bed, &pkt, lab->bed.img.now);
}

/* Two messages of site 2 that are received here and that site 3 lacks. */
static void psync_skip_two(struct psync_skip_lab *lab)
{
	psync_skip_open(lab);
	assert_int_equal(psync_bed_msg(&lab->bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab->bed, 2, 2, 2, 1,
				       (u64[]){ PSYNC_MID(2, 1) }), PSYNC_OK);
	psync_bed_drain(&lab->views[0]);
	psync_bed_drain(&lab->views[1]);
	assert_int_equal(lab->bed.img.nuntaken, 2);
}

/* What another site announces is given back here, too. */
static void psync_skip_test_heard(void **state)
{
	struct psync_skip_lab lab;
	struct psync_remote *remote;

	psync_skip_two(&lab);
	remote = &lab.bed.img.remotes[1];
	assert_int_equal(psync_skip_heard(&lab, 4, 3), PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_skip_heard(&lab, 3, 3), PSYNC_OK);
	/* Only the GAP itself is waited for. */
	assert_int_equal(lab.bed.img.nuntaken, 1);
	assert_int_equal(remote->lag, 1);
	assert_false(remote->skipped);
	assert_int_equal(psync_ack_held(&lab.bed.img, remote, 2), 0);
	assert_int_equal(psync_ack_passed(&lab.bed.img, remote, 2), 2);
	/* It comes back, and holds what it was not waited for. */
	psync_skip_ack(&lab, 3, 0, 0, 2, 0, 100);
	assert_int_equal(remote->lag, 1);
	psync_skip_ack(&lab, 3, 0, 0, 3, 0, 100);
	assert_int_equal(remote->lag, 0);
	assert_int_equal(lab.bed.img.nuntaken, 0);
	psync_skip_close(&lab);
}

/* What is among the lost may precede by way of them what comes. */
static void psync_skip_test_lost(void **state)
{
	const u64 none[4] = {};
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 i;

	for (i = 0; i < 2; i++) {
		psync_skip_open(&lab);
		psync_bed_send(&lab.bed, &lab.views[0], 10);
		assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL),
				 PSYNC_OK);
		assert_int_equal(psync_bed_msg(&lab.bed, 3, 1, 1, 0, NULL),
				 PSYNC_OK);
		if (i) {
			psync_bed_vector(&lab.bed, PSYNC_PKT_GONE, 3, none,
					 wire, &pkt);
			wire[2] = cpu_to_be32(1);
			wire[3] = cpu_to_be32(2);
			pkt.vector.seq = 3;
			lab.bed.img.rr_site = 3;
			psync_remote_find(&lab.bed.img, 3)->requested = true;
			assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
					 PSYNC_OK);
			/* What is lost follows what comes next of its sender. */
			assert_int_equal(psync_bed_msg(&lab.bed, 3, 3, 4, 1,
						       (u64[]){ PSYNC_MID(3, 2) }),
					 PSYNC_OK);
		}
		/* It does follow, by what was lost. */
		assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, i ? 5 : 2, 1,
					       (u64[]){ PSYNC_MID(3, i ? 3 : 1) }),
				 i ? PSYNC_OK : PSYNC_DROP_BAD_CONTEXT);
		psync_skip_close(&lab);
	}
}

/* What is lost unannounced may have announced something: that is not judged. */
static void psync_skip_test_unknown(void **state)
{
	const u64 held[4] = {};
	struct psync_skip_lab lab;
	u32 participants, sites, i;
	struct psync_pkt pkt;
	__be32 wire[4];
	int stable;

	for (i = 0; i < 2; i++) {
		psync_skip_open(&lab);
		if (i)
			lab.bed.img.p.limits.slow = PSYNC_SLOW_BLOCK;
		assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL),
				 PSYNC_OK);
		psync_bed_drain(&lab.views[0]);
		psync_bed_vector(&lab.bed, PSYNC_PKT_GONE, 3, held, wire, &pkt);
		wire[2] = cpu_to_be32(1);
		wire[3] = cpu_to_be32(2);
		pkt.vector.seq = 3;
		lab.bed.img.rr_site = 3;
		psync_remote_find(&lab.bed.img, 3)->requested = true;
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
		stable = psync_view_stable(&lab.views[0], PSYNC_MID(2, 1),
					   &participants, &sites);
		assert_int_equal(stable, i ? 0 : PSYNC_EFREED);
		assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, 2, 1,
					       (u64[]){ PSYNC_MID(2, 1) }),
				 PSYNC_OK);
		psync_bed_drain(&lab.views[0]);
		stable = psync_view_stable(&lab.views[0], PSYNC_MID(2, 2),
					   &participants, &sites);
		assert_int_equal(stable, 0);
		psync_skip_close(&lab);
	}
}

/* One about this very site is part of the graph, when nothing is missing. */
static void psync_skip_test_us(void **state)
{
	struct psync_skip_lab lab;
	u32 participants, sites;

	psync_skip_two(&lab);
	assert_int_equal(psync_skip_heard(&lab, 3, 1), PSYNC_OK);
	assert_int_equal(lab.bed.img.nuntaken, 3);
	assert_int_equal(lab.bed.nevents, 0);
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(2, 1),
					   &participants, &sites), 0);
	/* But what is acknowledged after it does not count. */
	assert_int_equal(participants, 0);
	psync_skip_ack(&lab, 2, 0, 0, 3, 0, 100);
	psync_skip_ack(&lab, 3, 0, 0, 3, 0, 100);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(2, 1),
					   &participants, &sites), 0);
	assert_int_equal(participants, 0);
	assert_int_equal(sites, 1);
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(2, 3),
					   &participants, &sites), 0);
	assert_int_equal(participants, 1);
	assert_int_equal(sites, 2);
	psync_skip_close(&lab);
}

/* What was acknowledged before counts. */
static void psync_skip_test_acked(void **state)
{
	const u64 stamp[] = { 0, 0, 1, 0 };
	struct psync_skip_lab lab;
	u32 participants, sites;

	psync_skip_open(&lab);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&lab.views[0]);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_ack(&lab, 2, 1, 0, 1, 0, 100);
	psync_skip_ack(&lab, 3, 1, 0, 1, 0, 100);
	assert_int_equal(psync_skip_gap(&lab, 2, 2, 1, stamp), PSYNC_OK);
	psync_bed_drain(&lab.views[0]);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_bed_drain(&lab.views[1]);
	psync_bed_send(&lab.bed, &lab.views[1], 10);
	psync_bed_drain(&lab.views[0]);
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(2, 1),
					   &participants, &sites), 0);
	assert_int_equal(participants, 1);
	assert_int_equal(sites, 2);
	psync_skip_close(&lab);
}

/* The next message of @sender is one of its kernel, of wave @wave. */
static void psync_skip_says(struct psync_skip_lab *lab, u32 sender, u8 kind,
			    u32 wave)
{
	const u64 prev = lab->bed.img.parts[sender].seq;
	const u64 pred = PSYNC_MID(sender, prev);
	struct psync_wire_mid mids[1];
	__be32 stamp[4] = {};
	u8 bitmap[4] = {};
	struct psync_pkt pkt;

	psync_bed_craft(&lab->bed, sender, prev + 1, wave, 1, &pred, mids,
			&pkt);
	pkt.body_len = 0;
	pkt.msg.kind = kind;
	if (kind == PSYNC_KIND_RESTART) {
		stamp[sender] = cpu_to_be32((u32)prev);
		bitmap[0] = 1 << sender;
		pkt.msg.binding = 9;
		pkt.msg.flags = PSYNC_MSGF_STAMP;
		pkt.msg.preds = NULL;
		pkt.msg.stamp = stamp;
		pkt.msg.bitmap = bitmap;
	}
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
	psync_bed_drain(&lab->views[0]);
	psync_bed_drain(&lab->views[1]);
}

/* What was not acknowledged is not stable because somebody else is back. */
static void psync_skip_test_sure(void **state)
{
	const u64 mid = PSYNC_MID(0, 1), last = PSYNC_MID(1, 1);
	struct psync_skip_lab lab;
	u32 participants, sites;
	int stable;

	psync_skip_open(&lab);
	psync_skip_site3(&lab);
	lab.bed.muted = ~0U;
	psync_bed_forget(&lab.bed);
	psync_bed_drain(&lab.views[1]);
	psync_bed_send(&lab.bed, &lab.views[1], 10);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 5, 1, &last), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 1, 5, 1, &last), PSYNC_OK);
	psync_bed_drain(&lab.views[0]);
	psync_bed_drain(&lab.views[1]);
	psync_skip_says(&lab, 2, PSYNC_KIND_RESTART, 6);
	stable = psync_view_stable(&lab.views[0], mid, &participants, &sites);
	assert_int_equal(stable, 0);
	assert_int_equal(participants, 2);
	assert_int_equal(psync_stable_count(&lab.views[0], mid,
					    &participants, &sites), 0);
	/* After its END nobody waits for it; then it stays so. */
	psync_skip_says(&lab, 3, PSYNC_KIND_END, 6);
	stable = psync_view_stable(&lab.views[0], mid, &participants, &sites);
	assert_int_equal(stable, 1);
	psync_skip_says(&lab, 3, PSYNC_KIND_RESTART, 7);
	stable = psync_view_stable(&lab.views[0], mid, &participants, &sites);
	assert_int_equal(stable, 1);
	psync_skip_close(&lab);
}

/* What is lacking is lost when all that is not given up is here. */
static void psync_skip_test_gone(void **state)
{
	const u64 stamp[] = { 0, 0, 2, 2 }, far[] = { 0, 0, 3, 2 };
	const u64 end = PSYNC_MID(3, 1), last = PSYNC_MID(2, 3);
	struct psync_skip_lab lab;
	struct psync_wire_mid wire[8];
	u32 participants, sites;
	struct psync_pkt pkt;
	u64 mids[4];

	psync_skip_open(&lab);
	/* 2:1, 2:2 and 3:1 never come; 3:2 is an END, 2:3 the announcement. */
	assert_int_equal(psync_skip_gone_to(&lab, stamp, 1),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(psync_skip_gap(&lab, 3, 4, 0, stamp), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(psync_skip_gone_to(&lab, stamp, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_bed_craft(&lab.bed, 3, 2, 3, 1, &end, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	/* One of a program that waits is lost, too; what follows it is not. */
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, 2, 1,
				       (u64[]){ PSYNC_MID(2, 1) }), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 4, 5, 1, &last), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 4);
	assert_int_equal(psync_skip_gone_to(&lab, far, 1), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_CONTEXT_LOST], 1);
	assert_int_equal(lab.bed.nevents, 2);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_ENDED);
	assert_int_equal(lab.bed.events[1].type, PSYNC_EV_GAP);
	assert_int_equal(lab.bed.events[1].site, 2);
	assert_int_equal(lab.bed.events[1].reason, 3);
	assert_true(lab.bed.img.parts[3].ended);
	assert_int_equal(lab.bed.img.parts[2].seq, 4);
	/* The view has the announcement, with all before it, and no more. */
	assert_int_equal(lab.views[0].stamp[2], 3);
	assert_int_equal(lab.views[0].stamp[3], 2);
	assert_int_equal(lab.views[0].outstanding, 1);
	assert_int_equal(psync_view_leaves(&lab.views[0], mids, 4), 1);
	assert_int_equal(mids[0], last);
	assert_int_equal(psync_view_stable(&lab.views[0], PSYNC_MID(3, 2),
					   &participants, &sites), PSYNC_EFREED);
	assert_int_equal(psync_view_step(&lab.views[0], PSYNC_MID(3, 2), true,
					 mids, 4), PSYNC_EFREED);
	assert_int_equal(psync_view_step(&lab.views[0], last, true, mids, 4),
			 0);
	assert_int_equal(psync_bed_receive(&lab.views[0]), PSYNC_MID(2, 4));
	psync_bed_drain(&lab.views[1]);
	psync_skip_close(&lab);
}

/* Who cuts off what was announced has lost what that says all the same. */
static void psync_skip_test_cut(void **state)
{
	const u64 stamp[] = { 0, 0, 2, 3 };
	const u64 end = PSYNC_MID(3, 2);
	struct psync_skip_lab lab;
	struct psync_wire_mid wire[8];
	struct psync_pkt pkt;

	psync_skip_open(&lab);
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_skip_gap(&lab, 3, 4, 0, stamp), PSYNC_OK);
	psync_bed_craft(&lab.bed, 3, 3, 3, 1, &end, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_skip_gone_to(&lab, stamp, 1), PSYNC_OK);
	assert_int_equal(lab.bed.img.parts[2].seq, 3);
	assert_int_equal(lab.views[0].stamp[2], 0);
	assert_int_equal(psync_view_mask_out(&lab.views[0], 2, 0, 0), 0);
	assert_int_equal(psync_bed_receive(&lab.views[0]), PSYNC_MID(3, 1));
	assert_int_equal(lab.views[0].stamp[3], 3);
	assert_int_equal(lab.views[0].stamp[2], 3);
	psync_bed_drain(&lab.views[1]);
	psync_skip_close(&lab);
}

/* Who lost something does not tell others that it is gone, but the last. */
static void psync_skip_test_relay(void **state)
{
	const u64 stamp[] = { 0, 0, 2, 0 }, none[4] = {};
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	u32 site;

	psync_skip_open(&lab);
	assert_int_equal(psync_skip_gap(&lab, 3, 3, 0, stamp), PSYNC_OK);
	assert_int_equal(psync_skip_gone_to(&lab, stamp, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.parts[2].seq, 3);
	psync_skip_ack(&lab, 2, 0, 0, 3, 0, 100);
	/* Nor is the announcement freed, which others lack as they do that. */
	lab.bed.img.p.limits.max_nodes = 1;
	psync_skip_ack(&lab, 3, 0, 0, 0, 0, 100);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	assert_int_equal(lab.bed.img.nnodes, 2);
	psync_skip_asks(&lab, none);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_MSG);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_GAP);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_DATA);
	assert_int_equal(lab.bed.nsent, 0);
	/* One who asked everybody, but for what another one has sent. */
	lab.bed.img.now += PSYNC_BED_MS * 1000;
	psync_skip_asks_last(&lab, none, 1);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_MSG);
	lab.bed.img.now += PSYNC_BED_MS * 1000;
	psync_skip_asks_last(&lab, none, 2);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	assert_int_equal(pkt.vector.flags, 0);
	psync_bed_forget(&lab.bed);
	psync_skip_close(&lab);
}

/* However little may be held, what says how to go on is. */
static void psync_skip_test_held(void **state)
{
	const u64 early[] = { 0, 0, 3, 0 }, late[] = { 0, 0, 5, 0 };
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	lab.bed.img.p.limits.max_held = 1;
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 2, 2, 1,
				       (u64[]){ PSYNC_MID(3, 1) }), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, 2, 1,
				       (u64[]){ PSYNC_MID(2, 1) }),
			 PSYNC_DROP_HELD_FULL);
	assert_int_equal(psync_skip_gap(&lab, 4, 4, 0, early), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 2);
	/* A later one says more, and an earlier one nothing then. */
	assert_int_equal(psync_skip_gap(&lab, 6, 6, 0, late), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 2);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_DUPLICATE], 1);
	assert_int_equal(psync_skip_gap(&lab, 4, 4, 0, early),
			 PSYNC_DROP_HELD_FULL);
	/* About others: as any message. */
	assert_int_equal(psync_skip_gap(&lab, 4, 4, 3, early),
			 PSYNC_DROP_HELD_FULL);
	psync_skip_close(&lab);
}

/* One says what several said before it; what none says stays. */
static void psync_skip_test_replaces(void **state)
{
	const u64 early[] = { 0, 0, 3, 0 }, late[] = { 0, 0, 7, 0 };
	const u64 other[] = { 0, 0, 0, 3 };
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	assert_int_equal(psync_skip_gap(&lab, 4, 4, 0, early), PSYNC_OK);
	assert_int_equal(psync_skip_gap_of(&lab, 3, 4, 4, 0, other), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 2);
	assert_int_equal(psync_skip_gap(&lab, 8, 8, 0, late), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 2);
	assert_false(psync_hold_has(&lab.bed.img, 2, 4));
	/* Nor is one dropped for what is said already. */
	assert_int_equal(psync_skip_gap(&lab, 6, 6, 0,
					(u64[]){ 0, 0, 5, 4 }), PSYNC_OK);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_DUPLICATE], 1);
	assert_true(psync_hold_has(&lab.bed.img, 3, 4));
	assert_int_equal(psync_skip_gap(&lab, 9, 9, 0,
					(u64[]){ 0, 0, 8, 4 }), PSYNC_OK);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_DUPLICATE], 4);
	assert_int_equal(lab.bed.img.nheld, 1);
	psync_skip_close(&lab);
}

/* An END of @sender that waits for the message before it. */
static enum psync_drop psync_skip_ends(struct psync_skip_lab *lab, u32 sender,
				       u64 seq)
{
	const u64 pred = PSYNC_MID(sender, seq - 1);
	struct psync_wire_mid wire[1];
	struct psync_pkt pkt;

	psync_bed_craft(&lab->bed, sender, seq, 9, 1, &pred, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	return psync_bed_input(&lab->bed, &pkt, lab->bed.img.now);
}

/*
 * What is held beside the limit keeps out nothing else, nor does one participant
 * keep out what is of another.
 */
static void psync_skip_test_beside(void **state)
{
	const u32 all = 4 * PSYNC_SKIP_HELD;
	struct psync_skip_lab lab;
	u32 i;

	psync_skip_open(&lab);
	lab.bed.img.p.limits.max_held = 4;
	/* It has half of what all have, and what nobody uses. */
	for (i = 0; i < all + 3; i++)
		assert_int_equal(psync_skip_ends(&lab, 2, 100 + i), PSYNC_OK);
	assert_int_equal(psync_skip_ends(&lab, 2, 100 + i),
			 PSYNC_DROP_HELD_FULL);
	/* What comes before them is not kept out by what comes later. */
	assert_int_equal(psync_skip_ends(&lab, 2, 9), PSYNC_OK);
	assert_false(psync_hold_has(&lab.bed.img, 2, 99 + i));
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 2, 2, 1,
				       (u64[]){ PSYNC_MID(3, 1) }), PSYNC_OK);
	for (i = 0; i < PSYNC_SKIP_HELD; i++)
		assert_int_equal(psync_skip_ends(&lab, 3, 10 + i), PSYNC_OK);
	assert_int_equal(lab.bed.img.nbeside, all);
	assert_int_equal(lab.bed.img.parts[2].nbeside, all - PSYNC_SKIP_HELD);
	assert_int_equal(lab.bed.img.nheld, all + 4);
	psync_skip_close(&lab);
}

/* When nobody pays, one of each: that which comes first. */
static void psync_skip_test_poor(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	lab.bed.poor = true;
	assert_int_equal(psync_skip_ends(&lab, 2, 10), PSYNC_OK);
	assert_int_equal(psync_skip_ends(&lab, 2, 11), PSYNC_DROP_HELD_FULL);
	assert_int_equal(psync_skip_ends(&lab, 3, 10), PSYNC_OK);
	assert_int_equal(psync_skip_ends(&lab, 2, 9), PSYNC_OK);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_HELD_FULL], 1);
	assert_false(psync_hold_has(&lab.bed.img, 2, 10));
	lab.bed.poor = false;
	assert_int_equal(psync_skip_ends(&lab, 2, 10), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 3);
	psync_skip_close(&lab);
}

/* Without memory it is waited for; the next announcement does it. */
/* An END of participant 3, which says that it has a message of ours. */
static void psync_skip_end(struct psync_skip_lab *lab, u64 seq)
{
	const u64 preds[] = { PSYNC_MID(0, 1), PSYNC_MID(3, seq - 1) };
	struct psync_wire_mid wire[2];
	struct psync_pkt pkt;

	psync_bed_craft(&lab->bed, 3, seq, seq + 1, 2, preds, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

/*
 * What is not given up comes before the announcement that says what was lost: it
 * does not tell that its sender has what may be lost there.
 */
static void psync_skip_test_losing(void **state)
{
	const u64 until[] = { 1, 0, 1, 3 };
	struct psync_watch watch = { .participants = 1 };
	struct psync_skip_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 i;

	for (i = 0; i < 2; i++) {
		psync_skip_open(&lab);
		watch.mid = psync_bed_send(&lab.bed, &lab.views[0], 10);
		assert_int_equal(psync_stable_watch(&lab.views[0], &watch), 0);
		psync_skip_end(&lab, 3);
		if (i) {
			assert_int_equal(psync_skip_gap(&lab, 2, 5, 0, until),
					 PSYNC_OK);
			assert_int_equal(psync_skip_gone_to(&lab, until, 1),
					 PSYNC_OK);
		} else {
			psync_bed_vector(&lab.bed, PSYNC_PKT_GONE, 3, until,
					 wire, &pkt);
			pkt.vector.seq = 4;
			lab.bed.img.rr_site = 3;
			psync_remote_find(&lab.bed.img, 3)->requested = true;
			assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
					 PSYNC_OK);
		}
		assert_true(lab.bed.img.parts[3].ended);
		assert_int_equal(watch.answer, PSYNC_EFREED);
		assert_null(lab.bed.img.losing);
		psync_skip_close(&lab);
	}
}

static void psync_skip_test_memory(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_two(&lab);
	/* The node is made, what is not waited for cannot be remembered. */
	lab.bed.fail_at = lab.bed.allocs + 2;
	assert_int_equal(psync_skip_heard(&lab, 3, 3), PSYNC_OK);
	lab.bed.fail_at = 0;
	assert_int_equal(lab.bed.drops[PSYNC_DROP_NO_MEM], 1);
	assert_int_equal(lab.bed.img.nuntaken, 3);
	assert_int_equal(lab.bed.img.remotes[1].lag, 3);
	psync_skip_close(&lab);
}

/* Who lingers asks nobody for credit. */
static void psync_skip_test_lingers(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_bed_send(&lab.bed, &lab.views[0], 10);
	psync_skip_refused(&lab);
	psync_bed_leave(&lab.bed, &lab.views[1]);
	psync_bed_leave(&lab.bed, &lab.views[0]);
	assert_false(psync_image_over(&lab.bed.img));
	psync_skip_ack(&lab, 2, 3, 1, 0, 0, 0);
	psync_skip_ack(&lab, 3, 3, 1, 0, 0, 0);
	assert_true(psync_image_over(&lab.bed.img));
	assert_int_equal(lab.bed.img.remotes[0].probe_at, U64_MAX);
	assert_int_equal(lab.bed.img.remotes[1].probe_at, U64_MAX);
	psync_skip_close(&lab);
}

/* One that was spared may be freed already when it is received. */
static void psync_skip_test_unspare(void **state)
{
	struct psync_skip_lab lab;

	psync_skip_open(&lab);
	psync_ack_unspare(&lab.bed.img, 2, 1);
	psync_skip_close(&lab);
}

const struct CMUnitTest psync_skip_tests[] = {
	cmocka_unit_test(psync_skip_test_announced),
	cmocka_unit_test(psync_skip_test_hole),
	cmocka_unit_test(psync_skip_test_back),
	cmocka_unit_test(psync_skip_test_back_mask),
	cmocka_unit_test(psync_skip_test_kept),
	cmocka_unit_test(psync_skip_test_closed),
	cmocka_unit_test(psync_skip_test_credit),
	cmocka_unit_test(psync_skip_test_local),
	cmocka_unit_test(psync_skip_test_heard),
	cmocka_unit_test(psync_skip_test_lost),
	cmocka_unit_test(psync_skip_test_unknown),
	cmocka_unit_test(psync_skip_test_us),
	cmocka_unit_test(psync_skip_test_acked),
	cmocka_unit_test(psync_skip_test_sure),
	cmocka_unit_test(psync_skip_test_gone),
	cmocka_unit_test(psync_skip_test_cut),
	cmocka_unit_test(psync_skip_test_relay),
	cmocka_unit_test(psync_skip_test_held),
	cmocka_unit_test(psync_skip_test_replaces),
	cmocka_unit_test(psync_skip_test_beside),
	cmocka_unit_test(psync_skip_test_poor),
	cmocka_unit_test(psync_skip_test_losing),
	cmocka_unit_test(psync_skip_test_memory),
	cmocka_unit_test(psync_skip_test_lingers),
	cmocka_unit_test(psync_skip_test_unspare),
};

const size_t psync_skip_ntests = ARRAY_SIZE(psync_skip_tests);
