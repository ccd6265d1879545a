// SPDX-License-Identifier: GPL-2.0-only
/*
 * What conversations survive: lost packets, members that close, never open,
 * do not read or say nothing; and what is said for them: null messages, END.
 * Needs three hosts on a bridge without impairments of its own.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/psync_netlink.h>
#include <linux/sockios.h>

#include "lib.h"

#define HOSTS	3

/* What goes to a host gets lost, with this probability in percent. */
static void loss_to(int host, int percent)
{
	char dev[16];

	snprintf(dev, sizeof(dev), "veth%d", host);
	qdisc_set(0, dev, "netem limit 100000 loss %d%%", percent);
}

static void loss_end(int host)
{
	char dev[16];

	snprintf(dev, sizeof(dev), "veth%d", host);
	qdisc_del(0, dev);
}

/* Everybody has heard everybody. */
static void meet(const int *fds)
{
	struct msg m;
	int i, k;

	for (i = 0; i < HOSTS; i++)
		msg_send(fds[i], "hi");
	for (i = 0; i < HOSTS; i++)
		for (k = 1; k < HOSTS; k++)
			msg_recv(fds[i], &m);
}

/* One member on each host. */
static uint32_t open_all(int *fds)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++)
		fds[i] = sock_joined(i + 1, 0, group, 1);
	return group;
}

/* A number as the whole message. */
static void say(int fd, unsigned int n)
{
	char text[16];

	sprintf(text, "%u", n);
	msg_send(fd, text);
}

static void hear(int fd, unsigned int n)
{
	char text[16];

	sprintf(text, "%u", n);
	msg_expect(fd, text);
}

