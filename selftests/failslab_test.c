// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call on a socket and every request of the configuration, with each of
 * its allocations failing in turn (lib_nth.h); what is asked of a conversation
 * that is open: failslab_conv_test.c. Also how the module is loaded, for
 * failslab.sh. Needs two hosts and the debug kernel.
 */

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <linux/psync_netlink.h>
#include <linux/sockios.h>

#include "lib_nth.h"

static void create(void **state)
{
	struct nth n = { 0 };
	long fd;

	lab_enter(1);
	while (nth_next(&n)) {
		fd = nth_call(&n, socket(lab.family, SOCK_SEQPACKET, 0));
		if (fd >= 0)
			works(close(fd));
	}
	nth_end(&n, "socket SEQPACKET");
	n = (struct nth){ 0 };
	while (nth_next(&n)) {
		fd = nth_call(&n, socket(lab.family, SOCK_DGRAM, 0));
		if (fd >= 0)
			works(close(fd));
	}
	nth_end(&n, "socket DGRAM");
}

static void bind_(void **state)
{
	const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };
	uint32_t port = port_new();
	unsigned int i, automatic;
	int fd;

	for (i = 0; i < COUNT(types); i++) {
		for (automatic = 0; automatic < 2; automatic++) {
			struct nth n = { 0 };

			while (nth_next(&n)) {
				fd = sock_new(1, types[i]);
				nth_again(&n, sock_bind(fd, automatic ? 0 :
							port));
				/* A failure did not leave the port taken. */
				works(close(fd));
			}
			nth_end(&n, automatic ? "bind, automatic" : "bind");
		}
	}
}

static void listen_(void **state)
{
	int fd = sock_bound(1, SOCK_SEQPACKET, port_new());

	/* It needs no memory, so there is nothing that could fail. */
	nth_arm(&(struct nth){ .nth = 1 });
	works(listen(fd, 3));
	assert_false(nth_disarm());
	works(close(fd));
}

static void connect_group(void **state)
{
	uint32_t group = group_of_hosts(port_new()), number;
	struct nth n = { 0 };
	int fd, other;

	/* A new one (0), and one to meet in that the other host opened. */
	for (number = 0; number < 2; number++, n = (struct nth){ 0 }) {
		other = number ? sock_joined(2, 0, group, number) : -1;
		if (number)
			msg_send(other, "waiting");
		while (nth_next(&n)) {
			fd = sock_new(1, SOCK_SEQPACKET);
			nth_again(&n, sock_connect(fd, group, number));
			works(close(fd));
		}
		nth_end(&n, number ? "connect, rendezvous" : "connect");
		if (number)
			works(close(other));
	}
}

static void connect_participants(void **state)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	struct nth set = { 0 }, n = { 0 };
	int fd;

	fd = sock_bound(1, SOCK_SEQPACKET, port);
	while (nth_next(&set))
		nth_again(&set, setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS,
					   pids, sizeof(pids)));
	nth_end(&set, "PSYNC_PARTICIPANTS");
	works(close(fd));
	while (nth_next(&n)) {
		fd = sock_bound(1, SOCK_SEQPACKET, port);
		works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, pids,
				 sizeof(pids)));
		nth_again(&n, sock_connect(fd, 0, 0));
		works(close(fd));
	}
	nth_end(&n, "connect, participants");
}

static void connect_dgram(void **state)
{
	struct sockaddr_psync to = addr_pid(2, port_new());
	struct nth n = { 0 };
	int fd;

	while (nth_next(&n)) {
		fd = sock_new(1, SOCK_DGRAM);
		nth_again(&n, connect(fd, (struct sockaddr *)&to, sizeof(to)));
		works(close(fd));
	}
	nth_end(&n, "connect DGRAM");
}

/* Opens a conversation with a listener at host 1, from host 2. */
static int knock(uint32_t group)
{
	int fd = sock_joined(2, 0, group, 0);

	msg_send(fd, "knock");
	return fd;
}

