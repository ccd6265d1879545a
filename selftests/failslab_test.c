// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call, with its first allocation or copy between kernel and user space
 * failing, then its second, and so on until it meets none that fails: each time
 * it is right, or it fails with an errno that says so, and then it works when
 * it is asked again. That nothing leaks is seen when the module is unloaded.
 *
 * Needs two hosts, and a kernel with fault injection: the debug kernel. The
 * kernel counts for the calling thread (/proc/thread-self/fail-nth).
 */

#include <limits.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <linux/psync_netlink.h>
#include <linux/sockios.h>

#include "lib.h"

/* No call makes so many allocations. */
#define NTH_MAX		1000

static int nth_fd = -1;

/**
 * struct nth - the loop over one call
 * @nth: which is to fail now
 * @injected: calls in which one failed
 * @errors: calls that then failed
 * @over: a call has met none that failed
 */
struct nth {
	unsigned int	nth;
	unsigned int	injected;
	unsigned int	errors;
	bool		over;
};

/* A knob of the kernel's fault injection. */
static void nth_set(const char *knob, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", knob);
	f = fopen(path, "w");
	if (!f || fputs(value, f) < 0 || fclose(f)) {
		perror(path);
		exit(2);
	}
}

/*
 * kmemleak allocates for every allocation, and can do without: skip that, by
 * the addresses of its functions, which are next to one another.
 */
static void nth_skip_kmemleak(void)
{
	static const char * const names[] = {
		"kmemleak_open", "__link_object", "__alloc_object",
		"__create_object", "kmemleak_scan",
	};
	unsigned long first = ULONG_MAX, last = 0, address;
	FILE *f = fopen("/proc/kallsyms", "r");
	char name[256], text[32];
	unsigned int i, found = 0;

	while (f && fscanf(f, "%lx %*c %255s%*[^\n]", &address, name) == 2) {
		for (i = 0; i < COUNT(names); i++)
			if (!strcmp(name, names[i]))
				break;
		if (i == COUNT(names))
			continue;
		found++;
		first = address < first ? address : first;
		last = address > last ? address : last;
	}
	if (found != COUNT(names) || last - first > 1 << 16) {
		fprintf(stderr, "cannot tell where kmemleak is\n");
		exit(2);
	}
	fclose(f);
	snprintf(text, sizeof(text), "%#lx", first);
	nth_set("failslab/reject-start", text);
	snprintf(text, sizeof(text), "%#lx", last);
	nth_set("failslab/reject-end", text);
}

static void nth_init(void)
{
	/* Those that may sleep, too, and without a stack dump for each. */
	nth_set("failslab/ignore-gfp-wait", "N");
	nth_set("failslab/verbose", "0");
	nth_set("fail_usercopy/verbose", "0");
	nth_set("fail_page_alloc/verbose", "0");
	nth_skip_kmemleak();
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		perror("fail-nth");
		exit(2);
	}
}

/* True while there is another one to let fail. */
static bool nth_next(struct nth *n)
{
	if (n->over)
		return false;
	n->nth++;
	assert_in_range(n->nth, 1, NTH_MAX);
	return true;
}

static void nth_end(const struct nth *n, const char *what)
{
	print_message("# %s: %u failures injected, %u errors\n", what,
		      n->injected, n->errors);
	assert_true(n->injected > 0);
	assert_true(n->errors > 0);
}

static void nth_arm(const struct nth *n)
{
	char text[16];
	int len = sprintf(text, "%u", n->nth);

	assert_int_equal(pwrite(nth_fd, text, len, 0), len);
}

/* Was one injected? Reading and writing here count, too, and may fail. */
static bool nth_disarm(void)
{
	char text[16] = "";
	ssize_t len = pread(nth_fd, text, sizeof(text) - 1, 0);

	while (pwrite(nth_fd, "0", 1, 0) != 1)
		;
	return len > 0 && atoi(text) == 0;
}

