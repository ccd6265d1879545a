// SPDX-License-Identifier: GPL-2.0-only
/* Counters of a namespace: names, sums, /proc/net/psync_stat. */

#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "psync.h"

const char * const psync_counter_names[PSYNC_MIB_MAX] = {
#define X(name, counter, text) [PSYNC_MIB_##name] = counter,
	PSYNC_COUNTERS(X)
#undef X
};

/* Entry 0 is no drop; it has a name so that no reader meets a NULL. */
const char * const psync_drop_names[PSYNC_DROP_MAX] = {
	[PSYNC_OK] = "DropNone",
#define X(name, counter, text) [PSYNC_DROP_##name] = counter,
	PSYNC_DROPS(X)
#undef X
};

void psync_count_cuts(struct psync_net *pnet, enum psync_cut why,
		      unsigned int times)
{
	static const enum psync_counter counters[] = {
		[PSYNC_CUT_LOSS]	= PSYNC_MIB_CUT_LOSS,
		[PSYNC_CUT_TIMEOUT]	= PSYNC_MIB_CUT_TIMEOUT,
		[PSYNC_CUT_MARK]	= PSYNC_MIB_CUT_MARK,
	};

	this_cpu_add(pnet->mib->counters[counters[why]], times);
}

/**
 * psync_mib_sum - add up a namespace's counters over all CPUs
 * @pnet: site
 * @sum: result
 *
 * Context: any.  Counters go on while this runs: each is exact by itself, no
 * two belong to the same instant.
 */
void psync_mib_sum(const struct psync_net *pnet, struct psync_mib *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct psync_mib *mib = per_cpu_ptr(pnet->mib, cpu);

		for (i = 0; i < PSYNC_MIB_MAX; i++)
			sum->counters[i] += READ_ONCE(mib->counters[i]);
		for (i = 0; i < PSYNC_DROP_MAX; i++)
			sum->drops[i] += READ_ONCE(mib->drops[i]);
	}
}

static int psync_mib_show(struct seq_file *seq, void *v)
{
	struct psync_net *pnet = psync_pernet(seq_file_single_net(seq));
	struct psync_mib sum;
	unsigned int i;

	psync_mib_sum(pnet, &sum);
	for (i = 0; i < PSYNC_MIB_MAX; i++)
		seq_printf(seq, "%-24s %llu\n", psync_counter_names[i],
			   sum.counters[i]);
	for (i = PSYNC_OK + 1; i < PSYNC_DROP_MAX; i++)
		seq_printf(seq, "%-24s %llu\n", psync_drop_names[i],
			   sum.drops[i]);
	return 0;
}

/**
 * psync_mib_init - make a namespace's counters and show them
 * @pnet: site
 *
 * Context: namespace start.  Return: 0, -ENOMEM.
 */
int psync_mib_init(struct psync_net *pnet)
{
	pnet->mib = alloc_percpu(struct psync_mib);
	if (!pnet->mib)
		return -ENOMEM;
	if (IS_ENABLED(CONFIG_PROC_FS) &&
	    !proc_create_net_single("psync_stat", 0444, pnet->net->proc_net,
				    psync_mib_show, NULL)) {
		free_percpu(pnet->mib);
		return -ENOMEM;
	}
	return 0;
}

/**
 * psync_mib_exit - take a namespace's counters away
 * @pnet: site; nothing counts any more
 *
 * Context: namespace end.  Removing the file waits for its readers.
 */
void psync_mib_exit(struct psync_net *pnet)
{
	remove_proc_entry("psync_stat", pnet->net->proc_net);
	free_percpu(pnet->mib);
}
