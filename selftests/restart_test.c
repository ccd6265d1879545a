// SPDX-License-Identifier: GPL-2.0-only
/*
 * Participants that come back (PSYNC_RESTART, PSYNC_HISTORY): processes that
 * were killed, sites that were started anew, a single survivor; from a
 * checkpoint's leaves and from nothing.  Needs three hosts on a bridge without
 * impairments of its own.
 */

#include <signal.h>
#include <sys/wait.h>
#include <linux/psync_netlink.h>

#include "lib.h"

#define HOSTS	3
#define ROUNDS	20
#define LEAVES	8
#define HISTORY	(1 << 20)

/* What a program has to remember of a conversation, to come back to it. */
struct checkpoint {
	uint64_t	cid;
	uint32_t	count;
	uint64_t	leaves[LEAVES];
};

static void loss_to(int host, int percent)
{
	lab_run(0, "tc qdisc replace dev veth%d root netem limit 100000 loss %d%%",
		host, percent);
}

static void loss_end(int host)
{
	lab_run(0, "tc qdisc del dev veth%d root", host);
}

/* A member of the group's rendezvous, who keeps a history and hears events. */
static int join(int host, uint32_t group, uint32_t history)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	works(opt_set_u32(fd, PSYNC_HISTORY, history));
	works(opt_set_u32(fd, PSYNC_EVENTS, PSYNC_EVMASK(PSYNC_EV_RESTARTED) |
			  PSYNC_EVMASK(PSYNC_EV_GAP)));
	works(sock_connect(fd, group, 1));
	return fd;
}

static int restart_set(int fd, const struct checkpoint *from, uint32_t flags)
{
	char buffer[sizeof(struct psync_restart) + sizeof(from->leaves)];
	struct psync_restart *r = (struct psync_restart *)buffer;
	uint32_t count = from ? from->count : 0;

	memset(buffer, 0, sizeof(buffer));
	r->cid = from ? from->cid : 0;
	r->flags = flags;
	r->count = count;
	if (count)
		memcpy(r->leaves, from->leaves, count * sizeof(*r->leaves));
	return setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, r,
			  sizeof(*r) + count * sizeof(*r->leaves));
}

/* The same member, who was here before. */
static int rejoin(int host, uint32_t group, uint32_t history,
		  const struct checkpoint *from, uint32_t flags)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	works(opt_set_u32(fd, PSYNC_HISTORY, history));
	works(restart_set(fd, from, flags));
	works(sock_connect(fd, group, 1));
	return fd;
}

static void take_checkpoint(int fd, struct checkpoint *to)
{
	int n;

	to->cid = opt_u64(fd, PSYNC_CID);
	n = query(fd, PSYNC_LEAVES, 0, to->leaves, LEAVES);
	assert_in_range(n, 1, LEAVES);
	to->count = n;
}

static void say(int fd, char who, int n)
{
	char text[16];

	sprintf(text, "%c%d", who, n);
	msg_send(fd, text);
}

static void hear(int fd, char who, int n)
{
	char text[16];

	sprintf(text, "%c%d", who, n);
	msg_expect(fd, text);
}

/* Round @n: everybody says something that everybody hears. */
static void round_of(const int *fds, int n)
{
	int i, k;

	for (i = 0; i < HOSTS; i++) {
		say(fds[i], 'a' + i, n);
		for (k = 0; k < HOSTS; k++)
			if (k != i)
				hear(fds[k], 'a' + i, n);
	}
}

/* All rounds from @n on are received, own messages like others'. */
static void hear_rounds(int fd, int n)
{
	int i;

	for (; n < ROUNDS; n++)
		for (i = 0; i < HOSTS; i++)
			hear(fd, 'a' + i, n);
	msg_none(fd);
}

