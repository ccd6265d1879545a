/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets that do not fit the link: to and from one site, in fragments. */
#ifndef _PSYNC_CORE_FRAG_H
#define _PSYNC_CORE_FRAG_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/types.h>
#include "cut.h"
#include "wire.h"

/**
 * DOC: fragments
 *
 * Psync sends large messages by an underlying blast protocol, one of its own
 * and not a part of Psync (P 6.2).  So is this: any packet of a conversation that
 * is too long for the link is cut, whatever it says, and is put together again
 * before anybody looks into it.  A packet is sent as a blast of fragments, at
 * most a window of them ahead of the first that the receiver lacks; some ask,
 * and the answer says which have come; just the others are sent again.  What is
 * given up, by either side, is a lost packet to those above: they repair it.
 *
 * A psync_frags is what one site has under way with one other.  As in image.h,
 * the caller holds a lock over every call, the ops are called with it held and
 * must not call back, times are nanoseconds of one monotonic clock.  Packets,
 * pieces (bodies of fragments that have come) and wholes (pieces put together)
 * are opaque: each is one reference, given back through its own op.
 *
 * Nothing is allocated on a fragment's word: what is kept grows with what has
 * come, and is limited by the ops (the site) and psync_frag_limits (each peer).
 */

struct psync_frags;

/**
 * struct psync_frag_packet - a packet that goes out in fragments
 * @packet: it
 * @total: its bytes
 * @cost: bytes of memory that it takes
 * @dst_inc: incarnation that it is meant for, or 0
 * @cid: of a message: conversation; else 0
 * @seq: of a message: low 32 bits of its sequence number
 * @sender: of a message: participant index
 */
struct psync_frag_packet {
	void	*packet;
	u32	total;
	u32	cost;
	u64	dst_inc;
	u64	cid;
	u32	seq;
	u16	sender;
};

/**
 * struct psync_frag_ops - all that fragments ask of their surroundings
 * @alloc: zeroed memory or NULL; may be called in softirq
 * @free: gives back memory of @alloc
 * @take: is there room for @bytes more of @packets more packets, @in (to be put
 *	together) or out?  They count from then on.  With @only, which says that no
 *	other is under way to this peer, there is much more, lest some that are
 *	dead keep out the others (S2.5).
 * @give: they count no more
 * @id: a number greater than all given before at this incarnation, not zero
 * @transmit: send @pkt, a FRAG with @pkt->body_len bytes of @packet from
 *	@offset on, or a FRAG_ACK (@packet NULL).  The callee fills in src_site,
 *	src_inc and dst_site.  Losing it is allowed.
 * @packet_put: a packet is not needed any more
 * @begin: an empty whole, or NULL
 * @append: @piece comes next in @whole, which takes it over
 * @piece_put: a piece is not used
 * @whole_put: a whole is not used
 * @whole: a packet of @total bytes is complete; takes over @whole
 * @arm: psync_frags.deadline moved to the earlier @deadline
 * @dropped: a packet was given up, for @reason
 * @sent: a fragment is sent, for the first time or not (@again)
 * @cut: the window of a packet was made smaller, for @why
 */
struct psync_frag_ops {
	void	*(*alloc)(struct psync_frags *f, size_t size);
	void	(*free)(struct psync_frags *f, void *mem, size_t size);
	bool	(*take)(struct psync_frags *f, bool in, u32 bytes, u32 packets,
			bool only);
	void	(*give)(struct psync_frags *f, bool in, u32 bytes, u32 packets);
	u64	(*id)(struct psync_frags *f);
	void	(*transmit)(struct psync_frags *f, struct psync_pkt *pkt,
			    void *packet, u32 offset);
	void	(*packet_put)(struct psync_frags *f, void *packet);
	void	*(*begin)(struct psync_frags *f);
	void	(*append)(struct psync_frags *f, void *whole, void *piece);
	void	(*piece_put)(struct psync_frags *f, void *piece);
	void	(*whole_put)(struct psync_frags *f, void *whole);
	void	(*whole)(struct psync_frags *f, void *whole, u32 total);
	void	(*arm)(struct psync_frags *f, u64 deadline);
	void	(*dropped)(struct psync_frags *f, enum psync_drop reason);
	void	(*sent)(struct psync_frags *f, bool again);
	void	(*cut)(struct psync_frags *f, enum psync_cut why);
};

