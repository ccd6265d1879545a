/* SPDX-License-Identifier: GPL-2.0-only */
/* Masks: who is not waited for any more (P 3.2.4; S5). */
#ifndef _PSYNC_CORE_MASK_H
#define _PSYNC_CORE_MASK_H

#include <linux/limits.h>
#include "image.h"

/* psync_view_mask_out(): without a cut. */
#define PSYNC_MASK_NO_CUT	U64_MAX

/**
 * struct psync_vote_span - what one participant has announced about a set
 * @least: the least of the sequence numbers of its last ones, U64_MAX: none
 * @first: the greatest of those with which it began to mask one of them out
 */
struct psync_vote_span {
	u64	least;
	u64	first;
};

/**
 * struct psync_sure_trace - what one who was skipped has not acknowledged (sure.c)
 * @until: its messages up to this one are looked at, 0: none is
 * @before: the one that was looked at last, or that was freed last; or NULL
 * @known: all GAPs about its site up to this one are in the context of that;
 *	NULL: not so much as one
 * @lost: up to this one its messages are in the contexts of the GAPs that are
 *	looked at together
 * @taken: place in attach order of the message for which the last GAP of this
 *	participant was looked at
 * @some: there are GAPs about its site
 */
struct psync_sure_trace {
	u64				until;
	const struct psync_node		*before;
	const struct psync_node		*known;
	u64				lost;
	u64				taken;
	bool				some;
};

/**
 * struct psync_mask - what a view goes by about one participant
 * @out: it is masked out
 * @agreed: by all who remain, for good
 * @due: that is to be announced, perhaps again
 * @in: it is in the set that is looked at whether it is agreed
 * @next: then: who came into that set after it
 * @by: then: because of whom it came into it
 * @bar: who kept it from being agreed when that was last looked at, index and
 *	one; 0: not known
 * @look: enum psync_vote_look: what that says of the message at hand
 * @span: what it has announced about that set
 * @since: sequence number of the first announcement since it is masked out, 0: none
 * @asked: it is to be masked in when all who count know of that
 * @asked_at: sequence number of the announcement that says so, 0: not yet said
 * @until: then it is looked at whether anybody can answer
 * @repeats: how often it was announced though nothing had changed, since it is
 *	masked out
 * @again_at: not so again before this time
 * @cut: its last message that counts, when it is agreed and that is not yet
 *	told; else PSYNC_MASK_NO_CUT
 * @need: up to this message what it sent is taken, as far as it counts
 * @limit: its last message that counts, U64_MAX: without a cut
 * @sure: its messages up to this one were stable before somebody was masked in
 *	or came back, in the view; and at this site, whether received or not
 * @lacks: who lacked the next that would be so when that was last looked at,
 *	in the view; and at this site
 * @open: the participants of whom more may be so, while that is looked for: the
 *	first of these entries, which have nothing to do with this one
 * @news: likewise: its first message of which that is not put down
 * @least: likewise: what somebody lacks is after this one
 * @trace: likewise
 * @back: it was agreed, and has restarted since: it may be masked in (S5.3)
 * @hint: 0, or enum psync_mask_op: what a message of it whose context has not
 *	come says about the view's participant
 * @hint_at: sequence number of that message
 * @hint_until: none that says otherwise is used before this time
 * @kept: it has counted the view's participant out for good, as it says (expel.c)
 * @kept_at: then: that one's last message that counts
 */
struct psync_mask {
	bool	out;
	bool	agreed;
	bool	due;
	bool	in;
	bool	asked;
	u8	look;
	u32	next;
	u32	by;
	u32	bar;
	u32	open;
	struct psync_vote_span	span;
	u64	since;
	u64	asked_at;
	u64	until;
	u32	repeats;
	u64	again_at;
	u64	cut;
	u64	need;
	u64	limit;
	u64	sure[2];
	u32	lacks[2];
	u64	news;
	u64	least;
	struct psync_sure_trace	trace;
	bool	back;
	u8	hint;
	u64	hint_at;
	u64	hint_until;
	bool	kept;
	u64	kept_at;
};

