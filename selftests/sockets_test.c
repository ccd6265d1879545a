// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: create, bind, connect, listen, accept, names, shutdown, close; each
 * with every errno. Needs two hosts.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "lib.h"

#define AUTO	0x80000000U	/* automatic ports begin here */

static void create(void **state)
{
	int pair[2];
	int fd;

	lab_enter(1);
	fd = works(socket(lab.family, SOCK_SEQPACKET, 0));
	works(close(fd));
	fd = works(socket(lab.family, SOCK_DGRAM, 0));
	works(close(fd));
	fails(socket(lab.family, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	fails(socket(lab.family, SOCK_RAW, 0), ESOCKTNOSUPPORT);
	fails(socket(lab.family, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	fails(socket(lab.family, SOCK_SEQPACKET, 1), EPROTONOSUPPORT);
	fails(socket(lab.family, SOCK_DGRAM, 17), EPROTONOSUPPORT);
	fails(socketpair(lab.family, SOCK_SEQPACKET, 0, pair), EOPNOTSUPP);
	fails(socketpair(lab.family, SOCK_DGRAM, 0, pair), EOPNOTSUPP);
	/* The family has one number only; this one nobody has here. */
	fails(socket(26, SOCK_SEQPACKET, 0), EAFNOSUPPORT);
}

static int opt_socket(int fd, int option)
{
	socklen_t len = sizeof(int);
	int value;

	works(getsockopt(fd, SOL_SOCKET, option, &value, &len));
	return value;
}

static void generic_options(void **state)
{
	int fd = sock_new(1, SOCK_SEQPACKET), dgram = sock_new(1, SOCK_DGRAM);

	assert_int_equal(opt_socket(fd, SO_DOMAIN), lab.family);
	assert_int_equal(opt_socket(fd, SO_TYPE), SOCK_SEQPACKET);
	assert_int_equal(opt_socket(dgram, SO_TYPE), SOCK_DGRAM);
	assert_int_equal(opt_socket(fd, SO_ACCEPTCONN), 0);
	assert_int_equal(opt_socket(fd, SO_ERROR), 0);
	works(sock_bind(fd, port_new()));
	works(listen(fd, 1));
	assert_int_equal(opt_socket(fd, SO_ACCEPTCONN), 1);
	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED ||
	    errno != ENODEV)
		fail_msg("mmap: %s", strerror(errno));
	sock_close((int[]){ fd, dgram }, 2);
}

static int bind_addr(int fd, const struct sockaddr_psync *addr, socklen_t len)
{
	return bind(fd, (const struct sockaddr *)addr, len);
}

static int connect_addr(int fd, const struct sockaddr_psync *addr,
			socklen_t len)
{
	return connect(fd, (const struct sockaddr *)addr, len);
}

static int connect_pid(int fd, uint32_t site, uint32_t port)
{
	struct sockaddr_psync addr = addr_pid(site, port);

	return connect_addr(fd, &addr, sizeof(addr));
}

/*
 * What is wrong with an address of a pid for bind() and connect() alike. The
 * address itself is good.
 */
static void address_checks(int fd, struct sockaddr_psync good,
			   int (*call)(int, const struct sockaddr_psync *,
				       socklen_t))
{
	struct sockaddr_psync a = good;
	char longer[sizeof(a) + 4] = { 0 };

	fails(call(fd, &a, sizeof(a) - 1), EINVAL);
	fails(call(fd, &a, sizeof(a.sp_family)), EINVAL);
	memcpy(longer, &a, sizeof(a));
	fails(call(fd, (void *)longer, sizeof(longer)), EINVAL);
	fails(call(fd, (void *)8, sizeof(a)), EFAULT);
	a.sp_family = AF_INET;
	fails(call(fd, &a, sizeof(a)), EAFNOSUPPORT);
	a = good;
	a.sp_reserved0 = 1;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a = good;
	a.sp_reserved1 = 1ULL << 63;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a = good;
	a.sp_type = 0;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a.sp_type = 3;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a = good;
	a.sp_group = 1;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a = good;
	a.sp_number = 1;
	fails(call(fd, &a, sizeof(a)), EINVAL);
	a = good;
	a.sp_binding = 1;
	fails(call(fd, &a, sizeof(a)), EINVAL);
}

static void bind_errors(void **state)
{
	struct sockaddr_psync a = addr_pid(1, port_new());
	int fd = sock_new(1, SOCK_SEQPACKET);
	int other = sock_new(1, SOCK_DGRAM);

	address_checks(fd, a, bind_addr);
	a = addr_group(7, 0);
	fails(bind_addr(fd, &a, sizeof(a)), EINVAL);
	a = addr_pid(2, port_new());
	fails(bind_addr(fd, &a, sizeof(a)), EADDRNOTAVAIL);
	fails(sock_bind(fd, AUTO), EINVAL);
	fails(sock_bind(fd, 0xffffffffU), EINVAL);

	a = addr_pid(1, port_new());
	works(bind_addr(fd, &a, sizeof(a)));
	fails(sock_bind(fd, port_new()), EINVAL);
	fails(sock_bind(fd, 0), EINVAL);
	fails(sock_bind(other, a.sp_port), EADDRINUSE);
	works(sock_bind(other, port_new()));
	fails(sock_bind(other, port_new()), EINVAL);
	works(close(fd));
	works(close(other));

	/* The namespace of the programs has no site id. */
	fd = sock_new(0, SOCK_SEQPACKET);
	fails(sock_bind(fd, port_new()), ENETDOWN);
	works(close(fd));
	fd = sock_new(0, SOCK_DGRAM);
	fails(sock_bind(fd, 0), ENETDOWN);
	works(close(fd));
}

static struct sockaddr_psync name_of(int fd)
{
	struct sockaddr_psync a;
	socklen_t len = sizeof(a);

	works(getsockname(fd, (struct sockaddr *)&a, &len));
	assert_int_equal(len, sizeof(a));
	assert_int_equal(a.sp_family, lab.family);
	assert_int_equal(a.sp_type, PSYNC_ADDR_PID);
	assert_int_equal(a.sp_reserved0, 0);
	assert_int_equal(a.sp_reserved1, 0);
	assert_int_equal(a.sp_group, 0);
	assert_int_equal(a.sp_number, 0);
	return a;
}

static int peer_name(int fd, struct sockaddr_psync *a)
{
	socklen_t len = sizeof(*a);

	return getpeername(fd, (struct sockaddr *)a, &len);
}

/* S1.1: a port may be bound again, with a greater binding number. */
static void binding_numbers(void **state)
{
	uint32_t port = port_new();
	uint32_t before = 0;
	struct sockaddr_psync a;
	int i, fd;

	for (i = 0; i < 3; i++) {
		fd = sock_bound(1, i & 1 ? SOCK_DGRAM : SOCK_SEQPACKET, port);
		a = name_of(fd);
		assert_int_equal(a.sp_site, 1);
		assert_int_equal(a.sp_port, port);
		assert_true(a.sp_binding > before);
		before = a.sp_binding;
		works(close(fd));
	}
}

/* S1.1: automatic ports are never reused. */
static void automatic_ports(void **state)
{
	uint32_t before = AUTO - 1;
	struct sockaddr_psync a;
	int i, fd;

	for (i = 0; i < 20; i++) {
		fd = sock_bound(1, SOCK_SEQPACKET, 0);
		a = name_of(fd);
		assert_true(a.sp_port > before);
		assert_int_not_equal(a.sp_binding, 0);
		before = a.sp_port;
		works(close(fd));
	}
}

static void connect_address(void **state)
{
	struct sockaddr_psync a = addr_pid(2, port_new());
	int fd = sock_new(1, SOCK_SEQPACKET);

	address_checks(fd, a, connect_addr);
	fails(connect_pid(fd, 0, 5), EINVAL);
	fails(connect_pid(fd, 2, 0), EINVAL);
	a = addr_group(7, 0);
	a.sp_site = 1;
	fails(connect_addr(fd, &a, sizeof(a)), EINVAL);
	a = addr_group(7, 0);
	a.sp_port = 1;
	fails(connect_addr(fd, &a, sizeof(a)), EINVAL);
	a = addr_group(7, 0);
	a.sp_binding = 1;
	fails(connect_addr(fd, &a, sizeof(a)), EINVAL);
	works(close(fd));

	fd = sock_new(0, SOCK_SEQPACKET);
	fails(sock_connect(fd, 7, 0), ENETDOWN);
	fails(connect_pid(fd, 2, 7), ENETDOWN);
	works(close(fd));
}

static void connect_group(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid elsewhere[] = { { 2, port }, { 2, port2 } };
	const struct psync_pid nowhere[] = { { 1, port }, { 77, port } };
	const struct psync_pid good[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(good, 2);
	int other, fd = sock_new(1, SOCK_SEQPACKET);

	fails(sock_connect(fd, 0xfffffff, 0), ENOENT);
	fails(sock_connect(fd, 0xfffffff, 9), ENOENT);
	fails(sock_connect(fd, group_new(elsewhere, 2), 0), EADDRNOTAVAIL);
	fails(sock_connect(fd, 0, 0), EDESTADDRREQ);
	fails(sock_connect(fd, 0, 1), EDESTADDRREQ);

	/* All members here are taken. */
	other = sock_bound(1, SOCK_DGRAM, port);
	fails(sock_connect(fd, group, 0), EADDRINUSE);
	works(close(other));
	works(sock_connect(fd, group, 0));
	assert_int_equal(name_of(fd).sp_port, port);
	fails(sock_connect(fd, group, 0), EISCONN);
	fails(listen(fd, 1), EISCONN);
	works(close(fd));

	fd = sock_bound(1, SOCK_SEQPACKET, port2);
	fails(sock_connect(fd, group, 0), EACCES);
	works(listen(fd, 1));
	fails(sock_connect(fd, group, 0), EOPNOTSUPP);
	works(close(fd));

	fd = sock_new(1, SOCK_SEQPACKET);
	fails(sock_connect(fd, group_new(nowhere, 2), 0), EHOSTUNREACH);
	works(close(fd));
}

/* A failed connect() may have bound the socket, and has done nothing else. */
static void connect_again(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid nowhere[] = { { 1, port }, { 77, port } };
	const struct psync_pid good[] = { { 1, port }, { 2, port } };
	struct sockaddr_psync a;
	int fd = sock_new(1, SOCK_SEQPACKET);

	fails(sock_connect(fd, group_new(nowhere, 2), 3), EHOSTUNREACH);
	fails(peer_name(fd, &a), ENOTCONN);
	works(sock_connect(fd, group_new(good, 2), 3));
	assert_int_equal(opt_info(fd).participants, 2);
	works(close(fd));
}

static void connect_to_pid(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(2, port, 5);
	int fd = sock_new(1, SOCK_SEQPACKET);
	struct sockaddr_psync a;
	int conn;

	works(connect_pid(fd, 2, port));
	assert_true(name_of(fd).sp_port >= AUTO);
	works(peer_name(fd, &a));
	assert_int_equal(a.sp_type, PSYNC_ADDR_PID);
	assert_int_equal(a.sp_site, 2);
	assert_int_equal(a.sp_port, port);
	msg_send(fd, "hello");
	conn = sock_accept(listener);
	msg_expect(conn, "hello");
	assert_int_equal(name_of(conn).sp_port, port);
	works(peer_name(conn, &a));
	assert_int_equal(a.sp_type, PSYNC_ADDR_GROUP);
	assert_int_equal(a.sp_group, 0);
	assert_int_equal(a.sp_number, 0);
	assert_true(opt_u64(conn, PSYNC_CID) == opt_u64(fd, PSYNC_CID));
	sock_close((int[]){ conn, fd, listener }, 3);

	/* With oneself: a pid would be there twice. */
	fd = sock_bound(1, SOCK_SEQPACKET, port);
	fails(connect_pid(fd, 1, port), EINVAL);
	works(close(fd));
	fd = sock_new(1, SOCK_SEQPACKET);
	fails(connect_pid(fd, 77, port), EHOSTUNREACH);
	works(close(fd));
}

static void connect_participants(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	const struct psync_pid automatic[] = { { 1, AUTO + 5 }, { 2, port } };
	struct psync_pid many[400];
	int fd = sock_new(1, SOCK_SEQPACKET);
	unsigned int i;

	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, pids,
			 sizeof(pids)));
	fails(sock_connect(fd, 0, 1), EDESTADDRREQ);
	works(sock_connect(fd, 0, 0));
	assert_int_equal(opt_info(fd).participants, 2);
	assert_int_equal(opt_info(fd).group, 0);
	works(close(fd));

	/* An automatic port is nobody's to ask for. */
	fd = sock_new(1, SOCK_SEQPACKET);
	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, automatic,
			 sizeof(automatic)));
	fails(sock_connect(fd, 0, 0), EINVAL);
	works(close(fd));

	/* Headers of so many do not fit a packet: they go in fragments. */
	for (i = 0; i < COUNT(many); i++)
		many[i] = (struct psync_pid){ 1 + (i & 1), port + i };
	fd = sock_new(1, SOCK_SEQPACKET);
	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, many,
			 sizeof(many)));
	works(sock_connect(fd, 0, 0));
	works(close(fd));
	/* But not over a link that carries next to nothing. */
	if (lab.link != LAB_UDP6) {
		lab_run(1, "ip link set eth0 mtu 200");
		fd = sock_new(1, SOCK_SEQPACKET);
		works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, many,
				 sizeof(many)));
		fails(sock_connect(fd, 0, 0), EMSGSIZE);
		works(close(fd));
		lab_run(1, "ip link set eth0 mtu 1500");
	}
}

