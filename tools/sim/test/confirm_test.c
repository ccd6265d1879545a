// SPDX-License-Identifier: GPL-2.0-only
/* Rendezvous: who speaks first, reopening, delayed packets (S1.4). */
#include "bed.h"

#define MS	PSYNC_BED_MS
#define NUMBER	3

/* Participants 0 and 3 at site 1, 1 and 2 at site 2. */
static const u32 psync_confirm_sites[] = { 1, 2, 2, 1 };

static void psync_confirm_open(struct psync_bed *bed, u32 site)
{
	struct psync_image_params p;
	struct psync_pid pids[4];

	psync_bed_params(&p, pids, psync_confirm_sites, 4, NUMBER);
	assert_int_equal(psync_bed_init(bed, &p, site), 0);
}

/* Waits as of a network near by. */
static void psync_confirm_near(struct psync_bed *bed)
{
	bed->img.p.limits.rto_ns = 10 * MS;
	bed->img.p.limits.rto_min_ns = 10 * MS;
	bed->img.p.limits.rto_max_ns = 1000 * MS;
}

/* A bed with one view; participant @index opens as opening @opening. */
static void psync_confirm_join(struct psync_bed *bed, struct psync_view *view,
			       u32 index, u32 opening, u64 now)
{
	memset(view, 0, sizeof(*view));
	assert_int_equal(psync_image_join(&bed->img, view, index, 1, opening,
					  now), 0);
}

/* The oldest packet of @type that @from sent, to @to. */
static enum psync_drop psync_confirm_pass(struct psync_bed *from,
					  struct psync_bed *to, u8 type,
					  u64 now)
{
	struct psync_bed_packet packet = psync_bed_pop_type(from, type);
	enum psync_drop drop;

	if (packet.site)
		assert_int_equal(packet.site, to->img.p.site);
	drop = psync_bed_give(to, &packet, now);
	psync_bed_packet_free(&packet);
	return drop;
}

/* Answers the HELLO that @from sent as a site without the image would. */
static enum psync_drop psync_confirm_answer(struct psync_bed *from, u32 closed,
					    u32 age, u64 inc, u64 now)
{
	struct psync_bed_packet packet =
		psync_bed_pop_type(from, PSYNC_PKT_HELLO);
	struct psync_pkt hello, ack;

	assert_int_equal(psync_wire_decode(packet.data, packet.len, packet.len,
					   &hello), PSYNC_OK);
	assert_int_equal(hello.type, PSYNC_PKT_HELLO);
	psync_image_hello_answer(NULL, closed, age, &hello, &ack);
	ack.src_site = packet.site;
	ack.src_inc = inc;
	psync_bed_packet_free(&packet);
	return psync_bed_input(from, &ack, now);
}

static void psync_confirm_close(struct psync_bed *bed, struct psync_view *view)
{
	if (view)
		psync_bed_leave(bed, view);
	psync_bed_exit(bed);
}

/* Both open and speak at the same instant: two roots, one conversation. */
static void psync_confirm_test_both(void **state)
{
	struct psync_bed one, two;
	struct psync_view a, b;
	u64 inc, got[4];

	psync_confirm_open(&one, 1);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_confirm_join(&two, &b, 1, 6, 0);
	/* Each asks the other as soon as it has opened. */
	assert_int_equal(one.nsent, 1);
	psync_bed_send(&one, &a, 10);
	psync_bed_send(&two, &b, 10);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_MSG, 1), 0);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_MSG, 1), 0);
	assert_int_equal(one.img.nearly, 1);
	assert_int_equal(one.img.deadline, 100 * MS);
	assert_int_equal(one.armed, 100 * MS);
	assert_int_equal(psync_image_opening(&one.img, 2, &inc), 0);
	/* Each answers. */
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 2), 0);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO, 2), 0);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO_ACK, 3),
			 0);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO_ACK, 3),
			 0);
	assert_int_equal(psync_image_opening(&one.img, 2, &inc), 6);
	assert_int_equal(inc, two.inc);
	assert_int_equal(one.img.nearly, 0);
	assert_int_equal(psync_bed_drain(&a), 1);
	assert_int_equal(psync_bed_drain(&b), 1);
	assert_int_equal(psync_view_roots(&a, got, 4), 2);
	assert_int_equal(psync_view_roots(&b, got, 4), 2);
	/* From now on without asking. */
	psync_bed_send(&one, &a, 10);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_MSG, 4), 0);
	assert_int_equal(psync_bed_drain(&b), 1);
	psync_image_timer(&one.img, 200 * MS);
	assert_true(one.img.deadline >= PSYNC_BED_NEVER);
	assert_int_equal(one.nsent + two.nsent, 0);
	psync_confirm_close(&one, &a);
	psync_confirm_close(&two, &b);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Nobody here, or only pending: kept and not asked; then opened. */
