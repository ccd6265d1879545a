// SPDX-License-Identifier: GPL-2.0-only
/*
 * The independent checker.
 *
 * It replays a history and keeps, for every message, the set of all messages
 * that precede it, and for every seat the set that it has sent or received,
 * both as plain bitmaps: no stamps, no graph walks, nothing that the core
 * computes with.  Sets are numbered within an *instance* of a conversation: a
 * longest time during which at least one participant has it open.  One that is
 * no rendezvous is opened once: what a site that crashed has sent opens it
 * elsewhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker.h"

#define PSYNC_CHECK_NONE UINT32_MAX

/**
 * struct psync_check_pair - what one participant does about another
 * @out: it masks that one out
 * @ever: it once did
 * @said: the last message that announced so, 0: none
 * @back: the first after that which takes it back, 0: none
 */
struct psync_check_pair {
	bool out;
	bool ever;
	uint64_t said;
	uint64_t back;
};

/**
 * struct psync_check_inst - an instance of a conversation
 * @conv: index in the history
 * @nmsgs: messages sent in it, all in all
 * @nsent: so far
 * @words: 64-bit words of a set of its messages
 * @msgs: index of its first message
 * @seats: its last seat (list by psync_check_seat.next)
 * @refused: one of its seats was
 * @ngaps: announcements that a site is not waited for
 * @pairs: who masks whom out, now; or NULL: nobody does
 */
struct psync_check_inst {
	uint32_t conv;
	uint32_t nmsgs;
	uint32_t nsent;
	uint32_t words;
	uint32_t msgs;
	uint32_t seats;
	bool refused;
	uint32_t ngaps;
	struct psync_check_pair *pairs;
};

/**
 * struct psync_check_msg - a message sent
 * @mid: its id
 * @hash: of its bytes
 * @len: its length
 * @wave: its wave
 * @bit: its number in its instance
 * @seat: its sender
 * @context: set: all that precedes it
 * @end: its sender's last
 * @null: its sender's kernel sent it, and nobody acknowledges it
 * @mask: a kernel announced a mask with it
 * @gap: its sender's kernel announced: what it follows, the site of @about is
 *	not waited for with
 * @about: a participant
 * @preds: set: its immediate predecessors
 * @said: set: those that its sender named: more, if it had lost messages
 */
struct psync_check_msg {
	uint64_t mid;
	uint64_t hash;
	uint32_t len;
	uint32_t wave;
	uint32_t bit;
	uint32_t seat;
	bool end;
	bool null;
	bool gap;
	uint32_t about;
	bool mask;
	uint64_t *context;
	uint64_t *preds;
	uint64_t *said;
};

/* Is something so? */
enum psync_check_truth {
	PSYNC_CHECK_FALSE,
	PSYNC_CHECK_PERHAPS,
	PSYNC_CHECK_TRUE,
};

/**
 * struct psync_check_seat - one opening of one participant
 * @inst: its instance
 * @part: participant index
 * @next: another seat of the instance
 * @refused: it was told that others go on without it
 * @rested: its view at rest is known and to be compared
 * @crashed: its site did
 * @gapped: messages were lost to it, as it was told
 * @limits: per participant: last message that counts, UINT64_MAX: no cut; or NULL
 * @agreed: per participant: whether that is so for all who remain; or NULL
 * @owed: messages that it was told to have lost, and not found missing yet
 * @fresh: since its last message it received one that a program sent
 * @opened: when it opened
 * @closed: when it closed, UINT64_MAX: it did not
 * @nsent: messages it sent so far
 * @nview: messages in its view
 * @sent: their numbers, in order
 * @last: per participant: number + 1 of the last message in the view
 * @view: set: what it sent or received, or lost
 * @lost: set: what of @view it lost
 * @faded: set: of what it does not know what follows what
 * @leaves: set: leaves of the view
 * @stable: set: what it was told to be stable
 * @freed: set: what somebody of its site had freed
 * @unsaid: it passed what follows something lost, and not yet the announcement
 * @gone: set: what was lost, as it was told
 * @sure: set: what was stable when somebody counted again
 * @may: set: what was perhaps so
 * @here: it is open at this time
 */
struct psync_check_seat {
	uint32_t inst;
	uint32_t part;
	uint32_t next;
	bool refused;
	bool rested;
	bool crashed;
	bool gapped;
	uint64_t *limits;
	bool *agreed;
	uint32_t owed;
	bool fresh;
	uint64_t opened;
	uint64_t closed;
	uint32_t nsent;
	uint32_t nview;
	uint32_t *sent;
	uint32_t *last;
	uint64_t *view;
	uint64_t *leaves;
	uint64_t *stable;
	uint64_t *freed;
	uint64_t *lost;
	uint64_t *faded;
	bool unsaid;
	uint64_t *gone;
	uint64_t *sure;
	uint64_t *may;
	bool here;
};

/**
 * struct psync_check - a history being judged
 * @hist: it
 * @verdict: so far
 * @rec: the record being looked at
 * @insts: instances
 * @ninsts: how many
 * @msgs: messages
 * @nmsgs: how many
 * @seats: openings, as in the history
 * @attached: by image of the history: last message attached of each participant
 * @words: memory for sets
 * @numbers: memory for numbers
 * @seqs: memory for @attached
 * @scratch: room for two sets
 */
struct psync_check {
	const struct psync_hist *hist;
	struct psync_verdict *verdict;
	const struct psync_rec *rec;
	struct psync_check_inst *insts;
	uint32_t ninsts;
	struct psync_check_msg *msgs;
	uint32_t nmsgs;
	struct psync_check_seat *seats;
	uint64_t **attached;
	uint64_t *words;
	uint32_t *numbers;
	uint64_t *seqs;
	uint64_t *scratch;
};

static void *psync_check_alloc(size_t n, size_t size)
{
	void *mem = calloc(n ? n : 1, size);

	if (!mem) {
		fprintf(stderr, "psync-sim: out of memory\n");
		abort();
	}
	return mem;
}

__attribute__((format(printf, 3, 4)))
static void psync_check_fail(struct psync_check *c, const char *invariant,
			     const char *fmt, ...)
{
	const struct psync_rec *rec = c->rec;
	struct psync_verdict *v = c->verdict;
	uint32_t conv, part;
	va_list args;
	int n;

	if (v->invariant)
		return;
	v->invariant = invariant;
	if (rec->type == PSYNC_REC_ATTACHED || rec->type == PSYNC_REC_HOLDS) {
		conv = c->hist->images[rec->seat].conv;
		part = c->hist->images[rec->seat].site;
	} else {
		conv = c->hist->seats[rec->seat].conv;
		part = c->hist->seats[rec->seat].part;
	}
	n = snprintf(v->text, sizeof(v->text),
		     "at=%llu conv=%u part=%u mid=%u:%llu: ",
		     (unsigned long long)rec->at, conv, part,
		     (unsigned int)(rec->mid >> PSYNC_HIST_SEQ_BITS),
		     (unsigned long long)(rec->mid &
					  ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)));
	va_start(args, fmt);
	vsnprintf(v->text + n, sizeof(v->text) - n, fmt, args);
	va_end(args);
}

static bool psync_check_has(const uint64_t *set, uint32_t bit)
{
	return set[bit / 64] >> bit % 64 & 1;
}

static void psync_check_put(uint64_t *set, uint32_t bit)
{
	set[bit / 64] |= 1ULL << bit % 64;
}

static void psync_check_or(uint64_t *to, const uint64_t *from, uint32_t words)
{
	while (words--)
		*to++ |= *from++;
}

static uint32_t psync_check_count(const uint64_t *set, uint32_t words)
{
	uint32_t n = 0;

	while (words--)
		n += __builtin_popcountll(*set++);
	return n;
}