/* All of it is held everywhere, so that it is history. */
static uint32_t history_made(int *fds, struct checkpoint *middle,
			     uint32_t history)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++)
		fds[i] = join(i + 1, group, history);
	for (i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS / 2)
			take_checkpoint(fds[0], middle);
		round_of(fds, i);
	}
	for (i = 0; i < HOSTS; i++)
		unheld_none(fds[i]);
	return group;
}

/* Who is back and the others converse. */
static void converse(const int *fds)
{
	int i, k;

	for (i = 0; i < HOSTS; i++) {
		msg_send(fds[i], "again");
		for (k = 0; k < HOSTS; k++)
			if (k != i)
				msg_expect(fds[k], "again");
	}
}

static void told_restart(const int *fds, int from)
{
	struct psync_event ev;
	int i;

	for (i = from; i < HOSTS; i++) {
		ev = event_expect(fds[i], PSYNC_EV_RESTARTED);
		assert_int_equal(ev.site, 1);
		assert_int_equal(PSYNC_MID_INDEX(ev.mid), 0);
	}
}

/* From a checkpoint's leaves and from nothing: the same history. */
static void same_history(void **state)
{
	struct checkpoint middle;
	uint64_t last, next;
	uint32_t group;
	int fds[HOSTS];

	group = history_made(fds, &middle, HISTORY);
	last = opt_u64(fds[0], PSYNC_LAST_MID);
	works(close(fds[0]));
	convs_none(1);
	fds[0] = rejoin(1, group, HISTORY, NULL, PSYNC_RESTART_ALL);
	told_restart(fds, 1);
	hear_rounds(fds[0], 0);
	works(close(fds[0]));
	convs_none(1);
	fds[0] = rejoin(1, group, HISTORY, &middle, PSYNC_RESTART_ALL);
	told_restart(fds, 1);
	hear_rounds(fds[0], ROUNDS / 2);
	next = msg_send(fds[0], "back");
	assert_true(next > last);
	msg_expect(fds[1], "back");
	msg_expect(fds[2], "back");
	converse(fds);
	sock_close(fds, HOSTS);
}

/* The member on host 1, a process of its own, until it is killed. */
static void member(uint32_t group, int to)
{
	struct checkpoint point;
	int fd, i;

	fd = join(1, group, HISTORY);
	for (i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS / 2) {
			take_checkpoint(fd, &point);
			works(write(to, &point, sizeof(point)));
		}
		say(fd, 'a', i);
		hear(fd, 'b', i);
		hear(fd, 'c', i);
	}
	unheld_none(fd);
	works(write(to, &i, sizeof(i)));
	for (;;)
		pause();
}

/* kill -9, and the next process goes on from what the last one has written. */
static void killed(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	struct checkpoint point;
	int fds[HOSTS], ends[2];
	pid_t child;
	int i;

	works(pipe(ends));
	child = works(fork());
	if (!child) {
		member(group, ends[1]);
		_exit(1);
	}
	fds[1] = join(2, group, HISTORY);
	fds[2] = join(3, group, HISTORY);
	for (i = 0; i < ROUNDS; i++) {
		hear(fds[1], 'a', i);
		hear(fds[2], 'a', i);
		say(fds[1], 'b', i);
		hear(fds[2], 'b', i);
		say(fds[2], 'c', i);
		hear(fds[1], 'c', i);
	}
	assert_int_equal(read(ends[0], &point, sizeof(point)), sizeof(point));
	assert_int_equal(read(ends[0], &i, sizeof(i)), sizeof(i));
	works(kill(child, SIGKILL));
	works(waitpid(child, NULL, 0));
	fds[0] = rejoin(1, group, HISTORY, &point, PSYNC_RESTART_ALL);
	told_restart(fds, 1);
	hear_rounds(fds[0], ROUNDS / 2);
	converse(fds);
	sock_close(fds, HOSTS);
	sock_close(ends, 2);
}

