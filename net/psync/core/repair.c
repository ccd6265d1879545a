// SPDX-License-Identifier: GPL-2.0-only
/*
 * Repair (P 3.2.1, 3.2.3; S4).
 *
 * An image knows that it lacks something when a held message waits for it or
 * a vector names it.  After a moment, in which what was only overtaken comes,
 * it asks: the sender's site of the held message, which has all that message
 * follows, else the site whose message it lacks; then, in random order and
 * with growing waits, others that have it.  Without multicast nobody
 * overhears a request, so there is nothing to suppress; what is asked twice
 * within half a round trip is answered once.
 *
 * A request carries the vector of the asker's image instead of its leaves: it
 * says the same, and the answerer need not have the leaves to understand it.
 * The answer is the set difference, in causal order: all that the answerer
 * has and the vector does not cover, with a mid only what that message
 * follows.  It is cut to the repair rate; the asker asks for the rest.
 *
 * Nothing that a site which counts may lack is given back.  Who comes late is
 * told up to where (GONE): it takes that for lost and goes on from there.
 */
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "ack.h"
#include "confirm.h"
#include "flow.h"
#include "graph.h"
#include "hold.h"
#include "mask.h"
#include "repair.h"
#include "restart.h"
#include "skip.h"
#include "view.h"
#include "vote.h"

/* Requests in vain, beside two for each site, before the asking ends. */
#define PSYNC_REPAIR_TRIES	8
/* One of so many names a held message. */
#define PSYNC_REPAIR_NAMES	4
/* Messages in one answer. */
#define PSYNC_REPAIR_BURST	64
/* To look for an answer costs as much as a message, which must be left, too. */
#define PSYNC_REPAIR_LEAST	2
#define PSYNC_REPAIR_NS_PER_SEC	1000000000ULL

/* So long what comes may only have been overtaken. */
static u64 psync_repair_moment(const struct psync_image *img)
{
	u64 wait = img->p.limits.rto_min_ns;
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (psync_ack_counts(&img->remotes[k]))
			wait = max(wait, img->remotes[k].srtt);
	return wait / 2;
}

void psync_repair_lack(struct psync_image *img)
{
	img->rr_tries = 0;
	img->rr_at = img->now + psync_repair_moment(img);
	psync_image_arm(img, img->rr_at);
}

void psync_repair_came(struct psync_image *img)
{
	if (!img->nlack) {
		img->rr_at = U64_MAX;
		return;
	}
	/* More of the same answer is on its way. */
	img->rr_tries = 0;
	img->rr_at = img->now + psync_repair_moment(img);
	psync_image_arm(img, img->rr_at);
}

void psync_repair_vain(struct psync_image *img)
{
	u64 at = img->now + psync_repair_moment(img);

	if (at >= img->rr_at || img->rr_at == U64_MAX)
		return;
	img->rr_at = at;
	psync_image_arm(img, at);
}

/* The first participant of whom something is missing, after @from. */
static u32 psync_repair_part(const struct psync_image *img, u32 from)
{
	u32 i, at;

	for (i = 0; i < img->p.n; i++) {
		at = (from + i) % img->p.n;
		if (img->parts[at].claimed > img->parts[at].seq)
			return at;
	}
	return img->p.n;
}

/* One whose next message is awaited by a held one, if there is any. */
static u32 psync_repair_awaited(const struct psync_image *img, u32 from)
{
	u32 i, at;

	for (i = 0; i < img->p.n; i++) {
		at = (from + i) % img->p.n;
		if (img->parts[at].claimed > img->parts[at].seq &&
		    psync_hold_waiting(img, at, img->parts[at].seq + 1))
			return at;
	}
	return psync_repair_part(img, from);
}

static bool psync_repair_askable(const struct psync_image *img,
				 const struct psync_remote *remote)
{
	return remote->state == PSYNC_REMOTE_CONFIRMED && !remote->moved &&
	       !psync_restart_unheard(img, remote);
}

/* One chance in @n; of a number that is not zero the low bits are no numbers. */
static bool psync_repair_chance(struct psync_image *img, u32 n)
{
	return (u32)(img->ops->nonce(img) >> 32) % n == 0;
}

/*
 * One of the sites known to hold the next message of @index, or any: each with the
 * same chance, and none again before all of them were asked (S4.2).
 */