static bool psync_check_equal(const uint64_t *a, const uint64_t *b,
			      uint32_t words)
{
	return !memcmp(a, b, words * sizeof(*a));
}

static bool psync_check_subset(const uint64_t *a, const uint64_t *b,
			       uint32_t words)
{
	while (words--)
		if (*a++ & ~*b++)
			return false;
	return true;
}

static struct psync_check_inst *psync_check_inst(struct psync_check *c)
{
	return &c->insts[c->seats[c->rec->seat].inst];
}

static const struct psync_hist_conv *psync_check_conv(struct psync_check *c)
{
	return &c->hist->convs[psync_check_inst(c)->conv];
}

/*
 * The message @mid of instance @inst, sent by now: when a participant was
 * open twice in it, the one in @view if one is, else one with @hash.
 */
static struct psync_check_msg *psync_check_find(struct psync_check *c,
						uint32_t inst, uint64_t mid,
						const uint64_t *view,
						uint64_t hash)
{
	struct psync_check_inst *in = &c->insts[inst];
	uint64_t seq = mid & ((1ULL << PSYNC_HIST_SEQ_BITS) - 1);
	uint64_t k = seq - c->hist->convs[in->conv].seq_base - 1;
	struct psync_check_msg *msg, *found = NULL;
	struct psync_check_seat *seat;
	uint32_t i;

	for (i = in->seats; i != PSYNC_CHECK_NONE; i = seat->next) {
		seat = &c->seats[i];
		if (seat->part != mid >> PSYNC_HIST_SEQ_BITS ||
		    k >= seat->nsent)
			continue;
		msg = &c->msgs[seat->sent[k]];
		if (view ? psync_check_has(view, msg->bit) : msg->hash == hash)
			return msg;
		if (!found)
			found = msg;
	}
	return found;
}

/* What participant @a does about @b. */
static struct psync_check_pair psync_check_pair(struct psync_check *c,
						uint32_t inst, uint32_t a,
						uint32_t b)
{
	const struct psync_check_inst *in = &c->insts[inst];

	if (!in->pairs)
		return (struct psync_check_pair){ 0 };
	return in->pairs[a * c->hist->convs[in->conv].n + b];
}

/* Does one of two participants mask the other out? */
static bool psync_check_masked(struct psync_check *c, uint32_t inst, uint32_t a,
			       uint32_t b)
{
	return psync_check_pair(c, inst, a, b).out ||
	       psync_check_pair(c, inst, b, a).out;
}

/*
 * Perhaps a seat does not wait for participant @part: what that one has
 * announced may be known at its site before it is in the view.
 */
static bool psync_check_ignores(struct psync_check *c,
				const struct psync_check_seat *seat,
				uint32_t part)
{
	struct psync_check_pair pair;
	uint64_t last = 0;

	if (psync_check_pair(c, seat->inst, seat->part, part).out)
		return true;
	pair = psync_check_pair(c, seat->inst, part, seat->part);
	if (seat->last[part])
		last = c->msgs[seat->last[part] - 1].mid;
	return pair.said && (!pair.back || last < pair.back);
}

/* Once one of two participants has masked the other out. */
static bool psync_check_once(struct psync_check *c, uint32_t inst, uint32_t a,
			     uint32_t b)
{
	return psync_check_pair(c, inst, a, b).ever ||
	       psync_check_pair(c, inst, b, a).ever;
}

/* The record's set of mids as a set of bits; false if one was never sent. */
static bool psync_check_set(struct psync_check *c, uint64_t *set)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	struct psync_check_msg *msg;
	uint32_t i;

	memset(set, 0, c->insts[seat->inst].words * sizeof(*set));
	for (i = 0; i < c->rec->nset; i++) {
		msg = psync_check_find(c, seat->inst, mids[i], seat->view, 0);
		if (!msg || psync_check_has(set, msg->bit))
			return false;
		psync_check_put(set, msg->bit);
	}
	return true;
}

static void psync_check_enter(struct psync_check *c,
			      struct psync_check_seat *seat,
			      const struct psync_check_msg *msg)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint32_t i, width;

	for (i = 0; i < in->words; i++)
		seat->leaves[i] &= ~msg->context[i];
	psync_check_put(seat->leaves, msg->bit);
	psync_check_put(seat->view, msg->bit);
	seat->last[c->seats[msg->seat].part] = in->msgs + msg->bit + 1;
	seat->nview++;
	width = psync_check_count(seat->leaves, in->words);
	if (width > c->verdict->width)
		c->verdict->width = width;
}

/* Another seat of the same image, after @from, or PSYNC_CHECK_NONE. */
static uint32_t psync_check_neighbour(struct psync_check *c,
				      const struct psync_check_seat *seat,
				      uint32_t from)
{
	const struct psync_hist_conv *conv = psync_check_conv(c);
	const uint64_t *sites = &c->hist->sets[conv->sites];

	while (from != PSYNC_CHECK_NONE &&
	       (&c->seats[from] == seat || !c->seats[from].here ||
		sites[c->seats[from].part] != sites[seat->part]))
		from = c->seats[from].next;
	return from;
}

/*
 * It opened: behind a gap when its site had given messages up.  Whatever
 * precedes the leaves it names counts as received.
 */
static void psync_check_open(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *msg;
	uint32_t i;

	i = psync_check_neighbour(c, seat, in->seats);
	if (i != PSYNC_CHECK_NONE)
		psync_check_or(seat->freed, c->seats[i].freed, in->words);
	seat->here = true;
	if (!psync_check_set(c, c->scratch))
		psync_check_fail(c, "leaves", "begins behind the unknown");
	for (i = 0; i < in->nsent; i++)
		if (psync_check_has(c->scratch, i))
			psync_check_or(c->scratch,
				       c->msgs[in->msgs + i].context,
				       in->words);
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		if (psync_check_has(c->scratch, i))
			psync_check_enter(c, seat, msg);
	}
}

/*
 * S6.6: @last of participant @part follows @msg, but its first message that does
 * follows an announcement that its site may lack @msg.
 */
static bool psync_check_unacked(struct psync_check *c, uint32_t part,
				const struct psync_check_msg *last,
				const struct psync_check_msg *msg)
{
	const struct psync_check_seat *from = &c->seats[last->seat];
	struct psync_check_inst *in = &c->insts[from->inst];
	const struct psync_hist_conv *conv = &c->hist->convs[in->conv];
	const uint64_t *sites = &c->hist->sets[conv->sites];
	const struct psync_check_msg *first, *gap;
	uint32_t lo = 0, hi = from->nsent, i;

	if (!in->ngaps)
		return false;
	/* Once it follows, all that come later do. */
	while (lo < hi) {
		i = lo + (hi - lo) / 2;
		if (psync_check_has(c->msgs[from->sent[i]].context, msg->bit))
			hi = i;
		else
			lo = i + 1;
	}
	first = &c->msgs[from->sent[lo]];
	/* It was sent between them. */
	for (i = msg->bit + 1; i < first->bit; i++) {
		gap = &c->msgs[in->msgs + i];
		if (gap->gap && sites[gap->about] == sites[part] &&
		    psync_check_has(gap->context, msg->bit) &&
		    psync_check_has(first->context, i))
			return true;
	}
	return false;
}

/* Does @last of participant @part acknowledge @msg? */
static bool psync_check_acks(struct psync_check *c, uint32_t part,
			     const struct psync_check_msg *last,
			     const struct psync_check_msg *msg)
{
	return last && psync_check_has(last->context, msg->bit) &&
	       !psync_check_unacked(c, part, last, msg);
}

/* Did participant @part end, as @seat has seen, without @msg? */
static bool psync_check_ended(struct psync_check *c,
			      const struct psync_check_seat *seat, uint32_t part,
			      const struct psync_check_msg *msg)
{
	const struct psync_check_msg *last;

	last = seat->last[part] ? &c->msgs[seat->last[part] - 1] : NULL;
	return last && last->end && !psync_check_acks(c, part, last, msg);
}

