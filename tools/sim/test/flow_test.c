// SPDX-License-Identifier: GPL-2.0-only
/* Flow control (S6.6): credits between sites. */
#include "bed.h"
#include "core/flow.h"

#define MS	PSYNC_BED_MS

static const u32 psync_flow_sites[] = { 1, 2, 3 };

struct psync_flow_lab {
	struct psync_bed	bed;
	struct psync_view	view;
	u64			held[3];
};

/* Three sites with a participant each; ours is 0 at site 1. */
static void psync_flow_open(struct psync_flow_lab *lab, u32 max_bytes,
			    u32 max_msgs, u32 first_msgs)
{
	struct psync_image_params p;
	struct psync_pid pids[3];

	memset(lab, 0, sizeof(*lab));
	psync_bed_params(&p, pids, psync_flow_sites, 3, 0);
	psync_bed_times(&p);
	p.limits.max_bytes = max_bytes;
	p.limits.max_msgs = max_msgs;
	p.limits.first_msgs = first_msgs;
	assert_int_equal(psync_bed_init(&lab->bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&lab->bed.img, &lab->view, 0, 1, 7,
					  0), 0);
	lab->bed.muted = 0;
}

static void psync_flow_close(struct psync_flow_lab *lab)
{
	psync_bed_leave(&lab->bed, &lab->view);
	psync_bed_exit(&lab->bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* @site holds participant 0's messages up to @seq and grants so much more. */
static void psync_flow_grant_by(struct psync_flow_lab *lab, u32 site, u64 seq,
				u32 bytes, u32 msgs)
{
	struct psync_pkt pkt;
	__be32 wire[3];

	lab->held[0] = seq;
	psync_bed_vector(&lab->bed, PSYNC_PKT_ACK, site, lab->held, wire,
			 &pkt);
	pkt.vector.credit_bytes = bytes;
	pkt.vector.credit_msgs = msgs;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

/* A send that must fail for want of room. */
static void psync_flow_refused(struct psync_flow_lab *lab, u32 len)
{
	struct psync_bed_body *body = psync_bed_body_new();
	u64 mid;

	assert_int_equal(psync_image_send(&lab->bed.img, &lab->view, body, len,
					  &mid, lab->bed.img.now), -EAGAIN);
	psync_bed_body_put(body);
}

/* One message is guaranteed before anything is known, and so many as set. */
static void psync_flow_test_first(void **state)
{
	struct psync_flow_lab lab;
	u32 first;

	for (first = 0; first < 4; first++) {
		psync_flow_open(&lab, 1 << 30, 100, first);
		assert_true(psync_image_may_send(&lab.bed.img, 0));
		psync_bed_send(&lab.bed, &lab.view, 5000);
		while (lab.bed.img.remotes[0].credit_msgs)
			psync_bed_send(&lab.bed, &lab.view, 5000);
		assert_int_equal(lab.bed.img.attached, max(first, 1U));
		psync_flow_refused(&lab, 0);
		assert_true(lab.bed.img.blocked);
		psync_bed_forget(&lab.bed);
		psync_flow_close(&lab);
	}
}

/* The least credit of all sites counts, in messages and in bytes. */
static void psync_flow_test_least(void **state)
{
	struct psync_flow_lab lab;
	struct psync_remote *remotes;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	remotes = lab.bed.img.remotes;
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(remotes[0].flight_msgs, 1);
	assert_int_equal(remotes[0].flight_bytes, 100);
	psync_flow_grant_by(&lab, 2, 1, 1000, 10);
	assert_int_equal(remotes[0].flight_msgs, 0);
	assert_int_equal(remotes[0].flight_bytes, 0);
	psync_flow_refused(&lab, 100);
	psync_flow_grant_by(&lab, 3, 1, 150, 2);
	assert_int_equal(lab.bed.writable, 1);
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(remotes[0].credit_msgs, 9);
	assert_int_equal(remotes[0].credit_bytes, 900);
	assert_int_equal(remotes[1].credit_bytes, 50);
	/* What is left is used up by one that is greater. */
	psync_bed_send(&lab.bed, &lab.view, 100);
	assert_int_equal(remotes[1].credit_bytes, 0);
	psync_flow_refused(&lab, 0);
	/* Of a grant, what is under way is not there any more. */
	psync_flow_grant_by(&lab, 3, 2, 150, 2);
	assert_int_equal(remotes[1].credit_bytes, 50);
	assert_int_equal(remotes[1].credit_msgs, 1);
	psync_bed_send(&lab.bed, &lab.view, 1);
	assert_int_equal(remotes[1].credit_msgs, 0);
	psync_flow_refused(&lab, 1);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* A grant that was overtaken neither takes back nor gives. */
static void psync_flow_test_late(void **state)
{
	struct psync_flow_lab lab;
	struct psync_remote *remote;

	psync_flow_open(&lab, 1 << 30, 100, 4);
	remote = &lab.bed.img.remotes[0];
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_send(&lab.bed, &lab.view, 10);
	assert_int_equal(remote->credit_msgs, 2);
	psync_flow_grant_by(&lab, 2, 2, 30, 3);
	assert_int_equal(remote->credit_msgs, 3);
	assert_int_equal(remote->credit_bytes, 30);
	/* Older, about less. */
	psync_flow_grant_by(&lab, 2, 1, 500, 50);
	assert_int_equal(remote->credit_msgs, 3);
	/* Older, before room was made. */
	psync_flow_grant_by(&lab, 2, 2, 10, 1);
	assert_int_equal(remote->credit_msgs, 3);
	assert_int_equal(remote->credit_bytes, 30);
	psync_flow_grant_by(&lab, 2, 2, 40, 4);
	assert_int_equal(remote->credit_msgs, 4);
	assert_int_equal(remote->credit_bytes, 40);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* Without credit the site is asked, again and again, with growing waits. */
static void psync_flow_test_persist(void **state)
{
	u64 asked[4], now = 0;
	struct psync_flow_lab lab;
	struct psync_remote *remote;
	struct psync_pkt pkt;
	u32 site, i = 0;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	remote = &lab.bed.img.remotes[0];
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_grant_by(&lab, 2, 1, 0, 0);
	psync_flow_grant_by(&lab, 3, 1, 1000, 100);
	psync_bed_forget(&lab.bed);
	/* Nobody wants to send: nobody asks. */
	assert_int_equal(remote->probe_at, U64_MAX);
	psync_flow_refused(&lab, 10);
	assert_int_not_equal(remote->probe_at, U64_MAX);
	assert_int_equal(lab.bed.img.remotes[1].probe_at, U64_MAX);
	while (i < 4) {
		now = lab.bed.img.deadline;
		psync_image_timer(&lab.bed.img, now);
		while (lab.bed.nsent) {
			psync_bed_take(&lab.bed, &pkt, &site);
			assert_int_equal(site, 2);
			assert_int_equal(pkt.type, PSYNC_PKT_ACK);
			assert_int_equal(pkt.vector.flags, PSYNC_VECTORF_ASK);
			asked[i++] = now;
		}
	}
	assert_true(asked[2] - asked[1] > asked[1] - asked[0]);
	assert_true(asked[3] - asked[2] > asked[2] - asked[1]);
	assert_int_equal(lab.bed.writable, 0);
	psync_flow_grant_by(&lab, 2, 1, 1, 1);
	assert_int_equal(lab.bed.writable, 1);
	assert_int_equal(remote->probe_at, U64_MAX);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

static u32 psync_flow_granted_to(struct psync_flow_lab *lab, u32 site,
				 u32 *bytes)
{
	struct psync_pkt pkt;
	u32 to, msgs = U32_MAX;

	while (lab->bed.nsent) {
		psync_bed_take(&lab->bed, &pkt, &to);
		if (pkt.type != PSYNC_PKT_ACK || to != site)
			continue;
		msgs = pkt.vector.credit_msgs;
		*bytes = pkt.vector.credit_bytes;
	}
	return msgs;
}

/* What is granted shrinks with what is kept and grows when it is taken. */
static void psync_flow_test_grant(void **state)
{
	struct psync_flow_lab lab;
	struct psync_remote *remote;
	u32 bytes = 0;

	psync_flow_open(&lab, 6000, 12, 1);
	remote = &lab.bed.img.remotes[0];
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 2, 2, 1,
				       (u64[]){ PSYNC_MID(1, 1) }), PSYNC_OK);
	assert_int_equal(remote->kept_msgs, 2);
	psync_bed_run(&lab.bed, 5 * MS);
	assert_int_equal(psync_flow_granted_to(&lab, 2, &bytes), 2);
	assert_int_equal(bytes, 1000 - remote->kept_bytes);
	assert_int_equal(remote->left_msgs, 2);
	/* Taken here, but another site may lack it: it is kept. */
	psync_bed_drain(&lab.view);
	assert_int_equal(remote->kept_msgs, 2);
	lab.held[1] = 2;
	psync_flow_grant_by(&lab, 3, 0, 100, 10);
	assert_int_equal(remote->kept_msgs, 0);
	assert_int_equal(remote->kept_bytes, 0);
	/* Half of its share is there again: that is told at once. */
	assert_int_equal(psync_flow_granted_to(&lab, 2, &bytes), 4);
	assert_int_equal(bytes, 1000);
	assert_int_equal(remote->left_msgs, 4);
	psync_flow_close(&lab);
}

/* With every limit at its minimum there is one message at a time. */
static void psync_flow_test_minimum(void **state)
{
	struct psync_flow_lab lab;
	u32 bytes = 0;

	psync_flow_open(&lab, 1, 1, 1);
	lab.bed.img.p.limits.max_pending = 1;
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_run(&lab.bed, 5 * MS);
	assert_int_equal(psync_flow_granted_to(&lab, 2, &bytes), 0);
	psync_bed_drain(&lab.view);
	lab.held[1] = 1;
	psync_flow_grant_by(&lab, 3, 0, 1, 1);
	assert_int_equal(psync_flow_granted_to(&lab, 2, &bytes), 1);
	assert_int_equal(bytes, 1);
	/* One byte is enough for any message. */
	psync_flow_grant_by(&lab, 2, 0, 1, 1);
	psync_bed_send(&lab.bed, &lab.view, 5000);
	psync_flow_refused(&lab, 1);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* S2.5: null messages and END need no credit and use none. */
static void psync_flow_test_free(void **state)
{
	struct psync_flow_lab lab;
	struct psync_pkt pkt;
	u32 site, nulls = 0;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	psync_bed_send(&lab.bed, &lab.view, 10);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	psync_flow_refused(&lab, 10);
	psync_bed_drain(&lab.view);
	psync_bed_run(&lab.bed, 60 * MS);
	while (lab.bed.nsent) {
		psync_bed_take(&lab.bed, &pkt, &site);
		nulls += pkt.type == PSYNC_PKT_MSG &&
			 pkt.msg.kind == PSYNC_KIND_NULL &&
			 !(pkt.msg.flags & PSYNC_MSGF_REPEAT);
	}
	assert_int_equal(nulls, 1);
	assert_int_equal(lab.bed.img.remotes[0].flight_msgs, 1);
	psync_flow_close(&lab);
}

/* Who does not count holds nobody back; back again, it has to grant anew. */
static void psync_flow_test_absent(void **state)
{
	struct psync_flow_lab lab;
	struct psync_remote *remote;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	remote = &lab.bed.img.remotes[1];
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_grant_by(&lab, 2, 1, 1000, 100);
	psync_flow_refused(&lab, 10);
	psync_bed_forget(&lab.bed);
	lab.bed.muted = ~0U;
	psync_bed_run(&lab.bed, lab.bed.img.p.limits.absent_ns);
	assert_true(remote->absent);
	assert_int_equal(remote->flight_msgs, 0);
	assert_int_equal(lab.bed.writable, 1);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_send(&lab.bed, &lab.view, 10);
	/* It lacks what is still kept for the other one. */
	psync_flow_grant_by(&lab, 3, 1, 15, 3);
	assert_false(remote->absent);
	assert_int_equal(remote->flight_msgs, 2);
	assert_int_equal(remote->credit_msgs, 1);
	assert_int_equal(remote->credit_bytes, 0);
	psync_flow_refused(&lab, 10);
	psync_flow_close(&lab);
}

/* S3.3: who neither asks nor acknowledges is not held to credits. */
static void psync_flow_test_manual(void **state)
{
	struct psync_flow_lab lab;
	u32 i;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	psync_view_manual(&lab.view, true, 0);
	for (i = 0; i < 5; i++)
		psync_bed_send(&lab.bed, &lab.view, 10);
	psync_view_manual(&lab.view, false, 0);
	psync_flow_refused(&lab, 10);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* What happened last is this event. */
static void psync_flow_event(const struct psync_flow_lab *lab, u32 count,
			     u32 type, u32 site, u32 reason)
{
	const struct psync_event *ev = &lab->bed.events[count - 1];

	assert_int_equal(lab->bed.nevents, count);
	assert_int_equal(ev->type, type);
	assert_int_equal(ev->site, site);
	assert_int_equal(ev->reason, reason);
}

/* A site that grants nothing says for whom; the sender says it after a while. */
static void psync_flow_test_blocked(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	__be32 wire[3];
	u32 policy, index;
	u64 ns;

	for (policy = 0; policy < 2; policy++) {
		psync_flow_open(&lab, 1 << 30, 100, 1);
		img = &lab.bed.img;
		img->p.limits.slow = policy ? PSYNC_SLOW_SUSPECT :
					      PSYNC_SLOW_BLOCK;
		img->p.limits.slow_ns = 500 * MS;
		assert_int_equal(psync_image_slow(img, &ns),
				 img->p.limits.slow);
		assert_int_equal(ns, 500 * MS);
		psync_bed_send(&lab.bed, &lab.view, 10);
		psync_flow_grant_by(&lab, 3, 1, 1000, 100);
		lab.held[0] = 1;
		psync_bed_vector(&lab.bed, PSYNC_PKT_ACK, 2, lab.held, wire,
				 &pkt);
		pkt.vector.credit_msgs = 0;
		pkt.vector.flags = PSYNC_VECTORF_SLOW;
		pkt.vector.index = 2;
		/* Not a participant of that site. */
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0),
				 PSYNC_DROP_BAD_VECTOR);
		pkt.vector.index = 1;
		assert_int_equal(psync_bed_input(&lab.bed, &pkt, 0), PSYNC_OK);
		assert_int_equal(psync_image_blocker(img, &index), 0);
		psync_flow_refused(&lab, 10);
		assert_int_equal(psync_image_blocker(img, &index), 2);
		assert_int_equal(index, 2);
		lab.bed.muted = ~0U;
		psync_bed_run(&lab.bed, 499 * MS);
		assert_int_equal(lab.bed.nevents, 0);
		psync_bed_run(&lab.bed, 500 * MS);
		psync_flow_event(&lab, 1, policy ? PSYNC_EV_SUSPECT :
				 PSYNC_EV_BLOCKED, 2, 2);
		/* Once, however long it lasts. */
		psync_bed_run(&lab.bed, 5000 * MS);
		assert_int_equal(lab.bed.nevents, 1);
		psync_flow_grant_by(&lab, 2, 1, 10, 1);
		psync_flow_event(&lab, 2, PSYNC_EV_RESUMED, 0, 0);
		assert_int_equal(psync_image_blocker(img, &index), 0);
		assert_int_equal(img->slow_at, U64_MAX);
		psync_flow_close(&lab);
	}
}

/* Nobody is left to wait; who comes back and is refused is told anew. */
static void psync_flow_test_back(void **state)
{
	struct psync_restart_how how = { 0 };
	struct psync_flow_lab lab;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	lab.bed.img.p.limits.slow_ns = 500 * MS;
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_refused(&lab, 10);
	psync_image_leave(&lab.bed.img, &lab.view, 0);
	psync_bed_run(&lab.bed, 500 * MS);
	assert_int_equal(lab.bed.nevents, 0);
	assert_false(psync_image_over(&lab.bed.img));
	assert_int_equal(psync_image_rejoin(&lab.bed.img, &lab.view, 0, 2, 7,
					    &how, 500 * MS), 0);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 999 * MS);
	assert_int_equal(lab.bed.nevents, 0);
	psync_bed_run(&lab.bed, 1000 * MS);
	psync_flow_event(&lab, 1, PSYNC_EV_BLOCKED, 2, 0);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* Room in time: nobody is told anything. */
static void psync_flow_test_in_time(void **state)
{
	struct psync_flow_lab lab;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	lab.bed.img.p.limits.slow_ns = 500 * MS;
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 400 * MS);
	psync_flow_grant_by(&lab, 2, 1, 10, 1);
	psync_flow_grant_by(&lab, 3, 1, 10, 1);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 800 * MS);
	assert_int_equal(lab.bed.nevents, 0);
	psync_flow_close(&lab);
}

/* Who lacks the oldest message is it, when nobody says to be. */
static void psync_flow_test_silent(void **state)
{
	struct psync_flow_lab lab;
	u32 index;

	psync_flow_open(&lab, 1 << 30, 100, 2);
	lab.bed.img.p.limits.slow_ns = 500 * MS;
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_grant_by(&lab, 2, 2, 0, 0);
	psync_flow_grant_by(&lab, 3, 1, 0, 0);
	psync_flow_refused(&lab, 10);
	assert_int_equal(psync_image_blocker(&lab.bed.img, &index), 3);
	assert_int_equal(index, 3);
	psync_bed_run(&lab.bed, 500 * MS);
	psync_flow_event(&lab, 1, PSYNC_EV_BLOCKED, 3, 0);
	psync_flow_close(&lab);
}

/* A participant at the sender's own site that does not receive. */
static void psync_flow_test_local(void **state)
{
	static const u32 sites[] = { 1, 1, 2 };
	struct psync_image_params p;
	struct psync_view views[2];
	struct psync_bed_body *body;
	struct psync_pid pids[3];
	struct psync_bed bed;
	u32 index;
	u64 mid;

	memset(views, 0, sizeof(views));
	psync_bed_params(&p, pids, sites, 3, 0);
	p.limits.max_bytes = 200;
	p.limits.slow_ns = 500 * MS;
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed.img, &views[0], 0, 1, 7, 0), 0);
	assert_int_equal(psync_image_join(&bed.img, &views[1], 1, 1, 7, 0), 0);
	psync_bed_send(&bed, &views[0], 100);
	psync_bed_held(&bed);
	body = psync_bed_body_new();
	assert_int_equal(psync_image_send(&bed.img, &views[0], body, 100, &mid,
					  0), -EAGAIN);
	psync_bed_body_put(body);
	assert_int_equal(psync_image_blocker(&bed.img, &index), 1);
	assert_int_equal(index, 2);
	psync_bed_run(&bed, 500 * MS);
	assert_int_equal(bed.nevents, 1);
	assert_int_equal(bed.events[0].type, PSYNC_EV_BLOCKED);
	assert_int_equal(bed.events[0].reason, 2);
	psync_bed_drain(&views[1]);
	assert_int_equal(bed.writable, 1);
	assert_int_equal(bed.events[1].type, PSYNC_EV_RESUMED);
	psync_bed_forget(&bed);
	psync_bed_leave(&bed, &views[1]);
	psync_bed_leave(&bed, &views[0]);
	psync_bed_exit(&bed);
}