static struct psync_remote *psync_repair_holder(struct psync_image *img,
						u32 index)
{
	u64 seq = img->parts[index].seq + 1;
	struct psync_remote *chosen = NULL;
	u32 k, rank, best = 0, count = 0;
	struct psync_remote *remote;
	bool asked;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (!psync_repair_askable(img, remote))
			continue;
		asked = remote->rr_round == img->rr_round;
		rank = psync_ack_held(img, remote, index) >= seq ? 0 : 2;
		rank += asked;
		if (chosen && rank > best)
			continue;
		if (!chosen || rank < best)
			count = 0;
		best = rank;
		if (psync_repair_chance(img, ++count))
			chosen = remote;
	}
	/* All who come into question were: the next round. */
	if (chosen && chosen->rr_round == img->rr_round)
		img->rr_round++;
	return chosen;
}

/*
 * Who recovers takes nothing for lost that any site keeps.  Has one said that
 * it does not, those who have not are asked next, then who keeps the most.
 */
static struct psync_remote *psync_repair_keeper(struct psync_image *img,
						u32 index)
{
	u64 seq = img->parts[index].seq + 1;
	struct psync_remote *remote, *most = NULL;
	u32 k;

	for (k = 0; k < img->nremotes; k++) {
		remote = &img->remotes[k];
		if (!psync_repair_askable(img, remote) ||
		    psync_ack_held(img, remote, index) < seq)
			continue;
		if (!most || remote->gone < most->gone)
			most = remote;
	}
	return most;
}

/* Does any site say that it is gone? */
static bool psync_repair_told_gone(const struct psync_image *img)
{
	u32 k;

	for (k = 0; k < img->nremotes; k++)
		if (img->remotes[k].gone)
			return true;
	return false;
}

/*
 * Has the participant's own site what is missing of it?  It has all it sent,
 * unless it came back: then it has what it is known to have recovered.
 */
static bool psync_repair_own(const struct psync_image *img,
			     const struct psync_remote *remote, u32 index)
{
	const struct psync_part *part = &img->parts[index];

	if (part->past || img->recover)
		return psync_ack_held(img, remote, index) > part->seq;
	return psync_ack_counts(remote);
}

/*
 * Whom to ask: first the dependent message's sender's site, which has all that
 * message follows, or with none held the sender's own.
 */
static struct psync_remote *psync_repair_target(struct psync_image *img,
						u32 index,
						const struct psync_node *held)
{
	struct psync_remote *remote;
	int site;

	if (img->recover && img->rr_tries <= 2 * img->nremotes &&
	    psync_repair_told_gone(img))
		return psync_repair_keeper(img, index);
	site = img->parts[held ? held->sender : index].remote;
	if (!img->rr_tries && site >= 0) {
		remote = &img->remotes[site];
		if (psync_repair_askable(img, remote) &&
		    (held || psync_repair_own(img, remote, index)))
			return remote;
	}
	return psync_repair_holder(img, index);
}

/* After so many requests everybody was asked several times. */
static u32 psync_repair_tries(const struct psync_image *img)
{
	return PSYNC_REPAIR_TRIES + 2 * img->nremotes;
}

/*
 * Is only what a held message follows asked for?  First, as that is the answer
 * that is needed; later everything.  But where somebody is masked out that alone
 * says what is wanted of that one, so some of the later ones say it, too.
 */
static bool psync_repair_names(const struct psync_image *img)
{
	return !img->rr_tries ||
	       (img->masking && img->rr_tries % PSYNC_REPAIR_NAMES == 0);
}

/* Another participant with every try: one may be beyond repair. */
static u32 psync_repair_turn(const struct psync_image *img)
{
	u32 tries = img->rr_tries, named = tries / PSYNC_REPAIR_NAMES;

	if (psync_repair_names(img))
		return psync_repair_awaited(img, named);
	/* Without those that named a message, or some would never have a turn. */
	return psync_repair_part(img, img->masking ? tries - named : tries);
}

/*
 * Is a participant's own site asked for nothing any more?  It is not there, or
 * all who are here mask that one out and do not ask for it: then it owes them
 * nothing (S5.1), not even to say that it is gone.
 */