/* Toward one member, in the middle of a conversation: nobody waits for long. */
static void loss_toward_one(void **state)
{
	uint64_t repeated = stat_of(1, "MsgRepeated") + stat_of(3, "MsgRepeated");
	unsigned int i, next[HOSTS] = { 0 };
	int fds[HOSTS];
	struct msg m;

	open_all(fds);
	meet(fds);
	loss_to(2, 20);
	works(opt_set_u32(fds[1], PSYNC_RECVINFO, PSYNC_RECV_INFO));
	for (i = 0; i < 150; i++) {
		say(fds[0], i);
		hear(fds[2], i);
		say(fds[2], i);
		hear(fds[0], i);
	}
	/* In causal order: 0 answered by 0, answered by 1 and so on. */
	for (i = 0; i < 300; i++) {
		msg_recv(fds[1], &m);
		assert_int_equal(m.info.index, i % 2 ? 2 : 0);
		assert_int_equal(atoi(m.body), next[m.info.index]++);
	}
	msg_none(fds[1]);
	loss_end(2);
	assert_true(stat_of(1, "MsgRepeated") + stat_of(3, "MsgRepeated") >
		    repeated);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* P 3.2.2: nobody says anything after it, and it is repaired all the same. */
static void last_message(void **state)
{
	int fds[HOSTS];
	uint64_t begin;

	open_all(fds);
	meet(fds);
	unheld_none(fds[0]);
	loss_to(2, 100);
	msg_send(fds[0], "last");
	msg_expect(fds[2], "last");
	msg_none(fds[1]);
	loss_end(2);
	begin = clock_ms();
	msg_expect(fds[1], "last");
	assert_in_range(clock_ms() - begin, 0, 2000);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* S3.2: who says something and goes leaves it behind. */
static void sender_closes(void **state)
{
	uint64_t lingered = stat_of(1, "ConvLingered");
	uint64_t given_up = stat_of(1, "ConvGivenUp");
	unsigned int i;
	int fds[HOSTS];

	open_all(fds);
	meet(fds);
	loss_to(2, 40);
	loss_to(3, 40);
	for (i = 0; i < 50; i++)
		say(fds[0], i);
	works(close(fds[0]));
	for (i = 0; i < 50; i++) {
		hear(fds[1], i);
		hear(fds[2], i);
	}
	/* Then it is over there. */
	convs_none(1);
	assert_int_equal(stat_of(1, "ConvLingered"), lingered + 1);
	assert_int_equal(stat_of(1, "ConvGivenUp"), given_up);
	loss_end(2);
	loss_end(3);
	sock_close(fds + 1, HOSTS - 1);
}

/* A process that dies says END, too. */
static void sender_dies(void **state)
{
	uint64_t ended = stat_of(2, "MsgEndReceived");
	uint32_t group = group_of_hosts(port_new());
	int b = sock_joined(2, 0, group, 1), status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		int a = sock_joined(1, 0, group, 1);

		msg_send(a, "testament");
		for (;;)
			pause();
	}
	msg_expect(b, "testament");
	works(kill(child, SIGKILL));
	assert_int_equal(waitpid(child, &status, 0), child);
	stat_await(2, "MsgEndReceived", ended + 1);
	works(close(b));
}

/* S3.2: after its END nobody waits for a member. */
static void ended_is_not_waited_for(void **state)
{
	struct psync_query_stable s;
	struct patience p;
	int fds[HOSTS];
	uint64_t mid;

	lab_nulls();
	open_all(fds);
	meet(fds);
	works(close(fds[1]));
	mid = msg_send(fds[0], "for two");
	msg_expect(fds[2], "for two");
	p = patience_begin();
	while (query_stable(fds[0], mid, &s) != 1)
		patience_try(&p, "a message to be stable");
	assert_int_equal(s.participants, 1);
	unheld_none(fds[0]);
	works(close(fds[0]));
	works(close(fds[2]));
	lab_no_nulls();
}

/* S3.1: the silent acknowledge, once; and then nobody says anything. */
static void null_messages(void **state)
{
	static const struct timespec a_while = { .tv_nsec = 200000000 };
	uint64_t nulls[HOSTS], received, mid, mids[16];
	struct psync_query_stable s;
	struct patience p;
	int fds[HOSTS], i;

	lab_nulls();
	open_all(fds);
	for (i = 0; i < HOSTS; i++)
		nulls[i] = stat_of(i + 1, "MsgNullSent");
	received = stat_of(1, "MsgNullReceived");
	mid = msg_send(fds[0], "heard?");
	for (i = 1; i < HOSTS; i++)
		msg_expect(fds[i], "heard?");
	for (i = 0; i < HOSTS; i++) {
		p = patience_begin();
		while (query_stable(fds[i], mid, &s) != 1)
			patience_try(&p, "a message to be stable");
		assert_int_equal(s.participants, HOSTS - 1);
		assert_int_equal(s.sites, HOSTS);
	}
	/* They are vertices of the graph, and not messages to receive. */
	assert_int_equal(query(fds[0], PSYNC_MIDS, 0, mids, 16), HOSTS);
	assert_in_range(query(fds[0], PSYNC_NEXT, mid, mids, 16), 1, HOSTS - 1);
	assert_int_equal(opt_outstanding(fds[0]), 0);
	msg_none(fds[0]);
	assert_int_equal(stat_of(1, "MsgNullReceived"), received + HOSTS - 1);
	nanosleep(&a_while, NULL);
	for (i = 0; i < HOSTS; i++)
		assert_int_equal(stat_of(i + 1, "MsgNullSent"),
				 nulls[i] + !!i);
	sock_close(fds, HOSTS);
	lab_no_nulls();
}

/* S3.3: the kernel says nothing for it, and does not see to what is last. */
static int manual_joined(int host, uint32_t group)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	works(opt_set_u32(fd, PSYNC_MANUAL, 1));
	works(sock_connect(fd, group, 1));
	return fd;
}

static int resend(int fd, uint64_t mid)
{
	return setsockopt(fd, SOL_PSYNC, PSYNC_RESEND, &mid, sizeof(mid));
}

/* P 3.2.2: who lacks it gets it, who has it answers with what follows it. */
static void resend_manually(void **state)
{
	static const struct timespec a_while = { .tv_nsec = 300000000 };
	uint32_t group = group_of_hosts(port_new());
	uint64_t nulls = stat_of(2, "MsgNullSent"), m1, m2;
	int fds[HOSTS], i;
	struct msg m;

	lab_nulls();
	for (i = 0; i < HOSTS; i++)
		fds[i] = manual_joined(i + 1, group);
	meet(fds);
	loss_to(2, 100);
	m1 = msg_send(fds[0], "m1");
	msg_expect(fds[2], "m1");
	nanosleep(&a_while, NULL);
	loss_end(2);
	nanosleep(&a_while, NULL);
	msg_none(fds[1]);
	works(resend(fds[0], m1));
	works(opt_set_u32(fds[1], PSYNC_RECVINFO, PSYNC_RECV_INFO));
	msg_recv(fds[1], &m);
	assert_string_equal(m.body, "m1");
	assert_int_equal(m.info.flags, PSYNC_MSG_MANUAL | PSYNC_MSG_REPEATED |
			 PSYNC_MSG_RESENT);

	loss_to(1, 100);
	m2 = msg_send(fds[2], "m2");
	msg_expect(fds[1], "m2");
	loss_end(1);
	nanosleep(&a_while, NULL);
	msg_none(fds[0]);
	works(resend(fds[0], m1));
	assert_true(msg_expect(fds[0], "m2") == m2);
	assert_int_equal(stat_of(2, "MsgNullSent"), nulls);
	sock_close(fds, HOSTS);
	lab_no_nulls();
}

