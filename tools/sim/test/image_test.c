// SPDX-License-Identifier: GPL-2.0-only
/* Images: opening and closing, several views, embryos, refusals. */
#include "bed.h"

static const u32 psync_image_sites[] = { 1, 1, 2, 1, 3 };

static void psync_image_open(struct psync_bed *bed, u32 n)
{
	struct psync_image_params p;
	struct psync_pid pids[5];

	psync_bed_params(&p, pids, psync_image_sites, n, 0);
	assert_int_equal(psync_bed_init(bed, &p, 1), 0);
}

static int psync_image_try(struct psync_pid *pids, u32 n, u32 site)
{
	struct psync_image_params p = {
		.cid = PSYNC_BED_CID, .pids = pids, .n = n,
		.limits = { 1, 1, 1, 1, 1, 1, 1 },
	};
	struct psync_bed bed;
	int err = psync_bed_init(&bed, &p, site);

	/* Destroying is right whether or not it was made. */
	psync_bed_exit(&bed);
	return err;
}

static void psync_image_test_init(void **state)
{
	static struct psync_pid many[PSYNC_PARTICIPANTS_LIM + 1];
	struct psync_pid pids[3] = { { 1, 5 }, { 2, 5 }, { 1, 6 } };
	struct psync_bed bed;
	u32 i;

	assert_int_equal(psync_image_try(pids, 3, 1), 0);
	assert_int_equal(psync_image_try(pids, 3, 2), 0);
	assert_int_equal(psync_image_try(pids, 2, 2), 0);
	assert_int_equal(psync_image_try(pids, 1, 1), -EINVAL);
	assert_int_equal(psync_image_try(pids, 0, 1), -EINVAL);
	assert_int_equal(psync_image_try(pids, 3, 3), -EINVAL);
	pids[2].port = 5;
	assert_int_equal(psync_image_try(pids, 3, 1), -EINVAL);
	pids[2].port = 0;
	assert_int_equal(psync_image_try(pids, 3, 1), -EINVAL);
	pids[2].port = 6;
	pids[1].site = 0;
	assert_int_equal(psync_image_try(pids, 3, 1), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct psync_pid){ 1 + i / 3, 1 + i };
	assert_int_equal(psync_image_try(many, PSYNC_PARTICIPANTS_LIM, 1), 0);
	assert_int_equal(psync_image_try(many, PSYNC_PARTICIPANTS_LIM + 1, 1),
			 -EINVAL);

	psync_image_open(&bed, 5);
	assert_int_equal(bed.img.nremotes, 2);
	assert_int_equal(bed.img.remotes[0].site, 2);
	assert_int_equal(bed.img.remotes[1].site, 3);
	assert_int_equal(bed.img.parts[0].remote, -1);
	assert_int_equal(bed.img.parts[2].remote, 0);
	assert_int_equal(bed.img.parts[4].remote, 1);
	pids[0] = (struct psync_pid){ 1, 1003 };
	assert_int_equal(psync_image_part_index(&bed.img, &pids[0]), 3);
	pids[0].site = 2;
	assert_int_equal(psync_image_part_index(&bed.img, &pids[0]), -1);
	assert_int_equal(psync_image_start(&bed.img, pids, 3, 0), -EINVAL);
	psync_bed_exit(&bed);
}

