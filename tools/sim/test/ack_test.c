// SPDX-License-Identifier: GPL-2.0-only
/* Which site holds what: vectors, counts, absence, round trips, probes. */
#include "bed.h"

#define MS	PSYNC_BED_MS

/* What site 1 has sent is acknowledged by sites 2 to 4. */
static const u32 psync_ack_sites[] = { 1, 2, 3, 4 };

/**
 * struct psync_ack_lab - one image, the other sites made by hand
 * @bed: site 1
 * @view: participant 0
 * @held: what each other site says it holds, by site - 2
 */
struct psync_ack_lab {
	struct psync_bed	bed;
	struct psync_view	view;
	u64			held[3][4];
};

static void psync_ack_open(struct psync_ack_lab *lab, u32 number)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	memset(lab, 0, sizeof(*lab));
	psync_bed_params(&p, pids, psync_ack_sites, 4, number);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&lab->bed, &p, 1), 0);
	lab->bed.muted = 0;
	assert_int_equal(psync_image_join(&lab->bed.img, &lab->view, 0, 1, 7,
					  0), 0);
}

static void psync_ack_close(struct psync_ack_lab *lab)
{
	psync_bed_leave(&lab->bed, &lab->view);
	psync_bed_exit(&lab->bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* An ACK of @site with what it holds. */
static void psync_ack_craft(const struct psync_ack_lab *lab, u32 site,
			    __be32 *wire, struct psync_pkt *pkt)
{
	psync_bed_vector(&lab->bed, PSYNC_PKT_ACK, site, lab->held[site - 2],
			 wire, pkt);
}

/* @site says that it holds participant 0's messages up to @seq. */
static enum psync_drop psync_ack_say(struct psync_ack_lab *lab, u32 site,
				     u64 seq, u64 now)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	lab->held[site - 2][0] = seq;
	psync_ack_craft(lab, site, wire, &pkt);
	return psync_bed_input(&lab->bed, &pkt, now);
}

static const struct psync_node *psync_ack_node(const struct psync_ack_lab *lab,
					       u32 index, u64 seq)
{
	const struct psync_node *node = psync_graph_find(&lab->bed.img, index,
							 seq);

	assert_non_null(node);
	return node;
}

/* After vectors up to @seen[site]: who lacks what, what is kept. */
static void psync_ack_check(const struct psync_ack_lab *lab, const u64 *seen,
			    u32 nmsgs)
{
	u32 unheld, owed = 0, seq, k;

	for (seq = 1; seq <= nmsgs; seq++) {
		unheld = 0;
		for (k = 0; k < 3; k++)
			unheld += seen[k] < seq;
		owed += !!unheld;
		assert_int_equal(psync_ack_node(lab, 0, seq)->unheld, unheld);
		assert_int_equal(psync_ack_node(lab, 0, seq)->gone, !unheld);
		assert_int_equal(!psync_ack_node(lab, 0, seq)->body, !unheld);
	}
	assert_int_equal(lab->bed.img.nowed, owed);
	assert_int_equal(lab->bed.img.own_bytes, 100 * owed);
	assert_int_equal(lab->bed.img.body_bytes, 100 * owed);
	assert_int_equal(psync_bed_bodies, owed);
	for (k = 0; k < 3; k++) {
		assert_int_equal(lab->bed.img.remotes[k].lag, nmsgs - seen[k]);
		assert_int_equal(lab->bed.img.remotes[k].probe_at == U64_MAX,
				 nmsgs == seen[k]);
	}
}

/* Vectors 0 to 3 of three sites in every order, stale ones between them. */
static void psync_ack_test_orders(void **state)
{
	struct psync_ack_lab lab;
	u32 order, left, k, i;
	u64 seen[3];

	for (order = 0; order < 3 * 3 * 3 * 3 * 3 * 3; order++) {
		psync_ack_open(&lab, 0);
		for (i = 0; i < 3; i++)
			psync_bed_send(&lab.bed, &lab.view, 100);
		psync_bed_forget(&lab.bed);
		memset(seen, 0, sizeof(seen));
		psync_ack_check(&lab, seen, 3);
		left = order;
		for (i = 0; i < 6; i++) {
			k = left % 3;
			left /= 3;
			if (seen[k] < 3)
				seen[k]++;
			assert_int_equal(psync_ack_say(&lab, 2 + k, seen[k], 1),
					 PSYNC_OK);
			/* One that was delayed takes nothing back. */
			assert_int_equal(psync_ack_say(&lab, 2 + k,
						       seen[k] / 2, 1),
					 PSYNC_OK);
			psync_ack_check(&lab, seen, 3);
		}
		/* A jump from wherever it was. */
		for (k = 0; k < 3; k++) {
			seen[k] = 3;
			assert_int_equal(psync_ack_say(&lab, 2 + k, 3, 1), 0);
			psync_ack_check(&lab, seen, 3);
		}
		psync_ack_close(&lab);
	}
}

/* Vectors around the wrap of what the wire has. */
static void psync_ack_test_wrap(void **state)
{
	static const u32 sites[] = { 1, 2 };
	u64 base = U32_MAX - 1, held[2];
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[2];
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[2];
	u32 i;

	psync_bed_params(&p, pids, sites, 2, 0);
	p.seq_base = base;
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &view, 0, 1, 7, 0);
	for (i = 0; i < 4; i++)
		psync_bed_send(&bed, &view, 100);
	held[1] = base;
	for (i = 0; i <= 4; i++) {
		held[0] = base + i;
		psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
		assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
		assert_int_equal(bed.img.nowed, 4 - i);
	}
	wire[0] = cpu_to_be32((u32)base - 1);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_VECTOR);
	wire[0] = cpu_to_be32((u32)base + 5);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_VECTOR);
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Data is an acknowledgement: its sender's site holds its context. */
static void psync_ack_test_context(void **state)
{
	u64 a1 = PSYNC_MID(0, 1), a2 = PSYNC_MID(0, 2), b1 = PSYNC_MID(1, 1);
	u64 preds[2] = { a2, b1 };
	struct psync_ack_lab lab;
	struct psync_image *img;

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_send(&lab.bed, &lab.view, 100);
	/* c1 after a1: of site 3 only, and not more than a1. */
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_ack_held(img, &img->remotes[1], 0), 1);
	assert_int_equal(psync_ack_held(img, &img->remotes[1], 2), 1);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 2);
	assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 3);
	/* c1 itself is lacked by the two others. */
	assert_int_equal(psync_ack_node(&lab, 2, 1)->unheld, 2);
	/* d1 after a2 and b1, which is not here: it waits and says nothing. */
	assert_int_equal(psync_bed_msg(&lab.bed, 3, 1, 3, 2, preds), PSYNC_OK);
	assert_int_equal(img->nheld, 1);
	assert_int_equal(psync_ack_held(img, &img->remotes[2], 0), 0);
	assert_int_equal(psync_ack_held(img, &img->remotes[2], 3), 0);
	/* But there is a b1, and its site is asked. */
	assert_int_equal(img->parts[1].claimed, 1);
	assert_int_equal(img->nlack, 2);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(img->nheld, 0);
	assert_int_equal(img->nlack, 0);
	assert_int_equal(psync_ack_held(img, &img->remotes[2], 0), 2);
	assert_int_equal(psync_ack_held(img, &img->remotes[2], 1), 1);
	assert_int_equal(psync_ack_held(img, &img->remotes[2], 3), 1);
	assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 2);
	psync_ack_close(&lab);
}

