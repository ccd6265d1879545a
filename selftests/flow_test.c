// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flow control (S6.6) on 3 hosts: a member that does not receive holds the
 * others back, is named, and nothing is lost.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/psync_netlink.h>
#include <linux/sockios.h>

#include "lib.h"

#define BODY	1000
#define BOUND	300	/* ms */

/* A sender, one who reads and one who does not, each at a host of its own. */
struct trio {
	unsigned int	old[3];		/* image_bytes */
	int		fd[3];
	unsigned int	sent, got;
};

/*
 * A group of the three hosts with a setting of its own at host 1; to mask, each
 * who keeps what is sent has to.
 */
static uint32_t trio_group(uint32_t policy, uint32_t ms)
{
	uint32_t group = group_of_hosts(port_new());
	struct nl *nl;
	int i;

	for (i = 1; i <= (policy == PSYNC_SLOW_MASK ? 3 : 1); i++) {
		nl = nl_open(i);
		nl_begin(nl, PSYNC_CMD_GROUP_SET);
		nl_u32(nl, PSYNC_A_GROUP_NUMBER, group);
		nl_u32(nl, PSYNC_A_GROUP_SLOW, policy);
		nl_u32(nl, PSYNC_A_GROUP_SLOW_MS, ms);
		assert_int_equal(nl_talk(nl), 0);
		nl_close(nl);
	}
	return group;
}

static struct trio trio_open(uint32_t policy)
{
	const uint32_t events = PSYNC_EVMASK(PSYNC_EV_BLOCKED) |
				PSYNC_EVMASK(PSYNC_EV_SUSPECT) |
				PSYNC_EVMASK(PSYNC_EV_SKIPPED) |
				PSYNC_EVMASK(PSYNC_EV_MASKED) |
				PSYNC_EVMASK(PSYNC_EV_UNMASKED) |
				PSYNC_EVMASK(PSYNC_EV_RESUMED);
	uint32_t group = trio_group(policy, BOUND);
	struct trio t = {};
	int i;

	for (i = 0; i < 3; i++) {
		t.old[i] = sysctl_set(i + 1, "image_bytes", 65536);
		t.fd[i] = sock_joined(i + 1, 0, group, 1);
	}
	works(opt_set_u32(t.fd[0], PSYNC_EVENTS, events));
	works(opt_set_u32(t.fd[2], PSYNC_EVENTS, PSYNC_EVMASK(PSYNC_EV_GAP)));
	return t;
}

static void trio_close(struct trio *t)
{
	int i;

	sock_close(t->fd, 3);
	for (i = 0; i < 3; i++)
		sysctl_set(i + 1, "image_bytes", t->old[i]);
}

static ssize_t trio_say(struct trio *t, int flags)
{
	char body[BODY] = "";
	ssize_t len;

	sprintf(body, "%u", t->sent);
	len = send(t->fd[0], body, sizeof(body), flags | MSG_NOSIGNAL);
	if (len >= 0)
		t->sent++;
	return len;
}

/* Participant @i reads the next one, which is number @number. */
static void trio_hear(struct trio *t, int i, unsigned int number)
{
	struct msg m;

	msg_recv(t->fd[i], &m);
	assert_false(m.event);
	assert_int_equal(m.len, BODY);
	assert_int_equal(atoi(m.body), number);
}

/* What there is for the one who reads. */
static void trio_read(struct trio *t)
{
	int bytes;

	for (;;) {
		works(ioctl(t->fd[1], SIOCINQ, &bytes));
		if (!bytes)
			return;
		trio_hear(t, 1, t->got++);
	}
}

/*
 * Sends and reads until it is told that somebody does not; how long sends had
 * been refused by then is within the bound and not much more.
 */
