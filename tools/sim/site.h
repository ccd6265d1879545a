/* SPDX-License-Identifier: GPL-2.0-only */
/* A simulated site: what the module's shell is to the core. */
#ifndef _PSYNC_SIM_SITE_H
#define _PSYNC_SIM_SITE_H

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/types.h>

#include "../../net/psync/core/frag.h"
#include "../../net/psync/core/image.h"
#include "../../net/psync/core/peer.h"
#include "sim.h"

struct psync_body;
struct psync_conv;
struct psync_frag_bytes;
struct psync_place;

/**
 * struct psync_parked - a packet that awaits confirmation of an incarnation
 * @list: in psync_site_peer.parked
 * @len: bytes in @data
 * @data: the packet
 */
struct psync_parked {
	struct list_head list;
	u32 len;
	u8 data[];
};

/**
 * struct psync_site_peer - what a site knows of another
 * @site: the one that knows
 * @index: index of the other
 * @inc: the core's part
 * @parked: struct psync_parked
 * @frags: packets in fragments
 * @timer: when they have something to do, U64_MAX: never
 * @whole: one that was just put together
 */
struct psync_site_peer {
	struct psync_site *site;
	u32 index;
	struct psync_peer_inc inc;
	struct list_head parked;
	struct psync_frags frags;
	u64 timer;
	struct psync_frag_bytes *whole;
};

/**
 * struct psync_site - a site
 * @sim: its simulation
 * @index: in psync_sim.sites
 * @id: site id
 * @inc: incarnation
 * @skew: its wall clock is so much ahead
 * @openings: last count given out
 * @frag_id: last one given out, see struct psync_wire_frag
 * @frag_bytes: what packets in fragments take, out (0) and in (1)
 * @frag_packets: how many there are, likewise
 * @dead: it crashed and, unless @down, does not come back
 * @down: ... but it does
 * @frozen: nothing happens there for a while
 * @waiting: what would have happened meanwhile, in order
 * @nwaiting: how much
 * @room: of it that fits
 * @peers: by index
 * @places: by index of conversation
 */
struct psync_site {
	struct psync_sim *sim;
	u32 index;
	u32 id;
	u64 inc;
	s64 skew;
	u32 openings;
	u64 frag_id;
	u64 frag_bytes[2];
	u32 frag_packets[2];
	bool dead;
	bool down;
	bool frozen;
	struct psync_heap_item *waiting;
	u32 nwaiting;
	u32 room;
	struct psync_site_peer *peers;
	struct psync_place *places;
};

/* Sites are numbered as they come; their ids are not. */
u32 psync_site_id(const struct psync_sim *sim, u32 index);

/* After nsites, nconvs and convs of @sim are set. */
void psync_site_init_all(struct psync_sim *sim);
void psync_site_exit_all(struct psync_sim *sim);

/* A new incarnation: everything is forgotten, the clock may be set. */
void psync_site_reboot(struct psync_site *site);

/* Nothing happens there: packets, timers and programs wait. */
void psync_site_freeze(struct psync_site *site);
void psync_site_thaw(struct psync_site *site);

/* True when the site is frozen: @run will be called when it is thawed. */
bool psync_site_defer(struct psync_site *site,
		      void (*run)(void *ctx, uint64_t arg), void *ctx,
		      uint64_t arg);

/* It crashes, and comes back with a new incarnation. */
void psync_site_fall(struct psync_site *site);
void psync_site_rise(struct psync_site *site);

/* It is gone, with all its participants, and nobody was told. */
void psync_site_crash(struct psync_site *site);

/**
 * psync_site_receive - a packet came off the network
 * @site: to this site
 * @data: packet, borrowed
 * @len: its bytes
 * @damaged: they are not what was sent
 * @marked: they came with a congestion mark
 */
void psync_site_receive(struct psync_site *site, const u8 *data, u32 len,
			bool damaged, bool marked);

/* The site of that id, or NULL. */
struct psync_site *psync_site_find(struct psync_sim *sim, u32 id);

u64 psync_site_nonce(struct psync_site *site);

/* A packet or message is not used. */
void psync_site_drop(struct psync_site *site, enum psync_drop reason);

/* Fill in what the shell knows, but for the receiver's incarnation; send. */
void psync_site_transmit(struct psync_site *site, u32 to,
			 struct psync_pkt *pkt, const struct psync_body *body);

/* Send a FRAG of the bytes at @data, or a FRAG_ACK (@data NULL). */
void psync_site_fragment(struct psync_site_peer *peer, struct psync_pkt *pkt,
			 const u8 *data);

/* A packet that came in fragments of that incarnation is complete. */
void psync_site_whole(struct psync_site_peer *peer, const u8 *data, u32 len,
		      u64 inc);

/* The site's own idea of a group: a conversation whose list it is. */
const struct psync_conv *psync_site_group(const struct psync_site *site,
					  u32 group);

/* Another site goes by another list; this one has @digest. */
void psync_site_refuse(struct psync_site *site, const struct psync_pkt *pkt,
		       u64 digest);

#endif /* _PSYNC_SIM_SITE_H */