/* A message that finds no room tells what its sender holds even so (S2.5). */
static void psync_ack_test_refused(void **state)
{
	u64 preds[2] = { PSYNC_MID(0, 3), PSYNC_MID(1, 1) };
	struct psync_ack_lab lab;
	u32 i;

	psync_ack_open(&lab, 0);
	for (i = 0; i < 3; i++)
		psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_say(&lab, 3, 3, 0), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 4, 3, 0), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	lab.bed.img.p.limits.max_nodes = 1;
	lab.bed.img.p.limits.max_bytes = 150;
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 4, 2, preds),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(lab.bed.img.nowed, 0);
	assert_int_equal(lab.bed.img.own_bytes, 0);
	assert_int_equal(lab.bed.img.nnodes, 1);
	psync_ack_close(&lab);
}

/* What a held message says of a participant here that never was. */
static void psync_ack_test_local_claim(void **state)
{
	u64 preds[2] = { PSYNC_MID(0, 9), PSYNC_MID(1, 1) };
	struct psync_ack_lab lab;

	psync_ack_open(&lab, 0);
	/* It waits for its own previous one, so this one is not looked at. */
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 2, 2, 2, preds), PSYNC_OK);
	assert_int_equal(lab.bed.img.nheld, 1);
	assert_int_equal(lab.bed.img.parts[0].claimed, 0);
	assert_int_equal(lab.bed.img.nlack, 2);
	psync_ack_close(&lab);
	assert_int_equal(lab.bed.drops[PSYNC_DROP_LEFT_OVER], 1);
}

/* What there is no memory for is not known, and must be said again. */
static void psync_ack_test_memory(void **state)
{
	struct psync_ack_lab lab;
	struct psync_image *img;

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	lab.bed.fail_at = lab.bed.allocs + 1;
	assert_int_equal(psync_ack_say(&lab, 2, 1, 0), PSYNC_DROP_NO_MEM);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 0), 0);
	assert_int_equal(psync_ack_say(&lab, 2, 1, 0), PSYNC_OK);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 0), 1);
	psync_ack_close(&lab);
}

/* What contradicts us. */
static void psync_ack_test_bad(void **state)
{
	struct psync_ack_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	/* Acknowledged what was never sent; then nothing else of it counts. */
	lab.held[0][0] = 2;
	lab.held[0][1] = 5;
	psync_ack_craft(&lab, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_BAD_VECTOR);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 0), 0);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 1), 0);
	assert_int_equal(img->nlack, 0);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 3);
	/* Neither does its question, nor its answer. */
	pkt.vector.flags = PSYNC_VECTORF_ASK | PSYNC_VECTORF_ECHO;
	pkt.vector.echo = 1;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 5 * MS),
			 PSYNC_DROP_BAD_VECTOR);
	assert_int_equal(img->remotes[0].srtt, 0);
	assert_int_equal(lab.bed.nsent, 0);
	/* As a request it is answered no better. */
	pkt.type = PSYNC_PKT_RR;
	pkt.vector.flags = 0;
	pkt.vector.echo = 0;
	pkt.vector.credit_bytes = 0;
	pkt.vector.credit_msgs = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_BAD_VECTOR);
	assert_int_equal(lab.bed.nsent, 0);
	psync_ack_close(&lab);
}

/* Vectors of another site, list, conversation or opening. */
static void psync_ack_test_other(void **state)
{
	struct psync_pkt pkt, good;
	struct psync_ack_lab lab;
	struct psync_image *img;
	__be32 wire[4];

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_forget(&lab.bed);
	lab.held[0][0] = 1;
	psync_ack_craft(&lab, 2, wire, &good);
	pkt = good;
	pkt.src_site = 9;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_NOT_MEMBER);
	pkt = good;
	pkt.group = 8;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_BAD_HEADER);
	pkt = good;
	pkt.number = 8;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_BAD_HEADER);
	pkt = good;
	pkt.vector.n = 3;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_DROP_DIGEST);
	pkt = good;
	pkt.digest++;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_DROP_DIGEST);
	pkt = good;
	pkt.vector.dst_opening = 6;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 0), 0);
	assert_int_equal(psync_bed_input(&lab.bed, &good, 0), PSYNC_OK);
	assert_int_equal(psync_ack_held(img, &img->remotes[0], 0), 1);
	/* Its opening is fixed now. */
	pkt = good;
	pkt.opening = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	pkt.src_inc--;
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	psync_ack_close(&lab);
}

