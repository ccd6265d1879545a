// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is kept for those who may come back (P 5.1).
 *
 * A body that every site holds and every participant here has received is
 * given back, unless there is room for it in the history.  The history has its
 * own bound, beside that of what is in use; what exceeds it goes oldest first,
 * but for what somebody who is back is recovering.  Nodes beyond the depth
 * threshold go whether they are in the history or not.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "graph.h"
#include "history.h"

/* Gives the oldest back until the rest fits. */
static void psync_history_evict(struct psync_image *img)
{
	struct psync_node *node = img->oldest;

	if (!node || img->history_bytes <= img->history)
		return;
	list_for_each_entry_from(node, &img->order, order) {
		if (img->history_bytes <= img->history)
			break;
		if (psync_history_idle(node))
			psync_graph_release(img, node);
	}
	/* What was passed over comes here again when it is idle. */
	img->oldest = list_entry_is_head(node, &img->order, order) ? NULL : node;
}

void psync_history_rest(struct psync_image *img, struct psync_node *node)
{
	if (!node->kept && (!img->history || node->cost > img->history)) {
		psync_graph_release(img, node);
		return;
	}
	if (!node->kept) {
		psync_graph_settle(img, node);
		node->kept = true;
		img->history_bytes += node->cost;
		if (node->body)
			img->ops->rest(img, node->body);
	}
	if (!img->oldest || node->ordinal < img->oldest->ordinal)
		img->oldest = node;
	psync_history_evict(img);
}

void psync_image_history(struct psync_image *img, u32 bytes)
{
	img->history = min(bytes, img->p.limits.max_bytes / 2);
	psync_history_evict(img);
	psync_graph_trim(img);
}
