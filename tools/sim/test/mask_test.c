// SPDX-License-Identifier: GPL-2.0-only
/* Masks, agreement about them, suspicion (S5; P 3.2.4). */
#include "bed.h"
#include "../../../net/psync/core/vote.h"

#define MS	PSYNC_BED_MS
#define NO_CUT	PSYNC_MASK_NO_CUT

/* Participant i at site i + 1, and some at one site. */
static const u32 psync_mask_apart[] = { 1, 2, 3, 4 };
static const u32 psync_mask_shared[] = { 1, 2, 3, 1 };

/**
 * struct psync_mask_net - sites that hear one another
 * @beds: they
 * @views: the first participant of each
 * @n: how many
 * @cut: packets from @cut[i] bit k to site k get lost
 */
struct psync_mask_net {
	struct psync_bed	beds[4];
	struct psync_view	views[4];
	u32			n;
	u32			cut[4];
};

static void psync_mask_open(struct psync_mask_net *net, u32 n, bool acks)
{
	struct psync_image_params p;
	struct psync_pid pids[4];
	u32 i;

	memset(net, 0, sizeof(*net));
	net->n = n;
	psync_bed_params(&p, pids, psync_mask_apart, n, 0);
	if (acks)
		psync_bed_times(&p);
	for (i = 0; i < n; i++) {
		assert_int_equal(psync_bed_init(&net->beds[i], &p, i + 1), 0);
		if (acks)
			net->beds[i].muted = 0;
		assert_int_equal(psync_image_join(&net->beds[i].img,
						  &net->views[i], i, 1, 1, 0),
				 0);
	}
}

static void psync_mask_close(struct psync_mask_net *net)
{
	u32 i;

	for (i = 0; i < net->n; i++) {
		psync_bed_leave(&net->beds[i], &net->views[i]);
		psync_bed_exit(&net->beds[i]);
	}
	assert_int_equal(psync_bed_bodies, 0);
}

/* Delivers what was sent, until nobody says anything more. */
static void psync_mask_flush(struct psync_mask_net *net, u64 now)
{
	struct psync_bed_packet packet;
	bool more = true;
	u32 i, k;

	while (more) {
		more = false;
		for (i = 0; i < net->n; i++) {
			if (!net->beds[i].nsent)
				continue;
			more = true;
			packet = psync_bed_pop(&net->beds[i]);
			for (k = 0; k < net->n; k++)
				if (k != i && !(net->cut[i] >> k & 1) &&
				    (!packet.site || packet.site == k + 1))
					psync_bed_give(&net->beds[k], &packet,
						       now);
			psync_bed_packet_free(&packet);
		}
	}
}

/* Time goes on, with everything that is said and done then. */
static void psync_mask_pass(struct psync_mask_net *net, u64 until, bool read)
{
	u64 at;
	u32 i;

	for (;;) {
		psync_mask_flush(net, net->beds[0].img.now);
		at = until;
		for (i = 0; i < net->n; i++) {
			if (read)
				psync_bed_drain(&net->views[i]);
			at = min(at, net->beds[i].img.deadline);
		}
		for (i = 0; i < net->n; i++) {
			at = max(at, net->beds[i].img.now);
			psync_bed_run(&net->beds[i], at);
		}
		psync_mask_flush(net, at);
		if (at >= until)
			return;
	}
}

static void psync_mask_out(struct psync_mask_net *net, u32 who, u32 whom)
{
	assert_int_equal(psync_view_mask_out(&net->views[who], whom, NO_CUT,
					     net->beds[who].img.now), 0);
}

/* How often an event came, among the first. */
static u32 psync_mask_events(const struct psync_bed *bed, u32 type)
{
	u32 count = 0;
	u32 i;

	assert_true(bed->nevents <= PSYNC_BED_EVENTS);
	for (i = 0; i < bed->nevents; i++)
		count += bed->events[i].type == type;
	return count;
}

static const struct psync_event *psync_mask_event(const struct psync_bed *bed,
						  u32 type)
{
	u32 i = bed->nevents;

	while (i--)
		if (bed->events[i].type == type)
			return &bed->events[i];
	fail();
	return NULL;
}

/* Must @index yet announce what @view has, about @about and others? */
static bool psync_mask_waits(const struct psync_view *view, u32 index,
			     u32 about)
{
	u64 stamp[4];
	u32 others[4];
	struct psync_announced said = { .stamp = stamp, .about = others };

	assert_in_range(view->img->p.n, 0, 4);
	psync_mask_announced(view, about, &said);
	return psync_mask_awaited(view->img, index, &said);
}

static void psync_mask_test_errors(void **state)
{
	struct psync_view pending = { .pending = true };
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	assert_int_equal(psync_view_mask_out(view, 0, NO_CUT, 1), -EINVAL);
	assert_int_equal(psync_view_mask_out(view, 3, NO_CUT, 1), -EINVAL);
	assert_int_equal(psync_view_mask_in(view, 0, 1), -EINVAL);
	assert_int_equal(psync_view_mask_in(view, 3, 1), -EINVAL);
	assert_int_equal(psync_view_mask_in(view, 1, 1), -EALREADY);
	bed->fail_at = bed->allocs + 1;
	assert_int_equal(psync_view_mask_out(view, 1, NO_CUT, 1), -ENOMEM);
	assert_null(view->masks);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_drain(view), 1);
	/* What was received counts. */
	assert_int_equal(psync_view_mask_out(view, 1, 0, 1), -EINVAL);
	assert_int_equal(psync_view_mask_out(view, 1, 1, 1), 0);
	assert_int_equal(psync_view_mask_out(view, 1, 1, 1), -EALREADY);
	assert_int_equal(psync_view_mask_out(view, 1, NO_CUT, 1), -EALREADY);
	assert_int_equal(psync_view_mask_in(view, 1, 1), 0);
	/* A cut may be given later, once. */
	assert_int_equal(psync_view_mask_out(view, 1, NO_CUT, 1), 0);
	assert_int_equal(psync_view_mask_out(view, 1, 7, 1), 0);
	assert_int_equal(psync_view_mask_out(view, 1, 8, 1), -EALREADY);
	bed->img.parts[2].ended = true;
	assert_int_equal(psync_view_mask_out(view, 2, NO_CUT, 1), -ESHUTDOWN);
	bed->img.parts[2].ended = false;
	psync_bed_forget(bed);
	pending.img = &bed->img;
	assert_int_equal(psync_view_mask_out(&pending, 1, NO_CUT, 1), -EINVAL);
	assert_int_equal(psync_view_mask_in(&pending, 1, 1), -EINVAL);
	psync_mask_close(&net);
}

/* A node of the graph says it, and everybody is told. */
static void psync_mask_test_announced(void **state)
{
	struct psync_mask_net net;
	const struct psync_node *node;
	const struct psync_event *ev;
	u64 a1, c1;

	psync_mask_open(&net, 3, false);
	a1 = psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_flush(&net, 1);
	psync_bed_drain(&net.views[1]);
	psync_bed_send(&net.beds[1], &net.views[1], 10);
	psync_mask_flush(&net, 2);
	psync_mask_out(&net, 0, 1);
	assert_int_equal(psync_view_find(&net.views[0], PSYNC_MID(0, 2), &node),
			 0);
	assert_int_equal(node->kind, PSYNC_KIND_MASK);
	assert_int_equal(node->op, PSYNC_MASK_OP_OUT);
	assert_int_equal(node->about, 1);
	/* It is held here, though its program has not received it. */
	assert_int_equal(node->last, 1);
	assert_int_equal(node->npred, 1);
	assert_int_equal(node->preds[0], a1);
	psync_mask_flush(&net, 3);
	ev = psync_mask_event(&net.beds[1], PSYNC_EV_MASKED);
	assert_int_equal(ev->mid, PSYNC_MID(0, 2));
	assert_int_equal(ev->site, 1);
	assert_int_equal(ev->reason, 1);
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_MASKED), 1);
	/* Neither waits for the other; the third for both. */
	assert_int_equal(net.beds[0].img.remotes[0].nlive, 0);
	assert_int_equal(net.beds[1].img.remotes[0].nlive, 0);
	assert_int_equal(net.beds[2].img.remotes[0].nlive, 1);
	assert_int_equal(net.beds[2].img.remotes[1].nlive, 1);
	assert_true(psync_mask_waits(&net.views[0], 2, 1));
	/* What it says it has it has yet to receive. */
	assert_true(psync_mask_waits(&net.views[0], 0, 1));
	/* It is taken back when the third has answered. */
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 4), 0);
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 4), -EALREADY);
	assert_true(psync_view_masked(&net.views[0], 1));
	psync_mask_flush(&net, 4);
	assert_true(psync_view_masked(&net.views[0], 1));
	assert_int_equal(psync_mask_events(&net.beds[1], PSYNC_EV_UNMASKED), 1);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_UNMASKED), 0);
	psync_bed_drain(&net.views[2]);
	c1 = psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_flush(&net, 5);
	assert_int_equal(psync_bed_receive(&net.views[0]), PSYNC_MID(1, 1));
	assert_int_equal(psync_bed_receive(&net.views[0]), c1);
	assert_true(psync_view_masked(&net.views[0], 1));
	psync_bed_run(&net.beds[0], 6);
	psync_mask_flush(&net, 6);
	assert_false(psync_view_masked(&net.views[0], 1));
	ev = psync_mask_event(&net.beds[0], PSYNC_EV_UNMASKED);
	assert_int_equal(PSYNC_MID_INDEX(ev->mid), 0);
	assert_int_equal(PSYNC_MID_SEQ(ev->mid), 3);
	ev = psync_mask_event(&net.beds[1], PSYNC_EV_UNMASKED);
	assert_int_equal(PSYNC_MID_INDEX(ev->mid), 0);
	assert_int_equal(net.beds[0].img.remotes[0].nlive, 1);
	assert_int_equal(net.beds[1].img.remotes[0].nlive, 1);
	psync_mask_close(&net);
}

/* Who asks for null messages and END is not given MASK as if it were empty. */
static void psync_mask_test_nulls(void **state)
{
	struct psync_mask_net net;
	u64 a1;

	psync_mask_open(&net, 3, false);
	psync_view_nulls(&net.views[2], true, 1);
	a1 = psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_out(&net, 0, 1);
	psync_mask_flush(&net, 1);
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_MASKED), 1);
	assert_int_equal(net.views[2].outstanding, 1);
	assert_int_equal(psync_bed_receive(&net.views[2]), a1);
	assert_int_equal(net.views[2].stamp[0], 2);
	assert_int_equal(net.views[2].outstanding, 0);
	assert_null(psync_view_next(&net.views[2]));
	psync_mask_close(&net);
}

/* Before the first message of all there is nobody to tell. */
static void psync_mask_test_first(void **state)
{
	struct psync_mask_net net;

	psync_mask_open(&net, 3, false);
	psync_mask_out(&net, 0, 2);
	assert_int_equal(net.beds[0].img.attached, 0);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_bed_run(&net.beds[0], 0);
	assert_int_equal(net.beds[0].img.attached, 2);
	psync_mask_flush(&net, 1);
	assert_true(psync_mask_by(&net.beds[1].img, 0, 2));
	/* One who does without what the kernel says tells nobody. */
	psync_view_manual(&net.views[1], true, 1);
	psync_mask_out(&net, 1, 2);
	assert_int_equal(net.beds[1].img.attached, 2);
	assert_true(net.beds[1].img.parts[2].muted);
	psync_mask_close(&net);
}

