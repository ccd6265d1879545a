// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host is cut off for good in the middle of what it sends: several messages,
 * some of them in many fragments. Those who are left converse, some of them mask
 * it out, and come to rest: then all have the same graph, have been given the same
 * of its messages, each of them whole, and if all have masked it out they agree on
 * its last one. Needs four hosts on a bridge.
 *
 * Whose host it is, after how many packets, what is said and who masks it out is
 * drawn from the seed; what has come where by then is not.
 *
 * usage: cut_test [SEED [ROUNDS]]
 */

#include <inttypes.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <linux/psync_netlink.h>

#include "lib.h"

#define HOSTS		4
#define SAYS_MAX	16
#define NODES_MAX	4096
#define LONGEST		100000
#define RATE		"20mbit"	/* of the one who is cut off */
#define SETTLE_MS	600		/* nothing moves for so long */

/* When somebody masks out the one who is cut off. */
enum how { NEVER, AT_ONCE, SUSPECTED };

struct member {
	int		fd;
	enum how	how;
	bool		suspects, masked;
	bool		stuck;			/* its last send was refused */
	uint64_t	agreed;			/* a mid */
	unsigned int	says, sent;
	unsigned int	got[HOSTS];
	uint32_t	lens[SAYS_MAX];		/* of what it says */
};

struct graph {
	unsigned int	n;
	struct node {
		uint64_t	mid, preds;	/* these: a hash */
	} nodes[NODES_MAX];
};

static struct member members[HOSTS];
static struct graph graphs[HOSTS];
static uint64_t seed = 1, luck;
static unsigned int rounds, halves;
static int victim;
static bool cuts;				/* masks have one */
static uint32_t slow;				/* enum psync_slow_policy */
static char body[LONGEST + 1], want[LONGEST];

static unsigned int chance(unsigned int below)
{
	luck = luck * 6364136223846793005ULL + 1442695040888963407ULL;
	return (luck >> 33) % below;
}

/* Message @number of participant @part in this round. */
static void body_make(int part, unsigned int number, uint32_t len)
{
	uint64_t state = (seed << 32) + part * 1000 + number;
	uint32_t i;

	for (i = 0; i < len; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		want[i] = state >> 56;
	}
	memcpy(want, &number, sizeof(number));
}

static void member_send(int part)
{
	struct member *m = &members[part];

	if (m->sent == m->says)
		return;
	body_make(part, m->sent, m->lens[m->sent]);
	m->stuck = send(m->fd, want, m->lens[m->sent], MSG_DONTWAIT) < 0;
	if (m->stuck)
		assert_int_equal(errno, EAGAIN);
	else
		m->sent++;
}

static void member_told(struct member *m, const struct psync_event *ev)
{
	switch (ev->type) {
	case PSYNC_EV_SUSPECT:
		m->suspects |= ev->site == (uint32_t)victim + 1;
		break;
	case PSYNC_EV_AGREED:
		assert_int_equal(ev->site, victim + 1);
		assert_true(!m->agreed);
		m->agreed = ev->mid;
		break;
	case PSYNC_EV_MASKED:
		assert_int_equal(ev->reason, victim);
		break;
	/* What nobody has died with it; nobody else falls silent for long. */
	case PSYNC_EV_VOID:
	case PSYNC_EV_ABSENT:
		if (ev->site == (uint32_t)victim + 1)
			break;
		print_error("event %u of site %u, message %" PRIx64 ", %" PRIx64
			    "\n", ev->type, ev->site, (uint64_t)ev->mid,
			    (uint64_t)ev->other);
		fail();
		break;
	case PSYNC_EV_HEARD:
	case PSYNC_EV_BLOCKED:
	case PSYNC_EV_RESUMED:
		break;
	default:
		print_error("event %u of site %u\n", ev->type, ev->site);
		fail();
	}
}

/* All there is: each message whole, as it was sent, and in its turn. */
static void member_read(struct member *m)
{
	char control[CMSG_SPACE(sizeof(struct psync_msginfo))];
	struct iovec iov = { body, sizeof(body) };
	struct psync_msginfo info;
	struct psync_event ev;
	struct msghdr hdr;
	ssize_t len;

	for (;;) {
		hdr = (struct msghdr){
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		len = recvmsg(m->fd, &hdr, MSG_DONTWAIT);
		if (len < 0)
			break;
		if (hdr.msg_flags & MSG_PSYNC_NOTIFICATION) {
			memcpy(&ev, body, sizeof(ev));
			member_told(m, &ev);
			continue;
		}
		assert_non_null(CMSG_FIRSTHDR(&hdr));
		memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(info));
		assert_in_range(m->got[info.index], 0,
				members[info.index].sent - 1);
		assert_int_equal(len, members[info.index].lens[m->got[info.index]]);
		body_make(info.index, m->got[info.index]++, len);
		assert_memory_equal(body, want, len);
	}
	assert_int_equal(errno, EAGAIN);
}

