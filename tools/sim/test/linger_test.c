// SPDX-License-Identifier: GPL-2.0-only
/* What remains when everybody here has closed; what a site may send. */
#include "bed.h"

#define MS	PSYNC_BED_MS
#define SEC	(1000 * PSYNC_BED_MS)

static const u32 psync_linger_sites[] = { 1, 2, 3 };

static void psync_linger_open(struct psync_bed *bed, struct psync_view *view,
			      u32 number, u32 max_bytes)
{
	struct psync_image_params p;
	struct psync_pid pids[3];

	psync_bed_params(&p, pids, psync_linger_sites, 3, number);
	psync_bed_times(&p);
	p.limits.max_bytes = max_bytes;
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 7, 0), 0);
}

/* @site holds participant 0's messages up to @seq. */
static void psync_linger_ack(struct psync_bed *bed, u32 site, u64 seq, u64 now)
{
	u64 held[3] = { seq, 0, 0 };
	struct psync_pkt pkt;
	__be32 wire[3];

	psync_bed_vector(bed, PSYNC_PKT_ACK, site, held, wire, &pkt);
	assert_int_equal(psync_bed_input(bed, &pkt, now), PSYNC_OK);
}

static void psync_linger_exit(struct psync_bed *bed)
{
	psync_bed_exit(bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* It stays until all that was sent here is held, END included. */
static void psync_linger_test_held(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_linger_open(&bed, &view, 0, 1 << 30);
	psync_bed_send(&bed, &view, 100);
	assert_false(psync_image_over(&bed.img));
	psync_image_leave(&bed.img, &view, SEC);
	assert_int_equal(bed.img.linger_end, 11 * SEC);
	psync_linger_ack(&bed, 2, 2, SEC);
	assert_false(psync_image_over(&bed.img));
	psync_linger_ack(&bed, 3, 1, SEC);
	assert_false(psync_image_over(&bed.img));
	psync_linger_ack(&bed, 3, 2, SEC);
	assert_true(psync_image_over(&bed.img));
	psync_linger_exit(&bed);
}

/* Meanwhile it asks and answers; within a bound it gives up. */
static void psync_linger_test_bound(void **state)
{
	u64 held[3] = { 0, 0, 0 };
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt;
	__be32 wire[3];

	psync_linger_open(&bed, &view, 0, 1 << 30);
	psync_bed_send(&bed, &view, 100);
	psync_image_leave(&bed.img, &view, SEC);
	psync_bed_forget(&bed);
	psync_linger_ack(&bed, 3, 2, SEC);
	psync_bed_run(&bed, 2 * SEC);
	assert_true(bed.nsent > 0);
	psync_bed_take(&bed, &pkt, NULL);
	assert_int_equal(pkt.type, PSYNC_PKT_MSG);
	psync_bed_forget(&bed);
	psync_bed_vector(&bed, PSYNC_PKT_RR, 2, held, wire, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 2 * SEC), PSYNC_OK);
	assert_int_equal(bed.nsent, 2);
	psync_bed_forget(&bed);
	bed.muted = ~0U;
	psync_bed_run(&bed, 11 * SEC - 1);
	assert_false(psync_image_over(&bed.img));
	assert_int_equal(bed.img.deadline, 11 * SEC);
	psync_image_timer(&bed.img, 11 * SEC);
	assert_true(psync_image_over(&bed.img));
	psync_linger_exit(&bed);
}

/* Refused by the others, there is nothing to wait for. */
static void psync_linger_test_refused(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_linger_open(&bed, &view, 0, 1 << 30);
	psync_bed_send(&bed, &view, 100);
	bed.img.refused = true;
	assert_false(psync_image_over(&bed.img));
	psync_image_leave(&bed.img, &view, SEC);
	assert_true(psync_image_over(&bed.img));
	psync_linger_exit(&bed);
}

/* Sites that never were, or are over, hold nothing back. */
static void psync_linger_test_absent(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_linger_open(&bed, &view, 0, 1 << 30);
	bed.muted = ~0U;
	bed.img.p.limits.linger_ns = 100 * SEC;
	psync_bed_send(&bed, &view, 100);
	psync_image_leave(&bed.img, &view, SEC);
	psync_bed_run(&bed, 30 * SEC - 1);
	assert_false(psync_image_over(&bed.img));
	psync_bed_run(&bed, 30 * SEC);
	assert_int_equal(bed.nevents, 2);
	assert_true(psync_image_over(&bed.img));
	psync_linger_exit(&bed);
}

/* What lingers lets nobody new in. */
static void psync_linger_test_closed(void **state)
{
	struct psync_bed_packet hello;
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt pkt, ack;

	psync_linger_open(&bed, &view, 5, 1 << 30);
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 1), PSYNC_OK);
	assert_int_equal(bed.img.nearly, 1);
	psync_bed_send(&bed, &view, 10);
	psync_image_leave(&bed.img, &view, 2);
	/* One that comes now belongs to the next conversation. */
	pkt.msg.seq = 2;
	assert_int_equal(psync_bed_input(&bed, &pkt, 3), PSYNC_DROP_CLOSED);
	/* The answer to our question comes too late for what was kept. */
	hello = psync_bed_pop_type(&bed, PSYNC_PKT_HELLO);
	assert_int_equal(hello.site, 2);
	assert_int_equal(psync_wire_decode(hello.data, hello.len, hello.len,
					   &pkt), PSYNC_OK);
	psync_image_hello_answer(NULL, 1, 0, &pkt, &ack);
	ack.hello.state = PSYNC_HELLO_OPEN;
	ack.src_site = 2;
	ack.src_inc = 5002;
	assert_int_equal(psync_bed_input(&bed, &ack, 4), PSYNC_OK);
	psync_bed_packet_free(&hello);
	assert_int_equal(bed.drops[PSYNC_DROP_CLOSED], 1);
	assert_int_equal(bed.img.nearly, 0);
	assert_int_equal(bed.img.remotes[0].state, PSYNC_REMOTE_UNKNOWN);
	/* Neither does another site bring it in. */
	bed.img.remotes[1].state = PSYNC_REMOTE_CONFIRMED;
	bed.img.remotes[1].inc = 5003;
	bed.img.remotes[1].opening = 1;
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.src_site = 3;
	pkt.src_inc = 5003;
	pkt.msg.flags = PSYNC_MSGF_FOREIGN | PSYNC_MSGF_REPEAT;
	pkt.msg.inc = 5002;
	pkt.msg.opening = 1;
	assert_int_equal(psync_bed_input(&bed, &pkt, 5), PSYNC_DROP_CLOSED);
	/* One who was in and came back waits for us to be over. */
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, NULL, &pkt);
	pkt.opening = 2;
	psync_bed_forget(&bed);
	assert_int_equal(psync_bed_input(&bed, &pkt, 6), PSYNC_DROP_CLOSED);
	assert_int_equal(bed.nsent, 0);
	assert_int_equal(bed.nevents, 0);
	assert_true(bed.img.remotes[1].moved);
	psync_linger_exit(&bed);
}