/* Several at first: each announcement is made again, knowing of the others. */
static void psync_mask_test_first_two(void **state)
{
	const struct psync_note *notes;
	struct psync_mask_net net;

	psync_mask_open(&net, 4, false);
	psync_mask_out(&net, 0, 2);
	psync_mask_out(&net, 0, 3);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_bed_run(&net.beds[0], 0);
	psync_mask_flush(&net, 1);
	notes = net.beds[1].img.parts[0].notes;
	assert_true(notes[2].vote->seq > notes[3].first);
	assert_true(notes[3].vote->seq > notes[2].first);
	psync_mask_close(&net);
}

/* P 3.2.4: what another's message depends on is taken, nothing else. */
static void psync_mask_test_exception(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1);
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	psync_bed_send(bed, &net.views[0], 10);
	psync_bed_forget(bed);
	psync_mask_out(&net, 0, 1);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL),
			 PSYNC_DROP_MASKED);
	/* Vectors that name it ask for nothing. */
	psync_ack_claim(&bed->img, 1, 5);
	assert_int_equal(bed->img.nlack, 0);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(bed->img.nheld, 1);
	assert_int_equal(bed->img.nlack, 2);
	assert_int_equal(psync_bed_msg(bed, 1, 2, 2, 1, &b1),
			 PSYNC_DROP_MASKED);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(bed->img.nheld, 0);
	assert_int_equal(bed->img.nlack, 0);
	assert_int_equal(net.views[0].outstanding, 2);
	assert_int_equal(psync_bed_receive(&net.views[0]), b1);
	assert_int_equal(psync_bed_receive(&net.views[0]), c1);
	assert_int_equal(psync_bed_receive(&net.views[0]), 0);
	psync_bed_forget(bed);
	psync_mask_close(&net);
}

/* With a cut later ones are void, also as predecessors. */
static void psync_mask_test_cut(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), b3 = PSYNC_MID(1, 3);
	u64 c1 = PSYNC_MID(2, 1), got[4];
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(net.views[0].outstanding, 2);
	assert_int_equal(psync_bed_bodies, 2);
	psync_bed_held(bed);
	assert_int_equal(psync_view_mask_out(&net.views[0], 1, 1, 1), 0);
	assert_int_equal(net.views[0].outstanding, 1);
	/* Nobody waits for the body of what is void. */
	assert_int_equal(psync_bed_bodies, 1);
	assert_int_equal(psync_bed_receive(&net.views[0]), b1);
	assert_int_equal(psync_bed_receive(&net.views[0]), 0);
	assert_int_equal(net.views[0].count, 2);
	assert_int_equal(psync_bed_msg(bed, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_MASKED);
	/* One that follows it is given, without it. */
	assert_int_equal(psync_bed_msg(bed, 2, 1, 4, 1, &b3), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 1, 3, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(net.views[0].outstanding, 1);
	assert_int_equal(psync_bed_receive(&net.views[0]), c1);
	assert_int_equal(bed->drops[PSYNC_DROP_VOID], 2);
	assert_int_equal(net.views[0].count, 5);
	assert_int_equal(psync_view_step(&net.views[0], c1, false, got, 4), 1);
	assert_int_equal(got[0], b3);
	psync_bed_forget(bed);
	psync_mask_close(&net);
}

/* Back again: what came meanwhile is given; what was given back is lost. */
static void psync_mask_test_back(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), c1 = PSYNC_MID(2, 1);
	u64 answer[] = { PSYNC_MID(0, 2), 0 };
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	psync_bed_held(bed);
	assert_int_equal(psync_view_mask_out(&net.views[0], 1, 0, 1), 0);
	assert_int_equal(net.views[0].outstanding, 0);
	assert_int_equal(psync_bed_bodies, 0);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 2), 0);
	assert_int_equal(psync_bed_receive(&net.views[0]), c1);
	psync_bed_run(bed, 3);
	assert_true(psync_view_masked(&net.views[0], 1));
	/* The others know that it is taken back. */
	answer[1] = c1;
	assert_int_equal(psync_bed_msg(bed, 2, 2, 3, 2, answer), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&net.views[0]), PSYNC_MID(2, 2));
	psync_bed_run(bed, 4);
	assert_false(psync_view_masked(&net.views[0], 1));
	assert_int_equal(psync_mask_event(bed, PSYNC_EV_GAP)->reason, 2);
	assert_int_equal(psync_mask_event(bed, PSYNC_EV_GAP)->mid, b1);
	assert_int_equal(psync_mask_event(bed, PSYNC_EV_GAP)->other, b2);
	assert_true(psync_view_has(&net.views[0],
				   psync_graph_find(&bed->img, 1, 2)));
	assert_int_equal(psync_bed_msg(bed, 1, 3, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&net.views[0]), PSYNC_MID(1, 3));
	psync_bed_forget(bed);
	psync_mask_close(&net);
}

/* What was lost, and is not due yet, is not wanted the less by masking out. */
static void psync_mask_test_out_again(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1), c2 = PSYNC_MID(2, 2);
	u64 answer[] = { PSYNC_MID(0, 2), c1 };
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_held(bed);
	assert_int_equal(psync_view_mask_out(&net.views[0], 1, 0, 1), 0);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 2), 0);
	psync_bed_run(bed, 3);
	assert_int_equal(psync_bed_msg(bed, 2, 2, 3, 2, answer), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 2, 3, 4, 1, &c2), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	psync_bed_held(bed);
	assert_true(psync_graph_find(&bed->img, 1, 2)->gone);
	assert_int_equal(psync_bed_receive(&net.views[0]), c1);
	assert_int_equal(psync_bed_receive(&net.views[0]), c2);
	psync_bed_run(bed, 4);
	assert_false(psync_view_masked(&net.views[0], 1));
	assert_int_equal(psync_view_mask_out(&net.views[0], 1, 1, 5), 0);
	assert_int_equal(psync_graph_find(&bed->img, 1, 2)->wanted, 0);
	psync_bed_drain(&net.views[0]);
	assert_int_equal(net.views[0].unread, 0);
	psync_bed_forget(bed);
	psync_mask_close(&net);
}

/* Stable is among those who count, and stays so when one comes back. */
static void psync_mask_test_stable(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	u32 participants, sites;
	u64 a1, a2, c1;

	psync_mask_open(&net, 4, false);
	a1 = psync_bed_send(bed, &net.views[0], 10);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 2, 1, &a1), PSYNC_OK);
	c1 = psync_bed_receive(&net.views[0]);
	assert_int_equal(psync_view_stable(&net.views[0], a1, &participants,
					   &sites), 0);
	psync_mask_out(&net, 0, 1);
	assert_int_equal(psync_view_stable(&net.views[0], a1, &participants,
					   &sites), 0);
	psync_mask_out(&net, 0, 3);
	assert_int_equal(psync_view_stable(&net.views[0], a1, &participants,
					   &sites), 1);
	assert_int_equal(participants, 1);
	assert_int_equal(sites, 2);
	a2 = psync_bed_send(bed, &net.views[0], 10);
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 5), 0);
	assert_int_equal(psync_view_stable(&net.views[0], a1, &participants,
					   &sites), 1);
	assert_int_equal(psync_view_stable(&net.views[0], c1, &participants,
					   &sites), 1);
	assert_int_equal(psync_view_stable(&net.views[0], a2, &participants,
					   &sites), 0);
	psync_bed_forget(bed);
	psync_mask_close(&net);
}

/* The masked one does not wait for who masked it, until it is masked in. */
static void psync_mask_test_masked(void **state)
{
	struct psync_mask_net net;
	u32 participants, sites;
	u64 b1, b2;

	psync_mask_open(&net, 3, false);
	b1 = psync_bed_send(&net.beds[1], &net.views[1], 10);
	psync_mask_flush(&net, 1);
	psync_bed_drain(&net.views[0]);
	psync_bed_drain(&net.views[2]);
	psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_flush(&net, 2);
	psync_bed_drain(&net.views[1]);
	assert_int_equal(psync_view_stable(&net.views[1], b1, &participants,
					   &sites), 0);
	/* Its MASK is in its context, so this is not what makes it stable. */
	net.cut[0] = ~0U;
	psync_mask_out(&net, 0, 1);
	psync_mask_flush(&net, 3);
	net.cut[0] = 0;
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 4), 0);
	net.cut[0] = 1 << 2;
	psync_mask_out(&net, 0, 1);
	psync_mask_flush(&net, 5);
	assert_int_equal(net.beds[1].img.nheld, 0);
	b2 = psync_bed_send(&net.beds[1], &net.views[1], 10);
	psync_mask_flush(&net, 6);
	/* It was told by what is only held; its site needs none to hold it. */
	assert_int_equal(psync_mask_events(&net.beds[1], PSYNC_EV_MASKED), 1);
	assert_int_equal(net.views[1].masks[0].hint,
			 PSYNC_MASK_OP_OUT);
	assert_int_equal(net.beds[1].img.remotes[0].nlive, 0);
	assert_int_equal(psync_view_stable(&net.views[1], b2, &participants,
					   &sites), 0);
	psync_mask_close(&net);
}

/* Bodies and windows do not wait for who is masked out. */
static void psync_mask_test_freed(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, false);
	psync_bed_send(bed, &net.views[0], 10);
	psync_bed_forget(bed);
	psync_bed_ack(bed, bed, 1);
	assert_int_equal(psync_bed_bodies, 1);
	psync_mask_out(&net, 0, 1);
	assert_int_equal(psync_bed_bodies, 1);
	psync_mask_out(&net, 0, 2);
	psync_bed_forget(bed);
	assert_int_equal(psync_bed_bodies, 0);
	assert_int_equal(bed->img.nowed, 0);
	assert_int_equal(bed->img.own_bytes, 0);
	/* A conversation of one. */
	psync_bed_send(bed, &net.views[0], 10);
	psync_bed_forget(bed);
	assert_int_equal(psync_bed_bodies, 0);
	psync_mask_close(&net);
}

/* Masking all others: at once agreed, nothing to wait for, nobody to tell. */
static void psync_mask_test_alone(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	u32 participants, sites;
	u64 a1;

	psync_mask_open(&net, 3, true);
	bed->muted = ~0U;
	a1 = psync_bed_send(bed, &net.views[0], 10);
	psync_mask_out(&net, 0, 1);
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 0);
	psync_mask_out(&net, 0, 2);
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 2);
	assert_int_equal(psync_view_stable(&net.views[0], a1, &participants,
					   &sites), 1);
	assert_int_equal(participants, 0);
	assert_int_equal(psync_view_mask_in(&net.views[0], 1, 2), -EPERM);
	psync_bed_run(bed, 100000 * MS);
	assert_int_equal(psync_bed_bodies, 0);
	psync_image_leave(&bed->img, &net.views[0], 100001 * MS);
	assert_false(bed->img.parts[0].ended);
	assert_true(psync_image_over(&bed->img));
	psync_bed_exit(bed);
	net.n = 3;
	psync_bed_leave(&net.beds[1], &net.views[1]);
	psync_bed_exit(&net.beds[1]);
	psync_bed_leave(&net.beds[2], &net.views[2]);
	psync_bed_exit(&net.beds[2]);
}