/* A member may ask for less than its group allows, not for more. */
static void psync_flow_test_ask(void **state)
{
	struct psync_flow_lab lab;
	struct psync_limits *limits;
	u64 ns;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	limits = &lab.bed.img.p.limits;
	limits->slow = PSYNC_SLOW_SUSPECT;
	limits->slow_ns = 500 * MS;
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_BLOCK, MS, 0),
			 -EINVAL);
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT,
					 501 * MS, 0), -EINVAL);
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT,
					 20 * MS, 0), 0);
	psync_image_slow(&lab.bed.img, &ns);
	assert_int_equal(ns, 20 * MS);
	assert_int_equal(psync_view_slow(&lab.view, 0, 0, 0), 0);
	psync_image_slow(&lab.bed.img, &ns);
	assert_int_equal(ns, 500 * MS);
	limits->slow = PSYNC_SLOW_BLOCK;
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT,
					 100 * MS, 0), 0);
	assert_int_equal(psync_image_slow(&lab.bed.img, &ns),
			 PSYNC_SLOW_SUSPECT);
	assert_int_equal(ns, 100 * MS);
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_MASK, MS, 0),
			 -EINVAL);
	limits->slow = PSYNC_SLOW_MASK;
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT, MS, 0),
			 -EINVAL);
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_MASK, 100 * MS,
					 0), 0);
	assert_int_equal(psync_image_slow(&lab.bed.img, &ns), PSYNC_SLOW_MASK);
	limits->slow = PSYNC_SLOW_BLOCK;
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT,
					 100 * MS, 0), 0);
	/* Who waits already is not forgotten. */
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_refused(&lab, 10);
	assert_int_equal(psync_view_slow(&lab.view, PSYNC_SLOW_SUSPECT, MS,
					 50 * MS), 0);
	psync_bed_run(&lab.bed, 50 * MS);
	psync_flow_event(&lab, 1, PSYNC_EV_SUSPECT, 2, 2);
	psync_flow_close(&lab);
}

