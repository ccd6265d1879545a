// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations among hosts: the context graph of the paper, opening in all
 * its ways, causal order. With one host or more; tests that need more hosts
 * than the lab has are not run. With LAB_REORDERS in the environment links
 * delay and reorder packets, and the random workload must have met that.
 */

#include <pthread.h>

#include "lib.h"

#define M(index, seq) PSYNC_MID(index, seq)

static void events_on(int fd)
{
	works(opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
}

/* All hosts of the lab in one rendezvous, confirmed to one another. */
static void open_all(int *fds, uint32_t group, uint32_t number)
{
	int i;

	for (i = 0; i < lab.hosts; i++)
		fds[i] = sock_joined(i + 1, 0, group, number);
}

/* The paper's figure 1; three participants on the hosts of fds. */
static void figure_1(int a, int b, int c)
{
	const uint64_t m1 = M(0, 1), m2 = M(1, 1), m3 = M(2, 1), m4 = M(0, 2),
		       m5 = M(1, 2);
	const uint64_t all[] = { m1, m2, m3, m4, m5 };
	/* Who precedes whom: a bit for each message of "all". */
	const unsigned int after[] = { 0x1e, 0x10, 0x18, 0x10, 0 };
	const struct { int answer; unsigned int others, sites; } stable[] = {
		{ 1, 2, 3 }, { 0, 0, 1 }, { 1, 2, 3 }, { 0, 1, 2 }, { 0, 0, 1 },
	};
	const int fds[] = { a, b, c };
	struct psync_query_stable s;
	unsigned int i, j, k;

	assert_true(msg_send(a, "m1") == m1);
	assert_true(msg_expect(b, "m1") == m1);
	assert_true(msg_expect(c, "m1") == m1);
	assert_true(msg_send(c, "m3") == m3);
	assert_true(msg_expect(a, "m3") == m3);
	assert_true(msg_send(a, "m4") == m4);
	assert_true(msg_send(b, "m2") == m2);
	assert_true(msg_expect(b, "m3") == m3);
	assert_true(msg_expect(b, "m4") == m4);
	query_is(b, PSYNC_LEAVES, 0, m4, m2);
	assert_true(msg_send(b, "m5") == m5);
	/* m2 and m5 are all that a has not seen; c has m2 and m4 in any order. */
	msg_expect(a, "m2");
	msg_expect(a, "m5");
	for (i = 0, k = 0; i < 2; i++) {
		struct msg m;

		msg_recv(c, &m);
		k |= m.body[1] == '2' ? 1 : m.body[1] == '4' ? 2 : 4;
	}
	assert_int_equal(k, 3);
	msg_expect(c, "m5");

	for (k = 0; k < 3; k++) {
		query_is(fds[k], PSYNC_ROOT, 0, m1);
		query_is(fds[k], PSYNC_LEAVES, 0, m5);
		query_is(fds[k], PSYNC_NEXT, m1, m2, m3);
		query_is(fds[k], PSYNC_NEXT, m2, m5);
		query_is(fds[k], PSYNC_NEXT, m3, m4);
		query_is(fds[k], PSYNC_NEXT, m4, m5);
		assert_int_equal(query(fds[k], PSYNC_NEXT, m5, NULL, 0), 0);
		assert_int_equal(query(fds[k], PSYNC_PREV, m1, NULL, 0), 0);
		query_is(fds[k], PSYNC_PREV, m2, m1);
		query_is(fds[k], PSYNC_PREV, m3, m1);
		query_is(fds[k], PSYNC_PREV, m4, m3);
		query_is(fds[k], PSYNC_PREV, m5, m4, m2);
		assert_int_equal(opt_outstanding(fds[k]), 0);
		assert_int_equal(opt_info(fds[k]).view, 5);
		for (i = 0; i < 5; i++) {
			for (j = 0; j < 5; j++)
				assert_int_equal(query_precedes(fds[k], all[i],
								all[j]),
						 after[i] >> j & 1);
			assert_int_equal(query_stable(fds[k], all[i], &s),
					 stable[i].answer);
			assert_int_equal(s.participants, stable[i].others);
		}
	}
	/* Sites: as many as participants on three hosts. */
	if (lab.hosts >= 3 && opt_info(a).number == 1)
		for (i = 0; i < 5; i++) {
			query_stable(a, all[i], &s);
			assert_int_equal(s.sites, stable[i].sites);
		}
}

static void figure_1_on_three_hosts(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port }, { 3, port } };
	uint32_t group = group_new(pids, 3);
	int a = sock_joined(1, 0, group, 1), b = sock_joined(2, 0, group, 1),
	    c = sock_joined(3, 0, group, 1);

	figure_1(a, b, c);
	sock_close((int[]){ a, b, c }, 3);
}

/* Two of the three share a host and its image. */
static void figure_1_on_two_hosts(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = {
		{ 1, port }, { 2, port }, { 2, port2 }
	};
	uint32_t group = group_new(pids, 3);
	int a = sock_joined(1, 0, group, 2), b = sock_joined(2, port, group, 2),
	    c = sock_joined(2, port2, group, 2);

	figure_1(a, b, c);
	assert_int_equal(opt_info(b).nodes, 5);
	sock_close((int[]){ a, b, c }, 3);
}