static void psync_confirm_test_pending(void **state)
{
	struct psync_view a, b, b0 = { .pending = true };
	struct psync_bed one, two;
	u32 i;

	psync_confirm_open(&one, 1);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&one, &a, 0, 5, 0);
	for (i = 0; i < 3; i++) {
		psync_bed_send(&one, &a, 10);
		assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_MSG,
						    1), 0);
		if (!i)
			psync_image_join(&two.img, &b0, 1, 0, 0, 1);
	}
	assert_int_equal(two.nsent, 0);
	assert_int_equal(two.img.nearly, 3);
	assert_int_equal(two.img.deadline, U64_MAX);
	psync_view_accept(&b0, 4, 6, 50);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO, 50),
			 0);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO_ACK,
					    60), 0);
	assert_int_equal(psync_bed_drain(&b0), 3);
	psync_bed_leave(&two, &b0);
	psync_bed_exit(&two);

	/* The same, but the first who opens joins. */
	psync_confirm_open(&two, 2);
	psync_bed_send(&one, &a, 10);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_MSG, 1), 0);
	psync_confirm_join(&two, &b, 1, 6, 0);
	assert_int_equal(two.nsent, 1);
	psync_confirm_close(&two, &b);
	assert_int_equal(two.drops[PSYNC_DROP_LEFT_OVER], 1);
	psync_confirm_close(&one, &a);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Who is only pending or has no image says so; known needs the incarnation. */
static void psync_confirm_test_answers(void **state)
{
	struct psync_view a, b = { .pending = true };
	struct psync_pkt hello, ack;
	struct psync_bed one;

	psync_confirm_open(&one, 1);
	hello = (struct psync_pkt){
		.type = PSYNC_PKT_HELLO, .src_site = 2, .src_inc = 5002,
		.cid = PSYNC_BED_CID, .digest = one.img.p.digest, .group = 7,
		.number = NUMBER, .opening = 9, .hello.nonce = 77,
	};
	psync_image_hello_answer(&one.img, 0, 3, &hello, &ack);
	assert_int_equal(ack.type, PSYNC_PKT_HELLO_ACK);
	assert_int_equal(ack.hello.state, PSYNC_HELLO_NONE);
	assert_int_equal(ack.hello.age, 0);
	assert_int_equal(ack.hello.nonce, 77);
	psync_image_hello_answer(NULL, 4, 3, &hello, &ack);
	assert_int_equal(ack.hello.state, PSYNC_HELLO_CLOSED);
	assert_int_equal(ack.opening, 4);
	assert_int_equal(ack.hello.age, 3);
	psync_image_join(&one.img, &b, 3, 0, 0, 0);
	psync_image_hello_answer(&one.img, 4, 3, &hello, &ack);
	assert_int_equal(ack.hello.state, PSYNC_HELLO_CLOSED);
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_image_hello_answer(&one.img, 4, 3, &hello, &ack);
	assert_int_equal(ack.hello.state, PSYNC_HELLO_OPEN);
	assert_int_equal(ack.opening, 5);
	assert_int_equal(ack.hello.known, 0);
	one.img.remotes[0].state = PSYNC_REMOTE_CONFIRMED;
	one.img.remotes[0].inc = 5002;
	one.img.remotes[0].opening = 8;
	psync_image_hello_answer(&one.img, 0, 0, &hello, &ack);
	assert_int_equal(ack.hello.known, 8);
	hello.src_inc = 5001;
	psync_image_hello_answer(&one.img, 0, 0, &hello, &ack);
	assert_int_equal(ack.hello.known, 0);
	psync_bed_leave(&one, &b);
	psync_confirm_close(&one, &a);
}