/**
 * struct psync_frag_limits - bounds with one peer; each at least 1
 * @rto_ns: first wait for an answer, before any was timed
 * @rto_min_ns: least wait
 * @rto_max_ns: greatest wait; waits double up to it
 * @keep_ns: an incomplete packet is not kept longer after its latest fragment
 * @bytes: of memory for incomplete packets, unless there is but one
 */
struct psync_frag_limits {
	u64	rto_ns;
	u64	rto_min_ns;
	u64	rto_max_ns;
	u64	keep_ns;
	u32	bytes;
};

/* Waits without an answer that gets anywhere before a packet is given up. */
#define PSYNC_FRAG_TRIES	8
/* Nor is it pursued, or kept incomplete, longer than that. */
#define PSYNC_FRAG_LIFE_NS	(120ULL * 1000 * 1000 * 1000)
/* Packets out to one site at most, those that wait their turn included. */
#define PSYNC_FRAG_QUEUE	1024
/* Packets that are put together, or were just now, from one site at most. */
#define PSYNC_FRAG_OPEN		(2 * PSYNC_FRAG_ACTIVE)

/**
 * struct psync_frag_out - a packet on its way out
 * @link: in psync_frags.out, in order of sending
 * @p: the packet
 * @active: it has an @id and fragments of it are sent
 * @id: see struct psync_wire_frag; changes when the fragments do
 * @cuts: how often it began
 * @size: bytes of each fragment
 * @count: fragments
 * @base: the first that is not known to have come
 * @next: the first that was never sent
 * @turn: fragments sent
 * @heard: greatest turn that was answered
 * @window: as many may be on their way
 * @limit: below it the window grows fast
 * @credit: how much it has grown towards the next one above that
 * @halved: @turn when it last shrank
 * @marks: fragments that came with a congestion mark, as far as is known
 * @flight: sent, not known to have come and not thought lost
 * @nlost: bits in @lost
 * @held: from @base on, by number modulo PSYNC_FRAG_WINDOW: has come
 * @lost: likewise: is to be sent again
 * @turns: likewise: @turn when it was sent last
 * @asked: turn of the fragment whose answer is timed, 0: none
 * @asked_at: when it was sent
 * @tries: waits in vain
 * @begun: when it was given to us
 * @deadline: end of the present wait
 */
struct psync_frag_out {
	struct list_head	link;
	struct psync_frag_packet p;
	bool			active;
	u64			id;
	u32			cuts;
	u32			size;
	u32			count;
	u32			base;
	u32			next;
	u32			turn;
	u32			heard;
	u32			window;
	u32			limit;
	u32			credit;
	u32			halved;
	u32			marks;
	u32			flight;
	u32			nlost;
	DECLARE_BITMAP(held, PSYNC_FRAG_WINDOW);
	DECLARE_BITMAP(lost, PSYNC_FRAG_WINDOW);
	u32			turns[PSYNC_FRAG_WINDOW];
	u32			asked;
	u64			asked_at;
	u32			tries;
	u64			begun;
	u64			deadline;
};

/**
 * struct psync_frag_in - a packet that comes in
 * @link: in psync_frags.in, oldest first
 * @id: see struct psync_wire_frag
 * @total: its bytes
 * @size: bytes of each fragment
 * @count: fragments
 * @base: the first that has not come
 * @done: it is complete, only this is kept
 * @whole: the fragments below @base, put together
 * @pieces: those from @base on, by number modulo PSYNC_FRAG_WINDOW
 * @bytes: what it counts
 * @marks: fragments that came with a congestion mark
 * @begun: when the first one came
 * @deadline: when it is given up, or forgotten
 */
