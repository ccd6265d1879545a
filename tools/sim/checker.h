/* SPDX-License-Identifier: GPL-2.0-only */
/* The independent checker: judges histories, knows nothing of the core. */
#ifndef _PSYNC_SIM_CHECKER_H
#define _PSYNC_SIM_CHECKER_H

#include "history.h"

/**
 * struct psync_verdict - what the checker found
 * @invariant: the first one violated, or NULL
 * @text: how
 * @receives: messages received
 * @depth: greatest wave
 * @width: most leaves that a view ever had
 * @late: seats that opened when others of their conversation had sent
 */
struct psync_verdict {
	const char *invariant;
	char text[240];
	uint64_t receives;
	uint64_t depth;
	uint64_t width;
	uint64_t late;
};

/**
 * psync_check - judge a history
 * @hist: history
 * @verdict: filled in
 *
 * Invariants, by the name they are reported under:
 *
 * mid-order	a participant numbers its messages one after the other
 * leaves	a message is sent in the context of the leaves of its sender's
 *		view, and the query for them says the same
 * reduction	no predecessor of a message precedes another of them
 * integrity	what is received was sent, with the same bytes
 * earlier-instance	... in this conversation, not in an earlier one
 *		under the same id
 * own		nobody receives its own message
 * once		nobody receives a message twice
 * edges	all who receive a message see the predecessors it was sent with
 * wave		and a wave one more than the greatest among those
 * causal-order	all of which they have received before
 * stable-view	a message answered stable is in all other participants' views
 * stable-revoked	and is never answered otherwise again, nor when somebody
 *		who was masked out counts again
 * stable-exact	stable means: all others have sent in its context
 * precedes, roots, next, prev	answers are those of the graph itself
 * known	"not in the view" and "freed" are true
 * outstanding	counts are possible, and zero when nothing can be taken
 * rest-view	the view at rest is what was sent and received
 * linear-order	which is listed in an order that extends precedes
 * reliable	and has all that was sent by those who live (S8)
 * agreement	and of the others' what anybody else has
 * acknowledged	whom an image takes to have attached a message has, or was told
 *		to have lost what follows it
 * end-last	nobody says anything after its END
 * end-missing	and nobody who has seen others closes without
 * gap		and what is told to be lost was sent, and has not been received
 * void-given	nobody is given what lies beyond a cut of its own or an agreed one
 * void-counts	and nothing else is kept from anybody, but what it was told to
 *		have lost while it had masked out the sender
 * cut-agreed	who has not masked one another agrees about the cuts
 * all-agreed	and, at rest, about who is counted out for good
 * mask-final	who is so is not masked in again
 * expelled-true	who is told to be so is, for somebody, and with that cut
 * cut-whole	of whom everybody then has all that counts
 * null-due	at rest all who are there have acknowledged what programs sent
 * null-sake	null messages are sent for the sake of others only (S3.1)
 *
 * Of participants that come back (P 5; S7); that they read the same from a
 * checkpoint's leaves and from nothing is that edges, wave, causal-order,
 * reliable and agreement hold for them, too:
 *
 * restart-view	a view begins with the leaves that were asked for
 * restart-number	no number is used again, but of a life that no site knows of
 * restart-void	nothing of an earlier life is received after its RESTART
 * restart-covers	nor is in a view what the RESTART left out
 * restart-told	all who were there are told that it is back, once each time
 * again-match	what a program sends again is what it had sent, in order
 * again-twice	and is not sent a second time
 * gap-needless	nothing is lost for anybody while all keep everything
 * gap-told	who was told that something is lost does not receive it; what
 *		follows it may then come without it (causal-order)
 */
void psync_check(const struct psync_hist *hist, struct psync_verdict *verdict);

#endif /* _PSYNC_SIM_CHECKER_H */