/* A packet of a conversation of that name that is over. */
static void psync_confirm_test_delayed(void **state)
{
	struct psync_bed_packet old;
	struct psync_bed one, two;
	struct psync_view a, b;

	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 6, 0);
	psync_bed_send(&two, &b, 10);
	old = psync_bed_pop_type(&two, PSYNC_PKT_MSG);
	psync_confirm_close(&two, &b);

	/* Site 1 opens; site 2 has closed and forgotten it. */
	psync_confirm_open(&one, 1);
	psync_confirm_join(&one, &a, 0, 5, 1000 * MS);
	assert_int_equal(psync_bed_give(&one, &old, 1001 * MS), 0);
	/* It came after the question: only the next answer tells. */
	assert_int_equal(psync_confirm_answer(&one, 0, 0, 5002, 1002 * MS), 0);
	assert_int_equal(one.img.nearly, 1);
	assert_int_equal(psync_confirm_answer(&one, 0, 0, 5002, 1002 * MS), 0);
	assert_int_equal(one.drops[PSYNC_DROP_STALE_OPENING], 1);
	assert_int_equal(one.img.nearly, 0);
	/* It comes again, and site 2 has opened anew meanwhile. */
	assert_int_equal(psync_bed_give(&one, &old, 1003 * MS), 0);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 7, 0);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO,
					    1004 * MS), 0);
	psync_bed_send(&two, &b, 10);
	/* The new one's packet overtakes the answer. */
	{
		struct psync_bed_packet ack =
			psync_bed_pop_type(&two, PSYNC_PKT_HELLO_ACK);

		assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_MSG,
						    1005 * MS), 0);
		assert_int_equal(one.img.nearly, 2);
		assert_int_equal(psync_bed_give(&one, &ack, 1006 * MS), 0);
		/* The answer comes twice. */
		assert_int_equal(psync_bed_give(&one, &ack, 1006 * MS),
				 PSYNC_DROP_BAD_NONCE);
		psync_bed_packet_free(&ack);
	}
	assert_int_equal(one.drops[PSYNC_DROP_STALE_OPENING], 2);
	assert_int_equal(one.img.attached, 1);
	assert_int_equal(psync_bed_give(&one, &old, 1007 * MS),
			 PSYNC_DROP_STALE_OPENING);
	assert_int_equal(psync_bed_drain(&a), 1);
	psync_bed_packet_free(&old);
	psync_confirm_close(&one, &a);
	psync_confirm_close(&two, &b);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Closed there: what it said last counts if the close was after our open. */
static void psync_confirm_test_closed(void **state)
{
	struct psync_bed_packet old;
	struct psync_bed one, two;
	struct psync_view a, b;
	u32 age, attached, opening;

	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 6, 0);
	psync_bed_send(&two, &b, 10);
	old = psync_bed_pop_type(&two, PSYNC_PKT_MSG);
	psync_confirm_close(&two, &b);
	/* We open at 1000 ms and ask at 1100; ages are whole milliseconds. */
	for (age = 97; age < 103; age++) {
		for (opening = 6; opening < 8; opening++) {
			psync_confirm_open(&one, 1);
			psync_confirm_join(&one, &a, 0, 5, 1000 * MS);
			assert_int_equal(psync_bed_give(&one, &old, 1100 * MS),
					 0);
			assert_int_equal(psync_confirm_answer(&one, 0, 0, 5002,
							      1100 * MS), 0);
			assert_int_equal(psync_confirm_answer(&one, opening,
							      age, 5002,
							      9000 * MS), 0);
			attached = age <= 99 && opening == 6;
			assert_int_equal(one.img.attached, attached);
			assert_int_equal(one.drops[PSYNC_DROP_STALE_OPENING],
					 !attached);
			assert_int_equal(one.img.remotes[0].state,
					 age <= 99 ? PSYNC_REMOTE_CONFIRMED :
						     PSYNC_REMOTE_UNKNOWN);
			psync_confirm_close(&one, &a);
		}
	}
	psync_bed_packet_free(&old);
	assert_int_equal(psync_bed_bodies, 0);
}