/**
 * psync_view_mask_out - P 3.2.4, mask_out
 * @view: view
 * @index: participant
 * @cut: sequence number of its last message that counts, or
 *	PSYNC_MASK_NO_CUT: what others that are not masked out depend on, too
 * @now: time
 *
 * Announces it, unless the participant is manual (S3.3).  One who is masked
 * out without a cut may be given one later.
 * Return: 0, -EINVAL (oneself, no such participant, pending, a cut before what
 * was received that is not the one it had), -EALREADY, -ESHUTDOWN (it has
 * ended: nobody waits for it), -ENOMEM.
 */
int psync_view_mask_out(struct psync_view *view, u32 index, u64 cut, u64 now);

/**
 * psync_view_mask_in - P 3.2.4, mask_in
 * @view: view
 * @index: participant
 * @now: time
 *
 * If that was announced, it stays masked out until everybody who counts has sent
 * something behind the announcement that takes it back: then PSYNC_EV_UNMASKED
 * says so, unless it is agreed meanwhile (PSYNC_EV_AGREED).  When those who have
 * not may never do so it stays out, and that is announced.
 * What was given back while it was masked out is lost, with an event.
 * Return: 0, -EINVAL (no such participant), -EALREADY (it is not masked out, or
 * asked for already), -EPERM (all who remain have agreed: only its restart
 * brings it back).
 */
int psync_view_mask_in(struct psync_view *view, u32 index, u64 now);

/**
 * psync_view_masked - is a participant masked out?
 * @view: view
 * @index: participant
 */
static inline bool psync_view_masked(const struct psync_view *view, u32 index)
{
	return view->masks && view->masks[index].out;
}

/* Inside the core. */

/**
 * psync_mask_begin - room for whom a view masks out, and what is stable in it
 * @view: view
 *
 * Return: 0, -ENOMEM.
 */
int psync_mask_begin(struct psync_view *view);

/**
 * psync_mask_exit - give back what a view knows
 * @view: view
 */
void psync_mask_exit(struct psync_view *view);

/**
 * psync_mask_taken_back - a participant does not mask another any more
 * @img: image
 * @index: participant
 * @about: the other one
 * @seq: sequence number of the message that says so
 */
void psync_mask_taken_back(struct psync_image *img, u32 index, u32 about,
			   u64 seq);

/**
 * psync_mask_takes - is a message used at all?
 * @img: image
 * @index: its sender
 * @seq: its sequence number
 */
static inline bool psync_mask_takes(const struct psync_image *img, u32 index,
				    u64 seq)
{
	return !img->parts[index].muted || seq <= img->parts[index].need;
}

/**
 * psync_mask_keeps - does a view that has not got a message count as wanting it?
 * @view: view
 * @node: message
 */
static inline bool psync_mask_keeps(const struct psync_view *view,
				    const struct psync_node *node)
{
	return !view->masks || node->seq <= view->masks[node->sender].limit;
}

/**
 * psync_mask_due - is a message to enter a view when its turn comes?
 * @view: view
 * @node: message
 */
static inline bool psync_mask_due(const struct psync_view *view,
				  const struct psync_node *node)
{
	/* What was attached with an announcement comes with it (S6.6). */
	return !psync_view_masked(view, node->sender) ||
	       node->seq <= view->masks[node->sender].need ||
	       (node->quiet && node->kind == PSYNC_KIND_GAP);
}

/**
 * psync_mask_deaf - does everybody at a site mask a participant out?
 * @img: image
 * @remote: that site
 * @about: the participant
 *
 * As far as that is known here; or is masked out by it.
 *
 * Context: the image's lock.
 * Return: true if so; false if nobody there has said anything.
 */
bool psync_mask_deaf(const struct psync_image *img,
		     const struct psync_remote *remote, u32 about);

/**
 * psync_mask_follow - messages follow what views leave out
 * @img: image
 * @context: of each participant, the last message that they follow
 *
 * For those of which more is not known here, because it was lost.
 *
 * Context: the image's lock.
 */
void psync_mask_follow(struct psync_image *img, const u64 *context);

/**
 * psync_mask_offer - a message was attached, and what it depends on is due, too
 * @view: view with masks
 * @node: the message
 */
void psync_mask_offer(struct psync_view *view, struct psync_node *node);

/**
 * psync_mask_ignores - does a view not wait for a participant?
 * @view: view
 * @index: participant, another one
 */
bool psync_mask_ignores(const struct psync_view *view, u32 index);

/**
 * psync_mask_told - a MASK has come, perhaps without its context
 * @img: image
 * @pkt: it
 * @seq: its sequence number, which is behind what is attached of its sender
 */
