// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: send, receive, their flags and errnos, waiting, poll and epoll,
 * limits, what comes with a message. Needs two hosts.
 */

#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "lib.h"

/* Two hosts in a rendezvous. */
struct pair {
	int a;	/* on host 1, participant 0 */
	int b;	/* on host 2, participant 1 */
};

static struct pair pair_open(void)
{
	uint32_t group = group_of_hosts(port_new());

	return (struct pair){
		sock_joined(1, 0, group, 1), sock_joined(2, 0, group, 1)
	};
}

static void pair_close(struct pair *p)
{
	sock_close((int[]){ p->a, p->b }, 2);
}

/* Two participants on host 1. */
static struct pair pair_local(void)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 2);

	return (struct pair){
		sock_joined(1, port, group, 1), sock_joined(1, port2, group, 1)
	};
}

static void not_connected(void **state)
{
	int fd = sock_bound(1, SOCK_SEQPACKET, port_new());
	struct msg m;

	fails(send(fd, "x", 1, 0), ENOTCONN);
	fails(msg_try(fd, &m, 0), ENOTCONN);
	fails(msg_try(fd, &m, MSG_DONTWAIT), ENOTCONN);
	assert_int_equal(poll_now(fd, POLLIN | POLLOUT), 0);
	works(listen(fd, 1));
	fails(send(fd, "x", 1, 0), ENOTCONN);
	fails(msg_try(fd, &m, 0), ENOTCONN);
	assert_int_equal(poll_now(fd, POLLIN | POLLOUT), 0);
	works(close(fd));
}

static void send_errors(void **state)
{
	struct pair p = pair_open();
	char control[CMSG_SPACE(4)] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct sockaddr_psync to = addr_pid(2, 5);

	fails(send(p.a, "x", 1, MSG_OOB), EOPNOTSUPP);
	fails(send(p.a, "x", 1, MSG_MORE), EOPNOTSUPP);
	fails(send(p.a, "x", 1, MSG_CONFIRM), EOPNOTSUPP);
	fails(send(p.a, (void *)8, 1, 0), EFAULT);
	fails(send(p.a, (void *)8, 1000, 0), EFAULT);
	hdr.msg_name = &to;
	hdr.msg_namelen = sizeof(to);
	fails(sendmsg(p.a, &hdr, 0), EISCONN);
	hdr.msg_name = NULL;
	hdr.msg_control = control;
	hdr.msg_controllen = sizeof(control);
	CMSG_FIRSTHDR(&hdr)->cmsg_level = SOL_PSYNC;
	CMSG_FIRSTHDR(&hdr)->cmsg_type = PSYNC_CMSG_INFO;
	CMSG_FIRSTHDR(&hdr)->cmsg_len = CMSG_LEN(4);
	fails(sendmsg(p.a, &hdr, 0), EINVAL);
	/* None of these was a message. */
	assert_true(opt_u64(p.a, PSYNC_LAST_MID) == 0);
	works(send(p.a, "eor", 3, MSG_EOR | MSG_NOSIGNAL | MSG_DONTWAIT));
	assert_true(msg_expect(p.b, "eor") == PSYNC_MID(0, 1));
	pair_close(&p);
}

static void receive_flags(void **state)
{
	struct pair p = pair_open();
	struct msg m;

	fails(msg_try(p.b, &m, MSG_OOB), EOPNOTSUPP);
	fails(msg_try(p.b, &m, MSG_WAITALL), EOPNOTSUPP);
	fails(msg_try(p.b, &m, MSG_ERRQUEUE), EOPNOTSUPP);
	fails(msg_try(p.b, &m, MSG_DONTWAIT), EAGAIN);
	works(fcntl(p.b, F_SETFL, O_NONBLOCK));
	fails(msg_try(p.b, &m, 0), EAGAIN);
	works(fcntl(p.b, F_SETFL, 0));
	pair_close(&p);
}