static bool psync_repair_disowned(const struct psync_image *img, u32 index)
{
	const struct psync_part *part = &img->parts[index];
	const struct psync_view *view;

	if (part->remote < 0 || !psync_ack_counts(&img->remotes[part->remote]))
		return true;
	list_for_each_entry(view, &img->views, link)
		if (!psync_view_masked(view, index) || view->masks[index].asked)
			return false;
	return true;
}

static void psync_repair_ask(struct psync_image *img,
			     struct psync_remote *remote, u32 index,
			     const struct psync_node *held)
{
	struct psync_pkt pkt;

	psync_ack_build(img, PSYNC_PKT_RR, &pkt);
	if (held && psync_repair_names(img)) {
		pkt.vector.flags = PSYNC_VECTORF_MID;
		pkt.vector.index = held->sender;
		pkt.vector.seq = held->seq;
	} else if (img->rr_tries >= psync_repair_tries(img) &&
		   psync_repair_disowned(img, index)) {
		pkt.vector.flags = PSYNC_VECTORF_LAST;
		pkt.vector.index = index;
	}
	img->rr_site = remote->site;
	remote->rr_round = img->rr_round;
	remote->requested = true;
	remote->asks++;
	img->ops->transmit(img, remote->site, &pkt, NULL);
}

/*
 * Everybody was asked, several times, in vain: what none of the sites that
 * count has died with its sender, and what follows it is as if it had never
 * arrived (S4.3).
 */
static void psync_repair_give_up(struct psync_image *img)
{
	if (img->rr_tries < psync_repair_tries(img))
		return;
	if (psync_ack_disclaim(img))
		psync_hold_discard(img);
}

void psync_repair_timer(struct psync_image *img)
{
	struct psync_remote *remote = NULL;
	const struct psync_node *held;
	u32 index;

	if (img->rr_at > img->now) {
		psync_image_arm(img, img->rr_at);
		return;
	}
	img->rr_at = U64_MAX;
	psync_repair_give_up(img);
	index = psync_repair_turn(img);
	if (index == img->p.n)
		return;
	held = psync_hold_waiting(img, index, img->parts[index].seq + 1);
	remote = psync_repair_target(img, index, held);
	/* Who died after it had said what it holds would be asked for ever. */
	if (remote && !psync_ack_silent(img, remote, remote->asks))
		psync_repair_ask(img, remote, index, held);
	img->rr_at = img->now + psync_ack_wait(img, remote, img->rr_tries);
	img->rr_tries++;
	psync_image_arm(img, img->rr_at);
}

/* So many messages may be sent again in so long. */
static u64 psync_repair_quota(const struct psync_image *img, u64 ns)
{
	u64 sec = div_u64(ns, PSYNC_REPAIR_NS_PER_SEC);
	u32 rate = img->p.limits.repair_rate;

	ns -= sec * PSYNC_REPAIR_NS_PER_SEC;
	return sec * rate + div_u64(ns * rate, PSYNC_REPAIR_NS_PER_SEC);
}

u32 psync_repair_room(struct psync_image *img)
{
	u32 rate = img->p.limits.repair_rate;
	u32 most = max_t(u32, rate / 8, PSYNC_REPAIR_BURST);
	u64 more = psync_repair_quota(img, img->now - img->repairs_at);

	if (more >= most) {
		img->repairs_at = img->now;
	} else if (more) {
		/* What is no whole message yet counts the next time. */
		img->repairs_at += div_u64(more * PSYNC_REPAIR_NS_PER_SEC,
					   rate);
	}
	img->repairs = min_t(u64, img->repairs + more, most);
	return min_t(u32, img->repairs, PSYNC_REPAIR_BURST);
}

/*
 * Is there room for an answer?  Those who ask again and again for what they
 * have no room for may leave none to a site whose own lack is what keeps them
 * full.  So each site gets one now and then all the same, all together no more
 * than the rate once more.
 */
static bool psync_repair_may_answer(struct psync_image *img,
				    const struct psync_remote *remote)
{
	if (psync_repair_room(img) >= PSYNC_REPAIR_LEAST)
		return true;
	if (psync_repair_quota(img, img->now - remote->answered_at) <
	    PSYNC_REPAIR_LEAST * img->nremotes)
		return false;
	img->repairs = PSYNC_REPAIR_LEAST;
	return true;
}