/* All on one host: nothing goes over the network. */
static void figure_1_on_one_host(void **state)
{
	uint32_t port = port_new(), port2 = port_new(), port3 = port_new();
	const struct psync_pid pids[] = {
		{ 1, port }, { 1, port2 }, { 1, port3 }
	};
	uint32_t group = group_new(pids, 3);
	struct stats before, after;
	int a, b, c;

	/* What lingers of other conversations may have something to say. */
	convs_none(1);
	stats_read(1, &before);
	a = sock_joined(1, port, group, 2);
	b = sock_joined(1, port2, group, 2);
	c = sock_joined(1, port3, group, 2);
	figure_1(a, b, c);
	stats_read(1, &after);
	assert_int_equal(stats_value(&after, "TxPackets"),
			 stats_value(&before, "TxPackets"));
	assert_int_equal(stats_value(&after, "RxPackets"),
			 stats_value(&before, "RxPackets"));
	assert_int_equal(stats_value(&after, "MsgSent") -
			 stats_value(&before, "MsgSent"), 5);
	assert_int_equal(stats_value(&after, "MsgReceived") -
			 stats_value(&before, "MsgReceived"), 10);
	sock_close((int[]){ a, b, c }, 3);
}

/*
 * Packets but for what a host may say until somebody looks: to be told that what
 * it sent has come, which on a slow host takes longer than it waits.
 */
static uint64_t first_packets(const struct stats *s)
{
	return stats_value(s, "TxPackets") - stats_value(s, "AckSent") -
	       stats_value(s, "MsgRepeated");
}

/* P 2: active_open sends nothing; passive_open ends with the first message. */
static void active_passive(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int listeners[LAB_HOSTS_MAX], conns[LAB_HOSTS_MAX];
	struct stats before, after;
	int i, k, a;

	for (i = 1; i < lab.hosts; i++)
		listeners[i] = sock_listening(i + 1, port, 4);
	convs_none(1);
	stats_read(1, &before);
	a = sock_joined(1, 0, group, 0);
	assert_int_equal(stat_of(1, "TxPackets"),
			 stats_value(&before, "TxPackets"));
	for (i = 1; i < lab.hosts; i++)
		assert_int_equal(poll_now(listeners[i], POLLIN), 0);
	msg_send(a, "start");
	stats_read(1, &after);
	/* One packet for each other host, and no question. */
	assert_int_equal(first_packets(&after) - first_packets(&before),
			 lab.hosts - 1);
	assert_int_equal(stats_value(&after, "HelloSent"),
			 stats_value(&before, "HelloSent"));
	for (i = 1; i < lab.hosts; i++) {
		conns[i] = sock_accept(listeners[i]);
		msg_expect(conns[i], "start");
		assert_int_equal(opt_info(conns[i]).index, i);
		assert_int_equal(opt_info(conns[i]).group, group);
		assert_true(opt_u64(conns[i], PSYNC_CID) ==
			    opt_u64(a, PSYNC_CID));
	}
	for (i = 1; i < lab.hosts; i++) {
		msg_send(conns[i], "reply");
		msg_expect(a, "reply");
		for (k = 1; k < lab.hosts; k++)
			if (k != i)
				msg_expect(conns[k], "reply");
	}
	works(close(a));
	sock_close(conns + 1, lab.hosts - 1);
	sock_close(listeners + 1, lab.hosts - 1);
}

/* Three listeners of one host share the image; each gets its own socket. */
static void passive_three_on_a_host(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = {
		{ 2, port }, { 2, port + 100000 }, { 1, port },
		{ 2, port + 200000 },
	};
	uint32_t group = group_new(pids, 4);
	int listeners[3], conns[3], a, i;

	for (i = 0; i < 3; i++)
		listeners[i] = sock_listening(2, port + i * 100000, 4);
	a = sock_joined(1, 0, group, 0);
	msg_send(a, "start");
	for (i = 0; i < 3; i++) {
		conns[i] = sock_accept(listeners[i]);
		assert_int_equal(opt_info(conns[i]).index, i < 2 ? i : 3);
		msg_expect(conns[i], "start");
	}
	/* Attached once, received three times. */
	for (i = 0; i < 3; i++)
		assert_int_equal(opt_info(conns[i]).nodes, 1);
	msg_send(conns[1], "reply");
	msg_expect(a, "reply");
	msg_expect(conns[0], "reply");
	msg_expect(conns[2], "reply");
	works(close(a));
	sock_close(conns, 3);
	sock_close(listeners, 3);
}

/* A rendezvous that a listener here did not open, but is a member of. */
static void passive_rendezvous(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int listener = sock_listening(2, port, 4);
	int a = sock_joined(1, 0, group, 5), b;
	struct sockaddr_psync peer;
	socklen_t len = sizeof(peer);

	msg_send(a, "start");
	b = sock_accept(listener);
	msg_expect(b, "start");
	works(getpeername(b, (struct sockaddr *)&peer, &len));
	assert_int_equal(peer.sp_group, group);
	assert_int_equal(peer.sp_number, 5);
	assert_int_equal(opt_info(b).number, 5);
	msg_send(b, "reply");
	msg_expect(a, "reply");
	sock_close((int[]){ a, b, listener }, 3);
}

/* Active open here, with listeners here, without the network. */
static void passive_local(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 2);
	int listener = sock_listening(1, port2, 4);
	uint64_t sent;
	int a, b;

	convs_none(1);
	sent = stat_of(1, "TxPackets");
	a = sock_joined(1, port, group, 0);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	msg_send(a, "start");
	b = sock_accept(listener);
	msg_expect(b, "start");
	msg_send(b, "reply");
	msg_expect(a, "reply");
	assert_int_equal(stat_of(1, "TxPackets"), sent);
	sock_close((int[]){ a, b, listener }, 3);
}

/* Any number of roots: all speak before they have heard anybody. */
static void many_roots(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	uint64_t roots[LAB_HOSTS_MAX];
	int fds[LAB_HOSTS_MAX];
	struct msg m;
	int i, k;

	open_all(fds, group, 7);
	for (i = 0; i < lab.hosts; i++)
		roots[i] = msg_send(fds[i], "root");
	for (i = 0; i < lab.hosts; i++)
		for (k = 1; k < lab.hosts; k++)
			msg_recv(fds[i], &m);
	for (i = 0; i < lab.hosts; i++) {
		query_is_at(fds[i], PSYNC_ROOT, 0, roots, lab.hosts, __FILE__,
			    __LINE__);
		query_is_at(fds[i], PSYNC_LEAVES, 0, roots, lab.hosts,
			    __FILE__, __LINE__);
		msg_none(fds[i]);
	}
	/* One message joins them all. */
	msg_send(fds[0], "join");
	for (i = 1; i < lab.hosts; i++) {
		msg_expect(fds[i], "join");
		query_is_at(fds[i], PSYNC_PREV, M(0, 2), roots, lab.hosts,
			    __FILE__, __LINE__);
		query_is(fds[i], PSYNC_LEAVES, 0, M(0, 2));
	}
	sock_close(fds, lab.hosts);
}

