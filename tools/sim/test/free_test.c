// SPDX-License-Identifier: GPL-2.0-only
/* free_node (P 3.3; S2.4). */
#include "bed.h"

#define A1	PSYNC_MID(0, 1)
#define A2	PSYNC_MID(0, 2)
#define B1	PSYNC_MID(1, 1)
#define B2	PSYNC_MID(1, 2)
#define C1	PSYNC_MID(2, 1)
#define C2	PSYNC_MID(2, 2)

/* Participants 0 and 3 at site 1, 1 at site 2, 2 at site 3. */
static const u32 psync_free_sites[] = { 1, 2, 3, 1 };

static void psync_free_open(struct psync_bed *bed, struct psync_view *view,
			    u32 n)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	psync_bed_params(&p, pids, psync_free_sites, n, 0);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, 0, 1, 7, 0), 0);
}

static void psync_free_close(struct psync_bed *bed, struct psync_view *view)
{
	psync_bed_leave(bed, view);
	psync_bed_exit(bed);
	assert_int_equal(psync_bed_bodies, 0);
}

static int psync_free(struct psync_view *view, u64 mid)
{
	return psync_view_free(view, mid, view->img->now);
}

/* a1, b1 and c1 concurrent after it; a2 after both, b2 after a2. */
static void psync_free_grow(struct psync_bed *bed, struct psync_view *view)
{
	u64 a1 = A1, a2 = A2;

	assert_int_equal(psync_bed_send(bed, view, 10), A1);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 2, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_bed_drain(view), 2);
	assert_int_equal(psync_bed_send(bed, view, 10), A2);
	assert_int_equal(psync_bed_msg(bed, 1, 2, 4, 1, &a2), PSYNC_OK);
	assert_int_equal(psync_bed_drain(view), 1);
}

/* Only what is stable is freed, with all before it and nothing beside it. */
static void psync_free_test_stable(void **state)
{
	u64 b2 = B2, got[4];
	struct psync_view view;
	struct psync_bed bed;
	u32 participants, sites;
	const struct psync_node *node;

	psync_free_open(&bed, &view, 3);
	assert_int_equal(psync_free(&view, A1), PSYNC_EUNKNOWN);
	assert_int_equal(psync_bed_send(&bed, &view, 10), A1);
	assert_int_equal(psync_free(&view, A1), PSYNC_EWANTED);
	assert_int_equal(psync_free(&view, PSYNC_MID(5, 1)), PSYNC_EUNKNOWN);
	psync_free_close(&bed, &view);

	psync_free_open(&bed, &view, 3);
	psync_free_grow(&bed, &view);
	assert_int_equal(bed.img.nnodes, 5);
	/* c has said nothing after b1, nor anybody but b after c1. */
	assert_int_equal(psync_free(&view, B1), PSYNC_EWANTED);
	assert_int_equal(psync_free(&view, C1), 0);
	assert_int_equal(bed.img.nnodes, 3);
	assert_int_equal(psync_free(&view, C1), PSYNC_EFREED);
	assert_int_equal(psync_free(&view, A1), PSYNC_EFREED);
	assert_int_equal(psync_view_find(&view, A1, &node), PSYNC_EFREED);
	assert_int_equal(psync_view_find(&view, B1, &node), 0);
	assert_int_equal(psync_view_stable(&view, A1, &participants, &sites),
			 1);
	assert_int_equal(psync_view_step(&view, B1, false, got, 4), 1);
	assert_int_equal(got[0], A1);
	assert_int_equal(psync_view_step(&view, B1, true, got, 4), 1);
	assert_int_equal(got[0], A2);
	assert_int_equal(psync_view_mids(&view, 0, got, 4), 3);
	/* c after b2: now all is stable but that. */
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 5, 1, &b2), PSYNC_OK);
	assert_int_equal(psync_free(&view, A2), PSYNC_EWANTED);
	assert_int_equal(psync_bed_receive(&view), C2);
	assert_int_equal(psync_free(&view, A2), 0);
	assert_int_equal(psync_view_mids(&view, 0, got, 4), 2);
	assert_int_equal(got[0], B2);
	assert_int_equal(got[1], C2);
	assert_int_equal(psync_view_leaves(&view, got, 4), 1);
	assert_int_equal(got[0], C2);
	assert_int_equal(psync_free(&view, C2), PSYNC_EWANTED);
	psync_free_close(&bed, &view);
}

