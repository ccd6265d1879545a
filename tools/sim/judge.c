// SPDX-License-Identifier: GPL-2.0-only
/*
 * psync-check: the checker of the simulator, for histories of real programs.
 *
 * A history is text, a line for each thing done; T is a time in ns of one clock,
 * MID is PARTICIPANT:NUMBER, and MIDS are as many as there are:
 *
 *	conversation N		there are N participants
 *	site I S		participant I is at site S
 *	ended I killed		its program was killed; its kernel said END
 *	ended I lost		its site is gone, with all that it had
 *	by I			what follows was done by participant I
 *	open T
 *	say T LEN HASH		it is about to send this
 *	said MID after MIDS	... and has, in this context
 *	made MID KIND after MIDS	its kernel sent a null message (KIND is null)
 *				or its last (end)
 *	got T MID LEN HASH WAVE KIND after MIDS
 *				it received that (data, null or end)
 *	stable T ANSWER OTHERS SITES MID	is it stable?
 *	precedes T ANSWER MID MID
 *	leaves T MIDS
 *	mask T out I		it masks participant I out; or in again
 *	mask T cut I MID	... up to that message of it
 *	mask T agreed I MID	... and so have all who remain, as it was told
 *	mask T own I MID	it, with index I, is out for all others, likewise
 *	lost T MIDS		these are lost for it, as it was told
 *	rest T COUNT MIDS	nothing moves any more; its view
 *	close T
 *
 * Time is taken before something is received or sent, and after a question is
 * answered.  What one participant did is in the order in which it did it.
 *
 * A program does not see what its kernel sends for it, and one that was killed
 * may not have put down the last thing it did.  So what others received of it,
 * and it did not put down, is put where it belongs: behind the last of its
 * predecessors, and behind what it asked before it put down that its kernel had
 * spoken.  There the checker compares it with the view, like any other.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checker.h"

#define PSYNC_JUDGE_PARTS	64
/* not a record: here it put down that its kernel had sent something */
#define PSYNC_JUDGE_MARK	UINT32_MAX
#define PSYNC_JUDGE_SEQS	65536
#define PSYNC_JUDGE_LINE	(1 << 20)
#define PSYNC_JUDGE_NOTED	1	/* things a killed program failed to note */

enum psync_judge_fate {
	PSYNC_JUDGE_LIVES,
	PSYNC_JUDGE_KILLED,
	PSYNC_JUDGE_LOST,
};

/**
 * struct psync_judge_act - one thing done
 * @next: the next one of this participant
 * @rec: as the checker will have it, but for its set
 * @set: its set
 */
struct psync_judge_act {
	struct psync_judge_act *next;
	struct psync_rec rec;
	uint64_t *set;
};

/**
 * struct psync_judge_part - a participant
 * @site: where it is
 * @fate: enum psync_judge_fate
 * @first: what it did
 * @last: the last of that
 * @open: it is about to send this: said next, or never
 * @sent: what it sent, by number
 * @most: the greatest number in @sent
 * @seat: in the history
 */
struct psync_judge_part {
	uint32_t site;
	uint32_t fate;
	struct psync_judge_act *first;
	struct psync_judge_act *last;
	struct psync_rec open;
	struct psync_judge_act *sent[PSYNC_JUDGE_SEQS];
	uint32_t most;
	uint32_t seat;
};

static struct psync_judge_part psync_judge_parts[PSYNC_JUDGE_PARTS];
static uint32_t psync_judge_n;
static const char *psync_judge_file;
static unsigned int psync_judge_line;

