// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory charged to sockets: to whom, how much, given back, refused when there
 * is no more; SO_RCVBUF. Needs two hosts.
 */

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib.h"

#define MANY	64	/* conversations that use up what a CPU may hold back */
#define LONGEST	1024	/* entries of an option */
#define KEEP	100	/* sockets with long ones */
#define EVENTS	(64 * sizeof(struct psync_event))	/* a socket's queue */

/* A conversation of two: hosts 1 and 2. */
static void open_pair(int *fds)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);

	fds[0] = sock_joined(1, 0, group, 1);
	fds[1] = sock_joined(2, 0, group, 1);
}

static void charged_await(int fd, uint64_t most)
{
	struct patience p = patience_begin();

	while (opt_info(fd).charged > most)
		patience_try(&p, "the charge to be given back");
}

static void say_much(int fd, unsigned int n)
{
	static char body[1024];

	while (n--)
		works(send(fd, body, sizeof(body), 0));
}

static void hear_much(int fd, unsigned int n)
{
	struct msg m;

	while (n--) {
		msg_recv(fd, &m);
		assert_int_equal(m.len, 1024);
	}
}

/* To the sender until it is held, to the reader until it is read. */
static void who_pays(void **state)
{
	uint64_t idle[2], once;
	int fds[2], i;

	lab_no_nulls();
	open_pair(fds);
	for (i = 0; i < 2; i++) {
		idle[i] = opt_info(fds[i]).charged;
		assert_in_range(idle[i], 1, 1 << 16);
	}
	say_much(fds[0], 100);
	while (opt_outstanding(fds[1]) < 100)
		await_poll(fds[1], POLLIN);
	once = opt_info(fds[1]).charged;
	assert_in_range(once, 100 * 1024, 1 << 20);
	hear_much(fds[1], 100);
	msg_send(fds[1], "answer");
	msg_expect(fds[0], "answer");
	msg_send(fds[0], "so it is");
	msg_expect(fds[1], "so it is");
	/* Nodes stay, bodies do not. */
	for (i = 0; i < 2; i++)
		charged_await(fds[i], idle[i] + 64 * 1024);
	sock_close(fds, 2);
	lab_nulls();
}

