// SPDX-License-Identifier: GPL-2.0-only
/*
 * The victim is killed (SIGKILL), in the middle of a talk or when all is
 * silent.  How long does it take until every survivor knows, and do they agree
 * on what it had said?
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"

/* Nothing new for so long, far longer than null messages take: silence. */
#define KILL_SILENCE_MS	200

static void kill_self(struct bench *b)
{
	b->shared->killed_at = bench_now();
	kill(getpid(), SIGKILL);
}

static bool kill_all_quiet(const struct bench *b)
{
	uint32_t i;

	for (i = 0; i < b->hosts; i++)
		if ((int)i != b->victim &&
		    !__atomic_load_n(&b->shared->seen[i].quiet,
				     __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* Until nobody hears anything new. */
static void kill_rest(struct bench *b, struct bench_talk *t, int fd,
		      struct bench_seen *seen)
{
	uint64_t end = bench_now() + BENCH_PATIENCE_NS;
	bool quiet;

	while (!__atomic_load_n(&b->shared->rest, __ATOMIC_ACQUIRE)) {
		if (bench_now() > end)
			bench_die("no rest");
		quiet = !bench_talk_step(t, KILL_SILENCE_MS) && seen->left_at;
		if (seen->left_at)
			bench_talk_hush(t);
		if (quiet && b->link->graph)
			quiet = b->link->graph(fd, b->victim, &seen->graph);
		__atomic_store_n(&seen->quiet, quiet, __ATOMIC_RELEASE);
		if (quiet && kill_all_quiet(b))
			__atomic_store_n(&b->shared->rest, true,
					 __ATOMIC_RELEASE);
	}
	if (b->link->graph)
		b->link->graph(fd, b->victim, &seen->graph);
}

static void kill_work(struct bench *b, uint32_t host, int fd)
{
	struct bench_seen *seen = &b->shared->seen[host];
	struct bench_talk *t = bench_talk_new(b, host, fd);
	bool idle = !b->victim_after;

	/* A talk that comes to its end, and that the victim survives. */
	while (idle && (bench_talk_lacks(t) || bench_talk_step(t, 100)))
		bench_talk_step(t, 100);
	if (idle)
		bench_meet(&b->shared->all);
	if ((int)host == b->victim) {
		while (seen->received < b->victim_after)
			bench_talk_step(t, 1000);
		kill_self(b);
	}
	kill_rest(b, t, fd, seen);
	bench_meet(&b->shared->survivors);
	bench_talk_free(t);
}

struct kill_sum {
	uint32_t	trials;
	uint32_t	differ;		/* graphs, where there are any */
	uint32_t	disagree;	/* on how much the victim has said */
	uint64_t	nodes;
};

static void kill_look(struct bench *b, struct kill_sum *sum, uint64_t *ns)
{
	const struct bench_seen *first = &b->shared->seen[0], *seen;
	bool differ = false, disagree = false;
	uint32_t i;

	*ns = 0;
	for (i = 0; i < b->hosts; i++) {
		seen = &b->shared->seen[i];
		if ((int)i == b->victim)
			continue;
		if (seen->left_at - b->shared->killed_at > *ns)
			*ns = seen->left_at - b->shared->killed_at;
		/* Its end is part of the graph, too. */
		differ |= seen->graph.nodes != first->graph.nodes ||
			  seen->graph.hash != first->graph.hash ||
			  seen->graph.last != seen->end;
		disagree |= seen->of_victim != first->of_victim;
	}
	sum->differ += differ;
	sum->disagree += disagree;
	sum->nodes += first->graph.nodes;
	sum->trials++;
}

void bench_kill(struct bench *b, uint32_t trials)
{
	uint64_t ns[1000];
	struct kill_sum sum = { 0 };
	uint32_t after = b->victim_after;

	if (trials > sizeof(ns) / sizeof(*ns))
		bench_die("too many trials");
	while (sum.trials < trials) {
		bench_begin(b);
		bench_start(b, kill_work);
		bench_wait(b);
		kill_look(b, &sum, &ns[sum.trials]);
		b->number++;
		/* Each time at another moment. */
		if (after)
			b->victim_after += 7;
	}
	printf("trials %u\ndiffer %u\ndisagree %u\nnodes %" PRIu64
	       "\nus500 %" PRIu64 "\nus1000 %" PRIu64 "\n", sum.trials,
	       sum.differ, sum.disagree, sum.nodes,
	       bench_quantile(ns, trials, 500) / 1000,
	       bench_quantile(ns, trials, 1000) / 1000);
}
