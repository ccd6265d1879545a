// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program may ask of the graph beside the paper's questions: to forget
 * (PSYNC_FREE_NODE), to tell when something is n-stable (PSYNC_STABLE_WAIT,
 * PSYNC_STABLE_POLL), to give null messages and END (PSYNC_RECV_NULLS). Needs
 * two hosts.
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "lib.h"

#define WAITS	64	/* threads that may wait on one socket */

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

static int wait_for(int fd, struct psync_query_wait *q)
{
	socklen_t len = sizeof(*q);

	return getsockopt(fd, SOL_PSYNC, PSYNC_STABLE_WAIT, q, &len);
}

static int wait_n(int fd, uint64_t mid, uint32_t participants, uint32_t sites)
{
	struct psync_query_wait q = { mid, participants, sites, 0, 0 };

	return wait_for(fd, &q);
}

static int poll_n(int fd, uint64_t mid, uint32_t participants, uint32_t sites)
{
	struct psync_query_wait q = { mid, participants, sites, 0, 0 };

	return set(fd, PSYNC_STABLE_POLL, &q, sizeof(q));
}

static void on_signal(int sig)
{
}

static void wait_errors(void **state)
{
	struct psync_query_wait q = { PSYNC_MID(0, 1), 0, 0, 0, 0 };
	int fd = sock_new(1, SOCK_SEQPACKET);
	socklen_t len = sizeof(q) - 1;
	uint64_t mid, begin;
	int fds[2];

	fails(wait_for(fd, &q), ENOTCONN);
	fails(set(fd, PSYNC_STABLE_POLL, &q, sizeof(q)), ENOTCONN);
	works(close(fd));
	lab_no_nulls();
	open_pair(fds);
	fd = fds[0];
	fails(wait_for(fd, &q), ENOENT);
	fails(set(fd, PSYNC_STABLE_POLL, &q, sizeof(q)), ENOENT);
	mid = msg_send(fd, "x");
	fails(wait_n(fd, 0, 1, 0), ENOENT);
	fails(wait_n(fd, PSYNC_MID(7, 1), 1, 0), ENOENT);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_STABLE_WAIT, &q, &len), EINVAL);
	len = sizeof(q);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_STABLE_WAIT, (void *)8, &len),
	      EFAULT);
	fails(set(fd, PSYNC_STABLE_POLL, &q, sizeof(q) - 1), EINVAL);
	fails(set(fd, PSYNC_STABLE_POLL, &q, sizeof(q) + 1), EINVAL);
	fails(set(fd, PSYNC_STABLE_POLL, (void *)8, sizeof(q)), EFAULT);
	fails(wait_n(fd, mid, 2, 0), EINVAL);
	fails(wait_n(fd, mid, 0, 3), EINVAL);
	fails(poll_n(fd, mid, 2, 0), EINVAL);
	fails(poll_n(fd, 0, 1, 0), EINVAL);
	fails(poll_n(fd, 0, 0, 1), EINVAL);
	q = (struct psync_query_wait){ .mid = mid, .answer = 1 };
	fails(wait_for(fd, &q), EINVAL);
	q = (struct psync_query_wait){ .mid = mid, .reserved = 1 };
	fails(wait_for(fd, &q), EINVAL);
	fails(set(fd, PSYNC_STABLE_POLL, &q, sizeof(q)), EINVAL);
	sock_timeout(fd, SO_RCVTIMEO, 60);
	begin = clock_ms();
	fails(wait_n(fd, mid, 0, 0), EAGAIN);
	assert_true(clock_ms() - begin >= 50);
	sock_timeout(fd, SO_RCVTIMEO, 0);
	works(fcntl(fd, F_SETFL, O_NONBLOCK));
	fails(wait_n(fd, mid, 1, 0), EAGAIN);
	/* The sender's own site has it. */
	works(wait_n(fd, mid, 0, 1));
	sock_close(fds, 2);
	lab_nulls();
}

static void wait_signal(void **state)
{
	const struct itimerval every = {
		.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000,
	};
	const struct itimerval off = { 0 };
	struct sigaction act = { .sa_handler = on_signal };
	uint64_t mid;
	int fds[2];

	open_pair(fds);
	mid = msg_send(fds[0], "x");
	works(sigaction(SIGALRM, &act, NULL));
	works(setitimer(ITIMER_REAL, &every, NULL));
	fails(wait_n(fds[0], mid, 0, 0), EINTR);
	works(setitimer(ITIMER_REAL, &off, NULL));
	sock_close(fds, 2);
}

struct waiter {
	struct sleeper s;
	struct psync_query_wait q;
};

