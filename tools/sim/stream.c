// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker's bounded form, for runs whose history does not fit.
 *
 * checker.c keeps sets of messages as bitmaps, which grow with the square of
 * the history.  Here every participant opens once, nothing is ever given up,
 * and therefore sets that are closed downwards are vectors: of each
 * participant the number of its last message in the set.  The context of a
 * message is such a vector, computed from those of the predecessors that it
 * was sent with, and of each participant only the last messages are kept.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

/* Messages kept of each participant; more than limits let be outstanding. */
#define PSYNC_STREAM_WINDOW	16384

#define PSYNC_STREAM_SEQ	((1ULL << PSYNC_HIST_SEQ_BITS) - 1)

/**
 * struct psync_stream_msg - a message sent
 * @hash: of its bytes
 * @len: its length
 * @wave: its wave
 * @end: its sender's last
 * @null: its sender's kernel sent it
 * @context: what precedes it, and itself
 * @preds: its immediate predecessors, 0: none of that participant
 */
struct psync_stream_msg {
	uint64_t hash;
	uint32_t len;
	uint32_t wave;
	bool end;
	bool null;
	uint64_t *context;
	uint64_t *preds;
};

/**
 * struct psync_stream_part - a participant
 * @sent: messages it sent
 * @msgs: the last of them
 * @rooted: its first one has no predecessors
 * @fresh: since its last message it received one that a program sent
 * @view: what it sent or received
 * @said: of that, the last that programs sent
 * @stable: what it was told to be stable
 * @count: messages in @view
 */
struct psync_stream_part {
	uint64_t sent;
	struct psync_stream_msg *msgs;
	bool rooted;
	bool fresh;
	uint64_t *view;
	uint64_t *said;
	uint64_t *stable;
	uint64_t count;
};

/**
 * struct psync_stream - a history being judged
 * @hist: it
 * @verdict: so far
 * @rec: the record being looked at
 * @base: sequence numbers begin after it
 * @n: participants
 * @rested: how many were found at rest
 * @parts: they
 * @attached: by image: last message attached of each participant
 * @images: how many
 * @set: the record's set, by participant
 * @truth: what it should be
 * @mem: memory for numbers
 */
struct psync_stream {
	struct psync_hist *hist;
	struct psync_verdict *verdict;
	const struct psync_rec *rec;
	uint64_t base;
	uint32_t n;
	uint32_t rested;
	struct psync_stream_part *parts;
	uint64_t *attached;
	size_t images;
	uint64_t *set;
	uint64_t *truth;
	uint64_t *mem;
};

static void *psync_stream_alloc(size_t n, size_t size)
{
	void *mem = calloc(n, size);

	if (!mem) {
		fprintf(stderr, "psync-sim: out of memory\n");
		abort();
	}
	return mem;
}

__attribute__((format(printf, 3, 4)))
static void psync_stream_fail(struct psync_stream *s, const char *invariant,
			      const char *fmt, ...)
{
	struct psync_verdict *v = s->verdict;
	va_list args;
	int n;

	if (v->invariant)
		return;
	v->invariant = invariant;
	n = snprintf(v->text, sizeof(v->text), "at=%llu by=%u mid=%u:%llu: ",
		     (unsigned long long)s->rec->at, s->rec->seat,
		     (unsigned int)(s->rec->mid >> PSYNC_HIST_SEQ_BITS),
		     (unsigned long long)(s->rec->mid & PSYNC_STREAM_SEQ));
	va_start(args, fmt);
	vsnprintf(v->text + n, sizeof(v->text) - n, fmt, args);
	va_end(args);
}

static uint32_t psync_stream_sender(uint64_t mid)
{
	return mid >> PSYNC_HIST_SEQ_BITS;
}

/* Which message of its sender, from 1; 0: none. */
static uint64_t psync_stream_nth(const struct psync_stream *s, uint64_t mid)
{
	uint64_t seq = mid & PSYNC_STREAM_SEQ;

	return seq > s->base && psync_stream_sender(mid) < s->n ?
	       seq - s->base : 0;
}