static void psync_image_test_join(void **state)
{
	struct psync_view v[3] = {};
	struct psync_bed bed;

	psync_image_open(&bed, 5);
	assert_int_equal(psync_image_join(&bed.img, &v[0], 5, 1, 9, 0),
			 -EINVAL);
	assert_int_equal(psync_image_join(&bed.img, &v[0], 2, 1, 9, 0),
			 -EINVAL);
	assert_int_equal(psync_image_join(&bed.img, &v[0], 0, 1, 9, 77), 0);
	assert_int_equal(bed.img.opening, 9);
	assert_int_equal(bed.img.opened, 77);
	assert_int_equal(psync_image_join(&bed.img, &v[1], 0, 1, 9, 0),
			 -EBUSY);
	assert_int_equal(psync_image_join(&bed.img, &v[1], 1, 1, 10, 78), 0);
	assert_int_equal(bed.img.opening, 9);
	psync_bed_leave(&bed, &v[0]);
	/* It said nothing, so it may come back; then it speaks. */
	assert_int_equal(psync_image_join(&bed.img, &v[0], 0, 1, 11, 0), 0);
	psync_bed_send(&bed, &v[0], 10);
	psync_bed_leave(&bed, &v[0]);
	assert_int_equal(psync_image_join(&bed.img, &v[0], 0, 2, 11, 0),
			 -ESTALE);
	assert_int_equal(bed.img.nviews, 1);
	assert_int_equal(psync_bed_drain(&v[1]), 1);
	psync_bed_leave(&bed, &v[1]);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Three participants at one site: one image, no network between them. */
static void psync_image_test_local(void **state)
{
	struct psync_image_params p;
	struct psync_view v[3] = {};
	struct psync_pid pids[3];
	struct psync_bed bed;
	u32 sites[3] = { 1, 1, 1 };
	u64 m1, m2;
	u32 i, participants, count;

	psync_bed_params(&p, pids, sites, 3, 0);
	assert_int_equal(psync_bed_init(&bed, &p, 1), 0);
	assert_int_equal(bed.img.nremotes, 0);
	for (i = 0; i < 3; i++)
		psync_image_join(&bed.img, &v[i], i, 1, 1, 0);
	m1 = psync_bed_send(&bed, &v[0], 10);
	assert_int_equal(bed.nsent, 0);
	assert_int_equal(bed.readable, 2);
	assert_int_equal(bed.img.body_bytes, PSYNC_BODY_LEAST);
	m2 = psync_bed_send(&bed, &v[1], 100);
	assert_int_equal(psync_bed_receive(&v[1]), m1);
	assert_int_equal(bed.img.body_bytes, 100 + PSYNC_BODY_LEAST);
	assert_int_equal(psync_bed_receive(&v[2]), m1);
	/* Both others have it: its body is gone. */
	assert_int_equal(bed.img.body_bytes, 100);
	assert_int_equal(psync_bed_receive(&v[0]), m2);
	/* One who closes wants nothing any more. */
	psync_bed_leave(&bed, &v[2]);
	assert_int_equal(bed.img.body_bytes, 0);
	assert_int_equal(psync_bed_bodies, 0);
	psync_bed_send(&bed, &v[1], 10);
	psync_bed_receive(&v[0]);
	/* The END of one who had received m1 says so, too. */
	assert_int_equal(psync_view_stable(&v[0], m1, &participants, &count),
			 1);
	assert_int_equal(participants, 2);
	assert_int_equal(count, 1);
	/* The other message is stable without it: it has ended. */
	assert_int_equal(psync_view_stable(&v[0], m2, &participants, &count),
			 0);
	m1 = psync_bed_send(&bed, &v[0], 10);
	assert_int_equal(psync_view_stable(&v[0], m2, &participants, &count),
			 1);
	assert_int_equal(participants, 1);
	assert_int_equal(psync_bed_receive(&v[1]), m1);
	psync_bed_leave(&bed, &v[0]);
	psync_bed_leave(&bed, &v[1]);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Who opens late begins behind the last body that was given back (S1.5). */
static void psync_image_test_gap(void **state)
{
	struct psync_view v0 = {}, v1 = {}, v3 = {};
	struct psync_bed bed;
	u64 c1 = PSYNC_MID(2, 1), a1, a2, got[4];
	const struct psync_node *node;

	psync_image_open(&bed, 5);
	bed.img.p.limits.max_nodes = 2;
	psync_image_join(&bed.img, &v0, 0, 1, 1, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	a1 = psync_bed_send(&bed, &v0, 100);
	psync_bed_held(&bed);
	/* Nobody else here: a1's body is gone, c1's is not. */
	psync_image_join(&bed.img, &v1, 1, 1, 1, 0);
	assert_int_equal(bed.nevents, 1);
	assert_int_equal(bed.events[0].type, PSYNC_EV_GAP);
	assert_int_equal(bed.events[0].mid, 0);
	assert_int_equal(v1.count, 2);
	assert_int_equal(v1.outstanding, 0);
	assert_int_equal(psync_view_leaves(&v1, got, 4), 2);
	assert_int_equal(psync_view_roots(&v1, got, 4), 2);
	/* From then on it misses nothing. */
	psync_bed_receive(&v0);
	a2 = psync_bed_send(&bed, &v0, 100);
	psync_bed_held(&bed);
	assert_int_equal(v1.outstanding, 1);
	/* A third gets the same: a2 is still there. */
	assert_int_equal(bed.img.nnodes, 2);
	psync_image_join(&bed.img, &v3, 3, 1, 1, 0);
	assert_int_equal(bed.nevents, 2);
	assert_int_equal(bed.events[1].type, PSYNC_EV_GAP);
	assert_int_equal(bed.events[1].mid, a2);
	assert_int_equal(v3.count, 2);
	assert_int_equal(psync_view_find(&v3, a1, &node), 0);
	assert_int_equal(psync_view_find(&v3, c1, &node), PSYNC_EFREED);
	assert_int_equal(psync_bed_receive(&v3), a2);
	assert_int_equal(v3.max_wave, 2);
	assert_int_equal(v3.nleaves, 1);
	assert_int_equal(psync_bed_receive(&v1), a2);
	assert_int_equal(v1.nleaves, 1);
	/* What it sends follows what it has not read but counts as read. */
	assert_int_equal(psync_bed_send(&bed, &v3, 10), PSYNC_MID(3, 1));
	assert_int_equal(psync_view_step(&v3, PSYNC_MID(3, 1), false, got, 4),
			 1);
	assert_int_equal(got[0], a2);
	psync_bed_leave(&bed, &v0);
	psync_bed_leave(&bed, &v1);
	psync_bed_leave(&bed, &v3);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* All that is kept is outstanding, and something was freed before it. */
static void psync_image_test_gap_floor(void **state)
{
	struct psync_view v0 = {}, v1 = {};
	const struct psync_node *node;
	u64 c1 = PSYNC_MID(2, 1), m;
	struct psync_bed bed;

	psync_image_open(&bed, 5);
	bed.img.p.limits.max_nodes = 1;
	psync_image_join(&bed.img, &v0, 0, 1, 1, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_receive(&v0);
	psync_bed_held(&bed);
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 2, 1, &c1), PSYNC_OK);
	psync_image_join(&bed.img, &v1, 1, 1, 1, 0);
	assert_int_equal(bed.events[0].mid, PSYNC_MID(2, 2));
	assert_int_equal(v1.count, 1);
	assert_int_equal(v1.outstanding, 1);
	/* What it sends now follows what was freed. */
	m = psync_bed_send(&bed, &v1, 10);
	assert_int_equal(psync_view_find(&v1, m, &node), 0);
	assert_int_equal(node->wave, 2);
	assert_int_equal(node->npred, 1);
	assert_int_equal(node->preds[0], c1);
	psync_bed_leave(&bed, &v0);
	psync_bed_leave(&bed, &v1);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

static void psync_image_test_send(void **state)
{
	struct psync_bed_body *body = psync_bed_body_new();
	struct psync_bed_packet packet;
	struct psync_view v0 = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 mid = 99;
	u32 room;

	psync_image_open(&bed, 5);
	v0.pending = true;
	assert_int_equal(psync_image_join(&bed.img, &v0, 0, 0, 0, 0), 0);
	assert_int_equal(bed.img.opening, 0);
	assert_int_equal(psync_image_send(&bed.img, &v0, body, 5, &mid, 0),
			 -EINVAL);
	psync_view_accept(&v0, 3, 6, 50);
	psync_view_accept(&v0, 4, 7, 60);
	assert_int_equal(bed.img.nopen, 1);
	assert_int_equal(bed.img.opening, 6);
	assert_int_equal(bed.img.opened, 50);
	assert_int_equal(v0.binding, 3);
	/* The longest. */
	room = PSYNC_BODY_MAX;
	assert_int_equal(psync_image_send(&bed.img, &v0, body, room + 1, &mid,
					  0), -EMSGSIZE);
	assert_int_equal(mid, 99);
	assert_int_equal(bed.img.attached, 0);
	assert_int_equal(psync_image_send(&bed.img, &v0, body, room, &mid, 0),
			 0);
	packet = psync_bed_pop(&bed);
	assert_ptr_equal(packet.body, body);
	assert_int_equal(psync_wire_decode(packet.data, packet.len,
					   packet.len + room, &pkt), PSYNC_OK);
	assert_int_equal(pkt.body_len, room);
	assert_int_equal(pkt.msg.flags, PSYNC_MSGF_START | PSYNC_MSGF_ASK);
	assert_int_equal(pkt.opening, 6);
	assert_int_equal(pkt.msg.binding, 3);
	psync_bed_packet_free(&packet);
	psync_bed_leave(&bed, &v0);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* After the first message the list is sent no more; errors of sending. */
static void psync_image_test_send_more(void **state)
{
	struct psync_bed_body *body;
	struct psync_bed_packet packet;
	struct psync_view v0 = {}, v1 = {};
	struct psync_bed bed;
	struct psync_pkt pkt;
	u64 mid;

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v0, 0, 3, 6, 0);
	psync_image_join(&bed.img, &v1, 1, 3, 6, 0);
	psync_bed_send(&bed, &v0, 0);
	packet = psync_bed_pop(&bed);
	psync_bed_packet_free(&packet);
	psync_bed_send(&bed, &v0, 0);
	psync_bed_send(&bed, &v1, 0);
	while (bed.nsent) {
		packet = psync_bed_pop(&bed);
		assert_int_equal(psync_wire_decode(packet.data, packet.len,
						   U16_MAX, &pkt), PSYNC_OK);
		assert_int_equal(pkt.msg.flags & ~PSYNC_MSGF_ASK, 0);
		psync_bed_packet_free(&packet);
	}
	/* Too deep for the wire. */
	body = psync_bed_body_new();
	v1.max_wave = U32_MAX;
	assert_int_equal(psync_image_send(&bed.img, &v1, body, 5, &mid, 0),
			 -EOVERFLOW);
	v1.max_wave = 1;
	bed.img.refused = true;
	assert_int_equal(psync_image_send(&bed.img, &v1, body, 5, &mid, 0),
			 -ESTALE);
	psync_bed_body_put(body);
	psync_bed_leave(&bed, &v0);
	psync_bed_leave(&bed, &v1);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* What was chosen is taken as long as it is the earliest. */
static void psync_image_test_take(void **state)
{
	struct psync_view v0 = {}, v1 = {};
	struct psync_bed bed;
	u64 first, second;

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v0, 0, 1, 1, 0);
	psync_image_join(&bed.img, &v1, 1, 1, 1, 0);
	first = psync_bed_send(&bed, &v0, 100);
	second = psync_bed_send(&bed, &v0, 100);
	assert_false(psync_view_take(&v1, second, 0));
	assert_int_equal(v1.outstanding, 2);
	assert_int_equal(v1.count, 0);
	assert_true(psync_view_take(&v1, first, 0));
	assert_false(psync_view_take(&v1, first, 0));
	assert_true(psync_view_take(&v1, second, 0));
	assert_false(psync_view_take(&v1, second, 0));
	assert_int_equal(v1.outstanding, 0);
	assert_int_equal(v1.count, 2);
	psync_bed_held(&bed);
	psync_bed_leave(&bed, &v0);
	psync_bed_leave(&bed, &v1);
	psync_bed_exit(&bed);
}

/* A message without a body at all. */
static void psync_image_test_empty(void **state)
{
	struct psync_view v0 = {}, v1 = {};
	struct psync_bed bed;
	u64 mid;

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v0, 0, 1, 1, 0);
	psync_image_join(&bed.img, &v1, 1, 1, 1, 0);
	assert_int_equal(psync_image_send(&bed.img, &v0, NULL, 0, &mid, 0), 0);
	assert_int_equal(bed.img.body_bytes, PSYNC_BODY_LEAST);
	assert_int_equal(v1.outstanding, 1);
	assert_true(psync_view_take(&v1, mid, 0));
	psync_bed_held(&bed);
	assert_int_equal(bed.img.body_bytes, 0);
	assert_int_equal(psync_image_send(&bed.img, &v0, NULL, 0, &mid, 0), 0);
	psync_bed_leave(&bed, &v0);
	psync_bed_leave(&bed, &v1);
	psync_bed_exit(&bed);
}

/* What is wrong with the packet itself, for an image that goes on. */
static void psync_image_test_input(void **state)
{
	struct psync_wire_mid wire[8];
	struct psync_pkt pkt, good;
	struct psync_view v = {};
	struct psync_bed bed;

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v, 0, 1, 8, 0);
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, wire, &good);

	pkt = good;
	pkt.group = 8;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_HEADER);
	pkt = good;
	pkt.number = 1;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_BAD_HEADER);
	pkt = good;
	pkt.src_site = 3;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_NOT_MEMBER);
	pkt.src_site = 4;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_NOT_MEMBER);
	/* A forged one of a participant here. */
	pkt.src_site = 1;
	pkt.msg.sender = 0;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_NOT_MEMBER);
	pkt = good;
	pkt.msg.dst_opening = 7;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	/* Types that are no business of an image, or of a stranger. */
	pkt = (struct psync_pkt){ .type = PSYNC_PKT_DGRAM, .src_site = 2 };
	assert_int_equal(psync_image_input(&bed.img, &pkt, NULL, 0),
			 PSYNC_DROP_BAD_TYPE);
	pkt.type = PSYNC_PKT_HELLO;
	pkt.src_site = 9;
	assert_int_equal(psync_image_input(&bed.img, &pkt, NULL, 0),
			 PSYNC_DROP_NOT_MEMBER);
	assert_int_equal(bed.nsent, 0);
	assert_int_equal(bed.nevents, 0);
	psync_bed_leave(&bed, &v);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Start messages: another list, not the first, not a root. */
