// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation fails once, in turn: what was to be done is not done, all
 * is as before, and trying again works.  Then all fail from one on.
 */
#include "bed.h"

#define PSYNC_MEMORY_PARTS	12
#define PSYNC_MEMORY_MSGS	11

/**
 * struct psync_memory_state - what must not change when something fails
 * @live: bytes allocated
 * @body_bytes: of the image
 * @waiting_bytes: of the image
 * @attached: of the image
 * @nnodes: of the image
 * @nheld: of the image
 * @nearly: of the image
 * @nviews: of the image
 * @n: participants of the image
 * @nsent: packets sent
 * @bodies: that exist
 */
struct psync_memory_state {
	size_t	live;
	u64	body_bytes;
	u64	waiting_bytes;
	u64	attached;
	u32	nnodes;
	u32	nheld;
	u32	nearly;
	u32	nviews;
	u32	n;
	u32	nsent;
	int	bodies;
};

static void psync_memory_save(const struct psync_bed *bed,
			      struct psync_memory_state *state)
{
	memset(state, 0, sizeof(*state));
	state->live = bed->live;
	state->body_bytes = bed->img.body_bytes;
	state->waiting_bytes = bed->img.waiting_bytes;
	state->attached = bed->img.attached;
	state->nnodes = bed->img.nnodes;
	state->nheld = bed->img.nheld;
	state->nearly = bed->img.nearly;
	state->nviews = bed->img.nviews;
	state->n = bed->img.p.n;
	state->nsent = bed->nsent;
	state->bodies = psync_bed_bodies;
}

static void psync_memory_same(const struct psync_bed *bed,
			      const struct psync_memory_state *before)
{
	struct psync_memory_state now;

	psync_memory_save(bed, &now);
	assert_memory_equal(&now, before, sizeof(now));
}

/* Eleven messages: ten roots by site 1 and one with a stamp after them. */
static void psync_memory_make(struct psync_bed_packet *packets, u32 number,
			      struct psync_image_params *p,
			      struct psync_pid *pids)
{
	struct psync_view views[PSYNC_MEMORY_MSGS] = {};
	u32 sites[PSYNC_MEMORY_PARTS];
	struct psync_bed one;
	u32 i;

	for (i = 0; i < PSYNC_MEMORY_PARTS; i++)
		sites[i] = i < PSYNC_MEMORY_MSGS ? 1 : 2;
	psync_bed_params(p, pids, sites, PSYNC_MEMORY_PARTS, number);
	assert_int_equal(psync_bed_init(&one, p, 1), 0);
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_image_join(&one.img, &views[i], i, 1, 1, 0);
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++) {
		if (i == PSYNC_MEMORY_MSGS - 1)
			psync_bed_drain(&views[i]);
		psync_bed_send(&one, &views[i], 100);
		packets[i] = psync_bed_pop_type(&one, PSYNC_PKT_MSG);
	}
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_bed_leave(&one, &views[i]);
	psync_bed_exit(&one);
}

/* Gives a packet until there is memory for it. */
static void psync_memory_give(struct psync_bed *bed,
			      const struct psync_bed_packet *packet)
{
	struct psync_memory_state before;
	enum psync_drop drop;

	psync_memory_save(bed, &before);
	drop = psync_bed_give(bed, packet, 0);
	if (drop == PSYNC_DROP_NO_MEM) {
		psync_memory_same(bed, &before);
		drop = psync_bed_give(bed, packet, 0);
	}
	assert_true(drop == PSYNC_OK || drop == PSYNC_DROP_DUPLICATE);
}

static void psync_memory_start(struct psync_bed *bed,
			       const struct psync_image_params *p)
{
	struct psync_memory_state before;
	int err;

	psync_memory_save(bed, &before);
	err = psync_image_start(&bed->img, p->pids, p->n, 0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		psync_memory_same(bed, &before);
		err = psync_image_start(&bed->img, p->pids, p->n, 0);
	}
	assert_int_equal(err, 0);
}

static void psync_memory_join(struct psync_bed *bed, struct psync_view *view)
{
	struct psync_memory_state before;
	int err;

	psync_memory_save(bed, &before);
	err = psync_image_join(&bed->img, view, PSYNC_MEMORY_PARTS - 1, 1, 1,
			       0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		psync_memory_same(bed, &before);
		err = psync_image_join(&bed->img, view, PSYNC_MEMORY_PARTS - 1,
				       1, 1, 0);
	}
	assert_int_equal(err, 0);
}

static void psync_memory_send(struct psync_bed *bed, struct psync_view *view)
{
	struct psync_bed_body *body = psync_bed_body_new();
	struct psync_memory_state before;
	u64 mid;
	int err;

	psync_memory_save(bed, &before);
	err = psync_image_send(&bed->img, view, body, 100, &mid, 0);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		psync_memory_same(bed, &before);
		assert_int_equal(body->refs, 1);
		err = psync_image_send(&bed->img, view, body, 100, &mid, 0);
	}
	assert_int_equal(err, 0);
}

