/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: sites that are not waited for any more (S6.6). */
#ifndef _PSYNC_CORE_SKIP_H
#define _PSYNC_CORE_SKIP_H

#include "image.h"

/**
 * psync_skip_check - is a GAP by one site about another?
 * @img: image
 * @pkt: MSG that is a GAP
 *
 * Return: PSYNC_OK, NOT_MEMBER.
 */
enum psync_drop psync_skip_check(const struct psync_image *img,
				 const struct psync_pkt *pkt);

/**
 * psync_skip_follow - what the predecessors of a GAP follow it follows, too
 * @img: image
 * @gap: the GAP, with its context here
 * @before: stamp of its sender's previous message, or NULL
 *
 * Who has lost messages does not know it.  What is given up is what it says, the
 * same for all.
 *
 * Return: PSYNC_OK, NO_MEM.
 */
enum psync_drop psync_skip_follow(struct psync_image *img,
				  struct psync_node *gap, const u64 *before);

/**
 * psync_skip_free - a node is given back
 * @img: image
 * @node: a GAP or any other
 */
void psync_skip_free(struct psync_image *img, struct psync_node *node);

/**
 * psync_skip_attached - a GAP is attached: its site is not waited for any more
 * @img: image
 * @node: the GAP
 */
void psync_skip_attached(struct psync_image *img, struct psync_node *node);

/**
 * psync_skip_forget - a GAP is freed
 * @img: image
 * @node: the GAP
 */
void psync_skip_forget(struct psync_image *img, struct psync_node *node);

/**
 * psync_skip_begin - a site holds back senders here and is not waited for
 * @img: image
 * @site: it
 * @index: as psync_image_blocker() says
 *
 * Return: false: it is this site itself, or nobody here speaks for it (S3.3).
 */
bool psync_skip_begin(struct psync_image *img, u32 site, u32 index);

/**
 * psync_skip_go_on - sends are refused: is it for those who are skipped?
 * @img: image
 */
void psync_skip_go_on(struct psync_image *img);

/**
 * psync_skip_caught_up - a site that is skipped grants something
 * @img: image
 * @remote: site
 *
 * When it has all that it was not waited for, or knows that it is lost, it is
 * waited for again.
 */
void psync_skip_caught_up(const struct psync_image *img,
			  struct psync_remote *remote);

/**
 * psync_skip_unacked - does a message not acknowledge what it follows?
 * @img: image
 * @index: its sender
 * @last: up to this message of its
 * @sender: whose message may not be acknowledged
 * @seq: its sequence number, kept
 *
 * Return: the first message of @index that follows the other one also follows a
 * GAP which says that its site may lack it.
 */
bool psync_skip_unacked(const struct psync_image *img, u32 index, u64 last,
			u32 sender, u64 seq);

/**
 * psync_skip_context - what of a participant is in the context of a GAP, as said?
 * @gap: the GAP, or any other message
 * @index: participant
 *
 * Return: sequence number of its last message there.
 */
static inline u64 psync_skip_context(const struct psync_node *gap, u32 index)
{
	const u64 *said = gap->said ? gap->said : gap->stamp;

	return index == gap->sender ? gap->prev : said[index];
}

/**
 * psync_skip_faded - is a message among what was lost here, or was nearly?
 * @view: view; without a stamp everything is in it
 * @index: its sender
 * @seq: its sequence number
 *
 * Of these nobody here knows what follows what: they count as freed.
 */
bool psync_skip_faded(const struct psync_view *view, u32 index, u64 seq);

/**
 * psync_skip_unknown - may it be unknown here who has not acknowledged a message?
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 *
 * GAPs may have been lost here, too: then it counts as freed.
 */
bool psync_skip_unknown(const struct psync_image *img, u32 index, u64 seq);

/**
 * psync_skip_losing - messages are being taken for lost, perhaps GAPs among them
 * @img: image
 * @until: up to where; NULL: they are
 */
void psync_skip_losing(struct psync_image *img, const u64 *until);

/**
 * psync_skip_lacks - does a site lack what it was not waited for, and is gone?
 * @img: image
 * @remote: site
 */
bool psync_skip_lacks(const struct psync_image *img,
		      const struct psync_remote *remote);

/**
 * psync_skip_answer - tell it, and send what is not given up
 * @img: image
 * @remote: site, psync_skip_lacks()
 */
void psync_skip_answer(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_skip_may_hold - must a message find room in the holding queue?
 * @img: image
 * @node: message
 *
 * What is not given up, and GAPs about this site, without which it gets nowhere
 * (S2.5).  Of the latter those that @node covers are dropped.
 */
bool psync_skip_may_hold(struct psync_image *img,
			 const struct psync_node *node);

/**
 * psync_skip_has_room - is there room of its sender's beside the limit?
 * @img: image
 * @node: message that must find some
 */
bool psync_skip_has_room(struct psync_image *img,
			 const struct psync_node *node);

/**
 * psync_skip_make_room - is there any beside the limit?
 * @img: image
 * @node: message that must find some, and for which there is none else
 *
 * It may be that of others, or of what is further ahead, which is dropped.
 */
bool psync_skip_make_room(struct psync_image *img,
			  const struct psync_node *node);

/**
 * psync_skip_gone - this site was told that what it lacks is gone
 * @img: image
 * @remote: site that says so
 * @until: up to where
 * @spared: how many messages up to there are not given up and lacking here
 *
 * Return: PSYNC_OK, DUPLICATE (not all that is needed is held here yet), NO_MEM.
 */
enum psync_drop psync_skip_gone(struct psync_image *img,
				struct psync_remote *remote,
				const u64 *until, u32 spared);

#endif /* _PSYNC_CORE_SKIP_H */