/* Who only listens has no opening that a refusal could name. */
static void psync_ack_test_refusal(void **state)
{
	struct psync_ack_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_ack_open(&lab, 0);
	psync_ack_craft(&lab, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	/* It came back and listens: no answer, but all here are told. */
	pkt.src_inc++;
	pkt.opening = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_REOPENED);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_REOPENED);
	pkt.digest++;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 2000 * MS),
			 PSYNC_DROP_DIGEST);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(lab.bed.events[1].type, PSYNC_EV_MISMATCH);
	psync_ack_close(&lab);
}

/* A rendezvous: who speaks is asked first (S1.4). */
static void psync_ack_test_unconfirmed(void **state)
{
	struct psync_ack_lab lab;
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 site;

	psync_ack_open(&lab, 3);
	assert_int_equal(psync_bed_forget(&lab.bed), 3);
	psync_ack_craft(&lab, 2, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_UNCONFIRMED);
	assert_int_equal(lab.bed.nsent, 0);
	lab.bed.img.remotes[0].state = PSYNC_REMOTE_UNKNOWN;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_UNCONFIRMED);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(pkt.type, PSYNC_PKT_HELLO);
	assert_int_equal(site, 2);
	assert_false(lab.bed.img.remotes[0].heard);
	psync_ack_close(&lab);
}

/* For an earlier opening of ours: of that nobody here has anything. */
static void psync_ack_test_past(void **state)
{
	struct psync_ack_lab lab;
	struct psync_pkt pkt, answer;
	__be32 wire[4];
	u32 site, i;

	psync_ack_open(&lab, 0);
	psync_ack_craft(&lab, 2, wire, &pkt);
	pkt.vector.dst_opening = 6;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(lab.bed.nsent, 0);
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	pkt.vector.token = 5;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	psync_bed_take(&lab.bed, &answer, &site);
	assert_int_equal(site, 2);
	assert_int_equal(answer.type, PSYNC_PKT_REFUSE);
	assert_int_equal(answer.refuse.reason, PSYNC_REFUSE_ABSENT);
	assert_int_equal(answer.refuse.opening, 1);
	/* Whatever it asks, once a second. */
	for (i = 0; i < 100; i++)
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 999 * MS),
				 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(lab.bed.nsent, 0);
	psync_ack_craft(&lab, 3, wire, &pkt);
	pkt.vector.dst_opening = 6;
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	for (i = 0; i < 2; i++) {
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1000 * MS),
				 PSYNC_DROP_STALE_OPENING);
		assert_int_equal(psync_bed_forget(&lab.bed), !i);
	}
	psync_ack_craft(&lab, 2, wire, &pkt);
	pkt.vector.dst_opening = 6;
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1000 * MS),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(psync_bed_forget(&lab.bed), 1);
	/* The answer of a site without the image: only to what asks. */
	assert_true(psync_image_absence(&pkt, &answer));
	pkt.vector.flags = 0;
	assert_false(psync_image_absence(&pkt, &answer));
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	pkt.opening = 0;
	assert_false(psync_image_absence(&pkt, &answer));
	psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_false(psync_image_absence(&pkt, &answer));
	pkt.msg.flags = PSYNC_MSGF_ASK;
	assert_true(psync_image_absence(&pkt, &answer));
	pkt.type = PSYNC_PKT_RR;
	assert_false(psync_image_absence(&pkt, &answer));
	psync_ack_close(&lab);
}

/* S1.5: who was not heard holds nothing back, until it is. */
static void psync_ack_test_absent(void **state)
{
	struct psync_ack_lab lab;
	struct psync_image *img;

	psync_ack_open(&lab, 0);
	lab.bed.muted = ~0U;
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_say(&lab, 2, 1, 10 * MS), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 3, 0, 10 * MS), PSYNC_OK);
	psync_bed_run(&lab.bed, 30000 * MS - 1);
	assert_int_equal(lab.bed.nevents, 0);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 2);
	psync_bed_run(&lab.bed, 30000 * MS);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_ABSENT);
	assert_int_equal(lab.bed.events[0].site, 4);
	assert_true(img->remotes[2].absent);
	assert_int_equal(img->remotes[2].lag, 0);
	assert_int_equal(img->remotes[2].probe_at, U64_MAX);
	/* Site 3 was heard and is waited for. */
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 1);
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 2);
	/* Site 4 speaks: what is kept waits for it from now on. */
	assert_int_equal(psync_ack_say(&lab, 3, 1, 30001 * MS), PSYNC_OK);
	assert_true(psync_ack_node(&lab, 0, 1)->gone);
	assert_int_equal(psync_ack_say(&lab, 4, 1, 30001 * MS), PSYNC_OK);
	assert_false(img->remotes[2].absent);
	assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 3);
	assert_int_equal(img->remotes[2].lag, 1);
	assert_int_not_equal(img->remotes[2].probe_at, U64_MAX);
	psync_ack_close(&lab);
}

/* Absent, it has nothing; heard without anything, it counts for all. */
static void psync_ack_test_absent_back(void **state)
{
	struct psync_ack_lab lab;

	psync_ack_open(&lab, 0);
	lab.bed.muted = ~0U;
	assert_int_equal(psync_ack_say(&lab, 2, 0, 1), PSYNC_OK);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_run(&lab.bed, 30000 * MS);
	assert_int_equal(lab.bed.nevents, 2);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 1);
	assert_int_equal(lab.bed.img.nowed, 1);
	assert_int_equal(psync_ack_say(&lab, 4, 0, 30001 * MS), PSYNC_OK);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 2);
	assert_int_equal(psync_ack_say(&lab, 2, 1, 30001 * MS), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 4, 1, 30001 * MS), PSYNC_OK);
	assert_true(psync_ack_node(&lab, 0, 1)->gone);
	assert_int_equal(lab.bed.img.nowed, 0);
	psync_ack_close(&lab);
}