/* The queue of events, once, until the socket's end. */
static void events_charged(void **state)
{
	const uint32_t some = PSYNC_EVMASK(PSYNC_EV_ENDED);
	uint64_t idle;
	int fds[2];

	lab_no_nulls();
	open_pair(fds);
	msg_send(fds[0], "x");
	msg_expect(fds[1], "x");
	unheld_none(fds[0]);
	idle = opt_info(fds[0]).charged;
	works(opt_set_u32(fds[0], PSYNC_EVENTS, 0));
	assert_int_equal(opt_info(fds[0]).charged, idle);
	works(opt_set_u32(fds[0], PSYNC_EVENTS, some));
	assert_int_equal(opt_info(fds[0]).charged, idle + EVENTS);
	works(opt_set_u32(fds[0], PSYNC_EVENTS, 0));
	works(opt_set_u32(fds[0], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	assert_int_equal(opt_info(fds[0]).charged, idle + EVENTS);
	sock_close(fds, 2);
	lab_nulls();
}

/* The listener pays until accept(), then the new socket; a neighbour later. */
static void who_inherits(void **state)
{
	uint32_t port = port_new(), port2 = port_new();
	const struct psync_pid pids[] = {
		{ 1, port }, { 2, port }, { 2, port2 },
	};
	uint32_t group = group_new(pids, 3);
	int lis = sock_listening(2, port, 4), a, b, c;
	uint64_t before;

	c = sock_new(2, SOCK_SEQPACKET);
	works(sock_bind(c, port2));
	a = sock_joined(1, 0, group, 3);
	say_much(a, 40);
	await_poll(lis, POLLIN);
	b = sock_accept(lis);
	works(sock_connect(c, group, 3));
	while (opt_outstanding(b) < 40 || opt_outstanding(c) < 40)
		await_poll(b, POLLIN);
	assert_in_range(opt_info(b).charged, 40 * 1024, 1 << 20);
	before = opt_info(c).charged;
	assert_in_range(before, 0, 40 * 1024);
	works(close(b));
	assert_in_range(opt_info(c).charged, 40 * 1024, 1 << 20);
	hear_much(c, 40);
	sock_close((int[]){ lis, a, c }, 3);
}

/*
 * Opens a pair and sends more than the second one's small buffer takes: so many
 * messages; 0: the window was made smaller first, as a busy machine makes it for
 * what comes late, and as nobody reads it stays so.
 */
static int receive_overfill(int *fds, uint64_t *full)
{
	int size = 8192, got, n = 0;
	static const char body[1024];
	socklen_t len = sizeof(got);
	struct pollfd room;

	*full = stat_of(2, "DropImageFull");
	open_pair(fds);
	works(getsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &got, &len));
	assert_int_equal(got, sysctl_get(2, "image_bytes"));
	works(setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	room = (struct pollfd){ .fd = fds[0], .events = POLLOUT };
	while (n < 30 && stat_of(2, "DropImageFull") == *full) {
		if (send(fds[0], body, sizeof(body), MSG_DONTWAIT) > 0)
			n++;
		else if (!poll(&room, 1, 2000 * lab_slow()) &&
			 stat_of(2, "DropImageFull") == *full)
			return 0;
	}
	return n;
}

/* What a socket has yet to read is bounded; the rest comes later. */
static void receive_buffer(void **state)
{
	int fds[2], n, tries = 0;
	uint64_t full;
	unsigned int window;

	/* The credit does not know of it, and the window not at once. */
	window = sysctl_set(1, "first_bytes", 1 << 20);
	while ((n = receive_overfill(fds, &full)) == 0) {
		assert_true(++tries < 5);
		sock_close(fds, 2);
	}
	assert_in_range(n, 5, 29);
	stat_await(2, "DropImageFull", full + 1);
	assert_in_range(opt_outstanding(fds[1]), 1, 20);
	hear_much(fds[1], n);
	msg_none(fds[1]);
	sock_close(fds, 2);
	sysctl_set(1, "first_bytes", window);
}

static void mem_set(const char *text)
{
	int fd;

	lab_enter(0);
	fd = open("/proc/sys/net/psync/psync_mem", O_WRONLY);
	works(fd);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	works(close(fd));
}

static void mem_get(char *text, size_t size)
{
	ssize_t n;
	int fd;

	lab_enter(0);
	fd = open("/proc/sys/net/psync/psync_mem", O_RDONLY);
	works(fd);
	n = read(fd, text, size - 1);
	assert_true(n > 0);
	text[n] = 0;
	works(close(fd));
}

/* Beyond psync_mem sends fail; what was sent arrives, and then they work. */
static void mem_limit(void **state)
{
	uint64_t refused = stat_of(1, "ChargeRefused");
	static char body[1024];
	int fds[MANY][2], n, i, sent[MANY];
	bool empty = false;
	char old[96];

	mem_get(old, sizeof(old));
	mem_set("0 0 0");
	for (n = 0; n < MANY && !empty; n++) {
		open_pair(fds[n]);
		works(fcntl(fds[n][0], F_SETFL, O_NONBLOCK));
		sent[n] = 0;
		while (send(fds[n][0], body, sizeof(body), 0) > 0)
			sent[n]++;
		empty = errno == ENOBUFS;
		if (!empty)
			assert_int_equal(errno, EAGAIN);
	}
	assert_true(empty);
	assert_true(stat_of(1, "ChargeRefused") > refused);
	mem_set(old);
	for (i = 0; i < n; i++)
		hear_much(fds[i][1], sent[i]);
	works(send(fds[n - 1][0], body, sizeof(body), 0));
	hear_much(fds[n - 1][1], 1);
	for (i = 0; i < n; i++)
		sock_close(fds[i], 2);
}

/* Pages charged now, as far as the processors have said. */
static unsigned long mem_now(void)
{
	unsigned long pages = 0;
	char line[256];
	FILE *f;

	lab_enter(0);
	f = fopen("/proc/net/protocols", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "PSYNC-MEM %*d %*d %lu", &pages) == 1)
			break;
	fclose(f);
	return pages;
}

static int datagram_room(int host, uint32_t port)
{
	int fd = sock_bound(host, SOCK_DGRAM, port), size = 16 << 20;

	works(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)));
	return fd;
}

static bool say_datagram(int fd, uint32_t port)
{
	struct sockaddr_psync to = addr_pid(2, port);
	static char body[1024];

	return sendto(fd, body, sizeof(body), MSG_DONTWAIT,
		      (struct sockaddr *)&to, sizeof(to)) == sizeof(body);
}

/*
 * What waits to be received is paid for: until some of it is received either no
 * more is sent or what comes is dropped, whoever needs the next page.
 */
