// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of sockets, and what is asked of an open conversation, with each
 * allocation failing in turn (lib_nth.h): questions, masks, restarts, stability,
 * forgetting, sending again, senders that are held back. Needs two hosts and the
 * debug kernel.
 */

#include "lib_nth.h"

#define HISTORY		(1 << 20)
#define OPTION_MAX	64

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_PSYNC, option, value, len);
}

static int set_mid(int fd, int option, uint64_t mid)
{
	return set(fd, option, &mid, sizeof(mid));
}

/* Three participants: a and c at host 1, b at host 2; all have all. */
struct trio {
	uint32_t	group;
	uint32_t	port[2];
	int		a;
	int		b;
	int		c;
};

static int trio_join(int host, uint32_t port, uint32_t group)
{
	int fd = sock_new(host, SOCK_SEQPACKET);

	works(opt_set_u32(fd, PSYNC_HISTORY, HISTORY));
	works(sock_bind(fd, port));
	works(sock_connect(fd, group, 1));
	return fd;
}

static void trio_open(struct trio *t)
{
	struct psync_pid pids[3] = { { .site = 1 }, { .site = 2 }, { .site = 1 } };

	t->port[0] = port_new();
	t->port[1] = port_new();
	pids[0].port = t->port[0];
	pids[1].port = t->port[0];
	pids[2].port = t->port[1];
	t->group = group_new(pids, 3);
	t->a = trio_join(1, t->port[0], t->group);
	t->b = trio_join(2, t->port[0], t->group);
	t->c = trio_join(1, t->port[1], t->group);
	msg_send(t->a, "open");
	msg_expect(t->b, "open");
	msg_expect(t->c, "open");
	msg_send(t->b, "opened");
	msg_expect(t->a, "opened");
	msg_expect(t->c, "opened");
}

static void trio_close(struct trio *t)
{
	sock_close((int[]){ t->a, t->b, t->c }, 3);
}

/* The answers are in the argument; what is asked is what it holds before. */
union answer {
	uint64_t			words[64];
	struct psync_query		query;
	struct psync_query_sender	sender;
	struct psync_query_precedes	precedes;
	struct psync_query_stable	stable;
	struct psync_query_masks	masks;
	struct psync_query_wait		wait;
};

static const int gets[] = {
	PSYNC_PARTICIPANTS, PSYNC_CID, PSYNC_ROOT, PSYNC_LEAVES, PSYNC_NEXT,
	PSYNC_PREV, PSYNC_MIDS, PSYNC_SENDER, PSYNC_PRECEDES, PSYNC_STABLE,
	PSYNC_OUTSTANDING, PSYNC_LAST_MID, PSYNC_EVENTS, PSYNC_RECVINFO,
	PSYNC_INFO, PSYNC_MANUAL, PSYNC_MASKS, PSYNC_SLOW, PSYNC_HISTORY,
	PSYNC_STABLE_WAIT,
};

static void ask(union answer *answer, int option, uint64_t mid)
{
	memset(answer, 0, sizeof(*answer));
	switch (option) {
	case PSYNC_NEXT:
	case PSYNC_PREV:
		answer->query.mid = mid;
		/* fall through */
	case PSYNC_ROOT:
	case PSYNC_LEAVES:
	case PSYNC_MIDS:
		answer->query.room = 16;
		break;
	case PSYNC_PRECEDES:
		answer->precedes.second = mid;
		/* fall through */
	case PSYNC_SENDER:
	case PSYNC_STABLE:
		answer->words[0] = mid;
		break;
	case PSYNC_MASKS:
		answer->masks.index = 1;
		answer->masks.room = 3;
		break;
	case PSYNC_STABLE_WAIT:
		answer->wait.mid = mid;
		answer->wait.participants = 1;
		break;
	}
}

static void getsockopts(void **state)
{
	union answer answer;
	struct trio t;
	unsigned int i;
	socklen_t len;
	uint64_t mid;

	trio_open(&t);
	mid = msg_send(t.a, "x");
	msg_expect(t.b, "x");
	msg_send(t.b, "y");
	msg_expect(t.a, "y");
	for (i = 0; i < COUNT(gets); i++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			ask(&answer, gets[i], mid);
			len = sizeof(answer);
			if (nth_call(&n, getsockopt(t.a, SOL_PSYNC, gets[i],
						    &answer, &len)) >= 0)
				assert_in_range(len, 4, sizeof(answer));
		}
		nth_end(&n, "getsockopt");
	}
	trio_close(&t);
}

