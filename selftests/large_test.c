// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that do not fit the link: bodies up to 16 MiB, 1,024 participants;
 * loss, small memory, a sender that goes, links that come to carry less; and
 * fragments by hand, right and wrong.
 * Needs three hosts on a bridge without impairments of its own, MTU 1500.
 */

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/psync_netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "lib.h"
#include "lib_wire.h"

#define HOSTS	3

/* What goes to a host gets lost, with this probability in percent. */
static void loss_to(int host, int percent)
{
	lab_run(0, "tc qdisc replace dev veth%d root netem limit 100000 loss %d%%",
		host, percent);
}

static void loss_end(int host)
{
	lab_run(0, "tc qdisc del dev veth%d root", host);
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

static uint64_t sum_of(const char *name)
{
	uint64_t sum = 0;
	int i;

	for (i = 1; i <= HOSTS; i++)
		sum += stat_of(i, name);
	return sum;
}

/* Around everything that is treated differently, up to the limit. */
static void sizes(void **state)
{
	static const uint32_t lens[] = {
		1200, 1300, 1400, 1420, 1500, 2800, 2840, 4096, 65535, 65536,
		65537, 70000, 131072, 131073, 500000, MIB - 1, MIB,
	};
	uint64_t cut = stat_of(1, "FragCut"), whole = stat_of(2, "FragWhole");
	uint64_t said = stat_of(2, "FragAckSent");
	uint64_t heard = stat_of(1, "FragAckHeard");
	unsigned char *body;
	unsigned int i;
	int fds[HOSTS];

	open_all(fds);
	assert_int_equal(opt_info(fds[0]).max_body, MIB);
	for (i = 0; i < COUNT(lens); i++) {
		body_send(fds[0], lens[i], i);
		body_expect(fds[1], lens[i], i);
		body_expect(fds[2], lens[i], i);
	}
	assert_in_range(stat_of(1, "FragCut") - cut, 2 * COUNT(lens) - 10, 200);
	assert_in_range(stat_of(2, "FragWhole") - whole, COUNT(lens) - 5, 100);
	/* Every packet is answered, host 3's, too. */
	assert_true(stat_of(2, "FragAckSent") >= said + COUNT(lens) - 5);
	assert_true(stat_of(1, "FragAckHeard") >= heard + 2 * (COUNT(lens) - 5));
	body = body_new(MIB + 1, 0);
	fails(send(fds[0], body, MIB + 1, 0), EMSGSIZE);
	fails(send(fds[0], body, 1 << 30, 0), EMSGSIZE);
	free(body);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* The sysctl says how long; in no namespace more than in the initial one. */
static void limit(void **state)
{
	unsigned int old = sysctl_get(1, "max_message");
	unsigned char *body = body_new(70000, 1);
	int fds[HOSTS];

	open_all(fds);
	sysctl_set(1, "max_message", 69999);
	assert_int_equal(opt_info(fds[0]).max_body, 69999);
	fails(send(fds[0], body, 70000, 0), EMSGSIZE);
	works(send(fds[0], body, 69999, 0));
	/* It is for what is sent here. */
	works(send(fds[1], body, 70000, 0));
	sysctl_set(1, "max_message", 1);
	fails(send(fds[0], body, 2, 0), EMSGSIZE);
	works(send(fds[0], body, 1, 0));
	sysctl_set(1, "max_message", old);
	free(body);
	sock_close(fds, HOSTS);
}

/* The greatest there is. */
static void greatest(void **state)
{
	static const char * const names[] = { "max_message", "image_bytes" };
	unsigned int old[HOSTS + 1][COUNT(names)], k;
	int fds[HOSTS], i;

	for (i = 0; i <= HOSTS; i++)
		for (k = 0; k < COUNT(names); k++)
			old[i][k] = sysctl_set(i, names[k], 16 * MIB);
	open_all(fds);
	assert_int_equal(opt_info(fds[0]).max_body, 16 * MIB);
	body_send(fds[0], 16 * MIB, 1);
	body_expect(fds[2], 16 * MIB, 1);
	body_expect(fds[1], 16 * MIB, 1);
	if (lab_scaled(2, 1) > 1) {
		body_send(fds[1], 16 * MIB - 7, 2);
		body_expect(fds[0], 16 * MIB - 7, 2);
		body_expect(fds[2], 16 * MIB - 7, 2);
		unheld_none(fds[1]);
	}
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
	for (i = HOSTS; i >= 0; i--)
		for (k = 0; k < COUNT(names); k++)
			sysctl_set(i, names[k], old[i][k]);
}

/* A part of it, a look at it, its length. */
static void truncation(void **state)
{
	unsigned char *body = body_new(300000, 3), *got = malloc(300000);
	struct iovec iov = { got, 100000 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[HOSTS];

	assert_non_null(got);
	open_all(fds);
	works(send(fds[0], body, 300000, 0));
	await_poll(fds[1], POLLIN);
	assert_int_equal(works(recv(fds[1], got, 10, MSG_PEEK | MSG_TRUNC)),
			 300000);
	assert_int_equal(works(recvmsg(fds[1], &hdr, MSG_PEEK)), 100000);
	assert_true(hdr.msg_flags & MSG_TRUNC);
	assert_memory_equal(got, body, 100000);
	hdr.msg_flags = 0;
	iov.iov_len = 300000;
	assert_int_equal(works(recvmsg(fds[1], &hdr, 0)), 300000);
	assert_false(hdr.msg_flags & MSG_TRUNC);
	assert_memory_equal(got, body, 300000);
	iov.iov_len = 299999;
	assert_int_equal(works(recvmsg(fds[2], &hdr, MSG_TRUNC)), 300000);
	assert_true(hdr.msg_flags & MSG_TRUNC);
	free(got);
	free(body);
	sock_close(fds, HOSTS);
}

/* Everybody in turn, to all others. */
static void talk(const int *fds, unsigned int rounds, uint32_t len)
{
	unsigned int i, k, to;

	for (i = 0; i < rounds; i++)
		for (k = 0; k < HOSTS; k++) {
			body_send(fds[k], len - i, HOSTS * i + k);
			for (to = 0; to < HOSTS; to++)
				if (to != k)
					body_expect(fds[to], len - i,
						    HOSTS * i + k);
		}
}

/* Sees what leaves host 1, where veth's queues, one a processor, are not yet. */
static int tap_open(void)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htobe16(ETH_P_ALL),
	};
	int room = 32 * MIB, fd;

	lab_enter(1);
	ll.sll_ifindex = if_nametoindex("eth0");
	fd = works(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			  0));
	works(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)));
	works(bind(fd, (struct sockaddr *)&ll, sizeof(ll)));
	return fd;
}

