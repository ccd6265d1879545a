/* SPDX-License-Identifier: GPL-2.0-only */
/* A participant of a conversation. */
#ifndef _PSYNC_SIM_AGENT_H
#define _PSYNC_SIM_AGENT_H

#include <linux/types.h>

#include "../../net/psync/core/image.h"
#include "../../net/psync/core/stable.h"
#include "restart.h"
#include "sim.h"

/**
 * enum psync_agent_state - how far a participant has come in a session
 * @PSYNC_AGENT_ABSENT: it does not open any more
 * @PSYNC_AGENT_WAITING: it will
 * @PSYNC_AGENT_OPEN: it has
 * @PSYNC_AGENT_DOWN: it was killed and will come back
 */
enum psync_agent_state {
	PSYNC_AGENT_ABSENT,
	PSYNC_AGENT_WAITING,
	PSYNC_AGENT_OPEN,
	PSYNC_AGENT_DOWN,
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
 * @nsilent: null messages it sent, ever
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
 * @nulls: receives null messages and END itself
 * @room: while limits are at their minimum: bytes that it may have yet to
 *	receive, 0: any
 * @quit: closes for good when its view has so many messages, 0: does not
 * @back: ... and comes back after this time, 0: does not
 * @slow: while that fault is on, its mean time is so many times longer
 * @stops: while that fault is on, it receives no more than so many, 0: it does
 * @watch: what it waits for to be stable
 * @spares: how often it has masked each victim in (psync_conv.victims)
 * @blocked: it was refused to send and waits to be told that it may
 * @life: what it is when it comes back
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
	u64 nsilent;
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
	bool nulls;
	u32 room;
	u64 quit;
	u64 back;
	u32 slow;
	u32 stops;
	struct psync_watch watch;
	u32 spares[2];
	bool blocked;
	struct psync_life life;
};

/* So many messages will never come to its site. */
void psync_agent_lost(struct psync_agent *agent, const u64 *mids, u32 n);

/* @run is called after @delay, with the number of the present session. */
void psync_agent_at(struct psync_agent *agent, u64 delay,
		    void (*run)(void *ctx, uint64_t session));

/* @ctx opens, if the session is still the same. */
void psync_agent_open(void *ctx, uint64_t session);

/* Nothing moves any more: ask about much, and list the view. */
void psync_agent_rest(struct psync_agent *agent);

void psync_agent_close(struct psync_agent *agent);

/* psync_place_rejoin() has let it come back. */
void psync_agent_returned(struct psync_agent *agent);

/* Its site crashed. */
void psync_agent_crash(struct psync_agent *agent);

/* All is healed: who had stopped goes on. */
void psync_agent_wake(struct psync_agent *agent);

/* Who was refused to send may send. */
void psync_agent_writable(struct psync_agent *agent);

/* What it waited for is stable, or never will be. */
void psync_agent_stable(struct psync_agent *agent);

/* The site has the conversation now: @agent may accept it. */
void psync_agent_pending(struct psync_agent *agent);

/* A node that the kernel made entered its view. */
void psync_agent_passed(struct psync_agent *agent,
			const struct psync_node *node);

/* Something is outstanding for @agent. */
void psync_agent_readable(struct psync_agent *agent);

/**
 * psync_agent_event - somebody was told something
 * @conv: about this conversation, NULL: about the group of one
 * @site: at this site
 * @agent: NULL: everybody there
 * @ev: what
 */
void psync_agent_event(struct psync_conv *conv, struct psync_site *site,
		       struct psync_agent *agent, const struct psync_event *ev);

#endif /* _PSYNC_SIM_AGENT_H */
