// SPDX-License-Identifier: GPL-2.0-only
/* Requests, their answers, messages that one site sends for another. */
#include "bed.h"

#define MS	PSYNC_BED_MS
#define SEC	(1000 * PSYNC_BED_MS)

static const u32 psync_repair_sites[] = { 1, 2, 3, 4 };

/**
 * struct psync_repair_lab - one image, the other sites made by hand
 * @bed: site 1
 * @view: participant 0
 */
struct psync_repair_lab {
	struct psync_bed	bed;
	struct psync_view	view;
};

static void psync_repair_params(struct psync_image_params *p,
				struct psync_pid *pids)
{
	psync_bed_params(p, pids, psync_repair_sites, 4, 0);
	psync_bed_times(p);
}

static void psync_repair_open(struct psync_repair_lab *lab, u32 rate)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	memset(lab, 0, sizeof(*lab));
	psync_repair_params(&p, pids);
	p.limits.repair_rate = rate;
	assert_int_equal(psync_bed_init(&lab->bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&lab->bed.img, &lab->view, 0, 1, 7,
					  0), 0);
	lab->bed.muted = 0;
}

/* Another site, @site, which is opened as the lab is. */
static void psync_repair_join(struct psync_repair_lab *far,
			      struct psync_view *view, u32 site)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	memset(far, 0, sizeof(*far));
	psync_repair_params(&p, pids);
	assert_int_equal(psync_bed_init(&far->bed, &p, site), 0);
	assert_int_equal(psync_image_join(&far->bed.img, view, site - 1, 1, 1,
					  0), 0);
}

static void psync_repair_close(struct psync_repair_lab *lab)
{
	psync_bed_leave(&lab->bed, &lab->view);
	psync_bed_exit(&lab->bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* A message by hand; the answer to it gets lost. */
static u64 psync_repair_add(struct psync_repair_lab *lab, u32 sender, u64 seq,
			    u32 wave, u32 npred, const u64 *preds)
{
	assert_int_equal(psync_bed_msg(&lab->bed, sender, seq, wave, npred,
				       preds), PSYNC_OK);
	psync_bed_forget(&lab->bed);
	return PSYNC_MID(sender, seq);
}

/* An RR of @site which holds @a, @b, @c, @d; @mid 0: no mid. */
static enum psync_drop psync_repair_ask(struct psync_repair_lab *lab, u32 site,
					const u64 *held, u64 mid, u64 now)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(&lab->bed, PSYNC_PKT_RR, site, held, wire, &pkt);
	if (mid) {
		pkt.vector.flags = PSYNC_VECTORF_MID;
		pkt.vector.index = PSYNC_MID_INDEX(mid);
		pkt.vector.seq = PSYNC_MID_SEQ(mid);
	}
	return psync_bed_input(&lab->bed, &pkt, now);
}

/* What was sent to @site, all flagged as repeated; ends with 0. */
static void psync_repair_expect(struct psync_repair_lab *lab, u32 site, ...)
{
	struct psync_pkt pkt;
	va_list ap;
	u32 to;
	u64 mid;

	va_start(ap, site);
	while ((mid = va_arg(ap, u64))) {
		psync_bed_take(&lab->bed, &pkt, &to);
		assert_int_equal(to, site);
		assert_int_equal(pkt.type, PSYNC_PKT_MSG);
		assert_int_equal(PSYNC_MID(pkt.msg.sender, pkt.msg.seq), mid);
		assert_int_equal(pkt.msg.flags & ~PSYNC_MSGF_START,
				 pkt.msg.sender ?
				 PSYNC_MSGF_REPEAT | PSYNC_MSGF_FOREIGN :
				 PSYNC_MSGF_REPEAT);
		if (!pkt.msg.sender)
			continue;
		assert_int_equal(pkt.msg.opening, 1);
		assert_int_equal(pkt.msg.inc, 5001 + pkt.msg.sender);
	}
	va_end(ap);
	assert_int_equal(lab->bed.nsent, 0);
}

/*
 * a1; b1 and c1 after it; d1 a root of its own; a2 after b1; c2 after c1, d1.
 * In attach order.
 */
static void psync_repair_graph(struct psync_repair_lab *lab, u64 *mids)
{
	u64 preds[2];

	mids[0] = psync_bed_send(&lab->bed, &lab->view, 100);
	psync_bed_forget(&lab->bed);
	mids[1] = psync_repair_add(lab, 1, 1, 2, 1, &mids[0]);
	psync_bed_drain(&lab->view);
	mids[2] = psync_repair_add(lab, 2, 1, 2, 1, &mids[0]);
	mids[3] = psync_repair_add(lab, 3, 1, 1, 0, NULL);
	mids[4] = psync_bed_send(&lab->bed, &lab->view, 100);
	psync_bed_forget(&lab->bed);
	preds[0] = mids[2];
	preds[1] = mids[3];
	mids[5] = psync_repair_add(lab, 2, 2, 3, 2, preds);
}

#define A1 mids[0]
#define B1 mids[1]
#define C1 mids[2]
#define D1 mids[3]
#define A2 mids[4]
#define C2 mids[5]

/* S4.1: all that the vector does not cover, in causal order. */
static void psync_repair_test_difference(void **state)
{
	struct psync_repair_lab lab;
	u64 mids[6];
	u64 held[4] = { 0, 0, 0, 1 };

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 1), PSYNC_OK);
	psync_repair_expect(&lab, 4, A1, B1, C1, A2, C2, 0ULL);
	/* Site 2 has a1 and its own, not what is concurrent. */
	held[0] = 1;
	held[1] = 1;
	held[3] = 0;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 2), PSYNC_OK);
	psync_repair_expect(&lab, 2, C1, D1, A2, C2, 0ULL);
	held[2] = 1;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 3), PSYNC_OK);
	psync_repair_expect(&lab, 2, D1, A2, C2, 0ULL);
	held[0] = 2;
	held[2] = 2;
	held[3] = 1;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 4), PSYNC_OK);
	psync_repair_expect(&lab, 2, 0ULL);
	psync_repair_close(&lab);
}

/* With a mid: of what that message follows; itself not. */
static void psync_repair_test_mid(void **state)
{
	struct psync_repair_lab lab;
	u64 mids[6];
	u64 held[4] = { 0, 0, 0, 1 };

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	assert_int_equal(psync_repair_ask(&lab, 4, held, C2, SEC), PSYNC_OK);
	psync_repair_expect(&lab, 4, A1, C1, 0ULL);
	assert_int_equal(psync_repair_ask(&lab, 4, held, A2, 2 * SEC),
			 PSYNC_OK);
	psync_repair_expect(&lab, 4, A1, B1, 0ULL);
	assert_int_equal(psync_repair_ask(&lab, 4, held, A1, 3 * SEC),
			 PSYNC_OK);
	psync_repair_expect(&lab, 4, 0ULL);
	/* One that is not here: all, as if it had not been named. */
	assert_int_equal(psync_repair_ask(&lab, 4, held, PSYNC_MID(3, 2),
					  4 * SEC), PSYNC_OK);
	psync_repair_expect(&lab, 4, A1, B1, C1, A2, C2, 0ULL);
	psync_repair_close(&lab);
}