/* It opens after it answered, and its message overtakes the answer. */
static void psync_confirm_test_overtaken(void **state)
{
	struct psync_bed_packet ack, m1;
	struct psync_bed one, two;
	struct psync_view a, b;
	struct psync_pkt old;

	psync_confirm_open(&one, 1);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &old);
	assert_int_equal(psync_bed_input(&one, &old, 1), 0);
	assert_int_equal(psync_confirm_answer(&one, 0, 0, 5002, 1), 0);
	/* Site 2 has it not open: no. */
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 2), 0);
	ack = psync_bed_pop_type(&two, PSYNC_PKT_HELLO_ACK);
	psync_confirm_join(&two, &b, 1, 2, 3);
	psync_bed_send(&two, &b, 10);
	m1 = psync_bed_pop_type(&two, PSYNC_PKT_MSG);
	assert_int_equal(psync_bed_give(&one, &m1, 4), 0);
	assert_int_equal(one.img.nearly, 2);
	assert_int_equal(psync_bed_give(&one, &ack, 5), 0);
	/* The old one is gone, about the new one it asks again. */
	assert_int_equal(one.drops[PSYNC_DROP_STALE_OPENING], 1);
	assert_int_equal(one.img.nearly, 1);
	assert_int_equal(psync_bed_give(&one, &ack, 5), PSYNC_DROP_BAD_NONCE);
	psync_bed_packet_free(&ack);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 6), 0);
	/* Before that answer comes, site 2 closes, reopens and speaks. */
	ack = psync_bed_pop_type(&two, PSYNC_PKT_HELLO_ACK);
	psync_confirm_close(&two, &b);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 3, 7);
	psync_bed_send(&two, &b, 10);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_MSG, 8), 0);
	assert_int_equal(psync_bed_give(&one, &ack, 9), 0);
	assert_int_equal(one.img.attached, 1);
	assert_int_equal(one.drops[PSYNC_DROP_REOPENED], 1);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_REFUSE, 9),
			 0);
	assert_true(two.img.refused);
	psync_bed_packet_free(&ack);
	psync_bed_packet_free(&m1);
	psync_confirm_close(&one, &a);
	psync_confirm_close(&two, &b);
	assert_int_equal(psync_bed_bodies, 0);
}

/*
 * Reopened again, but here the other speaks first: its answer says so, and both
 * are told.
 */
static void psync_confirm_speak_first(struct psync_bed *one,
				      struct psync_view *a,
				      struct psync_bed *two,
				      struct psync_view *b)
{
	struct psync_bed_packet hello, refusal;
	struct psync_pkt pkt;