/* MSG_PEEK: the view does not grow. */
static void peek(void **state)
{
	struct pair p = pair_open();
	uint64_t mid = msg_send(p.a, "peeked");
	struct msg m;
	int i;

	for (i = 0; i < 3; i++) {
		works(msg_try(p.b, &m, MSG_PEEK));
		assert_string_equal(m.body, "peeked");
		assert_int_equal(opt_outstanding(p.b), 1);
		assert_int_equal(query(p.b, PSYNC_LEAVES, 0, NULL, 0), 0);
	}
	assert_true(msg_expect(p.b, "peeked") == mid);
	assert_int_equal(opt_outstanding(p.b), 0);
	query_is(p.b, PSYNC_LEAVES, 0, mid);
	pair_close(&p);
}

static void truncation(void **state)
{
	struct pair p = pair_open();
	struct iovec iov;
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	char buf[4];

	msg_send(p.a, "0123456789");
	msg_send(p.a, "abcdefghij");
	msg_send(p.a, "next");
	await_poll(p.b, POLLIN);
	iov = (struct iovec){ buf, 4 };
	assert_int_equal(works(recvmsg(p.b, &hdr, MSG_PEEK | MSG_TRUNC)), 10);
	assert_true(hdr.msg_flags & MSG_TRUNC);
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 4);
	assert_true(hdr.msg_flags & MSG_TRUNC);
	assert_memory_equal(buf, "0123", 4);
	/* The rest is gone; with MSG_TRUNC the whole length is told. */
	assert_int_equal(works(recvmsg(p.b, &hdr, MSG_TRUNC)), 10);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 4);
	assert_false(hdr.msg_flags & MSG_TRUNC);
	assert_memory_equal(buf, "next", 4);
	/* No room at all. */
	msg_send(p.a, "none");
	iov.iov_len = 0;
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 0);
	assert_true(hdr.msg_flags & MSG_TRUNC);
	msg_none(p.b);
	pair_close(&p);
}

static void empty_message(void **state)
{
	struct pair p = pair_open();
	struct msg m;

	works(opt_set_u32(p.b, PSYNC_RECVINFO, PSYNC_RECV_INFO));
	assert_int_equal(works(send(p.a, NULL, 0, 0)), 0);
	msg_send(p.a, "full");
	await_poll(p.b, POLLIN);
	assert_int_equal(works(msg_try(p.b, &m, 0)), 0);
	assert_true(m.has_info);
	assert_true(m.info.mid == PSYNC_MID(0, 1));
	assert_int_equal(m.flags & MSG_TRUNC, 0);
	assert_true(msg_expect(p.b, "full") == PSYNC_MID(0, 2));
	pair_close(&p);
}

/* EFAULT loses nothing. */
static void fault(void **state)
{
	struct pair p = pair_open();
	uint64_t mid = msg_send(p.a, "kept");

	await_poll(p.b, POLLIN);
	fails(recv(p.b, (void *)8, 4, 0), EFAULT);
	fails(recv(p.b, (void *)8, 4, MSG_PEEK), EFAULT);
	assert_int_equal(opt_outstanding(p.b), 1);
	assert_true(msg_expect(p.b, "kept") == mid);
	pair_close(&p);
}