/* What the answer carries makes the same graph elsewhere. */
static void psync_repair_test_recover(void **state)
{
	struct psync_bed_packet packet;
	struct psync_image_params p;
	struct psync_repair_lab lab;
	struct psync_view view = {};
	struct psync_pid pids[4];
	u64 held[4] = {};
	struct psync_bed four;
	const struct psync_node *a, *b;
	u64 mids[6], inc;
	u32 i;

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	/* d1 is of another opening than the lab thinks: it is our own. */
	psync_repair_params(&p, pids);
	assert_int_equal(psync_bed_init(&four, &p, 4), 0);
	assert_int_equal(psync_image_join(&four.img, &view, 3, 1, 1, 0), 0);
	psync_bed_send(&four, &view, 100);
	held[3] = 1;
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 1), PSYNC_OK);
	assert_int_equal(lab.bed.nsent, 5);
	for (i = 0; i < 5; i++) {
		packet = psync_bed_pop(&lab.bed);
		assert_int_equal(psync_bed_give(&four, &packet, 1), PSYNC_OK);
		assert_int_equal(psync_bed_give(&four, &packet, 1),
				 PSYNC_DROP_DUPLICATE);
		psync_bed_packet_free(&packet);
	}
	/* The openings of all sites came with it. */
	for (i = 2; i < 4; i++) {
		assert_int_equal(psync_image_opening(&four.img, i, &inc), 1);
		assert_int_equal(inc, 5000 + i);
	}
	assert_int_equal(psync_image_opening(&four.img, 1, &inc), 7);
	assert_int_equal(psync_bed_drain(&view), 5);
	for (i = 0; i < 6; i++) {
		assert_int_equal(psync_view_find(&view, mids[i], &a), 0);
		b = psync_graph_find(&lab.bed.img, PSYNC_MID_INDEX(mids[i]),
				     PSYNC_MID_SEQ(mids[i]));
		assert_int_equal(a->wave, b->wave);
		assert_int_equal(a->npred, b->npred);
		assert_memory_equal(a->stamp, b->stamp, 4 * sizeof(u64));
	}
	psync_bed_leave(&four, &view);
	psync_bed_exit(&four);
	psync_repair_close(&lab);
}

/* The answer is cut to the rate; who asks on gets the rest. */
static void psync_repair_test_rate(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};
	u64 now = SEC;
	u32 i, round;

	psync_repair_open(&lab, 10);
	for (i = 0; i < 35; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	/* Looking costs as much as a message. */
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 1), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 9);
	for (round = 1; round <= 3; round++) {
		held[0] = 9 * round;
		/* The bucket is empty until time has passed. */
		assert_int_equal(psync_repair_ask(&lab, 2, held, 0,
						  now - 999 * MS),
				 PSYNC_DROP_RR_RATE);
		assert_int_equal(lab.bed.nsent, 0);
		assert_int_equal(psync_repair_ask(&lab, 2, held, 0, now + 1),
				 PSYNC_OK);
		now += SEC;
		assert_int_equal(psync_bed_forget(&lab.bed),
				 round == 3 ? 8 : 9);
	}
	/* A part of a second, a part of the rate; others share it. */
	held[0] = 34;
	now += 10 * SEC;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, now), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	psync_repair_close(&lab);
}

/* However often it is looked at, the rate is all of it. */
static void psync_repair_test_rate_often(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};
	u32 i, count = 0;

	psync_repair_open(&lab, 10);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	while (!psync_repair_ask(&lab, 2, held, 0, SEC))
		psync_bed_forget(&lab.bed);
	/* An answer of one message costs two: each 200 ms, 50 in 10 s. */
	for (i = 1; i <= 10000 / 190; i++) {
		psync_repair_ask(&lab, 2, held, 0, SEC + i * 190 * MS);
		count += psync_bed_forget(&lab.bed);
	}
	assert_int_equal(count, 49);
	psync_repair_close(&lab);
}

/*
 * One who takes nothing of what it is sent asks whenever there is room again.
 * Another has its turn in as long as all could have been answered, no sooner.
 */
static void psync_repair_test_starved(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};
	u64 now = SEC;
	u32 i;

	psync_repair_open(&lab, 10);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	assert_int_equal(psync_repair_ask(&lab, 3, held, 0, now), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	while (!psync_repair_ask(&lab, 2, held, 0, now))
		assert_int_equal(psync_bed_forget(&lab.bed), 1);
	for (i = 1; i <= 12; i++) {
		now += 200 * MS;
		assert_int_equal(psync_repair_ask(&lab, 2, held, 0, now),
				 PSYNC_OK);
		assert_int_equal(psync_bed_forget(&lab.bed), 1);
		assert_int_equal(psync_repair_ask(&lab, 3, held, 0, now),
				 i % 3 ? PSYNC_DROP_RR_RATE : PSYNC_OK);
		assert_int_equal(psync_bed_forget(&lab.bed), i % 3 == 0);
	}
	psync_repair_close(&lab);
}

/* What is cut away is the latest, whoever sent it. */
static void psync_repair_test_earliest(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = { 0, 0, 0, 1 };
	u64 mids[6];

	psync_repair_open(&lab, 3);
	psync_repair_graph(&lab, mids);
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 1), PSYNC_OK);
	psync_repair_expect(&lab, 4, A1, B1, 0ULL);
	held[0] = 1;
	held[1] = 1;
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, SEC + 1), PSYNC_OK);
	psync_repair_expect(&lab, 4, C1, A2, 0ULL);
	held[0] = 2;
	held[2] = 1;
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 2 * SEC + 1), PSYNC_OK);
	psync_repair_expect(&lab, 4, C2, 0ULL);
	psync_repair_close(&lab);
}

/* No answer is longer than a burst, whatever the rate. */
static void psync_repair_test_burst(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};
	u32 i;

	psync_repair_open(&lab, 100000);
	for (i = 0; i < 100; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 1), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 64);
	held[0] = 64;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 1), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 36);
	psync_repair_close(&lab);
}

/* Asked the same again within half a round trip: the answer is under way. */
static void psync_repair_test_again(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};

	psync_repair_open(&lab, 1000);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	lab.bed.img.remotes[0].srtt = 40 * MS;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, SEC), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 2);
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, SEC + 20 * MS - 1),
			 PSYNC_DROP_RR_RATE);
	assert_int_equal(lab.bed.nsent, 0);
	/* Another site is another question, so is another vector. */
	assert_int_equal(psync_repair_ask(&lab, 3, held, 0, SEC + 1), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 2);
	held[0] = 1;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, SEC + 2), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, SEC + 20 * MS + 2),
			 PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	psync_repair_close(&lab);
}

/* Who only listens keeps messages for itself. */
static void psync_repair_test_listener(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};

	memset(&lab, 0, sizeof(lab));
	{
		struct psync_image_params p;
		struct psync_pid pids[4];

		psync_repair_params(&p, pids);
		assert_int_equal(psync_bed_init(&lab.bed, &p, 1), 0);
	}
	lab.bed.muted = 0;
	lab.view.pending = true;
	assert_int_equal(psync_image_join(&lab.bed.img, &lab.view, 0, 0, 0, 0),
			 0);
	psync_repair_add(&lab, 1, 1, 1, 0, NULL);
	assert_int_equal(psync_repair_ask(&lab, 3, held, 0, 1),
			 PSYNC_DROP_UNCONFIRMED);
	assert_int_equal(lab.bed.nsent, 0);
	psync_view_accept(&lab.view, 1, 7, 2);
	assert_int_equal(psync_repair_ask(&lab, 3, held, 0, 3), PSYNC_OK);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	psync_repair_close(&lab);
}

/* The next RR that the image sends; its target. */
static u32 psync_repair_next(struct psync_repair_lab *lab,
			     struct psync_pkt *pkt)
{
	u32 site;

	lab->bed.muted = 1 << PSYNC_PKT_ACK | 1 << PSYNC_PKT_MSG;
	while (!lab->bed.nsent) {
		assert_true(lab->bed.img.rr_at != U64_MAX);
		psync_image_timer(&lab->bed.img, lab->bed.img.deadline);
	}
	assert_int_equal(lab->bed.nsent, 1);
	psync_bed_take(&lab->bed, pkt, &site);
	assert_int_equal(pkt->type, PSYNC_PKT_RR);
	return site;
}

