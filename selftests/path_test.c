// SPDX-License-Identifier: GPL-2.0-only
/*
 * A way between sites that a router is on, whose next link carries less than
 * the sites' own devices.  Needs three hosts on a bridge without impairments of
 * its own, and a UDP link.
 */

#include "lib.h"

#define HOSTS	3
#define ROUTER	254	/* host 0, in the addresses */
#define WIDE	1500
#define NARROW	1280	/* IPv6's least */

/* Whose cable comes from the router. */
static int path_to;

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
	for (i = 1; i <= HOSTS; i++)
		lab_run(i, "ip %s route flush exact %s", v6() ? "-6" : "-4",
			addr_of(path_to));
	forward(0);
	lab_run(0, "ip %s addr flush dev br-lab", v6() ? "-6" : "-4");
	lab_run(0, "ip link del narrow");
	path_to = 0;
	return 0;
}

#define path_unit_test(test) \
	cmocka_unit_test_setup_teardown(test, NULL, path_end)

/* What IP has counted. */
static unsigned long ip_count(int host, const char *name)
{
	unsigned long value;
	char command[64];
	FILE *f;

	sprintf(command, "nstat -asz %s | tail -n 1", name);
	lab_enter(host);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*s %lu", &value), 1);
	assert_int_equal(pclose(f), 0);
	return value;
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

static void open_all(int *fds)
{
	uint32_t group = group_of_hosts(port_new());
	int i;

	for (i = 0; i < HOSTS; i++)
		fds[i] = sock_joined(i + 1, 0, group, 1);
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

	open_all(fds);
	path_new(2, WIDE);
	cut = put_together(2);
	before[1] = told(1);
	before[3] = told(3);
	pass(fds, 0, 100000, 1);
	/* So slow that it is under way for seconds. */
	qdisc_set(1, "eth0", "netem limit 10000 rate 2mbit");
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

	open_all(fds);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		path_unit_test(narrowed),
		path_unit_test(one_packet),
	};

	lab_init();
	lab_no_nulls();
	return lab_main(tests);
}
