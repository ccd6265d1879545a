// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration over netlink: every refusal with its errno and its words, how
 * much there may be, who may change what, notifications, dumps during change. Each
 * test in a network namespace of its own; needs a lab for its modules only.
 */

#include <arpa/inet.h>
#include <linux/psync_netlink.h>
#include <sched.h>
#include <sys/wait.h>

#include "lib.h"

static struct nl *nl;

/* A namespace with an Ethernet device d0, of the address 192.0.2.1. */
static void net_new(void)
{
	lab_enter(0);
	works(unshare(CLONE_NEWNET));
	if (system("ip link add d0 type dummy && ip link set d0 up &&"
		   "ip link set lo up && ip addr add 192.0.2.1/24 dev d0 &&"
		   "ip addr add 2001:db8::1/64 dev d0 nodad"))
		fail_msg("no namespace");
	nl = nl_here();
}

static void net_end(void)
{
	nl_close(nl);
	lab_enter(0);
}

static void refused_at(int code, const char *words, const char *file, int line)
{
	int err = nl_talk(nl);

	if (err == -code && strstr(nl_words(nl), words) &&
	    nl_words(nl)[0])
		return;
	print_error("%s (%s), not %s (%s)\n", strerrorname_np(-err),
		    nl_words(nl), strerrorname_np(code), words);
	_fail(file, line);
}

#define refused(code, words) refused_at((code), (words), __FILE__, __LINE__)
#define done() assert_int_equal(nl_talk(nl), 0)

static void site(uint32_t id)
{
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	nl_u32(nl, PSYNC_A_SITE_ID, id);
}

static void link_eth(const char *name, const char *dev)
{
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
	nl_str(nl, PSYNC_A_LINK_NAME, name);
	nl_u32(nl, PSYNC_A_LINK_KIND, PSYNC_LINK_KIND_ETH);
	if (dev)
		nl_str(nl, PSYNC_A_LINK_DEV, dev);
}

static void link_del(const char *name)
{
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, name);
}

static void put_ip(uint16_t attr4, uint16_t attr6, const char *ip)
{
	uint8_t addr[16];

	if (inet_pton(AF_INET, ip, addr) == 1) {
		nl_put(nl, attr4, addr, 4);
	} else {
		assert_int_equal(inet_pton(AF_INET6, ip, addr), 1);
		nl_put(nl, attr6, addr, 16);
	}
}

static void link_udp(const char *name, const char *ip)
{
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
	nl_str(nl, PSYNC_A_LINK_NAME, name);
	nl_u32(nl, PSYNC_A_LINK_KIND, PSYNC_LINK_KIND_UDP);
	if (ip)
		put_ip(PSYNC_A_LINK_IP4, PSYNC_A_LINK_IP6, ip);
}

static void peer(uint8_t command, uint32_t id, const char *link,
		 const char *ip, const char *mac)
{
	nl_begin(nl, command);
	if (id)
		nl_u32(nl, PSYNC_A_PEER_SITE, id);
	if (link)
		nl_str(nl, PSYNC_A_PEER_LINK, link);
	if (ip)
		put_ip(PSYNC_A_PEER_IP4, PSYNC_A_PEER_IP6, ip);
	if (mac)
		nl_put(nl, PSYNC_A_PEER_MAC, mac, 6);
}

static void group(uint8_t command, uint32_t number, const char *name,
		  const struct psync_pid *pids, unsigned int n)
{
	nl_begin(nl, command);
	if (number)
		nl_u32(nl, PSYNC_A_GROUP_NUMBER, number);
	if (name)
		nl_str(nl, PSYNC_A_GROUP_NAME, name);
	if (n)
		nl_put(nl, PSYNC_A_GROUP_PIDS, pids, n * sizeof(*pids));
}

static void sites(void **state)
{
	int fd;

	net_new();
	nl_begin(nl, PSYNC_CMD_SITE_SET);
	refused(EINVAL, "site id missing");
	nl_begin(nl, PSYNC_CMD_SITE_GET);
	done();
	site(1);
	done();
	site(1);
	done();
	nl_begin(nl, PSYNC_CMD_SITE_GET);
	nl_u32(nl, PSYNC_A_SITE_ID, 2);
	refused(ENOENT, "another id");
	link_eth("l0", "d0");
	done();
	peer(PSYNC_CMD_PEER_ADD, 2, "l0", NULL, "\2\0\0\0\0\1");
	done();
	site(2);
	refused(EEXIST, "a peer has this site id");
	fd = works(socket(lab.family, SOCK_SEQPACKET, 0));
	works(sock_bind(fd, 5));
	site(3);
	refused(EBUSY, "sockets or conversations use");
	site(0);
	refused(EBUSY, "sockets or conversations use");
	works(close(fd));
	site(3);
	done();
	site(0);
	done();
	net_end();
}

