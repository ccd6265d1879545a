// SPDX-License-Identifier: GPL-2.0-only
/*
 * What libpsync asks of a conversation, where there is one: masks, coming back,
 * members that hold others back, stability.  Needs three hosts on a bridge
 * without impairments of its own.
 */

#include <libpsync.h>

#include "lib.h"

#define HOSTS	3
#define HISTORY	65536

/* What psync_join() or psync_rejoin() gave at the host that was entered. */
static int joined(int fd)
{
	assert_true(fd >= 0);
	sock_timeout(fd, SO_RCVTIMEO, PATIENCE * 1000);
	sock_timeout(fd, SO_SNDTIMEO, PATIENCE * 1000);
	return fd;
}

static uint32_t open_all(int *fds)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++) {
		lab_enter(i + 1);
		fds[i] = joined(psync_join(group, 1, 0));
		assert_int_equal(psync_set_history(fds[i], HISTORY), 0);
	}
	return group;
}

static uint64_t say(int fd, const char *text)
{
	uint64_t mid;

	assert_int_equal(psync_send(fd, text, strlen(text), &mid), 0);
	return mid;
}

/* The next message, which is this; events are passed over. */
static uint64_t hear(int fd, const char *text)
{
	struct psync_received got;
	char body[100];
	int len;

	do {
		len = psync_recv(fd, body, sizeof(body) - 1, &got, NULL, 0);
		assert_true(len >= 0);
	} while (got.kind == PSYNC_RECEIVED_EVENT);
	body[len] = '\0';
	assert_string_equal(body, text);
	return got.mid;
}

static struct psync_event await_event(int fd, uint32_t type)
{
	struct psync_received got;
	char body[100];

	do
		assert_true(psync_recv(fd, body, sizeof(body), &got, NULL,
				       0) >= 0);
	while (got.kind != PSYNC_RECEIVED_EVENT || got.event.type != type);
	return got.event;
}

static void meet(const int *fds)
{
	int i;

	say(fds[0], "hello");
	for (i = 1; i < HOSTS; i++)
		hear(fds[i], "hello");
}

/* What psync_masks() says of participant @of. */
static struct psync_masked mask_of(int fd, uint32_t index, uint32_t of)
{
	struct psync_masked *all = NULL, one;

	assert_int_equal(psync_masks(fd, index, &all), HOSTS);
	assert_non_null(all);
	one = all[of];
	free(all);
	return one;
}

static void masks(void **state)
{
	struct psync_masked *none = NULL;
	int fds[HOSTS], fd;
	uint64_t last;

	fd = sock_new(1, SOCK_SEQPACKET);
	assert_int_equal(psync_mask_out(fd, 1), -ENOTCONN);
	assert_int_equal(psync_mask_cut(fd, PSYNC_MID(1, 1)), -ENOTCONN);
	assert_int_equal(psync_mask_in(fd, 1), -ENOTCONN);
	assert_int_equal(psync_masks(fd, PSYNC_MASKS_ALL, &none), -ENOTCONN);
	works(close(fd));
	open_all(fds);
	meet(fds);
	fd = fds[0];
	assert_int_equal(psync_mask_out(fd, 0), -EINVAL);
	assert_int_equal(psync_mask_out(fd, HOSTS), -EINVAL);
	assert_int_equal(psync_mask_cut(fd, PSYNC_MID(0, 1)), -EINVAL);
	assert_int_equal(psync_mask_in(fd, 2), -EALREADY);
	assert_int_equal(psync_masks(fd, HOSTS, &none), -EINVAL);
	assert_null(none);
	assert_int_equal(psync_mask_out(fd, 2), 0);
	assert_int_equal(psync_mask_out(fd, 2), -EALREADY);
	assert_int_equal(mask_of(fd, 2, 2).flags, PSYNC_MASKED_OUT);
	assert_int_equal(mask_of(fd, 2, 1).flags, PSYNC_MASKED_AWAITED);
	await_event(fds[2], PSYNC_EV_MASKED);
	assert_int_equal(mask_of(fds[2], PSYNC_MASKS_ALL, 0).flags,
			 PSYNC_MASKED_BY);
	/* Taken back; and then a cut far behind what there is. */
	assert_int_equal(psync_mask_in(fd, 2), 0);
	assert_int_equal(await_event(fds[2], PSYNC_EV_UNMASKED).reason, 2);
	do
		assert_int_equal(await_event(fd, PSYNC_EV_UNMASKED).reason, 2);
	while (mask_of(fd, PSYNC_MASKS_ALL, 2).flags);
	last = PSYNC_MID(2, 1000);
	assert_int_equal(psync_mask_cut(fd, last), 0);
	assert_int_equal(mask_of(fd, PSYNC_MASKS_ALL, 2).flags,
			 PSYNC_MASKED_OUT | PSYNC_MASKED_CUT);
	assert_true(mask_of(fd, PSYNC_MASKS_ALL, 2).cut == last);
	assert_int_equal(psync_mask_cut(fd, last), -EALREADY);
	assert_int_equal(psync_mask_out(fds[1], 2), 0);
	await_event(fd, PSYNC_EV_AGREED);
	await_event(fds[1], PSYNC_EV_AGREED);
	assert_true(mask_of(fd, 2, 2).flags & PSYNC_MASKED_AGREED);
	assert_int_equal(psync_mask_in(fd, 2), -EPERM);
	works(close(fds[1]));
	await_event(fd, PSYNC_EV_ENDED);
	assert_int_equal(psync_mask_out(fd, 1), -ESHUTDOWN);
	sock_close((int[]){ fds[0], fds[2] }, 2);
}

