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

/* For %u:%llu. */
#define PSYNC_CHECK_MID(mid)						\
	(unsigned int)((mid) >> PSYNC_HIST_SEQ_BITS),			\
	(unsigned long long)((mid) & ((1ULL << PSYNC_HIST_SEQ_BITS) - 1))

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
 * @seats: its last seat (list, latest first, by psync_check_seat.next)
 * @refused: one of its seats was
 * @ngaps: announcements that a site is not waited for
 * @pairs: who masks whom out, now; or NULL: nobody does
 * @vague: one of its messages is
 * @tails: of each participant, its last message by now, plus 1, 0: none; NULL: no
 *	message at all
 * @own: of each participant, set: what it has sent by now; NULL likewise
 * @gaps: the last announcement that a site is not waited for, likewise
 * @backs: the last RESTART, likewise
 * @reused: two of its messages have one id: of those who knew the first one
 *	nobody was there any more
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
	bool vague;
	uint32_t *tails;
	uint64_t *own;
	uint32_t gaps;
	uint32_t backs;
	bool reused;
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
 * @back: its sender's kernel says that it is back
 * @alone: then: not all could be asked what they had of it
 * @vague: its sender had lost something and did not know what follows which
 * @prev: then: its sender's message before it, by number, or NONE
 * @preds: set: its immediate predecessors
 * @first: 64 of that set, the first of which is one, or 0
 * @said: set: those that its sender named: more, if it had lost messages
 * @before: its participant's last message before it in the instance, plus 1, 0: none
 * @kin: of @gap, or of @back, the last one of its kind before it, likewise
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
	bool back;
	bool alone;
	bool vague;
	uint32_t prev;
	uint32_t before;
	uint32_t kin;
	uint64_t *context;
	uint64_t *preds;
	uint32_t first;
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
 * @restart: it is back (P 5)
 * @redo: its program runs again
 * @partial: something is lost for it
 * @nagain: messages that its program sent again
 * @fresh: since its last message it received one that a program sent
 * @opened: when it opened
 * @spoke: when it sent its first message, UINT64_MAX: it did not
 * @closed: when it closed, UINT64_MAX: it did not
 * @nsent: messages it sent so far
 * @nview: messages in its view
 * @sent: their numbers, in order
 * @last: per participant: number + 1 of the last message in the view
 * @view: set: what it sent or received, or was skipped with
 * @forgone: set: what of @view it was skipped with
 * @faded: set: of what it does not know what follows what
 * @leaves: set: leaves of the view
 * @stable: set: what it was told to be stable
 * @sure: set: what was stable in its view when somebody came back in it
 * @freed: set: what somebody of its site had freed
 * @unsaid: it passed what follows something lost, and not yet the announcement
 * @gone: set: what was lost, as it was told
 * @may: set: what was perhaps so
 * @replies: for each participant two sets: of which messages its first one that
 *	follows them is known, and of those, which it does not acknowledge; or NULL
 * @lost: set: what it was told to be lost
 * @wanted: set: what its view is to begin with
 * @unfound: set: what of that is nowhere
 * @told: per participant: how often it was told that it is back
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
	bool restart;
	bool redo;
	bool partial;
	uint32_t nagain;
	bool fresh;
	uint64_t opened;
	uint64_t spoke;
	uint64_t closed;
	uint32_t nsent;
	uint32_t nview;
	uint32_t *sent;
	uint32_t *last;
	uint64_t *view;
	uint64_t *leaves;
	uint64_t *stable;
	uint64_t *sure;
	uint64_t *freed;
	uint64_t *forgone;
	uint64_t *faded;
	bool unsaid;
	uint64_t *gone;
	uint64_t *may;
	uint64_t *replies;
	uint64_t *lost;
	uint64_t *wanted;
	uint64_t *unfound;
	uint32_t *told;
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
 * @forgotten: by image: it is no more
 * @words: memory for sets
 * @numbers: memory for numbers
 * @seqs: memory for @attached
 * @scratch: room for three sets
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
	bool *forgotten;
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