/* Of more packets than are under way to a site. */
#define TURNS	64

/* What was sent of one packet before. */
struct turn {
	uint64_t	id;
	uint32_t	turn;
};

static void tap_turn(struct turn *last, const struct wire *w)
{
	uint64_t id = wire_get64(w, AT_FRAG_ID);

	last += id % TURNS;
	if (last->id != id)
		*last = (struct turn){ id, 0 };
	assert_true(wire_get32(w, AT_FRAG_TURN) > last->turn);
	last->turn = wire_get32(w, AT_FRAG_TURN);
}

/*
 * Of what has left since, how many fragments; each packet's as its turns are.
 * Nothing was too fast for the tap.
 */
static unsigned int tap_fragments(int fd)
{
	const size_t at = lab.link == LAB_ETH ? 0 :
			  lab.link == LAB_UDP4 ? 28 : 48;
	struct turn last[HOSTS + 1][TURNS] = { };
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);
	struct sockaddr_ll ll;
	unsigned int count = 0;
	socklen_t len;
	uint32_t site;
	struct wire w;
	ssize_t got;

	while (len = sizeof(ll),
	       (got = recvfrom(fd, w.data, sizeof(w.data), 0,
			       (struct sockaddr *)&ll, &len)) >= 0) {
		if (ll.sll_pkttype != PACKET_OUTGOING ||
		    got < (ssize_t)at + WIRE_FRAG_ALL)
			continue;
		memmove(w.data, w.data + at, got - at);
		if (w.data[AT_TYPE] != WIRE_FRAG)
			continue;
		site = wire_get32(&w, AT_DST_SITE);
		assert_in_range(site, 1, HOSTS);
		tap_turn(last[site], &w);
		count++;
	}
	works(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size));
	assert_int_equal(stats.tp_drops, 0);
	return count;
}

/* Nothing overtakes, however many fragments are under way to two hosts at a time. */
static void in_order(void **state)
{
	unsigned int i;
	int fds[HOSTS], tap;

	open_all(fds);
	tap = tap_open();
	for (i = 0; i < lab_scaled(20, 3); i++) {
		talk(fds, 1, MIB);
		assert_true(tap_fragments(tap) >= 1400);
	}
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
	works(close(tap));
}