/* One masks out whom another at its site does not. */
static void psync_mask_test_shared(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c1 = PSYNC_MID(2, 1);
	struct psync_view a = {}, d = {};
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	u64 d1;

	psync_bed_params(&p, pids, psync_mask_shared, 4, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 1, 0), 0);
	assert_int_equal(psync_image_join(&bed.img, &d, 3, 1, 1, 0), 0);
	assert_int_equal(psync_view_mask_out(&a, 1, NO_CUT, 1), 0);
	assert_false(bed.img.parts[1].muted);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(a.outstanding, 1);
	assert_int_equal(d.outstanding, 2);
	assert_int_equal(psync_bed_receive(&a), c1);
	assert_int_equal(psync_bed_receive(&a), 0);
	/* What the other says after it brings it in, in order. */
	assert_int_equal(psync_bed_drain(&d), 2);
	d1 = psync_bed_send(&bed, &d, 10);
	assert_int_equal(a.outstanding, 2);
	assert_int_equal(psync_bed_receive(&a), b1);
	assert_int_equal(psync_bed_receive(&a), d1);
	/* What is left out is given back when it closes. */
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(a.outstanding, 0);
	psync_view_nulls(&a, true, 1);
	assert_int_equal(a.outstanding, 0);
	psync_bed_leave(&bed, &a);
	assert_int_equal(psync_bed_drain(&d), 1);
	psync_bed_held(&bed);
	assert_int_equal(psync_bed_bodies, 0);
	psync_bed_leave(&bed, &d);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* All who remain: the cut is the most that one of them holds. */
static void psync_mask_test_agreed(void **state)
{
	struct psync_mask_net net;
	const struct psync_event *ev;
	u64 cut = PSYNC_MID(3, 2);
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_flush(&net, 1);
	/* The second one reaches only the third site. */
	net.cut[3] = 1 << 0 | 1 << 1;
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_flush(&net, 2);
	net.cut[3] = ~0U;
	for (i = 0; i < 3; i++) {
		net.cut[i] |= 1 << 3;
		psync_bed_drain(&net.views[i]);
	}
	for (i = 0; i < 2; i++) {
		psync_mask_out(&net, i, 3);
		psync_mask_flush(&net, 3 + i);
	}
	assert_false(psync_mask_waits(&net.views[0], 0, 3));
	assert_false(psync_mask_waits(&net.views[0], 1, 3));
	assert_true(psync_mask_waits(&net.views[0], 2, 3));
	psync_mask_out(&net, 2, 3);
	/* Who announces last has everything: it declares it at once. */
	net.cut[2] = ~0U;
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_AGREED), 1);
	net.cut[2] = 1 << 3;
	psync_mask_flush(&net, 5);
	/* The others first fetch what they lack. */
	psync_mask_pass(&net, 5000 * MS, true);
	for (i = 0; i < 3; i++) {
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 1);
		ev = psync_mask_event(&net.beds[i], PSYNC_EV_AGREED);
		assert_int_equal(ev->mid, cut);
		assert_int_equal(ev->site, 4);
		assert_int_equal(net.beds[i].img.parts[3].seq, 2);
		assert_int_equal(psync_view_mask_in(&net.views[i], 3, 9),
				 -EPERM);
		assert_false(psync_mask_waits(&net.views[i], 2, 3));
		assert_int_equal(psync_bed_msg(&net.beds[i], 3, 3, 3, 1, &cut),
				 PSYNC_DROP_MASKED);
	}
	assert_true(net.beds[3].img.parts[0].seq == 0);
	psync_mask_close(&net);
}

/* One more is masked out meanwhile: all is announced anew. */
static void psync_mask_test_anew(void **state)
{
	const struct psync_note *note;
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_flush(&net, 1);
	psync_mask_pass(&net, 200 * MS, true);
	for (i = 0; i < 4; i++)
		net.cut[i] = i < 2 ? 1 << 2 | 1 << 3 : ~0U;
	psync_mask_out(&net, 0, 3);
	psync_mask_out(&net, 1, 3);
	psync_mask_pass(&net, 400 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 0);
	psync_mask_out(&net, 0, 2);
	note = net.beds[0].img.parts[0].notes;
	assert_true(note[3].vote->seq > note[2].first);
	psync_mask_pass(&net, 600 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 0);
	assert_true(psync_mask_waits(&net.views[0], 1, 2));
	assert_true(psync_mask_waits(&net.views[0], 1, 3));
	psync_mask_out(&net, 1, 2);
	psync_mask_pass(&net, 800 * MS, true);
	for (i = 0; i < 2; i++) {
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 2);
		assert_true(net.views[i].masks[2].agreed);
		assert_true(net.views[i].masks[3].agreed);
		assert_int_equal(net.views[i].masks[3].limit, 1);
	}
	psync_mask_close(&net);
}

/* What only one who had not read it holds counts when it has read it. */
static void psync_mask_test_fetched(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	net.cut[3] = 1 << 0 | 1 << 2;
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_flush(&net, 200 * MS);
	net.cut[3] = ~0U;
	psync_mask_out(&net, 0, 3);
	psync_mask_out(&net, 1, 3);
	psync_mask_pass(&net, 400 * MS, false);
	psync_mask_out(&net, 2, 3);
	psync_mask_pass(&net, 4000 * MS, false);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 0);
	/* Not before its time, and then without anything new. */
	for (i = 0; i < 3; i++)
		net.views[i].masks[3].again_at = 5000 * MS;
	psync_mask_pass(&net, 4900 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 0);
	psync_mask_pass(&net, 8000 * MS, true);
	for (i = 0; i < 3; i++) {
		assert_true(net.views[i].masks[3].agreed);
		assert_int_equal(net.beds[i].img.parts[3].seq,
				 net.views[i].masks[3].limit);
	}
	psync_mask_close(&net);
}

/* Whoever ends was waited for; then it is not, and all is announced anew. */
static void psync_mask_test_ended(void **state)
{
	const struct psync_event *ev;
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	psync_mask_out(&net, 0, 3);
	psync_mask_out(&net, 1, 3);
	psync_mask_flush(&net, 200 * MS);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 0);
	net.views[2].died = true;
	psync_image_leave(&net.beds[2].img, &net.views[2], 200 * MS);
	psync_mask_flush(&net, 200 * MS);
	ev = psync_mask_event(&net.beds[0], PSYNC_EV_ENDED);
	assert_int_equal(ev->site, 3);
	assert_int_equal(ev->reason, PSYNC_END_DIED);
	assert_int_equal(PSYNC_MID_INDEX(ev->mid), 2);
	psync_mask_pass(&net, 400 * MS, true);
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 1);
	psync_image_leave(&net.beds[1].img, &net.views[1], 400 * MS);
	psync_mask_flush(&net, 400 * MS);
	ev = psync_mask_event(&net.beds[0], PSYNC_EV_ENDED);
	assert_int_equal(ev->reason, PSYNC_END_CLOSED);
	psync_bed_leave(&net.beds[0], &net.views[0]);
	psync_bed_leave(&net.beds[3], &net.views[3]);
	for (i = 0; i < 4; i++)
		psync_bed_exit(&net.beds[i]);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Who takes it back when the others have counted on it is too late. */
static void psync_mask_test_overtaken(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 3, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	psync_mask_out(&net, 0, 2);
	psync_mask_flush(&net, 200 * MS);
	/* Both at the same time. */
	psync_mask_out(&net, 1, 2);
	assert_int_equal(psync_view_mask_in(&net.views[0], 2, 200 * MS), 0);
	assert_true(net.views[1].masks[2].agreed);
	psync_mask_pass(&net, 400 * MS, true);
	for (i = 0; i < 2; i++) {
		assert_true(net.views[i].masks[2].agreed);
		assert_int_equal(net.views[i].masks[2].limit,
				 net.beds[0].img.parts[2].seq);
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 1);
	}
	psync_mask_close(&net);
}

/* Until then it takes nothing more: what counts for the others counts here. */
static void psync_mask_test_kept(void **state)
{
	struct psync_mask_net net;
	struct psync_note *note;
	u64 cut;
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_pass(&net, 200 * MS, true);
	cut = net.beds[0].img.parts[3].seq;
	psync_mask_out(&net, 0, 3);
	psync_mask_out(&net, 2, 3);
	psync_mask_pass(&net, 400 * MS, true);
	/* The last one who is needed is cut off when it says so. */
	net.cut[1] = 0xd;
	net.cut[0] = net.cut[2] = net.cut[3] = 0x2;
	psync_mask_out(&net, 1, 3);
	assert_true(net.views[1].masks[3].agreed);
	cut = net.views[1].masks[3].limit;
	assert_int_equal(psync_view_mask_in(&net.views[0], 3, 400 * MS), 0);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_pass(&net, 600 * MS, true);
	assert_true(net.views[0].stamp[3] <= cut);
	assert_false(net.views[0].masks[3].agreed);
	memset(net.cut, 0, sizeof(net.cut));
	psync_mask_pass(&net, 60000 * MS, true);
	for (i = 0; i < 3; i++) {
		assert_true(net.views[i].masks[3].agreed);
		assert_int_equal(net.views[i].masks[3].limit, cut);
		note = &net.beds[i].img.parts[0].notes[3];
		assert_int_equal(note->closed, 0);
		assert_true(note->vote->last <= cut);
		assert_int_equal(net.beds[i].drops[PSYNC_DROP_BAD_CONTEXT], 0);
		assert_int_equal(net.beds[i].img.nuntaken, 0);
	}
	psync_mask_close(&net);
}

/* Who knows that it was taken back begins anew. */
static void psync_mask_test_taken_back(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 3, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	psync_mask_out(&net, 0, 2);
	assert_int_equal(psync_view_mask_in(&net.views[0], 2, 200 * MS), 0);
	psync_mask_flush(&net, 200 * MS);
	psync_mask_out(&net, 1, 2);
	psync_mask_pass(&net, 400 * MS, true);
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 0);
	assert_true(psync_mask_waits(&net.views[1], 0, 2));
	psync_mask_out(&net, 0, 2);
	psync_mask_pass(&net, 600 * MS, true);
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 1);
	psync_mask_close(&net);
}

/* Cut off from each other, each side masks the other. */
static void psync_mask_test_sides(void **state)
{
	struct psync_mask_net net;
	u32 i, k;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	for (i = 0; i < 4; i++)
		net.cut[i] = i < 2 ? 0xc : 0x3;
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			if ((i < 2) != (k < 2))
				psync_mask_out(&net, i, k);
	psync_mask_pass(&net, 1000 * MS, true);
	for (i = 0; i < 4; i++)
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 2);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	/* Together again, each goes on for itself, and is told nothing more. */
	memset(net.cut, 0, sizeof(net.cut));
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 2000 * MS, true);
	for (i = 0; i < 4; i++)
		assert_int_equal(psync_mask_events(&net.beds[i],
						   PSYNC_EV_AGREED), 2);
	psync_mask_pass(&net, 60000 * MS, true);
	for (i = 0; i < 4; i++) {
		assert_int_equal(net.beds[i].img.nowed, 0);
		assert_int_equal(net.beds[i].img.nuntaken, 0);
	}
	assert_int_equal(net.beds[0].img.parts[0].seq,
			 net.beds[1].img.parts[0].seq);
	psync_mask_close(&net);
}

