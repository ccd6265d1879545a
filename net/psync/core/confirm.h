/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: which opening of a site speaks, and packets before that. */
#ifndef _PSYNC_CORE_CONFIRM_H
#define _PSYNC_CORE_CONFIRM_H

#include "image.h"

/* At most one refusal and one event of a kind per site and this time. */
#define PSYNC_CONFIRM_QUIET_NS	1000000000ULL

/**
 * psync_early_keep - keep a packet until it can be judged
 * @img: image
 * @queue: psync_image.embryo or a psync_remote.early
 * @pkt: MSG, copied
 * @body: its body; taken over on PSYNC_OK
 *
 * Return: PSYNC_OK, DUPLICATE, PENDING_FULL, NO_MEM.
 */
enum psync_drop psync_early_keep(struct psync_image *img,
				 struct list_head *queue,
				 const struct psync_pkt *pkt, void *body);

/**
 * psync_early_feed - let early packets go on
 * @img: image
 * @queue: where they are; empty afterwards
 * @now: time
 *
 * The image can judge them now: it has its participants, the site is confirmed.
 */
void psync_early_feed(struct psync_image *img, struct list_head *queue,
		      u64 now);

/**
 * psync_early_purge - drop early packets
 * @img: image
 * @queue: where they are
 * @count: how many of the oldest, U32_MAX: all
 * @reason: why
 */
void psync_early_purge(struct psync_image *img, struct list_head *queue,
		       u32 count, enum psync_drop reason);

/**
 * psync_confirm_opened - we opened a rendezvous: ask all sites
 * @img: image
 * @now: time
 */
void psync_confirm_opened(struct psync_image *img, u64 now);

/**
 * psync_confirm_msg - is a message of its site's opening that we go by?
 * @img: image
 * @remote: its site
 * @pkt: the message
 * @body: its body; taken over when it is kept
 * @now: time
 * @kept: set when the message waits for confirmation
 *
 * Return: PSYNC_OK, STALE_OPENING, REOPENED, CLOSED, and as psync_early_keep().
 */
enum psync_drop psync_confirm_msg(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt, void *body,
				  u64 now, bool *kept);

/**
 * psync_confirm_foreign - is a message that another site sent again of the
 * opening of its sender's site that we go by?
 * @img: image
 * @origin: its sender's site; if we go by none yet, this becomes it
 * @pkt: the message, from a site that is confirmed
 * @now: time
 *
 * Return: PSYNC_OK, STALE_OPENING, CLOSED.
 */
enum psync_drop psync_confirm_foreign(struct psync_image *img,
				      struct psync_remote *origin,
				      const struct psync_pkt *pkt, u64 now);

/**
 * psync_confirm_vector - is an ACK or RR of its site's opening that we go by?
 * @img: image
 * @remote: its site
 * @pkt: the packet
 * @now: time
 *
 * Return: PSYNC_OK, STALE_OPENING, REOPENED, CLOSED, UNCONFIRMED (the site is
 * asked).
 */
enum psync_drop psync_confirm_vector(struct psync_image *img,
				     struct psync_remote *remote,
				     const struct psync_pkt *pkt, u64 now);

/**
 * psync_confirm_timer - ask again, or give up
 * @img: image
 * @now: time
 */
void psync_confirm_timer(struct psync_image *img, u64 now);

/**
 * psync_confirm_mismatch - a message has another idea of the participants
 * @img: image
 * @pkt: the message
 * @now: time
 *
 * Refuses it, with an event here (S1.3).  Return: DIGEST.
 */
enum psync_drop psync_confirm_mismatch(struct psync_image *img,
				       const struct psync_pkt *pkt, u64 now);

/**
 * psync_confirm_ack - a HELLO was answered
 * @img: image
 * @remote: by this site
 * @pkt: the answer
 * @now: time
 *
 * Return: PSYNC_OK, BAD_NONCE.
 */
enum psync_drop psync_confirm_ack(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt, u64 now);

/**
 * psync_confirm_refused - we were refused
 * @img: image
 * @remote: by this site
 * @pkt: the REFUSE
 * @now: time
 *
 * Return: PSYNC_OK, STALE_OPENING.
 */
enum psync_drop psync_confirm_refused(struct psync_image *img,
				      struct psync_remote *remote,
				      const struct psync_pkt *pkt, u64 now);

/**
 * psync_confirm_fix - from now on a site's incarnation and opening are these
 * @remote: site
 * @inc: its incarnation
 * @opening: its opening
 */
void psync_confirm_fix(struct psync_remote *remote, u64 inc, u32 opening);

/**
 * psync_confirm_doubt - may a packet of a greater incarnation be delayed?
 * @img: image
 * @remote: confirmed site
 * @inc: incarnation
 * @now: time
 *
 * Clocks go back.  While we go by what others said of the site, its packets may
 * still be of an incarnation before that; then it is asked which it is.
 * Return: true when that is not known yet.
 */
bool psync_confirm_doubt(struct psync_image *img, struct psync_remote *remote,
			 u64 inc, u64 now);

/**
 * psync_confirm_compare - is an opening the one we go by?
 * @remote: confirmed site
 * @inc: incarnation
 * @opening: opening
 *
 * Return: -1: earlier, 0: that one, 1: later.
 */
int psync_confirm_compare(const struct psync_remote *remote, u64 inc,
			  u32 opening);

/**
 * psync_remote_find - a site of the conversation
 * @img: image
 * @site: its id
 *
 * Return: the remote site or NULL.
 */
struct psync_remote *psync_remote_find(const struct psync_image *img, u32 site);

/**
 * psync_image_tell - tell views about something
 * @img: image
 * @view: one, or NULL: all, and the site
 * @ev: what; the conversation is filled in
 */
void psync_image_tell(struct psync_image *img, struct psync_view *view,
		      struct psync_event *ev);

/**
 * psync_image_event - ... that concerns one message at most
 * @img: image
 * @view: one, or NULL: all, and the site
 * @type: enum psync_event_type
 * @site: other site or 0
 * @mid: message or 0
 * @reason: reason or 0
 */
void psync_image_event(struct psync_image *img, struct psync_view *view,
		       u32 type, u32 site, u64 mid, u32 reason);

#endif /* _PSYNC_CORE_CONFIRM_H */