static void links_eth(void)
{
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
	nl_str(nl, PSYNC_A_LINK_NAME, "l0");
	refused(EINVAL, "name or kind missing");
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
	nl_u32(nl, PSYNC_A_LINK_KIND, 1);
	refused(EINVAL, "name or kind missing");
	nl_begin(nl, PSYNC_CMD_LINK_ADD);
	nl_str(nl, PSYNC_A_LINK_NAME, "l0");
	nl_u32(nl, PSYNC_A_LINK_KIND, 3);
	refused(ERANGE, "");
	link_eth("l0", NULL);
	refused(EINVAL, "needs a device");
	link_eth("l0", "d0");
	nl_u16(nl, PSYNC_A_LINK_PORT, 7);
	refused(EINVAL, "no IP address or port");
	link_eth("l0", "d0");
	nl_u16(nl, PSYNC_A_LINK_ETHERTYPE, 0x500);
	refused(ERANGE, "");
	link_eth("", "d0");
	refused(EINVAL, "printable, without blanks");
	link_eth("a b", "d0");
	refused(EINVAL, "printable, without blanks");
	link_eth("1234567890123456", "d0");
	refused(EINVAL, "");
	link_eth("l0", "d9");
	refused(ENODEV, "no device has this name");
	link_eth("l0", "lo");
	refused(EINVAL, "not an Ethernet device");
	link_eth("l0", "d0");
	done();
	link_eth("l0", "d0");
	refused(EEXIST, "there is a link of this name");
	link_eth("l1", "d0");
	refused(EEXIST, "another link has this device and EtherType");
	link_eth("l1", "d0");
	nl_u16(nl, PSYNC_A_LINK_ETHERTYPE, 0x88b6);
	done();
}

static void links_udp(void)
{
	link_udp("u0", NULL);
	refused(EINVAL, "needs a local address");
	link_udp("u0", "192.0.2.1");
	nl_str(nl, PSYNC_A_LINK_DEV, "d0");
	refused(EINVAL, "no device or EtherType");
	link_udp("u0", "192.0.2.1");
	put_ip(PSYNC_A_LINK_IP4, PSYNC_A_LINK_IP6, "2001:db8::1");
	refused(EINVAL, "more than one address");
	link_udp("u0", "192.0.2.9");
	refused(EADDRNOTAVAIL, "no interface has this address");
	link_udp("u0", "2001:db8::9");
	refused(EADDRNOTAVAIL, "no interface has this address");
	link_udp("u0", "224.0.0.1");
	refused(EINVAL, "not a local address");
	link_udp("u0", "fe80::1");
	refused(EINVAL, "not a local address");
	link_udp("u0", "192.0.2.1");
	nl_u16(nl, PSYNC_A_LINK_PORT, 0);
	refused(ERANGE, "");
	link_udp("u0", "192.0.2.1");
	done();
	link_udp("u1", "192.0.2.1");
	refused(EADDRINUSE, "UDP port is in use");
	link_udp("u1", "2001:db8::1");
	done();
}

static void links_del(void)
{
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	refused(EINVAL, "link name missing");
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "l9");
	refused(ENOENT, "no link");
	nl_begin(nl, PSYNC_CMD_LINK_GET);
	refused(EINVAL, "link name missing");
	nl_begin(nl, PSYNC_CMD_LINK_GET);
	nl_str(nl, PSYNC_A_LINK_NAME, "l9");
	refused(ENOENT, "no such link");
	peer(PSYNC_CMD_PEER_ADD, 2, "u0", "192.0.2.2", NULL);
	done();
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "u0");
	refused(EBUSY, "peers use this link");
}

static void change(const char *name)
{
	nl_begin(nl, PSYNC_CMD_LINK_SET);
	if (name)
		nl_str(nl, PSYNC_A_LINK_NAME, name);
}

static void change_ip(const char *name, const char *ip)
{
	change(name);
	put_ip(PSYNC_A_LINK_IP4, PSYNC_A_LINK_IP6, ip);
}

static void change_u16(const char *name, uint16_t attr, uint16_t value)
{
	change(name);
	nl_u16(nl, attr, value);
}

/* psync link shows it so. */
static void link_is(const char *what)
{
	char command[100];

	snprintf(command, sizeof(command), "psync link | grep -q '^%s '", what);
	assert_int_equal(system(command), 0);
}

/* A UDP socket of somebody else's, willing to share its port or not. */
static int udp_bind(const char *ip, uint16_t port, int share)
{
	struct sockaddr_in sin = {
		.sin_family	= AF_INET,
		.sin_port	= htons(port),
		.sin_addr	= { inet_addr(ip) },
	};
	int fd = works(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	works(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &share, sizeof(share)));
	if (!bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return fd;
	assert_int_equal(errno, EADDRINUSE);
	works(close(fd));
	return -1;
}

static void links_set_refused(void)
{
	change(NULL);
	refused(EINVAL, "link name missing");
	change_u16("l9", PSYNC_A_LINK_PORT, 7);
	refused(ENOENT, "no such link");
	change("l0");
	refused(EINVAL, "to change");
	change("l0");
	nl_u32(nl, PSYNC_A_LINK_KIND, PSYNC_LINK_KIND_UDP);
	refused(EINVAL, "");
	change_ip("l0", "192.0.2.1");
	refused(EINVAL, "no IP address or port");
	change_u16("l0", PSYNC_A_LINK_PORT, 7);
	refused(EINVAL, "no IP address or port");
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x500);
	refused(ERANGE, "");
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x88b6);
	refused(EEXIST, "another link has this device and EtherType");
	change("l0");
	nl_str(nl, PSYNC_A_LINK_DEV, "d9");
	refused(ENODEV, "no device has this name");
	change("l0");
	nl_str(nl, PSYNC_A_LINK_DEV, "lo");
	refused(EINVAL, "not an Ethernet device");
	link_is("l0 eth dev d0 ethertype 0x88b5 up");

	change("u0");
	nl_str(nl, PSYNC_A_LINK_DEV, "d0");
	refused(EINVAL, "no device or EtherType");
	change_ip("u0", "192.0.2.1");
	put_ip(PSYNC_A_LINK_IP4, PSYNC_A_LINK_IP6, "2001:db8::1");
	refused(EINVAL, "more than one address");
	change_u16("u0", PSYNC_A_LINK_PORT, 0);
	refused(ERANGE, "");
	change_ip("u0", "192.0.2.9");
	refused(EADDRNOTAVAIL, "no interface has this address");
	change_ip("u0", "224.0.0.1");
	refused(EINVAL, "not a local address");
	/* Its peer is at 192.0.2.2. */
	change_ip("u0", "2001:db8::1");
	refused(EAFNOSUPPORT, "a peer on this link has another kind");
	change_ip("u0", "192.0.2.2");
	refused(EADDRINUSE, "a peer on this link has this address");
	link_is("u0 udp local 192.0.2.1 port 7007 up");
}