/* Is it about an image, not about a seat? */
static bool psync_check_of_image(const struct psync_rec *rec)
{
	return rec->type == PSYNC_REC_ATTACHED ||
	       rec->type == PSYNC_REC_HOLDS ||
	       rec->type == PSYNC_REC_FORGOTTEN;
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
	if (psync_check_of_image(rec)) {
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

/* Which of the messages of @seat is @mid? */
static uint32_t psync_check_sent(struct psync_check *c,
				 const struct psync_check_seat *seat,
				 uint64_t mid)
{
	uint32_t lo = 0, hi = seat->nsent, half;

	while (lo < hi) {
		half = (lo + hi) / 2;
		if (c->msgs[seat->sent[half]].mid < mid)
			lo = half + 1;
		else
			hi = half;
	}
	return lo < seat->nsent && c->msgs[seat->sent[lo]].mid == mid ?
	       lo : PSYNC_CHECK_NONE;
}

/*
 * The message @mid of instance @inst, sent by now: when a participant was
 * open twice in it, the one in @view if one is, else one with @hash, and of two
 * such (null messages are much alike) not that of the one that is refused.
 */
static struct psync_check_msg *psync_check_find(struct psync_check *c,
						uint32_t inst, uint64_t mid,
						const uint64_t *view,
						uint64_t hash)
{
	struct psync_check_inst *in = &c->insts[inst];
	struct psync_check_msg *msg, *found = NULL;
	struct psync_check_seat *seat;
	uint32_t i, k, fits, best = 0;

	for (i = in->seats; i != PSYNC_CHECK_NONE && best < 4; i = seat->next) {
		seat = &c->seats[i];
		if (seat->part != mid >> PSYNC_HIST_SEQ_BITS)
			continue;
		k = psync_check_sent(c, seat, mid);
		if (k == PSYNC_CHECK_NONE)
			continue;
		msg = &c->msgs[seat->sent[k]];
		fits = view ? psync_check_has(view, msg->bit) :
			      msg->hash == hash;
		/* Nobody takes what that one sends. */
		fits = 1 + 2 * fits + !seat->refused;
		if (fits <= best)
			continue;
		found = msg;
		best = fits;
	}
	return found;
}

/* What participant @a does about @b. */
static const struct psync_check_pair *psync_check_pair(struct psync_check *c,
						       uint32_t inst,
						       uint32_t a, uint32_t b)
{
	static const struct psync_check_pair nothing;
	const struct psync_check_inst *in = &c->insts[inst];

	return in->pairs ? &in->pairs[a * c->hist->convs[in->conv].n + b] :
			   &nothing;
}

/* Does one of two participants mask the other out? */
static bool psync_check_masked(struct psync_check *c, uint32_t inst, uint32_t a,
			       uint32_t b)
{
	return psync_check_pair(c, inst, a, b)->out ||
	       psync_check_pair(c, inst, b, a)->out;
}

/*
 * Perhaps a seat does not wait for participant @part: what that one has
 * announced may be known at its site before it is in the view.
 */
static bool psync_check_ignores(struct psync_check *c,
				const struct psync_check_seat *seat,
				uint32_t part)
{
	const struct psync_check_pair *pair;
	uint64_t last = 0;

	if (psync_check_pair(c, seat->inst, seat->part, part)->out)
		return true;
	pair = psync_check_pair(c, seat->inst, part, seat->part);
	if (seat->last[part])
		last = c->msgs[seat->last[part] - 1].mid;
	return pair->said && (!pair->back || last < pair->back);
}

/* Once one of two participants has masked the other out. */
static bool psync_check_once(struct psync_check *c, uint32_t inst, uint32_t a,
			     uint32_t b)
{
	return psync_check_pair(c, inst, a, b)->ever ||
	       psync_check_pair(c, inst, b, a)->ever;
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

/* The first message of participant @part in a view that follows @msg, or NULL. */
static const struct psync_check_msg *
psync_check_follower(struct psync_check *c, const struct psync_check_seat *seat,
		     uint32_t part, const struct psync_check_msg *msg)
{
	const struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *at, *first = NULL;
	uint32_t i;

	for (i = in->tails[part]; i > msg->bit + 1; i = at->before) {
		at = &c->msgs[in->msgs + i - 1];
		if (psync_check_has(at->context, msg->bit) &&
		    psync_check_has(seat->view, i - 1))
			first = at;
	}
	return first;
}

/* Does @first follow an announcement that the site of participant @part lacks @msg? */
static bool psync_check_warned(struct psync_check *c,
			       const struct psync_check_inst *in, uint32_t part,
			       const struct psync_check_msg *first,
			       const struct psync_check_msg *msg)
{
	const uint64_t *sites = &c->hist->sets[c->hist->convs[in->conv].sites];
	const struct psync_check_msg *gap;
	uint32_t i;

	for (i = in->gaps; i; i = gap->kin) {
		gap = &c->msgs[in->msgs + i - 1];
		if (sites[gap->about] == sites[part] &&
		    psync_check_has(gap->context, msg->bit) &&
		    psync_check_has(first->context, i - 1))
			return true;
	}
	return false;
}

/*
 * S6.6: the last message of participant @part follows @msg, but its first one that
 * does follows an announcement that its site may lack @msg.  Once that first one
 * is there that does not change.
 */
static bool psync_check_unacked(struct psync_check *c,
				struct psync_check_seat *seat, uint32_t part,
				const struct psync_check_msg *msg)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *first;
	uint64_t *known, *missed;

	if (!in->ngaps)
		return false;
	if (!seat->replies)
		seat->replies = psync_check_alloc(2 * (size_t)in->words *
						  c->hist->convs[in->conv].n,
						  sizeof(*seat->replies));
	known = seat->replies + 2 * (size_t)part * in->words;
	missed = known + in->words;
	if (psync_check_has(known, msg->bit))
		return psync_check_has(missed, msg->bit);
	first = psync_check_follower(c, seat, part, msg);
	if (!first)
		return false;
	psync_check_put(known, msg->bit);
	if (!psync_check_warned(c, in, part, first, msg))
		return false;
	psync_check_put(missed, msg->bit);
	return true;
}

/* Does the last message of participant @part in a view acknowledge @msg? */
static bool psync_check_acks(struct psync_check *c,
			     struct psync_check_seat *seat, uint32_t part,
			     const struct psync_check_msg *msg)
{
	const struct psync_check_msg *last;

	last = seat->last[part] ? &c->msgs[seat->last[part] - 1] : NULL;
	return last && psync_check_has(last->context, msg->bit) &&
	       !psync_check_unacked(c, seat, part, msg);
}

/* Did participant @part end, as @seat has seen, without @msg? */
static bool psync_check_ended(struct psync_check *c,
			      struct psync_check_seat *seat, uint32_t part,
			      const struct psync_check_msg *msg)
{
	const struct psync_check_msg *last;

	last = seat->last[part] ? &c->msgs[seat->last[part] - 1] : NULL;
	return last && last->end && !psync_check_acks(c, seat, part, msg);
}

/* What of @of, 64 messages from @word on, does participant @part not acknowledge? */
static uint64_t psync_check_lacks(struct psync_check *c,
				  struct psync_check_seat *seat, uint32_t part,
				  uint32_t word, uint64_t of)
{
	const struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *last;
	uint64_t lacks, acks, *known;
	uint32_t i;

	last = seat->last[part] ? &c->msgs[seat->last[part] - 1] : NULL;
	/* After its END nobody waits for it. */
	if (last && last->end)
		return 0;
	of &= ~in->own[part * in->words + word];
	lacks = last ? of & ~last->context[word] : of;
	acks = in->ngaps ? of & ~lacks : 0;
	if (acks && seat->replies) {
		known = seat->replies + 2 * (size_t)part * in->words + word;
		lacks |= acks & known[0] & known[in->words];
		acks &= ~known[0];
	}
	for (; acks; acks &= acks - 1) {
		i = 64 * word + __builtin_ctzll(acks);
		if (psync_check_unacked(c, seat, part, &c->msgs[in->msgs + i]))
			lacks |= acks & -acks;
	}
	return lacks;
}

/*
 * Which of @of, 64 messages from @word on, are @perhaps stable in the view of a
 * seat, which not?  When its site has come to know that another does not mask it
 * out any more, or does, is known about only: then they may be.
 */
static uint64_t psync_check_weigh(struct psync_check *c,
				  struct psync_check_seat *seat, uint32_t word,
				  uint64_t of, uint64_t *perhaps)
{
	uint64_t may = seat->may[word], not = 0, lacks;
	uint32_t n = psync_check_conv(c)->n, i;

	*perhaps = 0;
	of &= ~seat->sure[word];
	/* What one has shown not to be so is asked of no other. */
	for (i = 0; i < n && of & ~not; i++) {
		if (psync_check_pair(c, seat->inst, seat->part, i)->out)
			continue;
		lacks = psync_check_lacks(c, seat, i, word, of & ~not);
		*perhaps |= lacks;
		if (lacks & ~may && !psync_check_ignores(c, seat, i))
			not |= lacks & ~may;
	}
	*perhaps &= ~not;
	return not;
}

/* Is @msg stable in the view of a seat? */
static enum psync_check_truth
psync_check_truth(struct psync_check *c, struct psync_check_seat *seat,
		  const struct psync_check_msg *msg)
{
	uint64_t perhaps;

	if (psync_check_weigh(c, seat, msg->bit / 64, 1ULL << msg->bit % 64,
			      &perhaps))
		return PSYNC_CHECK_FALSE;
	return perhaps ? PSYNC_CHECK_PERHAPS : PSYNC_CHECK_TRUE;
}

/*
 * Of @new, 64 messages from @word on, all is sure but what is @unsure, and what
 * its sender sent after that.
 */
static void psync_check_put_sure(struct psync_check *c,
				 struct psync_check_seat *seat, uint32_t word,
				 uint64_t new, uint64_t unsure)
{
	const struct psync_check_inst *in = &c->insts[seat->inst];
	uint32_t n = psync_check_conv(c)->n, *behind = c->numbers, i;
	uint64_t own, not;

	for (i = 0; i < n; i++) {
		own = new & in->own[i * in->words + word];
		not = own & unsure;
		if (!behind[i])
			seat->sure[word] |= not ? own & ((not & -not) - 1) :
						  own;
		behind[i] |= !!not;
	}
}

/*
 * Somebody counts again for the seat: what is stable stays so (S2.2); perhaps
 * what its sender sent after something that is not, which somebody lost (S6.6).
 */
static void psync_check_ensure(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint64_t new, not, perhaps;
	uint32_t word;

	for (word = 0; word < in->words; word++) {
		new = seat->view[word] & ~seat->sure[word];
		if (!new)
			continue;
		not = psync_check_weigh(c, seat, word, new, &perhaps);
		seat->may[word] |= new & ~not;
		psync_check_put_sure(c, seat, word, new, not | perhaps);
	}
	memset(c->numbers, 0, psync_check_conv(c)->n * sizeof(*c->numbers));
}

/* Has it been received, or is it known to be lost? */
static bool psync_check_seen(const struct psync_check_seat *seat,
			     const struct psync_check_msg *msg)
{
	return psync_check_has(seat->view, msg->bit) ||
	       psync_check_has(seat->lost, msg->bit) ||
	       psync_check_has(seat->gone, msg->bit);
}

/*
 * Is @msg in the view of all participants that had not ended before it?  Since
 * then one may be back.
 */
static bool psync_check_everywhere(struct psync_check *c,
				   const struct psync_check_msg *msg)
{
	struct psync_check_seat *asker = &c->seats[c->rec->seat];
	struct psync_check_inst *in = psync_check_inst(c);
	uint32_t n = psync_check_conv(c)->n, i, got = 0;
	struct psync_check_seat *seat;
	uint64_t *parts = c->scratch;
	bool before = psync_check_has(asker->may, msg->bit);

	memset(parts, 0, (n + 63) / 64 * sizeof(*parts));
	/* Its sender has it, whether it has come as far or not. */
	psync_check_put(parts, c->seats[msg->seat].part);
	got = 1;
	for (i = in->seats; i != PSYNC_CHECK_NONE; i = seat->next) {
		seat = &c->seats[i];
		if (psync_check_seen(seat, msg) &&
		    !psync_check_has(seat->forgone, msg->bit) &&
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
	return got == n || psync_check_has(asker->sure, msg->bit);
}

/*
 * @msg is the next one in the view of @seat.  Who is back need not have had what
 * it had before, and is waited for again after its end: what was stable stays so.
 */
static void psync_check_take(struct psync_check *c,
			     struct psync_check_seat *seat,
			     const struct psync_check_msg *msg)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint32_t i;

	for (i = 0; msg->back && i < in->nsent; i++) {
		if (!psync_check_has(seat->view, i) ||
		    psync_check_truth(c, seat, &c->msgs[in->msgs + i]) !=
		    PSYNC_CHECK_TRUE)
			continue;
		if (!psync_check_everywhere(c, &c->msgs[in->msgs + i]))
			psync_check_fail(c, "stable-view",
					 "somebody who is back has not received it");
		psync_check_put(seat->sure, i);
	}
	psync_check_enter(c, seat, msg);
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

/* All that precedes any of @set. */
static void psync_check_close_down(struct psync_check *c,
				   const struct psync_check_inst *in,
				   uint64_t *set)
{
	uint32_t i;

	for (i = in->nsent; i--; )
		if (psync_check_has(set, i))
			psync_check_or(set, c->msgs[in->msgs + i].context,
				       in->words);
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
	psync_check_close_down(c, in, c->scratch);
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		if (psync_check_has(c->scratch, i))
			psync_check_enter(c, seat, msg);
	}
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

/* The RESTART in the view of @seat that has left out @msg, or NULL. */
static const struct psync_check_msg *
psync_check_void(struct psync_check *c,
		 const struct psync_check_seat *seat,
		 const struct psync_check_msg *msg)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *back;
	uint32_t i;

	for (i = in->backs; i; i = back->kin) {
		back = &c->msgs[in->msgs + i - 1];
		if (psync_check_has(seat->view, i - 1) &&
		    c->seats[back->seat].part == c->seats[msg->seat].part &&
		    msg->mid < back->mid &&
		    (back->prev == PSYNC_CHECK_NONE ||
		     msg->mid > c->msgs[back->prev].mid))
			return back;
	}
	return NULL;
}

/*
 * It is back: its view is to begin with the leaves it names and all that
 * precedes them.
 */
static void psync_check_restart(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];

	seat->here = true;
	if (!psync_check_set(c, seat->wanted))
		psync_check_fail(c, "restart-view", "back behind the unknown");
}

/*
 * Does a RESTART up to @last leave @msg out?  So does a later one when @last is a
 * number that was never sent: then it is known from that one.
 */
static bool psync_check_left_out(struct psync_check *c,
				 const struct psync_check_inst *in,
				 const struct psync_check_msg *msg,
				 uint64_t last)
{
	bool sent = psync_check_find(c, in - c->insts, last, NULL, 0);
	const struct psync_check_msg *back;
	uint32_t i;

	for (i = 0; i < in->nsent; i++) {
		back = &c->msgs[in->msgs + i];
		if (back->back && (back->mid <= last || !sent) &&
		    back->mid > msg->mid &&
		    c->seats[back->seat].part == c->seats[msg->seat].part &&
		    (back->prev == PSYNC_CHECK_NONE ||
		     c->msgs[back->prev].mid < msg->mid))
			return true;
	}
	return false;
}

/* Was another message sent with its id later on, when nobody knew of it any more? */
static bool psync_check_replaced(struct psync_check *c,
				 const struct psync_check_inst *in,
				 const struct psync_check_msg *msg)
{
	uint32_t i;

	for (i = msg->bit + 1; in->reused && i < in->nsent; i++)
		if (c->msgs[in->msgs + i].mid == msg->mid)
			return true;
	return false;
}

/* Adds all up to the record's set, a number for each participant, but what is void. */
static void psync_check_up_to(struct psync_check *c, uint64_t *set)
{
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	struct psync_check_inst *in = psync_check_inst(c);
	const struct psync_check_msg *msg;
	uint64_t last;
	uint32_t i;

	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		last = mids[c->seats[msg->seat].part];
		if (msg->mid <= last &&
		    !psync_check_left_out(c, in, msg, last) &&
		    !psync_check_replaced(c, in, msg))
			psync_check_put(set, i);
	}
}

/* What its view begins with; behind a gap it does not know what precedes what. */
static void psync_check_begun(struct psync_check *c, uint64_t *begun)
{
	struct psync_check_inst *in = psync_check_inst(c);

	if (c->rec->answer) {
		memset(begun, 0, in->words * sizeof(*begun));
		psync_check_up_to(c, begun);
		return;
	}
	if (!psync_check_set(c, begun))
		psync_check_fail(c, "restart-view", "begins with the unknown");
	psync_check_close_down(c, in, begun);
}

/* It has begun.  What it lost is not there; what it was given behind a gap is. */
static void psync_check_settled(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	uint64_t *wanted = c->scratch + in->words;
	uint64_t *most = wanted + in->words;
	uint64_t *begun = c->scratch;
	uint32_t i;

	memcpy(most, seat->wanted, in->words * sizeof(*most));
	for (i = 0; i < in->words; i++)
		wanted[i] = most[i] & ~seat->unfound[i];
	if (!c->rec->answer)
		psync_check_close_down(c, in, wanted);
	psync_check_close_down(c, in, most);
	psync_check_begun(c, begun);
	for (i = 0; i < in->words; i++) {
		begun[i] &= ~seat->lost[i];
		wanted[i] &= ~seat->lost[i];
	}
	/* Its leaves may be others by now that have the same ids. */
	if (!in->reused &&
	    (!psync_check_subset(wanted, begun, in->words) ||
	     (!c->rec->answer && !psync_check_subset(begun, most, in->words))))
		psync_check_fail(c, "restart-view",
				 "begins with %u, its leaves with %u",
				 psync_check_count(begun, in->words),
				 psync_check_count(wanted, in->words));
	seat->partial |= c->rec->answer;
	for (i = 0; i < in->nsent; i++)
		if (psync_check_has(begun, i) && !psync_check_has(seat->view, i))
			psync_check_enter(c, seat, &c->msgs[in->msgs + i]);
}

/*
 * The first of what @msg follows that is not in the view of @seat, was not lost
 * to it, is not in @gone (NULL: nothing is), and not void; or NULL.
 */
static const struct psync_check_msg *
psync_check_before(struct psync_check *c, const struct psync_check_seat *seat,
		   const struct psync_check_msg *msg, const uint64_t *gone)
{
	const struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *pred;
	uint32_t word;
	uint64_t set;

	for (word = msg->first; word <= msg->bit / 64; word++) {
		set = msg->preds[word] & ~seat->view[word] & ~seat->lost[word];
		if (gone)
			set &= ~gone[word];
		for (; set; set &= set - 1) {
			pred = &c->msgs[in->msgs + 64 * word +
					__builtin_ctzll(set)];
			if (!psync_check_void(c, seat, pred))
				return pred;
		}
	}
	return NULL;
}

/* A message of its participant enters its view, which stays closed (S2.1). */
static void psync_check_own(struct psync_check *c,
			    struct psync_check_seat *seat,
			    const struct psync_check_msg *msg)
{
	const struct psync_check_msg *before;

	before = psync_check_before(c, seat, msg, NULL);
	if (before)
		psync_check_fail(c, "causal-order",
				 "its own, before %u:%llu",
				 PSYNC_CHECK_MID(before->mid));
	psync_check_take(c, seat, msg);
}

/* What it had sent has come into its view. */
static void psync_check_caught(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *msg, *last;
	uint32_t i;

	last = psync_check_find(c, seat->inst, c->rec->mid, seat->view, 0);
	if (!last)
		psync_check_fail(c, "integrity", "its own, never sent");
	for (i = 0; last && i <= last->bit; i++) {
		msg = &c->msgs[in->msgs + i];
		if (c->seats[msg->seat].part == seat->part &&
		    (msg == last || psync_check_has(last->context, i)) &&
		    !psync_check_has(seat->view, i) &&
		    !psync_check_has(seat->lost, i))
			psync_check_own(c, seat, msg);
	}
}

/* Message @mid is lost for a seat, or each of those that have this id. */
static void psync_check_lack(struct psync_check *c,
			     struct psync_check_seat *seat, uint64_t mid)
{
	const struct psync_check_seat *from;
	uint32_t i, k, bit;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = from->next) {
		from = &c->seats[i];
		if (from->part != mid >> PSYNC_HIST_SEQ_BITS)
			continue;
		k = psync_check_sent(c, from, mid);
		if (k == PSYNC_CHECK_NONE)
			continue;
		bit = c->msgs[from->sent[k]].bit;
		if (!psync_check_has(seat->view, bit))
			psync_check_put(seat->lost, bit);
	}
}