/* Not while another participant here has yet to receive it. */
static void psync_free_test_wanted(void **state)
{
	u64 a1 = A1, b1 = B1;
	struct psync_view view, other;
	struct psync_bed bed;

	psync_free_open(&bed, &view, 4);
	memset(&other, 0, sizeof(other));
	assert_int_equal(psync_image_join(&bed.img, &other, 3, 1, 7, 0), 0);
	assert_int_equal(psync_bed_send(&bed, &view, 10), A1);
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 3, 1, &b1), PSYNC_OK);
	assert_int_equal(psync_bed_drain(&view), 2);
	assert_int_equal(psync_free(&view, A1), PSYNC_EWANTED);
	assert_int_equal(psync_bed_receive(&other), A1);
	psync_bed_send(&bed, &other, 10);
	/* Each goes by its own view. */
	assert_int_equal(psync_free(&other, A1), PSYNC_EWANTED);
	assert_int_equal(psync_free(&view, A1), PSYNC_EWANTED);
	psync_bed_drain(&view);
	assert_int_equal(psync_free(&view, A1), 0);
	assert_int_equal(psync_free(&other, A1), PSYNC_EFREED);
	/* b1 has everybody's answer but that of the other one here. */
	assert_int_equal(psync_free(&view, B1), PSYNC_EWANTED);
	psync_bed_drain(&other);
	psync_bed_leave(&bed, &other);
	psync_free_close(&bed, &view);
}

/* Stable, and yet a site may lack it: the kernel goes by what it knows. */
static void psync_free_test_unheld(void **state)
{
	u64 a1 = A1, b1 = B1;
	struct psync_view view;
	struct psync_bed bed;

	psync_free_open(&bed, &view, 3);
	assert_int_equal(psync_bed_send(&bed, &view, 10), A1);
	/* There is no memory for the vectors that would say who holds it. */
	assert_int_equal(psync_bed_msg(&bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	bed.fail_from = bed.allocs + 2;
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 3, 1, &b1), PSYNC_OK);
	bed.fail_from = 0;
	assert_int_equal(psync_bed_drain(&view), 2);
	assert_int_equal(psync_free(&view, A1), PSYNC_EWANTED);
	assert_int_equal(bed.img.nnodes, 3);
	psync_bed_held(&bed);
	assert_int_equal(psync_free(&view, A1), 0);
	assert_int_equal(bed.img.nnodes, 2);
	psync_free_close(&bed, &view);
}

/* What comes after goes on, and the threshold with what is left. */
static void psync_free_test_after(void **state)
{
	u64 preds[2];
	struct psync_view view, late;
	struct psync_bed bed;
	u32 i;

	psync_free_open(&bed, &view, 4);
	bed.img.p.limits.max_nodes = 6;
	psync_free_grow(&bed, &view);
	memset(&late, 0, sizeof(late));
	assert_int_equal(psync_image_join(&bed.img, &late, 3, 1, 8, 0), 0);
	assert_int_equal(psync_free(&view, C1), PSYNC_EWANTED);
	psync_bed_drain(&late);
	psync_bed_send(&bed, &late, 10);
	psync_bed_drain(&view);
	assert_int_equal(psync_free(&view, C1), 0);
	assert_int_equal(bed.img.nnodes, 4);
	/* A freed predecessor beside one that is kept. */
	preds[0] = B1;
	preds[1] = C1;
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 3, 2, preds), PSYNC_OK);
	for (i = 3; i < 9; i++) {
		preds[0] = PSYNC_MID(2, i - 1);
		assert_int_equal(psync_bed_msg(&bed, 2, i, i + 1, 1, preds),
				 PSYNC_OK);
	}
	psync_bed_drain(&view);
	psync_bed_drain(&late);
	psync_bed_held(&bed);
	assert_int_equal(bed.img.nnodes, 6);
	psync_bed_leave(&bed, &late);
	psync_free_close(&bed, &view);
}

/* The history keeps nothing of what a participant has freed. */
static void psync_free_test_history(void **state)
{
	struct psync_view view;
	struct psync_bed bed;
	u64 kept;

	psync_free_open(&bed, &view, 3);
	psync_image_history(&bed.img, 1 << 20);
	psync_free_grow(&bed, &view);
	psync_bed_held(&bed);
	psync_bed_forget(&bed);
	kept = bed.img.history_bytes;
	assert_int_equal(kept, bed.img.body_bytes);
	assert_int_equal(bed.img.nuntaken, 0);
	assert_int_equal(psync_bed_bodies, 5);
	assert_int_equal(psync_free(&view, C1), 0);
	assert_int_equal(bed.img.nnodes, 3);
	assert_int_equal(psync_bed_bodies, 3);
	assert_true(bed.img.history_bytes < kept);
	assert_int_equal(bed.img.history_bytes, bed.img.body_bytes);
	assert_int_equal(bed.img.nuntaken, 0);
	psync_free_close(&bed, &view);
}

const struct CMUnitTest psync_free_tests[] = {
	cmocka_unit_test(psync_free_test_stable),
	cmocka_unit_test(psync_free_test_wanted),
	cmocka_unit_test(psync_free_test_unheld),
	cmocka_unit_test(psync_free_test_after),
	cmocka_unit_test(psync_free_test_history),
};

const size_t psync_free_ntests = ARRAY_SIZE(psync_free_tests);