/* An answer while it is open, about what was closed or never there. */
static void psync_linger_test_answer(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	struct psync_pkt hello, ack;

	psync_linger_open(&bed, &view, 5, 1 << 30);
	psync_bed_send(&bed, &view, 10);
	psync_image_leave(&bed.img, &view, 2);
	hello = (struct psync_pkt){
		.type = PSYNC_PKT_HELLO, .src_site = 2, .src_inc = 5002,
		.cid = PSYNC_BED_CID, .hello.nonce = 9,
	};
	psync_image_hello_answer(&bed.img, 7, 1, &hello, &ack);
	assert_int_equal(ack.hello.state, PSYNC_HELLO_CLOSED);
	assert_int_equal(ack.opening, 7);
	psync_linger_exit(&bed);
}

/* A site sends what its share of the bytes allows, but one message at least. */
static void psync_linger_test_share(void **state)
{
	struct psync_bed_body *body = psync_bed_body_new();
	struct psync_view view;
	struct psync_bed bed;
	u64 mid;
	u32 i;

	/* Three sites share 900 bytes. */
	psync_linger_open(&bed, &view, 0, 900);
	bed.muted = ~0U;
	assert_true(psync_image_may_send(&bed.img, 10000));
	for (i = 0; i < 3; i++)
		psync_bed_send(&bed, &view, 100);
	assert_int_equal(bed.img.own_bytes, 300);
	assert_false(psync_image_may_send(&bed.img, 1));
	mid = 99;
	assert_int_equal(psync_image_send(&bed.img, &view, body, 1, &mid, 1),
			 -EAGAIN);
	assert_int_equal(mid, 99);
	assert_int_equal(body->refs, 1);
	assert_int_equal(bed.img.attached, 3);
	assert_int_equal(bed.img.own_bytes, 300);
	assert_int_equal(bed.img.body_bytes, 300);
	assert_true(bed.img.blocked);
	/* Held by one of two: nothing is free yet. */
	psync_linger_ack(&bed, 2, 3, 1);
	assert_int_equal(bed.writable, 0);
	/* One of three is free: told when it is half of the share. */
	psync_linger_ack(&bed, 3, 1, 1);
	assert_int_equal(bed.img.own_bytes, 200);
	assert_int_equal(bed.writable, 0);
	assert_true(psync_image_may_send(&bed.img, 100));
	assert_false(psync_image_may_send(&bed.img, 0));
	psync_linger_ack(&bed, 3, 2, 1);
	assert_int_equal(bed.img.own_bytes, 100);
	assert_int_equal(bed.writable, 1);
	assert_false(bed.img.blocked);
	/* Nobody waits: nobody is told. */
	psync_linger_ack(&bed, 3, 3, 1);
	assert_int_equal(bed.writable, 1);
	assert_int_equal(psync_image_send(&bed.img, &view, body, 1000, &mid, 1),
			 0);
	assert_int_equal(bed.img.own_bytes, 1000);
	/* What the kernel says is not refused for that. */
	psync_image_leave(&bed.img, &view, 2);
	assert_int_equal(bed.img.parts[0].seq, 5);
	psync_linger_exit(&bed);
}

