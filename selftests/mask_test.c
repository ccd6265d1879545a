// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masks: members that fail, or seem to, are taken out of what the others wait
 * for. Needs four hosts on a bridge without impairments of its own.
 */

#include <signal.h>
#include <sys/wait.h>

#include "lib.h"

#define HOSTS	4

static int mask_out(int fd, uint32_t index, uint32_t flags, uint64_t cut)
{
	struct psync_mask_out out = {
		.index = index, .flags = flags, .cut = cut,
	};

	return setsockopt(fd, SOL_PSYNC, PSYNC_MASK_OUT, &out, sizeof(out));
}

static int mask_in(int fd, uint32_t index)
{
	return setsockopt(fd, SOL_PSYNC, PSYNC_MASK_IN, &index, sizeof(index));
}

struct masks {
	struct psync_query_masks	q;
	struct psync_masked		of[HOSTS];
};

static struct masks masks_of(int fd, uint32_t index)
{
	struct masks m = { .q = { .index = index, .room = HOSTS } };
	socklen_t len = sizeof(m);

	works(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len));
	assert_int_equal(len, sizeof(m));
	assert_int_equal(m.q.count, HOSTS);
	return m;
}

/* Host @i + 1 has participant i; all events but those of closing. */
static uint32_t open_all(int *fds)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++) {
		fds[i] = sock_joined(i + 1, 0, group, 1);
		works(opt_set_u32(fds[i], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	}
	return group;
}

/* The next message that is no event. */
static uint64_t hear(int fd, const char *text)
{
	struct msg m;

	works(opt_set_u32(fd, PSYNC_RECVINFO, PSYNC_RECV_INFO));
	do
		msg_recv(fd, &m);
	while (m.event);
	assert_string_equal(m.body, text);
	return m.info.mid;
}

/* The next event of this type; others, and messages, are passed over. */
static struct psync_event await_event(int fd, uint32_t type)
{
	struct msg m;

	do
		msg_recv(fd, &m);
	while (!m.event || m.ev.type != type);
	return m.ev;
}

/* This message and this event, whichever is first. */
static void hear_both(int fd, const char *text, uint32_t type)
{
	bool heard = false, told = false;
	struct msg m;

	while (!heard || !told) {
		msg_recv(fd, &m);
		told |= m.event && m.ev.type == type;
		heard |= !m.event && !strcmp(m.body, text);
	}
}

static void meet(const int *fds)
{
	struct msg m;
	int i, k;

	for (i = 0; i < HOSTS; i++)
		msg_send(fds[i], "hi");
	for (i = 0; i < HOSTS; i++) {
		for (k = 0; k < HOSTS - 1;) {
			msg_recv(fds[i], &m);
			k += !m.event;
		}
	}
}

/* Every errno of the options. */
static void errors(void **state)
{
	struct masks m = { .q = { .index = PSYNC_MASKS_ALL, .room = HOSTS } };
	struct psync_mask_out out = { .index = 1 };
	socklen_t len = sizeof(m);
	uint32_t index = 1;
	int fds[HOSTS], fd;
	uint64_t mid;

	fd = sock_new(1, SOCK_SEQPACKET);
	fails(mask_out(fd, 1, 0, 0), ENOTCONN);
	fails(mask_in(fd, 1), ENOTCONN);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), ENOTCONN);
	close(fd);
	fd = sock_new(1, SOCK_DGRAM);
	fails(mask_out(fd, 1, 0, 0), ENOPROTOOPT);
	fails(mask_in(fd, 1), ENOPROTOOPT);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), ENOPROTOOPT);
	close(fd);
	open_all(fds);
	fd = fds[0];
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, len), ENOPROTOOPT);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASK_OUT, &out, &len),
	      ENOPROTOOPT);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASK_IN, &index, &len),
	      ENOPROTOOPT);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_OUT, &out, sizeof(out) - 1),
	      EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_OUT, &out, sizeof(out) + 1),
	      EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_OUT, (void *)8,
			 sizeof(out)), EFAULT);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_IN, &index, 3), EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_IN, &index, 8), EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_MASK_IN, (void *)8, 4), EFAULT);
	fails(mask_out(fd, 0, 0, 0), EINVAL);
	fails(mask_out(fd, HOSTS, 0, 0), EINVAL);
	fails(mask_out(fd, 1, 2, 0), EINVAL);
	fails(mask_out(fd, 1, 0, PSYNC_MID(1, 1)), EINVAL);
	fails(mask_out(fd, 1, PSYNC_MASKF_CUT, PSYNC_MID(2, 1)), EINVAL);
	fails(mask_in(fd, 0), EINVAL);
	fails(mask_in(fd, HOSTS), EINVAL);
	fails(mask_in(fd, 1), EALREADY);
	len = sizeof(m.q) - 1;
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), EINVAL);
	len = sizeof(m.q);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), EINVAL);
	len = sizeof(m);
	m.q.reserved = 1;
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), EINVAL);
	m.q.reserved = 0;
	m.q.index = HOSTS;
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &m, &len), EINVAL);
	fails(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, (void *)8, &len), EFAULT);
	/* What was received counts. */
	mid = msg_send(fds[1], "one");
	hear(fd, "one");
	fails(mask_out(fd, 1, PSYNC_MASKF_CUT, PSYNC_MID(1, 0)), EINVAL);
	works(mask_out(fd, 1, 0, 0));
	fails(mask_out(fd, 1, 0, 0), EALREADY);
	works(mask_out(fd, 1, PSYNC_MASKF_CUT, mid));
	fails(mask_out(fd, 1, PSYNC_MASKF_CUT, mid), EALREADY);
	close(fds[3]);
	assert_int_equal(await_event(fd, PSYNC_EV_ENDED).site, 4);
	fails(mask_out(fd, 3, 0, 0), ESHUTDOWN);
	works(mask_out(fd, 2, 0, 0));
	await_event(fd, PSYNC_EV_AGREED);
	fails(mask_in(fd, 1), EPERM);
	sock_close(fds, 3);
}