struct opener {
	pthread_barrier_t	*barrier;
	uint32_t		group;
	int			host;
	int			fd;
	char			heard[8];
};

static void *opener_thread(void *arg)
{
	struct sockaddr_psync a;
	struct opener *o = arg;

	a = addr_group(o->group, 9);
	pthread_barrier_wait(o->barrier);
	if (connect(o->fd, (struct sockaddr *)&a, sizeof(a)) ||
	    send(o->fd, o->host == 1 ? "one" : "two", 3, 0) != 3 ||
	    recv(o->fd, o->heard, sizeof(o->heard) - 1, 0) != 3)
		return "failed";
	return NULL;
}

/* S1.4: opened by two at the same instant: one conversation. */
static void opened_at_once(void **state)
{
	struct opener openers[2] = { 0 };
	pthread_barrier_t barrier;
	pthread_t threads[2];
	void *result;
	int round, rounds = lab_scaled(10, 2), i;

	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < rounds; round++) {
		uint32_t group = group_of_hosts(port_new());

		for (i = 0; i < 2; i++) {
			openers[i].barrier = &barrier;
			openers[i].group = group;
			openers[i].host = i + 1;
			openers[i].fd = sock_new(i + 1, SOCK_SEQPACKET);
			pthread_create(&threads[i], NULL, opener_thread,
				       &openers[i]);
		}
		for (i = 0; i < 2; i++) {
			pthread_join(threads[i], &result);
			assert_null(result);
		}
		assert_string_equal(openers[0].heard, "two");
		assert_string_equal(openers[1].heard, "one");
		assert_true(opt_u64(openers[0].fd, PSYNC_CID) ==
			    opt_u64(openers[1].fd, PSYNC_CID));
		sock_close((int[]){ openers[0].fd, openers[1].fd }, 2);
	}
	pthread_barrier_destroy(&barrier);
}

/* Who opens late gets what came before. */
static void late_opener(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1), b;
	char text[8];
	int i;

	for (i = 0; i < 20; i++) {
		sprintf(text, "%d", i);
		msg_send(a, text);
	}
	b = sock_joined(2, 0, group, 1);
	for (i = 0; i < 20; i++) {
		sprintf(text, "%d", i);
		assert_true(msg_expect(b, text) == M(0, i + 1));
	}
	msg_send(b, "thanks");
	msg_expect(a, "thanks");
	sock_close((int[]){ a, b }, 2);
}

/* ... within the limits: of messages, and of bytes. */
static void late_opener_limits(void **state)
{
	unsigned int early = sysctl_set(2, "early_max", 4);
	unsigned int bytes = sysctl_get(2, "pending_bytes");
	uint32_t group = group_of_hosts(port_new());
	uint64_t full = stat_of(2, "DropPendingFull");
	uint64_t got = stat_of(2, "RxPackets");
	int a = sock_joined(1, 0, group, 1), b;
	char text[100] = "";
	int i;

	for (i = 0; i < 6; i++) {
		sprintf(text, "%d", i);
		msg_send(a, text);
	}
	stat_await(2, "RxPackets", got + 6);
	stat_await(2, "DropPendingFull", full + 2);
	b = sock_joined(2, 0, group, 1);
	for (i = 0; i < 4; i++) {
		sprintf(text, "%d", i);
		msg_expect(b, text);
	}
	msg_none(b);
	sock_close((int[]){ a, b }, 2);

	sysctl_set(2, "early_max", early);
	/* By memory: one is kept whatever it takes. */
	sysctl_set(2, "pending_bytes", 1);
	group = group_of_hosts(port_new());
	a = sock_joined(1, 0, group, 1);
	for (i = 0; i < 4; i++)
		works(send(a, text, sizeof(text), 0));
	stat_await(2, "DropPendingFull", full + 5);
	b = sock_joined(2, 0, group, 1);
	msg_expect(b, text);
	msg_none(b);
	sock_close((int[]){ a, b }, 2);
	sysctl_set(2, "pending_bytes", bytes);
}

/* How many conversations nobody here has opened: the oldest goes. */
static void pending_limit(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	uint64_t evicted = stat_of(2, "ConvEvicted");
	unsigned int old = sysctl_set(2, "pending_max", 2);
	int fds[4], late[4], i;

	for (i = 0; i < 4; i++) {
		fds[i] = sock_joined(1, 0, group, i + 1);
		msg_send(fds[i], "early");
		works(close(fds[i]));
		fds[i] = -1;
	}
	/* Those of a participant that has gone are nobody's any more. */
	stat_await(2, "ConvEvicted", evicted + 2);
	late[0] = sock_joined(2, 0, group, 4);
	msg_none(late[0]);
	works(close(late[0]));
	sysctl_set(2, "pending_max", old);
}

