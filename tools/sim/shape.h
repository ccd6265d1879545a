/* SPDX-License-Identifier: GPL-2.0-only */
/* What a seed makes: sites, network, conversations, participants. */
#ifndef _PSYNC_SIM_SHAPE_H
#define _PSYNC_SIM_SHAPE_H

#include "sim.h"

/* Messages of a seed, drawn evenly from here. */
#define PSYNC_SHAPE_LEAST	240
#define PSYNC_SHAPE_MOST	520
/* ... and so few that answers by all to all need no more packets. */
#define PSYNC_SHAPE_PACKETS	100000

/* Conversations of one seed, at most. */
#define PSYNC_SHAPE_CONVS	3
/* Stream of chance that flow control is drawn from. */
#define PSYNC_SHAPE_FLOW	8
/* ... and the number of sites. */
#define PSYNC_SHAPE_SIZE	9

/* When no number of sites is asked for: the least, and how often doubled. */
#define PSYNC_SHAPE_SITES	2
#define PSYNC_SHAPE_SIZES	4

/* The most sites of a seed, 2 to 32: as many seeds for each doubling. */
u32 psync_shape_sites(u64 seed);

/* Draw everything; @max_sites is at least 2. */
void psync_shape_draw(struct psync_sim *sim, u32 max_sites);
void psync_shape_free(struct psync_sim *sim);

#endif /* _PSYNC_SIM_SHAPE_H */