static void mem_limit_datagrams(void **state)
{
	uint64_t sender = stat_of(1, "ChargeRefused");
	uint64_t refused = stat_of(2, "ChargeRefused");
	uint64_t dropped = stat_of(2, "DropNoMem");
	int a = sock_new(1, SOCK_DGRAM), b, i, got = 0;
	uint32_t port = port_new();
	char old[96], few[96], body[2048];
	unsigned long most;

	b = datagram_room(2, port);
	mem_get(old, sizeof(old));
	/* Enough to send one, not for all of those. */
	most = mem_now() + 1024;
	snprintf(few, sizeof(few), "%lu %lu %lu", most, most, most);
	mem_set(few);
	/* To look takes longer than to send. */
	for (i = 0; i < 16000 && (i % 16 ||
	     (stat_of(1, "ChargeRefused") == sender &&
	      stat_of(2, "ChargeRefused") == refused)); i++)
		say_datagram(a, port);
	sender = stat_of(1, "ChargeRefused") - sender;
	refused = stat_of(2, "ChargeRefused") - refused;
	assert_in_range(sender + refused, 1, 100);
	stat_await(2, "DropNoMem", dropped + refused);
	mem_set(old);
	while (recv(b, body, sizeof(body), MSG_DONTWAIT) == 1024)
		got++;
	assert_in_range(got, 1, i);
	assert_true(say_datagram(a, port));
	assert_int_equal(recv(b, body, sizeof(body), 0), 1024);
	sock_close((int[]){ a, b }, 2);
}

/*
 * Nobody can be charged for anything any more, until mem_set(): what is charged
 * to the socket that is given back is more than what processors hold back, a MB
 * each, of which mem_now() knows nothing. What fails meanwhile is looked at
 * afterwards, or it would be in the way of other tests.
 */
static int mem_exhaust(char *old, size_t size)
{
	int a = sock_new(1, SOCK_DGRAM), b, i;
	unsigned long enough = mem_now() + 1024;
	struct patience p = patience_begin();
	uint32_t port = port_new();

	b = datagram_room(2, port);
	/* What is too much for a queue on the way is lost. */
	while (mem_now() < enough) {
		for (i = 0; i < 200; i++)
			say_datagram(a, port);
		patience_try(&p, "datagrams to be charged");
	}
	works(close(a));
	mem_get(old, size);
	mem_set("0 0 0");
	return b;
}

static int set_participants(int fd)
{
	static struct psync_pid pids[LONGEST];
	unsigned int i;

	for (i = 0; i < LONGEST; i++)
		pids[i] = (struct psync_pid){ 1, i + 1 };
	return setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, pids,
			  sizeof(pids)) ? errno : 0;
}

static int set_restart(int fd)
{
	static union {
		struct psync_restart	restart;
		char			room[sizeof(struct psync_restart) +
					     LONGEST * sizeof(uint64_t)];
	} value;

	value.restart.count = LONGEST;
	return setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &value,
			  sizeof(value)) ? errno : 0;
}

static int set_events(int fd, uint32_t events)
{
	return opt_set_u32(fd, PSYNC_EVENTS, events) ? errno : 0;
}

/* What an option is to hold has to be paid for. */
static void mem_limit_options(void **state)
{
	int fd = sock_new(1, SOCK_SEQPACKET), full, err[2];
	char old[96];

	full = mem_exhaust(old, sizeof(old));
	err[0] = set_participants(fd);
	err[1] = set_restart(fd);
	mem_set(old);
	assert_int_equal(err[0], ENOBUFS);
	assert_int_equal(err[1], ENOBUFS);
	assert_int_equal(set_participants(fd), 0);
	assert_int_equal(set_restart(fd), 0);
	sock_close((int[]){ fd, full }, 2);
}

/*
 * Who asks for events is told that there is no room for them, so is who would
 * inherit them, without losing a conversation; who has asked before gets them.
 */
static void mem_limit_events(void **state)
{
	uint32_t port = port_new(), port2 = port_new(), port3 = port_new();
	const struct psync_pid pids[] = { { 1, port3 }, { 2, port } };
	const struct psync_pid two[] = { { 1, port }, { 1, port2 } };
	int fd = sock_new(1, SOCK_SEQPACKET), full, err[3];
	uint32_t group = group_new(two, 2);
	int lis, a, b, c, d, early;
	char old[96];

	lis = sock_listening(2, port, 4);
	assert_int_equal(set_events(lis, PSYNC_EVMASK_ALL), 0);
	b = sock_joined(1, port, group, 1);
	assert_int_equal(set_events(b, PSYNC_EVMASK(PSYNC_EV_ENDED)), 0);
	c = sock_joined(1, port2, group, 1);
	msg_send(c, "x");
	msg_expect(b, "x");
	a = sock_joined(1, port3, group_new(pids, 2), 1);
	msg_send(a, "early");
	await_poll(lis, POLLIN);

	full = mem_exhaust(old, sizeof(old));
	err[0] = set_events(fd, PSYNC_EVMASK_ALL);
	err[1] = set_events(fd, 0);
	early = accept(lis, NULL, NULL);
	err[2] = errno;
	close(c);
	mem_set(old);
	assert_int_equal(err[0], ENOBUFS);
	assert_int_equal(err[1], 0);
	assert_int_equal(early, -1);
	assert_int_equal(err[2], ENOBUFS);
	event_expect(b, PSYNC_EV_ENDED);
	assert_int_equal(set_events(fd, PSYNC_EVMASK_ALL), 0);
	d = sock_accept(lis);
	assert_int_equal(opt_u32(d, PSYNC_EVENTS), PSYNC_EVMASK_ALL);
	msg_expect(d, "early");
	sock_close((int[]){ fd, lis, a, b, d, full }, 6);
}