/* Is this what a want of memory may be called? Inodes give ENFILE. */
static bool nth_is_want(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == EFAULT ||
	       err == ENFILE;
}

/* What a call gave that had been armed; negative and errno: an error. */
static long nth_judge(struct nth *n, long value, const char *call)
{
	int err = errno;

	if (!nth_disarm()) {
		n->over = true;
		if (value < 0)
			fail_msg("%s, nothing injected: %s", call,
				 strerrorname_np(err));
		return value;
	}
	n->injected++;
	if (value < 0) {
		n->errors++;
		if (!nth_is_want(err))
			fail_msg("%s, failure %u injected: %s", call, n->nth,
				 strerrorname_np(err));
	}
	errno = err;
	return value;
}

#define nth_call(n, call) \
	(nth_arm(n), nth_judge((n), (call), #call))

/* ... which must work when it is asked again. */
#define nth_again(n, call) \
	do { \
		if (nth_call((n), (call)) < 0) \
			works(call); \
	} while (0)

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

/*
 * The first message of a conversation, and later ones of all sizes. What could
 * not leave the host is lost, which is why nobody waits for it here.
 */
static void send_(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 1000, 1 << 30 };
	uint32_t group = group_of_hosts(port_new());
	char *body = calloc(1, 1 << 16);
	struct nth n = { 0 };
	unsigned int i;
	size_t size;
	int a, b;

	assert_non_null(body);
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

		size = sizes[i];
		if (size > opt_info(a).max_body)
			size = opt_info(a).max_body;
		assert_in_range(size, 0, 1 << 16);
		n = (struct nth){ 0 };
		while (nth_next(&n)) {
			nth_again(&n, send(a, body, size, MSG_DONTWAIT));
			/* Once, whatever failed on the way. */
			assert_int_equal(opt_info(a).view, view + ++done);
		}
		nth_end(&n, "send");
	}
	sock_close((int[]){ a, b }, 2);
	free(body);
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

static void getsockopts(void **state)
{
	static const int options[] = {
		PSYNC_PARTICIPANTS, PSYNC_CID, PSYNC_ROOT, PSYNC_LEAVES,
		PSYNC_NEXT, PSYNC_PREV, PSYNC_MIDS, PSYNC_SENDER,
		PSYNC_PRECEDES, PSYNC_STABLE, PSYNC_OUTSTANDING,
		PSYNC_LAST_MID, PSYNC_EVENTS, PSYNC_RECVINFO, PSYNC_INFO,
	};
	uint64_t value[64], mid;
	unsigned int i;
	socklen_t len;
	int a, b;

	pair_new(&a, &b);
	mid = msg_send(a, "x");
	for (i = 0; i < COUNT(options); i++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			memset(value, 0, sizeof(value));
			value[0] = mid;
			value[1] = options[i] == PSYNC_PRECEDES ? mid : 16;
			if (options[i] == PSYNC_ROOT ||
			    options[i] == PSYNC_LEAVES ||
			    options[i] == PSYNC_MIDS)
				value[0] = 0;
			len = sizeof(value);
			if (nth_call(&n, getsockopt(a, SOL_PSYNC, options[i],
						    value, &len)) < 0)
				assert_int_not_equal(errno, 0);
		}
		nth_end(&n, "getsockopt");
	}
	sock_close((int[]){ a, b }, 2);
}

static void setsockopts(void **state)
{
	static const int options[] = { PSYNC_EVENTS, PSYNC_RECVINFO };
	int fd = sock_new(1, SOCK_SEQPACKET);
	unsigned int i;

	for (i = 0; i < COUNT(options); i++) {
		struct nth n = { 0 };

		while (nth_next(&n))
			nth_again(&n, opt_set_u32(fd, options[i], 2));
		nth_end(&n, "setsockopt");
	}
	works(close(fd));
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
static uint64_t cid;

static void link_begin(const char *name, uint32_t kind)
{
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
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

static void link_del(void)
{
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "fail");
}

static void peer_begin(uint8_t command, const char *address)
{
	nl_begin(nl, command);
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
	nl_begin(nl, PSYNC_CMD_PEER_DEL);
	nl_u32(nl, PSYNC_A_PEER_SITE, 77);
}

static void group_begin(uint8_t command)
{
	nl_begin(nl, command);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 77);
	nl_put(nl, PSYNC_A_GROUP_PIDS, pids, sizeof(pids));
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
	nl_begin(nl, PSYNC_CMD_GROUP_DEL);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 77);
}