	psync_confirm_open(two, 2);
	psync_confirm_join(two, b, 1, 8, 0);
	psync_bed_send(one, a, 10);
	psync_confirm_pass(one, two, PSYNC_PKT_MSG, 1003 * MS);
	hello = psync_bed_pop_type(two, PSYNC_PKT_HELLO);
	one->img.remotes[0].moved = false;
	assert_int_equal(one->nevents, 1);
	assert_int_equal(psync_bed_give(one, &hello, 1003 * MS), PSYNC_OK);
	assert_int_equal(psync_confirm_pass(one, two, PSYNC_PKT_HELLO_ACK,
					    1003 * MS), 0);
	assert_true(two->img.refused);
	assert_int_equal(two->nevents, 1);
	assert_int_equal(two->events[0].type, PSYNC_EV_STALE);
	assert_int_equal(one->nevents, 2);
	assert_int_equal(one->events[1].type, PSYNC_EV_REOPENED);
	assert_int_equal(one->events[1].site, 2);
	assert_true(one->img.remotes[0].moved);
	/* Once a second; and a message of it is refused even so. */
	assert_int_equal(psync_bed_give(one, &hello, 1004 * MS), PSYNC_OK);
	assert_int_equal(one->nevents, 2);
	psync_bed_forget(one);
	psync_bed_craft(one, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.opening = 8;
	assert_int_equal(psync_bed_input(one, &pkt, 1005 * MS),
			 PSYNC_DROP_REOPENED);
	assert_int_equal(one->nevents, 2);
	refusal = psync_bed_pop_type(one, PSYNC_PKT_REFUSE);
	psync_bed_packet_free(&refusal);
	psync_bed_packet_free(&hello);
}

/* Closed and reopened while another goes on: refused, both told. */
static void psync_confirm_test_reopened(void **state)
{
	struct psync_bed one, two;
	struct psync_view a, b;
	u64 mid;
	struct psync_bed_body *body = psync_bed_body_new();

	psync_confirm_open(&one, 1);
	psync_confirm_near(&one);
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 6, 0);
	psync_bed_send(&two, &b, 10);
	psync_confirm_pass(&two, &one, PSYNC_PKT_MSG, 1);
	psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 1);
	psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO_ACK, 1);
	psync_bed_drain(&a);
	psync_confirm_close(&two, &b);

	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 7, 0);
	psync_bed_send(&two, &b, 10);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_MSG, 2),
			 PSYNC_DROP_REOPENED);
	assert_int_equal(one.events[0].type, PSYNC_EV_REOPENED);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_REFUSE, 3),
			 0);
	assert_true(two.img.refused);
	assert_int_equal(two.events[0].type, PSYNC_EV_REFUSED);
	assert_int_equal(two.events[1].type, PSYNC_EV_STALE);
	assert_int_equal(psync_image_send(&two.img, &b, body, 10, &mid, 0),
			 -ESTALE);
	psync_bed_body_put(body);
	psync_confirm_close(&two, &b);

	psync_confirm_speak_first(&one, &a, &two, &b);
	psync_confirm_close(&two, &b);
	psync_confirm_close(&one, &a);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Whatever openings it names, a site is not refused at once again. */
static void psync_confirm_test_refuse_rate(void **state)
{
	struct psync_pkt pkt;
	struct psync_bed one;
	struct psync_view a;
	u32 i;

	psync_confirm_open(&one, 1);
	psync_confirm_near(&one);
	one.muted = ~0U;
	psync_confirm_join(&one, &a, 0, 5, 0);
	one.img.remotes[0].state = PSYNC_REMOTE_CONFIRMED;
	one.img.remotes[0].inc = 5002;
	one.img.remotes[0].opening = 1;
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &pkt);
	for (i = 0; i < 100; i++) {
		pkt.opening = 2 + i % 2;
		assert_int_equal(psync_bed_input(&one, &pkt, 1),
				 PSYNC_DROP_REOPENED);
	}
	assert_int_equal(one.ntypes[PSYNC_PKT_REFUSE], 1);
	assert_int_equal(one.nevents, 1);
	/* The other one is told soon, the same one after a second. */
	pkt.opening = 3;
	psync_bed_input(&one, &pkt, 1 + 10 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_REFUSE], 2);
	psync_bed_input(&one, &pkt, 1 + 20 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_REFUSE], 2);
	psync_bed_input(&one, &pkt, 2000 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_REFUSE], 3);
	psync_confirm_close(&one, &a);
}

/* Early packets for an earlier opening of ours are dropped when we know it. */
static void psync_confirm_test_dst_opening(void **state)
{
	struct psync_bed one, two;
	struct psync_pkt pkt;
	struct psync_view a, b;

	psync_confirm_open(&one, 1);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&two, &b, 1, 1, 0);
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &pkt);
	pkt.msg.dst_opening = 4;
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	psync_confirm_join(&one, &a, 0, 5, 0);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 1), 0);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO_ACK, 1),
			 0);
	assert_int_equal(one.drops[PSYNC_DROP_STALE_OPENING], 1);
	pkt.msg.dst_opening = 5;
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	assert_int_equal(psync_bed_drain(&a), 1);
	psync_confirm_close(&one, &a);
	psync_confirm_close(&two, &b);
	assert_int_equal(psync_bed_bodies, 0);
}