/* Sizes around everything that is treated differently, up to the limit. */
static void sizes(void **state)
{
	struct pair p = pair_open();
	uint32_t max = opt_info(p.a).max_body;
	const uint32_t sizes[] = { 1, 3, 255, 256, 257, 1000, max - 1, max };
	unsigned char *out = malloc(max + 1), *in = malloc(max + 1);
	unsigned int i, k;

	assert_true(out && in);
	assert_int_equal(max, 1 << 20);
	for (i = 0; i < COUNT(sizes); i++) {
		for (k = 0; k < sizes[i]; k++)
			out[k] = k * 7 + i;
		assert_int_equal(works(send(p.a, out, sizes[i], 0)), sizes[i]);
		assert_int_equal(works(recv(p.b, in, max + 1, 0)), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
	fails(send(p.a, out, max + 1, 0), EMSGSIZE);
	fails(send(p.a, out, 1 << 30, 0), EMSGSIZE);
	assert_int_equal(PSYNC_MID_SEQ(opt_u64(p.a, PSYNC_LAST_MID)),
			 COUNT(sizes));
	free(out);
	free(in);
	pair_close(&p);
}

static void on_signal(int sig)
{
}

/* Signals come until the call under test has ended: none can be missed. */
static void signals(bool on)
{
	const struct itimerval every = {
		.it_interval.tv_usec = on ? 20000 : 0,
		.it_value.tv_usec = on ? 20000 : 0,
	};
	struct sigaction act = { .sa_handler = on_signal };

	works(sigaction(SIGALRM, &act, NULL));
	works(setitimer(ITIMER_REAL, &every, NULL));
}

static void receive_timeout(void **state)
{
	struct pair p = pair_open();
	struct msg m;
	uint64_t begin;

	signals(true);
	fails(msg_try(p.b, &m, 0), EINTR);
	sock_timeout(p.b, SO_RCVTIMEO, 0);
	fails(msg_try(p.b, &m, 0), EINTR);
	signals(false);
	sock_timeout(p.b, SO_RCVTIMEO, 60);
	begin = clock_ms();
	fails(msg_try(p.b, &m, 0), EAGAIN);
	assert_true(clock_ms() - begin >= 50);
	pair_close(&p);
}

struct reader {
	struct sleeper s;
	struct msg m;
};

static void *reader_thread(void *arg)
{
	struct reader *r = arg;

	sleeper_here(&r->s);
	return (void *)(long)msg_try(r->s.fd, &r->m, 0);
}

static void receive_wakes(void **state)
{
	struct pair p = pair_open();
	struct reader r[2] = { { .s.fd = p.b }, { .s.fd = p.b } };
	pthread_t thread[2];
	void *result;
	int i;

	/* Two readers get two messages. */
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						reader_thread, &r[i]), 0);
	for (i = 0; i < 2; i++)
		sleeper_await(&r[i].s, SYS_recvmsg);
	msg_send(p.a, "1");
	msg_send(p.a, "2");
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &result);
		assert_int_equal((long)result, 1);
	}
	assert_int_equal(r[0].m.body[0] + r[1].m.body[0], '1' + '2');
	assert_int_not_equal(r[0].m.body[0], r[1].m.body[0]);
	pair_close(&p);
}

/* Fills the socket's send buffer with messages that its neighbour keeps. */
static unsigned int fill(int fd)
{
	char body[1000] = "";
	unsigned int n = 0;
	int size = 8192;

	works(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	while (send(fd, body, sizeof(body), MSG_DONTWAIT) == sizeof(body))
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_in_range(n, 2, 100);
	return n;
}

static void drain(int fd, unsigned int n)
{
	struct msg m;

	while (n--)
		msg_recv(fd, &m);
}

/* Nothing is dropped silently: send waits or says EAGAIN; POLLOUT is true. */
static void send_buffer(void **state)
{
	struct pair p = pair_local();
	uint64_t begin;
	unsigned int n;
	int queued;

	assert_int_equal(poll_now(p.a, POLLOUT), POLLOUT);
	works(ioctl(p.a, SIOCOUTQ, &queued));
	assert_int_equal(queued, 0);
	n = fill(p.a);
	works(ioctl(p.a, SIOCOUTQ, &queued));
	assert_in_range(queued, 8000, 1 << 17);
	assert_int_equal(poll_now(p.a, POLLOUT), 0);
	sock_timeout(p.a, SO_SNDTIMEO, 60);
	begin = clock_ms();
	fails(send(p.a, "x", 1, 0), EAGAIN);
	assert_true(clock_ms() - begin >= 50);
	sock_timeout(p.a, SO_SNDTIMEO, 0);
	signals(true);
	fails(send(p.a, "x", 1, 0), EINTR);
	signals(false);
	sock_timeout(p.a, SO_SNDTIMEO, PATIENCE * 1000);
	assert_int_equal(opt_outstanding(p.b), n);
	drain(p.b, n);
	await_poll(p.a, POLLOUT);
	works(ioctl(p.a, SIOCOUTQ, &queued));
	assert_int_equal(queued, 0);
	msg_send(p.a, "room");
	msg_expect(p.b, "room");
	pair_close(&p);
}

static void *writer_thread(void *arg)
{
	struct sleeper *s = arg;

	sleeper_here(s);
	return (void *)(long)send(s->fd, "late", 4, 0);
}

static void send_wakes(void **state)
{
	struct pair p = pair_local();
	unsigned int n = fill(p.a);
	struct sleeper s = { .fd = p.a };
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, writer_thread, &s), 0);
	sleeper_await(&s, SYS_sendto);
	drain(p.b, n);
	pthread_join(thread, &result);
	assert_int_equal((long)result, 4);
	msg_expect(p.b, "late");
	pair_close(&p);
}

