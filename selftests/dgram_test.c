// SPDX-License-Identifier: GPL-2.0-only
/*
 * SOCK_DGRAM, the degenerate graph: to a pid and to a group, here and there,
 * with every errno. Needs two hosts.
 */

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <signal.h>

#include "lib.h"

static struct sockaddr_psync name_of(int fd)
{
	struct sockaddr_psync a;
	socklen_t len = sizeof(a);

	works(getsockname(fd, (struct sockaddr *)&a, &len));
	return a;
}

static ssize_t send_addr(int fd, const char *text, const void *addr,
			 socklen_t len)
{
	return sendto(fd, text, strlen(text), MSG_NOSIGNAL, addr, len);
}

static ssize_t send_to(int fd, const char *text, struct sockaddr_psync a)
{
	return send_addr(fd, text, &a, sizeof(a));
}

/* A datagram of this text from that socket. */
static void expect_from(int fd, const char *text, int from)
{
	struct sockaddr_psync a = name_of(from);
	struct msg m;

	msg_recv(fd, &m);
	assert_string_equal(m.body, text);
	assert_int_equal(m.len, strlen(text));
	assert_int_equal(m.fromlen, sizeof(a));
	assert_memory_equal(&m.from, &a, sizeof(a));
}

static void to_pid(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	int a = sock_bound(1, SOCK_DGRAM, port);
	int b = sock_bound(2, SOCK_DGRAM, port);
	int c = sock_bound(1, SOCK_DGRAM, port2);
	struct stats before, after;

	works(send_to(a, "there", addr_pid(2, port)));
	expect_from(b, "there", a);
	works(send_to(b, "", addr_pid(1, port)));
	expect_from(a, "", b);
	stats_read(1, &before);
	works(send_to(a, "here", addr_pid(1, port2)));
	expect_from(c, "here", a);
	works(send_to(a, "oneself", addr_pid(1, port)));
	expect_from(a, "oneself", a);
	stats_read(1, &after);
	assert_int_equal(stats_value(&after, "TxPackets"),
			 stats_value(&before, "TxPackets"));
	assert_int_equal(stats_value(&after, "DgramSent"),
			 stats_value(&before, "DgramSent") + 2);
	assert_int_equal(stats_value(&after, "DgramReceived"),
			 stats_value(&before, "DgramReceived") + 2);
	sock_close((int[]){ a, b, c }, 3);
}

/* An unbound socket gets an automatic port with its first send. */
static void unbound(void **state)
{
	uint32_t port = port_new();
	int a = sock_new(1, SOCK_DGRAM), b = sock_bound(2, SOCK_DGRAM, port);

	assert_int_equal(name_of(a).sp_port, 0);
	works(send_to(a, "x", addr_pid(2, port)));
	assert_true(name_of(a).sp_port >= 0x80000000U);
	expect_from(b, "x", a);
	works(send_to(b, "y", name_of(a)));
	expect_from(a, "y", b);
	sock_close((int[]){ a, b }, 2);
}

/*
 * Sends to all; returns how many packets that took, and what earlier tests left
 * to linger sent meanwhile.
 */
static uint64_t to_all(const struct psync_pid *pids, const int *fds, int i,
		       uint32_t group)
{
	uint64_t sent = stat_of(pids[i].site, "TxPackets");
	int k;

	works(send_to(fds[i], "all", addr_group(group, 0)));
	for (k = 0; k < 4; k++)
		if (k != i)
			expect_from(fds[k], "all", fds[i]);
	return stat_of(pids[i].site, "TxPackets") - sent;
}

/* To all members of a group but oneself, here and there. */
static void to_group(void **state)
{
	uint32_t port = port_new(), port2 = port_new(), port3 = port_new();
	const struct psync_pid pids[] = {
		{ 1, port }, { 1, port2 }, { 2, port }, { 2, port2 },
	};
	uint32_t group = group_new(pids, 4);
	int fds[4], outsider, i, k, tries;

	for (i = 0; i < 4; i++)
		fds[i] = sock_bound(pids[i].site, SOCK_DGRAM, pids[i].port);
	outsider = sock_bound(1, SOCK_DGRAM, port3);
	for (i = 0; i < 4; i++) {
		/* One packet for both members of the other site. */
		for (tries = 1; to_all(pids, fds, i, group) != 1; tries++)
			assert_true(tries < 20);
	}
	/* One that is no member may send to them. */
	works(send_to(outsider, "you", addr_group(group, 0)));
	for (k = 0; k < 4; k++)
		expect_from(fds[k], "you", outsider);
	for (k = 0; k < 4; k++)
		msg_none(fds[k]);
	msg_none(outsider);
	works(close(outsider));
	sock_close(fds, 4);
}

