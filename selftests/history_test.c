// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ordinary programs converse over a bad network, one of them or its host meets
 * with something in the middle, and what each did and saw is judged by the
 * simulator's checker (psync-check, tools/sim/judge.c, where the form of the
 * histories is described). Then lines are taken out of the histories, repeated
 * or changed, which it must find.
 *
 * usage: history_test ENDING [SEED]
 *
 * none		nothing happens
 * kill		a program is killed
 * stop		a program is stopped for a while
 * link		a host's cable is out for a while
 * flap		it is out and in again, many times
 * deaf		a host hears nothing for a while, and is heard
 * bursts	it hears nothing for many short whiles
 * rmmod	somebody tries to unload the module
 * netns	a host's programs are killed and its namespace is deleted, with
 *		an odd seed when nothing can leave it any more
 */

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "lib.h"

#define PARTS_MAX	9
#define SPELL_MS	1200	/* how long stop, link and deaf last */
#define SPELLS		20	/* how often those that come and go do */
#define SETTLE_MS	1500	/* nothing moves for so long: it is at rest */

enum phase { WAIT, TALK, REST, PART };

/* Shared with the programs. */
struct board {
	enum phase	phase;
	bool		met;		/* what happens has begun at least */
	int		leaves;		/* in PART: who closes now */
	struct seat {
		bool		open;
		bool		rested;
		bool		ended[PARTS_MAX];	/* has its END */
		unsigned int	sent;
		unsigned int	outstanding;
		uint64_t	view[PARTS_MAX];
	} seats[PARTS_MAX];
};

/* One program. */
struct talker {
	int		part;
	int		fd;
	int		log;
	struct seat	*seat;
	uint64_t	random;
	uint64_t	made;		/* its last message that is put down */
	uint64_t	said;		/* the last one it sent itself */
};

static volatile struct board *board;
static unsigned int messages, nparts;
static uint32_t group, port;
static uint64_t seed = 1;

/* See above; what passes leaves all with everything in the end. */
static const struct ending {
	const char	*name;
	void		(*meet)(int victim);
	bool		passes;
} *ending;
static pid_t pids[PARTS_MAX];
static bool gone[PARTS_MAX];

static unsigned int chance(uint64_t *state, unsigned int below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % below;
}