/* Only what gets lost is sent again, not the rest. */
static void loss(void **state)
{
	uint64_t sent, again;
	int fds[HOSTS], i;

	open_all(fds);
	for (i = 1; i <= HOSTS; i++)
		loss_to(i, 3);
	sent = sum_of("FragSent");
	again = sum_of("FragRepeated");
	talk(fds, lab_scaled(3, 1), lab_scaled(MIB, 300000));
	again = sum_of("FragRepeated") - again;
	sent = sum_of("FragSent") - sent;
	assert_true(again);
	assert_true(again * 100 < sent * 15);
	for (i = 1; i <= HOSTS; i++)
		loss_end(i);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/*
 * A way that is too narrow: over UDP fragments get congestion marks there instead
 * of being lost, and fewer are sent at a time; on Ethernet they are lost.
 */
static void congestion(void **state)
{
	uint64_t marks, others, cuts, sent, heard;
	bool udp = lab.link != LAB_ETH;
	int fds[HOSTS], i;

	open_all(fds);
	talk(fds, 1, 100);
	unheld_none(fds[0]);
	lab_run(0, "tc qdisc replace dev veth2 root netem limit 100000 loss 20%% ecn");
	marks = stat_of(2, "MarkHeard");
	others = stat_of(1, "MarkHeard") + stat_of(3, "MarkHeard");
	cuts = stat_of(1, "CutMark");
	sent = sum_of("FragSent");
	heard = sum_of("FragHeard");
	for (i = 0; i < 4; i++) {
		body_send(fds[0], 200000, i);
		body_expect(fds[1], 200000, i);
		body_expect(fds[2], 200000, i);
	}
	unheld_none(fds[0]);
	marks = stat_of(2, "MarkHeard") - marks;
	cuts = stat_of(1, "CutMark") - cuts;
	heard = sum_of("FragHeard") - heard;
	sent = sum_of("FragSent") - sent;
	/* One in five of 140 fragments of each message. */
	assert_true(udp ? marks > 40 : !marks);
	assert_true(udp ? cuts >= 4 : !cuts);
	assert_true(udp ? heard + 10 > sent : heard + 40 < sent);
	assert_true(stat_of(1, "MarkHeard") + stat_of(3, "MarkHeard") == others);
	loss_end(2);
	sock_close(fds, HOSTS);
}

/* Many at a time, from everywhere: none is lost, few wait in vain. */
static void many(void **state)
{
	unsigned int n = lab_scaled(20, 5), i, k;
	uint64_t cut = sum_of("FragCut");
	int fds[HOSTS];
	struct msg m;

	open_all(fds);
	for (i = 0; i < n; i++)
		for (k = 0; k < HOSTS; k++)
			body_send(fds[k], 20000, k);
	for (k = 0; k < HOSTS; k++)
		for (i = 0; i < n * (HOSTS - 1); i++) {
			msg_recv(fds[k], &m);
			assert_true(m.flags & MSG_TRUNC);
		}
	for (k = 0; k < HOSTS; k++)
		msg_none(fds[k]);
	assert_true(sum_of("FragCut") >= cut + n * HOSTS * (HOSTS - 1));
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* Memory for incomplete packets, and their number, at the least, at @host. */
static void little_memory(int host, unsigned int *old)
{
	old[0] = sysctl_set(host, "frag_bytes", 1);
	old[1] = sysctl_set(host, "frag_max", 1);
}

static void enough_memory(int host, const unsigned int *old)
{
	sysctl_set(host, "frag_bytes", old[0]);
	sysctl_set(host, "frag_max", old[1]);
}

/*
 * Two conversations send from host 1 to host 2, where one packet has room at a
 * time, over a way that netem makes bad: what finds none is sent again.
 */
static void one_at_a_time(int host, const char *bad, const char *full)
{
	uint64_t before = stat_of(host, full);
	int fds[HOSTS], more[HOSTS];
	unsigned int old[2];

	little_memory(host, old);
	open_all(fds);
	open_all(more);
	talk(fds, 1, 100);
	talk(more, 1, 100);
	lab_run(0, "tc qdisc replace dev veth2 root netem limit 10000 %s", bad);
	body_send(fds[0], 100000, 1);
	body_send(more[0], 100000, 2);
	stat_await(host, full, before + 1);
	loss_end(2);
	body_expect(fds[1], 100000, 1);
	body_expect(fds[2], 100000, 1);
	body_expect(more[1], 100000, 2);
	body_expect(more[2], 100000, 2);
	enough_memory(host, old);
	unheld_none(fds[0]);
	unheld_none(more[0]);
	sock_close(fds, HOSTS);
	sock_close(more, HOSTS);
}

/* The first takes 4 s: it is not whole when the second begins. */
static void memory(void **state)
{
	one_at_a_time(2, "rate 200kbit", "DropFragFull");
}

/* The same where it goes out; none is over before the next begins. */
static void sending_memory(void **state)
{
	one_at_a_time(1, "loss 100%", "DropTxFragFull");
}

/* So little room that also the only packet to a site has to wait for another's. */
static void sending_in_turn(void **state)
{
	uint64_t before = stat_of(1, "DropTxFragFull");
	unsigned int old[2];
	int fds[HOSTS], i;

	little_memory(1, old);
	open_all(fds);
	talk(fds, 1, 100);
	/* The first is not over when the second begins. */
	for (i = 2; i <= HOSTS; i++)
		lab_run(0, "tc qdisc replace dev veth%d root netem limit 10000 delay 100ms",
			i);
	body_send(fds[0], 100000, 3);
	stat_await(1, "DropTxFragFull", before + 1);
	body_expect(fds[1], 100000, 3);
	body_expect(fds[2], 100000, 3);
	for (i = 2; i <= HOSTS; i++)
		loss_end(i);
	enough_memory(1, old);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* A process that is gone before its message is out leaves it behind. */
static void sender_dies(void **state)
{
	uint32_t group = group_of_hosts(port_new());
	uint64_t cut = stat_of(1, "FragCut");
	int b = sock_joined(2, 0, group, 1), status;
	pid_t child;

	loss_to(2, 30);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		int a = sock_joined(1, 0, group, 1);

		body_send(a, MIB, 9);
		for (;;)
			pause();
	}
	stat_await(1, "FragCut", cut + 1);
	works(kill(child, SIGKILL));
	assert_int_equal(waitpid(child, &status, 0), child);
	body_expect(b, MIB, 9);
	loss_end(2);
	works(close(b));
	convs_none(1);
}

/* A site that is gone: what has come is no message, and is not kept. */
static void site_dies(void **state)
{
	uint64_t expired = stat_of(2, "DropFragExpired");
	uint64_t heard = stat_of(2, "FragHeard");
	uint64_t given_up = stat_of(1, "DropTxGivenUp");
	unsigned int old = sysctl_set(2, "frag_ms", 500);
	int fds[HOSTS];

	open_all(fds);
	/* So slow that it cannot be whole before the way ends. */
	lab_run(0, "tc qdisc replace dev veth2 root netem limit 10000 rate 1mbit");
	body_send(fds[0], MIB, 1);
	stat_await(2, "FragHeard", heard + 20);
	loss_to(2, 100);
	stat_await(2, "DropFragExpired", expired + 1);
	stat_await(1, "DropTxGivenUp", given_up + 1);
	msg_none(fds[1]);
	/* It was not gone after all: another try. */
	loss_end(2);
	body_expect(fds[1], MIB, 1);
	body_expect(fds[2], MIB, 1);
	sysctl_set(2, "frag_ms", old);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* What came in fragments is sent on, for its sender's site, in fragments. */
static void sent_on(void **state)
{
	uint64_t cut = stat_of(3, "FragCut");
	int fds[HOSTS];

	open_all(fds);
	talk(fds, 1, 100);
	loss_to(2, 100);
	body_send(fds[0], MIB, 7);
	body_expect(fds[2], MIB, 7);
	/* Nothing of host 1's arrives any more. */
	lab_run(1, "tc qdisc replace dev eth0 root netem loss 100%%");
	loss_end(2);
	msg_send(fds[2], "after it");
	body_expect(fds[1], MIB, 7);
	msg_expect(fds[1], "after it");
	assert_true(stat_of(3, "FragCut") > cut);
	lab_run(1, "tc qdisc del dev eth0 root");
	msg_expect(fds[0], "after it");
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* The link comes to carry less: fragments get smaller, and IP's are not used. */
static void mtu(void **state)
{
	static const unsigned int mtus[] = { 1400, 1280, 1500 };
	static const char * const cuts[] = {
		"IpFragOKs", "IpFragFails", "IpFragCreates",
		"Ip6FragOKs", "Ip6FragFails", "Ip6FragCreates",
	};
	unsigned int i, k;
	int fds[HOSTS];

	open_all(fds);
	talk(fds, 1, 100000);
	for (i = 0; i < COUNT(mtus); i++) {
		for (k = 1; k <= HOSTS; k++)
			lab_run(k, "ip link set eth0 mtu %u", mtus[i]);
		talk(fds, 1, 100000);
	}
	for (i = 1; i <= HOSTS; i++)
		for (k = 0; k < COUNT(cuts); k++)
			assert_int_equal(ip_count(i, cuts[k]), 0);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

#define MOST	1024

/* S10: neither their list nor vectors of theirs fit a packet. */
static void participants(void **state)
{
	static struct psync_pid pids[MOST];
	struct psync_query_stable s;
	uint32_t base = port_new() + 100000, group;
	int listener, a, b, i, round;
	uint64_t mid, start;
	struct patience p;

	for (i = 0; i < MOST; i++)
		pids[i] = (struct psync_pid){ 1 + (i & 1), base + i };
	listener = sock_listening(2, base + 1, 1);
	a = sock_new(1, SOCK_SEQPACKET);
	works(setsockopt(a, SOL_PSYNC, PSYNC_PARTICIPANTS, pids, sizeof(pids)));
	works(sock_connect(a, 0, 0));
	assert_int_equal(opt_info(a).participants, MOST);
	start = stat_of(1, "FragCut");
	mid = msg_send(a, "to a thousand");
	b = sock_accept(listener);
	assert_true(msg_expect(b, "to a thousand") == mid);
	assert_true(stat_of(1, "FragCut") > start);
	for (round = 0; round < 5; round++) {
		body_send(b, 50000, round);
		body_expect(a, 50000, round);
		body_send(a, 50000, round);
		body_expect(b, 50000, round);
	}
	/* Vectors are fragmented, too: all is known to be held. */
	unheld_none(a);
	unheld_none(b);
	assert_int_equal(query_stable(a, mid, &s), 0);
	sock_close((int[]){ a, b, listener }, 3);

	group = group_new(pids, MOST);
	a = sock_joined(1, base, group, 3);
	b = sock_joined(2, base + 1, group, 3);
	mid = msg_send(a, "in a rendezvous");
	assert_true(msg_expect(b, "in a rendezvous") == mid);
	msg_send(b, "heard");
	msg_expect(a, "heard");
	p = patience_begin();
	while (opt_info(b).unheld || opt_info(a).unheld)
		patience_try(&p, "vectors");
	sock_close((int[]){ a, b }, 2);
}

#define ABSENT	140

/* Host 1 has peers at addresses where nobody is, or has them no more. */
static void absent_peers(uint8_t link_command, uint8_t peer_command)
{
	struct nl *nl = nl_open(1);
	uint8_t addr[4] = { 127, 0, 0, 1 };
	uint32_t i;

	if (link_command == PSYNC_CMD_LINK_ADD) {
		nl_begin(nl, link_command);
		nl_str(nl, PSYNC_A_LINK_NAME, "m1");
		nl_u32(nl, PSYNC_A_LINK_KIND, PSYNC_LINK_KIND_UDP);
		nl_put(nl, PSYNC_A_LINK_IP4, addr, sizeof(addr));
		nl_u16(nl, PSYNC_A_LINK_PORT, 9);
		assert_int_equal(nl_talk(nl), 0);
	}
	for (i = 1; i < ABSENT; i++) {
		addr[3] = 1 + i;
		nl_begin(nl, peer_command);
		nl_u32(nl, PSYNC_A_PEER_SITE, 1000 + i);
		if (peer_command == PSYNC_CMD_PEER_ADD) {
			nl_str(nl, PSYNC_A_PEER_LINK, "m1");
			nl_put(nl, PSYNC_A_PEER_IP4, addr, sizeof(addr));
		}
		assert_int_equal(nl_talk(nl), 0);
	}
	if (link_command == PSYNC_CMD_LINK_DEL) {
		nl_begin(nl, link_command);
		nl_str(nl, PSYNC_A_LINK_NAME, "m1");
		assert_int_equal(nl_talk(nl), 0);
	}
	nl_close(nl);
}

/*
 * A long message goes to many sites, which are not there: its copies share one
 * body, and do not count as many.
 */
static void absent_sites(void **state)
{
	static const char * const names[] = { "max_message", "image_bytes" };
	unsigned int old[2][COUNT(names)], k;
	static struct psync_pid pids[ABSENT];
	uint32_t port = port_new(), i;
	struct patience p;
	int fd, charged;

	for (i = 0; i < 2; i++)
		for (k = 0; k < COUNT(names); k++)
			old[i][k] = sysctl_set(i, names[k], 16 * MIB);
	absent_peers(PSYNC_CMD_LINK_ADD, PSYNC_CMD_PEER_ADD);
	for (i = 0; i < ABSENT; i++)
		pids[i] = (struct psync_pid){ i ? 1000 + i : 1, port };
	fd = sock_new(1, SOCK_SEQPACKET);
	sock_bind(fd, port);
	works(setsockopt(fd, SOL_PSYNC, PSYNC_PARTICIPANTS, pids,
			 sizeof(pids)));
	works(sock_connect(fd, 0, 0));
	log_begin();
	body_send(fd, 16 * MIB, 1);
	p = patience_begin();
	while (works(ioctl(fd, SIOCOUTQ, &charged)), charged > (int)(20 * MIB))
		patience_try(&p, "what was sent to count once");
	log_quiet();
	close(fd);
	absent_peers(PSYNC_CMD_LINK_DEL, PSYNC_CMD_PEER_DEL);
	for (i = 2; i--;)
		for (k = 0; k < COUNT(names); k++)
			sysctl_set(i, names[k], old[i][k]);
}

static struct fake fake;

/* Of a test's own: what others send would fill its socket. */
static int fake_begin(void **state)
{
	fake = fake_new(0);
	return 0;
}

static int fake_end(void **state)
{
	fake_del(&fake);
	return 0;
}

#define fake_unit_test(test) \
	cmocka_unit_test_setup_teardown(test, fake_begin, fake_end)

/* The part @index of a packet that is right in itself; it asks. */
static void part(struct wire *w, const struct wire *whole, uint64_t id,
		 uint16_t size, uint32_t index)
{
	size_t begin = (size_t)index * size, len = whole->len - begin;

	if (len > size)
		len = size;
	memset(w, 0, sizeof(*w));
	memcpy(w->data, whole->data, WIRE_HDR);
	wire_put8(w, AT_TYPE, WIRE_FRAG);
	wire_put16(w, AT_CSUM, 0);
	wire_put64(w, AT_FRAG_ID, id);
	wire_put64(w, AT_FRAG_LOWEST, 1);
	wire_put32(w, AT_FRAG_TOTAL, whole->len);
	wire_put32(w, AT_FRAG_INDEX, index);
	wire_put32(w, AT_FRAG_TURN, index + 1);
	wire_put32(w, AT_FRAG_WAIT, 1000000);
	wire_put16(w, AT_FRAG_SIZE, size);
	wire_put8(w, AT_FRAG_FLAGS, 1);
	memcpy(w->data + WIRE_FRAG_ALL, whole->data + begin, len);
	w->len = WIRE_FRAG_ALL + len;
}

/* Sent, and counted under that name, if any. */
static void part_send(struct wire *w, const char *drop)
{
	uint64_t heard = stat_of(1, "RxPackets"), was = 0;

	if (drop)
		was = stat_of(1, drop);
	fake_send(&fake, w);
	stat_await(1, "RxPackets", heard + 1);
	if (drop)
		stat_await(1, drop, was + 1);
}

/* A start message to @port, of 1,000 bytes and more, as it is in fragments. */
static void whole_new(struct wire *w, uint32_t port, struct psync_pid *pids)
{
	static uint64_t cid;
	struct wire_conv c = { 0, 0, 0, 1, pids, 2 };
	char body[1001];

	if (!cid)
		cid = (uint64_t)getpid() << 32;
	c.cid = cid += 16;
	pids[0] = (struct psync_pid){ fake.site, 77 };
	pids[1] = (struct psync_pid){ 1, port };
	memset(body, 'x', 1000);
	body[1000] = 0;
	wire_msg(w, &fake, &c, 0, 1, 1, body);
	wire_msg_start(w, &c);
	wire_seal(w);
	wire_put16(w, AT_CSUM, 0);
}

/* By hand: out of order, twice; and each answer says what has come. */
static void by_hand(void **state)
{
	uint32_t port = port_new();
	int listener = sock_listening(1, port, 1), fd;
	struct wire whole, w, answer;
	struct psync_pid pids[2];
	uint32_t count, i;
	struct msg m;

	whole_new(&whole, port, pids);
	count = (whole.len - 1) / 200 + 1;
	assert_int_equal(count, 6);
	for (i = count - 1; i; i--) {
		part(&w, &whole, 5, 200, i);
		part_send(&w, NULL);
		fake_recv(&fake, WIRE_FRAG_ACK, &answer);
		assert_true(wire_get64(&answer, AT_FACK_ID) == 5);
		assert_int_equal(wire_get32(&answer, AT_FACK_BASE), 0);
		assert_int_equal(wire_get32(&answer, AT_FACK_TURN), i + 1);
		assert_int_equal(answer.data[AT_FACK_STATE], 0);
		assert_int_equal(answer.data[AT_FACK_BITMAP],
				 (1 << count) - (1 << i));
		part_send(&w, "DropDuplicate");
		fake_recv(&fake, WIRE_FRAG_ACK, &answer);
	}
	assert_int_equal(poll_now(listener, POLLIN), 0);
	part(&w, &whole, 5, 200, 0);
	part_send(&w, NULL);
	fake_recv(&fake, WIRE_FRAG_ACK, &answer);
	assert_int_equal(answer.data[AT_FACK_STATE], 1);
	assert_int_equal(wire_get32(&answer, AT_FACK_BASE), count);
	assert_int_equal(answer.data[AT_FACK_BITMAP], 0);
	fd = sock_accept(listener);
	msg_recv(fd, &m);
	assert_int_equal(m.len, 1000);
	/* Again: it is remembered, and does not begin anew. */
	part_send(&w, "DropDuplicate");
	fake_recv(&fake, WIRE_FRAG_ACK, &answer);
	assert_int_equal(answer.data[AT_FACK_STATE], 1);
	sock_close((int[]){ fd, listener }, 2);
}

/* What contradicts itself, the others, or the packet. */
static void hostile(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		const char *drop;
	} flaws[] = {
		{ AT_FRAG_ID, 8, 0, "DropBadHeader" },
		{ AT_FRAG_LOWEST, 8, 0, "DropBadHeader" },
		{ AT_FRAG_LOWEST, 8, 1000, "DropBadHeader" },
		{ AT_FRAG_TOTAL, 4, 200, "DropBadFragment" },
		{ AT_FRAG_TOTAL, 4, 16791801, "DropBadFragment" },
		{ AT_FRAG_TOTAL, 4, ~0U, "DropBadFragment" },
		{ AT_FRAG_INDEX, 4, 6, "DropBadFragment" },
		{ AT_FRAG_INDEX, 4, ~0U, "DropBadFragment" },
		{ AT_FRAG_TURN, 4, 0, "DropBadHeader" },
		{ AT_FRAG_SIZE, 2, 0, "DropBadFragment" },
		{ AT_FRAG_SIZE, 2, 127, "DropBadFragment" },
		{ AT_FRAG_SIZE, 2, 201, "DropBadLength" },
		{ AT_FRAG_SIZE, 2, 65535, "DropBadFragment" },
		{ AT_FRAG_FLAGS, 1, 2, "DropBadHeader" },
		{ AT_FRAG_RESERVED, 1, 1, "DropBadHeader" },
		{ AT_DST_SITE, 4, 0, "DropBadHeader" },
	};
	uint32_t port = port_new(), i;
	int listener = sock_listening(1, port, 1);
	struct psync_pid pids[2];
	struct wire whole, w;

	whole_new(&whole, port, pids);
	for (i = 0; i < COUNT(flaws); i++) {
		part(&w, &whole, 20, 200, 1);
		if (flaws[i].size == 1)
			wire_put8(&w, flaws[i].at, flaws[i].value);
		else if (flaws[i].size == 2)
			wire_put16(&w, flaws[i].at, flaws[i].value);
		else if (flaws[i].size == 4)
			wire_put32(&w, flaws[i].at, flaws[i].value);
		else
			wire_put64(&w, flaws[i].at, flaws[i].value);
		part_send(&w, flaws[i].drop);
	}
	/* Two ideas of one packet. */
	part(&w, &whole, 21, 200, 0);
	part_send(&w, NULL);
	part(&w, &whole, 21, 300, 1);
	part_send(&w, "DropBadFragment");
	/* An answer to nothing. */
	memset(&w, 0, sizeof(w));
	memcpy(w.data, whole.data, WIRE_HDR);
	wire_put8(&w, AT_TYPE, WIRE_FRAG_ACK);
	wire_put64(&w, AT_FACK_ID, 77);
	wire_put32(&w, AT_FACK_TURN, 1);
	w.len = WIRE_FACK_ALL;
	part_send(&w, "DropFragStale");
	wire_put8(&w, AT_FACK_BITMAP, 1);
	part_send(&w, "DropBadHeader");
	sock_close(&listener, 1);
}

/* Complete, but not what may come so, or not whose it seems. */
static void wrong_inside(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *drop;
	} flaws[] = {
		{ AT_VERSION, 2, "DropBadVersion" },
		{ AT_TYPE, WIRE_FRAG, "DropBadHeader" },
		{ AT_TYPE, 77, "DropBadType" },
		{ AT_LEN, 0, "DropBadLength" },
		{ AT_SRC_SITE, 0xff, "DropBadFragment" },
		{ AT_DST_SITE, 0xff, "DropBadFragment" },
		{ AT_SRC_INC, 0xff, "DropBadFragment" },
		{ AT_DST_INC, 0xff, "DropOtherIncarnation" },
		{ AT_KIND, 99, "DropBadKind" },
	};
	uint32_t port = port_new(), i, k;
	int listener = sock_listening(1, port, 1);
	struct psync_pid pids[2];
	struct wire whole, w;
	uint64_t was;

	for (i = 0; i < COUNT(flaws); i++) {
		whole_new(&whole, port, pids);
		was = stat_of(1, flaws[i].drop);
		for (k = 0; k < 6; k++) {
			part(&w, &whole, 40 + i, 200, k);
			if (!k)
				wire_put8(&w, WIRE_FRAG_ALL + flaws[i].at,
					  flaws[i].value);
			fake_send(&fake, &w);
		}
		stat_await(1, flaws[i].drop, was + 1);
	}
	/* A datagram is not cut. */
	wire_dgram(&whole, &fake, port, "0123456789012345678901234567890123456789"
		   "0123456789012345678901234567890123456789012345678901234567"
		   "89012345678901234567890123456789");
	wire_seal(&whole);
	wire_put16(&whole, AT_CSUM, 0);
	was = stat_of(1, "DropBadFragment");
	for (k = 0; k < 2; k++) {
		part(&w, &whole, 60, 128, k);
		fake_send(&fake, &w);
	}
	stat_await(1, "DropBadFragment", was + 1);
	assert_int_equal(poll_now(listener, POLLIN), 0);
	sock_close(&listener, 1);
}

/* Beginnings without end: no more than there may be, until they are over. */
static void beginnings(void **state)
{
	uint64_t expired = stat_of(1, "DropFragExpired");
	struct psync_pid pids[2];
	struct wire whole, w;
	uint32_t i;

	whole_new(&whole, 1, pids);
	for (i = 0; i < 16; i++) {
		part(&w, &whole, 100 + i, 200, 1);
		part_send(&w, NULL);
	}
	part(&w, &whole, 116, 200, 1);
	part_send(&w, "DropFragFull");
	/* The sender has done with them: there is room. */
	assert_true(stat_of(1, "DropFragExpired") == expired);
	wire_put64(&w, AT_FRAG_LOWEST, 116);
	part_send(&w, NULL);
	assert_true(stat_of(1, "DropFragExpired") == expired + 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(limit),
		cmocka_unit_test(greatest),
		cmocka_unit_test(truncation),
		cmocka_unit_test(in_order),
		cmocka_unit_test(loss),
		cmocka_unit_test(congestion),
		cmocka_unit_test(many),
		cmocka_unit_test(memory),
		cmocka_unit_test(sending_memory),
		cmocka_unit_test(sending_in_turn),
		cmocka_unit_test(sender_dies),
		cmocka_unit_test(site_dies),
		cmocka_unit_test(sent_on),
		cmocka_unit_test(mtu),
		cmocka_unit_test(participants),
		cmocka_unit_test(absent_sites),
		fake_unit_test(by_hand),
		fake_unit_test(hostile),
		fake_unit_test(wrong_inside),
		fake_unit_test(beginnings),
	};

	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
