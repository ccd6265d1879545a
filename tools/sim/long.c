// SPDX-License-Identifier: GPL-2.0-only
/*
 * psync-long: one conversation for very long, to see that memory stays flat.
 *
 * A few sites, the module's default limits, light loss and duplication; one
 * participant reads in fits and starts.  Sequence numbers pass 32 bits early.
 * Nothing is kept of the history: stream.c judges it as it is made.  What the
 * images take and what the process takes is added up in ten parts of the run.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../net/psync/core/wire.h"
#include "agent.h"
#include "place.h"
#include "shape.h"
#include "site.h"
#include "stream.h"
#include "work.h"

#define PSYNC_LONG_SITES	4
/* Judged when there are so many records, or were so many events. */
#define PSYNC_LONG_RECORDS	4096
#define PSYNC_LONG_PARTS	10
#define PSYNC_LONG_SAMPLES	100	/* in each part */
#define PSYNC_LONG_EVENTS	1000	/* for each message, at most */

/* Flat: from the second part to the last, means and the process grow less. */
#define PSYNC_LONG_MEAN		10	/* percent, and */
#define PSYNC_LONG_SLACK	(16 << 10)
#define PSYNC_LONG_PROCESS	(1 << 20)

/**
 * struct psync_long_part - a tenth of the run
 * @samples: how often it was looked at
 * @sum: bytes of each image, added up
 * @most: greatest of them
 * @bodies: most bodies
 * @events: most that was still to happen: packets under way, timers
 * @process: greatest size of the process in memory
 * @now: virtual time at its end
 */
struct psync_long_part {
	u64 samples;
	u64 sum[PSYNC_LONG_SITES];
	u64 most[PSYNC_LONG_SITES];
	u64 bodies;
	u64 events;
	u64 process;
	u64 now;
};

/**
 * struct psync_long - the run
 * @sim: the simulation
 * @stats: its figures
 * @hist: what was not judged yet
 * @verdict: what was found in it
 * @stream: the judge
 * @messages: to be sent
 * @events: that happened
 * @sampled: samples taken
 * @parts: what was seen
 */
struct psync_long {
	struct psync_sim sim;
	struct psync_stats stats;
	struct psync_hist hist;
	struct psync_verdict verdict;
	struct psync_stream *stream;
	u64 messages;
	u64 events;
	u64 sampled;
	struct psync_long_part parts[PSYNC_LONG_PARTS];
};

static const char psync_long_usage[] =
	"usage: psync-long [--messages N] [--seed SEED] [--depth NODES]\n"
	"\n"
	"Sends N messages through one simulated conversation and checks that memory\n"
	"stays flat.  NODES is how much of the graph is kept; with more than N it\n"
	"cannot be.\n"
	"Exit status: 0 nothing found, 1 something found, 2 wrong usage.\n";

/* As net/psync/netns.c has them. */
static void psync_long_limits(struct psync_limits *limits, u32 depth)
{
	limits->max_nodes = depth;
	limits->max_held = 1024;
	limits->max_early = 256;
	limits->max_bytes = 4 << 20;
	limits->max_pending = 256 << 10;
	limits->max_msgs = 2048;
	limits->first_msgs = 64;
	limits->first_bytes = 15000;
	limits->slow_ns = PSYNC_SEC;
	limits->hello_ns = 200 * PSYNC_MSEC;
	limits->hello_tries = 6;
	limits->ack_ns = PSYNC_MSEC;
	limits->null_ns = 20 * PSYNC_MSEC;
	limits->rto_ns = 100 * PSYNC_MSEC;
	limits->rto_min_ns = PSYNC_MSEC;
	limits->rto_max_ns = PSYNC_SEC;
	limits->absent_ns = 5 * PSYNC_SEC;
	limits->silent_ns = 30 * PSYNC_SEC;
	limits->linger_ns = 30 * PSYNC_SEC;
	limits->repair_rate = 10000;
}

/* One at each site, and another one at the first. */
static void psync_long_agents(struct psync_conv *conv)
{
	struct psync_sim *sim = conv->sim;
	struct psync_agent *agent;
	u32 i;

	conv->n = PSYNC_LONG_SITES + 1;
	conv->pids = psync_sim_alloc(conv->n, sizeof(*conv->pids));
	conv->agents = psync_sim_alloc(conv->n, sizeof(*conv->agents));
	for (i = 0; i < conv->n; i++) {
		agent = &conv->agents[i];
		agent->conv = conv;
		agent->part = i;
		agent->home = i % PSYNC_LONG_SITES;
		agent->talks = true;
		agent->taste = i == 1 ? PSYNC_AGENT_LAZY : PSYNC_AGENT_EAGER;
		agent->think = 200 * PSYNC_USEC;
		agent->reply = 400;
		agent->speak = 300;
		agent->burst = 3;
		agent->ask = 20;
		conv->pids[i].site = psync_site_id(sim, agent->home);
		conv->pids[i].port = 1000 + i;
	}
}

