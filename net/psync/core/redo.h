/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: a program that runs again from its beginning (P 5.2). */
#ifndef _PSYNC_CORE_REDO_H
#define _PSYNC_CORE_REDO_H

#include "image.h"

/**
 * psync_redo_record - remember what the participant sent when it ran before
 * @view: view with ->redo
 * @node: message of its participant, in order
 *
 * Without memory the view is lost (S7.3).
 */
void psync_redo_record(struct psync_view *view, const struct psync_node *node);

/**
 * psync_redo_exit - forget the rest
 * @view: view, perhaps without ->redo
 */
void psync_redo_exit(struct psync_view *view);

/**
 * psync_redo_match - is a message the next one that was sent before?
 * @view: view with ->redo
 * @body: the message
 * @len: its bytes
 * @mid: where the id of the recorded one goes
 *
 * Return: 1: it is, and is not to be sent; 0: there are none any more;
 * -EPROTO: it is not.
 */
int psync_redo_match(struct psync_view *view, void *body, u32 len, u64 *mid);

#endif /* _PSYNC_CORE_REDO_H */
