// SPDX-License-Identifier: GPL-2.0-only
/*
 * The round trip of a group: host 1 says something to all, each of the others
 * answers to all, and host 1 has every answer.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench.h"

#define RTT_WARMUP	50

/* The next message, which must come in time. */
static enum bench_got rtt_receive(struct bench *b, int fd, struct bench_msg *m)
{
	uint64_t end = bench_now() + BENCH_PATIENCE_NS;
	enum bench_got got;

	while ((got = b->link->receive(fd, m)) == BENCH_NOTHING)
		if (!bench_await(b, fd, false, 1000) && bench_now() > end)
			bench_die("no message comes any more");
	return got;
}

static void rtt_ask(struct bench *b, uint32_t host, int fd)
{
	struct bench_msg m, ask = { BENCH_ASK, host, host, 0 };
	uint32_t answers;
	uint64_t begin;

	for (; ask.number < RTT_WARMUP + b->rounds; ask.number++) {
		begin = bench_now();
		bench_say(b, fd, &ask);
		for (answers = 1; answers < b->hosts;)
			if (rtt_receive(b, fd, &m) == BENCH_MSG &&
			    m.kind == BENCH_REPLY && m.number == ask.number)
				answers++;
		if (ask.number >= RTT_WARMUP)
			b->shared->ns[b->shared->nns++] = bench_now() - begin;
	}
	ask.kind = BENCH_OVER;
	bench_say(b, fd, &ask);
}

static void rtt_answer(struct bench *b, uint32_t host, int fd)
{
	struct bench_msg m, reply = { BENCH_REPLY, host, 0, 0 };

	do {
		if (rtt_receive(b, fd, &m) != BENCH_MSG || m.kind != BENCH_ASK)
			continue;
		reply.number = m.number;
		bench_say(b, fd, &reply);
	} while (m.kind != BENCH_OVER);
}

static void rtt_work(struct bench *b, uint32_t host, int fd)
{
	if (host)
		rtt_answer(b, host, fd);
	else
		rtt_ask(b, host, fd);
	/* Nobody goes before all have heard that it is over. */
	bench_meet(&b->shared->all);
}

void bench_rtt(struct bench *b)
{
	static const uint32_t permille[] = { 500, 900, 990, 999, 1000 };
	uint32_t i;

	bench_begin(b);
	bench_start(b, rtt_work);
	bench_wait(b);
	printf("rounds %u\n", b->shared->nns);
	for (i = 0; i < sizeof(permille) / sizeof(*permille); i++)
		printf("us%u %" PRIu64 "\n", permille[i],
		       bench_quantile(b->shared->ns, b->shared->nns,
				      permille[i]) / 1000);
}
