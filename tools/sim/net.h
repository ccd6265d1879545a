/* SPDX-License-Identifier: GPL-2.0-only */
/* The network between simulated sites. */
#ifndef _PSYNC_SIM_NET_H
#define _PSYNC_SIM_NET_H

#include <linux/types.h>

#include "prng.h"

struct psync_conv;
struct psync_heap_item;
struct psync_sim;

/**
 * struct psync_net_shape - what the network of a run is like
 * @mtu: least of the greatest packets of links, drawn anew for every link up to
 *	a frame of Ethernet, or 0: nothing is too long
 * @base: least delay of a link, drawn anew for every link up to here
 * @jitter: mean of what is added for every packet
 * @tail: permille of packets delayed by about @tail_delay more
 * @tail_delay: see @tail
 * @dup: permille of packets that arrive twice
 * @late: permille of those second copies that come @late_delay later
 * @late_delay: see @late
 * @pad: permille of packets padded at the end, as short frames are
 *
 * The rest counts only while the fault of that name is on; permille, too:
 * @loss: packets lost
 * @burst_in: packets after which a link goes bad
 * @burst_out: packets after which it is good again
 * @burst_loss: packets lost while it is bad
 * @edge: first or last packets of a train that are lost
 * @edge_first: the first ones
 * @gap: packets of one train follow one another within this time
 * @lame: links that lose packets
 * @lame_loss: so many
 * @hold: packets held back
 * @hold_most: until so many later ones were sent at most
 * @slow: packets delayed by about @slow_delay
 * @slow_delay: see @slow
 * @flip: packets of which bits are flipped
 * @truncate: packets that are cut off
 * @mark: packets that get a congestion mark
 */
struct psync_net_shape {
	u32 mtu;
	u64 base;
	u64 jitter;
	u64 tail_delay;
	u64 late_delay;
	u32 tail;
	u32 dup;
	u32 late;
	u32 pad;
	u32 loss;
	u32 burst_in;
	u32 burst_out;
	u32 burst_loss;
	u32 edge;
	bool edge_first;
	u64 gap;
	u32 lame;
	u32 lame_loss;
	u32 hold;
	u32 hold_most;
	u32 slow;
	u64 slow_delay;
	u32 flip;
	u32 truncate;
	u32 mark;
};

/**
 * struct psync_frame - a packet under way
 * @sim: its simulation
 * @refs: copies still to arrive
 * @from: index of the sending site
 * @to: index of the receiving site
 * @len: bytes in @data
 * @order: number of the packet on its link
 * @release: held back until this one was sent, 0: it is not
 * @next: another one of its link that is held back
 * @last: no other followed it soon
 * @damaged: what is in @data is not what was sent
 * @marked: it got a congestion mark
 * @done: it was the last of a train and is lost
 * @conv: the conversation that waits for it, or NULL
 * @data: exactly what is on the wire
 */
struct psync_frame {
	struct psync_sim *sim;
	u32 refs;
	u32 from;
	u32 to;
	u32 len;
	u64 order;
	u64 release;
	struct psync_frame *next;
	bool last;
	bool damaged;
	bool marked;
	bool done;
	struct psync_conv *conv;
	u8 data[];
};

/**
 * struct psync_net_link - one direction between two sites
 * @mtu: longest packet
 * @delay: least delay
 * @sent: packets sent
 * @newest: greatest number of a packet that arrived
 * @sent_at: when the last one was sent
 * @bad: it loses packets in a burst
 * @lame: it loses packets while the fault is on
 * @held: packets held back
 * @train: the last packet, while it has not arrived
 */
struct psync_net_link {
	u32 mtu;
	u64 delay;
	u64 sent;
	u64 newest;
	u64 sent_at;
	bool bad;
	bool lame;
	struct psync_frame *held;
	struct psync_frame *train;
};

/**
 * struct psync_net - the network
 * @rng: its chance
 * @shape: what it is like
 * @n: sites
 * @links: n * n, from the first index to the second
 * @frames: struct psync_frame alive
 */
struct psync_net {
	struct psync_prng rng;
	struct psync_net_shape shape;
	u32 n;
	struct psync_net_link *links;
	u64 frames;
};

void psync_net_init(struct psync_sim *sim, u32 n);
void psync_net_exit(struct psync_sim *sim);

/* No packet and its answer take longer; very late copies apart. */
u64 psync_net_round_trip(const struct psync_net *net);

/* When all is healed no packet that was sent before is under way for longer. */
u64 psync_net_drain(const struct psync_net *net);

/* Room for a packet of @len bytes; it leaves with psync_net_post(). */
struct psync_frame *psync_net_frame(struct psync_sim *sim, u32 len);

/* It does not leave. */
void psync_net_drop(struct psync_frame *frame);

/* The longest packet from one site to the other. */
u32 psync_net_mtu(const struct psync_net *net, u32 from, u32 to);

/**
 * psync_net_post - a packet leaves
 * @frame: packet, consumed
 * @from: index of the sending site
 * @to: index of the receiving site
 * @conv: conversation that waits for it, or NULL
 */
void psync_net_post(struct psync_frame *frame, u32 from, u32 to,
		    struct psync_conv *conv);

/* Gives back what @item carries when it will not happen. */
void psync_net_discard(const struct psync_heap_item *item);

#endif /* _PSYNC_SIM_NET_H */
