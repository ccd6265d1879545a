// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for a message to be n-stable (P 2, stable; S2.2).
 *
 * Whether it is follows from the last message of each participant.  So only a
 * message that has the awaited one in its context, or an END, can make it so,
 * and attaching costs nothing while nobody waits.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include "graph.h"
#include "stable.h"

int psync_stable_count(const struct psync_view *view, u64 mid,
		       u32 *participants, u32 *sites)
{
	struct psync_view all = *view;
	u32 index = PSYNC_MID_INDEX(mid);

	if (index >= view->img->p.n || PSYNC_MID_SEQ(mid) > view->stamp[index])
		return PSYNC_EUNKNOWN;
	all.stamp = NULL;
	return psync_view_stable(&all, mid, participants, sites);
}

bool psync_stable_possible(const struct psync_image *img, u32 participants,
			   u32 sites)
{
	return participants < img->p.n && sites <= img->nremotes + 1;
}

/* What is to be answered now. */
static int psync_stable_judge(const struct psync_watch *watch)
{
	u32 participants, sites;
	int stable;

	stable = psync_stable_count(watch->view, watch->mid, &participants,
				    &sites);
	if (stable < 0)
		return stable;
	if (!watch->participants && !watch->sites)
		return stable;
	if (participants >= watch->participants && sites >= watch->sites)
		return 1;
	return stable ? PSYNC_ENEVER : 0;
}

int psync_stable_watch(struct psync_view *view, struct psync_watch *watch)
{
	int answer;

	watch->view = view;
	INIT_LIST_HEAD(&watch->link);
	answer = psync_stable_judge(watch);
	watch->answer = answer;
	if (!answer)
		list_add_tail(&watch->link, &view->img->watches);
	return answer;
}

void psync_stable_unwatch(struct psync_watch *watch)
{
	if (watch->view)
		list_del_init(&watch->link);
	watch->view = NULL;
}

static void psync_stable_answer(struct psync_image *img,
				struct psync_watch *watch)
{
	watch->answer = psync_stable_judge(watch);
	if (!watch->answer)
		return;
	list_del_init(&watch->link);
	img->ops->stable(img, watch);
}

void psync_stable_review(struct psync_image *img)
{
	struct psync_watch *watch, *next;

	list_for_each_entry_safe(watch, next, &img->watches, link)
		psync_stable_answer(img, watch);
}

void psync_stable_attached(struct psync_image *img,
			   const struct psync_node *node)
{
	struct psync_watch *watch, *next;

	list_for_each_entry_safe(watch, next, &img->watches, link) {
		if (node->kind != PSYNC_KIND_END &&
		    node->stamp[PSYNC_MID_INDEX(watch->mid)] <
		    PSYNC_MID_SEQ(watch->mid))
			continue;
		psync_stable_answer(img, watch);
	}
}