/* Its site says that nobody there has it: absent when it stays so. */
static void psync_ack_test_denied(void **state)
{
	struct psync_ack_lab lab;
	struct psync_pkt refusal, msg;

	psync_ack_open(&lab, 0);
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_say(&lab, 2, 1, MS), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 3, 1, MS), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 4, 0, MS), PSYNC_OK);
	/* Long after the opening nobody is absent. */
	psync_bed_run(&lab.bed, 40000 * MS);
	assert_int_equal(lab.bed.nevents, 0);
	psync_bed_craft(&lab.bed, 3, 1, 1, 0, NULL, NULL, &msg);
	msg.opening = 7;
	psync_image_refusal(&msg, msg.digest, 0, PSYNC_REFUSE_ABSENT, &refusal);
	refusal.src_site = 4;
	refusal.src_inc = 5004;
	refusal.refuse.opening = 6;
	assert_int_equal(psync_bed_input(&lab.bed, &refusal, 40000 * MS),
			 PSYNC_DROP_STALE_OPENING);
	assert_true(lab.bed.img.remotes[2].heard);
	refusal.refuse.opening = 7;
	assert_int_equal(psync_bed_input(&lab.bed, &refusal, 40000 * MS),
			 PSYNC_OK);
	assert_false(lab.bed.img.remotes[2].heard);
	/* Said again and again it does not put that off. */
	assert_int_equal(psync_bed_input(&lab.bed, &refusal, 50000 * MS),
			 PSYNC_OK);
	psync_bed_run(&lab.bed, 70000 * MS - 1);
	assert_int_equal(lab.bed.nevents, 0);
	assert_int_equal(lab.bed.img.nowed, 1);
	psync_bed_run(&lab.bed, 70000 * MS);
	assert_int_equal(lab.bed.nevents, 1);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_ABSENT);
	assert_int_equal(lab.bed.img.nowed, 0);
	/* Once absent, it changes nothing. */
	assert_int_equal(psync_bed_input(&lab.bed, &refusal, 70001 * MS),
			 PSYNC_OK);
	assert_int_equal(lab.bed.img.absent_at, U64_MAX);
	assert_false(lab.bed.img.refused);
	psync_ack_close(&lab);
}

/* All its participants have ended, or it came back: nobody waits for it. */
static void psync_ack_test_ended(void **state)
{
	struct psync_pkt pkt;
	struct psync_ack_lab lab;
	struct psync_image *img;
	__be32 wire[4];

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_say(&lab, 3, 0, 0), PSYNC_OK);
	/* b's END, which does not follow a1. */
	psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	assert_true(img->parts[1].ended);
	assert_int_equal(img->remotes[0].nlive, 0);
	assert_int_equal(img->remotes[0].lag, 0);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 2);
	assert_int_equal(psync_ack_node(&lab, 1, 1)->unheld, 2);
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 2);
	/* Site 3 has a later opening: the one that is meant is over. */
	psync_ack_craft(&lab, 3, wire, &pkt);
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 1),
			 PSYNC_DROP_REOPENED);
	assert_true(img->remotes[1].moved);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 1);
	assert_int_equal(psync_ack_say(&lab, 4, 2, 1), PSYNC_OK);
	assert_int_equal(img->nowed, 0);
	psync_ack_close(&lab);
}

/* Two participants at one site: both have to end. */
static void psync_ack_test_ended_both(void **state)
{
	static const u32 sites[] = { 1, 2, 2 };
	struct psync_image_params p;
	struct psync_view view = {};
	struct psync_pid pids[3];
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 i;

	psync_bed_params(&p, pids, sites, 3, 0);
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &view, 0, 1, 7, 0);
	psync_bed_send(&bed, &view, 100);
	psync_bed_forget(&bed);
	for (i = 1; i < 3; i++) {
		assert_int_equal(bed.img.nowed, 1);
		psync_bed_craft(&bed, i, 1, 1, 0, NULL, NULL, &pkt);
		pkt.msg.kind = PSYNC_KIND_END;
		pkt.body_len = 0;
		assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	}
	assert_int_equal(bed.img.nowed, 0);
	assert_int_equal(psync_bed_bodies, 0);
	/* Nobody is left who could want to know that we end, too. */
	psync_bed_leave(&bed, &view);
	assert_int_equal(bed.img.attached, 3);
	psync_bed_exit(&bed);
}

/* Gives the answer to a question, @token, of site 2. */
static void psync_ack_echo(struct psync_ack_lab *lab, u32 token, u64 now)
{
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_ack_craft(lab, 2, wire, &pkt);
	pkt.vector.flags = PSYNC_VECTORF_ECHO;
	pkt.vector.echo = token;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, now), PSYNC_OK);
}