/*
 * It was told that something is lost for it.  Nothing may be lost while all
 * keep everything, but leaves that it alone had had.
 */
static void psync_check_missed(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const uint64_t *mids = &c->hist->sets[c->rec->set];
	struct psync_check_msg *msg;
	uint32_t i;

	for (i = 0; i < c->rec->nset; i++) {
		msg = psync_check_find(c, seat->inst, mids[i], seat->view, 0);
		if (!msg || psync_check_has(seat->view, msg->bit))
			continue;
		if (c->rec->answer) {
			psync_check_put(seat->unfound, msg->bit);
			continue;
		}
		psync_check_lack(c, seat, mids[i]);
		seat->partial = true;
		if (!psync_check_conv(c)->loses)
			psync_check_fail(c, "gap-needless",
					 "nothing is given back");
	}
}

/* Of a message whose sender lost what it had said before: see the core. */
static void psync_check_context(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];

	psync_check_up_to(c, c->msgs[seat->sent[seat->nsent - 1]].context);
}

/* The last message of its participant that one follows, or NONE. */
static uint32_t psync_check_previous(struct psync_check *c,
				     const struct psync_check_seat *seat,
				     const uint64_t *preds)
{
	const struct psync_check_inst *in = &c->insts[seat->inst];
	uint64_t *set = c->scratch;
	uint32_t i;

	if (seat->nsent)
		return seat->sent[seat->nsent - 1];
	memcpy(set, preds, in->words * sizeof(*set));
	psync_check_close_down(c, in, set);
	for (i = in->nsent; i--; )
		if (psync_check_has(set, i) &&
		    c->seats[c->msgs[in->msgs + i].seat].part == seat->part)
			return in->msgs + i;
	return PSYNC_CHECK_NONE;
}