static struct psync_stream_part *psync_stream_self(struct psync_stream *s)
{
	return &s->parts[s->hist->seats[s->rec->seat].part];
}

/* The @nth message of a participant, or NULL: never sent, or long ago. */
static struct psync_stream_msg *psync_stream_msg(struct psync_stream *s,
						 uint32_t part, uint64_t nth)
{
	struct psync_stream_part *from = &s->parts[part];

	if (!nth || nth > from->sent)
		return NULL;
	if (nth + PSYNC_STREAM_WINDOW <= from->sent)
		return NULL;
	return &from->msgs[nth % PSYNC_STREAM_WINDOW];
}

/* The last one of @part in the view; it is in the window, or the judge ends. */
static struct psync_stream_msg *
psync_stream_last(struct psync_stream *s, const struct psync_stream_part *self,
		  uint32_t part)
{
	struct psync_stream_msg *msg;

	msg = psync_stream_msg(s, part, self->view[part]);
	if (!msg && self->view[part])
		psync_stream_fail(s, "window", "its view ends with %u:%llu",
				  part,
				  (unsigned long long)self->view[part]);
	return msg;
}

/* The record's set, by participant; false if it cannot be one. */
static bool psync_stream_set(struct psync_stream *s)
{
	const uint64_t *mids = &s->hist->sets[s->rec->set];
	uint64_t nth;
	uint32_t i;

	memset(s->set, 0, s->n * sizeof(*s->set));
	for (i = 0; i < s->rec->nset; i++) {
		nth = psync_stream_nth(s, mids[i]);
		if (!nth || s->set[psync_stream_sender(mids[i])])
			return false;
		s->set[psync_stream_sender(mids[i])] = nth;
	}
	return true;
}

/* ... which must be what is in @truth. */
static void psync_stream_same(struct psync_stream *s, const char *invariant,
			      const uint64_t *truth)
{
	if (!psync_stream_set(s) ||
	    memcmp(s->set, truth, s->n * sizeof(*truth)))
		psync_stream_fail(s, invariant, "%u named", s->rec->nset);
}

/* The leaves of a view: of whom nothing else in it follows the last. */
static void psync_stream_leaves(struct psync_stream *s,
				const struct psync_stream_part *self)
{
	const struct psync_stream_msg *last;
	uint32_t i, k;

	memcpy(s->truth, self->view, s->n * sizeof(*s->truth));
	for (i = 0; i < s->n; i++) {
		last = psync_stream_last(s, self, i);
		for (k = 0; last && k < s->n; k++)
			if (k != i && last->context[k] >= self->view[k])
				s->truth[k] = 0;
	}
}

static void psync_stream_send(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	const struct psync_stream_msg *last, *pred;
	uint64_t nth = psync_stream_nth(s, s->rec->mid);
	uint32_t part = self - s->parts, i, k;
	struct psync_stream_msg *msg;

	if (psync_stream_sender(s->rec->mid) != part || nth != self->sent + 1)
		psync_stream_fail(s, "mid-order", "it sent %llu before",
				  (unsigned long long)self->sent);
	last = psync_stream_msg(s, part, self->sent);
	if (last && last->end)
		psync_stream_fail(s, "end-last", "sent after its end");
	if (s->rec->null && !self->fresh)
		psync_stream_fail(s, "null-sake", "acknowledges nothing");
	psync_stream_leaves(s, self);
	psync_stream_same(s, "leaves", s->truth);
	if (s->verdict->invariant)
		return;
	self->fresh = false;
	self->sent++;
	self->rooted |= self->sent == 1 && !s->rec->nset;
	msg = &self->msgs[self->sent % PSYNC_STREAM_WINDOW];
	msg->hash = s->rec->hash;
	msg->len = s->rec->len;
	msg->end = s->rec->end;
	msg->null = s->rec->null;
	msg->wave = 1;
	memcpy(msg->preds, s->set, s->n * sizeof(*s->set));
	memset(msg->context, 0, s->n * sizeof(*msg->context));
	for (i = 0; i < s->n; i++) {
		pred = psync_stream_msg(s, i, msg->preds[i]);
		if (!pred)
			continue;
		msg->wave = pred->wave + 1 > msg->wave ? pred->wave + 1 :
							 msg->wave;
		for (k = 0; k < s->n; k++)
			if (pred->context[k] > msg->context[k])
				msg->context[k] = pred->context[k];
	}
	msg->context[part] = self->sent;
	self->view[part] = self->sent;
	self->count++;
	if (msg->wave > s->verdict->depth)
		s->verdict->depth = msg->wave;
}

