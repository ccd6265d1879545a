// SPDX-License-Identifier: GPL-2.0-only
/*
 * Masks: who is not waited for any more (P 3.2.4; S5).
 *
 * A mask belongs to a view.  A participant that all views here mask out is
 * *muted*: the site holds back nothing for it and attaches no more of its
 * messages than what others, who are not muted, depend on.  At a site where
 * one participant masks another out and a third does not, the messages are
 * attached, and the first one's view leaves them out until something that it
 * takes follows them.  So a view stays closed downwards, and the graph is the
 * same everywhere; what lies beyond a cut is void: it enters a view only with
 * what follows it, and its program is never given it.
 *
 * What is held is known of sites, not of participants (S2.3): one with somebody
 * who is not masked out is waited for, and what was sent stays charged to its
 * sender until that site holds it.  Its other participants change nothing: who
 * is masked out beside one who is not has the messages at hand anyway.
 *
 * Masks are announced in the graph.  Whom its masking concerns stops waiting
 * for the announcer, as soon as the announcement comes, even before its
 * context: what that is may be given back already.
 *
 * When one is counted out for good is found in vote.c (S5.2).  Who takes an
 * announcement back before has to ask: it goes on masking out until everybody who
 * counts has sent something behind that, or that one is counted out.  Nobody can
 * be left out of that: what it announced before may reach others afterwards.  When
 * only those are silent who may stay so for ever, it goes on masking out.
 *
 * One who is agreed out, or has ended, comes back by a restart (S5.3): it masks
 * nobody then, and is masked in by those who want it; its first message waits
 * until all who had agreed have announced that.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include "ack.h"
#include "confirm.h"
#include "expel.h"
#include "graph.h"
#include "hold.h"
#include "mask.h"
#include "null.h"
#include "skip.h"
#include "stable.h"
#include "sure.h"
#include "view.h"
#include "vote.h"

/* So many of the greatest waits, an answer is waited for in any case. */
#define PSYNC_MASK_WAITS	4
/* The wait before one is announced again without need doubles so often. */
#define PSYNC_MASK_DOUBLINGS	10U

static size_t psync_mask_size(const struct psync_image *img)
{
	return img->p.n * sizeof(struct psync_mask);
}

/* Nobody is masked out. */
int psync_mask_begin(struct psync_view *view)
{
	struct psync_image *img = view->img;
	u32 i;

	if (view->masks)
		return 0;
	view->masks = img->ops->alloc(img, psync_mask_size(img));
	if (!view->masks)
		return -ENOMEM;
	for (i = 0; i < img->p.n; i++) {
		view->masks[i].limit = U64_MAX;
		view->masks[i].cut = PSYNC_MASK_NO_CUT;
	}
	psync_sure_begin(view);
	return 0;
}

static int psync_mask_prepare(struct psync_view *view)
{
	view->img->masking = true;
	return psync_mask_begin(view);
}

void psync_mask_exit(struct psync_view *view)
{
	if (view->masks)
		view->img->ops->free(view->img, view->masks,
				     psync_mask_size(view->img));
	view->masks = NULL;
	view->expelled = false;
	view->out = false;
}

bool psync_mask_ignores(const struct psync_view *view, u32 index)
{
	return psync_view_masked(view, index) ||
	       psync_mask_by(view->img, index, view->index);
}

/* What a message depends on is needed; returns whether that is more. */
static bool psync_mask_raise(struct psync_view *view,
			     const struct psync_node *node)
{
	bool more = false;
	u32 i;

	for (i = 0; i < view->img->p.n; i++) {
		if (!view->masks[i].out || node->stamp[i] <= view->masks[i].need)
			continue;
		view->masks[i].need = node->stamp[i];
		more |= node->stamp[i] > view->stamp[i];
	}
	return more;
}

/*
 * The first node in attach order that is due in a view that lacks it, or NULL.
 * Of each participant that is the first that it lacks, or none: of one who is
 * masked out all up to a number is due, but for what comes with a loss.
 */
static struct psync_node *psync_mask_first(const struct psync_view *view)
{
	const struct psync_image *img = view->img;
	struct psync_node *node, *first = NULL;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		node = psync_graph_above(img, i, view->stamp[i]);
		if (node && psync_mask_due(view, node) &&
		    (!first || node->ordinal < first->ordinal))
			first = node;
	}
	list_for_each_entry(node, &img->gaps, gaps)
		if (!psync_view_has(view, node) && psync_mask_due(view, node) &&
		    (!first || node->ordinal < first->ordinal))
			first = node;
	return first;
}

/* What follows from what is due: more is, perhaps before it. */
static void psync_mask_raise_due(struct psync_view *view)
{
	struct psync_node *node = psync_mask_first(view);

	/* Nothing becomes due but by what is. */
	if (!node)
		return;
	list_for_each_entry_from(node, &view->img->order, order)
		if (!psync_view_has(view, node) && psync_mask_due(view, node))
			psync_mask_raise(view, node);
}

/* What is due has changed: where the view goes on, and how much there is. */
static void psync_mask_recount(struct psync_view *view)
{
	struct psync_image *img = view->img;
	u32 before = view->outstanding;
	struct psync_node *node;
	u32 count = 0;

	psync_mask_raise_due(view);
	view->next = psync_mask_first(view);
	node = view->next;
	if (node)
		list_for_each_entry_from(node, &img->order, order)
			if (!psync_view_has(view, node) &&
			    psync_mask_due(view, node))
				count += psync_view_counts(view, node);
	view->outstanding = min(count, 1U);
	if (count && !before)
		img->ops->readable(img, view);
	view->outstanding = count;
}