/* Blocked by whoever lacks something and grants nothing, under mask. */
static void psync_flow_block_by(struct psync_flow_lab *lab, bool two, bool three)
{
	psync_flow_open(lab, 1 << 30, 100, 2);
	lab->bed.img.p.limits.slow = PSYNC_SLOW_MASK;
	lab->bed.img.p.limits.slow_ns = 500 * MS;
	lab->bed.muted = ~0U;
	psync_bed_send(&lab->bed, &lab->view, 10);
	psync_bed_send(&lab->bed, &lab->view, 10);
	psync_flow_grant_by(lab, 2, two ? 1 : 2, 1000, !two);
	psync_flow_grant_by(lab, 3, three ? 1 : 2, 1000, !three);
	psync_flow_refused(lab, 10);
}

/* Whoever holds back for too long is suspected and masked out, and told so. */
static void psync_flow_test_mask(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;
	struct psync_pkt pkt;
	u32 both, to;

	for (both = 0; both < 2; both++) {
		psync_flow_block_by(&lab, true, both);
		img = &lab.bed.img;
		psync_bed_run(&lab.bed, 499 * MS);
		assert_int_equal(lab.bed.nevents, 0);
		lab.bed.muted = ~(1U << PSYNC_PKT_MSG);
		psync_bed_run(&lab.bed, 500 * MS);
		/* Who goes on alone says both again, and that is agreed. */
		psync_flow_event(&lab, both ? 8 : 3, PSYNC_EV_RESUMED, 0, 0);
		assert_int_equal(lab.bed.events[0].type, PSYNC_EV_SUSPECT);
		assert_int_equal(lab.bed.events[0].site, 2);
		assert_int_equal(lab.bed.events[0].reason, 0);
		assert_int_equal(lab.bed.events[1].type, PSYNC_EV_MASKED);
		assert_int_equal(lab.bed.events[1].mid, PSYNC_MID(0, 3));
		assert_int_equal(lab.bed.events[1].reason, 1);
		assert_true(psync_view_masked(&lab.view, 1));
		assert_int_equal(psync_view_masked(&lab.view, 2), both);
		/* Without a cut, and announced to everybody. */
		assert_true(both || lab.view.masks[1].limit == U64_MAX);
		psync_bed_take(&lab.bed, &pkt, &to);
		assert_int_equal(to, 0);
		assert_int_equal(pkt.msg.kind, PSYNC_KIND_MASK);
		assert_int_equal(pkt.msg.op, PSYNC_MASK_OP_OUT);
		assert_int_equal(pkt.msg.about, 1);
		assert_int_equal(lab.bed.writable, 1);
		assert_int_equal(img->slow_at, U64_MAX);
		psync_bed_send(&lab.bed, &lab.view, 10);
		assert_int_equal(psync_view_mask_in(&lab.view, 1, img->now),
				 both ? -EPERM : 0);
		psync_bed_forget(&lab.bed);
		psync_flow_close(&lab);
	}
}

