/* SPDX-License-Identifier: GPL-2.0-only */
/* Conversations and their sessions. */
#ifndef _PSYNC_SIM_WORK_H
#define _PSYNC_SIM_WORK_H

#include <linux/types.h>

#include "../../net/psync/core/image.h"
#include "sim.h"

struct psync_agent;

/**
 * struct psync_conv - a conversation, as its participants agreed on it
 * @sim: its simulation
 * @index: in psync_sim.convs and in the history
 * @cid: its id
 * @digest: of @pids
 * @group: group number, or 0
 * @number: conversation number of a rendezvous, or 0
 * @n: participants
 * @pids: their identities
 * @agents: they
 * @opener: who opens first when it is no rendezvous
 * @seq_base: sequence numbers begin after it
 * @limits: of all images
 * @exact: no node is freed for its depth
 * @frees: participants have freed what they have done with
 * @restarts: participants come back
 * @history: bytes that are kept for them at each site
 * @loses: something may be given back that somebody lacks
 * @met: all have opened and know one another
 * @brief: who has closed answers no requests any more
 * @masks: participants mask one another out
 * @hesitates: ... and in again
 * @victims: who is masked out most
 * @owner: index of the one site whose list this is, which all others refuse;
 *	U32_MAX: it is that of all sites that do not own another
 * @max_body: greatest message
 * @start: when the first session begins
 * @sessions: still to come, the present one included
 * @steady: nobody opens late, or closes before the others
 * @hasty: sessions are short and follow one another at once
 * @session: number of the present one, from 1
 * @budget: messages still to be sent in this session and all later ones
 * @said: messages and ENDs sent so far, which null messages may acknowledge
 * @keep: of them, left to later sessions
 * @cut: this session ends abruptly when its part is spent, not at rest
 * @closing: this session ends
 * @spread: participants open about so long after one another
 * @returner: site where somebody comes back in this session, or U32_MAX
 * @spent: there is nothing more to say in this session
 * @since: it was to come to rest since
 * @deadline: it must be at rest by then, U64_MAX: not known yet
 * @open: participants open now
 * @moving: packets under way, from where it is to where it is open
 * @told: events that told somebody of a refusal
 */
struct psync_conv {
	struct psync_sim *sim;
	u32 index;
	u64 cid;
	u64 digest;
	u32 group;
	u32 number;
	u32 n;
	struct psync_pid *pids;
	struct psync_agent *agents;
	u32 opener;
	u64 seq_base;
	struct psync_limits limits;
	bool exact;
	bool frees;
	bool restarts;
	u32 history;
	bool loses;
	bool met;
	bool brief;
	bool masks;
	bool hesitates;
	u32 victims[2];
	u32 owner;
	u32 max_body;
	u64 start;
	u32 sessions;
	bool steady;
	bool hasty;
	u32 session;
	u32 budget;
	u64 said;
	u32 keep;
	bool cut;
	bool closing;
	u64 spread;
	u32 returner;
	bool spent;
	u64 since;
	u64 deadline;
	u32 open;
	u32 moving;
	u32 told;
};

/* After the shape is drawn: the first sessions will begin. */
void psync_work_init(struct psync_sim *sim);

/* All is healed: it must come to rest. */
void psync_work_healed(struct psync_sim *sim);

/* A message of the conversation was sent. */
void psync_work_said(struct psync_conv *conv);

/* When nothing happens any more: was all done that was to be done? */
void psync_work_exit(struct psync_sim *sim);

#endif /* _PSYNC_SIM_WORK_H */