static int node_compare(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return x->mid < y->mid ? -1 : x->mid > y->mid;
}

static void graph_read(int part)
{
	static uint64_t mids[NODES_MAX];
	struct graph *g = &graphs[part];
	int fd = members[part].fd, n, i, k;
	uint64_t preds[HOSTS];

	n = query(fd, PSYNC_MIDS, 0, mids, COUNT(mids));
	assert_in_range(n, 1, COUNT(mids));
	for (i = 0; i < n; i++) {
		g->nodes[i] = (struct node){ .mid = mids[i] };
		k = query(fd, PSYNC_PREV, mids[i], preds, COUNT(preds));
		assert_in_range(k, 0, COUNT(preds));
		while (k--)
			g->nodes[i].preds += (preds[k] + 1) *
					     0x9e3779b97f4a7c15ULL;
	}
	g->n = n;
	qsort(g->nodes, n, sizeof(*g->nodes), node_compare);
}

static void member_mask(struct member *m)
{
	struct psync_mask_out out = { .index = victim };
	struct graph *g = &graphs[m - members];
	unsigned int i;

	if (cuts) {
		graph_read(m - members);
		out.flags = PSYNC_MASKF_CUT;
		for (i = 0; i < g->n; i++)
			if (PSYNC_MID_INDEX(g->nodes[i].mid) == victim &&
			    g->nodes[i].mid > out.cut)
				out.cut = g->nodes[i].mid;
	}
	works(setsockopt(m->fd, SOL_PSYNC, PSYNC_MASK_OUT, &out, sizeof(out)));
	m->masked = true;
}

/* The cable of the one who is cut off, at the bridge's end. */
static void cable(bool in)
{
	struct ifreq ifr = {};
	int fd;

	lab_enter(0);
	fd = works(socket(AF_INET, SOCK_DGRAM, 0));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "veth%d", victim + 1);
	works(ioctl(fd, SIOCGIFFLAGS, &ifr));
	ifr.ifr_flags &= ~IFF_UP;
	ifr.ifr_flags |= in ? IFF_UP : 0;
	works(ioctl(fd, SIOCSIFFLAGS, &ifr));
	works(close(fd));
}

/* Packets that have come out of it there. */
static uint64_t cable_count(void)
{
	char line[512], name[32], *at;
	uint64_t count = UINT64_MAX;
	FILE *f;

	lab_enter(0);
	f = fopen("/proc/net/dev", "r");
	assert_non_null(f);
	snprintf(name, sizeof(name), "veth%d:", victim + 1);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, name);
		if (at)
			assert_int_equal(sscanf(at + strlen(name),
						"%*u %" SCNu64, &count), 1);
	}
	fclose(f);
	assert_true(count != UINT64_MAX);
	return count;
}

static void pause_for(uint64_t end, const char *what)
{
	struct pollfd p[HOSTS];
	int i;

	for (i = 0; i < HOSTS; i++)
		p[i] = (struct pollfd){ members[i].fd, POLLIN, 0 };
	poll(p, HOSTS, 1);
	if (clock_ms() > end) {
		print_error("waited in vain for %s\n", what);
		fail();
	}
}

/* All have heard of one another. */
static void meet(void)
{
	uint64_t end = clock_ms() + 2 * PATIENCE * 1000;
	unsigned int heard = 0;
	int i, k;

	for (i = 0; i < HOSTS; i++)
		member_send(i);
	while (heard < HOSTS * (HOSTS - 1)) {
		heard = 0;
		for (i = 0; i < HOSTS; i++) {
			member_read(&members[i]);
			for (k = 0; k < HOSTS; k++)
				heard += members[i].got[k];
		}
		pause_for(end, "all to meet");
	}
}