/* S1.1: for one binding of a port, and no later one. */
static void binding(void **state)
{
	uint32_t port = port_new();
	int a = sock_bound(1, SOCK_DGRAM, port_new());
	struct sockaddr_psync first[2], now[2];
	uint64_t dropped[2];
	int fds[2], i;

	for (i = 0; i < 2; i++) {
		fds[i] = sock_bound(i + 1, SOCK_DGRAM, port);
		first[i] = name_of(fds[i]);
		works(send_to(a, "1", first[i]));
		expect_from(fds[i], "1", a);
	}
	sock_close(fds, 2);
	for (i = 0; i < 2; i++) {
		fds[i] = sock_bound(i + 1, SOCK_DGRAM, port);
		now[i] = name_of(fds[i]);
		dropped[i] = stat_of(i + 1, "DropOtherBinding");
		works(send_to(a, "2", first[i]));
		works(send_to(a, "3", now[i]));
		expect_from(fds[i], "3", a);
		assert_int_equal(stat_of(i + 1, "DropOtherBinding"),
				 dropped[i] + 1);
	}
	sock_close(fds, 2);
	works(close(a));
}

static void connected(void **state)
{
	uint32_t port = port_new();
	int a = sock_bound(1, SOCK_DGRAM, port);
	int b = sock_bound(2, SOCK_DGRAM, port);
	uint32_t group = group_of_hosts(port);
	struct sockaddr_psync to = addr_pid(2, port), peer;
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);

	fails(send(a, "x", 1, 0), EDESTADDRREQ);
	fails(getpeername(a, (struct sockaddr *)&peer, &len), ENOTCONN);
	works(connect(a, (struct sockaddr *)&to, sizeof(to)));
	works(getpeername(a, (struct sockaddr *)&peer, &len));
	assert_memory_equal(&peer, &to, sizeof(to));
	works(send(a, "pid", 3, 0));
	expect_from(b, "pid", a);
	to = addr_group(group, 0);
	works(connect(a, (struct sockaddr *)&to, sizeof(to)));
	works(send(a, "group", 5, 0));
	expect_from(b, "group", a);
	/* An address of its own goes before. */
	works(send_to(a, "self", addr_pid(1, port)));
	expect_from(a, "self", a);
	works(connect(a, &none, sizeof(none)));
	fails(send(a, "x", 1, 0), EDESTADDRREQ);
	fails(getpeername(a, (struct sockaddr *)&peer, &len), ENOTCONN);
	sock_close((int[]){ a, b }, 2);
}

static void addresses(void **state)
{
	int fd = sock_bound(1, SOCK_DGRAM, port_new());
	struct sockaddr_psync good = addr_pid(2, 5), a = good;
	const struct sockaddr *sa = (struct sockaddr *)&a;

	fails(send_addr(fd, "x", &a, sizeof(a) - 1), EINVAL);
	fails(connect(fd, sa, sizeof(a) - 1), EINVAL);
	fails(send_addr(fd, "x", (void *)8, sizeof(a)), EFAULT);
	a.sp_family = AF_INET;
	fails(send_to(fd, "x", a), EAFNOSUPPORT);
	fails(connect(fd, sa, sizeof(a)), EAFNOSUPPORT);
	a = good;
	a.sp_reserved0 = 1;
	fails(send_to(fd, "x", a), EINVAL);
	a = good;
	a.sp_reserved1 = 1;
	fails(send_to(fd, "x", a), EINVAL);
	fails(connect(fd, sa, sizeof(a)), EINVAL);
	a = good;
	a.sp_type = 7;
	fails(send_to(fd, "x", a), EINVAL);
	fails(send_to(fd, "x", addr_pid(0, 5)), EINVAL);
	fails(send_to(fd, "x", addr_pid(2, 0)), EINVAL);
	fails(send_to(fd, "x", addr_group(0, 0)), EINVAL);
	fails(send_to(fd, "x", addr_group(5, 1)), EINVAL);
	a = addr_pid(2, 0);
	fails(connect(fd, sa, sizeof(a)), EINVAL);
	a = addr_pid(0, 5);
	fails(connect(fd, sa, sizeof(a)), EINVAL);
	a = addr_group(0, 0);
	fails(connect(fd, sa, sizeof(a)), EINVAL);
	a = addr_group(5, 1);
	fails(connect(fd, sa, sizeof(a)), EINVAL);
	works(close(fd));
}