static void *waiter_thread(void *arg)
{
	struct waiter *w = arg;

	sleeper_here(&w->s);
	return (void *)(long)(wait_for(w->s.fd, &w->q) ? -errno : 0);
}

/* Woken by what was not received, by a null message, by the END of others. */
static void wait_wakes(void **state)
{
	struct waiter w[2] = { 0 };
	pthread_t thread[2];
	void *result;
	int fds[2], i;

	open_pair(fds);
	for (i = 0; i < 2; i++) {
		w[i].s.fd = fds[0];
		w[i].q.mid = msg_send(fds[0], "x");
		w[i].q.participants = i;
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						waiter_thread, &w[i]), 0);
	for (i = 0; i < 2; i++)
		sleeper_await(&w[i].s, SYS_getsockopt);
	msg_expect(fds[1], "x");
	msg_send(fds[1], "answer");
	pthread_join(thread[0], &result);
	assert_int_equal((long)result, 0);
	assert_int_equal(w[0].q.answer, 1);
	assert_int_equal(w[0].q.participants, 1);
	assert_int_equal(w[0].q.sites, 2);
	/* Nothing but a null message acknowledges the other one. */
	msg_expect(fds[1], "x");
	pthread_join(thread[1], &result);
	assert_int_equal((long)result, 0);
	assert_int_equal(w[1].q.participants, 1);
	works(wait_n(fds[0], w[1].q.mid, 1, 2));
	msg_expect(fds[0], "answer");
	sock_close(fds, 2);
}