/* A pid that an accepted socket has, and one that comes back too late. */
static void connect_busy(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 2);
	int listener, conn, fd, other;

	listener = sock_listening(1, port, 5);
	other = sock_joined(1, port2, group, 4);
	msg_send(other, "x");
	conn = sock_accept(listener);
	works(close(listener));
	/* The port is free, its place in the conversation is not. */
	fd = sock_bound(1, SOCK_SEQPACKET, port);
	fails(sock_connect(fd, group, 4), EBUSY);
	msg_expect(conn, "x");
	msg_send(conn, "y");
	works(close(conn));
	/* It has spoken and gone: coming back is a restart. */
	fails(sock_connect(fd, group, 4), ESTALE);
	msg_expect(other, "y");
	works(close(other));
	/* Now nobody is left: it opens anew. */
	works(sock_connect(fd, group, 4));
	msg_none(fd);
	works(close(fd));
}

/* What waits in a listener's queue is its own; when it closes, nobody's. */
static void connect_waiting(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 1, port2 } };
	uint32_t group = group_new(pids, 2);
	int listener, fd, other, i;

	for (i = 1; i <= 20; i++) {
		listener = sock_listening(1, port, 5);
		other = sock_joined(1, port2, group, i);
		msg_send(other, "x");
		/* As the participant that waits: the listener has its port. */
		fd = sock_new(1, SOCK_SEQPACKET);
		fails(sock_bind(fd, port), EADDRINUSE);
		fails(sock_connect(fd, group, i), EADDRINUSE);
		works(close(listener));
		works(sock_bind(fd, port));
		works(sock_connect(fd, group, i));
		msg_send(other, "y");
		msg_expect(fd, "y");
		works(close(fd));
		works(close(other));
	}
}