static void psync_image_test_start(void **state)
{
	struct psync_wire_mid wire[8];
	struct psync_wire_pid list[5];
	struct psync_pkt pkt, good;
	struct psync_view v = {};
	u64 b1 = PSYNC_MID(1, 1);
	struct psync_bed bed;

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v, 0, 1, 8, 0);
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, wire, &good);
	memcpy(list, bed.img.wire_pids, sizeof(list));
	pkt = good;
	pkt.msg.flags = PSYNC_MSGF_START;
	pkt.msg.participants = list;
	list[3].port = cpu_to_be32(9);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_BAD_PARTICIPANTS);
	memcpy(list, bed.img.wire_pids, sizeof(list));
	pkt.msg.seq = 2;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	psync_bed_craft(&bed, 2, 1, 2, 1, &b1, wire, &pkt);
	pkt.msg.flags = PSYNC_MSGF_START;
	pkt.msg.participants = list;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_BAD_CONTEXT);
	pkt = good;
	pkt.msg.flags = PSYNC_MSGF_START;
	pkt.msg.participants = list;
	pkt.msg.dst_opening = 8;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_bed_receive(&v), PSYNC_MID(2, 1));
	psync_bed_leave(&bed, &v);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Another idea of the group: refused, an event on both sides, not a flood. */