#define MEMBERS	32

/*
 * Participants count, not only their views, which are 384 bytes each where there
 * are 32: without them it would be 11904 bytes more.  It is paid for in pages.
 */
static void participants_charged(void **state)
{
	struct psync_pid pids[MEMBERS];
	uint64_t alone = 0;
	int fds[MEMBERS], i;
	uint32_t group;

	for (i = 0; i < MEMBERS; i++)
		pids[i] = (struct psync_pid){ 1, port_new() };
	group = group_new(pids, MEMBERS);
	for (i = 0; i < MEMBERS; i++) {
		fds[i] = sock_joined(1, pids[i].port, group, 1);
		/* Who was first pays for the conversation. */
		if (!i)
			alone = opt_info(fds[0]).charged;
	}
	assert_in_range(opt_info(fds[0]).charged - alone, 17000, 65536);
	sock_close(fds, MEMBERS);
}

static bool file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static uint64_t cgroup_sock(void)
{
	FILE *f = fopen("/tmp/charge/t/memory.stat", "r");
	unsigned long long value, found = 0;
	char name[64];

	assert_non_null(f);
	while (fscanf(f, "%63s %llu", name, &value) == 2)
		if (!strcmp(name, "sock"))
			found = value;
	fclose(f);
	return found;
}

/* Options, and events, each twice; so much is charged then at least. */
static uint64_t cgroup_keep(int *keep)
{
	uint64_t before = cgroup_sock();
	int i, k;

	for (i = 0; i < KEEP; i++) {
		keep[i] = sock_new(1, SOCK_SEQPACKET);
		for (k = 0; k < 2; k++) {
			assert_int_equal(set_participants(keep[i]), 0);
			assert_int_equal(set_restart(keep[i]), 0);
			assert_int_equal(set_events(keep[i],
						    PSYNC_EVMASK_ALL), 0);
		}
	}
	return before + KEEP * (LONGEST * (sizeof(struct psync_pid) +
					   sizeof(uint64_t)) + EVENTS);
}

/* The control group of who made the socket sees it, and sees it go. */
static void control_group(void **state)
{
	struct patience p = patience_begin();
	uint32_t port = port_new();
	int fds[2], keep[KEEP], a, b, i;
	uint64_t cid, before;
	char pid[16];

	mkdir("/tmp/charge", 0755);
	if (mount("none", "/tmp/charge", "cgroup2", 0, NULL) ||
	    !file_write("/tmp/charge/cgroup.subtree_control", "+memory")) {
		umount("/tmp/charge");
		print_message("# no control groups for memory\n");
		skip();
	}
	works(mkdir("/tmp/charge/t", 0755));
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_true(file_write("/tmp/charge/t/cgroup.procs", pid));
	open_pair(fds);
	say_much(fds[0], 100);
	while (opt_outstanding(fds[1]) < 100)
		await_poll(fds[1], POLLIN);
	assert_true(cgroup_sock() >= 100 * 1024);
	before = cgroup_sock();
	a = sock_new(1, SOCK_DGRAM);
	b = datagram_room(2, port);
	for (i = 0; i < 300; i++)
		assert_true(say_datagram(a, port));
	while (cgroup_sock() < before + 300 * 1024)
		patience_try(&p, "datagrams to be charged");
	before = cgroup_keep(keep);
	while (cgroup_sock() < before)
		patience_try(&p, "options to be charged");
	sock_close(keep, KEEP);
	sock_close((int[]){ a, b }, 2);
	cid = opt_u64(fds[0], PSYNC_CID);
	sock_close(fds, 2);
	conv_none(1, cid);
	conv_none(2, cid);
	while (cgroup_sock())
		patience_try(&p, "the control group's charge to go");
	assert_true(file_write("/tmp/charge/cgroup.procs", pid));
	p = patience_begin();
	while (rmdir("/tmp/charge/t"))
		patience_try(&p, "the control group to go");
	works(umount("/tmp/charge"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_pays),
		cmocka_unit_test(events_charged),
		cmocka_unit_test(who_inherits),
		cmocka_unit_test(receive_buffer),
		cmocka_unit_test(mem_limit),
		cmocka_unit_test(mem_limit_datagrams),
		cmocka_unit_test(mem_limit_options),
		cmocka_unit_test(mem_limit_events),
		cmocka_unit_test(participants_charged),
		cmocka_unit_test(control_group),
	};

	lab_init();
	lab_nulls();
	return lab_main(tests);
}