/* The same with participants that live: what was given up comes again. */
static void pending_kept(void **state)
{
	uint32_t port = port_new();
	struct psync_pid pids[4][2];
	uint64_t evicted = stat_of(2, "ConvEvicted");
	unsigned int old = sysctl_set(2, "pending_max", 2);
	uint32_t group[4];
	int a[4], b[4], i;

	for (i = 0; i < 4; i++) {
		pids[i][0] = (struct psync_pid){ 1, port + 1000 * i };
		pids[i][1] = (struct psync_pid){ 2, port + 1000 * i };
		group[i] = group_new(pids[i], 2);
		a[i] = sock_joined(1, 0, group[i], 1);
		msg_send(a[i], "early");
	}
	stat_await(2, "ConvEvicted", evicted + 2);
	for (i = 0; i < 4; i++)
		b[i] = sock_joined(2, 0, group[i], 1);
	for (i = 0; i < 4; i++)
		msg_expect(b[i], "early");
	sock_close(a, 4);
	sock_close(b, 4);
	sysctl_set(2, "pending_max", old);
}

/* That it is over is told once, by the event and by SO_ERROR; it stays so. */
static void is_stale(int fd, int so_error)
{
	struct psync_query_wait wait = { 0 };
	socklen_t len = sizeof(int);
	struct msg m;
	int error, i;

	do {
		msg_recv(fd, &m);
		assert_true(m.event);
		if (m.ev.type == PSYNC_EV_REFUSED)
			assert_int_equal(m.ev.reason, 2);
	} while (m.ev.type == PSYNC_EV_REFUSED);
	assert_int_equal(m.ev.type, PSYNC_EV_STALE);
	assert_true(await_poll(fd, POLLERR) & POLLERR);
	works(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	assert_int_equal(error, so_error);
	assert_true(poll_now(fd, 0) & POLLERR);
	wait.mid = opt_u64(fd, PSYNC_LAST_MID);
	len = sizeof(wait);
	if (wait.mid)
		fails(getsockopt(fd, SOL_PSYNC, PSYNC_STABLE_WAIT, &wait,
				 &len), ESTALE);
	for (i = 0; i < 2; i++) {
		do {
			error = msg_try(fd, &m, 0);
		} while (error > 0 && m.event);
		assert_int_equal(error, -1);
		assert_int_equal(errno, ESTALE);
		fails(send(fd, "more", 4, MSG_NOSIGNAL), ESTALE);
	}
}

/*
 * S1.4: closed and reopened by one while the others go on: refused, with
 * events on both sides; the others are unaffected. When all have closed it
 * opens anew.
 */
static void reopened_by_one(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct psync_event ev;
	int fds[LAB_HOSTS_MAX];
	uint64_t reopened, refused;
	struct msg m;
	bool sent;
	int i;

	open_all(fds, group, 5);
	events_on(fds[0]);
	msg_send(fds[0], "hello");
	msg_expect(fds[1], "hello");
	msg_send(fds[1], "answer");
	for (i = 0; i < lab.hosts; i++) {
		if (i > 1)
			msg_expect(fds[i], "hello");
		if (i != 1)
			msg_expect(fds[i], "answer");
	}
	works(close(fds[1]));

	reopened = stat_of(1, "DropReopened");
	refused = stat_of(2, "RefuseHeard");
	fds[1] = sock_new(2, SOCK_SEQPACKET);
	events_on(fds[1]);
	works(sock_connect(fds[1], group, 5));
	/* The answer to its question may come first; the send then tells. */
	sent = send(fds[1], "again", 5, MSG_NOSIGNAL) == 5;
	if (!sent)
		assert_int_equal(errno, ESTALE);
	ev = event_expect(fds[0], PSYNC_EV_ENDED);
	assert_int_equal(ev.reason, PSYNC_END_CLOSED);
	ev = event_expect(fds[0], PSYNC_EV_REOPENED);
	assert_int_equal(ev.site, 2);
	assert_int_equal(ev.group, group);
	assert_int_equal(ev.number, 5);
	assert_true(ev.cid == opt_u64(fds[0], PSYNC_CID));
	if (sent) {
		stat_await(1, "DropReopened", reopened + 1);
		stat_await(2, "RefuseHeard", refused + lab.hosts - 1);
	}
	is_stale(fds[1], sent ? ESTALE : 0);
	msg_none(fds[0]);

	/* The rest go on. */
	if (lab.hosts > 2) {
		msg_send(fds[2], "onward");
		msg_expect(fds[0], "onward");
		msg_send(fds[0], "always");
		msg_expect(fds[2], "always");
	}
	sock_close(fds, lab.hosts);

	open_all(fds, group, 5);
	for (i = 0; i < lab.hosts; i++)
		assert_true(msg_send(fds[i], "anew") == M(i, 1));
	for (i = 0; i < lab.hosts * (lab.hosts - 1); i++) {
		msg_recv(fds[i % lab.hosts], &m);
		assert_string_equal(m.body, "anew");
	}
	for (i = 0; i < lab.hosts; i++) {
		msg_none(fds[i]);
		assert_int_equal(opt_info(fds[i]).view, lab.hosts);
	}
	sock_close(fds, lab.hosts);
}

/* One that learns it from the answer to its own question. */
static void reopened_silently(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 5), b = sock_joined(2, 0, group, 5);
	struct psync_event ev;
	struct msg m;

	msg_send(a, "1");
	msg_expect(b, "1");
	msg_send(b, "2");
	msg_expect(a, "2");
	works(close(b));
	b = sock_new(2, SOCK_SEQPACKET);
	events_on(b);
	works(sock_connect(b, group, 5));
	/* The other one's message makes it ask, and the answer tells. */
	msg_send(a, "3");
	ev = event_expect(b, PSYNC_EV_STALE);
	assert_int_equal(ev.site, 1);
	do {
		assert_int_equal(msg_try(b, &m, 0), -1);
	} while (errno == EAGAIN);
	assert_int_equal(errno, ESTALE);
	sock_close((int[]){ a, b }, 2);
}

/* Longer than it takes to set another delay. */
#define DELAY_MS	(500 * (1 + lab_slow()))