/* Others' messages take no part of the share; local readers hold it back. */
static void psync_linger_test_share_local(void **state)
{
	static const u32 sites[] = { 1, 1, 2 };
	struct psync_bed_body *body = psync_bed_body_new();
	struct psync_view a = {}, b = {};
	struct psync_image_params p;
	struct psync_pid pids[3];
	struct psync_bed bed;
	u64 mid;

	psync_bed_params(&p, pids, sites, 3, 0);
	p.limits.max_bytes = 400;
	psync_bed_init(&bed, &p, 1);
	bed.muted = ~0U;
	psync_image_join(&bed.img, &a, 0, 1, 7, 0);
	psync_image_join(&bed.img, &b, 1, 1, 7, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_send(&bed, &a, 100);
	psync_bed_send(&bed, &a, 100);
	assert_int_equal(bed.img.own_bytes, 200);
	assert_int_equal(psync_image_send(&bed.img, &b, body, 1, &mid, 1),
			 -EAGAIN);
	psync_bed_held(&bed);
	assert_int_equal(bed.writable, 0);
	assert_int_equal(bed.img.own_bytes, 200);
	psync_bed_drain(&b);
	assert_int_equal(bed.img.own_bytes, 0);
	assert_int_equal(bed.writable, 1);
	assert_int_equal(psync_image_send(&bed.img, &b, body, 1, &mid, 1), 0);
	psync_bed_leave(&bed, &a);
	psync_bed_leave(&bed, &b);
	psync_linger_exit(&bed);
}

/* What is kept of others keeps out nobody's share, nor anybody's one message. */
static void psync_linger_test_room(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), b2 = PSYNC_MID(1, 2), b3 = PSYNC_MID(1, 3);
	u64 c1 = PSYNC_MID(2, 1), c2 = PSYNC_MID(2, 2), c3 = PSYNC_MID(2, 3);
	struct psync_view view;
	struct psync_bed bed;

	/* Three sites share 750 bytes: 250 each. */
	psync_linger_open(&bed, &view, 0, 750);
	bed.muted = ~0U;
	psync_bed_send(&bed, &view, 500);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 2, 2, 1, &b1), PSYNC_OK);
	assert_int_equal(bed.img.remotes[0].bytes, 200);
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 2, 1, &c1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 3, 3, 1, &c2),
			 PSYNC_DROP_IMAGE_FULL);
	/* One that is larger than the share: when no other is left. */
	bed.img.p.limits.max_bytes = 3;
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 3, 1, &b2),
			 PSYNC_DROP_IMAGE_FULL);
	psync_bed_drain(&view);
	psync_linger_ack(&bed, 2, 1, 1);
	psync_bed_held(&bed);
	assert_int_equal(bed.img.body_bytes, 0);
	assert_int_equal(bed.img.remotes[0].bytes, 0);
	assert_int_equal(bed.img.parts[1].nkept, 0);
	psync_bed_send(&bed, &view, 500);
	assert_int_equal(psync_bed_msg(&bed, 1, 3, 3, 1, &b2), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 3, 3, 1, &c2), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 1, 4, 4, 1, &b3),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(psync_bed_msg(&bed, 2, 4, 4, 1, &c3),
			 PSYNC_DROP_IMAGE_FULL);
	psync_bed_leave(&bed, &view);
	psync_linger_exit(&bed);
}