/* No answer: asked three times, ever more slowly, then given up. */
static void psync_confirm_test_timer(void **state)
{
	u64 when[4] = { 0, 100 * MS, 300 * MS, 700 * MS };
	struct psync_bed_packet packet;
	struct psync_pkt pkt, hello;
	struct psync_bed one;
	struct psync_view a;
	u64 nonce = 0;
	u32 i;

	psync_confirm_open(&one, 1);
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	for (i = 0; i < 3; i++) {
		packet = psync_bed_pop(&one);
		assert_int_equal(psync_wire_decode(packet.data, packet.len,
						   packet.len, &hello), 0);
		assert_int_equal(hello.type, PSYNC_PKT_HELLO);
		assert_int_equal(hello.opening, 5);
		if (nonce)
			assert_int_equal(hello.hello.nonce, nonce);
		nonce = hello.hello.nonce;
		psync_bed_packet_free(&packet);
		assert_int_equal(one.img.deadline, when[i + 1]);
		assert_int_equal(one.armed, when[i + 1]);
		psync_image_timer(&one.img, when[i + 1] - 1);
		assert_int_equal(one.nsent, 0);
		assert_int_equal(one.img.nearly, 1);
		psync_image_timer(&one.img, when[i + 1]);
	}
	assert_true(one.img.deadline >= PSYNC_BED_NEVER);
	assert_int_equal(one.img.nearly, 0);
	assert_int_equal(one.drops[PSYNC_DROP_LEFT_OVER], 1);
	/* It speaks again and is asked the same: a late answer will do. */
	assert_int_equal(psync_bed_input(&one, &pkt, 900 * MS), 0);
	hello.type = PSYNC_PKT_HELLO_ACK;
	hello.src_site = 2;
	hello.opening = 0;
	assert_int_equal(psync_bed_input(&one, &hello, 901 * MS), PSYNC_OK);
	/* It says no to what was before; about the new one it is asked. */
	assert_int_equal(one.img.nearly, 1);
	assert_int_equal(psync_bed_input(&one, &hello, 901 * MS),
			 PSYNC_DROP_BAD_NONCE);
	/* From a site that is none of ours. */
	hello.src_site = 3;
	assert_int_equal(psync_bed_input(&one, &hello, 901 * MS),
			 PSYNC_DROP_NOT_MEMBER);
	psync_confirm_close(&one, &a);
	assert_int_equal(one.drops[PSYNC_DROP_LEFT_OVER], 2);
	assert_int_equal(psync_bed_bodies, 0);
}

/* The site that is waited for greets: it is asked now, and not too often. */
static void psync_confirm_test_hurry(void **state)
{
	struct psync_bed_packet hello;
	struct psync_bed one, two;
	struct psync_view a, b;
	u32 i;

	psync_confirm_open(&one, 1);
	psync_confirm_open(&two, 2);
	psync_confirm_join(&one, &a, 0, 5, 0);
	one.img.p.limits.hello_tries = 10;
	psync_confirm_join(&two, &b, 1, 6, 0);
	hello = psync_bed_pop_type(&two, PSYNC_PKT_HELLO);
	/* The first question may be answered yet. */
	assert_int_equal(psync_bed_give(&one, &hello, 50 * MS), PSYNC_OK);
	assert_int_equal(one.img.deadline, 100 * MS);
	psync_bed_run(&one, 1000 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 4);
	assert_int_equal(one.img.deadline, 1500 * MS);
	psync_bed_forget(&one);
	/* Asked at 700: at once, and then no more for the first wait. */
	assert_int_equal(psync_bed_give(&one, &hello, 1000 * MS), PSYNC_OK);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 5);
	for (i = 0; i < 100; i++)
		assert_int_equal(psync_bed_give(&one, &hello, 1001 * MS),
				 PSYNC_OK);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 5);
	psync_bed_forget(&one);
	assert_int_equal(one.img.deadline, 1100 * MS);
	psync_bed_run(&one, 1100 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 6);
	/* Asked just now: as soon as the first wait is over. */
	assert_int_equal(one.img.remotes[0].deadline, 1300 * MS);
	assert_int_equal(psync_bed_give(&one, &hello, 1110 * MS), PSYNC_OK);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 6);
	assert_int_equal(one.armed, 1200 * MS);
	psync_bed_run(&one, 1200 * MS);
	assert_int_equal(one.ntypes[PSYNC_PKT_HELLO], 7);
	psync_bed_packet_free(&hello);
	psync_confirm_close(&one, &a);
	psync_confirm_close(&two, &b);
}