static void psync_image_test_mismatch(void **state)
{
	struct psync_bed_packet packet;
	struct psync_view v1 = {}, v2 = {};
	struct psync_image_params p;
	struct psync_bed one, two;
	struct psync_pid pids[5];
	u64 now = 5;
	u32 i;

	psync_bed_params(&p, pids, psync_image_sites, 5, 0);
	psync_bed_init(&one, &p, 1);
	psync_image_join(&one.img, &v1, 0, 1, 8, 0);
	pids[3].port = 1;
	p.digest = psync_wire_digest(pids, 5);
	psync_bed_init(&two, &p, 2);
	psync_image_join(&two.img, &v2, 2, 1, 9, 0);

	psync_bed_send(&two, &v2, 10);
	packet = psync_bed_pop(&two);
	for (i = 0; i < 3; i++)
		assert_int_equal(psync_bed_give(&one, &packet, now),
				 PSYNC_DROP_DIGEST);
	assert_int_equal(one.nevents, 1);
	assert_int_equal(one.events[0].type, PSYNC_EV_MISMATCH);
	assert_int_equal(one.events[0].site, 2);
	assert_int_equal(one.nsent, 1);
	assert_int_equal(psync_bed_give(&one, &packet, now + 1000000000),
			 PSYNC_DROP_DIGEST);
	assert_int_equal(one.nevents, 2);
	assert_int_equal(one.nsent, 2);
	psync_bed_packet_free(&packet);
	assert_int_equal(one.img.attached, 0);

	packet = psync_bed_pop(&one);
	assert_int_equal(packet.site, 2);
	for (i = 0; i < 3; i++)
		assert_int_equal(psync_bed_give(&two, &packet, now), PSYNC_OK);
	assert_int_equal(two.nevents, 1);
	assert_int_equal(two.events[0].type, PSYNC_EV_REFUSED);
	assert_int_equal(two.events[0].reason, PSYNC_REFUSE_DIGEST);
	assert_int_equal(two.events[0].site, 1);
	assert_false(two.img.refused);
	psync_bed_packet_free(&packet);
	/* A site that is in no list of ours: refused too, by itself. */
	psync_bed_send(&two, &v2, 10);
	packet = psync_bed_pop(&two);
	packet.data[11] = 77;
	for (i = 0; i < 3; i++)
		assert_int_equal(psync_bed_give(&one, &packet, now),
				 PSYNC_DROP_DIGEST);
	assert_int_equal(one.nevents, 3);
	assert_int_equal(one.events[2].site, 77);
	psync_bed_packet_free(&packet);
	psync_bed_leave(&one, &v1);
	psync_bed_leave(&two, &v2);
	psync_bed_exit(&one);
	psync_bed_exit(&two);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Random cid: the first message of a site fixes its opening. */
static void psync_image_test_reopened(void **state)
{
	struct psync_bed_packet refusal;
	struct psync_wire_mid wire[8];
	struct psync_view v = {};
	struct psync_pkt pkt, good;
	struct psync_bed bed;
	u64 c1 = PSYNC_MID(2, 1), inc;

	psync_image_open(&bed, 5);
	bed.img.p.limits.rto_max_ns = 0;
	psync_image_join(&bed.img, &v, 0, 1, 8, 0);
	assert_int_equal(psync_image_opening(&bed.img, 2, &inc), 0);
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, wire, &pkt);
	pkt.opening = 5;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(psync_image_opening(&bed.img, 2, &inc), 5);
	assert_int_equal(inc, 5002);
	assert_int_equal(psync_image_opening(&bed.img, 3, &inc), 0);
	assert_int_equal(psync_image_opening(&bed.img, 9, &inc), 0);
	assert_int_equal(inc, 0);

	psync_bed_craft(&bed, 2, 2, 2, 1, &c1, wire, &good);
	good.opening = 5;
	pkt = good;
	pkt.opening = 4;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	pkt.opening = 6;
	pkt.src_inc = 5001;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(bed.nsent, 0);
	pkt.src_inc = 5002;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_REOPENED);
	pkt.src_inc = 5003;
	pkt.opening = 1;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_DROP_REOPENED);
	assert_int_equal(bed.nevents, 1);
	assert_int_equal(bed.events[0].type, PSYNC_EV_REOPENED);
	/* Each opening is told, the event is not repeated. */
	assert_int_equal(bed.nsent, 2);
	refusal = psync_bed_pop(&bed);
	assert_int_equal(psync_wire_decode(refusal.data, refusal.len,
					   refusal.len, &pkt), PSYNC_OK);
	assert_int_equal(pkt.type, PSYNC_PKT_REFUSE);
	assert_int_equal(pkt.refuse.reason, PSYNC_REFUSE_RESTART);
	assert_int_equal(pkt.refuse.opening, 6);
	assert_int_equal(pkt.refuse.digest, bed.img.p.digest);
	psync_bed_packet_free(&refusal);
	/* The true one goes on. */
	assert_int_equal(psync_bed_input(&bed, &good, 0), PSYNC_OK);
	psync_bed_leave(&bed, &v);
	psync_bed_exit(&bed);
	assert_int_equal(psync_bed_bodies, 0);
}