static void accept_(void **state)
{
	uint32_t port = port_new(), group = group_of_hosts(port);
	int listener = sock_listening(1, port, 8), from;
	struct sockaddr_psync addr;
	struct nth n = { 0 };
	socklen_t len;
	long conn;

	/* Without an address it can be asked again: the caller waits on. */
	while (nth_next(&n)) {
		from = knock(group);
		await_poll(listener, POLLIN);
		conn = nth_call(&n, accept4(listener, NULL, NULL,
					    SOCK_CLOEXEC));
		if (conn < 0)
			conn = sock_accept(listener);
		msg_expect(conn, "knock");
		sock_close((int[]){ conn, from }, 2);
	}
	nth_end(&n, "accept");
	/* What was accepted and could not be named is closed. */
	n = (struct nth){ 0 };
	while (nth_next(&n)) {
		from = knock(group);
		await_poll(listener, POLLIN);
		len = sizeof(addr);
		conn = nth_call(&n, accept4(listener, (struct sockaddr *)&addr,
					    &len, SOCK_CLOEXEC));
		if (conn < 0 && poll_now(listener, POLLIN) & POLLIN)
			conn = sock_accept(listener);
		if (conn >= 0)
			works(close(conn));
		works(close(from));
	}
	nth_end(&n, "accept, address");
	works(close(listener));
}

/* Two hosts in one conversation; the first message opened it. */
static void pair_new(int *a, int *b)
{
	uint32_t group = group_of_hosts(port_new());

	*a = sock_joined(1, 0, group, 1);
	*b = sock_joined(2, 0, group, 1);
	msg_send(*a, "open");
	msg_expect(*b, "open");
	msg_send(*b, "opened");
	msg_expect(*a, "opened");
}

/* A body of @size bytes is received whole, or not at all and is still there. */
static void whole_expect(struct nth *n, int fd, const char *body, char *got,
			 size_t size)
{
	long len = recv(fd, got, size + 1, 0);

	if (n)
		len = nth_judge(n, len, "recv");
	if (n && len < 0)
		len = recv(fd, got, size + 1, 0);
	assert_int_equal(works(len), size);
	assert_memory_equal(got, body, size);
}

#define BODY_MAX	70000

/* From a copy of its own in the packet to fragments in pages of several skbs. */
static const size_t sizes[] = { 0, 1, 100, 1000, 3000, BODY_MAX };

/*
 * The first message of a conversation, and later ones of all sizes. What could
 * not leave the host is sent again.
 */
static void send_(void **state)
{
	char *body = calloc(1, BODY_MAX), *got = malloc(BODY_MAX + 1);
	uint32_t group = group_of_hosts(port_new());
	struct nth n = { 0 };
	unsigned int i;
	int a, b;

	assert_true(body && got);
	while (nth_next(&n)) {
		a = sock_joined(1, 0, group, 0);
		nth_again(&n, send(a, "first", 5, 0));
		assert_int_equal(opt_info(a).view, 1);
		works(close(a));
	}
	nth_end(&n, "send, the first");
	pair_new(&a, &b);
	for (i = 0; i < COUNT(sizes); i++) {
		uint64_t view = opt_info(a).view, done = 0;

		n = (struct nth){ 0 };
		while (nth_next(&n)) {
			body[0] = n.nth;
			await_poll(a, POLLOUT);
			nth_again(&n, send(a, body, sizes[i], MSG_DONTWAIT));
			/* Once, whatever failed on the way. */
			assert_int_equal(opt_info(a).view, view + ++done);
			whole_expect(NULL, b, body, got, sizes[i]);
		}
		nth_end(&n, "send");
	}
	msg_none(b);
	sock_close((int[]){ a, b }, 2);
	free(body);
	free(got);
}