/*
 * Has a site that is there a message of that participant, @mid or a later one, or
 * its own @own or a later one?
 */
static bool psync_check_known_of(struct psync_check *c,
				 const struct psync_check_seat *seat,
				 uint64_t mid, uint64_t own)
{
	uint32_t index = c->insts[seat->inst].conv;
	const struct psync_hist *hist = c->hist;
	const uint64_t *sites = &hist->sets[hist->convs[index].sites];
	const struct psync_hist_image *image;
	size_t i;

	for (i = 0; i < hist->nimages; i++) {
		image = &hist->images[i];
		if (image->conv == index && !c->forgotten[i] &&
		    c->attached[i][seat->part] >=
		    (sites[image->part] == sites[seat->part] ? own : mid))
			return true;
	}
	return false;
}

/*
 * The last message that its earlier lives sent, whether it got anywhere or not:
 * a RESTART leaves out more than that.  But of a life whose RESTART no site knows
 * that is still there nobody can tell it the numbers, which began far behind those
 * before.
 */
static uint64_t psync_check_lives(struct psync_check *c,
				  const struct psync_check_seat *seat)
{
	const struct psync_check_msg *first, *end;
	const struct psync_check_seat *life;
	uint64_t last = 0;
	uint32_t i;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = life->next) {
		life = &c->seats[i];
		if (life == seat || life->part != seat->part || !life->nsent)
			continue;
		first = &c->msgs[life->sent[0]];
		end = &c->msgs[life->sent[life->nsent - 1]];
		if (end->mid > last &&
		    (!first->back || psync_check_known_of(c, seat, first->mid,
							  first->mid)))
			last = end->mid;
	}
	return last;
}

/*
 * Messages are numbered one after the other; who is back numbers on after all
 * that it had sent, as far as that can be known (S7.1), and uses no number that
 * any site has, lingering ones included.
 */
static void psync_check_number(struct psync_check *c,
			       const struct psync_check_seat *seat)
{
	uint64_t first = (uint64_t)seat->part << PSYNC_HIST_SEQ_BITS |
			 (psync_check_conv(c)->seq_base + 1);
	uint64_t last = first - 1, mid = c->rec->mid;

	if (seat->nsent)
		last = c->msgs[seat->sent[seat->nsent - 1]].mid;
	if ((seat->nsent || !seat->restart) && mid != last + 1)
		psync_check_fail(c, "mid-order", "message %u of its sender",
				 seat->nsent + 1);
	if (!seat->restart)
		return;
	/* That its own site has it by now may be put down already. */
	if ((c->rec->back && mid <= psync_check_lives(c, seat)) ||
	    psync_check_known_of(c, seat, mid, mid + 1))
		psync_check_fail(c, "restart-number",
				 "a number that was used before");
}

/* Leaves of what is in the view or precedes what its participant said. */
static void psync_check_preds(struct psync_check *c,
			      struct psync_check_seat *seat,
			      struct psync_check_msg *msg)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *last;
	uint64_t *truth = c->scratch;
	uint32_t i, k;

	memcpy(truth, seat->leaves, in->words * sizeof(*truth));
	last = msg->prev == PSYNC_CHECK_NONE ? NULL : &c->msgs[msg->prev];
	if (last && !psync_check_has(seat->view, last->bit)) {
		for (i = 0; i < in->words; i++)
			truth[i] &= ~last->context[i];
		psync_check_put(truth, last->bit);
	}
	/* Who lost something does not know what precedes what. */
	msg->vague = seat->partial;
	in->vague |= msg->vague;
	for (i = 0; seat->partial && i < in->nsent; i++)
		for (k = 0; psync_check_has(msg->preds, i) && k < in->words;
		     k++)
			msg->preds[k] &= ~c->msgs[in->msgs + i].context[k];
	if (!seat->partial && !seat->gapped &&
	    !psync_check_equal(msg->preds, truth, in->words))
		psync_check_fail(c, "leaves", "sent after %u, view has %u",
				 c->rec->nset,
				 psync_check_count(truth, in->words));
}

