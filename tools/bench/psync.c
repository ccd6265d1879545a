// SPDX-License-Identifier: GPL-2.0-only
/* A conversation of psync: a rendezvous of the group's members. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/psync.h>

#include "bench.h"

#define PSYNC_BENCH_MIDS	8192

static int psync_bench_family(void)
{
	FILE *f = fopen("/sys/module/psync/parameters/family", "r");
	int family;

	if (!f || fscanf(f, "%d", &family) != 1)
		bench_die("psync is not loaded");
	fclose(f);
	return family;
}

static int psync_bench_open(const struct bench *b, uint32_t host)
{
	struct sockaddr_psync addr = {
		.sp_family	= psync_bench_family(),
		.sp_type	= PSYNC_ADDR_GROUP,
		.sp_group	= b->group,
		.sp_number	= b->number,
	};
	uint32_t what = PSYNC_RECV_INFO;
	int fd;

	/* Null messages are for the graph; none are wanted elsewhere. */
	if (b->victim >= 0)
		what |= PSYNC_RECV_NULLS;
	fd = socket(addr.sp_family, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_PSYNC, PSYNC_RECVINFO, &what,
				 sizeof(what)) ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		bench_die("psync: %s", strerror(errno));
	return fd;
}

static const struct psync_msginfo *psync_bench_info(struct msghdr *h)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_PSYNC &&
		    c->cmsg_type == PSYNC_CMSG_INFO)
			return (const void *)CMSG_DATA(c);
	bench_die("a message without information");
}

static enum bench_got psync_bench_receive(int fd, struct bench_msg *m)
{
	uint8_t body[BENCH_BODY_MAX];
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	struct iovec iov = { body, sizeof(body) };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	const struct psync_msginfo *info;
	ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return BENCH_NOTHING;
	if (n < 0)
		bench_die("recvmsg: %s", strerror(errno));
	info = psync_bench_info(&h);
	memset(m, 0, sizeof(*m));
	m->from = info->index;
	m->number = PSYNC_MID_SEQ(info->mid);
	if (info->flags & PSYNC_MSG_END)
		return BENCH_LEFT;
	if (info->flags & PSYNC_MSG_NULL)
		return BENCH_MSG;
	if (n < (ssize_t)sizeof(*m))
		bench_die("a message of %zd bytes", n);
	memcpy(m, body, sizeof(*m));
	return BENCH_MSG;
}

static uint32_t psync_bench_query(int fd, int option, uint64_t mid,
				  uint64_t *mids, uint32_t room)
{
	static struct {
		struct psync_query q;
		uint64_t mids[PSYNC_BENCH_MIDS];
	} a;
	socklen_t len = sizeof(a.q) + room * sizeof(*mids);

	memset(&a.q, 0, sizeof(a.q));
	a.q.mid = mid;
	a.q.room = room;
	if (getsockopt(fd, SOL_PSYNC, option, &a, &len))
		bench_die("query %d: %s", option, strerror(errno));
	if (a.q.count > room)
		bench_die("query %d: %u mids", option, a.q.count);
	memcpy(mids, a.mids, a.q.count * sizeof(*mids));
	return a.q.count;
}

static uint64_t psync_bench_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* Each message with its predecessors, in whatever order they came. */
static bool psync_bench_graph(int fd, uint32_t victim, struct bench_graph *g)
{
	uint64_t mids[PSYNC_BENCH_MIDS], preds[BENCH_HOSTS_MAX], one;
	struct psync_info info;
	socklen_t len = sizeof(info);
	uint32_t i, j, n;

	if (getsockopt(fd, SOL_PSYNC, PSYNC_INFO, &info, &len))
		bench_die("PSYNC_INFO: %s", strerror(errno));
	*g = (struct bench_graph){ 0 };
	g->nodes = psync_bench_query(fd, PSYNC_MIDS, 0, mids,
				     PSYNC_BENCH_MIDS);
	for (i = 0; i < g->nodes; i++) {
		if (PSYNC_MID_INDEX(mids[i]) == victim)
			g->last = PSYNC_MID_SEQ(mids[i]);
		one = psync_bench_mix(1, mids[i]);
		n = psync_bench_query(fd, PSYNC_PREV, mids[i], preds,
				      BENCH_HOSTS_MAX);
		for (j = 0; j < n; j++)
			one = psync_bench_mix(one, preds[j]);
		g->hash += one;
	}
	return !info.unheld && !info.lacking && !info.held && !info.outstanding;
}

const struct bench_link bench_psync = {
	.name		= "psync",
	.writable	= true,
	.open		= psync_bench_open,
	.receive	= psync_bench_receive,
	.graph		= psync_bench_graph,
};
