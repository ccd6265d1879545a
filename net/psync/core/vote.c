// SPDX-License-Identifier: GPL-2.0-only
/*
 * What participants have announced about one another (S5.1, S5.2).
 *
 * Whether somebody is counted out for good, *agreed*, is a property of a
 * message, namely of what precedes it, itself included: a set P that is the same
 * wherever the message is attached.  In P let T be participants, E those whose
 * END is the last of them, and R the rest.  T is agreed when the last
 * announcement of each in R about each in T says "out", was made behind the
 * first one of the same participant about each in T, and has in its context
 * every END and RESTART in P, and all that it says to be held.  For each
 * participant the least such T is looked for: who has not announced it belongs
 * to it itself.  The cut is the greatest number that those in R have announced.
 *
 * A view counts somebody out when a message enters it, its own included, in
 * which that one is agreed.  Everybody in R, who do not mask one another out,
 * does so sooner or later, for the message reaches all of them; and with the
 * same cut, whichever message comes first:
 *
 * - Behind these announcements nobody in R takes more of T than is in one of
 *   their contexts.  The first to do so would follow a message of another one in
 *   R, sent before that one announced; for the last words of E are known.
 * - So a message of T that is beyond all cuts is in no view of R, nor is what
 *   follows it.  Another announcement of R is behind them: its number is not
 *   beyond the cut.  One who is in T here and in R there has announced what is
 *   not in P; were that in a view of R, it would precede some announcement here.
 *
 * Who takes an announcement back says so and goes on masking out until everybody
 * who counts has sent something behind that.  What is agreed without knowing of
 * it is then known here, with all that follows it; so either nothing is, and
 * nothing will be, or it has counted that one out.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "mask.h"
#include "vote.h"

/* Of one participant about another so many announcements are remembered. */
#define PSYNC_VOTES	16
/* So many of one participant in all, whoever they are about, nobody has to pay. */
#define PSYNC_VOTES_SPARE	64

static size_t psync_note_size(const struct psync_image *img)
{
	return img->p.n * sizeof(struct psync_note);
}

int psync_vote_prepare(struct psync_image *img, struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];

	/*
	 * It is as if it had not come, and comes again.  Who says no more than that
	 * is heard in any case: others may wait for it to give memory back.
	 */
	if (part->remote >= 0 && part->nvotes >= PSYNC_VOTES_SPARE &&
	    !img->ops->afford(img))
		return -ENOMEM;
	if (!part->notes)
		part->notes = psync_image_remember(img, psync_note_size(img));
	if (!part->notes)
		return -ENOMEM;
	node->vote = img->ops->alloc(img, sizeof(*node->vote));
	if (!node->vote)
		return -ENOMEM;
	img->masking = true;
	/* Should it be taken back, what is stable then has to be known. */
	return img->parts[node->about].view ?
	       psync_mask_begin(img->parts[node->about].view) : 0;
}

void psync_vote_free(struct psync_image *img, struct psync_node *node)
{
	if (node->vote)
		img->ops->free(img, node->vote, sizeof(*node->vote));
	node->vote = NULL;
}

static void psync_vote_drop(struct psync_image *img, struct psync_part *part,
			    struct psync_vote **vote)
{
	struct psync_vote *older;

	while (*vote) {
		older = (*vote)->older;
		img->ops->free(img, *vote, sizeof(**vote));
		part->nvotes--;
		*vote = older;
	}
}

void psync_vote_exit(struct psync_image *img)
{
	struct psync_part *part;
	u32 i, k;

	for (i = 0; img->parts && i < img->p.n; i++) {
		part = &img->parts[i];
		for (k = 0; part->notes && k < img->p.n; k++)
			psync_vote_drop(img, part, &part->notes[k].vote);
		psync_image_unlearn(img, part->notes, psync_note_size(img));
		part->notes = NULL;
	}
}

