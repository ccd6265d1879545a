// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which incarnation of another site speaks (S1.2).
 *
 * An incarnation is replaced by what the site itself says in answer to a
 * HELLO, and by nothing else.  That one is greater proves little: the site's
 * clock may have been ahead when it made an earlier one, of which a packet
 * comes late.  One exchange is under way at a time; its answer settles every
 * packet that was parked, whichever incarnation that packet is of.
 */
#include <linux/limits.h>
#include "peer.h"

/* Waits double up to this many times the first one. */
#define PSYNC_PEER_WAIT_SHIFT	6

void psync_peer_init(struct psync_peer_inc *pi)
{
	*pi = (struct psync_peer_inc){ .deadline = U64_MAX };
}

/* The exchange is over, whatever came of it. */
static void psync_peer_settle(struct psync_peer_inc *pi)
{
	pi->candidate = 0;
	pi->nonce = 0;
	pi->deadline = U64_MAX;
	pi->wait = 0;
	pi->tries = 0;
}

enum psync_peer_verdict psync_peer_check(struct psync_peer_inc *pi, u64 inc,
					 u64 now, u64 wait, u64 nonce)
{
	if (!pi->inc)
		pi->inc = inc;
	if (inc == pi->inc)
		return PSYNC_PEER_TAKE;
	if (inc == pi->stale)
		return PSYNC_PEER_DROP;
	if (pi->deadline != U64_MAX)
		return PSYNC_PEER_PARK;
	pi->candidate = inc;
	pi->nonce = nonce;
	pi->wait = wait;
	pi->deadline = now + wait;
	pi->tries = 1;
	return PSYNC_PEER_ASK;
}

bool psync_peer_answer(struct psync_peer_inc *pi, const struct psync_pkt *pkt)
{
	if (pi->deadline == U64_MAX || pkt->hello.nonce != pi->nonce)
		return false;
	pi->stale = pi->candidate != pkt->src_inc ? pi->candidate : pi->inc;
	if (pi->stale == pkt->src_inc)
		pi->stale = 0;
	pi->inc = pkt->src_inc;
	psync_peer_settle(pi);
	return true;
}

int psync_peer_timer(struct psync_peer_inc *pi, u64 now, u32 max_tries)
{
	if (now < pi->deadline || pi->deadline == U64_MAX)
		return 0;
	if (pi->tries >= max_tries) {
		psync_peer_settle(pi);
		return -1;
	}
	if (pi->tries <= PSYNC_PEER_WAIT_SHIFT)
		pi->wait *= 2;
	pi->tries++;
	pi->deadline = now + pi->wait;
	return 1;
}