/* What a round is; returns after how many packets the cable is pulled. */
static unsigned int round_draw(unsigned int number)
{
	unsigned int masks = chance(3), packets = 0, k;
	struct member *m;
	int i;

	victim = chance(HOSTS);
	cuts = !chance(4);
	slow = chance(2) ? PSYNC_SLOW_BLOCK : PSYNC_SLOW_SUSPECT;
	for (i = 0; i < HOSTS; i++) {
		m = &members[i];
		memset(m, 0, sizeof(*m));
		m->says = i == victim ? 8 + chance(SAYS_MAX - 8) : 4 + chance(6);
		for (k = 0; k < m->says; k++) {
			m->lens[k] = 4 + chance(1200);
			if (k && i == victim && !chance(2))
				m->lens[k] = 4 + chance(LONGEST - 4);
			if (k && i == victim)
				packets += 1 + m->lens[k] / 1400;
		}
		m->how = !masks || (masks == 1 && chance(2)) ? NEVER :
			 chance(2) ? AT_ONCE : SUSPECTED;
	}
	/* One after the other to each host, or to all at once. */
	if (lab.link != LAB_ETH)
		packets *= HOSTS - 1;
	packets = 1 + chance(packets);
	printf("# seed %" PRIu64 ", round %u: host %d is cut off after %u packets; %s; masked by",
	       seed, number, victim + 1, packets,
	       slow == PSYNC_SLOW_BLOCK ? "block" : "suspect");
	for (i = 0; i < HOSTS; i++)
		if (i != victim && members[i].how != NEVER)
			printf(" %d%s", i + 1,
			       members[i].how == AT_ONCE ? "" : " later");
	printf("%s\n", cuts ? ", with a cut" : "");
	fflush(stdout);
	return packets;
}

/* It sends as much as it may, and others a little, until the cable is pulled. */
static void talk(unsigned int packets)
{
	uint64_t end = clock_ms() + 2 * PATIENCE * 1000;
	uint64_t until = cable_count() + packets;
	struct member *m = &members[victim];
	unsigned int i;

	while (cable_count() < until &&
	       (m->sent < m->says || opt_info(m->fd).unheld)) {
		for (i = 0; i < HOSTS; i++) {
			member_read(&members[i]);
			if (i == (unsigned int)victim || !chance(20))
				member_send(i);
		}
		pause_for(end, "packets");
	}
	cable(false);
	halves += m->sent < m->says || opt_info(m->fd).unheld;
}

/* The first one of those who are left. */
static int first(void)
{
	return victim ? 0 : 1;
}

static bool graphs_same(void)
{
	const struct graph *g = &graphs[first()];
	int i;

	for (i = 0; i < HOSTS; i++)
		if (i != victim)
			graph_read(i);
	for (i = first() + 1; i < HOSTS; i++)
		if (i != victim &&
		    (graphs[i].n != g->n ||
		     memcmp(graphs[i].nodes, g->nodes,
			    g->n * sizeof(*g->nodes))))
			return false;
	return true;
}

static void graphs_show(void)
{
	struct psync_info info;
	unsigned int k;
	int i;

	for (i = 0; i < HOSTS; i++) {
		if (i == victim)
			continue;
		info = opt_info(members[i].fd);
		print_error("host %d: view %u held %u lacking %u unheld %u outstanding %u got %u sent %u:",
			    i + 1, (unsigned int)info.view, info.held,
			    info.lacking, info.unheld, info.outstanding,
			    members[i].got[victim], members[i].sent);
		for (k = 0; k < graphs[i].n; k++)
			if (k + 1 == graphs[i].n ||
			    PSYNC_MID_INDEX(graphs[i].nodes[k].mid) !=
			    PSYNC_MID_INDEX(graphs[i].nodes[k + 1].mid))
				print_error(" %u:%u",
					    (unsigned int)PSYNC_MID_INDEX(graphs[i].nodes[k].mid),
					    (unsigned int)PSYNC_MID_SEQ(graphs[i].nodes[k].mid));
		print_error("\n");
	}
}

/* Who waits for the one who is cut off, for ever, need not send all. */
static bool member_done(const struct member *m)
{
	bool waits = slow == PSYNC_SLOW_BLOCK && m->how == NEVER;

	return (m->sent == m->says || (waits && m->stuck)) &&
	       m->masked == (m->how != NEVER);
}

