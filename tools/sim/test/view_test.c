// SPDX-License-Identifier: GPL-2.0-only
/* Views and queries: the paper's examples, freeing, many participants. */
#include "bed.h"

#define PSYNC_VIEW_SITES	5

/**
 * struct psync_view_lab - one participant per site, all open
 * @beds: the sites
 * @views: the participants
 * @all: pointers to @beds
 * @n: how many
 */
struct psync_view_lab {
	struct psync_bed	beds[PSYNC_VIEW_SITES];
	struct psync_view	views[PSYNC_VIEW_SITES];
	struct psync_bed	*all[PSYNC_VIEW_SITES];
	u32			n;
};

static const u32 psync_view_sites[] = { 1, 2, 3, 4, 5 };

static void psync_view_open(struct psync_view_lab *lab, u32 n, u64 base,
			    u32 max_nodes)
{
	struct psync_pid pids[PSYNC_VIEW_SITES];
	struct psync_image_params p;
	u32 i;

	memset(lab, 0, sizeof(*lab));
	lab->n = n;
	psync_bed_params(&p, pids, psync_view_sites, n, 0);
	p.seq_base = base;
	p.limits.max_nodes = max_nodes;
	for (i = 0; i < n; i++) {
		lab->all[i] = &lab->beds[i];
		assert_int_equal(psync_bed_init(&lab->beds[i], &p, 1 + i), 0);
		assert_int_equal(psync_image_join(&lab->beds[i].img,
						  &lab->views[i], i, 1, 1, 0),
				 0);
	}
}

static void psync_view_close(struct psync_view_lab *lab)
{
	u32 i;

	for (i = 0; i < lab->n; i++) {
		psync_bed_leave(&lab->beds[i], &lab->views[i]);
		psync_bed_exit(&lab->beds[i]);
	}
	assert_int_equal(psync_bed_bodies, 0);
}

static u64 psync_view_tell(struct psync_view_lab *lab, u32 i)
{
	return psync_bed_tell(&lab->beds[i], &lab->views[i], lab->all, lab->n);
}

static void psync_view_expect(const u64 *mids, int count, int n, ...)
{
	va_list ap;
	int i;

	assert_int_equal(count, n);
	va_start(ap, n);
	for (i = 0; i < n; i++)
		assert_int_equal(mids[i], va_arg(ap, u64));
	va_end(ap);
}

#define ROOTS(v, ...) psync_view_expect(got, \
	psync_view_roots(v, got, 8), __VA_ARGS__)
#define LEAVES(v, ...) psync_view_expect(got, \
	psync_view_leaves(v, got, 8), __VA_ARGS__)
#define NEXT(v, m, ...) psync_view_expect(got, \
	psync_view_step(v, m, true, got, 8), __VA_ARGS__)
#define PREV(v, m, ...) psync_view_expect(got, \
	psync_view_step(v, m, false, got, 8), __VA_ARGS__)
#define MIDS(v, m, ...) psync_view_expect(got, \
	psync_view_mids(v, m, got, 8), __VA_ARGS__)