static void connect_limit(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	unsigned int old = sysctl_set(1, "convs_max", convs_at(1) + 1);
	int first, second;

	first = sock_joined(1, 0, group, 0);
	second = sock_new(1, SOCK_SEQPACKET);
	works(sock_bind(second, port_new()));
	fails(connect_pid(second, 2, port_new()), ENFILE);
	works(close(first));
	works(connect_pid(second, 2, port_new()));
	works(close(second));
	sysctl_set(1, "convs_max", old);
}

static void listen_errors(void **state)
{
	int fd = sock_new(1, SOCK_SEQPACKET);

	fails(listen(fd, 5), EDESTADDRREQ);
	works(sock_bind(fd, port_new()));
	works(listen(fd, 5));
	works(listen(fd, 1));
	works(listen(fd, -1));
	works(close(fd));
	fd = sock_bound(1, SOCK_DGRAM, port_new());
	fails(listen(fd, 5), EOPNOTSUPP);
	works(close(fd));
}

static void on_alarm(int sig)
{
}

/* Signals come until the call under test has ended: none can be missed. */
static void alarms(bool on)
{
	const struct itimerval every = {
		.it_interval.tv_usec = on ? 20000 : 0,
		.it_value.tv_usec = on ? 20000 : 0,
	};
	struct sigaction act = { .sa_handler = on_alarm };

	works(sigaction(SIGALRM, &act, NULL));
	works(setitimer(ITIMER_REAL, &every, NULL));
}