/* Whoever is about to be masked in waits for all, so nobody is: else it stops. */
static void psync_flow_test_mask_asked(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;

	psync_flow_block_by(&lab, true, false);
	img = &lab.bed.img;
	psync_bed_run(&lab.bed, 500 * MS);
	assert_true(psync_view_masked(&lab.view, 1));
	assert_int_equal(psync_view_mask_in(&lab.view, 1, img->now), 0);
	assert_true(lab.view.masks[1].asked);
	while (psync_image_may_send(img, 0))
		psync_bed_send(&lab.bed, &lab.view, 10);
	/* It is the other one that holds back. */
	psync_flow_grant_by(&lab, 2, img->parts[0].seq, 1000, 10);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 1100 * MS);
	assert_true(psync_view_masked(&lab.view, 2));
	assert_true(psync_view_masked(&lab.view, 1));
	assert_int_equal(lab.view.asks, 0);
	assert_int_equal(lab.bed.writable, 2);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* Not who keeps what another one lacks: that is for it to find out ... */
static void psync_flow_test_mask_innocent(void **state)
{
	struct psync_flow_lab lab;

	psync_flow_block_by(&lab, true, false);
	psync_flow_grant_by(&lab, 2, 2, 0, 0);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 2500 * MS);
	psync_flow_event(&lab, 1, PSYNC_EV_BLOCKED, 2, 0);
	assert_null(lab.view.masks);
	psync_flow_grant_by(&lab, 2, 2, 1000, 1);
	psync_flow_event(&lab, 2, PSYNC_EV_RESUMED, 0, 0);
	psync_flow_close(&lab);
}