void psync_mask_follow(struct psync_image *img, const u64 *context)
{
	struct psync_view *view;
	bool more;
	u32 i;

	list_for_each_entry(view, &img->views, link) {
		more = false;
		for (i = 0; view->masks && i < img->p.n; i++) {
			if (!view->masks[i].out ||
			    context[i] <= view->masks[i].need)
				continue;
			view->masks[i].need = context[i];
			more = true;
		}
		if (more) {
			psync_mask_recount(view);
			psync_view_skip(view);
		}
	}
}

void psync_mask_offer(struct psync_view *view, struct psync_node *node)
{
	if (!psync_mask_due(view, node))
		return;
	if (psync_mask_raise(view, node)) {
		psync_mask_recount(view);
	} else {
		if (!view->next)
			view->next = node;
		if (psync_view_counts(view, node) && !view->outstanding++)
			view->img->ops->readable(view->img, view);
	}
	if (!psync_view_counts(view, node))
		psync_view_skip(view);
}

/* What nobody needs of one who is not live is not asked for, nor kept. */
static void psync_mask_renounce(struct psync_image *img, u32 index)
{
	struct psync_part *part = &img->parts[index];
	u64 seq = max(part->seq, psync_ack_asked_for(img, index));

	if (part->claimed <= seq)
		return;
	part->claimed = seq;
	if (seq == part->seq)
		img->nlack--;
	psync_hold_discard(img);
}

/* Who wants to take something back listens to all, masked out or not. */
static bool psync_mask_deafens(const struct psync_view *view, u32 index)
{
	return psync_view_masked(view, index) && !view->asks;
}

bool psync_mask_against(const struct psync_view *view, u32 index)
{
	if (view->masks && view->masks[index].hint)
		return view->masks[index].hint == PSYNC_MASK_OP_OUT;
	return psync_mask_by(view->img, index, view->index);
}

/* Do all who are here mask it out, or it, or those at its site, all of them? */
static void psync_mask_judge(struct psync_image *img, u32 index, bool alike)
{
	struct psync_part *part = &img->parts[index];
	const struct psync_view *view;
	bool muted = true, shut = true;
	u64 need = 0;

	list_for_each_entry(view, &img->views, link) {
		muted &= psync_mask_deafens(view, index);
		shut &= psync_mask_against(view, index);
		if (muted)
			need = max(need, view->masks[index].need);
	}
	part->muted = muted;
	/* Who is back takes everything first. */
	part->shut = shut && !img->recover;
	if (muted)
		part->need = max(part->need, need);
	psync_ack_judge(img, index, !muted && !part->shut && !alike);
}

void psync_mask_review(struct psync_image *img)
{
	struct psync_remote *remote;
	struct psync_part *part;
	u32 i;

	if (!img->masking || list_empty(&img->views))
		return;
	for (i = 0; i < img->nremotes; i++) {
		img->remotes[i].nspoke = 0;
		img->remotes[i].nquiet = 0;
	}
	for (i = 0; i < img->p.n; i++) {
		part = &img->parts[i];
		if (part->remote < 0 || part->seq == img->p.seq_base)
			continue;
		psync_mask_judge(img, i, false);
		img->remotes[part->remote].nspoke++;
		img->remotes[part->remote].nquiet += !part->live;
	}
	/* Who has said nothing may never open: it does as the others there. */
	for (i = 0; i < img->p.n; i++) {
		part = &img->parts[i];
		if (part->remote < 0 || part->seq != img->p.seq_base)
			continue;
		remote = &img->remotes[part->remote];
		psync_mask_judge(img, i, remote->nspoke &&
				 remote->nspoke == remote->nquiet);
	}
	/* Who keeps something for us is known when all were judged. */
	for (i = 0; i < img->p.n; i++)
		if (psync_ack_ignored(&img->parts[i]) &&
		    img->parts[i].remote >= 0)
			psync_mask_renounce(img, i);
	psync_expel_review(img);
	psync_stable_review(img);
	psync_graph_trim(img);
}

/* If it counts, it is lost. */
static void psync_mask_miss(struct psync_event *gap,
			    const struct psync_node *node, bool counts)
{
	if (!counts)
		return;
	gap->reason++;
	gap->other = psync_node_mid(node);
	gap->mid = gap->mid ?: gap->other;
}

/*
 * The last message that counts becomes another one.  What a view has not got
 * and does not count is not kept for it.
 */
static void psync_mask_limit(struct psync_view *view, u32 index, u64 limit)
{
	struct psync_image *img = view->img;
	u64 before = view->masks[index].limit;
	struct psync_event gap = {
		.type	= PSYNC_EV_GAP,
		.site	= img->parts[index].pid.site,
	};
	struct psync_node *node;
	bool counts, counted;

	view->masks[index].limit = limit;
	list_for_each_entry(node, &img->order, order) {
		counts = node->seq <= limit;
		counted = node->seq <= before;
		if (node->sender != index || psync_view_has(view, node) ||
		    counts == counted)
			continue;
		/* What was given back is wanted by nobody, whatever counts. */
		if (node->gone)
			psync_mask_miss(&gap, node, counts);
		else if (counted)
			psync_view_unwant(view, node);
		else
			psync_view_want(view, node);
	}
	if (gap.reason)
		psync_image_tell(img, view, &gap);
}

/* It is agreed: from now on it counts up to its cut. */
static void psync_mask_declare(struct psync_view *view, u32 about)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask = &view->masks[about];
	u64 cut = mask->cut;

	mask->agreed = true;
	mask->cut = PSYNC_MASK_NO_CUT;
	/* Who took it back was too late, and says so (PSYNC_MASK_OP_KEPT). */
	if (!psync_mask_by(img, view->index, about)) {
		mask->due = true;
		view->announce = true;
		psync_image_arm(img, img->now);
	}
	view->asks -= mask->asked;
	mask->asked = false;
	mask->asked_at = 0;
	mask->need = max(mask->need, cut);
	psync_mask_limit(view, about, cut);
	psync_image_event(img, view, PSYNC_EV_AGREED,
			  img->parts[about].pid.site, PSYNC_MID(about, cut), 0);
}

