/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the core: which site holds what, and how that becomes known. */
#ifndef _PSYNC_CORE_ACK_H
#define _PSYNC_CORE_ACK_H

#include <linux/minmax.h>
#include "image.h"

/**
 * psync_ack_init - nothing is known of any site
 * @img: image with participants
 */
void psync_ack_init(struct psync_image *img);

/**
 * psync_ack_exit - give the vectors back
 * @img: image, perhaps without them
 */
void psync_ack_exit(struct psync_image *img);

/**
 * psync_ack_counts - does a message wait for this site?
 * @remote: site
 */
static inline bool psync_ack_counts(const struct psync_remote *remote)
{
	return remote->nlive && !remote->absent && !remote->moved;
}

/**
 * psync_ack_held - last message of a participant that a site is known to hold
 * @img: image
 * @remote: site
 * @index: participant
 */
static inline u64 psync_ack_held(const struct psync_image *img,
				 const struct psync_remote *remote, u32 index)
{
	return remote->vec ? remote->vec[index] : img->p.seq_base;
}

/**
 * psync_ack_given_up - is a message of a kind that who is skipped may lose?
 * @node: message
 *
 * S6.6: what programs sent, what acknowledges or announces only, not what says
 * who takes part.
 */
static inline bool psync_ack_given_up(const struct psync_node *node)
{
	return node->kind == PSYNC_KIND_DATA ||
	       node->kind == PSYNC_KIND_NULL || node->kind == PSYNC_KIND_GAP;
}

/**
 * psync_ack_skips - was it announced that a site is not waited for with @node?
 * @remote: site
 * @node: message
 */
static inline bool psync_ack_skips(const struct psync_remote *remote,
				   const struct psync_node *node)
{
	return remote->skip && node->seq <= remote->skip[node->sender] &&
	       psync_ack_given_up(node);
}

/**
 * psync_ack_lacks - is a site that counts waited for with a message?
 * @img: image
 * @remote: site
 * @node: message
 */
static inline bool psync_ack_lacks(const struct psync_image *img,
				   const struct psync_remote *remote,
				   const struct psync_node *node)
{
	return psync_ack_held(img, remote, node->sender) < node->seq &&
	       !psync_ack_skips(remote, node);
}

/**
 * psync_ack_passed - last message of a program that a site is not waited for
 * @img: image
 * @remote: site
 * @index: its participant
 *
 * It holds that, or was skipped (S6.6).
 */
static inline u64 psync_ack_passed(const struct psync_image *img,
				   const struct psync_remote *remote, u32 index)
{
	u64 held = psync_ack_held(img, remote, index);

	return remote->skip ? max(held, remote->skip[index]) : held;
}

/**
 * psync_ack_skip - a site is not waited for any more
 * @img: image
 * @remote: site
 * @gap: with what is in the context of this one
 *
 * Return: false without memory: it is waited for.
 */
bool psync_ack_skip(struct psync_image *img, struct psync_remote *remote,
		    const struct psync_node *gap);

/**
 * psync_ack_spare - no site is waited for with a message, unless it is received
 * @img: image
 * @node: the message
 */
void psync_ack_spare(struct psync_image *img, struct psync_node *node);

/**
 * psync_ack_unspare - what is received others may need, too
 * @img: image
 * @index: sender of a message that was spared
 * @seq: its sequence number
 */
void psync_ack_unspare(struct psync_image *img, u32 index, u64 seq);

/**
 * psync_ack_replan - is a site to be asked what it holds, or grants, and when?
 * @img: image
 * @remote: site
 */