/* A whole conversation at site 2; returns whether the failure was met. */
static bool psync_memory_embryo(const struct psync_bed_packet *packets,
				const struct psync_image_params *p, u32 fail_at)
{
	struct psync_image_params embryo = *p;
	struct psync_view view = {};
	struct psync_bed bed;
	bool met;
	u32 i;

	embryo.pids = NULL;
	embryo.n = 0;
	assert_int_equal(psync_bed_init(&bed, &embryo, 2), 0);
	bed.fail_at = fail_at;
	for (i = PSYNC_MEMORY_MSGS; --i;)
		psync_memory_give(&bed, &packets[i]);
	psync_memory_start(&bed, p);
	/* An early one may have been dropped on the way: it comes again. */
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_memory_give(&bed, &packets[i]);
	psync_memory_join(&bed, &view);
	assert_int_equal(view.outstanding, PSYNC_MEMORY_MSGS);
	psync_bed_drain(&view);
	for (i = 0; i < 140; i++) {
		psync_memory_send(&bed, &view);
		while (bed.nsent) {
			struct psync_bed_packet own = psync_bed_pop(&bed);

			psync_bed_packet_free(&own);
		}
	}
	assert_int_equal(bed.img.attached, 140 + PSYNC_MEMORY_MSGS);
	met = bed.allocs >= fail_at;
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
	return met;
}

static void psync_memory_test_embryo(void **state)
{
	struct psync_bed_packet packets[PSYNC_MEMORY_MSGS];
	struct psync_pid pids[PSYNC_MEMORY_PARTS];
	struct psync_image_params p;
	u32 i;

	psync_memory_make(packets, 0, &p, pids);
	for (i = 1; psync_memory_embryo(packets, &p, i); i++)
		;
	assert_true(i > 170);
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_bed_packet_free(&packets[i]);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The same in a rendezvous, until the early ones are fed. */
static bool psync_memory_rendezvous(const struct psync_bed_packet *packets,
				    const struct psync_image_params *p,
				    u32 fail_at)
{
	struct psync_bed_packet hello;
	struct psync_view view = {};
	struct psync_pkt pkt, ack;
	struct psync_bed bed;
	bool met;
	u32 i;

	assert_int_equal(psync_bed_init(&bed, p, 2), 0);
	bed.fail_at = bed.allocs + fail_at;
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_memory_give(&bed, &packets[i]);
	psync_memory_join(&bed, &view);
	hello = psync_bed_pop(&bed);
	assert_int_equal(psync_wire_decode(hello.data, hello.len, hello.len,
					   &pkt), PSYNC_OK);
	psync_bed_packet_free(&hello);
	psync_image_hello_answer(NULL, 1, 0, &pkt, &ack);
	ack.hello.state = PSYNC_HELLO_OPEN;
	ack.src_site = 1;
	ack.src_inc = 5001;
	assert_int_equal(psync_bed_input(&bed, &ack, 0), PSYNC_OK);
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_memory_give(&bed, &packets[i]);
	assert_int_equal(psync_bed_drain(&view), PSYNC_MEMORY_MSGS);
	assert_int_equal(view.nleaves, 1);
	met = bed.allocs >= bed.fail_at;
	psync_bed_leave(&bed, &view);
	psync_bed_exit(&bed);
	return met;
}

static void psync_memory_test_rendezvous(void **state)
{
	struct psync_bed_packet packets[PSYNC_MEMORY_MSGS];
	struct psync_pid pids[PSYNC_MEMORY_PARTS];
	struct psync_image_params p;
	u32 i;

	psync_memory_make(packets, 1, &p, pids);
	for (i = 1; psync_memory_rendezvous(packets, &p, i); i++)
		;
	assert_true(i > 20);
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_bed_packet_free(&packets[i]);
	assert_int_equal(psync_bed_bodies, 0);
}

/* An image that cannot be made leaves nothing behind. */
static void psync_memory_test_init(void **state)
{
	struct psync_pid pids[3] = { { 1, 1 }, { 2, 1 }, { 3, 1 } };
	struct psync_image_params p = {
		.cid = PSYNC_BED_CID, .pids = pids, .n = 3, .site = 1,
	};
	struct psync_bed bed;
	u32 i;
	int err = -1;

	for (i = 1; err; i++) {
		memset(&bed, 0, sizeof(bed));
		bed.fail_at = i;
		err = psync_image_init(&bed.img, &p, &psync_bed_ops);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(bed.live, 0);
			assert_null(bed.img.p.pids);
			assert_int_equal(bed.img.deadline, U64_MAX);
		}
		psync_bed_exit(&bed);
	}
	assert_true(i > 7);
}

