// SPDX-License-Identifier: GPL-2.0-only
/* Everybody asks and answers (talk.c): is anything lost, or too early? */
#include <inttypes.h>
#include <stdio.h>

#include "bench.h"

/* Nothing new for so long: what lacks is lost. */
#define ORDER_SILENCE_NS	20000000000ULL

static void order_work(struct bench *b, uint32_t host, int fd)
{
	struct bench_seen *seen = &b->shared->seen[host];
	struct bench_talk *t = bench_talk_new(b, host, fd);
	uint64_t had = 0, at = bench_now();

	while (bench_talk_lacks(t) || seen->sent < (uint64_t)b->rounds * b->hosts) {
		bench_talk_step(t, 100);
		if (had != seen->received + seen->sent) {
			had = seen->received + seen->sent;
			at = bench_now();
		} else if (bench_now() > at + ORDER_SILENCE_NS) {
			break;
		}
	}
	seen->lost = bench_talk_lacks(t);
	bench_talk_free(t);
	bench_meet(&b->shared->all);
}

void bench_order(struct bench *b)
{
	struct bench_seen sum = { 0 };
	uint64_t begin;
	uint32_t i;

	bench_begin(b);
	bench_start(b, order_work);
	begin = bench_now();
	bench_wait(b);
	for (i = 0; i < b->hosts; i++) {
		struct bench_seen *seen = &b->shared->seen[i];

		sum.sent += seen->sent;
		sum.received += seen->received;
		sum.lost += seen->lost;
		sum.twice += seen->twice;
		printf("host%u %" PRIu64 " of %" PRIu64 "\n", i + 1,
		       seen->violations, seen->replies);
		sum.violations += seen->violations;
		sum.replies += seen->replies;
	}
	printf("violations %" PRIu64 "\nreplies %" PRIu64 "\nsent %" PRIu64
	       "\nreceived %" PRIu64 "\nlost %" PRIu64 "\ntwice %" PRIu64
	       "\nms %" PRIu64 "\n", sum.violations, sum.replies, sum.sent,
	       sum.received, sum.lost, sum.twice,
	       (bench_now() - begin) / BENCH_NS_PER_MS);
}