/* P figure 1: m2 and m3 after m1, m4 after m3, m5 after all. */
static void psync_view_test_figure_1(void **state)
{
	u64 m1, m2, m3, m4, m5, got[8];
	struct psync_view_lab lab;
	struct psync_view *v;

	psync_view_open(&lab, 5, 0, 100);
	m1 = psync_view_tell(&lab, 0);
	assert_int_equal(psync_bed_receive(&lab.views[1]), m1);
	assert_int_equal(psync_bed_receive(&lab.views[2]), m1);
	m3 = psync_view_tell(&lab, 2);
	assert_int_equal(psync_bed_receive(&lab.views[3]), m1);
	assert_int_equal(psync_bed_receive(&lab.views[3]), m3);
	/* At the time m4 is sent, m2 is outstanding there. */
	m2 = psync_view_tell(&lab, 1);
	assert_int_equal(lab.views[3].outstanding, 1);
	m4 = psync_view_tell(&lab, 3);
	v = &lab.views[4];
	assert_int_equal(psync_bed_receive(v), m1);
	assert_int_equal(psync_bed_receive(v), m3);
	NEXT(v, m1, 1, m3);
	LEAVES(v, 1, m3);
	assert_int_equal(psync_bed_drain(v), 2);
	LEAVES(v, 2, m2, m4);
	m5 = psync_view_tell(&lab, 4);

	ROOTS(v, 1, m1);
	LEAVES(v, 1, m5);
	NEXT(v, m1, 2, m2, m3);
	NEXT(v, m2, 1, m5);
	NEXT(v, m3, 1, m4);
	NEXT(v, m4, 1, m5);
	NEXT(v, m5, 0);
	PREV(v, m1, 0);
	PREV(v, m2, 1, m1);
	PREV(v, m3, 1, m1);
	PREV(v, m4, 1, m3);
	PREV(v, m5, 2, m2, m4);
	assert_int_equal(psync_view_precedes(v, m1, m5), 1);
	assert_int_equal(psync_view_precedes(v, m3, m4), 1);
	assert_int_equal(psync_view_precedes(v, m4, m3), 0);
	assert_int_equal(psync_view_precedes(v, m2, m3), 0);
	assert_int_equal(psync_view_precedes(v, m3, m2), 0);
	assert_int_equal(psync_view_precedes(v, m2, m4), 0);
	assert_int_equal(psync_view_precedes(v, m1, m1), 0);
	MIDS(v, 0, 5, m1, m3, m2, m4, m5);
	MIDS(v, m2, 2, m4, m5);
	/* Another's view: its own message at once, the rest outstanding. */
	v = &lab.views[3];
	assert_int_equal(v->outstanding, 2);
	MIDS(v, 0, 3, m1, m3, m4);
	assert_int_equal(psync_view_precedes(v, m1, m5), PSYNC_EUNKNOWN);
	NEXT(v, m4, 0);
	assert_int_equal(psync_view_step(v, m2, true, got, 8), PSYNC_EUNKNOWN);
	psync_bed_drain(v);
	NEXT(v, m4, 1, m5);
	psync_view_close(&lab);
}

static u32 psync_view_stables(const struct psync_view *v, const u64 *mids,
			      u32 n)
{
	u32 participants, sites, set = 0;
	u32 i;

	for (i = 0; i < n; i++)
		if (psync_view_stable(v, mids[i], &participants, &sites) == 1)
			set |= 1 << i;
	return set;
}

/* P figure 2: a1, b1 and c1 are stable, a2 and a3 are not. */
static void psync_view_test_figure_2(void **state)
{
	u32 i, participants, sites;
	struct psync_view_lab lab;
	u64 a1, b1, c1, a2, b2, c2, a3, got[8];
	struct psync_view *v;

	psync_view_open(&lab, 3, 0, 100);
	v = &lab.views[0];
	a1 = psync_view_tell(&lab, 0);
	psync_bed_drain(&lab.views[1]);
	psync_bed_drain(&lab.views[2]);
	b1 = psync_view_tell(&lab, 1);
	c1 = psync_view_tell(&lab, 2);
	/* Stability is the view's: nobody has received b1 and c1 yet. */
	assert_int_equal(psync_view_stable(v, a1, &participants, &sites), 0);
	assert_int_equal(participants, 0);
	assert_int_equal(sites, 1);
	for (i = 0; i < 3; i++)
		psync_bed_drain(&lab.views[i]);
	a2 = psync_view_tell(&lab, 0);
	b2 = psync_view_tell(&lab, 1);
	c2 = psync_view_tell(&lab, 2);
	a3 = psync_view_tell(&lab, 0);
	for (i = 0; i < 3; i++)
		psync_bed_drain(&lab.views[i]);
	for (i = 0; i < 3; i++) {
		const u64 mids[] = { a1, b1, c1, a2, b2, c2, a3 };

		assert_int_equal(psync_view_stables(&lab.views[i], mids, 7),
				 0x07);
	}
	assert_int_equal(psync_view_stable(v, a2, &participants, &sites), 0);
	assert_int_equal(participants, 0);
	assert_int_equal(sites, 1);
	assert_int_equal(psync_view_stable(v, c1, &participants, &sites), 1);
	assert_int_equal(participants, 2);
	assert_int_equal(sites, 3);
	LEAVES(v, 3, a3, b2, c2);
	PREV(v, a2, 2, b1, c1);
	PREV(v, a3, 1, a2);
	NEXT(v, b1, 3, a2, b2, c2);
	psync_view_close(&lab);
}