/* Values that may be given before connect(), and after. */
static const struct option {
	int		number;
	bool		joined;
	socklen_t	len;
	uint32_t	value[4];
} sets[] = {
	{ PSYNC_EVENTS, true, 4, { PSYNC_EVMASK_ALL } },
	{ PSYNC_RECVINFO, true, 4, { 7 } },
	{ PSYNC_MANUAL, true, 4, { 1 } },
	{ PSYNC_HISTORY, true, 4, { 65536 } },
	{ PSYNC_SLOW, true, 8, { PSYNC_SLOW_SUSPECT, 60000 } },
	{ PSYNC_RESTART, false, 16, { 0, 0, PSYNC_RESTART_ALL, 0 } },
	{ PSYNC_PARTICIPANTS, false, 16, { 1, 5, 2, 5 } },
};

/* The others, which name something in a conversation, have their own tests. */
static const int sets_of_conv[] = {
	PSYNC_RESEND, PSYNC_FREE_NODE, PSYNC_STABLE_POLL, PSYNC_MASK_OUT,
	PSYNC_MASK_IN,
};

static void set_one(int fd, const struct option *o)
{
	struct nth n = { 0 };

	while (nth_next(&n))
		nth_again(&n, set(fd, o->number, o->value, o->len));
	nth_end(&n, "setsockopt");
}

static void setsockopts(void **state)
{
	unsigned int i, joined;
	struct trio t;
	int fd;

	trio_open(&t);
	for (joined = 0; joined <= 1; joined++) {
		for (i = 0; i < COUNT(sets); i++) {
			if (joined && !sets[i].joined)
				continue;
			/* A second value takes the first one's place. */
			fd = joined ? t.a : sock_new(1, SOCK_SEQPACKET);
			set_one(fd, &sets[i]);
			set_one(fd, &sets[i]);
			if (!joined)
				works(close(fd));
		}
	}
	trio_close(&t);
}

static bool is_in(int option, const int *options, unsigned int n)
{
	while (n && options[n - 1] != option)
		n--;
	return n;
}

static bool is_set(int option)
{
	unsigned int i;

	for (i = 0; i < COUNT(sets); i++)
		if (sets[i].number == option)
			return true;
	return is_in(option, sets_of_conv, COUNT(sets_of_conv));
}

/* What is not asked or set here is no option. */
static void no_others(void **state)
{
	union answer answer = { 0 };
	socklen_t len;
	struct trio t;
	int i;

	trio_open(&t);
	for (i = 0; i <= OPTION_MAX; i++) {
		len = sizeof(answer);
		if (!is_in(i, gets, COUNT(gets)))
			fails(getsockopt(t.a, SOL_PSYNC, i, &answer, &len),
			      ENOPROTOOPT);
		if (!is_set(i))
			fails(set(t.a, i, &answer, sizeof(answer)),
			      ENOPROTOOPT);
	}
	trio_close(&t);
}

/* To forget a message, and to send one again. */
static void about_message(void **state)
{
	struct nth forget = { 0 }, resend = { 0 };
	struct trio t;
	uint64_t mid;

	trio_open(&t);
	while (nth_next(&resend)) {
		/* Nobody answers it, so it is not stable. */
		mid = msg_send(t.a, "again");
		msg_expect(t.b, "again");
		msg_expect(t.c, "again");
		nth_again(&resend, set_mid(t.a, PSYNC_RESEND, mid));
	}
	nth_end(&resend, "resend");
	while (nth_next(&forget)) {
		mid = msg_send(t.a, "old");
		msg_expect(t.b, "old");
		msg_expect(t.c, "old");
		msg_send(t.b, "answer");
		msg_expect(t.c, "answer");
		msg_send(t.c, "another");
		msg_expect(t.a, "answer");
		msg_expect(t.a, "another");
		msg_expect(t.b, "another");
		nth_again(&forget, set_mid(t.a, PSYNC_FREE_NODE, mid));
		fails(set_mid(t.a, PSYNC_FREE_NODE, mid), ESTALE);
	}
	nth_end(&forget, "free_node");
	trio_close(&t);
}

static int wait_for(int fd, uint64_t mid)
{
	struct psync_query_wait q = { .mid = mid };
	socklen_t len = sizeof(q);

	return getsockopt(fd, SOL_PSYNC, PSYNC_STABLE_WAIT, &q, &len);
}

