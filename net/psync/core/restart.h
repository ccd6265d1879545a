/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: participants that come back (P 5; S7). */
#ifndef _PSYNC_CORE_RESTART_H
#define _PSYNC_CORE_RESTART_H

#include "image.h"

/* A restart leaves out so many numbers: what surfaces later may have them. */
#define PSYNC_RESTART_SKIP	1024
/* Leaves are believed to name a last message that is so much later. */
#define PSYNC_RESTART_PAST	8192
/* So much later than its sender's message before it is RESTART at most. */
#define PSYNC_RESTART_GAP	(PSYNC_RESTART_PAST + PSYNC_RESTART_SKIP + 1)

/**
 * psync_restart_preds - predecessors of a message whose sender's last one is
 * not in its view
 * @view: the sender's view
 * @mids: where they go, by participant index
 * @room: entries that fit
 *
 * Return: how many there are.
 */
u32 psync_restart_preds(const struct psync_view *view, u64 *mids, u32 room);

/**
 * psync_restart_context - stamp and wave of such a message
 * @view: the sender's view
 * @node: the message, whose stamp is the view's
 */
void psync_restart_context(const struct psync_view *view,
			   struct psync_node *node);

/**
 * psync_restart_seq - the number of a RESTART
 * @view: its sender's view
 */
u64 psync_restart_seq(const struct psync_view *view);

/**
 * psync_restart_missed - something of one who has ended is lost
 * @img: image
 * @index: participant
 *
 * After an END comes nothing but a RESTART: it is back.
 */
void psync_restart_missed(struct psync_image *img, u32 index);

/**
 * psync_restart_attach - a RESTART is being attached
 * @img: image
 * @node: it; its sender's last message is still the one before
 */
void psync_restart_attach(struct psync_image *img,
			  const struct psync_node *node);

/**
 * psync_restart_foreign - a site sends us what was sent here before
 * @img: image that recovers
 * @pkt: the message
 *
 * Return: PSYNC_OK, STALE_OPENING: that site has not heard of the restart.
 */
enum psync_drop psync_restart_foreign(const struct psync_image *img,
				      const struct psync_pkt *pkt);

/**
 * psync_restart_doubt - what others send of a site may be of an earlier opening
 * @img: image
 * @remote: the site
 */
void psync_restart_doubt(struct psync_image *img,
			 const struct psync_remote *remote);

/**
 * psync_restart_input - RS: a participant of another site is back
 * @img: image
 * @remote: that site
 * @pkt: the packet
 *
 * Return: PSYNC_OK, UNCONFIRMED (nobody here has opened), NOT_MEMBER,
 * STALE_OPENING, RR_RATE.
 */
enum psync_drop psync_restart_input(struct psync_image *img,
				    struct psync_remote *remote,
				    const struct psync_pkt *pkt);

/**
 * psync_restart_answered - RS_ACK: a site says what it knows
 * @img: image
 * @remote: the site
 * @pkt: the packet
 *
 * Return: PSYNC_OK, STALE_OPENING, BAD_VECTOR.
 */
enum psync_drop psync_restart_answered(struct psync_image *img,
				       struct psync_remote *remote,
				       const struct psync_pkt *pkt);

/**
 * psync_restart_denied - a site says that nobody there has the conversation
 * @img: image
 * @remote: the site
 */
void psync_restart_denied(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_restart_remind - a site has not heard of our restart: say it, now and
 * then
 * @img: image
 * @remote: the site, or NULL
 */
void psync_restart_remind(struct psync_image *img, struct psync_remote *remote);

/* A site that has not heard that we are back refuses whatever else we say. */
static inline bool psync_restart_unheard(const struct psync_image *img,
					 const struct psync_remote *remote)
{
	return img->recover && !remote->answers;
}

/**
 * psync_restart_check - go on if all is here
 * @img: image
 */
void psync_restart_check(struct psync_image *img);

/**
 * psync_restart_speak - send the RESTARTs of those who are back
 * @img: image that recovers nothing any more
 *
 * Who cannot have one any more (EOVERFLOW) goes on without a voice.
 * Return: 0; -ENOMEM: try again later; -EAGAIN: some have to be masked in
 * first, which a deadline follows.
 */
int psync_restart_speak(struct psync_image *img);

/**
 * psync_restart_lost - something is gone everywhere (S7.3)
 * @img: image
 */
void psync_restart_lost(struct psync_image *img);

/**
 * psync_restart_timer - ask again
 * @img: image
 */
void psync_restart_timer(struct psync_image *img);

#endif /* _PSYNC_CORE_RESTART_H */