static void accept_errors(void **state)
{
	int fd = sock_bound(1, SOCK_SEQPACKET, port_new());
	struct sockaddr_psync a;
	socklen_t len = sizeof(a);
	uint64_t begin;

	fails(accept(fd, NULL, NULL), EINVAL);
	works(listen(fd, 1));
	works(fcntl(fd, F_SETFL, O_NONBLOCK));
	fails(accept(fd, (struct sockaddr *)&a, &len), EAGAIN);
	works(fcntl(fd, F_SETFL, 0));

	alarms(true);
	fails(accept(fd, NULL, NULL), EINTR);
	sock_timeout(fd, SO_RCVTIMEO, 0);
	fails(accept(fd, NULL, NULL), EINTR);
	alarms(false);

	sock_timeout(fd, SO_RCVTIMEO, 50);
	begin = clock_ms();
	fails(accept(fd, NULL, NULL), EAGAIN);
	assert_true(clock_ms() - begin >= 40);
	works(close(fd));

	fd = sock_bound(1, SOCK_DGRAM, port_new());
	fails(accept(fd, NULL, NULL), EOPNOTSUPP);
	works(close(fd));
}

static void *accept_thread(void *arg)
{
	struct sleeper *s = arg;

	sleeper_here(s);
	return (void *)(long)accept(s->fd, NULL, NULL);
}