/* Two sites are asked: the earlier deadline counts. */
static void psync_confirm_test_timers(void **state)
{
	static const u32 sites[] = { 1, 2, 3 };
	struct psync_image_params p;
	struct psync_pid pids[3];
	struct psync_view a = {};
	struct psync_pkt pkt, ack;
	struct psync_bed one;

	psync_bed_params(&p, pids, sites, 3, NUMBER);
	assert_int_equal(psync_bed_init(&one, &p, 1), 0);
	psync_confirm_join(&one, &a, 0, 5, 0);
	assert_int_equal(one.nsent, 2);
	assert_int_equal(psync_confirm_answer(&one, 0, 0, 5002, 10 * MS), 0);
	/* From a site that was asked something else. */
	ack = (struct psync_pkt){
		.type = PSYNC_PKT_HELLO_ACK, .src_site = 2, .src_inc = 5002,
		.cid = PSYNC_BED_CID, .digest = p.digest, .group = 7,
		.number = NUMBER, .hello.nonce = one.img.remotes[1].nonce,
	};
	assert_int_equal(psync_bed_input(&one, &ack, 20 * MS),
			 PSYNC_DROP_BAD_NONCE);
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 50 * MS), 0);
	assert_int_equal(one.img.deadline, 100 * MS);
	psync_image_timer(&one.img, 100 * MS);
	assert_int_equal(one.img.deadline, 150 * MS);
	assert_int_equal(one.armed, 150 * MS);
	psync_confirm_close(&one, &a);
	assert_int_equal(one.drops[PSYNC_DROP_LEFT_OVER], 1);
	assert_int_equal(psync_bed_bodies, 0);
}