/* A neighbour that closes gives back what it had not read. */
static void send_close(void **state)
{
	struct pair p = pair_local();
	int queued;

	fill(p.a);
	works(close(p.b));
	works(ioctl(p.a, SIOCOUTQ, &queued));
	assert_int_equal(queued, 0);
	assert_int_equal(poll_now(p.a, POLLOUT), POLLOUT);
	works(close(p.a));
}

static void queue_sizes(void **state)
{
	struct pair p = pair_open();
	int fd = sock_listening(1, port_new(), 1);
	int n;

	works(ioctl(p.b, SIOCINQ, &n));
	assert_int_equal(n, 0);
	msg_send(p.a, "seven77");
	msg_send(p.a, "four");
	await_poll(p.b, POLLIN);
	works(ioctl(p.b, SIOCINQ, &n));
	assert_int_equal(n, 7);
	msg_expect(p.b, "seven77");
	await_poll(p.b, POLLIN);
	works(ioctl(p.b, SIOCINQ, &n));
	assert_int_equal(n, 4);
	fails(ioctl(p.b, SIOCINQ, (void *)8), EFAULT);
	fails(ioctl(p.b, SIOCOUTQ, (void *)8), EFAULT);
	fails(ioctl(fd, SIOCINQ, &n), EINVAL);
	fails(ioctl(p.b, SIOCPROTOPRIVATE, &n), ENOTTY);
	works(close(fd));
	pair_close(&p);
}

static void epoll_add(int epoll, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	works(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev));
}

static int epoll_now(int epoll)
{
	struct epoll_event ev;
	int n = works(epoll_wait(epoll, &ev, 1, 0));

	return n ? (int)ev.events : 0;
}

static int epoll_await(int epoll)
{
	struct epoll_event ev;

	assert_int_equal(works(epoll_wait(epoll, &ev, 1, PATIENCE * 1000)), 1);
	return ev.events;
}

/* Level: as long as there is something. Edge: once for each time it comes. */
static void epoll_modes(void **state)
{
	struct pair p = pair_open();
	int level = works(epoll_create1(0)), edge = works(epoll_create1(0));
	int i;

	epoll_add(level, p.b, EPOLLIN);
	epoll_add(edge, p.b, EPOLLIN | EPOLLET);
	assert_int_equal(epoll_now(level), 0);
	assert_int_equal(epoll_now(edge), 0);
	for (i = 0; i < 3; i++) {
		msg_send(p.a, "x");
		assert_int_equal(epoll_await(edge), EPOLLIN);
		assert_int_equal(epoll_now(edge), 0);
		assert_int_equal(epoll_now(level), EPOLLIN);
		assert_int_equal(epoll_now(level), EPOLLIN);
		msg_expect(p.b, "x");
		msg_none(p.b);
		assert_int_equal(epoll_now(level), 0);
	}
	sock_close((int[]){ level, edge }, 2);
	pair_close(&p);
}

static void epoll_writable(void **state)
{
	struct pair p = pair_local();
	int edge = works(epoll_create1(0));
	unsigned int n = fill(p.a);

	epoll_add(edge, p.a, EPOLLOUT | EPOLLET);
	assert_int_equal(epoll_now(edge), 0);
	drain(p.b, n);
	assert_int_equal(epoll_await(edge), EPOLLOUT);
	assert_int_equal(epoll_now(edge), 0);
	works(close(edge));
	pair_close(&p);
}

static void epoll_listener(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port + 500000 }, { 2, port } };
	int edge = works(epoll_create1(0));
	int listener = sock_listening(2, port, 5);
	int fd, conn;

	epoll_add(edge, listener, EPOLLIN | EPOLLOUT | EPOLLET);
	assert_int_equal(epoll_now(edge), 0);
	fd = sock_joined(1, 0, group_new(pids, 2), 0);
	msg_send(fd, "x");
	assert_int_equal(epoll_await(edge), EPOLLIN);
	conn = sock_accept(listener);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	msg_expect(conn, "x");
	sock_close((int[]){ edge, fd, conn, listener }, 4);
}