static int host_of(int part)
{
	return part % lab.hosts + 1;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t hash_of(const char *body, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	while (len--)
		hash = (hash ^ (unsigned char)*body++) * 0x100000001b3ULL;
	return hash;
}

/* A line is written at once: whoever is killed has written all or nothing. */
static __attribute__((format(printf, 4, 5)))
void put_down(const struct talker *t, const uint64_t *mids, int n,
	      const char *format, ...)
{
	static char line[1 << 18];
	va_list args;
	int len, i;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (i = 0; i < n && len < (int)sizeof(line) - 32; i++)
		len += sprintf(line + len, " %u:%" PRIu64,
			       (unsigned int)PSYNC_MID_INDEX(mids[i]),
			       (uint64_t)PSYNC_MID_SEQ(mids[i]));
	line[len++] = '\n';
	assert_int_equal(write(t->log, line, len), len);
}

/* What its kernel has sent for it meanwhile; true: something. */
static bool talker_made(struct talker *t)
{
	uint64_t preds[PARTS_MAX], before = t->made, mid;
	int n;

	for (;;) {
		mid = PSYNC_MID(t->part, t->made + 1);
		n = query(t->fd, PSYNC_PREV, mid, preds, PARTS_MAX);
		if (n == -ENOENT || mid == t->said)
			return t->made != before;
		assert_in_range(n, 0, PARTS_MAX);
		t->made++;
		put_down(t, preds, n, "made %d:%" PRIu64 " null after",
			 t->part, t->made);
	}
}

static void talker_send(struct talker *t)
{
	uint64_t preds[PARTS_MAX], mid;
	char body[900];
	size_t len = chance(&t->random, sizeof(body)), i;
	int n;

	for (i = 0; i < len; i++)
		body[i] = chance(&t->random, 256);
	put_down(t, NULL, 0, "say %" PRIu64 " %zu %" PRIu64, now(), len,
		 hash_of(body, len));
	if (send(t->fd, body, len, MSG_DONTWAIT) < 0) {
		assert_int_equal(errno, EAGAIN);
		return;
	}
	mid = opt_u64(t->fd, PSYNC_LAST_MID);
	t->said = mid;
	talker_made(t);
	t->made++;
	assert_true(mid == PSYNC_MID(t->part, t->made));
	n = query(t->fd, PSYNC_PREV, mid, preds, PARTS_MAX);
	assert_in_range(n, 0, PARTS_MAX);
	put_down(t, preds, n, "said %d:%" PRIu64 " after", t->part,
		 (uint64_t)PSYNC_MID_SEQ(mid));
	t->seat->view[t->part] = PSYNC_MID_SEQ(mid);
	t->seat->sent++;
}

static bool talker_receive(struct talker *t)
{
	uint64_t at = now();
	const char *kind;
	struct msg m;

	if (msg_try(t->fd, &m, MSG_DONTWAIT) < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	assert_true(m.has_info && m.has_preds && !m.event);
	kind = m.info.flags & PSYNC_MSG_NULL ? "null" :
	       m.info.flags & PSYNC_MSG_END ? "end" : "data";
	put_down(t, m.preds, m.npreds,
		 "got %" PRIu64 " %u:%" PRIu64 " %zd %" PRIu64 " %u %s after",
		 at, m.info.index, (uint64_t)PSYNC_MID_SEQ(m.info.mid), m.len,
		 *kind == 'd' ? hash_of(m.body, m.len) : 0, m.info.wave, kind);
	t->seat->view[m.info.index] = PSYNC_MID_SEQ(m.info.mid);
	t->seat->ended[m.info.index] = *kind == 'e';
	return true;
}

/* A message of somebody that is in the view, or 0. */
static uint64_t talker_any(struct talker *t)
{
	unsigned int part = chance(&t->random, nparts);
	uint64_t seq = t->seat->view[part];

	return seq ? PSYNC_MID(part, 1 + chance(&t->random, seq)) : 0;
}

/*
 * Whether its kernel said something before it was asked or after, nobody
 * knows: then the answer is not put down.
 */
static void talker_ask(struct talker *t)
{
	uint64_t mid = talker_any(t), other = talker_any(t);
	struct psync_query_stable s;
	int stable, precedes;

	if (!mid || !other)
		return;
	talker_made(t);
	stable = query_stable(t->fd, mid, &s);
	precedes = query_precedes(t->fd, mid, other);
	if (talker_made(t))
		return;
	put_down(t, &mid, 1, "stable %" PRIu64 " %d %u %u", now(), stable,
		 s.participants, s.sites);
	put_down(t, (uint64_t[]){ mid, other }, 2,
		 "precedes %" PRIu64 " %d", now(), precedes);
}

/* Everything that it has. */
static void talker_rest(struct talker *t)
{
	static uint64_t mids[1 << 14];
	uint64_t view;
	int n;

	do {
		talker_made(t);
		n = query(t->fd, PSYNC_MIDS, 0, mids, COUNT(mids));
		assert_in_range(n, 0, COUNT(mids));
		view = opt_info(t->fd).view;
	} while (talker_made(t));
	put_down(t, mids, n, "rest %" PRIu64 " %" PRIu64, now(), view);
	t->seat->rested = true;
}

static void talker_open(struct talker *t)
{
	char name[32];
	int i;

	lab_enter(host_of(t->part));
	/* A namespace that is deleted is not kept by those elsewhere. */
	for (i = 0; i <= lab.hosts; i++)
		close(lab.ns[i]);
	snprintf(name, sizeof(name), "/tmp/history.%d", t->part);
	t->log = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
	works(t->log);
	put_down(t, NULL, 0, "by %d", t->part);
	put_down(t, NULL, 0, "open %" PRIu64, now());
	t->fd = socket(lab.family, SOCK_SEQPACKET, 0);
	works(t->fd);
	works(sock_bind(t->fd, port + t->part));
	works(opt_set_u32(t->fd, PSYNC_RECVINFO, PSYNC_RECV_INFO |
			  PSYNC_RECV_PREDS | PSYNC_RECV_NULLS));
	works(sock_connect(t->fd, group, 1));
	t->seat->open = true;
}

/* The second half is for what happens: it is not over before that begins. */
static unsigned int talker_may(void)
{
	return board->met ? messages : messages / 2;
}

static void talker_run(int part)
{
	struct talker t = {
		.part = part,
		.seat = (struct seat *)&board->seats[part],
		.random = seed * 1000 + part,
	};
	struct pollfd p;

	talker_open(&t);
	while (board->phase == WAIT)
		usleep(1000);
	p = (struct pollfd){ .fd = t.fd, .events = POLLIN };
	while (board->phase != PART || board->leaves != part) {
		if (board->phase == REST) {
			if (!t.seat->rested)
				talker_rest(&t);
			usleep(1000);
			continue;
		}
		if (board->phase == TALK && t.seat->sent < talker_may() &&
		    !chance(&t.random, 3))
			talker_send(&t);
		if (talker_receive(&t)) {
			if (!chance(&t.random, 8))
				talker_ask(&t);
		} else {
			poll(&p, 1, 1 + chance(&t.random, 8));
		}
		t.seat->outstanding = opt_outstanding(t.fd);
	}
	put_down(&t, NULL, 0, "close %" PRIu64, now());
	works(close(t.fd));
}

/* The conductor. */

static void programs_start(void)
{
	struct patience p = patience_begin();
	struct psync_pid members[PARTS_MAX];
	unsigned int i;

	nparts = lab.hosts + 1;
	port = port_new();
	for (i = 0; i < nparts; i++)
		members[i] = (struct psync_pid){ host_of(i), port + i };
	group = group_new(members, nparts);
	for (i = 0; i < nparts; i++) {
		pids[i] = fork();
		works(pids[i]);
		if (!pids[i]) {
			talker_run(i);
			_exit(0);
		}
	}
	for (i = 0; i < nparts; i++)
		while (!board->seats[i].open)
			patience_try(&p, "the programs to open");
	board->phase = TALK;
}

static void program_kill(int part)
{
	int status;

	works(kill(pids[part], SIGKILL));
	assert_int_equal(waitpid(pids[part], &status, 0), pids[part]);
	assert_true(WIFSIGNALED(status));
	gone[part] = true;
}

/* Somebody has sent its first half. */
static void await_sent(unsigned int part)
{
	struct patience p = patience_begin();

	while (board->seats[part].sent < messages / 2)
		patience_try(&p, "messages to be sent");
}

static void host_cable(int host, bool in)
{
	lab_run(0, "ip link set veth%d %s", host, in ? "up" : "down");
}

/* What comes to it begins with a version that there is none of: it is dropped. */
static void host_deaf(int host, bool deaf)
{
	if (deaf)
		lab_run(host, "tc qdisc add dev eth0 clsact && tc filter add dev eth0 ingress matchall action pedit munge offset 0 u8 set 0xff");
	else
		lab_run(host, "tc qdisc del dev eth0 clsact");
}

static void host_lost(int host)
{
	unsigned int i;

	if (seed % 2)
		host_cable(host, false);
	for (i = 0; i < nparts; i++)
		if (host_of(i) == host)
			program_kill(i);
	works(close(lab.ns[host]));
	lab_run(0, "ip netns del h%d", host);
}

/* Something comes and goes, as often and each time for as long. */
static void spells(int host, void (*begin)(int host, bool on), bool on,
		   unsigned int count, unsigned int ms)
{
	while (count--) {
		begin(host, on);
		board->met = true;
		usleep(ms * 1000);
		begin(host, !on);
		usleep(count ? ms * 1000 : 0);
	}
}

static void meet_stop(int victim)
{
	works(kill(pids[victim], SIGSTOP));
	board->met = true;
	usleep(SPELL_MS * 1000);
	works(kill(pids[victim], SIGCONT));
}

static void meet_link(int victim)
{
	spells(host_of(victim), host_cable, false, 1, SPELL_MS);
}

static void meet_flap(int victim)
{
	spells(host_of(victim), host_cable, false, lab_scaled(SPELLS, 5), 30);
}

/* It hears nothing, and something did get lost: where psync sees that, it counts. */
static void deaf_begin(int host)
{
	uint64_t before = stat_of(host, "DropBadVersion");

	host_deaf(host, true);
	board->met = true;
	if (lab.link == LAB_ETH)
		stat_await(host, "DropBadVersion", before + 1);
}

static void meet_deaf(int victim)
{
	deaf_begin(host_of(victim));
	usleep(SPELL_MS * 1000);
	host_deaf(host_of(victim), false);
}

static void meet_bursts(int victim)
{
	deaf_begin(host_of(victim));
	host_deaf(host_of(victim), false);
	spells(host_of(victim), host_deaf, true, lab_scaled(SPELLS, 5), 10);
}

static void meet_rmmod(int victim)
{
	(void)victim;
	lab_run(0, "! rmmod psync");
}

static void meet_netns(int victim)
{
	(void)victim;
	host_lost(lab.hosts);
}

static const struct ending endings[] = {
	{ .name = "none" },
	{ .name = "kill", .meet = program_kill },
	{ .name = "stop", .meet = meet_stop, .passes = true },
	{ .name = "link", .meet = meet_link, .passes = true },
	{ .name = "flap", .meet = meet_flap, .passes = true },
	{ .name = "deaf", .meet = meet_deaf, .passes = true },
	{ .name = "bursts", .meet = meet_bursts, .passes = true },
	{ .name = "rmmod", .meet = meet_rmmod },
	{ .name = "netns", .meet = meet_netns },
};

static void meet(void)
{
	unsigned int victim = 1 + seed % (nparts - 2);

	await_sent(victim);
	if (ending->meet)
		ending->meet(victim);
}

/* All who are there have the same, and nothing is there to be received. */
static bool all_same(struct board *copy)
{
	struct seat *first = NULL, *seat;
	unsigned int i, k;

	memcpy(copy, (const void *)board, sizeof(*copy));
	for (i = 0; i < nparts; i++) {
		seat = &copy->seats[i];
		if (gone[i])
			continue;
		if (seat->outstanding)
			return false;
		if (!first)
			first = seat;
		/* its kernel tells it nothing of what it sends for it */
		for (k = 0; k < nparts; k++)
			if (!gone[k] && seat->sent < messages)
				return false;
		for (k = 0; k < nparts; k++)
			if (k != i && &copy->seats[k] != first &&
			    seat->view[k] < first->view[k])
				return false;
	}
	return true;
}

/* It comes to rest; if not, the checker will say what is missing. */
static void programs_rest(void)
{
	uint64_t since = clock_ms(), end = since + 3 * PATIENCE * 1000;
	uint64_t settle = SETTLE_MS * lab_slow();
	static struct board before, after;
	struct patience p;
	unsigned int i;

	while (clock_ms() < end && clock_ms() - since < settle) {
		usleep(20000);
		if (!all_same(&after) ||
		    memcmp(after.seats, before.seats, sizeof(after.seats)))
			since = clock_ms();
		before = after;
	}
	p = patience_begin();
	board->phase = REST;
	for (i = 0; i < nparts; i++)
		while (!gone[i] && !board->seats[i].rested)
			patience_try(&p, "the programs to put down their views");
}

/* One after the other, and those who are left hear of it. */
static void programs_part(void)
{
	struct patience p = patience_begin();
	unsigned int i, k;
	int status;

	board->leaves = -1;
	board->phase = PART;
	for (i = 0; i < nparts; i++) {
		if (gone[i])
			continue;
		board->leaves = i;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
		gone[i] = true;
		for (k = i + 1; k < nparts; k++)
			while (!gone[k] && !board->seats[k].ended[i])
				patience_try(&p, "the end to be heard");
	}
}

static void head_write(void)
{
	FILE *f = fopen("/tmp/history", "w");
	unsigned int i;

	assert_non_null(f);
	fprintf(f, "conversation %u\n", nparts);
	for (i = 0; i < nparts; i++) {
		fprintf(f, "site %u %d\n", i, host_of(i));
		if (gone[i])
			fprintf(f, "ended %u %s\n", i,
				strcmp(ending->name, "netns") ? "killed" : "lost");
	}
	assert_int_equal(fclose(f), 0);
}

/* The checker says so of the histories; participant 0's is after the script. */
static void judged(const char *script, int want)
{
	char command[512];
	unsigned int i;
	int n, status;

	n = snprintf(command, sizeof(command),
		     "awk '%s' /tmp/history.0 >/tmp/doctored || exit 99; /selftests/psync-check /tmp/history /tmp/doctored",
		     script);
	for (i = 1; i < nparts; i++)
		n += snprintf(command + n, sizeof(command) - n,
			      " /tmp/history.%u", i);
	snprintf(command + n, sizeof(command) - n,
		 " >/tmp/verdict 2>&1; status=$?; sed '%s;s/^/# /' /tmp/verdict; exit $status",
		 want ? "s/FAIL/found:/;/found:/!d" : "");
	fflush(stdout);
	status = system(command);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want);
}

static void histories(void **state)
{
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(board != MAP_FAILED);
	/* Who is gone takes nothing more, and who sends has to wait for that. */
	board->met = !ending->passes;
	programs_start();
	meet();
	programs_rest();
	head_write();
	programs_part();
	judged("{ print }", 0);
	/* A message that is not received, twice, or other than sent. */
	judged("/data/ && ++n == 20 { next } { print }", 1);
	judged("/data/ && ++n == 20 { print } { print }", 1);
	judged("/data/ && ++n == 20 { $5 = 1 } { print }", 1);
	judged("$1 == \"got\" && ++n == 20 { $6 = $6 + 1 } { print }", 1);
	judged("$1 == \"said\" && ++n == 10 { NF = NF - 1 } { print }", 1);
	judged("$1 == \"rest\" { NF = NF - 1 } { print }", 1);
	lab_enter(0);
}

/* A test that fails leaves none behind, who would be in the way of the next. */
static int programs_end(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < nparts; i++)
		if (pids[i] > 0 && !gone[i]) {
			kill(pids[i], SIGKILL);
			waitpid(pids[i], NULL, 0);
		}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(histories, programs_end),
	};
	unsigned int i;

	lab_init();
	if (argc < 2 || lab.hosts < 3 || lab.hosts >= PARTS_MAX)
		return 2;
	for (i = 0; i < COUNT(endings); i++)
		if (!strcmp(argv[1], endings[i].name))
			ending = &endings[i];
	if (!ending)
		return 2;
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	messages = lab_scaled(60, 30);
	return lab_main(tests);
}
