// SPDX-License-Identifier: GPL-2.0-only
/* One simulation, from seed to verdict. */
#include <stdarg.h>
#include <stdlib.h>

#include "checker.h"
#include "shape.h"
#include "sim.h"
#include "site.h"
#include "work.h"

/* No seed needs so many events: then something goes in circles. */
#define PSYNC_SIM_EVENTS	100000000ULL

void *psync_sim_alloc(size_t n, size_t size)
{
	void *mem = calloc(n ? n : 1, size ? size : 1);

	if (!mem) {
		fprintf(stderr, "psync-sim: out of memory\n");
		abort();
	}
	return mem;
}

void psync_sim_fail(struct psync_sim *sim, const char *invariant,
		    const char *fmt, ...)
{
	va_list args;
	int n;

	if (sim->invariant)
		return;
	sim->invariant = invariant;
	n = snprintf(sim->text, sizeof(sim->text), "at=%llu: ", sim->now);
	va_start(args, fmt);
	vsnprintf(sim->text + n, sizeof(sim->text) - n, fmt, args);
	va_end(args);
}

void psync_sim_trace(struct psync_sim *sim, const char *fmt, ...)
{
	va_list args;

	if (!sim->trace)
		return;
	fprintf(sim->trace, "%14.6f ", sim->now / 1e6);
	va_start(args, fmt);
	vfprintf(sim->trace, fmt, args);
	va_end(args);
	fputc('\n', sim->trace);
}

static void psync_sim_loop(struct psync_sim *sim)
{
	struct psync_heap_item item;

	while (!sim->invariant && psync_heap_pop(&sim->heap, &item)) {
		sim->now = item.at;
		item.run(item.ctx, item.arg);
		if (item.order > PSYNC_SIM_EVENTS)
			psync_sim_fail(sim, "quiescence", "too many events");
	}
	if (!sim->invariant)
		psync_work_exit(sim);
	while (psync_heap_pop(&sim->heap, &item))
		psync_net_discard(&item);
}

/* Everything given back: bodies, the core's memory, packets. */
static void psync_sim_leaks(struct psync_sim *sim)
{
	struct psync_heap_item item;

	psync_site_exit_all(sim);
	while (psync_heap_pop(&sim->heap, &item))
		psync_net_discard(&item);
	if (sim->bodies)
		psync_sim_fail(sim, "leak", "%llu bodies", sim->bodies);
	if (sim->blocks || sim->bytes)
		psync_sim_fail(sim, "leak", "%llu blocks, %llu bytes",
			       sim->blocks, sim->bytes);
	psync_net_exit(sim);
}

static void psync_sim_judge(struct psync_sim *sim)
{
	struct psync_stats *stats = sim->stats;
	struct psync_verdict verdict;
	u32 i;

	psync_check(sim->hist, &verdict);
	if (verdict.invariant) {
		sim->invariant = verdict.invariant;
		snprintf(sim->text, sizeof(sim->text), "%s", verdict.text);
	}
	if (sim->unfair)
		psync_sim_fail(sim, "fair-drop", "%s", sim->unfair);
	stats->seeds++;
	for (i = 0; i < PSYNC_FAULT_MAX; i++) {
		stats->hits[i] += sim->fault.hits[i];
		stats->struck[i] += sim->fault.hits[i] != 0;
	}
	stats->late += verdict.late;
	if (verdict.depth > stats->depth)
		stats->depth = verdict.depth;
	if (verdict.width > stats->width)
		stats->width = verdict.width;
	stats->duplicates = stats->drops[PSYNC_DROP_DUPLICATE];
	stats->stale = stats->drops[PSYNC_DROP_STALE_OPENING];
	stats->closed = stats->drops[PSYNC_DROP_CLOSED];
	stats->deaf = stats->drops[PSYNC_DROP_NO_LISTENER];
}

bool psync_sim_run(struct psync_sim *sim, u32 max_sites)
{
	psync_hist_reset(sim->hist);
	psync_shape_draw(sim, max_sites);
	psync_net_init(sim, sim->nsites);
	psync_work_init(sim);
	psync_sim_loop(sim);
	psync_sim_leaks(sim);
	psync_shape_free(sim);
	psync_heap_free(&sim->heap);
	psync_sim_judge(sim);
	return !sim->invariant;
}
