/* SPDX-License-Identifier: GPL-2.0-only */
/* What a seed makes: sites, network, conversations, participants. */
#ifndef _PSYNC_SIM_SHAPE_H
#define _PSYNC_SIM_SHAPE_H

#include "sim.h"

/* Messages of a seed, drawn evenly from here. */
#define PSYNC_SHAPE_LEAST	240
#define PSYNC_SHAPE_MOST	520

/* Conversations of one seed, at most. */
#define PSYNC_SHAPE_CONVS	3
/* Stream of chance that flow control is drawn from. */
#define PSYNC_SHAPE_FLOW	8

/* Draw everything; @max_sites is at least 2. */
void psync_shape_draw(struct psync_sim *sim, u32 max_sites);
void psync_shape_free(struct psync_sim *sim);

#endif /* _PSYNC_SIM_SHAPE_H */