/* The earliest node, in attach order, that @remote does not hold, or NULL. */
static const struct psync_node *
psync_repair_first(const struct psync_image *img,
		   const struct psync_remote *remote)
{
	const struct psync_node *node, *first = NULL;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		node = psync_graph_above(img, i,
					 psync_ack_held(img, remote, i));
		if (node && (!first || node->ordinal < first->ordinal))
			first = node;
	}
	return first;
}

/**
 * struct psync_repair_answer - what is sent at once, and of what
 * @until: of what this message follows, or NULL: of all
 * @after: attached after this place in attach order
 * @end: and before this one
 * @room: so many messages at most
 * @count: entries in @nodes
 * @nodes: the earliest of these, in attach order
 */
struct psync_repair_answer {
	const struct psync_node	*until;
	u64			after;
	u64			end;
	u32			room;
	u32			count;
	const struct psync_node	*nodes[PSYNC_REPAIR_BURST];
};

/* One more; false: there is no room, and it is later than all. */
static bool psync_repair_put(struct psync_repair_answer *answer,
			     const struct psync_node *node)
{
	u32 at = answer->count;

	while (at && answer->nodes[at - 1]->ordinal > node->ordinal)
		at--;
	if (at == answer->room)
		return false;
	answer->count = min(answer->count + 1, answer->room);
	memmove(&answer->nodes[at + 1], &answer->nodes[at],
		(answer->count - 1 - at) * sizeof(node));
	answer->nodes[at] = node;
	return true;
}

/* Is it sent, perhaps?  False: nor is any later one of the same participant. */
static bool psync_repair_offer(struct psync_repair_answer *answer,
			       const struct psync_node *node)
{
	/* All that it follows was attached before it. */
	if (node->ordinal >= answer->end)
		return false;
	if (node->ordinal <= answer->after || node == answer->until ||
	    (node->gone && node->kind == PSYNC_KIND_DATA))
		return true;
	return psync_repair_put(answer, node);
}

/*
 * Of what @remote lacks of a participant; no more than may find room.  What is
 * behind missing numbers is looked at from its end, all of it, and once.
 */
static void psync_repair_gather(const struct psync_image *img,
				const struct psync_remote *remote, u32 index,
				struct psync_repair_answer *answer)
{
	const struct psync_node *until = answer->until, *node;
	u64 seq = psync_ack_held(img, remote, index);
	u64 last = until ? until->stamp[index] : img->parts[index].seq;

	while (seq < last && (node = psync_graph_find(img, index, seq + 1))) {
		if (!psync_repair_offer(answer, node))
			return;
		seq++;
	}
	if (seq >= last)
		return;
	for (node = psync_graph_newest(img, index); node && node->seq > seq;
	     node = psync_graph_below(img, node))
		if (node->seq <= last)
			psync_repair_offer(answer, node);
}

/*
 * Is anything attached behind the last that was sent, and before what is not?
 * As long as there is, more may be wanted.
 */
static bool psync_repair_is_more(const struct psync_image *img,
				 const struct psync_remote *remote,
				 const struct psync_repair_answer *answer)
{
	const struct psync_node *next;

	if (!answer->count) {
		next = psync_repair_first(img, remote);
	} else {
		next = answer->nodes[answer->count - 1];
		next = list_is_last(&next->order, &img->order) ?
			NULL : list_next_entry(next, order);
	}
	return next && next != answer->until && next->ordinal < answer->end;
}

/*
 * Sends what @remote lacks, attached after @after and before @end; of what
 * @until follows, or all.  Returns the last that was sent, by that order, 0:
 * there is no more.
 */
static u64 psync_repair_answer(struct psync_image *img,
			       struct psync_remote *remote,
			       const struct psync_node *until, u64 after,
			       u64 end)
{
	struct psync_repair_answer answer;
	const struct psync_node *node;
	u64 sent = 0;
	u32 i;

	answer.until = until;
	answer.after = after;
	answer.end = end;
	answer.room = psync_repair_room(img);
	answer.count = 0;
	for (i = 0; answer.room && end && i < img->p.n; i++)
		psync_repair_gather(img, remote, i, &answer);
	for (i = 0; i < answer.count; i++) {
		/* No more than a window at once; who wants more asks again. */
		if (sent >= img->window)
			return after;
		node = answer.nodes[i];
		psync_flow_lost(img, remote, node);
		psync_image_repeat(img, node, remote->site, 0);
		after = node->ordinal;
		sent += psync_flow_size(node);
		img->repairs--;
	}
	if (i < answer.room && sent < img->window)
		return 0;
	return psync_repair_is_more(img, remote, &answer) ? after : 0;
}

