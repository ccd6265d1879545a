// SPDX-License-Identifier: GPL-2.0-only
/* How many participants fit a packet: see protocol.rst, Limits. */

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc.h"
#include "print.h"
#include "room.h"

#define ROOM_FIXED	120	/* PSYNC_WIRE_FIXED, struct psync_wire_origin */
#define ROOM_LIMIT	1024	/* PSYNC_PARTICIPANTS_LIM */
#define ROOM_PACKET	65535	/* what the length field can say */
#define ROOM_HEAD4	28	/* IPv4 and UDP */
#define ROOM_HEAD6	48	/* IPv6 and UDP */

/* The longest header of a message: a stamp, or at first the list. */
static uint32_t room_header(uint32_t n, bool rendezvous)
{
	uint32_t stamp = 4 * n + 4 * ((n + 31) / 32);
	uint32_t list = rendezvous ? 0 : 8 * n;

	return ROOM_FIXED + (stamp > list ? stamp : list);
}

uint32_t room_most(uint32_t bytes, bool rendezvous)
{
	uint32_t n = 0;

	while (n < ROOM_LIMIT && room_header(n + 1, rendezvous) < bytes)
		n++;
	return n;
}

static uint32_t room_of_dev(const char *dev)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {};
	uint32_t mtu = 0;

	memcpy(req.ifr_name, dev, strnlen(dev, sizeof(req.ifr_name) - 1));
	if (fd >= 0 && !ioctl(fd, SIOCGIFMTU, &req) && req.ifr_mtu > 0)
		mtu = (uint32_t)req.ifr_mtu;
	if (fd >= 0)
		close(fd);
	return mtu;
}

/* What a UDP socket at @addr can send at once, as the module sees it. */
static uint32_t room_of_addr(const struct text_addr *addr)
{
	struct sockaddr_in6 to6 = {
		.sin6_family = AF_INET6, .sin6_addr = addr->ip6,
		.sin6_port = htons(9),
	};
	struct sockaddr_in to4 = {
		.sin_family = AF_INET, .sin_addr = addr->ip4,
		.sin_port = htons(9),
	};
	bool four = addr->family == AF_INET;
	const struct sockaddr *to = four ? (void *)&to4 : (void *)&to6;
	socklen_t len = four ? sizeof(to4) : sizeof(to6);
	int head = four ? ROOM_HEAD4 : ROOM_HEAD6, mtu = 0;
	socklen_t size = sizeof(mtu);
	int fd = socket(addr->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (connect(fd, to, len) ||
	    getsockopt(fd, four ? IPPROTO_IP : IPPROTO_IPV6,
		       four ? IP_MTU : IPV6_MTU, &mtu, &size))
		mtu = 0;
	close(fd);
	return mtu > head ? (uint32_t)(mtu - head) : 0;
}

static uint32_t room_of_peer(const struct ipc_peer *peer,
			     const struct ipc_link *links, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!strcmp(links[i].name, peer->link))
			return links[i].kind == PSYNC_LINK_KIND_ETH ?
				room_of_dev(links[i].dev) :
				room_of_addr(&peer->addr);
	return 0;
}

static bool room_is_member(const struct ipc_group *group, uint32_t site)
{
	uint32_t i;

	for (i = 0; i < group->n; i++)
		if (group->pids[i].site == site)
			return true;
	return false;
}

/* Bytes of the smallest packet on the way to a member's site, 0: unknown. */
static uint32_t room_of_group(struct ipc *ipc, const struct ipc_group *group)
{
	struct ipc_peer *peers = NULL;
	struct ipc_link *links = NULL;
	uint32_t least = ROOM_PACKET, room;
	int i, npeers, nlinks;

	npeers = ipc_peer_list(ipc, &peers);
	nlinks = ipc_link_list(ipc, &links);
	for (i = 0; i < npeers; i++) {
		if (!room_is_member(group, peers[i].site))
			continue;
		room = room_of_peer(&peers[i], links, nlinks);
		if (room && room < least)
			least = room;
	}
	free(peers);
	free(links);
	return least < ROOM_PACKET ? least : 0;
}

int room_refused(const struct cli *cli, uint32_t group)
{
	uint32_t bytes = 0, members = 0;
	struct ipc_group *groups = NULL;
	struct ipc *ipc = NULL;
	int i, n;

	n = ipc_open(&ipc);
	if (!n)
		n = ipc_group_list(ipc, &groups);
	for (i = 0; i < n; i++) {
		if (groups[i].number != group)
			continue;
		members = groups[i].n;
		bytes = room_of_group(ipc, &groups[i]);
	}
	ipc_group_free(groups, n);
	ipc_close(ipc);
	if (!bytes)
		return cli_fail_errno(cli, -EMSGSIZE,
				      "the group has too many members for the packets of its links");
	return cli_fail_errno(cli, -EMSGSIZE, "%" PRIu32
			      " members do not fit a packet of %" PRIu32
			      " bytes: at most %" PRIu32
			      " participants, in a rendezvous (psync chat) %"
			      PRIu32, members, bytes, room_most(bytes, false),
			      room_most(bytes, true));
}