static int poll_for(int fd, uint64_t mid)
{
	struct psync_query_wait q = { .mid = mid };

	return set(fd, PSYNC_STABLE_POLL, &q, sizeof(q));
}

/* The answers are under way while it is waited. */
static void stable(void **state)
{
	struct nth wait = { 0 }, ready = { 0 };
	struct trio t;
	uint64_t mid;

	trio_open(&t);
	while (nth_next(&wait)) {
		mid = msg_send(t.a, "x");
		msg_expect(t.b, "x");
		msg_expect(t.c, "x");
		msg_send(t.c, "here");
		msg_send(t.b, "there");
		nth_again(&wait, wait_for(t.a, mid));
		msg_expect(t.b, "here");
		msg_expect(t.c, "there");
		msg_expect(t.a, "here");
		msg_expect(t.a, "there");
	}
	nth_end(&wait, "stable, wait");
	while (nth_next(&ready)) {
		mid = msg_send(t.a, "x");
		nth_again(&ready, poll_for(t.a, mid));
		assert_int_equal(poll_now(t.a, POLLPRI), 0);
		msg_expect(t.b, "x");
		msg_expect(t.c, "x");
		msg_send(t.b, "there");
		msg_expect(t.c, "there");
		msg_send(t.c, "here");
		assert_int_equal(await_poll(t.a, POLLPRI), POLLPRI);
		msg_expect(t.a, "there");
		msg_expect(t.a, "here");
		msg_expect(t.b, "here");
	}
	nth_end(&ready, "stable, poll");
	trio_close(&t);
}

static struct psync_masked masked(int fd, uint32_t index)
{
	union answer answer;
	socklen_t len = sizeof(answer);

	ask(&answer, PSYNC_MASKS, 0);
	works(getsockopt(fd, SOL_PSYNC, PSYNC_MASKS, &answer, &len));
	return answer.masks.masked[index];
}

/* The next event of this type. */
static void await_event(int fd, uint32_t type)
{
	struct msg m;

	do
		msg_recv(fd, &m);
	while (!m.event || m.ev.type != type);
}

/*
 * Each in a conversation of its own.  What cannot be announced now is announced
 * when there is memory: b is told in any case.
 */
static void mask_out(void **state)
{
	struct psync_mask_out out = { .index = 1 };
	unsigned int cut;
	struct trio t;

	lab_nulls();
	for (cut = 0; cut <= 1; cut++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			trio_open(&t);
			works(opt_set_u32(t.b, PSYNC_EVENTS,
					  PSYNC_EVMASK(PSYNC_EV_MASKED)));
			out.flags = cut ? PSYNC_MASKF_CUT : 0;
			out.cut = cut ? PSYNC_MID(1, 1) : 0;
			nth_again(&n, set(t.a, PSYNC_MASK_OUT, &out,
					  sizeof(out)));
			assert_int_equal(masked(t.a, 1).flags & 3,
					 PSYNC_MASKED_OUT | cut << 1);
			await_event(t.b, PSYNC_EV_MASKED);
			trio_close(&t);
		}
		nth_end(&n, cut ? "mask_out, cut" : "mask_out");
	}
}

/* Taken back when all know of that; nobody knows what a manual one does. */
static void mask_in(void **state)
{
	const struct psync_mask_out out = { .index = 1 };
	const uint32_t one = 1;
	unsigned int manual;
	struct trio t;

	lab_nulls();
	for (manual = 0; manual <= 1; manual++) {
		struct nth n = { 0 };

		while (nth_next(&n)) {
			trio_open(&t);
			works(opt_set_u32(t.a, PSYNC_MANUAL, manual));
			works(opt_set_u32(t.b, PSYNC_EVENTS,
					  PSYNC_EVMASK(PSYNC_EV_MASKED) |
					  PSYNC_EVMASK(PSYNC_EV_UNMASKED)));
			works(set(t.a, PSYNC_MASK_OUT, &out, sizeof(out)));
			if (!manual)
				await_event(t.b, PSYNC_EV_MASKED);
			nth_again(&n, set(t.a, PSYNC_MASK_IN, &one,
					  sizeof(one)));
			if (manual)
				assert_int_equal(masked(t.a, 1).flags, 0);
			else
				await_event(t.b, PSYNC_EV_UNMASKED);
			trio_close(&t);
		}
		nth_end(&n, manual ? "mask_in, manual" : "mask_in");
	}
}