/* A held message: its sender's site is asked first, then all who have it. */
static void psync_repair_test_holders(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), asked[3] = {}, held[4] = { 0, 1, 0, 0 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u64 before = 0, wait;
	__be32 wire[4];
	u32 i, site;

	psync_repair_open(&lab, 1000);
	/* All are known; sites 2 and 4 have b1, c1 follows it. */
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	held[1] = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 1);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(lab.bed.img.nlack, 2);
	/* What was only overtaken may come, for half the least wait. */
	assert_int_equal(lab.bed.img.rr_at, 5 * MS);
	for (i = 0; i < 14; i++) {
		site = psync_repair_next(&lab, &pkt);
		assert_int_equal(pkt.opening, 7);
		assert_int_equal(pkt.vector.n, 4);
		if (!i) {
			assert_int_equal(site, 3);
			assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_MID);
			assert_int_equal(pkt.vector.index, 2);
			assert_int_equal(pkt.vector.seq, 1);
		} else {
			assert_int_equal(pkt.vector.flags, 0);
			wait = lab.bed.img.now - before;
			assert_true(wait >= 100 * MS && wait <= 2000 * MS);
		}
		before = lab.bed.img.now;
		asked[site - 2]++;
		assert_int_equal(lab.bed.img.rr_tries, i + 1);
	}
	/* Only who is known to have it, when there is one. */
	assert_true(asked[2] >= 4);
	assert_int_equal(lab.bed.img.nlack, 2);
	/*
	 * After so many in vain, c1 is forgotten as far as only the held
	 * message tells of it, which is no loss: it is here.  b1, which site 4
	 * has, is asked for on and on.
	 */
	psync_repair_next(&lab, &pkt);
	assert_int_equal(lab.bed.img.nlack, 1);
	assert_int_equal(lab.bed.img.nheld, 1);
	for (i = 0; i < 20; i++)
		psync_repair_next(&lab, &pkt);
	assert_int_equal(lab.bed.nevents, 0);
	/* It comes: nothing is asked any more. */
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 0);
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.img.rr_at, U64_MAX);
	psync_repair_close(&lab);
}

/* S4.3: what died with its sender is given up, and what follows it. */
static void psync_repair_test_void(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1), c2 = PSYNC_MID(2, 2);
	struct psync_repair_lab lab;
	u32 i = 0;

	psync_repair_open(&lab, 1000);
	lab.bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, 3, 1, &c1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 1, 4, 1, &c2), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 3);
	assert_int_equal(lab.bed.img.nlack, 3);
	psync_bed_run(&lab.bed, 60 * SEC);
	assert_int_equal(lab.bed.ntypes[PSYNC_PKT_RR], 14);
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.img.nlack, 0);
	assert_int_equal(lab.bed.img.rr_at, U64_MAX);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_CONTEXT_LOST], 3);
	/* One event names the missing message and one that followed it. */
	while (lab.bed.events[i].type != PSYNC_EV_VOID)
		assert_true(++i < lab.bed.nevents);
	assert_int_equal(lab.bed.events[i].mid, b1);
	assert_int_equal(lab.bed.events[i].other, c1);
	assert_int_equal(psync_bed_bodies, 0);
	/* As if they had never arrived: they are taken when they come again. */
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(lab.bed.img.attached, 2);
	psync_repair_close(&lab);
}

/* Of two that nobody sent again one site has the first: that is asked for on. */
static void psync_repair_test_void_rest(void **state)
{
	u64 d1 = PSYNC_MID(3, 1), d2 = PSYNC_MID(3, 2), held[4] = { 0, 0, 0, 1 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 2, 1, &d1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 3, 1, &d2), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 2);
	assert_int_equal(lab.bed.img.nlack, 3);
	lab.bed.muted = ~0U;
	psync_bed_run(&lab.bed, 60 * SEC);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_CONTEXT_LOST], 1);
	assert_true(psync_hold_has(&lab.bed.img, 1, 1));
	assert_false(psync_hold_has(&lab.bed.img, 2, 1));
	assert_int_equal(lab.bed.img.parts[3].claimed, 1);
	assert_int_equal(lab.bed.img.nlack, 1);
	assert_int_not_equal(lab.bed.img.rr_at, U64_MAX);
	psync_repair_close(&lab);
}

/* Of one who is masked out others hold more than is asked for. */
static void psync_repair_test_void_less(void **state)
{
	u64 held[4] = { 0, 2, 0, 0 };
	struct psync_repair_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	img = &lab.bed.img;
	img->parts[1].live = false;
	img->parts[1].need = 1;
	psync_ack_claim(img, 1, 1);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 3, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(img->parts[1].claimed, 1);
	assert_false(psync_ack_disclaim(img));
	assert_int_equal(img->parts[1].claimed, 1);
	assert_int_equal(img->nlack, 1);
	assert_int_equal(lab.bed.nevents, 0);
	img->parts[1].live = true;
	psync_repair_close(&lab);
}

/* Long idle: a site is absent when it was asked four times, not the others. */
static void psync_repair_test_silent(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), held[4] = { 0, 0, 0, 0 };
	u32 asked[5] = {}, site, k;
	struct psync_repair_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	img = &lab.bed.img;
	img->p.limits.slow = PSYNC_SLOW_SUSPECT;
	img->p.limits.silent_ns = SEC;
	for (site = 2; site <= 4; site++) {
		psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, site, held, wire,
				 &pkt);
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	}
	psync_bed_craft(&lab.bed, 2, 1, 2, 1, &b1,
			(struct psync_wire_mid[8]){}, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 3600 * SEC), PSYNC_OK);
	psync_bed_forget(&lab.bed);
	lab.bed.muted = ~(1U << PSYNC_PKT_RR);
	while (!lab.bed.nevents) {
		psync_image_timer(img, img->rr_at);
		while (lab.bed.nsent) {
			psync_bed_take(&lab.bed, &pkt, &site);
			asked[site]++;
		}
	}
	for (k = 0; k < img->nremotes; k++)
		if (img->remotes[k].absent)
			assert_true(asked[img->remotes[k].site] >= 4);
	/* Who answers is asked as often again. */
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, img->now), PSYNC_OK);
	assert_int_equal(img->remotes[2].asks, 0);
	psync_repair_close(&lab);
}

/* Given up with a site that was silent; it comes back and has it. */
static void psync_repair_test_void_back(void **state)
{
	u64 held[4] = { 0, 0, 0, 2 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	lab.bed.muted = ~0U;
	lab.bed.img.remotes[2].heard = false;
	psync_bed_run(&lab.bed, 29 * SEC);
	assert_int_equal(lab.bed.nevents, 0);
	assert_int_equal(lab.bed.img.nlack, 1);
	psync_bed_run(&lab.bed, 60 * SEC);
	assert_int_equal(lab.bed.img.nlack, 0);
	/* Three sites are absent, and what only one of them had is void. */
	assert_int_equal(lab.bed.nevents, 4);
	assert_int_equal(lab.bed.events[3].type, PSYNC_EV_VOID);
	assert_int_equal(lab.bed.events[3].mid, PSYNC_MID(3, 1));
	assert_int_equal(lab.bed.events[3].other, 0);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 60 * SEC), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 1);
	assert_int_equal(psync_repair_next(&lab, &pkt), 4);
	psync_repair_close(&lab);
}

/* Nobody that could be asked: it waits, and asks who turns up. */
static void psync_repair_test_nobody(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), held[4] = { 0, 0, 0, 0 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	/* Its site came back since: that one knows nothing of it. */
	psync_bed_craft(&lab.bed, 2, 1, 1, 0, NULL, NULL, &pkt);
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_REOPENED);
	psync_bed_forget(&lab.bed);
	lab.bed.muted = 1 << PSYNC_PKT_ACK | 1 << PSYNC_PKT_MSG;
	psync_bed_run(&lab.bed, 5 * SEC);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_not_equal(lab.bed.img.rr_at, U64_MAX);
	/* A site that may have it, though nobody knows. */
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 5 * SEC), PSYNC_OK);
	assert_int_equal(psync_repair_next(&lab, &pkt), 4);
	psync_repair_close(&lab);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_LEFT_OVER], 1);
}

/* A vector names what was lost, even the last message of all. */
static void psync_repair_test_claimed(void **state)
{
	u64 held[4] = { 0, 2, 0, 0 }, b1 = PSYNC_MID(1, 1);
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 1);
	/* Its own site, without a mid: nothing is held. */
	assert_int_equal(psync_repair_next(&lab, &pkt), 2);
	assert_int_equal(pkt.vector.flags, 0);
	/* One of two came; the other is asked for at once. */
	lab.bed.img.now = SEC;
	psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, SEC), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 1);
	assert_int_equal(lab.bed.img.rr_tries, 0);
	assert_true(lab.bed.img.rr_at <= SEC + 10 * MS);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 0);
	assert_int_equal(lab.bed.img.rr_at, U64_MAX);
	/* Too early a timer asks nothing. */
	psync_repair_timer(&lab.bed.img);
	lab.bed.img.rr_at = 0;
	psync_repair_timer(&lab.bed.img);
	assert_int_equal(lab.bed.img.rr_at, U64_MAX);
	psync_repair_close(&lab);
}