/* Ports in use, and a link that is in its own way. */
static void links_set_udp(void)
{
	int fd = udp_bind("192.0.2.1", 7009, 1);

	change_u16("u0", PSYNC_A_LINK_PORT, 7009);
	refused(EADDRINUSE, "UDP port is in use");
	works(close(fd));
	fd = udp_bind("127.0.0.1", 7007, 0);
	change_ip("u0", "0.0.0.0");
	refused(EADDRINUSE, "UDP port is in use");
	works(close(fd));
	link_is("u0 udp local 192.0.2.1 port 7007 up");
	assert_int_equal(udp_bind("192.0.2.1", 7007, 1), -1);

	change_ip("u0", "0.0.0.0");
	done();
	link_is("u0 udp local 0.0.0.0 port 7007 up");
	assert_int_equal(udp_bind("127.0.0.1", 7007, 1), -1);
	change_ip("u0", "192.0.2.1");
	done();
	link_is("u0 udp local 192.0.2.1 port 7007 up");
	assert_int_equal(udp_bind("192.0.2.1", 7007, 1), -1);
	works(close(udp_bind("127.0.0.1", 7007, 1)));
	change_u16("u0", PSYNC_A_LINK_PORT, 7008);
	done();
	link_is("u0 udp local 192.0.2.1 port 7008 up");
	works(close(udp_bind("192.0.2.1", 7007, 1)));

	change_ip("u1", "::");
	done();
	link_is("u1 udp local :: port 7007 up");
	change_ip("u1", "2001:db8::1");
	nl_u16(nl, PSYNC_A_LINK_PORT, 7010);
	done();
	/* Nobody uses this one. */
	change_ip("u1", "192.0.2.1");
	done();
	link_is("u1 udp local 192.0.2.1 port 7010 up");
}

static void links_set(void)
{
	links_set_refused();
	links_set_udp();
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x88b7);
	done();
	link_is("l0 eth dev d0 ethertype 0x88b7 up");
	if (system("ip link add d1 type dummy && ip link set d1 up"))
		fail_msg("no device");
	change("l0");
	nl_str(nl, PSYNC_A_LINK_DEV, "d1");
	done();
	link_is("l0 eth dev d1 ethertype 0x88b7 up");
	change_u16("l1", PSYNC_A_LINK_ETHERTYPE, 0x88b7);
	done();
	/* The peer has gone with its link. */
	peer(PSYNC_CMD_PEER_SET, 2, NULL, "192.0.2.3", NULL);
	done();
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "u0");
	refused(EBUSY, "peers use this link");
}

static void links(void **state)
{
	net_new();
	site(1);
	done();
	links_eth();
	links_udp();
	links_del();
	links_set();
	net_end();
}