/* Bounds of what is kept unconfirmed. */
static void psync_confirm_test_limits(void **state)
{
	struct psync_wire_mid wire[8];
	u64 b1 = PSYNC_MID(1, 1);
	struct psync_pkt pkt;
	struct psync_bed one;

	psync_confirm_open(&one, 1);
	one.img.p.limits.max_early = 2;
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, wire, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	assert_int_equal(psync_bed_input(&one, &pkt, 0), PSYNC_DROP_DUPLICATE);
	/* Of another opening or incarnation it is no duplicate. */
	pkt.opening = 2;
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	pkt.src_inc++;
	assert_int_equal(psync_bed_input(&one, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_bed_craft(&one, 1, 2, 2, 1, &b1, wire, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_bed_craft(&one, 2, 2, 2, 1, &b1, wire, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_bed_exit(&one);
	assert_int_equal(one.drops[PSYNC_DROP_LEFT_OVER], 2);

	psync_confirm_open(&one, 1);
	one.img.p.limits.max_pending = 1;
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, wire, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0), 0);
	psync_bed_craft(&one, 2, 1, 1, 0, NULL, wire, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	psync_bed_exit(&one);
	assert_int_equal(psync_bed_bodies, 0);
}

static void psync_confirm_stamp(u64 base)
{
	u32 sites[12] = { 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 };
	struct psync_view a = {}, v[11] = {};
	struct psync_bed_packet packet, first[9];
	struct psync_image_params p;
	struct psync_pid pids[12];
	struct psync_bed one, two;
	u32 i;

	psync_bed_params(&p, pids, sites, 12, NUMBER);
	p.seq_base = base;
	psync_bed_init(&one, &p, 1);
	psync_bed_init(&two, &p, 2);
	for (i = 0; i < 11; i++)
		psync_image_join(&two.img, &v[i], 1 + i, 1, 1, 0);
	for (i = 0; i < 9; i++) {
		psync_bed_send(&two, &v[i], 10);
		first[i] = psync_bed_pop_type(&two, PSYNC_PKT_MSG);
	}
	psync_bed_drain(&v[10]);
	psync_bed_send(&two, &v[10], 10);
	packet = psync_bed_pop_type(&two, PSYNC_PKT_MSG);
	assert_int_equal(packet.data[75] & ~PSYNC_MSGF_ASK, PSYNC_MSGF_STAMP |
			 (base ? PSYNC_MSGF_HIGH : 0));
	assert_int_equal(psync_bed_give(&one, &packet, 0), 0);
	memset(packet.data, 0x5a, packet.len);
	psync_bed_packet_free(&packet);
	for (i = 0; i < 9; i++) {
		assert_int_equal(psync_bed_give(&one, &first[i], 0), 0);
		psync_bed_packet_free(&first[i]);
	}
	psync_image_join(&one.img, &a, 0, 1, 1, 0);
	assert_int_equal(psync_confirm_pass(&one, &two, PSYNC_PKT_HELLO, 0), 0);
	assert_int_equal(psync_confirm_pass(&two, &one, PSYNC_PKT_HELLO_ACK, 0),
			 0);
	assert_int_equal(psync_bed_drain(&a), 10);
	assert_int_equal(a.nleaves, 1);
	for (i = 0; i < 11; i++)
		psync_bed_leave(&two, &v[i]);
	psync_confirm_close(&one, &a);
	psync_bed_exit(&two);
	assert_int_equal(psync_bed_bodies, 0);
}

/* A stamp, both halves of it, and its bitmap survive being kept. */
static void psync_confirm_test_stamp(void **state)
{
	psync_confirm_stamp(0);
	psync_confirm_stamp(5ULL << 32);
}

/*
 * What is kept of our own leaves room for early packets, and a site whose
 * packet finds no room is asked even so.
 */
static void psync_confirm_test_room(void **state)
{
	struct psync_pkt pkt;
	struct psync_bed one;
	struct psync_view a;

	psync_confirm_open(&one, 1);
	one.img.p.limits.max_bytes = 1;
	one.img.p.limits.max_early = 1;
	psync_confirm_join(&one, &a, 0, 5, 0);
	psync_bed_send(&one, &a, 10);
	psync_bed_forget(&one);
	psync_bed_craft(&one, 1, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0), PSYNC_OK);
	assert_int_equal(one.img.nearly, 1);
	/* It was asked in vain, and another packet is kept meanwhile. */
	one.img.remotes[0].state = PSYNC_REMOTE_UNKNOWN;
	psync_bed_craft(&one, 2, 1, 1, 0, NULL, NULL, &pkt);
	assert_int_equal(psync_bed_input(&one, &pkt, 0),
			 PSYNC_DROP_PENDING_FULL);
	assert_int_equal(one.img.remotes[0].state, PSYNC_REMOTE_ASKED);
	assert_int_equal(one.nsent, 1);
	psync_confirm_close(&one, &a);
	assert_int_equal(one.drops[PSYNC_DROP_LEFT_OVER], 1);
	assert_int_equal(psync_bed_bodies, 0);
}

const struct CMUnitTest psync_confirm_tests[] = {
	cmocka_unit_test(psync_confirm_test_both),
	cmocka_unit_test(psync_confirm_test_pending),
	cmocka_unit_test(psync_confirm_test_answers),
	cmocka_unit_test(psync_confirm_test_delayed),
	cmocka_unit_test(psync_confirm_test_closed),
	cmocka_unit_test(psync_confirm_test_overtaken),
	cmocka_unit_test(psync_confirm_test_reopened),
	cmocka_unit_test(psync_confirm_test_refuse_rate),
	cmocka_unit_test(psync_confirm_test_dst_opening),
	cmocka_unit_test(psync_confirm_test_timer),
	cmocka_unit_test(psync_confirm_test_hurry),
	cmocka_unit_test(psync_confirm_test_timers),
	cmocka_unit_test(psync_confirm_test_limits),
	cmocka_unit_test(psync_confirm_test_room),
	cmocka_unit_test(psync_confirm_test_stamp),
};

const size_t psync_confirm_ntests = ARRAY_SIZE(psync_confirm_tests);