/* accept() waits for the start message; its socket has what it asked for. */
static void accept_waits(void **state)
{
	uint32_t port = port_new();
	int fd, conn, listener = sock_listening(2, port, 5);
	struct sleeper s = { .fd = listener };
	struct sockaddr_psync a;
	socklen_t len = sizeof(a);
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, accept_thread, &s), 0);
	sleeper_await(&s, SYS_accept);
	fd = sock_new(1, SOCK_SEQPACKET);
	works(connect_pid(fd, 2, port));
	assert_int_equal(poll_now(listener, POLLIN), 0);
	msg_send(fd, "first");
	pthread_join(thread, &result);
	conn = (long)result;
	assert_true(conn >= 0);
	sock_timeout(conn, SO_RCVTIMEO, PATIENCE * 1000);
	msg_expect(conn, "first");
	sock_close((int[]){ conn, fd }, 2);

	/* Options are inherited, flags are the call's, the address is filled. */
	works(opt_set_u32(listener, PSYNC_RECVINFO, PSYNC_RECV_PREDS));
	works(opt_set_u32(listener, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	fd = sock_new(1, SOCK_SEQPACKET);
	works(connect_pid(fd, 2, port));
	msg_send(fd, "second");
	conn = works(accept4(listener, (struct sockaddr *)&a, &len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC));
	assert_int_equal(len, sizeof(a));
	assert_int_equal(a.sp_type, PSYNC_ADDR_GROUP);
	assert_int_equal(works(fcntl(conn, F_GETFL)) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(opt_u32(conn, PSYNC_RECVINFO), PSYNC_RECV_PREDS);
	assert_int_equal(opt_u32(conn, PSYNC_EVENTS), PSYNC_EVMASK_ALL);
	sock_close((int[]){ conn, fd, listener }, 3);
}

/* S1.5, P 2: pending conversations queue up to the backlog. */
static void backlog(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(2, port, 1);
	uint64_t full = stat_of(2, "DropPendingFull");
	int fds[4], conn, i;

	for (i = 0; i < 4; i++) {
		fds[i] = sock_new(1, SOCK_SEQPACKET);
		works(connect_pid(fds[i], 2, port));
	}
	/* One more than asked for fits, as everywhere in Linux. */
	msg_send(fds[0], "0");
	msg_send(fds[1], "1");
	msg_send(fds[2], "2");
	stat_await(2, "DropPendingFull", full + 1);
	conn = sock_accept(listener);
	msg_expect(conn, "0");
	works(close(conn));
	conn = sock_accept(listener);
	msg_expect(conn, "1");
	works(close(conn));
	works(fcntl(listener, F_SETFL, O_NONBLOCK));
	fails(accept(listener, NULL, NULL), EAGAIN);
	works(fcntl(listener, F_SETFL, 0));
	/* There is room again. */
	msg_send(fds[3], "3");
	conn = sock_accept(listener);
	msg_expect(conn, "3");
	works(close(conn));
	sock_close(fds, 4);
	works(close(listener));
}

/* Conversations nobody accepted end with their listener. */
static void backlog_closed(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(2, port, 8);
	uint64_t attached, closed;
	int fds[3], i;

	convs_none(2);
	attached = stat_of(2, "MsgAttached");
	closed = stat_of(2, "ConvClosed");
	for (i = 0; i < 3; i++) {
		fds[i] = sock_new(1, SOCK_SEQPACKET);
		works(connect_pid(fds[i], 2, port));
		msg_send(fds[i], "never read");
	}
	stat_await(2, "MsgAttached", attached + 3);
	await_poll(listener, POLLIN);
	works(close(listener));
	assert_int_equal(stat_of(2, "ConvClosed"), closed + 3);
	sock_close(fds, 3);
	/* The port is free. */
	listener = sock_listening(2, port, 1);
	works(close(listener));
}

static void names(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int fd = sock_new(1, SOCK_SEQPACKET);
	struct sockaddr_psync a = name_of(fd);
	socklen_t len;

	assert_int_equal(a.sp_site, 0);
	assert_int_equal(a.sp_port, 0);
	assert_int_equal(a.sp_binding, 0);
	fails(peer_name(fd, &a), ENOTCONN);
	works(sock_connect(fd, group, 12));
	a = name_of(fd);
	assert_int_equal(a.sp_site, 1);
	assert_int_equal(a.sp_port, port);
	assert_int_not_equal(a.sp_binding, 0);
	works(peer_name(fd, &a));
	assert_int_equal(a.sp_type, PSYNC_ADDR_GROUP);
	assert_int_equal(a.sp_group, group);
	assert_int_equal(a.sp_number, 12);
	assert_int_equal(a.sp_site, 0);

	/* A short buffer gets what fits and learns the length. */
	memset(&a, 0x55, sizeof(a));
	len = 2;
	works(getsockname(fd, (struct sockaddr *)&a, &len));
	assert_int_equal(len, sizeof(a));
	assert_int_equal(a.sp_family, lab.family);
	assert_int_equal(a.sp_type, 0x55);
	fails(getsockname(fd, (struct sockaddr *)8, &len), EFAULT);
	works(close(fd));
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	pipes++;
}

static void shutdown_write(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct sigaction act = { .sa_handler = on_pipe };
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);

	works(sigaction(SIGPIPE, &act, NULL));
	fails(shutdown(a, 3), EINVAL);
	fails(shutdown(a, -1), EINVAL);
	works(shutdown(a, SHUT_WR));
	pipes = 0;
	fails(send(a, "x", 1, MSG_NOSIGNAL), EPIPE);
	assert_int_equal(pipes, 0);
	fails(send(a, "x", 1, 0), EPIPE);
	assert_int_equal(pipes, 1);
	/* The other direction is open. */
	msg_send(b, "still");
	msg_expect(a, "still");
	assert_int_equal(poll_now(a, POLLIN | POLLRDHUP), 0);
	sock_close((int[]){ a, b }, 2);
	a = sock_new(1, SOCK_SEQPACKET);
	fails(shutdown(a, SHUT_RD), ENOTCONN);
	works(sock_bind(a, port_new()));
	works(listen(a, 1));
	fails(shutdown(a, SHUT_RD), ENOTCONN);
	works(close(a));
}

static void shutdown_read(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);
	struct msg m;

	msg_send(b, "before");
	await_poll(a, POLLIN);
	works(shutdown(a, SHUT_RD));
	assert_int_equal(poll_now(a, POLLIN | POLLRDHUP), POLLIN | POLLRDHUP);
	/* What has come is there to be read, then it is the end. */
	msg_expect(a, "before");
	assert_int_equal(msg_try(a, &m, 0), 0);
	assert_int_equal(msg_try(a, &m, 0), 0);
	assert_false(m.flags & MSG_EOR);
	msg_send(a, "after");
	msg_expect(b, "after");
	works(shutdown(a, SHUT_WR));
	assert_true(poll_now(a, 0) & POLLHUP);
	sock_close((int[]){ a, b }, 2);
}