static void psync_stream_recv(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	uint32_t part = psync_stream_sender(s->rec->mid), i;
	uint64_t nth = psync_stream_nth(s, s->rec->mid);
	const struct psync_stream_msg *msg;

	if (!nth || nth > s->parts[part].sent) {
		psync_stream_fail(s, "integrity", "never sent");
		return;
	}
	msg = psync_stream_msg(s, part, nth);
	if (!msg) {
		psync_stream_fail(s, "window", "received very late");
		return;
	}
	if (msg->hash != s->rec->hash || msg->len != s->rec->len)
		psync_stream_fail(s, "integrity", "never sent like this");
	if (&s->parts[part] == self)
		psync_stream_fail(s, "own", "received what it sent");
	if (nth <= self->view[part])
		psync_stream_fail(s, "once", "received again");
	for (i = 0; i < s->n; i++)
		if (msg->context[i] - (i == part) > self->view[i])
			psync_stream_fail(s, "causal-order",
					  "received before a predecessor");
	psync_stream_same(s, "edges", msg->preds);
	if (msg->wave != s->rec->wave)
		psync_stream_fail(s, "wave", "wave %u, is %u", s->rec->wave,
				  msg->wave);
	self->view[part] = nth;
	self->count++;
	if (!msg->null && !msg->end) {
		self->said[part] = nth;
		self->fresh = true;
	}
	s->verdict->receives++;
}

/* Has participant @part ended, as @self has seen? */
static bool psync_stream_ended(struct psync_stream *s,
			       const struct psync_stream_part *self,
			       uint32_t part)
{
	const struct psync_stream_msg *last = psync_stream_last(s, self, part);

	return last && last->end;
}

static void psync_stream_stable(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	uint32_t part = psync_stream_sender(s->rec->mid), i, others = 0, ended;
	uint64_t nth = psync_stream_nth(s, s->rec->mid);
	bool known = nth && nth <= self->view[part];
	const struct psync_stream_msg *last;

	if (known == (s->rec->answer == PSYNC_HIST_UNKNOWN))
		psync_stream_fail(s, "known", "answer %d", s->rec->answer);
	if (!known)
		return;
	for (i = 0, ended = 0; i < s->n; i++) {
		last = psync_stream_last(s, self, i);
		if (i == part || !last)
			continue;
		if (last->context[part] >= nth)
			others++;
		else
			ended += last->end;
		if (s->rec->answer == 1 && s->parts[i].view[part] < nth &&
		    !psync_stream_ended(s, self, i))
			psync_stream_fail(s, "stable-view",
					  "participant %u has it not", i);
	}
	if (s->rec->others > others ||
	    (s->rec->answer == 1 && others + ended < s->n - 1))
		psync_stream_fail(s, "stable-exact", "%d, %u others; are %u",
				  s->rec->answer, s->rec->others, others);
	if (!s->rec->answer && self->stable[part] >= nth)
		psync_stream_fail(s, "stable-revoked", "was stable before");
	if (s->rec->answer == 1 && self->stable[part] < nth)
		self->stable[part] = nth;
}

/* A message asked about, in the view; NULL: it is not there, or too old. */
static const struct psync_stream_msg *
psync_stream_asked(struct psync_stream *s, uint64_t mid, bool *known)
{
	struct psync_stream_part *self = psync_stream_self(s);
	uint32_t part = psync_stream_sender(mid);
	uint64_t nth = psync_stream_nth(s, mid);

	*known = nth && nth <= self->view[part];
	return *known ? psync_stream_msg(s, part, nth) : NULL;
}