/* Does a seat see, in what participant @part sent, that this one has @msg? */
static bool psync_check_knows(struct psync_check *c,
			      const struct psync_check_seat *seat,
			      uint32_t part, const struct psync_check_msg *msg)
{
	return seat->last[part] &&
	       psync_check_acks(c, part, &c->msgs[seat->last[part] - 1], msg);
}

/*
 * Is @msg stable in the view of a seat?  When its site has come to know that
 * another does not mask it out any more, or does, is known about only: then it
 * may be.
 */
static enum psync_check_truth
psync_check_truth(struct psync_check *c, const struct psync_check_seat *seat,
		  const struct psync_check_msg *msg)
{
	uint32_t n = psync_check_conv(c)->n, sender, i;
	enum psync_check_truth truth = PSYNC_CHECK_TRUE;

	if (psync_check_has(seat->sure, msg->bit))
		return PSYNC_CHECK_TRUE;
	sender = c->seats[msg->seat].part;
	for (i = 0; i < n; i++) {
		if (i == sender || psync_check_knows(c, seat, i, msg) ||
		    psync_check_ended(c, seat, i, msg) ||
		    psync_check_pair(c, seat->inst, seat->part, i).out)
			continue;
		truth = PSYNC_CHECK_PERHAPS;
		if (!psync_check_ignores(c, seat, i) &&
		    !psync_check_has(seat->may, msg->bit))
			return PSYNC_CHECK_FALSE;
	}
	return truth;
}

/*
 * Somebody counts again for the seat: what is stable stays so (S2.2); perhaps
 * what its sender sent after something that is not, which somebody lost (S6.6).
 */
static void psync_check_ensure(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint32_t *behind = c->numbers, i, part;
	enum psync_check_truth truth;

	for (i = 0; i < in->nsent; i++) {
		if (!psync_check_has(seat->view, i))
			continue;
		truth = psync_check_truth(c, seat, &c->msgs[in->msgs + i]);
		part = c->seats[c->msgs[in->msgs + i].seat].part;
		if (truth == PSYNC_CHECK_TRUE && !behind[part])
			psync_check_put(seat->sure, i);
		if (truth != PSYNC_CHECK_FALSE)
			psync_check_put(seat->may, i);
		behind[part] |= truth != PSYNC_CHECK_TRUE;
	}
	memset(behind, 0, psync_check_conv(c)->n * sizeof(*behind));
}

/* It announces something about somebody. */
static void psync_check_announce(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	uint32_t n = psync_check_conv(c)->n;
	struct psync_check_pair *pair;

	if (!psync_check_inst(c)->pairs)
		return;
	pair = &psync_check_inst(c)->pairs[seat->part * n + c->rec->others];
	if (c->rec->answer == PSYNC_REC_MASK_OUT) {
		pair->said = c->rec->mid;
		pair->back = 0;
	} else if (!pair->back) {
		pair->back = c->rec->mid;
	}
}

static void psync_check_send(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	struct psync_check_msg *msg = &c->msgs[in->msgs + in->nsent];
	const struct psync_rec *rec = c->rec;
	const struct psync_check_msg *pred;
	uint32_t i;

	if (rec->mid != ((uint64_t)seat->part << PSYNC_HIST_SEQ_BITS |
			 (psync_check_conv(c)->seq_base + 1 + seat->nsent)))
		psync_check_fail(c, "mid-order", "message %u of its sender",
				 seat->nsent + 1);
	if ((!psync_check_set(c, msg->preds) ||
	     !psync_check_equal(msg->preds, seat->leaves, in->words)) &&
	    !seat->gapped)
		psync_check_fail(c, "leaves", "sent after %u, view has %u",
				 rec->nset,
				 psync_check_count(seat->leaves, in->words));
	msg->mid = rec->mid;
	msg->hash = rec->hash;
	msg->len = rec->len;
	msg->end = rec->end;
	msg->null = rec->null || rec->gap;
	msg->gap = rec->gap;
	msg->about = rec->others;
	in->ngaps += rec->gap;
	msg->mask = rec->mask;
	if (msg->mask)
		psync_check_announce(c);
	if (seat->nsent && c->msgs[seat->sent[seat->nsent - 1]].end)
		psync_check_fail(c, "end-last", "sent after its end");
	if (seat->unsaid)
		psync_check_fail(c, "gap-first", "sent before what it lost was");
	if (rec->null && !seat->fresh)
		psync_check_fail(c, "null-sake", "acknowledges nothing");
	seat->fresh = false;
	msg->seat = rec->seat;
	msg->bit = in->nsent++;
	for (i = 0; i < msg->bit; i++) {
		if (!psync_check_has(msg->preds, i))
			continue;
		pred = &c->msgs[in->msgs + i];
		psync_check_or(msg->context, pred->context, in->words);
		if (pred->wave > msg->wave)
			msg->wave = pred->wave;
	}
	msg->wave++;
	if (msg->wave > c->verdict->depth)
		c->verdict->depth = msg->wave;
	psync_check_or(msg->said, msg->preds, in->words);
	for (i = 0; i < in->words; i++) {
		if (msg->context[i] & msg->preds[i] && !seat->gapped)
			psync_check_fail(c, "reduction", "redundant edge");
		/* who has all of the graph reduces it */
		msg->preds[i] &= ~msg->context[i];
	}
	psync_check_or(msg->context, msg->said, in->words);
	seat->sent[seat->nsent++] = in->msgs + msg->bit;
	psync_check_enter(c, seat, msg);
}

/* Received, but never sent in this instance: where does it come from? */
static void psync_check_stray(struct psync_check *c)
{
	const struct psync_check_msg *msg;
	uint32_t conv = psync_check_inst(c)->conv;
	uint32_t i;

	for (i = 0; i < c->ninsts; i++) {
		if (c->insts[i].conv != conv)
			continue;
		msg = psync_check_find(c, i, c->rec->mid, NULL, c->rec->hash);
		if (msg && msg->hash == c->rec->hash &&
		    i != c->seats[c->rec->seat].inst) {
			psync_check_fail(c, "earlier-instance",
					 "sent in another instance");
			return;
		}
	}
	psync_check_fail(c, "integrity", "never sent like this");
}

/* Was a message lost to a seat before what it passes now, and not with that? */
static bool psync_check_lacked(struct psync_check *c,
			       const struct psync_check_seat *seat, uint32_t bit)
{
	const struct psync_check_msg *last;

	if (!psync_check_has(seat->gone, bit))
		return false;
	if (!c->rec->quiet)
		return true;
	last = seat->nsent ? &c->msgs[seat->sent[seat->nsent - 1]] : NULL;
	return last && psync_check_has(last->context, bit);
}

/*
 * It passes an announcement that its site is not waited for, or what this follows
 * and was not given up: what it has not of all that is before that is lost.
 */
static void psync_check_lose(struct psync_check *c,
			     struct psync_check_seat *seat,
			     const struct psync_check_msg *gap)
{
	const struct psync_hist_conv *conv = psync_check_conv(c);
	const uint64_t *sites = &c->hist->sets[conv->sites];
	struct psync_check_inst *in = &c->insts[seat->inst];
	bool lost = false;
	uint32_t i;

	if (gap->gap && sites[gap->about] == sites[seat->part])
		seat->unsaid = false;
	else if (c->rec->quiet)
		seat->unsaid = true;
	else
		return;
	/* In the order in which they were sent: each after all it follows. */
	for (i = 0; i < in->nsent; i++) {
		if (!psync_check_has(gap->context, i) ||
		    psync_check_has(seat->view, i) ||
		    psync_check_lacked(c, seat, i))
			continue;
		psync_check_put(seat->lost, i);
		psync_check_enter(c, seat, &c->msgs[in->msgs + i]);
		seat->nview--;
		lost = true;
	}
	if (lost || c->rec->quiet)
		psync_check_or(seat->faded, gap->context, in->words);
}