static void *recv_thread(void *arg)
{
	struct sleeper *s = arg;
	char byte;

	sleeper_here(s);
	return (void *)(long)recv(s->fd, &byte, 1, 0);
}

static void shutdown_wakes(void **state)
{
	int fd = sock_joined(1, 0, group_of_hosts(port_new()), 1);
	struct sleeper s = { .fd = fd };
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, recv_thread, &s), 0);
	sleeper_await(&s, SYS_recvfrom);
	works(shutdown(fd, SHUT_RDWR));
	pthread_join(thread, &result);
	assert_int_equal((long)result, 0);
	works(close(fd));
}

/* A reader inside the call keeps the socket: its message still comes. */
static void close_under_reader(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);
	struct sleeper s = { .fd = a };
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, recv_thread, &s), 0);
	sleeper_await(&s, SYS_recvfrom);
	works(close(a));
	port_is_taken(1, port);
	msg_send(b, "x");
	pthread_join(thread, &result);
	assert_int_equal((long)result, 1);
	works(close(b));
}

/* Right after a send: the message is on its way and stays so. */
static void close_after_send(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);

	/* Confirmed on both sides, so that no question is left open. */
	msg_send(a, "1");
	msg_expect(b, "1");
	msg_send(b, "2");
	msg_expect(a, "2");
	msg_send(a, "last words");
	works(close(a));
	msg_expect(b, "last words");
	works(close(b));
}