/* What was found while a message entered the view. */
static void psync_mask_settle(struct psync_view *view)
{
	bool some = false;
	u32 i;

	for (i = 0; view->masks && i < view->img->p.n; i++) {
		if (view->masks[i].cut == PSYNC_MASK_NO_CUT)
			continue;
		psync_mask_declare(view, i);
		some = true;
	}
	if (!some)
		return;
	psync_mask_recount(view);
	psync_view_skip(view);
	psync_mask_review(view->img);
}

/* Is somebody agreed in what precedes a message that is in the view? */
static void psync_mask_weigh(struct psync_view *view, const u64 *stamp)
{
	struct psync_poll poll = { .view = view };
	struct psync_mask *mask;
	u32 i;

	for (i = 0; view->masks && i < view->img->p.n; i++) {
		mask = &view->masks[i];
		if (!mask->out || mask->agreed ||
		    mask->cut != PSYNC_MASK_NO_CUT)
			continue;
		if (!poll.stamp)
			psync_vote_poll(&poll, stamp);
		if (psync_vote_agreed(&poll, i, &mask->cut))
			psync_image_arm(view->img, view->img->now);
	}
}

/* Was it announced to be masked out, and taken back since? */
static bool psync_mask_over(const struct psync_view *view, u32 index)
{
	const struct psync_note *notes = view->img->parts[view->index].notes;

	return notes && notes[index].closed && !view->masks[index].out;
}

/*
 * One listens again, and may have lost what was said meanwhile: not that masks
 * were announced, but that they were taken back.
 */
static void psync_mask_unsay(struct psync_view *view)
{
	u32 i;

	for (i = 0; i < view->img->p.n; i++) {
		if (!psync_mask_over(view, i))
			continue;
		view->masks[i].due = true;
		view->announce = true;
	}
	if (view->announce)
		psync_image_arm(view->img, view->img->now);
}

void psync_mask_taken_back(struct psync_image *img, u32 index, u32 about,
			   u64 seq)
{
	struct psync_note *note = &img->parts[index].notes[about];
	struct psync_view *view = img->parts[about].view;

	/* It counts again for the one it is about. */
	if (view && !psync_mask_prepare(view)) {
		psync_sure_keep(view);
		psync_mask_unsay(view);
	}
	note->closed = seq;
	if (view)
		psync_expel_undo(view, index);
	if (view && view->owes)
		psync_null_due(view);
	/* A restart may have waited for it. */
	if (view && view->restart)
		psync_image_arm(img, img->now);
}

/* Who takes a mask back itself is told when that is done. */
static void psync_mask_tell(struct psync_image *img, u32 index, u64 seq, u8 op,
			    u16 about)
{
	const struct psync_part *part = &img->parts[index];
	struct psync_view *view;

	if (op != PSYNC_MASK_OP_IN || part->remote >= 0) {
		psync_image_event(img, NULL, op == PSYNC_MASK_OP_IN ?
				  PSYNC_EV_UNMASKED : PSYNC_EV_MASKED,
				  part->pid.site, PSYNC_MID(index, seq), about);
		return;
	}
	list_for_each_entry(view, &img->views, link)
		if (view->index != index)
			psync_image_event(img, view, PSYNC_EV_UNMASKED,
					  part->pid.site, PSYNC_MID(index, seq),
					  about);
}

/* What an earlier one says is not news; and that one may be lost. */
static void psync_mask_unhint(struct psync_view *view,
			      const struct psync_node *node)
{
	struct psync_mask *mask;

	if (!view->masks)
		return;
	mask = &view->masks[node->sender];
	if (node->seq >= mask->hint_at &&
	    (node->kind == PSYNC_KIND_RESTART || node->about == view->index ||
	     view->img->parts[node->sender].gap < mask->hint_at))
		mask->hint = 0;
}

/* Who is back masks nobody, whatever it has said before. */
static void psync_mask_restart(struct psync_image *img,
			       const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	struct psync_view *view;
	u32 i;

	list_for_each_entry(view, &img->views, link) {
		psync_mask_unhint(view, node);
		psync_expel_undo(view, node->sender);
	}
	for (i = 0; part->notes && i < img->p.n; i++) {
		if (!psync_mask_by(img, node->sender, i))
			continue;
		psync_mask_taken_back(img, node->sender, i, node->seq);
		psync_mask_tell(img, node->sender, node->seq,
				PSYNC_MASK_OP_IN, i);
	}
	psync_mask_review(img);
}

static void psync_mask_heed(struct psync_image *img,
			    const struct psync_node *node)
{
	struct psync_view *view = img->parts[node->about].view;
	bool known = view && view->masks &&
		     view->masks[node->sender].hint &&
		     node->seq == view->masks[node->sender].hint_at;

	list_for_each_entry(view, &img->views, link)
		psync_mask_unhint(view, node);
	if (!known)
		psync_mask_tell(img, node->sender, node->seq, node->op,
				node->about);
	psync_mask_review(img);
	view = img->parts[node->about].view;
	if (view && node->op == PSYNC_MASK_OP_KEPT)
		psync_expel_told(view, node->sender, node->last);
}

/*
 * Another site may have made it up.  One with a number that its sender has used,
 * as its own site says, is found out when what really has that number is attached.
 */