/* Waits until @fd counts @of so, asked about the mask of @index. */
static void await_flags(int fd, uint32_t index, uint32_t of, uint32_t flags)
{
	struct patience p = patience_begin();

	while (masks_of(fd, index).of[of].flags != flags)
		patience_try(&p, "what PSYNC_MASKS says");
}

/* Waits until a program has so many messages to receive; it takes none. */
static void await_outstanding(int fd, uint32_t count)
{
	struct patience p = patience_begin();

	while (opt_outstanding(fd) < count)
		patience_try(&p, "messages to receive");
}

/* What one sees of it: nodes, flags, events, the others' part. */
static void announced(void **state)
{
	struct psync_event ev;
	int fds[HOSTS];
	struct masks m;
	uint64_t mid;

	open_all(fds);
	meet(fds);
	mid = msg_send(fds[0], "look");
	works(mask_out(fds[0], 1, 0, 0));
	m = masks_of(fds[0], 1);
	assert_int_equal(m.of[1].flags, PSYNC_MASKED_OUT);
	assert_int_equal(m.of[0].flags, 0);
	assert_int_equal(m.of[2].flags, PSYNC_MASKED_AWAITED);
	assert_int_equal(m.of[3].flags, PSYNC_MASKED_AWAITED);
	ev = await_event(fds[1], PSYNC_EV_MASKED);
	assert_int_equal(ev.site, 1);
	assert_int_equal(ev.reason, 1);
	assert_true(ev.mid > mid);
	assert_int_equal(PSYNC_MID_INDEX(ev.mid), 0);
	assert_int_equal(masks_of(fds[1], PSYNC_MASKS_ALL).of[0].flags,
			 PSYNC_MASKED_BY);
	hear_both(fds[2], "look", PSYNC_EV_MASKED);
	works(mask_out(fds[2], 1, 0, 0));
	/* One is told of one's own, too. */
	do
		ev = await_event(fds[0], PSYNC_EV_MASKED);
	while (ev.site == 1);
	await_flags(fds[0], 1, 2, 0);
	assert_int_equal(masks_of(fds[0], 1).of[3].flags, PSYNC_MASKED_AWAITED);
	lab_run(1, "psync conv show %016llx | grep -q ' masks 1$'",
		(unsigned long long)opt_u64(fds[0], PSYNC_CID));
	lab_run(2, "psync conv show %016llx | grep -q ' masked by 0,2$'",
		(unsigned long long)opt_u64(fds[1], PSYNC_CID));
	lab_run(1, "psync graph %016llx --json | grep -q '\"kind\": *\"mask\"'",
		(unsigned long long)opt_u64(fds[0], PSYNC_CID));
	sock_close(fds, HOSTS);
}

