// SPDX-License-Identifier: GPL-2.0-only
/*
 * A way between sites that a router is on, whose next link carries less than
 * the sites' own devices: the router says so, or it lets IP cut what is too
 * long.  Needs three hosts on a bridge without impairments of its own, and a
 * UDP link.
 */

#include "lib.h"

#define HOSTS	3
#define ROUTER	254	/* host 0, in the addresses */
#define WIDE	1500
#define NARROW	1280	/* IPv6's least */
/* The last pieces are longer than what memory the first has left. */
#define PIECES	576
#define HISTORY	(1 << 21)

/* Whose cable comes from the router, and who cleared DF. */
static int path_to;
static bool df_clear[HOSTS + 1];

static bool v6(void)
{
	return lab.link == LAB_UDP6;
}

/* Of a host on the bridge; and at its end of the cable. */
static const char *addr_of(int host)
{
	static char addr[32];

	sprintf(addr, v6() ? "fd07::%d" : "10.7.0.%d", host);
	return addr;
}

static const char *cable_of(int host)
{
	static char addr[32];

	sprintf(addr, v6() ? "fe80::%d" : "10.8.0.%d", host);
	return addr;
}

static const char *suffix(void)
{
	return v6() ? "/64 nodad" : "/24";
}

/* An address can be used when its cable can. */
static void cable_up(int host)
{
	struct patience p = patience_begin();

	lab_enter(host);
	while (system("ip -o link show narrow | grep -q 'state UP'"))
		patience_try(&p, "the cable");
	lab_run(host, "ip addr add dev narrow %s%s", cable_of(host ?: ROUTER),
		suffix());
}

static void forward(int on)
{
	lab_run(0, "echo %d >/proc/sys/net/%s", on,
		v6() ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward");
}

/* From now on others' packets to @host pass the router. */
static void path_new(int host, unsigned int mtu)
{
	char to[32];
	int i;

	strcpy(to, addr_of(host));
	lab_run(0, "ip link add narrow mtu %u type veth peer name narrow mtu %u netns h%d",
		mtu, mtu, host);
	path_to = host;
	lab_run(0, "ip link set narrow up");
	lab_run(host, "ip link set narrow up");
	cable_up(0);
	cable_up(host);
	lab_run(0, "ip addr add dev br-lab %s%s", addr_of(ROUTER), suffix());
	lab_run(0, "ip route add %s dev narrow via %s", to, cable_of(host));
	forward(1);
	for (i = 1; i <= HOSTS; i++)
		if (i != host)
			lab_run(i, "ip route add %s dev eth0 via %s", to,
				addr_of(ROUTER));
}

/* However far path_new() came. */
static int path_end(void **state)
{
	int i;

	if (!path_to)
		return 0;
	for (i = 1; i <= HOSTS; i++) {
		lab_run(i, "ip %s route flush exact %s", v6() ? "-6" : "-4",
			addr_of(path_to));
		if (df_clear[i])
			lab_run(i, "tc qdisc del dev eth0 clsact");
		df_clear[i] = false;
	}
	forward(0);
	lab_run(0, "ip %s addr flush dev br-lab", v6() ? "-6" : "-4");
	lab_run(0, "ip link del narrow");
	path_to = 0;
	return 0;
}

#define path_unit_test(test) \
	cmocka_unit_test_setup_teardown(test, NULL, path_end)

/* What leaves @host any router may cut. */
static void df_cleared(int host)
{
	df_clear[host] = true;
	lab_run(host, "tc qdisc add dev eth0 clsact");
	lab_run(host, "tc filter add dev eth0 egress matchall action pedit munge offset 6 u8 set 0 retain 0x40 pipe csum ip");
}

static unsigned long told(int host)
{
	return ip_count(host, v6() ? "Icmp6InPktTooBigs" :
				     "IcmpInDestUnreachs");
}

static void told_await(int host, unsigned long least)
{
	struct patience p = patience_begin();

	while (told(host) < least)
		patience_try(&p, "the router to say so");
}

static unsigned long put_together(int host)
{
	return ip_count(host, v6() ? "Ip6ReasmOKs" : "IpReasmOKs");
}

static void open_all(int *fds, uint32_t history)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++) {
		fds[i] = sock_new(i + 1, SOCK_SEQPACKET);
		works(opt_set_u32(fds[i], PSYNC_HISTORY, history));
		works(sock_connect(fds[i], group, 1));
	}
}

/* From one to all others. */
static void pass(const int *fds, int from, uint32_t len, unsigned int what)
{
	int i;

	body_send(fds[from], len, what);
	for (i = 0; i < HOSTS; i++)
		if (i != from)
			body_expect(fds[i], len, what);
}

/*
 * The way becomes narrow while a message is on it, and the sender's own device
 * does not: it is told by the router alone.  Nothing is left to IP to cut.
 */