/* Netem in front of host 2's interface: what it sends is under way so long. */
static void delay_set(int ms)
{
	/*
	 * Where the addresses have to be asked for again, what is delayed is that,
	 * and all packets wait for it in order.
	 */
	if (ms && lab.link != LAB_ETH)
		lab_run(2, "ip neigh show nud reachable nud stale nud delay "
			   "nud probe | while read -r a on dev x; do "
			   "ip neigh change $a dev $dev nud permanent || exit; "
			   "done");
	qdisc_set(2, "eth0", "netem delay %dms limit 10000", ms);
}

static void delay_end(void)
{
	qdisc_del(2, "eth0");
}

/*
 * S1.4: packets delayed across a reopening. Sent in the first opening, they
 * come in the second, while it goes on: dropped, counted, never attached.
 */
static void delayed_across_reopening(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	int a = sock_joined(1, 0, group, 3), b = sock_joined(2, 0, group, 3);
	uint64_t stale, attached;
	int i;

	msg_send(a, "first");
	msg_expect(b, "first");
	msg_send(b, "second");
	msg_expect(a, "second");
	delay_set(DELAY_MS + 2000);
	for (i = 0; i < 3; i++)
		msg_send(b, "delayed");
	sock_close((int[]){ a, b }, 2);
	delay_set(0);

	stale = stat_of(1, "DropStaleOpening");
	a = sock_joined(1, 0, group, 3);
	b = sock_joined(2, 0, group, 3);
	msg_send(b, "new");
	msg_expect(a, "new");
	attached = stat_of(1, "MsgAttached");
	stat_await(1, "DropStaleOpening", stale + 3);
	assert_int_equal(stat_of(1, "MsgAttached"), attached);
	msg_none(a);
	assert_int_equal(opt_info(a).nodes, 1);
	/* None of its own is taken for a duplicate of theirs. */
	for (i = 0; i < 3; i++) {
		assert_true(msg_send(b, "fresh") == M(1, i + 2));
		msg_expect(a, "fresh");
	}
	sock_close((int[]){ a, b }, 2);
	delay_end();
}

/* The same when the delayed ones come first, before anything is confirmed. */
static void delayed_before_reopening(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	int a = sock_joined(1, 0, group, 3), b = sock_joined(2, 0, group, 3);
	uint64_t stale, got;
	struct msg m;

	msg_send(a, "first");
	msg_expect(b, "first");
	msg_send(b, "second");
	msg_expect(a, "second");
	delay_set(DELAY_MS + 1000);
	got = stat_of(1, "RxPackets");
	msg_send(b, "delayed");
	sock_close((int[]){ a, b }, 2);
	delay_set(0);
	a = sock_joined(1, 0, group, 3);
	stale = stat_of(1, "DropStaleOpening");
	/* Host 1 asks whose they are: nobody's that lives. */
	stat_await(1, "RxPackets", got + 1);
	stat_await(1, "DropStaleOpening", stale + 1);
	b = sock_joined(2, 0, group, 3);
	msg_send(b, "new");
	msg_recv(a, &m);
	assert_string_equal(m.body, "new");
	assert_int_equal(opt_info(a).nodes, 1);
	sock_close((int[]){ a, b }, 2);
	delay_end();
}

/* P 3.1.2: the start message comes last; what overtook it was kept. */
static void start_overtaken(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 2, port }, { 1, port } };
	int listener = sock_listening(1, port, 4);
	unsigned int rto = sysctl_set(2, "rto_ms", 60000);
	unsigned int most = sysctl_set(2, "rto_max_ms", 60000);
	int b = sock_new(2, SOCK_SEQPACKET), conn;
	uint64_t got;

	works(sock_bind(b, port));
	/* By hand: there is no group from which the rest could be known. */
	works(setsockopt(b, SOL_PSYNC, PSYNC_PARTICIPANTS, pids, sizeof(pids)));
	/* What is only late is not to be sent again. */
	works(sock_connect(b, 0, 0));
	delay_set(DELAY_MS);
	got = stat_of(1, "RxPackets");
	msg_send(b, "start");
	delay_set(0);
	msg_send(b, "2");
	msg_send(b, "3");
	stat_await(1, "RxPackets", got + 2);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	conn = sock_accept(listener);
	msg_expect(conn, "start");
	msg_expect(conn, "2");
	msg_expect(conn, "3");
	assert_int_equal(opt_info(conn).view, 3);
	sysctl_set(2, "rto_ms", rto);
	sysctl_set(2, "rto_max_ms", most);
	sock_close((int[]){ b, conn, listener }, 3);
	delay_end();
}

/*
 * Sends three messages from @b, of which the first is to come last to @a, at host
 * 1; false: it was there before the others were sent.
 */
static bool overtake(int a, int b, int ms)
{
	uint64_t held = stat_of(1, "MsgHeld");
	struct patience p = patience_begin();

	delay_set(ms);
	msg_send(b, "3");
	delay_set(0);
	msg_send(b, "4");
	msg_send(b, "5");
	while (stat_of(1, "MsgHeld") < held + 2 && opt_outstanding(a) < 3)
		patience_try(&p, "three messages");
	return stat_of(1, "MsgHeld") == held + 2;
}

/* A later message overtakes its predecessor and is held for it. */
static void message_overtaken(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 2, port }, { 1, port } };
	uint32_t group = group_new(pids, 2);
	/* What is missing is not asked for meanwhile. */
	unsigned int rto = sysctl_set(1, "rto_min_us", 10000000);
	unsigned int rto2 = sysctl_set(2, "rto_min_us", 10000000);
	int a = sock_joined(1, 0, group, 3), b = sock_joined(2, 0, group, 3);
	int tries = 1;

	msg_send(b, "1");
	msg_expect(a, "1");
	msg_send(a, "2");
	msg_expect(b, "2");
	/* A busy machine may need longer for what is between two sends. */
	for (; !overtake(a, b, tries * DELAY_MS); tries++) {
		assert_true(tries < 5);
		msg_expect(a, "3");
		msg_expect(a, "4");
		msg_expect(a, "5");
	}
	assert_int_equal(opt_info(a).held, 2);
	assert_int_equal(opt_outstanding(a), 0);
	assert_int_equal(poll_now(a, POLLIN), 0);
	msg_expect(a, "3");
	msg_expect(a, "4");
	msg_expect(a, "5");
	assert_int_equal(opt_info(a).held, 0);
	sysctl_set(1, "rto_min_us", rto);
	sysctl_set(2, "rto_min_us", rto2);
	sock_close((int[]){ a, b }, 2);
	delay_end();
}