void psync_mask_told(struct psync_image *img, const struct psync_pkt *pkt,
		     u64 seq);

/**
 * psync_mask_attached - a message was attached and offered to all views
 * @img: image
 * @node: it
 */
void psync_mask_attached(struct psync_image *img,
			 const struct psync_node *node);

/**
 * psync_mask_review - who takes part here, or what was announced, has changed
 * @img: image
 */
void psync_mask_review(struct psync_image *img);

/**
 * psync_mask_last - the last message of a participant that is taken, or will be
 * @view: view
 * @index: participant
 */
u64 psync_mask_last(const struct psync_view *view, u32 index);

/**
 * psync_mask_entered - a message of another was received
 * @view: view that has it
 * @node: the message
 *
 * After somebody's END or RESTART all masks are announced again.
 */
void psync_mask_entered(struct psync_view *view, const struct psync_node *node);

/**
 * psync_mask_back - a participant was heard to restart: it may be masked in
 * @img: image
 * @index: participant
 */
void psync_mask_back(struct psync_image *img, u32 index);

/**
 * psync_mask_misses - may something be missing that nobody here asked for?
 * @img: image
 */
bool psync_mask_misses(const struct psync_image *img);

/**
 * psync_mask_is_shut - does somebody mask out all who are here?
 * @img: image
 */
bool psync_mask_is_shut(const struct psync_image *img);

/**
 * psync_mask_against - is a view's participant masked out, as far as is known?
 * @view: view
 * @index: by whom; what it said last counts, though its context may be missing
 */
bool psync_mask_against(const struct psync_view *view, u32 index);

/**
 * psync_mask_finish - one whom a view has counted out sends as if it had not
 * @view: the view
 * @remote: site of the other one, or NULL: the same
 * @index: the other one
 *
 * Says that it is for good, unless that site has it already: the same message once
 * more, if it was said before; the more often, the later.
 */
void psync_mask_finish(struct psync_view *view,
		       const struct psync_remote *remote, u32 index);

/**
 * psync_mask_bars - have all who remain masked a participant out (S5.3)?
 * @view: view of one who is back
 *
 * Then its first message waits until each of them has taken that back.
 */
bool psync_mask_bars(const struct psync_view *view);

/**
 * psync_mask_insist - a site asks for what is not taken from it
 * @img: image
 * @remote: that site
 *
 * Where all there are masked out, and it has attached or lost what was said of
 * that, it was lost: it is said once more.
 *
 * Context: the image's lock.
 */
void psync_mask_insist(struct psync_image *img,
		       const struct psync_remote *remote);

/**
 * psync_mask_remind - say again to a site that it is masked out
 * @img: image
 * @remote: site that asks for what was given back
 *
 * Return: true when it is not to be told that this is gone: it is reminded, or
 * it masks out all who are here.
 */
bool psync_mask_remind(struct psync_image *img,
		       const struct psync_remote *remote);

/**
 * psync_mask_spares - is all that a site lacks what it ignores?
 * @img: image
 * @remote: site that lacks something
 *
 * What no view here has whose messages are taken there, or what kernels say, of
 * one whom all there mask out is in no other's context until somebody says
 * something behind it.  It is given back when no site waits for it.
 */
bool psync_mask_spares(struct psync_image *img, struct psync_remote *remote);

/**
 * psync_mask_announce - say what is to be said
 * @view: view
 */
void psync_mask_announce(struct psync_view *view);

/**
 * psync_mask_may_shut - may a site be masked out for what it holds back (S6.6)?
 * @img: image
 * @site: its id
 *
 * Return: false for this one, one that was never heard (S1.5), as long as
 * somebody here has not accepted or decides itself (S3.3), and while a restart
 * recovers.
 */
bool psync_mask_may_shut(const struct psync_image *img, u32 site);

/**
 * psync_mask_shut - all who are here mask out all who are at a site
 * @img: image
 * @site: its id, of which psync_mask_may_shut() says so
 *
 * Nobody is asked any more whom they want to mask in: it stays masked out.
 * Return: it is not waited for any more; false: there was no memory for it.
 */
bool psync_mask_shut(struct psync_image *img, u32 site);

/**
 * psync_mask_timer - announce what could not be announced when it was due
 * @img: image
 */
void psync_mask_timer(struct psync_image *img);

#endif /* _PSYNC_CORE_MASK_H */
