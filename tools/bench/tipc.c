// SPDX-License-Identifier: GPL-2.0-only
/* A communication group of TIPC: messages go to all its members. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/tipc.h>

#include "bench.h"

#define TIPC_BENCH_TYPE	5000

static enum bench_got tipc_bench_receive(int fd, struct bench_msg *m);

static int tipc_bench_open(const struct bench *b, uint32_t host)
{
	struct tipc_group_req req = {
		.type		= TIPC_BENCH_TYPE + b->number,
		.instance	= host,
		.scope		= TIPC_CLUSTER_SCOPE,
		.flags		= TIPC_GROUP_MEMBER_EVTS,
	};
	uint64_t end = bench_now() + BENCH_PATIENCE_NS;
	uint32_t there = 1;
	struct bench_msg m;
	int fd;

	fd = socket(AF_TIPC, SOCK_RDM | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_TIPC, TIPC_GROUP_JOIN, &req,
				 sizeof(req)))
		bench_die("tipc: %s", strerror(errno));
	/* Nobody says anything before all are there: these are events. */
	while (there < b->hosts) {
		if (bench_now() > end)
			bench_die("tipc: %u of %u are there", there, b->hosts);
		if (bench_await(b, fd, false, 1000) &&
		    tipc_bench_receive(fd, &m) == BENCH_MSG)
			there++;
	}
	return fd;
}

static enum bench_got tipc_bench_receive(int fd, struct bench_msg *m)
{
	struct {
		struct sockaddr_tipc sock;
		struct sockaddr_tipc member;
	} from = { 0 };
	uint8_t body[BENCH_BODY_MAX];
	struct iovec iov = { body, sizeof(body) };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = &from, .msg_namelen = sizeof(from),
	};
	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return BENCH_NOTHING;
	if (n < 0)
		bench_die("recvmsg: %s", strerror(errno));
	memset(m, 0, sizeof(*m));
	if (h.msg_flags & MSG_OOB) {
		m->from = from.member.addr.name.name.instance;
		return h.msg_flags & MSG_EOR ? BENCH_LEFT : BENCH_MSG;
	}
	if (n < (ssize_t)sizeof(*m))
		bench_die("a message of %zd bytes", n);
	memcpy(m, body, sizeof(*m));
	return BENCH_MSG;
}

const struct bench_link bench_tipc = {
	.name		= "tipc",
	.open		= tipc_bench_open,
	.receive	= tipc_bench_receive,
};