/* Has a seat all that @msg follows, but for what it has lost? */
static bool psync_check_behind(const struct psync_check_inst *in,
			       const struct psync_check_seat *seat,
			       const struct psync_check_msg *msg)
{
	uint32_t i;

	for (i = 0; i < in->words; i++)
		if (msg->preds[i] & ~seat->view[i] & ~seat->gone[i])
			return false;
	return true;
}

static void psync_check_recv(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_rec *rec = c->rec;
	struct psync_check_msg *msg;

	msg = psync_check_find(c, seat->inst, rec->mid, NULL, rec->hash);
	if (!msg || msg->hash != rec->hash || msg->len != rec->len) {
		psync_check_stray(c);
		return;
	}
	if (c->seats[msg->seat].part == seat->part)
		psync_check_fail(c, "own", "received what it sent");
	if (psync_check_has(seat->view, msg->bit))
		psync_check_fail(c, "once", "received again");
	psync_check_lose(c, seat, msg);
	if (!psync_check_behind(in, seat, msg))
		psync_check_fail(c, "causal-order",
				 "received before a predecessor");
	if (!psync_check_set(c, c->scratch) ||
	    !psync_check_subset(msg->preds, c->scratch, in->words) ||
	    !psync_check_subset(c->scratch, seat->gapped ? msg->said :
				msg->preds, in->words))
		psync_check_fail(c, "edges", "%u predecessors, sent with %u",
				 rec->nset,
				 psync_check_count(msg->preds, in->words));
	if (rec->wave != msg->wave)
		psync_check_fail(c, "wave", "wave %u, is %u", rec->wave,
				 msg->wave);
	c->verdict->receives++;
	if (rec->mask || seat->gapped)
		psync_check_ensure(c);
	seat->fresh |= !msg->null && !msg->end;
	if (seat->limits && rec->mid > seat->limits[c->seats[msg->seat].part] &&
	    !msg->null && !msg->end && !msg->mask)
		psync_check_fail(c, "void-given", "given beyond the cut");
	psync_check_enter(c, seat, msg);
}

/* It has what its program was not given, because it lies beyond a cut. */
static void psync_check_void(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	struct psync_check_msg *msg;

	msg = psync_check_find(c, seat->inst, c->rec->mid, NULL, 0);
	if (!msg || psync_check_has(seat->view, msg->bit) ||
	    !psync_check_behind(in, seat, msg)) {
		psync_check_fail(c, "causal-order", "void before its time");
		return;
	}
	if (!seat->limits ||
	    c->rec->mid <= seat->limits[c->seats[msg->seat].part]) {
		if (!seat->owed)
			psync_check_fail(c, "void-counts",
					 "not given, but counts");
		else
			seat->owed--;
	}
	seat->fresh = true;
	psync_check_enter(c, seat, msg);
}

/* All who have counted one out for good, and not one another, have one cut. */
static void psync_check_cut(struct psync_check *c, uint32_t about)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_check_seat *other;
	uint32_t i;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (other != seat && other->agreed && other->agreed[about] &&
		    !psync_check_masked(c, seat->inst, seat->part,
					other->part) &&
		    other->limits[about] != seat->limits[about])
			psync_check_fail(c, "cut-agreed",
					 "participant %u has %llx",
					 other->part,
					 (unsigned long long)
					 other->limits[about]);
	}
}

static void psync_check_mask(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	uint32_t n = psync_check_conv(c)->n, about = c->rec->others, i;
	struct psync_check_pair *pair;

	if (c->rec->answer == PSYNC_REC_MASK_NONE)
		return;
	pair = &psync_check_inst(c)->pairs[seat->part * n + about];
	if (c->rec->answer == PSYNC_REC_MASK_IN)
		psync_check_ensure(c);
	pair->out = c->rec->answer != PSYNC_REC_MASK_IN;
	pair->ever |= pair->out;

	if (!seat->limits) {
		seat->limits = psync_check_alloc(n, sizeof(*seat->limits));
		seat->agreed = psync_check_alloc(n, sizeof(*seat->agreed));
		for (i = 0; i < n; i++)
			seat->limits[i] = UINT64_MAX;
	}
	switch (c->rec->answer) {
	case PSYNC_REC_MASK_CUT:
		if (seat->limits[about] == UINT64_MAX)
			seat->limits[about] = c->rec->mid;
		break;
	case PSYNC_REC_MASK_IN:
		if (seat->agreed[about])
			psync_check_fail(c, "mask-final", "of participant %u",
					 about);
		seat->limits[about] = UINT64_MAX;
		break;
	case PSYNC_REC_MASK_AGREED:
		if (seat->agreed[about])
			psync_check_fail(c, "cut-agreed", "agreed again");
		seat->limits[about] = c->rec->mid;
		seat->agreed[about] = true;
		psync_check_cut(c, about);
		break;
	}
}

/*
 * Nothing moves any more: whom another who is still there has counted out for
 * good, this one has, too.  Where members are skipped announcements of masks may
 * be lost: policies that need them do not go with that (S6.6).
 */
static void psync_check_all_agreed(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_check_seat *other;
	uint32_t n = psync_check_conv(c)->n, i, k;

	if (psync_check_inst(c)->ngaps)
		return;
	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (!other->agreed || other->closed <= c->rec->at ||
		    psync_check_masked(c, seat->inst, seat->part, other->part))
			continue;
		for (k = 0; k < n; k++)
			if (other->agreed[k] && k != seat->part &&
			    !(seat->agreed && seat->agreed[k]))
				psync_check_fail(c, "all-agreed",
						 "participant %u has counted %u out",
						 other->part, k);
	}
}

/* Did somebody of its site close, in this instance, before @seat opened? */
static bool psync_check_returned(struct psync_check *c,
				 const struct psync_check_seat *seat)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const uint64_t *sites = &c->hist->sets[psync_check_conv(c)->sites];
	const struct psync_check_seat *other;
	uint32_t i;

	for (i = in->seats; i != PSYNC_CHECK_NONE; i = other->next) {
		other = &c->seats[i];
		if (sites[other->part] == sites[seat->part] &&
		    other->closed <= seat->opened)
			return true;
	}
	return false;
}

/* What counts of those whom it has counted out is there, all of it. */
static void psync_check_whole(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *msg;
	uint32_t i, part;

	for (i = 0; seat->agreed && i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		part = c->seats[msg->seat].part;
		/* Who came back in the meantime numbers anew. */
		if (seat->agreed[part] && msg->mid <= seat->limits[part] &&
		    !psync_check_returned(c, &c->seats[msg->seat]) &&
		    !psync_check_has(seat->view, i) &&
		    !psync_check_has(seat->gone, i))
			psync_check_fail(c, "cut-whole",
					 "message %llu of %u is not there",
					 (unsigned long long)msg->mid, part);
	}
}

/* The message a query was about, or NULL; checks the answers without one. */
static struct psync_check_msg *psync_check_asked(struct psync_check *c,
						 uint64_t mid)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_msg *msg;
	bool known;

	msg = psync_check_find(c, seat->inst, mid, seat->view, 0);
	known = msg && psync_check_has(seat->view, msg->bit);
	return known ? msg : NULL;
}

/* Was @mid lost, as was told? */
static bool psync_check_gone(struct psync_check *c, uint64_t mid)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_msg *msg;

	msg = psync_check_find(c, seat->inst, mid, seat->gone, 0);
	return msg && psync_check_has(seat->gone, msg->bit);
}

