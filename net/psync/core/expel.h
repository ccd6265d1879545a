/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is counted out for good is told so (S5.3). */
#ifndef _PSYNC_EXPEL_H
#define _PSYNC_EXPEL_H

#include "image.h"

/**
 * psync_expel_told - somebody says that a view's participant is counted out
 * @view: its view, which has masks
 * @index: who says it
 * @last: sequence number of the last message of it that counts there
 *
 * When nobody is left who takes what it sends, PSYNC_EV_AGREED tells so, and that
 * fails with -ESTALE, see psync_image_send().  What is said by those whom the view
 * masks out does that only with another's word: after a partition each side goes
 * on.  What was said of an earlier life of it is nothing to who is back.
 *
 * Context: the image's lock.
 */
void psync_expel_told(struct psync_view *view, u32 index, u64 last);

/**
 * psync_expel_undo - that is not so any more
 * @view: its view
 * @index: who has taken it back, or has restarted
 */
void psync_expel_undo(struct psync_view *view, u32 index);

/**
 * psync_expel_look - is nobody left, or somebody back?
 * @view: view
 */
void psync_expel_look(struct psync_view *view);

/**
 * psync_expel_review - likewise, for all views
 * @img: image
 */
void psync_expel_review(struct psync_image *img);

/**
 * psync_expel_insist - one who is counted out sends as if it were not
 * @img: image
 * @remote: its site, or NULL: this one
 * @index: it
 *
 * Those here who have counted it out say so, the more often the later.
 */
void psync_expel_insist(struct psync_image *img,
			const struct psync_remote *remote, u32 index);

#endif
