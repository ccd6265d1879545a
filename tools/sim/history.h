/* SPDX-License-Identifier: GPL-2.0-only */
/* What participants did and were told, in the order of (virtual) time. */
#ifndef _PSYNC_SIM_HISTORY_H
#define _PSYNC_SIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * This is all the checker knows.  It names nothing of the core: mids are
 * participant index << 48 | sequence number, as programs see them.
 */
#define PSYNC_HIST_SEQ_BITS	48
#define PSYNC_HIST_UNKNOWN	(-1)	/* answer: not in the view */
#define PSYNC_HIST_FREED	(-2)	/* answer: no longer kept */
#define PSYNC_HIST_WANTED	(-3)	/* answer: not to be freed yet */

/**
 * enum psync_rec_type - what was done
 * @PSYNC_REC_OPEN: the seat's participant opened; the set is the leaves of what
 *	it begins behind: none, unless its site gave earlier messages up
 * @PSYNC_REC_CLOSE: it closed
 * @PSYNC_REC_REFUSED: it was told that others go on without it
 * @PSYNC_REC_SEND: it sent @mid, @hash, @len in the context of the set
 * @PSYNC_REC_RECV: it received @mid, @hash, @len, whose predecessors are the
 *	set and whose wave is @wave
 * @PSYNC_REC_STABLE: is @mid stable?  @answer, @others, @sites
 * @PSYNC_REC_PRECEDES: does @mid precede @mid2?  @answer
 * @PSYNC_REC_LEAVES: the set is what it was told
 * @PSYNC_REC_ROOTS: likewise
 * @PSYNC_REC_NEXT: successors of @mid; @answer is negative or the set counts
 * @PSYNC_REC_PREV: predecessors of @mid, likewise
 * @PSYNC_REC_FREE: it had @mid and all that precedes it freed, or @answer says
 *	why not
 * @PSYNC_REC_AWAITED: @others participants and @sites sites have @mid (@answer 1),
 *	as it waited for, or never will
 * @PSYNC_REC_OUTSTANDING: @answer wait; @others says whether one can be taken
 * @PSYNC_REC_CRASH: its site crashed: it is gone, and nobody was told
 * @PSYNC_REC_ATTACHED: an image (@seat) has attached its participants' messages
 *	up to those of the set
 * @PSYNC_REC_HOLDS: an image (@seat) goes by it that site @sites, incarnation
 *	@mid, opening @mid2 (or 0: any) has attached those up to the set's;
 *	@others is the first participant there
 * @PSYNC_REC_FORGOTTEN: an image (@seat) is no more
 * @PSYNC_REC_MASK: it did something about participant @others: @answer is enum
 *	psync_rec_mask; CUT, AGREED: @mid is the last message that counts
 * @PSYNC_REC_GAP: where there are masks it was told that messages are lost to it:
 *	@answer of those that were here and did not count for it; 0: the set,
 *	those that were not here and will never be
 * @PSYNC_REC_VOID: @mid entered its view, and its program was not given it
 * @PSYNC_REC_RESTART: the seat's participant is back (P 5); its view is to have
 *	the leaves of the set; @answer: its program runs again
 * @PSYNC_REC_SETTLED: its view has begun, and has the leaves of the set; @answer:
 *	it was told of a gap, and its view has all up to those of the set
 * @PSYNC_REC_CAUGHT: its view has what it sent up to @mid
 * @PSYNC_REC_AGAIN: its program sent what it had sent before, @hash and @len,
 *	and was told @mid
 * @PSYNC_REC_BACK: it was told that participant @others is back
 * @PSYNC_REC_LOST: where participants come back it was told that the set is lost
 *	for it; @answer: each for itself, as leaves of its restart
 * @PSYNC_REC_CONTEXT: all up to those of the set may be in the context of what
 *	it sent last, since that was lost
 * @PSYNC_REC_REST: nothing moves any more; the set is the view, in the order
 *	of attachment; @answer is the number of messages that entered it
 */