/* We are refused for another opening of ours, then for this one. */
static void psync_image_test_refused(void **state)
{
	struct psync_view v = {};
	struct psync_pkt pkt, msg;
	struct psync_bed bed;

	psync_image_open(&bed, 5);
	psync_bed_craft(&bed, 2, 1, 1, 0, NULL, NULL, &msg);
	psync_image_refusal(&msg, 1, 5, PSYNC_REFUSE_RESTART, &pkt);
	pkt.src_site = 2;
	pkt.src_inc = 5002;
	pkt.refuse.opening = 8;
	/* Nobody has opened here at all. */
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	psync_image_join(&bed.img, &v, 0, 1, 8, 0);
	pkt.refuse.opening = 7;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0),
			 PSYNC_DROP_STALE_OPENING);
	assert_false(bed.img.refused);
	pkt.refuse.opening = 8;
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_true(bed.img.refused);
	assert_int_equal(psync_bed_input(&bed, &pkt, 0), PSYNC_OK);
	assert_int_equal(bed.nevents, 2);
	assert_int_equal(bed.events[0].type, PSYNC_EV_REFUSED);
	assert_int_equal(bed.events[0].reason, PSYNC_REFUSE_RESTART);
	assert_int_equal(bed.events[1].type, PSYNC_EV_STALE);
	psync_bed_leave(&bed, &v);
	psync_bed_exit(&bed);
}