/* Has everybody who is left done what it has to do?  Then how much they have. */
static uint64_t done(void)
{
	unsigned int masked = 0, agreed = 0;
	struct psync_info info;
	uint64_t sum = 1;
	int i;

	for (i = 0; i < HOSTS; i++) {
		if (i == victim)
			continue;
		info = opt_info(members[i].fd);
		if (!member_done(&members[i]) || info.outstanding)
			return 0;
		sum += info.view;
		masked += members[i].masked;
		agreed += members[i].agreed != 0;
	}
	return masked == HOSTS - 1 && agreed < masked ? 0 : sum;
}

/* Those who are left go on, mask it out or not, and come to rest, all alike. */
static void rest(void)
{
	uint64_t end = clock_ms() + 3 * PATIENCE * 1000;
	uint64_t settle = SETTLE_MS * (PATIENCE / 20);
	uint64_t before = 0, since = clock_ms(), now;
	struct member *m;
	int i;

	for (i = 0; i < HOSTS; i++)
		if (i != victim && members[i].how == AT_ONCE)
			member_mask(&members[i]);
	for (;;) {
		for (i = 0; i < HOSTS; i++) {
			m = &members[i];
			if (i == victim)
				continue;
			member_read(m);
			if (m->suspects && m->how == SUSPECTED && !m->masked)
				member_mask(m);
			if (!chance(6))
				member_send(i);
		}
		now = done();
		if (!now || now != before)
			since = clock_ms();
		before = now;
		if (clock_ms() - since >= settle) {
			if (graphs_same() && done() == now)
				return;
			since = clock_ms();
			if (since > end)
				graphs_show();
		}
		pause_for(end + settle, "all to have the same");
	}
}

/* All were given the same, and whoever masked it out agrees if all did. */
static void judge(void)
{
	const struct member *m, *one = &members[first()];
	unsigned int masked = 0;
	int i, k;

	for (i = 0; i < HOSTS; i++)
		masked += members[i].masked;
	for (i = 0; i < HOSTS; i++) {
		m = &members[i];
		for (k = 0; k < HOSTS && i != victim; k++)
			if (k != victim && k != i)
				assert_int_equal(m->got[k], members[k].sent);
		if (i == victim)
			continue;
		if (!cuts)
			assert_int_equal(m->got[victim], one->got[victim]);
		assert_true(m->agreed == one->agreed);
		assert_true(!m->agreed == (masked < HOSTS - 1));
	}
	printf("# %u of %u messages came, %u nodes%s\n", one->got[victim],
	       members[victim].says, graphs[first()].n,
	       one->agreed ? ", agreed" : "");
	fflush(stdout);
}

/* What becomes of those who hold senders back. */
static uint32_t group_slow(void)
{
	uint32_t group = group_of_hosts(port_new());
	struct nl *nl;
	int i;

	for (i = 1; i <= HOSTS; i++) {
		nl = nl_open(i);
		nl_begin(nl, PSYNC_CMD_GROUP_SET);
		nl_u32(nl, PSYNC_A_GROUP_NUMBER, group);
		nl_u32(nl, PSYNC_A_GROUP_SLOW, slow);
		assert_int_equal(nl_talk(nl), 0);
		nl_close(nl);
	}
	return group;
}

static void one(unsigned int number)
{
	unsigned int packets;
	uint32_t group;
	int fds[HOSTS], i;

	luck = seed * 1000003 + number;
	packets = round_draw(number);
	group = group_slow();
	for (i = 0; i < HOSTS; i++) {
		fds[i] = members[i].fd = sock_joined(i + 1, 0, group, 1);
		works(opt_set_u32(fds[i], PSYNC_EVENTS, PSYNC_EVMASK_ALL));
		works(opt_set_u32(fds[i], PSYNC_RECVINFO, PSYNC_RECV_INFO));
	}
	meet();
	qdisc_set(victim + 1, "eth0", "netem limit 10000 rate " RATE);
	talk(packets);
	rest();
	judge();
	sock_close(fds, HOSTS);
	qdisc_del(victim + 1, "eth0");
	cable(true);
}

static void cut_off(void **state)
{
	unsigned int i;

	for (i = 1; i <= HOSTS; i++) {
		sysctl_set(i, "suspect_ms", 300);
		sysctl_set(i, "silent_ms", 3000);
	}
	for (i = 1; i <= rounds; i++)
		one(i);
	/* Else it was always too early, or too late. */
	assert_true(halves > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_off),
	};

	lab_init();
	if (lab.hosts != HOSTS)
		return 2;
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : lab_scaled(6, 3);
	return lab_main(tests);
}