/* Some of what was here does not come, or some that was never here. */
static void psync_check_gap(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint32_t i;

	seat->owed += c->rec->answer;
	if (c->rec->answer)
		return;
	seat->gapped = true;
	if (!psync_check_set(c, c->scratch)) {
		psync_check_fail(c, "gap", "never sent");
		return;
	}
	for (i = 0; i < in->words; i++)
		if (c->scratch[i] & seat->view[i] & ~seat->lost[i])
			psync_check_fail(c, "gap", "it was received");
	psync_check_or(seat->gone, c->scratch, in->words);
}

/* Did somebody of its site have @msg freed? */
static bool psync_check_freed(struct psync_check *c,
			      const struct psync_check_msg *msg)
{
	return msg && psync_check_has(c->seats[c->rec->seat].freed, msg->bit);
}

/* Or does its site not know what it follows? */
static bool psync_check_faded(struct psync_check *c,
			      const struct psync_check_msg *msg)
{
	return msg && psync_check_has(c->seats[c->rec->seat].faded, msg->bit);
}

static bool psync_check_away(struct psync_check *c,
			     const struct psync_check_msg *msg)
{
	return psync_check_freed(c, msg) || psync_check_faded(c, msg);
}

/*
 * True when the answer to a query about a message is one and can be judged.
 * @freed: it was freed on request.
 */
static bool psync_check_answered(struct psync_check *c, bool known, bool freed)
{
	int32_t answer = c->rec->answer;

	if (answer == PSYNC_HIST_FREED) {
		if (!known || (psync_check_conv(c)->exact && !freed))
			psync_check_fail(c, "known", "is not freed");
		return false;
	}
	if (known && freed) {
		psync_check_fail(c, "free-known", "answer %d, was freed",
				 answer);
		return false;
	}
	if (known != (answer != PSYNC_HIST_UNKNOWN)) {
		psync_check_fail(c, "known", "answer %d, %s the view", answer,
				 known ? "in" : "not in");
		return false;
	}
	return known;
}

/* Is @msg in the view of all participants that had not ended before it? */
static bool psync_check_everywhere(struct psync_check *c,
				   const struct psync_check_msg *msg)
{
	const struct psync_check_seat *asker = &c->seats[c->rec->seat];
	struct psync_check_inst *in = psync_check_inst(c);
	uint32_t n = psync_check_conv(c)->n, i, got = 0;
	struct psync_check_seat *seat;
	uint64_t *parts = c->scratch;
	bool before = psync_check_has(asker->may, msg->bit);

	memset(parts, 0, (n + 63) / 64 * sizeof(*parts));
	for (i = in->seats; i != PSYNC_CHECK_NONE; i = seat->next) {
		seat = &c->seats[i];
		if ((psync_check_has(seat->gone, msg->bit) ||
		     psync_check_has(seat->view, msg->bit)) &&
		    !psync_check_has(seat->lost, msg->bit) &&
		    !psync_check_has(parts, seat->part)) {
			psync_check_put(parts, seat->part);
			got++;
		}
	}
	for (i = 0; i < n; i++)
		if (!psync_check_has(parts, i) && i != c->seats[msg->seat].part)
			got += psync_check_ended(c, asker, i, msg) ||
			       psync_check_ignores(c, asker, i) ||
			       (before && psync_check_once(c, asker->inst,
							   asker->part, i));
	return got == n;
}

static void psync_check_stable(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_hist_conv *conv = psync_check_conv(c);
	const uint64_t *sites = &c->hist->sets[conv->sites];
	struct psync_check_msg *msg = psync_check_asked(c, c->rec->mid);
	uint32_t i, others = 0, nsites = 1, sender;
	enum psync_check_truth truth;
	bool exact;

	/*
	 * What is gone with an announcement is not judged without it, nor what
	 * may be where messages were lost.
	 */
	if (!psync_check_answered(c, msg, psync_check_faded(c, msg) ||
				  (c->rec->answer == PSYNC_HIST_FREED &&
				   psync_check_inst(c)->ngaps &&
				   (seat->gapped ||
				    psync_check_freed(c, msg)))))
		return;
	exact = conv->exact && !psync_check_freed(c, msg);
	sender = c->seats[msg->seat].part;
	for (i = 0; i < conv->n; i++) {
		if (i == sender || !psync_check_knows(c, seat, i, msg))
			continue;
		others++;
		if (sites[i] != sites[sender] && !c->numbers[sites[i]]++)
			nsites++;
	}
	memset(c->numbers, 0, conv->n * sizeof(*c->numbers));
	if (c->rec->answer && !psync_check_everywhere(c, msg))
		psync_check_fail(c, "stable-view",
				 "somebody has not received it");
	if (!c->rec->answer && psync_check_has(seat->stable, msg->bit))
		psync_check_fail(c, "stable-revoked", "was stable before");
	if (c->rec->answer)
		psync_check_put(seat->stable, msg->bit);
	truth = psync_check_truth(c, seat, msg);
	if ((c->rec->answer && truth == PSYNC_CHECK_FALSE) ||
	    (!c->rec->answer && c->rec->others == conv->n - 1) ||
	    (exact && !c->rec->answer && truth == PSYNC_CHECK_TRUE) ||
	    c->rec->others > others || c->rec->sites > nsites ||
	    (exact &&
	     (c->rec->others != others || c->rec->sites != nsites)))
		psync_check_fail(c, "stable-exact",
				 "answer %d, %u others, %u sites; are %u, %u",
				 c->rec->answer, c->rec->others, c->rec->sites,
				 others, nsites);
}

static void psync_check_precedes(struct psync_check *c)
{
	struct psync_check_msg *first = psync_check_asked(c, c->rec->mid);
	struct psync_check_msg *second = psync_check_asked(c, c->rec->mid2);

	/* one may be unknown and the other freed: then either may be said */
	if (!psync_check_answered(c, c->rec->answer == PSYNC_HIST_FREED ?
				  first || second : first && second,
				  psync_check_away(c, first) ||
				  psync_check_away(c, second)))
		return;
	if (c->rec->answer != psync_check_has(second->context, first->bit))
		psync_check_fail(c, "precedes", "%u:%llu? answered %d",
				 (unsigned int)(second->mid >>
						PSYNC_HIST_SEQ_BITS),
				 (unsigned long long)(second->mid &
				 ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)),
				 c->rec->answer);
}

/* LEAVES, ROOTS, NEXT and PREV: the truth goes to the second scratch set. */
static void psync_check_query(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint64_t *truth = c->scratch + in->words;
	const struct psync_check_msg *msg, *x;
	uint32_t type = c->rec->type, i;
	static const char * const names[] = {
		[PSYNC_REC_LEAVES] = "leaves", [PSYNC_REC_ROOTS] = "roots",
		[PSYNC_REC_NEXT] = "next", [PSYNC_REC_PREV] = "prev",
	};

	msg = psync_check_asked(c, c->rec->mid);
	if ((type == PSYNC_REC_NEXT || type == PSYNC_REC_PREV) &&
	    !psync_check_answered(c, msg, psync_check_away(c, msg)))
		return;
	memset(truth, 0, in->words * sizeof(*truth));
	for (i = 0; i < in->nsent; i++) {
		x = &c->msgs[in->msgs + i];
		if (!psync_check_has(seat->view, i) ||
		    psync_check_has(seat->lost, i))
			continue;
		if ((type == PSYNC_REC_ROOTS && x->wave == 1) ||
		    (type == PSYNC_REC_NEXT &&
		     psync_check_has(x->preds, msg->bit)))
			psync_check_put(truth, i);
	}
	if (type == PSYNC_REC_LEAVES)
		truth = seat->leaves;
	if (type == PSYNC_REC_PREV)
		truth = msg->preds;
	if (!psync_check_set(c, c->scratch) ||
	    !psync_check_equal(c->scratch, truth, in->words))
		psync_check_fail(c, names[type], "%u answered, are %u",
				 c->rec->nset,
				 psync_check_count(truth, in->words));
}