/**
 * struct psync_image_lab - an opener, and a site that opens passively
 * @one: site 1, participant 0 is open
 * @two: site 2, participant 1: an embryo
 * @v1: participant 0
 * @pids: both
 * @packets: what was sent
 */
struct psync_image_lab {
	struct psync_bed	one;
	struct psync_bed	two;
	struct psync_view	v1;
	struct psync_pid	pids[2];
	struct psync_bed_packet	packets[6];
};

static void psync_image_embryo(struct psync_image_lab *lab, u32 max_early,
			       u32 max_pending)
{
	static const u32 sites[] = { 1, 2 };
	struct psync_image_params p;
	u32 i;

	memset(lab, 0, sizeof(*lab));
	psync_bed_params(&p, lab->pids, sites, 2, 0);
	psync_bed_init(&lab->one, &p, 1);
	psync_image_join(&lab->one.img, &lab->v1, 0, 1, 1, 0);
	p.pids = NULL;
	p.n = 0;
	p.limits.max_early = max_early;
	p.limits.max_pending = max_pending;
	p.limits.max_held = max_early;
	assert_int_equal(psync_bed_init(&lab->two, &p, 2), 0);
	for (i = 0; i < 6; i++) {
		psync_bed_send(&lab->one, &lab->v1, 100);
		lab->packets[i] = psync_bed_pop(&lab->one);
	}
}

