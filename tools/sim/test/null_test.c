// SPDX-License-Identifier: GPL-2.0-only
/* Null messages and END (S3). */
#include "bed.h"

#define MS	PSYNC_BED_MS

/* Participants 0 and 3 at site 1, 1 at site 2, 2 at site 3. */
static const u32 psync_null_sites[] = { 1, 2, 3, 1 };

static void psync_null_open(struct psync_bed *bed, u32 site)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	psync_bed_params(&p, pids, psync_null_sites, 4, 0);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(bed, &p, site), 0);
}

static void psync_null_join(struct psync_bed *bed, struct psync_view *view,
			    u32 index)
{
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, index, 1, 7, 0), 0);
}

static void psync_null_close(struct psync_bed *bed, struct psync_view *view)
{
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* A message by hand of some kind, which has no body unless it is data. */
static enum psync_drop psync_null_msg(struct psync_bed *bed, u8 kind,
				      u32 sender, u64 seq, u32 wave, u32 npred,
				      const u64 *preds)
{
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_pkt pkt;

	psync_bed_craft(bed, sender, seq, wave, npred, preds, wire, &pkt);
	pkt.msg.kind = kind;
	if (kind != PSYNC_KIND_DATA)
		pkt.body_len = 0;
	return psync_bed_input(bed, &pkt, bed->img.now);
}

/* Who received and stays silent acknowledges in the graph, a little later. */
static void psync_null_test_due(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2);
	const struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 site;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	bed.img.now = 10 * MS;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	/* What was not received is not acknowledged. */
	assert_int_equal(view.null_at, U64_MAX);
	psync_bed_run(&bed, 100 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 0);
	assert_int_equal(psync_bed_receive(&view), b1);
	assert_int_equal(view.null_at, 140 * MS);
	/* More of them do not put it off. */
	bed.img.now = 120 * MS;
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_DATA, 1, 2, 2, 1,
					&b1), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&view), b2);
	assert_int_equal(view.null_at, 140 * MS);
	psync_bed_run(&bed, 140 * MS - 1);
	assert_int_equal(bed.nsent, 0);
	psync_bed_run(&bed, 140 * MS);
	psync_bed_take(&bed, &pkt, &site);
	assert_int_equal(site, 0);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_NULL);
	assert_int_equal(pkt.msg.seq, 1);
	assert_int_equal(pkt.msg.npred, 1);
	assert_int_equal(pkt.msg.wave, 3);
	assert_int_equal(pkt.body_len, 0);
	/* Numbered like any message, in the view at once, and told. */
	assert_int_equal(psync_view_find(&view, PSYNC_MID(0, 1), &node), 0);
	assert_int_equal(node->preds[0], b2);
	assert_int_equal(bed.npassed, 1);
	assert_int_equal(bed.passed[0], PSYNC_MID(0, 1));
	assert_int_equal(view.null_at, U64_MAX);
	assert_int_equal(bed.readable, 2);
	/* One is enough. */
	psync_bed_run(&bed, 300 * MS);
	assert_int_equal(bed.img.parts[0].seq, 1);
	psync_null_close(&bed, &view);
}

/* A message of one's own says the same. */
static void psync_null_test_own(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	assert_int_equal(view.null_at, 40 * MS);
	psync_bed_send(&bed, &view, 10);
	assert_int_equal(view.null_at, U64_MAX);
	bed.muted = ~0U;
	psync_bed_run(&bed, 1000 * MS);
	assert_int_equal(bed.img.parts[0].seq, 1);
	assert_int_equal(bed.npassed, 0);
	psync_null_close(&bed, &view);
}