static bool psync_mask_may_hint(const struct psync_image *img,
				const struct psync_pkt *pkt, u64 seq)
{
	int site = img->parts[pkt->msg.sender].remote;

	if (!(pkt->msg.flags & PSYNC_MSGF_FOREIGN))
		return true;
	return site >= 0 && psync_ack_held(img, &img->remotes[site],
					   pkt->msg.sender) >= seq;
}

void psync_mask_told(struct psync_image *img, const struct psync_pkt *pkt,
		     u64 seq)
{
	struct psync_view *view = img->parts[pkt->msg.about].view;
	struct psync_mask *mask;
	u8 op;

	if (!psync_mask_may_hint(img, pkt, seq))
		return;
	/* Without memory it is not known, and said again. */
	if (img->recover || !view || psync_mask_prepare(view))
		return;
	mask = &view->masks[pkt->msg.sender];
	/* Its own word is heard also where another site has told it before. */
	if (seq < mask->hint_at ||
	    (seq == mask->hint_at && pkt->msg.flags & PSYNC_MSGF_FOREIGN))
		return;
	op = pkt->msg.op == PSYNC_MASK_OP_IN ? PSYNC_MASK_OP_IN :
					       PSYNC_MASK_OP_OUT;
	/* All is looked at for each change; what is not used is said again. */
	if (mask->hint != op && img->now < mask->hint_until)
		return;
	mask->hint_at = seq;
	if (mask->hint != op) {
		if (mask->hint)
			mask->hint_until = img->now + img->p.limits.rto_min_ns;
		mask->hint = op;
		psync_mask_tell(img, pkt->msg.sender, seq, op, pkt->msg.about);
		psync_mask_review(img);
	}
	/* Made up, it could not be undone. */
	if (pkt->msg.flags & PSYNC_MSGF_FOREIGN)
		return;
	if (pkt->msg.op == PSYNC_MASK_OP_KEPT)
		psync_expel_told(view, pkt->msg.sender, pkt->msg.last);
	else
		psync_expel_undo(view, pkt->msg.sender);
}

u64 psync_mask_last(const struct psync_view *view, u32 index)
{
	u64 seq = view->img->parts[index].seq;

	/* Others here may still take what it sends. */
	if (!psync_view_masked(view, index))
		return seq;
	/* What counts for good, though more of it may be here. */
	if (view->masks[index].agreed)
		return view->masks[index].limit;
	/* What was lost with an announcement is in its context, too. */
	return max(view->stamp[index], min(seq, view->masks[index].need));
}

/* One mask more, or fewer who remain: all masks are announced again. */
static void psync_mask_again(struct psync_view *view)
{
	u32 i;

	for (i = 0; view->masks && i < view->img->p.n; i++) {
		if (!view->masks[i].out || view->masks[i].asked)
			continue;
		view->masks[i].due = true;
		view->announce = true;
	}
	if (view->announce)
		psync_image_arm(view->img, view->img->now);
}

/*
 * Has come of one who is masked out what was announced, but not received then?
 * Only who has all that it says it has can be counted on.
 */
static bool psync_mask_reached(const struct psync_view *view, u32 index)
{
	const struct psync_mask *mask = &view->masks[index];

	return mask->out && !mask->agreed && !mask->asked &&
	       view->stamp[index] >= mask->need &&
	       psync_mask_by(view->img, view->index, index) &&
	       !view->img->parts[view->index].notes[index].vote->whole;
}

/*
 * Is it time to say it again although nothing has changed?  The answers to that,
 * of the one masked out, too, may be why it is done again, and so without end: the
 * more often, the later.
 */
static bool psync_mask_is_time(struct psync_view *view, u32 index)
{
	struct psync_mask *mask = &view->masks[index];
	struct psync_image *img = view->img;
	u64 wait = max(img->p.limits.null_ns, img->p.limits.rto_min_ns);

	if (img->now < mask->again_at)
		return false;
	mask->again_at = img->now +
			 (wait << min(mask->repeats, PSYNC_MASK_DOUBLINGS));
	mask->repeats++;
	return true;
}

/* Then a new message announces it. */
static bool psync_mask_more(struct psync_view *view, u32 index)
{
	struct psync_mask *mask = &view->masks[index];
	struct psync_image *img = view->img;

	if (!psync_mask_is_time(view, index))
		return false;
	mask->due = true;
	view->announce = true;
	psync_image_arm(img, img->now);
	return true;
}

static void psync_mask_reach(struct psync_view *view, u32 index)
{
	if (!psync_mask_reached(view, index) || psync_mask_more(view, index))
		return;
	view->reaches = true;
	psync_image_arm(view->img, view->masks[index].again_at);
}

/* What was put off. */
static void psync_mask_reach_late(struct psync_view *view)
{
	u32 i;

	view->reaches = false;
	for (i = 0; i < view->img->p.n; i++)
		psync_mask_reach(view, i);
}

/* Perhaps a message was the last that is waited for. */
static void psync_mask_awake(struct psync_view *view)
{
	if (!view->asks)
		return;
	view->announce = true;
	psync_image_arm(view->img, view->img->now);
}

/* Does a message tell of one more, or one fewer, to whom it has to be said? */
static bool psync_mask_renews(const struct psync_view *view,
			      const struct psync_node *node)
{
	/* What was said while it did not listen may be lost there. */
	if (node->kind == PSYNC_KIND_MASK)
		return node->op == PSYNC_MASK_OP_IN &&
		       node->about == view->index;
	/* Who is new may have begun behind what was announced (S1.5). */
	return node->kind == PSYNC_KIND_END ||
	       node->kind == PSYNC_KIND_RESTART ||
	       node->seq == view->img->p.seq_base + 1;
}