/* S1.5: a participant of a host that has read on already starts later. */
static void gap_event(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = {
		{ 1, port }, { 1, port2 }, { 2, port }
	};
	uint32_t group = group_new(pids, 3);
	int a = sock_joined(1, port, group, 1), b = sock_joined(2, 0, group, 1);
	struct psync_event ev;
	int late;

	msg_send(b, "1");
	msg_send(b, "2");
	msg_send(b, "3");
	msg_expect(a, "1");
	msg_expect(a, "2");
	await_poll(a, POLLIN);
	late = sock_new(1, SOCK_SEQPACKET);
	events_on(late);
	works(sock_bind(late, port2));
	works(sock_connect(late, group, 1));
	ev = event_expect(late, PSYNC_EV_GAP);
	assert_true(ev.mid == M(2, 3));
	assert_true(ev.cid == opt_u64(a, PSYNC_CID));
	assert_true(msg_expect(late, "3") == M(2, 3));
	msg_none(late);
	/* What it missed counts as seen: it sends in its context. */
	msg_send(late, "4");
	query_is(late, PSYNC_PREV, M(1, 1), M(2, 3));
	assert_int_equal(query_precedes(late, M(2, 1), M(1, 1)), 1);
	msg_expect(b, "4");
	sock_close((int[]){ a, b, late }, 3);
}

/* S1.4: a cid that was accepted and closed is not opened by a late message. */
static void closed_stays_closed(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	int listener = sock_listening(2, port, 4);
	uint64_t closed = stat_of(2, "DropClosed");
	int a = sock_joined(1, 0, group, 0), conn;

	msg_send(a, "1");
	conn = sock_accept(listener);
	msg_expect(conn, "1");
	works(close(conn));
	/* While it lingers it takes what comes. */
	conv_none(2, opt_u64(a, PSYNC_CID));
	msg_send(a, "2");
	stat_await(2, "DropClosed", closed + 1);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	sock_close((int[]){ a, listener }, 2);
}

/*
 * S1.4: a rendezvous ends at a site with the last who had opened it. One who
 * only listened does not carry it into the next of that name.
 */
static void pending_ends(void **state)
{
	uint32_t one = port_new(), two = port_new();
	const struct psync_pid pids[] = { { 1, one }, { 1, two }, { 2, one } };
	uint32_t group = group_new(pids, 3);
	int listener = sock_listening(1, two, 4);
	int a = sock_joined(1, one, group, 1);
	int b = sock_joined(2, one, group, 1), conn;

	msg_send(b, "old");
	msg_expect(a, "old");
	await_poll(listener, POLLIN);
	works(close(a));
	works(close(b));
	works(fcntl(listener, F_SETFL, O_NONBLOCK));
	fails(accept(listener, NULL, NULL), EAGAIN);
	works(fcntl(listener, F_SETFL, 0));

	b = sock_joined(2, one, group, 1);
	msg_send(b, "new");
	conn = sock_accept(listener);
	msg_expect(conn, "new");
	sock_close((int[]){ b, conn, listener }, 3);
}

/*
 * S1.3: two ideas of a group. Host 1 and host 2 have different lists under the
 * same number: refused on the first packet, with an event on both sides, to
 * sockets and to netlink.
 */
static void lists_differ(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid one[] = { { 1, port }, { 2, port } };
	const struct psync_pid two[] = { { 2, port }, { 1, port } };
	uint32_t group = group_new(one, 2) + 500;
	uint64_t refused = stat_of(1, "DropDigest");
	struct nl *nl1 = nl_open(1), *nl2 = nl_open(2);
	struct psync_event ev, *evs[2] = { &ev, NULL };
	struct psync_event from_nl;
	int a, b;

	group_add(1, group, one, 2);
	group_add(2, group, two, 2);
	nl_listen(nl1);
	nl_listen(nl2);
	a = sock_joined(1, 0, group, 1);
	events_on(a);
	b = sock_joined(2, 0, group, 1);
	events_on(b);
	msg_send(b, "to whom?");
	ev = event_expect(a, PSYNC_EV_MISMATCH);
	assert_int_equal(ev.site, 2);
	assert_int_equal(ev.group, group);
	assert_int_equal(ev.number, 1);
	from_nl = nl_event(nl1, PSYNC_EV_MISMATCH);
	assert_memory_equal(&from_nl, evs[0], sizeof(ev));
	ev = event_expect(b, PSYNC_EV_REFUSED);
	assert_int_equal(ev.site, 1);
	assert_int_equal(ev.reason, 1);
	assert_int_equal(ev.group, group);
	assert_true(ev.cid == opt_u64(b, PSYNC_CID));
	from_nl = nl_event(nl2, PSYNC_EV_REFUSED);
	assert_memory_equal(&from_nl, &ev, sizeof(ev));
	assert_int_equal(stat_of(1, "DropDigest"), refused + 1);
	msg_none(a);
	assert_true(opt_u64(a, PSYNC_CID) != opt_u64(b, PSYNC_CID));
	sock_close((int[]){ a, b }, 2);
	nl_close(nl1);
	nl_close(nl2);
}

/*
 * The random workload: everybody sends and receives in a random order, and a
 * model here says what must be true.
 */
#define WORK_HOSTS	LAB_HOSTS_MAX
#define WORK_SEQ	200	/* at most, whatever the scale is */

