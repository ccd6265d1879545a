/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: what is kept for those who may come back (P 5.1). */
#ifndef _PSYNC_CORE_HISTORY_H
#define _PSYNC_CORE_HISTORY_H

#include "image.h"

/**
 * psync_history_rest - nobody lacks a message, or is to receive it
 * @img: image
 * @node: attached node that is not gone
 *
 * Keeps its body while there is room for it in the history, else gives it
 * back; then the oldest others, until what is kept fits.
 */
void psync_history_rest(struct psync_image *img, struct psync_node *node);

/**
 * psync_history_idle - may a node of the history be given back?
 * @node: attached node
 */
static inline bool psync_history_idle(const struct psync_node *node)
{
	return node->kept && !node->wanted && !node->unheld;
}

#endif /* _PSYNC_CORE_HISTORY_H */