/* The last END or RESTART of a participant up to @seq: its number, or 0. */
static u64 psync_vote_turned(const struct psync_part *part, u64 seq, bool *ended)
{
	u32 i = PSYNC_PART_TURNS;

	while (i--) {
		if (!part->turns[i].seq || part->turns[i].seq > seq)
			continue;
		*ended = part->turns[i].ended;
		return part->turns[i].seq;
	}
	*ended = false;
	return 0;
}

void psync_vote_turn(struct psync_image *img, const struct psync_node *node)
{
	struct psync_part *part = &img->parts[node->sender];
	u32 i;

	img->turns++;
	for (i = 0; i + 1 < PSYNC_PART_TURNS; i++)
		part->turns[i] = part->turns[i + 1];
	part->turns[i].seq = node->seq;
	part->turns[i].ended = node->kind == PSYNC_KIND_END;
}

/* How many ENDs and RESTARTs are in a context; those long ago are in each. */
static u32 psync_vote_turns(const struct psync_image *img, const u64 *stamp)
{
	const struct psync_part *part;
	u32 turns = img->turns;
	u32 i, k;

	for (i = 0; turns && i < img->p.n; i++) {
		part = &img->parts[i];
		for (k = 0; k < PSYNC_PART_TURNS; k++)
			turns -= part->turns[k].seq > stamp[i];
	}
	return turns;
}

/* What is below all that comes, or too far back, is not asked for any more. */
static void psync_vote_prune(struct psync_image *img, u32 index,
			     struct psync_vote *vote)
{
	u64 floor = img->floor.stamp[index];
	u32 count = 0;

	while (vote && vote->seq > floor && ++count < PSYNC_VOTES)
		vote = vote->older;
	if (vote)
		psync_vote_drop(img, &img->parts[index], &vote->older);
}

void psync_vote_attached(struct psync_image *img, struct psync_node *node)
{
	struct psync_note *note = &img->parts[node->sender].notes[node->about];
	struct psync_vote *vote = node->vote;
	bool out = node->op == PSYNC_MASK_OP_OUT ||
		   node->op == PSYNC_MASK_OP_KEPT;

	/* What was not announced cannot be taken back. */
	if (!out && (!note->first || note->closed))
		return;
	if (!note->first || note->closed) {
		note->first = node->seq;
		note->closed = 0;
	}
	if (node->op == PSYNC_MASK_OP_IN)
		psync_mask_taken_back(img, node->sender, node->about, node->seq);
	vote->older = note->vote;
	vote->seq = node->seq;
	vote->first = note->first;
	vote->last = node->last;
	vote->turns = psync_vote_turns(img, node->stamp);
	vote->op = node->op;
	vote->whole = node->op == PSYNC_MASK_OP_KEPT ||
		      node->last <= node->stamp[node->about];
	note->vote = vote;
	node->vote = NULL;
	img->parts[node->sender].nvotes++;
	psync_vote_prune(img, node->sender, vote);
}

bool psync_mask_by(const struct psync_image *img, u32 index, u32 about)
{
	const struct psync_note *notes = img->parts[index].notes;

	return notes && notes[about].first && !notes[about].closed;
}

/* The announcement of @index about @about that holds in a context, or NULL. */
static const struct psync_vote *psync_vote_at(const struct psync_image *img,
					      u32 index, u32 about,
					      const u64 *stamp)
{
	const struct psync_part *part = &img->parts[index];
	const struct psync_vote *vote;
	bool ended;

	if (!part->notes)
		return NULL;
	vote = part->notes[about].vote;
	while (vote && vote->seq > stamp[index])
		vote = vote->older;
	if (!vote || (vote->op != PSYNC_MASK_OP_OUT &&
		      vote->op != PSYNC_MASK_OP_KEPT))
		return NULL;
	/* Who is back masks nobody, whatever it has said before. */
	return psync_vote_turned(part, stamp[index], &ended) > vote->seq ?
	       NULL : vote;
}

static const struct psync_vote_span psync_vote_none = { .least = U64_MAX };