/* RFC 6298, and waits within their bounds. */
static void psync_ack_test_rtt(void **state)
{
	struct psync_ack_lab lab;
	struct psync_remote *remote;
	struct psync_image *img;
	struct psync_pkt pkt;

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	remote = &img->remotes[0];
	assert_int_equal(psync_ack_wait(img, remote, 0), 100 * MS);
	/* The least wait is one also before anything was measured. */
	img->p.limits.rto_ns = 1 * MS;
	assert_int_equal(psync_ack_wait(img, remote, 0), 10 * MS);
	assert_int_equal(psync_ack_wait(img, NULL, 1), 20 * MS);
	img->p.limits.rto_ns = 100 * MS;
	img->now = 1000 * MS;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START | PSYNC_MSGF_ASK);
	/* The next one asks nobody: an answer is under way. */
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, 0);
	psync_ack_echo(&lab, 2, 1005 * MS);
	assert_int_equal(remote->srtt, 0);
	psync_ack_echo(&lab, 1, 1020 * MS);
	assert_int_equal(remote->srtt, 20 * MS);
	assert_int_equal(remote->rttvar, 10 * MS);
	assert_int_equal(psync_ack_wait(img, remote, 0), 60 * MS);
	assert_int_equal(psync_ack_wait(img, remote, 3), 480 * MS);
	assert_int_equal(psync_ack_wait(img, remote, 6), 2000 * MS);
	assert_int_equal(psync_ack_wait(img, remote, U32_MAX), 2000 * MS);
	assert_int_equal(psync_ack_wait(img, NULL, 1), 120 * MS);
	/* The same answer again is none. */
	psync_ack_echo(&lab, 1, 1900 * MS);
	assert_int_equal(remote->srtt, 20 * MS);
	remote->token = 9;
	remote->token_at = 2000 * MS;
	psync_ack_echo(&lab, 9, 2060 * MS);
	assert_int_equal(remote->srtt, 25 * MS);
	assert_int_equal(remote->rttvar, 10 * MS + 10 * MS - 10 * MS / 4);
	remote->token = 9;
	remote->token_at = 3000 * MS;
	psync_ack_echo(&lab, 9, 3001 * MS);
	assert_int_equal(remote->srtt, 25 * MS + MS / 8 - 25 * MS / 8);
	/* Who answers after hours is no farther away than is waited at most. */
	remote->srtt = 0;
	remote->token = 9;
	remote->token_at = 4000 * MS;
	psync_ack_echo(&lab, 9, 4000000 * MS);
	assert_int_equal(remote->srtt, 2000 * MS);
	/* Nothing takes no time at all, and no wait is too short. */
	remote->srtt = 0;
	remote->token = 9;
	remote->token_at = 4000 * MS;
	psync_ack_echo(&lab, 9, 4000 * MS);
	assert_int_equal(remote->srtt, 1);
	assert_int_equal(psync_ack_wait(img, remote, 0), 10 * MS);
	psync_ack_close(&lab);
}

/* Who was not measured is taken for as far as the farthest that was. */
static void psync_ack_test_rtt_far(void **state)
{
	struct psync_remote *remote, *other;
	struct psync_ack_lab lab;
	struct psync_image *img;

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	remote = &img->remotes[0];
	other = &img->remotes[1];
	img->now = 1000 * MS;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(psync_ack_wait(img, other, 0), 100 * MS);
	psync_ack_echo(&lab, 1, 1020 * MS);
	assert_int_equal(psync_ack_wait(img, remote, 0), 60 * MS);
	assert_int_equal(psync_ack_wait(img, other, 0), 60 * MS);
	assert_int_equal(psync_ack_wait(img, other, 1), 120 * MS);
	/* It is nearer again; it was that far. */
	remote->rttvar = 0;
	remote->token = 9;
	remote->token_at = 2000 * MS;
	psync_ack_echo(&lab, 9, 2020 * MS);
	assert_int_equal(psync_ack_wait(img, remote, 0), 20 * MS);
	assert_int_equal(psync_ack_wait(img, other, 0), 60 * MS);
	psync_ack_close(&lab);
}

/*
 * The answer is lost, or the message and with it the question: as soon as the
 * site is known to have the message it is asked anew, before anything was
 * measured; later there is time.
 */
static void psync_ack_test_rtt_lost(void **state)
{
	struct psync_ack_lab lab;
	struct psync_remote *remote;
	struct psync_pkt pkt;
	u64 now = 1000 * MS;

	psync_ack_open(&lab, 0);
	remote = &lab.bed.img.remotes[0];
	lab.bed.img.now = now;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START | PSYNC_MSGF_ASK);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, 0);
	now += MS;
	assert_int_equal(psync_ack_say(&lab, 2, 1, now), PSYNC_OK);
	assert_int_equal(remote->token, 0);
	assert_int_equal(remote->srtt, 0);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_ASK);
	/* What it had before says nothing of this one. */
	assert_int_equal(psync_ack_say(&lab, 2, 2, now), PSYNC_OK);
	assert_int_equal(remote->token, 3);
	now += 2 * MS;
	psync_ack_echo(&lab, 3, now);
	assert_int_equal(remote->srtt, 2 * MS);
	lab.bed.img.now = now + 200 * MS;
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_ASK);
	assert_int_equal(psync_ack_say(&lab, 2, 4, lab.bed.img.now + MS),
			 PSYNC_OK);
	assert_int_equal(remote->token, 0);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, 0);
	psync_ack_close(&lab);
}

/* Steady traffic over a long way: it is measured even so, now and then. */
static void psync_ack_test_rtt_long(void **state)
{
	u32 asked = 0, measured = 0, i;
	struct psync_ack_lab lab;
	struct psync_remote *remote;
	u64 answer[64] = {}, before = 0;
	struct psync_pkt pkt;

	psync_ack_open(&lab, 0);
	remote = &lab.bed.img.remotes[0];
	for (i = 0; i < 40; i++) {
		/* A message every 50 ms, its answer 300 ms later. */
		lab.bed.img.now = (1000 + 50 * i) * MS;
		if (i >= 6 && answer[i - 6])
			psync_ack_echo(&lab, answer[i - 6], lab.bed.img.now);
		if (remote->srtt != before)
			measured++;
		before = remote->srtt;
		psync_bed_send(&lab.bed, &lab.view, 100);
		psync_bed_take(&lab.bed, &pkt, NULL);
		if (pkt.msg.flags & PSYNC_MSGF_ASK) {
			answer[i] = pkt.msg.seq;
			asked++;
		}
		psync_bed_forget(&lab.bed);
	}
	assert_true(asked < 12);
	assert_true(measured >= 1);
	assert_int_equal(remote->srtt, 300 * MS);
	psync_ack_close(&lab);
}