/* S1.5: one that never opens is waited for, and then no more. */
static void never_opens(void **state)
{
	unsigned int old = sysctl_set(1, "absent_ms", 300);
	unsigned int old2 = sysctl_set(2, "absent_ms", 300);
	uint32_t group = group_of_hosts(port_new());
	struct nl *nl = nl_open(1);
	struct psync_event ev, from_nl;
	bool gap = false;
	struct msg m;
	int a, b, c;

	nl_listen(nl);
	/* Its site would keep what comes for whoever opens. */
	loss_to(3, 100);
	a = sock_joined(1, 0, group, 1);
	works(opt_set_u32(a, PSYNC_EVENTS, PSYNC_EVMASK_ALL));
	b = sock_joined(2, 0, group, 1);
	msg_send(a, "who is there?");
	msg_expect(b, "who is there?");
	ev = event_expect(a, PSYNC_EV_ABSENT);
	assert_int_equal(ev.site, 3);
	assert_true(ev.cid == opt_u64(a, PSYNC_CID));
	/* What lingers of another conversation may say it, too. */
	do {
		from_nl = nl_event(nl, PSYNC_EV_ABSENT);
	} while (from_nl.cid != ev.cid);
	assert_memory_equal(&from_nl, &ev, sizeof(ev));
	unheld_none(a);
	msg_send(b, "two of us");
	msg_expect(a, "two of us");
	unheld_none(b);
	/* When it comes it begins where the others are. */
	loss_end(3);
	c = sock_new(3, SOCK_SEQPACKET);
	works(opt_set_u32(c, PSYNC_EVENTS, PSYNC_EVMASK(PSYNC_EV_GAP)));
	works(sock_connect(c, group, 1));
	msg_send(c, "here I am");
	msg_expect(a, "here I am");
	msg_expect(b, "here I am");
	msg_send(a, "welcome");
	for (;;) {
		msg_recv(c, &m);
		if (!m.event)
			break;
		gap |= m.ev.type == PSYNC_EV_GAP;
	}
	assert_true(gap);
	assert_string_equal(m.body, "welcome");
	msg_send(c, "thanks");
	msg_expect(b, "welcome");
	msg_expect(b, "thanks");
	sock_close((int[]){ a, b, c }, 3);
	nl_close(nl);
	sysctl_set(1, "absent_ms", old);
	sysctl_set(2, "absent_ms", old2);
}

/* A sender and a reader that does not read, whose site keeps little. */
struct jam {
	unsigned int	mine, theirs, held;	/* sysctls as they were */
	int		a, b;
	unsigned int	n;		/* messages sent */
};

#define JAM_BODY	1000

static ssize_t jam_say(struct jam *j, int flags)
{
	char body[JAM_BODY] = "";
	ssize_t len;

	sprintf(body, "%u", j->n);
	len = send(j->a, body, sizeof(body), flags | MSG_NOSIGNAL);
	if (len >= 0)
		j->n++;
	return len;
}

/* Until nothing goes any more: the reader does not read. */
static void jam_fill(struct jam *j)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	unsigned int tries = 0;

	while (tries++ < 150) {
		if (jam_say(j, MSG_DONTWAIT) >= 0) {
			tries = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		nanosleep(&pause, NULL);
	}
	assert_in_range(j->n, 10, 500);
	assert_int_equal(poll_now(j->a, POLLOUT), 0);
}

static struct jam jam_open(int sndbuf)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);
	struct jam j = {
		.mine = sysctl_set(1, "image_bytes", 65536),
		.theirs = sysctl_set(2, "image_bytes", 65536),
		/* So many are taken over the limit (S2.5). */
		.held = sysctl_set(2, "held_max", 8),
	};

	j.a = sock_joined(1, 0, group, 1);
	j.b = sock_joined(2, 0, group, 1);
	works(setsockopt(j.a, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)));
	jam_fill(&j);
	return j;
}