/*
 * Who asks the same again has lost the answer, or takes nothing of it: one who
 * masks somebody out does not say what of that one it wants.  So every other
 * time the answer goes on where the last one ended.
 */
static void psync_repair_continue(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_node *until, bool again,
				  u64 end)
{
	bool onward = again && !remote->onward && img->masking;
	u64 last;

	last = psync_repair_answer(img, remote, until,
				   onward ? remote->answered_to : 0, end);
	remote->onward = onward;
	if (onward || !again)
		remote->answered_to = last;
}

/**
 * struct psync_repair_request - what a request says beside its vector
 * @until: only what precedes this message is wanted, or NULL: all
 * @last: everybody else was asked in vain for what is lacked of this participant,
 *	-1: for none
 */
struct psync_repair_request {
	const struct psync_node	*until;
	int			last;
};

/*
 * Up to where nothing that is not here can be had, of a participant.  Who has
 * asked everybody else is told of what this site alone was not waited for, too.
 * Once the GAP that says so is freed, all sites have it, and so have, or need not
 * have, what is in its context.
 */
static u64 psync_repair_missing(const struct psync_image *img,
				const struct psync_repair_request *ask,
				u32 index)
{
	const struct psync_part *part = &img->parts[index];

	return max(img->floor.stamp[index],
		   ask->last == (int)index ? part->gap : part->nowhere);
}

/*
 * Does who lacks it want a participant's message?  Whom everybody there masks out is
 * wanted as far as it precedes the message that was asked about, or when nobody
 * else could be asked.
 */
static bool psync_repair_wants(const struct psync_image *img,
			       const struct psync_remote *remote,
			       const struct psync_repair_request *ask, u32 index,
			       u64 seq)
{
	return ask->last == (int)index ||
	       !psync_mask_deaf(img, remote, index) ||
	       (ask->until && ask->until->stamp[index] >= seq);
}

static bool psync_repair_lacks_gone(const struct psync_image *img,
				    const struct psync_remote *remote,
				    const struct psync_node *node)
{
	return node->gone && node->kind == PSYNC_KIND_DATA &&
	       psync_ack_lacks(img, remote, node);
}

/*
 * The first that was attached of what @remote wants and was given back, or
 * @first; of what it lacks of a participant alone, not of all that is kept.
 */
static const struct psync_node *
psync_repair_earlier(const struct psync_image *img,
		     const struct psync_remote *remote,
		     const struct psync_repair_request *ask, u32 index,
		     const struct psync_node *first)
{
	u64 seq = psync_ack_held(img, remote, index);
	const u64 last = img->parts[index].released;
	const struct psync_node *node = NULL, *gone = NULL;

	while (!gone && seq < last &&
	       (node = psync_graph_find(img, index, seq + 1))) {
		if (first && node->ordinal >= first->ordinal)
			return first;
		if (psync_repair_lacks_gone(img, remote, node))
			gone = node;
		seq++;
	}
	/* Behind missing numbers; the last that were given back are the newest. */
	node = gone || seq >= last ? NULL : psync_graph_newest(img, index);
	for (; node && node->seq > seq; node = psync_graph_below(img, node))
		if (psync_repair_lacks_gone(img, remote, node))
			gone = node;
	if (!gone || (first && gone->ordinal >= first->ordinal))
		return first;
	/* What is wanted at all is wanted up to a number. */
	return psync_repair_wants(img, remote, ask, index, gone->seq) ? gone :
									first;
}

/*
 * Does @remote lack what was given back here, or never came?  Then what was
 * attached before the first of that is the rest of what it can have.
 */
static bool psync_repair_is_gone(const struct psync_image *img,
				 const struct psync_remote *remote,
				 const struct psync_repair_request *ask, u64 *first)
{
	const struct psync_node *node = NULL;
	u64 passed;
	u32 i;

	*first = 0;
	for (i = 0; i < img->p.n; i++) {
		passed = psync_ack_passed(img, remote, i);
		if (psync_repair_missing(img, ask, i) > passed &&
		    psync_repair_wants(img, remote, ask, i, passed + 1))
			return true;
	}
	for (i = 0; i < img->p.n; i++)
		node = psync_repair_earlier(img, remote, ask, i, node);
	if (node)
		*first = node->ordinal;
	return node;
}

