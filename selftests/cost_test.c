// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a message costs, and that it does not depend on how long the
 * conversation has been going on.
 *
 * Three hosts (namespaces h1..h3 of psync-lab, group 1) exchange messages in
 * turn: each is received by the two others, who then send in its context.  Run
 * under -icount shift=0, where a nanosecond of virtual time is one instruction
 * (perf-log.rst, Method).  Idle time is measured and must be next to none.
 *
 * usage: cost_test MESSAGES [GROUP]
 * Prints instructions per message for each tenth and TAP; the last tenth must
 * be within 2 % of the first, and the kernel's memory must not have grown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/psync.h>

#define HOSTS	3
#define TENTHS	10
#define WARMUP	2000
#define BODY	64

static int cost_family(void)
{
	FILE *f = fopen("/sys/module/psync/parameters/family", "r");
	int family = PSYNC_FAMILY_DEFAULT;

	if (f) {
		if (fscanf(f, "%d", &family) != 1)
			family = PSYNC_FAMILY_DEFAULT;
		fclose(f);
	}
	return family;
}

static void cost_die(const char *what)
{
	printf("not ok - %s: %s\n0 passed, 1 failed\n", what, strerror(errno));
	exit(1);
}

static int cost_open(int host, unsigned int group)
{
	struct sockaddr_psync addr = {
		.sp_type	= PSYNC_ADDR_GROUP,
		.sp_group	= group,
		.sp_number	= 1,
	};
	char path[64];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/h%d", host + 1);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		cost_die(path);
	close(ns);
	addr.sp_family = cost_family();
	fd = socket(addr.sp_family, SOCK_SEQPACKET, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		cost_die("connect");
	return fd;
}

static void cost_receive(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[BODY];
	ssize_t n;

	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n < 0 && errno == EAGAIN) {
		if (poll(&p, 1, 20000) != 1)
			cost_die("no message within 20 s");
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	}
	if (n != BODY)
		cost_die("recv");
}

static void cost_round(const int *fd, unsigned long i)
{
	char buf[BODY];
	int from = i % HOSTS;
	int to;

	memset(buf, 'a' + from, sizeof(buf));
	if (send(fd[from], buf, sizeof(buf), 0) != BODY)
		cost_die("send");
	for (to = 0; to < HOSTS; to++)
		if (to != from)
			cost_receive(fd[to]);
}

static uint64_t cost_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Nanoseconds that the CPU has been idle, from /proc/timer_list. */
static uint64_t cost_idle(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long idle = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %llu", &idle) == 1)
			break;
	if (f)
		fclose(f);
	return idle;
}

/* Bytes of all slab objects in use. */
static uint64_t cost_slab(void)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	unsigned long long active, size;
	uint64_t sum = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %llu %*u %llu", &active, &size) == 2)
			sum += active * size;
	if (f)
		fclose(f);
	return sum;
}

static int cost_report(const uint64_t *ns, unsigned long each, uint64_t idle,
		       uint64_t total, uint64_t slab0, uint64_t slab1)
{
	double first = (double)ns[0] / each, last = (double)ns[TENTHS - 1] / each;
	double change = (last - first) / first * 100;
	int failed = 0;
	int i;

	for (i = 0; i < TENTHS; i++)
		printf("# tenth %d: %.0f instructions per message\n", i + 1,
		       (double)ns[i] / each);
	printf("# idle %.3f %% of the time\n", 100.0 * idle / total);
	printf("# slab objects in use: %llu bytes at the start, %llu at the end\n",
	       (unsigned long long)slab0, (unsigned long long)slab1);
	if (idle * 100 > total) {
		printf("not ok - idle for more than 1 %%: the figures mean nothing\n");
		failed++;
	} else {
		printf("ok - hardly idle\n");
	}
	printf("%s - cost at the end within 2 %% of that at the start (%+.2f %%)\n",
	       change > 2 || change < -2 ? failed++, "not ok" : "ok", change);
	/* A per cent of leeway for what the rest of the kernel does. */
	printf("%s - memory flat\n",
	       slab1 > slab0 + slab0 / 100 ? failed++, "not ok" : "ok");
	printf("%d passed, %d failed\n", 3 - failed, failed);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned long messages = argc > 1 ? strtoul(argv[1], NULL, 0) : 100000;
	unsigned int group = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
	struct sched_param param = { 0 };
	unsigned long i, n = 0, each = messages / TENTHS;
	uint64_t ns[TENTHS], start, idle, slab;
	int fd[HOSTS];
	int t;

	if (!each)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sched_setscheduler(0, SCHED_BATCH, &param);
	for (t = 0; t < HOSTS; t++)
		fd[t] = cost_open(t, group);
	for (i = 0; i < WARMUP; i++)
		cost_round(fd, n++);
	slab = cost_slab();
	idle = cost_idle();
	start = cost_now();
	for (t = 0; t < TENTHS; t++) {
		uint64_t begin = cost_now();

		for (i = 0; i < each; i++)
			cost_round(fd, n++);
		ns[t] = cost_now() - begin;
	}
	return cost_report(ns, each, cost_idle() - idle, cost_now() - start,
			   slab, cost_slab());
}