static void trio_fill(struct trio *t, uint32_t type)
{
	struct patience p = patience_begin();
	uint64_t refused = 0, waited = 0;
	struct pollfd pfd = { .fd = t->fd[0], .events = POLLIN };
	struct psync_event ev;

	while (!works(poll(&pfd, 1, 0))) {
		trio_read(t);
		if (trio_say(t, MSG_DONTWAIT) >= 0) {
			refused = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		if (!refused)
			refused = clock_ms();
		waited = clock_ms() - refused;
		patience_try(&p, "an event");
	}
	assert_in_range(waited, BOUND / 2, PATIENCE * 1000);
	ev = event_expect(t->fd[0], type);
	assert_int_equal(ev.site, 3);
	assert_int_equal(ev.reason, 2 + 1);
}

/* One member stopped: the others stop, know who it is, and lose nothing. */
static void stopped(uint32_t policy, uint32_t type, const char *counter)
{
	uint64_t full = stat_of(3, "DropImageFull");
	uint64_t told = stat_of(1, counter);
	struct trio t = trio_open(policy);
	struct psync_info info;
	unsigned int i;

	trio_fill(&t, type);
	assert_int_equal(poll_now(t.fd[0], POLLOUT), 0);
	info = opt_info(t.fd[0]);
	assert_int_equal(info.slow, policy);
	assert_int_equal(info.slow_ms, BOUND);
	assert_int_equal(info.blocker_site, 3);
	assert_int_equal(info.blocker, 2 + 1);
	assert_true(stat_of(1, counter) == told + 1);
	/* It goes on: so do the others. */
	for (i = 0; i < t.sent; i++)
		trio_hear(&t, 2, i);
	event_expect(t.fd[0], PSYNC_EV_RESUMED);
	await_poll(t.fd[0], POLLOUT);
	assert_int_equal(opt_info(t.fd[0]).blocker_site, 0);
	works(trio_say(&t, MSG_DONTWAIT));
	trio_hear(&t, 2, i);
	while (t.got < t.sent)
		trio_hear(&t, 1, t.got++);
	/* Nobody sent what nobody had room for. */
	assert_true(stat_of(3, "DropImageFull") == full);
	trio_close(&t);
}

static void blocks(void **state)
{
	stopped(PSYNC_SLOW_BLOCK, PSYNC_EV_BLOCKED, "SlowBlocked");
}

static void suspects(void **state)
{
	stopped(PSYNC_SLOW_SUSPECT, PSYNC_EV_SUSPECT, "SlowSuspected");
}

/*
 * What one who was skipped gets when it reads on, up to number @last: in order
 * and once each, and for all that is missing an event has said how many.
 */
static void trio_catch_up(struct trio *t, unsigned int last)
{
	unsigned int next = 0, missed = 0, told = 0, number;
	struct msg m;

	while (next <= last) {
		msg_recv(t->fd[2], &m);
		if (m.event) {
			assert_int_equal(m.ev.type, PSYNC_EV_GAP);
			told += m.ev.reason;
			continue;
		}
		number = atoi(m.body);
		assert_in_range(number, next, last);
		missed += number - next;
		next = number + 1;
	}
	assert_true(missed > 0);
	assert_true(told >= missed);
}

/* The others go on: several times what one who does not read has room for. */
static void trio_go_on(struct trio *t)
{
	struct patience p = patience_begin();
	unsigned int until = t->sent + 300;

	while (t->sent < until) {
		if (trio_say(t, MSG_DONTWAIT) < 0)
			patience_try(&p, "room");
		trio_read(t);
	}
	while (t->got < t->sent)
		trio_hear(t, 1, t->got++);
}

/* Under skip the others go on without it, and it gets the rest when it reads. */
static void skips(void **state)
{
	uint64_t skipped = stat_of(1, "SlowSkipped");
	uint64_t gaps = stat_of(1, "MsgGapSent");
	struct trio t = trio_open(PSYNC_SLOW_SKIP);

	trio_fill(&t, PSYNC_EV_SKIPPED);
	trio_go_on(&t);
	/* Nobody is named again. */
	assert_true(stat_of(1, "SlowSkipped") == skipped + 1);
	assert_true(stat_of(1, "MsgGapSent") > gaps);
	assert_int_equal(opt_info(t.fd[0]).slow, PSYNC_SLOW_SKIP);
	trio_catch_up(&t, t.sent - 1);
	trio_close(&t);
}

/* The same with a process that is stopped, and goes on (SIGCONT). */
static void sigstop(void **state)
{
	struct trio t = trio_open(PSYNC_SLOW_BLOCK);
	pid_t reader = works(fork());
	int status;

	if (!reader) {
		char body[BODY + 1];
		unsigned int i = 0;

		/* All in order, to the last, which is empty. */
		raise(SIGSTOP);
		while (recv(t.fd[2], body, sizeof(body), 0) == BODY)
			if (atoi(body) != (int)i++)
				_exit(1);
		_exit(i < 10 ? 2 : 0);
	}
	assert_int_equal(works(waitpid(reader, &status, WUNTRACED)), reader);
	assert_true(WIFSTOPPED(status));
	trio_fill(&t, PSYNC_EV_BLOCKED);
	works(kill(reader, SIGCONT));
	event_expect(t.fd[0], PSYNC_EV_RESUMED);
	trio_read(&t);
	works(send(t.fd[0], "", 0, 0));
	assert_int_equal(works(waitpid(reader, &status, 0)), reader);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	trio_close(&t);
}

/*
 * A process that is stopped: when it goes on it is told first that it was masked
 * out, and what it gets is in order.
 */
static int wakes(int fd)
{
	bool told = false;
	int next = 0;
	struct msg m;

	raise(SIGSTOP);
	while (msg_try(fd, &m, MSG_DONTWAIT) >= 0) {
		if (m.event) {
			told |= m.ev.type == PSYNC_EV_MASKED &&
				m.ev.site == 1 && m.ev.reason == 2;
			continue;
		}
		if (!told || m.len != BODY || atoi(m.body) < next)
			return 1;
		next = atoi(m.body) + 1;
	}
	return !told || !next;
}

/* The next event of this type; others, and messages, are passed over. */
static struct psync_event trio_told(int fd, uint32_t type)
{
	struct msg m;

	do
		msg_recv(fd, &m);
	while (!m.event || m.ev.type != type);
	return m.ev;
}

/* The third one, closed and out for good, is back; the others take it in. */
static void trio_back(struct trio *t)
{
	uint32_t index = 2, group = opt_info(t->fd[0]).group;
	struct psync_restart how = {};
	struct msg m;
	int i;

	works(close(t->fd[2]));
	works(opt_set_u32(t->fd[1], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	t->fd[2] = sock_new(3, SOCK_SEQPACKET);
	works(setsockopt(t->fd[2], SOL_PSYNC, PSYNC_RESTART, &how,
			 sizeof(how)));
	works(sock_connect(t->fd[2], group, 1));
	for (i = 0; i < 2; i++) {
		trio_told(t->fd[i], PSYNC_EV_RESTARTED);
		works(setsockopt(t->fd[i], SOL_PSYNC, PSYNC_MASK_IN, &index,
				 sizeof(index)));
	}
	await_poll(t->fd[2], POLLOUT);
	msg_send(t->fd[2], "back");
	for (i = 0; i < 2; i++) {
		do
			msg_recv(t->fd[i], &m);
		while (m.event);
		assert_string_equal(m.body, "back");
	}
}

/*
 * Under mask the others go on, too: first the sender masks it out, then who keeps
 * what it lacks does, and so they agree. It can come back.
 */
static void masks(void **state)
{
	uint64_t masked = stat_of(1, "SlowMasked");
	uint64_t said = stat_of(1, "MsgMaskSent");
	struct trio t = trio_open(PSYNC_SLOW_MASK);
	struct psync_event ev;
	pid_t reader;
	int status;

	works(opt_set_u32(t.fd[0], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	works(opt_set_u32(t.fd[2], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	reader = works(fork());
	if (!reader)
		_exit(wakes(t.fd[2]));
	assert_int_equal(works(waitpid(reader, &status, WUNTRACED)), reader);
	assert_true(WIFSTOPPED(status));
	trio_fill(&t, PSYNC_EV_SUSPECT);
	assert_int_equal(event_expect(t.fd[0], PSYNC_EV_MASKED).reason, 2);
	event_expect(t.fd[0], PSYNC_EV_RESUMED);
	trio_go_on(&t);
	assert_int_equal(opt_info(t.fd[0]).slow, PSYNC_SLOW_MASK);
	assert_true(stat_of(1, "MsgMaskSent") > said);
	assert_true(stat_of(1, "SlowMasked") == masked + 1);
	lab_run(1, "psync conv show %016llx | grep -q ' masks 2'",
		(unsigned long long)opt_u64(t.fd[0], PSYNC_CID));
	lab_run(1, "psync conv show %016llx | grep -q 'slow mask after %d ms'",
		(unsigned long long)opt_u64(t.fd[0], PSYNC_CID), BOUND);
	ev = trio_told(t.fd[0], PSYNC_EV_AGREED);
	assert_int_equal(PSYNC_MID_INDEX(ev.mid), 2);
	works(kill(reader, SIGCONT));
	assert_int_equal(works(waitpid(reader, &status, 0)), reader);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	trio_back(&t);
	trio_close(&t);
}

static int slow_set(int fd, uint32_t policy, uint32_t ms)
{
	const struct psync_slow slow = { policy, ms };

	return setsockopt(fd, SOL_PSYNC, PSYNC_SLOW, &slow, sizeof(slow));
}

/* A member may ask for less than its group allows, before and after. */
static void asks(void **state)
{
	uint32_t group = trio_group(PSYNC_SLOW_SUSPECT, BOUND);
	struct psync_slow slow = {};
	socklen_t len = sizeof(slow);
	int fd = sock_bound(1, SOCK_SEQPACKET, 0);

	fails(setsockopt(fd, SOL_PSYNC, PSYNC_SLOW, &slow, 4), EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_SLOW, (void *)8, len), EFAULT);
	fails(slow_set(fd, PSYNC_SLOW_MASK + 1, 10), EINVAL);
	fails(slow_set(fd, PSYNC_SLOW_SKIP, 0), EINVAL);
	fails(slow_set(fd, PSYNC_SLOW_SUSPECT, 0), EINVAL);
	fails(slow_set(fd, PSYNC_SLOW_MASK, 0), EINVAL);
	works(slow_set(fd, PSYNC_SLOW_SUSPECT, BOUND + 1));
	works(close(fd));

	fd = sock_new(1, SOCK_SEQPACKET);
	works(slow_set(fd, PSYNC_SLOW_SUSPECT, BOUND + 1));
	fails(sock_connect(fd, group, 1), EINVAL);
	works(slow_set(fd, PSYNC_SLOW_SUSPECT, BOUND - 1));
	works(sock_connect(fd, group, 1));
	assert_int_equal(opt_info(fd).slow, PSYNC_SLOW_SUSPECT);
	assert_int_equal(opt_info(fd).slow_ms, BOUND - 1);
	works(getsockopt(fd, SOL_PSYNC, PSYNC_SLOW, &slow, &len));
	assert_int_equal(slow.policy, PSYNC_SLOW_SUSPECT);
	assert_int_equal(slow.ms, BOUND - 1);
	fails(slow_set(fd, PSYNC_SLOW_BLOCK, 1), EINVAL);
	fails(slow_set(fd, PSYNC_SLOW_SUSPECT, BOUND + 1), EINVAL);
	works(slow_set(fd, PSYNC_SLOW_BLOCK, 0));
	assert_int_equal(opt_info(fd).slow_ms, BOUND);
	works(close(fd));

	/* To skip or to mask is more than a group allows that does not say so. */
	fd = sock_new(1, SOCK_SEQPACKET);
	works(slow_set(fd, PSYNC_SLOW_SKIP, 1));
	fails(sock_connect(fd, group_of_hosts(port_new()), 1), EINVAL);
	works(close(fd));
	fd = sock_new(1, SOCK_SEQPACKET);
	works(slow_set(fd, PSYNC_SLOW_MASK, 1));
	fails(sock_connect(fd, group_of_hosts(port_new()), 1), EINVAL);
	works(slow_set(fd, PSYNC_SLOW_BLOCK, 1));
	works(close(fd));
}

/*
 * A listener asks before it knows the group: what is more is not granted.  What
 * counts is what it asks for when it accepts.
 */
static void asks_listening(void **state)
{
	static const struct psync_slow asked[] = {
		{ PSYNC_SLOW_MASK, 1 }, { PSYNC_SLOW_SKIP, 1 },
		{ PSYNC_SLOW_SUSPECT, BOUND },
	};
	struct psync_slow got, want;
	socklen_t len = sizeof(got);
	int listener, a, b;
	uint32_t port;
	unsigned int i;

	for (i = 0; i < COUNT(asked); i++) {
		port = port_new();
		listener = sock_listening(2, port, 4);
		works(slow_set(listener, asked[(i + 1) % COUNT(asked)].policy,
			       asked[(i + 1) % COUNT(asked)].ms));
		a = sock_joined(1, 0, group_of_hosts(port), 0);
		msg_send(a, "start");
		await_poll(listener, POLLIN);
		works(slow_set(listener, asked[i].policy, asked[i].ms));
		works(opt_set_u32(listener, PSYNC_MANUAL, 1));
		b = sock_accept(listener);
		assert_int_equal(opt_u32(b, PSYNC_MANUAL), 1);
		memset(&want, 0, sizeof(want));
		if (asked[i].policy == PSYNC_SLOW_SUSPECT)
			want = asked[i];
		works(getsockopt(b, SOL_PSYNC, PSYNC_SLOW, &got, &len));
		assert_memory_equal(&got, &want, sizeof(got));
		assert_int_equal(opt_info(b).slow, want.policy);
		if (want.ms)
			assert_int_equal(opt_info(b).slow_ms, want.ms);
		sock_close((int[]){ a, b, listener }, 3);
	}
}

/* A loss is noticed by who asks for the message, or because no answer comes. */
static uint64_t congestion_cuts(bool udp)
{
	return udp ? stat_of(1, "CutMark") :
		     stat_of(1, "CutLoss") + stat_of(1, "CutTimeout");
}

/*
 * A way that is too narrow: over UDP a message gets a congestion mark there
 * instead of being lost, on Ethernet it is lost.  The window heeds either.
 */
static void congestion(void **state)
{
	bool udp = lab.link != LAB_ETH;
	uint64_t marks = stat_of(2, "MarkHeard"), others = stat_of(3, "MarkHeard");
	uint64_t cuts = congestion_cuts(udp);
	uint64_t later;
	struct trio t = trio_open(PSYNC_SLOW_BLOCK);
	unsigned int heard = 0;
	struct patience p;
	int bytes;

	/* All have heard of one another. */
	works(trio_say(&t, 0));
	trio_hear(&t, 1, t.got++);
	trio_hear(&t, 2, heard++);
	lab_run(0, "tc qdisc replace dev veth2 root netem limit 100000 loss 20%% ecn");
	p = patience_begin();
	while (t.sent < 300) {
		if (trio_say(&t, MSG_DONTWAIT) < 0)
			patience_try(&p, "room");
		trio_read(&t);
		works(ioctl(t.fd[2], SIOCINQ, &bytes));
		if (bytes)
			trio_hear(&t, 2, heard++);
	}
	while (t.got < t.sent)
		trio_hear(&t, 1, t.got++);
	while (heard < t.sent)
		trio_hear(&t, 2, heard++);
	lab_run(0, "tc qdisc del dev veth2 root");
	later = stat_of(2, "MarkHeard");
	assert_true(udp ? later > marks : later == marks);
	assert_true(stat_of(3, "MarkHeard") == others);
	assert_true(congestion_cuts(udp) > cuts);
	assert_true(opt_info(t.fd[0]).window > 0);
	trio_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(suspects),
		cmocka_unit_test(skips),
		cmocka_unit_test(sigstop),
		cmocka_unit_test(masks),
		cmocka_unit_test(asks),
		cmocka_unit_test(asks_listening),
		cmocka_unit_test(congestion),
	};

	lab_init();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return lab_main(tests);
}