/* So many threads may sleep on one socket, and no more. */
static void wait_many(void **state)
{
	static struct waiter w[WAITS];
	pthread_t thread[WAITS];
	uint64_t mid, next;
	void *result;
	int fds[2], i;

	open_pair(fds);
	mid = msg_send(fds[0], "x");
	next = msg_send(fds[0], "y");
	for (i = 0; i < WAITS; i++) {
		w[i].s.fd = fds[0];
		w[i].q.mid = mid;
		assert_int_equal(pthread_create(&thread[i], NULL,
						waiter_thread, &w[i]), 0);
		sleeper_await(&w[i].s, SYS_getsockopt);
	}
	fails(wait_n(fds[0], mid, 0, 0), ENOBUFS);
	fails(wait_n(fds[0], next, 1, 2), ENOBUFS);
	/* But who need not sleep, or will not. */
	works(wait_n(fds[0], mid, 0, 1));
	works(poll_n(fds[0], next, 0, 0));
	works(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	fails(wait_n(fds[0], mid, 0, 0), EAGAIN);
	works(fcntl(fds[0], F_SETFL, 0));
	msg_expect(fds[1], "x");
	for (i = 0; i < WAITS; i++) {
		pthread_join(thread[i], &result);
		assert_int_equal((long)result, 0);
	}
	sock_timeout(fds[0], SO_RCVTIMEO, 60);
	fails(wait_n(fds[0], next, 0, 0), EAGAIN);
	sock_close(fds, 2);
}

/* Who closes without it will never have it. */
static void wait_never(void **state)
{
	struct waiter w = { 0 };
	pthread_t thread;
	void *result;
	int fds[2];

	open_pair(fds);
	w.s.fd = fds[0];
	w.q.mid = msg_send(fds[0], "x");
	w.q.sites = 2;
	await_poll(fds[1], POLLIN);
	works(poll_n(fds[0], w.q.mid, 1, 0));
	assert_int_equal(pthread_create(&thread, NULL, waiter_thread, &w), 0);
	sleeper_await(&w.s, SYS_getsockopt);
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	works(close(fds[1]));
	pthread_join(thread, &result);
	assert_int_equal((long)result, -EPIPE);
	assert_int_equal(await_poll(fds[0], POLLPRI), POLLPRI);
	fails(wait_n(fds[0], w.q.mid, 1, 0), EPIPE);
	/* But nobody waits for it, either. */
	works(wait_n(fds[0], w.q.mid, 0, 0));
	works(close(fds[0]));
}

/* poll() tells, until it is asked for something else. */
static void wait_poll(void **state)
{
	uint64_t first, second;
	int fds[2];

	open_pair(fds);
	first = msg_send(fds[0], "first");
	second = msg_send(fds[0], "second");
	works(poll_n(fds[0], first, 0, 2));
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	msg_expect(fds[1], "first");
	assert_int_equal(await_poll(fds[0], POLLPRI), POLLPRI);
	works(wait_n(fds[0], first, 0, 2));
	works(poll_n(fds[0], second, 1, 0));
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	fails(poll_n(fds[0], PSYNC_MID(1, 500), 1, 0), ENOENT);
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	/* It is so already. */
	works(poll_n(fds[0], first, 0, 0));
	assert_int_equal(poll_now(fds[0], POLLPRI), POLLPRI);
	works(poll_n(fds[0], 0, 0, 0));
	assert_int_equal(poll_now(fds[0], POLLPRI), 0);
	works(poll_n(fds[0], second, 0, 0));
	sock_close(fds, 2);
}

static void shown(int fd, int sender, uint32_t flags)
{
	struct msg m;

	msg_recv(fd, &m);
	assert_int_equal(m.len, 0);
	assert_false(m.event);
	assert_true(m.has_info);
	/* The other kernel may think it lost. */
	assert_int_equal(m.info.flags & ~PSYNC_MSG_REPEATED, flags);
	assert_int_equal(m.info.index, sender);
}

/* Null messages and END are given on request, each once, in their places. */
static void nulls_shown(void **state)
{
	const uint32_t all = PSYNC_RECV_INFO | PSYNC_RECV_PREDS |
			     PSYNC_RECV_NULLS;
	uint64_t nulls = stat_of(1, "MsgNullReceived");
	uint64_t ends = stat_of(1, "MsgEndReceived");
	uint64_t received = stat_of(1, "MsgReceived");
	struct msg m;
	int fds[2], fd;

	fd = sock_new(1, SOCK_SEQPACKET);
	fails(opt_set_u32(fd, PSYNC_RECVINFO, PSYNC_RECV_NULLS), EINVAL);
	fails(opt_set_u32(fd, PSYNC_RECVINFO, PSYNC_RECV_NULLS |
			  PSYNC_RECV_PREDS), EINVAL);
	fails(opt_set_u32(fd, PSYNC_RECVINFO, 8), EINVAL);
	works(opt_set_u32(fd, PSYNC_RECVINFO, all));
	assert_int_equal(opt_u32(fd, PSYNC_RECVINFO), all);
	works(close(fd));
	open_pair(fds);
	works(opt_set_u32(fds[0], PSYNC_RECVINFO, all));
	msg_send(fds[0], "x");
	msg_recv(fds[1], &m);
	assert_int_equal(m.info.flags, 0);
	assert_int_equal(await_poll(fds[0], POLLIN), POLLIN);
	assert_int_equal(opt_outstanding(fds[0]), 1);
	assert_int_equal(opt_info(fds[0]).view, 1);
	shown(fds[0], 1, PSYNC_MSG_NULL);
	assert_int_equal(opt_info(fds[0]).view, 2);
	msg_none(fds[0]);
	assert_int_equal(stat_of(1, "MsgNullReceived"), nulls + 1);
	/* What waits when nobody wants it any more is received by itself. */
	msg_send(fds[0], "y");
	msg_recv(fds[1], &m);
	assert_int_equal(await_poll(fds[0], POLLIN), POLLIN);
	works(opt_set_u32(fds[0], PSYNC_RECVINFO, PSYNC_RECV_INFO));
	msg_none(fds[0]);
	works(opt_set_u32(fds[0], PSYNC_RECVINFO, all));
	msg_none(fds[0]);
	assert_int_equal(stat_of(1, "MsgNullReceived"), nulls + 2);
	works(opt_set_u32(fds[1], PSYNC_MANUAL, 1));
	msg_send(fds[1], "bare");
	msg_recv(fds[0], &m);
	assert_string_equal(m.body, "bare");
	assert_int_equal(m.info.flags, PSYNC_MSG_MANUAL);
	works(opt_set_u32(fds[1], PSYNC_MANUAL, 0));
	works(close(fds[1]));
	shown(fds[0], 1, PSYNC_MSG_END);
	msg_none(fds[0]);
	works(close(fds[0]));
	assert_int_equal(stat_of(1, "MsgNullReceived"), nulls + 2);
	assert_int_equal(stat_of(1, "MsgEndReceived"), ends + 1);
	assert_int_equal(stat_of(1, "MsgReceived"), received + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_errors),
		cmocka_unit_test(free_node),
		cmocka_unit_test(free_local),
		cmocka_unit_test(wait_errors),
		cmocka_unit_test(wait_signal),
		cmocka_unit_test(wait_wakes),
		cmocka_unit_test(wait_many),
		cmocka_unit_test(wait_never),
		cmocka_unit_test(wait_poll),
		cmocka_unit_test(nulls_shown),
	};

	lab_init();
	lab_nulls();
	return lab_main(tests);
}