static void psync_view_test_unknown(void **state)
{
	struct psync_view_lab lab;
	u32 participants, sites;
	struct psync_view *v;
	u64 m, got[8];
	u32 i;

	psync_view_open(&lab, 2, 0, 100);
	v = &lab.views[0];
	m = psync_view_tell(&lab, 1);
	for (i = 0; i < 2; i++) {
		/* Outstanding, no such participant, zero, number zero. */
		const u64 bad[] = { PSYNC_MID(1, 1 + i), PSYNC_MID(2, 1), 0,
				    PSYNC_MID(1, 0), PSYNC_MID(0xffff, 1),
				    PSYNC_MID(0, (1ULL << 48) - 1) };
		u32 k;

		for (k = 0; k < ARRAY_SIZE(bad); k++) {
			const struct psync_node *node;

			assert_int_equal(psync_view_find(v, bad[k], &node),
					 PSYNC_EUNKNOWN);
			assert_int_equal(psync_view_step(v, bad[k], true, got,
							 8), PSYNC_EUNKNOWN);
			assert_int_equal(psync_view_stable(v, bad[k],
							   &participants,
							   &sites),
					 PSYNC_EUNKNOWN);
			if (bad[k])
				assert_int_equal(psync_view_mids(v, bad[k],
								 got, 8),
						 PSYNC_EUNKNOWN);
		}
		if (!i)
			assert_int_equal(psync_bed_receive(v), m);
	}
	assert_int_equal(psync_view_precedes(v, m, PSYNC_MID(1, 2)),
			 PSYNC_EUNKNOWN);
	/* Too little room: the count is still the truth. */
	m = psync_view_tell(&lab, 0);
	got[0] = 0;
	assert_int_equal(psync_view_mids(v, 0, got, 0), 2);
	assert_int_equal(got[0], 0);
	assert_int_equal(psync_view_mids(v, 0, got, 1), 2);
	assert_int_equal(got[0], PSYNC_MID(1, 1));
	psync_view_close(&lab);
}

/* Depth 4: what all took is freed in attach order; stability remains. */
static void psync_view_test_freed(void **state)
{
	struct psync_view_lab lab;
	u32 participants, sites;
	u64 mids[20], got[8];
	u32 i, who;

	psync_view_open(&lab, 3, 0, 4);
	for (i = 0; i < 20; i++) {
		who = i % 3;
		psync_bed_drain(&lab.views[who]);
		mids[i] = psync_view_tell(&lab, who);
		assert_int_equal(lab.views[who].max_wave, i + 1);
	}
	/* The first participant has not taken the 20th. */
	assert_int_equal(lab.views[0].outstanding, 1);
	assert_int_equal(lab.beds[0].img.nnodes, 4);
	psync_bed_drain(&lab.views[0]);
	assert_int_equal(lab.beds[0].img.nnodes, 4);
	assert_int_equal(lab.beds[0].img.attached, 20);
	for (i = 0; i < 20; i++) {
		assert_int_equal(psync_view_step(&lab.views[0], mids[i], true,
						 got, 8),
				 i < 16 ? PSYNC_EFREED : i < 19 ? 1 : 0);
		assert_int_equal(psync_view_precedes(&lab.views[0], mids[i],
						     mids[19]),
				 i < 16 ? PSYNC_EFREED : i < 19);
		assert_int_equal(psync_view_stable(&lab.views[0], mids[i],
						   &participants, &sites),
				 i < 18);
	}
	assert_int_equal(psync_view_mids(&lab.views[0], mids[3], got, 8),
			 PSYNC_EFREED);
	MIDS(&lab.views[0], 0, 4, mids[16], mids[17], mids[18], mids[19]);
	PREV(&lab.views[0], mids[16], 1, mids[15]);
	ROOTS(&lab.views[0], 1, mids[0]);
	psync_view_close(&lab);
}

/* One who does not receive holds back freeing, then all goes at once. */
static void psync_view_test_slow(void **state)
{
	struct psync_view_lab lab;
	u32 i;

	psync_view_open(&lab, 2, 0, 3);
	for (i = 0; i < 10; i++)
		psync_view_tell(&lab, 0);
	/* Here all was taken, but who knows whether the other has it. */
	assert_int_equal(lab.beds[0].img.nnodes, 10);
	assert_int_equal(lab.beds[0].img.body_bytes, 1000);
	assert_int_equal(psync_bed_ack(&lab.beds[0], &lab.beds[1], 0), 0);
	assert_int_equal(lab.beds[0].img.nnodes, 3);
	assert_int_equal(lab.beds[0].img.body_bytes, 0);
	assert_int_equal(lab.beds[1].img.nnodes, 10);
	assert_int_equal(lab.beds[1].img.body_bytes, 1000);
	assert_int_equal(lab.beds[1].readable, 1);
	for (i = 0; i < 10; i++) {
		assert_int_equal(psync_bed_receive(&lab.views[1]),
				 PSYNC_MID(0, i + 1));
		assert_int_equal(lab.beds[1].img.nnodes, max(3U, 9 - i));
		assert_int_equal(lab.beds[1].img.body_bytes, 900 - 100 * i);
	}
	psync_view_tell(&lab, 0);
	assert_int_equal(lab.beds[1].readable, 2);
	psync_view_close(&lab);
}