static void psync_long_shape(struct psync_long *run, u32 depth)
{
	struct psync_sim *sim = &run->sim;
	struct psync_conv *conv;
	u32 i;

	psync_prng_seed(&sim->rng, sim->seed, 1);
	psync_prng_seed(&sim->net.rng, sim->seed, 2);
	sim->nsites = PSYNC_LONG_SITES;
	sim->net.shape.base = 100 * PSYNC_USEC;
	sim->net.shape.jitter = 50 * PSYNC_USEC;
	sim->net.shape.dup = 5;
	sim->net.shape.loss = 10;
	sim->convs = psync_sim_alloc(PSYNC_SHAPE_CONVS, sizeof(*sim->convs));
	sim->nconvs = 1;
	conv = sim->convs;
	conv->sim = sim;
	conv->owner = U32_MAX;
	conv->sessions = 1;
	conv->steady = true;
	conv->max_body = 1400;
	conv->budget = run->messages;
	conv->group = 7;
	conv->number = 1;
	conv->seq_base = (1ULL << 32) - run->messages / 20;
	psync_long_agents(conv);
	psync_long_limits(&conv->limits, depth);
	conv->digest = psync_wire_digest(conv->pids, conv->n);
	conv->cid = psync_wire_cid(conv->group, conv->number, conv->digest);
	sim->fault.mask = 1U << PSYNC_FAULT_LOSS;
	/* until all was sent */
	sim->fault.until = U64_MAX / 2;
	sim->fault.tail = PSYNC_SEC;
	sim->fault.side = psync_sim_alloc(sim->nsites,
					  sizeof(*sim->fault.side));
	psync_site_init_all(sim);
	for (i = 0; i < conv->n; i++)
		conv->agents[i].site = &sim->sites[conv->agents[i].home];
}