/* It had a message and all before it freed: only what all have. */
static void psync_check_free(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	struct psync_check_msg *msg = psync_check_asked(c, c->rec->mid);
	struct psync_check_seat *other;
	uint32_t i;

	/* What it lost is no longer kept. */
	if (!msg && psync_check_gone(c, c->rec->mid) &&
	    c->rec->answer == PSYNC_HIST_FREED)
		return;
	if (!psync_check_answered(c, msg, psync_check_away(c, msg)) ||
	    c->rec->answer == PSYNC_HIST_WANTED)
		return;
	if (!psync_check_everywhere(c, msg))
		psync_check_fail(c, "free-unstable",
				 "somebody has not received it");
	psync_check_or(seat->freed, msg->context, in->words);
	psync_check_put(seat->freed, msg->bit);
	i = psync_check_neighbour(c, seat, in->seats);
	while (i != PSYNC_CHECK_NONE) {
		other = &c->seats[i];
		psync_check_or(other->freed, seat->freed, in->words);
		i = psync_check_neighbour(c, seat, other->next);
	}
}

/* Has it sent something that follows a message?  It may have begun behind it. */
static bool psync_check_behind_it(struct psync_check *c,
				  const struct psync_check_seat *seat,
				  const struct psync_check_msg *msg)
{
	return seat->nsent &&
	       psync_check_has(c->msgs[seat->sent[seat->nsent - 1]].context,
			       msg->bit);
}

/* It was told that so many others, and sites, have a message. */
static void psync_check_awaited(struct psync_check *c)
{
	const struct psync_hist_conv *conv = psync_check_conv(c);
	const uint64_t *sites = &c->hist->sets[conv->sites];
	struct psync_check_msg *msg = psync_check_asked(c, c->rec->mid);
	uint32_t i, others = 0, nsites = 0, part, *seen = c->numbers;
	uint64_t *parts = c->scratch;
	struct psync_check_seat *seat;

	/* What it lost others have. */
	if (!msg && psync_check_gone(c, c->rec->mid))
		msg = psync_check_find(c, c->seats[c->rec->seat].inst,
				       c->rec->mid, NULL, 0);
	if (!msg || c->rec->answer != 1) {
		if (!msg)
			psync_check_fail(c, "awaited", "not in the view");
		return;
	}
	memset(parts, 0, (conv->n + 63) / 64 * sizeof(*parts));
	for (i = psync_check_inst(c)->seats; i != PSYNC_CHECK_NONE;
	     i = seat->next) {
		seat = &c->seats[i];
		part = seat->part;
		if ((!psync_check_has(seat->view, msg->bit) &&
		     !psync_check_has(seat->gone, msg->bit) &&
		     !psync_check_behind_it(c, seat, msg)) ||
		    psync_check_has(seat->lost, msg->bit) ||
		    psync_check_has(parts, part))
			continue;
		psync_check_put(parts, part);
		others += part != c->seats[msg->seat].part;
		nsites += !seen[sites[part]]++;
	}
	memset(seen, 0, conv->n * sizeof(*seen));
	if (others < c->rec->others || nsites < c->rec->sites)
		psync_check_fail(c, "awaited", "told %u, %u sites; %u, %u have",
				 c->rec->others, c->rec->sites, others,
				 nsites);
}

static void psync_check_outstanding(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];

	if (c->rec->answer < 0 || !c->rec->answer != !c->rec->others ||
	    (uint32_t)c->rec->answer > in->nsent - seat->nview)
		psync_check_fail(c, "outstanding", "%d; %u sent, %u taken",
				 c->rec->answer, in->nsent, seat->nview);
}

/*
 * Is what @from sent not owed to @seat?  A site that comes back while others
 * go on is refused by those who know its earlier opening.  In a rendezvous,
 * whoever closed before another opened cannot be told from one of an earlier
 * conversation of that name.
 */
static bool psync_check_excused(struct psync_check *c,
				const struct psync_check_seat *seat,
				const struct psync_check_seat *from)
{
	const struct psync_hist_conv *conv = psync_check_conv(c);
	const uint64_t *sites = &c->hist->sets[conv->sites];
	const struct psync_check_seat *other;
	uint32_t i;

	if (conv->named && from->closed <= seat->opened + conv->blur)
		return true;
	if (!psync_check_inst(c)->refused)
		return false;
	for (i = psync_check_inst(c)->seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (other->refused && sites[other->part] == sites[from->part])
			return true;
	}
	return false;
}

/*
 * Were the messages of @seat perhaps lost with it?  It crashed, or it closed
 * where who has closed sends nothing again.
 */
static bool psync_check_mortal(struct psync_check *c,
			       const struct psync_check_seat *seat)
{
	return seat->crashed ||
	       (psync_check_conv(c)->brief && seat->closed != UINT64_MAX);
}

/*
 * What must be in the view of @seat, but for what is not owed and what depends
 * on that: all that was sent by those who live, or when @other is somebody
 * else's view, all that is in that one.  Of one whom it masked, or that masked
 * it, nothing must be there but what others that must be depend on; nor what it
 * was told to have lost.
 */
static void psync_check_required(struct psync_check *c,
				 const struct psync_check_seat *seat,
				 const uint64_t *other, uint64_t *set)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_seat *from;
	const struct psync_check_msg *msg;
	uint32_t i, k;
	bool out;

	memset(set, 0, in->words * sizeof(*set));
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		from = &c->seats[msg->seat];
		out = psync_check_excused(c, seat, from);
		out |= other ? !psync_check_has(other, i) :
			       psync_check_mortal(c, from);
		for (k = 0; k < in->words; k++)
			out |= (msg->preds[k] & ~set[k] & ~seat->gone[k]) != 0;
		if (!out)
			psync_check_put(set, i);
	}
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		from = &c->seats[msg->seat];
		if (psync_check_masked(c, seat->inst, seat->part, from->part))
			set[i / 64] &= ~(1ULL << i % 64);
	}
	for (k = 0; k < in->words; k++)
		set[k] &= ~seat->gone[k];
}

/* The last message of participant @part in a view is its END. */
static bool psync_check_over(struct psync_check *c,
			     const struct psync_check_seat *seat, uint32_t part)
{
	return seat->last[part] && c->msgs[seat->last[part] - 1].end;
}

/*
 * Participants that the view has not seen the end of, but for itself, and for
 * those whom it does not wait for.
 */
static uint32_t psync_check_others(struct psync_check *c,
				   const struct psync_check_seat *seat)
{
	uint32_t i, n = 0;

	for (i = 0; i < psync_check_conv(c)->n; i++)
		n += i != seat->part && !psync_check_over(c, seat, i) &&
		     !psync_check_masked(c, seat->inst, seat->part, i);
	return n;
}

/* Has anybody else ever been there who has not ended? */
static bool psync_check_heard(struct psync_check *c,
			      const struct psync_check_seat *seat)
{
	const struct psync_check_seat *other;
	uint32_t i;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (other != seat && other->nsent &&
		    !psync_check_masked(c, seat->inst, seat->part,
					other->part) &&
		    !c->msgs[other->sent[other->nsent - 1]].end)
			return true;
	}
	return false;
}

/* It closed; unless nobody is there to hear it, it has said so (S3.2). */
static void psync_check_close(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];

	seat->here = false;
	if (!seat->nview || psync_check_inst(c)->refused ||
	    psync_check_conv(c)->starved || !psync_check_heard(c, seat))
		return;
	if (!seat->nsent || !c->msgs[seat->sent[seat->nsent - 1]].end)
		psync_check_fail(c, "end-missing", "closed without its end");
}

/*
 * Nothing moves any more: this one has acknowledged, with its last message,
 * all that programs sent (S3.1), if there is anybody to hear it.
 */