void psync_ack_replan(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_manual - do all who are open here do without (S3.3)?
 * @img: image
 */
bool psync_ack_manual(const struct psync_image *img);

/**
 * psync_ack_grant - tell a site what it may send
 * @img: image
 * @remote: site
 */
void psync_ack_grant(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_claim - some site holds a message
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 */
void psync_ack_claim(struct psync_image *img, u32 index, u64 seq);

/**
 * psync_ack_greatest - a participant's last message that is known to be held
 * @img: image
 * @index: participant
 *
 * Return: its sequence number; here, or at a site that counts.
 */
u64 psync_ack_greatest(const struct psync_image *img, u32 index);

/**
 * psync_ack_disclaim - forget what only sites that do not count are known to hold
 * @img: image
 *
 * Return: true when something that was missing is not any more.
 */
bool psync_ack_disclaim(struct psync_image *img);

/**
 * psync_ack_holds - a site sent a message, so it holds that
 * @img: image
 * @remote: the site
 * @index: the message's sender, there
 * @seq: its sequence number
 *
 * Context: the image's lock.
 */
void psync_ack_holds(struct psync_image *img, struct psync_remote *remote,
		     u32 index, u64 seq);

/**
 * psync_ack_context - a site sent a message, so it holds its context, too
 * @img: image
 * @remote: site
 * @stamp: stamp of the message
 */
void psync_ack_context(struct psync_image *img, struct psync_remote *remote,
		       const u64 *stamp);

/**
 * psync_ack_expect - a message is being attached: who does not hold it yet?
 * @img: image
 * @node: the message, its sender's last one
 */
void psync_ack_expect(struct psync_image *img, struct psync_node *node);

/**
 * psync_ack_due - what was attached here is to be acknowledged
 * @img: image
 * @remote: site of the message's sender
 */
void psync_ack_due(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_sent - a message that has the whole image in its context was sent
 * @img: image
 */
void psync_ack_sent(struct psync_image *img);

/**
 * psync_ack_recount - what decides whether a site counts may have changed
 * @img: image
 * @remote: site
 * @counted: it did count
 */
void psync_ack_recount(struct psync_image *img, struct psync_remote *remote,
		       bool counted);

/**
 * psync_ack_heard - a site has spoken in this conversation
 * @img: image
 * @remote: site
 */
void psync_ack_heard(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_denied - a site says that nobody there has the conversation
 * @img: image
 * @remote: site
 */
void psync_ack_denied(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_ignored - is only what others depend on asked of a participant?
 * @part: participant
 *
 * Masks do that.  Its END does not: what comes behind is a restart's.
 */
static inline bool psync_ack_ignored(const struct psync_part *part)
{
	return !part->live && (part->muted || part->shut || !part->ended);
}

/**
 * psync_ack_asked_for - up to which message one is asked for that is not waited for
 * @img: image
 * @index: participant of another site that is ignored
 */
u64 psync_ack_asked_for(const struct psync_image *img, u32 index);

/**
 * psync_ack_judge - is a participant waited for?
 * @img: image
 * @index: participant
 * @live: unless it has ended
 */
void psync_ack_judge(struct psync_image *img, u32 index, bool live);

/**
 * psync_ack_silent - is a site absent that was heard once?
 * @img: image
 * @remote: site that counts
 * @asked: so often in vain
 *
 * If so it holds nothing back any more, and an event tells.
 */
bool psync_ack_silent(struct psync_image *img, struct psync_remote *remote,
		      u32 asked);

/**
 * psync_ack_ended - a participant's END was attached
 * @img: image
 * @node: the END
 */
void psync_ack_ended(struct psync_image *img, const struct psync_node *node);

/**
 * psync_ack_back - a participant was heard to restart: its site counts again
 * @img: image
 * @index: participant
 */
void psync_ack_back(struct psync_image *img, u32 index);

/**
 * psync_ack_rebase - a site came back and holds nothing as far as we know
 * @img: image
 * @remote: site
 */
void psync_ack_rebase(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_moved - a site was heard with a later opening
 * @img: image
 * @remote: site
 */
void psync_ack_moved(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_ack_token - time the answer to a message that is about to be sent
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 *
 * Return: true when some site is to be asked (PSYNC_MSGF_ASK).
 */
bool psync_ack_token(struct psync_image *img, u32 index, u64 seq);

/**
 * psync_ack_build - begin a packet with the image's vector
 * @img: image
 * @type: PSYNC_PKT_ACK or PSYNC_PKT_RR
 * @pkt: the packet; its vector is in the image's scratch memory
 */
void psync_ack_build(struct psync_image *img, u8 type, struct psync_pkt *pkt);

/**
 * psync_ack_put - another number in such a packet
 * @img: image
 * @pkt: the packet, built last
 * @index: participant
 * @seq: its number
 */
void psync_ack_put(struct psync_image *img, struct psync_pkt *pkt, u32 index,
		   u64 seq);

/**
 * psync_ack_said - a number in such a packet
 * @pkt: the packet
 * @index: participant
 */
static inline u64 psync_ack_said(const struct psync_pkt *pkt, u32 index)
{
	return psync_wire_seq(pkt->vector.seqs, pkt->vector.highs, index);
}

/**
 * psync_ack_answer - a site asked what is held here
 * @img: image
 * @remote: site
 * @echo: what it asked with
 */
void psync_ack_answer(struct psync_image *img, struct psync_remote *remote,
		      u32 echo);

/**
 * psync_ack_vector - use the vector of an ACK or RR
 * @img: image
 * @remote: its site
 * @pkt: the packet
 *
 * Return: PSYNC_OK, BAD_VECTOR, NO_MEM, PENDING_FULL.
 */
enum psync_drop psync_ack_vector(struct psync_image *img,
				 struct psync_remote *remote,
				 const struct psync_pkt *pkt);

/**
 * psync_ack_input - an ACK has come
 * @img: image
 * @remote: from this site
 * @pkt: the packet
 *
 * Return: PSYNC_OK, BAD_VECTOR.
 */
enum psync_drop psync_ack_input(struct psync_image *img,
				struct psync_remote *remote,
				const struct psync_pkt *pkt);

/**
 * psync_ack_patience - how long a site may take that only acknowledges
 * @img: image
 * @remote: this site
 *
 * Return: nanoseconds: psync_ack_wait() with the questions that it was asked since
 * it got any further, and what it may delay its answer by.
 */
u64 psync_ack_patience(const struct psync_image *img,
		       const struct psync_remote *remote);

/**
 * psync_ack_wait - how long an answer may take
 * @img: image
 * @remote: of this site, or NULL: of any
 * @tries: questions before this one
 *
 * Return: nanoseconds; four mean deviations above the mean of what was
 * measured, doubled with every try, within the limits.
 */
u64 psync_ack_wait(const struct psync_image *img,
		   const struct psync_remote *remote, u32 tries);

/**
 * psync_ack_resume - look for what fell due while nobody here wanted it
 * @img: image
 *
 * Whoever lingers asks for nothing, nor do those who are all manual (S3.3).
 */
void psync_ack_resume(struct psync_image *img);

/**
 * psync_ack_timer - send what is due, ask who is silent
 * @img: image
 */
void psync_ack_timer(struct psync_image *img);

#endif /* _PSYNC_CORE_ACK_H */