/* How many messages did its program have in the graph, up to @last? */
static uint32_t psync_check_records(struct psync_check *c,
				    const struct psync_check_seat *seat,
				    uint32_t last, uint32_t which,
				    const struct psync_check_msg **found)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_msg *msg, *end;
	uint32_t i, n = 0;

	if (last == PSYNC_CHECK_NONE)
		return 0;
	end = &c->msgs[last];
	for (i = 0; i <= end->bit; i++) {
		msg = &c->msgs[in->msgs + i];
		if (c->seats[msg->seat].part != seat->part || msg->null ||
		    msg->end || msg->back ||
		    (msg != end && !psync_check_has(end->context, i)))
			continue;
		if (n++ == which && found)
			*found = msg;
	}
	return n;
}

/* Its program sent something again: it is the next one that it had sent. */
static void psync_check_again(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_check_msg *msg = NULL;
	const struct psync_rec *rec = c->rec;

	if (seat->nsent)
		psync_check_records(c, seat, c->msgs[seat->sent[0]].prev,
				    seat->nagain, &msg);
	seat->nagain++;
	if (!seat->redo || !msg || msg->mid != rec->mid ||
	    msg->hash != rec->hash || msg->len != rec->len)
		psync_check_fail(c, "again-match",
				 "number %u that it sends again",
				 seat->nagain);
}

/* A new message of a program that runs again: it has said all it had said. */
static void psync_check_unsaid(struct psync_check *c,
			       const struct psync_check_seat *seat,
			       const struct psync_check_msg *msg)
{
	uint32_t n;

	if (!seat->redo || msg->null || msg->end || msg->back)
		return;
	n = psync_check_records(c, seat, c->msgs[seat->sent[0]].prev, 0, NULL);
	if (seat->nagain != n)
		psync_check_fail(c, "again-twice", "%u of %u were said again",
				 seat->nagain, n);
}

/*
 * What precedes a message has been received, or is lost, or void (S7.1); it is not
 * void itself.
 */
static void psync_check_arrival(struct psync_check *c,
				const struct psync_check_seat *seat,
				const struct psync_check_msg *msg)
{
	const struct psync_check_msg *before;

	before = psync_check_before(c, seat, msg, seat->gone);
	if (before)
		psync_check_fail(c, "causal-order",
				 "received before %u:%llu",
				 PSYNC_CHECK_MID(before->mid));
	if (psync_check_void(c, seat, msg))
		psync_check_fail(c, "restart-void",
				 "of an earlier life, received after it");
}

/*
 * Nothing moves any more: whoever is back has been announced to all who were
 * there before, once for each time at most, and what it left out is nowhere.
 */
static void psync_check_backs(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_seat *other;
	const struct psync_check_msg *msg, *back;
	uint32_t part, i, times, *told = seat->told;

	for (part = 0; part < psync_check_conv(c)->n; part++) {
		times = 0;
		for (i = in->seats; i != PSYNC_CHECK_NONE; i = other->next) {
			other = &c->seats[i];
			times += other->restart && other->part == part;
		}
		if (told[part] > times || (told[part] && part == seat->part))
			psync_check_fail(c, "restart-told",
					 "%u: %u times, was back %u times",
					 part, told[part], times);
	}
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		if (!psync_check_has(seat->view, i))
			continue;
		other = &c->seats[msg->seat];
		if (msg->back && msg->prev != PSYNC_CHECK_NONE &&
		    other->part != seat->part && !told[other->part] &&
		    other->opened > (seat->restart ? seat->spoke :
						     seat->opened))
			psync_check_fail(c, "restart-told",
					 "not of participant %u", other->part);
		back = psync_check_void(c, seat, msg);
		if (!seat->partial && back && !back->alone)
			psync_check_fail(c, "restart-covers",
					 "%u:%llu is void and in the view",
					 (unsigned int)(msg->mid >>
							PSYNC_HIST_SEQ_BITS),
					 (unsigned long long)(msg->mid &
					 ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)));
	}
}

/* What the record says of a message. */
static void psync_check_describe(struct psync_check_inst *in,
				 struct psync_check_msg *msg,
				 const struct psync_rec *rec)
{
	msg->back = rec->back;
	msg->alone = rec->alone;
	msg->mid = rec->mid;
	msg->hash = rec->hash;
	msg->len = rec->len;
	msg->end = rec->end;
	msg->null = rec->null || rec->gap;
	msg->gap = rec->gap;
	msg->about = rec->others;
	in->ngaps += rec->gap;
	msg->mask = rec->mask;
}

/* Where to find it later among those of its participant, and of its kind. */
static void psync_check_chain(struct psync_check *c,
			      struct psync_check_inst *in,
			      struct psync_check_msg *msg)
{
	uint32_t part = c->seats[msg->seat].part, n = psync_check_conv(c)->n;
	uint32_t *tail;

	if (!in->tails) {
		in->tails = psync_check_alloc(n, sizeof(*in->tails));
		in->own = psync_check_alloc((size_t)n * in->words,
					    sizeof(*in->own));
	}
	psync_check_put(in->own + part * in->words, msg->bit);
	tail = &in->tails[part];
	msg->before = *tail;
	*tail = msg->bit + 1;
	if (!msg->gap && !msg->back)
		return;
	tail = msg->gap ? &in->gaps : &in->backs;
	msg->kin = *tail;
	*tail = msg->bit + 1;
}

/* All that precedes the predecessors of @msg precedes it; and its wave. */
static void psync_check_sum(struct psync_check *c,
			    const struct psync_check_inst *in,
			    struct psync_check_msg *msg)
{
	const struct psync_check_msg *pred;
	uint32_t i;

	for (i = 0; i < msg->bit; i++) {
		if (!psync_check_has(msg->preds, i))
			continue;
		pred = &c->msgs[in->msgs + i];
		psync_check_or(msg->context, pred->context, in->words);
		if (pred->wave > msg->wave)
			msg->wave = pred->wave;
	}
	msg->wave++;
}