static void peers(void **state)
{
	const char mac[] = "\2\0\0\0\0\2", mac2[] = "\2\0\0\0\0\3";

	net_new();
	site(1);
	done();
	link_eth("e", "d0");
	done();
	link_udp("u", "192.0.2.1");
	done();
	peer(PSYNC_CMD_PEER_ADD, 0, "e", NULL, mac);
	refused(EINVAL, "site id missing");
	peer(PSYNC_CMD_PEER_ADD, 2, NULL, NULL, mac);
	refused(EINVAL, "link missing");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, NULL);
	refused(EINVAL, "address missing");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", "192.0.2.2", mac);
	refused(EINVAL, "more than one address");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, mac);
	nl_u16(nl, PSYNC_A_PEER_PORT, 7);
	refused(EINVAL, "a UDP port needs an IP address");
	peer(PSYNC_CMD_PEER_ADD, 1, "e", NULL, mac);
	refused(EINVAL, "our own site id");
	peer(PSYNC_CMD_PEER_ADD, 2, "x", NULL, mac);
	refused(ENODEV, "no link has this name");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", "192.0.2.2", NULL);
	refused(EAFNOSUPPORT, "another kind of address");
	peer(PSYNC_CMD_PEER_ADD, 2, "u", NULL, mac);
	refused(EAFNOSUPPORT, "another kind of address");
	peer(PSYNC_CMD_PEER_ADD, 2, "u", "2001:db8::2", NULL);
	refused(EAFNOSUPPORT, "another kind of address");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, "\1\0\0\0\0\2");
	refused(EINVAL, "not the address (and port) of one host");
	peer(PSYNC_CMD_PEER_ADD, 2, "u", "224.0.0.2", NULL);
	refused(EINVAL, "not the address (and port) of one host");
	peer(PSYNC_CMD_PEER_ADD, 2, "u", "192.0.2.1", NULL);
	refused(EINVAL, "own address");
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, mac);
	done();
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, mac2);
	refused(EEXIST, "there is a peer of this site id");
	peer(PSYNC_CMD_PEER_ADD, 3, "e", NULL, mac);
	refused(EADDRINUSE, "another peer has this address");
	peer(PSYNC_CMD_PEER_ADD, 3, "e", NULL, mac2);
	done();

	peer(PSYNC_CMD_PEER_SET, 0, "e", NULL, NULL);
	refused(EINVAL, "site id missing");
	peer(PSYNC_CMD_PEER_SET, 2, NULL, NULL, NULL);
	refused(EINVAL, "neither link nor address");
	peer(PSYNC_CMD_PEER_SET, 9, "e", NULL, mac);
	refused(ENOENT, "no peer");
	peer(PSYNC_CMD_PEER_SET, 2, NULL, NULL, mac2);
	refused(EADDRINUSE, "another peer has this address");
	peer(PSYNC_CMD_PEER_SET, 2, "u", NULL, NULL);
	refused(EAFNOSUPPORT, "another kind of address");
	peer(PSYNC_CMD_PEER_SET, 2, "x", NULL, NULL);
	refused(ENODEV, "no link has this name");
	peer(PSYNC_CMD_PEER_SET, 2, "u", "192.0.2.2", NULL);
	done();
	peer(PSYNC_CMD_PEER_GET, 0, NULL, NULL, NULL);
	refused(EINVAL, "site id missing");
	peer(PSYNC_CMD_PEER_GET, 9, NULL, NULL, NULL);
	refused(ENOENT, "no such peer");
	peer(PSYNC_CMD_PEER_GET, 2, NULL, NULL, NULL);
	done();
	peer(PSYNC_CMD_PEER_DEL, 0, NULL, NULL, NULL);
	refused(EINVAL, "site id missing");
	peer(PSYNC_CMD_PEER_DEL, 9, NULL, NULL, NULL);
	refused(ENOENT, "no peer");
	peer(PSYNC_CMD_PEER_DEL, 2, NULL, NULL, NULL);
	done();
	net_end();
}

/* What becomes of slow members of group 1. */
static void group_slow(void)
{
	group(PSYNC_CMD_GROUP_SET, 1, NULL, NULL, 0);
	nl_u32(nl, PSYNC_A_GROUP_SLOW, PSYNC_SLOW_MASK + 1);
	refused(EINVAL, "slow is block, skip, suspect or mask");
	group(PSYNC_CMD_GROUP_SET, 1, NULL, NULL, 0);
	nl_u32(nl, PSYNC_A_GROUP_SLOW, PSYNC_SLOW_MASK);
	done();
	group(PSYNC_CMD_GROUP_SET, 1, NULL, NULL, 0);
	nl_u32(nl, PSYNC_A_GROUP_SLOW_MS, 500);
	done();
}