/* Who has it is asked one after the other: none twice before all were (S4.2). */
static void psync_repair_test_round(void **state)
{
	u64 held[4] = { 0, 1, 0, 0 };
	u32 seen, i, k, site, last = 0, orders = 0;
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	for (site = 2; site <= 4; site++) {
		psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, site, held, wire,
				 &pkt);
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	}
	assert_int_equal(lab.bed.img.nlack, 1);
	/* The sender's own first, which is of the first round. */
	seen = 1 << psync_repair_next(&lab, &pkt);
	assert_int_equal(seen, 1 << 2);
	for (i = 0; i < 20; i++) {
		for (k = i ? 0 : 1; k < 3; k++) {
			site = psync_repair_next(&lab, &pkt);
			seen |= 1 << site;
		}
		assert_int_equal(seen, 1 << 2 | 1 << 3 | 1 << 4);
		seen = 0;
		orders += site != last;
		last = site;
	}
	/* And not always in the same order. */
	assert_in_range(orders, 2, 19);
	psync_repair_close(&lab);
}

/*
 * Where somebody was masked out every fourth request is about a held message.  Of
 * eight participants the fifth has its turn all the same.
 */
static void psync_repair_test_turns_named(void **state)
{
	static const u32 sites[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct psync_repair_lab lab = {};
	struct psync_image_params p;
	struct psync_pid pids[8];
	struct psync_pkt pkt;
	u32 i, asked = 0;
	__be32 wire[8];

	psync_bed_params(&p, pids, sites, 8, 0);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&lab.bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&lab.bed.img, &lab.view, 0, 1, 7, 0),
			 0);
	lab.bed.img.masking = true;
	lab.bed.muted = ~0U;
	/* What each of three has sent it alone is known to have. */
	for (i = 3; i <= 5; i++) {
		u64 held[8] = {};

		held[i] = 1;
		psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, i + 1, held, wire,
				 &pkt);
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	}
	assert_int_equal(lab.bed.img.nlack, 3);
	psync_bed_forget(&lab.bed);
	for (i = 0; i < 8; i++)
		asked |= 1 << psync_repair_next(&lab, &pkt);
	assert_int_equal(asked, 1 << 4 | 1 << 5 | 1 << 6);
	psync_repair_close(&lab);
}

/*
 * An answer that has what is held already: what else is missing is asked for half a
 * round trip later, whatever the wait was; not for what was not asked for.
 */
static void psync_repair_test_vain(void **state)
{
	const u64 b2 = PSYNC_MID(1, 2);
	struct psync_repair_lab lab;
	struct psync_wire_mid wire[8];
	struct psync_pkt pkt;
	u64 at;

	psync_repair_open(&lab, 1000);
	psync_bed_craft(&lab.bed, 1, 3, 3, 1, &b2, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	for (at = 0; at < 6; at++)
		psync_repair_next(&lab, &pkt);
	at = lab.bed.img.rr_at;
	assert_true(at > lab.bed.img.now + 500 * MS);
	psync_bed_craft(&lab.bed, 1, 3, 3, 1, &b2, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, lab.bed.img.now),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(lab.bed.img.rr_at, at);
	pkt.msg.flags = PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, lab.bed.img.now),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(lab.bed.img.rr_at, lab.bed.img.now + 5 * MS);
	/* It is a try like others: it may be in vain again and again. */
	assert_int_equal(lab.bed.img.rr_tries, 6);
	psync_repair_close(&lab);
}

/* Beyond repair is one participant's message; others' are asked for, too. */
static void psync_repair_test_turns(void **state)
{
	u64 held[4] = { 0, 3, 4, 0 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 seen = 0;
	u32 i;

	psync_repair_open(&lab, 1000);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	held[1] = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 3, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(lab.bed.img.nlack, 2);
	for (i = 0; i < 20; i++)
		seen |= 1 << psync_repair_next(&lab, &pkt);
	assert_int_equal(seen, 1 << 2 | 1 << 3);
	psync_repair_close(&lab);
}

/* A message that comes from another site than its sender's. */
static void psync_repair_test_foreign(void **state)
{
	struct psync_repair_lab lab;
	struct psync_pkt pkt, good;
	u64 inc;

	psync_repair_open(&lab, 1000);
	psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, NULL, &good);
	good.src_site = 3;
	good.src_inc = 5003;
	/* Not flagged; or flagged, and of the sending site itself. */
	assert_int_equal(psync_bed_input(&lab.bed, &good, 0),
			 PSYNC_DROP_NOT_MEMBER);
	good.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	good.msg.inc = 5002;
	good.msg.opening = 4;
	pkt = good;
	pkt.src_site = 2;
	pkt.src_inc = 5002;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_NOT_MEMBER);
	pkt = good;
	pkt.src_site = 9;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_NOT_MEMBER);
	assert_int_equal(psync_image_opening(&lab.bed.img, 2, &inc), 0);
	assert_int_equal(psync_bed_input(&lab.bed, &good, 0), PSYNC_OK);
	/* Both sites' openings are known by it; only one spoke. */
	assert_int_equal(psync_image_opening(&lab.bed.img, 2, &inc), 4);
	assert_int_equal(inc, 5002);
	assert_int_equal(psync_image_opening(&lab.bed.img, 3, &inc), 1);
	assert_false(lab.bed.img.remotes[0].heard);
	assert_true(lab.bed.img.remotes[1].heard);
	/* Of another opening of its sender's site. */
	pkt = good;
	pkt.msg.opening = 3;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	pkt.msg.opening = 5;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	pkt.msg.inc = 5003;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(lab.bed.nevents, 0);
	assert_int_equal(psync_bed_input(&lab.bed, &good, 0),
			 PSYNC_DROP_DUPLICATE);
	/* Our own: it is here, or was never sent. */
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_craft(&lab.bed, 0, 1, 1, 0, NULL, NULL, &pkt);
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 5001;
	pkt.msg.opening = 7;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_DUPLICATE);
	pkt.msg.seq = 2;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	psync_repair_close(&lab);
}

/* In a rendezvous it confirms its sender's site, whose packets then go on. */
static void psync_repair_test_foreign_confirms(void **state)
{
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[4];
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 b1 = PSYNC_MID(1, 1);
	struct psync_wire_mid wire[8];

	psync_repair_params(&p, pids);
	p.number = 5;
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &view, 0, 1, 7, 0);
	psync_bed_craft(&bed, 1, 2, 2, 1, &b1, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(bed.img.nearly, 1);
	bed.img.remotes[1].state = PSYNC_REMOTE_CONFIRMED;
	bed.img.remotes[1].inc = 5003;
	bed.img.remotes[1].opening = 1;
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, wire, &pkt);
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 5002;
	pkt.msg.opening = 1;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(bed.img.attached, 1);
	assert_int_equal(bed.armed, 0);
	psync_image_timer(&bed.img, 0);
	assert_int_equal(bed.img.nearly, 0);
	assert_int_equal(bed.img.attached, 2);
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Site 2 says, or answers, what it is: 0: itself, 1: to HELLO, 2: it is not. */
static void psync_repair_speak(struct psync_bed *bed, u32 how, u64 nonce)
{
	struct psync_wire_mid wire[8];
	struct psync_pkt pkt;
	u64 b1 = PSYNC_MID(1, 1);

	psync_bed_craft(bed, 1, 2, 2, 1, &b1, wire, &pkt);
	if (how) {
		pkt.type = PSYNC_PKT_HELLO_ACK;
		pkt.body_len = 0;
		pkt.opening = how == 1;
		pkt.hello = (typeof(pkt.hello)){ .nonce = nonce };
		pkt.hello.state = how == 1 ? PSYNC_HELLO_OPEN :
					     PSYNC_HELLO_NONE;
	}
	assert_int_equal(psync_bed_input(bed, &pkt, 2), PSYNC_OK);
	assert_int_equal(bed->img.remotes[0].heard, how < 2);
	if (how)
		assert_int_equal(psync_bed_input(bed, &pkt, 2),
				 PSYNC_DROP_BAD_NONCE);
}