void psync_mask_entered(struct psync_view *view, const struct psync_node *node)
{
	if (node->sender == view->index)
		return;
	if (node->kind == PSYNC_KIND_MASK)
		psync_null_due(view);
	if (psync_mask_renews(view, node))
		psync_mask_again(view);
	if (node->spared)
		psync_ack_unspare(view->img, node->sender, node->seq);
	if (!view->masks)
		return;
	psync_mask_reach(view, node->sender);
	psync_mask_weigh(view, node->stamp);
	psync_mask_awake(view);
}

void psync_mask_back(struct psync_image *img, u32 index)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link)
		if (view->masks && view->masks[index].agreed)
			view->masks[index].back = true;
}

/* Do all who have masked the view's participant out mask @index out, too? */
static bool psync_mask_alike(const struct psync_view *view, u32 index)
{
	const struct psync_image *img = view->img;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (!img->parts[i].ended && psync_mask_by(img, i, view->index) &&
		    !psync_mask_by(img, i, index))
			return false;
	return true;
}

bool psync_mask_misses(const struct psync_image *img)
{
	u32 i;

	for (i = 0; img->masking && i < img->p.n; i++)
		if (img->parts[i].shut || img->parts[i].muted)
			return true;
	return false;
}

bool psync_mask_is_shut(const struct psync_image *img)
{
	u32 i;

	for (i = 0; img->masking && i < img->p.n; i++)
		if (img->parts[i].shut && !img->parts[i].ended)
			return true;
	return false;
}

bool psync_mask_bars(const struct psync_view *view)
{
	const struct psync_image *img = view->img;
	const struct psync_note *notes;
	bool barred = false;
	u32 i;

	if (!img->masking)
		return false;
	for (i = 0; i < img->p.n; i++) {
		notes = img->parts[i].notes;
		if (i == view->index || img->parts[i].ended)
			continue;
		if (notes && notes[view->index].first)
			barred |= !notes[view->index].closed;
		else if (!psync_mask_alike(view, i))
			return false;
	}
	return barred;
}

/* Everybody but the one whose END it is. */
static void psync_mask_tell_end(struct psync_image *img,
				const struct psync_node *node)
{
	const struct psync_part *part = &img->parts[node->sender];
	struct psync_view *view;

	if (part->remote >= 0) {
		psync_image_event(img, NULL, PSYNC_EV_ENDED, part->pid.site,
				  psync_node_mid(node), node->op);
		return;
	}
	list_for_each_entry(view, &img->views, link)
		if (view->index != node->sender)
			psync_image_event(img, view, PSYNC_EV_ENDED,
					  part->pid.site, psync_node_mid(node),
					  node->op);
}

/* What a view has sent itself, or only listens to. */
static void psync_mask_heard_of(struct psync_view *view,
				const struct psync_node *node)
{
	bool own = node->sender == view->index && node->made;
	struct psync_mask *mask;

	if (!view->masks || (!own && (!view->asks ||
				      !view->masks[node->sender].out)))
		return;
	mask = &view->masks[node->about];
	if (own && node->kind == PSYNC_KIND_MASK && mask->out && !mask->since)
		mask->since = node->seq;
	psync_mask_weigh(view, node->stamp);
	if (!own)
		psync_mask_awake(view);
}

void psync_mask_attached(struct psync_image *img,
			 const struct psync_node *node)
{
	struct psync_view *view;

	if (node->kind == PSYNC_KIND_END)
		psync_mask_tell_end(img, node);
	if (node->kind == PSYNC_KIND_MASK)
		psync_mask_heed(img, node);
	if (node->kind == PSYNC_KIND_RESTART)
		psync_mask_restart(img, node);
	if (!img->masking)
		return;
	if (node->kind == PSYNC_KIND_END)
		psync_expel_review(img);
	/* One who had said nothing counts for itself from now on. */
	if (node->seq == img->p.seq_base + 1)
		psync_mask_review(img);
	list_for_each_entry(view, &img->views, link)
		psync_mask_heard_of(view, node);
}

/* It was said that it is masked out, and not yet that this is for good. */
static bool psync_mask_is_worse(const struct psync_view *view, u32 index,
				const struct psync_vote *vote)
{
	return view && view->masks && view->masks[index].agreed &&
	       !view->masks[index].back && vote->op != PSYNC_MASK_OP_KEPT;
}

/* Participant @k here has masked out @i at @remote: says so again. */
static void psync_mask_repeat(struct psync_image *img,
			      const struct psync_remote *remote, u32 k, u32 i)
{
	const struct psync_vote *vote = img->parts[k].notes[i].vote;
	const struct psync_node *node = psync_graph_find(img, k, vote->seq);
	struct psync_view *view = img->parts[k].view;

	if (psync_mask_is_worse(view, i, vote) && psync_mask_more(view, i))
		return;
	if (node && psync_ack_held(img, remote, k) < vote->seq) {
		psync_image_repeat(img, node, remote->site, 0);
	} else if (view) {
		/* It was freed, or is lost there. */
		psync_mask_more(view, i);
	}
}

void psync_mask_finish(struct psync_view *view,
		       const struct psync_remote *remote, u32 index)
{
	struct psync_image *img = view->img;
	const struct psync_vote *vote;
	const struct psync_node *node;

	if (!view->masks || !view->masks[index].agreed ||
	    view->masks[index].back || !psync_mask_by(img, view->index, index) ||
	    psync_mask_by(img, index, view->index))
		return;
	vote = img->parts[view->index].notes[index].vote;
	node = psync_graph_find(img, view->index, vote->seq);
	if (vote->op != PSYNC_MASK_OP_KEPT)
		psync_mask_more(view, index);
	else if (!remote ||
		 psync_ack_held(img, remote, view->index) >= vote->seq)
		return;
	else if (!node)
		psync_mask_more(view, index);
	else if (psync_mask_is_time(view, index))
		psync_image_repeat(img, node, remote->site, 0);
}

