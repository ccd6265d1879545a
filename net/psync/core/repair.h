/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: asking for what is missing, and answering (S4). */
#ifndef _PSYNC_CORE_REPAIR_H
#define _PSYNC_CORE_REPAIR_H

#include "image.h"

/**
 * psync_repair_lack - some site holds what this image does not
 * @img: image
 */
void psync_repair_lack(struct psync_image *img);

/**
 * psync_repair_came - something that was missing was attached
 * @img: image
 */
void psync_repair_came(struct psync_image *img);

/**
 * psync_repair_vain - an answer has what is held here already
 * @img: image
 *
 * A request does not say what is held, so what else is lacking may come with a
 * later answer only: the next request does not wait as if nothing had come.
 */
void psync_repair_vain(struct psync_image *img);

/**
 * psync_repair_input - a request (P 3.2.1; S4.1)
 * @img: image
 * @remote: from this site
 * @pkt: the RR
 *
 * Return: PSYNC_OK, BAD_VECTOR, BAD_CONTEXT, RR_RATE.
 */
enum psync_drop psync_repair_input(struct psync_image *img,
				   struct psync_remote *remote,
				   const struct psync_pkt *pkt);

/**
 * psync_repair_room - how many messages may be sent again now?
 * @img: image
 */
u32 psync_repair_room(struct psync_image *img);

/**
 * psync_repair_save - what was held goes on, though some that it follows is lost
 * @img: image
 * @node: taken out of the holding queue
 * @until: up to there it is
 *
 * What else is lost by that psync_repair_lost() will tell.
 */
void psync_repair_save(struct psync_image *img, struct psync_node *node,
		       const u64 *until);

/**
 * psync_repair_fade - up to somewhere messages are missing for good
 * @img: image
 * @until: up to there; nobody here knows which of what is there follow which
 */
void psync_repair_fade(struct psync_image *img, const u64 *until);

/**
 * psync_repair_lost - go on behind what was lost, if anything, and tell of it
 * @img: image
 * @remote: site that said so
 */
void psync_repair_lost(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_repair_gone - what we asked for is kept nowhere any more (S2.4)
 * @img: image
 * @remote: says this site
 * @pkt: the GONE
 *
 * Takes what is missing up to there for lost, with one event, and goes on.
 * Return: PSYNC_OK, BAD_VECTOR, DUPLICATE, CLOSED.
 */
enum psync_drop psync_repair_gone(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt);

/**
 * psync_repair_successors - P 3.2.2: answer a message that was resent
 * @img: image
 * @remote: by this site
 * @index: its sender
 * @seq: its sequence number
 */
void psync_repair_successors(struct psync_image *img,
			     struct psync_remote *remote, u32 index, u64 seq);

/**
 * psync_repair_timer - ask, if it is time
 * @img: image
 */
void psync_repair_timer(struct psync_image *img);

#endif /* _PSYNC_CORE_REPAIR_H */