/* Is it an answer that can be judged? */
static bool psync_stream_answered(struct psync_stream *s, bool known)
{
	if (s->rec->answer == PSYNC_HIST_FREED && known)
		return false;
	if (known != (s->rec->answer >= 0))
		psync_stream_fail(s, "known", "answer %d, %s the view",
				  s->rec->answer, known ? "in" : "not in");
	return known && !s->verdict->invariant;
}

static void psync_stream_precedes(struct psync_stream *s)
{
	uint64_t nth = psync_stream_nth(s, s->rec->mid);
	const struct psync_stream_msg *second;
	bool known[2], freed;

	freed = s->rec->answer == PSYNC_HIST_FREED;
	psync_stream_asked(s, s->rec->mid, &known[0]);
	second = psync_stream_asked(s, s->rec->mid2, &known[1]);
	if (!psync_stream_answered(s, freed ? known[0] || known[1] :
				   known[0] && known[1]))
		return;
	if (!second)
		psync_stream_fail(s, "window", "kept very long");
	else if (s->rec->answer !=
		 (s->rec->mid != s->rec->mid2 &&
		  second->context[psync_stream_sender(s->rec->mid)] >= nth))
		psync_stream_fail(s, "precedes", "answered %d",
				  s->rec->answer);
}

static void psync_stream_prev(struct psync_stream *s)
{
	const struct psync_stream_msg *msg;
	bool known;

	msg = psync_stream_asked(s, s->rec->mid, &known);
	if (!psync_stream_answered(s, known))
		return;
	if (!msg)
		psync_stream_fail(s, "window", "kept very long");
	else
		psync_stream_same(s, "prev", msg->preds);
}

/* Of each participant the first message in whose context it is may follow. */
static void psync_stream_next(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	uint32_t part = psync_stream_sender(s->rec->mid), i;
	uint64_t nth = psync_stream_nth(s, s->rec->mid), k;
	const struct psync_stream_msg *msg;
	bool known;

	psync_stream_asked(s, s->rec->mid, &known);
	if (!psync_stream_answered(s, known))
		return;
	memset(s->truth, 0, s->n * sizeof(*s->truth));
	for (i = 0; i < s->n; i++) {
		for (k = self->view[i]; (msg = psync_stream_msg(s, i, k)) &&
		     msg->context[part] >= nth && (i != part || k > nth); k--)
			if (msg->preds[part] == nth)
				s->truth[i] = k;
	}
	psync_stream_same(s, "next", s->truth);
}

static void psync_stream_roots(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	uint32_t i;

	for (i = 0; i < s->n; i++)
		s->truth[i] = s->parts[i].rooted && self->view[i];
	psync_stream_same(s, "roots", s->truth);
}

static void psync_stream_awaited(struct psync_stream *s)
{
	uint32_t part = psync_stream_sender(s->rec->mid), i, others = 0;
	uint64_t nth = psync_stream_nth(s, s->rec->mid);

	for (i = 0; i < s->n; i++)
		others += i != part && s->parts[i].view[part] >= nth;
	if (s->rec->answer == 1 && others < s->rec->others)
		psync_stream_fail(s, "awaited", "told %u, %u have",
				  s->rec->others, others);
}

static void psync_stream_outstanding(struct psync_stream *s)
{
	uint64_t sent = 0;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		sent += s->parts[i].sent;
	if (s->rec->answer < 0 || !s->rec->answer != !s->rec->others ||
	    (uint64_t)s->rec->answer > sent - psync_stream_self(s)->count)
		psync_stream_fail(s, "outstanding", "%d", s->rec->answer);
}

/* Nothing is left to be acknowledged, if anybody is there to hear it. */
static void psync_stream_acked(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	const struct psync_stream_msg *last;
	uint32_t i, others = 0;

	for (i = 0; i < s->n; i++)
		others += &s->parts[i] != self &&
			  !psync_stream_ended(s, self, i);
	last = psync_stream_last(s, self, self - s->parts);
	for (i = 0; others && i < s->n; i++)
		if (self->said[i] && (!last ||
				      last->context[i] < self->said[i]))
			psync_stream_fail(s, "null-due",
					  "has not acknowledged %u:%llu", i,
					  (unsigned long long)self->said[i]);
}