/* Nobody is open: a second start message finds the limit, as all do. */
static void psync_linger_test_room_start(void **state)
{
	struct psync_view view = { .pending = true };
	struct psync_image_params p;
	struct psync_pid pids[3];
	struct psync_bed bed;
	struct psync_pkt pkt;

	psync_bed_params(&p, pids, psync_linger_sites, 3, 0);
	p.limits.max_pending = 1;
	psync_bed_init(&bed, &p, 1);
	psync_image_join(&bed.img, &view, 0, 0, 0, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	pkt.msg.flags = PSYNC_MSGF_START;
	pkt.msg.participants = bed.img.wire_pids;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_true(bed.img.begun);
	psync_bed_leave(&bed, &view);
	psync_linger_exit(&bed);
}

/*
 * Two sites that each sent more than their share, which one message may be,
 * take each other's.
 */
static void psync_linger_test_deadlock(void **state)
{
	static const u32 sites[] = { 1, 2 };
	struct psync_view views[2] = {};
	struct psync_image_params p;
	struct psync_bed_packet packet;
	struct psync_pid pids[2];
	struct psync_bed beds[2];
	u64 now = 0;
	u32 i, k;

	psync_bed_params(&p, pids, sites, 2, 0);
	psync_bed_times(&p);
	p.limits.max_bytes = 150;
	for (i = 0; i < 2; i++) {
		psync_bed_init(&beds[i], &p, 1 + i);
		beds[i].muted = 0;
		psync_image_join(&beds[i].img, &views[i], i, 1, 1, 0);
	}
	psync_bed_tell(&beds[0], &views[0], (struct psync_bed *[]){ &beds[1] },
		       1);
	psync_bed_drain(&views[1]);
	psync_bed_ack(&beds[0], &beds[1], 0);
	psync_bed_send(&beds[0], &views[0], 100);
	psync_bed_send(&beds[1], &views[1], 100);
	for (k = 0; k < 2000; k++, now += MS) {
		for (i = 0; i < 2; i++) {
			if (beds[i].img.deadline <= now)
				psync_image_timer(&beds[i].img, now);
			while (beds[i].nsent) {
				packet = psync_bed_pop(&beds[i]);
				psync_bed_give(&beds[1 - i], &packet, now);
				psync_bed_packet_free(&packet);
			}
			psync_bed_drain(&views[i]);
		}
	}
	for (i = 0; i < 2; i++) {
		assert_true(beds[i].img.attached >= 3);
		assert_int_equal(beds[i].img.nuntaken, 0);
		psync_bed_leave(&beds[i], &views[i]);
	}
	for (i = 0; i < 2; i++)
		psync_bed_exit(&beds[i]);
	assert_int_equal(psync_bed_bodies, 0);
}

const struct CMUnitTest psync_linger_tests[] = {
	cmocka_unit_test(psync_linger_test_held),
	cmocka_unit_test(psync_linger_test_bound),
	cmocka_unit_test(psync_linger_test_refused),
	cmocka_unit_test(psync_linger_test_absent),
	cmocka_unit_test(psync_linger_test_closed),
	cmocka_unit_test(psync_linger_test_answer),
	cmocka_unit_test(psync_linger_test_share),
	cmocka_unit_test(psync_linger_test_share_local),
	cmocka_unit_test(psync_linger_test_room),
	cmocka_unit_test(psync_linger_test_room_start),
	cmocka_unit_test(psync_linger_test_deadlock),
};

const size_t psync_linger_ntests = ARRAY_SIZE(psync_linger_tests);