/* On request they are received like others; nothing is sent for them. */
static void psync_null_test_shown(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2);
	struct psync_view view = { .nulls = true };
	struct psync_node *node;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 7, 0), 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 1, 1, 0,
					NULL), PSYNC_OK);
	assert_int_equal(view.outstanding, 1);
	assert_int_equal(view.count, 0);
	assert_int_equal(bed.readable, 1);
	assert_int_equal(bed.npassed, 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 1, 2, 2, 1,
					&b1), PSYNC_OK);
	node = psync_view_next(&view);
	assert_int_equal(psync_node_mid(node), b1);
	assert_int_equal(node->kind, PSYNC_KIND_NULL);
	assert_null(node->body);
	psync_view_take(&view, psync_node_mid(node), bed.img.now);
	assert_int_equal(bed.npassed, 1);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.null_at, U64_MAX);
	/* Not any more: what waited is received for it. */
	psync_view_nulls(&view, false, bed.img.now);
	assert_int_equal(view.outstanding, 0);
	assert_int_equal(view.count, 2);
	assert_int_equal(bed.passed[1], b2);
	/* And again: what is to come, and what waits behind a message. */
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_DATA, 2, 1, 1, 0,
					NULL), PSYNC_OK);
	b1 = PSYNC_MID(2, 1);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 2, 2, 2, 1,
					&b1), PSYNC_OK);
	assert_int_equal(view.outstanding, 1);
	psync_view_nulls(&view, true, bed.img.now);
	assert_int_equal(view.outstanding, 2);
	assert_int_equal(bed.readable, 2);
	assert_int_equal(psync_bed_receive(&view), b1);
	assert_int_equal(view.outstanding, 1);
	psync_view_take(&view, psync_node_mid(psync_view_next(&view)),
			bed.img.now);
	assert_int_equal(view.outstanding, 0);
	assert_int_equal(bed.npassed, 3);
	psync_null_close(&bed, &view);
}

/* What a message came as is known. */
static void psync_null_test_flags(void **state)
{
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_node *node;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, wire, &pkt);
	pkt.msg.flags = PSYNC_MSGF_REPEAT | PSYNC_MSGF_RESENT |
			PSYNC_MSGF_MANUAL;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	node = psync_view_next(&view);
	assert_false(node->repeated || node->resent || node->manual);
	psync_view_take(&view, psync_node_mid(node), bed.img.now);
	node = psync_view_next(&view);
	assert_true(node->repeated && node->resent && node->manual);
	psync_view_take(&view, psync_node_mid(node), bed.img.now);
	psync_null_close(&bed, &view);
}

/* Others' nulls enter the view by themselves, in order, and cause none. */
static void psync_null_test_received(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), c1 = PSYNC_MID(2, 1);
	u64 got[4];
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 1, 1, 0,
					NULL), PSYNC_OK);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.outstanding, 0);
	assert_int_equal(bed.readable, 0);
	assert_int_equal(bed.passed[0], b1);
	assert_null(psync_view_next(&view));
	/* A null after a message waits for the program to take that. */
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_DATA, 1, 2, 2, 1,
					&b1), PSYNC_OK);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 2, 1, 3, 1,
					&b2), PSYNC_OK);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.outstanding, 1);
	assert_int_equal(bed.npassed, 1);
	assert_int_equal(psync_view_step(&view, c1, true, got, 4),
			 PSYNC_EUNKNOWN);
	assert_int_equal(psync_bed_receive(&view), b2);
	assert_int_equal(view.count, 3);
	assert_int_equal(bed.npassed, 2);
	assert_int_equal(bed.passed[1], c1);
	/* They are vertices like others. */
	assert_int_equal(psync_view_leaves(&view, got, 4), 1);
	assert_int_equal(got[0], c1);
	assert_int_equal(psync_view_step(&view, b2, true, got, 4), 1);
	assert_int_equal(psync_view_mids(&view, 0, got, 4), 3);
	psync_null_close(&bed, &view);
}

/* Only nulls: nothing is ever said. */
static void psync_null_test_silent(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 1, 1, 0,
					NULL), PSYNC_OK);
	assert_int_equal(view.null_at, U64_MAX);
	psync_bed_held(&bed);
	psync_bed_run(&bed, 25000 * MS);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 0);
	assert_int_equal(view.null_at, U64_MAX);
	psync_null_close(&bed, &view);
}

/* Two at one site: the one who sent needs none, the other says one. */
static void psync_null_test_local(void **state)
{
	struct psync_view a, d;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &a, 0);
	psync_null_join(&bed, &d, 3);
	bed.muted = ~0U;
	psync_bed_send(&bed, &a, 10);
	psync_bed_drain(&d);
	psync_bed_run(&bed, 39 * MS);
	assert_int_equal(bed.img.attached, 1);
	psync_bed_run(&bed, 40 * MS);
	assert_int_equal(bed.img.attached, 2);
	/* It is of d for d, then of d for a. */
	assert_int_equal(bed.npassed, 2);
	assert_int_equal(bed.passed[0], PSYNC_MID(3, 1));
	assert_int_equal(bed.passed[1], PSYNC_MID(3, 1));
	psync_bed_run(&bed, 500 * MS);
	assert_int_equal(bed.img.attached, 2);
	psync_bed_leave(&bed, &d);
	psync_null_close(&bed, &a);
}

