/* SPDX-License-Identifier: GPL-2.0-only */
/* The network between simulated sites. */
#ifndef _PSYNC_SIM_NET_H
#define _PSYNC_SIM_NET_H

#include <linux/types.h>

#include "prng.h"

struct psync_heap_item;
struct psync_sim;

/**
 * struct psync_net_shape - what the network of a run is like
 * @base: least delay of a link, drawn anew for every link up to here
 * @jitter: mean of what is added for every packet
 * @tail: permille of packets delayed by about @tail_delay more
 * @tail_delay: see @tail
 * @dup: permille of packets that arrive twice
 * @late: permille of those second copies that come @late_delay later
 * @late_delay: see @late
 * @pad: permille of packets padded at the end, as short frames are
 */
struct psync_net_shape {
	u64 base;
	u64 jitter;
	u64 tail_delay;
	u64 late_delay;
	u32 tail;
	u32 dup;
	u32 late;
	u32 pad;
};

/**
 * struct psync_frame - a packet under way
 * @sim: its simulation
 * @refs: copies still to arrive
 * @from: index of the sending site
 * @to: index of the receiving site
 * @order: number of the packet on its link
 * @len: bytes in @data
 * @data: exactly what is on the wire
 */
struct psync_frame {
	struct psync_sim *sim;
	u32 refs;
	u32 from;
	u32 to;
	u32 len;
	u64 order;
	u8 data[];
};

/**
 * struct psync_net_link - one direction between two sites
 * @delay: least delay
 * @sent: packets sent
 * @newest: greatest number of a packet that arrived
 */
struct psync_net_link {
	u64 delay;
	u64 sent;
	u64 newest;
};

/**
 * struct psync_net - the network
 * @rng: its chance
 * @shape: what it is like
 * @n: sites
 * @links: n * n, from the first index to the second
 * @moving: packets under way, very late copies not counted
 * @frames: struct psync_frame alive
 */
struct psync_net {
	struct psync_prng rng;
	struct psync_net_shape shape;
	u32 n;
	struct psync_net_link *links;
	u64 moving;
	u64 frames;
};

void psync_net_init(struct psync_sim *sim, u32 n);
void psync_net_exit(struct psync_sim *sim);

/* No packet and its answer take longer; very late copies apart. */
u64 psync_net_round_trip(const struct psync_net *net);

/* Room for a packet of @len bytes; it leaves with psync_net_post(). */
struct psync_frame *psync_net_frame(struct psync_sim *sim, u32 len);

/**
 * psync_net_post - a packet leaves
 * @frame: packet, consumed
 * @from: index of the sending site
 * @to: index of the receiving site
 */
void psync_net_post(struct psync_frame *frame, u32 from, u32 to);

/* Gives back what @item carries when it will not happen. */
void psync_net_discard(const struct psync_heap_item *item);

#endif /* _PSYNC_SIM_NET_H */
