/* SPDX-License-Identifier: GPL-2.0-only */
/* What participants have announced about one another (S5.1, S5.2). */
#ifndef _PSYNC_CORE_VOTE_H
#define _PSYNC_CORE_VOTE_H

#include "image.h"

/**
 * struct psync_vote - one announcement: a MASK that was attached
 * @older: the sender's one before, about the same participant, or NULL
 * @seq: its sequence number
 * @first: that of the first since its sender masks that one out
 * @last: psync_node.last
 * @turns: ENDs and RESTARTs in its context
 * @op: enum psync_mask_op
 * @whole: all up to @last is in its context, too
 */
struct psync_vote {
	struct psync_vote	*older;
	u64			seq;
	u64			first;
	u64			last;
	u32			turns;
	u8			op;
	bool			whole;
};

/**
 * struct psync_note - what one participant announces about another
 * @vote: the latest, or NULL
 * @first: sequence number of the first since it masks that one out, 0: none
 * @closed: that of the one which takes it back, 0: none
 */
struct psync_note {
	struct psync_vote	*vote;
	u64			first;
	u64			closed;
};

/**
 * psync_vote_prepare - room for what a MASK says
 * @img: image
 * @node: the MASK, about to be attached or held
 *
 * Return: 0, -ENOMEM.
 */
int psync_vote_prepare(struct psync_image *img, struct psync_node *node);

/**
 * psync_vote_free - a MASK is freed
 * @img: image
 * @node: it
 */
void psync_vote_free(struct psync_image *img, struct psync_node *node);

/**
 * psync_vote_exit - give back all that was announced
 * @img: image, perhaps without participants
 */
void psync_vote_exit(struct psync_image *img);

/**
 * psync_vote_attached - a MASK is being attached
 * @img: image
 * @node: it, before any view has it
 */
void psync_vote_attached(struct psync_image *img, struct psync_node *node);

/**
 * psync_vote_turn - an END or RESTART is being attached
 * @img: image
 * @node: it
 */
void psync_vote_turn(struct psync_image *img, const struct psync_node *node);

/**
 * psync_mask_by - has a participant announced that it masks another?
 * @img: image
 * @index: participant
 * @about: the other one
 */
bool psync_mask_by(const struct psync_image *img, u32 index, u32 about);

/**
 * struct psync_poll - who is counted out in what precedes a message?
 * @view: view with masks
 * @stamp: of the message, with that itself
 * @turns: ENDs and RESTARTs in that context
 * @found: the participant whose set is marked in the view's masks, index and
 *	one; 0: none is
 */
struct psync_poll {
	struct psync_view	*view;
	const u64		*stamp;
	u32			turns;
	u32			found;
};

/**
 * psync_vote_poll - begin to ask that
 * @poll: with a view
 * @stamp: of a message that is in the view
 */
void psync_vote_poll(struct psync_poll *poll, const u64 *stamp);

/**
 * psync_vote_agreed - is a participant counted out in what precedes a message?
 * @poll: begun
 * @about: participant that the view masks out
 * @cut: its last message that counts, when it is
 */
bool psync_vote_agreed(struct psync_poll *poll, u32 about, u64 *cut);

/**
 * struct psync_announced - whom a view's participant has announced to mask
 * @stamp: in this context; as many entries as there are participants
 * @about: these participants; as much room
 * @count: entries
 * @turns: ENDs and RESTARTs in that context
 */
struct psync_announced {
	u64	*stamp;
	u32	*about;
	u32	count;
	u32	turns;
};

/**
 * psync_mask_announced - whom has a view's participant announced to mask, with
 * another one?
 * @view: view
 * @about: that one
 * @said: the answer; nobody, when that one is not masked out or is agreed
 */
void psync_mask_announced(const struct psync_view *view, u32 about,
			  struct psync_announced *said);

/**
 * psync_mask_awaited - must a participant yet announce the same (S5.2)?
 * @img: the view's image
 * @index: participant
 * @said: of psync_mask_announced(), perhaps some time ago
 */
bool psync_mask_awaited(const struct psync_image *img, u32 index,
			const struct psync_announced *said);

#endif /* _PSYNC_CORE_VOTE_H */