/* The site goes without a word and begins anew: a greater incarnation. */
static void site_lost(int host, int fd)
{
	struct nl *nl = nl_open(host);
	int i;

	for (i = 1; i <= HOSTS; i++)
		if (i != host)
			loss_to(i, 100);
	works(close(fd));
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 0);
	assert_int_equal(nl_talk(nl), 0);
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, host);
	assert_int_equal(nl_talk(nl), 0);
	nl_close(nl);
	for (i = 1; i <= HOSTS; i++)
		if (i != host)
			loss_end(i);
}

static void site_restarted(void **state)
{
	uint64_t heard = stat_of(1, "RsAckHeard");
	struct checkpoint middle;
	uint32_t group;
	int fds[HOSTS];

	group = history_made(fds, &middle, HISTORY);
	site_lost(1, fds[0]);
	fds[0] = rejoin(1, group, HISTORY, &middle, PSYNC_RESTART_ALL);
	told_restart(fds, 1);
	hear_rounds(fds[0], ROUNDS / 2);
	assert_true(stat_of(1, "RsAckHeard") >= heard + HOSTS - 1);
	converse(fds);
	sock_close(fds, HOSTS);
}

/* Two sites at a time are lost; the third has it all. */
static void survivor(void **state)
{
	struct checkpoint middle;
	uint32_t group;
	int fds[HOSTS];

	group = history_made(fds, &middle, HISTORY);
	site_lost(1, fds[0]);
	site_lost(2, fds[1]);
	fds[0] = rejoin(1, group, HISTORY, NULL, PSYNC_RESTART_ALL);
	hear_rounds(fds[0], 0);
	fds[1] = rejoin(2, group, HISTORY, &middle, PSYNC_RESTART_ALL);
	hear_rounds(fds[1], ROUNDS / 2);
	msg_send(fds[2], "all here?");
	event_expect(fds[2], PSYNC_EV_RESTARTED);
	event_expect(fds[2], PSYNC_EV_RESTARTED);
	msg_expect(fds[0], "all here?");
	msg_expect(fds[1], "all here?");
	converse(fds);
	sock_close(fds, HOSTS);
}

/* Until what the others know is there nothing can be sent. */
static void sends_wait(void **state)
{
	struct checkpoint middle;
	uint32_t group;
	int fds[HOSTS];

	group = history_made(fds, &middle, HISTORY);
	works(close(fds[0]));
	convs_none(1);
	loss_to(1, 100);
	fds[0] = rejoin(1, group, HISTORY, &middle, 0);
	assert_int_equal(poll_now(fds[0], POLLOUT), 0);
	fails(send(fds[0], "x", 1, MSG_DONTWAIT), EAGAIN);
	loss_end(1);
	assert_int_equal(await_poll(fds[0], POLLOUT), POLLOUT);
	works(send(fds[0], "now", 3, MSG_DONTWAIT));
	event_expect(fds[1], PSYNC_EV_RESTARTED);
	msg_expect(fds[1], "now");
	works(close(fds[0]));
	convs_none(1);
	/* And whoever waits in send() is woken. */
	loss_to(1, 100);
	fds[0] = rejoin(1, group, HISTORY, &middle, 0);
	fails(send(fds[0], "x", 1, MSG_DONTWAIT), EAGAIN);
	loss_end(1);
	msg_send(fds[0], "then");
	event_expect(fds[1], PSYNC_EV_RESTARTED);
	msg_expect(fds[1], "then");
	sock_close(fds, HOSTS);
}

/* What all have received is nowhere, without a history. */
static void no_history(void **state)
{
	struct checkpoint middle;
	uint32_t group;
	int fds[HOSTS];
	struct msg m;

	group = history_made(fds, &middle, 0);
	works(close(fds[0]));
	convs_none(1);
	fds[0] = rejoin(1, group, 0, NULL, PSYNC_RESTART_ALL);
	fails(msg_try(fds[0], &m, 0), ENODATA);
	fails(send(fds[0], "x", 1, 0), ENODATA);
	told_restart(fds, 1);
	works(close(fds[0]));
	convs_none(1);
	fds[0] = sock_new(1, SOCK_SEQPACKET);
	works(opt_set_u32(fds[0], PSYNC_EVENTS, PSYNC_EVMASK(PSYNC_EV_GAP)));
	works(restart_set(fds[0], NULL, 0));
	works(sock_connect(fds[0], group, 1));
	event_expect(fds[0], PSYNC_EV_GAP);
	msg_send(fds[0], "all the same");
	event_expect(fds[1], PSYNC_EV_RESTARTED);
	msg_expect(fds[1], "all the same");
	sock_close(fds, HOSTS);
}