static u64 psync_long_process(void)
{
	unsigned long long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%llu %llu", &size, &pages) != 2)
		abort();
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static void psync_long_max(u64 *most, u64 now)
{
	if (now > *most)
		*most = now;
}

/* A thousand times in a run. */
static void psync_long_sample(struct psync_long *run)
{
	struct psync_sim *sim = &run->sim;
	struct psync_long_part *part;
	u64 bytes;
	u32 i;

	if (run->stats.messages * PSYNC_LONG_PARTS * PSYNC_LONG_SAMPLES <
	    run->messages * (run->sampled + 1))
		return;
	part = &run->parts[run->sampled++ / PSYNC_LONG_SAMPLES];
	part->samples++;
	part->now = sim->now;
	for (i = 0; i < sim->nsites; i++) {
		bytes = sim->sites[i].places[0].bytes;
		part->sum[i] += bytes;
		psync_long_max(&part->most[i], bytes);
	}
	psync_long_max(&part->bodies, sim->bodies);
	psync_long_max(&part->events, sim->heap.n);
	psync_long_max(&part->process, psync_long_process());
}

static void psync_long_feed(struct psync_long *run)
{
	psync_stream_feed(run->stream, &run->verdict);
	if (run->verdict.invariant)
		psync_sim_fail(&run->sim, run->verdict.invariant, "%s",
			       run->verdict.text);
}

static void psync_long_run(struct psync_long *run)
{
	struct psync_sim *sim = &run->sim;
	struct psync_heap_item item;

	while (!sim->invariant && psync_heap_pop(&sim->heap, &item)) {
		sim->now = item.at;
		item.run(item.ctx, item.arg);
		if (run->hist.nrecs >= PSYNC_LONG_RECORDS ||
		    !(++run->events % PSYNC_LONG_RECORDS))
			psync_long_feed(run);
		if (run->events > run->messages * PSYNC_LONG_EVENTS + 1000000)
			psync_sim_fail(sim, "quiescence", "too many events");
		if (run->sampled < PSYNC_LONG_PARTS * PSYNC_LONG_SAMPLES)
			psync_long_sample(run);
	}
	psync_long_feed(run);
	if (!sim->invariant)
		psync_work_exit(sim);
	if (!sim->invariant &&
	    (run->stats.messages != run->messages ||
	     psync_stream_rested(run->stream) != sim->convs[0].n))
		psync_sim_fail(sim, "reliable", "%llu sent, %u at rest",
			       run->stats.messages,
			       psync_stream_rested(run->stream));
	while (psync_heap_pop(&sim->heap, &item))
		psync_net_discard(&item);
	psync_site_exit_all(sim);
	while (psync_heap_pop(&sim->heap, &item))
		psync_net_discard(&item);
	if (sim->bodies || sim->blocks || sim->bytes)
		psync_sim_fail(sim, "leak", "%llu bodies, %llu blocks",
			       sim->bodies, sim->blocks);
	psync_net_exit(sim);
	psync_shape_free(sim);
	psync_heap_free(&sim->heap);
}

/* Prints a test's result; returns whether it failed. */
static u32 psync_long_says(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	return !good;
}

static void psync_long_table(const struct psync_long *run)
{
	const struct psync_long_part *part;
	u64 mean, most, m;
	u32 i, k;

	printf("%12s %10s %12s %12s %8s %8s %12s\n", "messages", "virtual s",
	       "image, mean", "image, most", "bodies", "events", "process");
	for (i = 0; i < PSYNC_LONG_PARTS; i++) {
		part = &run->parts[i];
		mean = 0;
		most = 0;
		for (k = 0; k < PSYNC_LONG_SITES; k++) {
			m = part->samples ? part->sum[k] / part->samples : 0;
			psync_long_max(&mean, m);
			psync_long_max(&most, part->most[k]);
		}
		printf("%12llu %10.1f %12llu %12llu %8llu %8llu %12llu\n",
		       run->messages * (i + 1) / PSYNC_LONG_PARTS,
		       part->now / 1e9, mean, most, part->bodies, part->events,
		       part->process);
	}
}

static bool psync_long_flat(const struct psync_long *run)
{
	const struct psync_long_part *from = &run->parts[1];
	const struct psync_long_part *to = &run->parts[PSYNC_LONG_PARTS - 1];
	u64 first, last;
	bool flat = to->samples == PSYNC_LONG_SAMPLES;
	u32 i;

	for (i = 0; flat && i < PSYNC_LONG_SITES; i++) {
		first = from->sum[i] / from->samples;
		last = to->sum[i] / to->samples;
		flat &= last <= first + first * PSYNC_LONG_MEAN / 100 +
				PSYNC_LONG_SLACK;
	}
	return flat;
}

static bool psync_long_steady(const struct psync_long *run)
{
	return run->parts[PSYNC_LONG_PARTS - 1].process <=
	       run->parts[1].process + PSYNC_LONG_PROCESS;
}

static u32 psync_long_report(const struct psync_long *run)
{
	const struct psync_stats *stats = &run->stats;
	const struct psync_sim *sim = &run->sim;
	u32 failed;

	psync_long_table(run);
	printf("%llu messages, %llu null messages, %llu deliveries, %llu packets, %llu lost, %llu duplicates, depth %llu\n",
	       stats->messages, stats->nulls, (u64)run->verdict.receives,
	       stats->packets, sim->fault.hits[PSYNC_FAULT_LOSS],
	       stats->drops[PSYNC_DROP_DUPLICATE],
	       (u64)run->verdict.depth);
	if (sim->invariant)
		printf("FAIL seed=%llu invariant=%s %s\n", sim->seed,
		       sim->invariant, sim->text);
	failed = psync_long_says(!sim->invariant,
				 "every message is delivered, in order, and nothing is left");
	failed += psync_long_says(psync_long_flat(run),
				  "the memory of each image is flat");
	failed += psync_long_says(psync_long_steady(run),
				  "the memory of the process is flat");
	printf("%u passed, %u failed\n", 3 - failed, failed);
	return failed;
}

static u64 psync_long_number(const char *arg, u64 least)
{
	char *end;
	u64 value = strtoull(arg, &end, 0);

	if (!*arg || *arg == '-' || *end || value < least || value > U32_MAX) {
		fprintf(stderr, "psync-long: %s is not such a number\n", arg);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "messages", required_argument, NULL, 'q' },
		{ "seed", required_argument, NULL, 's' },
		{ "depth", required_argument, NULL, 'd' },
		{ 0 }
	};
	static struct psync_long run = { .messages = 200000, .sim.seed = 1 };
	u32 depth = 4096, failed;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'q') {
			run.messages = psync_long_number(optarg, 1000);
		} else if (c == 's') {
			run.sim.seed = psync_long_number(optarg, 0);
		} else if (c == 'd') {
			depth = psync_long_number(optarg, 1);
		} else {
			fputs(psync_long_usage, stderr);
			return 2;
		}
	}
	run.sim.only = 1U << PSYNC_FAULT_LOSS;
	run.sim.stats = &run.stats;
	run.sim.hist = &run.hist;
	psync_long_shape(&run, depth);
	psync_net_init(&run.sim, run.sim.nsites);
	psync_work_init(&run.sim);
	run.stream = psync_stream_new(&run.hist);
	psync_long_run(&run);
	psync_stream_free(run.stream);
	psync_hist_free(&run.hist);
	failed = psync_long_report(&run);
	return failed != 0;
}