/* Has participant @k been here, and masked out anybody? */
static bool psync_mask_has_said(const struct psync_image *img, u32 k)
{
	return img->parts[k].remote < 0 && img->parts[k].notes;
}

/* Does participant @k here mask out @i at @remote, and that one not come back? */
static bool psync_mask_concerns(const struct psync_image *img,
				const struct psync_remote *remote, u32 k, u32 i)
{
	return img->parts[i].pid.site == remote->site &&
	       !img->parts[i].back && img->parts[i].muted &&
	       psync_mask_by(img, k, i);
}

bool psync_mask_remind(struct psync_image *img,
		       const struct psync_remote *remote)
{
	bool done = false;
	u32 i, k;

	/* Another one there is answered as any, and has all that is said. */
	if (remote->nlive)
		return false;
	/* Who has masked out all who are here is owed nothing. */
	for (i = 0; i < img->p.n; i++)
		done |= img->parts[i].pid.site == remote->site &&
			!img->parts[i].ended && !img->parts[i].muted &&
			!img->parts[i].back;
	/* Who has closed here has masked it out all the same. */
	for (k = 0; k < img->p.n; k++) {
		if (!psync_mask_has_said(img, k))
			continue;
		for (i = 0; i < img->p.n; i++) {
			if (!psync_mask_concerns(img, remote, k, i))
				continue;
			done = true;
			psync_mask_repeat(img, remote, k, i);
		}
	}
	return done;
}

void psync_mask_insist(struct psync_image *img,
		       const struct psync_remote *remote)
{
	u32 i, k;

	for (k = 0; k < img->p.n && !remote->nlive; k++) {
		if (!psync_mask_has_said(img, k))
			continue;
		for (i = 0; i < img->p.n; i++)
			if (psync_mask_concerns(img, remote, k, i) &&
			    psync_ack_held(img, remote, k) >=
			    img->parts[k].notes[i].vote->seq)
				psync_mask_repeat(img, remote, k, i);
	}
}

bool psync_mask_deaf(const struct psync_image *img,
		     const struct psync_remote *remote, u32 about)
{
	bool deaf = false;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		if (img->parts[i].pid.site != remote->site ||
		    !img->parts[i].live || img->parts[i].seq == img->p.seq_base)
			continue;
		if (!psync_mask_by(img, i, about) &&
		    !psync_mask_by(img, about, i))
			return false;
		deaf = true;
	}
	return deaf;
}

/*
 * Will nobody here whom a site listens to ever have a message that it could be
 * needed for there?
 */
static bool psync_mask_idle(const struct psync_image *img,
			    const struct psync_remote *remote,
			    const struct psync_node *node)
{
	const struct psync_view *view;

	if (node->kind != PSYNC_KIND_DATA)
		return true;
	list_for_each_entry(view, &img->views, link)
		if (view->index != node->sender &&
		    (psync_view_has(view, node) ||
		     psync_mask_due(view, node)) &&
		    !psync_mask_deaf(img, remote, view->index))
			return false;
	return true;
}

/* Does no site that lacks a message want it? */
static bool psync_mask_useless(const struct psync_image *img,
			       const struct psync_node *node)
{
	const struct psync_remote *remote;
	u32 k;

	if (node->gone || !node->unheld)
		return false;
	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (psync_ack_counts(remote) &&
		    psync_ack_lacks(img, remote, node) &&
		    (!psync_mask_idle(img, remote, node) ||
		     !psync_mask_deaf(img, remote, node->sender)))
			return false;
	}
	return true;
}

/**
 * struct psync_mask_survey - what a site is waited for with
 * @left: so much of it was not looked at yet
 * @useless: so much of what was nobody wants
 * @first: the first of that in attach order
 */
struct psync_mask_survey {
	u32			left;
	u32			useless;
	struct psync_node	*first;
};

/* Looks at that of one participant; false: it may want some of it. */
static bool psync_mask_look(const struct psync_image *img,
			    const struct psync_remote *remote, u32 index,
			    struct psync_mask_survey *survey)
{
	u64 held = psync_ack_held(img, remote, index);
	struct psync_node *node;

	for (node = psync_graph_newest(img, index);
	     survey->left && node && node->seq > held;
	     node = psync_graph_below(img, node)) {
		if (node->gone || node->spared ||
		    !psync_ack_lacks(img, remote, node))
			continue;
		survey->left--;
		if (!psync_mask_idle(img, remote, node) ||
		    !psync_mask_deaf(img, remote, index))
			return false;
		/* Others may yet want it. */
		if (!psync_mask_useless(img, node))
			continue;
		if (!survey->useless++ ||
		    node->ordinal < survey->first->ordinal)
			survey->first = node;
	}
	return true;
}

bool psync_mask_spares(struct psync_image *img, struct psync_remote *remote)
{
	struct psync_mask_survey survey = { .left = remote->lag };
	struct psync_node *node;
	u32 i;

	if (!img->masking || !remote->lag)
		return false;
	for (i = 0; i < img->p.n; i++)
		if (!psync_mask_look(img, remote, i, &survey))
			return false;
	if (survey.left || !survey.useless)
		return !survey.left;
	/*
	 * Nothing else can be spared: what it lacks beside that is gone, or was
	 * spared before, and nobody is waited for with it.  What is given back
	 * goes in attach order (history.c).
	 */
	node = survey.first;
	list_for_each_entry_from(node, &img->order, order) {
		if (!psync_ack_lacks(img, remote, node) ||
		    !psync_mask_useless(img, node))
			continue;
		psync_ack_spare(img, node);
		if (!--survey.useless)
			break;
	}
	return true;
}

