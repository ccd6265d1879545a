/* SPDX-License-Identifier: GPL-2.0-only */
/* A bed for the core's unit tests: sites, surroundings, packets by hand. */
#ifndef _PSYNC_TEST_BED_H
#define _PSYNC_TEST_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <cmocka.h>

#include "core/ack.h"
#include "core/graph.h"
#include "core/hold.h"
#include "core/image.h"
#include "core/mask.h"
#include "core/null.h"
#include "core/peer.h"
#include "core/repair.h"
#include "core/stable.h"
#include "core/view.h"

#define PSYNC_BED_CID		0x1122334455667788ULL
#define PSYNC_BED_MS		1000000ULL
#define PSYNC_BED_EVENTS	16
#define PSYNC_BED_PACKETS	128
/* Times of beds that do not say otherwise: later than any test. */
#define PSYNC_BED_NEVER		(1ULL << 50)

/**
 * struct psync_bed_body - what stands for a message's bytes
 * @refs: references
 */
struct psync_bed_body {
	int	refs;
};

/**
 * struct psync_bed_packet - a packet that an image has sent
 * @site: to this site, or 0: to all
 * @data: its bytes, body excluded
 * @len: how many
 * @body: the test's reference to its body, or NULL
 */
struct psync_bed_packet {
	u32			site;
	u8			*data;
	u32			len;
	struct psync_bed_body	*body;
};

/**
 * struct psync_bed - one site with one image
 * @img: the image
 * @inc: its site's incarnation
 * @live: bytes that the image has allocated
 * @allocs: allocations so far
 * @fail_at: this allocation fails, counted from 1; 0: none
 * @fail_from: this one and all later ones fail; 0: none
 * @drops: what the image itself dropped, by reason
 * @events: the first events
 * @nevents: how many there were
 * @sent: packets not taken by psync_bed_pop(), in order
 * @nsent: how many
 * @muted: types (1 << PSYNC_PKT_*) of packets that get lost, not into @sent
 * @ntypes: packets transmitted, lost ones too, by type
 * @readable: how often a view became readable
 * @writable: how often it was said that sends are accepted again
 * @room: bytes that a participant may have yet to take, 0: any
 * @poor: nobody pays for more
 * @stable: how often it was said that what was waited for is stable
 * @rested: bodies that only the history kept
 * @passed: mids of the first nodes that the kernel made and that entered views
 * @npassed: how many there were
 * @armed: last deadline asked for
 * @nonce: last one given
 */
struct psync_bed {
	struct psync_image	img;
	u64			inc;
	size_t			live;
	u32			allocs;
	u32			fail_at;
	u32			fail_from;
	u32			drops[PSYNC_DROP_MAX];
	struct psync_event	events[PSYNC_BED_EVENTS];
	u32			nevents;
	struct psync_bed_packet	sent[PSYNC_BED_PACKETS];
	u32			nsent;
	u32			muted;
	u32			ntypes[PSYNC_PKT_RS_ACK + 1];
	u32			readable;
	u32			writable;
	u32			room;
	bool			poor;
	u32			stable;
	u32			rested;
	u64			passed[PSYNC_BED_EVENTS];
	u32			npassed;
	u64			armed;
	u64			nonce;
};

/* What a body counts at least; nodes count nothing, for round numbers. */
#define PSYNC_BODY_LEAST	64

extern const struct psync_image_ops psync_bed_ops;

/* Bodies that exist, of all beds. */
extern int psync_bed_bodies;

/*
 * An unlimited image of @n participants, participant i at sites[i], in which
 * nothing is done for the time that passes.
 */
void psync_bed_params(struct psync_image_params *p, struct psync_pid *pids,
		      const u32 *sites, u32 n, u32 number);

/* Times as of a network, for tests of what is done in time. */
void psync_bed_times(struct psync_image_params *p);

/*
 * Opens a bed; the image is made by psync_image_init() with @p.  ACK, RR and
 * GONE are muted until a test says otherwise.
 */
int psync_bed_init(struct psync_bed *bed, const struct psync_image_params *p,
		   u32 site);

/* Views must have left; checks that nothing is left over. */
void psync_bed_exit(struct psync_bed *bed);

/* A participant closes; what it says then gets lost. */
void psync_bed_leave(struct psync_bed *bed, struct psync_view *view);