/* When everybody else has ended there is nobody to tell. */
static void psync_null_test_alone(void **state)
{
	u64 b1 = PSYNC_MID(1, 1);
	struct psync_view a, d;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &a, 0);
	psync_null_join(&bed, &d, 3);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 1, 2, 2, 1, &b1),
			 PSYNC_OK);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 2, 1, 1, 0, NULL),
			 PSYNC_OK);
	psync_image_leave(&bed.img, &d, 1);
	assert_true(bed.img.parts[3].ended);
	assert_int_equal(psync_bed_receive(&a), b1);
	assert_int_equal(a.null_at, U64_MAX);
	assert_int_equal(a.count, 4);
	psync_bed_run(&bed, 60000 * MS);
	assert_int_equal(bed.img.parts[0].seq, 0);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 1);
	/* Nor does its own END: nobody is left to read it. */
	psync_image_leave(&bed.img, &a, 60001 * MS);
	assert_int_equal(bed.img.parts[0].seq, 0);
	assert_true(psync_image_over(&bed.img));
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* They end between the receiving and the null: then it is not sent. */
static void psync_null_test_alone_late(void **state)
{
	struct psync_view a;
	struct psync_bed bed;
	u32 i;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &a, 0);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&a);
	assert_int_equal(a.null_at, 40 * MS);
	for (i = 1; i < 4; i++)
		bed.img.parts[i].ended = true;
	psync_bed_run(&bed, 40 * MS);
	assert_int_equal(bed.img.parts[0].seq, 0);
	assert_int_equal(a.null_at, U64_MAX);
	for (i = 1; i < 4; i++)
		bed.img.parts[i].ended = false;
	/* So it is when it was refused meanwhile. */
	psync_null_due(&a);
	assert_int_not_equal(a.null_at, U64_MAX);
	bed.img.refused = true;
	psync_null_timer(&bed.img);
	a.null_at = 0;
	psync_null_timer(&bed.img);
	assert_int_equal(bed.img.parts[0].seq, 0);
	assert_int_equal(a.null_at, U64_MAX);
	psync_null_close(&bed, &a);
}

/* Who only listens takes nothing into its view, and says nothing. */
static void psync_null_test_pending(void **state)
{
	struct psync_view view = { .pending = true };
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 0, 0, 0), 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 1, 1, 0,
					NULL), PSYNC_OK);
	assert_int_equal(view.count, 0);
	assert_int_equal(view.outstanding, 0);
	assert_int_equal(bed.npassed, 0);
	psync_view_accept(&view, 1, 7, 1);
	/* Then it is received for it at once; there is nothing else. */
	assert_int_equal(view.count, 1);
	assert_int_equal(bed.npassed, 1);
	assert_null(view.next);
	assert_null(psync_view_next(&view));
	assert_int_equal(bed.npassed, 1);
	psync_null_close(&bed, &view);

	/* The same when it never was pending: one of two at a site. */
	memset(&view, 0, sizeof(view));
	psync_null_open(&bed, 1);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 1, 1, 0,
					NULL), PSYNC_OK);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 1, 7, 0), 0);
	assert_int_equal(view.count, 1);
	assert_int_equal(bed.npassed, 1);
	psync_null_close(&bed, &view);

	/* Pending all the time, it leaves without a word. */
	memset(&view, 0, sizeof(view));
	view.pending = true;
	psync_null_open(&bed, 1);
	assert_int_equal(psync_image_join(&bed.img, &view, 0, 0, 0, 0), 0);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_image_leave(&bed.img, &view, 1);
	assert_int_equal(bed.img.attached, 1);
	assert_int_equal(bed.ntypes[PSYNC_PKT_MSG], 0);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Without memory it is tried again; END cannot wait and is counted. */
static void psync_null_test_memory(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	bed.muted = ~0U;
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_drain(&view);
	bed.fail_from = bed.allocs + 1;
	psync_bed_run(&bed, 40 * MS);
	assert_int_equal(bed.img.parts[0].seq, 0);
	assert_int_equal(view.null_at, 80 * MS);
	bed.fail_from = 0;
	psync_bed_run(&bed, 80 * MS);
	assert_int_equal(bed.img.parts[0].seq, 1);
	bed.fail_from = bed.allocs + 1;
	psync_image_leave(&bed.img, &view, 81 * MS);
	assert_int_equal(bed.img.parts[0].seq, 1);
	assert_int_equal(bed.drops[PSYNC_DROP_NO_MEM], 1);
	assert_false(bed.img.parts[0].ended);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The last node of a participant: nothing follows it, at once or held. */
static void psync_null_test_end(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), c1 = PSYNC_MID(2, 1);
	u64 c2 = PSYNC_MID(2, 2);
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	/* b3 comes first and waits for b2, which is the END. */
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 1);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 1, 2, 2, 1, &b1),
			 PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(bed.drops[PSYNC_DROP_BAD_CONTEXT], 1);
	assert_int_equal(bed.img.attached, 2);
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_BAD_CONTEXT);
	/* Others may follow it. */
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&view), b1);
	assert_int_equal(bed.passed[0], b2);
	assert_int_equal(psync_bed_receive(&view), c1);
	/* It is taken over the limits, as all that frees memory is (S2.5). */
	bed.img.p.limits.max_bytes = 1;
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 4, 1, &c1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 3, 5, 1, &c2),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_NULL, 2, 3, 5, 1, &c2),
			 PSYNC_OK);
	psync_null_close(&bed, &view);
}

