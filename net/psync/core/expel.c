// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is counted out for good is told so (S5.3).
 *
 * A MASK says of whom its sender does not wait; whether all who remain have said
 * so is known among those, see vote.c, and not to the one it is about: what they
 * say to one another need not reach it.  So who has counted somebody out says
 * KEPT when that one still asks or sends.
 *
 * Once nobody is left who could take what it sends, it may not send: nothing is
 * accepted and lost.  Only for good counts: who masks it out, or whom it masks
 * out, and has not agreed with others about that, may take it back.  Even then
 * somebody may restart, so all that is looked at anew whenever any of it changes.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "ack.h"
#include "confirm.h"
#include "expel.h"
#include "mask.h"
#include "view.h"

/* It is not there, and has said nothing: it may never open. */
static bool psync_expel_unopened(const struct psync_image *img, u32 index)
{
	const struct psync_part *part = &img->parts[index];

	if (max(part->seq, part->claimed) != img->p.seq_base)
		return false;
	return part->remote < 0 ? !part->view :
				  img->remotes[part->remote].absent;
}

/* Does a participant take nothing of a view's one, and will not? */
static bool psync_expel_gone(const struct psync_view *view, u32 index)
{
	const struct psync_part *part = &view->img->parts[index];
	const struct psync_mask *mask = &view->masks[index];

	return mask->kept || (part->ended && !part->back) ||
	       (mask->agreed && !mask->back) ||
	       psync_expel_unopened(view->img, index);
}

/*
 * Has somebody whose word counts said that it is out, and is nobody left?  Who has
 * masked out all the others itself goes on alone.
 */
static bool psync_expel_is_out(const struct psync_view *view, u64 *last)
{
	bool said = false;
	u32 i;

	*last = view->img->p.seq_base;
	for (i = 0; i < view->img->p.n; i++) {
		if (i == view->index)
			continue;
		if (!psync_expel_gone(view, i))
			return false;
		if (!view->masks[i].kept || psync_view_masked(view, i))
			continue;
		said = true;
		*last = max(*last, view->masks[i].kept_at);
	}
	return said;
}

void psync_expel_look(struct psync_view *view)
{
	struct psync_image *img = view->img;
	bool before = view->out;
	u64 last;

	if (!view->expelled || view->pending)
		return;
	view->out = psync_expel_is_out(view, &last);
	if (view->out && !before)
		psync_image_event(img, view, PSYNC_EV_AGREED, img->p.site,
				  PSYNC_MID(view->index, last), 0);
}

void psync_expel_review(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		psync_expel_look(view);
}

void psync_expel_told(struct psync_view *view, u32 index, u64 last)
{
	struct psync_mask *mask = &view->masks[index];

	/* That was said of its earlier life (S7.1), and it is back. */
	if (view->restart || last < view->returned)
		return;
	mask->kept = true;
	/* What it cannot have sent nobody can have counted. */
	mask->kept_at = min(last, view->img->parts[view->index].seq);
	view->expelled = true;
	psync_expel_look(view);
}

void psync_expel_undo(struct psync_view *view, u32 index)
{
	if (!view->expelled || !view->masks[index].kept)
		return;
	view->masks[index].kept = false;
	psync_expel_look(view);
}

void psync_expel_insist(struct psync_image *img,
			const struct psync_remote *remote, u32 index)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->index != index)
			psync_mask_finish(view, remote, index);
}