/* Who was cut off and asks for what was given back is told why. */
static void psync_mask_test_remind(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 3, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	net.cut[0] = 1 << 2;
	net.cut[1] = 1 << 2;
	net.cut[2] = ~0U;
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_out(&net, 0, 2);
	psync_mask_pass(&net, 1000 * MS, true);
	psync_mask_out(&net, 1, 2);
	psync_mask_pass(&net, 2000 * MS, true);
	for (i = 0; i < 3; i++)
		net.cut[i] = 0;
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_MASKED), 0);
	psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_pass(&net, 20000 * MS, true);
	assert_true(psync_mask_events(&net.beds[2], PSYNC_EV_MASKED) >= 1);
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_GAP), 0);
	psync_mask_close(&net);
}

static int psync_mask_try(struct psync_bed *bed, struct psync_view *view)
{
	void *body = psync_bed_body_new();
	u64 mid;
	int err;

	err = psync_image_send(&bed->img, view, body, 10, &mid, bed->img.now);
	if (err)
		psync_bed_body_put(body);
	return err;
}

/*
 * S5.3: who is counted out for good is told so when it sends, whether it heard
 * all that others said of it or nothing, and may send no more.
 */
static void psync_mask_test_expelled(void **state)
{
	const struct psync_event *ev;
	struct psync_mask_net net;
	u32 i, away;
	u64 last;

	for (away = 0; away < 2; away++) {
		psync_mask_open(&net, 3, true);
		psync_bed_send(&net.beds[0], &net.views[0], 10);
		psync_mask_pass(&net, 200 * MS, true);
		for (i = 0; away && i < 3; i++)
			net.cut[i] = i < 2 ? 1 << 2 : ~0U;
		last = net.beds[0].img.parts[2].seq;
		for (i = 0; i < 2; i++)
			psync_mask_out(&net, i, 2);
		psync_mask_pass(&net, 1000 * MS, true);
		memset(net.cut, 0, sizeof(net.cut));
		assert_int_equal(psync_mask_events(&net.beds[0],
						   PSYNC_EV_AGREED), 1);
		assert_int_equal(psync_mask_events(&net.beds[2],
						   PSYNC_EV_AGREED), 0);
		assert_false(net.views[2].out);
		psync_bed_send(&net.beds[2], &net.views[2], 10);
		psync_mask_pass(&net, 3000 * MS, true);
		assert_int_equal(psync_mask_events(&net.beds[2],
						   PSYNC_EV_AGREED), 1);
		ev = psync_mask_event(&net.beds[2], PSYNC_EV_AGREED);
		assert_int_equal(ev->site, 3);
		assert_int_equal(ev->mid, PSYNC_MID(2, last));
		assert_true(net.views[2].out);
		assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]),
				 -ESTALE);
		psync_mask_close(&net);
	}
}

/* What tells it may be lost; it is not said for ever. */
static void psync_mask_test_expelled_late(void **state)
{
	struct psync_mask_net net;
	u32 before, i;

	psync_mask_open(&net, 3, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	for (i = 0; i < 2; i++)
		psync_mask_out(&net, i, 2);
	psync_mask_pass(&net, 1000 * MS, true);
	net.cut[0] = 1 << 2;
	net.cut[1] = 1 << 2;
	before = net.beds[0].img.attached;
	for (i = 0; i < 200; i++) {
		assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]),
				 0);
		psync_mask_pass(&net, (1000 + i * 20) * MS, true);
	}
	/* One message of each says so, with what answers it. */
	assert_in_range(net.beds[0].img.attached, before + 2, before + 6);
	memset(net.cut, 0, sizeof(net.cut));
	for (i = 0; i < 200 && !net.views[2].out; i++) {
		assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]),
				 0);
		psync_mask_pass(&net, (6000 + i * 1000) * MS, true);
	}
	assert_true(net.views[2].out);
	psync_mask_close(&net);
}

/*
 * One of two sites of a side goes on with the other, until that one ends; and when
 * it is back.
 */
static void psync_mask_test_expelled_two(void **state)
{
	struct psync_mask_net net;
	u32 i, k;

	psync_mask_open(&net, 4, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	for (i = 0; i < 2; i++)
		for (k = 2; k < 4; k++)
			psync_mask_out(&net, i, k);
	psync_mask_pass(&net, 1000 * MS, true);
	psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_pass(&net, 3000 * MS, true);
	assert_true(net.views[2].masks[0].kept);
	assert_true(net.views[2].masks[1].kept);
	assert_false(net.views[2].out);
	psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_pass(&net, 4000 * MS, true);
	assert_int_equal(net.beds[3].img.parts[2].seq,
			 net.beds[2].img.parts[2].seq);
	/* Who is masked out is somebody until that is agreed. */
	net.views[2].masks[3].out = true;
	assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]), 0);
	net.views[2].masks[3].out = false;
	psync_mask_pass(&net, 5000 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_AGREED), 0);
	/* It ends, and is back. */
	net.beds[2].img.parts[3].ended = true;
	assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]), -ESTALE);
	assert_int_equal(psync_mask_events(&net.beds[2], PSYNC_EV_AGREED), 1);
	net.beds[2].img.parts[3].ended = false;
	assert_int_equal(psync_mask_try(&net.beds[2], &net.views[2]), 0);
	psync_mask_close(&net);
}

/* Who has masked out all the others goes on alone, whatever they say. */
static void psync_mask_test_expelled_alone(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 3, true);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	net.cut[0] = ~0U;
	net.cut[1] = 1;
	net.cut[2] = 1;
	for (i = 1; i < 3; i++) {
		psync_mask_out(&net, 0, i);
		psync_mask_out(&net, i, 0);
	}
	psync_mask_pass(&net, 1000 * MS, true);
	memset(net.cut, 0, sizeof(net.cut));
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 2);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 3000 * MS, true);
	assert_true(net.views[0].masks[1].kept);
	assert_true(net.views[0].masks[2].kept);
	assert_int_equal(psync_mask_try(&net.beds[0], &net.views[0]), 0);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_AGREED), 2);
	psync_mask_close(&net);
}

/* ... but not where another one is who is waited for. */
static void psync_mask_test_remind_shared(void **state)
{
	struct psync_image_params p;
	struct psync_remote *remote;
	struct psync_pid pids[4];
	struct psync_view b = {};
	struct psync_bed bed;

	psync_bed_params(&p, pids, psync_mask_shared, 4, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 2), 0);
	bed.muted = ~0U;
	remote = &bed.img.remotes[0];
	assert_int_equal(remote->site, 1);
	assert_int_equal(psync_image_join(&bed.img, &b, 1, 1, 1, 0), 0);
	assert_int_equal(psync_bed_msg(&bed, 0, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 3, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_drain(&b), 2);
	assert_int_equal(psync_view_mask_out(&b, 0, NO_CUT, 1), 0);
	assert_false(psync_mask_remind(&bed.img, remote));
	assert_int_equal(psync_view_mask_out(&b, 3, NO_CUT, 1), 0);
	assert_true(psync_mask_remind(&bed.img, remote));
	psync_bed_leave(&bed, &b);
	/* Who has closed has masked them out all the same. */
	assert_true(psync_mask_remind(&bed.img, remote));
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What others keep for it is asked for, though its sender has masked it out. */
static void psync_mask_test_kept_for(void **state)
{
	struct psync_mask_net net;
	struct psync_part *parts;
	u64 before;

	psync_mask_open(&net, 4, true);
	parts = net.beds[1].img.parts;
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	before = net.beds[0].img.parts[2].seq;
	psync_mask_out(&net, 1, 3);
	psync_mask_flush(&net, 200 * MS);
	/* The first has it, and does not care for it; the second knows nothing. */
	net.cut[2] = 1 << 1;
	psync_bed_send(&net.beds[3], &net.views[3], 10);
	psync_mask_flush(&net, 200 * MS);
	psync_bed_drain(&net.views[2]);
	psync_bed_send(&net.beds[2], &net.views[2], 10);
	psync_mask_flush(&net, 200 * MS);
	assert_int_equal(psync_view_mask_out(&net.views[0], 2, before,
					     200 * MS), 0);
	psync_mask_flush(&net, 200 * MS);
	net.cut[2] = 1 << 0;
	psync_mask_out(&net, 2, 1);
	psync_mask_flush(&net, 200 * MS);
	assert_int_equal(net.views[1].masks[2].hint,
			 PSYNC_MASK_OP_OUT);
	assert_int_equal(parts[2].seq, before);
	/* What it follows is not asked for either, but for that. */
	assert_int_equal(parts[3].seq, before);
	memset(net.cut, 0, sizeof(net.cut));
	psync_mask_pass(&net, 20000 * MS, false);
	assert_true(parts[2].shut);
	assert_int_equal(parts[2].seq, net.beds[0].img.parts[2].seq);
	assert_true(parts[2].seq > before);
	assert_true(parts[3].seq > before);
	assert_int_equal(net.beds[0].img.remotes[0].lag, 0);
	/* Nobody who counts has more. */
	assert_int_equal(parts[2].claimed, parts[2].seq);
	psync_mask_close(&net);
}

/* A site that should speak and does not; and that is heard again. */
static void psync_mask_test_suspect(void **state)
{
	struct psync_mask_net net;
	u32 i;

	psync_mask_open(&net, 3, true);
	for (i = 0; i < 3; i++)
		net.beds[i].img.p.limits.suspect_ns = 3000 * MS;
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	net.cut[2] = ~0U;
	/* Nothing is expected of it. */
	psync_mask_pass(&net, 10000 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_SUSPECT), 0);
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 12999 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_SUSPECT), 0);
	psync_mask_pass(&net, 13001 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_SUSPECT), 1);
	assert_int_equal(psync_mask_event(&net.beds[0], PSYNC_EV_SUSPECT)->site,
			 3);
	psync_mask_pass(&net, 30000 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_SUSPECT), 1);
	assert_int_equal(psync_mask_events(&net.beds[1], PSYNC_EV_SUSPECT), 1);
	net.cut[2] = 0;
	psync_mask_pass(&net, 40000 * MS, true);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_HEARD), 1);
	assert_int_equal(psync_mask_events(&net.beds[0], PSYNC_EV_SUSPECT), 1);
	psync_mask_close(&net);
}

/* However short a time is set, it is asked twice before it is suspected. */
static void psync_mask_test_suspect_asks(void **state)
{
	const struct psync_bed *bed;
	struct psync_mask_net net;
	u32 asked = 0;

	psync_mask_open(&net, 3, true);
	bed = &net.beds[0];
	net.beds[0].img.p.limits.suspect_ns = 1;
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	psync_mask_pass(&net, 200 * MS, true);
	net.cut[2] = ~0U;
	psync_bed_send(&net.beds[0], &net.views[0], 10);
	while (!psync_mask_events(bed, PSYNC_EV_SUSPECT)) {
		asked = bed->img.remotes[1].probes;
		assert_true(bed->img.now < 10000 * MS);
		psync_mask_pass(&net, bed->img.now + MS, true);
	}
	/* By what was sent, and once more. */
	assert_int_equal(asked, 1);
	psync_mask_close(&net);
}