struct work_msg {
	uint64_t	mid;
	uint32_t	stamp[WORK_HOSTS];	/* itself included */
	uint64_t	preds[WORK_HOSTS];
	unsigned int	npreds;
	uint32_t	wave;
};

struct work {
	int		n;
	int		fd[WORK_HOSTS];
	uint32_t	seen[WORK_HOSTS][WORK_HOSTS];	/* views, as stamps */
	struct work_msg	msg[WORK_HOSTS][WORK_SEQ + 1];
	unsigned int	sent, received;
	uint64_t	seed;
	bool		nulls;
};

static unsigned int work_random(struct work *w, unsigned int below)
{
	w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (w->seed >> 33) % below;
}

/* The leaves of a view: the last messages that no other one's stamp covers. */
static void work_leaves(const struct work *w, int i, struct work_msg *m)
{
	const uint32_t *seen = w->seen[i];
	int j, k;

	m->npreds = 0;
	m->wave = 1;
	for (j = 0; j < w->n; j++) {
		if (!seen[j])
			continue;
		for (k = 0; k < w->n; k++)
			if (k != j && seen[k] &&
			    w->msg[k][seen[k]].stamp[j] >= seen[j])
				break;
		if (k == w->n)
			m->preds[m->npreds++] = M(j, seen[j]);
		if (w->msg[j][seen[j]].wave >= m->wave)
			m->wave = w->msg[j][seen[j]].wave + 1;
	}
}

static void work_send(struct work *w, int i)
{
	uint32_t seq = w->seen[i][i] + 1;
	struct work_msg *m = &w->msg[i][seq];
	char text[600];
	int len;

	work_leaves(w, i, m);
	memcpy(m->stamp, w->seen[i], sizeof(m->stamp));
	m->stamp[i] = seq;
	len = sprintf(text, "%d %u ", i, seq);
	memset(text + len, 'a' + seq % 26, sizeof(text) - len);
	text[len + work_random(w, 500)] = 0;
	m->mid = msg_send(w->fd[i], text);
	/* Null messages are numbered, too. */
	assert_true(w->nulls ? m->mid >= M(i, seq) : m->mid == M(i, seq));
	w->seen[i][i] = seq;
	w->sent++;
}

/* What participant i was handed must be what was sent, and be due. */
static void work_received(struct work *w, int i, const struct msg *m)
{
	unsigned int from = m->info.index;
	uint32_t seq = w->seen[i][from] + 1;
	const struct work_msg *sent;
	char text[32];
	int len, k;

	assert_false(m->event);
	assert_true(m->has_info && m->has_preds);
	assert_in_range(from, 0, w->n - 1);
	assert_int_not_equal(from, i);
	assert_int_equal(PSYNC_MID_INDEX(m->info.mid), from);
	/* In the sender's order, once. */
	assert_in_range(seq, 1, w->seen[from][from]);
	sent = &w->msg[from][seq];
	assert_true(m->info.mid == sent->mid);
	for (k = 0; k < w->n; k++)
		if (k != (int)from)
			assert_in_range(sent->stamp[k], 0, w->seen[i][k]);
	if (!w->nulls) {
		assert_int_equal(m->npreds, sent->npreds);
		assert_memory_equal(m->preds, sent->preds,
				    sent->npreds * sizeof(*m->preds));
		assert_int_equal(m->info.wave, sent->wave);
	}
	len = sprintf(text, "%u %u ", from, seq);
	assert_memory_equal(m->body, text, len);
	for (k = len; k < m->len; k++)
		assert_int_equal(m->body[k], 'a' + seq % 26);
	w->seen[i][from] = seq;
	w->received++;
}

static void work_step(struct work *w, unsigned int most)
{
	int i = work_random(w, w->n);
	struct msg m;

	if (work_random(w, 3) == 0 && w->seen[i][i] < most) {
		work_send(w, i);
		return;
	}
	if (msg_try(w->fd[i], &m, MSG_DONTWAIT) >= 0)
		work_received(w, i, &m);
	else
		assert_int_equal(errno, EAGAIN);
}

/* At rest all graphs are equal, and equal to the model. */
static void work_graph(struct work *w, int i)
{
	struct work_msg leaves;
	unsigned int total = 0, k;
	uint64_t *mids;
	int n;

	for (k = 0; (int)k < w->n; k++)
		total += w->seen[k][k];
	mids = calloc(total, sizeof(*mids));
	assert_non_null(mids);
	n = query(w->fd[i], PSYNC_MIDS, 0, mids, total);
	assert_int_equal(n, total);
	for (k = 0; k < total; k++) {
		const struct work_msg *m =
			&w->msg[PSYNC_MID_INDEX(mids[k])][PSYNC_MID_SEQ(mids[k])];
		uint64_t other = mids[work_random(w, total)];

		query_is_at(w->fd[i], PSYNC_PREV, mids[k], m->preds, m->npreds,
			    __FILE__, __LINE__);
		assert_int_equal(query_precedes(w->fd[i], other, mids[k]),
				 other != mids[k] &&
				 m->stamp[PSYNC_MID_INDEX(other)] >=
				 PSYNC_MID_SEQ(other));
	}
	work_leaves(w, i, &leaves);
	query_is_at(w->fd[i], PSYNC_LEAVES, 0, leaves.preds, leaves.npreds,
		    __FILE__, __LINE__);
	free(mids);
}

static void work_stable(struct work *w, int i)
{
	struct psync_query_stable s;
	uint32_t seq;
	int j, k, others;

	for (j = 0; j < w->n; j++) {
		seq = 1 + work_random(w, w->seen[j][j]);
		others = 0;
		for (k = 0; k < w->n; k++)
			others += k != j && w->msg[k][w->seen[k][k]].stamp[j] >=
					    seq;
		assert_int_equal(query_stable(w->fd[i], M(j, seq), &s),
				 others == w->n - 1);
		assert_int_equal(s.participants, others);
		assert_int_equal(s.sites, others + 1);
	}
}

