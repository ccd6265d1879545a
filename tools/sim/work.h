/* SPDX-License-Identifier: GPL-2.0-only */
/* What the participants do. */
#ifndef _PSYNC_SIM_WORK_H
#define _PSYNC_SIM_WORK_H

#include <linux/types.h>

#include "../../net/psync/core/image.h"
#include "sim.h"

/**
 * enum psync_agent_state - how far a participant has come in a session
 * @PSYNC_AGENT_ABSENT: it does not open any more
 * @PSYNC_AGENT_WAITING: it will
 * @PSYNC_AGENT_OPEN: it has
 */
enum psync_agent_state {
	PSYNC_AGENT_ABSENT,
	PSYNC_AGENT_WAITING,
	PSYNC_AGENT_OPEN,
};

/**
 * enum psync_agent_taste - when a participant receives
 * @PSYNC_AGENT_EAGER: whatever there is
 * @PSYNC_AGENT_SINGLE: one message at a time
 * @PSYNC_AGENT_LAZY: now and then, then much
 * @PSYNC_AGENT_TASTES: number of these
 */
enum psync_agent_taste {
	PSYNC_AGENT_EAGER,
	PSYNC_AGENT_SINGLE,
	PSYNC_AGENT_LAZY,
	PSYNC_AGENT_TASTES,
};

/**
 * struct psync_agent - a participant
 * @conv: its conversation
 * @part: participant index
 * @home: index of its site
 * @site: its site
 * @absent: it never opens
 * @view: the core's, in use while @joined
 * @joined: see @view; a pending view has joined, too
 * @state: enum psync_agent_state
 * @seat: present opening, index in the history
 * @openings: how often it has opened
 * @sent: messages it sent in this session
 * @delay: it opens so long after its session began, or after it could
 * @listens: it can be opened by a packet
 * @ticking: it will act by itself
 * @refused: it was told that others go on without it
 * @talks: it sends
 * @must_talk: messages it sends whatever others did
 * @taste: enum psync_agent_taste
 * @think: mean time between actions
 * @reply: permille of actions with something received that send
 * @speak: permille of actions without that send
 * @burst: most messages sent at once
 * @ask: permille of actions that query
 * @quit: closes for good when its view has so many messages, 0: does not
 * @back: ... and comes back after this time, 0: does not
 */
struct psync_agent {
	struct psync_conv *conv;
	u32 part;
	u32 home;
	struct psync_site *site;
	bool absent;
	struct psync_view view;
	bool joined;
	u32 state;
	u32 seat;
	u32 openings;
	u32 sent;
	u64 delay;
	bool listens;
	bool ticking;
	bool refused;
	bool talks;
	u32 must_talk;
	u32 taste;
	u64 think;
	u32 reply;
	u32 speak;
	u32 burst;
	u32 ask;
	u64 quit;
	u64 back;
};

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
 * @owner: index of the one site whose list this is, which all others refuse;
 *	U32_MAX: it is that of all sites that do not own another
 * @max_body: greatest message
 * @start: when the first session begins
 * @sessions: still to come, the present one included
 * @session: number of the present one, from 1
 * @budget: messages still to be sent in this session and all later ones
 * @keep: of them, left to later sessions
 * @cut: this session ends abruptly when its part is spent, not at rest
 * @closing: this session ends
 * @returner: site where somebody comes back in this session, or U32_MAX
 * @deadline: it must be at rest by then
 * @open: participants open now
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
	u32 owner;
	u32 max_body;
	u64 start;
	u32 sessions;
	u32 session;
	u32 budget;
	u32 keep;
	bool cut;
	bool closing;
	u32 returner;
	u64 deadline;
	u32 open;
	u32 told;
};

/* After the shape is drawn: the first sessions will begin. */
void psync_work_init(struct psync_sim *sim);

/* When nothing happens any more: was all done that was to be done? */
void psync_work_exit(struct psync_sim *sim);

/* The site has the conversation now: @agent may accept it. */
void psync_work_pending(struct psync_agent *agent);

/* Something is outstanding for @agent. */
void psync_work_readable(struct psync_agent *agent);

/**
 * psync_work_event - somebody was told something
 * @conv: about this conversation, NULL: about the group of one
 * @site: at this site
 * @agent: NULL: everybody there
 * @ev: what
 */
void psync_work_event(struct psync_conv *conv, struct psync_site *site,
		      struct psync_agent *agent, const struct psync_event *ev);

#endif /* _PSYNC_SIM_WORK_H */