/* Bodies of all sizes, into the buffer; other ways to receive: recv_() */
static void recv_body(void **state)
{
	char *body = calloc(1, BODY_MAX), *got = malloc(BODY_MAX + 1);
	unsigned int i;
	int a, b;

	assert_true(body && got);
	pair_new(&a, &b);
	for (i = 1; i < COUNT(sizes); i++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			body[0] = n.nth;
			works(send(a, body, sizes[i], 0));
			await_poll(b, POLLIN);
			nth_arm(&n);
			whole_expect(&n, b, body, got, sizes[i]);
		}
		nth_end(&n, "recv");
	}
	msg_none(b);
	sock_close((int[]){ a, b }, 2);
	free(body);
	free(got);
}

static void recv_(void **state)
{
	int a, b, flags;
	struct nth n = { 0 };
	struct msg m;

	pair_new(&a, &b);
	for (flags = 0; flags <= 3; flags++, n = (struct nth){ 0 }) {
		works(opt_set_u32(b, PSYNC_RECVINFO, flags));
		while (nth_next(&n)) {
			msg_send(a, "some text");
			await_poll(b, POLLIN);
			if (nth_call(&n, msg_try(b, &m, 0)) >= 0)
				assert_string_equal(m.body, "some text");
			/* If it was not received, it is still there. */
			while (msg_try(b, &m, MSG_DONTWAIT) >= 0)
				assert_string_equal(m.body, "some text");
			assert_int_equal(errno, EAGAIN);
		}
		nth_end(&n, "recvmsg");
	}
	sock_close((int[]){ a, b }, 2);
}