static void psync_check_send(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	struct psync_check_inst *in = &c->insts[seat->inst];
	struct psync_check_msg *msg = &c->msgs[in->msgs + in->nsent];
	const struct psync_rec *rec = c->rec;
	uint32_t i;

	psync_check_number(c, seat);
	if (!psync_check_set(c, msg->preds) && !seat->gapped)
		psync_check_fail(c, "leaves", "sent after the unknown");
	msg->prev = psync_check_previous(c, seat, msg->preds);
	psync_check_preds(c, seat, msg);
	in->reused |= !!psync_check_find(c, seat->inst, rec->mid, NULL, 0);
	psync_check_describe(in, msg, rec);
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
	psync_check_chain(c, in, msg);
	psync_check_sum(c, in, msg);
	if ((seat->partial || seat->gapped) && rec->wave > msg->wave)
		msg->wave = rec->wave;
	/* A program is not told the wave of what it sends: 0. */
	if (rec->wave && rec->wave != msg->wave)
		psync_check_fail(c, "wave", "sent in wave %u, is %u", rec->wave,
				 msg->wave);
	if (msg->wave > c->verdict->depth)
		c->verdict->depth = msg->wave;
	psync_check_or(msg->said, msg->preds, in->words);
	for (i = 0; i < in->words; i++) {
		if (msg->context[i] & msg->preds[i] && !seat->gapped)
			psync_check_fail(c, "reduction", "redundant edge");
		/* who has all of the graph reduces it */
		msg->preds[i] &= ~msg->context[i];
		if (!msg->preds[i] && msg->first == i)
			msg->first++;
	}
	psync_check_or(msg->context, msg->said, in->words);
	if (seat->nsent)
		psync_check_or(msg->context, c->msgs[seat->sent[seat->nsent -
			       1]].context, in->words);
	for (i = 0; i < msg->bit && !seat->partial && !seat->gapped; i++)
		if (psync_check_has(seat->view, i) &&
		    !psync_check_has(msg->context, i))
			psync_check_fail(c, "leaves",
					 "%u:%llu is not in its context",
					 PSYNC_CHECK_MID(c->msgs[in->msgs +
								 i].mid));
	seat->sent[seat->nsent++] = in->msgs + msg->bit;
	psync_check_unsaid(c, seat, msg);
	if (!rec->ahead)
		psync_check_own(c, seat, msg);
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
		/* Where more than that is lost, it was told what. */
		if (conv->loses)
			continue;
		lost = true;
		psync_check_put(seat->forgone, i);
		psync_check_enter(c, seat, &c->msgs[in->msgs + i]);
		seat->nview--;
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

/*
 * Which edges a message may have for a seat: those that its sender named, where
 * one precedes another for all who know, if it does not know that.  It has lost
 * messages, or its site freed them while one of the two masked the other out.
 */
static const uint64_t *psync_check_most(struct psync_check *c,
					const struct psync_check_seat *seat,
					const struct psync_check_msg *msg)
{
	return seat->gapped ||
	       psync_check_once(c, seat->inst, seat->part,
				c->seats[msg->seat].part) ?
	       msg->said : msg->preds;
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
	if (msg->seat == rec->seat ||
	    (c->seats[msg->seat].part == seat->part && seat->redo &&
	     !msg->null && !msg->end && !msg->back))
		psync_check_fail(c, "own", "received what it sent");
	if (psync_check_has(seat->view, msg->bit))
		psync_check_fail(c, "once", "received again");
	psync_check_lose(c, seat, msg);
	if (psync_check_has(seat->lost, msg->bit))
		psync_check_fail(c, "gap-told", "received, was said to be lost");
	psync_check_arrival(c, seat, msg);
	if (!psync_check_set(c, c->scratch) ||
	    !psync_check_subset(msg->preds, c->scratch, in->words) ||
	    (!seat->partial && !msg->vague &&
	     !psync_check_subset(c->scratch, psync_check_most(c, seat, msg),
				 in->words)))
		psync_check_fail(c, "edges", "%u predecessors, sent with %u",
				 rec->nset,
				 psync_check_count(msg->preds, in->words));
	if (rec->wave != msg->wave)
		psync_check_fail(c, "wave", "wave %u, is %u", rec->wave,
				 msg->wave);
	c->verdict->receives++;
	if (rec->mask || seat->gapped)
		psync_check_ensure(c);
	seat->fresh |= !msg->null && !msg->end && !msg->back;
	if (seat->limits && rec->mid > seat->limits[c->seats[msg->seat].part] &&
	    !msg->null && !msg->end && !msg->mask && !msg->back)
		psync_check_fail(c, "void-given", "given beyond the cut");
	psync_check_take(c, seat, msg);
}

/* It has what its program was not given, because it lies beyond a cut. */
static void psync_check_voided(struct psync_check *c)
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

/* Does @other, as far as @seat knows of it, count it out, or is counted out? */
static bool psync_check_apart(const struct psync_check_seat *seat,
			      const struct psync_check_seat *other)
{
	return !other->here || other->crashed || other->refused || !seat->last ||
	       !seat->last[other->part] ||
	       (other->agreed && other->agreed[seat->part]) ||
	       (seat->agreed && seat->agreed[other->part]);
}

/*
 * S5.3: it is told that it is out for good only if somebody goes by that, with
 * that cut, and nobody is left who does not.
 */
static void psync_check_expelled(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_check_seat *other;
	bool found = false;
	uint32_t i;

	for (i = psync_check_inst(c)->seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (other == seat)
			continue;
		if (!psync_check_apart(seat, other))
			psync_check_fail(c, "expelled-true",
					 "participant %u has not counted it out",
					 other->part);
		found |= other->agreed && other->agreed[seat->part] &&
			 other->limits[seat->part] == c->rec->mid;
	}
	if (!found)
		psync_check_fail(c, "expelled-true",
				 "nobody has counted it out so");
}

static void psync_check_mask(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	uint32_t n = psync_check_conv(c)->n, about = c->rec->others, i;
	struct psync_check_pair *pair;

	if (c->rec->answer == PSYNC_REC_MASK_NONE)
		return;
	if (c->rec->answer == PSYNC_REC_MASK_OWN) {
		psync_check_expelled(c);
		return;
	}
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
 * be lost: policies that need them do not go with that (S6.6).  So they may for
 * those to whom others who mask them out keep nothing, and for whom these tell.
 */
static void psync_check_all_agreed(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];
	const struct psync_check_seat *other;
	uint32_t n = psync_check_conv(c)->n, i, k;

	if (psync_check_inst(c)->ngaps || seat->gapped)
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

	for (i = in->seats; i != PSYNC_CHECK_NONE && !seat->restart;
	     i = other->next) {
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
			psync_check_fail(c, "cut-whole", "%u:%llu is not there",
					 PSYNC_CHECK_MID(msg->mid));
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
		if (c->scratch[i] & seat->view[i] & ~seat->forgone[i])
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

	/* What is lost is neither unknown nor kept, nor all that precedes. */
	if (c->seats[c->rec->seat].partial &&
	    (!known || answer == PSYNC_HIST_FREED))
		return false;

	/* Numbers that were left out: of what is freed nobody knows that. */
	if (!known && psync_check_conv(c)->restarts &&
	    !psync_check_conv(c)->exact)
		return false;
	if (answer == PSYNC_HIST_FREED) {
		if (!known || (psync_check_conv(c)->exact && !freed))
			psync_check_fail(c, "known", "is not freed");
		return false;
	}
	/*
	 * Nor what of it all precedes what it had freed, not even when it was lost
	 * because it was given back while somebody was masked out.
	 */
	if (known && freed && !c->seats[c->rec->seat].partial &&
	    !c->seats[c->rec->seat].gapped) {
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
				   (seat->gapped || psync_check_freed(c, msg) ||
				    psync_check_count(seat->forgone,
						psync_check_inst(c)->words)))))
		return;
	exact = conv->exact && !psync_check_freed(c, msg) &&
		!seat->partial && !psync_check_inst(c)->vague;
	sender = c->seats[msg->seat].part;
	for (i = 0; i < conv->n; i++) {
		if (i == sender || !psync_check_acks(c, seat, i, msg))
			continue;
		others++;
		if (sites[i] != sites[sender] && !c->numbers[sites[i]]++)
			nsites++;
	}
	memset(c->numbers, 0, conv->n * sizeof(*c->numbers));
	if (c->rec->answer && !psync_check_everywhere(c, msg))
		psync_check_fail(c, "stable-view",
				 "somebody has not received it");
	if (!c->rec->answer && psync_check_has(seat->stable, msg->bit) &&
	    !seat->partial && !psync_check_inst(c)->vague)
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
	/* A path by way of what its sender took for lost is not known. */
	if (!c->rec->answer &&
	    (c->seats[c->rec->seat].partial || psync_check_inst(c)->vague))
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

	/* Who lost something cannot know which of the rest follows which. */
	if (seat->partial || in->vague)
		return;
	msg = psync_check_asked(c, c->rec->mid);
	if ((type == PSYNC_REC_NEXT || type == PSYNC_REC_PREV) &&
	    !psync_check_answered(c, msg, psync_check_away(c, msg)))
		return;
	memset(truth, 0, in->words * sizeof(*truth));
	for (i = 0; i < in->nsent; i++) {
		x = &c->msgs[in->msgs + i];
		if (!psync_check_has(seat->view, i) ||
		    psync_check_has(seat->forgone, i))
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
		if (!msg && !c->seats[c->rec->seat].partial &&
		    (!conv->restarts || conv->exact))
			psync_check_fail(c, "awaited", "not in the view");
		return;
	}
	memset(parts, 0, (conv->n + 63) / 64 * sizeof(*parts));
	part = c->seats[msg->seat].part;
	psync_check_put(parts, part);
	nsites += !seen[sites[part]]++;
	for (i = psync_check_inst(c)->seats; i != PSYNC_CHECK_NONE;
	     i = seat->next) {
		seat = &c->seats[i];
		part = seat->part;
		if ((!psync_check_seen(seat, msg) &&
		     !psync_check_behind_it(c, seat, msg)) ||
		    psync_check_has(seat->forgone, msg->bit) ||
		    psync_check_has(parts, part))
			continue;
		psync_check_put(parts, part);
		others++;
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

/* Was @seat told that @other is back? */
static bool psync_check_knew(struct psync_check *c,
			     const struct psync_check_seat *seat,
			     const struct psync_check_seat *other)
{
	const struct psync_check_seat *life;
	uint32_t i, before = 0;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = life->next) {
		life = &c->seats[i];
		before += life->restart && life->part == other->part &&
			  life->opened < other->opened;
	}
	return other->restart && seat->told[other->part] > before;
}

/* Had it what others had before it, at @at?  Who is back must recover that first. */
static bool psync_check_has_all(const struct psync_check_seat *seat, uint64_t at)
{
	return (seat->restart ? seat->spoke : seat->opened) <= at;
}

/*
 * @other was back already when @seat closed: could it get what that one had?  From
 * its site, which had heard of it, or from one who was there until it had all.
 */
static bool psync_check_recovered(struct psync_check *c,
				  const struct psync_check_seat *seat,
				  const struct psync_check_seat *other)
{
	const struct psync_check_seat *from;
	uint32_t i;

	if (other->opened > seat->closed)
		return false;
	if (psync_check_has_all(other, seat->closed) ||
	    psync_check_knew(c, seat, other))
		return true;
	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = from->next) {
		from = &c->seats[i];
		if (psync_check_has_all(from, seat->closed) &&
		    !from->crashed && from->closed > other->spoke)
			return true;
	}
	return false;
}

