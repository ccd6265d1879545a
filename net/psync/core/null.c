// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel says for a participant (S3): null messages, which
 * acknowledge for one who is silent so that what others sent becomes stable,
 * and END, which is its last node.
 *
 * A null message is sent for messages of programs alone, so a conversation in
 * which nobody says anything is silent.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "mask.h"
#include "null.h"

/* It has not ended, or is back, as is known before its RESTART is here. */
static bool psync_null_there(const struct psync_part *part)
{
	return !part->ended || part->back;
}

/* Is there anybody else whose graph it would be for? */
static bool psync_null_heard(const struct psync_view *view)
{
	const struct psync_image *img = view->img;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (i != view->index && psync_null_there(&img->parts[i]) &&
		    !psync_mask_ignores(view, i))
			return true;
	return false;
}

static bool psync_null_may(const struct psync_view *view)
{
	return !view->pending && !view->manual && !view->restart &&
	       !view->img->refused &&
	       psync_null_heard(view);
}

void psync_null_due(struct psync_view *view)
{
	view->owes = true;
	if (!psync_null_may(view))
		return;
	view->null_at = min(view->null_at,
			    view->img->now + view->img->p.limits.null_ns);
	psync_image_arm(view->img, view->null_at);
}

void psync_null_back(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->owes)
			psync_null_due(view);
}

void psync_null_timer(struct psync_image *img)
{
	struct psync_view *view;
	u64 mid;

	list_for_each_entry(view, &img->views, link) {
		if (view->null_at <= img->now) {
			view->null_at = U64_MAX;
			/* Without memory it is tried again. */
			if (psync_null_may(view) &&
			    psync_image_emit(img, view, PSYNC_KIND_NULL, 0, 0,
					     NULL, 0, &mid))
				psync_null_due(view);
		}
		psync_image_arm(img, view->null_at);
	}
}

void psync_null_end(struct psync_view *view)
{
	struct psync_image *img = view->img;
	u64 mid;

	/* Before the first message nobody knows that there is anything. */
	if (!img->attached || !psync_null_may(view))
		return;
	if (psync_image_emit(img, view, PSYNC_KIND_END,
			     view->died ? PSYNC_END_DIED : PSYNC_END_CLOSED, 0,
			     NULL, 0, &mid))
		img->ops->dropped(img, PSYNC_DROP_NO_MEM);
}