/* What others said of site 2, and late packets of when its clock was ahead. */
static void psync_repair_hearsay(struct psync_bed *bed, u32 how)
{
	static const u64 held[] = { 0, 2, 0, 0, 0 };
	struct psync_remote *remote = &bed->img.remotes[0];
	struct psync_bed_packet hello;
	struct psync_pkt pkt, late;
	__be32 wire[8];

	psync_bed_forget(bed);
	bed->img.remotes[1].state = PSYNC_REMOTE_CONFIRMED;
	bed->img.remotes[1].inc = 5003;
	bed->img.remotes[1].opening = 1;
	psync_bed_craft(bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	late = pkt;
	late.src_inc = 5009;
	late.opening = 4;
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 5002;
	pkt.msg.opening = 1;
	assert_int_equal(psync_bed_input(bed, &pkt, 0), PSYNC_OK);
	/* It is asked, once for all of them, and goes on to count. */
	assert_int_equal(psync_bed_input(bed, &late, 1),
			 PSYNC_DROP_UNCONFIRMED);
	psync_bed_vector(bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	pkt.src_inc = 5009;
	assert_int_equal(psync_bed_input(bed, &pkt, 1),
			 PSYNC_DROP_UNCONFIRMED);
	psync_bed_vector(bed, PSYNC_PKT_RS, 2, held, wire, &pkt);
	pkt.src_inc = 5009;
	pkt.vector.index = 1;
	pkt.vector.token = 1;
	assert_int_equal(psync_bed_input(bed, &pkt, 1),
			 PSYNC_DROP_UNCONFIRMED);
	assert_false(remote->moved);
	assert_int_equal(remote->inc, 5002);
	assert_int_equal(bed->nevents, 0);
	assert_int_equal(bed->nsent, 1);
	hello = psync_bed_pop_type(bed, PSYNC_PKT_HELLO);
	assert_int_equal(hello.site, 2);
	psync_bed_packet_free(&hello);
	/* From when it has spoken, or answered, they are of one come back. */
	psync_repair_speak(bed, how, remote->nonce);
	assert_int_equal(psync_bed_input(bed, &late, 3), PSYNC_DROP_REOPENED);
	assert_true(remote->moved);
}

static void psync_repair_test_hearsay(void **state)
{
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_view view;
	struct psync_bed bed;
	u32 how;

	psync_repair_params(&p, pids);
	p.number = 5;
	for (how = 0; how < 3; how++) {
		memset(&view, 0, sizeof(view));
		psync_bed_init(&bed, &p, 1);
		psync_image_join(&bed.img, &view, 0, 1, 7, 0);
		psync_repair_hearsay(&bed, how);
		psync_bed_leave(&bed, &view);
		psync_bed_exit(&bed);
		assert_int_equal(psync_bed_bodies, 0);
	}
}

/* P 3.2.2: the answer to a message resent are its immediate successors. */
static void psync_repair_test_successors(void **state)
{
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u64 mids[6];

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	/* Site 2 has b1 resent: a2 follows it, c2 does not. */
	psync_bed_craft(&lab.bed, 1, 1, 2, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 2, 0ULL);
	pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 2, A2, 0ULL);
	/* Of c1: c2. */
	psync_bed_craft(&lab.bed, 2, 1, 2, 0, NULL, NULL, &pkt);
	pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 3, C2, 0ULL);
	/* One that is new here is taken, and nothing follows it. */
	psync_bed_craft(&lab.bed, 3, 2, 2, 0, NULL, NULL, &pkt);
	{
		struct psync_wire_mid wire[8];

		psync_bed_craft(&lab.bed, 3, 2, 2, 1, &D1, wire, &pkt);
		pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1), PSYNC_OK);
	}
	psync_repair_expect(&lab, 4, 0ULL);
	/* Beyond the rate there is no answer. */
	lab.bed.img.repairs = 0;
	lab.bed.img.repairs_at = 1;
	psync_bed_craft(&lab.bed, 2, 1, 2, 0, NULL, NULL, &pkt);
	pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 3, 0ULL);
	psync_repair_close(&lab);
}

/* P 3.2.2, resend: to all, flagged; nothing of what is stable or held. */
static void psync_repair_test_resend(void **state)
{
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u64 mids[6];
	u32 site, k;

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	assert_int_equal(psync_view_resend(&lab.view, A1, 1), 0);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 0);
	assert_int_equal(pkt.msg.seq, 1);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START | PSYNC_MSGF_RESENT |
			 PSYNC_MSGF_REPEAT);
	/* One of another, with its origin. */
	assert_int_equal(psync_view_resend(&lab.view, B1, 1), 0);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT |
			 PSYNC_MSGF_FOREIGN);
	assert_int_equal(psync_view_resend(&lab.view, C1, 1), PSYNC_EUNKNOWN);
	assert_int_equal(psync_view_resend(&lab.view, PSYNC_MID(4, 1), 1),
			 PSYNC_EUNKNOWN);
	assert_int_equal(psync_bed_drain(&lab.view), 3);
	/* a1 is stable when d has it, too. */
	assert_int_equal(lab.bed.nsent, 0);
	psync_repair_add(&lab, 3, 2, 4, 1, &C2);
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_stable(&lab.view, A1, &site, &k), 1);
	assert_int_equal(psync_view_resend(&lab.view, A1, 1), 0);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(psync_view_resend(&lab.view, B1, 1), 0);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	/* Everybody holds b1, though not in the graph. */
	lab.bed.img.p.limits.max_nodes = 5;
	psync_bed_held(&lab.bed);
	assert_int_equal(psync_view_resend(&lab.view, A2, 1), 0);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(psync_view_resend(&lab.view, A1, 1), PSYNC_EFREED);
	psync_repair_close(&lab);
}

/* What is stable is not resent, though one here whom it masked has yet to read it. */
static void psync_repair_test_resend_stable(void **state)
{
	static const u32 sites[] = { 1, 2, 3, 1 };
	struct psync_view view = {}, slow = {};
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	u32 participants, n;
	u64 a1;

	psync_bed_params(&p, pids, sites, 4, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 7, 0), 0);
	assert_int_equal(psync_image_join(&bed.img, &slow, 3, 1, 7, 0), 0);
	a1 = psync_bed_send(&bed, &view, 100);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 2, 1, &a1), PSYNC_OK);
	psync_bed_drain(&view);
	psync_bed_forget(&bed);
	assert_int_equal(psync_view_resend(&view, a1, 1), 0);
	assert_int_equal(psync_bed_forget(&bed), 1);
	assert_int_equal(psync_view_mask_out(&view, 3, PSYNC_MASK_NO_CUT, 1),
			 0);
	psync_bed_forget(&bed);
	assert_int_equal(psync_view_stable(&view, a1, &participants, &n), 1);
	assert_false(psync_graph_find(&bed.img, 0, 1)->gone);
	assert_int_equal(psync_view_resend(&view, a1, 1), 0);
	assert_int_equal(bed.nsent, 0);
	psync_bed_leave(&bed, &slow);
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Nor is what all sites hold, and only the history keeps (P 5). */
static void psync_repair_test_resend_kept(void **state)
{
	struct psync_repair_lab lab;
	u32 participants, n;
	u64 mids[6];

	psync_repair_open(&lab, 1000);
	psync_image_history(&lab.bed.img, 1 << 20);
	psync_repair_graph(&lab, mids);
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_resend(&lab.view, A2, 1), 0);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	psync_bed_held(&lab.bed);
	assert_int_equal(psync_view_stable(&lab.view, A2, &participants, &n),
			 0);
	assert_false(psync_graph_find(&lab.bed.img, 0, 2)->gone);
	assert_int_equal(psync_view_resend(&lab.view, A2, 1), 0);
	assert_int_equal(lab.bed.nsent, 0);
	psync_repair_close(&lab);
}