/* Does everybody at @remote mask out the sender of @node, as is known? */
static bool psync_repair_unheard(const struct psync_image *img,
				 const struct psync_remote *remote,
				 const struct psync_node *node)
{
	u32 i;

	for (i = 0; i < img->p.n; i++)
		if (img->parts[i].pid.site == remote->site &&
		    !psync_mask_by(img, i, node->sender))
			return false;
	return true;
}

/*
 * The first announcement of a mask that @remote lacks and is sent with the
 * answer.  Were it told to be lost, what it says would never be known there:
 * what is behind it is not told to be gone before it has come.
 */
static const struct psync_node *
psync_repair_bar(const struct psync_image *img,
		 const struct psync_remote *remote)
{
	const struct psync_node *node;

	if (!img->masking)
		return NULL;
	list_for_each_entry(node, &img->order, order)
		if (node->kind == PSYNC_KIND_MASK &&
		    psync_ack_held(img, remote, node->sender) < node->seq &&
		    !psync_repair_unheard(img, remote, node))
			return node;
	return NULL;
}

/* Says up to where not everything is kept any more; false: that is known. */
static bool psync_repair_tell_gone(struct psync_image *img,
				   struct psync_remote *remote,
				   const struct psync_repair_request *ask)
{
	const struct psync_node *bar = psync_repair_bar(img, remote);
	struct psync_view behind = { .img = img };
	struct psync_pkt pkt;
	bool news = !bar;
	u64 until;
	u32 i;

	if (psync_view_init(&behind, img)) {
		img->ops->dropped(img, PSYNC_DROP_NO_MEM);
		return true;
	}
	psync_view_behind(&behind, bar);
	psync_ack_build(img, PSYNC_PKT_GONE, &pkt);
	/* What was lost here may be deeper than anything that came. */
	pkt.vector.seq = max(behind.max_wave, psync_graph_lost_depth(img));
	for (i = 0; i < img->p.n; i++) {
		until = max(behind.stamp[i],
			    psync_repair_missing(img, ask, i));
		if (bar && bar->sender == i)
			until = min(until, bar->seq - 1);
		news |= until > psync_ack_passed(img, remote, i);
		psync_ack_put(img, &pkt, i, until);
	}
	psync_view_exit(&behind);
	if (news)
		img->ops->transmit(img, remote->site, &pkt, NULL);
	return news;
}

static u64 psync_repair_sum(const struct psync_image *img,
			    const struct psync_remote *remote)
{
	u64 sum = 1;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		sum += psync_ack_held(img, remote, i);
	return sum;
}

enum psync_drop psync_repair_input(struct psync_image *img,
				   struct psync_remote *remote,
				   const struct psync_pkt *pkt)
{
	struct psync_repair_request ask = {
		.last = pkt->vector.flags & PSYNC_VECTORF_LAST ?
			pkt->vector.index : -1,
	};
	bool again, told = true;
	enum psync_drop drop;
	u64 sum, end;

	drop = psync_ack_vector(img, remote, pkt);
	/* Who only listens keeps messages for itself (S1.5). */
	if (!drop && !img->opening)
		drop = PSYNC_DROP_UNCONFIRMED;
	if (drop)
		return drop;
	if (pkt->vector.flags & PSYNC_VECTORF_MID) {
		if (pkt->vector.seq < img->p.seq_base)
			return PSYNC_DROP_BAD_CONTEXT;
		ask.until = psync_graph_find(img, pkt->vector.index,
					     pkt->vector.seq);
	}
	sum = psync_repair_sum(img, remote);
	again = sum == remote->answered;
	if ((again &&
	     img->now < remote->answered_at + remote->srtt / 2) ||
	    !psync_repair_may_answer(img, remote))
		return PSYNC_DROP_RR_RATE;
	remote->answered = sum;
	remote->answered_at = img->now;
	img->repairs--;
	if (!psync_repair_is_gone(img, remote, &ask, &end)) {
		end = U64_MAX;
		told = false;
	} else if (!psync_mask_remind(img, remote)) {
		end = U64_MAX;
		told = psync_repair_tell_gone(img, remote, &ask);
	}
	/* A GAP tells of what is behind a mask, too: with that, if need be. */
	if (!told && psync_skip_lacks(img, remote))
		psync_skip_answer(img, remote);
	psync_repair_continue(img, remote, ask.until, again, end);
	return PSYNC_OK;
}

