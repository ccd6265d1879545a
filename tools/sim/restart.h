/* SPDX-License-Identifier: GPL-2.0-only */
/* Participants that come back (P 5; S7), and what their programs remember. */
#ifndef _PSYNC_SIM_RESTART_H
#define _PSYNC_SIM_RESTART_H

#include <linux/types.h>

struct psync_agent;
struct psync_event;
struct psync_node;
struct psync_sim;

/**
 * struct psync_said - a message of a program that may run again
 * @seed: its bytes are drawn from it
 * @len: how many
 * @mid: its id, U64_MAX: it is lost, or was not sent yet
 */
struct psync_said {
	u64 seed;
	u32 len;
	u64 mid;
};

/**
 * struct psync_life - what a participant is that may come back
 * @again: it has, at least once
 * @returns: how often
 * @redo: its program runs again from its beginning
 * @all: it is to have everything that follows
 * @plain: it could not have what it wanted last time and wants nothing now
 * @settled: its view has begun
 * @gapped: it was told of a gap
 * @spoke: its RESTART, or another message, was sent since
 * @lost: it was told that it does not have all that it wanted
 * @gaps: what is lost up to, as the history has it, added up
 * @missed: how many of these their senders did not leave out
 * @untold: it has not been told of that
 * @own: last message of its own that the history has in its view
 * @said: what its program has sent, in order
 * @nsaid: how much
 * @room: of it that fits
 * @at: the next one that it sends again
 * @saved: leaves of its view at its last checkpoint
 * @nsaved: how many
 */
struct psync_life {
	bool again;
	u32 returns;
	bool redo;
	bool all;
	bool plain;
	bool settled;
	bool gapped;
	bool spoke;
	bool lost;
	u64 gaps;
	u64 missed;
	bool untold;
	u64 own;
	struct psync_said *said;
	u32 nsaid;
	u32 room;
	u32 at;
	u64 *saved;
	u32 nsaved;
};

/* Which runs have it: before limits and after. */
void psync_restart_draw(struct psync_sim *sim);
void psync_restart_draw_history(struct psync_sim *sim);
void psync_restart_free(struct psync_sim *sim);

/* A session begins: who falls, when? */
void psync_restart_begin(struct psync_sim *sim);

/* What goes into the history before anything else that it does. */
void psync_restart_sync(struct psync_agent *agent);

/* Now and then: where it would begin again. */
void psync_restart_save(struct psync_agent *agent);

/* Has its program something to send that it had sent before? */
bool psync_restart_repeats(const struct psync_agent *agent);

/* The next message of its program: its length; and its bytes. */
u32 psync_restart_compose(struct psync_agent *agent, u32 len, u64 *words,
			  u64 *seed);

/* It was sent, or had been: then no other was. */
void psync_restart_said(struct psync_agent *agent, u64 seed, u32 len, u64 mid);

/* Its first message since it is back follows @prev; later ones are lost. */
void psync_restart_spoke(struct psync_agent *agent, u64 prev);

/* Is some other site absent, and cannot be asked what it has of this one? */
bool psync_restart_alone(const struct psync_agent *agent);

/* It has opened, where something was lost before. */
void psync_restart_missing(struct psync_agent *agent);

/* Somebody was told that something is lost, or who is back. */
void psync_restart_event(struct psync_agent *agent,
			 const struct psync_event *ev, bool alone);

#endif /* _PSYNC_SIM_RESTART_H */