static void groups(void **state)
{
	struct psync_pid pids[1025];
	unsigned int i;

	net_new();
	for (i = 0; i < COUNT(pids); i++)
		pids[i] = (struct psync_pid){ 1 + i, 5 };
	group(PSYNC_CMD_GROUP_ADD, 0, "a", pids, 2);
	refused(EINVAL, "number missing");
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 0);
	refused(EINVAL, "members missing");
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 1);
	refused(EINVAL, "2 to 1024 members");
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 1025);
	refused(ERANGE, "");
	nl_begin(nl, PSYNC_CMD_GROUP_ADD);
	nl_u32(nl, PSYNC_A_GROUP_NUMBER, 1);
	nl_put(nl, PSYNC_A_GROUP_PIDS, pids, 20);
	refused(EINVAL, "not a list of pids");
	group(PSYNC_CMD_GROUP_ADD, 1, "", pids, 2);
	refused(EINVAL, "1 to 15 characters");
	group(PSYNC_CMD_GROUP_ADD, 1, "1a", pids, 2);
	refused(EINVAL, "must not begin with a digit");
	group(PSYNC_CMD_GROUP_ADD, 1, "a b", pids, 2);
	refused(EINVAL, "letters, digits, dot, dash");
	group(PSYNC_CMD_GROUP_ADD, 1, "a234567890123456", pids, 2);
	refused(EINVAL, "");
	pids[1].site = 0;
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 2);
	refused(EINVAL, "must not be zero");
	pids[1] = pids[0];
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 2);
	refused(EINVAL, "a pid is in the group twice");
	pids[1].port = 0;
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 2);
	refused(EINVAL, "must not be zero");
	pids[1].port = 6;
	group(PSYNC_CMD_GROUP_ADD, 1, "a", pids, 2);
	done();
	group(PSYNC_CMD_GROUP_ADD, 1, "b", pids, 2);
	refused(EEXIST, "another group has this number");
	group(PSYNC_CMD_GROUP_ADD, 2, "a", pids, 2);
	refused(EEXIST, "another group has this name");
	group(PSYNC_CMD_GROUP_ADD, 2, NULL, pids, 1024);
	done();
	group(PSYNC_CMD_GROUP_GET, 0, "g2", NULL, 0);
	done();

	group(PSYNC_CMD_GROUP_SET, 1, NULL, NULL, 0);
	refused(EINVAL, "neither name nor members");
	group(PSYNC_CMD_GROUP_SET, 0, "c", NULL, 0);
	refused(EINVAL, "number missing");
	group(PSYNC_CMD_GROUP_SET, 9, "c", pids, 2);
	refused(ENOENT, "no such group");
	group(PSYNC_CMD_GROUP_SET, 1, "g2", NULL, 0);
	refused(EEXIST, "another group has this name");
	group(PSYNC_CMD_GROUP_SET, 1, "c", NULL, 0);
	done();
	group(PSYNC_CMD_GROUP_SET, 1, NULL, pids + 2, 3);
	done();
	group_slow();
	group(PSYNC_CMD_GROUP_GET, 0, NULL, NULL, 0);
	refused(EINVAL, "by number or by name");
	group(PSYNC_CMD_GROUP_GET, 1, "c", NULL, 0);
	refused(EINVAL, "by number or by name");
	group(PSYNC_CMD_GROUP_GET, 0, "a", NULL, 0);
	refused(ENOENT, "no such group");
	group(PSYNC_CMD_GROUP_GET, 9, NULL, NULL, 0);
	refused(ENOENT, "no such group");
	group(PSYNC_CMD_GROUP_DEL, 9, NULL, NULL, 0);
	refused(ENOENT, "no such group");
	group(PSYNC_CMD_GROUP_DEL, 0, NULL, NULL, 0);
	refused(EINVAL, "by number or by name");
	group(PSYNC_CMD_GROUP_DEL, 0, "c", NULL, 0);
	done();
	group(PSYNC_CMD_GROUP_DEL, 2, NULL, NULL, 0);
	done();
	net_end();
}

static int dump(uint8_t command)
{
	bool intr;

	nl_begin(nl, command);
	return nl_dump(nl, 0, NULL, 0, &intr);
}

/* A dump of a conversation's parts is refused, with words. */
static void dump_refused(int code, const char *words)
{
	bool intr;

	assert_int_equal(nl_dump(nl, 0, NULL, 0, &intr), -code);
	assert_non_null(strstr(nl_words(nl), words));
}

static void observed_nothing(void)
{
	assert_int_equal(dump(PSYNC_CMD_CONV_GET), 0);
	nl_begin(nl, PSYNC_CMD_CONV_GET);
	refused(EINVAL, "conversation id missing");
	nl_begin(nl, PSYNC_CMD_CONV_GET);
	nl_u64(nl, PSYNC_A_CONV_CID, 5);
	refused(ENOENT, "no such conversation");
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	nl_u64(nl, PSYNC_A_VIEW_CID, 5);
	refused(EINVAL, "id or index missing");
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	nl_u64(nl, PSYNC_A_VIEW_CID, 5);
	nl_u32(nl, PSYNC_A_VIEW_INDEX, 0);
	refused(ENOENT, "no such conversation");
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	dump_refused(EINVAL, "conversation id missing");
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	nl_u64(nl, PSYNC_A_VIEW_CID, 5);
	dump_refused(ENOENT, "no such conversation");
	nl_begin(nl, PSYNC_CMD_GRAPH_GET);
	nl_u64(nl, PSYNC_A_NODE_CID, 5);
	refused(EINVAL, "message id missing");
	nl_begin(nl, PSYNC_CMD_GRAPH_GET);
	nl_u64(nl, PSYNC_A_NODE_CID, 5);
	dump_refused(ENOENT, "no such conversation");
	nl_begin(nl, PSYNC_CMD_STAT_GET);
	refused(EINVAL, "counter name missing");
	nl_begin(nl, PSYNC_CMD_STAT_GET);
	nl_str(nl, PSYNC_A_STAT_NAME, "DropEverything");
	refused(ENOENT, "no such counter");
	nl_begin(nl, PSYNC_CMD_STAT_GET);
	nl_str(nl, PSYNC_A_STAT_NAME, "DropDigest");
	done();
	assert_in_range(dump(PSYNC_CMD_STAT_GET), 40, 200);
	nl_begin(nl, PSYNC_CMD_LINK_GET);
	nl_str(nl, PSYNC_A_LINK_NAME, "x");
	dump_refused(EINVAL, "takes no attributes");
}