/*
 * Is nobody there any more who was when @seat closed?  Then nobody keeps what it
 * had sent: those who are back had nobody to get it from.
 */
static bool psync_check_outlived(struct psync_check *c,
				 const struct psync_check_seat *seat)
{
	const struct psync_check_seat *other;
	uint32_t i;

	if (seat->closed > c->rec->at)
		return false;
	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (!other->crashed && other->closed > c->rec->at &&
		    psync_check_recovered(c, seat, other))
			return false;
	}
	return true;
}

/*
 * The same where participants come back, all of whom knew one another before:
 * whatever one who lives has said follows, it has.
 */
static void psync_check_owed(struct psync_check *c,
			     const struct psync_check_seat *seat,
			     const uint64_t *other, uint64_t *set)
{
	struct psync_check_inst *in = &c->insts[seat->inst];
	const struct psync_check_seat *from;
	uint32_t i;

	if (other)
		memcpy(set, other, in->words * sizeof(*set));
	else
		memset(set, 0, in->words * sizeof(*set));
	for (i = 0; i < in->nsent && !other; i++) {
		from = &c->seats[c->msgs[in->msgs + i].seat];
		if (!psync_check_mortal(c, from) &&
		    !psync_check_outlived(c, from))
			psync_check_put(set, i);
	}
	if (!other)
		psync_check_close_down(c, in, set);
	for (i = 0; i < in->words; i++)
		set[i] &= ~seat->lost[i];
	/* What a RESTART left out may have come before it, or not (S7.1). */
	for (i = 0; i < in->nsent; i++)
		if (psync_check_has(set, i) &&
		    psync_check_void(c, seat, &c->msgs[in->msgs + i]))
			set[i / 64] &= ~(1ULL << i % 64);
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

	if (psync_check_conv(c)->restarts) {
		psync_check_owed(c, seat, other, set);
		return;
	}
	memset(set, 0, in->words * sizeof(*set));
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		from = &c->seats[msg->seat];
		out = psync_check_excused(c, seat, from) ||
		      psync_check_has(seat->lost, i);
		out |= other ? !psync_check_has(other, i) :
			       psync_check_mortal(c, from);
		for (k = msg->first; !out && k <= i / 64; k++)
			out = msg->preds[k] & ~set[k] & ~seat->gone[k];
		if (!out)
			psync_check_put(set, i);
	}
	for (i = 0; in->own && i < psync_check_conv(c)->n; i++) {
		if (!psync_check_masked(c, seat->inst, seat->part, i))
			continue;
		for (k = 0; k < in->words; k++)
			set[k] &= ~in->own[i * in->words + k];
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

/*
 * Is an END the last of its participant's messages at the site of @seat?  It may
 * be back by now, but nobody there has heard of that.
 */
static bool psync_check_parted(struct psync_check *c,
			       const struct psync_check_seat *seat,
			       const struct psync_check_seat *other)
{
	uint32_t index = c->insts[seat->inst].conv;
	const struct psync_hist *hist = c->hist;
	const uint64_t *sites = &hist->sets[hist->convs[index].sites];
	const struct psync_hist_image *image;
	const struct psync_check_msg *last;
	uint64_t mid = 0;
	size_t i;

	for (i = 0; i < hist->nimages; i++) {
		image = &hist->images[i];
		if (image->conv == index && !c->forgotten[i] &&
		    sites[image->part] == sites[seat->part] &&
		    c->attached[i][other->part] > mid)
			mid = c->attached[i][other->part];
	}
	last = psync_check_find(c, seat->inst, mid, seat->view, 0);
	return last && last->end && !psync_check_knew(c, seat, other);
}

/* Has anybody else ever been there who has not ended, as far as is known? */
static bool psync_check_heard(struct psync_check *c,
			      const struct psync_check_seat *seat)
{
	const struct psync_check_seat *other;
	uint64_t *parts = c->scratch;
	uint32_t i;

	memset(parts, 0, (psync_check_conv(c)->n + 63) / 64 * sizeof(*parts));
	/* Of those of one participant the last one counts. */
	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (!other->nsent || psync_check_has(parts, other->part))
			continue;
		psync_check_put(parts, other->part);
		if (other->part != seat->part &&
		    !psync_check_masked(c, seat->inst, seat->part,
					other->part) &&
		    !c->msgs[other->sent[other->nsent - 1]].end &&
		    !psync_check_parted(c, seat, other))
			return true;
	}
	return false;
}