/* What says more than it can is dropped. */
static void psync_mask_test_lies(void **state)
{
	u64 c1 = PSYNC_MID(2, 1);
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	struct psync_pkt pkt;

	psync_mask_open(&net, 3, false);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_craft(bed, 1, 1, 2, 1, &c1, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	pkt.msg.about = 2;
	pkt.body_len = 0;
	bed->fail_at = bed->allocs + 3;
	assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_DROP_NO_MEM);
	/* It holds less than it follows. */
	assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(psync_graph_find(&bed->img, 1, 1)->last, 1);
	/* To mask in whom it has not masked out says nothing. */
	pkt.msg.seq = 2;
	pkt.msg.wave = 3;
	wire[0].index = cpu_to_be16(1);
	wire[0].seq = cpu_to_be32(1);
	pkt.msg.about = 0;
	pkt.msg.op = PSYNC_MASK_OP_IN;
	assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_OK);
	assert_false(psync_mask_by(&bed->img, 1, 0));
	assert_int_equal(bed->img.parts[1].notes[0].first, 0);
	assert_true(psync_mask_by(&bed->img, 1, 2));
	psync_mask_close(&net);
}

/* Without memory it is masked out, and announced later. */
static void psync_mask_test_memory(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 3, true);
	bed->muted = ~0U;
	psync_bed_send(bed, &net.views[0], 10);
	bed->fail_from = bed->allocs + 3;
	psync_mask_out(&net, 0, 1);
	assert_true(net.views[0].announce);
	assert_true(bed->img.parts[1].muted);
	assert_int_equal(bed->img.attached, 1);
	bed->fail_from = 0;
	psync_bed_run(bed, 200 * MS);
	assert_false(net.views[0].announce);
	assert_int_equal(bed->img.attached, 2);
	psync_mask_close(&net);
}

/* What another says of itself, by hand. */
struct psync_mask_word {
	u64	mid;
	u8	kind;		/* of MASKs op says enough */
	u8	op;
	u16	about;
	u64	last;
	u64	preds[4];	/* up to the first zero */
};

#define A(seq)	PSYNC_MID(0, seq)
#define B(seq)	PSYNC_MID(1, seq)
#define C(seq)	PSYNC_MID(2, seq)
#define D(seq)	PSYNC_MID(3, seq)
/* What the bed's participant has said last. */
#define OWN	A(bed->img.parts[0].seq)
#define OUT	PSYNC_MASK_OP_OUT
#define KEPT	PSYNC_MASK_OP_KEPT

static enum psync_drop psync_mask_hear(struct psync_bed *bed,
				       const struct psync_mask_word *word)
{
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	const struct psync_node *node;
	enum psync_drop drop;
	struct psync_pkt pkt;
	u32 wave = 0, i;

	for (i = 0; word->preds[i]; i++) {
		node = psync_graph_find(&bed->img,
					PSYNC_MID_INDEX(word->preds[i]),
					PSYNC_MID_SEQ(word->preds[i]));
		assert_non_null(node);
		wave = max(wave, node->wave);
	}
	psync_bed_craft(bed, PSYNC_MID_INDEX(word->mid),
			PSYNC_MID_SEQ(word->mid), wave + 1, i, word->preds, wire,
			&pkt);
	pkt.msg.kind = word->op ? PSYNC_KIND_MASK : word->kind;
	pkt.msg.op = word->op;
	pkt.msg.about = word->about;
	pkt.msg.last = word->last;
	pkt.body_len = word->kind == PSYNC_KIND_DATA ? 100 : 0;
	drop = psync_bed_input(bed, &pkt, bed->img.now);
	/* What is found then is told by the timer. */
	psync_bed_run(bed, bed->img.now + 1);
	return drop;
}

#define heard(bed, ...) \
	assert_int_equal(psync_mask_hear((bed), \
					 &(struct psync_mask_word){ __VA_ARGS__ }), \
			 PSYNC_OK)
#define says(who, whom, ...) \
	.mid = (who), .op = OUT, .about = (whom), .preds = { __VA_ARGS__ }
#define null(who, ...) \
	.mid = (who), .kind = PSYNC_KIND_NULL, .preds = { __VA_ARGS__ }

/* Four sites, of which the first has said something and masks out the last. */
static struct psync_bed *psync_mask_begun(struct psync_mask_net *net)
{
	psync_mask_open(net, 4, false);
	assert_int_equal(psync_bed_send(&net->beds[0], &net->views[0], 10),
			 A(1));
	psync_mask_out(net, 0, 3);
	assert_int_equal(net->beds[0].img.parts[0].seq, 2);
	return &net->beds[0];
}

static void psync_mask_done(struct psync_mask_net *net)
{
	psync_bed_forget(&net->beds[0]);
	psync_mask_close(net);
}

/* Another site may have made it up, unless there is such a number. */
static void psync_mask_hint_relayed(struct psync_bed *bed,
				    struct psync_view *view,
				    const struct psync_pkt *pkt)
{
	struct psync_pkt foreign = *pkt, vector;
	u64 held[4] = {};
	__be32 seqs[4];

	foreign.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	foreign.src_site = 2;
	foreign.src_inc = 5002;
	foreign.msg.inc = 5003;
	foreign.msg.opening = 1;
	for (held[2] = 9; held[2] <= 10; held[2]++) {
		psync_bed_vector(bed, PSYNC_PKT_ACK, 3, held, seqs, &vector);
		assert_int_equal(psync_bed_input(bed, &vector, 1), PSYNC_OK);
		psync_bed_input(bed, &foreign, 1);
		assert_int_equal(view->masks && view->masks[2].hint,
				 held[2] == 10);
	}
	view->masks[2].hint = 0;
	view->masks[2].hint_at = 0;
}

/* Each of several at a site is told by what has come without its context. */
static void psync_mask_test_hints(void **state)
{
	struct psync_view a = {}, d = {};
	struct psync_wire_mid wire[8];
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_bed bed;
	u64 c9 = C(9);
	struct psync_pkt pkt;

	psync_bed_params(&p, pids, psync_mask_shared, 4, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	bed.img.p.limits.rto_min_ns = 10 * MS;
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 1, 0), 0);
	assert_int_equal(psync_image_join(&bed.img, &d, 3, 1, 1, 0), 0);
	psync_bed_send(&bed, &a, 10);
	psync_bed_craft(&bed, 2, 10, 10, 1, &c9, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	pkt.msg.about = 0;
	pkt.body_len = 0;
	psync_mask_hint_relayed(&bed, &a, &pkt);
	psync_bed_input(&bed, &pkt, 1);
	assert_int_equal(a.masks[2].hint, PSYNC_MASK_OP_OUT);
	assert_false(bed.img.parts[2].shut);
	assert_int_equal(bed.img.remotes[1].nlive, 1);
	pkt.msg.seq = 11;
	pkt.msg.about = 3;
	bed.fail_at = bed.allocs + 1;
	psync_bed_input(&bed, &pkt, 1);
	assert_null(d.masks);
	psync_bed_input(&bed, &pkt, 1);
	assert_true(bed.img.parts[2].shut);
	assert_int_equal(bed.img.remotes[1].nlive, 0);
	assert_int_equal(psync_mask_events(&bed, PSYNC_EV_MASKED), 3);
	/* One of them, later; and what was said before is no news. */
	pkt.msg.seq = 13;
	pkt.msg.about = 0;
	pkt.msg.op = PSYNC_MASK_OP_IN;
	psync_bed_input(&bed, &pkt, 1);
	assert_false(bed.img.parts[2].shut);
	assert_int_equal(bed.img.remotes[1].nlive, 1);
	pkt.msg.seq = 12;
	pkt.msg.op = PSYNC_MASK_OP_OUT;
	psync_bed_input(&bed, &pkt, 100 * MS);
	assert_false(bed.img.parts[2].shut);
	/* Who changes its mind all the time is not heard each time. */
	pkt.msg.seq = 14;
	psync_bed_input(&bed, &pkt, 10 * MS);
	assert_false(bed.img.parts[2].shut);
	psync_bed_input(&bed, &pkt, 1 + 10 * MS);
	assert_true(bed.img.parts[2].shut);
	psync_bed_leave(&bed, &a);
	psync_bed_leave(&bed, &d);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What is said of an earlier life of it does not concern who is back (S7.1). */
static void psync_mask_test_expelled_before(void **state)
{
	struct psync_wire_mid wire[8];
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_view a = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 c9 = C(9);

	psync_bed_params(&p, pids, psync_mask_apart, 4, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 1, 0), 0);
	psync_bed_send(&bed, &a, 10);
	psync_bed_send(&bed, &a, 10);
	psync_bed_craft(&bed, 2, 10, 10, 1, &c9, wire, &pkt);
	pkt.msg.kind = PSYNC_KIND_MASK;
	pkt.msg.op = PSYNC_MASK_OP_KEPT;
	pkt.msg.about = 0;
	pkt.msg.last = 1;
	pkt.body_len = 0;
	/* Nor does what another site says, who may have made it up. */
	psync_mask_hint_relayed(&bed, &a, &pkt);
	assert_false(a.masks[2].kept);
	a.restart = true;
	psync_bed_input(&bed, &pkt, 1);
	assert_int_equal(a.masks[2].hint, PSYNC_MASK_OP_OUT);
	assert_false(a.masks[2].kept);
	a.restart = false;
	a.returned = 2;
	pkt.msg.seq++;
	psync_bed_input(&bed, &pkt, 1);
	assert_false(a.masks[2].kept);
	/* Its own word counts, also where another site has relayed it before. */
	pkt.msg.last = 5;
	pkt.msg.seq++;
	a.masks[2].hint_at = pkt.msg.seq;
	psync_bed_input(&bed, &pkt, 1);
	assert_true(a.masks[2].kept);
	assert_int_equal(a.masks[2].kept_at, 2);
	/* Two are not heard yet: they may take what it sends. */
	assert_int_equal(psync_mask_try(&bed, &a), 0);
	bed.img.remotes[0].absent = true;
	bed.img.remotes[2].absent = true;
	assert_int_equal(psync_mask_try(&bed, &a), -ESTALE);
	assert_int_equal(psync_mask_event(&bed, PSYNC_EV_AGREED)->mid,
			 PSYNC_MID(0, 2));
	pkt.msg.seq++;
	pkt.msg.op = PSYNC_MASK_OP_IN;
	psync_bed_input(&bed, &pkt, 100 * MS);
	assert_false(a.out);
	assert_int_equal(psync_mask_try(&bed, &a), 0);
	psync_bed_leave(&bed, &a);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/*
 * What is given up where somebody masks out all who are here need not have died:
 * that one may have it, and keeps nothing for them.
 */
static void psync_mask_test_unkept(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), c9 = C(9);
	struct psync_wire_mid wire[8];
	struct psync_image_params p;
	struct psync_pid pids[4];
	struct psync_view a = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	u32 shut;

	for (shut = 0; shut < 2; shut++) {
		psync_bed_params(&p, pids, psync_mask_apart, 4, 0);
		psync_bed_times(&p);
		assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
		bed.muted = ~0U;
		assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 1, 0), 0);
		psync_bed_craft(&bed, 2, 10, 10, 1, &c9, wire, &pkt);
		pkt.msg.kind = PSYNC_KIND_MASK;
		pkt.msg.op = PSYNC_MASK_OP_OUT;
		pkt.msg.about = 0;
		pkt.body_len = 0;
		if (shut)
			psync_bed_input(&bed, &pkt, 1);
		assert_int_equal(bed.img.parts[2].shut, shut);
		assert_int_equal(psync_bed_msg(&bed, 3, 1, 2, 1, &b1),
				 PSYNC_OK);
		psync_bed_run(&bed, 60000 * MS);
		assert_int_equal(bed.img.nheld, 0);
		assert_int_equal(psync_mask_event(&bed, PSYNC_EV_VOID)->mid,
				 b1);
		assert_int_equal(psync_mask_event(&bed, PSYNC_EV_VOID)->reason,
				 shut ? PSYNC_VOID_UNKEPT : PSYNC_VOID_DIED);
		psync_bed_leave(&bed, &a);
		psync_bed_exit(&bed);
	}
	assert_int_equal(psync_bed_bodies, 0);
}