static void send_errors(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid nowhere[] = { { 1, port }, { 77, port } };
	int fd = sock_new(1, SOCK_DGRAM);
	struct sockaddr_psync to = addr_pid(2, port);
	char control[CMSG_SPACE(4)] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr hdr = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	uint64_t dropped;

	fails(send_to(fd, "x", addr_pid(77, 5)), EHOSTUNREACH);
	fails(send_to(fd, "x", addr_group(group_new(nowhere, 2), 0)),
	      EHOSTUNREACH);
	fails(send_to(fd, "x", addr_group(0xffffff, 0)), ENOENT);
	fails(send_to(fd, "x", addr_pid(1, port)), ECONNREFUSED);
	fails(sendto(fd, "x", 1, MSG_OOB, (struct sockaddr *)&to, sizeof(to)),
	      EOPNOTSUPP);
	fails(sendto(fd, "x", 1, MSG_MORE, (struct sockaddr *)&to, sizeof(to)),
	      EOPNOTSUPP);
	fails(sendto(fd, (void *)8, 1, 0, (struct sockaddr *)&to, sizeof(to)),
	      EFAULT);
	CMSG_FIRSTHDR(&hdr)->cmsg_level = SOL_PSYNC;
	CMSG_FIRSTHDR(&hdr)->cmsg_type = PSYNC_CMSG_INFO;
	CMSG_FIRSTHDR(&hdr)->cmsg_len = CMSG_LEN(4);
	fails(sendmsg(fd, &hdr, 0), EINVAL);
	/* Nobody is there: unreliable, so the other side counts it. */
	dropped = stat_of(2, "DropNoPort");
	works(send_to(fd, "x", addr_pid(2, port)));
	stat_await(2, "DropNoPort", dropped + 1);
	works(close(fd));

	fd = sock_new(0, SOCK_DGRAM);
	fails(send_to(fd, "x", addr_pid(2, port)), ENETDOWN);
	works(close(fd));
}

