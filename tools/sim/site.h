/* SPDX-License-Identifier: GPL-2.0-only */
/* A simulated site: what the module's shell is to the core. */
#ifndef _PSYNC_SIM_SITE_H
#define _PSYNC_SIM_SITE_H

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/types.h>

#include "../../net/psync/core/image.h"
#include "../../net/psync/core/peer.h"
#include "sim.h"

struct psync_agent;
struct psync_conv;

/**
 * struct psync_body - a message's bytes; shared, counted
 * @sim: its simulation
 * @refs: references
 * @len: bytes
 * @data: they
 */
struct psync_body {
	struct psync_sim *sim;
	u32 refs;
	u32 len;
	u8 data[];
};

/**
 * struct psync_place - a conversation at a site
 * @img: the core's image, first so that the ops find the place
 * @site: the site
 * @conv: the conversation
 * @used: @img is there
 * @closed: opening of the last image closed here, 0: none remembered
 * @closed_at: when that was
 * @timer: when the timer runs next, U64_MAX: it does not
 */
struct psync_place {
	struct psync_image img;
	struct psync_site *site;
	struct psync_conv *conv;
	bool used;
	u32 closed;
	u64 closed_at;
	u64 timer;
};

/**
 * struct psync_parked - a packet that awaits confirmation of an incarnation
 * @list: in psync_site_peer.parked
 * @inc: incarnation it claims
 * @len: bytes in @data
 * @data: the packet
 */
struct psync_parked {
	struct list_head list;
	u64 inc;
	u32 len;
	u8 data[];
};

/**
 * struct psync_site_peer - what a site knows of another
 * @site: the one that knows
 * @index: index of the other
 * @inc: the core's part
 * @parked: struct psync_parked
 */
struct psync_site_peer {
	struct psync_site *site;
	u32 index;
	struct psync_peer_inc inc;
	struct list_head parked;
};

/**
 * struct psync_site - a site
 * @sim: its simulation
 * @index: in psync_sim.sites
 * @id: site id
 * @inc: incarnation
 * @skew: its wall clock is so much ahead
 * @openings: last count given out
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

/* A packet came off the network; @data is borrowed. */
void psync_site_receive(struct psync_site *site, const u8 *data, u32 len);

/**
 * psync_site_open - a participant opens: connect(), or accept() when the
 * conversation is pending here
 * @agent: participant
 *
 * Return: 0 or what the core answered.
 */
int psync_site_open(struct psync_agent *agent);

/* close() */
void psync_site_close(struct psync_agent *agent);

/**
 * psync_site_send - send()
 * @agent: participant
 * @data: message
 * @len: its bytes
 * @mid: its id
 *
 * Return: 0 or what the core answered.
 */
int psync_site_send(struct psync_agent *agent, const void *data, u32 len,
		    u64 *mid);

/* How many sites know the opening of @site; U32_MAX: not all that are open. */
u32 psync_site_known(const struct psync_site *site, u32 conv);

/* The core waits for a timer in this conversation. */
bool psync_site_busy(const struct psync_site *site, u32 conv);

#endif /* _PSYNC_SIM_SITE_H */