/*
 * One more, @about, is in the set: has @index announced all of it, knowing of all
 * of it?  Once it has not, it never has.
 */
static bool psync_vote_covers(const struct psync_image *img, u32 index,
			      u32 about, const u64 *stamp, u32 turns,
			      struct psync_vote_span *span)
{
	const struct psync_vote *vote = psync_vote_at(img, index, about, stamp);

	if (!vote || !vote->whole || vote->turns != turns)
		return false;
	span->least = min(span->least, vote->seq);
	span->first = max(span->first, vote->first);
	return span->first <= span->least;
}

/*
 * What is known of one that is looked at.  As long as somebody has not announced
 * it, and the view's participant not that one, it is not agreed: whole sets are
 * looked for when that has changed, not with each message.
 */
enum psync_vote_look {
	PSYNC_VOTE_NEW,
	PSYNC_VOTE_SEEN,	/* what barred it before may do so no more */
	PSYNC_VOTE_BARRED,	/* it is not agreed, nor whose set it is in */
};

void psync_vote_poll(struct psync_poll *poll, const u64 *stamp)
{
	const struct psync_image *img = poll->view->img;
	u32 i;

	poll->stamp = stamp;
	poll->turns = psync_vote_turns(img, stamp);
	poll->found = 0;
	for (i = 0; i < img->p.n; i++)
		poll->view->masks[i].look = PSYNC_VOTE_NEW;
}

/* Has it not announced the other one, whatever else it has? */
static bool psync_vote_lacks(const struct psync_poll *poll, u32 index,
			     u32 about)
{
	struct psync_vote_span span = psync_vote_none;

	return !psync_vote_covers(poll->view->img, index, about, poll->stamp,
				  poll->turns, &span);
}

/* Does its word count, as far as it has not ended? */
static bool psync_vote_lives(const struct psync_poll *poll, u32 index)
{
	bool ended;

	psync_vote_turned(&poll->view->img->parts[index], poll->stamp[index],
			  &ended);
	return !ended;
}

/* Does one remain whose word is needed for the set? */
static bool psync_vote_remains(const struct psync_poll *poll, u32 index)
{
	return !poll->view->masks[index].in && psync_vote_lives(poll, index);
}

/* Is what barred one still there? */
static bool psync_vote_barred(const struct psync_poll *poll, u32 about)
{
	struct psync_mask *masks = poll->view->masks;
	u32 at = about, bar;

	while (masks[at].look == PSYNC_VOTE_NEW) {
		masks[at].look = PSYNC_VOTE_SEEN;
		if (!masks[at].bar)
			return false;
		bar = masks[at].bar - 1;
		if (!psync_vote_lives(poll, bar) ||
		    !psync_vote_lacks(poll, bar, at))
			return false;
		if (psync_vote_lacks(poll, poll->view->index, bar))
			masks[bar].look = PSYNC_VOTE_BARRED;
		at = bar;
	}
	if (masks[at].look != PSYNC_VOTE_BARRED)
		return false;
	for (at = about; masks[at].look != PSYNC_VOTE_BARRED;
	     at = masks[at].bar - 1)
		masks[at].look = PSYNC_VOTE_BARRED;
	return true;
}

/*
 * @at, in the set of @about, is barred: so are all because of whom it came into
 * it, but where one has announced another and only not in order.
 */
static void psync_vote_bar(const struct psync_poll *poll, u32 about, u32 at)
{
	struct psync_mask *masks = poll->view->masks;
	u32 by;

	masks[at].look = PSYNC_VOTE_BARRED;
	while (at != about) {
		by = masks[at].by;
		if (!psync_vote_lacks(poll, at, by))
			return;
		masks[by].look = PSYNC_VOTE_BARRED;
		masks[by].bar = at + 1;
		at = by;
	}
}

/*
 * The least set with @about in it that is agreed; false: none without the
 * view's participant.
 */