/* With null messages: what programs sent is in the same relation. */
static void work_precedes(struct work *w, int i)
{
	int a, b, k, tries;
	uint32_t x, y;

	for (tries = 0; tries < 300; tries++) {
		a = work_random(w, w->n);
		b = work_random(w, w->n);
		x = 1 + work_random(w, w->seen[a][a]);
		y = 1 + work_random(w, w->seen[b][b]);
		k = a != b || x != y;
		assert_int_equal(query_precedes(w->fd[i], w->msg[a][x].mid,
						w->msg[b][y].mid),
				 k && w->msg[b][y].stamp[a] >= x);
	}
}

/* ... and all of it becomes stable without another word. */
static void work_all_stable(struct work *w, int i)
{
	struct psync_query_stable s;
	struct patience p;
	int j;

	for (j = 0; j < w->n; j++) {
		p = patience_begin();
		while (query_stable(w->fd[i], w->msg[j][w->seen[j][j]].mid,
				    &s) != 1)
			patience_try(&p, "messages to be stable");
		assert_int_equal(s.sites, w->n);
	}
}

static uint64_t work_seed = 1;
static bool work_nulls;

static void random_workload(void **state)
{
	struct work *w = calloc(1, sizeof(*w));
	unsigned int most = lab.hosts > 4 ? lab_scaled(15, 8) :
					    lab_scaled(60, 20);
	struct patience p;
	uint64_t before = 0, held = 0;
	struct msg m;
	int i, round;

	assert_non_null(w);
	most = most < WORK_SEQ ? most : WORK_SEQ;
	w->n = lab.hosts;
	w->seed = work_seed;
	w->nulls = work_nulls;
	open_all(w->fd, group_of_hosts(port_new()), 1);
	for (i = 0; i < w->n; i++) {
		works(opt_set_u32(w->fd[i], PSYNC_RECVINFO, 3));
		before += stat_of(i + 1, "MsgHeld");
	}
	for (round = 0; round < (int)most * w->n * 6; round++)
		work_step(w, most);
	for (i = 0; i < w->n; i++)
		while (w->seen[i][i] < 2)
			work_send(w, i);
	/* To the end: everybody receives all that was sent. */
	p = patience_begin();
	while (w->received < w->sent * (w->n - 1)) {
		for (i = 0; i < w->n; i++)
			while (msg_try(w->fd[i], &m, MSG_DONTWAIT) >= 0)
				work_received(w, i, &m);
		patience_try(&p, "all messages");
	}
	for (i = 0; i < w->n; i++) {
		msg_none(w->fd[i]);
		if (w->nulls) {
			work_precedes(w, i);
			work_all_stable(w, i);
		} else {
			work_graph(w, i);
			work_stable(w, i);
		}
		held += stat_of(i + 1, "MsgHeld");
	}
	print_message("# %u sent, %u received, %llu held\n", w->sent,
		      w->received, (unsigned long long)(held - before));
	/* Where packets overtake one another, some must have been held. */
	if (getenv("LAB_REORDERS"))
		assert_true(held > before);
	sock_close(w->fd, w->n);
	free(w);
}

#define NEEDS(hosts, test)	{ (hosts), false, cmocka_unit_test(test) }
#define ORDERED(hosts, test)	{ (hosts), false, ordered_unit_test(test) }
#define DELAYS(hosts, test)	{ (hosts), true, cmocka_unit_test(test) }

static const struct {
	int			hosts;
	bool			delays;
	struct CMUnitTest	test;
} all_tests[] = {
	NEEDS(1, figure_1_on_one_host),
	NEEDS(1, passive_local),
	NEEDS(2, figure_1_on_two_hosts),
	NEEDS(3, figure_1_on_three_hosts),
	NEEDS(2, active_passive),
	NEEDS(2, passive_three_on_a_host),
	NEEDS(2, passive_rendezvous),
	NEEDS(2, many_roots),
	NEEDS(2, opened_at_once),
	NEEDS(2, late_opener),
	ORDERED(2, late_opener_limits),
	ORDERED(2, pending_limit),
	ORDERED(2, pending_kept),
	NEEDS(2, reopened_by_one),
	NEEDS(2, reopened_silently),
	DELAYS(2, delayed_across_reopening),
	DELAYS(2, delayed_before_reopening),
	DELAYS(2, start_overtaken),
	DELAYS(2, message_overtaken),
	ORDERED(2, gap_event),
	ORDERED(2, closed_stays_closed),
	NEEDS(2, pending_ends),
	NEEDS(2, lists_differ),
	NEEDS(2, random_workload),
};

/*
 * "short": without those that delay; "workload [SEED]": that alone; "nulls
 * [SEED]": that with null messages; "only NAME": those tests.
 */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[COUNT(all_tests)];
	const struct CMUnitTest workload[] = {
		cmocka_unit_test(random_workload),
	};
	bool brief = argc > 1 && !strcmp(argv[1], "short");
	unsigned int i, n = 0;

	lab_init();
	lab_no_nulls();
	if (argc > 2 && !strcmp(argv[1], "only"))
		cmocka_set_test_filter(argv[2]);
	else if (argc > 2)
		work_seed = atoi(argv[2]);
	work_nulls = argc > 1 && !strcmp(argv[1], "nulls");
	if (work_nulls)
		lab_nulls();
	if (work_nulls || (argc > 1 && !strcmp(argv[1], "workload")))
		return lab_main(workload);
	for (i = 0; i < COUNT(all_tests); i++)
		if (lab.hosts >= all_tests[i].hosts &&
		    !(brief && all_tests[i].delays))
			tests[n++] = all_tests[i].test;
	return lab_run_tests(tests, n, NULL, NULL);
}
