// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that runs again from its beginning (P 5.2; S7.2).
 *
 * What it sent before is in the graph.  Each of its messages has a record, in
 * order: length and hash.  What it sends now is compared with the next record
 * and not sent; after the last one its messages are new.  The kernel's own
 * nodes have no records.  Its earlier messages enter its view when their turn
 * comes, whether it has sent them again or not.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include "confirm.h"
#include "graph.h"
#include "redo.h"

/**
 * struct psync_redo - a message that was sent before
 * @list: in psync_view.records
 * @mid: its id
 * @hash: psync_image_ops.hash() of it
 * @len: its bytes
 */
struct psync_redo {
	struct list_head	list;
	u64			mid;
	u64			hash;
	u32			len;
};

void psync_redo_record(struct psync_view *view, const struct psync_node *node)
{
	struct psync_image *img = view->img;
	struct psync_redo *redo;

	if (node->kind != PSYNC_KIND_DATA)
		return;
	redo = img->ops->alloc(img, sizeof(*redo));
	if (!redo) {
		view->lost = true;
		img->ops->dropped(img, PSYNC_DROP_NO_MEM);
		psync_image_event(img, view, PSYNC_EV_GAP, 0,
				  psync_node_mid(node), 0);
		return;
	}
	redo->mid = psync_node_mid(node);
	redo->len = node->body_len;
	redo->hash = img->ops->hash(img, node->body, node->body_len);
	list_add_tail(&redo->list, &view->records);
}

void psync_redo_exit(struct psync_view *view)
{
	struct psync_image *img = view->img;
	struct psync_redo *redo;

	while (view->redo && !list_empty(&view->records)) {
		redo = list_first_entry(&view->records, struct psync_redo,
					list);
		list_del(&redo->list);
		img->ops->free(img, redo, sizeof(*redo));
	}
}

int psync_redo_match(struct psync_view *view, void *body, u32 len, u64 *mid)
{
	struct psync_image *img = view->img;
	struct psync_redo *redo;

	redo = list_first_entry_or_null(&view->records, struct psync_redo,
					list);
	if (!redo)
		return 0;
	if (redo->len != len || redo->hash != img->ops->hash(img, body, len)) {
		psync_image_event(img, view, PSYNC_EV_DIFFERS, img->p.site,
				  redo->mid, 0);
		return -EPROTO;
	}
	*mid = redo->mid;
	list_del(&redo->list);
	img->ops->free(img, redo, sizeof(*redo));
	return 1;
}