/* A participant is the open socket: it dies with the last reference. */
static void fork_shares(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);
	int go[2], status;
	char byte;
	pid_t pid;

	works(pipe(go));
	pid = works(fork());
	if (!pid) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1 || send(a, "child", 5, 0) != 5)
			_exit(1);
		_exit(read(go[0], &byte, 1) != 0);
	}
	works(close(go[0]));
	msg_send(a, "parent");
	works(close(a));
	works(write(go[1], "g", 1));
	msg_expect(b, "parent");
	msg_expect(b, "child");
	/* Same participant, next sequence number. */
	query_is(b, PSYNC_LEAVES, 0, PSYNC_MID(0, 2));
	port_is_taken(1, port);
	works(close(go[1]));
	works(waitpid(pid, &status, 0));
	assert_int_equal(status, 0);
	a = sock_bound(1, SOCK_SEQPACKET, port);
	sock_close((int[]){ a, b }, 2);
}

static void fd_pass(int via, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { "f", 1 };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	works(sendmsg(via, &hdr, 0));
}

static int fd_take(int via)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { control, 1 };
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	works(recvmsg(via, &hdr, 0));
	assert_non_null(CMSG_FIRSTHDR(&hdr));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(fd));
	return fd;
}

static void passing_shares(void **state)
{
	uint32_t port = port_new();
	uint32_t group = group_of_hosts(port);
	int a = sock_joined(1, 0, group, 1);
	int b = sock_joined(2, 0, group, 1);
	int via[2];

	works(socketpair(AF_UNIX, SOCK_STREAM, 0, via));
	fd_pass(via[0], a);
	works(close(a));
	/* In flight only, and alive. */
	port_is_taken(1, port);
	a = fd_take(via[1]);
	msg_send(a, "passed");
	msg_expect(b, "passed");
	works(close(a));
	a = sock_bound(1, SOCK_SEQPACKET, port);
	sock_close((int[]){ a, b, via[0], via[1] }, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create),
		cmocka_unit_test(generic_options),
		cmocka_unit_test(bind_errors),
		cmocka_unit_test(binding_numbers),
		cmocka_unit_test(automatic_ports),
		cmocka_unit_test(connect_address),
		cmocka_unit_test(connect_group),
		cmocka_unit_test(connect_again),
		cmocka_unit_test(connect_to_pid),
		cmocka_unit_test(connect_participants),
		cmocka_unit_test(connect_busy),
		cmocka_unit_test(connect_waiting),
		cmocka_unit_test(connect_limit),
		cmocka_unit_test(listen_errors),
		cmocka_unit_test(accept_errors),
		cmocka_unit_test(accept_waits),
		ordered_unit_test(backlog),
		cmocka_unit_test(backlog_closed),
		cmocka_unit_test(names),
		cmocka_unit_test(shutdown_write),
		cmocka_unit_test(shutdown_read),
		cmocka_unit_test(shutdown_wakes),
		cmocka_unit_test(close_under_reader),
		cmocka_unit_test(close_after_send),
		cmocka_unit_test(fork_shares),
		cmocka_unit_test(passing_shares),
	};

	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
