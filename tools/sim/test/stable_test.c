// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for n-stability (S2.2). */
#include "bed.h"

#define A1	PSYNC_MID(0, 1)
#define B1	PSYNC_MID(1, 1)

/* Participants 0 and 3 at site 1, 1 at site 2, 2 at site 3. */
static const u32 psync_stable_sites[] = { 1, 2, 3, 1 };

static void psync_stable_open(struct psync_bed *bed, struct psync_view *view)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	psync_bed_params(&p, pids, psync_stable_sites, 4, 0);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 7, 0), 0);
}

static void psync_stable_close(struct psync_bed *bed, struct psync_view *view)
{
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
	assert_int_equal(psync_bed_bodies, 0);
}

static struct psync_watch psync_stable_of(u64 mid, u32 participants, u32 sites)
{
	return (struct psync_watch){
		.mid = mid, .participants = participants, .sites = sites,
	};
}

/* A message by hand of some kind, which has no body unless it is data. */
static enum psync_drop psync_stable_msg(struct psync_bed *bed, u8 kind,
					u32 sender, u32 wave, u64 pred)
{
	struct psync_wire_mid wire[PSYNC_PREDS_LIST];
	struct psync_pkt pkt;

	psync_bed_craft(bed, sender, bed->img.parts[sender].seq + 1, wave, 1,
			&pred, wire, &pkt);
	pkt.msg.kind = kind;
	if (kind != PSYNC_KIND_DATA)
		pkt.body_len = 0;
	return psync_bed_input(bed, &pkt, bed->img.now);
}

/* Told once each, at the message that makes it so, received or not. */
static void psync_stable_test_told(void **state)
{
	struct psync_watch one, two, three, all;
	struct psync_view view;
	struct psync_bed bed;
	u32 others, sites;

	psync_stable_open(&bed, &view);
	one = psync_stable_of(A1, 1, 0);
	assert_int_equal(psync_stable_watch(&view, &one), PSYNC_EUNKNOWN);
	assert_int_equal(psync_stable_count(&view, A1, &others, &sites),
			 PSYNC_EUNKNOWN);
	assert_int_equal(psync_stable_count(&view, PSYNC_MID(9, 1), &others,
					    &sites), PSYNC_EUNKNOWN);
	psync_bed_send(&bed, &view, 10);
	two = psync_stable_of(A1, 2, 0);
	three = psync_stable_of(A1, 1, 3);
	all = psync_stable_of(A1, 0, 0);
	assert_int_equal(psync_stable_watch(&view, &one), 0);
	assert_int_equal(psync_stable_watch(&view, &two), 0);
	assert_int_equal(psync_stable_watch(&view, &three), 0);
	assert_int_equal(psync_stable_watch(&view, &all), 0);
	assert_int_equal(psync_stable_msg(&bed, PSYNC_KIND_DATA, 1, 2, A1),
			 PSYNC_OK);
	assert_int_equal(one.answer, 1);
	assert_int_equal(two.answer, 0);
	assert_int_equal(bed.stable, 1);
	/* Nobody received it, so the view does not say so yet. */
	assert_int_equal(psync_view_stable(&view, A1, &others, &sites), 0);
	assert_int_equal(others, 0);
	assert_int_equal(psync_stable_count(&view, A1, &others, &sites), 0);
	assert_int_equal(others, 1);
	assert_int_equal(sites, 2);
	/* Another one of the same sender says nothing new. */
	assert_int_equal(psync_stable_msg(&bed, PSYNC_KIND_DATA, 1, 3, B1),
			 PSYNC_OK);
	assert_int_equal(bed.stable, 1);
	assert_int_equal(psync_stable_msg(&bed, PSYNC_KIND_NULL, 2, 3, B1),
			 PSYNC_OK);
	assert_int_equal(two.answer, 1);
	assert_int_equal(three.answer, 1);
	assert_int_equal(all.answer, 0);
	assert_int_equal(bed.stable, 3);
	/* What is so already needs no telling. */
	two = psync_stable_of(A1, 2, 0);
	assert_int_equal(psync_stable_watch(&view, &two), 1);
	assert_int_equal(bed.stable, 3);
	psync_stable_unwatch(&two);
	psync_stable_unwatch(&all);
	psync_stable_unwatch(&all);
	psync_bed_drain(&view);
	psync_stable_close(&bed, &view);
}

/* Who has closed is not waited for, and cannot make it so any more. */
static void psync_stable_test_never(void **state)
{
	struct psync_watch all, two, three;
	struct psync_view view, other;
	struct psync_bed bed;
	struct psync_pkt pkt;

	psync_stable_open(&bed, &view);
	memset(&other, 0, sizeof(other));
	assert_int_equal(psync_image_join(&bed.img, &other, 3, 1, 7, 0), 0);
	psync_bed_send(&bed, &view, 10);
	assert_int_equal(psync_bed_receive(&other), A1);
	psync_bed_send(&bed, &other, 10);
	all = psync_stable_of(A1, 0, 0);
	two = psync_stable_of(A1, 2, 0);
	three = psync_stable_of(A1, 3, 0);
	assert_int_equal(psync_stable_watch(&view, &all), 0);
	assert_int_equal(psync_stable_watch(&view, &two), 0);
	assert_int_equal(psync_stable_watch(&view, &three), 0);
	/* One ends without it. */
	psync_bed_craft(&bed, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.msg.kind = PSYNC_KIND_END;
	pkt.body_len = 0;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(bed.stable, 0);
	assert_int_equal(psync_stable_msg(&bed, PSYNC_KIND_END, 2, 2, A1),
			 PSYNC_OK);
	assert_int_equal(all.answer, 1);
	assert_int_equal(two.answer, 1);
	assert_int_equal(three.answer, PSYNC_ENEVER);
	assert_int_equal(bed.stable, 3);
	assert_int_equal(psync_stable_watch(&view, &three), PSYNC_ENEVER);
	psync_bed_drain(&view);
	psync_bed_drain(&other);
	psync_bed_leave(&bed, &other);
	psync_stable_close(&bed, &view);
}

/* How many there can be. */
static void psync_stable_test_possible(void **state)
{
	struct psync_view view;
	struct psync_bed bed;

	psync_stable_open(&bed, &view);
	assert_true(psync_stable_possible(&bed.img, 0, 0));
	assert_true(psync_stable_possible(&bed.img, 3, 3));
	assert_false(psync_stable_possible(&bed.img, 4, 0));
	assert_false(psync_stable_possible(&bed.img, 0, 4));
	psync_stable_close(&bed, &view);
}

const struct CMUnitTest psync_stable_tests[] = {
	cmocka_unit_test(psync_stable_test_told),
	cmocka_unit_test(psync_stable_test_never),
	cmocka_unit_test(psync_stable_test_possible),
};

const size_t psync_stable_ntests = ARRAY_SIZE(psync_stable_tests);