/* All are asked first: one who has not received what was said cannot answer. */
static void taken_back(void **state)
{
	unsigned long long cid;
	struct psync_event ev;
	int fds[HOSTS];
	uint64_t mid;

	open_all(fds);
	meet(fds);
	cid = opt_u64(fds[0], PSYNC_CID);
	msg_send(fds[0], "before");
	works(mask_out(fds[0], 1, 0, 0));
	await_outstanding(fds[3], 1);
	works(mask_in(fds[0], 1));
	fails(mask_in(fds[0], 1), EALREADY);
	/* The others are told at once, by that message. */
	ev = await_event(fds[1], PSYNC_EV_UNMASKED);
	assert_int_equal(ev.site, 1);
	assert_int_equal(ev.reason, 1);
	mid = ev.mid;
	assert_int_equal(masks_of(fds[1], PSYNC_MASKS_ALL).of[0].flags, 0);
	hear(fds[2], "before");
	assert_int_equal(masks_of(fds[0], PSYNC_MASKS_ALL).of[1].flags,
			 PSYNC_MASKED_OUT | PSYNC_MASKED_ASKED);
	lab_run(1, "psync conv show %016llx | grep -q ' masks 1 asked in 1$'",
		cid);
	lab_run(1, "psync conv show %016llx --json | tr -d ' \n' | "
		"grep -q '\"asked\":\\[1\\]'", cid);
	/* The site hears it again; what others follow is given. */
	msg_send(fds[1], "meanwhile");
	hear(fds[2], "meanwhile");
	hear(fds[0], "meanwhile");
	assert_int_equal(masks_of(fds[0], PSYNC_MASKS_ALL).of[1].flags,
			 PSYNC_MASKED_OUT | PSYNC_MASKED_ASKED);
	hear(fds[3], "before");
	ev = await_event(fds[0], PSYNC_EV_UNMASKED);
	assert_int_equal(ev.site, 1);
	assert_int_equal(ev.reason, 1);
	assert_true(ev.mid == mid);
	assert_int_equal(masks_of(fds[0], PSYNC_MASKS_ALL).of[1].flags, 0);
	fails(mask_in(fds[0], 1), EALREADY);
	lab_run(1, "psync conv show %016llx | grep -q ' masks ' && exit 1; true",
		cid);
	/* As if nothing had been. */
	msg_send(fds[1], "here");
	hear(fds[0], "here");
	hear(fds[3], "meanwhile");
	hear(fds[3], "here");
	sock_close(fds, HOSTS);
}

/* Masked out once more before all have answered: it stays so. */
static void cancelled(void **state)
{
	struct psync_event ev;
	int fds[HOSTS], i;
	struct msg m;

	open_all(fds);
	meet(fds);
	msg_send(fds[0], "before");
	works(mask_out(fds[0], 1, 0, 0));
	await_outstanding(fds[3], 1);
	works(mask_in(fds[0], 1));
	works(mask_out(fds[0], 1, 0, 0));
	assert_int_equal(masks_of(fds[0], PSYNC_MASKS_ALL).of[1].flags,
			 PSYNC_MASKED_OUT);
	fails(mask_out(fds[0], 1, 0, 0), EALREADY);
	for (i = 2; i < HOSTS; i++) {
		hear(fds[i], "before");
		works(mask_out(fds[i], 1, 0, 0));
	}
	do {
		msg_recv(fds[0], &m);
		assert_false(m.event && m.ev.type == PSYNC_EV_UNMASKED);
	} while (!m.event || m.ev.type != PSYNC_EV_AGREED);
	fails(mask_in(fds[0], 1), EPERM);
	for (i = 2; i < HOSTS; i++) {
		ev = await_event(fds[i], PSYNC_EV_AGREED);
		assert_true(ev.mid == m.ev.mid);
	}
	sock_close(fds, HOSTS);
}