struct psync_frag_in {
	struct list_head	link;
	u64			id;
	u32			total;
	u32			size;
	u32			count;
	u32			base;
	bool			done;
	void			*whole;
	void			*pieces[PSYNC_FRAG_WINDOW];
	u32			bytes;
	u32			marks;
	u64			begun;
	u64			deadline;
};

/**
 * struct psync_frags - what is under way with one site, both ways
 * @ops: surroundings
 * @limits: bounds; the caller may change them between calls
 * @size: bytes of a packet that fit a fragment to that site now; set by the
 *	caller before every call, 0: there is no way
 * @out: struct psync_frag_out, the active ones first
 * @nout: how many
 * @nactive: how many of them are active
 * @in: struct psync_frag_in
 * @nkept: how many
 * @nopen: how many of them are not done
 * @bytes: what these count
 * @inc: incarnation of that site that @in is of
 * @srtt: smoothed round-trip time, 0: not measured yet
 * @rttvar: its mean deviation
 * @answered: when that site last answered a fragment
 * @deadline: when psync_frags_timer() is due, U64_MAX: never
 */
struct psync_frags {
	const struct psync_frag_ops *ops;
	struct psync_frag_limits limits;
	u32			size;
	struct list_head	out;
	u32			nout;
	u32			nactive;
	struct list_head	in;
	u32			nkept;
	u32			nopen;
	u32			bytes;
	u64			inc;
	u64			srtt;
	u64			rttvar;
	u64			answered;
	u64			deadline;
};

/**
 * psync_frags_init - nothing is under way
 * @f: zeroed
 * @ops: surroundings
 */
void psync_frags_init(struct psync_frags *f, const struct psync_frag_ops *ops);

/**
 * psync_frags_flush - forget everything
 * @f: fragments
 * @out: what is counted for each packet out
 * @in: what is counted for each incomplete packet
 */
void psync_frags_flush(struct psync_frags *f, enum psync_drop out,
		       enum psync_drop in);

/**
 * psync_frags_size - what of a packet fits a fragment
 * @mtu: greatest packet that the link carries
 *
 * Return: bytes, 0: too few to be of use.
 */
u32 psync_frags_size(u32 mtu);

/**
 * psync_frags_send - a packet that does not fit the link
 * @f: fragments
 * @p: what it is; on PSYNC_OK its reference is taken over
 * @now: time
 *
 * Return: PSYNC_OK, DUPLICATE (the same message is under way already: nothing
 * is lost), TX_TOO_BIG, TX_FRAG_FULL, TX_NO_MEM.
 */
enum psync_drop psync_frags_send(struct psync_frags *f,
				 const struct psync_frag_packet *p, u64 now);

/**
 * psync_frags_input - a FRAG has come
 * @f: fragments
 * @pkt: decoded
 * @piece: its body; on PSYNC_OK it is taken over
 * @cost: bytes of memory that @piece takes
 * @now: time
 *
 * Return: PSYNC_OK or why it is not used.
 */
enum psync_drop psync_frags_input(struct psync_frags *f,
				  const struct psync_pkt *pkt, void *piece,
				  u32 cost, u64 now);

/**
 * psync_frags_answer - a FRAG_ACK has come
 * @f: fragments
 * @pkt: decoded
 * @now: time
 *
 * Return: PSYNC_OK, FRAG_STALE, BAD_FRAG.
 */
enum psync_drop psync_frags_answer(struct psync_frags *f,
				   const struct psync_pkt *pkt, u64 now);

/**
 * psync_frags_timer - "it is now"
 * @f: fragments
 * @now: time, @f->deadline or any later
 */
void psync_frags_timer(struct psync_frags *f, u64 now);

#endif /* _PSYNC_CORE_FRAG_H */