/* An event: another host's list of members differs. */
static void recv_event(void **state)
{
	uint32_t port = port_new(), one = group_of_hosts(port);
	const struct psync_pid others[] = { { 2, port }, { 1, port } };
	uint32_t number = one + 500;
	struct nth n = { 0 };
	int fd, b;
	struct msg m;

	group_add(1, number, (struct psync_pid[]){ { 1, port }, { 2, port } },
		  2);
	group_add(2, number, others, 2);
	b = sock_new(2, SOCK_SEQPACKET);
	works(opt_set_u32(b, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	works(sock_connect(b, number, 1));
	while (nth_next(&n)) {
		fd = sock_joined(1, 0, number, 1);
		msg_send(fd, "differs");
		await_poll(b, POLLIN);
		if (nth_call(&n, msg_try(b, &m, 0)) >= 0)
			assert_true(m.event);
		while (msg_try(b, &m, MSG_DONTWAIT) >= 0)
			assert_true(m.event);
		works(close(fd));
	}
	nth_end(&n, "recvmsg, event");
	works(close(b));
}

static void dgram(void **state)
{
	uint32_t port = port_new(), group = group_of_hosts(port);
	struct sockaddr_psync to[] = {
		addr_pid(1, port), addr_pid(2, port), addr_group(group, 0),
	};
	int a = sock_bound(1, SOCK_DGRAM, port);
	int b = sock_bound(2, SOCK_DGRAM, port);
	char body[1000] = "";
	unsigned int i;
	struct msg m;
	int fd;

	for (i = 0; i < COUNT(to); i++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			/* One that is not bound yet gets a port, too. */
			fd = sock_new(1, SOCK_DGRAM);
			nth_again(&n, sendto(fd, body, sizeof(body), 0,
					     (struct sockaddr *)&to[i],
					     sizeof(to[i])));
			works(close(fd));
		}
		nth_end(&n, "sendto");
	}
	for (i = 0; i < 2; i++) {
		struct nth n = { 0 };

		fd = i ? b : a;
		while (nth_next(&n)) {
			while (msg_try(fd, &m, MSG_DONTWAIT) >= 0)
				;
			works(sendto(a, "text", 4, 0,
				     (struct sockaddr *)&to[i], sizeof(to[i])));
			await_poll(fd, POLLIN);
			if (nth_call(&n, msg_try(fd, &m, 0)) >= 0)
				assert_string_equal(m.body, "text");
		}
		nth_end(&n, "recvmsg DGRAM");
	}
	sock_close((int[]){ a, b }, 2);
}

static void names(void **state)
{
	struct nth own = { 0 }, peer = { 0 };
	struct sockaddr_psync addr;
	socklen_t len;
	int a, b;

	pair_new(&a, &b);
	while (nth_next(&own)) {
		len = sizeof(addr);
		nth_call(&own, getsockname(a, (struct sockaddr *)&addr, &len));
	}
	nth_end(&own, "getsockname");
	while (nth_next(&peer)) {
		len = sizeof(addr);
		nth_call(&peer, getpeername(a, (struct sockaddr *)&addr, &len));
	}
	nth_end(&peer, "getpeername");
	sock_close((int[]){ a, b }, 2);
}

/* What has next to nothing to allocate or copy, and the end, which has. */
static void polls(void **state)
{
	struct nth in = { 0 }, out = { 0 }, poll_ = { 0 }, shut = { 0 };
	struct pollfd p = { .events = POLLIN | POLLOUT };
	int a, b, bytes, i;

	pair_new(&a, &b);
	while (nth_next(&in))
		nth_call(&in, ioctl(a, SIOCINQ, &bytes));
	while (nth_next(&out))
		nth_call(&out, ioctl(a, SIOCOUTQ, &bytes));
	p.fd = a;
	while (nth_next(&poll_))
		nth_again(&poll_, poll(&p, 1, 0));
	nth_end(&poll_, "poll");
	while (nth_next(&shut))
		nth_again(&shut, shutdown(a, SHUT_WR));
	sock_close((int[]){ a, b }, 2);
	/* Closing cannot fail. */
	for (i = 1; i <= 20; i++) {
		pair_new(&a, &b);
		nth_arm(&(struct nth){ .nth = i });
		works(close(a));
		nth_disarm();
		works(close(b));
	}
}

static void sysctls(void **state)
{
	struct nth n = { 0 };
	char text[16];
	int fd;

	lab_enter(1);
	fd = works(open("/proc/sys/net/psync/hello_ms", O_RDWR));
	while (nth_next(&n))
		nth_call(&n, pread(fd, text, sizeof(text), 0));
	nth_end(&n, "read of a sysctl");
	n = (struct nth){ 0 };
	while (nth_next(&n))
		nth_again(&n, pwrite(fd, "200\n", 4, 0));
	nth_end(&n, "write of a sysctl");
	works(close(fd));
	n = (struct nth){ 0 };
	while (nth_next(&n)) {
		char buf[8192];

		fd = works(open("/proc/thread-self/net/psync_stat", O_RDONLY));
		nth_call(&n, read(fd, buf, sizeof(buf)));
		works(close(fd));
	}
	nth_end(&n, "read of psync_stat");
}

static struct nl *nl;
static struct psync_pid pids[2] = { { 1, 5 }, { 2, 5 } };
static uint64_t cid, mid;
static bool asked[PSYNC_CMD_MAX + 1];

static void begin(uint8_t command)
{
	asked[command] = true;
	nl_begin(nl, command);
}

static void link_begin(const char *name, uint32_t kind)
{
	begin(PSYNC_CMD_LINK_ADD);
	nl_str(nl, PSYNC_A_LINK_NAME, name);
	nl_u32(nl, PSYNC_A_LINK_KIND, kind);
}

static void link_eth(void)
{
	link_begin("fail", PSYNC_LINK_KIND_ETH);
	nl_str(nl, PSYNC_A_LINK_DEV, "f0");
}

static void link_udp4(void)
{
	link_begin("fail", PSYNC_LINK_KIND_UDP);
	nl_put(nl, PSYNC_A_LINK_IP4, "\x7f\0\0\1", 4);
	nl_u16(nl, PSYNC_A_LINK_PORT, 4711);
}

static void link_udp6(void)
{
	link_begin("fail", PSYNC_LINK_KIND_UDP);
	nl_put(nl, PSYNC_A_LINK_IP6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	nl_u16(nl, PSYNC_A_LINK_PORT, 4711);
}

static void link_set_port(uint16_t port)
{
	begin(PSYNC_CMD_LINK_SET);
	nl_str(nl, PSYNC_A_LINK_NAME, "fail");
	nl_u16(nl, PSYNC_A_LINK_PORT, port);
}

static void link_set(void)
{
	link_set_port(4713);
}

static void link_unset(void)
{
	link_set_port(4711);
}

static void link_del(void)
{
	begin(PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "fail");
}

static void peer_begin(uint8_t command, const char *address)
{
	begin(command);
	nl_u32(nl, PSYNC_A_PEER_SITE, 77);
	nl_str(nl, PSYNC_A_PEER_LINK, "under");
	nl_put(nl, PSYNC_A_PEER_IP4, address, 4);
}

static void peer_add(void)
{
	peer_begin(PSYNC_CMD_PEER_ADD, "\x7f\0\0\2");
}

static void peer_set(void)
{
	peer_begin(PSYNC_CMD_PEER_SET, "\x7f\0\0\3");
}

static void peer_del(void)
{
	begin(PSYNC_CMD_PEER_DEL);
	nl_u32(nl, PSYNC_A_PEER_SITE, 77);
}

static void group_begin(uint8_t command)
{
	begin(command);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 77);
	nl_str(nl, PSYNC_A_GROUP_NAME, "failing");
	nl_put(nl, PSYNC_A_GROUP_PIDS, pids, sizeof(pids));
	nl_u32(nl, PSYNC_A_GROUP_SLOW, PSYNC_SLOW_SKIP);
	nl_u32(nl, PSYNC_A_GROUP_SLOW_MS, 500);
}

static void group_create(void)
{
	group_begin(PSYNC_CMD_GROUP_ADD);
}

static void group_set(void)
{
	group_begin(PSYNC_CMD_GROUP_SET);
}

static void group_del(void)
{
	begin(PSYNC_CMD_GROUP_DEL);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 77);
}