static int restart_set(int fd, uint64_t leaf, uint32_t flags)
{
	uint64_t words[3] = { 0 };
	struct psync_restart *r = (struct psync_restart *)words;

	r->flags = flags;
	if (leaf) {
		r->count = 1;
		words[2] = leaf;
	}
	return set(fd, PSYNC_RESTART, r, sizeof(*r) + r->count * sizeof(leaf));
}

/* b goes; nothing of the conversation is left at its host. */
static void gone(struct trio *t)
{
	uint64_t cid = opt_u64(t->b, PSYNC_CID);

	works(close(t->b));
	conv_none(2, cid);
	t->b = sock_new(2, SOCK_SEQPACKET);
	works(opt_set_u32(t->b, PSYNC_HISTORY, HISTORY));
}

/* From nothing and from a message; all of it is held by the others. */
static void restart(void **state)
{
	unsigned int i;

	for (i = 0; i <= 1; i++) {
		struct nth n = { 0 };
		uint64_t leaf;
		struct trio t;

		trio_open(&t);
		while (nth_next(&n)) {
			leaf = i ? opt_u64(t.b, PSYNC_LAST_MID) : 0;
			gone(&t);
			works(restart_set(t.b, leaf, 0));
			nth_again(&n, sock_connect(t.b, t.group, 1));
			msg_send(t.b, "back");
			msg_expect(t.a, "back");
			msg_expect(t.c, "back");
		}
		nth_end(&n, i ? "connect, from a message" : "connect, restart");
		trio_close(&t);
	}
}

/* P 5.2: what is said again is compared, and is not sent. */
static void reexecute(void **state)
{
	struct nth n = { 0 };
	unsigned int i, said = 30;
	struct trio t;
	uint64_t last;

	trio_open(&t);
	for (i = 0; i < said; i++) {
		last = msg_send(t.b, "once more");
		msg_expect(t.a, "once more");
		msg_expect(t.c, "once more");
	}
	gone(&t);
	works(restart_set(t.b, 0, PSYNC_RESTART_REEXECUTE));
	works(sock_connect(t.b, t.group, 1));
	msg_expect(t.b, "open");
	works(send(t.b, "opened", 6, 0));
	while (nth_next(&n)) {
		nth_again(&n, send(t.b, "once more", 9, 0));
		assert_true(opt_u64(t.b, PSYNC_LAST_MID) <= last);
		assert_in_range(n.nth, 1, said);
	}
	nth_end(&n, "send, re-executed");
	msg_none(t.a);
	msg_none(t.c);
	trio_close(&t);
}

/*
 * One who is held back is told so, or that memory is short; not both sent and
 * refused.
 */
static void held_back(void **state)
{
	struct patience p = patience_begin();
	struct nth n = { 0 };
	char body[1000] = "";
	unsigned int sent = 0;
	struct trio t;
	struct msg m;

	/* Host 2 has room for less than host 1's buffer. */
	sysctl_set(2, "image_bytes", 8192);
	trio_open(&t);
	while (opt_info(t.a).unheld)
		patience_try(&p, "an acknowledgement");
	while (send(t.a, body, sizeof(body), MSG_DONTWAIT) >= 0)
		sent++;
	assert_int_equal(errno, EAGAIN);
	do {
		n.nth++;
		nth_arm(&n);
		if (send(t.a, body, sizeof(body), MSG_DONTWAIT) >= 0)
			sent++;
		else if (errno != EAGAIN && !nth_is_want(errno))
			fail_msg("send: %s", strerrorname_np(errno));
		else
			n.errors++;
		n.over = !nth_disarm();
		n.injected += !n.over;
	} while (!n.over && n.nth < NTH_MAX);
	assert_true(n.over);
	nth_end(&n, "send, held back");
	for (; sent; sent--) {
		msg_recv(t.b, &m);
		assert_int_equal(m.len, sizeof(body));
		msg_recv(t.c, &m);
	}
	assert_int_equal(await_poll(t.a, POLLOUT), POLLOUT);
	msg_none(t.b);
	trio_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getsockopts),
		cmocka_unit_test(setsockopts),
		cmocka_unit_test(no_others),
		cmocka_unit_test(about_message),
		cmocka_unit_test(stable),
		cmocka_unit_test(mask_out),
		cmocka_unit_test(mask_in),
		cmocka_unit_test(restart),
		cmocka_unit_test(reexecute),
		cmocka_unit_test(held_back),
	};

	nth_init();
	nth_anywhere();
	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