__attribute__((noreturn, format(printf, 1, 2)))
static void psync_judge_wrong(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "psync-check: %s:%u: ", psync_judge_file,
		psync_judge_line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void *psync_judge_alloc(size_t n, size_t size)
{
	void *mem = calloc(n ? n : 1, size);

	if (!mem) {
		fprintf(stderr, "psync-check: out of memory\n");
		exit(2);
	}
	return mem;
}

/* Reading. */

static char *psync_judge_word(void)
{
	char *word = strtok(NULL, " \t\n");

	if (!word)
		psync_judge_wrong("there is a word missing");
	return word;
}

static uint64_t psync_judge_number(void)
{
	char *word = psync_judge_word(), *end;
	uint64_t value = strtoull(word, &end, 0);

	if (*end || *word == '-')
		psync_judge_wrong("'%s' is no number", word);
	return value;
}

static uint64_t psync_judge_mid_of(const char *word)
{
	unsigned long long seq;
	unsigned int part;

	if (sscanf(word, "%u:%llu", &part, &seq) != 2 ||
	    part >= psync_judge_n || !seq || seq >= PSYNC_JUDGE_SEQS)
		psync_judge_wrong("'%s' is no message", word);
	return (uint64_t)part << PSYNC_HIST_SEQ_BITS | seq;
}

static uint64_t psync_judge_mid(void)
{
	return psync_judge_mid_of(psync_judge_word());
}

static uint32_t psync_judge_seq(uint64_t mid)
{
	return mid & ((1ULL << PSYNC_HIST_SEQ_BITS) - 1);
}

static struct psync_judge_part *psync_judge_sender(uint64_t mid)
{
	return &psync_judge_parts[mid >> PSYNC_HIST_SEQ_BITS];
}

static struct psync_judge_part *psync_judge_part(void)
{
	uint64_t i = psync_judge_number();

	if (i >= psync_judge_n)
		psync_judge_wrong("there is no participant %llu",
				  (unsigned long long)i);
	return &psync_judge_parts[i];
}

/* The rest of the line. */
static void psync_judge_set(struct psync_judge_act *act)
{
	uint32_t room = 0;
	char *word;

	while ((word = strtok(NULL, " \t\n"))) {
		if (act->rec.nset == room) {
			room = 2 * room + 8;
			act->set = realloc(act->set, room * sizeof(*act->set));
			if (!act->set)
				abort();
		}
		act->set[act->rec.nset++] = psync_judge_mid_of(word);
	}
}

static void psync_judge_after(struct psync_judge_act *act)
{
	if (strcmp(psync_judge_word(), "after"))
		psync_judge_wrong("'after' is missing");
	psync_judge_set(act);
}

static void psync_judge_kind(struct psync_judge_act *act)
{
	const char *kind = psync_judge_word();

	act->rec.null = !strcmp(kind, "null");
	act->rec.end = !strcmp(kind, "end");
	if (!act->rec.null && !act->rec.end && strcmp(kind, "data"))
		psync_judge_wrong("'%s' is no kind of message", kind);
}

static struct psync_judge_act *psync_judge_append(struct psync_judge_part *part,
						  uint32_t type, uint64_t at)
{
	struct psync_judge_act *act = psync_judge_alloc(1, sizeof(*act));

	act->rec.type = type;
	act->rec.at = at;
	if (part->last)
		part->last->next = act;
	else
		part->first = act;
	part->last = act;
	return act;
}

/* It sent that; where in the order of what it did is seen later. */
static struct psync_judge_act *psync_judge_sent(uint64_t mid)
{
	struct psync_judge_part *part = psync_judge_sender(mid);
	struct psync_judge_act *act = psync_judge_alloc(1, sizeof(*act));
	uint32_t seq = psync_judge_seq(mid);

	if (part->sent[seq])
		psync_judge_wrong("a message is sent twice");
	part->sent[seq] = act;
	part->most = seq > part->most ? seq : part->most;
	act->rec.type = PSYNC_REC_SEND;
	act->rec.mid = mid;
	return act;
}

static void psync_judge_said(struct psync_judge_part *part)
{
	uint64_t mid = psync_judge_mid();
	struct psync_judge_act *act;

	if (psync_judge_sender(mid) != part || !part->open.len)
		psync_judge_wrong("it did not say that it would");
	act = psync_judge_append(part, PSYNC_REC_SEND, part->open.at);
	act->rec.mid = mid;
	act->rec.len = part->open.len - 1;
	act->rec.hash = part->open.hash;
	part->open.len = 0;
	if (part->sent[psync_judge_seq(mid)])
		psync_judge_wrong("a message is sent twice");
	part->sent[psync_judge_seq(mid)] = act;
	if (psync_judge_seq(mid) > part->most)
		part->most = psync_judge_seq(mid);
	psync_judge_after(act);
}

static void psync_judge_made(struct psync_judge_part *part)
{
	struct psync_judge_act *mark;
	struct psync_judge_act *act = psync_judge_sent(psync_judge_mid());

	if (psync_judge_sender(act->rec.mid) != part)
		psync_judge_wrong("it made what another sent");
	psync_judge_kind(act);
	psync_judge_after(act);
	mark = psync_judge_append(part, PSYNC_JUDGE_MARK,
				  part->last ? part->last->rec.at : 0);
	mark->rec.mid = act->rec.mid;
}

static void psync_judge_got(struct psync_judge_part *part)
{
	struct psync_judge_act *act;

	act = psync_judge_append(part, PSYNC_REC_RECV, psync_judge_number());
	act->rec.mid = psync_judge_mid();
	act->rec.len = psync_judge_number();
	act->rec.hash = psync_judge_number();
	act->rec.wave = psync_judge_number();
	psync_judge_kind(act);
	psync_judge_after(act);
}

static void psync_judge_asked(struct psync_judge_part *part, uint32_t type)
{
	struct psync_judge_act *act;

	act = psync_judge_append(part, type, psync_judge_number());
	if (type == PSYNC_REC_REST) {
		act->rec.answer = psync_judge_number();
		psync_judge_set(act);
	} else if (type == PSYNC_REC_LEAVES || type == PSYNC_REC_GAP) {
		psync_judge_set(act);
	} else {
		act->rec.answer = atoi(psync_judge_word());
		if (type == PSYNC_REC_STABLE) {
			act->rec.others = psync_judge_number();
			act->rec.sites = psync_judge_number();
		}
		act->rec.mid = psync_judge_mid();
		if (type == PSYNC_REC_PRECEDES)
			act->rec.mid2 = psync_judge_mid();
	}
}

/* What it does about another. */
static void psync_judge_mask(struct psync_judge_part *part)
{
	static const char * const how[] = {
		[PSYNC_REC_MASK_OUT] = "out", [PSYNC_REC_MASK_CUT] = "cut",
		[PSYNC_REC_MASK_AGREED] = "agreed", [PSYNC_REC_MASK_IN] = "in",
		[PSYNC_REC_MASK_OWN] = "own",
	};
	struct psync_judge_act *act;
	const char *word;
	size_t i;

	act = psync_judge_append(part, PSYNC_REC_MASK, psync_judge_number());
	word = psync_judge_word();
	for (i = 0; i < sizeof(how) / sizeof(*how); i++)
		if (!strcmp(word, how[i]))
			break;
	if (i == sizeof(how) / sizeof(*how))
		psync_judge_wrong("what is 'mask %s'?", word);
	act->rec.answer = i;
	act->rec.others = psync_judge_part() - psync_judge_parts;
	if (i == PSYNC_REC_MASK_CUT || i == PSYNC_REC_MASK_AGREED ||
	    i == PSYNC_REC_MASK_OWN)
		act->rec.mid = psync_judge_mid();
}

/* What is said of the conversation as a whole; false: something else. */
static bool psync_judge_about(const char *word)
{
	struct psync_judge_part *part;

	if (!strcmp(word, "conversation")) {
		psync_judge_n = psync_judge_number();
		if (psync_judge_n < 2 || psync_judge_n > PSYNC_JUDGE_PARTS)
			psync_judge_wrong("so many participants");
	} else if (!strcmp(word, "site")) {
		part = psync_judge_part();
		part->site = psync_judge_number();
	} else if (!strcmp(word, "ended")) {
		part = psync_judge_part();
		part->fate = strcmp(psync_judge_word(), "lost") ?
			     PSYNC_JUDGE_KILLED : PSYNC_JUDGE_LOST;
	} else {
		return false;
	}
	return true;
}

static void psync_judge_did(struct psync_judge_part *part, const char *word)
{
	static const struct {
		const char *word;
		uint32_t type;
	} asked[] = {
		{ "stable", PSYNC_REC_STABLE },
		{ "precedes", PSYNC_REC_PRECEDES },
		{ "leaves", PSYNC_REC_LEAVES },
		{ "lost", PSYNC_REC_GAP },
		{ "rest", PSYNC_REC_REST },
	};
	size_t i;

	if (!strcmp(word, "open")) {
		psync_judge_append(part, PSYNC_REC_OPEN, psync_judge_number());
	} else if (!strcmp(word, "close")) {
		psync_judge_append(part, PSYNC_REC_CLOSE, psync_judge_number());
	} else if (!strcmp(word, "say")) {
		part->open.at = psync_judge_number();
		part->open.len = psync_judge_number() + 1;
		part->open.hash = psync_judge_number();
	} else if (!strcmp(word, "said")) {
		psync_judge_said(part);
	} else if (!strcmp(word, "made")) {
		psync_judge_made(part);
	} else if (!strcmp(word, "got")) {
		psync_judge_got(part);
	} else if (!strcmp(word, "mask")) {
		psync_judge_mask(part);
	} else {
		for (i = 0; i < sizeof(asked) / sizeof(*asked); i++)
			if (!strcmp(word, asked[i].word))
				break;
		if (i == sizeof(asked) / sizeof(*asked))
			psync_judge_wrong("what is '%s'?", word);
		psync_judge_asked(part, asked[i].type);
	}
}

static void psync_judge_read(const char *name)
{
	static char line[PSYNC_JUDGE_LINE];
	struct psync_judge_part *part = NULL;
	FILE *f = fopen(name, "r");
	char *word;

	if (!f) {
		perror(name);
		exit(2);
	}
	psync_judge_file = name;
	psync_judge_line = 0;
	while (fgets(line, sizeof(line), f)) {
		psync_judge_line++;
		/* the last line of who was killed */
		if (!strchr(line, '\n'))
			continue;
		word = strtok(line, " \t\n");
		if (!word || *word == '#')
			continue;
		if (!strcmp(word, "by"))
			part = psync_judge_part();
		else if (!psync_judge_about(word) && part)
			psync_judge_did(part, word);
		else if (!part && word[0] != 'c' && word[0] != 's' &&
			 word[0] != 'e')
			psync_judge_wrong("by whom?");
	}
	fclose(f);
}

/* What was not put down. */

/*
 * @got was received, and its sender does not say that it sent it: its kernel
 * did, or it was killed before it could say so.
 */
static void psync_judge_infer(const struct psync_judge_act *got)
{
	struct psync_judge_part *part = psync_judge_sender(got->rec.mid);
	struct psync_judge_act *act;

	if (part->sent[psync_judge_seq(got->rec.mid)])
		return;
	if (!got->rec.null && !got->rec.end) {
		if (part->fate == PSYNC_JUDGE_LIVES || !part->open.len ||
		    part->open.len - 1 != got->rec.len ||
		    part->open.hash != got->rec.hash)
			return;
		part->open.len = 0;
	}
	act = psync_judge_sent(got->rec.mid);
	act->rec.hash = got->rec.hash;
	act->rec.len = got->rec.len;
	act->rec.null = got->rec.null;
	act->rec.end = got->rec.end;
	act->rec.nset = got->rec.nset;
	act->set = got->set;
}

static bool psync_judge_enters(const struct psync_judge_act *act)
{
	return act->rec.type == PSYNC_REC_SEND ||
	       act->rec.type == PSYNC_REC_RECV;
}

static bool psync_judge_names(const struct psync_judge_act *act, uint64_t mid)
{
	uint32_t i;

	for (i = 0; i < act->rec.nset; i++)
		if (act->set[i] == mid)
			return true;
	return false;
}

/*
 * Its predecessors are the leaves of the view, so the last thing that entered
 * the view before it is one of them.
 */
static struct psync_judge_act *
psync_judge_before(const struct psync_judge_part *part,
		   const struct psync_judge_act *act, uint32_t *found)
{
	struct psync_judge_act *at, *last = part->first;

	*found = 0;
	for (at = part->first; at; at = at->next) {
		if (!psync_judge_enters(at) ||
		    !psync_judge_names(act, at->rec.mid))
			continue;
		++*found;
		last = at;
	}
	while (last->next && !psync_judge_enters(last->next) &&
	       last->next->rec.type != PSYNC_REC_CLOSE &&
	       (last->next->rec.type != PSYNC_JUDGE_MARK ||
		last->next->rec.mid != act->rec.mid))
		last = last->next;
	return last;
}

/* A program was killed when it had received this and not yet put it down. */
static void psync_judge_unnoted(struct psync_judge_part *part,
				const struct psync_judge_act *act)
{
	const struct psync_judge_act *at, *sent;
	struct psync_judge_act *got;
	uint32_t i, missing = 0;
	uint64_t mid = 0;

	for (i = 0; i < act->rec.nset; i++) {
		for (at = part->first; at; at = at->next)
			if (psync_judge_enters(at) &&
			    at->rec.mid == act->set[i])
				break;
		if (!at) {
			missing++;
			mid = act->set[i];
		}
	}
	if (missing != PSYNC_JUDGE_NOTED || psync_judge_sender(mid) == part)
		return;
	sent = psync_judge_sender(mid)->sent[psync_judge_seq(mid)];
	if (!sent)
		return;
	got = psync_judge_append(part, PSYNC_REC_RECV, part->last->rec.at);
	got->rec = sent->rec;
	got->rec.type = PSYNC_REC_RECV;
	got->rec.at = part->last->rec.at;
	got->set = sent->set;
}

/* The wave of a message that was not received: the checker's, later. */
static bool psync_judge_placed(const struct psync_judge_part *part,
			       const struct psync_judge_act *act)
{
	const struct psync_judge_act *at;

	for (at = part->first; at; at = at->next)
		if (at == act)
			return true;
	return false;
}

/*
 * It closed.  Its kernel's last word is put before that; when all who live had
 * closed before, nobody heard it, and it counts as one who is still there.
 */
static void psync_judge_close(struct psync_judge_part *part,
			      struct psync_judge_act *close)
{
	const struct psync_judge_part *other;
	struct psync_judge_act *at;
	bool alone = true;
	uint32_t i;

	for (i = 0; i < psync_judge_n; i++) {
		other = &psync_judge_parts[i];
		alone &= other == part || !other->last ||
			 other->fate != PSYNC_JUDGE_LIVES ||
			 (other->last->rec.type == PSYNC_REC_CLOSE &&
			  other->last->rec.at < close->rec.at);
	}
	for (at = part->first; alone && at->next; at = at->next) {
		if (at->next == close) {
			at->next = NULL;
			part->last = at;
			break;
		}
	}
}

static void psync_judge_place(struct psync_judge_part *part)
{
	struct psync_judge_act *act, *at;
	uint32_t seq, found;
	bool noted = part->fate == PSYNC_JUDGE_LIVES;

	for (seq = 1; seq <= part->most && part->first; seq++) {
		act = part->sent[seq];
		if (!act || psync_judge_placed(part, act))
			continue;
		at = psync_judge_before(part, act, &found);
		if (found < act->rec.nset && !noted) {
			psync_judge_unnoted(part, act);
			noted = true;
			at = psync_judge_before(part, act, &found);
		}
		act->rec.at = at->rec.at;
		/* its last word is said when it closes */
		if (at->next && at->next->rec.type == PSYNC_REC_CLOSE)
			act->rec.at = at->next->rec.at;
		act->next = at->next;
		at->next = act;
		if (part->last == at)
			part->last = act;
	}
	at = part->last;
	if (at && at->rec.type == PSYNC_REC_CLOSE)
		psync_judge_close(part, at);
	if (part->fate != PSYNC_JUDGE_LIVES && part->first)
		psync_judge_append(part, part->fate == PSYNC_JUDGE_LOST ?
				   PSYNC_REC_CRASH : PSYNC_REC_CLOSE,
				   part->last->rec.at);
}

/*
 * What nobody put down as received has no wave there; what was inferred is
 * received in the wave that others saw.
 */
static void psync_judge_waves(void)
{
	const struct psync_judge_act *at, *got;
	uint32_t i, k;
	struct psync_judge_act *act;

	for (i = 0; i < psync_judge_n; i++)
		for (act = psync_judge_parts[i].first; act; act = act->next)
			for (k = 0; act->rec.type == PSYNC_REC_RECV &&
			     !act->rec.wave && k < psync_judge_n; k++) {
				at = psync_judge_parts[k].first;
				for (got = at; got; got = got->next)
					if (got->rec.type == PSYNC_REC_RECV &&
					    got->rec.mid == act->rec.mid &&
					    got->rec.wave)
						act->rec.wave = got->rec.wave;
			}
}

/* One after the other. */

static bool psync_judge_ready(const struct psync_judge_act *act)
{
	const struct psync_judge_act *sent;

	if (act->rec.type != PSYNC_REC_RECV)
		return true;
	sent = psync_judge_sender(act->rec.mid)
		->sent[psync_judge_seq(act->rec.mid)];
	/* what was emitted has no successor, see psync_judge_emit() */
	return !sent || sent->next == sent;
}

static void psync_judge_emit(struct psync_hist *hist,
			     struct psync_judge_part *part)
{
	struct psync_judge_act *act = part->first;
	struct psync_rec *rec;

	part->first = act->next;
	act->next = act;
	if (act->rec.type == PSYNC_JUDGE_MARK)
		return;
	if (act->rec.type == PSYNC_REC_OPEN) {
		part->seat = psync_hist_seat_add(hist, act->rec.at, 0,
						 part - psync_judge_parts,
						 PSYNC_REC_OPEN);
		return;
	}
	rec = psync_hist_add(hist, act->rec.at, act->rec.type, part->seat);
	act->rec.seat = part->seat;
	act->rec.set = rec->set;
	*rec = act->rec;
	rec->nset = 0;
	psync_hist_set(hist, (unsigned long long *)act->set, act->rec.nset);
}

/* By time, but nothing is received before it is sent. */
static void psync_judge_merge(struct psync_hist *hist)
{
	struct psync_judge_part *part, *next, *waits;
	uint32_t i;

	for (;;) {
		next = NULL;
		waits = NULL;
		for (i = 0; i < psync_judge_n; i++) {
			part = &psync_judge_parts[i];
			if (!part->first)
				continue;
			waits = part;
			if (psync_judge_ready(part->first) &&
			    (!next ||
			     part->first->rec.at < next->first->rec.at))
				next = part;
		}
		if (!waits)
			return;
		psync_judge_emit(hist, next ? next : waits);
	}
}

static void psync_judge_conv(struct psync_hist *hist)
{
	uint64_t *sites;
	uint32_t i, k;

	sites = psync_hist_conv_add(hist, &(struct psync_hist_conv){
		.n = psync_judge_n, .exact = true });
	for (i = 0; i < psync_judge_n; i++) {
		for (k = 0; psync_judge_parts[k].site !=
		     psync_judge_parts[i].site; k++)
			;
		sites[i] = k;
	}
}

static void psync_judge_check_open(void)
{
	uint32_t i;

	for (i = 0; i < psync_judge_n; i++) {
		if (psync_judge_parts[i].first &&
		    psync_judge_parts[i].first->rec.type != PSYNC_REC_OPEN)
			psync_judge_wrong("participant %u does not open", i);
	}
}

int main(int argc, char **argv)
{
	struct psync_verdict verdict;
	struct psync_hist hist = { 0 };
	struct psync_judge_act *act;
	uint32_t i;
	int k;

	if (argc < 2) {
		fputs("usage: psync-check FILE...\n\nJudges a history (see judge.c).\n"
		      "Exit status: 0 nothing found, 1 something found, 2 it is no history.\n",
		      stderr);
		return 2;
	}
	for (k = 1; k < argc; k++)
		psync_judge_read(argv[k]);
	psync_judge_check_open();
	for (i = 0; i < psync_judge_n; i++)
		for (act = psync_judge_parts[i].first; act; act = act->next)
			if (act->rec.type == PSYNC_REC_RECV)
				psync_judge_infer(act);
	for (i = 0; i < psync_judge_n; i++)
		psync_judge_place(&psync_judge_parts[i]);
	psync_judge_waves();
	psync_judge_conv(&hist);
	psync_judge_merge(&hist);
	psync_check(&hist, &verdict);
	printf("%zu records, %llu received, depth %llu, width %llu\n",
	       hist.nrecs, (unsigned long long)verdict.receives,
	       (unsigned long long)verdict.depth,
	       (unsigned long long)verdict.width);
	if (verdict.invariant)
		printf("FAIL invariant=%s %s\n", verdict.invariant,
		       verdict.text);
	psync_hist_free(&hist);
	return verdict.invariant != NULL;
}
