/* SPDX-License-Identifier: GPL-2.0-only */
/* A conversation at a simulated site. */
#ifndef _PSYNC_SIM_PLACE_H
#define _PSYNC_SIM_PLACE_H

#include <linux/limits.h>
#include <linux/types.h>

#include "../../net/psync/core/image.h"
#include "sim.h"

struct psync_agent;
struct psync_conv;
struct psync_site;

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
 * @deaf: somebody who listens has not been given it yet, for want of memory
 * @bytes: memory of the core's, now
 * @record: the image's number in the history
 * @known: what the history knows of it: the last message attached of each
 *	participant, then the same of each other site as the image knows it
 * @ids: room for a set of mids
 * @gaps: of each participant, the last message of which it is known whether it
 *	is lost
 * @announced: of each participant, up to where what is lost was found announced,
 *	or NULL: nothing was
 * @lost: what was lost here (see psync_place_lost())
 * @nlost: how many
 * @told: of them, in events
 * @unbound: of each other site, whether the image has ever not waited for it,
 *	in a conversation with masks
 * @cuts: how often the image has made its window smaller, as far as counted
 * @suspicions: of each other site, see suspect.c; NULL: nothing yet
 * @missing: room for those that are lost
 * @missed: how many of these their senders did not leave out themselves
 */
struct psync_place {
	struct psync_image img;
	struct psync_site *site;
	struct psync_conv *conv;
	bool used;
	u32 closed;
	u64 closed_at;
	u64 timer;
	bool deaf;
	u64 bytes;
	u32 record;
	u64 *known;
	u64 *ids;
	u64 *gaps;
	u64 *announced;
	u64 *lost;
	u32 nlost;
	u32 told;
	bool *unbound;
	u32 cuts;
	struct psync_suspicion *suspicions;
	u64 *missing;
	u64 missed;
};

/**
 * psync_place_receive - a packet of the conversation came
 * @place: place
 * @pkt: packet, any but HELLO
 * @data: its bytes, borrowed
 *
 * Return: PSYNC_OK or why it was dropped.
 */
enum psync_drop psync_place_receive(struct psync_place *place,
				    const struct psync_pkt *pkt,
				    const u8 *data);

/*
 * Perhaps more messages are lost here: put it down before what follows from it.
 * @told: the core has said of so many that they are.
 */
void psync_place_lost(struct psync_place *place, u32 told);

/*
 * A message that no program receives has entered a view here: up to there all is
 * known of its sender's, and what has come may be freed at once.
 */
void psync_place_came(struct psync_place *place, const struct psync_node *node);

/* Nobody here waits for the conversation any more. */
void psync_place_forget(struct psync_place *place);

/**
 * psync_place_open - a participant opens: connect(), or accept() when the
 * conversation is pending here
 * @agent: participant
 *
 * Return: 0 or what the core answered.
 */
int psync_place_open(struct psync_agent *agent);

/**
 * psync_place_rejoin - restart() (P 5)
 * @agent: participant that was killed, or whose site crashed
 * @how: where it goes on
 *
 * Return: 0 or what the core answered.
 */
int psync_place_rejoin(struct psync_agent *agent,
		       const struct psync_restart_how *how);

/* Puts the mids that the image takes for lost into @place->missing; how many? */
u32 psync_place_missing(struct psync_place *place);

/* close() */
void psync_place_close(struct psync_agent *agent);

/**
 * psync_place_send - send()
 * @agent: participant
 * @data: message
 * @len: its bytes
 * @mid: its id
 *
 * Return: 0 or what the core answered.
 */
int psync_place_send(struct psync_agent *agent, const void *data, u32 len,
		     u64 *mid);

/* mask_out(); Return: 0 or what the core answered. */
int psync_place_mask(struct psync_agent *agent, u32 index, u64 cut);

/* mask_in(), likewise. */
int psync_place_unmask(struct psync_agent *agent, u32 index);

/* How many sites know the opening of @site; U32_MAX: not all that are open. */
u32 psync_place_known(const struct psync_site *site, u32 conv);

/*
 * Does some site wait for one that will not answer?  Here or elsewhere: who
 * keeps what somebody lacks grants nobody more.
 */
bool psync_place_stalled(const struct psync_place *place);

/* Has everybody who is open given up waiting for @site? */
bool psync_place_given_up(const struct psync_site *site, u32 conv);

/* Something will happen here that the conversation waits for. */
bool psync_place_busy(const struct psync_site *site, u32 conv);

/* Does @site's image wait for the site of that index? */
bool psync_place_waits(const struct psync_site *site, u32 conv, u32 other);

/* At rest: bodies that all have are given back (S2.3). */
void psync_place_rest(const struct psync_site *site, u32 conv);

#endif /* _PSYNC_SIM_PLACE_H */