/* Closed while another lacks its last message: the image is there still. */
static void lingering(void **state)
{
	struct checkpoint middle;
	bool last = false;
	uint32_t group;
	int fds[HOSTS];
	struct msg m;

	group = history_made(fds, &middle, HISTORY);
	/* Events come before messages, whichever was first. */
	works(opt_set_u32(fds[2], PSYNC_EVENTS, 0));
	loss_to(3, 100);
	msg_send(fds[0], "last");
	msg_expect(fds[1], "last");
	works(close(fds[0]));
	assert_int_equal(convs_at(1), 1);
	middle.leaves[0] = PSYNC_MID(0, 9999);
	middle.count = 1;
	fds[0] = sock_new(1, SOCK_SEQPACKET);
	works(restart_set(fds[0], &middle, 0));
	fails(sock_connect(fds[0], group, 1), ENOENT);
	works(restart_set(fds[0], NULL, PSYNC_RESTART_ALL));
	works(sock_connect(fds[0], group, 1));
	event_expect(fds[1], PSYNC_EV_RESTARTED);
	works(send(fds[0], "same image", 10, MSG_DONTWAIT));
	msg_expect(fds[1], "same image");
	loss_end(3);
	msg_expect(fds[2], "last");
	msg_expect(fds[2], "same image");
	hear(fds[0], 'a', 0);
	/* What it has said since it is back is not received again. */
	while (msg_try(fds[0], &m, MSG_DONTWAIT) > 0) {
		assert_string_not_equal(m.body, "same image");
		last = !strcmp(m.body, "last");
	}
	assert_true(last);
	sock_close(fds, HOSTS);
	convs_none(1);
}

/* What PSYNC_RESTART takes, and connect() then. */
static void refused(void **state)
{
	uint32_t port = port_new(), group = group_of_hosts(port);
	struct checkpoint bad = { .cid = 1 };
	struct psync_restart r = { 0 };
	int fd, other;

	fd = sock_new(1, SOCK_SEQPACKET);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &r, sizeof(r) - 1),
	      EINVAL);
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &r, sizeof(r) + 8),
	      EINVAL);
	r.count = 1;
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &r, sizeof(r)), EINVAL);
	r.count = UINT32_MAX;
	fails(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &r, sizeof(r)), EINVAL);
	fails(restart_set(fd, NULL, ~PSYNC_RESTART_KNOWN), EINVAL);
	/* Not the rendezvous' id; none where one is needed. */
	works(restart_set(fd, &bad, 0));
	fails(sock_connect(fd, group, 1), EINVAL);
	works(restart_set(fd, NULL, 0));
	fails(sock_connect(fd, group, 0), EINVAL);
	/* Leaves that cannot be. */
	bad = (struct checkpoint){ .count = 1, .leaves = { PSYNC_MID(7, 1) } };
	works(restart_set(fd, &bad, 0));
	fails(sock_connect(fd, group, 1), EINVAL);
	assert_int_equal(convs_at(1), 0);
	/* Nobody has it: a new conversation. */
	works(restart_set(fd, NULL, PSYNC_RESTART_ALL));
	works(sock_connect(fd, group, 1));
	fails(restart_set(fd, NULL, 0), EISCONN);
	/* A second one, while the first is open. */
	other = sock_new(1, SOCK_SEQPACKET);
	works(restart_set(other, NULL, 0));
	fails(sock_connect(other, group, 1), EADDRINUSE);
	assert_int_equal(PSYNC_MID_SEQ(msg_send(fd, "x")), 1);
	works(opt_set_u32(fd, PSYNC_HISTORY, 77));
	assert_int_equal(opt_u32(fd, PSYNC_HISTORY), 77);
	sock_close((int[]){ fd, other }, 2);
}