/*
 * A freed predecessor: only its own entry is known then, the message is
 * attached and checked as far as that goes.
 */
static void psync_view_test_freed_pred(void **state)
{
	struct psync_view_lab lab;
	u32 participants, sites;
	u64 preds[2];
	u32 i;

	psync_view_open(&lab, 3, 0, 2);
	for (i = 0; i < 8; i++) {
		psync_view_tell(&lab, 0);
		psync_bed_drain(&lab.views[2]);
		psync_bed_held(&lab.beds[2]);
	}
	assert_int_equal(lab.beds[2].img.nnodes, 2);
	/* b1 in the context of a2, which is freed at c's site. */
	preds[0] = PSYNC_MID(0, 2);
	assert_int_equal(psync_bed_msg(&lab.beds[2], 1, 1, 10, 1, preds),
			 PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bed_msg(&lab.beds[2], 1, 1, 3, 1, preds),
			 PSYNC_OK);
	psync_bed_drain(&lab.views[2]);
	assert_int_equal(psync_view_stable(&lab.views[2], PSYNC_MID(0, 2),
					   &participants, &sites), 0);
	assert_int_equal(participants, 1);
	assert_int_equal(psync_view_stable(&lab.views[2], PSYNC_MID(0, 3),
					   &participants, &sites), 0);
	assert_int_equal(participants, 0);
	/* b2 after a1 alone: it is in the context of b1, known even so. */
	preds[0] = PSYNC_MID(0, 1);
	preds[1] = PSYNC_MID(1, 1);
	assert_int_equal(psync_bed_msg(&lab.beds[2], 1, 2, 4, 1, preds),
			 PSYNC_DROP_BAD_CONTEXT);
	/* A wave below a known predecessor's. */
	preds[0] = PSYNC_MID(0, 7);
	assert_int_equal(psync_bed_msg(&lab.beds[2], 1, 2, 4, 2, preds),
			 PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bed_msg(&lab.beds[2], 1, 2, 8, 2, preds),
			 PSYNC_OK);
	psync_view_close(&lab);
}

/*
 * Of a freed predecessor only the entry is known: what its sender had before
 * is not forgotten for that, and what was stable stays so.
 */
static void psync_view_test_freed_kept(void **state)
{
	u64 b1 = PSYNC_MID(1, 1), d1 = PSYNC_MID(3, 1), preds[2];
	struct psync_view_lab lab;
	u32 participants, sites;
	struct psync_bed *bed;
	struct psync_view *v;
	u64 a1 = PSYNC_MID(0, 1);
	u32 i;

	psync_view_open(&lab, 4, 0, 2);
	bed = &lab.beds[2];
	v = &lab.views[2];
	/* a1, b1 after it, d1 after b1, then d2 to d5. */
	assert_int_equal(psync_bed_msg(bed, 0, 1, 1, 0, NULL), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 1, 1, 2, 1, &a1), PSYNC_OK);
	assert_int_equal(psync_bed_msg(bed, 3, 1, 3, 1, &b1), PSYNC_OK);
	for (i = 2; i < 6; i++) {
		preds[0] = PSYNC_MID(3, i - 1);
		assert_int_equal(psync_bed_msg(bed, 3, i, i + 2, 1, preds),
				 PSYNC_OK);
	}
	psync_bed_drain(v);
	/* a1 is held by b's site and by d's, which sent in its context. */
	assert_int_equal(bed->img.nnodes, 6);
	psync_bed_held(bed);
	assert_int_equal(bed->img.nnodes, 2);
	psync_view_stable(v, a1, &participants, &sites);
	assert_int_equal(participants, 2);
	/* b2 after d1: a1 is in its context as it was in that of b1. */
	assert_int_equal(psync_bed_msg(bed, 1, 2, 4, 1, &d1), PSYNC_OK);
	psync_bed_drain(v);
	psync_view_stable(v, a1, &participants, &sites);
	assert_int_equal(participants, 2);
	psync_view_stable(v, d1, &participants, &sites);
	assert_int_equal(participants, 1);
	/* a2 after d2, which is freed, and b2: above b2's wave at least. */
	preds[0] = PSYNC_MID(1, 2);
	preds[1] = PSYNC_MID(3, 2);
	assert_int_equal(psync_bed_msg(bed, 0, 2, 4, 2, preds),
			 PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bed_msg(bed, 0, 2, 9, 2, preds),
			 PSYNC_DROP_BAD_WAVE);
	assert_int_equal(psync_bed_msg(bed, 0, 2, 5, 2, preds), PSYNC_OK);
	psync_view_close(&lab);
}