/* Out for good, it comes back, and is given what was said before. */
static void rejoined(void **state)
{
	uint32_t group, i;
	int fds[HOSTS];

	group = open_all(fds);
	meet(fds);
	say(fds[2], "hello all");
	for (i = 0; i < 2; i++)
		hear(fds[i], "hello all");
	for (i = 0; i < HOSTS; i++)
		unheld_none(fds[i]);
	for (i = 0; i < 2; i++)
		assert_int_equal(psync_mask_out(fds[i], 2), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(PSYNC_MID_INDEX(await_event(fds[i],
			PSYNC_EV_AGREED).mid), 2);
	lab_enter(HOSTS);
	assert_int_equal(psync_rejoin(group, 1, 0, 0), -EADDRINUSE);
	works(close(fds[2]));
	lab_enter(HOSTS);
	fds[2] = joined(psync_rejoin(group, 1, 0, 0));
	for (i = 0; i < 2; i++) {
		assert_int_equal(await_event(fds[i], PSYNC_EV_RESTARTED).site,
				 HOSTS);
		fails(send(fds[2], "x", 1, MSG_DONTWAIT), EAGAIN);
		assert_int_equal(psync_mask_in(fds[i], 2), 0);
	}
	hear(fds[2], "hello");
	assert_int_equal(PSYNC_MID_INDEX(hear(fds[2], "hello all")), 2);
	say(fds[2], "back");
	for (i = 0; i < 2; i++)
		hear(fds[i], "back");
	sock_close(fds, HOSTS);
}

/* From where the last run had come to. */
static void checkpoint(void **state)
{
	uint64_t cid, *leaves = NULL;
	uint32_t group, bytes;
	int fds[HOSTS], n;

	group = open_all(fds);
	meet(fds);
	assert_int_equal(psync_history(fds[0], &bytes), 0);
	assert_int_equal(bytes, HISTORY);
	assert_int_equal(psync_cid(fds[0], &cid), 0);
	n = psync_leaves(fds[0], &leaves);
	assert_true(n > 0);
	assert_int_equal(psync_set_restart(fds[0], 0, 0, NULL, 0), -EISCONN);
	say(fds[1], "missed");
	hear(fds[0], "missed");
	hear(fds[2], "missed");
	works(close(fds[0]));
	fds[0] = sock_new(1, SOCK_SEQPACKET);
	assert_int_equal(psync_set_restart(fds[0], 0, ~PSYNC_RESTART_KNOWN,
					   NULL, 0), -EINVAL);
	assert_int_equal(psync_set_restart(fds[0], cid + 1, 0, leaves, n), 0);
	assert_int_equal(psync_connect(fds[0], group, 1), -EINVAL);
	assert_int_equal(psync_set_restart(fds[0], cid, PSYNC_RESTART_ALL,
					   leaves, n), 0);
	free(leaves);
	assert_int_equal(psync_connect(fds[0], group, 1), 0);
	assert_int_equal(psync_want(fds[0], PSYNC_RECV_INFO, 0), 0);
	hear(fds[0], "missed");
	say(fds[0], "again");
	hear(fds[1], "again");
	sock_close(fds, HOSTS);
}

static void settings(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct psync_slow slow;
	struct psync_info info;
	int fd = sock_new(1, SOCK_SEQPACKET);

	assert_int_equal(psync_manual(fd), 0);
	assert_int_equal(psync_set_manual(fd, 5), 0);
	assert_int_equal(psync_manual(fd), 1);
	assert_int_equal(psync_set_manual(fd, 0), 0);
	assert_int_equal(psync_manual(fd), 0);
	assert_int_equal(psync_set_slow(fd, PSYNC_SLOW_SUSPECT, 0), -EINVAL);
	assert_int_equal(psync_set_slow(fd, 77, 5), -EINVAL);
	assert_int_equal(psync_set_slow(fd, PSYNC_SLOW_SUSPECT, 234), 0);
	assert_int_equal(psync_get_slow(fd, &slow), 0);
	assert_int_equal(slow.policy, PSYNC_SLOW_SUSPECT);
	assert_int_equal(slow.ms, 234);
	assert_int_equal(psync_connect(fd, group, 1), 0);
	assert_int_equal(psync_get_info(fd, &info), 0);
	assert_int_equal(info.slow, PSYNC_SLOW_SUSPECT);
	assert_int_equal(info.slow_ms, 234);
	/* The group does not allow that. */
	assert_int_equal(psync_set_slow(fd, PSYNC_SLOW_MASK, 5), -EINVAL);
	works(close(fd));
}

static void stability(void **state)
{
	int fds[HOSTS], fd;
	uint64_t mid;

	fd = sock_new(1, SOCK_SEQPACKET);
	assert_int_equal(psync_stable_poll(fd, PSYNC_MID(0, 1), 0, 0),
			 -ENOTCONN);
	works(close(fd));
	open_all(fds);
	mid = say(fds[0], "answer");
	assert_int_equal(psync_stable_poll(fds[0], mid + 5, 0, 0), -ENOENT);
	assert_int_equal(psync_stable_poll(fds[0], mid, HOSTS, 0), -EINVAL);
	assert_int_equal(psync_stable_poll(fds[0], mid, 0, 0), 0);
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	hear(fds[1], "answer");
	say(fds[1], "one");
	hear(fds[2], "answer");
	say(fds[2], "two");
	assert_int_equal(await_poll(fds[0], POLLPRI), POLLPRI);
	assert_int_equal(psync_stable_wait(fds[0], mid, 0, 0), 0);
	assert_int_equal(psync_stable_poll(fds[0], 0, 0, 0), 0);
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	sock_close(fds, HOSTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks),
		cmocka_unit_test(rejoined),
		cmocka_unit_test(checkpoint),
		cmocka_unit_test(settings),
		cmocka_unit_test(stability),
	};

	lab_init();
	return lab_main(tests);
}