static void observed(void **state)
{
	const struct psync_pid pids[] = { { 1, 5 }, { 1, 6 } };
	uint64_t cid;
	bool intr;
	int fd;

	net_new();
	observed_nothing();
	site(1);
	done();
	group(PSYNC_CMD_GROUP_ADD, 1, NULL, pids, 2);
	done();
	fd = works(socket(lab.family, SOCK_SEQPACKET, 0));
	works(sock_connect(fd, 1, 1));
	works(send(fd, "x", 1, 0));
	works(send(fd, "y", 1, 0));
	cid = opt_u64(fd, PSYNC_CID);
	assert_int_equal(dump(PSYNC_CMD_CONV_GET), 1);
	nl_begin(nl, PSYNC_CMD_CONV_GET);
	nl_u64(nl, PSYNC_A_CONV_CID, cid);
	done();
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	nl_u64(nl, PSYNC_A_VIEW_CID, cid);
	nl_u32(nl, PSYNC_A_VIEW_INDEX, 1);
	refused(ENOENT, "no such participant");
	nl_begin(nl, PSYNC_CMD_VIEW_GET);
	nl_u64(nl, PSYNC_A_VIEW_CID, cid);
	nl_u32(nl, PSYNC_A_VIEW_INDEX, 0);
	done();
	nl_begin(nl, PSYNC_CMD_GRAPH_GET);
	nl_u64(nl, PSYNC_A_NODE_CID, cid);
	nl_u64(nl, PSYNC_A_NODE_MID, PSYNC_MID(0, 3));
	refused(ENOENT, "not in the image");
	nl_begin(nl, PSYNC_CMD_GRAPH_GET);
	nl_u64(nl, PSYNC_A_NODE_CID, cid);
	nl_u64(nl, PSYNC_A_NODE_MID, PSYNC_MID(0, 2));
	done();
	nl_begin(nl, PSYNC_CMD_GRAPH_GET);
	nl_u64(nl, PSYNC_A_NODE_CID, cid);
	assert_int_equal(nl_dump(nl, 0, NULL, 0, &intr), 2);
	works(close(fd));
	assert_int_equal(dump(PSYNC_CMD_CONV_GET), 0);
	net_end();
}

static const struct psync_pid two_pids[] = { { 1, 5 }, { 2, 5 } };

static FILE *limit_open(const char *name, const char *mode)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/psync/%s", name);
	return fopen(path, mode);
}

/* Of the namespace we are in, as whoever we are.  Returns 0 or an errno. */
static int limit(const char *name, unsigned int value)
{
	FILE *f = limit_open(name, "w");

	if (!f)
		return errno;
	fprintf(f, "%u\n", value);
	return fclose(f) ? errno : 0;
}

static unsigned int limit_now(const char *name)
{
	FILE *f = limit_open(name, "r");
	unsigned int value = 0;

	if (!f || fscanf(f, "%u", &value) != 1)
		fail_msg("no %s", name);
	fclose(f);
	return value;
}

static void limits_links(void)
{
	assert_int_equal(limit("links_max", 2), 0);
	link_eth("e", "d0");
	done();
	link_udp("u", "192.0.2.1");
	done();
	link_udp("v", "2001:db8::1");
	refused(ENOSPC, "net.psync.links_max");
	/* A better reason. */
	link_udp("u", "2001:db8::1");
	refused(EEXIST, "there is a link of this name");
	change_u16("u", PSYNC_A_LINK_PORT, 7008);
	done();
	/* Fewer than there are: these stay. */
	assert_int_equal(limit("links_max", 1), 0);
	change_u16("u", PSYNC_A_LINK_PORT, 7009);
	done();
	assert_int_equal(dump(PSYNC_CMD_LINK_GET), 2);
	link_del("u");
	done();
	link_udp("v", "2001:db8::1");
	refused(ENOSPC, "net.psync.links_max");
	assert_int_equal(limit("links_max", 2), 0);
	/* What fails does not count. */
	link_udp("v", "2001:db8::9");
	refused(EADDRNOTAVAIL, "no interface has this address");
	link_udp("v", "2001:db8::1");
	done();
	link_udp("w", "192.0.2.1");
	refused(ENOSPC, "net.psync.links_max");
}

static void limits_peers(void)
{
	assert_int_equal(limit("peers_max", 2), 0);
	peer(PSYNC_CMD_PEER_ADD, 2, "e", NULL, "\2\0\0\0\0\2");
	done();
	peer(PSYNC_CMD_PEER_ADD, 3, "v", "2001:db8::3", NULL);
	done();
	peer(PSYNC_CMD_PEER_ADD, 4, "e", NULL, "\2\0\0\0\0\4");
	refused(ENOSPC, "net.psync.peers_max");
	peer(PSYNC_CMD_PEER_ADD, 3, "e", NULL, "\2\0\0\0\0\4");
	refused(EEXIST, "there is a peer of this site id");
	peer(PSYNC_CMD_PEER_SET, 2, "v", "2001:db8::2", NULL);
	done();
	/* They are replaced with their link. */
	change_ip("v", "::");
	done();
	assert_int_equal(limit("peers_max", 1), 0);
	peer(PSYNC_CMD_PEER_SET, 3, "e", NULL, "\2\0\0\0\0\3");
	done();
	assert_int_equal(dump(PSYNC_CMD_PEER_GET), 2);
	peer(PSYNC_CMD_PEER_DEL, 3, NULL, NULL, NULL);
	done();
	peer(PSYNC_CMD_PEER_ADD, 4, "e", NULL, "\2\0\0\0\0\4");
	refused(ENOSPC, "net.psync.peers_max");
	assert_int_equal(limit("peers_max", 2), 0);
	peer(PSYNC_CMD_PEER_ADD, 4, "e", NULL, "\2\0\0\0\0\4");
	done();
	peer(PSYNC_CMD_PEER_ADD, 3, "e", NULL, "\2\0\0\0\0\3");
	refused(ENOSPC, "net.psync.peers_max");
}