/* What was given back does not follow what is resent: its bytes are gone. */
static void psync_repair_test_successors_gone(void **state)
{
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u64 mids[6], a3;

	psync_repair_open(&lab, 1000);
	psync_repair_graph(&lab, mids);
	psync_bed_drain(&lab.view);
	psync_bed_held(&lab.bed);
	assert_true(psync_graph_find(&lab.bed.img, 0, 2)->gone);
	a3 = psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	/* Both follow b1: a2, which all hold, and a3. */
	psync_bed_craft(&lab.bed, 1, 1, 2, 0, NULL, NULL, &pkt);
	pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 2, 0ULL);
	/* Of a2 only a3 is left. */
	psync_bed_craft(&lab.bed, 0, 2, 3, 0, NULL, NULL, &pkt);
	pkt.src_site = 2;
	pkt.src_inc = 5002;
	pkt.msg.flags = PSYNC_MSGF_RESENT | PSYNC_MSGF_REPEAT |
			PSYNC_MSGF_FOREIGN;
	pkt.msg.inc = lab.bed.img.p.inc;
	pkt.msg.opening = 7;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_DUPLICATE);
	psync_repair_expect(&lab, 2, a3, 0ULL);
	psync_repair_close(&lab);
}

/* What is freed is not sent again; what is kept after it is. */
static void psync_repair_test_gone(void **state)
{
	struct psync_repair_lab lab;
	u64 held[4] = {};
	u32 i;

	psync_repair_open(&lab, 1000);
	for (i = 0; i < 4; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	psync_bed_held(&lab.bed);
	assert_int_equal(lab.bed.img.nnodes, 4);
	for (i = 0; i < 2; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	/* One that says less than it said before: its site knows better. */
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 1), PSYNC_OK);
	psync_repair_expect(&lab, 2, PSYNC_MID(0, 5), PSYNC_MID(0, 6), 0ULL);
	lab.bed.img.p.limits.max_nodes = 1;
	held[0] = 4;
	psync_bed_held(&lab.bed);
	assert_int_equal(lab.bed.img.nnodes, 1);
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0, 100 * MS),
			 PSYNC_OK);
	psync_repair_expect(&lab, 2, 0ULL);
	psync_repair_close(&lab);
}

/* S2.4: who asks for what is gone is told up to where, and gets the rest. */
static void psync_repair_test_tell_gone(void **state)
{
	u64 held[4] = { 2, 0, 0, 0 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u32 i, site;

	psync_repair_open(&lab, 1000);
	for (i = 0; i < 4; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	/* Site 4 was silent for so long that nobody waited for it. */
	psync_bed_held(&lab.bed);
	lab.bed.img.remotes[2].vec[0] = 0;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 1), PSYNC_OK);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 4);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	assert_int_equal(pkt.vector.seq, 4);
	assert_int_equal(pkt.vector.flags, 0);
	psync_repair_expect(&lab, 4, PSYNC_MID(0, 5), 0ULL);
	/* Nodes that were freed are gone as well. */
	lab.bed.img.p.limits.max_nodes = 1;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	assert_int_equal(lab.bed.img.nnodes, 2);
	held[0] = 3;
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, SEC), PSYNC_OK);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	psync_repair_expect(&lab, 4, PSYNC_MID(0, 5), PSYNC_MID(0, 6), 0ULL);
	/* Without memory for that it says what it can. */
	lab.bed.fail_at = lab.bed.allocs + 1;
	lab.bed.img.remotes[2].vec[0] = 3;
	assert_int_equal(psync_repair_ask(&lab, 4, held, 0, 2 * SEC), PSYNC_OK);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_NO_MEM], 1);
	psync_repair_expect(&lab, 4, PSYNC_MID(0, 5), PSYNC_MID(0, 6), 0ULL);
	psync_repair_close(&lab);
}

/* A GONE of @site, up to @held; the greatest wave there is @wave. */
static enum psync_drop psync_repair_gone_to(struct psync_repair_lab *lab,
					    u32 site, const u64 *held, u32 wave)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(&lab->bed, PSYNC_PKT_GONE, site, held, wire, &pkt);
	pkt.vector.seq = wave;
	return psync_bed_input(&lab->bed, &pkt, lab->bed.img.now);
}

/* Nobody asked, or not this one, or it comes when another was asked since. */
static void psync_repair_gone_unasked(struct psync_repair_lab *lab,
				      const u64 *held)
{
	struct psync_pkt pkt;

	assert_int_equal(psync_repair_gone_to(lab, 2, held, 5),
			 PSYNC_DROP_BAD_VECTOR);
	assert_int_equal(psync_repair_next(lab, &pkt), 2);
	assert_int_equal(psync_repair_gone_to(lab, 3, held, 5),
			 PSYNC_DROP_BAD_VECTOR);
	lab->bed.img.rr_site = 3;
	assert_int_equal(psync_repair_gone_to(lab, 2, held, 5),
			 PSYNC_DROP_DUPLICATE);
	lab->bed.img.rr_site = 2;
}

/* What is gone everywhere is given up, with one event, and all goes on. */
static void psync_repair_test_take_gone(void **state)
{
	u64 b3 = PSYNC_MID(1, 3), b4 = PSYNC_MID(1, 4), c1 = PSYNC_MID(2, 1);
	u64 held[4] = { 0, 3, 2, 0 }, got[4];
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	/* Site 2 is known to have what is missing. */
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 4, 6, 1, &b3), PSYNC_OK);
	psync_bed_forget(&lab.bed);
	assert_int_equal(lab.bed.img.nheld, 1);
	psync_repair_gone_unasked(&lab, held);
	/* Of what was sent here nothing is gone that is not here. */
	held[0] = 1;
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 5),
			 PSYNC_DROP_BAD_VECTOR);
	assert_int_equal(lab.bed.img.nlack, 2);
	held[0] = 0;
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 5), PSYNC_OK);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_GAP);
	assert_int_equal(lab.bed.events[0].site, 2);
	assert_int_equal(lab.bed.events[0].reason, 4);
	assert_int_equal(lab.bed.events[0].mid, PSYNC_MID(1, 1));
	assert_int_equal(lab.bed.events[0].other, PSYNC_MID(2, 2));
	/* b4, which waited for b3, is there; nothing is missing. */
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.img.nlack, 0);
	assert_int_equal(lab.bed.img.parts[1].seq, 4);
	assert_int_equal(lab.bed.img.parts[2].seq, 2);
	assert_int_equal(psync_bed_receive(&lab.view), c1);
	assert_int_equal(psync_bed_receive(&lab.view), b4);
	assert_int_equal(psync_view_leaves(&lab.view, got, 4), 2);
	/* Told again, there is nothing new in it. */
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 5),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(lab.bed.nevents, 1);
	/* What was given up and comes late is late. */
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 2, 0, NULL),
			 PSYNC_DROP_DUPLICATE);
	/* Queries of what is there go on; what follows it, too. */
	assert_int_equal(psync_view_step(&lab.view, c1, true, got, 4), 0);
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 3, 7, 1, &b4), PSYNC_OK);
	assert_int_equal(psync_view_step(&lab.view, b4, true, got, 4), 0);
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_step(&lab.view, b4, true, got, 4), 1);
	/* Who has closed needs nothing any more. */
	psync_image_leave(&lab.bed.img, &lab.view, lab.bed.img.now);
	held[1] = 9;
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 9),
			 PSYNC_DROP_CLOSED);
	psync_bed_exit(&lab.bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What is held is not lost with what is gone. */
static void psync_repair_test_gone_held(void **state)
{
	u64 held[4] = { 0, 3, 0, 0 }, b1 = PSYNC_MID(1, 1);
	u64 b2 = PSYNC_MID(1, 2);
	struct psync_repair_lab lab;
	struct psync_pkt pkt;

	psync_repair_open(&lab, 1000);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(psync_repair_next(&lab, &pkt), 2);
	/* Without memory nothing happens, and it is asked again. */
	lab.bed.fail_at = lab.bed.allocs + 2;
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 3),
			 PSYNC_DROP_NO_MEM);
	lab.bed.fail_at = lab.bed.allocs + 1;
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 3),
			 PSYNC_DROP_NO_MEM);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(psync_repair_gone_to(&lab, 2, held, 3), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.img.waiting_bytes, 0);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_DUPLICATE], 0);
	assert_int_equal(lab.bed.img.attached, 1);
	assert_int_equal(lab.bed.img.parts[1].seq, 3);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_GAP);
	assert_int_equal(lab.bed.events[0].reason, 2);
	assert_int_equal(lab.bed.events[0].mid, b1);
	assert_int_equal(lab.bed.events[0].other, PSYNC_MID(1, 3));
	assert_int_equal(psync_bed_receive(&lab.view), b2);
	psync_repair_close(&lab);
}

