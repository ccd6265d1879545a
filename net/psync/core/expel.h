/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is counted out for good is told so (S5.3). */
#ifndef _PSYNC_EXPEL_H
#define _PSYNC_EXPEL_H

#include "image.h"

/**
 * psync_expel_told - somebody says that a view's participant is counted out
 * @view: its view
 * @index: who says it
 * @last: sequence number of the last message of it that counts there
 *
 * PSYNC_EV_AGREED tells so, unless the view masks that one out itself: after a
 * partition each side goes on; or it has restarted since.  When nobody is left who
 * takes what it sends, that fails with -ESTALE, see psync_image_send().
 *
 * Context: the image's lock; all there is to know of masks is looked at.
 */
void psync_expel_told(struct psync_view *view, u32 index, u64 last);

/**
 * psync_expel_review - has one who was told so nobody left meanwhile?
 * @img: image
 */
void psync_expel_review(struct psync_image *img);

/**
 * psync_expel_insist - one who is counted out sends as if it were not
 * @img: image
 * @remote: its site
 * @index: it
 *
 * Those here who have counted it out say so, the more often the later.
 */
void psync_expel_insist(struct psync_image *img,
			const struct psync_remote *remote, u32 index);

#endif