static void limits_groups(void)
{
	assert_int_equal(limit("groups_max", 2), 0);
	group(PSYNC_CMD_GROUP_ADD, 1, NULL, two_pids, 2);
	done();
	group(PSYNC_CMD_GROUP_ADD, 2, NULL, two_pids, 2);
	done();
	group(PSYNC_CMD_GROUP_ADD, 3, NULL, two_pids, 2);
	refused(ENOSPC, "net.psync.groups_max");
	group(PSYNC_CMD_GROUP_ADD, 2, NULL, two_pids, 2);
	refused(EEXIST, "another group has this number");
	group(PSYNC_CMD_GROUP_SET, 2, "x", two_pids, 2);
	done();
	assert_int_equal(limit("groups_max", 1), 0);
	group(PSYNC_CMD_GROUP_SET, 2, "y", NULL, 0);
	done();
	assert_int_equal(dump(PSYNC_CMD_GROUP_GET), 2);
	group(PSYNC_CMD_GROUP_DEL, 2, NULL, NULL, 0);
	done();
	group(PSYNC_CMD_GROUP_ADD, 3, NULL, two_pids, 2);
	refused(ENOSPC, "net.psync.groups_max");
	assert_int_equal(limit("groups_max", 2), 0);
	group(PSYNC_CMD_GROUP_ADD, 3, NULL, two_pids, 2);
	done();
	group(PSYNC_CMD_GROUP_ADD, 2, NULL, two_pids, 2);
	refused(ENOSPC, "net.psync.groups_max");
}

/* As many as there may be, not one more; but those may be changed. */
static void limits(void **state)
{
	net_new();
	site(1);
	done();
	limits_links();
	limits_peers();
	limits_groups();
	net_end();
}

/* In a child, as user 1000; returns what @act does. */
static int as_user_do(int unshare_flags, int (*act)(void (*change)(void)),
		      void (*change)(void))
{
	int status;
	pid_t pid = works(fork());

	if (!pid) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
		    (unshare_flags && unshare(unshare_flags)))
			_exit(99);
		nl = nl_here();
		_exit(act(change));
	}
	works(waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_change(void (*change)(void))
{
	change();
	return -nl_talk(nl);
}

/* What is the answer to a change? */
static int as_user(int unshare_flags, void (*change)(void))
{
	return as_user_do(unshare_flags, try_change, change);
}

static const char * const limit_names[] = {
	"peers_max", "groups_max", "links_max",
};

static unsigned int limits_first[COUNT(limit_names)];

/* As root of a namespace of its own; returns a number for what is wrong, or 0. */
static int try_limits(void (*change)(void))
{
	const char *name;
	unsigned int i;

	for (i = 0; i < COUNT(limit_names); i++) {
		name = limit_names[i];
		if (limit_now(name) != limits_first[i])
			return 10 * i + 1;
		if (limit(name, limits_first[i] + 1) != EINVAL)
			return 10 * i + 2;
		if (limit(name, 1) || limit_now(name) != 1)
			return 10 * i + 3;
		if (limit(name, limits_first[i] + 1) != EINVAL)
			return 10 * i + 4;
		if (limit(name, limits_first[i]))
			return 10 * i + 5;
	}
	if (limit("groups_max", 1))
		return 91;
	group(PSYNC_CMD_GROUP_ADD, 1, NULL, two_pids, 2);
	if (nl_talk(nl))
		return 92;
	group(PSYNC_CMD_GROUP_ADD, 2, NULL, two_pids, 2);
	return nl_talk(nl) == -ENOSPC ? 0 : 93;
}

/* Who owns a user namespace has the limits of the first one for its bounds. */
static void limits_owned(void **state)
{
	unsigned int i;

	for (i = 0; i < COUNT(limit_names); i++)
		limits_first[i] = sysctl_get(0, limit_names[i]);
	net_new();
	assert_int_equal(as_user_do(CLONE_NEWUSER | CLONE_NEWNET, try_limits,
				    NULL), 0);
	net_end();
}

static void change_site(void) { site(7); }
static void change_link(void) { link_eth("x", "d0"); }
static void change_peer(void)
{
	peer(PSYNC_CMD_PEER_ADD, 5, "l0", NULL, "\2\0\0\0\0\7");
}
static void change_group(void)
{
	group(PSYNC_CMD_GROUP_ADD, 77, NULL, two_pids, 2);
}
static void remove_link(void)
{
	link_del("l0");
}
static void remove_peer(void)
{
	peer(PSYNC_CMD_PEER_DEL, 2, NULL, NULL, NULL);
}
static void remove_group(void)
{
	group(PSYNC_CMD_GROUP_DEL, 1, NULL, NULL, 0);
}
static void set_link(void)
{
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x88b6);
}
static void set_peer(void)
{
	peer(PSYNC_CMD_PEER_SET, 2, "l0", NULL, NULL);
}
static void set_group(void)
{
	group(PSYNC_CMD_GROUP_SET, 1, "x", NULL, 0);
}
static void read_site(void) { nl_begin(nl, PSYNC_CMD_SITE_GET); }
static void read_group(void)
{
	group(PSYNC_CMD_GROUP_GET, 1, NULL, NULL, 0);
}