/* One announcement; nothing is to be said of one who was masked in before it. */
static int psync_mask_say(struct psync_view *view, u32 index)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask = &view->masks[index];
	u8 op = PSYNC_MASK_OP_IN;
	int err = 0;
	u64 mid = 0;

	if (!mask->out && !psync_mask_by(img, view->index, index) &&
	    !psync_mask_over(view, index))
		mask->due = false;
	if (mask->agreed)
		op = PSYNC_MASK_OP_KEPT;
	else if (mask->out && !mask->asked)
		op = PSYNC_MASK_OP_OUT;
	if (mask->due)
		err = psync_image_emit(img, view, PSYNC_KIND_MASK, op, index,
				       NULL, 0, &mid);
	if (err)
		return err;
	mask->due = false;
	if (mid && mask->asked)
		mask->asked_at = PSYNC_MID_SEQ(mid);
	return 0;
}

/* Has a participant yet to send something behind the view's message @seq? */
static bool psync_mask_silent(const struct psync_view *view, u32 index,
			      u64 seq)
{
	const struct psync_image *img = view->img;
	const struct psync_part *part = &img->parts[index];
	const struct psync_node *last;

	if (index == view->index || part->ended || view->masks[index].agreed)
		return false;
	/* Who never opened says nothing either. */
	if (part->remote >= 0 && part->seq == img->p.seq_base &&
	    img->remotes[part->remote].absent)
		return false;
	last = view->masks[index].out ? part->last :
	       psync_graph_known(img, index, view->stamp[index]);
	return !last || last->stamp[view->index] < seq;
}

/* Has everybody who counts sent something behind the view's message @seq? */
static bool psync_mask_answered(const struct psync_view *view, u32 about,
				u64 seq)
{
	u32 i;

	for (i = 0; i < view->img->p.n; i++)
		if (i != about && psync_mask_silent(view, i, seq))
			return false;
	return true;
}

/* Can it be relied on that a participant says something? */
static bool psync_mask_relies(const struct psync_view *view, u32 index)
{
	const struct psync_image *img = view->img;
	const struct psync_part *part = &img->parts[index];

	if (psync_view_masked(view, index) || psync_mask_against(view, index))
		return false;
	/* Who has never said anything may never open. */
	return part->remote < 0 ? !!part->view :
	       part->seq != img->p.seq_base &&
	       !img->remotes[part->remote].absent &&
	       !img->remotes[part->remote].moved;
}

/* Do those who have not answered owe nothing, all of them? */
static bool psync_mask_in_vain(const struct psync_view *view, u32 about)
{
	u64 seq = view->masks[about].asked_at;
	u32 i;

	for (i = 0; seq && i < view->img->p.n; i++)
		if (i != about && psync_mask_silent(view, i, seq) &&
		    psync_mask_relies(view, i))
			return false;
	return seq;
}

/* So long those are waited for who owe no answer. */
static u64 psync_mask_patience(const struct psync_image *img)
{
	return max(img->p.limits.suspect_ns,
		   PSYNC_MASK_WAITS * img->p.limits.rto_max_ns);
}

/* It stays masked out where nobody is left who could be waited for. */
static void psync_mask_give_up(struct psync_view *view)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask;
	u32 i;

	for (i = 0; i < img->p.n && view->asks; i++) {
		mask = &view->masks[i];
		if (!mask->asked)
			continue;
		if (img->now < mask->until) {
			psync_image_arm(img, mask->until);
			continue;
		}
		mask->until = img->now + psync_mask_patience(img);
		psync_image_arm(img, mask->until);
		if (!psync_mask_in_vain(view, i))
			continue;
		view->asks--;
		mask->asked = false;
		mask->asked_at = 0;
		mask->due = true;
		view->announce = true;
		psync_mask_review(img);
	}
}

/* It is waited for again, unless all who remain have announced it meanwhile. */
static void psync_mask_readmit(struct psync_view *view, u32 index)
{
	struct psync_mask *mask = &view->masks[index];

	psync_sure_keep(view);
	mask->out = false;
	mask->agreed = false;
	mask->back = false;
	mask->since = 0;
	view->asks -= mask->asked;
	mask->asked = false;
	mask->asked_at = 0;
	psync_mask_limit(view, index, PSYNC_MASK_NO_CUT);
	psync_mask_recount(view);
	psync_view_skip(view);
	psync_mask_review(view->img);
	if (view->owes)
		psync_null_due(view);
}

/* What was announced to be taken back is, where all have answered. */
static void psync_mask_take_back(struct psync_view *view)
{
	struct psync_image *img = view->img;
	u64 seq;
	u32 i;

	for (i = 0; i < img->p.n && view->asks; i++) {
		seq = view->masks[i].asked_at;
		/* What was just received may say that it is agreed. */
		if (!seq || view->masks[i].cut != PSYNC_MASK_NO_CUT ||
		    !psync_mask_answered(view, i, seq))
			continue;
		psync_image_event(img, view, PSYNC_EV_UNMASKED,
				  img->parts[view->index].pid.site,
				  PSYNC_MID(view->index, seq), i);
		psync_mask_readmit(view, i);
	}
}

/* Is there anybody who could hear it? */
static bool psync_mask_heard(const struct psync_view *view)
{
	return !view->manual && !view->restart && !view->img->refused &&
	       view->img->nended + 1 < view->img->p.n;
}

/* What others have heard before is to be said knowing of @index, too. */
static void psync_mask_recall(struct psync_view *view, u32 index)
{
	u32 i;

	for (i = 0; i < view->img->p.n; i++)
		if (i != index && view->masks[i].out && !view->masks[i].asked &&
		    psync_mask_by(view->img, view->index, i))
			view->masks[i].due = true;
}

