/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for a message to be n-stable (P 2, stable; S2.2). */
#ifndef _PSYNC_CORE_STABLE_H
#define _PSYNC_CORE_STABLE_H

#include <linux/list.h>
#include <linux/types.h>

struct psync_image;
struct psync_node;
struct psync_view;

/**
 * struct psync_watch - somebody waits for a message to be n-stable
 * @link: in psync_image.watches while @answer is 0
 * @view: whose message it is
 * @mid: the message
 * @participants: so many others have to have sent in its context
 * @sites: so many distinct sites have to have it, its sender's included; with
 *	@participants zero, too: all whom stable waits for have to
 * @answer: 0 not yet; 1 it is; PSYNC_ENEVER it will not be, since the others
 *	have closed
 * @user: the caller's
 */
struct psync_watch {
	struct list_head	link;
	struct psync_view	*view;
	u64			mid;
	u32			participants;
	u32			sites;
	int			answer;
	void			*user;
};

/**
 * psync_stable_count - as psync_view_stable(), of all that is attached
 * @view: whose message it is
 * @mid: a message of it
 * @participants: how many others have sent in its context
 * @sites: distinct sites among them and the sender's
 *
 * What was attached and not yet received says as much about others, so who
 * waits need not receive meanwhile.
 * Return: 1 if all others have, 0, PSYNC_EUNKNOWN (it is not in the view).
 */
int psync_stable_count(const struct psync_view *view, u64 mid,
		       u32 *participants, u32 *sites);

/**
 * psync_stable_possible - could so many ever have?
 * @img: image
 * @participants: as in struct psync_watch
 * @sites: likewise
 */
bool psync_stable_possible(const struct psync_image *img, u32 participants,
			   u32 sites);

/**
 * psync_stable_watch - begin to wait
 * @view: whose message it is
 * @watch: mid, participants, sites and user filled in, possible; in use until
 *	it has an answer or psync_stable_unwatch()
 *
 * ops->stable() tells when there is an answer, unless there is one now.
 * Return: watch->answer, or PSYNC_EUNKNOWN (it is not in the view).
 */
int psync_stable_watch(struct psync_view *view, struct psync_watch *watch);

/**
 * psync_stable_unwatch - wait no more
 * @watch: zeroed, or given to psync_stable_watch() before
 */
void psync_stable_unwatch(struct psync_watch *watch);

/**
 * psync_stable_attached - look whether that is what somebody waited for
 * @img: image
 * @node: attached
 */
void psync_stable_attached(struct psync_image *img,
			   const struct psync_node *node);

/**
 * psync_stable_review - who counts has changed (S5)
 * @img: image
 */
void psync_stable_review(struct psync_image *img);

#endif /* _PSYNC_CORE_STABLE_H */