/* A site has all that it listens to, but nothing more of two others. */
static void psync_mask_acks(struct psync_bed *bed, u32 site)
{
	u64 held[4] = {
		bed->img.parts[0].seq, bed->img.parts[1].seq, 1,
		bed->img.p.seq_base,
	};
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(bed, PSYNC_PKT_ACK, site, held, wire, &pkt);
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
}

/* Who masks out all but one at a site is not waited for with what others say. */
static void psync_mask_test_deaf(void **state)
{
	struct psync_view a = {}, d = {};
	struct psync_image_params p;
	struct psync_remote *remote;
	struct psync_pid pids[4];
	struct psync_bed bed;

	psync_bed_params(&p, pids, psync_mask_shared, 4, 0);
	psync_bed_times(&p);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	remote = &bed.img.remotes[0];
	assert_int_equal(remote->site, 2);
	assert_int_equal(psync_image_join(&bed.img, &a, 0, 1, 1, 0), 0);
	assert_int_equal(psync_image_join(&bed.img, &d, 3, 1, 1, 0), 0);
	heard(&bed, .mid = B(1), .kind = PSYNC_KIND_DATA);
	heard(&bed, .mid = C(1), .kind = PSYNC_KIND_DATA, .preds = { B(1) });
	psync_bed_drain(&a);
	psync_bed_drain(&d);
	psync_bed_run(&bed, 200 * MS);
	psync_bed_held(&bed);
	assert_int_equal(remote->lag, 0);
	assert_int_equal(psync_view_mask_out(&a, 2, NO_CUT, bed.img.now), 0);
	assert_int_equal(psync_view_mask_out(&a, 3, NO_CUT, bed.img.now), 0);
	heard(&bed, says(B(2), 2, B(1)));
	psync_bed_held(&bed);
	assert_int_equal(remote->lag, 0);
	heard(&bed, .mid = C(2), .kind = PSYNC_KIND_DATA, .preds = { C(1) });
	assert_int_equal(psync_bed_drain(&d), 1);
	/* What the one that it listens to says next may follow that. */
	psync_bed_run(&bed, bed.img.now + 1000 * MS);
	psync_mask_acks(&bed, 2);
	psync_bed_run(&bed, bed.img.now + 10000 * MS);
	assert_true(psync_ack_lacks(&bed.img, remote,
				    psync_graph_find(&bed.img, 2, 2)));
	assert_false(psync_graph_find(&bed.img, 2, 2)->spared);
	heard(&bed, says(B(3), 3, B(2)));
	psync_bed_run(&bed, bed.img.now + 1000 * MS);
	psync_mask_acks(&bed, 2);
	psync_bed_run(&bed, bed.img.now + 10000 * MS);
	assert_true(psync_graph_find(&bed.img, 2, 2)->spared);
	psync_bed_leave(&bed, &a);
	psync_bed_leave(&bed, &d);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Each is announced behind the first announcement of each other. */
static void psync_mask_test_order(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);

	psync_mask_out(&net, 0, 2);
	assert_int_equal(bed->img.parts[0].seq, 4);
	heard(bed, says(B(1), 3, A(4)));
	heard(bed, says(B(2), 2, B(1)));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 0);
	assert_true(psync_mask_waits(&net.views[0], 1, 2));
	heard(bed, says(B(3), 3, B(2)));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 2);
	psync_mask_done(&net);
}

/* Each knows of all who ended: what they said at last is known then. */
static void psync_mask_test_turns(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);

	heard(bed, .mid = C(1), .kind = PSYNC_KIND_END, .preds = { A(1) });
	assert_int_equal(bed->img.parts[0].seq, 3);
	heard(bed, says(B(1), 3, A(2)));
	heard(bed, null(B(2), A(3), B(1)));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 0);
	assert_true(psync_mask_waits(&net.views[0], 1, 3));
	heard(bed, says(B(3), 3, B(2)));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 1);
	psync_mask_done(&net);
}

/* What site 2 gets for asking again after a second: how many are GONE? */
static u32 psync_mask_asked(struct psync_bed *bed, u64 mid, u8 flags)
{
	const u64 held[4] = { 2, 1, 1 };
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 gone;

	psync_bed_forget(bed);
	psync_bed_vector(bed, PSYNC_PKT_RR, 2, held, wire, &pkt);
	pkt.vector.flags = flags |
			   (PSYNC_MID_SEQ(mid) ? PSYNC_VECTORF_MID : 0);
	pkt.vector.index = PSYNC_MID_INDEX(mid);
	pkt.vector.seq = PSYNC_MID_SEQ(mid);
	gone = bed->ntypes[PSYNC_PKT_GONE];
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now + 1000 * MS),
			 PSYNC_OK);
	gone = bed->ntypes[PSYNC_PKT_GONE] - gone;
	psync_bed_forget(bed);
	return gone;
}