/* As long as one packet of the link, no longer; here as long as any. */
static void sizes(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	/* Of 1,500: IP's and UDP's headers, and 72 of ours. */
	int max = 1500 - 72 - (lab.link == LAB_UDP4 ? 28 :
			       lab.link == LAB_UDP6 ? 48 : 0);
	int a = sock_bound(1, SOCK_DGRAM, port);
	int b = sock_bound(2, SOCK_DGRAM, port);
	struct sockaddr_psync to = addr_pid(2, port);
	char *body = calloc(1, 70000);
	int i, size = 1 << 20;

	assert_non_null(body);
	for (i = 0; i < max; i++)
		body[i] = i * 11;
	works(setsockopt(a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	works(setsockopt(a, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	for (i = 0; i < 2; i++) {
		fails(sendto(a, body, max + 1, 0, (struct sockaddr *)&to,
			     sizeof(to)), EMSGSIZE);
		assert_int_equal(works(sendto(a, body, max, 0,
					      (struct sockaddr *)&to,
					      sizeof(to))), max);
		assert_int_equal(works(recv(b, body + max, max + 1, 0)), max);
		assert_memory_equal(body, body + max, max);
		to = addr_group(group, 0);
	}
	msg_none(b);
	to = addr_pid(1, port);
	assert_int_equal(works(sendto(a, body, 65535, 0,
				      (struct sockaddr *)&to, sizeof(to))),
			 65535);
	assert_int_equal(works(recv(a, body, 70000, 0)), 65535);
	fails(sendto(a, body, 65536, 0, (struct sockaddr *)&to, sizeof(to)),
	      EMSGSIZE);
	free(body);
	sock_close((int[]){ a, b }, 2);
}

static void on_signal(int sig)
{
}

static void receive(void **state)
{
	uint32_t port = port_new();
	int fd = sock_bound(1, SOCK_DGRAM, port), n;
	const struct itimerval often = {
		{ .tv_usec = 20000 }, { .tv_usec = 20000 }
	}, never = { 0 };
	struct sigaction act = { .sa_handler = on_signal };
	struct msg m;

	fails(msg_try(fd, &m, MSG_DONTWAIT), EAGAIN);
	fails(msg_try(fd, &m, MSG_OOB), EOPNOTSUPP);
	fails(msg_try(fd, &m, MSG_WAITALL), EOPNOTSUPP);
	fails(msg_try(fd, &m, MSG_ERRQUEUE), EOPNOTSUPP);
	sock_timeout(fd, SO_RCVTIMEO, 20);
	fails(msg_try(fd, &m, 0), EAGAIN);
	sock_timeout(fd, SO_RCVTIMEO, PATIENCE * 1000);
	works(sigaction(SIGALRM, &act, NULL));
	works(setitimer(ITIMER_REAL, &often, NULL));
	fails(msg_try(fd, &m, 0), EINTR);
	works(setitimer(ITIMER_REAL, &never, NULL));
	assert_int_equal(poll_now(fd, POLLIN | POLLOUT), POLLOUT);
	works(ioctl(fd, SIOCINQ, &n));
	assert_int_equal(n, 0);

	works(send_to(fd, "datagram", addr_pid(1, port)));
	works(send_to(fd, "last", addr_pid(1, port)));
	assert_int_equal(poll_now(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
	works(ioctl(fd, SIOCINQ, &n));
	assert_int_equal(n, 8);
	fails(recv(fd, (void *)8, 8, MSG_PEEK), EFAULT);
	works(msg_try(fd, &m, MSG_PEEK));
	assert_string_equal(m.body, "datagram");
	assert_int_equal(works(recv(fd, m.body, 4, MSG_PEEK | MSG_TRUNC)), 8);
	assert_int_equal(works(recv(fd, m.body, 4, 0)), 4);
	msg_recv(fd, &m);
	assert_string_equal(m.body, "last");
	msg_none(fd);
	works(close(fd));
}

/* What has not left its device counts: send waits, or says EAGAIN. */
static void send_buffer(void **state)
{
	int fd = sock_bound(1, SOCK_DGRAM, port_new()), size = 4096;
	struct sockaddr_psync to = addr_pid(2, port_new());
	const struct itimerval often = {
		{ .tv_usec = 20000 }, { .tv_usec = 20000 }
	}, never = { 0 };
	struct sigaction act = { .sa_handler = on_signal };
	char body[500] = "";
	struct patience p = patience_begin();
	int i;

	/* On UDP links it is IP that has it. */
	if (lab.link != LAB_ETH)
		return;
	works(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	works(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	/* One packet passes, the next in a minute. */
	qdisc_set(1, "eth0", "tbf rate 100bit burst 600 limit 1000000");
	works(send(fd, body, sizeof(body), 0));
	do {
		patience_try(&p, "a packet to leave its device");
		works(ioctl(fd, SIOCOUTQ, &i));
	} while (i);
	for (i = 0; i < 100; i++)
		if (send(fd, body, sizeof(body), MSG_DONTWAIT) < 0)
			break;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(i, 2, 99);
	assert_int_equal(poll_now(fd, POLLOUT), 0);
	sock_timeout(fd, SO_SNDTIMEO, 30);
	fails(send(fd, body, sizeof(body), 0), EAGAIN);
	sock_timeout(fd, SO_SNDTIMEO, 0);
	works(sigaction(SIGALRM, &act, NULL));
	works(setitimer(ITIMER_REAL, &often, NULL));
	fails(send(fd, body, sizeof(body), 0), EINTR);
	works(setitimer(ITIMER_REAL, &never, NULL));
	qdisc_del(1, "eth0");
	await_poll(fd, POLLOUT);
	works(send(fd, body, sizeof(body), 0));
	works(close(fd));
}

/* A peer that the routing tables exclude. */
static void unreachable(void **state)
{
	int fd = sock_bound(1, SOCK_DGRAM, port_new());

	if (lab.link == LAB_ETH) {
		works(close(fd));
		return;
	}
	lab_run(1, "ip route add unreachable %s",
		lab.link == LAB_UDP4 ? "10.7.0.2/32" : "fd07::2/128");
	fails(send_to(fd, "x", addr_pid(2, 5)), EHOSTUNREACH);
	lab_run(1, "ip route del unreachable %s",
		lab.link == LAB_UDP4 ? "10.7.0.2/32" : "fd07::2/128");
	works(send_to(fd, "x", addr_pid(2, 5)));
	works(close(fd));
}

static void shut(void **state)
{
	uint32_t port = port_new();
	int fd = sock_bound(1, SOCK_DGRAM, port);
	struct sockaddr_psync to = addr_pid(1, port);
	struct msg m;

	fails(shutdown(fd, SHUT_RDWR), ENOTCONN);
	works(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	works(shutdown(fd, SHUT_WR));
	fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	works(shutdown(fd, SHUT_RD));
	assert_int_equal(msg_try(fd, &m, 0), 0);
	works(close(fd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ordered_unit_test(to_pid),
		cmocka_unit_test(unbound),
		ordered_unit_test(to_group),
		ordered_unit_test(binding),
		cmocka_unit_test(connected),
		cmocka_unit_test(addresses),
		cmocka_unit_test(send_errors),
		ordered_unit_test(sizes),
		cmocka_unit_test(receive),
		cmocka_unit_test(send_buffer),
		cmocka_unit_test(unreachable),
		cmocka_unit_test(shut),
	};

	lab_init();
	return lab_main(tests);
}
