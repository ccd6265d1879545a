// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is counted out for good is told so (S5.3).
 *
 * A MASK says of whom its sender does not wait; whether all who remain have said
 * so is known among those, see vote.c, and not to the one it is about: what they
 * say to one another need not reach it.  So who has counted somebody out says
 * KEPT when that one still asks or sends.  Whom nobody takes anything from any
 * more, as far as it knows, may not send either: nothing is accepted and lost.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "confirm.h"
#include "expel.h"
#include "mask.h"
#include "view.h"

/* One who has said nothing and may never open. */
static bool psync_expel_unopened(const struct psync_image *img, u32 index)
{
	const struct psync_part *part = &img->parts[index];

	return !part->view && max(part->seq, part->claimed) == img->p.seq_base;
}

/* Does nobody who counts for a view take what its participant sends? */
static bool psync_expel_alone(const struct psync_view *view)
{
	const struct psync_image *img = view->img;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (i != view->index && !img->parts[i].ended &&
		    !psync_view_masked(view, i) &&
		    !psync_expel_unopened(img, i) &&
		    !psync_mask_against(view, i))
			return false;
	return true;
}

static void psync_expel_tell(struct psync_view *view)
{
	struct psync_image *img = view->img;

	view->out = psync_expel_alone(view);
	psync_image_event(img, view, PSYNC_EV_AGREED, img->p.site,
			  PSYNC_MID(view->index, view->expelled_at), 0);
	if (view->out)
		img->ops->writable(img);
}

void psync_expel_told(struct psync_view *view, u32 index, u64 last)
{
	if (view->expelled || psync_view_masked(view, index))
		return;
	/* That was said of its earlier life (S7.1), and it is back. */
	if (view->restart || last < view->returned)
		return;
	view->expelled = true;
	/* What it cannot have sent nobody can have counted. */
	view->expelled_at = min(last, view->img->parts[view->index].seq);
	psync_expel_tell(view);
}

void psync_expel_review(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->expelled && !view->out && psync_expel_alone(view))
			psync_expel_tell(view);
}

void psync_expel_insist(struct psync_image *img,
			const struct psync_remote *remote, u32 index)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		psync_mask_finish(view, remote, index);
}
