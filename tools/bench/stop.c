// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host 1 sends what it can; the victim stops (SIGSTOP).  When host 1 has not
 * been able to send for a while, the victim goes on: is anything lost?
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench.h"

/* Not able to send for so many seconds, one after the other: it stands still. */
#define STOP_SECONDS	5
/* So long it has time to go on. */
#define STOP_PATIENCE	60
/* So many messages after it went on. */
#define STOP_MORE	2000
#define STOP_MOST	200000

/* It waits a second at most. */
static void stop_wait(int fd)
{
	struct timeval second = { .tv_sec = 1 };

	if (fcntl(fd, F_SETFL, 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)))
		bench_die("SO_SNDTIMEO: %s", strerror(errno));
}

/* Who has started all may let the victim go on. */
static void stop_tell(struct bench *b)
{
	if (write(b->tell[1], "", 1) != 1)
		bench_die("pipe: %s", strerror(errno));
}

static void stop_send(struct bench *b, uint32_t host, int fd)
{
	struct bench_seen *seen = &b->shared->seen[host];
	struct bench_msg m = { BENCH_ASK, host, host, 0 };
	uint32_t seconds = 0;

	stop_wait(fd);
	while (!seen->stood_at || m.number < seen->stood_at + STOP_MORE) {
		if (m.number == STOP_MOST || seconds == STOP_PATIENCE)
			break;
		if (bench_send(b, fd, &m)) {
			m.number++;
			seconds = 0;
		} else if (++seconds == STOP_SECONDS && !seen->stood_at) {
			seen->stood_at = m.number;
			stop_tell(b);
		}
	}
	seen->sent = m.number;
	if (!seen->stood_at)
		stop_tell(b);
	m.kind = BENCH_OVER;
	if (seconds < STOP_PATIENCE)
		bench_say(b, fd, &m);
}

static void stop_receive(struct bench *b, uint32_t host, int fd)
{
	struct bench_seen *seen = &b->shared->seen[host];
	struct bench_msg m = { 0 };
	uint64_t at = bench_now();
	enum bench_got got;

	while (m.kind != BENCH_OVER) {
		got = b->link->receive(fd, &m);
		if (got == BENCH_NOTHING) {
			m.kind = 0;
			if (!bench_await(b, fd, false, 1000) &&
			    bench_now() > at + 2 * BENCH_PATIENCE_NS)
				break;
			continue;
		}
		at = bench_now();
		if (got != BENCH_MSG || m.kind != BENCH_ASK)
			continue;
		seen->twice += m.number < seen->received;
		if (m.number == seen->received)
			seen->received++;
		if ((int)host == b->victim && seen->received == b->victim_after)
			raise(SIGSTOP);
	}
}

static void stop_work(struct bench *b, uint32_t host, int fd)
{
	if (host)
		stop_receive(b, host, fd);
	else
		stop_send(b, host, fd);
	bench_meet(&b->shared->all);
}

void bench_stop(struct bench *b)
{
	struct bench_seen *seen;
	uint64_t sent, lost = 0, twice = 0;
	uint32_t i;
	char byte;

	bench_begin(b);
	bench_start(b, stop_work);
	/* Or the end of all processes, and bench_wait() says what is wrong. */
	if (read(b->tell[0], &byte, 1) == 1)
		kill(b->pid[b->victim], SIGCONT);
	bench_wait(b);
	seen = b->shared->seen;
	sent = seen[0].sent;
	for (i = 1; i < b->hosts; i++) {
		lost += sent - seen[i].received;
		twice += seen[i].twice;
	}
	printf("stood_at %" PRIu64 "\nafterwards %" PRIu64 "\nlost %" PRIu64
	       "\ntwice %" PRIu64 "\n", seen[0].stood_at,
	       seen[0].stood_at ? sent - seen[0].stood_at : 0, lost, twice);
}