/* What nobody wants is given back, and who asks for something else has not lost it. */
static void psync_mask_test_unwanted(void **state)
{
	const u64 held[4] = { 2, 1, 1 };
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 i;

	psync_mask_open(&net, 4, false);
	assert_int_equal(psync_bed_send(bed, &net.views[0], 10), A(1));
	heard(bed, .mid = D(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	assert_int_equal(psync_view_mask_out(&net.views[0], 3, 0, 1), 0);
	heard(bed, says(B(1), 3, A(1)));
	heard(bed, says(C(1), 3, A(1)));
	for (i = 0; i < 2; i++) {
		psync_bed_vector(bed, PSYNC_PKT_ACK, 2 + i, held, wire, &pkt);
		assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_OK);
	}
	assert_true(psync_mask_spares(&bed->img, &bed->img.remotes[0]));
	bed->muted = 0;
	psync_bed_send(bed, &net.views[0], 10);
	assert_true(psync_graph_find(&bed->img, 3, 1)->gone);
	assert_int_equal(psync_mask_asked(bed, A(3), 0), 0);
	assert_int_equal(psync_mask_asked(bed, 0, 0), 0);
	assert_int_equal(psync_mask_asked(bed, PSYNC_MID(2, 0),
					  PSYNC_VECTORF_LAST), 0);
	assert_int_equal(psync_mask_asked(bed, PSYNC_MID(3, 0),
					  PSYNC_VECTORF_LAST), 1);
	heard(bed, null(C(2), C(1), D(1)));
	assert_int_equal(psync_mask_asked(bed, C(2), 0), 1);
	psync_mask_done(&net);
}

/* What the history keeps is lacked, too, by one who is back. */
static void psync_mask_test_history(void **state)
{
	const u64 held[4] = { 2 };
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	struct psync_remote *remote;
	struct psync_pkt pkt;
	__be32 wire[4];
	u32 i;

	psync_mask_open(&net, 4, false);
	psync_image_history(&bed->img, 1 << 20);
	psync_bed_send(bed, &net.views[0], 10);
	psync_mask_out(&net, 0, 3);
	for (i = 0; i < 3; i++) {
		psync_bed_vector(bed, PSYNC_PKT_ACK, 2 + i, held, wire, &pkt);
		assert_int_equal(psync_bed_input(bed, &pkt, 1), PSYNC_OK);
	}
	assert_true(psync_graph_find(&bed->img, 0, 1)->kept);
	assert_int_equal(bed->img.parts[0].nkept, 0);
	remote = &bed->img.remotes[0];
	psync_ack_rebase(&bed->img, remote);
	assert_true(remote->lag);
	assert_false(psync_mask_spares(&bed->img, remote));
	psync_mask_done(&net);
}

/*
 * Whom all here mask out owes them no answer, also while they listen to all because
 * somebody is asked for: others are asked to say what is gone, after some time.
 */
static void psync_mask_test_disowned(void **state)
{
	const u64 preds[] = { B(1), D(3) }, held[] = { 1, 2, 1, 3 };
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	struct psync_pkt pkt;
	u32 asked = 0, last = 0, site;
	__be32 wire[4];

	psync_mask_open(&net, 4, true);
	psync_bed_send(bed, &net.views[0], 10);
	heard(bed, .mid = B(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	heard(bed, .mid = C(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	heard(bed, .mid = D(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	psync_bed_drain(&net.views[0]);
	psync_mask_out(&net, 0, 2);
	psync_mask_out(&net, 0, 3);
	assert_int_equal(psync_view_mask_in(&net.views[0], 2, bed->img.now), 0);
	assert_int_equal(net.views[0].asks, 1);
	/* It waits for messages of the fourth, which its site holds. */
	assert_int_equal(psync_bed_msg(bed, 1, 2, 5, 2, preds), PSYNC_OK);
	psync_bed_vector(bed, PSYNC_PKT_ACK, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
	assert_int_equal(bed->img.nheld, 1);
	bed->muted = ~(1U << PSYNC_PKT_RR);
	psync_bed_forget(bed);
	while (!last && bed->img.now < 1000ULL * 1000 * MS) {
		psync_bed_run(bed, bed->img.now + 1000 * MS);
		for (; bed->nsent && !last; asked++) {
			psync_bed_take(bed, &pkt, &site);
			last += !!(pkt.vector.flags & PSYNC_VECTORF_LAST);
		}
	}
	assert_int_equal(last, 1);
	/* Eight and two for each of three others have not had it. */
	assert_int_equal(asked, 8 + 2 * 3 + 1);
	psync_mask_done(&net);
}

/* What was announced before it was masked in does not count any more. */
static void psync_mask_test_stands(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);

	heard(bed, says(B(1), 3, A(2)));
	heard(bed, says(C(1), 3, A(2)));
	assert_int_equal(psync_view_mask_in(&net.views[0], 3, 1), 0);
	heard(bed, .mid = B(2), .op = PSYNC_MASK_OP_IN, .about = 3,
	      .preds = { OWN });
	heard(bed, null(C(2), OWN));
	assert_false(psync_view_masked(&net.views[0], 3));
	psync_mask_out(&net, 0, 3);
	/* As if somebody depended on it already. */
	bed->img.parts[3].need = 1;
	/* It comes late: in what it follows all have announced it. */
	heard(bed, .mid = D(1), .kind = PSYNC_KIND_DATA,
	      .preds = { B(1), C(1) });
	heard(bed, null(B(3), B(2), D(1)));
	assert_int_equal(psync_bed_receive(&net.views[0]), D(1));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 0);
	psync_bed_send(bed, &net.views[0], 10);
	heard(bed, says(B(4), 3, OWN));
	heard(bed, null(C(3), B(4)));
	assert_int_equal(psync_mask_event(bed, PSYNC_EV_AGREED)->mid, D(1));
	psync_mask_done(&net);
}

/* Who has counted it out says up to where, whatever others hold since. */
static void psync_mask_test_kept_cut(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];

	psync_mask_open(&net, 4, false);
	psync_bed_send(bed, &net.views[0], 10);
	heard(bed, .mid = D(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	assert_int_equal(psync_bed_receive(&net.views[0]), D(1));
	psync_mask_out(&net, 0, 3);
	heard(bed, .mid = B(1), .op = KEPT, .about = 3, .last = 0,
	      .preds = { A(2) });
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 0);
	heard(bed, says(C(1), 3, B(1)));
	assert_int_equal(psync_mask_event(bed, PSYNC_EV_AGREED)->mid, D(0));
	psync_mask_done(&net);
}

/* What was stable stays so when one counts again, or takes it back itself. */
/* ... and what its sender sent after something that one who was skipped lost. */
static void psync_mask_test_stays_skipped(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_begun(&net);
	u32 participants, sites, i;
	u64 mid;

	assert_int_equal(psync_image_emit(&bed->img, view, PSYNC_KIND_GAP, 0,
					  2, NULL, 0, &mid), 0);
	heard(bed, null(C(1), OWN));
	mid = psync_bed_send(bed, view, 10);
	heard(bed, null(C(2), OWN));
	heard(bed, null(B(1), C(2)));
	for (i = 0; i < 2; i++) {
		assert_int_equal(psync_view_stable(view, A(1), &participants,
						   &sites), 0);
		assert_int_equal(psync_view_stable(view, mid, &participants,
						   &sites), 1);
		if (i)
			break;
		assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
		heard(bed, null(C(3), OWN));
		heard(bed, null(B(2), C(3)));
		assert_false(psync_view_masked(view, 3));
	}
	/* Who opens in its place knows nothing of that. */
	bed->img.p.limits.max_nodes = 100;
	psync_mask_exit(view);
	assert_int_equal(psync_mask_begin(view), 0);
	assert_int_equal(psync_view_stable(view, mid, &participants, &sites),
			 0);
	psync_mask_done(&net);
}

/* What is remembered of announcements has to be paid, but for some of each. */
static void psync_mask_test_paid(void **state)
{
	static const u32 sites[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct psync_view view = {};
	struct psync_image_params p;
	struct psync_pid pids[8];
	struct psync_bed one, *bed = &one;
	enum psync_drop drop;
	u32 i;

	psync_bed_params(&p, pids, sites, 8, 0);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed->img, &view, 0, 1, 1, 0), 0);
	psync_bed_send(bed, &view, 10);
	bed->poor = true;
	for (i = 1; i <= 65; i++) {
		drop = psync_mask_hear(bed, &(struct psync_mask_word){
			says(B(i), 2 + i % 6, i > 1 ? B(i - 1) : A(1)) });
		assert_int_equal(drop, i <= 64 ? PSYNC_OK : PSYNC_DROP_NO_MEM);
	}
	/* It is as if it had not come, but is known to be there. */
	assert_int_equal(bed->img.parts[1].seq, 64);
	assert_int_equal(bed->img.parts[1].claimed, 65);
	assert_int_equal(bed->img.parts[1].nvotes, 64);
	heard(bed, says(C(1), 3, A(1)));
	bed->poor = false;
	heard(bed, says(B(65), 5, B(64)));
	/* Those that are too far back cost nothing. */
	for (i = 66; i < 120; i++)
		heard(bed, says(B(i), 2, B(i - 1)));
	assert_true(bed->img.parts[1].nvotes < 120 - 32);
	psync_bed_forget(bed);
	psync_bed_leave(bed, &view);
	psync_bed_exit(bed);
}

/* What one said while another did not listen is said again when it does. */
static void psync_mask_test_listens_again(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);
	const struct psync_node *node;

	heard(bed, .mid = B(1), .op = OUT, .about = 0, .preds = { A(1) });
	heard(bed, .mid = B(2), .op = PSYNC_MASK_OP_IN, .about = 2,
	      .preds = { B(1) });
	assert_int_equal(bed->img.parts[0].seq, 2);
	heard(bed, .mid = B(3), .op = PSYNC_MASK_OP_IN, .about = 0,
	      .preds = { B(2) });
	assert_int_equal(bed->img.parts[0].seq, 3);
	node = bed->img.parts[0].last;
	assert_int_equal(node->kind, PSYNC_KIND_MASK);
	assert_int_equal(node->op, OUT);
	assert_int_equal(node->about, 3);
	assert_int_equal(node->stamp[1], 3);
	psync_mask_done(&net);
}

/* Where somebody is masked out it is asked again and again for what is wanted. */
static void psync_mask_test_names(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	struct psync_bed_packet packet;
	struct psync_pkt pkt;
	u64 missing = C(1);
	u32 i;

	psync_mask_open(&net, 4, true);
	psync_bed_send(bed, &net.views[0], 10);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 3, 1, &missing), PSYNC_OK);
	psync_mask_out(&net, 0, 3);
	for (i = 0; i < 11; i++) {
		psync_bed_forget(bed);
		psync_bed_run(bed, bed->img.rr_at);
		packet = psync_bed_pop_type(bed, PSYNC_PKT_RR);
		assert_int_equal(psync_wire_decode(packet.data, packet.len,
						   packet.len, &pkt), PSYNC_OK);
		assert_int_equal(pkt.vector.flags,
				 i % 4 ? 0 : PSYNC_VECTORF_MID);
		psync_bed_packet_free(&packet);
	}
	psync_mask_done(&net);
}

/* Participant 3 has @held of 0 and asks about what is not taken of it. */
static void psync_mask_asks_why(struct psync_bed *bed, u64 held, u64 after)
{
	const u64 first = A(1);
	struct psync_wire_mid mids[1];
	u64 vector[4] = { held };
	struct psync_pkt pkt;
	__be32 wire[4];

	psync_bed_vector(bed, PSYNC_PKT_ACK, 4, vector, wire, &pkt);
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now), PSYNC_OK);
	psync_bed_craft(bed, 3, 1, 2, 1, &first, mids, &pkt);
	pkt.msg.flags = PSYNC_MSGF_ASK | PSYNC_MSGF_REPEAT;
	assert_int_equal(psync_bed_input(bed, &pkt, bed->img.now + after),
			 PSYNC_DROP_MASKED);
	psync_bed_run(bed, bed->img.now + 1);
	psync_bed_forget(bed);
}

/*
 * Who asks for an answer to what is not taken of it does not know why.  It is told
 * anew, but the more often, the later: answers to that may be why it asks again.
 */
static void psync_mask_test_insists(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);
	u64 i;

	bed->muted = 0;
	bed->img.p.limits.rto_min_ns = 0;
	bed->img.p.limits.null_ns = 40 * MS;
	for (i = 1; i <= 4; i++) {
		psync_mask_asks_why(bed, i, (40 << i) * MS);
		assert_int_equal(bed->img.parts[0].seq, 1 + i);
		assert_int_equal(bed->img.parts[0].last->about, 3);
	}
	psync_mask_asks_why(bed, 5, (40 << 2) * MS - MS);
	assert_int_equal(bed->img.parts[0].seq, 5);
	psync_mask_asks_why(bed, 5, 2 * MS);
	assert_int_equal(bed->img.parts[0].seq, 6);
	psync_mask_done(&net);
}

/* Who was never heard is missed when it counts again, too. */
static void psync_mask_test_absent(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = &net.beds[0];
	u64 absent;

	psync_mask_open(&net, 4, true);
	absent = bed->img.p.limits.absent_ns;
	net.cut[3] = ~0U;
	psync_bed_send(bed, &net.views[0], 10);
	psync_mask_pass(&net, 100 * MS, true);
	psync_mask_out(&net, 0, 3);
	psync_mask_pass(&net, absent + 200 * MS, true);
	assert_false(bed->img.remotes[2].absent);
	assert_int_equal(psync_view_mask_in(&net.views[0], 3, bed->img.now), 0);
	psync_mask_pass(&net, absent + 1000 * MS, true);
	assert_false(psync_view_masked(&net.views[0], 3));
	psync_mask_pass(&net, 2 * absent + 1000 * MS, true);
	assert_true(bed->img.remotes[2].absent);
	psync_mask_close(&net);
}

/* So is what was taken back meanwhile, once: its announcement is known there. */
static void psync_mask_test_taken_back_again(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);
	const struct psync_node *node;

	heard(bed, .mid = B(1), .op = OUT, .about = 0, .preds = { A(2) });
	assert_int_equal(psync_view_mask_in(&net.views[0], 3, 1), 0);
	heard(bed, null(C(1), OWN));
	heard(bed, null(B(2), OWN));
	assert_false(psync_view_masked(&net.views[0], 3));
	assert_int_equal(bed->img.parts[0].seq, 3);
	heard(bed, .mid = B(3), .op = PSYNC_MASK_OP_IN, .about = 0,
	      .preds = { B(2) });
	assert_int_equal(bed->img.parts[0].seq, 4);
	node = bed->img.parts[0].last;
	assert_int_equal(node->op, PSYNC_MASK_OP_IN);
	assert_int_equal(node->about, 3);
	/* It is told, too, and does not say it again for that. */
	heard(bed, .mid = B(4), .op = PSYNC_MASK_OP_IN, .about = 0,
	      .preds = { B(3) });
	assert_int_equal(bed->img.parts[0].seq, 4);
	psync_mask_done(&net);
}

static void psync_mask_test_stays(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_begun(&net);
	u32 participants, sites;
	u64 mid;

	heard(bed, null(C(1), A(1)));
	heard(bed, null(B(1), C(1)));
	assert_int_equal(psync_view_stable(view, A(1), &participants, &sites),
			 1);
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	heard(bed, null(C(2), OWN));
	heard(bed, null(B(2), C(2)));
	assert_false(psync_view_masked(view, 3));
	assert_int_equal(psync_view_stable(view, A(1), &participants, &sites),
			 1);
	mid = psync_bed_send(bed, view, 10);
	heard(bed, null(C(3), OWN));
	heard(bed, null(D(1), OWN));
	assert_int_equal(psync_view_stable(view, mid, &participants, &sites),
			 0);
	heard(bed, .mid = B(3), .op = OUT, .about = 0, .preds = { B(2) });
	assert_int_equal(psync_view_stable(view, mid, &participants, &sites),
			 1);
	heard(bed, .mid = B(4), .op = PSYNC_MASK_OP_IN, .about = 0,
	      .preds = { B(3) });
	assert_int_equal(psync_view_stable(view, mid, &participants, &sites),
			 1);
	psync_mask_done(&net);
}

