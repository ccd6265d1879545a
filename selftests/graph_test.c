// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program may ask of the graph beside the paper's questions: to forget
 * (PSYNC_FREE_NODE). Needs two hosts.
 */

#include "lib.h"

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PSYNC, option, value, len);
}

static int free_mid(int fd, uint64_t mid)
{
	return set(fd, PSYNC_FREE_NODE, &mid, sizeof(mid));
}

/* A conversation of two: hosts 1 and 2. */
static void open_pair(int *fds)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);

	fds[0] = sock_joined(1, 0, group, 1);
	fds[1] = sock_joined(2, 0, group, 1);
}

static void free_errors(void **state)
{
	uint64_t mid = PSYNC_MID(0, 1);
	int fds[2];
	int fd = sock_new(1, SOCK_SEQPACKET);

	fails(free_mid(fd, mid), ENOTCONN);
	works(close(fd));
	open_pair(fds);
	fails(free_mid(fds[0], mid), ENOENT);
	fails(free_mid(fds[0], 0), ENOENT);
	fails(free_mid(fds[0], ~0ULL), ENOENT);
	assert_true(msg_send(fds[0], "x") == mid);
	fails(set(fds[0], PSYNC_FREE_NODE, &mid, 7), EINVAL);
	fails(set(fds[0], PSYNC_FREE_NODE, &mid, 9), EINVAL);
	fails(set(fds[0], PSYNC_FREE_NODE, (void *)8, 8), EFAULT);
	/* Not stable; and at the other host not received. */
	fails(free_mid(fds[0], mid), EBUSY);
	await_poll(fds[1], POLLIN);
	fails(free_mid(fds[1], mid), ENOENT);
	sock_close(fds, 2);
}

/* P 3.3: a message goes with all that precede it, at this site alone. */
static void free_node(void **state)
{
	struct psync_query_stable stable;
	uint64_t first, second, third, mids[8];
	int fds[2];

	lab_no_nulls();
	open_pair(fds);
	first = msg_send(fds[0], "first");
	msg_expect(fds[1], "first");
	second = msg_send(fds[1], "second");
	msg_expect(fds[0], "second");
	fails(free_mid(fds[0], second), EBUSY);
	third = msg_send(fds[0], "third");
	works(free_mid(fds[0], second));
	assert_int_equal(opt_info(fds[0]).nodes, 1);
	fails(free_mid(fds[0], second), ESTALE);
	fails(free_mid(fds[0], first), ESTALE);
	fails(free_mid(fds[0], third), EBUSY);
	assert_int_equal(query(fds[0], PSYNC_NEXT, first, mids, 8), -ESTALE);
	assert_int_equal(query_precedes(fds[0], first, third), -ESTALE);
	query_is(fds[0], PSYNC_PREV, third, second);
	query_is(fds[0], PSYNC_ROOT, 0, first);
	query_is(fds[0], PSYNC_LEAVES, 0, third);
	assert_int_equal(query(fds[0], PSYNC_MIDS, 0, mids, 8), 1);
	assert_int_equal(query_stable(fds[0], first, &stable), 1);
	/* The other site keeps what it wants. */
	msg_expect(fds[1], "third");
	assert_int_equal(query_precedes(fds[1], first, third), 1);
	works(free_mid(fds[1], first));
	assert_int_equal(query_precedes(fds[1], second, third), 1);
	/* It goes on. */
	msg_send(fds[1], "fourth");
	msg_expect(fds[0], "fourth");
	works(free_mid(fds[0], third));
	sock_close(fds, 2);
	lab_nulls();
}

/* Of two participants here one has yet to receive it. */
static void free_local(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 3);
	uint64_t first;
	int a, b, c;

	lab_no_nulls();
	a = sock_joined(1, port, group, 1);
	b = sock_joined(2, 0, group, 1);
	c = sock_joined(1, port2, group, 1);
	first = msg_send(a, "first");
	msg_expect(b, "first");
	msg_send(b, "second");
	msg_expect(a, "second");
	fails(free_mid(a, first), EBUSY);
	msg_expect(c, "first");
	fails(free_mid(c, first), EBUSY);
	msg_send(c, "third");
	msg_expect(a, "third");
	works(free_mid(a, first));
	fails(free_mid(c, first), ESTALE);
	sock_close((int[]){ a, b, c }, 3);
	lab_nulls();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_errors),
		cmocka_unit_test(free_node),
		cmocka_unit_test(free_local),
	};

	lab_init();
	return lab_main(tests);
}
