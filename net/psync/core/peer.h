/* SPDX-License-Identifier: GPL-2.0-only */
/* Which incarnation of another site speaks (S1.2). */
#ifndef _PSYNC_CORE_PEER_H
#define _PSYNC_CORE_PEER_H

#include <linux/types.h>
#include "wire.h"

/**
 * struct psync_peer_inc - what is known of a peer's incarnation
 * @inc: the incarnation it goes by, 0: none yet
 * @candidate: one that asks to replace it and awaits confirmation, or 0
 * @stale: one that an exchange has shown not to be the present one, or 0
 * @nonce: of the HELLO under way
 * @deadline: when to ask again, U64_MAX: nothing under way
 * @wait: present wait in ns
 * @tries: HELLOs sent
 */
struct psync_peer_inc {
	u64	inc;
	u64	candidate;
	u64	stale;
	u64	nonce;
	u64	deadline;
	u64	wait;
	u32	tries;
};

enum psync_peer_verdict {
	PSYNC_PEER_TAKE,	/* the packet is of the present incarnation */
	PSYNC_PEER_PARK,	/* keep it; HELLO is under way */
	PSYNC_PEER_ASK,		/* keep it and send a HELLO with ->nonce */
	PSYNC_PEER_DROP,	/* STALE_INC */
};

/**
 * psync_peer_init - nothing is known yet
 * @pi: peer
 */
void psync_peer_init(struct psync_peer_inc *pi);

/**
 * psync_peer_check - a packet came; is its incarnation the peer's present one?
 * @pi: peer
 * @inc: incarnation in the packet, not zero
 * @now: monotonic time
 * @wait: first wait for a HELLO's answer
 * @nonce: a fresh random number for a HELLO, should one be needed
 *
 * The first incarnation heard of replaces nothing and is taken.  Any other is
 * confirmed by an exchange first: it may be new, or come late from a time when
 * the site's clock was ahead of what it is now.  One that the last exchange
 * refuted is dropped: no site takes it again.
 */
enum psync_peer_verdict psync_peer_check(struct psync_peer_inc *pi, u64 inc,
					 u64 now, u64 wait, u64 nonce);

/**
 * psync_peer_answer - a HELLO_ACK about the site came
 * @pi: peer
 * @pkt: the answer
 *
 * Return: true when the nonce is ours: then @pkt's incarnation is the peer's
 * present one, and parked packets are to be checked again.
 */
bool psync_peer_answer(struct psync_peer_inc *pi, const struct psync_pkt *pkt);

/**
 * psync_peer_timer - "it is now"
 * @pi: peer
 * @now: monotonic time
 * @max_tries: after so many HELLOs the candidate is given up
 *
 * Return: 1: send HELLO again; 0: nothing to do before ->deadline; -1: given
 * up, parked packets are to be dropped.
 */
int psync_peer_timer(struct psync_peer_inc *pi, u64 now, u32 max_tries);

#endif /* _PSYNC_CORE_PEER_H */