static void select_both(void **state)
{
	struct pair p = pair_open();
	struct timeval patience = { .tv_sec = PATIENCE };
	fd_set in, out;
	int top = (p.a > p.b ? p.a : p.b) + 1;

	msg_send(p.a, "x");
	FD_ZERO(&in);
	FD_SET(p.b, &in);
	assert_int_equal(works(select(top, &in, NULL, NULL, &patience)), 1);
	assert_true(FD_ISSET(p.b, &in));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p.a, &in);
	FD_SET(p.a, &out);
	assert_int_equal(works(select(top, &in, &out, NULL, &patience)), 1);
	assert_true(FD_ISSET(p.a, &out));
	assert_false(FD_ISSET(p.a, &in));
	pair_close(&p);
}

/* What comes with a message, on request. */
static void ancillary(void **state)
{
	struct pair p = pair_open();
	struct sockaddr_psync a;
	socklen_t len = sizeof(a);
	uint64_t mid;
	struct msg m;

	works(getsockname(p.a, (struct sockaddr *)&a, &len));
	msg_send(p.a, "1");
	msg_recv(p.b, &m);
	assert_false(m.has_info);
	assert_false(m.has_preds);
	assert_int_equal(m.fromlen, sizeof(a));
	assert_memory_equal(&m.from, &a, sizeof(a));

	works(opt_set_u32(p.b, PSYNC_RECVINFO,
			  PSYNC_RECV_INFO | PSYNC_RECV_PREDS));
	mid = msg_send(p.a, "2");
	msg_recv(p.b, &m);
	assert_true(m.has_info);
	assert_true(m.info.mid == mid);
	assert_true(mid == PSYNC_MID(0, 2));
	assert_int_equal(m.info.sender.site, 1);
	assert_int_equal(m.info.sender.port, a.sp_port);
	assert_int_equal(m.info.binding, a.sp_binding);
	assert_int_equal(m.info.index, 0);
	assert_int_equal(m.info.wave, 2);
	assert_int_equal(m.info.flags, 0);
	assert_true(m.has_preds);
	assert_int_equal(m.npreds, 1);
	assert_true(m.preds[0] == PSYNC_MID(0, 1));
	assert_int_equal(m.flags & MSG_CTRUNC, 0);

	/* One alone; a root has an empty list. */
	works(opt_set_u32(p.a, PSYNC_RECVINFO, PSYNC_RECV_PREDS));
	mid = msg_send(p.b, "3");
	msg_recv(p.a, &m);
	assert_false(m.has_info);
	assert_int_equal(m.npreds, 1);
	assert_true(m.preds[0] == PSYNC_MID(0, 2));
	assert_true(mid == PSYNC_MID(1, 1));
	pair_close(&p);

	p = pair_open();
	works(opt_set_u32(p.b, PSYNC_RECVINFO, PSYNC_RECV_PREDS));
	msg_send(p.a, "root");
	msg_recv(p.b, &m);
	assert_true(m.has_preds);
	assert_int_equal(m.npreds, 0);
	pair_close(&p);
}

static void ancillary_truncated(void **state)
{
	struct pair p = pair_open();
	char control[CMSG_SPACE(sizeof(struct psync_msginfo))];
	char body[8];
	struct iovec iov = { body, sizeof(body) };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	works(opt_set_u32(p.b, PSYNC_RECVINFO,
			  PSYNC_RECV_INFO | PSYNC_RECV_PREDS));
	msg_send(p.a, "1");
	msg_send(p.a, "2");
	msg_send(p.a, "3");
	await_poll(p.b, POLLIN);
	/* The second one does not fit. */
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 1);
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 1);
	assert_true(hdr.msg_flags & MSG_CTRUNC);
	assert_int_equal(CMSG_FIRSTHDR(&hdr)->cmsg_type, PSYNC_CMSG_INFO);
	/* Nothing fits. */
	hdr.msg_controllen = 0;
	assert_int_equal(works(recvmsg(p.b, &hdr, 0)), 1);
	assert_true(hdr.msg_flags & MSG_CTRUNC);
	assert_int_equal(body[0], '3');
	pair_close(&p);
}