/* Who never spoke is sent the first message, ever less often. */
static void psync_ack_test_probe_first(void **state)
{
	struct psync_ack_lab lab;
	struct psync_pkt pkt;
	u64 at = 0, wait;
	u32 i, site;

	psync_ack_open(&lab, 0);
	psync_bed_send(&lab.bed, &lab.view, 1000);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_forget(&lab.bed);
	for (i = 0; i < 12; i++) {
		wait = min(100 * MS << min(i, 8U), 2000 * MS);
		/* Who only acknowledges may delay that. */
		at += wait + 5 * MS;
		if (at >= 30000 * MS)
			break;
		psync_bed_run(&lab.bed, at - 1);
		assert_int_equal(lab.bed.nsent, 0);
		psync_bed_run(&lab.bed, at);
		/* Three sites are asked. */
		assert_int_equal(lab.bed.nsent, 3);
		psync_bed_take(&lab.bed, &pkt, &site);
		assert_int_equal(site, 2);
		assert_int_equal(pkt.type, PSYNC_PKT_MSG);
		assert_int_equal(pkt.msg.seq, 1);
		assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START |
				 PSYNC_MSGF_ASK | PSYNC_MSGF_REPEAT);
		assert_int_equal(lab.bed.img.remotes[0].probes, i + 1);
		psync_bed_forget(&lab.bed);
		/* Karn: who was asked twice is not timed. */
		assert_int_equal(lab.bed.img.remotes[0].token, 0);
		psync_ack_echo(&lab, 1, at);
		assert_int_equal(lab.bed.img.remotes[0].srtt, 0);
		lab.bed.img.remotes[0].heard = false;
	}
	assert_int_equal(i, 12);
	psync_ack_close(&lab);
}

/* Who was heard is sent what it most likely lacks, or is asked. */
static void psync_ack_test_probe_tail(void **state)
{
	struct psync_ack_lab lab;
	struct psync_remote *remote;
	struct psync_pkt pkt;
	u32 site;

	psync_ack_open(&lab, 0);
	remote = &lab.bed.img.remotes[0];
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_ack_say(&lab, 3, 1, 0);
	psync_ack_say(&lab, 4, 1, 0);
	psync_ack_say(&lab, 2, 0, 0);
	psync_ack_echo(&lab, 1, 20 * MS);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_ack_say(&lab, 3, 3, 20 * MS);
	psync_ack_say(&lab, 4, 3, 20 * MS);
	psync_bed_forget(&lab.bed);
	/* The latest, not the first; flagged, and it asks. */
	psync_bed_run(&lab.bed, remote->probe_at);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(site, 2);
	assert_int_equal(pkt.msg.seq, 3);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_ASK | PSYNC_MSGF_REPEAT);
	assert_int_equal(remote->probes, 1);
	/* Some progress: it is patient anew. */
	psync_ack_say(&lab, 2, 1, 200 * MS);
	assert_int_equal(remote->probes, 0);
	assert_int_equal(remote->probe_at, 200 * MS + 60 * MS + 5 * MS);
	/* It holds all that is small: nothing is asked any more. */
	psync_ack_say(&lab, 2, 3, 200 * MS);
	assert_int_equal(remote->probe_at, U64_MAX);
	/* What is large is not sent twice for nothing. */
	psync_bed_send(&lab.bed, &lab.view, 513);
	psync_ack_say(&lab, 3, 4, 200 * MS);
	psync_ack_say(&lab, 4, 4, 200 * MS);
	psync_bed_forget(&lab.bed);
	psync_bed_run(&lab.bed, remote->probe_at);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 2);
	assert_int_equal(pkt.type, PSYNC_PKT_ACK);
	assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_ASK);
	assert_int_equal(pkt.vector.dst_opening, 1);
	assert_int_not_equal(pkt.vector.token, 0);
	/* That question is timed. */
	assert_int_equal(remote->token, pkt.vector.token);
	psync_ack_echo(&lab, pkt.vector.token, lab.bed.img.now + 60 * MS);
	assert_int_equal(remote->srtt, 25 * MS);
	psync_ack_close(&lab);
}

/* A message of another: its own site asks first. */
static void psync_ack_test_probe_relay(void **state)
{
	struct psync_ack_lab lab;
	struct psync_remote *remote;
	struct psync_pkt pkt;
	u32 site;

	psync_ack_open(&lab, 0);
	remote = &lab.bed.img.remotes[0];
	assert_int_equal(psync_bed_msg(&lab.bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(remote->lag, 1);
	assert_int_equal(remote->probe_at, 4 * 105 * MS);
	assert_int_equal(psync_ack_say(&lab, 2, 0, 0), PSYNC_OK);
	assert_int_equal(psync_ack_say(&lab, 4, 0, 0), PSYNC_OK);
	psync_bed_run(&lab.bed, 419 * MS);
	psync_bed_forget(&lab.bed);
	psync_bed_run(&lab.bed, 420 * MS);
	/* Nothing was sent here that it could lack: the vector asks. */
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 2);
	assert_int_equal(pkt.type, PSYNC_PKT_ACK);
	assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_ASK);
	/* One of ours makes it urgent. */
	psync_bed_forget(&lab.bed);
	remote->probes = 0;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(remote->probe_at, 525 * MS);
	psync_ack_close(&lab);
}

