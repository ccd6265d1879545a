/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: messages whose context is incomplete. */
#ifndef _PSYNC_CORE_HOLD_H
#define _PSYNC_CORE_HOLD_H

#include "image.h"

/**
 * psync_hold_init - an empty holding queue
 * @img: image with participants
 *
 * Return: 0, -ENOMEM.
 */
int psync_hold_init(struct psync_image *img);

/**
 * psync_hold_exit - drop all held messages (LEFT_OVER)
 * @img: image, perhaps without a holding queue
 */
void psync_hold_exit(struct psync_image *img);

/**
 * psync_hold_has - is a message held?
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 */
bool psync_hold_has(const struct psync_image *img, u32 index, u64 seq);

/**
 * psync_hold_follower - a held message that has this one in its context
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 *
 * Asks all held messages, so it is for when a limit is hit, or a message is lost.
 * Return: one, or NULL.
 */
const struct psync_node *psync_hold_follower(const struct psync_image *img,
					     u32 index, u64 seq);

/**
 * psync_hold_waiting - a held message that waits for this one
 * @img: image
 * @index: sender of the missing message
 * @seq: its sequence number
 *
 * Return: one, or NULL.
 */
const struct psync_node *psync_hold_waiting(const struct psync_image *img,
					    u32 index, u64 seq);

enum psync_hold_state {
	PSYNC_HOLD_READY,	/* its whole context is attached */
	PSYNC_HOLD_WAIT,	/* wait_index and wait_seq say for what */
	PSYNC_HOLD_FALSE,	/* follows what was never sent here */
};

/**
 * psync_hold_scan - look for the next missing message of a context
 * @img: image
 * @node: message not attached; scanning goes on where it stopped last
 *
 * All calls for one message together cost O(its context).
 */
enum psync_hold_state psync_hold_scan(const struct psync_image *img,
				      struct psync_node *node);

/**
 * psync_hold_add - hold a message until what it waits for is attached
 * @img: image
 * @node: message for which psync_hold_scan() said WAIT; accounted for
 */
void psync_hold_add(struct psync_image *img, struct psync_node *node);

/**
 * psync_hold_wake - a message was attached: attach what can follow now
 * @img: image
 * @index: its sender
 * @last: the sequence number of the one attached before, or of what was lost since
 * @seq: its sequence number
 */
void psync_hold_wake(struct psync_image *img, u32 index, u64 last, u64 seq);

/**
 * psync_hold_review - what was waited for may never come: look at all again
 * @img: image
 */
void psync_hold_review(struct psync_image *img);

/**
 * psync_hold_take_one - take a message out of the queue
 * @img: image
 * @node: held
 */
void psync_hold_take_one(struct psync_image *img, struct psync_node *node);

/**
 * psync_hold_each - look at everything that is held, in no order
 * @img: image
 * @look: called for each; may take that one out, and changes nothing else
 * @arg: handed to it
 */
void psync_hold_each(struct psync_image *img,
		     void (*look)(struct psync_image *img,
				  struct psync_node *node, void *arg),
		     void *arg);

/**
 * psync_hold_take - take messages out of the queue
 * @img: image
 * @until: by participant: up to these numbers
 * @nodes: where they go, what is followed first; room for psync_image.nheld
 *
 * They are the caller's, but for their bytes, which count as attached.
 * Return: how many.
 */
u32 psync_hold_take(struct psync_image *img, const u64 *until,
		    struct psync_node **nodes);

/**
 * psync_hold_drop - drop a message that is in the queue no more
 * @img: image
 * @node: it
 * @reason: why
 */
void psync_hold_drop(struct psync_image *img, struct psync_node *node,
		     enum psync_drop reason);

/**
 * psync_hold_discard - drop what waits for messages that nobody claims to have
 * @img: image
 *
 * As if it had never arrived (S4.3).
 */
void psync_hold_discard(struct psync_image *img);

/**
 * psync_hold_forget - drop what is held of an earlier opening
 * @img: image
 * @site: index in psync_image.remotes of the senders' site
 */
void psync_hold_forget(struct psync_image *img, int site);

#endif /* _PSYNC_CORE_HOLD_H */