static void site_set(void)
{
	begin(PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 5);
}

static void site_unset(void)
{
	begin(PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 0);
}

static void nl_do(void (*request)(void))
{
	int err;

	request();
	err = nl_talk(nl);
	if (err)
		fail_msg("%s (%s)", strerrorname_np(-err), nl_words(nl));
}

static long nl_result(int err)
{
	errno = -err;
	return err ? -1 : 0;
}

/*
 * One request, for which the kernel works in send. It may have been done even
 * when the acknowledgement could not be made; then it cannot be done again.
 */
static void nl_failing(void (*request)(void), void (*undo)(void),
		       int done_already, const char *what)
{
	struct nth n = { 0 };
	int err;

	while (nth_next(&n)) {
		request();
		err = 0;
		if (nth_call(&n, nl_result(nl_send(nl, false))) < 0) {
			err = -errno;
		} else {
			err = nl_answer(nl);
			n.errors += err != 0;
		}
		if (err) {
			assert_false(n.over);
			if (!nth_is_want(-err))
				fail_msg("%s, failure %u: %s (%s)", what,
					 n.nth, strerrorname_np(-err),
					 nl_words(nl));
			request();
			err = nl_talk(nl);
			if (err && err != done_already)
				fail_msg("%s, failure %u, and again: %s (%s)",
					 what, n.nth, strerrorname_np(-err),
					 nl_words(nl));
		}
		if (undo)
			nl_do(undo);
	}
	nth_end(&n, what);
}