/* Who is new may have begun behind what was announced (S1.5). */
static void psync_mask_test_new(void **state)
{
	struct psync_mask_net net;
	struct psync_bed *bed = psync_mask_begun(&net);
	const struct psync_node *node;

	heard(bed, .mid = C(1), .kind = PSYNC_KIND_DATA, .preds = { A(1) });
	assert_int_equal(bed->img.parts[0].seq, 2);
	assert_int_equal(psync_bed_receive(&net.views[0]), C(1));
	psync_bed_run(bed, bed->img.now + 1);
	assert_int_equal(bed->img.parts[0].seq, 3);
	node = psync_graph_find(&bed->img, 0, 3);
	assert_int_equal(node->kind, PSYNC_KIND_MASK);
	assert_int_equal(node->op, OUT);
	assert_int_equal(node->about, 3);
	heard(bed, .mid = C(2), .kind = PSYNC_KIND_DATA, .preds = { C(1) });
	assert_int_equal(psync_bed_receive(&net.views[0]), C(2));
	psync_bed_run(bed, bed->img.now + 1);
	assert_int_equal(bed->img.parts[0].seq, 3);
	psync_mask_done(&net);
}

/* All but the one that it is about, who has ended and who never opened. */
static void psync_mask_test_answers(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_begun(&net);

	assert_int_equal(psync_view_mask_in(view, 3, 1), 0);
	heard(bed, null(B(1), A(3)));
	assert_true(psync_view_masked(view, 3));
	heard(bed, .mid = C(1), .kind = PSYNC_KIND_END, .preds = { A(1) });
	assert_false(psync_view_masked(view, 3));
	psync_mask_done(&net);

	bed = psync_mask_begun(&net);
	assert_int_equal(psync_view_mask_in(view, 3, 1), 0);
	bed->img.remotes[1].absent = true;
	heard(bed, null(B(1), A(3)));
	assert_false(psync_view_masked(view, 3));
	psync_mask_done(&net);

	/* Counted out for good. */
	bed = psync_mask_begun(&net);
	heard(bed, says(B(1), 3, A(2)));
	heard(bed, says(C(1), 3, B(1)));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_AGREED), 1);
	psync_mask_out(&net, 0, 2);
	assert_int_equal(psync_view_mask_in(view, 2, 1), 0);
	assert_int_equal(view->asks, 1);
	heard(bed, null(B(2), OWN));
	assert_false(psync_view_masked(view, 2));
	assert_true(psync_view_masked(view, 3));
	psync_mask_done(&net);
}

/* Meanwhile all are heard; of one who is masked out that is enough. */
static void psync_mask_test_listens(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_begun(&net);
	struct psync_mask_word word = {
		null(D(1), A(2))
	};

	psync_mask_out(&net, 0, 2);
	assert_int_equal(psync_mask_hear(bed, &word), PSYNC_DROP_MASKED);
	assert_int_equal(psync_view_mask_in(view, 3, 1), 0);
	assert_int_equal(psync_mask_hear(bed, &word), PSYNC_OK);
	heard(bed, null(B(1), OWN));
	assert_true(psync_view_masked(view, 3));
	heard(bed, null(C(1), OWN));
	assert_false(psync_view_masked(view, 3));
	assert_true(psync_view_masked(view, 2));
	assert_false(psync_view_has(view, psync_graph_find(&bed->img, 2, 1)));
	psync_mask_done(&net);
}

/* Asks to mask the last one in; the others have not answered when it is over. */
static struct psync_bed *psync_mask_asking(struct psync_mask_net *net)
{
	struct psync_bed *bed = psync_mask_begun(net);

	bed->img.p.limits.rto_max_ns = 10 * MS;
	bed->img.p.limits.suspect_ns = 100 * MS;
	heard(bed, null(B(1), A(1)));
	heard(bed, null(C(1), A(1)));
	return bed;
}

/* What its timer does until then. */
static void psync_mask_wait(struct psync_mask_net *net, u64 until)
{
	struct psync_bed *bed = &net->beds[0];

	while (bed->img.deadline < until) {
		psync_bed_run(bed, bed->img.deadline);
		psync_bed_forget(bed);
	}
}

/* Who is masked out, or masks one out, may never answer: it ends all the same. */
static void psync_mask_test_in_vain(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_asking(&net);

	psync_mask_out(&net, 0, 2);
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	psync_mask_wait(&net, 1000 * MS);
	/* One is relied on. */
	assert_int_equal(view->asks, 1);
	heard(bed, null(B(2), OWN));
	assert_int_equal(view->asks, 1);
	psync_mask_wait(&net, 1200 * MS);
	assert_int_equal(view->asks, 0);
	assert_true(psync_view_masked(view, 3));
	assert_true(psync_mask_by(&bed->img, 0, 3));
	assert_true(bed->img.parts[2].muted);
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_UNMASKED), 0);
	/* Once more: it answers in time. */
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	heard(bed, null(C(2), OWN));
	heard(bed, null(B(3), C(2)));
	assert_false(psync_view_masked(view, 3));
	psync_mask_done(&net);

	bed = psync_mask_asking(&net);
	heard(bed, says(C(2), 0, C(1)));
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	heard(bed, null(B(2), OWN));
	psync_mask_wait(&net, 50 * MS);
	assert_int_equal(view->asks, 1);
	psync_mask_wait(&net, 300 * MS);
	assert_int_equal(view->asks, 0);
	psync_mask_done(&net);

	bed = psync_mask_asking(&net);
	bed->img.remotes[1].absent = true;
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	heard(bed, null(B(2), OWN));
	psync_mask_wait(&net, 300 * MS);
	assert_int_equal(view->asks, 0);
	assert_true(psync_view_masked(view, 3));
	bed->img.remotes[1].absent = false;
	psync_mask_done(&net);

	/* One has never said anything. */
	bed = psync_mask_begun(&net);
	bed->img.p.limits.rto_max_ns = 10 * MS;
	assert_int_equal(psync_view_mask_in(view, 3, bed->img.now), 0);
	heard(bed, null(B(1), OWN));
	psync_mask_wait(&net, 300 * MS);
	assert_int_equal(view->asks, 0);
	assert_true(psync_view_masked(view, 3));
	psync_mask_done(&net);
}

/* Masked out anew: nobody is waited for, and it is announced. */
static void psync_mask_test_cancelled(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	struct psync_bed *bed = psync_mask_begun(&net);
	struct psync_mask_word word = {
		null(D(1), A(2))
	};

	assert_int_equal(psync_view_mask_in(view, 3, 1), 0);
	assert_int_equal(psync_view_mask_in(view, 3, 1), -EALREADY);
	psync_mask_out(&net, 0, 3);
	assert_int_equal(psync_view_mask_out(view, 3, NO_CUT, 1), -EALREADY);
	assert_int_equal(bed->img.parts[0].seq, 4);
	assert_true(psync_mask_by(&bed->img, 0, 3));
	assert_int_equal(psync_mask_hear(bed, &word), PSYNC_DROP_MASKED);
	heard(bed, null(B(1), OWN));
	heard(bed, null(C(1), OWN));
	assert_true(psync_view_masked(view, 3));
	assert_int_equal(psync_mask_events(bed, PSYNC_EV_UNMASKED), 0);
	assert_int_equal(psync_view_mask_in(view, 3, 3), 0);
	heard(bed, null(B(2), OWN));
	heard(bed, null(C(2), OWN));
	assert_false(psync_view_masked(view, 3));
	psync_mask_done(&net);
}

/* ... also with the same cut as before, though there is more behind it. */
static void psync_mask_test_same_cut(void **state)
{
	struct psync_mask_net net;
	struct psync_view *view = &net.views[0];
	u64 before;

	psync_mask_begun(&net);
	before = view->stamp[3];
	assert_int_equal(psync_view_mask_out(view, 3, before + 1, 1), 0);
	/* Others have followed what is void here. */
	view->stamp[3] = before + 3;
	assert_int_equal(psync_view_mask_in(view, 3, 1), 0);
	assert_int_equal(psync_view_mask_out(view, 3, before + 2, 1), -EINVAL);
	assert_int_equal(psync_view_mask_out(view, 3, before + 1, 1), 0);
	assert_true(view->masks[3].limit == before + 1);
	assert_int_equal(view->asks, 0);
	view->stamp[3] = before;
	psync_mask_done(&net);
}

const struct CMUnitTest psync_mask_tests[] = {
	cmocka_unit_test(psync_mask_test_errors),
	cmocka_unit_test(psync_mask_test_announced),
	cmocka_unit_test(psync_mask_test_nulls),
	cmocka_unit_test(psync_mask_test_first),
	cmocka_unit_test(psync_mask_test_first_two),
	cmocka_unit_test(psync_mask_test_exception),
	cmocka_unit_test(psync_mask_test_cut),
	cmocka_unit_test(psync_mask_test_back),
	cmocka_unit_test(psync_mask_test_out_again),
	cmocka_unit_test(psync_mask_test_stable),
	cmocka_unit_test(psync_mask_test_masked),
	cmocka_unit_test(psync_mask_test_freed),
	cmocka_unit_test(psync_mask_test_alone),
	cmocka_unit_test(psync_mask_test_shared),
	cmocka_unit_test(psync_mask_test_agreed),
	cmocka_unit_test(psync_mask_test_anew),
	cmocka_unit_test(psync_mask_test_fetched),
	cmocka_unit_test(psync_mask_test_ended),
	cmocka_unit_test(psync_mask_test_overtaken),
	cmocka_unit_test(psync_mask_test_kept),
	cmocka_unit_test(psync_mask_test_taken_back),
	cmocka_unit_test(psync_mask_test_sides),
	cmocka_unit_test(psync_mask_test_remind),
	cmocka_unit_test(psync_mask_test_expelled),
	cmocka_unit_test(psync_mask_test_expelled_late),
	cmocka_unit_test(psync_mask_test_expelled_two),
	cmocka_unit_test(psync_mask_test_expelled_alone),
	cmocka_unit_test(psync_mask_test_remind_shared),
	cmocka_unit_test(psync_mask_test_kept_for),
	cmocka_unit_test(psync_mask_test_suspect),
	cmocka_unit_test(psync_mask_test_suspect_asks),
	cmocka_unit_test(psync_mask_test_lies),
	cmocka_unit_test(psync_mask_test_memory),
	cmocka_unit_test(psync_mask_test_hints),
	cmocka_unit_test(psync_mask_test_expelled_before),
	cmocka_unit_test(psync_mask_test_unkept),
	cmocka_unit_test(psync_mask_test_deaf),
	cmocka_unit_test(psync_mask_test_order),
	cmocka_unit_test(psync_mask_test_turns),
	cmocka_unit_test(psync_mask_test_unwanted),
	cmocka_unit_test(psync_mask_test_disowned),
	cmocka_unit_test(psync_mask_test_history),
	cmocka_unit_test(psync_mask_test_stands),
	cmocka_unit_test(psync_mask_test_kept_cut),
	cmocka_unit_test(psync_mask_test_stays),
	cmocka_unit_test(psync_mask_test_stays_skipped),
	cmocka_unit_test(psync_mask_test_listens_again),
	cmocka_unit_test(psync_mask_test_taken_back_again),
	cmocka_unit_test(psync_mask_test_insists),
	cmocka_unit_test(psync_mask_test_absent),
	cmocka_unit_test(psync_mask_test_names),
	cmocka_unit_test(psync_mask_test_paid),
	cmocka_unit_test(psync_mask_test_new),
	cmocka_unit_test(psync_mask_test_answers),
	cmocka_unit_test(psync_mask_test_listens),
	cmocka_unit_test(psync_mask_test_in_vain),
	cmocka_unit_test(psync_mask_test_cancelled),
	cmocka_unit_test(psync_mask_test_same_cut),
};

const size_t psync_mask_ntests = ARRAY_SIZE(psync_mask_tests);