static void psync_check_acked(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *last, *msg;
	uint32_t i;

	if (!psync_check_others(c, seat))
		return;
	last = seat->nsent ? &c->msgs[seat->sent[seat->nsent - 1]] : NULL;
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		if (msg->null || msg->end || msg->mask ||
		    msg->seat == c->rec->seat ||
		    !psync_check_has(seat->view, i) ||
		    psync_check_has(seat->lost, i) ||
		    psync_check_masked(c, seat->inst, seat->part,
				       c->seats[msg->seat].part))
			continue;
		if (!last || !psync_check_has(last->context, i))
			psync_check_fail(c, "null-due",
					 "has not acknowledged %u:%llu",
					 (unsigned int)(msg->mid >>
							PSYNC_HIST_SEQ_BITS),
					 (unsigned long long)(msg->mid &
					 ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)));
	}
}

/* Has this one all that another has at rest, and the other way round? */
static void psync_check_alike(struct psync_check *c,
			      const struct psync_check_seat *other)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint64_t *set = c->scratch;

	if (psync_check_masked(c, seat->inst, seat->part, other->part))
		return;
	psync_check_required(c, seat, other->view, set);
	if (!psync_check_subset(set, seat->view, in->words))
		psync_check_fail(c, "agreement",
				 "%u in the view, participant %u has %u",
				 seat->nview, other->part, other->nview);
	psync_check_required(c, other, seat->view, set);
	if (!psync_check_subset(set, other->view, in->words))
		psync_check_fail(c, "agreement",
				 "%u in the view, participant %u has only %u",
				 seat->nview, other->part, other->nview);
}

/* Nothing moves any more: is everything there, and the same everywhere? */
static void psync_check_agree(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_seat *other;
	uint64_t *set = c->scratch;
	uint32_t i;

	if (seat->refused || psync_check_returned(c, seat))
		return;
	if (!seat->gapped)
		psync_check_acked(c);
	psync_check_all_agreed(c);
	psync_check_whole(c);
	psync_check_required(c, seat, NULL, set);
	if (!psync_check_subset(set, seat->view, in->words))
		psync_check_fail(c, "reliable", "%u in the view, %u sent",
				 seat->nview, in->nsent);
	for (i = in->seats; i != PSYNC_CHECK_NONE; i = other->next) {
		other = &c->seats[i];
		if (other->rested)
			psync_check_alike(c, other);
	}
	seat->rested = true;
}

static void psync_check_rest(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	uint64_t *seen = c->scratch, *kept = c->scratch + in->words;
	uint32_t nfreed = psync_check_count(seat->freed, in->words);
	struct psync_check_msg *msg;
	uint32_t i, k;

	if (seat->gapped) {
		psync_check_agree(c);
		return;
	}
	if (!psync_check_set(c, kept) || (uint32_t)c->rec->answer !=
	    seat->nview || !psync_check_subset(kept, seat->view, in->words) ||
	    (psync_check_conv(c)->exact &&
	     !psync_check_count(seat->faded, in->words) &&
	     c->rec->nset != seat->nview - nfreed))
		psync_check_fail(c, "rest-view", "%u of %d listed, are %u",
				 c->rec->nset, c->rec->answer, seat->nview);
	memset(seen, 0, in->words * sizeof(*seen));
	for (i = 0; i < c->rec->nset && !c->verdict->invariant; i++) {
		msg = psync_check_find(c, seat->inst, mids[i], seat->view, 0);
		for (k = 0; k < in->words; k++)
			if (msg->preds[k] & kept[k] & ~seen[k])
				psync_check_fail(c, "linear-order", "entry %u",
						 i);
		psync_check_put(seen, msg->bit);
	}
	psync_check_agree(c);
}

/* An image has attached more. */
static void psync_check_attached(struct psync_check *c)
{
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	uint64_t *attached = c->attached[c->rec->seat];
	uint32_t i, part;

	for (i = 0; i < c->rec->nset; i++) {
		part = mids[i] >> PSYNC_HIST_SEQ_BITS;
		attached[part] = mids[i];
	}
}

/* Has an image of that site, incarnation and opening attached @mid? */
static bool psync_check_holds(struct psync_check *c, uint64_t mid)
{
	const struct psync_hist *hist = c->hist;
	const struct psync_hist_image *image;
	const struct psync_rec *rec = c->rec;
	size_t i;

	for (i = 0; i < hist->nimages; i++) {
		image = &hist->images[i];
		if (image->conv == hist->images[rec->seat].conv &&
		    image->site == rec->sites &&
		    (!rec->mid || image->inc == rec->mid) &&
		    (!rec->mid2 || image->opening == rec->mid2) &&
		    c->attached[i][mid >> PSYNC_HIST_SEQ_BITS] >= mid)
			return true;
	}
	return false;
}

/*
 * Was @mid in the context of what that site was told to have lost?  Then it is
 * in the context of what follows that there, too, though it may yet come.
 */
static bool psync_check_lost_with(struct psync_check *c, uint64_t mid)
{
	uint32_t index = c->hist->images[c->rec->seat].conv, i, k;
	const struct psync_hist_conv *conv = &c->hist->convs[index];
	const uint64_t *sites = &c->hist->sets[conv->sites];
	const struct psync_check_seat *seat;
	const struct psync_check_inst *in;
	const struct psync_check_msg *msg;

	for (i = 0; i < c->hist->nseats; i++) {
		seat = &c->seats[i];
		in = &c->insts[seat->inst];
		if (!seat->gapped || in->conv != index ||
		    sites[seat->part] != c->rec->others)
			continue;
		msg = psync_check_find(c, seat->inst, mid, seat->gone, 0);
		for (k = 0; msg && k < in->nsent; k++)
			if (psync_check_has(seat->gone, k) &&
			    psync_check_has(c->msgs[in->msgs + k].context,
					    msg->bit))
				return true;
	}
	return false;
}

/* An image goes by it that another has attached something. */
static void psync_check_acknowledged(struct psync_check *c)
{
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	uint32_t i;

	for (i = 0; i < c->rec->nset; i++)
		if (!psync_check_holds(c, mids[i]) &&
		    !psync_check_lost_with(c, mids[i]))
			psync_check_fail(c, "acknowledged",
					 "site %u has not attached %u:%llu",
					 c->rec->sites,
					 (unsigned int)(mids[i] >>
							PSYNC_HIST_SEQ_BITS),
					 (unsigned long long)(mids[i] &
					 ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)));
}

/* What one asks to whom messages were lost cannot be judged. */
static bool psync_check_lost(struct psync_check *c)
{
	switch (c->rec->type) {
	case PSYNC_REC_STABLE:
	case PSYNC_REC_PRECEDES:
	case PSYNC_REC_OUTSTANDING:
	case PSYNC_REC_LEAVES:
	case PSYNC_REC_ROOTS:
	case PSYNC_REC_NEXT:
	case PSYNC_REC_PREV:
		return c->seats[c->rec->seat].gapped;
	}
	return false;
}