static void psync_image_embryo_close(struct psync_image_lab *lab)
{
	u32 i;

	for (i = 0; i < 6; i++)
		psync_bed_packet_free(&lab->packets[i]);
	psync_bed_leave(&lab->one, &lab->v1);
	psync_bed_exit(&lab->one);
	psync_bed_exit(&lab->two);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Messages overtake the start message; then all is there in order. */
static void psync_image_test_embryo(void **state)
{
	struct psync_image_lab lab;
	struct psync_pid bad[2] = { { 1, 5 }, { 3, 5 } };
	struct psync_view v2 = { .pending = true };
	struct psync_pkt hello = { .type = PSYNC_PKT_HELLO };
	u32 i;

	psync_image_embryo(&lab, 100, 10000);
	assert_int_equal(psync_image_join(&lab.two.img, &v2, 1, 0, 0, 0),
			 -EINVAL);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[5], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(lab.two.img.nearly, 2);
	assert_int_equal(lab.two.img.body_bytes, 200);
	assert_int_equal(psync_image_input(&lab.two.img, &hello, NULL, 0),
			 PSYNC_DROP_NO_CONV);
	/* One of another idea of the list. */
	lab.packets[3].data[55] ^= 1;
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[3], 0),
			 PSYNC_DROP_DIGEST);
	lab.packets[3].data[55] ^= 1;
	/* Lists that are not valid leave it an embryo. */
	assert_int_equal(psync_image_start(&lab.two.img, bad, 2, 0), -EINVAL);
	assert_int_equal(lab.two.img.nearly, 2);
	assert_int_equal(psync_image_start(&lab.two.img, lab.pids, 2, 0), 0);
	assert_int_equal(lab.two.img.nearly, 0);
	assert_int_equal(lab.two.img.nheld, 2);
	for (i = 0; i < 6; i++)
		assert_int_equal(psync_bed_give(&lab.two, &lab.packets[i], 0),
				 i == 2 || i == 5 ? PSYNC_DROP_DUPLICATE :
						    PSYNC_OK);
	assert_int_equal(lab.two.img.attached, 6);
	/* Nobody had joined: all is kept, whatever the depth. */
	lab.two.img.p.limits.max_nodes = 1;
	assert_int_equal(psync_image_join(&lab.two.img, &v2, 1, 0, 0, 0), 0);
	assert_int_equal(v2.outstanding, 6);
	assert_int_equal(lab.two.nevents, 0);
	psync_view_accept(&v2, 1, 1, 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(psync_bed_receive(&v2), PSYNC_MID(0, 1 + i));
	assert_int_equal(lab.two.img.nnodes, 1);
	psync_bed_leave(&lab.two, &v2);
	psync_image_embryo_close(&lab);
}

/* Limits at their least: the start message is taken whatever came first. */
static void psync_image_test_embryo_full(void **state)
{
	struct psync_view v2 = { .pending = true };
	struct psync_image_lab lab;

	psync_image_embryo(&lab, 1, 1);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[1], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(psync_image_start(&lab.two.img, lab.pids, 2, 0), 0);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[0], 0),
			 PSYNC_OK);
	assert_int_equal(lab.two.img.attached, 2);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(psync_image_join(&lab.two.img, &v2, 1, 0, 0, 0), 0);
	assert_int_equal(v2.outstanding, 2);
	/* Accepted, other limits hold. */
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_view_accept(&v2, 1, 1, 0);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[2], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_drain(&v2), 3);
	psync_bed_leave(&lab.two, &v2);
	psync_image_embryo_close(&lab);

	/* By bytes, with much else held. */
	psync_image_embryo(&lab, 100, 250);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[1], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[3], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[4], 0),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(psync_image_start(&lab.two.img, lab.pids, 2, 0), 0);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[0], 0),
			 PSYNC_OK);
	assert_int_equal(lab.two.img.attached, 2);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[4], 0),
			 PSYNC_OK);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[5], 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_image_embryo_close(&lab);
	assert_int_equal(lab.two.drops[PSYNC_DROP_LEFT_OVER], 2);

	/* An embryo that never starts. */
	psync_image_embryo(&lab, 100, 10000);
	assert_int_equal(psync_bed_give(&lab.two, &lab.packets[1], 0),
			 PSYNC_OK);
	psync_image_embryo_close(&lab);
	assert_int_equal(lab.two.drops[PSYNC_DROP_LEFT_OVER], 1);
}

