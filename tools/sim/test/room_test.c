// SPDX-License-Identifier: GPL-2.0-only
/* Room for what a participant has yet to take, and memory that is paid for. */
#include "bed.h"

/* Participants 0 and 2 at site 1, 1 at site 2. */
static const u32 psync_room_sites[] = { 1, 2, 1 };

static void psync_room_open(struct psync_bed *bed, struct psync_view *view,
			    u32 number)
{
	struct psync_image_params p;
	struct psync_pid pids[3];

	psync_bed_params(&p, pids, psync_room_sites, 3, number);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 7, 0), 0);
}

static void psync_room_close(struct psync_bed *bed, struct psync_view *view)
{
	assert_int_equal(view->unread, 0);
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The next message of participant 1, of some kind, or one further on. */
static enum psync_drop psync_room_msg(struct psync_bed *bed, u8 kind, u32 ahead)
{
	u64 seq = bed->img.parts[1].seq + 1 + ahead;
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	u64 pred = PSYNC_MID(1, seq - 1);
	struct psync_pkt pkt;

	psync_bed_craft(bed, 1, seq, seq, seq > 1, &pred, wire, &pkt);
	pkt.msg.kind = kind;
	if (kind != PSYNC_KIND_DATA)
		pkt.body_len = 0;
	return psync_bed_input(bed, &pkt, 0);
}

/* Each may have so much to take; one message always. */
static void psync_room_test_unread(void **state)
{
	struct psync_view view, other;
	struct psync_bed bed;

	psync_room_open(&bed, &view, 0);
	bed.room = 50;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(view.unread, 100);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_IMAGE_FULL);
	/* Nor is what follows it kept, which would have it admitted. */
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 1),
			 PSYNC_DROP_HELD_FULL);
	bed.room = 200;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_IMAGE_FULL);
	/* What the kernel says frees memory. */
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_NULL, 0), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&view), PSYNC_MID(1, 1));
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(psync_bed_receive(&view), PSYNC_MID(1, 2));
	assert_int_equal(view.unread, 0);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	/* One that others wait for is admitted before them (S2.5). */
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 2), PSYNC_OK);
	bed.room = 50;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(bed.img.nheld, 0);
	assert_int_equal(psync_bed_drain(&view), 4);
	/* Who comes later has all that is kept before it. */
	psync_bed_send(&bed, &view, 100);
	memset(&other, 0, sizeof(other));
	assert_int_equal(psync_image_join(&bed.img, &other, 2, 1, 7, 0), 0);
	assert_int_not_equal(other.unread, 0);
	/* Nothing of its sender is kept: one is taken whatever others do. */
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_IMAGE_FULL);
	psync_bed_leave(&bed, &other);
	assert_int_equal(other.unread, 0);
	psync_bed_drain(&view);
	psync_room_close(&bed, &view);
}

/* For whose memory nobody pays is refused, but what frees memory. */
static void psync_room_test_poor(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	size_t live;

	psync_room_open(&bed, &view, 0);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	live = bed.live;
	bed.poor = true;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_IMAGE_FULL);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 1),
			 PSYNC_DROP_HELD_FULL);
	assert_int_equal(bed.live, live);
	bed.poor = false;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 1), PSYNC_OK);
	bed.poor = true;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_NULL, 0), PSYNC_OK);
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_END, 0), PSYNC_OK);
	assert_int_equal(psync_bed_drain(&view), 3);
	psync_room_close(&bed, &view);
}

/* Early packets, too. */
static void psync_room_test_early(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	size_t live;

	psync_room_open(&bed, &view, 5);
	bed.poor = true;
	live = bed.live;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(bed.live, live);
	bed.poor = false;
	assert_int_equal(psync_room_msg(&bed, PSYNC_KIND_DATA, 0), PSYNC_OK);
	assert_int_equal(bed.img.nearly, 1);
	psync_room_close(&bed, &view);
}

const struct CMUnitTest psync_room_tests[] = {
	cmocka_unit_test(psync_room_test_unread),
	cmocka_unit_test(psync_room_test_poor),
	cmocka_unit_test(psync_room_test_early),
};

const size_t psync_room_ntests = ARRAY_SIZE(psync_room_tests);