static void site_set(void)
{
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 5);
}

static void site_unset(void)
{
	nl_begin(nl, PSYNC_CMD_SITE_SET);
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
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
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

static void ask_view(void)
{
	nl_u64(nl, PSYNC_A_VIEW_CID, cid);
}

static void ask_graph(void)
{
	nl_u64(nl, PSYNC_A_NODE_CID, cid);
}

static void ask_conv(void)
{
	nl_u64(nl, PSYNC_A_CONV_CID, cid);
}

/* Questions, with some of everything there. */
static void questions(void **state)
{
	static const struct {
		const char	*what;
		uint8_t		command;
		bool		dump;
		void		(*ask)(void);
	} all[] = {
		{ "site get", PSYNC_CMD_SITE_GET, false, ask_plain },
		{ "links", PSYNC_CMD_LINK_GET, true, ask_plain },
		{ "peers", PSYNC_CMD_PEER_GET, true, ask_plain },
		{ "groups", PSYNC_CMD_GROUP_GET, true, ask_plain },
		{ "conversations", PSYNC_CMD_CONV_GET, true, ask_plain },
		{ "conversation", PSYNC_CMD_CONV_GET, false, ask_conv },
		{ "views", PSYNC_CMD_VIEW_GET, true, ask_view },
		{ "graph", PSYNC_CMD_GRAPH_GET, true, ask_graph },
		{ "counters", PSYNC_CMD_STAT_GET, true, ask_plain },
	};
	unsigned int i;
	int a, b, err;

	pair_new(&a, &b);
	cid = opt_u64(a, PSYNC_CID);
	for (i = 0; i < COUNT(all); i++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			nl = nl_open(1);
			nl_begin(nl, all[i].command);
			all[i].ask();
			nth_arm(&n);
			err = nl_send(nl, all[i].dump);
			if (!err)
				err = nl_answer(nl);
			nth_judge(&n, nl_result(err), all[i].what);
			nl_close(nl);
		}
		nth_end(&n, all[i].what);
	}
	sock_close((int[]){ a, b }, 2);
}

/* Only what has an address from @start to before @end on the stack fails. */
static void nth_within(unsigned long start, unsigned long end)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", start);
	nth_set("failslab/require-start", text);
	nth_set("fail_usercopy/require-start", text);
	snprintf(text, sizeof(text), "%#lx", end);
	nth_set("failslab/require-end", text);
	nth_set("fail_usercopy/require-end", text);
}

static void nth_anywhere(void)
{
	nth_within(0, ULONG_MAX);
}

/* Where the kernel loads modules (x86-64). */
static void nth_within_modules(void)
{
	nth_within(0xffffffffa0000000, 0xffffffffff000000);
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
		cmocka_unit_test(recv_),
		cmocka_unit_test(recv_event),
		cmocka_unit_test(dgram),
		cmocka_unit_test(getsockopts),
		cmocka_unit_test(setsockopts),
		cmocka_unit_test(names),
		cmocka_unit_test(polls),
		cmocka_unit_test(sysctls),
		cmocka_unit_test(changes),
		cmocka_unit_test(questions),
		cmocka_unit_test(namespaces),
	};

	nth_init();
	nth_anywhere();
	if (argc == 3 && !strcmp(argv[1], "load"))
		return failslab_load(argv[2]);
	lab_init();
	return lab_main(tests);
}