/* The reader reads on: all is there. */
static void jam_clear(struct jam *j)
{
	struct msg m;
	unsigned int i;

	for (i = 0; i < j->n; i++) {
		msg_recv(j->b, &m);
		assert_int_equal(m.len, JAM_BODY);
		assert_int_equal(atoi(m.body), i);
	}
}

static void jam_close(struct jam *j)
{
	sock_close((int[]){ j->a, j->b }, 2);
	sysctl_set(1, "image_bytes", j->mine);
	sysctl_set(2, "image_bytes", j->theirs);
	sysctl_set(2, "held_max", j->held);
}

/* Nothing is dropped: send waits or says EAGAIN, POLLOUT is true. */
static void jammed(int sndbuf)
{
	uint64_t full = stat_of(2, "DropImageFull"), begin;
	struct jam j = jam_open(sndbuf);
	int queued, edge = works(epoll_create1(0));
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };

	/* Nobody sent what nobody had room for. */
	assert_true(stat_of(2, "DropImageFull") == full);
	unheld_none(j.a);
	works(epoll_ctl(edge, EPOLL_CTL_ADD, j.a, &ev));
	assert_int_equal(epoll_wait(edge, &ev, 1, 0), 0);
	works(ioctl(j.a, SIOCOUTQ, &queued));
	assert_int_equal(queued, 0);
	sock_timeout(j.a, SO_SNDTIMEO, 60);
	begin = clock_ms();
	fails(jam_say(&j, 0), EAGAIN);
	assert_true(clock_ms() - begin >= 50);
	jam_clear(&j);
	assert_int_equal(epoll_wait(edge, &ev, 1, PATIENCE * 1000), 1);
	assert_int_equal(ev.events, EPOLLOUT);
	unheld_none(j.a);
	works(ioctl(j.a, SIOCOUTQ, &queued));
	assert_int_equal(queued, 0);
	assert_int_equal(poll_now(j.a, POLLOUT), POLLOUT);
	works(close(edge));
	jam_close(&j);
}

static void jammed_by_share(void **state)
{
	jammed(1 << 20);
}

static void jammed_by_buffer(void **state)
{
	jammed(8192);
}

struct writer {
	struct sleeper s;
	int error;
};

static void *writer_thread(void *arg)
{
	struct writer *w = arg;
	char body[JAM_BODY] = "";

	sleeper_here(&w->s);
	if (send(w->s.fd, body, sizeof(body), MSG_NOSIGNAL) < 0)
		w->error = errno;
	return NULL;
}

#define WRITERS	4

static void writers_start(const struct jam *j, struct writer *w,
			  pthread_t *threads)
{
	int i;

	for (i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .s.fd = j->a };
		assert_int_equal(pthread_create(&threads[i], NULL,
						writer_thread, &w[i]), 0);
	}
	for (i = 0; i < WRITERS; i++)
		sleeper_await(&w[i].s, SYS_sendto);
}

/* Several threads wait for room; all of them get it. */
static void writers_wake(void **state)
{
	struct jam j = jam_open(1 << 20);
	struct writer w[WRITERS];
	pthread_t threads[WRITERS];
	struct msg m;
	int i;

	writers_start(&j, w, threads);
	jam_clear(&j);
	for (i = 0; i < WRITERS; i++) {
		msg_recv(j.b, &m);
		assert_int_equal(m.len, JAM_BODY);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].error, 0);
	}
	msg_none(j.b);
	jam_close(&j);
}

/* ... or the socket is shut down for writing. */
static void writers_shut(void **state)
{
	struct jam j = jam_open(1 << 20);
	struct writer w[WRITERS];
	pthread_t threads[WRITERS];
	int i;

	writers_start(&j, w, threads);
	works(shutdown(j.a, SHUT_WR));
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].error, EPIPE);
	}
	assert_int_equal(poll_now(j.a, POLLOUT), POLLOUT);
	jam_clear(&j);
	jam_close(&j);
}

static void on_signal(int sig)
{
}

/* ... or a signal comes. */
static void writer_interrupted(void **state)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct jam j = jam_open(1 << 20);
	struct writer w = { .s.fd = j.a };
	pthread_t thread;

	works(sigaction(SIGUSR1, &act, NULL));
	sock_timeout(j.a, SO_SNDTIMEO, 0);
	assert_int_equal(pthread_create(&thread, NULL, writer_thread, &w), 0);
	sleeper_await(&w.s, SYS_sendto);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	assert_true(w.error == EINTR || w.error == 512);
	jam_clear(&j);
	jam_close(&j);
}