enum psync_rec_type {
	PSYNC_REC_OPEN,
	PSYNC_REC_CLOSE,
	PSYNC_REC_REFUSED,
	PSYNC_REC_SEND,
	PSYNC_REC_RECV,
	PSYNC_REC_STABLE,
	PSYNC_REC_PRECEDES,
	PSYNC_REC_LEAVES,
	PSYNC_REC_ROOTS,
	PSYNC_REC_NEXT,
	PSYNC_REC_PREV,
	PSYNC_REC_FREE,
	PSYNC_REC_AWAITED,
	PSYNC_REC_OUTSTANDING,
	PSYNC_REC_CRASH,
	PSYNC_REC_ATTACHED,
	PSYNC_REC_HOLDS,
	PSYNC_REC_FORGOTTEN,
	PSYNC_REC_MASK,
	PSYNC_REC_GAP,
	PSYNC_REC_VOID,
	PSYNC_REC_RESTART,
	PSYNC_REC_SETTLED,
	PSYNC_REC_CAUGHT,
	PSYNC_REC_AGAIN,
	PSYNC_REC_BACK,
	PSYNC_REC_LOST,
	PSYNC_REC_CONTEXT,
	PSYNC_REC_REST,
};

/**
 * enum psync_rec_mask - what was done about a participant
 * @PSYNC_REC_MASK_OUT: it was masked out, without a cut
 * @PSYNC_REC_MASK_CUT: with one
 * @PSYNC_REC_MASK_AGREED: all who remain have masked it out
 * @PSYNC_REC_MASK_IN: it was masked in again
 * @PSYNC_REC_MASK_OWN: all others have masked this one out, as it was told
 * @PSYNC_REC_MASK_NONE: that was refused, and nothing happened
 */
enum psync_rec_mask {
	PSYNC_REC_MASK_OUT,
	PSYNC_REC_MASK_CUT,
	PSYNC_REC_MASK_AGREED,
	PSYNC_REC_MASK_IN,
	PSYNC_REC_MASK_OWN,
	PSYNC_REC_MASK_NONE,
};

/**
 * struct psync_rec - one thing done
 * @at: when
 * @type: enum psync_rec_type
 * @seat: by whom, index in psync_hist.seats; of an image, in .images
 * @mid: message
 * @mid2: second message
 * @hash: of the message's bytes
 * @len: its length
 * @wave: its wave; SEND: or 0, its sender does not know
 * @answer: what the query returned
 * @others: see enum psync_rec_type
 * @sites: see enum psync_rec_type
 * @end: SEND: it is the last one, after which nobody waits for the sender
 * @null: SEND: its kernel sent it, to acknowledge
 * @gap: SEND, RECV: its kernel sent it, to announce that the site of participant
 *	@others is not waited for
 * @quiet: RECV: it came with a loss, to the announcement that follows
 * @mask: SEND, RECV: a kernel sent it, to announce a mask: @others, and @answer
 *	is OUT or IN
 * @back: SEND: its kernel sent it, to say that it is back
 * @alone: then: some site is absent
 * @ahead: SEND: it is not in its own view yet
 * @set: first entry in psync_hist.sets
 * @nset: entries
 */
struct psync_rec {
	uint64_t at;
	uint32_t type;
	uint32_t seat;
	uint64_t mid;
	uint64_t mid2;
	uint64_t hash;
	uint32_t len;
	uint32_t wave;
	int32_t answer;
	uint32_t others;
	uint32_t sites;
	bool end;
	bool null;
	bool gap;
	bool quiet;
	bool mask;
	bool back;
	bool alone;
	bool ahead;
	uint32_t nset;
	size_t set;
};

/**
 * struct psync_seat - one opening of one participant
 * @conv: index in psync_hist.convs
 * @part: participant index
 */
struct psync_seat {
	uint32_t conv;
	uint32_t part;
};