/* What is missing of a participant up to @seq is lost. */
static void psync_repair_lose(struct psync_image *img, u32 index, u64 seq)
{
	struct psync_part *part = &img->parts[index];
	bool lacked = part->claimed > part->seq;
	struct psync_lost *lost = &img->lost;

	if (seq <= part->seq)
		return;
	if (!lost->count || lost->first > PSYNC_MID(index, part->seq + 1))
		lost->first = PSYNC_MID(index, part->seq + 1);
	lost->last = max(lost->last, PSYNC_MID(index, seq));
	lost->count += seq - part->seq;
	img->holes = true;
	if (part->ended)
		psync_restart_missed(img, index);
	part->gap = seq;
	part->seq = seq;
	part->claimed = max(part->claimed, seq);
	/*
	 * What is known of its context stays true of all it sends, unless it
	 * may have come back with less: its RESTART may be lost, too.
	 */
	if (part->past || part->remote < 0)
		part->stamp = NULL;
	part->last = NULL;
	if (lacked && part->claimed == seq)
		img->nlack--;
}

/* Does somebody else keep more?  Then it is asked at once. */
static bool psync_repair_elsewhere(struct psync_image *img,
				   struct psync_remote *remote, u64 sum)
{
	const struct psync_remote *most;
	u32 index = psync_repair_part(img, img->rr_tries);

	remote->gone = sum + 1;
	if (!img->recover || index == img->p.n ||
	    img->rr_tries > 2 * img->nremotes)
		return false;
	most = psync_repair_keeper(img, index);
	if (!most || most->gone >= remote->gone)
		return false;
	img->rr_at = img->now;
	psync_image_arm(img, img->rr_at);
	return true;
}

/* What a vector adds up to. */
static u64 psync_repair_vector_sum(const struct psync_image *img,
				   const struct psync_pkt *pkt)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < img->p.n; i++)
		sum += max(psync_ack_said(pkt, i), img->p.seq_base);
	return sum;
}

void psync_repair_save(struct psync_image *img, struct psync_node *node,
		       const u64 *until)
{
	enum psync_drop drop = PSYNC_DROP_CONTEXT_LOST;
	enum psync_hold_state state;

	while ((state = psync_hold_scan(img, node)) == PSYNC_HOLD_WAIT &&
	       node->wait_seq <= until[node->wait_index])
		psync_repair_lose(img, node->wait_index, node->wait_seq);
	if (node->seq <= img->parts[node->sender].seq)
		drop = PSYNC_DROP_DUPLICATE;
	else if (state == PSYNC_HOLD_READY)
		drop = psync_graph_check(img, node);
	if (drop)
		psync_hold_drop(img, node, drop);
	else
		psync_graph_attach(img, node);
}

/* All up to there is lost that is not here. */
static void psync_repair_skip(struct psync_image *img, const u64 *until,
			      struct psync_node **nodes)
{
	u32 count = psync_hold_take(img, until, nodes);
	u32 i;

	for (i = 0; i < count; i++)
		psync_repair_save(img, nodes[i], until);
	for (i = 0; i < img->p.n; i++)
		psync_repair_lose(img, i, until[i]);
}

/* Up to where is what?  Returns whether that tells anything. */
static bool psync_repair_until(const struct psync_image *img,
			       const struct psync_pkt *pkt, u64 *until)
{
	bool news = false;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		until[i] = psync_ack_said(pkt, i);
		news |= until[i] > img->parts[i].seq;
	}
	return news;
}

void psync_repair_fade(struct psync_image *img, const u64 *until)
{
	struct psync_part *part;
	u32 i;

	for (i = 0; i < img->p.n; i++) {
		part = &img->parts[i];
		part->gap = max(part->gap, min(part->seq, until[i]));
	}
}