/* S1.4: the mid of a message just sent, and the rest of PSYNC_INFO. */
static void own_mids(void **state)
{
	struct pair p = pair_open();
	struct psync_info info = opt_info(p.a);
	uint32_t max = info.max_body;

	assert_true(opt_u64(p.a, PSYNC_LAST_MID) == 0);
	assert_true(info.last_mid == 0);
	assert_int_equal(info.index, 0);
	assert_int_equal(info.participants, lab.hosts);
	assert_int_equal(info.number, 1);
	assert_int_not_equal(info.group, 0);
	assert_int_equal(info.view, 0);
	assert_true(msg_send(p.a, "1") == PSYNC_MID(0, 1));
	assert_true(msg_send(p.a, "2") == PSYNC_MID(0, 2));
	msg_expect(p.b, "1");
	assert_true(msg_send(p.b, "3") == PSYNC_MID(1, 1));
	await_poll(p.a, POLLIN);
	info = opt_info(p.a);
	assert_true(info.cid == opt_u64(p.b, PSYNC_CID));
	assert_true(info.last_mid == PSYNC_MID(0, 2));
	assert_int_equal(info.view, 2);
	assert_int_equal(info.nodes, 3);
	assert_int_equal(info.outstanding, 1);
	assert_int_equal(info.held, 0);
	assert_int_equal(info.max_body, max);
	assert_int_equal(opt_info(p.b).index, 1);
	pair_close(&p);
}

/*
 * Nobody's messages are kept without bound: what a host has not read is
 * limited, and who sends is told to wait, before anything is dropped.
 */
static void receive_limit(void **state)
{
	unsigned int old = sysctl_set(2, "image_bytes", 8192);
	uint64_t full = stat_of(2, "DropImageFull");
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2), i, n = 0;
	struct pair p = {
		sock_joined(1, 0, group, 1), sock_joined(2, 0, group, 1)
	};
	struct patience pat = patience_begin();
	char body[1000] = "0";
	struct msg m;

	/* What there is room for is known from the first answer on. */
	msg_send(p.a, "begin");
	msg_expect(p.b, "begin");
	while (opt_info(p.a).unheld)
		patience_try(&pat, "an acknowledgement");
	while (send(p.a, body, sizeof(body), MSG_DONTWAIT) > 0) {
		assert_in_range(++n, 1, 20);
		sprintf(body, "%u", n);
	}
	assert_int_equal(errno, EAGAIN);
	assert_true(n > 1);
	assert_int_equal(poll_now(p.a, POLLOUT), 0);
	for (i = 0; i < n; i++) {
		msg_recv(p.b, &m);
		assert_int_equal(atoi(m.body), i);
	}
	await_poll(p.a, POLLOUT);
	works(send(p.a, body, sizeof(body), MSG_DONTWAIT));
	msg_recv(p.b, &m);
	assert_int_equal(atoi(m.body), n);
	assert_true(stat_of(2, "DropImageFull") == full);
	pair_close(&p);
	sysctl_set(2, "image_bytes", old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_connected),
		cmocka_unit_test(send_errors),
		cmocka_unit_test(receive_flags),
		cmocka_unit_test(peek),
		cmocka_unit_test(truncation),
		cmocka_unit_test(empty_message),
		cmocka_unit_test(fault),
		cmocka_unit_test(sizes),
		cmocka_unit_test(receive_timeout),
		cmocka_unit_test(receive_wakes),
		cmocka_unit_test(send_buffer),
		cmocka_unit_test(send_wakes),
		cmocka_unit_test(send_close),
		cmocka_unit_test(queue_sizes),
		cmocka_unit_test(epoll_modes),
		cmocka_unit_test(epoll_writable),
		cmocka_unit_test(epoll_listener),
		cmocka_unit_test(select_both),
		cmocka_unit_test(ancillary),
		cmocka_unit_test(ancillary_truncated),
		cmocka_unit_test(own_mids),
		ordered_unit_test(receive_limit),
	};

	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