/* What comes is acknowledged a little later, to those who want to know. */
static void psync_ack_test_due(void **state)
{
	u64 pred = PSYNC_MID(1, 1);
	struct psync_ack_lab lab;
	struct psync_pkt pkt;
	u32 i, site;

	psync_ack_open(&lab, 0);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(lab.bed.img.ack_at, 5 * MS);
	psync_bed_run(&lab.bed, 5 * MS - 1);
	assert_int_equal(lab.bed.nsent, 0);
	psync_bed_run(&lab.bed, 5 * MS);
	/* Who was never heard is not told. */
	assert_int_equal(lab.bed.nsent, 1);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 2);
	assert_int_equal(pkt.type, PSYNC_PKT_ACK);
	assert_int_equal(pkt.vector.flags, 0);
	assert_int_equal(pkt.opening, 7);
	assert_int_equal(pkt.vector.dst_opening, 1);
	assert_int_equal(lab.bed.img.ack_at, U64_MAX);
	/* Many are acknowledged at once, to all who were heard. */
	assert_int_equal(psync_ack_say(&lab, 3, 0, 6 * MS), PSYNC_OK);
	psync_bed_drain(&lab.view);
	lab.bed.img.now = 6 * MS;
	for (i = 2; i < 18; i++) {
		pred = PSYNC_MID(1, i - 1);
		psync_bed_craft(&lab.bed, 1, i, i, 0, NULL, NULL, &pkt);
		assert_int_equal(psync_bed_msg(&lab.bed, 1, i, i, 1, &pred),
				 PSYNC_OK);
	}
	assert_int_equal(lab.bed.img.ack_at, 0);
	psync_image_timer(&lab.bed.img, 7 * MS);
	assert_int_equal(lab.bed.nsent, 2);
	psync_bed_forget(&lab.bed);
	/* A message of ours that follows it all says the same. */
	pred = PSYNC_MID(1, 17);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 18, 18, 1, &pred),
			 PSYNC_OK);
	assert_int_not_equal(lab.bed.img.ack_at, U64_MAX);
	psync_bed_send(&lab.bed, &lab.view, 10);
	assert_int_not_equal(lab.bed.img.ack_at, U64_MAX);
	psync_bed_drain(&lab.view);
	psync_bed_send(&lab.bed, &lab.view, 10);
	assert_int_equal(lab.bed.img.ack_at, U64_MAX);
	assert_false(lab.bed.img.remotes[0].owed);
	psync_ack_close(&lab);
}

/* Questions are answered at once, whether the packet was of use or not. */
static void psync_ack_test_answer(void **state)
{
	struct psync_wire_mid wire[8];
	struct psync_pkt msg, pkt;
	struct psync_ack_lab lab;
	__be32 seqs[4];
	u32 i, site;

	psync_ack_open(&lab, 0);
	psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, wire, &msg);
	msg.msg.flags = PSYNC_MSGF_ASK;
	for (i = 0; i < 2; i++) {
		assert_int_equal(psync_bed_input(&lab.bed, &msg, 0),
				 i ? PSYNC_DROP_DUPLICATE : PSYNC_OK);
		psync_bed_take(&lab.bed, &pkt, &site);
		assert_int_equal(site, 2);
		assert_int_equal(pkt.type, PSYNC_PKT_ACK);
		assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_ECHO);
		assert_int_equal(pkt.vector.echo, 1);
	}
	assert_false(lab.bed.img.remotes[0].owed);
	psync_ack_craft(&lab, 3, seqs, &pkt);
	pkt.vector.flags = PSYNC_VECTORF_ASK;
	pkt.vector.token = 77;
	assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
	psync_bed_take(&lab.bed, &pkt, &site);
	assert_int_equal(site, 3);
	assert_int_equal(pkt.vector.echo, 77);
	assert_int_equal(lab.bed.nsent, 0);
	psync_ack_close(&lab);
}

/* Heard once and silent since: absent in the end, if the limits say so. */
static void psync_ack_test_silent(void **state)
{
	struct psync_ack_lab lab;
	struct psync_image *img;
	u32 silent, probes;

	for (silent = 0; silent < 2; silent++) {
		psync_ack_open(&lab, 0);
		lab.bed.muted = ~0U;
		img = &lab.bed.img;
		img->p.limits.slow = PSYNC_SLOW_SUSPECT;
		img->p.limits.silent_ns = silent ? 1000 * MS : 0;
		psync_ack_say(&lab, 2, 0, 0);
		psync_ack_say(&lab, 3, 0, 0);
		psync_ack_say(&lab, 4, 0, 0);
		psync_bed_send(&lab.bed, &lab.view, 100);
		psync_ack_say(&lab, 3, 1, MS);
		psync_ack_say(&lab, 4, 1, MS);
		/* Not before it was asked four times, however long it took. */
		psync_bed_run(&lab.bed, 104 * MS);
		img->now = 5000 * MS;
		for (probes = 0; probes < 4; probes++) {
			assert_int_equal(img->remotes[0].probes, probes);
			assert_int_equal(lab.bed.nevents, 0);
			psync_image_timer(img, max(img->now,
						   img->remotes[0].probe_at));
		}
		psync_bed_run(&lab.bed, 29000 * MS);
		assert_int_equal(lab.bed.nevents, silent);
		assert_int_equal(img->remotes[0].absent, silent);
		assert_int_equal(img->nowed, !silent);
		if (silent) {
			assert_int_equal(lab.bed.events[0].type,
					 PSYNC_EV_ABSENT);
			assert_int_equal(lab.bed.events[0].site, 2);
			assert_int_equal(psync_bed_bodies, 0);
		}
		/* It speaks: it counts again for what is kept and to come. */
		psync_ack_say(&lab, 2, 0, 29000 * MS);
		assert_false(img->remotes[0].absent);
		psync_bed_send(&lab.bed, &lab.view, 100);
		assert_int_equal(psync_ack_node(&lab, 0, 2)->unheld, 3);
		psync_ack_close(&lab);
	}
}