struct psync_bed_body *psync_bed_body_new(void);
void psync_bed_body_put(struct psync_bed_body *body);

/* Takes the oldest sent packet, which must exist. */
struct psync_bed_packet psync_bed_pop(struct psync_bed *bed);

/* Takes the oldest sent packet of @type, which must exist. */
struct psync_bed_packet psync_bed_pop_type(struct psync_bed *bed, u8 type);
void psync_bed_packet_free(struct psync_bed_packet *packet);

/* Decodes a packet and gives it to an image; the packet stays the test's. */
enum psync_drop psync_bed_give(struct psync_bed *to,
			       const struct psync_bed_packet *packet, u64 now);

/* Gives a packet made by hand; it is encoded and decoded on the way. */
enum psync_drop psync_bed_input(struct psync_bed *to,
				const struct psync_pkt *pkt, u64 now);

/* A message with a list of @npred mids, in the image's conversation. */
enum psync_drop psync_bed_msg(struct psync_bed *to, u32 sender, u64 seq,
			      u32 wave, u32 npred, const u64 *preds);

/* The same as a packet to be changed further; @wire has room for 8. */
void psync_bed_craft(const struct psync_bed *to, u32 sender, u64 seq, u32 wave,
		     u32 npred, const u64 *preds, struct psync_wire_mid *wire,
		     struct psync_pkt *pkt);

/* Gives a RESTART of one binding; its context is its sender's @prev alone. */
enum psync_drop psync_bed_restart(struct psync_bed *to, u32 sender, u64 seq,
				  u64 prev, u32 wave);

/* ... of the opening with that number. */
enum psync_drop psync_bed_returns(struct psync_bed *to, u32 sender, u64 seq,
				  u64 prev, u32 wave, u32 opening);

/* An ACK or RR of @site, which says that it holds @held; @wire has room. */
void psync_bed_vector(const struct psync_bed *to, u8 type, u32 site,
		      const u64 *held, __be32 *wire, struct psync_pkt *pkt);

/* Tells an image what another holds. */
enum psync_drop psync_bed_ack(struct psync_bed *to,
			      const struct psync_bed *from, u64 now);

/* Every other site tells that it holds all that is attached here. */
void psync_bed_held(struct psync_bed *bed);

/* Drops all that was sent and not taken; returns how many there were. */
u32 psync_bed_forget(struct psync_bed *bed);

/* Takes and decodes the oldest sent packet, without what it points to. */
void psync_bed_take(struct psync_bed *bed, struct psync_pkt *pkt, u32 *site);

/* Runs the timer at each of its deadlines up to @until. */
void psync_bed_run(struct psync_bed *bed, u64 until);

/* Sends from a view; fails the test unless it works.  Returns the mid. */
u64 psync_bed_send(struct psync_bed *bed, struct psync_view *view, u32 len);

/* Sends, and gives the packet to the other beds; returns the mid. */
u64 psync_bed_tell(struct psync_bed *from, struct psync_view *view,
		   struct psync_bed **to, u32 nto);

/* Receives one message, 0 if there is none. */
u64 psync_bed_receive(struct psync_view *view);

/* Receives all there is; returns how many. */
u32 psync_bed_drain(struct psync_view *view);

#define PSYNC_BED_TESTS(name) \
	extern const struct CMUnitTest psync_##name##_tests[]; \
	extern const size_t psync_##name##_ntests

PSYNC_BED_TESTS(wire);
PSYNC_BED_TESTS(peer);
PSYNC_BED_TESTS(view);
PSYNC_BED_TESTS(hold);
PSYNC_BED_TESTS(image);
PSYNC_BED_TESTS(confirm);
PSYNC_BED_TESTS(ack);
PSYNC_BED_TESTS(repair);
PSYNC_BED_TESTS(null);
PSYNC_BED_TESTS(linger);
PSYNC_BED_TESTS(free);
PSYNC_BED_TESTS(stable);
PSYNC_BED_TESTS(room);
PSYNC_BED_TESTS(restart);
PSYNC_BED_TESTS(mask);
PSYNC_BED_TESTS(flow);
PSYNC_BED_TESTS(skip);
PSYNC_BED_TESTS(model);
PSYNC_BED_TESTS(memory);
PSYNC_BED_TESTS(frag);
PSYNC_BED_TESTS(bound);

#endif /* _PSYNC_TEST_BED_H */