static void psync_check_replay(struct psync_check *c)
{
	if (psync_check_lost(c))
		return;
	switch (c->rec->type) {
	case PSYNC_REC_OPEN:
		psync_check_open(c);
		break;
	case PSYNC_REC_CLOSE:
		psync_check_close(c);
		break;
	case PSYNC_REC_SEND:
		psync_check_send(c);
		break;
	case PSYNC_REC_RECV:
		psync_check_recv(c);
		break;
	case PSYNC_REC_STABLE:
		psync_check_stable(c);
		break;
	case PSYNC_REC_PRECEDES:
		psync_check_precedes(c);
		break;
	case PSYNC_REC_FREE:
		psync_check_free(c);
		break;
	case PSYNC_REC_AWAITED:
		psync_check_awaited(c);
		break;
	case PSYNC_REC_CRASH:
		c->seats[c->rec->seat].here = false;
		break;
	case PSYNC_REC_OUTSTANDING:
		psync_check_outstanding(c);
		break;
	case PSYNC_REC_MASK:
		psync_check_mask(c);
		break;
	case PSYNC_REC_GAP:
		psync_check_gap(c);
		break;
	case PSYNC_REC_VOID:
		psync_check_void(c);
		break;
	case PSYNC_REC_REST:
		psync_check_rest(c);
		break;
	case PSYNC_REC_ATTACHED:
		psync_check_attached(c);
		break;
	case PSYNC_REC_HOLDS:
		psync_check_acknowledged(c);
		break;
	case PSYNC_REC_LEAVES:
	case PSYNC_REC_ROOTS:
	case PSYNC_REC_NEXT:
	case PSYNC_REC_PREV:
		psync_check_query(c);
		break;
	}
}

/* Somebody masks somebody out in this instance. */
static void psync_check_masker(struct psync_check *c, uint32_t inst)
{
	struct psync_check_inst *in = &c->insts[inst];
	uint32_t n = c->hist->convs[in->conv].n;

	if (!in->pairs)
		in->pairs = psync_check_alloc((size_t)n * n,
					      sizeof(*in->pairs));
}

/* Cut the history into instances and count their messages. */
static void psync_check_survey(struct psync_check *c)
{
	const struct psync_hist *hist = c->hist;
	uint32_t *now, *open, conv;
	struct psync_check_seat *seat;
	size_t i;

	now = psync_check_alloc(hist->nconvs, sizeof(*now));
	memset(now, 0xff, hist->nconvs * sizeof(*now));
	open = psync_check_alloc(hist->nconvs, sizeof(*open));
	for (i = 0; i < hist->nrecs; i++) {
		c->rec = &hist->recs[i];
		if (c->rec->type == PSYNC_REC_ATTACHED ||
		    c->rec->type == PSYNC_REC_HOLDS)
			continue;
		conv = hist->seats[c->rec->seat].conv;
		seat = &c->seats[c->rec->seat];
		if (c->rec->type == PSYNC_REC_OPEN) {
			if (!open[conv]++ && (hist->convs[conv].named ||
					      now[conv] == PSYNC_CHECK_NONE)) {
				now[conv] = c->ninsts;
				c->insts[c->ninsts++] =
					(struct psync_check_inst){
						.conv = conv,
						.seats = PSYNC_CHECK_NONE };
			}
			seat->inst = now[conv];
			seat->part = hist->seats[c->rec->seat].part;
			seat->opened = c->rec->at;
			seat->closed = UINT64_MAX;
			seat->next = c->insts[now[conv]].seats;
			c->insts[now[conv]].seats = c->rec->seat;
			c->verdict->late += c->insts[now[conv]].nmsgs != 0;
		} else if (c->rec->type == PSYNC_REC_CLOSE ||
			   c->rec->type == PSYNC_REC_CRASH) {
			seat->crashed = c->rec->type == PSYNC_REC_CRASH;
			seat->closed = c->rec->at;
			open[conv]--;
		} else if (c->rec->type == PSYNC_REC_REFUSED) {
			seat->refused = true;
			c->insts[seat->inst].refused = true;
		} else if (c->rec->type == PSYNC_REC_MASK) {
			psync_check_masker(c, now[conv]);
		} else if (c->rec->type == PSYNC_REC_SEND) {
			c->insts[now[conv]].nmsgs++;
			seat->nsent++;
		}
	}
	free(now);
	free(open);
}

/* What the images have attached: nothing. */
static void psync_check_images(struct psync_check *c)
{
	const struct psync_hist *hist = c->hist;
	size_t i, n = 0;
	uint32_t k;

	for (i = 0; i < hist->nimages; i++)
		n += hist->convs[hist->images[i].conv].n;
	c->seqs = psync_check_alloc(n, sizeof(*c->seqs));
	c->attached = psync_check_alloc(hist->nimages, sizeof(*c->attached));
	n = 0;
	for (i = 0; i < hist->nimages; i++) {
		c->attached[i] = c->seqs + n;
		for (k = 0; k < hist->convs[hist->images[i].conv].n; k++)
			c->seqs[n++] = (uint64_t)k << PSYNC_HIST_SEQ_BITS;
	}
}

/* Lay out all sets; nsent of seats is what they will send and becomes 0. */
static void psync_check_layout(struct psync_check *c)
{
	size_t words = 0, numbers = 0, most = 0, i, k;
	struct psync_check_inst *in;
	struct psync_check_seat *seat;
	const struct psync_hist *hist = c->hist;

	for (i = 0; i < c->ninsts; i++) {
		in = &c->insts[i];
		in->words = in->nmsgs / 64 + 1;
		in->msgs = c->nmsgs;
		c->nmsgs += in->nmsgs;
		words += 3 * (size_t)in->words * in->nmsgs;
		most = in->words > most ? in->words : most;
	}
	for (i = 0; i < hist->nconvs; i++)
		most = hist->convs[i].n > most ? hist->convs[i].n : most;
	for (i = 0; i < hist->nseats; i++) {
		words += 9 * (size_t)c->insts[c->seats[i].inst].words;
		numbers += c->seats[i].nsent +
			   hist->convs[hist->seats[i].conv].n;
	}
	c->msgs = psync_check_alloc(c->nmsgs, sizeof(*c->msgs));
	c->words = psync_check_alloc(words + 2 * most, sizeof(*c->words));
	c->numbers = psync_check_alloc(numbers + most, sizeof(*c->numbers));
	c->scratch = c->words + words;
	words = 0;
	numbers = most;
	for (i = 0; i < c->ninsts; i++) {
		in = &c->insts[i];
		for (k = in->msgs; k < in->msgs + in->nmsgs; k++) {
			c->msgs[k].context = c->words + words;
			c->msgs[k].preds = c->words + words + in->words;
			c->msgs[k].said = c->msgs[k].preds + in->words;
			words += 3 * in->words;
		}
	}
	for (i = 0; i < hist->nseats; i++) {
		seat = &c->seats[i];
		in = &c->insts[seat->inst];
		seat->view = c->words + words;
		seat->leaves = seat->view + in->words;
		seat->stable = seat->leaves + in->words;
		seat->freed = seat->stable + in->words;
		seat->lost = seat->freed + in->words;
		seat->faded = seat->lost + in->words;
		seat->gone = seat->faded + in->words;
		seat->sure = seat->gone + in->words;
		seat->may = seat->sure + in->words;
		words += 9 * in->words;
		seat->sent = c->numbers + numbers;
		numbers += seat->nsent;
		seat->last = c->numbers + numbers;
		numbers += hist->convs[in->conv].n;
		seat->nsent = 0;
	}
}

void psync_check(const struct psync_hist *hist, struct psync_verdict *verdict)
{
	struct psync_check c = { .hist = hist, .verdict = verdict };
	size_t i;

	*verdict = (struct psync_verdict){ 0 };
	c.seats = psync_check_alloc(hist->nseats, sizeof(*c.seats));
	c.insts = psync_check_alloc(hist->nseats, sizeof(*c.insts));
	psync_check_survey(&c);
	psync_check_layout(&c);
	psync_check_images(&c);
	for (i = 0; i < hist->nrecs && !verdict->invariant; i++) {
		c.rec = &hist->recs[i];
		psync_check_replay(&c);
	}
	for (i = 0; i < hist->nseats; i++) {
		free(c.seats[i].limits);
		free(c.seats[i].agreed);
	}
	for (i = 0; i < c.ninsts; i++)
		free(c.insts[i].pairs);
	free(c.seats);
	free(c.insts);
	free(c.msgs);
	free(c.words);
	free(c.numbers);
	free(c.attached);
	free(c.seqs);
}