/* What is lost may be what two messages that are here are linked by. */
static void psync_repair_test_gone_link(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1), d1 = PSYNC_MID(3, 1);
	u64 held[4] = { 0, 1, 1, 1 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	u32 site;

	psync_repair_open(&lab, 1000);
	psync_repair_add(&lab, 1, 1, 1, 0, NULL);
	psync_repair_add(&lab, 3, 1, 3, 1, &c1);
	site = psync_repair_next(&lab, &pkt);
	assert_int_equal(psync_repair_gone_to(&lab, site, held, 3), PSYNC_OK);
	assert_int_equal(lab.bed.img.parts[2].gap, 1);
	/* Others are told how deep that may have been. */
	psync_bed_forget(&lab.bed);
	lab.bed.muted = 1 << PSYNC_PKT_ACK | 1 << PSYNC_PKT_MSG;
	memset(held, 0, sizeof(held));
	held[1] = 1;
	assert_int_equal(psync_repair_ask(&lab, 2, held, 0,
					  lab.bed.img.now + SEC), PSYNC_OK);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_GONE);
	assert_int_equal(site, 2);
	assert_int_equal(pkt.vector.seq, 3);
	psync_bed_forget(&lab.bed);
	/* d1 follows c1, and that b1: only who has c1 knows. */
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 4, 1, &d1), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&lab.view), b1);
	assert_int_equal(psync_bed_receive(&lab.view), d1);
	assert_int_equal(psync_bed_receive(&lab.view), PSYNC_MID(1, 2));
	psync_repair_close(&lab);
}

/*
 * Several are, of two participants, with gaps between them: each goes on once
 * what it follows is here or lost, whatever the order in which they came.
 */
static void psync_repair_test_gone_between(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), c1 = PSYNC_MID(2, 1);
	u64 c2 = PSYNC_MID(2, 2), c3 = PSYNC_MID(2, 3), c4 = PSYNC_MID(2, 4);
	u64 c5 = PSYNC_MID(2, 5), c9 = PSYNC_MID(2, 9), preds[2] = { b2, c2 };
	u64 held[4] = { 0, 3, 4, 1 }, next[4];
	struct psync_repair_lab lab;
	const struct psync_node *node;
	struct psync_pkt pkt;
	u32 i;

	psync_repair_open(&lab, 1000);
	psync_repair_add(&lab, 2, 1, 1, 0, NULL);
	psync_repair_add(&lab, 2, 5, 6, 1, &c4);
	psync_repair_add(&lab, 2, 3, 4, 2, preds);
	psync_repair_add(&lab, 1, 2, 3, 1, &b1);
	/* One that lies: what it follows is not gone. */
	psync_repair_add(&lab, 3, 1, 2, 1, &c9);
	assert_int_equal(lab.bed.img.nheld, 4);
	for (i = 0; lab.bed.img.rr_site != 3 && i < 20; i++)
		psync_repair_next(&lab, &pkt);
	assert_int_equal(psync_repair_gone_to(&lab, 3, held, 5), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 0);
	assert_int_equal(lab.bed.img.waiting_bytes, 0);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_CONTEXT_LOST], 1);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_DUPLICATE], 0);
	/* b1, b3, c2, c4, and d1 as far as it can be known. */
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].reason, 5);
	assert_int_equal(psync_bed_receive(&lab.view), c1);
	assert_int_equal(psync_bed_receive(&lab.view), b2);
	assert_int_equal(psync_bed_receive(&lab.view), c3);
	assert_int_equal(psync_bed_receive(&lab.view), c5);
	/* Who sent c3 had c1, whatever is missing between them. */
	node = psync_graph_find(&lab.bed.img, 2, 5);
	assert_int_equal(node->stamp[1], 2);
	assert_int_equal(psync_view_precedes(&lab.view, c1, c3), 1);
	assert_int_equal(psync_view_precedes(&lab.view, b2, c5), 1);
	/* It is found among what is missing. */
	assert_int_equal(psync_view_step(&lab.view, b2, true, next, 4), 1);
	assert_int_equal(next[0], c3);
	psync_repair_close(&lab);
}

/*
 * After a gap a site cannot know that one of its leaves precedes another.  Who
 * has the graph takes its messages even so, without the edges that are none,
 * and sends them again as they were said.
 */
static void psync_repair_test_gap_leaves(void **state)
{
	u64 c1 = PSYNC_MID(2, 1), d1 = PSYNC_MID(3, 1), d2 = PSYNC_MID(3, 2);
	u64 held[4] = { 0, 0, 1, 1 }, mids[2], b1, got[4];
	struct psync_bed_packet packet;
	struct psync_repair_lab lab, far;
	const struct psync_node *node;
	struct psync_view view = {};
	struct psync_pkt pkt;
	__be32 wire[4];

	/* c1, d1 after it, d2 after d1: all at the lab; at site 2 d1 is gone. */
	psync_repair_open(&lab, 1000);
	psync_repair_add(&lab, 2, 1, 1, 0, NULL);
	psync_repair_add(&lab, 3, 1, 2, 1, &c1);
	psync_repair_add(&lab, 3, 2, 3, 1, &d1);
	psync_repair_join(&far, &view, 2);
	psync_repair_add(&far, 2, 1, 1, 0, NULL);
	psync_repair_add(&far, 3, 2, 3, 1, &d1);
	far.bed.img.rr_site = 1;
	far.bed.img.remotes[0].requested = true;
	psync_bed_vector(&far.bed, PSYNC_PKT_GONE, 1, held, wire, &pkt);
	pkt.vector.seq = 2;
	assert_int_equal(psync_bed_input(&far.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_bed_drain(&view), 2);
	/* To it c1 and d2 are concurrent, so both are leaves. */
	assert_int_equal(psync_view_leaves(&view, got, 4), 2);
	psync_bed_forget(&far.bed);
	b1 = psync_bed_send(&far.bed, &view, 100);
	packet = psync_bed_pop(&far.bed);
	assert_int_equal(psync_bed_give(&lab.bed, &packet, 0), PSYNC_OK);
	node = psync_graph_find(&lab.bed.img, 1, 1);
	assert_non_null(node);
	assert_int_equal(node->npred, 1);
	assert_int_equal(node->nsaid, 2);
	assert_int_equal(node->wave, 4);
	assert_true(psync_node_follows(node, d2));
	assert_false(psync_node_follows(node, c1));
	psync_bed_drain(&lab.view);
	assert_int_equal(psync_view_step(&lab.view, b1, false, mids, 2), 1);
	assert_int_equal(mids[0], d2);
	assert_int_equal(psync_view_leaves(&lab.view, got, 4), 1);
	/* It says all that it has, and is sent again like that. */
	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len +
					   100, &pkt), PSYNC_OK);
	assert_true(pkt.msg.flags & PSYNC_MSGF_STAMP);
	assert_int_equal(pkt.msg.npred, 2);
	psync_bed_forget(&lab.bed);
	psync_image_repeat(&lab.bed.img, node, 4, 0);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_true(pkt.msg.flags & PSYNC_MSGF_STAMP);
	assert_int_equal(pkt.msg.npred, 1);
	psync_bed_packet_free(&packet);
	psync_bed_leave(&far.bed, &view);
	psync_bed_exit(&far.bed);
	psync_repair_close(&lab);
}