/* While it is to be taken back all who remain agree: that holds. */
static void overtaken(void **state)
{
	struct psync_event ev;
	int fds[HOSTS];
	struct msg m;

	open_all(fds);
	meet(fds);
	msg_send(fds[0], "before");
	works(mask_out(fds[0], 1, 0, 0));
	/* Both know of the announcement, and not that it is taken back. */
	hear_both(fds[2], "before", PSYNC_EV_MASKED);
	hear_both(fds[3], "before", PSYNC_EV_MASKED);
	works(mask_out(fds[2], 1, 0, 0));
	qdisc_set(0, "veth1", "netem loss 100%%");
	qdisc_set(1, "eth0", "netem loss 100%%");
	works(mask_in(fds[0], 1));
	works(mask_out(fds[3], 1, 0, 0));
	ev = await_event(fds[3], PSYNC_EV_AGREED);
	assert_true(await_event(fds[2], PSYNC_EV_AGREED).mid == ev.mid);
	qdisc_del(0, "veth1");
	qdisc_del(1, "eth0");
	do {
		msg_recv(fds[0], &m);
		assert_false(m.event && m.ev.type == PSYNC_EV_UNMASKED);
	} while (!m.event || m.ev.type != PSYNC_EV_AGREED);
	assert_true(m.ev.mid == ev.mid);
	fails(mask_in(fds[0], 1), EPERM);
	/* The others were told that it is in; now that it was kept. */
	await_event(fds[2], PSYNC_EV_UNMASKED);
	assert_int_equal(await_event(fds[2], PSYNC_EV_MASKED).site, 1);
	sock_close(fds, HOSTS);
}

/* What one of them has still to receive is counted before they agree. */
static void received(void **state)
{
	struct psync_event ev;
	int fds[HOSTS], i;
	uint64_t mid;

	open_all(fds);
	meet(fds);
	mid = msg_send(fds[3], "last");
	for (i = 0; i < HOSTS - 1; i++)
		await_outstanding(fds[i], 1);
	hear(fds[0], "last");
	hear(fds[1], "last");
	for (i = 0; i < HOSTS - 1; i++)
		works(mask_out(fds[i], 3, 0, 0));
	do
		ev = await_event(fds[0], PSYNC_EV_MASKED);
	while (ev.site != 3);
	/* It has announced, and does not count yet. */
	await_flags(fds[0], 3, 1, 0);
	for (i = 0; i < 2; i++) {
		assert_int_equal(masks_of(fds[i], 3).of[2].flags,
				 PSYNC_MASKED_AWAITED);
		assert_int_equal(masks_of(fds[i], 3).of[3].flags,
				 PSYNC_MASKED_OUT);
	}
	assert_true(hear(fds[2], "last") == mid);
	for (i = 0; i < HOSTS - 1; i++) {
		ev = await_event(fds[i], PSYNC_EV_AGREED);
		assert_int_equal(PSYNC_MID_INDEX(ev.mid), 3);
		assert_true(ev.mid >= mid);
		assert_int_equal(masks_of(fds[i], 3).of[2].flags, 0);
	}
	sock_close(fds, HOSTS);
}

/* The exception (P 3.2.4), and a cut, behind which there is none. */
static void exception_and_cut(void **state)
{
	uint64_t masked = stat_of(1, "DropMasked");
	struct patience p = patience_begin();
	uint64_t b, last;
	int fds[HOSTS];

	open_all(fds);
	meet(fds);
	works(opt_set_u32(fds[3], PSYNC_EVENTS, 0));
	works(mask_out(fds[0], 1, 0, 0));
	/* Null messages of its kernel may be in the view, too. */
	while (mask_out(fds[3], 1, PSYNC_MASKF_CUT,
			opt_u64(fds[1], PSYNC_LAST_MID))) {
		assert_int_equal(errno, EINVAL);
		patience_try(&p, "a cut behind all that was received");
	}
	await_event(fds[1], PSYNC_EV_MASKED);
	b = msg_send(fds[1], "question");
	assert_true(hear(fds[2], "question") == b);
	msg_none(fds[3]);
	stat_await(1, "DropMasked", masked + 1);
	/* A null message will acknowledge the answer, and what it follows. */
	last = opt_u64(fds[3], PSYNC_LAST_MID);
	msg_send(fds[2], "answer");
	assert_true(hear(fds[0], "question") == b);
	hear(fds[0], "answer");
	hear(fds[3], "answer");
	assert_true(query_precedes(fds[3], b, last) <= 0);
	assert_true(stat_of(4, "DropVoid") > 0);
	sock_close(fds, HOSTS);
}

/* A process with participant 2 on host 3, which says "up" when it is there. */
static pid_t member(uint32_t group, void (*then)(int fd))
{
	pid_t pid = works(fork());
	int fd;

	if (pid)
		return pid;
	fd = sock_joined(3, 0, group, 1);
	if (opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK_ALL))
		_exit(1);
	if (send(fd, "up", 2, 0) != 2)
		_exit(1);
	then(fd);
	_exit(0);
}