/* Nothing moves any more: all that was sent is in the view. */
static void psync_stream_rest(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	const uint64_t *mids = &s->hist->sets[s->rec->set];
	const struct psync_stream_msg *msg;
	uint32_t i, k, part;
	bool known;

	for (i = 0; i < s->n; i++)
		if (self->view[i] != s->parts[i].sent)
			psync_stream_fail(s, "reliable",
					  "%llu of %llu of participant %u",
					  (unsigned long long)self->view[i],
					  (unsigned long long)s->parts[i].sent,
					  i);
	psync_stream_acked(s);
	if ((uint64_t)(uint32_t)s->rec->answer != self->count)
		psync_stream_fail(s, "rest-view", "%d counted, are %llu",
				  s->rec->answer,
				  (unsigned long long)self->count);
	memset(s->truth, 0, s->n * sizeof(*s->truth));
	for (i = 0; i < s->rec->nset && !s->verdict->invariant; i++) {
		msg = psync_stream_asked(s, mids[i], &known);
		part = psync_stream_sender(mids[i]);
		if (!msg || psync_stream_nth(s, mids[i]) <= s->truth[part]) {
			psync_stream_fail(s, "linear-order", "entry %u", i);
			return;
		}
		for (k = 0; k < s->n; k++)
			if (msg->context[k] > s->truth[k])
				s->truth[k] = msg->context[k];
	}
	s->rested++;
}

static void psync_stream_close(struct psync_stream *s)
{
	struct psync_stream_part *self = psync_stream_self(s);
	const struct psync_stream_msg *last;
	bool heard = false;
	uint32_t i;

	for (i = 0; i < s->n; i++) {
		last = psync_stream_msg(s, i, s->parts[i].sent);
		heard |= &s->parts[i] != self && last && !last->end;
	}
	last = psync_stream_msg(s, self - s->parts, self->sent);
	if (self->count && heard && (!last || !last->end))
		psync_stream_fail(s, "end-missing", "closed without its end");
}

static void psync_stream_attached(struct psync_stream *s)
{
	const uint64_t *mids = &s->hist->sets[s->rec->set];
	uint32_t i;

	for (i = 0; i < s->rec->nset; i++)
		s->attached[s->rec->seat * s->n +
			    psync_stream_sender(mids[i])] =
			psync_stream_nth(s, mids[i]);
}

/* An image goes by it that another has attached something. */
static void psync_stream_acknowledged(struct psync_stream *s)
{
	const uint64_t *mids = &s->hist->sets[s->rec->set];
	const struct psync_hist_image *image;
	const struct psync_rec *rec = s->rec;
	uint32_t i, part;
	size_t k;

	for (i = 0; i < rec->nset; i++) {
		part = psync_stream_sender(mids[i]);
		for (k = 0; k < s->hist->nimages; k++) {
			image = &s->hist->images[k];
			if (image->site == rec->sites &&
			    (!rec->mid || image->inc == rec->mid) &&
			    (!rec->mid2 || image->opening == rec->mid2) &&
			    s->attached[k * s->n + part] >=
			    psync_stream_nth(s, mids[i]))
				break;
		}
		if (k == s->hist->nimages)
			psync_stream_fail(s, "acknowledged",
					  "site %u has not attached entry %u",
					  rec->sites, i);
	}
}

static void psync_stream_open(struct psync_stream *s)
{
	if (psync_stream_self(s)->count || s->rec->nset)
		psync_stream_fail(s, "once", "it opens again, or late");
}