/* It closed; unless nobody is there to hear it, it has said so (S3.2). */
static void psync_check_close(struct psync_check *c)
{
	struct psync_check_seat *seat = &c->seats[c->rec->seat];

	seat->here = false;
	if (!seat->nview || (seat->restart && !seat->nsent) ||
	    psync_check_inst(c)->refused ||
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

	if (!psync_check_others(c, seat) || seat->partial)
		return;
	last = seat->last[seat->part] ? &c->msgs[seat->last[seat->part] - 1] :
					NULL;
	for (i = 0; i < in->nsent; i++) {
		msg = &c->msgs[in->msgs + i];
		if (msg->null || msg->end || msg->mask || msg->back ||
		    c->seats[msg->seat].part == seat->part ||
		    !psync_check_has(seat->view, i) ||
		    psync_check_has(seat->forgone, i) ||
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
	psync_check_backs(c);
	psync_check_required(c, seat, NULL, set);
	for (i = 0; i < in->nsent; i++)
		if (psync_check_has(set, i) && !psync_check_has(seat->view, i))
			psync_check_fail(c, "reliable",
					 "%u in the view, %u sent, not %u:%llu",
					 seat->nview, in->nsent,
					 PSYNC_CHECK_MID(c->msgs[in->msgs +
								 i].mid));
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
	if (!psync_check_set(c, kept) ||
	    ((uint32_t)c->rec->answer != seat->nview && !seat->partial) ||
	    !psync_check_subset(kept, seat->view, in->words) ||
	    (psync_check_conv(c)->exact && !seat->partial &&
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
	uint64_t base = c->hist->convs[c->hist->images[c->rec->seat].conv]
			.seq_base;
	uint32_t i;

	/* Nothing at all may be what is known of one that is back. */
	for (i = 0; i < c->rec->nset; i++)
		if ((mids[i] & ((1ULL << PSYNC_HIST_SEQ_BITS) - 1)) != base &&
		    !psync_check_holds(c, mids[i]) &&
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

/* Of those who come back. */
static void psync_check_replay_back(struct psync_check *c)
{
	switch (c->rec->type) {
	case PSYNC_REC_RESTART:
		psync_check_restart(c);
		break;
	case PSYNC_REC_SETTLED:
		psync_check_settled(c);
		break;
	case PSYNC_REC_CAUGHT:
		psync_check_caught(c);
		break;
	case PSYNC_REC_AGAIN:
		psync_check_again(c);
		break;
	case PSYNC_REC_BACK:
		c->seats[c->rec->seat].told[c->rec->others]++;
		break;
	case PSYNC_REC_LOST:
		psync_check_missed(c);
		break;
	case PSYNC_REC_CONTEXT:
		psync_check_context(c);
		break;
	case PSYNC_REC_CRASH:
		c->seats[c->rec->seat].here = false;
		break;
	default:
		break;
	}
}

/* Of images. */
static void psync_check_replay_image(struct psync_check *c)
{
	switch (c->rec->type) {
	case PSYNC_REC_ATTACHED:
		psync_check_attached(c);
		break;
	case PSYNC_REC_HOLDS:
		psync_check_acknowledged(c);
		break;
	case PSYNC_REC_FORGOTTEN:
		c->forgotten[c->rec->seat] = true;
		break;
	default:
		break;
	}
}

static void psync_check_replay(struct psync_check *c)
{
	if (psync_check_of_image(c->rec)) {
		psync_check_replay_image(c);
		return;
	}
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
		psync_check_voided(c);
		break;
	case PSYNC_REC_REST:
		psync_check_rest(c);
		break;
	case PSYNC_REC_LEAVES:
	case PSYNC_REC_ROOTS:
	case PSYNC_REC_NEXT:
	case PSYNC_REC_PREV:
		psync_check_query(c);
		break;
	default:
		psync_check_replay_back(c);
		break;
	}
}

/* So does all that lived at its site before. */
static void psync_check_crashed(struct psync_check *c,
				struct psync_check_seat *seat)
{
	const struct psync_hist_conv *conv =
		&c->hist->convs[c->insts[seat->inst].conv];
	const uint64_t *sites = &c->hist->sets[conv->sites];
	struct psync_check_seat *other;
	uint32_t i;

	for (i = c->insts[seat->inst].seats; i != PSYNC_CHECK_NONE;
	     i = other->next) {
		other = &c->seats[i];
		if (sites[other->part] == sites[seat->part])
			other->crashed = true;
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
		if (psync_check_of_image(c->rec))
			continue;
		conv = hist->seats[c->rec->seat].conv;
		seat = &c->seats[c->rec->seat];
		if (c->rec->type == PSYNC_REC_OPEN ||
		    c->rec->type == PSYNC_REC_RESTART) {
			seat->restart = c->rec->type == PSYNC_REC_RESTART;
			seat->redo = seat->restart && c->rec->answer;
			/* Who is back goes on, whoever else is there. */
			if (!open[conv]++ && (now[conv] == PSYNC_CHECK_NONE ||
					      (hist->convs[conv].named &&
					       !seat->restart))) {
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
			seat->spoke = UINT64_MAX;
			seat->next = c->insts[now[conv]].seats;
			c->insts[now[conv]].seats = c->rec->seat;
			c->verdict->late += c->insts[now[conv]].nmsgs != 0;
		} else if (c->rec->type == PSYNC_REC_CLOSE ||
			   c->rec->type == PSYNC_REC_CRASH) {
			if (c->rec->type == PSYNC_REC_CRASH)
				psync_check_crashed(c, seat);
			if (seat->closed == UINT64_MAX)
				open[conv]--;
			if (seat->closed == UINT64_MAX)
				seat->closed = c->rec->at;
		} else if (c->rec->type == PSYNC_REC_REFUSED) {
			seat->refused = true;
			c->insts[seat->inst].refused = true;
		} else if (c->rec->type == PSYNC_REC_MASK) {
			psync_check_masker(c, now[conv]);
		} else if (c->rec->type == PSYNC_REC_SEND) {
			c->insts[now[conv]].nmsgs++;
			if (!seat->nsent++)
				seat->spoke = c->rec->at;
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
	c->forgotten = psync_check_alloc(hist->nimages, sizeof(*c->forgotten));
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
		words += 12 * (size_t)c->insts[c->seats[i].inst].words;
		numbers += c->seats[i].nsent +
			   2 * hist->convs[hist->seats[i].conv].n;
	}
	c->msgs = psync_check_alloc(c->nmsgs, sizeof(*c->msgs));
	c->words = psync_check_alloc(words + 3 * most, sizeof(*c->words));
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
		seat->sure = seat->stable + in->words;
		seat->freed = seat->sure + in->words;
		seat->forgone = seat->freed + in->words;
		seat->faded = seat->forgone + in->words;
		seat->lost = seat->faded + in->words;
		seat->wanted = seat->lost + in->words;
		seat->unfound = seat->wanted + in->words;
		seat->gone = seat->unfound + in->words;
		seat->may = seat->gone + in->words;
		words += 12 * in->words;
		seat->sent = c->numbers + numbers;
		numbers += seat->nsent;
		seat->last = c->numbers + numbers;
		numbers += hist->convs[in->conv].n;
		seat->told = c->numbers + numbers;
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
		free(c.seats[i].replies);
	}
	for (i = 0; i < c.ninsts; i++) {
		free(c.insts[i].pairs);
		free(c.insts[i].tails);
		free(c.insts[i].own);
	}
	free(c.seats);
	free(c.insts);
	free(c.msgs);
	free(c.words);
	free(c.numbers);
	free(c.attached);
	free(c.forgotten);
	free(c.seqs);
}