/* ... and it does, if nothing moves for so long. */
static void psync_flow_test_mask_keeper(void **state)
{
	struct psync_flow_lab lab;
	u64 preds[1], at;
	u32 i;

	psync_flow_open(&lab, 1 << 30, 9, 1);
	lab.bed.img.p.limits.slow = PSYNC_SLOW_MASK;
	lab.bed.img.p.limits.slow_ns = 500 * MS;
	psync_flow_grant_by(&lab, 3, 0, 1000, 10);
	for (i = 0; i < 3; i++) {
		assert_true(lab.bed.img.full_at == U64_MAX);
		preds[0] = PSYNC_MID(1, i);
		assert_int_equal(psync_bed_msg(&lab.bed, 1, i + 1, i + 1,
					       i ? 1 : 0, preds), PSYNC_OK);
	}
	lab.bed.muted = ~0U;
	/* Somebody here who does not receive is another matter. */
	at = lab.bed.img.full_at;
	psync_bed_run(&lab.bed, at);
	assert_int_equal(lab.bed.nevents, 0);
	assert_true(lab.bed.img.full_at > at);
	psync_bed_drain(&lab.view);
	/* The other one goes on, if slowly. */
	psync_bed_run(&lab.bed, at + 400 * MS);
	lab.held[1] = 1;
	psync_flow_grant_by(&lab, 3, 0, 1000, 10);
	assert_true(lab.bed.img.full_at == U64_MAX);
	preds[0] = PSYNC_MID(1, 3);
	assert_int_equal(psync_bed_msg(&lab.bed, 1, 4, 4, 1, preds), PSYNC_OK);
	psync_bed_drain(&lab.view);
	at = lab.bed.img.full_at;
	psync_bed_run(&lab.bed, at - 1);
	assert_int_equal(lab.bed.nevents, 0);
	psync_bed_run(&lab.bed, at);
	assert_int_equal(lab.bed.events[0].type, PSYNC_EV_SUSPECT);
	assert_int_equal(lab.bed.events[0].site, 3);
	assert_int_equal(lab.bed.events[0].reason, 3);
	assert_true(psync_view_masked(&lab.view, 2));
	assert_false(psync_view_masked(&lab.view, 1));
	assert_int_equal(lab.bed.img.shuts, 1);
	assert_int_equal(lab.bed.img.remotes[0].kept_msgs, 0);
	assert_true(lab.bed.img.full_at == U64_MAX);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/* Nobody is masked out who was never heard, nor for want of memory then. */
static void psync_flow_test_mask_late(void **state)
{
	struct psync_flow_lab lab;

	psync_flow_open(&lab, 1 << 30, 100, 1);
	lab.bed.img.p.limits.slow = PSYNC_SLOW_MASK;
	lab.bed.img.p.limits.slow_ns = 500 * MS;
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_grant_by(&lab, 3, 1, 1000, 10);
	psync_flow_refused(&lab, 10);
	psync_bed_run(&lab.bed, 2500 * MS);
	psync_flow_event(&lab, 1, PSYNC_EV_BLOCKED, 2, 0);
	assert_false(psync_view_masked(&lab.view, 1));
	/* Once it is heard, it is looked at again. */
	psync_flow_grant_by(&lab, 2, 0, 0, 0);
	lab.bed.fail_from = lab.bed.allocs + 1;
	psync_bed_run(&lab.bed, 3000 * MS);
	assert_false(psync_view_masked(&lab.view, 1));
	assert_true(lab.bed.drops[PSYNC_DROP_NO_MEM] > 0);
	assert_int_equal(lab.bed.writable, 0);
	lab.bed.fail_from = 0;
	psync_bed_run(&lab.bed, 3500 * MS);
	assert_true(psync_view_masked(&lab.view, 1));
	assert_int_equal(lab.bed.writable, 1);
	psync_flow_event(&lab, 5, PSYNC_EV_RESUMED, 0, 0);
	psync_bed_forget(&lab.bed);
	psync_flow_close(&lab);
}

/*
 * All who are here mask out all who are there, or nobody does: not who decides
 * itself, nor is anybody here masked out.
 */
static void psync_flow_test_mask_sites(void **state)
{
	static const u32 sites[] = { 1, 1, 2, 2 };
	struct psync_image_params p;
	struct psync_view views[2];
	struct psync_bed_body *body;
	struct psync_pid pids[4];
	struct psync_bed bed;
	u64 mid;
	u32 i;

	memset(views, 0, sizeof(views));
	psync_bed_params(&p, pids, sites, 4, 0);
	psync_bed_times(&p);
	p.limits.max_bytes = 200;
	p.limits.slow = PSYNC_SLOW_MASK;
	p.limits.slow_ns = 500 * MS;
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	bed.muted = ~0U;
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_image_join(&bed.img, &views[i], i, 1, 7,
						  0), 0);
	psync_bed_send(&bed, &views[0], 100);
	psync_bed_held(&bed);
	body = psync_bed_body_new();
	assert_int_equal(psync_image_send(&bed.img, &views[0], body, 100, &mid,
					  0), -EAGAIN);
	psync_bed_run(&bed, 500 * MS);
	assert_int_equal(bed.events[0].type, PSYNC_EV_BLOCKED);
	assert_int_equal(bed.events[0].site, 1);
	psync_bed_drain(&views[1]);
	/* Now nobody at the other site takes the next one. */
	assert_int_equal(psync_image_send(&bed.img, &views[0], body, 100, &mid,
					  bed.img.now), 0);
	psync_bed_drain(&views[1]);
	body = psync_bed_body_new();
	assert_int_equal(psync_image_send(&bed.img, &views[0], body, 100, &mid,
					  bed.img.now), -EAGAIN);
	psync_view_manual(&views[1], true, bed.img.now);
	bed.nevents = 0;
	psync_bed_run(&bed, 3000 * MS);
	assert_int_equal(bed.nevents, 1);
	assert_int_equal(bed.events[0].type, PSYNC_EV_BLOCKED);
	assert_int_equal(bed.events[0].site, 2);
	assert_null(views[0].masks);
	psync_view_manual(&views[1], false, bed.img.now);
	psync_bed_run(&bed, 3500 * MS);
	for (i = 0; i < 4; i++)
		assert_int_equal(psync_view_masked(&views[i / 2], 2 + i % 2), 1);
	assert_int_equal(psync_image_send(&bed.img, &views[0], body, 100, &mid,
					  bed.img.now), 0);
	psync_bed_leave(&bed, &views[1]);
	psync_bed_leave(&bed, &views[0]);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What a message of 1396 bytes takes. */
#define FULL	1500

static void psync_flow_window(struct psync_flow_lab *lab, u64 window)
{
	psync_flow_open(lab, 1 << 30, 1 << 20, 1 << 20);
	lab->bed.muted = ~0U;
	lab->bed.img.window = window;
	/* Both others have been heard. */
	psync_flow_grant_by(lab, 2, 0, U32_MAX, U32_MAX);
	psync_flow_grant_by(lab, 3, 0, U32_MAX, U32_MAX);
}

/* Sends until it is refused; returns how many were sent. */
static u32 psync_flow_fill(struct psync_flow_lab *lab)
{
	u32 n = 0;

	for (; psync_image_may_send(&lab->bed.img, 0); n++)
		psync_bed_send(&lab->bed, &lab->view, FULL - PSYNC_WIRE_FIXED);
	psync_flow_refused(lab, 1);
	return n;
}

/* Both others hold all up to @seq. */
static void psync_flow_held(struct psync_flow_lab *lab, u64 seq)
{
	psync_flow_grant_by(lab, 2, seq, U32_MAX, U32_MAX);
	psync_flow_grant_by(lab, 3, seq, U32_MAX, U32_MAX);
}

/* @site asks for all that follows @seq. */
static void psync_flow_asked(struct psync_flow_lab *lab, u32 site, u64 seq)
{
	struct psync_pkt pkt;
	__be32 wire[3];

	lab->held[0] = seq;
	psync_bed_vector(&lab->bed, PSYNC_PKT_RR, site, lab->held, wire, &pkt);
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

/* It doubles with each round trip, then grows by a packet. */
static void psync_flow_test_grows(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;
	u64 seq;

	psync_flow_window(&lab, 4 * FULL);
	img = &lab.bed.img;
	seq = psync_flow_fill(&lab);
	assert_int_equal(seq, 4);
	assert_int_equal(img->flight, 4 * FULL);
	/* Held by one is not held wherever it counts. */
	psync_flow_grant_by(&lab, 2, seq, U32_MAX, U32_MAX);
	assert_int_equal(img->flight, 4 * FULL);
	assert_int_equal(lab.bed.writable, 0);
	psync_flow_grant_by(&lab, 3, seq, U32_MAX, U32_MAX);
	assert_int_equal(img->flight, 0);
	assert_int_equal(lab.bed.writable, 1);
	/* The last ones arrive when not even half was under way. */
	assert_in_range(img->window, 6 * FULL, 8 * FULL);
	img->window = 8 * FULL;
	img->threshold = 8 * FULL;
	seq += psync_flow_fill(&lab);
	assert_int_equal(seq, 12);
	for (; img->flight;)
		psync_flow_held(&lab, seq - img->flight / FULL + 1);
	/* Not more than so many have arrived as fill it. */
	assert_int_equal(img->window, 8 * FULL);
	seq += psync_flow_fill(&lab);
	psync_flow_held(&lab, seq);
	assert_int_equal(img->window, 9 * FULL);
	/* One that was not needed does not grow. */
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_held(&lab, ++seq);
	assert_int_equal(img->window, 9 * FULL);
	psync_flow_close(&lab);
}

/* Who asks makes it half of what it was, once for all that was under way. */
static void psync_flow_test_halved(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;

	psync_flow_window(&lab, 8 * FULL);
	img = &lab.bed.img;
	assert_int_equal(psync_flow_fill(&lab), 8);
	psync_flow_asked(&lab, 2, 2);
	assert_int_equal(img->window, 4 * FULL);
	assert_int_equal(img->cuts[PSYNC_CUT_LOSS], 1);
	/* The other one, and another message of the same window. */
	psync_flow_asked(&lab, 3, 0);
	img->now += PSYNC_BED_MS * 1000;
	psync_flow_asked(&lab, 2, 5);
	assert_int_equal(img->window, 4 * FULL);
	psync_flow_held(&lab, 8);
	assert_int_equal(psync_flow_fill(&lab), 4);
	psync_flow_asked(&lab, 2, 8);
	assert_int_equal(img->window, 2 * FULL);
	assert_int_equal(img->cuts[PSYNC_CUT_LOSS], 2);
	psync_flow_close(&lab);
}

/* Nor more at once to one who asks; one message at least. */
static void psync_flow_test_paced(void **state)
{
	struct psync_flow_lab lab;
	u32 before;

	psync_flow_window(&lab, 8 * FULL);
	assert_int_equal(psync_flow_fill(&lab), 8);
	before = lab.bed.ntypes[PSYNC_PKT_MSG];
	psync_flow_asked(&lab, 2, 0);
	assert_int_equal(lab.bed.ntypes[PSYNC_PKT_MSG], before + 4);
	lab.bed.img.window = 1;
	psync_flow_asked(&lab, 3, 0);
	assert_int_equal(lab.bed.ntypes[PSYNC_PKT_MSG], before + 5);
	psync_flow_close(&lab);
}

/* What was sent before a site was heard was not lost on its way there. */
static void psync_flow_test_latecomer(void **state)
{
	struct psync_flow_lab lab;

	psync_flow_open(&lab, 1 << 30, 100, 100);
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_asked(&lab, 2, 0);
	assert_int_equal(lab.bed.img.cuts[PSYNC_CUT_LOSS], 0);
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_flow_asked(&lab, 2, 2);
	assert_int_equal(lab.bed.img.cuts[PSYNC_CUT_LOSS], 1);
	psync_flow_close(&lab);
}

/* Without an answer in time it begins anew; who was never heard is none. */
static void psync_flow_test_timeout(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;

	psync_flow_window(&lab, 8 * FULL);
	img = &lab.bed.img;
	assert_int_equal(psync_flow_fill(&lab), 8);
	psync_bed_run(&lab.bed, 5000 * MS);
	assert_int_equal(img->window, FULL);
	assert_int_equal(img->threshold, 4 * FULL);
	assert_int_equal(img->cuts[PSYNC_CUT_TIMEOUT], 1);
	psync_flow_held(&lab, 8);
	assert_int_equal(psync_flow_fill(&lab), 1);
	psync_flow_close(&lab);

	psync_flow_open(&lab, 1 << 30, 100, 100);
	lab.bed.muted = ~0U;
	psync_bed_send(&lab.bed, &lab.view, 10);
	psync_bed_run(&lab.bed, 5000 * MS);
	assert_int_equal(lab.bed.img.cuts[PSYNC_CUT_TIMEOUT], 0);
	psync_flow_close(&lab);
}

/* @site holds all up to @seq, and so many came there with a mark. */
static void psync_flow_marked_by(struct psync_flow_lab *lab, u32 site, u64 seq,
				 u32 marks)
{
	struct psync_pkt pkt;
	__be32 wire[3];

	lab->held[0] = seq;
	psync_bed_vector(&lab->bed, PSYNC_PKT_ACK, site, lab->held, wire,
			 &pkt);
	pkt.vector.marks = marks;
	assert_int_equal(psync_bed_input(&lab->bed, &pkt, lab->bed.img.now),
			 PSYNC_OK);
}

/* Marks count as losses do; the count in ACKs may wrap and come late. */
static void psync_flow_test_marked(void **state)
{
	struct psync_flow_lab lab;
	struct psync_image *img;

	psync_flow_window(&lab, 16 * FULL);
	img = &lab.bed.img;
	img->remotes[0].marks_told = U32_MAX;
	assert_int_equal(psync_flow_fill(&lab), 16);
	img->threshold = FULL;
	psync_flow_marked_by(&lab, 2, 2, 1);
	assert_int_equal(img->window, 8 * FULL);
	assert_int_equal(img->cuts[PSYNC_CUT_MARK], 1);
	/* More of the same round trip, the same again, and an older one. */
	psync_flow_marked_by(&lab, 2, 3, 4);
	psync_flow_marked_by(&lab, 2, 3, 4);
	psync_flow_marked_by(&lab, 2, 2, 1);
	psync_flow_marked_by(&lab, 3, 15, 7);
	assert_int_equal(img->window, 8 * FULL);
	psync_flow_marked_by(&lab, 2, 16, 4);
	psync_flow_marked_by(&lab, 3, 16, 7);
	assert_int_equal(img->cuts[PSYNC_CUT_MARK], 1);
	img->window = 8 * FULL;
	assert_int_equal(psync_flow_fill(&lab), 8);
	psync_flow_marked_by(&lab, 3, 17, 8);
	assert_int_equal(img->window, 4 * FULL);
	assert_int_equal(img->cuts[PSYNC_CUT_MARK], 2);
	psync_flow_close(&lab);
}

/* A receiver says how many came with a mark, whether it could use them or not. */
static void psync_flow_test_marks(void **state)
{
	struct psync_flow_lab lab;
	struct psync_wire_mid wire[8];
	struct psync_pkt pkt;
	u32 i, to, marks = 0;

	psync_flow_open(&lab, 1 << 30, 100, 100);
	for (i = 0; i < 3; i++) {
		psync_bed_craft(&lab.bed, 1, 1, 1, 0, NULL, wire, &pkt);
		pkt.marked = i;
		psync_image_input(&lab.bed.img, &pkt, NULL, 0);
	}
	psync_bed_run(&lab.bed, 5 * MS);
	while (lab.bed.nsent) {
		psync_bed_take(&lab.bed, &pkt, &to);
		if (pkt.type == PSYNC_PKT_ACK && to == 2)
			marks = pkt.vector.marks;
	}
	assert_int_equal(marks, 2);
	psync_flow_close(&lab);
}

const struct CMUnitTest psync_flow_tests[] = {
	cmocka_unit_test(psync_flow_test_first),
	cmocka_unit_test(psync_flow_test_least),
	cmocka_unit_test(psync_flow_test_late),
	cmocka_unit_test(psync_flow_test_persist),
	cmocka_unit_test(psync_flow_test_grant),
	cmocka_unit_test(psync_flow_test_minimum),
	cmocka_unit_test(psync_flow_test_free),
	cmocka_unit_test(psync_flow_test_absent),
	cmocka_unit_test(psync_flow_test_manual),
	cmocka_unit_test(psync_flow_test_blocked),
	cmocka_unit_test(psync_flow_test_back),
	cmocka_unit_test(psync_flow_test_in_time),
	cmocka_unit_test(psync_flow_test_silent),
	cmocka_unit_test(psync_flow_test_local),
	cmocka_unit_test(psync_flow_test_ask),
	cmocka_unit_test(psync_flow_test_mask),
	cmocka_unit_test(psync_flow_test_mask_asked),
	cmocka_unit_test(psync_flow_test_mask_innocent),
	cmocka_unit_test(psync_flow_test_mask_keeper),
	cmocka_unit_test(psync_flow_test_mask_late),
	cmocka_unit_test(psync_flow_test_mask_sites),
	cmocka_unit_test(psync_flow_test_grows),
	cmocka_unit_test(psync_flow_test_halved),
	cmocka_unit_test(psync_flow_test_paced),
	cmocka_unit_test(psync_flow_test_latecomer),
	cmocka_unit_test(psync_flow_test_timeout),
	cmocka_unit_test(psync_flow_test_marked),
	cmocka_unit_test(psync_flow_test_marks),
};

const size_t psync_flow_ntests = ARRAY_SIZE(psync_flow_tests);