/* P 5.2: the program runs again from its beginning. */
static void reexecution(void **state)
{
	struct checkpoint middle;
	uint64_t before, last;
	struct psync_event ev;
	uint32_t group;
	int fds[HOSTS];
	int i;

	group = history_made(fds, &middle, HISTORY);
	last = opt_u64(fds[0], PSYNC_LAST_MID);
	works(close(fds[0]));
	convs_none(1);
	fds[0] = sock_new(1, SOCK_SEQPACKET);
	works(opt_set_u32(fds[0], PSYNC_EVENTS,
			  PSYNC_EVMASK(PSYNC_EV_DIFFERS)));
	works(restart_set(fds[0], &middle, PSYNC_RESTART_REEXECUTE));
	fails(sock_connect(fds[0], group, 1), EINVAL);
	works(restart_set(fds[0], NULL, PSYNC_RESTART_REEXECUTE));
	works(sock_connect(fds[0], group, 1));
	told_restart(fds, 1);
	for (i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS / 2) {
			fails(send(fds[0], "else", 4, 0), EPROTO);
			ev = event_expect(fds[0], PSYNC_EV_DIFFERS);
			assert_int_equal(PSYNC_MID_INDEX(ev.mid), 0);
		}
		before = opt_u64(fds[0], PSYNC_LAST_MID);
		say(fds[0], 'a', i);
		if (i < ROUNDS - 1)
			assert_true(opt_u64(fds[0], PSYNC_LAST_MID) > before &&
				    opt_u64(fds[0], PSYNC_LAST_MID) <= last);
		hear(fds[0], 'b', i);
		hear(fds[0], 'c', i);
	}
	msg_none(fds[0]);
	msg_none(fds[1]);
	assert_true(msg_send(fds[0], "new") > last);
	msg_expect(fds[1], "new");
	msg_expect(fds[2], "new");
	sock_close(fds, HOSTS);
}

/* By the id of a conversation that one member opened. */
static void by_cid(void **state)
{
	uint32_t port = port_new(), group = group_of_hosts(port);
	struct checkpoint point;
	int listener, fds[2];

	listener = sock_listening(2, port, 1);
	fds[0] = sock_joined(1, 0, group, 0);
	msg_send(fds[0], "first");
	fds[1] = sock_accept(listener);
	msg_expect(fds[1], "first");
	msg_send(fds[1], "second");
	msg_expect(fds[0], "second");
	take_checkpoint(fds[0], &point);
	msg_send(fds[1], "third");
	msg_expect(fds[0], "third");
	works(close(fds[0]));
	/* Host 3 never opened, so all is kept. */
	fds[0] = sock_new(1, SOCK_SEQPACKET);
	works(restart_set(fds[0], &point, 0));
	works(sock_connect(fds[0], group, 0));
	assert_int_equal(opt_u64(fds[0], PSYNC_CID), point.cid);
	msg_expect(fds[0], "third");
	msg_send(fds[0], "fourth");
	msg_expect(fds[1], "fourth");
	works(close(listener));
	sock_close(fds, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_history),
		cmocka_unit_test(killed),
		cmocka_unit_test(site_restarted),
		cmocka_unit_test(survivor),
		cmocka_unit_test(sends_wait),
		cmocka_unit_test(no_history),
		cmocka_unit_test(lingering),
		cmocka_unit_test(refused),
		cmocka_unit_test(reexecution),
		cmocka_unit_test(by_cid),
	};

	lab_init();
	lab_no_nulls();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return lab_main(tests);
}