static void changes(void **state)
{
	lab_run(1, "ip link add f0 type veth peer name f1");
	nl = nl_open(1);
	nl_failing(link_eth, link_del, -EEXIST, "link add, eth");
	nl_failing(link_udp4, link_del, -EEXIST, "link add, udp4");
	nl_failing(link_udp6, link_del, -EEXIST, "link add, udp6");
	nl_do(link_udp4);
	nl_failing(link_set, link_unset, 0, "link set");
	nl_failing(link_del, link_udp4, -ENOENT, "link del");
	nl_do(link_del);

	link_begin("under", PSYNC_LINK_KIND_UDP);
	nl_put(nl, PSYNC_A_LINK_IP4, "\x7f\0\0\1", 4);
	nl_u16(nl, PSYNC_A_LINK_PORT, 4712);
	assert_int_equal(nl_talk(nl), 0);
	nl_failing(peer_add, peer_del, -EEXIST, "peer add");
	nl_do(peer_add);
	nl_failing(peer_set, NULL, 0, "peer set");
	nl_failing(peer_del, peer_add, -ENOENT, "peer del");
	nl_do(peer_del);
	begin(PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "under");
	assert_int_equal(nl_talk(nl), 0);

	nl_failing(group_create, group_del, -EEXIST, "group add");
	nl_do(group_create);
	nl_failing(group_set, NULL, 0, "group set");
	nl_failing(group_del, group_create, -ENOENT, "group del");
	nl_do(group_del);
	nl_close(nl);
	lab_run(1, "ip link del f0");

	/* A site that nobody relies on. */
	works(unshare(CLONE_NEWNET));
	nl = nl_here();
	nl_failing(site_set, site_unset, 0, "site set");
	nl_close(nl);
	lab_enter(0);
}

static void ask_plain(void)
{
}

static void ask_link(void)
{
	nl_str(nl, PSYNC_A_LINK_NAME, "fail");
}

static void ask_peer(void)
{
	nl_u32(nl, PSYNC_A_PEER_SITE, 2);
}

static void ask_group(void)
{
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 77);
}

static void ask_conv(void)
{
	nl_u64(nl, PSYNC_A_CONV_CID, cid);
}

static void ask_views(void)
{
	nl_u64(nl, PSYNC_A_VIEW_CID, cid);
}

static void ask_view(void)
{
	ask_views();
	nl_u32(nl, PSYNC_A_VIEW_INDEX, 0);
}

static void ask_graph(void)
{
	nl_u64(nl, PSYNC_A_NODE_CID, cid);
}

static void ask_node(void)
{
	ask_graph();
	nl_u64(nl, PSYNC_A_NODE_MID, mid);
}

static void ask_stat(void)
{
	nl_str(nl, PSYNC_A_STAT_NAME, "MsgSent");
}

static void ask_remotes(void)
{
	nl_u64(nl, PSYNC_A_REMOTE_CID, cid);
}

static void ask_remote(void)
{
	ask_remotes();
	nl_u32(nl, PSYNC_A_REMOTE_SITE, 2);
}

static const struct question {
	const char	*what;
	uint8_t		command;
	bool		dump;
	void		(*ask)(void);
} all_questions[] = {
	{ "site", PSYNC_CMD_SITE_GET, false, ask_plain },
	{ "link", PSYNC_CMD_LINK_GET, false, ask_link },
	{ "links", PSYNC_CMD_LINK_GET, true, ask_plain },
	{ "peer", PSYNC_CMD_PEER_GET, false, ask_peer },
	{ "peers", PSYNC_CMD_PEER_GET, true, ask_plain },
	{ "group", PSYNC_CMD_GROUP_GET, false, ask_group },
	{ "groups", PSYNC_CMD_GROUP_GET, true, ask_plain },
	{ "conversation", PSYNC_CMD_CONV_GET, false, ask_conv },
	{ "conversations", PSYNC_CMD_CONV_GET, true, ask_plain },
	{ "view", PSYNC_CMD_VIEW_GET, false, ask_view },
	{ "views", PSYNC_CMD_VIEW_GET, true, ask_views },
	{ "node", PSYNC_CMD_GRAPH_GET, false, ask_node },
	{ "graph", PSYNC_CMD_GRAPH_GET, true, ask_graph },
	{ "counter", PSYNC_CMD_STAT_GET, false, ask_stat },
	{ "counters", PSYNC_CMD_STAT_GET, true, ask_plain },
	{ "remote", PSYNC_CMD_REMOTE_GET, false, ask_remote },
	{ "remotes", PSYNC_CMD_REMOTE_GET, true, ask_remotes },
};

