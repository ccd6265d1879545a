/* SPDX-License-Identifier: GPL-2.0-only */
/* The checker's bounded form: judges a history while it is made. */
#ifndef _PSYNC_SIM_STREAM_H
#define _PSYNC_SIM_STREAM_H

#include "checker.h"

struct psync_stream;

/**
 * psync_stream_new - judge a conversation of one session
 * @hist: history; conversation 0 is there, and is the only one
 *
 * Every participant opens once, at the beginning, and none is taken out.
 */
struct psync_stream *psync_stream_new(struct psync_hist *hist);

/**
 * psync_stream_feed - judge what was put down, and forget it
 * @stream: judge
 * @verdict: the first invariant violated, under the names of psync_check();
 *	"window": something is so old that it is not known any more
 */
void psync_stream_feed(struct psync_stream *stream,
		       struct psync_verdict *verdict);

/* Participants that were found at rest with all that was sent. */
uint32_t psync_stream_rested(const struct psync_stream *stream);

void psync_stream_free(struct psync_stream *stream);

#endif /* _PSYNC_SIM_STREAM_H */