static void then_wait(int fd)
{
	for (;;)
		pause();
}

static void then_exit(int fd)
{
	char text[16];

	/* "go" */
	while (recv(fd, text, sizeof(text), 0) != 2)
		;
	exit(0);
}

static void then_be_masked(int fd)
{
	struct msg m;

	raise(SIGSTOP);
	do
		if (msg_try(fd, &m, 0) < 0)
			_exit(1);
	while (!m.event || m.ev.type != PSYNC_EV_MASKED);
}

static void others_open(uint32_t group, int *fds)
{
	static const int hosts[] = { 1, 2, 4 };
	int i;

	for (i = 0; i < 3; i++) {
		fds[i] = sock_joined(hosts[i], 0, group, 1);
		works(opt_set_u32(fds[i], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	}
	for (i = 0; i < 3; i++)
		hear(fds[i], "up");
}

/* One that has stopped stops all; masked out it does not. */
static void stopped(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	unsigned int old[HOSTS + 1];
	char body[1000] = "";
	int fds[3], status, i, k;
	struct psync_event ev;
	struct msg m;
	pid_t pid;

	/* It is the initial namespace's, too, that bounds the others'. */
	for (i = 1; i <= HOSTS; i++)
		old[i] = sysctl_set(i, "image_bytes", 65536);
	pid = member(group, then_be_masked);
	others_open(group, fds);
	works(waitpid(pid, &status, WUNTRACED));
	assert_true(WIFSTOPPED(status));
	while (send(fds[0], body, sizeof(body), MSG_DONTWAIT) >= 0)
		for (i = 1; i < 3; i++)
			do
				msg_recv(fds[i], &m);
			while (m.event);
	assert_int_equal(errno, EAGAIN);
	for (i = 0; i < 3; i++)
		works(mask_out(fds[i], 2, 0, 0));
	for (i = 0; i < 3; i++) {
		ev = await_event(fds[i], PSYNC_EV_AGREED);
		assert_int_equal(ev.site, 3);
		assert_int_equal(PSYNC_MID_INDEX(ev.mid), 2);
	}
	assert_int_equal(await_poll(fds[0], POLLOUT) & POLLOUT, POLLOUT);
	for (k = 0; k < 200; k++) {
		msg_send(fds[k % 3], "on we go");
		for (i = 1; i < 3; i++)
			hear(fds[(k + i) % 3], "on we go");
	}
	for (i = 0; i < 3; i++)
		unheld_none(fds[i]);
	works(kill(pid, SIGCONT));
	works(waitpid(pid, &status, 0));
	assert_int_equal(status, 0);
	/* Its END reaches nobody who masked it out. */
	sock_close(fds, 3);
	for (i = 1; i <= HOSTS; i++)
		sysctl_set(i, "image_bytes", old[i]);
}

/* Killed, ended, closed: everybody is told at once, and why. */
static void ended(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct psync_event ev;
	int fds[3], i, status;
	pid_t pid;

	pid = member(group, then_wait);
	others_open(group, fds);
	works(kill(pid, SIGKILL));
	for (i = 0; i < 3; i++) {
		ev = await_event(fds[i], PSYNC_EV_ENDED);
		assert_int_equal(ev.site, 3);
		assert_int_equal(ev.reason, PSYNC_END_DIED);
		assert_true(ev.mid == PSYNC_MID(2, 2));
		assert_int_equal(masks_of(fds[i], PSYNC_MASKS_ALL).of[2].flags,
				 PSYNC_MASKED_ENDED);
	}
	works(waitpid(pid, &status, 0));
	close(fds[0]);
	ev = await_event(fds[1], PSYNC_EV_ENDED);
	assert_int_equal(ev.reason, PSYNC_END_CLOSED);
	assert_int_equal(ev.site, 1);
	sock_close(fds + 1, 2);
	group = group_of_hosts(port_new());
	pid = member(group, then_exit);
	others_open(group, fds);
	msg_send(fds[0], "go");
	ev = await_event(fds[1], PSYNC_EV_ENDED);
	assert_int_equal(ev.reason, PSYNC_END_DIED);
	works(waitpid(pid, &status, 0));
	sock_close(fds, 3);
}

/* Hosts 3 and 4 are on a bridge of their own, or not. */
static void part_hosts(void)
{
	lab_run(0, "ip link add name br-side type bridge && "
		"ip link set br-side up && "
		"ip link show veth3 | sed -n 's/.*master \\([^ ]*\\).*/\\1/p' "
		">/tmp/mask.bridge && "
		"ip link set veth3 master br-side && "
		"ip link set veth4 master br-side");
}

static void join_hosts(void)
{
	lab_run(0, "ip link set veth3 master $(cat /tmp/mask.bridge) && "
		"ip link set veth4 master $(cat /tmp/mask.bridge) && "
		"ip link del br-side && rm /tmp/mask.bridge");
}

/* Each side masks the other, and goes on by itself. */
static void sides(void **state)
{
	struct masks m;
	int fds[HOSTS], i, k;

	open_all(fds);
	meet(fds);
	for (i = 0; i < HOSTS; i++)
		unheld_none(fds[i]);
	part_hosts();
	for (i = 0; i < HOSTS; i++)
		for (k = 0; k < HOSTS; k++)
			if (i / 2 != k / 2)
				works(mask_out(fds[i], k, 0, 0));
	for (i = 0; i < HOSTS; i++)
		for (k = 0; k < 2; k++)
			await_event(fds[i], PSYNC_EV_AGREED);
	for (i = 0; i < HOSTS; i += 2) {
		msg_send(fds[i], "alone");
		hear(fds[i + 1], "alone");
		unheld_none(fds[i]);
	}
	/* Together again it is as before: what the others say is void. */
	join_hosts();
	for (i = 0; i < HOSTS; i += 2) {
		msg_send(fds[i], "together");
		hear(fds[i + 1], "together");
		unheld_none(fds[i]);
		m = masks_of(fds[i], PSYNC_MASKS_ALL);
		for (k = 0; k < HOSTS; k++)
			if (i / 2 != k / 2)
				assert_int_equal(m.of[k].flags &
						 ~PSYNC_MASKED_BY,
						 PSYNC_MASKED_OUT |
						 PSYNC_MASKED_CUT |
						 PSYNC_MASKED_AGREED);
	}
	assert_true(stat_of(1, "DropMasked") > 0);
	sock_close(fds, HOSTS);
}

/* S5.3: who is out for good comes back by a restart, when all let it in. */
static void comes_back(void **state)
{
	struct psync_restart how = { 0 };
	struct psync_event ev;
	uint32_t group;
	int fds[HOSTS], i;

	group = open_all(fds);
	meet(fds);
	for (i = 0; i < HOSTS - 1; i++)
		works(mask_out(fds[i], HOSTS - 1, 0, 0));
	for (i = 0; i < HOSTS - 1; i++)
		await_event(fds[i], PSYNC_EV_AGREED);
	works(close(fds[HOSTS - 1]));
	fds[HOSTS - 1] = sock_new(HOSTS, SOCK_SEQPACKET);
	works(setsockopt(fds[HOSTS - 1], SOL_PSYNC, PSYNC_RESTART, &how,
			 sizeof(how)));
	works(sock_connect(fds[HOSTS - 1], group, 1));
	for (i = 0; i < HOSTS - 1; i++) {
		ev = await_event(fds[i], PSYNC_EV_RESTARTED);
		assert_int_equal(ev.site, HOSTS);
		fails(send(fds[HOSTS - 1], "back", 4, MSG_DONTWAIT), EAGAIN);
		works(mask_in(fds[i], HOSTS - 1));
	}
	assert_int_equal(await_poll(fds[HOSTS - 1], POLLOUT) & POLLOUT,
			 POLLOUT);
	msg_send(fds[HOSTS - 1], "back");
	for (i = 0; i < HOSTS - 1; i++)
		hear(fds[i], "back");
	unheld_none(fds[HOSTS - 1]);
	sock_close(fds, HOSTS);
}

/* Sends until that fails for good; who waits for others has to be told first. */
static void send_to_nobody(int fd)
{
	struct patience p = patience_begin();
	socklen_t len = sizeof(int);
	int error;

	while (send(fd, "anybody?", 8, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       errno == EAGAIN)
		patience_try(&p, "ESTALE");
	assert_int_equal(errno, ESTALE);
	/* That was told, then. */
	works(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	assert_int_equal(error, 0);
}

/* Of what comes to each host so much is lost; the last one is cut off, too. */
static void lose(int percent, bool cut)
{
	int i;

	for (i = 1; i <= HOSTS; i++)
		lab_run(0, "tc qdisc replace dev veth%d root netem loss %d%%",
			i, cut && i == HOSTS ? 100 : percent);
	lab_run(HOSTS, "tc qdisc replace dev eth0 root netem loss %d%%",
		cut ? 100 : percent);
}

static void lose_nothing(void)
{
	int i;

	for (i = 1; i <= HOSTS; i++)
		lab_run(0, "tc qdisc del dev veth%d root", i);
	lab_run(HOSTS, "tc qdisc del dev eth0 root");
}

/*
 * S5.3: who is out for good, and was away meanwhile, is told so when it sends,
 * however many packets are lost before and after.
 */
static void told_out(int percent)
{
	int fds[HOSTS], i, out = HOSTS - 1;
	uint64_t last[HOSTS - 1];
	struct psync_event ev;
	struct masks m;

	open_all(fds);
	lose(percent, false);
	meet(fds);
	lose(percent, true);
	msg_send(fds[0], "there?");
	msg_send(fds[out], "here");
	for (i = 0; i < out; i++)
		works(mask_out(fds[i], out, 0, 0));
	/* Who has yet to receive what came before keeps them from agreeing. */
	hear(fds[1], "there?");
	hear(fds[2], "there?");
	for (i = 0; i < out; i++)
		last[i] = await_event(fds[i], PSYNC_EV_AGREED).mid;
	lose(percent, false);
	send_to_nobody(fds[out]);
	ev = await_event(fds[out], PSYNC_EV_AGREED);
	assert_int_equal(ev.site, out + 1);
	for (i = 0; i < out; i++)
		assert_true(last[i] == ev.mid);
	m = masks_of(fds[out], PSYNC_MASKS_ALL);
	for (i = 0; i < out; i++)
		assert_int_equal(m.of[i].flags, PSYNC_MASKED_BY);
	/* Who only listens is told, too, when there is nothing more to take. */
	assert_int_equal(poll_now(fds[out], POLLOUT | POLLIN) &
			 (POLLERR | POLLOUT), POLLERR | POLLOUT);
	do
		i = recv(fds[out], &ev, sizeof(ev), MSG_DONTWAIT);
	while (i >= 0);
	assert_int_equal(errno, ESTALE);
	fails(recv(fds[out], &ev, sizeof(ev), 0), ESTALE);
	fails(send(fds[out], "", 0, 0), ESTALE);
	lose_nothing();
	sock_close(fds, HOSTS);
}

static void told_out_at_once(void **state)
{
	told_out(0);
}

static void told_out_with_losses(void **state)
{
	told_out(10);
}

/* A host that says nothing more, and then does. */
static void suspected(void **state)
{
	unsigned int old = sysctl_set(1, "suspect_ms", 300);
	struct psync_event ev;
	int fds[HOSTS];

	open_all(fds);
	meet(fds);
	unheld_none(fds[0]);
	lab_run(0, "tc qdisc replace dev veth3 root netem loss 100%%");
	lab_run(3, "tc qdisc replace dev eth0 root netem loss 100%%");
	msg_send(fds[0], "still there?");
	ev = await_event(fds[0], PSYNC_EV_SUSPECT);
	assert_int_equal(ev.site, 3);
	lab_run(1, "psync conv show %016llx | grep -q 'site 3 suspect'",
		(unsigned long long)opt_u64(fds[0], PSYNC_CID));
	lab_run(0, "tc qdisc del dev veth3 root");
	lab_run(3, "tc qdisc del dev eth0 root");
	ev = await_event(fds[0], PSYNC_EV_HEARD);
	assert_int_equal(ev.site, 3);
	hear(fds[2], "still there?");
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
	sysctl_set(1, "suspect_ms", old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(announced),
		cmocka_unit_test(taken_back),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(overtaken),
		cmocka_unit_test(received),
		cmocka_unit_test(exception_and_cut),
		cmocka_unit_test(stopped),
		cmocka_unit_test(ended),
		cmocka_unit_test(sides),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(told_out_at_once),
		cmocka_unit_test(told_out_with_losses),
		cmocka_unit_test(suspected),
	};

	lab_init();
	return lab_main(tests);
}