/* Numbers that pass 2^32 on the way, with 32 bits on the wire. */
static void psync_view_test_wrap(void **state)
{
	u64 base = (1ULL << 32) - 3;
	struct psync_view_lab lab;
	u64 mid, got[8];
	u32 i;

	psync_view_open(&lab, 3, base, 5);
	for (i = 0; i < 30; i++) {
		mid = psync_view_tell(&lab, i % 2);
		assert_int_equal(PSYNC_MID_SEQ(mid), base + 1 + i / 2);
		psync_bed_drain(&lab.views[(i + 1) % 2]);
		psync_bed_drain(&lab.views[2]);
		psync_bed_held(&lab.beds[2]);
	}
	ROOTS(&lab.views[2], 1, PSYNC_MID(0, base + 1));
	LEAVES(&lab.views[2], 1, PSYNC_MID(1, base + 15));
	PREV(&lab.views[2], PSYNC_MID(1, base + 15), 1,
	     PSYNC_MID(0, base + 15));
	psync_view_close(&lab);
}

/* A list of 9 becomes a stamp; both ends agree on it. */
static void psync_view_test_stamp(void **state)
{
	u32 sites[11] = { 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3 };
	struct psync_bed one, two, three, *to[2] = { &one, &three };
	struct psync_view v1 = {}, v3 = {}, v2[9] = {};
	struct psync_bed_packet packet;
	struct psync_pid pids[11];
	struct psync_image_params p;
	const struct psync_node *a, *b;
	struct psync_pkt pkt;
	u32 i;
	u64 m;

	psync_bed_params(&p, pids, sites, 11, 0);
	p.seq_base = U32_MAX - 1;
	psync_bed_init(&one, &p, 1);
	psync_bed_init(&two, &p, 2);
	psync_bed_init(&three, &p, 3);
	psync_image_join(&one.img, &v1, 0, 1, 1, 0);
	psync_image_join(&three.img, &v3, 10, 1, 1, 0);
	for (i = 0; i < 9; i++)
		psync_image_join(&two.img, &v2[i], 1 + i, 1, 1, 0);
	for (i = 0; i < 9; i++)
		psync_bed_tell(&two, &v2[i], to, 2);
	psync_bed_drain(&v3);
	assert_int_equal(psync_bed_drain(&v1), 9);
	assert_int_equal(v1.nleaves, 9);
	m = psync_bed_send(&one, &v1, 100);
	packet = psync_bed_pop(&one);
	assert_int_equal(psync_wire_decode(packet.data, packet.len,
					   packet.len + 100, &pkt), PSYNC_OK);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_STAMP | PSYNC_MSGF_ASK);
	assert_int_equal(pkt.msg.npred, 9);
	assert_int_equal(psync_bed_give(&three, &packet, 0), PSYNC_OK);
	psync_bed_packet_free(&packet);
	assert_int_equal(psync_bed_receive(&v3), m);
	assert_int_equal(psync_view_find(&v1, m, &a), 0);
	assert_int_equal(psync_view_find(&v3, m, &b), 0);
	assert_memory_equal(a->stamp, b->stamp, 11 * sizeof(u64));
	assert_memory_equal(a->preds, b->preds, 9 * sizeof(u64));
	assert_int_equal(v3.nleaves, 1);
	psync_bed_leave(&one, &v1);
	psync_bed_leave(&three, &v3);
	for (i = 0; i < 9; i++)
		psync_bed_leave(&two, &v2[i]);
	psync_bed_exit(&one);
	psync_bed_exit(&two);
	psync_bed_exit(&three);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The answers about one message after all others' first ones. */