static void narrowed(void **state)
{
	unsigned long before[HOSTS + 1], cut;
	uint64_t heard;
	int fds[HOSTS];

	open_all(fds, 0);
	path_new(2, WIDE);
	cut = put_together(2);
	before[1] = told(1);
	before[3] = told(3);
	pass(fds, 0, 100000, 1);
	/* So slow that it is under way for seconds, or what seems so here. */
	qdisc_set(1, "eth0", "netem limit 10000 rate %dkbit",
		  2000 / lab_slow());
	heard = stat_of(2, "FragHeard");
	body_send(fds[0], MIB, 2);
	stat_await(2, "FragHeard", heard + 20);
	assert_true(told(1) == before[1] && told(3) == before[3]);
	lab_run(0, "ip link set narrow mtu %u", NARROW);
	told_await(1, before[1] + 1);
	qdisc_del(1, "eth0");
	body_expect(fds[1], MIB, 2);
	body_expect(fds[2], MIB, 2);
	pass(fds, 0, 100000, 3);
	/* Host 3 is told now, unless it has sent on what host 1 sent. */
	pass(fds, 2, 100000, 4);
	assert_true(told(3) > before[3]);
	assert_true(put_together(2) == cut);
	unheld_none(fds[0]);
	unheld_none(fds[2]);
	sock_close(fds, HOSTS);
}

/* What went whole so far does no longer: it is sent again in fragments. */
static void one_packet(void **state)
{
	uint64_t frags = stat_of(1, "FragCut");
	unsigned long again;
	int fds[HOSTS];

	open_all(fds, 0);
	path_new(2, WIDE);
	pass(fds, 0, NARROW, 1);
	assert_true(stat_of(1, "FragCut") == frags);
	lab_run(0, "ip link set narrow mtu %u", NARROW);
	again = told(1);
	pass(fds, 0, NARROW, 2);
	assert_true(told(1) > again);
	assert_true(stat_of(1, "FragCut") > frags);
	again = told(1);
	pass(fds, 0, NARROW, 3);
	assert_true(told(1) == again);
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* Host 1's program runs again: what it sent before, it has from the others. */
static int reexecuted(int fd, uint32_t group)
{
	struct psync_restart r = { .flags = PSYNC_RESTART_REEXECUTE };

	works(close(fd));
	convs_none(1);
	fd = sock_new(1, SOCK_SEQPACKET);
	works(opt_set_u32(fd, PSYNC_HISTORY, HISTORY));
	works(setsockopt(fd, SOL_PSYNC, PSYNC_RESTART, &r, sizeof(r)));
	works(sock_connect(fd, group, 1));
	return fd;
}

/*
 * Somebody on the way clears DF, so that IP cuts, and puts together.  What came
 * so, in one packet of ours or in fragments, is what its sender had sent.
 */
static void cut_by_ip(void **state)
{
	static const uint32_t lens[] = { 100, 1200, 3000, 100000, 500001 };
	uint64_t whole = stat_of(1, "FragWhole");
	unsigned long cut;
	unsigned int i;
	int fds[HOSTS];

	open_all(fds, HISTORY);
	for (i = 0; i < COUNT(lens); i++)
		pass(fds, 0, lens[i], i);
	pass(fds, 1, 100000, 10);
	for (i = 0; i < HOSTS; i++)
		unheld_none(fds[i]);
	path_new(1, PIECES);
	df_cleared(2);
	df_cleared(3);
	cut = put_together(1);
	fds[0] = reexecuted(fds[0], opt_info(fds[1]).group);
	for (i = 0; i < COUNT(lens); i++)
		body_send(fds[0], lens[i], i);
	body_expect(fds[0], 100000, 10);
	assert_true(put_together(1) > cut + 100);
	assert_true(stat_of(1, "FragWhole") >= whole + 4);
	/* And so on, both ways. */
	pass(fds, 1, 100000, 11);
	pass(fds, 0, 100000, 12);
	sock_close(fds, HOSTS);
}

/* It is sent on, too, in other fragments than those in which it came. */
static void cut_sent_on(void **state)
{
	uint64_t frags = stat_of(1, "FragCut");
	unsigned long cut;
	int fds[HOSTS];

	open_all(fds, 0);
	pass(fds, 1, 100, 1);
	path_new(1, PIECES);
	df_cleared(2);
	cut = put_together(1);
	qdisc_set(0, "veth3", "netem loss 100%%");
	body_send(fds[1], 300000, 2);
	body_expect(fds[0], 300000, 2);
	assert_true(put_together(1) > cut + 100);
	/* Nothing of host 2's arrives any more. */
	qdisc_set(2, "eth0", "netem loss 100%%");
	qdisc_del(0, "veth3");
	msg_send(fds[0], "after it");
	body_expect(fds[2], 300000, 2);
	msg_expect(fds[2], "after it");
	assert_true(stat_of(1, "FragCut") > frags);
	qdisc_del(2, "eth0");
	msg_expect(fds[1], "after it");
	unheld_none(fds[0]);
	sock_close(fds, HOSTS);
}

/* The last ones: IPv6's routers do not cut. */
#define IP4_ONLY	2

int main(void)
{
	const struct CMUnitTest tests[] = {
		path_unit_test(narrowed),
		path_unit_test(one_packet),
		path_unit_test(cut_by_ip),
		path_unit_test(cut_sent_on),
	};

	lab_init();
	lab_no_nulls();
	return lab_run_tests(tests, COUNT(tests) - (v6() ? IP4_ONLY : 0), NULL,
			     NULL);
}