/* An entry may also be in the context of its sender's previous message. */
static void psync_repair_test_gap_before(void **state)
{
	u64 c1 = PSYNC_MID(2, 1), d1 = PSYNC_MID(3, 1), preds[2];
	struct psync_repair_lab lab;
	const struct psync_node *node;

	psync_repair_open(&lab, 1000);
	psync_repair_add(&lab, 2, 1, 1, 0, NULL);
	psync_repair_add(&lab, 3, 1, 2, 1, &c1);
	preds[0] = psync_repair_add(&lab, 1, 1, 3, 1, &d1);
	preds[1] = c1;
	psync_repair_add(&lab, 1, 2, 4, 2, preds);
	node = lab.bed.img.parts[1].last;
	assert_int_equal(node->seq, 2);
	assert_int_equal(node->npred, 1);
	assert_true(psync_node_follows(node, preds[0]));
	psync_repair_close(&lab);
}

/**
 * struct psync_repair_net - all four sites, packets lost as a number says
 * @beds: sites
 * @views: participants
 * @now: time
 * @rng: state of the generator
 * @loss: of 256
 */
struct psync_repair_net {
	struct psync_bed	beds[4];
	struct psync_view	views[4];
	u64			now;
	u64			rng;
	u32			loss;
};

static u32 psync_repair_random(struct psync_repair_net *net)
{
	net->rng = net->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return net->rng >> 40;
}

/* Delivers what @from has sent, each copy lost by itself. */
static void psync_repair_carry(struct psync_repair_net *net, u32 from)
{
	struct psync_bed_packet packet;
	u32 to;

	while (net->beds[from].nsent) {
		packet = psync_bed_pop(&net->beds[from]);
		for (to = 0; to < 4; to++)
			if (to != from &&
			    (!packet.site || packet.site == to + 1) &&
			    psync_repair_random(net) % 256 >= net->loss)
				psync_bed_give(&net->beds[to], &packet,
					       net->now);
		psync_bed_packet_free(&packet);
	}
}

static void psync_repair_pass(struct psync_repair_net *net, u64 time)
{
	u64 until = net->now + time;
	u32 i;

	for (; net->now < until; net->now += MS) {
		for (i = 0; i < 4; i++) {
			if (net->beds[i].img.deadline <= net->now)
				psync_image_timer(&net->beds[i].img, net->now);
			psync_repair_carry(net, i);
			psync_bed_drain(&net->views[i]);
		}
	}
}

/* Half of all packets get lost: in the end all have all, and all is quiet. */
static void psync_repair_test_lossy(void **state)
{
	static struct psync_repair_net net;
	struct psync_image_params p;
	struct psync_pid pids[4];
	u64 seed;
	u32 i, k;

	for (seed = 1; seed <= 8; seed++) {
		memset(&net, 0, sizeof(net));
		net.rng = seed;
		net.loss = 128;
		psync_repair_params(&p, pids);
		p.limits.absent_ns = 600 * SEC;
		p.limits.null_ns = 1000 * SEC;
		for (i = 0; i < 4; i++) {
			psync_bed_init(&net.beds[i], &p, 1 + i);
			net.beds[i].muted = 0;
			psync_image_join(&net.beds[i].img, &net.views[i], i, 1,
					 1, 0);
		}
		for (k = 0; k < 40; k++) {
			i = psync_repair_random(&net) % 4;
			/* The window is another test's. */
			while (!psync_image_may_send(&net.beds[i].img, 0))
				psync_repair_pass(&net, 3 * MS);
			psync_bed_send(&net.beds[i], &net.views[i], 100);
			psync_repair_pass(&net, 3 * MS);
		}
		psync_repair_pass(&net, 60 * SEC);
		for (i = 0; i < 4; i++) {
			assert_int_equal(net.beds[i].img.attached, 40);
			assert_int_equal(net.beds[i].img.nheld, 0);
			assert_int_equal(net.beds[i].img.nlack, 0);
			assert_int_equal(net.beds[i].img.nuntaken, 0);
			assert_int_equal(net.views[i].count, 40);
			memset(net.beds[i].ntypes, 0,
			       sizeof(net.beds[i].ntypes));
		}
		psync_repair_pass(&net, 10 * SEC);
		for (i = 0; i < 4; i++)
			for (k = 0; k <= PSYNC_PKT_GONE; k++)
				assert_int_equal(net.beds[i].ntypes[k], 0);
		for (i = 0; i < 4; i++)
			psync_bed_leave(&net.beds[i], &net.views[i]);
		for (i = 0; i < 4; i++)
			psync_bed_exit(&net.beds[i]);
		assert_int_equal(psync_bed_bodies, 0);
	}
}

/*
 * Another site's vector covers it, nothing is held: its sender's own site is
 * asked first, unless that one is gone.
 */
static void psync_repair_test_sender(void **state)
{
	u64 held[4] = { 0, 0, 0, 0 };
	struct psync_repair_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_repair_open(&lab, 1000);
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	held[1] = 1;
	psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 4, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_repair_next(&lab, &pkt), 2);
	assert_int_equal(pkt.vector.flags, 0);
	assert_int_equal(psync_repair_next(&lab, &pkt), 4);
	/* More is lacking, of a site that holds nothing back any more. */
	lab.bed.img.remotes[0].absent = true;
	lab.bed.img.rr_tries = 0;
	assert_int_equal(psync_repair_next(&lab, &pkt), 4);
	psync_repair_close(&lab);
}

const struct CMUnitTest psync_repair_tests[] = {
	cmocka_unit_test(psync_repair_test_difference),
	cmocka_unit_test(psync_repair_test_mid),
	cmocka_unit_test(psync_repair_test_recover),
	cmocka_unit_test(psync_repair_test_rate),
	cmocka_unit_test(psync_repair_test_rate_often),
	cmocka_unit_test(psync_repair_test_starved),
	cmocka_unit_test(psync_repair_test_earliest),
	cmocka_unit_test(psync_repair_test_burst),
	cmocka_unit_test(psync_repair_test_again),
	cmocka_unit_test(psync_repair_test_listener),
	cmocka_unit_test(psync_repair_test_holders),
	cmocka_unit_test(psync_repair_test_void),
	cmocka_unit_test(psync_repair_test_void_rest),
	cmocka_unit_test(psync_repair_test_void_less),
	cmocka_unit_test(psync_repair_test_silent),
	cmocka_unit_test(psync_repair_test_void_back),
	cmocka_unit_test(psync_repair_test_nobody),
	cmocka_unit_test(psync_repair_test_claimed),
	cmocka_unit_test(psync_repair_test_round),
	cmocka_unit_test(psync_repair_test_turns_named),
	cmocka_unit_test(psync_repair_test_vain),
	cmocka_unit_test(psync_repair_test_turns),
	cmocka_unit_test(psync_repair_test_sender),
	cmocka_unit_test(psync_repair_test_foreign),
	cmocka_unit_test(psync_repair_test_foreign_confirms),
	cmocka_unit_test(psync_repair_test_hearsay),
	cmocka_unit_test(psync_repair_test_successors),
	cmocka_unit_test(psync_repair_test_successors_gone),
	cmocka_unit_test(psync_repair_test_resend),
	cmocka_unit_test(psync_repair_test_resend_stable),
	cmocka_unit_test(psync_repair_test_resend_kept),
	cmocka_unit_test(psync_repair_test_gone),
	cmocka_unit_test(psync_repair_test_tell_gone),
	cmocka_unit_test(psync_repair_test_take_gone),
	cmocka_unit_test(psync_repair_test_gone_held),
	cmocka_unit_test(psync_repair_test_gone_between),
	cmocka_unit_test(psync_repair_test_gone_link),
	cmocka_unit_test(psync_repair_test_gap_leaves),
	cmocka_unit_test(psync_repair_test_gap_before),
	cmocka_unit_test(psync_repair_test_lossy),
};

const size_t psync_repair_ntests = ARRAY_SIZE(psync_repair_tests);