/* There was no memory for it. */
static void psync_mask_later(struct psync_view *view)
{
	view->announce = true;
	psync_image_arm(view->img, view->img->now +
			view->img->p.limits.null_ns);
}

void psync_mask_announce(struct psync_view *view)
{
	struct psync_image *img = view->img;
	bool again;
	u32 i, k;

	/* Only a program's message can be the first (P 3.1), or RESTART. */
	if ((!img->attached && !img->p.number) || view->restart)
		return;
	view->announce = false;
	psync_mask_settle(view);
	psync_mask_take_back(view);
	/* First whom nobody knows of yet, then, knowing that, the others. */
	for (k = 0; k < 2; k++) {
		for (i = 0; i < img->p.n; i++) {
			if (!psync_mask_heard(view))
				view->masks[i].due = false;
			again = psync_mask_by(img, view->index, i);
			if (!view->masks[i].due || again != k)
				continue;
			if (psync_mask_say(view, i)) {
				psync_mask_later(view);
				return;
			}
			if (!again)
				psync_mask_recall(view, i);
		}
	}
	/* It may have been the last that was awaited. */
	psync_mask_settle(view);
}

void psync_mask_timer(struct psync_image *img)
{
	struct psync_view *view;

	list_for_each_entry(view, &img->views, link) {
		psync_mask_settle(view);
		psync_mask_give_up(view);
		if (view->reaches)
			psync_mask_reach_late(view);
		if (view->announce)
			psync_mask_announce(view);
	}
}

static int psync_mask_check(const struct psync_view *view, u32 index, u64 cut)
{
	const struct psync_image *img = view->img;

	if (index >= img->p.n || index == view->index || view->pending)
		return -EINVAL;
	/* What is beyond a cut may be in the view, but is not given to it. */
	if (cut < img->p.seq_base ||
	    (cut < view->stamp[index] &&
	     !(view->masks && cut == view->masks[index].limit)))
		return -EINVAL;
	if (psync_view_masked(view, index) && !view->masks[index].asked &&
	    (cut == PSYNC_MASK_NO_CUT ||
	     view->masks[index].limit != PSYNC_MASK_NO_CUT))
		return -EALREADY;
	return img->parts[index].ended ? -ESHUTDOWN : 0;
}

int psync_view_mask_out(struct psync_view *view, u32 index, u64 cut, u64 now)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask;
	bool again;
	int err;

	img->now = now;
	err = psync_mask_check(view, index, cut);
	if (!err)
		err = psync_mask_prepare(view);
	if (err)
		return err;
	mask = &view->masks[index];
	again = mask->out && !mask->asked;
	/* What has come while it is to be taken back is not taken. */
	if (!mask->out)
		mask->need = img->parts[index].seq;
	mask->out = true;
	mask->repeats = 0;
	mask->again_at = 0;
	view->asks -= mask->asked;
	mask->asked = false;
	mask->asked_at = 0;
	/*
	 * What has come already is taken, as far as it counts; no more, even
	 * below the cut: what is announced now is what is held.
	 */
	mask->need = min(cut, mask->need);
	psync_mask_limit(view, index, cut);
	psync_mask_recount(view);
	psync_mask_review(img);
	if (again)
		return 0;
	psync_mask_again(view);
	psync_mask_announce(view);
	return 0;
}

bool psync_mask_may_shut(const struct psync_image *img, u32 site)
{
	const struct psync_remote *remote = psync_remote_find(img, site);
	const struct psync_view *view;

	if (!remote || !remote->heard || img->recover)
		return false;
	list_for_each_entry(view, &img->views, link)
		if (view->pending || view->manual)
			return false;
	return true;
}

bool psync_mask_shut(struct psync_image *img, u32 site)
{
	const struct psync_remote *remote = psync_remote_find(img, site);
	struct psync_view *view;
	bool asked;
	u64 cut;
	u32 i;

	list_for_each_entry(view, &img->views, link) {
		for (i = 0; i < img->p.n; i++) {
			/* Who asks listens to all: also to the slow one. */
			asked = view->asks && view->masks[i].asked;
			if (!asked && img->parts[i].pid.site != site)
				continue;
			cut = asked ? view->masks[i].limit : PSYNC_MASK_NO_CUT;
			if (psync_view_mask_out(view, i, cut, img->now) ==
			    -ENOMEM)
				img->ops->dropped(img, PSYNC_DROP_NO_MEM);
		}
	}
	if (psync_ack_counts(remote))
		return false;
	img->shuts++;
	return true;
}

/* What was announced is taken back when nobody counts on it any more. */
static void psync_mask_ask(struct psync_view *view, u32 index)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask = &view->masks[index];

	mask->asked = true;
	mask->until = img->now + psync_mask_patience(img);
	psync_image_arm(img, mask->until);
	mask->due = true;
	view->asks++;
	view->announce = true;
	psync_mask_review(img);
	psync_mask_announce(view);
}

int psync_view_mask_in(struct psync_view *view, u32 index, u64 now)
{
	struct psync_image *img = view->img;
	struct psync_mask *mask;

	img->now = now;
	if (index >= img->p.n || index == view->index || view->pending)
		return -EINVAL;
	if (!psync_view_masked(view, index) || view->masks[index].asked)
		return -EALREADY;
	mask = &view->masks[index];
	if ((mask->agreed && !mask->back) || mask->cut != PSYNC_MASK_NO_CUT)
		return -EPERM;
	if (!mask->agreed && !view->manual &&
	    psync_mask_by(img, view->index, index)) {
		psync_mask_ask(view, index);
		return 0;
	}
	psync_mask_readmit(view, index);
	mask->due = true;
	view->announce = true;
	psync_mask_announce(view);
	return 0;
}