/*
 * What a message after an END claimed stays claimed: nothing that would be
 * asked for is to be had.
 */
static void psync_null_test_end_claim(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2);
	struct psync_view view;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &view, 0);
	assert_int_equal(psync_null_msg(&bed, PSYNC_KIND_END, 1, 1, 1, 0, NULL),
			 PSYNC_OK);
	/* Refused at once it claims nothing. */
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, &b1),
			 PSYNC_DROP_BAD_CONTEXT);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 1);
	psync_null_close(&bed, &view);
	assert_int_equal(bed.drops[PSYNC_DROP_LEFT_OVER], 1);
}

/* Closing says END, in the context of what the participant had received. */
static void psync_null_test_leave(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), got[2];
	struct psync_view a, d;
	u32 participants, sites;
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 site;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &a, 0);
	psync_null_join(&bed, &d, 3);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&a), b1);
	psync_image_leave(&bed.img, &a, 5);
	psync_bed_take(&bed, &pkt, &site);
	assert_int_equal(site, 0);
	assert_int_equal(pkt.msg.kind, PSYNC_KIND_END);
	assert_int_equal(pkt.msg.sender, 0);
	assert_int_equal(pkt.msg.npred, 1);
	assert_true(bed.img.parts[0].ended);
	/* The other here has it when it has taken b1. */
	assert_int_equal(bed.npassed, 1);
	assert_int_equal(psync_bed_receive(&d), b1);
	assert_int_equal(bed.npassed, 2);
	assert_int_equal(psync_view_leaves(&d, got, 2), 1);
	assert_int_equal(got[0], PSYNC_MID(0, 1));
	assert_int_equal(psync_view_stable(&d, b1, &participants, &sites), 0);
	assert_int_equal(participants, 1);
	/* Nobody comes back after its END. */
	memset(&a, 0, sizeof(a));
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 8, 6), -ESTALE);
	psync_image_leave(&bed.img, &d, 7);
	assert_int_equal(psync_bed_forget(&bed), 1);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Before the first message of all nobody knows that there is anything. */
static void psync_null_test_leave_first(void **state)
{
	struct psync_view a;
	struct psync_bed bed;

	psync_null_open(&bed, 1);
	psync_null_join(&bed, &a, 0);
	psync_image_leave(&bed.img, &a, 5);
	assert_int_equal(bed.img.attached, 0);
	assert_int_equal(bed.nsent, 0);
	assert_true(psync_image_over(&bed.img));
	/* Refused, it says nothing either. */
	psync_null_join(&bed, &a, 0);
	psync_bed_send(&bed, &a, 10);
	psync_bed_forget(&bed);
	bed.img.refused = true;
	psync_image_leave(&bed.img, &a, 5);
	assert_int_equal(bed.nsent, 0);
	assert_true(psync_image_over(&bed.img));
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

const struct CMUnitTest psync_null_tests[] = {
	cmocka_unit_test(psync_null_test_due),
	cmocka_unit_test(psync_null_test_own),
	cmocka_unit_test(psync_null_test_received),
	cmocka_unit_test(psync_null_test_shown),
	cmocka_unit_test(psync_null_test_flags),
	cmocka_unit_test(psync_null_test_silent),
	cmocka_unit_test(psync_null_test_local),
	cmocka_unit_test(psync_null_test_alone),
	cmocka_unit_test(psync_null_test_alone_late),
	cmocka_unit_test(psync_null_test_pending),
	cmocka_unit_test(psync_null_test_memory),
	cmocka_unit_test(psync_null_test_end),
	cmocka_unit_test(psync_null_test_end_claim),
	cmocka_unit_test(psync_null_test_leave),
	cmocka_unit_test(psync_null_test_leave_first),
};

const size_t psync_null_ntests = ARRAY_SIZE(psync_null_tests);