void psync_repair_lost(struct psync_image *img, struct psync_remote *remote)
{
	struct psync_event ev = {
		.type	= PSYNC_EV_GAP,
		.site	= remote->site,
		.mid	= img->lost.first,
		.other	= img->lost.last,
		.reason	= min_t(u64, img->lost.count, U32_MAX),
	};

	psync_repair_came(img);
	img->lost = (struct psync_lost){};
	if (ev.reason) {
		psync_restart_lost(img);
		psync_image_tell(img, NULL, &ev);
	}
	psync_hold_review(img);
	psync_graph_trim(img);
}

static enum psync_drop psync_repair_take_gone(struct psync_image *img,
					      struct psync_remote *remote,
					      const struct psync_pkt *pkt,
					      u64 *until,
					      struct psync_node **nodes)
{
	u32 depth = pkt->vector.seq;
	u32 i;

	if (!until || !nodes)
		return PSYNC_DROP_NO_MEM;
	if (!psync_repair_until(img, pkt, until))
		return PSYNC_DROP_DUPLICATE;
	img->lost_depth = max(img->lost_depth, depth);
	psync_skip_losing(img, until);
	psync_repair_skip(img, until, nodes);
	psync_repair_fade(img, until);
	for (i = 0; i < img->p.n; i++)
		img->parts[i].nowhere = max(img->parts[i].nowhere,
					    min(img->parts[i].gap, until[i]));
	psync_skip_losing(img, NULL);
	psync_repair_lost(img, remote);
	return PSYNC_OK;
}

/* What is announced is given up everywhere, whoever says that it is gone. */
static enum psync_drop psync_repair_skipped(struct psync_image *img,
					    struct psync_remote *remote,
					    const struct psync_pkt *pkt)
{
	size_t size = img->p.n * sizeof(u64);
	enum psync_drop drop;
	u64 *until;

	drop = psync_ack_vector(img, remote, pkt);
	if (drop)
		return drop;
	until = img->ops->alloc(img, size);
	if (!until)
		return PSYNC_DROP_NO_MEM;
	drop = PSYNC_DROP_DUPLICATE;
	if (psync_repair_until(img, pkt, until))
		drop = psync_skip_gone(img, remote, until, pkt->vector.echo);
	img->ops->free(img, until, size);
	return drop;
}

enum psync_drop psync_repair_gone(struct psync_image *img,
				  struct psync_remote *remote,
				  const struct psync_pkt *pkt)
{
	size_t size = img->p.n * sizeof(u64);
	struct psync_node **nodes;
	enum psync_drop drop;
	size_t room;
	u64 *until;
	u32 i;

	/* Who has closed needs nothing any more. */
	if (psync_image_lingers(img))
		return PSYNC_DROP_CLOSED;
	if (!remote->requested)
		return PSYNC_DROP_BAD_VECTOR;
	if (pkt->vector.flags & PSYNC_VECTORF_SKIP)
		return psync_repair_skipped(img, remote, pkt);
	/* Late: others were asked since, who may keep what it does not. */
	if (remote->site != img->rr_site)
		return PSYNC_DROP_DUPLICATE;
	/* It holds all that; and all of it is possible. */
	drop = psync_ack_vector(img, remote, pkt);
	if (drop)
		return drop;
	if (psync_repair_elsewhere(img, remote,
				   psync_repair_vector_sum(img, pkt)))
		return PSYNC_OK;
	for (i = 0; i < img->nremotes; i++)
		img->remotes[i].gone = 0;
	room = max(img->nheld, 1U) * sizeof(*nodes);
	until = img->ops->alloc(img, size);
	nodes = img->ops->alloc(img, room);
	drop = psync_repair_take_gone(img, remote, pkt, until, nodes);
	img->ops->free(img, until, size);
	img->ops->free(img, nodes, room);
	return drop;
}

void psync_repair_successors(struct psync_image *img,
			     struct psync_remote *remote, u32 index, u64 seq)
{
	const struct psync_node *node, *next;
	u32 room = psync_repair_room(img);
	u64 sent = 0;

	if (!img->opening || room < PSYNC_REPAIR_LEAST)
		return;
	img->repairs--;
	node = psync_graph_find(img, index, seq);
	next = node;
	while (next && (next = psync_graph_next(img, node, next))) {
		if (next->gone)
			continue;
		/* It asks for what it still lacks. */
		if (!--room || sent >= img->window)
			return;
		psync_image_repeat(img, next, remote->site, 0);
		sent += psync_flow_size(next);
		img->repairs--;
	}
}