static void psync_view_check_thousand(const struct psync_view *view, u64 m,
				      u32 n)
{
	static u64 got[PSYNC_PARTICIPANTS_LIM];
	u32 i, participants, sites;

	assert_int_equal(psync_view_leaves(view, got, n), 1);
	assert_int_equal(got[0], m);
	assert_int_equal(psync_view_step(view, m, false, got, n), n - 1);
	for (i = 1; i < n; i++) {
		assert_int_equal(got[i - 1], PSYNC_MID(i, 1));
		assert_int_equal(psync_view_precedes(view, PSYNC_MID(i, 1), m),
				 1);
	}
	assert_int_equal(psync_view_roots(view, got, n), n - 1);
	assert_int_equal(psync_view_step(view, PSYNC_MID(5, 1), true, got, n),
			 1);
	assert_int_equal(psync_view_stable(view, PSYNC_MID(5, 1),
					   &participants, &sites), 0);
	assert_int_equal(participants, 1);
	assert_int_equal(sites, 2);
}

/* 1,024 participants, 1,023 concurrent roots, one message after them all. */
static void psync_view_test_thousand(void **state)
{
	static struct psync_pid pids[PSYNC_PARTICIPANTS_LIM];
	static u32 sites[PSYNC_PARTICIPANTS_LIM];
	struct psync_bed_packet packet;
	struct psync_view v0 = {}, v9 = {};
	struct psync_image_params p;
	struct psync_bed bed0, bed9;
	u32 n = PSYNC_PARTICIPANTS_LIM;
	u64 m;
	u32 i;

	for (i = 0; i < n; i++)
		sites[i] = 1 + (i * 7919) % n;
	psync_bed_params(&p, pids, sites, n, 0);
	psync_bed_init(&bed0, &p, sites[0]);
	psync_bed_init(&bed9, &p, sites[9]);
	assert_int_equal(bed0.img.nremotes, n - 1);
	psync_image_join(&bed0.img, &v0, 0, 1, 1, 0);
	psync_image_join(&bed9.img, &v9, 9, 1, 1, 0);
	psync_bed_send(&bed9, &v9, 100);
	packet = psync_bed_pop(&bed9);
	/* All others' first messages; a message after them is held at 9. */
	for (i = 1; i < n; i++) {
		if (i == 9)
			assert_int_equal(psync_bed_give(&bed0, &packet, 0),
					 PSYNC_OK);
		else
			assert_int_equal(psync_bed_msg(&bed0, i, 1, 1, 0, NULL),
					 PSYNC_OK);
	}
	psync_bed_packet_free(&packet);
	assert_int_equal(psync_bed_drain(&v0), n - 1);
	assert_int_equal(v0.nleaves, n - 1);
	m = psync_bed_send(&bed0, &v0, 100);
	packet = psync_bed_pop(&bed0);
	assert_int_equal(packet.len, PSYNC_WIRE_FIXED + n * 4 + n / 8);
	assert_int_equal(psync_bed_give(&bed9, &packet, 0), PSYNC_OK);
	psync_bed_packet_free(&packet);
	assert_int_equal(bed9.img.nheld, 1);
	for (i = n - 1; i; i--)
		if (i != 9)
			assert_int_equal(psync_bed_msg(&bed9, i, 1, 1, 0, NULL),
					 PSYNC_OK);
	assert_int_equal(bed9.img.nheld, 0);
	assert_int_equal(psync_bed_drain(&v9), n - 1);
	psync_view_check_thousand(&v9, m, n);
	psync_bed_leave(&bed0, &v0);
	psync_bed_leave(&bed9, &v9);
	psync_bed_exit(&bed0);
	psync_bed_exit(&bed9);
	assert_int_equal(psync_bed_bodies, 0);
}

const struct CMUnitTest psync_view_tests[] = {
	cmocka_unit_test(psync_view_test_figure_1),
	cmocka_unit_test(psync_view_test_figure_2),
	cmocka_unit_test(psync_view_test_unknown),
	cmocka_unit_test(psync_view_test_freed),
	cmocka_unit_test(psync_view_test_slow),
	cmocka_unit_test(psync_view_test_freed_pred),
	cmocka_unit_test(psync_view_test_freed_kept),
	cmocka_unit_test(psync_view_test_wrap),
	cmocka_unit_test(psync_view_test_stamp),
	cmocka_unit_test(psync_view_test_thousand),
};

const size_t psync_view_ntests = ARRAY_SIZE(psync_view_tests);