static bool psync_vote_gather(struct psync_poll *poll, u32 about)
{
	const struct psync_image *img = poll->view->img;
	u32 i, own = poll->view->index, at = about, last = about;
	struct psync_mask *masks = poll->view->masks;

	poll->found = 0;
	for (i = 0; i < img->p.n; i++) {
		masks[i].in = i == about;
		masks[i].span = psync_vote_none;
	}
	for (;; at = masks[at].next) {
		if (!psync_vote_covers(img, own, at, poll->stamp, poll->turns,
				       &masks[own].span))
			return false;
		for (i = 0; i < img->p.n; i++) {
			if (i == own || !psync_vote_remains(poll, i) ||
			    psync_vote_covers(img, i, at, poll->stamp,
					      poll->turns, &masks[i].span))
				continue;
			masks[i].in = true;
			masks[i].by = at;
			masks[last].next = i;
			last = i;
			if (masks[i].look != PSYNC_VOTE_BARRED &&
			    !psync_vote_lacks(poll, own, i))
				continue;
			psync_vote_bar(poll, about, i);
			return false;
		}
		if (at == last)
			break;
	}
	poll->found = about + 1;
	return true;
}

/* Each of the two is in the least set of the other: it is the same. */
static bool psync_vote_same(const struct psync_poll *poll, u32 about)
{
	return poll->found && poll->view->masks[about].in &&
	       psync_vote_lives(poll, poll->found - 1) &&
	       psync_vote_lacks(poll, poll->found - 1, about);
}

/* Has the view masked it out ever since what it announced in that context? */
static bool psync_vote_stands(const struct psync_view *view, u32 about,
			      const u64 *stamp)
{
	const struct psync_vote *vote = psync_vote_at(view->img, view->index,
						      about, stamp);
	u64 since = view->masks[about].since;

	return vote && since && vote->seq >= since;
}

bool psync_vote_agreed(struct psync_poll *poll, u32 about, u64 *cut)
{
	const struct psync_image *img = poll->view->img;
	const struct psync_vote *vote;
	u32 i;

	if (!psync_vote_stands(poll->view, about, poll->stamp) ||
	    psync_vote_barred(poll, about))
		return false;
	if (!psync_vote_same(poll, about) && !psync_vote_gather(poll, about)) {
		poll->view->masks[about].look = PSYNC_VOTE_BARRED;
		return false;
	}
	*cut = img->p.seq_base;
	for (i = 0; i < img->p.n; i++) {
		if (!psync_vote_remains(poll, i))
			continue;
		vote = psync_vote_at(img, i, about, poll->stamp);
		/* It was counted out already: that holds. */
		if (vote->op == PSYNC_MASK_OP_KEPT) {
			*cut = vote->last;
			break;
		}
		*cut = max(*cut, vote->last);
	}
	return true;
}

void psync_mask_announced(const struct psync_view *view, u32 about,
			  struct psync_announced *said)
{
	const struct psync_image *img = view->img;
	u32 i;

	said->count = 0;
	memcpy(said->stamp, view->stamp, img->p.n * sizeof(*said->stamp));
	said->turns = psync_vote_turns(img, said->stamp);
	if (!psync_view_masked(view, about) || view->masks[about].agreed)
		return;
	for (i = 0; i < img->p.n; i++)
		if (psync_vote_at(img, view->index, i, said->stamp))
			said->about[said->count++] = i;
}

bool psync_mask_awaited(const struct psync_image *img, u32 index,
			const struct psync_announced *said)
{
	struct psync_vote_span span = psync_vote_none;
	bool ended, covers = true;
	u32 i;

	psync_vote_turned(&img->parts[index], said->stamp[index], &ended);
	for (i = 0; i < said->count; i++) {
		if (said->about[i] == index)
			return false;
		covers = covers &&
			 psync_vote_covers(img, index, said->about[i],
					   said->stamp, said->turns, &span);
	}
	return !ended && !covers;
}