/* A conversation of hosts 1 and 2. */
static uint32_t linger_open(int *a, int *b)
{
	uint32_t port = port_new();
	const struct psync_pid pids[] = { { 1, port }, { 2, port } };
	uint32_t group = group_new(pids, 2);

	*a = sock_joined(1, 0, group, 1);
	*b = sock_joined(2, 0, group, 1);
	msg_send(*b, "hi");
	msg_expect(*a, "hi");
	msg_send(*a, "ho");
	msg_expect(*b, "ho");
	return group;
}

/* ... in which host 2 lacks what host 1 said last. */
static uint32_t linger_one(int *b)
{
	uint32_t group;
	int a;

	group = linger_open(&a, b);
	loss_to(2, 100);
	msg_send(a, "lost");
	works(close(a));
	return group;
}

/* More than may linger: the oldest is given up, and counted. */
static void linger_limit(void **state)
{
	unsigned int old = sysctl_set(1, "linger_max", 1);
	uint64_t given_up;
	int a[3], b[3], i;

	convs_none(1);
	given_up = stat_of(1, "ConvGivenUp");
	for (i = 0; i < 3; i++)
		linger_open(&a[i], &b[i]);
	loss_to(2, 100);
	for (i = 0; i < 3; i++) {
		msg_send(a[i], "lost");
		works(close(a[i]));
	}
	assert_int_equal(stat_of(1, "ConvGivenUp"), given_up + 2);
	assert_int_equal(convs_at(1), 1);
	loss_end(2);
	msg_expect(b[2], "lost");
	convs_none(1);
	msg_none(b[0]);
	msg_none(b[1]);
	assert_int_equal(stat_of(1, "ConvGivenUp"), given_up + 2);
	sock_close(b, 3);
	sysctl_set(1, "linger_max", old);
}

/* Not for ever. */
static void linger_time(void **state)
{
	unsigned int old = sysctl_set(1, "linger_ms", 200);
	uint64_t given_up;
	int b;

	convs_none(1);
	given_up = stat_of(1, "ConvGivenUp");
	linger_one(&b);
	convs_none(1);
	assert_int_equal(stat_of(1, "ConvGivenUp"), given_up + 1);
	loss_end(2);
	works(close(b));
	sysctl_set(1, "linger_ms", old);
}

/* Opening it anew ends it, and what was in it is not in the new one. */
static void linger_reopened(void **state)
{
	uint64_t given_up;
	uint32_t group;
	int a, b;

	convs_none(1);
	given_up = stat_of(1, "ConvGivenUp");
	group = linger_one(&b);
	assert_int_equal(convs_at(1), 1);
	a = sock_joined(1, 0, group, 1);
	assert_int_equal(stat_of(1, "ConvGivenUp"), given_up + 1);
	assert_int_equal(opt_info(a).nodes, 0);
	assert_int_equal(convs_at(1), 1);
	loss_end(2);
	sock_close((int[]){ a, b }, 2);
}

/* It does not hold the site's id, which nobody uses any more. */
static void linger_site(void **state)
{
	struct nl *nl = nl_open(1);
	int b;

	convs_none(1);
	linger_one(&b);
	assert_int_equal(convs_at(1), 1);
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 0);
	assert_int_equal(nl_talk(nl), 0);
	assert_int_equal(convs_at(1), 0);
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, 1);
	assert_int_equal(nl_talk(nl), 0);
	nl_close(nl);
	loss_end(2);
	works(close(b));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_toward_one),
		cmocka_unit_test(last_message),
		cmocka_unit_test(sender_closes),
		cmocka_unit_test(sender_dies),
		cmocka_unit_test(ended_is_not_waited_for),
		cmocka_unit_test(null_messages),
		cmocka_unit_test(resend_manually),
		cmocka_unit_test(never_opens),
		cmocka_unit_test(jammed_by_share),
		cmocka_unit_test(jammed_by_buffer),
		cmocka_unit_test(writers_wake),
		cmocka_unit_test(writers_shut),
		cmocka_unit_test(writer_interrupted),
		cmocka_unit_test(linger_limit),
		cmocka_unit_test(linger_time),
		cmocka_unit_test(linger_reopened),
		cmocka_unit_test(linger_site),
	};

	lab_init();
	lab_no_nulls();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return lab_main(tests);
}