/**
 * struct psync_hist_image - a conversation at one site
 * @conv: index in psync_hist.convs
 * @site: its number
 * @part: the first participant there
 * @inc: its incarnation
 * @opening: its opening of the conversation, 0 if it never did
 */
struct psync_hist_image {
	uint32_t conv;
	uint32_t site;
	uint32_t part;
	uint64_t inc;
	uint64_t opening;
};

/**
 * struct psync_hist_conv - a conversation, under one cid
 * @named: a rendezvous: its id is the same whenever it is opened
 * @n: participants
 * @sites: site of each, first entry in psync_hist.sets; a site goes by the
 *	index of its first participant
 * @seq_base: sequence numbers begin after it
 * @exact: no node is freed for its depth, so every query has a full answer but
 *	those about what was freed on request
 * @starved: allocations fail
 * @brief: who has closed answers no requests any more
 * @restarts: participants come back
 * @loses: what some have not heard may be given back before they do
 * @blur: two sites may disagree for so long about which of them acted first
 */
struct psync_hist_conv {
	uint32_t n;
	size_t sites;
	uint64_t seq_base;
	uint64_t blur;
	bool exact;
	bool named;
	bool brief;
	bool starved;
	bool restarts;
	bool loses;
};

/**
 * struct psync_hist - a history; the arrays are reused by the next one
 * @recs: records
 * @nrecs: how many
 * @rec_room: that fit
 * @sets: mids (and sites) that records refer to
 * @nsets: how many
 * @set_room: that fit
 * @seats: openings
 * @nseats: how many
 * @seat_room: that fit
 * @images: conversations at sites
 * @nimages: how many
 * @image_room: that fit
 * @convs: conversations
 * @nconvs: how many
 * @conv_room: that fit
 */
struct psync_hist {
	struct psync_rec *recs;
	size_t nrecs;
	size_t rec_room;
	uint64_t *sets;
	size_t nsets;
	size_t set_room;
	struct psync_seat *seats;
	size_t nseats;
	size_t seat_room;
	struct psync_hist_image *images;
	size_t nimages;
	size_t image_room;
	struct psync_hist_conv *convs;
	size_t nconvs;
	size_t conv_room;
};

void psync_hist_reset(struct psync_hist *hist);
void psync_hist_free(struct psync_hist *hist);
uint64_t psync_hist_hash(const void *data, size_t len);

/**
 * psync_hist_conv_add - a conversation may be opened from now on
 * @hist: history
 * @conv: all of it but @sites
 *
 * Return: room for @conv->n sites, to be filled in at once.
 */
uint64_t *psync_hist_conv_add(struct psync_hist *hist,
			      const struct psync_hist_conv *conv);

/*
 * A participant opens, or is back: @type.  Return: its seat, which is in its
 * records.
 */
uint32_t psync_hist_seat_add(struct psync_hist *hist, uint64_t at,
			     uint32_t conv, uint32_t part,
			     enum psync_rec_type type);

/* A site makes an image.  Return: its number, which is in its records. */
uint32_t psync_hist_image_add(struct psync_hist *hist, uint32_t conv,
			      uint32_t site, uint32_t part, uint64_t inc);

/* It has opened the conversation; told again and again. */
void psync_hist_image_opened(struct psync_hist *hist, uint32_t image,
			     uint64_t opening);

/**
 * psync_hist_add - put down that something was done
 * @hist: history
 * @at: when
 * @type: what
 * @seat: by whom
 *
 * Return: the record, zero otherwise; good until the next is added.
 */
struct psync_rec *psync_hist_add(struct psync_hist *hist, uint64_t at,
				 enum psync_rec_type type, uint32_t seat);

/**
 * psync_hist_set - give the last record a set of mids
 * @hist: history
 * @mids: they
 * @n: how many
 */
void psync_hist_set(struct psync_hist *hist, const unsigned long long *mids,
		    uint32_t n);

#endif /* _PSYNC_SIM_HISTORY_H */