/* Another's root is there already and fills the limit: START is taken. */
static void psync_image_test_embryo_root(void **state)
{
	static const u32 sites[] = { 1, 2, 3 };
	struct psync_bed_packet start;
	struct psync_image_params p;
	struct psync_bed one, two;
	struct psync_view v = {};
	struct psync_pid pids[3];
	struct psync_pkt root;

	psync_bed_params(&p, pids, sites, 3, 0);
	psync_bed_init(&one, &p, 1);
	psync_image_join(&one.img, &v, 0, 1, 1, 0);
	psync_bed_send(&one, &v, 100);
	start = psync_bed_pop(&one);
	p.limits.max_pending = 1;
	p.n = 0;
	p.pids = NULL;
	psync_bed_init(&two, &p, 2);
	psync_bed_craft(&one, 2, 1, 1, 0, NULL, NULL, &root);
	assert_int_equal(psync_bed_input(&two, &root, 0), PSYNC_OK);
	assert_int_equal(psync_image_start(&two.img, pids, 3, 0), 0);
	assert_int_equal(two.img.attached, 1);
	assert_int_equal(psync_bed_give(&two, &start, 0), PSYNC_OK);
	assert_int_equal(psync_bed_give(&two, &start, 0),
			 PSYNC_DROP_DUPLICATE);
	assert_int_equal(two.img.attached, 2);
	psync_bed_packet_free(&start);
	psync_bed_leave(&one, &v);
	psync_bed_exit(&one);
	psync_bed_exit(&two);
	assert_int_equal(psync_bed_bodies, 0);
}

/*
 * Nobody is left here: the image still follows, and keeps bodies only until
 * the other sites hold them.
 */
static void psync_image_test_left(void **state)
{
	struct psync_view v = {};
	struct psync_bed bed;
	u64 c1 = PSYNC_MID(2, 1);

	psync_image_open(&bed, 5);
	psync_image_join(&bed.img, &v, 0, 1, 1, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 1, 1, 0, NULL), PSYNC_OK);
	psync_bed_leave(&bed, &v);
	assert_int_equal(psync_bed_bodies, 1);
	psync_bed_held(&bed);
	assert_int_equal(psync_bed_bodies, 0);
	assert_int_equal(psync_bed_msg(&bed, 2, 2, 2, 1, &c1), PSYNC_OK);
	assert_int_equal(psync_bed_bodies, 1);
	psync_bed_held(&bed);
	assert_int_equal(psync_bed_bodies, 0);
	/* The END of the one who left is between them. */
	assert_int_equal(bed.img.attached, 3);
	memset(&v, 0, sizeof(v));
	assert_int_equal(psync_image_join(&bed.img, &v, 1, 1, 1, 0), 0);
	assert_int_equal(v.count, 3);
	assert_int_equal(bed.events[0].type, PSYNC_EV_GAP);
	psync_bed_leave(&bed, &v);
	psync_bed_exit(&bed);
}

const struct CMUnitTest psync_image_tests[] = {
	cmocka_unit_test(psync_image_test_init),
	cmocka_unit_test(psync_image_test_join),
	cmocka_unit_test(psync_image_test_local),
	cmocka_unit_test(psync_image_test_gap),
	cmocka_unit_test(psync_image_test_gap_floor),
	cmocka_unit_test(psync_image_test_send),
	cmocka_unit_test(psync_image_test_send_more),
	cmocka_unit_test(psync_image_test_take),
	cmocka_unit_test(psync_image_test_empty),
	cmocka_unit_test(psync_image_test_input),
	cmocka_unit_test(psync_image_test_start),
	cmocka_unit_test(psync_image_test_mismatch),
	cmocka_unit_test(psync_image_test_reopened),
	cmocka_unit_test(psync_image_test_refused),
	cmocka_unit_test(psync_image_test_embryo),
	cmocka_unit_test(psync_image_test_embryo_full),
	cmocka_unit_test(psync_image_test_embryo_root),
	cmocka_unit_test(psync_image_test_left),
};

const size_t psync_image_ntests = ARRAY_SIZE(psync_image_tests);