/* S3.3: with only manual participants here the kernel says nothing. */
static void psync_ack_test_manual(void **state)
{
	struct psync_ack_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	u64 a1 = PSYNC_MID(0, 1);

	psync_ack_open(&lab, 0);
	img = &lab.bed.img;
	psync_view_manual(&lab.view, true, 0);
	psync_bed_send(&lab.bed, &lab.view, 100);
	psync_bed_take(&lab.bed, &pkt, NULL);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START | PSYNC_MSGF_MANUAL);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	psync_bed_drain(&lab.view);
	/* No vector, no null message, nobody is asked. */
	psync_bed_run(&lab.bed, 20000 * MS);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(img->parts[0].seq, 1);
	/* What others sent of theirs is still taken and counts. */
	assert_int_equal(psync_ack_say(&lab, 3, 1, 20000 * MS), PSYNC_OK);
	assert_int_equal(psync_ack_node(&lab, 0, 1)->unheld, 1);
	/* No longer manual: what is late is done at once. */
	psync_view_manual(&lab.view, false, 21000 * MS);
	assert_true(img->deadline <= 21000 * MS);
	psync_bed_run(&lab.bed, 21000 * MS);
	assert_true(lab.bed.ntypes[PSYNC_PKT_ACK] > 0);
	assert_true(lab.bed.ntypes[PSYNC_PKT_MSG] > 1);
	psync_bed_forget(&lab.bed);
	/* And so it is when the manual one closes, without END. */
	psync_view_manual(&lab.view, true, 21000 * MS);
	lab.bed.ntypes[PSYNC_PKT_MSG] = 0;
	psync_bed_run(&lab.bed, 22000 * MS);
	assert_int_equal(lab.bed.nsent, 0);
	psync_image_leave(img, &lab.view, 22000 * MS);
	assert_int_equal(img->parts[0].seq, 1);
	assert_false(img->parts[0].ended);
	psync_bed_run(&lab.bed, 22500 * MS);
	assert_true(lab.bed.ntypes[PSYNC_PKT_MSG] > 0);
	psync_bed_exit(&lab.bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* One who joins a manual one, or what lingered, does want to know. */
static void psync_ack_test_resume(void **state)
{
	static const u32 sites[] = { 1, 1, 2, 1 };
	struct psync_view a = {}, b = {}, d = { .pending = true };
	u64 held[4] = { 0, 0, 1, 0 };
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_params(&p, pids, sites, 4, 0);
	psync_bed_times(&p);
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &a, 0, 1, 7, 0);
	psync_view_manual(&a, true, 0);
	psync_bed_send(&bed, &a, 100);
	psync_bed_run(&bed, 1000 * MS);
	/* Who only listens changes nothing. */
	psync_image_join(&bed.img, &d, 3, 0, 0, 1000 * MS);
	psync_bed_run(&bed, 1500 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 1);
	psync_image_join(&bed.img, &b, 1, 1, 7, 2000 * MS);
	psync_bed_run(&bed, 2000 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 2);
	psync_bed_leave(&bed, &d);
	psync_bed_leave(&bed, &a);
	psync_bed_leave(&bed, &b);
	/* Lingering, it asks for nothing; the next who opens does. */
	psync_bed_vector(&bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 2100 * MS), PSYNC_OK);
	assert_int_equal(bed.img.nlack, 1);
	psync_bed_run(&bed, 4000 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RR], 0);
	memset(&d, 0, sizeof(d));
	assert_int_equal(psync_image_join(&bed.img, &d, 3, 1, 8, 4000 * MS), 0);
	psync_bed_run(&bed, 4000 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_RR], 1);
	psync_bed_leave(&bed, &d);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Alone here, with a deaf network, it goes on as long as it is told to. */
static void psync_ack_test_quiet(void **state)
{
	struct psync_ack_lab lab;

	psync_ack_open(&lab, 0);
	/* Nothing was said: only the absent are waited for. */
	assert_int_equal(lab.bed.img.deadline, 30000 * MS);
	psync_bed_run(&lab.bed, 40000 * MS);
	assert_int_equal(lab.bed.nsent, 0);
	assert_int_equal(lab.bed.nevents, 3);
	assert_int_equal(lab.bed.img.deadline, U64_MAX);
	/* Refused, it says nothing and wants nothing. */
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_forget(&lab.bed);
	assert_int_equal(psync_ack_say(&lab, 2, 0, 40001 * MS), PSYNC_OK);
	lab.bed.img.refused = true;
	psync_bed_run(&lab.bed, 90000 * MS);
	assert_int_equal(lab.bed.nsent, 0);
	psync_ack_close(&lab);
}

const struct CMUnitTest psync_ack_tests[] = {
	cmocka_unit_test(psync_ack_test_orders),
	cmocka_unit_test(psync_ack_test_wrap),
	cmocka_unit_test(psync_ack_test_context),
	cmocka_unit_test(psync_ack_test_refused),
	cmocka_unit_test(psync_ack_test_local_claim),
	cmocka_unit_test(psync_ack_test_memory),
	cmocka_unit_test(psync_ack_test_bad),
	cmocka_unit_test(psync_ack_test_other),
	cmocka_unit_test(psync_ack_test_refusal),
	cmocka_unit_test(psync_ack_test_unconfirmed),
	cmocka_unit_test(psync_ack_test_past),
	cmocka_unit_test(psync_ack_test_absent),
	cmocka_unit_test(psync_ack_test_absent_back),
	cmocka_unit_test(psync_ack_test_denied),
	cmocka_unit_test(psync_ack_test_ended),
	cmocka_unit_test(psync_ack_test_ended_both),
	cmocka_unit_test(psync_ack_test_rtt),
	cmocka_unit_test(psync_ack_test_rtt_far),
	cmocka_unit_test(psync_ack_test_rtt_lost),
	cmocka_unit_test(psync_ack_test_rtt_long),
	cmocka_unit_test(psync_ack_test_probe_first),
	cmocka_unit_test(psync_ack_test_probe_tail),
	cmocka_unit_test(psync_ack_test_probe_relay),
	cmocka_unit_test(psync_ack_test_due),
	cmocka_unit_test(psync_ack_test_answer),
	cmocka_unit_test(psync_ack_test_silent),
	cmocka_unit_test(psync_ack_test_manual),
	cmocka_unit_test(psync_ack_test_resume),
	cmocka_unit_test(psync_ack_test_quiet),
};

const size_t psync_ack_ntests = ARRAY_SIZE(psync_ack_tests);