static void question(const struct question *q)
{
	struct nth n = { 0 };
	int err;

	while (nth_next(&n)) {
		nl = nl_open(1);
		begin(q->command);
		q->ask();
		nth_arm(&n);
		err = nl_send(nl, q->dump);
		if (!err)
			err = nl_answer(nl);
		nth_judge(&n, nl_result(err), q->what);
		nl_close(nl);
	}
	nth_end(&n, q->what);
}

/* Questions, with some of everything there. */
static void questions(void **state)
{
	unsigned int i;
	int a, b;

	pair_new(&a, &b);
	cid = opt_u64(a, PSYNC_CID);
	mid = opt_u64(a, PSYNC_LAST_MID);
	nl = nl_open(1);
	nl_do(link_udp4);
	nl_do(group_create);
	nl_close(nl);
	for (i = 0; i < COUNT(all_questions); i++)
		question(&all_questions[i]);
	nl = nl_open(1);
	nl_do(group_del);
	nl_do(link_del);
	nl_close(nl);
	sock_close((int[]){ a, b }, 2);
}

/* What was not asked here is not a request. */
static void no_others(void **state)
{
	unsigned int i;

	nl = nl_open(1);
	for (i = 0; i <= PSYNC_CMD_MAX; i++) {
		if (asked[i])
			continue;
		nl_begin(nl, i);
		assert_int_equal(nl_talk(nl), -EOPNOTSUPP);
	}
	nl_close(nl);
}

/* What psync does for a new namespace; no other module does anything much. */
static void namespaces(void **state)
{
	struct nth n = { 0 };

	nth_within_modules();
	while (nth_next(&n)) {
		nth_call(&n, unshare(CLONE_NEWNET));
		lab_enter(0);
	}
	nth_anywhere();
	nth_end(&n, "namespace");
}

/* The module comes in, once nothing fails. */
static int failslab_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	unsigned int errors = 0;
	struct nth n = { 0 };
	long value = -1;

	if (fd < 0) {
		perror(path);
		return 2;
	}
	nth_within_modules();
	while (n.nth++ < NTH_MAX) {
		nth_arm(&n);
		value = syscall(SYS_finit_module, fd, "", 0);
		err = errno;
		if (!nth_disarm())
			break;
		if (value < 0) {
			errors++;
			if (err == ENOMEM || err == ENOBUFS || err == EFAULT)
				continue;
			printf("not ok 1 - failure %u: %s\n", n.nth,
			       strerrorname_np(err));
			break;
		}
		/* It could do without. */
		if (syscall(SYS_delete_module, "psync", 0))
			perror("delete_module");
	}
	nth_anywhere();
	printf("# load: %u failures injected, %u errors\n", n.nth - 1, errors);
	printf("%s 1 - the module cannot be loaded without memory, then it can\n1..1\n",
	       value == 0 && errors > 3 ? "ok" : "not ok");
	return value != 0 || errors <= 3;
}

/* usage: failslab_test [load FILE] */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create),
		cmocka_unit_test(bind_),
		cmocka_unit_test(listen_),
		cmocka_unit_test(connect_group),
		cmocka_unit_test(connect_participants),
		cmocka_unit_test(connect_dgram),
		cmocka_unit_test(accept_),
		cmocka_unit_test(send_),
		cmocka_unit_test(recv_body),
		cmocka_unit_test(recv_),
		cmocka_unit_test(recv_event),
		cmocka_unit_test(dgram),
		cmocka_unit_test(names),
		cmocka_unit_test(polls),
		cmocka_unit_test(sysctls),
		cmocka_unit_test(changes),
		cmocka_unit_test(questions),
		cmocka_unit_test(no_others),
		cmocka_unit_test(namespaces),
	};

	nth_init();
	nth_anywhere();
	if (argc == 3 && !strcmp(argv[1], "load"))
		return failslab_load(argv[2]);
	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
