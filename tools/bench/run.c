// SPDX-License-Identifier: GPL-2.0-only
/* Processes, one in each host's namespace; time; waiting. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Where poll() does not say when one can send, so long is waited. */
#define BENCH_RETRY_MS	1

void bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void bench_barrier(pthread_barrier_t *barrier, unsigned int n)
{
	pthread_barrierattr_t attr;

	if (pthread_barrierattr_init(&attr) ||
	    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) ||
	    pthread_barrier_init(barrier, &attr, n))
		bench_die("no barrier");
}

/* Everything as if nothing had happened yet. */
void bench_begin(struct bench *b)
{
	if (!b->shared) {
		b->shared = mmap(NULL, sizeof(*b->shared),
				 PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (b->shared == MAP_FAILED)
			bench_die("no memory");
	}
	memset(b->shared, 0, sizeof(*b->shared));
	bench_barrier(&b->shared->all, b->hosts);
	bench_barrier(&b->shared->survivors, b->hosts - 1);
	if (pipe(b->tell))
		bench_die("pipe: %s", strerror(errno));
}

static void bench_enter(uint32_t host)
{
	char path[64];
	int ns;

	snprintf(path, sizeof(path), "/run/netns/h%u", host + 1);
	ns = open(path, O_RDONLY);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		bench_die("%s: %s", path, strerror(errno));
	close(ns);
}

static void bench_child(struct bench *b, bench_work work, uint32_t host)
{
	int fd;

	/* Nobody is left over, however this ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	bench_enter(host);
	fd = b->link->open(b, host);
	bench_meet(&b->shared->all);
	work(b, host, fd);
	/* exit() would close more than this host's own. */
	close(fd);
	fflush(stdout);
	_exit(0);
}

void bench_start(struct bench *b, bench_work work)
{
	uint32_t i;

	fflush(stdout);
	for (i = 0; i < b->hosts; i++) {
		b->pid[i] = fork();
		if (b->pid[i] < 0)
			bench_die("fork: %s", strerror(errno));
		if (!b->pid[i])
			bench_child(b, work, i);
	}
	close(b->tell[1]);
}

void bench_wait(struct bench *b)
{
	uint32_t left = b->hosts;
	bool failed = false;
	uint32_t i;
	int status;
	pid_t pid;

	while (left--) {
		pid = wait(&status);
		if (pid < 0)
			bench_die("wait: %s", strerror(errno));
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		if (b->victim >= 0 && pid == b->pid[b->victim] &&
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			continue;
		/* The others would wait for it. */
		for (i = 0; !failed && i < b->hosts; i++)
			if (b->pid[i] != pid)
				kill(b->pid[i], SIGKILL);
		failed = true;
	}
	close(b->tell[0]);
	if (failed)
		bench_die("a host's process has failed");
}

void bench_meet(pthread_barrier_t *barrier)
{
	int err = pthread_barrier_wait(barrier);

	if (err && err != PTHREAD_BARRIER_SERIAL_THREAD)
		bench_die("barrier: %s", strerror(err));
}

bool bench_send(const struct bench *b, int fd, const struct bench_msg *m)
{
	uint8_t body[BENCH_BODY_MAX] = { 0 };

	memcpy(body, m, sizeof(*m));
	if (send(fd, body, b->body, 0) == (ssize_t)b->body)
		return true;
	if (errno != EAGAIN)
		bench_die("send: %s", strerror(errno));
	return false;
}

bool bench_await(const struct bench *b, int fd, bool send, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	if (send && b->link->writable)
		p.events |= POLLOUT;
	else if (send)
		ms = BENCH_RETRY_MS;
	n = poll(&p, 1, ms);
	if (n < 0)
		bench_die("poll: %s", strerror(errno));
	return n;
}

void bench_say(const struct bench *b, int fd, const struct bench_msg *m)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t end = bench_now() + BENCH_PATIENCE_NS;

	while (!bench_send(b, fd, m)) {
		if (bench_now() > end)
			bench_die("cannot send any more");
		if (poll(b->link->writable ? &p : NULL, b->link->writable,
			 b->link->writable ? 1000 : BENCH_RETRY_MS) < 0)
			bench_die("poll: %s", strerror(errno));
	}
}

static int bench_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t bench_quantile(uint64_t *ns, uint32_t n, uint32_t permille)
{
	uint32_t at = ((uint64_t)n * permille + 999) / 1000;

	if (!n)
		bench_die("nothing was measured");
	qsort(ns, n, sizeof(*ns), bench_compare);
	return ns[at ? at - 1 : 0];
}