static void psync_stream_judge(struct psync_stream *s)
{
	static void (* const judge[])(struct psync_stream *s) = {
		[PSYNC_REC_OPEN] = psync_stream_open,
		[PSYNC_REC_CLOSE] = psync_stream_close,
		[PSYNC_REC_SEND] = psync_stream_send,
		[PSYNC_REC_RECV] = psync_stream_recv,
		[PSYNC_REC_STABLE] = psync_stream_stable,
		[PSYNC_REC_PRECEDES] = psync_stream_precedes,
		[PSYNC_REC_ROOTS] = psync_stream_roots,
		[PSYNC_REC_NEXT] = psync_stream_next,
		[PSYNC_REC_PREV] = psync_stream_prev,
		[PSYNC_REC_AWAITED] = psync_stream_awaited,
		[PSYNC_REC_OUTSTANDING] = psync_stream_outstanding,
		[PSYNC_REC_ATTACHED] = psync_stream_attached,
		[PSYNC_REC_HOLDS] = psync_stream_acknowledged,
		[PSYNC_REC_REST] = psync_stream_rest,
	};

	if (s->rec->type == PSYNC_REC_LEAVES) {
		psync_stream_leaves(s, psync_stream_self(s));
		psync_stream_same(s, "leaves", s->truth);
	} else if (s->rec->type == PSYNC_REC_FORGOTTEN) {
		/* Nobody comes back, who would ask what it knew. */
		return;
	} else if (s->rec->type > PSYNC_REC_REST || !judge[s->rec->type]) {
		psync_stream_fail(s, "refused", "record of type %u",
				  s->rec->type);
	} else {
		judge[s->rec->type](s);
	}
}

struct psync_stream *psync_stream_new(struct psync_hist *hist)
{
	struct psync_stream *s = psync_stream_alloc(1, sizeof(*s));
	uint32_t n = hist->convs[0].n, i, k;
	size_t each = 2 * (size_t)n * PSYNC_STREAM_WINDOW + 3 * n;
	struct psync_stream_part *part;
	uint64_t *mem;

	s->hist = hist;
	s->n = n;
	s->base = hist->convs[0].seq_base;
	s->parts = psync_stream_alloc(n, sizeof(*s->parts));
	s->mem = psync_stream_alloc(each * n + 2 * n, sizeof(*s->mem));
	s->set = s->mem;
	s->truth = s->set + n;
	mem = s->truth + n;
	for (i = 0; i < n; i++) {
		part = &s->parts[i];
		part->msgs = psync_stream_alloc(PSYNC_STREAM_WINDOW,
						sizeof(*part->msgs));
		part->view = mem;
		part->said = mem + n;
		part->stable = mem + 2 * n;
		mem += 3 * n;
		for (k = 0; k < PSYNC_STREAM_WINDOW; k++, mem += 2 * n) {
			part->msgs[k].context = mem;
			part->msgs[k].preds = mem + n;
			/* it takes its memory now, not as it goes on */
			*(volatile uint64_t *)mem = 0;
		}
	}
	return s;
}

/* Images that are new have attached nothing. */
static void psync_stream_images(struct psync_stream *s)
{
	size_t n = s->hist->nimages;

	if (n == s->images)
		return;
	s->attached = realloc(s->attached, n * s->n * sizeof(*s->attached));
	if (!s->attached)
		abort();
	memset(s->attached + s->images * s->n, 0,
	       (n - s->images) * s->n * sizeof(*s->attached));
	s->images = n;
}

void psync_stream_feed(struct psync_stream *s, struct psync_verdict *verdict)
{
	struct psync_hist *hist = s->hist;
	size_t i;

	s->verdict = verdict;
	psync_stream_images(s);
	for (i = 0; i < hist->nrecs && !verdict->invariant; i++) {
		s->rec = &hist->recs[i];
		psync_stream_judge(s);
	}
	hist->nrecs = 0;
	/* what is left is the sites of the conversation */
	hist->nsets = s->n;
}

uint32_t psync_stream_rested(const struct psync_stream *s)
{
	return s->rested;
}

void psync_stream_free(struct psync_stream *s)
{
	uint32_t i;

	for (i = 0; i < s->n; i++)
		free(s->parts[i].msgs);
	free(s->parts);
	free(s->attached);
	free(s->mem);
	free(s);
}
