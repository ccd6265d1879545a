// SPDX-License-Identifier: GPL-2.0-only
/* Incarnations of a site: which is taken, which is asked about (S1.2). */
#include "bed.h"

#define WAIT	100ULL

static enum psync_peer_verdict psync_peer_ask(struct psync_peer_inc *pi,
					      u64 inc, u64 now)
{
	return psync_peer_check(pi, inc, now, WAIT, 4711 + now);
}

static bool psync_peer_reply(struct psync_peer_inc *pi, u64 inc, u64 nonce)
{
	struct psync_pkt pkt = { .type = PSYNC_PKT_HELLO_ACK, .src_inc = inc };

	pkt.hello.nonce = nonce;
	return psync_peer_answer(pi, &pkt);
}

static void psync_peer_test_first(void **state)
{
	struct psync_peer_inc pi;

	psync_peer_init(&pi);
	assert_int_equal(pi.inc, 0);
	assert_int_equal(pi.deadline, U64_MAX);
	/* Even one from the far future: it replaces nothing. */
	assert_int_equal(psync_peer_ask(&pi, 2000, 0), PSYNC_PEER_TAKE);
	assert_int_equal(pi.inc, 2000);
	assert_int_equal(psync_peer_ask(&pi, 2000, 0), PSYNC_PEER_TAKE);
	assert_int_equal(psync_peer_timer(&pi, U64_MAX - 1, 3), 0);
	/* An answer that nobody asked for. */
	assert_false(psync_peer_reply(&pi, 1, 0));
}

/*
 * Greater: new, or from before the site's clock was set back.  Were it taken
 * at once, an opening of the present one would be given up for a late packet.
 */
static void psync_peer_test_greater(void **state)
{
	struct psync_peer_inc pi;

	psync_peer_init(&pi);
	psync_peer_ask(&pi, 1000, 0);
	assert_int_equal(psync_peer_ask(&pi, 1001, 7), PSYNC_PEER_ASK);
	assert_int_equal(pi.inc, 1000);
	assert_int_equal(pi.candidate, 1001);
	assert_int_equal(pi.nonce, 4711 + 7);
	assert_int_equal(pi.deadline, 7 + WAIT);
	assert_int_equal(psync_peer_ask(&pi, 1001, 8), PSYNC_PEER_PARK);
	assert_int_equal(pi.nonce, 4711 + 7);
	/* Confirmed. */
	assert_false(psync_peer_reply(&pi, 1, 4712));
	assert_true(psync_peer_reply(&pi, 1001, 4711 + 7));
	assert_int_equal(psync_peer_ask(&pi, 1001, 9), PSYNC_PEER_TAKE);
	assert_int_equal(psync_peer_ask(&pi, 1000, 9), PSYNC_PEER_DROP);
	assert_false(psync_peer_reply(&pi, 1, 4711 + 7));
	/* Refuted. */
	assert_int_equal(psync_peer_ask(&pi, 2000, 10), PSYNC_PEER_ASK);
	assert_int_equal(psync_peer_ask(&pi, 1001, 10), PSYNC_PEER_TAKE);
	assert_true(psync_peer_reply(&pi, 1001, 4711 + 10));
	assert_int_equal(pi.inc, 1001);
	assert_int_equal(psync_peer_ask(&pi, 2000, 11), PSYNC_PEER_DROP);
}

/* Lower: a delayed packet is refuted, a clock set back is confirmed. */
static void psync_peer_test_lower(void **state)
{
	struct psync_peer_inc pi;

	psync_peer_init(&pi);
	psync_peer_ask(&pi, 1000, 0);
	assert_int_equal(psync_peer_ask(&pi, 900, 0), PSYNC_PEER_ASK);
	assert_int_equal(psync_peer_ask(&pi, 1000, 0), PSYNC_PEER_TAKE);
	assert_int_equal(psync_peer_ask(&pi, 950, 0), PSYNC_PEER_PARK);
	assert_true(psync_peer_reply(&pi, 1000, 4711));
	assert_int_equal(pi.inc, 1000);
	assert_int_equal(psync_peer_ask(&pi, 900, 1), PSYNC_PEER_DROP);
	/* That one was not settled by name. */
	assert_int_equal(psync_peer_ask(&pi, 950, 1), PSYNC_PEER_ASK);
	assert_true(psync_peer_reply(&pi, 950, 4712));
	assert_int_equal(pi.inc, 950);
	assert_int_equal(psync_peer_ask(&pi, 950, 2), PSYNC_PEER_TAKE);
	assert_int_equal(psync_peer_ask(&pi, 1000, 2), PSYNC_PEER_DROP);
}

/* The answer names a third one: that is the present one. */
static void psync_peer_test_third(void **state)
{
	struct psync_peer_inc pi;

	psync_peer_init(&pi);
	psync_peer_ask(&pi, 1000, 0);
	psync_peer_ask(&pi, 900, 0);
	assert_true(psync_peer_reply(&pi, 1100, 4711));
	assert_int_equal(pi.inc, 1100);
	assert_int_equal(psync_peer_ask(&pi, 900, 1), PSYNC_PEER_DROP);
	/* Refuted once, and true after all: the answer counts. */
	psync_peer_ask(&pi, 800, 1);
	assert_true(psync_peer_reply(&pi, 800, 4712));
	assert_int_equal(psync_peer_ask(&pi, 800, 2), PSYNC_PEER_TAKE);
}

static void psync_peer_test_timer(void **state)
{
	struct psync_peer_inc pi;
	u64 now = 0;
	u32 tries;

	psync_peer_init(&pi);
	psync_peer_ask(&pi, 1000, 0);
	psync_peer_ask(&pi, 900, now);
	assert_int_equal(psync_peer_timer(&pi, 99, 3), 0);
	assert_int_equal(psync_peer_timer(&pi, 100, 3), 1);
	assert_int_equal(pi.deadline, 300);
	assert_int_equal(psync_peer_timer(&pi, 299, 3), 0);
	assert_int_equal(psync_peer_timer(&pi, 300, 3), 1);
	assert_int_equal(pi.deadline, 700);
	assert_int_equal(psync_peer_timer(&pi, 700, 3), -1);
	assert_int_equal(pi.deadline, U64_MAX);
	assert_int_equal(pi.inc, 1000);
	assert_false(psync_peer_reply(&pi, 900, 4711));
	/* It may be asked again, and waits do not grow for ever. */
	assert_int_equal(psync_peer_ask(&pi, 900, 1000), PSYNC_PEER_ASK);
	assert_int_equal(pi.wait, WAIT);
	for (tries = 1; tries < 100; tries++)
		assert_int_equal(psync_peer_timer(&pi, pi.deadline, 100), 1);
	assert_int_equal(pi.wait, WAIT << 6);
	assert_int_equal(psync_peer_timer(&pi, pi.deadline, 100), -1);
}

const struct CMUnitTest psync_peer_tests[] = {
	cmocka_unit_test(psync_peer_test_first),
	cmocka_unit_test(psync_peer_test_greater),
	cmocka_unit_test(psync_peer_test_lower),
	cmocka_unit_test(psync_peer_test_third),
	cmocka_unit_test(psync_peer_test_timer),
};

const size_t psync_peer_ntests = ARRAY_SIZE(psync_peer_tests);
