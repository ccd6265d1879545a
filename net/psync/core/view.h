/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: how views begin, grow and end. */
#ifndef _PSYNC_CORE_VIEW_H
#define _PSYNC_CORE_VIEW_H

#include "image.h"
#include "mask.h"

/**
 * psync_view_init - an empty view
 * @view: zeroed
 * @img: image with participants
 *
 * Return: 0, -ENOMEM.
 */
int psync_view_init(struct psync_view *view, struct psync_image *img);

/**
 * psync_view_exit - give back a view's memory
 * @view: view, perhaps never initialised
 */
void psync_view_exit(struct psync_view *view);

/**
 * psync_view_begin - let a new view begin with what is kept
 * @view: initialised view in no list yet
 *
 * Bodies that are there become outstanding, all before the last one that is
 * not is taken for received.
 */
void psync_view_begin(struct psync_view *view);

/**
 * psync_view_behind - make a view of all that was given back
 * @view: initialised view in no list
 * @bar: only of what was attached before this one; or NULL
 *
 * Return: the last node of it that is kept, or NULL.
 */
const struct psync_node *psync_view_behind(struct psync_view *view,
					   const struct psync_node *bar);

/**
 * psync_view_end - a view wants nothing any more
 * @view: view
 */
void psync_view_end(struct psync_view *view);

/**
 * psync_view_has - is a message in the view?
 * @view: view
 * @node: message
 */
static inline bool psync_view_has(const struct psync_view *view,
				  const struct psync_node *node)
{
	return node->seq <= view->stamp[node->sender];
}

/**
 * psync_view_enter - the view grows by a message
 * @view: view
 * @node: message whose context is in the view
 */
void psync_view_enter(struct psync_view *view, const struct psync_node *node);

/**
 * psync_view_counts - is a message for the program to receive, when it is due?
 * @view: view that does not have it
 * @node: message
 */
bool psync_view_counts(const struct psync_view *view,
		       const struct psync_node *node);

/**
 * psync_view_want - one view more wants a message
 * @view: view
 * @node: message
 */
void psync_view_want(struct psync_view *view, struct psync_node *node);

/**
 * psync_view_unwant - one view fewer wants a message
 * @view: view
 * @node: message; its body may be given back
 */
void psync_view_unwant(struct psync_view *view, struct psync_node *node);

/**
 * psync_view_skip - go on to the next message that the participant receives
 * @view: view
 *
 * What the kernel of another site made is received for it, as soon as all
 * before it was, and so is what is void (S5), but not for one who only listens;
 * what is not due is left out.
 */
void psync_view_skip(struct psync_view *view);

/**
 * psync_view_offer - a message was attached
 * @view: view that does not have it
 * @node: the message
 */
void psync_view_offer(struct psync_view *view, struct psync_node *node);

/**
 * psync_view_absorb - a view is to have all in a context
 * @view: view with ->leaf
 * @stamp: the context
 *
 * What was outstanding of it is taken for received; so is the restart's point
 * reached when the view has all its leaves.
 */
void psync_view_absorb(struct psync_view *view, const u64 *stamp);

/**
 * psync_view_established - what is not in the view may be received now
 * @view: view with ->leaf
 */
void psync_view_established(struct psync_view *view);

#endif /* _PSYNC_CORE_VIEW_H */