/* No memory at all from some moment on: things are refused, nothing breaks. */
static void psync_memory_test_exhausted(void **state)
{
	struct psync_bed_packet packets[PSYNC_MEMORY_MSGS];
	struct psync_pid pids[PSYNC_MEMORY_PARTS];
	struct psync_image_params p;
	struct psync_bed_body *body;
	struct psync_view view;
	struct psync_bed bed;
	u32 from, i;
	u64 mid;

	psync_memory_make(packets, 0, &p, pids);
	for (from = 1; from < 40; from++) {
		assert_int_equal(psync_bed_init(&bed, &p, 2), 0);
		bed.fail_from = bed.allocs + from;
		for (i = PSYNC_MEMORY_MSGS; i--;)
			psync_bed_give(&bed, &packets[i], 0);
		memset(&view, 0, sizeof(view));
		if (!psync_image_join(&bed.img, &view, PSYNC_MEMORY_PARTS - 1,
				      1, 1, 0)) {
			psync_bed_drain(&view);
			body = psync_bed_body_new();
			if (psync_image_send(&bed.img, &view, body, 9, &mid, 0))
				psync_bed_body_put(body);
			psync_bed_leave(&bed, &view);
		}
		psync_bed_exit(&bed);
	}
	for (i = 0; i < PSYNC_MEMORY_MSGS; i++)
		psync_bed_packet_free(&packets[i]);
	assert_int_equal(psync_bed_bodies, 0);
}

/*
 * Two sites that lose, repair, acknowledge, say null messages and END, with
 * one allocation failing at either.  Returns whether it was met.
 */
static bool psync_memory_pair(u32 which, u32 fail_at)
{
	static const u32 sites[] = { 1, 2 };
	struct psync_view views[2] = {};
	struct psync_image_params p;
	struct psync_bed beds[2];
	struct psync_bed_packet packet;
	struct psync_pid pids[2];
	u64 now = 0;
	u32 i, k;

	psync_bed_params(&p, pids, sites, 2, 0);
	psync_bed_times(&p);
	for (i = 0; i < 2; i++) {
		psync_bed_init(&beds[i], &p, 1 + i);
		beds[i].muted = 0;
		psync_image_join(&beds[i].img, &views[i], i, 1, 1, 0);
	}
	beds[which].fail_at = beds[which].allocs + fail_at;
	for (k = 0; k < 400; k++, now += PSYNC_BED_MS) {
		if (k < 12 && k % 3 == 0)
			psync_memory_send(&beds[k % 2], &views[k % 2]);
		if (k == 200)
			psync_image_leave(&beds[1].img, &views[1], now);
		for (i = 0; i < 2; i++) {
			if (beds[i].img.deadline <= now)
				psync_image_timer(&beds[i].img, now);
			while (beds[i].nsent) {
				packet = psync_bed_pop(&beds[i]);
				/* Every other one of the first gets lost. */
				if (k > 50 || k % 2)
					psync_bed_give(&beds[1 - i], &packet,
						       now);
				psync_bed_packet_free(&packet);
			}
			if (beds[i].img.nopen)
				psync_bed_drain(&views[i]);
		}
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(beds[i].img.nlack, 0);
		assert_int_equal(beds[i].img.nheld, 0);
		assert_int_equal(beds[i].img.nuntaken, 0);
		assert_int_equal(beds[i].img.attached, beds[0].img.attached);
	}
	/* Without memory there is no END, but it is counted. */
	assert_int_equal(beds[0].img.parts[1].ended,
			 !beds[1].drops[PSYNC_DROP_NO_MEM]);
	assert_true(psync_image_over(&beds[1].img));
	psync_bed_leave(&beds[0], &views[0]);
	psync_bed_exit(&beds[0]);
	psync_bed_exit(&beds[1]);
	assert_int_equal(psync_bed_bodies, 0);
	return beds[which].allocs >= beds[which].fail_at;
}

static void psync_memory_test_pair(void **state)
{
	u32 which, i;

	for (which = 0; which < 2; which++) {
		for (i = 1; psync_memory_pair(which, i); i++)
			;
		assert_true(i > 6);
	}
}

const struct CMUnitTest psync_memory_tests[] = {
	cmocka_unit_test(psync_memory_test_embryo),
	cmocka_unit_test(psync_memory_test_rendezvous),
	cmocka_unit_test(psync_memory_test_pair),
	cmocka_unit_test(psync_memory_test_init),
	cmocka_unit_test(psync_memory_test_exhausted),
};

const size_t psync_memory_ntests = ARRAY_SIZE(psync_memory_tests);