/* Changes need CAP_NET_ADMIN in the namespace; reading needs nothing. */
static void permissions(void **state)
{
	static void (*const changes[])(void) = {
		change_site, change_link, change_peer, change_group, set_link,
		set_peer, set_group, remove_link, remove_peer, remove_group,
	};
	unsigned int i;

	net_new();
	site(1);
	done();
	link_eth("l0", "d0");
	done();
	peer(PSYNC_CMD_PEER_ADD, 2, "l0", NULL, "\2\0\0\0\0\6");
	done();
	group(PSYNC_CMD_GROUP_ADD, 1, NULL, two_pids, 2);
	done();
	for (i = 0; i < COUNT(changes); i++) {
		assert_int_equal(as_user(0, changes[i]), EPERM);
		/* Root of a user namespace is nobody in this one. */
		assert_int_equal(as_user(CLONE_NEWUSER, changes[i]), EPERM);
	}
	assert_int_equal(as_user(0, read_site), 0);
	assert_int_equal(as_user(0, read_group), 0);
	/* ... and root in its own. */
	assert_int_equal(as_user(CLONE_NEWUSER | CLONE_NEWNET, change_site),
			 0);
	assert_int_equal(as_user(CLONE_NEWUSER | CLONE_NEWNET, change_group),
			 0);
	net_end();
}

static void notifications(void **state)
{
	struct nl *ear;

	net_new();
	ear = nl_here();
	nl_listen(ear);
	site(1);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_SITE_NTF);
	/* What changes nothing is no news. */
	site(1);
	done();
	link_eth("l0", "d0");
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_LINK_ADD_NTF);
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x88b5);
	done();
	change_u16("l0", PSYNC_A_LINK_ETHERTYPE, 0x88b6);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_LINK_SET_NTF);
	peer(PSYNC_CMD_PEER_ADD, 2, "l0", NULL, "\2\0\0\0\0\6");
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_PEER_ADD_NTF);
	peer(PSYNC_CMD_PEER_SET, 2, NULL, NULL, "\2\0\0\0\0\7");
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_PEER_SET_NTF);
	peer(PSYNC_CMD_PEER_DEL, 2, NULL, NULL, NULL);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_PEER_DEL_NTF);
	nl_begin(nl, PSYNC_CMD_LINK_DEL);
	nl_str(nl, PSYNC_A_LINK_NAME, "l0");
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_LINK_DEL_NTF);
	group(PSYNC_CMD_GROUP_ADD, 1, NULL, two_pids, 2);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_GROUP_ADD_NTF);
	group(PSYNC_CMD_GROUP_SET, 1, "x", NULL, 0);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_GROUP_SET_NTF);
	group(PSYNC_CMD_GROUP_DEL, 1, NULL, NULL, 0);
	done();
	assert_int_equal(nl_notice(ear), PSYNC_CMD_GROUP_DEL_NTF);
	nl_close(ear);
	net_end();
}

#define MANY		120
#define MEMBERS		200

static struct nl *changer;
static unsigned int changes;

/* Deletes an odd group and adds it again, another each time. */
static void change_odd(void)
{
	uint32_t number = 1 + 2 * (changes++ % (MANY / 2));
	struct nl *saved = nl;

	nl = changer;
	group(PSYNC_CMD_GROUP_DEL, number, NULL, NULL, 0);
	done();
	group(PSYNC_CMD_GROUP_ADD, number, NULL, two_pids, 2);
	done();
	nl = saved;
}

/*
 * What exists all the time is in a dump, once, whatever changes meanwhile; and
 * that something did is told.
 */
static void dumps(void **state)
{
	struct psync_pid pids[MEMBERS];
	uint32_t keys[2 * MANY];
	unsigned int i, k, seen;
	bool intr;
	int n;

	net_new();
	changer = nl_here();
	for (i = 0; i < MEMBERS; i++)
		pids[i] = (struct psync_pid){ 1 + i, 5 };
	for (i = 1; i <= MANY; i++) {
		group(PSYNC_CMD_GROUP_ADD, i, NULL, pids, MEMBERS);
		done();
	}
	nl_begin(nl, PSYNC_CMD_GROUP_GET);
	n = nl_dump(nl, PSYNC_A_GROUP_NUMBER, keys, COUNT(keys), &intr);
	assert_int_equal(n, MANY);
	assert_false(intr);
	for (i = 0; i < MANY; i++)
		assert_int_equal(keys[i], i + 1);

	changes = 0;
	nl_begin(nl, PSYNC_CMD_GROUP_GET);
	n = nl_dump_between(nl, PSYNC_A_GROUP_NUMBER, keys, COUNT(keys), &intr,
			    change_odd);
	assert_in_range(changes, 4, 1000);
	assert_true(intr);
	assert_in_range(n, MANY / 2, MANY);
	for (i = 2; i <= MANY; i += 2) {
		for (k = 0, seen = 0; k < (unsigned int)n; k++)
			seen += keys[k] == i;
		assert_int_equal(seen, 1);
	}
	nl_close(changer);
	net_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites),
		cmocka_unit_test(links),
		cmocka_unit_test(peers),
		cmocka_unit_test(groups),
		cmocka_unit_test(observed),
		cmocka_unit_test(limits),
		cmocka_unit_test(limits_owned),
		cmocka_unit_test(permissions),
		cmocka_unit_test(notifications),
		cmocka_unit_test(dumps),
	};

	lab_init();
	return lab_main(tests);
}
